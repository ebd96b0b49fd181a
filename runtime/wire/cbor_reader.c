/* SPDX-License-Identifier: MIT */
#include "wire/cbor_reader.h"

#include "wire/utf8.h"

#include <cbor.h>

/* ---- libcbor's callbacks: each notes the one item that was read ---- */

static void on_number(void *context, uint64_t number)
{
    struct trp_cbor_item *item = context;
    item->kind = TRP_CBOR_UNSIGNED;
    item->number = number;
}

static void on_uint8(void *context, uint8_t number)
{
    on_number(context, number);
}

static void on_uint16(void *context, uint16_t number)
{
    on_number(context, number);
}

static void on_uint32(void *context, uint32_t number)
{
    on_number(context, number);
}

static void on_bytes(void *context, cbor_data data, size_t size)
{
    struct trp_cbor_item *item = context;
    item->kind = TRP_CBOR_BYTES;
    item->bytes = trp_bytes(data, size);
}

static void on_text(void *context, cbor_data data, size_t size)
{
    struct trp_cbor_item *item = context;
    item->kind = TRP_CBOR_TEXT;
    item->bytes = trp_bytes(data, size);
}

static void on_array(void *context, size_t count)
{
    struct trp_cbor_item *item = context;
    item->kind = TRP_CBOR_ARRAY;
    item->number = count;
}

static void on_map(void *context, size_t count)
{
    struct trp_cbor_item *item = context;
    item->kind = TRP_CBOR_MAP;
    item->number = count;
}

static void on_indefinite(void *context, enum trp_cbor_kind kind)
{
    struct trp_cbor_item *item = context;
    item->kind = kind;
    item->indefinite = true;
}

static void on_indefinite_bytes(void *context)
{
    on_indefinite(context, TRP_CBOR_BYTES);
}

static void on_indefinite_text(void *context)
{
    on_indefinite(context, TRP_CBOR_TEXT);
}

static void on_indefinite_array(void *context)
{
    on_indefinite(context, TRP_CBOR_ARRAY);
}

static void on_indefinite_map(void *context)
{
    on_indefinite(context, TRP_CBOR_MAP);
}

static void on_tag(void *context, uint64_t tag)
{
    struct trp_cbor_item *item = context;
    item->kind = TRP_CBOR_TAG;
    item->number = tag;
}

static void on_null(void *context)
{
    struct trp_cbor_item *item = context;
    item->kind = TRP_CBOR_NULL;
}

static void on_bool(void *context, bool value)
{
    struct trp_cbor_item *item = context;
    item->kind = TRP_CBOR_BOOL;
    item->number = value;
}

static void on_break(void *context)
{
    struct trp_cbor_item *item = context;
    item->kind = TRP_CBOR_BREAK;
}

/* Those that note nothing leave TRP_CBOR_OTHER. */
static const struct cbor_callbacks callbacks = {.uint8 = on_uint8,
                                                .uint16 = on_uint16,
                                                .uint32 = on_uint32,
                                                .uint64 = on_number,
                                                .negint8 = cbor_null_negint8_callback,
                                                .negint16 = cbor_null_negint16_callback,
                                                .negint32 = cbor_null_negint32_callback,
                                                .negint64 = cbor_null_negint64_callback,
                                                .byte_string_start = on_indefinite_bytes,
                                                .byte_string = on_bytes,
                                                .string_start = on_indefinite_text,
                                                .string = on_text,
                                                .indef_array_start = on_indefinite_array,
                                                .array_start = on_array,
                                                .indef_map_start = on_indefinite_map,
                                                .map_start = on_map,
                                                .tag = on_tag,
                                                .float2 = cbor_null_float2_callback,
                                                .float4 = cbor_null_float4_callback,
                                                .float8 = cbor_null_float8_callback,
                                                .undefined = cbor_null_undefined_callback,
                                                .null = on_null,
                                                .boolean = on_bool,
                                                .indef_break = on_break};

/* ---- items ---- */

enum trp_status trp_cbor_next(struct trp_cbor_reader *reader, struct trp_cbor_item *ret_item)
{
    struct trp_cbor_item item = {.kind = TRP_CBOR_OTHER};
    if (reader->at >= reader->in.size) {
        return TRP_EMALFORMED;
    }
    struct cbor_decoder_result result = cbor_stream_decode(
        reader->in.data + reader->at, reader->in.size - reader->at, &callbacks, &item);
    if (result.status != CBOR_DECODER_FINISHED) {
        return TRP_EMALFORMED;
    }
    reader->at += result.read;
    *ret_item = item;
    return TRP_OK;
}

