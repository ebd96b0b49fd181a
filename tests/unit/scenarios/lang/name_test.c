/* SPDX-License-Identifier: MIT */
#include "scenarios/lang/load.h"

#include "lib/test.h"
#include "lib/words.h"

#include <stdlib.h>

static const char scenario[] =
    "name: names\n"
    "about: Names and who has them.\n"
    "run: { until: 1min }\n"
    "hosts: { boot: { count: 2, zone: west }, west: { count: 3 }, east: { count: 4 } }\n"
    "actors:\n"
    "  - { type: counter, on: \"west + east\", register: \"c-{host.index}-{index}\", count: 2 }\n"
    "  - { type: counter, on: east, register: \"{host.group}/{host.zone}\" }\n"
    "  - { type: counter, on: boot, register: \"{{x}}-{host.zone}\" }\n"
    "workload:\n"
    "  - { name: a, every: 1s, lookup: \"c-{random}-{random}\" }\n"
    "  - { name: b, every: 1s, lookup: \"c-{host.index}-{random}\" }\n"
    "  - { name: c, every: 1s, lookup: \"c-4-1\" }\n"
    "  - { name: d, every: 1s, lookup: \"east/east\" }\n"
    "  - { name: e, every: 1s, lookup: \"{random}/{random}\" }\n"
    "  - { name: f, every: 1s, lookup: \"{{x}}-west\" }\n";

static int setup(void **state)
{
    const struct trp_load_options options = {.path = "names.yaml",
                                             .text = scenario,
                                             .text_bytes = sizeof scenario - 1,
                                             .vocabulary = &words};
    *state = trp_load_open(&options);
    char *problems = trp_load_print_problems(*state);
    assert_string_equal(problems, "");
    free(problems);
    return 0;
}

static int teardown(void **state)
{
    trp_load_free(*state);
    return 0;
}

static void gives_each_actor_its_name(void **state)
{
    const struct trp_plan *plan = trp_load_plan(*state);
    char name[16];
    assert_status(trp_plan_actor_name(plan, &plan->actors[0], 7, 1, name, sizeof name), TRP_OK);
    assert_string_equal(name, "c-7-1");
    assert_status(trp_plan_actor_name(plan, &plan->actors[1], 7, 0, name, sizeof name), TRP_OK);
    assert_string_equal(name, "east/east");
    assert_status(trp_plan_actor_name(plan, &plan->actors[2], 1, 0, name, sizeof name), TRP_OK);
    assert_string_equal(name, "{x}-west");
    assert_status(trp_plan_actor_name(plan, &plan->actors[0], 7, 1, name, 6), TRP_OK);
    assert_status(trp_plan_actor_name(plan, &plan->actors[0], 7, 1, name, 5), TRP_ETOOBIG);
    assert_status(trp_plan_actor_name(plan, &plan->actors[0], 7, 1, name, 0), TRP_ETOOBIG);
}

static void finds_who_registers_a_target(void **state)
{
    const struct trp_plan *plan = trp_load_plan(*state);
    static const uint32_t actors[] = {0, 0, 0, 1, 1, 2, 0, 0};
    for (uint32_t i = 0; i < plan->workload_count; i++)
        assert_int_equal(plan->workload[i].target.actor, actors[i]);
}

static void draws_among_the_registered_names(void **state)
{
    const struct trp_plan *plan = trp_load_plan(*state);
    const struct trp_selector *on = plan->actors[0].on;
    const struct trp_name_template *target = &plan->workload[0].target;
    bool seen[9][2] = {{false}};
    char name[16];
    for (uint64_t i = 0; i < 2000; i++) {
        uint64_t draw = i * 0x9E3779B97F4A7C15ull;
        assert_status(trp_plan_target_name(plan, target, 0, on->hosts, on->hosts_count, draw, name,
                                           sizeof name),
                      TRP_OK);
        assert_int_equal(strlen(name), 5);
        seen[name[2] - '0'][name[4] - '0'] = true;
    }
    for (uint32_t host = 0; host < 9; host++)
        assert_true(seen[host][0] == (host >= 2) && seen[host][1] == (host >= 2));
    target = &plan->workload[1].target;
    assert_status(
        trp_plan_target_name(plan, target, 6, on->hosts, on->hosts_count, 0, name, sizeof name),
        TRP_OK);
    assert_string_equal(name, "c-6-0");
    target = &plan->workload[2].target;
    assert_status(trp_plan_target_name(plan, target, 0, NULL, 0, 0, name, sizeof name), TRP_OK);
    assert_string_equal(name, "c-4-1");
    target = &plan->workload[0].target;
    assert_status(trp_plan_target_name(plan, target, 0, NULL, 0, 0, name, sizeof name),
                  TRP_ENOTFOUND);
    assert_status(trp_plan_target_name(plan, target, 0, on->hosts, on->hosts_count, 0, name, 3),
                  TRP_ETOOBIG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(gives_each_actor_its_name, setup, teardown),
        cmocka_unit_test_setup_teardown(finds_who_registers_a_target, setup, teardown),
        cmocka_unit_test_setup_teardown(draws_among_the_registered_names, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
