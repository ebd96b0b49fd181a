/* SPDX-License-Identifier: MIT */
#include "base/blocks.h"

#include "base/assert.h"

#include <stdlib.h>

#define STEP_BYTES      32u
#define SMALL_BYTES     1024u /* up to here sizes are multiples of the step */
#define SMALL_SIZES     (SMALL_BYTES / STEP_BYTES)
#define SMALL_BITS      10u
#define PIECE_BYTES_MIN ((size_t)2u << 20)
#define PIECE_BYTES_MAX ((size_t)64u << 20)

struct free_block {
    struct free_block *next;
};

/* At the beginning of each piece. */
struct piece {
    struct piece *next;
    size_t bytes;
};
_Static_assert(sizeof(struct piece) == 16, "blocks must stay aligned to 16");

struct trp_blocks {
    struct trp_blocks_source source;
    struct free_block *free[TRP_BLOCKS_SIZES];
    uint8_t *at; /* what is left of the newest piece */
    size_t left;
    struct piece *pieces;
};

static void *system_take(void *user, size_t bytes)
{
    (void)user;
    return malloc(bytes);
}

static void system_give(void *user, void *piece, size_t bytes)
{
    (void)user;
    (void)bytes;
    free(piece);
}

enum trp_status trp_blocks_open(const struct trp_blocks_source *source,
                                struct trp_blocks **ret_blocks)
{
    struct trp_blocks *blocks = calloc(1, sizeof *blocks);
    if (blocks == NULL) {
        return TRP_ENOMEM;
    }
    const struct trp_blocks_source system = {.take = system_take, .give = system_give};
    blocks->source = source != NULL ? *source : system;
    *ret_blocks = blocks;
    return TRP_OK;
}

void trp_blocks_close(struct trp_blocks *blocks)
{
    while (blocks != NULL && blocks->pieces != NULL) {
        struct piece *piece = blocks->pieces;
        blocks->pieces = piece->next;
        blocks->source.give(blocks->source.user, piece, piece->bytes);
    }
    free(blocks);
}

uint32_t trp_blocks_size(size_t bytes)
{
    TRP_ASSERT(bytes > 0 && bytes <= TRP_BLOCKS_BYTES_MAX);
    if (bytes <= SMALL_BYTES) {
        return (uint32_t)((bytes - 1) / STEP_BYTES);
    }
    uint32_t bits = 63u - (uint32_t)__builtin_clzll(bytes - 1); /* 2^bits < bytes <= 2^(bits+1) */
    uint32_t quarter = (uint32_t)((bytes - 1) >> (bits - 2)) & 3u;
    return SMALL_SIZES + (bits - SMALL_BITS) * 4 + quarter;
}

static size_t size_bytes(uint32_t size)
{
    if (size < SMALL_SIZES) {
        return (size_t)(size + 1) * STEP_BYTES;
    }
    uint32_t bits = (size - SMALL_SIZES) / 4 + SMALL_BITS;
    return ((size_t)1 << bits) + ((size_t)((size - SMALL_SIZES) % 4 + 1) << (bits - 2));
}

/* Makes room in a new piece; each is twice as large as the one before. What was left is lost. */
static bool blocks_grow(struct trp_blocks *blocks)
{
    size_t bytes = blocks->pieces == NULL ? PIECE_BYTES_MIN : blocks->pieces->bytes * 2;
    bytes = bytes < PIECE_BYTES_MAX ? bytes : PIECE_BYTES_MAX;
    struct piece *piece = blocks->source.take(blocks->source.user, bytes);
    if (piece == NULL) {
        return false;
    }
    *piece = (struct piece){.next = blocks->pieces, .bytes = bytes};
    blocks->pieces = piece;
    blocks->at = (uint8_t *)(piece + 1);
    blocks->left = bytes - sizeof *piece;
    return true;
}

void *trp_blocks_take(struct trp_blocks *blocks, size_t bytes)
{
    uint32_t size = trp_blocks_size(bytes);
    struct free_block *block = blocks->free[size];
    if (block != NULL) {
        blocks->free[size] = block->next;
        return block;
    }
    size_t whole = size_bytes(size);
    if (whole > blocks->left && !blocks_grow(blocks)) {
        return NULL;
    }
    void *fresh = blocks->at;
    blocks->at += whole;
    blocks->left -= whole;
    return fresh;
}

void trp_blocks_give(struct trp_blocks *blocks, void *block, size_t bytes)
{
    struct free_block *freed = block;
    uint32_t size = trp_blocks_size(bytes);
    freed->next = blocks->free[size];
    blocks->free[size] = freed;
}
