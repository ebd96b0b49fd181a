/* SPDX-License-Identifier: MIT */
/* Messages to msgpack, as Kameo's rmp_serde::to_vec_named writes them. */
#include "base/assert.h"
#include "wire/actor_id.h"
#include "wire/message.h"
#include "wire/msgpack_writer.h"
#include "wire/utf8.h"

struct encoder {
    struct trp_msgpack_writer out;
    const struct trp_peer_id *self; /* may be NULL */
    uint32_t depth;
    bool measures; /* nothing is written, so nothing is checked that a second pass will see */
};

/* A scalar in memory. */
union value {
    bool boolean;
    uint8_t u8;
    uint16_t u16;
    uint32_t u32;
    uint64_t u64;
    int8_t i8;
    int16_t i16;
    int32_t i32;
    int64_t i64;
    struct trp_bytes bytes;
    struct trp_actor_ref ref;
    struct trp_duration duration;
};

static enum trp_status write_value(struct encoder *encoder, const struct trp_message_type *type,
                                   const uint8_t *from);

/* ---- scalars ---- */

static enum trp_status write_text(struct encoder *encoder, struct trp_bytes text)
{
    if (text.size > UINT32_MAX || (!encoder->measures && !trp_utf8_is_valid(text))) {
        return TRP_EENCODE;
    }
    trp_msgpack_put_text(&encoder->out, text.data, text.size);
    return TRP_OK;
}

static enum trp_status write_bytes(struct encoder *encoder, struct trp_bytes bytes)
{
    if (bytes.size > UINT32_MAX) {
        return TRP_EENCODE;
    }
    trp_msgpack_put_bytes(&encoder->out, bytes);
    return TRP_OK;
}

static enum trp_status write_char(struct encoder *encoder, uint32_t point)
{
    uint8_t text[TRP_UTF8_BYTES_MAX];
    size_t size = trp_utf8_encode(point, text);
    trp_msgpack_put_text(&encoder->out, text, size);
    return size == 0 ? TRP_EENCODE : TRP_OK;
}

/* Each octet is a number: one byte, from 128 on two. */
static enum trp_status write_octets(struct encoder *encoder, struct trp_bytes octets)
{
    struct trp_msgpack_writer *out = &encoder->out;
    if (octets.size > UINT32_MAX) {
        return TRP_EENCODE;
    }
    trp_msgpack_put_array(out, octets.size);
    size_t size = octets.size;
    for (size_t i = 0; i < octets.size; i++) {
        size += octets.data[i] >> 7;
    }
    if (out->size <= out->room && size <= out->room - out->size) {
        uint8_t *at = out->out + out->size;
        for (size_t i = 0; i < octets.size; i++) {
            if (octets.data[i] >= 0x80) {
                *at++ = 0xcc;
            }
            *at++ = octets.data[i];
        }
    }
    out->size += size;
    return TRP_OK;
}

static void write_actor_id(struct encoder *encoder, const struct trp_actor_ref *ref)
{
    uint8_t bytes[TRP_ACTOR_REF_BYTES_MAX];
    struct trp_actor_ref named = *ref;
    if (named.peer.size == 0 && encoder->self != NULL) {
        named.peer = *encoder->self;
    }
    trp_msgpack_put_bytes(&encoder->out, trp_bytes(bytes, trp_actor_id_encode(&named, bytes)));
}

/* Kameo's RemoteActorRef: a struct with the ActorId; no actor is its Option's None. */
static void write_ref(struct encoder *encoder, const struct trp_actor_ref *ref)
{
    if (ref->id == 0) {
        trp_msgpack_put_nil(&encoder->out);
        return;
    }
    trp_msgpack_put_map(&encoder->out, 1);
    trp_msgpack_put_text(&encoder->out, "id", 2);
    write_actor_id(encoder, ref);
}

static void write_unsigned(struct encoder *encoder, size_t size, const union value *value)
{
    trp_msgpack_put_unsigned(&encoder->out, size == 8   ? value->u64
                                            : size == 4 ? value->u32
                                            : size == 2 ? value->u16
                                                        : value->u8);
}

static void write_signed(struct encoder *encoder, size_t size, const union value *value)
{
    trp_msgpack_put_signed(&encoder->out, size == 8   ? value->i64
                                          : size == 4 ? value->i32
                                          : size == 2 ? value->i16
                                                      : value->i8);
}

