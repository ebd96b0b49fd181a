/* SPDX-License-Identifier: MIT */
#include "behaviour/messaging.h"

#include "base/buffer.h"
#include "base/slab.h"
#include "behaviour/channel.h"
#include "behaviour/request_response.h"
#include "net/swarm.h"
#include "wire/envelope.h"

#include <troupe/limits.h>

/* What an envelope takes besides payload and ids: names of fields, timeouts, ActorIds. */
#define ENVELOPE_BYTES 2048u

/* Where an envelope is encoded: the stack, unless it may be long. `data` may point into the block
 * itself, which must not be copied. */
struct block {
    uint8_t *data;
    uint8_t small[ENVELOPE_BYTES + 1024];
};

/* A request of ours by Kameo's protocol. */
struct exchange {
    enum trp_envelope_kind kind;
    uint64_t token;
    uint64_t refused; /* its id where it was to go by our own; 0: it was not */
    bool unheard;     /* nobody waits for the outcome */
    uint64_t request; /* in the request-response protocol */
    struct trp_peer_id peer;
    uint32_t retries;
    trp_time timeout_ns;
    struct trp_buffer bytes; /* kept for another attempt */
    size_t older_at;         /* in `bytes`: the same for Kameo <= 0.19; 0: there is no difference */
    bool older;              /* it was sent last */
};

struct trp_messaging {
    struct trp_messaging_config config;
    struct trp_memory own_memory;
    struct trp_memory *memory;
    struct trp_trace *trace;
    struct trp_accounts accounts; /* of both protocols */
    struct trp_request_response *rr;
    struct trp_channels *channels;
    struct trp_swarm *swarm;
    struct trp_slab exchanges;
    uint8_t *block; /* what the event last given out was decoded into */
    size_t block_size;
    struct trp_request_envelope request;
    struct trp_response_envelope response;
};

static const struct trp_limits *messaging_limits(const struct trp_messaging *m)
{
    return trp_swarm_limits(m->swarm);
}

/* ---- sending ---- */

static void exchange_free(struct trp_messaging *m, trp_handle id)
{
    struct exchange *exchange = trp_slab_find(&m->exchanges, id);
    trp_buffer_free(&exchange->bytes);
    trp_slab_remove(&m->exchanges, id);
}

static bool block_take(struct trp_messaging *m, struct block *block, size_t room)
{
    block->data = room <= sizeof block->small ? block->small : trp_memory_alloc(m->memory, room);
    return block->data != NULL;
}

static void block_free(struct trp_messaging *m, struct block *block)
{
    if (block->data != block->small) {
        trp_memory_free(m->memory, block->data);
    }
}

/* Encodes into a block that the caller frees. */
static enum trp_status encode_request(struct trp_messaging *m,
                                      const struct trp_request_envelope *request,
                                      struct block *block, size_t *ret_size)
{
    size_t limit = messaging_limits(m)->request_bytes;
    /* A byte of payload takes two at most. */
    size_t room = request->payload.size * 2 + request->actor_type.size + request->other_type.size +
                  request->message.size + request->cause.text.size + ENVELOPE_BYTES;
    room = room < limit ? room : limit;
    if (!block_take(m, block, room)) {
        return TRP_ENOMEM;
    }
    enum trp_status status = trp_request_envelope_encode(request, block->data, room, ret_size);
    if (status != TRP_OK) {
        block_free(m, block);
    }
    return status;
}

static enum trp_status exchange_send(struct trp_messaging *m, trp_handle id,
                                     struct exchange *exchange, struct trp_bytes bytes)
{
    return trp_request_response_send(m->rr, &exchange->peer, bytes, exchange->timeout_ns, id,
                                     &exchange->request);
}

/* Keeps a request for further attempts. Kameo <= 0.19 reads a panic in another way and tells nobody
 * its version; to what it cannot read it says nothing, so the next attempt is in the other way. */
