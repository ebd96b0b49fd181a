/* SPDX-License-Identifier: MIT */
#include "reports/store/utf8.h"

/* Whether a character of `length` bytes may stand for this code. */
static bool is_admitted(uint32_t code, size_t length)
{
    static const uint32_t least[] = {0, 0, 0xa0, 0x800, 0x10000};
    return code >= least[length] && code <= 0x10ffff && (code < 0xd800 || code >= 0xe000);
}

static bool is_plain(uint8_t byte)
{
    return (byte >= 0x20 && byte < 0x7f) || byte == '\t' || byte == '\n';
}

/* Gives the length of the clean character at the front, 0 when there is none. */
static size_t character(const uint8_t *at, size_t size)
{
    if (at[0] < 0x80) {
        return is_plain(at[0]) ? 1 : 0;
    }
    size_t length = at[0] >= 0xf0 ? 4 : at[0] >= 0xe0 ? 3 : 2;
    if (at[0] < 0xc2 || at[0] > 0xf4 || length > size) {
        return 0;
    }
    uint32_t code = at[0] & (0x7fu >> length);
    for (size_t i = 1; i < length; i++) {
        if ((at[i] & 0xc0u) != 0x80) {
            return 0;
        }
        code = code << 6 | (at[i] & 0x3fu);
    }
    return is_admitted(code, length) ? length : 0;
}

bool utf8_is_clean(struct trp_bytes text)
{
    while (text.size > 0) {
        size_t length = character(text.data, text.size);
        if (length == 0) {
            return false;
        }
        text = trp_bytes_skip(text, length);
    }
    return true;
}

size_t utf8_clean(struct trp_bytes text, char *out, size_t room)
{
    static const char replacement[] = "\xef\xbf\xbd";
    size_t size = 0;
    while (text.size > 0) {
        size_t length = character(text.data, text.size);
        const void *from = length == 0 ? (const void *)replacement : text.data;
        size_t written = length == 0 ? 3 : length;
        if (written > room - size) {
            break;
        }
        memcpy(out + size, from, written);
        size += written;
        text = trp_bytes_skip(text, length == 0 ? 1 : length);
    }
    return size;
}
