/* SPDX-License-Identifier: MIT */
#include "lib/net_probe.h"

/* A peer that lost its side may come back though its old connections have not been missed yet. */
static void a_peer_at_its_limit_takes_the_place_of_its_idle_connection(void **state)
{
    (void)state;
    struct pair pair = pair_init(28);
    pair.b->limits.connections_per_peer = 1;
    pair_start(&pair);
    pair_connect(&pair);
    trp_connection_id first = pair.pb->last_connected.id;
    assert_status(pair_dial(pair.a, pair.b, true), TRP_OK);
    net_run(pair.world, TRP_S(1));
    assert_int_equal(pair.pb->connected, 2);
    assert_true(pair.pb->last_disconnected.id == first);
    assert_int_equal(trp_swarm_connections_count(pair.b->swarm), 1);
    assert_int_equal(trp_swarm_connections_count(pair.a->swarm), 1);
    pair_close(&pair);
}

static void closes_when_idle(void **state)
{
    (void)state;
    struct pair pair = pair_open(30);
    pair_connect(&pair);
    net_run(pair.world, TRP_S(590));
    assert_int_equal(pair.pa->disconnected, 0);
    net_run(pair.world, TRP_S(15));
    assert_int_equal(pair.pa->disconnected, 1);
    assert_int_equal(pair.pb->disconnected, 1);
    assert_true(pair.pa->last_reason == TRP_EIDLE || pair.pb->last_reason == TRP_EIDLE);
    assert_int_equal(pair.pa->last_disconnected.peer_connections, 0);
    pair_close(&pair);
}

static void references_and_streams_hold_a_connection(void **state)
{
    (void)state;
    struct pair pair = pair_open(31);
    trp_swarm_keep_alive(pair.a->swarm, &pair.b->peer, 1);
    trp_swarm_keep_alive(pair.b->swarm, &pair.a->peer, 1);
    pair_connect(&pair);
    net_run(pair.world, TRP_MIN(15));
    assert_int_equal(pair.pa->disconnected, 0);
    assert_status(probe_open(pair.pa, &pair.b->peer, ECHO, 10), TRP_OK);
    probe_last(pair.pa)->keep_open = true;
    trp_swarm_keep_alive(pair.a->swarm, &pair.b->peer, -1);
    trp_swarm_keep_alive(pair.b->swarm, &pair.a->peer, -1);
    net_poke(pair.a);
    net_poke(pair.b);
    net_run(pair.world, TRP_MIN(15));
    assert_int_equal(pair.pa->disconnected, 0);
    trp_stream_set_background(pair.a->swarm, probe_last(pair.pa)->id, true);
    trp_stream_set_background(pair.b->swarm, probe_last(pair.pb)->id, true);
    net_poke(pair.a);
    net_poke(pair.b);
    net_run(pair.world, TRP_S(599));
    assert_int_equal(pair.pa->disconnected, 0);
    net_run(pair.world, TRP_S(2));
    assert_int_equal(pair.pa->disconnected, 1);
    assert_status(probe_last(pair.pa)->reason, TRP_ECLOSED);
    assert_status(probe_last(pair.pb)->reason, TRP_ECLOSED);
    pair_close(&pair);
}

static void a_dead_connection_in_use_is_found(void **state)
{
    (void)state;
    struct pair pair = pair_open(32);
    pair_connect(&pair);
    assert_status(probe_open(pair.pa, &pair.b->peer, ECHO, 10), TRP_OK);
    probe_last(pair.pa)->keep_open = true;
    net_poke(pair.a);
    net_run(pair.world, TRP_S(1));
    pair.world->cut[0][1] = true;
    pair.world->cut[1][0] = true;
    net_run(pair.world, TRP_S(55));
    assert_int_equal(pair.pa->disconnected, 0);
    net_run(pair.world, TRP_S(10));
    assert_int_equal(pair.pa->disconnected, 1);
    assert_status(pair.pa->last_reason, TRP_ETIMEDOUT);
    pair_close(&pair);
}

static void one_that_is_kept_alive_is_found_dead_soon(void **state)
{
    (void)state;
    struct pair pair = pair_open(33);
    pair_connect(&pair);
    trp_swarm_keep_alive(pair.a->swarm, &pair.b->peer, 1);
    trp_swarm_keep_alive(pair.b->swarm, &pair.a->peer, 1);
    net_poke(pair.a);
    net_poke(pair.b);
    net_run(pair.world, TRP_S(90));
    assert_int_equal(pair.pa->disconnected, 0); /* it answers, and does not idle */
    pair.world->cut[0][1] = true;
    pair.world->cut[1][0] = true;
    net_run(pair.world, TRP_MS(1200));
    assert_int_equal(pair.pa->disconnected, 0);
    net_run(pair.world, TRP_MS(600));
    assert_int_equal(pair.pa->disconnected, 1);
    assert_status(pair.pa->last_reason, TRP_ETIMEDOUT);
    pair_close(&pair);
}

