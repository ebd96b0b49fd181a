/* SPDX-License-Identifier: MIT */
#include "scenarios/cli/json_args.h"

#include "wire/msgpack_writer.h"
#include "wire/utf8.h"

#include <math.h>
#include <stdlib.h>

#define DEPTH_MAX  128u
#define HEAD_BYTES 5u /* the longest of a text, an array, a map */

struct reader {
    const char *text;
    size_t at;
    uint32_t depth;
    struct trp_msgpack_writer out;
};

static char next(const struct reader *reader)
{
    return reader->text[reader->at];
}

static void skip_space(struct reader *reader)
{
    reader->at += strspn(reader->text + reader->at, " \t\r\n");
}

static bool take(struct reader *reader, const char *word)
{
    size_t size = strlen(word);
    if (strncmp(reader->text + reader->at, word, size) != 0) {
        return false;
    }
    reader->at += size;
    return true;
}

static bool is_full(const struct reader *reader)
{
    return reader->out.size > reader->out.room;
}

/* ---- what has its size in front ---- */

/* Leaves room for a head; gives where. */
static size_t leave_head(struct reader *reader)
{
    static const uint8_t unknown[HEAD_BYTES];
    size_t begin = reader->out.size;
    trp_msgpack_put(&reader->out, unknown, sizeof unknown);
    return begin;
}

typedef void (*put_head)(struct trp_msgpack_writer *writer, uint64_t count);

/* Writes the head of what was written since, and closes the gap. */
static enum trp_status fill_head(struct reader *reader, size_t begin, put_head put, uint64_t count)
{
    struct trp_msgpack_writer *out = &reader->out;
    if (is_full(reader)) {
        return TRP_ETOOBIG;
    }
    size_t content = out->size - begin - HEAD_BYTES;
    struct trp_msgpack_writer head = {.out = out->out + begin, .room = HEAD_BYTES};
    put(&head, count);
    memmove(out->out + begin + head.size, out->out + begin + HEAD_BYTES, content);
    out->size = begin + head.size + content;
    return TRP_OK;
}

/* ---- texts ---- */

static bool take_hex4(struct reader *reader, uint32_t *ret_unit)
{
    char digits[5] = {0};
    if (strspn(reader->text + reader->at, "0123456789abcdefABCDEF") < 4) {
        return false;
    }
    memcpy(digits, reader->text + reader->at, 4);
    *ret_unit = (uint32_t)strtoul(digits, NULL, 16);
    reader->at += 4;
    return true;
}

/* Reads a code point behind \u, which takes two units above U+FFFF. RFC 8259, 7. */
static bool take_point(struct reader *reader)
{
    uint8_t bytes[TRP_UTF8_BYTES_MAX];
    uint32_t point;
    uint32_t low;
    if (!take_hex4(reader, &point)) {
        return false;
    }
    if (point >= 0xd800 && point < 0xdc00) {
        if (!take(reader, "\\u") || !take_hex4(reader, &low) || low < 0xdc00 || low >= 0xe000) {
            return false;
        }
        point = 0x10000 + ((point - 0xd800) << 10) + (low - 0xdc00);
    }
    size_t size = trp_utf8_encode(point, bytes);
    trp_msgpack_put(&reader->out, bytes, size);
    return size > 0;
}

/* Reads what follows a backslash. */
static bool take_escape(struct reader *reader)
{
    static const char escapes[] = "\"\\/bfnrt";
    static const char meanings[] = "\"\\/\b\f\n\r\t";
    char escape = next(reader);
    const char *found = escape == '\0' ? NULL : strchr(escapes, escape);
    if (found != NULL) {
        reader->at++;
        trp_msgpack_put_byte(&reader->out, (uint8_t)meanings[found - escapes]);
        return true;
    }
    return take(reader, "u") && take_point(reader);
}

static enum trp_status read_string(struct reader *reader)
{
    size_t begin = leave_head(reader);
    if (!take(reader, "\"")) {
        return TRP_EMALFORMED;
    }
    size_t first = reader->at;
    while (!take(reader, "\"")) {
        unsigned char character = (unsigned char)next(reader);
        if (character < 0x20) { /* the end of the input, too */
            return TRP_EMALFORMED;
        }
        if (take(reader, "\\")) {
            if (!take_escape(reader)) {
                return TRP_EMALFORMED;
            }
        } else {
            trp_msgpack_put_byte(&reader->out, character);
            reader->at++;
        }
    }
    if (!trp_utf8_is_valid(trp_bytes(reader->text + first, reader->at - first))) {
        reader->at = first;
        return TRP_EMALFORMED;
    }
    return fill_head(reader, begin, trp_msgpack_put_text_head,
                     reader->out.size - begin - HEAD_BYTES);
}

/* ---- numbers ---- */

/* Passes over at least one digit. */
static bool skip_digits(const char **at)
{
    size_t digits = strspn(*at, "0123456789");
    *at += digits;
    return digits > 0;
}

