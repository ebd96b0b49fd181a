/* SPDX-License-Identifier: MIT */
#include "reports/render/json.h"
#include "scenarios/cli/client.h"

#include <inttypes.h>

struct listing {
    bool json;
    uint32_t count;
};

static void print_actor(struct listing *listing, const struct trp_actor_ref *ref,
                        struct trp_bytes type)
{
    char peer[TRP_PEER_ID_TEXT_MAX];
    trp_peer_id_print(&ref->peer, peer);
    listing->count++;
    if (!listing->json) {
        (void)printf("%s actor %" PRIu64 " of type %.*s\n", peer, ref->id, (int)type.size,
                     (const char *)type.data);
        return;
    }
    struct json json = {.out = stdout};
    json_open(&json, NULL, '{');
    json_text(&json, "peer", peer);
    json_number(&json, "actor", ref->id);
    json_bytes(&json, "type", type);
    json_close(&json, '}');
    (void)fputc('\n', stdout);
}

static void on_partial(void *user, const struct trp_result *result)
{
    if (result->status == TRP_OK && result->ref.id != 0) {
        print_actor(user, &result->ref, result->actor_type);
    }
}

static int cmd_lookup(const struct cli_verb *verb, int argc, char **argv)
{
    struct cli_client_options options = {0};
    const char *name;
    uint32_t all = 0;
    uint32_t count;
    const struct cli_option table[] = {CLI_CLIENT_OPTIONS(options), {"all", NULL, 0, &all}};
    struct cli_client client;
    int code =
        cli_parse(verb, table, sizeof table / sizeof table[0], argc, argv, &name, 1, 1, &count);
    if (code == CLI_OK) {
        code = cli_check_name(verb, name);
    }
    if (code == CLI_OK) {
        code = cli_client_open(verb, &options, &client);
    }
    if (code != CLI_OK) {
        return code;
    }
    struct listing listing = {.json = options.json_count > 0};
    struct trp_command command = {
        .kind = TRP_CMD_LOOKUP, .all = all > 0, .name = trp_bytes_text(name)};
    client.on_partial = on_partial;
    client.user = &listing;
    enum trp_status status = cli_client_command(&client, &command);
    if (status == TRP_OK && client.answer.ref.id != 0) {
        print_actor(&listing, &client.answer.ref, trp_bytes_text(client.answer.actor_type));
    }
    if (status != TRP_OK && listing.count == 0) {
        code = cli_client_failed(&client, &command);
    }
    cli_client_close(&client);
    return code;
}

const struct cli_verb cli_verb_lookup = {
    .name = "lookup",
    .about = "find the actors of a name in a running network",
    .help = "Usage: troupe lookup NAME --bootstrap ADDR… [--all] [--json]\n"
            "\n"
            "Prints the first actor found under NAME, or with --all each of them, a line each;\n"
            "with --json an object each: peer, actor, type.\n"
            "\n"
            "  --all                everybody with that name\n" CLI_CLIENT_HELP "\n"
            "Examples:\n"
            "  troupe lookup counter --bootstrap /ip4/127.0.0.1/tcp/4001\n"
            "  troupe lookup counter --all --json --bootstrap /ip4/127.0.0.1/tcp/4001 | jq .peer\n"
            "\n"
            "Exit codes: 0 found, 1 nobody has that name, 2 the command is wrong, 4 out of time.\n",
    .run = cmd_lookup};
