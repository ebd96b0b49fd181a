/* SPDX-License-Identifier: MIT */
#include "net/peer_store.h"

#include "lib/test.h"

static struct trp_peer_id peer(uint32_t n)
{
    struct trp_peer_id id = {.size = 38, .bytes = {0, 0x24, 8, 1, 0x12, 0x20}};
    memcpy(id.bytes + 6, &n, sizeof n);
    return id;
}

static struct trp_multiaddr address(uint16_t port)
{
    const uint8_t ip[4] = {10, 0, 0, 1};
    return trp_multiaddr_from_ip(ip, 4, port);
}

static enum trp_status insert(struct trp_peer_store *store, uint32_t n, uint16_t port,
                              enum trp_address_source source)
{
    struct trp_peer_id id = peer(n);
    struct trp_multiaddr added = address(port);
    return trp_peer_store_insert(store, &id, &added, source);
}

/* Checks the ports of a peer's addresses, best first. */
static void assert_ports(const struct trp_peer_store *store, uint32_t n, const uint16_t *ports,
                         uint32_t count)
{
    struct trp_peer_id id = peer(n);
    struct trp_multiaddr found[16];
    assert_int_equal(trp_peer_store_addresses(store, &id, found, 16), count);
    for (uint32_t i = 0; i < count; i++) {
        struct trp_multiaddr expected = address(ports[i]);
        assert_true(trp_multiaddr_equal(&found[i], &expected));
    }
}

#define ASSERT_PORTS(store, n, ...)                                                                \
    assert_ports(store, n, (const uint16_t[]){__VA_ARGS__},                                        \
                 sizeof((const uint16_t[]){__VA_ARGS__}) / sizeof(uint16_t))

static void gives_the_best_first(void **state)
{
    (void)state;
    struct trp_memory memory = trp_memory_init(1u << 20);
    struct trp_peer_store store;
    trp_peer_store_init(&store, &memory, 16, 4);
    assert_status(insert(&store, 1, 10, TRP_ADDRESS_DHT), TRP_OK);
    assert_status(insert(&store, 1, 11, TRP_ADDRESS_IDENTIFY), TRP_OK);
    assert_status(insert(&store, 1, 12, TRP_ADDRESS_MDNS), TRP_OK);
    assert_status(insert(&store, 1, 13, TRP_ADDRESS_CONNECTED), TRP_OK);
    ASSERT_PORTS(&store, 1, 13, 11, 12, 10);
    assert_status(insert(&store, 1, 10, TRP_ADDRESS_CONNECTED), TRP_OK); /* it is better now */
    ASSERT_PORTS(&store, 1, 10, 13, 11, 12);
    struct trp_multiaddr two[2];
    struct trp_peer_id id = peer(1);
    assert_int_equal(trp_peer_store_addresses(&store, &id, two, 2), 2);
    trp_peer_store_deinit(&store);
    assert_int_equal(memory.used_bytes, 0);
}

static void better_sources_take_the_place_of_worse(void **state)
{
    (void)state;
    struct trp_memory memory = trp_memory_init(1u << 20);
    struct trp_peer_store store;
    trp_peer_store_init(&store, &memory, 16, 2);
    assert_status(insert(&store, 1, 10, TRP_ADDRESS_USER), TRP_OK);
    assert_status(insert(&store, 1, 11, TRP_ADDRESS_DHT), TRP_OK);
    assert_status(insert(&store, 1, 12, TRP_ADDRESS_IDENTIFY), TRP_OK);
    ASSERT_PORTS(&store, 1, 10, 12);
    assert_status(insert(&store, 1, 13, TRP_ADDRESS_DHT), TRP_EFULL);
    assert_status(insert(&store, 1, 14, TRP_ADDRESS_CONNECTED), TRP_OK);
    ASSERT_PORTS(&store, 1, 14, 10); /* never the user's */
    assert_status(insert(&store, 1, 15, TRP_ADDRESS_CONNECTED), TRP_OK);
    ASSERT_PORTS(&store, 1, 15, 10);
    trp_peer_store_deinit(&store);
}

