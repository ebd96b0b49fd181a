/* SPDX-License-Identifier: MIT */
/* base/prng.h - keyed randomness: a draw is a function of (seed, entity, stream, counter).
 *
 * No draw moves another: adding one, or leaving one out, changes nothing else. Not for keys or
 * nonces; those come from crypto/drbg.h.
 * Spec       Philox4x64-10 (Salmon et al., SC'11), Random123 known-answer tests. */
#ifndef BASE_PRNG_H
#define BASE_PRNG_H

#include <troupe/base.h>

/* Draws 64 bits. `entity` is who (a host, a path, an actor), `stream` what for, `counter` the
 * how-manieth. */
uint64_t trp_draw(uint64_t seed, uint64_t entity, uint64_t stream, uint64_t counter);
/* The whole block of 256 bits behind it, for the known-answer test and for keys of simulations. */
void trp_philox(const uint64_t counter[4], const uint64_t key[2], uint64_t ret_block[4]);

/* Maps a draw to 0..bound-1 (bound > 0) by multiplication; bias below 2^-32 for 32-bit bounds. */
static inline uint32_t trp_draw_below(uint64_t draw, uint32_t bound)
{
    return (uint32_t)(((draw >> 32) * bound) >> 32);
}

/* Says whether a draw falls into a share given in millionths. */
static inline bool trp_draw_share(uint64_t draw, uint32_t share_ppm)
{
    return trp_draw_below(draw, 1000000) < share_ppm;
}

#endif
