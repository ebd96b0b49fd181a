/* SPDX-License-Identifier: MIT */
#include "reports/store/db.h"

#include <math.h>
#include <time.h>

#define TIME_LIMIT_DEFAULT TRP_S(10)
/* Steps of SQLite's virtual machine between two looks at the clock: some tens of microseconds. */
#define STEPS_PER_LOOK 4096
/* Bounds what one expression may build. */
#define VALUE_BYTES_MAX 1000000

struct check_state {
    const struct trp_run_db *db;
    trp_time deadline;
    bool late;
    char refused[96];    /* what the authorizer said no to; empty: nothing */
    char incomplete[32]; /* a table that was read and had rows dropped; empty: none */
};

static trp_time wall_now(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return TRP_S(now.tv_sec) + (trp_time)now.tv_nsec;
}

static int on_progress(void *self)
{
    struct check_state *state = self;
    state->late = wall_now() >= state->deadline;
    return state->late;
}

/* Functions that give another answer each time, or reach beyond the database. */
static bool is_banned(const char *function)
{
    static const char *const banned[] = {"random",
                                         "randomblob",
                                         "date",
                                         "time",
                                         "datetime",
                                         "strftime",
                                         "julianday",
                                         "unixepoch",
                                         "current_date",
                                         "current_time",
                                         "timediff",
                                         "changes",
                                         "current_timestamp",
                                         "load_extension",
                                         "last_insert_rowid",
                                         "total_changes"};
    for (size_t i = 0; i < sizeof banned / sizeof banned[0]; i++) {
        if (sqlite3_stricmp(function, banned[i]) == 0) {
            return true;
        }
    }
    return false;
}

static uint64_t rows_dropped(const struct trp_run_dropped *dropped, const char *table)
{
    const struct {
        const char *table;
        uint64_t count;
    } tables[] = {{"event_row", dropped->events},  {"request", dropped->requests},
                  {"lookup", dropped->lookups},    {"metric_sample", dropped->samples},
                  {"host", dropped->others},       {"fault", dropped->others},
                  {"fault_host", dropped->others}, {"metric_name", dropped->others}};
    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++) {
        if (sqlite3_stricmp(table, tables[i].table) == 0) {
            return tables[i].count;
        }
    }
    return 0;
}

/* Tables that are still empty while expectations are checked. */
static bool is_later(const char *table)
{
    return sqlite3_stricmp(table, "run") == 0 || sqlite3_stricmp(table, "expectation") == 0;
}

/* Admits reading and plain functions, nothing else. */
static int on_access(void *self, int action, const char *first, const char *second,
                     const char *database, const char *trigger)
{
    (void)database;
    (void)trigger;
    struct check_state *state = self;
    switch (action) {
    case SQLITE_SELECT:
    case SQLITE_RECURSIVE:
        return SQLITE_OK;
    case SQLITE_READ:
        if (state->db->writable && first != NULL && is_later(first)) {
            (void)snprintf(state->refused, sizeof state->refused,
                           "table %.40s is filled after the checks", first);
            return SQLITE_DENY;
        }
        if (first != NULL && rows_dropped(&state->db->dropped, first) > 0) {
            (void)snprintf(state->incomplete, sizeof state->incomplete, "%s", first);
        }
        return SQLITE_OK;
    case SQLITE_FUNCTION:
        if (second != NULL && !is_banned(second)) {
            return SQLITE_OK;
        }
        (void)snprintf(state->refused, sizeof state->refused, "the function %.60s is not allowed",
                       second == NULL ? "?" : second);
        return SQLITE_DENY;
    default:
        (void)snprintf(state->refused, sizeof state->refused, "only reading is allowed");
        return SQLITE_DENY;
    }
}

static void undecided(struct trp_run_check *check, const char *reason)
{
    *check = (struct trp_run_check){.verdict = TRP_RUN_UNDECIDED};
    (void)snprintf(check->detail, sizeof check->detail, "%s", reason);
}

