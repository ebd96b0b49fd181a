/* SPDX-License-Identifier: MIT */
#include "reports/render/json.h"
#include "scenarios/cli/scenario.h"
#include "scenarios/harness/vocabulary.h"

#include <stdlib.h>

#define FILES_MAX 256u

static void print_json(const char *file, const struct trp_load *load)
{
    const struct trp_plan *plan = trp_load_plan(load);
    struct json json = {.out = stdout};
    json_open(&json, NULL, '{');
    json_text(&json, "file", file);
    json_text(&json, "outcome", plan == NULL ? "wrong" : "fine");
    json_text(&json, "scenario", plan == NULL ? NULL : plan->name);
    json_number(&json, "hosts", plan == NULL ? 0 : plan->hosts_count);
    json_open(&json, "problems", '[');
    for (uint32_t i = 0; i < trp_load_problems(load); i++) {
        struct trp_problem problem = trp_load_problem(load, i);
        json_open(&json, NULL, '{');
        json_text(&json, "file", problem.place.file);
        json_number(&json, "line", problem.place.line);
        json_number(&json, "column", problem.place.column);
        json_text(&json, "message", problem.message);
        json_text(&json, "hint", problem.hint[0] == '\0' ? NULL : problem.hint);
        json_close(&json, '}');
    }
    json_close(&json, ']');
    json_close(&json, '}');
    (void)putchar('\n');
}

static void print_text(const char *file, const struct trp_load *load)
{
    char *problems = trp_load_print_problems(load);
    (void)fputs(problems, stderr);
    free(problems);
    if (trp_load_plan(load) != NULL) {
        (void)printf("%s: fine\n", file);
    }
}

static int cmd_check(const struct cli_verb *verb, int argc, char **argv)
{
    const char *files[FILES_MAX];
    const char *settings[CLI_SETTINGS_MAX];
    uint32_t settings_count = 0;
    uint32_t as_json = 0;
    uint32_t count;
    const struct cli_option options[] = {{"set", settings, CLI_SETTINGS_MAX, &settings_count},
                                         {"json", NULL, 0, &as_json}};
    int code = cli_parse(verb, options, 2, argc, argv, files, 1, FILES_MAX, &count);
    if (code != CLI_OK) {
        return code;
    }
    for (uint32_t i = 0; i < count; i++) {
        const struct trp_load_options load_options = {.path = files[i],
                                                      .settings = settings,
                                                      .settings_count = settings_count,
                                                      .vocabulary = trp_harness_vocabulary()};
        struct trp_load *load = trp_load_open(&load_options);
        if (as_json > 0) {
            print_json(files[i], load);
        } else {
            print_text(files[i], load);
        }
        code = trp_load_plan(load) == NULL ? CLI_USAGE : code;
        trp_load_free(load);
    }
    return code;
}

const struct cli_verb cli_verb_check = {
    .name = "check",
    .about = "validate scenario files: every error in one pass",
    .help =
        "Usage: troupe check FILE… [--set PATH=VALUE]… [--json]\n"
        "\n"
        "Reads and checks scenario files without running them. Every problem is shown with its\n"
        "place, the line, a caret and a hint.\n"
        "\n"
        "  --set PATH=VALUE  change a key first: hosts.west.count=40, workload.finds.every=1s,\n"
        "                    timeline[0].at=2min\n"
        "  --json            one object per file, on one line: file, outcome, scenario, hosts,\n"
        "                    problems[{file line column message hint}]\n"
        "\n"
        "Examples:\n"
        "  troupe check scenarios/library/*/*.yaml\n"
        "  troupe check my.yaml --set network.links.default.loss=5%\n"
        "\n"
        "Exit codes: 0 all are fine, 2 one is wrong.\n",
    .run = cmd_check};
