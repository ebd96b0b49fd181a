/* SPDX-License-Identifier: MIT */
#include "proto/kad/key.h"

#include "crypto/sha256.h"

struct trp_kad_key trp_kad_key_of(struct trp_bytes preimage)
{
    uint8_t digest[TRP_SHA256_BYTES];
    trp_sha256(preimage, digest);
    return trp_kad_key_load(digest);
}
