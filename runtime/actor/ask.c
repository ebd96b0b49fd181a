/* SPDX-License-Identifier: MIT */
#include "actor/request.h"

#include "actor/scheduler_state.h"

/* ---- asking ---- */

static void request_configure(struct trp_request *request, const struct trp_ask_options *options)
{
    request->reply_type = options->reply;
    request->on_reply = options->on_reply;
    request->user = options->user;
    request->hold = options->hold;
    if (options->hold) {
        request->asker->holds++;
    }
}

/* Finds who takes a message of ours here. */
static enum trp_status ask_find(struct trp_context *ctx, enum trp_request_kind kind,
                                const struct trp_actor_ref *to, const struct trp_message_type *type,
                                const struct trp_ask_options *options,
                                struct trp_actor **ret_target,
                                const struct trp_handler_info **ret_handler)
{
    struct trp_scheduler *scheduler = ctx->scheduler;
    struct trp_actor *target = trp_scheduler_find(scheduler, to->id);
    if (target == NULL || target->phase != TRP_ACTOR_RUNNING) {
        trp_scheduler_trace_dead(scheduler, to, type);
        return TRP_EDEAD;
    }
    if (target == ctx->actor && options->hold) {
        return TRP_ESTATE; /* it would wait for itself */
    }
    const struct trp_handler_info *handler = trp_type_info_handler(target->info, type);
    if (handler == NULL || (handler->reply.type == NULL && kind == TRP_REQUEST_LOCAL)) {
        return TRP_EUNKNOWNMESSAGE;
    }
    if (options->mailbox_timeout_ns == 0 && !trp_mailbox_has_room(&target->mailbox)) {
        trp_actor_trace_full(scheduler, target);
        return TRP_EMAILBOXFULL;
    }
    *ret_target = target;
    *ret_handler = handler;
    return TRP_OK;
}

/* Asks, or tells, an actor of ours; gives the request. */
static enum trp_status ask_here(struct trp_context *ctx, enum trp_request_kind kind,
                                const struct trp_actor_ref *to, const struct trp_message_type *type,
                                const void *message, const struct trp_ask_options *options,
                                struct trp_request **ret_request)
{
    struct trp_scheduler *scheduler = ctx->scheduler;
    struct trp_actor *target;
    const struct trp_handler_info *handler;
    struct trp_mail *mail;
    enum trp_status status = ask_find(ctx, kind, to, type, options, &target, &handler);
    if (status == TRP_OK) {
        status = trp_mail_copy(scheduler, &handler->message, message, &mail);
    }
    if (status != TRP_OK) {
        return status;
    }
    const struct trp_request_options how = {.kind = kind,
                                            .asker = ctx->actor,
                                            .target = target,
                                            .handler = handler,
                                            .mailbox_timeout_ns = options->mailbox_timeout_ns,
                                            .reply_timeout_ns = options->reply_timeout_ns};
    struct trp_request *request;
    status = trp_request_make(scheduler, &how, &request);
    if (status == TRP_OK) {
        status = trp_request_send(scheduler, request, target, mail);
        if (status == TRP_OK) {
            *ret_request = request;
            return TRP_OK;
        }
        trp_request_free(scheduler, request);
    }
    trp_mail_free(scheduler, mail);
    return status;
}

TRP_NOINLINE static enum trp_status
ask_elsewhere(struct trp_context *ctx, enum trp_sched_event_kind kind,
              const struct trp_actor_ref *to, const struct trp_message_type *type,
              const void *message, const struct trp_ask_options *options,
              struct trp_request **ret_request)
{
    struct trp_scheduler *scheduler = ctx->scheduler;
    enum trp_status status = trp_scheduler_check_remote(scheduler, to);
    if (status != TRP_OK) {
        return status;
    }
    struct trp_mail *payload;
    status = trp_mail_encode(scheduler, type, message, &payload);
    if (status != TRP_OK) {
        return status;
    }
    const struct trp_request_options how = {.kind = TRP_REQUEST_OUT,
                                            .asker = ctx->actor,
                                            .mailbox_timeout_ns = options->mailbox_timeout_ns,
                                            .reply_timeout_ns = options->reply_timeout_ns};
    struct trp_request *request;
    status = trp_request_make(scheduler, &how, &request);
    if (status == TRP_OK) {
        const struct trp_sched_event out = {.kind = kind,
                                            .request = request->id,
                                            .actor = ctx->actor->id,
                                            .other = *to,
                                            .message = trp_bytes_text(type->id),
                                            .mailbox_timeout_ns = options->mailbox_timeout_ns,
                                            .reply_timeout_ns = options->reply_timeout_ns};
        status = trp_event_emit(scheduler, &out, payload);
        if (status == TRP_OK) {
            *ret_request = request;
            return TRP_OK;
        }
        trp_request_free(scheduler, request);
    }
    trp_mail_free(scheduler, payload);
    return status;
}

static enum trp_status ask(struct trp_context *ctx, bool tell, const struct trp_actor_ref *to,
                           const struct trp_message_type *type, const void *message,
                           const struct trp_ask_options *options, struct trp_request **ret_request)
{
    if (ctx->actor->phase == TRP_ACTOR_GONE) {
        return TRP_ESTATE; /* in on_stop: nobody will be there for the reply */
    }
    if (trp_scheduler_is_local(ctx->scheduler, to)) {
        return ask_here(ctx, tell ? TRP_REQUEST_TELL : TRP_REQUEST_LOCAL, to, type, message,
                        options, ret_request);
    }
    return ask_elsewhere(ctx, tell ? TRP_SCHED_TELL : TRP_SCHED_ASK, to, type, message, options,
                         ret_request);
}

