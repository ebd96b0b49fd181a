/* SPDX-License-Identifier: MIT */
#include "behaviour/ping.h"

#include "base/endian.h"
#include "base/heap.h"
#include "base/list.h"
#include "base/prng.h"
#include "base/slab.h"
#include "trace/limit.h"

#define PAYLOAD_BYTES         32u
#define ECHOES_PER_CONNECTION 2u

static const char *const ping_protocols[] = {TRP_PROTOCOL_PING};

/* A ping of ours, until its event is taken. */
struct probe {
    trp_handle id;
    uint64_t token;
    struct trp_peer_id peer;
    trp_stream_id stream; /* 0 once it ended */
    uint32_t echoed_bytes;
    uint8_t payload[PAYLOAD_BYTES];
    trp_time sent_at; /* 0: not yet */
    struct trp_ping_event event;
    struct trp_list_link event_link;
    struct trp_heap_entry timeout;
};

/* An inbound stream; holds the bytes of an incomplete ping. */
struct echo {
    trp_handle id;
    trp_connection_id connection;
    uint32_t held_bytes;
    bool blocked; /* `held` is complete and waits for room */
    uint8_t held[PAYLOAD_BYTES];
};

struct trp_ping {
    struct trp_ping_config config;
    struct trp_swarm *swarm;
    uint32_t index;
    uint64_t sent_count;
    struct trp_slab probes;
    struct trp_slab echoes;
    struct trp_limit_mark echoes_mark;
    struct trp_heap timeouts;
    struct trp_list events;
};

/* ---- our pings ---- */

/* Gives a ping its one outcome. */
static void probe_end(struct trp_ping *ping, struct probe *probe, enum trp_status status)
{
    trp_stream_id stream = probe->stream;
    probe->stream = 0;
    trp_heap_remove(&ping->timeouts, &probe->timeout);
    probe->event = (struct trp_ping_event){.status = status, .token = probe->token};
    if (status == TRP_OK) {
        probe->event.round_trip_ns = trp_swarm_now(ping->swarm) - probe->sent_at;
        trp_trace_ping_answered(ping->config.trace, &(struct trp_event_ping_answered){
                                                        .peer = &probe->peer,
                                                        .round_trip = probe->event.round_trip_ns});
    } else {
        trp_trace_ping_failed(ping->config.trace, &(struct trp_event_ping_failed){
                                                      .peer = &probe->peer, .status = status});
    }
    trp_list_push_back(&ping->events, &probe->event_link);
    if (stream != 0 && status == TRP_OK) {
        trp_stream_shutdown(ping->swarm, stream);
    } else if (stream != 0) {
        trp_stream_reset(ping->swarm, stream);
    }
}

enum trp_status trp_ping_send(struct trp_ping *ping, const struct trp_peer_id *peer, uint64_t token)
{
    trp_handle id;
    void *object;
    enum trp_status status = trp_slab_insert(&ping->probes, &id, &object);
    if (status != TRP_OK) {
        return status;
    }
    struct probe *probe = object;
    *probe = (struct probe){.id = id, .token = token, .peer = *peer};
    for (uint32_t i = 0; i < PAYLOAD_BYTES; i += 8) {
        trp_store_le64(probe->payload + i, trp_draw(ping->config.seed, ping->sent_count, i, token));
    }
    trp_time deadline =
        trp_time_after(trp_swarm_now(ping->swarm), trp_swarm_limits(ping->swarm)->ping_timeout_ns);
    status = trp_heap_insert(&ping->timeouts, &probe->timeout, deadline, ping->sent_count++);
    if (status == TRP_OK) {
        const struct trp_stream_request request = {.behaviour = ping->index,
                                                   .peer = *peer,
                                                   .dial = true,
                                                   .background = true,
                                                   .protocols = ping_protocols,
                                                   .protocols_count = 1,
                                                   .token = id};
        status = trp_swarm_open_stream(ping->swarm, &request, &probe->stream);
    }
    if (status != TRP_OK) {
        trp_heap_remove(&ping->timeouts, &probe->timeout);
        trp_slab_remove(&ping->probes, id);
    }
    return status;
}

bool trp_ping_next_event(struct trp_ping *ping, struct trp_ping_event *ret_event)
{
    struct trp_list_link *link = trp_list_pop_front(&ping->events);
    if (link == NULL) {
        return false;
    }
    const struct probe *probe = TRP_CONTAINER(link, struct probe, event_link);
    *ret_event = probe->event;
    trp_slab_remove(&ping->probes, probe->id);
    return true;
}

