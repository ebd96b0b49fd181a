/* SPDX-License-Identifier: MIT */
/* harness/network.h - what a run needs of the network that its hosts live on.
 *
 * There are two: the simulated world, which the harness brings itself, and real sockets in real
 * time (scenarios/live), which a program hands in. Hosts, faults and results mean the same on both.
 * Time       Nanoseconds from the start of the run.
 * Ownership  A network belongs to its run from open to close. */
#ifndef HARNESS_NETWORK_H
#define HARNESS_NETWORK_H

#include "scenarios/lang/plan.h"

/* Where hosts listen, on either network. */
#define TRP_NETWORK_PORT 4001u

struct trp_network_config {
    uint64_t seed;
    struct trp_host_factory factory;
    struct trp_topology topology; /* asked again after `retopology` */
    struct trp_recorder *recorder;
    struct trp_blocks *blocks; /* NULL: the system's heap */
    uint32_t hosts_max;
};

/* Cuts every host of `from` off from every host of `to`, in this direction. */
struct trp_network_cut {
    uint32_t id; /* what `heal` names */
    const uint32_t *from;
    uint32_t from_count;
    const uint32_t *to;
    uint32_t to_count;
    enum trp_cut mode;
};

struct trp_network_stats {
    uint64_t happenings;
    uint64_t bytes_sent;
};

struct trp_network_ops {
    bool deterministic; /* one seed, one run: the trace hash is its identity */
    void (*close)(void *self);
    /* Adds the host of the next number, from 0, which starts at `start`. */
    enum trp_status (*add_host)(void *self, trp_time start);
    /* Puts a host on a local network, whose hosts hear each other's multicast. NULL: there are
     * none, and hosts with mDNS are refused. */
    void (*set_lan)(void *self, uint32_t host, uint32_t lan);
    struct trp_multiaddr (*address)(const void *self, uint32_t host);
    trp_time (*now)(const void *self);
    /* Wall-clock time at 0, for what nodes sign. */
    uint64_t (*unix_ns)(const void *self);
    /* Lets one thing happen, or the time pass up to `until`; says whether `until` is reached. */
    enum trp_status (*advance)(void *self, trp_time until, bool *ret_reached);
    enum trp_status (*command)(void *self, uint32_t host, const struct trp_command *command,
                               uint64_t cause);
    /* The topology gives other paths from now on. */
    void (*retopology)(void *self);
    /* The faults of troupe/sim.h; each gives the sequence number of its event. */
    uint64_t (*cut)(void *self, const struct trp_network_cut *cut, uint64_t cause);
    uint64_t (*heal)(void *self, uint32_t id, uint64_t cause);
    bool (*is_cut)(const void *self, uint32_t from, uint32_t to);
    uint64_t (*crash)(void *self, uint32_t host, uint64_t cause);
    uint64_t (*stop)(void *self, uint32_t host, uint64_t cause);
    uint64_t (*restart)(void *self, uint32_t host, enum trp_state_kept state, uint64_t cause);
    uint64_t (*pause)(void *self, uint32_t host, uint64_t cause);
    uint64_t (*resume)(void *self, uint32_t host, uint64_t cause);
    uint64_t (*reset)(void *self, uint32_t host, const struct trp_reset *reset, uint64_t cause);
    void (*stats)(const void *self, struct trp_network_stats *ret_stats);
    void (*host_stats)(const void *self, uint32_t host, struct trp_host_stats *ret_stats);
};

struct trp_network {
    const struct trp_network_ops *ops;
    void *self;
};

/* Opens a network for a run. `user` is that of the struct trp_network_opener. */
struct trp_network_opener {
    const char *name; /* as in `--net`; NULL with open NULL: "sim" */
    enum trp_status (*open)(void *user, const struct trp_network_config *config,
                            struct trp_network *ret_network);
    void *user;
};

/* The simulated world; `user` is ignored. */
enum trp_status trp_network_open_sim(void *user, const struct trp_network_config *config,
                                     struct trp_network *ret_network) TRP_NODISCARD;

#endif
