/* SPDX-License-Identifier: MIT */
/* A kad node and a peer that speaks bytes: requests as any implementation sends them, and wrong
 * ones; answers that are none. */
#include "lib/kad_network.h"
#include "wire/kad_message.h"
#include "wire/uvarint.h"

struct raw {
    struct trp_swarm *swarm;
    const char *protocol;
    bool serves;
    trp_stream_id stream;
    uint8_t out[40000];
    size_t out_size;
    bool half_closes;
    uint8_t in[40000];
    size_t in_size;
    bool eof;
    bool closed;
    enum trp_status reason;
    uint8_t reply[40000]; /* to any inbound stream */
    size_t reply_size;
};

static void raw_attach(void *self, struct trp_swarm *swarm, uint32_t index)
{
    (void)index;
    ((struct raw *)self)->swarm = swarm;
}

static uint32_t raw_protocols(const void *self, const char **ret_protocols, uint32_t max)
{
    const struct raw *raw = self;
    if (max > 0) {
        ret_protocols[0] = PROTOCOL;
    }
    return raw->serves ? 1 : 0;
}

static void raw_opened(void *self, const struct trp_stream_info *stream)
{
    struct raw *raw = self;
    size_t used;
    if (!stream->inbound) {
        assert_status(
            trp_stream_write(raw->swarm, stream->id, trp_bytes(raw->out, raw->out_size), &used),
            TRP_OK);
        if (raw->half_closes) {
            trp_stream_shutdown(raw->swarm, stream->id);
        }
    }
}

static void raw_data(void *self, const struct trp_stream_info *stream, struct trp_bytes in)
{
    struct raw *raw = self;
    size_t used;
    if (stream->inbound) {
        if (raw->reply_size > 0) {
            assert_status(trp_stream_write(raw->swarm, stream->id,
                                           trp_bytes(raw->reply, raw->reply_size), &used),
                          TRP_OK);
        }
        trp_stream_shutdown(raw->swarm, stream->id);
        return;
    }
    assert_true(raw->in_size + in.size <= sizeof raw->in);
    memcpy(raw->in + raw->in_size, in.data, in.size);
    raw->in_size += in.size;
}

static void raw_eof(void *self, const struct trp_stream_info *stream)
{
    struct raw *raw = self;
    raw->eof = raw->eof || !stream->inbound;
}

static void raw_closed(void *self, const struct trp_stream_info *stream, enum trp_status reason)
{
    struct raw *raw = self;
    if (!stream->inbound) {
        raw->closed = true;
        raw->reason = reason;
    }
}

static const struct trp_behaviour_ops raw_ops = {.name = "raw",
                                                 .attach = raw_attach,
                                                 .protocols = raw_protocols,
                                                 .stream_opened = raw_opened,
                                                 .stream_data = raw_data,
                                                 .stream_eof = raw_eof,
                                                 .stream_closed = raw_closed};

/* Node 0 is kad, node 1 raw, the rest kad and known to node 0. */
static void network_with_raw(struct network *network, struct raw *raw, uint32_t count,
                             struct trp_kad_policy policy)
{
    network_open(network, count);
    *raw = (struct raw){.protocol = PROTOCOL, .half_closes = true};
    for (uint32_t i = 0; i < count; i++) {
        if (i == 1) {
            fake_attach(&network->world.nodes[1], (struct trp_behaviour){&raw_ops, raw});
        } else {
            node_open(network, i, false, policy);
        }
    }
    for (uint32_t i = 2; i < count; i++) {
        introduce(network, i, 0);
    }
    network->world.nodes[1].knows[0] = true;
    run_for(network, TRP_S(30));
}

static void raw_say(struct raw *raw, const struct trp_kad_message *message)
{
    uint8_t body[TRP_KAD_MESSAGE_BYTES_MAX];
    size_t size;
    assert_status(trp_kad_message_encode(message, body, sizeof body, &size), TRP_OK);
    assert_true(raw->out_size + size + 3 <= sizeof raw->out);
    raw->out_size += trp_varint_encode(size, raw->out + raw->out_size);
    memcpy(raw->out + raw->out_size, body, size);
    raw->out_size += size;
}

