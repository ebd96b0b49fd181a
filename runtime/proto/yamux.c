/* SPDX-License-Identifier: MIT */
#include "proto/yamux.h"

#include "base/assert.h"
#include "proto/yamux_frame.h"
#include "proto/yamux_stream.h"

#define EVENTS_MAX      16u /* of recv, waiting for next_event */
#define EVENTS_OF_FRAME 2u  /* the most that one step of recv adds: OPENED and EOF, DATA and EOF */
#define REPLIES_MAX     16u /* ping answers and refusals, waiting for send */
#define SLICE_BYTES_MAX 16384u /* of one stream before the next has its turn; as rust-yamux */
#define SLICE_BYTES_MIN 1024u  /* a smaller rest of room is left to the next send */
#define ACK_BACKLOG_MAX 256u   /* spec, "ACK backlog & backpressure" */

/* An answer that belongs to no stream of ours. */
struct reply {
    bool refusal;   /* RST for a stream that we do not take; else the answer to a ping */
    uint32_t value; /* stream id, or the ping's opaque value */
};

struct trp_yamux {
    struct trp_yamux_config config;
    struct trp_memory *memory;
    enum trp_status failed;
    uint32_t next_id;
    uint32_t ack_awaited_count;
    uint32_t refused_count;

    trp_time heard_at; /* the last bytes of the peer */
    trp_time ping_at;  /* when the awaited ping fell due */
    uint32_t ping_value;
    bool ping_due;
    bool ping_awaited;

    bool goaway_due;
    bool goaway_said; /* we take no more streams */
    bool goaway_seen; /* the peer takes no more */
    uint32_t goaway_code;

    uint8_t header[TRP_YAMUX_HEADER_BYTES]; /* an incomplete one */
    uint32_t header_size;
    uint32_t body_left;   /* bytes of the data frame being read */
    uint32_t body_stream; /* 0: skip them */
    bool body_fin;        /* the frame carried FIN */

    uint32_t events_head, events_count;
    uint32_t replies_head, replies_count;
    struct trp_list control; /* streams, by what they have to send */
    struct trp_list data;
    struct trp_list happened; /* streams with writable_due or finished_due */
    struct trp_yamux_table streams;
    struct reply replies[REPLIES_MAX];
    struct trp_yamux_event events[EVENTS_MAX];
};

enum trp_status trp_yamux_open(struct trp_memory *memory, const struct trp_yamux_config *config,
                               trp_time now, struct trp_yamux **ret_yamux)
{
    if (config->streams_max == 0 || config->window_bytes < TRP_YAMUX_WINDOW_INITIAL ||
        config->stream_send_bytes == 0 || config->keepalive_ns == 0) {
        return TRP_EINVAL;
    }
    struct trp_yamux *y = trp_memory_alloc(memory, sizeof *y);
    if (y == NULL) {
        return TRP_ENOMEM;
    }
    y->config = *config;
    y->memory = memory;
    y->next_id = config->initiator ? 1 : 2;
    y->heard_at = now;
    y->streams = trp_yamux_table_init(memory);
    trp_list_init(&y->control);
    trp_list_init(&y->data);
    trp_list_init(&y->happened);
    *ret_yamux = y;
    return TRP_OK;
}

void trp_yamux_close(struct trp_yamux *yamux)
{
    if (yamux != NULL) {
        trp_yamux_table_deinit(&yamux->streams);
        trp_memory_free(yamux->memory, yamux);
    }
}

static enum trp_status yamux_fail(struct trp_yamux *y, enum trp_status status)
{
    bool peers_fault = trp_status_class(status) == TRP_CLASS_PEER;
    y->failed = status;
    y->goaway_due = true;
    y->goaway_code =
        peers_fault ? TRP_YAMUX_GOAWAY_PROTOCOL_ERROR : TRP_YAMUX_GOAWAY_INTERNAL_ERROR;
    return status;
}

static void yamux_emit(struct trp_yamux *y, const struct trp_yamux_event *event)
{
    TRP_ASSERT(y->events_count < EVENTS_MAX);
    y->events[(y->events_head + y->events_count) % EVENTS_MAX] = *event;
    y->events_count++;
}

