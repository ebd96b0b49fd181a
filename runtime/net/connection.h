/* SPDX-License-Identifier: MIT */
/* net/connection.h - the life of one connection: dialed or accepted, upgraded, open, lingering,
 * closed.
 *
 * All but touch are called from the work loop only. */
#ifndef NET_CONNECTION_H
#define NET_CONNECTION_H

#include "net/state.h"

/* Puts it on the list of what the loop looks at. */
void trp_connection_touch(struct trp_swarm *swarm, struct trp_connection *c);
/* Probes it as its peer deserves: soon when somebody keeps that alive. */
void trp_connection_set_keepalive(struct trp_swarm *swarm, struct trp_connection *c);
/* Takes in an accepted socket. TRP_EFULL, TRP_ENOMEM: refuse it. */
enum trp_status trp_connection_accept(struct trp_swarm *swarm, trp_socket id,
                                      const struct trp_multiaddr *remote) TRP_NODISCARD;
/* Starts an attempt of a dial. Borrows the candidate's address. TRP_ENOMEM. */
enum trp_status trp_connection_dial(struct trp_swarm *swarm, struct trp_dial *dial,
                                    uint32_t candidate) TRP_NODISCARD;
/* The driver has connected it. */
void trp_connection_connected(struct trp_swarm *swarm, struct trp_connection *c);
/* The upgrade is far enough: the muxer may speak. Opens it for the behaviours, or refuses it. */
void trp_connection_open(struct trp_swarm *swarm, struct trp_connection *c);
/* Ends it because of an error: an attempt of a dial fails, an open connection is closed. */
void trp_connection_fail(struct trp_swarm *swarm, struct trp_connection *c, enum trp_status status);
/* Closes an open connection: its streams end, behaviours are told, what is written still leaves. */
void trp_connection_close(struct trp_swarm *swarm, struct trp_connection *c,
                          enum trp_status reason);
/* Ends an attempt of which nobody needs to hear. */
void trp_connection_cancel(struct trp_swarm *swarm, struct trp_connection *c);
/* The peer sends no more. */
void trp_connection_on_eof(struct trp_swarm *swarm, struct trp_connection *c);
/* The driver has closed the socket. */
void trp_connection_on_closed(struct trp_swarm *swarm, struct trp_connection *c,
                              enum trp_status status);
/* Does what a call asked for, moves bytes and events, updates idleness and the timer. */
void trp_connection_work(struct trp_swarm *swarm, struct trp_connection *c);
void trp_connection_expire(struct trp_swarm *swarm, struct trp_connection *c);
/* Frees the parts and takes it from every list; the object itself goes with its socket. */
void trp_connection_release(struct trp_swarm *swarm, struct trp_connection *c);
struct trp_connection_info trp_connection_info(const struct trp_connection *c);

#endif
