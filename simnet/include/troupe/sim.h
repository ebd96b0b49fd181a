/* SPDX-License-Identifier: MIT */
/* troupe/sim.h - the deterministic world: hosts, paths and simulated sockets in virtual time.
 *
 * Time is integer nanoseconds from 0. One event heap with a written total order: (time, kind, host,
 * sequence); one happening per step. Every random decision is a keyed draw (seed, entity, stream,
 * counter), so that removing one fault moves no other decision.
 * Purity     No clock, I/O, thread or entropy; floating point nowhere.
 * Ownership  A world owns its hosts' sockets; the processes belong to the caller's factory. */
#ifndef TROUPE_SIM_H
#define TROUPE_SIM_H

#include <troupe/base.h>
#include <troupe/driver.h>
#include <troupe/trace.h>

TRP_EXTERN_C_BEGIN

struct trp_world;

/* Makes and ends the processes that run on hosts. */
struct trp_host_factory {
    /* Starts life number `incarnation` (from 0) of a host. `seed` is keyed by host and incarnation;
     * `identity` is the same in every life that keeps its state. `saved` is the last TRP_OUT_SAVE
     * when state was kept. `now` is what the first input will carry at the earliest. */
    enum trp_status (*start)(void *user, uint32_t host, uint32_t incarnation, trp_time now,
                             const uint8_t seed[32], const uint8_t identity[32],
                             struct trp_bytes saved, struct trp_process *ret_process);
    /* Ends it at once, as a crash does. */
    void (*end)(void *user, uint32_t host, struct trp_process process);
    /* A command finished. */
    void (*result)(void *user, uint32_t host, const struct trp_result *result);
    void *user;
};

struct trp_blocks;

struct trp_world_config {
    uint64_t seed;
    struct trp_host_factory factory;
    struct trp_recorder *recorder; /* borrowed; NULL: no trace */
    struct trp_blocks *blocks;     /* borrowed, may be the nodes' too; NULL: the system's heap */
    uint32_t hosts_max;            /* default 65536 */
};

/* Integer distributions of spans in nanoseconds; sampled in fixed point. */
enum trp_dist_kind {
    TRP_DIST_CONST,     /* a */
    TRP_DIST_UNIFORM,   /* a..b */
    TRP_DIST_NORMAL,    /* mean a, standard deviation b, cut at 0 */
    TRP_DIST_EXP,       /* mean a */
    TRP_DIST_LOGNORMAL, /* median a, 99th percentile b */
    TRP_DIST_PARETO,    /* minimum a, shape b / 1000 */
    TRP_DIST_WEIBULL    /* mean a, shape b / 1000 */
};
struct trp_dist {
    enum trp_dist_kind kind;
    uint64_t a;
    uint64_t b;
};
/* Samples with a keyed 64-bit draw; bit-identical on every machine and compiler. */
TRP_API trp_time trp_dist_sample(const struct trp_dist *dist, uint64_t draw);

/* One direction from one host to another. Zero fields: no such effect. */
struct trp_path {
    struct trp_dist latency;  /* one way; drawn for each 100 ms, so that segments that follow each
                               * other travel alike; a stream stays ordered. At least 1 us */
    uint64_t jitter_ppm;      /* share of the latency that is drawn anew, the rest being drawn once
                               * per path; 0: all */
    uint32_t loss_ppm;        /* per segment: a stall of one retransmission timeout, doubling; a
                               * datagram is lost for good */
    uint64_t rate_bits_per_s; /* 0: unlimited */
    trp_time queue_ns;        /* how much of the rate may queue before the sender feels it */
    bool stall;               /* bytes are held and released in order when it ends; datagrams are
                               * lost */
    /* What happens to datagrams alone; shares of them are in millionths. */
    trp_time burst_ns;      /* loss strikes all of one such span, or none; 0: each by itself */
    uint64_t mtu_bytes;     /* larger ones are lost, IPv4 and UDP headers included; 0: unlimited */
    uint32_t duplicate_ppm; /* they come twice */
    uint32_t reorder_ppm;   /* they are held for up to 100 ms, so that later ones overtake them */
    uint32_t corrupt_ppm;   /* one bit is another, and the checksum does not notice */
    uint32_t truncate_ppm;  /* they are cut short, down to nothing */
};

enum trp_cut { TRP_CUT_NONE, TRP_CUT_REFUSE, TRP_CUT_BLACKHOLE };

/* Gives the path for a pair of hosts when it is first used; owned by the scenario's topology. */
struct trp_topology {
    void (*path)(void *user, uint32_t from, uint32_t to, struct trp_path *ret_path);
    void *user;
};

/* Makes a world without hosts at time 0. TRP_EINVAL (no factory, or hosts_max is too
 * large), TRP_ENOMEM. Close it with
 * trp_world_close. */
TRP_API enum trp_status trp_world_open(const struct trp_world_config *config,
                                       struct trp_world **ret_world) TRP_NODISCARD;
/* Ends every process and frees; NULL is fine. */
TRP_API void trp_world_close(struct trp_world *world);
/* Replaces the topology; applies to paths used from now on, data in flight keeps its arrival. */
TRP_API void trp_world_set_topology(struct trp_world *world, struct trp_topology topology);

