/* SPDX-License-Identifier: MIT */
/* remote_bench.c - what a remote message costs between two processes, and how fast a stream is.
 *
 *     remote_bench serve [spin=US] [kameo=1]               {"listening": ADDRESS}, until killed
 *     remote_bench call ADDRESS [asks=N] [tells=N] [flood=N] [spin=US] [kameo=1]
 *     remote_bench stream ADDRESS [mib=N]
 * With kameo=1 messages go by Kameo's own protocol also between two of ours.
 * The server may be another program with an actor `bench` that takes `echo { load }`,
 * `drop { load }` and `count {}`; a stream needs a server of ours. */
#define _POSIX_C_SOURCE 200809L

#include "bench/figure.h"

#include <troupe/swarm.h>
#include <troupe/uv.h>

#include <stdlib.h>
#include <string.h>

#define LISTEN     "/ip4/127.0.0.1/tcp/0"
#define NAME       "bench"
#define PROTOCOL   "/bench/bulk/1.0.0"
#define LOAD_BYTES 64u
#define WARM_UP    500u
#define AT_ONCE    100u  /* as many requests as Kameo carries on a connection */
#define BURST      1000u /* tells of a flood, between two asks how many have come */
#define BURSTS     32u   /* under way at once */
#define WAIT_S     20u
#define PIECE      65536u

#define ECHO(FIELD, TAG)  FIELD(TAG, BYTES, load)
#define COUNT(FIELD, TAG) FIELD(TAG, OPTION(U8), unused) /* Rust's struct without fields */
#define TOTAL(FIELD, TAG) FIELD(TAG, U64, count)
TRP_MESSAGE_DECLARE(bench_echo, ECHO);
TRP_MESSAGE_DEFINE(bench_echo, "echo", ECHO);
TRP_MESSAGE_DECLARE(bench_load, ECHO);
TRP_MESSAGE_DEFINE_NEWTYPE(bench_load, "load", ECHO);
TRP_MESSAGE_DECLARE(bench_drop, ECHO);
TRP_MESSAGE_DEFINE(bench_drop, "drop", ECHO);
TRP_MESSAGE_DECLARE(bench_count, COUNT);
TRP_MESSAGE_DEFINE(bench_count, "count", COUNT);
TRP_MESSAGE_DECLARE(bench_total, TOTAL);
TRP_MESSAGE_DEFINE_NEWTYPE(bench_total, "total", TOTAL);

static void check(enum trp_status status, const char *what)
{
    if (status != TRP_OK) {
        (void)fprintf(stderr, "remote_bench: %s: %s\n", what, trp_status_text(status));
        exit(1);
    }
}

/* ---- who is called ---- */

static enum trp_status on_echo(struct trp_context *ctx, void *state, const void *message)
{
    (void)state;
    const struct bench_echo *echo = message;
    return trp_reply(ctx, &bench_load_type, &(struct bench_load){.load = echo->load});
}

static enum trp_status on_drop(struct trp_context *ctx, void *state, const void *message)
{
    (void)ctx, (void)message;
    uint64_t *count = state;
    (*count)++;
    return TRP_OK;
}

static enum trp_status on_count(struct trp_context *ctx, void *state, const void *message)
{
    (void)message;
    const uint64_t *count = state;
    return trp_reply(ctx, &bench_total_type, &(struct bench_total){.count = *count});
}

static const struct trp_actor_handler bench_handlers[] = {
    {&bench_echo_type, &bench_load_type, on_echo},
    {&bench_drop_type, NULL, on_drop},
    {&bench_count_type, &bench_total_type, on_count}};
static const struct trp_actor_type bench_actor = {.id = "bench",
                                                  .state_bytes = sizeof(uint64_t),
                                                  .handlers = bench_handlers,
                                                  .handlers_count = 3};

/* ---- who calls: first one ask after the other, then tells, many at once ---- */

static struct {
    struct trp_runtime *runtime;
    struct trp_actor_ref server;
    uint64_t asks;
    uint64_t tells;
    uint64_t done; /* of what is under way */
    uint64_t told;
    uint64_t flood;   /* tells that nobody acknowledges */
    uint64_t counted; /* by the server, before the tells */
    uint64_t began;
    uint64_t cpu_began;
    uint32_t *took;
    bool ended;
} call;