static void what_fails_goes_behind_but_stays(void **state)
{
    (void)state;
    struct trp_memory memory = trp_memory_init(1u << 20);
    struct trp_peer_store store;
    trp_peer_store_init(&store, &memory, 16, 4);
    struct trp_peer_id id = peer(1);
    assert_status(insert(&store, 1, 10, TRP_ADDRESS_CONNECTED), TRP_OK);
    assert_status(insert(&store, 1, 11, TRP_ADDRESS_USER), TRP_OK);
    assert_status(insert(&store, 1, 12, TRP_ADDRESS_USER), TRP_OK);
    assert_status(insert(&store, 1, 13, TRP_ADDRESS_DHT), TRP_OK);
    ASSERT_PORTS(&store, 1, 10, 12, 11, 13);
    struct trp_multiaddr failed = address(10);
    trp_peer_store_demote(&store, &id, &failed);
    ASSERT_PORTS(&store, 1, 12, 11, 13, 10);
    failed = address(12);
    trp_peer_store_demote(&store, &id, &failed);
    ASSERT_PORTS(&store, 1, 11, 12, 13, 10);
    failed = address(99);
    trp_peer_store_demote(&store, &id, &failed);
    ASSERT_PORTS(&store, 1, 11, 12, 13, 10);
    assert_status(insert(&store, 1, 14, TRP_ADDRESS_DHT), TRP_OK); /* the failed one makes way */
    ASSERT_PORTS(&store, 1, 11, 12, 14, 13);
    trp_peer_store_deinit(&store);
}

static void the_peer_unused_longest_makes_way(void **state)
{
    (void)state;
    struct trp_memory memory = trp_memory_init(1u << 20);
    struct trp_peer_store store;
    trp_peer_store_init(&store, &memory, 3, 4);
    assert_status(insert(&store, 1, 10, TRP_ADDRESS_USER), TRP_OK);
    assert_status(insert(&store, 2, 10, TRP_ADDRESS_DHT), TRP_OK);
    assert_status(insert(&store, 3, 10, TRP_ADDRESS_DHT), TRP_OK);
    struct trp_peer_id id = peer(2);
    trp_peer_store_touch(&store, &id);
    assert_status(insert(&store, 4, 10, TRP_ADDRESS_DHT), TRP_OK);
    assert_ports(&store, 3, NULL, 0);
    ASSERT_PORTS(&store, 1, 10);
    ASSERT_PORTS(&store, 2, 10);
    ASSERT_PORTS(&store, 4, 10);
    assert_status(insert(&store, 2, 11, TRP_ADDRESS_USER), TRP_OK);
    assert_status(insert(&store, 4, 11, TRP_ADDRESS_USER), TRP_OK);
    assert_status(insert(&store, 5, 10, TRP_ADDRESS_CONNECTED), TRP_EFULL); /* all are the user's */
    assert_ports(&store, 5, NULL, 0);
    trp_peer_store_deinit(&store);
    assert_int_equal(memory.used_bytes, 0);
}

static void who_is_kept_makes_no_way(void **state)
{
    (void)state;
    struct trp_memory memory = trp_memory_init(1u << 20);
    struct trp_peer_store store;
    trp_peer_store_init(&store, &memory, 2, 4);
    struct trp_peer_id first = peer(1);
    struct trp_peer_id second = peer(2);
    assert_status(insert(&store, 1, 10, TRP_ADDRESS_DHT), TRP_OK);
    assert_status(insert(&store, 2, 10, TRP_ADDRESS_DHT), TRP_OK);
    trp_peer_store_keep(&store, &first, true);
    trp_peer_store_keep(&store, &first, true);
    trp_peer_store_touch(&store, &first);
    assert_status(insert(&store, 3, 10, TRP_ADDRESS_DHT), TRP_OK);
    ASSERT_PORTS(&store, 1, 10);
    assert_ports(&store, 2, NULL, 0);
    trp_peer_store_keep(&store, &second, true); /* unknown by now */
    trp_peer_store_keep(&store, &first, false);
    assert_status(insert(&store, 4, 10, TRP_ADDRESS_DHT), TRP_OK);
    assert_status(insert(&store, 5, 10, TRP_ADDRESS_USER), TRP_OK);
    assert_ports(&store, 1, NULL, 0);
    struct trp_peer_id named = peer(5);
    trp_peer_store_keep(&store, &named, true);
    trp_peer_store_keep(&store, &named, false); /* still the user's */
    assert_status(insert(&store, 6, 10, TRP_ADDRESS_DHT), TRP_OK);
    assert_status(insert(&store, 7, 10, TRP_ADDRESS_DHT), TRP_OK);
    ASSERT_PORTS(&store, 5, 10);
    trp_peer_store_deinit(&store);
    assert_int_equal(memory.used_bytes, 0);
}

