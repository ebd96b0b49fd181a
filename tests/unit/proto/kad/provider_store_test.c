/* SPDX-License-Identifier: MIT */
#include "proto/kad/provider_store.h"

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
    struct trp_kad_provider_store store;
};

static void world_open(struct world *world)
{
    world->memory = trp_memory_init(1u << 20);
    trp_kad_provider_store_init(
        &world->store, &world->memory,
        &(struct trp_kad_provider_limits){
            .keys = 8, .providers_per_key = 3, .keys_per_provider = 4, .ttl_ns = TTL_NS});
}

static void world_close(struct world *world)
{
    trp_kad_provider_store_deinit(&world->store);
    assert_int_equal(world->store.count, 0);
    assert_int_equal(world->store.keys_count, 0);
    assert_int_equal(world->memory.used_bytes, 0);
}

static enum trp_status add(struct world *world, const char *key, uint32_t peer, trp_time now)
{
    struct trp_peer_id id = peer_of(peer);
    return trp_kad_provider_store_add(&world->store, trp_bytes_text(key), &id, now);
}

static uint32_t find(struct world *world, const char *key, trp_time now,
                     struct trp_peer_id ret_peers[8])
{
    return trp_kad_provider_store_find(&world->store, trp_bytes_text(key), now, ret_peers, 8);
}

static void finds_providers_until_they_expire(void **state)
{
    (void)state;
    struct world world;
    world_open(&world);
    struct trp_peer_id peers[8];
    assert_int_equal(find(&world, "a", 0, peers), 0);
    assert_true(trp_kad_provider_store_deadline(&world.store) == TRP_NEVER);
    assert_status(add(&world, "a", 1, 10), TRP_OK);
    assert_status(add(&world, "a", 2, 20), TRP_OK);
    assert_status(add(&world, "b", 2, 20), TRP_OK);
    assert_int_equal(find(&world, "a", 30, peers), 2);
    struct trp_peer_id one = peer_of(1);
    struct trp_peer_id two = peer_of(2);
    assert_true(trp_peer_id_equal(&peers[0], &one));
    assert_true(trp_peer_id_equal(&peers[1], &two));
    /* One renews. */
    assert_status(add(&world, "a", 1, 1000), TRP_EEXISTS);
    assert_true(trp_kad_provider_store_deadline(&world.store) == TTL_NS + 20);
    assert_int_equal(find(&world, "a", TTL_NS + 20, peers), 1);
    assert_true(trp_peer_id_equal(&peers[0], &one));
    struct trp_kad_provider_pair pair;
    assert_false(trp_kad_provider_store_next_expired(&world.store, TTL_NS + 19, &pair));
    assert_true(trp_kad_provider_store_next_expired(&world.store, TTL_NS + 20, &pair));
    assert_true(trp_peer_id_equal(&pair.provider, &two));
    assert_true(trp_bytes_equal(pair.key, trp_bytes_text("a")));
    trp_kad_provider_store_drop_expired(&world.store, TTL_NS + 20);
    assert_false(trp_kad_provider_store_holds(&world.store, trp_bytes_text("a"), &two));
    assert_true(trp_kad_provider_store_holds(&world.store, trp_bytes_text("b"), &two));
    trp_kad_provider_store_drop_expired(&world.store, TTL_NS + 20);
    assert_false(trp_kad_provider_store_next_expired(&world.store, TTL_NS + 20, &pair));
    trp_kad_provider_store_drop_expired(&world.store, TTL_NS + 20);
    assert_int_equal(world.store.count, 1);
    assert_int_equal(world.store.keys_count, 1);
    world_close(&world);
}

static void forgets_what_is_withdrawn(void **state)
{
    (void)state;
    struct world world;
    world_open(&world);
    struct trp_peer_id one = peer_of(1);
    struct trp_peer_id two = peer_of(2);
    assert_status(add(&world, "a", 1, 0), TRP_OK);
    assert_false(trp_kad_provider_store_remove(&world.store, trp_bytes_text("a"), &two));
    assert_false(trp_kad_provider_store_remove(&world.store, trp_bytes_text("b"), &one));
    assert_true(trp_kad_provider_store_remove(&world.store, trp_bytes_text("a"), &one));
    assert_false(trp_kad_provider_store_remove(&world.store, trp_bytes_text("a"), &one));
    assert_int_equal(world.store.keys_count, 0);
    world_close(&world);
}

static void one_peer_cannot_fill_it(void **state)
{
    (void)state;
    struct world world;
    world_open(&world);
    const char *keys[] = {"a", "b", "c", "d", "e", "f", "g", "h", "i"};
    for (uint32_t i = 0; i < 4; i++) {
        assert_status(add(&world, keys[i], 1, 0), TRP_OK);
    }
    assert_status(add(&world, keys[4], 1, 0), TRP_EFULL);
    assert_status(add(&world, keys[3], 1, 0), TRP_EEXISTS);
    for (uint32_t i = 4; i < 8; i++) {
        assert_status(add(&world, keys[i], 2, 0), TRP_OK);
    }
    assert_status(add(&world, keys[8], 3, 0), TRP_EFULL); /* keys */
    assert_status(add(&world, keys[0], 3, 0), TRP_OK);
    world_close(&world);
}

static void who_missed_a_renewal_gives_way_in_a_full_key(void **state)
{
    (void)state;
    struct world world;
    world_open(&world);
    assert_status(add(&world, "a", 1, 0), TRP_OK);
    assert_status(add(&world, "a", 2, 0), TRP_OK);
    assert_status(add(&world, "a", 3, 0), TRP_OK);
    assert_status(add(&world, "a", 4, TTL_NS / 2 - 1), TRP_EFULL);
    assert_status(add(&world, "a", 1, TTL_NS / 2 - 1), TRP_EEXISTS);
    assert_status(add(&world, "a", 4, TTL_NS / 2), TRP_OK);
    struct trp_peer_id two = peer_of(2);
    struct trp_peer_id peers[8];
    assert_false(trp_kad_provider_store_holds(&world.store, trp_bytes_text("a"), &two));
    assert_int_equal(find(&world, "a", TTL_NS / 2, peers), 3);
    assert_int_equal(world.store.count, 3);
    world_close(&world);
}

static void survives_any_failing_allocation(void **state)
{
    (void)state;
    uint32_t failures = 0;
    for (uint64_t fail_at = 1; fail_at < 16; fail_at++) {
        struct world world;
        world_open(&world);
        world.memory.fail_at = fail_at;
        enum trp_status first = add(&world, "a", 1, 0);
        enum trp_status second = add(&world, "b", 2, 0);
        failures += first == TRP_ENOMEM || second == TRP_ENOMEM;
        assert_int_equal(world.store.count, (first == TRP_OK) + (second == TRP_OK));
        assert_int_equal(world.store.keys_count, world.store.count);
        world.memory.fail_at = 0;
        assert_status(add(&world, "a", 1, 0), first == TRP_OK ? TRP_EEXISTS : TRP_OK);
        world_close(&world);
    }
    assert_true(failures >= 6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_providers_until_they_expire),
        cmocka_unit_test(forgets_what_is_withdrawn),
        cmocka_unit_test(one_peer_cannot_fill_it),
        cmocka_unit_test(who_missed_a_renewal_gives_way_in_a_full_key),
        cmocka_unit_test(survives_any_failing_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
