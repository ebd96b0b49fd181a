/* SPDX-License-Identifier: MIT */
#include "proto/mdns/cache.h"

#include "lib/test.h"

struct scene {
    struct trp_memory memory;
    struct trp_mdns_cache cache;
    trp_time now;
};

static void scene_open(struct scene *scene, uint32_t max, uint32_t per_peer)
{
    *scene = (struct scene){.memory = trp_memory_init(1u << 20), .now = TRP_S(100)};
    trp_mdns_cache_init(&scene->cache, &scene->memory, 1, max, per_peer);
}

static void scene_close(struct scene *scene)
{
    trp_mdns_cache_deinit(&scene->cache);
    assert_int_equal(scene->memory.used_bytes, 0);
}

static struct trp_mdns_news news_of(uint8_t peer, uint8_t address)
{
    const uint8_t ip[4] = {10, 0, 0, address};
    return (struct trp_mdns_news){.peer = {.size = 38, .bytes = {0, 36, [37] = peer}},
                                  .address = trp_multiaddr_from_ip(ip, 4, 4001),
                                  .interface = 2};
}

static enum trp_status scene_hear(struct scene *scene, uint8_t peer, uint8_t address,
                                  uint32_t ttl_s)
{
    const struct trp_mdns_news heard = news_of(peer, address);
    return trp_mdns_cache_hear(&scene->cache, &heard, ttl_s, scene->now);
}

/* The next news must be this, and about that address. */
static void expect(struct scene *scene, enum trp_mdns_event_kind kind, uint8_t address)
{
    struct trp_mdns_news news;
    assert_true(trp_mdns_cache_next_news(&scene->cache, &news));
    assert_int_equal(news.kind, kind);
    assert_int_equal(news.address.bytes[4], address);
    assert_int_equal(news.interface, 2);
}

static void expect_nothing(struct scene *scene)
{
    struct trp_mdns_news news;
    assert_false(trp_mdns_cache_next_news(&scene->cache, &news));
}

/* Runs to the moment of the next thing to do; gives the interface to ask by. */
static uint32_t scene_turn(struct scene *scene)
{
    uint32_t interface = UINT32_MAX;
    scene->now = trp_mdns_cache_deadline(&scene->cache);
    assert_true(scene->now != TRP_NEVER);
    assert_true(trp_mdns_cache_expire(&scene->cache, scene->now, &interface));
    return interface;
}

static void remembers_until_the_time_is_over(void **state)
{
    (void)state;
    struct scene scene;
    scene_open(&scene, 8, 8);
    assert_status(scene_hear(&scene, 1, 1, 100), TRP_OK);
    expect(&scene, TRP_MDNS_DISCOVERED, 1);
    expect_nothing(&scene);
    /* Asked for again at 80 to 82, and at 90 to 92 parts of 100. */
    assert_int_equal(scene_turn(&scene), 2);
    assert_in_range(scene.now, TRP_S(180), TRP_S(182));
    assert_int_equal(scene_turn(&scene), 2);
    assert_in_range(scene.now, TRP_S(190), TRP_S(192));
    expect_nothing(&scene);
    assert_int_equal(scene_turn(&scene), 0);
    assert_int_equal(scene.now, TRP_S(200));
    expect(&scene, TRP_MDNS_EXPIRED, 1);
    assert_int_equal(trp_mdns_cache_deadline(&scene.cache), TRP_NEVER);
    assert_status(scene_hear(&scene, 1, 1, 100), TRP_OK);
    expect(&scene, TRP_MDNS_DISCOVERED, 1);
    scene_close(&scene);
}

static void a_new_word_begins_the_time_anew(void **state)
{
    (void)state;
    struct scene scene;
    scene_open(&scene, 8, 8);
    assert_status(scene_hear(&scene, 1, 1, 100), TRP_OK);
    expect(&scene, TRP_MDNS_DISCOVERED, 1);
    (void)scene_turn(&scene);
    assert_status(scene_hear(&scene, 1, 1, 100), TRP_OK);
    expect(&scene, TRP_MDNS_RENEWED, 1);
    trp_time renewed_at = scene.now;
    (void)scene_turn(&scene);
    assert_in_range(scene.now - renewed_at, TRP_S(80), TRP_S(82));
    /* A shorter time counts too. */
    assert_status(scene_hear(&scene, 1, 1, 5), TRP_OK);
    expect(&scene, TRP_MDNS_RENEWED, 1);
    renewed_at = scene.now;
    assert_int_equal(scene_turn(&scene), 0); /* too short to ask again */
    assert_int_equal(scene.now - renewed_at, TRP_S(5));
    expect(&scene, TRP_MDNS_EXPIRED, 1);
    scene_close(&scene);
}