static struct probe *probe_of(const struct trp_ping *ping, const struct trp_stream_info *stream)
{
    struct probe *probe = trp_slab_find(&ping->probes, stream->token);
    return probe != NULL && probe->stream == stream->id ? probe : NULL;
}

static void probe_write(struct trp_ping *ping, struct probe *probe)
{
    size_t used;
    enum trp_status status = trp_stream_write(ping->swarm, probe->stream,
                                              trp_bytes(probe->payload, PAYLOAD_BYTES), &used);
    if (status == TRP_OK && used == PAYLOAD_BYTES) {
        probe->sent_at = trp_swarm_now(ping->swarm);
    } else { /* a new stream has room for more than that */
        probe_end(ping, probe, status == TRP_OK || status == TRP_EAGAIN ? TRP_EFULL : status);
    }
}

static void probe_data(struct trp_ping *ping, const struct trp_stream_info *stream,
                       struct trp_bytes in)
{
    trp_stream_consumed(ping->swarm, stream->id, in.size);
    struct probe *probe = probe_of(ping, stream);
    if (probe == NULL) {
        return; /* what follows the echo means nothing */
    }
    size_t take = PAYLOAD_BYTES - probe->echoed_bytes;
    take = take < in.size ? take : in.size;
    if (probe->sent_at == 0 || memcmp(probe->payload + probe->echoed_bytes, in.data, take) != 0) {
        probe_end(ping, probe, TRP_EVIOLATION);
        return;
    }
    probe->echoed_bytes += (uint32_t)take;
    if (probe->echoed_bytes == PAYLOAD_BYTES) {
        probe_end(ping, probe, TRP_OK);
    }
}

/* ---- echoes ---- */

static void ping_accept(struct trp_ping *ping, const struct trp_stream_info *stream)
{
    uint32_t count = 0;
    uint32_t at = 0;
    trp_handle id;
    const struct echo *other;
    while ((other = trp_slab_next(&ping->echoes, &at, &id)) != NULL) {
        count += other->connection == stream->connection;
    }
    void *object;
    if (count >= ECHOES_PER_CONNECTION) {
        trp_limit_say(&ping->echoes_mark, ping->config.trace, "ping streams of a connection",
                      ECHOES_PER_CONNECTION);
    }
    if (count >= ECHOES_PER_CONNECTION || trp_slab_insert(&ping->echoes, &id, &object) != TRP_OK) {
        trp_stream_reset(ping->swarm, stream->id);
        return;
    }
    struct echo *echo = object;
    *echo = (struct echo){.id = id, .connection = stream->connection};
    trp_stream_set_token(ping->swarm, stream->id, id);
    trp_stream_set_background(ping->swarm, stream->id, true);
}

/* Writes a complete ping back; false while there is no room. */
static bool echo_flush(struct trp_ping *ping, const struct trp_stream_info *stream,
                       struct echo *echo)
{
    size_t used;
    enum trp_status status =
        trp_stream_write(ping->swarm, stream->id, trp_bytes(echo->held, PAYLOAD_BYTES), &used);
    if (status == TRP_OK && used == PAYLOAD_BYTES) {
        echo->held_bytes = 0;
        echo->blocked = false;
        trp_stream_consumed(ping->swarm, stream->id, PAYLOAD_BYTES);
        return true;
    }
    echo->blocked = true;
    if (status == TRP_OK && used != 0) {
        trp_stream_reset(ping->swarm, stream->id); /* a send buffer smaller than a ping */
    }
    return false;
}

static void echo_data(struct trp_ping *ping, const struct trp_stream_info *stream,
                      struct trp_bytes in)
{
    struct echo *echo = trp_slab_find(&ping->echoes, stream->token);
    while (echo != NULL && in.size > 0) {
        if (echo->blocked) {
            trp_trace_stream_misused(
                ping->config.trace, &(struct trp_event_stream_misused){
                                        .peer = stream->peer,
                                        .protocol = trp_bytes_text(stream->protocol),
                                        .how = trp_bytes_text("pings without reading the echoes")});
            trp_stream_reset(ping->swarm, stream->id);
            return;
        }
        size_t take = PAYLOAD_BYTES - echo->held_bytes;
        take = take < in.size ? take : in.size;
        memcpy(echo->held + echo->held_bytes, in.data, take);
        echo->held_bytes += (uint32_t)take;
        in = trp_bytes_skip(in, take);
        if (echo->held_bytes == PAYLOAD_BYTES) {
            (void)echo_flush(ping, stream, echo);
        }
    }
}

/* ---- hooks ---- */

