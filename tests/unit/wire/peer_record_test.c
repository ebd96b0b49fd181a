/* SPDX-License-Identifier: MIT */
#include "lib/vectors.h"
#include "wire/peer_record.h"
#include "wire/public_key.h"
#include "wire/signed_envelope.h"

#define FILE_NAME "go_peer_record.txt"

static void fixture(struct trp_keypair *ret_keypair, uint8_t envelope[TEST_VECTOR_LINE_MAX / 2],
                    struct trp_bytes *ret_envelope)
{
    uint8_t seed[TEST_VECTOR_LINE_MAX / 2];
    assert_int_equal(test_vector_bytes(FILE_NAME, "seed", seed).size, 32);
    trp_keypair_from_seed(seed, ret_keypair);
    *ret_envelope = test_vector_bytes(FILE_NAME, "envelope", envelope);
}

static void a_record_of_go_opens_and_seals_to_the_same_bytes(void **state)
{
    (void)state;
    uint8_t bytes[TEST_VECTOR_LINE_MAX / 2];
    static struct trp_keypair keypair;
    struct trp_bytes in;
    struct trp_peer_record record;
    struct trp_peer_id id;
    fixture(&keypair, bytes, &in);
    assert_status(trp_peer_record_open(NULL, in, &record), TRP_OK);
    trp_peer_id_from_key(&keypair.public_key, &id);
    assert_true(trp_peer_id_equal(&record.peer, &id));
    assert_true(record.sequence == UINT64_C(0x162ed88937f81c58));
    assert_int_equal(record.addresses_count, 10);
    for (uint32_t i = 0; i < 10; i++) {
        char text[TRP_MULTIADDR_TEXT_MAX];
        char want[64] = "/ip4/1.2.3.4/tcp/?";
        want[17] = (char)('0' + i);
        trp_multiaddr_print(&record.addresses[i], text);
        assert_string_equal(text, want);
    }
    uint8_t out[TRP_PEER_RECORD_BYTES_MAX];
    size_t size = 0;
    assert_status(trp_peer_record_seal(&keypair, &record, out, sizeof out, &size), TRP_OK);
    assert_int_equal(size, in.size);
    assert_memory_equal(out, in.data, size);
    assert_status(trp_peer_record_seal(&keypair, &record, out, size - 1, &size), TRP_ETOOBIG);
}

static void no_byte_of_it_can_be_changed(void **state)
{
    (void)state;
    uint8_t bytes[TEST_VECTOR_LINE_MAX / 2];
    static struct trp_keypair keypair;
    struct trp_bytes in;
    struct trp_peer_record record;
    fixture(&keypair, bytes, &in);
    for (size_t i = 0; i < in.size; i++) {
        bytes[i] ^= 0x40;
        enum trp_status status = trp_peer_record_open(NULL, in, &record);
        assert_true(status == TRP_EAUTH || status == TRP_EMALFORMED || status == TRP_EUNSUPPORTED ||
                    status == TRP_ETOOBIG);
        bytes[i] ^= 0x40;
    }
    for (size_t cut = 0; cut < in.size; cut++) {
        enum trp_status status = trp_peer_record_open(NULL, trp_bytes(bytes, cut), &record);
        assert_true(status == TRP_EAUTH || status == TRP_EMALFORMED);
    }
}

/* Seals a payload of PeerRecord under any names. */
static struct trp_bytes seal(const char *domain, struct trp_bytes type, struct trp_bytes payload,
                             uint8_t *out, size_t room)
{
    uint8_t seed[32] = {7};
    static struct trp_keypair keypair;
    size_t size;
    trp_keypair_from_seed(seed, &keypair);
    assert_status(
        trp_signed_envelope_seal(&keypair,
                                 &(struct trp_signed_content){.domain = trp_bytes_text(domain),
                                                              .payload_type = type,
                                                              .payload = payload},
                                 out, room, &size),
        TRP_OK);
    return trp_bytes(out, size);
}

/* peer_id of seed 7, sequence 0 as proto3 writes it: not at all; one good and one bad address. */
static struct trp_bytes payload_of_seven(uint8_t *out)
{
    uint8_t seed[32] = {7};
    static struct trp_keypair keypair;
    struct trp_peer_id id;
    trp_keypair_from_seed(seed, &keypair);
    trp_peer_id_from_key(&keypair.public_key, &id);
    size_t size = 0;
    out[size++] = 0x0a;
    out[size++] = id.size;
    memcpy(out + size, id.bytes, id.size);
    size += id.size;
    size += test_unhex("1a040a02d103"             /* webtransport */
                       "1a00"                     /* nothing */
                       "1a0a0a080401020304060050" /* /ip4/1.2.3.4/tcp/80 */
                       "2203616263",              /* unknown */
                       out + size, 64);
    return trp_bytes(out, size);
}

