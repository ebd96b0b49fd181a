/* SPDX-License-Identifier: MIT */
#include "reports/embedded.h"
#include "reports/store/db.h"
#include "reports/store/record.h"

#include <errno.h>
#include <stdlib.h>

/* A run of columns of table `run`, in the order of read_info. */
#define RUN_COLUMNS                                                                                \
    "scenario, about, file, source, settings, version, net, transport, security, reproduce, "      \
    "failure, decisions, trace_hash, seed, outcome, events, happenings, sim_ns, wall_ns, "         \
    "peak_rss_bytes, events_dropped, requests_dropped, lookups_dropped, samples_dropped, "         \
    "others_dropped, (SELECT count(*) FROM host)"

enum trp_status db_failure(sqlite3 *sqlite, struct trp_run_error *error)
{
    int code = sqlite3_errcode(sqlite);
    error_set(error, "database: %s", sqlite3_errmsg(sqlite));
    if (code == SQLITE_NOMEM) {
        return TRP_ENOMEM;
    }
    return code == SQLITE_NOTADB || code == SQLITE_CORRUPT ? TRP_EMALFORMED : TRP_EIO;
}

enum trp_status db_exec(sqlite3 *sqlite, const char *sql, struct trp_run_error *error)
{
    return sqlite3_exec(sqlite, sql, NULL, NULL, NULL) == SQLITE_OK ? TRP_OK
                                                                    : db_failure(sqlite, error);
}

/* Gives a database whose run is not known yet; NULL without memory. */
static struct trp_run_db *new_db(struct trp_run_error *error)
{
    struct trp_run_db *db = calloc(1, sizeof *db);
    if (db == NULL) {
        error_set(error, "out of memory");
        return NULL;
    }
    db->info = (struct trp_run_info){.scenario = "",
                                     .about = "",
                                     .file = "",
                                     .source = "",
                                     .settings = "",
                                     .version = "",
                                     .net = "",
                                     .transport = "",
                                     .security = "",
                                     .reproduce = "",
                                     .failure = "",
                                     .decisions = "",
                                     .trace_hash = ""};
    return db;
}

/* Opens SQLite with the settings every database of ours has. */
static enum trp_status open_sqlite(struct trp_run_db *db, const char *name, int flags,
                                   struct trp_run_error *error)
{
    int result = sqlite3_open_v2(name, &db->sqlite, flags | SQLITE_OPEN_NOMUTEX, NULL);
    if (result != SQLITE_OK) {
        if (db->sqlite != NULL) {
            return db_failure(db->sqlite, error);
        }
        error_set(error, "out of memory");
        return TRP_ENOMEM;
    }
    if ((flags & SQLITE_OPEN_READONLY) != 0) { /* it forbids journal_mode = OFF */
        (void)sqlite3_db_config(db->sqlite, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    }
    (void)sqlite3_db_config(db->sqlite, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    return db_create_functions(db->sqlite, error);
}

static enum trp_status build(struct trp_run_db *db, const struct trp_run_record *record,
                             struct trp_run_error *error)
{
    /* A file that is thrown away on failure needs neither journal nor syncs while it is loaded. */
    enum trp_status status = db_exec(db->sqlite,
                                     "PRAGMA page_size = 16384; PRAGMA synchronous = OFF;"
                                     "PRAGMA journal_mode = OFF; PRAGMA temp_store = MEMORY;"
                                     "PRAGMA locking_mode = EXCLUSIVE; PRAGMA cache_size = -65536;"
                                     "BEGIN",
                                     error);
    status = status == TRP_OK ? db_exec(db->sqlite, EMBEDDED(store_schema_sql), error) : status;
    status = status == TRP_OK ? db_create_views(db->sqlite, error) : status;
    status = status == TRP_OK ? db_load_rows(db->sqlite, record, error) : status;
    status = status == TRP_OK ? db_exec(db->sqlite, EMBEDDED(store_indexes_sql), error) : status;
    char numbers[96];
    (void)snprintf(numbers, sizeof numbers, "PRAGMA application_id = %d; PRAGMA user_version = %d;",
                   RUN_DB_APPLICATION, RUN_DB_SCHEMA);
    return status == TRP_OK ? db_exec(db->sqlite, numbers, error) : status;
}

enum trp_status trp_run_db_load(const struct trp_run_record *record, const char *path,
                                struct trp_run_db **ret_db, struct trp_run_error *ret_error)
{
    struct trp_run_db *db = new_db(ret_error);
    if (db == NULL) {
        return TRP_ENOMEM;
    }
    db->writable = true;
    db->dropped = trp_run_record_dropped(record);
    enum trp_status status = path == NULL ? TRP_OK : draft_init(&db->draft, path, ret_error);
    if (status == TRP_OK) {
        status = open_sqlite(db, path == NULL ? ":memory:" : db->draft.temporary,
                             SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, ret_error);
    }
    status = status == TRP_OK ? build(db, record, ret_error) : status;
    if (status != TRP_OK) {
        if (path != NULL) {
            struct trp_run_error reason = *ret_error;
            error_set(ret_error, "cannot write %s: %.300s", path, reason.text);
        }
        trp_run_db_close(db);
        return status;
    }
    *ret_db = db;
    return TRP_OK;
}

static const char *text_column(sqlite3_stmt *statement, int column)
{
    const unsigned char *text = sqlite3_column_text(statement, column);
    return text == NULL ? "" : (const char *)text;
}

static uint64_t number_column(sqlite3_stmt *statement, int column)
{
    if (sqlite3_column_type(statement, column) == SQLITE_TEXT) {
        return strtoull(text_column(statement, column), NULL, 10);
    }
    int64_t number = sqlite3_column_int64(statement, column);
    return number < 0 ? 0 : (uint64_t)number;
}

static enum trp_run_outcome parse_outcome(const char *name)
{
    for (enum trp_run_outcome i = TRP_RUN_UNFINISHED; i <= TRP_RUN_TIMED_OUT; i++) {
        if (strcmp(name, trp_run_outcome_name(i)) == 0) {
            return i;
        }
    }
    return TRP_RUN_UNFINISHED;
}

/* Reads the row of `run`; the statement stays on it, as the texts are borrowed from there. */
static enum trp_status read_info(struct trp_run_db *db, struct trp_run_error *error)
{
    if (sqlite3_prepare_v2(db->sqlite, "SELECT " RUN_COLUMNS " FROM run", -1, &db->run, NULL) !=
        SQLITE_OK) {
        return db_failure(db->sqlite, error);
    }
    if (sqlite3_step(db->run) != SQLITE_ROW) {
        error_set(error, "the database has no finished run");
        return TRP_EMALFORMED;
    }
    const char **texts[] = {&db->info.scenario,  &db->info.about,     &db->info.file,
                            &db->info.source,    &db->info.settings,  &db->info.version,
                            &db->info.net,       &db->info.transport, &db->info.security,
                            &db->info.reproduce, &db->info.failure,   &db->info.decisions,
                            &db->info.trace_hash};
    int column = 0;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        *texts[i] = text_column(db->run, column++);
    }
    db->info.seed = number_column(db->run, column++);
    db->info.outcome = parse_outcome(text_column(db->run, column++));
    uint64_t *numbers[] = {&db->info.events,
                           &db->info.happenings,
                           &db->info.sim_ns,
                           &db->info.wall_ns,
                           &db->info.peak_rss_bytes,
                           &db->info.dropped.events,
                           &db->info.dropped.requests,
                           &db->info.dropped.lookups,
                           &db->info.dropped.samples,
                           &db->info.dropped.others,
                           &db->info.hosts};
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        *numbers[i] = number_column(db->run, column++);
    }
    db->dropped = db->info.dropped;
    return TRP_OK;
}

