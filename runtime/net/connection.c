/* SPDX-License-Identifier: MIT */
#include "net/connection.h"

#include "base/assert.h"
#include "crypto/crypto.h"
#include "net/behaviours.h"
#include "net/dial.h"
#include "net/idle.h"
#include "net/pending.h"
#include "net/pool.h"
#include "net/pump.h"
#include "net/stream.h"

#define TIMER_SLACK_NS TRP_S(5)

void trp_connection_touch(struct trp_swarm *swarm, struct trp_connection *c)
{
    if (!trp_list_link_is_linked(&c->dirty_link)) {
        c->touch_cause = swarm->trace->cause;
        trp_list_push_back(&swarm->dirty_connections, &c->dirty_link);
    }
}

static struct trp_multiaddr connection_remote(const struct trp_connection *c)
{
    struct trp_multiaddr remote = {.size = c->remote[0]};
    memcpy(remote.bytes, c->remote + 1, remote.size);
    return remote;
}

struct trp_connection_info trp_connection_info(const struct trp_connection *c)
{
    return (struct trp_connection_info){.id = c->id,
                                        .peer = c->peer_id,
                                        .remote = connection_remote(c),
                                        .outbound = c->outbound,
                                        .peer_connections =
                                            c->peer == NULL ? 0 : c->peer->connections_count};
}

/* ---- making ---- */

static enum trp_status connection_make(struct trp_swarm *swarm, trp_socket socket,
                                       const struct trp_multiaddr *remote, trp_time span_ns,
                                       struct trp_connection **ret_connection)
{
    trp_handle id;
    void *object;
    uint8_t *copy = trp_memory_alloc(swarm->memory, 1u + remote->size);
    enum trp_status status =
        copy == NULL ? TRP_ENOMEM : trp_slab_insert(&swarm->connections, &id, &object);
    if (status != TRP_OK) {
        trp_memory_free(swarm->memory, copy);
        return status;
    }
    copy[0] = remote->size;
    memcpy(copy + 1, remote->bytes, remote->size);
    struct trp_connection *c = object;
    *c = (struct trp_connection){.id = id,
                                 .outbound = socket == 0,
                                 .remote = copy,
                                 .tie = swarm->ties++,
                                 .cause = swarm->trace->cause,
                                 .plain = trp_buffer_init(swarm->memory, 0),
                                 .backlog = trp_buffer_init(swarm->memory, 0),
                                 .started_at = swarm->now,
                                 .deadline = trp_time_after(swarm->now, span_ns),
                                 .idle_since = TRP_NEVER,
                                 .used_since = swarm->now,
                                 .answer_by = TRP_NEVER,
                                 .grace_until = TRP_NEVER,
                                 .timer = {.kind = TRP_TIMER_CONNECTION}};
    trp_list_init(&c->streams);
    status = trp_transport_add(&swarm->transport, &c->socket, TRP_SOCKET_CONNECTION, socket);
    if (status == TRP_OK) {
        status = trp_heap_insert(&swarm->timers, &c->timer.entry, c->deadline, c->tie);
        if (status != TRP_OK) {
            trp_transport_forget(&swarm->transport, &c->socket); /* it goes with the socket */
            c->state = TRP_CONNECTION_CLOSED;
            return status;
        }
        *ret_connection = c;
    } else {
        trp_memory_free(swarm->memory, copy);
        trp_slab_remove(&swarm->connections, id);
    }
    return status;
}

static enum trp_status connection_begin_upgrade(struct trp_swarm *swarm, struct trp_connection *c)
{
    struct trp_upgrade_config config = {.initiator = c->outbound,
                                        .plaintext = swarm->config.plaintext,
                                        .identity = swarm->config.identity,
                                        .noise = &swarm->noise,
                                        .memo = swarm->config.memo,
                                        .agreements = swarm->config.agreements};
    if (c->dial != NULL && c->dial->peer != NULL) {
        config.expected = c->dial->peer->id;
    }
    trp_drbg_fill(swarm->config.drbg, config.ephemeral_secret, sizeof config.ephemeral_secret);
    c->state = TRP_CONNECTION_UPGRADING;
    enum trp_status status = trp_upgrade_open(swarm->memory, &config, &c->upgrade);
    trp_crypto_wipe(&config, sizeof config);
    trp_connection_touch(swarm, c);
    return status;
}

