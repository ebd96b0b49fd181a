/* SPDX-License-Identifier: MIT */
/* actor/scheduler_state.h - what a scheduler holds; for the files of this directory. */
#ifndef ACTOR_SCHEDULER_STATE_H
#define ACTOR_SCHEDULER_STATE_H

#include "actor/actor.h"
#include "actor/event.h"
#include "actor/link.h"
#include "actor/pool.h"
#include "actor/request.h"
#include "actor/share.h"
#include "actor/table.h"
#include "actor/timer.h"
#include "actor/type_name.h"
#include "base/prng.h"

/* Keeps the path to elsewhere out of the one to our own actors. */
#define TRP_NOINLINE __attribute__((noinline))

/* The handler that runs now. Handlers never nest, so there is one. */
struct trp_context {
    struct trp_scheduler *scheduler;
    struct trp_actor *actor;
    const struct trp_handler_info *handler;
    uint64_t request; /* the ask being handled; 0: none */
    bool answered;
    bool deferred; /* trp_reply_later was called */
};

struct trp_scheduler {
    struct trp_context context;
    struct trp_actor *run_head;
    struct trp_actor *run_tail;
    trp_time now;
    struct trp_trace *trace;
    struct trp_table actors;
    struct trp_pool pool;
    struct trp_heap deadlines;
    uint64_t deadlines_made; /* orders those of one moment */
    struct trp_table requests;
    struct trp_table timers;
    uint32_t requests_open; /* without an outcome */
    bool networked;
    struct trp_peer_id self;
    uint64_t seed;
    const struct trp_limits *limits;
    struct trp_memory *memory;
    struct trp_type_info *types; /* in the order they became known */
    struct trp_type_info *types_last;
    const struct trp_type_info *type_recent;
    struct trp_type_names type_names;
    struct trp_link_peer *peers; /* by PeerId; those our actors are linked with */
    struct trp_shares shares;
    struct trp_event_queue events;
    struct trp_trace trace_off; /* used when the configuration gives none */
};

static inline bool trp_scheduler_is_local(const struct trp_scheduler *scheduler,
                                          const struct trp_actor_ref *ref)
{
    return ref->peer.size == 0 ||
           (scheduler->networked && trp_peer_id_equal(&ref->peer, &scheduler->self));
}

/* Whether something can be sent to an actor elsewhere: TRP_EUNREACHABLE (there is no network),
 * TRP_EINVAL (its type is not known). */
static inline enum trp_status trp_scheduler_check_remote(const struct trp_scheduler *scheduler,
                                                         const struct trp_actor_ref *ref)
{
    if (!scheduler->networked) {
        return TRP_EUNREACHABLE;
    }
    return ref->id == 0 || ref->type == 0 ? TRP_EINVAL : TRP_OK;
}

/* Puts an actor at the end of the run queue unless it is there. */
static inline void trp_scheduler_wake(struct trp_scheduler *scheduler, struct trp_actor *actor)
{
    if (actor->queued) {
        return;
    }
    actor->queued = true;
    actor->run_next = NULL;
    if (scheduler->run_head == NULL) {
        scheduler->run_head = actor;
    } else {
        scheduler->run_tail->run_next = actor;
    }
    scheduler->run_tail = actor;
}

static inline void trp_scheduler_push_control(struct trp_scheduler *scheduler,
                                              struct trp_actor *actor, struct trp_mail *mail)
{
    trp_lane_push(&actor->mailbox.control, mail);
    trp_scheduler_wake(scheduler, actor);
}

/* Traces a message to an actor of ours that is dead. */
void trp_scheduler_trace_dead(struct trp_scheduler *scheduler, const struct trp_actor_ref *to,
                              const struct trp_message_type *type);
/* Traces that a bound of trp_limits refused something. */
void trp_scheduler_trace_limit(struct trp_scheduler *scheduler, const char *limit, uint32_t value);

/* Frees a mail that is a block of its own; NULL is fine. */
static inline void trp_mail_free(struct trp_scheduler *scheduler, struct trp_mail *mail)
{
    if (mail != NULL) {
        trp_pool_put(&scheduler->pool, mail->class, mail);
    }
}

/* Copies a message into a new mail. TRP_EINVAL (no message), TRP_EENCODE, TRP_ETOOBIG, TRP_ENOMEM.
 */
static inline enum trp_status trp_mail_copy(struct trp_scheduler *scheduler,
                                            const struct trp_shape *shape, const void *message,
                                            struct trp_mail **ret_mail)
{
    if (shape->parts.any) {
        return trp_mail_copy_parts(scheduler, shape, message, ret_mail);
    }
    if (shape->size > 0 && message == NULL) {
        return TRP_EINVAL;
    }
    struct trp_mail *mail =
        trp_pool_take(&scheduler->pool, shape->class, sizeof *mail + shape->size);
    if (mail == NULL) {
        return TRP_ENOMEM;
    }
    *mail = (struct trp_mail){
        .cause = scheduler->trace->cause, .bytes = shape->size, .class = shape->class};
    if (shape->size == sizeof(uint64_t)) { /* the most frequent size, without a call */
        memcpy(mail + 1, message, sizeof(uint64_t));
    } else if (shape->size > 0) {
        memcpy(mail + 1, message, shape->size);
    }
    *ret_mail = mail;
    return TRP_OK;
}

/* The user lane of a mailbox, for messages of our own and, by way of their shares, of peers. */
static inline bool trp_actor_has_room(const struct trp_scheduler *scheduler,
                                      const struct trp_actor *actor, const struct trp_mail *mail)
{
    return mail->share == 0 ? trp_mailbox_has_room(&actor->mailbox)
                            : trp_share_has_room(scheduler, actor, mail);
}

static inline void trp_actor_push(struct trp_scheduler *scheduler, struct trp_actor *actor,
                                  struct trp_mail *mail)
{
    if (mail->share == 0) {
        trp_mailbox_push(&actor->mailbox, mail);
    } else {
        trp_share_push(scheduler, actor, mail);
    }
}

/* NULL when it is empty. */
static inline struct trp_mail *trp_actor_pop(struct trp_scheduler *scheduler,
                                             struct trp_actor *actor)
{
    struct trp_mail *mail = trp_lane_pop(&actor->mailbox.user);
    if (mail != NULL && mail->share == 0) {
        actor->mailbox.user_count--;
    } else if (mail != NULL) {
        trp_share_popped(scheduler, actor, mail);
    }
    return mail;
}

/* Finds an actor of ours that is not gone by its id. */
static inline struct trp_actor *trp_scheduler_find(const struct trp_scheduler *scheduler,
                                                   uint64_t id)
{
    return trp_table_find(&scheduler->actors, id);
}

#endif
