/* SPDX-License-Identifier: MIT */
#include "unit/actor/stage.h"

static struct trp_actor_ref actor;
static struct trp_actor_ref other;

static enum trp_status set_timers(struct trp_context *ctx, struct probe *probe, uint64_t arg)
{
    (void)arg;
    static const trp_time delays_ms[] = {30, 10, 20, 10};
    struct trp_actor_ref self = trp_self(ctx);
    for (int64_t i = 0; i < 4; i++) {
        assert_status(trp_tell_after(ctx, TRP_MS(delays_ms[i]), &self, &stage_add_type,
                                     &(struct stage_add){.amount = i}, &probe->token),
                      TRP_OK);
    }
    return TRP_OK;
}

static void messages_come_when_due_in_the_order_set(void **state)
{
    (void)state;
    actor = stage_spawn(&probe_type, 'a');
    stage_do(&actor, set_timers, 0);
    trp_time start = stage.now;
    assert_true(trp_scheduler_deadline(stage.scheduler) == start + TRP_MS(10));
    stage_run_until(start + TRP_MS(10) - 1);
    assert_log("start:a");
    stage_run_until(start + TRP_MS(10));
    assert_log("a+1 a+3");
    stage_run_until(start + TRP_MS(40));
    assert_log("a+2 a+0");
    assert_true(trp_scheduler_deadline(stage.scheduler) == TRP_NEVER);
}

static enum trp_status cancel(struct trp_context *ctx, struct probe *probe, uint64_t arg)
{
    (void)arg;
    trp_timer_cancel(ctx, probe->token);
    trp_timer_cancel(ctx, probe->token); /* again, and one that never was: no harm */
    trp_timer_cancel(ctx, 77);
    return TRP_OK;
}

static void a_cancelled_timer_sends_nothing(void **state)
{
    (void)state;
    actor = stage_spawn(&probe_type, 'a');
    stage_do(&actor, set_timers, 0);
    stage_do(&actor, cancel, 0);
    stage_run_until(stage.now + TRP_MS(40));
    assert_log("start:a a+1 a+2 a+0");
}

static enum trp_status set_one_and_one_that_cancels(struct trp_context *ctx, struct probe *probe,
                                                    uint64_t arg)
{
    (void)arg;
    struct trp_actor_ref self = trp_self(ctx);
    const struct stage_act act = {.function = (uint64_t)(uintptr_t)cancel};
    assert_status(trp_tell_after(ctx, TRP_MS(1), &self, &stage_act_type, &act, NULL), TRP_OK);
    return trp_tell_after(ctx, TRP_MS(1), &self, &stage_ping_type, NULL, &probe->token);
}

static void a_due_timer_can_still_be_cancelled(void **state)
{
    (void)state;
    actor = stage_spawn(&probe_type, 'a');
    stage_do(&actor, set_one_and_one_that_cancels, 0);
    stage_run_until(stage.now + TRP_MS(2));
    assert_log("start:a");
}

static enum trp_status set_on_other(struct trp_context *ctx, struct probe *probe, uint64_t arg)
{
    (void)probe;
    (void)arg;
    assert_status(trp_tell_after(ctx, TRP_MS(1), &other, &stage_unheard_type, NULL, NULL),
                  TRP_EUNKNOWNMESSAGE);
    assert_status(trp_tell_after(ctx, TRP_MS(1), &other, &stage_add_type, NULL, NULL), TRP_EINVAL);
    return trp_tell_after(ctx, TRP_MS(1), &other, &stage_ping_type, NULL, NULL);
}

static enum trp_status set_on_dead(struct trp_context *ctx, struct probe *probe, uint64_t arg)
{
    (void)probe;
    (void)arg;
    return trp_tell_after(ctx, TRP_MS(1), &other, &stage_ping_type, NULL, NULL);
}

