/* SPDX-License-Identifier: MIT */
#include "behaviour/request_response.h"

#include "base/assert.h"
#include "base/buffer.h"
#include "base/heap.h"
#include "base/list.h"
#include "base/map.h"
#include "base/slab.h"
#include "net/swarm.h"
#include "trace/limit.h"

/* Where a request is on its way. */
enum stage {
    STAGE_WAITING,  /* ours: the peer has requests_per_connection under way already */
    STAGE_OPENING,  /* ours: the stream is being opened */
    STAGE_WRITING,  /* ours: the request; theirs: the response */
    STAGE_READING,  /* ours: the response; theirs: the request */
    STAGE_ANSWERING /* theirs: the user has it */
};

/* What is under way with one peer. */
struct peer {
    struct trp_peer_id id;
    uint32_t active; /* requests of ours */
    uint32_t waiting_count;
    struct trp_list waiting;
    uint32_t inbound; /* requests of the peer */
    struct trp_account *account;
    trp_handle privileged;   /* whose stream has credit though there are too many */
    struct trp_list stalled; /* whose streams have none, oldest first */
    uint32_t requests;       /* of either, that refer to it as their source */
    UT_hash_handle hh;
};

struct request {
    trp_handle id;
    enum stage stage;
    bool inbound;
    bool has_event;
    enum trp_request_response_kind event;
    enum trp_status status;
    struct peer *peer;   /* while it counts among the peer's */
    struct peer *source; /* to which its bytes are charged */
    struct trp_peer_id peer_id;
    trp_connection_id connection;
    trp_stream_id stream; /* 0 once it ended */
    uint64_t token;
    uint64_t cause;
    struct trp_buffer in;
    struct trp_buffer out;
    uint64_t charged_bytes;
    size_t owed_bytes; /* of credit */
    struct trp_list_link stalled_link;
    struct trp_list_link event_link;
    struct trp_list_link waiting_link;
    struct trp_heap_entry timeout;
};

struct trp_request_response {
    struct trp_request_response_config config;
    struct trp_swarm *swarm;
    uint32_t index;
    struct trp_slab requests;
    struct peer *peers;
    struct trp_list events;
    struct trp_heap timeouts;
    uint64_t timeouts_count; /* breaks ties in the order of sending */
    trp_handle lent;         /* the request whose bytes the last event borrowed */
    bool lent_is_final;
    uint32_t pending;
    struct trp_accounts *accounts; /* those of the configuration, or our own */
    struct trp_accounts own_accounts;
    struct trp_account_watch watch;
    struct trp_limit_mark limit_mark;
};

static const struct trp_limits *rr_limits(const struct trp_request_response *rr)
{
    return trp_swarm_limits(rr->swarm);
}

/* ---- records ---- */

static struct peer *rr_peer_find(const struct trp_request_response *rr,
                                 const struct trp_peer_id *id)
{
    struct peer *peer;
    HASH_FIND(hh, rr->peers, id, sizeof *id, peer);
    return peer;
}

static void rr_peer_free(struct trp_request_response *rr, struct peer *peer)
{
    struct trp_memory *uthash_memory = rr->config.memory;
    HASH_DELETE(hh, rr->peers, peer);
    trp_account_close(rr->accounts, peer->account);
    trp_memory_free(uthash_memory, peer);
}

static struct peer *rr_peer(struct trp_request_response *rr, const struct trp_peer_id *id)
{
    struct peer *peer = rr_peer_find(rr, id);
    if (peer != NULL) {
        return peer;
    }
    struct trp_memory *uthash_memory = rr->config.memory;
    peer = trp_memory_alloc(uthash_memory, sizeof *peer);
    if (peer == NULL) {
        return NULL;
    }
    peer->id = *id;
    trp_list_init(&peer->waiting);
    trp_list_init(&peer->stalled);
    peer->account = trp_account_open(rr->accounts, id);
    if (peer->account != NULL) {
        HASH_ADD(hh, rr->peers, id, sizeof peer->id, peer);
    }
    if (peer->hh.tbl == NULL) {
        if (peer->account != NULL) {
            trp_account_close(rr->accounts, peer->account);
        }
        trp_memory_free(uthash_memory, peer);
        return NULL;
    }
    return peer;
}

