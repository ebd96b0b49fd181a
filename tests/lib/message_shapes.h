/* SPDX-License-Identifier: MIT */
/* lib/message_shapes.h - a message of every shape: the types of tests/vectors/rmp_serde, in C.
 *
 * Include it in one file of a program. */
#ifndef LIB_MESSAGE_SHAPES_H
#define LIB_MESSAGE_SHAPES_H

#include <troupe/message.h>

/* What is one field, as that field's bare value. */
#define SHAPES_NEWTYPES(X)                                                                         \
    X(u8, U8)                                                                                      \
    X(u16, U16)                                                                                    \
    X(u32, U32)                                                                                    \
    X(u64, U64)                                                                                    \
    X(i8, I8)                                                                                      \
    X(i16, I16)                                                                                    \
    X(i32, I32)                                                                                    \
    X(i64, I64)                                                                                    \
    X(f32, F32)                                                                                    \
    X(f64, F64)                                                                                    \
    X(bool, BOOL)                                                                                  \
    X(char, CHAR)                                                                                  \
    X(text, TEXT)                                                                                  \
    X(bytes, BYTES)                                                                                \
    X(octets, OCTETS)                                                                              \
    X(ref, REF)                                                                                    \
    X(actor_id, ACTOR_ID)                                                                          \
    X(duration, DURATION)                                                                          \
    X(unit, UNIT)                                                                                  \
    X(empty, EMPTY)                                                                                \
    X(newtype, STRUCT(shape_u32))                                                                  \
    X(u32s, LIST(U32))                                                                             \
    X(texts, LIST(TEXT))                                                                           \
    X(row, LIST(I16))                                                                              \
    X(rows, LIST(STRUCT(shape_row)))                                                               \
    X(maybes, LIST(OPTION(U8)))                                                                    \
    X(key, ARRAY(U8, 4))                                                                           \
    X(points, LIST(STRUCT(shape_point)))                                                           \
    X(corners, ARRAY(STRUCT(shape_point), 2))                                                      \
    X(ages, MAP(shape_age))                                                                        \
    X(index, MAP(shape_index_entry))                                                               \
    X(note, OPTION(TEXT))                                                                          \
    X(option_newtype, OPTION(STRUCT(shape_u32)))

#define SHAPE_NUMBERS(FIELD, TAG)                                                                  \
    FIELD(TAG, U8, a)                                                                              \
    FIELD(TAG, U16, b)                                                                             \
    FIELD(TAG, U32, c)                                                                             \
    FIELD(TAG, U64, d)                                                                             \
    FIELD(TAG, I8, e)                                                                              \
    FIELD(TAG, I16, f)                                                                             \
    FIELD(TAG, I32, g)                                                                             \
    FIELD(TAG, I64, h)                                                                             \
    FIELD(TAG, F32, i)                                                                             \
    FIELD(TAG, F64, j)                                                                             \
    FIELD(TAG, BOOL, k)                                                                            \
    FIELD(TAG, CHAR, l)
#define SHAPE_TUPLE(FIELD, TAG) FIELD(TAG, U32, number) FIELD(TAG, TEXT, text)
#define SHAPE_POINT(FIELD, TAG) FIELD(TAG, F64, x) FIELD(TAG, F64, y)
#define SHAPE_LINE(FIELD, TAG)                                                                     \
    FIELD(TAG, STRUCT(shape_point), from) FIELD(TAG, STRUCT(shape_point), to)
#define SHAPE_BOX(FIELD, TAG)                                                                      \
    FIELD(TAG, STRUCT(shape_point), min) FIELD(TAG, STRUCT(shape_point), max)
#define SHAPE_SHAPE(VARIANT, TAG)                                                                  \
    VARIANT(TAG, NO_VALUE, empty, "Empty")                                                         \
    VARIANT(TAG, F64, circle, "Circle")                                                            \
    VARIANT(TAG, STRUCT(shape_line), line, "Line")                                                 \
    VARIANT(TAG, STRUCT(shape_box), box, "Box")                                                    \
    VARIANT(TAG, OPTION(TEXT), named, "Named")                                                     \
    VARIANT(TAG, UNIT, nothing, "Void")
#define SHAPE_COLOR(VARIANT, TAG)                                                                  \
    VARIANT(TAG, NO_VALUE, Red) VARIANT(TAG, NO_VALUE, Green) VARIANT(TAG, NO_VALUE, Blue)
