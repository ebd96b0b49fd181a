/* SPDX-License-Identifier: MIT */
/* The receiving half of yamux: frames become events. */
#include "base/assert.h"
#include "proto/yamux_session.h"

#define EVENTS_OF_FRAME 2u /* the most that one step of recv adds: OPENED and EOF, DATA and EOF */

static void yamux_emit(struct trp_yamux *y, const struct trp_yamux_event *event)
{
    TRP_ASSERT(y->events_count < TRP_YAMUX_EVENTS_MAX);
    y->events[(y->events_head + y->events_count) % TRP_YAMUX_EVENTS_MAX] = *event;
    y->events_count++;
}

static void yamux_reply(struct trp_yamux *y, struct trp_yamux_reply reply)
{
    TRP_ASSERT(y->replies_count < TRP_YAMUX_REPLIES_MAX);
    y->replies[(y->replies_head + y->replies_count) % TRP_YAMUX_REPLIES_MAX] = reply;
    y->replies_count++;
}

/* Spec "Opening a stream". Over the limit, out of memory or after our Go Away, the stream is
 * refused with RST and the connection lives on. */
static enum trp_status yamux_on_syn(struct trp_yamux *y, uint32_t id,
                                    struct trp_yamux_stream **ret_stream)
{
    bool parity_ours = (id & 1u) == (y->config.initiator ? 1u : 0u);
    if (id == 0 || parity_ours || trp_yamux_table_find(&y->streams, id) != NULL) {
        return TRP_EVIOLATION;
    }
    struct trp_yamux_stream *s = y->goaway_said ? NULL : trp_yamux_stream_make(y, id);
    if (s == NULL) {
        yamux_reply(y, (struct trp_yamux_reply){.refusal = true, .value = id});
        y->refused_count++;
    } else {
        s->ack_due = true;
        trp_yamux_stream_schedule(y, s);
        yamux_emit(y, &(struct trp_yamux_event){.kind = TRP_YAMUX_OPENED, .stream = id});
    }
    *ret_stream = s;
    return TRP_OK;
}

static void yamux_on_fin(struct trp_yamux *y, struct trp_yamux_stream *s)
{
    s->fin_seen = true;
    yamux_emit(y,
               &(struct trp_yamux_event){.kind = TRP_YAMUX_EOF, .stream = s->id, .user = s->user});
    trp_yamux_stream_finish(s);
    trp_yamux_stream_schedule(y, s);
}

/* A stream that is unknown, or all said, stays so: frames may cross (libp2p yamux, RST). */
static void yamux_on_reset(struct trp_yamux *y, uint32_t id, uint32_t code)
{
    struct trp_yamux_stream *s = trp_yamux_table_find(&y->streams, id);
    if (s == NULL || s->finished_due) {
        return;
    }
    if (!s->rst_due) {
        yamux_emit(y, &(struct trp_yamux_event){
                          .kind = TRP_YAMUX_RESET, .stream = id, .code = code, .user = s->user});
    }
    trp_yamux_stream_remove(y, s);
}

/* Finds the stream of a data or window frame, which SYN makes. NULL: the frame means nothing to us
 * and is skipped; streams just closed make that ordinary. */
static enum trp_status yamux_frame_stream(struct trp_yamux *y, const struct trp_yamux_frame *frame,
                                          struct trp_yamux_stream **ret_stream)
{
    *ret_stream = NULL;
    if ((frame->flags & TRP_YAMUX_SYN) != 0) {
        return yamux_on_syn(y, frame->stream, ret_stream);
    }
    struct trp_yamux_stream *s = trp_yamux_stream_find(y, frame->stream);
    if (s != NULL) {
        trp_yamux_stream_set_acked(y, s);
        *ret_stream = s;
    }
    return TRP_OK;
}

static enum trp_status yamux_on_data(struct trp_yamux *y, const struct trp_yamux_frame *frame)
{
    y->body_left = frame->length;
    y->body_stream = 0;
    y->body_fin = false;
    if ((frame->flags & TRP_YAMUX_RST) != 0) {
        yamux_on_reset(y, frame->stream, 0);
        return TRP_OK;
    }
    struct trp_yamux_stream *s;
    enum trp_status status = yamux_frame_stream(y, frame, &s);
    if (status != TRP_OK || s == NULL || s->fin_seen) {
        return status;
    }
    if (frame->length > s->rx_window) {
        return TRP_EVIOLATION;
    }
    s->rx_window -= frame->length;
    if (frame->length > 0) {
        y->body_stream = s->id;
        y->body_fin = (frame->flags & TRP_YAMUX_FIN) != 0;
    } else if ((frame->flags & TRP_YAMUX_FIN) != 0) {
        yamux_on_fin(y, s);
    }
    return TRP_OK;
}

