/* SPDX-License-Identifier: MIT */
#include "actor/actor.h"

#include "actor/scheduler_state.h"
#include "base/assert.h"

/* A turn handles the messages that were there when it began, at most so many; so a producer that
 * tells itself to go on does not outrun those it produces for. */
#define TURN_MAILS 1024u

struct trp_actor_ref trp_actor_ref_of(const struct trp_scheduler *scheduler,
                                      const struct trp_actor *actor)
{
    struct trp_actor_ref ref = {.id = actor->id, .type = actor->info->hash};
    if (scheduler->networked) {
        ref.peer = scheduler->self;
    }
    return ref;
}

static struct trp_bytes type_text(const struct trp_actor *actor)
{
    return trp_bytes_text(actor->info->type->id);
}

/* In the user lane. */
static uint32_t messages_count(const struct trp_actor *actor)
{
    return actor->mailbox.user_count + actor->peers_count;
}

void trp_actor_trace_full(struct trp_scheduler *scheduler, struct trp_actor *actor)
{
    if (actor->refusing) {
        return;
    }
    actor->refusing = true;
    trp_trace_mailbox_full(scheduler->trace,
                           &(struct trp_event_mailbox_full){.actor = actor->id,
                                                            .type = type_text(actor),
                                                            .messages = actor->mailbox.user_limit});
}

/* ---- beginning ---- */

static void actor_init(struct trp_scheduler *scheduler, struct trp_actor *actor,
                       const struct trp_type_info *info, const struct trp_spawn_options *options)
{
    uint32_t limit = options == NULL ? 0 : options->mailbox_messages;
    *actor = (struct trp_actor){
        .mailbox = {.user_limit = limit > 0 ? limit : scheduler->limits->mailbox_messages},
        .info = info,
        .phase = TRP_ACTOR_RUNNING};
    trp_list_init(&actor->waiting);
    trp_list_init(&actor->links);
    memset(trp_actor_state(actor), 0, info->type->state_bytes);
}

enum trp_status trp_actor_spawn(struct trp_scheduler *scheduler, const struct trp_actor_type *type,
                                const void *args, const struct trp_spawn_options *options,
                                struct trp_actor *parent, struct trp_actor_ref *ret_ref)
{
    bool link = options != NULL && options->link;
    if (link && parent == NULL) {
        return TRP_EINVAL;
    }
    const struct trp_type_info *info;
    enum trp_status status = trp_type_info_find(scheduler, type, &info);
    if (status != TRP_OK) {
        return status;
    }
    struct trp_actor *actor =
        trp_pool_take(&scheduler->pool, info->class, TRP_ACTOR_HEADER + (size_t)type->state_bytes);
    if (actor == NULL) {
        return TRP_ENOMEM;
    }
    actor_init(scheduler, actor, info, options);
    status = trp_table_insert(&scheduler->actors, actor, &actor->id);
    if (status == TRP_EFULL) {
        trp_scheduler_trace_limit(scheduler, "actors", scheduler->limits->actors);
    }
    if (status == TRP_OK && info->args.type != NULL && info->args.size > 0) {
        status = trp_mail_copy(scheduler, &info->args, args, &actor->args);
    }
    if (status == TRP_OK && link) {
        status = trp_link_pair(scheduler, parent, actor);
    }
    if (status != TRP_OK) {
        trp_table_remove(&scheduler->actors, actor->id);
        trp_mail_free(scheduler, actor->args);
        trp_pool_put(&scheduler->pool, info->class, actor);
        return status;
    }
    trp_trace_actor_spawned(scheduler->trace, &(struct trp_event_actor_spawned){
                                                  .actor = actor->id,
                                                  .type = type_text(actor),
                                                  .parent = parent == NULL ? 0 : parent->id});
    trp_scheduler_wake(scheduler, actor);
    if (ret_ref != NULL) {
        *ret_ref = trp_actor_ref_of(scheduler, actor);
    }
    return TRP_OK;
}

/* ---- ending ---- */

static void refuse_waiting(struct trp_scheduler *scheduler, struct trp_actor *actor)
{
    struct trp_request *request;
    while ((request = trp_share_first(actor)) != NULL) {
        trp_request_end(scheduler, request, TRP_EDEAD, NULL, false);
    }
}

