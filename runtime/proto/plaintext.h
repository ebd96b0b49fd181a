/* SPDX-License-Identifier: MIT */
/* proto/plaintext.h - identities exchanged in the clear, for the largest simulations.
 *
 * Spec       libp2p/specs plaintext/README.md: uvarint length, then Exchange{id=1, pubkey=2}.
 * Purity     No I/O, clock, randomness. Proves nothing: never offered on a real network.
 * Failure    Final and sticky. */
#ifndef PROTO_PLAINTEXT_H
#define PROTO_PLAINTEXT_H

#include "base/buffer.h"
#include "crypto/keys.h"

#include <troupe/peer_id.h>

#define TRP_PLAINTEXT_PROTOCOL "/plaintext/2.0.0"

struct trp_plaintext {
    struct trp_buffer rx;
    struct trp_buffer tx;
    struct trp_peer_id expected; /* size 0: anybody */
    struct trp_peer_id peer;
    struct trp_public_key key;
    enum trp_status outcome;
};

/* `identity` is only read. TRP_ENOMEM, after which deinit is still due. */
enum trp_status trp_plaintext_init(struct trp_plaintext *plaintext, struct trp_memory *memory,
                                   const struct trp_keypair *identity,
                                   const struct trp_peer_id *expected) TRP_NODISCARD;
void trp_plaintext_deinit(struct trp_plaintext *plaintext);
/* Reads up to the end of the exchange; what it leaves unused is the muxer's. TRP_EMALFORMED,
 * TRP_ETOOBIG, TRP_EAUTH (key and id do not belong together, or to the wrong peer), TRP_ENOMEM. */
enum trp_status trp_plaintext_recv(struct trp_plaintext *plaintext, struct trp_bytes in,
                                   size_t *ret_used) TRP_NODISCARD;
/* Appends what is to be sent. TRP_EFULL keeps the rest for later. The exchange is symmetric:
 * is_open may turn true before all of ours is sent. */
enum trp_status trp_plaintext_send(struct trp_plaintext *plaintext,
                                   struct trp_buffer *out) TRP_NODISCARD;
bool trp_plaintext_is_open(const struct trp_plaintext *plaintext);

#endif
