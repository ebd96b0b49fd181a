/* SPDX-License-Identifier: MIT */
/* actor/actor.h - one actor: its mailbox, its life and what hangs on it.
 *
 *     spawned ── first turn: on_start ──► running ──► stopping ──► gone
 *        │              │                    │            │          ▲
 *        └──────────────┴─ failed, killed ───┴────────────┴──────────┘
 *
 * An actor takes turns: it is put at the end of the run queue when something arrives for it, and
 * handles a bounded batch when it comes to the front. It ends only in a turn of its own.
 * Ownership  An actor owns its mails, its asks, its timers to itself and its links. Its block
 *            outlives it as the TRP_SCHED_STOPPED event. */
#ifndef ACTOR_ACTOR_H
#define ACTOR_ACTOR_H

#include "actor/event.h"
#include "actor/mailbox.h"
#include "actor/message.h"
#include "base/list.h"

#include <troupe/actor.h>

struct trp_scheduler;
struct trp_request;
struct trp_timer;

/* A handler with what its messages and replies need. */
struct trp_handler_info {
    struct trp_bytes id; /* of the message */
    struct trp_shape message;
    trp_handler handle;
    struct trp_shape reply; /* type NULL: takes tells only */
};

/* An actor type as a scheduler knows it. */
struct trp_type_info {
    struct trp_type_info *next; /* in the order they became known */
    const struct trp_actor_type *type;
    struct trp_bytes id;
    uint64_t hash; /* trp_actor_type_hash of its id */
    struct trp_shape args;
    uint8_t class; /* of an actor's block */
    uint32_t handlers_count;
    struct trp_handler_info handlers[];
};

/* Whether messages are taken: only while running. */
enum trp_actor_phase { TRP_ACTOR_RUNNING, TRP_ACTOR_STOPPING, TRP_ACTOR_KILLED, TRP_ACTOR_GONE };

struct trp_actor {
    struct trp_mailbox mailbox;
    const struct trp_type_info *info;
    struct trp_actor *run_next;
    uint8_t phase;     /* enum trp_actor_phase */
    bool queued;       /* in the run queue, or having its turn */
    bool started : 1;  /* on_start succeeded */
    bool refusing : 1; /* a full mailbox was traced; until it is empty again */
    uint8_t reason;    /* enum trp_stop_reason, when gone */
    uint32_t holds;    /* replies without which no user message is handled */
    uint64_t id;
    struct trp_mail *args;    /* of on_start; NULL: none */
    struct trp_request *asks; /* asks and lookups it made, newest first */
    struct trp_request *open; /* asks it will answer later, newest first */
    struct trp_list waiting;  /* shares with a line of asks that wait for room in the user lane */
    struct trp_timer *timers; /* timed messages to it, newest first */
    struct trp_list links;    /* in the order they were made */
    uint64_t draws;           /* of trp_random */
    uint32_t links_count;
    uint32_t peers_count; /* messages of peers in the user lane */
    struct trp_event gone;
};

#define TRP_ACTOR_ALIGN 16u
#define TRP_ACTOR_HEADER                                                                           \
    ((sizeof(struct trp_actor) + TRP_ACTOR_ALIGN - 1) / TRP_ACTOR_ALIGN * TRP_ACTOR_ALIGN)

static inline void *trp_actor_state(struct trp_actor *actor)
{
    return (uint8_t *)actor + TRP_ACTOR_HEADER;
}

/* Finds what is known of a type, or works it out. TRP_EINVAL (a type without id), TRP_ENOMEM. */
enum trp_status trp_type_info_find(struct trp_scheduler *scheduler,
                                   const struct trp_actor_type *type,
                                   const struct trp_type_info **ret_info) TRP_NODISCARD;
/* The handler of a message; NULL. */
static inline const struct trp_handler_info *
trp_type_info_handler(const struct trp_type_info *info, const struct trp_message_type *message)
{
    for (uint32_t i = 0; i < info->handlers_count; i++) {
        if (info->handlers[i].message.type == message) {
            return &info->handlers[i];
        }
    }
    return NULL;
}
const struct trp_handler_info *trp_type_info_handler_by_id(const struct trp_type_info *info,
                                                           struct trp_bytes message);

/* Makes an actor and queues its first turn; `parent` (may be NULL) is linked when options say so.
 * TRP_EINVAL, TRP_EFULL, TRP_ENOMEM. */
enum trp_status trp_actor_spawn(struct trp_scheduler *scheduler, const struct trp_actor_type *type,
                                const void *args, const struct trp_spawn_options *options,
                                struct trp_actor *parent,
                                struct trp_actor_ref *ret_ref) TRP_NODISCARD;
/* The reference to an actor of this scheduler. */
struct trp_actor_ref trp_actor_ref_of(const struct trp_scheduler *scheduler,
                                      const struct trp_actor *actor);
/* Has it stop after the messages it has; waiting asks are refused. */
void trp_actor_stop(struct trp_scheduler *scheduler, struct trp_actor *actor);
/* Has it stop before its next message. */
void trp_actor_kill(struct trp_scheduler *scheduler, struct trp_actor *actor);
/* Takes its turn at the front of the run queue; returns how many mails were handled. */
uint32_t trp_actor_turn(struct trp_scheduler *scheduler, struct trp_actor *actor);
/* Traces, once until its mailbox is empty, that it refuses messages. */
void trp_actor_trace_full(struct trp_scheduler *scheduler, struct trp_actor *actor);

#endif
