/* SPDX-License-Identifier: MIT */
/* simnet/draws.h - what the world draws randomness for: every stream of trp_draw it uses.
 *
 * A draw is keyed by (seed, entity, stream, counter). None of the counters is global: leaving a
 * fault, a host or a connection out moves no draw of another. Values never change. */
#ifndef SIMNET_DRAWS_H
#define SIMNET_DRAWS_H

enum trp_sim_draw {
    TRP_SIM_DRAW_HOST_SEED = 1,      /* entity host, counter incarnation * 4 + word */
    TRP_SIM_DRAW_IDENTITY = 2,       /* entity host, counter times its state was lost * 4 + word */
    TRP_SIM_DRAW_LATENCY_BASE = 3,   /* entity pair of hosts, counter 0 */
    TRP_SIM_DRAW_LATENCY = 4,        /* entity pair of hosts, counter window of time */
    TRP_SIM_DRAW_DUPLEX = 5,         /* the key of a connection: entity pair, counter its dials */
    TRP_SIM_DRAW_LOSS = 6,           /* entity end, counter segments it has sent */
    TRP_SIM_DRAW_ACK_LOSS = 7,       /* entity end, counter acknowledgements towards it */
    TRP_SIM_DRAW_SPLIT = 8,          /* entity end, counter offset in its stream */
    TRP_SIM_DRAW_MERGE = 9,          /* entity end, counter offset in its stream */
    TRP_SIM_DRAW_RESET = 10,         /* entity connection, counter time of the fault */
    TRP_SIM_DRAW_RESOLVE = 11,       /* entity host, counter id of the question */
    TRP_SIM_DRAW_DATAGRAM_LOSS = 12, /* entity pair of hosts, counter its datagrams */
    TRP_SIM_DRAW_BURST = 13,         /* entity pair of hosts, counter burst of time */
    TRP_SIM_DRAW_DUPLICATE = 14,     /* entity pair of hosts, counter its datagrams */
    TRP_SIM_DRAW_REORDER = 15,       /* entity pair of hosts, counter its datagrams * 2 + copy */
    TRP_SIM_DRAW_CORRUPT = 16,       /* the same */
    TRP_SIM_DRAW_TRUNCATE = 17       /* the same */
};

#endif