static void rr_peer_release(struct trp_request_response *rr, struct peer *peer)
{
    if (peer->active == 0 && trp_list_is_empty(&peer->waiting) && peer->inbound == 0 &&
        peer->requests == 0) {
        rr_peer_free(rr, peer);
    }
}

/* ---- how much is received: memory, and credit ---- */

/* Then it is slowed down: one of its streams at a time goes on. */
static bool peer_is_greedy(const struct trp_request_response *rr, const struct peer *peer)
{
    return trp_account_is_greedy(rr->accounts, peer->account);
}

static void rr_grant(struct trp_request_response *rr, struct request *request)
{
    size_t owed = request->owed_bytes;
    request->owed_bytes = 0;
    trp_list_link_remove(&request->stalled_link);
    if (request->stream != 0 && owed > 0) {
        trp_stream_consumed(rr->swarm, request->stream, owed);
    }
}

/* Gives credit to those that may have some now. */
static void rr_regrant(struct trp_request_response *rr, struct peer *peer)
{
    struct trp_list_link *link;
    while ((link = trp_list_front(&peer->stalled)) != NULL) {
        struct request *request = TRP_CONTAINER(link, struct request, stalled_link);
        if (peer_is_greedy(rr, peer)) {
            if (trp_slab_find(&rr->requests, peer->privileged) != NULL) {
                return;
            }
            peer->privileged = request->id;
        }
        rr_grant(rr, request);
    }
}

/* Counts bytes of a request against the peer's limit and the node's. TRP_EFULL. */
static enum trp_status rr_charge(struct trp_request_response *rr, struct request *request,
                                 size_t bytes)
{
    enum trp_status status = trp_account_charge(rr->accounts, request->source->account, bytes);
    request->charged_bytes += status == TRP_OK ? bytes : 0;
    return status;
}

/* A peer of ours or of another protocol's is greedy no more. */
static void rr_relieved(void *user, const struct trp_peer_id *id)
{
    struct trp_request_response *rr = user;
    struct peer *peer = rr_peer_find(rr, id);
    if (peer != NULL) {
        rr_regrant(rr, peer);
    }
}

static void rr_uncharge(struct trp_request_response *rr, struct request *request)
{
    struct peer *source = request->source;
    if (source == NULL) {
        return;
    }
    trp_list_link_remove(&request->stalled_link);
    source->privileged = source->privileged == request->id ? 0 : source->privileged;
    request->source = NULL;
    trp_account_uncharge(rr->accounts, source->account, request->charged_bytes);
    request->charged_bytes = 0;
    rr_regrant(rr, source);
    source->requests--;
    rr_peer_release(rr, source);
}

/* Returns the credit for bytes that were taken, at once or when it is their turn. */
static void rr_give_credit(struct trp_request_response *rr, struct request *request, size_t bytes)
{
    struct peer *source = request->source;
    request->owed_bytes += bytes;
    if (!peer_is_greedy(rr, source) || source->privileged == request->id) {
        rr_grant(rr, request);
    } else if (!trp_list_link_is_linked(&request->stalled_link)) {
        trp_list_push_back(&source->stalled, &request->stalled_link);
        rr_regrant(rr, source);
    }
}

/* ---- making and freeing ---- */

static struct request *rr_insert(struct trp_request_response *rr, bool inbound, struct peer *source,
                                 uint32_t in_limit, uint32_t out_limit)
{
    trp_handle id;
    void *object;
    if (trp_slab_insert(&rr->requests, &id, &object) != TRP_OK) {
        return NULL;
    }
    struct request *request = object;
    *request = (struct request){.id = id,
                                .inbound = inbound,
                                .source = source,
                                .peer_id = source->id,
                                .cause = rr->config.trace->cause,
                                .in = trp_buffer_init(rr->config.memory, in_limit),
                                .out = trp_buffer_init(rr->config.memory, out_limit)};
    source->requests++;
    return request;
}

