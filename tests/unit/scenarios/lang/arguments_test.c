/* SPDX-License-Identifier: MIT */
/* Messages as they are written in scenarios: every shape, and what is wrong with it. */
#include "scenarios/lang/load.h"

#include "lib/test.h"
#include "lib/words.h"

#include <stdio.h>
#include <stdlib.h>

#define TEXT_MAX 262144u

static struct trp_load *load_args(const char *message, const char *args)
{
    static char text[TEXT_MAX];
    int size = snprintf(text, sizeof text,
                        "name: arguments\nabout: One message.\nrun: { until: 1min }\n"
                        "hosts: { west: { count: 1 } }\n"
                        "actors: [ { type: shapes, on: west, register: shapes } ]\n"
                        "workload:\n"
                        "- { name: t, every: 1s, tell: shapes, message: %s,\n"
                        "    args: %s }\n",
                        message, args);
    assert_in_range(size, 1, sizeof text - 1);
    const struct trp_load_options options = {
        .path = "a.yaml", .text = text, .text_bytes = (size_t)size, .vocabulary = &words};
    return trp_load_open(&options);
}

/* What is sent, as JSON. Its handler would take it, and the resolved scenario sends the same. */
static void assert_sends(const char *message, const char *args, const char *json)
{
    struct trp_load *load = load_args(message, args);
    char *problems = trp_load_print_problems(load);
    assert_string_equal(problems, "");
    const struct trp_plan_workload *entry = &trp_load_plan(load)->workload[0];
    static char text[TEXT_MAX];
    (void)trp_msgpack_print(entry->args, text, sizeof text);
    assert_string_equal(text, json);
    const struct trp_message_type *type = entry->handler->message;
    size_t need = 0;
    assert_status(trp_message_decode_need(type, entry->args, &need), TRP_OK);
    void *memory = test_malloc(need + 1);
    void *value = test_malloc(type->size + 1);
    assert_status(trp_message_decode_in(type, entry->args, memory, need, value), TRP_OK);
    test_free(value);
    test_free(memory);

    char *resolved = trp_load_print_resolved(load);
    const struct trp_load_options options = {.path = "resolved.yaml",
                                             .text = resolved,
                                             .text_bytes = strlen(resolved),
                                             .vocabulary = &words};
    struct trp_load *again = trp_load_open(&options);
    assert_non_null(trp_load_plan(again));
    assert_true(trp_bytes_equal(trp_load_plan(again)->workload[0].args, entry->args));
    trp_load_free(again);
    free(resolved);
    free(problems);
    trp_load_free(load);
}

/* Each line of a problem that is not the source or its caret: "LINE:COLUMN: message", "= hint". */
static void assert_wrong(const char *message, const char *args, const char *expected)
{
    struct trp_load *load = load_args(message, args);
    assert_null(trp_load_plan(load));
    char *problems = trp_load_print_problems(load);
    static char said[TEXT_MAX];
    said[0] = '\0';
    size_t at = 0;
    for (const char *line = problems; *line != '\0'; line += strcspn(line, "\n") + 1) {
        bool problem = strncmp(line, "a.yaml:", 7) == 0;
        const char *text = line + (problem ? 7 : 6);
        if (problem || strncmp(line, "      = ", 8) == 0)
            at += (size_t)snprintf(said + at, sizeof said - at, "%.*s\n", (int)strcspn(text, "\n"),
                                   text);
    }
    assert_string_equal(said, expected);
    free(problems);
    trp_load_free(load);
}

