/* SPDX-License-Identifier: MIT */
/* lib/net_probe.h - a behaviour that writes down what it is told, and checks that it is told right.
 *
 * It echoes inbound streams, sends a pattern on outbound ones and checks the echo. Every stream
 * must be opened at most once, closed once, and be silent before and after. */
#ifndef LIB_NET_PROBE_H
#define LIB_NET_PROBE_H

#include "lib/net_pair.h"

#define PROBE_STREAMS_MAX  2048u
#define PROBE_ATTEMPTS_MAX 16u

enum probe_mode {
    PROBE_ECHO,  /* inbound: sends back what comes, half-closes after the peer did */
    PROBE_SINK,  /* inbound: takes everything, says nothing */
    PROBE_HOARD, /* inbound: gives no credit back */
    PROBE_MUTE   /* does nothing by itself */
};

struct probe_stream {
    trp_stream_id id;
    bool inbound;
    bool opened;
    bool eof;
    bool shutdown;
    bool closed;
    enum trp_status reason;
    trp_connection_id connection;
    char protocol[TRP_PROTOCOL_BYTES_MAX];
    uint64_t token;
    size_t to_send; /* outbound: bytes of the pattern, then a half-close */
    size_t sent;
    size_t received;
    bool keep_open; /* no half-close after the pattern */
    uint8_t *held;  /* to be echoed */
    size_t held_size;
};

struct net_probe {
    struct trp_swarm *swarm;
    uint32_t index;
    enum probe_mode mode;
    const char *accepts[4];
    uint32_t accepts_count;
    enum trp_status admit; /* the answer to every connection */
    struct trp_multiaddr contributed;
    uint32_t connected;
    uint32_t disconnected;
    struct trp_connection_info last_connected;
    struct trp_connection_info last_disconnected;
    enum trp_status last_reason;
    uint32_t dials_failed;
    struct trp_dial_report last_report;
    struct trp_dial_attempt attempts[PROBE_ATTEMPTS_MAX];
    uint32_t self_changes;
    uint32_t identified;
    bool reset_on_data;
    bool close_on_open; /* the connection, when a stream opens */
    bool redial_on_fail;
    uint32_t reopen_on_close; /* so many times */
    uint32_t streams_count;
    struct probe_stream streams[PROBE_STREAMS_MAX];
};

static inline uint8_t probe_pattern(uint64_t token, size_t at)
{
    return (uint8_t)(token * 7 + at * 31 + (at >> 8));
}

static inline struct probe_stream *probe_find(struct net_probe *probe, trp_stream_id id)
{
    for (uint32_t i = probe->streams_count; i-- > 0;) {
        if (probe->streams[i].id == id) {
            return &probe->streams[i];
        }
    }
    return NULL;
}

static inline struct probe_stream *probe_add(struct net_probe *probe, trp_stream_id id)
{
    assert_true(probe->streams_count < PROBE_STREAMS_MAX);
    struct probe_stream *s = &probe->streams[probe->streams_count++];
    *s = (struct probe_stream){.id = id};
    return s;
}

static inline struct probe_stream *probe_last(struct net_probe *probe)
{
    assert_true(probe->streams_count > 0);
    return &probe->streams[probe->streams_count - 1];
}

/* Streams that are opened and not yet closed. */
static inline uint32_t probe_open_count(const struct net_probe *probe)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < probe->streams_count; i++) {
        count += probe->streams[i].opened && !probe->streams[i].closed;
    }
    return count;
}

static inline uint32_t probe_closed_count(const struct net_probe *probe, enum trp_status reason)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < probe->streams_count; i++) {
        count += probe->streams[i].closed && probe->streams[i].reason == reason;
    }
    return count;
}

/* No room: it is told when there is. No memory: nobody will tell. */
static inline void probe_write_failed(struct net_probe *probe, const struct probe_stream *s,
                                      enum trp_status status)
{
    if (status != TRP_EAGAIN) {
        assert_status(status, TRP_ENOMEM);
    }
    if (status == TRP_ENOMEM) {
        trp_stream_reset(probe->swarm, s->id);
    }
}

