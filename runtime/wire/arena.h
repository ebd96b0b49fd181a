/* SPDX-License-Identifier: MIT */
/* wire/arena.h - memory of one decoded message: handed out from a block of the caller's, never
 * freed piece by piece.
 *
 * What a decoder gives with an arena borrows from the arena and from the input.
 * Limits     The block. A message that needs more is TRP_ETOOBIG, however it is made. */
#ifndef WIRE_ARENA_H
#define WIRE_ARENA_H

#include <troupe/base.h>

struct trp_arena {
    uint8_t *data;
    size_t size;
    size_t used;
    bool exhausted; /* an allocation failed */
};

static inline struct trp_arena trp_arena_init(void *block, size_t size)
{
    return (struct trp_arena){.data = (uint8_t *)block, .size = size};
}

/* Gives bytes aligned to 16, not zeroed; NULL when the block is used up. */
static inline void *trp_arena_alloc(struct trp_arena *arena, size_t size)
{
    size_t pad = (size_t)(0 - (uintptr_t)(arena->data + arena->used)) & 15u;
    if (size > arena->size || pad > arena->size - arena->used ||
        size > arena->size - arena->used - pad) {
        arena->exhausted = true;
        return NULL;
    }
    void *block = arena->data + arena->used + pad;
    arena->used += pad + size;
    return block;
}

#endif
