/* SPDX-License-Identifier: MIT */
#include "lib/net_probe.h"

static void add(struct net_host *host, const struct net_host *peer, struct trp_multiaddr address)
{
    trp_swarm_add_address(host->swarm, &peer->peer, &address, TRP_ADDRESS_IDENTIFY);
}

static struct trp_multiaddr parse(const char *text)
{
    struct trp_multiaddr address;
    assert_status(trp_multiaddr_parse(text, &address, NULL), TRP_OK);
    return address;
}

/* Host 0 alone knows of host 1 what a test tells it. */
static struct pair alone_open(uint64_t seed)
{
    struct pair pair = pair_init(seed);
    assert_status(net_host_start(pair.a), TRP_OK);
    assert_status(net_host_start(pair.b), TRP_OK);
    net_listen(pair.b, 0);
    net_run(pair.world, TRP_MS(1));
    return pair;
}

static void reports_every_address_with_stage_and_time(void **state)
{
    (void)state;
    struct pair pair = alone_open(1);
    pair.world->resolve_status = TRP_ERESOLVE;
    add(pair.a, pair.b, net_address(1, 77));              /* nobody listens */
    add(pair.a, pair.b, parse("/ip4/10.0.0.2/udp/1000")); /* no TCP */
    add(pair.a, pair.b, parse("/dns4/no.such.host/tcp/1000"));
    assert_status(pair_dial(pair.a, pair.b, false), TRP_OK);
    net_run(pair.world, TRP_S(1));
    assert_int_equal(pair.pa->dials_failed, 1);
    assert_int_equal(pair.pa->last_report.attempts_count, 3);
    assert_true(trp_peer_id_equal(&pair.pa->last_report.peer, &pair.b->peer));
    uint32_t seen = 0;
    for (uint32_t i = 0; i < 3; i++) {
        const struct trp_dial_attempt *attempt = &pair.pa->attempts[i];
        if (attempt->status == TRP_EREFUSED) {
            assert_string_equal(attempt->stage, "connect");
            assert_int_equal(attempt->took_ns, 2 * pair.world->latency_ns);
            seen |= 1;
        } else if (attempt->status == TRP_EUNSUPPORTED) {
            assert_int_equal(attempt->took_ns, 0);
            seen |= 2;
        } else if (attempt->status == TRP_ERESOLVE) {
            assert_string_equal(attempt->stage, "resolve");
            assert_int_equal(attempt->took_ns, pair.world->latency_ns);
            seen |= 4;
        }
    }
    assert_int_equal(seen, 7);
    assert_int_equal(net_traced(pair.a, "dial_attempt_failed"), 3);
    assert_int_equal(net_traced(pair.a, "dial_failed"), 1);
    pair_close(&pair);
}

static void without_an_address_it_fails_at_once(void **state)
{
    (void)state;
    struct pair pair = alone_open(2);
    assert_status(pair_dial(pair.a, pair.b, false), TRP_OK);
    assert_int_equal(pair.pa->dials_failed, 1);
    assert_status(pair.pa->last_report.status, TRP_ENOADDRESS);
    assert_int_equal(pair.pa->last_report.attempts_count, 0);
    pair_close(&pair);
}

static void a_behaviour_contributes_addresses(void **state)
{
    (void)state;
    struct pair pair = alone_open(3);
    pair.pa->contributed = net_address(1, NET_PORT_FIRST);
    assert_status(pair_dial(pair.a, pair.b, false), TRP_OK);
    net_run(pair.world, TRP_S(1));
    assert_int_equal(pair.pa->connected, 1);
    struct trp_multiaddr known[4]; /* and what worked is remembered */
    assert_int_equal(trp_swarm_known_addresses(pair.a->swarm, &pair.b->peer, known, 4), 1);
    assert_true(trp_multiaddr_equal(&known[0], &pair.pa->contributed));
    pair_close(&pair);
}

