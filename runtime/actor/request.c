/* SPDX-License-Identifier: MIT */
#include "actor/request.h"

#include "actor/scheduler_state.h"
#include "base/assert.h"

#define FIXSTR 0xa0u /* msgpack: a text of less than 32 bytes */

/* ---- making and freeing ---- */

static void request_join_asker(struct trp_request *request, struct trp_actor *asker)
{
    request->asker = asker;
    request->asker_next = asker->asks;
    request->asker_at = &asker->asks;
    if (asker->asks != NULL) {
        asker->asks->asker_at = &request->asker_next;
    }
    asker->asks = request;
}

static void request_leave_asker(struct trp_request *request)
{
    if (request->asker == NULL) {
        return;
    }
    *request->asker_at = request->asker_next;
    if (request->asker_next != NULL) {
        request->asker_next->asker_at = request->asker_at;
    }
    request->asker = NULL;
}

static void request_leave_target(struct trp_scheduler *scheduler, struct trp_request *request)
{
    if (request->share != 0) {
        trp_share_leave(scheduler, request);
    }
    if (request->open_at != NULL) {
        *request->open_at = request->open_next;
        if (request->open_next != NULL) {
            request->open_next->open_at = request->open_at;
        }
        request->open_at = NULL;
    }
}

/* Its message waited for room. */
static void request_drop_message(struct trp_scheduler *scheduler, struct trp_request *request)
{
    if (request->message != NULL) {
        trp_share_discharge(scheduler, request->message);
        trp_mail_free(scheduler, request->message);
        request->message = NULL;
    }
}

void trp_request_open(struct trp_actor *target, struct trp_request *request)
{
    TRP_ASSERT(request->open_at == NULL && request->phase == TRP_REQUEST_SENT);
    request->open_next = target->open;
    request->open_at = &target->open;
    if (target->open != NULL) {
        target->open->open_at = &request->open_next;
    }
    target->open = request;
}

enum trp_status trp_request_make(struct trp_scheduler *scheduler,
                                 const struct trp_request_options *options,
                                 struct trp_request **ret_request)
{
    uint8_t class = trp_pool_class_of(sizeof(struct trp_request));
    struct trp_request *request = trp_pool_take(&scheduler->pool, class, sizeof *request);
    if (request == NULL) {
        return TRP_ENOMEM;
    }
    trp_time timeout = options->reply_timeout_ns == 0 ? scheduler->limits->request_timeout_ns
                                                      : options->reply_timeout_ns;
    /* Each field by itself: this is on the path of every ask, and clearing it all first costs. */
    request->mail =
        (struct trp_mail){.kind = TRP_MAIL_REPLY, .class = class, .cause = scheduler->trace->cause};
    request->deadline.entry.position = 0;
    request->deadline.kind = TRP_DEADLINE_REQUEST;
    request->id = 0;
    request->kind = (uint8_t)options->kind;
    request->phase = TRP_REQUEST_SENT;
    request->hold = false;
    request->decoded = false;
    request->kept = false;
    request->status = TRP_OK;
    request->asker = NULL;
    request->target = options->target == NULL ? 0 : options->target->id;
    request->share = 0;
    request->waiting = (struct trp_list_link){0};
    request->open_at = NULL;
    request->message = NULL;
    request->reply = NULL;
    request->handler = options->handler;
    request->reply_type = NULL;
    request->on_reply = NULL;
    request->user = 0;
    request->mailbox_at = trp_time_after(scheduler->now, options->mailbox_timeout_ns);
    request->reply_at = trp_time_after(scheduler->now, timeout);
    request->found_count = 0;
    enum trp_status status = trp_table_insert(&scheduler->requests, request, &request->id);
    if (status == TRP_OK && request->reply_at != TRP_NEVER) {
        status = trp_deadline_set(scheduler, &request->deadline, request->reply_at);
    }
    if (status == TRP_EFULL) {
        trp_scheduler_trace_limit(scheduler, "requests", scheduler->limits->requests);
    }
    if (status != TRP_OK) {
        trp_table_remove(&scheduler->requests, request->id);
        trp_pool_put(&scheduler->pool, class, request);
        return status;
    }
    if (options->asker != NULL) {
        request_join_asker(request, options->asker);
    }
    scheduler->requests_open++;
    *ret_request = request;
    return TRP_OK;
}

void trp_request_free(struct trp_scheduler *scheduler, struct trp_request *request)
{
    if (request->phase != TRP_REQUEST_DONE) {
        scheduler->requests_open--;
    }
    request_leave_asker(request);
    request_leave_target(scheduler, request);
    trp_heap_remove(&scheduler->deadlines, &request->deadline.entry);
    trp_table_remove(&scheduler->requests, request->id);
    request_drop_message(scheduler, request);
    trp_mail_free(scheduler, request->reply);
    trp_pool_put(&scheduler->pool, request->mail.class, request);
}

/* ---- outcomes ---- */

struct trp_request *trp_request_find(const struct trp_scheduler *scheduler, uint64_t id)
{
    struct trp_request *request = trp_table_find(&scheduler->requests, id);
    return request == NULL || request->phase == TRP_REQUEST_DONE ? NULL : request;
}

void trp_request_end(struct trp_scheduler *scheduler, struct trp_request *request,
                     enum trp_status status, struct trp_mail *reply, bool decoded)
{
    TRP_ASSERT(request->phase != TRP_REQUEST_DONE);
    request->phase = TRP_REQUEST_DONE;
    request->status = status;
    request->reply = reply;
    request->decoded = decoded;
    scheduler->requests_open--;
    trp_heap_remove(&scheduler->deadlines, &request->deadline.entry);
    request_leave_target(scheduler, request);
    request_drop_message(scheduler, request);
    request->mail.cause = scheduler->trace->cause;
    if (request->kept) {
        return;
    }
    if (request->asker != NULL) {
        trp_scheduler_push_control(scheduler, request->asker, &request->mail);
    } else {
        trp_table_remove(&scheduler->requests, request->id);
        trp_event_push(scheduler, &request->event, TRP_EVENT_REQUEST);
    }
}

