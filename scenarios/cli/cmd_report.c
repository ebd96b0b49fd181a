/* SPDX-License-Identifier: MIT */
#include "reports/render/junit.h"
#include "reports/render/report_html.h"
#include "reports/render/report_json.h"
#include "reports/render/report_text.h"
#include "scenarios/cli/cli.h"

#define RUNS_MAX 64u

struct report_options {
    const char *html;  /* NULL: none */
    const char *junit; /* NULL: none */
    bool json;
};

/* Writes a case for each run. */
static int write_junit(const struct cli_verb *verb, struct trp_run_db *const *runs, uint32_t count,
                       const char *path)
{
    struct trp_junit_case cases[RUNS_MAX];
    struct trp_run_error error;
    for (uint32_t i = 0; i < count; i++) {
        const struct trp_run_info *info = trp_run_db_info(runs[i]);
        cases[i] = (struct trp_junit_case){
            .scenario = info->scenario,
            .seed = info->seed,
            .outcome = info->outcome,
            .wall_ns = info->wall_ns,
            .failure = info->outcome == TRP_RUN_PASSED ? NULL : info->failure,
            .reproduce = info->reproduce};
    }
    return trp_junit_write(path, "troupe", cases, count, &error) == TRP_OK
               ? CLI_OK
               : cli_fail(verb, CLI_INTERNAL, "%s", error.text);
}

static int render(const struct cli_verb *verb, struct trp_run_db *const *runs, uint32_t count,
                  const struct report_options *options)
{
    const char *path = options->html;
    struct trp_run_error error;
    if (path != NULL && trp_report_html(runs, count, NULL, path, &error) != TRP_OK) {
        return cli_fail(verb, CLI_INTERNAL, "%s", error.text);
    }
    if (options->junit != NULL && write_junit(verb, runs, count, options->junit) != CLI_OK) {
        return CLI_INTERNAL;
    }
    const struct trp_report_text_options text = {.color = trp_report_wants_color(stdout)};
    for (uint32_t i = 0; i < count; i++) {
        enum trp_status status = options->json ? trp_report_json(runs[i], NULL, stdout)
                                               : trp_report_text(runs[i], &text, stdout);
        if (status != TRP_OK) {
            return cli_fail(verb, CLI_INTERNAL, "cannot show the summary");
        }
    }
    if (path != NULL) {
        (void)fprintf(stderr, "report: %s\n", path);
    }
    return CLI_OK;
}

static int cmd_report(const struct cli_verb *verb, int argc, char **argv)
{
    const char *files[RUNS_MAX];
    struct report_options options = {0};
    uint32_t counts[3] = {0};
    uint32_t count;
    const struct cli_option table[] = {{"html", &options.html, 1, &counts[0]},
                                       {"json", NULL, 0, &counts[1]},
                                       {"junit", &options.junit, 1, &counts[2]}};
    int code = cli_parse(verb, table, 3, argc, argv, files, 1, RUNS_MAX, &count);
    if (code != CLI_OK) {
        return code;
    }
    options.json = counts[1] > 0;
    struct trp_run_db *runs[RUNS_MAX] = {0};
    for (uint32_t i = 0; i < count && code == CLI_OK; i++) {
        code = cli_run_open(verb, files[i], &runs[i]);
    }
    if (code == CLI_OK) {
        code = render(verb, runs, count, &options);
    }
    for (uint32_t i = 0; i < count; i++) {
        trp_run_db_close(runs[i]);
    }
    return code;
}

const struct cli_verb cli_verb_report = {
    .name = "report",
    .about = "show finished runs as text, or as one HTML file",
    .help =
        "Usage: troupe report RUN.db… [--html FILE] [--junit FILE] [--json]\n"
        "\n"
        "Shows the summary of each finished run, as `troupe run --out DIR` leaves it in\n"
        "DIR/run.db; sqlite3 DIR/run.db answers what a summary does not.\n"
        "\n"
        "  --html FILE   write one self-contained page with plots of all the runs too (drawn by\n"
        "                gnuplot, where it is installed)\n"
        "  --junit FILE  write JUnit XML too, as CI servers read it: a case for each run\n"
        "  --json        each run as one JSON object on one line, as from `troupe run --json`\n"
        "\n"
        "Examples:\n"
        "  troupe report out/run.db --html out/report.html\n"
        "  troupe report before/run.db after/run.db --json | jq .peak_rss_bytes\n"
        "\n"
        "Exit codes: 0 shown, whatever the runs came to; 2 no finished run; 5 cannot write.\n",
    .run = cmd_report};
