/* SPDX-License-Identifier: MIT */
/* Identify against a peer that says whatever a test wants: node 0 is a whole node, node 1 a bare
 * one with a behaviour that speaks /ipfs/id/1.0.0 and its push by hand. */
#include "behaviour/identify.h"
#include "lib/nodes.h"
#include "wire/identify.h"
#include "wire/uvarint.h"

#define SAID_BYTES_MAX 65536u

/* What node 1 answers, or pushes. */
static struct {
    struct trp_swarm *swarm;
    uint32_t index;
    trp_connection_id connection;
    size_t size;
    uint8_t bytes[SAID_BYTES_MAX];
    uint32_t writes_left; /* of `bytes` again and again */
    size_t written;       /* of this time */
    enum trp_status ended;
} speaker;

/* What node 0 tells its behaviours. */
static struct {
    struct trp_swarm *swarm;
    uint32_t identified;
    uint32_t protocols;
    uint32_t addresses;
    char agent[64];
} listener;

/* ---- the two behaviours ---- */

static void speaker_attach(void *self, struct trp_swarm *swarm, uint32_t index)
{
    (void)self;
    speaker.swarm = swarm;
    speaker.index = index;
}

static uint32_t speaker_protocols(const void *self, const char **ret_protocols, uint32_t max)
{
    (void)self;
    assert_true(max > 0);
    ret_protocols[0] = TRP_PROTOCOL_IDENTIFY;
    return 1;
}

static void speaker_connected(void *self, const struct trp_connection_info *connection)
{
    (void)self;
    speaker.connection = connection->id;
}

static void speaker_write(trp_stream_id stream)
{
    while (speaker.writes_left > 0) {
        size_t used = 0;
        enum trp_status status = trp_stream_write(
            speaker.swarm, stream,
            trp_bytes(speaker.bytes + speaker.written, speaker.size - speaker.written), &used);
        if (status != TRP_OK) {
            return;
        }
        speaker.written += used;
        if (speaker.written == speaker.size) {
            speaker.written = 0;
            speaker.writes_left--;
        }
    }
    trp_stream_shutdown(speaker.swarm, stream);
}

static void speaker_stream(void *self, const struct trp_stream_info *stream)
{
    (void)self;
    speaker_write(stream->id);
}

static void speaker_stream_closed(void *self, const struct trp_stream_info *stream,
                                  enum trp_status reason)
{
    (void)self;
    (void)stream;
    speaker.ended = reason;
}

static const struct trp_behaviour_ops speaker_ops = {.name = "speaker",
                                                     .attach = speaker_attach,
                                                     .protocols = speaker_protocols,
                                                     .connected = speaker_connected,
                                                     .stream_opened = speaker_stream,
                                                     .stream_writable = speaker_stream,
                                                     .stream_closed = speaker_stream_closed};

static void listener_attach(void *self, struct trp_swarm *swarm, uint32_t index)
{
    (void)self;
    (void)index;
    listener.swarm = swarm;
}

static void listener_identified(void *self, const struct trp_identified *identified)
{
    (void)self;
    listener.identified++;
    listener.protocols = identified->protocols_count;
    listener.addresses = identified->addresses_count;
    (void)snprintf(listener.agent, sizeof listener.agent, "%s", identified->agent);
}

static const struct trp_behaviour_ops listener_ops = {
    .name = "listener", .attach = listener_attach, .identified = listener_identified};

/* ---- what is said ---- */

static struct trp_multiaddr address(const char *text)
{
    struct trp_multiaddr parsed;
    assert_status(trp_multiaddr_parse(text, &parsed, NULL), TRP_OK);
    return parsed;
}

/* The key within a PeerId of an Ed25519 key. */
static struct trp_bytes key_of(const struct trp_peer_id *peer)
{
    return trp_bytes(peer->bytes + 2, peer->size - 2u);
}

/* Adds a message of node 1, its length before it. */
static void say_message(const struct trp_identify_message *message)
{
    uint8_t encoded[TRP_IDENTIFY_BYTES_MAX];
    uint8_t prefix[TRP_UVARINT_BYTES_MAX];
    size_t size;
    assert_status(trp_identify_message_encode(message, encoded, sizeof encoded, &size), TRP_OK);
    size_t prefix_size = trp_varint_encode(size, prefix);
    memcpy(speaker.bytes + speaker.size, prefix, prefix_size);
    memcpy(speaker.bytes + speaker.size + prefix_size, encoded, size);
    speaker.size += prefix_size + size;
}

