/* SPDX-License-Identifier: MIT */
#include "net/pump.h"

#include "base/assert.h"
#include "net/connection.h"
#include "net/spare.h"
#include "net/stream.h"

#define NOISE_FRAME_OVERHEAD 18u                     /* length and tag */
#define FILL_BYTES_MIN       2048u                   /* less credit is saved up */
#define PLAIN_BYTES_MAX      65536u                  /* at least one whole frame of noise */
#define BACKLOG_BYTES_MAX    ((size_t)1024u * 1024u) /* more than a driver hands over at once */

static bool is_live(const struct trp_connection *c)
{
    return c->state == TRP_CONNECTION_UPGRADING || c->state == TRP_CONNECTION_OPEN ||
           c->state == TRP_CONNECTION_LINGERING;
}

static struct trp_noise *pump_noise(const struct trp_connection *c)
{
    return c->upgrade != NULL ? trp_upgrade_noise(c->upgrade) : c->noise;
}

/* ---- towards the peer ---- */

/* Encrypts one frame's worth. TRP_EFULL when there is no room left worth a frame. */
static enum trp_status fill_noise(struct trp_swarm *swarm, struct trp_connection *c,
                                  struct trp_noise *noise)
{
    struct trp_buffer *out = &c->socket.tx;
    struct trp_buffer *staging = &swarm->staging;
    size_t room = trp_buffer_room(out);
    if (room < FILL_BYTES_MIN) {
        return TRP_EFULL;
    }
    room -= NOISE_FRAME_OVERHEAD;
    staging->limit_bytes = room < TRP_NOISE_PLAIN_BYTES_MAX ? room : TRP_NOISE_PLAIN_BYTES_MAX;
    enum trp_status status = trp_yamux_send(c->yamux, swarm->now, staging);
    if (staging->size > 0) {
        size_t used;
        enum trp_status encrypted = trp_noise_encrypt(noise, trp_buffer_view(staging), out, &used);
        TRP_ASSERT(encrypted != TRP_OK || used == staging->size);
        trp_buffer_consume(staging, staging->size);
        status = encrypted != TRP_OK ? encrypted : status;
    }
    return status;
}

static enum trp_status fill_muxer(struct trp_swarm *swarm, struct trp_connection *c)
{
    struct trp_noise *noise = pump_noise(c);
    enum trp_status status = TRP_OK;
    while (status == TRP_OK && trp_yamux_has_output(c->yamux)) {
        if (noise != NULL) {
            status = fill_noise(swarm, c, noise);
        } else if (trp_buffer_room(&c->socket.tx) < FILL_BYTES_MIN) {
            status = TRP_EFULL;
        } else {
            status = trp_yamux_send(c->yamux, swarm->now, &c->socket.tx);
        }
    }
    return status;
}

/* The upgrade is over in both directions: only the secure channel stays. */
static void pump_end_upgrade(struct trp_connection *c)
{
    c->noise = trp_upgrade_take_noise(c->upgrade);
    trp_upgrade_close(c->upgrade);
    c->upgrade = NULL;
}

bool trp_pump_fill(struct trp_swarm *swarm, struct trp_connection *c)
{
    if (!is_live(c) || c->shutdown_out || c->socket.done) {
        return false;
    }
    struct trp_buffer *out = &c->socket.tx;
    (void)trp_transport_begin_fill(&swarm->transport, &c->socket);
    size_t before = out->size;
    enum trp_status status = TRP_OK;
    if (c->upgrade != NULL) {
        status = trp_upgrade_send(c->upgrade, out);
        if (status == TRP_OK && c->yamux != NULL && trp_upgrade_is_read(c->upgrade)) {
            pump_end_upgrade(c);
        }
    }
    if (status == TRP_OK && c->yamux != NULL) {
        status = fill_muxer(swarm, c);
    }
    bool any = out->size > before;
    uint64_t cause = swarm->trace->cause != 0 ? swarm->trace->cause : c->cause;
    trp_transport_end_fill(&swarm->transport, &c->socket, cause);
    if (status != TRP_OK && status != TRP_EFULL) {
        trp_connection_fail(swarm, c, status);
    }
    return any;
}

void trp_pump_last_words(struct trp_swarm *swarm, struct trp_connection *c)
{
    if (!c->socket.done && trp_transport_begin_fill(&swarm->transport, &c->socket) > 0) {
        enum trp_status status = trp_upgrade_send(c->upgrade, &c->socket.tx);
        (void)status; /* it has failed already */
        trp_transport_end_fill(&swarm->transport, &c->socket, c->cause);
    }
}

