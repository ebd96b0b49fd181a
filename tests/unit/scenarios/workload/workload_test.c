/* SPDX-License-Identifier: MIT */
/* The actors of scenarios among themselves, on a program without a network. */
#include "scenarios/workload/workload.h"

#include "lib/test.h"

#include <troupe/local.h>

#include <stdio.h>

static struct trp_local *local;
static char said[1024]; /* what the replies of a test were */
static struct trp_actor_ref actors[8];

/* ---- a driver: an actor that asks whatever a test tells it ---- */

struct question {
    uint32_t to; /* index in `actors` */
    const struct trp_message_type *type;
    const void *message;
};

static const struct question *questions;

static void say(const char *format, ...) TRP_PRINTF(1, 2);
static void say(const char *format, ...)
{
    size_t size = strlen(said);
    va_list list;
    va_start(list, format);
    int more = vsnprintf(said + size, sizeof said - size, format, list);
    va_end(list);
    assert_true(more > 0 && size + (size_t)more < sizeof said);
}

static enum trp_status driver_ask(struct trp_context *ctx);

static enum trp_status driver_on_reply(struct trp_context *ctx, void *state,
                                       const struct trp_reply *reply)
{
    (void)state;
    char text[128];
    if (reply->status == TRP_OK || reply->status == TRP_EHANDLER) {
        trp_msgpack_print(reply->payload, text, sizeof text);
        say(reply->status == TRP_OK ? "%s " : "!%s ", text);
    } else {
        say("%s ", trp_status_name(reply->status));
    }
    questions++;
    return driver_ask(ctx);
}

static enum trp_status driver_ask(struct trp_context *ctx)
{
    if (questions->type == NULL) {
        return TRP_OK;
    }
    return trp_ask(ctx, &actors[questions->to], questions->type, questions->message,
                   &(struct trp_ask_options){.on_reply = driver_on_reply});
}

static enum trp_status driver_on_start(struct trp_context *ctx, void *state, const void *args)
{
    (void)state;
    (void)args;
    return driver_ask(ctx);
}

static const struct trp_actor_type driver_type = {.id = "driver", .on_start = driver_on_start};

static void run_to_the_end(void)
{
    while (trp_local_deadline(local) != TRP_NEVER) {
        trp_local_run(local, trp_local_deadline(local));
    }
}

/* Asks one question after the other; gives what was answered. */
static const char *ask_all(const struct question *list)
{
    said[0] = '\0';
    questions = list;
    assert_status(trp_local_spawn(local, &driver_type, NULL, NULL, NULL), TRP_OK);
    run_to_the_end();
    assert_null(questions->type);
    return said;
}

/* ---- names: an actor that registers others ---- */

static enum trp_status registrar_on_start(struct trp_context *ctx, void *state, const void *args)
{
    (void)state;
    (void)args;
    for (uint32_t i = 0; i < 8 && actors[i].id != 0; i++) {
        char name[8];
        snprintf(name, sizeof name, "a%u", (unsigned)i);
        assert_status(trp_register(ctx, &actors[i], name), TRP_OK);
    }
    return TRP_OK;
}

static const struct trp_actor_type registrar_type = {.id = "registrar",
                                                     .on_start = registrar_on_start};

static void spawn_named(const struct trp_actor_type *const *types, uint32_t count)
{
    memset(actors, 0, sizeof actors);
    for (uint32_t i = 0; i < count; i++) {
        assert_status(trp_local_spawn(local, types[i], NULL, NULL, &actors[i]), TRP_OK);
    }
    assert_status(trp_local_spawn(local, &registrar_type, NULL, NULL, NULL), TRP_OK);
    run_to_the_end();
}

static int setup(void **state)
{
    (void)state;
    assert_status(trp_local_open(NULL, &local), TRP_OK);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    trp_local_close(local);
    return 0;
}

/* ---- tests ---- */

