/* SPDX-License-Identifier: MIT */
/* Arguments: a YAML tree as the message that its type declares, and that message as msgpack. */
#include "scenarios/lang/draft.h"

#include "wire/message.h"
#include "wire/utf8.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* Of one message on the wire; a request may be larger, but nobody writes that into a scenario. */
#define MESSAGE_BYTES_MAX 65536u
/* Each key is compared with those before it. */
#define MAP_KEYS_MAX 4096u

struct filler {
    struct lang_context *context;
    const char *what;      /* the message, or the type of the actor */
    struct lang_text path; /* to the value that is being read: "lines[0].count"; empty: the whole */
    uint32_t depth;
};

static bool fill(struct filler *filler, const struct trp_message_type *type,
                 const struct lang_node *node, uint8_t *out);

/* ---- where, and what is wrong there ---- */

static const char *subject(const struct filler *filler)
{
    return filler->path.size == 0 ? filler->what : filler->path.data;
}

/* Adds a problem; gives false. */
static bool wrong(struct filler *filler, const struct lang_node *node, const char *wanted)
{
    lang_problem_add(filler->context->problems, node->mark, "`%s` must be %s", subject(filler),
                     wanted);
    return false;
}

static void hint_fields(struct filler *filler, const struct trp_message_type *type)
{
    struct lang_text list = {0};
    for (uint32_t i = 0; i < type->fields_count; i++)
        lang_text_add(&list, "%s%s", i == 0 ? "" : ", ", type->fields[i].name);
    lang_problem_hint(filler->context->problems, "its %s: %s",
                      type->kind == TRP_KIND_ENUM ? "variants" : "fields", list.data);
    free(list.data);
}

/* Reports a name that no field or variant has. */
static bool wrong_name(struct filler *filler, const struct trp_message_type *type, const char *name,
                       struct lang_mark mark)
{
    struct lang_nearest nearest = lang_nearest_to(name, strlen(name));
    for (uint32_t i = 0; i < type->fields_count; i++)
        lang_nearest_offer(&nearest, type->fields[i].name);
    lang_problem_add(filler->context->problems, mark, "`%s` has no %s `%s`", subject(filler),
                     type->kind == TRP_KIND_ENUM ? "variant" : "field", name);
    if (!lang_nearest_hint(&nearest, filler->context->problems))
        hint_fields(filler, type);
    return false;
}

/* Reads a value below the current one: the field `name`, or entry `index` when there is none. */
static bool fill_below(struct filler *filler, const char *name, uint32_t index,
                       const struct trp_message_type *type, const struct lang_node *node,
                       uint8_t *out)
{
    size_t size = filler->path.size;
    if (name == NULL)
        lang_text_add(&filler->path, "[%u]", index);
    else
        lang_text_add(&filler->path, "%s%s", size == 0 ? "" : ".", name);
    bool good = fill(filler, type, node, out);
    filler->path.size = size;
    filler->path.data[size] = '\0';
    return good;
}

/* ---- numbers and texts ---- */

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

/* Each writes one scalar; gives what it should have been, or NULL. */
static const char *integer_convert(enum trp_message_kind kind, const char *text, uint8_t *out)
{
    uint64_t bits = 0;
    if (!integer_read(text, integers[kind].low, integers[kind].high, &bits))
        return integers[kind].wanted;
    uint8_t u8 = (uint8_t)bits;
    uint16_t u16 = (uint16_t)bits;
    uint32_t u32 = (uint32_t)bits;
    size_t size = trp_scalar_types[kind].size;
    memcpy(out,
           size == sizeof u8    ? (void *)&u8
           : size == sizeof u16 ? (void *)&u16
           : size == sizeof u32 ? (void *)&u32
                                : (void *)&bits,
           size);
    return NULL;
}

