/* SPDX-License-Identifier: MIT */
#include "lib/nodes.h"

static bool kameo_only;           /* all tests run by each of the two protocols */
static struct trp_actor_ref near; /* an agent of host 0 */
static struct trp_actor_ref far;  /* an agent of host 1 */

/* Two nodes that are connected, with an agent each. */
static void two_nodes(const struct trp_limits *limits)
{
    nodes_open(2, 3);
    nodes.hosts[0].config.kameo_only = nodes.hosts[1].config.kameo_only = kameo_only;
    if (limits != NULL) {
        nodes.hosts[1].config.limits = *limits;
    }
    nodes_begin();
    nodes_introduce(0, 1);
    nodes_run(TRP_S(1));
    near = nodes_spawn(0, &agent_type, 'n', NULL);
    far = nodes_spawn(1, &agent_type, 'f', "far");
    assert_status(nodes_lookup(0, "far", false)->value.status, TRP_OK);
}

static const struct nodes_result *ask_far(const struct trp_message_type *type, const void *message)
{
    return nodes_do(0, nodes_ask(&far, type, message));
}

/* ---- from outside actors ---- */

static void asks_and_tells_of_commands(void **state)
{
    (void)state;
    two_nodes(NULL);
    const struct agent_add add = {.amount = 5};
    const struct nodes_result *result = ask_far(&agent_add_type, &add);
    assert_status(result->value.status, TRP_OK);
    assert_int_equal(result->value.payload.size, 1);
    assert_int_equal(result->payload[0], 5);
    struct trp_command tell = nodes_ask(&far, &agent_add_type, &add);
    tell.kind = TRP_CMD_TELL;
    assert_status(nodes_do(0, tell)->value.status, TRP_OK);
    assert_log("f+5 f+5");
    nodes_close();
}

/* Each refusal of the other side comes back as what it is. */
static void errors_come_back_as_they_are(void **state)
{
    (void)state;
    two_nodes(NULL);
    const struct agent_add add = {.amount = 5};
    struct trp_command ask = nodes_ask(&far, &agent_add_type, &add);
    struct trp_command wrong = ask;
    wrong.message = trp_bytes_text("dance");
    assert_status(nodes_do(0, wrong)->value.status, TRP_EUNKNOWNMESSAGE);
    wrong.ref.id += 1u << 24;                                             /* of another life */
    assert_status(nodes_do(0, wrong)->value.status, TRP_EUNKNOWNMESSAGE); /* said first */
    wrong.message = ask.message;
    assert_status(nodes_do(0, wrong)->value.status, TRP_EDEAD);
    wrong.ref = far;
    wrong.ref.type = 0;
    wrong.actor_type = trp_bytes_text("frail");
    assert_status(nodes_do(0, wrong)->value.status, TRP_EBADTYPE);
    wrong.actor_type = trp_bytes_text("nothing of the kind");
    assert_status(nodes_do(0, wrong)->value.status, TRP_EUNKNOWNMESSAGE);
    wrong.actor_type = TRP_BYTES_NONE;
    assert_status(nodes_do(0, wrong)->value.status, TRP_EUNKNOWNACTOR); /* it cannot be sent */
    wrong = ask;
    wrong.payload = trp_bytes_text("\xc1");
    assert_status(nodes_do(0, wrong)->value.status, TRP_EDECODE);
    const struct nodes_result *failed = ask_far(&agent_fail_type, NULL);
    assert_status(failed->value.status, TRP_EHANDLER);
    assert_memory_equal(failed->payload,
                        "\xa7"
                        "EDENIED",
                        8);
    wrong = ask;
    wrong.ref.peer.bytes[20] ^= 1;
    assert_status(nodes_do(0, wrong)->value.status, TRP_ENOADDRESS);
    assert_log("");
    nodes_close();
}

