/* SPDX-License-Identifier: MIT */
#include "lib/net_probe.h"

#define ECHO "/echo/1"

/* Hosts 0 and 1, each with a probe; host 1 listens, host 0 knows where. */
struct pair {
    struct net_world *world;
    struct net_host *a;
    struct net_host *b;
    struct net_probe *pa;
    struct net_probe *pb;
};

static struct pair pair_init(uint64_t seed)
{
    struct pair pair = {.world = net_world_open(seed)};
    pair.a = net_host_init(pair.world, 0);
    pair.b = net_host_init(pair.world, 1);
    pair.pa = probe_make(ECHO);
    pair.pb = probe_make(ECHO);
    net_host_add(pair.a, probe_behaviour(pair.pa));
    net_host_add(pair.b, probe_behaviour(pair.pb));
    return pair;
}

static void knows(struct net_host *host, const struct net_host *other, uint16_t n)
{
    struct trp_multiaddr address = net_address(other->index, (uint16_t)(NET_PORT_FIRST + n));
    trp_swarm_add_address(host->swarm, &other->peer, &address, TRP_ADDRESS_USER);
}

static void pair_start(struct pair *pair)
{
    assert_status(net_host_start(pair->a), TRP_OK);
    assert_status(net_host_start(pair->b), TRP_OK);
    net_listen(pair->a, 0);
    net_listen(pair->b, 0);
    net_run(pair->world, TRP_MS(1));
    knows(pair->a, pair->b, 0);
    knows(pair->b, pair->a, 0);
}

static struct pair pair_open(uint64_t seed)
{
    struct pair pair = pair_init(seed);
    pair_start(&pair);
    return pair;
}

static void pair_close(struct pair *pair)
{
    net_world_close(pair->world);
    probe_free(pair->pa);
    probe_free(pair->pb);
}

static void pair_connect(struct pair *pair)
{
    const struct trp_dial_request request = {.peer = pair->b->peer};
    assert_status(trp_swarm_dial(pair->a->swarm, &request), TRP_OK);
    net_poke(pair->a);
    net_run(pair->world, TRP_S(1));
    assert_int_equal(pair->pa->connected, 1);
    assert_int_equal(pair->pb->connected, 1);
}

/* ---- connecting ---- */

static void connects_and_echoes(void **state)
{
    (void)state;
    struct pair pair = pair_open(1);
    assert_status(probe_open(pair.pa, &pair.b->peer, ECHO, 1000), TRP_OK);
    net_poke(pair.a);
    net_run(pair.world, TRP_S(1));
    assert_int_equal(pair.pa->connected, 1);
    assert_true(pair.pa->last_connected.outbound);
    assert_true(trp_peer_id_equal(&pair.pa->last_connected.peer, &pair.b->peer));
    assert_false(pair.pb->last_connected.outbound);
    assert_true(trp_peer_id_equal(&pair.pb->last_connected.peer, &pair.a->peer));
    struct probe_stream *s = probe_last(pair.pa);
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

static void connects_by_dial(void **state)
{
    (void)state;
    struct pair pair = pair_open(2);
    pair_connect(&pair);
    pair_close(&pair);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(connects_by_dial),
    cmocka_unit_test(connects_and_echoes),
};

int main(void)
{
    return cmocka_run_group_tests(tests, NULL, NULL);
}
