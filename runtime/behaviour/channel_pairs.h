/* SPDX-License-Identifier: MIT */
/* behaviour/channel_pairs.h - pairs of actor type and message that a channel names by numbers.
 *
 * One table is of what we said, another of what a peer said.
 * Limits     TRP_CHANNEL_PAIRS_MAX pairs of TRP_CHANNEL_PAIR_BYTES_MAX each: a hostile peer makes
 *            us keep half a MiB for a stream. */
#ifndef BEHAVIOUR_CHANNEL_PAIRS_H
#define BEHAVIOUR_CHANNEL_PAIRS_H

#include "base/memory.h"

#define TRP_CHANNEL_PAIRS_MAX      256u
#define TRP_CHANNEL_PAIR_BYTES_MAX 2048u

struct trp_channel_pair;

struct trp_channel_pairs {
    struct trp_memory *memory;
    struct trp_channel_pair **pairs; /* by number; NULL: without a meaning */
    uint32_t room;
    uint32_t count;  /* numbers that were ever given, from 0 on */
    uint32_t newest; /* of intern: found last */
    uint32_t next;   /* of intern: the number that makes way when all are taken */
};

static inline struct trp_channel_pairs trp_channel_pairs_init(struct trp_memory *memory)
{
    return (struct trp_channel_pairs){.memory = memory};
}

void trp_channel_pairs_deinit(struct trp_channel_pairs *pairs);
/* Gives a number a meaning, in place of the one it had. TRP_EVIOLATION (number or texts out of
 * bounds), TRP_ENOMEM. */
enum trp_status trp_channel_pairs_set(struct trp_channel_pairs *pairs, uint64_t number,
                                      struct trp_bytes actor_type,
                                      struct trp_bytes message) TRP_NODISCARD;
/* Gives the meaning of a number, borrowed until it gets another one; false: it has none. */
bool trp_channel_pairs_get(const struct trp_channel_pairs *pairs, uint64_t number,
                           struct trp_bytes *ret_actor_type, struct trp_bytes *ret_message);
/* Finds the number of a pair, or takes one for it, which has to be said then: *ret_new.
 * TRP_ETOOBIG, TRP_ENOMEM. */
enum trp_status trp_channel_pairs_intern(struct trp_channel_pairs *pairs,
                                         struct trp_bytes actor_type, struct trp_bytes message,
                                         uint32_t *ret_number, bool *ret_new) TRP_NODISCARD;
/* Takes a meaning back that could not be said. */
void trp_channel_pairs_forget(struct trp_channel_pairs *pairs, uint32_t number);

#endif
