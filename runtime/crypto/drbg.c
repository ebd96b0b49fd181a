/* SPDX-License-Identifier: MIT */
#include "crypto/drbg.h"

#include "base/assert.h"
#include "crypto/sha256.h"

#include <sodium.h>

#define BLOCK_BYTES 64u

void trp_drbg_init(struct trp_drbg *drbg, const uint8_t seed[32], const char *purpose)
{
    trp_hmac_sha256(trp_bytes(seed, 32), trp_bytes_text(purpose), drbg->key);
}

/* The keystream of the key (nonce zero): its first 32 bytes are the next key, the rest is drawn. */
void trp_drbg_fill(struct trp_drbg *drbg, uint8_t *out, size_t size)
{
    static const uint8_t nonce[12] = {0};
    uint8_t block[BLOCK_BYTES];
    size_t head = BLOCK_BYTES - sizeof drbg->key;
    head = size < head ? size : head;
    TRP_ASSERT((size - head) / BLOCK_BYTES < UINT32_MAX - 1u); /* the block counter has 32 bits */
    crypto_stream_chacha20_ietf(block, sizeof block, nonce, drbg->key);
    if (size > head) {
        memset(out + head, 0, size - head);
        crypto_stream_chacha20_ietf_xor_ic(out + head, out + head, size - head, nonce, 1,
                                           drbg->key);
    }
    if (head > 0) {
        memcpy(out, block + sizeof drbg->key, head);
    }
    memcpy(drbg->key, block, sizeof drbg->key);
    sodium_memzero(block, sizeof block);
}
