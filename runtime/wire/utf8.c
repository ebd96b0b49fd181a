/* SPDX-License-Identifier: MIT */
#include "wire/utf8.h"

/* Gives how many bytes a character takes that starts with `first`, and what its second byte may be;
 * 0 when nothing starts so. RFC 3629, 4. */
static size_t character_size(uint8_t first, uint8_t *ret_low, uint8_t *ret_high)
{
    *ret_low = 0x80;
    *ret_high = 0xbf;
    if (first < 0x80) {
        return 1;
    }
    if (first < 0xc2 || first > 0xf4) {
        return 0;
    }
    if (first < 0xe0) {
        return 2;
    }
    if (first == 0xe0) {
        *ret_low = 0xa0; /* else overlong */
    } else if (first == 0xed) {
        *ret_high = 0x9f; /* else a surrogate */
    } else if (first == 0xf0) {
        *ret_low = 0x90; /* else overlong */
    } else if (first == 0xf4) {
        *ret_high = 0x8f; /* else above U+10FFFF */
    }
    return first < 0xf0 ? 3 : 4;
}

bool trp_utf8_is_valid(struct trp_bytes text)
{
    for (size_t at = 0; at < text.size;) {
        uint8_t low;
        uint8_t high;
        size_t size = character_size(text.data[at], &low, &high);
        if (size == 0 || size > text.size - at) {
            return false;
        }
        if (size > 1 && (text.data[at + 1] < low || text.data[at + 1] > high)) {
            return false;
        }
        for (size_t i = 2; i < size; i++) {
            if ((text.data[at + i] & 0xc0) != 0x80) {
                return false;
            }
        }
        at += size;
    }
    return true;
}

size_t trp_utf8_encode(uint32_t point, uint8_t ret_bytes[TRP_UTF8_BYTES_MAX])
{
    static const uint8_t firsts[] = {0, 0, 0xc0, 0xe0, 0xf0}; /* by size */
    size_t size = point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
    if (point > 0x10ffff || (point >= 0xd800 && point < 0xe000)) {
        return 0;
    }
    for (size_t i = size; i-- > 1; point >>= 6) {
        ret_bytes[i] = (uint8_t)(0x80 | (point & 0x3f));
    }
    ret_bytes[0] = (uint8_t)(firsts[size] | point);
    return size;
}

bool trp_utf8_decode_one(struct trp_bytes text, uint32_t *ret_point)
{
    uint8_t low;
    uint8_t high;
    if (text.size == 0 || text.size != character_size(text.data[0], &low, &high) ||
        !trp_utf8_is_valid(text)) {
        return false;
    }
    uint32_t point = text.size == 1 ? text.data[0] : text.data[0] & (0x7fu >> text.size);
    for (size_t i = 1; i < text.size; i++) {
        point = point << 6 | (text.data[i] & 0x3fu);
    }
    *ret_point = point;
    return true;
}
