/* SPDX-License-Identifier: MIT */
#include "proto/kad/refresh.h"

#include "lib/test.h"
#include "proto/kad/query.h"

#define INTERVAL_NS TRP_MIN(5)

static struct trp_peer_id peer_of(uint32_t n)
{
    struct trp_peer_id peer = {.size = 38, .bytes = {0x00, 0x24, 0x08, 0x01, 0x12, 0x20}};
    memcpy(peer.bytes + 6, &n, sizeof n);
    return peer;
}

struct world {
    struct trp_memory memory;
    struct trp_peer_id self;
    struct trp_kad_table table;
    struct trp_kad_refresh refresh;
};

static void world_open(struct world *world, uint32_t peers)
{
    world->memory = trp_memory_init(1u << 24);
    world->self = peer_of(UINT32_MAX);
    struct trp_kad_key key = trp_kad_key_of(trp_peer_id_bytes(&world->self));
    world->table = trp_kad_table_init(&world->memory, &key, TRP_NEVER);
    world->refresh = trp_kad_refresh_init(1, INTERVAL_NS);
    struct trp_kad_contact check;
    for (uint32_t i = 0; i < peers; i++) {
        struct trp_peer_id peer = peer_of(i);
        struct trp_kad_contact contact = trp_kad_contact_of(&peer);
        (void)!trp_kad_table_insert(&world->table, &contact, false, 0, &check);
    }
}

static void world_close(struct world *world)
{
    trp_kad_table_free(&world->table);
    assert_int_equal(world->memory.used_bytes, 0);
}

static bool next(struct world *world, trp_time now, struct trp_kad_target *ret_target)
{
    return trp_kad_refresh_next(&world->refresh, &world->table, &world->self, now, ret_target);
}

static void begins_soon_after_the_first_peer(void **state)
{
    (void)state;
    struct world world;
    world_open(&world, 1);
    assert_true(trp_kad_refresh_deadline(&world.refresh) == TRP_NEVER);
    trp_kad_refresh_on_peer(&world.refresh, 1, 1000);
    assert_true(trp_kad_refresh_deadline(&world.refresh) == 1000 + TRP_KAD_JOIN_NS);
    trp_kad_refresh_on_peer(&world.refresh, 2, 2000); /* does not put it off */
    assert_true(trp_kad_refresh_deadline(&world.refresh) == 1000 + TRP_KAD_JOIN_NS);
    trp_time now = 1000 + TRP_KAD_JOIN_NS;
    trp_kad_refresh_begin(&world.refresh, false, now);
    assert_true(trp_kad_refresh_deadline(&world.refresh) == TRP_NEVER); /* it runs */
    struct trp_kad_target target;
    assert_true(next(&world, now, &target));
    assert_int_equal(target.goal, TRP_KAD_K);
    assert_false(target.is_light); /* so few are all asked */
    assert_true(
        trp_bytes_equal(trp_bytes(target.preimage, target.size), trp_peer_id_bytes(&world.self)));
    while (next(&world, now, &target)) {
        assert_int_equal(target.size, 0); /* checks only: there is no bucket that can be full */
    }
    world_close(&world);
}

/* Runs a round; gives the time from its beginning to the next one. */
static trp_time round_at(struct world *world, trp_time now)
{
    struct trp_kad_target target;
    trp_kad_refresh_begin(&world->refresh, false, now);
    while (next(world, now, &target)) {
    }
    return trp_kad_refresh_deadline(&world->refresh) - now;
}

static bool is_about(trp_time span, trp_time wanted)
{
    return span >= wanted / 10 * 9 && span <= wanted / 10 * 11;
}

static void few_peers_are_looked_for_again_ever_less_often(void **state)
{
    (void)state;
    struct world world;
    world_open(&world, TRP_KAD_K - 1);
    trp_time now = TRP_S(1);
    for (uint32_t i = 0; i < 20; i++) {
        trp_time wanted = i < 6 ? TRP_KAD_REJOIN_NS << i : INTERVAL_NS;
        trp_time span = round_at(&world, now);
        assert_true(is_about(span, wanted));
        now += span;
    }
    /* One more peer, still fewer than k: again, but not at once. */
    now -= INTERVAL_NS;
    trp_kad_refresh_begin(&world.refresh, false, now);
    trp_kad_refresh_on_peer(&world.refresh, TRP_KAD_K - 1, now); /* and one while it runs */
    assert_true(round_at(&world, now) == TRP_KAD_REJOIN_NS);
    assert_true(is_about(round_at(&world, now), INTERVAL_NS));
    trp_kad_refresh_on_peer(&world.refresh, TRP_KAD_K - 1, now + 5);
    assert_true(trp_kad_refresh_deadline(&world.refresh) == now + TRP_KAD_REJOIN_NS);
    world_close(&world);
}

static void enough_peers_are_renewed_at_the_interval(void **state)
{
    (void)state;
    struct world world;
    world_open(&world, TRP_KAD_K);
    assert_int_equal(world.table.count, TRP_KAD_K);
    trp_kad_refresh_begin(&world.refresh, false, TRP_S(1));
    trp_kad_refresh_on_peer(&world.refresh, TRP_KAD_K, TRP_S(1));
    assert_true(is_about(round_at(&world, TRP_S(1)), INTERVAL_NS));
    world_close(&world);
}