static enum trp_status write_scalar(struct encoder *encoder, const struct trp_message_type *type,
                                    const uint8_t *from)
{
    union value value = {.ref = {.id = 0}}; /* the largest */
    memcpy(&value, from, type->size);
    switch (type->kind) {
    case TRP_KIND_BOOL:
        trp_msgpack_put_bool(&encoder->out, value.boolean);
        return TRP_OK;
    case TRP_KIND_U8:
    case TRP_KIND_U16:
    case TRP_KIND_U32:
    case TRP_KIND_U64:
        write_unsigned(encoder, type->size, &value);
        return TRP_OK;
    case TRP_KIND_I8:
    case TRP_KIND_I16:
    case TRP_KIND_I32:
    case TRP_KIND_I64:
        write_signed(encoder, type->size, &value);
        return TRP_OK;
    case TRP_KIND_F32:
        trp_msgpack_put_f32(&encoder->out, value.u32);
        return TRP_OK;
    case TRP_KIND_F64:
        trp_msgpack_put_f64(&encoder->out, value.u64);
        return TRP_OK;
    case TRP_KIND_CHAR:
        return write_char(encoder, value.u32);
    case TRP_KIND_TEXT:
        return write_text(encoder, value.bytes);
    case TRP_KIND_BYTES:
        return write_bytes(encoder, value.bytes);
    case TRP_KIND_OCTETS:
        return write_octets(encoder, value.bytes);
    case TRP_KIND_REF:
        write_ref(encoder, &value.ref);
        return TRP_OK;
    case TRP_KIND_ACTOR_ID:
        write_actor_id(encoder, &value.ref);
        return TRP_OK;
    case TRP_KIND_DURATION:
        return write_value(encoder, &trp_duration_struct_type, from);
    case TRP_KIND_UNIT:
        trp_msgpack_put_nil(&encoder->out);
        return TRP_OK;
    case TRP_KIND_EMPTY:
        trp_msgpack_put_array(&encoder->out, 0); /* `struct S;` and `struct S {}` both read it */
        return TRP_OK;
    case TRP_KIND_NO_VALUE: /* its enum wrote all of it */
    case TRP_KIND_STRUCT:
    case TRP_KIND_TUPLE:
    case TRP_KIND_NEWTYPE:
    case TRP_KIND_ENUM:
    case TRP_KIND_LIST:
    case TRP_KIND_ARRAY:
    case TRP_KIND_MAP:
    case TRP_KIND_OPTION:
    case TRP_KIND_MAYBE:
    case TRP_KIND_BOX:
        break;
    }
    return TRP_OK;
}

/* ---- what is made of others ---- */

static enum trp_status write_fields(struct encoder *encoder, const struct trp_message_type *type,
                                    const uint8_t *from)
{
    bool named = type->kind == TRP_KIND_STRUCT;
    for (uint32_t i = 0; i < type->fields_count; i++) {
        const struct trp_message_field *field = &type->fields[i];
        if (named) {
            trp_msgpack_put_text(&encoder->out, field->name, field->name_bytes);
        }
        enum trp_status status = write_value(encoder, field->type, from + field->offset);
        if (status != TRP_OK) {
            return status;
        }
    }
    return TRP_OK;
}

static enum trp_status write_enum(struct encoder *encoder, const struct trp_message_type *type,
                                  const uint8_t *from)
{
    uint32_t kind;
    memcpy(&kind, from, sizeof kind);
    if (kind >= type->fields_count) {
        return TRP_EENCODE;
    }
    const struct trp_message_field *variant = &type->fields[kind];
    bool alone = variant->type->kind == TRP_KIND_NO_VALUE;
    if (!alone) {
        trp_msgpack_put_map(&encoder->out, 1);
    }
    trp_msgpack_put_text(&encoder->out, variant->name, variant->name_bytes);
    return alone ? TRP_OK : write_value(encoder, variant->type, from + variant->offset);
}

static enum trp_status write_items(struct encoder *encoder, const struct trp_message_type *item,
                                   const uint8_t *items, size_t count)
{
    enum trp_status status = TRP_OK;
    for (size_t i = 0; i < count && status == TRP_OK; i++) {
        status = write_value(encoder, item, items + i * item->size);
    }
    return status;
}

static enum trp_status write_list(struct encoder *encoder, const struct trp_message_type *type,
                                  const uint8_t *from)
{
    struct trp_message_items list;
    memcpy(&list, from, sizeof list);
    if (list.count > UINT32_MAX || (list.count > 0 && list.items == NULL)) {
        return TRP_EENCODE;
    }
    trp_msgpack_put_array(&encoder->out, list.count);
    return write_items(encoder, type->item, list.items, list.count);
}

static enum trp_status write_map(struct encoder *encoder, const struct trp_message_type *type,
                                 const uint8_t *from)
{
    struct trp_message_items map;
    const struct trp_message_type *entry = type->item;
    const struct trp_message_field *key = &entry->fields[0];
    const struct trp_message_field *value = &entry->fields[1];
    enum trp_status status = TRP_OK;
    TRP_ASSERT(entry->fields_count == 2);
    memcpy(&map, from, sizeof map);
    if (map.count > UINT32_MAX || (map.count > 0 && map.items == NULL)) {
        return TRP_EENCODE;
    }
    trp_msgpack_put_map(&encoder->out, map.count);
    const uint8_t *at = map.items;
    for (size_t i = 0; i < map.count && status == TRP_OK; i++, at += entry->size) {
        status = write_value(encoder, key->type, at + key->offset);
        if (status == TRP_OK) {
            status = write_value(encoder, value->type, at + value->offset);
        }
    }
    return status;
}

