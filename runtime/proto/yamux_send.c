/* SPDX-License-Identifier: MIT */
/* The sending half of yamux: what streams and the session have to say becomes frames. */
#include "proto/yamux_session.h"

#define SLICE_BYTES_MAX 16384u /* of one stream before the next has its turn; as rust-yamux */
#define SLICE_BYTES_MIN 1024u  /* a smaller rest of room is left to the next send */

/* Appends a header, and gives the place of `body` bytes behind it. TRP_EFULL, TRP_ENOMEM. */
static enum trp_status frame_put(struct trp_buffer *out, const struct trp_yamux_frame *frame,
                                 uint32_t body, uint8_t **ret_body)
{
    uint8_t *at;
    enum trp_status status = trp_buffer_reserve(out, TRP_YAMUX_HEADER_BYTES + body, &at);
    if (status == TRP_OK) {
        trp_yamux_frame_encode(frame, at);
        trp_buffer_commit(out, TRP_YAMUX_HEADER_BYTES + body);
        *ret_body = at + TRP_YAMUX_HEADER_BYTES;
    }
    return status;
}

static enum trp_status header_put(struct trp_buffer *out, const struct trp_yamux_frame *frame)
{
    uint8_t *body;
    return frame_put(out, frame, 0, &body);
}

static enum trp_status yamux_send_goaway(struct trp_yamux *y, struct trp_buffer *out)
{
    if (!y->goaway_due) {
        return TRP_OK;
    }
    enum trp_status status = header_put(
        out, &(struct trp_yamux_frame){.type = TRP_YAMUX_FRAME_GOAWAY, .length = y->goaway_code});
    if (status == TRP_OK) {
        y->goaway_due = false;
    }
    return status;
}

static enum trp_status yamux_send_ping(struct trp_yamux *y, struct trp_buffer *out)
{
    if (!y->ping_due) {
        return TRP_OK;
    }
    enum trp_status status = header_put(out, &(struct trp_yamux_frame){.type = TRP_YAMUX_FRAME_PING,
                                                                       .flags = TRP_YAMUX_SYN,
                                                                       .length = y->ping_value});
    if (status == TRP_OK) {
        y->ping_due = false;
    }
    return status;
}

static enum trp_status yamux_send_replies(struct trp_yamux *y, struct trp_buffer *out)
{
    while (y->replies_count > 0) {
        struct trp_yamux_reply reply = y->replies[y->replies_head];
        struct trp_yamux_frame frame = {
            .type = TRP_YAMUX_FRAME_PING, .flags = TRP_YAMUX_ACK, .length = reply.value};
        if (reply.refusal) {
            frame = (struct trp_yamux_frame){
                .type = TRP_YAMUX_FRAME_WINDOW, .flags = TRP_YAMUX_RST, .stream = reply.value};
        }
        enum trp_status status = header_put(out, &frame);
        if (status != TRP_OK) {
            return status;
        }
        y->replies_head = (y->replies_head + 1) % TRP_YAMUX_REPLIES_MAX;
        y->replies_count--;
    }
    return TRP_OK;
}

/* The flags that the next frame of a stream carries. FIN never rides on data: js-yamux ends a
 * stream before it looks at the body of the frame, and loses it. */
static uint32_t stream_flags(const struct trp_yamux_stream *s)
{
    bool fin = s->fin_due && !s->fin_sent && s->tx.size == 0;
    return (s->syn_due ? TRP_YAMUX_SYN : 0u) | (s->ack_due ? TRP_YAMUX_ACK : 0u) |
           (fin ? TRP_YAMUX_FIN : 0u);
}

static void stream_flags_sent(struct trp_yamux_stream *s, uint32_t flags)
{
    s->syn_due = false;
    s->ack_due = false;
    if ((flags & TRP_YAMUX_FIN) != 0) {
        s->fin_sent = true;
        trp_yamux_stream_finish(s);
    }
}

