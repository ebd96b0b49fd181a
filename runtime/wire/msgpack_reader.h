/* SPDX-License-Identifier: MIT */
/* wire/msgpack_reader.h - msgpack, one item at a time.
 *
 * msgpack-c writes our messages; reading with it would build each message as a tree on the
 * process's heap, of a size that the sender chooses. Spec       msgpack/spec.md. Purity     No
 * memory: texts and bytes borrow from the input. Failure    TRP_EDECODE. */
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

enum trp_status trp_msgpack_next(struct trp_msgpack_reader *reader,
                                 struct trp_msgpack_item *ret_item) TRP_NODISCARD;
/* Passes over one value with all that is in it; no recursion. */
enum trp_status trp_msgpack_skip(struct trp_msgpack_reader *reader) TRP_NODISCARD;

#endif
