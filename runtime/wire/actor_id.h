/* SPDX-License-Identifier: MIT */
/* wire/actor_id.h - Kameo's ActorId.
 *
 *     offset  size  what
 *          0     8  sequence, little-endian
 *          8     n  PeerId multihash; n = 0: an actor of whoever reads it
 *
 * Failure    TRP_EMALFORMED for anything else. */
#ifndef WIRE_ACTOR_ID_H
#define WIRE_ACTOR_ID_H

#include <troupe/actor_ref.h>

/* The first actor of a Kameo process has sequence 0, while an id of 0 is no actor here: an id is
 * the sequence plus one. (2^64 - 1 is no actor, then.) */
static inline uint64_t trp_actor_sequence(uint64_t id)
{
    return id - 1;
}

static inline uint64_t trp_actor_id_of_sequence(uint64_t sequence)
{
    return sequence + 1;
}

/* Writes id and peer; a ref without a peer takes 8 bytes. */
size_t trp_actor_id_encode(const struct trp_actor_ref *ref,
                           uint8_t ret_bytes[TRP_ACTOR_REF_BYTES_MAX]);
/* The type of the ref is 0: an ActorId does not say it. */
enum trp_status trp_actor_id_decode(struct trp_bytes in,
                                    struct trp_actor_ref *ret_ref) TRP_NODISCARD;

#endif
