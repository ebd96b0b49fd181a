/* SPDX-License-Identifier: MIT */
/* cli/client.h - a short-lived node that joins a running network to ask it something. */
#ifndef CLI_CLIENT_H
#define CLI_CLIENT_H

#include "scenarios/cli/cli.h"

#include <troupe/uv.h>

#define CLI_BOOTSTRAP_MAX 16u

struct cli_client_options {
    const char *bootstrap[CLI_BOOTSTRAP_MAX];
    uint32_t bootstrap_count;
    const char *timeout;
    uint32_t timeout_count;
    uint32_t json_count;
    const char *kad; /* protocol id of the DHT; NULL: the default */
    uint32_t kad_count;
    const char *state; /* whose identity it has; NULL: a new one */
    uint32_t state_count;
    uint32_t trace_count; /* > 0: every event as text on standard error */
};

/* The options that every verb of this kind takes. */
#define CLI_CLIENT_OPTIONS(options)                                                                \
    {"bootstrap", (options).bootstrap, CLI_BOOTSTRAP_MAX, &(options).bootstrap_count},             \
        {"timeout", &(options).timeout, 1, &(options).timeout_count},                              \
        {"kad-protocol", &(options).kad, 1, &(options).kad_count},                                 \
        {"state", &(options).state, 1, &(options).state_count},                                    \
        {"json", NULL, 0, &(options).json_count},                                                  \
    {                                                                                              \
        "trace", NULL, 0, &(options).trace_count                                                   \
    }
#define CLI_CLIENT_HELP                                                                            \
    "  --bootstrap ADDR     a peer to join the network through; repeatable\n"                      \
    "  --timeout SPAN       give up after that long (default: 10s)\n"                              \
    "  --kad-protocol ID    protocol of the DHT (default: /kameo/registry/1.0.0)\n"                \
    "  --state FILE         ask with the identity in that file (see troupe keygen)\n"              \
    "  --json               the result as one JSON object on one line\n"                           \
    "  --trace              every event as text on standard error\n"

/* How the last command went. Slices are copies, valid until the next command. */
struct cli_answer {
    enum trp_status status;
    struct trp_actor_ref ref;
    char *actor_type;
    uint8_t *payload;
    size_t payload_size;
};

struct cli_client {
    const struct cli_verb *verb;
    struct trp_runtime *runtime;
    struct trp_recorder recorder;
    trp_time deadline;
    bool done;
    uint64_t request;
    struct cli_answer answer;
    void (*on_partial)(void *user, const struct trp_result *result); /* results before the last */
    void *user;
};

/* Joins the network by the given peers. Errors are said; gives an exit code. */
int cli_client_open(const struct cli_verb *verb, const struct cli_client_options *options,
                    struct cli_client *client);
void cli_client_close(struct cli_client *client);
/* Sends a command and waits for its result; again while the network is not joined yet, until the
 * time is over. Gives client->answer.status. */
enum trp_status cli_client_command(struct cli_client *client, struct trp_command *command);
/* Says how a command failed, and what to do about it; gives an exit code. */
int cli_client_failed(const struct cli_client *client, const struct trp_command *command);

#endif
