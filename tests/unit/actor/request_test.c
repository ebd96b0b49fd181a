/* SPDX-License-Identifier: MIT */
#include "unit/actor/stage.h"

static struct trp_actor_ref asker;
static struct trp_actor_ref target;

static void spawn_two(const struct trp_spawn_options *options)
{
    asker = stage_spawn(&tough_type, 'a');
    target = stage_spawn_with(&probe_type, 't', NULL, options);
    stage_run();
    assert_log("start:a start:t");
}

static enum trp_status ask_once(struct trp_context *ctx, struct probe *probe, uint64_t arg)
{
    (void)probe;
    return ask_add(ctx, &target, (int64_t)arg, arg);
}

static void an_ask_is_answered_once(void **state)
{
    (void)state;
    spawn_two(NULL);
    stage_do(&asker, ask_once, 3);
    assert_log("t+3 reply:OK:3:3");
    stage_do(&asker, ask_once, 4);
    assert_log("t+4 reply:OK:7:4");
    assert_int_equal(trp_scheduler_requests_count(stage.scheduler), 0);
}

static enum trp_status reply_twice(struct trp_context *ctx, struct probe *probe, uint64_t arg)
{
    (void)probe;
    (void)arg;
    assert_status(trp_reply(ctx, &stage_value_type, NULL), TRP_EINVAL); /* not the declared one */
    assert_status(trp_reply(ctx, &trp_unit_type, NULL), TRP_OK);
    assert_status(trp_reply(ctx, &trp_unit_type, NULL), TRP_ESTATE);
    assert_status(trp_reply_error(ctx, &trp_unit_type, NULL), TRP_ESTATE);
    assert_true(trp_reply_later(ctx) == 0);
    return TRP_OK;
}

static enum trp_status ask_for(struct trp_context *ctx, struct probe *probe, uint64_t function)
{
    (void)probe;
    return ask_act(ctx, &target, (stage_function)(uintptr_t)function, 1);
}

static void only_the_first_reply_counts(void **state)
{
    (void)state;
    spawn_two(NULL);
    stage_do(&asker, ask_for, (uint64_t)(uintptr_t)reply_twice);
    assert_log("reply:OK:-1:1");
}

static enum trp_status reply_to_nobody(struct trp_context *ctx, struct probe *probe, uint64_t arg)
{
    (void)probe;
    (void)arg;
    assert_status(trp_reply(ctx, &trp_unit_type, NULL), TRP_ESTATE);
    assert_true(trp_reply_later(ctx) == 0);
    assert_status(trp_reply_to(ctx, 0, &trp_unit_type, NULL), TRP_ESTATE);
    stage_log("told");
    return TRP_OK;
}

static void a_tell_takes_no_reply(void **state)
{
    (void)state;
    spawn_two(NULL);
    stage_do(&target, reply_to_nobody, 0);
    assert_log("told");
}

/* ---- failing ---- */

static enum trp_status log_error(struct trp_context *ctx, void *state,
                                 const struct trp_reply *reply)
{
    (void)ctx;
    (void)state;
    char text[64] = "";
    assert_null(reply->message);
    if (reply->payload.size > 0) {
        trp_msgpack_print(reply->payload, text, sizeof text);
    }
    stage_log("%s:%s", trp_status_name(reply->status), text);
    return TRP_OK;
}

static enum trp_status ask_for_error(struct trp_context *ctx, struct probe *probe,
                                     uint64_t function)
{
    (void)probe;
    return trp_ask(ctx, &target, &stage_act_type, &(struct stage_act){.function = function},
                   &(struct trp_ask_options){.reply = &trp_unit_type, .on_reply = log_error});
}

static enum trp_status fail_denied(struct trp_context *ctx, struct probe *probe, uint64_t arg)
{
    (void)ctx;
    (void)probe;
    (void)arg;
    return TRP_EDENIED;
}

static enum trp_status fail_too_big(struct trp_context *ctx, struct probe *probe, uint64_t arg)
{
    (void)ctx;
    (void)probe;
    (void)arg;
    return TRP_ETOOBIG;
}

static enum trp_status answer_with_error(struct trp_context *ctx, struct probe *probe, uint64_t arg)
{
    (void)probe;
    (void)arg;
    return trp_reply_error(ctx, &stage_value_type, &(struct stage_value){.value = 42});
}

