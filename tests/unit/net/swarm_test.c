/* SPDX-License-Identifier: MIT */
#include "lib/net_probe.h"

/* ---- connecting ---- */

static void connects_and_echoes(void **state)
{
    (void)state;
    struct pair pair = pair_open(1);
    struct probe_stream *s = pair_echo(&pair, 1000);
    assert_int_equal(pair.pa->connected, 1);
    assert_true(pair.pa->last_connected.outbound);
    assert_true(trp_peer_id_equal(&pair.pa->last_connected.peer, &pair.b->peer));
    assert_false(pair.pb->last_connected.outbound);
    assert_true(trp_peer_id_equal(&pair.pb->last_connected.peer, &pair.a->peer));
    assert_true(s->closed && s->opened);
    assert_status(s->reason, TRP_OK);
    assert_int_equal(s->received, 1000);
    assert_int_equal(probe_closed_count(pair.pb, TRP_OK), 1);
    assert_int_equal(trp_swarm_streams_count(pair.a->swarm), 0);
    assert_int_equal(trp_swarm_streams_count(pair.b->swarm), 0);
    assert_int_equal(net_traced(pair.a, "connection_opened"), 1);
    assert_int_equal(net_traced(pair.a, "stream_opened"), 1);
    assert_int_equal(net_traced(pair.b, "stream_closed"), 1);
    pair_close(&pair);
}

static void connects_in_plaintext(void **state)
{
    (void)state;
    struct pair pair = pair_init(2);
    pair.world->plaintext = true;
    pair_start(&pair);
    struct probe_stream *s = pair_echo(&pair, 1000);
    assert_status(s->reason, TRP_OK);
    assert_int_equal(s->received, 1000);
    pair_close(&pair);
}

static void connects_one_byte_at_a_time(void **state)
{
    (void)state;
    for (uint32_t plaintext = 0; plaintext < 2; plaintext++) {
        struct pair pair = pair_init(3);
        pair.world->plaintext = plaintext == 1;
        pair.world->chunk_bytes_max = 1;
        pair_start(&pair);
        struct probe_stream *s = pair_echo(&pair, 3000);
        assert_true(s->closed);
        assert_status(s->reason, TRP_OK);
        assert_int_equal(s->received, 3000);
        pair_close(&pair);
    }
}

/* One for TCP, one for Noise with the muxer inlined; a third for the first answer on a stream whose
 * protocol the peer is known to speak. */
static void connects_in_two_round_trips_and_answers_in_three(void **state)
{
    (void)state;
    struct pair pair = pair_open(4);
    pair.world->chunk_bytes_max = 0;
    trp_time round_trip = 2 * pair.world->latency_ns;
    assert_status(pair_dial(pair.a, pair.b, false), TRP_OK);
    net_run(pair.world, 2 * round_trip - 1);
    assert_int_equal(pair.pa->connected, 0);
    net_run(pair.world, 1);
    assert_int_equal(pair.pa->connected, 1);
    const char *protocols[] = {ECHO};
    const struct trp_identified identified = {
        .peer = pair.b->peer, .protocols = protocols, .protocols_count = 1};
    trp_swarm_report_identified(pair.a->swarm, &identified);
    assert_status(probe_open(pair.pa, &pair.b->peer, ECHO, 10), TRP_OK);
    net_poke(pair.a);
    assert_true(probe_last(pair.pa)->opened);
    net_run(pair.world, round_trip - 1);
    assert_int_equal(probe_last(pair.pa)->received, 0);
    net_run(pair.world, 1);
    assert_int_equal(probe_last(pair.pa)->received, 10);
    assert_int_equal(pair.pa->identified, 1);
    pair_close(&pair);
}

