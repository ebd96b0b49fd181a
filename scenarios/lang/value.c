/* SPDX-License-Identifier: MIT */
/* Arguments typed by the fields of a message. */
#include "scenarios/lang/draft.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

/* Reads a whole number with a sign into the bounds; false when it is none. */
static bool integer_read(const char *text, int64_t low, uint64_t high, uint64_t *ret_bits)
{
    bool minus = text[0] == '-';
    const char *digits = text + minus;
    uint64_t value = 0;
    if (*digits == '\0')
        return false;
    for (; *digits != '\0'; digits++) {
        uint64_t digit = (uint64_t)(*digits - '0');
        if (*digits < '0' || *digits > '9' || value > (UINT64_MAX - digit) / 10)
            return false;
        value = value * 10 + digit;
    }
    if (minus ? value > 0 - (uint64_t)low : value > high)
        return false;
    *ret_bits = minus ? 0 - value : value;
    return true;
}

static bool real_read(const char *text, double *ret_value)
{
    char *end = NULL;
    double value = strtod(text, &end);
    if (end == text || *end != '\0' || !isfinite(value) || strpbrk(text, "xXnN") != NULL)
        return false;
    *ret_value = value;
    return true;
}

static void store(void *out, const void *value, size_t size)
{
    memcpy(out, value, size);
}

/* The bounds of an integer, and how they are said. */
struct integer {
    int64_t low;
    uint64_t high;
    const char *wanted;
};

static const struct integer integers[] = {
    [TRP_KIND_U8] = {0, UINT8_MAX, "a whole number below 2^8"},
    [TRP_KIND_U16] = {0, UINT16_MAX, "a whole number below 2^16"},
    [TRP_KIND_U32] = {0, UINT32_MAX, "a whole number below 2^32"},
    [TRP_KIND_U64] = {0, UINT64_MAX, "a whole number below 2^64"},
    [TRP_KIND_I8] = {INT8_MIN, INT8_MAX, "a whole number of 8 bits"},
    [TRP_KIND_I16] = {INT16_MIN, INT16_MAX, "a whole number of 16 bits"},
    [TRP_KIND_I32] = {INT32_MIN, INT32_MAX, "a whole number of 32 bits"},
    [TRP_KIND_I64] = {INT64_MIN, INT64_MAX, "a whole number of 64 bits"},
};

/* Writes one field; gives what it should have been, or NULL. `out` may be NULL. */
static const char *integer_convert(enum trp_message_kind kind, const char *text, void *out)
{
    uint64_t bits = 0;
    if (!integer_read(text, integers[kind].low, integers[kind].high, &bits))
        return integers[kind].wanted;
    uint8_t u8 = (uint8_t)bits;
    uint16_t u16 = (uint16_t)bits;
    uint32_t u32 = (uint32_t)bits;
    size_t size = trp_scalar_types[kind].size;
    if (out != NULL)
        store(out,
              size == sizeof u8    ? (void *)&u8
              : size == sizeof u16 ? (void *)&u16
              : size == sizeof u32 ? (void *)&u32
                                   : (void *)&bits,
              size);
    return NULL;
}

static const char *real_convert(enum trp_message_kind kind, const char *text, void *out)
{
    double wide;
    if (!real_read(text, &wide))
        return "a number";
    float single = (float)wide;
    if (out != NULL && kind == TRP_KIND_F32)
        store(out, &single, sizeof single);
    else if (out != NULL)
        store(out, &wide, sizeof wide);
    return NULL;
}

static const char *bool_convert(struct trp_bytes text, void *out)
{
    struct lang_fault fault;
    bool flag;
    if (!lang_bool_read(text, &flag, &fault))
        return "`true` or `false`";
    if (out != NULL)
        store(out, &flag, sizeof flag);
    return NULL;
}

static const char *field_convert(const struct trp_message_field *field,
                                 const struct trp_value *value, void *out)
{
    enum trp_message_kind kind = field->type->kind;
    if (value->kind != TRP_VALUE_SCALAR)
        return "one value";
    struct trp_bytes text = trp_bytes_text(value->text);
    if (kind == TRP_KIND_BOOL)
        return bool_convert(text, out);
    if (kind >= TRP_KIND_U8 && kind <= TRP_KIND_I64)
        return integer_convert(kind, value->text, out);
    if (kind == TRP_KIND_F32 || kind == TRP_KIND_F64)
        return real_convert(kind, value->text, out);
    if (kind >= TRP_KIND_TEXT && kind <= TRP_KIND_OCTETS) {
        if (out != NULL)
            store(out, &text, sizeof text);
        return NULL;
    }
    return kind == TRP_KIND_REF || kind == TRP_KIND_ACTOR_ID
               ? "a running actor, which a scenario cannot write down"
               : "of a type that a scenario cannot write down";
}

