/* SPDX-License-Identifier: MIT */
/* actor/scheduler.h - runs the actors of a node; a step function of its own.
 *
 * What concerns other nodes leaves as events and comes back through calls, so that the scheduler
 * knows peers only as values and a local program links without networking.
 * Threading  One thread. Determinism: actors run in the order they became runnable.
 * Limits     actors, mailbox_messages, message_bytes, message_memory_bytes, requests, timers,
 *            links_per_actor.
 * Driving    After any call: trp_scheduler_run, then next_event until false, then deadline. */
#ifndef ACTOR_SCHEDULER_H
#define ACTOR_SCHEDULER_H

#include "base/memory.h"
#include "trace/trace.h"

#include <troupe/actor.h>
#include <troupe/limits.h>

struct trp_scheduler;

struct trp_scheduler_config {
    struct trp_memory *memory; /* borrowed, as all pointers here */
    struct trp_trace *trace;
    const struct trp_limits *limits;
    const struct trp_peer_id *self; /* refs to this peer are local; NULL: there is no network */
    const struct trp_actor_type *const *types; /* those that can be spawned by id */
    uint32_t types_count;
    uint64_t seed; /* of trp_random */
    trp_time now;
};

enum trp_status trp_scheduler_open(const struct trp_scheduler_config *config,
                                   struct trp_scheduler **ret_scheduler) TRP_NODISCARD;
void trp_scheduler_close(struct trp_scheduler *scheduler);

/* Runs actors until none is runnable at `now`, or a bounded batch is done (then deadline() is
 * `now`). */
void trp_scheduler_run(struct trp_scheduler *scheduler, trp_time now);
trp_time trp_scheduler_deadline(const struct trp_scheduler *scheduler);

/* From outside the actors. */
enum trp_status trp_scheduler_spawn(struct trp_scheduler *scheduler,
                                    const struct trp_actor_type *type, const void *args,
                                    const struct trp_spawn_options *options,
                                    struct trp_actor_ref *ret_ref) TRP_NODISCARD;
/* Finds a type by id among those of the configuration; NULL. */
const struct trp_actor_type *trp_scheduler_find_type(const struct trp_scheduler *scheduler,
                                                     struct trp_bytes id);
/* Gives the type of a live local actor; NULL when it is not running. */
const struct trp_actor_type *trp_scheduler_type_of(const struct trp_scheduler *scheduler,
                                                   uint64_t actor);
enum trp_status trp_scheduler_stop(struct trp_scheduler *scheduler, uint64_t actor) TRP_NODISCARD;
enum trp_status trp_scheduler_kill(struct trp_scheduler *scheduler, uint64_t actor) TRP_NODISCARD;

/* A message from outside, encoded. */
struct trp_delivery {
    bool ask;
    uint64_t actor;
    uint64_t token;                 /* comes back in the TRP_SCHED_ANSWER */
    const struct trp_peer_id *from; /* NULL: the program of this node */
    struct trp_bytes actor_type;    /* its id as the sender believes; empty: any */
    struct trp_bytes message;       /* id */
    struct trp_bytes payload;       /* msgpack; copied */
    trp_time mailbox_timeout_ns;    /* 0: fail at once with TRP_EMAILBOXFULL */
    trp_time reply_timeout_ns;      /* 0: request_timeout_ns */
};
/* Delivers; there is exactly one TRP_SCHED_ANSWER per call, maybe at once. For a tell it says that
 * the message is in the mailbox. Errors in Kameo's order: TRP_EUNKNOWNMESSAGE (no known type has
 * such an actor type and message), TRP_EDEAD, TRP_EBADTYPE, TRP_EDECODE, TRP_EMAILBOXFULL,
 * TRP_EREPLYTIMEOUT, TRP_EHANDLER, TRP_ESTOPPED; before decoding, TRP_EMAILBOXFULL when messages of
 * the same peer that were not handled yet are too many bytes. */
void trp_scheduler_deliver(struct trp_scheduler *scheduler, const struct trp_delivery *delivery);

/* True when the mailbox of an actor has no place for a message of that peer. */
bool trp_scheduler_is_crowded(const struct trp_scheduler *scheduler, uint64_t actor,
                              const struct trp_peer_id *from);
/* Puts a tell that nobody waits for into the mailbox, without an event. TRP_EAGAIN: there is no
 * room; trp_scheduler_deliver waits for it. Other errors as there; they are traced. */
enum trp_status trp_scheduler_tell(struct trp_scheduler *scheduler,
                                   const struct trp_delivery *delivery) TRP_NODISCARD;

/* Answers to events. */
/* Ends what has a `request`, but for lookups. Of a TRP_SCHED_ASK, `payload` is the reply (TRP_OK)
 * or the handler's error (TRP_EHANDLER). */
