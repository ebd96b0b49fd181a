/* SPDX-License-Identifier: MIT */
/* Links between actors of different nodes, and the notices of their deaths.
 *
 * Each side of a link keeps its half and tells the other of its own actor's death. Who asks again
 * for a link that is there changes nothing, so that asking is how a half finds out whether the
 * other one still stands.
 *
 * An actor of ours is told of a death only about a link that it made itself, or that the peer of
 * the other actor asked for or confirmed. So where a third one brings two together, be it a peer or
 * a program of ours, the half that is ours is made last, once the other peer has made its own. */
#include "remote/state.h"

/* How often a request about a link is sent again that was lost on the way. */
#define LINK_RETRIES   2u
#define SIGNAL_RETRIES 4u

static struct trp_request_envelope link_request(const struct trp_remote *remote,
                                                enum trp_envelope_kind kind, uint64_t actor,
                                                const struct trp_actor_ref *other,
                                                struct trp_bytes other_type)
{
    return (struct trp_request_envelope){.kind = kind,
                                         .both_spellings = true,
                                         .actor = *other,
                                         .actor_type = other_type,
                                         .other = trp_remote_own_ref(remote, actor),
                                         .other_type = trp_remote_own_type(remote, actor)};
}

/* Sends what a call is about; a failure to do so is its outcome. */
static void link_call(struct trp_remote *remote, const struct call *call,
                      const struct trp_request_envelope *request, uint32_t retries)
{
    const struct trp_messaging_options options = {.retries = retries};
    enum trp_status status = trp_remote_call(remote, call, request, &options);
    if (status != TRP_OK) {
        trp_remote_link_called(remote, call, status);
    }
}

void trp_remote_send_link(struct trp_remote *remote, const struct trp_sched_event *event)
{
    const struct call call = {
        .kind = TRP_ENVELOPE_LINK, .local_actor = event->actor, .other = event->other};
    const struct trp_request_envelope request =
        link_request(remote, call.kind, event->actor, &event->other, event->other_type);
    trp_remote_forget_severed(remote, event->actor, &event->other);
    trp_remote_update_linked(remote, &event->other.peer);
    link_call(remote, &call, &request, LINK_RETRIES);
}

void trp_remote_send_unlink(struct trp_remote *remote, const struct trp_sched_event *event)
{
    const struct call call = {
        .kind = TRP_ENVELOPE_UNLINK, .local_actor = event->actor, .other = event->other};
    const struct trp_request_envelope request =
        link_request(remote, call.kind, event->actor, &event->other, event->other_type);
    link_call(remote, &call, &request, LINK_RETRIES);
    trp_remote_update_linked(remote, &event->other.peer);
}

void trp_remote_send_signal(struct trp_remote *remote, const struct trp_sched_link *link,
                            const struct trp_stop_cause *cause)
{
    const struct call call = {
        .kind = TRP_ENVELOPE_SIGNAL_LINK_DIED, .local_actor = link->actor, .other = link->other};
    struct trp_request_envelope request =
        link_request(remote, call.kind, link->actor, &link->other, link->other_type);
    request.cause = *cause;
    link_call(remote, &call, &request, SIGNAL_RETRIES);
}

bool trp_remote_verify_link(struct trp_remote *remote, const struct trp_sched_link *link)
{
    if (link->other_type.size == 0) {
        return false; /* a peer takes no link without the type */
    }
    const struct call call = {.kind = TRP_ENVELOPE_LINK,
                              .local_actor = link->actor,
                              .other = link->other,
                              .verifies = true};
    const struct trp_request_envelope request =
        link_request(remote, call.kind, link->actor, &link->other, link->other_type);
    return trp_remote_call(remote, &call, &request, &(struct trp_messaging_options){0}) == TRP_OK;
}