static void ping_attach(void *self, struct trp_swarm *swarm, uint32_t index)
{
    struct trp_ping *ping = self;
    ping->swarm = swarm;
    ping->index = index;
    const struct trp_limits *limits = trp_swarm_limits(swarm);
    ping->probes =
        trp_slab_init(ping->config.memory, sizeof(struct probe), limits->requests_waiting_per_peer);
    ping->echoes = trp_slab_init(ping->config.memory, sizeof(struct echo),
                                 limits->connections * ECHOES_PER_CONNECTION);
}

static uint32_t ping_list_protocols(const void *self, const char **ret_protocols, uint32_t max)
{
    (void)self;
    if (max > 0) {
        ret_protocols[0] = TRP_PROTOCOL_PING;
    }
    return 1;
}

static void ping_stream_opened(void *self, const struct trp_stream_info *stream)
{
    struct trp_ping *ping = self;
    if (stream->inbound) {
        ping_accept(ping, stream);
        return;
    }
    struct probe *probe = probe_of(ping, stream);
    if (probe != NULL) {
        probe_write(ping, probe);
    }
}

static void ping_stream_data(void *self, const struct trp_stream_info *stream, struct trp_bytes in)
{
    if (stream->inbound) {
        echo_data(self, stream, in);
    } else {
        probe_data(self, stream, in);
    }
}

static void ping_stream_writable(void *self, const struct trp_stream_info *stream)
{
    struct trp_ping *ping = self;
    struct echo *echo = stream->inbound ? trp_slab_find(&ping->echoes, stream->token) : NULL;
    if (echo != NULL && echo->blocked) {
        (void)echo_flush(ping, stream, echo);
    }
}

static void ping_stream_eof(void *self, const struct trp_stream_info *stream)
{
    struct trp_ping *ping = self;
    struct probe *probe = stream->inbound ? NULL : probe_of(ping, stream);
    if (probe != NULL) {
        probe_end(ping, probe, TRP_ERESET); /* it hung up without an echo */
    } else {
        trp_stream_shutdown(ping->swarm, stream->id);
    }
}

static void ping_stream_closed(void *self, const struct trp_stream_info *stream,
                               enum trp_status reason)
{
    struct trp_ping *ping = self;
    if (stream->inbound) {
        trp_slab_remove(&ping->echoes, stream->token);
        return;
    }
    struct probe *probe = probe_of(ping, stream);
    if (probe != NULL) {
        probe->stream = 0;
        probe_end(ping, probe, reason == TRP_OK ? TRP_ERESET : reason);
    }
}

static trp_time ping_deadline(const void *self)
{
    const struct trp_ping *ping = self;
    return trp_heap_deadline(&ping->timeouts);
}

static void ping_expire(void *self, trp_time now)
{
    struct trp_ping *ping = self;
    while (trp_heap_deadline(&ping->timeouts) <= now) {
        struct trp_heap_entry *entry = trp_heap_front(&ping->timeouts);
        probe_end(ping, TRP_CONTAINER(entry, struct probe, timeout), TRP_ETIMEDOUT);
    }
}

static const struct trp_behaviour_ops ping_ops = {.name = "ping",
                                                  .attach = ping_attach,
                                                  .protocols = ping_list_protocols,
                                                  .stream_opened = ping_stream_opened,
                                                  .stream_data = ping_stream_data,
                                                  .stream_writable = ping_stream_writable,
                                                  .stream_eof = ping_stream_eof,
                                                  .stream_closed = ping_stream_closed,
                                                  .deadline = ping_deadline,
                                                  .expire = ping_expire};

struct trp_behaviour trp_ping_behaviour(struct trp_ping *ping)
{
    return (struct trp_behaviour){.ops = &ping_ops, .self = ping};
}

enum trp_status trp_ping_open(const struct trp_ping_config *config, struct trp_ping **ret_ping)
{
    struct trp_ping *ping = trp_memory_alloc(config->memory, sizeof *ping);
    if (ping == NULL) {
        return TRP_ENOMEM;
    }
    ping->config = *config;
    ping->timeouts = trp_heap_init(config->memory);
    trp_list_init(&ping->events);
    *ret_ping = ping;
    return TRP_OK;
}

void trp_ping_close(struct trp_ping *ping)
{
    if (ping == NULL) {
        return;
    }
    trp_heap_free(&ping->timeouts);
    if (ping->swarm != NULL) {
        trp_slab_free(&ping->probes);
        trp_slab_free(&ping->echoes);
    }
    trp_memory_free(ping->config.memory, ping);
}