/* What streams have to say besides data: one window update or RST each. */
static enum trp_status yamux_send_control(struct trp_yamux *y, struct trp_buffer *out)
{
    struct trp_list_link *link;
    while ((link = trp_list_front(&y->control)) != NULL) {
        struct trp_yamux_stream *s = TRP_CONTAINER(link, struct trp_yamux_stream, control_link);
        struct trp_yamux_frame frame = {.type = TRP_YAMUX_FRAME_WINDOW, .stream = s->id};
        frame.flags = s->rst_due ? TRP_YAMUX_RST : stream_flags(s);
        frame.length = s->rst_due || s->fin_seen ? 0 : s->rx_owed;
        enum trp_status status = header_put(out, &frame);
        if (status != TRP_OK) {
            return status;
        }
        if (s->rst_due) {
            trp_yamux_stream_remove(y, s);
            continue;
        }
        s->rx_window += frame.length;
        s->rx_owed -= frame.length;
        stream_flags_sent(s, frame.flags);
        trp_yamux_stream_schedule(y, s);
    }
    return TRP_OK;
}

/* Sends a slice of one stream. TRP_EFULL when too little room is left for it. */
static enum trp_status stream_send(struct trp_yamux *y, struct trp_yamux_stream *s,
                                   struct trp_buffer *out)
{
    size_t want = s->tx.size < s->tx_window ? s->tx.size : s->tx_window;
    want = want < SLICE_BYTES_MAX ? want : SLICE_BYTES_MAX;
    size_t room = trp_buffer_room(out);
    room = room > TRP_YAMUX_HEADER_BYTES ? room - TRP_YAMUX_HEADER_BYTES : 0;
    if (room == 0 || (room < want && room < SLICE_BYTES_MIN && out->size > 0)) {
        return TRP_EFULL;
    }
    uint32_t size = (uint32_t)(want < room ? want : room);
    struct trp_yamux_frame frame = {
        .type = TRP_YAMUX_FRAME_DATA, .flags = stream_flags(s), .stream = s->id, .length = size};
    uint8_t *body;
    enum trp_status status = frame_put(out, &frame, size, &body);
    if (status != TRP_OK) {
        return status;
    }
    if (size > 0) {
        memcpy(body, trp_buffer_view(&s->tx).data, size);
    }
    trp_buffer_consume(&s->tx, size);
    s->tx_window -= size;
    stream_flags_sent(s, frame.flags);
    if (s->write_short && trp_buffer_room(&s->tx) >= s->tx.limit_bytes / 2) {
        s->write_short = false;
        s->writable_due = true;
    }
    trp_list_link_remove(&s->data_link); /* to the end of the round */
    trp_yamux_stream_schedule(y, s);
    return TRP_OK;
}

static enum trp_status yamux_send_data(struct trp_yamux *y, struct trp_buffer *out)
{
    struct trp_list_link *link;
    while ((link = trp_list_front(&y->data)) != NULL) {
        struct trp_yamux_stream *s = TRP_CONTAINER(link, struct trp_yamux_stream, data_link);
        enum trp_status status = stream_send(y, s, out);
        if (status != TRP_OK) {
            return status;
        }
    }
    return TRP_OK;
}

enum trp_status trp_yamux_send(struct trp_yamux *yamux, trp_time now, struct trp_buffer *out)
{
    (void)now;
    static enum trp_status (*const parts[])(struct trp_yamux *, struct trp_buffer *) = {
        yamux_send_goaway,  yamux_send_ping, yamux_send_replies,
        yamux_send_control, yamux_send_data, yamux_send_control, /* FIN, once the data is out */
    };
    size_t before = out->size;
    size_t parts_count = yamux->failed != TRP_OK ? 1 : sizeof parts / sizeof parts[0];
    enum trp_status status = TRP_OK;
    for (size_t i = 0; status == TRP_OK && i < parts_count; i++) {
        status = parts[i](yamux, out);
    }
    if (status == TRP_EFULL && out->size > before) {
        status = TRP_OK;
    }
    if (status == TRP_OK || status == TRP_EFULL) {
        return status;
    }
    return yamux->failed != TRP_OK ? status : trp_yamux_fail(yamux, status);
}

bool trp_yamux_has_output(const struct trp_yamux *yamux)
{
    if (yamux->goaway_due || yamux->failed != TRP_OK) {
        return yamux->goaway_due;
    }
    return yamux->ping_due || yamux->replies_count > 0 || !trp_list_is_empty(&yamux->control) ||
           !trp_list_is_empty(&yamux->data);
}