static void resolves_names(void **state)
{
    (void)state;
    struct pair pair = alone_open(4);
    pair.world->resolved[0] = parse("/ip4/10.0.0.2/tcp/78"); /* nobody listens */
    pair.world->resolved[1] = parse("/ip4/10.0.0.2");        /* the port is the asked one's */
    pair.world->resolved_count = 2;
    struct trp_multiaddr name = parse("/dns4/host.example/tcp/1000");
    const struct trp_dial_request request = {.addresses = &name, .addresses_count = 1};
    assert_status(trp_swarm_dial(pair.a->swarm, &request), TRP_OK);
    assert_status(trp_swarm_dial(pair.a->swarm, &request), TRP_EEXISTS);
    net_poke(pair.a);
    net_run(pair.world, TRP_S(1));
    assert_int_equal(pair.pa->connected, 1);
    assert_true(trp_peer_id_equal(&pair.pa->last_connected.peer, &pair.b->peer));
    assert_true(trp_multiaddr_equal(&pair.pa->last_connected.remote, &name)); /* as it was given */
    pair_close(&pair);
}

static void a_resolver_that_is_silent_times_out(void **state)
{
    (void)state;
    struct pair pair = alone_open(5);
    struct trp_multiaddr name = parse("/dns4/host.example/tcp/1000");
    const struct trp_dial_request request = {.addresses = &name, .addresses_count = 1};
    assert_status(trp_swarm_dial(pair.a->swarm, &request), TRP_OK);
    net_poke(pair.a);
    for (size_t i = 0; i < pair.world->happenings_count; i++) {
        pair.world->happenings[i].done = true;
    }
    net_run(pair.world, TRP_MS(9990));
    assert_int_equal(pair.pa->dials_failed, 0);
    net_run(pair.world, TRP_MS(20));
    assert_int_equal(pair.pa->dials_failed, 1);
    assert_status(pair.pa->attempts[0].status, TRP_ETIMEDOUT);
    assert_string_equal(pair.pa->attempts[0].stage, "resolve");
    pair_close(&pair);
}

static void only_the_expected_peer_will_do(void **state)
{
    (void)state;
    for (uint32_t plaintext = 0; plaintext < 2; plaintext++) {
        struct pair pair = pair_init(6);
        pair.world->plaintext = plaintext == 1;
        assert_status(net_host_start(pair.a), TRP_OK);
        assert_status(net_host_start(pair.b), TRP_OK);
        net_listen(pair.b, 0);
        net_run(pair.world, TRP_MS(1));
        struct trp_peer_id other = pair.a->peer;
        other.bytes[20] ^= 1;
        struct trp_multiaddr address = net_address(1, NET_PORT_FIRST);
        const struct trp_dial_request request = {
            .peer = other, .addresses = &address, .addresses_count = 1};
        assert_status(trp_swarm_dial(pair.a->swarm, &request), TRP_OK);
        net_poke(pair.a);
        net_run(pair.world, TRP_S(1));
        assert_int_equal(pair.pa->connected, 0);
        assert_int_equal(pair.pb->connected - pair.pb->disconnected, 0);
        assert_int_equal(pair.pa->dials_failed, 1);
        assert_status(pair.pa->attempts[0].status, TRP_EAUTH);
        assert_string_equal(pair.pa->attempts[0].stage, "identity");
        pair_close(&pair);
    }
}

static void an_address_of_another_peer_is_not_tried(void **state)
{
    (void)state;
    struct pair pair = alone_open(7);
    struct trp_multiaddr plain = net_address(1, NET_PORT_FIRST);
    struct trp_multiaddr named;
    assert_status(trp_multiaddr_with_peer(&plain, &pair.a->peer, &named), TRP_OK);
    const struct trp_dial_request request = {
        .peer = pair.b->peer, .addresses = &named, .addresses_count = 1};
    assert_status(trp_swarm_dial(pair.a->swarm, &request), TRP_OK);
    net_poke(pair.a);
    assert_int_equal(pair.pa->dials_failed, 1);
    assert_status(pair.pa->attempts[0].status, TRP_EAUTH);
    assert_int_equal(pair.a->outputs[TRP_OUT_DIAL], 0);
    pair_close(&pair);
}

