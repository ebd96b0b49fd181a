/* SPDX-License-Identifier: MIT */
/* Kameo's messaging protocol: one request-response exchange per message, link or death notice. */
#include "remote/state.h"
#include "wire/envelope.h"

/* Attempts at telling a peer of a death before leaving it to the loss of the peer itself. */
#define SIGNAL_ATTEMPTS 5u

/* ---- requests of ours ---- */

static trp_time none_if_zero(trp_time span_ns)
{
    return span_ns == 0 ? TRP_NEVER : span_ns;
}

static void call_trace_failure(struct trp_remote *remote, const struct call *call,
                               enum trp_status status)
{
    trp_trace_call_failed(remote->config.trace,
                          &(struct trp_event_call_failed){.peer = &call->other.peer,
                                                          .kind = (uint64_t)call->kind,
                                                          .status = status});
}

/* Encodes into the scratch buffer; borrowed until the next use of it. */
static enum trp_status encode_request(struct trp_remote *remote,
                                      const struct trp_request_envelope *request,
                                      struct trp_bytes *ret_bytes)
{
    uint8_t *at;
    size_t size;
    /* A byte of payload takes two at most; ids and the names of fields are short. */
    size_t room = request->payload.size * 2 + request->actor_type.size + request->other_type.size +
                  request->message.size + request->cause.text.size + 1024;
    trp_buffer_consume(&remote->scratch, remote->scratch.size);
    enum trp_status status = trp_buffer_reserve(&remote->scratch, room, &at);
    if (status == TRP_OK) {
        status = trp_request_envelope_encode(request, at, room, &size);
    }
    if (status == TRP_OK && size > remote->config.limits->request_bytes) {
        status = TRP_ETOOBIG;
    }
    if (status == TRP_OK) {
        *ret_bytes = trp_bytes(at, size);
    }
    return status;
}

/* Ends a call that got no answer, or never left. */
static void call_fail(struct trp_remote *remote, trp_handle id, enum trp_status status);

/* Encodes and sends the request of a call. */
static void call_send(struct trp_remote *remote, const struct call *call,
                      const struct trp_request_envelope *request, trp_time timeout_ns)
{
    trp_handle id;
    void *object;
    struct trp_bytes bytes;
    uint64_t sent;
    enum trp_status status = trp_slab_insert(&remote->calls, &id, &object);
    if (status != TRP_OK) {
        call_trace_failure(remote, call, status);
        trp_remote_complete(remote, &call->origin, status, TRP_BYTES_NONE, &call->other);
        return;
    }
    struct call *kept = object;
    *kept = *call;
    kept->request = trp_buffer_init(remote->config.memory, remote->config.limits->request_bytes);
    status = encode_request(remote, request, &bytes);
    if (status == TRP_OK && call->kind == CALL_SIGNAL) {
        status = trp_buffer_append(&kept->request, bytes);
    }
    if (status == TRP_OK) {
        status = trp_request_response_send(remote->config.messaging, &call->other.peer, bytes,
                                           timeout_ns, id, &sent);
    }
    if (status != TRP_OK) {
        call_fail(remote, id, status);
    }
}

void trp_remote_send_message(struct trp_remote *remote, bool ask, const struct trp_actor_ref *to,
                             const struct trp_sched_event *message, const struct origin *origin)
{
    const char *type = trp_remote_type_text(remote, to->type);
    const struct call call = {.kind = ask ? CALL_ASK : CALL_TELL, .origin = *origin, .other = *to};
    if (type == NULL) {
        call_trace_failure(remote, &call, TRP_EUNKNOWNACTOR);
        trp_remote_complete(remote, origin, TRP_EUNKNOWNACTOR, TRP_BYTES_NONE, to);
        return;
    }
    const struct trp_request_envelope request = {
        .kind = ask ? TRP_ENVELOPE_ASK : TRP_ENVELOPE_TELL,
        .actor = *to,
        .actor_type = trp_bytes_text(type),
        .message = message->message,
        .payload = message->payload,
        .mailbox_timeout_ns = none_if_zero(message->mailbox_timeout_ns),
        .reply_timeout_ns = none_if_zero(message->reply_timeout_ns)};
    /* The network's own limit holds besides: the other side gives up then, too. */
    trp_time limit = remote->config.limits->request_timeout_ns;
    trp_time wanted = message->reply_timeout_ns == 0 ? limit : message->reply_timeout_ns;
    call_send(remote, &call, &request, trp_time_min(limit, wanted));
}

