/* SPDX-License-Identifier: MIT */
#include "unit/actor/stage.h"

static struct trp_actor_ref a;
static struct trp_actor_ref b;
static struct trp_actor_ref far; /* an actor elsewhere */

static enum trp_status link_to(struct trp_context *ctx, struct probe *probe, uint64_t ref)
{
    (void)probe;
    return trp_link(ctx, (const struct trp_actor_ref *)(uintptr_t)ref);
}

static enum trp_status unlink_from(struct trp_context *ctx, struct probe *probe, uint64_t ref)
{
    (void)probe;
    stage_log("unlink:%s",
              trp_status_name(trp_unlink(ctx, (const struct trp_actor_ref *)(uintptr_t)ref)));
    return TRP_OK;
}

#define REF(ref) ((uint64_t)(uintptr_t) & (ref))

static enum trp_status stop_self(struct trp_context *ctx, struct probe *probe, uint64_t arg)
{
    (void)probe;
    struct trp_actor_ref self = trp_self(ctx);
    return arg == 0 ? trp_stop(ctx, &self) : trp_kill(ctx, &self);
}

static void spawn_pair(const struct trp_actor_type *type_a, const struct trp_actor_type *type_b)
{
    a = stage_spawn(type_a, 'a');
    b = stage_spawn(type_b, 'b');
    far = (struct trp_actor_ref){.id = 99, .type = 5, .peer = stage_peer(0x22)};
    stage_run();
    assert_log("start:a start:b");
}

static void the_death_of_either_is_told_to_the_other_once(void **state)
{
    (void)state;
    for (int who = 0; who < 2; who++) {
        spawn_pair(&tough_type, &tough_type);
        stage_do(&a, link_to, REF(b));
        stage_do(&b, link_to, REF(a)); /* idempotent, from either side */
        stage_do(&a, link_to, REF(b));
        stage_do(who == 0 ? &a : &b, stop_self, 1);
        assert_log(who == 0 ? "stop:a:killed death:b:2:" : "stop:b:killed death:a:2:");
        stage_reopen(false);
    }
}

static void by_default_only_a_normal_end_is_survived(void **state)
{
    (void)state;
    spawn_pair(&probe_type, &probe_type);
    stage_do(&a, link_to, REF(b));
    stage_do(&b, stop_self, 0);
    assert_log("stop:b:normal");
    b = stage_spawn(&probe_type, 'b');
    stage_do(&a, link_to, REF(b));
    stage_do(&b, stop_self, 1);
    assert_log("start:b stop:b:killed stop:a:link_died");
}

static void deaths_spread_along_links_in_the_order_they_were_made(void **state)
{
    (void)state;
    spawn_pair(&probe_type, &probe_type);
    struct trp_actor_ref c = stage_spawn(&probe_type, 'c');
    struct trp_actor_ref d = stage_spawn(&probe_type, 'd');
    stage_run();
    stage_do(&c, link_to, REF(a));
    stage_do(&b, link_to, REF(a));
    stage_do(&d, link_to, REF(b));
    stage_do(&a, stop_self, 1);
    assert_log("start:c start:d stop:a:killed stop:c:link_died stop:b:link_died stop:d:link_died");
}

static void a_link_with_a_dead_actor_is_told_at_once(void **state)
{
    (void)state;
    spawn_pair(&tough_type, &probe_type);
    stage_do(&b, stop_self, 0);
    stage_do(&a, link_to, REF(b));
    assert_log("stop:b:normal death:a:2:it was dead before");
}

static enum trp_status link_self(struct trp_context *ctx, struct probe *probe, uint64_t arg)
{
    (void)probe;
    (void)arg;
    struct trp_actor_ref self = trp_self(ctx);
    assert_status(trp_link(ctx, &self), TRP_EINVAL);
    assert_status(trp_unlink(ctx, &b), TRP_ENOTFOUND);
    return TRP_OK;
}

