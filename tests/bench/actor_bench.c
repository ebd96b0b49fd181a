/* SPDX-License-Identifier: MIT */
/* actor_bench.c - what a message, an ask and an actor cost on one thread of one node.
 * Runs every workload several times and prints the median of each figure. Every run checks that
 * each message arrived.
 * Usage: actor_bench [PERCENT [ping_pong|counting|fan_in|ask|idle|lives]] */
#define _POSIX_C_SOURCE 200809L

#include "actor/scheduler.h"
#include "bench/figure.h"

#include <stdlib.h>

#define VALUE(FIELD, TAG) FIELD(TAG, I64, value)
TRP_MESSAGE_DECLARE(bench_value, VALUE);
TRP_MESSAGE_DEFINE_NEWTYPE(bench_value, "value", VALUE);
TRP_MESSAGE_DECLARE_EMPTY(bench_go);
TRP_MESSAGE_DEFINE_EMPTY(bench_go, "go");

#define PRODUCERS    20u
#define BATCH        64 /* messages that a producer sends before others have their turn */
#define ASKS_SAMPLED 200000u
#define RUNS         7u
#define FIGURES_MAX  8u /* of one workload, and an empty one */

static struct {
    struct trp_memory memory;
    struct trp_limits limits;
    struct trp_scheduler *scheduler;
    struct trp_actor_ref sink;
    int64_t received;
    int64_t left;
    uint64_t asked_at;
    uint32_t samples_count;
    uint32_t samples[ASKS_SAMPLED];
} bench;

static void check(enum trp_status status)
{
    if (status != TRP_OK) {
        fprintf(stderr, "actor_bench: %s\n", trp_status_text(status));
        exit(1);
    }
}

/* A figure of one workload, over its runs, in tenths of its unit. */
struct figure {
    const char *name;
    const char *unit;
    uint32_t count;
    uint64_t tenths[RUNS];
};

static struct figure figures[FIGURES_MAX];

static void note(const char *name, uint64_t total, int64_t count, const char *unit)
{
    struct figure *figure = figures;
    while (figure->name != NULL && strcmp(figure->name, name) != 0) {
        figure++;
    }
    figure->name = name;
    figure->unit = unit;
    figure->tenths[figure->count++] = total * 10 / (uint64_t)count;
}

