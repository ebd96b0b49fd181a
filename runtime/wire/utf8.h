/* SPDX-License-Identifier: MIT */
/* wire/utf8.h - is it text, and its characters.
 *
 * Spec       RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF. */
#ifndef WIRE_UTF8_H
#define WIRE_UTF8_H

#include <troupe/base.h>

#define TRP_UTF8_BYTES_MAX 4u /* of one character */

bool trp_utf8_is_valid(struct trp_bytes text);
/* Writes a code point; gives its bytes, 0 for what is none. */
size_t trp_utf8_encode(uint32_t point, uint8_t ret_bytes[TRP_UTF8_BYTES_MAX]);
/* Reads a text of exactly one character; false for any other. */
bool trp_utf8_decode_one(struct trp_bytes text, uint32_t *ret_point);

#endif
