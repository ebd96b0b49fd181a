/* SPDX-License-Identifier: MIT */
/* net/dial.h - making a connection to a peer by trying its addresses, some at once.
 *
 * Everybody who wants a peer shares one dial of it. Each address that fails leaves an attempt for
 * the report: where it failed, why, and after what time. */
#ifndef NET_DIAL_H
#define NET_DIAL_H

#include "net/state.h"

/* Begins a dial; what is known of addresses is gathered in the loop. With a peer that is being
 * dialed, adds the addresses and gives TRP_EEXISTS. `peer` NULL: whoever answers. TRP_EFULL,
 * TRP_ENOMEM. */
enum trp_status trp_dial_begin(struct trp_swarm *swarm, struct trp_pool_peer *peer,
                               const struct trp_multiaddr *addresses,
                               uint32_t addresses_count) TRP_NODISCARD;

/* ---- called from the work loop ---- */

/* Starts attempts as far as the limits go; ends the dial when none is left. */
void trp_dial_work(struct trp_swarm *swarm, struct trp_dial *dial);
/* An attempt has become a connection: ends the dial. The connection is no longer listed in it. */
void trp_dial_won(struct trp_swarm *swarm, struct trp_dial *dial);
void trp_dial_attempt_failed(struct trp_swarm *swarm, struct trp_dial *dial, uint32_t candidate,
                             enum trp_status status, const char *stage, trp_time started_at);
/* A place among connections_pending_out is free: lets the dial go on that waits longest. */
void trp_dial_next_waiting(struct trp_swarm *swarm);
void trp_dial_on_resolved(struct trp_swarm *swarm, struct trp_resolve *resolve,
                          enum trp_status status, const struct trp_multiaddr *addresses,
                          uint32_t addresses_count);
void trp_resolve_expire(struct trp_swarm *swarm, struct trp_resolve *resolve);
/* Frees a dial whose attempts are gone: the swarm is being closed. */
void trp_dial_discard(struct trp_swarm *swarm, struct trp_dial *dial);
/* Frees a resolve whose socket is done. */
void trp_resolve_discard(struct trp_swarm *swarm, struct trp_resolve *resolve);

#endif
