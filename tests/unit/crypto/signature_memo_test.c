/* SPDX-License-Identifier: MIT */
#include "crypto/signature_memo.h"
#include "lib/test.h"

#define MESSAGE "Troupe"

struct signed_message {
    struct trp_keypair pair;
    uint8_t signature[64];
};

static struct signed_message sign(uint32_t who)
{
    struct signed_message made;
    uint8_t seed[32] = {(uint8_t)who, (uint8_t)(who >> 8)};
    trp_keypair_from_seed(seed, &made.pair);
    trp_keypair_sign(&made.pair, trp_bytes_text(MESSAGE), made.signature);
    return made;
}

static enum trp_status check(struct trp_signature_memo *memo, const struct signed_message *made)
{
    return trp_signature_memo_verify(memo, &made->pair.public_key, trp_bytes_text(MESSAGE),
                                     trp_bytes(made->signature, sizeof made->signature));
}

static void remembers_what_was_good(void **state)
{
    (void)state;
    struct trp_memory memory = trp_memory_init(1 << 20);
    struct trp_signature_memo memo = trp_signature_memo_init(&memory, TRP_SIGNATURE_MEMO_MAX);
    struct signed_message made = sign(1);
    for (uint32_t i = 0; i < 3; i++) {
        assert_status(check(&memo, &made), TRP_OK);
        assert_int_equal(memo.count, 1);
    }
    trp_signature_memo_deinit(&memo);
    assert_int_equal(memory.used_bytes, 0);
}

static void notices_every_change_of_what_it_remembers(void **state)
{
    (void)state;
    struct trp_memory memory = trp_memory_init(1 << 20);
    struct trp_signature_memo memo = trp_signature_memo_init(&memory, TRP_SIGNATURE_MEMO_MAX);
    struct signed_message made = sign(1);
    struct signed_message other = sign(2);
    struct trp_bytes signature = trp_bytes(made.signature, sizeof made.signature);
    assert_status(check(&memo, &made), TRP_OK);
    for (size_t at = 0; at < sizeof made.signature; at++) {
        made.signature[at] ^= 1;
        assert_status(check(&memo, &made), TRP_EAUTH);
        made.signature[at] ^= 1;
        assert_status(trp_signature_memo_verify(&memo, &made.pair.public_key,
                                                trp_bytes_text(MESSAGE),
                                                trp_bytes(made.signature, at)),
                      TRP_EAUTH);
    }
    assert_status(trp_signature_memo_verify(&memo, &other.pair.public_key, trp_bytes_text(MESSAGE),
                                            signature),
                  TRP_EAUTH);
    assert_status(trp_signature_memo_verify(&memo, &made.pair.public_key, trp_bytes_text("troupe"),
                                            signature),
                  TRP_EAUTH);
    made.pair.public_key.type = TRP_KEY_SECP256K1;
    assert_status(check(&memo, &made), TRP_EMALFORMED);
    assert_int_equal(memo.count, 1);
    trp_signature_memo_deinit(&memo);
}

static void without_a_memo_it_verifies(void **state)
{
    (void)state;
    struct signed_message made = sign(1);
    assert_status(check(NULL, &made), TRP_OK);
    made.signature[5] ^= 1;
    assert_status(check(NULL, &made), TRP_EAUTH);
}

static void what_was_of_use_longest_ago_makes_way(void **state)
{
    (void)state;
    struct trp_memory memory = trp_memory_init(1 << 20);
    struct trp_signature_memo memo = trp_signature_memo_init(&memory, TRP_SIGNATURE_MEMO_MAX);
    struct signed_message first = sign(0);
    for (uint32_t who = 0; who < TRP_SIGNATURE_MEMO_MAX; who++) {
        struct signed_message made = sign(who);
        assert_status(check(&memo, &made), TRP_OK);
    }
    assert_int_equal(memo.count, TRP_SIGNATURE_MEMO_MAX);
    assert_status(check(&memo, &first), TRP_OK); /* now second is the oldest */
    struct signed_message last = sign(TRP_SIGNATURE_MEMO_MAX);
    assert_status(check(&memo, &last), TRP_OK);
    assert_int_equal(memo.count, TRP_SIGNATURE_MEMO_MAX);
    uint64_t used = memory.used_bytes;
    memory.fail_at = 1; /* what is remembered needs no memory */
    assert_status(check(&memo, &first), TRP_OK);
    assert_int_equal(memory.fail_at, 1);
    struct signed_message second = sign(1);
    assert_status(check(&memo, &second), TRP_OK); /* makes way for itself, and fails */
    assert_int_equal(memory.fail_at, 0);
    assert_true(memory.used_bytes < used);
    trp_signature_memo_deinit(&memo);
    assert_int_equal(memory.used_bytes, 0);
}

static void outlives_every_failing_allocation(void **state)
{
    (void)state;
    struct signed_message made = sign(1);
    for (uint64_t n = 1; n <= 4; n++) {
        struct trp_memory memory = trp_memory_init(1 << 20);
        struct trp_signature_memo memo = trp_signature_memo_init(&memory, TRP_SIGNATURE_MEMO_MAX);
        memory.fail_at = n;
        assert_status(check(&memo, &made), TRP_OK);
        assert_int_equal(memo.count, n <= 3 ? 0 : 1); /* the entry, the table, its buckets */
        trp_signature_memo_deinit(&memo);
        assert_int_equal(memory.used_bytes, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(remembers_what_was_good),
        cmocka_unit_test(notices_every_change_of_what_it_remembers),
        cmocka_unit_test(without_a_memo_it_verifies),
        cmocka_unit_test(what_was_of_use_longest_ago_makes_way),
        cmocka_unit_test(outlives_every_failing_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
