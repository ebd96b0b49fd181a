/* SPDX-License-Identifier: MIT */
#include "base/prng.h"
#include "conformance/stage.h"
#include "lib/test.h"

static const uint32_t h0 = 0;
static const uint32_t h1 = 1;

/* Two hosts with a connection from 0 to 1. */
struct pair {
    struct stage stage;
    struct toy_socket *dialed;
    struct toy_socket *accepted;
};

static void pair_open(struct pair *pair)
{
    stage_open(&pair->stage, 1, 2);
    pair->dialed = stage_dial(&pair->stage, 0, 1);
    stage_run(&pair->stage, TRP_S(1));
    pair->accepted = toy_accepted(pair->stage.toys[1], 0);
    assert_non_null(pair->accepted);
}

static void cut_both(struct stage *stage, uint32_t id, enum trp_cut cut)
{
    assert_true(trp_world_cut(stage->world, id, &h0, 1, &h1, 1, cut, 0) > 0);
    assert_true(trp_world_cut(stage->world, id, &h1, 1, &h0, 1, cut, 0) > 0);
}

/* Sent at 0, cut at 5 ms, healed at 7 ms, due at 10 ms: what was in flight is gone and comes again
 * 200 ms after it was sent. */
static void hits_data_in_flight(void **state)
{
    (void)state;
    struct pair pair;
    pair_open(&pair);
    trp_time sent_at = trp_world_now(pair.stage.world);
    stage_send(&pair.stage, 0, pair.dialed, 100);
    stage_run(&pair.stage, TRP_MS(5));
    cut_both(&pair.stage, 1, TRP_CUT_BLACKHOLE);
    stage_run(&pair.stage, TRP_MS(2));
    (void)trp_world_heal(pair.stage.world, 1, 0);
    stage_run(&pair.stage, TRP_MS(100));
    assert_int_equal(pair.accepted->received, 0);
    stage_run(&pair.stage, TRP_S(1));
    assert_int_equal(pair.accepted->received, 100);
    assert_in_range(pair.accepted->received_at - sent_at, TRP_MS(210), TRP_MS(210) + TRP_US(20));
    stage_close(&pair.stage);
}

static void spares_other_pairs(void **state)
{
    (void)state;
    struct stage stage;
    const uint32_t others[2] = {1, 3};
    stage_open(&stage, 1, 4);
    struct toy_socket *uncut = stage_dial(&stage, 2, 0);
    struct toy_socket *cut = stage_dial(&stage, 0, 3);
    stage_run(&stage, TRP_S(1));
    (void)trp_world_cut(stage.world, 5, &h0, 1, others, 2, TRP_CUT_BLACKHOLE, 0);
    stage_send(&stage, 2, uncut, 10);
    stage_send(&stage, 0, cut, 10);
    stage_run(&stage, TRP_MS(100));
    assert_int_equal(toy_accepted(stage.toys[0], 0)->received, 10);
    assert_int_equal(toy_accepted(stage.toys[3], 0)->received, 0);
    (void)trp_world_heal(stage.world, 4, 0); /* another one */
    stage_run(&stage, TRP_S(1));
    assert_int_equal(toy_accepted(stage.toys[3], 0)->received, 0);
    (void)trp_world_heal(stage.world, 5, 0);
    stage_run(&stage, TRP_S(2));
    assert_int_equal(toy_accepted(stage.toys[3], 0)->received, 10);
    stage_close(&stage);
}

static void delivers_everything_after_a_blackhole(void **state)
{
    (void)state;
    struct pair pair;
    pair_open(&pair);
    pair.stage.toys[1]->echo = true;
    stage_send(&pair.stage, 0, pair.dialed, 2000000);
    stage_run(&pair.stage, TRP_MS(25));
    cut_both(&pair.stage, 1, TRP_CUT_BLACKHOLE);
    stage_run(&pair.stage, TRP_S(20));
    assert_true(pair.accepted->received < 2000000);
    (void)trp_world_heal(pair.stage.world, 1, 0);
    stage_run(&pair.stage, TRP_MIN(2));
    assert_int_equal(pair.accepted->received, 2000000);
    assert_int_equal(pair.dialed->received, 2000000);
    assert_true(toy_is_credited(pair.dialed));
    stage_close(&pair.stage);
}