static void replies_are_waited_for_as_long_as_wanted(void **state)
{
    (void)state;
    two_nodes(NULL);
    struct trp_command ask = nodes_ask(&far, &agent_ponder_type, NULL);
    ask.reply_timeout_ns = TRP_MS(300);
    trp_time asked_at = nodes_now();
    assert_status(nodes_do(0, ask)->value.status, TRP_EREPLYTIMEOUT);
    assert_in_range(nodes_now() - asked_at, TRP_MS(290), TRP_MS(330));
    /* Nobody waits for longer than the network: Kameo's limit of 10 s. */
    static const trp_time long_ones[] = {0, TRP_MIN(1)};
    for (uint32_t i = 0; i < 2; i++) {
        ask.reply_timeout_ns = long_ones[i];
        asked_at = nodes_now();
        assert_status(nodes_do(0, ask)->value.status, TRP_ETIMEDOUT);
        assert_in_range(nodes_now() - asked_at, TRP_S(10), TRP_S(10) + TRP_MS(20));
    }
    nodes_close();
}

static enum trp_status act_stop_reading(struct trp_context *ctx, struct agent *agent,
                                        uint64_t argument)
{
    (void)argument;
    struct trp_actor_ref self = trp_self(ctx);
    const struct trp_ask_options hold = {.hold = true, .reply_timeout_ns = TRP_S(2)};
    return trp_ask(ctx, agent->ref.id != 0 ? &agent->ref : &self, &agent_ponder_type, NULL, &hold);
}

/* Has the far agent handle nothing for two seconds, and fills its mailbox for each of the hosts. */
static void fill_far(uint32_t room)
{
    struct trp_actor_ref other = nodes_spawn(1, &agent_type, 'o', NULL);
    const struct agent_meet meet = {.who = other};
    assert_status(ask_far(&agent_meet_type, &meet)->value.status, TRP_OK);
    assert_status(nodes_act(1, &far, act_stop_reading, 0), TRP_OK);
    const struct agent_add add = {.amount = 1};
    struct trp_command tell = nodes_ask(&far, &agent_add_type, &add);
    tell.kind = TRP_CMD_TELL;
    for (uint32_t i = 0; i < 2 * room; i++) {
        assert_status(nodes_do(i / room, tell)->value.status, TRP_OK);
    }
}

static void a_full_mailbox_is_waited_for_or_not(void **state)
{
    (void)state;
    two_nodes(&(struct trp_limits){.mailbox_messages = 4});
    fill_far(4);
    const struct agent_add add = {.amount = 10};
    struct trp_command tell = nodes_ask(&far, &agent_add_type, &add);
    tell.kind = TRP_CMD_TELL;
    tell.immediate = true;
    for (uint32_t host = 0; host < 2; host++) { /* remote and local */
        assert_status(nodes_do(host, tell)->value.status, TRP_EMAILBOXFULL);
    }
    tell.immediate = false;
    tell.mailbox_timeout_ns = TRP_MS(100);
    trp_time told_at = nodes_now();
    assert_status(nodes_do(0, tell)->value.status, TRP_EMAILBOXFULL);
    assert_in_range(nodes_now() - told_at, TRP_MS(100), TRP_MS(120));
    tell.mailbox_timeout_ns = 0; /* as long as it takes */
    assert_status(nodes_do(0, tell)->value.status, TRP_OK);
    nodes_run(TRP_S(1));
    assert_log("f+1 f+1 f+1 f+1 f+1 f+1 f+1 f+1 f+10");
    nodes_close();
}

static void what_is_too_large_is_said_to_be(void **state)
{
    (void)state;
    two_nodes(&(struct trp_limits){.response_bytes = 2000, .request_bytes = 1u << 20});
    static uint8_t data[1200000];
    memset(data, 0xff, sizeof data);
    struct agent_bytes message = {.data = {data, sizeof data}};
    if (kameo_only) {
        message.data.size /= 2; /* takes twice that on the wire */
    }
    assert_status(ask_far(&agent_bytes_type, &message)->value.status, TRP_ETOOBIG);
    message.data.size = 2000; /* its answer does not fit */
    const struct nodes_result *result = ask_far(&agent_bytes_type, &message);
    assert_status(result->value.status, TRP_EENCODE);
    message.data.size = 500;
    assert_status(ask_far(&agent_bytes_type, &message)->value.status, TRP_OK);
    nodes_close();
}

/* ---- from actors ---- */

static uint32_t outcomes;
static enum trp_status outcome;
static int64_t outcome_value;