static void a_counter_counts(void **state)
{
    (void)state;
    const struct trp_actor_type *const types[] = {&counter_actor_type};
    spawn_named(types, 1);
    const struct counter_inc five = {.amount = 5};
    const struct counter_inc back = {.amount = -7};
    const struct question list[] = {{0, &counter_inc_type, &five},
                                    {0, &counter_get_type, NULL},
                                    {0, &counter_fail_type, NULL},
                                    {0, &counter_inc_type, &back},
                                    {0}};
    assert_string_equal(ask_all(list), "5 5 !\"asked to fail\" -2 ");
}

static void a_store_keeps_and_forgets(void **state)
{
    (void)state;
    const struct trp_actor_type *const types[] = {&kv_actor_type};
    spawn_named(types, 1);
    static uint8_t large[300];
    const struct trp_bytes key = trp_bytes_text("k");
    const struct kv_put put = {.key = key, .value = trp_bytes("\x01\x02", 2)};
    const struct kv_put again = {.key = key, .value = trp_bytes("\x03", 1)};
    const struct kv_put too_large = {.key = key, .value = trp_bytes(large, sizeof large)};
    const struct kv_get get = {.key = key};
    const struct kv_delete forget = {.key = key};
    const struct question list[] = {{0, &kv_get_type, &get},
                                    {0, &kv_put_type, &put},
                                    {0, &kv_put_type, &again},
                                    {0, &kv_put_type, &too_large},
                                    {0, &kv_delete_type, &forget},
                                    {0, &kv_delete_type, &forget},
                                    {0}};
    assert_string_equal(ask_all(list), "!\"no such key\" false true !\"too large\" true false ");
}

static void a_store_makes_all_changes_or_none(void **state)
{
    (void)state;
    const struct trp_actor_type *const types[] = {&kv_actor_type};
    spawn_named(types, 1);
    static uint8_t large[300];
    const struct kv_put put_a = {.key = trp_bytes_text("a"), .value = trp_bytes_text("1")};
    const struct kv_put put_b = {.key = trp_bytes_text("b"), .value = trp_bytes(large, 300)};
    const struct kv_change both[] = {
        {.kind = kv_change_put, .put = put_a},
        {.kind = kv_change_delete_, .delete_ = {.key = trp_bytes_text("c")}},
        {.kind = kv_change_put, .put = put_b}};
    const struct kv_change forget[] = {
        {.kind = kv_change_delete_, .delete_ = {.key = trp_bytes_text("a")}}};
    const struct kv_batch refused = {.changes = TRP_LIST(both)};
    const struct kv_batch made = {.changes = {.items = both, .count = 2}};
    const struct kv_batch kept = {.changes = TRP_LIST(forget),
                                  .unless = {.has = true, .value = trp_bytes_text("a")}};
    const struct kv_batch forgotten = {.changes = TRP_LIST(forget),
                                       .unless = {.has = true, .value = trp_bytes_text("b")}};
    const struct kv_get get = {.key = trp_bytes_text("a")};
    const struct question list[] = {{0, &kv_batch_type, &refused}, {0, &kv_get_type, &get},
                                    {0, &kv_batch_type, &made},    {0, &kv_batch_type, &kept},
                                    {0, &kv_get_type, &get},       {0, &kv_batch_type, &forgotten},
                                    {0, &kv_get_type, &get},       {0}};
    assert_string_equal(ask_all(list), "!\"too large\" !\"no such key\" 1 0 \"31\" 1 "
                                       "!\"no such key\" ");
}