void trp_actor_stop(struct trp_scheduler *scheduler, struct trp_actor *actor)
{
    if (actor->phase != TRP_ACTOR_RUNNING) {
        return;
    }
    actor->phase = TRP_ACTOR_STOPPING;
    refuse_waiting(scheduler, actor);
    trp_scheduler_wake(scheduler, actor);
}

void trp_actor_kill(struct trp_scheduler *scheduler, struct trp_actor *actor)
{
    if (actor->phase == TRP_ACTOR_GONE) {
        return;
    }
    actor->phase = TRP_ACTOR_KILLED;
    trp_scheduler_wake(scheduler, actor);
}

/* Lets go of a mail that will not be handled; an ask in it ends. */
static void mail_drop(struct trp_scheduler *scheduler, struct trp_mail *mail)
{
    switch ((enum trp_mail_kind)mail->kind) {
    case TRP_MAIL_MESSAGE: {
        struct trp_request *request = trp_request_find(scheduler, mail->request);
        if (request != NULL) {
            trp_request_end(scheduler, request, TRP_ESTOPPED, NULL, false);
        }
        trp_mail_free(scheduler, mail);
        break;
    }
    case TRP_MAIL_TIMER:
        trp_timer_free(scheduler, TRP_CONTAINER(mail, struct trp_timer, mail));
        break;
    case TRP_MAIL_REPLY:
        trp_request_free(scheduler, TRP_CONTAINER(mail, struct trp_request, mail));
        break;
    case TRP_MAIL_FOUND:
        trp_mail_free(scheduler, mail);
        break;
    case TRP_MAIL_LINK_DIED:
        trp_link_free(scheduler, TRP_CONTAINER(mail, struct trp_link, mail));
        break;
    }
}

/* Ends every ask it has not answered and forgets those it made. */
static void actor_end_asks(struct trp_scheduler *scheduler, struct trp_actor *actor)
{
    struct trp_mail *mail;
    while ((mail = trp_lane_pop(&actor->mailbox.control)) != NULL) {
        mail_drop(scheduler, mail);
    }
    while ((mail = trp_actor_pop(scheduler, actor)) != NULL) {
        mail_drop(scheduler, mail);
    }
    while (actor->open != NULL) {
        trp_request_end(scheduler, actor->open, TRP_ESTOPPED, NULL, false);
    }
    refuse_waiting(scheduler, actor);
    /* Asks to itself have just come back into its own control lane. */
    while ((mail = trp_lane_pop(&actor->mailbox.control)) != NULL) {
        mail_drop(scheduler, mail);
    }
    while (actor->asks != NULL) {
        trp_request_free(scheduler, actor->asks);
    }
    while (actor->timers != NULL) {
        trp_timer_free(scheduler, actor->timers);
    }
}

static void context_set(struct trp_scheduler *scheduler, struct trp_actor *actor)
{
    scheduler->context = (struct trp_context){.scheduler = scheduler, .actor = actor};
}

/* Ends an actor in its own turn. */
static void actor_end(struct trp_scheduler *scheduler, struct trp_actor *actor,
                      const struct trp_stop_cause *cause)
{
    const struct trp_actor_type *type = actor->info->type;
    enum trp_stop_reason reason = trp_stop_cause_reason(cause);
    actor->phase = TRP_ACTOR_GONE;
    actor->reason = (uint8_t)reason;
    trp_table_remove(&scheduler->actors, actor->id);
    uint64_t sequence = trp_trace_actor_stopped(
        scheduler->trace, &(struct trp_event_actor_stopped){.actor = actor->id,
                                                            .type = type_text(actor),
                                                            .reason = reason,
                                                            .dropped = messages_count(actor)});
    scheduler->trace->cause = sequence;
    if (actor->started && type->on_stop != NULL) {
        context_set(scheduler, actor);
        type->on_stop(&scheduler->context, trp_actor_state(actor), reason);
    }
    actor_end_asks(scheduler, actor);
    trp_mail_free(scheduler, actor->args);
    actor->args = NULL;
    trp_link_tell_all(scheduler, actor, cause);
    scheduler->context = (struct trp_context){.scheduler = scheduler};
    trp_event_push(scheduler, &actor->gone, TRP_EVENT_ACTOR);
}

