/* SPDX-License-Identifier: MIT */
#include <troupe/actor_ref.h>

#define FNV_OFFSET 0xcbf29ce484222325ull
#define FNV_PRIME  0x100000001b3ull

uint64_t trp_actor_type_hash(struct trp_bytes type_id)
{
    uint64_t hash = FNV_OFFSET;
    for (size_t i = 0; i < type_id.size; i++) {
        hash = (hash ^ type_id.data[i]) * FNV_PRIME;
    }
    return hash == 0 ? 1 : hash;
}
