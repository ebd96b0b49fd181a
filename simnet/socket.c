/* SPDX-License-Identifier: MIT */
#include "base/assert.h"
#include "base/prng.h"
#include "simnet/draws.h"
#include "simnet/world.h"

#define PORT_FIRST 32768u /* of those the host chooses */

void trp_sim_end_plan(struct trp_world *world, struct trp_sim_end *end, enum trp_sim_kind kind,
                      uint32_t host, trp_time at, uint64_t detail)
{
    trp_sim_plan(world, kind, host, at, trp_sim_end_duplex(end)->handle,
                 detail | (uint64_t)end->index << TRP_SIM_DETAIL_INDEX_SHIFT);
}

static struct trp_sim_end *end_find(struct trp_sim_host *host, trp_socket id)
{
    uint32_t hash = trp_index_hash(&id, sizeof id);
    uint32_t at = hash;
    struct trp_sim_end *end;
    while ((end = trp_index_next(&host->ends_by_id, hash, &at)) != NULL) {
        if (end->id == id) {
            break;
        }
    }
    return end;
}

static bool end_register(struct trp_sim_end *end)
{
    struct trp_sim_host *host = end->host;
    uint32_t hash = trp_index_hash(&end->id, sizeof end->id);
    if (trp_index_insert(&host->ends_by_id, hash, end) != TRP_OK) {
        return false;
    }
    trp_list_push_back(&host->ends, &end->attached);
    return true;
}

static struct trp_sim_listener *listener_by_port(struct trp_sim_host *host, uint16_t port)
{
    struct trp_list_link *link = trp_list_front(&host->listeners);
    for (; link != NULL; link = trp_list_next(&host->listeners, link)) {
        struct trp_sim_listener *listener = TRP_CONTAINER(link, struct trp_sim_listener, link);
        if (listener->status == TRP_OK && listener->port == port) {
            return listener;
        }
    }
    return NULL;
}

static struct trp_sim_listener *listener_by_id(struct trp_sim_host *host, trp_socket id)
{
    struct trp_list_link *link = trp_list_front(&host->listeners);
    for (; link != NULL; link = trp_list_next(&host->listeners, link)) {
        struct trp_sim_listener *listener = TRP_CONTAINER(link, struct trp_sim_listener, link);
        if (listener->id == id) {
            return listener;
        }
    }
    return NULL;
}

/* Takes an end from its process; `state` is what the host still knows of it. */
static void end_detach(struct trp_world *world, struct trp_sim_end *end,
                       enum trp_sim_end_state state)
{
    struct trp_sim_end *other = trp_sim_end_other(end);
    enum trp_sim_end_state was = end->state;
    trp_list_link_remove(&end->attached);
    trp_index_remove(&end->host->ends_by_id, trp_index_hash(&end->id, sizeof end->id), end);
    end->state = state;
    end->closed_due = false;
    if (was == TRP_SIM_END_BACKLOG) {
        struct trp_sim_listener *listener = listener_by_id(end->host, end->listener);
        if (listener != NULL && listener->backlog_count > 0) {
            listener->backlog_count--;
        }
    }
    if (was == TRP_SIM_END_DIALING && other->state == TRP_SIM_END_BACKLOG) {
        trp_sim_end_forget(world, other);
    }
    if (state == TRP_SIM_END_GONE) {
        trp_sim_flow_silence(world, end);
    }
}

void trp_sim_end_forget(struct trp_world *world, struct trp_sim_end *end)
{
    if (trp_sim_end_is_attached(end)) {
        end_detach(world, end, TRP_SIM_END_GONE);
    } else if (end->state == TRP_SIM_END_CLOSED) {
        end->state = TRP_SIM_END_GONE;
        trp_sim_flow_silence(world, end);
    }
}

void trp_sim_duplex_free(struct trp_world *world, struct trp_sim_duplex *duplex)
{
    for (uint32_t i = 0; i < 2; i++) {
        trp_sim_flow_free(world, &duplex->ends[i]);
        trp_list_link_remove(&duplex->ends[i].held);
    }
    trp_slab_remove(&world->duplexes, duplex->handle);
}