static void a_goodbye_counts_after_a_second(void **state)
{
    (void)state;
    struct scene scene;
    scene_open(&scene, 8, 8);
    assert_status(scene_hear(&scene, 9, 9, 0), TRP_OK); /* of nobody known */
    expect_nothing(&scene);
    assert_status(scene_hear(&scene, 1, 1, 100), TRP_OK);
    assert_status(scene_hear(&scene, 1, 2, 100), TRP_OK);
    expect(&scene, TRP_MDNS_DISCOVERED, 1);
    expect(&scene, TRP_MDNS_DISCOVERED, 2);
    assert_status(scene_hear(&scene, 1, 1, 0), TRP_OK);
    assert_status(scene_hear(&scene, 1, 2, 0), TRP_OK);
    expect_nothing(&scene);
    scene.now += TRP_MS(500);
    assert_status(scene_hear(&scene, 1, 2, 100), TRP_OK); /* it was not meant so */
    expect(&scene, TRP_MDNS_RENEWED, 2);
    (void)scene_turn(&scene);
    assert_int_equal(scene.now, TRP_S(101));
    expect(&scene, TRP_MDNS_EXPIRED, 1);
    expect_nothing(&scene);
    scene_close(&scene);
}

static void who_is_known_is_not_driven_out(void **state)
{
    (void)state;
    struct scene scene;
    scene_open(&scene, 3, 2);
    assert_status(scene_hear(&scene, 1, 1, 100), TRP_OK);
    assert_status(scene_hear(&scene, 1, 2, 100), TRP_OK);
    assert_status(scene_hear(&scene, 1, 3, 100), TRP_EFULL); /* the peer's share */
    assert_status(scene_hear(&scene, 2, 1, 100), TRP_OK);
    assert_status(scene_hear(&scene, 3, 1, 100), TRP_EFULL);
    assert_status(scene_hear(&scene, 1, 1, 100), TRP_OK); /* is known */
    assert_status(scene_hear(&scene, 1, 1, 0), TRP_OK);
    (void)scene_turn(&scene);
    expect(&scene, TRP_MDNS_DISCOVERED, 2);
    struct trp_mdns_news news;
    while (trp_mdns_cache_next_news(&scene.cache, &news)) {
    }
    assert_status(scene_hear(&scene, 3, 1, 100), TRP_OK);
    scene_close(&scene);
}

static void what_was_not_told_yet_is_told_once(void **state)
{
    (void)state;
    struct scene scene;
    scene_open(&scene, 8, 8);
    assert_status(scene_hear(&scene, 1, 1, 100), TRP_OK);
    assert_status(scene_hear(&scene, 1, 1, 100), TRP_OK);
    expect(&scene, TRP_MDNS_DISCOVERED, 1);
    expect_nothing(&scene);
    assert_status(scene_hear(&scene, 1, 1, 1), TRP_OK);
    expect(&scene, TRP_MDNS_RENEWED, 1);
    (void)scene_turn(&scene);
    assert_status(scene_hear(&scene, 1, 1, 100), TRP_OK); /* before its end was told */
    expect(&scene, TRP_MDNS_RENEWED, 1);
    expect_nothing(&scene);
    scene_close(&scene);
}

static void link_local_addresses_differ_by_interface(void **state)
{
    (void)state;
    struct scene scene;
    scene_open(&scene, 8, 8);
    struct trp_mdns_news heard = news_of(1, 1);
    heard.link_local = true;
    assert_status(trp_mdns_cache_hear(&scene.cache, &heard, 100, scene.now), TRP_OK);
    expect(&scene, TRP_MDNS_DISCOVERED, 1);
    heard.interface = 3;
    assert_status(trp_mdns_cache_hear(&scene.cache, &heard, 100, scene.now), TRP_OK);
    struct trp_mdns_news news;
    assert_true(trp_mdns_cache_next_news(&scene.cache, &news));
    assert_int_equal(news.kind, TRP_MDNS_DISCOVERED);
    assert_int_equal(news.interface, 3);
    scene_close(&scene);
}

static void believes_nobody_for_ever(void **state)
{
    (void)state;
    struct scene scene;
    scene_open(&scene, 8, 8);
    assert_status(scene_hear(&scene, 1, 1, UINT32_MAX), TRP_OK);
    expect(&scene, TRP_MDNS_DISCOVERED, 1);
    while (scene_turn(&scene) != 0) {
    }
    assert_int_equal(scene.now, TRP_S(100) + TRP_MIN(75));
    expect(&scene, TRP_MDNS_EXPIRED, 1);
    scene_close(&scene);
}

static void survives_without_memory(void **state)
{
    (void)state;
    bool came = true;
    for (uint64_t fail_at = 1; came; fail_at++) {
        struct scene scene;
        scene_open(&scene, 64, 8);
        scene.memory.fail_at = fail_at;
        uint32_t known = 0;
        for (uint8_t i = 0; i < 20; i++) {
            enum trp_status status = scene_hear(&scene, i, i, 100);
            assert_true(status == TRP_OK || status == TRP_ENOMEM);
            known += status == TRP_OK;
        }
        came = scene.memory.fail_at == 0;
        struct trp_mdns_news news;
        while (trp_mdns_cache_next_news(&scene.cache, &news)) {
            known--;
        }
        assert_int_equal(known, 0);
        scene_close(&scene);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(remembers_until_the_time_is_over),
        cmocka_unit_test(a_new_word_begins_the_time_anew),
        cmocka_unit_test(a_goodbye_counts_after_a_second),
        cmocka_unit_test(who_is_known_is_not_driven_out),
        cmocka_unit_test(what_was_not_told_yet_is_told_once),
        cmocka_unit_test(link_local_addresses_differ_by_interface),
        cmocka_unit_test(believes_nobody_for_ever),
        cmocka_unit_test(survives_without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
