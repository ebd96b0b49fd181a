/* SPDX-License-Identifier: MIT */
/* Host 0 has identify. Host 1 has it, too, or is a liar that says what the test wants. */
#include "lib/net_pair.h"

#include "behaviour/identify.h"
#include "wire/identify.h"
#include "wire/peer_record.h"
#include "wire/uvarint.h"

#define HEARD_MAX 16u

/* Writes down what the host was told of its peers. */
struct listener {
    struct trp_swarm *swarm;
    uint32_t heard;
    char agent[HEARD_MAX][128];
    uint32_t protocols[HEARD_MAX];
    bool speaks_identify;
    struct trp_multiaddr addresses[16];
    uint32_t addresses_count;
    struct trp_multiaddr observed;
};

/* Says `words` to whoever asks, and pushes them when told to. */
struct liar {
    struct trp_swarm *swarm;
    uint32_t index;
    uint8_t words[96000];
    size_t size;
    bool hangs; /* its streams stay open */
    uint32_t resets;
};

static struct net_world *world;
static struct trp_identify *identifies[2];
static struct listener listeners[2];
static struct liar liar;
static const char *const push[] = {TRP_PROTOCOL_IDENTIFY_PUSH};

static void listener_attach(void *self, struct trp_swarm *swarm, uint32_t index)
{
    (void)index;
    ((struct listener *)self)->swarm = swarm;
}

static void listener_identified(void *self, const struct trp_identified *peer)
{
    struct listener *l = self;
    assert_true(l->heard < HEARD_MAX);
    (void)snprintf(l->agent[l->heard], sizeof l->agent[0], "%s", peer->agent);
    l->protocols[l->heard] = peer->protocols_count;
    for (uint32_t i = 0; i < peer->protocols_count; i++) {
        l->speaks_identify =
            l->speaks_identify || strcmp(peer->protocols[i], TRP_PROTOCOL_IDENTIFY) == 0;
    }
    l->addresses_count = peer->addresses_count;
    assert_true(peer->addresses_count <= 16);
    memcpy(l->addresses, peer->addresses, peer->addresses_count * sizeof l->addresses[0]);
    l->observed = peer->observed;
    l->heard++;
}

static const struct trp_behaviour_ops listener_ops = {
    .name = "listener", .attach = listener_attach, .identified = listener_identified};

static void liar_attach(void *self, struct trp_swarm *swarm, uint32_t index)
{
    ((struct liar *)self)->swarm = swarm;
    ((struct liar *)self)->index = index;
}

static uint32_t liar_protocols(const void *self, const char **ret_protocols, uint32_t max)
{
    (void)self;
    ret_protocols[0] = max > 0 ? TRP_PROTOCOL_IDENTIFY : NULL;
    return 1;
}

static void liar_opened(void *self, const struct trp_stream_info *stream)
{
    struct liar *l = self;
    size_t at = 0;
    size_t used = 0;
    while (at < l->size &&
           trp_stream_write(l->swarm, stream->id, trp_bytes(l->words + at, l->size - at), &used) ==
               TRP_OK) {
        at += used;
    }
    if (!l->hangs) {
        trp_stream_shutdown(l->swarm, stream->id);
    }
}

static void liar_closed(void *self, const struct trp_stream_info *stream, enum trp_status reason)
{
    (void)stream;
    ((struct liar *)self)->resets += reason == TRP_ERESET;
}

static const struct trp_behaviour_ops liar_ops = {.name = "liar",
                                                  .attach = liar_attach,
                                                  .protocols = liar_protocols,
                                                  .stream_opened = liar_opened,
                                                  .stream_closed = liar_closed};

static void begin(bool lies)
{
    world = net_world_open(41);
    memset(listeners, 0, sizeof listeners);
    liar = (struct liar){.size = 0};
    for (uint32_t i = 0; i < 2; i++) {
        struct net_host *host = net_host_init(world, i);
        host->limits.stream_send_bytes = 1u << 18;
        host->limits.idle_timeout_ns = TRP_S(60);
        const struct trp_identify_config config = {.memory = &host->memory,
                                                   .trace = &host->trace,
                                                   .identity = &host->identity,
                                                   .agent = i == 0 ? "troupe/zero" : "troupe/one",
                                                   .unix_offset_ns = TRP_S(1000)};
        assert_status(trp_identify_open(&config, &identifies[i]), TRP_OK);
        if (i == 1 && lies) {
            net_host_add(host, (struct trp_behaviour){.ops = &liar_ops, .self = &liar});
        } else {
            net_host_add(host, trp_identify_behaviour(identifies[i]));
        }
        net_host_add(host, (struct trp_behaviour){.ops = &listener_ops, .self = &listeners[i]});
        assert_status(net_host_start(host), TRP_OK);
        net_listen(host, 0);
    }
    net_run(world, TRP_MS(10));
}

