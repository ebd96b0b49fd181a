/* SPDX-License-Identifier: MIT */
/* Messages with parts of every kind, on their way between actors. */
#include "lib/message_shapes.h"
#include "unit/actor/stage.h"

#include <stdlib.h>

#define LARGE_BYTES (400u * 1024)

static struct trp_actor_ref artist;
static struct trp_actor_ref probe;

/* Logs a message as JSON without spaces, which the log is split by. */
static void log_message(const struct trp_message_type *type, const void *message)
{
    static uint8_t bytes[4096];
    char text[4096];
    size_t size;
    assert_status(trp_message_encode(type, message, bytes, sizeof bytes, &size), TRP_OK);
    assert_true(trp_msgpack_print(trp_bytes(bytes, size), text, sizeof text) < sizeof text);
    stage_log("%s", text);
}

static enum trp_status told(enum trp_status status)
{
    return status == TRP_ESTATE ? TRP_OK : status;
}

static enum trp_status on_draw(struct trp_context *ctx, void *state, const void *message)
{
    (void)state;
    log_message(&shape_draw_type, message);
    return told(trp_reply(ctx, &shape_draw_type, message));
}

static int64_t evaluate(const struct shape_expr *expr)
{
    int64_t sum = 0;
    switch (expr->kind) {
    case shape_expr_Number:
        return expr->Number;
    case shape_expr_Negate:
        return -evaluate(expr->Negate);
    case shape_expr_Sum:
        return evaluate(expr->Sum.left) + evaluate(expr->Sum.right);
    case shape_expr_Call:
        for (size_t i = 0; i < expr->Call.arguments.count; i++) {
            sum += evaluate(&expr->Call.arguments.items[i]);
        }
        return sum;
    }
    return 0;
}

static enum trp_status on_expr(struct trp_context *ctx, void *state, const void *message)
{
    (void)state;
    const struct shape_i64 value = {evaluate(message)};
    stage_log("%d", (int)value.value);
    return told(trp_reply(ctx, &shape_i64_type, &value));
}

static enum trp_status on_octets(struct trp_context *ctx, void *state, const void *message)
{
    (void)state;
    const struct shape_octets *octets = message;
    for (size_t i = 0; i < octets->value.size; i++) {
        assert_int_equal(octets->value.data[i], (uint8_t)(i * 7));
    }
    stage_log("%u", (unsigned)octets->value.size);
    return told(trp_reply(ctx, &shape_octets_type, message));
}

static enum trp_status on_numbers(struct trp_context *ctx, void *state, const void *message)
{
    (void)ctx;
    (void)state;
    stage_log("%u", (unsigned)((const struct shape_u32s *)message)->value.count);
    return TRP_OK;
}

static enum trp_status on_result(struct trp_context *ctx, void *state, const void *message)
{
    (void)ctx;
    (void)state;
    log_message(&shape_result_type, message);
    return TRP_OK;
}

static enum trp_status on_note(struct trp_context *ctx, void *state, const void *message)
{
    (void)ctx;
    (void)state;
    log_message(&shape_note_type, message);
    return TRP_OK;
}

static const struct trp_actor_handler handlers[] = {
    {&shape_draw_type, &shape_draw_type, on_draw},
    {&shape_expr_type, &shape_i64_type, on_expr},
    {&shape_octets_type, &shape_octets_type, on_octets},
    {&shape_u32s_type, NULL, on_numbers},
    {&shape_result_type, NULL, on_result},
    {&shape_note_type, NULL, on_note},
};

static const struct trp_actor_type artist_type = {
    .id = "artist", .handlers_count = sizeof handlers / sizeof handlers[0], .handlers = handlers};

static void spawn_both(void)
{
    assert_status(trp_scheduler_spawn(stage.scheduler, &artist_type, NULL, NULL, &artist), TRP_OK);
    probe = stage_spawn(&tough_type, 'p');
    stage_run();
    stage.log_size = 0;
}

