/* SPDX-License-Identifier: MIT */
/* What the simulated network does to datagrams; what every driver does is in the conformance suite.
 */
#include "conformance/stage.h"
#include "lib/test.h"

#define PORT      5353u
#define HOSTS_MAX 4u

static const uint32_t h0 = 0;
static const uint32_t h1 = 1;
static const struct trp_udp_address group = {.ip = {224, 0, 0, 251}, .ip_bytes = 4, .port = PORT};

struct scene {
    struct stage stage;
    struct toy_udp *udps[HOSTS_MAX];
};

static void bind_one(struct stage *stage, uint32_t host)
{
    struct scene *scene = TRP_CONTAINER(stage, struct scene, stage);
    const struct trp_udp_address any = {.ip_bytes = 4, .port = PORT};
    scene->udps[host] = toy_bind(stage->toys[host], &any, true);
    toy_join(stage->toys[host], scene->udps[host], &group, 0, true);
}

/* Hosts that are all bound to PORT and members of the group, 10 ms from each other. */
static struct scene *scene_open(uint64_t seed, uint32_t hosts, const struct trp_path *path)
{
    struct scene *scene = test_malloc(sizeof *scene);
    *scene = (struct scene){.stage = {.mute = true, .on_start = bind_one}};
    scene->stage.path = (struct trp_path){.latency = {.kind = TRP_DIST_CONST, .a = TRP_MS(10)}};
    if (path != NULL) {
        scene->stage.path = *path;
    }
    stage_open_as_set(&scene->stage, seed, hosts);
    stage_run(&scene->stage, TRP_MS(1));
    return scene;
}

static void scene_close(struct scene *scene)
{
    stage_close(&scene->stage);
    test_free(scene);
}

static void scene_send(struct scene *scene, uint32_t from, const struct trp_udp_address *to)
{
    const struct trp_datagram datagram = {.remote = *to, .bytes = trp_bytes_text("datagram")};
    toy_send_to(scene->stage.toys[from], scene->udps[from], &datagram);
    stage_kick(&scene->stage, from);
}

static struct trp_udp_address host_address(uint32_t host)
{
    struct trp_udp_address address = {.ip_bytes = 4, .port = PORT};
    trp_world_host_ip(host, address.ip);
    return address;
}

static void takes_the_latency_of_the_path(void **state)
{
    (void)state;
    struct scene *scene = scene_open(1, 2, NULL);
    const struct trp_udp_address to = host_address(1);
    scene_send(scene, 0, &to);
    stage_run(&scene->stage, TRP_MS(10) - 1);
    assert_int_equal(scene->udps[1]->received, 0);
    stage_run(&scene->stage, 1);
    assert_int_equal(scene->udps[1]->received, 1);
    scene_close(scene);
}

/* Of 2000 datagrams with a loss of 25%, about 500 are lost: within 5 standard deviations. */
static void loses_by_chance_and_for_good(void **state)
{
    (void)state;
    const struct trp_path path = {.latency = {.kind = TRP_DIST_CONST, .a = TRP_MS(10)},
                                  .loss_ppm = 250000};
    struct scene *scene = scene_open(1, 2, &path);
    const struct trp_udp_address to = host_address(1);
    for (uint32_t i = 0; i < 2000; i++) {
        scene_send(scene, 0, &to);
    }
    stage_run(&scene->stage, TRP_MIN(1));
    assert_in_range(scene->udps[1]->received, 1500 - 97, 1500 + 97);
    scene_close(scene);
}

/* What leaves later may come earlier where the latency varies. */
static void may_overtake(void **state)
{
    (void)state;
    const struct trp_path path = {
        .latency = {.kind = TRP_DIST_UNIFORM, .a = TRP_MS(1), .b = TRP_S(2)}};
    struct scene *scene = scene_open(1, 2, &path);
    const struct trp_udp_address to = host_address(1);
    bool overtaken = false;
    uint8_t newest = 0;
    for (uint8_t i = 1; i <= 50; i++) {
        const struct trp_datagram numbered = {.remote = to, .bytes = trp_bytes(&i, 1)};
        toy_send_to(scene->stage.toys[0], scene->udps[0], &numbered);
        stage_kick(&scene->stage, 0);
        for (uint32_t k = 0; k < 10; k++) {
            uint32_t before = scene->udps[1]->received;
            stage_run(&scene->stage, TRP_MS(10));
            if (scene->udps[1]->received > before) {
                overtaken = overtaken || scene->udps[1]->last.bytes[0] < newest;
                newest = scene->udps[1]->last.bytes[0];
            }
        }
    }
    assert_true(overtaken);
    scene_close(scene);
}