static enum trp_status yamux_on_window(struct trp_yamux *y, const struct trp_yamux_frame *frame)
{
    if ((frame->flags & TRP_YAMUX_RST) != 0) {
        yamux_on_reset(y, frame->stream, frame->length); /* an error code, as go-yamux 5 */
        return TRP_OK;
    }
    struct trp_yamux_stream *s;
    enum trp_status status = yamux_frame_stream(y, frame, &s);
    if (status != TRP_OK || s == NULL) {
        return status;
    }
    if (frame->length > UINT32_MAX - s->tx_window) {
        return TRP_EVIOLATION;
    }
    s->tx_window += frame->length;
    if ((frame->flags & TRP_YAMUX_FIN) != 0 && !s->fin_seen) {
        yamux_on_fin(y, s);
    }
    trp_yamux_stream_schedule(y, s);
    return TRP_OK;
}

static enum trp_status yamux_on_header(struct trp_yamux *y)
{
    struct trp_yamux_frame frame;
    enum trp_status status = trp_yamux_frame_decode(y->header, &frame);
    if (status != TRP_OK) {
        return status;
    }
    switch (frame.type) {
    case TRP_YAMUX_FRAME_DATA:
        return yamux_on_data(y, &frame);
    case TRP_YAMUX_FRAME_WINDOW:
        return yamux_on_window(y, &frame);
    case TRP_YAMUX_FRAME_PING:
        /* An answer needs no more than to have been heard. */
        if ((frame.flags & TRP_YAMUX_SYN) != 0) {
            yamux_reply(y, (struct trp_yamux_reply){.value = frame.length});
        }
        return TRP_OK;
    case TRP_YAMUX_FRAME_GOAWAY:
        if (!y->goaway_seen) {
            y->goaway_seen = true;
            yamux_emit(y,
                       &(struct trp_yamux_event){.kind = TRP_YAMUX_GOAWAY, .code = frame.length});
        }
        return TRP_OK;
    }
    return TRP_EMALFORMED;
}

/* Hands over or skips bytes of the body; returns how many. */
static size_t yamux_take_body(struct trp_yamux *y, struct trp_bytes in)
{
    size_t size = in.size < y->body_left ? in.size : y->body_left;
    struct trp_yamux_stream *s =
        y->body_stream == 0 ? NULL : trp_yamux_stream_find(y, y->body_stream);
    y->body_left -= (uint32_t)size;
    if (s != NULL) {
        yamux_emit(y, &(struct trp_yamux_event){.kind = TRP_YAMUX_DATA,
                                                .stream = s->id,
                                                .user = s->user, /* a reset may follow at once */
                                                .data = trp_bytes(in.data, size)});
        if (y->body_left == 0 && y->body_fin) {
            yamux_on_fin(y, s);
        }
    }
    return size;
}

static bool yamux_can_step(const struct trp_yamux *y)
{
    return y->events_count + EVENTS_OF_FRAME <= TRP_YAMUX_EVENTS_MAX &&
           y->replies_count < TRP_YAMUX_REPLIES_MAX;
}

enum trp_status trp_yamux_recv(struct trp_yamux *yamux, trp_time now, struct trp_bytes in,
                               size_t *ret_used)
{
    if (yamux->failed != TRP_OK) {
        return yamux->failed;
    }
    size_t used = 0;
    while (used < in.size && yamux_can_step(yamux)) {
        struct trp_bytes rest = trp_bytes_skip(in, used);
        if (yamux->body_left > 0) {
            used += yamux_take_body(yamux, rest);
            continue;
        }
        size_t missing = TRP_YAMUX_HEADER_BYTES - yamux->header_size;
        size_t size = rest.size < missing ? rest.size : missing;
        memcpy(yamux->header + yamux->header_size, rest.data, size);
        yamux->header_size += (uint32_t)size;
        used += size;
        if (yamux->header_size == TRP_YAMUX_HEADER_BYTES) {
            yamux->header_size = 0;
            enum trp_status status = yamux_on_header(yamux);
            if (status != TRP_OK) {
                return trp_yamux_fail(yamux, status);
            }
        }
    }
    if (used > 0) { /* whatever the peer says, it is alive */
        yamux->heard_at = now;
        yamux->ping_awaited = false;
        yamux->ping_due = false;
    }
    *ret_used = used;
    return TRP_OK;
}
