/* SPDX-License-Identifier: MIT */
#include "proto/noise_handshake.h"

#include "crypto/x25519.h"
#include "lib/test.h"

/* rweather/noise-c tests/vector/cacophony.txt, Noise_XX_25519_ChaChaPoly_SHA256. */
#define PROLOGUE    "4a6f686e2047616c74"
#define I_STATIC    "e61ef9919cde45dd5f82166404bd08e38bceb5dfdfded0a34c8df7ed542214d1"
#define I_EPHEMERAL "893e28b9dc6ca8d611ab664754b8ceb7bac5117349a4439a6b0569da977c464a"
#define R_STATIC    "4a3acbfdb163dec651dfa3194dece676d437029c62a408b4c5ea9114246e4893"
#define R_EPHEMERAL "bbdb4cdbd309f1a1f2e1456967fe288cadd6f712d65dc7b7793d5e63da6b375b"

static const struct {
    const char *payload;
    const char *wire;
} messages[] = {
    {"Ludwig von Mises",
     "ca35def5ae56cec33dc2036731ab14896bc4c75dbb07a61f879f8e3afa4c79444c75647769"
     "6720766f6e204d69736573"},
    {"Murray Rothbard",
     "95ebc60d2b1fa672c1f46a8aa265ef51bfe38e7ccb39ec5be34069f14480884381cbad1f276"
     "e038c48378ffce2b65285e08d6b68aaa3629a5a8639392490e5b9bd5269c2f1e4f488ed8831"
     "161f19b7815528f8982ffe09be9b5c412f8a0db50f8814c7194e83f23dbd8d162c9326ad"},
    {"F. A. Hayek",
     "c7195ffacac1307ff99046f219750fc47693e23c3cb08b89c2af808b444850a80ae475b9df0f169"
     "ae80a89be0865b57f58c9fea0d4ec82a286427402f113e4b6ae769a1d95941d49b25030"},
};
#define TRANSPORT_PAYLOAD "Carl Menger" /* responder to initiator */
#define TRANSPORT_WIRE    "96763ed773f8e47bb3712f0e29b3060ffc956ffc146cee53d5e1df"

static void setup(struct trp_noise_handshake *hs, bool initiator, const char *prologue_hex)
{
    uint8_t static_secret[32];
    uint8_t static_public[32];
    uint8_t ephemeral_secret[32];
    uint8_t prologue[16];
    size_t size = test_unhex(prologue_hex, prologue, sizeof prologue);
    test_unhex(initiator ? I_STATIC : R_STATIC, static_secret, 32);
    test_unhex(initiator ? I_EPHEMERAL : R_EPHEMERAL, ephemeral_secret, 32);
    trp_x25519_public(static_secret, static_public);
    trp_noise_handshake_init(hs, initiator, static_secret, static_public, ephemeral_secret,
                             trp_bytes(prologue, size));
}

/* Runs message `index` from one to the other; returns its size in `message`. */
static size_t exchange(struct trp_noise_handshake hs[2], size_t index, uint8_t message[256])
{
    struct trp_noise_handshake *from = &hs[index % 2];
    struct trp_noise_handshake *to = &hs[1 - index % 2];
    struct trp_bytes payload = trp_bytes_text(messages[index].payload);
    uint8_t copy[256];
    assert_true(trp_noise_handshake_is_writing(from));
    assert_false(trp_noise_handshake_is_writing(to));
    size_t size = trp_noise_handshake_overhead(from) + payload.size;
    assert_status(trp_noise_handshake_write(from, payload, message), TRP_OK);
    memcpy(copy, message, size);
    struct trp_bytes read;
    assert_status(trp_noise_handshake_read(to, copy, size, &read), TRP_OK);
    assert_true(trp_bytes_equal(read, payload));
    return size;
}

static void matches_the_cacophony_vector(void **state)
{
    (void)state;
    struct trp_noise_handshake hs[2];
    uint8_t message[256];
    uint8_t expected[256];
    setup(&hs[0], true, PROLOGUE);
    setup(&hs[1], false, PROLOGUE);
    for (size_t i = 0; i < 3; i++) {
        size_t size = exchange(hs, i, message);
        assert_int_equal(size, test_unhex(messages[i].wire, expected, sizeof expected));
        assert_memory_equal(message, expected, size);
    }
    struct trp_noise_cipher send[2];
    struct trp_noise_cipher recv[2];
    for (size_t i = 0; i < 2; i++) {
        assert_true(trp_noise_handshake_is_done(&hs[i]));
        trp_noise_handshake_split(&hs[i], &send[i], &recv[i]);
    }
    struct trp_bytes payload = trp_bytes_text(TRANSPORT_PAYLOAD);
    assert_status(trp_noise_cipher_seal(&send[1], TRP_BYTES_NONE, payload, message), TRP_OK);
    size_t size = test_unhex(TRANSPORT_WIRE, expected, sizeof expected);
    assert_int_equal(size, payload.size + TRP_NOISE_TAG_BYTES);
    assert_memory_equal(message, expected, size);
    assert_status(
        trp_noise_cipher_open(&recv[0], TRP_BYTES_NONE, trp_bytes(message, size), message), TRP_OK);
    assert_memory_equal(message, payload.data, payload.size);
}