static void timers_to_an_actor_end_with_it(void **state)
{
    (void)state;
    actor = stage_spawn(&tough_type, 'a');
    other = stage_spawn(&probe_type, 'b');
    stage_do(&actor, set_on_other, 0);
    stage_run_until(stage.now + TRP_MS(1));
    assert_log("start:a start:b b:ping");
    stage_do(&actor, set_on_other, 0);
    assert_status(trp_scheduler_kill(stage.scheduler, other.id), TRP_OK);
    stage_run();
    assert_true(trp_scheduler_deadline(stage.scheduler) == TRP_NEVER);
    stage_do(&actor, set_on_dead, 0);
    assert_log("stop:b:killed panic:a:EDEAD");
}

static void a_timer_outlives_who_set_it(void **state)
{
    (void)state;
    actor = stage_spawn(&probe_type, 'a');
    other = stage_spawn(&probe_type, 'b');
    stage_do(&actor, set_on_other, 0);
    assert_status(trp_scheduler_kill(stage.scheduler, actor.id), TRP_OK);
    stage_run_until(stage.now + TRP_MS(1));
    assert_log("start:a start:b stop:a:killed b:ping");
}

static enum trp_status fill_self(struct trp_context *ctx, struct probe *probe, uint64_t arg)
{
    (void)probe;
    (void)arg;
    struct trp_actor_ref self = trp_self(ctx);
    assert_status(trp_tell_after(ctx, 0, &self, &stage_ping_type, NULL, NULL), TRP_OK);
    for (int64_t i = 0; i < 2; i++) {
        assert_status(tell_add(ctx, &self, i), TRP_OK);
    }
    return TRP_OK;
}

static void a_full_mailbox_stops_no_timer(void **state)
{
    (void)state;
    actor = stage_spawn_with(&probe_type, 'a', NULL,
                             &(struct trp_spawn_options){.mailbox_messages = 2});
    stage_act_on(&actor, fill_self, 0);
    trp_scheduler_run(stage.scheduler, stage.now);
    trp_scheduler_run(stage.scheduler, stage.now + 1);
    assert_log("start:a a+0 a+1 a:ping");
}

static void the_timers_at_once_are_bounded(void **state)
{
    (void)state;
    stage.limits.timers = 5;
    stage_reopen(false);
    actor = stage_spawn(&tough_type, 'a');
    other = stage_spawn(&probe_type, 'b');
    stage_do(&actor, set_timers, 0);
    stage_do(&actor, set_on_dead, 0);
    stage_do(&actor, set_on_dead, 0);
    assert_log("start:a start:b panic:a:EFULL");
    stage_run_until(stage.now + TRP_MS(1));
    stage_do(&actor, set_on_dead, 0);
    assert_log("b:ping");
}

static enum trp_status stop_with_timer(struct trp_context *ctx, struct probe *probe, uint64_t arg)
{
    struct trp_actor_ref self = trp_self(ctx);
    assert_status(set_timers(ctx, probe, arg), TRP_OK);
    assert_status(trp_stop(ctx, &self), TRP_OK);
    assert_status(trp_tell_after(ctx, 1, &self, &stage_ping_type, NULL, NULL), TRP_EDEAD);
    return TRP_OK;
}

static void a_stopping_actor_takes_no_timers(void **state)
{
    (void)state;
    actor = stage_spawn(&probe_type, 'a');
    stage_do(&actor, stop_with_timer, 0);
    assert_log("start:a stop:a:normal");
    assert_true(trp_scheduler_deadline(stage.scheduler) == TRP_NEVER);
}

int main(void)
{
#define STAGE_TEST(name) cmocka_unit_test_setup_teardown(name, stage_setup, stage_teardown)
    const struct CMUnitTest tests[] = {
        STAGE_TEST(messages_come_when_due_in_the_order_set),
        STAGE_TEST(a_cancelled_timer_sends_nothing),
        STAGE_TEST(a_due_timer_can_still_be_cancelled),
        STAGE_TEST(timers_to_an_actor_end_with_it),
        STAGE_TEST(a_timer_outlives_who_set_it),
        STAGE_TEST(a_full_mailbox_stops_no_timer),
        STAGE_TEST(the_timers_at_once_are_bounded),
        STAGE_TEST(a_stopping_actor_takes_no_timers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
