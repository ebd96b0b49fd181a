/* SPDX-License-Identifier: MIT */
#include <troupe/message.h>

#include "wire/actor_id.h"
#include "wire/msgpack_check.h"

#include <msgpack.h>

const struct trp_message_type trp_unit_type = {.id = "()", .shape = TRP_SHAPE_UNIT};

/* ---- encoding ---- */

struct writer {
    uint8_t *out;
    size_t room;
    size_t size;
};

static int writer_write(void *self, const char *data, size_t size)
{
    struct writer *writer = self;
    if (size > writer->room - writer->size) {
        return -1;
    }
    memcpy(writer->out + writer->size, data, size);
    writer->size += size;
    return 0;
}

static int pack_text(msgpack_packer *packer, struct trp_bytes text)
{
    int failed = msgpack_pack_str(packer, text.size);
    return failed != 0 || text.size == 0 ? failed
                                         : msgpack_pack_str_body(packer, text.data, text.size);
}

static int pack_bin(msgpack_packer *packer, struct trp_bytes bytes)
{
    int failed = msgpack_pack_bin(packer, bytes.size);
    return failed != 0 || bytes.size == 0 ? failed
                                          : msgpack_pack_bin_body(packer, bytes.data, bytes.size);
}

/* A ref is what Kameo's RemoteActorRef serialises to: {"id": bytes}. */
static int pack_ref(msgpack_packer *packer, const struct trp_actor_ref *ref)
{
    uint8_t id[TRP_ACTOR_REF_BYTES_MAX];
    size_t size = trp_actor_id_encode(ref, id);
    return msgpack_pack_map(packer, 1) | pack_text(packer, trp_bytes_text("id")) |
           pack_bin(packer, trp_bytes(id, size));
}

static int pack_field(msgpack_packer *packer, const struct trp_message_field *field,
                      const void *message)
{
    const void *at = (const uint8_t *)message + field->offset;
    switch (field->type) {
    case TRP_FIELD_BOOL:
        return *(const bool *)at ? msgpack_pack_true(packer) : msgpack_pack_false(packer);
    case TRP_FIELD_U32:
        return msgpack_pack_uint32(packer, *(const uint32_t *)at);
    case TRP_FIELD_U64:
        return msgpack_pack_uint64(packer, *(const uint64_t *)at);
    case TRP_FIELD_I32:
        return msgpack_pack_int32(packer, *(const int32_t *)at);
    case TRP_FIELD_I64:
        return msgpack_pack_int64(packer, *(const int64_t *)at);
    case TRP_FIELD_F32:
        return msgpack_pack_float(packer, *(const float *)at);
    case TRP_FIELD_F64:
        return msgpack_pack_double(packer, *(const double *)at);
    case TRP_FIELD_TEXT:
        return pack_text(packer, *(const struct trp_bytes *)at);
    case TRP_FIELD_BYTES:
        return pack_bin(packer, *(const struct trp_bytes *)at);
    case TRP_FIELD_REF:
        return pack_ref(packer, at);
    }
    return -1;
}

enum trp_status trp_message_encode(const struct trp_message_type *type, const void *message,
                                   uint8_t *out, size_t room, size_t *ret_size)
{
    struct writer writer = {.out = out, .room = room};
    msgpack_packer packer;
    msgpack_packer_init(&packer, &writer, writer_write);
    int failed = 0;
    switch (type->shape) {
    case TRP_SHAPE_UNIT:
        failed = msgpack_pack_nil(&packer);
        break;
    case TRP_SHAPE_NEWTYPE:
        failed = pack_field(&packer, &type->fields[0], message);
        break;
    case TRP_SHAPE_MAP:
        failed = msgpack_pack_map(&packer, type->fields_count);
        for (uint32_t i = 0; i < type->fields_count && failed == 0; i++) {
            failed = pack_text(&packer, trp_bytes_text(type->fields[i].name)) |
                     pack_field(&packer, &type->fields[i], message);
        }
        break;
    }
    if (failed != 0) {
        return TRP_ETOOBIG;
    }
    *ret_size = writer.size;
    return TRP_OK;
}

/* ---- decoding ---- */

static bool take_unsigned(const msgpack_object *value, uint64_t max, uint64_t *ret)
{
    if (value->type != MSGPACK_OBJECT_POSITIVE_INTEGER || value->via.u64 > max) {
        return false;
    }
    *ret = value->via.u64;
    return true;
}

static bool take_signed(const msgpack_object *value, int64_t min, int64_t max, int64_t *ret)
{
    uint64_t positive;
    if (take_unsigned(value, (uint64_t)max, &positive)) {
        *ret = (int64_t)positive;
        return true;
    }
    if (value->type != MSGPACK_OBJECT_NEGATIVE_INTEGER || value->via.i64 < min) {
        return false;
    }
    *ret = value->via.i64;
    return true;
}

