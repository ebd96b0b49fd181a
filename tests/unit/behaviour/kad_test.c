/* SPDX-License-Identifier: MIT */
/* Many kad nodes among each other. */
#include "lib/kad_network.h"

static void says_when_there_is_nobody_to_ask(void **state)
{
    (void)state;
    struct network network;
    network_open(&network, 1);
    node_open(&network, 0, false, (struct trp_kad_policy){0});
    assert_status(find_peers(&network, 0, "x").status, TRP_ENOPEERS);
    assert_status(get_providers(&network, 0, "x").status, TRP_ENOPEERS);
    assert_status(get_record(&network, 0, "x", NULL).status, TRP_ENOPEERS);
    assert_status(provide(&network, 0, "x").status, TRP_ENOPEERS);
    /* What we have ourselves is found though. */
    struct outcome outcome = get_providers(&network, 0, "x");
    assert_status(outcome.status, TRP_OK);
    assert_true(has_peer(&outcome, 0));
    assert_status(put_record(&network, 0, "r", "value").status, TRP_ENOPEERS);
    outcome = get_record(&network, 0, "r", NULL);
    assert_status(outcome.status, TRP_OK);
    assert_int_equal(outcome.value_size, 5);
    network_close(&network);
}

static void two_nodes_share_providers_and_records(void **state)
{
    (void)state;
    struct network network;
    network_of_servers(&network, 2);
    assert_true(table_has(&network, 0, 1) && table_has(&network, 1, 0));
    assert_status(get_providers(&network, 1, "counter").status, TRP_ENOTFOUND);
    assert_int_equal(provide(&network, 0, "counter").stored, 1);
    struct outcome outcome = get_providers(&network, 1, "counter");
    assert_status(outcome.status, TRP_OK);
    assert_int_equal(outcome.peers_count, 1);
    assert_true(has_peer(&outcome, 0));
    assert_int_equal(put_record(&network, 0, "counter:meta", "42").stored, 1);
    outcome = get_record(&network, 1, "counter:meta", NULL);
    assert_status(outcome.status, TRP_OK);
    assert_int_equal(outcome.values, 1);
    assert_memory_equal(outcome.value, "42", 2);
    network_close(&network);
}

static void withdrawal_reaches_the_holders(void **state)
{
    (void)state;
    struct network network;
    network_of_servers(&network, 30);
    struct outcome outcome = provide(&network, 3, "counter");
    assert_true(outcome.stored >= TRP_KAD_K && outcome.stored <= TRP_KAD_RESULT_MAX);
    assert_int_equal(put_record(&network, 3, "counter:meta", "42").stored, outcome.stored);
    run_for(&network, TRP_S(1));
    assert_int_equal(holders_of(&network, "counter", 3), outcome.stored);
    trp_kad_unprovide(network.kads[3], trp_bytes_text("counter"));
    trp_kad_remove_record(network.kads[3], trp_bytes_text("counter:meta"));
    run_for(&network, TRP_S(3));
    assert_int_equal(holders_of(&network, "counter", 3), 0);
    assert_status(get_providers(&network, 9, "counter").status, TRP_ENOTFOUND);
    assert_status(get_record(&network, 9, "counter:meta", NULL).status, TRP_ENOTFOUND);
    network_close(&network);
}

static void look_ups_find_the_closest(void **state)
{
    (void)state;
    struct network network;
    network_of_servers(&network, 100);
    run_for(&network, TRP_MIN(10));
    uint32_t rpcs = 0;
    for (uint32_t i = 0; i < 20; i++) {
        char key[3] = {'k', (char)('a' + i), '\0'};
        struct outcome outcome = find_peers(&network, i * 5, key);
        assert_status(outcome.status, TRP_OK);
        assert_true(outcome.peers_count >= TRP_KAD_K);
        assert_int_equal(recall(&network, i * 5, key, &outcome), 100);
        assert_int_equal(outcome.timeouts, 0);
        rpcs += outcome.rpcs;
    }
    assert_true(rpcs / 20 >= 20 && rpcs / 20 <= 22);
    for (uint32_t i = 0; i < 100; i++) {
        assert_true(table_count(&network, i) >= 40);
        assert_false(table_has(&network, i, i));
    }
    network_close(&network);
}