static void yamux_reply(struct trp_yamux *y, struct reply reply)
{
    TRP_ASSERT(y->replies_count < REPLIES_MAX);
    y->replies[(y->replies_head + y->replies_count) % REPLIES_MAX] = reply;
    y->replies_count++;
}

/* ---- streams ---- */

static void link_set(struct trp_list *list, struct trp_list_link *link, bool member)
{
    if (!member) {
        trp_list_link_remove(link);
    } else if (!trp_list_link_is_linked(link)) {
        trp_list_push_back(list, link);
    }
}

static bool stream_has_data(const struct trp_yamux_stream *s)
{
    return !s->rst_due && s->tx.size > 0 && s->tx_window > 0;
}

/* Spec "Flow Control": the window is given back once half of it is owed, not byte by byte. */
static bool stream_owes_window(const struct trp_yamux *y, const struct trp_yamux_stream *s)
{
    return !s->fin_seen && s->rx_owed >= y->config.window_bytes / 2;
}

/* Puts the stream into the lists that its state calls for. SYN, ACK and FIN ride on data where
 * there is some. */
static void stream_schedule(struct trp_yamux *y, struct trp_yamux_stream *s)
{
    bool data = stream_has_data(s);
    bool fin = s->fin_due && !s->fin_sent && s->tx.size == 0;
    bool bare = !data && (s->syn_due || s->ack_due || fin);
    link_set(&y->data, &s->data_link, data);
    link_set(&y->control, &s->control_link, s->rst_due || bare || stream_owes_window(y, s));
    link_set(&y->happened, &s->event_link, s->writable_due || s->finished_due);
}

static void stream_set_acked(struct trp_yamux *y, struct trp_yamux_stream *s)
{
    if (s->ack_awaited) {
        s->ack_awaited = false;
        y->ack_awaited_count--;
    }
}

static void stream_remove(struct trp_yamux *y, struct trp_yamux_stream *s)
{
    stream_set_acked(y, s);
    trp_yamux_table_remove(&y->streams, s);
}

/* Both directions are closed: nothing is left but to say so. */
static void stream_finish(struct trp_yamux_stream *s)
{
    if (s->fin_sent && s->fin_seen) {
        s->writable_due = false;
        s->finished_due = true;
    }
}

/* The stream as callers know it. */
static struct trp_yamux_stream *stream_find(const struct trp_yamux *y, uint32_t id)
{
    struct trp_yamux_stream *s = trp_yamux_table_find(&y->streams, id);
    return s != NULL && !s->rst_due ? s : NULL;
}

/* NULL at a limit. The window above the initial one is owed to the peer from the start. */
static struct trp_yamux_stream *stream_make(struct trp_yamux *y, uint32_t id)
{
    if (y->streams.count >= y->config.streams_max) {
        return NULL;
    }
    struct trp_yamux_stream *s =
        trp_yamux_table_insert(&y->streams, id, y->config.stream_send_bytes);
    if (s != NULL) {
        s->tx_window = TRP_YAMUX_WINDOW_INITIAL;
        s->rx_window = TRP_YAMUX_WINDOW_INITIAL;
        s->rx_owed = y->config.window_bytes - TRP_YAMUX_WINDOW_INITIAL;
    }
    return s;
}

/* ---- receiving ---- */

/* Spec "Opening a stream". Over the limit, out of memory or after our Go Away, the stream is
 * refused with RST and the connection lives on. */
static enum trp_status yamux_on_syn(struct trp_yamux *y, uint32_t id,
                                    struct trp_yamux_stream **ret_stream)
{
    bool parity_ours = (id & 1u) == (y->config.initiator ? 1u : 0u);
    if (id == 0 || parity_ours || trp_yamux_table_find(&y->streams, id) != NULL) {
        return TRP_EVIOLATION;
    }
    struct trp_yamux_stream *s = y->goaway_said ? NULL : stream_make(y, id);
    if (s == NULL) {
        yamux_reply(y, (struct reply){.refusal = true, .value = id});
        y->refused_count++;
    } else {
        s->ack_due = true;
        stream_schedule(y, s);
        yamux_emit(y, &(struct trp_yamux_event){.kind = TRP_YAMUX_OPENED, .stream = id});
    }
    *ret_stream = s;
    return TRP_OK;
}

