/* SPDX-License-Identifier: MIT */
/* node/bootstrap.h - the peers a node joins the network by, dialed again whenever they are lost.
 *
 * A Kademlia network that was cut for longer than eviction takes has no path left between its
 * parts; only dialing known peers again brings them together.
 * Limits     TRP_BOOTSTRAP_PEERS_MAX peers; bootstrap_redial_ns between dials of one. */
#ifndef NODE_BOOTSTRAP_H
#define NODE_BOOTSTRAP_H

#include "base/memory.h"
#include "behaviour/kad.h"

#include <troupe/swarm.h>

#define TRP_BOOTSTRAP_PEERS_MAX 32u

struct trp_bootstrap;

/* `kad` may be NULL: then they are dialed whenever they are not connected. */
enum trp_status trp_bootstrap_peers_open(struct trp_memory *memory, struct trp_kad *kad,
                                         struct trp_bootstrap **ret_bootstrap) TRP_NODISCARD;
void trp_bootstrap_peers_close(struct trp_bootstrap *bootstrap);
struct trp_behaviour trp_bootstrap_peers_behaviour(struct trp_bootstrap *bootstrap);
/* Adds a peer and dials it at once. TRP_EFULL, TRP_EEXISTS. `once`: forget it after a failed dial
 * (a peer of an earlier life). */
enum trp_status trp_bootstrap_peers_add(struct trp_bootstrap *bootstrap,
                                        const struct trp_multiaddr *address,
                                        bool once) TRP_NODISCARD;

#endif