void trp_sim_duplex_settle(struct trp_world *world, struct trp_sim_duplex *duplex)
{
    if (!trp_sim_end_is_attached(&duplex->ends[0]) && !trp_sim_end_is_attached(&duplex->ends[1])) {
        trp_sim_duplex_free(world, duplex);
    }
}

/* ---- listening ---- */

static uint16_t port_choose(struct trp_sim_host *host)
{
    do {
        host->port_next = host->port_next < PORT_FIRST || host->port_next == UINT16_MAX
                              ? PORT_FIRST
                              : (uint16_t)(host->port_next + 1);
    } while (listener_by_port(host, host->port_next) != NULL);
    return host->port_next;
}

/* Adds a listener, or what tells why there is none, and plans the answer. */
static void listener_add(struct trp_world *world, struct trp_sim_host *host,
                         const struct trp_output *out, enum trp_status status,
                         const struct trp_endpoint *endpoint)
{
    struct trp_sim_listener *listener = trp_memory_alloc(&world->memory, sizeof *listener);
    if (listener == NULL) {
        trp_sim_fail(world, TRP_ENOMEM);
        return;
    }
    listener->id = out->socket;
    listener->cause = out->cause;
    listener->status = status;
    if (status == TRP_OK) {
        listener->port = endpoint->port != 0 ? endpoint->port : port_choose(host);
        listener->loopback = endpoint->ip[0] == 127;
    }
    trp_list_push_back(&host->listeners, &listener->link);
    host->listeners_count++;
    trp_sim_plan(world, TRP_SIM_ANSWER, host->index, world->now, out->socket, host->incarnation);
}

static void listener_remove(struct trp_world *world, struct trp_sim_host *host,
                            struct trp_sim_listener *listener)
{
    trp_list_link_remove(&listener->link);
    host->listeners_count--;
    trp_memory_free(&world->memory, listener);
}

/* Says whether an address is one a host can listen on. */
static enum trp_status endpoint_check(const struct trp_sim_host *host,
                                      const struct trp_endpoint *endpoint)
{
    static const uint8_t any[4] = {0, 0, 0, 0};
    uint8_t own[4];
    trp_world_host_ip(host->index, own);
    if (endpoint->host != TRP_MA_IP4) {
        return TRP_EUNSUPPORTED;
    }
    bool mine = memcmp(endpoint->ip, any, 4) == 0 || memcmp(endpoint->ip, own, 4) == 0;
    return mine || endpoint->ip[0] == 127 ? TRP_OK : TRP_EINVAL;
}

void trp_sim_listen(struct trp_world *world, struct trp_sim_host *host,
                    const struct trp_output *out)
{
    struct trp_endpoint endpoint = {.port = 0};
    enum trp_status status = trp_multiaddr_tcp(out->address, &endpoint);
    if (status == TRP_OK) {
        status = endpoint_check(host, &endpoint);
    }
    if (status == TRP_OK && endpoint.port != 0 && listener_by_port(host, endpoint.port) != NULL) {
        status = TRP_EADDRINUSE;
    }
    listener_add(world, host, out, status, &endpoint);
}

void trp_sim_socket_answer(struct trp_world *world, struct trp_sim_host *host,
                           const struct trp_happening *happening)
{
    struct trp_sim_listener *listener = listener_by_id(host, happening->subject);
    if (listener == NULL) {
        trp_sim_datagram_answer(world, host, happening);
        return;
    }
    if (happening->detail != host->incarnation) {
        return;
    }
    struct trp_multiaddr address;
    struct trp_input in = {.kind = TRP_IN_CLOSED,
                           .status = listener->status,
                           .cause = listener->cause,
                           .socket = listener->id};
    if (listener->status == TRP_OK) {
        uint8_t ip[4] = {127, 0, 0, 1};
        if (!listener->loopback) {
            trp_world_host_ip(host->index, ip);
        }
        address = trp_multiaddr_from_ip(ip, sizeof ip, listener->port);
        in.kind = TRP_IN_LISTENING;
        in.addresses = &address;
        in.addresses_count = 1;
    } else {
        listener_remove(world, host, listener);
    }
    (void)trp_sim_host_input(world, host, &in);
}