static void shares_a_dial_and_refuses_itself(void **state)
{
    (void)state;
    struct pair pair = pair_open(5);
    const struct trp_dial_request to_b = {.peer = pair.b->peer};
    const struct trp_dial_request to_self = {.peer = pair.a->peer};
    const struct trp_dial_request nowhere = {.addresses_count = 0};
    assert_status(trp_swarm_dial(pair.a->swarm, &to_b), TRP_OK);
    assert_status(trp_swarm_dial(pair.a->swarm, &to_b), TRP_EEXISTS);
    assert_status(trp_swarm_dial(pair.a->swarm, &to_self), TRP_EINVAL);
    assert_status(trp_swarm_dial(pair.a->swarm, &nowhere), TRP_ENOADDRESS);
    assert_status(probe_open(pair.pa, &pair.b->peer, ECHO, 10), TRP_OK);
    assert_status(probe_open(pair.pa, &pair.b->peer, ECHO, 10), TRP_OK);
    net_poke(pair.a);
    net_run(pair.world, TRP_S(1));
    assert_int_equal(pair.a->outputs[TRP_OUT_DIAL], 1);
    assert_int_equal(pair.pa->connected, 1);
    assert_int_equal(probe_closed_count(pair.pa, TRP_OK), 2);
    assert_status(trp_swarm_dial(pair.a->swarm, &to_b), TRP_EEXISTS);
    pair_close(&pair);
}

static void closes_a_connection_to_itself(void **state)
{
    (void)state;
    struct pair pair = pair_open(6);
    struct trp_multiaddr own = net_address(0, NET_PORT_FIRST);
    const struct trp_dial_request request = {.addresses = &own, .addresses_count = 1};
    assert_status(trp_swarm_dial(pair.a->swarm, &request), TRP_OK);
    net_poke(pair.a);
    net_run(pair.world, TRP_S(1));
    assert_int_equal(pair.pa->connected, 0);
    assert_int_equal(pair.pa->dials_failed, 1);
    assert_status(pair.pa->attempts[0].status, TRP_EINVAL);
    assert_string_equal(pair.pa->attempts[0].stage, "identity");
    assert_int_equal(trp_swarm_connections_count(pair.a->swarm), 0);
    pair_close(&pair);
}

static void refuses_what_a_behaviour_does_not_admit(void **state)
{
    (void)state;
    struct pair pair = pair_open(7);
    pair.pb->admit = TRP_EDENIED;
    assert_status(pair_dial(pair.a, pair.b, false), TRP_OK);
    net_run(pair.world, TRP_S(1));
    assert_int_equal(pair.pb->connected, 0);
    assert_int_equal(trp_swarm_connections_count(pair.b->swarm), 0);
    assert_int_equal(net_traced(pair.b, "upgrade_failed"), 1);
    /* The dialer was done one way earlier: for it, the connection opened and broke. */
    assert_int_equal(pair.pa->connected, pair.pa->disconnected);
    pair.pb->admit = TRP_OK;
    pair.pa->admit = TRP_EDENIED;
    assert_status(pair_dial(pair.a, pair.b, false), TRP_OK);
    net_run(pair.world, TRP_S(1));
    assert_int_equal(pair.pa->dials_failed, 1);
    assert_status(pair.pa->last_report.status, TRP_EDENIED);
    assert_string_equal(pair.pa->attempts[0].stage, "limit");
    pair_close(&pair);
}

static void walks_connections_in_the_order_of_their_making(void **state)
{
    (void)state;
    struct pair pair = pair_open(8);
    pair_connect(&pair);
    trp_connection_id first = pair.pa->last_connected.id;
    assert_status(pair_dial(pair.a, pair.b, true), TRP_OK);
    net_run(pair.world, TRP_S(1));
    assert_int_equal(pair.pa->connected, 2);
    assert_int_equal(pair.pa->last_connected.peer_connections, 2);
    uint32_t at = 0;
    struct trp_connection_info info;
    assert_true(trp_swarm_next_connection(pair.a->swarm, &at, &info));
    assert_true(info.id == first);
    assert_true(trp_swarm_next_connection(pair.a->swarm, &at, &info));
    assert_true(info.id == pair.pa->last_connected.id);
    assert_false(trp_swarm_next_connection(pair.a->swarm, &at, &info));
    pair_close(&pair);
}

/* ---- duplicates ---- */

