/* SPDX-License-Identifier: MIT */
#include "base/slab.h"
#include "lib/test.h"

#define OBJECTS 1000u

static void keeps_every_object_apart(void **state)
{
    (void)state;
    struct trp_memory memory = trp_memory_init(UINT64_MAX);
    struct trp_slab slab = trp_slab_init(&memory, sizeof(uint32_t), OBJECTS);
    trp_handle handles[OBJECTS];
    uint32_t *objects[OBJECTS];
    for (uint32_t i = 0; i < OBJECTS; i++) {
        void *object;
        assert_status(trp_slab_insert(&slab, &handles[i], &object), TRP_OK);
        objects[i] = object;
        assert_int_equal(*objects[i], 0);
        *objects[i] = i + 1;
    }
    trp_handle handle;
    void *object;
    assert_status(trp_slab_insert(&slab, &handle, &object), TRP_EFULL);
    uint32_t at = 0;
    for (uint32_t i = 0; i < OBJECTS; i++) {
        assert_int_equal(*objects[i], i + 1);
        assert_ptr_equal(trp_slab_find(&slab, handles[i]), objects[i]);
        assert_ptr_equal(trp_slab_next(&slab, &at, &handle), objects[i]);
        assert_int_equal(handle, handles[i]);
    }
    assert_null(trp_slab_next(&slab, &at, &handle));
    trp_slab_free(&slab);
    assert_int_equal(memory.used_bytes, 0);
}

static void finds_nothing_by_a_stale_handle(void **state)
{
    (void)state;
    struct trp_memory memory = trp_memory_init(UINT64_MAX);
    struct trp_slab slab = trp_slab_init(&memory, 24, 10);
    trp_handle old;
    trp_handle new;
    void *object;
    assert_null(trp_slab_find(&slab, 0));
    assert_null(trp_slab_find(&slab, 1));
    assert_false(trp_slab_gave(&slab, 3ull << 32 | 1));
    assert_status(trp_slab_insert(&slab, &old, &object), TRP_OK);
    memset(object, 0xff, 24);
    trp_slab_remove(&slab, old);
    trp_slab_remove(&slab, old);
    assert_int_equal(slab.count, 0);
    assert_null(trp_slab_find(&slab, old));
    assert_true(trp_slab_gave(&slab, old));
    assert_false(trp_slab_gave(&slab, old + 1));            /* another slot */
    assert_false(trp_slab_gave(&slab, old + (2ull << 32))); /* a later object */
    assert_false(trp_slab_gave(&slab, old + (1ull << 32)));
    void *again;
    assert_status(trp_slab_insert(&slab, &new, &again), TRP_OK);
    assert_ptr_equal(again, object);
    assert_int_equal(*(uint8_t *)again, 0);
    assert_null(trp_slab_find(&slab, old));
    assert_ptr_equal(trp_slab_find(&slab, new), object);
    trp_slab_free(&slab);
}

/* A few objects take little, and what is taken for many is never more than half again of what they
 * need. */
static void takes_memory_in_proportion(void **state)
{
    (void)state;
    struct trp_memory memory = trp_memory_init(UINT64_MAX);
    struct trp_slab slab = trp_slab_init(&memory, 1008, 100000);
    for (uint32_t i = 1; i <= 3000; i++) {
        trp_handle handle;
        void *object;
        assert_status(trp_slab_insert(&slab, &handle, &object), TRP_OK);
        assert_true(memory.used_bytes <= (uint64_t)i * 1024 * 3 / 2 + 2048);
    }
    trp_slab_free(&slab);
}

/* After a crowd has gone, those that stay lie together, and a stale handle of a chunk that went
 * back finds nothing, not even in the chunk that took its place. */
static void gives_memory_back(void **state)
{
    (void)state;
    struct trp_memory memory = trp_memory_init(UINT64_MAX);
    struct trp_slab slab = trp_slab_init(&memory, 1008, OBJECTS);
    trp_handle handles[OBJECTS];
    void *object;
    for (uint32_t i = 0; i < OBJECTS; i++) {
        assert_status(trp_slab_insert(&slab, &handles[i], &object), TRP_OK);
    }
    uint64_t most = memory.used_bytes;
    for (uint32_t i = OBJECTS; i-- > 10;) {
        trp_slab_remove(&slab, handles[i]);
    }
    assert_true(memory.used_bytes <= 21 * 1024);
    uint32_t at = 0;
    uint32_t count = 0;
    trp_handle handle;
    while (trp_slab_next(&slab, &at, &handle) != NULL) {
        assert_int_equal(handle, handles[count++]);
    }
    assert_int_equal(count, 10);
    trp_handle again[OBJECTS];
    for (uint32_t i = 10; i < OBJECTS; i++) {
        assert_null(trp_slab_find(&slab, handles[i]));
        assert_status(trp_slab_insert(&slab, &again[i], &object), TRP_OK);
    }
    assert_int_equal(memory.used_bytes, most);
    for (uint32_t i = 10; i < OBJECTS; i++) {
        assert_null(trp_slab_find(&slab, handles[i]));
        trp_slab_remove(&slab, again[i]);
    }
    for (at = 0; (object = trp_slab_next(&slab, &at, &handle)) != NULL;) {
        trp_slab_remove(&slab, handle);
    }
    assert_int_equal(slab.count, 0);
    assert_true(memory.used_bytes <= 4 * 1024);
    trp_slab_free(&slab);
    assert_int_equal(memory.used_bytes, 0);
}

static void survives_lack_of_memory(void **state)
{
    (void)state;
    struct trp_memory memory = trp_memory_init(5 * 1024);
    struct trp_slab slab = trp_slab_init(&memory, 1008, 100);
    trp_handle handle;
    void *object;
    for (uint32_t i = 0; i < 4; i++) {
        assert_status(trp_slab_insert(&slab, &handle, &object), TRP_OK);
    }
    assert_status(trp_slab_insert(&slab, &handle, &object), TRP_ENOMEM);
    assert_int_equal(slab.count, 4);
    memory.limit_bytes = UINT64_MAX;
    assert_status(trp_slab_insert(&slab, &handle, &object), TRP_OK);
    trp_slab_free(&slab);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keeps_every_object_apart),
        cmocka_unit_test(finds_nothing_by_a_stale_handle),
        cmocka_unit_test(takes_memory_in_proportion),
        cmocka_unit_test(gives_memory_back),
        cmocka_unit_test(survives_lack_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