static void connect_hosts(void)
{
    const struct trp_multiaddr address = net_address(1, NET_PORT_FIRST);
    const struct trp_dial_request dial = {
        .peer = world->hosts[1].peer, .addresses = &address, .addresses_count = 1};
    assert_status(trp_swarm_dial(world->hosts[0].swarm, &dial), TRP_OK);
    net_poke(&world->hosts[0]);
    net_run(world, TRP_S(1));
}

static void end(void)
{
    for (uint32_t i = 0; i < 2; i++) {
        net_host_stop(&world->hosts[i]);
        trp_identify_close(identifies[i]);
        assert_int_equal(world->hosts[i].memory.used_bytes, 0);
    }
    net_world_close(world);
}

/* ---- the truth ---- */

static void both_sides_learn_of_each_other(void **state)
{
    (void)state;
    begin(false);
    connect_hosts();
    for (uint32_t i = 0; i < 2; i++) {
        const struct trp_multiaddr listens = net_address(1 - i, NET_PORT_FIRST);
        struct trp_multiaddr known[4];
        assert_int_equal(listeners[i].heard, 1);
        assert_string_equal(listeners[i].agent[0], i == 0 ? "troupe/one" : "troupe/zero");
        assert_int_equal(listeners[i].protocols[0], 2);
        assert_true(listeners[i].speaks_identify);
        assert_int_equal(listeners[i].addresses_count, 1);
        assert_true(trp_multiaddr_equal(&listeners[i].addresses[0], &listens));
        assert_true(trp_swarm_known_addresses(world->hosts[i].swarm, &world->hosts[1 - i].peer,
                                              known, 4) >= 1);
        assert_true(trp_multiaddr_equal(&known[0], &listens));
    }
    /* Host 1 sees host 0 come from a port that nobody listens on. */
    struct trp_endpoint seen;
    assert_status(trp_multiaddr_tcp(&listeners[0].observed, &seen), TRP_OK);
    assert_true(seen.port >= 20000 && seen.ip[3] == 1);
    end();
}

static void a_change_is_pushed(void **state)
{
    (void)state;
    begin(false);
    connect_hosts();
    net_listen(&world->hosts[1], 5); /* one more address */
    net_run(world, TRP_S(1));
    assert_int_equal(listeners[0].heard, 2);
    assert_int_equal(listeners[0].addresses_count, 2);
    assert_int_equal(net_traced(&world->hosts[0], "identified"), 2);
    assert_int_equal(net_traced(&world->hosts[0], "identify_failed"), 0);
    net_listen(&world->hosts[1], 6);
    net_run(world, TRP_S(1));
    assert_int_equal(listeners[0].addresses_count, 3);
    end();
}

static void identify_keeps_no_connection_open(void **state)
{
    (void)state;
    begin(false);
    connect_hosts();
    net_run(world, TRP_S(62));
    assert_int_equal(trp_swarm_connections_count(world->hosts[0].swarm), 0);
    end();
}

/* ---- lies ---- */

/* Sets what the liar says: one message, encoded with its prefix. */
static void liar_says(const struct trp_identify_message *message)
{
    uint8_t encoded[TRP_IDENTIFY_BYTES_MAX];
    size_t size;
    uint8_t prefix[TRP_UVARINT_BYTES_MAX];
    assert_status(trp_identify_message_encode(message, encoded, sizeof encoded, &size), TRP_OK);
    size_t prefix_size = trp_varint_encode(size, prefix);
    memcpy(liar.words + liar.size, prefix, prefix_size);
    memcpy(liar.words + liar.size + prefix_size, encoded, size);
    liar.size += prefix_size + size;
}

static struct trp_bytes key_of(uint32_t host)
{
    static uint8_t keys[2][TRP_PUBLIC_KEY_ENCODED_MAX];
    size_t size;
    assert_status(trp_public_key_encode(&world->hosts[host].identity.public_key, keys[host],
                                        sizeof keys[host], &size),
                  TRP_OK);
    return trp_bytes(keys[host], size);
}

/* A signed record in which `signer` says where `subject` is. */
static struct trp_bytes record_of(uint32_t signer, uint32_t subject, uint16_t port)
{
    static uint8_t sealed[TRP_PEER_RECORD_BYTES_MAX];
    size_t size;
    struct trp_peer_record record = {
        .peer = world->hosts[subject].peer, .sequence = 1, .addresses_count = 1};
    record.addresses[0] = net_address(1, port);
    assert_status(
        trp_peer_record_seal(&world->hosts[signer].identity, &record, sealed, sizeof sealed, &size),
        TRP_OK);
    return trp_bytes(sealed, size);
}

