/* SPDX-License-Identifier: MIT */
#include "conformance/stage.h"
#include "lib/test.h"

static void connects_in_a_round_trip(void **state)
{
    (void)state;
    struct stage stage;
    stage_open(&stage, 1, 2);
    trp_time dialed_at = trp_world_now(stage.world);
    struct toy_socket *socket = stage_dial(&stage, 0, 1);
    stage_run(&stage, TRP_S(1));
    assert_int_equal(socket->opened_at - dialed_at, TRP_MS(20));
    assert_int_equal(toy_accepted(stage.toys[1], 0)->opened_at - dialed_at, TRP_MS(30));
    assert_int_equal(trp_world_now(stage.world) - dialed_at, TRP_S(1));
    stage_close(&stage);
}

static void carries_the_cause(void **state)
{
    (void)state;
    struct stage stage;
    stage_open(&stage, 1, 2);
    stage.toys[0]->cause = 41;
    struct toy_socket *socket = stage_dial(&stage, 0, 1);
    stage_run(&stage, TRP_S(1));
    struct toy_socket *accepted = toy_accepted(stage.toys[1], 0);
    assert_int_equal(accepted->cause, 41);
    stage.toys[0]->cause = 42;
    stage_send(&stage, 0, socket, 10);
    stage_run(&stage, TRP_S(1));
    assert_int_equal(accepted->cause, 42);
    stage.toys[0]->cause = 43;
    toy_shutdown(stage.toys[0], socket);
    stage_kick(&stage, 0);
    stage_run(&stage, TRP_S(1));
    assert_true(accepted->eof);
    assert_int_equal(accepted->cause, 43);
    stage_close(&stage);
}

static void limits_the_rate(void **state)
{
    (void)state;
    struct stage stage;
    stage_open(&stage, 1, 2);
    stage.path.rate_bits_per_s = 8000000; /* a million bytes a second */
    stage.path.queue_ns = TRP_MS(50);
    stage_change_path(&stage);
    struct toy_socket *socket = stage_dial(&stage, 0, 1);
    stage_run(&stage, TRP_S(1));
    trp_time begun = trp_world_now(stage.world);
    stage_send(&stage, 0, socket, 2000000);
    stage_run(&stage, TRP_S(10));
    struct toy_socket *accepted = toy_accepted(stage.toys[1], 0);
    assert_int_equal(accepted->received, 2000000);
    trp_time spent = accepted->received_at - begun;
    assert_true(spent > TRP_MS(2000) && spent < TRP_MS(2200)); /* headers take 3 % */
    stage_close(&stage);
}

static void times_out_where_all_is_lost(void **state)
{
    (void)state;
    struct stage stage;
    stage_open(&stage, 1, 2);
    stage.path.loss_ppm = 1000000;
    stage_change_path(&stage);
    trp_time dialed_at = trp_world_now(stage.world);
    struct toy_socket *socket = stage_dial(&stage, 0, 1);
    stage_run(&stage, TRP_MIN(2));
    assert_int_equal(socket->closed_count, 1);
    assert_status(socket->closed_status, TRP_ETIMEDOUT);
    assert_int_equal(socket->closed_at - dialed_at, TRP_S(31)); /* 1 + 2 + 4 + 8 + 16 */
    stage_close(&stage);
}

/* Latencies that change every 100 ms: never more than the worst, and bytes stay in order, which
 * the toy checks. */
static void keeps_bytes_in_order_under_jitter_and_loss(void **state)
{
    (void)state;
    struct stage stage;
    stage_open(&stage, 1, 2);
    stage.path.latency = (struct trp_dist){TRP_DIST_UNIFORM, TRP_MS(1), TRP_MS(300)};
    stage.path.loss_ppm = 20000;
    stage_change_path(&stage);
    stage.toys[1]->echo = true;
    struct toy_socket *socket = stage_dial(&stage, 0, 1);
    stage_run(&stage, TRP_S(10));
    for (uint32_t i = 0; i < 100; i++) {
        stage_send(&stage, 0, socket, 10000);
        stage_run(&stage, TRP_MS(50));
    }
    stage_run(&stage, TRP_MIN(5));
    assert_int_equal(socket->received, 1000000);
    assert_true(toy_is_credited(socket));
    stage_close(&stage);
}

