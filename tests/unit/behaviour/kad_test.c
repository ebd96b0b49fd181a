/* SPDX-License-Identifier: MIT */
#include "behaviour/kad.h"

#include "base/prng.h"
#include "lib/fake_swarm.h"
#include "lib/test.h"
#include "proto/kad/query.h"
#include "wire/kad_message.h"
#include "wire/uvarint.h"

#define PROTOCOL   "/test/kad/1.0.0"
#define WITHDRAWAL "/test/kad/1.0.0/withdraw"

/* ---- a network of kad nodes ---- */

struct network {
    struct fake_world world;
    struct trp_kad **kads;
};

static void node_open(struct network *network, uint32_t index, bool client,
                      struct trp_kad_policy policy)
{
    struct trp_swarm *node = &network->world.nodes[index];
    struct trp_kad_config config = {.memory = &node->memory,
                                    .trace = &node->trace,
                                    .protocol = PROTOCOL,
                                    .client = client,
                                    .seed = index,
                                    .policy = policy};
    assert_status(trp_kad_open(&config, &network->kads[index]), TRP_OK);
    fake_attach(node, trp_kad_behaviour(network->kads[index]));
}

static void network_open(struct network *network, uint32_t count)
{
    fake_world_open(&network->world, count);
    network->kads = calloc(count, sizeof *network->kads);
    assert_non_null(network->kads);
}

static void network_close(struct network *network)
{
    for (uint32_t i = 0; i < network->world.count; i++) {
        trp_kad_close(network->kads[i]);
    }
    free(network->kads);
    fake_world_close(&network->world);
}

/* Tells a node of another one, as a bootstrap peer. */
static void introduce(struct network *network, uint32_t index, uint32_t other)
{
    struct trp_peer_id peer = fake_id(other);
    network->world.nodes[index].knows[other] = true;
    trp_kad_add_peer(network->kads[index], &peer);
    fake_touch(&network->world.nodes[index]);
}

static void run_for(struct network *network, trp_time span)
{
    fake_run(&network->world, network->world.now + span);
}

/* Opens `count` servers that all know node 0, and lets them settle. */
static void network_of_servers(struct network *network, uint32_t count)
{
    network_open(network, count);
    for (uint32_t i = 0; i < count; i++) {
        node_open(network, i, false, (struct trp_kad_policy){0});
    }
    for (uint32_t i = 1; i < count; i++) {
        introduce(network, i, 0);
        run_for(network, TRP_MS(50));
    }
    run_for(network, TRP_S(60));
}

static uint32_t table_count(const struct network *network, uint32_t index)
{
    struct trp_kad_view view;
    trp_kad_inspect(network->kads[index], &view);
    return view.peers;
}

static bool table_has(const struct network *network, uint32_t index, uint32_t other)
{
    struct trp_peer_id wanted = fake_id(other);
    struct trp_peer_id peer;
    uint32_t at = 0;
    uint32_t bucket;
    while (trp_kad_next_peer(network->kads[index], &at, &peer, &bucket)) {
        if (trp_peer_id_equal(&peer, &wanted)) {
            return true;
        }
    }
    return false;
}

/* What the events of one query said. */
struct outcome {
    uint32_t lasts;
    uint32_t events;
    enum trp_status status;
    uint32_t peers_count;
    struct trp_peer_id peers[64];
    uint8_t value[256];
    size_t value_size;
    uint32_t values;
    uint32_t stored;
    uint32_t hops;
    uint32_t rpcs;
    uint32_t timeouts;
};

/* Takes the events of a node; those of `query` go to `outcome`. */
static void drain(struct network *network, uint32_t index, uint64_t query, struct outcome *outcome)
{
    struct trp_kad_event event;
    while (trp_kad_next_event(network->kads[index], &event)) {
        if (event.kind == TRP_KAD_BOOTSTRAPPED || event.query != query) {
            continue;
        }
        outcome->events++;
        for (uint32_t i = 0; i < event.peers_count && outcome->peers_count < 64; i++) {
            outcome->peers[outcome->peers_count++] = event.peers[i];
        }
        if (event.value.size > 0) {
            assert_true(event.value.size <= sizeof outcome->value);
            memcpy(outcome->value, event.value.data, event.value.size);
            outcome->value_size = event.value.size;
            outcome->values++;
        }
        if (event.last) {
            outcome->lasts++;
            outcome->status = event.status;
            outcome->stored = event.stored;
            outcome->hops = event.hops;
            outcome->rpcs = event.rpcs;
            outcome->timeouts = event.timeouts;
        }
    }
    fake_touch(&network->world.nodes[index]);
}

