/* SPDX-License-Identifier: MIT */
#include "crypto/x25519.h"

#include "base/assert.h"

#include <sodium.h>

void trp_x25519_public(const uint8_t secret[32], uint8_t ret_public[32])
{
    int result = crypto_scalarmult_curve25519_base(ret_public, secret);
    TRP_ASSERT(result == 0);
}

enum trp_status trp_x25519(const uint8_t secret[32], const uint8_t public_key[32],
                           uint8_t ret_shared[32])
{
    uint8_t shared[32];
    if (crypto_scalarmult_curve25519(shared, secret, public_key) != 0) {
        return TRP_EAUTH;
    }
    memcpy(ret_shared, shared, sizeof shared);
    sodium_memzero(shared, sizeof shared);
    return TRP_OK;
}
