/* SPDX-License-Identifier: MIT */
#include "base/slab.h"

#include "base/assert.h"

#define CHUNK_OBJECTS 2u /* of the first two chunks; the next two hold twice as many */

/* In front of every object. */
struct slot {
    uint32_t generation; /* odd while the object lives, else 0 */
    uint32_t next_free;  /* position + 1 of the next free slot of the chunk */
    uint64_t align;
};
_Static_assert(sizeof(struct slot) == 16, "objects must stay aligned to 16");

/* In front of the slots of a chunk. */
struct trp_slab_chunk {
    uint32_t live;
    uint32_t free; /* position + 1 of the first free slot; 0: none */
    uint64_t align;
};
_Static_assert(sizeof(struct trp_slab_chunk) == 16, "objects must stay aligned to 16");

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
                             .slots_max = slots_max < most ? slots_max : most,
                             .generation = 1};
}

void trp_slab_free(struct trp_slab *slab)
{
    for (uint32_t i = 0; i < TRP_SLAB_CHUNKS_MAX; i++) {
        trp_memory_free(slab->memory, slab->chunks[i]);
    }
    *slab = trp_slab_init(slab->memory, slab->object_bytes, slab->slots_max);
}

static uint32_t chunk_of(uint32_t slot)
{
    uint32_t pair = 31u - (uint32_t)__builtin_clz(slot / (2 * CHUNK_OBJECTS) + 1);
    return 2 * pair + (slot - chunk_first(2 * pair)) / chunk_objects(2 * pair);
}

static struct slot *chunk_slot(const struct trp_slab *slab, struct trp_slab_chunk *chunk,
                               uint32_t position)
{
    size_t stride = sizeof(struct slot) + slab->object_bytes;
    return (struct slot *)(void *)((uint8_t *)(chunk + 1) + position * stride);
}

static trp_handle slab_handle(uint32_t index, const struct slot *slot)
{
    return (uint64_t)slot->generation << 32 | (index + 1);
}

/* Takes memory for a chunk, as far as slots_max allows. */
static enum trp_status chunk_open(struct trp_slab *slab, uint32_t index)
{
    uint32_t first = index < TRP_SLAB_CHUNKS_MAX ? chunk_first(index) : slab->slots_max;
    if (first >= slab->slots_max) {
        return TRP_EFULL;
    }
    uint32_t slots = chunk_objects(index);
    slots = slots < slab->slots_max - first ? slots : slab->slots_max - first;
    size_t stride = sizeof(struct slot) + slab->object_bytes;
    struct trp_slab_chunk *chunk =
        trp_memory_alloc_raw(slab->memory, sizeof *chunk + slots * stride);
    if (chunk == NULL) {
        return TRP_ENOMEM;
    }
    *chunk = (struct trp_slab_chunk){.free = 1};
    for (uint32_t i = 0; i < slots; i++) {
        *chunk_slot(slab, chunk, i) = (struct slot){.next_free = i + 1 < slots ? i + 2 : 0};
    }
    slab->chunks[index] = chunk;
    slab->with_room |= 1ull << index;
    slab->empty |= 1ull << index;
    return TRP_OK;
}

/* The first chunk with a free slot; when there is none, a new one in the first free place. */
static enum trp_status slab_choose(struct trp_slab *slab, uint32_t *ret_index)
{
    if (slab->with_room != 0) {
        *ret_index = (uint32_t)__builtin_ctzll(slab->with_room);
        return TRP_OK;
    }
    uint32_t index = 0;
    while (index < TRP_SLAB_CHUNKS_MAX && slab->chunks[index] != NULL) {
        index++;
    }
    *ret_index = index;
    return chunk_open(slab, index);
}