static int compare_tenths(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a;
    uint64_t y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

static void print_figures(void)
{
    for (struct figure *figure = figures; figure->name != NULL; figure++) {
        qsort(figure->tenths, figure->count, sizeof figure->tenths[0], compare_tenths);
        bench_figure(figure->name, (double)figure->tenths[figure->count / 2] / 10, figure->unit);
        *figure = (struct figure){0};
    }
}

static void scheduler_open(void)
{
    bench.memory = trp_memory_init(8ull << 30);
    bench.limits = (struct trp_limits){0};
    bench.limits.actors = 4u << 20;
    bench.limits.mailbox_messages = 16u << 20;
    check(trp_limits_complete(&bench.limits, NULL));
    const struct trp_scheduler_config config = {.memory = &bench.memory, .limits = &bench.limits};
    check(trp_scheduler_open(&config, &bench.scheduler));
    bench.received = 0;
}

/* Runs until nothing is runnable; gives the processor time it took, which on an idle machine is the
 * time, as there is one thread and nothing to wait for. */
static uint64_t run(void)
{
    uint64_t start = bench_clock(CLOCK_PROCESS_CPUTIME_ID);
    struct trp_sched_event event;
    do {
        trp_scheduler_run(bench.scheduler, 1);
        while (trp_scheduler_next_event(bench.scheduler, &event)) {
        }
    } while (trp_scheduler_deadline(bench.scheduler) <= 1);
    return bench_clock(CLOCK_PROCESS_CPUTIME_ID) - start;
}

static void must_have_received(int64_t count)
{
    if (bench.received != count) {
        fprintf(stderr, "actor_bench: %lld of %lld messages arrived\n", (long long)bench.received,
                (long long)count);
        exit(1);
    }
    trp_scheduler_close(bench.scheduler);
}

static struct trp_actor_ref spawn(const struct trp_actor_type *type)
{
    struct trp_actor_ref ref;
    check(trp_scheduler_spawn(bench.scheduler, type, NULL, NULL, &ref));
    return ref;
}

static void go(const struct trp_actor_ref *ref)
{
    static const uint8_t empty_map = 0x80;
    trp_scheduler_deliver(bench.scheduler,
                          &(struct trp_delivery){.actor = ref->id,
                                                 .message = trp_bytes_text("go"),
                                                 .payload = trp_bytes(&empty_map, 1)});
}

/* ---- ping-pong: two actors, one message ---- */

struct player {
    struct trp_actor_ref other;
};

static struct trp_actor_ref players[2];

static enum trp_status player_start(struct trp_context *ctx, void *state, const void *args)
{
    (void)args;
    struct player *player = state;
    player->other = players[trp_self(ctx).id == players[0].id];
    return TRP_OK;
}

static enum trp_status player_value(struct trp_context *ctx, void *state, const void *message)
{
    const struct player *player = state;
    const struct bench_value *ball = message;
    bench.received++;
    if (ball->value == 0) {
        return TRP_OK;
    }
    return trp_tell(ctx, &player->other, &bench_value_type,
                    &(struct bench_value){.value = ball->value - 1});
}

static enum trp_status player_go(struct trp_context *ctx, void *state, const void *message)
{
    (void)message;
    const struct player *player = state;
    return trp_tell(ctx, &player->other, &bench_value_type,
                    &(struct bench_value){.value = bench.left - 1});
}

static const struct trp_actor_handler player_handlers[] = {
    {&bench_value_type, NULL, player_value},
    {&bench_go_type, NULL, player_go},
};
static const struct trp_actor_type player_type = {.id = "player",
                                                  .state_bytes = sizeof(struct player),
                                                  .handlers_count = 2,
                                                  .handlers = player_handlers,
                                                  .on_start = player_start};

static void ping_pong(int64_t count)
{
    scheduler_open();
    players[0] = spawn(&player_type);
    players[1] = spawn(&player_type);
    run();
    bench.left = count;
    go(&players[0]);
    note("ping_pong", run(), count, "ns/message");
    must_have_received(count);
}

/* ---- counting and fan-in: producers to one sink ---- */

static enum trp_status sink_value(struct trp_context *ctx, void *state, const void *message)
{
    (void)ctx;
    int64_t *sum = state;
    *sum += ((const struct bench_value *)message)->value;
    bench.received++;
    return TRP_OK;
}

static enum trp_status sink_get(struct trp_context *ctx, void *state, const void *message)
{
    (void)message;
    const int64_t *sum = state;
    return trp_reply(ctx, &bench_value_type, &(struct bench_value){.value = *sum});
}

static const struct trp_actor_handler sink_handlers[] = {
    {&bench_value_type, NULL, sink_value},
    {&bench_go_type, &bench_value_type, sink_get},
};
static const struct trp_actor_type sink_type = {
    .id = "sink", .state_bytes = sizeof(int64_t), .handlers_count = 2, .handlers = sink_handlers};

static enum trp_status producer_go(struct trp_context *ctx, void *state, const void *message)
{
    (void)message;
    int64_t *sent = state;
    for (int i = 0; i < BATCH && *sent < bench.left; i++) {
        check(trp_tell(ctx, &bench.sink, &bench_value_type, &(struct bench_value){.value = 1}));
        (*sent)++;
    }
    struct trp_actor_ref self = trp_self(ctx);
    return *sent < bench.left ? trp_tell(ctx, &self, &bench_go_type, NULL) : TRP_OK;
}

static const struct trp_actor_handler producer_handlers[] = {{&bench_go_type, NULL, producer_go}};
static const struct trp_actor_type producer_type = {.id = "producer",
                                                    .state_bytes = sizeof(int64_t),
                                                    .handlers_count = 1,
                                                    .handlers = producer_handlers};

static void produce(const char *name, uint32_t producers, int64_t each)
{
    scheduler_open();
    bench.left = each;
    bench.sink = spawn(&sink_type);
    for (uint32_t i = 0; i < producers; i++) {
        struct trp_actor_ref producer = spawn(&producer_type);
        go(&producer);
    }
    note(name, run(), each * producers, "ns/message");
    must_have_received(each * producers);
}

/* ---- ask: one outstanding ---- */

static enum trp_status asker_ask(struct trp_context *ctx);

static enum trp_status asker_on_reply(struct trp_context *ctx, void *state,
                                      const struct trp_reply *reply)
{
    (void)state;
    check(reply->status);
    bench.received++;
    if (bench.samples_count < ASKS_SAMPLED) {
        bench.samples[bench.samples_count++] =
            (uint32_t)(bench_clock(CLOCK_MONOTONIC) - bench.asked_at);
    }
    return --bench.left > 0 ? asker_ask(ctx) : TRP_OK;
}

static enum trp_status asker_ask(struct trp_context *ctx)
{
    if (bench.samples_count < ASKS_SAMPLED) {
        bench.asked_at = bench_clock(CLOCK_MONOTONIC);
    }
    return trp_ask(
        ctx, &bench.sink, &bench_go_type, NULL,
        &(struct trp_ask_options){.reply = &bench_value_type, .on_reply = asker_on_reply});
}

static enum trp_status asker_go(struct trp_context *ctx, void *state, const void *message)
{
    (void)state;
    (void)message;
    return asker_ask(ctx);
}

static const struct trp_actor_handler asker_handlers[] = {{&bench_go_type, NULL, asker_go}};
static const struct trp_actor_type asker_type = {
    .id = "asker", .handlers_count = 1, .handlers = asker_handlers};

static int compare_samples(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a;
    uint32_t y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

static void ask(int64_t count)
{
    /* First each ask with the clock, whose own cost is in it, then all of them without. */
    for (int timed = 1; timed >= 0; timed--) {
        scheduler_open();
        bench.sink = spawn(&sink_type);
        struct trp_actor_ref asker = spawn(&asker_type);
        int64_t asks = timed ? (int64_t)ASKS_SAMPLED : count;
        bench.left = asks;
        bench.samples_count = timed ? 0 : ASKS_SAMPLED;
        go(&asker);
        uint64_t total = run();
        if (timed) {
            qsort(bench.samples, ASKS_SAMPLED, sizeof bench.samples[0], compare_samples);
            note("ask_p50_with_clock", bench.samples[ASKS_SAMPLED / 2], 1, "ns");
            note("ask_p99_with_clock", bench.samples[ASKS_SAMPLED / 100 * 99], 1, "ns");
        } else {
            note("ask_mean", total, count, "ns");
        }
        must_have_received(asks);
    }
}

/* ---- actors ---- */

/* Resident bytes of this process; Linux. */
static uint64_t resident_bytes(void)
{
    unsigned long long total = 0;
    unsigned long long resident = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (file != NULL) {
        if (fscanf(file, "%llu %llu", &total, &resident) != 2) {
            resident = 0;
        }
        fclose(file);
    }
    return resident * 4096u;
}

static void idle_actors(int64_t count)
{
    scheduler_open();
    uint64_t before = resident_bytes();
    uint64_t start = bench_clock(CLOCK_PROCESS_CPUTIME_ID);
    for (int64_t i = 0; i < count; i++) {
        check(trp_scheduler_spawn(bench.scheduler, &sink_type, NULL, NULL, NULL));
    }
    uint64_t spawned = bench_clock(CLOCK_PROCESS_CPUTIME_ID) - start;
    uint64_t started = run();
    note("spawn", spawned, count, "ns/actor");
    note("spawn_and_start", spawned + started, count, "ns/actor");
    note("idle_actor_counted", bench.memory.used_bytes, count, "bytes/actor");
    note("idle_actor_resident", resident_bytes() - before, count, "bytes/actor");
    bench.received = count;
    must_have_received(count);
}

static int64_t born_left;

static enum trp_status mayfly_go(struct trp_context *ctx, void *state, const void *message)
{
    (void)state;
    (void)message;
    bench.received++;
    struct trp_actor_ref self = trp_self(ctx);
    return trp_stop(ctx, &self);
}

static const struct trp_actor_handler mayfly_handlers[] = {{&bench_go_type, NULL, mayfly_go}};
static const struct trp_actor_type mayfly_type = {
    .id = "mayfly", .state_bytes = 8, .handlers_count = 1, .handlers = mayfly_handlers};

static enum trp_status mother_go(struct trp_context *ctx, void *state, const void *message)
{
    (void)state;
    (void)message;
    for (int i = 0; i < BATCH && born_left > 0; i++, born_left--) {
        struct trp_actor_ref child;
        check(trp_spawn(ctx, &mayfly_type, NULL, NULL, &child));
        check(trp_tell(ctx, &child, &bench_go_type, NULL));
    }
    struct trp_actor_ref self = trp_self(ctx);
    return born_left > 0 ? trp_tell(ctx, &self, &bench_go_type, NULL) : TRP_OK;
}

static const struct trp_actor_handler mother_handlers[] = {{&bench_go_type, NULL, mother_go}};
static const struct trp_actor_type mother_type = {
    .id = "mother", .handlers_count = 1, .handlers = mother_handlers};

/* Spawn, one message, exit. */
static void short_lives(int64_t count)
{
    scheduler_open();
    born_left = count;
    struct trp_actor_ref mother = spawn(&mother_type);
    go(&mother);
    note("spawn_tell_stop", run(), count, "ns/actor");
    must_have_received(count);
}

static void run_ping_pong(int64_t percent)
{
    ping_pong(40000 * percent);
}

static void run_counting(int64_t percent)
{
    produce("counting", 1, 50000 * percent);
}

static void run_fan_in(int64_t percent)
{
    produce("fan_in_20", PRODUCERS, 2500 * percent);
}

static void run_ask(int64_t percent)
{
    ask(20000 * percent);
}

static void run_idle(int64_t percent)
{
    idle_actors(10000 * percent);
}

static void run_lives(int64_t percent)
{
    short_lives(10000 * percent);
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*run)(int64_t percent);
    } workloads[] = {
        {"ping_pong", run_ping_pong}, {"counting", run_counting},
        {"fan_in", run_fan_in},       {"ask", run_ask},
        {"idle", run_idle},           {"lives", run_lives},
    };
    int64_t percent = argc > 1 ? strtoll(argv[1], NULL, 10) : 100;
    percent = percent < 1 ? 1 : percent;
    for (size_t i = 0; i < sizeof workloads / sizeof workloads[0]; i++) {
        if (argc < 3 || strcmp(argv[2], workloads[i].name) == 0) {
            for (uint32_t run_index = 0; run_index < RUNS; run_index++) {
                workloads[i].run(percent);
            }
            print_figures();
        }
    }
    return 0;
}
