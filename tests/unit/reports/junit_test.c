/* SPDX-License-Identifier: MIT */
/* With --write the golden file is made anew. */
#define _POSIX_C_SOURCE 200809L
#include "report_files.h"

#include "reports/render/junit.h"

static bool write_golden;

static void file_is_as_agreed(void **state)
{
    (void)state;
    const struct trp_junit_case cases[] = {
        {.scenario = "heal", .seed = 1, .outcome = TRP_RUN_PASSED, .wall_ns = TRP_MS(1500)},
        {.scenario = "heal",
         .seed = UINT64_MAX,
         .outcome = TRP_RUN_FAILED,
         .wall_ns = TRP_MS(250),
         .failure = "1 of 2 expectations is broken",
         .detail = "sql: \"SELECT count(*) < 1 & 2\"\n\x1b[31m]]>",
         .reproduce = "troupe run heal.yaml --seed 18446744073709551615"},
        {.scenario = "heal", .seed = 3, .outcome = TRP_RUN_UNFINISHED},
        {.scenario = "heal", .seed = 4, .outcome = TRP_RUN_TIMED_OUT, .failure = "over 60 s"},
    };
    struct trp_run_error error;
    assert_status(trp_junit_write(path_of("junit.xml"), "<heal>", cases, 4, &error), TRP_OK);
    assert_int_equal(files_count(false), 1);
    char *text = read_whole(path_of("junit.xml"));
    assert_golden("junit.xml", text, write_golden);
    free(text);
}

static void empty_suite_and_unwritable_place(void **state)
{
    (void)state;
    struct trp_run_error error;
    assert_status(trp_junit_write(path_of("junit.xml"), "none", NULL, 0, &error), TRP_OK);
    char *text = read_whole(path_of("junit.xml"));
    assert_non_null(strstr(text, "tests=\"0\" failures=\"0\" errors=\"0\""));
    free(text);
    assert_status(trp_junit_write(path_of("none/junit.xml"), "none", NULL, 0, &error), TRP_EIO);
    assert_non_null(strstr(error.text, "none/junit.xml"));
}

int main(int argc, char **argv)
{
    write_golden = argc == 2 && strcmp(argv[1], "--write") == 0;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(file_is_as_agreed, make_directory, remove_directory),
        cmocka_unit_test_setup_teardown(empty_suite_and_unwritable_place, make_directory,
                                        remove_directory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