static void is_cut_at_both_ends_and_in_flight(void **state)
{
    (void)state;
    struct scene *scene = scene_open(1, 2, NULL);
    const struct trp_udp_address to = host_address(1);
    (void)trp_world_cut(scene->stage.world, 1, &h0, 1, &h1, 1, TRP_CUT_REFUSE, 0);
    scene_send(scene, 0, &to);
    stage_run(&scene->stage, TRP_S(1));
    (void)trp_world_heal(scene->stage.world, 1, 0);
    stage_run(&scene->stage, TRP_S(1));
    assert_int_equal(scene->udps[1]->received, 0);
    scene_send(scene, 0, &to);
    stage_run(&scene->stage, TRP_MS(5));
    (void)trp_world_cut(scene->stage.world, 2, &h0, 1, &h1, 1, TRP_CUT_BLACKHOLE, 0);
    stage_run(&scene->stage, TRP_MS(1));
    (void)trp_world_heal(scene->stage.world, 2, 0);
    stage_run(&scene->stage, TRP_S(1));
    assert_int_equal(scene->udps[1]->received, 0);
    scene_send(scene, 0, &to);
    stage_run(&scene->stage, TRP_S(1));
    assert_int_equal(scene->udps[1]->received, 1);
    scene_close(scene);
}

static void is_lost_in_a_stall(void **state)
{
    (void)state;
    const struct trp_path path = {.latency = {.kind = TRP_DIST_CONST, .a = TRP_MS(10)},
                                  .stall = true};
    struct scene *scene = scene_open(1, 2, &path);
    const struct trp_udp_address to = host_address(1);
    scene_send(scene, 0, &to);
    stage_run(&scene->stage, TRP_S(1));
    scene->stage.path.stall = false;
    stage_change_path(&scene->stage);
    stage_run(&scene->stage, TRP_S(1));
    assert_int_equal(scene->udps[1]->received, 0);
    scene_close(scene);
}

/* 1 Mbit/s and 10 ms of queue: a datagram of 8 bytes takes 384 us with its headers, so that the
 * first and 27 more find room. */
static void is_dropped_where_the_queue_is_full(void **state)
{
    (void)state;
    const struct trp_path path = {.latency = {.kind = TRP_DIST_CONST, .a = TRP_MS(10)},
                                  .rate_bits_per_s = 1000000,
                                  .queue_ns = TRP_MS(10)};
    struct scene *scene = scene_open(1, 2, &path);
    const struct trp_udp_address to = host_address(1);
    for (uint32_t i = 0; i < 100; i++) {
        scene_send(scene, 0, &to);
    }
    stage_run(&scene->stage, TRP_S(1));
    assert_in_range(scene->udps[1]->received, 26, 29);
    scene_close(scene);
}

static void reaches_the_members_of_the_lan(void **state)
{
    (void)state;
    struct scene *scene = scene_open(1, 4, NULL);
    trp_world_set_lan(scene->stage.world, 2, 7);
    toy_join(scene->stage.toys[3], scene->udps[3], &group, 0, false);
    stage_kick(&scene->stage, 3);
    scene_send(scene, 0, &group);
    stage_run(&scene->stage, TRP_S(1));
    assert_int_equal(scene->udps[0]->received, 1); /* itself */
    assert_int_equal(scene->udps[1]->received, 1);
    assert_int_equal(scene->udps[2]->received, 0); /* elsewhere */
    assert_int_equal(scene->udps[3]->received, 0); /* has left the group */
    (void)trp_world_cut(scene->stage.world, 1, &h0, 1, &h1, 1, TRP_CUT_BLACKHOLE, 0);
    scene_send(scene, 0, &group);
    stage_run(&scene->stage, TRP_S(1));
    assert_int_equal(scene->udps[0]->received, 2);
    assert_int_equal(scene->udps[1]->received, 1);
    scene_close(scene);
}

