/* SPDX-License-Identifier: MIT */
#define _POSIX_C_SOURCE 200809L
#include "report_files.h"

#include "reports/store/db.h"

#include <signal.h>
#include <sys/resource.h>

static struct trp_run_record *new_limited(const struct trp_run_limits *limits)
{
    struct trp_run_record *record = NULL;
    assert_status(trp_run_record_new(limits, &record), TRP_OK);
    return record;
}

static struct trp_run_db *load(const struct trp_run_record *record, const char *path)
{
    struct trp_run_db *db = NULL;
    struct trp_run_error error = {""};
    enum trp_status status = trp_run_db_load(record, path, &db, &error);
    assert_string_equal(error.text, "");
    assert_status(status, TRP_OK);
    return db;
}

/* Compares the first value of a query with its expected text. */
static void assert_query(struct trp_run_db *db, const char *sql, const char *expected)
{
    sqlite3_stmt *statement = NULL;
    assert_int_equal(sqlite3_prepare_v2(db->sqlite, sql, -1, &statement, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    const char *text = (const char *)sqlite3_column_text(statement, 0);
    assert_string_equal(text == NULL ? "NULL" : text, expected);
    sqlite3_finalize(statement);
}

static void tables_have_what_was_recorded(void **state)
{
    (void)state;
    struct trp_run_record *record = new_record();
    uint32_t hosts[] = {3, 4};
    trp_run_begin(record, &(struct trp_run_start){.scenario = "s", .seed = UINT64_MAX});
    trp_run_host(record, &(struct trp_run_host){.index = 4, .name = "old", .started = TRP_S(1)});
    trp_run_host(record, &(struct trp_run_host){.index = 4, .name = "west-4", .zone = "west"});
    trp_run_host_totals(record, 4, &(struct trp_run_host_totals){.bytes_sent = 10, .lives = 2});
    trp_run_host_totals(record, 99, &(struct trp_run_host_totals){.bytes_sent = 1});
    struct trp_run_request request = {
        .kind = TRP_RUN_ASK, .host = 4, .workload = "asks", .started = TRP_S(2), .cause = 9};
    uint64_t answered = trp_run_request_start(record, &request);
    trp_run_request_outcome(record, answered, TRP_S(3), TRP_ETIMEDOUT);
    trp_run_request_outcome(record, answered, TRP_S(4), TRP_OK);
    request.host = TRP_RUN_NO_HOST;
    assert_int_equal(trp_run_request_start(record, &request), 2);
    request.kind = TRP_RUN_TELL;
    assert_int_equal(trp_run_request_start(record, &request), 3);
    uint64_t lookup = trp_run_lookup_start(record, &(struct trp_run_lookup){.name = "x"});
    trp_run_lookup_finish(record, lookup,
                          &(struct trp_run_lookup_end){.finished = 7, .found = true});
    trp_run_lookup_finish(record, lookup, &(struct trp_run_lookup_end){.finished = 8});
    trp_run_lookup_finish(record, 12, &(struct trp_run_lookup_end){.finished = 8});
    (void)trp_run_lookup_start(record, &(struct trp_run_lookup){.name = "y"});
    struct trp_run_fault fault = {
        .id = 17, .kind = "pause", .hosts = hosts, .hosts_count = 2, .started = TRP_S(5)};
    trp_run_fault_start(record, &fault);
    trp_run_fault_end(record, 17, TRP_S(6));
    trp_run_fault_start(record, &fault);
    uint32_t metric = trp_run_metric(record, "m", "ratio", NULL);
    assert_int_equal(trp_run_metric(record, "m", NULL, NULL), metric);
    trp_run_sample(record, metric, TRP_S(1), 4, 0.5);
    trp_run_sample(record, metric, TRP_S(2), TRP_RUN_NO_HOST, 0.25);
    trp_run_sample(record, metric, TRP_S(2), TRP_RUN_NO_HOST, (double)NAN);
    struct trp_run_db *db = load(record, NULL);
    assert_query(db, "SELECT name || zone || lives || bytes_sent FROM host", "west-4west210");
    assert_query(db, "SELECT count(*) FROM host", "1");
    assert_query(db, "SELECT status || outcomes || latency_ns || cause FROM ask WHERE id = 1",
                 "ETIMEDOUT210000000009");
    assert_query(db, "SELECT count(*) FROM ask WHERE outcomes <> 1", "2");
    assert_query(db, "SELECT count(*) FROM ask WHERE status IS NULL AND host IS NULL", "1");
    assert_query(db, "SELECT group_concat(id) FROM tell", "3");
    assert_query(db, "SELECT count(*) FROM request WHERE finished_ns IS NULL", "2");
    assert_query(db, "SELECT finished_ns || found FROM lookup WHERE id = 1", "71");
    assert_query(db, "SELECT finished_ns FROM lookup WHERE id = 2", "NULL");
    assert_query(db, "SELECT group_concat(ifnull(ended_ns, '-')) FROM fault", "6000000000,-");
    assert_query(db, "SELECT group_concat(DISTINCT host) FROM fault_host WHERE fault = 17", "3,4");
    assert_query(db, "SELECT group_concat(name || value || ifnull(host, '-') || unit) FROM metric",
                 "m0.54ratio,m0.25-ratio");
    assert_query(db, "SELECT code || class FROM status WHERE name = 'ETIMEDOUT'", "-62io");
    struct trp_run_error error;
    trp_run_expect(record, &(struct trp_run_expectation){
                               .text = "t", .verdict = TRP_RUN_BROKEN, .failed = TRP_NEVER});
    trp_run_finish(record, &(struct trp_run_end){.outcome = TRP_RUN_TIMED_OUT, .events = 5});
    assert_status(trp_run_db_save(db, record, &error), TRP_OK);
    assert_query(db, "SELECT seed || outcome FROM run", "18446744073709551615timed out");
    assert_query(db, "SELECT outcome || ifnull(failed_ns, '-') FROM expectation", "broken-");
    assert_true(trp_run_db_info(db)->seed == UINT64_MAX);
    assert_int_equal(trp_run_db_info(db)->outcome, TRP_RUN_TIMED_OUT);
    assert_int_equal(trp_run_db_info(db)->hosts, 1);
    assert_string_equal(trp_run_db_info(db)->about, "");
    assert_status(trp_run_db_save(db, record, &error), TRP_ESTATE);
    trp_run_db_close(db);
    trp_run_record_free(record);
}

static void events_come_with_names_and_readable_values(void **state)
{
    (void)state;
    struct trp_run_record *record = new_record();
    struct trp_recorder recorder;
    trp_recorder_init(&recorder, trp_run_record_sink(record));
    struct trp_trace trace = {.recorder = &recorder, .node = 7, .now = TRP_S(3)};
    uint64_t first = trp_trace_limit_reached(
        &trace, &(struct trp_event_limit_reached){.limit = trp_bytes_text("a\xff\x01z"),
                                                  .value = UINT64_MAX});
    trace.cause = first;
    trace.now = TRP_S(2); /* a trace of several nodes may step back */
    trp_trace_request_failed(&trace,
                             &(struct trp_event_request_failed){.status = TRP_EREPLYTIMEOUT});
    struct trp_run_db *db = load(record, NULL);
    assert_query(db, "SELECT \"limit\" FROM event_limit_reached", "a\xef\xbf\xbd\xef\xbf\xbdz");
    assert_query(db, "SELECT value FROM event_limit_reached", "18446744073709551615");
    assert_query(db, "SELECT status FROM event_request_failed", "EREPLYTIMEOUT");
    assert_query(db, "SELECT peer FROM event_request_failed", "NULL");
    assert_query(db,
                 "SELECT seq || ' ' || cause || ' ' || time_ns || ' ' || host FROM event "
                 "WHERE kind = 'request_failed'",
                 "2 1 2000000000 7");
    assert_query(db, "SELECT fields FROM event WHERE kind = 'request_failed'",
                 "peer= inbound=0 status=EREPLYTIMEOUT");
    trp_run_db_close(db);
    trp_run_record_free(record);
}

static void every_kind_has_its_view(void **state)
{
    (void)state;
    struct trp_run_record *record = new_record();
    struct trp_run_db *db = load(record, NULL);
    const struct trp_trace_kind *kind;
    uint32_t k = 0;
    for (; (kind = trp_trace_kind_at(k)) != NULL; k++) {
        char sql[128];
        (void)snprintf(sql, sizeof sql, "SELECT count(*) FROM event_%s", kind->name);
        assert_query(db, sql, "0");
        (void)snprintf(sql, sizeof sql, "SELECT count(*) FROM event_field WHERE kind = %d",
                       kind->id);
        char fields[8];
        (void)snprintf(fields, sizeof fields, "%u", kind->fields_count);
        assert_query(db, sql, fields);
    }
    assert_true(k > 0);
    trp_run_db_close(db);
    trp_run_record_free(record);
}

static void full_log_keeps_the_newest_events(void **state)
{
    (void)state;
    struct trp_run_record *record = new_limited(&(struct trp_run_limits){.events_bytes = 65536});
    struct trp_recorder recorder;
    trp_recorder_init(&recorder, trp_run_record_sink(record));
    struct trp_trace trace = {.recorder = &recorder};
    uint8_t text[3000];
    memset(text, 'x', sizeof text);
    for (uint32_t i = 0; i < 500; i++) {
        trace.now = TRP_MS(i);
        trp_trace_limit_reached(
            &trace, &(struct trp_event_limit_reached){
                        .limit = trp_bytes(text, i % 2 == 0 ? sizeof text : 3), .value = i});
    }
    uint64_t dropped = trp_run_record_dropped(record).events;
    assert_in_range(dropped, 300, 499);
    struct trp_run_db *db = load(record, NULL);
    char expected[64];
    (void)snprintf(expected, sizeof expected, "%u 500 %u", (unsigned)dropped + 1,
                   500 - (unsigned)dropped);
    assert_query(db, "SELECT min(seq) || ' ' || max(seq) || ' ' || count(*) FROM event", expected);
    assert_query(db,
                 "SELECT count(*) FROM event_limit_reached WHERE value <> seq - 1 OR "
                 "time_ns <> value * 1000000 OR "
                 "length(\"limit\") <> iif(value % 2 = 0, 1024, 3)",
                 "0");
    trp_run_db_close(db);
    trp_run_record_free(record);
}

static void rows_over_the_limit_are_counted_and_make_checks_undecided(void **state)
{
    (void)state;
    struct trp_run_record *record = new_limited(&(struct trp_run_limits){.rows = 2});
    struct trp_run_request request = {.started = 1};
    for (uint64_t i = 0; i < 5; i++) {
        uint64_t id = trp_run_request_start(record, &request);
        assert_int_equal(id, i < 2 ? i + 1 : 0);
        trp_run_request_outcome(record, id, 2, TRP_OK);
    }
    assert_int_equal(trp_run_record_dropped(record).requests, 3);
    struct trp_run_db *db = load(record, NULL);
    struct trp_run_check check;
    trp_run_db_check(db, "SELECT count(*) = 0 FROM ask WHERE outcomes <> 1", 0, &check);
    assert_int_equal(check.verdict, TRP_RUN_UNDECIDED);
    assert_non_null(strstr(check.detail, "incomplete"));
    trp_run_db_check(db, "SELECT count(*) = 0 FROM lookup", 0, &check);
    assert_int_equal(check.verdict, TRP_RUN_HELD);
    trp_run_db_close(db);
    trp_run_record_free(record);
}

static void skips_events_when_asked(void **state)
{
    (void)state;
    struct trp_run_record *record = new_limited(&(struct trp_run_limits){.skip_events = true});
    synthetic_fill(record);
    struct trp_run_db *db = load(record, NULL);
    assert_query(db, "SELECT count(*) FROM event", "0");
    assert_query(db, "SELECT count(*) > 600 FROM ask", "1");
    struct trp_run_error error;
    assert_status(trp_run_db_save(db, record, &error), TRP_OK);
    assert_query(db, "SELECT events_skipped = events AND events > 60 FROM run", "1");
    trp_run_db_close(db);
    trp_run_record_free(record);
}

static void saved_file_reads_back(void **state)
{
    (void)state;
    struct trp_run_record *record = new_record();
    synthetic_fill(record);
    struct trp_run_db *db = load(record, path_of("run.db"));
    struct trp_run_error error;
    assert_int_equal(access(path_of("run.db"), F_OK), -1);
    assert_status(trp_run_db_save(db, record, &error), TRP_OK);
    assert_int_equal(files_count(false), 1);
    assert_query(db, "SELECT count(*) > 600 FROM ask", "1");
    trp_run_db_close(db);
    assert_status(trp_run_db_open(path_of("run.db"), &db, &error), TRP_OK);
    const struct trp_run_info *info = trp_run_db_info(db);
    assert_string_equal(info->scenario, "partition-heal");
    assert_string_equal(info->reproduce, SYNTHETIC_REPRODUCE);
    assert_int_equal(info->outcome, TRP_RUN_FAILED);
    assert_int_equal(info->hosts, SYNTHETIC_HOSTS);
    assert_true(info->sim_ns == TRP_MIN(10));
    assert_query(db, "PRAGMA integrity_check", "ok");
    assert_query(db, "SELECT count(*) FROM pragma_foreign_key_check", "0");
    trp_run_db_close(db);
    trp_run_record_free(record);
}

static void unsaved_file_leaves_nothing(void **state)
{
    (void)state;
    struct trp_run_record *record = new_record();
    struct trp_run_db *db = load(record, path_of("run.db"));
    assert_int_equal(files_count(false), 1);
    trp_run_db_close(db);
    assert_int_equal(files_count(false), 0);
    struct trp_run_error error;
    assert_status(trp_run_db_load(record, path_of("none/run.db"), &db, &error), TRP_EIO);
    assert_non_null(strstr(error.text, "none/run.db"));
    trp_run_record_free(record);
}

/* A file size limit stands in for a full disk. */
static void full_disk_keeps_the_old_file(void **state)
{
    (void)state;
    struct trp_run_record *record = new_record();
    FILE *old = fopen(path_of("run.db"), "w");
    assert_non_null(old);
    assert_int_equal(fputs("old", old) < 0, 0);
    assert_int_equal(fclose(old), 0);
    synthetic_fill(record);
    struct rlimit before;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    (void)signal(SIGXFSZ, SIG_IGN);
    uint32_t refused = 0;
    for (rlim_t size = 0; size < 2000000; size += 190000) {
        struct rlimit small = {.rlim_cur = size, .rlim_max = before.rlim_max};
        struct trp_run_db *db = NULL;
        struct trp_run_error error = {""};
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
        enum trp_status status = trp_run_db_load(record, path_of("run.db"), &db, &error);
        status = status == TRP_OK ? trp_run_db_save(db, record, &error) : status;
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
        trp_run_db_close(status == TRP_OK || db != NULL ? db : NULL);
        if (status == TRP_OK) {
            break;
        }
        refused++;
        assert_status(status, TRP_EIO);
        assert_string_not_equal(error.text, "");
        assert_int_equal(files_count(false), 1);
        char text[8] = "";
        old = fopen(path_of("run.db"), "r");
        assert_non_null(fgets(text, sizeof text, old));
        assert_int_equal(fclose(old), 0);
        assert_string_equal(text, "old");
    }
    assert_true(refused > 1);
    trp_run_record_free(record);
}

static void foreign_files_are_refused(void **state)
{
    (void)state;
    struct trp_run_db *db = NULL;
    struct trp_run_error error;
    assert_status(trp_run_db_open(path_of("none.db"), &db, &error), TRP_EIO);
    FILE *file = fopen(path_of("text.db"), "w");
    assert_non_null(file);
    for (uint32_t i = 0; i < 100; i++) {
        assert_true(fputs("this is not a database at all\n", file) >= 0);
    }
    assert_int_equal(fclose(file), 0);
    assert_status(trp_run_db_open(path_of("text.db"), &db, &error), TRP_EMALFORMED);
    sqlite3 *other = NULL;
    assert_int_equal(sqlite3_open(path_of("other.db"), &other), SQLITE_OK);
    assert_int_equal(sqlite3_exec(other, "CREATE TABLE t (x)", NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_close(other), SQLITE_OK);
    assert_status(trp_run_db_open(path_of("other.db"), &db, &error), TRP_EMALFORMED);
    assert_non_null(strstr(error.text, "other.db"));
}

static void checks_give_verdicts(void **state)
{
    (void)state;
    struct trp_run_record *record = new_record();
    synthetic_fill(record);
    struct trp_run_db *db = load(record, NULL);
    const struct {
        const char *sql;
        enum trp_run_verdict verdict;
        const char *detail;
    } cases[] = {
        {"SELECT count(*) > 100 FROM ask", TRP_RUN_HELD, ""},
        {"SELECT 1; -- end", TRP_RUN_HELD, ""},
        {"SELECT 0.25", TRP_RUN_HELD, ""},
        {"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5) "
         "SELECT count(*) = 5 FROM n",
         TRP_RUN_HELD, ""},
        {"SELECT (SELECT count(*) FROM tell) + (SELECT count(*) FROM lookup) + "
         "(SELECT count(*) FROM fault) + (SELECT count(*) FROM host) + "
         "(SELECT count(*) FROM metric) + (SELECT count(*) FROM event) > 100",
         TRP_RUN_HELD, ""},
        {"SELECT count(*) = 0 FROM ask WHERE outcomes > 1", TRP_RUN_BROKEN, "gives 0"},
        {"SELECT NULL", TRP_RUN_BROKEN, "NULL"},
        {"SELECT avg(latency_ns) FROM ask WHERE id < 0", TRP_RUN_BROKEN, "NULL"},
        {"SELECT 'yes'", TRP_RUN_UNDECIDED, "text"},
        {"SELECT 1 WHERE 0", TRP_RUN_UNDECIDED, "no row"},
        {"SELECT 1 UNION ALL SELECT 1", TRP_RUN_UNDECIDED, "more than one row"},
        {"SELECT 1, 2", TRP_RUN_UNDECIDED, "one column"},
        {"SELECT 1; SELECT 0", TRP_RUN_UNDECIDED, "more than one statement"},
        {"", TRP_RUN_UNDECIDED, "no statement"},
        {"SELEKT 1", TRP_RUN_UNDECIDED, "syntax"},
        {"SELECT count(*) FROM nowhere", TRP_RUN_UNDECIDED, "no such table"},
        {"DELETE FROM request", TRP_RUN_UNDECIDED, "only reading"},
        {"UPDATE request SET outcomes = 1", TRP_RUN_UNDECIDED, "only reading"},
        {"PRAGMA writable_schema = 1", TRP_RUN_UNDECIDED, "only reading"},
        {"ATTACH '/tmp/x.db' AS x", TRP_RUN_UNDECIDED, "only reading"},
        {"COMMIT", TRP_RUN_UNDECIDED, "only reading"},
        {"SELECT count(*) = 0 FROM run", TRP_RUN_UNDECIDED, "table run is filled"},
        {"SELECT count(*) = 0 FROM expectation", TRP_RUN_UNDECIDED, "after the checks"},
        {"SELECT random()", TRP_RUN_UNDECIDED, "random"},
        {"SELECT datetime('now')", TRP_RUN_UNDECIDED, "datetime"},
        {"SELECT current_timestamp > 0", TRP_RUN_UNDECIDED, "current_timestamp"},
        {"SELECT length(zeroblob(500000000))", TRP_RUN_UNDECIDED, "too big"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct trp_run_check check;
        trp_run_db_check(db, cases[i].sql, 0, &check);
        if (check.verdict != cases[i].verdict || strstr(check.detail, cases[i].detail) == NULL) {
            fail_msg("%s: %s, %s", cases[i].sql, trp_run_verdict_name(check.verdict), check.detail);
        }
    }
    struct trp_run_check check;
    trp_run_db_check(db, "SELECT 2.5", 0, &check);
    assert_true(check.has_value && check.value > 2.4 && check.value < 2.6);
    trp_run_db_check(db,
                     "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) "
                     "SELECT count(*) FROM n",
                     TRP_MS(50), &check);
    assert_string_equal(check.detail, "the statement took too long");
    assert_query(db, "SELECT count(*) > 100 FROM request", "1");
    trp_run_db_close(db);
    trp_run_record_free(record);
}

int main(void)
{
#define IN_DIRECTORY(test) cmocka_unit_test_setup_teardown(test, make_directory, remove_directory)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tables_have_what_was_recorded),
        cmocka_unit_test(events_come_with_names_and_readable_values),
        cmocka_unit_test(every_kind_has_its_view),
        cmocka_unit_test(full_log_keeps_the_newest_events),
        cmocka_unit_test(rows_over_the_limit_are_counted_and_make_checks_undecided),
        cmocka_unit_test(skips_events_when_asked),
        IN_DIRECTORY(saved_file_reads_back),
        IN_DIRECTORY(unsaved_file_leaves_nothing),
        IN_DIRECTORY(full_disk_keeps_the_old_file),
        IN_DIRECTORY(foreign_files_are_refused),
        cmocka_unit_test(checks_give_verdicts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
