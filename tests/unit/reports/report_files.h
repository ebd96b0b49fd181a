/* SPDX-License-Identifier: MIT */
/* What the tests of reports share: a database of the synthetic run, a directory, whole files. */
#ifndef REPORT_FILES_H
#define REPORT_FILES_H

#include "lib/test.h"
#include "synthetic_run.h"

#include "reports/store/run_db.h"

#include <dirent.h>
#include <stdlib.h>
#include <unistd.h>

static char report_directory[64];

static inline int make_directory(void **state)
{
    (void)state;
    (void)snprintf(report_directory, sizeof report_directory, "/tmp/troupe-reports-XXXXXX");
    return mkdtemp(report_directory) == NULL ? -1 : 0;
}

/* Counts the files of the directory, and removes them on request. */
static inline uint32_t files_count(bool remove)
{
    uint32_t count = 0;
    DIR *opened = opendir(report_directory);
    assert_non_null(opened);
    for (struct dirent *entry; (entry = readdir(opened)) != NULL;) {
        if (entry->d_name[0] != '.') {
            char path[400];
            (void)snprintf(path, sizeof path, "%s/%s", report_directory, entry->d_name);
            count++;
            if (remove) {
                (void)unlink(path);
            }
        }
    }
    (void)closedir(opened);
    return count;
}

static inline int remove_directory(void **state)
{
    (void)state;
    (void)files_count(true);
    return rmdir(report_directory);
}

/* Gives a path in the directory; valid until the next call. */
static inline const char *path_of(const char *name)
{
    static char path[400];
    (void)snprintf(path, sizeof path, "%s/%s", report_directory, name);
    return path;
}

static inline struct trp_run_record *new_record(void)
{
    struct trp_run_record *record = NULL;
    assert_status(trp_run_record_new(NULL, &record), TRP_OK);
    return record;
}

/* Makes a database in memory of a finished record, and frees the record. */
static inline struct trp_run_db *database_of(struct trp_run_record *record)
{
    struct trp_run_db *db = NULL;
    struct trp_run_error error;
    assert_status(trp_run_db_load(record, NULL, &db, &error), TRP_OK);
    assert_status(trp_run_db_save(db, record, &error), TRP_OK);
    trp_run_record_free(record);
    return db;
}

static inline struct trp_run_db *synthetic_database(void)
{
    struct trp_run_record *record = new_record();
    synthetic_fill(record);
    return database_of(record);
}

/* A run whose every text tries to break out of where it is shown. */
static inline struct trp_run_db *hostile_database(void)
{
    static const char evil[] = "</title><script>alert(1)</script><img src=x onerror='alert(2)'>"
                               "\"'`$(touch /tmp/x)`&amp;\x1b[31m\xff\xfe%s%n";
    struct trp_run_record *record = new_record();
    uint32_t hosts[] = {0};
    trp_run_begin(record, &(struct trp_run_start){evil, evil, evil, evil, 1, evil, evil, evil, evil,
                                                  evil, evil});
    trp_run_host(record, &(struct trp_run_host){0, evil, evil, evil, evil, evil, 0});
    trp_run_host_totals(record, 0, &(struct trp_run_host_totals){.bytes_sent = 5, .lives = 1});
    for (uint32_t i = 0; i < 4; i++) {
        uint64_t ask = trp_run_request_start(
            record, &(struct trp_run_request){TRP_RUN_ASK, 0, evil, evil, evil, TRP_S(i), 0});
        trp_run_request_outcome(record, ask, TRP_S(i) + 5, i == 2 ? TRP_EREFUSED : TRP_OK);
        uint64_t lookup =
            trp_run_lookup_start(record, &(struct trp_run_lookup){0, evil, evil, TRP_S(i), 0});
        trp_run_lookup_finish(
            record, lookup, &(struct trp_run_lookup_end){.finished = TRP_S(i) + 9, .found = true});
        uint32_t metric = trp_run_metric(record, evil, evil, evil);
        trp_run_sample(record, metric, TRP_S(i), TRP_RUN_NO_HOST, i);
    }
    trp_run_fault_start(record, &(struct trp_run_fault){1, evil, evil, hosts, 1, TRP_S(1), 0});
    trp_run_expect(record, &(struct trp_run_expectation){.text = evil,
                                                         .kind = evil,
                                                         .verdict = TRP_RUN_BROKEN,
                                                         .has_value = true,
                                                         .unit = evil,
                                                         .detail = evil,
                                                         .failed = TRP_S(2),
                                                         .line = 1});
    trp_run_finish(record, &(struct trp_run_end){.outcome = TRP_RUN_FAILED,
                                                 .failure = evil,
                                                 .decisions = evil,
                                                 .trace_hash = evil,
                                                 .sim_ns = TRP_S(5)});
    return database_of(record);
}

/* Reads a whole file; the caller frees it. */
static inline char *read_whole(const char *path)
{
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    const size_t room = 8u << 20;
    char *text = malloc(room);
    assert_non_null(text);
    size_t size = fread(text, 1, room - 1, file);
    assert_int_equal(fclose(file), 0);
    assert_in_range(size, 0, room - 2);
    text[size] = '\0';
    return text;
}

/* Compares a text with tests/golden/reports/<name>, or writes it there when asked to. */
static inline void assert_golden(const char *name, const char *text, bool write)
{
    char path[512];
    (void)snprintf(path, sizeof path, "%s/golden/reports/%s", TESTS_DIR, name);
    if (write) {
        FILE *file = fopen(path, "w");
        assert_non_null(file);
        assert_true(fputs(text, file) >= 0);
        assert_int_equal(fclose(file), 0);
        return;
    }
    char *expected = read_whole(path);
    assert_string_equal(text, expected);
    free(expected);
}

#endif
