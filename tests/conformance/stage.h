/* SPDX-License-Identifier: MIT */
/* conformance/stage.h - a world whose hosts run toys, for tests of the world itself. */
#ifndef CONFORMANCE_STAGE_H
#define CONFORMANCE_STAGE_H

#include <troupe/sim.h>

#include "conformance/toy.h"
#include "simnet/world.h"

#define STAGE_HOSTS_MAX 16u
#define STAGE_PORT      4001u

struct stage {
    struct trp_world *world;
    struct trp_recorder recorder;
    struct trp_path path; /* of every pair of hosts */
    uint32_t hosts_count;
    uint32_t starts[STAGE_HOSTS_MAX]; /* lives begun */
    uint32_t ends[STAGE_HOSTS_MAX];
    uint8_t seeds[STAGE_HOSTS_MAX][32]; /* of the last life */
    uint8_t identities[STAGE_HOSTS_MAX][32];
    uint8_t saved[STAGE_HOSTS_MAX][64];
    size_t saved_bytes[STAGE_HOSTS_MAX];
    bool mute;                         /* lives do not listen by themselves */
    struct toy *toys[STAGE_HOSTS_MAX]; /* of the present life; each life has a new one */
    struct toy_socket *listeners[STAGE_HOSTS_MAX];
    void (*on_start)(struct stage *stage, uint32_t host); /* may ask for outputs */
};

/* A world of hosts that all listen on STAGE_PORT, with 10 ms from each to each; at 1 ns. */
void stage_open(struct stage *stage, uint64_t seed, uint32_t hosts);
/* The same with a configuration of the caller: path, on_start and mute are set in `stage`. */
void stage_open_as_set(struct stage *stage, uint64_t seed, uint32_t hosts);
void stage_close(struct stage *stage);
/* The path of every pair is now `stage->path`. */
void stage_change_path(struct stage *stage);
void stage_kick(struct stage *stage, uint32_t host);
void stage_run(struct stage *stage, trp_time span_ns);
struct trp_multiaddr stage_address(uint32_t host);
/* Dials from a host to another; the dial leaves now. */
struct toy_socket *stage_dial(struct stage *stage, uint32_t from, uint32_t to);
/* Writes at once. */
void stage_send(struct stage *stage, uint32_t host, struct toy_socket *socket, uint64_t bytes);

#endif
