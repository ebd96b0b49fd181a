/* SPDX-License-Identifier: MIT */
/* troupe/message.h - messages declared once: the struct, the codec, the printer, the id.
 *
 *     #define COUNTER_INC(FIELD, TAG) FIELD(TAG, I64, amount)
 *     TRP_MESSAGE_DECLARE(counter_inc, COUNTER_INC);          in a header: struct counter_inc
 *     TRP_MESSAGE_DEFINE(counter_inc, "inc", COUNTER_INC);    in one .c: counter_inc_type
 *
 * The payload is msgpack as Kameo's rmp_serde::to_vec_named writes it. What a type is in Rust says
 * how it is declared:
 *
 *     Rust                             declared with                      on the wire
 *     struct S { a: T, b: U }          TRP_MESSAGE_DECLARE, _DEFINE       map from name to value
 *     struct S(T); a bare T            …, TRP_MESSAGE_DEFINE_NEWTYPE      that value
 *     struct S(T, U); (T, U)           …, TRP_MESSAGE_DEFINE_TUPLE        array
 *     enum E { A, B(T), C { … } }      TRP_MESSAGE_DECLARE_ENUM, _DEFINE_ENUM
 *                                                                         "A", {"B": T}, {"C": …}
 *     struct S;                        TRP_MESSAGE_DECLARE_EMPTY, _DEFINE_EMPTY
 *                                                                         empty array
 *     ()                               …, TRP_MESSAGE_DEFINE_UNIT; trp_unit_type
 *                                                                         nil
 *
 * and what a field is, how its type is written and what it is in C:
 *
 *     bool u8…u64 i8…i64 f32 f64        BOOL U8…U64 I8…I64 F32 F64          bool uint8_t …
 *     usize, isize                     U64, I64
 *     u128, i128                       BYTES, 16 of them, big-endian
 *     char                              CHAR                                uint32_t: a code point
 *     String                            TEXT                                struct trp_bytes: UTF-8
 *     serde_bytes::ByteBuf              BYTES                               struct trp_bytes
 *     Vec<u8>                           OCTETS (an array of integers)       struct trp_bytes
 *     RemoteActorRef, and Option of it  REF                                 struct trp_actor_ref
 *     ActorId                           ACTOR_ID                            struct trp_actor_ref
 *     Duration                          DURATION                            struct trp_duration
 *     (), struct S;                     UNIT, EMPTY                         struct trp_nil
 *     a type declared here              STRUCT(tag)                         struct tag
 *     Vec<T>, HashSet<T>, …             LIST(T)                             { items, count }
 *     [T; n]                            ARRAY(T, n)                         { items[n] }
 *     HashMap<K, V>, BTreeMap<K, V>     MAP(tag): K and V are tag's fields  { items, count }
 *     Option<T>                         OPTION(T)                           { has, value }
 *     Option<Box<T>>                    MAYBE(T)                            const T *; NULL: None
 *     Box<T>                            BOX(T)                              const T *
 *
 * T is any of these, but no constructor stands inside itself: give what would be a list of lists a
 * name with TRP_MESSAGE_DECLARE and _DEFINE_NEWTYPE. A third name is the one on the wire:
 * FIELD(TAG, U32, kind_, "kind"). So the message
 *
 *     struct Draw { name: String, shapes: Vec<Shape>, note: Option<String> }
 *     enum Shape { Empty, Circle(f64), Line(Point, Point) }
 *     struct Point { x: f64, y: f64 }
 * is
 *     #define POINT(FIELD, TAG) FIELD(TAG, F64, x) FIELD(TAG, F64, y)
 *     #define LINE(FIELD, TAG) FIELD(TAG, STRUCT(point), from) FIELD(TAG, STRUCT(point), to)
 *     #define SHAPE(VARIANT, TAG)                    \
 *         VARIANT(TAG, NO_VALUE, empty, "Empty")     \
 *         VARIANT(TAG, F64, circle, "Circle")        \
 *         VARIANT(TAG, STRUCT(line), line, "Line")
 *     #define DRAW(FIELD, TAG)                       \
 *         FIELD(TAG, TEXT, name)                     \
 *         FIELD(TAG, LIST(STRUCT(shape)), shapes)    \
 *         FIELD(TAG, OPTION(TEXT), note)
 *     TRP_MESSAGE_DECLARE(point, POINT);             TRP_MESSAGE_DEFINE(point, NULL, POINT);
 *     TRP_MESSAGE_DECLARE(line, LINE);               TRP_MESSAGE_DEFINE_TUPLE(line, NULL, LINE);
 *     TRP_MESSAGE_DECLARE_ENUM(shape, SHAPE);        TRP_MESSAGE_DEFINE_ENUM(shape, NULL, SHAPE);
 *     TRP_MESSAGE_DECLARE(draw, DRAW);               TRP_MESSAGE_DEFINE(draw, "draw", DRAW);
 *
 *     const struct shape shapes[] = {{.kind = shape_circle, .circle = 2.5}, {.kind = shape_empty}};
 *     const struct draw draw = {.name = trp_bytes_text("moon"), .shapes = TRP_LIST(shapes)};
 *
 * (as a whole program: examples/orders.c).
 * Decoding is as lenient as rmp-serde: a struct may be an array of all its fields, fields that are
 * not known are passed over, an OPTION or MAYBE may be missing, integers have any width that fits,
 * TEXT may come as bytes, BYTES and OCTETS as bytes or as an array, and what follows the value is
 * ignored. Everything else is TRP_EDECODE.
 * Spec       msgpack; serde's data model; rmp-serde 1.3.
 * Ownership  Encoding borrows what a message points to. After decoding, texts and bytes borrow from
 *            the input, and all else lies in the memory given; in an actor, all of it is valid
 *            while the handler runs.
 * Limits     64 fields or variants of one type; 128 levels of nesting. Decoding needs at most as
 *            much memory as the input has bytes, times the size of the largest item declared. */
