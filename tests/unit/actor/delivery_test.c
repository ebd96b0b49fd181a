/* SPDX-License-Identifier: MIT */
/* Messages from outside and to outside: what a scheduler without its network can show of both. */
#include "unit/actor/stage.h"

static struct trp_actor_ref actor;
static const struct trp_actor_ref far = {
    .id = 99, .type = 5, .peer = {.size = 3, .bytes = {7, 7, 7}}};

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

/* {"amount": 5} */
static const uint8_t add_five[] = {0x81, 0xa6, 'a', 'm', 'o', 'u', 'n', 't', 0x05};

static struct trp_delivery add_delivery(bool ask, uint64_t token)
{
    return (struct trp_delivery){.ask = ask,
                                 .actor = actor.id,
                                 .token = token,
                                 .actor_type = trp_bytes_text("probe"),
                                 .message = trp_bytes_text("add"),
                                 .payload = trp_bytes(add_five, sizeof add_five)};
}

static void assert_answer(uint64_t token, enum trp_status status)
{
    struct trp_sched_event event = next_event();
    assert_int_equal(event.kind, TRP_SCHED_ANSWER);
    assert_true(event.token == token);
    assert_status(event.status, status);
}

static void spawn_actor(uint32_t mailbox)
{
    actor = stage_spawn_with(&probe_type, 'a', NULL,
                             &(struct trp_spawn_options){.mailbox_messages = mailbox});
    stage_run();
    assert_log("start:a");
}

static void a_tell_is_answered_when_it_is_in_the_mailbox(void **state)
{
    (void)state;
    spawn_actor(1);
    struct trp_delivery tell = add_delivery(false, 11);
    trp_scheduler_deliver(stage.scheduler, &tell);
    assert_answer(11, TRP_OK);
    assert_log("");
    stage_run();
    assert_log("a+5");
    assert_no_event();
}

static void an_ask_is_answered_with_msgpack(void **state)
{
    (void)state;
    spawn_actor(1);
    struct trp_delivery ask = add_delivery(true, 12);
    ask.actor_type = TRP_BYTES_NONE;
    trp_scheduler_deliver(stage.scheduler, &ask);
    assert_no_event();
    assert_int_equal(trp_scheduler_requests_count(stage.scheduler), 1);
    stage_run();
    struct trp_sched_event event = next_event();
    assert_int_equal(event.kind, TRP_SCHED_ANSWER);
    assert_true(event.token == 12 && event.actor == actor.id);
    assert_status(event.status, TRP_OK);
    assert_int_equal(event.payload.size, 1);
    assert_int_equal(event.payload.data[0], 5); /* a newtype of i64 */
    assert_no_event();
    assert_int_equal(trp_scheduler_requests_count(stage.scheduler), 0);
}

static void refusals_come_in_the_order_of_kameo(void **state)
{
    (void)state;
    spawn_actor(1);
    struct trp_delivery wrong = add_delivery(true, 1);
    wrong.payload = trp_bytes(add_five, 3); /* wrong in every way; mended step by step */
    wrong.actor = 0;
    wrong.actor_type = trp_bytes_text("tough");
    wrong.message = trp_bytes_text("no such");
    trp_scheduler_deliver(stage.scheduler, &wrong);
    assert_answer(1, TRP_EUNKNOWNMESSAGE);
    wrong.message = trp_bytes_text("add");
    trp_scheduler_deliver(stage.scheduler, &wrong);
    assert_answer(1, TRP_EDEAD);
    wrong.actor = actor.id;
    trp_scheduler_deliver(stage.scheduler, &wrong);
    assert_answer(1, TRP_EBADTYPE);
    wrong.actor_type = trp_bytes_text("nobody knows");
    trp_scheduler_deliver(stage.scheduler, &wrong);
    assert_answer(1, TRP_EUNKNOWNMESSAGE);
    wrong.actor_type = trp_bytes_text("probe");
    trp_scheduler_deliver(stage.scheduler, &wrong);
    assert_answer(1, TRP_EDECODE);
    struct trp_delivery tell = add_delivery(false, 2);
    trp_scheduler_deliver(stage.scheduler, &tell);
    assert_answer(2, TRP_OK);
    wrong.payload = tell.payload;
    trp_scheduler_deliver(stage.scheduler, &wrong);
    assert_answer(1, TRP_EMAILBOXFULL);
    static const uint8_t empty_map = 0x80;
    wrong.message = trp_bytes_text("only_told");
    wrong.payload = trp_bytes(&empty_map, 1);
    trp_scheduler_deliver(stage.scheduler, &wrong);
    assert_answer(1, TRP_EUNKNOWNMESSAGE); /* it takes no asks */
    assert_no_event();
    assert_int_equal(trp_scheduler_requests_count(stage.scheduler), 0);
}

