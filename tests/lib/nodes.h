/* SPDX-License-Identifier: MIT */
/* lib/nodes.h - a few whole nodes in the simulated world, with actors that do what a test tells
 * them. For tests of what happens between nodes.
 *
 * An agent runs the function named in an `act` message on its own state; what happens to it is one
 * word in the log. Every path takes nodes.latency_ns, so that a round trip is twice that. */
#ifndef LIB_NODES_H
#define LIB_NODES_H

#include "lib/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <troupe/node.h>
#include <troupe/sim.h>
#include <troupe/swarm.h>

#define NODES_MAX         8u
#define NODES_KINDS_MAX   256u
#define NODES_RESULTS_MAX 512u
#define NODES_PORT        4001u

struct nodes_host {
    struct trp_node *node;         /* NULL: down */
    struct trp_node_config config; /* what the test wants of it; seeds and time are filled in */
    uint32_t traced[NODES_KINDS_MAX];
    trp_time traced_at[NODES_KINDS_MAX]; /* the newest */
};

struct nodes_result {
    uint32_t host;
    struct trp_result value; /* slices are not kept, but for the payload */
    uint8_t payload[256];
    char type[64];
};

struct nodes {
    struct trp_world *world;
    struct trp_recorder recorder;
    trp_time latency_ns;
    uint32_t count;
    struct nodes_host hosts[NODES_MAX];
    uint64_t requests;
    uint32_t results_count;
    struct nodes_result results[NODES_RESULTS_MAX];
    bool show; /* prints the trace to standard error */
    size_t log_size;
    char log[16384];
};

static struct nodes nodes;

/* ---- the log ---- */

static inline void nodes_log(const char *format, ...) TRP_PRINTF(1, 2);
static inline void nodes_log(const char *format, ...)
{
    va_list list;
    size_t room = sizeof nodes.log - nodes.log_size;
    va_start(list, format);
    int size = vsnprintf(nodes.log + nodes.log_size, room, format, list);
    va_end(list);
    assert_true(size > 0 && (size_t)size + 2 < room);
    nodes.log_size += (size_t)size;
    nodes.log[nodes.log_size++] = ' ';
    nodes.log[nodes.log_size] = '\0';
}

/* Compares the log and empties it. */
#define assert_log(expected)                                                                       \
    do {                                                                                           \
        if (nodes.log_size > 0) {                                                                  \
            nodes.log[nodes.log_size - 1] = '\0';                                                  \
        }                                                                                          \
        assert_string_equal(nodes.log, expected);                                                  \
        nodes.log_size = 0;                                                                        \
        nodes.log[0] = '\0';                                                                       \
    } while (0)

/* ---- agents ---- */

struct agent {
    uint32_t name; /* a letter */
    int64_t value;
    uint64_t token;
    struct trp_actor_ref ref;
};

typedef enum trp_status (*nodes_function)(struct trp_context *ctx, struct agent *agent,
                                          uint64_t argument);

#define AGENT_ARGS(FIELD, TAG)  FIELD(TAG, U32, name)
#define AGENT_ACT(FIELD, TAG)   FIELD(TAG, U64, function) FIELD(TAG, U64, argument)
#define AGENT_ADD(FIELD, TAG)   FIELD(TAG, I64, amount)
#define AGENT_VALUE(FIELD, TAG) FIELD(TAG, I64, value)
#define AGENT_BYTES(FIELD, TAG) FIELD(TAG, BYTES, data)
#define AGENT_MEET(FIELD, TAG)  FIELD(TAG, REF, who)

