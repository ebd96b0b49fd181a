/* SPDX-License-Identifier: MIT */
/* Names, and links made by a third, among the actors of a program without a network. */
#include "lib/test.h"

#include <troupe/local.h>

#include <stdio.h>

static struct trp_local *local;
static struct trp_actor_ref actors[3];
static char logged[512];

static void say(const char *what, const char *how)
{
    size_t size = strlen(logged);
    int more =
        snprintf(logged + size, sizeof logged - size, "%s%s:%s", size > 0 ? " " : "", what, how);
    assert_true(more > 0 && size + (size_t)more < sizeof logged);
}

static void expect(const char *words)
{
    do {
        trp_local_run(local, 1);
    } while (trp_local_deadline(local) <= 1);
    assert_string_equal(logged, words);
    logged[0] = '\0';
}

/* ---- an actor that does what it is made for, once ---- */

typedef enum trp_status (*deed)(struct trp_context *ctx);
#define DOER_ARGS(FIELD, TAG) FIELD(TAG, U64, deed)
TRP_MESSAGE_DECLARE(doer_args, DOER_ARGS);
TRP_MESSAGE_DEFINE(doer_args, NULL, DOER_ARGS);

static enum trp_status on_start(struct trp_context *ctx, void *state, const void *args)
{
    (void)state;
    const struct doer_args *what = args;
    return what->deed == 0 ? TRP_OK : ((deed)(uintptr_t)what->deed)(ctx);
}

static bool on_link_died(struct trp_context *ctx, void *state, const struct trp_link_death *death)
{
    (void)state;
    const struct trp_actor_ref self = trp_self(ctx);
    say(self.id == actors[0].id ? "0 hears of" : "1 hears of",
        death->actor.id == actors[0].id ? "0" : "1");
    return true;
}

static const struct trp_actor_type doer_type = {
    .id = "doer", .args = &doer_args_type, .on_start = on_start, .on_link_died = on_link_died};

static struct trp_actor_ref spawn(deed what)
{
    struct trp_actor_ref ref;
    const struct doer_args args = {.deed = (uintptr_t)what};
    assert_status(trp_local_spawn(local, &doer_type, &args, NULL, &ref), TRP_OK);
    return ref;
}

static enum trp_status on_outcome(struct trp_context *ctx, void *state,
                                  const struct trp_reply *reply)
{
    (void)ctx;
    (void)state;
    say((const char *)(uintptr_t)reply->user, trp_status_name(reply->status));
    return TRP_OK;
}

static uint64_t called(const char *what)
{
    return (uintptr_t)what;
}

static int begin(void **state)
{
    (void)state;
    assert_status(trp_local_open(NULL, &local), TRP_OK);
    for (size_t i = 0; i < 3; i++) {
        actors[i] = spawn(NULL);
    }
    expect("");
    return 0;
}

static int end(void **state)
{
    (void)state;
    trp_local_close(local);
    return 0;
}

/* ---- names ---- */

static enum trp_status register_all(struct trp_context *ctx)
{
    assert_status(trp_register_ack(ctx, &actors[0], "n", on_outcome, called("0")), TRP_OK);
    assert_status(trp_register_ack(ctx, &actors[1], "n", on_outcome, called("1")), TRP_OK);
    assert_status(trp_register_ack(ctx, &actors[1], "m", on_outcome, called("1 m")), TRP_OK);
    return trp_register_ack(ctx, &actors[0], "n", on_outcome, called("0 again"));
}

static enum trp_status register_dead(struct trp_context *ctx)
{
    assert_status(trp_register_ack(ctx, &actors[0], "n", on_outcome, called("0")), TRP_EDEAD);
    return trp_register_ack(ctx, &actors[1], "n", on_outcome, called("1"));
}

static enum trp_status on_found(struct trp_context *ctx, void *state,
                                const struct trp_lookup_result *result)
{
    (void)ctx;
    (void)state;
    const char *who = result->ref.id == 0 ? "nobody" : result->ref.id == actors[0].id ? "0" : "1";
    say(result->last ? "last" : "more",
        result->status == TRP_OK ? who : trp_status_name(result->status));
    return TRP_OK;
}

static enum trp_status look_up(struct trp_context *ctx)
{
    assert_status(trp_lookup(ctx, "n", TRP_LOOKUP_FIRST, on_found, 0), TRP_OK);
    assert_status(trp_lookup(ctx, "n", TRP_LOOKUP_ALL, on_found, 0), TRP_OK);
    return trp_lookup(ctx, "m", TRP_LOOKUP_LOCAL, on_found, 0);
}

static enum trp_status unregister_m(struct trp_context *ctx)
{
    return trp_unregister(ctx, "m");
}

static enum trp_status kill_0(struct trp_context *ctx)
{
    return trp_kill(ctx, &actors[0]);
}

static void a_name_is_kept_until_it_is_given_back_or_its_actor_dies(void **state)
{
    (void)state;
    (void)spawn(register_all);
    expect("0:OK 1:EEXISTS 1 m:OK 0 again:OK");
    (void)spawn(look_up);
    expect("last:0 more:0 last:nobody last:1");
    (void)spawn(unregister_m);
    uint32_t before = trp_local_actors_count(local);
    (void)spawn(kill_0);
    expect("");
    assert_int_equal(trp_local_actors_count(local), before); /* one came, one went */
    (void)spawn(look_up);
    expect("last:ENOTFOUND last:ENOTFOUND last:ENOTFOUND");
    (void)spawn(register_dead);
    expect("1:OK");
}

/* ---- links ---- */

static enum trp_status link_0_and_1(struct trp_context *ctx)
{
    return trp_link_remote(ctx, &actors[0], &actors[1], on_outcome, called("link"));
}

static enum trp_status unlink_0_and_1(struct trp_context *ctx)
{
    return trp_unlink_remote(ctx, &actors[0], &actors[1], on_outcome, called("unlink"));
}

static enum trp_status link_with_elsewhere(struct trp_context *ctx)
{
    struct trp_actor_ref far = {.id = 7, .peer = {.size = 38}};
    assert_status(trp_link_remote(ctx, &actors[0], &far, on_outcome, called("link")),
                  TRP_EUNREACHABLE);
    return TRP_OK;
}

static void a_third_links_two(void **state)
{
    (void)state;
    (void)spawn(link_0_and_1);
    expect("link:OK");
    (void)spawn(kill_0);
    expect("1 hears of:0");
}

static void a_third_unlinks_two(void **state)
{
    (void)state;
    (void)spawn(link_0_and_1);
    (void)spawn(unlink_0_and_1);
    expect("link:OK unlink:OK");
    (void)spawn(kill_0);
    expect("");
}

static void there_is_no_elsewhere(void **state)
{
    (void)state;
    (void)spawn(link_with_elsewhere);
    expect("");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_name_is_kept_until_it_is_given_back_or_its_actor_dies,
                                        begin, end),
        cmocka_unit_test_setup_teardown(a_third_links_two, begin, end),
        cmocka_unit_test_setup_teardown(a_third_unlinks_two, begin, end),
        cmocka_unit_test_setup_teardown(there_is_no_elsewhere, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
