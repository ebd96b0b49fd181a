/* SPDX-License-Identifier: MIT */
#include "reports/render/report_html.h"
#include "reports/render/report_text.h"
#include "scenarios/cli/cli.h"

#define RUNS_MAX 64u

static int render(const struct cli_verb *verb, struct trp_run_db *const *runs, uint32_t count,
                  const char *path)
{
    struct trp_run_error error;
    if (path != NULL && trp_report_html(runs, count, NULL, path, &error) != TRP_OK) {
        return cli_fail(verb, CLI_INTERNAL, "%s", error.text);
    }
    const struct trp_report_text_options text = {.color = trp_report_wants_color(stdout)};
    for (uint32_t i = 0; i < count; i++) {
        if (trp_report_text(runs[i], &text, stdout) != TRP_OK) {
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
    const char *path = NULL;
    uint32_t paths = 0;
    uint32_t count;
    const struct cli_option options[] = {{"html", &path, 1, &paths}};
    int code = cli_parse(verb, options, 1, argc, argv, files, 1, RUNS_MAX, &count);
    if (code != CLI_OK) {
        return code;
    }
    struct trp_run_db *runs[RUNS_MAX] = {0};
    for (uint32_t i = 0; i < count && code == CLI_OK; i++) {
        struct trp_run_error error;
        if (trp_run_db_open(files[i], &runs[i], &error) != TRP_OK) {
            code = cli_fail(verb, CLI_USAGE, "%s", error.text);
        }
    }
    if (code == CLI_OK) {
        code = render(verb, runs, count, path);
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
        "Usage: troupe report RUN.db… [--html FILE]\n"
        "\n"
        "Shows the summary of each run. With --html, writes one self-contained page with plots\n"
        "(drawn by gnuplot, where it is installed).\n"
        "\n"
        "Example:\n"
        "  troupe report out/run.db --html out/report.html\n",
    .run = cmd_report};
