/* SPDX-License-Identifier: MIT */
#include "scenarios/lang/selector.h"

#include "lib/test.h"

#define HOSTS 20u

/* boot 0..1 in zone west, west 2..9, east 10..19. */
static const struct trp_plan_group groups[] = {
    {.name = "boot", .zone = "west", .first = 0, .count = 2},
    {.name = "west", .zone = "west", .first = 2, .count = 8},
    {.name = "east", .zone = "east", .first = 10, .count = 10}};
static const struct trp_plan plan = {.groups = groups, .groups_count = 3, .hosts_count = HOSTS};

struct fixture {
    struct lang_arena arena;
    struct lang_selectors selectors;
};

static int setup(void **state)
{
    static struct fixture fixture;
    fixture = (struct fixture){.selectors = {.plan = &plan}};
    fixture.selectors.arena = &fixture.arena;
    *state = &fixture;
    return 0;
}

static int teardown(void **state)
{
    lang_arena_free(&((struct fixture *)*state)->arena);
    return 0;
}

static const struct trp_selector *read(void **state, const char *text)
{
    struct fixture *fixture = *state;
    struct lang_fault fault = {0};
    const struct trp_selector *selector =
        lang_selector_read(&fixture->selectors, trp_bytes_text(text), LANG_GROUP_FIRST, &fault);
    assert_string_equal(fault.message, "");
    assert_non_null(selector);
    return selector;
}

static uint32_t eval(const struct trp_selector *selector, const struct trp_selector_world *world,
                     uint32_t *hosts)
{
    uint32_t count = 0;
    assert_status(trp_selector_eval(&plan, selector, world, hosts, &count), TRP_OK);
    for (uint32_t i = 1; i < count; i++)
        assert_true(hosts[i - 1] < hosts[i]);
    return count;
}

static bool has(const uint32_t *hosts, uint32_t count, uint32_t host)
{
    for (uint32_t i = 0; i < count; i++)
        if (hosts[i] == host)
            return true;
    return false;
}

static void chooses_what_is_known_before_the_run(void **state)
{
    static const struct {
        const char *text;
        uint32_t first;
        uint32_t last;
        uint32_t count;
    } cases[] = {{"all", 0, 19, 20},
                 {"west", 2, 9, 8},
                 {"zone(west)", 0, 9, 10},
                 {"west[3]", 5, 5, 1},
                 {"east[ 2 .. 4 ]", 12, 14, 3},
                 {"boot + west", 0, 9, 10},
                 {"boot+west", 0, 9, 10},
                 {"all - boot", 2, 19, 18},
                 {"all - boot - east", 2, 9, 8},
                 {"all - (boot + east)", 2, 9, 8},
                 {"west + west[0..3] + boot[1]", 1, 9, 9}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct trp_selector *selector = read(state, cases[i].text);
        assert_non_null(selector->hosts);
        assert_int_equal(selector->hosts_count, cases[i].count);
        assert_int_equal(selector->hosts[0], cases[i].first);
        assert_int_equal(selector->hosts[selector->hosts_count - 1], cases[i].last);
        for (uint32_t host = 0; host < HOSTS; host++)
            assert_true(trp_selector_contains(selector, host) ==
                        has(selector->hosts, selector->hosts_count, host));
    }
}

static void links_speak_of_zones(void **state)
{
    struct fixture *fixture = *state;
    struct lang_fault fault;
    const struct trp_selector *group = read(state, "west");
    const struct trp_selector *zone =
        lang_selector_read(&fixture->selectors, trp_bytes_text("west"), LANG_ZONE_FIRST, &fault);
    assert_int_equal(group->hosts_count, 8);
    assert_int_equal(zone->hosts_count, 10);
}

