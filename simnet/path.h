/* SPDX-License-Identifier: MIT */
/* simnet/path.h - one direction from one host to another: latency, loss, rate, stall and cuts.
 *
 * Paths are made when first used. A change of the topology or of the cuts costs nothing until a
 * path is used again.
 * Ownership  The world owns every path until it closes. */
#ifndef SIMNET_PATH_H
#define SIMNET_PATH_H

#include <troupe/sim.h>

#include "simnet/fixed.h"

#include "base/list.h"
#include "base/map.h"

/* The latency is drawn anew for each such span of time: segments within it travel alike. */
#define TRP_SIM_LATENCY_WINDOW_NS TRP_MS(100)
/* Nothing is faster: keeps time moving when a scenario says nothing about latency. */
#define TRP_SIM_LATENCY_MIN_NS TRP_US(1)
/* A host to itself. */
#define TRP_SIM_LOOPBACK_NS TRP_US(10)
/* Headers of a segment and what a segment carries; for rates and losses. */
#define TRP_SIM_SEGMENT_HEADER_BYTES 40u
#define TRP_SIM_SEGMENT_BYTES        1460u

struct trp_sim_path {
    uint64_t pair; /* from, to; the key and the entity of its draws */
    struct trp_path shape;
    uint32_t topology_generation; /* of `shape` */
    uint32_t cuts_generation;     /* of `cut` and `cut_at` */
    enum trp_cut cut;             /* now */
    bool was_cut;                 /* at least once, the last time at `cut_at` */
    trp_time cut_at;
    trp_time busy_until; /* what was handed to it has left by then */
    trp_fixed sigma;     /* of a lognormal latency, which is drawn all the time */
    uint64_t latency_base;
    uint64_t latency_window; /* of `latency` */
    trp_time latency;
    uint64_t dials;
    uint64_t datagrams;
    struct trp_list held;         /* of struct trp_sim_end: they wait for the end of a stall */
    struct trp_list_link stalled; /* in the world's list */
};

/* A named cut: each host of `from` to each host of `to`, as bit sets. */
struct trp_sim_cut {
    uint32_t id;
    enum trp_cut cut;
    bool healed;
    trp_time at;
    trp_time healed_at;
    uint32_t hosts_count;
    uint64_t *from;
    uint64_t *to;
};

struct trp_sim_cuts {
    struct trp_sim_cut *entries;
    uint32_t count;
    uint32_t capacity;
    uint32_t generation;
};

/* A healed cut is kept for so long, for data that was in flight when it began. */
#define TRP_SIM_CUT_KEPT_NS TRP_MIN(10)

/* Gives the path as it is now; NULL when out of memory. */
struct trp_sim_path *trp_sim_path_find(struct trp_world *world, uint32_t from, uint32_t to);
/* Brings a path up to date with the topology and the cuts. */
void trp_sim_path_refresh(struct trp_world *world, struct trp_sim_path *path);
/* The one-way latency of what leaves at `at`. */
trp_time trp_sim_path_latency(struct trp_world *world, struct trp_sim_path *path, trp_time at);
/* Takes the line for `bytes`; gives the moment at which the last one has left. */
trp_time trp_sim_path_occupy(struct trp_world *world, struct trp_sim_path *path, uint32_t bytes);
/* The moment at which the queue admits more; not later than now when it does. */
trp_time trp_sim_path_admits_at(const struct trp_world *world, const struct trp_sim_path *path);
/* Says whether what was sent at `sent_at` is lost on a path that was refreshed. */
static inline bool trp_sim_path_lost(const struct trp_sim_path *path, trp_time sent_at)
{
    return path->cut != TRP_CUT_NONE || (path->was_cut && path->cut_at >= sent_at);
}
/* Says whether a draw loses a chunk of `bytes`: one of its segments at least. */
bool trp_sim_path_loses(const struct trp_sim_path *path, uint32_t bytes, uint64_t draw);

/* TRP_ENOMEM. */
enum trp_status trp_sim_cuts_add(struct trp_world *world, struct trp_sim_cut *cut,
                                 const uint32_t *from, uint32_t from_count, const uint32_t *to,
                                 uint32_t to_count) TRP_NODISCARD;
/* Heals every cut of that id; gives how many. */
uint32_t trp_sim_cuts_heal(struct trp_world *world, uint32_t id);
/* Frees paths and cuts. */
void trp_sim_paths_free(struct trp_world *world);

#endif