/* Gives the finished file its name and opens it again, for reading. */
static enum trp_status publish(struct trp_run_db *db, struct trp_run_error *error)
{
    if (sqlite3_close(db->sqlite) != SQLITE_OK) {
        return db_failure(db->sqlite, error);
    }
    db->sqlite = NULL;
    enum trp_status status = draft_commit(&db->draft, error);
    if (status == TRP_OK) {
        status = open_sqlite(db, db->draft.path, SQLITE_OPEN_READONLY, error);
    }
    draft_deinit(&db->draft);
    return status;
}

enum trp_status trp_run_db_save(struct trp_run_db *db, const struct trp_run_record *record,
                                struct trp_run_error *ret_error)
{
    if (!db->writable) {
        error_set(ret_error, "the database is saved already");
        return TRP_ESTATE;
    }
    enum trp_status status = db_load_verdicts(db->sqlite, record, ret_error);
    status = status == TRP_OK ? db_exec(db->sqlite, "COMMIT", ret_error) : status;
    if (status == TRP_OK) {
        db->writable = false;
        status = db->draft.path == NULL ? TRP_OK : publish(db, ret_error);
    }
    return status == TRP_OK ? read_info(db, ret_error) : status;
}

static enum trp_status check_format(struct trp_run_db *db, const char *path,
                                    struct trp_run_error *error)
{
    sqlite3_stmt *statement = NULL;
    const char *sql = "SELECT application_id, user_version "
                      "FROM pragma_application_id, pragma_user_version";
    if (sqlite3_prepare_v2(db->sqlite, sql, -1, &statement, NULL) != SQLITE_OK ||
        sqlite3_step(statement) != SQLITE_ROW) {
        enum trp_status status = db_failure(db->sqlite, error);
        (void)sqlite3_finalize(statement);
        return status;
    }
    int application = sqlite3_column_int(statement, 0);
    int schema = sqlite3_column_int(statement, 1);
    (void)sqlite3_finalize(statement);
    if (application != RUN_DB_APPLICATION) {
        error_set(error, "%s is not the database of a run", path);
        return TRP_EMALFORMED;
    }
    if (schema != RUN_DB_SCHEMA) {
        error_set(error, "%s has schema %d, this program reads %d", path, schema, RUN_DB_SCHEMA);
        return TRP_EUNSUPPORTED;
    }
    return TRP_OK;
}

enum trp_status trp_run_db_open(const char *path, struct trp_run_db **ret_db,
                                struct trp_run_error *ret_error)
{
    struct trp_run_db *db = new_db(ret_error);
    if (db == NULL) {
        return TRP_ENOMEM;
    }
    enum trp_status status = open_sqlite(db, path, SQLITE_OPEN_READONLY, ret_error);
    status = status == TRP_OK ? check_format(db, path, ret_error) : status;
    status = status == TRP_OK ? read_info(db, ret_error) : status;
    if (status != TRP_OK) {
        struct trp_run_error reason = *ret_error;
        if (strstr(reason.text, path) == NULL) {
            error_set(ret_error, "cannot read %s: %.300s", path, reason.text);
        }
        trp_run_db_close(db);
        return status;
    }
    *ret_db = db;
    return TRP_OK;
}

void trp_run_db_close(struct trp_run_db *db)
{
    if (db == NULL) {
        return;
    }
    (void)sqlite3_finalize(db->run);
    (void)sqlite3_close(db->sqlite);
    draft_deinit(&db->draft);
    free(db);
}

const struct trp_run_info *trp_run_db_info(const struct trp_run_db *db)
{
    return &db->info;
}