/* 0.2 + 0.4 + … + 51.2 s of silence. */
static void times_out_in_a_long_blackhole(void **state)
{
    (void)state;
    struct pair pair;
    pair_open(&pair);
    cut_both(&pair.stage, 1, TRP_CUT_BLACKHOLE);
    trp_time sent_at = trp_world_now(pair.stage.world);
    stage_send(&pair.stage, 0, pair.dialed, 100);
    stage_run(&pair.stage, TRP_MIN(5));
    assert_int_equal(pair.dialed->closed_count, 1);
    assert_status(pair.dialed->closed_status, TRP_ETIMEDOUT);
    assert_int_equal(pair.dialed->closed_at - sent_at, TRP_MS(102200));
    assert_true(pair.dialed->cause > 0);
    assert_int_equal(pair.accepted->closed_count, 0); /* it was silent: half-open */
    (void)trp_world_heal(pair.stage.world, 1, 0);
    stage_send(&pair.stage, 1, pair.accepted, 100);
    stage_run(&pair.stage, TRP_S(1));
    assert_status(pair.accepted->closed_status, TRP_ERESET);
    stage_close(&pair.stage);
}

static void cuts_one_direction(void **state)
{
    (void)state;
    struct pair pair;
    pair_open(&pair);
    (void)trp_world_cut(pair.stage.world, 1, &h1, 1, &h0, 1, TRP_CUT_BLACKHOLE, 0);
    stage_send(&pair.stage, 0, pair.dialed, 100);
    stage_run(&pair.stage, TRP_MIN(1));
    assert_int_equal(pair.accepted->received, 100); /* there, but nothing comes back */
    assert_int_equal(pair.dialed->credited, 0);
    assert_int_equal(pair.dialed->closed_count, 0);
    stage_run(&pair.stage, TRP_MIN(1));
    assert_status(pair.dialed->closed_status, TRP_ETIMEDOUT);
    stage_close(&pair.stage);
}

static void returns_credit_after_one_direction_heals(void **state)
{
    (void)state;
    struct pair pair;
    pair_open(&pair);
    (void)trp_world_cut(pair.stage.world, 1, &h1, 1, &h0, 1, TRP_CUT_BLACKHOLE, 0);
    stage_send(&pair.stage, 0, pair.dialed, 400000); /* more than a window */
    stage_run(&pair.stage, TRP_S(5));
    (void)trp_world_heal(pair.stage.world, 1, 0);
    stage_run(&pair.stage, TRP_S(30));
    assert_true(toy_is_credited(pair.dialed));
    assert_int_equal(pair.accepted->received, 400000);
    stage_close(&pair.stage);
}

static void refuses_with_an_error(void **state)
{
    (void)state;
    struct pair pair;
    pair_open(&pair);
    cut_both(&pair.stage, 1, TRP_CUT_REFUSE);
    struct toy_socket *again = stage_dial(&pair.stage, 0, 1);
    stage_send(&pair.stage, 0, pair.dialed, 100);
    stage_run(&pair.stage, TRP_MS(5));
    assert_status(again->closed_status, TRP_EUNREACHABLE);
    assert_status(pair.dialed->closed_status, TRP_ERESET);
    assert_int_equal(pair.accepted->closed_count, 0);
    assert_int_equal(pair.accepted->received, 0);
    stage_close(&pair.stage);
}