static enum trp_status answer_then_fail(struct trp_context *ctx, struct probe *probe, uint64_t arg)
{
    (void)probe;
    (void)arg;
    assert_status(trp_reply(ctx, &trp_unit_type, NULL), TRP_OK);
    return TRP_EINVAL;
}

static void a_failed_ask_is_answered_and_the_actor_goes_on(void **state)
{
    (void)state;
    spawn_two(NULL);
    stage_do(&asker, ask_for_error, (uint64_t)(uintptr_t)fail_denied);
    assert_log("EHANDLER:\"EDENIED\"");
    stage_do(&asker, ask_for_error, (uint64_t)(uintptr_t)answer_with_error);
    assert_log("EHANDLER:42");
    stage_do(&asker, ask_once, 1);
    assert_log("t+1 reply:OK:1:1");
}

static void a_reply_that_does_not_encode_is_no_error_of_the_handler(void **state)
{
    (void)state;
    spawn_two(NULL);
    stage_do(&asker, ask_for, (uint64_t)(uintptr_t)fail_too_big);
    assert_log("reply:EENCODE:-1:1");
}

static void a_failure_after_the_reply_is_a_panic(void **state)
{
    (void)state;
    spawn_two(NULL);
    stage_do(&asker, ask_for, (uint64_t)(uintptr_t)answer_then_fail);
    assert_log("stop:t:panicked reply:OK:-1:1");
}

static enum trp_status say_nothing(struct trp_context *ctx, void *state, const void *message)
{
    (void)ctx;
    (void)state;
    (void)message;
    return TRP_OK;
}

static void a_handler_that_forgets_its_reply_has_failed(void **state)
{
    (void)state;
    static const struct trp_actor_handler handlers[] = {
        {&stage_add_type, &stage_value_type, say_nothing}};
    const struct trp_actor_type silent = {
        .id = "silent", .handlers_count = 1, .handlers = handlers};
    spawn_two(NULL);
    assert_status(trp_scheduler_spawn(stage.scheduler, &silent, NULL, NULL, &target), TRP_OK);
    stage_do(&asker, ask_once, 1);
    assert_log("reply:EHANDLER:-1:1");
    stage_reopen(false); /* `silent` ends here */
}

static enum trp_status fail_in_reply(struct trp_context *ctx, void *state,
                                     const struct trp_reply *reply)
{
    (void)ctx;
    (void)state;
    return reply->status == TRP_OK ? TRP_EDECODE : TRP_OK;
}

static enum trp_status ask_and_fail_later(struct trp_context *ctx, struct probe *probe,
                                          uint64_t arg)
{
    (void)probe;
    (void)arg;
    return trp_ask(
        ctx, &target, &stage_add_type, &(struct stage_add){.amount = 1},
        &(struct trp_ask_options){.reply = &stage_value_type, .on_reply = fail_in_reply});
}

static void a_failed_continuation_is_a_panic(void **state)
{
    (void)state;
    spawn_two(NULL);
    stage_do(&asker, ask_and_fail_later, 0);
    assert_log("t+1 panic:a:EDECODE");
}

static enum trp_status ask_impossible(struct trp_context *ctx, struct probe *probe, uint64_t arg)
{
    (void)probe;
    (void)arg;
    const struct trp_ask_options options = {.on_reply = log_error};
    assert_status(trp_ask(ctx, &target, &stage_unheard_type, NULL, &options), TRP_EUNKNOWNMESSAGE);
    assert_status(trp_ask(ctx, &target, &stage_only_told_type, NULL, &options),
                  TRP_EUNKNOWNMESSAGE);
    assert_status(trp_ask(ctx, &target, &stage_add_type, NULL, &options), TRP_EINVAL);
    struct trp_actor_ref elsewhere = {.id = 5, .type = 1, .peer = stage_peer(9)};
    assert_status(trp_ask(ctx, &elsewhere, &stage_ping_type, NULL, &options), TRP_EUNREACHABLE);
    struct trp_actor_ref nobody = {0};
    assert_status(trp_ask(ctx, &nobody, &stage_ping_type, NULL, &options), TRP_EDEAD);
    stage_log("refused");
    return TRP_OK;
}

