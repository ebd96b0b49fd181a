/* SPDX-License-Identifier: MIT */
/* base/blocks.h - the inside of troupe/blocks.h, for base/memory.
 *
 * Sizes      Multiples of 32 bytes up to a KiB, then four to a doubling up to TRP_BLOCKS_BYTES_MAX;
 *            what is larger is not for this heap.
 * Ownership  A block is given back with the size it was taken for. */
#ifndef BASE_BLOCKS_H
#define BASE_BLOCKS_H

#include <troupe/blocks.h>

#define TRP_BLOCKS_BYTES_MAX 65536u
#define TRP_BLOCKS_SIZES     56u

/* Gives the size that a request of 1 … TRP_BLOCKS_BYTES_MAX bytes gets, as a number below
 * TRP_BLOCKS_SIZES. */
uint32_t trp_blocks_size(size_t bytes);

/* Gives a block of so many bytes, aligned to 16, with anything in it. NULL: out of memory. */
void *trp_blocks_take(struct trp_blocks *blocks, size_t bytes);
void trp_blocks_give(struct trp_blocks *blocks, void *block, size_t bytes);

#endif
