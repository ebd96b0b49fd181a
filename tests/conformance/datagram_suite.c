/* SPDX-License-Identifier: MIT */
/* What every driver does with datagrams and interfaces, run on each ground. */
#include "conformance/ground.h"
#include "conformance/toy.h"
#include "lib/test.h"

struct scene {
    struct ground *ground;
    struct toy toys[2];
    struct toy_udp *udps[2]; /* one of each toy */
    uint32_t wanted;         /* what the step at hand waits for */
};

static int set_up(void **state)
{
    struct scene *scene = test_malloc(sizeof *scene);
    scene->udps[0] = scene->udps[1] = NULL;
    toy_init(&scene->toys[0]);
    toy_init(&scene->toys[1]);
    scene->ground = ground_open(toy_process(&scene->toys[0]), toy_process(&scene->toys[1]));
    *state = scene;
    return 0;
}

static int tear_down(void **state)
{
    struct scene *scene = *state;
    ground_close(scene->ground);
    test_free(scene);
    return 0;
}

static void scene_kick(struct scene *scene)
{
    ground_kick(scene->ground, 0);
    ground_kick(scene->ground, 1);
}

static void scene_run(struct scene *scene, bool (*done)(void *))
{
    scene_kick(scene);
    assert_true(ground_run(scene->ground, done, scene));
}

static bool first_is_decided(void *user)
{
    const struct toy_udp *udp = ((struct scene *)user)->udps[0];
    return udp->bound || udp->closed_count > 0;
}

static bool second_is_decided(void *user)
{
    const struct toy_udp *udp = ((struct scene *)user)->udps[1];
    return udp->bound || udp->closed_count > 0;
}

/* Binds one of each toy, the second on the same port when that is asked for. */
static void scene_bind(struct scene *scene, bool same_port)
{
    struct trp_udp_address any = {.ip_bytes = 4};
    scene->udps[0] = toy_bind(&scene->toys[0], &any, same_port);
    scene_run(scene, first_is_decided);
    assert_true(scene->udps[0]->bound);
    any.port = same_port ? scene->udps[0]->address.port : 0;
    scene->udps[1] = toy_bind(&scene->toys[1], &any, same_port);
    scene_run(scene, second_is_decided);
    assert_true(scene->udps[1]->bound);
}

/* Where a socket of a toy is reached. */
static struct trp_udp_address scene_address(const struct scene *scene, uint32_t toy)
{
    struct trp_udp_address address = ground_udp(toy);
    address.port = scene->udps[toy]->address.port;
    return address;
}

static void scene_send(struct scene *scene, uint32_t from, const struct trp_udp_address *to,
                       struct trp_bytes bytes)
{
    const struct trp_datagram datagram = {.remote = *to, .bytes = bytes};
    toy_send_to(&scene->toys[from], scene->udps[from], &datagram);
}

static bool has_received(void *user)
{
    const struct scene *scene = user;
    return scene->udps[0]->received + scene->udps[1]->received >= scene->wanted;
}

static void names_the_port_it_chose(void **state)
{
    struct scene *scene = *state;
    static const uint8_t any[16];
    scene_bind(scene, false);
    assert_true(scene->udps[0]->address.port != 0);
    assert_int_equal(scene->udps[0]->address.ip_bytes, 4);
    assert_memory_equal(scene->udps[0]->address.ip, any, sizeof any);
}

static void carries_both_ways_and_names_both_sides(void **state)
{
    struct scene *scene = *state;
    scene_bind(scene, false);
    const struct trp_udp_address first = scene_address(scene, 0);
    const struct trp_udp_address second = scene_address(scene, 1);
    scene_send(scene, 1, &first, trp_bytes_text("ask"));
    scene->wanted = 1;
    scene_run(scene, has_received);
    const struct trp_datagram *got = &scene->udps[0]->last.datagram;
    assert_true(trp_udp_address_equal(&got->local, &first));
    assert_true(trp_udp_address_equal(&got->remote, &second));
    assert_true(trp_bytes_equal(got->bytes, trp_bytes_text("ask")));
    const struct trp_datagram answer = {.interface = got->interface,
                                        .local = got->local,
                                        .remote = got->remote,
                                        .bytes = trp_bytes_text("answer")};
    toy_send_to(&scene->toys[0], scene->udps[0], &answer);
    scene->wanted = 2;
    scene_run(scene, has_received);
    got = &scene->udps[1]->last.datagram;
    assert_true(trp_udp_address_equal(&got->remote, &first));
    assert_true(trp_bytes_equal(got->bytes, trp_bytes_text("answer")));
}

static void keeps_the_bounds_of_datagrams(void **state)
{
    struct scene *scene = *state;
    uint8_t bytes[TOY_UDP_BYTES];
    scene_bind(scene, false);
    const struct trp_udp_address to = scene_address(scene, 0);
    for (size_t i = 0; i < sizeof bytes; i++) {
        bytes[i] = (uint8_t)(i * 7);
    }
    static const size_t sizes[] = {0, 1, 1200, TOY_UDP_BYTES};
    for (uint32_t i = 0; i < 4; i++) {
        scene_send(scene, 1, &to, trp_bytes(bytes, sizes[i]));
        scene->wanted = i + 1;
        scene_run(scene, has_received);
        assert_true(
            trp_bytes_equal(scene->udps[0]->last.datagram.bytes, trp_bytes(bytes, sizes[i])));
    }
}

