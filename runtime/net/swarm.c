/* SPDX-License-Identifier: MIT */
#include "net/swarm.h"

#include "base/assert.h"
#include "crypto/crypto.h"
#include "net/behaviours.h"
#include "net/connection.h"
#include "net/dial.h"
#include "net/listen.h"
#include "net/pool.h"
#include "net/pump.h"
#include "net/spare.h"
#include "net/state.h"
#include "net/stream.h"
#include "wire/public_key.h"

#define WORDS_BYTES_MAX   32768u /* one answer of a negotiation */
#define PROTOCOLS_MAX     256u   /* that a peer may name, as far as we remember */
#define IDENTIFIED_MAX    256u   /* peers identified in one step */
#define SLABS_STREAMS_MAX (1u << 24)

/* ---- opening and closing ---- */

static void swarm_init_tables(struct trp_swarm *swarm)
{
    const struct trp_limits *limits = swarm->limits;
    struct trp_memory *memory = swarm->memory;
    trp_transport_init(&swarm->transport, memory, limits->socket_send_bytes);
    trp_datagrams_init(&swarm->datagrams, memory);
    trp_peer_store_init(&swarm->store, memory, limits->peers_known, limits->addresses_per_peer);
    /* Twice: closed ones stay until their last bytes are handed over. */
    uint64_t connections = 2ull * ((uint64_t)limits->connections + limits->connections_pending_in +
                                   limits->connections_pending_out);
    uint64_t streams = (uint64_t)limits->connections * limits->streams_per_connection;
    swarm->connections =
        trp_slab_init(memory, sizeof(struct trp_connection),
                      connections < SLABS_STREAMS_MAX ? (uint32_t)connections : SLABS_STREAMS_MAX);
    swarm->streams =
        trp_slab_init(memory, sizeof(struct trp_stream),
                      streams < SLABS_STREAMS_MAX ? (uint32_t)streams : SLABS_STREAMS_MAX);
    swarm->peers = trp_index_init(memory);
    swarm->dials = trp_slab_init(memory, sizeof(struct trp_dial), limits->connections_pending_out);
    swarm->timers = trp_heap_init(memory);
    swarm->spare = trp_buffer_init(memory, 0);
    swarm->staging = trp_buffer_init(memory, 0);
    swarm->words = trp_buffer_init(memory, WORDS_BYTES_MAX);
    trp_list_init(&swarm->idle);
    trp_list_init(&swarm->dirty_connections);
    trp_list_init(&swarm->dirty_dials);
    trp_list_init(&swarm->accepted_pending);
    trp_list_init(&swarm->dials_waiting);
    trp_list_init(&swarm->notify_streams);
    trp_list_init(&swarm->negotiating_streams);
    trp_list_init(&swarm->identified);
}

enum trp_status trp_swarm_open(const struct trp_swarm_config *config, struct trp_swarm **ret_swarm)
{
    struct trp_swarm *swarm = trp_memory_alloc(config->memory, sizeof *swarm);
    if (swarm == NULL) {
        return TRP_ENOMEM;
    }
    swarm->config = *config;
    swarm->memory = config->memory;
    swarm->limits = config->limits;
    swarm->trace = config->trace;
    swarm->now = config->now;
    swarm->resume_at = TRP_NEVER;
    swarm_init_tables(swarm);
    trp_peer_id_from_key(&config->identity->public_key, &swarm->self);
    uint8_t noise_static[32];
    trp_drbg_fill(config->drbg, noise_static, sizeof noise_static);
    trp_noise_identity_init(config->identity, noise_static, &swarm->noise);
    trp_crypto_wipe(noise_static, sizeof noise_static);
    swarm->behaviours_count = config->behaviours_count;
    swarm->behaviours = trp_memory_alloc(config->memory, (size_t)(config->behaviours_count + 1) *
                                                             sizeof *swarm->behaviours);
    if (swarm->behaviours == NULL) {
        trp_swarm_close(swarm);
        return TRP_ENOMEM;
    }
    for (uint32_t i = 0; i < config->behaviours_count; i++) {
        swarm->behaviours[i] = config->behaviours[i];
    }
    for (uint32_t i = 0; i < config->behaviours_count; i++) {
        const struct trp_behaviour *behaviour = &swarm->behaviours[i];
        if (behaviour->ops->attach != NULL) {
            behaviour->ops->attach(behaviour->self, swarm, i);
        }
    }
    *ret_swarm = swarm;
    return TRP_OK;
}