/* Passes over a number; false when it is none. RFC 8259, 6. */
static bool skip_number(const char **at, bool *ret_whole)
{
    *at += **at == '-';
    bool zero = **at == '0';
    const char *first = *at;
    if (!skip_digits(at) || (zero && *at - first > 1)) {
        return false;
    }
    *ret_whole = true;
    if (**at == '.') {
        ++*at;
        *ret_whole = false;
        if (!skip_digits(at)) {
            return false;
        }
    }
    if (**at == 'e' || **at == 'E') {
        ++*at;
        *ret_whole = false;
        *at += **at == '-' || **at == '+';
        return skip_digits(at);
    }
    return true;
}

/* Writes a whole number; false beyond 64 bits. */
static bool put_whole(struct reader *reader, const char *digits)
{
    bool minus = *digits == '-';
    uint64_t most = minus ? UINT64_C(1) << 63 : UINT64_MAX;
    uint64_t number = 0;
    for (digits += minus; *digits >= '0' && *digits <= '9'; digits++) {
        uint64_t digit = (uint64_t)(*digits - '0');
        if (number > (most - digit) / 10) {
            return false;
        }
        number = number * 10 + digit;
    }
    if (minus) {
        trp_msgpack_put_signed(&reader->out, (int64_t)(0 - number));
    } else {
        trp_msgpack_put_unsigned(&reader->out, number);
    }
    return true;
}

static bool put_real(struct reader *reader, const char *digits)
{
    uint64_t bits;
    double value = strtod(digits, NULL);
    memcpy(&bits, &value, sizeof bits);
    trp_msgpack_put_f64(&reader->out, bits);
    return isfinite(value);
}

static enum trp_status read_number(struct reader *reader)
{
    const char *begin = reader->text + reader->at;
    const char *end = begin;
    bool whole;
    if (!skip_number(&end, &whole) ||
        !(whole ? put_whole(reader, begin) : put_real(reader, begin))) {
        return TRP_EMALFORMED;
    }
    reader->at += (size_t)(end - begin);
    return TRP_OK;
}

/* ---- values ---- */

static enum trp_status read_value(struct reader *reader);

static enum trp_status read_item(struct reader *reader, bool keyed)
{
    skip_space(reader);
    if (keyed) {
        enum trp_status status = read_string(reader);
        if (status != TRP_OK) {
            return status;
        }
        skip_space(reader);
        if (!take(reader, ":")) {
            return TRP_EMALFORMED;
        }
    }
    return read_value(reader);
}

/* Reads an array or, keyed, an object. */
static enum trp_status read_items(struct reader *reader, const char *close, bool keyed)
{
    uint64_t count = 0;
    size_t begin = leave_head(reader);
    reader->at++;
    skip_space(reader);
    while (!take(reader, close)) {
        if (count > 0 && !take(reader, ",")) {
            return TRP_EMALFORMED;
        }
        enum trp_status status = read_item(reader, keyed);
        if (status != TRP_OK) {
            return status;
        }
        skip_space(reader);
        count++;
    }
    return fill_head(reader, begin, keyed ? trp_msgpack_put_map : trp_msgpack_put_array, count);
}

static enum trp_status read_any(struct reader *reader)
{
    switch (next(reader)) {
    case '{':
        return read_items(reader, "}", true);
    case '[':
        return read_items(reader, "]", false);
    case '"':
        return read_string(reader);
    case 't':
        trp_msgpack_put_bool(&reader->out, true);
        return take(reader, "true") ? TRP_OK : TRP_EMALFORMED;
    case 'f':
        trp_msgpack_put_bool(&reader->out, false);
        return take(reader, "false") ? TRP_OK : TRP_EMALFORMED;
    case 'n':
        trp_msgpack_put_nil(&reader->out);
        return take(reader, "null") ? TRP_OK : TRP_EMALFORMED;
    default:
        return read_number(reader);
    }
}

static enum trp_status read_value(struct reader *reader)
{
    skip_space(reader);
    if (reader->depth == DEPTH_MAX) {
        return TRP_EMALFORMED;
    }
    reader->depth++;
    enum trp_status status = read_any(reader);
    reader->depth--;
    return status == TRP_OK && is_full(reader) ? TRP_ETOOBIG : status;
}

enum trp_status cli_json_to_msgpack(const char *json, uint8_t *out, size_t room, size_t *ret_size,
                                    size_t *ret_at)
{
    struct reader reader = {.text = json, .out = {.out = out, .room = room}};
    enum trp_status status = read_value(&reader);
    if (status == TRP_OK) {
        skip_space(&reader);
        status = json[reader.at] == '\0' ? TRP_OK : TRP_EMALFORMED;
    }
    *ret_at = reader.at;
    if (status == TRP_OK) {
        *ret_size = reader.out.size;
    }
    return status;
}
