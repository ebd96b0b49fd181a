/* SPDX-License-Identifier: MIT */
/* lib/test.h - cmocka with the headers it wants before it. */
#ifndef LIB_TEST_H
#define LIB_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <troupe/base.h>

/* Fails with the status names when they differ. */
#define assert_status(actual, expected)                                                            \
    assert_string_equal(trp_status_name(actual), trp_status_name(expected))

/* Decodes lower-case hexadecimal of at most `room` bytes; returns how many. */
static inline size_t test_unhex(const char *hex, uint8_t *out, size_t room)
{
    size_t size = strlen(hex) / 2;
    assert_true(strlen(hex) % 2 == 0 && size <= room);
    for (size_t i = 0; i < size; i++) {
        unsigned value = 0;
        for (size_t k = 0; k < 2; k++) {
            char c = hex[2 * i + k];
            assert_true((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'));
            value = value << 4 | (unsigned)(c <= '9' ? c - '0' : c - 'a' + 10);
        }
        out[i] = (uint8_t)value;
    }
    return size;
}

#endif
