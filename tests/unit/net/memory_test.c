/* SPDX-License-Identifier: MIT */
/* Every allocation of a swarm fails in turn, while it listens, dials, is dialed, carries streams
 * and loses its connections. Nothing may crash or leak, and every stream must end once. */
#include "lib/net_probe.h"

/* Returns whether the planned failure came. */
static bool run_failing(uint64_t seed, bool plaintext, uint32_t victim, uint64_t fail_at)
{
    struct pair pair = pair_init(seed);
    pair.world->plaintext = plaintext;
    struct net_host *host = &pair.world->hosts[victim];
    struct net_host *other = &pair.world->hosts[1 - victim];
    assert_status(net_host_start(other), TRP_OK);
    net_listen(other, 0);
    host->memory.fail_at = fail_at;
    if (net_host_start(host) != TRP_OK) {
        assert_int_equal(host->memory.used_bytes, 0);
        pair_close(&pair);
        return true;
    }
    struct trp_multiaddr address = net_address(host->index, NET_PORT_FIRST);
    enum trp_status status = trp_swarm_listen(host->swarm, &address);
    assert_true(status == TRP_OK || status == TRP_ENOMEM);
    net_poke(host);
    net_run(pair.world, TRP_MS(1));
    pair_knows(pair.a, pair.b);
    pair_knows(pair.b, pair.a);
    struct trp_multiaddr name;
    assert_status(trp_multiaddr_parse("/dns4/host.example/tcp/1000", &name, NULL), TRP_OK);
    trp_swarm_add_address(pair.a->swarm, &pair.b->peer, &name, TRP_ADDRESS_DHT);
    trp_swarm_keep_alive(host->swarm, &other->peer, 1);
    for (uint32_t i = 0; i < 3; i++) {
        (void)probe_open(pair.pa, &pair.b->peer, ECHO, 20000 * i + 1);
        (void)probe_open(pair.pb, &pair.a->peer, ECHO, 20000 * i + 1);
    }
    net_poke(pair.a);
    net_poke(pair.b);
    net_run(pair.world, TRP_S(1));
    const char *protocols[] = {ECHO, "/other/1"};
    const struct trp_identified identified = {.peer = other->peer,
                                              .agent = "test",
                                              .protocols = protocols,
                                              .protocols_count = 2,
                                              .addresses = &address,
                                              .addresses_count = 1};
    trp_swarm_report_identified(host->swarm, &identified);
    (void)probe_open(pair.pa, &pair.b->peer, ECHO, 100000);
    net_poke(pair.a);
    net_poke(pair.b);
    net_run(pair.world, TRP_MS(50));
    net_reset_all(pair.world, victim);
    net_run(pair.world, TRP_MS(1));
    (void)probe_open(pair.pb, &pair.a->peer, ECHO, 1000);
    net_poke(pair.b);
    net_run(pair.world, TRP_S(20));
    for (uint32_t i = 0; i < pair.pa->streams_count; i++) {
        assert_true(pair.pa->streams[i].closed);
    }
    for (uint32_t i = 0; i < pair.pb->streams_count; i++) {
        assert_true(pair.pb->streams[i].closed);
    }
    bool came = host->memory.fail_at == 0 && fail_at > 0;
    pair_close(&pair);
    return came;
}

static void fail_all(bool plaintext, uint32_t victim)
{
    uint64_t fail_at = 1;
    while (run_failing(1, plaintext, victim, fail_at)) {
        fail_at++;
    }
    assert_true(fail_at > 100);
    print_message("%llu allocations\n", (unsigned long long)fail_at - 1);
}

static void the_dialer_runs_out_of_memory(void **state)
{
    (void)state;
    fail_all(false, 0);
}

static void the_listener_runs_out_of_memory(void **state)
{
    (void)state;
    fail_all(false, 1);
}

static void the_dialer_runs_out_of_memory_in_plaintext(void **state)
{
    (void)state;
    fail_all(true, 0);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(the_dialer_runs_out_of_memory),
    cmocka_unit_test(the_listener_runs_out_of_memory),
    cmocka_unit_test(the_dialer_runs_out_of_memory_in_plaintext),
};

int main(void)
{
    return cmocka_run_group_tests(tests, NULL, NULL);
}
