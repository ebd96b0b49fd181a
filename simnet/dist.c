/* SPDX-License-Identifier: MIT */
/* Every kind is sampled by its quantile function: a larger draw never gives a shorter span. */
#include <troupe/sim.h>

#include "simnet/fixed.h"

__extension__ typedef unsigned __int128 uint128;

#define SPAN_MAX ((uint64_t)INT64_MAX)
#define SHAPE    1000 /* shapes are given in thousandths */

/* -log2(1 - u) for u = draw / 2^64. */
static trp_fixed survival_bits(uint64_t draw)
{
    return 64 * TRP_FIXED_ONE - trp_fixed_log2(~draw | 1u);
}

static uint64_t sample_uniform(uint64_t a, uint64_t b, uint64_t draw)
{
    if (b <= a) {
        return a;
    }
    return a + (uint64_t)(((uint128)draw * ((uint128)(b - a) + 1)) >> 64);
}

static uint64_t sample_normal(uint64_t mean, uint64_t deviation, uint64_t draw)
{
    trp_fixed z = trp_fixed_probit(draw);
    uint64_t size = (uint64_t)(z < 0 ? -z : z);
    uint128 off = ((uint128)deviation * size) >> TRP_FIXED_BITS;
    if (z < 0) {
        return off >= mean ? 0 : mean - (uint64_t)off;
    }
    return off > SPAN_MAX - mean ? SPAN_MAX : mean + (uint64_t)off;
}

static uint64_t sample_exp(uint64_t mean, uint64_t draw)
{
    trp_fixed ln = trp_fixed_mul(survival_bits(draw), TRP_FIXED_LN2);
    uint128 span = ((uint128)mean * (uint64_t)ln) >> TRP_FIXED_BITS;
    return span > SPAN_MAX ? SPAN_MAX : (uint64_t)span;
}

static uint64_t sample_pareto(uint64_t minimum, uint64_t shape, uint64_t draw)
{
    if (shape == 0) {
        return minimum;
    }
    uint128 bits = (uint128)(uint64_t)survival_bits(draw) * SHAPE / shape;
    return bits > SPAN_MAX ? SPAN_MAX : trp_fixed_scale(minimum, (trp_fixed)bits);
}

static uint64_t sample_weibull(uint64_t mean, uint64_t shape, uint64_t draw)
{
    trp_fixed ln = trp_fixed_mul(survival_bits(draw), TRP_FIXED_LN2);
    if (shape == 0 || ln <= 0) {
        return shape == 0 ? mean : 0;
    }
    shape = shape > (uint64_t)1000 * SHAPE ? (uint64_t)1000 * SHAPE : shape;
    trp_fixed inverse = (trp_fixed)(SHAPE * (uint64_t)TRP_FIXED_ONE / shape);
    /* mean = scale * gamma(1 + 1/shape); the sample is scale * ln^(1/shape). */
    trp_fixed bits = trp_fixed_log2((uint64_t)ln) - TRP_FIXED_BITS * TRP_FIXED_ONE;
    trp_fixed gamma_bits = trp_fixed_div(trp_fixed_lngamma1(inverse), TRP_FIXED_LN2);
    return trp_fixed_scale(mean, trp_fixed_mul(bits, inverse) - gamma_bits);
}

trp_time trp_dist_sample(const struct trp_dist *dist, uint64_t draw)
{
    uint64_t a = dist->a < SPAN_MAX ? dist->a : SPAN_MAX;
    uint64_t b = dist->b < SPAN_MAX ? dist->b : SPAN_MAX;
    switch (dist->kind) {
    case TRP_DIST_CONST:
        return a;
    case TRP_DIST_UNIFORM:
        return sample_uniform(a, b, draw);
    case TRP_DIST_NORMAL:
        return sample_normal(a, b, draw);
    case TRP_DIST_EXP:
        return sample_exp(a, draw);
    case TRP_DIST_LOGNORMAL:
        return trp_fixed_lognormal(a, trp_fixed_lognormal_sigma(a, b), draw);
    case TRP_DIST_PARETO:
        return sample_pareto(a, b, draw);
    case TRP_DIST_WEIBULL:
        return sample_weibull(a, b, draw);
    }
    return a;
}
