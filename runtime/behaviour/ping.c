/* SPDX-License-Identifier: MIT */
#include "behaviour/ping.h"

#include "base/endian.h"
#include "base/heap.h"
#include "base/list.h"
#include "base/map.h"
#include "base/prng.h"
#include "base/slab.h"

#define PAYLOAD_BYTES         32u
#define ECHOES_PER_CONNECTION 2u

static const char *const ping_protocols[] = {TRP_PROTOCOL_PING};

struct watched {
    struct trp_peer_id peer;
    int32_t count;
    UT_hash_handle hh;
};

/* Pings on one connection. `timer` is the next ping, or the limit of the one under way. */
struct pinger {
    trp_handle id;
    struct trp_peer_id peer;
    trp_connection_id connection;
    trp_stream_id stream; /* 0: none */
    bool opened;
    bool under_way;
    uint32_t echoed_bytes;
    uint8_t payload[PAYLOAD_BYTES];
    trp_time sent_at;
    uint64_t counter;
    struct trp_heap_entry timer;
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
    struct watched *watched;
    struct trp_slab pingers;
    struct trp_slab echoes;
    struct trp_heap timers;
};

static void ping_arm(struct trp_ping *ping, struct pinger *pinger, trp_time span_ns)
{
    trp_time at = trp_time_after(trp_swarm_now(ping->swarm), span_ns);
    if (trp_heap_insert(&ping->timers, &pinger->timer, at, pinger->id) != TRP_OK) {
        trp_trace_ping_failed(ping->config.trace, &(struct trp_event_ping_failed){
                                                      .peer = &pinger->peer, .status = TRP_ENOMEM});
    }
}

static void ping_remove(struct trp_ping *ping, struct pinger *pinger)
{
    trp_stream_id stream = pinger->stream;
    trp_heap_remove(&ping->timers, &pinger->timer);
    trp_slab_remove(&ping->pingers, pinger->id);
    if (stream != 0) {
        trp_stream_reset(ping->swarm, stream);
    }
}

static void ping_add(struct trp_ping *ping, const struct trp_connection_info *connection)
{
    trp_handle id;
    void *object;
    if (trp_slab_insert(&ping->pingers, &id, &object) != TRP_OK) {
        return;
    }
    struct pinger *pinger = object;
    *pinger = (struct pinger){.id = id, .peer = connection->peer, .connection = connection->id};
    ping_arm(ping, pinger, trp_swarm_limits(ping->swarm)->ping_interval_ns);
}

static void ping_send(struct trp_ping *ping, struct pinger *pinger)
{
    for (uint32_t i = 0; i < PAYLOAD_BYTES; i += 8) {
        trp_store_le64(pinger->payload + i,
                       trp_draw(ping->config.seed, pinger->connection, i, pinger->counter));
    }
    pinger->counter++;
    pinger->echoed_bytes = 0;
    pinger->sent_at = trp_swarm_now(ping->swarm);
    size_t used;
    enum trp_status status = trp_stream_write(ping->swarm, pinger->stream,
                                              trp_bytes(pinger->payload, PAYLOAD_BYTES), &used);
    if (status != TRP_OK || used != PAYLOAD_BYTES) {
        trp_stream_reset(ping->swarm, pinger->stream); /* stream_closed makes a new one */
    }
}

/* Starts a ping: on the stream there is, or on a new one. */
static void ping_begin(struct trp_ping *ping, struct pinger *pinger)
{
    pinger->under_way = true;
    ping_arm(ping, pinger, trp_swarm_limits(ping->swarm)->ping_timeout_ns);
    if (pinger->stream != 0) {
        ping_send(ping, pinger);
        return;
    }
    const struct trp_stream_request request = {.behaviour = ping->index,
                                               .peer = pinger->peer,
                                               .connection = pinger->connection,
                                               .background = true,
                                               .protocols = ping_protocols,
                                               .protocols_count = 1,
                                               .token = pinger->id};
    pinger->opened = false;
    if (trp_swarm_open_stream(ping->swarm, &request, &pinger->stream) != TRP_OK) {
        pinger->stream = 0;
        pinger->under_way = false;
        ping_arm(ping, pinger, trp_swarm_limits(ping->swarm)->ping_interval_ns);
    }
}

