/* SPDX-License-Identifier: MIT */
#include "proto/kad/kbucket.h"

#include "base/prng.h"
#include "lib/test.h"

#define STALE_NS TRP_MIN(15)

static struct trp_kad_key key_drawn(uint64_t seed, uint64_t n)
{
    struct trp_kad_key key;
    for (uint64_t i = 0; i < 4; i++) {
        key.words[i] = trp_draw(seed, n, 0, i);
    }
    return key;
}

static struct trp_kad_contact contact_of(const struct trp_kad_key *key, uint64_t n)
{
    struct trp_kad_contact contact = {.key = *key, .peer = {.size = 8}};
    memcpy(contact.peer.bytes, &n, sizeof n);
    return contact;
}

/* A contact whose key shares exactly `bucket` leading bits with zero. */
static struct trp_kad_contact contact_in(uint32_t bucket, uint64_t n)
{
    struct trp_kad_key key = key_drawn(77, n);
    for (uint32_t i = 0; i < bucket; i++) {
        key.words[i / 64] &= ~(1ull << (63 - i % 64));
    }
    key.words[bucket / 64] |= 1ull << (63 - bucket % 64);
    return contact_of(&key, n);
}

struct world {
    struct trp_memory memory;
    struct trp_kad_table table;
};

static void world_open(struct world *world)
{
    world->memory = trp_memory_init(1u << 24);
    struct trp_kad_key zero = {{0}};
    world->table = trp_kad_table_init(&world->memory, &zero, STALE_NS);
}

static void world_close(struct world *world)
{
    trp_kad_table_free(&world->table);
    assert_int_equal(world->memory.used_bytes, 0);
}

static enum trp_status add(struct world *world, const struct trp_kad_contact *contact,
                           bool connected, trp_time now, struct trp_kad_contact *ret_check)
{
    return trp_kad_table_insert(&world->table, contact, connected, now, ret_check);
}

/* Fills bucket 9, so that none in bucket 3 is one of our k closest. */
static void fill_near(struct world *world)
{
    struct trp_kad_contact check;
    for (uint64_t i = 0; i < TRP_KAD_K; i++) {
        struct trp_kad_contact contact = contact_in(9, 1000 + i);
        assert_status(add(world, &contact, true, 0, &check), TRP_OK);
    }
}

static void gives_the_sha256_of_a_peer_id(void **state)
{
    (void)state;
    uint8_t id[38];
    uint8_t expected[32];
    uint8_t digest[32];
    size_t size =
        test_unhex("002408011220000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d"
                   "1e1f",
                   id, sizeof id);
    test_unhex("3850f1dedc79dcb027d80793d2a732dbb2cbd4d149ea0e4be5ceb97b1596ce75", expected, 32);
    struct trp_kad_key key = trp_kad_key_of(trp_bytes(id, size));
    trp_kad_key_store(&key, digest);
    assert_memory_equal(digest, expected, 32);
    assert_int_equal(key.words[0] >> 56, 0x38);
}

static void counts_common_leading_bits(void **state)
{
    (void)state;
    struct trp_kad_key zero = {{0}};
    for (uint32_t i = 0; i < TRP_KAD_KEY_BITS; i++) {
        struct trp_kad_contact contact = contact_in(i, i);
        assert_int_equal(trp_kad_bucket_index(&zero, &contact.key), i);
    }
    assert_int_equal(trp_kad_bucket_index(&zero, &zero), TRP_KAD_KEY_BITS);
}

static void never_holds_ourselves(void **state)
{
    (void)state;
    struct world world;
    world_open(&world);
    struct trp_kad_contact check;
    struct trp_kad_contact self = contact_of(&world.table.self, 1);
    assert_status(add(&world, &self, true, 0, &check), TRP_EINVAL);
    assert_int_equal(world.table.count, 0);
    world_close(&world);
}

