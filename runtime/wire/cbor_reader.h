/* SPDX-License-Identifier: MIT */
/* wire/cbor_reader.h - CBOR, one item at a time, pulled from libcbor's streaming decoder.
 *
 * Spec       RFC 8949.
 * Purity     No memory: texts and byte strings borrow from the input.
 * Failure    TRP_EMALFORMED; TRP_ETOOBIG: nested deeper than allowed. */
#ifndef WIRE_CBOR_READER_H
#define WIRE_CBOR_READER_H

#include <troupe/base.h>

enum trp_cbor_kind {
    TRP_CBOR_UNSIGNED,
    TRP_CBOR_BYTES,
    TRP_CBOR_TEXT,
    TRP_CBOR_ARRAY,
    TRP_CBOR_MAP,
    TRP_CBOR_BOOL,
    TRP_CBOR_NULL,
    TRP_CBOR_TAG,
    TRP_CBOR_BREAK,
    TRP_CBOR_OTHER /* negative and floating numbers, undefined */
};

struct trp_cbor_item {
    enum trp_cbor_kind kind;
    bool indefinite;        /* BYTES, TEXT, ARRAY, MAP: parts follow until BREAK */
    uint64_t number;        /* UNSIGNED, BOOL; count of an ARRAY or MAP */
    struct trp_bytes bytes; /* BYTES, TEXT */
};

struct trp_cbor_reader {
    struct trp_bytes in;
    size_t at;
};

enum trp_status trp_cbor_next(struct trp_cbor_reader *reader,
                              struct trp_cbor_item *ret_item) TRP_NODISCARD;
/* The kind of the item that comes next; TRP_CBOR_OTHER at the end. */
enum trp_cbor_kind trp_cbor_peek(const struct trp_cbor_reader *reader);
/* Reads an item of one kind, and of definite length. */
enum trp_status trp_cbor_expect(struct trp_cbor_reader *reader, enum trp_cbor_kind kind,
                                struct trp_cbor_item *ret_item) TRP_NODISCARD;
/* Reads a text of UTF-8. */
enum trp_status trp_cbor_text(struct trp_cbor_reader *reader,
                              struct trp_bytes *ret_text) TRP_NODISCARD;
/* Passes over one value with all that is in it. */
enum trp_status trp_cbor_skip(struct trp_cbor_reader *reader, uint32_t depth) TRP_NODISCARD;

/* Walks the keys of a struct, which is a map with text keys: enter reads its head, next gives each
 * key, whose value the caller then reads or skips. */
struct trp_cbor_struct {
    bool indefinite;
    uint64_t left; /* keys, of a definite map */
};
enum trp_status trp_cbor_struct_enter(struct trp_cbor_reader *reader,
                                      struct trp_cbor_struct *ret_struct) TRP_NODISCARD;
/* An empty key marks the end. */
enum trp_status trp_cbor_struct_next(struct trp_cbor_reader *reader, struct trp_cbor_struct *walk,
                                     struct trp_bytes *ret_key) TRP_NODISCARD;

#endif
