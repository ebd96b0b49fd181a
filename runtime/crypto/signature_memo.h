/* SPDX-License-Identifier: MIT */
/* crypto/signature_memo.h - signatures that were found good, so that they are not checked again.
 *
 * A peer shows the same signature on every connection: of its Noise key, of its signed record.
 * What is remembered is a digest of key, message and signature, all three: whether they match is a
 * matter of these bytes alone, so that the memo changes no outcome, only what it costs.
 * Purity     No randomness, clock, I/O.
 * Limits     `max` of init; the one of use longest ago makes way.
 * Failure    Out of memory, a signature is not remembered. */
#ifndef CRYPTO_SIGNATURE_MEMO_H
#define CRYPTO_SIGNATURE_MEMO_H

#include "base/memory.h"
#include "crypto/keys.h"

#define TRP_SIGNATURE_MEMO_MAX 1024u /* of one node */

struct trp_signature_memo {
    struct trp_memory *memory; /* borrowed */
    struct trp_good_signature *signatures;
    uint32_t count;
    uint32_t max;
};

struct trp_signature_memo trp_signature_memo_init(struct trp_memory *memory, uint32_t max);
void trp_signature_memo_deinit(struct trp_signature_memo *memo);
/* As trp_public_key_verify. `memo` may be NULL: then nothing is remembered. */
enum trp_status trp_signature_memo_verify(struct trp_signature_memo *memo,
                                          const struct trp_public_key *key,
                                          struct trp_bytes message,
                                          struct trp_bytes signature) TRP_NODISCARD;

#endif
