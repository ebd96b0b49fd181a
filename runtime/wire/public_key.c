/* SPDX-License-Identifier: MIT */
#include "wire/public_key.h"

#include "messages.pb-c.h"
#include "wire/protobuf.h"

#define ED25519_BYTES 32u

enum trp_status trp_public_key_encode(const struct trp_public_key *key, uint8_t *out, size_t room,
                                      size_t *ret_size)
{
    Trp__PublicKey message = TRP__PUBLIC_KEY__INIT;
    message.type = (uint32_t)key->type;
    message.data = trp_protobuf_data(trp_bytes(key->bytes, key->size));
    return trp_protobuf_pack(&message.base, out, room, ret_size);
}

enum trp_status trp_public_key_decode(struct trp_bytes in, struct trp_public_key *ret_key)
{
    if (in.size > TRP_PUBLIC_KEY_ENCODED_MAX) {
        return TRP_ETOOBIG;
    }
    uint8_t block[TRP_PUBLIC_KEY_ENCODED_MAX + 1024];
    struct trp_arena arena = trp_arena_init(block, sizeof block);
    ProtobufCMessage *message;
    enum trp_status status =
        trp_protobuf_unpack(&trp__public_key__descriptor, in, &arena, &message);
    if (status != TRP_OK) {
        return status;
    }
    const Trp__PublicKey *key = (const Trp__PublicKey *)message;
    if (key->type > TRP_KEY_ECDSA || key->data.len == 0 ||
        (key->type == TRP_KEY_ED25519 && key->data.len != ED25519_BYTES)) {
        return TRP_EMALFORMED;
    }
    if (key->data.len > TRP_KEY_BYTES_MAX) {
        return TRP_ETOOBIG;
    }
    *ret_key = (struct trp_public_key){.type = (enum trp_key_type)key->type,
                                       .size = (uint16_t)key->data.len};
    memcpy(ret_key->bytes, key->data.data, key->data.len);
    return TRP_OK;
}
