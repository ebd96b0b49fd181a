/* SPDX-License-Identifier: MIT */
#include "scenarios/cli/allow.h"
#include "scenarios/workload/workload.h"

#include <troupe/swarm.h>
#include <troupe/uv.h>

#include <errno.h>
#include <signal.h>

#define ADDRESSES_MAX 16u
#define ACTORS_MAX    64u
#define LIMITS_MAX    64u
#define TURN_NS       TRP_MS(200)

struct node_options {
    const char *listen[ADDRESSES_MAX];
    uint32_t listen_count;
    const char *bootstrap[ADDRESSES_MAX];
    uint32_t bootstrap_count;
    const char *actors[ACTORS_MAX]; /* TYPE=NAME */
    uint32_t actors_count;
    const char *state;
    uint32_t state_count;
    const char *kad;
    uint32_t kad_count;
    const char *limits[LIMITS_MAX]; /* NAME=VALUE */
    uint32_t limits_count;
    const char *allow[CLI_ALLOW_MAX]; /* PEER[:RIGHTS[:TYPE]] */
    uint32_t allow_count;
    uint32_t trace_count;
    uint32_t mdns_count;
    uint32_t no_mdns_count;
};

static volatile sig_atomic_t interrupted;

static void on_signal(int number)
{
    (void)number;
    interrupted = 1;
}

struct daemon {
    const struct cli_verb *verb;
    struct trp_runtime *runtime;
    bool failed;
};

static void daemon_on_result(void *user, const struct trp_result *result)
{
    struct daemon *daemon = user;
    if (result->status != TRP_OK) {
        (void)cli_fail(daemon->verb, CLI_FAILED, "%s (%s)", trp_status_text(result->status),
                       trp_status_name(result->status));
        daemon->failed = true;
    }
}

static int listen_on(struct daemon *daemon, const char *text)
{
    struct trp_multiaddr address;
    int code = cli_address(daemon->verb, text, &address);
    if (code != CLI_OK) {
        return code;
    }
    enum trp_status status = trp_runtime_listen(daemon->runtime, &address);
    if (status == TRP_OK) {
        return CLI_OK;
    }
    return cli_fail(daemon->verb, CLI_FAILED, "cannot listen on %s: %s", text,
                    status == TRP_EADDRINUSE
                        ? "another program listens there; tcp/0 takes a free port"
                    : status == TRP_EINVAL  ? "it is no address of this machine"
                    : status == TRP_EDENIED ? "the system does not allow it"
                                            : trp_status_text(status));
}

static int join_by(struct daemon *daemon, const char *text)
{
    struct trp_command command = {.kind = TRP_CMD_BOOTSTRAP};
    int code = cli_address(daemon->verb, text, &command.address);
    if (code != CLI_OK) {
        return code;
    }
    enum trp_status status = trp_runtime_command(daemon->runtime, &command);
    return status == TRP_OK ? CLI_OK
                            : cli_fail(daemon->verb, CLI_FAILED, "cannot join by %s: %s", text,
                                       trp_status_text(status));
}

static bool is_actor_type(struct trp_bytes type)
{
    for (uint32_t i = 0; i < trp_workload_types_count; i++) {
        if (trp_bytes_equal(trp_bytes_text(trp_workload_types[i]->id), type)) {
            return true;
        }
    }
    return false;
}

static int spawn_actor(struct daemon *daemon, const char *text)
{
    const char *equals = strchr(text, '=');
    static const uint8_t no_arguments[] = {0x80}; /* msgpack: a map without entries */
    if (equals == NULL || equals == text || equals[1] == '\0') {
        return cli_wrong(daemon->verb, "--actor takes TYPE=NAME, not '%s'", text);
    }
    if (!is_actor_type(trp_bytes(text, (size_t)(equals - text)))) {
        return cli_wrong(daemon->verb, "there is no actor type '%.*s'", (int)(equals - text), text);
    }
    if (cli_check_name(daemon->verb, equals + 1) != CLI_OK) {
        return CLI_USAGE;
    }
    const struct trp_command command = {.kind = TRP_CMD_SPAWN,
                                        .actor_type = trp_bytes(text, (size_t)(equals - text)),
                                        .name = trp_bytes_text(equals + 1),
                                        .payload = trp_bytes(no_arguments, 1)};
    enum trp_status status = trp_runtime_command(daemon->runtime, &command);
    return status == TRP_OK
               ? CLI_OK
               : cli_fail(daemon->verb, CLI_FAILED, "%s: %s", text, trp_status_text(status));
}