static bool take_double(const msgpack_object *value, double *ret)
{
    if (value->type != MSGPACK_OBJECT_FLOAT32 && value->type != MSGPACK_OBJECT_FLOAT64) {
        return false;
    }
    *ret = value->via.f64;
    return true;
}

static bool is_key(const msgpack_object *key, const char *name)
{
    return key->type == MSGPACK_OBJECT_STR &&
           trp_bytes_equal(trp_bytes(key->via.str.ptr, key->via.str.size), trp_bytes_text(name));
}

static const msgpack_object *find_key(const msgpack_object *map, const char *name)
{
    for (uint32_t i = 0; i < map->via.map.size; i++) {
        if (is_key(&map->via.map.ptr[i].key, name)) {
            return &map->via.map.ptr[i].val;
        }
    }
    return NULL;
}

static bool take_ref(const msgpack_object *value, struct trp_actor_ref *ret)
{
    if (value->type == MSGPACK_OBJECT_MAP) {
        value = find_key(value, "id");
    } else if (value->type == MSGPACK_OBJECT_ARRAY && value->via.array.size == 1) {
        value = &value->via.array.ptr[0];
    }
    return value != NULL && value->type == MSGPACK_OBJECT_BIN &&
           trp_actor_id_decode(trp_bytes(value->via.bin.ptr, value->via.bin.size), ret) == TRP_OK;
}

static bool take_field(const msgpack_object *value, const struct trp_message_field *field,
                       void *message)
{
    void *at = (uint8_t *)message + field->offset;
    uint64_t number;
    int64_t integer;
    double real;
    switch (field->type) {
    case TRP_FIELD_BOOL:
        *(bool *)at = value->type == MSGPACK_OBJECT_BOOLEAN && value->via.boolean;
        return value->type == MSGPACK_OBJECT_BOOLEAN;
    case TRP_FIELD_U32:
        if (!take_unsigned(value, UINT32_MAX, &number)) {
            return false;
        }
        *(uint32_t *)at = (uint32_t)number;
        return true;
    case TRP_FIELD_U64:
        return take_unsigned(value, UINT64_MAX, at);
    case TRP_FIELD_I32:
        if (!take_signed(value, INT32_MIN, INT32_MAX, &integer)) {
            return false;
        }
        *(int32_t *)at = (int32_t)integer;
        return true;
    case TRP_FIELD_I64:
        return take_signed(value, INT64_MIN, INT64_MAX, at);
    case TRP_FIELD_F32:
        if (!take_double(value, &real)) {
            return false;
        }
        *(float *)at = (float)real;
        return true;
    case TRP_FIELD_F64:
        return take_double(value, at);
    case TRP_FIELD_TEXT:
        *(struct trp_bytes *)at = trp_bytes(value->via.str.ptr, value->via.str.size);
        return value->type == MSGPACK_OBJECT_STR;
    case TRP_FIELD_BYTES:
        *(struct trp_bytes *)at = trp_bytes(value->via.bin.ptr, value->via.bin.size);
        return value->type == MSGPACK_OBJECT_BIN;
    case TRP_FIELD_REF:
        return take_ref(value, at);
    }
    return false;
}

static bool take_fields(const msgpack_object *value, const struct trp_message_type *type,
                        void *message)
{
    bool is_array = value->type == MSGPACK_OBJECT_ARRAY;
    if (!is_array && value->type != MSGPACK_OBJECT_MAP) {
        return type->fields_count == 0 && value->type == MSGPACK_OBJECT_NIL;
    }
    for (uint32_t i = 0; i < type->fields_count; i++) {
        const msgpack_object *field = NULL;
        if (!is_array) {
            field = find_key(value, type->fields[i].name);
        } else if (i < value->via.array.size) {
            field = &value->via.array.ptr[i];
        }
        if (field == NULL || !take_field(field, &type->fields[i], message)) {
            return false;
        }
    }
    return true;
}

enum trp_status trp_message_decode(const struct trp_message_type *type, struct trp_bytes in,
                                   void *ret_message)
{
    size_t size;
    if (trp_msgpack_check(in, &size) != TRP_OK) {
        return TRP_EDECODE;
    }
    msgpack_unpacked unpacked;
    msgpack_unpacked_init(&unpacked);
    size_t offset = 0;
    bool decoded = false;
    if (msgpack_unpack_next(&unpacked, (const char *)in.data, size, &offset) ==
        MSGPACK_UNPACK_SUCCESS) {
        switch (type->shape) {
        case TRP_SHAPE_UNIT:
            decoded = unpacked.data.type == MSGPACK_OBJECT_NIL;
            break;
        case TRP_SHAPE_NEWTYPE:
            decoded = take_field(&unpacked.data, &type->fields[0], ret_message);
            break;
        case TRP_SHAPE_MAP:
            decoded = take_fields(&unpacked.data, type, ret_message);
            break;
        }
    }
    msgpack_unpacked_destroy(&unpacked);
    return decoded ? TRP_OK : TRP_EDECODE;
}
