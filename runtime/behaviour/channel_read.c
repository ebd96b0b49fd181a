/* SPDX-License-Identifier: MIT */
/* What is read of channels: requests of peers, answers to ours; and of what was refused. */
#include "behaviour/channel_state.h"

#include "base/assert.h"

/* ---- what a peer asks ---- */

/* Says whether the peer has as many requests here as it may. */
static bool is_busy(const struct trp_channels *c, const struct trp_channel *channel)
{
    const struct trp_limits *limits = trp_channels_limits(c);
    return channel->calls_count >= limits->requests_per_connection ||
           channel->kept_count >= limits->requests_waiting_per_peer;
}

/* Notes a request that is to be answered; its bytes stay charged until then. */
static enum trp_status serve_call(struct trp_channels *c, struct trp_channel *channel,
                                  const struct trp_channel_frame *frame, size_t bytes,
                                  struct trp_messaging_event *event)
{
    struct trp_channel_call *call;
    enum trp_status status = trp_channel_call_make(
        c, channel, event->request->kind, trp_channels_limits(c)->request_timeout_ns, &call);
    if (status == TRP_OK) {
        call->token = frame->request;
        call->bytes = bytes;
        channel->calls_count++;
        event->id = trp_channel_call_id(call);
    }
    return status;
}

/* Makes an event of a message; false when there is no memory for it. */
static bool serve_message(struct trp_channels *c, struct trp_channel *channel,
                          const struct trp_channel_frame *frame, size_t bytes,
                          struct trp_messaging_event *event)
{
    struct trp_request_envelope *request = &c->request;
    request->kind = frame->kind == TRP_CHANNEL_ASK ? TRP_ENVELOPE_ASK : TRP_ENVELOPE_TELL;
    request->immediate = frame->immediate;
    request->actor.id = frame->actor;
    request->payload = frame->payload;
    request->mailbox_timeout_ns = frame->mailbox_timeout_ns;
    request->reply_timeout_ns = frame->reply_timeout_ns;
    *event = (struct trp_messaging_event){
        .kind = TRP_MESSAGING_REQUEST, .peer = channel->peer->id, .request = request};
    bool served =
        frame->kind == TRP_CHANNEL_TELL || serve_call(c, channel, frame, bytes, event) == TRP_OK;
    c->lent_id = event->id;
    return served;
}

/* A request that was answered meanwhile is none. */
static void take_cancel(struct trp_channels *c, struct trp_channel *channel, uint64_t request)
{
    struct trp_list_link *link = trp_list_front(&channel->calls);
    for (; link != NULL; link = trp_list_next(&channel->calls, link)) {
        struct trp_channel_call *call = TRP_CONTAINER(link, struct trp_channel_call, link);
        if (!call->kept && call->token == request) {
            trp_channel_call_end(c, call, TRP_MESSAGING_INBOUND_FAILURE, TRP_ERESET);
            return;
        }
    }
}

void trp_channel_look_ahead(struct trp_channels *c, struct trp_channel *channel)
{
    struct trp_channel_frame frame;
    size_t bytes;
    while (channel->blocked &&
           trp_channel_frame_decode(trp_bytes_skip(trp_buffer_view(&channel->rx), channel->ahead),
                                    UINT64_MAX, &frame, &bytes) == TRP_OK) {
        channel->ahead += bytes;
        if (frame.kind == TRP_CHANNEL_CANCEL) {
            take_cancel(c, channel, frame.request);
        }
    }
}

/* ---- what a peer answers ---- */

/* An answer to what nobody waits for any more means nothing; one to what this peer was never asked
 * is a lie. */