static inline void probe_send(struct net_probe *probe, struct probe_stream *s)
{
    uint8_t chunk[4096];
    while (s->sent < s->to_send) {
        size_t size = s->to_send - s->sent;
        size = size < sizeof chunk ? size : sizeof chunk;
        for (size_t i = 0; i < size; i++) {
            chunk[i] = probe_pattern(s->token, s->sent + i);
        }
        size_t used = 0;
        enum trp_status status =
            trp_stream_write(probe->swarm, s->id, trp_bytes(chunk, size), &used);
        if (status != TRP_OK) {
            probe_write_failed(probe, s, status);
            return;
        }
        s->sent += used;
    }
    if (!s->shutdown && !s->keep_open) {
        s->shutdown = true;
        trp_stream_shutdown(probe->swarm, s->id);
    }
}

static inline void probe_echo(struct net_probe *probe, struct probe_stream *s)
{
    size_t at = 0;
    while (at < s->held_size) {
        size_t used = 0;
        enum trp_status status = trp_stream_write(
            probe->swarm, s->id, trp_bytes(s->held + at, s->held_size - at), &used);
        if (status != TRP_OK) {
            probe_write_failed(probe, s, status);
            break;
        }
        trp_stream_consumed(probe->swarm, s->id, used);
        at += used;
    }
    if (at > 0) {
        memmove(s->held, s->held + at, s->held_size - at);
    }
    s->held_size -= at;
    if (s->held_size == 0 && s->eof && !s->shutdown) {
        s->shutdown = true;
        trp_stream_shutdown(probe->swarm, s->id);
    }
}

/* ---- hooks ---- */

static inline void probe_on_attach(void *self, struct trp_swarm *swarm, uint32_t index)
{
    struct net_probe *probe = self;
    probe->swarm = swarm;
    probe->index = index;
}

static inline uint32_t probe_on_protocols(const void *self, const char **ret_protocols,
                                          uint32_t max)
{
    const struct net_probe *probe = self;
    for (uint32_t i = 0; i < probe->accepts_count && i < max; i++) {
        ret_protocols[i] = probe->accepts[i];
    }
    return probe->accepts_count;
}

static inline enum trp_status probe_on_admit(void *self,
                                             const struct trp_connection_info *connection)
{
    const struct net_probe *probe = self;
    assert_true(connection->peer.size > 0 && connection->id != 0);
    return probe->admit;
}

static inline void probe_on_connected(void *self, const struct trp_connection_info *connection)
{
    struct net_probe *probe = self;
    probe->connected++;
    probe->last_connected = *connection;
    assert_int_equal(connection->peer_connections,
                     trp_swarm_connections_to(probe->swarm, &connection->peer));
}

static inline void probe_on_disconnected(void *self, const struct trp_connection_info *connection,
                                         enum trp_status reason)
{
    struct net_probe *probe = self;
    probe->disconnected++;
    assert_true(probe->disconnected <= probe->connected);
    probe->last_disconnected = *connection;
    probe->last_reason = reason;
    for (uint32_t i = 0; i < probe->streams_count; i++) {
        const struct probe_stream *s = &probe->streams[i];
        assert_true(s->closed || s->connection != connection->id || !s->opened);
    }
}

static inline void probe_on_dial_failed(void *self, const struct trp_dial_report *report)
{
    struct net_probe *probe = self;
    probe->dials_failed++;
    probe->last_report = *report;
    assert_true(report->attempts_count <= PROBE_ATTEMPTS_MAX);
    for (uint32_t i = 0; i < report->attempts_count; i++) {
        probe->attempts[i] = report->attempts[i];
    }
    probe->last_report.attempts = probe->attempts;
    if (probe->redial_on_fail) {
        const struct trp_dial_request request = {.peer = report->peer};
        assert_status(trp_swarm_dial(probe->swarm, &request), TRP_OK);
    }
}

static inline uint32_t probe_on_addresses(void *self, const struct trp_peer_id *peer,
                                          struct trp_multiaddr *ret_addresses, uint32_t max)
{
    const struct net_probe *probe = self;
    assert_true(peer->size > 0 && max > 0);
    if (probe->contributed.size == 0) {
        return 0;
    }
    ret_addresses[0] = probe->contributed;
    return 1;
}

static inline void probe_on_identified(void *self, const struct trp_identified *peer)
{
    struct net_probe *probe = self;
    assert_true(peer->peer.size > 0);
    probe->identified++;
}

static inline void probe_on_self_changed(void *self)
{
    struct net_probe *probe = self;
    probe->self_changes++;
}