/* A request of a peer is over: another one may come. */
static void rr_leave(struct request *request)
{
    if (request->inbound && request->peer != NULL) {
        request->peer->inbound--;
        request->peer = NULL;
    }
}

static void rr_free(struct trp_request_response *rr, struct request *request)
{
    trp_heap_remove(&rr->timeouts, &request->timeout);
    trp_list_link_remove(&request->event_link);
    trp_list_link_remove(&request->waiting_link);
    trp_buffer_free(&request->in);
    trp_buffer_free(&request->out);
    rr_leave(request);
    rr_uncharge(rr, request);
    trp_slab_remove(&rr->requests, request->id);
}

static void rr_start_waiting(struct trp_request_response *rr, struct peer *peer);

/* Takes a request of ours out of the peer's count; the next one in line may go. */
static void rr_detach(struct trp_request_response *rr, struct request *request)
{
    struct peer *peer = request->peer;
    if (peer == NULL || request->inbound) {
        return;
    }
    request->peer = NULL;
    rr->pending--;
    if (request->stage == STAGE_WAITING) {
        trp_list_link_remove(&request->waiting_link);
        peer->waiting_count--;
    } else {
        peer->active--;
        rr_start_waiting(rr, peer);
    }
    rr_peer_release(rr, peer);
}

/* ---- events ---- */

static void rr_push(struct trp_request_response *rr, struct request *request,
                    enum trp_request_response_kind kind, enum trp_status status)
{
    request->event = kind;
    request->status = status;
    request->has_event = true;
    trp_list_push_back(&rr->events, &request->event_link);
}

/* Ends a request of ours with its one outcome, or one of theirs that went nowhere. */
static void rr_fail(struct trp_request_response *rr, struct request *request,
                    enum trp_status status)
{
    trp_heap_remove(&rr->timeouts, &request->timeout);
    rr_leave(request);
    if (request->stream != 0) {
        trp_stream_id stream = request->stream;
        request->stream = 0;
        trp_stream_reset(rr->swarm, stream);
    }
    struct trp_trace *trace = rr->config.trace;
    uint64_t cause = trace->cause;
    trace->cause = cause != 0 ? cause : request->cause;
    trp_trace_request_failed(trace, &(struct trp_event_request_failed){.peer = &request->peer_id,
                                                                       .inbound = request->inbound,
                                                                       .status = status});
    trace->cause = cause;
    if (!request->inbound) {
        rr_detach(rr, request);
        trp_buffer_free(&request->in);
        rr_uncharge(rr, request);
        rr_push(rr, request, TRP_RR_FAILURE, status);
    } else if (request->stage == STAGE_READING || request->has_event) {
        rr_free(rr, request); /* the user never saw it */
    } else {
        rr_push(rr, request, TRP_RR_DROPPED, status);
    }
}

static void rr_release_lent(struct trp_request_response *rr)
{
    struct request *request = trp_slab_find(&rr->requests, rr->lent);
    rr->lent = 0;
    if (request == NULL) {
        return;
    }
    if (rr->lent_is_final) {
        rr_free(rr, request);
    } else {
        trp_buffer_free(&request->in);
    }
}

bool trp_request_response_next_event(struct trp_request_response *rr,
                                     struct trp_request_response_event *ret_event)
{
    rr_release_lent(rr);
    struct trp_list_link *link = trp_list_pop_front(&rr->events);
    if (link == NULL) {
        return false;
    }
    struct request *request = TRP_CONTAINER(link, struct request, event_link);
    request->has_event = false;
    rr->lent = request->id;
    rr->lent_is_final = request->event != TRP_RR_REQUEST;
    *ret_event = (struct trp_request_response_event){.kind = request->event,
                                                     .status = request->status,
                                                     .id = request->id,
                                                     .token = request->token,
                                                     .peer = request->peer_id,
                                                     .bytes = trp_buffer_view(&request->in)};
    return true;
}

