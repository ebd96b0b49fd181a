/* SPDX-License-Identifier: MIT */
/* wire/peer_record.h - a peer's addresses, signed by itself.
 *
 * Spec       libp2p/specs RFC 0003, whose domain and payload type only rust-libp2p <= 0.56 uses;
 *            go, js, nim and py have others. We write the latter pair and accept both. */
#ifndef WIRE_PEER_RECORD_H
#define WIRE_PEER_RECORD_H

#include "crypto/keys.h"
#include "crypto/signature_memo.h"

#include <troupe/multiaddr.h>
#include <troupe/peer_id.h>

#define TRP_PEER_RECORD_ADDRESSES_MAX 16u
#define TRP_PEER_RECORD_BYTES_MAX     5120u /* sealed by an Ed25519 key */

struct trp_peer_record {
    struct trp_peer_id peer;
    uint64_t sequence; /* a later record replaces an earlier one */
    uint32_t addresses_count;
    struct trp_multiaddr addresses[TRP_PEER_RECORD_ADDRESSES_MAX];
};

/* Writes the record in an envelope of its own key. TRP_ETOOBIG. */
enum trp_status trp_peer_record_seal(const struct trp_keypair *keypair,
                                     const struct trp_peer_record *record, uint8_t *out,
                                     size_t room, size_t *ret_size) TRP_NODISCARD;
/* Reads and verifies one; `memo` may be NULL. TRP_EAUTH: the signature does not match, or it speaks
 * of another peer than its signer. TRP_EUNSUPPORTED: another payload type. TRP_EMALFORMED,
 * TRP_ETOOBIG. Addresses that do not parse and surplus ones are left out. */
enum trp_status trp_peer_record_open(struct trp_signature_memo *memo, struct trp_bytes in,
                                     struct trp_peer_record *ret_record) TRP_NODISCARD;

#endif
