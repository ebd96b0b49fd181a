/* SPDX-License-Identifier: MIT */
#include "lib/vectors.h"
#include "wire/actor_id.h"
#include "wire/registration.h"

#include <troupe/message.h>

#define NAME "incrementor"
#define TYPE "remote::MyActor"

static struct trp_actor_ref fixture_ref(uint64_t sequence)
{
    uint8_t bytes[TEST_VECTOR_LINE_MAX / 2];
    struct trp_actor_ref ref = {.id = trp_actor_id_of_sequence(sequence)};
    struct trp_bytes in = test_vector_bytes("kameo_registry.txt", "peer_id", bytes);
    assert_status(trp_peer_id_decode(in, &ref.peer), TRP_OK);
    return ref;
}

static void key_and_value_match_kameo(void **state)
{
    (void)state;
    uint8_t want_bytes[TEST_VECTOR_LINE_MAX / 2];
    uint8_t got[TRP_REGISTRATION_VALUE_MAX];
    size_t size = 0;
    struct trp_actor_ref ref = fixture_ref(1);
    struct trp_bytes want = test_vector_bytes("kameo_registry.txt", "registration_key", want_bytes);
    assert_status(
        trp_registration_key_encode(trp_bytes_text(NAME), &ref.peer, got, sizeof got, &size),
        TRP_OK);
    assert_int_equal(size, want.size);
    assert_memory_equal(got, want.data, size);
    struct trp_bytes name;
    struct trp_peer_id owner;
    assert_status(trp_registration_key_decode(want, &name, &owner), TRP_OK);
    assert_true(trp_bytes_equal(name, trp_bytes_text(NAME)));
    assert_true(trp_peer_id_equal(&owner, &ref.peer));
    assert_status(trp_registration_key_encode(name, &ref.peer, got, want.size - 1, &size),
                  TRP_ETOOBIG);

    want = test_vector_bytes("kameo_registry.txt", "registration_value", want_bytes);
    assert_status(trp_registration_encode(&ref, trp_bytes_text(TYPE), got, sizeof got, &size),
                  TRP_OK);
    assert_int_equal(size, want.size);
    assert_memory_equal(got, want.data, size);
    struct trp_actor_ref read;
    struct trp_bytes type;
    assert_status(trp_registration_decode(want, &read, &type), TRP_OK);
    assert_true(trp_actor_ref_equal(&read, &ref));
    assert_true(trp_bytes_equal(type, trp_bytes_text(TYPE)));
    assert_true(read.type == trp_actor_type_hash(trp_bytes_text(TYPE)));
    assert_status(trp_registration_encode(&ref, type, got, want.size - 1, &size), TRP_ETOOBIG);
}

static void truncations_are_refused(void **state)
{
    (void)state;
    uint8_t bytes[TEST_VECTOR_LINE_MAX / 2];
    struct trp_actor_ref ref;
    struct trp_bytes type;
    struct trp_bytes value = test_vector_bytes("kameo_registry.txt", "registration_value", bytes);
    for (size_t cut = 0; cut < value.size; cut++) {
        enum trp_status status = trp_registration_decode(trp_bytes(bytes, cut), &ref, &type);
        assert_status(status, cut < 9 + 38 ? TRP_EMALFORMED : TRP_OK);
    }
    struct trp_bytes name;
    struct trp_peer_id owner;
    struct trp_bytes key = test_vector_bytes("kameo_registry.txt", "registration_key", bytes);
    size_t chance = sizeof NAME - 1 + 6 + 12; /* "12D3KooW9pP4" happens to be an id, too */
    for (size_t cut = 0; cut < key.size; cut++) {
        assert_status(trp_registration_key_decode(trp_bytes(bytes, cut), &name, &owner),
                      cut == chance ? TRP_OK : TRP_EMALFORMED);
    }
}

