/* SPDX-License-Identifier: MIT */
/* ask and tell: one message to an actor found by name. */
#include "reports/render/json.h"
#include "scenarios/cli/client.h"
#include "scenarios/cli/json_args.h"

#include <stdlib.h>

#define PAYLOAD_BYTES_MAX 65536u

/* A payload as JSON. The caller frees it; NULL: no memory. */
static char *payload_text(struct trp_bytes payload)
{
    size_t size = trp_msgpack_print(payload, NULL, 0);
    char *text = malloc(size + 1);
    if (text != NULL) {
        (void)trp_msgpack_print(payload, text, size + 1);
    }
    return text;
}

/* {outcome status text reply}: reply is null without one. */
static void print_json(enum trp_status status, const char *reply)
{
    struct json json = {.out = stdout};
    json_open(&json, NULL, '{');
    json_text(&json, "outcome", status == TRP_OK ? "passed" : "failed");
    json_text(&json, "status", trp_status_name(status));
    json_text(&json, "text", trp_status_text(status));
    json_raw(&json, "reply", reply == NULL ? "null" : reply);
    json_close(&json, '}');
    (void)putchar('\n');
}

/* Prints how it went: the reply, also when it is the handler's error. */
static int print_answer(const struct cli_client *client, const struct trp_command *command,
                        bool as_json)
{
    const struct cli_answer *answer = &client->answer;
    enum trp_status status = answer->status;
    bool has_reply = (status == TRP_OK && command->kind == TRP_CMD_ASK) ||
                     (status == TRP_EHANDLER && answer->payload_size > 0);
    char *reply = has_reply ? payload_text(trp_bytes(answer->payload, answer->payload_size)) : NULL;
    if (has_reply && reply == NULL) {
        return cli_fail(client->verb, CLI_INTERNAL, "out of memory");
    }
    int code = status == TRP_OK ? CLI_OK : cli_client_failed(client, command);
    if (as_json) {
        print_json(status, reply);
    } else if (has_reply) {
        (void)puts(reply);
    }
    free(reply);
    return code;
}

static int send_message(const struct cli_verb *verb, const struct cli_client_options *options,
                        struct trp_command *command)
{
    struct cli_client client;
    int code = cli_client_open(verb, options, &client);
    if (code != CLI_OK) {
        return code;
    }
    (void)cli_client_command(&client, command);
    code = print_answer(&client, command, options->json_count > 0);
    cli_client_close(&client);
    return code;
}

static int cmd_message(const struct cli_verb *verb, int argc, char **argv)
{
    struct cli_client_options options = {0};
    const char *operands[3] = {NULL, NULL, "[]"};
    uint32_t count;
    const struct cli_option table[] = {CLI_CLIENT_OPTIONS(options)};
    int code =
        cli_parse(verb, table, sizeof table / sizeof table[0], argc, argv, operands, 2, 3, &count);
    if (code == CLI_OK) {
        code = cli_check_name(verb, operands[0]);
    }
    if (code != CLI_OK) {
        return code;
    }
    uint8_t *payload = malloc(PAYLOAD_BYTES_MAX);
    size_t size;
    size_t at = 0;
    if (payload == NULL) {
        return cli_fail(verb, CLI_INTERNAL, "out of memory");
    }
    enum trp_status status =
        cli_json_to_msgpack(operands[2], payload, PAYLOAD_BYTES_MAX, &size, &at);
    if (status == TRP_OK) {
        struct trp_command command = {.kind = strcmp(verb->name, "ask") == 0 ? TRP_CMD_ASK
                                                                             : TRP_CMD_TELL,
                                      .name = trp_bytes_text(operands[0]),
                                      .message = trp_bytes_text(operands[1]),
                                      .payload = trp_bytes(payload, size)};
        code = send_message(verb, &options, &command);
    } else {
        code = cli_wrong(verb, "the arguments are no JSON that fits (character %zu): %s", at + 1,
                         operands[2]);
    }
    free(payload);
    return code;
}

const struct cli_verb cli_verb_ask = {
    .name = "ask",
    .about = "send a message to an actor of a running network and print its reply",
    .help =
        "Usage: troupe ask NAME MESSAGE [JSON] --bootstrap ADDR… [OPTIONS]\n"
        "\n"
        "Finds the actor registered under NAME through the DHT, asks it, prints the reply as\n"
        "JSON. The argument JSON is the message: an object of its fields, or whatever the message\n"
        "is; structs, lists, maps, enums and options nest as serde has them. Without it the "
        "message\n"
        "has no fields ([], which Rust reads as struct S; and as struct S {}). Bytes are written "
        "as\n"
        "an array of numbers, and printed in hexadecimal.\n"
        "\n" CLI_CLIENT_HELP "\n"
        "With --json: outcome, status and text of it, reply.\n"
        "\n"
        "Examples:\n"
        "  troupe ask counter inc '{\"amount\": 10}' --bootstrap /ip4/127.0.0.1/tcp/4001\n"
        "  troupe ask counter get --bootstrap /ip4/127.0.0.1/tcp/4001 --json | jq .reply\n"
        "\n"
        "Exit codes: 0 answered, 1 an error, or nobody has that name, 2 the command is wrong,\n"
        "4 out of time.\n",
    .run = cmd_message};

const struct cli_verb cli_verb_tell = {
    .name = "tell",
    .about = "send a message to an actor of a running network, without a reply",
    .help =
        "Usage: troupe tell NAME MESSAGE [JSON] --bootstrap ADDR… [OPTIONS]\n"
        "\n"
        "Finds the actor registered under NAME and puts the message into its mailbox; what the\n"
        "actor does with it is not reported. JSON is the message, as for `troupe ask`.\n"
        "\n" CLI_CLIENT_HELP "\n"
        "Example:\n"
        "  troupe tell counter inc '{\"amount\": 1}' --bootstrap /ip4/127.0.0.1/tcp/4001\n"
        "\n"
        "Exit codes: 0 it is in the mailbox, 1 an error, or nobody has that name, 2 the command "
        "is\n"
        "wrong, 4 out of time.\n",
    .run = cmd_message};