/* Frees what was closed and has nothing left to say. */
static void swarm_reap(struct trp_swarm *swarm)
{
    struct trp_transport_socket *socket;
    while ((socket = trp_transport_next_done(&swarm->transport)) != NULL) {
        struct trp_connection *c;
        trp_buffer_free(&socket->tx);
        switch (socket->kind) {
        case TRP_SOCKET_LISTENER:
            trp_listener_discard(swarm, TRP_CONTAINER(socket, struct trp_listener, socket));
            break;
        case TRP_SOCKET_RESOLVE:
            trp_resolve_discard(swarm, TRP_CONTAINER(socket, struct trp_resolve, socket));
            break;
        case TRP_SOCKET_CONNECTION:
            c = TRP_CONTAINER(socket, struct trp_connection, socket);
            TRP_ASSERT(c->state == TRP_CONNECTION_CLOSED);
            trp_memory_free(swarm->memory, c->remote);
            trp_slab_remove(&swarm->connections, c->id);
            break;
        }
    }
}

/* Takes everything apart without telling anybody. */
static void swarm_discard(struct trp_swarm *swarm)
{
    uint32_t at = 0;
    trp_handle id;
    struct trp_stream *s;
    struct trp_connection *c;
    struct trp_dial *dial;
    struct trp_list_link *link;
    while ((s = trp_slab_next(&swarm->streams, &at, &id)) != NULL) {
        trp_stream_discard(swarm, s);
    }
    for (at = 0; (c = trp_slab_next(&swarm->connections, &at, &id)) != NULL;) {
        trp_connection_release(swarm, c);
        trp_transport_forget(&swarm->transport, &c->socket);
    }
    for (at = 0; (dial = trp_slab_next(&swarm->dials, &at, &id)) != NULL;) {
        while ((link = trp_list_pop_front(&dial->resolves)) != NULL) {
            trp_transport_forget(&swarm->transport,
                                 &TRP_CONTAINER(link, struct trp_resolve, link)->socket);
        }
        trp_dial_discard(swarm, dial);
    }
    for (uint32_t i = 0; i < TRP_LISTENERS_MAX; i++) {
        if (swarm->listeners[i] != NULL) {
            trp_transport_forget(&swarm->transport, &swarm->listeners[i]->socket);
        }
    }
    while ((link = trp_list_pop_front(&swarm->identified)) != NULL) {
        trp_memory_free(swarm->memory, TRP_CONTAINER(link, struct trp_identified_copy, link));
    }
    struct trp_pool_peer *peer;
    for (at = 0; (peer = trp_index_pop(&swarm->peers, &at)) != NULL;) {
        trp_memory_free(swarm->memory, peer);
    }
    trp_index_deinit(&swarm->peers);
}

void trp_swarm_close(struct trp_swarm *swarm)
{
    if (swarm == NULL) {
        return;
    }
    trp_transport_release(&swarm->transport);
    swarm_reap(swarm);
    swarm_discard(swarm);
    swarm_reap(swarm);
    trp_transport_deinit(&swarm->transport);
    trp_datagrams_deinit(&swarm->datagrams);
    trp_peer_store_deinit(&swarm->store);
    trp_protocol_table_release(swarm, swarm->accepted);
    trp_slab_free(&swarm->connections);
    trp_origin_free_all(&swarm->origins, swarm->memory);
    trp_memory_free(swarm->memory, swarm->proven.ips);
    trp_slab_free(&swarm->streams);
    trp_slab_free(&swarm->dials);
    trp_heap_free(&swarm->timers);
    trp_buffer_free(&swarm->spare);
    trp_buffer_free(&swarm->staging);
    trp_buffer_free(&swarm->words);
    trp_memory_free(swarm->memory, swarm->opened);
    trp_memory_free(swarm->memory, swarm->behaviours);
    trp_crypto_wipe(&swarm->noise, sizeof swarm->noise);
    trp_memory_free(swarm->memory, swarm);
}

/* ---- the work loop ---- */

static void swarm_tell_identified(struct trp_swarm *swarm, struct trp_identified_copy *copy)
{
    swarm->identified_count--;
    uint64_t cause = swarm->trace->cause;
    swarm->trace->cause = copy->cause;
    trp_behaviours_identified(swarm, &copy->identified);
    swarm->trace->cause = cause;
    trp_memory_free(swarm->memory, copy);
}