static void keeps_one_of_two_simultaneous_dials(void **state)
{
    (void)state;
    for (uint64_t seed = 20; seed < 26; seed++) {
        struct pair pair = pair_open(seed);
        assert_status(pair_dial(pair.a, pair.b, false), TRP_OK);
        assert_status(pair_dial(pair.b, pair.a, false), TRP_OK);
        net_run(pair.world, TRP_S(1));
        assert_int_equal(pair.pa->connected, 2);
        assert_int_equal(pair.pb->connected, 2);
        /* Both choose the connection whose dialer has the smaller PeerId. */
        bool a_is_smaller = trp_peer_id_compare(&pair.a->peer, &pair.b->peer) < 0;
        struct probe_stream *s = pair_echo(&pair, 10);
        assert_status(s->reason, TRP_OK);
        uint32_t at = 0;
        struct trp_connection_info info;
        while (trp_swarm_next_connection(pair.a->swarm, &at, &info)) {
            assert_true((info.id == s->connection) == (info.outbound == a_is_smaller));
        }
        net_run(pair.world, TRP_S(10));
        assert_int_equal(trp_swarm_connections_count(pair.a->swarm), 1);
        assert_int_equal(trp_swarm_connections_count(pair.b->swarm), 1);
        at = 0;
        assert_true(trp_swarm_next_connection(pair.b->swarm, &at, &info));
        assert_true(info.outbound != a_is_smaller);
        assert_int_equal(pair.pa->last_disconnected.peer_connections, 1);
        pair_close(&pair);
    }
}

static void a_duplicate_in_use_stays(void **state)
{
    (void)state;
    struct pair pair = pair_open(27);
    pair_connect(&pair);
    assert_status(probe_open(pair.pa, &pair.b->peer, ECHO, 10), TRP_OK);
    probe_last(pair.pa)->keep_open = true;
    net_poke(pair.a);
    assert_status(pair_dial(pair.a, pair.b, true), TRP_OK);
    net_run(pair.world, TRP_S(20));
    assert_int_equal(trp_swarm_connections_count(pair.a->swarm), 2);
    trp_stream_shutdown(pair.a->swarm, probe_last(pair.pa)->id);
    probe_last(pair.pa)->shutdown = true;
    net_poke(pair.a);
    net_run(pair.world, TRP_S(1));
    assert_status(probe_last(pair.pa)->reason, TRP_OK);
    assert_int_equal(trp_swarm_connections_count(pair.a->swarm), 1);
    pair_close(&pair);
}

/* ---- the end of connections ---- */

static void a_reset_in_the_middle_ends_every_stream(void **state)
{
    (void)state;
    struct pair pair = pair_open(33);
    pair_connect(&pair);
    for (uint32_t i = 0; i < 5; i++) {
        assert_status(probe_open(pair.pa, &pair.b->peer, ECHO, 1u << 20), TRP_OK);
    }
    net_poke(pair.a);
    net_run(pair.world, TRP_MS(95));
    assert_int_equal(probe_open_count(pair.pa), 5);
    assert_int_equal(probe_open_count(pair.pb), 5);
    net_reset_all(pair.world, 0);
    net_run(pair.world, TRP_MS(1));
    assert_int_equal(probe_closed_count(pair.pa, TRP_ECLOSED), 5);
    assert_int_equal(probe_closed_count(pair.pb, TRP_ECLOSED), 5);
    assert_status(pair.pa->last_reason, TRP_ERESET);
    assert_status(pair.pb->last_reason, TRP_ERESET);
    assert_int_equal(trp_swarm_streams_count(pair.a->swarm), 0);
    pair_close(&pair);
}

