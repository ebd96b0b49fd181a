/* SPDX-License-Identifier: MIT */
#include "crypto/x25519_memo.h"

#include "lib/test.h"

struct keys {
    uint8_t secret[32];
    uint8_t public_key[32];
};

static struct trp_x25519_memo memo;

static struct keys make_keys(uint8_t number)
{
    struct keys keys = {.secret = {number}};
    trp_x25519_public(keys.secret, keys.public_key);
    return keys;
}

static void agree(const struct keys *own, const struct keys *remote, uint8_t ret_shared[32])
{
    assert_status(
        trp_x25519_memo_agree(&memo, own->secret, own->public_key, remote->public_key, ret_shared),
        TRP_OK);
}

static uint32_t taken(void)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < TRP_X25519_MEMO_PLACES; i++) {
        count += memo.places[i].is_taken;
    }
    return count;
}

static int set_up(void **state)
{
    (void)state;
    memset(&memo, 0, sizeof memo);
    return 0;
}

static void gives_what_x25519_gives(void **state)
{
    (void)state;
    for (uint8_t i = 1; i < 40; i++) {
        struct keys a = make_keys(i);
        struct keys b = make_keys((uint8_t)(i + 100));
        uint8_t expected[32];
        uint8_t shared[32];
        assert_status(trp_x25519(a.secret, b.public_key, expected), TRP_OK);
        for (uint32_t round = 0; round < 3; round++) {
            agree(&a, &b, shared);
            assert_memory_equal(shared, expected, 32);
            agree(&b, &a, shared);
            assert_memory_equal(shared, expected, 32);
        }
    }
    assert_int_equal(taken(), 0);
}

/* A remembered result is taken from the memo: one put there by hand comes out. */
static void second_end_does_not_compute(void **state)
{
    (void)state;
    struct keys a = make_keys(1);
    struct keys b = make_keys(2);
    uint8_t shared[32];
    agree(&a, &b, shared);
    assert_int_equal(taken(), 1);
    for (uint32_t i = 0; i < TRP_X25519_MEMO_PLACES; i++) {
        memo.places[i].shared[0] ^= memo.places[i].is_taken;
    }
    uint8_t other[32];
    agree(&b, &a, other);
    shared[0] ^= 1;
    assert_memory_equal(other, shared, 32);
    assert_int_equal(taken(), 0);
}

/* Two pairs that fall into one place: the later takes it, and each gets its own result. */
static void pairs_of_one_place_do_not_mix(void **state)
{
    (void)state;
    struct keys a = make_keys(1);
    struct keys b = make_keys(2);
    struct keys c = a;
    c.public_key[31] ^= 0x80; /* the same point to X25519, another key to the memo */
    uint8_t shared[32];
    uint8_t expected[32];
    assert_status(trp_x25519(b.secret, a.public_key, expected), TRP_OK);
    agree(&a, &b, shared);
    agree(&b, &c, shared);
    assert_int_equal(taken(), 1);
    assert_memory_equal(shared, expected, 32);
    agree(&b, &a, shared);
    assert_memory_equal(shared, expected, 32);
}

static void bad_keys_are_refused_each_time(void **state)
{
    (void)state;
    struct keys a = make_keys(1);
    static const uint8_t small[32] = {1};
    uint8_t shared[32];
    for (uint32_t i = 0; i < 2; i++) {
        assert_status(trp_x25519_memo_agree(&memo, a.secret, a.public_key, small, shared),
                      TRP_EAUTH);
    }
    assert_int_equal(taken(), 0);
}

static void without_a_memo_it_computes(void **state)
{
    (void)state;
    struct keys a = make_keys(1);
    struct keys b = make_keys(2);
    uint8_t expected[32];
    uint8_t shared[32];
    assert_status(trp_x25519(a.secret, b.public_key, expected), TRP_OK);
    assert_status(trp_x25519_memo_agree(NULL, a.secret, a.public_key, b.public_key, shared),
                  TRP_OK);
    assert_memory_equal(shared, expected, 32);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(gives_what_x25519_gives, set_up),
        cmocka_unit_test_setup(second_end_does_not_compute, set_up),
        cmocka_unit_test_setup(pairs_of_one_place_do_not_mix, set_up),
        cmocka_unit_test_setup(bad_keys_are_refused_each_time, set_up),
        cmocka_unit_test_setup(without_a_memo_it_computes, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
