/* SPDX-License-Identifier: MIT */
#include "crypto/chachapoly.h"

#include "base/assert.h"
#include "base/endian.h"

#include <sodium.h>

static void nonce_encode(uint64_t nonce, uint8_t out[12])
{
    memset(out, 0, 4);
    trp_store_le64(out + 4, nonce);
}

void trp_chachapoly_seal(const uint8_t key[32], uint64_t nonce, struct trp_bytes ad,
                         struct trp_bytes plain, uint8_t *out)
{
    uint8_t bytes[12];
    nonce_encode(nonce, bytes);
    int result = crypto_aead_chacha20poly1305_ietf_encrypt(out, NULL, plain.data, plain.size,
                                                           ad.data, ad.size, NULL, bytes, key);
    TRP_ASSERT(result == 0);
}

enum trp_status trp_chachapoly_open(const uint8_t key[32], uint64_t nonce, struct trp_bytes ad,
                                    struct trp_bytes sealed, uint8_t *out)
{
    if (sealed.size < TRP_CHACHAPOLY_TAG_BYTES) {
        return TRP_EAUTH;
    }
    uint8_t bytes[12];
    nonce_encode(nonce, bytes);
    int result = crypto_aead_chacha20poly1305_ietf_decrypt(
        out, NULL, NULL, sealed.data, sealed.size, ad.data, ad.size, bytes, key);
    return result == 0 ? TRP_OK : TRP_EAUTH;
}
