/* SPDX-License-Identifier: MIT */
/* Copies of messages with all that they point to. One walk measures, the same walk copies. */
#include "base/assert.h"
#include "wire/message.h"

#define ALIGN 8u /* of every struct with fields of TRP_MESSAGE_SCALARS and pointers */

struct copier {
    uint8_t *memory; /* NULL: only measures */
    size_t bytes;
    uint32_t depth;
    bool aligned; /* something took more than bytes */
};

/* `from` is the original, `to` its copy; NULL when only measuring. */
static enum trp_status copy_value(struct copier *copier, const struct trp_message_type *type,
                                  const uint8_t *from, uint8_t *to);

/* Takes the next bytes of the memory; NULL when only measuring. */
static uint8_t *take(struct copier *copier, size_t bytes)
{
    size_t at = copier->bytes;
    copier->bytes = bytes > SIZE_MAX - at ? SIZE_MAX : at + bytes;
    return copier->memory == NULL ? NULL : copier->memory + at;
}

/* The same for structs. What is measured is as if the memory began aligned. */
static uint8_t *take_aligned(struct copier *copier, size_t bytes)
{
    size_t pad = (size_t)(0 - ((uintptr_t)copier->memory + copier->bytes)) % ALIGN;
    (void)take(copier, pad);
    copier->aligned = true;
    return take(copier, bytes);
}

static void copy_slice(struct copier *copier, const uint8_t *from, uint8_t *to)
{
    struct trp_bytes slice;
    memcpy(&slice, from, sizeof slice);
    uint8_t *data = take(copier, slice.size);
    if (to != NULL) {
        if (slice.size > 0) {
            memcpy(data, slice.data, slice.size);
        }
        slice.data = slice.size == 0 ? NULL : data;
        memcpy(to, &slice, sizeof slice);
    }
}

static enum trp_status copy_fields(struct copier *copier, const struct trp_message_type *type,
                                   const uint8_t *from, uint8_t *to)
{
    for (uint32_t i = 0; i < type->fields_count; i++) {
        const struct trp_message_field *field = &type->fields[i];
        enum trp_message_kind kind = field->type->kind;
        uint8_t *target = to == NULL ? NULL : to + field->offset;
        if (kind >= TRP_KIND_TEXT && kind <= TRP_KIND_OCTETS) {
            copy_slice(copier, from + field->offset, target);
        } else if (kind >= TRP_KIND_STRUCT) {
            enum trp_status status = copy_value(copier, field->type, from + field->offset, target);
            if (status != TRP_OK) {
                return status;
            }
        }
    }
    return TRP_OK;
}

static enum trp_status copy_enum(struct copier *copier, const struct trp_message_type *type,
                                 const uint8_t *from, uint8_t *to)
{
    uint32_t kind;
    memcpy(&kind, from, sizeof kind);
    if (kind >= type->fields_count) {
        return TRP_EENCODE;
    }
    const struct trp_message_field *variant = &type->fields[kind];
    return copy_value(copier, variant->type, from + variant->offset,
                      to == NULL ? NULL : to + variant->offset);
}

/* Copies what the items point to; they themselves have been copied. */
static enum trp_status copy_items(struct copier *copier, const struct trp_message_type *item,
                                  size_t count, const uint8_t *from, uint8_t *to)
{
    enum trp_status status = TRP_OK;
    if (!trp_message_parts_of(item).any) {
        return TRP_OK;
    }
    for (size_t i = 0; i < count && status == TRP_OK; i++) {
        status = copy_value(copier, item, from + i * item->size,
                            to == NULL ? NULL : to + i * item->size);
    }
    return status;
}

/* Copies a block of items and what they point to. */
static enum trp_status copy_block(struct copier *copier, const struct trp_message_type *item,
                                  size_t count, const void *from, uint8_t **ret_block)
{
    if (count > UINT32_MAX || from == NULL) {
        return TRP_EENCODE;
    }
    uint8_t *block = take_aligned(copier, count * item->size);
    if (block != NULL) {
        memcpy(block, from, count * item->size);
    }
    *ret_block = block;
    return copy_items(copier, item, count, from, block);
}

