/* SPDX-License-Identifier: MIT */
#include "crypto/x25519.h"

#include "lib/test.h"

/* RFC 7748, 6.1. */
static void matches_the_vectors(void **state)
{
    (void)state;
    static const char *const secrets[2] = {
        "77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a",
        "5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb"};
    static const char *const publics[2] = {
        "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a",
        "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f"};
    uint8_t secret[2][32];
    uint8_t public_key[2][32];
    uint8_t expected[32];
    uint8_t shared[32];
    for (size_t i = 0; i < 2; i++) {
        test_unhex(secrets[i], secret[i], 32);
        test_unhex(publics[i], expected, 32);
        trp_x25519_public(secret[i], public_key[i]);
        assert_memory_equal(public_key[i], expected, 32);
    }
    test_unhex("4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742", expected, 32);
    for (size_t i = 0; i < 2; i++) {
        assert_status(trp_x25519(secret[i], public_key[1 - i], shared), TRP_OK);
        assert_memory_equal(shared, expected, 32);
    }
}

static void refuses_keys_of_small_order(void **state)
{
    (void)state;
    static const uint8_t secret[32] = {5};
    static const uint8_t small[2][32] = {{0}, {1}};
    uint8_t shared[32];
    for (size_t i = 0; i < 2; i++) {
        assert_status(trp_x25519(secret, small[i], shared), TRP_EAUTH);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(matches_the_vectors),
        cmocka_unit_test(refuses_keys_of_small_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
