/* SPDX-License-Identifier: MIT */
#include "wire/plaintext_exchange.h"

#include "messages.pb-c.h"
#include "wire/protobuf.h"
#include "wire/public_key.h"

enum trp_status trp_plaintext_exchange_encode(const struct trp_public_key *key, uint8_t *out,
                                              size_t room, size_t *ret_size)
{
    uint8_t encoded[TRP_PUBLIC_KEY_ENCODED_MAX];
    size_t size;
    struct trp_peer_id id;
    enum trp_status status = trp_public_key_encode(key, encoded, sizeof encoded, &size);
    if (status != TRP_OK) {
        return status;
    }
    trp_peer_id_from_key(key, &id);
    Trp__Exchange message = TRP__EXCHANGE__INIT;
    message.has_id = true;
    message.id = trp_protobuf_data(trp_peer_id_bytes(&id));
    message.has_pubkey = true;
    message.pubkey = trp_protobuf_data(trp_bytes(encoded, size));
    return trp_protobuf_pack(&message.base, out, room, ret_size);
}

enum trp_status trp_plaintext_exchange_decode(struct trp_bytes in, struct trp_peer_id *ret_id,
                                              struct trp_public_key *ret_key)
{
    uint8_t block[2 * TRP_PLAINTEXT_EXCHANGE_BYTES_MAX];
    struct trp_arena arena = trp_arena_init(block, sizeof block);
    ProtobufCMessage *unpacked;
    struct trp_peer_id claimed;
    struct trp_peer_id derived;
    enum trp_status status = trp_protobuf_unpack(&trp__exchange__descriptor, in, &arena, &unpacked);
    if (status != TRP_OK) {
        return status;
    }
    const Trp__Exchange *message = (const Trp__Exchange *)unpacked;
    if (trp_peer_id_decode(trp_protobuf_view(message->id), &claimed) != TRP_OK) {
        return TRP_EMALFORMED;
    }
    status = trp_public_key_decode(trp_protobuf_view(message->pubkey), ret_key);
    if (status != TRP_OK) {
        return status;
    }
    trp_peer_id_from_key(ret_key, &derived);
    if (!trp_peer_id_equal(&claimed, &derived)) {
        return TRP_EAUTH;
    }
    *ret_id = claimed;
    return TRP_OK;
}
