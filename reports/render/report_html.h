/* SPDX-License-Identifier: MIT */
/* reports/render/report_html.h - one self-contained HTML file about one run or several.
 *
 * Plots are drawn by gnuplot, run as a program with a bounded time; without it the report says so
 * and has its tables. No script, no external resource, light and dark.
 * Failure    TRP_EIO with one line in `error`; nothing half-written is left. */
#ifndef REPORTS_RENDER_REPORT_HTML_H
#define REPORTS_RENDER_REPORT_HTML_H

#include "reports/store/run_db.h"

/* Zero fields take the default. */
struct trp_report_html_options {
    const char *gnuplot;       /* program; default "gnuplot" from PATH; "" draws no plots */
    uint32_t gnuplot_ms_max;   /* for all plots of a run; default 30,000 */
    const char *database_name; /* shown in the examples of queries; default "run.db" */
};
/* Writes `path` with the given runs, in that order; at least one. */
enum trp_status trp_report_html(struct trp_run_db *const *runs, size_t runs_count,
                                const struct trp_report_html_options *options, const char *path,
                                struct trp_run_error *ret_error) TRP_NODISCARD;

#endif
