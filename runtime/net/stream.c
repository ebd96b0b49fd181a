/* SPDX-License-Identifier: MIT */
#include "net/stream.h"

#include "net/behaviours.h"
#include "net/connection.h"
#include "net/dial.h"
#include "net/idle.h"
#include "net/pool.h"
#include "net/pump.h"

static struct trp_stream_info stream_info(const struct trp_stream *s)
{
    return (struct trp_stream_info){.id = s->id,
                                    .connection = s->connection_id,
                                    .peer = &s->peer->id,
                                    .protocol = s->protocol,
                                    .inbound = s->inbound,
                                    .token = s->token};
}

struct trp_stream *trp_stream_of(const struct trp_swarm *swarm, uint64_t user)
{
    struct trp_stream *s = trp_slab_find(&swarm->streams, user);
    return s == NULL || s->connection == NULL ? NULL : s;
}

/* ---- making and taking apart ---- */

static enum trp_status stream_make(struct trp_swarm *swarm, struct trp_pool_peer *peer,
                                   struct trp_stream **ret_stream)
{
    trp_handle id;
    void *object;
    enum trp_status status = trp_slab_insert(&swarm->streams, &id, &object);
    if (status == TRP_OK) {
        struct trp_stream *s = object;
        *s = (struct trp_stream){.id = id, .peer = peer, .cause = swarm->trace->cause};
        peer->references++;
        *ret_stream = s;
    }
    return status;
}

static void stream_end_negotiation(struct trp_swarm *swarm, struct trp_stream *s)
{
    if (s->negotiation == NULL) {
        return;
    }
    if (s->inbound && s->connection != NULL) {
        s->connection->streams_negotiating--;
    }
    trp_list_link_remove(&s->negotiating_link);
    trp_multistream_deinit(s->negotiation);
    trp_memory_free(swarm->memory, s->negotiation);
    s->negotiation = NULL;
    trp_protocol_table_release(swarm, s->accepted);
    s->accepted = NULL;
}

static void stream_link_connection(struct trp_stream *s, struct trp_connection *c)
{
    s->connection = c;
    trp_list_push_back(&c->streams, &s->owner_link);
    c->streams_count++;
    c->streams_active += s->background ? 0 : 1;
}

/* Nobody but its behaviour is to know it from now on. */
static void stream_detach(struct trp_swarm *swarm, struct trp_stream *s)
{
    stream_end_negotiation(swarm, s);
    struct trp_connection *c = s->connection;
    if (trp_list_link_is_linked(&s->owner_link) && c == NULL) {
        s->peer->waiting_count--;
    }
    trp_list_link_remove(&s->owner_link);
    if (c != NULL) {
        c->streams_count--;
        c->streams_active -= s->background ? 0 : 1;
        trp_connection_touch(swarm, c);
        s->connection = NULL;
    }
}

void trp_stream_discard(struct trp_swarm *swarm, struct trp_stream *s)
{
    stream_detach(swarm, s);
    trp_list_link_remove(&s->notify_link);
    s->peer->references--;
    trp_slab_remove(&swarm->streams, s->id);
}

static void stream_free(struct trp_swarm *swarm, struct trp_stream *s)
{
    struct trp_pool_peer *peer = s->peer;
    trp_stream_discard(swarm, s);
    trp_pool_release(swarm, peer);
}

/* Something is to be told, from the loop. */
static void stream_queue(struct trp_swarm *swarm, struct trp_stream *s)
{
    if (!trp_list_link_is_linked(&s->notify_link)) {
        s->cause = swarm->trace->cause != 0 ? swarm->trace->cause : s->cause;
        trp_list_push_back(&swarm->notify_streams, &s->notify_link);
    }
}

/* ---- telling ---- */

static void stream_tell_opened(struct trp_swarm *swarm, struct trp_stream *s)
{
    const struct trp_behaviour *behaviour = &swarm->behaviours[s->behaviour];
    s->opened_due = false;
    s->told = true;
    trp_trace_stream_opened(
        swarm->trace, &(struct trp_event_stream_opened){.stream = s->id,
                                                        .connection = s->connection_id,
                                                        .peer = &s->peer->id,
                                                        .protocol = trp_bytes_text(s->protocol),
                                                        .inbound = s->inbound});
    if (behaviour->ops->stream_opened != NULL) {
        struct trp_stream_info info = stream_info(s);
        behaviour->ops->stream_opened(behaviour->self, &info);
    }
}

