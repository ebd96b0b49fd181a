/* SPDX-License-Identifier: MIT */
#include "base/slab.h"

#include "base/assert.h"

#define CHUNK_OBJECTS 2u /* of the first two chunks; the next two hold twice as many */

/* In front of every object. */
struct slot {
    uint32_t generation; /* odd while live */
    uint32_t next_free;
    uint64_t reserved; /* keeps the object aligned to 16 */
};
_Static_assert(sizeof(struct slot) == 16, "objects must stay aligned to 16");

static uint32_t chunk_objects(uint32_t chunk)
{
    return CHUNK_OBJECTS << (chunk / 2);
}

/* The first slot of a chunk. */
static uint32_t chunk_first(uint32_t chunk)
{
    uint32_t pair = (2 * CHUNK_OBJECTS << (chunk / 2)) - 2 * CHUNK_OBJECTS;
    return pair + (chunk & 1u) * chunk_objects(chunk);
}

struct trp_slab trp_slab_init(struct trp_memory *memory, size_t object_bytes, uint32_t slots_max)
{
    size_t rounded = (object_bytes + 15u) & ~(size_t)15u;
    TRP_ASSERT(rounded > 0 && rounded < UINT32_MAX / 2);
    uint32_t most = chunk_first(TRP_SLAB_CHUNKS_MAX);
    return (struct trp_slab){.memory = memory,
                             .object_bytes = (uint32_t)rounded,
                             .slots_max = slots_max < most ? slots_max : most};
}

void trp_slab_free(struct trp_slab *slab)
{
    for (uint32_t i = 0; i < TRP_SLAB_CHUNKS_MAX; i++) {
        trp_memory_free(slab->memory, slab->chunks[i]);
    }
    *slab = (struct trp_slab){
        .memory = slab->memory, .object_bytes = slab->object_bytes, .slots_max = slab->slots_max};
}

static uint32_t chunk_of(uint32_t slot)
{
    uint32_t pair = 31u - (uint32_t)__builtin_clz(slot / (2 * CHUNK_OBJECTS) + 1);
    return 2 * pair + (slot - chunk_first(2 * pair)) / chunk_objects(2 * pair);
}

static struct slot *slab_slot(const struct trp_slab *slab, uint32_t index)
{
    uint32_t chunk = chunk_of(index);
    size_t stride = sizeof(struct slot) + slab->object_bytes;
    return (struct slot *)(void *)(slab->chunks[chunk] + (index - chunk_first(chunk)) * stride);
}

static trp_handle slab_handle(uint32_t index, const struct slot *slot)
{
    return (uint64_t)slot->generation << 32 | (index + 1);
}

enum trp_status trp_slab_insert(struct trp_slab *slab, trp_handle *ret_handle, void **ret_object)
{
    uint32_t index;
    if (slab->free_slot != 0) {
        index = slab->free_slot - 1;
        slab->free_slot = slab_slot(slab, index)->next_free;
    } else {
        if (slab->slots_count == slab->slots_max) {
            return TRP_EFULL;
        }
        uint32_t chunk = chunk_of(slab->slots_count);
        if (slab->chunks[chunk] == NULL) {
            size_t stride = sizeof(struct slot) + slab->object_bytes;
            slab->chunks[chunk] = trp_memory_alloc(slab->memory, chunk_objects(chunk) * stride);
            if (slab->chunks[chunk] == NULL) {
                return TRP_ENOMEM;
            }
        }
        index = slab->slots_count++;
    }
    struct slot *slot = slab_slot(slab, index);
    if (slot->generation > 0) { /* a chunk begins zeroed */
        memset(slot + 1, 0, slab->object_bytes);
    }
    slot->generation++;
    slot->next_free = 0;
    slab->count++;
    *ret_handle = slab_handle(index, slot);
    *ret_object = slot + 1;
    return TRP_OK;
}

void *trp_slab_find(const struct trp_slab *slab, trp_handle handle)
{
    uint32_t low = (uint32_t)handle;
    if (low == 0 || low > slab->slots_count) {
        return NULL;
    }
    struct slot *slot = slab_slot(slab, low - 1);
    bool live = (slot->generation & 1u) != 0 && slot->generation == (uint32_t)(handle >> 32);
    return live ? slot + 1 : NULL;
}

void trp_slab_remove(struct trp_slab *slab, trp_handle handle)
{
    if (trp_slab_find(slab, handle) == NULL) {
        return;
    }
    uint32_t index = (uint32_t)handle - 1;
    struct slot *slot = slab_slot(slab, index);
    slot->generation++;
    slot->next_free = slab->free_slot;
    slab->free_slot = index + 1;
    slab->count--;
}

void *trp_slab_next(const struct trp_slab *slab, uint32_t *at, trp_handle *ret_handle)
{
    while (*at < slab->slots_count) {
        uint32_t index = (*at)++;
        struct slot *slot = slab_slot(slab, index);
        if ((slot->generation & 1u) != 0) {
            *ret_handle = slab_handle(index, slot);
            return slot + 1;
        }
    }
    return NULL;
}
