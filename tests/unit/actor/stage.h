/* SPDX-License-Identifier: MIT */
/* unit/actor/stage.h - a scheduler to test on, and actors that do what a test tells them.
 *
 * A probe runs the function named in an `act` message (or in its arguments) on its own state, and
 * everything that happens to it is one word in the log of the stage. */
#ifndef ACTOR_STAGE_H
#define ACTOR_STAGE_H

#include "actor/scheduler.h"
#include "lib/test.h"

#include <stdio.h>

struct probe {
    uint32_t name; /* a letter */
    int64_t value;
    uint64_t token;
    struct trp_actor_ref ref;
};

typedef enum trp_status (*stage_function)(struct trp_context *ctx, struct probe *probe,
                                          uint64_t argument);

#define STAGE_ACT(FIELD, TAG)   FIELD(TAG, U64, function) FIELD(TAG, U64, argument)
#define STAGE_ARGS(FIELD, TAG)  FIELD(TAG, U32, name) FIELD(TAG, U64, function)
#define STAGE_ADD(FIELD, TAG)   FIELD(TAG, I64, amount)
#define STAGE_VALUE(FIELD, TAG) FIELD(TAG, I64, value)
#define STAGE_ECHO(FIELD, TAG)                                                                     \
    FIELD(TAG, TEXT, text) FIELD(TAG, U32, number) FIELD(TAG, BYTES, data) FIELD(TAG, REF, who)

TRP_MESSAGE_DECLARE(stage_act, STAGE_ACT);
TRP_MESSAGE_DEFINE(stage_act, "act", STAGE_ACT);
TRP_MESSAGE_DECLARE(stage_args, STAGE_ARGS);
TRP_MESSAGE_DEFINE(stage_args, "args", STAGE_ARGS);
TRP_MESSAGE_DECLARE(stage_add, STAGE_ADD);
TRP_MESSAGE_DEFINE(stage_add, "add", STAGE_ADD);
TRP_MESSAGE_DECLARE(stage_value, STAGE_VALUE);
TRP_MESSAGE_DEFINE_NEWTYPE(stage_value, "value", STAGE_VALUE);
TRP_MESSAGE_DECLARE(stage_echo, STAGE_ECHO);
TRP_MESSAGE_DEFINE(stage_echo, "echo", STAGE_ECHO);
TRP_MESSAGE_DECLARE_EMPTY(stage_ping);
TRP_MESSAGE_DEFINE_EMPTY(stage_ping, "ping");
TRP_MESSAGE_DECLARE_EMPTY(stage_only_told);
TRP_MESSAGE_DEFINE_EMPTY(stage_only_told, "only_told");
TRP_MESSAGE_DECLARE_EMPTY(stage_unheard);
TRP_MESSAGE_DEFINE_EMPTY(stage_unheard, "unheard");

struct stage {
    struct trp_memory memory;
    struct trp_limits limits;
    struct trp_recorder recorder;
    struct trp_trace trace;
    struct trp_peer_id self;
    struct trp_scheduler *scheduler;
    trp_time now;
    size_t log_size;
    char log[8192];
};

static struct stage stage;

/* Appends a word to the log. */
static inline void stage_log(const char *format, ...) TRP_PRINTF(1, 2);
static inline void stage_log(const char *format, ...)
{
    va_list list;
    size_t room = sizeof stage.log - stage.log_size;
    va_start(list, format);
    int size = vsnprintf(stage.log + stage.log_size, room, format, list);
    va_end(list);
    assert_true(size > 0 && (size_t)size + 2 < room);
    stage.log_size += (size_t)size;
    stage.log[stage.log_size++] = ' ';
    stage.log[stage.log_size] = '\0';
}

/* Compares the log and empties it. */
#define assert_log(expected)                                                                       \
    do {                                                                                           \
        if (stage.log_size > 0) {                                                                  \
            stage.log[stage.log_size - 1] = '\0';                                                  \
        }                                                                                          \
        assert_string_equal(stage.log, expected);                                                  \
        stage.log_size = 0;                                                                        \
        stage.log[0] = '\0';                                                                       \
    } while (0)

/* ---- probes ---- */

static inline enum trp_status probe_start(struct trp_context *ctx, void *state, const void *args)
{
    struct probe *probe = state;
    const struct stage_args *in = args;
    probe->name = in->name;
    stage_log("start:%c", (char)probe->name);
    stage_function function = (stage_function)(uintptr_t)in->function;
    return function == NULL ? TRP_OK : function(ctx, probe, 0);
}

static inline enum trp_status probe_act(struct trp_context *ctx, void *state, const void *message)
{
    const struct stage_act *act = message;
    return ((stage_function)(uintptr_t)act->function)(ctx, state, act->argument);
}

static inline enum trp_status probe_add(struct trp_context *ctx, void *state, const void *message)
{
    struct probe *probe = state;
    const struct stage_add *add = message;
    probe->value += add->amount;
    stage_log("%c+%d", (char)probe->name, (int)add->amount);
    enum trp_status status =
        trp_reply(ctx, &stage_value_type, &(struct stage_value){.value = probe->value});
    return status == TRP_ESTATE ? TRP_OK : status; /* it was told */
}

