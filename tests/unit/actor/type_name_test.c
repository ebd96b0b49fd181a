/* SPDX-License-Identifier: MIT */
#include "actor/type_name.h"
#include "lib/test.h"

#include <troupe/actor_ref.h>

#include <stdio.h>

#define OTHERS_MAX 3u

static struct trp_memory memory;
static struct trp_type_names names;

static void begin(void)
{
    memory = trp_memory_init(1u << 20);
    names = (struct trp_type_names){.memory = &memory, .others_max = OTHERS_MAX};
}

static void end(void)
{
    trp_type_names_deinit(&names);
    assert_int_equal(memory.used_bytes, 0);
}

static uint64_t learn(const char *id, bool own)
{
    return trp_type_names_learn(&names, trp_bytes_text(id), own);
}

static bool is_known(const char *id)
{
    struct trp_bytes wanted = trp_bytes_text(id);
    struct trp_bytes found = trp_type_names_find(&names, trp_actor_type_hash(wanted));
    assert_true(found.size == 0 || trp_bytes_equal(found, wanted));
    return found.size > 0;
}

static void an_id_is_found_by_its_hash(void **state)
{
    (void)state;
    begin();
    assert_false(is_known("counter"));
    assert_true(learn("counter", true) == trp_actor_type_hash(trp_bytes_text("counter")));
    assert_true(learn("clock", false) == trp_actor_type_hash(trp_bytes_text("clock")));
    assert_true(is_known("counter"));
    assert_true(is_known("clock"));
    assert_false(is_known("lock"));
    uint64_t used = memory.used_bytes;
    (void)learn("clock", false);
    assert_true(memory.used_bytes == used);
    end();
}

static void of_what_others_told_the_unused_gives_way(void **state)
{
    (void)state;
    begin();
    (void)learn("ours", true);
    (void)learn("a", false);
    (void)learn("b", false);
    (void)learn("c", false);
    (void)learn("a", false); /* a use */
    (void)learn("d", false); /* instead of b */
    assert_int_equal(names.others_count, OTHERS_MAX);
    assert_false(is_known("b"));
    assert_true(is_known("d")); /* a use, too */
    assert_true(is_known("a"));
    (void)learn("e", false); /* instead of c */
    assert_false(is_known("c"));
    assert_true(is_known("d"));
    assert_true(is_known("e"));
    assert_true(is_known("a"));
    (void)learn("f", false); /* all were used: instead of the oldest */
    assert_false(is_known("a"));
    assert_true(is_known("d"));
    assert_true(is_known("e"));
    assert_true(is_known("f"));
    assert_int_equal(names.others_count, OTHERS_MAX);
    end();
}

static void our_own_types_stay(void **state)
{
    (void)state;
    begin();
    (void)learn("ours", true);
    (void)learn("late", false);
    (void)learn("late", true); /* an actor of this type was spawned here */
    assert_int_equal(names.others_count, 0);
    for (int i = 0; i < 100; i++) {
        char id[24];
        (void)snprintf(id, sizeof id, "theirs %d", i);
        (void)learn(id, false);
    }
    assert_int_equal(names.others_count, OTHERS_MAX);
    assert_true(is_known("ours"));
    assert_true(is_known("late"));
    end();
}

static void what_is_no_id_is_not_learnt(void **state)
{
    (void)state;
    static char text[1026];
    begin();
    memset(text, 'x', 1025);
    assert_true(learn("", false) == 0);
    assert_true(learn(text, false) == 0);
    text[1024] = '\0';
    assert_true(learn(text, false) != 0);
    end();
}

static void without_memory_nothing_is_learnt(void **state)
{
    (void)state;
    for (uint64_t failing = 1; failing <= 3; failing++) {
        begin();
        memory.fail_at = failing;
        uint64_t hash = learn("clock", false);
        assert_true(is_known("clock") == (hash != 0));
        assert_int_equal(names.others_count, hash != 0);
        end();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_id_is_found_by_its_hash),
        cmocka_unit_test(of_what_others_told_the_unused_gives_way),
        cmocka_unit_test(our_own_types_stay),
        cmocka_unit_test(what_is_no_id_is_not_learnt),
        cmocka_unit_test(without_memory_nothing_is_learnt),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