static bool swarm_expire(struct trp_swarm *swarm)
{
    if (trp_heap_deadline(&swarm->timers) > swarm->now) {
        return trp_stream_expire(swarm);
    }
    struct trp_timer *timer =
        TRP_CONTAINER(trp_heap_front(&swarm->timers), struct trp_timer, entry);
    if (timer->kind == TRP_TIMER_CONNECTION) {
        trp_connection_expire(swarm, TRP_CONTAINER(timer, struct trp_connection, timer));
    } else {
        trp_resolve_expire(swarm, TRP_CONTAINER(timer, struct trp_resolve, timer));
    }
    return true;
}

/* Does one thing that is to be done; false when there is none. What behaviours are owed comes
 * first, then what they asked for, then time. */
static bool swarm_turn(struct trp_swarm *swarm)
{
    struct trp_list_link *link;
    if ((link = trp_list_front(&swarm->notify_streams)) != NULL) {
        trp_stream_notify(swarm, TRP_CONTAINER(link, struct trp_stream, notify_link));
    } else if ((link = trp_list_pop_front(&swarm->dirty_dials)) != NULL) {
        trp_dial_work(swarm, TRP_CONTAINER(link, struct trp_dial, dirty_link));
    } else if ((link = trp_list_pop_front(&swarm->dirty_connections)) != NULL) {
        trp_connection_work(swarm, TRP_CONTAINER(link, struct trp_connection, dirty_link));
    } else if ((link = trp_list_pop_front(&swarm->identified)) != NULL) {
        swarm_tell_identified(swarm, TRP_CONTAINER(link, struct trp_identified_copy, link));
    } else if (swarm->self_changed) {
        swarm->self_changed = false;
        trp_behaviours_self_changed(swarm);
    } else {
        return swarm_expire(swarm) || trp_behaviours_expire(swarm);
    }
    return true;
}

static void swarm_work(struct trp_swarm *swarm)
{
    uint32_t turns = 0;
    swarm->resume_at = TRP_NEVER;
    while (swarm_turn(swarm)) {
        if (++turns == TRP_TURNS_MAX) {
            trp_net_limit_reached(&swarm->limit_marks, swarm->trace, swarm->limits, TRP_NET_TURNS);
            swarm->resume_at = trp_time_after(swarm->now, TRP_TURNS_REST_NS);
            return;
        }
    }
}

static void swarm_begin(struct trp_swarm *swarm, trp_time now)
{
    swarm->now = now > swarm->now ? now : swarm->now;
    swarm->trace->now = swarm->now;
    trp_transport_release(&swarm->transport);
    trp_datagrams_release(&swarm->datagrams);
    swarm_reap(swarm);
}

enum trp_status trp_swarm_run(struct trp_swarm *swarm, trp_time now)
{
    swarm_begin(swarm, now);
    swarm_work(swarm);
    return TRP_OK;
}

/* ---- inputs ---- */

static void connection_input(struct trp_swarm *swarm, struct trp_connection *c,
                             const struct trp_input *in)
{
    switch (in->kind) {
    case TRP_IN_CONNECTED:
        trp_connection_connected(swarm, c);
        break;
    case TRP_IN_BYTES:
        trp_transport_sent(&c->socket, in->sent_bytes);
        trp_pump_recv(swarm, c, in->bytes);
        break;
    case TRP_IN_EOF:
        trp_connection_on_eof(swarm, c);
        break;
    case TRP_IN_SENT:
        trp_transport_sent(&c->socket, in->sent_bytes);
        break;
    case TRP_IN_CLOSED:
        trp_connection_on_closed(swarm, c, in->status);
        return;
    case TRP_IN_TIME:
    case TRP_IN_LISTENING:
    case TRP_IN_ACCEPTED:
    case TRP_IN_RESOLVED:
    case TRP_IN_COMMAND:
    case TRP_IN_BOUND:
    case TRP_IN_DATAGRAM:
    case TRP_IN_JOINED:
    case TRP_IN_INTERFACES:
        return; /* means nothing to a connection */
    }
    if (c->state != TRP_CONNECTION_CLOSED) {
        trp_connection_touch(swarm, c);
    }
}