static void an_impossible_ask_fails_at_once(void **state)
{
    (void)state;
    spawn_two(NULL);
    stage_do(&asker, ask_impossible, 0);
    assert_log("refused");
    assert_int_equal(trp_scheduler_requests_count(stage.scheduler), 0);
}

/* ---- answering later ---- */

static enum trp_status keep_token(struct trp_context *ctx, struct probe *probe, uint64_t arg)
{
    (void)arg;
    probe->token = trp_reply_later(ctx);
    assert_true(probe->token != 0 && probe->token == trp_reply_later(ctx));
    return TRP_OK;
}

static enum trp_status answer_token(struct trp_context *ctx, struct probe *probe, uint64_t arg)
{
    (void)arg;
    assert_status(trp_reply_to(ctx, probe->token, &stage_value_type, NULL), TRP_EINVAL);
    assert_status(trp_reply_to(ctx, probe->token, &trp_unit_type, NULL), TRP_OK);
    return trp_reply_to(ctx, probe->token, &trp_unit_type, NULL); /* nobody waits: no harm */
}

static enum trp_status answer_token_with_error(struct trp_context *ctx, struct probe *probe,
                                               uint64_t arg)
{
    (void)arg;
    assert_status(trp_reply_error_to(ctx, 0, &stage_value_type, NULL), TRP_ESTATE);
    const struct stage_value value = {.value = 7};
    assert_status(trp_reply_error_to(ctx, probe->token, &stage_value_type, &value), TRP_OK);
    return trp_reply_error_to(ctx, probe->token, &stage_value_type, &value);
}

static void an_ask_may_be_refused_later(void **state)
{
    (void)state;
    spawn_two(NULL);
    stage_do(&asker, ask_for_error, (uint64_t)(uintptr_t)keep_token);
    stage_do(&target, answer_token_with_error, 0);
    assert_log("EHANDLER:7");
}

/* The ask has ended otherwise: that is no fault of the one who answers. */
static enum trp_status answer_stale_token(struct trp_context *ctx, struct probe *probe,
                                          uint64_t arg)
{
    (void)arg;
    assert_true(probe->token != 0);
    return trp_reply_to(ctx, probe->token, &trp_unit_type, NULL);
}

static void an_ask_may_be_answered_later(void **state)
{
    (void)state;
    spawn_two(NULL);
    stage_do(&asker, ask_for, (uint64_t)(uintptr_t)keep_token);
    assert_log("");
    assert_int_equal(trp_scheduler_requests_count(stage.scheduler), 1);
    stage_do(&target, answer_token, 0);
    assert_log("reply:OK:-1:1");
    assert_int_equal(trp_scheduler_requests_count(stage.scheduler), 0);
}

static enum trp_status keep_token_and_fail(struct trp_context *ctx, struct probe *probe,
                                           uint64_t arg)
{
    assert_status(keep_token(ctx, probe, arg), TRP_OK);
    return TRP_EDENIED;
}

static void a_failure_answers_what_was_put_off(void **state)
{
    (void)state;
    spawn_two(NULL);
    stage_do(&asker, ask_for_error, (uint64_t)(uintptr_t)keep_token_and_fail);
    assert_log("EHANDLER:\"EDENIED\"");
}

static void put_off_asks_of_a_dead_actor_are_answered(void **state)
{
    (void)state;
    spawn_two(NULL);
    stage_do(&asker, ask_for, (uint64_t)(uintptr_t)keep_token);
    stage_do(&asker, ask_for, (uint64_t)(uintptr_t)keep_token);
    assert_status(trp_scheduler_stop(stage.scheduler, target.id), TRP_OK);
    stage_run();
    assert_log("stop:t:normal reply:ESTOPPED:-1:1 reply:ESTOPPED:-1:1");
}

static void asks_of_a_dead_actor_are_forgotten(void **state)
{
    (void)state;
    spawn_two(NULL);
    stage_do(&asker, ask_for, (uint64_t)(uintptr_t)keep_token);
    assert_status(trp_scheduler_kill(stage.scheduler, asker.id), TRP_OK);
    stage_run();
    stage_drain();
    assert_log("stop:a:killed");
    assert_int_equal(trp_scheduler_requests_count(stage.scheduler), 0);
    assert_true(trp_scheduler_deadline(stage.scheduler) == TRP_NEVER); /* its timeout with it */
    stage_do(&target, answer_stale_token, 0);
    assert_log("");
}