static enum trp_status on_outcome(struct trp_context *ctx, void *agent,
                                  const struct trp_reply *reply)
{
    (void)ctx;
    (void)agent;
    outcomes++;
    outcome = reply->status;
    outcome_value =
        reply->message == NULL ? -1 : ((const struct agent_value *)reply->message)->value;
    assert_int_equal(reply->user, 77);
    return TRP_OK;
}

static struct trp_ask_options options;
static const struct agent_add three = {.amount = 3};

static enum trp_status act_tell_ack(struct trp_context *ctx, struct agent *agent, uint64_t to)
{
    (void)agent;
    outcomes = 0;
    options.on_reply = on_outcome;
    options.user = 77;
    return trp_tell_ack(ctx, (const struct trp_actor_ref *)(uintptr_t)to, &agent_add_type, &three,
                        &options);
}

static enum trp_status act_tell(struct trp_context *ctx, struct agent *agent, uint64_t to)
{
    (void)agent;
    return trp_tell(ctx, (const struct trp_actor_ref *)(uintptr_t)to, &agent_add_type, &three);
}

#define REF(ref) ((uint64_t)(uintptr_t) & (ref))

static void a_tell_may_be_acknowledged(void **state)
{
    (void)state;
    two_nodes(&(struct trp_limits){.mailbox_messages = 2});
    options = (struct trp_ask_options){0};
    struct trp_actor_ref *both[] = {&far, &near};
    for (uint32_t i = 0; i < 2; i++) { /* remote and local */
        assert_status(nodes_act(0, &near, act_tell_ack, REF(*both[i])), TRP_OK);
        nodes_run(TRP_MS(50));
        assert_int_equal(outcomes, 1);
        assert_status(outcome, TRP_OK);
        assert_int_equal(outcome_value, -1);
    }
    assert_log("f+3 n+3");
    struct trp_actor_ref gone = far;
    gone.id += 1u << 24;
    assert_status(nodes_act(0, &near, act_tell_ack, REF(gone)), TRP_OK);
    nodes_run(TRP_MS(50));
    assert_status(outcome, TRP_EDEAD);
    gone = near;
    gone.id += 1u << 24;
    assert_status(nodes_act(0, &near, act_tell_ack, REF(gone)), TRP_EHANDLER); /* at once */
    fill_far(2);
    nodes.log_size = 0;
    assert_status(nodes_act(0, &near, act_tell_ack, REF(far)), TRP_OK);
    nodes_run(TRP_MS(50));
    assert_status(outcome, TRP_EMAILBOXFULL); /* a try */
    options.mailbox_timeout_ns = TRP_S(5);
    assert_status(nodes_act(0, &near, act_tell_ack, REF(far)), TRP_OK);
    assert_status(nodes_act(0, &near, act_tell, REF(far)), TRP_OK); /* it waits there, too */
    nodes_run(TRP_S(3));
    assert_status(outcome, TRP_OK);
    assert_log("f+1 f+1 f+1 f+1 f+3 f+3");
    nodes_close();
}

static uint64_t pending;

static enum trp_status act_enqueue(struct trp_context *ctx, struct agent *agent, uint64_t to)
{
    (void)agent;
    options = (struct trp_ask_options){.reply = &agent_value_type};
    outcomes = 0;
    return trp_enqueue(ctx, (const struct trp_actor_ref *)(uintptr_t)to, &agent_add_type, &three,
                       &options, &pending);
}

static enum trp_status act_collect(struct trp_context *ctx, struct agent *agent, uint64_t told)
{
    (void)agent;
    return trp_collect(ctx, pending, told != 0 ? on_outcome : NULL, 77);
}

