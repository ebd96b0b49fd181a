/* SPDX-License-Identifier: MIT */
#include <troupe/sim.h>

#include "base/prng.h"
#include "base/rolling_hash.h"
#include "lib/test.h"
#include "simnet/fixed.h"

#define KINDS 7

static const struct trp_dist dists[KINDS] = {
    {TRP_DIST_UNIFORM, 1000, 1000000000000}, {TRP_DIST_NORMAL, 100000000000, 10000000000},
    {TRP_DIST_EXP, 1000000000000, 0},        {TRP_DIST_LOGNORMAL, 40000000, 180000000},
    {TRP_DIST_PARETO, 1000000000, 1500},     {TRP_DIST_WEIBULL, 600000000000, 500},
    {TRP_DIST_WEIBULL, 600000000000, 1700},
};

/* Quantiles at 0.001 0.01 0.1 0.25 0.5 0.75 0.9 0.99 0.999 0.999999, by arithmetic of 200 bits. */
static const struct {
    uint64_t draw;
    uint64_t spans[KINDS];
} quantiles[] = {
    {0x004189374bc6a7efull,
     {1000000999ull, 69097676938ull, 1000500333ull, 5424469ull, 1000667222ull, 300300ull,
      11563499187ull}},
    {0x028f5c28f5c28f5cull,
     {10000000990ull, 76736521259ull, 10050335853ull, 8888888ull, 1006722720ull, 30302775ull,
      44924109018ull}},
    {0x1999999999999999ull,
     {100000000900ull, 87184484344ull, 105360515657ull, 17466851ull, 1072765982ull, 3330251477ull,
      178966609007ull}},
    {0x4000000000000000ull,
     {250000000750ull, 93255102498ull, 287682072451ull, 25862517ull, 1211413728ull, 24828292443ull,
      323132604142ull}},
    {0x8000000000000000ull,
     {500000000500ull, 100000000000ull, 693147180559ull, 40000000ull, 1587401051ull,
      144135904175ull, 542044931581ull}},
    {0xc000000000000000ull,
     {750000000250ull, 106744897501ull, 1386294361119ull, 61865593ull, 2519842099ull,
      576543616701ull, 814913956829ull}},
    {0xe666666666666666ull,
     {900000000100ull, 112815515655ull, 2302585092994ull, 91602086ull, 4641588833ull,
      1590569433143ull, 1098336513785ull}},
    {0xfd70a3d70a3d70a3ull,
     {990000000010ull, 123263478740ull, 4605170185988ull, 179999999ull, 21544346900ull,
      6362277732574ull, 1651246422997ull}},
    {0xffbe76c8b4395810ull,
     {999000000001ull, 130902323061ull, 6907755278982ull, 294959729ull, 99999999999ull,
      14315124898291ull, 2096017881632ull}},
    {0xffffef39085f4a12ull,
     {999999000001ull, 147534243088ull, 13815510557964ull, 864506920ull, 9999999999999ull,
      57260499593166ull, 3151167229846ull}},
};

static void matches_known_quantiles(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof quantiles / sizeof quantiles[0]; i++) {
        for (size_t k = 0; k < KINDS; k++) {
            uint64_t want = quantiles[i].spans[k];
            uint64_t got = trp_dist_sample(&dists[k], quantiles[i].draw);
            uint64_t off = got > want ? got - want : want - got;
            if (off > want / 100000000 + 2) {
                fail_msg("kind %zu at quantile %zu: %llu, not %llu", k, i, (unsigned long long)got,
                         (unsigned long long)want);
            }
        }
    }
}

static void never_falls_as_the_draw_grows(void **state)
{
    (void)state;
    for (size_t k = 0; k < KINDS; k++) {
        trp_time last = 0;
        for (uint64_t i = 0; i < 4096; i++) {
            trp_time span = trp_dist_sample(&dists[k], i << 52 | 0xfffffffffffffull);
            assert_true(span >= last);
            last = span;
        }
    }
}

