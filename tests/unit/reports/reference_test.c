/* SPDX-License-Identifier: MIT */
/* Keeps reports/EVENTS.md and reports/README.md in step with the code. After a change of
 * events.def, run this program with --write to make EVENTS.md anew. */
#define _POSIX_C_SOURCE 200809L
#include "report_files.h"

#include "reports/query/query.h"

#define EVENTS_PAGE TESTS_DIR "/../reports/EVENTS.md"
#define README_PAGE TESTS_DIR "/../reports/README.md"

static const char *const levels[] = {"ERROR", "WARN", "INFO", "DEBUG"};
static const char *const types[] = {"number", "signed number", "span (ns)", "status",
                                    "text",   "bytes (hex)",   "PeerId"};

/* Writes the page of all events; the caller frees it. */
static char *events_page(void)
{
    char *page = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&page, &size);
    assert_non_null(out);
    (void)fputs("# Trace events\n\n"
                "Made from `runtime/trace/events.def` by the test `unit.reports.reference`; do not "
                "edit.\nIn a run.db each kind is the view `event_<name>`.\n",
                out);
    const struct trp_trace_kind *kind;
    for (uint32_t k = 0; (kind = trp_trace_kind_at(k)) != NULL; k++) {
        assert_ptr_equal(trp_trace_kind_find(kind->name), kind);
        (void)fprintf(out, "\n## %u `%s`\n\n%s: %s.\n\n| field | type | |\n|---|---|---|\n",
                      kind->id, kind->name, levels[kind->level], kind->about);
        for (uint32_t i = 0; i < kind->fields_count; i++) {
            (void)fprintf(out, "| `%s` | %s | %s |\n", kind->fields[i].name,
                          types[kind->fields[i].type], kind->fields[i].about);
        }
    }
    assert_int_equal(fclose(out), 0);
    return page;
}

static void events_page_is_in_step(void **state)
{
    (void)state;
    char *expected = events_page();
    char *actual = read_whole(EVENTS_PAGE);
    if (strcmp(expected, actual) != 0) {
        fail_msg("reports/EVENTS.md is out of step: run unit.reports.reference --write");
    }
    free(actual);
    free(expected);
}

static void readme_names_every_table_and_column(void **state)
{
    (void)state;
    struct trp_run_db *db = synthetic_database();
    char *readme = read_whole(README_PAGE);
    struct query query = query_open(
        db, "SELECT m.name, c.name FROM sqlite_schema AS m, pragma_table_xinfo(m.name) AS c "
            "WHERE m.type IN ('table', 'view') AND (m.name NOT GLOB 'event_*' OR "
            "m.name IN ('event_row', 'event_kind', 'event_field'))");
    uint32_t columns = 0;
    for (; query_next(&query); columns++) {
        for (int i = 0; i < 2; i++) {
            char name[80];
            (void)snprintf(name, sizeof name, "`%s`", query_text(&query, i));
            if (strstr(readme, name) == NULL) {
                fail_msg("README.md does not name %s of table %s", name, query_text(&query, 0));
            }
        }
    }
    assert_in_range(columns, 100, 300);
    assert_status(query_close(&query), TRP_OK);
    free(readme);
    trp_run_db_close(db);
}

static void queries_of_the_readme_give_rows(void **state)
{
    (void)state;
    struct trp_run_db *db = synthetic_database();
    char *readme = read_whole(README_PAGE);
    uint32_t queries = 0;
    for (char *at = readme; (at = strstr(at, "```sql\n")) != NULL; queries++) {
        at += strlen("```sql\n");
        char *end = strstr(at, "```");
        assert_non_null(end);
        *end = '\0';
        struct query query = query_open(db, at);
        bool has_row = query_next(&query);
        if (query.status != TRP_OK || !has_row || query_is_null(&query, 0)) {
            fail_msg("no answer to: %s (%s)", at, sqlite3_errmsg(db->sqlite));
        }
        assert_status(query_close(&query), TRP_OK);
        at = end + 1;
    }
    assert_in_range(queries, 6, 40);
    free(readme);
    trp_run_db_close(db);
}

static int write_page(void)
{
    char *page = events_page();
    FILE *file = fopen(EVENTS_PAGE, "w");
    bool written = file != NULL && fputs(page, file) >= 0;
    written = file != NULL && fclose(file) == 0 && written;
    free(page);
    return written ? EXIT_SUCCESS : EXIT_FAILURE;
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "--write") == 0) {
        return write_page();
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(events_page_is_in_step),
        cmocka_unit_test(readme_names_every_table_and_column),
        cmocka_unit_test(queries_of_the_readme_give_rows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