/* Tells of the end, and frees the stream. */
static void stream_tell_closed(struct trp_swarm *swarm, struct trp_stream *s)
{
    bool silent = s->inbound && !s->told;
    if (silent) {
        trp_trace_stream_refused(swarm->trace,
                                 &(struct trp_event_stream_refused){.connection = s->connection_id,
                                                                    .peer = &s->peer->id,
                                                                    .status = s->reason});
    } else {
        trp_trace_stream_closed(
            swarm->trace, &(struct trp_event_stream_closed){.stream = s->id,
                                                            .connection = s->connection_id,
                                                            .peer = &s->peer->id,
                                                            .protocol = trp_bytes_text(s->protocol),
                                                            .inbound = s->inbound,
                                                            .reason = s->reason});
        const struct trp_behaviour *behaviour = &swarm->behaviours[s->behaviour];
        if (behaviour->ops->stream_closed != NULL) {
            struct trp_stream_info info = stream_info(s);
            behaviour->ops->stream_closed(behaviour->self, &info, s->reason);
        }
    }
    stream_free(swarm, s);
}

void trp_stream_notify(struct trp_swarm *swarm, struct trp_stream *s)
{
    trp_list_link_remove(&s->notify_link);
    uint64_t cause = swarm->trace->cause;
    swarm->trace->cause = s->cause;
    if (s->ended) {
        stream_tell_closed(swarm, s);
    } else if (s->opened_due) {
        stream_tell_opened(swarm, s);
    }
    swarm->trace->cause = cause;
}

void trp_stream_end(struct trp_swarm *swarm, struct trp_stream *s, enum trp_status reason)
{
    stream_detach(swarm, s);
    trp_list_link_remove(&s->notify_link);
    s->ended = true;
    s->reason = reason;
    stream_tell_closed(swarm, s);
}

/* Ends it and says so to the peer; its behaviour is told later. */
static void stream_abandon(struct trp_swarm *swarm, struct trp_stream *s, enum trp_status reason)
{
    if (s->connection != NULL && s->connection->yamux != NULL) {
        if (s->negotiation != NULL) { /* the peer is to read the "na" */
            trp_pump_refuse_stream(s->connection, s->muxer_stream);
        } else {
            trp_pump_reset_stream(s->connection, s->muxer_stream);
        }
    }
    stream_detach(swarm, s);
    s->ended = true;
    s->reason = reason;
    stream_queue(swarm, s);
}

/* ---- negotiating ---- */

/* Hands to the muxer what the negotiation has to say. */
static enum trp_status negotiation_flush(struct trp_swarm *swarm, struct trp_stream *s)
{
    struct trp_buffer *words = &swarm->words;
    enum trp_status status = trp_multistream_send(s->negotiation, words);
    if (status == TRP_OK && words->size > 0) {
        size_t used = 0;
        status =
            trp_yamux_write(s->connection->yamux, s->muxer_stream, trp_buffer_view(words), &used);
        if (status == TRP_OK && used < words->size) {
            status = TRP_EFULL; /* a peer that asks for "ls" and never reads the answer */
        }
        trp_connection_touch(swarm, s->connection);
    }
    trp_buffer_consume(words, words->size);
    return status;
}

static enum trp_status negotiation_begin(struct trp_swarm *swarm, struct trp_stream *s,
                                         const struct trp_multistream_config *config)
{
    s->negotiation = trp_memory_alloc(swarm->memory, sizeof *s->negotiation);
    if (s->negotiation == NULL) {
        trp_protocol_table_release(swarm, s->accepted);
        s->accepted = NULL;
        return TRP_ENOMEM;
    }
    trp_multistream_init(s->negotiation, swarm->memory, config);
    if (s->inbound) {
        s->connection->streams_negotiating++;
    }
    s->negotiation_deadline = trp_time_after(swarm->now, swarm->limits->negotiation_timeout_ns);
    trp_list_push_back(&swarm->negotiating_streams, &s->negotiating_link);
    return TRP_OK;
}

