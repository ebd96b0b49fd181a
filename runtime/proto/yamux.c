/* SPDX-License-Identifier: MIT */
#include "proto/yamux.h"

#include "proto/yamux_session.h"

#define ACK_BACKLOG_MAX 256u /* spec, "ACK backlog & backpressure" */

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
    y->answer_ns = config->keepalive_ns;
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

enum trp_status trp_yamux_fail(struct trp_yamux *y, enum trp_status status)
{
    bool peers_fault = trp_status_class(status) == TRP_CLASS_PEER;
    y->failed = status;
    y->goaway_due = true;
    y->goaway_code =
        peers_fault ? TRP_YAMUX_GOAWAY_PROTOCOL_ERROR : TRP_YAMUX_GOAWAY_INTERNAL_ERROR;
    return status;
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
    return s->tx.size > 0 && s->tx_window > 0;
}

/* Spec "Flow Control": the window is given back once half of it is owed, not byte by byte. */
static bool stream_owes_window(const struct trp_yamux *y, const struct trp_yamux_stream *s)
{
    return !s->fin_seen && s->rx_owed >= y->config.window_bytes / 2;
}

/* Puts the stream into the lists that its state calls for. SYN and ACK ride on data where there
 * is some, FIN follows it. */
void trp_yamux_stream_schedule(struct trp_yamux *y, struct trp_yamux_stream *s)
{
    bool data = stream_has_data(s);
    bool fin = s->fin_due && !s->fin_sent && s->tx.size == 0;
    bool bare = !data && (s->syn_due || s->ack_due || fin);
    link_set(&y->data, &s->data_link, data);
    bool rst = s->rst_due && !data; /* what was written comes first */
    link_set(&y->control, &s->control_link,
             rst || (!s->rst_due && (bare || stream_owes_window(y, s))));
    link_set(&y->happened, &s->event_link, s->writable_due || s->finished_due);
}

void trp_yamux_stream_set_acked(struct trp_yamux *y, struct trp_yamux_stream *s)
{
    if (s->ack_awaited) {
        s->ack_awaited = false;
        y->ack_awaited_count--;
    }
}

void trp_yamux_stream_remove(struct trp_yamux *y, struct trp_yamux_stream *s)
{
    trp_yamux_stream_set_acked(y, s);
    trp_yamux_table_remove(&y->streams, s);
}

/* Both directions are closed: nothing is left but to say so. */
void trp_yamux_stream_finish(struct trp_yamux_stream *s)
{
    if (s->fin_sent && s->fin_seen) {
        s->writable_due = false;
        s->finished_due = true;
    }
}

/* The stream as callers know it. */
struct trp_yamux_stream *trp_yamux_stream_find(const struct trp_yamux *y, uint32_t id)
{
    struct trp_yamux_stream *s = trp_yamux_table_find(&y->streams, id);
    return s != NULL && !s->rst_due ? s : NULL;
}

/* NULL at a limit. The window above the initial one is owed to the peer from the start. */
struct trp_yamux_stream *trp_yamux_stream_make(struct trp_yamux *y, uint32_t id)
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

bool trp_yamux_next_event(struct trp_yamux *yamux, struct trp_yamux_event *ret_event)
{
    if (yamux->events_count > 0) {
        *ret_event = yamux->events[yamux->events_head];
        yamux->events_head = (yamux->events_head + 1) % TRP_YAMUX_EVENTS_MAX;
        yamux->events_count--;
        const struct trp_yamux_stream *of =
            trp_yamux_table_find(&yamux->streams, ret_event->stream);
        if (of != NULL) { /* the caller may have named it since the event arose */
            ret_event->user = of->user;
        }
        return true;
    }
    struct trp_list_link *link = trp_list_front(&yamux->happened);
    if (link == NULL) {
        return false;
    }
    struct trp_yamux_stream *s = TRP_CONTAINER(link, struct trp_yamux_stream, event_link);
    *ret_event =
        (struct trp_yamux_event){.kind = s->finished_due ? TRP_YAMUX_FINISHED : TRP_YAMUX_WRITABLE,
                                 .stream = s->id,
                                 .user = s->user};
    if (s->finished_due) {
        trp_yamux_stream_remove(yamux, s);
    } else {
        s->writable_due = false;
        trp_yamux_stream_schedule(yamux, s);
    }
    return true;
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
    struct trp_yamux_stream *s = trp_yamux_stream_make(yamux, yamux->next_id);
    if (s == NULL) {
        return TRP_ENOMEM;
    }
    yamux->next_id += 2;
    yamux->ack_awaited_count++;
    s->syn_due = true;
    s->ack_awaited = true;
    trp_yamux_stream_schedule(yamux, s);
    *ret_stream = s->id;
    return TRP_OK;
}

enum trp_status trp_yamux_set_user(struct trp_yamux *yamux, uint32_t stream, uint64_t user)
{
    struct trp_yamux_stream *s = trp_yamux_stream_find(yamux, stream);
    if (s == NULL) {
        return TRP_ENOTFOUND;
    }
    s->user = user;
    return TRP_OK;
}

