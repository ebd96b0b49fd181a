/* SPDX-License-Identifier: MIT */
/* With --write the golden summary is made anew. */
#define _POSIX_C_SOURCE 200809L
#include "report_files.h"

#include "reports/render/report_text.h"
#include "reports/store/utf8.h"

static bool write_golden;

/* Gives the summary as a text; the caller frees it. */
static char *summary(struct trp_run_db *db, const struct trp_report_text_options *options)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    assert_non_null(out);
    assert_status(trp_report_text(db, options, out), TRP_OK);
    assert_int_equal(fclose(out), 0);
    return text;
}

static void summary_is_as_agreed(void **state)
{
    (void)state;
    struct trp_run_db *db = synthetic_database();
    char *text = summary(db, NULL);
    assert_golden("summary.txt", text, write_golden);
    free(text);
    text = summary(db, &(struct trp_report_text_options){.brief = true});
    assert_golden("summary_brief.txt", text, write_golden);
    free(text);
    trp_run_db_close(db);
}

static void reproduce_command_is_the_last_line(void **state)
{
    (void)state;
    struct trp_run_db *db = synthetic_database();
    for (uint32_t i = 0; i < 4; i++) {
        char *text = summary(
            db, &(struct trp_report_text_options){.color = i % 2 == 1, .brief = i / 2 == 1});
        const char *last = "\n" SYNTHETIC_REPRODUCE "\n";
        assert_string_equal(text + strlen(text) - strlen(last), last);
        free(text);
    }
    trp_run_db_close(db);
}

static void colors_only_when_asked(void **state)
{
    (void)state;
    struct trp_run_db *db = synthetic_database();
    char *plain = summary(db, NULL);
    char *colored = summary(db, &(struct trp_report_text_options){.color = true});
    assert_null(strchr(plain, '\x1b'));
    assert_non_null(strstr(colored, "\x1b[31m"));
    FILE *file = tmpfile();
    assert_non_null(file);
    assert_false(trp_report_wants_color(file));
    assert_int_equal(fclose(file), 0);
    free(plain);
    free(colored);
    trp_run_db_close(db);
}

static void hostile_texts_send_nothing_to_the_terminal(void **state)
{
    (void)state;
    struct trp_run_db *db = hostile_database();
    char *text = summary(db, NULL);
    assert_true(utf8_is_clean(trp_bytes_text(text)));
    free(text);
    trp_run_db_close(db);
}

static void empty_run_has_a_summary(void **state)
{
    (void)state;
    struct trp_run_db *db = database_of(new_record());
    char *text = summary(db, NULL);
    assert_non_null(strstr(text, "unfinished"));
    free(text);
    trp_run_db_close(db);
}

static void unsaved_run_has_a_summary(void **state)
{
    (void)state;
    struct trp_run_record *record = new_record();
    struct trp_run_db *db = NULL;
    struct trp_run_error error;
    synthetic_fill(record);
    assert_status(trp_run_db_load(record, NULL, &db, &error), TRP_OK);
    char *text = summary(db, NULL);
    assert_non_null(strstr(text, "unfinished"));
    assert_non_null(strstr(text, "ask asks"));
    free(text);
    trp_run_db_close(db);
    trp_run_record_free(record);
}

static void failing_output_is_reported(void **state)
{
    (void)state;
    struct trp_run_db *db = synthetic_database();
    FILE *full = fopen("/dev/full", "w");
    assert_non_null(full);
    assert_status(trp_report_text(db, NULL, full), TRP_EIO);
    (void)fclose(full);
    trp_run_db_close(db);
}

int main(int argc, char **argv)
{
    write_golden = argc == 2 && strcmp(argv[1], "--write") == 0;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(summary_is_as_agreed),
        cmocka_unit_test(reproduce_command_is_the_last_line),
        cmocka_unit_test(colors_only_when_asked),
        cmocka_unit_test(hostile_texts_send_nothing_to_the_terminal),
        cmocka_unit_test(empty_run_has_a_summary),
        cmocka_unit_test(unsaved_run_has_a_summary),
        cmocka_unit_test(failing_output_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