static void actor_end_panicked(struct trp_scheduler *scheduler, struct trp_actor *actor,
                               enum trp_panic panic, enum trp_status failure)
{
    actor_end(scheduler, actor,
              &(struct trp_stop_cause){.root = TRP_STOP_PANICKED,
                                       .panic = panic,
                                       .text = trp_bytes_text(trp_status_name(failure))});
}

/* A failure that has nobody to go to. Says whether the actor goes on; if not, it has ended. */
static bool actor_panic(struct trp_scheduler *scheduler, struct trp_actor *actor, const char *what,
                        enum trp_status failure)
{
    const struct trp_actor_type *type = actor->info->type;
    bool goes_on = false;
    if (type->on_panic != NULL && actor->phase != TRP_ACTOR_KILLED) {
        context_set(scheduler, actor);
        goes_on = type->on_panic(&scheduler->context, trp_actor_state(actor), failure);
    }
    scheduler->trace->cause = trp_trace_actor_panicked(
        scheduler->trace, &(struct trp_event_actor_panicked){.actor = actor->id,
                                                             .type = type_text(actor),
                                                             .what = trp_bytes_text(what),
                                                             .status = failure,
                                                             .goes_on = goes_on});
    if (!goes_on) {
        actor_end_panicked(scheduler, actor, TRP_PANIC_HANDLER_PANIC, failure);
    }
    return goes_on;
}

/* ---- turns ---- */

/* Runs on_start; what it sends to itself comes before what others sent. False: it has ended. */
static bool actor_start(struct trp_scheduler *scheduler, struct trp_actor *actor)
{
    const struct trp_actor_type *type = actor->info->type;
    struct trp_mailbox *mailbox = &actor->mailbox;
    struct trp_lane others = mailbox->user;
    uint32_t others_count = mailbox->user_count;
    mailbox->user = (struct trp_lane){0};
    mailbox->user_count = 0;
    enum trp_status status = TRP_OK;
    if (type->on_start != NULL) {
        context_set(scheduler, actor);
        const void *args = actor->args == NULL ? NULL : trp_mail_payload(actor->args);
        status = type->on_start(&scheduler->context, trp_actor_state(actor), args);
    }
    trp_mail_free(scheduler, actor->args);
    actor->args = NULL;
    trp_lane_append(&mailbox->user, &others);
    mailbox->user_count += others_count;
    if (status != TRP_OK) {
        scheduler->trace->cause = trp_trace_actor_panicked(
            scheduler->trace, &(struct trp_event_actor_panicked){.actor = actor->id,
                                                                 .type = type_text(actor),
                                                                 .what = trp_bytes_text("on_start"),
                                                                 .status = status});
        actor_end_panicked(scheduler, actor, TRP_PANIC_ON_START, status);
        return false;
    }
    actor->started = true;
    return true;
}

/* Gives the ask that was handled its outcome, if the handler has not. Says whether the failure is
 * one of nobody's. */
static bool context_finish_ask(struct trp_scheduler *scheduler, enum trp_status status)
{
    struct trp_context *ctx = &scheduler->context;
    if (ctx->answered) {
        return status != TRP_OK;
    }
    if (status == TRP_OK && ctx->deferred) {
        return false;
    }
    struct trp_request *request = trp_request_find(scheduler, ctx->request);
    if (request == NULL) {
        return false; /* its asker is gone or waits no more */
    }
    if (status == TRP_OK && ctx->handler->reply.size == 0) {
        status = trp_request_answer(scheduler, request, &ctx->handler->reply, NULL);
        if (status == TRP_OK) {
            return false;
        }
    }
    trp_request_fail(scheduler, request, status == TRP_OK ? TRP_ESTATE : status);
    return false;
}

static bool actor_handle_message(struct trp_scheduler *scheduler, struct trp_actor *actor,
                                 struct trp_mail *mail)
{
    const struct trp_handler_info *handler = mail->handler;
    struct trp_context *ctx = &scheduler->context;
    ctx->actor = actor;
    ctx->handler = handler;
    ctx->request = mail->request;
    ctx->answered = false;
    ctx->deferred = false;
    scheduler->trace->cause = mail->cause;
    enum trp_status status = handler->handle(ctx, trp_actor_state(actor), trp_mail_payload(mail));
    bool panics = mail->request == 0 ? status != TRP_OK : context_finish_ask(scheduler, status);
    trp_mail_free(scheduler, mail);
    return !panics || actor_panic(scheduler, actor, handler->message.type->id, status);
}