static size_t put_field(uint8_t *out, uint8_t tag, struct trp_bytes value)
{
    out[0] = tag;
    size_t size = 1 + trp_varint_encode(value.size, out + 1);
    memcpy(out + size, value.data, value.size);
    return size + value.size;
}

/* A SignedEnvelope of a PeerRecord of `peer` with one address, and no signature to speak of. */
static struct trp_bytes envelope(const struct trp_peer_id *peer, struct trp_bytes payload_type)
{
    static uint8_t bytes[1024];
    uint8_t info[256];
    uint8_t record[512];
    const uint8_t signature[64] = {1};
    struct trp_multiaddr where = address("/ip4/10.9.9.9/tcp/9");
    size_t info_size = put_field(info, 0x0a, trp_bytes(where.bytes, where.size));
    size_t record_size = put_field(record, 0x0a, trp_peer_id_bytes(peer));
    record_size += put_field(record + record_size, 0x1a, trp_bytes(info, info_size));
    size_t size = put_field(bytes, 0x0a, key_of(peer));
    size += put_field(bytes + size, 0x12, payload_type);
    size += put_field(bytes + size, 0x1a, trp_bytes(record, record_size));
    size += put_field(bytes + size, 0x2a, trp_bytes(signature, sizeof signature));
    return trp_bytes(bytes, size);
}

static struct trp_multiaddr listed;

/* What an ordinary peer says. */
static struct trp_identify_message ordinary(const struct trp_peer_id *peer)
{
    listed = address("/ip4/10.8.8.8/tcp/8");
    struct trp_identify_message message = {.public_key = key_of(peer),
                                           .agent_version = trp_bytes_text("speaker"),
                                           .addresses_count = 1,
                                           .protocols_count = 1};
    message.addresses[0] = trp_bytes(listed.bytes, listed.size);
    message.protocols[0] = trp_bytes_text("/speaker/1.0.0");
    return message;
}

static void open_nodes(void)
{
    static const struct trp_behaviour behaviours[2] = {{.ops = &listener_ops},
                                                       {.ops = &speaker_ops}};
    memset(&speaker, 0, sizeof speaker);
    memset(&listener, 0, sizeof listener);
    nodes_open(2, 31);
    for (uint32_t i = 0; i < 2; i++) {
        nodes.hosts[i].config =
            (struct trp_node_config){.behaviours = &behaviours[i], .behaviours_count = 1};
    }
    nodes.hosts[1].config.bare = true;
    nodes_begin();
}

/* Connects the two; node 1 answers with what was said so far. */
static void connect_nodes(uint32_t writes)
{
    speaker.writes_left = writes;
    nodes_introduce(0, 1);
    nodes_run(TRP_S(2));
}

static void push(void)
{
    static const char *const protocols[] = {TRP_PROTOCOL_IDENTIFY_PUSH};
    const struct trp_stream_request request = {.behaviour = speaker.index,
                                               .connection = speaker.connection,
                                               .protocols = protocols,
                                               .protocols_count = 1};
    trp_stream_id stream;
    speaker.writes_left = 1;
    assert_status(trp_swarm_open_stream(speaker.swarm, &request, &stream), TRP_OK);
    const struct trp_command poke = {.kind = TRP_CMD_PEERS};
    (void)nodes_command(1, poke);
    nodes_run(TRP_S(2));
}

static bool knows(const char *text)
{
    struct trp_multiaddr known[16];
    struct trp_multiaddr wanted = address(text);
    struct trp_peer_id peer = nodes_peer(1);
    uint32_t count = trp_swarm_known_addresses(listener.swarm, &peer, known, 16);
    for (uint32_t i = 0; i < count; i++) {
        if (trp_multiaddr_equal(&known[i], &wanted)) {
            return true;
        }
    }
    return false;
}

/* ---- the tests ---- */

static void learns_what_a_peer_says(void **state)
{
    (void)state;
    open_nodes();
    struct trp_peer_id peer = nodes_peer(1);
    struct trp_identify_message message = ordinary(&peer);
    say_message(&message);
    connect_nodes(1);
    assert_int_equal(listener.identified, 1);
    assert_int_equal(listener.protocols, 1);
    assert_string_equal(listener.agent, "speaker");
    assert_true(knows("/ip4/10.8.8.8/tcp/8"));
    nodes_close();
}

