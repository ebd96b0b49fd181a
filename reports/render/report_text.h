/* SPDX-License-Identifier: MIT */
/* reports/render/report_text.h - the summary of a run for a terminal.
 *
 * Short and aligned: outcome, expectations, figures, faults, slowest requests; the command that
 * reproduces the run is the last line. */
#ifndef REPORTS_RENDER_REPORT_TEXT_H
#define REPORTS_RENDER_REPORT_TEXT_H

#include "reports/store/run_db.h"

#include <stdio.h>

/* Whether to colour what goes to `out`: it is a terminal, TERM is not "dumb" and NO_COLOR is not
 * set. */
bool trp_report_wants_color(FILE *out);

struct trp_report_text_options {
    bool color;
    bool brief; /* outcome, broken expectations and the reproduce line only */
};
/* TRP_EIO when `out` or the database fails. */
enum trp_status trp_report_text(struct trp_run_db *db,
                                const struct trp_report_text_options *options,
                                FILE *out) TRP_NODISCARD;

#endif
