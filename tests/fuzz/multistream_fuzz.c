/* SPDX-License-Identifier: MIT */
/* Feeds bytes to each role of multistream-select in pieces of a given size; the outcome must not
 * depend on it. The first byte chooses the role and whether a header goes first. */
#include "proto/multistream.h"

#include "base/assert.h"

#define BYTES_MAX 4096u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const protocols[] = {"/noise", "/yamux/1.0.0", "/tls/1.0.0"};

struct result {
    enum trp_status outcome;
    uint32_t agreed;
    size_t used;
    size_t sent;
};

static struct result run(struct trp_bytes in, size_t piece, uint8_t role)
{
    struct trp_memory memory = trp_memory_init(1 << 20);
    struct trp_multistream ms;
    struct trp_multistream_config config = {.initiator = role > 0,
                                            .lazy = role == 2,
                                            .protocols = protocols,
                                            .protocols_count = role == 2 ? 1 : 3};
    struct result result = {0};
    trp_multistream_init(&ms, &memory, &config);
    enum trp_status status = TRP_OK;
    for (bool moved = true; status == TRP_OK && moved;) {
        struct trp_bytes rest = trp_bytes_skip(in, result.used);
        struct trp_buffer out = trp_buffer_init(&memory, 1 << 16);
        size_t used = 0;
        rest.size = rest.size < piece ? rest.size : piece;
        TRP_ASSERT(trp_multistream_send(&ms, &out) == TRP_OK);
        result.sent += out.size;
        trp_buffer_free(&out);
        status = trp_multistream_recv(&ms, rest, &used);
        TRP_ASSERT(used <= rest.size);
        result.used += used;
        moved = used > 0;
    }
    result.outcome = trp_multistream_outcome(&ms, &result.agreed);
    TRP_ASSERT(status == TRP_OK || status == result.outcome);
    trp_multistream_deinit(&ms);
    TRP_ASSERT(memory.used_bytes == 0);
    return result;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char header[] = "\x13/multistream/1.0.0\n";
    uint8_t bytes[BYTES_MAX];
    size_t prefix = sizeof header - 1;
    if (size < 2 || prefix + size - 2 > sizeof bytes) {
        return 0;
    }
    prefix = data[0] < 0x80 ? prefix : 0;
    memcpy(bytes, header, prefix);
    memcpy(bytes + prefix, data + 2, size - 2);
    struct trp_bytes in = trp_bytes(bytes, prefix + size - 2);
    uint8_t role = data[0] % 3;
    struct result whole = run(in, SIZE_MAX, role);
    struct result pieces = run(in, 1u + data[1], role);
    TRP_ASSERT(whole.outcome == pieces.outcome && whole.agreed == pieces.agreed);
    TRP_ASSERT(whole.outcome != TRP_OK || whole.used == pieces.used);
    return 0;
}
