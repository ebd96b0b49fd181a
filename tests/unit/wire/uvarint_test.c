/* SPDX-License-Identifier: MIT */
#include "lib/test.h"
#include "wire/uvarint.h"

/* The examples of multiformats/unsigned-varint. */
static const struct {
    uint64_t value;
    const char *hex;
} examples[] = {
    {0, "00"},     {1, "01"},     {127, "7f"},       {128, "8001"},
    {255, "ff01"}, {300, "ac02"}, {16384, "808001"}, {INT64_MAX, "ffffffffffffffff7f"},
};

static void matches_the_examples_of_the_specification(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof examples / sizeof examples[0]; i++) {
        uint8_t want[TRP_VARINT_BYTES_MAX];
        uint8_t got[TRP_VARINT_BYTES_MAX];
        size_t size = test_unhex(examples[i].hex, want, sizeof want);
        assert_int_equal(trp_varint_size(examples[i].value), size);
        assert_int_equal(trp_varint_encode(examples[i].value, got), size);
        assert_memory_equal(got, want, size);
        uint64_t value = 1;
        size_t used = 0;
        assert_status(trp_uvarint_decode(trp_bytes(want, size), &value, &used), TRP_OK);
        assert_true(value == examples[i].value && used == size);
        assert_status(trp_varint_decode(trp_bytes(want, size), &value, &used), TRP_OK);
        assert_true(value == examples[i].value && used == size);
        for (size_t cut = 0; cut < size; cut++) {
            assert_status(trp_uvarint_decode(trp_bytes(want, cut), &value, &used), TRP_EAGAIN);
            assert_status(trp_varint_decode(trp_bytes(want, cut), &value, &used), TRP_EAGAIN);
        }
    }
}

static void only_the_lenient_form_takes_padding_and_64_bits(void **state)
{
    (void)state;
    static const struct {
        const char *hex;
        enum trp_status strict;
        enum trp_status lenient;
        uint64_t value;
    } cases[] = {
        {"8100", TRP_EMALFORMED, TRP_OK, 1},
        {"8000", TRP_EMALFORMED, TRP_OK, 0},
        {"ffffffffffffffffff01", TRP_EMALFORMED, TRP_OK, UINT64_MAX},
        {"ffffffffffffffffff02", TRP_EMALFORMED, TRP_EMALFORMED, 0},
        {"80808080808080808080", TRP_EMALFORMED, TRP_EMALFORMED, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t bytes[16];
        uint64_t value = 0;
        size_t used;
        struct trp_bytes in = trp_bytes(bytes, test_unhex(cases[i].hex, bytes, sizeof bytes));
        assert_status(trp_uvarint_decode(in, &value, &used), cases[i].strict);
        assert_status(trp_varint_decode(in, &value, &used), cases[i].lenient);
        assert_true(value == cases[i].value);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(matches_the_examples_of_the_specification),
        cmocka_unit_test(only_the_lenient_form_takes_padding_and_64_bits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
