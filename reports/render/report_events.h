/* SPDX-License-Identifier: MIT */
/* reports/render/report_events.h - single events: why one happened, and where two runs part.
 *
 * Failure    TRP_EIO when `out` or a database fails. */
#ifndef REPORTS_RENDER_REPORT_EVENTS_H
#define REPORTS_RENDER_REPORT_EVENTS_H

#include "reports/store/run_db.h"

#include <stdio.h>

/* Writes the chain of causes of an event, the first cause first, one line each: at most `most`
 * links before the event itself. When there are earlier ones, or they are not in the database, the
 * first line names the newest of them. TRP_ENOTFOUND when there is no event of this number. */
enum trp_status trp_report_why(struct trp_run_db *db, uint64_t sequence, uint32_t most,
                               FILE *out) TRP_NODISCARD;

/* Writes the last event two runs have in common and the first in which they differ. `ret_sequence`
 * is that event's number, 0 when all events are equal. Compares from the first event that both
 * still have, and says so when older ones were dropped. */
enum trp_status trp_report_diff(struct trp_run_db *a, struct trp_run_db *b, FILE *out,
                                uint64_t *ret_sequence) TRP_NODISCARD;

#endif