/* ---- sending ---- */

/* Writes what fits; half-closes once all is written. */
static void rr_write(struct trp_request_response *rr, struct request *request)
{
    struct trp_bytes rest = trp_buffer_view(&request->out);
    while (rest.size > 0) {
        size_t used;
        enum trp_status status = trp_stream_write(rr->swarm, request->stream, rest, &used);
        if (status == TRP_EAGAIN || (status == TRP_OK && used == 0)) {
            return;
        }
        if (status != TRP_OK) {
            rr_fail(rr, request, status);
            return;
        }
        trp_buffer_consume(&request->out, used);
        rest = trp_buffer_view(&request->out);
    }
    trp_stream_shutdown(rr->swarm, request->stream);
    if (request->inbound) {
        request->stream = 0;
        rr_leave(request);
        trp_heap_remove(&rr->timeouts, &request->timeout);
        rr_push(rr, request, TRP_RR_SENT, TRP_OK);
    } else {
        request->stage = STAGE_READING;
    }
}

static enum trp_status rr_open_stream(struct trp_request_response *rr, struct request *request)
{
    const struct trp_stream_request open = {.behaviour = rr->index,
                                            .peer = request->peer_id,
                                            .dial = true,
                                            .protocols = &rr->config.protocol,
                                            .protocols_count = 1,
                                            .token = request->id};
    request->stage = STAGE_OPENING;
    return trp_swarm_open_stream(rr->swarm, &open, &request->stream);
}

static void rr_start_waiting(struct trp_request_response *rr, struct peer *peer)
{
    while (peer->active < rr_limits(rr)->requests_per_connection) {
        struct trp_list_link *link = trp_list_pop_front(&peer->waiting);
        if (link == NULL) {
            return;
        }
        struct request *request = TRP_CONTAINER(link, struct request, waiting_link);
        peer->waiting_count--;
        peer->active++;
        enum trp_status status = rr_open_stream(rr, request);
        if (status != TRP_OK) {
            peer->active--;
            request->peer = NULL;
            rr->pending--;
            rr_fail(rr, request, status);
        }
    }
}

/* Puts a request on its way: at once, or in line behind those under way to the peer. */
static enum trp_status rr_begin(struct trp_request_response *rr, struct peer *peer,
                                struct request *request)
{
    if (peer->active < rr_limits(rr)->requests_per_connection) {
        enum trp_status status = rr_open_stream(rr, request);
        if (status != TRP_OK) {
            return status;
        }
        peer->active++;
    } else {
        request->stage = STAGE_WAITING;
        trp_list_push_back(&peer->waiting, &request->waiting_link);
        peer->waiting_count++;
    }
    request->peer = peer;
    rr->pending++;
    return TRP_OK;
}

enum trp_status trp_request_response_send(struct trp_request_response *rr,
                                          const struct trp_peer_id *peer_id, struct trp_bytes bytes,
                                          trp_time timeout_ns, uint64_t token, uint64_t *ret_id)
{
    const struct trp_limits *limits = rr_limits(rr);
    if (bytes.size > limits->request_bytes) {
        return TRP_ETOOBIG;
    }
    struct peer *peer = rr_peer(rr, peer_id);
    if (peer == NULL) {
        return TRP_ENOMEM;
    }
    struct request *request = NULL;
    if (peer->waiting_count < limits->requests_waiting_per_peer) {
        request = rr_insert(rr, false, peer, limits->response_bytes, limits->request_bytes);
    }
    enum trp_status status = request == NULL ? TRP_EFULL : TRP_OK;
    if (status == TRP_OK) {
        request->token = token;
        status = trp_buffer_append(&request->out, bytes);
    }
    if (status == TRP_OK) {
        trp_time span = timeout_ns != 0 ? timeout_ns : limits->request_timeout_ns;
        trp_time deadline = trp_time_after(trp_swarm_now(rr->swarm), span);
        status = trp_heap_insert(&rr->timeouts, &request->timeout, deadline, rr->timeouts_count++);
    }
    if (status == TRP_OK) {
        status = rr_begin(rr, peer, request);
    }
    if (status == TRP_OK) {
        *ret_id = request->id;
        return TRP_OK;
    }
    if (request != NULL) {
        rr_free(rr, request); /* and the peer with its last request */
    } else {
        rr_peer_release(rr, peer);
    }
    return status;
}