static void draws_a_sample_by_its_keys(void **state)
{
    const struct trp_selector *five = read(state, "random(5, of=all - boot)");
    struct trp_selector_world world = {.seed = 1, .entity = 7, .counter = 0};
    uint32_t a[HOSTS];
    uint32_t b[HOSTS];
    assert_null(five->hosts);
    assert_int_equal(eval(five, &world, a), 5);
    assert_int_equal(eval(five, &world, b), 5);
    assert_memory_equal(a, b, 5 * sizeof *a);
    assert_false(has(a, 5, 0) || has(a, 5, 1));
    uint32_t moved = 0;
    for (uint64_t counter = 1; counter <= 20; counter++) {
        world.counter = counter;
        (void)eval(five, &world, b);
        moved += memcmp(a, b, 5 * sizeof *a) != 0;
    }
    assert_true(moved >= 18);
    world = (struct trp_selector_world){.seed = 1, .entity = 8};
    (void)eval(five, &world, b);
    assert_memory_not_equal(a, b, 5 * sizeof *a);
    world = (struct trp_selector_world){.seed = 2, .entity = 7};
    (void)eval(five, &world, b);
    assert_memory_not_equal(a, b, 5 * sizeof *a);
}

static bool is_not_down(void *user, uint32_t host)
{
    return host != *(uint32_t *)user;
}

static void one_host_less_moves_one_choice(void **state)
{
    const struct trp_selector *five = read(state, "random(5)");
    struct trp_selector_world world = {.seed = 3, .entity = 7};
    uint32_t before[HOSTS];
    uint32_t after[HOSTS];
    assert_int_equal(eval(five, &world, before), 5);
    for (uint32_t down = 0; down < HOSTS; down++) {
        world.is_up = is_not_down;
        world.user = &down;
        assert_int_equal(eval(five, &world, after), 5);
        uint32_t kept = 0;
        for (uint32_t i = 0; i < 5; i++)
            kept += has(after, 5, before[i]);
        assert_int_equal(kept, has(before, 5, down) ? 4 : 5);
        assert_false(has(after, 5, down));
    }
}

static void every_host_is_drawn_alike(void **state)
{
    const struct trp_selector *selectors[] = {read(state, "any"), read(state, "random(1)")};
    for (size_t s = 0; s < 2; s++) {
        uint32_t drawn[HOSTS] = {0};
        for (uint64_t counter = 0; counter < 4000; counter++) {
            struct trp_selector_world world = {.seed = 1, .entity = 2, .counter = counter};
            uint32_t hosts[HOSTS];
            assert_int_equal(eval(selectors[s], &world, hosts), 1);
            drawn[hosts[0]]++;
        }
        for (uint32_t host = 0; host < HOSTS; host++) /* 200 ± 4.5 standard deviations */
            assert_true(drawn[host] > 138 && drawn[host] < 262);
    }
}

static void rounds_a_share_up(void **state)
{
    static const struct {
        const char *text;
        uint32_t count;
    } cases[] = {{"random(10%)", 2},
                 {"random(11%)", 3},
                 {"random(0.01%)", 1},
                 {"random(100%, of=west)", 8},
                 {"random(50%, of=west[0..2])", 2},
                 {"random(500)", 20},
                 {"random(2, of=random(3, of=east))", 2}};
    struct trp_selector_world world = {.seed = 1, .entity = 1};
    uint32_t hosts[HOSTS];
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_int_equal(eval(read(state, cases[i].text), &world, hosts), cases[i].count);
}

/* Two draws of one expression are two draws. */
static void each_term_draws_for_itself(void **state)
{
    const struct trp_selector *both = read(state, "random(4) + random(4)");
    uint32_t sum = 0;
    for (uint64_t counter = 0; counter < 50; counter++) {
        struct trp_selector_world world = {.seed = 1, .entity = 1, .counter = counter};
        uint32_t hosts[HOSTS];
        sum += eval(both, &world, hosts);
    }
    assert_true(sum > 50 * 6); /* 7.2 of 8 on average */
}

static void backwards(void *user, const char *name, uint32_t *hosts, uint32_t count)
{
    (void)user;
    assert_string_equal(name, "counter-7");
    for (uint32_t i = 0; i < count / 2; i++) {
        uint32_t host = hosts[i];
        hosts[i] = hosts[count - 1 - i];
        hosts[count - 1 - i] = host;
    }
}