enum trp_status trp_ask(struct trp_context *ctx, const struct trp_actor_ref *to,
                        const struct trp_message_type *type, const void *message,
                        const struct trp_ask_options *options)
{
    struct trp_request *request;
    enum trp_status status = ask(ctx, false, to, type, message, options, &request);
    if (status == TRP_OK) {
        request_configure(request, options);
    }
    return status;
}

enum trp_status trp_tell_ack(struct trp_context *ctx, const struct trp_actor_ref *to,
                             const struct trp_message_type *type, const void *message,
                             const struct trp_ask_options *options)
{
    struct trp_request *request;
    enum trp_status status = ask(ctx, true, to, type, message, options, &request);
    if (status == TRP_OK) {
        request_configure(request, options);
        request->reply_type = NULL; /* nothing comes with the outcome */
    }
    return status;
}

/* ---- asking now, collecting later ---- */

enum trp_status trp_enqueue(struct trp_context *ctx, const struct trp_actor_ref *to,
                            const struct trp_message_type *type, const void *message,
                            const struct trp_ask_options *options, uint64_t *ret_pending)
{
    struct trp_ask_options kept = *options;
    kept.hold = false;
    kept.on_reply = NULL;
    struct trp_request *request;
    enum trp_status status = ask(ctx, false, to, type, message, &kept, &request);
    if (status == TRP_OK) {
        request_configure(request, &kept);
        request->kept = true;
        *ret_pending = request->id;
    }
    return status;
}

enum trp_status trp_collect(struct trp_context *ctx, uint64_t pending, trp_on_reply on_reply,
                            uint64_t user)
{
    struct trp_request *request = trp_table_find(&ctx->scheduler->requests, pending);
    if (request == NULL || !request->kept || request->asker != ctx->actor) {
        return TRP_ENOTFOUND;
    }
    request->kept = false;
    request->on_reply = on_reply;
    request->user = user;
    if (request->phase == TRP_REQUEST_DONE) {
        trp_scheduler_push_control(ctx->scheduler, ctx->actor, &request->mail);
    }
    return TRP_OK;
}

/* ---- answering ---- */

enum trp_status trp_reply(struct trp_context *ctx, const struct trp_message_type *type,
                          const void *message)
{
    if (ctx->request == 0 || ctx->answered) {
        return TRP_ESTATE;
    }
    if (type != ctx->handler->reply.type) {
        return TRP_EINVAL;
    }
    struct trp_request *request = trp_request_find(ctx->scheduler, ctx->request);
    if (request != NULL) {
        enum trp_status status =
            trp_request_answer(ctx->scheduler, request, &ctx->handler->reply, message);
        if (status != TRP_OK) {
            return status;
        }
    }
    ctx->answered = true;
    return TRP_OK;
}

/* Ends a request with an error of the handler's own type. */
static enum trp_status answer_error(struct trp_scheduler *scheduler, struct trp_request *request,
                                    const struct trp_message_type *type, const void *message)
{
    struct trp_mail *payload;
    enum trp_status status = trp_mail_encode(scheduler, type, message, &payload);
    if (status == TRP_OK) {
        trp_request_end(scheduler, request, TRP_EHANDLER, payload, false);
    }
    return status;
}

enum trp_status trp_reply_error(struct trp_context *ctx, const struct trp_message_type *type,
                                const void *message)
{
    if (ctx->request == 0 || ctx->answered) {
        return TRP_ESTATE;
    }
    struct trp_request *request = trp_request_find(ctx->scheduler, ctx->request);
    if (request != NULL) {
        enum trp_status status = answer_error(ctx->scheduler, request, type, message);
        if (status != TRP_OK) {
            return status;
        }
    }
    ctx->answered = true;
    return TRP_OK;
}

uint64_t trp_reply_later(struct trp_context *ctx)
{
    if (ctx->request == 0 || ctx->answered) {
        return 0;
    }
    struct trp_request *request = trp_request_find(ctx->scheduler, ctx->request);
    if (!ctx->deferred && request != NULL) {
        trp_request_open(ctx->actor, request);
    }
    ctx->deferred = true;
    return ctx->request;
}

enum trp_status trp_reply_to(struct trp_context *ctx, uint64_t token,
                             const struct trp_message_type *type, const void *message)
{
    if (token == 0) {
        return TRP_ESTATE;
    }
    struct trp_request *request = trp_request_find(ctx->scheduler, token);
    if (request == NULL || request->open_at == NULL) {
        return TRP_OK; /* nobody waits any more */
    }
    if (type != request->handler->reply.type) {
        return TRP_EINVAL;
    }
    return trp_request_answer(ctx->scheduler, request, &request->handler->reply, message);
}

enum trp_status trp_reply_error_to(struct trp_context *ctx, uint64_t token,
                                   const struct trp_message_type *type, const void *message)
{
    if (token == 0) {
        return TRP_ESTATE;
    }
    struct trp_request *request = trp_request_find(ctx->scheduler, token);
    return request == NULL || request->open_at == NULL
               ? TRP_OK
               : answer_error(ctx->scheduler, request, type, message);
}