/* Sets a field of limits.h by its name; spans take a unit. */
static bool limit_set(struct trp_limits *limits, const char *text)
{
    const char *equals = strchr(text, '=');
    size_t size = equals == NULL ? 0 : (size_t)(equals - text);
    bool is_span = size > 3 && memcmp(equals - 3, "_ns", 3) == 0;
    uint64_t value;
    if (equals == NULL ||
        !(is_span ? cli_span(equals + 1, &value) : cli_number(equals + 1, &value))) {
        return false;
    }
#define LIMIT_SET(type, name, default_, minimum, reason)                                           \
    if (size == strlen(#name) && memcmp(text, #name, size) == 0) {                                 \
        limits->name = (type)value;                                                                \
        return limits->name == value;                                                              \
    }
    TRP_LIMITS_MAP(LIMIT_SET)
#undef LIMIT_SET
    return false;
}

static int read_limits(const struct cli_verb *verb, const struct node_options *options,
                       struct trp_limits *ret_limits)
{
    struct trp_limits limits = {0};
    const char *name = NULL;
    for (uint32_t i = 0; i < options->limits_count; i++) {
        if (!limit_set(&limits, options->limits[i])) {
            return cli_wrong(verb, "--limit takes NAME=VALUE of troupe/limits.h, not '%s'",
                             options->limits[i]);
        }
    }
    *ret_limits = limits;
    return trp_limits_complete(&limits, &name) == TRP_OK
               ? CLI_OK
               : cli_wrong(verb, "--limit %s is too small", name);
}

/* Starts everything the options say. */
static int daemon_begin(struct daemon *daemon, const struct node_options *options)
{
    int code = CLI_OK;
    if (options->listen_count == 0) {
        code = listen_on(daemon, "/ip4/0.0.0.0/tcp/0");
    }
    for (uint32_t i = 0; i < options->listen_count && code == CLI_OK; i++) {
        code = listen_on(daemon, options->listen[i]);
    }
    for (uint32_t i = 0; i < options->actors_count && code == CLI_OK; i++) {
        code = spawn_actor(daemon, options->actors[i]);
    }
    for (uint32_t i = 0; i < options->bootstrap_count && code == CLI_OK; i++) {
        code = join_by(daemon, options->bootstrap[i]);
    }
    return code != CLI_OK || !daemon->failed ? code : CLI_FAILED;
}

/* Prints the addresses that are new since the last look. */
static uint32_t print_listening(const struct daemon *daemon, uint32_t printed)
{
    struct trp_multiaddr addresses[ADDRESSES_MAX];
    const struct trp_node *node = trp_runtime_node(daemon->runtime);
    uint32_t count = trp_swarm_listen_addresses(trp_node_swarm(trp_runtime_node(daemon->runtime)),
                                                addresses, ADDRESSES_MAX);
    for (; printed < count; printed++) {
        char text[TRP_MULTIADDR_TEXT_MAX];
        struct trp_multiaddr whole;
        if (trp_multiaddr_with_peer(&addresses[printed], trp_node_peer_id(node), &whole) ==
            TRP_OK) {
            trp_multiaddr_print(&whole, text);
            (void)printf("listening %s\n", text);
            (void)fflush(stdout);
        }
    }
    return printed;
}

static int daemon_run(struct daemon *daemon, const struct node_options *options)
{
    int code = daemon_begin(daemon, options);
    uint32_t printed = 0;
    const struct sigaction action = {.sa_handler = on_signal};
    (void)sigaction(SIGINT, &action, NULL);
    (void)sigaction(SIGTERM, &action, NULL);
    while (code == CLI_OK && interrupted == 0) {
        trp_runtime_run(daemon->runtime, printed == 0 ? TRP_MS(5) : TURN_NS);
        printed = print_listening(daemon, printed);
    }
    return code;
}

static int read_rules(const struct cli_verb *verb, const struct node_options *options,
                      struct trp_access_rule *ret_rules)
{
    int code = CLI_OK;
    for (uint32_t i = 0; i < options->allow_count && code == CLI_OK; i++) {
        code = cli_allow(verb, options->allow[i], &ret_rules[i]);
    }
    return code;
}

static int cmd_node(const struct cli_verb *verb, int argc, char **argv)
{
    struct node_options options = {0};
    const char *operands[1];
    uint32_t count;
    const struct cli_option table[] = {
        {"listen", options.listen, ADDRESSES_MAX, &options.listen_count},
        {"bootstrap", options.bootstrap, ADDRESSES_MAX, &options.bootstrap_count},
        {"actor", options.actors, ACTORS_MAX, &options.actors_count},
        {"state", &options.state, 1, &options.state_count},
        {"kad-protocol", &options.kad, 1, &options.kad_count},
        {"limit", options.limits, LIMITS_MAX, &options.limits_count},
        {"allow", options.allow, CLI_ALLOW_MAX, &options.allow_count},
        {"trace", NULL, 0, &options.trace_count},
        {"mdns", NULL, 0, &options.mdns_count},
        {"no-mdns", NULL, 0, &options.no_mdns_count}};
    int code = cli_parse(verb, table, 10, argc, argv, operands, 0, 0, &count);
    if (code != CLI_OK) {
        return code;
    }
    if (options.mdns_count > 0 && options.no_mdns_count > 0) {
        return cli_wrong(verb, "--mdns and --no-mdns exclude each other");
    }
    code = cli_protocol(verb, options.kad);
    if (code != CLI_OK) {
        return code;
    }
    struct trp_limits limits;
    struct trp_access_rule rules[CLI_ALLOW_MAX];
    code = read_limits(verb, &options, &limits);
    if (code == CLI_OK) {
        code = read_rules(verb, &options, rules);
    }
    if (code != CLI_OK) {
        return code;
    }
    struct daemon daemon = {.verb = verb};
    struct trp_recorder recorder;
    trp_recorder_init(&recorder, (struct trp_trace_sink){.event = cli_print_event});
    const struct trp_runtime_config config = {
        .node = {.limits = limits,
                 .access = rules,
                 .access_count = options.allow_count,
                 .actor_types = trp_workload_types,
                 .actor_types_count = trp_workload_types_count,
                 .kad_protocol = options.kad,
                 .mdns = options.no_mdns_count > 0 ? TRP_MDNS_OFF : TRP_MDNS_ON,
                 .recorder = options.trace_count > 0 ? &recorder : NULL},
        .state_path = options.state,
        .on_result = daemon_on_result,
        .user = &daemon};
    enum trp_status status = trp_runtime_open(&config, &daemon.runtime);
    if (status != TRP_OK) {
        return cli_cannot_start(verb, options.state, status);
    }
    code = daemon_run(&daemon, &options);
    trp_runtime_close(daemon.runtime);
    return code;
}

const struct cli_verb cli_verb_node = {
    .name = "node",
    .about = "run a node on the real network",
    .help =
        "Usage: troupe node [OPTIONS]\n"
        "\n"
        "Runs a node until it is interrupted; it prints the addresses it listens on.\n"
        "\n"
        "  --listen ADDR        a multiaddr (default: /ip4/0.0.0.0/tcp/0); repeatable\n"
        "  --bootstrap ADDR     a peer to join the network through; repeatable\n"
        "  --actor TYPE=NAME    spawn an actor (counter, kv, watcher) and register it\n"
        "  --state FILE         keep identity and known peers there (see troupe keygen)\n"
        "  --allow PEER[:RIGHTS[:TYPE]]\n"
        "                       who may do what; repeatable. PEER is a PeerId, or any; RIGHTS are\n"
        "                       connect, message and link, separated by commas (default: all); "
        "TYPE\n"
        "                       is that of the actors (default: all). A right that no --allow\n"
        "                       names is everybody's, any other belongs to those it is given to\n"
        "  --kad-protocol ID    protocol of the DHT (default: /kameo/registry/1.0.0)\n"
        "  --mdns, --no-mdns    find nodes on the local network, or do not (default: do, on the\n"
        "                       interfaces that it listens on, except loopback)\n"
        "  --trace              every event as text on standard error\n"
        "\n"
        "Example, in three shells:\n"
        "  troupe node --listen /ip4/127.0.0.1/tcp/4001 --actor counter=counter\n"
        "  troupe node --listen /ip4/127.0.0.1/tcp/4002 --bootstrap /ip4/127.0.0.1/tcp/4001\n"
        "  troupe ask counter inc '{\"amount\": 10}' --bootstrap /ip4/127.0.0.1/tcp/4002\n"
        "\n"
        "Who may do what:\n"
        "  --allow A --allow B           nobody but A and B is let in\n"
        "  --allow A:message,link:kv     only A reaches kv actors; counters are everybody's\n"
        "  --allow A:message --allow any:message:counter\n"
        "                                A may message all actors, others only counters\n"
        "\n"
        "Exit codes: 0 interrupted, 1 it cannot listen, join or register, 2 the command or the\n"
        "state file is wrong, 5 the program failed.\n",
    .run = cmd_node};