static void a_payload_over_the_limit_is_refused(void **state)
{
    (void)state;
    stage.limits.message_bytes = 64;
    stage_reopen(false);
    spawn_actor(1);
    static uint8_t large[65];
    struct trp_delivery tell = add_delivery(false, 3);
    tell.payload = trp_bytes(large, sizeof large);
    trp_scheduler_deliver(stage.scheduler, &tell);
    assert_answer(3, TRP_ETOOBIG);
}

static enum trp_status never_answer(struct trp_context *ctx, struct probe *probe, uint64_t arg)
{
    (void)arg;
    probe->token = trp_reply_later(ctx);
    return TRP_OK;
}

static void deliver_ask_act(stage_function function, uint64_t token, trp_time reply_timeout_ns)
{
    const struct stage_act act = {.function = (uint64_t)(uintptr_t)function};
    uint8_t payload[64];
    size_t size;
    assert_status(trp_message_encode(&stage_act_type, &act, payload, sizeof payload, &size),
                  TRP_OK);
    trp_scheduler_deliver(stage.scheduler,
                          &(struct trp_delivery){.ask = true,
                                                 .actor = actor.id,
                                                 .token = token,
                                                 .message = trp_bytes_text("act"),
                                                 .payload = trp_bytes(payload, size),
                                                 .reply_timeout_ns = reply_timeout_ns});
}

static enum trp_status fail_denied(struct trp_context *ctx, struct probe *probe, uint64_t arg)
{
    (void)ctx;
    (void)probe;
    (void)arg;
    return TRP_EDENIED;
}

static void an_ask_from_outside_has_one_outcome(void **state)
{
    (void)state;
    spawn_actor(8);
    deliver_ask_act(never_answer, 1, TRP_MS(5));
    stage_run_until(stage.now + TRP_MS(5) - 1);
    assert_no_event();
    stage_run_until(stage.now + 1);
    assert_answer(1, TRP_EREPLYTIMEOUT);
    deliver_ask_act(fail_denied, 2, 0);
    stage_run();
    assert_answer(2, TRP_EHANDLER);
    deliver_ask_act(never_answer, 3, 0);
    stage_run();
    deliver_ask_act(never_answer, 4, 0);
    assert_status(trp_scheduler_kill(stage.scheduler, actor.id), TRP_OK);
    stage_run();
    assert_answer(4, TRP_ESTOPPED); /* still in the mailbox */
    assert_answer(3, TRP_ESTOPPED); /* put off */
    assert_int_equal(next_event().kind, TRP_SCHED_STOPPED);
    assert_no_event();
}

static enum trp_status hold(struct trp_context *ctx, struct probe *probe, uint64_t arg)
{
    (void)probe;
    (void)arg;
    return trp_ask(ctx, &far, &stage_ping_type, NULL,
                   &(struct trp_ask_options){.reply_timeout_ns = TRP_MS(5), .hold = true});
}

static void a_tell_from_outside_may_wait_for_room(void **state)
{
    (void)state;
    spawn_actor(1);
    stage_do(&actor, hold, 0);
    struct trp_delivery tell = add_delivery(false, 1);
    tell.mailbox_timeout_ns = TRP_MS(3);
    trp_scheduler_deliver(stage.scheduler, &tell);
    assert_answer(1, TRP_OK);
    tell.token = 2;
    trp_scheduler_deliver(stage.scheduler, &tell);
    tell.token = 3;
    tell.mailbox_timeout_ns = TRP_MS(9);
    trp_scheduler_deliver(stage.scheduler, &tell);
    stage_run();
    assert_no_event();
    stage_run_until(stage.now + TRP_MS(4));
    assert_answer(2, TRP_EMAILBOXFULL);
    stage_run_until(stage.now + TRP_MS(1)); /* the hold has ended */
    assert_answer(3, TRP_OK);
    assert_log("a+5 a+5");
    assert_no_event();
}

/* ---- to outside ---- */

