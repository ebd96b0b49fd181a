/* SPDX-License-Identifier: MIT */
#include "lib/test.h"

#include "reports/render/figure.h"

static void spans_have_three_digits_and_a_unit(void **state)
{
    (void)state;
    const struct {
        double span_ns;
        const char *text;
    } cases[] = {{0, "0 s"},
                 {1, "1 ns"},
                 {999, "999 ns"},
                 {1234, "1.23 µs"},
                 {999.6e3, "1.00 ms"},
                 {41.23e6, "41.2 ms"},
                 {999.9e6, "1.00 s"},
                 {2.3149e9, "2.31 s"},
                 {59.4e9, "59.4 s"},
                 {59.8e9, "1 min"},
                 {90e9, "1 min 30 s"},
                 {3600e9, "1 h"},
                 {7500e9, "2 h 5 min"},
                 {200000e9, "2 d 7 h"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char out[FIGURE_MAX];
        assert_string_equal(figure_span(out, cases[i].span_ns), cases[i].text);
    }
}

static void moments_are_clock_times_of_the_run(void **state)
{
    (void)state;
    char out[FIGURE_MAX];
    assert_string_equal(figure_moment(out, 0), "0:00.000");
    assert_string_equal(figure_moment(out, TRP_MIN(3) + TRP_MS(4321)), "3:04.321");
    assert_string_equal(figure_moment(out, TRP_MIN(62) + TRP_S(3)), "1:02:03.000");
    assert_string_equal(figure_moment_short(out, TRP_MIN(3)), "3:00");
    assert_string_equal(figure_moment_short(out, TRP_MS(2500)), "0:02.5");
    assert_string_equal(figure_moment(out, UINT64_MAX), "5124095:34:33.709");
}

static void counts_and_bytes_are_grouped(void **state)
{
    (void)state;
    char out[FIGURE_MAX];
    assert_string_equal(figure_count(out, 0), "0");
    assert_string_equal(figure_count(out, 999), "999");
    assert_string_equal(figure_count(out, 1000), "1,000");
    assert_string_equal(figure_count(out, UINT64_MAX), "18,446,744,073,709,551,615");
    assert_string_equal(figure_bytes(out, 812), "812 B");
    assert_string_equal(figure_bytes(out, 4.1 * 1024 * 1024), "4.10 MiB");
    assert_string_equal(figure_bytes(out, 1e18), "909495 TiB");
}

static void shares_never_round_to_all_or_nothing(void **state)
{
    (void)state;
    char out[FIGURE_MAX];
    assert_string_equal(figure_share(out, 1), "100%");
    assert_string_equal(figure_share(out, 0), "0%");
    assert_string_equal(figure_share(out, 0.9999), ">99.9%");
    assert_string_equal(figure_share(out, 0.0001), "<0.1%");
    assert_string_equal(figure_share(out, 0.973), "97.3%");
}

static void values_follow_their_unit(void **state)
{
    (void)state;
    const struct {
        double value;
        const char *unit;
        const char *text;
    } cases[] = {{0.5, "ratio", "50%"},
                 {0.25, "s", "250 ms"},
                 {3, "ms", "3.00 ms"},
                 {2048, "bytes", "2.00 KiB"},
                 {12, "count", "12"},
                 {1.5, "count", "1.5"},
                 {1536, "bytes/s", "1.50 KiB/s"},
                 {7, "hops", "7 hops"},
                 {1e-7, NULL, "1e-07"},
                 {-3, NULL, "-3"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char out[FIGURE_MAX];
        assert_string_equal(figure_value(out, cases[i].value, cases[i].unit), cases[i].text);
    }
    char out[FIGURE_MAX];
    assert_non_null(figure_value(out, 1e300, "a unit with a very long name that is cut somewhere"));
    assert_in_range(strlen(out), 1, FIGURE_MAX - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(spans_have_three_digits_and_a_unit),
        cmocka_unit_test(moments_are_clock_times_of_the_run),
        cmocka_unit_test(counts_and_bytes_are_grouped),
        cmocka_unit_test(shares_never_round_to_all_or_nothing),
        cmocka_unit_test(values_follow_their_unit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