static const char *real_convert(enum trp_message_kind kind, const char *text, uint8_t *out)
{
    char *end = NULL;
    double wide = strtod(text, &end);
    if (end == text || *end != '\0' || !isfinite(wide) || strpbrk(text, "xXnN") != NULL)
        return "a number";
    float single = (float)wide;
    if (kind == TRP_KIND_F32 && !isfinite(single))
        return "a number of 32 bits";
    if (kind == TRP_KIND_F32)
        memcpy(out, &single, sizeof single);
    else
        memcpy(out, &wide, sizeof wide);
    return NULL;
}

static const char *duration_convert(struct trp_bytes text, uint8_t *out)
{
    struct lang_fault fault;
    trp_time span;
    if (!lang_span_read(text, &span, &fault))
        return "a time with its unit, as 1.5s";
    struct trp_duration duration = trp_duration_of(span);
    memcpy(out, &duration, sizeof duration);
    return NULL;
}

static const char *word_convert(enum trp_message_kind kind, struct trp_bytes text, uint8_t *out)
{
    struct lang_fault fault;
    bool flag;
    uint32_t point;
    if (kind == TRP_KIND_BOOL) {
        if (!lang_bool_read(text, &flag, &fault))
            return "`true` or `false`";
        memcpy(out, &flag, sizeof flag);
    } else if (kind == TRP_KIND_CHAR) {
        if (!trp_utf8_decode_one(text, &point))
            return "one character";
        memcpy(out, &point, sizeof point);
    } else {
        memcpy(out, &text, sizeof text);
    }
    return NULL;
}

/* Bytes may be written as a list of numbers. */
static bool fill_bytes(struct filler *filler, const struct lang_node *node, uint8_t *out)
{
    bool good = true;
    uint8_t *bytes = lang_arena_take(filler->context->arena, node->count + 1);
    for (uint32_t i = 0; i < node->count; i++)
        good = fill_below(filler, NULL, i, &trp_scalar_types[TRP_KIND_U8], node->entries[i].value,
                          bytes + i) &&
               good;
    struct trp_bytes slice = trp_bytes(bytes, node->count);
    memcpy(out, &slice, sizeof slice);
    return good;
}

/* What is nothing but itself: an actor, which must be null, and what carries no value. */
static bool fill_nothing(struct filler *filler, enum trp_message_kind kind,
                         const struct lang_node *node)
{
    bool actor = kind == TRP_KIND_REF || kind == TRP_KIND_ACTOR_ID;
    if (actor ? kind == TRP_KIND_REF && lang_node_is_null(node)
              : lang_node_is_null(node) || (node->kind != LANG_SCALAR && node->count == 0))
        return true;
    return wrong(filler, node,
                 actor ? "a running actor, which a scenario cannot write down"
                       : "`null`, for it carries no value");
}

static bool fill_scalar(struct filler *filler, enum trp_message_kind kind,
                        const struct lang_node *node, uint8_t *out)
{
    const char *wanted;
    struct trp_bytes text = trp_bytes(node->text, node->size);
    bool bytes = kind == TRP_KIND_BYTES || kind == TRP_KIND_OCTETS;
    if (kind == TRP_KIND_REF || kind == TRP_KIND_ACTOR_ID || kind >= TRP_KIND_UNIT)
        return fill_nothing(filler, kind, node);
    if (bytes && node->kind == LANG_LIST)
        return fill_bytes(filler, node, out);
    if (node->kind != LANG_SCALAR)
        return wrong(filler, node, bytes ? "a text, or a list of numbers" : "one value");
    if (kind >= TRP_KIND_U8 && kind <= TRP_KIND_I64)
        wanted = integer_convert(kind, node->text, out);
    else if (kind == TRP_KIND_F32 || kind == TRP_KIND_F64)
        wanted = real_convert(kind, node->text, out);
    else if (kind == TRP_KIND_DURATION)
        wanted = duration_convert(text, out);
    else
        wanted = word_convert(kind, text, out);
    return wanted == NULL || wrong(filler, node, wanted);
}

/* ---- structs, tuples, enums ---- */

