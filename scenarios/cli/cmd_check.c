/* SPDX-License-Identifier: MIT */
#include "scenarios/cli/scenario.h"

#define FILES_MAX 256u

static int cmd_check(const struct cli_verb *verb, int argc, char **argv)
{
    const char *files[FILES_MAX];
    const char *settings[CLI_SETTINGS_MAX];
    uint32_t settings_count = 0;
    uint32_t count;
    const struct cli_option options[] = {{"set", settings, CLI_SETTINGS_MAX, &settings_count}};
    int worst = cli_parse(verb, options, 1, argc, argv, files, 1, FILES_MAX, &count);
    if (worst != CLI_OK) {
        return worst;
    }
    for (uint32_t i = 0; i < count; i++) {
        struct cli_scenario scenario;
        int code = cli_scenario_open(verb, files[i], settings, settings_count, &scenario);
        if (code == CLI_OK) {
            (void)printf("%s: fine\n", files[i]);
            cli_scenario_close(&scenario);
        }
        worst = code > worst ? code : worst;
    }
    return worst;
}

const struct cli_verb cli_verb_check = {
    .name = "check",
    .about = "validate scenario files: every error in one pass",
    .help =
        "Usage: troupe check FILE… [--set PATH=VALUE]…\n"
        "\n"
        "Reads and checks scenario files without running them. Every problem is shown with its\n"
        "place, the line, a caret and what may help.\n"
        "\n"
        "Exit codes: 0 all are fine, 2 one is wrong.\n",
    .run = cmd_check};
