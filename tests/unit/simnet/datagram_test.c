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

/* ---- what a path does to datagrams: of 2000, a quarter within 5 standard deviations ---- */

#define MANY        2000u
#define QUARTER_PPM 250000u

static void assert_a_quarter(uint32_t count)
{
    assert_in_range(count, MANY / 4 - 97, MANY / 4 + 97);
}

/* Sends datagrams of four equal bytes, a millisecond after one another, from host 0 to host 1;
 * `note` looks at each that has come. */
static void scene_stream(const struct trp_path *path,
                         void (*note)(const struct toy_datagram *datagram, void *user), void *user)
{
    struct scene *scene = scene_open(1, 2, path);
    for (uint32_t i = 0; i < MANY + 200; i++) {
        const uint8_t bytes[4] = {(uint8_t)i, (uint8_t)i, (uint8_t)i, (uint8_t)i};
        const struct trp_datagram datagram = {.remote = host_address(1),
                                              .bytes = trp_bytes(bytes, sizeof bytes)};
        if (i < MANY) {
            toy_send_to(scene->stage.toys[0], scene->udps[0], &datagram);
            stage_kick(&scene->stage, 0);
        }
        trp_time until = trp_world_now(scene->stage.world) + TRP_MS(1);
        while (trp_world_next(scene->stage.world) <= until) {
            uint32_t before = scene->udps[1]->received;
            assert_status(trp_world_step(scene->stage.world), TRP_OK);
            if (scene->udps[1]->received > before) {
                note(&scene->udps[1]->last, user);
            }
        }
        assert_status(trp_world_run_until(scene->stage.world, until), TRP_OK);
    }
    scene_close(scene);
}

struct tally {
    uint32_t come;
    uint32_t again;   /* the same as the one before */
    uint32_t behind;  /* of less than the one before */
    uint32_t gaps;    /* of more than one more */
    uint32_t changed; /* one bit in four equal bytes */
    uint32_t shorter;
    uint32_t sizes[5];
    uint8_t newest;
};

static void tally_note(const struct toy_datagram *datagram, void *user)
{
    struct tally *tally = user;
    const uint8_t *bytes = datagram->bytes;
    size_t size = datagram->datagram.bytes.size;
    assert_in_range(size, 0, 4);
    tally->come++;
    tally->sizes[size]++;
    tally->shorter += size < 4;
    if (size < 4) {
        return;
    }
    uint32_t bits = 0;
    for (uint32_t i = 0; i < 4; i++) {
        /* Of each bit, the odd one out. */
        for (uint8_t bit = 1; bit != 0; bit = (uint8_t)(bit << 1)) {
            uint32_t set = 0;
            for (uint32_t k = 0; k < 4; k++) {
                set += (bytes[k] & bit) != 0;
            }
            bits += ((bytes[i] & bit) != 0) != (set > 2) && (set == 1 || set == 3);
        }
    }
    tally->changed += bits == 1;
    assert_in_range(bits, 0, 1);
    if (bits == 0) {
        int8_t ahead = (int8_t)(bytes[0] - tally->newest);
        tally->again += tally->come > 1 && ahead == 0;
        tally->behind += ahead < 0;
        tally->gaps += ahead > 1;
        tally->newest = ahead > 0 ? bytes[0] : tally->newest;
    }
}

static struct trp_path plain_path(void)
{
    return (struct trp_path){.latency = {.kind = TRP_DIST_CONST, .a = TRP_MS(10)}};
}

static void comes_twice(void **state)
{
    (void)state;
    struct tally tally = {.come = 0};
    struct trp_path path = plain_path();
    path.duplicate_ppm = QUARTER_PPM;
    scene_stream(&path, tally_note, &tally);
    assert_a_quarter(tally.come - MANY);
    assert_int_equal(tally.again, tally.come - MANY);
    assert_int_equal(tally.behind + tally.changed + tally.shorter, 0);
}

static void is_overtaken_when_held(void **state)
{
    (void)state;
    struct tally tally = {.come = 0};
    struct trp_path path = plain_path();
    path.reorder_ppm = QUARTER_PPM;
    scene_stream(&path, tally_note, &tally);
    assert_int_equal(tally.come, MANY);
    /* Held for 50 ms on average, where a datagram comes each millisecond: nearly all are. */
    assert_in_range(tally.behind, MANY / 4 - 130, MANY / 4 + 97);
    assert_int_equal(tally.again + tally.changed + tally.shorter, 0);
}

