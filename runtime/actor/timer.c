/* SPDX-License-Identifier: MIT */
#include "actor/timer.h"

#include "actor/scheduler_state.h"

enum trp_status trp_deadline_set(struct trp_scheduler *scheduler, struct trp_deadline *deadline,
                                 trp_time at)
{
    return trp_heap_insert(&scheduler->deadlines, &deadline->entry, at,
                           ++scheduler->deadlines_made);
}

/* ---- timers ---- */

static void timer_leave_target(struct trp_timer *timer)
{
    if (timer->target_at == NULL) {
        return;
    }
    *timer->target_at = timer->target_next;
    if (timer->target_next != NULL) {
        timer->target_next->target_at = timer->target_at;
    }
    timer->target_at = NULL;
}

static void timer_join_target(struct trp_timer *timer, struct trp_actor *target)
{
    timer->target = target;
    timer->target_next = target->timers;
    timer->target_at = &target->timers;
    if (target->timers != NULL) {
        target->timers->target_at = &timer->target_next;
    }
    target->timers = timer;
}

void trp_timer_free(struct trp_scheduler *scheduler, struct trp_timer *timer)
{
    timer_leave_target(timer);
    trp_heap_remove(&scheduler->deadlines, &timer->deadline.entry);
    trp_table_remove(&scheduler->timers, timer->id);
    trp_mail_free(scheduler, timer->content);
    trp_pool_put(&scheduler->pool, timer->mail.class, timer);
}

/* Copies the message for a target here, encodes it for one elsewhere. */
static enum trp_status timer_prepare(struct trp_scheduler *scheduler, struct trp_timer *timer,
                                     const struct trp_actor_ref *to,
                                     const struct trp_message_type *type, const void *message)
{
    if (!trp_scheduler_is_local(scheduler, to)) {
        enum trp_status status = trp_scheduler_check_remote(scheduler, to);
        if (status != TRP_OK) {
            return status;
        }
        timer->to = *to;
        timer->type = type;
        return trp_mail_encode(scheduler, type, message, &timer->content);
    }
    struct trp_actor *target = trp_scheduler_find(scheduler, to->id);
    if (target == NULL || target->phase != TRP_ACTOR_RUNNING) {
        return TRP_EDEAD;
    }
    const struct trp_handler_info *handler = trp_type_info_handler(target->info, type);
    if (handler == NULL) {
        return TRP_EUNKNOWNMESSAGE;
    }
    enum trp_status status = trp_mail_copy(scheduler, &handler->message, message, &timer->content);
    if (status == TRP_OK) {
        timer->mail.handler = handler;
        timer_join_target(timer, target);
    }
    return status;
}

enum trp_status trp_tell_after(struct trp_context *ctx, trp_time delay_ns,
                               const struct trp_actor_ref *to, const struct trp_message_type *type,
                               const void *message, uint64_t *ret_timer)
{
    struct trp_scheduler *scheduler = ctx->scheduler;
    uint8_t class = trp_pool_class_of(sizeof(struct trp_timer));
    struct trp_timer *timer = trp_pool_take(&scheduler->pool, class, sizeof *timer);
    if (timer == NULL) {
        return TRP_ENOMEM;
    }
    *timer = (struct trp_timer){
        .mail = {.kind = TRP_MAIL_TIMER, .class = class, .cause = scheduler->trace->cause},
        .deadline = {.kind = TRP_DEADLINE_TIMER}};
    enum trp_status status = trp_table_insert(&scheduler->timers, timer, &timer->id);
    if (status == TRP_EFULL) {
        trp_scheduler_trace_limit(scheduler, "timers", scheduler->limits->timers);
    }
    if (status != TRP_OK) {
        trp_pool_put(&scheduler->pool, class, timer);
        return status;
    }
    status = timer_prepare(scheduler, timer, to, type, message);
    if (status == TRP_OK) {
        status =
            trp_deadline_set(scheduler, &timer->deadline, trp_time_after(scheduler->now, delay_ns));
    }
    if (status != TRP_OK) {
        trp_timer_free(scheduler, timer);
        return status;
    }
    if (ret_timer != NULL) {
        *ret_timer = timer->id;
    }
    return TRP_OK;
}

void trp_timer_cancel(struct trp_context *ctx, uint64_t timer)
{
    struct trp_timer *found = trp_table_find(&ctx->scheduler->timers, timer);
    if (found == NULL) {
        return;
    }
    if (trp_heap_is_queued(&found->deadline.entry)) {
        trp_timer_free(ctx->scheduler, found);
    } else {
        found->cancelled = true; /* it waits in a mailbox and is dropped there */
    }
}

static void timer_trace_lost(struct trp_scheduler *scheduler, const struct trp_timer *timer,
                             enum trp_status status)
{
    bool ours = timer->target != NULL;
    const struct trp_message_type *type = ours ? timer->mail.handler->message.type : timer->type;
    trp_trace_dead_letter(scheduler->trace, &(struct trp_event_dead_letter){
                                                .actor = ours ? timer->target->id : timer->to.id,
                                                .peer = ours ? NULL : &timer->to.peer,
                                                .message = trp_bytes_text(type->id),
                                                .status = status});
}

/* Sends what a timer to an actor elsewhere was made for. */
static void timer_send_out(struct trp_scheduler *scheduler, struct trp_timer *timer)
{
    const struct trp_sched_event out = {
        .kind = TRP_SCHED_TELL, .other = timer->to, .message = trp_bytes_text(timer->type->id)};
    enum trp_status status = trp_event_emit(scheduler, &out, timer->content);
    if (status == TRP_OK) {
        timer->content = NULL;
    } else {
        timer_trace_lost(scheduler, timer, status);
    }
    trp_timer_free(scheduler, timer);
}

static void timer_expire(struct trp_scheduler *scheduler, struct trp_timer *timer)
{
    scheduler->trace->cause = timer->mail.cause;
    if (timer->target == NULL) {
        timer_send_out(scheduler, timer);
    } else if (timer->target->phase != TRP_ACTOR_RUNNING) {
        timer_trace_lost(scheduler, timer, TRP_EDEAD);
        trp_timer_free(scheduler, timer);
    } else {
        trp_scheduler_push_control(scheduler, timer->target, &timer->mail);
    }
}

void trp_deadline_expire_all(struct trp_scheduler *scheduler)
{
    for (;;) {
        struct trp_heap_entry *entry = trp_heap_front(&scheduler->deadlines);
        if (entry == NULL || entry->at > scheduler->now) {
            return;
        }
        trp_heap_remove(&scheduler->deadlines, entry);
        struct trp_deadline *deadline = TRP_CONTAINER(entry, struct trp_deadline, entry);
        if (deadline->kind == TRP_DEADLINE_REQUEST) {
            trp_request_expire(scheduler, TRP_CONTAINER(deadline, struct trp_request, deadline));
        } else {
            timer_expire(scheduler, TRP_CONTAINER(deadline, struct trp_timer, deadline));
        }
    }
}
