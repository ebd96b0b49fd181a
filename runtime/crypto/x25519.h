/* SPDX-License-Identifier: MIT */
/* crypto/x25519.h - Diffie-Hellman on Curve25519.
 *
 * Spec       RFC 7748 */
#ifndef CRYPTO_X25519_H
#define CRYPTO_X25519_H

#include <troupe/base.h>

/* Gives the public key of a secret; any 32 bytes are a secret. */
void trp_x25519_public(const uint8_t secret[32], uint8_t ret_public[32]);
/* Gives the shared secret. TRP_EAUTH when the other's key is of small order, so that the result
 * would not depend on ours (RFC 7748, 6.1). */
enum trp_status trp_x25519(const uint8_t secret[32], const uint8_t public_key[32],
                           uint8_t ret_shared[32]) TRP_NODISCARD;

#endif