static void assert_believed(bool believed)
{
    connect_hosts();
    assert_int_equal(listeners[0].heard, believed ? 1 : 0);
    assert_int_equal(net_traced(&world->hosts[0], "identify_failed"), believed ? 0 : 1);
    assert_int_equal(trp_swarm_connections_count(world->hosts[0].swarm), 1);
}

static void a_key_must_be_the_one_that_was_proved(void **state)
{
    (void)state;
    begin(true);
    liar_says(&(struct trp_identify_message){.public_key = key_of(1),
                                             .agent_version = trp_bytes_text("fine")});
    assert_believed(true);
    assert_string_equal(listeners[0].agent[0], "fine");
    end();
    begin(true);
    liar_says(&(struct trp_identify_message){.public_key = key_of(0)});
    assert_believed(false);
    end();
    begin(true);
    liar_says(&(struct trp_identify_message){.agent_version = trp_bytes_text("without")});
    assert_believed(false);
    end();
}

static void a_signed_record_counts_and_must_be_the_peers_own(void **state)
{
    (void)state;
    const struct trp_multiaddr unsigned_one = net_address(1, 77);
    const struct trp_multiaddr signed_one = net_address(1, 88);
    for (uint32_t i = 0; i < 3; i++) {
        begin(true);
        struct trp_identify_message message = {.public_key = key_of(1), .addresses_count = 1};
        message.addresses[0] = trp_bytes(unsigned_one.bytes, unsigned_one.size);
        if (i < 2) {
            message.signed_peer_record = i == 0 ? record_of(1, 1, 88) : record_of(0, 0, 88);
        }
        liar_says(&message);
        assert_believed(i != 1);
        if (i != 1) {
            assert_int_equal(listeners[0].addresses_count, 1);
            assert_true(trp_multiaddr_equal(&listeners[0].addresses[0],
                                            i == 0 ? &signed_one : &unsigned_one));
        }
        end();
    }
}

/* A record of a kind that we do not know is as good as none: the listed addresses count. */
static void a_record_of_another_kind_is_none(void **state)
{
    (void)state;
    const struct trp_multiaddr listed = net_address(1, 77);
    begin(true);
    struct trp_identify_message message = {.public_key = key_of(1), .addresses_count = 1};
    message.addresses[0] = trp_bytes(listed.bytes, listed.size);
    uint8_t record[TRP_PEER_RECORD_BYTES_MAX];
    struct trp_bytes sealed = record_of(1, 1, 88);
    static const uint8_t tag_and_type[] = {0x12, 0x02, 0x03, 0x01}; /* payload_type */
    memcpy(record, sealed.data, sealed.size);
    size_t at = 0;
    while (memcmp(record + at, tag_and_type, sizeof tag_and_type) != 0) {
        at++;
        assert_true(at + sizeof tag_and_type < sealed.size);
    }
    record[at + 3] = 0x7f;
    message.signed_peer_record = trp_bytes(record, sealed.size);
    liar_says(&message);
    assert_believed(true);
    assert_int_equal(listeners[0].addresses_count, 1);
    assert_true(trp_multiaddr_equal(&listeners[0].addresses[0], &listed));
    end();
}

static void liar_pushes(void)
{
    const struct trp_stream_request request = {.behaviour = liar.index,
                                               .peer = world->hosts[0].peer,
                                               .protocols = push,
                                               .protocols_count = 1};
    trp_stream_id stream;
    assert_status(trp_swarm_open_stream(world->hosts[1].swarm, &request, &stream), TRP_OK);
    net_poke(&world->hosts[1]);
    net_run(world, TRP_S(1));
}

/* Spec "identify/push": missing fields have not changed. */
static void a_push_may_leave_out_what_has_not_changed(void **state)
{
    (void)state;
    const struct trp_multiaddr added = net_address(1, 99);
    struct trp_multiaddr known[16];
    begin(true);
    struct trp_identify_message message = {.public_key = key_of(1), .protocols_count = 1};
    message.protocols[0] = trp_bytes_text("/a");
    liar_says(&message);
    assert_believed(true);
    liar.size = 0;
    message = (struct trp_identify_message){.addresses_count = 1};
    message.addresses[0] = trp_bytes(added.bytes, added.size);
    liar_says(&message);
    liar_pushes();
    assert_int_equal(net_traced(&world->hosts[0], "identified"), 2);
    assert_int_equal(listeners[0].heard, 1); /* nobody is told that it speaks nothing now */
    uint32_t count =
        trp_swarm_known_addresses(world->hosts[0].swarm, &world->hosts[1].peer, known, 16);
    bool found = false;
    for (uint32_t i = 0; i < count; i++) {
        found = found || trp_multiaddr_equal(&known[i], &added);
    }
    assert_true(found);
    liar.size = 0;
    message = (struct trp_identify_message){.protocols_count = 2};
    message.protocols[0] = trp_bytes_text("/a");
    message.protocols[1] = trp_bytes_text("/b");
    liar_says(&message);
    liar_pushes();
    assert_int_equal(listeners[0].heard, 2);
    assert_int_equal(listeners[0].protocols[1], 2);
    end();
}

