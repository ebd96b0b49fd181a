/* SPDX-License-Identifier: MIT */
#include "lib/vectors.h"
#include "wire/kad_message.h"

#define ROOM TRP_KAD_MESSAGE_BYTES_MAX

static const struct trp_bytes name = {(const uint8_t *)"incrementor", 11};

/* What the vectors are made of. */
struct fixture {
    struct trp_peer_id id;
    struct trp_multiaddr address;
    struct trp_kad_peer with_address;
    struct trp_kad_peer bare;
    uint8_t value[128];
    uint8_t key[128];
    struct trp_kad_record record;
};

static void fixture_init(struct fixture *fixture)
{
    uint8_t bytes[TEST_VECTOR_LINE_MAX / 2];
    *fixture = (struct fixture){.bare = {.connection = TRP_KAD_NOT_CONNECTED}};
    struct trp_bytes in = test_vector_bytes("kameo_registry.txt", "peer_id", bytes);
    assert_status(trp_peer_id_decode(in, &fixture->id), TRP_OK);
    assert_status(trp_multiaddr_parse("/ip4/127.0.0.1/tcp/8020", &fixture->address, NULL), TRP_OK);
    fixture->bare.id = fixture->id;
    fixture->with_address = (struct trp_kad_peer){.id = fixture->id,
                                                  .connection = TRP_KAD_CONNECTED,
                                                  .addresses_count = 1,
                                                  .addresses = &fixture->address};
    in = test_vector_bytes("kameo_registry.txt", "registration_value", bytes);
    memcpy(fixture->value, bytes, in.size);
    fixture->record.value = trp_bytes(fixture->value, in.size);
    in = test_vector_bytes("kameo_registry.txt", "registration_key", bytes);
    memcpy(fixture->key, bytes, in.size);
    fixture->record.key = trp_bytes(fixture->key, in.size);
    fixture->record.publisher = fixture->id;
}

static void check_encoding(const struct trp_kad_message *message, const char *vector)
{
    uint8_t want_bytes[TEST_VECTOR_LINE_MAX / 2];
    static uint8_t got[ROOM];
    size_t size = 0;
    struct trp_bytes want = test_vector_bytes("kameo_registry.txt", vector, want_bytes);
    assert_status(trp_kad_message_encode(message, got, sizeof got, &size), TRP_OK);
    assert_int_equal(size, want.size);
    assert_memory_equal(got, want.data, size);
    assert_status(trp_kad_message_encode(message, got, want.size, &size), TRP_OK);
}

static void writes_what_rust_libp2p_writes(void **state)
{
    (void)state;
    struct fixture fix;
    fixture_init(&fix);
    check_encoding(
        &(struct trp_kad_message){.type = TRP_KAD_FIND_NODE, .key = trp_peer_id_bytes(&fix.id)},
        "find_node_request");
    check_encoding(&(struct trp_kad_message){.type = TRP_KAD_FIND_NODE,
                                             .response = true,
                                             .closer = &fix.with_address,
                                             .closer_count = 1},
                   "find_node_response");
    check_encoding(&(struct trp_kad_message){.type = TRP_KAD_GET_PROVIDERS, .key = name},
                   "get_providers_request");
    check_encoding(&(struct trp_kad_message){.type = TRP_KAD_GET_PROVIDERS,
                                             .response = true,
                                             .providers = &fix.with_address,
                                             .providers_count = 1},
                   "get_providers_response");
    check_encoding(&(struct trp_kad_message){.type = TRP_KAD_ADD_PROVIDER,
                                             .key = name,
                                             .providers = &fix.bare,
                                             .providers_count = 1},
                   "add_provider_bare");
    check_encoding(&(struct trp_kad_message){.type = TRP_KAD_ADD_PROVIDER,
                                             .key = name,
                                             .providers = &fix.with_address,
                                             .providers_count = 1},
                   "add_provider");
    check_encoding(&(struct trp_kad_message){.type = TRP_KAD_GET_VALUE, .key = fix.record.key},
                   "get_value_request");
    struct trp_kad_message with_record = {
        .response = true, .type = TRP_KAD_GET_VALUE, .has_record = true, .record = fix.record};
    with_record.record.ttl_s = 3000;
    check_encoding(&with_record, "get_value_response");
    with_record.type = TRP_KAD_PUT_VALUE;
    with_record.response = false;
    with_record.key = fix.record.key;
    with_record.record.ttl_s = 3599;
    check_encoding(&with_record, "put_value_request");
    with_record.response = true;
    with_record.record.ttl_s = 0;
    with_record.record.publisher = (struct trp_peer_id){.size = 0};
    check_encoding(&with_record, "put_value_response");
}