static void tries_several_at_once_and_takes_the_first(void **state)
{
    (void)state;
    struct pair pair = pair_init(8);
    pair.a->limits.dial_concurrency = 3;
    assert_status(net_host_start(pair.a), TRP_OK);
    assert_status(net_host_start(pair.b), TRP_OK);
    struct net_host *c = net_host_init(pair.world, 2); /* a host that swallows everything */
    assert_status(net_host_start(c), TRP_OK);
    net_listen(pair.b, 0);
    for (uint16_t i = 0; i < 5; i++) {
        net_listen(c, i);
    }
    pair.world->cut[0][2] = true;
    net_run(pair.world, TRP_MS(1));
    for (uint16_t i = 0; i < 5; i++) {
        add(pair.a, pair.b, net_address(2, (uint16_t)(NET_PORT_FIRST + i)));
    }
    struct trp_multiaddr good = net_address(1, NET_PORT_FIRST);
    trp_swarm_add_address(pair.a->swarm, &pair.b->peer, &good, TRP_ADDRESS_DHT); /* the last */
    assert_status(pair_dial(pair.a, pair.b, false), TRP_OK);
    assert_int_equal(pair.a->outputs[TRP_OUT_DIAL], 3);
    net_run(pair.world, TRP_S(11)); /* three time out, then the rest is tried */
    assert_int_equal(pair.pa->connected, 1);
    assert_int_equal(pair.pa->dials_failed, 0);
    assert_int_equal(pair.a->outputs[TRP_OUT_DIAL], 6);
    assert_int_equal(pair.a->outputs[TRP_OUT_CLOSE], 5); /* 3 failed, 2 no longer needed */
    struct trp_multiaddr known[8];
    assert_int_equal(trp_swarm_known_addresses(pair.a->swarm, &pair.b->peer, known, 8), 6);
    assert_true(trp_multiaddr_equal(&known[0], &good));
    pair_close(&pair);
}

static void waits_for_a_place_among_the_pending(void **state)
{
    (void)state;
    struct pair pair = pair_init(9);
    pair.a->limits.connections_pending_out = 2;
    assert_status(net_host_start(pair.a), TRP_OK);
    assert_status(net_host_start(pair.b), TRP_OK);
    net_listen(pair.b, 0);
    net_run(pair.world, TRP_MS(1));
    pair.world->cut[0][1] = true;
    struct trp_peer_id other = pair.b->peer;
    struct trp_multiaddr address = net_address(1, NET_PORT_FIRST);
    for (uint32_t i = 0; i < 3; i++) {
        other.bytes[20]++;
        const struct trp_dial_request request = {
            .peer = other, .addresses = &address, .addresses_count = 1};
        assert_status(trp_swarm_dial(pair.a->swarm, &request), i < 2 ? TRP_OK : TRP_EFULL);
    }
    net_poke(pair.a);
    net_run(pair.world, TRP_S(11));
    assert_int_equal(pair.pa->dials_failed, 2);
    assert_string_equal(pair.pa->attempts[0].stage, "connect");
    assert_status(pair.pa->attempts[0].status, TRP_ETIMEDOUT);

    /* Two dials of three addresses each share two places. */
    for (uint32_t i = 0; i < 2; i++) {
        struct trp_multiaddr three[3];
        for (uint32_t k = 0; k < 3; k++) {
            three[k] = net_address(1, (uint16_t)(400 + 10 * i + k));
        }
        other.bytes[20]++;
        const struct trp_dial_request request = {
            .peer = other, .addresses = three, .addresses_count = 3};
        assert_status(trp_swarm_dial(pair.a->swarm, &request), TRP_OK);
    }
    net_poke(pair.a);
    assert_int_equal(pair.a->outputs[TRP_OUT_DIAL], 4);
    net_run(pair.world, TRP_S(1));
    assert_int_equal(pair.a->outputs[TRP_OUT_DIAL], 8);
    assert_int_equal(pair.pa->dials_failed, 4);
    assert_int_equal(pair.pa->last_report.attempts_count, 3);
    pair_close(&pair);
}

