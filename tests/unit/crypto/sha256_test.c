/* SPDX-License-Identifier: MIT */
#include "crypto/sha256.h"

#include "lib/test.h"

/* FIPS 180-2, appendix B. */
static void sha256_matches_the_vectors(void **state)
{
    (void)state;
    uint8_t digest[32];
    uint8_t expected[32];
    trp_sha256(trp_bytes_text("abc"), digest);
    test_unhex("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", expected, 32);
    assert_memory_equal(digest, expected, 32);
    trp_sha256_two(trp_bytes_text("a"), trp_bytes_text("bc"), digest);
    assert_memory_equal(digest, expected, 32);
    trp_sha256(TRP_BYTES_NONE, digest);
    test_unhex("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", expected, 32);
    assert_memory_equal(digest, expected, 32);
}

/* RFC 4231, test case 2. */
static void hmac_matches_the_vector(void **state)
{
    (void)state;
    uint8_t mac[32];
    uint8_t expected[32];
    trp_hmac_sha256(trp_bytes_text("Jefe"), trp_bytes_text("what do ya want for nothing?"), mac);
    test_unhex("5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843", expected, 32);
    assert_memory_equal(mac, expected, 32);
}

/* RFC 5869, A.3: no salt, no info; the first 42 bytes of output are given there. */
static void hkdf_matches_the_vector(void **state)
{
    (void)state;
    uint8_t input[22];
    uint8_t output[64];
    uint8_t expected[42];
    memset(input, 0x0b, sizeof input);
    trp_hkdf_sha256(TRP_BYTES_NONE, trp_bytes(input, sizeof input), output, output + 32);
    test_unhex(
        "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8",
        expected, sizeof expected);
    assert_memory_equal(output, expected, sizeof expected);
}

static void hkdf_may_replace_its_salt(void **state)
{
    (void)state;
    uint8_t salt[32] = {1, 2, 3};
    uint8_t first[32];
    uint8_t second[32];
    uint8_t again[32];
    struct trp_bytes input = trp_bytes_text("input");
    trp_hkdf_sha256(trp_bytes(salt, 32), input, first, second);
    trp_hkdf_sha256(trp_bytes(salt, 32), input, salt, again);
    assert_memory_equal(salt, first, 32);
    assert_memory_equal(again, second, 32);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sha256_matches_the_vectors),
        cmocka_unit_test(hmac_matches_the_vector),
        cmocka_unit_test(hkdf_matches_the_vector),
        cmocka_unit_test(hkdf_may_replace_its_salt),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
