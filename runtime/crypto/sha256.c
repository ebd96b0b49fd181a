/* SPDX-License-Identifier: MIT */
#include "crypto/sha256.h"

#include "crypto/crypto.h"

#include <nettle/hmac.h>
#include <nettle/sha2.h>

static void update(struct sha256_ctx *state, struct trp_bytes in)
{
    if (in.size > 0) { /* else `data` may be NULL */
        sha256_update(state, in.size, in.data);
    }
}

void trp_sha256(struct trp_bytes in, uint8_t ret_digest[TRP_SHA256_BYTES])
{
    trp_sha256_two(in, TRP_BYTES_NONE, ret_digest);
}

void trp_sha256_two(struct trp_bytes first, struct trp_bytes second,
                    uint8_t ret_digest[TRP_SHA256_BYTES])
{
    struct sha256_ctx state;
    sha256_init(&state);
    update(&state, first);
    update(&state, second);
    sha256_digest(&state, TRP_SHA256_BYTES, ret_digest);
}

static void hmac_two(struct trp_bytes key, struct trp_bytes first, struct trp_bytes second,
                     uint8_t ret_mac[TRP_SHA256_BYTES])
{
    static const uint8_t nothing; /* memory of size 0 may be anywhere, but not NULL */
    struct hmac_sha256_ctx state;
    hmac_sha256_set_key(&state, key.size, key.size == 0 ? &nothing : key.data);
    hmac_sha256_update(&state, first.size, first.size == 0 ? &nothing : first.data);
    hmac_sha256_update(&state, second.size, second.size == 0 ? &nothing : second.data);
    hmac_sha256_digest(&state, TRP_SHA256_BYTES, ret_mac);
    trp_crypto_wipe(&state, sizeof state);
}

void trp_hmac_sha256(struct trp_bytes key, struct trp_bytes in, uint8_t ret_mac[TRP_SHA256_BYTES])
{
    hmac_two(key, in, TRP_BYTES_NONE, ret_mac);
}

void trp_hkdf_sha256(struct trp_bytes salt, struct trp_bytes input,
                     uint8_t ret_first[TRP_SHA256_BYTES], uint8_t ret_second[TRP_SHA256_BYTES])
{
    static const uint8_t counters[2] = {1, 2};
    uint8_t extracted[TRP_SHA256_BYTES];
    hmac_two(salt, input, TRP_BYTES_NONE, extracted);
    struct trp_bytes key = trp_bytes(extracted, sizeof extracted);
    hmac_two(key, trp_bytes(&counters[0], 1), TRP_BYTES_NONE, ret_first);
    hmac_two(key, trp_bytes(ret_first, TRP_SHA256_BYTES), trp_bytes(&counters[1], 1), ret_second);
    trp_crypto_wipe(extracted, sizeof extracted);
}
