/* SPDX-License-Identifier: MIT */
/* net/pool.h - the peers that something of is here: connections, dials, waiting streams,
 * references.
 *
 * Duplicates (two peers dialed each other at once) are kept for a grace time. New streams go to the
 * connection whose dialer has the smaller PeerId, the newest of them, so that both sides choose the
 * same one; the others are closed when idle. */
#ifndef NET_POOL_H
#define NET_POOL_H

#include "net/state.h"

struct trp_pool_peer *trp_pool_find(const struct trp_swarm *swarm, const struct trp_peer_id *id);
/* Finds or makes; NULL when out of memory. */
struct trp_pool_peer *trp_pool_obtain(struct trp_swarm *swarm, const struct trp_peer_id *id);
/* Frees the peer when nothing of it is here any more. */
void trp_pool_release(struct trp_swarm *swarm, struct trp_pool_peer *peer);

/* The connection for new streams; NULL when there is none, or none that has answered. */
struct trp_connection *trp_pool_preferred(const struct trp_swarm *swarm,
                                          const struct trp_pool_peer *peer);
/* Makes sure that trp_pool_add can follow. */
enum trp_status trp_pool_reserve(struct trp_swarm *swarm) TRP_NODISCARD;
void trp_pool_add(struct trp_swarm *swarm, struct trp_pool_peer *peer, struct trp_connection *c);
/* Takes a connection out; the peer is not yet released. */
void trp_pool_remove(struct trp_swarm *swarm, struct trp_connection *c);

/* Says whether the peer is known to speak a protocol: then it is proposed without waiting. */
bool trp_pool_speaks(const struct trp_pool_peer *peer, const char *protocol);
void trp_pool_learn(struct trp_pool_peer *peer, const char *protocol);
void trp_pool_unlearn(struct trp_pool_peer *peer, const char *protocol);

/* Remembers an address without /p2p, as far as there is room. */
void trp_pool_note_address(struct trp_swarm *swarm, const struct trp_peer_id *id,
                           const struct trp_multiaddr *address, enum trp_address_source source);

#endif