enum trp_status trp_slab_insert(struct trp_slab *slab, trp_handle *ret_handle, void **ret_object)
{
    uint32_t index;
    enum trp_status status = slab_choose(slab, &index);
    if (status != TRP_OK) {
        return status;
    }
    struct trp_slab_chunk *chunk = slab->chunks[index];
    uint32_t position = chunk->free - 1;
    struct slot *slot = chunk_slot(slab, chunk, position);
    chunk->free = slot->next_free;
    chunk->live++;
    if (chunk->free == 0) {
        slab->with_room &= ~(1ull << index);
    }
    slab->empty &= ~(1ull << index);
    slab->generation += 2;
    *slot = (struct slot){.generation = slab->generation};
    memset(slot + 1, 0, slab->object_bytes);
    slab->count++;
    position += chunk_first(index);
    slab->slots_count = position < slab->slots_count ? slab->slots_count : position + 1;
    *ret_handle = slab_handle(position, slot);
    *ret_object = slot + 1;
    return TRP_OK;
}

/* Finds the slot of a live object; NULL for a stale handle. */
static struct slot *slab_slot(const struct trp_slab *slab, trp_handle handle)
{
    uint32_t low = (uint32_t)handle;
    uint32_t generation = (uint32_t)(handle >> 32);
    if (low == 0 || low > slab->slots_max || (generation & 1u) == 0) {
        return NULL;
    }
    uint32_t index = chunk_of(low - 1);
    if (slab->chunks[index] == NULL) {
        return NULL;
    }
    struct slot *slot = chunk_slot(slab, slab->chunks[index], low - 1 - chunk_first(index));
    return slot->generation == generation ? slot : NULL;
}

void *trp_slab_find(const struct trp_slab *slab, trp_handle handle)
{
    struct slot *slot = slab_slot(slab, handle);
    return slot == NULL ? NULL : slot + 1;
}

static void chunk_close(struct trp_slab *slab, uint32_t index)
{
    trp_memory_free(slab->memory, slab->chunks[index]);
    slab->chunks[index] = NULL;
    slab->with_room &= ~(1ull << index);
    slab->empty &= ~(1ull << index);
}

void *trp_slab_at(const struct trp_slab *slab, uint32_t low)
{
    TRP_ASSERT(low > 0 && low <= slab->slots_max);
    uint32_t index = chunk_of(low - 1);
    TRP_ASSERT(slab->chunks[index] != NULL);
    struct slot *slot = chunk_slot(slab, slab->chunks[index], low - 1 - chunk_first(index));
    TRP_ASSERT(slot->generation != 0);
    return slot + 1;
}

bool trp_slab_gave(const struct trp_slab *slab, trp_handle handle)
{
    uint32_t low = (uint32_t)handle;
    uint32_t generation = (uint32_t)(handle >> 32);
    bool past = generation > 1 && generation <= slab->generation;
    return low > 0 && low <= slab->slots_count && past && (generation & 1u) != 0;
}

void trp_slab_remove(struct trp_slab *slab, trp_handle handle)
{
    struct slot *slot = slab_slot(slab, handle);
    if (slot == NULL) {
        return;
    }
    uint32_t index = chunk_of((uint32_t)handle - 1);
    struct trp_slab_chunk *chunk = slab->chunks[index];
    *slot = (struct slot){.next_free = chunk->free};
    chunk->free = (uint32_t)handle - chunk_first(index);
    chunk->live--;
    slab->count--;
    slab->with_room |= 1ull << index;
    if (chunk->live > 0) {
        return;
    }
    slab->empty |= 1ull << index;
    if ((slab->empty & (slab->empty - 1)) != 0) { /* two: the larger one goes */
        chunk_close(slab, 63u - (uint32_t)__builtin_clzll(slab->empty));
    }
}

void *trp_slab_next(const struct trp_slab *slab, uint32_t *at, trp_handle *ret_handle)
{
    while (*at < slab->slots_max) {
        uint32_t index = chunk_of(*at);
        uint32_t first = chunk_first(index);
        struct trp_slab_chunk *chunk = slab->chunks[index];
        if (chunk == NULL) {
            *at = first + chunk_objects(index);
            continue;
        }
        const struct slot *slot = chunk_slot(slab, chunk, *at - first);
        (*at)++;
        if (slot->generation != 0) {
            *ret_handle = slab_handle(*at - 1, slot);
            return chunk_slot(slab, chunk, *at - 1 - first) + 1;
        }
    }
    return NULL;
}
