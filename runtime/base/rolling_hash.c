/* SPDX-License-Identifier: MIT */
#include "base/rolling_hash.h"

#include "base/endian.h"

__extension__ typedef unsigned __int128 uint128;

static uint64_t mix(uint64_t a, uint64_t b)
{
    uint128 product = (uint128)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

void trp_hash_init(uint64_t hash[2])
{
    hash[0] = 0x243F6A8885A308D3ull;
    hash[1] = 0x13198A2E03707344ull;
}

void trp_hash_u64(uint64_t hash[2], uint64_t value)
{
    uint64_t first = mix(hash[0] ^ value ^ 0xA4093822299F31D0ull, 0x9E3779B97F4A7C15ull);
    uint64_t second = mix(hash[1] + value, 0xD6E8FEB86659FD93ull);
    hash[0] = first ^ (hash[1] << 23 | hash[1] >> 41);
    hash[1] = second + first;
}

void trp_hash_bytes(uint64_t hash[2], struct trp_bytes bytes)
{
    trp_hash_u64(hash, bytes.size);
    while (bytes.size >= 8) {
        trp_hash_u64(hash, trp_load_le64(bytes.data));
        bytes = trp_bytes_skip(bytes, 8);
    }
    if (bytes.size > 0) {
        uint8_t last[8] = {0};
        memcpy(last, bytes.data, bytes.size);
        trp_hash_u64(hash, trp_load_le64(last));
    }
}