/* As go-libp2p does: the record comes in a message of its own. */
static void reads_several_messages_as_one(void **state)
{
    (void)state;
    open_nodes();
    struct trp_peer_id peer = nodes_peer(1);
    struct trp_identify_message message = ordinary(&peer);
    say_message(&message);
    message = (struct trp_identify_message){.protocols_count = 1};
    message.protocols[0] = trp_bytes_text("/speaker/2.0.0");
    say_message(&message);
    connect_nodes(1);
    assert_int_equal(listener.identified, 1);
    assert_int_equal(listener.protocols, 2);
    nodes_close();
}

static void takes_listed_addresses_beside_a_record_of_another_kind(void **state)
{
    (void)state;
    open_nodes();
    struct trp_peer_id peer = nodes_peer(1);
    struct trp_identify_message message = ordinary(&peer);
    message.signed_peer_record = envelope(&peer, trp_bytes_text("/a/newer/kind"));
    say_message(&message);
    connect_nodes(1);
    assert_int_equal(listener.identified, 1);
    assert_int_equal(listener.addresses, 1);
    assert_true(knows("/ip4/10.8.8.8/tcp/8"));
    assert_false(knows("/ip4/10.9.9.9/tcp/9"));
    nodes_close();
}

static void refuses_a_forged_record(void **state)
{
    (void)state;
    const uint8_t payload_type[] = {0x03, 0x01};
    open_nodes();
    struct trp_peer_id peer = nodes_peer(1);
    struct trp_identify_message message = ordinary(&peer);
    message.signed_peer_record = envelope(&peer, trp_bytes(payload_type, 2));
    say_message(&message);
    connect_nodes(1);
    assert_int_equal(listener.identified, 0);
    assert_int_equal(nodes_traced(0, "identify_failed"), 1);
    assert_false(knows("/ip4/10.8.8.8/tcp/8"));
    nodes_close();
}

static void refuses_the_key_of_another(void **state)
{
    (void)state;
    open_nodes();
    struct trp_peer_id other = nodes_peer(0);
    struct trp_identify_message message = ordinary(&other);
    say_message(&message);
    connect_nodes(1);
    assert_int_equal(listener.identified, 0);
    assert_int_equal(nodes_traced(0, "identify_failed"), 1);
    nodes_close();
}

/* Spec "identify/push": missing fields have not changed. */
static void a_push_of_addresses_leaves_the_protocols(void **state)
{
    (void)state;
    open_nodes();
    struct trp_peer_id peer = nodes_peer(1);
    struct trp_identify_message message = ordinary(&peer);
    say_message(&message);
    connect_nodes(1);
    speaker.size = 0;
    struct trp_multiaddr added = address("/ip4/10.7.7.7/tcp/7");
    message = (struct trp_identify_message){.addresses_count = 1};
    message.addresses[0] = trp_bytes(added.bytes, added.size);
    say_message(&message);
    push();
    assert_int_equal(nodes_traced(0, "identified"), 2);
    assert_true(knows("/ip4/10.7.7.7/tcp/7"));
    assert_int_equal(listener.identified, 1); /* nobody is told that it speaks nothing */
    assert_int_equal(listener.protocols, 1);
    nodes_close();
}

static void a_push_of_protocols_replaces_them(void **state)
{
    (void)state;
    open_nodes();
    struct trp_peer_id peer = nodes_peer(1);
    struct trp_identify_message message = ordinary(&peer);
    say_message(&message);
    connect_nodes(1);
    speaker.size = 0;
    message = (struct trp_identify_message){.protocols_count = 2};
    message.protocols[0] = trp_bytes_text("/speaker/1.0.0");
    message.protocols[1] = trp_bytes_text("/speaker/2.0.0");
    say_message(&message);
    push();
    assert_int_equal(listener.identified, 2);
    assert_int_equal(listener.protocols, 2);
    nodes_close();
}

static void refuses_a_megabyte(void **state)
{
    (void)state;
    open_nodes();
    memset(speaker.bytes, 0x7f, SAID_BYTES_MAX);
    speaker.size = SAID_BYTES_MAX;
    connect_nodes(16);
    assert_int_equal(listener.identified, 0);
    assert_int_equal(nodes_traced(0, "identify_failed"), 1);
    assert_status(speaker.ended, TRP_ERESET);
    nodes_close();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(learns_what_a_peer_says),
        cmocka_unit_test(reads_several_messages_as_one),
        cmocka_unit_test(takes_listed_addresses_beside_a_record_of_another_kind),
        cmocka_unit_test(refuses_a_forged_record),
        cmocka_unit_test(refuses_the_key_of_another),
        cmocka_unit_test(a_push_of_addresses_leaves_the_protocols),
        cmocka_unit_test(a_push_of_protocols_replaces_them),
        cmocka_unit_test(refuses_a_megabyte),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
