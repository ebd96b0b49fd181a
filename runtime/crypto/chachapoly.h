/* SPDX-License-Identifier: MIT */
/* crypto/chachapoly.h - authenticated encryption with ChaCha20 and Poly1305.
 *
 * Spec       RFC 8439, 2.8; the nonce as Noise forms it (rev. 34, 12.3): four zero bytes, then the
 *            counter, little-endian. */
#ifndef CRYPTO_CHACHAPOLY_H
#define CRYPTO_CHACHAPOLY_H

#include <troupe/base.h>

#define TRP_CHACHAPOLY_TAG_BYTES 16u

/* Writes plain.size + 16 bytes to `out`, which may be plain.data. */
void trp_chachapoly_seal(const uint8_t key[32], uint64_t nonce, struct trp_bytes ad,
                         struct trp_bytes plain, uint8_t *out);
/* Writes sealed.size - 16 bytes to `out`, which may be sealed.data. TRP_EAUTH (nothing is written)
 * when the tag does not match or is not there. */
enum trp_status trp_chachapoly_open(const uint8_t key[32], uint64_t nonce, struct trp_bytes ad,
                                    struct trp_bytes sealed, uint8_t *out) TRP_NODISCARD;

#endif