static enum trp_status exchange_keep(struct trp_messaging *m, struct exchange *exchange,
                                     const struct trp_request_envelope *request,
                                     struct trp_bytes bytes)
{
    exchange->bytes = trp_buffer_init(m->memory, bytes.size * 2);
    enum trp_status status = trp_buffer_append(&exchange->bytes, bytes);
    bool differs = request->kind == TRP_ENVELOPE_SIGNAL_LINK_DIED &&
                   request->cause.root == TRP_STOP_PANICKED && !request->panic_as_text;
    if (status != TRP_OK || !differs) {
        return status;
    }
    struct trp_request_envelope older = *request;
    struct block block;
    size_t size;
    older.panic_as_text = true;
    status = encode_request(m, &older, &block, &size);
    if (status == TRP_OK) {
        exchange->older_at = bytes.size;
        status = trp_buffer_append(&exchange->bytes, trp_bytes(block.data, size));
        block_free(m, &block);
    }
    return status;
}

/* Sends what is kept once more, for a failure of that kind. */
static enum trp_status exchange_send_again(struct trp_messaging *m, trp_handle id,
                                           struct exchange *exchange, enum trp_status failure)
{
    struct trp_bytes bytes = trp_buffer_view(&exchange->bytes);
    if (exchange->older_at > 0) {
        exchange->older = failure == TRP_ERESET ? !exchange->older : exchange->older;
        bytes = exchange->older ? trp_bytes_skip(bytes, exchange->older_at)
                                : trp_bytes(bytes.data, exchange->older_at);
    }
    return exchange_send(m, id, exchange, bytes);
}

/* Sends by Kameo's protocol. */
static enum trp_status kameo_send(struct trp_messaging *m,
                                  const struct trp_request_envelope *request,
                                  const struct trp_messaging_options *options, uint64_t *ret_id)
{
    const struct trp_peer_id *peer = &request->actor.peer;
    struct block block;
    size_t size;
    enum trp_status status = encode_request(m, request, &block, &size);
    if (status != TRP_OK) {
        return status;
    }
    trp_handle id;
    void *object;
    status = trp_slab_insert(&m->exchanges, &id, &object);
    if (status == TRP_OK) {
        struct exchange *exchange = object;
        *exchange = (struct exchange){.kind = request->kind,
                                      .token = options->token,
                                      .peer = *peer,
                                      .retries = options->retries,
                                      .timeout_ns = options->timeout_ns};
        if (options->retries > 0) {
            status = exchange_keep(m, exchange, request, trp_bytes(block.data, size));
        }
        if (status == TRP_OK) {
            status = exchange_send(m, id, exchange, trp_bytes(block.data, size));
        }
        if (status == TRP_OK) {
            *ret_id = id;
        } else {
            exchange_free(m, id);
        }
    }
    block_free(m, &block);
    return status;
}

enum trp_status trp_messaging_send(struct trp_messaging *m,
                                   const struct trp_request_envelope *request,
                                   const struct trp_messaging_options *options, uint64_t *ret_id)
{
    static const struct trp_messaging_options none = {0};
    options = options == NULL ? &none : options;
    const struct trp_peer_id *peer = &request->actor.peer;
    if (peer->size == 0 || trp_peer_id_equal(peer, trp_swarm_peer_id(m->swarm))) {
        return TRP_EINVAL;
    }
    bool message = request->kind == TRP_ENVELOPE_ASK || request->kind == TRP_ENVELOPE_TELL;
    enum trp_status status = TRP_EUNSUPPORTED;
    if (message && options->retries == 0) {
        status = trp_channels_send(m->channels, request, options, ret_id);
    }
    return status == TRP_EUNSUPPORTED ? kameo_send(m, request, options, ret_id) : status;
}

enum trp_status trp_messaging_tell(struct trp_messaging *m,
                                   const struct trp_request_envelope *request)
{
    return trp_channels_tell(m->channels, request);
}

/* Finds what was to go by our own protocol under that id, and goes by Kameo's. */
static trp_handle find_refused(const struct trp_messaging *m, uint64_t id)
{
    uint32_t at = 0;
    trp_handle found;
    const struct exchange *exchange;
    while ((exchange = trp_slab_next(&m->exchanges, &at, &found)) != NULL) {
        if (exchange->refused == id) {
            return found;
        }
    }
    return 0;
}

