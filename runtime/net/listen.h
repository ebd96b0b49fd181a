/* SPDX-License-Identifier: MIT */
/* net/listen.h - the addresses that we can be reached at.
 *
 * Limits     TRP_LISTENERS_MAX listeners. */
#ifndef NET_LISTEN_H
#define NET_LISTEN_H

#include "net/state.h"

/* The driver has bound a listener. */
void trp_listener_on_bound(struct trp_swarm *swarm, struct trp_listener *listener,
                           const struct trp_multiaddr *addresses, uint32_t addresses_count);
/* It could not be bound, or broke. */
void trp_listener_on_closed(struct trp_swarm *swarm, struct trp_listener *listener,
                            enum trp_status status);
/* Frees it; its socket must be done or of no more interest. */
void trp_listener_discard(struct trp_swarm *swarm, struct trp_listener *listener);

#endif