static inline enum trp_status probe_echo(struct trp_context *ctx, void *state, const void *message)
{
    const struct probe *probe = state;
    const struct stage_echo *echo = message;
    stage_log("%c:echo(%.*s,%u,%u,%d)", (char)probe->name, (int)echo->text.size,
              echo->text.size == 0 ? "" : (const char *)echo->text.data, (unsigned)echo->number,
              (unsigned)echo->data.size, echo->who.id == trp_self(ctx).id);
    enum trp_status status = trp_reply(ctx, &stage_echo_type, echo);
    return status == TRP_ESTATE ? TRP_OK : status;
}

static inline enum trp_status probe_ping(struct trp_context *ctx, void *state, const void *message)
{
    (void)ctx;
    assert_null(message);
    stage_log("%c:ping", (char)((struct probe *)state)->name);
    return TRP_OK;
}

static inline enum trp_status probe_only_told(struct trp_context *ctx, void *state,
                                              const void *message)
{
    stage_log("%c:told", (char)((struct probe *)state)->name);
    (void)message;
    return trp_reply(ctx, &trp_unit_type, NULL) == TRP_ESTATE ? TRP_OK : TRP_EINVAL;
}

static inline void probe_stop(struct trp_context *ctx, void *state, enum trp_stop_reason reason)
{
    static const char *const names[] = {"normal",   "restart",   "killed",
                                        "panicked", "link_died", "peer_gone"};
    (void)ctx;
    stage_log("stop:%c:%s", (char)((struct probe *)state)->name, names[reason]);
}

static inline bool tough_panic(struct trp_context *ctx, void *state, enum trp_status failure)
{
    (void)ctx;
    stage_log("panic:%c:%s", (char)((struct probe *)state)->name, trp_status_name(failure));
    return true;
}

static inline bool tough_link_died(struct trp_context *ctx, void *state,
                                   const struct trp_link_death *death)
{
    (void)ctx;
    const struct trp_bytes text = death->cause->text;
    stage_log("death:%c:%d:%.*s", (char)((struct probe *)state)->name, (int)death->reason,
              (int)text.size, text.size == 0 ? "" : (const char *)text.data);
    return true;
}

static const struct trp_actor_handler probe_handlers[] = {
    {&stage_act_type, &trp_unit_type, probe_act},
    {&stage_add_type, &stage_value_type, probe_add},
    {&stage_echo_type, &stage_echo_type, probe_echo},
    {&stage_ping_type, &trp_unit_type, probe_ping},
    {&stage_only_told_type, NULL, probe_only_told},
};

/* As Kameo's defaults: a panic stops it, an abnormal death of a linked actor too. */
static const struct trp_actor_type probe_type = {
    .id = "probe",
    .state_bytes = sizeof(struct probe),
    .handlers_count = sizeof probe_handlers / sizeof probe_handlers[0],
    .handlers = probe_handlers,
    .args = &stage_args_type,
    .on_start = probe_start,
    .on_stop = probe_stop,
};

/* Survives everything, and logs it. */
static const struct trp_actor_type tough_type = {
    .id = "tough",
    .state_bytes = sizeof(struct probe),
    .handlers_count = sizeof probe_handlers / sizeof probe_handlers[0],
    .handlers = probe_handlers,
    .args = &stage_args_type,
    .on_start = probe_start,
    .on_panic = tough_panic,
    .on_link_died = tough_link_died,
    .on_stop = probe_stop,
};

static const struct trp_actor_type *const stage_types[] = {&probe_type, &tough_type};

/* ---- the stage ---- */

static inline struct trp_peer_id stage_peer(uint8_t seed)
{
    struct trp_peer_id peer = {.size = 34, .bytes = {0x12, 0x20}};
    for (size_t i = 2; i < 34; i++) {
        peer.bytes[i] = seed;
    }
    return peer;
}

static inline void stage_reopen(bool networked)
{
    trp_scheduler_close(stage.scheduler);
    stage.scheduler = NULL;
    assert_int_equal(stage.memory.used_bytes, 0);
    trp_recorder_init(&stage.recorder, (struct trp_trace_sink){0});
    stage.trace = (struct trp_trace){.recorder = &stage.recorder};
    stage.self = stage_peer(0x11);
    stage.now = TRP_S(1);
    stage.log_size = 0;
    stage.log[0] = '\0';
    const struct trp_scheduler_config config = {.memory = &stage.memory,
                                                .trace = &stage.trace,
                                                .limits = &stage.limits,
                                                .self = networked ? &stage.self : NULL,
                                                .types = stage_types,
                                                .types_count = 2,
                                                .seed = 7,
                                                .now = stage.now};
    assert_status(trp_scheduler_open(&config, &stage.scheduler), TRP_OK);
}

