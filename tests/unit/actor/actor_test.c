/* SPDX-License-Identifier: MIT */
#include "unit/actor/stage.h"

static struct trp_actor_ref peer_a; /* whom handlers of a test talk to */
static struct trp_actor_ref peer_b;

/* ---- beginning ---- */

static void starts_before_any_message(void **state)
{
    (void)state;
    struct trp_actor_ref a = stage_spawn(&probe_type, 'a');
    assert_true(a.id != 0);
    assert_log("");
    stage_ping(&a);
    stage_run();
    assert_log("start:a a:ping");
    assert_int_equal(trp_scheduler_actors_count(stage.scheduler), 1);
    assert_ptr_equal(trp_scheduler_type_of(stage.scheduler, a.id), &probe_type);
}

static enum trp_status tell_self_twice(struct trp_context *ctx, struct probe *probe, uint64_t arg)
{
    (void)probe;
    (void)arg;
    struct trp_actor_ref self = trp_self(ctx);
    assert_status(tell_add(ctx, &self, 1), TRP_OK);
    return tell_add(ctx, &self, 2);
}

static void handles_what_on_start_sent_to_itself_first(void **state)
{
    (void)state;
    const struct trp_spawn_options small = {.mailbox_messages = 2};
    struct trp_actor_ref a = stage_spawn_with(&probe_type, 'a', tell_self_twice, &small);
    for (int i = 0; i < 2; i++) { /* others fill its mailbox before it has started */
        stage_ping(&a);
    }
    stage_run();
    assert_log("start:a a+1 a+2 a:ping a:ping");
}

static enum trp_status fail_einval(struct trp_context *ctx, struct probe *probe, uint64_t arg)
{
    (void)ctx;
    (void)probe;
    (void)arg;
    return TRP_EINVAL;
}

static enum trp_status spawn_failing(struct trp_context *ctx, struct probe *probe, uint64_t arg)
{
    (void)arg;
    const struct stage_args args = {.name = 'f', .function = (uint64_t)(uintptr_t)fail_einval};
    assert_status(
        trp_spawn(ctx, &probe_type, &args, &(struct trp_spawn_options){.link = true}, &probe->ref),
        TRP_OK);
    assert_status(tell_add(ctx, &probe->ref, 1), TRP_OK);
    return ask_add(ctx, &probe->ref, 1, 5);
}

static enum trp_status ask_again(struct trp_context *ctx, struct probe *probe, uint64_t arg)
{
    (void)arg;
    stage_log("%s", trp_status_name(ask_add(ctx, &probe->ref, 1, 6)));
    return TRP_OK;
}

static void never_ran_when_on_start_fails(void **state)
{
    (void)state;
    struct trp_actor_ref a = stage_spawn(&tough_type, 'a');
    stage_do(&a, spawn_failing, 0);
    /* No stop:f; the ask that waited got its outcome, the link was told. */
    assert_log("start:a start:f reply:ESTOPPED:-1:5 death:a:3:EINVAL");
    stage_do(&a, ask_again, 0);
    assert_log("EDEAD");
}

static void refuses_a_type_without_id(void **state)
{
    (void)state;
    const struct trp_actor_type nameless = {.state_bytes = 8};
    assert_status(trp_scheduler_spawn(stage.scheduler, &nameless, NULL, NULL, NULL), TRP_EINVAL);
    assert_status(trp_scheduler_spawn(stage.scheduler, &probe_type, NULL, NULL, NULL), TRP_EINVAL);
    assert_int_equal(trp_scheduler_actors_count(stage.scheduler), 0);
}

static void bounds_the_actors_and_never_reuses_an_id(void **state)
{
    (void)state;
    stage.limits.actors = 2;
    stage_reopen(false);
    struct trp_actor_ref a = stage_spawn(&probe_type, 'a');
    struct trp_actor_ref b = stage_spawn(&probe_type, 'b');
    const struct stage_args args = {.name = 'c'};
    assert_status(trp_scheduler_spawn(stage.scheduler, &probe_type, &args, NULL, NULL), TRP_EFULL);
    assert_status(trp_scheduler_kill(stage.scheduler, a.id), TRP_OK);
    stage_run();
    struct trp_actor_ref c = stage_spawn(&probe_type, 'c');
    assert_true(c.id != a.id && c.id != b.id);
    assert_null(trp_scheduler_type_of(stage.scheduler, a.id));
    assert_status(trp_scheduler_stop(stage.scheduler, a.id), TRP_EDEAD);
}