static struct trp_kad_message decode_vector(const char *vector,
                                            uint8_t bytes[TEST_VECTOR_LINE_MAX / 2])
{
    struct trp_kad_message message;
    struct trp_bytes in = test_vector_bytes("kameo_registry.txt", vector, bytes);
    assert_status(trp_kad_message_decode(in, &message), TRP_OK);
    return message;
}

static void reads_what_rust_libp2p_writes(void **state)
{
    (void)state;
    uint8_t bytes[TEST_VECTOR_LINE_MAX / 2];
    struct fixture fix;
    fixture_init(&fix);
    struct trp_kad_message message = decode_vector("find_node_request", bytes);
    assert_int_equal(message.type, TRP_KAD_FIND_NODE);
    assert_true(trp_bytes_equal(message.key, trp_peer_id_bytes(&fix.id)));
    assert_false(message.has_record);

    message = decode_vector("get_value_response", bytes);
    assert_int_equal(message.type, TRP_KAD_GET_VALUE);
    assert_true(message.has_record);
    assert_true(trp_bytes_equal(message.record.key, fix.record.key));
    assert_true(trp_bytes_equal(message.record.value, fix.record.value));
    assert_true(trp_peer_id_equal(&message.record.publisher, &fix.id));
    assert_int_equal(message.record.ttl_s, 3000);

    message = decode_vector("put_value_request", bytes);
    assert_int_equal(message.type, TRP_KAD_PUT_VALUE);
    assert_int_equal(message.record.ttl_s, 3599);

    static const struct {
        const char *vector;
        enum trp_kad_peer_list list;
        uint32_t addresses;
    } lists[] = {{"find_node_response", TRP_KAD_CLOSER, 1},
                 {"get_providers_response", TRP_KAD_PROVIDERS, 1},
                 {"add_provider", TRP_KAD_PROVIDERS, 1},
                 {"add_provider_bare", TRP_KAD_PROVIDERS, 0}};
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        struct trp_multiaddr addresses[TRP_KAD_PEER_ADDRESSES_MAX];
        struct trp_kad_peer peer;
        size_t at = 0;
        message = decode_vector(lists[i].vector, bytes);
        assert_true(trp_kad_message_next_peer(&message, lists[i].list, &at, addresses, &peer));
        assert_true(trp_peer_id_equal(&peer.id, &fix.id));
        assert_int_equal(peer.addresses_count, lists[i].addresses);
        if (lists[i].addresses > 0) {
            assert_true(trp_multiaddr_equal(&peer.addresses[0], &fix.address));
            assert_int_equal(peer.connection, TRP_KAD_CONNECTED);
        }
        assert_false(trp_kad_message_next_peer(&message, lists[i].list, &at, addresses, &peer));
        at = 0;
        enum trp_kad_peer_list other =
            lists[i].list == TRP_KAD_CLOSER ? TRP_KAD_PROVIDERS : TRP_KAD_CLOSER;
        assert_false(trp_kad_message_next_peer(&message, other, &at, addresses, &peer));
    }
}

static void truncations_are_refused_or_lack_whole_fields(void **state)
{
    (void)state;
    static const struct {
        const char *vector;
        size_t boundaries; /* fields of the message itself; nothing at all is one, too */
    } cases[] = {{"find_node_request", 4}, {"find_node_response", 4},     {"get_value_response", 4},
                 {"put_value_request", 3}, {"get_providers_response", 4}, {"add_provider", 5}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t bytes[TEST_VECTOR_LINE_MAX / 2];
        struct trp_kad_message message = decode_vector(cases[i].vector, bytes);
        size_t size = message.encoded.size;
        size_t accepted = 0;
        for (size_t cut = 0; cut <= size; cut++) {
            enum trp_status status = trp_kad_message_decode(trp_bytes(bytes, cut), &message);
            assert_true(status == TRP_OK || status == TRP_EMALFORMED);
            accepted += status == TRP_OK;
        }
        assert_int_equal(accepted, cases[i].boundaries);
    }
}