void trp_messaging_cancel(struct trp_messaging *m, uint64_t id)
{
    if (trp_channels_owns(id)) {
        if (trp_channels_cancel(m->channels, id)) {
            return;
        }
        id = find_refused(m, id);
    }
    const struct exchange *exchange = trp_slab_find(&m->exchanges, id);
    if (exchange != NULL) {
        trp_request_response_cancel(m->rr, exchange->request);
        exchange_free(m, id);
    }
}

uint32_t trp_messaging_pending(const struct trp_messaging *m)
{
    return m->exchanges.count + trp_channels_pending(m->channels);
}

/* ---- answering ---- */

static enum trp_status answer_send(struct trp_messaging *m, uint64_t id,
                                   const struct trp_response_envelope *response)
{
    if (trp_channels_owns(id)) {
        return trp_channels_answer(m->channels, id, response);
    }
    size_t limit = messaging_limits(m)->response_bytes;
    size_t room = response->payload.size * 2 + response->actor_type.size + response->message.size +
                  response->text.size + ENVELOPE_BYTES;
    room = room < limit ? room : limit;
    struct block block;
    if (!block_take(m, &block, room)) {
        return TRP_ENOMEM;
    }
    size_t size;
    enum trp_status status = trp_response_envelope_encode(response, block.data, room, &size);
    if (status == TRP_OK) {
        status = trp_request_response_answer(m->rr, id, trp_bytes(block.data, size));
    }
    block_free(m, &block);
    return status;
}

enum trp_status trp_messaging_answer(struct trp_messaging *m, uint64_t id,
                                     const struct trp_response_envelope *response)
{
    if (id == 0) {
        return TRP_ENOTFOUND; /* nobody waits for it */
    }
    enum trp_status status = answer_send(m, id, response);
    if (status == TRP_ETOOBIG) {
        const struct trp_response_envelope refusal = {
            .kind = response->kind,
            .error = TRP_SEND_SERIALIZE_REPLY,
            .text = trp_bytes_text(trp_status_text(TRP_ETOOBIG))};
        status = answer_send(m, id, &refusal);
    }
    if (status != TRP_OK && status != TRP_ENOTFOUND) {
        trp_messaging_drop(m, id);
    }
    return status;
}

void trp_messaging_drop(struct trp_messaging *m, uint64_t id)
{
    if (trp_channels_owns(id)) {
        trp_channels_drop(m->channels, id);
    } else {
        trp_request_response_drop(m->rr, id);
    }
}

bool trp_messaging_again(struct trp_messaging *m)
{
    return trp_channels_again(m->channels);
}

enum trp_status trp_messaging_keep(struct trp_messaging *m, uint64_t *ret_id)
{
    return trp_channels_keep(m->channels, ret_id);
}

/* ---- events ---- */

static void trace_refused(struct trp_messaging *m, const struct trp_peer_id *peer, const char *what,
                          enum trp_status status)
{
    trp_trace_envelope_refused(m->trace,
                               &(struct trp_event_envelope_refused){
                                   .peer = peer, .what = trp_bytes_text(what), .status = status});
}

/* Makes room for what is decoded next: as many bytes as the input has. */
static bool block_renew(struct trp_messaging *m, size_t size, struct trp_arena *ret_arena)
{
    if (size > m->block_size) {
        trp_memory_free(m->memory, m->block);
        m->block = trp_memory_alloc(m->memory, size);
        m->block_size = m->block == NULL ? 0 : size;
    }
    *ret_arena = trp_arena_init(m->block, size <= m->block_size ? size : 0);
    return size <= m->block_size;
}

static bool on_request(struct trp_messaging *m, const struct trp_request_response_event *in,
                       struct trp_messaging_event *event)
{
    struct trp_arena arena;
    enum trp_status status = block_renew(m, in->bytes.size, &arena)
                                 ? trp_request_envelope_decode(in->bytes, &arena, &m->request)
                                 : TRP_ENOMEM;
    if (status != TRP_OK) {
        trace_refused(m, &in->peer, "request", status);
        trp_request_response_drop(m->rr, in->id);
        return false;
    }
    event->kind = TRP_MESSAGING_REQUEST;
    event->request = &m->request;
    return true;
}

/* An answer of another kind than the request is none. */
static bool response_fits(enum trp_envelope_kind request, enum trp_envelope_kind response)
{
    return response == request || response == TRP_ENVELOPE_OUTBOUND_FAILURE;
}

