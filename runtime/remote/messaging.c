/* SPDX-License-Identifier: MIT */
/* Messages between actors of different nodes: each is one request with one answer. */
#include "remote/state.h"

static void call_trace_failure(struct trp_remote *remote, const struct call *call,
                               enum trp_status status)
{
    trp_trace_call_failed(remote->config.trace,
                          &(struct trp_event_call_failed){.peer = &call->other.peer,
                                                          .kind = (uint64_t)call->kind,
                                                          .status = status});
}

/* ---- ours, to others ---- */

/* A call has its outcome. */
static void call_end(struct trp_remote *remote, const struct call *call, enum trp_status status,
                     struct trp_bytes payload)
{
    if (status != TRP_OK) {
        call_trace_failure(remote, call, status);
    }
    switch (call->kind) {
    case TRP_ENVELOPE_ASK:
    case TRP_ENVELOPE_TELL:
        trp_remote_complete(remote, &call->origin, status, payload, &call->other);
        break;
    case TRP_ENVELOPE_LINK:
    case TRP_ENVELOPE_UNLINK:
    case TRP_ENVELOPE_SIGNAL_LINK_DIED:
    case TRP_ENVELOPE_OUTBOUND_FAILURE:
        trp_remote_link_called(remote, call, status);
        break;
    }
}

enum trp_status trp_remote_call(struct trp_remote *remote, const struct call *call,
                                const struct trp_request_envelope *request,
                                const struct trp_messaging_options *options)
{
    trp_handle id;
    void *object;
    uint64_t sent;
    struct trp_messaging_options how = *options;
    enum trp_status status = trp_slab_insert(&remote->calls, &id, &object);
    if (status == TRP_OK) {
        *(struct call *)object = *call;
        how.token = id;
        status = trp_messaging_send(remote->config.messaging, request, &how, &sent);
        if (status != TRP_OK) {
            trp_slab_remove(&remote->calls, id);
        }
    }
    return status;
}

void trp_remote_send_message(struct trp_remote *remote, const struct trp_actor_ref *to,
                             const struct message *message, const struct origin *origin)
{
    struct trp_bytes type = trp_scheduler_type_text(remote->config.scheduler, to->type);
    trp_time limit = remote->config.limits->request_timeout_ns;
    bool impatient = message->reply_timeout_ns < limit;
    const struct call call = {.kind = message->ask ? TRP_ENVELOPE_ASK : TRP_ENVELOPE_TELL,
                              .origin = *origin,
                              .other = *to,
                              .impatient = impatient};
    const struct trp_request_envelope request = {
        .kind = call.kind,
        .immediate = message->mailbox_timeout_ns == 0,
        .actor = *to,
        .actor_type = type,
        .message = message->id,
        .payload = message->payload,
        .mailbox_timeout_ns =
            message->mailbox_timeout_ns == 0 ? TRP_NEVER : message->mailbox_timeout_ns,
        .reply_timeout_ns = message->reply_timeout_ns};
    /* The network's own limit holds besides: the other side gives up then, too. */
    const struct trp_messaging_options options = {
        .timeout_ns = trp_time_min(limit, message->reply_timeout_ns)};
    enum trp_status status =
        type.size == 0 ? TRP_EUNKNOWNACTOR : trp_remote_call(remote, &call, &request, &options);
    if (status != TRP_OK) {
        call_end(remote, &call, status, TRP_BYTES_NONE);
    }
}

bool trp_remote_tell(struct trp_remote *remote, const struct trp_sched_event *event)
{
    struct trp_request_envelope *request = &remote->tell;
    request->kind = TRP_ENVELOPE_TELL;
    request->actor = event->other;
    request->actor_type = trp_scheduler_type_text(remote->config.scheduler, event->other.type);
    request->message = event->message;
    request->payload = event->payload;
    request->mailbox_timeout_ns = event->mailbox_timeout_ns;
    request->reply_timeout_ns = TRP_NEVER;
    if (request->actor_type.size == 0) {
        return false;
    }
    enum trp_status status = trp_messaging_tell(remote->config.messaging, request);
    if (status != TRP_OK && status != TRP_EUNSUPPORTED) {
        call_trace_failure(remote, &(struct call){.kind = TRP_ENVELOPE_TELL, .other = event->other},
                           status);
    }
    return status != TRP_EUNSUPPORTED;
}

static void on_outcome(struct trp_remote *remote, const struct trp_messaging_event *event)
{
    const struct call *found = trp_slab_find(&remote->calls, event->token);
    if (found == NULL) {
        return;
    }
    struct call call = *found;
    trp_slab_remove(&remote->calls, event->token);
    enum trp_status status = event->status;
    if (event->kind == TRP_MESSAGING_OUTBOUND_FAILURE && status == TRP_ETIMEDOUT &&
        call.impatient) {
        status = TRP_EREPLYTIMEOUT;
    }
    call_end(remote, &call, status,
             event->response == NULL ? TRP_BYTES_NONE : event->response->payload);
}

/* ---- theirs, to ours ---- */

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
    /* What goes wrong with it is an INBOUND_FAILURE, which the asker sees as a reset. */
    TRP_IGNORE(trp_messaging_answer(remote->config.messaging, origin->id, &response));
}