static void keeps_a_full_bucket_of_live_peers(void **state)
{
    (void)state;
    struct world world;
    world_open(&world);
    fill_near(&world);
    struct trp_kad_contact check;
    for (uint64_t i = 0; i < TRP_KAD_K; i++) {
        struct trp_kad_contact contact = contact_in(3, i);
        assert_status(add(&world, &contact, true, i, &check), TRP_OK);
        assert_status(add(&world, &contact, true, i, &check), TRP_EEXISTS);
    }
    struct trp_kad_contact late = contact_in(3, 100);
    assert_status(add(&world, &late, true, TRP_MIN(60), &check), TRP_EFULL);
    /* Disconnected, but heard of lately: still refused. */
    struct trp_kad_contact old = contact_in(3, 4);
    trp_kad_table_seen(&world.table, &old.key, TRP_MIN(50));
    trp_kad_table_set_connected(&world.table, &old.key, false, TRP_MIN(50));
    assert_status(add(&world, &late, true, TRP_MIN(60), &check), TRP_EFULL);
    /* A newcomer that is not connected has no claim. */
    assert_status(add(&world, &late, false, TRP_MIN(80), &check), TRP_EFULL);
    world_close(&world);
}

static void replaces_the_oldest_disconnected_after_it_failed(void **state)
{
    (void)state;
    struct world world;
    world_open(&world);
    fill_near(&world);
    struct trp_kad_contact check;
    for (uint64_t i = 0; i < TRP_KAD_K; i++) {
        struct trp_kad_contact contact = contact_in(3, i);
        assert_status(add(&world, &contact, i < 5, 100 - i, &check), TRP_OK);
    }
    struct trp_kad_contact late = contact_in(3, 100);
    struct trp_kad_contact later = contact_in(3, 101);
    struct trp_kad_contact oldest = contact_in(3, TRP_KAD_K - 1);
    trp_time now = TRP_MIN(60);
    assert_status(add(&world, &late, true, now, &check), TRP_EAGAIN);
    assert_true(trp_kad_key_equal(&check.key, &oldest.key));
    assert_null(trp_kad_table_find(&world.table, &late.key));
    assert_status(add(&world, &later, true, now, &check), TRP_EFULL);
    /* It answers: the newcomer goes. */
    trp_kad_table_seen(&world.table, &oldest.key, now);
    struct trp_kad_contact promoted;
    oldest = contact_in(3, TRP_KAD_K - 2);
    assert_status(add(&world, &later, true, now, &check), TRP_EAGAIN);
    assert_true(trp_kad_key_equal(&check.key, &oldest.key));
    /* This one fails: the newcomer takes its place. */
    assert_true(trp_kad_table_remove(&world.table, &oldest.key, now, &promoted));
    assert_true(trp_kad_key_equal(&promoted.key, &later.key));
    assert_non_null(trp_kad_table_find(&world.table, &later.key));
    assert_null(trp_kad_table_find(&world.table, &oldest.key));
    assert_int_equal(world.table.count, 2 * TRP_KAD_K);
    /* A newcomer that waited too long does not come in. */
    now += TRP_MIN(30);
    assert_status(add(&world, &late, true, now, &check), TRP_EAGAIN);
    assert_true(
        trp_kad_table_remove(&world.table, &check.key, now + TRP_KAD_PENDING_NS, &promoted));
    assert_int_equal(promoted.peer.size, 0);
    assert_int_equal(world.table.count, 2 * TRP_KAD_K - 1);
    world_close(&world);
}