/* A blackhole on top of a refusal is silent; healing it brings the refusal back. */
static void adds_cuts_up(void **state)
{
    (void)state;
    struct stage stage;
    stage_open(&stage, 1, 2);
    cut_both(&stage, 1, TRP_CUT_REFUSE);
    cut_both(&stage, 2, TRP_CUT_BLACKHOLE);
    struct toy_socket *silent = stage_dial(&stage, 0, 1);
    stage_run(&stage, TRP_MS(500));
    assert_int_equal(silent->state, TOY_DIALING);
    (void)trp_world_heal(stage.world, 2, 0);
    stage_run(&stage, TRP_S(1));
    assert_status(silent->closed_status, TRP_EUNREACHABLE);
    (void)trp_world_heal(stage.world, 1, 0);
    struct toy_socket *heard = stage_dial(&stage, 0, 1);
    stage_run(&stage, TRP_S(1));
    assert_int_equal(heard->state, TOY_OPEN);
    stage_close(&stage);
}

static void leaves_half_open_connections_after_a_crash(void **state)
{
    (void)state;
    struct pair pair;
    pair_open(&pair);
    assert_true(trp_world_crash(pair.stage.world, 1, 0) > 0);
    assert_false(trp_world_is_up(pair.stage.world, 1));
    stage_run(&pair.stage, TRP_MIN(60));
    assert_int_equal(pair.dialed->closed_count, 0); /* silent: it never learns */
    stage_send(&pair.stage, 0, pair.dialed, 100);
    stage_run(&pair.stage, TRP_MIN(3));
    assert_status(pair.dialed->closed_status, TRP_ETIMEDOUT);
    struct toy_socket *again = stage_dial(&pair.stage, 0, 1);
    stage_run(&pair.stage, TRP_MIN(1));
    assert_status(again->closed_status, TRP_ETIMEDOUT);
    stage_close(&pair.stage);
}

static void resets_who_writes_to_a_new_life(void **state)
{
    (void)state;
    struct pair pair;
    pair_open(&pair);
    (void)trp_world_crash(pair.stage.world, 1, 0);
    stage_run(&pair.stage, TRP_S(1));
    (void)trp_world_restart(pair.stage.world, 1, TRP_STATE_KEPT, 0);
    stage_run(&pair.stage, TRP_MIN(10));
    assert_int_equal(pair.dialed->closed_count, 0);
    trp_time sent_at = trp_world_now(pair.stage.world);
    stage_send(&pair.stage, 0, pair.dialed, 100);
    stage_run(&pair.stage, TRP_S(1));
    assert_status(pair.dialed->closed_status, TRP_ERESET);
    assert_int_equal(pair.dialed->closed_at - sent_at, TRP_MS(20));
    struct toy_socket *again = stage_dial(&pair.stage, 0, 1);
    stage_run(&pair.stage, TRP_S(1));
    assert_int_equal(again->state, TOY_OPEN);
    stage_close(&pair.stage);
}

/* Data that waits for a host to come back meets a host that knows nothing of it. */
static void resets_retransmitted_data_after_a_restart(void **state)
{
    (void)state;
    struct pair pair;
    pair_open(&pair);
    (void)trp_world_crash(pair.stage.world, 1, 0);
    stage_send(&pair.stage, 0, pair.dialed, 100);
    stage_run(&pair.stage, TRP_S(10));
    assert_int_equal(pair.dialed->closed_count, 0);
    (void)trp_world_restart(pair.stage.world, 1, TRP_STATE_KEPT, 0);
    stage_run(&pair.stage, TRP_S(10));
    assert_status(pair.dialed->closed_status, TRP_ERESET);
    stage_close(&pair.stage);
}

static void says_goodbye_when_stopped(void **state)
{
    (void)state;
    struct pair pair;
    pair_open(&pair);
    stage_send(&pair.stage, 1, pair.accepted, 300000);
    assert_true(trp_world_stop(pair.stage.world, 1, 0) > 0);
    stage_run(&pair.stage, TRP_S(5));
    /* The network stack sends what it was handed, then the end of the stream. */
    assert_true(pair.dialed->eof);
    assert_true(pair.dialed->received >= TOY_CREDIT_BYTES);
    struct toy_socket *again = stage_dial(&pair.stage, 0, 1);
    stage_run(&pair.stage, TRP_MS(100));
    assert_status(again->closed_status, TRP_EREFUSED);
    stage_close(&pair.stage);
}