/* Runs until the query has its last event, at most two minutes. */
static struct outcome await(struct network *network, uint32_t index, uint64_t query)
{
    struct outcome outcome = {0};
    fake_touch(&network->world.nodes[index]);
    for (uint32_t i = 0; i < 1200 && outcome.lasts == 0; i++) {
        drain(network, index, query, &outcome);
        run_for(network, TRP_MS(100));
    }
    drain(network, index, query, &outcome);
    assert_int_equal(outcome.lasts, 1);
    return outcome;
}

static bool has_peer(const struct outcome *outcome, uint32_t index)
{
    struct trp_peer_id wanted = fake_id(index);
    for (uint32_t i = 0; i < outcome->peers_count; i++) {
        if (trp_peer_id_equal(&outcome->peers[i], &wanted)) {
            return true;
        }
    }
    return false;
}

static struct outcome find_peers(struct network *network, uint32_t index, const char *key)
{
    uint64_t query;
    assert_status(trp_kad_find_peers(network->kads[index], trp_bytes_text(key), 1, &query), TRP_OK);
    return await(network, index, query);
}

static struct outcome get_providers(struct network *network, uint32_t index, const char *key)
{
    uint64_t query;
    assert_status(trp_kad_get_providers(network->kads[index], trp_bytes_text(key), 1, &query),
                  TRP_OK);
    return await(network, index, query);
}

static struct outcome get_record(struct network *network, uint32_t index, const char *key,
                                 const struct trp_peer_id *hint)
{
    uint64_t query;
    assert_status(trp_kad_get_record(network->kads[index], trp_bytes_text(key), hint, 1, &query),
                  TRP_OK);
    return await(network, index, query);
}

static struct outcome provide(struct network *network, uint32_t index, const char *key)
{
    uint64_t query;
    assert_status(trp_kad_provide(network->kads[index], trp_bytes_text(key), 1, &query), TRP_OK);
    return await(network, index, query);
}

static struct outcome put_record(struct network *network, uint32_t index, const char *key,
                                 const char *value)
{
    uint64_t query;
    assert_status(trp_kad_put_record(network->kads[index], trp_bytes_text(key),
                                     trp_bytes_text(value), 1, &query),
                  TRP_OK);
    return await(network, index, query);
}

static uint32_t holders_of(const struct network *network, const char *key, uint32_t provider)
{
    struct trp_peer_id peer = fake_id(provider);
    uint32_t holders = 0;
    for (uint32_t i = 0; i < network->world.count; i++) {
        holders += i != provider && network->kads[i] != NULL &&
                   trp_kad_holds_provider(network->kads[i], trp_bytes_text(key), &peer);
    }
    return holders;
}

/* How many of the k live peers closest to the key are in the outcome, in hundredths. */
static uint32_t recall(const struct network *network, uint32_t asker, const char *key,
                       const struct outcome *outcome)
{
    struct trp_memory memory = trp_memory_init(1u << 24);
    struct trp_kad_key target = trp_kad_key_of(trp_bytes_text(key));
    struct trp_kad_query_config config = {.memory = &memory, .target = target};
    struct trp_kad_query all;
    trp_kad_query_init(&all, &config);
    for (uint32_t i = 0; i < network->world.count; i++) {
        struct trp_peer_id peer = fake_id(i);
        struct trp_kad_contact contact = trp_kad_contact_of(&peer);
        if (i != asker && !network->world.nodes[i].is_dead) {
            assert_status(trp_kad_query_seed(&all, &contact), TRP_OK);
        }
    }
    uint32_t hits = 0;
    uint32_t closest = 0;
    struct trp_kad_contact contact;
    while (closest < TRP_KAD_K && trp_kad_query_next(&all, 0, &contact)) {
        trp_kad_query_answered(&all, &contact.key);
        hits += has_peer(outcome, fake_index(&contact.peer));
        closest++;
    }
    trp_kad_query_deinit(&all);
    return closest == 0 ? 100 : hits * 100 / closest;
}

