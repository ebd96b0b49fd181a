/* SPDX-License-Identifier: MIT */
/* Messages from msgpack, with the leniency of rmp_serde. */
#include "base/assert.h"
#include "wire/actor_id.h"
#include "wire/arena.h"
#include "wire/message.h"
#include "wire/msgpack_reader.h"
#include "wire/utf8.h"

struct decoder {
    struct trp_msgpack_reader in;
    struct trp_arena memory;
    uint32_t depth;
};

static enum trp_status read_value(struct decoder *decoder, const struct trp_message_type *type,
                                  uint8_t *out);

/* Gives zeroed memory; NULL. */
static uint8_t *take_memory(struct decoder *decoder, size_t bytes)
{
    uint8_t *block = trp_arena_alloc(&decoder->memory, bytes);
    if (block != NULL && bytes > 0) {
        memset(block, 0, bytes);
    }
    return block;
}

/* ---- numbers ---- */

static bool is_within(const struct trp_msgpack_item *item, int64_t min, uint64_t max)
{
    if (item->kind == TRP_MSGPACK_UNSIGNED) {
        return item->number <= max;
    }
    return item->kind == TRP_MSGPACK_NEGATIVE && (int64_t)item->number >= min;
}

/* Any number will do for a floating one, as in serde. */
static void store_f64(const struct trp_msgpack_item *item, uint8_t *out)
{
    uint32_t bits = (uint32_t)item->number;
    float narrow;
    double value;
    if (item->kind == TRP_MSGPACK_F64) {
        memcpy(&value, &item->number, sizeof value);
    } else if (item->kind == TRP_MSGPACK_F32) {
        memcpy(&narrow, &bits, sizeof narrow);
        value = (double)narrow;
    } else if (item->kind == TRP_MSGPACK_UNSIGNED) {
        value = (double)item->number;
    } else {
        value = (double)(int64_t)item->number;
    }
    memcpy(out, &value, sizeof value);
}

static void store_f32(const struct trp_msgpack_item *item, uint8_t *out)
{
    double wide;
    float value;
    if (item->kind == TRP_MSGPACK_F64) {
        memcpy(&wide, &item->number, sizeof wide);
        value = (float)wide;
    } else if (item->kind == TRP_MSGPACK_F32) {
        uint32_t bits = (uint32_t)item->number;
        memcpy(&value, &bits, sizeof value);
    } else if (item->kind == TRP_MSGPACK_UNSIGNED) {
        value = (float)item->number;
    } else {
        value = (float)(int64_t)item->number;
    }
    memcpy(out, &value, sizeof value);
}

struct bounds {
    int64_t min;
    uint64_t max;
};

static const struct bounds bounds[] = {
    [TRP_KIND_U8] = {0, UINT8_MAX},          [TRP_KIND_U16] = {0, UINT16_MAX},
    [TRP_KIND_U32] = {0, UINT32_MAX},        [TRP_KIND_U64] = {0, UINT64_MAX},
    [TRP_KIND_I8] = {INT8_MIN, INT8_MAX},    [TRP_KIND_I16] = {INT16_MIN, INT16_MAX},
    [TRP_KIND_I32] = {INT32_MIN, INT32_MAX}, [TRP_KIND_I64] = {INT64_MIN, INT64_MAX},
};

static enum trp_status store_integer(const struct trp_msgpack_item *item,
                                     enum trp_message_kind kind, uint8_t *out)
{
    uint8_t u8 = (uint8_t)item->number;
    uint16_t u16 = (uint16_t)item->number;
    uint32_t u32 = (uint32_t)item->number;
    if (!is_within(item, bounds[kind].min, bounds[kind].max)) {
        return TRP_EDECODE;
    }
    if (kind == TRP_KIND_U64 || kind == TRP_KIND_I64) {
        memcpy(out, &item->number, sizeof item->number);
    } else if (kind == TRP_KIND_U32 || kind == TRP_KIND_I32) {
        memcpy(out, &u32, sizeof u32);
    } else if (kind == TRP_KIND_U16 || kind == TRP_KIND_I16) {
        memcpy(out, &u16, sizeof u16);
    } else {
        memcpy(out, &u8, sizeof u8);
    }
    return TRP_OK;
}

