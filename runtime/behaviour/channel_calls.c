/* SPDX-License-Identifier: MIT */
/* Requests on channels, of ours and of peers, and what we write of them. */
#include "behaviour/channel_state.h"

#include "base/assert.h"

/* ---- calls ---- */

static struct trp_channel_call *call_find(const struct trp_channels *c, uint64_t id)
{
    return trp_slab_find(&c->calls, id & ~TRP_CHANNEL_ID_BIT);
}

struct trp_channel_call *trp_channel_call_find(const struct trp_channels *c, uint64_t id,
                                               bool inbound)
{
    struct trp_channel_call *call = call_find(c, id);
    return call == NULL || call->channel == NULL || call->inbound != inbound ? NULL : call;
}

enum trp_status trp_channel_call_make(struct trp_channels *c, struct trp_channel *channel,
                                      enum trp_envelope_kind kind, trp_time span_ns,
                                      struct trp_channel_call **ret_call)
{
    trp_handle id;
    void *object;
    enum trp_status status = trp_slab_insert(&c->calls, &id, &object);
    if (status != TRP_OK) {
        return status;
    }
    struct trp_channel_call *call = object;
    trp_time at = trp_time_after(trp_swarm_now(c->swarm), span_ns);
    status = trp_heap_insert(&c->timeouts, &call->timeout, at, c->ties++);
    if (status != TRP_OK) {
        trp_slab_remove(&c->calls, id);
        return status;
    }
    call->id = id;
    call->channel = channel;
    call->inbound = channel->inbound;
    call->kind = kind;
    call->peer = channel->peer->id;
    trp_list_push_back(&channel->calls, &call->link);
    c->pending += call->inbound ? 0 : 1;
    *ret_call = call;
    return TRP_OK;
}

/* The peer may be read again. */
static void channel_unblock(struct trp_channels *c, struct trp_channel *channel)
{
    if (channel->blocked) {
        channel->blocked = false;
        channel->ahead = 0;
        trp_list_push_back(&c->readable, &channel->ready_link);
    }
}

/* It waits no more: what is held for it is given back, and others of its peer may come. */
static void call_detach(struct trp_channels *c, struct trp_channel_call *call)
{
    struct trp_channel *channel = call->channel;
    trp_heap_remove(&c->timeouts, &call->timeout);
    trp_list_link_remove(&call->link);
    call->channel = NULL;
    if (!call->inbound) {
        c->pending--;
        return;
    }
    channel->kept_count -= call->kept ? 1 : 0;
    channel->calls_count -= call->kept ? 0 : 1;
    trp_channel_uncharge(c, channel, call->bytes);
    channel_unblock(c, channel);
}

void trp_channel_call_free(struct trp_channels *c, struct trp_channel_call *call)
{
    call_detach(c, call);
    trp_slab_remove(&c->calls, call->id);
}

void trp_channel_call_trace(struct trp_channels *c, const struct trp_channel_call *call,
                            enum trp_status status)
{
    trp_trace_request_failed(c->trace, &(struct trp_event_request_failed){.peer = &call->peer,
                                                                          .inbound = call->inbound,
                                                                          .status = status});
}

void trp_channel_call_end(struct trp_channels *c, struct trp_channel_call *call,
                          enum trp_messaging_event_kind event, enum trp_status status)
{
    if (status != TRP_OK) {
        trp_channel_call_trace(c, call, status);
    }
    call_detach(c, call);
    if (call->kept) { /* nobody waits for its outcome */
        trp_slab_remove(&c->calls, call->id);
        return;
    }
    call->event = event;
    call->status = status;
    trp_list_push_back(&c->outcomes, &call->link);
}

/* Gives the peer its place for a request back; where that cannot be said, it waits in vain. */
static void say_cancelled(struct trp_channels *c, const struct trp_channel_call *call)
{
    TRP_IGNORE(trp_channel_put(
        c, call->channel,
        &(struct trp_channel_frame){.kind = TRP_CHANNEL_CANCEL, .request = call->id}));
}