static bool actor_handle_timer(struct trp_scheduler *scheduler, struct trp_actor *actor,
                               struct trp_timer *timer)
{
    if (actor->holds > 0) {
        trp_mailbox_push(&actor->mailbox, &timer->mail); /* its message waits as others do */
        return true;
    }
    struct trp_mail *content = timer->content;
    content->handler = timer->mail.handler;
    content->cause = timer->mail.cause;
    timer->content = NULL;
    bool cancelled = timer->cancelled;
    trp_timer_free(scheduler, timer);
    if (cancelled) {
        trp_mail_free(scheduler, content);
        return true;
    }
    return actor_handle_message(scheduler, actor, content);
}

static bool actor_handle_reply(struct trp_scheduler *scheduler, struct trp_actor *actor,
                               struct trp_request *request)
{
    if (request->hold) {
        actor->holds--;
    }
    context_set(scheduler, actor);
    scheduler->trace->cause = request->mail.cause;
    enum trp_status status = TRP_OK;
    if (request->kind == TRP_REQUEST_LOOKUP) {
        struct trp_lookup_result result = {
            .status = (enum trp_status)request->status, .last = true, .user = request->user};
        if (request->reply != NULL) {
            result.ref = ((const struct trp_found *)(const void *)(request->reply + 1))->ref;
        }
        status = request->on_lookup(&scheduler->context, trp_actor_state(actor), &result);
    } else if (request->on_reply != NULL) {
        struct trp_reply reply = {.status = (enum trp_status)request->status,
                                  .user = request->user};
        if (request->reply != NULL && request->decoded) {
            reply.message = trp_mail_payload(request->reply);
        } else if (request->reply != NULL) {
            reply.payload = trp_bytes(request->reply + 1, request->reply->bytes);
        }
        status = request->on_reply(&scheduler->context, trp_actor_state(actor), &reply);
    }
    const char *what = request->kind == TRP_REQUEST_LOOKUP ? "on_lookup" : "on_reply";
    trp_request_free(scheduler, request);
    return status == TRP_OK || actor_panic(scheduler, actor, what, status);
}

static bool actor_handle_found(struct trp_scheduler *scheduler, struct trp_actor *actor,
                               struct trp_mail *mail)
{
    const struct trp_found found = *(const struct trp_found *)(const void *)(mail + 1);
    scheduler->trace->cause = mail->cause;
    trp_mail_free(scheduler, mail);
    struct trp_request *request = trp_table_find(&scheduler->requests, found.request);
    TRP_ASSERT(request != NULL); /* it stays for its last result, which comes behind this one */
    request->found_count--;
    context_set(scheduler, actor);
    const struct trp_lookup_result result = {
        .status = found.status, .ref = found.ref, .user = request->user};
    enum trp_status status =
        request->on_lookup(&scheduler->context, trp_actor_state(actor), &result);
    return status == TRP_OK || actor_panic(scheduler, actor, "on_lookup", status);
}

/* Kameo's defaults: only what ended well lets a linked actor go on. */
static bool death_is_survived(struct trp_scheduler *scheduler, struct trp_actor *actor,
                              const struct trp_link_death *death)
{
    const struct trp_actor_type *type = actor->info->type;
    if (type->on_link_died == NULL) {
        return death->reason == TRP_STOP_NORMAL || death->reason == TRP_STOP_SUPERVISOR_RESTART;
    }
    context_set(scheduler, actor);
    return type->on_link_died(&scheduler->context, trp_actor_state(actor), death);
}