static void reads_numbers_texts_and_times(void **state)
{
    (void)state;
    assert_sends("numbers",
                 "{ a: 255, b: 65535, c: 4294967295, d: 18446744073709551615, e: -128, f: -32768,"
                 " g: -2147483648, h: -9223372036854775808, i: 0.25, j: -1.5e3, k: true, l: é }",
                 "{\"a\":255,\"b\":65535,\"c\":4294967295,\"d\":18446744073709551615,\"e\":-128,"
                 "\"f\":-32768,\"g\":-2147483648,\"h\":-9223372036854775808,\"i\":0.25,"
                 "\"j\":-1500.0,\"k\":true,\"l\":\"é\"}");
    assert_sends("text", "no", "\"no\""); /* a text, not a flag */
    assert_sends("text", "null", "\"null\"");
    assert_sends("text", "''", "\"\"");
    assert_sends("octets", "[ 0, 127, 255 ]", "[0,127,255]");
    assert_sends("octets", "ab", "[97,98]");
    assert_sends("octets", "[]", "[]");
    assert_sends("duration", "1.5s", "{\"secs\":1,\"nanos\":500000000}");
    assert_sends("unit", "null", "null");
    assert_sends("unit", "{}", "null");
    assert_sends("empty", "[]", "[]");
    assert_sends("ref", "~", "null");
}

static void reads_what_is_inside_of_others(void **state)
{
    (void)state;
    assert_sends("tuple", "[ 7, seven ]", "[7,\"seven\"]");
    assert_sends("tuple", "{ text: seven, number: 7 }", "[7,\"seven\"]");
    assert_sends("u32", "5", "5");
    assert_sends("u32", "{ value: 5 }", "5");
    assert_sends("newtype", "5", "5"); /* a newtype of a newtype */
    assert_sends("rows", "[ [ 1, -2 ], [], [ 3 ] ]", "[[1,-2],[],[3]]");
    assert_sends("key", "[ 1, 2, 3, 4 ]", "[1,2,3,4]");
    assert_sends("corners", "[ { x: 0, y: 1 }, { y: 3, x: 2 } ]",
                 "[{\"x\":0.0,\"y\":1.0},{\"x\":2.0,\"y\":3.0}]");
    assert_sends("maybes", "[ 1, null, ~, 2 ]", "[1,null,null,2]");
    assert_sends("ages", "{ ann: 7, \"b c\": 8 }", "{\"ann\":7,\"b c\":8}");
    assert_sends("ages", "[ [ ann, 7 ], { name: bob, age: 8 } ]", "{\"ann\":7,\"bob\":8}");
    assert_sends("ages", "{}", "{}");
    assert_sends("note", "null", "null");
    assert_sends("note", "", "\"\"");
    assert_sends("note", "'null'", "\"null\"");
    assert_sends("shape", "Empty", "\"Empty\"");
    assert_sends("shape", "{ Circle: 2.5 }", "{\"Circle\":2.5}");
    assert_sends("shape", "{ Line: [ { x: 0, y: 0 }, { x: 1, y: 1 } ] }",
                 "{\"Line\":[{\"x\":0.0,\"y\":0.0},{\"x\":1.0,\"y\":1.0}]}");
    assert_sends("shape", "{ Named: null }", "{\"Named\":null}");
    assert_sends("shape", "{ Void: null }", "{\"Void\":null}");
    assert_sends("options", "{}", "{\"a\":null,\"b\":null,\"c\":null,\"d\":null}");
    assert_sends("options", "{ c: [ 1 ], d: { a: 2 } }",
                 "{\"a\":null,\"b\":null,\"c\":[1],"
                 "\"d\":{\"a\":2,\"b\":null,\"c\":null,\"d\":null}}");
    assert_sends("expr",
                 "{ Sum: [ { Number: 1 }, { Negate: { Call: { name: f, arguments: [] } } } ] }",
                 "{\"Sum\":[{\"Number\":1},{\"Negate\":{\"Call\":{\"name\":\"f\","
                 "\"arguments\":[]}}}]}");
    assert_sends(
        "draw",
        "{ name: moon, shapes: [ { Circle: 1 }, Empty ], color: Blue, thumb: [ 1 ],"
        " rawBytes: [], origin: { x: 0, y: 0 }, took: 2s, done: null, tags: { a: 1 } }",
        "{\"name\":\"moon\",\"shapes\":[{\"Circle\":1.0},\"Empty\"],\"note\":null,"
        "\"color\":\"Blue\",\"thumb\":[1],\"rawBytes\":\"\",\"origin\":{\"x\":0.0,\"y\":0.0},"
        "\"took\":{\"secs\":2,\"nanos\":0},\"done\":null,\"tags\":{\"a\":1}}");
}

