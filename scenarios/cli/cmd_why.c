/* SPDX-License-Identifier: MIT */
#include "reports/render/report_events.h"
#include "scenarios/cli/cli.h"

#include <inttypes.h>

#define LINKS_MAX 1000u

static int cmd_why(const struct cli_verb *verb, int argc, char **argv)
{
    const char *operands[2];
    const char *limit = NULL;
    uint32_t limit_count = 0;
    uint32_t count;
    uint64_t sequence;
    uint64_t links = LINKS_MAX;
    struct trp_run_db *db;
    const struct cli_option table[] = {{"last", &limit, 1, &limit_count}};
    int code = cli_parse(verb, table, 1, argc, argv, operands, 2, 2, &count);
    if (code != CLI_OK) {
        return code;
    }
    if (!cli_number(operands[1] + (operands[1][0] == '#'), &sequence) || sequence == 0) {
        return cli_wrong(verb, "'%s' is no number of an event", operands[1]);
    }
    if (limit != NULL && (!cli_number(limit, &links) || links == 0 || links > LINKS_MAX)) {
        return cli_wrong(verb, "--last takes a whole number from 1 to %u", LINKS_MAX);
    }
    code = cli_run_open(verb, operands[0], &db);
    if (code != CLI_OK) {
        return code;
    }
    enum trp_status status = trp_report_why(db, sequence, (uint32_t)links, stdout);
    trp_run_db_close(db);
    if (status == TRP_ENOTFOUND) {
        return cli_fail(verb, CLI_USAGE, "%s has no event %" PRIu64, operands[0], sequence);
    }
    return status == TRP_OK ? CLI_OK : cli_fail(verb, CLI_INTERNAL, "cannot read %s", operands[0]);
}

const struct cli_verb cli_verb_why = {
    .name = "why",
    .about = "show what led to an event of a finished run",
    .help = "Usage: troupe why RUN.db EVENT [--last N]\n"
            "\n"
            "Prints the chain of causes that ends with EVENT, the first cause first. EVENT is the\n"
            "number of an event: 62 or '#62', as summaries and the column `seq` of table `event`\n"
            "have it. In the simulator a chain goes from host to host.\n"
            "\n"
            "  --last N  at most the last N causes (1000 by default)\n"
            "\n"
            "Example:\n"
            "  troupe why out/run.db 4711\n"
            "\n"
            "Exit codes: 0 shown; 2 no such event, or no finished run; 5 cannot read it.\n",
    .run = cmd_why};