static void ids_of_another_life_find_nobody(void **state)
{
    (void)state;
    struct trp_actor_ref a = stage_spawn(&probe_type, 'a');
    trp_scheduler_close(stage.scheduler);
    const struct trp_scheduler_config config = {.memory = &stage.memory,
                                                .trace = &stage.trace,
                                                .limits = &stage.limits,
                                                .types = stage_types,
                                                .types_count = 2,
                                                .seed = 8};
    assert_status(trp_scheduler_open(&config, &stage.scheduler), TRP_OK);
    struct trp_actor_ref b = stage_spawn(&probe_type, 'b');
    assert_true(a.id != b.id);
    assert_null(trp_scheduler_type_of(stage.scheduler, a.id));
}

/* ---- failing ---- */

static void a_failed_tell_stops_the_actor(void **state)
{
    (void)state;
    struct trp_actor_ref a = stage_spawn(&probe_type, 'a');
    stage_do(&a, fail_einval, 0);
    assert_log("start:a stop:a:panicked");
    assert_int_equal(trp_scheduler_actors_count(stage.scheduler), 0);
}

static void on_panic_may_carry_on(void **state)
{
    (void)state;
    struct trp_actor_ref a = stage_spawn(&tough_type, 'a');
    stage_act_on(&a, fail_einval, 0);
    stage_do(&a, tell_self_twice, 0);
    assert_log("start:a panic:a:EINVAL a+1 a+2");
}

/* ---- ending ---- */

static enum trp_status stop_then_tell(struct trp_context *ctx, struct probe *probe, uint64_t arg)
{
    (void)probe;
    (void)arg;
    struct trp_actor_ref self = trp_self(ctx);
    assert_status(tell_add(ctx, &self, 1), TRP_OK);
    assert_status(trp_stop(ctx, &self), TRP_OK);
    assert_status(trp_stop(ctx, &self), TRP_OK);
    stage_log("%s", trp_status_name(tell_add(ctx, &self, 2)));
    return TRP_OK;
}

static void stops_after_the_messages_already_there(void **state)
{
    (void)state;
    struct trp_actor_ref a = stage_spawn(&probe_type, 'a');
    stage_do(&a, stop_then_tell, 0);
    assert_log("start:a EDEAD a+1 stop:a:normal");
}

static enum trp_status kill_then_tell(struct trp_context *ctx, struct probe *probe, uint64_t arg)
{
    (void)probe;
    (void)arg;
    struct trp_actor_ref self = trp_self(ctx);
    assert_status(tell_add(ctx, &self, 1), TRP_OK);
    assert_status(trp_kill(ctx, &self), TRP_OK);
    stage_log("%s", trp_status_name(tell_add(ctx, &self, 2)));
    return TRP_OK;
}

static void is_killed_before_its_next_message(void **state)
{
    (void)state;
    struct trp_actor_ref a = stage_spawn(&probe_type, 'a');
    stage_do(&a, kill_then_tell, 0);
    assert_log("start:a EDEAD stop:a:killed");
    struct trp_actor_ref b = stage_spawn(&probe_type, 'b');
    assert_status(trp_scheduler_kill(stage.scheduler, b.id), TRP_OK);
    stage_run();
    assert_log(""); /* it never started, so there is nothing to stop */
    assert_int_equal(trp_scheduler_actors_count(stage.scheduler), 0);
}

static void a_stopped_actor_that_never_started_starts_first(void **state)
{
    (void)state;
    struct trp_actor_ref a = stage_spawn(&probe_type, 'a');
    assert_status(trp_scheduler_stop(stage.scheduler, a.id), TRP_OK);
    stage_run();
    assert_log("start:a stop:a:normal");
}

static enum trp_status ask_a_thrice_then_kill(struct trp_context *ctx, struct probe *probe,
                                              uint64_t arg)
{
    (void)probe;
    assert_status(ask_add(ctx, &peer_a, 1, 1), TRP_OK);
    assert_status(ask_add(ctx, &peer_a, 1, 2), TRP_OK);
    assert_status(tell_add(ctx, &peer_a, 1), TRP_OK);
    return arg == 0 ? trp_kill(ctx, &peer_a) : trp_stop(ctx, &peer_a);
}

