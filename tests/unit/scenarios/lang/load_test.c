/* SPDX-License-Identifier: MIT */
#include "scenarios/lang/load.h"

#include "lib/test.h"
#include "lib/words.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static struct trp_load *load_text(const char *text, const char *const *settings, uint32_t count)
{
    const struct trp_load_options options = {.path = "here.yaml",
                                             .text = text,
                                             .text_bytes = strlen(text),
                                             .settings = settings,
                                             .settings_count = count,
                                             .vocabulary = &words};
    return trp_load_open(&options);
}

static struct trp_load *load_file(const char *path)
{
    const struct trp_load_options options = {.path = path, .vocabulary = &words};
    return trp_load_open(&options);
}

static const char example[] =
    "name: partition-heal\n"
    "about: A 60-node DHT splits in two, heals, and every registered actor is found again.\n"
    "tags: [ dht, partition ]\n"
    "run: { until: 10min, seed: 7 }\n"
    "limits: { kad_refresh: 1min, request_bytes: 64KiB }\n"
    "network:\n"
    "  security: plaintext\n"
    "  links:\n"
    "    default: { latency: \"lognormal(p50=40ms, p99=180ms)\", loss: 0.1%, rate: 20Mbit }\n"
    "    \"west <-> east\": { latency: 120ms }\n"
    "    \"boot -> east\": { jitter: 25% }\n"
    "hosts:\n"
    "  boot: { count: 3, zone: west }\n"
    "  west: { count: 28, zone: west, bootstrap: boot, start: \"uniform(0s, 30s)\" }\n"
    "  east: { count: 29, bootstrap: \"boot[0..1]\", state: lost, limits: { kad_refresh: 2min } }\n"
    "actors:\n"
    "  - { type: counter, on: \"west + east\", register: \"counter-{host.index}\" }\n"
    "workload:\n"
    "  - { name: finds, from: 1min, every: \"exp(mean=500ms)\", lookup: \"counter-{random}\" }\n"
    "  - { name: asks, every: 1s, until: 9min, on: east, ask: counter-31, message: inc,\n"
    "      args: { amount: -3 }, timeout: 5s }\n"
    "timeline:\n"
    "  - { at: 5min, heal: all }\n"
    "  - { at: 3min, partition: [ \"boot + west\", east ], mode: refuse, direction: forward }\n"
    "  - { at: 6min, crash: \"random(5, of=west)\", restart: 30s, state: lost }\n"
    "  - { at: 6min, crash: \"random(5, of=east)\" }\n"
    "  - { at: 7min, name: slow, link: \"west -> east\", latency: 2s, rate: 1Mbit, for: 30s }\n"
    "expect:\n"
    "  - always: one_outcome_per_ask\n"
    "  - eventually: { metric: dht.recall_at_k, at_least: 0.99, for: 30s, after: heal,\n"
    "      within: 1min }\n"
    "  - { metric: finds.success_ratio, from: 5min30s, at_least: 99.9% }\n"
    "  - { metric: asks.latency.p99, at_most: 1s }\n"
    "  - sql: \"SELECT 1\"\n";

static void assert_fine(const struct trp_load *load)
{
    char *problems = trp_load_print_problems(load);
    assert_string_equal(problems, "");
    free(problems);
    assert_non_null(trp_load_plan(load));
}

static void reads_hosts_and_network(void **state)
{
    (void)state;
    struct trp_load *load = load_text(example, NULL, 0);
    assert_fine(load);
    const struct trp_plan *plan = trp_load_plan(load);
    assert_string_equal(plan->name, "partition-heal");
    assert_int_equal(plan->tags_count, 2);
    assert_string_equal(plan->tags[1], "partition");
    assert_true(plan->until_ns == TRP_MIN(10) && plan->seed == 7);
    assert_int_equal(plan->security, TRP_PLAN_PLAINTEXT);
    assert_int_equal(plan->groups_count, 3);
    assert_int_equal(plan->hosts_count, 60);
    assert_int_equal(plan->groups[2].first, 31);
    assert_string_equal(plan->groups[2].zone, "east");
    assert_int_equal(plan->groups[2].state, TRP_PLAN_STATE_LOST);
    assert_int_equal(plan->groups[2].bootstrap->hosts_count, 2);
    assert_null(plan->groups[0].bootstrap);
    assert_int_equal(plan->groups[1].start.kind, TRP_DIST_UNIFORM);
    assert_true(plan->groups[1].start.b == TRP_S(30));
    assert_true(plan->groups[1].limits.kad_refresh_ns == TRP_MIN(1));
    assert_true(plan->groups[2].limits.kad_refresh_ns == TRP_MIN(2));
    assert_int_equal(plan->groups[2].limits.request_bytes, 65536);
    assert_ptr_equal(trp_plan_group_of(plan, 2), &plan->groups[0]);
    assert_ptr_equal(trp_plan_group_of(plan, 3), &plan->groups[1]);
    assert_ptr_equal(trp_plan_group_of(plan, 59), &plan->groups[2]);
    trp_load_free(load);
}

