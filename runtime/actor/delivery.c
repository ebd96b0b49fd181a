/* SPDX-License-Identifier: MIT */
/* What comes to our actors from outside: messages, and the outcomes of what went out. */
#include "actor/scheduler_state.h"

#define FOUND_MAX 1024u /* results of one lookup that its actor has not looked at yet */

/* ---- messages ---- */

/* Says whether any known type of that id takes such a message. */
static bool message_is_known(const struct trp_scheduler *scheduler, struct trp_bytes actor_type,
                             struct trp_bytes message)
{
    for (const struct trp_type_info *info = scheduler->types; info != NULL; info = info->next) {
        bool fits = actor_type.size == 0 || trp_bytes_equal(info->id, actor_type);
        if (fits && trp_type_info_handler_by_id(info, message) != NULL) {
            return true;
        }
    }
    return false;
}

/* Says what is wrong with a delivery that nobody takes, in the order of errors that Kameo has. */
static enum trp_status delivery_error(const struct trp_scheduler *scheduler,
                                      const struct trp_delivery *delivery,
                                      const struct trp_actor *actor)
{
    if (!message_is_known(scheduler, delivery->actor_type, delivery->message)) {
        return TRP_EUNKNOWNMESSAGE;
    }
    if (actor == NULL || actor->phase != TRP_ACTOR_RUNNING) {
        return TRP_EDEAD;
    }
    bool fits =
        delivery->actor_type.size == 0 || trp_bytes_equal(actor->info->id, delivery->actor_type);
    return fits ? TRP_EUNKNOWNMESSAGE : TRP_EBADTYPE;
}

/* Finds who takes a delivery. */
static enum trp_status delivery_find(struct trp_scheduler *scheduler,
                                     const struct trp_delivery *delivery,
                                     struct trp_actor **ret_actor,
                                     const struct trp_handler_info **ret_handler)
{
    struct trp_actor *actor = trp_scheduler_find(scheduler, delivery->actor);
    const struct trp_handler_info *handler = NULL;
    if (actor != NULL && actor->phase == TRP_ACTOR_RUNNING &&
        (delivery->actor_type.size == 0 ||
         trp_bytes_equal(actor->info->id, delivery->actor_type))) {
        handler = trp_type_info_handler_by_id(actor->info, delivery->message);
    }
    if (handler == NULL || (delivery->ask && handler->reply.type == NULL)) {
        return delivery_error(scheduler, delivery, actor);
    }
    *ret_actor = actor;
    *ret_handler = handler;
    return TRP_OK;
}

/* Puts a decoded message into the mailbox, or has it wait for room. Takes `mail` on TRP_OK. */
static enum trp_status delivery_enter(struct trp_scheduler *scheduler,
                                      const struct trp_delivery *delivery, struct trp_actor *actor,
                                      const struct trp_handler_info *handler, struct trp_mail *mail)
{
    bool room = trp_actor_has_room(scheduler, actor, mail);
    if (!room && delivery->mailbox_timeout_ns == 0) {
        trp_actor_trace_full(scheduler, actor);
        return TRP_EMAILBOXFULL;
    }
    if (room && !delivery->ask) {
        mail->handler = handler;
        trp_actor_push(scheduler, actor, mail);
        trp_scheduler_wake(scheduler, actor);
        trp_event_answer(scheduler, delivery, TRP_OK);
        return TRP_OK;
    }
    const struct trp_request_options how = {
        .kind = delivery->ask ? TRP_REQUEST_IN : TRP_REQUEST_IN_TELL,
        .target = actor,
        .handler = handler,
        .mailbox_timeout_ns = delivery->mailbox_timeout_ns,
        .reply_timeout_ns = delivery->ask ? delivery->reply_timeout_ns : TRP_NEVER};
    struct trp_request *request;
    enum trp_status status = trp_request_make(scheduler, &how, &request);
    if (status != TRP_OK) {
        return status;
    }
    request->token = delivery->token;
    status = trp_request_send(scheduler, request, actor, mail);
    if (status != TRP_OK) {
        trp_request_free(scheduler, request);
    }
    return status;
}

/* Decodes the message of a delivery, and charges it to the peer that sent it. */
static enum trp_status delivery_decode(struct trp_scheduler *scheduler,
                                       const struct trp_delivery *delivery,
                                       const struct trp_actor *actor,
                                       const struct trp_handler_info *handler,
                                       struct trp_mail **ret_mail)
{
    struct trp_share *share = NULL;
    enum trp_status status = TRP_OK;
    if (delivery->from != NULL) {
        status = trp_share_admit(scheduler, actor, delivery->from, &share);
    }
    if (status != TRP_OK) {
        return status;
    }
    status = trp_mail_decode(scheduler, &handler->message, delivery->payload, ret_mail);
    if (share != NULL && status == TRP_OK) {
        trp_share_charge(scheduler, share, *ret_mail);
    } else if (share != NULL) {
        trp_share_release(scheduler, share);
    }
    return status;
}

bool trp_scheduler_is_crowded(const struct trp_scheduler *scheduler, uint64_t id,
                              const struct trp_peer_id *from)
{
    const struct trp_actor *actor = trp_scheduler_find(scheduler, id);
    return actor != NULL && trp_share_is_full(scheduler, actor, from);
}

