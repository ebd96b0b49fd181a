/* SPDX-License-Identifier: MIT */
/* Kameo's requests and responses: what decodes is written again, byte for byte the same twice. */
#include "base/assert.h"
#include "wire/envelope.h"

#define ROOM 65536u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void try_request(struct trp_bytes in)
{
    static uint8_t block[ROOM];
    static uint8_t other[ROOM];
    static uint8_t out[4 * ROOM];
    static uint8_t again[4 * ROOM];
    struct trp_arena arena = trp_arena_init(block, in.size);
    struct trp_arena second = trp_arena_init(other, sizeof other);
    struct trp_request_envelope request;
    struct trp_request_envelope copy;
    size_t out_size = 0;
    size_t again_size = 0;
    if (trp_request_envelope_decode(in, &arena, &request) != TRP_OK) {
        return;
    }
    TRP_ASSERT(trp_request_envelope_encode(&request, out, sizeof out, &out_size) == TRP_OK);
    TRP_ASSERT(trp_request_envelope_decode(trp_bytes(out, out_size), &second, &copy) == TRP_OK);
    TRP_ASSERT(trp_request_envelope_encode(&copy, again, sizeof again, &again_size) == TRP_OK);
    TRP_ASSERT(trp_bytes_equal(trp_bytes(out, out_size), trp_bytes(again, again_size)));
}

static void try_response(struct trp_bytes in)
{
    static uint8_t block[ROOM];
    static uint8_t other[ROOM];
    static uint8_t out[4 * ROOM];
    static uint8_t again[4 * ROOM];
    struct trp_arena arena = trp_arena_init(block, in.size);
    struct trp_arena second = trp_arena_init(other, sizeof other);
    struct trp_response_envelope response;
    struct trp_response_envelope copy;
    size_t out_size = 0;
    size_t again_size = 0;
    if (trp_response_envelope_decode(in, &arena, &response) != TRP_OK) {
        return;
    }
    TRP_ASSERT(trp_response_envelope_encode(&response, out, sizeof out, &out_size) == TRP_OK);
    TRP_ASSERT(trp_response_envelope_decode(trp_bytes(out, out_size), &second, &copy) == TRP_OK);
    TRP_ASSERT(trp_response_envelope_encode(&copy, again, sizeof again, &again_size) == TRP_OK);
    TRP_ASSERT(trp_bytes_equal(trp_bytes(out, out_size), trp_bytes(again, again_size)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct trp_bytes in = trp_bytes(data, size < ROOM ? size : ROOM);
    try_request(in);
    try_response(in);
    return 0;
}
