/* SPDX-License-Identifier: MIT */
/* wire/uvarint.h - unsigned LEB128 numbers: multiformats' strict form, protobuf's lenient one.
 *
 * Spec       multiformats/unsigned-varint: at most 9 bytes (63 bits), minimal. Protobuf: at most 10
 *            bytes (64 bits), padding allowed.
 * Failure    TRP_EAGAIN: the number goes on behind the input. TRP_EMALFORMED. */
#ifndef WIRE_UVARINT_H
#define WIRE_UVARINT_H

#include <troupe/base.h>

#define TRP_UVARINT_BYTES_MAX 9u
#define TRP_VARINT_BYTES_MAX  10u

static inline size_t trp_varint_size(uint64_t value)
{
    size_t size = 1;
    while (value >= 0x80) {
        value >>= 7;
        size++;
    }
    return size;
}

/* Writes trp_varint_size(value) bytes, and returns that. The form is minimal, so good for both. */
static inline size_t trp_varint_encode(uint64_t value, uint8_t *out)
{
    size_t size = 0;
    while (value >= 0x80) {
        out[size++] = (uint8_t)(value | 0x80);
        value >>= 7;
    }
    out[size++] = (uint8_t)value;
    return size;
}

/* Reads the strict form: lengths and codes of multiformats, and length prefixes of messages. */
static inline enum trp_status trp_uvarint_decode(struct trp_bytes in, uint64_t *ret_value,
                                                 size_t *ret_used)
{
    uint64_t value = 0;
    for (size_t i = 0; i < TRP_UVARINT_BYTES_MAX; i++) {
        if (i == in.size) {
            return TRP_EAGAIN;
        }
        uint8_t byte = in.data[i];
        value |= (uint64_t)(byte & 0x7f) << (7 * i);
        if (byte < 0x80) {
            if (byte == 0 && i > 0) {
                return TRP_EMALFORMED; /* not minimal */
            }
            *ret_value = value;
            *ret_used = i + 1;
            return TRP_OK;
        }
    }
    return TRP_EMALFORMED;
}

/* Reads the lenient form: tags, lengths and numbers inside a protobuf message. */
static inline enum trp_status trp_varint_decode(struct trp_bytes in, uint64_t *ret_value,
                                                size_t *ret_used)
{
    uint64_t value = 0;
    for (size_t i = 0; i < TRP_VARINT_BYTES_MAX; i++) {
        if (i == in.size) {
            return TRP_EAGAIN;
        }
        uint8_t byte = in.data[i];
        if (i == 9 && byte > 1) {
            return TRP_EMALFORMED; /* over 64 bits */
        }
        value |= (uint64_t)(byte & 0x7f) << (7 * i);
        if (byte < 0x80) {
            *ret_value = value;
            *ret_used = i + 1;
            return TRP_OK;
        }
    }
    return TRP_EMALFORMED;
}

#endif