/* ---- connecting ---- */

/* Gives the host that an address leads to from `host`. */
static enum trp_status dial_target(const struct trp_world *world, const struct trp_sim_host *host,
                                   const struct trp_endpoint *endpoint, uint32_t *ret_target)
{
    if (endpoint->host != TRP_MA_IP4) {
        return TRP_EUNSUPPORTED;
    }
    if (endpoint->ip[0] == 127) {
        *ret_target = host->index;
        return TRP_OK;
    }
    return trp_sim_host_by_ip(world, endpoint->ip, ret_target) == TRP_OK ? TRP_OK
                                                                         : TRP_EUNREACHABLE;
}

static enum trp_status duplex_open(struct trp_world *world, struct trp_sim_host *host,
                                   struct trp_sim_host *target, struct trp_sim_duplex **ret_duplex)
{
    struct trp_sim_path *there = trp_sim_path_find(world, host->index, target->index);
    struct trp_sim_path *back = trp_sim_path_find(world, target->index, host->index);
    if (there == NULL || back == NULL) {
        return TRP_ENOMEM;
    }
    trp_handle handle;
    void *object;
    enum trp_status status = trp_slab_insert(&world->duplexes, &handle, &object);
    if (status != TRP_OK) {
        return status;
    }
    struct trp_sim_duplex *duplex = object;
    duplex->handle = handle;
    duplex->key = trp_draw(world->config.seed, there->pair, TRP_SIM_DRAW_DUPLEX, there->dials++);
    duplex->ends[0].host = host;
    duplex->ends[0].path = there;
    duplex->ends[1].host = target;
    duplex->ends[1].path = back;
    duplex->ends[1].index = 1;
    *ret_duplex = duplex;
    return TRP_OK;
}

void trp_sim_dial(struct trp_world *world, struct trp_sim_host *host, const struct trp_output *out)
{
    struct trp_endpoint endpoint = {.port = 0};
    struct trp_sim_duplex *duplex = NULL;
    uint32_t target = 0;
    enum trp_status status = trp_multiaddr_tcp(out->address, &endpoint);
    if (status == TRP_OK) {
        status = dial_target(world, host, &endpoint, &target);
    }
    if (status == TRP_OK) {
        status = duplex_open(world, host, world->hosts[target], &duplex);
    }
    if (status != TRP_OK) {
        listener_add(world, host, out, status, NULL);
        return;
    }
    struct trp_sim_end *end = &duplex->ends[0];
    end->id = out->socket;
    end->state = TRP_SIM_END_DIALING;
    end->port = port_choose(host);
    end->cause = out->cause;
    duplex->ends[1].port = endpoint.port;
    if (!end_register(end)) {
        trp_sim_fail(world, TRP_ENOMEM);
        trp_slab_remove(&world->duplexes, duplex->handle);
        return;
    }
    trp_sim_flow_push(world, end, TRP_BYTES_NONE, TRP_SIM_SYN, out->cause);
}

enum trp_status trp_sim_end_accept(struct trp_sim_end *end)
{
    struct trp_sim_host *host = end->host;
    struct trp_sim_end *dialer = trp_sim_end_other(end);
    struct trp_sim_listener *listener = listener_by_port(host, end->port);
    if (host->state != TRP_SIM_HOST_UP || listener == NULL ||
        (listener->loopback && dialer->host != host)) {
        return TRP_EREFUSED;
    }
    if (listener->backlog_count >= TRP_SIM_BACKLOG_MAX) {
        return TRP_EFULL;
    }
    end->id = host->accepted_next;
    if (!end_register(end)) {
        return TRP_ENOMEM;
    }
    host->accepted_next += 2;
    end->state = TRP_SIM_END_BACKLOG;
    end->listener = listener->id;
    listener->backlog_count++;
    return TRP_OK;
}

