/* SPDX-License-Identifier: MIT */
#include "actor/pool.h"
#include "lib/test.h"

static const size_t sizes[] = {1,   64,  65,   96,   97,   128,  192,  256,   384,
                               512, 513, 1024, 1025, 2048, 4096, 4097, 100000};
#define SIZES_COUNT (sizeof sizes / sizeof sizes[0])

static void blocks_hold_their_size_and_are_apart(void **state)
{
    (void)state;
    struct trp_memory memory = trp_memory_init(16u << 20);
    struct trp_pool pool;
    trp_pool_init(&pool, &memory);
    uint8_t *blocks[SIZES_COUNT][8];
    for (size_t i = 0; i < SIZES_COUNT; i++) {
        for (size_t k = 0; k < 8; k++) {
            blocks[i][k] = trp_pool_take(&pool, trp_pool_class_of(sizes[i]), sizes[i]);
            assert_non_null(blocks[i][k]);
            assert_int_equal((uintptr_t)blocks[i][k] % 16, 0);
            memset(blocks[i][k], (int)(i * 8 + k), sizes[i]);
        }
    }
    for (size_t i = 0; i < SIZES_COUNT; i++) {
        for (size_t k = 0; k < 8; k++) {
            assert_int_equal(blocks[i][k][0], (uint8_t)(i * 8 + k));
            assert_int_equal(blocks[i][k][sizes[i] - 1], (uint8_t)(i * 8 + k));
        }
    }
    trp_pool_deinit(&pool); /* given back or not */
    assert_int_equal(memory.used_bytes, 0);
}

static void a_block_given_back_is_the_next_one_taken(void **state)
{
    (void)state;
    struct trp_memory memory = trp_memory_init(16u << 20);
    struct trp_pool pool;
    trp_pool_init(&pool, &memory);
    for (size_t i = 0; sizes[i] <= 4096; i++) {
        uint8_t class = trp_pool_class_of(sizes[i]);
        void *first = trp_pool_take(&pool, class, sizes[i]);
        void *second = trp_pool_take(&pool, class, sizes[i]);
        trp_pool_put(&pool, class, first);
        trp_pool_put(&pool, class, second);
        uint64_t used = memory.used_bytes;
        assert_ptr_equal(trp_pool_take(&pool, class, sizes[i]), second);
        assert_ptr_equal(trp_pool_take(&pool, class, sizes[i]), first);
        assert_true(memory.used_bytes == used);
    }
    trp_pool_put(&pool, 0, NULL);
    trp_pool_deinit(&pool);
    assert_int_equal(memory.used_bytes, 0);
}

static void large_blocks_kept_are_bounded(void **state)
{
    (void)state;
    struct trp_memory memory = trp_memory_init(64u << 20);
    struct trp_pool pool;
    trp_pool_init(&pool, &memory);
    static void *blocks[200];
    for (size_t i = 0; i < 200; i++) {
        blocks[i] = trp_pool_take(&pool, trp_pool_class_of(4096), 4096);
    }
    for (size_t i = 0; i < 200; i++) {
        trp_pool_put(&pool, trp_pool_class_of(4096), blocks[i]);
    }
    assert_true(memory.used_bytes < 50u * 4200u);
    uint64_t used = memory.used_bytes;
    void *huge = trp_pool_take(&pool, TRP_POOL_HUGE, 1u << 20);
    assert_true(memory.used_bytes > used);
    trp_pool_put(&pool, TRP_POOL_HUGE, huge);
    assert_true(memory.used_bytes == used);
    trp_pool_deinit(&pool);
    assert_int_equal(memory.used_bytes, 0);
}

static void no_memory_gives_null(void **state)
{
    (void)state;
    struct trp_memory memory = trp_memory_init(100);
    struct trp_pool pool;
    trp_pool_init(&pool, &memory);
    for (size_t i = 0; i < SIZES_COUNT; i++) {
        assert_null(trp_pool_take(&pool, trp_pool_class_of(sizes[i]), sizes[i]));
    }
    assert_null(trp_pool_take(&pool, TRP_POOL_HUGE, SIZE_MAX));
    trp_pool_deinit(&pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_hold_their_size_and_are_apart),
        cmocka_unit_test(a_block_given_back_is_the_next_one_taken),
        cmocka_unit_test(large_blocks_kept_are_bounded),
        cmocka_unit_test(no_memory_gives_null),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