static void dead_peers_leave_the_tables(void **state)
{
    (void)state;
    struct network network;
    network_of_servers(&network, 60);
    for (uint32_t i = 40; i < 60; i++) {
        fake_kill(&network.world, i);
    }
    run_for(&network, TRP_S(1));
    for (uint32_t i = 0; i < 10; i++) {
        char key[3] = {'k', (char)('a' + i), '\0'};
        struct outcome outcome = find_peers(&network, i, key);
        assert_status(outcome.status, TRP_OK);
        assert_true(recall(&network, i, key, &outcome) >= 90);
    }
    run_for(&network, TRP_MIN(15));
    for (uint32_t i = 0; i < 40; i++) {
        uint32_t dead = 0;
        for (uint32_t k = 40; k < 60; k++) {
            dead += table_has(&network, i, k);
        }
        assert_true(dead <= 4);
    }
    struct outcome outcome = find_peers(&network, 0, "after");
    assert_int_equal(recall(&network, 0, "after", &outcome), 100);
    network_close(&network);
}

static void providers_expire_unless_renewed(void **state)
{
    (void)state;
    struct network network;
    network_of_servers(&network, 25);
    provide(&network, 1, "kept");
    provide(&network, 2, "dying");
    run_for(&network, TRP_MIN(1));
    fake_kill(&network.world, 2);
    run_for(&network, TRP_MIN(58));
    assert_true(holders_of(&network, "dying", 2) > 0);
    run_for(&network, TRP_MIN(3));
    assert_int_equal(holders_of(&network, "dying", 2), 0);
    assert_true(holders_of(&network, "kept", 1) >= TRP_KAD_K);
    network_close(&network);
}

static void what_nobody_could_be_told_is_told_later(void **state)
{
    (void)state;
    struct network network;
    network_open(&network, 2);
    node_open(&network, 0, false, (struct trp_kad_policy){0});
    node_open(&network, 1, false, (struct trp_kad_policy){0});
    assert_status(provide(&network, 0, "early").status, TRP_ENOPEERS);
    introduce(&network, 1, 0);
    run_for(&network, TRP_MIN(2));
    assert_int_equal(holders_of(&network, "early", 0), 1);
    network_close(&network);
}

static void who_joins_a_young_network_is_told_within_minutes(void **state)
{
    (void)state;
    struct network network;
    network_open(&network, 80);
    for (uint32_t i = 0; i < 80; i++) {
        node_open(&network, i, false, (struct trp_kad_policy){0});
        if (i == 20) {
            provide(&network, 1, "early");
        }
        if (i > 0) {
            introduce(&network, i, 0);
            run_for(&network, TRP_MS(100));
        }
    }
    run_for(&network, TRP_MIN(5));
    struct outcome outcome = find_peers(&network, 79, "early");
    assert_int_equal(outcome.peers_count, TRP_KAD_K);
    const struct trp_peer_id provider = fake_id(1);
    for (uint32_t i = 0; i < outcome.peers_count; i++) {
        uint32_t holder = fake_index(&outcome.peers[i]);
        assert_true(holder == 1 || trp_kad_holds_provider(network.kads[holder],
                                                          trp_bytes_text("early"), &provider));
    }
    network_close(&network);
}

static void clients_are_in_no_table(void **state)
{
    (void)state;
    struct network network;
    network_open(&network, 6);
    for (uint32_t i = 0; i < 6; i++) {
        node_open(&network, i, i == 5, (struct trp_kad_policy){0});
    }
    for (uint32_t i = 1; i < 6; i++) {
        introduce(&network, i, 0);
    }
    run_for(&network, TRP_MIN(1));
    assert_true(table_count(&network, 5) == 5);
    for (uint32_t i = 0; i < 5; i++) {
        assert_false(table_has(&network, i, 5));
        assert_int_equal(table_count(&network, i), 4);
    }
    assert_int_equal(provide(&network, 5, "by client").stored, 5);
    struct outcome outcome = get_providers(&network, 2, "by client");
    assert_true(has_peer(&outcome, 5));
    network_close(&network);
}

/* As Kameo's nodes: no identify anywhere. */
static void peers_without_identify_prove_themselves_by_answers(void **state)
{
    (void)state;
    struct network network;
    network_open(&network, 12);
    for (uint32_t i = 0; i < 12; i++) {
        node_open(&network, i, false, (struct trp_kad_policy){0});
        network.world.nodes[i].is_silent = true;
    }
    for (uint32_t i = 1; i < 12; i++) {
        introduce(&network, i, 0);
    }
    run_for(&network, TRP_S(20));
    /* Node 0 was dialed by all and knows nobody's address, but asks over their connections. */
    assert_true(table_count(&network, 0) == 11);
    provide(&network, 1, "name");
    struct outcome outcome = get_providers(&network, 0, "name");
    assert_true(has_peer(&outcome, 1));
    network_close(&network);
}