static void a_reply_may_be_collected_later(void **state)
{
    (void)state;
    two_nodes(NULL);
    struct trp_actor_ref *both[] = {&far, &near};
    for (uint32_t i = 0; i < 4; i++) {
        bool early = i >= 2; /* collected before it is there */
        assert_status(nodes_act(0, &near, act_enqueue, REF(*both[i % 2])), TRP_OK);
        nodes_run(early ? 0 : TRP_MS(50));
        assert_int_equal(outcomes, 0);
        assert_status(nodes_act(0, &near, act_collect, 1), TRP_OK);
        nodes_run(TRP_MS(50));
        assert_int_equal(outcomes, 1);
        assert_status(outcome, TRP_OK);
        assert_int_equal(outcome_value, 3 + 3 * (i / 2));
        assert_status(nodes_act(0, &near, act_collect, 1), TRP_EHANDLER); /* ENOTFOUND */
    }
    assert_status(nodes_act(0, &near, act_enqueue, REF(far)), TRP_OK);
    assert_status(nodes_act(0, &near, act_collect, 0), TRP_OK); /* nobody wants it */
    nodes_run(TRP_MS(50));
    assert_int_equal(outcomes, 0);
    assert_status(nodes_act(0, &near, act_enqueue, REF(far)), TRP_OK); /* ends with its actor */
    nodes_close();
}

static enum trp_status act_tell_friend(struct trp_context *ctx, struct agent *agent,
                                       uint64_t type_id)
{
    if (type_id != 0) {
        enum trp_status status =
            trp_ref_set_type(ctx, &agent->ref, (const char *)(uintptr_t)type_id);
        if (status != TRP_OK) {
            return status;
        }
    }
    return trp_tell(ctx, &agent->ref, &agent_add_type, &three);
}

/* What a message carries is the address of an actor; the program says of which type it is. */
static void a_ref_travels_in_a_message(void **state)
{
    (void)state;
    two_nodes(NULL);
    const struct agent_meet meet = {.who = near};
    assert_status(ask_far(&agent_meet_type, &meet)->value.status, TRP_OK);
    assert_status(nodes_act(1, &far, act_tell_friend, 0), TRP_EHANDLER); /* EINVAL */
    assert_status(nodes_act(1, &far, act_tell_friend, (uint64_t)(uintptr_t) "agent"), TRP_OK);
    nodes_run(TRP_MS(50));
    assert_log("n+3");
    assert_status(nodes_act(1, &far, act_tell_friend, (uint64_t)(uintptr_t) "frail"), TRP_OK);
    nodes_run(TRP_MS(50));
    /* It is of another type; where nobody waits, nobody is told. */
    assert_int_equal(nodes_traced(0, "delivery_refused"), 1);
    assert_int_equal(nodes_traced(1, "call_failed"), kameo_only ? 1 : 0);
    assert_log("");
    nodes_close();
}

/* ---- hostile peers ---- */

#define HOSTILE_STREAMS_MAX 1024u

/* A peer that writes what it likes to streams of the messaging protocol. */
struct hostile {
    struct trp_swarm *swarm;
    uint32_t index;
    struct trp_bytes request; /* written to each stream */
    bool keeps_open;          /* no half-close after it */
    struct trp_bytes answer;  /* to each request that comes */
    uint32_t opened;
    uint32_t refused;
    uint32_t answered;
};

static struct hostile hostile;
static const char *const hostile_protocols[] = {TRP_PROTOCOL_MESSAGING};

static void hostile_attach(void *self, struct trp_swarm *swarm, uint32_t index)
{
    ((struct hostile *)self)->swarm = swarm;
    ((struct hostile *)self)->index = index;
}

static uint32_t hostile_list(const void *self, const char **ret_protocols, uint32_t max)
{
    (void)self;
    ret_protocols[0] = max > 0 ? TRP_PROTOCOL_MESSAGING : NULL;
    return 1;
}

static void hostile_opened(void *self, const struct trp_stream_info *stream)
{
    struct hostile *h = self;
    struct trp_bytes out = stream->inbound ? h->answer : h->request;
    size_t used = 0;
    h->opened += !stream->inbound;
    TRP_IGNORE(trp_stream_write(h->swarm, stream->id, out, &used)); /* what fits */
    if (!h->keeps_open || stream->inbound) {
        trp_stream_shutdown(h->swarm, stream->id);
    }
}

static void hostile_data(void *self, const struct trp_stream_info *stream, struct trp_bytes in)
{
    struct hostile *h = self;
    h->answered += !stream->inbound;
    trp_stream_consumed(h->swarm, stream->id, in.size);
}