enum trp_status trp_connection_accept(struct trp_swarm *swarm, trp_socket id,
                                      const struct trp_multiaddr *remote)
{
    const struct trp_limits *limits = swarm->limits;
    enum trp_net_limit limit = TRP_NET_LIMITS_COUNT;
    if (!trp_idle_has_room(swarm)) {
        limit = TRP_NET_CONNECTIONS;
    } else if (!trp_pending_make_room(swarm, remote)) {
        limit = TRP_NET_CONNECTIONS_PENDING_IN;
    }
    if (limit != TRP_NET_LIMITS_COUNT) {
        trp_net_limit_reached(&swarm->limit_marks, swarm->trace, limits, limit);
        return TRP_EFULL;
    }
    struct trp_connection *c;
    enum trp_status status = connection_make(swarm, id, remote, limits->upgrade_timeout_ns, &c);
    if (status != TRP_OK) {
        return status;
    }
    status = trp_pending_enter(swarm, c, remote);
    if (status == TRP_OK) {
        status = connection_begin_upgrade(swarm, c);
    }
    if (status != TRP_OK) {
        trp_connection_fail(swarm, c, status);
    }
    return TRP_OK;
}

enum trp_status trp_connection_dial(struct trp_swarm *swarm, struct trp_dial *dial,
                                    uint32_t candidate)
{
    const struct trp_dial_candidate *tried = &dial->candidates[candidate];
    struct trp_connection *c;
    enum trp_status status = connection_make(swarm, 0, &dial->candidates[tried->origin].address,
                                             swarm->limits->dial_timeout_ns, &c);
    if (status != TRP_OK) {
        return status;
    }
    c->state = TRP_CONNECTION_DIALING;
    c->dial = dial;
    c->candidate = candidate;
    c->cause = dial->cause;
    swarm->pending_out++;
    trp_list_push_back(&dial->connections, &c->dial_link);
    trp_transport_open(&swarm->transport, &c->socket, &tried->address, dial->cause);
    return TRP_OK;
}

void trp_connection_connected(struct trp_swarm *swarm, struct trp_connection *c)
{
    if (c->state != TRP_CONNECTION_DIALING) {
        return;
    }
    enum trp_status status = connection_begin_upgrade(swarm, c);
    if (status != TRP_OK) {
        trp_connection_fail(swarm, c, status);
    }
}

/* ---- ending ---- */

/* It is no longer being made: its place among the pending ones is free. */
static void connection_leave_pending(struct trp_swarm *swarm, struct trp_connection *c)
{
    if (!c->outbound) {
        trp_pending_leave(swarm, c);
        return;
    }
    trp_list_link_remove(&c->dial_link);
    swarm->pending_out--;
    c->dial = NULL;
    trp_dial_next_waiting(swarm);
}

void trp_connection_release(struct trp_swarm *swarm, struct trp_connection *c)
{
    trp_heap_remove(&swarm->timers, &c->timer.entry);
    trp_list_link_remove(&c->dirty_link);
    trp_upgrade_close(c->upgrade);
    trp_noise_close(c->noise);
    trp_yamux_close(c->yamux);
    trp_buffer_free(&c->plain);
    trp_buffer_free(&c->backlog);
    c->upgrade = NULL;
    c->noise = NULL;
    c->yamux = NULL;
    c->state = TRP_CONNECTION_CLOSED;
}

/* Closes the socket and takes the connection apart. */
static void connection_end(struct trp_swarm *swarm, struct trp_connection *c, bool abort)
{
    trp_connection_release(swarm, c);
    trp_transport_close(&swarm->transport, &c->socket, abort, c->cause);
}

static bool is_pending(const struct trp_connection *c)
{
    return c->state == TRP_CONNECTION_DIALING || c->state == TRP_CONNECTION_UPGRADING;
}

void trp_connection_cancel(struct trp_swarm *swarm, struct trp_connection *c)
{
    TRP_ASSERT(is_pending(c));
    connection_leave_pending(swarm, c);
    connection_end(swarm, c, true);
}

