/* SPDX-License-Identifier: MIT */
#include "reports/render/json.h"
#include "scenarios/cli/cli.h"

#include <troupe/uv.h>

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

/* Says why a file cannot be made, by trying. */
static const char *reason_of(const char *path, enum trp_status status)
{
    int file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (file < 0) {
        return strerror(errno);
    }
    (void)close(file);
    (void)unlink(path);
    return trp_status_text(status);
}

static void print_identity(const char *path, const struct trp_peer_id *peer, bool as_json)
{
    char text[TRP_PEER_ID_TEXT_MAX];
    trp_peer_id_print(peer, text);
    if (!as_json) {
        (void)puts(text);
        return;
    }
    struct json json = {.out = stdout};
    json_open(&json, NULL, '{');
    json_text(&json, "peer", text);
    json_text(&json, "file", path);
    json_close(&json, '}');
    (void)putchar('\n');
}

static int cmd_keygen(const struct cli_verb *verb, int argc, char **argv)
{
    const char *path;
    uint32_t count;
    uint32_t as_json = 0;
    const struct cli_option options[] = {{"json", NULL, 0, &as_json}};
    int code = cli_parse(verb, options, 1, argc, argv, &path, 1, 1, &count);
    if (code != CLI_OK) {
        return code;
    }
    struct trp_peer_id peer;
    enum trp_status status = trp_state_create(path, &peer);
    if (status == TRP_EEXISTS) {
        return cli_fail(verb, CLI_USAGE, "%s exists already; it is left as it is", path);
    }
    if (status != TRP_OK) {
        return cli_fail(verb, CLI_USAGE, "cannot write %s: %s", path, reason_of(path, status));
    }
    print_identity(path, &peer, as_json > 0);
    return CLI_OK;
}

const struct cli_verb cli_verb_keygen = {
    .name = "keygen",
    .about = "make an identity for a node",
    .help = "Usage: troupe keygen FILE [--json]\n"
            "\n"
            "Makes an Ed25519 identity, writes it to FILE (readable by its owner only) and prints\n"
            "its PeerId. `troupe node --state FILE` uses it. An existing file is never touched.\n"
            "\n"
            "  --json  {peer file} on one line\n"
            "\n"
            "Example:\n"
            "  troupe keygen node.state\n"
            "  troupe node --state node.state --listen /ip4/0.0.0.0/tcp/4001\n"
            "\n"
            "Exit codes: 0 made, 2 the file exists or cannot be written.\n",
    .run = cmd_keygen};
