/* SPDX-License-Identifier: MIT */
#include "base/heap.h"

#include "base/assert.h"

#define ARITY 4u

static bool entry_before(const struct trp_heap_entry *a, const struct trp_heap_entry *b)
{
    return a->at != b->at ? a->at < b->at : a->tie < b->tie;
}

static void heap_put(struct trp_heap *heap, uint32_t index, struct trp_heap_entry *entry)
{
    heap->entries[index] = entry;
    entry->position = index + 1;
}

static void heap_up(struct trp_heap *heap, uint32_t index, struct trp_heap_entry *entry)
{
    while (index > 0) {
        uint32_t parent = (index - 1) / ARITY;
        if (!entry_before(entry, heap->entries[parent])) {
            break;
        }
        heap_put(heap, index, heap->entries[parent]);
        index = parent;
    }
    heap_put(heap, index, entry);
}

static void heap_down(struct trp_heap *heap, uint32_t index, struct trp_heap_entry *entry)
{
    for (;;) {
        uint32_t first = index * ARITY + 1;
        if (first >= heap->count) {
            break;
        }
        uint32_t last = first + ARITY < heap->count ? first + ARITY : heap->count;
        uint32_t least = first;
        for (uint32_t i = first + 1; i < last; i++) {
            if (entry_before(heap->entries[i], heap->entries[least])) {
                least = i;
            }
        }
        if (!entry_before(heap->entries[least], entry)) {
            break;
        }
        heap_put(heap, index, heap->entries[least]);
        index = least;
    }
    heap_put(heap, index, entry);
}

/* Puts an entry where it belongs, from a place whose own entry has left. */
static void heap_settle(struct trp_heap *heap, uint32_t index, struct trp_heap_entry *entry)
{
    if (index > 0 && entry_before(entry, heap->entries[(index - 1) / ARITY])) {
        heap_up(heap, index, entry);
    } else {
        heap_down(heap, index, entry);
    }
}

void trp_heap_free(struct trp_heap *heap)
{
    for (uint32_t i = 0; i < heap->count; i++) {
        heap->entries[i]->position = 0;
    }
    trp_memory_free(heap->memory, heap->entries);
    *heap = trp_heap_init(heap->memory);
}

enum trp_status trp_heap_insert(struct trp_heap *heap, struct trp_heap_entry *entry, trp_time at,
                                uint64_t tie)
{
    if (entry->position != 0) {
        TRP_ASSERT(heap->entries[entry->position - 1] == entry);
        entry->at = at;
        entry->tie = tie;
        heap_settle(heap, entry->position - 1, entry);
        return TRP_OK;
    }
    if (heap->count == heap->capacity) {
        uint32_t capacity = heap->capacity == 0 ? 16 : heap->capacity * 2;
        struct trp_heap_entry **entries =
            trp_memory_resize(heap->memory, heap->entries, capacity * sizeof *entries);
        if (entries == NULL) {
            return TRP_ENOMEM;
        }
        heap->entries = entries;
        heap->capacity = capacity;
    }
    entry->at = at;
    entry->tie = tie;
    heap->count++;
    heap_up(heap, heap->count - 1, entry);
    return TRP_OK;
}

void trp_heap_remove(struct trp_heap *heap, struct trp_heap_entry *entry)
{
    if (entry->position == 0) {
        return;
    }
    uint32_t index = entry->position - 1;
    TRP_ASSERT(index < heap->count && heap->entries[index] == entry);
    entry->position = 0;
    struct trp_heap_entry *moved = heap->entries[--heap->count];
    if (moved == entry) {
        return;
    }
    heap_settle(heap, index, moved);
}