static bool kind_is_number(enum trp_message_kind kind)
{
    return kind >= TRP_KIND_U8 && kind <= TRP_KIND_F64;
}

static enum trp_status store_number(const struct trp_msgpack_item *item, enum trp_message_kind kind,
                                    uint8_t *out)
{
    if (item->kind < TRP_MSGPACK_UNSIGNED || item->kind > TRP_MSGPACK_F64) {
        return TRP_EDECODE;
    }
    if (kind == TRP_KIND_F64) {
        store_f64(item, out);
        return TRP_OK;
    }
    if (kind == TRP_KIND_F32) {
        store_f32(item, out);
        return TRP_OK;
    }
    return store_integer(item, kind, out);
}

/* ---- texts and bytes ---- */

/* Rust's Vec<u8>: an array of integers, which can be borrowed while each is its own byte. */
static enum trp_status read_octets(struct decoder *decoder, uint64_t count,
                                   struct trp_bytes *ret_bytes)
{
    struct trp_msgpack_reader *in = &decoder->in;
    if (trp_msgpack_take_octets(in, count, ret_bytes)) {
        return TRP_OK;
    }
    if (count > trp_msgpack_left(in)) {
        return TRP_EDECODE;
    }
    uint8_t *octets = trp_arena_alloc(&decoder->memory, (size_t)count);
    if (octets == NULL) {
        return TRP_ETOOBIG;
    }
    enum trp_status status = trp_msgpack_next_octets(in, count, octets);
    if (status != TRP_OK) {
        return status;
    }
    *ret_bytes = trp_bytes(octets, (size_t)count);
    return TRP_OK;
}

/* serde's visitors: a String reads bytes, a ByteBuf texts and sequences, a Vec<u8> sequences, which
 * bytes are when asked for. */
static enum trp_status read_slice(struct decoder *decoder, enum trp_message_kind kind, uint8_t *out)
{
    struct trp_msgpack_item item;
    enum trp_status status = trp_msgpack_next(&decoder->in, &item);
    if (status != TRP_OK) {
        return status;
    }
    if (kind != TRP_KIND_TEXT && item.kind == TRP_MSGPACK_ARRAY) {
        status = read_octets(decoder, item.number, &item.bytes);
    } else if (item.kind == TRP_MSGPACK_TEXT) {
        status = kind == TRP_KIND_OCTETS ? TRP_EDECODE : TRP_OK;
    } else if (item.kind != TRP_MSGPACK_BYTES) {
        status = TRP_EDECODE;
    }
    if (status == TRP_OK && kind == TRP_KIND_TEXT && !trp_utf8_is_valid(item.bytes)) {
        status = TRP_EDECODE;
    }
    if (status == TRP_OK) {
        memcpy(out, &item.bytes, sizeof item.bytes);
    }
    return status;
}

static enum trp_status store_char(const struct trp_msgpack_item *item, uint8_t *out)
{
    uint32_t point;
    if (item->kind != TRP_MSGPACK_TEXT || !trp_utf8_decode_one(item->bytes, &point)) {
        return TRP_EDECODE;
    }
    memcpy(out, &point, sizeof point);
    return TRP_OK;
}

/* ---- references ---- */

static enum trp_status store_actor_id(const struct trp_msgpack_item *item, uint8_t *out)
{
    struct trp_actor_ref ref;
    if (item->kind != TRP_MSGPACK_BYTES || trp_actor_id_decode(item->bytes, &ref) != TRP_OK) {
        return TRP_EDECODE;
    }
    memcpy(out, &ref, sizeof ref);
    return TRP_OK;
}

/* Kameo's RemoteActorRef, as a struct. */
struct ref_struct {
    struct trp_actor_ref id;
};

static const struct trp_message_field ref_fields[] = {
    {.name = "id", .name_bytes = 2, .type = TRP_TYPE_ACTOR_ID}};