static void gives_each_pair_its_path(void **state)
{
    (void)state;
    struct trp_load *load = load_text(example, NULL, 0);
    const struct trp_plan *plan = trp_load_plan(load);
    struct trp_path path;
    trp_plan_path(plan, 5, 6, &path);
    assert_int_equal(path.latency.kind, TRP_DIST_LOGNORMAL);
    assert_true(path.latency.a == TRP_MS(40) && path.latency.b == TRP_MS(180));
    assert_int_equal(path.loss_ppm, 1000);
    assert_true(path.rate_bits_per_s == 20000000);
    assert_true(path.queue_ns == TRP_MS(200)); /* a rate has one */
    /* The zone west holds the boot hosts too; a link keeps what it does not say. */
    trp_plan_path(plan, 0, 59, &path);
    assert_int_equal(path.latency.kind, TRP_DIST_CONST);
    assert_true(path.latency.a == TRP_MS(120) && path.loss_ppm == 1000);
    assert_true(path.jitter_ppm == 250000);
    trp_plan_path(plan, 59, 0, &path);
    assert_true(path.latency.a == TRP_MS(120) && path.jitter_ppm == 0);
    trp_load_free(load);
}

static void reads_workload_and_timeline(void **state)
{
    (void)state;
    struct trp_load *load = load_text(example, NULL, 0);
    const struct trp_plan *plan = trp_load_plan(load);
    assert_int_equal(plan->workload_count, 2);
    const struct trp_plan_workload *finds = &plan->workload[0];
    assert_int_equal(finds->operation, TRP_PLAN_LOOKUP);
    assert_int_equal(finds->on->kind, TRP_SELECT_ANY);
    assert_true(finds->until == TRP_MIN(10) && finds->target.actor == 0);
    const struct trp_plan_workload *asks = &plan->workload[1];
    assert_int_equal(asks->operation, TRP_PLAN_ASK);
    assert_ptr_equal(asks->handler, &words_counter_handlers[0]);
    assert_true(asks->timeout_ns == TRP_S(5) && asks->until == TRP_MIN(9));
    struct words_inc inc;
    assert_status(trp_message_decode(asks->handler->message, asks->args, &inc), TRP_OK);
    assert_true(inc.amount == -3);

    assert_int_equal(plan->timeline_count, 5);
    const struct trp_plan_action *cut = &plan->timeline[0];
    assert_int_equal(cut->kind, TRP_PLAN_PARTITION);
    assert_string_equal(cut->name, "partition@3min");
    assert_string_equal(cut->text,
                        "partition: [ \"boot + west\", east ], mode: refuse, direction: forward");
    assert_string_equal(plan->timeline[2].text,
                        "crash: \"random(5, of=west)\", restart: 30s, state: lost");
    assert_string_equal(plan->timeline[4].text,
                        "slow: link: \"west -> east\", latency: 2s, rate: 1Mbit");
    assert_int_equal(cut->sets_count, 2);
    assert_int_equal(cut->mode, TRP_CUT_REFUSE);
    assert_int_equal(cut->direction, TRP_PLAN_FORWARD);
    assert_int_equal(plan->timeline[1].target, TRP_PLAN_NONE);
    assert_true(plan->timeline[2].restart_ns == TRP_S(30));
    assert_int_equal(plan->timeline[2].state, TRP_PLAN_STATE_LOST);
    assert_true(plan->timeline[3].restart_ns == TRP_NEVER);
    assert_int_equal(plan->timeline[3].state, TRP_PLAN_STATE_OF_GROUP);
    assert_string_equal(plan->timeline[3].name, "crash@6min#2");
    assert_int_equal(plan->timeline[4].link.keys, TRP_LINK_LATENCY | TRP_LINK_RATE);
    assert_false(plan->timeline[4].link.both);
    trp_load_free(load);
}

