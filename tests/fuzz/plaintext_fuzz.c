/* SPDX-License-Identifier: MIT */
/* Feeds bytes to plaintext whole and in pieces: the outcome must be the same, and nothing may be
 * read past the end of the exchange. The first byte is the size of the pieces; the second chooses
 * whether a sound exchange goes first, of which one byte is changed. */
#include "proto/plaintext.h"

#include "base/assert.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define BYTES_MAX 4096u

struct result {
    enum trp_status outcome;
    size_t used;
    struct trp_peer_id peer;
};

static void identity_make(struct trp_keypair *identity, uint8_t who)
{
    uint8_t seed[32] = {who};
    trp_keypair_from_seed(seed, identity);
}

static struct result run(struct trp_bytes in, size_t piece)
{
    static const struct trp_peer_id anybody;
    struct trp_memory memory = trp_memory_init(1 << 20);
    struct trp_keypair identity;
    struct trp_plaintext plaintext;
    struct result result = {0};
    identity_make(&identity, 1);
    TRP_ASSERT(trp_plaintext_init(&plaintext, &memory, &identity, &anybody) == TRP_OK);
    enum trp_status status = TRP_OK;
    for (bool moved = true; status == TRP_OK && moved;) {
        struct trp_bytes rest = trp_bytes_skip(in, result.used);
        size_t used = 0;
        rest.size = rest.size < piece ? rest.size : piece;
        status = trp_plaintext_recv(&plaintext, rest, &used);
        TRP_ASSERT(used <= rest.size);
        result.used += status == TRP_OK ? used : 0;
        moved = used > 0;
    }
    TRP_ASSERT(status == TRP_OK || status == plaintext.outcome);
    TRP_ASSERT(trp_plaintext_is_open(&plaintext) == (plaintext.outcome == TRP_OK));
    result.outcome = plaintext.outcome;
    result.peer = plaintext.outcome == TRP_OK ? plaintext.peer : anybody;
    trp_plaintext_deinit(&plaintext);
    TRP_ASSERT(memory.used_bytes == 0);
    return result;
}

/* What another of us sends; returns its size. */
static size_t exchange(uint8_t *out, size_t room)
{
    static const struct trp_peer_id anybody;
    struct trp_memory memory = trp_memory_init(1 << 20);
    struct trp_buffer sent = trp_buffer_init(&memory, room);
    struct trp_keypair identity;
    struct trp_plaintext plaintext;
    identity_make(&identity, 2);
    TRP_ASSERT(trp_plaintext_init(&plaintext, &memory, &identity, &anybody) == TRP_OK);
    TRP_ASSERT(trp_plaintext_send(&plaintext, &sent) == TRP_OK);
    size_t size = sent.size;
    memcpy(out, trp_buffer_view(&sent).data, size);
    trp_buffer_free(&sent);
    trp_plaintext_deinit(&plaintext);
    return size;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t bytes[BYTES_MAX];
    if (size < 3 || size > sizeof bytes / 2) {
        return 0;
    }
    size_t prefix = 0;
    if (data[1] < 128) {
        prefix = exchange(bytes, sizeof bytes / 2);
        bytes[data[1] % prefix] ^= data[2];
    }
    memcpy(bytes + prefix, data + 3, size - 3);
    struct trp_bytes in = trp_bytes(bytes, prefix + size - 3);
    struct result whole = run(in, SIZE_MAX);
    struct result pieces = run(in, 1u + data[0]);
    TRP_ASSERT(whole.outcome == pieces.outcome);
    TRP_ASSERT(trp_peer_id_equal(&whole.peer, &pieces.peer));
    TRP_ASSERT(whole.outcome != TRP_OK || whole.used == pieces.used);
    TRP_ASSERT(data[1] >= 128 || data[2] != 0 || whole.outcome == TRP_OK);
    return 0;
}