static void trace_upgrade_failed(struct trp_swarm *swarm, struct trp_connection *c,
                                 enum trp_status status, const char *stage)
{
    char text[TRP_MULTIADDR_TEXT_MAX];
    const struct trp_multiaddr remote = connection_remote(c);
    trp_multiaddr_print(&remote, text);
    uint64_t event = trp_trace_upgrade_failed(
        swarm->trace, &(struct trp_event_upgrade_failed){.address = trp_bytes_text(text),
                                                         .stage = trp_bytes_text(stage),
                                                         .status = status,
                                                         .took = swarm->now - c->started_at});
    c->cause = event != 0 ? event : c->cause;
}

/* It never became one: the dial or nobody is told. */
static void connection_fail_pending(struct trp_swarm *swarm, struct trp_connection *c,
                                    enum trp_status status, const char *stage)
{
    struct trp_dial *dial = c->dial;
    if (dial == NULL) {
        trace_upgrade_failed(swarm, c, status, stage);
    }
    /* A peer that broke a rule may still learn what we had to say: the "na" before its words
     * stopped making sense, for one. */
    bool abort = trp_status_class(status) != TRP_CLASS_PEER || c->upgrade == NULL;
    if (!abort) {
        trp_pump_last_words(swarm, c);
    }
    connection_leave_pending(swarm, c);
    connection_end(swarm, c, abort);
    if (dial != NULL) {
        trp_dial_attempt_failed(swarm, dial, c->candidate, status, stage, c->started_at);
    }
}

static const char *pending_stage(const struct trp_connection *c, enum trp_status status)
{
    if (c->upgrade == NULL) {
        return "connect";
    }
    return status == TRP_EAUTH ? "identity" : trp_upgrade_stage(c->upgrade);
}

static void trace_violation(struct trp_swarm *swarm, struct trp_connection *c,
                            enum trp_status status)
{
    const char *where = "yamux";
    if (c->upgrade != NULL) {
        where = "multistream";
    } else if (status == TRP_EAUTH) {
        where = "noise";
    }
    uint64_t event = trp_trace_peer_violation(
        swarm->trace, &(struct trp_event_peer_violation){.connection = c->id,
                                                         .peer = &c->peer_id,
                                                         .where = trp_bytes_text(where),
                                                         .status = status});
    c->cause = event != 0 ? event : c->cause;
}

void trp_connection_fail(struct trp_swarm *swarm, struct trp_connection *c, enum trp_status status)
{
    if (is_pending(c)) {
        connection_fail_pending(swarm, c, status, pending_stage(c, status));
    } else if (c->state == TRP_CONNECTION_OPEN) {
        if (trp_status_class(status) == TRP_CLASS_PEER && status != TRP_ERESET) {
            trace_violation(swarm, c, status);
        }
        trp_connection_close(swarm, c, status);
    } else if (c->state == TRP_CONNECTION_LINGERING) {
        c->deaf = true;
    }
}

/* Says whether the rest can still be sent. */
static bool connection_lingers(const struct trp_connection *c, enum trp_status reason)
{
    return !c->socket.done && !c->eof_seen && reason != TRP_ETIMEDOUT && reason != TRP_ENOMEM;
}

void trp_connection_close(struct trp_swarm *swarm, struct trp_connection *c, enum trp_status reason)
{
    TRP_ASSERT(c->state == TRP_CONNECTION_OPEN);
    struct trp_pool_peer *peer = c->peer;
    trp_idle_remove(swarm, c);
    c->state = TRP_CONNECTION_LINGERING;
    peer->references++;
    trp_pool_remove(swarm, c);
    uint64_t cause = swarm->trace->cause;
    swarm->trace->cause = cause != 0 ? cause : c->cause;
    c->cause = trp_trace_connection_closed(
        swarm->trace, &(struct trp_event_connection_closed){.connection = c->id,
                                                            .peer = &c->peer_id,
                                                            .reason = reason,
                                                            .with_peer = peer->connections_count,
                                                            .streams = c->streams_count,
                                                            .lived = swarm->now - c->started_at});
    swarm->trace->cause = c->cause;
    struct trp_list_link *link;
    while ((link = trp_list_front(&c->streams)) != NULL) {
        trp_stream_end(swarm, TRP_CONTAINER(link, struct trp_stream, owner_link), TRP_ECLOSED);
    }
    struct trp_connection_info info = trp_connection_info(c);
    trp_behaviours_disconnected(swarm, &info, reason);
    trp_stream_attach_waiting(swarm, peer);
    c->peer = NULL;
    peer->references--;
    trp_pool_release(swarm, peer);
    if (connection_lingers(c, reason)) {
        c->deaf = trp_status_class(reason) == TRP_CLASS_PEER;
        c->deadline = trp_time_after(swarm->now, TRP_LINGER_NS);
        trp_connection_touch(swarm, c);
    } else {
        (void)trp_pump_fill(swarm, c);
        connection_end(swarm, c, reason == TRP_ETIMEDOUT || reason == TRP_ENOMEM);
    }
    swarm->trace->cause = cause;
}

