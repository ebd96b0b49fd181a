/* SPDX-License-Identifier: MIT */
#define _POSIX_C_SOURCE 200809L
#include "report_files.h"

#include "reports/render/report_events.h"

/* A chain of limit_reached events, each the cause of the next; the third has `value`. */
static struct trp_run_db *chain(uint32_t count, uint64_t value, const struct trp_run_limits *limits)
{
    struct trp_run_record *record = NULL;
    assert_status(trp_run_record_new(limits, &record), TRP_OK);
    struct trp_recorder recorder;
    trp_recorder_init(&recorder, trp_run_record_sink(record));
    struct trp_trace trace = {.recorder = &recorder};
    uint8_t text[600];
    memset(text, 'x', sizeof text);
    trp_run_host(record, &(struct trp_run_host){.index = 0, .name = "west-0"});
    for (uint32_t i = 0; i < count; i++) {
        trace.now = TRP_S(i);
        trace.cause = trp_trace_limit_reached(
            &trace, &(struct trp_event_limit_reached){
                        .limit = limits == NULL ? trp_bytes_text("slots") : trp_bytes(text, 600),
                        .value = i == 2 ? value : i});
    }
    return database_of(record);
}

static char *why(struct trp_run_db *db, uint64_t sequence, uint32_t most)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    assert_non_null(out);
    assert_status(trp_report_why(db, sequence, most, out), TRP_OK);
    assert_int_equal(fclose(out), 0);
    return text;
}

static char *diff(struct trp_run_db *a, struct trp_run_db *b, uint64_t *ret_sequence)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    assert_non_null(out);
    assert_status(trp_report_diff(a, b, out, ret_sequence), TRP_OK);
    assert_int_equal(fclose(out), 0);
    return text;
}

static void why_tells_the_first_cause_first(void **state)
{
    (void)state;
    struct trp_run_db *db = chain(4, 2, NULL);
    char *text = why(db, 3, 1000);
    assert_string_equal(text, "  #1  0:00.000  west-0  limit_reached  limit=slots value=0\n"
                              "→ #2  0:01.000  west-0  limit_reached  limit=slots value=1\n"
                              "→ #3  0:02.000  west-0  limit_reached  limit=slots value=2\n");
    free(text);
    char none[8];
    FILE *out = fmemopen(none, sizeof none, "w");
    assert_status(trp_report_why(db, 99, 1000, out), TRP_ENOTFOUND);
    assert_status(trp_report_why(db, UINT64_MAX, 1000, out), TRP_ENOTFOUND);
    assert_int_equal(fclose(out), 0);
    trp_run_db_close(db);
}

static void why_gives_the_nearest_links(void **state)
{
    (void)state;
    struct trp_run_db *db = chain(4, 2, NULL);
    char *text = why(db, 4, 1);
    assert_string_equal(text, "  (from #2)\n"
                              "  #3  0:02.000  west-0  limit_reached  limit=slots value=2\n"
                              "→ #4  0:03.000  west-0  limit_reached  limit=slots value=3\n");
    free(text);
    trp_run_db_close(db);
}

static void why_says_when_a_cause_was_dropped(void **state)
{
    (void)state;
    struct trp_run_db *db = chain(300, 2, &(struct trp_run_limits){.events_bytes = 65536});
    char *text = why(db, 300, 1000);
    assert_memory_equal(text, "  (from #", 9);
    free(text);
    trp_run_db_close(db);
}

static void diff_finds_the_first_event_that_differs(void **state)
{
    (void)state;
    struct trp_run_db *a = chain(4, 2, NULL);
    struct trp_run_db *b = chain(4, 7, NULL);
    struct trp_run_db *shorter = chain(2, 2, NULL);
    uint64_t sequence = 99;
    char *text = diff(a, b, &sequence);
    assert_int_equal(sequence, 3);
    assert_string_equal(text, "equal up to event #2\n"
                              "a  #3  0:02.000  host 0  limit_reached  limit=slots value=2  "
                              "(because of #2)\n"
                              "b  #3  0:02.000  host 0  limit_reached  limit=slots value=7  "
                              "(because of #2)\n");
    free(text);
    text = diff(a, shorter, &sequence);
    assert_int_equal(sequence, 3);
    assert_non_null(strstr(text, "b  (no more events)"));
    free(text);
    text = diff(a, a, &sequence);
    assert_int_equal(sequence, 0);
    assert_string_equal(text, "all events are equal\n");
    free(text);
    trp_run_db_close(a);
    trp_run_db_close(b);
    trp_run_db_close(shorter);
}

static void diff_aligns_runs_that_lost_their_beginning(void **state)
{
    (void)state;
    struct trp_run_limits small = {.events_bytes = 65536};
    struct trp_run_limits large = {.events_bytes = 1u << 22};
    struct trp_run_db *cut = chain(300, 2, &small);
    struct trp_run_db *whole = chain(300, 2, &large);
    uint64_t sequence = 99;
    char *text = diff(cut, whole, &sequence);
    assert_int_equal(sequence, 0);
    assert_non_null(strstr(text, "were dropped and are not compared"));
    free(text);
    trp_run_db_close(cut);
    trp_run_db_close(whole);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(why_tells_the_first_cause_first),
        cmocka_unit_test(why_gives_the_nearest_links),
        cmocka_unit_test(why_says_when_a_cause_was_dropped),
        cmocka_unit_test(diff_finds_the_first_event_that_differs),
        cmocka_unit_test(diff_aligns_runs_that_lost_their_beginning),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