/* ---- time ---- */

static void an_ask_times_out_on_the_nanosecond(void **state)
{
    (void)state;
    spawn_two(NULL);
    trp_time sent = stage.now;
    stage_do(&asker, ask_for, (uint64_t)(uintptr_t)keep_token);
    trp_time due = sent + stage.limits.request_timeout_ns;
    assert_true(trp_scheduler_deadline(stage.scheduler) == due);
    stage_run_until(due - 1);
    assert_log("");
    stage_run_until(due);
    assert_log("reply:EREPLYTIMEOUT:-1:1");
    stage_do(&target, answer_stale_token, 0); /* too late, and harmless */
    assert_log("");
}

static enum trp_status ask_with_timeouts(struct trp_context *ctx, struct probe *probe, uint64_t arg)
{
    (void)probe;
    return trp_ask(ctx, &target, &stage_add_type, &(struct stage_add){.amount = 1},
                   &(struct trp_ask_options){.reply = &stage_value_type,
                                             .on_reply = log_reply,
                                             .user = arg,
                                             .mailbox_timeout_ns = TRP_MS(10),
                                             .reply_timeout_ns = TRP_MS(20)});
}

/* Keeps its user lane shut for 50 ms: it asks somebody who never answers, and holds. */
static enum trp_status hold_the_line(struct trp_context *ctx, struct probe *probe, uint64_t arg)
{
    (void)arg;
    return trp_ask(ctx, &probe->ref, &stage_act_type,
                   &(struct stage_act){.function = (uint64_t)(uintptr_t)keep_token},
                   &(struct trp_ask_options){
                       .on_reply = log_error, .reply_timeout_ns = TRP_MS(50), .hold = true});
}

static enum trp_status meet(struct trp_context *ctx, struct probe *probe, uint64_t arg)
{
    (void)ctx;
    (void)arg;
    probe->ref = stage_spawn(&probe_type, 's');
    return TRP_OK;
}

static void spawn_with_shut_target(void)
{
    spawn_two(&(struct trp_spawn_options){.mailbox_messages = 1});
    stage_do(&target, meet, 0);
    stage_do(&target, hold_the_line, 0);
    stage_do(&asker, ask_once, 9); /* fills it */
    assert_log("start:s");
}

static void waits_for_room_in_turn(void **state)
{
    (void)state;
    spawn_with_shut_target();
    stage_do(&asker, ask_with_timeouts, 1);
    stage_do(&asker, ask_with_timeouts, 2);
    stage_do(&asker, ask_once, 3); /* without a wait it is refused, and that is a panic */
    assert_log("panic:a:EMAILBOXFULL");
    stage_run_until(stage.now + TRP_MS(9));
    assert_log("");
    assert_status(trp_scheduler_kill(stage.scheduler, target.id), TRP_OK);
    stage_run();
    assert_log("stop:t:killed reply:ESTOPPED:-1:9 reply:EDEAD:-1:1 reply:EDEAD:-1:2");
}

static void a_wait_for_room_ends(void **state)
{
    (void)state;
    spawn_with_shut_target();
    stage_do(&asker, ask_with_timeouts, 1);
    trp_time sent = stage.now;
    stage_run_until(sent + TRP_MS(10) - 1);
    assert_log("");
    stage_run_until(sent + TRP_MS(10));
    assert_log("reply:EMAILBOXFULL:-1:1");
    stage_run_until(sent + TRP_MS(50)); /* it opens: what was in the mailbox is handled */
    assert_log("EREPLYTIMEOUT: t+9 reply:OK:9:9");
}

static enum trp_status ask_patiently(struct trp_context *ctx, struct probe *probe, uint64_t arg)
{
    (void)probe;
    return trp_ask(ctx, &target, &stage_add_type, &(struct stage_add){.amount = 1},
                   &(struct trp_ask_options){.reply = &stage_value_type,
                                             .on_reply = log_reply,
                                             .user = arg,
                                             .mailbox_timeout_ns = TRP_S(1)});
}