/* Opens a stream to node 0, says what was prepared, and runs for a while. */
static void raw_run(struct network *network, struct raw *raw, trp_time span)
{
    struct trp_stream_request request = {
        .peer = fake_id(0), .dial = true, .protocols = &raw->protocol, .protocols_count = 1};
    raw->in_size = 0;
    raw->eof = false;
    raw->closed = false;
    assert_status(trp_swarm_open_stream(raw->swarm, &request, &raw->stream), TRP_OK);
    run_for(network, span);
    raw->out_size = 0;
}

/* Takes the next message that came back; false when there is none. */
static bool raw_hear(struct raw *raw, size_t *at, struct trp_kad_message *ret_message)
{
    uint64_t size;
    size_t used;
    struct trp_bytes rest = trp_bytes_skip(trp_bytes(raw->in, raw->in_size), *at);
    if (rest.size == 0 || trp_uvarint_decode(rest, &size, &used) != TRP_OK) {
        return false;
    }
    assert_true(rest.size >= used + size);
    assert_status(trp_kad_message_decode(trp_bytes(rest.data + used, size), ret_message), TRP_OK);
    *at += used + size;
    return true;
}

static uint32_t message_peers(const struct trp_kad_message *message, enum trp_kad_peer_list list,
                              struct trp_peer_id *ret_ids, uint32_t *ret_addresses)
{
    struct trp_multiaddr addresses[TRP_KAD_PEER_ADDRESSES_MAX];
    struct trp_kad_peer peer;
    size_t at = 0;
    uint32_t count = 0;
    *ret_addresses = 0;
    while (trp_kad_message_next_peer(message, list, &at, addresses, &peer)) {
        assert_true(count < 32);
        ret_ids[count++] = peer.id;
        *ret_addresses += peer.addresses_count;
    }
    return count;
}

static void answers_several_requests_on_one_stream(void **state)
{
    (void)state;
    struct network network;
    struct raw raw;
    network_with_raw(&network, &raw, 12, (struct trp_kad_policy){0});
    struct trp_peer_id self = fake_id(0);
    struct trp_peer_id asker = fake_id(1);
    raw_say(&raw, &(struct trp_kad_message){.type = TRP_KAD_PING});
    raw_say(&raw,
            &(struct trp_kad_message){.type = TRP_KAD_FIND_NODE, .key = trp_peer_id_bytes(&self)});
    raw_say(&raw,
            &(struct trp_kad_message){.type = TRP_KAD_FIND_NODE, .key = trp_peer_id_bytes(&asker)});
    raw_say(&raw, &(struct trp_kad_message){.type = TRP_KAD_GET_PROVIDERS,
                                            .key = trp_bytes_text("nothing")});
    raw_say(&raw,
            &(struct trp_kad_message){.type = TRP_KAD_GET_VALUE, .key = trp_bytes_text("nothing")});
    for (uint32_t chunk = 0; chunk < 3; chunk++) {
        struct raw copy = raw;
        network.world.nodes[0].chunk = chunk;
        raw_run(&network, &raw, TRP_S(1));
        assert_true(raw.eof && raw.closed);
        assert_status(raw.reason, TRP_OK);
        size_t at = 0;
        struct trp_kad_message message;
        struct trp_peer_id ids[32];
        uint32_t addresses;
        assert_true(raw_hear(&raw, &at, &message));
        assert_int_equal(message.type, TRP_KAD_PING);
        /* Ourselves first, then the closest; never the asker. */
        assert_true(raw_hear(&raw, &at, &message));
        assert_int_equal(message_peers(&message, TRP_KAD_CLOSER, ids, &addresses), 11);
        assert_int_equal(addresses, 11);
        assert_true(trp_peer_id_equal(&ids[0], &self));
        for (uint32_t i = 0; i < 11; i++) {
            assert_false(trp_peer_id_equal(&ids[i], &asker));
        }
        assert_true(raw_hear(&raw, &at, &message));
        assert_int_equal(message_peers(&message, TRP_KAD_CLOSER, ids, &addresses), 10);
        assert_true(raw_hear(&raw, &at, &message));
        assert_int_equal(message.type, TRP_KAD_GET_PROVIDERS);
        assert_int_equal(message_peers(&message, TRP_KAD_PROVIDERS, ids, &addresses), 0);
        assert_int_equal(message_peers(&message, TRP_KAD_CLOSER, ids, &addresses), 10);
        assert_true(raw_hear(&raw, &at, &message));
        assert_false(message.has_record);
        assert_false(raw_hear(&raw, &at, &message));
        memcpy(raw.out, copy.out, copy.out_size);
        raw.out_size = copy.out_size;
    }
    network_close(&network);
}

