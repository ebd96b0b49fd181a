/* SPDX-License-Identifier: MIT */
/* msgpack into messages of every shape, and as JSON. */
#include "base/assert.h"

#include <troupe/message.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define EVERYTHING(FIELD, TAG)                                                                     \
    FIELD(TAG, BOOL, a)                                                                            \
    FIELD(TAG, U32, b)                                                                             \
    FIELD(TAG, U64, c)                                                                             \
    FIELD(TAG, I32, d)                                                                             \
    FIELD(TAG, I64, e)                                                                             \
    FIELD(TAG, F32, f)                                                                             \
    FIELD(TAG, F64, g)                                                                             \
    FIELD(TAG, TEXT, h)                                                                            \
    FIELD(TAG, BYTES, i)                                                                           \
    FIELD(TAG, REF, j)
TRP_MESSAGE_DECLARE(everything, EVERYTHING);
TRP_MESSAGE_DEFINE(everything, "everything", EVERYTHING);

#define TWO(FIELD, TAG) FIELD(TAG, TEXT, a) FIELD(TAG, REF, b)
TRP_MESSAGE_DECLARE(two, TWO);
TRP_MESSAGE_DEFINE(two, "two", TWO);

#define ONE(FIELD, TAG) FIELD(TAG, BYTES, a)
TRP_MESSAGE_DECLARE(one, ONE);
TRP_MESSAGE_DEFINE_NEWTYPE(one, "one", ONE);

/* What decodes is written again, the same twice. */
static void try_type(const struct trp_message_type *type, struct trp_bytes in)
{
    static uint8_t out[65536 + 1024];
    static uint8_t again[65536 + 1024];
    union {
        struct everything everything;
        struct two two;
        struct one one;
    } message;
    size_t size = 0;
    size_t again_size = 0;
    if (trp_message_decode(type, in, &message) != TRP_OK) {
        return;
    }
    TRP_ASSERT(trp_message_encode(type, &message, out, sizeof out, &size) == TRP_OK);
    TRP_ASSERT(trp_message_decode(type, trp_bytes(out, size), &message) == TRP_OK);
    TRP_ASSERT(trp_message_encode(type, &message, again, sizeof again, &again_size) == TRP_OK);
    TRP_ASSERT(trp_bytes_equal(trp_bytes(out, size), trp_bytes(again, again_size)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char text[512];
    struct trp_bytes in = trp_bytes(data, size < 65536 ? size : 65536);
    try_type(&everything_type, in);
    try_type(&two_type, in);
    try_type(&one_type, in);
    TRP_IGNORE(trp_message_decode(&trp_unit_type, in, NULL));
    size_t length = trp_msgpack_print(in, text, sizeof text);
    TRP_ASSERT(strlen(text) == (length < sizeof text ? length : sizeof text - 1));
    return 0;
}
