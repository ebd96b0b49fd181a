/* SPDX-License-Identifier: MIT */
#include "scenarios/invariant/table.h"

#include "lib/test.h"

/* SHA-256 of one byte 0x00 … 0x20 begins with these bits, computed with sha256sum: a key of 0x00
 * (6e…) and one of 0x03 (08…) share one bit, with 0x05 (e7…) none. */
static struct trp_peer_id peer(uint8_t byte)
{
    struct trp_peer_id id = {.size = 1};
    id.bytes[0] = byte;
    return id;
}

struct entry {
    uint8_t peer;
    uint32_t bucket;
};

struct list {
    const struct entry *entries;
    uint32_t count;
    uint32_t at;
};

static bool next(void *user, struct trp_peer_id *ret_peer, uint32_t *ret_bucket)
{
    struct list *list = user;
    if (list->at == list->count) {
        return false;
    }
    *ret_peer = peer(list->entries[list->at].peer);
    *ret_bucket = list->entries[list->at++].bucket;
    return true;
}

static struct trp_table_fault faults[TRP_TABLE_RULES];

static uint32_t check(struct trp_table_keys *keys, const struct entry *entries, uint32_t count)
{
    const struct trp_peer_id self = peer(0);
    struct list list = {.entries = entries, .count = count};
    uint32_t found = 99;
    memset(faults, 0, sizeof faults);
    assert_status(trp_table_check(keys, &self, next, &list, faults, &found), TRP_OK);
    return found;
}

static int open_keys(void **state)
{
    struct trp_table_keys *keys = NULL;
    assert_status(trp_table_keys_open(&keys), TRP_OK);
    *state = keys;
    return 0;
}

static int close_keys(void **state)
{
    trp_table_keys_close(*state);
    return 0;
}

static void takes_a_table_that_is_right(void **state)
{
    const struct entry right[] = {{3, 1}, {5, 0}};
    assert_int_equal(check(*state, right, 2), 0);
    assert_int_equal(check(*state, right, 2), 0); /* the same peers again are no doubles */
    assert_int_equal(check(*state, NULL, 0), 0);
}

static void finds_itself(void **state)
{
    const struct entry own[] = {{3, 1}, {0, 7}};
    assert_int_equal(check(*state, own, 2), 1);
    assert_int_equal(faults[0].rule, TRP_TABLE_SELF);
    assert_int_equal(faults[0].bucket, 7);
}

static void finds_a_wrong_bucket(void **state)
{
    const struct entry wrong[] = {{5, 0}, {3, 2}};
    const struct trp_peer_id its = peer(3);
    assert_int_equal(check(*state, wrong, 2), 1);
    assert_int_equal(faults[0].rule, TRP_TABLE_BUCKET);
    assert_int_equal(faults[0].bucket, 2);
    assert_int_equal(faults[0].expected, 1);
    assert_true(trp_peer_id_equal(&faults[0].peer, &its));
}

static void finds_a_double(void **state)
{
    const struct entry twice[] = {{3, 1}, {5, 0}, {3, 1}};
    assert_int_equal(check(*state, twice, 3), 1);
    assert_int_equal(faults[0].rule, TRP_TABLE_DOUBLE);
}

static void finds_a_bucket_that_is_too_full(void **state)
{
    struct entry many[64];
    uint32_t count = 0;
    /* Half of all peers belong in bucket 0: those whose key begins with a 1, as 0's with a 0. */
    for (uint32_t byte = 1; byte < 256 && count < 21; byte++) {
        const struct entry one = {(uint8_t)byte, 0};
        if (check(*state, &one, 1) == 0) {
            many[count++] = one;
        }
    }
    assert_int_equal(count, 21);
    assert_int_equal(check(*state, many, 20), 0);
    assert_int_equal(check(*state, many, 21), 1);
    assert_int_equal(faults[0].rule, TRP_TABLE_OVERFULL);
    assert_int_equal(faults[0].expected, 21);
}

static void gives_one_fault_of_each_rule(void **state)
{
    const struct entry wrong[] = {{3, 2}, {3, 2}, {0, 1}, {5, 9}};
    assert_int_equal(check(*state, wrong, 4), 3);
    assert_int_equal(faults[0].rule, TRP_TABLE_SELF);
    assert_int_equal(faults[1].rule, TRP_TABLE_BUCKET);
    assert_int_equal(faults[2].rule, TRP_TABLE_DOUBLE);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, open_keys, close_keys)
    const struct CMUnitTest tests[] = {
        CASE(takes_a_table_that_is_right),
        CASE(finds_itself),
        CASE(finds_a_wrong_bucket),
        CASE(finds_a_double),
        CASE(finds_a_bucket_that_is_too_full),
        CASE(gives_one_fault_of_each_rule),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