static void what_was_written_before_a_close_arrives(void **state)
{
    (void)state;
    struct pair pair = pair_open(34);
    pair_connect(&pair);
    pair.pb->mode = PROBE_SINK;
    for (uint32_t i = 0; i < 6; i++) { /* more than the socket takes at once */
        assert_status(probe_open(pair.pa, &pair.b->peer, ECHO, 60000), TRP_OK);
        probe_last(pair.pa)->keep_open = true;
    }
    net_poke(pair.a);
    while (!probe_last(pair.pa)->opened) {
        net_run(pair.world, TRP_MS(1));
    }
    assert_int_equal(probe_last(pair.pa)->sent, 60000);
    trp_swarm_close_peer(pair.a->swarm, &pair.b->peer, TRP_OK);
    net_poke(pair.a);
    assert_int_equal(pair.pa->disconnected, 1);
    assert_status(pair.pa->last_reason, TRP_OK);
    assert_int_equal(probe_closed_count(pair.pa, TRP_ECLOSED), 6);
    net_run(pair.world, TRP_S(2));
    for (uint32_t i = 0; i < 6; i++) {
        assert_int_equal(pair.pb->streams[i].received, 60000);
    }
    assert_int_equal(pair.pb->disconnected, 1);
    assert_status(pair.pb->last_reason, TRP_ECLOSED);
    for (uint32_t i = 0; i < pair.world->ends_count; i++) {
        assert_true(pair.world->ends[i].closed || pair.world->ends[i].listener);
    }
    pair_close(&pair);
}

static void a_close_does_not_wait_for_ever(void **state)
{
    (void)state;
    struct pair pair = pair_open(36);
    pair.pb->mode = PROBE_HOARD;
    struct probe_stream *s = pair_echo(&pair, 1u << 20); /* stuck at the peer's window */
    assert_true(s->opened);
    trp_swarm_close_peer(pair.a->swarm, &pair.b->peer, TRP_OK);
    net_poke(pair.a);
    assert_status(s->reason, TRP_ECLOSED);
    net_run(pair.world, TRP_S(4));
    assert_int_equal(pair.a->outputs[TRP_OUT_CLOSE], 0);
    net_run(pair.world, TRP_S(2));
    assert_int_equal(pair.a->outputs[TRP_OUT_CLOSE], 1);
    assert_int_equal(pair.pb->disconnected, 1);
    pair_close(&pair);
}

static void a_behaviour_may_close_from_within_a_hook(void **state)
{
    (void)state;
    struct pair pair = pair_open(35);
    pair.pb->close_on_open = true;
    struct probe_stream *s = pair_echo(&pair, 1u << 16);
    assert_true(s->closed);
    assert_status(s->reason, TRP_ECLOSED);
    assert_int_equal(pair.pb->disconnected, 1);
    assert_status(pair.pb->last_reason, TRP_ECANCELLED);
    net_run(pair.world, TRP_S(10));
    pair_close(&pair);
}

/* ---- floods and silence ---- */

/* A listener that accepts sockets nobody speaks on. */
static trp_socket accept_silent_from(struct pair *pair, uint32_t host, uint32_t index)
{
    uint32_t end = net_end_add(pair->world, 1, 100001 + 2 * index);
    pair->world->ends[end].connected = true;
    const struct trp_multiaddr addresses[2] = {net_address(1, NET_PORT_FIRST),
                                               net_address(host, (uint16_t)(5000 + index))};
    const struct trp_input in = {.kind = TRP_IN_ACCEPTED,
                                 .now = pair->world->now,
                                 .socket = pair->world->ends[end].id,
                                 .addresses = addresses,
                                 .addresses_count = 2};
    net_step(pair->b, &in);
    return in.socket;
}

static trp_socket accept_silent(struct pair *pair, uint32_t index)
{
    return accept_silent_from(pair, 3, index);
}

static void a_flood_leaves_a_place_to_others(void **state)
{
    (void)state;
    struct pair pair = pair_init(44);
    pair.b->limits.connections_pending_in = 10;
    pair_start(&pair);
    for (uint32_t i = 0; i < 10; i++) {
        accept_silent_from(&pair, 3, i);
    }
    assert_int_equal(pair.b->outputs[TRP_OUT_CLOSE], 0);
    for (uint32_t i = 10; i < 15; i++) { /* each takes the place of one of the first */
        accept_silent_from(&pair, 4, i);
        assert_int_equal(pair.b->outputs[TRP_OUT_CLOSE], i - 9);
    }
    assert_int_equal(net_traced(pair.b, "upgrade_failed"), 5);
    assert_int_equal(net_traced(pair.b, "limit_reached"), 0);
    accept_silent_from(&pair, 4, 15); /* it has as many as the other already */
    accept_silent_from(&pair, 3, 16);
    assert_int_equal(pair.b->outputs[TRP_OUT_CLOSE], 7);
    assert_int_equal(net_traced(pair.b, "upgrade_failed"), 5);
    assert_int_equal(net_traced(pair.b, "limit_reached"), 1);
    pair_connect(&pair); /* from a third, while both are at it */
    assert_int_equal(net_traced(pair.b, "upgrade_failed"), 6);
    pair_close(&pair);
}