/* A round trip takes 20 ms. What goes back takes the acknowledgement along; else the other host
 * waits 40 ms for it. */
static void acknowledges_with_what_goes_back(void **state)
{
    (void)state;
    for (int echo = 0; echo < 2; echo++) {
        struct stage stage;
        stage_open(&stage, 1, 2);
        stage.toys[1]->echo = echo == 1;
        struct toy_socket *socket = stage_dial(&stage, 0, 1);
        stage_run(&stage, TRP_S(1));
        stage_send(&stage, 0, socket, TRP_SENT_BYTES_MIN - 1);
        stage_run(&stage, TRP_S(1));
        stage_send(&stage, 0, socket, 1); /* the one that makes it worth telling */
        stage_run(&stage, TRP_MS(21));
        assert_int_equal(socket->credited, echo == 1 ? TRP_SENT_BYTES_MIN : 0);
        stage_run(&stage, TRP_MS(40));
        assert_int_equal(socket->credited, TRP_SENT_BYTES_MIN);
        stage_close(&stage);
    }
}

static void splits_what_was_written(void **state)
{
    (void)state;
    struct stage stage;
    stage_open(&stage, 1, 2);
    struct toy_socket *socket = stage_dial(&stage, 0, 1);
    stage_run(&stage, TRP_S(1));
    for (uint32_t i = 0; i < 200; i++) {
        stage_send(&stage, 0, socket, 100);
        stage_run(&stage, TRP_MS(20));
    }
    struct toy_socket *accepted = toy_accepted(stage.toys[1], 0);
    assert_int_equal(accepted->received, 20000);
    assert_in_range(accepted->received_chunks, 220, 300); /* a quarter is split at least once */
    stage_close(&stage);
}

/* Each host dials the next and echoes; messages leave at keyed times of the stage. */
struct outcome {
    uint64_t hashes[8];
    uint64_t recorded;
};

static void run_ring(uint64_t seed, bool crash, bool extra_host, struct outcome *ret_outcome)
{
    struct stage stage = {.path = {.latency = {TRP_DIST_LOGNORMAL, TRP_MS(40), TRP_MS(180)},
                                   .jitter_ppm = 500000,
                                   .loss_ppm = 10000}};
    stage_open_as_set(&stage, seed, extra_host ? 9 : 8);
    struct toy_socket *sockets[8];
    for (uint32_t i = 0; i < 8; i++) {
        stage.toys[i]->echo = true;
        /* Two rings, 0..3 and 4..7, so that one can be left in peace. */
        sockets[i] = stage_dial(&stage, i, i / 4 * 4 + (i + 1) % 4);
    }
    stage_run(&stage, TRP_S(10));
    if (extra_host) {
        (void)stage_dial(&stage, 8, 5);
    }
    uint64_t crash_event = crash ? trp_world_crash(stage.world, 6, 0) : 0;
    assert_true(!crash || crash_event > 0);
    for (uint32_t round = 0; round < 20; round++) {
        for (uint32_t i = 0; i < 8; i++) {
            if (trp_world_is_up(stage.world, i) && sockets[i]->state == TOY_OPEN) {
                if (sockets[i]->written < 1000) { /* the echoes go round from then on */
                    stage_send(&stage, i, sockets[i], 100 + i);
                }
            }
        }
        stage_run(&stage, TRP_MS(500));
    }
    for (uint32_t i = 0; i < 8; i++) {
        ret_outcome->hashes[i] = stage.toys[i]->hash[0] ^ stage.toys[i]->hash[1];
    }
    ret_outcome->recorded = stage.recorder.hash[0];
    stage_close(&stage);
}

static void repeats_a_run_from_its_seed(void **state)
{
    (void)state;
    struct outcome first;
    struct outcome again;
    struct outcome other;
    run_ring(1, true, false, &first);
    run_ring(1, true, false, &again);
    run_ring(2, true, false, &other);
    assert_memory_equal(&first, &again, sizeof first);
    for (uint32_t i = 0; i < 8; i++) {
        assert_true(i == 6 || first.hashes[i] != other.hashes[i]);
    }
}