static enum trp_status write_pointer(struct encoder *encoder, const struct trp_message_type *type,
                                     const uint8_t *from)
{
    const void *target;
    memcpy(&target, from, sizeof target);
    if (target != NULL) {
        return write_value(encoder, type->item, target);
    }
    if (type->kind == TRP_KIND_BOX) {
        return TRP_EENCODE;
    }
    trp_msgpack_put_nil(&encoder->out);
    return TRP_OK;
}

static enum trp_status write_struct(struct encoder *encoder, const struct trp_message_type *type,
                                    const uint8_t *from)
{
    trp_msgpack_put_map(&encoder->out, type->fields_count);
    return write_fields(encoder, type, from);
}

static enum trp_status write_tuple(struct encoder *encoder, const struct trp_message_type *type,
                                   const uint8_t *from)
{
    trp_msgpack_put_array(&encoder->out, type->fields_count);
    return write_fields(encoder, type, from);
}

static enum trp_status write_array(struct encoder *encoder, const struct trp_message_type *type,
                                   const uint8_t *from)
{
    trp_msgpack_put_array(&encoder->out, type->items_count);
    return write_items(encoder, type->item, from, type->items_count);
}

static enum trp_status write_option(struct encoder *encoder, const struct trp_message_type *type,
                                    const uint8_t *from)
{
    bool has;
    memcpy(&has, from, sizeof has);
    if (has) {
        return write_value(encoder, type->item, from + type->offset);
    }
    trp_msgpack_put_nil(&encoder->out);
    return TRP_OK;
}

static enum trp_status (*const writers[])(struct encoder *, const struct trp_message_type *,
                                          const uint8_t *) = {
    [TRP_KIND_STRUCT] = write_struct, [TRP_KIND_TUPLE] = write_tuple,
    [TRP_KIND_ENUM] = write_enum,     [TRP_KIND_LIST] = write_list,
    [TRP_KIND_ARRAY] = write_array,   [TRP_KIND_MAP] = write_map,
    [TRP_KIND_OPTION] = write_option, [TRP_KIND_MAYBE] = write_pointer,
    [TRP_KIND_BOX] = write_pointer,
};

static enum trp_status write_value(struct encoder *encoder, const struct trp_message_type *type,
                                   const uint8_t *from)
{
    while (type->kind == TRP_KIND_NEWTYPE) {
        from += type->fields[0].offset;
        type = type->fields[0].type;
    }
    if (type->kind < TRP_KIND_STRUCT) {
        return write_scalar(encoder, type, from);
    }
    if (encoder->depth == TRP_MESSAGE_DEPTH_MAX) {
        return TRP_EENCODE;
    }
    encoder->depth++;
    enum trp_status status = writers[type->kind](encoder, type, from);
    encoder->depth--;
    return status;
}

/* ---- whole messages ---- */

static enum trp_status encode(struct encoder *encoder, const struct trp_message_type *type,
                              const void *message)
{
    static const struct trp_nil nothing;
    TRP_ASSERT(message != NULL || type->size == 0);
    return write_value(encoder, type, type->size == 0 ? &nothing.unused : message);
}

enum trp_status trp_message_encode_from(const struct trp_message_type *type, const void *message,
                                        const struct trp_peer_id *self, uint8_t *out, size_t room,
                                        size_t *ret_size)
{
    struct encoder encoder = {.out = {.out = out, .room = room}, .self = self};
    enum trp_status status = encode(&encoder, type, message);
    if (status == TRP_OK && encoder.out.size > room) {
        status = TRP_ETOOBIG;
    }
    if (status == TRP_OK) {
        *ret_size = encoder.out.size;
    }
    return status;
}

enum trp_status trp_message_encoded_bytes_from(const struct trp_message_type *type,
                                               const void *message, const struct trp_peer_id *self,
                                               size_t *ret_bytes)
{
    struct encoder encoder = {.self = self, .measures = true};
    enum trp_status status = encode(&encoder, type, message);
    if (status == TRP_OK) {
        *ret_bytes = encoder.out.size;
    }
    return status;
}

enum trp_status trp_message_encode(const struct trp_message_type *type, const void *message,
                                   uint8_t *out, size_t room, size_t *ret_size)
{
    return trp_message_encode_from(type, message, NULL, out, room, ret_size);
}

enum trp_status trp_message_encoded_bytes(const struct trp_message_type *type, const void *message,
                                          size_t *ret_bytes)
{
    return trp_message_encoded_bytes_from(type, message, NULL, ret_bytes);
}