/* Turns the single value into a verdict. */
static void judge(sqlite3_stmt *statement, struct trp_run_check *check)
{
    int type = sqlite3_column_type(statement, 0);
    if (type == SQLITE_TEXT || type == SQLITE_BLOB) {
        undecided(check, "the statement gives a text, not a number");
        return;
    }
    *check = (struct trp_run_check){.verdict = TRP_RUN_BROKEN};
    if (type == SQLITE_NULL) {
        (void)snprintf(check->detail, sizeof check->detail, "the statement gives NULL");
        return;
    }
    check->has_value = true;
    check->value = sqlite3_column_double(statement, 0);
    if (fpclassify(check->value) != FP_ZERO) {
        check->verdict = TRP_RUN_HELD;
    } else {
        (void)snprintf(check->detail, sizeof check->detail, "the statement gives 0");
    }
}

static void failed(const struct check_state *state, struct trp_run_check *check)
{
    if (state->late) {
        undecided(check, "the statement took too long");
    } else if (state->refused[0] != '\0') {
        undecided(check, state->refused);
    } else {
        undecided(check, sqlite3_errmsg(state->db->sqlite));
    }
}

static void evaluate(const struct check_state *state, sqlite3_stmt *statement,
                     struct trp_run_check *check)
{
    int result = sqlite3_step(statement);
    if (result == SQLITE_DONE) {
        undecided(check, "the statement gives no row");
        return;
    }
    if (result == SQLITE_ROW) {
        judge(statement, check);
        result = sqlite3_step(statement);
        if (result == SQLITE_ROW) {
            undecided(check, "the statement gives more than one row");
            return;
        }
    }
    if (result != SQLITE_DONE) {
        failed(state, check);
    }
}

/* Whether another statement follows; comments and semicolons are none. */
static bool has_more(sqlite3 *sqlite, const char *tail)
{
    while (*tail != '\0') {
        sqlite3_stmt *statement = NULL;
        int result = sqlite3_prepare_v2(sqlite, tail, -1, &statement, &tail);
        (void)sqlite3_finalize(statement);
        if (result != SQLITE_OK || statement != NULL) {
            return true;
        }
    }
    return false;
}

static void prepare_and_evaluate(struct check_state *state, const char *sql,
                                 struct trp_run_check *check)
{
    sqlite3 *sqlite = state->db->sqlite;
    sqlite3_stmt *statement = NULL;
    const char *tail = sql;
    if (sqlite3_prepare_v2(sqlite, sql, -1, &statement, &tail) != SQLITE_OK) {
        failed(state, check);
    } else if (statement == NULL) {
        undecided(check, "there is no statement");
    } else if (has_more(sqlite, tail)) {
        undecided(check, "there is more than one statement");
    } else if (sqlite3_column_count(statement) != 1) {
        undecided(check, "the statement must give one column");
    } else if (state->incomplete[0] != '\0') {
        char reason[128];
        (void)snprintf(reason, sizeof reason,
                       "table %s is incomplete: rows beyond the limit of the record were dropped",
                       state->incomplete);
        undecided(check, reason);
    } else {
        evaluate(state, statement, check);
    }
    (void)sqlite3_finalize(statement);
}

void trp_run_db_check(struct trp_run_db *db, const char *sql, trp_time time_limit,
                      struct trp_run_check *ret_check)
{
    struct check_state state = {
        .db = db,
        .deadline = trp_time_after(wall_now(), time_limit == 0 ? TIME_LIMIT_DEFAULT : time_limit),
    };
    int length = sqlite3_limit(db->sqlite, SQLITE_LIMIT_LENGTH, VALUE_BYTES_MAX);
    (void)sqlite3_set_authorizer(db->sqlite, on_access, &state);
    sqlite3_progress_handler(db->sqlite, STEPS_PER_LOOK, on_progress, &state);
    prepare_and_evaluate(&state, sql, ret_check);
    sqlite3_progress_handler(db->sqlite, 0, NULL, NULL);
    (void)sqlite3_set_authorizer(db->sqlite, NULL, NULL);
    (void)sqlite3_limit(db->sqlite, SQLITE_LIMIT_LENGTH, length);
}