static void reads_expectations(void **state)
{
    (void)state;
    struct trp_load *load = load_text(example, NULL, 0);
    const struct trp_plan *plan = trp_load_plan(load);
    assert_int_equal(plan->expect_count, 5);
    const struct trp_plan_expect *expect = plan->expect;
    assert_string_equal(expect[0].text, "always one_outcome_per_ask");
    assert_true(expect[0].until == TRP_MIN(10));
    /* The link change ends at 7min30s, after the heal. */
    assert_string_equal(expect[1].text,
                        "eventually dht.recall_at_k >= 99% for 30s after heal within 1min");
    assert_int_equal(expect[1].after, 4);
    assert_true(expect[1].from == TRP_S(450) && expect[1].until == TRP_S(510));
    assert_string_equal(expect[2].text, "finds.success_ratio >= 99.9% from 5min30s");
    assert_int_equal(expect[2].metric.workload, 0);
    assert_string_equal(expect[2].metric.name, "success_ratio");
    assert_true(expect[2].at_least == 999000 && !expect[2].has_at_most);
    assert_string_equal(expect[3].text, "asks.latency.p99 <= 1s");
    assert_true(expect[3].at_most == TRP_S(1));
    assert_string_equal(expect[4].sql, "SELECT 1");
    trp_load_free(load);
}

/* An entry that is left out, or one more, moves no draw of another. */
static void keys_draws_by_name(void **state)
{
    (void)state;
    static const char timeline[] = "timeline=[{at: 7min, name: slow, pause: west, for: 1s}]";
    static const char *const settings[] = {"workload=[]", timeline, "expect=[]"};
    struct trp_load *one = load_text(example, NULL, 0);
    struct trp_load *two = load_text(example, settings, 3);
    assert_fine(two);
    assert_true(trp_load_plan(one)->timeline[4].entity == trp_load_plan(two)->timeline[0].entity);
    assert_true(trp_load_plan(one)->timeline[4].entity != trp_load_plan(one)->timeline[0].entity);
    trp_load_free(one);
    trp_load_free(two);
}

/* Drops the comments: what may differ between a scenario and its resolved form. */
static void drop_comments(char *text)
{
    char *out = text;
    for (char *line = text; *line != '\0';) {
        size_t size = strcspn(line, "\n");
        size_t kept = size;
        for (size_t i = 0; i + 2 < size; i++)
            if (line[i] == ' ' && line[i + 1] == '#' && line[i + 2] == ' ')
                kept = kept == size ? i : kept;
        while (kept > 0 && line[kept - 1] == ' ')
            kept--;
        char *next = line + size + (line[size] == '\n');
        memmove(out, line, kept);
        out += kept;
        *out++ = '\n';
        line = next;
    }
    *out = '\0';
}

static void resolved_scenario_is_the_same_scenario(void **state)
{
    (void)state;
    static const char *const settings[] = {"about=\"quotes \\\" \\\\ and \\u0001\\u2028 日本\""};
    struct trp_load *load = load_text(example, settings, 1);
    assert_fine(load);
    char *once = trp_load_print_resolved(load);
    struct trp_load *again = load_text(once, NULL, 0);
    assert_fine(again);
    char *twice = trp_load_print_resolved(again);
    const struct trp_plan *a = trp_load_plan(load);
    const struct trp_plan *b = trp_load_plan(again);
    assert_string_equal(a->about, b->about);
    assert_int_equal(a->timeline_count, b->timeline_count);
    for (uint32_t i = 0; i < a->timeline_count; i++)
        assert_true(a->timeline[i].entity == b->timeline[i].entity);
    for (uint32_t i = 0; i < a->expect_count; i++)
        assert_string_equal(a->expect[i].text, b->expect[i].text);
    assert_true(memcmp(&a->path, &b->path, sizeof a->path) == 0);
    drop_comments(once);
    drop_comments(twice);
    assert_string_equal(once, twice);
    free(once);
    free(twice);
    trp_load_free(load);
    trp_load_free(again);
}

