/* SPDX-License-Identifier: MIT */
/* cli/scenario.h - reading a scenario file for a verb, with its problems shown. */
#ifndef CLI_SCENARIO_H
#define CLI_SCENARIO_H

#include "scenarios/cli/cli.h"
#include "scenarios/lang/load.h"

#define CLI_SETTINGS_MAX 64u

struct cli_scenario {
    struct trp_load *load;
    char *source; /* text of the file */
};

/* Loads a file with the harness's vocabulary. Problems go to standard error and give CLI_USAGE. On
 * CLI_OK, close it with cli_scenario_close. */
int cli_scenario_open(const struct cli_verb *verb, const char *path, const char *const *settings,
                      uint32_t settings_count, struct cli_scenario *ret_scenario);
void cli_scenario_close(struct cli_scenario *scenario);

#endif