/* Has the muxer's events say which stream they are of. */
static enum trp_status stream_name(struct trp_stream *s)
{
    enum trp_status status = trp_yamux_set_user(s->connection->yamux, s->muxer_stream, s->id);
    return status == TRP_OK ? TRP_OK : TRP_ERESET; /* by the peer, in the same breath */
}

static void accept_refused(struct trp_swarm *swarm, struct trp_connection *c, uint32_t muxer_stream,
                           enum trp_status status)
{
    trp_pump_reset_stream(c, muxer_stream);
    trp_trace_stream_refused(swarm->trace, &(struct trp_event_stream_refused){.connection = c->id,
                                                                              .peer = &c->peer_id,
                                                                              .status = status});
}

void trp_stream_accept(struct trp_swarm *swarm, struct trp_connection *c, uint32_t muxer_stream)
{
    if (c->streams_negotiating >= swarm->limits->streams_pending_in) {
        trp_net_limit_reached(&swarm->limit_marks, swarm->trace, swarm->limits,
                              TRP_NET_STREAMS_PENDING_IN);
        accept_refused(swarm, c, muxer_stream, TRP_EFULL);
        return;
    }
    struct trp_stream *s;
    enum trp_status status = stream_make(swarm, c->peer, &s);
    if (status != TRP_OK) {
        accept_refused(swarm, c, muxer_stream, status);
        return;
    }
    s->inbound = true;
    s->connection_id = c->id;
    s->muxer_stream = muxer_stream;
    stream_link_connection(s, c);
    status = stream_name(s);
    if (status == TRP_OK) {
        s->accepted = trp_behaviours_accepted(swarm);
        status = s->accepted == NULL ? TRP_ENOMEM : TRP_OK;
    }
    if (status == TRP_OK) {
        const struct trp_multistream_config config = {.protocols = s->accepted->names,
                                                      .protocols_count = s->accepted->count};
        status = negotiation_begin(swarm, s, &config);
    }
    if (status != TRP_OK) {
        stream_abandon(swarm, s, status);
    }
}

/* The protocol is agreed (perhaps only from our side): the behaviour may begin. */
static void stream_agreed(struct trp_stream *s, uint32_t protocol)
{
    if (s->inbound) {
        s->protocol = s->accepted->names[protocol];
        s->behaviour = s->accepted->behaviours[protocol];
    } else {
        s->protocol = s->protocols[protocol]; /* a lazy one has it already */
    }
    s->opened_due = true;
}

/* Moves on with the negotiation; true when it is over and bytes that follow are the behaviour's. */
static bool negotiation_check(struct trp_swarm *swarm, struct trp_stream *s)
{
    uint32_t protocol;
    enum trp_status status = trp_multistream_outcome(s->negotiation, &protocol);
    if (status == TRP_OK && s->protocol == NULL) {
        stream_agreed(s, protocol);
    }
    if ((status != TRP_OK && status != TRP_EAGAIN) || !trp_multistream_is_read(s->negotiation)) {
        if (status != TRP_OK && status != TRP_EAGAIN) {
            if (s->lazy) {
                trp_pool_unlearn(s->peer, s->protocol);
            }
            stream_abandon(swarm, s, status);
        }
        return false;
    }
    if (!s->inbound) {
        trp_pool_learn(s->peer, s->protocol);
    }
    stream_end_negotiation(swarm, s);
    return true;
}

/* Gives bytes to the negotiation; returns what is left for the behaviour. */
static struct trp_bytes stream_negotiate(struct trp_swarm *swarm, struct trp_stream *s,
                                         struct trp_bytes in)
{
    while (in.size > 0) {
        size_t used = 0;
        enum trp_status status = trp_multistream_recv(s->negotiation, in, &used);
        in = trp_bytes_skip(in, used);
        if (used > 0) {
            trp_pump_consumed(s->connection, s->muxer_stream, used);
        }
        enum trp_status said = negotiation_flush(swarm, s); /* also before it failed */
        status = status == TRP_OK ? said : status;
        if (status != TRP_OK && trp_status_class(status) != TRP_CLASS_PEER) {
            stream_abandon(swarm, s, status);
            return TRP_BYTES_NONE;
        }
        if (negotiation_check(swarm, s)) {
            return in;
        }
        if (s->ended) {
            return TRP_BYTES_NONE;
        }
        if (used == 0) { /* more words than the peer takes */
            stream_abandon(swarm, s, TRP_EVIOLATION);
            return TRP_BYTES_NONE;
        }
    }
    return in;
}