static void stands_still_while_paused(void **state)
{
    (void)state;
    struct pair pair;
    pair_open(&pair);
    pair.stage.toys[1]->deadline = trp_time_after(trp_world_now(pair.stage.world), TRP_S(2));
    stage_kick(&pair.stage, 1);
    assert_true(trp_world_pause(pair.stage.world, 1, 0) > 0);
    const struct trp_command command = {.kind = TRP_CMD_PEERS};
    assert_status(trp_world_command(pair.stage.world, 1, &command, 0), TRP_EAGAIN);
    uint64_t hash = pair.stage.toys[1]->hash[0];
    stage_send(&pair.stage, 0, pair.dialed, 1000000);
    toy_close(pair.stage.toys[0], stage_dial(&pair.stage, 0, 1), true);
    stage_kick(&pair.stage, 0);
    stage_run(&pair.stage, TRP_MIN(5));
    assert_int_equal(pair.stage.toys[1]->hash[0], hash);
    assert_int_equal(pair.dialed->closed_count, 0); /* the network stack is alive */
    assert_true(pair.dialed->credited == 0);
    (void)trp_world_resume(pair.stage.world, 1, 0);
    stage_run(&pair.stage, TRP_S(10));
    assert_int_equal(pair.accepted->received, 1000000);
    assert_int_equal(pair.stage.toys[1]->times, 1);
    stage_close(&pair.stage);
}

static void crashes_while_paused(void **state)
{
    (void)state;
    struct pair pair;
    pair_open(&pair);
    (void)trp_world_pause(pair.stage.world, 1, 0);
    stage_send(&pair.stage, 0, pair.dialed, 1000);
    stage_run(&pair.stage, TRP_S(1));
    (void)trp_world_crash(pair.stage.world, 1, 0);
    (void)trp_world_restart(pair.stage.world, 1, TRP_STATE_LOST, 0);
    stage_run(&pair.stage, TRP_S(10));
    assert_int_equal(pair.stage.toys[1]->sockets_count, 1); /* its listener */
    stage_close(&pair.stage);
}

static void holds_and_releases_in_a_stall(void **state)
{
    (void)state;
    struct pair pair;
    pair_open(&pair);
    pair.stage.toys[1]->echo = true;
    pair.stage.path.stall = true;
    stage_change_path(&pair.stage);
    struct toy_socket *dialed = stage_dial(&pair.stage, 0, 1);
    stage_send(&pair.stage, 0, pair.dialed, 100000);
    stage_run(&pair.stage, TRP_MIN(60));
    assert_int_equal(pair.accepted->received, 0);
    assert_int_equal(dialed->state, TOY_DIALING);
    stage_change_path(&pair.stage); /* still stalled */
    stage_run(&pair.stage, TRP_S(1));
    assert_int_equal(pair.accepted->received, 0);
    pair.stage.path.stall = false;
    stage_change_path(&pair.stage);
    stage_run(&pair.stage, TRP_S(5));
    assert_int_equal(pair.dialed->received, 100000);
    assert_true(toy_is_credited(pair.dialed));
    assert_int_equal(dialed->state, TOY_OPEN);
    stage_close(&pair.stage);
}

/* A stall that begins while bytes are under way holds the acknowledgements. */
static void holds_acknowledgements_in_a_stall(void **state)
{
    (void)state;
    struct pair pair;
    pair_open(&pair);
    stage_send(&pair.stage, 0, pair.dialed, 2 * TRP_SENT_BYTES_MIN);
    pair.stage.path.stall = true;
    stage_change_path(&pair.stage);
    stage_run(&pair.stage, TRP_MIN(10));
    assert_int_equal(pair.accepted->received, 2 * TRP_SENT_BYTES_MIN);
    assert_int_equal(pair.dialed->credited, 0);
    pair.stage.path.stall = false;
    stage_change_path(&pair.stage);
    stage_run(&pair.stage, TRP_S(1));
    assert_int_equal(pair.dialed->credited, 2 * TRP_SENT_BYTES_MIN);
    stage_send(&pair.stage, 0, pair.dialed, TRP_SENT_BYTES_MIN);
    stage_run(&pair.stage, TRP_S(1));
    assert_int_equal(pair.dialed->credited, 3 * TRP_SENT_BYTES_MIN);
    stage_close(&pair.stage);
}

