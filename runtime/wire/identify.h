/* SPDX-License-Identifier: MIT */
/* wire/identify.h - the message of identify and identify push.
 *
 * Spec       libp2p/specs identify/README.md, and signedPeerRecord = 8 as go, js and rust have it.
 * Ownership  Decoded slices borrow from the arena.
 * Limits     We write less than 4096 bytes: rust-libp2p reads no more. */
#ifndef WIRE_IDENTIFY_H
#define WIRE_IDENTIFY_H

#include "wire/arena.h"

#include <troupe/multiaddr.h>

#define TRP_IDENTIFY_BYTES_MAX 4095u
#define TRP_IDENTIFY_READ_MAX  8192u /* one message of a peer */
/* Enough of an arena for any message of so many bytes that is not made to waste memory. */
#define TRP_IDENTIFY_ARENA_BYTES_OF(size) (2048u + 8u * (size))
#define TRP_IDENTIFY_ARENA_BYTES          TRP_IDENTIFY_ARENA_BYTES_OF(TRP_IDENTIFY_READ_MAX)
/* The field with the observed address. */
#define TRP_IDENTIFY_OBSERVED_BYTES_MAX (3u + TRP_MULTIADDR_BYTES_MAX)
#define TRP_IDENTIFY_ADDRESSES_MAX      32u
#define TRP_IDENTIFY_PROTOCOLS_MAX      128u

/* Empty slices are absent fields. */
struct trp_identify_message {
    struct trp_bytes public_key; /* an encoded PublicKey */
    struct trp_bytes protocol_version;
    struct trp_bytes agent_version;
    struct trp_bytes observed_address;   /* binary multiaddr */
    struct trp_bytes signed_peer_record; /* an encoded SignedEnvelope */
    uint32_t addresses_count;
    uint32_t protocols_count;
    struct trp_bytes addresses[TRP_IDENTIFY_ADDRESSES_MAX]; /* binary multiaddrs, all valid */
    struct trp_bytes protocols[TRP_IDENTIFY_PROTOCOLS_MAX];
};

/* Writes the message without its length prefix. What does not fit in TRP_IDENTIFY_BYTES_MAX or
 * `room` is left out: the signed record first, then addresses from the end. TRP_ETOOBIG when the
 * rest is still too large. */
enum trp_status trp_identify_message_encode(const struct trp_identify_message *message,
                                            uint8_t *out, size_t room,
                                            size_t *ret_size) TRP_NODISCARD;
/* Writes the field with the observed address, the only one that differs from peer to peer: behind
 * the rest of a message it is part of it. `out` has TRP_IDENTIFY_OBSERVED_BYTES_MAX bytes; returns
 * how many it wrote. */
size_t trp_identify_observed_encode(const struct trp_multiaddr *address, uint8_t *out);
/* Reads one message without its length prefix *into* `message`, which starts zeroed: fields that it
 * has replace, lists append, as go sends one identify in several messages. Invalid addresses and
 * surplus of lists are left out. TRP_EMALFORMED; TRP_ETOOBIG for more than the arena holds;
 * `message` is untouched then. */
enum trp_status trp_identify_message_decode(struct trp_bytes in, struct trp_arena *arena,
                                            struct trp_identify_message *message) TRP_NODISCARD;

#endif