/* Adds a host that starts at `start`; gives its index, counting from 0. Its address is
 * /ip4/10.x.y.z, see trp_world_host_ip. TRP_EFULL (hosts_max), TRP_ENOMEM. */
TRP_API enum trp_status trp_world_add_host(struct trp_world *world, trp_time start,
                                           uint32_t *ret_host) TRP_NODISCARD;
/* Writes the IPv4 address of a host. */
TRP_API void trp_world_host_ip(uint32_t host, uint8_t ret_ip[4]);
/* Puts a host on a local network: its multicasts reach hosts of the same one; 0 at first. */
TRP_API void trp_world_set_lan(struct trp_world *world, uint32_t host, uint32_t lan);
/* Says whether a process runs on a host; a paused one does. */
TRP_API bool trp_world_is_up(const struct trp_world *world, uint32_t host);
/* Borrows the running process; NULL ops when the host is down. */
TRP_API struct trp_process trp_world_process(const struct trp_world *world, uint32_t host);

/* Hands a command to the process of a host, now. TRP_ESTATE when it is down, TRP_EAGAIN while it is
 * paused. */
TRP_API enum trp_status trp_world_command(struct trp_world *world, uint32_t host,
                                          const struct trp_command *command,
                                          uint64_t cause) TRP_NODISCARD;

/* Faults. Each is traced and gives the sequence number of its event, the cause of what follows. */
enum trp_state_kept { TRP_STATE_KEPT, TRP_STATE_LOST };
/* Cuts every pair (a in from, b in to) in the direction a -> b. Hits data in flight. Cuts add up;
 * `id` names this one for trp_world_heal. */
TRP_API uint64_t trp_world_cut(struct trp_world *world, uint32_t id, const uint32_t *from,
                               uint32_t from_count, const uint32_t *to, uint32_t to_count,
                               enum trp_cut cut, uint64_t cause);
/* Says whether a cut stops what `from` sends to `to` now. */
TRP_API bool trp_world_is_cut(const struct trp_world *world, uint32_t from, uint32_t to);
/* Ends the cuts of that id. */
TRP_API uint64_t trp_world_heal(struct trp_world *world, uint32_t id, uint64_t cause);
/* Ends the process without goodbye, as a machine that loses power: nothing answers until a restart.
 * Its connections become half-open: a peer that sends is reset after the restart and times out
 * before it; one that is silent never learns of it. */
TRP_API uint64_t trp_world_crash(struct trp_world *world, uint32_t host, uint64_t cause);
/* Starts a crashed or stopped host again. */
TRP_API uint64_t trp_world_restart(struct trp_world *world, uint32_t host,
                                   enum trp_state_kept state, uint64_t cause);
/* Ends the process, as one that exits after having said goodbye by its own command. Its network
 * stack sends what was written, closes its connections and refuses new ones. */
TRP_API uint64_t trp_world_stop(struct trp_world *world, uint32_t host, uint64_t cause);
/* Stops the process, as SIGSTOP does: inputs wait until resume, when its clock jumps to the
 * world's. Its network stack goes on: it takes connections and bytes while there is room. */
TRP_API uint64_t trp_world_pause(struct trp_world *world, uint32_t host, uint64_t cause);
/* Lets a paused process go on: it gets what waited, in order. */
TRP_API uint64_t trp_world_resume(struct trp_world *world, uint32_t host, uint64_t cause);
/* Which connections a reset hits: a share in millionths, drawn per connection, unless `chooses`
 * says otherwise; it is asked for each, with the host at its other end. */
struct trp_reset {
    uint32_t share_ppm;
    bool (*chooses)(void *user, uint32_t host, uint32_t other, bool drawn); /* may be NULL */
    void *user;
};
/* Resets established connections of a host. */
TRP_API uint64_t trp_world_reset(struct trp_world *world, uint32_t host,
                                 const struct trp_reset *reset, uint64_t cause);

/* Gives the virtual time, in nanoseconds from 0. */
TRP_API trp_time trp_world_now(const struct trp_world *world);
/* The moment of the next happening; TRP_NEVER when nothing will ever happen. */
TRP_API trp_time trp_world_next(const struct trp_world *world);
/* Runs one happening. TRP_ENOTFOUND when there is none; TRP_ENOMEM is final. */
TRP_API enum trp_status trp_world_step(struct trp_world *world) TRP_NODISCARD;
/* Runs every happening up to and including `until`, then sets the time to it. TRP_ENOMEM is final.
 */
TRP_API enum trp_status trp_world_run_until(struct trp_world *world, trp_time until) TRP_NODISCARD;

struct trp_world_stats {
    uint64_t happenings;
    uint64_t bytes_sent; /* handed to paths */
    uint64_t connections_opened;
    uint64_t connections_refused;
};
/* Counts since the world was opened. */
TRP_API void trp_world_stats(const struct trp_world *world, struct trp_world_stats *ret_stats);
/* Bytes and connections of one host since its start. */
struct trp_host_stats {
    uint64_t bytes_sent;
    uint64_t bytes_received;
    uint32_t sockets;
    uint32_t incarnation;
};
/* Counts of one host over all its lives. */
TRP_API void trp_world_host_stats(const struct trp_world *world, uint32_t host,
                                  struct trp_host_stats *ret_stats);

TRP_EXTERN_C_END

#endif