static struct watched *ping_find_watched(const struct trp_ping *ping,
                                         const struct trp_peer_id *peer)
{
    struct watched *watched;
    HASH_FIND(hh, ping->watched, peer, sizeof *peer, watched);
    return watched;
}

static void ping_unwatch(struct trp_ping *ping, struct watched *watched)
{
    uint32_t at = 0;
    trp_handle id;
    struct pinger *pinger;
    while ((pinger = trp_slab_next(&ping->pingers, &at, &id)) != NULL) {
        if (trp_peer_id_equal(&pinger->peer, &watched->peer)) {
            ping_remove(ping, pinger);
        }
    }
    struct trp_memory *uthash_memory = ping->config.memory;
    HASH_DELETE(hh, ping->watched, watched);
    trp_memory_free(uthash_memory, watched);
}

enum trp_status trp_ping_watch(struct trp_ping *ping, const struct trp_peer_id *peer,
                               int32_t change)
{
    struct watched *watched = ping_find_watched(ping, peer);
    if (watched != NULL) {
        watched->count += change;
        if (watched->count <= 0) {
            ping_unwatch(ping, watched);
        }
        return TRP_OK;
    }
    if (change <= 0) {
        return TRP_OK;
    }
    struct trp_memory *uthash_memory = ping->config.memory;
    watched = trp_memory_alloc(uthash_memory, sizeof *watched);
    if (watched == NULL) {
        return TRP_ENOMEM;
    }
    watched->peer = *peer;
    watched->count = change;
    HASH_ADD(hh, ping->watched, peer, sizeof watched->peer, watched);
    if (watched->hh.tbl == NULL) {
        trp_memory_free(uthash_memory, watched);
        return TRP_ENOMEM;
    }
    uint32_t at = 0;
    struct trp_connection_info connection;
    while (trp_swarm_next_connection(ping->swarm, &at, &connection)) {
        if (trp_peer_id_equal(&connection.peer, peer)) {
            ping_add(ping, &connection);
        }
    }
    return TRP_OK;
}

/* ---- hooks ---- */

static void ping_attach(void *self, struct trp_swarm *swarm, uint32_t index)
{
    struct trp_ping *ping = self;
    ping->swarm = swarm;
    ping->index = index;
    uint32_t connections = trp_swarm_limits(swarm)->connections;
    ping->pingers = trp_slab_init(ping->config.memory, sizeof(struct pinger), connections);
    ping->echoes = trp_slab_init(ping->config.memory, sizeof(struct echo),
                                 connections * ECHOES_PER_CONNECTION);
}

static uint32_t ping_list_protocols(const void *self, const char **ret_protocols, uint32_t max)
{
    (void)self;
    if (max > 0) {
        ret_protocols[0] = TRP_PROTOCOL_PING;
    }
    return 1;
}

static void ping_connected(void *self, const struct trp_connection_info *connection)
{
    struct trp_ping *ping = self;
    if (ping_find_watched(ping, &connection->peer) != NULL) {
        ping_add(ping, connection);
    }
}

static struct pinger *ping_on(const struct trp_ping *ping, trp_connection_id connection)
{
    uint32_t at = 0;
    trp_handle id;
    struct pinger *pinger;
    while ((pinger = trp_slab_next(&ping->pingers, &at, &id)) != NULL) {
        if (pinger->connection == connection) {
            return pinger;
        }
    }
    return NULL;
}

static void ping_disconnected(void *self, const struct trp_connection_info *connection,
                              enum trp_status reason)
{
    (void)reason;
    struct trp_ping *ping = self;
    struct pinger *pinger = ping_on(ping, connection->id);
    if (pinger != NULL) {
        pinger->stream = 0;
        ping_remove(ping, pinger);
    }
}

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
    if (count >= ECHOES_PER_CONNECTION || trp_slab_insert(&ping->echoes, &id, &object) != TRP_OK) {
        trp_stream_reset(ping->swarm, stream->id);
        return;
    }
    struct echo *echo = object;
    *echo = (struct echo){.id = id, .connection = stream->connection};
    trp_stream_set_token(ping->swarm, stream->id, id);
    trp_stream_set_background(ping->swarm, stream->id, true);
}