/* ---- tests of the network ---- */

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

static void a_restart_with_new_addresses_is_no_ban(void **state)
{
    (void)state;
    struct network network;
    network_of_servers(&network, 5);
    network.world.nodes[4].is_unreachable = true;
    run_for(&network, TRP_MIN(7));
    assert_false(table_has(&network, 0, 4));
    network.world.nodes[4].is_unreachable = false;
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

static void a_good_hint_answers_at_once(void **state)
{
    (void)state;
    struct network network;
    network_of_servers(&network, 40);
    put_record(&network, 7, "r", "v");
    struct trp_peer_id owner = fake_id(7);
    struct outcome outcome = get_record(&network, 20, "r", &owner);
    assert_status(outcome.status, TRP_OK);
    assert_true(outcome.rpcs <= 1);
    /* A hint that is dead costs time only. */
    fake_kill(&network.world, 7);
    outcome = get_record(&network, 21, "r", &owner);
    assert_status(outcome.status, TRP_OK);
    assert_int_equal(outcome.values, 1);
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
        struct outcome outcome = find_peers(&network, 1, "later");
        assert_true(outcome.status == TRP_OK || outcome.status == TRP_ENOPEERS);
        network_close(&network);
    }
}

/* ---- a peer that speaks bytes ---- */

struct raw {
    struct trp_swarm *swarm;
    const char *protocol;
    bool serves;
    trp_stream_id stream;
    uint8_t out[40000];
    size_t out_size;
    bool half_closes;
    uint8_t in[40000];
    size_t in_size;
    bool eof;
    bool closed;
    enum trp_status reason;
    uint8_t reply[40000]; /* to any inbound stream */
    size_t reply_size;
};

static void raw_attach(void *self, struct trp_swarm *swarm, uint32_t index)
{
    (void)index;
    ((struct raw *)self)->swarm = swarm;
}

static uint32_t raw_protocols(const void *self, const char **ret_protocols, uint32_t max)
{
    const struct raw *raw = self;
    if (max > 0) {
        ret_protocols[0] = PROTOCOL;
    }
    return raw->serves ? 1 : 0;
}

static void raw_opened(void *self, const struct trp_stream_info *stream)
{
    struct raw *raw = self;
    size_t used;
    if (!stream->inbound) {
        assert_status(
            trp_stream_write(raw->swarm, stream->id, trp_bytes(raw->out, raw->out_size), &used),
            TRP_OK);
        if (raw->half_closes) {
            trp_stream_shutdown(raw->swarm, stream->id);
        }
    }
}

static void raw_data(void *self, const struct trp_stream_info *stream, struct trp_bytes in)
{
    struct raw *raw = self;
    size_t used;
    if (stream->inbound) {
        if (raw->reply_size > 0) {
            assert_status(trp_stream_write(raw->swarm, stream->id,
                                           trp_bytes(raw->reply, raw->reply_size), &used),
                          TRP_OK);
        }
        trp_stream_shutdown(raw->swarm, stream->id);
        return;
    }
    assert_true(raw->in_size + in.size <= sizeof raw->in);
    memcpy(raw->in + raw->in_size, in.data, in.size);
    raw->in_size += in.size;
}

static void raw_eof(void *self, const struct trp_stream_info *stream)
{
    struct raw *raw = self;
    raw->eof = raw->eof || !stream->inbound;
}

static void raw_closed(void *self, const struct trp_stream_info *stream, enum trp_status reason)
{
    struct raw *raw = self;
    if (!stream->inbound) {
        raw->closed = true;
        raw->reason = reason;
    }
}

static const struct trp_behaviour_ops raw_ops = {.name = "raw",
                                                 .attach = raw_attach,
                                                 .protocols = raw_protocols,
                                                 .stream_opened = raw_opened,
                                                 .stream_data = raw_data,
                                                 .stream_eof = raw_eof,
                                                 .stream_closed = raw_closed};