static void yamux_on_fin(struct trp_yamux *y, struct trp_yamux_stream *s)
{
    s->fin_seen = true;
    yamux_emit(y, &(struct trp_yamux_event){.kind = TRP_YAMUX_EOF, .stream = s->id});
    stream_finish(s);
    stream_schedule(y, s);
}

/* A stream that is unknown, or all said, stays so: frames may cross (libp2p yamux, RST). */
static void yamux_on_reset(struct trp_yamux *y, uint32_t id, uint32_t code)
{
    struct trp_yamux_stream *s = trp_yamux_table_find(&y->streams, id);
    if (s == NULL || s->finished_due) {
        return;
    }
    if (!s->rst_due) {
        yamux_emit(y,
                   &(struct trp_yamux_event){.kind = TRP_YAMUX_RESET, .stream = id, .code = code});
    }
    stream_remove(y, s);
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
    struct trp_yamux_stream *s = stream_find(y, frame->stream);
    if (s != NULL) {
        stream_set_acked(y, s);
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
    stream_schedule(y, s);
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
            yamux_reply(y, (struct reply){.value = frame.length});
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
    struct trp_yamux_stream *s = y->body_stream == 0 ? NULL : stream_find(y, y->body_stream);
    y->body_left -= (uint32_t)size;
    if (s != NULL) {
        yamux_emit(y, &(struct trp_yamux_event){.kind = TRP_YAMUX_DATA,
                                                .stream = s->id,
                                                .data = trp_bytes(in.data, size)});
        if (y->body_left == 0 && y->body_fin) {
            yamux_on_fin(y, s);
        }
    }
    return size;
}

static bool yamux_can_step(const struct trp_yamux *y)
{
    return y->events_count + EVENTS_OF_FRAME <= EVENTS_MAX && y->replies_count < REPLIES_MAX;
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
                return yamux_fail(yamux, status);
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

bool trp_yamux_next_event(struct trp_yamux *yamux, struct trp_yamux_event *ret_event)
{
    if (yamux->events_count > 0) {
        *ret_event = yamux->events[yamux->events_head];
        yamux->events_head = (yamux->events_head + 1) % EVENTS_MAX;
        yamux->events_count--;
        return true;
    }
    struct trp_list_link *link = trp_list_front(&yamux->happened);
    if (link == NULL) {
        return false;
    }
    struct trp_yamux_stream *s = TRP_CONTAINER(link, struct trp_yamux_stream, event_link);
    *ret_event = (struct trp_yamux_event){
        .kind = s->finished_due ? TRP_YAMUX_FINISHED : TRP_YAMUX_WRITABLE, .stream = s->id};
    if (s->finished_due) {
        stream_remove(yamux, s);
    } else {
        s->writable_due = false;
        stream_schedule(yamux, s);
    }
    return true;
}

/* ---- sending ---- */

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
        struct reply reply = y->replies[y->replies_head];
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
        y->replies_head = (y->replies_head + 1) % REPLIES_MAX;
        y->replies_count--;
    }
    return TRP_OK;
}

/* The flags that the next frame of a stream carries. */
static uint32_t stream_flags(const struct trp_yamux_stream *s, bool is_last)
{
    return (s->syn_due ? TRP_YAMUX_SYN : 0u) | (s->ack_due ? TRP_YAMUX_ACK : 0u) |
           (is_last && s->fin_due && !s->fin_sent ? TRP_YAMUX_FIN : 0u);
}

static void stream_flags_sent(struct trp_yamux_stream *s, uint32_t flags)
{
    s->syn_due = false;
    s->ack_due = false;
    if ((flags & TRP_YAMUX_FIN) != 0) {
        s->fin_sent = true;
        stream_finish(s);
    }
}

