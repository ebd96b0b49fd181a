/* SPDX-License-Identifier: MIT */
#include "scenarios/lang/scalar.h"

#include "lib/test.h"

static void reads_spans_exactly(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        trp_time ns;
    } cases[] = {{"0s", 0},
                 {"1ns", 1},
                 {"40ms", 40000000},
                 {"1.5s", 1500000000},
                 {"0.000000001s", 1},
                 {"1min30s", 90000000000},
                 {"1h 2min 3s", 3723000000000},
                 {"5 min", 300000000000},
                 {"2us", 2000},
                 {"2\xC2\xB5s", 2000},
                 {"2562047h", 9223369200000000000u}};
    struct lang_fault fault;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        trp_time ns = 0;
        assert_true(lang_span_read(trp_bytes_text(cases[i].text), &ns, &fault));
        assert_true(ns == cases[i].ns);
    }
}

static void refuses_spans_it_would_have_to_guess(void **state)
{
    (void)state;
    static const char *const texts[] = {"",
                                        "40",
                                        "s",
                                        "1.5",
                                        "-1s",
                                        "1,5s",
                                        "1.s",
                                        ".5s",
                                        "1e3s",
                                        "1m",
                                        "1.5ns",
                                        "2562048h",
                                        "1s ",
                                        " 1s",
                                        "1s  2s",
                                        "0x10s",
                                        "1s2",
                                        "1min-3s",
                                        "18446744073709551616ns",
                                        "99999999999999999999h"};
    struct lang_fault fault;
    trp_time ns;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        assert_false(lang_span_read(trp_bytes_text(texts[i]), &ns, &fault));
}

static void prints_spans_without_loss(void **state)
{
    (void)state;
    static const trp_time spans[] = {0,          1,           999,           1000,
                                     1500000000, 90000000000, 330000000000u, 3600000000000u,
                                     1234567891, INT64_MAX};
    for (size_t i = 0; i < sizeof spans / sizeof spans[0]; i++) {
        char text[LANG_SPAN_TEXT_MAX];
        struct lang_fault fault;
        trp_time again = 1;
        lang_span_print(spans[i], text);
        assert_true(lang_span_read(trp_bytes_text(text), &again, &fault));
        assert_true(again == spans[i]);
    }
    char text[LANG_SPAN_TEXT_MAX];
    lang_span_print(TRP_S(330), text);
    assert_string_equal(text, "5min30s");
    lang_number_print(999000, 1000000, text);
    assert_string_equal(text, "0.999");
    lang_number_print(2000000, 1000000, text);
    assert_string_equal(text, "2");
    lang_number_print(5, 1, text);
    assert_string_equal(text, "5");
    lang_number_print(UINT64_MAX, 1000000, text);
    assert_string_equal(text, "18446744073709.551615");
}

static void reads_shares_rates_and_sizes(void **state)
{
    (void)state;
    struct lang_fault fault;
    uint64_t value;
    assert_true(lang_share_read(trp_bytes_text("0.1%"), &value, &fault) && value == 1000);
    assert_true(lang_share_read(trp_bytes_text("0.999"), &value, &fault) && value == 999000);
    assert_true(lang_share_read(trp_bytes_text("100%"), &value, &fault) && value == 1000000);
    assert_true(lang_share_read(trp_bytes_text("1"), &value, &fault) && value == 1000000);
    assert_true(lang_share_read(trp_bytes_text("0.000001"), &value, &fault) && value == 1);
    assert_false(lang_share_read(trp_bytes_text("0.0000001"), &value, &fault));
    assert_false(lang_share_read(trp_bytes_text("2"), &value, &fault));
    assert_string_equal(fault.hint, "did you mean `2%`?");
    assert_false(lang_share_read(trp_bytes_text("%"), &value, &fault));
    assert_true(lang_rate_read(trp_bytes_text("20Mbit"), &value, &fault) && value == 20000000);
    assert_true(lang_rate_read(trp_bytes_text("1.5kbit/s"), &value, &fault) && value == 1500);
    assert_true(lang_rate_read(trp_bytes_text("unlimited"), &value, &fault) && value == 0);
    assert_false(lang_rate_read(trp_bytes_text("20Mbit20Mbit"), &value, &fault));
    assert_false(lang_rate_read(trp_bytes_text("0Mbit"), &value, &fault));
    assert_true(lang_size_read(trp_bytes_text("64KiB"), &value, &fault) && value == 65536);
    assert_true(lang_size_read(trp_bytes_text("0.5MB"), &value, &fault) && value == 500000);
    assert_false(lang_size_read(trp_bytes_text("0.3KiB"), &value, &fault));
    assert_true(
        lang_count_read(trp_bytes_text("18446744073709551615"), UINT64_MAX, &value, &fault) &&
        value == UINT64_MAX);
    assert_false(
        lang_count_read(trp_bytes_text("18446744073709551616"), UINT64_MAX, &value, &fault));
    assert_false(lang_count_read(trp_bytes_text("5"), 4, &value, &fault));
}

static void reads_every_distribution(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        struct trp_dist dist;
    } cases[] = {{"40ms", {TRP_DIST_CONST, 40000000, 0}},
                 {"uniform(0s, 30s)", {TRP_DIST_UNIFORM, 0, 30000000000}},
                 {"uniform( to = 30s , from = 1s )", {TRP_DIST_UNIFORM, 1000000000, 30000000000}},
                 {"normal(mean=50ms, sd=5ms)", {TRP_DIST_NORMAL, 50000000, 5000000}},
                 {"exp(500ms)", {TRP_DIST_EXP, 500000000, 0}},
                 {"lognormal(p50=40ms, p99=180ms)", {TRP_DIST_LOGNORMAL, 40000000, 180000000}},
                 {"lognormal(p99=180ms, 40ms)", {TRP_DIST_LOGNORMAL, 40000000, 180000000}},
                 {"pareto(min=10ms, shape=1.5)", {TRP_DIST_PARETO, 10000000, 1500}},
                 {"weibull(k=0.5, mean=10min)", {TRP_DIST_WEIBULL, 600000000000, 500}}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct lang_fault fault = {0};
        struct trp_dist dist = {0};
        assert_true(lang_dist_read(trp_bytes_text(cases[i].text), &dist, &fault));
        assert_int_equal(dist.kind, cases[i].dist.kind);
        assert_true(dist.a == cases[i].dist.a && dist.b == cases[i].dist.b);
    }
    static const char *const texts[] = {"exp()",
                                        "exp(0s)",
                                        "exp(,)",
                                        "exp(1s",
                                        "exp(1s))",
                                        "exp(1s,)",
                                        "expo(1s)",
                                        "exp",
                                        "(1s)",
                                        "uniform(2s, 1s)",
                                        "uniform(1s)",
                                        "pareto(1s, 0.01)",
                                        "weibull(0.5, mean=1s, mean=1s)",
                                        "exp(mean==1s)",
                                        "pareto(1s, 1.5001)",
                                        "lognormal(p50=2s, p99=1s)"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct lang_fault fault = {0};
        struct trp_dist dist;
        assert_false(lang_dist_read(trp_bytes_text(texts[i]), &dist, &fault));
        assert_true(fault.message[0] != '\0' && fault.offset <= strlen(texts[i]));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_spans_exactly),
        cmocka_unit_test(refuses_spans_it_would_have_to_guess),
        cmocka_unit_test(prints_spans_without_loss),
        cmocka_unit_test(reads_shares_rates_and_sizes),
        cmocka_unit_test(reads_every_distribution),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