#define SHAPE_RESULT(VARIANT, TAG) VARIANT(TAG, U32, ok, "Ok") VARIANT(TAG, TEXT, err, "Err")
#define SHAPE_DENIED(FIELD, TAG)   FIELD(TAG, TEXT, by) FIELD(TAG, I16, code)
#define SHAPE_FAILURE(VARIANT, TAG)                                                                \
    VARIANT(TAG, NO_VALUE, NotFound) VARIANT(TAG, STRUCT(shape_denied), Denied)
#define SHAPE_OUTCOME(VARIANT, TAG)                                                                \
    VARIANT(TAG, UNIT, ok, "Ok") VARIANT(TAG, STRUCT(shape_failure), err, "Err")
#define SHAPE_AGE(FIELD, TAG)         FIELD(TAG, TEXT, name) FIELD(TAG, U32, age)
#define SHAPE_INDEX_ENTRY(FIELD, TAG) FIELD(TAG, U8, key) FIELD(TAG, STRUCT(shape_points), points)
#define SHAPE_OPTIONS(FIELD, TAG)                                                                  \
    FIELD(TAG, OPTION(U32), a)                                                                     \
    FIELD(TAG, OPTION(STRUCT(shape_point)), b)                                                     \
    FIELD(TAG, OPTION(LIST(U16)), c)                                                               \
    FIELD(TAG, MAYBE(STRUCT(shape_options)), d)
#define SHAPE_NODE(FIELD, TAG) FIELD(TAG, I32, value) FIELD(TAG, MAYBE(STRUCT(shape_node)), next)
#define SHAPE_SUM(FIELD, TAG)                                                                      \
    FIELD(TAG, BOX(STRUCT(shape_expr)), left) FIELD(TAG, BOX(STRUCT(shape_expr)), right)
#define SHAPE_CALL(FIELD, TAG)                                                                     \
    FIELD(TAG, TEXT, name) FIELD(TAG, LIST(STRUCT(shape_expr)), arguments)
#define SHAPE_EXPR(VARIANT, TAG)                                                                   \
    VARIANT(TAG, I64, Number)                                                                      \
    VARIANT(TAG, BOX(STRUCT(shape_expr)), Negate)                                                  \
    VARIANT(TAG, STRUCT(shape_sum), Sum)                                                           \
    VARIANT(TAG, STRUCT(shape_call), Call)
#define SHAPE_DRAW(FIELD, TAG)                                                                     \
    FIELD(TAG, TEXT, name)                                                                         \
    FIELD(TAG, LIST(STRUCT(shape_shape)), shapes)                                                  \
    FIELD(TAG, OPTION(TEXT), note)                                                                 \
    FIELD(TAG, STRUCT(shape_color), color)                                                         \
    FIELD(TAG, OCTETS, thumb)                                                                      \
    FIELD(TAG, BYTES, raw, "rawBytes")                                                             \
    FIELD(TAG, STRUCT(shape_point), origin)                                                        \
    FIELD(TAG, DURATION, took)                                                                     \
    FIELD(TAG, UNIT, done)                                                                         \
    FIELD(TAG, MAP(shape_age), tags)

/* Declared in the order that C wants, smaller ones first. */
TRP_MESSAGE_DECLARE(shape_numbers, SHAPE_NUMBERS);
TRP_MESSAGE_DECLARE(shape_tuple, SHAPE_TUPLE);
TRP_MESSAGE_DECLARE(shape_point, SHAPE_POINT);
TRP_MESSAGE_DECLARE(shape_line, SHAPE_LINE);
TRP_MESSAGE_DECLARE(shape_box, SHAPE_BOX);
TRP_MESSAGE_DECLARE_ENUM(shape_shape, SHAPE_SHAPE);
TRP_MESSAGE_DECLARE_ENUM(shape_color, SHAPE_COLOR);
TRP_MESSAGE_DECLARE_ENUM(shape_result, SHAPE_RESULT);
TRP_MESSAGE_DECLARE(shape_denied, SHAPE_DENIED);
TRP_MESSAGE_DECLARE_ENUM(shape_failure, SHAPE_FAILURE);
TRP_MESSAGE_DECLARE_ENUM(shape_outcome, SHAPE_OUTCOME);
TRP_MESSAGE_DECLARE(shape_age, SHAPE_AGE);
#define SHAPE_DECLARE_NEWTYPE(name, T)                                                             \
    struct shape_##name {                                                                          \
        TRP_MESSAGE_MEMBER(shape_##name, T, value)                                                 \
    };                                                                                             \
    extern const struct trp_message_type shape_##name##_type;