static enum trp_status tell_far(struct trp_context *ctx, struct probe *probe, uint64_t arg)
{
    (void)probe;
    (void)arg;
    struct trp_actor_ref unknown = far;
    unknown.type = 0;
    assert_status(tell_add(ctx, &unknown, 5), TRP_EINVAL);
    assert_status(trp_stop(ctx, &far), TRP_EUNSUPPORTED);
    assert_status(trp_kill(ctx, &far), TRP_EUNSUPPORTED);
    return tell_add(ctx, &far, 5);
}

static void a_tell_to_elsewhere_leaves_encoded(void **state)
{
    (void)state;
    spawn_actor(8);
    stage_act_on(&actor, tell_far, 0);
    assert_answer(0, TRP_OK);
    stage_run();
    struct trp_sched_event event = next_event();
    assert_int_equal(event.kind, TRP_SCHED_TELL);
    assert_true(trp_actor_ref_equal(&event.other, &far) && event.other.type == far.type);
    assert_true(trp_bytes_equal(event.message, trp_bytes_text("add")));
    assert_true(trp_bytes_equal(event.payload, trp_bytes(add_five, sizeof add_five)));
    assert_no_event();
    assert_log("");
}

static enum trp_status ask_far(struct trp_context *ctx, struct probe *probe, uint64_t user)
{
    (void)probe;
    return ask_add(ctx, &far, 5, user);
}

static uint64_t ask_elsewhere(uint64_t user)
{
    stage_act_on(&actor, ask_far, user);
    assert_answer(0, TRP_OK);
    stage_run();
    struct trp_sched_event event = next_event();
    assert_int_equal(event.kind, TRP_SCHED_ASK);
    assert_true(trp_actor_ref_equal(&event.other, &far));
    assert_true(trp_bytes_equal(event.payload, trp_bytes(add_five, sizeof add_five)));
    assert_no_event();
    return event.request;
}

static void an_ask_to_elsewhere_ends_once(void **state)
{
    (void)state;
    static const uint8_t seven = 0x07;
    static const uint8_t text[] = {0xa2, 'n', 'o'};
    spawn_actor(8);
    uint64_t request = ask_elsewhere(1);
    trp_scheduler_complete(stage.scheduler, request, TRP_OK, trp_bytes(&seven, 1));
    trp_scheduler_complete(stage.scheduler, request, TRP_ECLOSED, TRP_BYTES_NONE);
    stage_run();
    assert_log("reply:OK:7:1");
    trp_scheduler_complete(stage.scheduler, request, TRP_OK, trp_bytes(&seven, 1));
    stage_run();
    assert_log("");
    request = ask_elsewhere(2);
    trp_scheduler_complete(stage.scheduler, request, TRP_OK, trp_bytes(text, sizeof text));
    stage_run();
    assert_log("reply:EDECODE:-1:2");
    request = ask_elsewhere(3);
    trp_scheduler_complete(stage.scheduler, request, TRP_EUNREACHABLE, TRP_BYTES_NONE);
    stage_run();
    assert_log("reply:EUNREACHABLE:-1:3");
    request = ask_elsewhere(4);
    stage_run_until(stage.now + stage.limits.request_timeout_ns);
    assert_log("reply:EREPLYTIMEOUT:-1:4");
    trp_scheduler_complete(stage.scheduler, request, TRP_OK, trp_bytes(&seven, 1));
    request = ask_elsewhere(5);
    trp_scheduler_complete(stage.scheduler, request, TRP_EHANDLER, trp_bytes(text, sizeof text));
    stage_run();
    assert_log("reply:EHANDLER:-1:5");
    assert_int_equal(trp_scheduler_requests_count(stage.scheduler), 0);
}

static enum trp_status tell_self_ref(struct trp_context *ctx, struct probe *probe, uint64_t arg)
{
    (void)probe;
    (void)arg;
    struct trp_actor_ref self = trp_self(ctx);
    assert_true(trp_peer_id_equal(&self.peer, &stage.self)); /* the network knows us so */
    const struct stage_echo mine = {.text = trp_bytes_text("x"), .who = {.id = self.id}};
    assert_status(trp_tell(ctx, &far, &stage_echo_type, &mine), TRP_OK);
    /* A reference with our own PeerId is local. */
    return tell_add(ctx, &self, 1);
}

