/* SPDX-License-Identifier: MIT */
#include "wire/msgpack_reader.h"

#include "base/assert.h"
#include "base/endian.h"

/* What a first byte from 0xc0 to 0xdf says: the kind, the bytes of a number or length behind it. */
struct format {
    enum trp_msgpack_kind kind;
    uint8_t number_bytes;
    uint8_t fixed; /* bytes of an EXT with a fixed size */
};

#define NEVER_USED 0xc1u
#define U8         0xccu

static const struct format formats[32] = {
    [0x00] = {TRP_MSGPACK_NIL, 0, 0},      [0x02] = {TRP_MSGPACK_BOOL, 0, 0},
    [0x03] = {TRP_MSGPACK_BOOL, 0, 0},     [0x04] = {TRP_MSGPACK_BYTES, 1, 0},
    [0x05] = {TRP_MSGPACK_BYTES, 2, 0},    [0x06] = {TRP_MSGPACK_BYTES, 4, 0},
    [0x07] = {TRP_MSGPACK_EXT, 1, 0},      [0x08] = {TRP_MSGPACK_EXT, 2, 0},
    [0x09] = {TRP_MSGPACK_EXT, 4, 0},      [0x0a] = {TRP_MSGPACK_F32, 4, 0},
    [0x0b] = {TRP_MSGPACK_F64, 8, 0},      [0x0c] = {TRP_MSGPACK_UNSIGNED, 1, 0},
    [0x0d] = {TRP_MSGPACK_UNSIGNED, 2, 0}, [0x0e] = {TRP_MSGPACK_UNSIGNED, 4, 0},
    [0x0f] = {TRP_MSGPACK_UNSIGNED, 8, 0}, [0x10] = {TRP_MSGPACK_NEGATIVE, 1, 0},
    [0x11] = {TRP_MSGPACK_NEGATIVE, 2, 0}, [0x12] = {TRP_MSGPACK_NEGATIVE, 4, 0},
    [0x13] = {TRP_MSGPACK_NEGATIVE, 8, 0}, [0x14] = {TRP_MSGPACK_EXT, 0, 1},
    [0x15] = {TRP_MSGPACK_EXT, 0, 2},      [0x16] = {TRP_MSGPACK_EXT, 0, 4},
    [0x17] = {TRP_MSGPACK_EXT, 0, 8},      [0x18] = {TRP_MSGPACK_EXT, 0, 16},
    [0x19] = {TRP_MSGPACK_TEXT, 1, 0},     [0x1a] = {TRP_MSGPACK_TEXT, 2, 0},
    [0x1b] = {TRP_MSGPACK_TEXT, 4, 0},     [0x1c] = {TRP_MSGPACK_ARRAY, 2, 0},
    [0x1d] = {TRP_MSGPACK_ARRAY, 4, 0},    [0x1e] = {TRP_MSGPACK_MAP, 2, 0},
    [0x1f] = {TRP_MSGPACK_MAP, 4, 0},
};

/* Takes `size` bytes; false when there are not as many. */
static bool take(struct trp_msgpack_reader *reader, uint64_t size, struct trp_bytes *ret_bytes)
{
    if (size > reader->in.size - reader->at) {
        return false;
    }
    *ret_bytes = trp_bytes(reader->in.data + reader->at, (size_t)size);
    reader->at += (size_t)size;
    return true;
}

static bool take_number(struct trp_msgpack_reader *reader, size_t size, uint64_t *ret_number)
{
    struct trp_bytes bytes;
    if (!take(reader, size, &bytes)) {
        return false;
    }
    *ret_number = size == 1   ? bytes.data[0]
                  : size == 2 ? trp_load_be16(bytes.data)
                  : size == 4 ? trp_load_be32(bytes.data)
                              : trp_load_be64(bytes.data);
    return true;
}

/* A first byte that is itself a small number, or the length of something small. */
static enum trp_status next_short(struct trp_msgpack_reader *reader, uint8_t first,
                                  struct trp_msgpack_item *item)
{
    if (first < 0x80) {
        item->kind = TRP_MSGPACK_UNSIGNED;
        item->number = first;
    } else if (first < 0x90) {
        item->kind = TRP_MSGPACK_MAP;
        item->number = first & 0x0f;
    } else if (first < 0xa0) {
        item->kind = TRP_MSGPACK_ARRAY;
        item->number = first & 0x0f;
    } else if (first >= 0xe0) {
        item->kind = TRP_MSGPACK_NEGATIVE;
        item->number = (uint64_t)(int64_t)(int8_t)first;
    } else {
        item->kind = TRP_MSGPACK_TEXT;
        return take(reader, first & 0x1f, &item->bytes) ? TRP_OK : TRP_EDECODE;
    }
    return TRP_OK;
}