static void asks_to_a_killed_actor_are_answered(void **state)
{
    (void)state;
    peer_a = stage_spawn(&probe_type, 'a');
    peer_b = stage_spawn(&probe_type, 'b');
    stage_do(&peer_b, ask_a_thrice_then_kill, 0);
    assert_log("start:a start:b stop:a:killed reply:ESTOPPED:-1:1 reply:ESTOPPED:-1:2");
    assert_int_equal(trp_scheduler_requests_count(stage.scheduler), 0);
}

static void asks_before_a_stop_are_handled(void **state)
{
    (void)state;
    peer_a = stage_spawn(&probe_type, 'a');
    peer_b = stage_spawn(&probe_type, 'b');
    stage_do(&peer_b, ask_a_thrice_then_kill, 1);
    assert_log("start:a start:b a+1 a+1 a+1 stop:a:normal reply:OK:1:1 reply:OK:2:2");
}

static bool stop_hook_ran;

static void on_stop_that_acts(struct trp_context *ctx, void *state, enum trp_stop_reason reason)
{
    struct probe *probe = state;
    assert_int_equal(reason, TRP_STOP_NORMAL);
    struct trp_actor_ref self = trp_self(ctx);
    assert_status(tell_add(ctx, &self, 1), TRP_EDEAD);
    assert_status(tell_add(ctx, &peer_a, 7), TRP_OK);
    assert_status(ask_add(ctx, &peer_a, 7, 1), TRP_ESTATE);
    assert_status(trp_link(ctx, &peer_a), TRP_ESTATE);
    assert_status(trp_reply_to(ctx, probe->token, &trp_unit_type, NULL), TRP_OK);
    stop_hook_ran = true;
}

static enum trp_status answer_later(struct trp_context *ctx, struct probe *probe, uint64_t arg)
{
    (void)arg;
    probe->token = trp_reply_later(ctx);
    assert_true(probe->token != 0);
    return TRP_OK;
}

static enum trp_status ask_b_and_stop_it(struct trp_context *ctx, struct probe *probe, uint64_t arg)
{
    (void)probe;
    (void)arg;
    assert_status(ask_act(ctx, &peer_b, answer_later, 9), TRP_OK);
    return trp_stop(ctx, &peer_b);
}

static void on_stop_may_still_send_and_answer(void **state)
{
    (void)state;
    struct trp_actor_type type = probe_type;
    type.on_stop = on_stop_that_acts;
    stop_hook_ran = false;
    peer_a = stage_spawn(&probe_type, 'a');
    peer_b = stage_spawn(&type, 'b');
    stage_do(&peer_a, ask_b_and_stop_it, 0);
    assert_true(stop_hook_ran);
    /* The reply is in the control lane and so comes first. */
    assert_log("start:a start:b reply:OK:-1:9 a+7");
    stage_reopen(false); /* `type` ends here */
}

static void tells_that_it_is_gone_for_good(void **state)
{
    (void)state;
    struct trp_actor_ref a = stage_spawn(&probe_type, 'a');
    stage_run();
    struct trp_sched_event event;
    assert_false(trp_scheduler_next_event(stage.scheduler, &event));
    assert_status(trp_scheduler_stop(stage.scheduler, a.id), TRP_OK);
    stage_run();
    assert_true(trp_scheduler_next_event(stage.scheduler, &event));
    assert_int_equal(event.kind, TRP_SCHED_STOPPED);
    assert_true(event.actor == a.id);
    assert_int_equal(event.reason, TRP_STOP_NORMAL);
    assert_false(trp_scheduler_next_event(stage.scheduler, &event));
}

/* ---- mailboxes and turns ---- */

static enum trp_status overfill_b(struct trp_context *ctx, struct probe *probe, uint64_t arg)
{
    (void)probe;
    (void)arg;
    assert_status(tell_add(ctx, &peer_b, 1), TRP_OK);
    assert_status(tell_add(ctx, &peer_b, 2), TRP_OK);
    assert_status(tell_add(ctx, &peer_b, 3), TRP_EMAILBOXFULL);
    assert_status(trp_tell(ctx, &peer_b, &stage_unheard_type, NULL), TRP_EUNKNOWNMESSAGE);
    assert_status(trp_tell(ctx, &peer_b, &stage_only_told_type, NULL), TRP_EMAILBOXFULL);
    return TRP_OK;
}

