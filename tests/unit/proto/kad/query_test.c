/* SPDX-License-Identifier: MIT */
#include "proto/kad/query.h"

#include "base/prng.h"
#include "lib/test.h"

#include <stdio.h>
#include <stdlib.h>

static struct trp_kad_key key_drawn(uint64_t seed, uint64_t n)
{
    struct trp_kad_key key;
    for (uint64_t i = 0; i < 4; i++) {
        key.words[i] = trp_draw(seed, n, 0, i);
    }
    return key;
}

/* A contact at distance `n` of the target zero; `n` also names the peer. */
static struct trp_kad_contact at_distance(uint32_t n)
{
    struct trp_kad_contact contact = {.key = {{0, 0, 0, n}}, .peer = {.size = 4}};
    memcpy(contact.peer.bytes, &n, sizeof n);
    return contact;
}

static uint32_t distance_of(const struct trp_kad_contact *contact)
{
    return (uint32_t)contact->key.words[3];
}

struct world {
    struct trp_memory memory;
    struct trp_kad_query query;
};

static void world_open(struct world *world, uint32_t goal)
{
    world->memory = trp_memory_init(1u << 24);
    struct trp_kad_query_config config = {.memory = &world->memory,
                                          .self = {{1, 0, 0, 0}},
                                          .goal = goal,
                                          .patience_ns = TRP_S(1),
                                          .grace_ns = TRP_S(3)};
    trp_kad_query_init(&world->query, &config);
}

static void world_close(struct world *world)
{
    trp_kad_query_deinit(&world->query);
    assert_int_equal(world->memory.used_bytes, 0);
}

static void seed(struct world *world, uint32_t distance)
{
    struct trp_kad_contact contact = at_distance(distance);
    assert_status(trp_kad_query_seed(&world->query, &contact), TRP_OK);
}

static void answer(struct world *world, uint32_t from)
{
    struct trp_kad_contact contact = at_distance(from);
    assert_true(trp_kad_query_answered(&world->query, &contact.key));
}

static enum trp_status offer(struct world *world, uint32_t from, uint32_t named)
{
    struct trp_kad_contact sponsor = at_distance(from);
    struct trp_kad_contact contact = at_distance(named);
    return trp_kad_query_offer(&world->query, &sponsor.key, &contact);
}

static void without_peers_is_done_at_once(void **state)
{
    (void)state;
    struct world world;
    world_open(&world, 0);
    struct trp_kad_contact contact;
    assert_true(trp_kad_query_is_done(&world.query));
    assert_false(trp_kad_query_next(&world.query, 0, &contact));
    world_close(&world);
}

static void asks_at_most_alpha_closest_first(void **state)
{
    (void)state;
    struct world world;
    world_open(&world, 0);
    for (uint32_t i = 1; i <= 10; i++) {
        seed(&world, i * 10);
    }
    struct trp_kad_contact contact;
    for (uint32_t i = 1; i <= TRP_KAD_ALPHA; i++) {
        assert_true(trp_kad_query_next(&world.query, 0, &contact));
        assert_int_equal(distance_of(&contact), i * 10);
    }
    assert_false(trp_kad_query_next(&world.query, 0, &contact));
    answer(&world, 20);
    assert_true(trp_kad_query_next(&world.query, 0, &contact));
    assert_int_equal(distance_of(&contact), 40);
    assert_false(trp_kad_query_next(&world.query, 0, &contact));
    assert_false(trp_kad_query_is_done(&world.query));
    world_close(&world);
}

static void refuses_what_no_answer_may_say(void **state)
{
    (void)state;
    struct world world;
    world_open(&world, 0);
    seed(&world, 50);
    struct trp_kad_contact contact;
    struct trp_kad_contact stranger = at_distance(51);
    struct trp_kad_contact known = at_distance(50);
    assert_false(trp_kad_query_answered(&world.query, &known.key)); /* not asked yet */
    assert_true(trp_kad_query_next(&world.query, 0, &contact));
    assert_status(offer(&world, 50, 5), TRP_EDENIED); /* has not answered */
    assert_false(trp_kad_query_answered(&world.query, &stranger.key));
    answer(&world, 50);
    assert_false(trp_kad_query_answered(&world.query, &known.key)); /* twice */
    assert_status(offer(&world, 51, 5), TRP_EDENIED);
    assert_status(offer(&world, 50, 50), TRP_EINVAL); /* names itself */
    struct trp_kad_contact self = {.key = world.query.config.self, .peer = {.size = 1}};
    assert_status(trp_kad_query_offer(&world.query, &known.key, &self), TRP_EINVAL);
    assert_status(trp_kad_query_seed(&world.query, &self), TRP_EINVAL);
    for (uint32_t i = 0; i < TRP_KAD_K; i++) {
        assert_status(offer(&world, 50, 100 + i / 2), i % 2 == 0 ? TRP_OK : TRP_EEXISTS);
    }
    assert_status(offer(&world, 50, 200), TRP_EDENIED); /* has named k */
    world_close(&world);
}

