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

static enum trp_status ask_here(struct trp_context *ctx, const struct trp_actor_ref *to,
                                const struct trp_message_type *type, const void *message,
                                const struct trp_ask_options *options)
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
    if (handler == NULL || handler->reply.type == NULL) {
        return TRP_EUNKNOWNMESSAGE;
    }
    if (options->mailbox_timeout_ns == 0 && !trp_mailbox_has_room(&target->mailbox)) {
        trp_actor_trace_full(scheduler, target);
        return TRP_EMAILBOXFULL;
    }
    struct trp_mail *mail;
    enum trp_status status = trp_mail_copy(scheduler, &handler->message, message, &mail);
    if (status != TRP_OK) {
        return status;
    }
    const struct trp_request_options how = {.kind = TRP_REQUEST_LOCAL,
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
            request_configure(request, options);
            return TRP_OK;
        }
        trp_request_free(scheduler, request);
    }
    trp_mail_free(scheduler, mail);
    return status;
}

TRP_NOINLINE static enum trp_status ask_elsewhere(struct trp_context *ctx,
                                                  const struct trp_actor_ref *to,
                                                  const struct trp_message_type *type,
                                                  const void *message,
                                                  const struct trp_ask_options *options)
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
        const struct trp_sched_event out = {.kind = TRP_SCHED_ASK,
                                            .request = request->id,
                                            .actor = ctx->actor->id,
                                            .other = *to,
                                            .message = trp_bytes_text(type->id),
                                            .mailbox_timeout_ns = options->mailbox_timeout_ns,
                                            .reply_timeout_ns = options->reply_timeout_ns};
        status = trp_event_emit(scheduler, &out, payload);
        if (status == TRP_OK) {
            request_configure(request, options);
            return TRP_OK;
        }
        trp_request_free(scheduler, request);
    }
    trp_mail_free(scheduler, payload);
    return status;
}

enum trp_status trp_ask(struct trp_context *ctx, const struct trp_actor_ref *to,
                        const struct trp_message_type *type, const void *message,
                        const struct trp_ask_options *options)
{
    if (ctx->actor->phase == TRP_ACTOR_GONE) {
        return TRP_ESTATE; /* in on_stop: nobody will be there for the reply */
    }
    return trp_scheduler_is_local(ctx->scheduler, to)
               ? ask_here(ctx, to, type, message, options)
               : ask_elsewhere(ctx, to, type, message, options);
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
    struct trp_request *request = trp_table_find(&ctx->scheduler->requests, ctx->request);
    if (request != NULL && request->phase != TRP_REQUEST_DONE) {
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
    struct trp_request *request = trp_table_find(&ctx->scheduler->requests, ctx->request);
    if (request != NULL && request->phase != TRP_REQUEST_DONE) {
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
    struct trp_request *request = trp_table_find(&ctx->scheduler->requests, ctx->request);
    if (!ctx->deferred && request != NULL && request->phase == TRP_REQUEST_SENT) {
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
    struct trp_request *request = trp_table_find(&ctx->scheduler->requests, token);
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
    struct trp_request *request = trp_table_find(&ctx->scheduler->requests, token);
    return request == NULL || request->open_at == NULL
               ? TRP_OK
               : answer_error(ctx->scheduler, request, type, message);
}