TRP_MESSAGE_DECLARE(agent_args, AGENT_ARGS);
TRP_MESSAGE_DEFINE(agent_args, "args", AGENT_ARGS);
TRP_MESSAGE_DECLARE(agent_act, AGENT_ACT);
TRP_MESSAGE_DEFINE(agent_act, "act", AGENT_ACT);
TRP_MESSAGE_DECLARE(agent_add, AGENT_ADD);
TRP_MESSAGE_DEFINE(agent_add, "add", AGENT_ADD);
TRP_MESSAGE_DECLARE(agent_value, AGENT_VALUE);
TRP_MESSAGE_DEFINE_NEWTYPE(agent_value, "value", AGENT_VALUE);
TRP_MESSAGE_DECLARE(agent_bytes, AGENT_BYTES);
TRP_MESSAGE_DEFINE_NEWTYPE(agent_bytes, "bytes", AGENT_BYTES);
TRP_MESSAGE_DECLARE(agent_meet, AGENT_MEET);
TRP_MESSAGE_DEFINE(agent_meet, "meet", AGENT_MEET);
TRP_MESSAGE_DECLARE_EMPTY(agent_fail);
TRP_MESSAGE_DEFINE_EMPTY(agent_fail, "fail");
TRP_MESSAGE_DECLARE_EMPTY(agent_ponder);
TRP_MESSAGE_DEFINE_EMPTY(agent_ponder, "ponder");
TRP_MESSAGE_DECLARE_EMPTY(agent_unheard);
TRP_MESSAGE_DEFINE_EMPTY(agent_unheard, "unheard");

static inline enum trp_status agent_on_start(struct trp_context *ctx, void *state, const void *args)
{
    (void)ctx;
    ((struct agent *)state)->name = ((const struct agent_args *)args)->name;
    return TRP_OK;
}

static inline enum trp_status agent_on_act(struct trp_context *ctx, void *state,
                                           const void *message)
{
    const struct agent_act *act = message;
    return ((nodes_function)(uintptr_t)act->function)(ctx, state, act->argument);
}

static inline enum trp_status agent_on_add(struct trp_context *ctx, void *state,
                                           const void *message)
{
    struct agent *agent = state;
    agent->value += ((const struct agent_add *)message)->amount;
    nodes_log("%c+%d", (char)agent->name, (int)((const struct agent_add *)message)->amount);
    const struct agent_value value = {.value = agent->value};
    enum trp_status status = trp_reply(ctx, &agent_value_type, &value);
    return status == TRP_ESTATE ? TRP_OK : status; /* it was told */
}

/* Sends the bytes back. */
static inline enum trp_status agent_on_bytes(struct trp_context *ctx, void *state,
                                             const void *message)
{
    (void)state;
    enum trp_status status = trp_reply(ctx, &agent_bytes_type, message);
    return status == TRP_ESTATE ? TRP_OK : status;
}

/* Keeps a reference that came in a message. */
static inline enum trp_status agent_on_meet(struct trp_context *ctx, void *state,
                                            const void *message)
{
    (void)ctx;
    ((struct agent *)state)->ref = ((const struct agent_meet *)message)->who;
    return TRP_OK;
}

static inline enum trp_status agent_on_fail(struct trp_context *ctx, void *state,
                                            const void *message)
{
    (void)ctx;
    (void)state;
    (void)message;
    return TRP_EDENIED;
}

/* Means to answer, and never does. */
static inline enum trp_status agent_on_ponder(struct trp_context *ctx, void *state,
                                              const void *message)
{
    (void)message;
    ((struct agent *)state)->token = trp_reply_later(ctx);
    return TRP_OK;
}

static inline bool agent_on_link_died(struct trp_context *ctx, void *state,
                                      const struct trp_link_death *death)
{
    (void)ctx;
    const struct trp_bytes text = death->cause->text;
    nodes_log("death:%c:%d%s%.*s", (char)((struct agent *)state)->name, (int)death->reason,
              text.size == 0 ? "" : ":", (int)text.size,
              text.size == 0 ? "" : (const char *)text.data);
    return true;
}

static inline void agent_on_stop(struct trp_context *ctx, void *state, enum trp_stop_reason reason)
{
    (void)ctx;
    nodes_log("stop:%c:%d", (char)((struct agent *)state)->name, (int)reason);
}

