/* SPDX-License-Identifier: MIT */
/* What is said while a connection is secured: the Noise payload and the plaintext exchange. */
#include "lib/test.h"
#include "wire/noise_payload.h"
#include "wire/plaintext_exchange.h"
#include "wire/public_key.h"

static uint8_t block[TRP_NOISE_PAYLOAD_ARENA_BYTES];

static enum trp_status decode_noise(struct trp_bytes in, struct trp_noise_payload *ret_payload)
{
    struct trp_arena arena = trp_arena_init(block, sizeof block);
    return trp_noise_payload_decode(in, &arena, ret_payload);
}

static void noise_payload_has_its_numbers_both_ways(void **state)
{
    (void)state;
    static const char hex[] = "0a020102"
                              "1203030405"
                              "2210120c2f79616d75782f312e302e3012002f"; /* cut below */
    static const char good[] = "0a020102"
                               "1203030405"
                               "2212120c2f79616d75782f312e302e3012022f78";
    uint8_t want[128];
    uint8_t out[128];
    size_t size = 0;
    size_t want_size = test_unhex(good, want, sizeof want);
    struct trp_noise_payload got;
    const struct trp_noise_payload payload = {
        .identity_key = trp_bytes("\1\2", 2),
        .identity_sig = trp_bytes("\3\4\5", 3),
        .muxers_count = 2,
        .muxers = {trp_bytes_text("/yamux/1.0.0"), trp_bytes_text("/x")}};
    assert_status(trp_noise_payload_encode(&payload, out, sizeof out, &size), TRP_OK);
    assert_int_equal(size, want_size);
    assert_memory_equal(out, want, size);
    assert_status(trp_noise_payload_encode(&payload, out, size - 1, &size), TRP_ETOOBIG);
    assert_status(decode_noise(trp_bytes(want, want_size), &got), TRP_OK);
    assert_true(trp_bytes_equal(got.identity_key, payload.identity_key));
    assert_true(trp_bytes_equal(got.identity_sig, payload.identity_sig));
    assert_int_equal(got.muxers_count, 2);
    assert_true(trp_bytes_equal(got.muxers[0], payload.muxers[0]));
    assert_true(trp_bytes_equal(got.muxers[1], payload.muxers[1]));
    unsigned accepted = 0;
    for (size_t cut = 0; cut < want_size; cut++) {
        accepted += decode_noise(trp_bytes(want, cut), &got) == TRP_OK;
    }
    assert_int_equal(accepted, 3);
    size = test_unhex(hex, want, sizeof want);
    assert_status(decode_noise(trp_bytes(want, size), &got), TRP_EMALFORMED);
}

static void noise_payload_skips_what_it_does_not_know(void **state)
{
    (void)state;
    uint8_t bytes[128];
    struct trp_noise_payload got;
    size_t size = test_unhex("1a03616263" /* field 3, data of old drafts */
                             "0a0101"
                             "0a020102"         /* again: the last counts */
                             "22060a04deadbeef" /* a certificate hash */
                             "28ff01",
                             bytes, sizeof bytes);
    assert_status(decode_noise(trp_bytes(bytes, size), &got), TRP_OK);
    assert_int_equal(got.identity_key.size, 2);
    assert_int_equal(got.identity_sig.size, 0);
    assert_int_equal(got.muxers_count, 0);
    assert_status(decode_noise(TRP_BYTES_NONE, &got), TRP_OK);
    assert_int_equal(got.identity_key.size, 0);
}

static void noise_payload_takes_no_more_than_the_arena(void **state)
{
    (void)state;
    static uint8_t bytes[65535];
    struct trp_noise_payload got;
    for (size_t i = 0; i + 1 < sizeof bytes; i += 2) {
        bytes[i] = 0x22;
        bytes[i + 1] = 0;
    }
    assert_status(decode_noise(trp_bytes(bytes, sizeof bytes - 1), &got), TRP_ETOOBIG);
    size_t size = 3;
    memcpy(bytes, "\x22\x80\x01", 3); /* 64 empty muxers: surplus is left out */
    for (; size < 3 + 128; size += 2) {
        bytes[size] = 0x12;
        bytes[size + 1] = 0;
    }
    assert_status(decode_noise(trp_bytes(bytes, size), &got), TRP_OK);
    assert_int_equal(got.muxers_count, TRP_NOISE_PAYLOAD_MUXERS_MAX);
}

static void plaintext_exchange_comes_back(void **state)
{
    (void)state;
    static struct trp_keypair keypair;
    static struct trp_public_key key;
    struct trp_peer_id id;
    struct trp_peer_id want;
    uint8_t out[TRP_PLAINTEXT_EXCHANGE_BYTES_MAX];
    size_t size = 0;
    trp_keypair_from_seed((const uint8_t[32]){3}, &keypair);
    trp_peer_id_from_key(&keypair.public_key, &want);
    assert_status(trp_plaintext_exchange_encode(&keypair.public_key, out, sizeof out, &size),
                  TRP_OK);
    assert_int_equal(size, 2 + 38 + 2 + 36);
    assert_true(out[0] == 0x0a && out[40] == 0x12);
    assert_status(trp_plaintext_exchange_decode(trp_bytes(out, size), &id, &key), TRP_OK);
    assert_true(trp_peer_id_equal(&id, &want));
    assert_int_equal(key.size, 32);
    assert_memory_equal(key.bytes, keypair.public_key.bytes, 32);
    for (size_t cut = 0; cut < size; cut++) {
        assert_status(trp_plaintext_exchange_decode(trp_bytes(out, cut), &id, &key),
                      TRP_EMALFORMED);
    }
    out[30] ^= 1;
    assert_status(trp_plaintext_exchange_decode(trp_bytes(out, size), &id, &key), TRP_EAUTH);
    out[30] ^= 1;
    assert_status(trp_plaintext_exchange_encode(&keypair.public_key, out, size - 1, &size),
                  TRP_ETOOBIG);
}

static void plaintext_exchange_holds_the_largest_key(void **state)
{
    (void)state;
    static struct trp_public_key key = {.type = TRP_KEY_RSA, .size = TRP_KEY_BYTES_MAX};
    static struct trp_public_key got;
    struct trp_peer_id id;
    uint8_t out[TRP_PLAINTEXT_EXCHANGE_BYTES_MAX];
    size_t size;
    assert_status(trp_plaintext_exchange_encode(&key, out, sizeof out, &size), TRP_OK);
    assert_status(trp_plaintext_exchange_decode(trp_bytes(out, size), &id, &got), TRP_OK);
    assert_int_equal(id.size, 34);
    assert_int_equal(got.size, TRP_KEY_BYTES_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(noise_payload_has_its_numbers_both_ways),
        cmocka_unit_test(noise_payload_skips_what_it_does_not_know),
        cmocka_unit_test(noise_payload_takes_no_more_than_the_arena),
        cmocka_unit_test(plaintext_exchange_comes_back),
        cmocka_unit_test(plaintext_exchange_holds_the_largest_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