/* Our own actor as the other side knows it. */
static struct trp_actor_ref own_ref(const struct trp_remote *remote, uint64_t actor)
{
    return (struct trp_actor_ref){.id = actor, .peer = *remote->config.self};
}

static struct trp_bytes own_type(const struct trp_remote *remote, uint64_t actor)
{
    const struct trp_actor_type *type = trp_scheduler_type_of(remote->config.scheduler, actor);
    return trp_bytes_text(type == NULL ? "" : type->id);
}

void trp_remote_send_link(struct trp_remote *remote, const struct trp_sched_event *event)
{
    const struct call call = {
        .kind = CALL_LINK, .local_actor = event->actor, .other = event->other};
    const struct trp_request_envelope request = {
        .kind = TRP_ENVELOPE_LINK,
        .both_spellings = true,
        .actor = event->other,
        .actor_type = trp_bytes_text(trp_remote_type_text(remote, event->other.type)),
        .other = own_ref(remote, event->actor),
        .other_type = own_type(remote, event->actor)};
    trp_remote_update_linked(remote, &event->other.peer);
    call_send(remote, &call, &request, 0);
}

void trp_remote_send_unlink(struct trp_remote *remote, const struct trp_sched_event *event)
{
    const struct call call = {
        .kind = CALL_UNLINK, .local_actor = event->actor, .other = event->other};
    const struct trp_request_envelope request = {
        .kind = TRP_ENVELOPE_UNLINK,
        .both_spellings = true,
        .actor = event->other,
        .actor_type = trp_bytes_text(trp_remote_type_text(remote, event->other.type)),
        .other = own_ref(remote, event->actor)};
    trp_remote_update_linked(remote, &event->other.peer);
    call_send(remote, &call, &request, 0);
}

void trp_remote_send_signal(struct trp_remote *remote, const struct trp_sched_event *event)
{
    const struct call call = {
        .kind = CALL_SIGNAL, .local_actor = event->actor, .other = event->other};
    struct trp_request_envelope request = {
        .kind = TRP_ENVELOPE_SIGNAL_LINK_DIED,
        .actor = event->other,
        .actor_type = trp_bytes_text(trp_remote_type_text(remote, event->other.type)),
        .other = own_ref(remote, event->actor),
        .cause = {.root = event->reason, .panic = TRP_PANIC_HANDLER_PANIC, .text = event->text}};
    if (event->reason == TRP_STOP_LINK_DIED) { /* whose death it was is not known here any more */
        request.cause.root = TRP_STOP_KILLED;
        request.cause.links_count = 1;
        request.cause.links[0] = own_ref(remote, event->actor);
    }
    call_send(remote, &call, &request, 0);
    trp_remote_update_linked(remote, &event->other.peer);
}

static void call_free(struct trp_remote *remote, trp_handle id)
{
    struct call *call = trp_slab_find(&remote->calls, id);
    trp_buffer_free(&call->request);
    trp_slab_remove(&remote->calls, id);
}

/* Sends a death notice again, unless the peer itself is given up. */
static bool signal_retry(struct trp_remote *remote, trp_handle id, struct call *call)
{
    uint64_t sent;
    return ++call->attempts < SIGNAL_ATTEMPTS && call->request.size > 0 &&
           trp_request_response_send(remote->config.messaging, &call->other.peer,
                                     trp_buffer_view(&call->request), 0, id, &sent) == TRP_OK;
}