#define DRAW_JSON                                                                                  \
    "{\"name\":\"moon\",\"shapes\":[\"Empty\",{\"Circle\":2.5},{\"Line\":[{\"x\":0.0,\"y\":1.0},"  \
    "{\"x\":2.0,\"y\":3.0}]},{\"Named\":\"n\"}],\"note\":\"hi\",\"color\":\"Blue\","               \
    "\"thumb\":[1,200],\"rawBytes\":\"01c8\",\"origin\":{\"x\":0.5,\"y\":0.25},"                   \
    "\"took\":{\"secs\":2,\"nanos\":7},\"done\":null,\"tags\":{\"a\":1,\"b\":2}}"

typedef enum trp_status (*send_function)(struct trp_context *ctx, const struct shape_draw *draw);

static send_function send_one;

/* What is sent is on the stack of the sender, and gone when it is handled. */
static enum trp_status send_draw(struct trp_context *ctx, struct probe *self, uint64_t arg)
{
    (void)self;
    (void)arg;
    char name[] = "moon";
    char note[] = "hi";
    uint8_t octets[] = {1, 200};
    struct shape_shape shapes[] = {
        {.kind = shape_shape_empty},
        {.kind = shape_shape_circle, .circle = 2.5},
        {.kind = shape_shape_line, .line = {{0, 1}, {2, 3}}},
        {.kind = shape_shape_named, .named = {true, trp_bytes_text("n")}},
    };
    struct shape_age tags[] = {{trp_bytes_text("a"), 1}, {trp_bytes_text("b"), 2}};
    struct shape_draw draw = {.name = trp_bytes(name, 4),
                              .shapes = TRP_LIST(shapes),
                              .note = {true, trp_bytes(note, 2)},
                              .color = {.kind = shape_color_Blue},
                              .thumb = trp_bytes(octets, 2),
                              .raw = trp_bytes(octets, 2),
                              .origin = {0.5, 0.25},
                              .took = trp_duration_of(TRP_S(2) + 7),
                              .tags = TRP_LIST(tags)};
    assert_status(send_one(ctx, &draw), TRP_OK);
    memset(name, 'x', sizeof name);
    memset(note, 'x', sizeof note);
    memset(octets, 0, sizeof octets);
    memset(shapes, 0xee, sizeof shapes);
    memset(tags, 0xee, sizeof tags);
    memset(&draw, 0xee, sizeof draw);
    return TRP_OK;
}

static void send_as(send_function how)
{
    send_one = how;
    stage_do(&probe, send_draw, 0);
}

static enum trp_status tell_draw(struct trp_context *ctx, const struct shape_draw *draw)
{
    return trp_tell(ctx, &artist, &shape_draw_type, draw);
}

static void parts_of_every_kind_are_copied(void **state)
{
    (void)state;
    spawn_both();
    send_as(tell_draw);
    assert_log(DRAW_JSON);
}

/* Whatever lies where a text would be. */
static enum trp_status send_without_texts(struct trp_context *ctx, struct probe *self, uint64_t arg)
{
    (void)self;
    (void)arg;
    char text[] = "no";
    struct shape_result result;
    struct shape_note note;
    memset(&result, 0xee, sizeof result);
    memset(&note, 0xee, sizeof note);
    result.kind = shape_result_ok;
    result.ok = 7;
    note.value.has = false;
    assert_status(trp_tell(ctx, &artist, &shape_result_type, &result), TRP_OK);
    assert_status(trp_tell(ctx, &artist, &shape_note_type, &note), TRP_OK);
    result = (struct shape_result){.kind = shape_result_err, .err = trp_bytes(text, 2)};
    note = (struct shape_note){{true, trp_bytes(text, 2)}};
    assert_status(trp_tell(ctx, &artist, &shape_result_type, &result), TRP_OK);
    assert_status(trp_tell(ctx, &artist, &shape_note_type, &note), TRP_OK);
    memset(text, 'x', sizeof text);
    return TRP_OK;
}

