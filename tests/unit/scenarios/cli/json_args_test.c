/* SPDX-License-Identifier: MIT */
#include "scenarios/cli/json_args.h"

#include "lib/test.h"

#include <troupe/message.h>

#include <stdlib.h>

/* Converts to exactly these bytes, in no smaller room. */
static void check_bytes(const char *json, const char *hex)
{
    uint8_t want[512];
    uint8_t out[512];
    size_t size = 0;
    size_t at = 0;
    size_t want_size = test_unhex(hex, want, sizeof want);
    assert_status(cli_json_to_msgpack(json, out, sizeof out, &size, &at), TRP_OK);
    assert_int_equal(size, want_size);
    assert_memory_equal(out, want, want_size);
    for (size_t room = 0; room < want_size; room++) {
        assert_status(cli_json_to_msgpack(json, out, room, &size, &at), TRP_ETOOBIG);
    }
}

/* Comes back as the same text. */
static void check_same(const char *json)
{
    static uint8_t out[4096];
    static char text[4096];
    size_t size = 0;
    size_t at = 0;
    assert_status(cli_json_to_msgpack(json, out, sizeof out, &size, &at), TRP_OK);
    size_t length = trp_msgpack_print(trp_bytes(out, size), text, sizeof text);
    assert_string_equal(text, json);
    assert_int_equal(length, strlen(json));
}

static void check_refused(const char *json, size_t where)
{
    uint8_t out[512];
    size_t size;
    size_t at = SIZE_MAX;
    assert_status(cli_json_to_msgpack(json, out, sizeof out, &size, &at), TRP_EMALFORMED);
    assert_int_equal(at, where);
}

static void values_take_the_shortest_form(void **state)
{
    (void)state;
    check_bytes("{\"amount\": 10}", "81a6616d6f756e740a");
    check_bytes(" [ ] ", "90");
    check_bytes("{}", "80");
    check_bytes("[1,-1,128,-33,65536,true,false,null]", "9801ffcc80d0dfce00010000c3c2c0");
    check_bytes("1.5", "cb3ff8000000000000");
    check_bytes("10.0", "cb4024000000000000");
    check_bytes("1e2", "cb4059000000000000");
    check_bytes("\"hi\"", "a26869");
    check_bytes("[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16]",
                "dc00100102030405060708090a0b0c0d0e0f10");
}

static void what_is_written_prints_back(void **state)
{
    (void)state;
    check_same("null");
    check_same("[0,127,128,255,256,65535,65536,4294967295,4294967296]");
    check_same("[-1,-32,-33,-128,-129,-32768,-32769,-2147483648,-2147483649]");
    check_same("[9223372036854775807,9223372036854775808,18446744073709551615]");
    check_same("-9223372036854775808");
    check_same("[0.1,-0.0,1.5e+300,5.0e-324,1.7976931348623157e+308,3.0]");
    check_same("{\"a\":{\"b\":[{\"c\":[[],{},[null,true,false]]}]},\"d\":\"\"}");
    check_same("\"\\\"\\\\\\b\\f\\n\\r\\t\\u0000\\u001f\\u007f\"");
    check_same("\"é☃😀\"");
    check_same("[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]");
    check_same("{\"0123456789012345678901234567890123456789\":"
               "{\"Line\":[{\"x\":0.0,\"y\":1.0},{\"x\":2.5,\"y\":-1.0}]}}");
}

static void escapes_mean_what_they_say(void **state)
{
    (void)state;
    check_bytes("\"\\u0041\\u00e9\\u2603\"", "a641c3a9e29883");
    check_bytes("\"\\ud83d\\ude00\"", "a4f09f9880"); /* two units make one character */
    check_bytes("\"\\/\"", "a12f");
    check_refused("\"\\ud83d\"", 7);
    check_refused("\"\\ud83d\\u0041\"", 13);
    check_refused("\"\\ude00\"", 7);
    check_refused("\"\\x\"", 2);
    check_refused("\"\\u00g0\"", 3);
    check_refused("\"\\u00", 3);
    check_refused("\"\xff\"", 1);
    check_refused("\"\n\"", 1);
    check_refused("\"open", 5);
}

static void what_is_no_json_is_refused_where_it_is(void **state)
{
    (void)state;
    check_refused("", 0);
    check_refused("{", 1);
    check_refused("[1,]", 3);
    check_refused("[1 2]", 3);
    check_refused("{\"a\" 1}", 5);
    check_refused("{a:1}", 1);
    check_refused("01", 0);
    check_refused("1.", 0);
    check_refused("+1", 0);
    check_refused("-", 0);
    check_refused(".5", 0);
    check_refused("1e", 0);
    check_refused("1 1", 2);
    check_refused("18446744073709551616", 0);
    check_refused("-9223372036854775809", 0);
    check_refused("1e999", 0);
    check_refused("nul", 0);
    check_refused("truth", 0);
}

/* As deep as it goes, in time that grows with the input alone. */
static void nesting_is_bounded(void **state)
{
    (void)state;
    char json[2 * 129 + 1];
    static uint8_t out[512];
    size_t size;
    size_t at;
    memset(json, '[', 128);
    memset(json + 128, ']', 128);
    json[256] = '\0';
    check_same(json);
    memset(json, '[', 129);
    json[129] = '\0';
    assert_status(cli_json_to_msgpack(json, out, sizeof out, &size, &at), TRP_EMALFORMED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_take_the_shortest_form),
        cmocka_unit_test(what_is_written_prints_back),
        cmocka_unit_test(escapes_mean_what_they_say),
        cmocka_unit_test(what_is_no_json_is_refused_where_it_is),
        cmocka_unit_test(nesting_is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