void trp_scheduler_complete(struct trp_scheduler *scheduler, uint64_t request,
                            enum trp_status status, struct trp_bytes payload);
/* Passes one result of a TRP_SCHED_LOOKUP. */
void trp_scheduler_found(struct trp_scheduler *scheduler, uint64_t request, enum trp_status status,
                         const struct trp_actor_ref *ref, bool last);

/* The ids of actor types by their hashes, which refs carry. */
/* Remembers the id of a type; gives its hash, 0 when that cannot be. */
uint64_t trp_scheduler_learn_type(struct trp_scheduler *scheduler, struct trp_bytes id);
/* Gives an id, borrowed until the next is learnt; of no size when it is not known. */
struct trp_bytes trp_scheduler_type_text(const struct trp_scheduler *scheduler, uint64_t hash);

/* Links with actors elsewhere. */
/* Records that `other`, of the type with that id, is linked with local `actor`; idempotent.
 * TRP_EDEAD, TRP_EFULL, TRP_ENOMEM. */
enum trp_status trp_scheduler_link(struct trp_scheduler *scheduler, uint64_t actor,
                                   const struct trp_actor_ref *other,
                                   struct trp_bytes other_type) TRP_NODISCARD;
enum trp_status trp_scheduler_unlink(struct trp_scheduler *scheduler, uint64_t actor,
                                     const struct trp_actor_ref *other) TRP_NODISCARD;
/* Remote `dead` died. Ignored, with TRP_ENOTFOUND, when it is not linked with `actor`. */
enum trp_status trp_scheduler_link_died(struct trp_scheduler *scheduler, uint64_t actor,
                                        const struct trp_actor_ref *dead,
                                        const struct trp_stop_cause *cause) TRP_NODISCARD;
/* A peer is gone: every link with its actors dies with TRP_STOP_PEER_DISCONNECTED. */
void trp_scheduler_peer_lost(struct trp_scheduler *scheduler, const struct trp_peer_id *peer);
/* Counts the links with actors of a peer. */
uint32_t trp_scheduler_links_with(const struct trp_scheduler *scheduler,
                                  const struct trp_peer_id *peer);
/* A link with an actor elsewhere. */
struct trp_sched_link {
    uint64_t actor; /* ours */
    struct trp_actor_ref other;
    struct trp_bytes other_type; /* id of its type, when known; borrowed until the next call */
};
/* Gives the links with the actors of a peer in turn, again and again; false when there are none. */
bool trp_scheduler_next_link(struct trp_scheduler *scheduler, const struct trp_peer_id *peer,
                             struct trp_sched_link *ret_link);

enum trp_sched_event_kind {
    TRP_SCHED_ANSWER,  /* to a delivery: token, status, payload */
    TRP_SCHED_ASK,     /* an actor asks a remote one: request, other, message, payload, timeouts */
    TRP_SCHED_TELL,    /* the same; request 0: nobody waits to hear that it is in the mailbox */
    TRP_SCHED_LINK,    /* local `actor` linked itself with remote `other`; other_type */
    TRP_SCHED_UNLINK,  /* and unlinked */
    TRP_SCHED_CONNECT, /* request: `other` and `second`, one of them elsewhere, are to be linked */
    TRP_SCHED_DISCONNECT, /* request: and unlinked */
    TRP_SCHED_DIED,       /* local `actor` died: tell remote `other`; other_type, death */
    TRP_SCHED_REGISTER,   /* actor, name; request 0: nobody waits */
    TRP_SCHED_UNREGISTER, /* name; request 0: nobody waits */
    TRP_SCHED_LOOKUP,     /* request, name, scope */
    TRP_SCHED_STOPPED     /* local `actor` is gone for good: withdraw its names */
};

struct trp_sched_event {
    enum trp_sched_event_kind kind;
    enum trp_status status;
    enum trp_stop_reason reason; /* STOPPED */
    enum trp_lookup_scope scope;
    uint64_t token;
    uint64_t request;
    uint64_t actor;
    uint64_t cause; /* trace sequence number of what led to it */
    struct trp_actor_ref other;
    struct trp_actor_ref second;
    struct trp_bytes other_type;
    const struct trp_stop_cause *death;
    struct trp_bytes message; /* id */
    struct trp_bytes payload; /* borrowed until the next call, as all slices */
    struct trp_bytes name;
    trp_time mailbox_timeout_ns; /* how long to wait for room; 0: not at all */
    trp_time reply_timeout_ns;
};
/* Gives the next event; fields that its kind does not have mean nothing. */
bool trp_scheduler_next_event(struct trp_scheduler *scheduler, struct trp_sched_event *ret_event);

uint32_t trp_scheduler_actors_count(const struct trp_scheduler *scheduler);
uint32_t trp_scheduler_requests_count(const struct trp_scheduler *scheduler);

#endif