static const struct trp_actor_handler agent_handlers[] = {
    {&agent_act_type, &trp_unit_type, agent_on_act},
    {&agent_add_type, &agent_value_type, agent_on_add},
    {&agent_bytes_type, &agent_bytes_type, agent_on_bytes},
    {&agent_meet_type, &trp_unit_type, agent_on_meet},
    {&agent_fail_type, &trp_unit_type, agent_on_fail},
    {&agent_ponder_type, &trp_unit_type, agent_on_ponder}};

#define AGENT_TYPE_FIELDS                                                                          \
    .state_bytes = sizeof(struct agent),                                                           \
    .handlers_count = sizeof agent_handlers / sizeof agent_handlers[0],                            \
    .handlers = agent_handlers, .args = &agent_args_type, .on_start = agent_on_start,              \
    .on_stop = agent_on_stop

/* Survives what happens to others; the frail one does not. */
static const struct trp_actor_type agent_type = {
    .id = "agent", AGENT_TYPE_FIELDS, .on_link_died = agent_on_link_died};
static const struct trp_actor_type frail_type = {.id = "frail", AGENT_TYPE_FIELDS};
static const struct trp_actor_type *const nodes_types[] = {&agent_type, &frail_type};

/* ---- the world ---- */

static inline void nodes_on_event(void *self, const struct trp_trace_event *event)
{
    (void)self;
    if (nodes.show) {
        char text[1024];
        trp_trace_print(event, text, sizeof text);
        (void)fprintf(stderr, "%s\n", text);
    }
    for (uint32_t i = 0; i < NODES_KINDS_MAX && trp_trace_kind_at(i) != NULL; i++) {
        if (trp_trace_kind_at(i) == event->kind && event->node < NODES_MAX) {
            nodes.hosts[event->node].traced[i]++;
            nodes.hosts[event->node].traced_at[i] = event->time;
        }
    }
}

static inline uint32_t nodes_kind(const char *name)
{
    for (uint32_t i = 0; i < NODES_KINDS_MAX && trp_trace_kind_at(i) != NULL; i++) {
        if (strcmp(trp_trace_kind_at(i)->name, name) == 0) {
            return i;
        }
    }
    fail_msg("no event is called %s", name);
    return 0;
}

/* How many events of a name a host has traced. */
static inline uint32_t nodes_traced(uint32_t host, const char *name)
{
    return nodes.hosts[host].traced[nodes_kind(name)];
}

static inline trp_time nodes_traced_at(uint32_t host, const char *name)
{
    return nodes.hosts[host].traced_at[nodes_kind(name)];
}

static inline struct trp_multiaddr nodes_address(uint32_t host)
{
    uint8_t ip[4];
    trp_world_host_ip(host, ip);
    return trp_multiaddr_from_ip(ip, 4, NODES_PORT);
}

static inline enum trp_status nodes_start(void *user, uint32_t index, uint32_t incarnation,
                                          trp_time now, const uint8_t seed[32],
                                          const uint8_t identity[32], struct trp_bytes saved,
                                          struct trp_process *ret_process)
{
    (void)user;
    (void)incarnation;
    struct nodes_host *host = &nodes.hosts[index];
    struct trp_node_config config = host->config;
    config.now = now;
    config.unix_ns = TRP_S(1700000000) + now;
    config.saved = saved;
    config.recorder = &nodes.recorder;
    config.trace_node = index;
    if (!config.bare) {
        config.actor_types = nodes_types;
        config.actor_types_count = 2;
    }
    memcpy(config.seed, seed, sizeof config.seed);
    memcpy(config.identity, identity, sizeof config.identity);
    enum trp_status status = trp_node_open(&config, &host->node);
    if (status == TRP_OK) {
        const struct trp_command listen = {.kind = TRP_CMD_LISTEN, .address = nodes_address(index)};
        const struct trp_input in = {.kind = TRP_IN_COMMAND, .now = now, .command = &listen};
        status = trp_node_step(host->node, &in);
        *ret_process = trp_node_process(host->node);
    }
    return status;
}