static void ends_when_the_goal_closest_have_answered(void **state)
{
    (void)state;
    struct world world;
    world_open(&world, 3);
    for (uint32_t i = 1; i <= 20; i++) {
        seed(&world, i * 10);
    }
    struct trp_kad_contact contact;
    while (trp_kad_query_next(&world.query, 0, &contact)) {
        assert_false(trp_kad_query_is_done(&world.query));
        trp_kad_query_answered(&world.query, &contact.key);
        if (distance_of(&contact) == 30) {
            assert_status(offer(&world, 30, 15), TRP_OK);
        }
    }
    assert_true(trp_kad_query_is_done(&world.query));
    assert_int_equal(world.query.rpcs, 4);
    struct trp_kad_contact result[TRP_KAD_RESULT_MAX];
    assert_int_equal(trp_kad_query_result(&world.query, result), 3);
    assert_int_equal(distance_of(&result[0]), 10);
    assert_int_equal(distance_of(&result[1]), 15);
    assert_int_equal(distance_of(&result[2]), 20);
    /* Too far to matter: the goal is reached by closer ones. */
    assert_status(offer(&world, 30, 1000), TRP_EFULL);
    world_close(&world);
}

static void counts_the_referrals_to_the_closest(void **state)
{
    (void)state;
    struct world world;
    world_open(&world, 0);
    seed(&world, 1000);
    struct trp_kad_contact contact;
    for (uint32_t distance = 1000; distance > 1; distance /= 10) {
        assert_true(trp_kad_query_next(&world.query, 0, &contact));
        answer(&world, distance);
        assert_status(offer(&world, distance, distance / 10), TRP_OK);
    }
    assert_true(trp_kad_query_next(&world.query, 0, &contact));
    assert_int_equal(trp_kad_query_hops(&world.query), 2);
    answer(&world, 1);
    assert_int_equal(trp_kad_query_hops(&world.query), 3);
    assert_true(trp_kad_query_is_done(&world.query));
    world_close(&world);
}

static void gives_up_the_place_of_a_silent_peer(void **state)
{
    (void)state;
    struct world world;
    world_open(&world, 4);
    for (uint32_t i = 1; i <= 10; i++) {
        seed(&world, i);
    }
    struct trp_kad_contact contact;
    for (uint32_t i = 0; i < TRP_KAD_ALPHA; i++) {
        assert_true(trp_kad_query_next(&world.query, i, &contact));
    }
    assert_true(trp_kad_query_deadline(&world.query) == TRP_S(1));
    trp_kad_query_expire(&world.query, TRP_S(1) - 1);
    assert_false(trp_kad_query_next(&world.query, TRP_S(1), &contact));
    trp_kad_query_expire(&world.query, TRP_S(1));
    assert_int_equal(world.query.slow, 1);
    assert_true(trp_kad_query_next(&world.query, TRP_S(1), &contact));
    assert_int_equal(distance_of(&contact), 4);
    answer(&world, 2);
    answer(&world, 3);
    while (trp_kad_query_next(&world.query, TRP_S(1), &contact)) {
    }
    answer(&world, 4);
    assert_false(trp_kad_query_is_done(&world.query));
    answer(&world, 5);
    assert_true(trp_kad_query_is_done(&world.query)); /* the four that answer */
    answer(&world, 1);                                /* late, and closest */
    assert_int_equal(world.query.slow, 0);
    struct trp_kad_contact result[TRP_KAD_RESULT_MAX];
    assert_int_equal(trp_kad_query_result(&world.query, result), 4);
    assert_int_equal(distance_of(&result[0]), 1);
    world_close(&world);
}