void trp_sim_end_connected(struct trp_world *world, struct trp_sim_end *end)
{
    if (end->state != TRP_SIM_END_DIALING) {
        return;
    }
    end->state = TRP_SIM_END_OPEN;
    end->connected_due = true;
    world->stats.connections_opened++;
    trp_sim_flow_push(world, end, TRP_BYTES_NONE, TRP_SIM_HELLO, end->cause);
}

/* ---- outputs on a connection ---- */

/* Something has come that the process has not read. */
static bool end_has_unread(struct trp_sim_end *end)
{
    const struct trp_sim_chunk *chunk = trp_sim_end_other(end)->head;
    return chunk != NULL && (chunk->flags & TRP_SIM_ARRIVED) != 0 && chunk->taken < chunk->size;
}

static void end_abort(struct trp_world *world, struct trp_sim_end *end, uint64_t cause)
{
    bool known = end->state != TRP_SIM_END_DIALING && !end->closed_due;
    end_detach(world, end, TRP_SIM_END_GONE);
    if (known) {
        trp_sim_flow_abort(world, end, cause);
    }
}

/* Closes as a kernel does for its process: the rest is sent, then the end of stream; but bytes that
 * came and were not read make it a reset. */
static void end_close(struct trp_world *world, struct trp_sim_end *end, bool abort, uint64_t cause)
{
    if (abort || end->state != TRP_SIM_END_OPEN || end->closed_due || end_has_unread(end)) {
        end_abort(world, end, cause);
        return;
    }
    if (!end->fin_queued) {
        end->fin_queued = true;
        trp_sim_flow_push(world, end, TRP_BYTES_NONE, TRP_SIM_FIN, cause);
    }
    end_detach(world, end, TRP_SIM_END_CLOSED);
}

static void listener_close(struct trp_world *world, struct trp_sim_host *host,
                           struct trp_sim_listener *listener)
{
    struct trp_list_link *link = trp_list_front(&host->ends);
    while (link != NULL) {
        struct trp_sim_end *end = TRP_CONTAINER(link, struct trp_sim_end, attached);
        link = trp_list_next(&host->ends, link);
        if (end->state == TRP_SIM_END_BACKLOG && end->listener == listener->id) {
            struct trp_sim_duplex *duplex = trp_sim_end_duplex(end);
            end_abort(world, end, 0);
            trp_sim_duplex_settle(world, duplex);
        }
    }
    listener_remove(world, host, listener);
}

static void end_perform(struct trp_world *world, struct trp_sim_end *end,
                        const struct trp_output *out)
{
    bool writable = !end->closed_due && !end->fin_queued;
    if (out->kind == TRP_OUT_BYTES && writable && out->bytes.size > 0) {
        end->host->bytes_sent += out->bytes.size;
        trp_sim_flow_push(world, end, out->bytes, 0, out->cause);
    } else if (out->kind == TRP_OUT_SHUTDOWN && writable) {
        end->fin_queued = true;
        trp_sim_flow_push(world, end, TRP_BYTES_NONE, TRP_SIM_FIN, out->cause);
    } else if (out->kind == TRP_OUT_PAUSE) {
        end->read_paused = true;
    } else if (out->kind == TRP_OUT_RESUME && end->read_paused) {
        end->read_paused = false;
        trp_sim_end_poke(world, end);
    } else if (out->kind == TRP_OUT_CLOSE) {
        struct trp_sim_duplex *duplex = trp_sim_end_duplex(end);
        end_close(world, end, out->abort, out->cause);
        trp_sim_duplex_settle(world, duplex);
    }
}