/* Nobody needs to know of it: no ping, no traffic. Who uses it next finds out. */
static void a_dead_connection_that_is_idle_is_left_alone(void **state)
{
    (void)state;
    struct pair pair = pair_open(33);
    pair_connect(&pair);
    uint64_t said = pair.a->outputs[TRP_OUT_BYTES] + pair.b->outputs[TRP_OUT_BYTES];
    net_run(pair.world, TRP_MIN(2));
    assert_int_equal(pair.a->outputs[TRP_OUT_BYTES] + pair.b->outputs[TRP_OUT_BYTES], said);
    pair.world->cut[0][1] = true;
    pair.world->cut[1][0] = true;
    net_run(pair.world, TRP_MIN(2));
    assert_int_equal(pair.pa->disconnected, 0);
    trp_swarm_keep_alive(pair.a->swarm, &pair.b->peer, 1);
    net_poke(pair.a);
    net_run(pair.world, TRP_MS(1200)); /* silence counts since it is of use */
    assert_int_equal(pair.pa->disconnected, 0);
    net_run(pair.world, TRP_MS(600));
    assert_int_equal(pair.pa->disconnected, 1);
    assert_status(pair.pa->last_reason, TRP_ETIMEDOUT);
    pair_close(&pair);
}

/* Behaviours call from within a step, where the swarm knows the time. */
static struct probe_stream *echo(struct pair *pair)
{
    net_poke(pair->a);
    return pair_echo(pair, 10);
}

static void a_long_silent_connection_is_asked_before_it_is_used(void **state)
{
    (void)state;
    struct pair pair = pair_open(37);
    pair_connect(&pair);
    struct probe_stream *s = echo(&pair); /* now the protocol is known */
    net_run(pair.world, TRP_S(50));
    uint64_t said = pair.b->outputs[TRP_OUT_BYTES];
    s = echo(&pair); /* heard of lately: the first words that come back are the answer */
    assert_status(s->reason, TRP_OK);
    assert_int_equal(pair.b->outputs[TRP_OUT_BYTES], said + 1);
    net_run(pair.world, TRP_MIN(2));
    said = pair.b->outputs[TRP_OUT_BYTES];
    s = echo(&pair);
    struct probe_stream *second = echo(&pair);
    assert_true(s->closed && second->closed);
    assert_status(s->reason, TRP_OK);
    assert_int_equal(pair.b->outputs[TRP_OUT_BYTES], said + 3); /* that it lives, and two answers */
    assert_int_equal(pair.pa->connected, 1);
    pair_close(&pair);
}

/* The other side lost the connection and could not say so. */
static void cut_off(struct pair *pair, bool cut)
{
    pair->world->cut[0][1] = cut;
    pair->world->cut[1][0] = cut;
}

static void lose_one_side(struct pair *pair)
{
    pair_connect(pair);
    net_run(pair->world, TRP_MIN(2));
    cut_off(pair, true);
    trp_swarm_close_peer(pair->b->swarm, &pair->a->peer, TRP_ETIMEDOUT);
    net_poke(pair->b);
    net_run(pair->world, TRP_S(10));
    assert_int_equal(trp_swarm_connections_count(pair->a->swarm), 1);
    assert_int_equal(trp_swarm_connections_count(pair->b->swarm), 0);
}

/* It answers what it does not know with a reset, */
static void streams_outlive_the_reset_of_a_lost_connection(void **state)
{
    (void)state;
    struct pair pair = pair_open(38);
    lose_one_side(&pair);
    cut_off(&pair, false);
    struct probe_stream *s = echo(&pair);
    assert_int_equal(pair.pa->disconnected, 1);
    assert_int_equal(pair.pa->connected, 2);
    assert_true(s->closed);
    assert_status(s->reason, TRP_OK);
    pair_close(&pair);
}

/* or not at all. */
static void streams_outlive_the_silence_of_a_lost_connection(void **state)
{
    (void)state;
    struct pair pair = pair_open(41);
    lose_one_side(&pair);
    struct probe_stream *s = echo(&pair);
    struct probe_stream *second = echo(&pair);
    cut_off(&pair, false);
    assert_false(s->closed || second->closed);
    net_run(pair.world, TRP_S(2));
    assert_int_equal(pair.pa->disconnected, 1);
    assert_status(pair.pa->last_reason, TRP_ETIMEDOUT);
    assert_int_equal(pair.pa->connected, 2);
    assert_true(s->closed && second->closed);
    assert_status(s->reason, TRP_OK);
    assert_status(second->reason, TRP_OK);
    pair_close(&pair);
}

static void a_new_connection_serves_who_waits_for_an_answer(void **state)
{
    (void)state;
    struct pair pair = pair_open(39);
    lose_one_side(&pair);
    cut_off(&pair, false);
    net_poke(pair.a); /* the time */
    assert_status(probe_open(pair.pa, &pair.b->peer, ECHO, 10), TRP_OK);
    struct probe_stream *s = probe_last(pair.pa);
    net_poke(pair.a);
    pair_knows(pair.b, pair.a);
    assert_status(pair_dial(pair.b, pair.a, false), TRP_OK);
    net_run(pair.world, TRP_S(1));
    assert_true(s->closed);
    assert_status(s->reason, TRP_OK);
    pair_close(&pair);
}

