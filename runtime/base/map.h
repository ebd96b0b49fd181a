/* SPDX-License-Identifier: MIT */
/* base/map.h - uthash, set up for a node: memory of the node, out of memory reported, no exit.
 *
 * Tables iterate in insertion order, so that no hash value reaches behaviour. A function that
 * inserts must have a `struct trp_memory *uthash_memory` in scope. After HASH_ADD, an element whose
 * hh.tbl is NULL was not added (out of memory). */
#ifndef BASE_MAP_H
#define BASE_MAP_H

#include "base/index.h"
#include "base/memory.h"

#define HASH_NONFATAL_OOM         1
#define uthash_malloc(size)       trp_memory_alloc(uthash_memory, size)
#define uthash_free(block, size)  trp_memory_free(uthash_memory, block)
#define uthash_nonfatal_oom(elem) ((elem)->hh.tbl = NULL)

/* uthash's own function falls through its cases, which clang's warnings refuse. */
#define HASH_FUNCTION(key, size, hash) ((hash) = trp_index_hash(key, size))

#include <uthash.h>

#endif