uint32_t trp_remote_goodbyes_pending(const struct trp_remote *remote)
{
    uint32_t count = 0;
    uint32_t at = 0;
    trp_handle id;
    const struct call *call;
    while ((call = trp_slab_next(&remote->calls, &at, &id)) != NULL) {
        count += call->kind == TRP_ENVELOPE_SIGNAL_LINK_DIED;
    }
    return count;
}

/* ---- outcomes ---- */

static void connect_settle(struct trp_remote *remote, trp_handle id, enum trp_status status);
static void introduction_settle(struct trp_remote *remote, const struct call *call,
                                enum trp_status status);

static bool is_answer(enum trp_status status)
{
    return trp_status_class(status) == TRP_CLASS_ACTOR;
}

void trp_remote_link_called(struct trp_remote *remote, const struct call *call,
                            enum trp_status status)
{
    if (call->connect != 0) {
        connect_settle(remote, call->connect, status);
    } else if (call->origin.kind == ORIGIN_PEER) {
        introduction_settle(remote, call, status);
    } else if (call->kind == TRP_ENVELOPE_LINK && status != TRP_OK &&
               (is_answer(status) || !call->verifies)) {
        /* An answer says that it is not there any more; else it cannot be asked. */
        const struct trp_stop_cause cause = {
            .root = is_answer(status) ? TRP_STOP_KILLED : TRP_STOP_PEER_DISCONNECTED};
        TRP_IGNORE(trp_scheduler_link_died(remote->config.scheduler, call->local_actor,
                                           &call->other, &cause)); /* ENOTFOUND: it was unlinked */
        trp_remote_update_linked(remote, &call->other.peer);
    }
    if (call->verifies) {
        trp_remote_verified(remote, &call->other.peer);
    }
}

/* ---- linking others ---- */

/* Makes, or takes away, the half of `actor`, which is ours. */
static enum trp_status connect_here(struct trp_remote *remote, bool link,
                                    const struct trp_actor_ref *actor,
                                    const struct trp_actor_ref *other)
{
    struct trp_scheduler *scheduler = remote->config.scheduler;
    enum trp_status status;
    if (link) {
        trp_remote_forget_severed(remote, actor->id, other);
        status = trp_scheduler_link(scheduler, actor->id, other,
                                    trp_scheduler_type_text(scheduler, other->type));
    } else {
        status = trp_scheduler_unlink(scheduler, actor->id, other);
        status = status == TRP_ENOTFOUND ? TRP_OK : status;
    }
    if (!trp_remote_is_local(remote, other)) {
        trp_remote_update_linked(remote, &other->peer);
    }
    return status;
}

/* Asks the peer of `actor` for its half. */
static enum trp_status connect_there(struct trp_remote *remote, bool link, trp_handle id,
                                     const struct trp_actor_ref *actor,
                                     const struct trp_actor_ref *other)
{
    struct trp_scheduler *scheduler = remote->config.scheduler;
    const struct call call = {
        .kind = link ? TRP_ENVELOPE_LINK : TRP_ENVELOPE_UNLINK, .other = *actor, .connect = id};
    struct trp_request_envelope request = {.kind = call.kind,
                                           .both_spellings = true,
                                           .actor = *actor,
                                           .actor_type =
                                               trp_scheduler_type_text(scheduler, actor->type),
                                           .other = *other};
    if (trp_remote_is_local(remote, other)) {
        request.other = trp_remote_own_ref(remote, other->id);
        request.other_type = trp_remote_own_type(remote, other->id);
    } else {
        request.other_type = trp_scheduler_type_text(scheduler, other->type);
    }
    if (request.actor_type.size == 0) {
        return TRP_EUNKNOWNACTOR;
    }
    return trp_remote_call(remote, &call, &request,
                           &(struct trp_messaging_options){.retries = LINK_RETRIES});
}

/* The first failure of its parts is its own. */
static void connect_note(struct connect *connect, enum trp_status status)
{
    connect->status = connect->status == TRP_OK ? status : connect->status;
}

/* Unlinking goes on after a failure. */
static bool connect_goes_on(const struct connect *connect)
{
    return connect->status == TRP_OK || !connect->link;
}

