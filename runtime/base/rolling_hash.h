/* SPDX-License-Identifier: MIT */
/* base/rolling_hash.h - a fast 128-bit hash over a stream of values; the identity of a run.
 *
 * Not for security. Equal on every machine of either byte order. */
#ifndef BASE_ROLLING_HASH_H
#define BASE_ROLLING_HASH_H

#include <troupe/base.h>

void trp_hash_init(uint64_t hash[2]);
void trp_hash_u64(uint64_t hash[2], uint64_t value);
/* Hashes the length, then the bytes. */
void trp_hash_bytes(uint64_t hash[2], struct trp_bytes bytes);

#endif