static void waits_for_a_silent_peer_when_few_answer(void **state)
{
    (void)state;
    struct world world;
    world_open(&world, 0);
    seed(&world, 1);
    seed(&world, 2);
    struct trp_kad_contact contact;
    assert_true(trp_kad_query_next(&world.query, 0, &contact));
    assert_true(trp_kad_query_next(&world.query, 0, &contact));
    answer(&world, 2);
    trp_kad_query_expire(&world.query, TRP_S(2));
    assert_false(trp_kad_query_is_done(&world.query));
    contact = at_distance(1);
    trp_kad_query_failed(&world.query, &contact.key);
    assert_true(trp_kad_query_is_done(&world.query));
    assert_int_equal(world.query.dead, 1);
    assert_int_equal(world.query.slow, 0);
    trp_kad_query_failed(&world.query, &contact.key); /* again: nothing */
    assert_int_equal(world.query.dead, 1);
    world_close(&world);
}

/* In a network of a few, its answer may be the only other one; but it is not waited for for ever.
 */
static void waits_for_a_silent_peer_no_longer_than_grace_says(void **state)
{
    (void)state;
    struct world world;
    world_open(&world, 0);
    seed(&world, 1);
    seed(&world, 2);
    struct trp_kad_contact contact;
    assert_true(trp_kad_query_next(&world.query, 100, &contact));
    assert_true(trp_kad_query_next(&world.query, 200, &contact));
    answer(&world, 2);
    assert_true(trp_kad_query_deadline(&world.query) == 100 + TRP_S(1));
    trp_kad_query_expire(&world.query, 100 + TRP_S(1));
    assert_true(trp_kad_query_deadline(&world.query) == 100 + TRP_S(3));
    trp_kad_query_expire(&world.query, 100 + TRP_S(3) - 1);
    assert_false(trp_kad_query_is_done(&world.query));
    trp_kad_query_expire(&world.query, 100 + TRP_S(3));
    assert_true(trp_kad_query_deadline(&world.query) == TRP_NEVER);
    assert_true(trp_kad_query_is_done(&world.query));
    assert_int_equal(world.query.slow, 1);
    answer(&world, 1); /* it may still, while the look-up goes on for others */
    assert_int_equal(world.query.slow, 0);
    assert_int_equal(world.query.silent, 0);
    assert_true(trp_kad_query_is_done(&world.query));
    world_close(&world);
}

/* One seed lies: it and those it names answer with ever closer sybils. The other path must still
 * reach the honest peers and they must be in the result. */
static void one_lying_path_does_not_hide_the_other(void **state)
{
    (void)state;
    struct world world;
    world_open(&world, 0);
    seed(&world, 1u << 20); /* path 0: the liar */
    seed(&world, 1u << 21); /* path 1: honest */
    uint32_t next_lie = 0;
    struct trp_kad_contact contact;
    while (trp_kad_query_next(&world.query, 0, &contact)) {
        uint32_t from = distance_of(&contact);
        answer(&world, from);
        bool lies = from == 1u << 20 || from < 1u << 12;
        for (uint32_t i = 0; lies && i < TRP_KAD_K && next_lie < (1u << 12) - 2; i++) {
            (void)!offer(&world, from, (1u << 12) - 1 - next_lie++);
        }
        for (uint32_t i = 0; !lies && from == 1u << 21 && i < TRP_KAD_K; i++) {
            assert_status(offer(&world, from, (1u << 19) + i), TRP_OK);
        }
    }
    assert_true(trp_kad_query_is_done(&world.query));
    assert_true(world.query.rpcs <= TRP_KAD_CANDIDATES_MAX);
    struct trp_kad_contact result[TRP_KAD_RESULT_MAX];
    uint32_t count = trp_kad_query_result(&world.query, result);
    uint32_t honest = 0;
    for (uint32_t i = 0; i < count; i++) {
        honest += distance_of(&result[i]) >= 1u << 19;
    }
    assert_int_equal(honest, TRP_KAD_ALPHA);
    assert_int_equal(count, TRP_KAD_RESULT_MAX);
    world_close(&world);
}

static void one_path_never_takes_every_place(void **state)
{
    (void)state;
    struct world world;
    world_open(&world, 0);
    seed(&world, 1000);
    seed(&world, 2000);
    struct trp_kad_contact contact;
    assert_true(trp_kad_query_next(&world.query, 0, &contact));
    assert_true(trp_kad_query_next(&world.query, 0, &contact));
    answer(&world, 1000);
    for (uint32_t i = 1; i <= TRP_KAD_K; i++) {
        assert_status(offer(&world, 1000, i), TRP_OK);
    }
    answer(&world, 2000);
    assert_status(offer(&world, 2000, 900), TRP_OK);
    assert_true(trp_kad_query_next(&world.query, 0, &contact));
    assert_true(trp_kad_query_next(&world.query, 0, &contact));
    assert_true(trp_kad_query_next(&world.query, 0, &contact));
    assert_int_equal(distance_of(&contact), 900);
    world_close(&world);
}

