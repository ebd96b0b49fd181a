/* SPDX-License-Identifier: MIT */
/* With --write the golden object is made anew. */
#define _POSIX_C_SOURCE 200809L
#include "report_files.h"

#include "reports/render/report_json.h"
#include "reports/store/utf8.h"

static bool write_golden;

/* Gives the object as a text; the caller frees it. */
static char *object(struct trp_run_db *db, const char *directory)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    assert_non_null(out);
    assert_status(trp_report_json(db, directory, out), TRP_OK);
    assert_int_equal(fclose(out), 0);
    return text;
}

static void object_is_as_agreed(void **state)
{
    (void)state;
    struct trp_run_db *db = synthetic_database();
    char *text = object(db, "out/heal");
    assert_golden("result.json", text, write_golden);
    free(text);
    trp_run_db_close(db);
}

static void one_line_whatever_the_texts(void **state)
{
    (void)state;
    struct trp_run_db *db = hostile_database();
    char *text = object(db, "a \"directory\"\\\n");
    assert_true(utf8_is_clean(trp_bytes_text(text)));
    assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
    assert_non_null(strstr(text, "\"out\":\"a \\\"directory\\\"\\\\\\n\"}"));
    free(text);
    trp_run_db_close(db);
}

static void run_that_passed_has_no_failure(void **state)
{
    (void)state;
    struct trp_run_record *record = new_record();
    trp_run_finish(record, &(struct trp_run_end){.outcome = TRP_RUN_PASSED});
    struct trp_run_db *db = database_of(record);
    char *text = object(db, NULL);
    assert_non_null(strstr(text, "\"outcome\":\"passed\""));
    assert_non_null(strstr(text, "\"trace_hash\":null"));
    assert_non_null(strstr(text, "\"expectations\":[],\"failure\":null,\"out\":null}\n"));
    free(text);
    trp_run_db_close(db);
}

/* The first that broke is named, though others could not be decided before it. */
static void failure_names_what_broke(void **state)
{
    (void)state;
    struct trp_run_record *record = new_record();
    trp_run_expect(record, &(struct trp_run_expectation){.text = "unknown",
                                                         .kind = "sql",
                                                         .verdict = TRP_RUN_UNDECIDED,
                                                         .failed = TRP_NEVER});
    trp_run_expect(record, &(struct trp_run_expectation){.text = "broken",
                                                         .kind = "always",
                                                         .verdict = TRP_RUN_BROKEN,
                                                         .failed = TRP_MS(2500),
                                                         .sequence = 7});
    trp_run_finish(record,
                   &(struct trp_run_end){.outcome = TRP_RUN_FAILED, .failure = "broken: so"});
    struct trp_run_db *db = database_of(record);
    char *text = object(db, NULL);
    /* Its event was not recorded: no host, no causes. */
    assert_non_null(strstr(text, "\"failure\":{\"text\":\"broken: so\",\"reproduce\":null,"
                                 "\"expectation\":\"broken\",\"time_s\":2.5,\"event\":7,"
                                 "\"causes\":[]}"));
    free(text);
    trp_run_db_close(db);
}

static void failing_output_is_reported(void **state)
{
    (void)state;
    struct trp_run_db *db = synthetic_database();
    FILE *full = fopen("/dev/full", "w");
    assert_non_null(full);
    assert_status(trp_report_json(db, NULL, full), TRP_EIO);
    (void)fclose(full);
    trp_run_db_close(db);
}

int main(int argc, char **argv)
{
    write_golden = argc == 2 && strcmp(argv[1], "--write") == 0;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(object_is_as_agreed),
        cmocka_unit_test(one_line_whatever_the_texts),
        cmocka_unit_test(run_that_passed_has_no_failure),
        cmocka_unit_test(failure_names_what_broke),
        cmocka_unit_test(failing_output_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
