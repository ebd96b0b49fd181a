/* SPDX-License-Identifier: MIT */
#include "crypto/drbg.h"

#include "lib/test.h"

/* HMAC-SHA256 of the purpose under the key 00 01 … 1f, and the ChaCha20 keystreams that follow,
 * computed by another implementation (pyca/cryptography). */
static void matches_another_implementation(void **state)
{
    (void)state;
    static const char *const first =
        "9432632a95e74f034e9688e3af9674811da7d453e07a8bae3ee87c88edc6c27d80211fa1bc893ddf"
        "75d908e3a6bad5eba382c66d6702ad72886a6e93ec18f31b53ae38921b1c04c599ee44418b0f48b9"
        "5877e63467b6e7affd9e338a32ae88aab7b64ac43af91467a9b3c28ab348bf2dad41e223f4f59f7d"
        "e209bb1a30835f81b7503798a49adac6821cad888c48fda69a38e1f6fe719765ccd131569ebafebb"
        "63926a624faaefe86826d752a73d367d74cb61107d278156a51947b9cbc0ac848c7adbeab750cd67";
    uint8_t seed[32];
    uint8_t expected[200];
    uint8_t drawn[200];
    struct trp_drbg drbg;
    for (size_t i = 0; i < sizeof seed; i++) {
        seed[i] = (uint8_t)i;
    }
    trp_drbg_init(&drbg, seed, "noise");
    test_unhex("2d00f8a4d8a65c325c8a32c9e0f01e219310823ce11a9baefcd885adfd5d1ccf", expected, 32);
    assert_memory_equal(drbg.key, expected, 32);
    trp_drbg_fill(&drbg, drawn, sizeof drawn);
    assert_int_equal(test_unhex(first, expected, sizeof expected), sizeof drawn);
    assert_memory_equal(drawn, expected, sizeof drawn);
    trp_drbg_fill(&drbg, drawn, 16);
    test_unhex("ad7f0d59ea79774e1b55b85aedb91ead", expected, 16);
    assert_memory_equal(drawn, expected, 16);
}

static void each_draw_replaces_the_key(void **state)
{
    (void)state;
    static const uint8_t seed[32] = {7};
    struct trp_drbg drbg;
    uint8_t key[32];
    uint8_t a[64];
    uint8_t b[64];
    trp_drbg_init(&drbg, seed, "x");
    for (size_t size = 0; size <= sizeof a; size++) {
        memcpy(key, drbg.key, sizeof key);
        trp_drbg_fill(&drbg, a, size);
        assert_memory_not_equal(drbg.key, key, sizeof key);
        trp_drbg_fill(&drbg, b, size);
        assert_true(size < 8 || memcmp(a, b, size) != 0);
    }
}

static void purposes_and_seeds_differ(void **state)
{
    (void)state;
    static const uint8_t seeds[2][32] = {{1}, {2}};
    struct trp_drbg drbg[3];
    trp_drbg_init(&drbg[0], seeds[0], "noise");
    trp_drbg_init(&drbg[1], seeds[0], "identity");
    trp_drbg_init(&drbg[2], seeds[1], "noise");
    assert_memory_not_equal(drbg[0].key, drbg[1].key, 32);
    assert_memory_not_equal(drbg[0].key, drbg[2].key, 32);
}

/* A short draw gives the same first bytes as a long one, and the same key after it. */
static void the_length_of_a_draw_moves_nothing(void **state)
{
    (void)state;
    static const uint8_t seed[32] = {9};
    uint8_t whole[300];
    struct trp_drbg after;
    trp_drbg_init(&after, seed, "x");
    trp_drbg_fill(&after, whole, sizeof whole);
    for (size_t size = 0; size <= sizeof whole; size++) {
        uint8_t part[301];
        struct trp_drbg drbg;
        memset(part, 0xaa, sizeof part);
        trp_drbg_init(&drbg, seed, "x");
        trp_drbg_fill(&drbg, part, size);
        assert_memory_equal(part, whole, size);
        assert_int_equal(part[size], 0xaa);
        assert_memory_equal(drbg.key, after.key, 32);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(matches_another_implementation),
        cmocka_unit_test(each_draw_replaces_the_key),
        cmocka_unit_test(purposes_and_seeds_differ),
        cmocka_unit_test(the_length_of_a_draw_moves_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