static void settings_win_over_the_file(void **state)
{
    (void)state;
    static const char *const settings[] = {"hosts.west.count=40",
                                           "network.links.default.loss=5%",
                                           "network.links.\"west <-> east\".latency=3s",
                                           "network.links.\"west -> boot\".latency=4s",
                                           "workload.finds.every=2s",
                                           "timeline[1].at=2min",
                                           "expect.4.sql=SELECT 2",
                                           "run={ until: 20min }"};
    struct trp_load *load = load_text(example, settings, 8);
    assert_fine(load);
    const struct trp_plan *plan = trp_load_plan(load);
    assert_int_equal(plan->hosts_count, 72);
    assert_int_equal(plan->path.loss_ppm, 50000);
    assert_true(plan->links[0].path.latency.a == TRP_S(3));
    assert_int_equal(plan->links_count, 3);
    assert_true(plan->workload[0].every.a == TRP_S(2));
    assert_true(plan->timeline[0].at == TRP_MIN(2));
    assert_string_equal(plan->expect[4].sql, "SELECT 2");
    assert_true(plan->until_ns == TRP_MIN(20) && plan->seed == 1);
    char *resolved = trp_load_print_resolved(load);
    assert_non_null(strstr(resolved, "# here.yaml:9; loss: --set\n"));
    assert_non_null(strstr(resolved, " # --set\n  seed: 1 "));
    free(resolved);
    trp_load_free(load);
}

