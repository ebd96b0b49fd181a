/* SPDX-License-Identifier: MIT */
#include "scenarios/cli/client.h"

#include <stdlib.h>

/* How long to listen around before asking our own node whom it knows. */
#define LOOK_AROUND_NS TRP_S(2)

/* The list of the node's own command is JSON as it comes. */
static int print_peers(const struct cli_client *client)
{
    struct trp_bytes list = trp_bytes(client->answer.payload, client->answer.payload_size);
    size_t size = trp_msgpack_print(list, NULL, 0);
    char *text = malloc(size + 1);
    if (text == NULL) {
        return cli_fail(client->verb, CLI_INTERNAL, "out of memory");
    }
    (void)trp_msgpack_print(list, text, size + 1);
    bool nobody = strcmp(text, "[]") == 0;
    (void)puts(text);
    free(text);
    return nobody ? cli_fail(client->verb, CLI_FAILED,
                             "nobody answers at the --bootstrap addresses; is the node running?")
                  : CLI_OK;
}

static int cmd_peers(const struct cli_verb *verb, int argc, char **argv)
{
    struct cli_client_options options = {0};
    const char *operands[1];
    uint32_t count;
    const struct cli_option table[] = {CLI_CLIENT_OPTIONS(options)};
    struct cli_client client;
    int code =
        cli_parse(verb, table, sizeof table / sizeof table[0], argc, argv, operands, 0, 0, &count);
    if (code == CLI_OK) {
        code = cli_client_open(verb, &options, &client);
    }
    if (code != CLI_OK) {
        return code;
    }
    trp_runtime_run(client.runtime, LOOK_AROUND_NS);
    struct trp_command command = {.kind = TRP_CMD_PEERS};
    if (cli_client_command(&client, &command) == TRP_OK) {
        code = print_peers(&client);
    } else {
        code = cli_client_failed(&client, &command);
    }
    cli_client_close(&client);
    return code;
}

const struct cli_verb cli_verb_peers = {
    .name = "peers",
    .about = "join a running network and list the peers met there",
    .help =
        "Usage: troupe peers --bootstrap ADDR…\n"
        "\n"
        "Joins the network, looks around for two seconds and prints the peers it met as a JSON\n"
        "array: PeerId, address, whether connected, and its bucket of the routing table.\n"
        "\n" CLI_CLIENT_HELP "\n"
        "Example:\n"
        "  troupe peers --bootstrap /ip4/127.0.0.1/tcp/4001 | jq -r '.[].peer'\n"
        "\n"
        "Exit codes: 0 somebody is there, 1 nobody, 2 the command is wrong.\n",
    .run = cmd_peers};
