/* SPDX-License-Identifier: MIT */
#include "interop/kameo/payloads.h"

#include <float.h>
#include <math.h>

#define ENCODED_MAX 1024u

#define TEXT(literal)                                                                              \
    {                                                                                              \
        (const uint8_t *)(literal), sizeof(literal) - 1                                            \
    }

TRP_MESSAGE_DEFINE_UNIT(payload_nil, "nil");
const struct payload payload_nil = {&payload_nil_type, NULL};

TRP_MESSAGE_DEFINE_EMPTY(payload_unit_struct, "unit_struct");
const struct payload payload_unit_struct = {&payload_unit_struct_type, NULL};

TRP_MESSAGE_DEFINE_EMPTY(payload_empty_struct, "empty_struct");
const struct payload payload_empty_struct = {&payload_empty_struct_type, NULL};

#define RECORD(FIELD, TAG)                                                                         \
    FIELD(TAG, I64, amount)                                                                        \
    FIELD(TAG, TEXT, name)                                                                         \
    FIELD(TAG, BOOL, flag)
TRP_MESSAGE_DECLARE(payload_struct, RECORD);
TRP_MESSAGE_DEFINE(payload_struct, "struct", RECORD);
static const struct payload_struct record_sample = {
    .amount = -300, .name = TEXT("Zoë"), .flag = true};
const struct payload payload_struct = {&payload_struct_type, &record_sample};

#define METERS(FIELD, TAG) FIELD(TAG, U64, meters)
TRP_MESSAGE_DECLARE(payload_newtype, METERS);
TRP_MESSAGE_DEFINE_NEWTYPE(payload_newtype, "newtype", METERS);
static const struct payload_newtype meters_sample = {.meters = 1000000};
const struct payload payload_newtype = {&payload_newtype_type, &meters_sample};

#define WORDS(FIELD, TAG) FIELD(TAG, TEXT, text)
TRP_MESSAGE_DECLARE(payload_text, WORDS);
TRP_MESSAGE_DEFINE_NEWTYPE(payload_text, "text", WORDS);
static const struct payload_text words_sample = {.text = TEXT("naïve 🦀\0text")};
const struct payload payload_text = {&payload_text_type, &words_sample};

#define EXTREMES(FIELD, TAG)                                                                       \
    FIELD(TAG, U32, u32_max)                                                                       \
    FIELD(TAG, U64, u64_max)                                                                       \
    FIELD(TAG, I32, i32_min)                                                                       \
    FIELD(TAG, I32, i32_max)                                                                       \
    FIELD(TAG, I64, i64_min)                                                                       \
    FIELD(TAG, I64, i64_max)                                                                       \
    FIELD(TAG, U64, zero)                                                                          \
    FIELD(TAG, I64, minus_one)
TRP_MESSAGE_DECLARE(payload_integers, EXTREMES);
TRP_MESSAGE_DEFINE(payload_integers, "integers", EXTREMES);
static const struct payload_integers extremes_sample = {.u32_max = UINT32_MAX,
                                                        .u64_max = UINT64_MAX,
                                                        .i32_min = INT32_MIN,
                                                        .i32_max = INT32_MAX,
                                                        .i64_min = INT64_MIN,
                                                        .i64_max = INT64_MAX,
                                                        .zero = 0,
                                                        .minus_one = -1};
const struct payload payload_integers = {&payload_integers_type, &extremes_sample};

#define FLOATS(FIELD, TAG)                                                                         \
    FIELD(TAG, F32, f32_half)                                                                      \
    FIELD(TAG, F32, f32_max)                                                                       \
    FIELD(TAG, F32, f32_tiny)                                                                      \
    FIELD(TAG, F32, f32_infinite)                                                                  \
    FIELD(TAG, F64, f64_tenth)                                                                     \
    FIELD(TAG, F64, f64_max)                                                                       \
    FIELD(TAG, F64, f64_minus_zero)                                                                \
    FIELD(TAG, F64, f64_nan)
