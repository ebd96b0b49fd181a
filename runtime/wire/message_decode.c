/* SPDX-License-Identifier: MIT */
/* Messages from msgpack, with the leniency of rmp_serde. */
#include "base/assert.h"
#include "wire/actor_id.h"
#include "wire/msgpack_reader.h"
#include "wire/utf8.h"

#include <troupe/message.h>

#define FIELDS_MAX 64u

/* ---- values ---- */

static bool is_within(const struct trp_msgpack_item *item, int64_t min, uint64_t max)
{
    if (item->kind == TRP_MSGPACK_UNSIGNED) {
        return item->number <= max;
    }
    return item->kind == TRP_MSGPACK_NEGATIVE && (int64_t)item->number >= min;
}

/* Any number will do for a floating one, as in serde. */
static bool to_f64(const struct trp_msgpack_item *item, double *ret_value)
{
    uint32_t bits = (uint32_t)item->number;
    float narrow;
    switch (item->kind) {
    case TRP_MSGPACK_F64:
        memcpy(ret_value, &item->number, sizeof *ret_value);
        return true;
    case TRP_MSGPACK_F32:
        memcpy(&narrow, &bits, sizeof narrow);
        *ret_value = (double)narrow;
        return true;
    case TRP_MSGPACK_UNSIGNED:
        *ret_value = (double)item->number;
        return true;
    case TRP_MSGPACK_NEGATIVE:
        *ret_value = (double)(int64_t)item->number;
        return true;
    case TRP_MSGPACK_NIL:
    case TRP_MSGPACK_BOOL:
    case TRP_MSGPACK_TEXT:
    case TRP_MSGPACK_BYTES:
    case TRP_MSGPACK_EXT:
    case TRP_MSGPACK_ARRAY:
    case TRP_MSGPACK_MAP:
        break;
    }
    return false;
}

/* Rust's Vec<u8>: an array of integers, which can be borrowed while each is its own byte. */
static enum trp_status read_byte_array(struct trp_msgpack_reader *reader, uint64_t count,
                                       struct trp_bytes *ret_bytes)
{
    if (count > reader->in.size - reader->at) {
        return TRP_EDECODE;
    }
    *ret_bytes = trp_bytes(reader->in.data + reader->at, (size_t)count);
    for (size_t i = 0; i < ret_bytes->size; i++) {
        if (ret_bytes->data[i] >= 0x80) {
            return TRP_EDECODE;
        }
    }
    reader->at += ret_bytes->size;
    return TRP_OK;
}

static enum trp_status read_slice(struct trp_msgpack_reader *reader, bool text,
                                  struct trp_bytes *ret_bytes)
{
    struct trp_msgpack_item item;
    enum trp_status status = trp_msgpack_next(reader, &item);
    if (status != TRP_OK) {
        return status;
    }
    if (!text && item.kind == TRP_MSGPACK_ARRAY) {
        return read_byte_array(reader, item.number, ret_bytes);
    }
    bool fits = item.kind == TRP_MSGPACK_BYTES || (text && item.kind == TRP_MSGPACK_TEXT);
    if (!fits || (text && !trp_utf8_is_valid(item.bytes))) {
        return TRP_EDECODE;
    }
    *ret_bytes = item.bytes;
    return TRP_OK;
}

static enum trp_status read_actor_id(const struct trp_msgpack_item *item,
                                     struct trp_actor_ref *ret_ref)
{
    return item->kind == TRP_MSGPACK_BYTES && trp_actor_id_decode(item->bytes, ret_ref) == TRP_OK
               ? TRP_OK
               : TRP_EDECODE;
}

/* Passes over a key, and says whether it is "id". */
static enum trp_status read_ref_key(struct trp_msgpack_reader *reader, bool *ret_is_id)
{
    struct trp_msgpack_reader at_key = *reader;
    struct trp_msgpack_item key;
    enum trp_status status = trp_msgpack_skip(reader);
    *ret_is_id = status == TRP_OK && trp_msgpack_next(&at_key, &key) == TRP_OK &&
                 key.kind == TRP_MSGPACK_TEXT && trp_bytes_equal(key.bytes, trp_bytes_text("id"));
    return status;
}