static void leaves_others_alone_when_a_fault_is_removed(void **state)
{
    (void)state;
    struct outcome with;
    struct outcome without;
    run_ring(1, true, false, &with);
    run_ring(1, false, false, &without);
    assert_memory_equal(with.hashes, without.hashes, 4 * sizeof with.hashes[0]);
    assert_true(with.hashes[5] != without.hashes[5]);
}

static void leaves_others_alone_when_a_host_is_added(void **state)
{
    (void)state;
    struct outcome with;
    struct outcome without;
    run_ring(1, false, true, &with);
    run_ring(1, false, false, &without);
    for (uint32_t i = 0; i < 8; i++) {
        assert_true((with.hashes[i] != without.hashes[i]) == (i == 5)); /* it was dialed */
    }
}

/* A deadline that a process never moves costs a microsecond of virtual time, not a stopped world.
 */
static void goes_on_past_a_stuck_deadline(void **state)
{
    (void)state;
    struct stage stage;
    stage_open(&stage, 1, 1);
    stage.toys[0]->deadline = trp_time_after(trp_world_now(stage.world), TRP_MS(5));
    stage_kick(&stage, 0);
    stage_run(&stage, TRP_MS(4));
    assert_int_equal(stage.toys[0]->times, 0);
    stage_run(&stage, TRP_MS(1));
    assert_int_equal(stage.toys[0]->times, 1);
    assert_true(trp_world_next(stage.world) == TRP_NEVER);
    assert_status(trp_world_step(stage.world), TRP_ENOTFOUND);
    stage_close(&stage);
}

static void bounds_the_backlog(void **state)
{
    (void)state;
    struct stage stage;
    stage_open(&stage, 1, 2);
    (void)trp_world_pause(stage.world, 1, 0);
    for (uint32_t i = 0; i < 200; i++) {
        (void)stage_dial(&stage, 0, 1);
    }
    stage_run(&stage, TRP_S(1));
    uint32_t open = 0;
    for (uint32_t i = 1; i <= 200; i++) {
        open += stage.toys[0]->sockets[i].state == TOY_OPEN;
    }
    assert_int_equal(open, TRP_SIM_BACKLOG_MAX);
    (void)trp_world_resume(stage.world, 1, 0);
    stage_run(&stage, TRP_MIN(1));
    for (uint32_t i = 1; i <= 200; i++) {
        assert_int_equal(stage.toys[0]->sockets[i].state, TOY_OPEN);
    }
    assert_non_null(toy_accepted(stage.toys[1], 199));
    stage_close(&stage);
}

/* A process may write more than a window; no more than that is under way. */
static void bounds_what_is_under_way(void **state)
{
    (void)state;
    struct stage stage;
    stage_open(&stage, 1, 2);
    stage.toys[0]->credit_bytes = 4000000;
    stage.toys[1]->pause_accepted = true;
    struct toy_socket *socket = stage_dial(&stage, 0, 1);
    stage_run(&stage, TRP_S(1));
    stage_send(&stage, 0, socket, 4000000);
    assert_int_equal(socket->written, 4000000);
    stage_run(&stage, TRP_S(10));
    struct trp_world_stats stats;
    trp_world_stats(stage.world, &stats);
    assert_in_range(stats.bytes_sent, TRP_SIM_WINDOW_BYTES / 2, TRP_SIM_WINDOW_BYTES);
    toy_pause(stage.toys[1], toy_accepted(stage.toys[1], 0), false);
    stage_kick(&stage, 1);
    stage_run(&stage, TRP_S(10));
    assert_true(toy_is_credited(socket));
    stage_close(&stage);
}

/* Patience is counted from the last thing that got through, read by the process or not. */
static void forgives_losses_between_arrivals(void **state)
{
    (void)state;
    struct stage stage;
    stage_open(&stage, 1, 2);
    stage.toys[1]->pause_accepted = true;
    struct toy_socket *socket = stage_dial(&stage, 0, 1);
    stage_run(&stage, TRP_S(1));
    stage.path.loss_ppm = 300000;
    stage_change_path(&stage);
    for (uint32_t i = 0; i < 200; i++) {
        stage_send(&stage, 0, socket, 10);
        stage_run(&stage, TRP_S(10));
    }
    assert_int_equal(socket->closed_count, 0);
    toy_pause(stage.toys[1], toy_accepted(stage.toys[1], 0), false);
    stage_kick(&stage, 1);
    stage_run(&stage, TRP_MIN(1));
    assert_int_equal(toy_accepted(stage.toys[1], 0)->received, 2000);
    stage_close(&stage);
}