static const struct trp_message_field *field_find(const struct trp_message_type *type,
                                                  const char *name)
{
    for (uint32_t i = 0; i < type->fields_count; i++)
        if (strcmp(type->fields[i].name, name) == 0)
            return &type->fields[i];
    return NULL;
}

/* Says whether a key stands before entry `index` already, which is a problem. */
static bool is_double(struct filler *filler, const struct lang_node *node, uint32_t index)
{
    const struct lang_entry *entry = &node->entries[index];
    for (uint32_t i = 0; i < index; i++) {
        if (strcmp(node->entries[i].key, entry->key) == 0) {
            lang_problem_add(filler->context->problems, entry->key_mark, "`%s` appears twice",
                             entry->key);
            return true;
        }
    }
    return false;
}

/* Reports the fields that are neither there nor may be missing. */
static bool report_missing(struct filler *filler, const struct trp_message_type *type,
                           const struct lang_node *node)
{
    bool good = true;
    for (uint32_t i = 0; i < type->fields_count; i++) {
        const struct trp_message_field *field = &type->fields[i];
        if (field->type->kind == TRP_KIND_OPTION || field->type->kind == TRP_KIND_MAYBE ||
            lang_node_find(node, field->name) != NULL)
            continue;
        lang_problem_add(filler->context->problems, node->mark, "`%s` also needs `%s`",
                         subject(filler), field->name);
        hint_fields(filler, type);
        good = false;
    }
    return good;
}

/* Reads { field: value }. */
static bool fill_named(struct filler *filler, const struct trp_message_type *type,
                       const struct lang_node *node, uint8_t *out)
{
    bool good = true;
    bool known = true;
    for (uint32_t i = 0; i < node->count; i++) {
        const struct lang_entry *entry = &node->entries[i];
        const struct trp_message_field *field = field_find(type, entry->key);
        if (field == NULL)
            known = wrong_name(filler, type, entry->key, entry->key_mark);
        else if (is_double(filler, node, i))
            good = false;
        else
            good = fill_below(filler, field->name, 0, field->type, entry->value,
                              out + field->offset) &&
                   good;
    }
    /* A field that is misspelt is not missing as well. */
    return known && report_missing(filler, type, node) && good;
}

/* Reads a tuple's [ value, … ]. */
static bool fill_ordered(struct filler *filler, const struct trp_message_type *type,
                         const struct lang_node *node, uint8_t *out)
{
    char wanted[48];
    bool good = true;
    if (node->kind == LANG_LIST && node->count == type->fields_count) {
        for (uint32_t i = 0; i < node->count; i++)
            good = fill_below(filler, NULL, i, type->fields[i].type, node->entries[i].value,
                              out + type->fields[i].offset) &&
                   good;
        return good;
    }
    (void)snprintf(wanted, sizeof wanted, "a list of %u values", type->fields_count);
    (void)wrong(filler, node, wanted);
    hint_fields(filler, type);
    return false;
}

static bool fill_fields(struct filler *filler, const struct trp_message_type *type,
                        const struct lang_node *node, uint8_t *out)
{
    if (node->kind == LANG_MAP)
        return fill_named(filler, type, node, out);
    if (type->kind == TRP_KIND_TUPLE)
        return fill_ordered(filler, type, node, out);
    (void)wrong(filler, node, "{ field: value }");
    hint_fields(filler, type);
    return false;
}

/* Says whether a value of the type may be written as a map. */
static bool takes_map(const struct trp_message_type *type)
{
    while (type->kind == TRP_KIND_NEWTYPE)
        type = type->fields[0].type;
    return type->kind >= TRP_KIND_UNIT && type->kind != TRP_KIND_LIST &&
           type->kind != TRP_KIND_ARRAY;
}