static void room_is_given_in_the_order_of_waiting(void **state)
{
    (void)state;
    spawn_with_shut_target();
    stage_do(&asker, ask_patiently, 1);
    stage_do(&asker, ask_patiently, 2);
    stage_run_until(stage.now + TRP_MS(50));
    assert_log("EREPLYTIMEOUT: t+9 reply:OK:9:9 t+1 reply:OK:10:1 t+1 reply:OK:11:2");
    assert_int_equal(trp_scheduler_requests_count(stage.scheduler), 0);
}

static void a_stopping_actor_refuses_those_that_wait(void **state)
{
    (void)state;
    spawn_with_shut_target();
    stage_do(&asker, ask_patiently, 1);
    assert_status(trp_scheduler_stop(stage.scheduler, target.id), TRP_OK);
    stage_run();
    assert_log("reply:EDEAD:-1:1");
    stage_run_until(stage.now + TRP_MS(50));
    assert_log("EREPLYTIMEOUT: t+9 stop:t:normal reply:OK:9:9");
}

/* The ask has timed out in the same moment as its target is killed, or handles it. */
static void an_outcome_under_way_is_the_only_one(void **state)
{
    (void)state;
    for (int killed = 0; killed < 2; killed++) {
        spawn_with_shut_target(); /* with one ask in its mailbox */
        stage_run_until(stage.now + TRP_MS(49));
        stage_do(&asker, ask_with_timeouts, 1);
        if (killed) {
            assert_status(trp_scheduler_kill(stage.scheduler, target.id), TRP_OK);
        }
        stage.now += stage.limits.request_timeout_ns; /* every deadline in one run */
        stage_run();
        assert_log(killed ? "stop:t:killed reply:EMAILBOXFULL:-1:1 reply:EREPLYTIMEOUT:-1:9"
                          : "EREPLYTIMEOUT: t+9 reply:EMAILBOXFULL:-1:1 reply:EREPLYTIMEOUT:-1:9");
        assert_int_equal(trp_scheduler_requests_count(stage.scheduler), 0);
        stage_reopen(false);
    }
}

/* ---- asking oneself, holding ---- */

static enum trp_status ask_self(struct trp_context *ctx, struct probe *probe, uint64_t arg)
{
    (void)probe;
    struct trp_actor_ref self = trp_self(ctx);
    return trp_ask(
        ctx, &self, &stage_add_type, &(struct stage_add){.amount = 1},
        &(struct trp_ask_options){
            .reply = &stage_value_type, .on_reply = log_reply, .user = 1, .hold = arg == 1});
}

static void an_actor_may_ask_itself_but_not_hold(void **state)
{
    (void)state;
    spawn_two(NULL);
    stage_do(&asker, ask_self, 0);
    assert_log("a+1 reply:OK:1:1");
    stage_do(&asker, ask_self, 1);
    assert_log("panic:a:ESTATE");
}

static enum trp_status ask_self_and_end(struct trp_context *ctx, struct probe *probe, uint64_t arg)
{
    struct trp_actor_ref self = trp_self(ctx);
    assert_status(ask_self(ctx, probe, 0), TRP_OK);
    return arg == 0 ? trp_kill(ctx, &self) : trp_stop(ctx, &self);
}

static void an_ask_to_itself_ends_with_it(void **state)
{
    (void)state;
    spawn_two(NULL);
    stage_do(&asker, ask_self_and_end, 0);
    stage_do(&target, ask_self_and_end, 1);
    assert_log("stop:a:killed t+1 reply:OK:1:1 stop:t:normal");
    assert_int_equal(trp_scheduler_requests_count(stage.scheduler), 0);
}

static enum trp_status hold_on_target(struct trp_context *ctx, struct probe *probe, uint64_t arg)
{
    (void)arg;
    struct trp_actor_ref self = trp_self(ctx);
    probe->value = 0;
    assert_status(
        trp_ask(ctx, &target, &stage_add_type, &(struct stage_add){.amount = 5},
                &(struct trp_ask_options){
                    .reply = &stage_value_type, .on_reply = log_reply, .user = 1, .hold = true}),
        TRP_OK);
    assert_status(trp_tell_after(ctx, 0, &self, &stage_ping_type, NULL, NULL), TRP_OK);
    return tell_add(ctx, &self, 1);
}