/* Node 0 is kad, node 1 raw, the rest kad and known to node 0. */
static void network_with_raw(struct network *network, struct raw *raw, uint32_t count,
                             struct trp_kad_policy policy)
{
    network_open(network, count);
    *raw = (struct raw){.protocol = PROTOCOL, .half_closes = true};
    for (uint32_t i = 0; i < count; i++) {
        if (i == 1) {
            fake_attach(&network->world.nodes[1], (struct trp_behaviour){&raw_ops, raw});
        } else {
            node_open(network, i, false, policy);
        }
    }
    for (uint32_t i = 2; i < count; i++) {
        introduce(network, i, 0);
    }
    network->world.nodes[1].knows[0] = true;
    run_for(network, TRP_S(30));
}

static void raw_say(struct raw *raw, const struct trp_kad_message *message)
{
    uint8_t body[TRP_KAD_MESSAGE_BYTES_MAX];
    size_t size;
    assert_status(trp_kad_message_encode(message, body, sizeof body, &size), TRP_OK);
    assert_true(raw->out_size + size + 3 <= sizeof raw->out);
    raw->out_size += trp_varint_encode(size, raw->out + raw->out_size);
    memcpy(raw->out + raw->out_size, body, size);
    raw->out_size += size;
}

/* Opens a stream to node 0, says what was prepared, and runs for a while. */
static void raw_run(struct network *network, struct raw *raw, trp_time span)
{
    struct trp_stream_request request = {
        .peer = fake_id(0), .dial = true, .protocols = &raw->protocol, .protocols_count = 1};
    raw->in_size = 0;
    raw->eof = false;
    raw->closed = false;
    assert_status(trp_swarm_open_stream(raw->swarm, &request, &raw->stream), TRP_OK);
    run_for(network, span);
    raw->out_size = 0;
}

/* Takes the next message that came back; false when there is none. */
static bool raw_hear(struct raw *raw, size_t *at, struct trp_kad_message *ret_message)
{
    uint64_t size;
    size_t used;
    struct trp_bytes rest = trp_bytes_skip(trp_bytes(raw->in, raw->in_size), *at);
    if (rest.size == 0 || trp_uvarint_decode(rest, &size, &used) != TRP_OK) {
        return false;
    }
    assert_true(rest.size >= used + size);
    assert_status(trp_kad_message_decode(trp_bytes(rest.data + used, size), ret_message), TRP_OK);
    *at += used + size;
    return true;
}

static uint32_t message_peers(const struct trp_kad_message *message, enum trp_kad_peer_list list,
                              struct trp_peer_id *ret_ids, uint32_t *ret_addresses)
{
    struct trp_multiaddr addresses[TRP_KAD_PEER_ADDRESSES_MAX];
    struct trp_kad_peer peer;
    size_t at = 0;
    uint32_t count = 0;
    *ret_addresses = 0;
    while (trp_kad_message_next_peer(message, list, &at, addresses, &peer)) {
        assert_true(count < 32);
        ret_ids[count++] = peer.id;
        *ret_addresses += peer.addresses_count;
    }
    return count;
}