/* ---- events of the muxer ---- */

static void pump_dispatch(struct trp_swarm *swarm, struct trp_connection *c,
                          const struct trp_yamux_event *event)
{
    if (event->kind == TRP_YAMUX_OPENED) {
        trp_stream_accept(swarm, c, event->stream);
        return;
    }
    if (event->kind == TRP_YAMUX_GOAWAY) {
        c->retiring = true;
        return;
    }
    struct trp_stream *s = trp_stream_of(swarm, event->user);
    if (s == NULL) {
        return;
    }
    switch (event->kind) {
    case TRP_YAMUX_DATA:
        trp_stream_on_data(swarm, s, event->data);
        break;
    case TRP_YAMUX_WRITABLE:
        trp_stream_on_writable(swarm, s);
        break;
    case TRP_YAMUX_EOF:
        trp_stream_on_eof(swarm, s);
        break;
    case TRP_YAMUX_RESET:
        trp_stream_on_gone(swarm, s, TRP_ERESET);
        break;
    case TRP_YAMUX_FINISHED:
        trp_stream_on_gone(swarm, s, TRP_OK);
        break;
    case TRP_YAMUX_OPENED:
    case TRP_YAMUX_GOAWAY:
        break;
    }
}

/* Behaviours have forgotten the connection: the peer's new streams are refused, and what it says on
 * others means nothing. */
static void pump_discard(struct trp_connection *c, const struct trp_yamux_event *event)
{
    if (event->kind == TRP_YAMUX_OPENED) {
        trp_pump_reset_stream(c, event->stream);
    }
}

static void pump_check_refused(struct trp_swarm *swarm, struct trp_connection *c)
{
    uint32_t refused = trp_yamux_refused_count(c->yamux);
    if (refused != c->streams_refused) {
        c->streams_refused = refused;
        trp_net_limit_reached(&swarm->limit_marks, swarm->trace, swarm->limits,
                              TRP_NET_STREAMS_PER_CONNECTION);
    }
}

bool trp_pump_drain(struct trp_swarm *swarm, struct trp_connection *c)
{
    bool any = false;
    struct trp_yamux_event event;
    while (c->yamux != NULL && trp_yamux_next_event(c->yamux, &event)) {
        any = true;
        if (c->state == TRP_CONNECTION_OPEN) {
            pump_dispatch(swarm, c, &event);
            if (c->close_due && c->state == TRP_CONNECTION_OPEN) {
                trp_connection_close(swarm, c, c->close_reason);
            }
        } else {
            pump_discard(c, &event);
        }
    }
    if (c->state == TRP_CONNECTION_OPEN) {
        pump_check_refused(swarm, c);
    }
    return any;
}

/* ---- from the peer ---- */

/* Gives bytes to the muxer; returns how many it took. Nothing taken means that it must send first,
 * and cannot. */
static size_t feed_muxer(struct trp_swarm *swarm, struct trp_connection *c, struct trp_bytes in)
{
    size_t total = 0;
    while (total < in.size && is_live(c)) {
        if (c->deaf) {
            return in.size;
        }
        size_t used = 0;
        enum trp_status status =
            trp_yamux_recv(c->yamux, swarm->now, trp_bytes_skip(in, total), &used);
        bool any = trp_pump_drain(swarm, c);
        if (status != TRP_OK && is_live(c)) {
            trp_connection_fail(swarm, c, status);
            return in.size;
        }
        total += used;
        if (used == 0 && !any && !trp_pump_fill(swarm, c)) {
            break;
        }
    }
    return is_live(c) ? total : in.size;
}

/* Gives decrypted bytes to the muxer; false when some are left. */
static bool feed_plain(struct trp_swarm *swarm, struct trp_connection *c)
{
    while (c->plain.size > 0) {
        size_t used = feed_muxer(swarm, c, trp_buffer_view(&c->plain));
        if (!is_live(c)) {
            return true; /* its buffers are gone */
        }
        trp_buffer_consume(&c->plain, used);
        if (used == 0) {
            return false;
        }
    }
    return true;
}

static enum trp_status feed_upgrade(struct trp_swarm *swarm, struct trp_connection *c,
                                    struct trp_bytes in, size_t *ret_used)
{
    enum trp_status status = trp_upgrade_recv(c->upgrade, in, &c->plain, ret_used);
    if (status == TRP_OK && c->yamux == NULL && trp_upgrade_is_open(c->upgrade)) {
        trp_connection_open(swarm, c);
    }
    return status;
}

