/* SPDX-License-Identifier: MIT */
#include "node/crypto_memo.h"

#include "crypto/crypto.h"

#include <troupe/node.h>

/* Each node has two: of its Noise key and of its record; both change now and then. */
#define SIGNATURES_FIRST    1024u
#define SIGNATURES_PER_NODE 4u

enum trp_status trp_crypto_memo_open(uint32_t nodes_count, struct trp_crypto_memo **ret_memo)
{
    struct trp_memory memory = trp_memory_init(UINT64_MAX);
    struct trp_crypto_memo *memo = trp_memory_alloc(&memory, sizeof *memo);
    if (memo == NULL) {
        return TRP_ENOMEM;
    }
    uint64_t signatures = SIGNATURES_FIRST + (uint64_t)SIGNATURES_PER_NODE * nodes_count;
    memo->memory = memory;
    memo->signatures = trp_signature_memo_init(
        &memo->memory, signatures < UINT32_MAX ? (uint32_t)signatures : UINT32_MAX);
    *ret_memo = memo;
    return TRP_OK;
}

void trp_crypto_memo_close(struct trp_crypto_memo *memo)
{
    if (memo == NULL) {
        return;
    }
    trp_signature_memo_deinit(&memo->signatures);
    struct trp_memory memory = memo->memory;
    trp_crypto_wipe(memo, sizeof *memo);
    trp_memory_free(&memory, memo);
}