void trp_stream_on_data(struct trp_swarm *swarm, struct trp_stream *s, struct trp_bytes in)
{
    if (s->negotiation != NULL) {
        in = stream_negotiate(swarm, s, in);
    }
    if (s->opened_due && !s->ended) {
        trp_stream_notify(swarm, s);
    }
    if (in.size == 0 || s->ended) {
        return;
    }
    const struct trp_behaviour *behaviour = &swarm->behaviours[s->behaviour];
    if (behaviour->ops->stream_data != NULL) {
        struct trp_stream_info info = stream_info(s);
        behaviour->ops->stream_data(behaviour->self, &info, in);
    } else {
        trp_stream_consumed(swarm, s->id, in.size);
    }
}

void trp_stream_on_writable(struct trp_swarm *swarm, struct trp_stream *s)
{
    const struct trp_behaviour *behaviour = &swarm->behaviours[s->behaviour];
    if (s->told && behaviour->ops->stream_writable != NULL) {
        struct trp_stream_info info = stream_info(s);
        behaviour->ops->stream_writable(behaviour->self, &info);
    }
}

void trp_stream_on_eof(struct trp_swarm *swarm, struct trp_stream *s)
{
    if (s->negotiation != NULL) { /* it hung up before it answered, or asked */
        stream_abandon(swarm, s, TRP_ENEGOTIATION);
        return;
    }
    const struct trp_behaviour *behaviour = &swarm->behaviours[s->behaviour];
    if (s->told && behaviour->ops->stream_eof != NULL) {
        struct trp_stream_info info = stream_info(s);
        behaviour->ops->stream_eof(behaviour->self, &info);
    }
}

void trp_stream_on_gone(struct trp_swarm *swarm, struct trp_stream *s, enum trp_status reason)
{
    if (s->negotiation != NULL && s->lazy) { /* perhaps it speaks that protocol no longer */
        trp_pool_unlearn(s->peer, s->protocol);
    }
    trp_stream_end(swarm, s, reason);
}

bool trp_stream_expire(struct trp_swarm *swarm)
{
    struct trp_list_link *link = trp_list_front(&swarm->negotiating_streams);
    struct trp_stream *s =
        link == NULL ? NULL : TRP_CONTAINER(link, struct trp_stream, negotiating_link);
    if (s == NULL || s->negotiation_deadline > swarm->now) {
        return false;
    }
    stream_abandon(swarm, s, TRP_ETIMEDOUT);
    return true;
}

trp_time trp_stream_deadline(const struct trp_swarm *swarm)
{
    struct trp_list_link *link = trp_list_front(&swarm->negotiating_streams);
    return link == NULL
               ? TRP_NEVER
               : TRP_CONTAINER(link, struct trp_stream, negotiating_link)->negotiation_deadline;
}

/* ---- opening ---- */

/* The protocol to propose without waiting for an answer; protocols_count when none is known to be
 * spoken. */
static uint32_t stream_known_protocol(const struct trp_stream *s)
{
    uint32_t i = 0;
    while (i < s->protocols_count && !trp_pool_speaks(s->peer, s->protocols[i])) {
        i++;
    }
    return i;
}

static void stream_limit_reached(struct trp_swarm *swarm)
{
    trp_net_limit_reached(&swarm->limit_marks, swarm->trace, swarm->limits,
                          TRP_NET_STREAMS_PER_CONNECTION);
}

