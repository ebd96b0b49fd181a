/* SPDX-License-Identifier: MIT */
/* troupe/actor_ref.h - the address of an actor, anywhere.
 *
 * On the wire it is Kameo's ActorId: the sequence as u64 little-endian, then the PeerId. The id is
 * the sequence plus one, for the first actor of a Kameo process has sequence 0.
 * Ownership  A plain value; holding one keeps nothing alive. */
#ifndef TROUPE_ACTOR_REF_H
#define TROUPE_ACTOR_REF_H

#include <troupe/base.h>
#include <troupe/peer_id.h>

TRP_EXTERN_C_BEGIN

#define TRP_ACTOR_REF_BYTES_MAX (8u + TRP_PEER_ID_BYTES_MAX)

struct trp_actor_ref {
    uint64_t id;             /* slot and generation, never reused within a node; 0 is no actor */
    uint64_t type;           /* trp_actor_type_hash of the actor type's id; 0: not known */
    struct trp_peer_id peer; /* size 0: an actor of this very node */
};

/* Hashes the id of an actor type (FNV-1a, 64 bits; never 0). Sending to a remote actor needs its
 * type: lookups and spawns fill it in, a ref that came in a message has 0 until you set it. */
TRP_API uint64_t trp_actor_type_hash(struct trp_bytes type_id);

/* Compares who is meant; `type` does not count. */
static inline bool trp_actor_ref_equal(const struct trp_actor_ref *a, const struct trp_actor_ref *b)
{
    return a->id == b->id && trp_peer_id_equal(&a->peer, &b->peer);
}

TRP_EXTERN_C_END

#endif