static void parts_that_are_not_there_are_left_alone(void **state)
{
    (void)state;
    spawn_both();
    stage_do(&probe, send_without_texts, 0);
    assert_log("{\"Ok\":7} null {\"Err\":\"no\"} \"no\"");
}

static enum trp_status log_draw(struct trp_context *ctx, void *state, const struct trp_reply *reply)
{
    (void)ctx;
    (void)state;
    assert_status(reply->status, TRP_OK);
    log_message(&shape_draw_type, reply->message);
    return TRP_OK;
}

static enum trp_status ask_draw(struct trp_context *ctx, const struct shape_draw *draw)
{
    return trp_ask(ctx, &artist, &shape_draw_type, draw,
                   &(struct trp_ask_options){.reply = &shape_draw_type, .on_reply = log_draw});
}

/* The asker wants another type than the handler gives. */
#define NAME_ONLY(FIELD, TAG) FIELD(TAG, TEXT, name) FIELD(TAG, OCTETS, thumb)
TRP_MESSAGE_DECLARE(name_only, NAME_ONLY);
TRP_MESSAGE_DEFINE(name_only, NULL, NAME_ONLY);

static enum trp_status log_name(struct trp_context *ctx, void *state, const struct trp_reply *reply)
{
    (void)ctx;
    (void)state;
    assert_status(reply->status, TRP_OK);
    log_message(&name_only_type, reply->message);
    return TRP_OK;
}

static enum trp_status ask_name(struct trp_context *ctx, const struct shape_draw *draw)
{
    return trp_ask(ctx, &artist, &shape_draw_type, draw,
                   &(struct trp_ask_options){.reply = &name_only_type, .on_reply = log_name});
}

static void replies_have_parts_too(void **state)
{
    (void)state;
    spawn_both();
    send_as(ask_draw);
    assert_log(DRAW_JSON " " DRAW_JSON);
    send_as(ask_name);
    assert_log(DRAW_JSON " {\"name\":\"moon\",\"thumb\":[1,200]}");
}

/* Delivers bytes that are overwritten before they are handled. */
static enum trp_status deliver(const struct trp_message_type *type, uint8_t *payload, size_t size)
{
    trp_scheduler_deliver(stage.scheduler,
                          &(struct trp_delivery){.token = 1,
                                                 .actor = artist.id,
                                                 .message = trp_bytes_text(type->id),
                                                 .payload = trp_bytes(payload, size)});
    memset(payload, 0xee, size);
    stage_run();
    struct trp_sched_event event;
    assert_true(trp_scheduler_next_event(stage.scheduler, &event));
    assert_int_equal(event.kind, TRP_SCHED_ANSWER);
    enum trp_status status = event.status;
    stage_drain();
    return status;
}

static enum trp_status deliver_hex(const struct trp_message_type *type, const char *hex)
{
    uint8_t payload[512];
    size_t size = test_unhex(hex, payload, sizeof payload);
    return deliver(type, payload, size);
}

static void what_comes_from_outside_lives_while_it_is_handled(void **state)
{
    (void)state;
    spawn_both();
    /* Sum(Negate(1), Call { name: "f", arguments: [2, 3] }) */
    assert_status(deliver_hex(&shape_expr_type,
                              "81a353756d9281a64e656761746581a64e756d6265720181a443616c6c82a46e616d"
                              "65a166a9617267756d656e74739281a64e756d6265720281a64e756d62657203"),
                  TRP_OK);
    assert_log("4");
    assert_status(deliver_hex(&shape_expr_type, "81a353756d9181a64e756d62657201"), TRP_EDECODE);
    assert_status(deliver_hex(&shape_u32s_type, "93010203"), TRP_OK);
    assert_log("3");
    assert_status(deliver_hex(&shape_octets_type, "9300070e"), TRP_OK);
    assert_log("3");
    assert_status(deliver_hex(&shape_octets_type, "dc0015" /* beyond 127 */
                                                  "00070e151c232a31383f464d545b626970777e"
                                                  "cc85cc8c"),
                  TRP_OK);
    assert_log("21");
}