/* What streams have to say besides data: one window update or RST each. */
static enum trp_status yamux_send_control(struct trp_yamux *y, struct trp_buffer *out)
{
    struct trp_list_link *link;
    while ((link = trp_list_front(&y->control)) != NULL) {
        struct trp_yamux_stream *s = TRP_CONTAINER(link, struct trp_yamux_stream, control_link);
        struct trp_yamux_frame frame = {.type = TRP_YAMUX_FRAME_WINDOW, .stream = s->id};
        frame.flags = s->rst_due ? TRP_YAMUX_RST : stream_flags(s, s->tx.size == 0);
        frame.length = s->rst_due || s->fin_seen ? 0 : s->rx_owed;
        enum trp_status status = header_put(out, &frame);
        if (status != TRP_OK) {
            return status;
        }
        if (s->rst_due) {
            stream_remove(y, s);
            continue;
        }
        s->rx_window += frame.length;
        s->rx_owed -= frame.length;
        stream_flags_sent(s, frame.flags);
        stream_schedule(y, s);
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
    struct trp_yamux_frame frame = {.type = TRP_YAMUX_FRAME_DATA,
                                    .flags = stream_flags(s, size == s->tx.size),
                                    .stream = s->id,
                                    .length = size};
    uint8_t *body;
    enum trp_status status = frame_put(out, &frame, size, &body);
    if (status != TRP_OK) {
        return status;
    }
    memcpy(body, trp_buffer_view(&s->tx).data, size);
    trp_buffer_consume(&s->tx, size);
    s->tx_window -= size;
    stream_flags_sent(s, frame.flags);
    if (s->write_short && trp_buffer_room(&s->tx) >= s->tx.limit_bytes / 2) {
        s->write_short = false;
        s->writable_due = true;
    }
    trp_list_link_remove(&s->data_link); /* to the end of the round */
    stream_schedule(y, s);
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
        yamux_send_goaway, yamux_send_ping, yamux_send_replies, yamux_send_control, yamux_send_data,
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
    return yamux->failed != TRP_OK ? status : yamux_fail(yamux, status);
}

bool trp_yamux_has_output(const struct trp_yamux *yamux)
{
    if (yamux->goaway_due || yamux->failed != TRP_OK) {
        return yamux->goaway_due;
    }
    return yamux->ping_due || yamux->replies_count > 0 || !trp_list_is_empty(&yamux->control) ||
           !trp_list_is_empty(&yamux->data);
}

/* ---- the stream side ---- */

enum trp_status trp_yamux_open_stream(struct trp_yamux *yamux, uint32_t *ret_stream)
{
    if (yamux->failed != TRP_OK) {
        return yamux->failed;
    }
    if (yamux->goaway_seen || yamux->next_id > UINT32_MAX - 2) {
        return TRP_ECLOSED;
    }
    if (yamux->streams.count >= yamux->config.streams_max ||
        yamux->ack_awaited_count >= ACK_BACKLOG_MAX) {
        return TRP_EFULL;
    }
    struct trp_yamux_stream *s = stream_make(yamux, yamux->next_id);
    if (s == NULL) {
        return TRP_ENOMEM;
    }
    yamux->next_id += 2;
    yamux->ack_awaited_count++;
    s->syn_due = true;
    s->ack_awaited = true;
    stream_schedule(yamux, s);
    *ret_stream = s->id;
    return TRP_OK;
}

enum trp_status trp_yamux_write(struct trp_yamux *yamux, uint32_t stream, struct trp_bytes in,
                                size_t *ret_used)
{
    if (yamux->failed != TRP_OK) {
        return yamux->failed;
    }
    struct trp_yamux_stream *s = stream_find(yamux, stream);
    if (s == NULL) {
        return TRP_ENOTFOUND;
    }
    if (s->fin_due) {
        return TRP_ESTATE;
    }
    size_t room = trp_buffer_room(&s->tx);
    size_t size = in.size < room ? in.size : room;
    s->write_short = size < in.size;
    if (size == 0 && in.size > 0) {
        return TRP_EAGAIN;
    }
    enum trp_status status = trp_buffer_append(&s->tx, trp_bytes(in.data, size));
    if (status != TRP_OK) {
        return status;
    }
    stream_schedule(yamux, s);
    *ret_used = size;
    return TRP_OK;
}

enum trp_status trp_yamux_consumed(struct trp_yamux *yamux, uint32_t stream, uint32_t bytes)
{
    if (yamux->failed != TRP_OK) {
        return yamux->failed;
    }
    struct trp_yamux_stream *s = stream_find(yamux, stream);
    if (s == NULL) {
        return TRP_ENOTFOUND;
    }
    if (bytes > yamux->config.window_bytes - s->rx_window - s->rx_owed) {
        return TRP_EINVAL; /* more than was handed over */
    }
    s->rx_owed += bytes;
    stream_schedule(yamux, s);
    return TRP_OK;
}

enum trp_status trp_yamux_shutdown(struct trp_yamux *yamux, uint32_t stream)
{
    if (yamux->failed != TRP_OK) {
        return yamux->failed;
    }
    struct trp_yamux_stream *s = stream_find(yamux, stream);
    if (s == NULL) {
        return TRP_ENOTFOUND;
    }
    if (s->fin_due) {
        return TRP_ESTATE;
    }
    s->fin_due = true;
    s->write_short = false;
    s->writable_due = false;
    stream_schedule(yamux, s);
    return TRP_OK;
}

/* Takes the events of a stream out of the queue. */
static void yamux_forget_events(struct trp_yamux *y, uint32_t stream)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < y->events_count; i++) {
        struct trp_yamux_event event = y->events[(y->events_head + i) % EVENTS_MAX];
        if (event.kind == TRP_YAMUX_GOAWAY || event.stream != stream) {
            y->events[(y->events_head + kept) % EVENTS_MAX] = event;
            kept++;
        }
    }
    y->events_count = kept;
}