static void comes_back_soon_when_nobody_is_left(void **state)
{
    (void)state;
    struct world world;
    world_open(&world, 0);
    struct trp_kad_target target;
    trp_kad_refresh_begin(&world.refresh, false, 7);
    while (next(&world, 7, &target)) {
    }
    assert_true(trp_kad_refresh_deadline(&world.refresh) == 7 + TRP_KAD_ALONE_NS);
    assert_false(next(&world, 7, &target));
    world_close(&world);
}

static void visits_every_bucket_up_to_the_near_one(void **state)
{
    (void)state;
    struct world world;
    world_open(&world, 2000);
    uint32_t near = trp_kad_table_near_bucket(&world.table);
    assert_true(near >= 5);
    struct trp_kad_target target;
    struct trp_kad_contact promoted;
    trp_time now = TRP_MIN(60);
    /* Bucket 0 lacks seven. */
    for (uint32_t i = 0; i < 7; i++) {
        struct trp_kad_key key = trp_kad_table_at(&world.table, 0, 0)->contact.key;
        assert_true(trp_kad_table_remove(&world.table, &key, now, &promoted));
    }
    trp_kad_refresh_touch(&world.refresh, 1, now - TRP_S(10));
    trp_kad_refresh_begin(&world.refresh, false, now);
    assert_true(next(&world, now, &target));
    assert_true(target.is_light);
    assert_int_equal(target.bucket, TRP_KAD_KEY_BITS);
    for (uint32_t bucket = 0; bucket <= near; bucket++) {
        if (bucket == 1) {
            continue; /* a look-up was there just now */
        }
        assert_true(next(&world, now, &target));
        assert_int_equal(target.bucket, bucket);
        assert_int_equal(target.goal, bucket == 0 ? 7 : 0);
        if (bucket == 0) {
            struct trp_kad_key key = trp_kad_key_of(trp_bytes(target.preimage, target.size));
            assert_int_equal(trp_kad_bucket_index(&world.table.self, &key), 0);
        } else {
            assert_int_equal(target.size, 0);
        }
    }
    assert_false(next(&world, now, &target));
    /* A full round leaves out nothing. */
    trp_kad_refresh_touch(&world.refresh, 1, now);
    trp_kad_refresh_begin(&world.refresh, true, now);
    uint32_t visited = 0;
    while (next(&world, now, &target)) {
        assert_false(target.is_light);
        visited++;
    }
    assert_int_equal(visited, near + 2);
    world_close(&world);
}

static void an_empty_bucket_gets_a_target_that_lies_in_it(void **state)
{
    (void)state;
    struct world world;
    world_open(&world, 2000);
    struct trp_kad_contact promoted;
    while (trp_kad_table_bucket_count(&world.table, 3) > 0) {
        struct trp_kad_key key = trp_kad_table_at(&world.table, 3, 0)->contact.key;
        assert_true(trp_kad_table_remove(&world.table, &key, 0, &promoted));
    }
    trp_kad_refresh_begin(&world.refresh, true, 0);
    struct trp_kad_target target;
    bool seen = false;
    while (next(&world, 0, &target)) {
        if (target.bucket == 3) {
            struct trp_kad_key key = trp_kad_key_of(trp_bytes(target.preimage, target.size));
            assert_int_equal(trp_kad_bucket_index(&world.table.self, &key), 3);
            assert_int_equal(target.goal, TRP_KAD_K);
            seen = true;
        }
    }
    assert_true(seen);
    world_close(&world);
}

static void the_stalest_are_given_oldest_first(void **state)
{
    (void)state;
    struct world world;
    world_open(&world, 2000);
    for (uint32_t i = 0; i < TRP_KAD_K; i++) {
        struct trp_kad_key key = trp_kad_table_at(&world.table, 0, i)->contact.key;
        trp_kad_table_seen(&world.table, &key, 100 + (i * 7) % TRP_KAD_K);
    }
    struct trp_kad_key newest = trp_kad_table_at(&world.table, 0, 0)->contact.key; /* at 100 */
    trp_kad_table_set_connected(&world.table, &newest, true, 100);
    const struct trp_kad_entry *entries[TRP_KAD_K];
    assert_int_equal(trp_kad_table_stalest(&world.table, 0, 104, 8, entries), 3);
    assert_int_equal(trp_kad_table_stalest(&world.table, 0, 200, 8, entries), 8);
    for (uint32_t i = 0; i < 8; i++) {
        assert_int_equal(entries[i]->seen_at, 101 + i); /* the connected one needs no check */
    }
    world_close(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(begins_soon_after_the_first_peer),
        cmocka_unit_test(few_peers_are_looked_for_again_ever_less_often),
        cmocka_unit_test(enough_peers_are_renewed_at_the_interval),
        cmocka_unit_test(comes_back_soon_when_nobody_is_left),
        cmocka_unit_test(visits_every_bucket_up_to_the_near_one),
        cmocka_unit_test(an_empty_bucket_gets_a_target_that_lies_in_it),
        cmocka_unit_test(the_stalest_are_given_oldest_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