static const struct trp_message_type ref_type = {.kind = TRP_KIND_STRUCT,
                                                 .size = sizeof(struct ref_struct),
                                                 .fields_count = 1,
                                                 .fields = ref_fields};

/* RemoteActorRef: a struct; an ActorId alone; nil for no actor. */
static enum trp_status read_ref(struct decoder *decoder, uint8_t *out)
{
    struct trp_msgpack_reader at_ref = decoder->in;
    struct trp_msgpack_item item;
    enum trp_status status = trp_msgpack_next(&decoder->in, &item);
    if (status != TRP_OK || item.kind == TRP_MSGPACK_NIL) {
        return status;
    }
    if (item.kind == TRP_MSGPACK_MAP || item.kind == TRP_MSGPACK_ARRAY) {
        decoder->in = at_ref;
        return read_value(decoder, &ref_type, out);
    }
    return store_actor_id(&item, out);
}

/* ---- scalars ---- */

/* serde: whole seconds among the nanoseconds are carried. */
static enum trp_status read_duration(struct decoder *decoder, uint8_t *out)
{
    struct trp_duration duration;
    enum trp_status status = read_value(decoder, &trp_duration_struct_type, out);
    if (status != TRP_OK) {
        return status;
    }
    memcpy(&duration, out, sizeof duration);
    uint32_t carry = duration.nanos / (uint32_t)TRP_S(1);
    if (duration.secs > UINT64_MAX - carry) {
        return TRP_EDECODE;
    }
    duration.secs += carry;
    duration.nanos %= (uint32_t)TRP_S(1);
    memcpy(out, &duration, sizeof duration);
    return TRP_OK;
}

/* `struct S;` is nil or an empty array; `struct S {}` may have fields that we do not know. */
static enum trp_status read_empty(struct decoder *decoder, const struct trp_msgpack_item *item)
{
    uint64_t pairs = item->kind == TRP_MSGPACK_MAP ? item->number : 0;
    bool empty = item->kind == TRP_MSGPACK_NIL || item->kind == TRP_MSGPACK_MAP ||
                 (item->kind == TRP_MSGPACK_ARRAY && item->number == 0);
    return empty ? trp_msgpack_skip(&decoder->in, 2 * pairs) : TRP_EDECODE;
}

static enum trp_status read_number(struct trp_msgpack_reader *in, enum trp_message_kind kind,
                                   uint8_t *out)
{
    struct trp_msgpack_item item;
    enum trp_status status = trp_msgpack_next(in, &item);
    return status == TRP_OK ? store_number(&item, kind, out) : status;
}

static enum trp_status read_scalar(struct decoder *decoder, enum trp_message_kind kind,
                                   uint8_t *out)
{
    struct trp_msgpack_item item;
    if (kind_is_number(kind)) {
        return read_number(&decoder->in, kind, out);
    }
    if (kind >= TRP_KIND_TEXT && kind <= TRP_KIND_OCTETS) {
        return read_slice(decoder, kind, out);
    }
    if (kind == TRP_KIND_REF || kind == TRP_KIND_DURATION) {
        return kind == TRP_KIND_REF ? read_ref(decoder, out) : read_duration(decoder, out);
    }
    enum trp_status status = trp_msgpack_next(&decoder->in, &item);
    if (status != TRP_OK) {
        return status;
    }
    if (kind == TRP_KIND_BOOL && item.kind == TRP_MSGPACK_BOOL) {
        memcpy(out, &(bool){item.number != 0}, sizeof(bool));
        return TRP_OK;
    }
    if (kind == TRP_KIND_UNIT) {
        return item.kind == TRP_MSGPACK_NIL ? TRP_OK : TRP_EDECODE;
    }
    return kind == TRP_KIND_CHAR       ? store_char(&item, out)
           : kind == TRP_KIND_ACTOR_ID ? store_actor_id(&item, out)
           : kind == TRP_KIND_EMPTY    ? read_empty(decoder, &item)
                                       : TRP_EDECODE;
}

