/* SPDX-License-Identifier: MIT */
/* What a handler may do, but for asking (ask.c) and timers (timer.c). */
#include "actor/scheduler_state.h"
#include "wire/registration.h"

#define SMALL_BYTES   256u /* of a message that is encoded on the stack */
#define STREAM_RANDOM 1u   /* of trp_draw; 0 is the scheduler's */

struct trp_actor_ref trp_self(const struct trp_context *ctx)
{
    return trp_actor_ref_of(ctx->scheduler, ctx->actor);
}

trp_time trp_now(const struct trp_context *ctx)
{
    return ctx->scheduler->now;
}

uint64_t trp_random(struct trp_context *ctx)
{
    return trp_draw(ctx->scheduler->seed, ctx->actor->id, STREAM_RANDOM, ctx->actor->draws++);
}

enum trp_status trp_spawn(struct trp_context *ctx, const struct trp_actor_type *type,
                          const void *args, const struct trp_spawn_options *options,
                          struct trp_actor_ref *ret_ref)
{
    if (ctx->actor->phase == TRP_ACTOR_GONE && options != NULL && options->link) {
        return TRP_ESTATE;
    }
    return trp_actor_spawn(ctx->scheduler, type, args, options, ctx->actor, ret_ref);
}

/* ---- telling ---- */

TRP_NOINLINE static enum trp_status tell_elsewhere(struct trp_scheduler *scheduler,
                                                   const struct trp_actor *from,
                                                   const struct trp_actor_ref *to,
                                                   const struct trp_message_type *type,
                                                   const void *message)
{
    enum trp_status status = trp_scheduler_check_remote(scheduler, to);
    if (status != TRP_OK) {
        return status;
    }
    uint8_t small[SMALL_BYTES];
    size_t bytes;
    const struct trp_bytes id = trp_bytes_text(type->id);
    if (type->size > 0 && message == NULL) {
        return TRP_EINVAL;
    }
    status = trp_message_encode_from(type, message, &scheduler->self, small, sizeof small, &bytes);
    if (status == TRP_OK && bytes <= scheduler->limits->message_bytes) {
        return trp_event_emit_tell(scheduler, from->id, to, id, trp_bytes(small, bytes));
    }
    struct trp_mail *payload;
    status = trp_mail_encode(scheduler, type, message, &payload);
    if (status != TRP_OK) {
        return status;
    }
    const struct trp_sched_event out = {.kind = TRP_SCHED_TELL,
                                        .actor = from->id,
                                        .other = *to,
                                        .message = id,
                                        .mailbox_timeout_ns = TRP_NEVER};
    status = trp_event_emit(scheduler, &out, payload);
    if (status != TRP_OK) {
        trp_mail_free(scheduler, payload);
    }
    return status;
}

enum trp_status trp_tell(struct trp_context *ctx, const struct trp_actor_ref *to,
                         const struct trp_message_type *type, const void *message)
{
    struct trp_scheduler *scheduler = ctx->scheduler;
    if (!trp_scheduler_is_local(scheduler, to)) {
        return tell_elsewhere(scheduler, ctx->actor, to, type, message);
    }
    struct trp_actor *target = trp_scheduler_find(scheduler, to->id);
    if (target == NULL || target->phase != TRP_ACTOR_RUNNING) {
        trp_scheduler_trace_dead(scheduler, to, type);
        return TRP_EDEAD;
    }
    const struct trp_handler_info *handler = trp_type_info_handler(target->info, type);
    if (handler == NULL) {
        return TRP_EUNKNOWNMESSAGE;
    }
    if (!trp_mailbox_has_room(&target->mailbox)) {
        trp_actor_trace_full(scheduler, target);
        return TRP_EMAILBOXFULL;
    }
    struct trp_mail *mail;
    enum trp_status status = trp_mail_copy(scheduler, &handler->message, message, &mail);
    if (status != TRP_OK) {
        return status;
    }
    mail->handler = handler;
    trp_mailbox_push(&target->mailbox, mail);
    trp_scheduler_wake(scheduler, target);
    return TRP_OK;
}

/* ---- ends and links ---- */

/* Finds an actor of this node that is not gone; TRP_EUNSUPPORTED for one elsewhere, TRP_EDEAD. */
static enum trp_status find_own(struct trp_scheduler *scheduler, const struct trp_actor_ref *ref,
                                struct trp_actor **ret_actor)
{
    if (!trp_scheduler_is_local(scheduler, ref)) {
        return TRP_EUNSUPPORTED;
    }
    struct trp_actor *actor = trp_scheduler_find(scheduler, ref->id);
    if (actor == NULL) {
        return TRP_EDEAD;
    }
    *ret_actor = actor;
    return TRP_OK;
}

