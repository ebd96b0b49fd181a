/* SPDX-License-Identifier: MIT */
/* Any msgpack value as JSON. Bytes become texts of hexadecimal digits, keys become texts, what is
 * nested too deeply an ellipsis; what does not decode becomes a text that says so. */
#include "wire/decimal.h"
#include "wire/msgpack_reader.h"
#include "wire/utf8.h"

#include <troupe/message.h>

#define DEPTH_MAX 128u

struct printer {
    char *out;
    size_t room;
    size_t size; /* as long as the whole text would be */
};

/* An array or map whose end is to come. */
struct level {
    bool map;
    uint64_t left; /* values, and in a map keys */
    uint64_t all;
};

static void put(struct printer *printer, char c)
{
    if (printer->size + 1 < printer->room) {
        printer->out[printer->size] = c;
    }
    printer->size++;
}

static void put_text(struct printer *printer, const char *text)
{
    for (; *text != '\0'; text++) {
        put(printer, *text);
    }
}

static void put_number(struct printer *printer, uint64_t number)
{
    char text[24];
    size_t at = sizeof text - 1;
    text[at] = '\0';
    do {
        text[--at] = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    put_text(printer, text + at);
}

static void put_hex(struct printer *printer, struct trp_bytes bytes)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < bytes.size; i++) {
        put(printer, digits[bytes.data[i] >> 4]);
        put(printer, digits[bytes.data[i] & 15u]);
    }
}

/* RFC 8259, 7. */
static void put_string(struct printer *printer, struct trp_bytes text)
{
    static const char shorts[] = "btn?fr"; /* of U+0008 to U+000D; U+000B has none */
    bool valid = trp_utf8_is_valid(text);
    for (size_t i = 0; i < text.size; i++) {
        uint8_t c = text.data[i];
        if (c == '"' || c == '\\') {
            put(printer, '\\');
            put(printer, (char)c);
        } else if (c >= 8 && c <= 13 && c != 11) {
            put(printer, '\\');
            put(printer, shorts[c - 8]);
        } else if (c < 0x20 || c == 0x7f) {
            put_text(printer, "\\u00");
            put_hex(printer, trp_bytes(&c, 1));
        } else if (c >= 0x80 && !valid) {
            put_text(printer, "\\ufffd");
        } else {
            put(printer, (char)c);
        }
    }
}

static void put_scalar(struct printer *printer, const struct trp_msgpack_item *item)
{
    char text[TRP_DECIMAL_TEXT_MAX];
    switch (item->kind) {
    case TRP_MSGPACK_NIL:
        put_text(printer, "null");
        break;
    case TRP_MSGPACK_BOOL:
        put_text(printer, item->number != 0 ? "true" : "false");
        break;
    case TRP_MSGPACK_UNSIGNED:
        put_number(printer, item->number);
        break;
    case TRP_MSGPACK_NEGATIVE:
        put(printer, '-');
        put_number(printer, 0 - item->number);
        break;
    case TRP_MSGPACK_F32:
        (void)trp_decimal_f32((uint32_t)item->number, text);
        put_text(printer, text);
        break;
    case TRP_MSGPACK_F64:
        (void)trp_decimal_f64(item->number, text);
        put_text(printer, text);
        break;
    case TRP_MSGPACK_TEXT:
        put_string(printer, item->bytes);
        break;
    case TRP_MSGPACK_BYTES:
    case TRP_MSGPACK_EXT:
        put_hex(printer, item->bytes);
        break;
    case TRP_MSGPACK_ARRAY:
    case TRP_MSGPACK_MAP:
        put_text(printer, "…");
        break;
    }
}

static bool is_quoted(const struct trp_msgpack_item *item)
{
    return item->kind >= TRP_MSGPACK_TEXT;
}

/* Closes what has ended, and says whether the next value is a key. */
static bool before_value(struct printer *printer, struct level *levels, uint32_t *depth)
{
    while (*depth > 0 && levels[*depth - 1].left == 0) {
        --*depth;
        put(printer, levels[*depth].map ? '}' : ']');
    }
    if (*depth == 0) {
        return false;
    }
    struct level *level = &levels[*depth - 1];
    bool key = level->map && level->left % 2 == 0;
    if (level->map && !key) {
        put(printer, ':');
    } else if (level->left < level->all) {
        put(printer, ',');
    }
    level->left--;
    return key;
}

/* Prints a value that is known to decode. */
static void print_value(struct printer *printer, struct trp_msgpack_reader *reader)
{
    struct level levels[DEPTH_MAX];
    struct trp_msgpack_item item;
    uint32_t depth = 0;
    bool key = false;
    do {
        struct trp_msgpack_reader at_item = *reader;
        if (trp_msgpack_next(reader, &item) != TRP_OK) {
            return;
        }
        bool container = item.kind == TRP_MSGPACK_ARRAY || item.kind == TRP_MSGPACK_MAP;
        if (container && !key && depth < DEPTH_MAX) {
            bool map = item.kind == TRP_MSGPACK_MAP;
            uint64_t values = map ? 2 * item.number : item.number;
            put(printer, map ? '{' : '[');
            levels[depth++] = (struct level){.map = map, .left = values, .all = values};
        } else {
            bool quoted = key || is_quoted(&item);
            if (quoted) {
                put(printer, '"');
            }
            put_scalar(printer, &item);
            if (quoted) {
                put(printer, '"');
            }
            if (container) { /* as a key, or too deep */
                *reader = at_item;
                if (trp_msgpack_skip(reader, 1) != TRP_OK) {
                    return;
                }
            }
        }
        key = before_value(printer, levels, &depth);
    } while (depth > 0);
}

size_t trp_msgpack_print(struct trp_bytes in, char *out, size_t room)
{
    struct printer printer = {.out = out, .room = room};
    struct trp_msgpack_reader whole = {.in = in};
    struct trp_msgpack_reader reader = {.in = in};
    if (trp_msgpack_skip(&whole, 1) == TRP_OK) {
        print_value(&printer, &reader);
    } else {
        put_text(&printer, "\"malformed: ");
        put_hex(&printer, in);
        put(&printer, '"');
    }
    if (room > 0) {
        out[printer.size < room ? printer.size : room - 1] = '\0';
    }
    return printer.size;
}