static void a_flood_of_connections_is_refused_at_once(void **state)
{
    (void)state;
    struct pair pair = pair_init(40);
    pair.b->limits.connections_pending_in = 10;
    pair_start(&pair);
    for (uint32_t i = 0; i < 30; i++) {
        accept_silent(&pair, i);
    }
    assert_int_equal(pair.b->outputs[TRP_OUT_CLOSE], 20);
    assert_int_equal(net_traced(pair.b, "limit_reached"), 1);
    net_run(pair.world, TRP_S(9));
    assert_int_equal(pair.b->outputs[TRP_OUT_CLOSE], 20);
    net_run(pair.world, TRP_S(2));
    assert_int_equal(pair.b->outputs[TRP_OUT_CLOSE], 30);
    assert_int_equal(net_traced(pair.b, "upgrade_failed"), 10);
    pair_connect(&pair);
    pair_close(&pair);
}

static void connections_are_limited(void **state)
{
    (void)state;
    struct pair pair = pair_init(41);
    pair.b->limits.connections = 4;
    pair.b->limits.connections_per_peer = 8;
    pair.a->limits.connections_per_peer = 8;
    pair_start(&pair);
    trp_swarm_keep_alive(pair.b->swarm, &pair.a->peer, 1); /* none is idle */
    for (uint32_t i = 0; i < 6; i++) {
        assert_status(pair_dial(pair.a, pair.b, true), TRP_OK);
        net_run(pair.world, TRP_MS(200));
    }
    assert_int_equal(pair.pb->connected, 4);
    assert_int_equal(trp_swarm_connections_count(pair.b->swarm), 4);
    assert_int_equal(trp_swarm_connections_count(pair.a->swarm), 4);
    assert_true(net_traced(pair.b, "limit_reached") >= 1);
    pair_close(&pair);
}

static void security_that_differs_is_no_agreement(void **state)
{
    (void)state;
    struct pair pair = pair_init(42);
    assert_status(net_host_start(pair.b), TRP_OK);
    pair.world->plaintext = true;
    assert_status(net_host_start(pair.a), TRP_OK);
    net_listen(pair.b, 0);
    net_run(pair.world, TRP_MS(1));
    pair_knows(pair.a, pair.b);
    assert_status(pair_dial(pair.a, pair.b, false), TRP_OK);
    net_run(pair.world, TRP_S(1));
    assert_int_equal(pair.pa->dials_failed, 1);
    assert_status(pair.pa->attempts[0].status, TRP_ENEGOTIATION);
    assert_string_equal(pair.pa->attempts[0].stage, "security");
    assert_int_equal(pair.pb->connected, 0);
    assert_int_equal(net_traced(pair.b, "upgrade_failed"), 1);
    pair_close(&pair);
}

static void a_quarrel_without_time_is_stopped(void **state)
{
    (void)state;
    struct pair pair = pair_open(43);
    pair.pa->redial_on_fail = true;
    const struct trp_dial_request request = {.peer = {.size = 4, .bytes = {0, 2, 8, 1}}};
    assert_status(trp_swarm_dial(pair.a->swarm, &request), TRP_OK);
    net_poke(pair.a);
    assert_true(pair.pa->dials_failed > 100);
    assert_int_equal(net_traced(pair.a, "limit_reached"), 1);
    assert_true(pair.a->deadline > pair.world->now);
    pair.pa->redial_on_fail = false;
    net_run(pair.world, TRP_S(1));
    pair_close(&pair);
}

/* ---- listening ---- */