#ifndef TROUPE_MESSAGE_H
#define TROUPE_MESSAGE_H

#include <troupe/actor_ref.h>
#include <troupe/base.h>

TRP_EXTERN_C_BEGIN

/* C has no type without a value. */
struct trp_nil {
    uint8_t unused;
};

/* std::time::Duration; less than a second of nanoseconds. */
struct trp_duration {
    uint64_t secs;
    uint32_t nanos;
};

/* X(kind, C type): what needs no other type. */
#define TRP_MESSAGE_SCALARS(X)                                                                     \
    X(BOOL, bool)                                                                                  \
    X(U8, uint8_t)                                                                                 \
    X(U16, uint16_t)                                                                               \
    X(U32, uint32_t)                                                                               \
    X(U64, uint64_t)                                                                               \
    X(I8, int8_t)                                                                                  \
    X(I16, int16_t)                                                                                \
    X(I32, int32_t)                                                                                \
    X(I64, int64_t)                                                                                \
    X(F32, float)                                                                                  \
    X(F64, double)                                                                                 \
    X(CHAR, uint32_t)                                                                              \
    X(TEXT, struct trp_bytes)                                                                      \
    X(BYTES, struct trp_bytes)                                                                     \
    X(OCTETS, struct trp_bytes)                                                                    \
    X(REF, struct trp_actor_ref)                                                                   \
    X(ACTOR_ID, struct trp_actor_ref)                                                              \
    X(DURATION, struct trp_duration)                                                               \
    X(UNIT, struct trp_nil)                                                                        \
    X(EMPTY, struct trp_nil)                                                                       \
    X(NO_VALUE, struct trp_nil) /* a variant that is its name alone */

enum trp_message_kind {
#define TRP_KIND_OF_SCALAR(name, ctype) TRP_KIND_##name,
    TRP_MESSAGE_SCALARS(TRP_KIND_OF_SCALAR)
#undef TRP_KIND_OF_SCALAR
        TRP_KIND_STRUCT,
    TRP_KIND_TUPLE,
    TRP_KIND_NEWTYPE,
    TRP_KIND_ENUM,
    TRP_KIND_LIST,
    TRP_KIND_ARRAY,
    TRP_KIND_MAP,
    TRP_KIND_OPTION,
    TRP_KIND_MAYBE,
    TRP_KIND_BOX
};

/* A field of a struct, a variant of an enum. */
struct trp_message_field {
    const char *name;
    const struct trp_message_type *type;
    uint32_t name_bytes;
    uint32_t offset;
};

