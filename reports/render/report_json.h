/* SPDX-License-Identifier: MIT */
/* reports/render/report_json.h - the result of a run for programs: one JSON object on one line. */
#ifndef REPORTS_RENDER_REPORT_JSON_H
#define REPORTS_RENDER_REPORT_JSON_H

#include "reports/store/run_db.h"

#include <stdio.h>

/* Writes scenario, seed, outcome, net, trace_hash (null: on real sockets), events, happenings,
 * sim_s, wall_s, hosts, peak_rss_bytes, expectations[{text outcome value unit detail}], failure
 * (null: passed) and `directory` (may be NULL) as "out". A failure has text and reproduce; of the
 * expectation that broke, where there is one, also expectation, time_s, host, event and the
 * causes of that event. TRP_EIO when `out` or the database fails. */
enum trp_status trp_report_json(struct trp_run_db *db, const char *directory,
                                FILE *out) TRP_NODISCARD;

#endif
