/* SPDX-License-Identifier: MIT */
#include "base/heap.h"

#include "base/assert.h"

#define ARITY 4u

static bool place_before(const struct trp_heap_place *a, const struct trp_heap_place *b)
{
    return a->at != b->at ? a->at < b->at : a->tie < b->tie;
}

static void heap_put(struct trp_heap *heap, uint32_t index, const struct trp_heap_place *place)
{
    heap->places[index] = *place;
    place->entry->position = index + 1;
}

static void heap_up(struct trp_heap *heap, uint32_t index, const struct trp_heap_place *place)
{
    while (index > 0) {
        uint32_t parent = (index - 1) / ARITY;
        if (!place_before(place, &heap->places[parent])) {
            break;
        }
        heap_put(heap, index, &heap->places[parent]);
        index = parent;
    }
    heap_put(heap, index, place);
}

static void heap_down(struct trp_heap *heap, uint32_t index, const struct trp_heap_place *place)
{
    for (;;) {
        uint32_t first = index * ARITY + 1;
        if (first >= heap->count) {
            break;
        }
        uint32_t last = first + ARITY < heap->count ? first + ARITY : heap->count;
        uint32_t least = first;
        for (uint32_t i = first + 1; i < last; i++) {
            if (place_before(&heap->places[i], &heap->places[least])) {
                least = i;
            }
        }
        if (!place_before(&heap->places[least], place)) {
            break;
        }
        heap_put(heap, index, &heap->places[least]);
        index = least;
    }
    heap_put(heap, index, place);
}

/* Puts an entry where it belongs, from a place whose own entry has left. */
static void heap_settle(struct trp_heap *heap, uint32_t index, struct trp_heap_place place)
{
    if (index > 0 && place_before(&place, &heap->places[(index - 1) / ARITY])) {
        heap_up(heap, index, &place);
    } else {
        heap_down(heap, index, &place);
    }
}

void trp_heap_free(struct trp_heap *heap)
{
    for (uint32_t i = 0; i < heap->count; i++) {
        heap->places[i].entry->position = 0;
    }
    trp_memory_free(heap->memory, heap->places);
    *heap = trp_heap_init(heap->memory);
}

enum trp_status trp_heap_insert(struct trp_heap *heap, struct trp_heap_entry *entry, trp_time at,
                                uint64_t tie)
{
    struct trp_heap_place place = {.at = at, .tie = tie, .entry = entry};
    if (entry->position == 0 && heap->count == heap->capacity) {
        uint32_t capacity = heap->capacity == 0 ? 16 : heap->capacity * 2;
        struct trp_heap_place *places =
            trp_memory_resize(heap->memory, heap->places, (size_t)capacity * sizeof *places);
        if (places == NULL) {
            return TRP_ENOMEM;
        }
        heap->places = places;
        heap->capacity = capacity;
    }
    entry->at = at;
    entry->tie = tie;
    if (entry->position != 0) {
        TRP_ASSERT(heap->places[entry->position - 1].entry == entry);
        heap_settle(heap, entry->position - 1, place);
    } else {
        heap->count++;
        heap_up(heap, heap->count - 1, &place);
    }
    return TRP_OK;
}

void trp_heap_remove(struct trp_heap *heap, struct trp_heap_entry *entry)
{
    if (entry->position == 0) {
        return;
    }
    uint32_t index = entry->position - 1;
    TRP_ASSERT(index < heap->count && heap->places[index].entry == entry);
    entry->position = 0;
    heap->count--;
    if (index < heap->count) {
        heap_settle(heap, index, heap->places[heap->count]);
    }
}