static void always_keeps_the_k_closest(void **state)
{
    (void)state;
    struct world world;
    world_open(&world);
    struct trp_kad_contact check;
    struct trp_kad_key best[TRP_KAD_K];
    uint32_t best_count = 0;
    for (uint64_t i = 0; i < 300; i++) { /* all alive, connected, in two buckets */
        struct trp_kad_contact contact = contact_in(i % 30 == 0 ? 4 : 3, i);
        enum trp_status status = add(&world, &contact, true, i, &check);
        assert_true(status == TRP_OK || status == TRP_EFULL);
        uint32_t at = best_count;
        while (at > 0 && trp_kad_key_compare(&contact.key, &best[at - 1]) < 0) {
            at--;
        }
        if (at < TRP_KAD_K) {
            best_count += best_count < TRP_KAD_K;
            memmove(&best[at + 1], &best[at], (best_count - at - 1) * sizeof best[0]);
            best[at] = contact.key;
        }
    }
    for (uint32_t i = 0; i < TRP_KAD_K; i++) {
        assert_non_null(trp_kad_table_find(&world.table, &best[i]));
    }
    assert_int_equal(world.table.count, TRP_KAD_K + 10);
    world_close(&world);
}

static void counts_failures_since_the_last_sign_of_life(void **state)
{
    (void)state;
    struct world world;
    world_open(&world);
    struct trp_kad_contact check;
    struct trp_kad_contact contact = contact_in(9, 1);
    assert_int_equal(trp_kad_table_failed(&world.table, &contact.key), 0);
    assert_status(add(&world, &contact, false, 0, &check), TRP_OK);
    assert_int_equal(trp_kad_table_failed(&world.table, &contact.key), 1);
    assert_int_equal(trp_kad_table_failed(&world.table, &contact.key), 2);
    trp_kad_table_seen(&world.table, &contact.key, 5);
    assert_int_equal(trp_kad_table_failed(&world.table, &contact.key), 1);
    world_close(&world);
}

/* Fills a table with what many peers leave in it, and compares with sorting all entries. */
static void gives_the_closest_as_sorting_all_would(void **state)
{
    (void)state;
    struct world world;
    world_open(&world);
    world.table.self = key_drawn(5, 5);
    struct trp_kad_contact check;
    for (uint64_t i = 0; i < 600; i++) {
        struct trp_kad_key key = key_drawn(1, i);
        if (i % 3 == 0) { /* near ourselves, for deep buckets */
            key = world.table.self;
            key.words[0] ^= trp_draw(1, i, 1, 0) >> (i % 60);
            key.words[3] ^= i;
        }
        struct trp_kad_contact contact = contact_of(&key, i);
        (void)!add(&world, &contact, false, i, &check);
    }
    assert_true(world.table.count > 100);
    for (uint64_t round = 0; round < 200; round++) {
        struct trp_kad_key target = key_drawn(2, round);
        if (round % 4 == 1) {
            target = world.table.self;
            target.words[0] ^= trp_draw(2, round, 1, 0) >> (round % 50);
        } else if (round == 2) {
            target = world.table.self;
        }
        uint32_t max = 1 + (uint32_t)(round % TRP_KAD_CLOSEST_MAX);
        const struct trp_kad_entry *closest[TRP_KAD_CLOSEST_MAX];
        uint32_t count = trp_kad_table_closest(&world.table, &target, NULL, max, closest);
        assert_int_equal(count, max);
        struct trp_kad_key last = trp_kad_distance(&closest[max - 1]->contact.key, &target);
        for (uint32_t i = 1; i < count; i++) {
            struct trp_kad_key a = trp_kad_distance(&closest[i - 1]->contact.key, &target);
            struct trp_kad_key b = trp_kad_distance(&closest[i]->contact.key, &target);
            assert_true(trp_kad_key_compare(&a, &b) < 0);
        }
        uint32_t not_farther = 0;
        uint32_t at = 0;
        uint32_t bucket;
        const struct trp_kad_entry *entry;
        while ((entry = trp_kad_table_next(&world.table, &at, &bucket)) != NULL) {
            struct trp_kad_key distance = trp_kad_distance(&entry->contact.key, &target);
            not_farther += trp_kad_key_compare(&distance, &last) <= 0;
        }
        assert_int_equal(not_farther, max);
        const struct trp_kad_entry *without[TRP_KAD_CLOSEST_MAX];
        struct trp_kad_key skip = closest[0]->contact.key;
        trp_kad_table_closest(&world.table, &target, &skip, max, without);
        for (uint32_t i = 1; i < max; i++) {
            assert_ptr_equal(without[i - 1], closest[i]);
        }
    }
    world_close(&world);
}

