/* SPDX-License-Identifier: MIT */
/* Every scenario of the library is fine, and so is its resolved form. */
#include "scenarios/lang/load.h"

#include "lib/test.h"
#include "scenarios/harness/vocabulary.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

static void check_scenario(const char *path)
{
    const struct trp_load_options options = {.path = path, .vocabulary = trp_harness_vocabulary()};
    struct trp_load *load = trp_load_open(&options);
    char *problems = trp_load_print_problems(load);
    assert_string_equal(problems, "");
    const struct trp_plan *plan = trp_load_plan(load);
    assert_true(plan->expect_count > 0);
    assert_true(strlen(plan->about) > 30);

    char *resolved = trp_load_print_resolved(load);
    const struct trp_load_options again = {.path = "resolved.yaml",
                                           .text = resolved,
                                           .text_bytes = strlen(resolved),
                                           .vocabulary = trp_harness_vocabulary()};
    struct trp_load *second = trp_load_open(&again);
    char *none = trp_load_print_problems(second);
    assert_string_equal(none, "");
    const struct trp_plan *same = trp_load_plan(second);
    assert_int_equal(same->hosts_count, plan->hosts_count);
    assert_int_equal(same->expect_count, plan->expect_count);
    for (uint32_t i = 0; i < plan->expect_count; i++)
        assert_string_equal(same->expect[i].text, plan->expect[i].text);
    free(none);
    free(resolved);
    free(problems);
    trp_load_free(second);
    trp_load_free(load);
}

static uint32_t check_directory(const char *path)
{
    uint32_t count = 0;
    DIR *directory = opendir(path);
    assert_non_null(directory);
    for (const struct dirent *entry = readdir(directory); entry != NULL;
         entry = readdir(directory)) {
        char inner[4096];
        size_t size = strlen(entry->d_name);
        (void)snprintf(inner, sizeof inner, "%s/%s", path, entry->d_name);
        if (size > 5 && strcmp(entry->d_name + size - 5, ".yaml") == 0) {
            check_scenario(inner);
            count++;
        } else if (strchr(entry->d_name, '.') == NULL) {
            count += check_directory(inner);
        }
    }
    (void)closedir(directory);
    return count;
}

static void every_scenario_of_the_library_is_fine(void **state)
{
    (void)state;
    assert_true(check_directory(TESTS_DIR "/../scenarios/library") >= 13);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_scenario_of_the_library_is_fine),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
