/* SPDX-License-Identifier: MIT */
#include "wire/signed_envelope.h"

#include "messages.pb-c.h"
#include "wire/protobuf.h"
#include "wire/public_key.h"
#include "wire/writer.h"

#define SIGNATURE_BYTES  64u
#define NAMES_BYTES_MAX  256u /* domain and payload type */
#define SIGNED_BYTES_MAX (TRP_SIGNED_ENVELOPE_PAYLOAD_MAX + NAMES_BYTES_MAX)

/* RFC 0002, signature production: each part behind its length. */
static enum trp_status signed_bytes(const struct trp_signed_content *content,
                                    uint8_t out[SIGNED_BYTES_MAX], size_t *ret_size)
{
    const struct trp_bytes parts[] = {content->domain, content->payload_type, content->payload};
    struct trp_writer writer = trp_writer_init(out, SIGNED_BYTES_MAX);
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        trp_writer_varint(&writer, parts[i].size);
        trp_writer_put(&writer, parts[i]);
    }
    return trp_writer_end(&writer, ret_size);
}

enum trp_status trp_signed_envelope_seal(const struct trp_keypair *keypair,
                                         const struct trp_signed_content *content, uint8_t *out,
                                         size_t room, size_t *ret_size)
{
    uint8_t to_sign[SIGNED_BYTES_MAX];
    uint8_t signature[SIGNATURE_BYTES];
    uint8_t key[TRP_PUBLIC_KEY_ENCODED_MAX];
    size_t size;
    size_t key_size = 0;
    enum trp_status status = signed_bytes(content, to_sign, &size);
    if (status == TRP_OK) {
        status = trp_public_key_encode(&keypair->public_key, key, sizeof key, &key_size);
    }
    if (status != TRP_OK) {
        return status;
    }
    trp_keypair_sign(keypair, trp_bytes(to_sign, size), signature);
    Trp__SignedEnvelope message = TRP__SIGNED_ENVELOPE__INIT;
    message.has_public_key = true;
    message.public_key = trp_protobuf_data(trp_bytes(key, key_size));
    message.has_payload_type = true;
    message.payload_type = trp_protobuf_data(content->payload_type);
    message.has_payload = true;
    message.payload = trp_protobuf_data(content->payload);
    message.has_signature = true;
    message.signature = trp_protobuf_data(trp_bytes(signature, sizeof signature));
    return trp_protobuf_pack(&message.base, out, room, ret_size);
}

enum trp_status trp_signed_envelope_decode(struct trp_bytes in, struct trp_arena *arena,
                                           struct trp_signed_envelope *ret_envelope)
{
    ProtobufCMessage *unpacked;
    enum trp_status status =
        trp_protobuf_unpack(&trp__signed_envelope__descriptor, in, arena, &unpacked);
    if (status != TRP_OK) {
        return status;
    }
    const Trp__SignedEnvelope *message = (const Trp__SignedEnvelope *)unpacked;
    status = trp_public_key_decode(trp_protobuf_view(message->public_key), &ret_envelope->key);
    if (status != TRP_OK) {
        return status;
    }
    ret_envelope->payload_type = trp_protobuf_view(message->payload_type);
    ret_envelope->payload = trp_protobuf_view(message->payload);
    ret_envelope->signature = trp_protobuf_view(message->signature);
    return TRP_OK;
}

enum trp_status trp_signed_envelope_verify(struct trp_signature_memo *memo,
                                           const struct trp_signed_envelope *envelope,
                                           struct trp_bytes domain)
{
    uint8_t to_verify[SIGNED_BYTES_MAX];
    size_t size;
    const struct trp_signed_content content = {
        .domain = domain, .payload_type = envelope->payload_type, .payload = envelope->payload};
    enum trp_status status = signed_bytes(&content, to_verify, &size);
    return status == TRP_OK
               ? trp_signature_memo_verify(memo, &envelope->key, trp_bytes(to_verify, size),
                                           envelope->signature)
               : status;
}