void trp_request_response_cancel(struct trp_request_response *rr, uint64_t id)
{
    struct request *request = trp_slab_find(&rr->requests, id);
    if (request == NULL || request->inbound || rr->lent == id) {
        return;
    }
    trp_stream_id stream = request->stream;
    rr_detach(rr, request);
    rr_free(rr, request);
    if (stream != 0) {
        trp_stream_reset(rr->swarm, stream);
    }
}

enum trp_status trp_request_response_answer(struct trp_request_response *rr, uint64_t id,
                                            struct trp_bytes response)
{
    struct request *request = trp_slab_find(&rr->requests, id);
    if (request == NULL || request->stage != STAGE_ANSWERING || request->stream == 0) {
        return TRP_ENOTFOUND;
    }
    enum trp_status status = response.size > rr_limits(rr)->response_bytes ? TRP_ETOOBIG : TRP_OK;
    if (status == TRP_OK) {
        status = rr_charge(rr, request, response.size);
    }
    if (status == TRP_OK) {
        status = trp_buffer_append(&request->out, response);
    }
    if (status != TRP_OK) {
        return status;
    }
    request->stage = STAGE_WRITING;
    rr_write(rr, request);
    return TRP_OK;
}

void trp_request_response_drop(struct trp_request_response *rr, uint64_t id)
{
    struct request *request = trp_slab_find(&rr->requests, id);
    if (request != NULL && request->stage == STAGE_ANSWERING && request->stream != 0) {
        rr_fail(rr, request, TRP_ECANCELLED);
    }
}

uint32_t trp_request_response_pending(const struct trp_request_response *rr)
{
    return rr->pending;
}

/* ---- hooks ---- */

static void rr_attach(void *self, struct trp_swarm *swarm, uint32_t index)
{
    struct trp_request_response *rr = self;
    rr->swarm = swarm;
    rr->index = index;
    const struct trp_limits *limits = rr_limits(rr);
    rr->requests = trp_slab_init(rr->config.memory, sizeof(struct request),
                                 limits->requests + limits->connections);
    if (rr->config.trace == NULL) {
        rr->config.trace = trp_swarm_trace(swarm);
    }
    trp_accounts_attach(rr->accounts, limits, rr->config.trace);
    if (rr->config.attached != NULL) {
        rr->config.attached(rr->config.user, swarm);
    }
}

static uint32_t rr_protocols(const void *self, const char **ret_protocols, uint32_t max)
{
    const struct trp_request_response *rr = self;
    if (max > 0) {
        ret_protocols[0] = rr->config.protocol;
    }
    return 1;
}

/* A place for a request of a peer; NULL when it has as many under way as it may. */
static struct request *rr_admit(struct trp_request_response *rr, const struct trp_peer_id *peer_id)
{
    const struct trp_limits *limits = rr_limits(rr);
    struct peer *peer = rr_peer(rr, peer_id);
    if (peer == NULL) {
        return NULL;
    }
    uint64_t most =
        (uint64_t)limits->requests_per_connection * trp_swarm_connections_to(rr->swarm, peer_id);
    struct request *request = NULL;
    if (peer->inbound < most) {
        request = rr_insert(rr, true, peer, limits->request_bytes, limits->response_bytes);
    }
    if (request == NULL) {
        trp_limit_say(&rr->limit_mark, rr->config.trace, "requests_per_connection",
                      limits->requests_per_connection);
        rr_peer_release(rr, peer);
        return NULL;
    }
    request->peer = peer;
    peer->inbound++;
    return request;
}