static void takes_only_the_senders_word_for_itself(void **state)
{
    (void)state;
    struct network network;
    struct raw raw;
    network_with_raw(&network, &raw, 3, (struct trp_kad_policy){0});
    struct trp_kad_peer other = {.id = fake_id(2)};
    struct trp_kad_peer self = {.id = fake_id(1)};
    struct trp_kad_message message = {.type = TRP_KAD_ADD_PROVIDER,
                                      .key = trp_bytes_text("name"),
                                      .providers = &other,
                                      .providers_count = 1};
    raw_say(&raw, &message);
    raw_run(&network, &raw, TRP_S(1));
    assert_int_equal(raw.in_size, 0);
    assert_false(trp_kad_holds_provider(network.kads[0], trp_bytes_text("name"), &other.id));
    message.providers = &self;
    raw_say(&raw, &message);
    raw_run(&network, &raw, TRP_S(1));
    assert_int_equal(raw.in_size, 0); /* there is no answer to it */
    assert_true(raw.eof);
    assert_true(trp_kad_holds_provider(network.kads[0], trp_bytes_text("name"), &self.id));
    /* A withdrawal over its own protocol, of the sender's entry only. */
    message.providers = &other;
    raw.protocol = WITHDRAWAL;
    raw_say(&raw, &message);
    raw_run(&network, &raw, TRP_S(1));
    assert_false(trp_kad_holds_provider(network.kads[0], trp_bytes_text("name"), &self.id));
    /* Nothing else is asked there. */
    raw_say(&raw, &(struct trp_kad_message){.type = TRP_KAD_PING});
    raw_run(&network, &raw, TRP_S(1));
    assert_status(raw.reason, TRP_ERESET);
    network_close(&network);
}

static enum trp_status refuse_record(void *user, struct trp_bytes key, struct trp_bytes value,
                                     const struct trp_peer_id *from)
{
    (void)user;
    (void)value;
    struct trp_peer_id expected = fake_id(1);
    assert_true(trp_peer_id_equal(from, &expected));
    return trp_bytes_equal(key, trp_bytes_text("bad")) ? TRP_EDENIED : TRP_OK;
}

static enum trp_status refuse_provider(void *user, struct trp_bytes key,
                                       const struct trp_peer_id *from)
{
    (void)user;
    (void)from;
    return trp_bytes_equal(key, trp_bytes_text("bad")) ? TRP_EDENIED : TRP_OK;
}

