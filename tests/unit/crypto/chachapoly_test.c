/* SPDX-License-Identifier: MIT */
#include "crypto/chachapoly.h"

#include "crypto/crypto.h"
#include "lib/test.h"

/* RFC 8439, A.5. */
#define KEY   "1c9240a5eb55d38af333888604f6b5f0473917c1402b80099dca5cbc207075c0"
#define NONCE 0x0807060504030201ull /* 00000000 01 02 … 08 on the wire */
#define AD    "f33388860000000000004e91"
#define PLAIN                                                                                      \
    "Internet-Drafts are draft documents valid for a maximum of six months and may be updated, "   \
    "replaced, or obsoleted by other documents at any time. It is inappropriate to use "           \
    "Internet-Drafts as reference material or to cite them other than as "                         \
    "/\xe2\x80\x9cwork in progress./\xe2\x80\x9d"
static const char sealed_hex[] =
    "64a0861575861af460f062c79be643bd5e805cfd345cf389f108670ac76c8cb24c6cfc18755d43eea09ee94e"
    "382d26b0bdb7b73c321b0100d4f03b7f355894cf332f830e710b97ce98c8a84abd0b948114ad176e008d33bd"
    "60f982b1ff37c8559797a06ef4f0ef61c186324e2b3506383606907b6a7c02b0f9f6157b53c867e4b9166c76"
    "7b804d46a59b5216cde7a4e99040c5a40433225ee282a1b0a06c523eaf4534d7f83fa1155b0047718cbc546a"
    "0d072b04b3564eea1b422273f548271a0bb2316053fa76991955ebd63159434ecebb4e466dae5a1073a67276"
    "27097a1049e617d91d361094fa68f0ff77987130305beaba2eda04df997b714d6c6f2c29a6ad5cb4022b0270"
    "9beead9d67890cbb22392336fea1851f38";

struct vector {
    uint8_t key[32];
    uint8_t ad[12];
    uint8_t sealed[281];
};

static void unhex_vector(struct vector *v)
{
    test_unhex(KEY, v->key, sizeof v->key);
    test_unhex(AD, v->ad, sizeof v->ad);
    assert_int_equal(test_unhex(sealed_hex, v->sealed, sizeof v->sealed), sizeof v->sealed);
}

/* With the portable code, then with the code of this processor: libsodium starts with the first. */
static void matches_the_vector(void **state)
{
    (void)state;
    struct vector v;
    unhex_vector(&v);
    struct trp_bytes ad = trp_bytes(v.ad, sizeof v.ad);
    for (int i = 0; i < 3; i++) {
        uint8_t out[281];
        trp_chachapoly_seal(v.key, NONCE, ad, trp_bytes_text(PLAIN), out);
        assert_memory_equal(out, v.sealed, sizeof out);
        assert_status(trp_chachapoly_open(v.key, NONCE, ad, trp_bytes(out, sizeof out), out),
                      TRP_OK); /* in place */
        assert_memory_equal(out, PLAIN, strlen(PLAIN));
        trp_chachapoly_seal(v.key, NONCE, ad, trp_bytes(out, strlen(PLAIN)), out);
        assert_memory_equal(out, v.sealed, sizeof out);
        trp_crypto_init(); /* any number of times */
    }
}

static void notices_every_change(void **state)
{
    (void)state;
    struct vector v;
    uint8_t out[281];
    unhex_vector(&v);
    struct trp_bytes ad = trp_bytes(v.ad, sizeof v.ad);
    struct trp_bytes sealed = trp_bytes(v.sealed, sizeof v.sealed);
    for (size_t i = 0; i < sizeof v.sealed; i++) {
        v.sealed[i] ^= 0x80;
        assert_status(trp_chachapoly_open(v.key, NONCE, ad, sealed, out), TRP_EAUTH);
        v.sealed[i] ^= 0x80;
        assert_status(trp_chachapoly_open(v.key, NONCE, ad, trp_bytes(v.sealed, i), out),
                      TRP_EAUTH);
    }
    assert_status(trp_chachapoly_open(v.key, NONCE + 1, ad, sealed, out), TRP_EAUTH);
    assert_status(trp_chachapoly_open(v.key, NONCE, TRP_BYTES_NONE, sealed, out), TRP_EAUTH);
    assert_status(trp_chachapoly_open(v.key, NONCE, ad, sealed, out), TRP_OK);
}

static void an_empty_message_has_a_tag(void **state)
{
    (void)state;
    static const uint8_t key[32] = {3};
    uint8_t out[16];
    trp_chachapoly_seal(key, 0, TRP_BYTES_NONE, TRP_BYTES_NONE, out);
    assert_status(trp_chachapoly_open(key, 0, TRP_BYTES_NONE, trp_bytes(out, 16), out), TRP_OK);
    assert_status(trp_chachapoly_open(key, 0, TRP_BYTES_NONE, TRP_BYTES_NONE, out), TRP_EAUTH);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(matches_the_vector),
        cmocka_unit_test(notices_every_change),
        cmocka_unit_test(an_empty_message_has_a_tag),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
