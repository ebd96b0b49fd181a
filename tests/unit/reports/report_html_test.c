/* SPDX-License-Identifier: MIT */
#define _POSIX_C_SOURCE 200809L
#include "report_files.h"

#include "reports/render/report_html.h"
#include "reports/store/utf8.h"

#include <poll.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

static bool gnuplot_is_there;

static int find_gnuplot(void **state)
{
    (void)state;
    const char *path = getenv("PATH");
    char file[512];
    while (path != NULL && *path != '\0') {
        size_t size = strcspn(path, ":");
        (void)snprintf(file, sizeof file, "%.*s/gnuplot", (int)size, path);
        gnuplot_is_there = gnuplot_is_there || access(file, X_OK) == 0;
        path += size + (path[size] == ':');
    }
    return 0;
}

/* Writes the page and gives its text; the caller frees it. */
static char *page_of(struct trp_run_db *const *runs, size_t count,
                     const struct trp_report_html_options *options)
{
    struct trp_run_error error = {""};
    enum trp_status status = trp_report_html(runs, count, options, path_of("report.html"), &error);
    assert_string_equal(error.text, "");
    assert_status(status, TRP_OK);
    assert_int_equal(files_count(false), 1);
    return read_whole(path_of("report.html"));
}

static size_t count_of(const char *text, const char *what)
{
    size_t count = 0;
    for (; (text = strstr(text, what)) != NULL; text += strlen(what)) {
        count++;
    }
    return count;
}

/* Checks that every element that is opened is closed, in order. */
static void assert_well_formed(const char *page)
{
    char open[64][16];
    size_t depth = 0;
    for (const char *at = strchr(page, '<'); at != NULL; at = strchr(at + 1, '<')) {
        const char *end = strchr(at, '>');
        assert_non_null(end);
        char name[16];
        bool closes = at[1] == '/';
        size_t size = strcspn(at + 1 + closes, " >/\n");
        assert_in_range(size, 1, sizeof name - 1);
        (void)snprintf(name, sizeof name, "%.*s", (int)size, at + 1 + closes);
        if (strcmp(name, "!doctype") == 0 || strcmp(name, "meta") == 0 || end[-1] == '/') {
            continue;
        }
        if (closes) {
            assert_true(depth > 0);
            assert_string_equal(name, open[--depth]);
        } else {
            assert_true(depth < 64);
            (void)snprintf(open[depth++], sizeof open[0], "%s", name);
        }
    }
    assert_int_equal(depth, 0);
}

static void assert_self_contained(const char *page)
{
    static const char *const forbidden[] = {"http:",   "https:", "<script", " src=",      "url(",
                                            "@import", "<link",  "<iframe", "javascript:"};
    for (size_t i = 0; i < sizeof forbidden / sizeof forbidden[0]; i++) {
        if (strstr(page, forbidden[i]) != NULL) {
            fail_msg("the page has %s", forbidden[i]);
        }
    }
    assert_true(utf8_is_clean(trp_bytes_text(page)));
}

static void page_has_everything_and_needs_nothing(void **state)
{
    (void)state;
    struct trp_run_db *db = synthetic_database();
    char *page = page_of(&db, 1, NULL);
    assert_well_formed(page);
    assert_self_contained(page);
    static const char *const wanted[] = {"partition-heal",
                                         SYNTHETIC_REPRODUCE,
                                         "always: one_outcome_per_ask",
                                         "counter-",
                                         "partition boot + west | east, blackhole",
                                         "dht.recall_at_k",
                                         "west-4",
                                         "EREPLYTIMEOUT",
                                         "prefers-color-scheme: dark",
                                         "sqlite3 -box run.db"};
    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++) {
        if (strstr(page, wanted[i]) == NULL) {
            fail_msg("the page lacks %s", wanted[i]);
        }
    }
    free(page);
    trp_run_db_close(db);
}

static void plots_are_embedded_with_shades_and_tips(void **state)
{
    (void)state;
    if (!gnuplot_is_there) {
        skip();
    }
    struct trp_run_db *db = synthetic_database();
    assert_int_equal(setenv("TMPDIR", report_directory, 1), 0);
    char *page = page_of(&db, 1, NULL); /* and its temporary directory is gone */
    assert_int_equal(unsetenv("TMPDIR"), 0);
    assert_int_equal(count_of(page, "<svg class=\"plot\""), 16);
    assert_int_equal(count_of(page, "var(--axis)") > 16, 1);
    assert_int_equal(count_of(page, "rgb("), 0);
    assert_int_equal(count_of(page, "gnuplot_plot"), 0);
    /* Fourteen plots over time, four kinds of faults each. */
    assert_int_equal(count_of(page, "<rect class=\"fault f"), 14 * 4);
    assert_non_null(strstr(page, "median 91.4 ms") == NULL ? strstr(page, "median ") : page);
    assert_non_null(strstr(page, "\nduring partition boot + west | east, blackhole</title>"));
    free(page);
    trp_run_db_close(db);
}

