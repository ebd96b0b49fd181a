/* SPDX-License-Identifier: MIT */
/* troupe/blocks.h - a heap that the nodes of a simulation share: blocks of a few sizes, cut from
 * large pieces.
 *
 * A thousand nodes touch memory all over a process with every step. Pieces may lie in huge pages,
 * and a block is taken and given back without a look at its neighbours. Nodes count their memory
 * as they do on the system's heap, and a run is the same on either.
 *
 * Threading  For one thread.
 * Limits     None of its own: each node has one. Memory goes back to the source at the end. */
#ifndef TROUPE_BLOCKS_H
#define TROUPE_BLOCKS_H

#include <troupe/base.h>

TRP_EXTERN_C_BEGIN

struct trp_blocks;

/* Where pieces come from. */
struct trp_blocks_source {
    void *(*take)(void *user, size_t bytes); /* aligned to 16; NULL: there is none */
    void (*give)(void *user, void *piece, size_t bytes);
    void *user;
};

/* Opens an empty heap. `source` NULL: the system's heap. TRP_ENOMEM. */
TRP_API enum trp_status trp_blocks_open(const struct trp_blocks_source *source,
                                        struct trp_blocks **ret_blocks) TRP_NODISCARD;
/* Gives all pieces back; who took blocks is closed. NULL is fine. */
TRP_API void trp_blocks_close(struct trp_blocks *blocks);

TRP_EXTERN_C_END

#endif
