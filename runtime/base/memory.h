/* SPDX-License-Identifier: MIT */
/* base/memory.h - a node's heap: counted, bounded, and able to fail on demand.
 *
 * Limits     `limit_bytes` bounds the sum of all live blocks with their headers.
 * Failure    NULL when the limit, the system or the planned failure says no; always handled. */
#ifndef BASE_MEMORY_H
#define BASE_MEMORY_H

#include <troupe/base.h>

struct trp_blocks;

struct trp_memory {
    uint64_t limit_bytes;
    uint64_t used_bytes;
    uint64_t fail_at;          /* fail the n-th allocation from now; 0: never. For tests */
    struct trp_blocks *blocks; /* where blocks come from (troupe/blocks.h); NULL: the system's heap.
                                * Borrowed; set before the first allocation */
};

static inline struct trp_memory trp_memory_init(uint64_t limit_bytes)
{
    return (struct trp_memory){.limit_bytes = limit_bytes};
}

/* Gives zeroed bytes, aligned to 16. */
void *trp_memory_alloc(struct trp_memory *memory, size_t size);
/* The same with anything in them. */
void *trp_memory_alloc_raw(struct trp_memory *memory, size_t size);
/* Grows or shrinks; new bytes are not zeroed. On NULL the old block is untouched. */
void *trp_memory_resize(struct trp_memory *memory, void *block, size_t size);
/* NULL is fine. */
void trp_memory_free(struct trp_memory *memory, void *block);

#endif