static bool on_response(struct trp_messaging *m, const struct trp_request_response_event *in,
                        const struct exchange *exchange, struct trp_messaging_event *event)
{
    struct trp_arena arena;
    enum trp_status status = block_renew(m, in->bytes.size, &arena)
                                 ? trp_response_envelope_decode(in->bytes, &arena, &m->response)
                                 : TRP_ENOMEM;
    if (status == TRP_OK && !response_fits(exchange->kind, m->response.kind)) {
        status = TRP_EVIOLATION;
    }
    if (status == TRP_OK) {
        event->kind = TRP_MESSAGING_RESULT;
        event->status = trp_send_error_status(m->response.error);
        event->response = &m->response;
    } else {
        trace_refused(m, &in->peer, "response", status);
        event->kind = TRP_MESSAGING_OUTBOUND_FAILURE;
        event->status = status == TRP_ENOMEM ? status : TRP_EDECODE;
    }
    return true;
}

static bool is_lost(enum trp_status status)
{
    return status == TRP_ETIMEDOUT || status == TRP_ECLOSED || status == TRP_ERESET;
}

static bool on_failure(struct trp_messaging *m, const struct trp_request_response_event *in,
                       struct exchange *exchange, struct trp_messaging_event *event)
{
    if (exchange->retries > 0 && is_lost(in->status)) {
        exchange->retries--;
        if (exchange_send_again(m, in->token, exchange, in->status) == TRP_OK) {
            return false;
        }
    }
    event->kind = TRP_MESSAGING_OUTBOUND_FAILURE;
    event->status = in->status;
    return true;
}

/* An outcome of a request of ours; false when there is nothing to tell. */
static bool on_outcome(struct trp_messaging *m, const struct trp_request_response_event *in,
                       struct trp_messaging_event *event)
{
    struct exchange *exchange = trp_slab_find(&m->exchanges, in->token);
    if (exchange == NULL) {
        return false; /* it was cancelled after the outcome had come */
    }
    event->request_kind = exchange->kind;
    event->token = exchange->token;
    event->id = exchange->refused != 0 ? exchange->refused : in->token;
    bool unheard = exchange->unheard;
    bool told = in->kind == TRP_RR_RESPONSE ? on_response(m, in, exchange, event)
                                            : on_failure(m, in, exchange, event);
    if (told) {
        exchange_free(m, in->token);
    }
    return told && !unheard;
}

static bool translate(struct trp_messaging *m, const struct trp_request_response_event *in,
                      struct trp_messaging_event *event)
{
    *event = (struct trp_messaging_event){.id = in->id, .peer = in->peer, .status = in->status};
    switch (in->kind) {
    case TRP_RR_REQUEST:
        return on_request(m, in, event);
    case TRP_RR_RESPONSE:
    case TRP_RR_FAILURE:
        return on_outcome(m, in, event);
    case TRP_RR_SENT:
        event->kind = TRP_MESSAGING_RESPONSE_SENT;
        return true;
    case TRP_RR_DROPPED:
        event->kind = TRP_MESSAGING_INBOUND_FAILURE;
        return true;
    }
    return false;
}

/* Sends what a peer refused to take by our own protocol; true when that fails, which is an event.
 */
static bool on_refused(struct trp_messaging *m, const struct trp_channel_refused *refused,
                       struct trp_messaging_event *event)
{
    uint64_t id;
    enum trp_status status = kameo_send(m, &refused->request, &refused->options, &id);
    if (status == TRP_OK) {
        struct exchange *exchange = trp_slab_find(&m->exchanges, id);
        exchange->refused = refused->id;
        exchange->unheard = refused->id == 0;
        return false;
    }
    *event = (struct trp_messaging_event){.kind = TRP_MESSAGING_OUTBOUND_FAILURE,
                                          .status = status,
                                          .request_kind = refused->request.kind,
                                          .id = refused->id,
                                          .token = refused->options.token,
                                          .peer = refused->request.actor.peer};
    return refused->id != 0;
}

