/* SPDX-License-Identifier: MIT */
/* actor/pool.h - blocks of memory by size class: actors, mails, requests, links.
 *
 * Small classes are carved from chunks that grow with use and stay with the pool; a block given
 * back goes to the free list of its class, last in first out. Larger classes are blocks of their
 * own, a bounded number of which is kept; beyond the largest class nothing is kept.
 * Ownership  The pool owns all blocks; closing it frees them, given back or not.
 * Limits     Those of its trp_memory.
 * Failure    NULL when there is no memory. Blocks are not zeroed; they are aligned to 16. */
#ifndef ACTOR_POOL_H
#define ACTOR_POOL_H

#include "base/list.h"
#include "base/memory.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define TRP_POOL_POISONS 1
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define TRP_POOL_POISONS 1
#endif

#define TRP_POOL_SMALL   7u  /* classes 0..6 are carved from chunks */
#define TRP_POOL_CLASSES 10u /* 7..9 are blocks of their own, some kept */
#define TRP_POOL_HUGE    10u /* freed at once */

struct trp_pool_free {
    struct trp_pool_free *next;
};

struct trp_pool_class {
    struct trp_pool_free *free;
    uint8_t *fresh; /* the part of the newest chunk that was never used */
    uint8_t *fresh_end;
    uint32_t chunk_bytes; /* of the next chunk */
    uint32_t kept_count;
};

struct trp_pool {
    struct trp_memory *memory;
    struct trp_pool_chunk *chunks;
    struct trp_list large;
    struct trp_pool_class classes[TRP_POOL_CLASSES];
};

void trp_pool_init(struct trp_pool *pool, struct trp_memory *memory);
void trp_pool_deinit(struct trp_pool *pool);

/* Gives the class of blocks that hold `size` bytes; known at compile time for a known size. */
static inline uint8_t trp_pool_class_of(size_t size)
{
    return size <= 64     ? 0
           : size <= 96   ? 1
           : size <= 128  ? 2
           : size <= 192  ? 3
           : size <= 256  ? 4
           : size <= 384  ? 5
           : size <= 512  ? 6
           : size <= 1024 ? 7
           : size <= 2048 ? 8
           : size <= 4096 ? 9
                          : TRP_POOL_HUGE;
}

/* What trp_pool_take does when the free list is empty. `size` matters for TRP_POOL_HUGE only. */
void *trp_pool_take_slow(struct trp_pool *pool, uint8_t class, size_t size);
void trp_pool_put_slow(struct trp_pool *pool, uint8_t class, void *block);

static inline void *trp_pool_take(struct trp_pool *pool, uint8_t class, size_t size)
{
#ifndef TRP_POOL_POISONS
    if (class < TRP_POOL_SMALL && pool->classes[class].free != NULL) {
        struct trp_pool_free *block = pool->classes[class].free;
        pool->classes[class].free = block->next;
        return block;
    }
#endif
    return trp_pool_take_slow(pool, class, size);
}

/* Gives a block back; NULL is fine. */
static inline void trp_pool_put(struct trp_pool *pool, uint8_t class, void *block)
{
#ifndef TRP_POOL_POISONS
    if (class < TRP_POOL_SMALL && block != NULL) {
        struct trp_pool_free *entry = block;
        entry->next = pool->classes[class].free;
        pool->classes[class].free = entry;
        return;
    }
#endif
    trp_pool_put_slow(pool, class, block);
}

#endif