enum trp_status trp_stop(struct trp_context *ctx, const struct trp_actor_ref *actor)
{
    struct trp_actor *found;
    enum trp_status status = find_own(ctx->scheduler, actor, &found);
    if (status == TRP_OK) {
        trp_actor_stop(ctx->scheduler, found);
    }
    return status;
}

enum trp_status trp_kill(struct trp_context *ctx, const struct trp_actor_ref *actor)
{
    struct trp_actor *found;
    enum trp_status status = find_own(ctx->scheduler, actor, &found);
    if (status == TRP_OK) {
        trp_actor_kill(ctx->scheduler, found);
    }
    return status;
}

enum trp_status trp_link(struct trp_context *ctx, const struct trp_actor_ref *other)
{
    struct trp_scheduler *scheduler = ctx->scheduler;
    if (ctx->actor->phase == TRP_ACTOR_GONE) {
        return TRP_ESTATE;
    }
    if (!trp_scheduler_is_local(scheduler, other)) {
        enum trp_status status = trp_scheduler_check_remote(scheduler, other);
        if (status != TRP_OK) {
            return status;
        }
    }
    bool new;
    enum trp_status status =
        trp_link_make(scheduler, ctx->actor, other,
                      trp_type_names_find(&scheduler->type_names, other->type), &new);
    if (status != TRP_OK || !new) {
        return status;
    }
    const struct trp_sched_event out = {
        .kind = TRP_SCHED_LINK,
        .actor = ctx->actor->id,
        .other = *other,
        .other_type = trp_type_names_find(&scheduler->type_names, other->type)};
    status = trp_event_emit(scheduler, &out, NULL);
    if (status != TRP_OK) {
        TRP_IGNORE(trp_link_remove(scheduler, ctx->actor, other)); /* it was made just now */
    }
    return status;
}

enum trp_status trp_unlink(struct trp_context *ctx, const struct trp_actor_ref *other)
{
    struct trp_scheduler *scheduler = ctx->scheduler;
    if (ctx->actor->phase == TRP_ACTOR_GONE) {
        return TRP_ESTATE;
    }
    enum trp_status status = trp_link_remove(scheduler, ctx->actor, other);
    if (status != TRP_OK || trp_scheduler_is_local(scheduler, other)) {
        return status;
    }
    const struct trp_sched_event out = {
        .kind = TRP_SCHED_UNLINK,
        .actor = ctx->actor->id,
        .other = *other,
        .other_type = trp_type_names_find(&scheduler->type_names, other->type)};
    return trp_event_emit(scheduler, &out, NULL);
}

/* Asks the network for something; the outcome comes to on_reply. */
static enum trp_status request_network(struct trp_context *ctx, struct trp_sched_event *out,
                                       trp_on_reply on_reply, uint64_t user)
{
    struct trp_scheduler *scheduler = ctx->scheduler;
    if (ctx->actor->phase == TRP_ACTOR_GONE) {
        return TRP_ESTATE;
    }
    const struct trp_request_options how = {
        .kind = TRP_REQUEST_OUT, .asker = ctx->actor, .reply_timeout_ns = TRP_NEVER};
    struct trp_request *request;
    enum trp_status status = trp_request_make(scheduler, &how, &request);
    if (status != TRP_OK) {
        return status;
    }
    request->on_reply = on_reply;
    request->user = user;
    out->request = request->id;
    status = trp_event_emit(scheduler, out, NULL);
    if (status != TRP_OK) {
        trp_request_free(scheduler, request);
    }
    return status;
}

static enum trp_status connect_others(struct trp_context *ctx, enum trp_sched_event_kind kind,
                                      const struct trp_actor_ref *a, const struct trp_actor_ref *b,
                                      trp_on_reply on_reply, uint64_t user)
{
    struct trp_sched_event out = {.kind = kind, .actor = ctx->actor->id, .other = *a, .second = *b};
    const struct trp_actor_ref *both[] = {a, b};
    for (uint32_t i = 0; i < 2; i++) {
        if (!trp_scheduler_is_local(ctx->scheduler, both[i])) {
            enum trp_status status = trp_scheduler_check_remote(ctx->scheduler, both[i]);
            if (status != TRP_OK) {
                return status;
            }
        }
    }
    return trp_actor_ref_equal(a, b) ? TRP_EINVAL : request_network(ctx, &out, on_reply, user);
}

