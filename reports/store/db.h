/* SPDX-License-Identifier: MIT */
/* reports/store/db.h - the inside of struct trp_run_db, for the store and the queries. */
#ifndef REPORTS_STORE_DB_H
#define REPORTS_STORE_DB_H

#include "reports/store/draft.h"
#include "reports/store/run_db.h"

#include <sqlite3.h>

#define RUN_DB_APPLICATION 0x54525045 /* "TRPE", PRAGMA application_id */
#define RUN_DB_SCHEMA      2          /* PRAGMA user_version */

struct trp_run_db {
    sqlite3 *sqlite;
    struct draft draft; /* while it is being written to a file */
    bool writable;      /* loaded and not yet saved */
    struct trp_run_info info;
    sqlite3_stmt *run; /* stands on the row of `run`, which `info` borrows from; NULL before */
    struct trp_run_dropped dropped;
};

/* Runs statements; states what failed in `error`. */
enum trp_status db_exec(sqlite3 *sqlite, const char *sql,
                        struct trp_run_error *error) TRP_NODISCARD;
/* Turns SQLite's last failure into a status and a line. */
enum trp_status db_failure(sqlite3 *sqlite, struct trp_run_error *error) TRP_NODISCARD;

/* Adds percentile(x, p) to what statements can call. */
enum trp_status db_create_functions(sqlite3 *sqlite, struct trp_run_error *error) TRP_NODISCARD;
/* Creates the catalogue of events and a view for each kind. */
enum trp_status db_create_views(sqlite3 *sqlite, struct trp_run_error *error) TRP_NODISCARD;
/* Inserts everything but the run and its expectations. */
enum trp_status db_load_rows(sqlite3 *sqlite, const struct trp_run_record *record,
                             struct trp_run_error *error) TRP_NODISCARD;
/* Inserts the run and its expectations. */
enum trp_status db_load_verdicts(sqlite3 *sqlite, const struct trp_run_record *record,
                                 struct trp_run_error *error) TRP_NODISCARD;

#endif