static void answers_several_requests_on_one_stream(void **state)
{
    (void)state;
    struct network network;
    struct raw raw;
    network_with_raw(&network, &raw, 12, (struct trp_kad_policy){0});
    struct trp_peer_id self = fake_id(0);
    struct trp_peer_id asker = fake_id(1);
    raw_say(&raw, &(struct trp_kad_message){.type = TRP_KAD_PING});
    raw_say(&raw,
            &(struct trp_kad_message){.type = TRP_KAD_FIND_NODE, .key = trp_peer_id_bytes(&self)});
    raw_say(&raw,
            &(struct trp_kad_message){.type = TRP_KAD_FIND_NODE, .key = trp_peer_id_bytes(&asker)});
    raw_say(&raw, &(struct trp_kad_message){.type = TRP_KAD_GET_PROVIDERS,
                                            .key = trp_bytes_text("nothing")});
    raw_say(&raw,
            &(struct trp_kad_message){.type = TRP_KAD_GET_VALUE, .key = trp_bytes_text("nothing")});
    for (uint32_t chunk = 0; chunk < 3; chunk++) {
        struct raw copy = raw;
        network.world.nodes[0].chunk = chunk;
        raw_run(&network, &raw, TRP_S(1));
        assert_true(raw.eof && raw.closed);
        assert_status(raw.reason, TRP_OK);
        size_t at = 0;
        struct trp_kad_message message;
        struct trp_peer_id ids[32];
        uint32_t addresses;
        assert_true(raw_hear(&raw, &at, &message));
        assert_int_equal(message.type, TRP_KAD_PING);
        /* Ourselves first, then the closest; never the asker. */
        assert_true(raw_hear(&raw, &at, &message));
        assert_int_equal(message_peers(&message, TRP_KAD_CLOSER, ids, &addresses), 11);
        assert_int_equal(addresses, 11);
        assert_true(trp_peer_id_equal(&ids[0], &self));
        for (uint32_t i = 0; i < 11; i++) {
            assert_false(trp_peer_id_equal(&ids[i], &asker));
        }
        assert_true(raw_hear(&raw, &at, &message));
        assert_int_equal(message_peers(&message, TRP_KAD_CLOSER, ids, &addresses), 10);
        assert_true(raw_hear(&raw, &at, &message));
        assert_int_equal(message.type, TRP_KAD_GET_PROVIDERS);
        assert_int_equal(message_peers(&message, TRP_KAD_PROVIDERS, ids, &addresses), 0);
        assert_int_equal(message_peers(&message, TRP_KAD_CLOSER, ids, &addresses), 10);
        assert_true(raw_hear(&raw, &at, &message));
        assert_false(message.has_record);
        assert_false(raw_hear(&raw, &at, &message));
        memcpy(raw.out, copy.out, copy.out_size);
        raw.out_size = copy.out_size;
    }
    network_close(&network);
}

static void takes_only_the_senders_word_for_itself(void **state)
{
    (void)state;
    struct network network;
    struct raw raw;
    network_with_raw(&network, &raw, 3, (struct trp_kad_policy){0});
    struct trp_kad_peer other = {.id = fake_id(2)};
    struct trp_kad_peer self = {.id = fake_id(1)};
    struct trp_kad_message message = {.type = TRP_KAD_ADD_PROVIDER,
                                      .key = trp_bytes_text("name"),
                                      .providers = &other,
                                      .providers_count = 1};
    raw_say(&raw, &message);
    raw_run(&network, &raw, TRP_S(1));
    assert_int_equal(raw.in_size, 0);
    assert_false(trp_kad_holds_provider(network.kads[0], trp_bytes_text("name"), &other.id));
    message.providers = &self;
    raw_say(&raw, &message);
    raw_run(&network, &raw, TRP_S(1));
    assert_int_equal(raw.in_size, 0); /* there is no answer to it */
    assert_true(raw.eof);
    assert_true(trp_kad_holds_provider(network.kads[0], trp_bytes_text("name"), &self.id));
    /* A withdrawal over its own protocol, of the sender's entry only. */
    message.providers = &other;
    raw.protocol = WITHDRAWAL;
    raw_say(&raw, &message);
    raw_run(&network, &raw, TRP_S(1));
    assert_false(trp_kad_holds_provider(network.kads[0], trp_bytes_text("name"), &self.id));
    /* Nothing else is asked there. */
    raw_say(&raw, &(struct trp_kad_message){.type = TRP_KAD_PING});
    raw_run(&network, &raw, TRP_S(1));
    assert_status(raw.reason, TRP_ERESET);
    network_close(&network);
}

static enum trp_status refuse_record(void *user, struct trp_bytes key, struct trp_bytes value,
                                     const struct trp_peer_id *from)
{
    (void)user;
    (void)value;
    struct trp_peer_id expected = fake_id(1);
    assert_true(trp_peer_id_equal(from, &expected));
    return trp_bytes_equal(key, trp_bytes_text("bad")) ? TRP_EDENIED : TRP_OK;
}