static const uint8_t load[LOAD_BYTES] = {0x55};

static struct trp_bytes load_bytes(void)
{
    return trp_bytes(load, sizeof load);
}

static enum trp_status ask_count(struct trp_context *ctx, trp_on_reply on_reply)
{
    return trp_ask(ctx, &call.server, &bench_count_type, &(struct bench_count){{0}},
                   &(struct trp_ask_options){.reply = &bench_total_type, .on_reply = on_reply});
}

/* ---- tells that nobody acknowledges: what has come is asked after each burst ---- */

static void print_flood(void)
{
    uint64_t spent = bench_clock(CLOCK_MONOTONIC) - call.began;
    uint64_t cpu = bench_clock(CLOCK_PROCESS_CPUTIME_ID) - call.cpu_began;
    bench_figure("remote_flood", (double)call.flood * 1e9 / (double)spent, "per second");
    bench_figure("remote_flood_cpu", (double)cpu / (double)call.flood, "ns");
}

static enum trp_status burst(struct trp_context *ctx);

static enum trp_status on_burst(struct trp_context *ctx, void *state, const struct trp_reply *reply)
{
    (void)state;
    check(reply->status, "count");
    const struct bench_total *total = reply->message;
    call.done += BURST;
    if (call.done < call.flood) {
        return call.told < call.flood ? burst(ctx) : TRP_OK;
    }
    check(total->count - call.counted == call.flood ? TRP_OK : TRP_EVIOLATION, "a tell was lost");
    print_flood();
    call.ended = true;
    trp_runtime_stop(call.runtime);
    return TRP_OK;
}

static enum trp_status burst(struct trp_context *ctx)
{
    const struct bench_drop drop = {.load = load_bytes()};
    for (uint32_t i = 0; i < BURST; i++) {
        check(trp_tell(ctx, &call.server, &bench_drop_type, &drop), "tell");
    }
    call.told += BURST;
    return ask_count(ctx, on_burst);
}

static enum trp_status on_flood_count(struct trp_context *ctx, void *state,
                                      const struct trp_reply *reply)
{
    (void)state;
    check(reply->status, "count");
    const struct bench_total *total = reply->message;
    check(total->count - call.counted == call.tells ? TRP_OK : TRP_EVIOLATION, "a tell was lost");
    if (call.flood == 0) {
        call.ended = true;
        trp_runtime_stop(call.runtime);
        return TRP_OK;
    }
    call.counted = total->count;
    call.done = call.told = 0;
    call.began = bench_clock(CLOCK_MONOTONIC);
    call.cpu_began = bench_clock(CLOCK_PROCESS_CPUTIME_ID);
    for (uint32_t i = 0; i < BURSTS && call.told < call.flood; i++) {
        check(burst(ctx), "a burst");
    }
    return TRP_OK;
}

/* ---- tells that are acknowledged ---- */

static enum trp_status tell_one(struct trp_context *ctx);

static enum trp_status on_told(struct trp_context *ctx, void *state, const struct trp_reply *reply)
{
    (void)state;
    check(reply->status, "tell");
    if (++call.done < call.tells) {
        return call.told < call.tells ? tell_one(ctx) : TRP_OK;
    }
    uint64_t spent = bench_clock(CLOCK_MONOTONIC) - call.began;
    uint64_t cpu = bench_clock(CLOCK_PROCESS_CPUTIME_ID) - call.cpu_began;
    bench_figure("remote_tells", (double)call.tells * 1e9 / (double)spent, "per second");
    bench_figure("remote_tell_cpu", (double)cpu / (double)call.tells, "ns");
    return ask_count(ctx, on_flood_count);
}

/* Each is acknowledged, so that none is lost unseen. */
static enum trp_status tell_one(struct trp_context *ctx)
{
    call.told++;
    return trp_tell_ack(
        ctx, &call.server, &bench_drop_type, &(struct bench_drop){.load = load_bytes()},
        &(struct trp_ask_options){.on_reply = on_told, .mailbox_timeout_ns = TRP_S(5)});
}

