/* SPDX-License-Identifier: MIT */
#include "scenarios/cli/cli.h"

static int cmd_version(const struct cli_verb *verb, int argc, char **argv)
{
    const char *operands[1];
    uint32_t count;
    int code = cli_parse(verb, NULL, 0, argc, argv, operands, 0, 0, &count);
    if (code == CLI_OK) {
        (void)puts("troupe " TRP_VERSION);
    }
    return code;
}

const struct cli_verb cli_verb_version = {.name = "version",
                                          .about = "print the version",
                                          .help = "Usage: troupe version\n",
                                          .run = cmd_version};