static void ping_stream_opened(void *self, const struct trp_stream_info *stream)
{
    struct trp_ping *ping = self;
    if (stream->inbound) {
        ping_accept(ping, stream);
        return;
    }
    struct pinger *pinger = trp_slab_find(&ping->pingers, stream->token);
    if (pinger != NULL && pinger->stream == stream->id) {
        pinger->opened = true;
        ping_send(ping, pinger);
    }
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
            trp_stream_reset(ping->swarm, stream->id); /* it pings without reading the echoes */
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

static void ping_stream_data(void *self, const struct trp_stream_info *stream, struct trp_bytes in)
{
    struct trp_ping *ping = self;
    if (stream->inbound) {
        echo_data(ping, stream, in);
        return;
    }
    trp_stream_consumed(ping->swarm, stream->id, in.size);
    struct pinger *pinger = trp_slab_find(&ping->pingers, stream->token);
    if (pinger == NULL || pinger->stream != stream->id) {
        return;
    }
    if (!pinger->under_way || in.size > PAYLOAD_BYTES - pinger->echoed_bytes ||
        memcmp(pinger->payload + pinger->echoed_bytes, in.data, in.size) != 0) {
        trp_trace_ping_failed(
            ping->config.trace,
            &(struct trp_event_ping_failed){.peer = &pinger->peer, .status = TRP_EVIOLATION});
        trp_stream_reset(ping->swarm, stream->id);
        return;
    }
    pinger->echoed_bytes += (uint32_t)in.size;
    if (pinger->echoed_bytes == PAYLOAD_BYTES) {
        pinger->under_way = false;
        trp_trace_ping_answered(
            ping->config.trace,
            &(struct trp_event_ping_answered){
                .peer = &pinger->peer, .round_trip = trp_swarm_now(ping->swarm) - pinger->sent_at});
        ping_arm(ping, pinger, trp_swarm_limits(ping->swarm)->ping_interval_ns);
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
    trp_stream_shutdown(ping->swarm, stream->id);
}

static void ping_stream_closed(void *self, const struct trp_stream_info *stream,
                               enum trp_status reason)
{
    (void)reason;
    struct trp_ping *ping = self;
    if (stream->inbound) {
        trp_slab_remove(&ping->echoes, stream->token);
        return;
    }
    struct pinger *pinger = trp_slab_find(&ping->pingers, stream->token);
    if (pinger != NULL && pinger->stream == stream->id) {
        pinger->stream = 0;
        pinger->under_way = false;
        ping_arm(ping, pinger, trp_swarm_limits(ping->swarm)->ping_interval_ns);
    }
}

static trp_time ping_deadline(const void *self)
{
    const struct trp_ping *ping = self;
    return trp_heap_deadline(&ping->timers);
}

static void ping_expire(void *self, trp_time now)
{
    struct trp_ping *ping = self;
    while (trp_heap_deadline(&ping->timers) <= now) {
        struct trp_heap_entry *entry = trp_heap_front(&ping->timers);
        struct pinger *pinger = TRP_CONTAINER(entry, struct pinger, timer);
        if (!pinger->under_way) {
            ping_begin(ping, pinger);
            continue;
        }
        trp_heap_remove(&ping->timers, entry);
        trp_trace_ping_failed(
            ping->config.trace,
            &(struct trp_event_ping_failed){.peer = &pinger->peer, .status = TRP_ETIMEDOUT});
        trp_swarm_close_connection(ping->swarm, pinger->connection, TRP_ETIMEDOUT);
    }
}

static const struct trp_behaviour_ops ping_ops = {.name = "ping",
                                                  .attach = ping_attach,
                                                  .protocols = ping_list_protocols,
                                                  .connected = ping_connected,
                                                  .disconnected = ping_disconnected,
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
    ping->timers = trp_heap_init(config->memory);
    *ret_ping = ping;
    return TRP_OK;
}

void trp_ping_close(struct trp_ping *ping)
{
    if (ping == NULL) {
        return;
    }
    struct trp_memory *uthash_memory = ping->config.memory;
    struct watched *watched;
    struct watched *next;
    HASH_ITER(hh, ping->watched, watched, next)
    {
        HASH_DELETE(hh, ping->watched, watched);
        trp_memory_free(uthash_memory, watched);
    }
    trp_heap_free(&ping->timers);
    if (ping->swarm != NULL) {
        trp_slab_free(&ping->pingers);
        trp_slab_free(&ping->echoes);
    }
    trp_memory_free(uthash_memory, ping);
}