/* ---- structs, tuples, enums ---- */

/* An Option may be missing: it is None as the zeroed struct has it. */
static enum trp_status check_missing(const struct trp_message_type *type, uint64_t seen)
{
    for (uint32_t i = 0; i < type->fields_count; i++) {
        enum trp_message_kind kind = type->fields[i].type->kind;
        if ((seen >> i & 1) == 0 && kind != TRP_KIND_OPTION && kind != TRP_KIND_MAYBE) {
            return TRP_EDECODE;
        }
    }
    return TRP_OK;
}

/* Says whether a key is the name of a field. */
static bool is_named(const struct trp_message_type *type, uint32_t index,
                     const struct trp_msgpack_item *key)
{
    return index < type->fields_count && key->kind == TRP_MSGPACK_TEXT &&
           key->bytes.size == type->fields[index].name_bytes &&
           memcmp(key->bytes.data, type->fields[index].name, key->bytes.size) == 0;
}

/* Finds the field that a key names, `index` first. */
static enum trp_status find_field(const struct trp_message_type *type,
                                  const struct trp_msgpack_item *key, uint32_t *index)
{
    if (is_named(type, *index, key)) {
        return TRP_OK;
    }
    enum trp_status status = trp_message_find_field(type, key, *index, index);
    bool strict = type == &trp_duration_struct_type; /* as serde's own */
    bool odd = *index == type->fields_count || key->kind == TRP_MSGPACK_UNSIGNED;
    return status == TRP_OK && strict && odd ? TRP_EDECODE : status;
}

static enum trp_status read_pairs(struct decoder *decoder, uint64_t pairs,
                                  const struct trp_message_type *type, uint8_t *out)
{
    uint64_t seen = 0;
    uint32_t index = 0;
    struct trp_msgpack_item key;
    for (uint64_t i = 0; i < pairs; i++) {
        enum trp_status status = trp_msgpack_next(&decoder->in, &key);
        if (status == TRP_OK) {
            status = find_field(type, &key, &index);
        }
        if (status != TRP_OK) {
            return status;
        }
        if (index == type->fields_count) {
            status = trp_msgpack_skip(&decoder->in, 1);
        } else if ((seen >> index & 1) != 0) {
            status = TRP_EDECODE; /* serde: duplicate field */
        } else {
            const struct trp_message_field *field = &type->fields[index];
            seen |= UINT64_C(1) << index++;
            status = read_value(decoder, field->type, out + field->offset);
        }
        if (status != TRP_OK) {
            return status;
        }
    }
    uint64_t all = type->fields_count == 0 ? 0 : UINT64_MAX >> (64 - type->fields_count);
    return seen == all ? TRP_OK : check_missing(type, seen);
}

static enum trp_status read_fields(struct decoder *decoder, const struct trp_message_type *type,
                                   uint8_t *out)
{
    enum trp_status status = TRP_OK;
    for (uint32_t i = 0; status == TRP_OK && i < type->fields_count; i++) {
        status = read_value(decoder, type->fields[i].type, out + type->fields[i].offset);
    }
    return status;
}

static enum trp_status read_struct(struct decoder *decoder, const struct trp_message_type *type,
                                   uint8_t *out)
{
    struct trp_msgpack_item item;
    enum trp_status status = trp_msgpack_next(&decoder->in, &item);
    if (status != TRP_OK) {
        return status;
    }
    if (item.kind == TRP_MSGPACK_MAP && type->kind == TRP_KIND_STRUCT) {
        return read_pairs(decoder, item.number, type, out);
    }
    if (item.kind == TRP_MSGPACK_ARRAY && item.number == type->fields_count) {
        return read_fields(decoder, type, out);
    }
    return TRP_EDECODE;
}

