/* SPDX-License-Identifier: MIT */
#include "crypto/sha256.h"

#include "crypto/crypto.h"

#include <sodium.h>

void trp_sha256(struct trp_bytes in, uint8_t ret_digest[TRP_SHA256_BYTES])
{
    crypto_hash_sha256(ret_digest, in.data, in.size);
}

void trp_sha256_two(struct trp_bytes first, struct trp_bytes second,
                    uint8_t ret_digest[TRP_SHA256_BYTES])
{
    crypto_hash_sha256_state state;
    crypto_hash_sha256_init(&state);
    crypto_hash_sha256_update(&state, first.data, first.size);
    crypto_hash_sha256_update(&state, second.data, second.size);
    crypto_hash_sha256_final(&state, ret_digest);
}

static void hmac_two(struct trp_bytes key, struct trp_bytes first, struct trp_bytes second,
                     uint8_t ret_mac[TRP_SHA256_BYTES])
{
    static const uint8_t nothing; /* libsodium wants a pointer even to no key */
    crypto_auth_hmacsha256_state state;
    crypto_auth_hmacsha256_init(&state, key.size == 0 ? &nothing : key.data, key.size);
    crypto_auth_hmacsha256_update(&state, first.data, first.size);
    crypto_auth_hmacsha256_update(&state, second.data, second.size);
    crypto_auth_hmacsha256_final(&state, ret_mac);
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