static void socket_input(struct trp_swarm *swarm, struct trp_transport_socket *socket,
                         const struct trp_input *in)
{
    if (socket->kind == TRP_SOCKET_CONNECTION) {
        connection_input(swarm, TRP_CONTAINER(socket, struct trp_connection, socket), in);
    } else if (socket->kind == TRP_SOCKET_LISTENER) {
        struct trp_listener *listener = TRP_CONTAINER(socket, struct trp_listener, socket);
        if (in->kind == TRP_IN_LISTENING) {
            trp_listener_on_bound(swarm, listener, in->addresses, in->addresses_count);
        } else if (in->kind == TRP_IN_CLOSED) {
            trp_listener_on_closed(swarm, listener, in->status);
        }
    } else if (in->kind == TRP_IN_RESOLVED || in->kind == TRP_IN_CLOSED) {
        enum trp_status status =
            in->kind == TRP_IN_CLOSED && in->status == TRP_OK ? TRP_ERESOLVE : in->status;
        trp_dial_on_resolved(swarm, TRP_CONTAINER(socket, struct trp_resolve, socket), status,
                             in->addresses, in->addresses_count);
    }
}

static enum trp_status swarm_accept(struct trp_swarm *swarm, const struct trp_input *in)
{
    struct trp_multiaddr none = {0};
    struct trp_multiaddr remote =
        in->addresses_count > 1 ? trp_multiaddr_without_peer(&in->addresses[1]) : none;
    enum trp_status status = trp_connection_accept(swarm, in->socket, &remote);
    return status == TRP_OK ? TRP_OK : trp_transport_refuse(&swarm->transport, in->socket);
}

enum trp_status trp_swarm_step(struct trp_swarm *swarm, const struct trp_input *in)
{
    swarm_begin(swarm, in->now);
    swarm->trace->cause = in->cause;
    enum trp_status status = TRP_OK;
    if (in->kind == TRP_IN_ACCEPTED) {
        status = swarm_accept(swarm, in);
    } else if (in->kind != TRP_IN_TIME && in->kind != TRP_IN_COMMAND &&
               !trp_datagrams_input(swarm, in)) {
        struct trp_transport_socket *socket = trp_transport_find(&swarm->transport, in->socket);
        if (socket != NULL) { /* else it crossed with our closing */
            socket_input(swarm, socket, in);
        }
    }
    swarm_work(swarm);
    return status;
}

bool trp_swarm_next_output(struct trp_swarm *swarm, struct trp_output *ret_out)
{
    return trp_transport_next_output(&swarm->transport, ret_out) ||
           trp_datagrams_next_output(&swarm->datagrams, ret_out);
}

trp_time trp_swarm_deadline(const struct trp_swarm *swarm)
{
    if (swarm->resume_at != TRP_NEVER) {
        return swarm->resume_at;
    }
    bool work = !trp_list_is_empty(&swarm->notify_streams) ||
                !trp_list_is_empty(&swarm->dirty_dials) ||
                !trp_list_is_empty(&swarm->dirty_connections) ||
                !trp_list_is_empty(&swarm->identified) || swarm->self_changed;
    if (work) {
        return swarm->now;
    }
    trp_time at = trp_heap_deadline(&swarm->timers);
    at = trp_time_min(at, trp_stream_deadline(swarm));
    return trp_time_min(at, trp_behaviours_deadline(swarm));
}

/* ---- what behaviours ask ---- */

trp_time trp_swarm_now(const struct trp_swarm *swarm)
{
    return swarm->now;
}

const struct trp_peer_id *trp_swarm_peer_id(const struct trp_swarm *swarm)
{
    return &swarm->self;
}

const struct trp_limits *trp_swarm_limits(const struct trp_swarm *swarm)
{
    return swarm->limits;
}

struct trp_trace *trp_swarm_trace(const struct trp_swarm *swarm)
{
    return swarm->trace;
}

uint32_t trp_swarm_protocols(const struct trp_swarm *swarm, const char **ret_protocols,
                             uint32_t max)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < swarm->behaviours_count && count < max; i++) {
        const struct trp_behaviour *behaviour = &swarm->behaviours[i];
        if (behaviour->ops->protocols != NULL) {
            uint32_t room = max - count;
            uint32_t more = behaviour->ops->protocols(behaviour->self, ret_protocols + count, room);
            count += more < room ? more : room;
        }
    }
    return count;
}

uint32_t trp_swarm_connections_to(const struct trp_swarm *swarm, const struct trp_peer_id *peer)
{
    const struct trp_pool_peer *found = trp_pool_find(swarm, peer);
    return found == NULL ? 0 : found->connections_count;
}

