/* SPDX-License-Identifier: MIT */
/* reports/store/draft.h - a file that appears whole or not at all.
 *
 * It is written beside its place under a temporary name; commit makes it durable and renames it.
 * Failure    One line for people in `error`; the temporary file is removed. */
#ifndef REPORTS_STORE_DRAFT_H
#define REPORTS_STORE_DRAFT_H

#include "reports/store/run_db.h"

#include <stdio.h>

struct draft {
    char *path;
    char *temporary; /* NULL: committed or discarded */
    FILE *file;      /* NULL where another writes it */
};

/* Writes a line of error, cut where it does not fit. */
void error_set(struct trp_run_error *error, const char *format, ...) TRP_PRINTF(2, 3);

/* Chooses a temporary name with the id of this process. */
enum trp_status draft_init(struct draft *draft, const char *path,
                           struct trp_run_error *error) TRP_NODISCARD;
/* The same, and opens `file` for writing. */
enum trp_status draft_open(struct draft *draft, const char *path,
                           struct trp_run_error *error) TRP_NODISCARD;
/* Closes `file`, syncs, renames, syncs the directory. */
enum trp_status draft_commit(struct draft *draft, struct trp_run_error *error) TRP_NODISCARD;
/* Removes what was not committed and frees the names. Fine after commit and on a zeroed draft. */
void draft_deinit(struct draft *draft);

#endif
