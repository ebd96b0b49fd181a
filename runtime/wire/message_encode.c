/* SPDX-License-Identifier: MIT */
/* Messages to msgpack, as Kameo's rmp_serde::to_vec_named writes them. */
#include "base/assert.h"
#include "wire/actor_id.h"
#include "wire/utf8.h"
#include "wire/writer.h"

#include <troupe/message.h>

#include <msgpack.h>

const struct trp_message_type trp_unit_type = {.id = "()", .shape = TRP_SHAPE_UNIT};

/* msgpack-c's output: less than 0 stops nothing, the writer remembers. */
static int write_bytes(void *data, const char *bytes, size_t size)
{
    struct trp_writer *out = data;
    trp_writer_put(out, trp_bytes(bytes, size));
    return out->overflow ? -1 : 0;
}

static void pack_text(msgpack_packer *packer, struct trp_bytes text)
{
    (void)msgpack_pack_str_with_body(packer, text.data, text.size);
}

static void pack_bytes(msgpack_packer *packer, struct trp_bytes bytes)
{
    (void)msgpack_pack_bin_with_body(packer, bytes.data, bytes.size);
}

/* Kameo's RemoteActorRef: a struct with the ActorId; no actor is its Option's None. */
static void pack_ref(msgpack_packer *packer, const struct trp_actor_ref *ref)
{
    uint8_t bytes[TRP_ACTOR_REF_BYTES_MAX];
    if (ref->id == 0) {
        (void)msgpack_pack_nil(packer);
        return;
    }
    (void)msgpack_pack_map(packer, 1);
    pack_text(packer, trp_bytes_text("id"));
    pack_bytes(packer, trp_bytes(bytes, trp_actor_id_encode(ref, bytes)));
}

/* A field in memory. */
union value {
    bool boolean;
    uint32_t u32;
    uint64_t u64;
    int32_t i32;
    int64_t i64;
    float f32;
    double f64;
    struct trp_bytes bytes;
    struct trp_actor_ref ref;
};

static const size_t value_bytes[] = {
#define VALUE_BYTES(name, ctype) [TRP_FIELD_##name] = sizeof(ctype),
    TRP_MESSAGE_FIELD_TYPES(VALUE_BYTES)
#undef VALUE_BYTES
};

static enum trp_status pack_field(msgpack_packer *packer, const struct trp_message_field *field,
                                  const uint8_t *message)
{
    union value value;
    memcpy(&value, message + field->offset, value_bytes[field->type]);
    switch (field->type) {
    case TRP_FIELD_BOOL:
        (void)(value.boolean ? msgpack_pack_true(packer) : msgpack_pack_false(packer));
        break;
    case TRP_FIELD_U32:
        (void)msgpack_pack_uint32(packer, value.u32);
        break;
    case TRP_FIELD_U64:
        (void)msgpack_pack_uint64(packer, value.u64);
        break;
    case TRP_FIELD_I32:
        (void)msgpack_pack_int32(packer, value.i32);
        break;
    case TRP_FIELD_I64:
        (void)msgpack_pack_int64(packer, value.i64);
        break;
    case TRP_FIELD_F32:
        (void)msgpack_pack_float(packer, value.f32);
        break;
    case TRP_FIELD_F64:
        (void)msgpack_pack_double(packer, value.f64);
        break;
    case TRP_FIELD_TEXT:
        if (!trp_utf8_is_valid(value.bytes)) {
            return TRP_EENCODE;
        }
        pack_text(packer, value.bytes);
        break;
    case TRP_FIELD_BYTES:
        pack_bytes(packer, value.bytes);
        break;
    case TRP_FIELD_REF:
        pack_ref(packer, &value.ref);
        break;
    }
    return TRP_OK;
}

enum trp_status trp_message_encode(const struct trp_message_type *type, const void *message,
                                   uint8_t *out, size_t room, size_t *ret_size)
{
    struct trp_writer writer = trp_writer_init(out, room);
    msgpack_packer packer;
    msgpack_packer_init(&packer, &writer, write_bytes);
    TRP_ASSERT(message != NULL || type->fields_count == 0);
    TRP_ASSERT(type->shape != TRP_SHAPE_NEWTYPE || type->fields_count == 1);
    if (type->shape == TRP_SHAPE_UNIT) {
        (void)msgpack_pack_nil(&packer);
    } else if (type->fields_count == 0) {
        (void)msgpack_pack_array(&packer, 0); /* `struct S;` and `struct S {}` both read it */
    } else if (type->shape == TRP_SHAPE_MAP) {
        (void)msgpack_pack_map(&packer, type->fields_count);
    }
    for (uint32_t i = 0; i < type->fields_count && !writer.overflow; i++) {
        if (type->shape == TRP_SHAPE_MAP) {
            pack_text(&packer, trp_bytes_text(type->fields[i].name));
        }
        enum trp_status status = pack_field(&packer, &type->fields[i], message);
        if (status != TRP_OK) {
            return status;
        }
    }
    return trp_writer_end(&writer, ret_size);
}