static void holding_keeps_other_messages_waiting(void **state)
{
    (void)state;
    spawn_two(NULL);
    stage_act_on(&asker, hold_on_target, 0);
    stage_ping(&asker);
    stage_run();
    stage_drain();
    assert_log("t+5 reply:OK:5:1 a:ping a+1 a:ping");
}

/* ---- replies of other types ---- */

static enum trp_status log_payload(struct trp_context *ctx, void *state,
                                   const struct trp_reply *reply)
{
    (void)ctx;
    (void)state;
    char text[64];
    trp_msgpack_print(reply->payload, text, sizeof text);
    stage_log("%s:%s", trp_status_name(reply->status), text);
    return TRP_OK;
}

static enum trp_status ask_otherwise(struct trp_context *ctx, struct probe *probe, uint64_t arg)
{
    (void)probe;
    const struct stage_add add = {.amount = 3};
    struct trp_ask_options options = {.on_reply = log_payload};
    if (arg == 1) { /* a newtype of i64 does not decode to a map */
        options.reply = &stage_echo_type;
        options.on_reply = log_reply;
    }
    if (arg == 2) {
        options.on_reply = NULL; /* the answer is not wanted */
    }
    return trp_ask(ctx, &target, &stage_add_type, &add, &options);
}

static void a_reply_is_given_as_the_asker_wants_it(void **state)
{
    (void)state;
    spawn_two(NULL);
    stage_do(&asker, ask_otherwise, 0);
    assert_log("t+3 OK:3");
    stage_do(&asker, ask_otherwise, 1);
    assert_log("t+3 reply:EDECODE:-1:0");
    stage_do(&asker, ask_otherwise, 2);
    assert_log("t+3");
    assert_int_equal(trp_scheduler_requests_count(stage.scheduler), 0);
}

static void the_asks_at_once_are_bounded(void **state)
{
    (void)state;
    stage.limits.requests = 2;
    stage_reopen(false);
    spawn_two(NULL);
    stage_do(&asker, ask_for, (uint64_t)(uintptr_t)keep_token);
    stage_do(&asker, ask_for, (uint64_t)(uintptr_t)keep_token);
    stage_do(&asker, ask_once, 1);
    assert_log("panic:a:EFULL");
    stage_do(&target, answer_token, 0);
    stage_do(&asker, ask_once, 1);
    assert_log("reply:OK:-1:1 t+1 reply:OK:1:1");
}

int main(void)
{
#define STAGE_TEST(name) cmocka_unit_test_setup_teardown(name, stage_setup, stage_teardown)
    const struct CMUnitTest tests[] = {
        STAGE_TEST(an_ask_is_answered_once),
        STAGE_TEST(only_the_first_reply_counts),
        STAGE_TEST(a_tell_takes_no_reply),
        STAGE_TEST(a_failed_ask_is_answered_and_the_actor_goes_on),
        STAGE_TEST(a_reply_that_does_not_encode_is_no_error_of_the_handler),
        STAGE_TEST(a_failure_after_the_reply_is_a_panic),
        STAGE_TEST(a_handler_that_forgets_its_reply_has_failed),
        STAGE_TEST(a_failed_continuation_is_a_panic),
        STAGE_TEST(an_impossible_ask_fails_at_once),
        STAGE_TEST(an_ask_may_be_answered_later),
        STAGE_TEST(an_ask_may_be_refused_later),
        STAGE_TEST(a_failure_answers_what_was_put_off),
        STAGE_TEST(put_off_asks_of_a_dead_actor_are_answered),
        STAGE_TEST(asks_of_a_dead_actor_are_forgotten),
        STAGE_TEST(an_ask_times_out_on_the_nanosecond),
        STAGE_TEST(waits_for_room_in_turn),
        STAGE_TEST(a_wait_for_room_ends),
        STAGE_TEST(room_is_given_in_the_order_of_waiting),
        STAGE_TEST(a_stopping_actor_refuses_those_that_wait),
        STAGE_TEST(an_outcome_under_way_is_the_only_one),
        STAGE_TEST(an_actor_may_ask_itself_but_not_hold),
        STAGE_TEST(an_ask_to_itself_ends_with_it),
        STAGE_TEST(holding_keeps_other_messages_waiting),
        STAGE_TEST(a_reply_is_given_as_the_asker_wants_it),
        STAGE_TEST(the_asks_at_once_are_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
