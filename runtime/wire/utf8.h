/* SPDX-License-Identifier: MIT */
/* wire/utf8.h - is it text?
 *
 * Spec       RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF. */
#ifndef WIRE_UTF8_H
#define WIRE_UTF8_H

#include <troupe/base.h>

bool trp_utf8_is_valid(struct trp_bytes text);

#endif
