/* SPDX-License-Identifier: MIT */
#include "actor/pool.h"

#include "base/assert.h"

#ifdef TRP_POOL_POISONS
#include <sanitizer/asan_interface.h>
#define POISON(block, size)   ASAN_POISON_MEMORY_REGION(block, size)
#define UNPOISON(block, size) ASAN_UNPOISON_MEMORY_REGION(block, size)
#else
#define POISON(block, size)   ((void)(block), (void)(size))
#define UNPOISON(block, size) ((void)(block), (void)(size))
#endif

#define CHUNK_BYTES_MIN 1024u /* a node with few actors stays small */
#define CHUNK_BYTES_MAX 65536u
#define KEPT_MAX        32u /* free blocks kept per larger class */

/* In front of a chunk. */
struct trp_pool_chunk {
    struct trp_pool_chunk *next;
    uint64_t reserved; /* keeps the blocks aligned to 16 */
};
_Static_assert(sizeof(struct trp_pool_chunk) % 16 == 0, "blocks must stay aligned to 16");

/* In front of a block of its own. */
struct large {
    struct trp_list_link link;
};
_Static_assert(sizeof(struct large) % 16 == 0, "blocks must stay aligned to 16");

/* As trp_pool_class_of has it. */
static const uint32_t class_bytes[TRP_POOL_CLASSES] = {64,  96,  128,  192,  256,
                                                       384, 512, 1024, 2048, 4096};

void trp_pool_init(struct trp_pool *pool, struct trp_memory *memory)
{
    *pool = (struct trp_pool){.memory = memory};
    trp_list_init(&pool->large);
    for (uint32_t i = 0; i < TRP_POOL_SMALL; i++) {
        pool->classes[i].chunk_bytes = CHUNK_BYTES_MIN;
    }
}

void trp_pool_deinit(struct trp_pool *pool)
{
    struct trp_pool_chunk *chunk = pool->chunks;
    while (chunk != NULL) {
        struct trp_pool_chunk *next = chunk->next;
        trp_memory_free(pool->memory, chunk);
        chunk = next;
    }
    struct trp_list_link *link;
    while ((link = trp_list_pop_front(&pool->large)) != NULL) {
        trp_memory_free(pool->memory, TRP_CONTAINER(link, struct large, link));
    }
    trp_pool_init(pool, pool->memory);
}

static void *take_free(struct trp_pool_class *class)
{
    struct trp_pool_free *block = class->free;
    UNPOISON(block, sizeof *block);
    class->free = block->next;
    return block;
}

static void put_free(struct trp_pool_class *class, void *block)
{
    struct trp_pool_free *entry = block;
    entry->next = class->free;
    class->free = entry;
}

static void *take_small(struct trp_pool *pool, uint8_t index)
{
    struct trp_pool_class *class = &pool->classes[index];
    size_t bytes = class_bytes[index];
    if (class->free != NULL) {
        void *block = take_free(class);
        UNPOISON(block, bytes);
        return block;
    }
    if ((size_t)(class->fresh_end - class->fresh) < bytes) {
        uint32_t room = class->chunk_bytes / (uint32_t)bytes * (uint32_t)bytes;
        struct trp_pool_chunk *chunk = trp_memory_alloc(pool->memory, sizeof *chunk + room);
        if (chunk == NULL) {
            return NULL;
        }
        chunk->next = pool->chunks;
        pool->chunks = chunk;
        class->fresh = (uint8_t *)(chunk + 1);
        class->fresh_end = class->fresh + room;
        class->chunk_bytes =
            class->chunk_bytes < CHUNK_BYTES_MAX ? class->chunk_bytes * 2 : CHUNK_BYTES_MAX;
    }
    void *block = class->fresh;
    class->fresh += bytes;
    return block;
}

void *trp_pool_take_slow(struct trp_pool *pool, uint8_t class, size_t size)
{
    if (class < TRP_POOL_SMALL) {
        return take_small(pool, class);
    }
    if (class < TRP_POOL_CLASSES) {
        size = class_bytes[class];
        if (pool->classes[class].free != NULL) {
            pool->classes[class].kept_count--;
            void *block = take_free(&pool->classes[class]);
            UNPOISON(block, size);
            return block;
        }
    }
    if (size > SIZE_MAX - sizeof(struct large)) {
        return NULL;
    }
    struct large *large = trp_memory_alloc(pool->memory, sizeof *large + size);
    if (large == NULL) {
        return NULL;
    }
    trp_list_push_back(&pool->large, &large->link);
    return large + 1;
}

void trp_pool_put_slow(struct trp_pool *pool, uint8_t class, void *block)
{
    if (block == NULL) {
        return;
    }
    if (class < TRP_POOL_SMALL) {
        put_free(&pool->classes[class], block);
        POISON(block, class_bytes[class]);
        return;
    }
    TRP_ASSERT(class <= TRP_POOL_HUGE);
    if (class < TRP_POOL_CLASSES && pool->classes[class].kept_count < KEPT_MAX) {
        pool->classes[class].kept_count++;
        put_free(&pool->classes[class], block);
        POISON(block, class_bytes[class]);
        return;
    }
    struct large *large = (struct large *)block - 1;
    trp_list_link_remove(&large->link);
    trp_memory_free(pool->memory, large);
}