static inline int stage_setup(void **state)
{
    (void)state;
    stage = (struct stage){.memory = trp_memory_init(64u << 20)};
    assert_status(trp_limits_complete(&stage.limits, NULL), TRP_OK);
    stage_reopen(false);
    return 0;
}

static inline int stage_setup_networked(void **state)
{
    stage_setup(state);
    stage_reopen(true);
    return 0;
}

static inline int stage_teardown(void **state)
{
    (void)state;
    trp_scheduler_close(stage.scheduler);
    stage.scheduler = NULL;
    assert_int_equal(stage.memory.used_bytes, 0);
    return 0;
}

/* Logs and drops the events; for tests that are not about them. */
static inline void stage_drain(void)
{
    struct trp_sched_event event;
    while (trp_scheduler_next_event(stage.scheduler, &event)) {
    }
}

/* Runs until nothing is runnable now; events stay queued. */
static inline void stage_run(void)
{
    do {
        trp_scheduler_run(stage.scheduler, stage.now);
    } while (trp_scheduler_deadline(stage.scheduler) <= stage.now);
}

/* Runs up to a moment, deadline by deadline. */
static inline void stage_run_until(trp_time until)
{
    stage_run();
    while (trp_scheduler_deadline(stage.scheduler) <= until) {
        stage.now = trp_scheduler_deadline(stage.scheduler);
        stage_run();
    }
    stage.now = until;
}

static inline struct trp_actor_ref stage_spawn_with(const struct trp_actor_type *type, char name,
                                                    stage_function on_start,
                                                    const struct trp_spawn_options *options)
{
    const struct stage_args args = {.name = (uint32_t)name,
                                    .function = (uint64_t)(uintptr_t)on_start};
    struct trp_actor_ref ref;
    assert_status(trp_scheduler_spawn(stage.scheduler, type, &args, options, &ref), TRP_OK);
    return ref;
}

static inline struct trp_actor_ref stage_spawn(const struct trp_actor_type *type, char name)
{
    return stage_spawn_with(type, name, NULL, NULL);
}

/* Sends `act` from outside, and does not look at the answer. */
static inline void stage_act_on(const struct trp_actor_ref *actor, stage_function function,
                                uint64_t argument)
{
    const struct stage_act act = {.function = (uint64_t)(uintptr_t)function, .argument = argument};
    uint8_t payload[64];
    size_t size;
    assert_status(trp_message_encode(&stage_act_type, &act, payload, sizeof payload, &size),
                  TRP_OK);
    trp_scheduler_deliver(stage.scheduler,
                          &(struct trp_delivery){.actor = actor->id,
                                                 .message = trp_bytes_text("act"),
                                                 .payload = trp_bytes(payload, size)});
}

static inline void stage_ping(const struct trp_actor_ref *actor)
{
    static const uint8_t empty_map = 0x80;
    trp_scheduler_deliver(stage.scheduler,
                          &(struct trp_delivery){.actor = actor->id,
                                                 .message = trp_bytes_text("ping"),
                                                 .payload = trp_bytes(&empty_map, 1)});
}

/* Has an actor do something now, and everything that follows at this moment. */
static inline void stage_do(const struct trp_actor_ref *actor, stage_function function,
                            uint64_t argument)
{
    stage_act_on(actor, function, argument);
    stage_run();
    stage_drain();
}

/* ---- what handlers of tests use ---- */

static inline enum trp_status tell_add(struct trp_context *ctx, const struct trp_actor_ref *to,
                                       int64_t amount)
{
    return trp_tell(ctx, to, &stage_add_type, &(struct stage_add){.amount = amount});
}

static inline enum trp_status tell_act(struct trp_context *ctx, const struct trp_actor_ref *to,
                                       stage_function function, uint64_t argument)
{
    return trp_tell(
        ctx, to, &stage_act_type,
        &(struct stage_act){.function = (uint64_t)(uintptr_t)function, .argument = argument});
}

/* Logs the outcome of an ask for a stage_value: "reply:STATUS:value:user" */
static inline enum trp_status log_reply(struct trp_context *ctx, void *state,
                                        const struct trp_reply *reply)
{
    (void)ctx;
    (void)state;
    const struct stage_value *value = reply->message;
    stage_log("reply:%s:%d:%u", trp_status_name(reply->status),
              value == NULL ? -1 : (int)value->value, (unsigned)reply->user);
    return TRP_OK;
}

static inline enum trp_status ask_add(struct trp_context *ctx, const struct trp_actor_ref *to,
                                      int64_t amount, uint64_t user)
{
    return trp_ask(
        ctx, to, &stage_add_type, &(struct stage_add){.amount = amount},
        &(struct trp_ask_options){.reply = &stage_value_type, .on_reply = log_reply, .user = user});
}

static inline enum trp_status ask_act(struct trp_context *ctx, const struct trp_actor_ref *to,
                                      stage_function function, uint64_t user)
{
    return trp_ask(
        ctx, to, &stage_act_type, &(struct stage_act){.function = (uint64_t)(uintptr_t)function},
        &(struct trp_ask_options){.reply = &trp_unit_type, .on_reply = log_reply, .user = user});
}

#endif