/* Reads the bare value; or { field: value }, where that cannot be the value itself. */
static bool fill_newtype(struct filler *filler, const struct trp_message_type *type,
                         const struct lang_node *node, uint8_t *out)
{
    const struct trp_message_field *field = &type->fields[0];
    if (node->kind == LANG_MAP && !takes_map(field->type))
        return fill_named(filler, type, node, out);
    return fill(filler, field->type, node, out + field->offset);
}

/* Reads Variant, or { Variant: value }. */
static bool fill_enum(struct filler *filler, const struct trp_message_type *type,
                      const struct lang_node *node, uint8_t *out)
{
    bool alone = node->kind == LANG_SCALAR;
    if (!alone && (node->kind != LANG_MAP || node->count != 1)) {
        (void)wrong(filler, node, "a variant, or { variant: value }");
        hint_fields(filler, type);
        return false;
    }
    const char *name = alone ? node->text : node->entries[0].key;
    const struct trp_message_field *variant = field_find(type, name);
    if (variant == NULL)
        return wrong_name(filler, type, name, alone ? node->mark : node->entries[0].key_mark);
    uint32_t index = (uint32_t)(variant - type->fields);
    memcpy(out, &index, sizeof index);
    if (!alone)
        return fill_below(filler, name, 0, variant->type, node->entries[0].value,
                          out + variant->offset);
    if (variant->type->kind == TRP_KIND_NO_VALUE)
        return true;
    lang_problem_add(filler->context->problems, node->mark, "`%s` needs a value: { %s: … }", name,
                     name);
    return false;
}

/* ---- lists, maps, options ---- */

static uint8_t *take_items(struct filler *filler, const struct lang_node *node, size_t size,
                           uint8_t *out)
{
    struct trp_message_items list = {
        .items = lang_arena_take(filler->context->arena, node->count * size + 1),
        .count = node->count};
    memcpy(out, &list, sizeof list);
    return list.items;
}

static bool fill_list(struct filler *filler, const struct trp_message_type *type,
                      const struct lang_node *node, uint8_t *out)
{
    char wanted[48] = "a list: [ value, … ]";
    bool array = type->kind == TRP_KIND_ARRAY;
    bool good = true;
    if (array)
        (void)snprintf(wanted, sizeof wanted, "a list of %u values", type->items_count);
    if (node->kind != LANG_LIST || (array && node->count != type->items_count))
        return wrong(filler, node, wanted);
    uint8_t *items = array ? out : take_items(filler, node, type->item->size, out);
    for (uint32_t i = 0; i < node->count; i++)
        good = fill_below(filler, NULL, i, type->item, node->entries[i].value,
                          items + i * type->item->size) &&
               good;
    return good;
}

/* Reads { key: value }; or [ [ key, value ] ], for keys that are more than one word. */
static bool fill_map(struct filler *filler, const struct trp_message_type *type,
                     const struct lang_node *node, uint8_t *out)
{
    const struct trp_message_type *entry_type = type->item;
    const struct trp_message_field *key_field = &entry_type->fields[0];
    const struct trp_message_field *value_field = &entry_type->fields[1];
    bool good = true;
    if (node->kind == LANG_SCALAR)
        return wrong(filler, node, "{ key: value }");
    uint8_t *item = take_items(filler, node, entry_type->size, out);
    for (uint32_t i = 0; i < node->count; i++, item += entry_type->size) {
        const struct lang_entry *entry = &node->entries[i];
        if (node->kind == LANG_LIST) {
            good = fill_below(filler, NULL, i,
                              &(const struct trp_message_type){.kind = TRP_KIND_TUPLE,
                                                               .fields_count = 2,
                                                               .fields = entry_type->fields},
                              entry->value, item) &&
                   good;
            continue;
        }
        const struct lang_node key = {.kind = LANG_SCALAR,
                                      .mark = entry->key_mark,
                                      .text = entry->key,
                                      .size = strlen(entry->key)};
        bool once = !is_double(filler, node, i);
        bool fits =
            fill_below(filler, entry->key, 0, key_field->type, &key, item + key_field->offset);
        good = fill_below(filler, entry->key, 0, value_field->type, entry->value,
                          item + value_field->offset) &&
               once && fits && good;
    }
    return good;
}