static void candidates_are_bounded_and_closer_ones_displace(void **state)
{
    (void)state;
    struct world world;
    world_open(&world, 0);
    for (uint32_t i = 0; i < TRP_KAD_CANDIDATES_MAX; i++) {
        seed(&world, 10000 + i);
    }
    struct trp_kad_contact far = at_distance(90000);
    struct trp_kad_contact near = at_distance(5);
    assert_status(trp_kad_query_seed(&world.query, &far), TRP_EFULL);
    assert_status(trp_kad_query_seed(&world.query, &near), TRP_OK);
    assert_int_equal(world.query.count, TRP_KAD_CANDIDATES_MAX);
    struct trp_kad_contact contact;
    assert_true(trp_kad_query_next(&world.query, 0, &contact));
    assert_int_equal(distance_of(&contact), 5);
    /* Seeds alternate: the farthest of the same path went, not the farthest of all. */
    struct trp_kad_contact displaced = at_distance(10000 + TRP_KAD_CANDIDATES_MAX - 2);
    struct trp_kad_contact kept = at_distance(10000 + TRP_KAD_CANDIDATES_MAX - 1);
    assert_status(trp_kad_query_seed(&world.query, &kept), TRP_EEXISTS);
    assert_status(trp_kad_query_seed(&world.query, &displaced), TRP_OK);
    assert_int_equal(world.query.count, TRP_KAD_CANDIDATES_MAX);
    world_close(&world);
}

static void survives_any_failing_allocation(void **state)
{
    (void)state;
    for (uint64_t fail_at = 1; fail_at <= 6; fail_at++) {
        struct world world;
        world_open(&world, 0);
        world.memory.fail_at = fail_at;
        uint32_t failed = 0;
        for (uint32_t i = 0; i < 100; i++) {
            struct trp_kad_contact contact = at_distance(i + 1);
            enum trp_status status = trp_kad_query_seed(&world.query, &contact);
            assert_true(status == TRP_OK || status == TRP_ENOMEM);
            failed += status == TRP_ENOMEM;
        }
        assert_int_equal(failed, 1);
        assert_int_equal(world.query.count, 100 - failed);
        world_close(&world);
    }
}

static void patience_follows_what_answers_take(void **state)
{
    (void)state;
    struct trp_kad_patience patience = {0};
    assert_true(trp_kad_patience_of(&patience, TRP_S(10)) == TRP_S(10));
    for (uint32_t i = 0; i < 100; i++) {
        trp_kad_patience_measure(&patience, TRP_MS(300));
    }
    trp_time calm = trp_kad_patience_of(&patience, TRP_S(10));
    assert_true(calm == TRP_MS(500));
    for (uint32_t i = 0; i < 100; i++) {
        trp_kad_patience_measure(&patience, i % 2 == 0 ? TRP_S(2) : TRP_MS(100));
    }
    trp_time rough = trp_kad_patience_of(&patience, TRP_S(10));
    assert_true(rough > TRP_S(3) && rough <= TRP_S(6));
    assert_true(trp_kad_patience_of(&patience, TRP_S(2)) == TRP_S(2));
}

/* ---- many nodes with ideal tables ---- */

struct network {
    struct trp_memory memory;
    uint32_t count;
    struct trp_kad_contact *contacts;
    struct trp_kad_table *tables;
    bool *dead;
};

static void network_open(struct network *network, uint32_t count, uint64_t seed_, uint32_t dead_ppm)
{
    network->memory = trp_memory_init(1u << 30);
    network->count = count;
    network->contacts = calloc(count, sizeof *network->contacts);
    network->tables = calloc(count, sizeof *network->tables);
    network->dead = calloc(count, sizeof *network->dead);
    uint32_t *shuffled = calloc(count, sizeof *shuffled);
    assert_true(network->contacts != NULL && network->tables != NULL && network->dead != NULL &&
                shuffled != NULL);
    for (uint32_t i = 0; i < count; i++) {
        struct trp_kad_contact *contact = &network->contacts[i];
        contact->key = key_drawn(seed_, i);
        contact->peer.size = 4;
        memcpy(contact->peer.bytes, &i, 4);
        network->dead[i] = trp_draw_share(trp_draw(seed_, i, 9, 0), dead_ppm);
        shuffled[i] = i;
    }
    /* An ideal table holds min(k, eligible) random peers per bucket: those who come first. */
    for (uint32_t i = 0; i < count; i++) {
        network->tables[i] =
            trp_kad_table_init(&network->memory, &network->contacts[i].key, TRP_NEVER);
        for (uint32_t k = 0; k < count; k++) {
            uint32_t other = k + trp_draw_below(trp_draw(seed_, i, 7, k), count - k);
            uint32_t swap = shuffled[k];
            shuffled[k] = shuffled[other];
            shuffled[other] = swap;
            struct trp_kad_contact check;
            (void)!trp_kad_table_insert(&network->tables[i], &network->contacts[shuffled[k]], true,
                                        0, &check);
        }
    }
    free(shuffled);
}