static void unlinking_ends_it(void **state)
{
    (void)state;
    spawn_pair(&probe_type, &probe_type);
    stage_do(&a, link_self, 0);
    stage_do(&a, link_to, REF(b));
    stage_do(&b, unlink_from, REF(a));
    stage_do(&b, stop_self, 1);
    assert_log("unlink:OK stop:b:killed");
}

static void a_link_elsewhere_needs_a_network(void **state)
{
    (void)state;
    spawn_pair(&tough_type, &tough_type);
    stage_do(&a, link_to, REF(far));
    assert_log("panic:a:EUNREACHABLE");
}

static enum trp_status unlink_b_when_c_died(struct trp_context *ctx, struct probe *probe,
                                            const struct trp_link_death *death)
{
    if (death->actor.id != b.id) {
        stage_log("unlink:%s", trp_status_name(trp_unlink(ctx, &b)));
    } else {
        stage_log("told of b by %c", (char)probe->name);
    }
    return TRP_OK;
}

static bool on_death_unlink(struct trp_context *ctx, void *state,
                            const struct trp_link_death *death)
{
    return unlink_b_when_c_died(ctx, state, death) == TRP_OK;
}

static void a_death_on_its_way_can_be_unlinked(void **state)
{
    (void)state;
    struct trp_actor_type type = tough_type;
    type.on_link_died = on_death_unlink;
    spawn_pair(&type, &tough_type);
    struct trp_actor_ref c = stage_spawn(&tough_type, 'c');
    stage_run();
    stage_do(&a, link_to, REF(b));
    stage_do(&a, link_to, REF(c));
    assert_status(trp_scheduler_kill(stage.scheduler, c.id), TRP_OK);
    assert_status(trp_scheduler_kill(stage.scheduler, b.id), TRP_OK);
    stage_run();
    assert_log("start:c stop:c:killed stop:b:killed unlink:OK");
    stage_reopen(false); /* `type` ends here */
}

static enum trp_status spawn_linked(struct trp_context *ctx, struct probe *probe, uint64_t arg)
{
    (void)arg;
    const struct stage_args args = {.name = 'k'};
    return trp_spawn(ctx, &probe_type, &args, &(struct trp_spawn_options){.link = true},
                     &probe->ref);
}

static enum trp_status kill_child(struct trp_context *ctx, struct probe *probe, uint64_t arg)
{
    (void)arg;
    return trp_kill(ctx, &probe->ref);
}

static void a_child_may_be_linked_before_it_starts(void **state)
{
    (void)state;
    spawn_pair(&tough_type, &probe_type);
    stage_do(&a, spawn_linked, 0);
    stage_do(&a, kill_child, 0);
    assert_log("start:k stop:k:killed death:a:2:");
    const struct stage_args args = {0};
    assert_status(trp_scheduler_spawn(stage.scheduler, &probe_type, &args,
                                      &(struct trp_spawn_options){.link = true}, NULL),
                  TRP_EINVAL);
}

static void the_links_of_an_actor_are_bounded(void **state)
{
    (void)state;
    stage.limits.links_per_actor = 1;
    stage_reopen(false);
    spawn_pair(&tough_type, &tough_type);
    stage_do(&a, link_to, REF(b));
    stage_do(&a, spawn_linked, 0);
    assert_log("panic:a:EFULL");
    assert_int_equal(trp_scheduler_actors_count(stage.scheduler), 2);
}

/* ---- with actors elsewhere ---- */

static struct trp_sched_event next_event(void)
{
    struct trp_sched_event event;
    assert_true(trp_scheduler_next_event(stage.scheduler, &event));
    return event;
}

static void assert_no_event(void)
{
    struct trp_sched_event event;
    assert_false(trp_scheduler_next_event(stage.scheduler, &event));
}