enum trp_status trp_link_remote(struct trp_context *ctx, const struct trp_actor_ref *a,
                                const struct trp_actor_ref *b, trp_on_reply on_reply, uint64_t user)
{
    return connect_others(ctx, TRP_SCHED_CONNECT, a, b, on_reply, user);
}

enum trp_status trp_unlink_remote(struct trp_context *ctx, const struct trp_actor_ref *a,
                                  const struct trp_actor_ref *b, trp_on_reply on_reply,
                                  uint64_t user)
{
    return connect_others(ctx, TRP_SCHED_DISCONNECT, a, b, on_reply, user);
}

enum trp_status trp_ref_set_type(struct trp_context *ctx, struct trp_actor_ref *ref,
                                 const char *type_id)
{
    struct trp_bytes id = trp_bytes_text(type_id);
    if (id.size == 0) {
        return TRP_EINVAL;
    }
    uint64_t hash = trp_scheduler_learn_type(ctx->scheduler, id);
    if (hash == 0) {
        return TRP_ENOMEM;
    }
    ref->type = hash;
    return TRP_OK;
}

/* ---- names ---- */

/* Makes the event of a registration. */
static enum trp_status register_event(struct trp_context *ctx, const struct trp_actor_ref *actor,
                                      const char *name, struct trp_sched_event *ret_out)
{
    const struct trp_bytes text = trp_bytes_text(name);
    struct trp_actor *found;
    enum trp_status status = trp_registration_check_name(text);
    if (status == TRP_OK) {
        status = find_own(ctx->scheduler, actor, &found);
    }
    if (status == TRP_OK) {
        *ret_out = (struct trp_sched_event){
            .kind = TRP_SCHED_REGISTER, .actor = found->id, .other = *actor, .name = text};
    }
    return status;
}

enum trp_status trp_register(struct trp_context *ctx, const struct trp_actor_ref *actor,
                             const char *name)
{
    struct trp_sched_event out;
    enum trp_status status = register_event(ctx, actor, name, &out);
    return status == TRP_OK ? trp_event_emit(ctx->scheduler, &out, NULL) : status;
}

enum trp_status trp_register_ack(struct trp_context *ctx, const struct trp_actor_ref *actor,
                                 const char *name, trp_on_reply on_reply, uint64_t user)
{
    struct trp_sched_event out;
    enum trp_status status = register_event(ctx, actor, name, &out);
    return status == TRP_OK ? request_network(ctx, &out, on_reply, user) : status;
}

enum trp_status trp_unregister(struct trp_context *ctx, const char *name)
{
    const struct trp_sched_event out = {
        .kind = TRP_SCHED_UNREGISTER, .actor = ctx->actor->id, .name = trp_bytes_text(name)};
    enum trp_status status = trp_registration_check_name(out.name);
    return status == TRP_OK ? trp_event_emit(ctx->scheduler, &out, NULL) : status;
}

enum trp_status trp_lookup(struct trp_context *ctx, const char *name, enum trp_lookup_scope scope,
                           trp_on_lookup on_lookup, uint64_t user)
{
    struct trp_scheduler *scheduler = ctx->scheduler;
    const struct trp_bytes text = trp_bytes_text(name);
    if (trp_registration_check_name(text) != TRP_OK || on_lookup == NULL) {
        return TRP_EINVAL;
    }
    if (ctx->actor->phase == TRP_ACTOR_GONE) {
        return TRP_ESTATE;
    }
    const struct trp_request_options how = {
        .kind = TRP_REQUEST_LOOKUP, .asker = ctx->actor, .reply_timeout_ns = TRP_NEVER};
    struct trp_request *request;
    enum trp_status status = trp_request_make(scheduler, &how, &request);
    if (status != TRP_OK) {
        return status;
    }
    request->on_lookup = on_lookup;
    request->user = user;
    const struct trp_sched_event out = {.kind = TRP_SCHED_LOOKUP,
                                        .request = request->id,
                                        .actor = ctx->actor->id,
                                        .name = text,
                                        .scope = scope};
    status = trp_event_emit(scheduler, &out, NULL);
    if (status != TRP_OK) {
        trp_request_free(scheduler, request);
    }
    return status;
}
