/* SPDX-License-Identifier: MIT */
/* How much memory a message will need, from its msgpack: what message_decode.c takes, added up. */
#include "wire/message.h"

#define ALIGN 16u /* of trp_arena_alloc */

struct measure {
    struct trp_msgpack_reader in;
    size_t bytes;
    uint32_t depth;
};

static enum trp_status need_value(struct measure *measure, const struct trp_message_type *type);

/* Adds a block of items of which each has at least one byte of input. */
static enum trp_status add_block(struct measure *measure, uint64_t count, size_t size)
{
    if (count > measure->in.in.size || count > (SIZE_MAX - measure->bytes) / (size + ALIGN)) {
        return TRP_EDECODE;
    }
    measure->bytes += ((size_t)count * size + ALIGN - 1) / ALIGN * ALIGN;
    return TRP_OK;
}

static enum trp_status need_octets(struct measure *measure)
{
    struct trp_msgpack_item item;
    enum trp_status status = trp_msgpack_next(&measure->in, &item);
    if (status != TRP_OK || item.kind == TRP_MSGPACK_TEXT || item.kind == TRP_MSGPACK_BYTES) {
        return status;
    }
    if (item.kind != TRP_MSGPACK_ARRAY) {
        return TRP_EDECODE;
    }
    if (trp_msgpack_take_octets(&measure->in, item.number, &item.bytes)) {
        return TRP_OK;
    }
    status = add_block(measure, item.number, 1);
    return status == TRP_OK ? trp_msgpack_next_octets(&measure->in, item.number, NULL) : status;
}

static enum trp_status need_scalar(struct measure *measure, const struct trp_message_type *type)
{
    return type->kind == TRP_KIND_BYTES || type->kind == TRP_KIND_OCTETS
               ? need_octets(measure)
               : trp_msgpack_skip(&measure->in, 1);
}

static enum trp_status need_fields(struct measure *measure, const struct trp_message_type *type)
{
    enum trp_status status = TRP_OK;
    for (uint32_t i = 0; i < type->fields_count && status == TRP_OK; i++) {
        status = need_value(measure, type->fields[i].type);
    }
    return status;
}

static enum trp_status need_pair(struct measure *measure, const struct trp_message_type *type,
                                 uint32_t *index)
{
    struct trp_msgpack_item key;
    enum trp_status status = trp_msgpack_next(&measure->in, &key);
    if (status == TRP_OK) {
        status = trp_message_find_field(type, &key, *index, index);
    }
    if (status != TRP_OK) {
        return status;
    }
    if (*index == type->fields_count) {
        return trp_msgpack_skip(&measure->in, 1);
    }
    return need_value(measure, type->fields[(*index)++].type);
}

static enum trp_status need_struct(struct measure *measure, const struct trp_message_type *type)
{
    struct trp_msgpack_item head;
    uint32_t index = 0;
    enum trp_status status = trp_msgpack_next(&measure->in, &head);
    if (status != TRP_OK) {
        return status;
    }
    if (head.kind == TRP_MSGPACK_ARRAY && head.number == type->fields_count) {
        return need_fields(measure, type);
    }
    if (head.kind != TRP_MSGPACK_MAP) {
        return TRP_EDECODE;
    }
    for (uint64_t i = 0; i < head.number && status == TRP_OK; i++) {
        status = need_pair(measure, type, &index);
    }
    return status;
}

static enum trp_status need_enum(struct measure *measure, const struct trp_message_type *type)
{
    struct trp_msgpack_item head;
    uint32_t index = 0;
    enum trp_status status = trp_msgpack_next(&measure->in, &head);
    if (status != TRP_OK || head.kind != TRP_MSGPACK_MAP) {
        return status;
    }
    return head.number == 1 ? need_pair(measure, type, &index) : TRP_EDECODE;
}

static enum trp_status need_items(struct measure *measure, const struct trp_message_type *item,
                                  uint64_t count)
{
    enum trp_status status = TRP_OK;
    if (!trp_message_parts_of(item).any) {
        return trp_msgpack_skip(&measure->in, count);
    }
    for (uint64_t i = 0; i < count && status == TRP_OK; i++) {
        status = need_value(measure, item);
    }
    return status;
}

static enum trp_status need_list(struct measure *measure, const struct trp_message_type *type)
{
    struct trp_msgpack_item head;
    bool fixed = type->kind == TRP_KIND_ARRAY;
    enum trp_status status = trp_msgpack_next(&measure->in, &head);
    if (status != TRP_OK) {
        return status;
    }
    if (head.kind == TRP_MSGPACK_BYTES) {
        return fixed ? TRP_OK : add_block(measure, head.bytes.size, type->item->size);
    }
    if (head.kind != TRP_MSGPACK_ARRAY) {
        return TRP_EDECODE;
    }
    if (!fixed) {
        status = add_block(measure, head.number, type->item->size);
    }
    return status == TRP_OK ? need_items(measure, type->item, head.number) : status;
}

static enum trp_status need_map(struct measure *measure, const struct trp_message_type *type)
{
    struct trp_msgpack_item head;
    enum trp_status status = trp_msgpack_next(&measure->in, &head);
    if (status == TRP_OK) {
        status = head.kind == TRP_MSGPACK_MAP ? add_block(measure, head.number, type->item->size)
                                              : TRP_EDECODE;
    }
    for (uint64_t i = 0; status == TRP_OK && i < head.number; i++) {
        status = need_fields(measure, type->item);
    }
    return status;
}

static enum trp_status need_option(struct measure *measure, const struct trp_message_type *type)
{
    return trp_msgpack_take_nil(&measure->in) ? TRP_OK : need_value(measure, type->item);
}

static enum trp_status need_pointer(struct measure *measure, const struct trp_message_type *type)
{
    if (type->kind == TRP_KIND_MAYBE && trp_msgpack_take_nil(&measure->in)) {
        return TRP_OK;
    }
    enum trp_status status = add_block(measure, 1, type->item->size);
    return status == TRP_OK ? need_value(measure, type->item) : status;
}

static enum trp_status (*const needs[])(struct measure *, const struct trp_message_type *) = {
    [TRP_KIND_STRUCT] = need_struct, [TRP_KIND_TUPLE] = need_struct,  [TRP_KIND_ENUM] = need_enum,
    [TRP_KIND_LIST] = need_list,     [TRP_KIND_ARRAY] = need_list,    [TRP_KIND_MAP] = need_map,
    [TRP_KIND_OPTION] = need_option, [TRP_KIND_MAYBE] = need_pointer, [TRP_KIND_BOX] = need_pointer,
};

static enum trp_status need_value(struct measure *measure, const struct trp_message_type *type)
{
    while (type->kind == TRP_KIND_NEWTYPE) {
        type = type->fields[0].type;
    }
    if (type->kind < TRP_KIND_STRUCT) {
        return need_scalar(measure, type);
    }
    if (measure->depth == TRP_MESSAGE_DEPTH_MAX) {
        return TRP_EDECODE;
    }
    measure->depth++;
    enum trp_status status = needs[type->kind](measure, type);
    measure->depth--;
    return status;
}

enum trp_status trp_message_decode_need(const struct trp_message_type *type, struct trp_bytes in,
                                        size_t *ret_bytes)
{
    struct measure measure = {.in = {.in = in}};
    enum trp_status status = need_value(&measure, type);
    if (status == TRP_OK) { /* the caller's memory may begin anywhere */
        *ret_bytes = measure.bytes == 0 ? 0 : measure.bytes + ALIGN - 1;
    }
    return status;
}
