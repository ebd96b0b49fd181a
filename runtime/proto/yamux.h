/* SPDX-License-Identifier: MIT */
/* proto/yamux.h - many streams on one connection, with flow control.
 *
 * Spec       hashicorp/yamux spec.md as of libp2p/specs yamux/README.md.
 * Purity     No I/O, clock, randomness, callback.
 * Driving    After any call: next_event until false, send until it appends nothing, then arm one
 *            timer at deadline().
 * Limits     streams_max (what exceeds it is refused with RST); per stream a receive window and
 *            a bounded send buffer; control frames in a queue of their own, so that pings are
 *            answered while data waits.
 * Failure    TRP_EAGAIN and TRP_EFULL mean later. Any other error is final and sticky; send
 *            still gives the Go Away. */
#ifndef PROTO_YAMUX_H
#define PROTO_YAMUX_H

#include "base/buffer.h"

#define TRP_YAMUX_PROTOCOL "/yamux/1.0.0"

struct trp_yamux; /* opaque */

struct trp_yamux_config {
    bool initiator;             /* opens odd stream ids; the other side opens even ones */
    uint32_t streams_max;       /* both directions together */
    uint32_t window_bytes;      /* receive window per stream, >= 262144 */
    uint32_t stream_send_bytes; /* send buffer per stream */
    trp_time keepalive_ns;      /* silence before a ping; TRP_NEVER: none. No answer in one more
                                   such span: TRP_ETIMEDOUT */
};

enum trp_yamux_kind {
    TRP_YAMUX_OPENED,   /* by the peer */
    TRP_YAMUX_DATA,     /* bytes of a stream */
    TRP_YAMUX_WRITABLE, /* room again after a short write */
    TRP_YAMUX_EOF,      /* the peer half-closed */
    TRP_YAMUX_RESET,    /* by the peer; the stream is gone */
    TRP_YAMUX_FINISHED, /* both sides half-closed and all is sent; the stream is gone */
    TRP_YAMUX_GOAWAY    /* the peer accepts no more streams; error code in `code` */
};

struct trp_yamux_event {
    enum trp_yamux_kind kind;
    uint32_t stream;
    uint32_t code;
    uint64_t user;         /* as given to trp_yamux_set_user; 0 until then */
    struct trp_bytes data; /* DATA only; borrows from the `in` that carried it */
};

enum trp_status trp_yamux_open(struct trp_memory *memory, const struct trp_yamux_config *config,
                               trp_time now, struct trp_yamux **ret_yamux) TRP_NODISCARD;
void trp_yamux_close(struct trp_yamux *yamux);

/* Wire side. recv stops before an event queue or control queue overflows: drain, then offer the
 * rest again. TRP_EMALFORMED, TRP_EVIOLATION. */
enum trp_status trp_yamux_recv(struct trp_yamux *yamux, trp_time now, struct trp_bytes in,
                               size_t *ret_used) TRP_NODISCARD;
/* Appends whole frames while `out` has room: control first, then data of the streams in turn, at
 * most 16 KiB of each. TRP_EFULL when there is something to send and not one frame fits (a header
 * and one byte: 13 bytes of room are always enough). */
enum trp_status trp_yamux_send(struct trp_yamux *yamux, trp_time now,
                               struct trp_buffer *out) TRP_NODISCARD;

/* Stream side. Unknown ids give TRP_ENOTFOUND. */
/* Opens a stream; its first frame carries SYN, so that the peer sees it with the next send.
 * TRP_EFULL at streams_max or while 256 of ours are unacknowledged, TRP_ECLOSED after a Go Away of
 * the peer, TRP_ENOMEM. */
enum trp_status trp_yamux_open_stream(struct trp_yamux *yamux, uint32_t *ret_stream) TRP_NODISCARD;
/* Gives a stream a number of the caller's, which comes with its events. TRP_ENOTFOUND also when the
 * peer has reset it meanwhile. */
enum trp_status trp_yamux_set_user(struct trp_yamux *yamux, uint32_t stream,
                                   uint64_t user) TRP_NODISCARD;
/* Copies as much as fits the send buffer; after a short write, WRITABLE follows. TRP_EAGAIN when
 * not one byte fits, TRP_ESTATE after shutdown, TRP_ENOMEM (nothing is lost). */
enum trp_status trp_yamux_write(struct trp_yamux *yamux, uint32_t stream, struct trp_bytes in,
                                size_t *ret_used) TRP_NODISCARD;
/* Reopens the peer's window by `bytes`; the update is sent when half the window is owed. TRP_EINVAL
 * for more than was handed over. */
enum trp_status trp_yamux_consumed(struct trp_yamux *yamux, uint32_t stream,
                                   uint32_t bytes) TRP_NODISCARD;
/* Half-closes after what is written. TRP_ESTATE when it was already. */
enum trp_status trp_yamux_shutdown(struct trp_yamux *yamux, uint32_t stream) TRP_NODISCARD;
/* Drops the stream and tells the peer; no more events of it. */
enum trp_status trp_yamux_reset(struct trp_yamux *yamux, uint32_t stream) TRP_NODISCARD;
/* The same, once what was written has left; what the peer gives no window for is dropped. */
enum trp_status trp_yamux_refuse(struct trp_yamux *yamux, uint32_t stream) TRP_NODISCARD;
/* Says that we accept no more streams. */
void trp_yamux_go_away(struct trp_yamux *yamux, uint32_t code);
/* Changes what the configuration says: a ping after `silence_ns`, TRP_ETIMEDOUT when nothing came
 * for `answer_ns` after it. */
void trp_yamux_set_keepalive(struct trp_yamux *yamux, trp_time silence_ns, trp_time answer_ns);
uint32_t trp_yamux_streams_count(const struct trp_yamux *yamux);
/* Counts streams of the peer that were refused: over streams_max, out of memory, after our Go
 * Away. */
uint32_t trp_yamux_refused_count(const struct trp_yamux *yamux);
/* Counts the bytes that were written and not sent, be it that the peer's window is closed. */
uint64_t trp_yamux_unsent_bytes(const struct trp_yamux *yamux);
/* True when send would append something. */
bool trp_yamux_has_output(const struct trp_yamux *yamux);

bool trp_yamux_next_event(struct trp_yamux *yamux, struct trp_yamux_event *ret_event);
trp_time trp_yamux_deadline(const struct trp_yamux *yamux);
enum trp_status trp_yamux_expire(struct trp_yamux *yamux, trp_time now) TRP_NODISCARD;
/* Asks the peer whether it lives, before expire does. */
void trp_yamux_ping(struct trp_yamux *yamux, trp_time now);
/* True when the peer has been heard since the last ping. */
bool trp_yamux_is_answered(const struct trp_yamux *yamux);
/* When the peer was last heard. */
trp_time trp_yamux_heard_at(const struct trp_yamux *yamux);

#endif