static void network_close(struct network *network)
{
    for (uint32_t i = 0; i < network->count; i++) {
        trp_kad_table_free(&network->tables[i]);
    }
    assert_int_equal(network->memory.used_bytes, 0);
    free(network->contacts);
    free(network->tables);
    free(network->dead);
}

struct figures {
    double entries;
    double hops;
    double rpcs;
    double timeouts;
    double recall;
    double closest_found;
};

static uint32_t peer_index(const struct trp_kad_contact *contact)
{
    uint32_t index;
    memcpy(&index, contact->peer.bytes, 4);
    return index;
}

/* Finds the live peers that are closest, by looking at all; gives how many. */
static uint32_t network_closest(const struct network *network, uint32_t asker,
                                const struct trp_kad_key *target, uint32_t best[TRP_KAD_K])
{
    uint32_t best_count = 0;
    for (uint32_t i = 0; i < network->count; i++) {
        if (network->dead[i] || i == asker) {
            continue;
        }
        struct trp_kad_key mine = trp_kad_distance(&network->contacts[i].key, target);
        uint32_t at = best_count;
        for (; at > 0; at--) {
            struct trp_kad_key its = trp_kad_distance(&network->contacts[best[at - 1]].key, target);
            if (trp_kad_key_compare(&its, &mine) < 0) {
                break;
            }
        }
        if (at == TRP_KAD_K) {
            continue;
        }
        best_count += best_count < TRP_KAD_K;
        memmove(&best[at + 1], &best[at], (best_count - at - 1) * sizeof best[0]);
        best[at] = i;
    }
    return best_count;
}

/* Runs a look-up by `asker`, every answer at once; gives recall of the k closest live ones. */
static void network_look_up(struct network *network, uint32_t asker,
                            const struct trp_kad_key *target, struct figures *sum)
{
    struct trp_kad_query query;
    struct trp_kad_query_config config = {.memory = &network->memory,
                                          .target = *target,
                                          .self = network->contacts[asker].key,
                                          .patience_ns = TRP_S(1)};
    trp_kad_query_init(&query, &config);
    const struct trp_kad_entry *closest[TRP_KAD_K];
    uint32_t count =
        trp_kad_table_closest(&network->tables[asker], target, NULL, TRP_KAD_K, closest);
    for (uint32_t i = 0; i < count; i++) {
        assert_status(trp_kad_query_seed(&query, &closest[i]->contact), TRP_OK);
    }
    for (;;) {
        struct trp_kad_contact wave[TRP_KAD_ALPHA];
        uint32_t asked = 0;
        while (trp_kad_query_next(&query, 0, &wave[asked])) {
            asked++;
        }
        if (asked == 0) {
            break;
        }
        for (uint32_t w = 0; w < asked; w++) {
            uint32_t index = peer_index(&wave[w]);
            if (network->dead[index]) {
                trp_kad_query_failed(&query, &wave[w].key);
                continue;
            }
            assert_true(trp_kad_query_answered(&query, &wave[w].key));
            count = trp_kad_table_closest(&network->tables[index], target,
                                          &network->contacts[asker].key, TRP_KAD_K, closest);
            for (uint32_t i = 0; i < count; i++) {
                (void)!trp_kad_query_offer(&query, &wave[w].key, &closest[i]->contact);
            }
        }
    }
    assert_true(trp_kad_query_is_done(&query));
    uint32_t best[TRP_KAD_K];
    uint32_t best_count = network_closest(network, asker, target, best);
    struct trp_kad_contact result[TRP_KAD_RESULT_MAX];
    uint32_t results = trp_kad_query_result(&query, result);
    uint32_t hits = 0;
    for (uint32_t i = 0; i < best_count; i++) {
        for (uint32_t k = 0; k < results; k++) {
            hits += peer_index(&result[k]) == best[i];
        }
    }
    sum->closest_found += results > 0 && peer_index(&result[0]) == best[0];
    sum->recall += (double)hits / best_count;
    sum->hops += trp_kad_query_hops(&query);
    sum->rpcs += query.rpcs;
    sum->timeouts += query.dead;
    trp_kad_query_deinit(&query);
}