enum trp_status trp_yamux_write(struct trp_yamux *yamux, uint32_t stream, struct trp_bytes in,
                                size_t *ret_used)
{
    if (yamux->failed != TRP_OK) {
        return yamux->failed;
    }
    struct trp_yamux_stream *s = trp_yamux_stream_find(yamux, stream);
    if (s == NULL) {
        return TRP_ENOTFOUND;
    }
    if (s->fin_due) {
        return TRP_ESTATE;
    }
    size_t room = trp_buffer_room(&s->tx);
    size_t size = in.size < room ? in.size : room;
    if (in.size > 0) {
        s->write_short = size < in.size;
    }
    if (size == 0 && in.size > 0) {
        return TRP_EAGAIN;
    }
    enum trp_status status = trp_buffer_append(&s->tx, trp_bytes(in.data, size));
    if (status != TRP_OK) {
        return status;
    }
    trp_yamux_stream_schedule(yamux, s);
    *ret_used = size;
    return TRP_OK;
}

enum trp_status trp_yamux_consumed(struct trp_yamux *yamux, uint32_t stream, uint32_t bytes)
{
    if (yamux->failed != TRP_OK) {
        return yamux->failed;
    }
    struct trp_yamux_stream *s = trp_yamux_stream_find(yamux, stream);
    if (s == NULL) {
        return TRP_ENOTFOUND;
    }
    if (bytes > yamux->config.window_bytes - s->rx_window - s->rx_owed) {
        return TRP_EINVAL; /* more than was handed over */
    }
    s->rx_owed += bytes;
    trp_yamux_stream_schedule(yamux, s);
    return TRP_OK;
}

enum trp_status trp_yamux_shutdown(struct trp_yamux *yamux, uint32_t stream)
{
    if (yamux->failed != TRP_OK) {
        return yamux->failed;
    }
    struct trp_yamux_stream *s = trp_yamux_stream_find(yamux, stream);
    if (s == NULL) {
        return TRP_ENOTFOUND;
    }
    if (s->fin_due) {
        return TRP_ESTATE;
    }
    s->fin_due = true;
    s->write_short = false;
    s->writable_due = false;
    trp_yamux_stream_schedule(yamux, s);
    return TRP_OK;
}

/* Takes the events of a stream out of the queue. */
static void yamux_forget_events(struct trp_yamux *y, uint32_t stream)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < y->events_count; i++) {
        struct trp_yamux_event event = y->events[(y->events_head + i) % TRP_YAMUX_EVENTS_MAX];
        if (event.kind == TRP_YAMUX_GOAWAY || event.stream != stream) {
            y->events[(y->events_head + kept) % TRP_YAMUX_EVENTS_MAX] = event;
            kept++;
        }
    }
    y->events_count = kept;
}

static enum trp_status stream_drop(struct trp_yamux *yamux, uint32_t stream, bool keeps_written)
{
    struct trp_yamux_stream *s = trp_yamux_stream_find(yamux, stream);
    if (s == NULL) {
        return TRP_ENOTFOUND;
    }
    yamux_forget_events(yamux, stream);
    if (s->syn_due || s->finished_due) { /* the peer has never heard of it, or no longer knows it */
        trp_yamux_stream_remove(yamux, s);
        return TRP_OK;
    }
    s->rst_due = true;
    s->writable_due = false;
    s->write_short = false;
    if (!keeps_written) {
        trp_buffer_free(&s->tx);
    }
    trp_yamux_stream_schedule(yamux, s);
    return TRP_OK;
}

enum trp_status trp_yamux_reset(struct trp_yamux *yamux, uint32_t stream)
{
    return stream_drop(yamux, stream, false);
}

enum trp_status trp_yamux_refuse(struct trp_yamux *yamux, uint32_t stream)
{
    return stream_drop(yamux, stream, true);
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

uint64_t trp_yamux_unsent_bytes(const struct trp_yamux *yamux)
{
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < yamux->streams.count; i++) {
        bytes += yamux->streams.entries[i].stream->tx.size;
    }
    return bytes;
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
    return yamux->ping_awaited ? trp_time_after(yamux->ping_at, yamux->answer_ns)
                               : trp_time_after(yamux->heard_at, yamux->config.keepalive_ns);
}

void trp_yamux_set_keepalive(struct trp_yamux *yamux, trp_time silence_ns, trp_time answer_ns)
{
    yamux->config.keepalive_ns = silence_ns;
    yamux->answer_ns = answer_ns;
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
        return trp_yamux_fail(yamux, TRP_ETIMEDOUT);
    }
    trp_yamux_ping(yamux, now);
    return TRP_OK;
}

void trp_yamux_ping(struct trp_yamux *yamux, trp_time now)
{
    yamux->ping_awaited = true;
    yamux->ping_due = true;
    yamux->ping_at = now;
    yamux->ping_value++;
}

bool trp_yamux_is_answered(const struct trp_yamux *yamux)
{
    return !yamux->ping_awaited;
}

trp_time trp_yamux_heard_at(const struct trp_yamux *yamux)
{
    return yamux->heard_at;
}
