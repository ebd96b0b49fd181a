/* SPDX-License-Identifier: MIT */
#include "behaviour/channel_pairs.h"

#include "lib/test.h"

#include <stdio.h>

static struct trp_memory memory;
static struct trp_channel_pairs said;
static struct trp_channel_pairs heard;

static void open_tables(void)
{
    memory = trp_memory_init(1u << 24);
    said = trp_channel_pairs_init(&memory);
    heard = trp_channel_pairs_init(&memory);
}

static void close_tables(void)
{
    trp_channel_pairs_deinit(&said);
    trp_channel_pairs_deinit(&heard);
    assert_int_equal(memory.used_bytes, 0);
}

/* Sends a message: what is new is said to the other side, which must then know the number. Says
 * whether it was new. */
static bool name(const char *actor_type, const char *message, uint32_t *ret_number)
{
    struct trp_bytes type = trp_bytes_text(actor_type);
    struct trp_bytes id = trp_bytes_text(message);
    bool new;
    assert_status(trp_channel_pairs_intern(&said, type, id, ret_number, &new), TRP_OK);
    if (new) {
        assert_status(trp_channel_pairs_set(&heard, *ret_number, type, id), TRP_OK);
    }
    struct trp_bytes got_type;
    struct trp_bytes got_id;
    assert_true(trp_channel_pairs_get(&heard, *ret_number, &got_type, &got_id));
    assert_true(trp_bytes_equal(got_type, type));
    assert_true(trp_bytes_equal(got_id, id));
    return new;
}

static void a_pair_is_said_once(void **state)
{
    (void)state;
    uint32_t a;
    uint32_t b;
    uint32_t again;
    open_tables();
    assert_true(name("agent", "add", &a));
    assert_true(name("agen", "tadd", &b)); /* the same letters */
    assert_int_not_equal(a, b);
    for (uint32_t i = 0; i < 4; i++) {
        assert_false(name("agent", "add", &again));
        assert_int_equal(again, a);
        assert_false(name("agen", "tadd", &again));
        assert_int_equal(again, b);
    }
    close_tables();
}

/* More pairs than numbers: the number said longest ago means another one from then on. */
static void numbers_are_given_anew(void **state)
{
    (void)state;
    char text[16];
    uint32_t number;
    open_tables();
    for (uint32_t round = 0; round < 3; round++) {
        for (uint32_t i = 0; i < TRP_CHANNEL_PAIRS_MAX + 50; i++) {
            (void)snprintf(text, sizeof text, "message-%u", i);
            assert_true(name("agent", text, &number));
            assert_true(number < TRP_CHANNEL_PAIRS_MAX);
        }
    }
    assert_false(name("agent", text, &number));
    close_tables();
}

static void what_could_not_be_said_is_said_later(void **state)
{
    (void)state;
    uint32_t number;
    bool new;
    open_tables();
    struct trp_bytes type = trp_bytes_text("agent");
    struct trp_bytes id = trp_bytes_text("add");
    assert_status(trp_channel_pairs_intern(&said, type, id, &number, &new), TRP_OK);
    trp_channel_pairs_forget(&said, number);
    assert_true(name("agent", "add", &number));
    assert_false(name("agent", "add", &number));
    close_tables();
}

static void bounds_are_kept(void **state)
{
    (void)state;
    static char text[TRP_CHANNEL_PAIR_BYTES_MAX];
    struct trp_bytes whole = trp_bytes(text, sizeof text);
    struct trp_bytes one = trp_bytes_text("x");
    struct trp_bytes got;
    uint32_t number;
    bool new;
    open_tables();
    assert_status(trp_channel_pairs_set(&heard, TRP_CHANNEL_PAIRS_MAX, one, one), TRP_EVIOLATION);
    assert_status(trp_channel_pairs_set(&heard, UINT64_MAX, one, one), TRP_EVIOLATION);
    assert_status(trp_channel_pairs_set(&heard, 0, whole, one), TRP_EVIOLATION);
    assert_status(trp_channel_pairs_set(&heard, 0, whole, TRP_BYTES_NONE), TRP_OK);
    assert_status(trp_channel_pairs_set(&heard, TRP_CHANNEL_PAIRS_MAX - 1, one, one), TRP_OK);
    assert_false(trp_channel_pairs_get(&heard, 1, &got, &got));
    assert_false(trp_channel_pairs_get(&heard, TRP_CHANNEL_PAIRS_MAX, &got, &got));
    assert_status(trp_channel_pairs_intern(&said, one, whole, &number, &new), TRP_ETOOBIG);
    memory.fail_at = 1;
    assert_status(trp_channel_pairs_intern(&said, one, one, &number, &new), TRP_ENOMEM);
    memory.fail_at = 2; /* the table */
    assert_status(trp_channel_pairs_intern(&said, one, one, &number, &new), TRP_ENOMEM);
    assert_true(name("x", "x", &number));
    close_tables();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pair_is_said_once),
        cmocka_unit_test(numbers_are_given_anew),
        cmocka_unit_test(what_could_not_be_said_is_said_later),
        cmocka_unit_test(bounds_are_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