static void policy_refuses_and_the_echo_comes_all_the_same(void **state)
{
    (void)state;
    struct network network;
    struct raw raw;
    network_with_raw(
        &network, &raw, 2,
        (struct trp_kad_policy){.admit_record = refuse_record, .admit_provider = refuse_provider});
    struct trp_kad_peer self = {.id = fake_id(1)};
    const char *keys[] = {"bad", "good", "foreign"};
    for (uint32_t i = 0; i < 3; i++) {
        struct trp_bytes key = trp_bytes_text(keys[i]);
        struct trp_kad_message message = {
            .type = TRP_KAD_PUT_VALUE,
            .key = key,
            .has_record = true,
            .record = {.key = key, .value = trp_bytes_text("v"), .ttl_s = 60}};
        message.record.publisher = i == 2 ? fake_id(9) : self.id;
        raw_say(&raw, &message);
        raw_say(&raw, &(struct trp_kad_message){.type = TRP_KAD_GET_VALUE, .key = key});
        raw_say(&raw, &(struct trp_kad_message){.type = TRP_KAD_ADD_PROVIDER,
                                                .key = key,
                                                .providers = &self,
                                                .providers_count = 1});
        raw_run(&network, &raw, TRP_S(1));
        size_t at = 0;
        assert_true(raw_hear(&raw, &at, &message));
        assert_int_equal(message.type, TRP_KAD_PUT_VALUE);
        assert_true(message.has_record && trp_bytes_equal(message.record.key, key));
        assert_int_equal(message.record.publisher.size, 0);
        assert_true(raw_hear(&raw, &at, &message));
        assert_true(message.has_record == (i == 1));
        assert_true(i != 1 || (message.record.ttl_s > 50 && message.record.ttl_s <= 60));
        assert_true(trp_kad_holds_provider(network.kads[0], key, &self.id) == (i != 0));
    }
    network_close(&network);
}

static void refuses_what_is_no_request(void **state)
{
    (void)state;
    struct network network;
    struct raw raw;
    network_with_raw(&network, &raw, 2, (struct trp_kad_policy){0});
    const struct {
        uint8_t bytes[8];
        size_t size;
    } cases[] = {
        {{0x80, 0x80, 0x02}, 3},    /* 32768 bytes follow */
        {{0x81, 0x00}, 2},          /* length not minimal */
        {{0x02, 0x08, 0x63}, 3},    /* type 99 */
        {{0x03, 0x12, 0x7f, 1}, 4}, /* a field longer than the message */
        {{0x00}, 1},                /* PUT_VALUE without a record */
        {{0x05, 0x08, 0x04}, 3},    /* ends within the message */
        {{0x80}, 1},                /* ends within the length */
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        memcpy(raw.out, cases[i].bytes, cases[i].size);
        raw.out_size = cases[i].size;
        raw_run(&network, &raw, TRP_S(1));
        assert_true(raw.closed);
        assert_status(raw.reason, TRP_ERESET);
        assert_int_equal(raw.in_size, 0);
    }
    network_close(&network);
}

/* What node 0 traces of streams that end for want of a request. */
struct traced {
    uint32_t idle;
    uint32_t misused;
};

static void count_event(void *self, const struct trp_trace_event *event)
{
    struct traced *traced = self;
    traced->idle += strcmp(event->kind->name, "kad_stream_idle") == 0;
    traced->misused += strcmp(event->kind->name, "stream_misused") == 0;
}

static void a_silent_stream_does_not_stay_and_that_is_traced(void **state)
{
    (void)state;
    static const uint8_t ping_and_more[] = {0x02, 0x08, 0x05, 0x02, 0x08};
    struct network network;
    struct raw raw;
    struct traced traced = {0};
    network_with_raw(&network, &raw, 2, (struct trp_kad_policy){0});
    trp_recorder_init(&network.world.nodes[0].recorder,
                      (struct trp_trace_sink){.event = count_event, .self = &traced});
    raw.half_closes = false;
    memcpy(raw.out, ping_and_more, sizeof ping_and_more);
    raw.out_size = 3; /* a request, answered; then nothing */
    raw_run(&network, &raw, TRP_S(11));
    assert_true(raw.closed && raw.in_size > 0);
    assert_int_equal(traced.idle, 1);
    assert_int_equal(traced.misused, 0);
    raw.out_size = sizeof ping_and_more; /* and one that does not end */
    raw_run(&network, &raw, TRP_S(11));
    assert_true(raw.closed && raw.in_size > 0);
    assert_int_equal(traced.idle, 1);
    assert_int_equal(traced.misused, 1);
    network_close(&network);
}