TRP_MESSAGE_DECLARE(payload_floats, FLOATS);
TRP_MESSAGE_DEFINE(payload_floats, "floats", FLOATS);
static const struct payload_floats floats_sample = {.f32_half = 1.5F,
                                                    .f32_max = FLT_MAX,
                                                    .f32_tiny = FLT_MIN,
                                                    .f32_infinite = -INFINITY,
                                                    .f64_tenth = 0.1,
                                                    .f64_max = DBL_MAX,
                                                    .f64_minus_zero = -0.0,
                                                    .f64_nan = (double)NAN};
const struct payload payload_floats = {&payload_floats_type, &floats_sample};

#define PAIR(FIELD, TAG) FIELD(TAG, I32, number) FIELD(TAG, TEXT, text)
TRP_MESSAGE_DECLARE(payload_tuple, PAIR);
TRP_MESSAGE_DEFINE_TUPLE(payload_tuple, "tuple", PAIR);
static const struct payload_tuple pair_sample = {.number = -7, .text = TEXT("seven")};
const struct payload payload_tuple = {&payload_tuple_type, &pair_sample};

#define MAYBE(FIELD, TAG)                                                                          \
    FIELD(TAG, OPTION(I64), present)                                                               \
    FIELD(TAG, OPTION(I64), absent)                                                                \
    FIELD(TAG, OPTION(TEXT), text)                                                                 \
    FIELD(TAG, OPTION(STRUCT(payload_struct)), record)
TRP_MESSAGE_DECLARE(payload_option, MAYBE);
TRP_MESSAGE_DEFINE(payload_option, "option", MAYBE);
static const struct payload_option maybe_sample = {.present = {true, 5},
                                                   .text = {true, TEXT("here")}};
const struct payload payload_option = {&payload_option_type, &maybe_sample};

#define SHELF(FIELD, TAG) FIELD(TAG, LIST(I64), numbers) FIELD(TAG, LIST(TEXT), words)
TRP_MESSAGE_DECLARE(payload_list, SHELF);
TRP_MESSAGE_DEFINE(payload_list, "list", SHELF);
static const int64_t shelf_numbers[] = {0, -1, 127, 128, -129, 65536};
static const struct trp_bytes shelf_words[] = {TEXT("a"), TEXT(""), TEXT("ccc")};
static const struct payload_list shelf_sample = {.numbers = TRP_LIST(shelf_numbers),
                                                 .words = TRP_LIST(shelf_words)};
const struct payload payload_list = {&payload_list_type, &shelf_sample};

#define AGE(FIELD, TAG)  FIELD(TAG, TEXT, name) FIELD(TAG, U32, age)
#define AGES(FIELD, TAG) FIELD(TAG, MAP(age), ages)
TRP_MESSAGE_DECLARE(age, AGE);
TRP_MESSAGE_DEFINE(age, NULL, AGE);
TRP_MESSAGE_DECLARE(payload_map, AGES);
TRP_MESSAGE_DEFINE(payload_map, "map", AGES);
static const struct age ages[] = {{TEXT("ada"), 36}, {TEXT("bob"), 0}, {TEXT("eve"), 70000}};
static const struct payload_map ages_sample = {.ages = TRP_LIST(ages)};
const struct payload payload_map = {&payload_map_type, &ages_sample};

#define BLOB(FIELD, TAG) FIELD(TAG, OCTETS, plain) FIELD(TAG, BYTES, packed)
TRP_MESSAGE_DECLARE(payload_bytes, BLOB);
TRP_MESSAGE_DEFINE(payload_bytes, "bytes", BLOB);
static const struct payload_bytes blob_sample = {.plain = TEXT("\x00\x01\x7f\x80\xc8\xff"),
                                                 .packed = TEXT("\x00\x01\x7f\x80\xc8\xff")};
const struct payload payload_bytes = {&payload_bytes_type, &blob_sample};

