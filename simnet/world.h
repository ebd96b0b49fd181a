/* SPDX-License-Identifier: MIT */
/* simnet/world.h - the world and its hosts, for the files of simnet. */
#ifndef SIMNET_WORLD_H
#define SIMNET_WORLD_H

#include <troupe/sim.h>

#include "base/heap.h"
#include "base/slab.h"
#include "simnet/datagram.h"
#include "simnet/happening.h"
#include "simnet/path.h"
#include "simnet/socket.h"
#include "trace/trace.h"

/* A process whose deadline has passed and stays in the past gets its time this often. */
#define TRP_SIM_TIMER_MIN_NS TRP_US(1)
/* How long a host name takes to resolve: uniformly up to this. */
#define TRP_SIM_RESOLVE_NS TRP_MS(20)

enum trp_sim_host_state {
    TRP_SIM_HOST_OFF,    /* not started: its network stack refuses */
    TRP_SIM_HOST_UP,     /* its process runs or is paused */
    TRP_SIM_HOST_DEAD,   /* crashed: nothing answers */
    TRP_SIM_HOST_STOPPED /* ended in good order: its network stack refuses */
};

struct trp_sim_host {
    struct trp_world *world;
    struct trp_process process; /* ops NULL: none */
    uint32_t index;
    enum trp_sim_host_state state;
    bool started; /* has had a life */
    bool paused;
    uint16_t port_next;
    uint32_t incarnation;
    uint32_t losses; /* how often its state was lost */
    trp_time paused_at;
    struct trp_heap_entry timer;
    trp_time deadline;
    struct trp_list ends; /* those that its process has, in the order of their making */
    struct trp_index ends_by_id;
    struct trp_list listeners;
    uint32_t listeners_count;
    struct trp_list datagram_sockets;
    uint16_t udp_port_next;
    uint32_t lan;
    uint64_t watch_cause; /* of the newest TRP_OUT_WATCH */
    trp_socket accepted_next;
    struct trp_happening *deferred; /* what waits for the end of a pause */
    uint32_t deferred_count;
    uint32_t deferred_capacity;
    uint8_t *saved;
    size_t saved_bytes;
    uint64_t bytes_sent;
    uint64_t bytes_received;
};

/* A question for an address that waits for its answer. */
struct trp_sim_resolution {
    uint32_t incarnation;
    trp_socket id;
    uint64_t cause;
    struct trp_multiaddr address;
};

struct trp_world {
    struct trp_memory memory;
    struct trp_world_config config;
    struct trp_topology topology;
    uint32_t topology_generation;
    trp_time now;
    enum trp_status failed; /* sticky: out of memory, out of happenings */
    struct trp_trace trace;
    struct trp_happenings happenings;
    struct trp_heap timers;
    struct trp_sim_host **hosts;
    uint32_t hosts_count;
    uint32_t hosts_capacity;
    struct trp_index paths;  /* by pair */
    struct trp_list stalled; /* paths */
    struct trp_sim_cuts cuts;
    struct trp_slab duplexes;
    struct trp_slab resolutions;
    struct trp_slab datagrams; /* under way */
    struct trp_list members;   /* of groups: struct trp_sim_membership */
    struct trp_sim_chunk_pool pools[TRP_SIM_CHUNK_POOLS];
    struct trp_world_stats stats;
};

static inline uint64_t trp_sim_pair(uint32_t from, uint32_t to)
{
    return (uint64_t)from << 32 | to;
}

/* Plans a happening. When that fails the world has failed. */
void trp_sim_plan(struct trp_world *world, enum trp_sim_kind kind, uint32_t host, trp_time at,
                  uint64_t subject, uint64_t detail);
/* The first failure stays. */
void trp_sim_fail(struct trp_world *world, enum trp_status status);
/* Says that what is traced next concerns `host` and follows from `cause`. */
struct trp_trace *trp_sim_trace(struct trp_world *world, uint32_t host, uint64_t cause);

/* ---- host.c ---- */

/* The process is there and runs. */
static inline bool trp_sim_host_runs(const struct trp_sim_host *host)
{
    return host->state == TRP_SIM_HOST_UP && !host->paused;
}

/* Feeds one input, performs what follows, plans the deadline. The host runs. May end the host's
 * life; ends, listeners and duplexes may be gone afterwards. */
enum trp_status trp_sim_host_input(struct trp_world *world, struct trp_sim_host *host,
                                   struct trp_input *in);
/* Begins a life. Gives the sequence number of its event. */
uint64_t trp_sim_host_start(struct trp_world *world, struct trp_sim_host *host, uint64_t cause);
/* Plans the deadline, not before `earliest`. */
void trp_sim_host_arm(struct trp_world *world, struct trp_sim_host *host, trp_time earliest);
void trp_sim_host_on_timer(struct trp_world *world, struct trp_sim_host *host);
/* Keeps a happening of a paused host for its resume. */
void trp_sim_host_defer(struct trp_world *world, struct trp_sim_host *host,
                        const struct trp_happening *happening);
/* Ends the life: stops the timer, ends the process and every socket. */
void trp_sim_host_end(struct trp_world *world, struct trp_sim_host *host,
                      enum trp_sim_host_state state);
void trp_sim_host_resolved(struct trp_world *world, struct trp_sim_host *host,
                           const struct trp_happening *happening);
void trp_sim_host_free(struct trp_world *world, struct trp_sim_host *host);
/* Gives the index of the host with an IPv4 address; TRP_ENOTFOUND. */
enum trp_status trp_sim_host_by_ip(const struct trp_world *world, const uint8_t ip[4],
                                   uint32_t *ret_host) TRP_NODISCARD;

#endif