/* The type of a value, which may be a message of its own or a part of others. */
struct trp_message_type {
    const char *id; /* what names the message on the wire; NULL: never a message by itself */
    enum trp_message_kind kind;
    uint32_t size; /* in memory, in bytes */
    uint32_t fields_count;
    const struct trp_message_field *fields; /* STRUCT, TUPLE, NEWTYPE; the variants of an ENUM */
    const struct trp_message_type *item; /* LIST, ARRAY, OPTION, MAYBE, BOX; the entry of a MAP */
    uint32_t offset;                     /* OPTION: of the value */
    uint32_t items_count;                /* ARRAY */
};

/* By kind, as far as it is a scalar. */
extern TRP_API const struct trp_message_type trp_scalar_types[];

/* ---- how a field's type is spelled in C ---- */

#define TRP_CTYPE_BOOL        bool
#define TRP_CTYPE_U8          uint8_t
#define TRP_CTYPE_U16         uint16_t
#define TRP_CTYPE_U32         uint32_t
#define TRP_CTYPE_U64         uint64_t
#define TRP_CTYPE_I8          int8_t
#define TRP_CTYPE_I16         int16_t
#define TRP_CTYPE_I32         int32_t
#define TRP_CTYPE_I64         int64_t
#define TRP_CTYPE_F32         float
#define TRP_CTYPE_F64         double
#define TRP_CTYPE_CHAR        uint32_t
#define TRP_CTYPE_TEXT        struct trp_bytes
#define TRP_CTYPE_BYTES       struct trp_bytes
#define TRP_CTYPE_OCTETS      struct trp_bytes
#define TRP_CTYPE_REF         struct trp_actor_ref
#define TRP_CTYPE_ACTOR_ID    struct trp_actor_ref
#define TRP_CTYPE_UNIT        struct trp_nil
#define TRP_CTYPE_EMPTY       struct trp_nil
#define TRP_CTYPE_NO_VALUE    struct trp_nil
#define TRP_CTYPE_DURATION    struct trp_duration
#define TRP_CTYPE_STRUCT(tag) struct tag
#define TRP_CTYPE_LIST(T)                                                                          \
    struct {                                                                                       \
        const TRP_CTYPE_##T *items;                                                                \
        size_t count;                                                                              \
    }
#define TRP_CTYPE_ARRAY(T, n)                                                                      \
    struct {                                                                                       \
        TRP_CTYPE_##T items[n];                                                                    \
    }
#define TRP_CTYPE_MAP(tag)                                                                         \
    struct {                                                                                       \
        const struct tag *items;                                                                   \
        size_t count;                                                                              \
    }
#define TRP_CTYPE_OPTION(T)                                                                        \
    struct {                                                                                       \
        bool has;                                                                                  \
        TRP_CTYPE_##T value;                                                                       \
    }
#define TRP_CTYPE_MAYBE(T) const TRP_CTYPE_##T *
#define TRP_CTYPE_BOX(T)   const TRP_CTYPE_##T *

/* Initialises a LIST or MAP with a whole array. */
#define TRP_LIST(array)                                                                            \
    {                                                                                              \
        (array), sizeof(array) / sizeof((array)[0])                                                \
    }

/* ---- and how it is described ---- */