static void rr_accept(struct trp_request_response *rr, const struct trp_stream_info *stream)
{
    struct request *request = rr_admit(rr, stream->peer);
    if (request == NULL) {
        trp_stream_reset(rr->swarm, stream->id);
        return;
    }
    request->stage = STAGE_READING;
    request->connection = stream->connection;
    request->stream = stream->id;
    trp_stream_set_token(rr->swarm, stream->id, request->id);
    trp_time deadline = trp_time_after(trp_swarm_now(rr->swarm), rr_limits(rr)->request_timeout_ns);
    if (trp_heap_insert(&rr->timeouts, &request->timeout, deadline, rr->timeouts_count++) !=
        TRP_OK) {
        rr_fail(rr, request, TRP_ENOMEM);
    }
}

static void rr_stream_opened(void *self, const struct trp_stream_info *stream)
{
    struct trp_request_response *rr = self;
    if (stream->inbound) {
        rr_accept(rr, stream);
        return;
    }
    struct request *request = trp_slab_find(&rr->requests, stream->token);
    if (request != NULL && request->stage == STAGE_OPENING) {
        request->connection = stream->connection;
        request->stage = STAGE_WRITING;
        rr_write(rr, request);
    }
}

static void rr_stream_data(void *self, const struct trp_stream_info *stream, struct trp_bytes in)
{
    struct trp_request_response *rr = self;
    struct request *request = trp_slab_find(&rr->requests, stream->token);
    if (request == NULL || request->stream != stream->id) {
        trp_stream_consumed(rr->swarm, stream->id, in.size);
        return;
    }
    bool expected = request->inbound
                        ? request->stage == STAGE_READING
                        : request->stage == STAGE_READING || request->stage == STAGE_WRITING;
    enum trp_status status = expected ? TRP_OK : TRP_EVIOLATION;
    if (status == TRP_OK && in.size > trp_buffer_room(&request->in)) {
        status = TRP_ETOOBIG;
    }
    if (status == TRP_OK) {
        status = rr_charge(rr, request, in.size);
    }
    if (status == TRP_OK) {
        status = trp_buffer_append(&request->in, in);
    }
    if (status == TRP_OK) {
        rr_give_credit(rr, request, in.size);
    } else {
        rr_fail(rr, request, status);
    }
}

static void rr_stream_writable(void *self, const struct trp_stream_info *stream)
{
    struct trp_request_response *rr = self;
    struct request *request = trp_slab_find(&rr->requests, stream->token);
    if (request != NULL && request->stream == stream->id && request->stage == STAGE_WRITING) {
        rr_write(rr, request);
    }
}

/* All of a request is here: another stream of the peer may go on. */
static void rr_read_all(struct trp_request_response *rr, struct request *request)
{
    struct peer *source = request->source;
    trp_list_link_remove(&request->stalled_link);
    if (source->privileged == request->id) {
        source->privileged = 0;
        rr_regrant(rr, source);
    }
}

static void rr_stream_eof(void *self, const struct trp_stream_info *stream)
{
    struct trp_request_response *rr = self;
    struct request *request = trp_slab_find(&rr->requests, stream->token);
    if (request == NULL || request->stream != stream->id) {
        return;
    }
    if (request->in.size == 0) {
        rr_fail(rr, request, TRP_ERESET); /* the other side gave up without a word */
    } else if (request->inbound) {
        request->stage = STAGE_ANSWERING;
        rr_read_all(rr, request);
        rr_push(rr, request, TRP_RR_REQUEST, TRP_OK);
    } else {
        bool answered_early = request->stage == STAGE_WRITING;
        trp_stream_id ended = request->stream;
        request->stream = 0;
        trp_heap_remove(&rr->timeouts, &request->timeout);
        rr_detach(rr, request);
        rr_push(rr, request, TRP_RR_RESPONSE, TRP_OK);
        if (answered_early) {
            trp_stream_reset(rr->swarm, ended);
        }
    }
}

