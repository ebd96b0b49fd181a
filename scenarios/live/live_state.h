/* SPDX-License-Identifier: MIT */
/* live/live_state.h - the parts of a network on real sockets, for its own files: live, live_host.
 */
#ifndef LIVE_LIVE_STATE_H
#define LIVE_LIVE_STATE_H

#include "scenarios/harness/network.h"
#include "scenarios/live/gate.h"
#include "trace/trace.h"
#include "uv/driver.h"

/* One life of a host: its gate and its driver, which outlive the process for as long as the host's
 * machine has connections to answer for. */
struct life {
    struct trp_list_link link;
    struct live_host *host;
    struct trp_gate *gate;
    struct trp_uv_driver *driver; /* NULL: closed */
};

struct live_host {
    struct live *live;
    uint32_t index;
    trp_time start;
    bool started;
    bool paused;
    trp_time paused_at;
    uint32_t incarnation;
    struct life *life;          /* NULL: down */
    struct trp_process process; /* of the harness */
    struct trp_multiaddr from;  /* its address, without a port */
    uint8_t identity[32];
    uint8_t *saved;
    size_t saved_bytes;
    enum trp_status broken; /* its process is; it is ended outside the driver */
    uint64_t bytes_sent;    /* of earlier lives */
    uint64_t bytes_received;
};

struct live {
    struct trp_network_config config;
    struct trp_trace trace;
    struct trp_recorder drivers; /* what drivers trace, with their clock */
    uv_loop_t loop;
    uv_timer_t alarm;
    uv_tcp_t guard; /* holds the network's addresses against other runs */
    uint32_t handles;
    trp_time epoch;
    uint64_t unix_ns;
    uint8_t ip[4]; /* of host 0, less its last byte */
    struct trp_netem *netem;
    struct live_host *hosts;
    uint32_t hosts_count;
    struct trp_list lives; /* all that are not closed */
    uint64_t steps;        /* of closed drivers */
};

static inline bool live_host_is_up(const struct live_host *host)
{
    return host->life != NULL;
}

/* Time in the run; `self` is a struct live. */
trp_time trp_live_now(const void *self);
/* Borrows the trace, set to now, a host and a cause. */
struct trp_trace *trp_live_trace(struct live *live, uint32_t host, uint64_t cause);
/* Feeds a life's driver the time, after its gate was changed. */
void trp_live_poke(struct life *life);
/* Closes a life's driver, which frees the life later. */
void trp_live_life_close(struct life *life);
/* Starts the next life of a host; gives its event. */
uint64_t trp_live_host_start(struct live_host *host, uint64_t cause);
/* Ends the process of a host that is up; its life goes on as that of a machine. */
void trp_live_host_end(struct live_host *host);
void trp_live_host_failed(struct live_host *host, enum trp_status status, uint64_t cause);
/* Ends what broke while its driver was at work, and closes lives that nothing is left of. */
void trp_live_tidy(struct live *live);

#endif