bool trp_swarm_next_connection(const struct trp_swarm *swarm, uint32_t *at,
                               struct trp_connection_info *ret_info)
{
    while (*at < swarm->opened_count) {
        trp_connection_id id = swarm->opened[(*at)++];
        const struct trp_connection *c = id == 0 ? NULL : trp_slab_find(&swarm->connections, id);
        if (c != NULL) {
            *ret_info = trp_connection_info(c);
            return true;
        }
    }
    return false;
}

bool trp_swarm_find_connection(const struct trp_swarm *swarm, trp_connection_id connection,
                               struct trp_connection_info *ret_info)
{
    const struct trp_connection *c = trp_slab_find(&swarm->connections, connection);
    if (c == NULL || c->state != TRP_CONNECTION_OPEN) {
        return false;
    }
    *ret_info = trp_connection_info(c);
    return true;
}

uint32_t trp_swarm_connections_count(const struct trp_swarm *swarm)
{
    return swarm->open_count;
}

uint32_t trp_swarm_streams_count(const struct trp_swarm *swarm)
{
    return swarm->streams.count;
}

uint32_t trp_swarm_known_addresses(const struct trp_swarm *swarm, const struct trp_peer_id *peer,
                                   struct trp_multiaddr *ret_addresses, uint32_t max)
{
    return trp_peer_store_addresses(&swarm->store, peer, ret_addresses, max);
}

void trp_swarm_keep_addresses(struct trp_swarm *swarm, const struct trp_peer_id *peer, bool keep)
{
    trp_peer_store_keep(&swarm->store, peer, keep);
}

/* ---- what behaviours ask for ---- */

enum trp_status trp_swarm_dial(struct trp_swarm *swarm, const struct trp_dial_request *request)
{
    struct trp_peer_id id = request->peer;
    if (id.size == 0 && request->addresses_count == 0) {
        return TRP_ENOADDRESS;
    }
    if (id.size == 0 && trp_multiaddr_peer(&request->addresses[0], &id) != TRP_OK) {
        return trp_dial_begin(swarm, NULL, request->addresses, request->addresses_count);
    }
    if (trp_peer_id_equal(&id, &swarm->self)) {
        return TRP_EINVAL;
    }
    struct trp_pool_peer *peer = trp_pool_obtain(swarm, &id);
    if (peer == NULL) {
        return TRP_ENOMEM;
    }
    if (peer->connections_count > 0 && !request->even_if_connected) {
        return TRP_EEXISTS;
    }
    enum trp_status status =
        trp_dial_begin(swarm, peer, request->addresses, request->addresses_count);
    trp_pool_release(swarm, peer);
    return status;
}

void trp_swarm_close_connection(struct trp_swarm *swarm, trp_connection_id connection,
                                enum trp_status reason)
{
    struct trp_connection *c = trp_slab_find(&swarm->connections, connection);
    if (c != NULL && c->state != TRP_CONNECTION_CLOSED && !c->close_due) {
        c->close_due = true;
        c->close_reason = reason;
        trp_connection_touch(swarm, c);
    }
}

void trp_swarm_close_peer(struct trp_swarm *swarm, const struct trp_peer_id *peer,
                          enum trp_status reason)
{
    const struct trp_pool_peer *found = trp_pool_find(swarm, peer);
    if (found == NULL) {
        return;
    }
    for (struct trp_list_link *link = trp_list_front(&found->connections); link != NULL;
         link = trp_list_next(&found->connections, link)) {
        trp_swarm_close_connection(swarm, TRP_CONTAINER(link, struct trp_connection, pool_link)->id,
                                   reason);
    }
}

void trp_swarm_keep_alive(struct trp_swarm *swarm, const struct trp_peer_id *peer, int32_t change)
{
    struct trp_pool_peer *found =
        change > 0 ? trp_pool_obtain(swarm, peer) : trp_pool_find(swarm, peer);
    if (found == NULL) {
        return;
    }
    int64_t count = (int64_t)found->keep_alive + change;
    count = count < 0 ? 0 : count;
    found->keep_alive = count > INT32_MAX ? INT32_MAX : (int32_t)count;
    for (struct trp_list_link *link = trp_list_front(&found->connections); link != NULL;
         link = trp_list_next(&found->connections, link)) {
        trp_connection_set_keepalive(swarm, TRP_CONTAINER(link, struct trp_connection, pool_link));
    }
    trp_pool_release(swarm, found);
}