static void a_link_elsewhere_leaves_as_an_event(void **state)
{
    (void)state;
    spawn_pair(&tough_type, &probe_type);
    stage_act_on(&a, link_to, REF(far));
    stage_act_on(&a, link_to, REF(far));
    assert_int_equal(next_event().kind, TRP_SCHED_ANSWER);
    assert_int_equal(next_event().kind, TRP_SCHED_ANSWER);
    stage_run();
    struct trp_sched_event event = next_event();
    assert_int_equal(event.kind, TRP_SCHED_LINK);
    assert_true(event.actor == a.id && trp_actor_ref_equal(&event.other, &far));
    assert_no_event();
    assert_int_equal(trp_scheduler_links_with(stage.scheduler, &far.peer), 1);

    stage_act_on(&a, unlink_from, REF(far));
    stage_run();
    assert_int_equal(next_event().kind, TRP_SCHED_ANSWER);
    event = next_event();
    assert_int_equal(event.kind, TRP_SCHED_UNLINK);
    assert_true(event.actor == a.id && trp_actor_ref_equal(&event.other, &far));
    assert_int_equal(trp_scheduler_links_with(stage.scheduler, &far.peer), 0);
    assert_log("unlink:OK");
}

static void our_death_is_told_elsewhere_once(void **state)
{
    (void)state;
    spawn_pair(&tough_type, &probe_type);
    assert_status(trp_scheduler_link(stage.scheduler, a.id, &far, TRP_BYTES_NONE), TRP_OK);
    assert_status(trp_scheduler_link(stage.scheduler, a.id, &far, TRP_BYTES_NONE), TRP_OK);
    assert_no_event(); /* the other side knows */
    assert_status(trp_scheduler_kill(stage.scheduler, a.id), TRP_OK);
    stage_run();
    struct trp_sched_event event = next_event();
    assert_int_equal(event.kind, TRP_SCHED_DIED);
    assert_true(event.actor == a.id && trp_actor_ref_equal(&event.other, &far));
    assert_int_equal(event.death->root, TRP_STOP_KILLED);
    assert_int_equal(event.death->links_count, 0);
    assert_int_equal(next_event().kind, TRP_SCHED_STOPPED);
    assert_no_event();
    assert_int_equal(trp_scheduler_links_with(stage.scheduler, &far.peer), 0);
    assert_status(trp_scheduler_link(stage.scheduler, a.id, &far, TRP_BYTES_NONE), TRP_EDEAD);
    assert_log("stop:a:killed");
}

static void a_panic_is_told_elsewhere_with_its_text(void **state)
{
    (void)state;
    spawn_pair(&probe_type, &probe_type);
    assert_status(trp_scheduler_link(stage.scheduler, a.id, &far, TRP_BYTES_NONE), TRP_OK);
    struct trp_actor_ref gone = {.id = 1234567};
    stage_act_on(&a, link_to, REF(gone)); /* told of a death, it dies of it */
    assert_int_equal(next_event().kind, TRP_SCHED_ANSWER);
    stage_run();
    struct trp_sched_event event = next_event();
    assert_int_equal(trp_stop_cause_reason(event.death), TRP_STOP_LINK_DIED);
    assert_int_equal(event.death->root, TRP_STOP_KILLED);
    assert_int_equal(event.death->links_count, 1);
    assert_int_equal(event.death->links[0].id, gone.id);
    stage_drain();
    assert_status(trp_scheduler_link(stage.scheduler, b.id, &far, TRP_BYTES_NONE), TRP_OK);
    stage_act_on(&b, link_to, REF(b)); /* a failure: EINVAL */
    assert_int_equal(next_event().kind, TRP_SCHED_ANSWER);
    stage_run();
    event = next_event();
    assert_int_equal(trp_stop_cause_reason(event.death), TRP_STOP_PANICKED);
    assert_int_equal(event.death->panic, TRP_PANIC_HANDLER_PANIC);
    assert_int_equal(event.death->text.size, 6);
    assert_memory_equal(event.death->text.data, "EINVAL", 6);
    assert_log("stop:a:link_died stop:b:panicked");
}