void trp_connection_on_closed(struct trp_swarm *swarm, struct trp_connection *c,
                              enum trp_status status)
{
    trp_transport_forget(&swarm->transport, &c->socket);
    if (c->state == TRP_CONNECTION_LINGERING) {
        trp_connection_release(swarm, c);
    } else {
        trp_connection_fail(swarm, c, status == TRP_OK ? TRP_ECLOSED : status);
    }
}

void trp_connection_on_eof(struct trp_swarm *swarm, struct trp_connection *c)
{
    c->eof_seen = true;
    trp_connection_touch(swarm, c);
}

/* ---- opening ---- */

/* Makes room for one more connection to a peer that has as many as it may: the oldest that nobody
 * uses goes. A peer that lost its side of the others can so come back. */
static bool pool_make_room(struct trp_swarm *swarm, struct trp_pool_peer *peer)
{
    if (peer == NULL || peer->connections_count < swarm->limits->connections_per_peer) {
        return true;
    }
    for (struct trp_list_link *link = trp_list_front(&peer->connections); link != NULL;
         link = trp_list_next(&peer->connections, link)) {
        struct trp_connection *old = TRP_CONTAINER(link, struct trp_connection, pool_link);
        if (old->streams_active == 0) {
            trp_connection_close(swarm, old, TRP_EIDLE);
            return true;
        }
    }
    trp_net_limit_reached(&swarm->limit_marks, swarm->trace, swarm->limits,
                          TRP_NET_CONNECTIONS_PER_PEER);
    return false;
}

/* What must hold before behaviours are asked. */
static enum trp_status connection_check(struct trp_swarm *swarm, struct trp_connection *c,
                                        const struct trp_peer_id *id, const char **ret_stage)
{
    *ret_stage = "identity";
    if (trp_peer_id_equal(id, &swarm->self)) {
        return TRP_EINVAL;
    }
    if (c->dial != NULL && c->dial->peer != NULL && !trp_peer_id_equal(id, &c->dial->peer->id)) {
        return TRP_EAUTH;
    }
    *ret_stage = "limit";
    if (!trp_idle_has_room(swarm)) {
        trp_net_limit_reached(&swarm->limit_marks, swarm->trace, swarm->limits,
                              TRP_NET_CONNECTIONS);
        return TRP_EFULL;
    }
    trp_idle_make_room(swarm);
    return pool_make_room(swarm, trp_pool_find(swarm, id)) ? TRP_OK : TRP_EFULL;
}

/* Gets everything that an open connection needs, and the behaviours' leave. */
static enum trp_status connection_prepare(struct trp_swarm *swarm, struct trp_connection *c,
                                          struct trp_pool_peer *peer)
{
    const struct trp_limits *limits = swarm->limits;
    const struct trp_yamux_config config = {.initiator = c->outbound,
                                            .streams_max = limits->streams_per_connection,
                                            .window_bytes = limits->yamux_window_bytes,
                                            .stream_send_bytes = limits->stream_send_bytes,
                                            .keepalive_ns = limits->keepalive_ns};
    enum trp_status status = trp_pool_reserve(swarm);
    if (status == TRP_OK) {
        status = trp_yamux_open(swarm->memory, &config, swarm->now, &c->yamux);
    }
    if (status == TRP_OK) {
        struct trp_connection_info info = trp_connection_info(c);
        info.peer_connections = peer->connections_count + 1;
        status = trp_behaviours_admit(swarm, &info);
    }
    return status;
}

