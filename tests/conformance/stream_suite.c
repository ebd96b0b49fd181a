/* SPDX-License-Identifier: MIT */
/* What every driver of a process does, written once and run on each ground. */
#include "conformance/ground.h"
#include "conformance/toy.h"
#include "lib/test.h"

struct scene {
    struct ground *ground;
    struct toy toys[2];
    struct toy_socket *listener; /* of toy 0 */
    struct toy_socket *dialed;   /* of toy 1 */
};

static struct toy_socket *scene_accepted(struct scene *scene)
{
    return toy_accepted(&scene->toys[0], 0);
}

static void scene_run(struct scene *scene, bool (*done)(void *))
{
    ground_kick(scene->ground, 0);
    ground_kick(scene->ground, 1);
    assert_true(ground_run(scene->ground, done, scene));
}

static bool is_listening(void *user)
{
    struct scene *scene = user;
    return scene->listener->local.size > 0;
}

static bool is_connected(void *user)
{
    struct scene *scene = user;
    struct toy_socket *accepted = scene_accepted(scene);
    return scene->dialed->state == TOY_OPEN && accepted != NULL;
}

static bool dialer_ended(void *user)
{
    struct scene *scene = user;
    return scene->dialed->state == TOY_ENDED;
}

static bool acceptor_ended(void *user)
{
    return scene_accepted(user)->state == TOY_ENDED;
}

static bool both_ended(void *user)
{
    return dialer_ended(user) && acceptor_ended(user);
}

static int set_up(void **state)
{
    struct scene *scene = test_malloc(sizeof *scene);
    toy_init(&scene->toys[0]);
    toy_init(&scene->toys[1]);
    scene->ground = ground_open(toy_process(&scene->toys[0]), toy_process(&scene->toys[1]));
    struct trp_multiaddr address = ground_address();
    scene->listener = toy_listen(&scene->toys[0], &address);
    scene->dialed = NULL;
    scene_run(scene, is_listening);
    *state = scene;
    return 0;
}

static int tear_down(void **state)
{
    struct scene *scene = *state;
    ground_close(scene->ground);
    for (uint32_t i = 0; i < 2; i++) {
        for (uint32_t k = 0; k < scene->toys[i].sockets_count; k++) {
            assert_true(scene->toys[i].sockets[k].closed_count <= 1);
        }
    }
    test_free(scene);
    return 0;
}

static void scene_connect(struct scene *scene)
{
    scene->dialed = toy_dial(&scene->toys[1], &scene->listener->local);
    scene_run(scene, is_connected);
}

static void connects_and_names_both_sides(void **state)
{
    struct scene *scene = *state;
    scene_connect(scene);
    struct toy_socket *accepted = scene_accepted(scene);
    assert_true(trp_multiaddr_equal(&scene->dialed->local, &accepted->remote));
    assert_true(trp_multiaddr_equal(&scene->dialed->remote, &accepted->local));
    assert_int_equal(accepted->listener, scene->listener->id);
}

static void refuses_where_nobody_listens(void **state)
{
    struct scene *scene = *state;
    struct trp_multiaddr nowhere = ground_closed_address();
    scene->dialed = toy_dial(&scene->toys[1], &nowhere);
    scene_run(scene, dialer_ended);
    assert_status(scene->dialed->closed_status, TRP_EREFUSED);
    assert_int_equal(scene->dialed->closed_count, 1);
}

static void refuses_after_the_listener_closed(void **state)
{
    struct scene *scene = *state;
    struct trp_multiaddr address = scene->listener->local;
    toy_close(&scene->toys[0], scene->listener, false);
    ground_kick(scene->ground, 0);
    ground_rest(scene->ground);
    scene->dialed = toy_dial(&scene->toys[1], &address);
    scene_run(scene, dialer_ended);
    assert_status(scene->dialed->closed_status, TRP_EREFUSED);
}

static void refuses_a_port_that_is_taken(void **state)
{
    struct scene *scene = *state;
    scene->dialed = toy_listen(&scene->toys[0], &scene->listener->local);
    scene_run(scene, dialer_ended);
    assert_status(scene->dialed->closed_status, TRP_EADDRINUSE);
}

static void expands_a_wildcard(void **state)
{
    struct scene *scene = *state;
    struct trp_multiaddr any = ground_wildcard();
    struct trp_endpoint endpoint;
    scene->listener = toy_listen(&scene->toys[0], &any);
    scene_run(scene, is_listening);
    assert_status(trp_multiaddr_tcp(&scene->listener->local, &endpoint), TRP_OK);
    assert_true(endpoint.port != 0);
    assert_true(endpoint.ip[0] != 0);
    scene_connect(scene);
}

static bool echo_is_back(void *user)
{
    struct scene *scene = user;
    return scene->dialed->received == 300000 && toy_is_credited(scene->dialed) &&
           toy_is_credited(scene_accepted(scene));
}

static void carries_bytes_both_ways_and_returns_credit(void **state)
{
    struct scene *scene = *state;
    scene->toys[0].echo = true;
    scene_connect(scene);
    toy_send(&scene->toys[1], scene->dialed, 300000);
    scene_run(scene, echo_is_back);
}