static enum trp_status on_first_count(struct trp_context *ctx, void *state,
                                      const struct trp_reply *reply)
{
    (void)state;
    check(reply->status, "count");
    const struct bench_total *total = reply->message;
    call.counted = total->count;
    call.done = 0;
    call.began = bench_clock(CLOCK_MONOTONIC);
    call.cpu_began = bench_clock(CLOCK_PROCESS_CPUTIME_ID);
    for (uint32_t i = 0; i < AT_ONCE && call.told < call.tells; i++) {
        check(tell_one(ctx), "tell");
    }
    return TRP_OK;
}

static int compare_took(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a;
    uint32_t y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

static void print_asks(void)
{
    uint64_t cpu = bench_clock(CLOCK_PROCESS_CPUTIME_ID) - call.cpu_began;
    qsort(call.took, call.asks, sizeof call.took[0], compare_took);
    bench_figure("remote_ask_p50", call.took[call.asks / 2], "ns");
    bench_figure("remote_ask_p99", call.took[call.asks * 99 / 100], "ns");
    bench_figure("remote_ask_cpu", (double)cpu / (double)call.asks, "ns");
}

static enum trp_status ask_one(struct trp_context *ctx);

static enum trp_status on_asked(struct trp_context *ctx, void *state, const struct trp_reply *reply)
{
    (void)state;
    check(reply->status, "ask");
    const struct bench_load *back = reply->message;
    check(back->load.size == LOAD_BYTES ? TRP_OK : TRP_EVIOLATION, "the load");
    if (call.done >= WARM_UP) {
        call.took[call.done - WARM_UP] = (uint32_t)(bench_clock(CLOCK_MONOTONIC) - call.began);
    }
    if (++call.done == WARM_UP) {
        call.cpu_began = bench_clock(CLOCK_PROCESS_CPUTIME_ID);
    }
    if (call.done < WARM_UP + call.asks) {
        return ask_one(ctx);
    }
    print_asks();
    return ask_count(ctx, on_first_count);
}

static enum trp_status ask_one(struct trp_context *ctx)
{
    call.began = bench_clock(CLOCK_MONOTONIC);
    return trp_ask(ctx, &call.server, &bench_echo_type, &(struct bench_echo){.load = load_bytes()},
                   &(struct trp_ask_options){.reply = &bench_load_type, .on_reply = on_asked});
}

static enum trp_status caller_start(struct trp_context *ctx, void *state, const void *args)
{
    (void)state, (void)args;
    return ask_one(ctx);
}

static const struct trp_actor_type caller_actor = {.id = "caller", .on_start = caller_start};

/* ---- a stream, as fast as it goes; the server says how much came ---- */

struct bulk {
    struct trp_swarm *swarm;
    uint32_t index;
    uint64_t left;     /* to write */
    uint64_t received; /* of an inbound stream */
    uint64_t bytes;
    uint64_t began;
    uint64_t cpu_began;
    struct trp_runtime *runtime;
    bool ended;
};

static const char *const bulk_protocols[] = {PROTOCOL};

static void bulk_attach(void *self, struct trp_swarm *swarm, uint32_t index)
{
    struct bulk *bulk = self;
    bulk->swarm = swarm;
    bulk->index = index;
}

static uint32_t bulk_accepts(const void *self, const char **ret_protocols, uint32_t max)
{
    (void)self;
    if (max > 0) {
        ret_protocols[0] = PROTOCOL;
    }
    return 1;
}

static void bulk_connected(void *self, const struct trp_connection_info *connection)
{
    struct bulk *bulk = self;
    const struct trp_stream_request request = {.behaviour = bulk->index,
                                               .peer = connection->peer,
                                               .protocols = bulk_protocols,
                                               .protocols_count = 1};
    trp_stream_id stream;
    if (bulk->bytes > 0) {
        check(trp_swarm_open_stream(bulk->swarm, &request, &stream), "a stream");
    }
}

static void bulk_write(struct bulk *bulk, trp_stream_id stream)
{
    static const uint8_t piece[PIECE];
    while (bulk->left > 0) {
        size_t used = 0;
        size_t size = bulk->left < PIECE ? (size_t)bulk->left : PIECE;
        enum trp_status status =
            trp_stream_write(bulk->swarm, stream, trp_bytes(piece, size), &used);
        bulk->left -= used;
        if (status != TRP_OK || used < size) {
            return;
        }
    }
    trp_stream_shutdown(bulk->swarm, stream);
}

static void bulk_opened(void *self, const struct trp_stream_info *stream)
{
    struct bulk *bulk = self;
    if (!stream->inbound) {
        bulk->left = bulk->bytes;
        bulk->began = bench_clock(CLOCK_MONOTONIC);
        bulk->cpu_began = bench_clock(CLOCK_PROCESS_CPUTIME_ID);
        bulk_write(bulk, stream->id);
    } else {
        bulk->received = 0;
    }
}

static void bulk_writable(void *self, const struct trp_stream_info *stream)
{
    struct bulk *bulk = self;
    if (!stream->inbound && bulk->left > 0) {
        bulk_write(bulk, stream->id);
    }
}

static void bulk_data(void *self, const struct trp_stream_info *stream, struct trp_bytes in)
{
    struct bulk *bulk = self;
    if (stream->inbound) {
        bulk->received += in.size;
    } else if (in.size == sizeof bulk->received) { /* the server's count */
        memcpy(&bulk->received, in.data, sizeof bulk->received);
    }
    trp_stream_consumed(bulk->swarm, stream->id, in.size);
}

static void bulk_eof(void *self, const struct trp_stream_info *stream)
{
    struct bulk *bulk = self;
    if (stream->inbound) {
        size_t used;
        const struct trp_bytes total =
            trp_bytes((const uint8_t *)&bulk->received, sizeof bulk->received);
        check(trp_stream_write(bulk->swarm, stream->id, total, &used), "the answer");
        trp_stream_shutdown(bulk->swarm, stream->id);
        return;
    }
    uint64_t spent = bench_clock(CLOCK_MONOTONIC) - bulk->began;
    uint64_t cpu = bench_clock(CLOCK_PROCESS_CPUTIME_ID) - bulk->cpu_began;
    check(bulk->received == bulk->bytes ? TRP_OK : TRP_EVIOLATION, "bytes were lost");
    bench_figure("bulk", (double)bulk->bytes * 8 / (double)spent, "Gbit/s");
    bench_figure("bulk_sender_core", (double)bulk->bytes * 8 / (double)cpu, "Gbit/s");
    bulk->ended = true;
    trp_runtime_stop(bulk->runtime);
}

static const struct trp_behaviour_ops bulk_ops = {.name = "bulk",
                                                  .attach = bulk_attach,
                                                  .protocols = bulk_accepts,
                                                  .connected = bulk_connected,
                                                  .stream_opened = bulk_opened,
                                                  .stream_writable = bulk_writable,
                                                  .stream_data = bulk_data,
                                                  .stream_eof = bulk_eof};

/* ---- the verbs ---- */

static uint64_t option(int argc, char **argv, const char *name, uint64_t value)
{
    size_t size = strlen(name);
    for (int i = 2; i < argc; i++) {
        if (strncmp(argv[i], name, size) == 0) {
            value = strtoull(argv[i] + size, NULL, 10);
        }
    }
    return value;
}

static struct trp_runtime *open_runtime(struct bulk *bulk, const char *listen, int argc,
                                        char **argv,
                                        void (*on_result)(void *, const struct trp_result *))
{
    static const struct trp_actor_type *const types[] = {&bench_actor, &caller_actor};
    const struct trp_behaviour behaviour = {.ops = &bulk_ops, .self = bulk};
    const struct trp_runtime_config config = {
        .node = {.actor_types = types,
                 .actor_types_count = 2,
                 .behaviours = &behaviour,
                 .behaviours_count = 1,
                 .kameo_only = option(argc, argv, "kameo=", 0) != 0},
        .spin_ns = option(argc, argv, "spin=", 0) * 1000,
        .on_result = on_result};
    struct trp_runtime *runtime = NULL;
    check(listen != NULL ? trp_bootstrap(listen, &config, &runtime)
                         : trp_runtime_open(&config, &runtime),
          "a node");
    return runtime;
}

static int serve(int argc, char **argv)
{
    struct bulk bulk = {0};
    struct trp_runtime *runtime = open_runtime(&bulk, LISTEN, argc, argv, NULL);
    const struct trp_command spawn = {.kind = TRP_CMD_SPAWN,
                                      .actor_type = trp_bytes_text(bench_actor.id),
                                      .name = trp_bytes_text(NAME)};
    check(trp_runtime_command(runtime, &spawn), "an actor");
    struct trp_multiaddr address;
    char text[TRP_MULTIADDR_TEXT_MAX];
    if (trp_swarm_listen_addresses(bulk.swarm, &address, 1) != 1) {
        check(TRP_ENOADDRESS, "an address");
    }
    check(trp_multiaddr_with_peer(&address, trp_swarm_peer_id(bulk.swarm), &address), "an address");
    trp_multiaddr_print(&address, text);
    (void)printf("{\"listening\":\"%s\"}\n", text);
    (void)fflush(stdout);
    trp_runtime_run(runtime, TRP_NEVER);
    trp_runtime_close(runtime);
    return 0;
}

static void on_result(void *user, const struct trp_result *result)
{
    (void)user;
    if (result->kind == TRP_CMD_LOOKUP && result->status == TRP_OK && result->ref.id != 0) {
        call.server = result->ref;
    }
}

static void look_up(void)
{
    const struct trp_command lookup = {.kind = TRP_CMD_LOOKUP, .name = trp_bytes_text(NAME)};
    for (uint32_t i = 0; i < WAIT_S * 10 && call.server.id == 0; i++) {
        trp_runtime_run(call.runtime, TRP_MS(100));
        check(trp_runtime_command(call.runtime, &lookup), "a lookup");
    }
    check(call.server.id != 0 ? TRP_OK : TRP_ENOTFOUND, NAME);
}

static int run_calls(const struct trp_multiaddr *address, int argc, char **argv)
{
    struct bulk bulk = {0};
    call.asks = option(argc, argv, "asks=", 20000);
    call.tells = option(argc, argv, "tells=", 100000);
    call.flood = option(argc, argv, "flood=", 0) / BURST * BURST;
    call.took = calloc(call.asks, sizeof *call.took);
    call.runtime = open_runtime(&bulk, NULL, argc, argv, on_result);
    const struct trp_command join = {.kind = TRP_CMD_BOOTSTRAP, .address = *address};
    const struct trp_command spawn = {.kind = TRP_CMD_SPAWN,
                                      .actor_type = trp_bytes_text(caller_actor.id)};
    check(trp_runtime_command(call.runtime, &join), "joining");
    look_up();
    check(trp_runtime_command(call.runtime, &spawn), "a caller");
    while (!call.ended) {
        trp_runtime_run(call.runtime, TRP_S(1));
    }
    trp_runtime_close(call.runtime);
    free(call.took);
    return 0;
}

static int run_stream(const struct trp_multiaddr *address, int argc, char **argv)
{
    struct bulk bulk = {.bytes = option(argc, argv, "mib=", 1024) << 20};
    bulk.runtime = open_runtime(&bulk, NULL, argc, argv, NULL);
    const struct trp_command dial = {.kind = TRP_CMD_DIAL, .address = *address};
    check(trp_runtime_command(bulk.runtime, &dial), "dialing");
    while (!bulk.ended) {
        trp_runtime_run(bulk.runtime, TRP_S(1));
    }
    trp_runtime_close(bulk.runtime);
    return 0;
}

int main(int argc, char **argv)
{
    struct trp_multiaddr address;
    if (argc >= 2 && strcmp(argv[1], "serve") == 0) {
        return serve(argc, argv);
    }
    if (argc < 3 || trp_multiaddr_parse(argv[2], &address, NULL) != TRP_OK) {
        (void)fprintf(stderr, "usage: remote_bench serve [spin=US] [kameo=1]\n"
                              "       remote_bench call ADDRESS [asks=N] [tells=N] [flood=N] "
                              "[spin=US] [kameo=1]\n"
                              "       remote_bench stream ADDRESS [mib=N]\n");
        return 2;
    }
    return strcmp(argv[1], "stream") == 0 ? run_stream(&address, argc, argv)
                                          : run_calls(&address, argc, argv);
}
