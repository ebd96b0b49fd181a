/* SPDX-License-Identifier: MIT */
#include "reports/render/report_events.h"
#include "scenarios/cli/cli.h"

static int cmd_diff(const struct cli_verb *verb, int argc, char **argv)
{
    const char *files[2];
    uint32_t count;
    uint64_t sequence = 0;
    struct trp_run_db *runs[2] = {NULL, NULL};
    int code = cli_parse(verb, NULL, 0, argc, argv, files, 2, 2, &count);
    for (uint32_t i = 0; i < 2 && code == CLI_OK; i++) {
        code = cli_run_open(verb, files[i], &runs[i]);
    }
    if (code == CLI_OK) {
        enum trp_status status = trp_report_diff(runs[0], runs[1], stdout, &sequence);
        code = status != TRP_OK ? cli_fail(verb, CLI_INTERNAL, "cannot compare these runs")
               : sequence == 0  ? CLI_OK
                                : CLI_DIVERGED;
    }
    trp_run_db_close(runs[0]);
    trp_run_db_close(runs[1]);
    return code;
}

const struct cli_verb cli_verb_diff = {
    .name = "diff",
    .about = "show where two finished runs part",
    .help = "Usage: troupe diff A.db B.db\n"
            "\n"
            "Compares the events of two runs one by one, and prints the last that they share and\n"
            "the first in which they differ: what a change of the code, of a fault or of the seed\n"
            "does first. `troupe why` tells what led there.\n"
            "\n"
            "Example:\n"
            "  troupe diff before/run.db after/run.db\n"
            "\n"
            "Exit codes: 0 all events are equal; 3 they are not; 2 no finished run;\n"
            "5 cannot read them.\n",
    .run = cmd_diff};
