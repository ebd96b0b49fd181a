/* SPDX-License-Identifier: MIT */
#include "simnet/world.h"

static const uint32_t pool_bytes[TRP_SIM_CHUNK_POOLS] = {192, 2048, TRP_SIM_CHUNK_RATED_BYTES,
                                                         TRP_SIM_CHUNK_BYTES};
static const uint32_t pool_keeps[TRP_SIM_CHUNK_POOLS] = {4096, 1024, 128, 32};

struct trp_sim_chunk *trp_sim_chunk_make(struct trp_world *world, uint32_t size)
{
    uint8_t index = 0;
    while (pool_bytes[index] < size) {
        index++;
    }
    struct trp_sim_chunk_pool *pool = &world->pools[index];
    struct trp_sim_chunk *chunk = pool->spare;
    if (chunk != NULL) {
        pool->spare = chunk->next;
        pool->spare_count--;
    } else {
        chunk = trp_memory_alloc(&world->memory, sizeof *chunk + pool_bytes[index]);
    }
    if (chunk != NULL) {
        *chunk = (struct trp_sim_chunk){.sent_at = TRP_NEVER,
                                        .arrive_at = TRP_NEVER,
                                        .capacity = pool_bytes[index],
                                        .pool = index};
    }
    return chunk;
}

void trp_sim_chunk_free(struct trp_world *world, struct trp_sim_chunk *chunk)
{
    if (chunk == NULL) {
        return;
    }
    struct trp_sim_chunk_pool *pool = &world->pools[chunk->pool];
    if (pool->spare_count == pool_keeps[chunk->pool]) {
        trp_memory_free(&world->memory, chunk);
        return;
    }
    chunk->next = pool->spare;
    pool->spare = chunk;
    pool->spare_count++;
}

void trp_sim_pools_free(struct trp_world *world)
{
    for (uint32_t i = 0; i < TRP_SIM_CHUNK_POOLS; i++) {
        while (world->pools[i].spare != NULL) {
            struct trp_sim_chunk *chunk = world->pools[i].spare;
            world->pools[i].spare = chunk->next;
            trp_memory_free(&world->memory, chunk);
        }
    }
}