static void reports_settings_that_lead_nowhere(void **state)
{
    (void)state;
    static const struct {
        const char *setting;
        const char *problem;
    } cases[] = {{"run.until", "--set:1:10: `=` and a value are missing\n"},
                 {"=3", "--set:1:1: a key is missing here\n"},
                 {"run..until=3", "--set:1:5: a key is missing here\n"},
                 {"run.until=", "--set:1:11: a value is missing\n"},
                 {"run.\"until=3", "--set:1:6: this is never closed\n"},
                 {"name.first=3", "--set:1:1: `name` is one value and has nothing below it\n"},
                 {"timeline.9.at=3s", "--set:1:10: the list has only 5 entries, counted from 0\n"},
                 {"workload.fnds.every=1s", "--set:1:10: no entry of the list is called `fnds`\n"},
                 {"network.links.default.los=5%", "--set:1:23: unknown key `los` in links\n"},
                 {"extends=other.yaml", "--set:1:1: `extends` may appear once, in a file\n"},
                 {"hosts.west.count=many", "--set:1:18: a whole number was expected\n"},
                 {"run.until=[",
                  "--set:1:12: this is not YAML: while parsing a flow node, did not find "
                  "expected node content\n"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct trp_load *load = load_text(example, &cases[i].setting, 1);
        assert_null(trp_load_plan(load));
        char *problems = trp_load_print_problems(load);
        assert_true(strlen(problems) > strlen(cases[i].problem));
        problems[strlen(cases[i].problem)] = '\0';
        assert_string_equal(problems, cases[i].problem);
        free(problems);
        trp_load_free(load);
    }
}

static void keeps_a_hundred_problems(void **state)
{
    (void)state;
    char text[8192];
    size_t size = (size_t)snprintf(text, sizeof text, "name: many\n");
    for (int i = 0; i < 150; i++)
        size += (size_t)snprintf(text + size, sizeof text - size, "key%d: 1\n", i);
    struct trp_load *load = load_text(text, NULL, 0);
    assert_int_equal(trp_load_problems(load), 100);
    char *problems = trp_load_print_problems(load);
    assert_non_null(strstr(problems, "and more: only the first 100 problems are shown\n"));
    free(problems);
    trp_load_free(load);
}

static void refuses_a_file_over_the_limit(void **state)
{
    (void)state;
    size_t size = 1048577;
    char *text = malloc(size);
    assert_non_null(text);
    memset(text, '#', size);
    const struct trp_load_options options = {
        .path = "big.yaml", .text = text, .text_bytes = size, .vocabulary = &words};
    struct trp_load *load = trp_load_open(&options);
    assert_int_equal(trp_load_problems(load), 1);
    assert_string_equal(trp_load_problem(load, 0).message, "the file is larger than 1 MiB");
    trp_load_free(load);
    free(text);
}

static void every_prefix_of_a_scenario_is_handled(void **state)
{
    (void)state;
    for (size_t size = 0; size < sizeof example - 1; size++) {
        const struct trp_load_options options = {
            .path = "cut.yaml", .text = example, .text_bytes = size, .vocabulary = &words};
        struct trp_load *load = trp_load_open(&options);
        char *resolved = trp_load_print_resolved(load);
        assert_true((resolved == NULL) == (trp_load_plan(load) == NULL));
        assert_true((resolved == NULL) == (trp_load_problems(load) != 0));
        free(resolved);
        trp_load_free(load);
    }
}

/* ---- golden: each file of tests/golden/lang with what is said of it ---- */

static char *file_text(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return NULL;
    char *text = calloc(1, 65536);
    assert_non_null(text);
    assert_true(fread(text, 1, 65535, file) < 65535);
    (void)fclose(file);
    return text;
}

static void check_golden(const char *name)
{
    char expected[300];
    (void)snprintf(expected, sizeof expected, "%.*s.txt", (int)(strlen(name) - 5), name);
    struct trp_load *load = load_file(name);
    char *said = trp_load_print_problems(load);
    if (getenv("TRP_GOLDEN_UPDATE") != NULL) {
        FILE *file = fopen(expected, "wb");
        assert_non_null(file);
        assert_true(fputs(said, file) >= 0);
        (void)fclose(file);
    }
    char *wanted = file_text(expected);
    assert_non_null(wanted);
    assert_string_equal(said, wanted);
    assert_true(trp_load_problems(load) > 0);
    free(wanted);
    free(said);
    trp_load_free(load);
}

static void says_all_that_is_wrong_with_a_file(void **state)
{
    (void)state;
    uint32_t count = 0;
    assert_int_equal(chdir(TESTS_DIR "/golden/lang"), 0);
    DIR *directory = opendir(".");
    assert_non_null(directory);
    for (const struct dirent *entry = readdir(directory); entry != NULL;
         entry = readdir(directory)) {
        size_t size = strlen(entry->d_name);
        if (size < 6 || strcmp(entry->d_name + size - 5, ".yaml") != 0)
            continue;
        check_golden(entry->d_name);
        count++;
    }
    (void)closedir(directory);
    assert_true(count >= 20);
}

/* ---- extends ---- */

static void file_over_a_base_keeps_where_each_value_is_from(void **state)
{
    (void)state;
    assert_int_equal(chdir(TESTS_DIR "/golden/lang"), 0);
    struct trp_load *load = load_file("base/over.yml");
    assert_fine(load);
    const struct trp_plan *plan = trp_load_plan(load);
    assert_string_equal(plan->name, "over");
    assert_int_equal(plan->hosts_count, 2 + 9);
    assert_int_equal(plan->timeline_count, 1); /* a list replaces the list below it */
    assert_int_equal(plan->security, TRP_PLAN_PLAINTEXT);
    char *resolved = trp_load_print_resolved(load);
    char *wanted = file_text("base/over.resolved");
    if (getenv("TRP_GOLDEN_UPDATE") != NULL) {
        FILE *file = fopen("base/over.resolved", "wb");
        assert_non_null(file);
        assert_true(fputs(resolved, file) >= 0);
        (void)fclose(file);
    } else {
        assert_non_null(wanted);
        assert_string_equal(resolved, wanted);
    }
    free(wanted);
    free(resolved);
    trp_load_free(load);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_hosts_and_network),
        cmocka_unit_test(gives_each_pair_its_path),
        cmocka_unit_test(reads_workload_and_timeline),
        cmocka_unit_test(reads_expectations),
        cmocka_unit_test(keys_draws_by_name),
        cmocka_unit_test(resolved_scenario_is_the_same_scenario),
        cmocka_unit_test(settings_win_over_the_file),
        cmocka_unit_test(reports_settings_that_lead_nowhere),
        cmocka_unit_test(keeps_a_hundred_problems),
        cmocka_unit_test(refuses_a_file_over_the_limit),
        cmocka_unit_test(every_prefix_of_a_scenario_is_handled),
        cmocka_unit_test(says_all_that_is_wrong_with_a_file),
        cmocka_unit_test(file_over_a_base_keeps_where_each_value_is_from),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