/* A variant alone is its name, one with a value a map of that one pair. */
static enum trp_status read_enum(struct decoder *decoder, const struct trp_message_type *type,
                                 uint8_t *out)
{
    struct trp_msgpack_item item;
    uint32_t index;
    enum trp_status status = trp_msgpack_next(&decoder->in, &item);
    bool map = status == TRP_OK && item.kind == TRP_MSGPACK_MAP;
    if (map) {
        status = item.number == 1 ? trp_msgpack_next(&decoder->in, &item) : TRP_EDECODE;
    }
    if (status == TRP_OK) {
        status = trp_message_find_field(type, &item, 0, &index);
    }
    if (status != TRP_OK) {
        return status;
    }
    if (index == type->fields_count) {
        return TRP_EDECODE;
    }
    memcpy(out, &index, sizeof index);
    const struct trp_message_field *variant = &type->fields[index];
    if (variant->type->kind != TRP_KIND_NO_VALUE) {
        return map ? read_value(decoder, variant->type, out + variant->offset) : TRP_EDECODE;
    }
    return map ? read_value(decoder, TRP_TYPE_UNIT, out + variant->offset) : TRP_OK;
}

/* ---- lists, maps, options ---- */

static enum trp_status read_items(struct decoder *decoder, const struct trp_message_type *item,
                                  uint8_t *out, uint64_t count)
{
    enum trp_status status = TRP_OK;
    for (uint64_t i = 0; i < count && status == TRP_OK; i++, out += item->size) {
        status = read_value(decoder, item, out);
    }
    return status;
}

/* Bytes in the place of a list are its numbers. */
static enum trp_status store_bytes(struct trp_bytes bytes, const struct trp_message_type *item,
                                   uint8_t *out)
{
    enum trp_status status = kind_is_number(item->kind) || bytes.size == 0 ? TRP_OK : TRP_EDECODE;
    for (size_t i = 0; i < bytes.size && status == TRP_OK; i++, out += item->size) {
        const struct trp_msgpack_item byte = {.kind = TRP_MSGPACK_UNSIGNED,
                                              .number = bytes.data[i]};
        status = store_number(&byte, item->kind, out);
    }
    return status;
}

/* Takes memory for items of which each has at least one byte of input. */
static enum trp_status take_items(struct decoder *decoder, uint64_t count, size_t size,
                                  struct trp_message_items *ret_list)
{
    if (count > decoder->in.in.size || count > SIZE_MAX / size) {
        return TRP_EDECODE;
    }
    ret_list->count = (size_t)count;
    ret_list->items = count == 0 ? NULL : take_memory(decoder, (size_t)count * size);
    return count > 0 && ret_list->items == NULL ? TRP_ETOOBIG : TRP_OK;
}

static enum trp_status read_list(struct decoder *decoder, const struct trp_message_type *type,
                                 uint8_t *out)
{
    struct trp_msgpack_item head;
    struct trp_message_items list = {.items = NULL};
    enum trp_status status = trp_msgpack_next(&decoder->in, &head);
    if (status != TRP_OK) {
        return status;
    }
    bool bytes = head.kind == TRP_MSGPACK_BYTES;
    if (!bytes && head.kind != TRP_MSGPACK_ARRAY) {
        return TRP_EDECODE;
    }
    status = take_items(decoder, bytes ? head.bytes.size : head.number, type->item->size, &list);
    if (status != TRP_OK) {
        return status;
    }
    memcpy(out, &list, sizeof list);
    return bytes ? store_bytes(head.bytes, type->item, list.items)
                 : read_items(decoder, type->item, list.items, list.count);
}

static enum trp_status read_array(struct decoder *decoder, const struct trp_message_type *type,
                                  uint8_t *out)
{
    struct trp_msgpack_item head;
    enum trp_status status = trp_msgpack_next(&decoder->in, &head);
    if (status != TRP_OK) {
        return status;
    }
    if (head.kind == TRP_MSGPACK_ARRAY && head.number == type->items_count) {
        return read_items(decoder, type->item, out, head.number);
    }
    if (head.kind == TRP_MSGPACK_BYTES && head.bytes.size == type->items_count) {
        return store_bytes(head.bytes, type->item, out);
    }
    return TRP_EDECODE;
}