static void unknown_and_repeated_fields_do_no_harm(void **state)
{
    (void)state;
    /* 15: fixed64, 16: fixed32, 17: bytes, 18: number, all unknown; type twice, the last counts;
     * type as bytes is another field; key; the type with padding. */
    static const char hex[] = "790102030405060708"
                              "850101020304"
                              "8a0103616263"
                              "900107"
                              "0803"
                              "0a0101"
                              "12026b31"
                              "12026b32"
                              "08848000";
    uint8_t bytes[128];
    struct trp_kad_message message;
    size_t size = test_unhex(hex, bytes, sizeof bytes);
    assert_status(trp_kad_message_decode(trp_bytes(bytes, size), &message), TRP_OK);
    assert_int_equal(message.type, TRP_KAD_FIND_NODE);
    assert_true(trp_bytes_equal(message.key, trp_bytes_text("k2")));
}

static void times_to_live_saturate(void **state)
{
    (void)state;
    uint8_t bytes[32];
    struct trp_kad_message message;
    size_t size = test_unhex("1a08c830ffffffff8f01", bytes, sizeof bytes); /* more than 32 bits */
    assert_status(trp_kad_message_decode(trp_bytes(bytes, size), &message), TRP_OK);
    assert_true(message.record.ttl_s == UINT32_MAX);
    size = test_unhex("1a07c830ffffffff0f", bytes, sizeof bytes);
    assert_status(trp_kad_message_decode(trp_bytes(bytes, size), &message), TRP_OK);
    assert_true(message.record.ttl_s == UINT32_MAX);
    size = test_unhex("1a07c830feffffff0f", bytes, sizeof bytes);
    assert_status(trp_kad_message_decode(trp_bytes(bytes, size), &message), TRP_OK);
    assert_true(message.record.ttl_s == UINT32_MAX - 1);
}

static void refuses_what_is_no_message(void **state)
{
    (void)state;
    static const struct {
        const char *hex;
        enum trp_status status;
    } bad[] = {
        {"00", TRP_EMALFORMED},                       /* field 0 */
        {"0806", TRP_EUNSUPPORTED},                   /* type 6 */
        {"08ffffffffffffffffff01", TRP_EUNSUPPORTED}, /* type -1 */
        {"13", TRP_EMALFORMED},                       /* a group */
        {"14", TRP_EMALFORMED},
        {"0f", TRP_EMALFORMED},                     /* no such wire type */
        {"12ffffffffffffffffff01", TRP_EMALFORMED}, /* a length of 2^64 - 1 */
        {"1a021805", TRP_OK},                       /* a record with nothing known */
        {"1a0105", TRP_EMALFORMED},                 /* a record that is no message */
        {"4a020a05", TRP_OK},         /* a provider that is cut is passed over when it is read */
        {"42031205", TRP_EMALFORMED}, /* but not one that ends before its length */
        {"1a05d2290201ff", TRP_EMALFORMED},           /* a publisher that is nobody */
        {"1a03d22900", TRP_OK},                       /* an empty one is absent */
        {"808080808080808080808001", TRP_EMALFORMED}, /* a tag of 12 bytes */
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        uint8_t bytes[64];
        struct trp_kad_message message;
        size_t size = test_unhex(bad[i].hex, bytes, sizeof bytes);
        assert_status(trp_kad_message_decode(trp_bytes(bytes, size), &message), bad[i].status);
    }
    static const uint8_t large[TRP_KAD_MESSAGE_BYTES_MAX + 1];
    struct trp_kad_message message;
    assert_status(trp_kad_message_decode(trp_bytes(large, sizeof large), &message), TRP_ETOOBIG);
}