static enum trp_status refuse_provider(void *user, struct trp_bytes key,
                                       const struct trp_peer_id *from)
{
    (void)user;
    (void)from;
    return trp_bytes_equal(key, trp_bytes_text("bad")) ? TRP_EDENIED : TRP_OK;
}

static void policy_refuses_and_the_echo_comes_all_the_same(void **state)
{
    (void)state;
    struct network network;
    struct raw raw;
    network_with_raw(
        &network, &raw, 2,
        (struct trp_kad_policy){.admit_record = refuse_record, .admit_provider = refuse_provider});
    struct trp_kad_peer self = {.id = fake_id(1)};
    const char *keys[] = {"bad", "good", "foreign"};
    for (uint32_t i = 0; i < 3; i++) {
        struct trp_bytes key = trp_bytes_text(keys[i]);
        struct trp_kad_message message = {
            .type = TRP_KAD_PUT_VALUE,
            .key = key,
            .has_record = true,
            .record = {.key = key, .value = trp_bytes_text("v"), .ttl_s = 60}};
        message.record.publisher = i == 2 ? fake_id(9) : self.id;
        raw_say(&raw, &message);
        raw_say(&raw, &(struct trp_kad_message){.type = TRP_KAD_GET_VALUE, .key = key});
        raw_say(&raw, &(struct trp_kad_message){.type = TRP_KAD_ADD_PROVIDER,
                                                .key = key,
                                                .providers = &self,
                                                .providers_count = 1});
        raw_run(&network, &raw, TRP_S(1));
        size_t at = 0;
        assert_true(raw_hear(&raw, &at, &message));
        assert_int_equal(message.type, TRP_KAD_PUT_VALUE);
        assert_true(message.has_record && trp_bytes_equal(message.record.key, key));
        assert_int_equal(message.record.publisher.size, 0);
        assert_true(raw_hear(&raw, &at, &message));
        assert_true(message.has_record == (i == 1));
        assert_true(i != 1 || (message.record.ttl_s > 50 && message.record.ttl_s <= 60));
        assert_true(trp_kad_holds_provider(network.kads[0], key, &self.id) == (i != 0));
    }
    network_close(&network);
}

static void refuses_what_is_no_request(void **state)
{
    (void)state;
    struct network network;
    struct raw raw;
    network_with_raw(&network, &raw, 2, (struct trp_kad_policy){0});
    const struct {
        uint8_t bytes[8];
        size_t size;
    } cases[] = {
        {{0x80, 0x80, 0x02}, 3},    /* 32768 bytes follow */
        {{0x81, 0x00}, 2},          /* length not minimal */
        {{0x02, 0x08, 0x63}, 3},    /* type 99 */
        {{0x03, 0x12, 0x7f, 1}, 4}, /* a field longer than the message */
        {{0x05, 0x08, 0x04}, 3},    /* ends within the message */
        {{0x80}, 1},                /* ends within the length */
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        memcpy(raw.out, cases[i].bytes, cases[i].size);
        raw.out_size = cases[i].size;
        raw_run(&network, &raw, TRP_S(1));
        assert_true(raw.closed);
        assert_status(raw.reason, TRP_ERESET);
        assert_int_equal(raw.in_size, 0);
    }
    /* A silent stream does not stay. */
    raw.half_closes = false;
    raw_run(&network, &raw, TRP_S(11));
    assert_true(raw.closed);
    network_close(&network);
}

static void one_peer_has_so_many_streams(void **state)
{
    (void)state;
    struct network network;
    struct raw raw;
    network_with_raw(&network, &raw, 2, (struct trp_kad_policy){0});
    raw.half_closes = false;
    for (uint32_t i = 0; i < 32; i++) {
        raw_run(&network, &raw, TRP_MS(100));
        assert_false(raw.closed);
    }
    raw_run(&network, &raw, TRP_MS(100));
    assert_true(raw.closed);
    assert_status(raw.reason, TRP_ERESET);
    network_close(&network);
}

