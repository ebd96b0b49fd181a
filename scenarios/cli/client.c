/* SPDX-License-Identifier: MIT */
#include "scenarios/cli/client.h"

#include "scenarios/workload/workload.h"

#include <stdlib.h>

#define RETRY_NS TRP_MS(100)

static void client_on_result(void *user, const struct trp_result *result)
{
    struct cli_client *client = user;
    if (result->request != client->request) {
        return;
    }
    if (!result->last) {
        if (client->on_partial != NULL) {
            client->on_partial(client->user, result);
        }
        return;
    }
    struct cli_answer *answer = &client->answer;
    free(answer->payload);
    free(answer->actor_type);
    *answer = (struct cli_answer){.status = result->status, .ref = result->ref};
    answer->payload = malloc(result->payload.size + 1);
    answer->actor_type = calloc(1, result->actor_type.size + 1);
    if (answer->payload == NULL || answer->actor_type == NULL) {
        answer->status = TRP_ENOMEM;
    } else {
        if (result->payload.size > 0) {
            memcpy(answer->payload, result->payload.data, result->payload.size);
        }
        if (result->actor_type.size > 0) {
            memcpy(answer->actor_type, result->actor_type.data, result->actor_type.size);
        }
        answer->payload_size = result->payload.size;
    }
    client->done = true;
    trp_runtime_stop(client->runtime);
}

int cli_client_open(const struct cli_verb *verb, const struct cli_client_options *options,
                    struct cli_client *client)
{
    trp_time timeout = TRP_S(10);
    *client = (struct cli_client){.verb = verb, .request = 1}; /* 0 is of commands not waited for */
    if (options->timeout_count > 0 && !cli_span(options->timeout, &timeout)) {
        return cli_wrong(verb, "--timeout takes a span with a unit (5s), not '%s'",
                         options->timeout);
    }
    if (options->bootstrap_count == 0) {
        return cli_wrong(verb, "it needs --bootstrap ADDR, a peer of the network to ask");
    }
    int code = cli_protocol(verb, options->kad);
    struct trp_multiaddr addresses[CLI_BOOTSTRAP_MAX];
    for (uint32_t i = 0; i < options->bootstrap_count && code == CLI_OK; i++) {
        code = cli_address(verb, options->bootstrap[i], &addresses[i]);
    }
    if (code != CLI_OK) {
        return code;
    }
    trp_recorder_init(&client->recorder, (struct trp_trace_sink){.event = cli_print_event});
    client->deadline = trp_time_after(cli_clock(), timeout);
    const struct trp_runtime_config config = {
        .node = {.actor_types = trp_workload_types,
                 .actor_types_count = trp_workload_types_count,
                 .kad_protocol = options->kad,
                 .kad_client = true,
                 .recorder = options->trace_count > 0 ? &client->recorder : NULL},
        .state_path = options->state,
        .on_result = client_on_result,
        .user = client};
    enum trp_status status = trp_runtime_open(&config, &client->runtime);
    if (status != TRP_OK) {
        return cli_cannot_start(verb, options->state, status);
    }
    for (uint32_t i = 0; i < options->bootstrap_count; i++) {
        const struct trp_command command = {.kind = TRP_CMD_BOOTSTRAP, .address = addresses[i]};
        status = trp_runtime_command(client->runtime, &command);
        if (status != TRP_OK) {
            cli_client_close(client);
            return cli_fail(verb, CLI_FAILED, "cannot join by %s: %s", options->bootstrap[i],
                            trp_status_text(status));
        }
    }
    return CLI_OK;
}

void cli_client_close(struct cli_client *client)
{
    trp_runtime_close(client->runtime);
    free(client->answer.payload);
    free(client->answer.actor_type);
    *client = (struct cli_client){0};
}

/* Whether to try again: the network is not joined yet, or the DHT has not heard of it yet. */
static bool is_early(enum trp_status status)
{
    return status == TRP_ENOPEERS || status == TRP_ENOTFOUND || status == TRP_ENOADDRESS;
}

enum trp_status cli_client_command(struct cli_client *client, struct trp_command *command)
{
    enum trp_status overdue = TRP_ETIMEDOUT; /* how it stands when the time ends amid a try */
    do {
        command->request = ++client->request;
        client->done = false;
        enum trp_status status = trp_runtime_command(client->runtime, command);
        if (status != TRP_OK) {
            client->answer.status = status;
            return status;
        }
        for (trp_time now = cli_clock(); !client->done && now < client->deadline;
             now = cli_clock()) {
            trp_runtime_run(client->runtime, client->deadline - now);
        }
        if (!client->done) {
            client->answer.status = overdue;
        } else if (is_early(client->answer.status)) {
            overdue = client->answer.status;
            trp_runtime_run(client->runtime, RETRY_NS);
        }
    } while (is_early(client->answer.status) && cli_clock() < client->deadline);
    return client->answer.status;
}

/* What a failure means to somebody at a shell; NULL: what it says is enough. */
static const char *advice(enum trp_status status)
{
    static const struct {
        enum trp_status status;
        const char *text;
    } advices[] = {
        {TRP_ENOTFOUND, "nobody is registered under that name; troupe peers tells who is there"},
        {TRP_ENOPEERS,
         "nobody answers at the --bootstrap addresses: is the node running, and does it let "
         "you in?"},
        {TRP_ENOADDRESS,
         "nobody answers at the --bootstrap addresses: is the node running, and does it let "
         "you in?"},
        {TRP_EUNKNOWNACTOR, "its node has no such actors, or does not let you reach them"},
        {TRP_ETIMEDOUT, "--timeout gives it more time"},
        {TRP_EDECODE, "its message has other fields, or fields of other types"},
        {TRP_EUNKNOWNMESSAGE, "troupe lookup tells the type of the actor"}};
    for (size_t i = 0; i < sizeof advices / sizeof advices[0]; i++) {
        if (advices[i].status == status) {
            return advices[i].text;
        }
    }
    return NULL;
}

int cli_client_failed(const struct cli_client *client, const struct trp_command *command)
{
    enum trp_status status = client->answer.status;
    const char *what = command->kind == TRP_CMD_ASK    ? "no answer"
                       : command->kind == TRP_CMD_TELL ? "not told"
                                                       : "not found";
    const char *more = advice(status);
    return cli_fail(client->verb, status == TRP_ETIMEDOUT ? CLI_TIMEOUT : CLI_FAILED,
                    "%.*s: %s: %s (%s)%s%s", (int)command->name.size,
                    (const char *)command->name.data, what, trp_status_text(status),
                    trp_status_name(status), more == NULL ? "" : "\n  ", more == NULL ? "" : more);
}
