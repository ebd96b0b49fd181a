/* SPDX-License-Identifier: MIT */
/* base/index.h - finds objects by a hash of their key: a table of places with open addressing.
 *
 * For tables that are looked into all the time: a lookup touches the place and the object, where a
 * chained table with handles inside the objects (base/map.h) touches five cache lines, and an
 * object pays 16 to 32 bytes instead of 72. It does not iterate: no hash value reaches behaviour.
 * Ownership  Borrows its objects; the caller knows where they are.
 * Limits     Grows with what is in it; never shrinks. */
#ifndef BASE_INDEX_H
#define BASE_INDEX_H

#include "base/memory.h"

struct trp_index_place {
    void *object; /* NULL: free */
    uint32_t hash;
};

struct trp_index {
    struct trp_memory *memory; /* borrowed */
    struct trp_index_place *places;
    uint32_t capacity; /* a power of two, or 0 */
    uint32_t count;
};

static inline struct trp_index trp_index_init(struct trp_memory *memory)
{
    return (struct trp_index){.memory = memory};
}

void trp_index_deinit(struct trp_index *index);

/* A hash of bytes without padding, eight at a time. */
static inline uint32_t trp_index_hash(const void *key, size_t size)
{
    const uint8_t *at = key;
    uint64_t hash = size * 0x9e3779b97f4a7c15ull;
    while (size > 0) {
        uint64_t word = 0;
        size_t part = size < sizeof word ? size : sizeof word;
        memcpy(&word, at, part);
        hash = (hash ^ word) * 0x9fb21c651e98df25ull;
        hash ^= hash >> 32;
        at += part;
        size -= part;
    }
    return (uint32_t)(hash ^ hash >> 15);
}

/* Adds an object; its key is in no other. TRP_ENOMEM. */
enum trp_status trp_index_insert(struct trp_index *index, uint32_t hash,
                                 void *object) TRP_NODISCARD;
/* Takes an object out; fine when it is not there. */
void trp_index_remove(struct trp_index *index, uint32_t hash, const void *object);

/* Walks the objects of a hash: start with *at = hash; NULL at the end. The caller compares keys. */
static inline void *trp_index_next(const struct trp_index *index, uint32_t hash, uint32_t *at)
{
    while (index->capacity > 0) {
        const struct trp_index_place *place = &index->places[(*at)++ & (index->capacity - 1)];
        if (place->object == NULL || place->hash == hash) {
            return place->object;
        }
    }
    return NULL;
}

/* Takes the objects out one by one, for tearing down: start with *at = 0; NULL at the end. Between
 * the first and the last of them, nothing else may be done with the index. */
void *trp_index_pop(struct trp_index *index, uint32_t *at);

#endif