/* The struct's values: {"id": ActorId}, or [ActorId]. */
static enum trp_status read_ref_struct(struct trp_msgpack_reader *reader,
                                       const struct trp_msgpack_item *head,
                                       struct trp_actor_ref *ret_ref)
{
    struct trp_msgpack_item item;
    bool found = false;
    for (uint64_t i = 0; i < head->number; i++) {
        bool is_id = i == 0;
        enum trp_status status = TRP_OK;
        if (head->kind == TRP_MSGPACK_MAP) {
            status = read_ref_key(reader, &is_id);
        }
        if (status == TRP_OK) {
            status = is_id ? trp_msgpack_next(reader, &item) : trp_msgpack_skip(reader);
        }
        if (status == TRP_OK && is_id) {
            status = read_actor_id(&item, ret_ref);
            found = true;
        }
        if (status != TRP_OK) {
            return status;
        }
    }
    return found ? TRP_OK : TRP_EDECODE;
}

/* RemoteActorRef: a struct; an ActorId alone; nil for no actor. */
static enum trp_status read_ref(struct trp_msgpack_reader *reader, struct trp_actor_ref *ret_ref)
{
    struct trp_msgpack_item item;
    enum trp_status status = trp_msgpack_next(reader, &item);
    if (status != TRP_OK) {
        return status;
    }
    if (item.kind == TRP_MSGPACK_NIL) {
        *ret_ref = (struct trp_actor_ref){.id = 0};
        return TRP_OK;
    }
    if (item.kind == TRP_MSGPACK_MAP || item.kind == TRP_MSGPACK_ARRAY) {
        return read_ref_struct(reader, &item, ret_ref);
    }
    return read_actor_id(&item, ret_ref);
}

/* ---- fields ---- */

static enum trp_status store_number(const struct trp_msgpack_item *item,
                                    enum trp_message_field_type type, uint8_t *out)
{
    const uint64_t number = item->number;
    const uint32_t low = (uint32_t)number;
    double f64;
    float f32;
    switch (type) {
    case TRP_FIELD_BOOL:
        if (item->kind != TRP_MSGPACK_BOOL) {
            return TRP_EDECODE;
        }
        memcpy(out, &(bool){number != 0}, sizeof(bool));
        return TRP_OK;
    case TRP_FIELD_U32:
        memcpy(out, &low, sizeof low);
        return is_within(item, 0, UINT32_MAX) ? TRP_OK : TRP_EDECODE;
    case TRP_FIELD_U64:
        memcpy(out, &number, sizeof number);
        return is_within(item, 0, UINT64_MAX) ? TRP_OK : TRP_EDECODE;
    case TRP_FIELD_I32:
        memcpy(out, &low, sizeof low);
        return is_within(item, INT32_MIN, INT32_MAX) ? TRP_OK : TRP_EDECODE;
    case TRP_FIELD_I64:
        memcpy(out, &number, sizeof number);
        return is_within(item, INT64_MIN, INT64_MAX) ? TRP_OK : TRP_EDECODE;
    case TRP_FIELD_F32:
    case TRP_FIELD_F64:
        if (!to_f64(item, &f64)) {
            return TRP_EDECODE;
        }
        f32 = (float)f64;
        memcpy(out, type == TRP_FIELD_F32 ? (const void *)&f32 : &f64,
               type == TRP_FIELD_F32 ? sizeof f32 : sizeof f64);
        return TRP_OK;
    case TRP_FIELD_TEXT:
    case TRP_FIELD_BYTES:
    case TRP_FIELD_REF:
        break;
    }
    return TRP_EDECODE;
}

static enum trp_status read_field(struct trp_msgpack_reader *reader,
                                  const struct trp_message_field *field, uint8_t *message)
{
    struct trp_msgpack_item item;
    struct trp_bytes bytes;
    struct trp_actor_ref ref;
    enum trp_status status;
    uint8_t *out = message + field->offset;
    if (field->type == TRP_FIELD_TEXT || field->type == TRP_FIELD_BYTES) {
        status = read_slice(reader, field->type == TRP_FIELD_TEXT, &bytes);
        if (status == TRP_OK) {
            memcpy(out, &bytes, sizeof bytes);
        }
        return status;
    }
    if (field->type == TRP_FIELD_REF) {
        status = read_ref(reader, &ref);
        if (status == TRP_OK) {
            memcpy(out, &ref, sizeof ref);
        }
        return status;
    }
    status = trp_msgpack_next(reader, &item);
    return status == TRP_OK ? store_number(&item, field->type, out) : status;
}

