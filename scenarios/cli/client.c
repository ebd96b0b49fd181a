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
    trp_recorder_init(&client->recorder, (struct trp_trace_sink){.event = cli_print_event});
    client->deadline = trp_time_after(cli_clock(), timeout);
    const struct trp_runtime_config config = {
        .node = {.actor_types = trp_workload_types,
                 .actor_types_count = trp_workload_types_count,
                 .kad_protocol = options->kad,
                 .kad_client = true,
                 .recorder = options->trace_count > 0 ? &client->recorder : NULL},
        .on_result = client_on_result,
        .user = client};
    enum trp_status status = trp_runtime_open(&config, &client->runtime);
    if (status != TRP_OK) {
        return cli_fail(verb, CLI_INTERNAL, "cannot start: %s", trp_status_text(status));
    }
    for (uint32_t i = 0; i < options->bootstrap_count; i++) {
        struct trp_command command = {.kind = TRP_CMD_BOOTSTRAP};
        size_t at = 0;
        if (trp_multiaddr_parse(options->bootstrap[i], &command.address, &at) != TRP_OK) {
            cli_client_close(client);
            return cli_wrong(verb, "'%s' is no multiaddr (it goes wrong at character %zu)",
                             options->bootstrap[i], at + 1);
        }
        status = trp_runtime_command(client->runtime, &command);
        if (status != TRP_OK) {
            cli_client_close(client);
            return cli_fail(verb, CLI_INTERNAL, "cannot dial: %s", trp_status_text(status));
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

int cli_client_failed(const struct cli_client *client, const char *what)
{
    enum trp_status status = client->answer.status;
    int code = status == TRP_ETIMEDOUT ? CLI_TIMEOUT : CLI_FAILED;
    return cli_fail(client->verb, code, "%s: %s (%s)", what, trp_status_text(status),
                    trp_status_name(status));
}