#define TRP_TYPE_BOOL        (&trp_scalar_types[TRP_KIND_BOOL])
#define TRP_TYPE_U8          (&trp_scalar_types[TRP_KIND_U8])
#define TRP_TYPE_U16         (&trp_scalar_types[TRP_KIND_U16])
#define TRP_TYPE_U32         (&trp_scalar_types[TRP_KIND_U32])
#define TRP_TYPE_U64         (&trp_scalar_types[TRP_KIND_U64])
#define TRP_TYPE_I8          (&trp_scalar_types[TRP_KIND_I8])
#define TRP_TYPE_I16         (&trp_scalar_types[TRP_KIND_I16])
#define TRP_TYPE_I32         (&trp_scalar_types[TRP_KIND_I32])
#define TRP_TYPE_I64         (&trp_scalar_types[TRP_KIND_I64])
#define TRP_TYPE_F32         (&trp_scalar_types[TRP_KIND_F32])
#define TRP_TYPE_F64         (&trp_scalar_types[TRP_KIND_F64])
#define TRP_TYPE_CHAR        (&trp_scalar_types[TRP_KIND_CHAR])
#define TRP_TYPE_TEXT        (&trp_scalar_types[TRP_KIND_TEXT])
#define TRP_TYPE_BYTES       (&trp_scalar_types[TRP_KIND_BYTES])
#define TRP_TYPE_OCTETS      (&trp_scalar_types[TRP_KIND_OCTETS])
#define TRP_TYPE_REF         (&trp_scalar_types[TRP_KIND_REF])
#define TRP_TYPE_ACTOR_ID    (&trp_scalar_types[TRP_KIND_ACTOR_ID])
#define TRP_TYPE_UNIT        (&trp_scalar_types[TRP_KIND_UNIT])
#define TRP_TYPE_EMPTY       (&trp_scalar_types[TRP_KIND_EMPTY])
#define TRP_TYPE_NO_VALUE    (&trp_scalar_types[TRP_KIND_NO_VALUE])
#define TRP_TYPE_DURATION    (&trp_scalar_types[TRP_KIND_DURATION])
#define TRP_TYPE_STRUCT(tag) (&tag##_type)
#define TRP_TYPE_LIST(T)                                                                           \
    (&(const struct trp_message_type){                                                             \
        .kind = TRP_KIND_LIST, .size = sizeof(TRP_CTYPE_LIST(T)), .item = TRP_TYPE_##T})
#define TRP_TYPE_ARRAY(T, n)                                                                       \
    (&(const struct trp_message_type){.kind = TRP_KIND_ARRAY,                                      \
                                      .size = sizeof(TRP_CTYPE_ARRAY(T, n)),                       \
                                      .item = TRP_TYPE_##T,                                        \
                                      .items_count = (n)})
#define TRP_TYPE_MAP(tag)                                                                          \
    (&(const struct trp_message_type){                                                             \
        .kind = TRP_KIND_MAP, .size = sizeof(TRP_CTYPE_MAP(tag)), .item = &tag##_type})
#define TRP_TYPE_OPTION(T)                                                                         \
    (&(const struct trp_message_type){                                                             \
        .kind = TRP_KIND_OPTION,                                                                   \
        .size = sizeof(TRP_CTYPE_OPTION(T)),                                                       \
        .item = TRP_TYPE_##T,                                                                      \
        .offset = TRP_OFFSET_BEHIND(sizeof(bool), _Alignof(TRP_CTYPE_##T))})
#define TRP_TYPE_MAYBE(T)                                                                          \
    (&(const struct trp_message_type){                                                             \
        .kind = TRP_KIND_MAYBE, .size = sizeof(void *), .item = TRP_TYPE_##T})
#define TRP_TYPE_BOX(T)                                                                            \
    (&(const struct trp_message_type){                                                             \
        .kind = TRP_KIND_BOX, .size = sizeof(void *), .item = TRP_TYPE_##T})

#define TRP_OFFSET_BEHIND(size, align) (((size) + (align)-1) / (align) * (align))

/* ---- declaring and defining ---- */

#define TRP_FIRST(first, ...)                first
#define TRP_THIRD(first, second, third, ...) third
#define TRP_PASTE_(tag, name)                tag##_##name
#define TRP_PASTE(tag, name)                 TRP_PASTE_(tag, name)
#define TRP_WIRE_NAME_SAME(name)             #name
#define TRP_WIRE_NAME_GIVEN(name, text)      text
/* The second of two arguments, or the text of a single one. */
#define TRP_WIRE_NAME(...)                                                                         \
    TRP_THIRD(__VA_ARGS__, TRP_WIRE_NAME_GIVEN, TRP_WIRE_NAME_SAME, )(__VA_ARGS__)

#define TRP_MESSAGE_MEMBER(tag, ftype, ...)   TRP_CTYPE_##ftype TRP_FIRST(__VA_ARGS__, );
#define TRP_MESSAGE_CONSTANT(tag, ftype, ...) TRP_PASTE(tag, TRP_FIRST(__VA_ARGS__, )),
#define TRP_MESSAGE_ENTRY(tag, ftype, ...)                                                         \
    {.name = TRP_WIRE_NAME(__VA_ARGS__),                                                           \
     .type = TRP_TYPE_##ftype,                                                                     \
     .name_bytes = sizeof(TRP_WIRE_NAME(__VA_ARGS__)) - 1,                                         \
     .offset = offsetof(struct tag, TRP_FIRST(__VA_ARGS__, ))},

/* In a header, what has fields: struct tag. */
#define TRP_MESSAGE_DECLARE(tag, FIELDS)                                                           \
    struct tag {                                                                                   \
        FIELDS(TRP_MESSAGE_MEMBER, tag)                                                            \
    };                                                                                             \
    extern const struct trp_message_type tag##_type

/* In a header, an enum with values: struct tag, whose `kind` is one of the constants tag_<variant>,
 * and says which of the members of the variants' names holds the value. */
#define TRP_MESSAGE_DECLARE_ENUM(tag, VARIANTS)                                                    \
    enum tag##_kind{VARIANTS(TRP_MESSAGE_CONSTANT, tag)};                                          \
    struct tag {                                                                                   \
        enum tag##_kind kind;                                                                      \
        union {                                                                                    \
            VARIANTS(TRP_MESSAGE_MEMBER, tag)                                                      \
        };                                                                                         \
    };                                                                                             \
    extern const struct trp_message_type tag##_type

#define TRP_MESSAGE_FIELDS_MAX 64

#define TRP_MESSAGE_DEFINE_KIND(tag, text, kind_, FIELDS)                                          \
    static const struct trp_message_field tag##_fields[] = {FIELDS(TRP_MESSAGE_ENTRY, tag)};       \
    _Static_assert(sizeof tag##_fields / sizeof tag##_fields[0] <= TRP_MESSAGE_FIELDS_MAX,         \
                   "too many fields or variants");                                                 \
    const struct trp_message_type tag##_type = {.id = (text),                                      \
                                                .kind = (kind_),                                   \
                                                .size = sizeof(struct tag),                        \
                                                .fields_count =                                    \
                                                    sizeof tag##_fields / sizeof tag##_fields[0],  \
                                                .fields = tag##_fields}

/* In one C file. `text` names the message on the wire; NULL for what is only a part of others. */
#define TRP_MESSAGE_DEFINE(tag, text, FIELDS)                                                      \
    TRP_MESSAGE_DEFINE_KIND(tag, text, TRP_KIND_STRUCT, FIELDS)
#define TRP_MESSAGE_DEFINE_TUPLE(tag, text, FIELDS)                                                \
    TRP_MESSAGE_DEFINE_KIND(tag, text, TRP_KIND_TUPLE, FIELDS)
/* One field, encoded as its bare value. */
#define TRP_MESSAGE_DEFINE_NEWTYPE(tag, text, FIELDS)                                              \
    TRP_MESSAGE_DEFINE_KIND(tag, text, TRP_KIND_NEWTYPE, FIELDS);                                  \
    _Static_assert(sizeof tag##_fields == sizeof tag##_fields[0], "a newtype has one field")
#define TRP_MESSAGE_DEFINE_ENUM(tag, text, VARIANTS)                                               \
    TRP_MESSAGE_DEFINE_KIND(tag, text, TRP_KIND_ENUM, VARIANTS);                                   \
    _Static_assert(sizeof(enum tag##_kind) == sizeof(uint32_t) && offsetof(struct tag, kind) == 0, \
                   "the codec reads the kind as 32 bits")

/* A message without fields: in a header, and in one .c file. Its handler gets NULL. */
#define TRP_MESSAGE_DECLARE_EMPTY(tag) extern const struct trp_message_type tag##_type
#define TRP_MESSAGE_DEFINE_EMPTY(tag, text)                                                        \
    const struct trp_message_type tag##_type = {.id = (text), .kind = TRP_KIND_EMPTY}
/* The same as Rust's `()`, with an id. */
#define TRP_MESSAGE_DEFINE_UNIT(tag, text)                                                         \
    const struct trp_message_type tag##_type = {.id = (text), .kind = TRP_KIND_UNIT}

/* The reply of a handler that answers with nothing. */
extern TRP_API const struct trp_message_type trp_unit_type;

static inline struct trp_duration trp_duration_of(trp_time span_ns)
{
    struct trp_duration duration = {span_ns / TRP_S(1), (uint32_t)(span_ns % TRP_S(1))};
    return duration;
}

/* Saturates at TRP_NEVER, after 584 years. */
static inline trp_time trp_duration_ns(struct trp_duration duration)
{
    return duration.secs >= TRP_NEVER / TRP_S(1)
               ? TRP_NEVER
               : trp_time_after(TRP_S(duration.secs), duration.nanos);
}

/* ---- ids ---- */

/* What Kameo's #[remote_message] makes an id from when it is given none, as in a Rust program whose
 * messages are declared here: the literal to put into TRP_MESSAGE_DEFINE. Spaces do not count. */
struct trp_kameo_message_name {
    const char *package;       /* CARGO_PKG_NAME */
    const char *version_major; /* CARGO_PKG_VERSION_MAJOR */
    const char *module;        /* module_path!() */
    const char *message;       /* the message's type as written */
    const char *actor;         /* the actor's type as written, with its generics */
};

#define TRP_KAMEO_MESSAGE_ID_MAX 17u /* hexadecimal digits without leading zeros, and a NUL */

/* Hashes the name (FNV-1a, 64 bits): {"kameo", "0", "remote", "Inc", "MyActor"} gives
 * "36133ddcc9b435ed". */
TRP_API void trp_kameo_message_id(const struct trp_kameo_message_name *name,
                                  char ret_id[TRP_KAMEO_MESSAGE_ID_MAX]);

/* ---- the codec ---- */

/* Writes at most `room` bytes of msgpack; TRP_ETOOBIG when it does not fit, TRP_EENCODE when it
 * is no value of the type (a TEXT that is not UTF-8, a kind that is no variant, a BOX of NULL, too
 * deep). `message` may be NULL for a type without fields. */
TRP_API enum trp_status trp_message_encode(const struct trp_message_type *type, const void *message,
                                           uint8_t *out, size_t room,
                                           size_t *ret_size) TRP_NODISCARD;
/* Gives how many bytes of msgpack that is. TRP_EENCODE. */
TRP_API enum trp_status trp_message_encoded_bytes(const struct trp_message_type *type,
                                                  const void *message,
                                                  size_t *ret_bytes) TRP_NODISCARD;
/* Reads msgpack into a struct of type->size bytes; trailing bytes are ignored, a missing or
 * mistyped field is TRP_EDECODE, and `ret_message` is undefined then. Texts and bytes borrow from
 * `in`. TRP_ETOOBIG for what cannot be borrowed: lists, boxes, OCTETS of 128 and above. */
TRP_API enum trp_status trp_message_decode(const struct trp_message_type *type, struct trp_bytes in,
                                           void *ret_message) TRP_NODISCARD;
/* The same with `memory` for what cannot be borrowed. TRP_ETOOBIG when it is too small. */
TRP_API enum trp_status trp_message_decode_in(const struct trp_message_type *type,
                                              struct trp_bytes in, void *memory,
                                              size_t memory_bytes, void *ret_message) TRP_NODISCARD;
/* Gives how much memory trp_message_decode_in needs at most for this input; what does not decode is
 * not always seen yet. TRP_EDECODE. */
TRP_API enum trp_status trp_message_decode_need(const struct trp_message_type *type,
                                                struct trp_bytes in,
                                                size_t *ret_bytes) TRP_NODISCARD;
/* Gives how much memory trp_message_copy needs for all that a message points to; SIZE_MAX for more
 * than that. TRP_EENCODE when it is no value of the type. */
TRP_API enum trp_status trp_message_copy_need(const struct trp_message_type *type,
                                              const void *message, size_t *ret_bytes) TRP_NODISCARD;
/* Copies a message, and what it points to into `memory` of at least as many bytes. */
TRP_API void trp_message_copy(const struct trp_message_type *type, const void *message,
                              void *memory, void *ret_message);
/* Writes any msgpack value as JSON with a NUL, cut at `room`; returns the length it would have. */
TRP_API size_t trp_msgpack_print(struct trp_bytes in, char *out, size_t room);

TRP_EXTERN_C_END

#endif
