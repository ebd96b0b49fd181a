/* SPDX-License-Identifier: MIT */
#include "reports/render/json.h"
#include "scenarios/cli/client.h"
#include "wire/msgpack_reader.h"

#include <inttypes.h>

/* How long to listen around before asking our own node whom it knows. */
#define LOOK_AROUND_NS TRP_S(2)

/* One entry of the node's list of peers. */
struct peer_line {
    struct trp_bytes peer;
    struct trp_bytes address;
    bool connected;
    bool outbound;
    bool in_table;
    uint64_t bucket;
};

static enum trp_status read_field(struct trp_msgpack_reader *reader, struct peer_line *line)
{
    struct trp_msgpack_item key = {0}; /* what a kind does not have is zero */
    struct trp_msgpack_item value = {0};
    enum trp_status status = trp_msgpack_next(reader, &key);
    if (status == TRP_OK) {
        status = trp_msgpack_next(reader, &value);
    }
    if (status != TRP_OK) {
        return status;
    }
    if (trp_bytes_equal(key.bytes, trp_bytes_text("peer"))) {
        line->peer = value.bytes;
    } else if (trp_bytes_equal(key.bytes, trp_bytes_text("address"))) {
        line->address = value.bytes;
    } else if (trp_bytes_equal(key.bytes, trp_bytes_text("connected"))) {
        line->connected = value.number != 0;
    } else if (trp_bytes_equal(key.bytes, trp_bytes_text("outbound"))) {
        line->outbound = value.number != 0;
    } else if (trp_bytes_equal(key.bytes, trp_bytes_text("bucket"))) {
        line->in_table = value.kind == TRP_MSGPACK_UNSIGNED;
        line->bucket = value.number;
    }
    return TRP_OK;
}

static void print_line(const struct peer_line *line, bool as_json)
{
    if (!as_json) {
        (void)printf("%.*s %.*s %s", (int)line->peer.size, (const char *)line->peer.data,
                     (int)line->address.size, (const char *)line->address.data,
                     line->connected ? "connected" : "known");
        if (line->in_table) {
            (void)printf(", bucket %" PRIu64, line->bucket);
        }
        (void)putchar('\n');
        return;
    }
    struct json json = {.out = stdout};
    json_open(&json, NULL, '{');
    json_bytes(&json, "peer", line->peer);
    json_bytes(&json, "address", line->address);
    json_raw(&json, "connected", line->connected ? "true" : "false");
    json_raw(&json, "outbound", line->outbound ? "true" : "false");
    if (line->in_table) {
        json_number(&json, "bucket", line->bucket);
    } else {
        json_text(&json, "bucket", NULL);
    }
    json_close(&json, '}');
    (void)putchar('\n');
}

static int print_peers(const struct cli_client *client, bool as_json)
{
    struct trp_msgpack_reader reader = {
        .in = trp_bytes(client->answer.payload, client->answer.payload_size)};
    struct trp_msgpack_item peers = {0};
    enum trp_status status = trp_msgpack_next(&reader, &peers);
    for (uint64_t i = 0; i < peers.number && status == TRP_OK; i++) {
        struct trp_msgpack_item fields = {0};
        struct peer_line line = {0};
        status = trp_msgpack_next(&reader, &fields);
        for (uint64_t k = 0; k < fields.number && status == TRP_OK; k++) {
            status = read_field(&reader, &line);
        }
        if (status == TRP_OK) {
            print_line(&line, as_json);
        }
    }
    if (status != TRP_OK) {
        return cli_fail(client->verb, CLI_INTERNAL, "the list of peers: %s",
                        trp_status_text(status));
    }
    return peers.number > 0
               ? CLI_OK
               : cli_fail(client->verb, CLI_FAILED,
                          "nobody answers at the --bootstrap addresses; is the node running?");
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
        code = print_peers(&client, options.json_count > 0);
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
        "Usage: troupe peers --bootstrap ADDR… [--json]\n"
        "\n"
        "Joins the network, looks around for two seconds and prints the peers it met, a line\n"
        "each: PeerId, address, whether connected, bucket of the routing table; with --json an\n"
        "object each: peer, address, connected, outbound, bucket (null: in none).\n"
        "\n" CLI_CLIENT_HELP "\n"
        "Examples:\n"
        "  troupe peers --bootstrap /ip4/127.0.0.1/tcp/4001\n"
        "  troupe peers --bootstrap /ip4/127.0.0.1/tcp/4001 --json | jq -r .peer\n"
        "\n"
        "Exit codes: 0 somebody is there, 1 nobody, 2 the command is wrong.\n",
    .run = cmd_peers};
