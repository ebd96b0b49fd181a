/* SPDX-License-Identifier: MIT */
#include "reports/render/junit.h"

#include "reports/render/html.h"
#include "reports/store/draft.h"

static bool is_failure(const struct trp_junit_case *test)
{
    return test->outcome == TRP_RUN_FAILED;
}

static bool is_error(const struct trp_junit_case *test)
{
    return test->outcome != TRP_RUN_PASSED && !is_failure(test);
}

static void put_attribute(FILE *out, const char *name, const char *value)
{
    (void)fprintf(out, " %s=\"", name);
    html_text(out, value == NULL ? "" : value);
    (void)fputc('"', out);
}

static double seconds(trp_time span)
{
    return (double)span / 1e9;
}

static void put_case(FILE *out, const struct trp_junit_case *test)
{
    (void)fputs("    <testcase", out);
    put_attribute(out, "classname", test->scenario);
    (void)fprintf(out, " name=\"seed %llu\" time=\"%.3f\"", (unsigned long long)test->seed,
                  seconds(test->wall_ns));
    if (test->outcome == TRP_RUN_PASSED) {
        (void)fputs("/>\n", out);
        return;
    }
    const char *element = is_failure(test) ? "failure" : "error";
    (void)fprintf(out, ">\n      <%s", element);
    put_attribute(out, "message",
                  test->failure == NULL ? trp_run_outcome_name(test->outcome) : test->failure);
    put_attribute(out, "type", trp_run_outcome_name(test->outcome));
    (void)fputc('>', out);
    if (test->detail != NULL) {
        html_text(out, test->detail);
        (void)fputc('\n', out);
    }
    if (test->reproduce != NULL) {
        (void)fputs("reproduce: ", out);
        html_text(out, test->reproduce);
    }
    (void)fprintf(out, "</%s>\n    </testcase>\n", element);
}

static void put_suites(FILE *out, const char *suite, const struct trp_junit_case *cases,
                       size_t cases_count)
{
    size_t failures = 0;
    size_t errors = 0;
    trp_time wall_ns = 0;
    for (size_t i = 0; i < cases_count; i++) {
        failures += is_failure(&cases[i]);
        errors += is_error(&cases[i]);
        wall_ns += cases[i].wall_ns;
    }
    char counts[160];
    (void)snprintf(counts, sizeof counts,
                   " tests=\"%zu\" failures=\"%zu\" errors=\"%zu\" skipped=\"0\" time=\"%.3f\"",
                   cases_count, failures, errors, seconds(wall_ns));
    (void)fputs("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites", out);
    put_attribute(out, "name", suite);
    (void)fprintf(out, "%s>\n  <testsuite", counts);
    put_attribute(out, "name", suite);
    (void)fprintf(out, "%s>\n", counts);
    for (size_t i = 0; i < cases_count; i++) {
        put_case(out, &cases[i]);
    }
    (void)fputs("  </testsuite>\n</testsuites>\n", out);
}

enum trp_status trp_junit_write(const char *path, const char *suite,
                                const struct trp_junit_case *cases, size_t cases_count,
                                struct trp_run_error *ret_error)
{
    struct draft draft;
    enum trp_status status = draft_open(&draft, path, ret_error);
    if (status != TRP_OK) {
        return status;
    }
    put_suites(draft.file, suite, cases, cases_count);
    status = draft_commit(&draft, ret_error);
    draft_deinit(&draft);
    return status;
}
