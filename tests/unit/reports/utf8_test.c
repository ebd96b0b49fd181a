/* SPDX-License-Identifier: MIT */
#include "lib/test.h"

#include "reports/store/utf8.h"

/* U+FFFD, in place of each bad byte. */
#define BAD "\xef\xbf\xbd"

static void bad_bytes_become_replacements(void **state)
{
    (void)state;
    const struct {
        const char *in;
        const char *out;
    } cases[] = {
        {"", ""},
        {"plain\ttext\n", "plain\ttext\n"},
        {"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"},
        {"\xc0\xaf", BAD BAD},                 /* overlong */
        {"\xe0\x80\xaf", BAD BAD BAD},         /* overlong */
        {"\xf0\x80\x80\xaf", BAD BAD BAD BAD}, /* overlong */
        {"\xed\xa0\x80", BAD BAD BAD},         /* a surrogate */
        {"\xf4\x90\x80\x80", BAD BAD BAD BAD}, /* above U+10FFFF */
        {"\xe2\x82", BAD BAD},                 /* cut */
        {"a\xe2z", "a" BAD "z"},
        {"\x1b[31m", BAD "[31m"},
        {"\x7f\xc2\x9b", BAD BAD BAD}, /* DEL and the C1 form of the same escape */
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char out[64];
        size_t size = utf8_clean(trp_bytes_text(cases[i].in), out, sizeof out);
        assert_int_equal(size, strlen(cases[i].out));
        assert_memory_equal(out, cases[i].out, size);
        assert_int_equal(utf8_is_clean(trp_bytes_text(cases[i].in)),
                         strcmp(cases[i].in, cases[i].out) == 0);
    }
    assert_false(utf8_is_clean(trp_bytes("a\0b", 3)));
}

static void little_room_never_cuts_a_character(void **state)
{
    (void)state;
    const char *in = "a\xe2\x82\xac\xf0\x9f\x98\x80z";
    for (size_t room = 0; room <= strlen(in); room++) {
        char out[16];
        size_t size = utf8_clean(trp_bytes_text(in), out, room);
        assert_in_range(size, 0, room);
        assert_true(utf8_is_clean(trp_bytes(out, size)));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bad_bytes_become_replacements),
        cmocka_unit_test(little_room_never_cuts_a_character),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