/* Opens it on a connection. Whatever fails leaves it linked there, to be abandoned. */
static enum trp_status stream_attach(struct trp_swarm *swarm, struct trp_stream *s,
                                     struct trp_connection *c)
{
    uint32_t muxer_stream;
    enum trp_status status = trp_yamux_open_stream(c->yamux, &muxer_stream);
    if (status != TRP_OK) {
        if (status == TRP_EFULL) {
            stream_limit_reached(swarm);
        }
        return status;
    }
    s->connection_id = c->id;
    s->muxer_stream = muxer_stream;
    stream_link_connection(s, c);
    status = stream_name(s);
    if (status != TRP_OK) {
        return status;
    }
    struct trp_multistream_config config = {
        .initiator = true, .protocols = s->protocols, .protocols_count = s->protocols_count};
    uint32_t known = stream_known_protocol(s);
    if (known < s->protocols_count) {
        s->lazy = true;
        s->protocol = s->protocols[known];
        config.lazy = true;
        config.protocols = &s->protocols[known];
        config.protocols_count = 1;
    }
    status = negotiation_begin(swarm, s, &config);
    if (status == TRP_OK) {
        status = negotiation_flush(swarm, s);
    }
    if (status == TRP_OK && s->lazy) {
        s->opened_due = true;
        stream_queue(swarm, s);
    }
    return status;
}

/* Dials the peer unless a connection to it is on its way, or may prove to be alive. */
static enum trp_status peer_dial(struct trp_swarm *swarm, struct trp_pool_peer *peer)
{
    if (peer->asking_count > 0) {
        return TRP_OK;
    }
    enum trp_status status = trp_dial_begin(swarm, peer, NULL, 0);
    return status == TRP_EEXISTS ? TRP_OK : status;
}

void trp_stream_attach_waiting(struct trp_swarm *swarm, struct trp_pool_peer *peer)
{
    struct trp_list_link *link;
    struct trp_connection *c;
    while ((c = trp_pool_preferred(swarm, peer)) != NULL &&
           (link = trp_list_pop_front(&peer->waiting)) != NULL) {
        struct trp_stream *s = TRP_CONTAINER(link, struct trp_stream, owner_link);
        peer->waiting_count--;
        enum trp_status status = stream_attach(swarm, s, c);
        if (status != TRP_OK) {
            stream_abandon(swarm, s, status);
        }
    }
    enum trp_status status = peer->waiting_count > 0 ? peer_dial(swarm, peer) : TRP_OK;
    while (status != TRP_OK && (link = trp_list_front(&peer->waiting)) != NULL) {
        stream_abandon(swarm, TRP_CONTAINER(link, struct trp_stream, owner_link), status);
    }
}

/* Which connection a request means; *ret_connection is NULL when it is to wait for one. */
static enum trp_status request_connection(struct trp_swarm *swarm,
                                          const struct trp_stream_request *request,
                                          struct trp_connection **ret_connection)
{
    struct trp_connection *c;
    if (request->connection != 0) {
        c = trp_slab_find(&swarm->connections, request->connection);
        if (c == NULL || c->state != TRP_CONNECTION_OPEN || c->close_due || c->retiring) {
            return TRP_ECLOSED;
        }
    } else {
        const struct trp_pool_peer *peer = trp_pool_find(swarm, &request->peer);
        c = peer == NULL ? NULL : trp_pool_preferred(swarm, peer);
        if (c == NULL && !request->dial) {
            return TRP_ECLOSED;
        }
        if (c != NULL && request->dial && !trp_idle_is_trusted(swarm, c)) {
            trp_idle_ask(swarm, c);
            c = NULL;
        }
    }
    *ret_connection = c;
    return TRP_OK;
}

/* Lets it wait for a connection. */
static enum trp_status stream_wait(struct trp_swarm *swarm, struct trp_stream *s)
{
    if (s->peer->waiting_count >= swarm->limits->streams_per_connection) {
        stream_limit_reached(swarm);
        return TRP_EFULL;
    }
    enum trp_status status = peer_dial(swarm, s->peer);
    if (status == TRP_OK) {
        trp_list_push_back(&s->peer->waiting, &s->owner_link);
        s->peer->waiting_count++;
    }
    return status;
}

static bool request_is_valid(const struct trp_swarm *swarm,
                             const struct trp_stream_request *request)
{
    bool ourselves = request->connection == 0 && trp_peer_id_equal(&request->peer, &swarm->self);
    bool nobody = request->connection == 0 && request->peer.size == 0;
    return request->behaviour < swarm->behaviours_count && request->protocols_count > 0 &&
           request->protocols_count <= TRP_STREAM_PROTOCOLS_MAX && !ourselves && !nobody;
}