static void a_room_tells_its_members(void **state)
{
    (void)state;
    const struct trp_actor_type *const types[] = {&chat_room_actor_type, &chat_member_actor_type,
                                                  &chat_member_actor_type};
    spawn_named(types, 3);
    const struct chat_enter enter = {.room = trp_bytes_text("a0")};
    const struct chat_enter nowhere = {.room = trp_bytes_text("a7")};
    const struct chat_enter nameless = {.room = TRP_BYTES_NONE};
    const struct chat_say words = {.from = trp_bytes_text("me"), .text = trp_bytes_text("hello")};
    const struct chat_leave leave = {.who = actors[2]};
    const struct chat_join stranger = {.who = {.id = 12345, .peer = {.size = 1, .bytes = {1}}}};
    const struct question list[] = {{1, &chat_enter_type, &enter},
                                    {1, &chat_enter_type, &enter}, /* once more: no change */
                                    {2, &chat_enter_type, &enter},
                                    {2, &chat_enter_type, &nowhere},
                                    {2, &chat_enter_type, &nameless},
                                    {0, &chat_join_type, &stranger},
                                    {0, &chat_members_type, NULL},
                                    {0, &chat_say_type, &words},
                                    {0, &chat_leave_type, &leave},
                                    {0, &chat_say_type, &words},
                                    {1, &chat_ask_count_type, NULL},
                                    {2, &chat_ask_count_type, NULL},
                                    {0}};
    assert_string_equal(ask_all(list), "true true true false !\"no such name\" "
                                       "!\"no such member\" 2 2 1 1 2 1 ");
}

/* Stops the actor at index 1. */
static enum trp_status ender_on_start(struct trp_context *ctx, void *state, const void *args)
{
    (void)state;
    (void)args;
    return trp_stop(ctx, &actors[1]);
}

static const struct trp_actor_type ender_type = {.id = "ender", .on_start = ender_on_start};

static void a_dead_member_leaves_its_room(void **state)
{
    (void)state;
    const struct trp_actor_type *const types[] = {&chat_room_actor_type, &chat_member_actor_type};
    spawn_named(types, 2);
    const struct chat_enter enter = {.room = trp_bytes_text("a0")};
    const struct question before[] = {
        {1, &chat_enter_type, &enter}, {0, &chat_members_type, NULL}, {0}};
    assert_string_equal(ask_all(before), "true 1 ");
    assert_status(trp_local_spawn(local, &ender_type, NULL, NULL, NULL), TRP_OK);
    run_to_the_end();
    const struct question after[] = {{0, &chat_members_type, NULL}, {0}};
    assert_string_equal(ask_all(after), "0 ");
}

static void asks_pass_round_a_ring(void **state)
{
    (void)state;
    const struct trp_actor_type *const types[] = {&ping_actor_type, &ping_actor_type,
                                                  &ping_actor_type};
    spawn_named(types, 3);
    const struct ping_next to[] = {
        {trp_bytes_text("a1")}, {trp_bytes_text("a2")}, {trp_bytes_text("a0")}};
    const struct ping_chain chain = {.hops = 7};
    const struct ping_token token = {.left = 6};
    const struct question list[] = {{0, &ping_chain_type, &chain}, {0, &ping_next_type, &to[0]},
                                    {1, &ping_next_type, &to[1]},  {0, &ping_chain_type, &chain},
                                    {2, &ping_next_type, &to[2]},  {0, &ping_chain_type, &chain},
                                    {0, &ping_token_type, &token}, {0}};
    assert_string_equal(ask_all(list),
                        "!\"no successor\" true true !\"the chain broke\" true 7 null ");
    const struct question after[] = {
        {0, &ping_ping_type, NULL}, {1, &ping_ping_type, NULL}, {2, &ping_ping_type, NULL}, {0}};
    assert_string_equal(ask_all(after), "3 2 2 ");
}

static void every_type_is_listed_once(void **state)
{
    (void)state;
    assert_true(trp_workload_types_count >= 6);
    for (uint32_t i = 0; i < trp_workload_types_count; i++) {
        for (uint32_t k = 0; k < i; k++) {
            assert_string_not_equal(trp_workload_types[i]->id, trp_workload_types[k]->id);
        }
        assert_null(trp_workload_types[i]->args); /* scenarios spawn without arguments */
    }
}

int main(void)
{
#define LOCAL_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        LOCAL_TEST(a_counter_counts),
        LOCAL_TEST(a_store_keeps_and_forgets),
        LOCAL_TEST(a_store_makes_all_changes_or_none),
        LOCAL_TEST(a_room_tells_its_members),
        LOCAL_TEST(a_dead_member_leaves_its_room),
        LOCAL_TEST(asks_pass_round_a_ring),
        cmocka_unit_test(every_type_is_listed_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