void trp_channel_call_expire(struct trp_channels *c, struct trp_channel_call *call)
{
    struct trp_channel *channel = call->channel;
    if (!call->inbound) {
        say_cancelled(c, call);
        trp_channel_call_end(c, call, TRP_MESSAGING_OUTBOUND_FAILURE, TRP_ETIMEDOUT);
        return;
    }
    const struct trp_channel_frame dropped = {.kind = TRP_CHANNEL_DROPPED, .request = call->token};
    bool said = call->kept || trp_channel_put(c, channel, &dropped) == TRP_OK;
    trp_channel_call_end(c, call, TRP_MESSAGING_INBOUND_FAILURE, TRP_ETIMEDOUT);
    if (said) {
        trp_channel_check_end(c, channel);
    } else {
        trp_channel_fail(c, channel, TRP_ENOMEM);
    }
}

/* ---- sending ---- */

static struct trp_channel_frame message_frame(const struct trp_request_envelope *request,
                                              enum trp_channel_frame_kind kind)
{
    return (struct trp_channel_frame){.kind = kind,
                                      .immediate = request->immediate,
                                      .actor = request->actor.id,
                                      .mailbox_timeout_ns = request->mailbox_timeout_ns,
                                      .reply_timeout_ns = request->reply_timeout_ns,
                                      .payload = request->payload};
}

/* Gives the number of the pair that a request names, and says it to the peer when it is new.
 * TRP_EUNSUPPORTED: ids so long that only Kameo's protocol takes them. */
static enum trp_status name_pair(struct trp_channels *c, struct trp_channel *channel,
                                 const struct trp_request_envelope *request, uint64_t *ret_number)
{
    uint32_t number;
    bool new;
    enum trp_status status = trp_channel_pairs_intern(&channel->pairs, request->actor_type,
                                                      request->message, &number, &new);
    if (status == TRP_OK && new) {
        status = trp_channel_put(c, channel,
                                 &(struct trp_channel_frame){.kind = TRP_CHANNEL_PAIR,
                                                             .number = number,
                                                             .actor_type = request->actor_type,
                                                             .message = request->message});
        if (status != TRP_OK) {
            trp_channel_pairs_forget(&channel->pairs, number);
        }
    }
    *ret_number = number;
    return status == TRP_ETOOBIG ? TRP_EUNSUPPORTED : status;
}

/* Finds the channel for a request. TRP_EUNSUPPORTED, TRP_ETOOBIG. */
static enum trp_status find_way(struct trp_channels *c, const struct trp_request_envelope *request,
                                struct trp_channel **ret_channel)
{
    struct trp_channel *channel = trp_channel_reach(c, &request->actor.peer);
    if (channel == NULL) {
        return TRP_EUNSUPPORTED;
    }
    size_t limit = trp_channels_limits(c)->request_bytes;
    limit = limit < channel->frame_bytes ? limit : channel->frame_bytes;
    *ret_channel = channel;
    return request->payload.size + TRP_CHANNEL_HEADER_BYTES_MAX > limit ? TRP_ETOOBIG : TRP_OK;
}

enum trp_status trp_channels_tell(struct trp_channels *c,
                                  const struct trp_request_envelope *request)
{
    struct trp_channel *channel;
    struct trp_channel_frame frame = message_frame(request, TRP_CHANNEL_TELL);
    enum trp_status status = find_way(c, request, &channel);
    if (status == TRP_OK) {
        status = name_pair(c, channel, request, &frame.number);
    }
    return status == TRP_OK ? trp_channel_put(c, channel, &frame) : status;
}

enum trp_status trp_channels_send(struct trp_channels *c,
                                  const struct trp_request_envelope *request,
                                  const struct trp_messaging_options *options, uint64_t *ret_id)
{
    struct trp_channel *channel;
    struct trp_channel_frame frame = message_frame(
        request, request->kind == TRP_ENVELOPE_ASK ? TRP_CHANNEL_ASK : TRP_CHANNEL_TELL_ACK);
    enum trp_status status = find_way(c, request, &channel);
    if (status == TRP_OK) {
        status = name_pair(c, channel, request, &frame.number);
    }
    struct trp_channel_call *call;
    if (status == TRP_OK) {
        trp_time span_ns = options->timeout_ns != 0 ? options->timeout_ns
                                                    : trp_channels_limits(c)->request_timeout_ns;
        status = trp_channel_call_make(c, channel, request->kind, span_ns, &call);
    }
    if (status != TRP_OK) {
        return status;
    }
    call->token = options->token;
    frame.request = call->id;
    status = trp_channel_put(c, channel, &frame);
    if (status != TRP_OK) {
        trp_channel_call_free(c, call);
        return status;
    }
    *ret_id = trp_channel_call_id(call);
    return TRP_OK;
}