static void large_payloads_arrive(void **state)
{
    (void)state;
    static const struct trp_message_type *const types[] = {&shape_octets_type, &shape_bytes_type};
    uint8_t *data = malloc(LARGE_BYTES);
    uint8_t *payload = malloc(3 * LARGE_BYTES);
    assert_true(data != NULL && payload != NULL);
    spawn_both();
    for (uint32_t i = 0; i < LARGE_BYTES; i++) {
        data[i] = (uint8_t)(i * 7);
    }
    for (size_t i = 0; i < 2; i++) { /* as an array of numbers, and as bytes */
        size_t size;
        const struct shape_octets octets = {trp_bytes(data, LARGE_BYTES)};
        assert_status(trp_message_encode(types[i], &octets, payload, 3 * LARGE_BYTES, &size),
                      TRP_OK);
        assert_status(deliver(&shape_octets_type, payload, size), TRP_OK);
        assert_log("409600");
    }
    free(data);
    free(payload);
}

/* A byte of input may stand for an item of many: the bound is on what they take in memory. */
static void memory_is_bounded_whatever_the_input(void **state)
{
    (void)state;
    uint8_t payload[2048] = {0xdc, 0x03, 0xe8}; /* 1,000 numbers of one byte each */
    stage.limits.message_memory_bytes = 8192;
    stage_reopen(false);
    spawn_both();
    assert_status(deliver(&shape_u32s_type, payload, 1003), TRP_OK);
    assert_log("1000");
    memcpy(payload, "\xdc\x07\xd0", 3); /* 2,000 numbers are 8,000 bytes and their input */
    memset(payload + 3, 0, 2000);
    assert_status(deliver(&shape_u32s_type, payload, 2003), TRP_ETOOBIG);
    memcpy(payload, "\xdd\xff\xff\xff\xff", 5); /* more than there is input */
    assert_status(deliver(&shape_u32s_type, payload, 1000), TRP_EDECODE);
}

static enum trp_status send_too_big(struct trp_context *ctx, struct probe *self, uint64_t arg)
{
    (void)self;
    (void)arg;
    static const uint32_t numbers[1000];
    struct shape_u32s list = {TRP_LIST(numbers)};
    assert_status(trp_tell(ctx, &artist, &shape_u32s_type, &list), TRP_ETOOBIG);
    list.value.count = 900;
    assert_status(trp_tell(ctx, &artist, &shape_u32s_type, &list), TRP_OK);
    list.value.items = NULL;
    assert_status(trp_tell(ctx, &artist, &shape_u32s_type, &list), TRP_EENCODE);
    const struct shape_expr negate = {.kind = shape_expr_Negate};
    assert_status(trp_tell(ctx, &artist, &shape_expr_type, &negate), TRP_EENCODE);
    const struct shape_expr odd = {.kind = (enum shape_expr_kind)7};
    assert_status(trp_tell(ctx, &artist, &shape_expr_type, &odd), TRP_EENCODE);
    return TRP_OK;
}

static void copies_are_bounded_and_checked(void **state)
{
    (void)state;
    stage.limits.message_memory_bytes = 3700;
    stage_reopen(false);
    spawn_both();
    stage_do(&probe, send_too_big, 0);
    assert_log("900");
}

int main(void)
{
#define STAGE_TEST(name) cmocka_unit_test_setup_teardown(name, stage_setup, stage_teardown)
    const struct CMUnitTest tests[] = {
        STAGE_TEST(parts_of_every_kind_are_copied),
        STAGE_TEST(parts_that_are_not_there_are_left_alone),
        STAGE_TEST(replies_have_parts_too),
        STAGE_TEST(what_comes_from_outside_lives_while_it_is_handled),
        STAGE_TEST(large_payloads_arrive),
        STAGE_TEST(memory_is_bounded_whatever_the_input),
        STAGE_TEST(copies_are_bounded_and_checked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