static void counts_what_hosts_do(void **state)
{
    (void)state;
    struct stage stage;
    stage_open(&stage, 1, 2);
    struct toy_socket *socket = stage_dial(&stage, 0, 1);
    stage_run(&stage, TRP_S(1));
    stage_send(&stage, 0, socket, 5000);
    stage_run(&stage, TRP_S(1));
    struct trp_world_stats world;
    struct trp_host_stats sender;
    struct trp_host_stats receiver;
    trp_world_stats(stage.world, &world);
    trp_world_host_stats(stage.world, 0, &sender);
    trp_world_host_stats(stage.world, 1, &receiver);
    assert_int_equal(world.bytes_sent, 5000);
    assert_int_equal(world.connections_opened, 1);
    assert_int_equal(sender.bytes_sent, 5000);
    assert_int_equal(receiver.bytes_received, 5000);
    assert_int_equal(sender.sockets, 2);
    assert_ptr_equal(trp_world_process(stage.world, 1).self, stage.toys[1]);
    (void)trp_world_crash(stage.world, 1, 0);
    assert_null(trp_world_process(stage.world, 1).ops);
    stage_close(&stage);
}

/* Whichever allocation fails: the world says so, and everything is freed. */
static void survives_every_failing_allocation(void **state)
{
    (void)state;
    for (uint64_t n = 1;; n++) {
        struct stage stage;
        stage_open(&stage, 1, 2);
        stage.world->memory.fail_at = n;
        struct trp_multiaddr address = stage_address(1);
        struct trp_multiaddr name;
        assert_status(trp_multiaddr_parse("/dns4/host1/tcp/1", &name, NULL), TRP_OK);
        stage.toys[1]->echo = true;
        struct toy_socket *socket = toy_dial(stage.toys[0], &address);
        socket->to_send = 100000;
        toy_resolve(stage.toys[0], &name);
        (void)trp_world_pause(stage.world, 1, 0);
        stage_kick(&stage, 0);
        enum trp_status status = trp_world_run_until(stage.world, TRP_S(1));
        (void)trp_world_resume(stage.world, 1, 0);
        const uint32_t hosts[2] = {0, 1};
        (void)trp_world_cut(stage.world, 1, hosts, 2, hosts, 2, TRP_CUT_BLACKHOLE, 0);
        (void)trp_world_heal(stage.world, 1, 0);
        enum trp_status after = trp_world_run_until(stage.world, TRP_S(20));
        status = status != TRP_OK ? status : after;
        assert_true(status == TRP_OK || status == TRP_ENOMEM);
        bool done = stage.world->memory.fail_at > 0;
        assert_true(!done || socket->received == 100000);
        stage_close(&stage);
        if (done) {
            assert_true(n > 10);
            return;
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(connects_in_a_round_trip),
        cmocka_unit_test(carries_the_cause),
        cmocka_unit_test(limits_the_rate),
        cmocka_unit_test(times_out_where_all_is_lost),
        cmocka_unit_test(keeps_bytes_in_order_under_jitter_and_loss),
        cmocka_unit_test(acknowledges_with_what_goes_back),
        cmocka_unit_test(splits_what_was_written),
        cmocka_unit_test(repeats_a_run_from_its_seed),
        cmocka_unit_test(leaves_others_alone_when_a_fault_is_removed),
        cmocka_unit_test(leaves_others_alone_when_a_host_is_added),
        cmocka_unit_test(goes_on_past_a_stuck_deadline),
        cmocka_unit_test(bounds_the_backlog),
        cmocka_unit_test(bounds_what_is_under_way),
        cmocka_unit_test(forgives_losses_between_arrivals),
        cmocka_unit_test(counts_what_hosts_do),
        cmocka_unit_test(survives_every_failing_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
