/* SPDX-License-Identifier: MIT */
#include "scenarios/cli/scenario.h"

#include <stdlib.h>

static int cmd_resolve(const struct cli_verb *verb, int argc, char **argv)
{
    const char *file;
    const char *settings[CLI_SETTINGS_MAX];
    uint32_t settings_count = 0;
    uint32_t count;
    const struct cli_option options[] = {{"set", settings, CLI_SETTINGS_MAX, &settings_count}};
    struct cli_scenario scenario;
    int code = cli_parse(verb, options, 1, argc, argv, &file, 1, 1, &count);
    if (code == CLI_OK) {
        code = cli_scenario_open(verb, file, settings, settings_count, &scenario);
    }
    if (code != CLI_OK) {
        return code;
    }
    char *resolved = trp_load_print_resolved(scenario.load);
    (void)fputs(resolved, stdout);
    free(resolved);
    cli_scenario_close(&scenario);
    return code;
}

const struct cli_verb cli_verb_resolve = {
    .name = "resolve",
    .about = "print the effective scenario, with where each value comes from",
    .help = "Usage: troupe resolve FILE [--set PATH=VALUE]…\n"
            "\n"
            "Prints the scenario with everything merged and every default said. What it prints is\n"
            "a valid scenario again: hand it to somebody, or keep it beside a result.\n"
            "\n"
            "  --set PATH=VALUE  change a key first\n"
            "\n"
            "Examples:\n"
            "  troupe resolve scenarios/library/dht/no-remerge-without-bootstrap.yaml\n"
            "  troupe resolve my.yaml --set hosts.west.count=100 > larger.yaml\n"
            "\n"
            "Exit codes: 0 printed, 2 the file is wrong.\n",
    .run = cmd_resolve};