void trp_sim_socket_perform(struct trp_world *world, struct trp_sim_host *host,
                            const struct trp_output *out)
{
    struct trp_sim_end *end = end_find(host, out->socket);
    if (end != NULL) {
        end_perform(world, end, out);
        return;
    }
    struct trp_sim_listener *listener = listener_by_id(host, out->socket);
    if (listener != NULL && out->kind == TRP_OUT_CLOSE) {
        listener_close(world, host, listener);
    }
}

void trp_sim_sockets_end(struct trp_world *world, struct trp_sim_host *host, bool power_lost)
{
    while (!trp_list_is_empty(&host->listeners)) {
        struct trp_list_link *link = trp_list_front(&host->listeners);
        listener_remove(world, host, TRP_CONTAINER(link, struct trp_sim_listener, link));
    }
    struct trp_list_link *link;
    while ((link = trp_list_front(&host->ends)) != NULL) {
        struct trp_sim_end *end = TRP_CONTAINER(link, struct trp_sim_end, attached);
        struct trp_sim_duplex *duplex = trp_sim_end_duplex(end);
        if (power_lost) {
            end_detach(world, end, TRP_SIM_END_GONE);
        } else {
            end_close(world, end, false, 0);
        }
        trp_sim_duplex_settle(world, duplex);
    }
}

/* ---- inputs ---- */

void trp_sim_end_fail(struct trp_world *world, struct trp_sim_end *end, enum trp_status status,
                      uint64_t cause)
{
    if (!trp_sim_end_takes(end)) {
        return;
    }
    end->closed_due = true;
    end->closed_status = status;
    end->cause = cause;
    trp_sim_flow_silence(world, end);
}

void trp_sim_end_finish(struct trp_sim_end *end)
{
    if (end->state == TRP_SIM_END_OPEN && end->eof_given && end->fin_acked && !end->closed_due) {
        end->closed_due = true;
        end->closed_status = TRP_OK;
    }
}

/* Something has come that the process wants to read: bytes, or the end of them. */
static bool end_is_readable(struct trp_sim_end *end)
{
    const struct trp_sim_chunk *chunk = trp_sim_end_other(end)->head;
    return chunk != NULL && (chunk->flags & TRP_SIM_ARRIVED) != 0 && !end->read_paused;
}

static bool end_has_bytes(struct trp_sim_end *end)
{
    const struct trp_sim_chunk *chunk = trp_sim_end_other(end)->head;
    return end_is_readable(end) && chunk->taken < chunk->size;
}

/* Says whether the process is to be told something. */
static bool end_is_due(struct trp_sim_end *end)
{
    if (!trp_sim_end_is_attached(end)) {
        return false;
    }
    if (end->closed_due || end->connected_due || end->accepted_due) {
        return true;
    }
    if (end->state != TRP_SIM_END_OPEN) {
        return false;
    }
    return end->credit >= TRP_SENT_BYTES_MIN || end_is_readable(end);
}

void trp_sim_end_poke(struct trp_world *world, struct trp_sim_end *end)
{
    if (!end->deliver_pending && end_is_due(end)) {
        end->deliver_pending = true;
        trp_sim_end_plan(world, end, TRP_SIM_DELIVER, end->host->index, world->now, 0);
    }
}

static struct trp_multiaddr end_address(const struct trp_sim_end *end)
{
    uint8_t ip[4];
    trp_world_host_ip(end->host->index, ip);
    return trp_multiaddr_from_ip(ip, sizeof ip, end->port);
}

static enum trp_status deliver_open(struct trp_world *world, struct trp_sim_end *end)
{
    struct trp_sim_listener *listener = listener_by_id(end->host, end->listener);
    const struct trp_multiaddr addresses[2] = {end_address(end),
                                               end_address(trp_sim_end_other(end))};
    struct trp_input in = {.kind = end->connected_due ? TRP_IN_CONNECTED : TRP_IN_ACCEPTED,
                           .cause = end->cause,
                           .socket = end->id,
                           .listener = end->listener,
                           .addresses = addresses,
                           .addresses_count = 2};
    if (end->accepted_due && listener != NULL) {
        listener->backlog_count--;
    }
    end->state = TRP_SIM_END_OPEN;
    end->connected_due = end->accepted_due = false;
    return trp_sim_host_input(world, end->host, &in);
}

