/* SPDX-License-Identifier: MIT */
/* interop/kameo/actors.h - the actors: `probe`, which takes every message of the tests, `other`,
 * which is none, and `manager`, which spawns and stops them; common/actors.rs has the same. */
#ifndef INTEROP_KAMEO_ACTORS_H
#define INTEROP_KAMEO_ACTORS_H

#include <troupe/actor.h>

#define ALIAS_MAX 32u

/* Waits before it answers; the mailbox fills meanwhile. */
#define NAP(FIELD, TAG) FIELD(TAG, U64, ms)
TRP_MESSAGE_DECLARE(nap, NAP);
/* Is told, and shown as an event. */
#define NOTE(FIELD, TAG) FIELD(TAG, TEXT, text)
TRP_MESSAGE_DECLARE(note, NOTE);
/* Makes the handler fail; a tell stops the actor. */
#define FAIL(FIELD, TAG) FIELD(TAG, U32, code)
TRP_MESSAGE_DECLARE(fail, FAIL);
/* Makes the actor end in the middle of its work. */
TRP_MESSAGE_DECLARE_EMPTY(panic);
/* A large message; the answer is its size. */
#define SWALLOW(FIELD, TAG) FIELD(TAG, BYTES, load)
TRP_MESSAGE_DECLARE(swallow, SWALLOW);
/* Wants a large answer. */
#define WEIGH(FIELD, TAG) FIELD(TAG, U64, bytes)
TRP_MESSAGE_DECLARE(weigh, WEIGH);
/* Introduces an actor, which is told a note; the answer is who was asked. */
#define MEET(FIELD, TAG) FIELD(TAG, REF, acquaintance)
TRP_MESSAGE_DECLARE(meet, MEET);
#define MET(FIELD, TAG) FIELD(TAG, REF, by)
TRP_MESSAGE_DECLARE(met, MET);

/* What a handler answers with when it fails. */
#define FAULT(FIELD, TAG) FIELD(TAG, U32, code) FIELD(TAG, TEXT, text)
TRP_MESSAGE_DECLARE(fault, FAULT);
/* Plain answers. */
#define NUMBER(FIELD, TAG) FIELD(TAG, U64, number)
TRP_MESSAGE_DECLARE(number, NUMBER);
#define LOAD(FIELD, TAG) FIELD(TAG, BYTES, load)
TRP_MESSAGE_DECLARE(load, LOAD);

/* From this program alone: words for an actor to act on. */
#define ORDER(FIELD, TAG) FIELD(TAG, U64, tag) FIELD(TAG, TEXT, line)
TRP_MESSAGE_DECLARE(order, ORDER);

extern const struct trp_actor_type probe_type;
extern const struct trp_actor_type other_type;
extern const struct trp_actor_type manager_type;
/* Spawned by nobody: what it is called is known here, and not on the other side. */
extern const struct trp_actor_type phantom_type;

/* Gives an actor that was spawned under an alias and has not stopped. */
bool actor_find(struct trp_bytes alias, struct trp_actor_ref *ret_ref);
/* Says who we are; before anything is spawned. */
void actors_init(const struct trp_peer_id *self);

#endif
