/* SPDX-License-Identifier: MIT */
/* net/stream.h - one stream: waiting for a connection, negotiating its protocol, open, ended.
 *
 * A stream that has ended is detached: muxer and connection no longer know it, and it lives on only
 * until its behaviour was told.
 * Outcome    A stream asked for is told as opened or closed; an opened one is told as closed
 *            once. An inbound one that never got a protocol is never told of. */
#ifndef NET_STREAM_H
#define NET_STREAM_H

#include "net/state.h"

/* The stream that an event of the muxer means; NULL when it is none of ours any more. */
struct trp_stream *trp_stream_of(const struct trp_swarm *swarm, uint64_t user);

/* ---- called from the work loop ---- */

/* The peer opened a stream. */
void trp_stream_accept(struct trp_swarm *swarm, struct trp_connection *c, uint32_t muxer_stream);
void trp_stream_on_data(struct trp_swarm *swarm, struct trp_stream *s, struct trp_bytes in);
void trp_stream_on_writable(struct trp_swarm *swarm, struct trp_stream *s);
void trp_stream_on_eof(struct trp_swarm *swarm, struct trp_stream *s);
/* The muxer has forgotten it: TRP_OK when both sides finished, TRP_ERESET by the peer. */
void trp_stream_on_gone(struct trp_swarm *swarm, struct trp_stream *s, enum trp_status reason);
/* Ends it without a word to the muxer, tells the behaviour, frees it. */
void trp_stream_end(struct trp_swarm *swarm, struct trp_stream *s, enum trp_status reason);
/* Opens the streams of a peer that waited for a connection, or sees to it that there will be one.
 */
void trp_stream_attach_waiting(struct trp_swarm *swarm, struct trp_pool_peer *peer);
/* Tells the behaviour what is due. */
void trp_stream_notify(struct trp_swarm *swarm, struct trp_stream *s);
/* Ends the oldest negotiation when its time is over; false when it is not. */
bool trp_stream_expire(struct trp_swarm *swarm);
trp_time trp_stream_deadline(const struct trp_swarm *swarm);
/* Frees a stream without telling anybody: the swarm is being closed. */
void trp_stream_discard(struct trp_swarm *swarm, struct trp_stream *s);

#endif
