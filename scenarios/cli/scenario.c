/* SPDX-License-Identifier: MIT */
#include "scenarios/cli/scenario.h"

#include "scenarios/harness/vocabulary.h"

#include <errno.h>
#include <stdlib.h>

#define SOURCE_BYTES_MAX ((size_t)1 << 20)

static int read_source(const struct cli_verb *verb, const char *path, char **ret_source,
                       size_t *ret_size)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        return cli_fail(verb, CLI_USAGE, "cannot read %s: %s", path, strerror(errno));
    }
    char *source = malloc(SOURCE_BYTES_MAX + 2);
    size_t size = source == NULL ? 0 : fread(source, 1, SOURCE_BYTES_MAX + 1, file);
    int error = source == NULL ? ENOMEM : ferror(file) != 0 ? errno : 0;
    (void)fclose(file);
    if (error != 0 || size > SOURCE_BYTES_MAX) {
        free(source);
        return error != 0 ? cli_fail(verb, CLI_USAGE, "cannot read %s: %s", path, strerror(error))
                          : cli_fail(verb, CLI_USAGE, "%s is over 1 MiB: no scenario", path);
    }
    source[size] = '\0';
    *ret_source = source;
    *ret_size = size;
    return CLI_OK;
}

int cli_scenario_open(const struct cli_verb *verb, const char *path, const char *const *settings,
                      uint32_t settings_count, struct cli_scenario *ret_scenario)
{
    struct cli_scenario scenario = {0};
    size_t size = 0;
    int code = read_source(verb, path, &scenario.source, &size);
    if (code != CLI_OK) {
        return code;
    }
    const struct trp_load_options options = {.path = path,
                                             .text = scenario.source,
                                             .text_bytes = size,
                                             .settings = settings,
                                             .settings_count = settings_count,
                                             .vocabulary = trp_harness_vocabulary()};
    scenario.load = trp_load_open(&options);
    if (trp_load_problems(scenario.load) == 0) {
        *ret_scenario = scenario;
        return CLI_OK;
    }
    char *problems = trp_load_print_problems(scenario.load);
    (void)fputs(problems, stderr);
    free(problems);
    cli_scenario_close(&scenario);
    return CLI_USAGE;
}

void cli_scenario_close(struct cli_scenario *scenario)
{
    trp_load_free(scenario->load);
    free(scenario->source);
    *scenario = (struct cli_scenario){0};
}