enum trp_cbor_kind trp_cbor_peek(const struct trp_cbor_reader *reader)
{
    struct trp_cbor_reader copy = *reader;
    struct trp_cbor_item item;
    return trp_cbor_next(&copy, &item) == TRP_OK ? item.kind : TRP_CBOR_OTHER;
}

enum trp_status trp_cbor_expect(struct trp_cbor_reader *reader, enum trp_cbor_kind kind,
                                struct trp_cbor_item *ret_item)
{
    struct trp_cbor_item item;
    enum trp_status status = trp_cbor_next(reader, &item);
    if (status != TRP_OK) {
        return status;
    }
    if (item.kind != kind || item.indefinite) {
        return TRP_EMALFORMED;
    }
    *ret_item = item;
    return TRP_OK;
}

enum trp_status trp_cbor_text(struct trp_cbor_reader *reader, struct trp_bytes *ret_text)
{
    struct trp_cbor_item item;
    enum trp_status status = trp_cbor_expect(reader, TRP_CBOR_TEXT, &item);
    if (status != TRP_OK) {
        return status;
    }
    if (!trp_utf8_is_valid(item.bytes)) {
        return TRP_EMALFORMED;
    }
    *ret_text = item.bytes;
    return TRP_OK;
}

enum trp_status trp_cbor_skip(struct trp_cbor_reader *reader, uint32_t depth)
{
    struct trp_cbor_item item;
    enum trp_status status = depth == 0 ? TRP_ETOOBIG : trp_cbor_next(reader, &item);
    if (status != TRP_OK) {
        return status;
    }
    if (item.kind == TRP_CBOR_BREAK) {
        return TRP_EMALFORMED;
    }
    if (item.kind == TRP_CBOR_TAG) {
        return trp_cbor_skip(reader, depth - 1);
    }
    uint64_t parts = 0;
    if (item.kind == TRP_CBOR_ARRAY || item.kind == TRP_CBOR_MAP) {
        if (item.number > reader->in.size) { /* each takes a byte at least */
            return TRP_EMALFORMED;
        }
        parts = item.kind == TRP_CBOR_MAP ? 2 * item.number : item.number;
    }
    for (uint64_t i = 0; status == TRP_OK && (item.indefinite || i < parts); i++) {
        if (item.indefinite && trp_cbor_peek(reader) == TRP_CBOR_BREAK) {
            return trp_cbor_next(reader, &item);
        }
        status = trp_cbor_skip(reader, depth - 1);
    }
    return status;
}

/* ---- structs ---- */

enum trp_status trp_cbor_struct_enter(struct trp_cbor_reader *reader,
                                      struct trp_cbor_struct *ret_struct)
{
    struct trp_cbor_item item;
    enum trp_status status = trp_cbor_next(reader, &item);
    if (status != TRP_OK) {
        return status;
    }
    if (item.kind != TRP_CBOR_MAP) {
        return TRP_EMALFORMED;
    }
    *ret_struct = (struct trp_cbor_struct){.indefinite = item.indefinite, .left = item.number};
    return TRP_OK;
}

enum trp_status trp_cbor_struct_next(struct trp_cbor_reader *reader, struct trp_cbor_struct *walk,
                                     struct trp_bytes *ret_key)
{
    struct trp_cbor_item item;
    if (!walk->indefinite && walk->left == 0) {
        *ret_key = TRP_BYTES_NONE;
        return TRP_OK;
    }
    enum trp_status status = trp_cbor_next(reader, &item);
    if (status != TRP_OK) {
        return status;
    }
    if (walk->indefinite && item.kind == TRP_CBOR_BREAK) {
        *ret_key = TRP_BYTES_NONE;
        return TRP_OK;
    }
    if (item.kind != TRP_CBOR_TEXT || item.indefinite || item.bytes.size == 0) {
        return TRP_EMALFORMED;
    }
    walk->left -= walk->indefinite ? 0 : 1;
    *ret_key = item.bytes;
    return TRP_OK;
}