enum trp_status trp_swarm_open_stream(struct trp_swarm *swarm,
                                      const struct trp_stream_request *request,
                                      trp_stream_id *ret_stream)
{
    if (!request_is_valid(swarm, request)) {
        return TRP_EINVAL;
    }
    struct trp_connection *c;
    enum trp_status status = request_connection(swarm, request, &c);
    if (status != TRP_OK) {
        return status;
    }
    struct trp_pool_peer *peer = c != NULL ? c->peer : trp_pool_obtain(swarm, &request->peer);
    struct trp_stream *s = NULL;
    status = peer == NULL ? TRP_ENOMEM : stream_make(swarm, peer, &s);
    if (status == TRP_OK) {
        s->behaviour = request->behaviour;
        s->background = request->background;
        s->token = request->token;
        s->protocols_count = request->protocols_count;
        memcpy(s->protocols, request->protocols, s->protocols_count * sizeof s->protocols[0]);
        status = c != NULL ? stream_attach(swarm, s, c) : stream_wait(swarm, s);
    }
    if (status == TRP_OK) {
        *ret_stream = s->id;
        return TRP_OK;
    }
    if (s != NULL) {
        if (s->connection != NULL) {
            trp_pump_reset_stream(s->connection, s->muxer_stream);
        }
        stream_free(swarm, s);
    } else if (peer != NULL) {
        trp_pool_release(swarm, peer);
    }
    return status;
}

/* ---- what behaviours call on an open stream ---- */

/* NULL for an id that is dead, or of a stream that has ended. */
static struct trp_stream *stream_find_live(const struct trp_swarm *swarm, trp_stream_id id)
{
    struct trp_stream *s = trp_slab_find(&swarm->streams, id);
    return s == NULL || s->ended ? NULL : s;
}

enum trp_status trp_stream_write(struct trp_swarm *swarm, trp_stream_id stream, struct trp_bytes in,
                                 size_t *ret_used)
{
    struct trp_stream *s = stream_find_live(swarm, stream);
    if (s == NULL) {
        return TRP_ENOTFOUND;
    }
    if (!s->told || s->connection == NULL) {
        return TRP_ESTATE;
    }
    enum trp_status status = trp_yamux_write(s->connection->yamux, s->muxer_stream, in, ret_used);
    trp_connection_touch(swarm, s->connection);
    if (status == TRP_OK || status == TRP_ESTATE || status == TRP_ENOMEM) {
        return status;
    }
    return TRP_EAGAIN; /* or it is gone, and stream_closed is on its way */
}

void trp_stream_shutdown(struct trp_swarm *swarm, trp_stream_id stream)
{
    struct trp_stream *s = stream_find_live(swarm, stream);
    if (s != NULL && s->told && s->connection != NULL) {
        trp_pump_shutdown_stream(s->connection, s->muxer_stream);
        trp_connection_touch(swarm, s->connection);
    }
}

void trp_stream_reset(struct trp_swarm *swarm, trp_stream_id stream)
{
    struct trp_stream *s = stream_find_live(swarm, stream);
    if (s != NULL) {
        stream_abandon(swarm, s, TRP_ECANCELLED);
    }
}

void trp_stream_consumed(struct trp_swarm *swarm, trp_stream_id stream, size_t bytes)
{
    struct trp_stream *s = stream_find_live(swarm, stream);
    if (s == NULL || s->connection == NULL || bytes == 0) {
        return;
    }
    trp_pump_consumed(s->connection, s->muxer_stream, bytes);
    trp_connection_touch(swarm, s->connection);
}

void trp_stream_set_token(struct trp_swarm *swarm, trp_stream_id stream, uint64_t token)
{
    struct trp_stream *s = trp_slab_find(&swarm->streams, stream);
    if (s != NULL) {
        s->token = token;
    }
}

void trp_stream_set_background(struct trp_swarm *swarm, trp_stream_id stream, bool background)
{
    struct trp_stream *s = stream_find_live(swarm, stream);
    if (s == NULL || s->background == background) {
        return;
    }
    s->background = background;
    if (s->connection != NULL) {
        s->connection->streams_active -= background ? 1 : 0;
        s->connection->streams_active += background ? 0 : 1;
        trp_connection_touch(swarm, s->connection);
    }
}