bool trp_messaging_next_event(struct trp_messaging *m, struct trp_messaging_event *ret_event)
{
    struct trp_request_response_event in;
    struct trp_channel_refused refused;
    if (trp_channels_next_event(m->channels, ret_event)) {
        return true;
    }
    while (trp_channels_next_refused(m->channels, &refused)) {
        if (on_refused(m, &refused, ret_event)) {
            return true;
        }
    }
    while (trp_request_response_next_event(m->rr, &in)) {
        if (translate(m, &in, ret_event)) {
            return true;
        }
    }
    trp_memory_free(m->memory, m->block);
    m->block = NULL;
    m->block_size = 0;
    return false;
}

/* ---- life ---- */

/* The request-response behaviour is in a swarm now. */
static void messaging_attached(void *user, struct trp_swarm *swarm)
{
    struct trp_messaging *m = user;
    m->swarm = swarm;
    m->exchanges =
        trp_slab_init(m->memory, sizeof(struct exchange), trp_swarm_limits(swarm)->requests);
    if (m->trace == NULL) {
        m->trace = trp_swarm_trace(swarm);
    }
}

/* It has events, and it is its turn. */
static void messaging_ready(void *user)
{
    struct trp_messaging *m = user;
    struct trp_messaging_event event;
    while (trp_messaging_next_event(m, &event)) {
        m->config.on_event(m->config.user, m, &event);
    }
}

enum trp_status trp_messaging_open_with(const struct trp_messaging_config *config,
                                        const struct trp_messaging_parts *parts,
                                        struct trp_messaging **ret_messaging)
{
    struct trp_memory outside =
        trp_memory_init(config->memory_bytes != 0 ? config->memory_bytes : UINT64_MAX);
    struct trp_messaging *m =
        trp_memory_alloc(parts->memory == NULL ? &outside : parts->memory, sizeof *m);
    if (m == NULL) {
        return TRP_ENOMEM;
    }
    m->config = *config;
    m->own_memory = outside;
    m->memory = parts->memory == NULL ? &m->own_memory : parts->memory;
    m->trace = parts->trace;
    trp_accounts_init(&m->accounts, m->memory);
    const struct trp_request_response_config rr = {
        .memory = m->memory,
        .trace = m->trace,
        .accounts = &m->accounts,
        .protocol = config->protocol != NULL ? config->protocol : TRP_PROTOCOL_MESSAGING,
        .attached = messaging_attached,
        .ready = config->on_event != NULL ? messaging_ready : NULL,
        .user = m};
    enum trp_status status = trp_request_response_open(&rr, &m->rr);
    if (status == TRP_OK) {
        const struct trp_channels_config channels = {.memory = m->memory,
                                                     .trace = m->trace,
                                                     .accounts = &m->accounts,
                                                     .ready = rr.ready,
                                                     .user = m};
        status = trp_channels_open(&channels, &m->channels);
    }
    if (status != TRP_OK) {
        trp_messaging_close(m);
        return status;
    }
    *ret_messaging = m;
    return TRP_OK;
}

enum trp_status trp_messaging_open(const struct trp_messaging_config *config,
                                   struct trp_messaging **ret_messaging)
{
    return trp_messaging_open_with(config, &(struct trp_messaging_parts){NULL, NULL},
                                   ret_messaging);
}

void trp_messaging_close(struct trp_messaging *m)
{
    if (m == NULL) {
        return;
    }
    uint32_t at = 0;
    trp_handle id;
    struct exchange *exchange;
    while ((exchange = trp_slab_next(&m->exchanges, &at, &id)) != NULL) {
        trp_buffer_free(&exchange->bytes);
    }
    if (m->swarm != NULL) {
        trp_slab_free(&m->exchanges);
    }
    trp_channels_close(m->channels);
    trp_request_response_close(m->rr);
    trp_accounts_deinit(&m->accounts);
    trp_memory_free(m->memory, m->block);
    bool is_inside = m->memory != &m->own_memory;
    struct trp_memory outside = m->own_memory;
    trp_memory_free(is_inside ? m->memory : &outside, m);
}

struct trp_behaviour trp_messaging_behaviour(struct trp_messaging *m)
{
    return trp_request_response_behaviour(m->rr);
}

struct trp_behaviour trp_messaging_own_behaviour(struct trp_messaging *m)
{
    return trp_channels_behaviour(m->channels);
}