static inline void nodes_end(void *user, uint32_t index, struct trp_process process)
{
    (void)user;
    (void)process;
    trp_node_close(nodes.hosts[index].node, trp_world_now(nodes.world));
    nodes.hosts[index].node = NULL;
}

static inline void nodes_on_result(void *user, uint32_t index, const struct trp_result *result)
{
    (void)user;
    assert_true(nodes.results_count < NODES_RESULTS_MAX);
    struct nodes_result *kept = &nodes.results[nodes.results_count++];
    *kept = (struct nodes_result){.host = index, .value = *result};
    size_t size = result->payload.size;
    size = size < sizeof kept->payload ? size : sizeof kept->payload;
    if (size > 0) {
        memcpy(kept->payload, result->payload.data, size);
    }
    (void)snprintf(kept->type, sizeof kept->type, "%.*s", (int)result->actor_type.size,
                   result->actor_type.size == 0 ? "" : (const char *)result->actor_type.data);
}

static inline void nodes_path(void *user, uint32_t from, uint32_t to, struct trp_path *ret_path)
{
    (void)user;
    (void)from;
    (void)to;
    *ret_path = (struct trp_path){.latency = {.kind = TRP_DIST_CONST, .a = nodes.latency_ns}};
}

/* Makes `count` hosts that do not run yet: change their configurations, then nodes_begin. */
static inline void nodes_open(uint32_t count, uint64_t seed)
{
    nodes = (struct nodes){.count = count, .latency_ns = TRP_MS(5)};
    trp_recorder_init(&nodes.recorder, (struct trp_trace_sink){.event = nodes_on_event});
    const struct trp_world_config config = {
        .seed = seed,
        .factory = {.start = nodes_start, .end = nodes_end, .result = nodes_on_result},
        .recorder = &nodes.recorder};
    assert_status(trp_world_open(&config, &nodes.world), TRP_OK);
    trp_world_set_topology(nodes.world, (struct trp_topology){.path = nodes_path});
}

static inline void nodes_run(trp_time span_ns)
{
    trp_time until = trp_world_now(nodes.world) + span_ns;
    assert_status(trp_world_run_until(nodes.world, until), TRP_OK);
}

static inline void nodes_begin(void)
{
    for (uint32_t i = 0; i < nodes.count; i++) {
        uint32_t host;
        assert_status(trp_world_add_host(nodes.world, 0, &host), TRP_OK);
        assert_int_equal(host, i);
    }
    nodes_run(TRP_MS(1));
}

static inline void nodes_close(void)
{
    trp_world_close(nodes.world);
}

static inline trp_time nodes_now(void)
{
    return trp_world_now(nodes.world);
}

static inline struct trp_peer_id nodes_peer(uint32_t host)
{
    return *trp_node_peer_id(nodes.hosts[host].node);
}

/* ---- commands ---- */

/* Gives a command to a node; the result is found by the number returned. */
static inline uint64_t nodes_command(uint32_t host, struct trp_command command)
{
    command.request = ++nodes.requests;
    assert_status(trp_world_command(nodes.world, host, &command, 0), TRP_OK);
    return command.request;
}

/* The last result of a command; NULL while there is none. There must be no second one. */
static inline const struct nodes_result *nodes_find(uint64_t request)
{
    const struct nodes_result *found = NULL;
    for (uint32_t i = 0; i < nodes.results_count; i++) {
        const struct nodes_result *result = &nodes.results[i];
        if (result->value.request == request && result->value.last) {
            assert_null(found);
            found = result;
        }
    }
    return found;
}

/* Runs until a command has its last result, at most `span_ns`. */
static inline const struct nodes_result *nodes_await(uint64_t request, trp_time span_ns)
{
    trp_time until = nodes_now() + span_ns;
    while (nodes_find(request) == NULL) {
        if (nodes_now() >= until) {
            fail_msg("request %llu has no result", (unsigned long long)request);
        }
        nodes_run(TRP_MS(1));
    }
    return nodes_find(request);
}

