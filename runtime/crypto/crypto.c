/* SPDX-License-Identifier: MIT */
#include "crypto/crypto.h"

#include <sodium.h>

void trp_crypto_init(void)
{
    /* A failure (-1) leaves the portable code in place, which is as correct. */
    (void)!sodium_init();
}

void trp_crypto_wipe(void *secret, size_t size)
{
    sodium_memzero(secret, size);
}
