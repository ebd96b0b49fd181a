/* SPDX-License-Identifier: MIT */
/* Every shape of message against rmp-serde: tests/vectors/rmp_serde.txt has what it made of each
 * input. */
#include "lib/message_shapes.h"

#include "lib/test.h"
#include "wire/message.h"

#include <stdio.h>
#include <stdlib.h>

#define LINE_MAX 4096u

static const struct trp_message_type *find_type(const char *name)
{
    for (size_t i = 0; i < SHAPES_COUNT; i++) {
        if (shape_types[i]->id != NULL && strcmp(shape_types[i]->id, name) == 0) {
            return shape_types[i];
        }
    }
    fail_msg("no type %s", name);
    return NULL;
}

/* Decodes with exactly the memory that is said to be needed, which is freed by the caller. */
static enum trp_status decode(const struct trp_message_type *type, struct trp_bytes in,
                              union shape_any *ret_message, void **ret_memory)
{
    size_t need = 0;
    *ret_memory = NULL;
    enum trp_status status = trp_message_decode_need(type, in, &need);
    if (status != TRP_OK) {
        assert_true(trp_message_decode_in(type, in, NULL, 0, ret_message) != TRP_OK);
        return status;
    }
    *ret_memory = malloc(need + 1);
    status = trp_message_decode_in(type, in, *ret_memory, need, ret_message);
    assert_true(status == TRP_OK || status == TRP_EDECODE);
    return status;
}

static void check_encoding(const struct trp_message_type *type, const union shape_any *message,
                           struct trp_bytes want, unsigned line)
{
    static uint8_t out[LINE_MAX];
    size_t size = 0;
    size_t bytes = 0;
    assert_status(trp_message_encode(type, message, out, sizeof out, &size), TRP_OK);
    assert_status(trp_message_encoded_bytes(type, message, &bytes), TRP_OK);
    assert_int_equal(bytes, size);
    if (!trp_bytes_equal(trp_bytes(out, size), want)) {
        fail_msg("line %u: another encoding", line);
    }
    for (size_t room = 0; room < size; room++) {
        out[room] = 0xee;
        assert_status(trp_message_encode(type, message, out, room, &bytes), TRP_ETOOBIG);
        assert_int_equal(out[room], 0xee);
    }
}

/* A copy has all of the message, in memory of its own. */
static void check_copy(const struct trp_message_type *type, const union shape_any *message,
                       struct trp_bytes want, unsigned line)
{
    size_t bytes = 0;
    union shape_any copy = *message;
    assert_status(trp_message_parts_bytes(type, message, &bytes), TRP_OK);
    uint8_t *memory = malloc(bytes + 3);
    assert_non_null(memory);
    for (size_t shift = 0; shift < 3; shift++) {
        trp_message_copy_parts(type, message, memory + shift, &copy);
    }
    check_encoding(type, &copy, want, line);
    free(memory);
}

static void check_line(char *text, unsigned line)
{
    static uint8_t in_bytes[LINE_MAX];
    static uint8_t want_bytes[LINE_MAX];
    char *save = NULL;
    const char *name = strtok_r(text, " \n", &save);
    const char *in_hex = strtok_r(NULL, " \n", &save);
    const char *want_hex = strtok_r(NULL, " \n", &save);
    const struct trp_message_type *type = find_type(name);
    bool none = strcmp(in_hex, "-") == 0;
    size_t size = none ? 0 : test_unhex(in_hex, in_bytes, sizeof in_bytes);
    uint8_t *exact = malloc(size + 1); /* so that reading beyond it is seen */
    assert_non_null(exact);
    memcpy(exact, in_bytes, size);
    bool refused = strcmp(want_hex, "-") == 0;
    union shape_any message;
    void *memory;
    enum trp_status status = decode(type, trp_bytes(exact, size), &message, &memory);
    if ((status == TRP_OK) == refused) {
        fail_msg("line %u: %s %s is %s", line, name, in_hex, trp_status_name(status));
    }
    if (!refused) {
        struct trp_bytes want =
            trp_bytes(want_bytes, test_unhex(want_hex, want_bytes, sizeof want_bytes));
        check_encoding(type, &message, want, line);
        check_copy(type, &message, want, line);
    }
    free(memory);
    free(exact);
}

static void reads_and_writes_as_rmp_serde(void **state)
{
    (void)state;
    char text[LINE_MAX];
    unsigned lines = 0;
    FILE *file = fopen(TESTS_DIR "/vectors/rmp_serde.txt", "r");
    assert_non_null(file);
    while (fgets(text, sizeof text, file) != NULL) {
        lines++;
        if (text[0] != '#') {
            check_line(text, lines);
        }
    }
    (void)fclose(file);
    assert_true(lines > 2000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_and_writes_as_rmp_serde),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
