/* SPDX-License-Identifier: MIT */
/* crypto/crypto.h - making ready, and wiping.
 *
 * Everything in this directory gives the same results whether or not trp_crypto_init was called: it
 * only lets libsodium choose the vectorised code of this processor, several times as fast.
 * libsodium also asks the system for a canary of its guarded heap then; that heap is not used here,
 * so no byte of it reaches a node.
 * Purity     No randomness, clock, I/O. GnuTLS and libsodium allocate small things from the
 *            process's heap while an RSA or ECDSA signature is checked. */
#ifndef CRYPTO_CRYPTO_H
#define CRYPTO_CRYPTO_H

#include <troupe/base.h>

/* Chooses the fastest code. Any number of times, from any thread; trp_node_open calls it. */
void trp_crypto_init(void);
/* Overwrites a secret in a way that no compiler leaves out. */
void trp_crypto_wipe(void *secret, size_t size);

#endif
