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
                                                    .f64_nan = NAN};
const struct payload payload_floats = {&payload_floats_type, &floats_sample};

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