static void own_references_leave_with_our_name(void **state)
{
    (void)state;
    spawn_actor(8);
    stage_act_on(&actor, tell_self_ref, 0);
    assert_answer(0, TRP_OK);
    stage_run();
    struct trp_sched_event event = next_event();
    struct stage_echo echo;
    assert_status(trp_message_decode(&stage_echo_type, event.payload, &echo), TRP_OK);
    assert_true(echo.who.id == actor.id && trp_peer_id_equal(&echo.who.peer, &stage.self));
    assert_log("a+1");
}

static enum trp_status timer_far(struct trp_context *ctx, struct probe *probe, uint64_t arg)
{
    (void)arg;
    return trp_tell_after(ctx, TRP_MS(1), &far, &stage_add_type, &(struct stage_add){.amount = 5},
                          &probe->token);
}

static void a_timer_may_tell_elsewhere(void **state)
{
    (void)state;
    spawn_actor(8);
    stage_do(&actor, timer_far, 0);
    stage_run_until(stage.now + TRP_MS(1));
    struct trp_sched_event event = next_event();
    assert_int_equal(event.kind, TRP_SCHED_TELL);
    assert_true(trp_bytes_equal(event.payload, trp_bytes(add_five, sizeof add_five)));
    assert_no_event();
}

static enum trp_status tell_far_often(struct trp_context *ctx, struct probe *probe, uint64_t arg)
{
    (void)probe;
    for (uint64_t i = 0; i < arg; i++) {
        assert_status(tell_add(ctx, &far, 5), TRP_OK);
    }
    assert_status(tell_add(ctx, &far, 5), TRP_EFULL);
    return TRP_OK;
}

static void what_leaves_is_bounded(void **state)
{
    (void)state;
    stage.limits.requests = 3;
    stage_reopen(true);
    spawn_actor(8);
    stage_do(&actor, tell_far_often, 3);
    stage_do(&actor, tell_far_often, 3);
    assert_log("");
}

/* ---- names ---- */

static enum trp_status name_things(struct trp_context *ctx, struct probe *probe, uint64_t arg)
{
    (void)probe;
    (void)arg;
    char longest[257];
    memset(longest, 'n', sizeof longest);
    longest[256] = '\0';
    struct trp_actor_ref self = trp_self(ctx);
    assert_status(trp_register(ctx, &self, ""), TRP_EINVAL);
    assert_status(trp_register(ctx, &self, "a:meta:b"), TRP_EINVAL);
    assert_status(trp_register(ctx, &self, "a:meta"), TRP_EINVAL); /* "a:meta:meta:…" */
    assert_status(trp_register(ctx, &self, longest), TRP_EINVAL);
    assert_status(trp_register(ctx, &far, "far"), TRP_EUNSUPPORTED);
    assert_status(trp_register(ctx, &self, "\xff"), TRP_EINVAL); /* not UTF-8 */
    assert_status(trp_register(ctx, &self, longest + 1), TRP_OK);
    assert_status(trp_register(ctx, &self, "n\xc3\xa4me"), TRP_OK);
    assert_status(trp_unregister(ctx, ""), TRP_EINVAL);
    return trp_unregister(ctx, "other");
}

static void names_leave_as_events(void **state)
{
    (void)state;
    spawn_actor(8);
    stage_act_on(&actor, name_things, 0);
    assert_answer(0, TRP_OK);
    stage_run();
    struct trp_sched_event event = next_event();
    assert_int_equal(event.kind, TRP_SCHED_REGISTER);
    assert_int_equal(event.name.size, 255);
    event = next_event();
    assert_true(event.actor == actor.id);
    assert_true(trp_bytes_equal(event.name, trp_bytes_text("n\xc3\xa4me")));
    event = next_event();
    assert_int_equal(event.kind, TRP_SCHED_UNREGISTER);
    assert_true(trp_bytes_equal(event.name, trp_bytes_text("other")));
    assert_no_event();
}

static enum trp_status log_found(struct trp_context *ctx, void *state,
                                 const struct trp_lookup_result *result)
{
    (void)ctx;
    (void)state;
    stage_log("found:%s:%u:%d:%u", trp_status_name(result->status), (unsigned)result->ref.id,
              result->last, (unsigned)result->user);
    return TRP_OK;
}

static enum trp_status look_up(struct trp_context *ctx, struct probe *probe, uint64_t arg)
{
    (void)probe;
    assert_status(trp_lookup(ctx, "", true, log_found, 0), TRP_EINVAL);
    return trp_lookup(ctx, "who", arg == 1, log_found, 3);
}