static void agrees_without_a_prologue_and_only_on_the_same(void **state)
{
    (void)state;
    struct trp_noise_handshake hs[2];
    struct trp_bytes read;
    uint8_t message[256];
    setup(&hs[0], true, "");
    setup(&hs[1], false, "");
    for (size_t i = 0; i < 3; i++) {
        exchange(hs, i, message);
    }
    assert_memory_equal(hs[0].hash, hs[1].hash, 32);
    assert_memory_equal(hs[0].remote_static, hs[1].static_public, 32);
    assert_memory_equal(hs[1].remote_static, hs[0].static_public, 32);

    setup(&hs[0], true, "");
    setup(&hs[1], false, PROLOGUE);
    exchange(hs, 0, message); /* nothing is encrypted yet */
    assert_status(trp_noise_handshake_write(&hs[1], TRP_BYTES_NONE, message), TRP_OK);
    assert_status(trp_noise_handshake_read(&hs[0], message, 96, &read), TRP_EAUTH);
}

/* Brings both to the message `index`, and gives it. */
static size_t advance(struct trp_noise_handshake hs[2], size_t index, uint8_t message[256])
{
    setup(&hs[0], true, PROLOGUE);
    setup(&hs[1], false, PROLOGUE);
    for (size_t i = 0; i < index; i++) {
        exchange(hs, i, message);
    }
    struct trp_bytes payload = trp_bytes_text(messages[index].payload);
    struct trp_noise_handshake *from = &hs[index % 2];
    size_t size = trp_noise_handshake_overhead(from) + payload.size;
    assert_status(trp_noise_handshake_write(from, payload, message), TRP_OK);
    return size;
}

static void every_truncation_is_refused(void **state)
{
    (void)state;
    for (size_t index = 0; index < 3; index++) {
        struct trp_noise_handshake hs[2];
        uint8_t message[256];
        size_t size = advance(hs, index, message);
        size_t overhead = trp_noise_handshake_overhead(&hs[1 - index % 2]);
        /* What the payload of message 1 loses is not protected. */
        for (size_t cut = 0; cut < (index == 0 ? overhead : size); cut++) {
            struct trp_noise_handshake to = hs[1 - index % 2];
            uint8_t copy[256];
            struct trp_bytes read;
            memcpy(copy, message, cut);
            assert_status(trp_noise_handshake_read(&to, copy, cut, &read),
                          cut < overhead ? TRP_EMALFORMED : TRP_EAUTH);
        }
    }
}

static void every_changed_byte_is_noticed(void **state)
{
    (void)state;
    for (size_t index = 1; index < 3; index++) {
        struct trp_noise_handshake hs[2];
        uint8_t message[256];
        size_t size = advance(hs, index, message);
        for (size_t at = 0; at < size; at++) {
            struct trp_noise_handshake to = hs[1 - index % 2];
            uint8_t copy[256];
            struct trp_bytes read;
            memcpy(copy, message, size);
            copy[at] ^= 1;
            assert_status(trp_noise_handshake_read(&to, copy, size, &read), TRP_EAUTH);
        }
    }
}

static void a_key_of_small_order_is_refused(void **state)
{
    (void)state;
    struct trp_noise_handshake hs;
    struct trp_bytes read;
    uint8_t message[128] = {0};
    setup(&hs, false, "");
    assert_status(trp_noise_handshake_read(&hs, message, 32, &read), TRP_OK);
    assert_status(trp_noise_handshake_write(&hs, TRP_BYTES_NONE, message), TRP_EAUTH);
}

static void the_last_nonce_is_never_used(void **state)
{
    (void)state;
    struct trp_noise_cipher cipher = {.nonce = UINT64_MAX - 1};
    uint8_t sealed[16];
    assert_status(trp_noise_cipher_seal(&cipher, TRP_BYTES_NONE, TRP_BYTES_NONE, sealed), TRP_OK);
    assert_status(trp_noise_cipher_seal(&cipher, TRP_BYTES_NONE, TRP_BYTES_NONE, sealed),
                  TRP_ESTATE);
    assert_status(trp_noise_cipher_open(&cipher, TRP_BYTES_NONE, trp_bytes(sealed, 16), sealed),
                  TRP_ESTATE);
}

static void deinit_leaves_no_secret(void **state)
{
    (void)state;
    struct trp_noise_handshake hs;
    static const struct trp_noise_handshake zero;
    setup(&hs, true, PROLOGUE);
    trp_noise_handshake_deinit(&hs);
    assert_memory_equal(&hs, &zero, sizeof hs);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(matches_the_cacophony_vector),
        cmocka_unit_test(agrees_without_a_prologue_and_only_on_the_same),
        cmocka_unit_test(every_truncation_is_refused),
        cmocka_unit_test(every_changed_byte_is_noticed),
        cmocka_unit_test(a_key_of_small_order_is_refused),
        cmocka_unit_test(the_last_nonce_is_never_used),
        cmocka_unit_test(deinit_leaves_no_secret),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