void trp_remote_deliver(struct trp_remote *remote, const struct trp_actor_ref *to,
                        const struct message *message, const struct origin *origin)
{
    trp_handle token;
    void *object;
    enum trp_status status = trp_slab_insert(&remote->deliveries, &token, &object);
    if (status != TRP_OK) {
        trp_remote_complete(remote, origin, status, TRP_BYTES_NONE, to);
        return;
    }
    *(struct delivery *)object = (struct delivery){.origin = *origin, .ref = *to};
    trp_time limit = remote->config.limits->request_timeout_ns;
    trp_scheduler_deliver(
        remote->config.scheduler,
        &(struct trp_delivery){.ask = message->ask,
                               .actor = to->id,
                               .token = token,
                               .from = message->from,
                               .actor_type = message->actor_type,
                               .message = message->id,
                               .payload = message->payload,
                               .mailbox_timeout_ns =
                                   trp_time_min(limit, message->mailbox_timeout_ns),
                               .reply_timeout_ns = trp_time_min(limit, message->reply_timeout_ns)});
}

void trp_remote_answer_status(struct trp_remote *remote, uint64_t id,
                              const struct trp_request_envelope *request, enum trp_status status)
{
    const struct trp_response_envelope response = {.kind = request->kind,
                                                   .error = trp_send_error_of(status),
                                                   .actor_type = request->actor_type,
                                                   .message = request->message};
    TRP_IGNORE(trp_messaging_answer(remote->config.messaging, id, &response)); /* as above */
}

static struct message message_of(const struct trp_messaging_event *event)
{
    const struct trp_request_envelope *request = event->request;
    return (struct message){.ask = request->kind == TRP_ENVELOPE_ASK,
                            .from = &event->peer,
                            .actor_type = request->actor_type,
                            .id = request->message,
                            .payload = request->payload,
                            .mailbox_timeout_ns =
                                request->immediate ? 0 : request->mailbox_timeout_ns,
                            .reply_timeout_ns = request->reply_timeout_ns};
}

/* There is no place for a message. A batch of them fills a mailbox while its actor has had no turn:
 * true, it comes once more after that. The next time it waits for room as others do. */
static bool comes_again(struct trp_remote *remote)
{
    remote->crowded = !remote->crowded && trp_messaging_again(remote->config.messaging);
    return remote->crowded;
}

/* Delivers a tell whose sender does not wait for an outcome. False: it comes once more. */
static bool serve_tell(struct trp_remote *remote, const struct trp_messaging_event *event)
{
    const struct trp_request_envelope *request = event->request;
    const struct trp_delivery delivery = {.actor = request->actor.id,
                                          .from = &event->peer,
                                          .actor_type = request->actor_type,
                                          .message = request->message,
                                          .payload = request->payload};
    enum trp_status status = trp_scheduler_tell(remote->config.scheduler, &delivery);
    if (status != TRP_EAGAIN) {
        remote->crowded = false;
        return true;
    }
    if (comes_again(remote)) {
        return false;
    }
    struct origin origin = {.kind = ORIGIN_PEER, .tell = true};
    if (trp_messaging_keep(remote->config.messaging, &origin.id) == TRP_OK) {
        const struct message message = message_of(event);
        trp_remote_deliver(remote, &request->actor, &message, &origin);
    }
    return true;
}

/* False: it comes once more. */
static bool serve_message(struct trp_remote *remote, const struct trp_messaging_event *event)
{
    const struct trp_request_envelope *request = event->request;
    enum trp_status status = TRP_OK;
    if (remote->config.access_count > 0) {
        struct trp_bytes type = trp_remote_own_type(remote, request->actor.id);
        status = trp_remote_access(remote, &event->peer, TRP_ACCESS_MESSAGE,
                                   type.size > 0 ? type : request->actor_type);
    }
    if (status == TRP_OK && !trp_remote_is_local(remote, &request->actor)) {
        status = TRP_EDEAD;
    }
    if (status != TRP_OK) {
        trp_remote_answer_status(remote, event->id, request, status);
        return true;
    }
    if (event->id == 0) {
        return serve_tell(remote, event);
    }
    if (trp_scheduler_is_crowded(remote->config.scheduler, request->actor.id, &event->peer) &&
        comes_again(remote)) {
        return false;
    }
    remote->crowded = false;
    const struct origin origin = {
        .kind = ORIGIN_PEER, .tell = request->kind == TRP_ENVELOPE_TELL, .id = event->id};
    const struct message message = message_of(event);
    trp_remote_deliver(remote, &request->actor, &message, &origin);
    return true;
}

/* False: it comes once more. */
static bool on_request(struct trp_remote *remote, const struct trp_messaging_event *event)
{
    const struct trp_request_envelope *request = event->request;
    switch (request->kind) {
    case TRP_ENVELOPE_ASK:
    case TRP_ENVELOPE_TELL:
        return serve_message(remote, event);
    case TRP_ENVELOPE_LINK:
    case TRP_ENVELOPE_UNLINK:
    case TRP_ENVELOPE_SIGNAL_LINK_DIED:
        trp_remote_serve_link(remote, event);
        break;
    case TRP_ENVELOPE_OUTBOUND_FAILURE: /* no request decodes to it */
        trp_messaging_drop(remote->config.messaging, event->id);
        break;
    }
    return true;
}

bool trp_remote_run_messaging(struct trp_remote *remote)
{
    bool any = false;
    struct trp_messaging_event event;
    while (trp_messaging_next_event(remote->config.messaging, &event)) {
        any = true;
        switch (event.kind) {
        case TRP_MESSAGING_REQUEST:
            if (!on_request(remote, &event)) {
                return true;
            }
            break;
        case TRP_MESSAGING_RESULT:
        case TRP_MESSAGING_OUTBOUND_FAILURE:
            on_outcome(remote, &event);
            break;
        case TRP_MESSAGING_INBOUND_FAILURE:
        case TRP_MESSAGING_RESPONSE_SENT:
            break;
        }
    }
    return any;
}
