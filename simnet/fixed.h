/* SPDX-License-Identifier: MIT */
/* simnet/fixed.h - logarithm, power and the normal quantile in fixed point.
 *
 * Numbers are signed with 40 bits after the point (Q40) in 64 bits. Results are the same bits on
 * every machine and compiler: only integer operations, each of a written width.
 * Purity     Pure. */
#ifndef SIMNET_FIXED_H
#define SIMNET_FIXED_H

#include <troupe/base.h>

typedef int64_t trp_fixed;

#define TRP_FIXED_BITS 40
#define TRP_FIXED_ONE  ((trp_fixed)1 << TRP_FIXED_BITS)
#define TRP_FIXED_LN2  ((trp_fixed)762123384786)

/* a * b, rounded towards minus infinity. */
trp_fixed trp_fixed_mul(trp_fixed a, trp_fixed b);
/* a / b, rounded towards zero; b is not 0. */
trp_fixed trp_fixed_div(trp_fixed a, trp_fixed b);
/* The base-2 logarithm of an integer, 0 <= result <= 64; of 0 as of 1. Error below 2^-39. */
trp_fixed trp_fixed_log2(uint64_t x);
/* a * 2^x, saturated at INT64_MAX. Relative error below 2^-50. */
uint64_t trp_fixed_scale(uint64_t a, trp_fixed x);
/* The square root of a number that is not negative. */
trp_fixed trp_fixed_sqrt(trp_fixed x);
/* z such that a standard normal variable lies below it with probability draw / 2^64. Relative error
 * below 2e-9. */
trp_fixed trp_fixed_probit(uint64_t draw);
/* sigma of the base-2 logarithm of a lognormal variable with this median and 99th percentile; 0
 * where that is no spread. */
trp_fixed trp_fixed_lognormal_sigma(uint64_t median, uint64_t p99);
/* Its quantile at draw / 2^64. */
uint64_t trp_fixed_lognormal(uint64_t median, trp_fixed sigma, uint64_t draw);
/* ln(gamma(1 + x)) for 0 <= x <= 1000. Error below 1e-9 + 1e-11 of the result. */
trp_fixed trp_fixed_lngamma1(trp_fixed x);

#endif
