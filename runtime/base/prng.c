/* SPDX-License-Identifier: MIT */
#include "base/prng.h"

__extension__ typedef unsigned __int128 uint128;

#define ROUNDS 10

void trp_philox(const uint64_t counter[4], const uint64_t key[2], uint64_t ret_block[4])
{
    uint64_t x0 = counter[0];
    uint64_t x1 = counter[1];
    uint64_t x2 = counter[2];
    uint64_t x3 = counter[3];
    uint64_t k0 = key[0];
    uint64_t k1 = key[1];
    for (int round = 0; round < ROUNDS; round++) {
        uint128 p0 = (uint128)0xD2E7470EE14C6C93ull * x0;
        uint128 p1 = (uint128)0xCA5A826395121157ull * x2;
        uint64_t y0 = (uint64_t)(p1 >> 64) ^ x1 ^ k0;
        uint64_t y2 = (uint64_t)(p0 >> 64) ^ x3 ^ k1;
        x1 = (uint64_t)p1;
        x3 = (uint64_t)p0;
        x0 = y0;
        x2 = y2;
        k0 += 0x9E3779B97F4A7C15ull;
        k1 += 0xBB67AE8584CAA73Bull;
    }
    ret_block[0] = x0;
    ret_block[1] = x1;
    ret_block[2] = x2;
    ret_block[3] = x3;
}

uint64_t trp_draw(uint64_t seed, uint64_t entity, uint64_t stream, uint64_t counter)
{
    uint64_t block[4];
    trp_philox((const uint64_t[4]){counter, stream, entity, 0}, (const uint64_t[2]){seed, 0},
               block);
    return block[0];
}