static bool fill_option(struct filler *filler, const struct trp_message_type *type,
                        const struct lang_node *node, uint8_t *out)
{
    bool has = !lang_node_is_null(node);
    memcpy(out, &has, sizeof has);
    return !has || fill(filler, type->item, node, out + type->offset);
}

static bool fill_pointer(struct filler *filler, const struct trp_message_type *type,
                         const struct lang_node *node, uint8_t *out)
{
    if (type->kind == TRP_KIND_MAYBE && lang_node_is_null(node))
        return true;
    uint8_t *target = lang_arena_take(filler->context->arena, type->item->size + 1);
    memcpy(out, &target, sizeof target);
    return fill(filler, type->item, node, target);
}

static bool (*const fillers[])(struct filler *, const struct trp_message_type *,
                               const struct lang_node *, uint8_t *) = {
    [TRP_KIND_STRUCT] = fill_fields,   [TRP_KIND_TUPLE] = fill_fields,
    [TRP_KIND_NEWTYPE] = fill_newtype, [TRP_KIND_ENUM] = fill_enum,
    [TRP_KIND_LIST] = fill_list,       [TRP_KIND_ARRAY] = fill_list,
    [TRP_KIND_MAP] = fill_map,         [TRP_KIND_OPTION] = fill_option,
    [TRP_KIND_MAYBE] = fill_pointer,   [TRP_KIND_BOX] = fill_pointer};

/* Reads a value of any type into zeroed memory; false with the problems added. */
static bool fill(struct filler *filler, const struct trp_message_type *type,
                 const struct lang_node *node, uint8_t *out)
{
    if (type->kind < TRP_KIND_STRUCT)
        return fill_scalar(filler, type->kind, node, out);
    if (filler->depth == TRP_MESSAGE_DEPTH_MAX)
        return wrong(filler, node, "nested less deeply");
    if (node->kind == LANG_MAP && node->count > MAP_KEYS_MAX)
        return wrong(filler, node, "at most 4096 entries");
    filler->depth++;
    bool good = fillers[type->kind](filler, type, node, out);
    filler->depth--;
    return good;
}

/* ---- whole messages ---- */

static struct trp_bytes message_encode(struct filler *filler, const struct trp_message_type *type,
                                       const struct lang_node *node, const void *message)
{
    size_t size = 0;
    enum trp_status status = trp_message_encoded_bytes(type, message, &size);
    if (status == TRP_OK && size <= MESSAGE_BYTES_MAX) {
        uint8_t *bytes = lang_arena_take(filler->context->arena, size + 1);
        status = trp_message_encode(type, message, bytes, size, &size);
        if (status == TRP_OK)
            return trp_bytes(bytes, size);
    }
    (void)wrong(filler, node,
                status == TRP_OK ? "at most 64KiB on the wire" : "nested less deeply");
    return trp_bytes(NULL, 0);
}

struct trp_bytes lang_arguments_read(struct lang_context *context, const struct lang_node *args,
                                     struct lang_mark mark, const char *what,
                                     const struct trp_message_type *type)
{
    const struct lang_node none = {.kind = LANG_MAP, .mark = mark};
    const struct lang_node *node = args == NULL ? &none : args;
    struct filler filler = {.context = context, .what = what};
    struct trp_bytes message = trp_bytes(NULL, 0);
    if (type == NULL || type->fields_count == 0) {
        if (node->kind != LANG_MAP || node->count != 0)
            lang_problem_add(context->problems, node->mark, "`%s` takes no arguments", what);
        else if (type != NULL)
            message = message_encode(&filler, type, node, NULL);
        return message;
    }
    uint8_t *value = lang_arena_take(context->arena, type->size);
    if (fill(&filler, type, node, value))
        message = message_encode(&filler, type, node, value);
    free(filler.path.data);
    return message;
}
