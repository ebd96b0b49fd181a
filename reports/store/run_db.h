/* SPDX-License-Identifier: MIT */
/* reports/store/run_db.h - the SQLite file of one run: loaded from a record, checked, read.
 *
 * The order in the harness:
 *     trp_run_db_load(record, "out/run.db", &db, &error)   everything but the verdicts
 *     trp_run_db_check(db, sql, 0, &check)                 each `sql:` expectation
 *     trp_run_expect(record, …); trp_run_finish(record, …)
 *     trp_run_db_save(db, record, &error)                  verdicts, sync, rename
 *     trp_report_text(db, …), trp_report_html(&db, 1, …)
 *     trp_run_db_close(db)
 * The tables and views are described in reports/README.md and in reports/store/schema.sql.
 * Threading  One thread per database.
 * Failure    The status, and one line for people in `error`. A failed load or save leaves no file
 *            behind and an older run.db as it was. */
#ifndef REPORTS_STORE_RUN_DB_H
#define REPORTS_STORE_RUN_DB_H

#include "reports/store/run_record.h"

struct trp_run_db;

struct trp_run_error {
    char text[512];
};

/* Builds a database from a record: in memory when `path` is NULL, else in a temporary file beside
 * `path`. TRP_EIO: unwritable or full; TRP_ENOMEM. Released with trp_run_db_close. */
enum trp_status trp_run_db_load(const struct trp_run_record *record, const char *path,
                                struct trp_run_db **ret_db,
                                struct trp_run_error *ret_error) TRP_NODISCARD;
/* Adds the expectations and the end of the run as the record now states them, makes the file
 * durable and gives it its name. Afterwards the database can be read, not saved again. */
enum trp_status trp_run_db_save(struct trp_run_db *db, const struct trp_run_record *record,
                                struct trp_run_error *ret_error) TRP_NODISCARD;

/* Opens a finished run.db for reading. TRP_EIO; TRP_EMALFORMED: not such a file;
 * TRP_EUNSUPPORTED: its schema is newer or older than this program's. */
enum trp_status trp_run_db_open(const char *path, struct trp_run_db **ret_db,
                                struct trp_run_error *ret_error) TRP_NODISCARD;
/* NULL is fine. A database that was not saved leaves nothing behind. */
void trp_run_db_close(struct trp_run_db *db);

/* ---- `sql:` expectations ---- */

struct trp_run_check {
    enum trp_run_verdict verdict; /* UNDECIDED: the statement is wrong, too slow or not allowed */
    bool has_value;
    double value;
    char detail[256]; /* empty when it held */
};
/* Evaluates one SELECT that gives one row with one number: 0 and NULL are broken, anything else
 * held. Read-only: everything but reading tables is refused, so are functions that give another
 * answer each time. A table whose rows were dropped makes it undecided. `time_limit` 0: 10 s. */
void trp_run_db_check(struct trp_run_db *db, const char *sql, trp_time time_limit,
                      struct trp_run_check *ret_check);

/* ---- reading ---- */

/* The row of table `run`, there once the database is saved or opened. Texts are never NULL ("" when
 * unknown) and borrowed until close. */
struct trp_run_info {
    const char *scenario;
    const char *about;
    const char *file;
    const char *source;
    uint64_t seed;
    const char *settings;
    const char *version;
    const char *net;
    const char *transport;
    const char *security;
    const char *reproduce;
    enum trp_run_outcome outcome;
    const char *failure;
    const char *decisions;
    const char *trace_hash;
    uint64_t events;
    uint64_t happenings;
    uint64_t hosts; /* rows of table `host` */
    trp_time sim_ns;
    trp_time wall_ns;
    uint64_t peak_rss_bytes;
    struct trp_run_dropped dropped;
};
const struct trp_run_info *trp_run_db_info(const struct trp_run_db *db);

#endif