static enum trp_status take_answer(struct trp_channels *c, struct trp_channel *channel,
                                   const struct trp_channel_frame *frame,
                                   struct trp_messaging_event *event)
{
    struct trp_channel_call *call = trp_slab_find(&c->calls, frame->request);
    if (call == NULL || call->channel == NULL) {
        return trp_slab_gave(&c->calls, frame->request) ? TRP_EAGAIN : TRP_EVIOLATION;
    }
    if (call->channel != channel) {
        return TRP_EVIOLATION;
    }
    struct trp_response_envelope *response = &c->response;
    *response = (struct trp_response_envelope){.kind = call->kind};
    *event = (struct trp_messaging_event){.kind = TRP_MESSAGING_RESULT,
                                          .request_kind = call->kind,
                                          .id = trp_channel_call_id(call),
                                          .token = call->token,
                                          .peer = call->peer,
                                          .response = response};
    if (frame->kind == TRP_CHANNEL_DROPPED) {
        event->kind = TRP_MESSAGING_OUTBOUND_FAILURE;
        event->status = TRP_ERESET;
        event->response = NULL;
        trp_channel_call_trace(c, call, TRP_ERESET);
    } else if (frame->kind == TRP_CHANNEL_ERROR) {
        response->error = frame->error;
        response->actor_type = frame->actor_type;
        response->message = frame->message;
        event->status = trp_send_error_status(frame->error);
    }
    if (frame->error == TRP_SEND_OK || frame->error == TRP_SEND_HANDLER_ERROR) {
        response->payload = frame->payload;
    } else {
        response->text = frame->payload;
    }
    trp_channel_call_free(c, call);
    return TRP_OK;
}

/* ---- reading ---- */

static enum trp_status take_hello(struct trp_channel *channel,
                                  const struct trp_channel_frame *frame)
{
    if (channel->greeted || frame->number < TRP_CHANNEL_FRAME_BYTES_MIN) {
        return TRP_EVIOLATION;
    }
    channel->greeted = true;
    channel->frame_bytes = frame->number < UINT32_MAX ? (uint32_t)frame->number : UINT32_MAX;
    return TRP_OK;
}

/* Takes a frame. TRP_OK: it is an event; TRP_EAGAIN: it is none, go on; else the end. */
static enum trp_status take_frame(struct trp_channels *c, struct trp_channel *channel,
                                  const struct trp_channel_frame *frame, size_t bytes,
                                  struct trp_messaging_event *event)
{
    bool asks = frame->kind <= TRP_CHANNEL_ASK || frame->kind == TRP_CHANNEL_CANCEL;
    enum trp_status status;
    if (frame->kind == TRP_CHANNEL_HELLO) {
        status = take_hello(channel, frame);
        return status == TRP_OK ? TRP_EAGAIN : status;
    }
    if (!channel->greeted || asks != channel->inbound) {
        return TRP_EVIOLATION;
    }
    if (frame->kind == TRP_CHANNEL_PAIR) {
        status = trp_channel_pairs_set(&channel->pairs, frame->number, frame->actor_type,
                                       frame->message);
        return status == TRP_OK ? TRP_EAGAIN : status;
    }
    if (!asks) {
        return take_answer(c, channel, frame, event);
    }
    if (frame->kind == TRP_CHANNEL_CANCEL) {
        take_cancel(c, channel, frame->request);
        return TRP_EAGAIN;
    }
    if (!trp_channel_pairs_get(&channel->pairs, frame->number, &c->request.actor_type,
                               &c->request.message)) {
        return TRP_EVIOLATION;
    }
    return serve_message(c, channel, frame, bytes, event) ? TRP_OK : TRP_ENOMEM;
}

/* The bytes of a frame were read: charged they stay only for a request that is to be answered. */
static void count_read(struct trp_channel *channel, size_t bytes, bool stays)
{
    if (bytes == channel->rx.size && channel->rx.capacity <= TRP_CHANNEL_KEEP_BYTES) {
        trp_buffer_clear(&channel->rx);
    } else {
        trp_buffer_consume(&channel->rx, bytes);
    }
    channel->consumed += stays ? 0 : bytes;
}