static bool acceptor_has_eof(void *user)
{
    return scene_accepted(user)->eof;
}

static bool dialer_has_eof(void *user)
{
    struct scene *scene = user;
    return scene->dialed->eof;
}

static void half_closes_dialer_first(void **state)
{
    struct scene *scene = *state;
    scene_connect(scene);
    struct toy_socket *accepted = scene_accepted(scene);
    toy_send(&scene->toys[1], scene->dialed, 1000);
    toy_shutdown(&scene->toys[1], scene->dialed);
    scene_run(scene, acceptor_has_eof);
    assert_int_equal(accepted->received, 1000);
    assert_int_equal(accepted->closed_count, 0);
    toy_send(&scene->toys[0], accepted, 200000);
    toy_shutdown(&scene->toys[0], accepted);
    scene_run(scene, both_ended);
    assert_true(scene->dialed->eof);
    assert_int_equal(scene->dialed->received, 200000);
    assert_status(scene->dialed->closed_status, TRP_OK);
    assert_status(accepted->closed_status, TRP_OK);
}

static void half_closes_acceptor_first(void **state)
{
    struct scene *scene = *state;
    scene_connect(scene);
    struct toy_socket *accepted = scene_accepted(scene);
    toy_shutdown(&scene->toys[0], accepted);
    scene_run(scene, dialer_has_eof);
    toy_send(&scene->toys[1], scene->dialed, 200000);
    toy_shutdown(&scene->toys[1], scene->dialed);
    scene_run(scene, both_ended);
    assert_int_equal(accepted->received, 200000);
    assert_status(scene->dialed->closed_status, TRP_OK);
    assert_status(accepted->closed_status, TRP_OK);
}

static void half_closes_both_at_once(void **state)
{
    struct scene *scene = *state;
    scene_connect(scene);
    toy_shutdown(&scene->toys[0], scene_accepted(scene));
    toy_shutdown(&scene->toys[1], scene->dialed);
    scene_run(scene, both_ended);
    assert_true(scene->dialed->eof && scene_accepted(scene)->eof);
}

static void resets(void **state)
{
    struct scene *scene = *state;
    scene_connect(scene);
    toy_close(&scene->toys[1], scene->dialed, true);
    scene_run(scene, acceptor_ended);
    assert_status(scene_accepted(scene)->closed_status, TRP_ERESET);
}

static bool acceptor_has_first_bytes(void *user)
{
    return scene_accepted(user)->received > 0;
}

static void resets_amid_a_transfer(void **state)
{
    struct scene *scene = *state;
    scene_connect(scene);
    toy_send(&scene->toys[1], scene->dialed, 64u << 20);
    scene_run(scene, acceptor_has_first_bytes);
    toy_close(&scene->toys[0], scene_accepted(scene), true);
    scene_run(scene, dialer_ended);
    assert_status(scene->dialed->closed_status, TRP_ERESET);
}

static void sends_what_was_written_before_a_close(void **state)
{
    struct scene *scene = *state;
    scene_connect(scene);
    scene->dialed->close_when_sent = true;
    toy_send(&scene->toys[1], scene->dialed, 3000000);
    scene_run(scene, acceptor_has_eof);
    assert_int_equal(scene_accepted(scene)->received, 3000000);
    ground_rest(scene->ground);
    assert_int_equal(scene_accepted(scene)->closed_count, 0);
}

static void resets_who_writes_to_a_closed_socket(void **state)
{
    struct scene *scene = *state;
    scene_connect(scene);
    toy_close(&scene->toys[0], scene_accepted(scene), false);
    scene_run(scene, dialer_has_eof);
    toy_send(&scene->toys[1], scene->dialed, 1000);
    ground_kick(scene->ground, 1);
    ground_rest(scene->ground);
    if (scene->dialed->state != TOY_ENDED) { /* the second write meets the reset */
        toy_send(&scene->toys[1], scene->dialed, 1000);
    }
    scene_run(scene, dialer_ended);
    assert_status(scene->dialed->closed_status, TRP_ERESET);
}

#define BULK_BYTES (48u << 20)

static bool bulk_is_there(void *user)
{
    struct scene *scene = user;
    return scene_accepted(scene)->received == BULK_BYTES && toy_is_credited(scene->dialed);
}

static void holds_back_a_sender_while_paused(void **state)
{
    struct scene *scene = *state;
    scene->toys[0].pause_accepted = true;
    scene_connect(scene);
    struct toy_socket *accepted = scene_accepted(scene);
    toy_send(&scene->toys[1], scene->dialed, BULK_BYTES);
    ground_kick(scene->ground, 1);
    ground_rest(scene->ground);
    assert_int_equal(accepted->received, 0);
    assert_true(scene->dialed->to_send > 0);
    assert_int_equal(scene->dialed->written - scene->dialed->credited >= TOY_CREDIT_BYTES, 1);
    toy_pause(&scene->toys[0], accepted, false);
    scene_run(scene, bulk_is_there);
}

