/* SPDX-License-Identifier: MIT */
#include "lib/test.h"
#include "lib/vectors.h"
#include "wire/public_key.h"

#include <troupe/peer_id.h>

/* The four keys of the specification, with the ids that they make. */
static void keys_of_the_specification_make_their_ids(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        enum trp_key_type type;
    } types[] = {{"rsa", TRP_KEY_RSA},
                 {"ed25519", TRP_KEY_ED25519},
                 {"secp256k1", TRP_KEY_SECP256K1},
                 {"ecdsa", TRP_KEY_ECDSA}};
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        char line[TEST_VECTOR_LINE_MAX];
        test_vector("peer_ids.txt", types[i].name, line);
        char *text = strchr(line, ' ');
        assert_non_null(text);
        *text++ = '\0';
        uint8_t encoded[TRP_PUBLIC_KEY_ENCODED_MAX];
        uint8_t again[TRP_PUBLIC_KEY_ENCODED_MAX];
        size_t size = test_unhex(line, encoded, sizeof encoded);
        size_t again_size = 0;
        static struct trp_public_key key;
        assert_status(trp_public_key_decode(trp_bytes(encoded, size), &key), TRP_OK);
        assert_int_equal(key.type, types[i].type);
        assert_status(trp_public_key_encode(&key, again, sizeof again, &again_size), TRP_OK);
        assert_int_equal(again_size, size);
        assert_memory_equal(again, encoded, size);
        assert_status(trp_public_key_encode(&key, again, size - 1, &again_size), TRP_ETOOBIG);

        struct trp_peer_id id;
        struct trp_peer_id parsed;
        char printed[TRP_PEER_ID_TEXT_MAX];
        trp_peer_id_from_key(&key, &id);
        trp_peer_id_print(&id, printed);
        assert_string_equal(printed, text);
        assert_status(trp_peer_id_parse(text, &parsed), TRP_OK);
        assert_true(trp_peer_id_equal(&id, &parsed));
        for (size_t cut = 0; cut < size; cut++) {
            assert_status(trp_public_key_decode(trp_bytes(encoded, cut), &key), TRP_EMALFORMED);
        }
    }
}

static void refuses_keys_that_lack_something(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",                                                                         /* nothing */
        "0801",                                                                     /* no data */
        "1220000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",     /* no type */
        "08041220000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f", /* type 4 */
        "0801121f000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e",   /* 31 bytes */
        "08011200",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        uint8_t bytes[64];
        static struct trp_public_key key;
        size_t size = test_unhex(bad[i], bytes, sizeof bytes);
        assert_status(trp_public_key_decode(trp_bytes(bytes, size), &key), TRP_EMALFORMED);
    }
    static const uint8_t large[TRP_PUBLIC_KEY_ENCODED_MAX + 1];
    static struct trp_public_key key;
    assert_status(trp_public_key_decode(trp_bytes(large, sizeof large), &key), TRP_ETOOBIG);
}

static void skips_unknown_fields_of_a_key(void **state)
{
    (void)state;
    uint8_t bytes[64];
    size_t size = test_unhex("1a03616263"
                             "0801"
                             "1220000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
                             "2007",
                             bytes, sizeof bytes);
    static struct trp_public_key key;
    assert_status(trp_public_key_decode(trp_bytes(bytes, size), &key), TRP_OK);
    assert_int_equal(key.size, 32);
    struct trp_peer_id id;
    char text[TRP_PEER_ID_TEXT_MAX];
    trp_peer_id_from_key(&key, &id); /* of the canonical form */
    trp_peer_id_print(&id, text);
    assert_string_equal(text, "12D3KooW9pP4Seg3kZYhySpuVjn1RPdQBsUFZKiFxGMGQN5MeL6A");
}

