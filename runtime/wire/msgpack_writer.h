/* SPDX-License-Identifier: MIT */
/* wire/msgpack_writer.h - msgpack, one item at a time, each in its shortest form.
 *
 * Counts on when the room is used up, so that a writer without room measures.
 * Spec       msgpack/spec.md.
 * Purity     Values only. */
#ifndef WIRE_MSGPACK_WRITER_H
#define WIRE_MSGPACK_WRITER_H

#include "base/endian.h"

#include <troupe/base.h>

struct trp_msgpack_writer {
    uint8_t *out;
    size_t room;
    size_t size; /* written, or beyond `room` what it would take */
};

#define TRP_MSGPACK_ITEM_MAX 9u /* a first byte and 64 bits */

static inline void trp_msgpack_put(struct trp_msgpack_writer *writer, const void *data, size_t size)
{
    if (writer->size <= writer->room && size <= writer->room - writer->size && size > 0) {
        memcpy(writer->out + writer->size, data, size);
    }
    writer->size += size;
}

static inline void trp_msgpack_put_byte(struct trp_msgpack_writer *writer, uint8_t byte)
{
    if (writer->size < writer->room) {
        writer->out[writer->size] = byte;
    }
    writer->size++;
}

/* A first byte and the last `bytes` bytes of a number. */
static inline void trp_msgpack_put_number(struct trp_msgpack_writer *writer, uint8_t first,
                                          uint64_t number, uint32_t bytes)
{
    uint8_t item[TRP_MSGPACK_ITEM_MAX];
    bool roomy =
        writer->size <= writer->room && writer->room - writer->size >= TRP_MSGPACK_ITEM_MAX;
    uint8_t *at = roomy ? writer->out + writer->size : item;
    at[0] = first;
    trp_store_be64(at + 1, number << (64 - 8 * bytes));
    if (roomy) {
        writer->size += 1 + bytes;
    } else {
        trp_msgpack_put(writer, item, 1 + bytes);
    }
}

static inline void trp_msgpack_put_unsigned(struct trp_msgpack_writer *writer, uint64_t number)
{
    if (number < 0x80) {
        trp_msgpack_put_byte(writer, (uint8_t)number);
    } else if (number <= UINT8_MAX) {
        trp_msgpack_put_number(writer, 0xcc, number, 1);
    } else if (number <= UINT16_MAX) {
        trp_msgpack_put_number(writer, 0xcd, number, 2);
    } else if (number <= UINT32_MAX) {
        trp_msgpack_put_number(writer, 0xce, number, 4);
    } else {
        trp_msgpack_put_number(writer, 0xcf, number, 8);
    }
}

static inline void trp_msgpack_put_signed(struct trp_msgpack_writer *writer, int64_t number)
{
    uint64_t bits = (uint64_t)number;
    if (number >= 0) {
        trp_msgpack_put_unsigned(writer, bits);
    } else if (number >= -32) {
        trp_msgpack_put_byte(writer, (uint8_t)bits);
    } else if (number >= INT8_MIN) {
        trp_msgpack_put_number(writer, 0xd0, bits, 1);
    } else if (number >= INT16_MIN) {
        trp_msgpack_put_number(writer, 0xd1, bits, 2);
    } else if (number >= INT32_MIN) {
        trp_msgpack_put_number(writer, 0xd2, bits, 4);
    } else {
        trp_msgpack_put_number(writer, 0xd3, bits, 8);
    }
}

static inline void trp_msgpack_put_nil(struct trp_msgpack_writer *writer)
{
    trp_msgpack_put_byte(writer, 0xc0);
}

static inline void trp_msgpack_put_bool(struct trp_msgpack_writer *writer, bool value)
{
    trp_msgpack_put_byte(writer, value ? 0xc3 : 0xc2);
}

/* The bits of IEEE 754. */
static inline void trp_msgpack_put_f32(struct trp_msgpack_writer *writer, uint32_t bits)
{
    trp_msgpack_put_number(writer, 0xca, bits, 4);
}

static inline void trp_msgpack_put_f64(struct trp_msgpack_writer *writer, uint64_t bits)
{
    trp_msgpack_put_number(writer, 0xcb, bits, 8);
}

/* The head of an array or map with at most 2^32 - 1 items; they follow. */
static inline void trp_msgpack_put_array(struct trp_msgpack_writer *writer, uint64_t count)
{
    if (count < 16) {
        trp_msgpack_put_byte(writer, (uint8_t)(0x90 | count));
    } else {
        bool small = count <= UINT16_MAX;
        trp_msgpack_put_number(writer, small ? 0xdc : 0xdd, count, small ? 2 : 4);
    }
}

static inline void trp_msgpack_put_map(struct trp_msgpack_writer *writer, uint64_t count)
{
    if (count < 16) {
        trp_msgpack_put_byte(writer, (uint8_t)(0x80 | count));
    } else {
        bool small = count <= UINT16_MAX;
        trp_msgpack_put_number(writer, small ? 0xde : 0xdf, count, small ? 2 : 4);
    }
}

/* The head of a text of at most 2^32 - 1 bytes; they follow. */
static inline void trp_msgpack_put_text_head(struct trp_msgpack_writer *writer, uint64_t size)
{
    if (size < 32) {
        trp_msgpack_put_byte(writer, (uint8_t)(0xa0 | size));
    } else if (size <= UINT8_MAX) {
        trp_msgpack_put_number(writer, 0xd9, size, 1);
    } else {
        bool small = size <= UINT16_MAX;
        trp_msgpack_put_number(writer, small ? 0xda : 0xdb, size, small ? 2 : 4);
    }
}

static inline void trp_msgpack_put_text(struct trp_msgpack_writer *writer, const void *text,
                                        size_t size)
{
    trp_msgpack_put_text_head(writer, size);
    trp_msgpack_put(writer, text, size);
}

static inline void trp_msgpack_put_bytes(struct trp_msgpack_writer *writer, struct trp_bytes bytes)
{
    if (bytes.size <= UINT8_MAX) {
        trp_msgpack_put_number(writer, 0xc4, bytes.size, 1);
    } else {
        bool small = bytes.size <= UINT16_MAX;
        trp_msgpack_put_number(writer, small ? 0xc5 : 0xc6, bytes.size, small ? 2 : 4);
    }
    trp_msgpack_put(writer, bytes.data, bytes.size);
}

#endif