static const struct trp_message_field *field_find(const struct trp_message_type *type,
                                                  const char *name)
{
    for (uint32_t i = 0; i < type->fields_count; i++)
        if (strcmp(type->fields[i].name, name) == 0)
            return &type->fields[i];
    return NULL;
}

static const struct trp_value *value_find(const struct trp_value *map, const char *key)
{
    for (uint32_t i = 0; map != NULL && map->kind == TRP_VALUE_MAP && i < map->items_count; i++)
        if (strcmp(map->keys[i], key) == 0)
            return &map->items[i];
    return NULL;
}

/* A bare value stands for the one field of a newtype. */
static bool is_bare(const struct trp_message_type *type, const struct trp_value *arguments)
{
    return type->kind == TRP_KIND_NEWTYPE && type->fields_count == 1 && arguments != NULL &&
           arguments->kind == TRP_VALUE_SCALAR;
}

enum trp_status trp_value_fill(const struct trp_value *args, const struct trp_message_type *type,
                               void *ret_message)
{
    unsigned char *message = ret_message;
    if (type->size != 0)
        memset(message, 0, type->size);
    for (uint32_t i = 0; i < type->fields_count; i++) {
        const struct trp_message_field *field = &type->fields[i];
        const struct trp_value *value = is_bare(type, args) ? args : value_find(args, field->name);
        if (value == NULL || field_convert(field, value, message + field->offset) != NULL)
            return TRP_EINVAL;
    }
    return TRP_OK;
}

static void list_fields(struct lang_context *context, const struct trp_message_type *type)
{
    struct lang_text list = {0};
    for (uint32_t i = 0; i < type->fields_count; i++)
        lang_text_add(&list, "%s%s", i == 0 ? "" : ", ", type->fields[i].name);
    char *text = lang_text_take(&list);
    lang_problem_hint(context->problems, "its fields: %s", text);
    free(text);
}

/* Checks one argument; false when there is no such field. */
static bool check_entry(struct lang_context *context, const struct lang_entry *entry,
                        const char *what, const struct trp_message_type *type,
                        const struct trp_value *value)
{
    const struct trp_message_field *field = field_find(type, entry->key);
    if (field == NULL) {
        struct lang_nearest nearest = lang_nearest_to(entry->key, strlen(entry->key));
        for (uint32_t i = 0; i < type->fields_count; i++)
            lang_nearest_offer(&nearest, type->fields[i].name);
        lang_problem_add(context->problems, entry->key_mark, "`%s` has no field `%s`", what,
                         entry->key);
        if (!lang_nearest_hint(&nearest, context->problems))
            list_fields(context, type);
        return false;
    }
    const char *wanted = field_convert(field, value, NULL);
    if (wanted != NULL)
        lang_problem_add(context->problems, entry->value->mark, "`%s` must be %s", field->name,
                         wanted);
    return true;
}

/* Checks arguments written as a map. */
static void check_map(struct lang_context *context, const struct lang_item *item, const char *what,
                      const struct trp_message_type *type, const struct trp_value *arguments)
{
    const struct lang_node *node = lang_item_value(item, "args");
    uint32_t count = node == NULL || arguments == NULL ? 0 : node->count;
    bool known = true;
    for (uint32_t i = 0; i < count; i++)
        known = check_entry(context, &node->entries[i], what, type, &arguments->items[i]) && known;
    for (uint32_t i = 0; known && i < type->fields_count; i++) {
        if (value_find(arguments, type->fields[i].name) != NULL)
            continue;
        lang_problem_add(context->problems, lang_item_mark(item, "args"), "`%s` also needs `%s`",
                         what, type->fields[i].name);
        list_fields(context, type);
    }
}

void lang_arguments_check(struct lang_context *context, const struct lang_item *item,
                          const char *what, const struct trp_message_type *type,
                          const struct trp_value *arguments)
{
    struct lang_mark mark = lang_item_mark(item, "args");
    bool map = arguments == NULL || arguments->kind == TRP_VALUE_MAP;
    if (arguments == NULL && lang_item_value(item, "args") != NULL)
        return; /* they did not parse: that is said already */
    if (type == NULL || type->fields_count == 0) {
        if (arguments != NULL && (arguments->items_count != 0 || !map))
            lang_problem_add(context->problems, mark, "`%s` takes no arguments", what);
    } else if (is_bare(type, arguments)) {
        const char *wanted = field_convert(&type->fields[0], arguments, NULL);
        if (wanted != NULL)
            lang_problem_add(context->problems, mark, "`%s` must be %s", what, wanted);
    } else if (!map) {
        lang_problem_add(context->problems, mark, "arguments are written { field: value }");
        list_fields(context, type);
    } else {
        check_map(context, item, what, type, arguments);
    }
}