static void hostile_texts_stay_texts(void **state)
{
    (void)state;
    struct trp_run_db *db = hostile_database();
    char *page = page_of(&db, 1, NULL);
    assert_well_formed(page);
    assert_null(strstr(page, "<script"));
    assert_null(strstr(page, "<img"));
    assert_true(utf8_is_clean(trp_bytes_text(page)));
    assert_int_equal(count_of(page, "<svg class=\"plot\"") > 4, gnuplot_is_there);
    free(page);
    trp_run_db_close(db);
}

static void several_runs_share_a_page(void **state)
{
    (void)state;
    struct trp_run_db *runs[] = {synthetic_database(), database_of(new_record())};
    char *page = page_of(runs, 2, NULL);
    assert_well_formed(page);
    assert_int_equal(count_of(page, "<article"), 2);
    assert_non_null(strstr(page, "href=\"#r2\""));
    free(page);
    trp_run_db_close(runs[0]);
    trp_run_db_close(runs[1]);
}

/* Writes an executable shell script. */
static void write_program(const char *name, const char *text)
{
    FILE *file = fopen(path_of(name), "w");
    assert_non_null(file);
    assert_true(fprintf(file, "#!/bin/sh\n%s\n", text) > 0);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(chmod(path_of(name), 0700), 0);
}

static void without_gnuplot_the_tables_are_there(void **state)
{
    (void)state;
    struct trp_run_db *db = synthetic_database();
    const struct {
        const char *program;
        const char *reason;
    } cases[] = {{"/nowhere/gnuplot", "gnuplot is not installed"},
                 {"false", "gnuplot failed"},
                 {"", "no plots were asked for"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char *page =
            page_of(&db, 1, &(struct trp_report_html_options){.gnuplot = cases[i].program});
        assert_well_formed(page);
        assert_non_null(strstr(page, cases[i].reason));
        assert_null(strstr(page, "<svg class=\"plot\""));
        assert_non_null(strstr(page, "asks"));
        free(page);
    }
    trp_run_db_close(db);
}

static void hanging_gnuplot_is_killed(void **state)
{
    (void)state;
    struct trp_run_db *db = synthetic_database();
    write_program("hang", "sleep 600 & wait");
    char program[400];
    (void)snprintf(program, sizeof program, "%s", path_of("hang"));
    int ends[2]; /* the program and what it starts inherit the writing end */
    assert_int_equal(pipe(ends), 0);
    struct trp_run_error error;
    struct timespec before;
    struct timespec after;
    (void)clock_gettime(CLOCK_MONOTONIC, &before);
    assert_status(trp_report_html(
                      &db, 1,
                      &(struct trp_report_html_options){.gnuplot = program, .gnuplot_ms_max = 200},
                      path_of("report.html"), &error),
                  TRP_OK);
    (void)clock_gettime(CLOCK_MONOTONIC, &after);
    assert_in_range(after.tv_sec - before.tv_sec, 0, 20);
    char *page = read_whole(path_of("report.html"));
    assert_non_null(strstr(page, "gnuplot did not finish within 200 ms"));
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); /* no child is left */
    assert_int_equal(close(ends[1]), 0);
    struct pollfd reading = {.fd = ends[0], .events = POLLIN};
    assert_int_equal(poll(&reading, 1, 10000), 1); /* its end closes with the last of them */
    assert_int_equal(reading.revents & POLLHUP, POLLHUP);
    assert_int_equal(close(ends[0]), 0);
    free(page);
    trp_run_db_close(db);
}

static void unwritable_place_is_reported(void **state)
{
    (void)state;
    struct trp_run_db *db = synthetic_database();
    struct trp_run_error error = {""};
    const struct trp_report_html_options options = {.gnuplot = ""};
    assert_status(trp_report_html(&db, 1, &options, path_of("none/report.html"), &error), TRP_EIO);
    assert_non_null(strstr(error.text, "none/report.html"));
    assert_status(trp_report_html(&db, 0, &options, path_of("report.html"), &error), TRP_EINVAL);
    assert_int_equal(files_count(false), 0);
    trp_run_db_close(db);
}

int main(void)
{
#define IN_DIRECTORY(test) cmocka_unit_test_setup_teardown(test, make_directory, remove_directory)
    const struct CMUnitTest tests[] = {
        IN_DIRECTORY(page_has_everything_and_needs_nothing),
        IN_DIRECTORY(plots_are_embedded_with_shades_and_tips),
        IN_DIRECTORY(hostile_texts_stay_texts),
        IN_DIRECTORY(several_runs_share_a_page),
        IN_DIRECTORY(without_gnuplot_the_tables_are_there),
        IN_DIRECTORY(hanging_gnuplot_is_killed),
        IN_DIRECTORY(unwritable_place_is_reported),
    };
    return cmocka_run_group_tests(tests, find_gnuplot, NULL);
}