static void several_messages_are_one(void **state)
{
    (void)state;
    begin(true);
    struct trp_identify_message first = {.public_key = key_of(1), .protocols_count = 1};
    first.protocols[0] = trp_bytes_text("/a");
    struct trp_identify_message second = {.agent_version = trp_bytes_text("two"),
                                          .protocols_count = 1};
    second.protocols[0] = trp_bytes_text("/b");
    liar_says(&first);
    liar_says(&second);
    assert_believed(true);
    assert_int_equal(listeners[0].protocols[0], 2);
    assert_string_equal(listeners[0].agent[0], "two");
    end();
    begin(true);
    liar_says(&first);
    for (uint32_t i = 0; i < 10; i++) {
        liar_says(&second); /* eleven are too many */
    }
    assert_believed(false);
    end();
}

static void what_is_malformed_or_endless_is_refused(void **state)
{
    (void)state;
    begin(true);
    memset(liar.words, 0xff, sizeof liar.words);
    liar.size = 100;
    assert_believed(false);
    end();
    begin(true); /* a length that nothing follows */
    liar.words[0] = 0x20;
    liar.size = 1;
    assert_believed(false);
    end();
    begin(true); /* more than ten messages of the largest size */
    memset(liar.words, 0x01, sizeof liar.words);
    liar.size = sizeof liar.words;
    assert_believed(false);
    end();
    begin(true); /* nothing at all is no failure */
    connect_hosts();
    assert_int_equal(listeners[0].heard, 0);
    assert_int_equal(net_traced(&world->hosts[0], "identify_failed"), 0);
    end();
}

static void a_stream_that_never_ends_keeps_no_connection_open(void **state)
{
    (void)state;
    begin(true);
    liar.hangs = true;
    connect_hosts();
    const struct trp_stream_request request = {.behaviour = liar.index,
                                               .peer = world->hosts[0].peer,
                                               .protocols = push,
                                               .protocols_count = 1};
    trp_stream_id stream;
    assert_status(trp_swarm_open_stream(world->hosts[1].swarm, &request, &stream), TRP_OK);
    net_poke(&world->hosts[1]);
    net_run(world, TRP_S(62));
    assert_int_equal(trp_swarm_connections_count(world->hosts[0].swarm), 0);
    end();
}

static void a_peer_cannot_push_on_many_streams(void **state)
{
    (void)state;
    begin(true);
    liar_says(&(struct trp_identify_message){.public_key = key_of(1)});
    connect_hosts();
    assert_int_equal(listeners[0].heard, 1);
    for (uint32_t i = 0; i < 30; i++) {
        const struct trp_stream_request request = {.behaviour = liar.index,
                                                   .peer = world->hosts[0].peer,
                                                   .protocols = push,
                                                   .protocols_count = 1};
        trp_stream_id stream;
        assert_status(trp_swarm_open_stream(world->hosts[1].swarm, &request, &stream), TRP_OK);
    }
    net_poke(&world->hosts[1]);
    net_run(world, TRP_S(1));
    assert_true(liar.resets >= 20);
    assert_int_equal(net_traced(&world->hosts[0], "limit_reached"), 1); /* at most once a second */
    assert_true(listeners[0].heard <= 1 + 10);
    end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_sides_learn_of_each_other),
        cmocka_unit_test(a_change_is_pushed),
        cmocka_unit_test(identify_keeps_no_connection_open),
        cmocka_unit_test(a_key_must_be_the_one_that_was_proved),
        cmocka_unit_test(a_signed_record_counts_and_must_be_the_peers_own),
        cmocka_unit_test(a_record_of_another_kind_is_none),
        cmocka_unit_test(a_push_may_leave_out_what_has_not_changed),
        cmocka_unit_test(several_messages_are_one),
        cmocka_unit_test(what_is_malformed_or_endless_is_refused),
        cmocka_unit_test(a_stream_that_never_ends_keeps_no_connection_open),
        cmocka_unit_test(a_peer_cannot_push_on_many_streams),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