/* Asks for the half of an actor elsewhere; of one of ours it sees whether that is there. */
static void connect_half(struct trp_remote *remote, trp_handle id,
                         const struct trp_actor_ref *actor, const struct trp_actor_ref *other)
{
    struct connect *connect = trp_slab_find(&remote->connects, id);
    enum trp_status status = TRP_OK;
    if (!connect_goes_on(connect)) {
        return;
    }
    if (!trp_remote_is_local(remote, actor)) {
        status = connect_there(remote, connect->link, id, actor, other);
        connect->calls += status == TRP_OK;
    } else if (trp_remote_own_type(remote, actor->id).size == 0) {
        status = TRP_EDEAD;
    }
    connect_note(connect, status);
}

static void connect_half_here(struct trp_remote *remote, struct connect *connect,
                              const struct trp_actor_ref *actor, const struct trp_actor_ref *other)
{
    if (trp_remote_is_local(remote, actor) && connect_goes_on(connect)) {
        connect_note(connect, connect_here(remote, connect->link, actor, other));
    }
}

/* A half that stands alone is taken down again. */
static void connect_undo(struct trp_remote *remote, const struct connect *connect)
{
    const struct origin nobody = {.kind = ORIGIN_NOBODY};
    if (connect->link && connect->status != TRP_OK) {
        trp_remote_connect(remote, false, &connect->a, &connect->b, &nobody);
    }
}

static void connect_finish(struct trp_remote *remote, trp_handle id)
{
    struct connect connect = *(const struct connect *)trp_slab_find(&remote->connects, id);
    trp_slab_remove(&remote->connects, id);
    connect_half_here(remote, &connect, &connect.a, &connect.b);
    connect_half_here(remote, &connect, &connect.b, &connect.a);
    trp_remote_complete(remote, &connect.origin, connect.status, TRP_BYTES_NONE, NULL);
    connect_undo(remote, &connect);
}

static void connect_settle(struct trp_remote *remote, trp_handle id, enum trp_status status)
{
    struct connect *connect = trp_slab_find(&remote->connects, id);
    if (connect == NULL) {
        return;
    }
    connect_note(connect, status);
    if (--connect->calls == 0) {
        connect_finish(remote, id);
    }
}

void trp_remote_connect(struct trp_remote *remote, bool link, const struct trp_actor_ref *a,
                        const struct trp_actor_ref *b, const struct origin *origin)
{
    trp_handle id;
    void *object;
    enum trp_status status = trp_slab_insert(&remote->connects, &id, &object);
    if (status != TRP_OK) {
        trp_remote_complete(remote, origin, status, TRP_BYTES_NONE, NULL);
        return;
    }
    struct connect *connect = object;
    *connect = (struct connect){.origin = *origin, .link = link, .a = *a, .b = *b};
    connect_half(remote, id, a, b);
    connect_half(remote, id, b, a);
    if (connect->calls == 0) {
        connect_finish(remote, id);
    }
}

/* ---- requests of others ---- */

/* Says whether our actor is what the asker takes it for, with Kameo's errors in Kameo's order. */
static enum trp_status serve_check_type(const struct trp_remote *remote,
                                        const struct trp_request_envelope *request)
{
    struct trp_bytes own = trp_remote_own_type(remote, request->actor.id);
    bool other = request->actor_type.size > 0 && !trp_bytes_equal(own, request->actor_type);
    if (other && trp_scheduler_find_type(remote->config.scheduler, request->actor_type) == NULL) {
        return TRP_EUNKNOWNACTOR;
    }
    if (own.size == 0) {
        return TRP_EDEAD;
    }
    return other ? TRP_EBADTYPE : TRP_OK;
}

/* Makes our half of a link. */
static enum trp_status link_here(struct trp_remote *remote, uint64_t actor,
                                 const struct trp_actor_ref *other, struct trp_bytes type)
{
    enum trp_status status = trp_scheduler_link(remote->config.scheduler, actor, other, type);
    if (status == TRP_OK && !trp_remote_is_local(remote, other)) {
        trp_remote_update_linked(remote, &other->peer);
    }
    return status;
}