static void out_of_memory_loses_nothing(void **state)
{
    (void)state;
    for (uint64_t n = 1; n < 40; n++) {
        struct trp_memory memory = trp_memory_init(1u << 20);
        struct trp_peer_store store;
        trp_peer_store_init(&store, &memory, 64, 4);
        memory.fail_at = n;
        for (uint32_t i = 0; i < 30; i++) {
            enum trp_status status = insert(&store, i % 20, (uint16_t)(10 + i), TRP_ADDRESS_DHT);
            assert_true(status == TRP_OK || status == TRP_ENOMEM);
            struct trp_peer_id id = peer(i % 20);
            struct trp_multiaddr found[4];
            uint32_t count = trp_peer_store_addresses(&store, &id, found, 4);
            assert_true(count > 0 || status == TRP_ENOMEM);
        }
        trp_peer_store_deinit(&store);
        assert_int_equal(memory.used_bytes, 0);
    }
}

static void forget(struct trp_peer_store *store, uint32_t n, uint16_t port,
                   enum trp_address_source source)
{
    struct trp_peer_id id = peer(n);
    struct trp_multiaddr forgotten = address(port);
    trp_peer_store_forget(store, &id, &forgotten, source);
}

static void what_nobody_says_is_forgotten(void **state)
{
    (void)state;
    struct trp_memory memory = trp_memory_init(1u << 20);
    struct trp_peer_store store;
    trp_peer_store_init(&store, &memory, 16, 4);
    assert_status(insert(&store, 1, 10, TRP_ADDRESS_MDNS), TRP_OK);
    assert_status(insert(&store, 1, 11, TRP_ADDRESS_MDNS), TRP_OK);
    assert_status(insert(&store, 1, 11, TRP_ADDRESS_IDENTIFY), TRP_OK);
    ASSERT_PORTS(&store, 1, 11, 10);
    forget(&store, 1, 10, TRP_ADDRESS_DHT); /* that source never said so */
    forget(&store, 1, 12, TRP_ADDRESS_MDNS);
    forget(&store, 2, 10, TRP_ADDRESS_MDNS);
    ASSERT_PORTS(&store, 1, 11, 10);
    forget(&store, 1, 11, TRP_ADDRESS_MDNS);
    ASSERT_PORTS(&store, 1, 11, 10); /* the peer itself says so too */
    forget(&store, 1, 10, TRP_ADDRESS_MDNS);
    ASSERT_PORTS(&store, 1, 11);
    forget(&store, 1, 11, TRP_ADDRESS_IDENTIFY);
    assert_int_equal(store.slab.count, 0);
    trp_peer_store_deinit(&store);
    assert_int_equal(memory.used_bytes, 0);
}

static void what_the_user_said_is_not_forgotten(void **state)
{
    (void)state;
    struct trp_memory memory = trp_memory_init(1u << 20);
    struct trp_peer_store store;
    trp_peer_store_init(&store, &memory, 16, 4);
    assert_status(insert(&store, 1, 10, TRP_ADDRESS_USER), TRP_OK);
    assert_status(insert(&store, 1, 10, TRP_ADDRESS_MDNS), TRP_OK);
    forget(&store, 1, 10, TRP_ADDRESS_MDNS);
    ASSERT_PORTS(&store, 1, 10);
    trp_peer_store_deinit(&store);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(gives_the_best_first),
    cmocka_unit_test(better_sources_take_the_place_of_worse),
    cmocka_unit_test(what_fails_goes_behind_but_stays),
    cmocka_unit_test(the_peer_unused_longest_makes_way),
    cmocka_unit_test(who_is_kept_makes_no_way),
    cmocka_unit_test(out_of_memory_loses_nothing),
    cmocka_unit_test(what_nobody_says_is_forgotten),
    cmocka_unit_test(what_the_user_said_is_not_forgotten),
};

int main(void)
{
    return cmocka_run_group_tests(tests, NULL, NULL);
}