static bool even(void *user, uint32_t host, const char *name)
{
    (void)user;
    assert_string_equal(name, "counter-7");
    return host % 2 == 0;
}

static void asks_the_world_about_the_dht(void **state)
{
    const struct trp_selector *closest = read(state, "closest(counter-7, 3, of=west)");
    const struct trp_selector *holders = read(state, "holders(counter-7, of=boot + east)");
    struct trp_selector_world world = {.seed = 1};
    uint32_t hosts[HOSTS];
    uint32_t count = 0;
    assert_status(trp_selector_eval(&plan, closest, &world, hosts, &count), TRP_EUNSUPPORTED);
    assert_status(trp_selector_eval(&plan, holders, &world, hosts, &count), TRP_EUNSUPPORTED);
    world.sort_by_distance = backwards;
    world.holds = even;
    assert_int_equal(eval(closest, &world, hosts), 3);
    assert_int_equal(hosts[0], 7);
    assert_int_equal(hosts[2], 9);
    assert_int_equal(eval(holders, &world, hosts), 6);
    assert_int_equal(hosts[0], 0);
    assert_int_equal(hosts[1], 10);
}

static bool only_13(void *user, uint32_t host)
{
    (void)user;
    return host == 13;
}

static bool none(void *user, uint32_t host)
{
    (void)user;
    (void)host;
    return false;
}

static void picks_one_host_that_is_up(void **state)
{
    static const char *const texts[] = {"any", "east", "random(90%)"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        const struct trp_selector *selector = read(state, texts[i]);
        struct trp_selector_world world = {.seed = 1, .entity = 4};
        uint32_t drawn[HOSTS] = {0};
        uint32_t host = 99;
        for (world.counter = 0; world.counter < 1000; world.counter++) {
            assert_status(trp_selector_pick(&plan, selector, &world, &host), TRP_OK);
            drawn[host]++;
        }
        for (uint32_t k = 10; k < HOSTS; k++)
            assert_true(drawn[k] > 20);
        world.is_up = only_13;
        assert_status(trp_selector_pick(&plan, selector, &world, &host), TRP_OK);
        assert_int_equal(host, 13);
        world.is_up = none;
        assert_status(trp_selector_pick(&plan, selector, &world, &host), TRP_ENOTFOUND);
    }
}

static void refuses_what_is_no_selector(void **state)
{
    struct fixture *fixture = *state;
    static const char *const texts[] = {
        "",           "+",           "west +",        "west east",
        "west[",      "west[8]",     "west[1",        "west[1..",
        "west[4..2]", "nowhere",     "zone()",        "zone(boot)",
        "random()",   "random(0)",   "random(0%)",    "random(-1)",
        "random(1",   "random(1,)",  "all - all",     "((((((((((((((((((all))))))))))))))))))",
        "closest(a)", "closest(,1)", "holders()",     "west[0..1]]",
        "any any",    "first(3)",    "random(1, of=)"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct lang_fault fault = {0};
        size_t size = strlen(texts[i]);
        assert_null(lang_selector_read(&fixture->selectors, trp_bytes(texts[i], size),
                                       LANG_GROUP_FIRST, &fault));
        assert_true(fault.message[0] != '\0');
        assert_true(fault.offset <= size);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(chooses_what_is_known_before_the_run, setup, teardown),
        cmocka_unit_test_setup_teardown(links_speak_of_zones, setup, teardown),
        cmocka_unit_test_setup_teardown(draws_a_sample_by_its_keys, setup, teardown),
        cmocka_unit_test_setup_teardown(one_host_less_moves_one_choice, setup, teardown),
        cmocka_unit_test_setup_teardown(every_host_is_drawn_alike, setup, teardown),
        cmocka_unit_test_setup_teardown(rounds_a_share_up, setup, teardown),
        cmocka_unit_test_setup_teardown(each_term_draws_for_itself, setup, teardown),
        cmocka_unit_test_setup_teardown(asks_the_world_about_the_dht, setup, teardown),
        cmocka_unit_test_setup_teardown(picks_one_host_that_is_up, setup, teardown),
        cmocka_unit_test_setup_teardown(refuses_what_is_no_selector, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