/* A third node brings an actor of ours together with one elsewhere, whose peer is asked first. The
 * asker still waits when that is over. */
static enum trp_status introduce(struct trp_remote *remote, const struct trp_messaging_event *event,
                                 const struct trp_actor_ref *other)
{
    const struct trp_request_envelope *asked = event->request;
    struct call call = {.kind = TRP_ENVELOPE_LINK,
                        .origin = {.kind = ORIGIN_PEER, .id = event->id},
                        .local_actor = asked->actor.id,
                        .other = *other};
    call.other.type = trp_scheduler_learn_type(remote->config.scheduler, asked->other_type);
    if (call.other.type == 0) {
        return TRP_EUNKNOWNACTOR; /* a peer takes no link without the type */
    }
    const struct trp_request_envelope request =
        link_request(remote, call.kind, call.local_actor, other, asked->other_type);
    const struct trp_messaging_options options = {
        .timeout_ns = remote->config.limits->request_timeout_ns / 2};
    enum trp_status status = trp_remote_call(remote, &call, &request, &options);
    return status == TRP_OK ? TRP_EAGAIN : status;
}

/* The other peer has no use for the half that it made. */
static void introduction_undo(struct trp_remote *remote, const struct call *link)
{
    const struct call call = {
        .kind = TRP_ENVELOPE_UNLINK, .local_actor = link->local_actor, .other = link->other};
    const struct trp_request_envelope request =
        link_request(remote, call.kind, call.local_actor, &call.other, TRP_BYTES_NONE);
    link_call(remote, &call, &request, LINK_RETRIES);
}

static void introduction_settle(struct trp_remote *remote, const struct call *call,
                                enum trp_status status)
{
    if (status == TRP_OK) {
        struct trp_bytes type = trp_scheduler_type_text(remote->config.scheduler, call->other.type);
        trp_remote_forget_severed(remote, call->local_actor, &call->other);
        status = link_here(remote, call->local_actor, &call->other, type);
        if (status != TRP_OK) {
            introduction_undo(remote, call);
        }
    } else {
        trp_trace_link_unconfirmed(remote->config.trace,
                                   &(struct trp_event_link_unconfirmed){.actor = call->local_actor,
                                                                        .other = call->other.id,
                                                                        .peer = &call->other.peer,
                                                                        .status = status});
        status = is_answer(status) ? status : TRP_EUNREACHABLE;
    }
    const struct trp_request_envelope asked = {
        .kind = TRP_ENVELOPE_LINK, .actor_type = trp_remote_own_type(remote, call->local_actor)};
    trp_remote_answer_status(remote, call->origin.id, &asked, status);
}

/* Another node may speak of its own actors; a third one may only bring two others together. */
static enum trp_status serve_link(struct trp_remote *remote,
                                  const struct trp_messaging_event *event,
                                  const struct trp_actor_ref *other)
{
    const struct trp_request_envelope *request = event->request;
    bool is_theirs = trp_peer_id_equal(&other->peer, &event->peer);
    if (is_theirs && trp_remote_was_severed(remote, request->actor.id, other)) {
        return TRP_EDEAD; /* its death was told here: it hears of that now */
    }
    enum trp_status status = serve_check_type(remote, request);
    bool is_ours = trp_remote_is_local(remote, other);
    if (status == TRP_OK && is_ours && trp_remote_own_type(remote, other->id).size == 0) {
        status = TRP_EDEAD;
    }
    if (status != TRP_OK) {
        return status;
    }
    return is_theirs || is_ours ? link_here(remote, request->actor.id, other, request->other_type)
                                : introduce(remote, event, other);
}