/* Finds a field by its name; most messages come in the order that they are declared in. */
static uint32_t find_field(const struct trp_message_type *type, struct trp_bytes name,
                           uint32_t expected)
{
    for (uint32_t i = 0; i < type->fields_count; i++) {
        uint32_t index = (expected + i) % type->fields_count;
        if (trp_bytes_equal(trp_bytes_text(type->fields[index].name), name)) {
            return index;
        }
    }
    return type->fields_count;
}

static enum trp_status read_map(struct trp_msgpack_reader *reader, uint64_t pairs,
                                const struct trp_message_type *type, uint8_t *message)
{
    uint64_t seen = 0;
    uint32_t expected = 0;
    struct trp_msgpack_item key;
    for (uint64_t i = 0; i < pairs; i++) {
        struct trp_msgpack_reader at_key = *reader;
        enum trp_status status = trp_msgpack_next(reader, &key);
        if (status != TRP_OK) {
            return status;
        }
        uint32_t index = type->fields_count;
        if (key.kind == TRP_MSGPACK_TEXT) {
            index = find_field(type, key.bytes, expected);
        } else {
            *reader = at_key;
            status = trp_msgpack_skip(reader);
        }
        if (status == TRP_OK && index < type->fields_count) {
            seen |= UINT64_C(1) << index;
            expected = index + 1;
            status = read_field(reader, &type->fields[index], message);
        } else if (status == TRP_OK) {
            status = trp_msgpack_skip(reader);
        }
        if (status != TRP_OK) {
            return status;
        }
    }
    uint64_t all =
        type->fields_count == FIELDS_MAX ? UINT64_MAX : (UINT64_C(1) << type->fields_count) - 1;
    return seen == all ? TRP_OK : TRP_EDECODE;
}

static enum trp_status read_array(struct trp_msgpack_reader *reader, uint64_t count,
                                  const struct trp_message_type *type, uint8_t *message)
{
    enum trp_status status = count < type->fields_count ? TRP_EDECODE : TRP_OK;
    for (uint32_t i = 0; status == TRP_OK && i < type->fields_count; i++) {
        status = read_field(reader, &type->fields[i], message);
    }
    return status; /* what the array has besides is as good as trailing */
}

enum trp_status trp_message_decode(const struct trp_message_type *type, struct trp_bytes in,
                                   void *ret_message)
{
    struct trp_msgpack_reader reader = {.in = in};
    struct trp_msgpack_item item;
    TRP_ASSERT(type->fields_count <= FIELDS_MAX);
    if (type->size > 0) {
        memset(ret_message, 0, type->size);
    }
    if (type->shape == TRP_SHAPE_NEWTYPE) {
        return read_field(&reader, &type->fields[0], ret_message);
    }
    enum trp_status status = trp_msgpack_next(&reader, &item);
    if (status != TRP_OK) {
        return status;
    }
    if (type->shape == TRP_SHAPE_UNIT) {
        return item.kind == TRP_MSGPACK_NIL ? TRP_OK : TRP_EDECODE;
    }
    switch (item.kind) {
    case TRP_MSGPACK_MAP:
        return read_map(&reader, item.number, type, ret_message);
    case TRP_MSGPACK_ARRAY:
        return read_array(&reader, item.number, type, ret_message);
    case TRP_MSGPACK_NIL: /* Rust's unit struct */
        return type->fields_count == 0 ? TRP_OK : TRP_EDECODE;
    case TRP_MSGPACK_BOOL:
    case TRP_MSGPACK_UNSIGNED:
    case TRP_MSGPACK_NEGATIVE:
    case TRP_MSGPACK_F32:
    case TRP_MSGPACK_F64:
    case TRP_MSGPACK_TEXT:
    case TRP_MSGPACK_BYTES:
    case TRP_MSGPACK_EXT:
        break;
    }
    return TRP_EDECODE;
}