static void delivery_trace_refused(struct trp_scheduler *scheduler,
                                   const struct trp_delivery *delivery, enum trp_status status)
{
    trp_trace_delivery_refused(scheduler->trace,
                               &(struct trp_event_delivery_refused){.actor = delivery->actor,
                                                                    .message = delivery->message,
                                                                    .status = status});
}

/* Finds what a delivery is for, and takes its message in. */
static enum trp_status delivery_take(struct trp_scheduler *scheduler,
                                     const struct trp_delivery *delivery,
                                     struct trp_actor **ret_actor,
                                     const struct trp_handler_info **ret_handler,
                                     struct trp_mail **ret_mail)
{
    enum trp_status status = delivery_find(scheduler, delivery, ret_actor, ret_handler);
    return status == TRP_OK
               ? delivery_decode(scheduler, delivery, *ret_actor, *ret_handler, ret_mail)
               : status;
}

/* There is no place for it. */
static void delivery_return(struct trp_scheduler *scheduler, struct trp_mail *mail)
{
    trp_share_discharge(scheduler, mail);
    trp_mail_free(scheduler, mail);
}

enum trp_status trp_scheduler_tell(struct trp_scheduler *scheduler,
                                   const struct trp_delivery *delivery)
{
    struct trp_actor *actor = NULL;
    const struct trp_handler_info *handler = NULL;
    struct trp_mail *mail = NULL;
    enum trp_status status = delivery_take(scheduler, delivery, &actor, &handler, &mail);
    if (status != TRP_OK) {
        delivery_trace_refused(scheduler, delivery, status);
        return status;
    }
    if (!trp_actor_has_room(scheduler, actor, mail)) {
        delivery_return(scheduler, mail);
        return TRP_EAGAIN;
    }
    mail->handler = handler;
    trp_actor_push(scheduler, actor, mail);
    trp_scheduler_wake(scheduler, actor);
    return TRP_OK;
}

void trp_scheduler_deliver(struct trp_scheduler *scheduler, const struct trp_delivery *delivery)
{
    struct trp_actor *actor = NULL;
    const struct trp_handler_info *handler = NULL;
    struct trp_mail *mail = NULL;
    enum trp_status status = delivery_take(scheduler, delivery, &actor, &handler, &mail);
    if (status == TRP_OK) {
        status = delivery_enter(scheduler, delivery, actor, handler, mail);
        if (status != TRP_OK) {
            delivery_return(scheduler, mail);
        }
    }
    if (status != TRP_OK) {
        delivery_trace_refused(scheduler, delivery, status);
        trp_event_answer(scheduler, delivery, status);
    }
}

/* ---- outcomes ---- */

void trp_scheduler_complete(struct trp_scheduler *scheduler, uint64_t request,
                            enum trp_status status, struct trp_bytes payload)
{
    struct trp_request *found = trp_request_find(scheduler, request);
    if (found == NULL || found->kind != TRP_REQUEST_OUT) {
        return; /* it timed out before, or its actor is gone */
    }
    struct trp_mail *reply = NULL;
    bool decoded = status == TRP_OK && found->reply_type != NULL;
    if (decoded) {
        const struct trp_shape shape = trp_shape_of(found->reply_type);
        status = trp_mail_decode(scheduler, &shape, payload, &reply);
    } else if (status == TRP_OK || status == TRP_EHANDLER) {
        enum trp_status kept = trp_mail_bytes(scheduler, payload, &reply);
        status = kept == TRP_OK ? status : kept;
    }
    trp_request_end(scheduler, found, status, reply, decoded);
}

/* Makes the mail of one result; NULL without memory. */
static struct trp_mail *found_make(struct trp_scheduler *scheduler, uint64_t request,
                                   enum trp_status status, const struct trp_actor_ref *ref)
{
    struct trp_found found = {.request = request, .status = status};
    if (ref != NULL) {
        found.ref = *ref;
    }
    struct trp_mail *mail;
    if (trp_mail_bytes(scheduler, trp_bytes(&found, sizeof found), &mail) != TRP_OK) {
        return NULL;
    }
    mail->kind = TRP_MAIL_FOUND;
    return mail;
}

void trp_scheduler_found(struct trp_scheduler *scheduler, uint64_t request, enum trp_status status,
                         const struct trp_actor_ref *ref, bool last)
{
    struct trp_request *found = trp_request_find(scheduler, request);
    if (found == NULL || found->kind != TRP_REQUEST_LOOKUP) {
        return; /* its actor is gone */
    }
    struct trp_mail *mail = NULL;
    bool has_room = last || found->found_count < FOUND_MAX;
    if (has_room && (ref != NULL || !last)) {
        mail = found_make(scheduler, request, status, ref);
    }
    if (mail == NULL && (ref != NULL || !last)) {
        found->status = has_room ? TRP_ENOMEM : TRP_EFULL; /* some result was lost: said at last */
    }
    if (last) {
        trp_request_end(scheduler, found,
                        found->status == TRP_OK ? status : (enum trp_status)found->status, mail,
                        false);
    } else if (mail != NULL) {
        found->found_count++;
        trp_scheduler_push_control(scheduler, found->asker, mail);
    }
}