static void call_fail(struct trp_remote *remote, trp_handle id, enum trp_status status)
{
    struct call *call = trp_slab_find(&remote->calls, id);
    call_trace_failure(remote, call, status);
    bool unheard = status == TRP_ETIMEDOUT || status == TRP_ECLOSED || status == TRP_ERESET;
    if (call->kind == CALL_SIGNAL && unheard && signal_retry(remote, id, call)) {
        return;
    }
    struct call ended = *call;
    call_free(remote, id);
    if (ended.kind == CALL_LINK) {
        /* ENOTFOUND: it was unlinked meanwhile. */
        TRP_IGNORE(trp_scheduler_link_died(remote->config.scheduler, ended.local_actor,
                                           &ended.other, TRP_STOP_PEER_DISCONNECTED,
                                           TRP_BYTES_NONE));
        trp_remote_update_linked(remote, &ended.other.peer);
    } else {
        trp_remote_complete(remote, &ended.origin, status, TRP_BYTES_NONE, &ended.other);
    }
}

static bool response_fits(enum call_kind call, enum trp_envelope_kind response)
{
    static const enum trp_envelope_kind expected[] = {[CALL_ASK] = TRP_ENVELOPE_ASK,
                                                      [CALL_TELL] = TRP_ENVELOPE_TELL,
                                                      [CALL_LINK] = TRP_ENVELOPE_LINK,
                                                      [CALL_UNLINK] = TRP_ENVELOPE_UNLINK,
                                                      [CALL_SIGNAL] =
                                                          TRP_ENVELOPE_SIGNAL_LINK_DIED};
    return response == expected[call] || response == TRP_ENVELOPE_OUTBOUND_FAILURE;
}

static void call_answered(struct trp_remote *remote, trp_handle id,
                          const struct trp_response_envelope *response)
{
    struct call call = *(const struct call *)trp_slab_find(&remote->calls, id);
    enum trp_status status = trp_send_error_status(response->error);
    call_free(remote, id);
    if (status != TRP_OK) {
        call_trace_failure(remote, &call, status);
    }
    if (call.kind == CALL_LINK && status != TRP_OK) {
        /* ENOTFOUND: it was unlinked meanwhile. */
        TRP_IGNORE(trp_scheduler_link_died(remote->config.scheduler, call.local_actor, &call.other,
                                           TRP_STOP_KILLED, TRP_BYTES_NONE));
        trp_remote_update_linked(remote, &call.other.peer);
    } else if (call.kind == CALL_ASK || call.kind == CALL_TELL) {
        trp_remote_complete(remote, &call.origin, status, response->payload, &call.other);
    }
}

static void messaging_on_response(struct trp_remote *remote,
                                  const struct trp_request_response_event *event)
{
    const struct call *call = trp_slab_find(&remote->calls, event->token);
    if (call == NULL) {
        return;
    }
    struct trp_response_envelope response;
    uint8_t *block = trp_memory_alloc(remote->config.memory, event->bytes.size);
    struct trp_arena arena = trp_arena_init(block, block == NULL ? 0 : event->bytes.size);
    enum trp_status status =
        block == NULL ? TRP_ENOMEM : trp_response_envelope_decode(event->bytes, &arena, &response);
    if (status == TRP_OK && !response_fits(call->kind, response.kind)) {
        status = TRP_EVIOLATION;
    }
    if (status == TRP_OK) {
        call_answered(remote, event->token, &response);
    } else {
        trp_trace_envelope_refused(
            remote->config.trace,
            &(struct trp_event_envelope_refused){
                .peer = &event->peer, .what = trp_bytes_text("response"), .status = status});
        call_fail(remote, event->token, status == TRP_ENOMEM ? status : TRP_EDECODE);
    }
    trp_memory_free(remote->config.memory, block);
}

/* ---- requests of others ---- */