static void read_failed(struct trp_channels *c, struct trp_channel *channel, enum trp_status status)
{
    if (status == TRP_ENOMEM) {
        trp_channel_fail(c, channel, status);
    } else {
        trp_channel_misused(c, channel,
                            status == TRP_ETOOBIG      ? "sent a frame that is too large"
                            : status == TRP_EVIOLATION ? "sent a frame out of its place"
                                                       : "sent what is no frame");
    }
}

/* What is here ends with a part of a frame, or nothing: more bytes may come. */
static void read_starved(struct trp_channels *c, struct trp_channel *channel)
{
    trp_list_link_remove(&channel->ready_link);
    trp_channel_settle(c, channel);
    if (channel->eof && channel->rx.size > 0) {
        trp_channel_misused(c, channel, "ended in the middle of a frame");
    } else {
        trp_channel_check_end(c, channel);
    }
}

/* The peer has as many requests here as it may: no more is read, and it gets no credit. */
static void read_blocked(struct trp_channels *c, struct trp_channel *channel)
{
    trp_list_link_remove(&channel->ready_link);
    channel->blocked = true;
    trp_channel_look_ahead(c, channel);
}

/* Reads on until there is an event; false when there is none. */
static bool channel_read(struct trp_channels *c, struct trp_channel *channel,
                         struct trp_messaging_event *event)
{
    const struct trp_limits *limits = trp_channels_limits(c);
    uint64_t limit = channel->inbound ? limits->request_bytes : limits->response_bytes;
    for (;;) {
        struct trp_channel_frame frame;
        size_t bytes;
        if (channel->inbound && is_busy(c, channel)) {
            read_blocked(c, channel);
            return false;
        }
        enum trp_status status =
            trp_channel_frame_decode(trp_buffer_view(&channel->rx), limit, &frame, &bytes);
        if (status == TRP_EAGAIN) {
            read_starved(c, channel);
            return false;
        }
        if (status == TRP_OK) {
            status = take_frame(c, channel, &frame, bytes, event);
        }
        if (status == TRP_OK) {
            c->lent = channel;
            c->lent_bytes = bytes;
            return true;
        }
        if (status != TRP_EAGAIN) {
            read_failed(c, channel, status);
            return false;
        }
        count_read(channel, bytes, false);
    }
}

/* What the last event borrowed is done with. */
static void release_lent(struct trp_channels *c)
{
    struct trp_channel *channel = c->lent;
    if (channel == NULL) {
        return;
    }
    c->lent = NULL;
    if (channel->gone) {
        trp_channel_free(c, channel);
        return;
    }
    count_read(channel, c->lent_bytes, channel->inbound && c->lent_id != 0);
}

static void outcome_show(struct trp_channels *c, struct trp_channel_call *call,
                         struct trp_messaging_event *event)
{
    *event = (struct trp_messaging_event){.kind = call->event,
                                          .status = call->status,
                                          .request_kind = call->kind,
                                          .id = trp_channel_call_id(call),
                                          .token = call->inbound ? 0 : call->token,
                                          .peer = call->peer};
    trp_slab_remove(&c->calls, call->id);
}

bool trp_channels_next_event(struct trp_channels *c, struct trp_messaging_event *ret_event)
{
    struct trp_list_link *link;
    release_lent(c);
    if ((link = trp_list_pop_front(&c->outcomes)) != NULL) {
        outcome_show(c, TRP_CONTAINER(link, struct trp_channel_call, link), ret_event);
        return true;
    }
    while ((link = trp_list_front(&c->readable)) != NULL) {
        if (channel_read(c, TRP_CONTAINER(link, struct trp_channel, ready_link), ret_event)) {
            return true;
        }
    }
    return false;
}

bool trp_channels_again(struct trp_channels *c)
{
    if (c->lent == NULL || !c->lent->inbound) {
        return false;
    }
    struct trp_channel_call *call = trp_channel_call_find(c, c->lent_id, true);
    if (call != NULL) {
        call->bytes = 0; /* they stay charged with the channel's */
        trp_channel_call_free(c, call);
    }
    c->lent_bytes = 0;
    return true;
}

