/* SPDX-License-Identifier: MIT */
/* A whole small life of actors, with each of its allocations failing in turn. */
#include "unit/actor/stage.h"

static struct trp_actor_ref workers[3];
static uint32_t asked;    /* trp_ask said TRP_OK */
static uint32_t answered; /* on_reply was called */
static const struct trp_actor_ref far = {
    .id = 99, .type = 5, .peer = {.size = 3, .bytes = {7, 7, 7}}};

static enum trp_status count_reply(struct trp_context *ctx, void *state,
                                   const struct trp_reply *reply)
{
    (void)ctx;
    (void)state;
    (void)reply;
    answered++;
    return TRP_OK;
}

static void try_ask(struct trp_context *ctx, const struct trp_actor_ref *to,
                    const struct trp_message_type *type, const void *message)
{
    const struct trp_ask_options options = {.reply = &stage_echo_type,
                                            .on_reply = count_reply,
                                            .mailbox_timeout_ns = TRP_MS(1),
                                            .reply_timeout_ns = TRP_MS(5)};
    asked += trp_ask(ctx, to, type, message, &options) == TRP_OK;
}

static enum trp_status put_off(struct trp_context *ctx, struct probe *probe, uint64_t arg)
{
    (void)arg;
    probe->token = trp_reply_later(ctx);
    return TRP_OK;
}

static enum trp_status ignore_lookup(struct trp_context *ctx, void *state,
                                     const struct trp_lookup_result *result)
{
    (void)ctx;
    (void)state;
    (void)result;
    return TRP_OK;
}

/* Does one of everything; what is refused for want of memory is simply not done. */
static enum trp_status live(struct trp_context *ctx, struct probe *probe, uint64_t arg)
{
    (void)arg;
    static uint8_t data[700];
    const struct stage_act later = {.function = (uint64_t)(uintptr_t)put_off};
    const struct stage_echo echo = {.text = trp_bytes_text("text"),
                                    .data = trp_bytes(data, sizeof data)};
    const struct stage_args child = {.name = 'c'};
    for (size_t i = 0; i < 3; i++) {
        try_ask(ctx, &workers[i], &stage_echo_type, &echo);
        try_ask(ctx, &workers[i], &stage_act_type, &later);
        TRP_IGNORE(tell_add(ctx, &workers[i], 1));
        TRP_IGNORE(trp_link(ctx, &workers[i]));
    }
    try_ask(ctx, &far, &stage_echo_type, &echo);
    TRP_IGNORE(trp_tell(ctx, &far, &stage_echo_type, &echo));
    TRP_IGNORE(trp_link(ctx, &far));
    TRP_IGNORE(trp_spawn(ctx, &tough_type, &child, &(struct trp_spawn_options){.link = true},
                         &probe->ref));
    TRP_IGNORE(trp_tell_after(ctx, TRP_MS(1), &workers[0], &stage_echo_type, &echo, NULL));
    TRP_IGNORE(trp_tell_after(ctx, TRP_MS(1), &far, &stage_echo_type, &echo, NULL));
    struct trp_actor_ref self = trp_self(ctx);
    TRP_IGNORE(trp_register(ctx, &self, "me"));
    TRP_IGNORE(trp_lookup(ctx, "you", true, ignore_lookup, 0));
    TRP_IGNORE(trp_kill(ctx, &workers[1]));
    return TRP_OK;
}

/* What the network would do, with every ask and delivery accounted for. */
static uint32_t serve_events(void)
{
    struct trp_sched_event event;
    uint32_t answers = 0;
    while (trp_scheduler_next_event(stage.scheduler, &event)) {
        if (event.kind == TRP_SCHED_ANSWER) {
            answers++;
        } else if (event.kind == TRP_SCHED_ASK) {
            trp_scheduler_complete(stage.scheduler, event.request, TRP_OK, event.payload);
        } else if (event.kind == TRP_SCHED_LOOKUP) {
            trp_scheduler_found(stage.scheduler, event.request, TRP_OK, &far, false);
            trp_scheduler_found(stage.scheduler, event.request, TRP_OK, &far, true);
        } else if (event.kind == TRP_SCHED_LINK) {
            const struct trp_stop_cause cause = {.root = TRP_STOP_PANICKED,
                                                 .text = trp_bytes_text("far away")};
            TRP_IGNORE(trp_scheduler_link_died(stage.scheduler, event.actor, &event.other, &cause));
        }
    }
    return answers;
}

/* Lives with the n-th allocation from now failing (0: none), and no more than `room_bytes` of
 * memory; says whether so many were made. */
static bool live_with(uint64_t n, uint64_t room_bytes)
{
    stage_reopen(true);
    asked = 0;
    answered = 0;
    struct trp_actor_ref me = stage_spawn(&tough_type, 'm');
    for (size_t i = 0; i < 3; i++) {
        workers[i] = stage_spawn_with(&tough_type, (char)('0' + i), NULL,
                                      &(struct trp_spawn_options){.mailbox_messages = 1});
    }
    stage_run();
    stage.memory.fail_at = n;
    stage.memory.limit_bytes = stage.memory.used_bytes + room_bytes;
    uint32_t answers = 0;
    stage_act_on(&me, live, 0);
    stage_act_on(&workers[2], put_off, 0);
    for (trp_time until = stage.now + TRP_MS(20); stage.now < until; stage.now += TRP_MS(1)) {
        stage_run();
        answers += serve_events();
    }
    assert_int_equal(answers, 2); /* both deliveries have their one answer */
    assert_int_equal(asked, answered);
    assert_int_equal(trp_scheduler_requests_count(stage.scheduler), 0);
    bool failed = stage.memory.fail_at == 0;
    stage.memory.fail_at = 0;
    stage.memory.limit_bytes = UINT64_MAX;
    return failed;
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    uint64_t n = 1;
    while (live_with(n, UINT32_MAX)) {
        n++;
        assert_true(n < 1000);
    }
    assert_true(n > 15); /* there was something to fail */
    assert_true(asked == 7);
}

static void any_amount_of_memory_will_do(void **state)
{
    (void)state;
    uint32_t least = UINT32_MAX;
    for (uint64_t room = 0; room < 40000; room += 373) {
        live_with(0, room);
        least = asked < least ? asked : least;
    }
    assert_true(least < 7 && asked == 7); /* from too little to enough */
}

static void opening_may_fail(void **state)
{
    (void)state;
    struct trp_scheduler *scheduler = NULL;
    const struct trp_scheduler_config config = {
        .memory = &stage.memory, .limits = &stage.limits, .types = stage_types, .types_count = 2};
    uint64_t used = stage.memory.used_bytes;
    uint64_t n = 0;
    enum trp_status status;
    do {
        stage.memory.fail_at = ++n;
        status = trp_scheduler_open(&config, &scheduler);
        assert_true(status == TRP_OK || status == TRP_ENOMEM);
        assert_true(status == TRP_OK || stage.memory.used_bytes == used);
    } while (status != TRP_OK);
    assert_int_equal(n, 8); /* the scheduler, two types and their names, a table of those */
    stage.memory.fail_at = 0;
    trp_scheduler_close(scheduler);
    assert_true(stage.memory.used_bytes == used);
}

int main(void)
{
#define STAGE_TEST(name) cmocka_unit_test_setup_teardown(name, stage_setup, stage_teardown)
    const struct CMUnitTest tests[] = {
        STAGE_TEST(every_allocation_may_fail),
        STAGE_TEST(any_amount_of_memory_will_do),
        STAGE_TEST(opening_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