/* The mean of evenly spread quantiles, without the last: its share of a heavy tail is large. */
static void has_the_mean_it_is_given(void **state)
{
    (void)state;
    const struct trp_dist *with_mean[] = {&dists[1], &dists[2], &dists[6]};
    const uint64_t means[] = {100000000000, 1000000000000, 600000000000};
    for (size_t k = 0; k < 3; k++) {
        uint64_t sum = 0;
        for (uint64_t i = 0; i < 65536; i++) {
            sum += trp_dist_sample(with_mean[k], i << 48 | 0x800000000000ull) / 65536;
        }
        assert_true(sum > means[k] / 1000 * 998 && sum < means[k] / 1000 * 1002);
    }
}

/* Every bit of a hundred thousand samples: equal on each machine, compiler and flag. */
static void gives_the_same_bits_everywhere(void **state)
{
    (void)state;
    uint64_t hash[2];
    trp_hash_init(hash);
    for (uint64_t i = 0; i < 100000; i++) {
        trp_hash_u64(hash, trp_dist_sample(&dists[i % KINDS], trp_draw(1, 2, 3, i)));
    }
    assert_true(hash[0] == 0xdf0abcb53fb0ddb4ull);
    assert_true(hash[1] == 0x8bb8c79ba2414e46ull);
}

static void bears_extremes(void **state)
{
    (void)state;
    const uint64_t edges[] = {0, 1, 2, 999, INT64_MAX, UINT64_MAX};
    for (int kind = TRP_DIST_CONST; kind <= TRP_DIST_WEIBULL; kind++) {
        for (size_t a = 0; a < 6; a++) {
            for (size_t b = 0; b < 6; b++) {
                const struct trp_dist dist = {(enum trp_dist_kind)kind, edges[a], edges[b]};
                for (size_t i = 0; i < 6; i++) {
                    assert_true(trp_dist_sample(&dist, edges[i]) <= INT64_MAX);
                }
            }
        }
    }
    const struct trp_dist exp_mean = {TRP_DIST_EXP, TRP_S(1), 0};
    assert_int_equal(trp_dist_sample(&exp_mean, 0), 0);
    assert_int_equal(trp_dist_sample(&exp_mean, UINT64_MAX) / TRP_S(1), 44); /* 64 ln 2 */
    const struct trp_dist uniform = {TRP_DIST_UNIFORM, 5, 6};
    assert_int_equal(trp_dist_sample(&uniform, 0), 5);
    assert_int_equal(trp_dist_sample(&uniform, UINT64_MAX), 6);
}

static void computes_in_fixed_point(void **state)
{
    (void)state;
    assert_int_equal(trp_fixed_log2(1), 0);
    assert_int_equal(trp_fixed_log2(1ull << 40), 40 * TRP_FIXED_ONE);
    assert_int_equal(trp_fixed_sqrt(9 * TRP_FIXED_ONE), 3 * TRP_FIXED_ONE);
    assert_int_equal(trp_fixed_scale(1000, 3 * TRP_FIXED_ONE), 8000);
    assert_int_equal(trp_fixed_scale(1000, -3 * TRP_FIXED_ONE), 125);
    assert_int_equal(trp_fixed_scale(3, 63 * TRP_FIXED_ONE), INT64_MAX);
    /* gamma(1 + 4) = 24, gamma(1 + 0) = 1; ln 24 = 3.17805383034794... */
    trp_fixed ln24 = trp_fixed_lngamma1(4 * TRP_FIXED_ONE);
    assert_true(ln24 > 3494307140000 && ln24 < 3494307150000);
    trp_fixed ln1 = trp_fixed_lngamma1(0);
    assert_true(ln1 > -2000 && ln1 < 2000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(matches_known_quantiles),
        cmocka_unit_test(never_falls_as_the_draw_grows),
        cmocka_unit_test(has_the_mean_it_is_given),
        cmocka_unit_test(gives_the_same_bits_everywhere),
        cmocka_unit_test(bears_extremes),
        cmocka_unit_test(computes_in_fixed_point),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