/* All ask the one peer they know before it knows any of them. */
static void who_joins_at_the_same_moment_finds_the_others(void **state)
{
    (void)state;
    struct network network;
    network_open(&network, 6);
    for (uint32_t i = 0; i < 6; i++) {
        node_open(&network, i, false, (struct trp_kad_policy){0});
        network.world.nodes[i].is_silent = true;
        network.world.nodes[0].knows[i] = true; /* its address */
    }
    for (uint32_t i = 1; i < 6; i++) {
        introduce(&network, i, 0);
    }
    run_for(&network, TRP_S(2));
    assert_int_equal(table_count(&network, 1), 1);
    run_for(&network, TRP_S(13));
    for (uint32_t i = 0; i < 6; i++) {
        assert_int_equal(table_count(&network, i), 5);
    }
    network_close(&network);
}

static void peers_that_refuse_identify_are_asked_at_once(void **state)
{
    (void)state;
    struct network network;
    network_open(&network, 2);
    for (uint32_t i = 0; i < 2; i++) {
        node_open(&network, i, false, (struct trp_kad_policy){0});
        network.world.nodes[i].refuses = true;
    }
    introduce(&network, 1, 0);
    run_for(&network, TRP_S(1)); /* less than identify is waited for */
    assert_true(table_has(&network, 0, 1));
    assert_true(table_has(&network, 1, 0));
    network_close(&network);
}

static bool cut_in_halves(const struct fake_world *world, uint32_t a, uint32_t b)
{
    return (a < world->count / 2) != (b < world->count / 2);
}

static void cut_connections(struct fake_world *world, uint64_t argument)
{
    (void)argument;
    for (uint32_t a = 0; a < world->count / 2; a++) {
        for (uint32_t b = world->count / 2; b < world->count; b++) {
            if (world->nodes[a].connections[b] != 0) {
                fake_disconnect(world, world->nodes[a].connections[b], TRP_ETIMEDOUT);
            }
        }
    }
}

static uint32_t links_across(const struct network *network)
{
    uint32_t links = 0;
    for (uint32_t a = 0; a < network->world.count; a++) {
        for (uint32_t b = 0; b < network->world.count; b++) {
            links += cut_in_halves(&network->world, a, b) && table_has(network, a, b);
        }
    }
    return links;
}

/* Without anybody's help: the lost are remembered, and tried again. */
static void halves_find_each_other_after_a_long_cut(void **state)
{
    (void)state;
    struct network network;
    network_of_servers(&network, 40);
    assert_true(links_across(&network) > 400);
    network.world.is_cut = cut_in_halves;
    fake_call_at(&network.world, network.world.now + TRP_S(30), cut_connections, 0);
    run_for(&network, TRP_MIN(40));
    assert_int_equal(links_across(&network), 0);
    network.world.is_cut = NULL;
    run_for(&network, TRP_MIN(15));
    struct outcome outcome = find_peers(&network, 3, "healed");
    assert_int_equal(recall(&network, 3, "healed", &outcome), 100);
    assert_true(links_across(&network) > 400);
    network_close(&network);
}

static bool cut_from_four(const struct fake_world *world, uint32_t a, uint32_t b)
{
    (void)world;
    return (a == 4) != (b == 4);
}

static void lose_connections(struct fake_world *world, uint64_t node)
{
    for (uint32_t other = 0; other < world->count; other++) {
        if (world->nodes[node].connections[other] != 0) {
            fake_disconnect(world, world->nodes[node].connections[other], TRP_ETIMEDOUT);
        }
    }
}

static void a_restart_with_new_addresses_is_no_ban(void **state)
{
    (void)state;
    struct network network;
    network_of_servers(&network, 5);
    network.world.is_cut = cut_from_four;
    fake_call_at(&network.world, network.world.now, lose_connections, 4);
    run_for(&network, TRP_MIN(7));
    assert_false(table_has(&network, 0, 4));
    network.world.is_cut = NULL;
    introduce(&network, 4, 0);
    run_for(&network, TRP_MIN(6));
    for (uint32_t i = 0; i < 4; i++) {
        assert_true(table_has(&network, i, 4));
    }
    network_close(&network);
}