/* Appends a field of bytes. */
static size_t put(uint8_t *out, uint8_t number, const void *bytes, size_t size)
{
    assert_true(size < 128);
    out[0] = (uint8_t)(number << 3 | 2);
    out[1] = (uint8_t)size;
    memcpy(out + 2, bytes, size);
    return 2 + size;
}

static void peers_with_bad_ids_and_bad_addresses_are_passed_over(void **state)
{
    (void)state;
    struct fixture fix;
    fixture_init(&fix);
    struct trp_peer_id other = fix.id;
    other.bytes[20] ^= 1;
    struct trp_multiaddr own;
    struct trp_multiaddr foreign;
    struct trp_multiaddr only_id;
    struct trp_multiaddr none = {.size = 0};
    assert_status(trp_multiaddr_with_peer(&fix.address, &fix.id, &own), TRP_OK);
    assert_status(trp_multiaddr_with_peer(&fix.address, &other, &foreign), TRP_OK);
    assert_status(trp_multiaddr_with_peer(&none, &fix.id, &only_id), TRP_OK);
    struct trp_multiaddr second;
    assert_status(trp_multiaddr_parse("/ip4/10.0.0.1/tcp/1", &second, NULL), TRP_OK);

    uint8_t good[512];
    size_t size = 0;
    size += put(good + size, 2, foreign.bytes, foreign.size);
    size += put(good + size, 2, own.bytes, own.size); /* addresses may come before the id */
    size += put(good + size, 1, fix.id.bytes, fix.id.size);
    size += put(good + size, 2, "\xd1\x03", 2); /* webtransport */
    size += put(good + size, 2, "", 0);
    size += put(good + size, 2, only_id.bytes, only_id.size);
    size += put(good + size, 2, second.bytes, second.size);
    good[size++] = 3 << 3;
    good[size++] = 9; /* no such connection */
    uint8_t message_bytes[1024];
    size_t message_size = 0;
    message_size += put(message_bytes + message_size, 8, "\x0a\x01\x05", 3); /* no id */
    message_size += put(message_bytes + message_size, 8, "", 0);
    message_bytes[message_size++] = 8 << 3 | 2;
    message_bytes[message_size++] = (uint8_t)(size & 0x7f) | 0x80;
    message_bytes[message_size++] = (uint8_t)(size >> 7);
    memcpy(message_bytes + message_size, good, size);
    message_size += size;

    struct trp_kad_message message;
    assert_status(trp_kad_message_decode(trp_bytes(message_bytes, message_size), &message), TRP_OK);
    struct trp_multiaddr addresses[TRP_KAD_PEER_ADDRESSES_MAX];
    struct trp_kad_peer peer;
    size_t at = 0;
    assert_true(trp_kad_message_next_peer(&message, TRP_KAD_CLOSER, &at, addresses, &peer));
    assert_true(trp_peer_id_equal(&peer.id, &fix.id));
    assert_int_equal(peer.connection, TRP_KAD_NOT_CONNECTED);
    assert_int_equal(peer.addresses_count, 2);
    assert_true(trp_multiaddr_equal(&peer.addresses[0], &fix.address));
    assert_true(trp_multiaddr_equal(&peer.addresses[1], &second));
    assert_false(trp_kad_message_next_peer(&message, TRP_KAD_CLOSER, &at, addresses, &peer));
}

#define MANY 64u

/* Counts the peers and the addresses of a message. */
static void count_peers(struct trp_bytes in, enum trp_kad_peer_list list, uint32_t *ret_peers,
                        uint32_t *ret_addresses)
{
    struct trp_kad_message message;
    struct trp_multiaddr addresses[TRP_KAD_PEER_ADDRESSES_MAX];
    struct trp_kad_peer peer;
    size_t at = 0;
    *ret_peers = 0;
    *ret_addresses = 0;
    assert_status(trp_kad_message_decode(in, &message), TRP_OK);
    while (trp_kad_message_next_peer(&message, list, &at, addresses, &peer)) {
        assert_int_equal(peer.id.bytes[6], *ret_peers); /* in order */
        ++*ret_peers;
        *ret_addresses += peer.addresses_count;
    }
}