static struct figures network_measure(uint32_t count, uint32_t dead_ppm, uint32_t look_ups)
{
    struct network network;
    network_open(&network, count, 4242, dead_ppm);
    struct figures sum = {0};
    for (uint32_t i = 0; i < look_ups; i++) {
        uint32_t asker = trp_draw_below(trp_draw(1, i, 2, 0), count);
        while (network.dead[asker]) {
            asker = (asker + 1) % count;
        }
        struct trp_kad_key target = key_drawn(99, i);
        network_look_up(&network, asker, &target, &sum);
        sum.entries += network.tables[asker].count;
    }
    network_close(&network);
    struct figures mean = {.entries = sum.entries / look_ups,
                           .hops = sum.hops / look_ups,
                           .rpcs = sum.rpcs / look_ups,
                           .timeouts = sum.timeouts / look_ups,
                           .recall = sum.recall / look_ups,
                           .closest_found = sum.closest_found / look_ups};
    print_message("n %u, dead %u ppm: entries %.1f hops %.2f rpcs %.1f timeouts %.1f recall %.3f "
                  "closest %.3f\n",
                  count, dead_ppm, mean.entries, mean.hops, mean.rpcs, mean.timeouts, mean.recall,
                  mean.closest_found);
    return mean;
}

static void assert_near(double actual, double expected, double tolerance)
{
    if (actual < expected - tolerance || actual > expected + tolerance) {
        fail_msg("%.3f is not within %.3f of %.3f", actual, tolerance, expected);
    }
}

/* Anchors: n = 1000, k = 20, alpha = 3, ideal tables: 131 entries, 0.89 hops, 21.5 requests. */
static void a_thousand_ideal_nodes_meet_the_anchors(void **state)
{
    (void)state;
    struct figures mean = network_measure(1000, 0, 500);
    assert_near(mean.entries, 131.0, 3.0);
    assert_near(mean.hops, 0.89, 0.15);
    assert_near(mean.rpcs, 21.5, 1.0);
    assert_true(mean.recall >= 0.999);
    assert_true(mean.closest_found >= 0.999);
}

static void a_hundred_ideal_nodes_meet_the_anchors(void **state)
{
    (void)state;
    struct figures mean = network_measure(100, 0, 300);
    assert_near(mean.entries, 64.5, 3.0);
    assert_near(mean.hops, 0.34, 0.1);
    assert_near(mean.rpcs, 20.0, 1.0);
    assert_true(mean.recall >= 0.999);
}

/* With a third dead and nobody yet aware of it, the closest are still found. */
static void many_dead_cost_time_and_not_success(void **state)
{
    (void)state;
    struct figures mean = network_measure(1000, 300000, 200);
    assert_true(mean.timeouts > 5.0);
    assert_true(mean.closest_found >= 0.99);
    assert_true(mean.recall >= 0.9);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_peers_is_done_at_once),
        cmocka_unit_test(asks_at_most_alpha_closest_first),
        cmocka_unit_test(refuses_what_no_answer_may_say),
        cmocka_unit_test(ends_when_the_goal_closest_have_answered),
        cmocka_unit_test(counts_the_referrals_to_the_closest),
        cmocka_unit_test(gives_up_the_place_of_a_silent_peer),
        cmocka_unit_test(waits_for_a_silent_peer_when_few_answer),
        cmocka_unit_test(waits_for_a_silent_peer_no_longer_than_grace_says),
        cmocka_unit_test(one_lying_path_does_not_hide_the_other),
        cmocka_unit_test(one_path_never_takes_every_place),
        cmocka_unit_test(candidates_are_bounded_and_closer_ones_displace),
        cmocka_unit_test(survives_any_failing_allocation),
        cmocka_unit_test(patience_follows_what_answers_take),
        cmocka_unit_test(a_hundred_ideal_nodes_meet_the_anchors),
        cmocka_unit_test(a_thousand_ideal_nodes_meet_the_anchors),
        cmocka_unit_test(many_dead_cost_time_and_not_success),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