static void loses_what_nobody_takes(void **state)
{
    struct scene *scene = *state;
    scene_bind(scene, false);
    const struct trp_udp_address to = scene_address(scene, 0);
    toy_unbind(&scene->toys[0], scene->udps[0]);
    ground_kick(scene->ground, 0);
    scene_send(scene, 1, &to, trp_bytes_text("into the void"));
    scene_kick(scene);
    ground_rest(scene->ground); /* the toy fails on any input for it */
    assert_int_equal(scene->udps[1]->closed_count, 0);
}

static void refuses_a_port_that_is_taken(void **state)
{
    struct scene *scene = *state;
    scene_bind(scene, false);
    scene->udps[1] = toy_bind(&scene->toys[0], &scene->udps[0]->address, false);
    scene_run(scene, second_is_decided);
    assert_status(scene->udps[1]->closed_status, TRP_EADDRINUSE);
}

static void shares_a_port_when_both_agree(void **state)
{
    struct scene *scene = *state;
    scene_bind(scene, true);
    scene->udps[1] = toy_bind(&scene->toys[0], &scene->udps[0]->address, true);
    scene_run(scene, second_is_decided);
    assert_true(scene->udps[1]->bound);
}

static bool are_joined(void *user)
{
    const struct scene *scene = user;
    return scene->udps[0]->joins + scene->udps[1]->joins >= scene->wanted;
}

static void joins_and_leaves_groups(void **state)
{
    struct scene *scene = *state;
    uint32_t interface;
    scene_bind(scene, true);
    struct trp_udp_address group = ground_group(&interface);
    toy_join(&scene->toys[0], scene->udps[0], &group, interface, true);
    scene->wanted = 1;
    scene_run(scene, are_joined);
    assert_status(scene->udps[0]->joined[0], TRP_OK);
    group.port = scene->udps[0]->address.port;
    const struct trp_datagram hello = {
        .interface = interface, .remote = group, .bytes = trp_bytes_text("hello")};
    /* Only the member hears it. */
    toy_send_to(&scene->toys[1], scene->udps[1], &hello);
    scene_run(scene, has_received);
    ground_rest(scene->ground);
    assert_int_equal(scene->udps[0]->received, 1);
    assert_int_equal(scene->udps[1]->received, 0);
    const struct trp_datagram *got = &scene->udps[0]->last.datagram;
    assert_true(trp_udp_address_equal(&got->local, &group));
    assert_int_equal(got->interface, interface);
    /* A member hears itself. */
    toy_send_to(&scene->toys[0], scene->udps[0], &hello);
    scene->wanted = 2;
    scene_run(scene, has_received);
    assert_int_equal(scene->udps[0]->received, 2);
    toy_join(&scene->toys[0], scene->udps[0], &group, interface, false);
    toy_send_to(&scene->toys[0], scene->udps[0], &hello);
    scene_kick(scene);
    ground_rest(scene->ground);
    assert_int_equal(scene->udps[0]->received, 2);
}

static void answers_every_join(void **state)
{
    struct scene *scene = *state;
    uint32_t interface;
    scene_bind(scene, false);
    const struct trp_udp_address group = ground_group(&interface);
    const struct trp_udp_address none = ground_udp(0); /* is no group */
    toy_join(&scene->toys[0], scene->udps[0], &group, interface, true);
    toy_join(&scene->toys[0], scene->udps[0], &none, interface, true);
    toy_join(&scene->toys[0], scene->udps[0], &group, interface, true);
    scene->wanted = 3;
    scene_run(scene, are_joined);
    assert_status(scene->udps[0]->joined[0], TRP_OK);
    assert_status(scene->udps[0]->joined[1], TRP_EINVAL);
    assert_status(scene->udps[0]->joined[2], TRP_OK); /* is a member already */
}

static bool is_watched(void *user)
{
    const struct scene *scene = user;
    return scene->toys[0].interfaces_told == scene->wanted;
}

static void tells_the_interfaces(void **state)
{
    struct scene *scene = *state;
    const struct trp_udp_address own = ground_udp(0);
    for (scene->wanted = 1; scene->wanted <= 2; scene->wanted++) {
        toy_watch(&scene->toys[0]);
        scene_run(scene, is_watched);
        bool found = false;
        for (uint32_t i = 0; i < scene->toys[0].interfaces_count; i++) {
            const struct trp_interface *interface = &scene->toys[0].interfaces[i];
            found = found || (interface->ip_bytes == 4 && memcmp(interface->ip, own.ip, 4) == 0);
        }
        assert_true(found);
    }
}

static void says_nothing_after_a_close(void **state)
{
    struct scene *scene = *state;
    const struct trp_udp_address any = {.ip_bytes = 4};
    uint32_t interface;
    const struct trp_udp_address group = ground_group(&interface);
    struct toy_udp *udp = toy_bind(&scene->toys[0], &any, false);
    toy_join(&scene->toys[0], udp, &group, interface, true);
    toy_unbind(&scene->toys[0], udp);
    scene_kick(scene);
    ground_rest(scene->ground); /* the toy fails on any input for it */
    assert_false(udp->bound);
}

int main(void)
{
#define SCENE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        SCENE(names_the_port_it_chose),       SCENE(carries_both_ways_and_names_both_sides),
        SCENE(keeps_the_bounds_of_datagrams), SCENE(loses_what_nobody_takes),
        SCENE(refuses_a_port_that_is_taken),  SCENE(shares_a_port_when_both_agree),
        SCENE(joins_and_leaves_groups),       SCENE(answers_every_join),
        SCENE(tells_the_interfaces),          SCENE(says_nothing_after_a_close),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