static bool is_half_way(void *user)
{
    return scene_accepted(user)->received > BULK_BYTES / 2;
}

static void pauses_amid_a_transfer(void **state)
{
    struct scene *scene = *state;
    scene_connect(scene);
    struct toy_socket *accepted = scene_accepted(scene);
    toy_send(&scene->toys[1], scene->dialed, BULK_BYTES);
    scene_run(scene, is_half_way);
    toy_pause(&scene->toys[0], accepted, true);
    ground_kick(scene->ground, 0);
    uint64_t received = accepted->received;
    ground_rest(scene->ground);
    assert_int_equal(accepted->received, received);
    toy_pause(&scene->toys[0], accepted, false);
    scene_run(scene, bulk_is_there);
}

#define CONNECTIONS 100u

static bool all_are_echoed(void *user)
{
    struct scene *scene = user;
    uint32_t done = 0;
    for (uint32_t i = 0; i < scene->toys[1].sockets_count; i++) {
        done += scene->toys[1].sockets[i].state == TOY_ENDED;
    }
    return done == CONNECTIONS;
}

static void serves_many_connections(void **state)
{
    struct scene *scene = *state;
    scene->toys[0].echo = true;
    scene->toys[0].follow = true;
    for (uint32_t i = 0; i < CONNECTIONS; i++) {
        struct toy_socket *socket = toy_dial(&scene->toys[1], &scene->listener->local);
        socket->shut_down_when_sent = true;
        socket->to_send = 1 + i * 37u;
    }
    scene_run(scene, all_are_echoed);
    for (uint32_t i = 0; i < CONNECTIONS; i++) {
        struct toy_socket *socket = &scene->toys[1].sockets[i];
        assert_status(socket->closed_status, TRP_OK);
        assert_int_equal(socket->received, 1 + i * 37u);
        assert_int_equal(socket->closed_count, 1);
    }
}

static bool has_had_times(void *user)
{
    struct scene *scene = user;
    return scene->toys[0].times == 1 && scene->toys[1].times == 1;
}

static void tells_the_time_at_deadlines(void **state)
{
    struct scene *scene = *state;
    trp_time now = ground_now(scene->ground);
    scene->toys[0].deadline = trp_time_after(now, TRP_MS(30));
    scene->toys[1].deadline = trp_time_after(now, TRP_MS(60));
    scene_run(scene, has_had_times);
    assert_true(scene->toys[0].now >= trp_time_after(now, TRP_MS(30)));
    assert_true(scene->toys[1].now >= trp_time_after(now, TRP_MS(60)));
    assert_true(ground_now(scene->ground) < trp_time_after(now, TRP_S(5)));
}

static bool is_resolved(void *user)
{
    struct scene *scene = user;
    return scene->toys[1].resolved != TRP_EAGAIN;
}

static void resolves_names(void **state)
{
    struct scene *scene = *state;
    struct trp_multiaddr name = ground_name();
    struct trp_endpoint endpoint;
    toy_resolve(&scene->toys[1], &name);
    scene_run(scene, is_resolved);
    assert_status(scene->toys[1].resolved, TRP_OK);
    assert_status(trp_multiaddr_tcp(&scene->toys[1].found, &endpoint), TRP_OK);
    assert_int_equal(endpoint.host, TRP_MA_IP4);
    assert_int_equal(endpoint.port, 4001);
    struct trp_multiaddr bad = ground_bad_name();
    toy_resolve(&scene->toys[1], &bad);
    scene_run(scene, is_resolved);
    assert_status(scene->toys[1].resolved, TRP_ERESOLVE);
}

static void says_nothing_after_a_close(void **state)
{
    struct scene *scene = *state;
    scene->toys[0].greet = 100000;
    scene->dialed = toy_dial(&scene->toys[1], &scene->listener->local);
    toy_close(&scene->toys[1], scene->dialed, false);
    ground_kick(scene->ground, 1);
    ground_rest(scene->ground); /* the toy fails on any input for it */
    assert_int_equal(scene->dialed->closed_count, 0);
}

int main(void)
{
#define SCENE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        SCENE(connects_and_names_both_sides),
        SCENE(refuses_where_nobody_listens),
        SCENE(refuses_after_the_listener_closed),
        SCENE(refuses_a_port_that_is_taken),
        SCENE(expands_a_wildcard),
        SCENE(carries_bytes_both_ways_and_returns_credit),
        SCENE(half_closes_dialer_first),
        SCENE(half_closes_acceptor_first),
        SCENE(half_closes_both_at_once),
        SCENE(resets),
        SCENE(resets_amid_a_transfer),
        SCENE(sends_what_was_written_before_a_close),
        SCENE(resets_who_writes_to_a_closed_socket),
        SCENE(holds_back_a_sender_while_paused),
        SCENE(pauses_amid_a_transfer),
        SCENE(serves_many_connections),
        SCENE(tells_the_time_at_deadlines),
        SCENE(resolves_names),
        SCENE(says_nothing_after_a_close),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
