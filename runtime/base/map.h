/* SPDX-License-Identifier: MIT */
/* base/map.h - uthash, set up for a node: memory of the node, out of memory reported, no exit.
 *
 * Tables iterate in insertion order, so that no hash value reaches behaviour. A function that
 * inserts must have a `struct trp_memory *uthash_memory` in scope. After HASH_ADD, an element whose
 * hh.tbl is NULL was not added (out of memory). */
#ifndef BASE_MAP_H
#define BASE_MAP_H

#include "base/memory.h"

#define HASH_NONFATAL_OOM         1
#define uthash_malloc(size)       trp_memory_alloc(uthash_memory, size)
#define uthash_free(block, size)  trp_memory_free(uthash_memory, block)
#define uthash_nonfatal_oom(elem) ((elem)->hh.tbl = NULL)

/* uthash's own function falls through its cases, which clang's warnings refuse; this one also takes
 * eight bytes at a time. */
static inline unsigned trp_map_hash(const void *key, size_t size)
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
    return (unsigned)(hash ^ hash >> 15);
}

#define HASH_FUNCTION(key, size, hash) ((hash) = trp_map_hash(key, size))

#include <uthash.h>

#endif