static void waits_for_a_paused_process_within_bounds(void **state)
{
    (void)state;
    struct scene *scene = scene_open(1, 2, NULL);
    static uint8_t bytes[TOY_UDP_BYTES];
    const struct trp_datagram large = {.remote = host_address(1),
                                       .bytes = trp_bytes(bytes, sizeof bytes)};
    (void)trp_world_pause(scene->stage.world, 1, 0);
    for (uint32_t i = 0; i < 200; i++) {
        toy_send_to(scene->stage.toys[0], scene->udps[0], &large);
        stage_kick(&scene->stage, 0);
    }
    stage_run(&scene->stage, TRP_S(1));
    assert_int_equal(scene->udps[1]->received, 0);
    (void)trp_world_resume(scene->stage.world, 1, 0);
    stage_run(&scene->stage, TRP_S(1));
    assert_int_equal(scene->udps[1]->received, TRP_SIM_DATAGRAM_UNREAD_BYTES / sizeof bytes);
    const struct trp_udp_address to = host_address(1);
    scene_send(scene, 0, &to); /* and there is room again */
    stage_run(&scene->stage, TRP_S(1));
    assert_int_equal(scene->udps[1]->received, TRP_SIM_DATAGRAM_UNREAD_BYTES / sizeof bytes + 1);
    scene_close(scene);
}

static void dies_with_its_host(void **state)
{
    (void)state;
    struct scene *scene = scene_open(1, 2, NULL);
    const struct trp_udp_address to = host_address(1);
    (void)trp_world_pause(scene->stage.world, 1, 0);
    scene_send(scene, 0, &to);
    stage_run(&scene->stage, TRP_MS(20)); /* it waits for the process */
    scene_send(scene, 0, &to);            /* and this is in flight */
    (void)trp_world_crash(scene->stage.world, 1, 0);
    stage_run(&scene->stage, TRP_S(1));
    (void)trp_world_restart(scene->stage.world, 1, TRP_STATE_KEPT, 0);
    stage_run(&scene->stage, TRP_S(1));
    assert_int_equal(scene->udps[1]->received, 0);
    scene_send(scene, 0, &to);
    stage_run(&scene->stage, TRP_S(1));
    assert_int_equal(scene->udps[1]->received, 1);
    scene_close(scene);
}

static void is_the_same_again_with_the_same_seed(void **state)
{
    (void)state;
    uint64_t hashes[3][2];
    for (uint32_t run = 0; run < 3; run++) {
        const struct trp_path path = {
            .latency = {.kind = TRP_DIST_UNIFORM, .a = TRP_MS(1), .b = TRP_MS(50)},
            .loss_ppm = 100000};
        struct scene *scene = scene_open(run < 2 ? 1 : 2, 3, &path);
        for (uint32_t i = 0; i < 100; i++) {
            scene_send(scene, i % 3, &group);
            stage_run(&scene->stage, TRP_MS(7));
        }
        memcpy(hashes[run], scene->stage.toys[0]->hash, sizeof hashes[run]);
        scene_close(scene);
    }
    assert_memory_equal(hashes[0], hashes[1], sizeof hashes[0]);
    assert_memory_not_equal(hashes[0], hashes[2], sizeof hashes[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_the_latency_of_the_path),
        cmocka_unit_test(loses_by_chance_and_for_good),
        cmocka_unit_test(may_overtake),
        cmocka_unit_test(is_cut_at_both_ends_and_in_flight),
        cmocka_unit_test(is_lost_in_a_stall),
        cmocka_unit_test(is_dropped_where_the_queue_is_full),
        cmocka_unit_test(reaches_the_members_of_the_lan),
        cmocka_unit_test(waits_for_a_paused_process_within_bounds),
        cmocka_unit_test(dies_with_its_host),
        cmocka_unit_test(is_the_same_again_with_the_same_seed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
