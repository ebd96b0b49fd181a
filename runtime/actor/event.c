/* SPDX-License-Identifier: MIT */
#include "actor/event.h"

#include "actor/scheduler_state.h"

static struct trp_event_block *block_of(struct trp_event *event)
{
    return TRP_CONTAINER(event, struct trp_event_block, event);
}

static void queue_push(struct trp_event_queue *queue, struct trp_event *event)
{
    event->next = NULL;
    if (queue->head == NULL) {
        queue->head = event;
    } else {
        queue->tail->next = event;
    }
    queue->tail = event;
}

void trp_event_push(struct trp_scheduler *scheduler, struct trp_event *event,
                    enum trp_event_owner owner)
{
    event->owner = (uint8_t)owner;
    event->cause = scheduler->trace->cause;
    queue_push(&scheduler->events, event);
}

static enum trp_status emit(struct trp_scheduler *scheduler, const struct trp_sched_event *out,
                            struct trp_mail *payload, bool counted)
{
    size_t bytes = sizeof(struct trp_event_block) + out->name.size + out->other_type.size;
    uint8_t class = trp_pool_class_of(bytes);
    struct trp_event_block *block = trp_pool_take(&scheduler->pool, class, bytes);
    if (block == NULL) {
        return TRP_ENOMEM;
    }
    *block = (struct trp_event_block){
        .out = *out, .payload = payload, .class = class, .counted = counted};
    if (out->name.size > 0) {
        memcpy(block + 1, out->name.data, out->name.size);
        block->out.name.data = (const uint8_t *)(block + 1);
    }
    if (out->other_type.size > 0) {
        uint8_t *at = (uint8_t *)(block + 1) + out->name.size;
        memcpy(at, out->other_type.data, out->other_type.size);
        block->out.other_type.data = at;
    }
    if (payload != NULL) {
        block->out.payload = trp_bytes(payload + 1, payload->bytes);
    }
    scheduler->events.blocks_count += counted;
    trp_event_push(scheduler, &block->event, TRP_EVENT_BLOCK);
    return TRP_OK;
}

enum trp_status trp_event_emit(struct trp_scheduler *scheduler, const struct trp_sched_event *out,
                               struct trp_mail *payload)
{
    if (scheduler->events.blocks_count >= scheduler->limits->requests) {
        return TRP_EFULL;
    }
    return emit(scheduler, out, payload, true);
}

enum trp_status trp_event_emit_tell(struct trp_scheduler *scheduler, uint64_t actor,
                                    const struct trp_actor_ref *to, struct trp_bytes message,
                                    struct trp_bytes payload)
{
    if (scheduler->events.blocks_count >= scheduler->limits->requests) {
        return TRP_EFULL;
    }
    size_t bytes = sizeof(struct trp_event_tell) + payload.size;
    uint8_t class = trp_pool_class_of(bytes);
    struct trp_event_tell *tell = trp_pool_take(&scheduler->pool, class, bytes);
    if (tell == NULL) {
        return TRP_ENOMEM;
    }
    tell->to = *to;
    tell->message = message;
    tell->actor = actor;
    tell->bytes = (uint32_t)payload.size;
    tell->class = class;
    if (payload.size > 0) {
        memcpy(tell + 1, payload.data, payload.size);
    }
    scheduler->events.blocks_count++;
    trp_event_push(scheduler, &tell->event, TRP_EVENT_TELL);
    return TRP_OK;
}

void trp_event_answer(struct trp_scheduler *scheduler, const struct trp_delivery *delivery,
                      enum trp_status status)
{
    const struct trp_sched_event out = {.kind = TRP_SCHED_ANSWER,
                                        .status = status,
                                        .token = delivery->token,
                                        .actor = delivery->actor};
    struct trp_event_queue *queue = &scheduler->events;
    if (emit(scheduler, &out, NULL, false) == TRP_OK) {
        return;
    }
    if (queue->spares_used == TRP_EVENT_SPARES) {
        trp_scheduler_trace_limit(scheduler, "spare answers", TRP_EVENT_SPARES);
        return;
    }
    struct trp_event_spare *spare = &queue->spares[queue->spares_used++];
    *spare = (struct trp_event_spare){
        .token = delivery->token, .actor = delivery->actor, .status = status};
    trp_event_push(scheduler, &spare->event, TRP_EVENT_SPARE);
}