void trp_connection_set_keepalive(struct trp_swarm *swarm, struct trp_connection *c)
{
    const struct trp_limits *limits = swarm->limits;
    bool kept = c->peer->keep_alive > 0;
    trp_yamux_set_keepalive(c->yamux, kept ? limits->link_probe_ns : limits->keepalive_ns,
                            kept ? limits->link_answer_ns : limits->keepalive_ns);
    trp_connection_touch(swarm, c);
}

/* Everybody may know it now. */
static void connection_announce(struct trp_swarm *swarm, struct trp_connection *c,
                                struct trp_pool_peer *peer)
{
    struct trp_dial *dial = c->dial;
    connection_leave_pending(swarm, c);
    c->state = TRP_CONNECTION_OPEN;
    trp_pool_add(swarm, peer, c);
    trp_connection_set_keepalive(swarm, c);
    const struct trp_multiaddr remote = connection_remote(c);
    if (dial != NULL) {
        trp_dial_won(swarm, dial);
        trp_pool_note_address(swarm, &peer->id, &remote, TRP_ADDRESS_CONNECTED);
    }
    trp_pending_prove(swarm, &remote);
    trp_peer_store_touch(&swarm->store, &peer->id);
    char text[TRP_MULTIADDR_TEXT_MAX];
    trp_multiaddr_print(&remote, text);
    uint64_t cause = swarm->trace->cause;
    c->cause = trp_trace_connection_opened(
        swarm->trace, &(struct trp_event_connection_opened){.connection = c->id,
                                                            .peer = &c->peer_id,
                                                            .address = trp_bytes_text(text),
                                                            .outbound = c->outbound,
                                                            .with_peer = peer->connections_count,
                                                            .took = swarm->now - c->started_at});
    swarm->trace->cause = c->cause;
    c->started_at = swarm->now;
    struct trp_connection_info info = trp_connection_info(c);
    trp_behaviours_connected(swarm, &info);
    trp_stream_attach_waiting(swarm, peer);
    trp_connection_touch(swarm, c);
    swarm->trace->cause = cause;
}

void trp_connection_open(struct trp_swarm *swarm, struct trp_connection *c)
{
    struct trp_peer_id id = *trp_upgrade_peer(c->upgrade);
    const char *stage;
    enum trp_status status = connection_check(swarm, c, &id, &stage);
    struct trp_pool_peer *peer = NULL;
    if (status == TRP_OK) {
        peer = trp_pool_obtain(swarm, &id);
        status = peer == NULL ? TRP_ENOMEM : TRP_OK;
    }
    if (status == TRP_OK) {
        c->peer_id = id;
        status = connection_prepare(swarm, c, peer);
    }
    if (status == TRP_OK) {
        connection_announce(swarm, c, peer);
        return;
    }
    connection_fail_pending(swarm, c, status, stage);
    peer = trp_pool_find(swarm, &id);
    if (peer != NULL) {
        trp_pool_release(swarm, peer);
    }
}

/* ---- time and work ---- */

static trp_time connection_deadline(const struct trp_swarm *swarm, const struct trp_connection *c)
{
    if (c->state != TRP_CONNECTION_OPEN) {
        return c->deadline;
    }
    trp_time at = trp_time_min(trp_idle_keepalive_at(swarm, c), trp_idle_ends_at(swarm, c));
    at = trp_time_min(at, c->answer_by);
    return c->streams_active == 0 ? trp_time_min(at, c->grace_until) : at;
}

/* Moving an entry that is in the heap needs no memory. */
static void timer_move(struct trp_swarm *swarm, struct trp_connection *c, trp_time at)
{
    enum trp_status status = trp_heap_insert(&swarm->timers, &c->timer.entry, at, c->tie);
    TRP_ASSERT(status == TRP_OK);
}

/* Most deadlines are put off with every byte: the entry in the heap follows when it is off by much,
 * and an expiry that comes a little early looks again. */