static enum trp_status read_map(struct decoder *decoder, const struct trp_message_type *type,
                                uint8_t *out)
{
    struct trp_msgpack_item head;
    struct trp_message_items map = {.items = NULL};
    const struct trp_message_type *entry = type->item;
    enum trp_status status = trp_msgpack_next(&decoder->in, &head);
    if (status == TRP_OK) {
        status = head.kind == TRP_MSGPACK_MAP ? take_items(decoder, head.number, entry->size, &map)
                                              : TRP_EDECODE;
    }
    if (status == TRP_OK) {
        memcpy(out, &map, sizeof map);
    }
    uint8_t *at = map.items;
    for (size_t i = 0; i < map.count && status == TRP_OK; i++, at += entry->size) {
        status = read_fields(decoder, entry, at);
    }
    return status;
}

static enum trp_status read_option(struct decoder *decoder, const struct trp_message_type *type,
                                   uint8_t *out)
{
    bool has = !trp_msgpack_take_nil(&decoder->in);
    memcpy(out, &has, sizeof has);
    return has ? read_value(decoder, type->item, out + type->offset) : TRP_OK;
}

static enum trp_status read_pointer(struct decoder *decoder, const struct trp_message_type *type,
                                    uint8_t *out)
{
    if (type->kind == TRP_KIND_MAYBE && trp_msgpack_take_nil(&decoder->in)) {
        return TRP_OK;
    }
    uint8_t *target = take_memory(decoder, type->item->size);
    if (target == NULL) {
        return TRP_ETOOBIG;
    }
    memcpy(out, &target, sizeof target);
    return read_value(decoder, type->item, target);
}

static enum trp_status (*const readers[])(struct decoder *, const struct trp_message_type *,
                                          uint8_t *) = {
    [TRP_KIND_STRUCT] = read_struct, [TRP_KIND_TUPLE] = read_struct,  [TRP_KIND_ENUM] = read_enum,
    [TRP_KIND_LIST] = read_list,     [TRP_KIND_ARRAY] = read_array,   [TRP_KIND_MAP] = read_map,
    [TRP_KIND_OPTION] = read_option, [TRP_KIND_MAYBE] = read_pointer, [TRP_KIND_BOX] = read_pointer,
};

static enum trp_status read_value(struct decoder *decoder, const struct trp_message_type *type,
                                  uint8_t *out)
{
    while (type->kind == TRP_KIND_NEWTYPE) {
        out += type->fields[0].offset;
        type = type->fields[0].type;
    }
    if (type->kind < TRP_KIND_STRUCT) {
        return read_scalar(decoder, type->kind, out);
    }
    if (decoder->depth == TRP_MESSAGE_DEPTH_MAX) {
        return TRP_EDECODE;
    }
    decoder->depth++;
    enum trp_status status = type->kind == TRP_KIND_STRUCT
                                 ? read_struct(decoder, type, out)
                                 : readers[type->kind](decoder, type, out);
    decoder->depth--;
    return status;
}

/* ---- whole messages ---- */

enum trp_status trp_message_decode_in(const struct trp_message_type *type, struct trp_bytes in,
                                      void *memory, size_t memory_bytes, void *ret_message)
{
    struct trp_nil nothing;
    void *block = memory == NULL ? &nothing : memory;
    struct decoder decoder = {.in = {.in = in}, .memory = trp_arena_init(block, memory_bytes)};
    if (type->kind == TRP_KIND_NEWTYPE && kind_is_number(type->fields[0].type->kind)) {
        return read_number(&decoder.in, type->fields[0].type->kind, ret_message); /* most replies */
    }
    if (type->size > 0) {
        memset(ret_message, 0, type->size);
    }
    return read_value(&decoder, type, type->size == 0 ? &nothing.unused : ret_message);
}

enum trp_status trp_message_decode(const struct trp_message_type *type, struct trp_bytes in,
                                   void *ret_message)
{
    return trp_message_decode_in(type, in, NULL, 0, ret_message);
}