void trp_swarm_add_address(struct trp_swarm *swarm, const struct trp_peer_id *peer,
                           const struct trp_multiaddr *address, enum trp_address_source source)
{
    struct trp_multiaddr plain = trp_multiaddr_without_peer(address);
    if (peer->size == 0 || plain.size == 0 || trp_peer_id_equal(peer, &swarm->self)) {
        return;
    }
    trp_pool_note_address(swarm, peer, &plain, source);
}

void trp_swarm_forget_address(struct trp_swarm *swarm, const struct trp_peer_id *peer,
                              const struct trp_multiaddr *address, enum trp_address_source source)
{
    struct trp_multiaddr plain = trp_multiaddr_without_peer(address);
    trp_peer_store_forget(&swarm->store, peer, &plain, source);
}

static size_t identified_texts_bytes(const struct trp_identified *identified, uint32_t protocols)
{
    size_t size = identified->agent == NULL ? 1 : strlen(identified->agent) + 1;
    for (uint32_t i = 0; i < protocols; i++) {
        size += strlen(identified->protocols[i]) + 1;
    }
    return size;
}

static const char *text_copy(const char *text, char **at)
{
    size_t size = strlen(text) + 1;
    char *copy = *at;
    memcpy(copy, text, size);
    *at += size;
    return copy;
}

/* One block: the struct, addresses, the list of protocols, texts. */
static struct trp_identified_copy *identified_copy(struct trp_swarm *swarm,
                                                   const struct trp_identified *identified)
{
    uint32_t protocols =
        identified->protocols_count < PROTOCOLS_MAX ? identified->protocols_count : PROTOCOLS_MAX;
    size_t addresses_bytes = identified->addresses_count * sizeof(struct trp_multiaddr);
    size_t names_bytes = protocols * sizeof(char *);
    struct trp_identified_copy *copy =
        trp_memory_alloc(swarm->memory, sizeof *copy + names_bytes + addresses_bytes +
                                            identified_texts_bytes(identified, protocols));
    if (copy == NULL) {
        return NULL;
    }
    const char **names = (const char **)(void *)(copy + 1);
    struct trp_multiaddr *addresses = (struct trp_multiaddr *)(void *)(names + protocols);
    char *texts = (char *)(addresses + identified->addresses_count);
    if (addresses_bytes > 0) {
        memcpy(addresses, identified->addresses, addresses_bytes);
    }
    copy->identified = *identified;
    copy->identified.agent = text_copy(identified->agent == NULL ? "" : identified->agent, &texts);
    for (uint32_t i = 0; i < protocols; i++) {
        names[i] = text_copy(identified->protocols[i], &texts);
    }
    copy->identified.protocols = names;
    copy->identified.protocols_count = protocols;
    copy->identified.addresses = addresses;
    copy->cause = swarm->trace->cause;
    return copy;
}

void trp_swarm_report_identified(struct trp_swarm *swarm, const struct trp_identified *identified)
{
    struct trp_pool_peer *peer = trp_pool_find(swarm, &identified->peer);
    for (uint32_t i = 0; peer != NULL && i < identified->protocols_count; i++) {
        trp_pool_learn(peer, identified->protocols[i]);
    }
    if (swarm->identified_count >= IDENTIFIED_MAX) {
        return;
    }
    struct trp_identified_copy *copy = identified_copy(swarm, identified);
    if (copy != NULL) { /* else it is as if the peer had not answered */
        swarm->identified_count++;
        trp_list_push_back(&swarm->identified, &copy->link);
    }
}

bool trp_swarm_speaks(const struct trp_swarm *swarm, const struct trp_peer_id *peer,
                      const char *protocol)
{
    const struct trp_pool_peer *found = trp_pool_find(swarm, peer);
    return found != NULL && trp_pool_speaks(found, protocol);
}

void trp_swarm_forget_protocol(struct trp_swarm *swarm, const struct trp_peer_id *peer,
                               const char *protocol)
{
    struct trp_pool_peer *found = trp_pool_find(swarm, peer);
    if (found != NULL) {
        trp_pool_unlearn(found, protocol);
    }
}

void trp_swarm_report_self_changed(struct trp_swarm *swarm)
{
    swarm->self_changed = true;
}