static void listens_and_says_so(void **state)
{
    (void)state;
    struct pair pair = pair_open(50);
    struct trp_multiaddr addresses[4];
    assert_int_equal(trp_swarm_listen_addresses(pair.a->swarm, addresses, 4), 1);
    struct trp_multiaddr expected = net_address(0, NET_PORT_FIRST);
    assert_true(trp_multiaddr_equal(&addresses[0], &expected));
    assert_int_equal(pair.pa->self_changes, 1);
    assert_int_equal(net_traced(pair.a, "listening"), 1);
    struct trp_multiaddr taken = net_address(0, 1); /* the world says: address in use */
    assert_status(trp_swarm_listen(pair.a->swarm, &taken), TRP_OK);
    net_poke(pair.a);
    net_run(pair.world, TRP_MS(1));
    assert_int_equal(net_traced(pair.a, "listen_failed"), 1);
    assert_int_equal(trp_swarm_listen_addresses(pair.a->swarm, addresses, 4), 1);
    struct trp_multiaddr name;
    assert_status(trp_multiaddr_parse("/dns4/example.org/tcp/1", &name, NULL), TRP_OK);
    assert_status(trp_swarm_listen(pair.a->swarm, &name), TRP_EINVAL);
    for (uint32_t i = 0; i < 15; i++) {
        struct trp_multiaddr more = net_address(0, (uint16_t)(3000 + i));
        assert_status(trp_swarm_listen(pair.a->swarm, &more), TRP_OK);
    }
    assert_status(trp_swarm_listen(pair.a->swarm, &taken), TRP_EFULL);
    const char *protocols[4];
    assert_int_equal(trp_swarm_protocols(pair.a->swarm, protocols, 4), 1);
    assert_string_equal(protocols[0], ECHO);
    pair_close(&pair);
}

/* ---- determinism ---- */

static void run_once(uint64_t seed, char ret_hash[2][33])
{
    struct pair pair = pair_open(seed);
    assert_status(pair_dial(pair.b, pair.a, false), TRP_OK);
    for (uint32_t i = 0; i < 10; i++) {
        assert_status(probe_open(pair.pa, &pair.b->peer, ECHO, 5000 * i), TRP_OK);
    }
    net_poke(pair.a);
    net_run(pair.world, TRP_S(100));
    trp_recorder_print_hash(&pair.a->recorder, ret_hash[0]);
    trp_recorder_print_hash(&pair.b->recorder, ret_hash[1]);
    pair_close(&pair);
}

static void equal_inputs_give_equal_traces(void **state)
{
    (void)state;
    char one[2][33];
    char two[2][33];
    char other[2][33];
    run_once(60, one);
    run_once(60, two);
    run_once(61, other);
    assert_string_equal(one[0], two[0]);
    assert_string_equal(one[1], two[1]);
    assert_string_not_equal(one[0], other[0]);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(connects_and_echoes),
    cmocka_unit_test(connects_in_plaintext),
    cmocka_unit_test(connects_one_byte_at_a_time),
    cmocka_unit_test(connects_in_two_round_trips_and_answers_in_three),
    cmocka_unit_test(shares_a_dial_and_refuses_itself),
    cmocka_unit_test(closes_a_connection_to_itself),
    cmocka_unit_test(refuses_what_a_behaviour_does_not_admit),
    cmocka_unit_test(walks_connections_in_the_order_of_their_making),
    cmocka_unit_test(keeps_one_of_two_simultaneous_dials),
    cmocka_unit_test(a_duplicate_in_use_stays),
    cmocka_unit_test(a_reset_in_the_middle_ends_every_stream),
    cmocka_unit_test(what_was_written_before_a_close_arrives),
    cmocka_unit_test(a_close_does_not_wait_for_ever),
    cmocka_unit_test(a_behaviour_may_close_from_within_a_hook),
    cmocka_unit_test(a_flood_of_connections_is_refused_at_once),
    cmocka_unit_test(a_flood_leaves_a_place_to_others),
    cmocka_unit_test(connections_are_limited),
    cmocka_unit_test(security_that_differs_is_no_agreement),
    cmocka_unit_test(a_quarrel_without_time_is_stopped),
    cmocka_unit_test(listens_and_says_so),
    cmocka_unit_test(equal_inputs_give_equal_traces),
};

int main(void)
{
    return cmocka_run_group_tests(tests, NULL, NULL);
}