enum trp_status trp_channels_keep(struct trp_channels *c, uint64_t *ret_id)
{
    struct trp_channel *channel = c->lent;
    TRP_ASSERT(channel != NULL && c->lent_id == 0);
    struct trp_channel_call *call;
    if (channel->gone) {
        return TRP_ENOMEM;
    }
    enum trp_status status = trp_channel_call_make(
        c, channel, TRP_ENVELOPE_TELL, 2 * trp_channels_limits(c)->request_timeout_ns, &call);
    if (status == TRP_OK) {
        call->kept = true;
        call->bytes = c->lent_bytes;
        channel->kept_count++;
        c->lent_id = trp_channel_call_id(call);
        *ret_id = c->lent_id;
    }
    return status;
}

/* ---- what a peer refused ---- */

/* Makes a message that was written, and not taken, one to be sent again; false when nobody waits
 * for it any more. */
static bool refused_show(struct trp_channels *c, const struct trp_channel *channel,
                         const struct trp_channel_frame *frame, struct trp_channel_refused *refused)
{
    struct trp_bytes actor_type;
    struct trp_bytes message;
    *refused = (struct trp_channel_refused){.options = {.timeout_ns = 0}};
    bool named = trp_channel_pairs_get(&channel->pairs, frame->number, &actor_type, &message);
    TRP_ASSERT(named);
    if (frame->kind != TRP_CHANNEL_TELL) {
        struct trp_channel_call *call = trp_slab_find(&c->calls, frame->request);
        if (call == NULL || call->channel != channel) {
            return false;
        }
        trp_time now = trp_swarm_now(c->swarm);
        refused->id = trp_channel_call_id(call);
        refused->options.token = call->token;
        refused->options.timeout_ns = call->timeout.at > now ? call->timeout.at - now : 1;
        trp_channel_call_free(c, call);
    }
    refused->request = (struct trp_request_envelope){
        .kind = frame->kind == TRP_CHANNEL_ASK ? TRP_ENVELOPE_ASK : TRP_ENVELOPE_TELL,
        .immediate = frame->immediate,
        .actor = {.id = frame->actor, .peer = channel->peer->id},
        .actor_type = actor_type,
        .message = message,
        .payload = frame->payload,
        .mailbox_timeout_ns = frame->mailbox_timeout_ns,
        .reply_timeout_ns = frame->reply_timeout_ns};
    return true;
}

/* Reads on in what we wrote ourselves; false at its end. */
static bool refused_read(struct trp_channels *c, struct trp_channel *channel,
                         struct trp_channel_refused *refused)
{
    struct trp_channel_frame frame;
    size_t bytes;
    while (trp_channel_frame_decode(trp_bytes_skip(trp_buffer_view(&channel->tx), channel->written),
                                    UINT64_MAX, &frame, &bytes) == TRP_OK) {
        channel->written += bytes;
        if (frame.kind == TRP_CHANNEL_PAIR &&
            trp_channel_pairs_set(&channel->pairs, frame.number, frame.actor_type, frame.message) !=
                TRP_OK) {
            break;
        }
        bool message = frame.kind >= TRP_CHANNEL_TELL && frame.kind <= TRP_CHANNEL_ASK;
        if (message && refused_show(c, channel, &frame, refused)) {
            return true;
        }
    }
    return false;
}

bool trp_channels_next_refused(struct trp_channels *c, struct trp_channel_refused *ret_refused)
{
    struct trp_list_link *link;
    while ((link = trp_list_front(&c->refused)) != NULL) {
        struct trp_channel *channel = TRP_CONTAINER(link, struct trp_channel, ready_link);
        if (refused_read(c, channel, ret_refused)) {
            return true;
        }
        trp_channel_fail(c, channel, TRP_ENOMEM); /* what is left of it, if anything */
    }
    return false;
}
