/* SPDX-License-Identifier: MIT */
/* troupe/message.h - messages declared once: the struct, the codec, the printer, the id.
 *
 *     #define COUNTER_INC(FIELD, TAG) FIELD(TAG, I64, amount)
 *     TRP_MESSAGE_DECLARE(counter_inc, COUNTER_INC);          in a header: struct counter_inc
 *     TRP_MESSAGE_DEFINE(counter_inc, "inc", COUNTER_INC);    in one .c: counter_inc_type
 *
 * The payload is msgpack as Kameo's rmp_serde::to_vec_named writes it: a map from field name to
 * value. A message declared with TRP_MESSAGE_DEFINE_NEWTYPE has one field and is encoded as that
 * bare value (a Rust newtype or primitive); trp_unit_type is Rust's `()`, encoded as nil.
 * Decoding accepts an array in field order, ignores unknown keys, and takes integers of any width
 * that fit.
 * Spec       reference: msgpack; serde's externally visible data model.
 * Ownership  TEXT, BYTES fields are slices: borrowed by encode; after decode they borrow from the
 *            input, and are valid while the handler runs. */
#ifndef TROUPE_MESSAGE_H
#define TROUPE_MESSAGE_H

#include <troupe/actor_ref.h>
#include <troupe/base.h>

TRP_EXTERN_C_BEGIN

/* X(field type, C type) */
#define TRP_MESSAGE_FIELD_TYPES(X)                                                                 \
    X(BOOL, bool)                                                                                  \
    X(U32, uint32_t)                                                                               \
    X(U64, uint64_t)                                                                               \
    X(I32, int32_t)                                                                                \
    X(I64, int64_t)                                                                                \
    X(F32, float)                                                                                  \
    X(F64, double)                                                                                 \
    X(TEXT, struct trp_bytes)                                                                      \
    X(BYTES, struct trp_bytes) /* msgpack bin (serde_bytes) */                                     \
    X(REF, struct trp_actor_ref)

enum trp_message_field_type {
#define TRP_FIELD_ENUM(name, ctype) TRP_FIELD_##name,
    TRP_MESSAGE_FIELD_TYPES(TRP_FIELD_ENUM)
#undef TRP_FIELD_ENUM
};

#define TRP_FIELD_CTYPE_BOOL  bool
#define TRP_FIELD_CTYPE_U32   uint32_t
#define TRP_FIELD_CTYPE_U64   uint64_t
#define TRP_FIELD_CTYPE_I32   int32_t
#define TRP_FIELD_CTYPE_I64   int64_t
#define TRP_FIELD_CTYPE_F32   float
#define TRP_FIELD_CTYPE_F64   double
#define TRP_FIELD_CTYPE_TEXT  struct trp_bytes
#define TRP_FIELD_CTYPE_BYTES struct trp_bytes
#define TRP_FIELD_CTYPE_REF   struct trp_actor_ref

struct trp_message_field {
    const char *name;
    enum trp_message_field_type type;
    uint32_t offset;
};

enum trp_message_shape { TRP_SHAPE_MAP, TRP_SHAPE_NEWTYPE, TRP_SHAPE_UNIT };

struct trp_message_type {
    const char *id; /* what names the message on the wire */
    enum trp_message_shape shape;
    uint32_t size; /* of the struct in bytes */
    uint32_t fields_count;
    const struct trp_message_field *fields;
};

#define TRP_MESSAGE_MEMBER(tag, ftype, fname) TRP_FIELD_CTYPE_##ftype fname;
#define TRP_MESSAGE_ENTRY(tag, ftype, fname)                                                       \
    {.name = #fname, .type = TRP_FIELD_##ftype, .offset = offsetof(struct tag, fname)},

#define TRP_MESSAGE_DECLARE(tag, FIELDS)                                                           \
    struct tag {                                                                                   \
        FIELDS(TRP_MESSAGE_MEMBER, tag)                                                            \
    };                                                                                             \
    extern const struct trp_message_type tag##_type

#define TRP_MESSAGE_DEFINE_SHAPE(tag, text, shape_, FIELDS)                                        \
    static const struct trp_message_field tag##_fields[] = {FIELDS(TRP_MESSAGE_ENTRY, tag)};       \
    const struct trp_message_type tag##_type = {.id = (text),                                      \
                                                .shape = (shape_),                                 \
                                                .size = sizeof(struct tag),                        \
                                                .fields_count =                                    \
                                                    sizeof tag##_fields / sizeof tag##_fields[0],  \
                                                .fields = tag##_fields}

/* A struct with named fields: a msgpack map. */
#define TRP_MESSAGE_DEFINE(tag, text, FIELDS)                                                      \
    TRP_MESSAGE_DEFINE_SHAPE(tag, text, TRP_SHAPE_MAP, FIELDS)
/* One field, encoded as its bare value. */
#define TRP_MESSAGE_DEFINE_NEWTYPE(tag, text, FIELDS)                                              \
    TRP_MESSAGE_DEFINE_SHAPE(tag, text, TRP_SHAPE_NEWTYPE, FIELDS)

/* A message without fields: in a header, and in one .c file. Its handler gets NULL. */
#define TRP_MESSAGE_DECLARE_EMPTY(tag) extern const struct trp_message_type tag##_type
#define TRP_MESSAGE_DEFINE_EMPTY(tag, text)                                                        \
    const struct trp_message_type tag##_type = {.id = (text), .shape = TRP_SHAPE_MAP}

/* Rust's `()`: nil. The reply of a handler that answers with nothing. */
extern TRP_API const struct trp_message_type trp_unit_type;

/* Writes at most `room` bytes of msgpack; TRP_ETOOBIG when it does not fit. `message` may be NULL
 * for a type without fields. */
TRP_API enum trp_status trp_message_encode(const struct trp_message_type *type, const void *message,
                                           uint8_t *out, size_t room,
                                           size_t *ret_size) TRP_NODISCARD;
/* Reads msgpack into a struct of type->size bytes; trailing bytes are ignored, a missing or
 * mistyped field is TRP_EDECODE, and `ret_message` is undefined then. Slices borrow from `in`. */
TRP_API enum trp_status trp_message_decode(const struct trp_message_type *type, struct trp_bytes in,
                                           void *ret_message) TRP_NODISCARD;
/* Writes any msgpack value as JSON with a NUL, cut at `room`; returns the length it would have. */
TRP_API size_t trp_msgpack_print(struct trp_bytes in, char *out, size_t room);

TRP_EXTERN_C_END

#endif