static void surplus_is_left_out_addresses_first(void **state)
{
    (void)state;
    struct fixture fix;
    fixture_init(&fix);
    static struct trp_multiaddr addresses[TRP_KAD_PEER_ADDRESSES_MAX + 2];
    static struct trp_kad_peer closer[MANY];
    static struct trp_kad_peer providers[MANY];
    static uint8_t out[ROOM];
    for (uint32_t i = 0; i < TRP_KAD_PEER_ADDRESSES_MAX + 2; i++) {
        addresses[i] = fix.address;
    }
    for (uint32_t i = 0; i < MANY; i++) {
        closer[i] = (struct trp_kad_peer){.id = fix.id,
                                          .connection = TRP_KAD_CONNECTED,
                                          .addresses_count = TRP_KAD_PEER_ADDRESSES_MAX + 2,
                                          .addresses = addresses};
        closer[i].id.bytes[6] = (uint8_t)i;
        providers[i] = closer[i];
    }
    struct trp_kad_message message = {.type = TRP_KAD_GET_PROVIDERS,
                                      .response = true,
                                      .closer = closer,
                                      .providers = providers,
                                      .closer_count = 20,
                                      .providers_count = 20};
    size_t size;
    uint32_t peers;
    uint32_t count;
    assert_status(trp_kad_message_encode(&message, out, sizeof out, &size), TRP_OK);
    count_peers(trp_bytes(out, size), TRP_KAD_CLOSER, &peers, &count);
    assert_true(peers == 20 && count == 20 * TRP_KAD_PEER_ADDRESSES_MAX);

    /* Every room: never over it, and what is left is a message. */
    uint32_t last_peers = 20;
    uint32_t last_providers = 20;
    for (size_t room = size; room-- > 4;) {
        size_t used = 0;
        uint32_t some_providers;
        memset(out, 0xee, sizeof out);
        assert_status(trp_kad_message_encode(&message, out, room, &used), TRP_OK);
        assert_true(used <= room && out[room] == 0xee);
        count_peers(trp_bytes(out, used), TRP_KAD_CLOSER, &peers, &count);
        assert_true(peers <= last_peers);
        assert_true(peers == 20 || count == peers); /* each address but one went before a peer */
        count_peers(trp_bytes(out, used), TRP_KAD_PROVIDERS, &some_providers, &count);
        assert_true(some_providers <= last_providers);
        assert_true(some_providers == 20 || peers == 0); /* closer peers go before providers */
        last_peers = peers;
        last_providers = some_providers;
    }
    assert_true(last_peers == 0 && last_providers == 0);
    assert_status(trp_kad_message_encode(&message, out, 3, &size), TRP_ETOOBIG);

    message.closer_count = MANY;
    message.providers_count = MANY;
    assert_status(trp_kad_message_encode(&message, out, sizeof out, &size), TRP_OK);
    assert_true(size <= TRP_KAD_MESSAGE_BYTES_MAX && size > TRP_KAD_MESSAGE_BYTES_MAX / 2);
    count_peers(trp_bytes(out, size), TRP_KAD_PROVIDERS, &peers, &count);
    assert_int_equal(peers, MANY);

    static const uint8_t value[TRP_KAD_MESSAGE_BYTES_MAX];
    message.has_record = true;
    message.record = (struct trp_kad_record){.value = trp_bytes(value, sizeof value)};
    assert_status(trp_kad_message_encode(&message, out, sizeof out, &size), TRP_ETOOBIG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_what_rust_libp2p_writes),
        cmocka_unit_test(reads_what_rust_libp2p_writes),
        cmocka_unit_test(truncations_are_refused_or_lack_whole_fields),
        cmocka_unit_test(unknown_and_repeated_fields_do_no_harm),
        cmocka_unit_test(times_to_live_saturate),
        cmocka_unit_test(refuses_what_is_no_message),
        cmocka_unit_test(peers_with_bad_ids_and_bad_addresses_are_passed_over),
        cmocka_unit_test(surplus_is_left_out_addresses_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
