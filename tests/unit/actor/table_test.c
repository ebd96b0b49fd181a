/* SPDX-License-Identifier: MIT */
#include "actor/table.h"
#include "lib/test.h"

static int objects[100];

static void an_id_finds_its_object_until_it_is_removed(void **state)
{
    (void)state;
    struct trp_memory memory = trp_memory_init(1u << 20);
    struct trp_table table = trp_table_init(&memory, 100, 0, 1u << 20);
    uint64_t ids[100];
    assert_null(trp_table_find(&table, 0));
    assert_null(trp_table_find(&table, 1));
    for (int i = 0; i < 100; i++) {
        assert_status(trp_table_insert(&table, &objects[i], &ids[i]), TRP_OK);
        assert_true(ids[i] != 0);
    }
    uint64_t extra;
    assert_status(trp_table_insert(&table, &objects[0], &extra), TRP_EFULL);
    for (int i = 0; i < 100; i++) {
        assert_ptr_equal(trp_table_find(&table, ids[i]), &objects[i]);
        assert_null(trp_table_find(&table, ids[i] ^ 1ull << 24));
        assert_null(trp_table_find(&table, ids[i] ^ 1ull << 63));
    }
    for (int i = 0; i < 100; i += 2) {
        trp_table_remove(&table, ids[i]);
        trp_table_remove(&table, ids[i]); /* again: no harm */
        assert_null(trp_table_find(&table, ids[i]));
    }
    assert_int_equal(table.count, 50);
    uint32_t at = 0;
    for (int i = 1; i < 100; i += 2) {
        assert_ptr_equal(trp_table_next(&table, &at), &objects[i]);
    }
    assert_null(trp_table_next(&table, &at));
    trp_table_deinit(&table);
    assert_int_equal(memory.used_bytes, 0);
}

static void no_id_comes_twice_and_worn_slots_retire(void **state)
{
    (void)state;
    struct trp_memory memory = trp_memory_init(1u << 20);
    const uint64_t first = 5;
    struct trp_table table = trp_table_init(&memory, 2, first, 3);
    uint64_t seen[8];
    uint32_t lives = 0;
    uint64_t id;
    while (trp_table_insert(&table, &objects[0], &id) == TRP_OK) {
        assert_true(lives < 6 && id >> 24 >= first && id >> 24 < first + 3);
        for (uint32_t i = 0; i < lives; i++) {
            assert_true(seen[i] != id);
            assert_null(trp_table_find(&table, seen[i]));
        }
        seen[lives++] = id;
        trp_table_remove(&table, id);
    }
    assert_int_equal(lives, 6); /* two slots of three lives each */
    assert_status(trp_table_insert(&table, &objects[0], &id), TRP_EFULL);
    trp_table_deinit(&table);
}

static void no_memory_is_a_status(void **state)
{
    (void)state;
    struct trp_memory memory = trp_memory_init(300);
    struct trp_table table = trp_table_init(&memory, 100, 0, 8);
    uint64_t id;
    for (int i = 0; i < 16; i++) {
        assert_status(trp_table_insert(&table, &objects[i], &id), TRP_OK);
    }
    assert_status(trp_table_insert(&table, &objects[0], &id), TRP_ENOMEM);
    assert_ptr_equal(trp_table_find(&table, id), &objects[15]);
    trp_table_deinit(&table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_id_finds_its_object_until_it_is_removed),
        cmocka_unit_test(no_id_comes_twice_and_worn_slots_retire),
        cmocka_unit_test(no_memory_is_a_status),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