static uint32_t count_ended(const struct toy *toy)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < toy->sockets_count; i++) {
        count += toy->sockets[i].state == TOY_ENDED;
    }
    return count;
}

static void resets_a_share_of_the_connections(void **state)
{
    (void)state;
    struct stage stage;
    stage_open(&stage, 1, 2);
    for (uint32_t i = 0; i < 100; i++) {
        (void)stage_dial(&stage, 0, 1);
    }
    stage_run(&stage, TRP_S(1));
    (void)trp_world_reset(stage.world, 1, &(struct trp_reset){0}, 0);
    stage_run(&stage, TRP_S(1));
    assert_int_equal(count_ended(stage.toys[0]), 0);
    (void)trp_world_reset(stage.world, 1, &(struct trp_reset){.share_ppm = 300000}, 0);
    stage_run(&stage, TRP_S(1));
    assert_in_range(count_ended(stage.toys[0]), 15, 45);
    assert_int_equal(count_ended(stage.toys[0]), count_ended(stage.toys[1]));
    uint64_t event = trp_world_reset(stage.world, 1, &(struct trp_reset){.share_ppm = 1000000}, 0);
    stage_run(&stage, TRP_S(1));
    assert_int_equal(count_ended(stage.toys[0]), 100);
    uint32_t caused = 0;
    for (uint32_t i = 1; i <= 100; i++) {
        assert_status(stage.toys[0]->sockets[i].closed_status, TRP_ERESET);
        caused += stage.toys[0]->sockets[i].cause == event;
    }
    assert_in_range(caused, 55, 85);
    stage_close(&stage);
}

static void save(struct stage *stage, uint32_t host, const char *text)
{
    struct toy *toy = stage->toys[host];
    toy->outputs[0] = (struct trp_output){.kind = TRP_OUT_SAVE, .bytes = trp_bytes_text(text)};
    toy->outputs_count = 1;
    toy->outputs_given = 0;
    stage_kick(stage, host);
}

static void keeps_or_loses_state(void **state)
{
    (void)state;
    struct stage stage;
    uint8_t seed[32];
    uint8_t identity[32];
    stage_open(&stage, 1, 2);
    memcpy(seed, stage.seeds[0], sizeof seed);
    memcpy(identity, stage.identities[0], sizeof identity);
    assert_memory_not_equal(seed, stage.seeds[1], sizeof seed);
    assert_memory_not_equal(identity, stage.identities[1], sizeof identity);
    save(&stage, 0, "once");
    save(&stage, 0, "twice");
    (void)trp_world_crash(stage.world, 0, 0);
    (void)trp_world_restart(stage.world, 0, TRP_STATE_KEPT, 0);
    assert_int_equal(stage.saved_bytes[0], 5);
    assert_memory_equal(stage.saved[0], "twice", 5);
    assert_memory_equal(stage.identities[0], identity, sizeof identity);
    assert_memory_not_equal(stage.seeds[0], seed, sizeof seed);
    (void)trp_world_stop(stage.world, 0, 0);
    (void)trp_world_restart(stage.world, 0, TRP_STATE_LOST, 0);
    assert_int_equal(stage.saved_bytes[0], 0);
    assert_memory_not_equal(stage.identities[0], identity, sizeof identity);
    struct trp_host_stats stats;
    trp_world_host_stats(stage.world, 0, &stats);
    assert_int_equal(stats.incarnation, 2);
    assert_int_equal(trp_world_restart(stage.world, 0, TRP_STATE_KEPT, 0), 0); /* it is up */
    stage_close(&stage);
}

