/* SPDX-License-Identifier: MIT */
/* wire/signed_envelope.h - a payload with its type, signed by a host key for one domain.
 *
 * Spec       libp2p/specs RFC 0002. Signed are domain, type and payload, each behind its uvarint
 *            length.
 * Ownership  Decoded slices borrow from the arena. */
#ifndef WIRE_SIGNED_ENVELOPE_H
#define WIRE_SIGNED_ENVELOPE_H

#include "crypto/keys.h"
#include "crypto/signature_memo.h"
#include "wire/arena.h"

#define TRP_SIGNED_ENVELOPE_PAYLOAD_MAX 8192u
#define TRP_SIGNED_ENVELOPE_ARENA_BYTES 32768u

struct trp_signed_envelope {
    struct trp_public_key key; /* who signed */
    struct trp_bytes payload_type;
    struct trp_bytes payload;
    struct trp_bytes signature;
};

/* What is sealed. */
struct trp_signed_content {
    struct trp_bytes domain;
    struct trp_bytes payload_type;
    struct trp_bytes payload;
};

/* Signs and writes an envelope. TRP_ETOOBIG. */
enum trp_status trp_signed_envelope_seal(const struct trp_keypair *keypair,
                                         const struct trp_signed_content *content, uint8_t *out,
                                         size_t room, size_t *ret_size) TRP_NODISCARD;
/* Reads an envelope; verifies nothing. TRP_EMALFORMED, TRP_ETOOBIG. */
enum trp_status trp_signed_envelope_decode(struct trp_bytes in, struct trp_arena *arena,
                                           struct trp_signed_envelope *ret_envelope) TRP_NODISCARD;
/* TRP_EAUTH when it was not signed by its key for `domain`; `memo` may be NULL. TRP_EMALFORMED,
 * TRP_ETOOBIG. */
enum trp_status trp_signed_envelope_verify(struct trp_signature_memo *memo,
                                           const struct trp_signed_envelope *envelope,
                                           struct trp_bytes domain) TRP_NODISCARD;

#endif
