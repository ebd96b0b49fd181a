/* SPDX-License-Identifier: MIT */
/* actor/event.h - the queue of events on their way out of a scheduler.
 *
 * What must not be lost (answers, deaths, ends) is queued as part of the object it is about and
 * needs no memory; what an actor asks for is a block of its own, and the actor is told when there
 * is none.
 * Ownership  A queued event owns its object. */
#ifndef ACTOR_EVENT_H
#define ACTOR_EVENT_H

#include "actor/scheduler.h"

struct trp_mail;

/* What an event is part of. */
enum trp_event_owner {
    TRP_EVENT_BLOCK,   /* struct trp_event_block */
    TRP_EVENT_TELL,    /* struct trp_event_tell */
    TRP_EVENT_SPARE,   /* struct trp_event_spare */
    TRP_EVENT_REQUEST, /* an ask from outside, answered */
    TRP_EVENT_LINK,    /* a link with a remote actor, after the death of ours */
    TRP_EVENT_ACTOR    /* an actor that is gone */
};

struct trp_event {
    struct trp_event *next;
    uint64_t cause;
    uint8_t owner; /* enum trp_event_owner */
};

struct trp_event_block {
    struct trp_event event;
    struct trp_sched_event out;
    struct trp_mail *payload; /* freed with the event; NULL */
    uint8_t class;
    bool counted; /* in blocks_count */
};

/* A tell to an actor elsewhere that nobody waits for, which is what there is most of. */
struct trp_event_tell {
    struct trp_event event;
    struct trp_actor_ref to;
    struct trp_bytes message; /* id */
    uint64_t actor;
    uint32_t bytes; /* of the payload, which follows */
    uint8_t class;
};

/* A refusal for which there was no memory. */
struct trp_event_spare {
    struct trp_event event;
    uint64_t token;
    uint64_t actor;
    enum trp_status status;
};

#define TRP_EVENT_SPARES 32u

struct trp_event_queue {
    struct trp_event *head;
    struct trp_event *tail;
    struct trp_event *current;   /* the one given out; freed at the next call */
    uint32_t blocks_count;       /* queued on behalf of actors, bounded by trp_limits.requests */
    struct trp_stop_cause death; /* of the event given out */
    uint32_t spares_used;
    struct trp_event_spare spares[TRP_EVENT_SPARES];
};

/* Queues an event that is part of an object. */
void trp_event_push(struct trp_scheduler *scheduler, struct trp_event *event,
                    enum trp_event_owner owner);
/* Queues a block with a copy of `out`; `name` and `other_type` are copied, `payload` is taken on
 * TRP_OK.
 * TRP_EFULL, TRP_ENOMEM. */
enum trp_status trp_event_emit(struct trp_scheduler *scheduler, const struct trp_sched_event *out,
                               struct trp_mail *payload) TRP_NODISCARD;
/* Queues a tell that nobody waits for; the payload is copied. TRP_EFULL, TRP_ENOMEM. */
enum trp_status trp_event_emit_tell(struct trp_scheduler *scheduler, uint64_t actor,
                                    const struct trp_actor_ref *to, struct trp_bytes message,
                                    struct trp_bytes payload) TRP_NODISCARD;
/* Answers a delivery that became no request. Without memory the spares serve, then it is lost, and
 * traced. */
void trp_event_answer(struct trp_scheduler *scheduler, const struct trp_delivery *delivery,
                      enum trp_status status);

#endif
