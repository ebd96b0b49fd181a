/* SPDX-License-Identifier: MIT */
#include "simnet/fixed.h"

#include "base/assert.h"

__extension__ typedef __int128 int128;
__extension__ typedef unsigned __int128 uint128;

/* 2^(2^-i) for i = 1..40 with 62 bits after the point. */
static const uint64_t roots_of_two[TRP_FIXED_BITS] = {
    0x5a827999fcef3242ull, 0x4c1bf828c6dc54b8ull, 0x45cae0f1f545eb73ull, 0x42d561b3e6243d8aull,
    0x4166c34c5615d0ecull, 0x40b268f9de0183baull, 0x4058f6a7ecccd5b6ull, 0x402c6be96af2fb58ull,
    0x4016321b687027a8ull, 0x400b18178ba33b14ull, 0x40058bce410147e8ull, 0x4002c5d7bff71dafull,
    0x400162e807ee7e5bull, 0x4000b1730df6a524ull, 0x400058b9497b8152ull, 0x40002c5c955dd701ull,
    0x4000162e46d6f26cull, 0x40000b1722757b1bull, 0x4000058b90fd3e0cull, 0x400002c5c86f3f26ull,
    0x40000162e433c79bull, 0x400000b17218edd0ull, 0x40000058b90c3968ull, 0x4000002c5c860d54ull,
    0x400000162e4302d2ull, 0x4000000b17218073ull, 0x400000058b90bffcull, 0x40000002c5c85fefull,
    0x4000000162e42ff3ull, 0x40000000b17217f9ull, 0x4000000058b90bfcull, 0x400000002c5c85feull,
    0x40000000162e42ffull, 0x400000000b17217full, 0x40000000058b90c0ull, 0x4000000002c5c860ull,
    0x400000000162e430ull, 0x4000000000b17218ull, 0x400000000058b90cull, 0x40000000002c5c86ull,
};

trp_fixed trp_fixed_mul(trp_fixed a, trp_fixed b)
{
    return (trp_fixed)(((int128)a * b) >> TRP_FIXED_BITS);
}

trp_fixed trp_fixed_div(trp_fixed a, trp_fixed b)
{
    TRP_ASSERT(b != 0);
    return (trp_fixed)(((int128)a * TRP_FIXED_ONE) / b);
}

/* One bit of the result per squaring: m in [1, 2) becomes m^2, which carries the next bit. */
trp_fixed trp_fixed_log2(uint64_t x)
{
    if (x == 0) {
        return 0;
    }
    uint32_t zeros = (uint32_t)__builtin_clzll(x);
    uint64_t m = x << zeros; /* 63 bits after the point */
    uint64_t bits = 63u - zeros;
    for (uint32_t i = 0; i < TRP_FIXED_BITS; i++) {
        uint128 square = (uint128)m * m;
        uint64_t carry = (uint64_t)(square >> 127);
        m = (uint64_t)(square >> (63u + carry));
        bits = bits << 1 | carry;
    }
    return (trp_fixed)bits;
}

uint64_t trp_fixed_scale(uint64_t a, trp_fixed x)
{
    int64_t whole = x >> TRP_FIXED_BITS;
    uint64_t fraction = (uint64_t)x & (uint64_t)(TRP_FIXED_ONE - 1);
    uint64_t power = 1ull << 62;
    for (uint32_t i = 0; i < TRP_FIXED_BITS; i++) {
        if ((fraction >> (TRP_FIXED_BITS - 1u - i) & 1u) != 0) {
            power = (uint64_t)(((uint128)power * roots_of_two[i]) >> 62);
        }
    }
    uint128 product = (uint128)a * power; /* 62 bits after the point */
    if (whole < -64) {
        return 0;
    }
    if (whole <= 62) {
        product >>= (uint32_t)(62 - whole);
    } else if (whole > 126 || product >> (125u - (uint32_t)(whole - 62)) != 0) {
        return a == 0 ? 0 : INT64_MAX;
    } else {
        product <<= (uint32_t)(whole - 62);
    }
    return product > INT64_MAX ? INT64_MAX : (uint64_t)product;
}

trp_fixed trp_fixed_sqrt(trp_fixed x)
{
    uint128 rest = x <= 0 ? 0 : (uint128)(uint64_t)x << TRP_FIXED_BITS;
    uint128 root = 0;
    for (uint128 bit = (uint128)1 << 102; bit != 0; bit >>= 2) {
        if (rest >= root + bit) {
            rest -= root + bit;
            root = (root >> 1) + bit;
        } else {
            root >>= 1;
        }
    }
    return (trp_fixed)root;
}

