/* SPDX-License-Identifier: MIT */
/* The types that messages are made of. */
#include "wire/message.h"

const struct trp_message_type trp_scalar_types[] = {
#define SCALAR_TYPE(name, ctype)                                                                   \
    [TRP_KIND_##name] = {.kind = TRP_KIND_##name, .size = sizeof(ctype)},
    TRP_MESSAGE_SCALARS(SCALAR_TYPE)
#undef SCALAR_TYPE
};

TRP_MESSAGE_DEFINE_UNIT(trp_unit, "()");

static const struct trp_message_field duration_fields[] = {
    {"secs", TRP_TYPE_U64, 4, offsetof(struct trp_duration, secs)},
    {"nanos", TRP_TYPE_U32, 5, offsetof(struct trp_duration, nanos)}};

const struct trp_message_type trp_duration_struct_type = {.kind = TRP_KIND_STRUCT,
                                                          .size = sizeof(struct trp_duration),
                                                          .fields_count = 2,
                                                          .fields = duration_fields};

/* Ends for every type: a type is in itself only behind a pointer. `always`: every value has it. */
static void parts_add(struct trp_message_parts *parts, const struct trp_message_type *type,
                      uint32_t offset, bool always)
{
    bool inside = type->kind == TRP_KIND_OPTION || type->kind == TRP_KIND_ARRAY;
    if (inside) {
        parts_add(parts, type->item, offset, false);
    } else if (type->item != NULL) {
        parts->any = true;
        parts->memory = true;
        parts->scattered = true;
    } else if (type->kind >= TRP_KIND_TEXT && type->kind <= TRP_KIND_OCTETS) {
        bool listed = always && parts->slices_count < TRP_MESSAGE_SLICES_MAX;
        parts->any = true;
        parts->scattered = parts->scattered || !listed;
        if (listed) {
            parts->slices[parts->slices_count++] = offset;
        }
    }
    for (uint32_t i = 0; i < type->fields_count; i++) {
        const struct trp_message_field *field = &type->fields[i];
        parts_add(parts, field->type, offset + field->offset,
                  always && type->kind != TRP_KIND_ENUM);
    }
}

struct trp_message_parts trp_message_parts_of(const struct trp_message_type *type)
{
    struct trp_message_parts parts = {.any = false};
    parts_add(&parts, type, 0, true);
    return parts;
}

enum trp_status trp_message_find_field(const struct trp_message_type *type,
                                       const struct trp_msgpack_item *key, uint32_t expected,
                                       uint32_t *ret_index)
{
    uint32_t count = type->fields_count;
    if (key->kind == TRP_MSGPACK_UNSIGNED) {
        *ret_index = key->number < count ? (uint32_t)key->number : count;
        return TRP_OK;
    }
    if (key->kind != TRP_MSGPACK_TEXT && key->kind != TRP_MSGPACK_BYTES) {
        return TRP_EDECODE;
    }
    uint32_t index = expected < count ? expected : 0;
    for (uint32_t i = 0; i < count; i++) {
        const struct trp_message_field *field = &type->fields[index];
        if (field->name_bytes == key->bytes.size &&
            memcmp(field->name, key->bytes.data, key->bytes.size) == 0) {
            *ret_index = index;
            return TRP_OK;
        }
        index = index + 1 < count ? index + 1 : 0;
    }
    *ret_index = count;
    return TRP_OK;
}