static enum trp_status deliver_closed(struct trp_world *world, struct trp_sim_end *end,
                                      enum trp_status status, uint64_t cause)
{
    struct trp_sim_host *host = end->host;
    bool known = end->state != TRP_SIM_END_BACKLOG;
    struct trp_input in = {
        .kind = TRP_IN_CLOSED, .status = status, .cause = cause, .socket = end->id};
    struct trp_sim_duplex *duplex = trp_sim_end_duplex(end);
    end_detach(world, end, TRP_SIM_END_GONE);
    trp_sim_duplex_settle(world, duplex);
    return known ? trp_sim_host_input(world, host, &in) : TRP_OK;
}

/* Gives the oldest bytes that came, all of them or up to a keyed place; or the end of them. */
static enum trp_status deliver_bytes(struct trp_world *world, struct trp_sim_end *end)
{
    struct trp_sim_host *host = end->host;
    struct trp_sim_end *sender = trp_sim_end_other(end);
    const struct trp_sim_chunk *chunk = sender->head;
    if ((chunk->flags & TRP_SIM_RST) != 0) {
        return deliver_closed(world, end, TRP_ERESET, chunk->cause);
    }
    struct trp_input in = {.kind = TRP_IN_EOF, .cause = chunk->cause, .socket = end->id};
    uint32_t count = chunk->size - chunk->taken;
    if (count > 0) {
        uint64_t draw = trp_draw(world->config.seed, trp_sim_end_key(sender), TRP_SIM_DRAW_SPLIT,
                                 sender->taken);
        if ((draw & 3u) == 0 && count > 1) {
            count = 1 + trp_draw_below(draw, count - 1);
            end->deliver_pending = true; /* the rest comes within some microseconds */
            trp_sim_end_plan(world, end, TRP_SIM_DELIVER, host->index,
                             world->now + 1 + (draw >> 2 & 0x3fffu), 0);
        }
        in.kind = TRP_IN_BYTES;
        in.sent_bytes = end->credit;
        end->credit = 0;
        in.bytes = trp_bytes(chunk->data + chunk->taken, count);
        host->bytes_received += count;
    } else {
        end->eof_given = true;
        trp_sim_end_finish(end);
    }
    struct trp_sim_chunk *done = trp_sim_flow_take(world, sender, count);
    enum trp_status status = trp_sim_host_input(world, host, &in);
    trp_sim_chunk_free(world, done);
    return status;
}

void trp_sim_end_deliver(struct trp_world *world, struct trp_sim_end *end)
{
    if (end->deliver_pending || !end_is_due(end)) {
        return;
    }
    if (!trp_sim_host_runs(end->host)) {
        trp_sim_end_poke(world, end);
        return;
    }
    trp_handle handle = trp_sim_end_duplex(end)->handle;
    uint32_t index = end->index;
    if (end->closed_due) {
        (void)deliver_closed(world, end, end->closed_status, end->cause);
    } else if (end->connected_due || end->accepted_due) {
        (void)deliver_open(world, end);
    } else if (end->credit >= TRP_SENT_BYTES_MIN && !end_has_bytes(end)) {
        struct trp_input in = {.kind = TRP_IN_SENT, .socket = end->id, .sent_bytes = end->credit};
        end->credit = 0;
        (void)trp_sim_host_input(world, end->host, &in);
    } else {
        (void)deliver_bytes(world, end);
    }
    struct trp_sim_duplex *duplex = trp_slab_find(&world->duplexes, handle);
    if (duplex !=
        NULL) { /* what the process said goes first, and takes the acknowledgement along */
        trp_sim_flow_ack_taken(world, &duplex->ends[1 - index]);
        trp_sim_end_poke(world, &duplex->ends[index]);
    }
}