SHAPES_NEWTYPES(SHAPE_DECLARE_NEWTYPE)
TRP_MESSAGE_DECLARE(shape_index_entry, SHAPE_INDEX_ENTRY);
TRP_MESSAGE_DECLARE(shape_options, SHAPE_OPTIONS);
TRP_MESSAGE_DECLARE(shape_node, SHAPE_NODE);
TRP_MESSAGE_DECLARE(shape_sum, SHAPE_SUM);
TRP_MESSAGE_DECLARE(shape_call, SHAPE_CALL);
TRP_MESSAGE_DECLARE_ENUM(shape_expr, SHAPE_EXPR);
TRP_MESSAGE_DECLARE(shape_draw, SHAPE_DRAW);

TRP_MESSAGE_DEFINE(shape_numbers, "numbers", SHAPE_NUMBERS);
TRP_MESSAGE_DEFINE_TUPLE(shape_tuple, "tuple", SHAPE_TUPLE);
TRP_MESSAGE_DEFINE(shape_point, "point", SHAPE_POINT);
TRP_MESSAGE_DEFINE_TUPLE(shape_line, NULL, SHAPE_LINE);
TRP_MESSAGE_DEFINE(shape_box, NULL, SHAPE_BOX);
TRP_MESSAGE_DEFINE_ENUM(shape_shape, "shape", SHAPE_SHAPE);
TRP_MESSAGE_DEFINE_ENUM(shape_color, "color", SHAPE_COLOR);
TRP_MESSAGE_DEFINE_ENUM(shape_result, "result", SHAPE_RESULT);
TRP_MESSAGE_DEFINE(shape_denied, NULL, SHAPE_DENIED);
TRP_MESSAGE_DEFINE_ENUM(shape_failure, NULL, SHAPE_FAILURE);
TRP_MESSAGE_DEFINE_ENUM(shape_outcome, "outcome", SHAPE_OUTCOME);
TRP_MESSAGE_DEFINE(shape_age, NULL, SHAPE_AGE);
#define SHAPE_DEFINE_NEWTYPE(name, T)                                                              \
    static const struct trp_message_field shape_##name##_fields[] = {                              \
        TRP_MESSAGE_ENTRY(shape_##name, T, value)};                                                \
    const struct trp_message_type shape_##name##_type = {.id = #name,                              \
                                                         .kind = TRP_KIND_NEWTYPE,                 \
                                                         .size = sizeof(struct shape_##name),      \
                                                         .fields_count = 1,                        \
                                                         .fields = shape_##name##_fields};
SHAPES_NEWTYPES(SHAPE_DEFINE_NEWTYPE)
TRP_MESSAGE_DEFINE(shape_index_entry, NULL, SHAPE_INDEX_ENTRY);
TRP_MESSAGE_DEFINE(shape_options, "options", SHAPE_OPTIONS);
TRP_MESSAGE_DEFINE(shape_node, "node", SHAPE_NODE);
TRP_MESSAGE_DEFINE_TUPLE(shape_sum, NULL, SHAPE_SUM);
TRP_MESSAGE_DEFINE(shape_call, NULL, SHAPE_CALL);
TRP_MESSAGE_DEFINE_ENUM(shape_expr, "expr", SHAPE_EXPR);
TRP_MESSAGE_DEFINE(shape_draw, "draw", SHAPE_DRAW);

#define SHAPE_TYPE(name, T) &shape_##name##_type,
static const struct trp_message_type *const shape_types[] = {
    SHAPES_NEWTYPES(SHAPE_TYPE) & shape_numbers_type,
    &shape_tuple_type,
    &shape_point_type,
    &shape_shape_type,
    &shape_color_type,
    &shape_result_type,
    &shape_outcome_type,
    &shape_options_type,
    &shape_node_type,
    &shape_expr_type,
    &shape_draw_type,
};

#define SHAPES_COUNT (sizeof shape_types / sizeof shape_types[0])

/* Room for any of them. */
union shape_any {
#define SHAPE_MEMBER(name, T) struct shape_##name name##_;
    SHAPES_NEWTYPES(SHAPE_MEMBER)
#undef SHAPE_MEMBER
    struct shape_numbers numbers;
    struct shape_expr expr;
    struct shape_draw draw;
    struct shape_options options;
};

#endif