static void hostile_closed(void *self, const struct trp_stream_info *stream, enum trp_status reason)
{
    struct hostile *h = self;
    h->refused += !stream->inbound && reason != TRP_OK;
}

static const struct trp_behaviour_ops hostile_ops = {.name = "hostile",
                                                     .attach = hostile_attach,
                                                     .protocols = hostile_list,
                                                     .stream_opened = hostile_opened,
                                                     .stream_data = hostile_data,
                                                     .stream_closed = hostile_closed};

/* Host 0 is a node with an agent, host 1 is hostile. */
static void node_and_hostile(const struct trp_limits *limits)
{
    static struct trp_behaviour behaviour;
    hostile = (struct hostile){0};
    behaviour = (struct trp_behaviour){.ops = &hostile_ops, .self = &hostile};
    nodes_open(2, 13);
    if (limits != NULL) {
        nodes.hosts[0].config.limits = *limits;
    }
    nodes.hosts[1].config =
        (struct trp_node_config){.bare = true, .behaviours = &behaviour, .behaviours_count = 1};
    nodes.hosts[1].config.limits.streams_per_connection = HOSTILE_STREAMS_MAX;
    nodes_begin();
    nodes_introduce(1, 0);
    nodes_run(TRP_MS(100));
    near = nodes_spawn(0, &agent_type, 'n', "near");
}

static void hostile_send(uint32_t streams, struct trp_bytes request)
{
    hostile.request = request;
    for (uint32_t i = 0; i < streams; i++) {
        const struct trp_stream_request open = {.behaviour = hostile.index,
                                                .peer = nodes_peer(0),
                                                .protocols = hostile_protocols,
                                                .protocols_count = 1};
        trp_stream_id stream;
        TRP_IGNORE(trp_swarm_open_stream(hostile.swarm, &open, &stream)); /* as many as may be */
    }
    (void)nodes_do(1, (struct trp_command){.kind = TRP_CMD_PEERS}); /* a step */
}

static uint64_t memory_of(uint32_t host)
{
    struct trp_node_view view;
    trp_node_inspect(nodes.hosts[host].node, &view);
    return view.memory_bytes;
}

static void assert_serves(void)
{
    const struct agent_add add = {.amount = 1};
    struct trp_command ask = nodes_ask(&near, &agent_add_type, &add);
    assert_status(nodes_do(0, ask)->value.status, TRP_OK);
    assert_int_equal(nodes_connections(0), 1);
    nodes.log_size = 0;
}

/* Kameo would have read past the end of a short ActorId. */
static void malformed_requests_are_refused(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "", "\xff",
        "\xa1\x63"
        "Ask",
        /* {"Tell": {actor_id: h'0102', …}}: an id of two bytes, of seven, of eight and a half */
        "\xa1\x64Tell\xa6\x68"
        "actor_id\x42\x01\x02",
        "\xa1\x64Tell\xa6\x68"
        "actor_id\x47\x01\x02\x03\x04\x05\x06\x07",
        "\xa1\x66Unlink\xa3\x68"
        "actor_id\x49\x01\x02\x03\x04\x05\x06\x07\x08\x09"};
    node_and_hostile(NULL);
    for (uint32_t i = 1; i < sizeof wrong / sizeof wrong[0]; i++) {
        hostile_send(1, trp_bytes_text(wrong[i]));
        nodes_run(TRP_MS(100));
        assert_int_equal(nodes_traced(0, "envelope_refused"), i);
        assert_int_equal(hostile.refused, i);
    }
    hostile_send(1, TRP_BYTES_NONE);
    nodes_run(TRP_MS(100));
    assert_int_equal(hostile.answered, 0);
    assert_serves();
    nodes_close();
}

