/* SPDX-License-Identifier: MIT */
/* crypto/sha256.h - SHA-256, HMAC over it, and the key derivation of Noise.
 *
 * Spec       FIPS 180-4; RFC 2104; RFC 5869; Noise Protocol Framework rev. 34, 4.3. */
#ifndef CRYPTO_SHA256_H
#define CRYPTO_SHA256_H

#include <troupe/base.h>

#define TRP_SHA256_BYTES 32u

void trp_sha256(struct trp_bytes in, uint8_t ret_digest[TRP_SHA256_BYTES]);
/* Hashes two runs as if they were one. */
void trp_sha256_two(struct trp_bytes first, struct trp_bytes second,
                    uint8_t ret_digest[TRP_SHA256_BYTES]);
void trp_hmac_sha256(struct trp_bytes key, struct trp_bytes in, uint8_t ret_mac[TRP_SHA256_BYTES]);
/* HKDF with an empty `info`: the first 64 bytes of output, in two halves. This is Noise's
 * HKDF(chaining_key, input, 2). The outputs may be the salt's memory. */
void trp_hkdf_sha256(struct trp_bytes salt, struct trp_bytes input,
                     uint8_t ret_first[TRP_SHA256_BYTES], uint8_t ret_second[TRP_SHA256_BYTES]);

#endif
