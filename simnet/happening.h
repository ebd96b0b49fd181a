/* SPDX-License-Identifier: MIT */
/* simnet/happening.h - what will happen, in its total order.
 *
 * Order      (time, kind, host, sequence): kinds in the order of the enumeration, so that bytes
 *            which arrive at the very moment of a deadline are in time; then the lower host;
 *            then what was planned first.
 * Limits     2^36 happenings and 2^24 hosts in one world. */
#ifndef SIMNET_HAPPENING_H
#define SIMNET_HAPPENING_H

#include "base/memory.h"

enum trp_sim_kind {
    TRP_SIM_START,   /* a host begins its first life */
    TRP_SIM_ARRIVE,  /* the next chunk of a flow reaches the other host */
    TRP_SIM_ACK,     /* an acknowledgement reaches the sender */
    TRP_SIM_ACK_DUE, /* a host has waited long enough for data that carries its acknowledgement */
    TRP_SIM_RESET,   /* a reset or refusal reaches an end */
    TRP_SIM_RETRY,   /* a retransmission timeout of a sender */
    TRP_SIM_SEND,    /* the queue of a path has room again */
    TRP_SIM_DELIVER, /* an end has more for its process */
    TRP_SIM_ANSWER,  /* to a listen, or to a dial that cannot be made */
    TRP_SIM_RESOLVED,
    TRP_SIM_DATAGRAM, /* a datagram reaches a host */
    TRP_SIM_TIMER     /* the deadline of a process */
};

struct trp_happening {
    trp_time at;
    uint64_t order;   /* kind, host, sequence */
    uint64_t subject; /* a handle or an id */
    uint64_t detail;
};

struct trp_happenings {
    struct trp_memory *memory;
    struct trp_happening *entries; /* a 4-ary min-heap by (at, order) */
    uint32_t count;
    uint32_t capacity;
    uint64_t sequence;
};

#define TRP_HAPPENING_SEQUENCE_BITS 36u
#define TRP_HAPPENING_HOST_BITS     24u

static inline uint64_t trp_happening_order(enum trp_sim_kind kind, uint32_t host, uint64_t sequence)
{
    return (uint64_t)kind << (TRP_HAPPENING_SEQUENCE_BITS + TRP_HAPPENING_HOST_BITS) |
           (uint64_t)host << TRP_HAPPENING_SEQUENCE_BITS | sequence;
}

static inline enum trp_sim_kind trp_happening_kind(const struct trp_happening *happening)
{
    return (enum trp_sim_kind)(happening->order >>
                               (TRP_HAPPENING_SEQUENCE_BITS + TRP_HAPPENING_HOST_BITS));
}

static inline uint32_t trp_happening_host(const struct trp_happening *happening)
{
    return (uint32_t)(happening->order >> TRP_HAPPENING_SEQUENCE_BITS) &
           ((1u << TRP_HAPPENING_HOST_BITS) - 1u);
}

/* Plans one. `happening->order` carries kind and host; the sequence is added. TRP_ENOMEM; TRP_EFULL
 * when the sequence is used up. */
enum trp_status trp_happenings_push(struct trp_happenings *happenings,
                                    const struct trp_happening *happening) TRP_NODISCARD;
/* The earliest one; NULL when there is none. */
static inline const struct trp_happening *
trp_happenings_front(const struct trp_happenings *happenings)
{
    return happenings->count == 0 ? NULL : &happenings->entries[0];
}
/* Removes the earliest one; there is one. */
struct trp_happening trp_happenings_pop(struct trp_happenings *happenings);
void trp_happenings_free(struct trp_happenings *happenings);

#endif