static void refuses_at_once_when_full(void **state)
{
    (void)state;
    peer_a = stage_spawn(&probe_type, 'a');
    peer_b = stage_spawn_with(&probe_type, 'b', NULL,
                              &(struct trp_spawn_options){.mailbox_messages = 2});
    stage_do(&peer_a, overfill_b, 0);
    assert_log("start:a start:b b+1 b+2");
    stage_do(&peer_a, overfill_b, 0);
    assert_log("b+1 b+2");
}

static enum trp_status tell_self_again(struct trp_context *ctx, struct probe *probe, uint64_t arg)
{
    probe->value++;
    struct trp_actor_ref self = trp_self(ctx);
    return tell_act(ctx, &self, tell_self_again, arg);
}

static void an_actor_that_never_rests_starves_nobody(void **state)
{
    (void)state;
    struct trp_actor_ref a = stage_spawn(&probe_type, 'a');
    struct trp_actor_ref b = stage_spawn(&probe_type, 'b');
    stage_act_on(&a, tell_self_again, 0);
    stage_ping(&b);
    trp_scheduler_run(stage.scheduler, stage.now);
    assert_log("start:a start:b b:ping");
    /* The run has ended although there is more to do, and says so. */
    assert_true(trp_scheduler_deadline(stage.scheduler) == stage.now);
}

static enum trp_status tell_both(struct trp_context *ctx, struct probe *probe, uint64_t arg)
{
    (void)probe;
    (void)arg;
    assert_status(tell_add(ctx, &peer_b, 1), TRP_OK);
    assert_status(tell_add(ctx, &peer_a, 1), TRP_OK);
    return tell_add(ctx, &peer_b, 2);
}

static void actors_run_in_the_order_they_became_runnable(void **state)
{
    (void)state;
    peer_a = stage_spawn(&probe_type, 'a');
    peer_b = stage_spawn(&probe_type, 'b');
    struct trp_actor_ref c = stage_spawn(&probe_type, 'c');
    stage_do(&c, tell_both, 0);
    assert_log("start:a start:b start:c b+1 b+2 a+1");
}

static enum trp_status draw_twice(struct trp_context *ctx, struct probe *probe, uint64_t arg)
{
    (void)probe;
    (void)arg;
    uint64_t first = trp_random(ctx);
    uint64_t second = trp_random(ctx);
    assert_true(first != second);
    stage_log("%llx", (unsigned long long)(first ^ second));
    assert_true(trp_now(ctx) == stage.now);
    return TRP_OK;
}

static void draws_are_the_same_in_every_run(void **state)
{
    (void)state;
    char first[64];
    for (int run = 0; run < 2; run++) {
        stage_reopen(false);
        struct trp_actor_ref a = stage_spawn(&probe_type, 'a');
        stage_do(&a, draw_twice, 0);
        if (run == 0) {
            memcpy(first, stage.log, sizeof first);
        }
    }
    assert_string_equal(stage.log, first);
    struct trp_actor_ref b = stage_spawn(&probe_type, 'a');
    stage.log_size = 0;
    stage_do(&b, draw_twice, 0);
    assert_string_not_equal(stage.log, first);
}

int main(void)
{
#define STAGE_TEST(name) cmocka_unit_test_setup_teardown(name, stage_setup, stage_teardown)
    const struct CMUnitTest tests[] = {
        STAGE_TEST(starts_before_any_message),
        STAGE_TEST(handles_what_on_start_sent_to_itself_first),
        STAGE_TEST(never_ran_when_on_start_fails),
        STAGE_TEST(refuses_a_type_without_id),
        STAGE_TEST(bounds_the_actors_and_never_reuses_an_id),
        STAGE_TEST(ids_of_another_life_find_nobody),
        STAGE_TEST(a_failed_tell_stops_the_actor),
        STAGE_TEST(on_panic_may_carry_on),
        STAGE_TEST(stops_after_the_messages_already_there),
        STAGE_TEST(is_killed_before_its_next_message),
        STAGE_TEST(a_stopped_actor_that_never_started_starts_first),
        STAGE_TEST(asks_to_a_killed_actor_are_answered),
        STAGE_TEST(asks_before_a_stop_are_handled),
        STAGE_TEST(on_stop_may_still_send_and_answer),
        STAGE_TEST(tells_that_it_is_gone_for_good),
        STAGE_TEST(refuses_at_once_when_full),
        STAGE_TEST(an_actor_that_never_rests_starves_nobody),
        STAGE_TEST(actors_run_in_the_order_they_became_runnable),
        STAGE_TEST(draws_are_the_same_in_every_run),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
