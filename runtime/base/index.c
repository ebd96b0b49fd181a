/* SPDX-License-Identifier: MIT */
#include "base/index.h"

#define CAPACITY_FIRST 8u

void trp_index_deinit(struct trp_index *index)
{
    trp_memory_free(index->memory, index->places);
    *index = trp_index_init(index->memory);
}

static void index_put(struct trp_index *index, uint32_t hash, void *object)
{
    uint32_t mask = index->capacity - 1;
    uint32_t at = hash & mask;
    while (index->places[at].object != NULL) {
        at = (at + 1) & mask;
    }
    index->places[at] = (struct trp_index_place){.object = object, .hash = hash};
}

/* At most three quarters of the places are taken, so that a walk ends. */
static enum trp_status index_grow(struct trp_index *index)
{
    if ((uint64_t)(index->count + 1) * 4 <= (uint64_t)index->capacity * 3) {
        return TRP_OK;
    }
    if (index->capacity > UINT32_MAX / 2) {
        return TRP_ENOMEM;
    }
    struct trp_index_place *old = index->places;
    uint32_t old_capacity = index->capacity;
    uint32_t capacity = old_capacity == 0 ? CAPACITY_FIRST : 2 * old_capacity;
    struct trp_index_place *places =
        trp_memory_alloc(index->memory, (size_t)capacity * sizeof *places);
    if (places == NULL) {
        return TRP_ENOMEM;
    }
    index->places = places;
    index->capacity = capacity;
    for (uint32_t i = 0; i < old_capacity; i++) {
        if (old[i].object != NULL) {
            index_put(index, old[i].hash, old[i].object);
        }
    }
    trp_memory_free(index->memory, old);
    return TRP_OK;
}

enum trp_status trp_index_insert(struct trp_index *index, uint32_t hash, void *object)
{
    enum trp_status status = index_grow(index);
    if (status == TRP_OK) {
        index_put(index, hash, object);
        index->count++;
    }
    return status;
}

/* Frees a place, and moves what would no longer be found behind the gap. */
static void index_free_place(struct trp_index *index, uint32_t gap)
{
    uint32_t mask = index->capacity - 1;
    for (uint32_t at = (gap + 1) & mask; index->places[at].object != NULL; at = (at + 1) & mask) {
        uint32_t wanted = index->places[at].hash & mask;
        if (((at - wanted) & mask) >= ((at - gap) & mask)) {
            index->places[gap] = index->places[at];
            gap = at;
        }
    }
    index->places[gap].object = NULL;
    index->count--;
}

void trp_index_remove(struct trp_index *index, uint32_t hash, const void *object)
{
    uint32_t at = hash;
    const void *found;
    while ((found = trp_index_next(index, hash, &at)) != NULL) {
        if (found == object) {
            index_free_place(index, (at - 1) & (index->capacity - 1));
            return;
        }
    }
}

void *trp_index_pop(struct trp_index *index, uint32_t *at)
{
    while (*at < index->capacity) {
        struct trp_index_place *place = &index->places[(*at)++];
        void *object = place->object;
        if (object != NULL) {
            place->object = NULL;
            index->count--;
            return object;
        }
    }
    return NULL;
}
