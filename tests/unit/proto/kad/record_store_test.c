/* SPDX-License-Identifier: MIT */
#include "proto/kad/record_store.h"

#include "lib/test.h"

#define TTL_NS TRP_MIN(60)

static struct trp_peer_id peer_of(uint32_t n)
{
    struct trp_peer_id peer = {.size = 4};
    memcpy(peer.bytes, &n, sizeof n);
    return peer;
}

struct world {
    struct trp_memory memory;
    struct trp_kad_record_store store;
};

static void world_open(struct world *world)
{
    world->memory = trp_memory_init(1u << 20);
    trp_kad_record_store_init(
        &world->store, &world->memory,
        &(struct trp_kad_record_limits){
            .records = 6, .records_per_owner = 3, .value_bytes = 10, .ttl_ns = TTL_NS});
}

static void world_close(struct world *world)
{
    trp_kad_record_store_deinit(&world->store);
    assert_int_equal(world->store.count, 0);
    assert_int_equal(world->memory.used_bytes, 0);
}

static enum trp_status put(struct world *world, const char *key, const char *value, uint32_t owner,
                           trp_time now, trp_time ttl_ns)
{
    struct trp_peer_id id = peer_of(owner);
    return trp_kad_record_store_put(&world->store, trp_bytes_text(key), trp_bytes_text(value), &id,
                                    now, ttl_ns);
}

static void assert_value(struct world *world, const char *key, trp_time now, const char *value)
{
    struct trp_kad_found_record record;
    enum trp_status status =
        trp_kad_record_store_find(&world->store, trp_bytes_text(key), now, &record);
    assert_status(status, value == NULL ? TRP_ENOTFOUND : TRP_OK);
    if (value != NULL) {
        assert_true(trp_bytes_equal(record.value, trp_bytes_text(value)));
        assert_true(trp_bytes_equal(record.key, trp_bytes_text(key)));
    }
}

static void never_serves_an_expired_record(void **state)
{
    (void)state;
    struct world world;
    world_open(&world);
    assert_status(put(&world, "a", "one", 1, 100, TRP_S(5)), TRP_OK);
    assert_status(put(&world, "b", "two", 1, 100, 0), TRP_OK);
    assert_status(put(&world, "c", "", 2, 100, TRP_NEVER), TRP_OK);
    assert_value(&world, "a", 100, "one");
    assert_value(&world, "a", 99 + TRP_S(5), "one");
    assert_value(&world, "a", 100 + TRP_S(5), NULL);
    assert_value(&world, "b", 99 + TTL_NS, "two");
    assert_value(&world, "b", 100 + TTL_NS, NULL);
    assert_value(&world, "c", 99 + TTL_NS, "");
    assert_value(&world, "c", 100 + TTL_NS, NULL);
    assert_true(trp_kad_record_store_deadline(&world.store) == 100 + TRP_S(5));
    struct trp_kad_found_record record;
    assert_false(trp_kad_record_store_next_expired(&world.store, 99 + TRP_S(5), &record));
    trp_kad_record_store_drop_expired(&world.store, 99 + TRP_S(5));
    assert_int_equal(world.store.count, 3);
    assert_true(trp_kad_record_store_next_expired(&world.store, 100 + TRP_S(5), &record));
    assert_true(trp_bytes_equal(record.key, trp_bytes_text("a")));
    trp_kad_record_store_drop_expired(&world.store, 100 + TRP_S(5));
    assert_int_equal(world.store.count, 2);
    world_close(&world);
}

static void only_the_owner_replaces_a_living_record(void **state)
{
    (void)state;
    struct world world;
    world_open(&world);
    assert_status(put(&world, "a", "one", 1, 0, 0), TRP_OK);
    assert_status(put(&world, "a", "two", 2, TTL_NS - 1, 0), TRP_EDENIED);
    assert_value(&world, "a", 1, "one");
    assert_status(put(&world, "a", "three", 1, 5, TRP_S(1)), TRP_EEXISTS);
    assert_value(&world, "a", 5, "three");
    assert_int_equal(world.store.count, 1);
    assert_status(put(&world, "a", "two", 2, 5 + TRP_S(1), 0), TRP_EEXISTS);
    assert_value(&world, "a", 5 + TRP_S(1), "two");
    world_close(&world);
}

static void limits_hold(void **state)
{
    (void)state;
    struct world world;
    world_open(&world);
    assert_status(put(&world, "a", "0123456789a", 1, 0, 0), TRP_ETOOBIG);
    assert_status(put(&world, "a", "0123456789", 1, 0, 0), TRP_OK);
    assert_status(put(&world, "b", "", 1, 0, 0), TRP_OK);
    assert_status(put(&world, "c", "", 1, 0, 0), TRP_OK);
    assert_status(put(&world, "d", "", 1, 0, 0), TRP_EFULL); /* of one owner */
    assert_status(put(&world, "c", "new", 1, 0, 0), TRP_EEXISTS);
    assert_status(put(&world, "d", "", 2, 0, 0), TRP_OK);
    assert_status(put(&world, "e", "", 2, 0, 0), TRP_OK);
    assert_status(put(&world, "f", "", 2, 0, 0), TRP_OK);
    assert_status(put(&world, "g", "", 3, 0, 0), TRP_EFULL); /* of all */
    world_close(&world);
}

static void a_failing_allocation_leaves_the_old_record(void **state)
{
    (void)state;
    uint32_t failures = 0;
    for (uint64_t fail_at = 1; fail_at < 10; fail_at++) {
        struct world world;
        world_open(&world);
        assert_status(put(&world, "a", "one", 1, 0, TRP_S(1)), TRP_OK);
        world.memory.fail_at = fail_at;
        enum trp_status replaced = put(&world, "a", "two", 1, 5, 0);
        enum trp_status added = put(&world, "b", "three", 2, 5, 0);
        world.memory.fail_at = 0;
        assert_value(&world, "a", 5, replaced == TRP_ENOMEM ? "one" : "two");
        assert_value(&world, "b", 5, added == TRP_ENOMEM ? NULL : "three");
        failures += replaced == TRP_ENOMEM || added == TRP_ENOMEM;
        world_close(&world);
    }
    assert_true(failures >= 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(never_serves_an_expired_record),
        cmocka_unit_test(only_the_owner_replaces_a_living_record),
        cmocka_unit_test(limits_hold),
        cmocka_unit_test(a_failing_allocation_leaves_the_old_record),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