static void connection_update_timer(struct trp_swarm *swarm, struct trp_connection *c)
{
    trp_time at = connection_deadline(swarm, c);
    trp_time planned = c->timer.entry.at;
    if (at < planned || at > trp_time_after(planned, TIMER_SLACK_NS)) {
        timer_move(swarm, c, at);
    }
}

static void connection_expire_open(struct trp_swarm *swarm, struct trp_connection *c)
{
    if (trp_idle_keepalive_at(swarm, c) <= swarm->now) {
        enum trp_status status = trp_yamux_expire(c->yamux, swarm->now);
        if (status != TRP_OK) {
            trp_connection_fail(swarm, c, status);
            return;
        }
    }
    if (c->answer_by <= swarm->now) {
        trp_connection_close(swarm, c, TRP_ETIMEDOUT);
        return;
    }
    bool idle = trp_idle_ends_at(swarm, c) <= swarm->now;
    bool needless = c->streams_active == 0 && c->grace_until <= swarm->now;
    if (idle || needless) {
        trp_connection_close(swarm, c, TRP_EIDLE);
        return;
    }
    trp_connection_touch(swarm, c);
}

void trp_connection_expire(struct trp_swarm *swarm, struct trp_connection *c)
{
    uint64_t cause = swarm->trace->cause;
    swarm->trace->cause = c->cause;
    timer_move(swarm, c, TRP_NEVER);
    if (is_pending(c)) {
        trp_connection_fail(swarm, c, TRP_ETIMEDOUT);
    } else if (c->state == TRP_CONNECTION_OPEN) {
        connection_expire_open(swarm, c);
    } else if (c->deadline <= swarm->now) {
        connection_end(swarm, c, true);
    } else {
        connection_update_timer(swarm, c);
    }
    swarm->trace->cause = cause;
}

/* Closed for behaviours: once all is handed over, says goodbye, half-closes, and waits for the peer
 * to do so. The Go Away comes last because rust-libp2p reads nothing behind it. */
static void connection_linger(struct trp_swarm *swarm, struct trp_connection *c)
{
    if (!c->shutdown_out && (c->deaf || trp_yamux_unsent_bytes(c->yamux) == 0)) {
        trp_yamux_go_away(c->yamux, 0);
        (void)trp_pump_fill(swarm, c);
        if (!trp_yamux_has_output(c->yamux)) {
            c->shutdown_out = true;
            trp_transport_shutdown(&swarm->transport, &c->socket, c->cause);
        }
    }
    if (c->eof_seen) {
        connection_end(swarm, c, false);
    }
}

/* What a call, or the peer's end, asks for. */
static void connection_check_end(struct trp_swarm *swarm, struct trp_connection *c)
{
    if (c->close_due && c->state == TRP_CONNECTION_OPEN) {
        trp_connection_close(swarm, c, c->close_reason);
    } else if (c->close_due && is_pending(c)) {
        trp_connection_fail(swarm, c, TRP_ECANCELLED);
    } else if (c->eof_seen && c->backlog.size == 0 && c->plain.size == 0 &&
               c->state != TRP_CONNECTION_LINGERING && c->state != TRP_CONNECTION_CLOSED) {
        trp_connection_fail(swarm, c, TRP_ECLOSED);
    }
}

void trp_connection_work(struct trp_swarm *swarm, struct trp_connection *c)
{
    uint64_t cause = swarm->trace->cause;
    swarm->trace->cause = c->touch_cause != 0 ? c->touch_cause : c->cause;
    bool any = true;
    while (any && c->state != TRP_CONNECTION_CLOSED) {
        connection_check_end(swarm, c);
        any = c->yamux != NULL && trp_pump_drain(swarm, c);
        any = trp_pump_fill(swarm, c) || any;
        any = trp_pump_resume(swarm, c) || any;
    }
    if (c->state == TRP_CONNECTION_LINGERING) {
        connection_linger(swarm, c);
    } else if (c->state == TRP_CONNECTION_OPEN) {
        trp_idle_check_answer(swarm, c);
        trp_idle_update(swarm, c);
    }
    if (c->state != TRP_CONNECTION_CLOSED) {
        connection_update_timer(swarm, c);
    }
    swarm->trace->cause = cause;
}