static bool actor_handle_death(struct trp_scheduler *scheduler, struct trp_actor *actor,
                               struct trp_link *link)
{
    const struct trp_stop_cause cause = trp_link_cause(link);
    const struct trp_link_death death = {
        .actor = link->other, .reason = (enum trp_stop_reason)link->reason, .cause = &cause};
    bool goes_on = true;
    if (link->phase != TRP_LINK_CANCELLED) {
        scheduler->trace->cause = trp_trace_link_died(
            scheduler->trace,
            &(struct trp_event_link_died){.actor = actor->id,
                                          .other = link->other.id,
                                          .peer = link->local ? NULL : &link->other.peer,
                                          .reason = link->reason});
        goes_on = death_is_survived(scheduler, actor, &death);
    }
    const struct trp_stop_cause own = trp_link_cause_of_owner(link);
    struct trp_mail *kept = link->cause; /* slices of `own` */
    link->cause = NULL;
    trp_link_free(scheduler, link);
    if (!goes_on) {
        actor_end(scheduler, actor, &own);
    }
    trp_mail_free(scheduler, kept);
    return goes_on;
}

/* Handles one mail, which is in no lane any more. False: the actor has ended. */
static bool actor_handle(struct trp_scheduler *scheduler, struct trp_actor *actor,
                         struct trp_mail *mail)
{
    if (mail->kind == TRP_MAIL_MESSAGE) { /* nearly always */
        return actor_handle_message(scheduler, actor, mail);
    }
    switch ((enum trp_mail_kind)mail->kind) {
    case TRP_MAIL_MESSAGE:
        break;
    case TRP_MAIL_TIMER:
        return actor_handle_timer(scheduler, actor, TRP_CONTAINER(mail, struct trp_timer, mail));
    case TRP_MAIL_REPLY:
        return actor_handle_reply(scheduler, actor, TRP_CONTAINER(mail, struct trp_request, mail));
    case TRP_MAIL_FOUND:
        return actor_handle_found(scheduler, actor, mail);
    case TRP_MAIL_LINK_DIED:
        return actor_handle_death(scheduler, actor, TRP_CONTAINER(mail, struct trp_link, mail));
    }
    return true;
}

/* Takes the next mail that may be handled now; `quota` is how many messages of the user lane. */
static struct trp_mail *actor_next_mail(struct trp_scheduler *scheduler, struct trp_actor *actor,
                                        uint32_t *quota)
{
    struct trp_mail *mail = trp_lane_pop(&actor->mailbox.control);
    if (mail != NULL || actor->holds > 0 || *quota == 0) {
        return mail;
    }
    (*quota)--;
    mail = trp_actor_pop(scheduler, actor);
    if (!trp_list_is_empty(&actor->waiting)) {
        trp_request_admit(scheduler, actor);
    }
    return mail;
}

/* Handles what may be handled in one turn. False: the actor has ended. */
static bool actor_work(struct trp_scheduler *scheduler, struct trp_actor *actor,
                       uint32_t *ret_handled)
{
    if (!actor->started && actor->phase != TRP_ACTOR_KILLED) {
        (*ret_handled)++;
        if (!actor_start(scheduler, actor)) {
            return false;
        }
    }
    uint32_t quota = messages_count(actor);
    while (*ret_handled < TURN_MAILS && actor->phase != TRP_ACTOR_KILLED) {
        struct trp_mail *mail = actor_next_mail(scheduler, actor, &quota);
        if (mail == NULL) {
            break;
        }
        (*ret_handled)++;
        if (!actor_handle(scheduler, actor, mail)) {
            return false;
        }
    }
    return true;
}

uint32_t trp_actor_turn(struct trp_scheduler *scheduler, struct trp_actor *actor)
{
    uint32_t handled = 0;
    if (!actor_work(scheduler, actor, &handled)) {
        return handled;
    }
    const struct trp_mailbox *mailbox = &actor->mailbox;
    bool has_control = mailbox->control.head != NULL;
    bool has_user = mailbox->user.head != NULL;
    bool idle = !has_control && !has_user && actor->holds == 0;
    if (actor->phase == TRP_ACTOR_KILLED) {
        actor_end(scheduler, actor, &(struct trp_stop_cause){.root = TRP_STOP_KILLED});
        return handled + 1;
    }
    if (idle && actor->phase == TRP_ACTOR_STOPPING) {
        actor_end(scheduler, actor, &(struct trp_stop_cause){.root = TRP_STOP_NORMAL});
        return handled + 1;
    }
    actor->refusing = actor->refusing && has_user;
    actor->queued = false;
    if (has_control || (has_user && actor->holds == 0)) {
        trp_scheduler_wake(scheduler, actor);
    }
    return handled;
}