static inline void probe_on_stream_opened(void *self, const struct trp_stream_info *stream)
{
    struct net_probe *probe = self;
    struct probe_stream *s = probe_find(probe, stream->id);
    if (stream->inbound) {
        assert_null(s);
        s = probe_add(probe, stream->id);
        s->inbound = true;
    }
    assert_non_null(s);
    assert_false(s->opened || s->closed);
    assert_true(stream->connection != 0 && stream->peer->size > 0 && stream->protocol != NULL);
    s->opened = true;
    s->connection = stream->connection;
    (void)snprintf(s->protocol, sizeof s->protocol, "%s", stream->protocol);
    if (probe->close_on_open) {
        trp_swarm_close_connection(probe->swarm, stream->connection, TRP_ECANCELLED);
    }
    if (!stream->inbound) {
        assert_int_equal(stream->token, s->token);
        probe_send(probe, s);
    }
}

static inline void probe_on_stream_data(void *self, const struct trp_stream_info *stream,
                                        struct trp_bytes in)
{
    struct net_probe *probe = self;
    struct probe_stream *s = probe_find(probe, stream->id);
    assert_non_null(s);
    assert_true(s->opened && !s->closed && !s->eof && in.size > 0);
    if (probe->reset_on_data) {
        trp_stream_reset(probe->swarm, stream->id);
        return;
    }
    if (!s->inbound) {
        for (size_t i = 0; i < in.size; i++) {
            assert_int_equal(in.data[i], probe_pattern(s->token, s->received + i));
        }
    }
    s->received += in.size;
    if (s->inbound && probe->mode == PROBE_ECHO) {
        s->held = realloc(s->held, s->held_size + in.size);
        assert_non_null(s->held);
        memcpy(s->held + s->held_size, in.data, in.size);
        s->held_size += in.size;
        probe_echo(probe, s);
    } else if (!s->inbound || probe->mode != PROBE_HOARD) {
        trp_stream_consumed(probe->swarm, stream->id, in.size);
    }
}

static inline void probe_on_stream_writable(void *self, const struct trp_stream_info *stream)
{
    struct net_probe *probe = self;
    struct probe_stream *s = probe_find(probe, stream->id);
    assert_non_null(s);
    assert_true(s->opened && !s->closed);
    if (!s->inbound) {
        probe_send(probe, s);
    } else if (probe->mode == PROBE_ECHO) {
        probe_echo(probe, s);
    }
}

static inline void probe_on_stream_eof(void *self, const struct trp_stream_info *stream)
{
    struct net_probe *probe = self;
    struct probe_stream *s = probe_find(probe, stream->id);
    assert_non_null(s);
    assert_true(s->opened && !s->closed && !s->eof);
    s->eof = true;
    if (s->inbound && probe->mode == PROBE_ECHO) {
        probe_echo(probe, s);
    } else if (s->inbound && probe->mode == PROBE_SINK) {
        s->shutdown = true;
        trp_stream_shutdown(probe->swarm, stream->id);
    }
}

static inline enum trp_status probe_open(struct net_probe *probe, const struct trp_peer_id *peer,
                                         const char *protocol, size_t to_send);

static inline void probe_on_stream_closed(void *self, const struct trp_stream_info *stream,
                                          enum trp_status reason)
{
    struct net_probe *probe = self;
    struct probe_stream *s = probe_find(probe, stream->id);
    assert_non_null(s);
    assert_false(s->closed);
    assert_true(s->opened || !s->inbound);
    s->closed = true;
    s->reason = reason;
    if (reason == TRP_OK) {
        assert_true(s->eof && s->shutdown);
    }
    free(s->held);
    s->held = NULL;
    s->held_size = 0;
    size_t used;
    assert_status(trp_stream_write(probe->swarm, stream->id, trp_bytes("x", 1), &used),
                  TRP_ENOTFOUND);
    if (probe->reopen_on_close > 0 && !s->inbound) {
        probe->reopen_on_close--;
        struct trp_peer_id peer = *stream->peer;
        (void)probe_open(probe, &peer, "/echo/1", 10);
    }
}

static const struct trp_behaviour_ops probe_ops = {.name = "probe",
                                                   .attach = probe_on_attach,
                                                   .protocols = probe_on_protocols,
                                                   .admit = probe_on_admit,
                                                   .connected = probe_on_connected,
                                                   .disconnected = probe_on_disconnected,
                                                   .dial_failed = probe_on_dial_failed,
                                                   .addresses = probe_on_addresses,
                                                   .identified = probe_on_identified,
                                                   .self_changed = probe_on_self_changed,
                                                   .stream_opened = probe_on_stream_opened,
                                                   .stream_data = probe_on_stream_data,
                                                   .stream_writable = probe_on_stream_writable,
                                                   .stream_eof = probe_on_stream_eof,
                                                   .stream_closed = probe_on_stream_closed};