static enum trp_status copy_list(struct copier *copier, const struct trp_message_type *type,
                                 const uint8_t *from, uint8_t *to)
{
    struct trp_message_items list;
    uint8_t *block = NULL;
    memcpy(&list, from, sizeof list);
    enum trp_status status =
        list.count == 0 ? TRP_OK : copy_block(copier, type->item, list.count, list.items, &block);
    if (status == TRP_OK && to != NULL) {
        list.items = block;
        memcpy(to, &list, sizeof list);
    }
    return status;
}

static enum trp_status copy_array(struct copier *copier, const struct trp_message_type *type,
                                  const uint8_t *from, uint8_t *to)
{
    return copy_items(copier, type->item, type->items_count, from, to);
}

static enum trp_status copy_option(struct copier *copier, const struct trp_message_type *type,
                                   const uint8_t *from, uint8_t *to)
{
    bool has;
    memcpy(&has, from, sizeof has);
    return has ? copy_value(copier, type->item, from + type->offset,
                            to == NULL ? NULL : to + type->offset)
               : TRP_OK;
}

static enum trp_status copy_pointer(struct copier *copier, const struct trp_message_type *type,
                                    const uint8_t *from, uint8_t *to)
{
    void *target;
    uint8_t *block;
    memcpy(&target, from, sizeof target);
    if (target == NULL && type->kind == TRP_KIND_MAYBE) {
        return TRP_OK;
    }
    enum trp_status status = copy_block(copier, type->item, 1, target, &block);
    if (status == TRP_OK && to != NULL) {
        memcpy(to, &block, sizeof block);
    }
    return status;
}

static enum trp_status (*const copiers[])(struct copier *, const struct trp_message_type *,
                                          const uint8_t *, uint8_t *) = {
    [TRP_KIND_STRUCT] = copy_fields, [TRP_KIND_TUPLE] = copy_fields,  [TRP_KIND_ENUM] = copy_enum,
    [TRP_KIND_LIST] = copy_list,     [TRP_KIND_ARRAY] = copy_array,   [TRP_KIND_MAP] = copy_list,
    [TRP_KIND_OPTION] = copy_option, [TRP_KIND_MAYBE] = copy_pointer, [TRP_KIND_BOX] = copy_pointer,
};

static enum trp_status copy_value(struct copier *copier, const struct trp_message_type *type,
                                  const uint8_t *from, uint8_t *to)
{
    while (type->kind == TRP_KIND_NEWTYPE) {
        from += type->fields[0].offset;
        to = to == NULL ? NULL : to + type->fields[0].offset;
        type = type->fields[0].type;
    }
    if (type->kind < TRP_KIND_STRUCT) {
        if (type->kind >= TRP_KIND_TEXT && type->kind <= TRP_KIND_OCTETS) {
            copy_slice(copier, from, to);
        }
        return TRP_OK;
    }
    if (copier->depth == TRP_MESSAGE_DEPTH_MAX) {
        return TRP_EENCODE;
    }
    copier->depth++;
    enum trp_status status = copiers[type->kind](copier, type, from, to);
    copier->depth--;
    return status;
}

enum trp_status trp_message_copy_need(const struct trp_message_type *type, const void *message,
                                      size_t *ret_bytes)
{
    struct copier copier = {.memory = NULL};
    enum trp_status status = copy_value(&copier, type, message, NULL);
    if (status == TRP_OK) { /* memory may begin anywhere */
        size_t slack = copier.aligned ? ALIGN - 1 : 0;
        *ret_bytes = copier.bytes > SIZE_MAX - slack ? SIZE_MAX : copier.bytes + slack;
    }
    return status;
}

void trp_message_copy(const struct trp_message_type *type, const void *message, void *memory,
                      void *ret_message)
{
    struct copier copier = {.memory = memory};
    memcpy(ret_message, message, type->size);
    enum trp_status status = copy_value(&copier, type, message, ret_message);
    TRP_ASSERT(status == TRP_OK);
}