static void says_where_and_what_was_expected(void **state)
{
    (void)state;
    assert_wrong("points", "[ { x: 0, y: 0 }, { x: 1, y: two } ]",
                 "8:40: `[1].y` must be a number\n");
    assert_wrong("draw",
                 "{ name: moon, shapes: [ { Circle: wide }, Emty, { Line: [ { x: 0, y: 0 } ] } ],\n"
                 "            color: [ Blue ], thumb: [ 1, 256 ], rawBytes: { a: 1 },\n"
                 "            origin: { x: 0, z: 0 }, took: 2, done: yes, tags: { a: -1, a: 2 } }",
                 "8:45: `shapes[0].Circle` must be a number\n"
                 "8:53: `shapes[1]` has no variant `Emty`\n"
                 "= did you mean `Empty`?\n"
                 "8:67: `shapes[2].Line` must be a list of 2 values\n"
                 "= its fields: from, to\n"
                 "9:20: `color` must be a variant, or { variant: value }\n"
                 "= its variants: Red, Green, Blue\n"
                 "9:42: `thumb[1]` must be a whole number below 2^8\n"
                 "9:59: `rawBytes` must be a text, or a list of numbers\n"
                 "10:29: `origin` has no field `z`\n"
                 "= its fields: x, y\n"
                 "10:43: `took` must be a time with its unit, as 1.5s\n"
                 "10:52: `done` must be `null`, for it carries no value\n"
                 "10:68: `tags.a` must be a whole number below 2^32\n"
                 "10:72: `a` appears twice\n");
    assert_wrong("draw",
                 "{ name: moon, shapes: [], color: Blue, thumb: a, rawBytes: b,\n"
                 "            origin: { x: 0 }, took: 2s, done: null }",
                 "8:11: `draw` also needs `tags`\n"
                 "= its fields: name, shapes, note, color, thumb, rawBytes, origin, took, done, "
                 "tags\n"
                 "9:21: `origin` also needs `y`\n"
                 "= its fields: x, y\n");
    assert_wrong("shape", "Circle", "8:11: `Circle` needs a value: { Circle: … }\n");
    assert_wrong("shape", "{ Empty: 5 }",
                 "8:20: `Empty` must be `null`, for it carries no value\n");
    assert_wrong("key", "[ 1, 2, 3 ]", "8:11: `key` must be a list of 4 values\n");
    assert_wrong("u32s", "5", "8:11: `u32s` must be a list: [ value, … ]\n");
    assert_wrong("ages", "5", "8:11: `ages` must be { key: value }\n");
    assert_wrong("index", "{ many: [] }", "8:13: `many` must be a whole number below 2^8\n");
    assert_wrong("char", "ab", "8:11: `char` must be one character\n");
    assert_wrong("f32", "1e39", "8:11: `f32` must be a number of 32 bits\n");
    assert_wrong("u8", "{ valu: 5 }", "8:13: `u8` has no field `valu`\n= did you mean `value`?\n");
    assert_wrong("ref", "me",
                 "8:11: `ref` must be a running actor, which a scenario cannot write down\n");
    assert_wrong("actor_id", "null",
                 "8:11: `actor_id` must be a running actor, which a scenario cannot write down\n");
}

/* A message that no node would take is refused before the run. */
static void bounds_what_is_sent(void **state)
{
    (void)state;
    static char args[TEXT_MAX / 2];
    memset(args, 'a', 65536 - 3);
    struct trp_load *load = load_args("text", args);
    assert_non_null(trp_load_plan(load));
    trp_load_free(load);
    memset(args, 'a', 65536 - 2); /* three bytes say how long it is */
    assert_wrong("text", args, "8:11: `text` must be at most 64KiB on the wire\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_numbers_texts_and_times),
        cmocka_unit_test(reads_what_is_inside_of_others),
        cmocka_unit_test(says_where_and_what_was_expected),
        cmocka_unit_test(bounds_what_is_sent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
