/* SPDX-License-Identifier: MIT */
/* net/pump.h - moving bytes and events between a connection's layers:
 *   wire -> [upgrade] -> noise -> plain -> yamux -> streams, and back.
 *
 * Every function may end the connection: look at its state afterwards. */
#ifndef NET_PUMP_H
#define NET_PUMP_H

#include "net/state.h"

/* Takes bytes of the wire. What cannot be taken now is kept, and the socket paused. */
void trp_pump_recv(struct trp_swarm *swarm, struct trp_connection *c, struct trp_bytes in);
/* Takes what was kept; true when something was taken. */
bool trp_pump_resume(struct trp_swarm *swarm, struct trp_connection *c);
/* Hands the muxer's events to the streams; true when there was one. */
bool trp_pump_drain(struct trp_swarm *swarm, struct trp_connection *c);
/* Puts what the layers have to send into the socket, as far as its credit goes; true when that was
 * something. */
bool trp_pump_fill(struct trp_swarm *swarm, struct trp_connection *c);
/* Puts what a failed upgrade has left to send into the socket. */
void trp_pump_last_words(struct trp_swarm *swarm, struct trp_connection *c);

/* ---- requests to the muxer; all that can go wrong is that it knows the stream no longer, or has
 * failed, which the next fill or recv finds ---- */

void trp_pump_reset_stream(struct trp_connection *c, uint32_t muxer_stream);
/* The same after what is written. */
void trp_pump_refuse_stream(struct trp_connection *c, uint32_t muxer_stream);
void trp_pump_shutdown_stream(struct trp_connection *c, uint32_t muxer_stream);
/* More than was handed over is no credit. */
void trp_pump_consumed(struct trp_connection *c, uint32_t muxer_stream, size_t bytes);

#endif
