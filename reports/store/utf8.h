/* SPDX-License-Identifier: MIT */
/* reports/store/utf8.h - texts of peers and users made safe to store and to show. */
#ifndef REPORTS_STORE_UTF8_H
#define REPORTS_STORE_UTF8_H

#include <troupe/base.h>

/* Whether it is well-formed UTF-8 without NUL, surrogates, or control characters other than tab and
 * newline. */
bool utf8_is_clean(struct trp_bytes text);
/* Copies at most `room` bytes of a clean form: each bad byte becomes U+FFFD. Gives the size; never
 * cuts a character. A room of three times the input holds any result. */
size_t utf8_clean(struct trp_bytes text, char *out, size_t room);

#endif
