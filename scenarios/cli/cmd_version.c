/* SPDX-License-Identifier: MIT */
#include "reports/render/json.h"
#include "scenarios/cli/cli.h"

static int cmd_version(const struct cli_verb *verb, int argc, char **argv)
{
    const char *operands[1];
    uint32_t count;
    uint32_t as_json = 0;
    const struct cli_option options[] = {{"json", NULL, 0, &as_json}};
    int code = cli_parse(verb, options, 1, argc, argv, operands, 0, 0, &count);
    if (code != CLI_OK) {
        return code;
    }
    if (as_json == 0) {
        (void)puts("troupe " TRP_VERSION);
        return CLI_OK;
    }
    struct json json = {.out = stdout};
    json_open(&json, NULL, '{');
    json_text(&json, "version", TRP_VERSION);
    json_close(&json, '}');
    (void)putchar('\n');
    return CLI_OK;
}

const struct cli_verb cli_verb_version = {.name = "version",
                                          .about = "print the version",
                                          .help = "Usage: troupe version [--json]\n",
                                          .run = cmd_version};
