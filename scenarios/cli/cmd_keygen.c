/* SPDX-License-Identifier: MIT */
#include "scenarios/cli/cli.h"

#include <troupe/uv.h>

#include <errno.h>

static int cmd_keygen(const struct cli_verb *verb, int argc, char **argv)
{
    const char *path;
    uint32_t count;
    int code = cli_parse(verb, NULL, 0, argc, argv, &path, 1, 1, &count);
    if (code != CLI_OK) {
        return code;
    }
    struct trp_peer_id peer;
    char text[TRP_PEER_ID_TEXT_MAX];
    enum trp_status status = trp_state_create(path, &peer);
    if (status == TRP_EEXISTS) {
        return cli_fail(verb, CLI_USAGE, "%s exists already; it is left as it is", path);
    }
    if (status != TRP_OK) {
        return cli_fail(verb, CLI_USAGE, "cannot write %s: %s", path, trp_status_text(status));
    }
    trp_peer_id_print(&peer, text);
    (void)puts(text);
    return CLI_OK;
}

const struct cli_verb cli_verb_keygen = {
    .name = "keygen",
    .about = "make an identity for a node",
    .help = "Usage: troupe keygen FILE\n"
            "\n"
            "Makes an Ed25519 identity, writes it to FILE (readable by its owner only) and prints\n"
            "its PeerId. `troupe node --state FILE` uses it. An existing file is never touched.\n",
    .run = cmd_keygen};
