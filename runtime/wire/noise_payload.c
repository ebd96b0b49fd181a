/* SPDX-License-Identifier: MIT */
#include "wire/noise_payload.h"

#include "messages.pb-c.h"
#include "wire/protobuf.h"

enum trp_status trp_noise_payload_encode(const struct trp_noise_payload *payload, uint8_t *out,
                                         size_t room, size_t *ret_size)
{
    Trp__NoiseHandshakePayload message = TRP__NOISE_HANDSHAKE_PAYLOAD__INIT;
    Trp__NoiseExtensions extensions = TRP__NOISE_EXTENSIONS__INIT;
    ProtobufCBinaryData muxers[TRP_NOISE_PAYLOAD_MUXERS_MAX];
    if (payload->muxers_count > TRP_NOISE_PAYLOAD_MUXERS_MAX) {
        return TRP_ETOOBIG;
    }
    for (uint32_t i = 0; i < payload->muxers_count; i++) {
        muxers[i] = trp_protobuf_data(payload->muxers[i]);
    }
    extensions.n_stream_muxers = payload->muxers_count;
    extensions.stream_muxers = muxers;
    message.has_identity_key = payload->identity_key.size > 0;
    message.identity_key = trp_protobuf_data(payload->identity_key);
    message.has_identity_sig = payload->identity_sig.size > 0;
    message.identity_sig = trp_protobuf_data(payload->identity_sig);
    message.extensions = payload->muxers_count > 0 ? &extensions : NULL;
    return trp_protobuf_pack(&message.base, out, room, ret_size);
}

enum trp_status trp_noise_payload_decode(struct trp_bytes in, struct trp_arena *arena,
                                         struct trp_noise_payload *ret_payload)
{
    ProtobufCMessage *unpacked;
    enum trp_status status =
        trp_protobuf_unpack(&trp__noise_handshake_payload__descriptor, in, arena, &unpacked);
    if (status != TRP_OK) {
        return status;
    }
    const Trp__NoiseHandshakePayload *message = (const Trp__NoiseHandshakePayload *)unpacked;
    *ret_payload =
        (struct trp_noise_payload){.identity_key = trp_protobuf_view(message->identity_key),
                                   .identity_sig = trp_protobuf_view(message->identity_sig)};
    const Trp__NoiseExtensions *extensions = message->extensions;
    for (size_t i = 0; extensions != NULL && i < extensions->n_stream_muxers &&
                       ret_payload->muxers_count < TRP_NOISE_PAYLOAD_MUXERS_MAX;
         i++) {
        ret_payload->muxers[ret_payload->muxers_count++] =
            trp_protobuf_view(extensions->stream_muxers[i]);
    }
    return TRP_OK;
}