static void names_that_cannot_be_found_again_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        enum trp_status status;
    } cases[] = {
        {"a", TRP_OK},
        {"Zähler ☃", TRP_OK},
        {"meta", TRP_OK},
        {"a:meta", TRP_EINVAL},  /* "a:meta:meta:…" would be read as "a" */
        {"a:meta:", TRP_EINVAL}, /* also contains it */
        {"a:meta:b", TRP_EINVAL},
        {":meta:", TRP_EINVAL},
        {":meta", TRP_EINVAL},
        {":", TRP_OK},
        {"a:metab", TRP_OK},
        {"", TRP_EINVAL},
        {"\xff", TRP_EINVAL},
        {"\xc0\x80", TRP_EINVAL},
        {"\xed\xa0\x80", TRP_EINVAL},
        {"\xf4\x90\x80\x80", TRP_EINVAL},
        {"\xe2\x98", TRP_EINVAL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_status(trp_registration_check_name(trp_bytes_text(cases[i].name)), cases[i].status);
    }
    char text[257];
    memset(text, 'n', sizeof text);
    assert_status(trp_registration_check_name(trp_bytes(text, 255)), TRP_OK);
    assert_status(trp_registration_check_name(trp_bytes(text, 256)), TRP_EINVAL);
    struct trp_actor_ref ref = fixture_ref(0);
    uint8_t key[TRP_REGISTRATION_KEY_MAX];
    size_t size;
    assert_status(
        trp_registration_key_encode(trp_bytes(text, 255), &ref.peer, key, sizeof key, &size),
        TRP_OK);
    assert_status(
        trp_registration_key_encode(trp_bytes_text(":meta"), &ref.peer, key, sizeof key, &size),
        TRP_EINVAL);
    ref.peer.size = 0;
    assert_status(
        trp_registration_key_encode(trp_bytes(text, 255), &ref.peer, key, sizeof key, &size),
        TRP_EINVAL);
    assert_status(trp_registration_encode(&ref, trp_bytes_text("t"), key, sizeof key, &size),
                  TRP_EINVAL);
}

static void actor_ids_come_back(void **state)
{
    (void)state;
    uint8_t bytes[TRP_ACTOR_REF_BYTES_MAX];
    struct trp_actor_ref ref = fixture_ref(1);
    struct trp_actor_ref read;
    uint8_t want[64];
    size_t want_size = test_unhex("0100000000000000002408011220000102030405060708090a0b0c0d0e0f"
                                  "101112131415161718191a1b1c1d1e1f",
                                  want, sizeof want);
    size_t size = trp_actor_id_encode(&ref, bytes);
    assert_int_equal(size, want_size);
    assert_memory_equal(bytes, want, size);
    for (size_t cut = 0; cut <= size; cut++) {
        enum trp_status status = trp_actor_id_decode(trp_bytes(bytes, cut), &read);
        assert_status(status, cut == 8 || cut == size ? TRP_OK : TRP_EMALFORMED);
        if (status == TRP_OK) {
            assert_true(read.id == ref.id && read.peer.size == cut - 8 && read.type == 0);
        }
    }
    ref = (struct trp_actor_ref){.id = 0x0102030405060708};
    assert_int_equal(trp_actor_id_encode(&ref, bytes), 8);
    assert_memory_equal(bytes, "\x07\x07\x06\x05\x04\x03\x02\x01", 8);
}

/* Kameo counts its actors from 0; an id of 0 is no actor. */
static void the_first_actor_of_a_kameo_process_is_an_actor(void **state)
{
    (void)state;
    static const uint8_t zero[8];
    struct trp_actor_ref ref;
    assert_status(trp_actor_id_decode(trp_bytes(zero, sizeof zero), &ref), TRP_OK);
    assert_true(ref.id != 0);
    uint8_t bytes[TRP_ACTOR_REF_BYTES_MAX];
    assert_int_equal(trp_actor_id_encode(&ref, bytes), 8);
    assert_memory_equal(bytes, zero, sizeof zero);
}

static void ids_of_messages_match_kameo(void **state)
{
    (void)state;
    static const struct {
        struct trp_kameo_message_name name;
        const char *id;
    } cases[] = {
        {{"kameo", "0", "remote", "Inc", "MyActor"}, "36133ddcc9b435ed"},
        {{"kameo", "0", "remote", " In c", "My Actor "}, "36133ddcc9b435ed"},
        {{"kameo", "0", "custom_swarm", "Inc", "MyActor"}, "5550b06a9fd62c9b"},
        {{"kameo", "0", "remote", "Dec", "MyActor"}, "470eb6c7b83df3bd"},
        /* A leading zero is not written; by an independent FNV. */
        {{"a", "0", "m", "I8", "A"}, "8299d186b37514d"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char id[TRP_KAMEO_MESSAGE_ID_MAX];
        trp_kameo_message_id(&cases[i].name, id);
        assert_string_equal(id, cases[i].id);
    }
    /* The FNV of "a", http://www.isthe.com/chongo/tech/comp/fnv. */
    assert_true(trp_actor_type_hash(trp_bytes_text("a")) == UINT64_C(0xaf63dc4c8601ec8c));
    assert_true(trp_actor_type_hash(TRP_BYTES_NONE) == UINT64_C(0xcbf29ce484222325));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(key_and_value_match_kameo),
        cmocka_unit_test(truncations_are_refused),
        cmocka_unit_test(names_that_cannot_be_found_again_are_refused),
        cmocka_unit_test(actor_ids_come_back),
        cmocka_unit_test(the_first_actor_of_a_kameo_process_is_an_actor),
        cmocka_unit_test(ids_of_messages_match_kameo),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