static void nobody_waits_for_ever(void **state)
{
    (void)state;
    struct pair pair = pair_open(40);
    lose_one_side(&pair);
    struct probe_stream *s = echo(&pair);
    net_run(pair.world, TRP_S(14)); /* 3 s for the answer, 10 s for the dial */
    assert_true(s->closed);
    assert_status(s->reason, TRP_ETIMEDOUT);
    assert_int_equal(trp_swarm_streams_count(pair.a->swarm), 0);
    pair_close(&pair);
}

static struct pair pair_of_many(uint64_t seed)
{
    struct pair pair = pair_init(seed);
    pair.a->limits.connections_per_peer = 8;
    pair.b->limits.connections_per_peer = 8;
    return pair;
}

static void the_one_idle_longest_is_closed_when_there_are_many(void **state)
{
    (void)state;
    struct pair pair = pair_of_many(34);
    pair.b->limits.connections_idle = 2;
    pair_start(&pair);
    trp_connection_id ids[4];
    for (uint32_t i = 0; i < 4; i++) {
        assert_status(pair_dial(pair.a, pair.b, true), TRP_OK);
        net_run(pair.world, TRP_MS(200));
        ids[i] = pair.pb->last_connected.id;
        assert_int_equal(pair.pb->disconnected, i < 2 ? 0 : i - 1);
    }
    assert_true(pair.pb->last_disconnected.id == ids[1]);
    assert_status(pair.pb->last_reason, TRP_EIDLE);
    assert_int_equal(trp_swarm_connections_count(pair.b->swarm), 2);
    pair_close(&pair);
}

static void connections_in_use_do_not_count_as_idle(void **state)
{
    (void)state;
    struct pair pair = pair_of_many(35);
    pair.b->limits.connections_idle = 1;
    pair_start(&pair);
    trp_swarm_keep_alive(pair.b->swarm, &pair.a->peer, 1);
    for (uint32_t i = 0; i < 4; i++) {
        assert_status(pair_dial(pair.a, pair.b, true), TRP_OK);
        net_run(pair.world, TRP_MS(200));
    }
    assert_int_equal(pair.pb->disconnected, 0);
    pair_close(&pair);
}

static void at_the_limit_an_idle_connection_makes_way(void **state)
{
    (void)state;
    struct pair pair = pair_of_many(36);
    pair.b->limits.connections = 4;
    pair_start(&pair);
    for (uint32_t i = 0; i < 6; i++) {
        assert_status(pair_dial(pair.a, pair.b, true), TRP_OK);
        net_run(pair.world, TRP_MS(200));
    }
    assert_int_equal(pair.pb->connected, 6);
    assert_int_equal(pair.pb->disconnected, 2);
    assert_int_equal(net_traced(pair.b, "limit_reached"), 0);
    pair_close(&pair);
}

/* An idle connection, with security and muxer, on each of its sides. */
static void an_idle_connection_is_small(void **state)
{
    (void)state;
    struct pair pair = pair_init(62);
    pair.a->limits.connections_per_peer = 64;
    pair.b->limits.connections_per_peer = 64;
    pair_start(&pair);
    for (uint32_t i = 0; i < 16; i++) {
        assert_status(pair_dial(pair.a, pair.b, true), TRP_OK);
        net_run(pair.world, TRP_MS(100));
    }
    assert_int_equal(trp_swarm_connections_count(pair.a->swarm), 16);
    uint64_t before = pair.a->memory.used_bytes;
    for (uint32_t i = 0; i < 20; i++) {
        assert_status(pair_dial(pair.a, pair.b, true), TRP_OK);
        net_run(pair.world, TRP_MS(100));
    }
    uint64_t each = (pair.a->memory.used_bytes - before) / 20;
    print_message("an idle connection takes %llu bytes\n", (unsigned long long)each);
    assert_true(each < 8192);
    pair_close(&pair);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_peer_at_its_limit_takes_the_place_of_its_idle_connection),
    cmocka_unit_test(closes_when_idle),
    cmocka_unit_test(references_and_streams_hold_a_connection),
    cmocka_unit_test(a_dead_connection_in_use_is_found),
    cmocka_unit_test(one_that_is_kept_alive_is_found_dead_soon),
    cmocka_unit_test(a_dead_connection_that_is_idle_is_left_alone),
    cmocka_unit_test(a_long_silent_connection_is_asked_before_it_is_used),
    cmocka_unit_test(streams_outlive_the_reset_of_a_lost_connection),
    cmocka_unit_test(streams_outlive_the_silence_of_a_lost_connection),
    cmocka_unit_test(a_new_connection_serves_who_waits_for_an_answer),
    cmocka_unit_test(nobody_waits_for_ever),
    cmocka_unit_test(the_one_idle_longest_is_closed_when_there_are_many),
    cmocka_unit_test(connections_in_use_do_not_count_as_idle),
    cmocka_unit_test(at_the_limit_an_idle_connection_makes_way),
    cmocka_unit_test(an_idle_connection_is_small),
};

int main(void)
{
    return cmocka_run_group_tests(tests, NULL, NULL);
}