static void a_death_elsewhere_is_told_once(void **state)
{
    (void)state;
    spawn_pair(&tough_type, &probe_type);
    const struct trp_stop_cause oops = {.root = TRP_STOP_PANICKED, .text = trp_bytes_text("oops")};
    struct trp_scheduler *scheduler = stage.scheduler;
    assert_status(trp_scheduler_link_died(scheduler, a.id, &far, &oops), TRP_ENOTFOUND);
    assert_status(trp_scheduler_link(scheduler, a.id, &far, TRP_BYTES_NONE), TRP_OK);
    assert_status(trp_scheduler_link_died(scheduler, a.id, &far, &oops), TRP_OK);
    assert_status(trp_scheduler_link_died(scheduler, a.id, &far, &oops), TRP_ENOTFOUND);
    trp_scheduler_peer_lost(scheduler, &far.peer);
    stage_run();
    assert_log("death:a:3:oops");
    /* Nobody can speak for an actor of ours. */
    assert_status(trp_scheduler_link(scheduler, a.id, &b, TRP_BYTES_NONE), TRP_OK);
    assert_status(trp_scheduler_link_died(scheduler, a.id, &b, &oops), TRP_ENOTFOUND);
    assert_status(trp_scheduler_unlink(scheduler, a.id, &b), TRP_OK);
    assert_status(trp_scheduler_unlink(scheduler, a.id, &b), TRP_ENOTFOUND);
}

static void a_lost_peer_is_the_death_of_its_actors(void **state)
{
    (void)state;
    spawn_pair(&tough_type, &probe_type);
    struct trp_actor_ref second = far;
    second.id = 100;
    struct trp_actor_ref elsewhere = far;
    elsewhere.peer = stage_peer(0x33);
    assert_status(trp_scheduler_link(stage.scheduler, b.id, &far, TRP_BYTES_NONE), TRP_OK);
    assert_status(trp_scheduler_link(stage.scheduler, a.id, &second, TRP_BYTES_NONE), TRP_OK);
    assert_status(trp_scheduler_link(stage.scheduler, a.id, &elsewhere, TRP_BYTES_NONE), TRP_OK);
    assert_int_equal(trp_scheduler_links_with(stage.scheduler, &far.peer), 2);
    trp_scheduler_peer_lost(stage.scheduler, &far.peer);
    trp_scheduler_peer_lost(stage.scheduler, &far.peer);
    assert_int_equal(trp_scheduler_links_with(stage.scheduler, &far.peer), 0);
    assert_int_equal(trp_scheduler_links_with(stage.scheduler, &elsewhere.peer), 1);
    stage_run();
    assert_log("stop:b:peer_gone death:a:5:");
}

int main(void)
{
#define STAGE_TEST(name) cmocka_unit_test_setup_teardown(name, stage_setup, stage_teardown)
#define NETWORK_TEST(name)                                                                         \
    cmocka_unit_test_setup_teardown(name, stage_setup_networked, stage_teardown)
    const struct CMUnitTest tests[] = {
        STAGE_TEST(the_death_of_either_is_told_to_the_other_once),
        STAGE_TEST(by_default_only_a_normal_end_is_survived),
        STAGE_TEST(deaths_spread_along_links_in_the_order_they_were_made),
        STAGE_TEST(a_link_with_a_dead_actor_is_told_at_once),
        STAGE_TEST(unlinking_ends_it),
        STAGE_TEST(a_link_elsewhere_needs_a_network),
        STAGE_TEST(a_death_on_its_way_can_be_unlinked),
        STAGE_TEST(a_child_may_be_linked_before_it_starts),
        STAGE_TEST(the_links_of_an_actor_are_bounded),
        NETWORK_TEST(a_link_elsewhere_leaves_as_an_event),
        NETWORK_TEST(our_death_is_told_elsewhere_once),
        NETWORK_TEST(a_panic_is_told_elsewhere_with_its_text),
        NETWORK_TEST(a_death_elsewhere_is_told_once),
        NETWORK_TEST(a_lost_peer_is_the_death_of_its_actors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