static void answer(struct trp_remote *remote, uint64_t id,
                   const struct trp_response_envelope *response)
{
    uint8_t *at;
    size_t size;
    /* A byte of payload takes two at most, and the rest is short. */
    size_t room = response->payload.size * 2 + response->actor_type.size + response->message.size +
                  response->text.size + 512;
    trp_buffer_consume(&remote->scratch, remote->scratch.size);
    enum trp_status status = trp_buffer_reserve(&remote->scratch, room, &at);
    if (status == TRP_OK) {
        status = trp_response_envelope_encode(response, at, room, &size);
    }
    if (status == TRP_OK) {
        status = trp_request_response_answer(remote->config.messaging, id, trp_bytes(at, size));
    }
    if (status != TRP_OK && status != TRP_ENOTFOUND) {
        trp_request_response_drop(remote->config.messaging, id);
    }
}

void trp_remote_answer_peer(struct trp_remote *remote, const struct origin *origin,
                            enum trp_status status, struct trp_bytes payload)
{
    struct trp_response_envelope response = {.kind = origin->tell ? TRP_ENVELOPE_TELL
                                                                  : TRP_ENVELOPE_ASK,
                                             .error = trp_send_error_of(status)};
    if (!origin->tell) {
        response.payload = payload;
    }
    if (status != TRP_OK) {
        response.text = trp_bytes_text(trp_status_text(status));
    }
    answer(remote, origin->id, &response);
}

static void serve_message(struct trp_remote *remote, uint64_t id,
                          const struct trp_request_envelope *request)
{
    struct origin origin = {
        .kind = ORIGIN_PEER, .tell = request->kind == TRP_ENVELOPE_TELL, .id = id};
    trp_handle token;
    void *object;
    enum trp_status status = TRP_EDEAD;
    if (trp_remote_is_local(remote, &request->actor)) {
        status = trp_slab_insert(&remote->deliveries, &token, &object);
    }
    if (status != TRP_OK) {
        trp_remote_answer_peer(remote, &origin, status, TRP_BYTES_NONE);
        return;
    }
    *(struct origin *)object = origin;
    trp_time limit = remote->config.limits->request_timeout_ns;
    trp_scheduler_deliver(
        remote->config.scheduler,
        &(struct trp_delivery){.ask = request->kind == TRP_ENVELOPE_ASK,
                               .immediate = request->immediate,
                               .actor = request->actor.id,
                               .token = token,
                               .actor_type = request->actor_type,
                               .message = request->message,
                               .payload = request->payload,
                               .mailbox_timeout_ns =
                                   trp_time_min(limit, request->mailbox_timeout_ns),
                               .reply_timeout_ns = trp_time_min(limit, request->reply_timeout_ns)});
}

/* Links and unlinks: `other` must live on the peer that asks. */
static enum trp_status serve_link(struct trp_remote *remote, const struct trp_peer_id *from,
                                  const struct trp_request_envelope *request)
{
    struct trp_scheduler *scheduler = remote->config.scheduler;
    struct trp_actor_ref other = request->other;
    if (other.peer.size == 0) {
        other.peer = *from;
    }
    if (!trp_peer_id_equal(&other.peer, from)) {
        return TRP_EAUTH;
    }
    if (trp_scheduler_type_of(scheduler, request->actor.id) == NULL) {
        return TRP_EDEAD;
    }
    if (request->kind == TRP_ENVELOPE_UNLINK) {
        enum trp_status status = trp_scheduler_unlink(scheduler, request->actor.id, &other);
        trp_remote_update_linked(remote, from);
        return status == TRP_ENOTFOUND ? TRP_OK : status;
    }
    if (request->other_type.size > 0) {
        other.type = trp_remote_type_learn(remote, request->other_type);
    }
    enum trp_status status = trp_scheduler_link(scheduler, request->actor.id, &other);
    trp_remote_update_linked(remote, from);
    return status;
}

