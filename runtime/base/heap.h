/* SPDX-License-Identifier: MIT */
/* base/heap.h - deadlines in order: an intrusive 4-ary min-heap by (at, tie).
 *
 * `tie` must differ among entries of one moment wherever order matters; it is a counter or a key,
 * never a pointer.
 * Ownership  The heap borrows its entries until they are removed. */
#ifndef BASE_HEAP_H
#define BASE_HEAP_H

#include "base/memory.h"

struct trp_heap_entry {
    trp_time at;
    uint64_t tie;
    uint32_t position; /* 1-based; 0: in no heap */
};

/* A place of the heap; the order is copied into it, so that sifting reads no entry. */
struct trp_heap_place {
    trp_time at;
    uint64_t tie;
    struct trp_heap_entry *entry;
};

struct trp_heap {
    struct trp_memory *memory;
    struct trp_heap_place *places;
    uint32_t count;
    uint32_t capacity;
};

static inline struct trp_heap trp_heap_init(struct trp_memory *memory)
{
    return (struct trp_heap){.memory = memory};
}

void trp_heap_free(struct trp_heap *heap);

static inline bool trp_heap_is_queued(const struct trp_heap_entry *entry)
{
    return entry->position != 0;
}

/* The earliest entry; NULL when empty. */
static inline struct trp_heap_entry *trp_heap_front(const struct trp_heap *heap)
{
    return heap->count == 0 ? NULL : heap->places[0].entry;
}

static inline trp_time trp_heap_deadline(const struct trp_heap *heap)
{
    return heap->count == 0 ? TRP_NEVER : heap->places[0].at;
}

/* Inserts an entry that is in no heap, or moves it when it is in this one. TRP_ENOMEM. */
enum trp_status trp_heap_insert(struct trp_heap *heap, struct trp_heap_entry *entry, trp_time at,
                                uint64_t tie) TRP_NODISCARD;
/* Removes it; fine when it is in no heap. */
void trp_heap_remove(struct trp_heap *heap, struct trp_heap_entry *entry);

#endif
