/* SPDX-License-Identifier: MIT */
/* crypto/drbg.h - cryptographic randomness of a node: ChaCha20 with fast key erasure.
 *
 * Seeded once by the driver: OS entropy on a real machine, the run's seed in a simulation. Each
 * draw overwrites the key, so that a stolen state reveals nothing drawn before. */
#ifndef CRYPTO_DRBG_H
#define CRYPTO_DRBG_H

#include <troupe/base.h>

struct trp_drbg {
    uint8_t key[32];
};

/* Derives a generator of its own for a purpose ("noise", "identity"): HMAC-SHA256(seed, purpose).
 */
void trp_drbg_init(struct trp_drbg *drbg, const uint8_t seed[32], const char *purpose);
void trp_drbg_fill(struct trp_drbg *drbg, uint8_t *out, size_t size);

#endif
