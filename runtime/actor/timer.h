/* SPDX-License-Identifier: MIT */
/* actor/timer.h - deadlines of a scheduler, and messages sent after a delay.
 *
 * A due message goes to the control lane of its target. A timer to an actor of ours ends with it.
 * Limits     trp_limits.timers, those due but not yet handled included. */
#ifndef ACTOR_TIMER_H
#define ACTOR_TIMER_H

#include "actor/actor.h"
#include "base/heap.h"

enum trp_deadline_kind { TRP_DEADLINE_REQUEST, TRP_DEADLINE_TIMER };

/* In the heap of the scheduler; part of what it is the deadline of. */
struct trp_deadline {
    struct trp_heap_entry entry;
    uint8_t kind; /* enum trp_deadline_kind */
};

struct trp_timer {
    struct trp_mail mail; /* class: of the block that holds all of this */
    struct trp_deadline deadline;
    uint64_t id;
    struct trp_actor *target; /* NULL: a remote actor */
    struct trp_timer *target_next;
    struct trp_timer **target_at;
    bool cancelled;                      /* after it was due, before it was handled */
    struct trp_mail *content;            /* a copy of the message; encoded for a remote actor */
    const struct trp_message_type *type; /* remote */
    struct trp_actor_ref to;             /* remote */
};

/* TRP_ENOMEM. */
enum trp_status trp_deadline_set(struct trp_scheduler *scheduler, struct trp_deadline *deadline,
                                 trp_time at) TRP_NODISCARD;
/* Makes everything due happen. */
void trp_deadline_expire_all(struct trp_scheduler *scheduler);

/* Frees a timer and its message; it is in no lane. */
void trp_timer_free(struct trp_scheduler *scheduler, struct trp_timer *timer);

#endif