static void works_byte_by_byte_and_through_tiny_windows(void **state)
{
    (void)state;
    struct network network;
    network_open(&network, 8);
    for (uint32_t i = 0; i < 8; i++) {
        node_open(&network, i, false, (struct trp_kad_policy){0});
        network.world.nodes[i].chunk = 1;
        network.world.nodes[i].write_room = 1;
    }
    for (uint32_t i = 1; i < 8; i++) {
        introduce(&network, i, 0);
    }
    run_for(&network, TRP_S(30));
    assert_int_equal(provide(&network, 1, "name").stored, 7);
    struct outcome outcome = get_providers(&network, 7, "name");
    assert_true(has_peer(&outcome, 1));
    for (uint32_t i = 0; i < 8; i++) {
        assert_int_equal(table_count(&network, i), 7);
    }
    network_close(&network);
}

static void the_one_holder_that_is_asked_answers_for_itself(void **state)
{
    (void)state;
    struct network network;
    network_of_servers(&network, 40);
    put_record(&network, 7, "r", "v");
    struct trp_peer_id owner = fake_id(7);
    struct outcome outcome = get_record(&network, 20, "r", &owner);
    assert_status(outcome.status, TRP_OK);
    assert_int_equal(outcome.rpcs, 1);
    assert_int_equal(outcome.values, 1);
    assert_status(get_record(&network, 20, "other", &owner).status, TRP_ENOTFOUND);
    /* Copies that others keep are no sign of life. */
    fake_kill(&network.world, 7);
    trp_time asked_at = network.world.now;
    outcome = get_record(&network, 21, "r", &owner);
    assert_status(outcome.status, TRP_EUNREACHABLE);
    assert_int_equal(outcome.values, 0);
    assert_true(network.world.now - asked_at <=
                network.world.nodes[21].limits.lookup_check_ns + TRP_MS(200));
    assert_status(get_record(&network, 21, "r", NULL).status, TRP_OK);
    network_close(&network);
}

static void every_query_ends_once_and_cancelled_ones_say_nothing(void **state)
{
    (void)state;
    struct network network;
    network_of_servers(&network, 10);
    uint64_t queries[200];
    struct outcome outcomes[200] = {0};
    struct trp_kad *kad = network.kads[1];
    for (uint32_t i = 0; i < 200; i++) { /* more than run at once */
        uint8_t key[2] = {(uint8_t)i, 1};
        assert_status(trp_kad_find_peers(kad, trp_bytes(key, 2), i, &queries[i]), TRP_OK);
    }
    for (uint32_t i = 0; i < 200; i += 3) {
        trp_kad_cancel(kad, queries[i]);
    }
    fake_touch(&network.world.nodes[1]);
    run_for(&network, TRP_S(40));
    struct trp_kad_event event;
    while (trp_kad_next_event(kad, &event)) {
        if (event.kind != TRP_KAD_BOOTSTRAPPED) {
            assert_true(event.token < 200 && event.query == queries[event.token]);
            outcomes[event.token].lasts += event.last;
        }
    }
    for (uint32_t i = 0; i < 200; i++) {
        assert_int_equal(outcomes[i].lasts, i % 3 == 0 ? 0 : 1);
    }
    struct trp_kad_view view;
    trp_kad_inspect(kad, &view);
    assert_int_equal(view.queries, 0);
    network_close(&network);
}

static void queries_are_bounded(void **state)
{
    (void)state;
    struct network network;
    network_open(&network, 2);
    network.world.nodes[0].limits.kad_queries = 4;
    network.world.nodes[0].limits.kad_queries_waiting = 4;
    node_open(&network, 0, false, (struct trp_kad_policy){0});
    node_open(&network, 1, false, (struct trp_kad_policy){0});
    introduce(&network, 0, 1);
    uint64_t query;
    for (uint32_t i = 0; i < 8; i++) {
        assert_status(trp_kad_find_peers(network.kads[0], trp_bytes_text("k"), i, &query), TRP_OK);
    }
    assert_status(trp_kad_find_peers(network.kads[0], trp_bytes_text("k"), 9, &query), TRP_EFULL);
    assert_status(trp_kad_find_peers(network.kads[0], TRP_BYTES_NONE, 9, &query), TRP_EINVAL);
    static const uint8_t large[20000];
    assert_status(trp_kad_find_peers(network.kads[0], trp_bytes(large, 1025), 9, &query),
                  TRP_EINVAL);
    assert_status(trp_kad_put_record(network.kads[0], trp_bytes_text("k"),
                                     trp_bytes(large, sizeof large), 9, &query),
                  TRP_ETOOBIG);
    network_close(&network);
}