/* A signed number of 1, 2, 4 or 8 bytes as 64 bits; positive ones are UNSIGNED. */
static void widen(struct trp_msgpack_item *item, size_t size)
{
    TRP_ASSERT(size >= 1 && size <= 8);
    uint64_t sign = UINT64_C(1) << (8 * size - 1);
    if ((item->number & sign) == 0) {
        item->kind = TRP_MSGPACK_UNSIGNED;
    } else {
        item->number = (item->number ^ sign) - sign;
    }
}

enum trp_status trp_msgpack_next_any(struct trp_msgpack_reader *reader,
                                     struct trp_msgpack_item *ret_item)
{
    if (reader->at >= reader->in.size) {
        return TRP_EDECODE;
    }
    uint8_t first = reader->in.data[reader->at++];
    if (first < 0xc0 || first >= 0xe0) {
        return next_short(reader, first, ret_item);
    }
    const struct format *format = &formats[first - 0xc0];
    uint64_t number = format->fixed;
    if (first == NEVER_USED ||
        !(format->number_bytes == 0 || take_number(reader, format->number_bytes, &number))) {
        return TRP_EDECODE;
    }
    ret_item->kind = format->kind;
    ret_item->number = number;
    bool whole = true;
    switch (format->kind) {
    case TRP_MSGPACK_NEGATIVE:
        widen(ret_item, format->number_bytes);
        break;
    case TRP_MSGPACK_BOOL:
        ret_item->number = first & 1u;
        break;
    case TRP_MSGPACK_TEXT:
    case TRP_MSGPACK_BYTES:
        whole = take(reader, number, &ret_item->bytes);
        break;
    case TRP_MSGPACK_EXT:
        whole = take_number(reader, 1, &ret_item->number) && take(reader, number, &ret_item->bytes);
        break;
    case TRP_MSGPACK_NIL:
    case TRP_MSGPACK_UNSIGNED:
    case TRP_MSGPACK_F32:
    case TRP_MSGPACK_F64:
    case TRP_MSGPACK_ARRAY:
    case TRP_MSGPACK_MAP:
        break;
    }
    return whole ? TRP_OK : TRP_EDECODE;
}

enum trp_status trp_msgpack_skip(struct trp_msgpack_reader *reader, uint64_t count)
{
    struct trp_msgpack_item item;
    for (uint64_t owed = count; owed > 0; owed--) {
        if (owed > trp_msgpack_left(reader)) { /* each takes a byte at least */
            return TRP_EDECODE;
        }
        enum trp_status status = trp_msgpack_next(reader, &item);
        if (status != TRP_OK) {
            return status;
        }
        if (item.kind == TRP_MSGPACK_ARRAY || item.kind == TRP_MSGPACK_MAP) {
            owed += item.kind == TRP_MSGPACK_MAP ? 2 * item.number : item.number;
        }
    }
    return TRP_OK;
}

bool trp_msgpack_take_octets(struct trp_msgpack_reader *reader, uint64_t count,
                             struct trp_bytes *ret_octets)
{
    if (count > trp_msgpack_left(reader)) {
        return false;
    }
    struct trp_bytes octets = trp_bytes(reader->in.data + reader->at, (size_t)count);
    for (size_t i = 0; i < octets.size; i++) {
        if (octets.data[i] >= 0x80) {
            return false;
        }
    }
    reader->at += octets.size;
    *ret_octets = octets;
    return true;
}

enum trp_status trp_msgpack_next_octets(struct trp_msgpack_reader *reader, uint64_t count,
                                        uint8_t *out)
{
    struct trp_msgpack_item item;
    for (uint64_t i = 0; i < count; i++) {
        const uint8_t *at = reader->in.data + reader->at;
        size_t left = trp_msgpack_left(reader);
        if (left > 1 && at[0] == U8) {
            item.number = at[1];
            reader->at += 2;
        } else {
            enum trp_status status = trp_msgpack_next(reader, &item);
            if (status != TRP_OK) {
                return status;
            }
            if (item.kind != TRP_MSGPACK_UNSIGNED || item.number > UINT8_MAX) {
                return TRP_EDECODE;
            }
        }
        if (out != NULL) {
            out[i] = (uint8_t)item.number;
        }
    }
    return TRP_OK;
}
