/* SPDX-License-Identifier: MIT */
/* The Noise handshake payload: what decodes is written again, and decodes to the same. */
#include "base/assert.h"
#include "wire/noise_payload.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t block[TRP_NOISE_PAYLOAD_ARENA_BYTES];
    static uint8_t other[TRP_NOISE_PAYLOAD_ARENA_BYTES];
    static uint8_t out[65536];
    struct trp_arena arena = trp_arena_init(block, sizeof block);
    struct trp_arena again = trp_arena_init(other, sizeof other);
    struct trp_noise_payload payload;
    struct trp_noise_payload copy;
    size_t out_size = 0;
    if (trp_noise_payload_decode(trp_bytes(data, size), &arena, &payload) != TRP_OK) {
        return 0;
    }
    TRP_ASSERT(trp_noise_payload_encode(&payload, out, sizeof out, &out_size) == TRP_OK);
    TRP_ASSERT(trp_noise_payload_decode(trp_bytes(out, out_size), &again, &copy) == TRP_OK);
    TRP_ASSERT(trp_bytes_equal(payload.identity_key, copy.identity_key));
    TRP_ASSERT(trp_bytes_equal(payload.identity_sig, copy.identity_sig));
    TRP_ASSERT(payload.muxers_count == copy.muxers_count);
    for (uint32_t i = 0; i < copy.muxers_count; i++) {
        TRP_ASSERT(trp_bytes_equal(payload.muxers[i], copy.muxers[i]));
    }
    return 0;
}