enum trp_status trp_yamux_reset(struct trp_yamux *yamux, uint32_t stream)
{
    struct trp_yamux_stream *s = stream_find(yamux, stream);
    if (s == NULL) {
        return TRP_ENOTFOUND;
    }
    yamux_forget_events(yamux, stream);
    if (s->syn_due || s->finished_due) { /* the peer has never heard of it, or no longer knows it */
        stream_remove(yamux, s);
        return TRP_OK;
    }
    s->rst_due = true;
    s->writable_due = false;
    trp_buffer_free(&s->tx);
    stream_schedule(yamux, s);
    return TRP_OK;
}

void trp_yamux_go_away(struct trp_yamux *yamux, uint32_t code)
{
    if (yamux->failed == TRP_OK && !yamux->goaway_said) {
        yamux->goaway_said = true;
        yamux->goaway_due = true;
        yamux->goaway_code = code;
    }
}

uint32_t trp_yamux_streams_count(const struct trp_yamux *yamux)
{
    return yamux->streams.count;
}

uint32_t trp_yamux_refused_count(const struct trp_yamux *yamux)
{
    return yamux->refused_count;
}

/* ---- time ---- */

trp_time trp_yamux_deadline(const struct trp_yamux *yamux)
{
    if (yamux->failed != TRP_OK) {
        return TRP_NEVER;
    }
    trp_time since = yamux->ping_awaited ? yamux->ping_at : yamux->heard_at;
    return trp_time_after(since, yamux->config.keepalive_ns);
}

enum trp_status trp_yamux_expire(struct trp_yamux *yamux, trp_time now)
{
    if (yamux->failed != TRP_OK) {
        return yamux->failed;
    }
    if (now < trp_yamux_deadline(yamux)) {
        return TRP_OK;
    }
    if (yamux->ping_awaited) {
        return yamux_fail(yamux, TRP_ETIMEDOUT);
    }
    yamux->ping_awaited = true;
    yamux->ping_due = true;
    yamux->ping_at = now;
    yamux->ping_value++;
    return TRP_OK;
}