/* Frees what an event given out was part of. */
static void event_free(struct trp_scheduler *scheduler, struct trp_event *event)
{
    switch ((enum trp_event_owner)event->owner) {
    case TRP_EVENT_BLOCK: {
        struct trp_event_block *block = block_of(event);
        trp_mail_free(scheduler, block->payload);
        trp_pool_put(&scheduler->pool, block->class, block);
        break;
    }
    case TRP_EVENT_TELL: {
        struct trp_event_tell *tell = TRP_CONTAINER(event, struct trp_event_tell, event);
        trp_pool_put(&scheduler->pool, tell->class, tell);
        break;
    }
    case TRP_EVENT_SPARE:
        break;
    case TRP_EVENT_REQUEST:
        trp_request_free(scheduler, TRP_CONTAINER(event, struct trp_request, event));
        break;
    case TRP_EVENT_LINK:
        trp_link_free(scheduler, TRP_CONTAINER(event, struct trp_link, event));
        break;
    case TRP_EVENT_ACTOR: {
        struct trp_actor *actor = TRP_CONTAINER(event, struct trp_actor, gone);
        trp_pool_put(&scheduler->pool, actor->info->class, actor);
        break;
    }
    }
}

/* A tell is what there is most of: only what it has is written. */
static void tell_show(const struct trp_event_tell *tell, struct trp_sched_event *ret_event)
{
    ret_event->kind = TRP_SCHED_TELL;
    ret_event->request = 0;
    ret_event->actor = tell->actor;
    ret_event->other = tell->to;
    ret_event->message = tell->message;
    ret_event->payload = trp_bytes(tell + 1, tell->bytes);
    ret_event->mailbox_timeout_ns = TRP_NEVER;
    ret_event->reply_timeout_ns = TRP_NEVER;
}

static void event_show(struct trp_scheduler *scheduler, struct trp_event *event,
                       struct trp_sched_event *ret_event)
{
    switch ((enum trp_event_owner)event->owner) {
    case TRP_EVENT_BLOCK:
        *ret_event = block_of(event)->out;
        break;
    case TRP_EVENT_TELL:
        tell_show(TRP_CONTAINER(event, struct trp_event_tell, event), ret_event);
        break;
    case TRP_EVENT_SPARE: {
        const struct trp_event_spare *spare = TRP_CONTAINER(event, struct trp_event_spare, event);
        *ret_event = (struct trp_sched_event){.kind = TRP_SCHED_ANSWER,
                                              .status = spare->status,
                                              .token = spare->token,
                                              .actor = spare->actor};
        break;
    }
    case TRP_EVENT_REQUEST: {
        struct trp_request *request = TRP_CONTAINER(event, struct trp_request, event);
        *ret_event = (struct trp_sched_event){.kind = TRP_SCHED_ANSWER,
                                              .status = (enum trp_status)request->status,
                                              .token = request->token,
                                              .actor = request->target};
        if (request->reply != NULL) {
            ret_event->payload = trp_bytes(request->reply + 1, request->reply->bytes);
        }
        break;
    }
    case TRP_EVENT_LINK: {
        struct trp_link *link = TRP_CONTAINER(event, struct trp_link, event);
        scheduler->events.death = trp_link_cause(link);
        *ret_event = (struct trp_sched_event){.kind = TRP_SCHED_DIED,
                                              .actor = link->dead,
                                              .other = link->other,
                                              .other_type = trp_link_type(link),
                                              .death = &scheduler->events.death};
        break;
    }
    case TRP_EVENT_ACTOR: {
        struct trp_actor *actor = TRP_CONTAINER(event, struct trp_actor, gone);
        *ret_event = (struct trp_sched_event){.kind = TRP_SCHED_STOPPED,
                                              .reason = (enum trp_stop_reason)actor->reason,
                                              .actor = actor->id,
                                              .other = trp_actor_ref_of(scheduler, actor)};
        break;
    }
    }
}

static void free_current(struct trp_scheduler *scheduler)
{
    struct trp_event *current = scheduler->events.current;
    if (current != NULL) {
        scheduler->events.current = NULL;
        event_free(scheduler, current);
    }
}

bool trp_scheduler_next_event(struct trp_scheduler *scheduler, struct trp_sched_event *ret_event)
{
    struct trp_event_queue *queue = &scheduler->events;
    free_current(scheduler);
    struct trp_event *event = queue->head;
    if (event == NULL) {
        queue->spares_used = 0;
        return false;
    }
    queue->head = event->next;
    queue->current = event;
    if (event->owner == TRP_EVENT_BLOCK) {
        queue->blocks_count -= block_of(event)->counted;
    } else if (event->owner == TRP_EVENT_TELL) {
        queue->blocks_count--;
    }
    event_show(scheduler, event, ret_event);
    ret_event->cause = event->cause;
    return true;
}
