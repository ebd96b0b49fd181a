/* SPDX-License-Identifier: MIT */
#include "reports/store/run_db.h"
#include "scenarios/cli/scenario.h"

#include <inttypes.h>
#include <stdlib.h>
#include <sys/stat.h>

/* Says whether a file is a database, by its first bytes; a pipe is none, and stays unread. */
static bool is_database(const char *path)
{
    static const char magic[] = "SQLite format 3";
    char begin[sizeof magic] = "";
    struct stat about;
    bool regular = stat(path, &about) == 0 && S_ISREG(about.st_mode);
    FILE *file = regular ? fopen(path, "rb") : NULL;
    if (file == NULL) {
        return false;
    }
    size_t size = fread(begin, 1, sizeof begin, file);
    return fclose(file) == 0 && size == sizeof begin && memcmp(begin, magic, sizeof magic) == 0;
}

static int print_decisions(const struct cli_verb *verb, const char *path)
{
    struct trp_run_db *db;
    int code = cli_run_open(verb, path, &db);
    if (code != CLI_OK) {
        return code;
    }
    const struct trp_run_info *info = trp_run_db_info(db);
    if (info->decisions[0] == '\0') {
        code = cli_fail(verb, CLI_USAGE, "%s keeps no decisions: the run did not end", path);
    } else {
        (void)printf("# What the run of scenario '%s' with seed %" PRIu64 " decided: it %s.\n"
                     "# Nothing here is drawn but what the network does to single segments.\n",
                     info->scenario, info->seed, trp_run_outcome_name(info->outcome));
        (void)fputs(info->decisions, stdout);
    }
    trp_run_db_close(db);
    return code;
}

static int cmd_resolve(const struct cli_verb *verb, int argc, char **argv)
{
    const char *file;
    const char *settings[CLI_SETTINGS_MAX];
    uint32_t settings_count = 0;
    uint32_t count;
    const struct cli_option options[] = {{"set", settings, CLI_SETTINGS_MAX, &settings_count}};
    struct cli_scenario scenario;
    int code = cli_parse(verb, options, 1, argc, argv, &file, 1, 1, &count);
    if (code == CLI_OK && is_database(file)) {
        return settings_count == 0
                   ? print_decisions(verb, file)
                   : cli_wrong(verb, "--set goes with a scenario file; a run has been decided");
    }
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
    .about = "print the effective scenario, or what a run decided",
    .help =
        "Usage: troupe resolve FILE [--set PATH=VALUE]…\n"
        "       troupe resolve RUN.db\n"
        "\n"
        "Of a scenario file: prints it with everything merged and every default said, and where\n"
        "each value comes from. What it prints is a valid scenario again: hand it to somebody,\n"
        "or keep it beside a result.\n"
        "\n"
        "Of a finished run: prints its decisions as a scenario without random draws: when each "
        "host\n"
        "started, which hosts each fault hit, every operation of the workload. It keeps its "
        "meaning\n"
        "even if seeds or draws come to mean something else: use it as a regression test.\n"
        "\n"
        "  --set PATH=VALUE  change a key of the file first\n"
        "\n"
        "Examples:\n"
        "  troupe resolve scenarios/library/dht/no-remerge-without-bootstrap.yaml\n"
        "  troupe resolve my.yaml --set hosts.west.count=100 > larger.yaml\n"
        "  troupe run my.yaml --seed 7 --out out && troupe resolve out/run.db > regress.yaml\n"
        "\n"
        "Exit codes: 0 printed, 2 the file is wrong.\n",
    .run = cmd_resolve};