bool trp_channels_cancel(struct trp_channels *c, uint64_t id)
{
    struct trp_channel_call *call = call_find(c, id);
    if (call == NULL || call->inbound) {
        return false;
    }
    if (call->channel != NULL) {
        say_cancelled(c, call);
        trp_channel_call_free(c, call);
    } else {
        trp_list_link_remove(&call->link); /* from among the outcomes */
        trp_slab_remove(&c->calls, call->id);
    }
    return true;
}

uint32_t trp_channels_pending(const struct trp_channels *c)
{
    return c->pending;
}

/* ---- answering ---- */

/* What an error carries besides its name; TRP_EINVAL: a tell has no such error. */
static enum trp_status error_frame(const struct trp_response_envelope *response,
                                   struct trp_channel_frame *frame)
{
    frame->kind = TRP_CHANNEL_ERROR;
    frame->error = response->error;
    if (response->error == TRP_SEND_HANDLER_ERROR) {
        return response->kind == TRP_ENVELOPE_ASK ? TRP_OK : TRP_EINVAL;
    }
    bool names =
        response->error == TRP_SEND_UNKNOWN_ACTOR || response->error == TRP_SEND_UNKNOWN_MESSAGE;
    frame->actor_type = names ? response->actor_type : TRP_BYTES_NONE;
    frame->message = names ? response->message : TRP_BYTES_NONE;
    frame->payload = names ? TRP_BYTES_NONE : response->text;
    return TRP_OK;
}

enum trp_status trp_channels_answer(struct trp_channels *c, uint64_t id,
                                    const struct trp_response_envelope *response)
{
    struct trp_channel_call *call = trp_channel_call_find(c, id, true);
    if (call == NULL) {
        return TRP_ENOTFOUND;
    }
    struct trp_channel *channel = call->channel;
    if (call->kept) {
        trp_channel_call_free(c, call);
        trp_channel_check_end(c, channel);
        return TRP_OK;
    }
    struct trp_channel_frame frame = {
        .kind = TRP_CHANNEL_REPLY, .request = call->token, .payload = response->payload};
    bool fits = response->kind == call->kind || response->kind == TRP_ENVELOPE_OUTBOUND_FAILURE;
    enum trp_status status = fits ? TRP_OK : TRP_EINVAL;
    if (status == TRP_OK && response->error != TRP_SEND_OK) {
        status = error_frame(response, &frame);
    }
    size_t limit = trp_channels_limits(c)->response_bytes;
    limit = limit < channel->frame_bytes ? limit : channel->frame_bytes;
    if (status == TRP_OK && trp_channel_frame_room(&frame) > limit) {
        status = TRP_ETOOBIG;
    }
    if (status == TRP_OK) {
        status = trp_channel_put(c, channel, &frame);
    }
    if (status == TRP_OK) {
        trp_channel_call_end(c, call, TRP_MESSAGING_RESPONSE_SENT, TRP_OK);
    }
    return status;
}

void trp_channels_drop(struct trp_channels *c, uint64_t id)
{
    struct trp_channel_call *call = trp_channel_call_find(c, id, true);
    if (call == NULL) {
        return;
    }
    struct trp_channel *channel = call->channel;
    const struct trp_channel_frame dropped = {.kind = TRP_CHANNEL_DROPPED, .request = call->token};
    bool said = call->kept || trp_channel_put(c, channel, &dropped) == TRP_OK;
    trp_channel_call_end(c, call, TRP_MESSAGING_INBOUND_FAILURE, TRP_ECANCELLED);
    if (!said) {
        trp_channel_fail(c, channel, TRP_ENOMEM);
    }
}
