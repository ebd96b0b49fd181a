/* SPDX-License-Identifier: MIT */
/* reports/render/junit.h - JUnit XML of finished runs, as CI servers read it.
 *
 * One suite, one case per run.
 * Ownership  All texts are borrowed for the call. */
#ifndef REPORTS_RENDER_JUNIT_H
#define REPORTS_RENDER_JUNIT_H

#include "reports/store/run_db.h"

struct trp_junit_case {
    const char *scenario; /* becomes the class name */
    uint64_t seed;
    enum trp_run_outcome outcome;
    trp_time wall_ns;
    const char *failure;   /* one line; NULL when it passed */
    const char *detail;    /* more lines, such as each broken expectation; NULL none */
    const char *reproduce; /* command line */
};
/* Writes the file: FAILED is a <failure>; any other outcome but PASSED is an <error>. TRP_EIO with
 * one line in `error`; nothing half-written is left. */
enum trp_status trp_junit_write(const char *path, const char *suite,
                                const struct trp_junit_case *cases, size_t cases_count,
                                struct trp_run_error *ret_error) TRP_NODISCARD;

#endif
