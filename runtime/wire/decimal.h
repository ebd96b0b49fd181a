/* SPDX-License-Identifier: MIT */
/* wire/decimal.h - binary floating numbers as the shortest decimal text that reads back the same.
 *
 * Works on the bits of the number in integers: the text is the same on every machine.
 * Spec       IEEE 754; Burger and Dybvig, Printing Floating-Point Numbers Quickly and Accurately,
 *            1996 (free-format algorithm). */
#ifndef WIRE_DECIMAL_H
#define WIRE_DECIMAL_H

#include <troupe/base.h>

#define TRP_DECIMAL_TEXT_MAX 32u

/* Writes a JSON number with its NUL, "null" for what is none (infinities, NaN), and returns its
 * length. */
size_t trp_decimal_f64(uint64_t bits, char ret_text[TRP_DECIMAL_TEXT_MAX]);
size_t trp_decimal_f32(uint32_t bits, char ret_text[TRP_DECIMAL_TEXT_MAX]);

#endif