static void bootstrap_reports_with_its_token(void **state)
{
    (void)state;
    struct network network;
    network_of_servers(&network, 10);
    struct trp_kad_event event;
    while (trp_kad_next_event(network.kads[2], &event)) {
    }
    assert_status(trp_kad_bootstrap(network.kads[2], 77), TRP_OK);
    assert_status(trp_kad_bootstrap(network.kads[2], 78), TRP_EEXISTS);
    fake_touch(&network.world.nodes[2]);
    run_for(&network, TRP_S(10));
    assert_true(trp_kad_next_event(network.kads[2], &event));
    assert_int_equal(event.kind, TRP_KAD_BOOTSTRAPPED);
    assert_int_equal(event.token, 77);
    assert_status(event.status, TRP_OK);
    network_close(&network);
}

static void survives_any_failing_allocation(void **state)
{
    (void)state;
    for (uint64_t fail_at = 1; fail_at < 260; fail_at += 1 + fail_at / 16) {
        struct network network;
        network_open(&network, 4);
        for (uint32_t i = 0; i < 4; i++) {
            node_open(&network, i, false, (struct trp_kad_policy){0});
        }
        network.world.nodes[1].memory.fail_at = fail_at;
        introduce(&network, 1, 0);
        introduce(&network, 2, 0);
        introduce(&network, 3, 1);
        uint64_t query;
        run_for(&network, TRP_S(2));
        (void)!trp_kad_provide(network.kads[1], trp_bytes_text("a"), 1, &query);
        (void)!trp_kad_put_record(network.kads[1], trp_bytes_text("b"), trp_bytes_text("v"), 1,
                                  &query);
        (void)!trp_kad_provide(network.kads[2], trp_bytes_text("c"), 1, &query);
        (void)!trp_kad_put_record(network.kads[3], trp_bytes_text("d"), trp_bytes_text("v"), 1,
                                  &query);
        (void)!trp_kad_get_providers(network.kads[1], trp_bytes_text("c"), 1, &query);
        (void)!trp_kad_get_record(network.kads[1], trp_bytes_text("d"), NULL, 1, &query);
        fake_touch(&network.world.nodes[1]);
        run_for(&network, TRP_S(30));
        network.world.nodes[1].memory.fail_at = 0;
        struct outcome outcome = find_peers(&network, 1, "later");
        assert_true(outcome.status == TRP_OK || outcome.status == TRP_ENOPEERS);
        network_close(&network);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(says_when_there_is_nobody_to_ask),
        cmocka_unit_test(two_nodes_share_providers_and_records),
        cmocka_unit_test(withdrawal_reaches_the_holders),
        cmocka_unit_test(look_ups_find_the_closest),
        cmocka_unit_test(dead_peers_leave_the_tables),
        cmocka_unit_test(providers_expire_unless_renewed),
        cmocka_unit_test(what_nobody_could_be_told_is_told_later),
        cmocka_unit_test(who_joins_a_young_network_is_told_within_minutes),
        cmocka_unit_test(clients_are_in_no_table),
        cmocka_unit_test(peers_without_identify_prove_themselves_by_answers),
        cmocka_unit_test(who_joins_at_the_same_moment_finds_the_others),
        cmocka_unit_test(peers_that_refuse_identify_are_asked_at_once),
        cmocka_unit_test(halves_find_each_other_after_a_long_cut),
        cmocka_unit_test(a_restart_with_new_addresses_is_no_ban),
        cmocka_unit_test(works_byte_by_byte_and_through_tiny_windows),
        cmocka_unit_test(the_one_holder_that_is_asked_answers_for_itself),
        cmocka_unit_test(every_query_ends_once_and_cancelled_ones_say_nothing),
        cmocka_unit_test(queries_are_bounded),
        cmocka_unit_test(bootstrap_reports_with_its_token),
        cmocka_unit_test(survives_any_failing_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