/* Lets node 0 ask the raw peer, which answers `reply`; gives the outcome of the look-up. */
static struct outcome ask_raw(struct network *network, struct raw *raw, const uint8_t *reply,
                              size_t size)
{
    memcpy(raw->reply, reply, size);
    raw->reply_size = size;
    raw->serves = true;
    introduce(network, 0, 1);
    struct outcome outcome = get_record(network, 0, "key", NULL);
    run_for(network, TRP_S(1));
    return outcome;
}

static void a_faulty_answer_is_no_answer(void **state)
{
    (void)state;
    const struct {
        uint8_t bytes[8];
        size_t size;
    } cases[] = {
        {{0x80, 0x80, 0x02}, 3},    /* too large */
        {{0x02, 0x08, 0x04}, 3},    /* FIND_NODE to a GET_VALUE */
        {{0x03, 0x12, 0x7f, 1}, 4}, /* malformed */
        {{0x05, 0x08, 0x01}, 3},    /* ends too early */
        {{0}, 0},                   /* nothing */
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct network network;
        struct raw raw;
        network_with_raw(&network, &raw, 2, (struct trp_kad_policy){0});
        struct outcome outcome = ask_raw(&network, &raw, cases[i].bytes, cases[i].size);
        assert_status(outcome.status, TRP_ETIMEDOUT);
        assert_int_equal(outcome.timeouts, 1);
        assert_false(i < 3 && table_has(&network, 0, 1)); /* an early end may be an accident */
        network_close(&network);
    }
}

static void lies_in_answers_do_no_harm(void **state)
{
    (void)state;
    struct network network;
    struct raw raw;
    network_with_raw(&network, &raw, 4, (struct trp_kad_policy){0});
    /* A record of another key, ourselves, itself, and far too many peers that do not exist. */
    struct trp_kad_peer peers[200];
    struct trp_multiaddr address = fake_address(3);
    for (uint32_t i = 0; i < 200; i++) {
        peers[i] = (struct trp_kad_peer){.id = fake_id(i == 0   ? 0
                                                       : i == 1 ? 1
                                                                : 5000 + i),
                                         .addresses = &address,
                                         .addresses_count = 1};
    }
    struct trp_kad_message lie = {
        .type = TRP_KAD_GET_VALUE,
        .response = true,
        .has_record = true,
        .record = {.key = trp_bytes_text("other"), .value = trp_bytes_text("lie")},
        .closer = peers,
        .closer_count = 200};
    raw_say(&raw, &lie);
    uint8_t reply[20000];
    size_t size = raw.out_size;
    memcpy(reply, raw.out, size);
    raw.out_size = 0;
    struct outcome outcome = ask_raw(&network, &raw, reply, size);
    assert_status(outcome.status, TRP_ENOTFOUND);
    assert_int_equal(outcome.values, 0);
    assert_true(outcome.rpcs <= 3 + TRP_KAD_K);
    assert_false(table_has(&network, 0, 0));
    assert_true(table_count(&network, 0) <= 3);
    network_close(&network);
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
        cmocka_unit_test(clients_are_in_no_table),
        cmocka_unit_test(peers_without_identify_prove_themselves_by_answers),
        cmocka_unit_test(halves_find_each_other_after_a_long_cut),
        cmocka_unit_test(a_restart_with_new_addresses_is_no_ban),
        cmocka_unit_test(works_byte_by_byte_and_through_tiny_windows),
        cmocka_unit_test(a_good_hint_answers_at_once),
        cmocka_unit_test(every_query_ends_once_and_cancelled_ones_say_nothing),
        cmocka_unit_test(queries_are_bounded),
        cmocka_unit_test(bootstrap_reports_with_its_token),
        cmocka_unit_test(survives_any_failing_allocation),
        cmocka_unit_test(answers_several_requests_on_one_stream),
        cmocka_unit_test(takes_only_the_senders_word_for_itself),
        cmocka_unit_test(policy_refuses_and_the_echo_comes_all_the_same),
        cmocka_unit_test(refuses_what_is_no_request),
        cmocka_unit_test(one_peer_has_so_many_streams),
        cmocka_unit_test(a_faulty_answer_is_no_answer),
        cmocka_unit_test(lies_in_answers_do_no_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