static void has_one_bit_changed(void **state)
{
    (void)state;
    struct tally tally = {.come = 0};
    struct trp_path path = plain_path();
    path.corrupt_ppm = QUARTER_PPM;
    scene_stream(&path, tally_note, &tally);
    assert_int_equal(tally.come, MANY);
    assert_a_quarter(tally.changed);
    assert_int_equal(tally.behind + tally.shorter, 0);
}

static void is_cut_short_at_any_length(void **state)
{
    (void)state;
    struct tally tally = {.come = 0};
    struct trp_path path = plain_path();
    path.truncate_ppm = QUARTER_PPM;
    scene_stream(&path, tally_note, &tally);
    assert_int_equal(tally.come, MANY);
    assert_a_quarter(tally.shorter);
    for (uint32_t size = 0; size < 4; size++) {
        assert_in_range(tally.sizes[size], MANY / 16 - 55, MANY / 16 + 55);
    }
    assert_int_equal(tally.changed + tally.behind, 0);
}

/* With bursts of 50 ms a quarter of the forty is lost whole. */
static void is_lost_in_bursts(void **state)
{
    (void)state;
    struct tally tally = {.come = 0};
    struct trp_path path = plain_path();
    path.loss_ppm = QUARTER_PPM;
    path.burst_ns = TRP_MS(50);
    scene_stream(&path, tally_note, &tally);
    assert_in_range(MANY - tally.come, 50, 25 * 50);
    assert_in_range(tally.gaps, 1, 20); /* one by one, some 375 would be there */
}

static void is_lost_beyond_the_mtu(void **state)
{
    (void)state;
    struct tally tally = {.come = 0};
    struct trp_path path = plain_path();
    path.mtu_bytes = 4 + TRP_SIM_DATAGRAM_HEADER_BYTES;
    scene_stream(&path, tally_note, &tally);
    assert_int_equal(tally.come, MANY);
    path.mtu_bytes--;
    scene_stream(&path, tally_note, &tally);
    assert_int_equal(tally.come, MANY); /* no more */
}

struct list {
    uint32_t count;
    uint8_t first[3 * MANY]; /* byte of each that came whole */
};

static void list_note(const struct toy_datagram *datagram, void *user)
{
    struct list *list = user;
    assert_true(list->count < sizeof list->first);
    list->first[list->count++] = datagram->bytes[0];
}

/* What one effect draws moves no draw of another: with duplicates the same datagrams are lost. */
static void effects_draw_by_themselves(void **state)
{
    (void)state;
    static struct list lists[2];
    memset(lists, 0, sizeof lists);
    struct trp_path path = plain_path();
    path.loss_ppm = QUARTER_PPM;
    scene_stream(&path, list_note, &lists[0]);
    path.duplicate_ppm = QUARTER_PPM;
    scene_stream(&path, list_note, &lists[1]);
    assert_true(lists[1].count > lists[0].count);
    uint32_t at = 0;
    for (uint32_t i = 0; i < lists[1].count; i++) {
        bool again = i > 0 && lists[1].first[i] == lists[1].first[i - 1];
        if (!again) {
            assert_int_equal(lists[1].first[i], lists[0].first[at++]);
        }
    }
    assert_int_equal(at, lists[0].count);
}

static void is_the_same_again_with_the_same_seed(void **state)
{
    (void)state;
    uint64_t hashes[3][2];
    for (uint32_t run = 0; run < 3; run++) {
        const struct trp_path path = {
            .latency = {.kind = TRP_DIST_UNIFORM, .a = TRP_MS(1), .b = TRP_MS(50)},
            .loss_ppm = 100000,
            .duplicate_ppm = 100000,
            .reorder_ppm = 100000,
            .corrupt_ppm = 100000,
            .truncate_ppm = 100000};
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
        cmocka_unit_test(comes_twice),
        cmocka_unit_test(is_overtaken_when_held),
        cmocka_unit_test(has_one_bit_changed),
        cmocka_unit_test(is_cut_short_at_any_length),
        cmocka_unit_test(is_lost_in_bursts),
        cmocka_unit_test(is_lost_beyond_the_mtu),
        cmocka_unit_test(effects_draw_by_themselves),
        cmocka_unit_test(is_the_same_again_with_the_same_seed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