/* ---- what tests do with it ---- */

static inline struct net_probe *probe_make(const char *protocol)
{
    struct net_probe *probe = calloc(1, sizeof *probe);
    assert_non_null(probe);
    if (protocol != NULL) {
        probe->accepts[probe->accepts_count++] = protocol;
    }
    return probe;
}

static inline void probe_free(struct net_probe *probe)
{
    for (uint32_t i = 0; i < probe->streams_count; i++) {
        free(probe->streams[i].held);
    }
    free(probe);
}

static inline struct trp_behaviour probe_behaviour(struct net_probe *probe)
{
    return (struct trp_behaviour){.ops = &probe_ops, .self = probe};
}

/* Asks for a stream that sends `to_send` bytes of the pattern, dialing where need be. */
static inline enum trp_status probe_open(struct net_probe *probe, const struct trp_peer_id *peer,
                                         const char *protocol, size_t to_send)
{
    const struct trp_stream_request request = {.behaviour = probe->index,
                                               .peer = *peer,
                                               .dial = true,
                                               .protocols = &protocol,
                                               .protocols_count = 1,
                                               .token = probe->streams_count + 1};
    trp_stream_id id;
    enum trp_status status = trp_swarm_open_stream(probe->swarm, &request, &id);
    if (status == TRP_OK) {
        struct probe_stream *s = probe_add(probe, id);
        s->token = request.token;
        s->to_send = to_send;
    }
    return status;
}

/* ---- two hosts with a probe each ---- */

#define ECHO "/echo/1"

/* Both listen, and each knows where the other does. */
struct pair {
    struct net_world *world;
    struct net_host *a;
    struct net_host *b;
    struct net_probe *pa;
    struct net_probe *pb;
};

/* Makes them; limits may be changed until pair_start. */
static inline struct pair pair_init(uint64_t seed)
{
    struct pair pair = {.world = net_world_open(seed)};
    pair.a = net_host_init(pair.world, 0);
    pair.b = net_host_init(pair.world, 1);
    pair.pa = probe_make(ECHO);
    pair.pb = probe_make(ECHO);
    net_host_add(pair.a, probe_behaviour(pair.pa));
    net_host_add(pair.b, probe_behaviour(pair.pb));
    return pair;
}

static inline void pair_knows(struct net_host *host, const struct net_host *other)
{
    struct trp_multiaddr address = net_address(other->index, NET_PORT_FIRST);
    trp_swarm_add_address(host->swarm, &other->peer, &address, TRP_ADDRESS_USER);
}

static inline void pair_start(struct pair *pair)
{
    assert_status(net_host_start(pair->a), TRP_OK);
    assert_status(net_host_start(pair->b), TRP_OK);
    net_listen(pair->a, 0);
    net_listen(pair->b, 0);
    net_run(pair->world, TRP_MS(1));
    pair_knows(pair->a, pair->b);
    pair_knows(pair->b, pair->a);
}

static inline struct pair pair_open(uint64_t seed)
{
    struct pair pair = pair_init(seed);
    pair_start(&pair);
    return pair;
}

static inline void pair_close(struct pair *pair)
{
    net_world_close(pair->world);
    probe_free(pair->pa);
    probe_free(pair->pb);
}

static inline enum trp_status pair_dial(struct net_host *from, const struct net_host *to,
                                        bool even_if_connected)
{
    const struct trp_dial_request request = {.peer = to->peer,
                                             .even_if_connected = even_if_connected};
    enum trp_status status = trp_swarm_dial(from->swarm, &request);
    net_poke(from);
    return status;
}

static inline void pair_connect(struct pair *pair)
{
    assert_status(pair_dial(pair->a, pair->b, false), TRP_OK);
    net_run(pair->world, TRP_S(1));
    assert_int_equal(pair->pa->connected, 1);
    assert_int_equal(pair->pb->connected, 1);
}

/* Opens an echo stream from a and runs for a second. */
static inline struct probe_stream *pair_echo(struct pair *pair, size_t to_send)
{
    assert_status(probe_open(pair->pa, &pair->b->peer, ECHO, to_send), TRP_OK);
    struct probe_stream *s = probe_last(pair->pa);
    net_poke(pair->a);
    net_run(pair->world, TRP_S(1));
    return s;
}

#endif