static void rr_stream_closed(void *self, const struct trp_stream_info *stream,
                             enum trp_status reason)
{
    struct trp_request_response *rr = self;
    struct request *request = trp_slab_find(&rr->requests, stream->token);
    if (request == NULL || request->stream != stream->id) {
        return;
    }
    request->stream = 0;
    rr_fail(rr, request, reason == TRP_OK ? TRP_ERESET : reason);
}

static bool rr_is_ready(const struct trp_request_response *rr)
{
    return rr->config.ready != NULL && !trp_list_is_empty(&rr->events);
}

static trp_time rr_deadline(const void *self)
{
    const struct trp_request_response *rr = self;
    return rr_is_ready(rr) ? trp_swarm_now(rr->swarm) : trp_heap_deadline(&rr->timeouts);
}

static void rr_expire(void *self, trp_time now)
{
    struct trp_request_response *rr = self;
    while (trp_heap_deadline(&rr->timeouts) <= now) {
        struct trp_heap_entry *entry = trp_heap_front(&rr->timeouts);
        rr_fail(rr, TRP_CONTAINER(entry, struct request, timeout), TRP_ETIMEDOUT);
    }
    if (rr_is_ready(rr)) {
        rr->config.ready(rr->config.user);
    }
}

static const struct trp_behaviour_ops rr_ops = {.name = "request_response",
                                                .attach = rr_attach,
                                                .protocols = rr_protocols,
                                                .stream_opened = rr_stream_opened,
                                                .stream_data = rr_stream_data,
                                                .stream_writable = rr_stream_writable,
                                                .stream_eof = rr_stream_eof,
                                                .stream_closed = rr_stream_closed,
                                                .deadline = rr_deadline,
                                                .expire = rr_expire};

struct trp_behaviour trp_request_response_behaviour(struct trp_request_response *rr)
{
    return (struct trp_behaviour){.ops = &rr_ops, .self = rr};
}

enum trp_status trp_request_response_open(const struct trp_request_response_config *config,
                                          struct trp_request_response **ret_behaviour)
{
    struct trp_request_response *rr = trp_memory_alloc(config->memory, sizeof *rr);
    if (rr == NULL) {
        return TRP_ENOMEM;
    }
    rr->config = *config;
    trp_accounts_init(&rr->own_accounts, config->memory);
    rr->accounts = config->accounts != NULL ? config->accounts : &rr->own_accounts;
    rr->watch = (struct trp_account_watch){.relieved = rr_relieved, .user = rr};
    trp_accounts_watch(rr->accounts, &rr->watch);
    rr->timeouts = trp_heap_init(config->memory);
    trp_list_init(&rr->events);
    *ret_behaviour = rr;
    return TRP_OK;
}

void trp_request_response_close(struct trp_request_response *rr)
{
    if (rr == NULL) {
        return;
    }
    uint32_t at = 0;
    trp_handle id;
    struct request *request;
    while ((request = trp_slab_next(&rr->requests, &at, &id)) != NULL) {
        request->stream = 0; /* the swarm is gone */
    }
    for (at = 0; (request = trp_slab_next(&rr->requests, &at, &id)) != NULL;) {
        rr_free(rr, request);
    }
    struct peer *peer;
    struct peer *next;
    HASH_ITER(hh, rr->peers, peer, next)
    {
        rr_peer_free(rr, peer);
    }
    trp_list_link_remove(&rr->watch.link);
    trp_accounts_deinit(&rr->own_accounts);
    trp_heap_free(&rr->timeouts);
    if (rr->requests.memory != NULL) {
        trp_slab_free(&rr->requests);
    }
    trp_memory_free(rr->config.memory, rr);
}
