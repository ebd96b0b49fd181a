/* SPDX-License-Identifier: MIT */
#include "base/prng.h"
#include "lib/test.h"
#include "wire/base58.h"

static void matches_known_texts(void **state)
{
    (void)state;
    static const struct {
        const char *hex;
        const char *text;
    } cases[] = {
        /* draft-msporny-base58, 3 */
        {"48656c6c6f20576f726c6421", "2NEpo7TZRRrLZSi2U"},
        {"0000287fb4cd", "11233QC4"},
        {"", ""},
        {"00", "1"},
        {"39", "z"},
        {"3a", "21"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t bytes[64];
        uint8_t back[64];
        char text[128];
        size_t size = test_unhex(cases[i].hex, bytes, sizeof bytes);
        size_t text_size = 1;
        size_t back_size = 1;
        assert_status(trp_base58_encode(trp_bytes(bytes, size), text, sizeof text, &text_size),
                      TRP_OK);
        assert_int_equal(text_size, strlen(cases[i].text));
        assert_memory_equal(text, cases[i].text, text_size);
        assert_status(
            trp_base58_decode(trp_bytes_text(cases[i].text), back, sizeof back, &back_size),
            TRP_OK);
        assert_int_equal(back_size, size);
        assert_memory_equal(back, bytes, size);
    }
}

static void keyed_bytes_come_back_in_every_size(void **state)
{
    (void)state;
    for (uint32_t size = 0; size <= TRP_BASE_BYTES_MAX; size++) {
        for (uint32_t round = 0; round < 20; round++) {
            uint8_t bytes[TRP_BASE_BYTES_MAX];
            uint8_t back[TRP_BASE_BYTES_MAX];
            char text[128];
            for (uint32_t i = 0; i < size; i++) {
                uint64_t draw = trp_draw(58, size, round, i);
                bytes[i] = (uint8_t)(i < round % 4 ? 0 : draw);
            }
            size_t text_size;
            size_t back_size;
            assert_status(trp_base58_encode(trp_bytes(bytes, size), text, sizeof text, &text_size),
                          TRP_OK);
            assert_status(
                trp_base58_decode(trp_bytes(text, text_size), back, sizeof back, &back_size),
                TRP_OK);
            assert_int_equal(back_size, size);
            assert_memory_equal(back, bytes, size);
            if (text_size > 0) {
                assert_status(
                    trp_base58_encode(trp_bytes(bytes, size), text, text_size - 1, &text_size),
                    TRP_ETOOBIG);
                assert_status(
                    trp_base58_decode(trp_bytes(text, text_size), back, size - 1, &back_size),
                    TRP_ETOOBIG);
            }
        }
    }
}

static void refuses_characters_of_no_alphabet(void **state)
{
    (void)state;
    static const char *const bad[] = {"0", "O", "I", "l", "2NEpo7TZRRrLZSi2U ", "+", "\x80"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        uint8_t bytes[64];
        size_t size;
        assert_status(trp_base58_decode(trp_bytes_text(bad[i]), bytes, sizeof bytes, &size),
                      TRP_EMALFORMED);
    }
    assert_status(trp_base58_decode(trp_bytes("1\0", 2), (uint8_t[64]){0}, 64, &(size_t){0}),
                  TRP_EMALFORMED);
}

/* multibase's tests/basic.csv and case_insensitivity.csv, where the base is one of ours. */
static void reads_each_multibase(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *plain;
    } cases[] = {
        {"f796573206d616e692021", "yes mani !"}, {"F796573206D616E692021", "yes mani !"},
        {"bpfsxgidnmfxgsibb", "yes mani !"},     {"BPFSXGIDNMFXGSIBB", "yes mani !"},
        {"k2lcpzo5yikidynfl", "yes mani !"},     {"K2LCPZO5YIKIDYNFL", "yes mani !"},
        {"z7paNL19xttacUY", "yes mani !"},       {"f68656c6c6f20776F726C64", "hello world"},
        {"Bnbswy3dpeB3W64TMMQ", "hello world"},  {"kfUvrsIvVnfRbjWaJo", "hello world"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t bytes[64];
        size_t size = 0;
        assert_status(
            trp_multibase_decode(trp_bytes_text(cases[i].text), bytes, sizeof bytes, &size),
            TRP_OK);
        assert_int_equal(size, strlen(cases[i].plain));
        assert_memory_equal(bytes, cases[i].plain, size);
    }
}

static void refuses_broken_multibase(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum trp_status status;
    } cases[] = {
        {"", TRP_EMALFORMED},    {"f0", TRP_EMALFORMED},
        {"fg0", TRP_EMALFORMED}, {"bpb", TRP_EMALFORMED}, /* the bits left over are not zero */
        {"bp", TRP_EMALFORMED},                           /* five bits make no byte */
        {"b1a", TRP_EMALFORMED}, {"u_-", TRP_EUNSUPPORTED},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t bytes[64];
        size_t size;
        assert_status(
            trp_multibase_decode(trp_bytes_text(cases[i].text), bytes, sizeof bytes, &size),
            cases[i].status);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(matches_known_texts),
        cmocka_unit_test(keyed_bytes_come_back_in_every_size),
        cmocka_unit_test(refuses_characters_of_no_alphabet),
        cmocka_unit_test(reads_each_multibase),
        cmocka_unit_test(refuses_broken_multibase),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
