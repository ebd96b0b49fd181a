/* SPDX-License-Identifier: MIT */
/* Identify messages, twice into one; what is written of it stays in its bound. */
#include "base/assert.h"
#include "wire/identify.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t block[TRP_IDENTIFY_ARENA_BYTES];
    static uint8_t out[TRP_IDENTIFY_READ_MAX];
    struct trp_arena arena = trp_arena_init(block, sizeof block);
    struct trp_identify_message message = {.addresses_count = 0};
    struct trp_identify_message copy = {.addresses_count = 0};
    size_t out_size = 0;
    size_t half = size / 2;
    TRP_IGNORE(trp_identify_message_decode(trp_bytes(data, half), &arena, &message));
    if (trp_identify_message_decode(trp_bytes_skip(trp_bytes(data, size), half), &arena,
                                    &message) != TRP_OK ||
        trp_identify_message_encode(&message, out, sizeof out, &out_size) != TRP_OK) {
        return 0;
    }
    TRP_ASSERT(out_size <= TRP_IDENTIFY_BYTES_MAX);
    arena = trp_arena_init(block, sizeof block);
    if (trp_identify_message_decode(trp_bytes(out, out_size), &arena, &copy) == TRP_OK) {
        TRP_ASSERT(copy.protocols_count == message.protocols_count);
        TRP_ASSERT(copy.addresses_count <= message.addresses_count);
    }
    return 0;
}
