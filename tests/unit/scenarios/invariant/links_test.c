/* SPDX-License-Identifier: MIT */
#include "scenarios/invariant/links.h"

#include "lib/test.h"

static const struct trp_links_actor alice = {.host = 1, .id = 10};
static const struct trp_links_actor bob = {.host = 2, .id = 20};
static const struct trp_links_actor carol = {.host = 2, .id = 30};

static int open_links(void **state)
{
    struct trp_links *links = NULL;
    assert_status(trp_links_open(&links), TRP_OK);
    assert_status(trp_links_made(links, alice, bob), TRP_OK);
    *state = links;
    return 0;
}

static int close_links(void **state)
{
    trp_links_close(*state);
    return 0;
}

static uint32_t due_count(const struct trp_links *links, struct trp_links_due *ret_last)
{
    const void *at = NULL;
    uint32_t count = 0;
    while (trp_links_next_due(links, &at, ret_last)) {
        count++;
    }
    return count;
}

static void a_death_is_told_once(void **state)
{
    assert_true(trp_links_told(*state, alice, bob));
    assert_false(trp_links_told(*state, alice, bob));
}

static void nobody_is_told_of_an_actor_without_a_link(void **state)
{
    assert_false(trp_links_told(*state, alice, carol));
    assert_false(trp_links_told(*state, bob, alice)); /* the other half was never made */
    trp_links_removed(*state, alice, bob);
    assert_false(trp_links_told(*state, alice, bob));
}

static void a_link_made_anew_is_told_anew(void **state)
{
    assert_status(trp_links_made(*state, alice, bob), TRP_OK);
    assert_true(trp_links_told(*state, alice, bob));
    assert_status(trp_links_made(*state, alice, bob), TRP_OK);
    assert_true(trp_links_told(*state, alice, bob));
    assert_false(trp_links_told(*state, alice, bob));
}

static void a_death_is_due_until_it_is_told(void **state)
{
    struct trp_links_due due;
    assert_int_equal(due_count(*state, &due), 0);
    trp_links_actor_ended(*state, carol, TRP_S(4));
    assert_int_equal(due_count(*state, &due), 0);
    trp_links_actor_ended(*state, bob, TRP_S(5));
    trp_links_host_ended(*state, bob.host, TRP_S(9)); /* the first end counts */
    assert_int_equal(due_count(*state, &due), 1);
    assert_int_equal(due.owner.id, alice.id);
    assert_int_equal(due.other.id, bob.id);
    assert_int_equal(due.since, TRP_S(5));
    assert_true(trp_links_told(*state, alice, bob));
    assert_int_equal(due_count(*state, &due), 0);
}

static void all_actors_of_a_host_end_with_it(void **state)
{
    struct trp_links_due due;
    assert_status(trp_links_made(*state, alice, carol), TRP_OK);
    trp_links_host_ended(*state, 2, TRP_S(7));
    assert_int_equal(due_count(*state, &due), 2);
    assert_int_equal(due.since, TRP_S(7));
}

static void the_dead_are_told_nothing(void **state)
{
    struct trp_links_due due;
    trp_links_actor_ended(*state, bob, TRP_S(5));
    trp_links_actor_ended(*state, alice, TRP_S(6));
    assert_int_equal(due_count(*state, &due), 0);
    assert_false(trp_links_told(*state, alice, bob));
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, open_links, close_links)
    const struct CMUnitTest tests[] = {
        CASE(a_death_is_told_once),
        CASE(nobody_is_told_of_an_actor_without_a_link),
        CASE(a_link_made_anew_is_told_anew),
        CASE(a_death_is_due_until_it_is_told),
        CASE(all_actors_of_a_host_end_with_it),
        CASE(the_dead_are_told_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
