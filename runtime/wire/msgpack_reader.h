/* SPDX-License-Identifier: MIT */
/* wire/msgpack_reader.h - msgpack, one item at a time.
 *
 * Spec       msgpack/spec.md.
 * Purity     No memory: texts and bytes borrow from the input.
 * Failure    TRP_EDECODE. */
#ifndef WIRE_MSGPACK_READER_H
#define WIRE_MSGPACK_READER_H

#include <troupe/base.h>

enum trp_msgpack_kind {
    TRP_MSGPACK_NIL,
    TRP_MSGPACK_BOOL,
    TRP_MSGPACK_UNSIGNED, /* `number` */
    TRP_MSGPACK_NEGATIVE, /* `number`: two's complement */
    TRP_MSGPACK_F32,      /* `number`: IEEE 754 bits */
    TRP_MSGPACK_F64,
    TRP_MSGPACK_TEXT,  /* `bytes` */
    TRP_MSGPACK_BYTES, /* `bytes` */
    TRP_MSGPACK_EXT,   /* `bytes`, `number`: type */
    TRP_MSGPACK_ARRAY, /* `number` values follow */
    TRP_MSGPACK_MAP    /* `number` pairs follow */
};

struct trp_msgpack_item {
    enum trp_msgpack_kind kind;
    uint64_t number;
    struct trp_bytes bytes;
};

struct trp_msgpack_reader {
    struct trp_bytes in;
    size_t at;
};

/* What trp_msgpack_next does with all but small numbers and short texts. */
enum trp_status trp_msgpack_next_any(struct trp_msgpack_reader *reader,
                                     struct trp_msgpack_item *ret_item) TRP_NODISCARD;
/* Passes over `count` values with all that is in them; no recursion. */
enum trp_status trp_msgpack_skip(struct trp_msgpack_reader *reader, uint64_t count) TRP_NODISCARD;
/* Takes the items of an array as one run of bytes; false, and nothing is taken, unless each is a
 * number below 128, which is its own byte. */
bool trp_msgpack_take_octets(struct trp_msgpack_reader *reader, uint64_t count,
                             struct trp_bytes *ret_octets);

/* Takes the items of an array of numbers below 256, into `out` unless it is NULL. */
enum trp_status trp_msgpack_next_octets(struct trp_msgpack_reader *reader, uint64_t count,
                                        uint8_t *out) TRP_NODISCARD;

static inline size_t trp_msgpack_left(const struct trp_msgpack_reader *reader)
{
    return reader->in.size - reader->at;
}

TRP_NODISCARD static inline enum trp_status trp_msgpack_next(struct trp_msgpack_reader *reader,
                                                             struct trp_msgpack_item *ret_item)
{
    size_t left = trp_msgpack_left(reader);
    const uint8_t *at = reader->in.data + reader->at;
    if (left > 0 && at[0] < 0x80) {
        ret_item->kind = TRP_MSGPACK_UNSIGNED;
        ret_item->number = at[0];
        reader->at++;
        return TRP_OK;
    }
    if (left > 0 && (at[0] & 0xe0) == 0xa0 && (at[0] & 0x1fu) < left) {
        ret_item->kind = TRP_MSGPACK_TEXT;
        ret_item->bytes = trp_bytes(at + 1, at[0] & 0x1fu);
        reader->at += 1 + ret_item->bytes.size;
        return TRP_OK;
    }
    return trp_msgpack_next_any(reader, ret_item);
}

/* Passes over a nil; false when something else, or nothing, is next. */
static inline bool trp_msgpack_take_nil(struct trp_msgpack_reader *reader)
{
    bool nil = reader->at < reader->in.size && reader->in.data[reader->at] == 0xc0;
    reader->at += nil;
    return nil;
}

#endif