/* Evaluates c[0] x^(count-1) + … + c[count-1]. */
static trp_fixed polynomial(const trp_fixed *c, uint32_t count, trp_fixed x)
{
    trp_fixed sum = c[0];
    for (uint32_t i = 1; i < count; i++) {
        sum = trp_fixed_mul(sum, x) + c[i];
    }
    return sum;
}

/* P. J. Acklam's rational approximation of the normal quantile. */
static const trp_fixed central_over[6] = {-43647126486026, 242932804329501, -303386605671354,
                                          152125956971009, -33716302037132, 2756066937579};
static const trp_fixed central_under[6] = {-59897104064522, 177665506509332, -171192838788807,
                                           73448819171239,  -14602263792188, TRP_FIXED_ONE};
static const trp_fixed tail_over[6] = {-8559581477,    -354478654370, -2639661641219,
                                       -2803460574727, 4809994091155, 3230545463290};
static const trp_fixed tail_under[5] = {8559363451, 354556357988, 2688453415261, 4128015979190,
                                        TRP_FIXED_ONE};
#define TAIL 0x6353f7ced916873ull /* 0.02425 of 2^64: below it the tail's formula holds */

/* The quantile of draw / 2^64 < 0.02425; negative. */
static trp_fixed probit_tail(uint64_t draw)
{
    trp_fixed ln = trp_fixed_mul(trp_fixed_log2(draw | 1u) - 64 * TRP_FIXED_ONE, TRP_FIXED_LN2);
    trp_fixed q = trp_fixed_sqrt(-2 * ln);
    return trp_fixed_div(polynomial(tail_over, 6, q), polynomial(tail_under, 5, q));
}

trp_fixed trp_fixed_probit(uint64_t draw)
{
    if (draw < TAIL) {
        return probit_tail(draw);
    }
    if (~draw < TAIL) {
        return -probit_tail(~draw);
    }
    trp_fixed q = (trp_fixed)(draw >> (64 - TRP_FIXED_BITS)) - TRP_FIXED_ONE / 2;
    trp_fixed r = trp_fixed_mul(q, q);
    return trp_fixed_div(trp_fixed_mul(polynomial(central_over, 6, r), q),
                         polynomial(central_under, 6, r));
}

#define Z_P99 ((trp_fixed)2557846537760) /* the standard normal's 99th percentile */

trp_fixed trp_fixed_lognormal_sigma(uint64_t median, uint64_t p99)
{
    if (median == 0 || p99 <= median) {
        return 0;
    }
    return trp_fixed_div(trp_fixed_log2(p99) - trp_fixed_log2(median), Z_P99);
}

uint64_t trp_fixed_lognormal(uint64_t median, trp_fixed sigma, uint64_t draw)
{
    return sigma == 0 ? median
                      : trp_fixed_scale(median, trp_fixed_mul(sigma, trp_fixed_probit(draw)));
}

/* The natural logarithm of a positive number. */
static trp_fixed fixed_ln(trp_fixed x)
{
    trp_fixed log2 = trp_fixed_log2((uint64_t)x) - TRP_FIXED_BITS * TRP_FIXED_ONE;
    return trp_fixed_mul(log2, TRP_FIXED_LN2);
}

/* Stirling's series at z = x + 9, where three terms suffice, then back by gamma(z + 1) = z
 * gamma(z). */
trp_fixed trp_fixed_lngamma1(trp_fixed x)
{
    const trp_fixed half_ln_2pi = 1010383602470;
    trp_fixed z = x + 9 * TRP_FIXED_ONE;
    trp_fixed inverse = trp_fixed_div(TRP_FIXED_ONE, z);
    trp_fixed square = trp_fixed_mul(inverse, inverse);
    trp_fixed series = 91625968981 - trp_fixed_mul(square, 3054198966) +
                       trp_fixed_mul(trp_fixed_mul(square, square), 872628276);
    trp_fixed sum = trp_fixed_mul(z - TRP_FIXED_ONE / 2, fixed_ln(z)) - z + half_ln_2pi +
                    trp_fixed_mul(inverse, series);
    for (trp_fixed i = 1; i <= 8; i++) {
        sum -= fixed_ln(x + i * TRP_FIXED_ONE);
    }
    return sum;
}
