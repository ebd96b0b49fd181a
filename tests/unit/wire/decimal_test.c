/* SPDX-License-Identifier: MIT */
#include "base/prng.h"
#include "lib/test.h"
#include "wire/decimal.h"

#include <stdio.h>
#include <stdlib.h>

static uint64_t bits_of(double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static void known_numbers(void **state)
{
    (void)state;
    static const struct {
        double value;
        const char *text;
    } cases[] = {
        {0.0, "0.0"},
        {-0.0, "-0.0"},
        {1.0, "1.0"},
        {-1.5, "-1.5"},
        {0.1, "0.1"},
        {0.3, "0.3"},
        {100.0, "100.0"},
        {123456.789, "123456.789"},
        {1e16, "10000000000000000.0"},
        {1e17, "1.0e+17"},
        {0.00001, "0.00001"},
        {0.000001, "1.0e-06"},
        {1.7976931348623157e308, "1.7976931348623157e+308"},
        {2.2250738585072014e-308, "2.2250738585072014e-308"},
        {5e-324, "5.0e-324"},
        {9007199254740992.0, "9007199254740992.0"}, /* 2^53: the gap below is half as wide */
        {9.5e-5, "0.000095"},
        {2e-44, "2.0e-44"},
        {4.35, "4.35"},
        {1e23, "1.0e+23"},     /* halfway between two numbers */
        {4.75e21, "4.75e+21"}, /* and so is this, above the lower of them */
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[TRP_DECIMAL_TEXT_MAX];
        assert_int_equal(trp_decimal_f64(bits_of(cases[i].value), text), strlen(cases[i].text));
        assert_string_equal(text, cases[i].text);
    }
    char text[TRP_DECIMAL_TEXT_MAX];
    assert_int_equal(trp_decimal_f64(UINT64_C(0x7ff0000000000000), text), 4);
    assert_string_equal(text, "null");
    (void)trp_decimal_f64(UINT64_C(0xfff8000000000000), text);
    assert_string_equal(text, "null");
    (void)trp_decimal_f32(0x7f800000, text);
    assert_string_equal(text, "null");
    (void)trp_decimal_f32(0x3dcccccd, text);
    assert_string_equal(text, "0.1");
    (void)trp_decimal_f32(1, text);
    assert_string_equal(text, "1.0e-45");
    (void)trp_decimal_f32(0x7f7fffff, text);
    assert_string_equal(text, "3.4028235e+38");
}

static unsigned digits_of(const char *text)
{
    unsigned count = 0;
    unsigned zeros = 0; /* at the end, which carry nothing */
    for (; *text != '\0' && *text != 'e'; text++) {
        if (*text >= '1' && *text <= '9') {
            count += zeros + 1;
            zeros = 0;
        } else if (*text == '0' && count > 0) {
            zeros++;
        }
    }
    return count;
}

/* The C library reads each text back as the same bits, and can do it with no fewer digits. */
static void keyed_numbers_read_back_the_same_and_are_shortest(void **state)
{
    (void)state;
    for (uint64_t i = 0; i < 3000; i++) {
        uint64_t bits = trp_draw(17, i, 0, 0);
        if (i % 4 == 0) {
            bits = bits_of((double)(int64_t)(bits % 100000000) / 1000.0);
        } else if (i % 4 == 1) {
            bits &= ~((UINT64_C(1) << 52) - 1); /* powers of two */
        }
        char text[TRP_DECIMAL_TEXT_MAX];
        size_t size = trp_decimal_f64(bits, text);
        assert_int_equal(size, strlen(text));
        if ((bits >> 52 & 0x7ff) == 0x7ff) {
            continue;
        }
        double value = strtod(text, NULL);
        assert_true(bits_of(value) == bits);
        unsigned digits = digits_of(text);
        if (digits > 1) {
            char shorter[64];
            (void)snprintf(shorter, sizeof shorter, "%.*e", (int)digits - 2, value);
            assert_true(bits_of(strtod(shorter, NULL)) != bits);
        }
        uint32_t narrow = (uint32_t)trp_draw(17, i, 1, 0);
        if ((narrow >> 23 & 0xff) != 0xff) {
            (void)trp_decimal_f32(narrow, text);
            float read = strtof(text, NULL);
            uint32_t read_bits;
            memcpy(&read_bits, &read, sizeof read_bits);
            assert_int_equal(read_bits, narrow);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_numbers),
        cmocka_unit_test(keyed_numbers_read_back_the_same_and_are_shortest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
