/* SPDX-License-Identifier: MIT */
/* crypto/x25519_memo.h - agreements whose two ends are in one process, as in a simulation: the
 * second end gets what the first has computed.
 *
 * X25519 of one's secret and the other's public key is a function of the two public keys, whichever
 * end computes it. A memo therefore changes no outcome, only what it costs. It keeps shared secrets
 * of many nodes in one place, which is why a node on a real network has none.
 * Purity     No randomness, clock, I/O, allocation.
 * Limits     TRP_X25519_MEMO_PLACES agreements wait for their second end; a later one of the same
 *            place takes it. */
#ifndef CRYPTO_X25519_MEMO_H
#define CRYPTO_X25519_MEMO_H

#include "crypto/x25519.h"

#define TRP_X25519_MEMO_PLACES 4096u

struct trp_x25519_agreement {
    bool is_taken;
    uint8_t publics[2][32]; /* in order */
    uint8_t shared[32];
};

/* All zero to begin with. */
struct trp_x25519_memo {
    struct trp_x25519_agreement places[TRP_X25519_MEMO_PLACES];
};

/* As trp_x25519; `own_public` is the public key of `own_secret`. `memo` may be NULL: then nothing
 * is remembered. */
enum trp_status trp_x25519_memo_agree(struct trp_x25519_memo *memo, const uint8_t own_secret[32],
                                      const uint8_t own_public[32], const uint8_t remote[32],
                                      uint8_t ret_shared[32]) TRP_NODISCARD;

#endif