static void walks_every_entry_once_in_its_bucket(void **state)
{
    (void)state;
    struct world world;
    world_open(&world);
    struct trp_kad_contact check;
    for (uint64_t i = 0; i < 300; i++) {
        struct trp_kad_contact contact = contact_in((uint32_t)(i * 7 % 256), i);
        assert_status(add(&world, &contact, false, i, &check), TRP_OK);
    }
    uint32_t at = 0;
    uint32_t bucket;
    uint32_t count = 0;
    const struct trp_kad_entry *entry;
    while ((entry = trp_kad_table_next(&world.table, &at, &bucket)) != NULL) {
        assert_int_equal(trp_kad_bucket_index(&world.table.self, &entry->contact.key), bucket);
        count++;
    }
    assert_int_equal(count, 300);
    assert_int_equal(world.table.count, 300);
    world_close(&world);
}

static void knows_which_buckets_hold_the_closest(void **state)
{
    (void)state;
    struct world world;
    world_open(&world);
    struct trp_kad_contact check;
    assert_int_equal(trp_kad_table_near_bucket(&world.table), 0);
    uint64_t n = 0;
    for (uint32_t bucket = 0; bucket < 4; bucket++) {
        for (uint32_t i = 0; i < TRP_KAD_K; i++) {
            struct trp_kad_contact contact = contact_in(bucket, n++);
            assert_status(add(&world, &contact, false, n, &check), TRP_OK);
        }
    }
    assert_int_equal(trp_kad_table_near_bucket(&world.table), 3);
    for (uint32_t i = 0; i < TRP_KAD_K - 1; i++) {
        struct trp_kad_contact contact = contact_in(6 + i, n++);
        assert_status(add(&world, &contact, false, n, &check), TRP_OK);
    }
    assert_int_equal(trp_kad_table_near_bucket(&world.table), 3);
    struct trp_kad_contact contact = contact_in(5, n++);
    assert_status(add(&world, &contact, false, n, &check), TRP_OK);
    assert_int_equal(trp_kad_table_near_bucket(&world.table), 5);
    world_close(&world);
}

static void survives_any_failing_allocation(void **state)
{
    (void)state;
    for (uint64_t fail_at = 1; fail_at <= 6; fail_at++) {
        struct world world;
        world_open(&world);
        world.memory.fail_at = fail_at;
        struct trp_kad_contact check;
        uint32_t failed = 0;
        for (uint64_t i = 0; i < 12; i++) {
            struct trp_kad_contact contact = contact_in((uint32_t)(i % 2), i);
            enum trp_status status = add(&world, &contact, false, i, &check);
            assert_true(status == TRP_OK || status == TRP_ENOMEM);
            failed += status == TRP_ENOMEM;
        }
        assert_int_equal(failed, 1);
        assert_int_equal(world.table.count, 11);
        world_close(&world);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gives_the_sha256_of_a_peer_id),
        cmocka_unit_test(counts_common_leading_bits),
        cmocka_unit_test(never_holds_ourselves),
        cmocka_unit_test(keeps_a_full_bucket_of_live_peers),
        cmocka_unit_test(replaces_the_oldest_disconnected_after_it_failed),
        cmocka_unit_test(always_keeps_the_k_closest),
        cmocka_unit_test(counts_failures_since_the_last_sign_of_life),
        cmocka_unit_test(gives_the_closest_as_sorting_all_would),
        cmocka_unit_test(walks_every_entry_once_in_its_bucket),
        cmocka_unit_test(knows_which_buckets_hold_the_closest),
        cmocka_unit_test(survives_any_failing_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