/* The other side's connection serves, and a dial that then fails is no news. */
static void an_inbound_connection_serves_who_waits(void **state)
{
    (void)state;
    struct pair pair = pair_open(10);
    struct trp_multiaddr silent = net_address(0, NET_PORT_FIRST);
    pair.world->cut[0][1] = true; /* the dial of a vanishes */
    assert_status(probe_open(pair.pa, &pair.b->peer, ECHO, 100), TRP_OK);
    net_poke(pair.a);
    pair.world->cut[0][1] = false;
    const struct trp_dial_request request = {
        .peer = pair.a->peer, .addresses = &silent, .addresses_count = 1};
    assert_status(trp_swarm_dial(pair.b->swarm, &request), TRP_OK);
    net_poke(pair.b);
    net_run(pair.world, TRP_S(1));
    assert_status(probe_last(pair.pa)->reason, TRP_OK);
    assert_false(pair.pa->last_connected.outbound);
    net_run(pair.world, TRP_S(20));
    assert_int_equal(net_traced(pair.a, "dial_failed"), 1);
    assert_int_equal(pair.pa->dials_failed, 0);
    pair_close(&pair);
}

/* Who asks while a dial is under way is owed its outcome, whatever came and went before. */
static void who_joins_a_dial_hears_how_it_ends(void **state)
{
    (void)state;
    struct pair pair = pair_open(11);
    struct trp_multiaddr to_a = net_address(0, NET_PORT_FIRST);
    pair.world->cut[0][1] = true;
    assert_status(pair_dial(pair.a, pair.b, false), TRP_OK);
    pair.world->cut[0][1] = false;
    const struct trp_dial_request request = {
        .peer = pair.a->peer, .addresses = &to_a, .addresses_count = 1};
    assert_status(trp_swarm_dial(pair.b->swarm, &request), TRP_OK);
    net_poke(pair.b);
    net_run(pair.world, TRP_S(1));
    assert_int_equal(pair.pa->connected, 1);
    net_reset_all(pair.world, 0);
    net_run(pair.world, TRP_MS(1));
    assert_int_equal(trp_swarm_connections_count(pair.a->swarm), 0);
    assert_status(pair_dial(pair.a, pair.b, false), TRP_EEXISTS);
    net_run(pair.world, TRP_S(10));
    assert_int_equal(pair.pa->dials_failed, 1);
    pair_close(&pair);
}

static void no_dial_begins_at_the_limit_of_connections(void **state)
{
    (void)state;
    struct pair pair = pair_init(12);
    pair.a->limits.connections = 4;
    pair.a->limits.connections_per_peer = 8;
    pair.b->limits.connections_per_peer = 8;
    pair_start(&pair);
    trp_swarm_keep_alive(pair.a->swarm, &pair.b->peer, 1); /* none is idle */
    for (uint32_t i = 0; i < 4; i++) {
        assert_status(pair_dial(pair.a, pair.b, true), TRP_OK);
        net_run(pair.world, TRP_MS(200));
    }
    assert_int_equal(pair.pa->connected, 4);
    assert_status(pair_dial(pair.a, pair.b, true), TRP_EFULL);
    assert_int_equal(net_traced(pair.a, "limit_reached"), 1);
    pair_close(&pair);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(who_joins_a_dial_hears_how_it_ends),
    cmocka_unit_test(no_dial_begins_at_the_limit_of_connections),
    cmocka_unit_test(reports_every_address_with_stage_and_time),
    cmocka_unit_test(without_an_address_it_fails_at_once),
    cmocka_unit_test(a_behaviour_contributes_addresses),
    cmocka_unit_test(resolves_names),
    cmocka_unit_test(a_resolver_that_is_silent_times_out),
    cmocka_unit_test(only_the_expected_peer_will_do),
    cmocka_unit_test(an_address_of_another_peer_is_not_tried),
    cmocka_unit_test(tries_several_at_once_and_takes_the_first),
    cmocka_unit_test(waits_for_a_place_among_the_pending),
    cmocka_unit_test(an_inbound_connection_serves_who_waits),
};

int main(void)
{
    return cmocka_run_group_tests(tests, NULL, NULL);
}