void trp_request_fail(struct trp_scheduler *scheduler, struct trp_request *request,
                      enum trp_status failure)
{
    if (failure == TRP_ETOOBIG || failure == TRP_EENCODE) { /* of its reply */
        trp_request_end(scheduler, request, TRP_EENCODE, NULL, false);
        return;
    }
    const char *name = trp_status_name(failure);
    size_t size = strlen(name);
    uint8_t text[32];
    TRP_ASSERT(size < sizeof text);
    text[0] = (uint8_t)(FIXSTR | size);
    memcpy(text + 1, name, size);
    struct trp_mail *reply;
    if (trp_mail_bytes(scheduler, trp_bytes(text, size + 1), &reply) != TRP_OK) {
        reply = NULL; /* out of memory: the outcome counts, not its text */
    }
    trp_request_end(scheduler, request, TRP_EHANDLER, reply, false);
}

/* The asker wants another type than the handler gives, or bytes. */
static enum trp_status answer_converted(struct trp_scheduler *scheduler,
                                        struct trp_request *request, const struct trp_shape *shape,
                                        const void *message)
{
    struct trp_mail *encoded;
    enum trp_status status = trp_mail_encode(scheduler, shape->type, message, &encoded);
    if (status != TRP_OK) {
        return status;
    }
    if (request->reply_type == NULL) {
        trp_request_end(scheduler, request, TRP_OK, encoded, false);
        return TRP_OK;
    }
    const struct trp_shape wanted = trp_shape_of(request->reply_type);
    struct trp_mail *decoded = NULL;
    status = trp_mail_decode(scheduler, &wanted, trp_bytes(encoded + 1, encoded->bytes), &decoded);
    trp_mail_free(scheduler, encoded);
    trp_request_end(scheduler, request, status, decoded, true);
    return TRP_OK;
}

enum trp_status trp_request_answer(struct trp_scheduler *scheduler, struct trp_request *request,
                                   const struct trp_shape *shape, const void *message)
{
    if (request->kind != TRP_REQUEST_LOCAL || request->reply_type != shape->type) {
        return answer_converted(scheduler, request, shape, message);
    }
    struct trp_mail *reply = NULL;
    if (shape->size > 0) {
        enum trp_status status = trp_mail_copy(scheduler, shape, message, &reply);
        if (status != TRP_OK) {
            return status;
        }
    }
    trp_request_end(scheduler, request, TRP_OK, reply, true);
    return TRP_OK;
}

void trp_request_expire(struct trp_scheduler *scheduler, struct trp_request *request)
{
    bool no_room =
        request->phase == TRP_REQUEST_WAITING && request->mailbox_at <= request->reply_at;
    enum trp_status status = no_room ? TRP_EMAILBOXFULL : TRP_EREPLYTIMEOUT;
    scheduler->trace->cause = request->mail.cause;
    scheduler->trace->cause = trp_trace_ask_timed_out(
        scheduler->trace,
        &(struct trp_event_ask_timed_out){.asker = request->asker == NULL ? 0 : request->asker->id,
                                          .target = request->target,
                                          .status = status});
    trp_request_end(scheduler, request, status, NULL, false);
}

/* ---- into the mailbox ---- */

static void request_enter(struct trp_scheduler *scheduler, struct trp_request *request,
                          struct trp_actor *target, struct trp_mail *mail)
{
    TRP_ASSERT(mail != NULL);
    bool tells = request->kind == TRP_REQUEST_IN_TELL || request->kind == TRP_REQUEST_TELL;
    mail->handler = request->handler;
    mail->request = tells ? 0 : request->id;
    trp_actor_push(scheduler, target, mail);
    trp_scheduler_wake(scheduler, target);
    if (tells) {
        trp_request_end(scheduler, request, TRP_OK, NULL, false);
    }
}

enum trp_status trp_request_send(struct trp_scheduler *scheduler, struct trp_request *request,
                                 struct trp_actor *target, struct trp_mail *mail)
{
    if (trp_actor_has_room(scheduler, target, mail)) {
        request_enter(scheduler, request, target, mail);
        return TRP_OK;
    }
    trp_time until = trp_time_min(request->mailbox_at, request->reply_at);
    enum trp_status status = TRP_OK;
    if (until != TRP_NEVER) {
        status = trp_deadline_set(scheduler, &request->deadline, until);
    }
    if (status == TRP_OK) {
        request->message = mail;
        status = trp_share_wait(scheduler, target, request);
    }
    if (status != TRP_OK) {
        request->message = NULL; /* it stays the caller's */
        return status;
    }
    request->phase = TRP_REQUEST_WAITING;
    return TRP_OK;
}

void trp_request_admit(struct trp_scheduler *scheduler, struct trp_actor *target)
{
    uint32_t tries = TRP_SHARE_TRIES;
    struct trp_request *request;
    while ((request = trp_share_next(scheduler, target, &tries)) != NULL) {
        struct trp_mail *mail = request->message;
        trp_share_leave(scheduler, request);
        request->message = NULL;
        request->phase = TRP_REQUEST_SENT;
        trp_heap_remove(&scheduler->deadlines, &request->deadline.entry);
        if (request->reply_at != TRP_NEVER) {
            /* The heap has kept the place it had, so this needs no memory. */
            TRP_IGNORE(trp_deadline_set(scheduler, &request->deadline, request->reply_at));
        }
        request_enter(scheduler, request, target, mail);
    }
}