#define SIZES(FIELD, TAG) FIELD(TAG, U32, width) FIELD(TAG, U32, height)
TRP_MESSAGE_DECLARE(sizes, SIZES);
TRP_MESSAGE_DEFINE_TUPLE(sizes, NULL, SIZES);
#define POLYGON(FIELD, TAG) FIELD(TAG, TEXT, name) FIELD(TAG, U32, sides)
TRP_MESSAGE_DECLARE(polygon, POLYGON);
TRP_MESSAGE_DEFINE(polygon, NULL, POLYGON);
#define SHAPE(VARIANT, TAG)                                                                        \
    VARIANT(TAG, NO_VALUE, nothing, "Nothing")                                                     \
    VARIANT(TAG, F64, circle, "Circle")                                                            \
    VARIANT(TAG, STRUCT(sizes), box, "Box")                                                        \
    VARIANT(TAG, STRUCT(polygon), polygon, "Polygon")
TRP_MESSAGE_DECLARE_ENUM(payload_enum, SHAPE);
TRP_MESSAGE_DEFINE_ENUM(payload_enum, "enum", SHAPE);
static const struct payload_enum shapes[] = {
    {.kind = payload_enum_nothing},
    {.kind = payload_enum_circle, .circle = 0.5},
    {.kind = payload_enum_box, .box = {3, 400}},
    {.kind = payload_enum_polygon, .polygon = {TEXT("hexagon"), 6}}};
const struct payload payload_enum = {&payload_enum_type, &shapes[3]};

#define SHAPES(FIELD, TAG) FIELD(TAG, LIST(STRUCT(payload_enum)), shapes)
TRP_MESSAGE_DECLARE(payload_enums, SHAPES);
TRP_MESSAGE_DEFINE(payload_enums, "enums", SHAPES);
static const struct payload_enums shapes_sample = {.shapes = TRP_LIST(shapes)};
const struct payload payload_enums = {&payload_enums_type, &shapes_sample};

#define OUTER(FIELD, TAG)                                                                          \
    FIELD(TAG, STRUCT(payload_struct), record)                                                     \
    FIELD(TAG, LIST(STRUCT(payload_struct)), records)                                              \
    FIELD(TAG, STRUCT(payload_option), maybe)
TRP_MESSAGE_DECLARE(payload_nested, OUTER);
TRP_MESSAGE_DEFINE(payload_nested, "nested", OUTER);
static const struct payload_struct records[] = {
    {.amount = 1, .name = TEXT("one"), .flag = false},
    {.amount = -300, .name = TEXT("Zoë"), .flag = true}};
static const struct payload_nested outer_sample = {
    .record = {.amount = -300, .name = TEXT("Zoë"), .flag = true},
    .records = TRP_LIST(records),
    .maybe = {.present = {true, 5},
              .text = {true, TEXT("here")},
              .record = {true, {.amount = -300, .name = TEXT("Zoë"), .flag = true}}}};
const struct payload payload_nested = {&payload_nested_type, &outer_sample};

#define EMPTIES(FIELD, TAG)                                                                        \
    FIELD(TAG, TEXT, text)                                                                         \
    FIELD(TAG, BYTES, packed)                                                                      \
    FIELD(TAG, LIST(I64), list)                                                                    \
    FIELD(TAG, MAP(age), ages)
TRP_MESSAGE_DECLARE(payload_empty, EMPTIES);
TRP_MESSAGE_DEFINE(payload_empty, "empty", EMPTIES);
static const struct payload_empty empties_sample = {.text = TEXT("")};
const struct payload payload_empty = {&payload_empty_type, &empties_sample};

const struct payload *payload_find(struct trp_bytes name)
{
    static const struct payload *const all[] = {
#define PAYLOAD_ENTRY(name) &payload_##name,
        PAYLOADS(PAYLOAD_ENTRY)
#undef PAYLOAD_ENTRY
    };
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        if (trp_bytes_equal(trp_bytes_text(all[i]->type->id), name)) {
            return all[i];
        }
    }
    return NULL;
}

bool payload_is_sample(const struct payload *payload, const void *message)
{
    uint8_t got[ENCODED_MAX];
    uint8_t wanted[ENCODED_MAX];
    size_t got_size;
    size_t wanted_size;
    return trp_message_encode(payload->type, message, got, sizeof got, &got_size) == TRP_OK &&
           trp_message_encode(payload->type, payload->sample, wanted, sizeof wanted,
                              &wanted_size) == TRP_OK &&
           trp_bytes_equal(trp_bytes(got, got_size), trp_bytes(wanted, wanted_size));
}
