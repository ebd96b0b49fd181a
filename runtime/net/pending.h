/* SPDX-License-Identifier: MIT */
/* net/pending.h - which inbound connections are upgraded when more come than there are places.
 *
 * All places taken, a newcomer gets one of somebody whose address has as many of them as its own
 * would have then, or more: first of the address that has most; then of one where no peer has
 * proven its PeerId lately, as long as those known do not have more than half of the places; then
 * of one that has said nothing yet, where a peer begins at once; and among equals by lot. So a few
 * hosts that flood a listener compete with each other, hundreds of them give everybody a fair
 * chance, and known addresses have a better one.
 * Limits     connections_pending_in; TRP_PROVEN_MAX addresses are known. */
#ifndef NET_PENDING_H
#define NET_PENDING_H

#include "net/state.h"

/* Makes a place for a connection from `remote`; false when there is none. */
bool trp_pending_make_room(struct trp_swarm *swarm, const struct trp_multiaddr *remote);
/* Counts a connection that was accepted. TRP_ENOMEM: its address cannot be told from others. */
enum trp_status trp_pending_enter(struct trp_swarm *swarm, struct trp_connection *c,
                                  const struct trp_multiaddr *remote) TRP_NODISCARD;
/* It is upgraded, or failed. */
void trp_pending_leave(struct trp_swarm *swarm, struct trp_connection *c);
/* A peer has proven its PeerId at that address. */
void trp_pending_prove(struct trp_swarm *swarm, const struct trp_multiaddr *remote);

#endif