/* Takes bytes of the wire through the layer that is next to it. */
static size_t feed_wire(struct trp_swarm *swarm, struct trp_connection *c, struct trp_bytes in)
{
    size_t total = 0;
    while (total < in.size && is_live(c)) {
        struct trp_bytes rest = trp_bytes_skip(in, total);
        size_t used = 0;
        enum trp_status status = TRP_OK;
        if (c->upgrade != NULL && !trp_upgrade_is_read(c->upgrade)) {
            status = feed_upgrade(swarm, c, rest, &used);
        } else if (pump_noise(c) != NULL) {
            status = trp_noise_recv(pump_noise(c), rest, &c->plain, &used);
        } else {
            used = feed_muxer(swarm, c, rest);
        }
        if (!is_live(c)) {
            return in.size;
        }
        if (status != TRP_OK) {
            trp_connection_fail(swarm, c, status);
            return in.size;
        }
        size_t left = c->plain.size;
        bool fed = c->yamux == NULL || feed_plain(swarm, c);
        if (!is_live(c)) {
            return in.size;
        }
        total += used;
        if (!fed || (used == 0 && c->plain.size == left)) {
            break;
        }
    }
    return total;
}

/* Takes what it can of plain, then of the wire; returns how much of the wire. */
static size_t pump_take(struct trp_swarm *swarm, struct trp_connection *c, struct trp_bytes in)
{
    if (c->deaf) {
        return in.size;
    }
    c->plain.limit_bytes = PLAIN_BYTES_MAX;
    trp_spare_lend(&swarm->spare, &c->plain);
    size_t used = 0;
    if (c->yamux == NULL || feed_plain(swarm, c)) {
        used = is_live(c) ? feed_wire(swarm, c, in) : in.size;
    }
    trp_spare_return(&swarm->spare, &c->plain);
    return used;
}

void trp_pump_recv(struct trp_swarm *swarm, struct trp_connection *c, struct trp_bytes in)
{
    if (c->backlog.size == 0) {
        in = trp_bytes_skip(in, pump_take(swarm, c, in));
    }
    if (!is_live(c) || (in.size == 0 && c->plain.size == 0)) {
        return;
    }
    c->backlog.limit_bytes = BACKLOG_BYTES_MAX;
    enum trp_status status = trp_buffer_append(&c->backlog, in);
    if (status != TRP_OK) {
        trp_connection_fail(swarm, c, status);
        return;
    }
    trp_transport_pause(&swarm->transport, &c->socket, true, c->cause);
}

bool trp_pump_resume(struct trp_swarm *swarm, struct trp_connection *c)
{
    if (!is_live(c) || (c->backlog.size == 0 && c->plain.size == 0)) {
        return false;
    }
    struct trp_buffer backlog = c->backlog; /* the connection may go meanwhile */
    c->backlog = trp_buffer_init(swarm->memory, BACKLOG_BYTES_MAX);
    size_t plain = c->plain.size;
    size_t used = pump_take(swarm, c, trp_buffer_view(&backlog));
    bool any = used > 0 || c->plain.size != plain;
    if (!is_live(c)) {
        trp_buffer_free(&backlog);
        return true;
    }
    trp_buffer_consume(&backlog, used);
    c->backlog = backlog;
    if (backlog.size == 0) {
        trp_buffer_free(&c->backlog);
        if (c->plain.size == 0) {
            trp_transport_pause(&swarm->transport, &c->socket, false, c->cause);
        }
    }
    return any;
}

/* ---- requests to the muxer ---- */

void trp_pump_reset_stream(struct trp_connection *c, uint32_t muxer_stream)
{
    enum trp_status status = trp_yamux_reset(c->yamux, muxer_stream);
    (void)status;
}

void trp_pump_refuse_stream(struct trp_connection *c, uint32_t muxer_stream)
{
    enum trp_status status = trp_yamux_refuse(c->yamux, muxer_stream);
    (void)status;
}

void trp_pump_shutdown_stream(struct trp_connection *c, uint32_t muxer_stream)
{
    enum trp_status status = trp_yamux_shutdown(c->yamux, muxer_stream);
    (void)status;
}

void trp_pump_consumed(struct trp_connection *c, uint32_t muxer_stream, size_t bytes)
{
    uint32_t size = bytes < UINT32_MAX ? (uint32_t)bytes : UINT32_MAX;
    enum trp_status status = trp_yamux_consumed(c->yamux, muxer_stream, size);
    (void)status;
}
