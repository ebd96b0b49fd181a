/* SPDX-License-Identifier: MIT */
#include "base/prng.h"
#include "lib/test.h"

/* Random123's kat_vectors for philox4x64-10: all zero, all ones, and digits of pi. */
static void matches_the_known_answers(void **state)
{
    (void)state;
    const uint64_t ones = UINT64_MAX;
    const struct {
        uint64_t counter[4];
        uint64_t key[2];
        uint64_t block[4];
    } cases[] = {
        {{0, 0, 0, 0},
         {0, 0},
         {0x16554d9eca36314cull, 0xdb20fe9d672d0fdcull, 0xd7e772cee186176bull,
          0x7e68b68aec7ba23bull}},
        {{ones, ones, ones, ones},
         {ones, ones},
         {0x87b092c3013fe90bull, 0x438c3c67be8d0224ull, 0x9cc7d7c69cd777b6ull,
          0xa09caebf594f0ba0ull}},
        {{0x243f6a8885a308d3ull, 0x13198a2e03707344ull, 0xa4093822299f31d0ull,
          0x082efa98ec4e6c89ull},
         {0x452821e638d01377ull, 0xbe5466cf34e90c6cull},
         {0xa528f45403e61d95ull, 0x38c72dbd566e9788ull, 0xa5a1610e72fd18b5ull,
          0x57bd43b5e52b7fe6ull}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint64_t block[4];
        trp_philox(cases[i].counter, cases[i].key, block);
        assert_memory_equal(block, cases[i].block, sizeof block);
    }
}

static void draws_depend_on_each_part_of_the_key(void **state)
{
    (void)state;
    uint64_t draw = trp_draw(1, 2, 3, 4);
    assert_true(draw == trp_draw(1, 2, 3, 4));
    assert_true(draw != trp_draw(2, 2, 3, 4));
    assert_true(draw != trp_draw(1, 3, 3, 4));
    assert_true(draw != trp_draw(1, 2, 4, 4));
    assert_true(draw != trp_draw(1, 2, 3, 5));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(matches_the_known_answers),
        cmocka_unit_test(draws_depend_on_each_part_of_the_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