/* The examples of peer-ids.md; the same id as CID in more bases. */
static void reads_all_spellings(void **state)
{
    (void)state;
    static const char *const same[] = {
        "QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5N",
        "bafzbeie5745rpv2m6tjyuugywy4d5ewrqgqqhfnf445he3omzpjbx5xqxe",
    };
    struct trp_peer_id first;
    assert_status(trp_peer_id_parse(same[0], &first), TRP_OK);
    for (size_t i = 0; i < sizeof same / sizeof same[0]; i++) {
        struct trp_peer_id id;
        char text[TRP_PEER_ID_TEXT_MAX];
        assert_status(trp_peer_id_parse(same[i], &id), TRP_OK);
        trp_peer_id_print(&id, text);
        assert_string_equal(text, "QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5N");
        assert_true(trp_peer_id_equal(&id, &first));
    }
    struct trp_peer_id id;
    assert_status(trp_peer_id_parse("12D3KooWD3eckifWpRn9wQpMG9R9hX3sD158z7EqHWmweQAJU5SA", &id),
                  TRP_OK);
    assert_int_equal(id.size, 38);
}

static void refuses_texts_that_name_nobody(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "1",
        "Qm",
        "hello",
        " 12D3KooWD3eckifWpRn9wQpMG9R9hX3sD158z7EqHWmweQAJU5SA",
        "12D3KooWD3eckifWpRn9wQpMG9R9hX3sD158z7EqHWmweQAJU5S0",
        "12D3KooWD3eckifWpRn9wQpMG9R9hX3sD158z7EqHWmweQAJU5SA1",
        "QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5",
        "bafkreie5745rpv2m6tjyuugywy4d5ewrqgqqhfnf445he3omzpjbx5xqxe", /* codec raw */
        "zQmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5N",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct trp_peer_id id;
        assert_status(trp_peer_id_parse(bad[i], &id), TRP_EMALFORMED);
    }
    char endless[1000];
    memset(endless, '1', sizeof endless - 1);
    endless[sizeof endless - 1] = '\0';
    struct trp_peer_id id;
    assert_status(trp_peer_id_parse(endless, &id), TRP_EMALFORMED);
}

static void takes_only_whole_multihashes_of_two_kinds(void **state)
{
    (void)state;
    struct trp_peer_id id;
    uint8_t bytes[64] = {0x00, 42};
    assert_status(trp_peer_id_decode(trp_bytes(bytes, 44), &id), TRP_OK);
    assert_status(trp_peer_id_decode(trp_bytes(bytes, 45), &id), TRP_EMALFORMED); /* one after it */
    assert_status(trp_peer_id_decode(trp_bytes(bytes, 43), &id), TRP_EMALFORMED);
    bytes[1] = 43;
    assert_status(trp_peer_id_decode(trp_bytes(bytes, 45), &id), TRP_EMALFORMED);
    bytes[1] = 0;
    assert_status(trp_peer_id_decode(trp_bytes(bytes, 2), &id), TRP_EMALFORMED);
    bytes[0] = 0x12;
    bytes[1] = 32;
    assert_status(trp_peer_id_decode(trp_bytes(bytes, 34), &id), TRP_OK);
    bytes[1] = 31;
    assert_status(trp_peer_id_decode(trp_bytes(bytes, 33), &id), TRP_EMALFORMED);
    bytes[0] = 0x13; /* sha2-512 */
    bytes[1] = 32;
    assert_status(trp_peer_id_decode(trp_bytes(bytes, 34), &id), TRP_EMALFORMED);
    assert_status(trp_peer_id_decode(TRP_BYTES_NONE, &id), TRP_EMALFORMED);
}

static void order_is_by_bytes_then_by_size(void **state)
{
    (void)state;
    const struct trp_peer_id a = {.size = 2, .bytes = {1, 2}};
    const struct trp_peer_id b = {.size = 3, .bytes = {1, 2, 0}};
    const struct trp_peer_id c = {.size = 2, .bytes = {1, 3}};
    assert_true(trp_peer_id_compare(&a, &b) < 0 && trp_peer_id_compare(&b, &a) > 0);
    assert_true(trp_peer_id_compare(&b, &c) < 0 && trp_peer_id_compare(&c, &b) > 0);
    assert_int_equal(trp_peer_id_compare(&a, &a), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_of_the_specification_make_their_ids),
        cmocka_unit_test(refuses_keys_that_lack_something),
        cmocka_unit_test(skips_unknown_fields_of_a_key),
        cmocka_unit_test(reads_all_spellings),
        cmocka_unit_test(refuses_texts_that_name_nobody),
        cmocka_unit_test(takes_only_whole_multihashes_of_two_kinds),
        cmocka_unit_test(order_is_by_bytes_then_by_size),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