static void a_lookup_gives_each_result_and_one_last(void **state)
{
    (void)state;
    spawn_actor(8);
    stage_act_on(&actor, look_up, 1);
    assert_answer(0, TRP_OK);
    stage_run();
    struct trp_sched_event event = next_event();
    assert_int_equal(event.kind, TRP_SCHED_LOOKUP);
    assert_true(event.scope == TRP_LOOKUP_ALL &&
                trp_bytes_equal(event.name, trp_bytes_text("who")));
    uint64_t request = event.request;
    trp_scheduler_found(stage.scheduler, request, TRP_OK, &far, false);
    trp_scheduler_found(stage.scheduler, request, TRP_OK, &far, false);
    stage_run();
    assert_log("found:OK:99:0:3 found:OK:99:0:3");
    trp_scheduler_found(stage.scheduler, request, TRP_OK, &far, false);
    trp_scheduler_found(stage.scheduler, request, TRP_ENOTFOUND, NULL, true);
    trp_scheduler_found(stage.scheduler, request, TRP_OK, &far, false);
    trp_scheduler_found(stage.scheduler, request, TRP_OK, &far, true);
    stage_run();
    assert_log("found:OK:99:0:3 found:ENOTFOUND:0:1:3");
    assert_int_equal(trp_scheduler_requests_count(stage.scheduler), 0);
}

static void a_lookup_of_a_dead_actor_is_forgotten(void **state)
{
    (void)state;
    spawn_actor(8);
    stage_act_on(&actor, look_up, 0);
    assert_answer(0, TRP_OK);
    stage_run();
    uint64_t request = next_event().request;
    trp_scheduler_found(stage.scheduler, request, TRP_OK, &far, false);
    assert_status(trp_scheduler_kill(stage.scheduler, actor.id), TRP_OK);
    stage_run();
    trp_scheduler_found(stage.scheduler, request, TRP_OK, &far, true);
    stage_run();
    assert_log("stop:a:killed");
    assert_int_equal(trp_scheduler_requests_count(stage.scheduler), 0);
}

/* ---- types ---- */

static void types_are_found_by_id_and_must_differ(void **state)
{
    (void)state;
    assert_ptr_equal(trp_scheduler_find_type(stage.scheduler, trp_bytes_text("tough")),
                     &tough_type);
    assert_null(trp_scheduler_find_type(stage.scheduler, trp_bytes_text("")));
    assert_null(trp_scheduler_find_type(stage.scheduler, trp_bytes_text("toughest")));
    const struct trp_actor_type *const twice[] = {&probe_type, &probe_type};
    struct trp_scheduler *scheduler = NULL;
    const struct trp_scheduler_config config = {
        .memory = &stage.memory, .limits = &stage.limits, .types = twice, .types_count = 2};
    assert_status(trp_scheduler_open(&config, &scheduler), TRP_EINVAL);
    assert_null(scheduler);
    trp_scheduler_close(NULL);
}

int main(void)
{
#define STAGE_TEST(name) cmocka_unit_test_setup_teardown(name, stage_setup, stage_teardown)
#define NETWORK_TEST(name)                                                                         \
    cmocka_unit_test_setup_teardown(name, stage_setup_networked, stage_teardown)
    const struct CMUnitTest tests[] = {
        STAGE_TEST(a_tell_is_answered_when_it_is_in_the_mailbox),
        STAGE_TEST(an_ask_is_answered_with_msgpack),
        STAGE_TEST(refusals_come_in_the_order_of_kameo),
        STAGE_TEST(a_payload_over_the_limit_is_refused),
        STAGE_TEST(an_ask_from_outside_has_one_outcome),
        NETWORK_TEST(a_tell_from_outside_may_wait_for_room),
        NETWORK_TEST(a_tell_to_elsewhere_leaves_encoded),
        NETWORK_TEST(an_ask_to_elsewhere_ends_once),
        NETWORK_TEST(own_references_leave_with_our_name),
        NETWORK_TEST(a_timer_may_tell_elsewhere),
        NETWORK_TEST(what_leaves_is_bounded),
        NETWORK_TEST(names_leave_as_events),
        NETWORK_TEST(a_lookup_gives_each_result_and_one_last),
        NETWORK_TEST(a_lookup_of_a_dead_actor_is_forgotten),
        STAGE_TEST(types_are_found_by_id_and_must_differ),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