static void both_pairs_of_names_are_accepted_and_no_mixture(void **state)
{
    (void)state;
    static const struct {
        const char *domain;
        const char *type;
        size_t type_size;
        enum trp_status status;
    } cases[] = {
        {"libp2p-peer-record", "\x03\x01", 2, TRP_OK},
        {"libp2p-routing-state", "/libp2p/routing-state-record", 28, TRP_OK},
        {"libp2p-routing-state", "\x03\x01", 2, TRP_EAUTH},
        {"libp2p-peer-record", "/libp2p/routing-state-record", 28, TRP_EAUTH},
        {"libp2p-relay-rsvp", "\x03\x02", 2, TRP_EUNSUPPORTED},
        {"libp2p-peer-record", "", 0, TRP_EUNSUPPORTED},
    };
    uint8_t payload[256];
    uint8_t out[1024];
    struct trp_bytes inner = payload_of_seven(payload);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct trp_peer_record record;
        struct trp_bytes sealed = seal(
            cases[i].domain, trp_bytes(cases[i].type, cases[i].type_size), inner, out, sizeof out);
        assert_status(trp_peer_record_open(NULL, sealed, &record), cases[i].status);
        if (cases[i].status == TRP_OK) {
            assert_true(record.sequence == 0);
            assert_int_equal(record.addresses_count, 1);
        }
    }
}

static void a_record_of_another_peer_is_refused(void **state)
{
    (void)state;
    uint8_t payload[256];
    uint8_t out[1024];
    struct trp_peer_record record;
    struct trp_bytes inner = payload_of_seven(payload);
    payload[20] ^= 1; /* within the peer id */
    assert_status(trp_peer_record_open(
                      NULL,
                      seal("libp2p-peer-record", trp_bytes("\x03\x01", 2), inner, out, sizeof out),
                      &record),
                  TRP_EAUTH);
    assert_status(trp_peer_record_open(NULL,
                                       seal("libp2p-peer-record", trp_bytes("\x03\x01", 2),
                                            TRP_BYTES_NONE, out, sizeof out),
                                       &record),
                  TRP_EMALFORMED);
}

static void surplus_addresses_are_left_out(void **state)
{
    (void)state;
    static uint8_t payload[1024];
    static uint8_t out[2048];
    struct trp_bytes inner = payload_of_seven(payload);
    size_t size = inner.size;
    for (uint32_t i = 0; i < TRP_PEER_RECORD_ADDRESSES_MAX + 4; i++) {
        size += test_unhex("1a0a0a080401020304060050", payload + size, 64);
    }
    struct trp_peer_record record;
    assert_status(trp_peer_record_open(NULL,
                                       seal("libp2p-peer-record", trp_bytes("\x03\x01", 2),
                                            trp_bytes(payload, size), out, sizeof out),
                                       &record),
                  TRP_OK);
    assert_int_equal(record.addresses_count, TRP_PEER_RECORD_ADDRESSES_MAX);
    uint8_t seed[32] = {7};
    static struct trp_keypair keypair;
    trp_keypair_from_seed(seed, &keypair);
    record.addresses_count++;
    assert_status(trp_peer_record_seal(&keypair, &record, out, sizeof out, &size), TRP_ETOOBIG);
}

/* The largest record there can be fits TRP_PEER_RECORD_BYTES_MAX. */
static void the_largest_record_fits(void **state)
{
    (void)state;
    uint8_t seed[32] = {7};
    static struct trp_keypair keypair;
    static struct trp_peer_record record;
    static struct trp_peer_record opened;
    static uint8_t out[TRP_PEER_RECORD_BYTES_MAX];
    char text[256] = "/dns/";
    trp_keypair_from_seed(seed, &keypair);
    trp_peer_id_from_key(&keypair.public_key, &record.peer);
    record.sequence = UINT64_MAX;
    record.addresses_count = TRP_PEER_RECORD_ADDRESSES_MAX;
    memset(text + 5, 'a', TRP_MULTIADDR_BYTES_MAX - 3);
    for (uint32_t i = 0; i < record.addresses_count; i++) {
        assert_status(trp_multiaddr_parse(text, &record.addresses[i], NULL), TRP_OK);
    }
    size_t size;
    assert_status(trp_peer_record_seal(&keypair, &record, out, sizeof out, &size), TRP_OK);
    assert_status(trp_peer_record_open(NULL, trp_bytes(out, size), &opened), TRP_OK);
    assert_memory_equal(&opened, &record, sizeof record);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_record_of_go_opens_and_seals_to_the_same_bytes),
        cmocka_unit_test(no_byte_of_it_can_be_changed),
        cmocka_unit_test(both_pairs_of_names_are_accepted_and_no_mixture),
        cmocka_unit_test(a_record_of_another_peer_is_refused),
        cmocka_unit_test(surplus_addresses_are_left_out),
        cmocka_unit_test(the_largest_record_fits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