static enum trp_status serve_signal(struct trp_remote *remote, const struct trp_peer_id *from,
                                    const struct trp_request_envelope *request)
{
    struct trp_actor_ref dead = request->other;
    if (dead.peer.size == 0) {
        dead.peer = *from;
    }
    if (!trp_peer_id_equal(&dead.peer, from)) {
        return TRP_EAUTH; /* nobody may speak of another peer's actors */
    }
    enum trp_status status =
        trp_scheduler_link_died(remote->config.scheduler, request->actor.id, &dead,
                                trp_stop_cause_reason(&request->cause), request->cause.text);
    trp_remote_update_linked(remote, from);
    return status == TRP_ENOTFOUND ? TRP_OK : status; /* it was told before, or never linked */
}

static void serve(struct trp_remote *remote, const struct trp_request_response_event *event,
                  const struct trp_request_envelope *request)
{
    enum trp_status status;
    switch (request->kind) {
    case TRP_ENVELOPE_ASK:
    case TRP_ENVELOPE_TELL:
        serve_message(remote, event->id, request);
        return;
    case TRP_ENVELOPE_LINK:
    case TRP_ENVELOPE_UNLINK:
        status = serve_link(remote, &event->peer, request);
        break;
    case TRP_ENVELOPE_SIGNAL_LINK_DIED:
        status = serve_signal(remote, &event->peer, request);
        break;
    case TRP_ENVELOPE_OUTBOUND_FAILURE:
    default:
        status = TRP_EVIOLATION;
        break;
    }
    if (status == TRP_EAUTH || status == TRP_EVIOLATION) {
        trp_trace_envelope_refused(
            remote->config.trace,
            &(struct trp_event_envelope_refused){.peer = &event->peer,
                                                 .what = trp_bytes_text("an actor of another peer"),
                                                 .status = status});
    }
    struct trp_response_envelope response = {.kind = request->kind,
                                             .error = trp_send_error_of(status),
                                             .actor_type = request->actor_type};
    answer(remote, event->id, &response);
}

static void messaging_on_request(struct trp_remote *remote,
                                 const struct trp_request_response_event *event)
{
    struct trp_request_envelope request;
    uint8_t *block = trp_memory_alloc(remote->config.memory, event->bytes.size);
    struct trp_arena arena = trp_arena_init(block, block == NULL ? 0 : event->bytes.size);
    enum trp_status status =
        block == NULL ? TRP_ENOMEM : trp_request_envelope_decode(event->bytes, &arena, &request);
    if (status == TRP_OK) {
        serve(remote, event, &request);
    } else {
        trp_trace_envelope_refused(
            remote->config.trace,
            &(struct trp_event_envelope_refused){
                .peer = &event->peer, .what = trp_bytes_text("request"), .status = status});
        trp_request_response_drop(remote->config.messaging, event->id);
    }
    trp_memory_free(remote->config.memory, block);
}

bool trp_remote_run_messaging(struct trp_remote *remote)
{
    bool any = false;
    struct trp_request_response_event event;
    while (trp_request_response_next_event(remote->config.messaging, &event)) {
        any = true;
        switch (event.kind) {
        case TRP_RR_REQUEST:
            messaging_on_request(remote, &event);
            break;
        case TRP_RR_RESPONSE:
            messaging_on_response(remote, &event);
            break;
        case TRP_RR_FAILURE:
            if (trp_slab_find(&remote->calls, event.token) != NULL) {
                call_fail(remote, event.token, event.status);
            }
            break;
        case TRP_RR_SENT:
        case TRP_RR_DROPPED:
            break;
        }
    }
    return any;
}

void trp_remote_close_calls(struct trp_remote *remote)
{
    uint32_t at = 0;
    trp_handle id;
    struct call *call;
    while ((call = trp_slab_next(&remote->calls, &at, &id)) != NULL) {
        trp_buffer_free(&call->request);
    }
}