static void one_peer_has_so_many_streams(void **state)
{
    (void)state;
    struct network network;
    struct raw raw;
    network_with_raw(&network, &raw, 2, (struct trp_kad_policy){0});
    raw.half_closes = false;
    for (uint32_t i = 0; i < 32; i++) {
        raw_run(&network, &raw, TRP_MS(100));
        assert_false(raw.closed);
    }
    raw_run(&network, &raw, TRP_MS(100));
    assert_true(raw.closed);
    assert_status(raw.reason, TRP_ERESET);
    network_close(&network);
}

/* Lets node 0 ask the raw peer, which answers `reply`; gives the outcome of the look-up. */
static struct outcome ask_raw(struct network *network, struct raw *raw, const uint8_t *reply,
                              size_t size)
{
    memcpy(raw->reply, reply, size);
    raw->reply_size = size;
    raw->serves = true;
    introduce(network, 0, 1);
    struct outcome outcome = get_record(network, 0, "key", NULL);
    run_for(network, TRP_S(1));
    return outcome;
}

static void a_faulty_answer_is_no_answer(void **state)
{
    (void)state;
    const struct {
        uint8_t bytes[8];
        size_t size;
    } cases[] = {
        {{0x80, 0x80, 0x02}, 3},    /* too large */
        {{0x02, 0x08, 0x04}, 3},    /* FIND_NODE to a GET_VALUE */
        {{0x03, 0x12, 0x7f, 1}, 4}, /* malformed */
        {{0x05, 0x08, 0x01}, 3},    /* ends too early */
        {{0}, 0},                   /* nothing */
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct network network;
        struct raw raw;
        network_with_raw(&network, &raw, 2, (struct trp_kad_policy){0});
        struct outcome outcome = ask_raw(&network, &raw, cases[i].bytes, cases[i].size);
        assert_status(outcome.status, TRP_ETIMEDOUT);
        assert_int_equal(outcome.timeouts, 1);
        assert_false(i < 3 && table_has(&network, 0, 1)); /* an early end may be an accident */
        network_close(&network);
    }
}

static void lies_in_answers_do_no_harm(void **state)
{
    (void)state;
    struct network network;
    struct raw raw;
    network_with_raw(&network, &raw, 4, (struct trp_kad_policy){0});
    /* A record of another key, ourselves, itself, and far too many peers that do not exist. */
    struct trp_kad_peer peers[200];
    struct trp_multiaddr address = fake_address(3);
    for (uint32_t i = 0; i < 200; i++) {
        peers[i] = (struct trp_kad_peer){.id = fake_id(i == 0   ? 0
                                                       : i == 1 ? 1
                                                                : 5000 + i),
                                         .addresses = &address,
                                         .addresses_count = 1};
    }
    struct trp_kad_message lie = {
        .type = TRP_KAD_GET_VALUE,
        .response = true,
        .has_record = true,
        .record = {.key = trp_bytes_text("other"), .value = trp_bytes_text("lie")},
        .closer = peers,
        .closer_count = 200};
    raw_say(&raw, &lie);
    uint8_t reply[20000];
    size_t size = raw.out_size;
    memcpy(reply, raw.out, size);
    raw.out_size = 0;
    struct outcome outcome = ask_raw(&network, &raw, reply, size);
    assert_status(outcome.status, TRP_ENOTFOUND);
    assert_int_equal(outcome.values, 0);
    assert_true(outcome.rpcs <= 3 + TRP_KAD_K);
    assert_false(table_has(&network, 0, 0));
    assert_true(table_count(&network, 0) <= 3);
    network_close(&network);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_several_requests_on_one_stream),
        cmocka_unit_test(takes_only_the_senders_word_for_itself),
        cmocka_unit_test(policy_refuses_and_the_echo_comes_all_the_same),
        cmocka_unit_test(refuses_what_is_no_request),
        cmocka_unit_test(a_silent_stream_does_not_stay_and_that_is_traced),
        cmocka_unit_test(one_peer_has_so_many_streams),
        cmocka_unit_test(a_faulty_answer_is_no_answer),
        cmocka_unit_test(lies_in_answers_do_no_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