/* An answer of another kind than the request, or none that can be read, fails the ask. */
static void wrong_answers_fail_the_ask_alone(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t size;
        enum trp_status status;
    } cases[] = {{"\xa1\x64Tell\xa1\x62Ok\x80", 11, TRP_EDECODE},
                 {"\xa1\x63"
                  "Ask\xa1\x62Ok\x81\x07",
                  11, TRP_OK},
                 {"\xa1\x63"
                  "Ask\xa1\x62Ok",
                  8, TRP_EDECODE},
                 {"junk", 4, TRP_EDECODE},
                 {"\xa1\x6fOutboundFailure\x6b"
                  "DialFailure",
                  29, TRP_EUNREACHABLE},
                 {"", 0, TRP_ERESET}};
    node_and_hostile(NULL);
    struct trp_actor_ref there = {.id = 4, .peer = nodes_peer(1)};
    for (uint32_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct agent_add add = {.amount = 1};
        hostile.answer = trp_bytes(cases[i].bytes, cases[i].size);
        assert_status(nodes_do(0, nodes_ask(&there, &agent_add_type, &add))->value.status,
                      cases[i].status);
    }
    assert_serves();
    nodes_close();
}

/* Thousands of streams, some complete, some left open: the node keeps to its bounds, says so, and
 * serves others. */
static void a_flood_keeps_within_bounds(void **state)
{
    (void)state;
    static uint8_t large[60000];
    memset(large, 0x18, sizeof large);
    node_and_hostile(&(struct trp_limits){.received_bytes_per_peer = 1u << 20});
    uint64_t before = memory_of(0);
    uint64_t peak = 0;
    hostile.keeps_open = true;
    for (uint32_t i = 0; i < 60; i++) {
        hostile_send(100, trp_bytes(large, sizeof large));
        for (uint32_t k = 0; k < 10; k++) {
            nodes_run(TRP_MS(20));
            uint64_t now = memory_of(0) - before;
            peak = now > peak ? now : peak;
        }
        if (i % 20 == 0) {
            assert_serves();
        }
    }
    assert_true(hostile.opened > 1000);
    assert_true(hostile.refused > 1000);
    assert_true(peak < (8u << 20));
    assert_true(nodes_traced(0, "limit_reached") > 0);
    nodes_run(TRP_S(15)); /* what was left open is cut off */
    assert_true(memory_of(0) < before + 200000);
    assert_serves();
    nodes_close();
}

/* Complete tells, more than the actor can take: those that do not fit wait, and are told so. */
static void a_flood_of_tells_keeps_within_bounds(void **state)
{
    (void)state;
    static const uint8_t empty[] = {0x80};
    two_nodes(&(struct trp_limits){.mailbox_messages = 8});
    fill_far(8);
    uint64_t requests[300];
    for (uint32_t i = 0; i < 300; i++) {
        struct trp_command tell = nodes_ask(&far, &agent_fail_type, NULL);
        tell.kind = TRP_CMD_TELL;
        tell.payload = trp_bytes(empty, 1);
        tell.mailbox_timeout_ns = TRP_MS(700);
        requests[i] = nodes_command(0, tell);
    }
    nodes_run(TRP_MS(500));
    struct trp_node_view view;
    trp_node_inspect(nodes.hosts[1].node, &view);
    assert_int_equal(view.requests, 101); /* as many as one connection may have, and its own */
    nodes_run(TRP_S(1));
    uint32_t full = 0;
    for (uint32_t i = 0; i < 300; i++) {
        full += nodes_await(requests[i], TRP_S(15))->value.status == TRP_EMAILBOXFULL;
    }
    assert_true(full >= 100);
    nodes_close();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(asks_and_tells_of_commands),
        cmocka_unit_test(errors_come_back_as_they_are),
        cmocka_unit_test(replies_are_waited_for_as_long_as_wanted),
        cmocka_unit_test(a_full_mailbox_is_waited_for_or_not),
        cmocka_unit_test(what_is_too_large_is_said_to_be),
        cmocka_unit_test(a_tell_may_be_acknowledged),
        cmocka_unit_test(a_reply_may_be_collected_later),
        cmocka_unit_test(a_ref_travels_in_a_message),
        cmocka_unit_test(malformed_requests_are_refused),
        cmocka_unit_test(wrong_answers_fail_the_ask_alone),
        cmocka_unit_test(a_flood_keeps_within_bounds),
        cmocka_unit_test(a_flood_of_tells_keeps_within_bounds),
    };
    int failed = cmocka_run_group_tests_name("own protocol", tests, NULL, NULL);
    kameo_only = true;
    return failed + cmocka_run_group_tests_name("Kameo's protocol", tests, NULL, NULL);
}