static void storm_fault(struct stage *stage, uint64_t draw, uint32_t a, uint32_t b)
{
    enum trp_cut cut = b % 2 == 0 ? TRP_CUT_REFUSE : TRP_CUT_BLACKHOLE;
    switch (draw % 8) {
    case 0:
        (void)trp_world_crash(stage->world, a, 0);
        break;
    case 1:
        (void)trp_world_stop(stage->world, a, 0);
        break;
    case 2:
        (void)trp_world_pause(stage->world, a, 0);
        break;
    case 3:
        (void)trp_world_restart(stage->world, a, TRP_STATE_KEPT, 0);
        (void)trp_world_resume(stage->world, b, 0);
        break;
    case 4:
        (void)trp_world_cut(stage->world, a, &a, 1, &b, 1, cut, 0);
        break;
    case 5:
        (void)trp_world_heal(stage->world, a, 0);
        break;
    case 6:
        (void)trp_world_reset(stage->world, a, &(struct trp_reset){.share_ppm = 500000}, 0);
        break;
    default:
        stage->path.stall = !stage->path.stall;
        stage_change_path(stage);
        break;
    }
}

static void storm_act(struct stage *stage, uint64_t draw, uint32_t a, uint32_t b)
{
    struct toy *toy = stage->toys[a];
    if (!trp_world_is_up(stage->world, a) || stage->world->hosts[a]->paused) {
        return;
    }
    uint32_t pick = 1 + (uint32_t)(draw >> 32) % toy->sockets_count;
    struct toy_socket *socket = &toy->sockets[pick];
    if (draw % 8 < 4 && toy->sockets_count < TOY_SOCKETS_MAX / 2) {
        (void)stage_dial(stage, a, b);
    } else if (pick < toy->sockets_count && socket->state == TOY_OPEN && !socket->closed_by_us) {
        if (draw % 8 == 4) {
            toy_close(toy, socket, (draw >> 40 & 1u) != 0);
        } else if (draw % 8 == 5 && !socket->shut_down) {
            toy_shutdown(toy, socket);
        } else if (!socket->shut_down) {
            toy_send(toy, socket, draw >> 40 & 0x3ffffu);
        }
        stage_kick(stage, a);
    }
}

/* Everything at once, many times over, with the toys' checks and the sanitizers watching. */
static void survives_a_storm(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 20; seed++) {
        struct stage stage = {.path = {.latency = {TRP_DIST_UNIFORM, TRP_MS(1), TRP_MS(80)},
                                       .loss_ppm = 50000,
                                       .rate_bits_per_s = 20000000,
                                       .queue_ns = TRP_MS(100)}};
        stage_open_as_set(&stage, seed, 6);
        for (uint64_t i = 0; i < 400; i++) {
            uint64_t draw = trp_draw(seed, 1, 1, i);
            uint32_t a = (uint32_t)(draw >> 8) % 6;
            uint32_t b = (uint32_t)(draw >> 16) % 6;
            if ((draw >> 60 & 1u) != 0) {
                storm_fault(&stage, draw, a, b);
            } else {
                storm_act(&stage, draw, a, b);
            }
            stage_run(&stage, TRP_MS(draw >> 44 & 0x3ffu));
        }
        stage_close(&stage);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hits_data_in_flight),
        cmocka_unit_test(spares_other_pairs),
        cmocka_unit_test(delivers_everything_after_a_blackhole),
        cmocka_unit_test(times_out_in_a_long_blackhole),
        cmocka_unit_test(cuts_one_direction),
        cmocka_unit_test(returns_credit_after_one_direction_heals),
        cmocka_unit_test(refuses_with_an_error),
        cmocka_unit_test(adds_cuts_up),
        cmocka_unit_test(leaves_half_open_connections_after_a_crash),
        cmocka_unit_test(resets_who_writes_to_a_new_life),
        cmocka_unit_test(resets_retransmitted_data_after_a_restart),
        cmocka_unit_test(says_goodbye_when_stopped),
        cmocka_unit_test(stands_still_while_paused),
        cmocka_unit_test(crashes_while_paused),
        cmocka_unit_test(holds_and_releases_in_a_stall),
        cmocka_unit_test(holds_acknowledgements_in_a_stall),
        cmocka_unit_test(resets_a_share_of_the_connections),
        cmocka_unit_test(keeps_or_loses_state),
        cmocka_unit_test(survives_a_storm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
