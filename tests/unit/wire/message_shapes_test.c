/* SPDX-License-Identifier: MIT */
/* Every shape of message against rmp-serde: tests/vectors/rmp_serde.txt has what it made of each
 * input. */
#include "lib/message_shapes.h"

#include "lib/vectors.h"
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

/* A copy has all of the message in memory of its own, wherever that begins. */
static uint8_t *copy_at(const struct trp_message_type *type, const union shape_any *message,
                        size_t shift, union shape_any *ret_copy)
{
    size_t bytes = 0;
    assert_status(trp_message_copy_need(type, message, &bytes), TRP_OK);
    uint8_t *memory = malloc(bytes + shift + 1);
    assert_non_null(memory);
    trp_message_copy(type, message, memory + shift, ret_copy);
    return memory;
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
        union shape_any copy;
        check_encoding(type, &message, want, line);
        uint8_t *copied = copy_at(type, &message, line % 4, &copy);
        memset(exact, 0xee, size);
        free(memory);
        memory = copied;
        check_encoding(type, &copy, want, line);
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

/* Writes a list of nodes, msgpack of `levels` structs in each other. */
static struct trp_bytes nodes(uint8_t *out, unsigned levels)
{
    size_t size = 0;
    for (unsigned i = 0; i < levels; i++) {
        out[size++] = 0x92; /* value, next */
        out[size++] = 1;
    }
    out[size++] = 0xc0;
    return trp_bytes(out, size);
}

/* A node is a struct in a MAYBE: two levels. */
static void nesting_is_bounded(void **state)
{
    (void)state;
    static uint8_t bytes[2 * 100000 + 1];
    static uint8_t memory[100000];
    struct shape_node node;
    size_t need;
    size_t size;
    struct trp_bytes deepest = nodes(bytes, TRP_MESSAGE_DEPTH_MAX / 2);
    assert_status(trp_message_decode_need(&shape_node_type, deepest, &need), TRP_OK);
    assert_status(trp_message_decode_in(&shape_node_type, deepest, memory, sizeof memory, &node),
                  TRP_OK);
    assert_status(trp_message_encoded_bytes(&shape_node_type, &node, &size), TRP_OK);
    assert_status(trp_message_copy_need(&shape_node_type, &node, &size), TRP_OK);
    struct shape_node deeper = {.next = &node};
    assert_status(trp_message_encoded_bytes(&shape_node_type, &deeper, &size), TRP_EENCODE);
    assert_status(trp_message_copy_need(&shape_node_type, &deeper, &size), TRP_EENCODE);
    deeper.next = &deeper; /* without an end */
    assert_status(trp_message_encoded_bytes(&shape_node_type, &deeper, &size), TRP_EENCODE);
    for (unsigned levels = TRP_MESSAGE_DEPTH_MAX / 2 + 1; levels < 100000; levels *= 10) {
        struct trp_bytes deep = nodes(bytes, levels);
        assert_status(trp_message_decode_need(&shape_node_type, deep, &need), TRP_EDECODE);
        assert_status(trp_message_decode_in(&shape_node_type, deep, memory, sizeof memory, &node),
                      TRP_EDECODE);
    }
}

static void too_little_memory_is_said(void **state)
{
    (void)state;
    static const uint8_t list[] = {0x93, 1, 2, 3};
    static const uint8_t octets[] = {0x92, 1, 0xcc, 200};
    struct shape_u32s numbers;
    struct shape_octets bytes;
    size_t need = 0;
    uint8_t memory[64];
    assert_status(trp_message_decode_need(&shape_u32s_type, trp_bytes(list, 4), &need), TRP_OK);
    assert_true(need >= 12 && need < 32);
    assert_status(trp_message_decode(&shape_u32s_type, trp_bytes(list, 4), &numbers), TRP_ETOOBIG);
    assert_status(trp_message_decode_in(&shape_u32s_type, trp_bytes(list, 4), memory, 11, &numbers),
                  TRP_ETOOBIG);
    assert_status(
        trp_message_decode_in(&shape_u32s_type, trp_bytes(list, 4), memory, need, &numbers),
        TRP_OK);
    assert_true(numbers.value.count == 3 && numbers.value.items[2] == 3);
    assert_status(trp_message_decode(&shape_octets_type, trp_bytes(octets, 4), &bytes),
                  TRP_ETOOBIG);
    assert_status(
        trp_message_decode_in(&shape_octets_type, trp_bytes(octets, 4), memory, 64, &bytes),
        TRP_OK);
    assert_true(trp_bytes_equal(bytes.value, trp_bytes("\x01\xc8", 2)));
    assert_status(trp_message_decode_need(&shape_octets_type, trp_bytes("\x92\x01\x02", 3), &need),
                  TRP_OK);
    assert_int_equal(need, 0); /* borrowed */
}

static void assert_no_value(const struct trp_message_type *type, const void *message)
{
    uint8_t out[64];
    size_t size;
    assert_status(trp_message_encode(type, message, out, sizeof out, &size), TRP_EENCODE);
}

static void what_is_no_value_does_not_encode(void **state)
{
    (void)state;
    static const uint32_t none[1];
    static const struct trp_bytes bad[] = {{(const uint8_t *)"\xff", 1}};
    assert_no_value(&shape_char_type, &(struct shape_char){0xd800});
    assert_no_value(&shape_char_type, &(struct shape_char){0x110000});
    assert_no_value(&shape_text_type, &(struct shape_text){bad[0]});
    assert_no_value(&shape_texts_type, &(struct shape_texts){TRP_LIST(bad)});
    assert_no_value(&shape_note_type, &(struct shape_note){{true, bad[0]}});
    assert_no_value(&shape_u32s_type, &(struct shape_u32s){{NULL, 1}});
    assert_no_value(&shape_u32s_type, &(struct shape_u32s){{none, (size_t)UINT32_MAX + 1}});
    const struct trp_bytes endless = trp_bytes("", (size_t)UINT32_MAX + 1);
    assert_no_value(&shape_text_type, &(struct shape_text){endless});
    assert_no_value(&shape_bytes_type, &(struct shape_bytes){endless});
    assert_no_value(&shape_octets_type, &(struct shape_octets){endless});
    assert_no_value(&shape_ages_type, &(struct shape_ages){{NULL, 1}});
    assert_no_value(&shape_color_type, &(struct shape_color){.kind = (enum shape_color_kind)3});
    assert_no_value(&shape_expr_type, &(struct shape_expr){.kind = shape_expr_Negate});
}

static void fields_are_where_they_are_declared(void **state)
{
    (void)state;
    uint8_t bytes[TEST_VECTOR_LINE_MAX / 2];
    uint8_t memory[1024];
    struct shape_draw draw;
    size_t size = test_unhex("8aa46e616d65a46d6f6f6ea67368617065739281a6436972636c65cb4004000000000"
                             "000a5456d707479a46e6f7465"
                             "a16ea5636f6c6f72a4426c7565a57468756d629201ccc8a87261774279746573c4020"
                             "1c8a66f726967696e82a178"
                             "cb3fe0000000000000a179cb3fd0000000000000a4746f6f6b82a47365637302a56e6"
                             "16e6f7307a4646f6e65c0a4"
                             "7461677381a16101",
                             bytes, sizeof bytes);
    assert_status(trp_message_decode_in(&shape_draw_type, trp_bytes(bytes, size), memory,
                                        sizeof memory, &draw),
                  TRP_OK);
    assert_true(trp_bytes_equal(draw.name, trp_bytes_text("moon")));
    assert_int_equal(draw.shapes.count, 2);
    assert_int_equal(draw.shapes.items[0].kind, shape_shape_circle);
    assert_true(draw.shapes.items[0].circle >= 2.5 && draw.shapes.items[0].circle <= 2.5);
    assert_int_equal(draw.shapes.items[1].kind, shape_shape_empty);
    assert_true(draw.note.has && trp_bytes_equal(draw.note.value, trp_bytes_text("n")));
    assert_int_equal(draw.color.kind, shape_color_Blue);
    assert_true(trp_bytes_equal(draw.thumb, trp_bytes("\x01\xc8", 2)));
    assert_true(trp_bytes_equal(draw.raw, draw.thumb));
    assert_true(draw.origin.x >= 0.5 && draw.origin.x <= 0.5);
    assert_true(trp_duration_ns(draw.took) == TRP_S(2) + 7);
    assert_true(draw.tags.count == 1 && draw.tags.items[0].age == 1);
    assert_true(trp_bytes_equal(draw.tags.items[0].name, trp_bytes_text("a")));
}

static void durations_saturate(void **state)
{
    (void)state;
    assert_true(trp_duration_ns(trp_duration_of(TRP_MS(1500))) == TRP_MS(1500));
    assert_true(trp_duration_ns((struct trp_duration){UINT64_MAX, 0}) == TRP_NEVER);
    assert_true(trp_duration_ns(trp_duration_of(TRP_NEVER)) == TRP_NEVER);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_and_writes_as_rmp_serde),
        cmocka_unit_test(fields_are_where_they_are_declared),
        cmocka_unit_test(nesting_is_bounded),
        cmocka_unit_test(too_little_memory_is_said),
        cmocka_unit_test(what_is_no_value_does_not_encode),
        cmocka_unit_test(durations_saturate),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
