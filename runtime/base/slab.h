/* SPDX-License-Identifier: MIT */
/* base/slab.h - objects of one size, named by handles: slot and generation in 64 bits.
 *
 * A handle of a removed object finds nothing, so a stale one is a failed lookup and never a use
 * after free. Objects do not move. The first chunk with a free slot gets the next object, where
 * slots are reused last-freed-first; iteration is in slot order. Memory is taken in chunks, of
 * which every second is twice as large, and all empty ones but the first of them go back.
 * Limits     `slots_max` objects. */
#ifndef BASE_SLAB_H
#define BASE_SLAB_H

#include "base/memory.h"

typedef uint64_t trp_handle; /* generation in the high, slot + 1 in the low half; 0 is none */

#define TRP_SLAB_CHUNKS_MAX 40u

struct trp_slab_chunk; /* 2 << i / 2 slots in chunk i */

struct trp_slab {
    struct trp_memory *memory;
    uint32_t object_bytes; /* rounded up to 16 */
    uint32_t slots_max;
    uint32_t slots_count; /* the highest slot ever used, + 1 */
    uint32_t count;       /* live */
    uint32_t generation;  /* of the newest object; odd */
    uint64_t with_room;   /* a bit for each chunk that has a free slot */
    uint64_t empty;       /* ... that has no object: at most one */
    struct trp_slab_chunk *chunks[TRP_SLAB_CHUNKS_MAX];
};

struct trp_slab trp_slab_init(struct trp_memory *memory, size_t object_bytes, uint32_t slots_max);
/* Frees every chunk; the objects' own resources are the caller's affair. */
void trp_slab_free(struct trp_slab *slab);
/* Gives a zeroed object. TRP_EFULL, TRP_ENOMEM. */
enum trp_status trp_slab_insert(struct trp_slab *slab, trp_handle *ret_handle,
                                void **ret_object) TRP_NODISCARD;
/* NULL for a handle that names no live object. */
void *trp_slab_find(const struct trp_slab *slab, trp_handle handle);
/* Gives the object of a live handle's low half, for who has no room for the whole. */
void *trp_slab_at(const struct trp_slab *slab, uint32_t low);
/* Says whether a handle was given out at some time, as far as can be known. */
bool trp_slab_gave(const struct trp_slab *slab, trp_handle handle);
void trp_slab_remove(struct trp_slab *slab, trp_handle handle);
/* Walks live objects: start with *at = 0; NULL at the end. Removing the current one is fine. */
void *trp_slab_next(const struct trp_slab *slab, uint32_t *at, trp_handle *ret_handle);

#endif
