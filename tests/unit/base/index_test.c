/* SPDX-License-Identifier: MIT */
#include "base/index.h"
#include "base/prng.h"
#include "lib/test.h"

#define OBJECTS 300u

struct object {
    uint64_t key;
    bool inside;
};

static struct object objects[OBJECTS];

static void objects_make(void)
{
    for (uint32_t i = 0; i < OBJECTS; i++) {
        objects[i] = (struct object){.key = trp_draw(1, 0, 0, i)};
    }
}

/* `bits` of the hash: few make many collisions. */
static uint32_t hash_of(const struct object *object, uint32_t bits)
{
    return trp_index_hash(&object->key, sizeof object->key) & (uint32_t)((1ull << bits) - 1);
}

static bool is_found(const struct trp_index *index, const struct object *object, uint32_t bits)
{
    uint32_t hash = hash_of(object, bits);
    uint32_t at = hash;
    const struct object *found;
    while ((found = trp_index_next(index, hash, &at)) != NULL) {
        assert_true(hash_of(found, bits) == hash);
        if (found->key == object->key) {
            assert_ptr_equal(found, object);
            return true;
        }
    }
    return false;
}

static void finds_what_is_in_it(void **state)
{
    (void)state;
    static const uint32_t bits[] = {0, 1, 4, 32};
    for (uint32_t b = 0; b < 4; b++) {
        struct trp_memory memory = trp_memory_init(UINT64_MAX);
        struct trp_index index = trp_index_init(&memory);
        uint32_t count = 0;
        objects_make();
        assert_false(is_found(&index, &objects[0], bits[b]));
        for (uint64_t i = 0; i < 3000; i++) {
            struct object *object = &objects[trp_draw(2, b, 0, i) % OBJECTS];
            uint32_t hash = hash_of(object, bits[b]);
            if (object->inside) {
                trp_index_remove(&index, hash, object);
                count--;
            } else {
                assert_status(trp_index_insert(&index, hash, object), TRP_OK);
                count++;
            }
            object->inside = !object->inside;
            assert_int_equal(index.count, count);
            for (uint32_t k = 0; k < OBJECTS && i % 16 == 0; k++) {
                assert_int_equal(is_found(&index, &objects[k], bits[b]), objects[k].inside);
            }
        }
        trp_index_deinit(&index);
        assert_int_equal(memory.used_bytes, 0);
    }
}

static void removing_what_is_not_there_does_nothing(void **state)
{
    (void)state;
    struct trp_memory memory = trp_memory_init(UINT64_MAX);
    struct trp_index index = trp_index_init(&memory);
    objects_make();
    trp_index_remove(&index, 5, &objects[0]);
    assert_status(trp_index_insert(&index, 5, &objects[0]), TRP_OK);
    trp_index_remove(&index, 5, &objects[1]);
    trp_index_remove(&index, 6, &objects[0]);
    assert_int_equal(index.count, 1);
    trp_index_deinit(&index);
}

static void gives_each_object_once_in_the_end(void **state)
{
    (void)state;
    struct trp_memory memory = trp_memory_init(UINT64_MAX);
    struct trp_index index = trp_index_init(&memory);
    objects_make();
    for (uint32_t i = 0; i < OBJECTS; i++) {
        assert_status(trp_index_insert(&index, hash_of(&objects[i], 32), &objects[i]), TRP_OK);
    }
    uint32_t at = 0;
    struct object *object;
    uint32_t count = 0;
    while ((object = trp_index_pop(&index, &at)) != NULL) {
        assert_false(object->inside);
        object->inside = true;
        count++;
    }
    assert_int_equal(count, OBJECTS);
    assert_int_equal(index.count, 0);
    trp_index_deinit(&index);
}

static void says_when_there_is_no_memory(void **state)
{
    (void)state;
    struct trp_memory memory = trp_memory_init(UINT64_MAX);
    struct trp_index index = trp_index_init(&memory);
    uint32_t refused = 0;
    objects_make();
    for (uint32_t i = 0; i < OBJECTS; i++) {
        memory.fail_at = 1;
        enum trp_status status = trp_index_insert(&index, hash_of(&objects[i], 32), &objects[i]);
        memory.fail_at = 0;
        if (status != TRP_OK) {
            assert_status(status, TRP_ENOMEM);
            assert_false(is_found(&index, &objects[i], 32));
            assert_status(trp_index_insert(&index, hash_of(&objects[i], 32), &objects[i]), TRP_OK);
            refused++;
        }
        assert_true(is_found(&index, &objects[i], 32));
    }
    assert_int_equal(refused, 7); /* 8, 16, … 512 places */
    trp_index_deinit(&index);
    assert_int_equal(memory.used_bytes, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_what_is_in_it),
        cmocka_unit_test(removing_what_is_not_there_does_nothing),
        cmocka_unit_test(gives_each_object_once_in_the_end),
        cmocka_unit_test(says_when_there_is_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
