/* SPDX-License-Identifier: MIT */
/* msgpack into messages of every shape, back, and as JSON. */
#include "base/assert.h"
#include "lib/message_shapes.h"
#include "wire/message.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define INPUT_MAX 65536u

/* What a message was decoded into, and its encoding. */
struct decoded {
    union shape_any message;
    void *memory;
    uint8_t *out;
    size_t size;
};

/* Decodes with exactly the memory that is needed, and encodes; false when it does not decode. */
static bool decode(const struct trp_message_type *type, struct trp_bytes in,
                   struct decoded *ret_decoded)
{
    size_t need = 0;
    size_t bytes = 0;
    struct decoded decoded = {.memory = NULL};
    if (trp_message_decode_need(type, in, &need) != TRP_OK) {
        TRP_ASSERT(trp_message_decode(type, in, &decoded.message) != TRP_OK);
        return false;
    }
    TRP_ASSERT(need <= 16 + in.size * (sizeof decoded.message + 16));
    decoded.memory = malloc(need + 1);
    TRP_ASSERT(decoded.memory != NULL);
    enum trp_status status =
        trp_message_decode_in(type, in, decoded.memory, need, &decoded.message);
    TRP_ASSERT(status == TRP_OK || status == TRP_EDECODE);
    if (status != TRP_OK) {
        free(decoded.memory);
        return false;
    }
    TRP_ASSERT(trp_message_encoded_bytes(type, &decoded.message, &bytes) == TRP_OK);
    decoded.out = malloc(bytes + 1);
    TRP_ASSERT(decoded.out != NULL);
    TRP_ASSERT(trp_message_encode(type, &decoded.message, decoded.out, bytes, &decoded.size) ==
               TRP_OK);
    TRP_ASSERT(decoded.size == bytes);
    *ret_decoded = decoded;
    return true;
}

static void forget(struct decoded *decoded)
{
    free(decoded->memory);
    free(decoded->out);
}

/* A copy with its parts elsewhere encodes alike when the original is gone. */
static void try_copy(const struct trp_message_type *type, struct decoded *decoded)
{
    size_t bytes = 0;
    size_t size = 0;
    union shape_any copy;
    TRP_ASSERT(trp_message_copy_need(type, &decoded->message, &bytes) == TRP_OK);
    uint8_t *memory = malloc(bytes + 1);
    uint8_t *out = malloc(decoded->size + 1);
    TRP_ASSERT(memory != NULL && out != NULL);
    trp_message_copy(type, &decoded->message, memory, &copy);
    free(decoded->memory);
    decoded->memory = NULL;
    TRP_ASSERT(trp_message_encode(type, &copy, out, decoded->size, &size) == TRP_OK);
    TRP_ASSERT(trp_bytes_equal(trp_bytes(out, size), trp_bytes(decoded->out, decoded->size)));
    free(memory);
    free(out);
}

/* What decodes is written, and what was written is read and written alike. */
static void try_type(const struct trp_message_type *type, struct trp_bytes in)
{
    struct decoded first;
    struct decoded second;
    if (!decode(type, in, &first)) {
        return;
    }
    TRP_ASSERT(decode(type, trp_bytes(first.out, first.size), &second));
    TRP_ASSERT(
        trp_bytes_equal(trp_bytes(first.out, first.size), trp_bytes(second.out, second.size)));
    try_copy(type, &first);
    forget(&first);
    forget(&second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char text[512];
    if (size == 0 || size > INPUT_MAX) {
        return 0;
    }
    /* The first byte chooses, so that the fuzzer keeps inputs apart by type. */
    struct trp_bytes in = trp_bytes(data + 1, size - 1);
    if (data[0] < SHAPES_COUNT) {
        try_type(shape_types[data[0]], in);
        return 0;
    }
    size_t length = trp_msgpack_print(in, text, sizeof text);
    TRP_ASSERT(strlen(text) == (length < sizeof text ? length : sizeof text - 1));
    return 0;
}
