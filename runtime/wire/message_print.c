/* SPDX-License-Identifier: MIT */
#include <troupe/message.h>

#include "wire/msgpack_check.h"

#include <msgpack.h>

/* ---- msgpack as JSON, cut where the room ends ---- */

struct text {
    char *out;
    size_t room;
    size_t size; /* as long as the whole would be */
};

static void text_put(struct text *text, const char *piece, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (text->size + 1 < text->room) {
            text->out[text->size] = piece[i];
        }
        text->size++;
    }
}

static void text_puts(struct text *text, const char *piece)
{
    text_put(text, piece, strlen(piece));
}

static void text_unsigned(struct text *text, uint64_t number)
{
    char digits[20];
    size_t at = sizeof digits;
    do {
        digits[--at] = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    text_put(text, digits + at, sizeof digits - at);
}

static void text_hex(struct text *text, uint8_t byte)
{
    static const char digits[] = "0123456789abcdef";
    text_put(text, (const char[]){digits[byte >> 4], digits[byte & 15u]}, 2);
}

static void text_string(struct text *text, const char *bytes, uint32_t size)
{
    text_puts(text, "\"");
    for (uint32_t i = 0; i < size; i++) {
        uint8_t byte = (uint8_t)bytes[i];
        if (byte == '"' || byte == '\\') {
            text_puts(text, "\\");
            text_put(text, &bytes[i], 1);
        } else if (byte < 0x20) {
            text_puts(text, "\\u00");
            text_hex(text, byte);
        } else {
            text_put(text, &bytes[i], 1);
        }
    }
    text_puts(text, "\"");
}

/* Six decimal places, or the exponent form as digits times a power of ten, without the C library's
 * locale. */
static void text_real(struct text *text, double value)
{
    if (value != value || value > 1e300 || value < -1e300) {
        text_puts(text, "null"); /* JSON has no such number */
        return;
    }
    if (value < 0) {
        text_puts(text, "-");
        value = -value;
    }
    int32_t exponent = 0;
    while (value >= 1e15) {
        value /= 10;
        exponent++;
    }
    uint64_t whole = (uint64_t)value;
    uint64_t millionths = (uint64_t)((value - (double)whole) * 1e6 + 0.5);
    whole += millionths / 1000000;
    millionths %= 1000000;
    text_unsigned(text, whole);
    text_puts(text, ".");
    for (uint64_t place = 100000; place > 0; place /= 10) {
        text_unsigned(text, millionths / place % 10);
    }
    if (exponent > 0) {
        text_puts(text, "e");
        text_unsigned(text, (uint64_t)exponent);
    }
}

static void text_bytes(struct text *text, const char *bytes, uint32_t size)
{
    text_puts(text, "\"0x");
    for (uint32_t i = 0; i < size; i++) {
        text_hex(text, (uint8_t)bytes[i]);
    }
    text_puts(text, "\"");
}

/* The depth was bounded by the check. */
static void text_value(struct text *text, const msgpack_object *value)
{
    switch (value->type) {
    case MSGPACK_OBJECT_NIL:
        text_puts(text, "null");
        break;
    case MSGPACK_OBJECT_BOOLEAN:
        text_puts(text, value->via.boolean ? "true" : "false");
        break;
    case MSGPACK_OBJECT_POSITIVE_INTEGER:
        text_unsigned(text, value->via.u64);
        break;
    case MSGPACK_OBJECT_NEGATIVE_INTEGER:
        text_puts(text, "-");
        text_unsigned(text, 0 - (uint64_t)value->via.i64);
        break;
    case MSGPACK_OBJECT_FLOAT32:
    case MSGPACK_OBJECT_FLOAT64:
        text_real(text, value->via.f64);
        break;
    case MSGPACK_OBJECT_STR:
        text_string(text, value->via.str.ptr, value->via.str.size);
        break;
    case MSGPACK_OBJECT_BIN:
        text_bytes(text, value->via.bin.ptr, value->via.bin.size);
        break;
    case MSGPACK_OBJECT_EXT:
        text_bytes(text, value->via.ext.ptr, value->via.ext.size);
        break;
    case MSGPACK_OBJECT_ARRAY:
        text_puts(text, "[");
        for (uint32_t i = 0; i < value->via.array.size; i++) {
            text_puts(text, i == 0 ? "" : ",");
            text_value(text, &value->via.array.ptr[i]);
        }
        text_puts(text, "]");
        break;
    case MSGPACK_OBJECT_MAP:
        text_puts(text, "{");
        for (uint32_t i = 0; i < value->via.map.size; i++) {
            text_puts(text, i == 0 ? "" : ",");
            text_value(text, &value->via.map.ptr[i].key);
            text_puts(text, ":");
            text_value(text, &value->via.map.ptr[i].val);
        }
        text_puts(text, "}");
        break;
    }
}

size_t trp_msgpack_print(struct trp_bytes in, char *out, size_t room)
{
    struct text text = {.out = out, .room = room};
    size_t size;
    size_t offset = 0;
    msgpack_unpacked unpacked;
    msgpack_unpacked_init(&unpacked);
    if (trp_msgpack_check(in, &size) == TRP_OK &&
        msgpack_unpack_next(&unpacked, (const char *)in.data, size, &offset) ==
            MSGPACK_UNPACK_SUCCESS) {
        text_value(&text, &unpacked.data);
    }
    msgpack_unpacked_destroy(&unpacked);
    if (room > 0) {
        out[text.size < room ? text.size : room - 1] = '\0';
    }
    return text.size;
}
