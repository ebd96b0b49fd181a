/* SPDX-License-Identifier: MIT */
/* live/netem.h - the paths between the hosts of a real network, as Linux's netem would make them.
 *
 * Latency, loss, rate, stalls and cuts are those of a scenario (troupe/sim.h). A lost segment costs
 * a retransmission timeout, doubling, as over TCP.
 * Purity     No clock, no socket: `now` is passed in.
 * Ownership  Whoever opens it closes it; the topology is borrowed. */
#ifndef LIVE_NETEM_H
#define LIVE_NETEM_H

#include <troupe/sim.h>

struct trp_netem;

/* Of an address that no host has. */
#define TRP_NETEM_OUTSIDE UINT32_MAX

/* TRP_ENOMEM. */
enum trp_status trp_netem_open(uint64_t seed, struct trp_topology topology, uint32_t hosts_count,
                               struct trp_netem **ret_netem) TRP_NODISCARD;
void trp_netem_close(struct trp_netem *netem);

/* The topology gives other paths from now on. */
void trp_netem_retopology(struct trp_netem *netem);
/* Adds a cut of every pair, in this direction; `id` names it for heal. TRP_ENOMEM. */
enum trp_status trp_netem_cut(struct trp_netem *netem, uint32_t id, enum trp_cut mode,
                              const uint32_t *from, uint32_t from_count, const uint32_t *to,
                              uint32_t to_count) TRP_NODISCARD;
/* Heals every cut of that id; gives how many. */
uint32_t trp_netem_heal(struct trp_netem *netem, uint32_t id);
/* A host without power takes nothing; nobody is told. */
void trp_netem_set_dead(struct trp_netem *netem, uint32_t host, bool dead);

/* What happens to what `from` sends to `to` now. TRP_NETEM_OUTSIDE is always reached. */
enum trp_cut trp_netem_blocks(const struct trp_netem *netem, uint32_t from, uint32_t to);
/* The same of cuts alone. */
bool trp_netem_is_cut(const struct trp_netem *netem, uint32_t from, uint32_t to);
/* The path holds what is sent until that ends. */
bool trp_netem_stalls(struct trp_netem *netem, uint32_t from, uint32_t to);
/* When `bytes` sent now arrive, with the line taken for them; 0 bytes: latency alone. */
trp_time trp_netem_arrival(struct trp_netem *netem, uint32_t from, uint32_t to, uint64_t bytes,
                           trp_time now);

#endif