static enum trp_status serve_unlink(struct trp_remote *remote,
                                    const struct trp_request_envelope *request,
                                    const struct trp_actor_ref *other)
{
    enum trp_status status =
        trp_scheduler_unlink(remote->config.scheduler, request->actor.id, other);
    trp_remote_update_linked(remote, &other->peer);
    return status == TRP_ENOTFOUND ? TRP_OK : status;
}

static enum trp_status serve_signal(struct trp_remote *remote, const struct trp_peer_id *from,
                                    const struct trp_request_envelope *request,
                                    const struct trp_actor_ref *dead)
{
    struct trp_scheduler *scheduler = remote->config.scheduler;
    if (!trp_peer_id_equal(&dead->peer, from)) {
        trp_trace_envelope_refused(remote->config.trace,
                                   &(struct trp_event_envelope_refused){
                                       .peer = from,
                                       .what = trp_bytes_text("death of another peer's actor"),
                                       .status = TRP_EAUTH});
        return TRP_EDENIED;
    }
    if (remote->config.accept_unlinked_deaths &&
        trp_scheduler_link(scheduler, request->actor.id, dead, TRP_BYTES_NONE) != TRP_OK) {
        return TRP_EDEAD;
    }
    enum trp_status status =
        trp_scheduler_link_died(scheduler, request->actor.id, dead, &request->cause);
    if (status == TRP_ENOTFOUND) {
        trp_trace_death_ignored(remote->config.trace,
                                &(struct trp_event_death_ignored){.actor = request->actor.id,
                                                                  .dead = dead->id,
                                                                  .peer = &dead->peer});
    }
    trp_remote_update_linked(remote, from);
    return status == TRP_ENOTFOUND ? TRP_OK : status; /* it was told before, or never linked */
}

/* Asks the rules about both ends of a link that are not the asker's. */
static enum trp_status serve_access(struct trp_remote *remote, const struct trp_peer_id *from,
                                    const struct trp_request_envelope *request,
                                    const struct trp_actor_ref *other)
{
    struct trp_bytes type = trp_remote_own_type(remote, request->actor.id);
    type = type.size > 0 ? type : request->actor_type;
    enum trp_status status = trp_remote_access(remote, from, TRP_ACCESS_LINK, type);
    if (status == TRP_OK && trp_remote_is_local(remote, other)) {
        status = trp_remote_access(remote, from, TRP_ACCESS_LINK,
                                   trp_remote_own_type(remote, other->id));
    } else if (status == TRP_OK && !trp_peer_id_equal(&other->peer, from)) {
        status = trp_remote_access(remote, &other->peer, TRP_ACCESS_LINK, type);
    }
    return status;
}

static enum trp_status serve(struct trp_remote *remote, const struct trp_messaging_event *event)
{
    const struct trp_request_envelope *request = event->request;
    struct trp_actor_ref other = request->other;
    if (other.peer.size == 0) {
        other.peer = event->peer;
    }
    enum trp_status status = serve_access(remote, &event->peer, request, &other);
    if (status == TRP_OK && !trp_remote_is_local(remote, &request->actor)) {
        status = TRP_EDEAD;
    }
    if (status != TRP_OK) {
        return status;
    }
    switch (request->kind) {
    case TRP_ENVELOPE_LINK:
        return serve_link(remote, event, &other);
    case TRP_ENVELOPE_UNLINK:
        return serve_unlink(remote, request, &other);
    case TRP_ENVELOPE_SIGNAL_LINK_DIED:
        return serve_signal(remote, &event->peer, request, &other);
    case TRP_ENVELOPE_ASK:
    case TRP_ENVELOPE_TELL:
    case TRP_ENVELOPE_OUTBOUND_FAILURE:
        break;
    }
    return TRP_EVIOLATION;
}

void trp_remote_serve_link(struct trp_remote *remote, const struct trp_messaging_event *event)
{
    enum trp_status status = serve(remote, event);
    if (status != TRP_EAGAIN) { /* else it is answered by introduction_settle */
        trp_remote_answer_status(remote, event->id, event->request, status);
    }
}
