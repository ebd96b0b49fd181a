/* SPDX-License-Identifier: MIT */
/* net/idle.h - open connections that nobody uses: they are kept for a while, for whoever wants the
 * peer next.
 *
 * A connection is in use while it has a stream, but for background ones, or its peer a keep-alive
 * reference.
 * Of an idle connection nobody asks whether the peer lives. One that has been silent for long is
 * therefore not trusted with a stream before the peer has answered: one side may have lost it, and
 * what is written to it would be lost too.
 * Limits     connections_idle, idle_timeout_ns; where all places for connections are taken, the one
 *            idle longest makes way. */
#ifndef NET_IDLE_H
#define NET_IDLE_H

#include "net/state.h"

/* Notes whether an open connection is in use. May close another one. */
void trp_idle_update(struct trp_swarm *swarm, struct trp_connection *c);
/* The connection is no longer open. */
void trp_idle_remove(struct trp_swarm *swarm, struct trp_connection *c);
/* When an open connection has been idle for long enough; TRP_NEVER: it is in use. */
trp_time trp_idle_ends_at(const struct trp_swarm *swarm, const struct trp_connection *c);
/* Says whether a stream may be put on it now. */
bool trp_idle_is_trusted(const struct trp_swarm *swarm, const struct trp_connection *c);
/* Asks the peer whether it lives: the streams that wait for it are opened when it answers; else the
 * connection is closed, and the peer dialed for them. */
void trp_idle_ask(struct trp_swarm *swarm, struct trp_connection *c);
/* Notes what an open connection has heard. */
void trp_idle_check_answer(struct trp_swarm *swarm, struct trp_connection *c);
/* When its muxer is to ask whether the peer lives; TRP_NEVER: nobody needs to know. */
trp_time trp_idle_keepalive_at(const struct trp_swarm *swarm, const struct trp_connection *c);
/* Says whether one more connection may be open, if need be in the place of an idle one. */
bool trp_idle_has_room(const struct trp_swarm *swarm);
/* Makes that room, when there is none. */
void trp_idle_make_room(struct trp_swarm *swarm);

#endif