static inline const struct nodes_result *nodes_do(uint32_t host, struct trp_command command)
{
    return nodes_await(nodes_command(host, command), TRP_MIN(2));
}

static inline enum trp_status nodes_named(uint32_t host, enum trp_command_kind kind,
                                          const char *name)
{
    return nodes_do(host, (struct trp_command){.kind = kind, .name = trp_bytes_text(name)})
        ->value.status;
}

static inline uint32_t nodes_connections(uint32_t host)
{
    struct trp_node_view view;
    trp_node_inspect(nodes.hosts[host].node, &view);
    return view.connections;
}

static inline struct trp_bytes nodes_pack(const struct trp_message_type *type, const void *message)
{
    static uint8_t bytes[1u << 22];
    size_t size;
    assert_status(trp_message_encode(type, message, bytes, sizeof bytes, &size), TRP_OK);
    return trp_bytes(bytes, size);
}

/* Tells a host of another one. */
static inline void nodes_introduce(uint32_t host, uint32_t other)
{
    struct trp_command command = {.kind = TRP_CMD_BOOTSTRAP};
    struct trp_multiaddr address = nodes_address(other);
    struct trp_peer_id peer = nodes_peer(other);
    assert_status(trp_multiaddr_with_peer(&address, &peer, &command.address), TRP_OK);
    assert_status(nodes_do(host, command)->value.status, TRP_OK);
}

/* Spawns an actor named by a letter; registers it when `name` is not NULL. */
static inline struct trp_actor_ref nodes_spawn(uint32_t host, const struct trp_actor_type *type,
                                               char letter, const char *name)
{
    const struct agent_args args = {.name = (uint32_t)letter};
    const struct nodes_result *result =
        nodes_do(host, (struct trp_command){.kind = TRP_CMD_SPAWN,
                                            .actor_type = trp_bytes_text(type->id),
                                            .name = trp_bytes_text(name),
                                            .payload = nodes_pack(&agent_args_type, &args)});
    assert_status(result->value.status, TRP_OK);
    struct trp_actor_ref ref = result->value.ref;
    ref.peer = nodes_peer(host);
    ref.type = trp_actor_type_hash(trp_bytes_text(type->id));
    return ref;
}

/* Has an agent run a function; gives the status of that. */
static inline enum trp_status nodes_act(uint32_t host, const struct trp_actor_ref *agent,
                                        nodes_function function, uint64_t argument)
{
    const struct agent_act act = {.function = (uint64_t)(uintptr_t)function, .argument = argument};
    const struct nodes_result *result =
        nodes_do(host, (struct trp_command){.kind = TRP_CMD_ASK,
                                            .ref = *agent,
                                            .message = trp_bytes_text("act"),
                                            .payload = nodes_pack(&agent_act_type, &act)});
    return result->value.status;
}

static inline struct trp_command nodes_ask(const struct trp_actor_ref *to,
                                           const struct trp_message_type *type, const void *message)
{
    return (struct trp_command){.kind = TRP_CMD_ASK,
                                .ref = *to,
                                .actor_type = trp_bytes_text("agent"),
                                .message = trp_bytes_text(type->id),
                                .payload = nodes_pack(type, message)};
}

static inline const struct nodes_result *nodes_lookup(uint32_t host, const char *name, bool all)
{
    return nodes_do(host, (struct trp_command){
                              .kind = TRP_CMD_LOOKUP, .name = trp_bytes_text(name), .all = all});
}

/* How many actors a lookup of all has found. */
static inline uint32_t nodes_found(uint64_t request)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < nodes.results_count; i++) {
        count += nodes.results[i].value.request == request && nodes.results[i].value.ref.id != 0;
    }
    return count;
}

#endif
