/* SPDX-License-Identifier: MIT */
#include "unit/actor/stage.h"

static struct trp_actor_ref actor;

/* Sends slices of its own stack, which are overwritten before the message is handled. */
static enum trp_status send_echo(struct trp_context *ctx, struct probe *probe, uint64_t arg)
{
    (void)probe;
    (void)arg;
    char text[] = "hello";
    uint8_t data[300];
    memset(data, 7, sizeof data);
    struct trp_actor_ref self = trp_self(ctx);
    struct stage_echo echo = {
        .text = trp_bytes(text, 5), .number = 3, .data = trp_bytes(data, sizeof data), .who = self};
    assert_status(trp_tell(ctx, &self, &stage_echo_type, &echo), TRP_OK);
    memset(text, 'x', 5);
    memset(data, 0, sizeof data);
    echo = (struct stage_echo){0}; /* empty slices may be NULL */
    assert_status(trp_tell(ctx, &self, &stage_echo_type, &echo), TRP_OK);
    return TRP_OK;
}

static void slices_are_copied_with_their_message(void **state)
{
    (void)state;
    actor = stage_spawn(&probe_type, 'a');
    stage_do(&actor, send_echo, 0);
    assert_log("start:a a:echo(hello,3,300,1) a:echo(,0,0,0)");
}

static enum trp_status check_echo(struct trp_context *ctx, void *state,
                                  const struct trp_reply *reply)
{
    (void)ctx;
    (void)state;
    assert_status(reply->status, TRP_OK);
    const struct stage_echo *echo = reply->message;
    assert_int_equal(echo->data.size, reply->user);
    for (size_t i = 0; i < echo->data.size; i++) {
        assert_int_equal(echo->data.data[i], (uint8_t)(i * 31));
    }
    assert_true(trp_bytes_equal(echo->text, trp_bytes_text("text")));
    stage_log("%u", (unsigned)echo->data.size);
    return TRP_OK;
}

static enum trp_status ask_echo(struct trp_context *ctx, struct probe *probe, uint64_t size)
{
    (void)probe;
    static uint8_t data[8192];
    for (size_t i = 0; i < sizeof data; i++) {
        data[i] = (uint8_t)(i * 31);
    }
    struct trp_actor_ref self = trp_self(ctx);
    const struct stage_echo echo = {.text = trp_bytes_text("text"), .data = trp_bytes(data, size)};
    return trp_ask(
        ctx, &self, &stage_echo_type, &echo,
        &(struct trp_ask_options){.reply = &stage_echo_type, .on_reply = check_echo, .user = size});
}

static void messages_of_every_size_come_back_whole(void **state)
{
    (void)state;
    actor = stage_spawn(&probe_type, 'a');
    stage_run();
    for (uint64_t size = 0; size <= 5000; size = size * 2 + 7) {
        stage.log_size = 0;
        stage_do(&actor, ask_echo, size);
        char expected[64];
        snprintf(expected, sizeof expected, "a:echo(text,0,%u,0) %u", (unsigned)size,
                 (unsigned)size);
        assert_log(expected);
    }
}

static enum trp_status send_too_big(struct trp_context *ctx, struct probe *probe, uint64_t arg)
{
    (void)probe;
    (void)arg;
    static uint8_t data[2000];
    struct trp_actor_ref self = trp_self(ctx);
    struct stage_echo echo = {.data = trp_bytes(data, sizeof data)};
    assert_status(trp_tell(ctx, &self, &stage_echo_type, &echo), TRP_ETOOBIG);
    echo.text = trp_bytes(data, SIZE_MAX); /* sizes that add up beyond every number */
    assert_status(trp_tell(ctx, &self, &stage_echo_type, &echo), TRP_ETOOBIG);
    echo = (struct stage_echo){.data = trp_bytes(data, 500)};
    assert_status(trp_tell(ctx, &self, &stage_echo_type, &echo), TRP_OK);
    assert_status(trp_tell(ctx, &self, &stage_echo_type, NULL), TRP_EINVAL);
    return TRP_OK;
}

static void messages_are_bounded_with_their_slices(void **state)
{
    (void)state;
    stage.limits.message_memory_bytes = 1000;
    stage_reopen(false);
    actor = stage_spawn(&probe_type, 'a');
    stage_do(&actor, send_too_big, 0);
    assert_log("start:a a:echo(,0,500,0)");
}

static void a_delivered_message_keeps_its_bytes(void **state)
{
    (void)state;
    actor = stage_spawn(&probe_type, 'a');
    uint8_t payload[256];
    size_t size;
    const struct stage_echo echo = {
        .text = trp_bytes_text("there"), .number = 9, .data = trp_bytes_text("data"), .who = actor};
    assert_status(trp_message_encode(&stage_echo_type, &echo, payload, sizeof payload, &size),
                  TRP_OK);
    trp_scheduler_deliver(stage.scheduler,
                          &(struct trp_delivery){.actor = actor.id,
                                                 .message = trp_bytes_text("echo"),
                                                 .payload = trp_bytes(payload, size)});
    memset(payload, 0xee, sizeof payload);
    stage_run();
    stage_drain();
    assert_log("start:a a:echo(there,9,4,1)");
}

int main(void)
{
#define STAGE_TEST(name) cmocka_unit_test_setup_teardown(name, stage_setup, stage_teardown)
    const struct CMUnitTest tests[] = {
        STAGE_TEST(slices_are_copied_with_their_message),
        STAGE_TEST(messages_of_every_size_come_back_whole),
        STAGE_TEST(messages_are_bounded_with_their_slices),
        STAGE_TEST(a_delivered_message_keeps_its_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
