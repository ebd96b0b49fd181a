/* SPDX-License-Identifier: MIT */
/* Host 1 listens with ten places for connections that are being upgraded; host 0 is a peer. */
#include "lib/net_probe.h"
#include "net/pending.h"

#define PLACES 10u

static struct pair pair;
static uint32_t accepted;

static void begin(void)
{
    pair = pair_init(61);
    pair.b->limits.connections_pending_in = PLACES;
    pair_start(&pair);
    accepted = 0;
}

/* Gives the index of an end: a socket that the listener accepted, on which nobody speaks yet. */
static uint32_t accept_at(struct trp_multiaddr remote)
{
    uint32_t end = net_end_add(pair.world, 1, 100001 + 2 * accepted++);
    uint32_t other = net_end_add(pair.world, 3, 1); /* nobody's */
    pair.world->ends[end].connected = true;
    pair.world->ends[end].other = other + 1;
    const struct trp_multiaddr addresses[2] = {net_address(1, NET_PORT_FIRST), remote};
    const struct trp_input in = {.kind = TRP_IN_ACCEPTED,
                                 .now = pair.world->now,
                                 .socket = pair.world->ends[end].id,
                                 .addresses = addresses,
                                 .addresses_count = 2};
    net_step(pair.b, &in);
    return end;
}

/* One of its own for each `n`. */
static struct trp_multiaddr address(uint32_t n)
{
    const uint8_t ip[4] = {192, (uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n};
    return trp_multiaddr_from_ip(ip, 4, 5000);
}

static uint32_t accept_from(uint32_t n)
{
    return accept_at(address(n));
}

/* Host 0's own address. */
static uint32_t accept_from_peer(void)
{
    return accept_at(net_address(0, 5001));
}

/* Says the first thing that a peer says. */
static void speak(uint32_t end)
{
    static const char words[] = "\x13/multistream/1.0.0\n\x07/noise\n";
    const struct trp_input in = {.kind = TRP_IN_BYTES,
                                 .now = pair.world->now,
                                 .socket = pair.world->ends[end].id,
                                 .bytes = trp_bytes(words, sizeof words - 1)};
    net_step(pair.b, &in);
}

static bool is_kept(uint32_t end)
{
    return !pair.world->ends[end].closed;
}

static void disconnect(void)
{
    uint32_t at = 0;
    struct trp_connection_info info;
    while (trp_swarm_next_connection(pair.a->swarm, &at, &info)) {
        trp_swarm_close_connection(pair.a->swarm, info.id, TRP_OK);
    }
    net_poke(pair.a);
    net_run(pair.world, TRP_S(1));
}

static void a_newcomer_has_a_place_whoever_is_there(void **state)
{
    (void)state;
    begin();
    for (uint32_t n = 0; n < PLACES; n++) {
        accept_from(n);
    }
    pair_connect(&pair);
    assert_int_equal(net_traced(pair.b, "upgrade_failed"), 1);
    assert_int_equal(net_traced(pair.b, "limit_reached"), 0);
    pair_close(&pair);
}

/* Hundreds come after it: by lot it stays as long as one in ten may hope for. */
static void who_gives_way_is_drawn(void **state)
{
    (void)state;
    uint32_t stayed = 0;
    uint32_t seconds = 0;
    begin();
    for (uint32_t i = 0; i < 300; i++) {
        uint32_t first = accept_from(400 * i);
        for (uint32_t n = 1; n <= PLACES; n++) {
            accept_from(400 * i + n);
        }
        stayed += is_kept(first);
        uint32_t second = accept_from(400 * i + 300);
        for (uint32_t n = 1; n <= 2 * PLACES; n++) {
            accept_from(400 * i + 300 + n);
        }
        seconds += is_kept(second);
    }
    assert_in_range(stayed, 300 * 25 / 100, 300 * 45 / 100); /* 0.9^10 is 35 % */
    assert_in_range(seconds, 300 * 6 / 100, 300 * 20 / 100); /* 0.9^20 is 12 % */
    pair_close(&pair);
}

static void the_silent_give_way_first(void **state)
{
    (void)state;
    uint32_t speakers[PLACES / 2];
    begin();
    for (uint32_t n = 0; n < PLACES / 2; n++) {
        speakers[n] = accept_from(n);
        speak(speakers[n]);
        accept_from(100 + n);
    }
    for (uint32_t n = 0; n < 100; n++) {
        accept_from(1000 + n);
    }
    for (uint32_t n = 0; n < PLACES / 2; n++) {
        assert_true(is_kept(speakers[n]));
    }
    assert_int_equal(net_traced(pair.b, "upgrade_failed"), 100);
    for (uint32_t n = 0; n < PLACES / 2; n++) { /* all speak: now it is by lot */
        speak(accept_from(2000 + n));
    }
    accept_from(3000);
    assert_int_equal(net_traced(pair.b, "upgrade_failed"), 106);
    pair_close(&pair);
}

static void where_a_peer_proved_itself_gives_way_last(void **state)
{
    (void)state;
    begin();
    pair_connect(&pair);
    disconnect();
    uint32_t known = accept_from_peer(); /* and says nothing */
    for (uint32_t n = 0; n < 300; n++) {
        speak(accept_from(n));
    }
    assert_true(is_kept(known));
    for (uint32_t n = 0; n < PLACES; n++) { /* but it is one address */
        accept_from_peer();
    }
    assert_int_equal(net_traced(pair.b, "limit_reached"), 1);
    pair_close(&pair);
}

/* An attacker may prove itself, too, at as many addresses as it has. */
/* An attacker may prove itself, too: with more than half of the places it has no advantage. */
static void the_known_do_not_take_it_all(void **state)
{
    (void)state;
    begin();
    for (uint32_t n = 1; n < PLACES; n++) {
        struct trp_multiaddr at = address(n);
        trp_pending_prove(pair.b->swarm, &at);
        accept_from(n);
    }
    uint32_t stranger = accept_from(1000);
    speak(stranger);
    assert_true(is_kept(accept_from(1001)));
    assert_true(is_kept(stranger));
    assert_int_equal(net_traced(pair.b, "upgrade_failed"), 1);
    pair_close(&pair);
}

static void a_host_has_all_of_its_ip6_network(void **state)
{
    (void)state;
    uint8_t ip[16] = {0x20, 0x01, 0x0d, 0xb8, 1};
    begin();
    for (uint32_t n = 0; n < PLACES; n++) {
        ip[15] = (uint8_t)n;
        accept_at(trp_multiaddr_from_ip(ip, 16, 5000));
    }
    ip[9] = 1;
    accept_at(trp_multiaddr_from_ip(ip, 16, 5000));
    assert_int_equal(net_traced(pair.b, "limit_reached"), 1);
    ip[7] = 1;
    assert_true(is_kept(accept_at(trp_multiaddr_from_ip(ip, 16, 5000))));
    assert_int_equal(net_traced(pair.b, "upgrade_failed"), 1);
    pair_close(&pair);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_newcomer_has_a_place_whoever_is_there),
        cmocka_unit_test(who_gives_way_is_drawn),
        cmocka_unit_test(the_silent_give_way_first),
        cmocka_unit_test(where_a_peer_proved_itself_gives_way_last),
        cmocka_unit_test(the_known_do_not_take_it_all),
        cmocka_unit_test(a_host_has_all_of_its_ip6_network),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
