/* SPDX-License-Identifier: MIT */
/* Channels between nodes with actors, under faults; and against a peer that says what it likes. */
#include "lib/nodes.h"
#include "wire/channel_frame.h"

#define PROTOCOL "/troupe/messages/1"

static struct trp_actor_ref near; /* an agent of host 0 */
static struct trp_actor_ref far;  /* an agent of host 1 */

/* ---- two nodes of ours ---- */

static void two_nodes(const struct trp_limits *limits)
{
    nodes_open(2, 5);
    if (limits != NULL) {
        nodes.hosts[0].config.limits = nodes.hosts[1].config.limits = *limits;
    }
    nodes_begin();
    nodes_introduce(0, 1);
    nodes_run(TRP_S(1));
    near = nodes_spawn(0, &agent_type, 'n', NULL);
    far = nodes_spawn(1, &agent_type, 'f', "far");
    assert_status(nodes_lookup(0, "far", false)->value.status, TRP_OK);
}

static uint32_t answered;
static uint32_t reset;

static enum trp_status on_reply(struct trp_context *ctx, void *agent, const struct trp_reply *reply)
{
    (void)ctx, (void)agent;
    answered += reply->status == TRP_OK;
    reset += reply->status != TRP_OK;
    return TRP_OK;
}

/* Tells, acknowledged tells and asks in turn, each with its number. */
static enum trp_status act_say(struct trp_context *ctx, struct agent *agent, uint64_t count)
{
    const struct trp_ask_options options = {
        .reply = &agent_value_type, .on_reply = on_reply, .mailbox_timeout_ns = TRP_S(5)};
    (void)agent;
    for (uint32_t i = 0; i < count; i++) {
        const struct agent_add add = {.amount = i};
        enum trp_status status = i % 3 == 0 ? trp_tell(ctx, &far, &agent_add_type, &add)
                                 : i % 3 == 1
                                     ? trp_tell_ack(ctx, &far, &agent_add_type, &add, &options)
                                     : trp_ask(ctx, &far, &agent_add_type, &add, &options);
        if (status != TRP_OK) {
            return status;
        }
    }
    return TRP_OK;
}

/* Compares the log with f+0 f+1 … */
static void assert_in_order(uint32_t count)
{
    static char expected[16384];
    size_t size = 0;
    for (uint32_t i = 0; i < count; i++) {
        int more = snprintf(expected + size, sizeof expected - size, "f+%u%s", i,
                            i + 1 < count ? " " : "");
        assert_true(more > 0 && size + (size_t)more < sizeof expected);
        size += (size_t)more;
    }
    assert_log(expected);
}

static void say(uint32_t count)
{
    answered = reset = 0;
    assert_status(nodes_act(0, &near, act_say, count), TRP_OK);
}

/* More than the mailbox holds, and than may be unanswered at once. */
static void messages_arrive_in_their_order(void **state)
{
    (void)state;
    static const struct trp_limits tight = {
        .mailbox_messages = 3, .requests_per_connection = 5, .requests_waiting_per_peer = 2};
    for (uint32_t i = 0; i < 2; i++) {
        two_nodes(i == 0 ? NULL : &tight);
        say(600);
        nodes_run(TRP_S(1));
        assert_int_equal(answered, 400);
        assert_int_equal(reset, 0);
        assert_in_order(600);
        assert_int_equal(nodes_traced(0, "call_failed"), 0);
        nodes_close();
    }
}

/* What stops for a while goes on where it was. */
static void order_outlives_a_stall(void **state)
{
    (void)state;
    two_nodes(NULL);
    say(100);
    nodes_run(TRP_MS(4)); /* on its way */
    trp_world_pause(nodes.world, 1, 0);
    say(0);
    nodes_run(TRP_MS(900));
    trp_world_resume(nodes.world, 1, 0);
    nodes_run(TRP_S(1));
    assert_int_equal(answered, 66);
    assert_in_order(100);
    nodes_close();
}

/* Whatever is under way when a connection breaks has one outcome, and what comes after goes on. */
static void a_reset_ends_each_request_once(void **state)
{
    (void)state;
    uint32_t resets = 0;
    for (uint32_t i = 0; i < 8; i++) {
        two_nodes(NULL);
        say(300);
        nodes_run(TRP_MS(1) * i * 2);
        trp_world_reset(nodes.world, 0, &(struct trp_reset){.share_ppm = 1000000}, 0);
        nodes_run(TRP_S(2));
        assert_int_equal(answered + reset, 200);
        resets += reset;
        nodes.log_size = 0;
        say(100);
        nodes_run(TRP_S(1));
        assert_int_equal(answered, 66);
        nodes.log_size = 0;
        nodes_close();
    }
    assert_true(resets > 400);
}

/* One that does not list the protocol is spoken to by Kameo's. */
static void kameo_only_is_left_alone(void **state)
{
    (void)state;
    for (uint32_t host = 0; host < 2; host++) {
        nodes_open(2, 5);
        nodes.hosts[host].config.kameo_only = true;
        nodes_begin();
        nodes_introduce(0, 1);
        nodes_run(TRP_S(1));
        near = nodes_spawn(0, &agent_type, 'n', NULL);
        far = nodes_spawn(1, &agent_type, 'f', "far");
        assert_status(nodes_lookup(0, "far", false)->value.status, TRP_OK);
        say(30);
        nodes_run(TRP_S(1));
        assert_int_equal(answered, 20);
        assert_int_equal(nodes_traced(0, "channel_refused"), 0);
        nodes.log_size = 0;
        nodes_close();
    }
}

/* A channel is closed when nobody needs it, and opened again. */
static void a_channel_ends_when_it_is_quiet(void **state)
{
    (void)state;
    struct trp_node_view view;
    two_nodes(NULL);
    for (uint32_t round = 0; round < 3; round++) {
        say(30);
        nodes_run(TRP_MS(100));
        trp_node_inspect(nodes.hosts[0].node, &view);
        assert_int_equal(view.streams, 1);
        nodes_run(TRP_S(25));
        for (uint32_t host = 0; host < 2; host++) {
            trp_node_inspect(nodes.hosts[host].node, &view);
            assert_int_equal(view.streams, 0);
        }
        assert_int_equal(answered, 20);
        assert_in_order(30);
    }
    nodes_close();
}

static struct trp_actor_ref other; /* another agent of host 1 */

static enum trp_status act_stop_reading(struct trp_context *ctx, struct agent *agent,
                                        uint64_t argument)
{
    (void)agent, (void)argument;
    const struct trp_ask_options hold = {.hold = true, .reply_timeout_ns = TRP_S(2)};
    return trp_ask(ctx, &other, &agent_ponder_type, NULL, &hold);
}

static enum trp_status act_tell_both(struct trp_context *ctx, struct agent *agent, uint64_t count)
{
    (void)agent;
    enum trp_status status = TRP_OK;
    for (uint32_t i = 0; status == TRP_OK && i < count; i++) {
        const struct agent_add add = {.amount = i};
        status = trp_tell(ctx, &far, &agent_add_type, &add);
    }
    const struct agent_add add = {.amount = 7};
    return status == TRP_OK ? trp_tell(ctx, &other, &agent_add_type, &add) : status;
}

/* Far handles nothing for two seconds: what is for it waits, what is for another does not, and in
 * the end all of it has come, in its order. */
static void a_full_mailbox_holds_up_no_other_actor(void **state)
{
    (void)state;
    two_nodes(NULL);
    other = nodes_spawn(1, &agent_type, 'o', NULL);
    assert_status(nodes_act(1, &far, act_stop_reading, 0), TRP_OK);
    assert_status(nodes_act(0, &near, act_tell_both, 500), TRP_OK);
    nodes_run(TRP_MS(50));
    assert_log("o+7");
    nodes_run(TRP_S(3));
    assert_in_order(500);
    nodes_close();
}

static enum trp_status act_ponder(struct trp_context *ctx, struct agent *agent, uint64_t count)
{
    (void)agent;
    const struct trp_ask_options options = {.on_reply = on_reply, .reply_timeout_ns = TRP_MS(300)};
    for (uint64_t i = 0; i < count; i++) {
        enum trp_status status = trp_ask(ctx, &far, &agent_ponder_type, NULL, &options);
        if (status != TRP_OK) {
            return status;
        }
    }
    return TRP_OK;
}

/* Asks that nobody waits for any more make way for others, also where they are too many. */
static void what_is_given_up_makes_way(void **state)
{
    (void)state;
    static const struct trp_limits tight = {.requests_per_connection = 5, .mailbox_messages = 64};
    two_nodes(&tight);
    answered = reset = 0;
    assert_status(nodes_act(0, &near, act_ponder, 40), TRP_OK);
    nodes_run(TRP_MS(500));
    assert_int_equal(reset, 40);
    say(30);
    nodes_run(TRP_MS(100));
    assert_int_equal(answered, 20);
    nodes_close();
}

/* ---- a peer that says what it likes: host 1 ---- */

struct liar {
    struct trp_swarm *swarm;
    uint32_t index;
    bool lists;            /* accepts the protocol */
    bool hangs_up;         /* resets what it accepts */
    struct trp_bytes says; /* on each stream, as soon as it is open */
    trp_stream_id stream;
    uint32_t opened;
    uint32_t closed;
    size_t heard;
};

static struct liar liar;
static const char *const protocols[] = {PROTOCOL};

static void liar_attach(void *self, struct trp_swarm *swarm, uint32_t index)
{
    (void)self;
    liar.swarm = swarm;
    liar.index = index;
}

static uint32_t liar_protocols(const void *self, const char **ret_protocols, uint32_t max)
{
    (void)self;
    if (liar.lists && max > 0) {
        ret_protocols[0] = PROTOCOL;
    }
    return liar.lists ? 1 : 0;
}

static void liar_opened(void *self, const struct trp_stream_info *stream)
{
    (void)self;
    size_t used = 0;
    liar.opened++;
    liar.stream = stream->id;
    if (liar.hangs_up) {
        trp_stream_reset(liar.swarm, stream->id);
    } else if (liar.says.size > 0) {
        assert_status(trp_stream_write(liar.swarm, stream->id, liar.says, &used), TRP_OK);
        assert_int_equal(used, liar.says.size);
    }
}

static void liar_data(void *self, const struct trp_stream_info *stream, struct trp_bytes in)
{
    (void)self;
    liar.heard += in.size;
    trp_stream_consumed(liar.swarm, stream->id, in.size);
}

static void liar_closed(void *self, const struct trp_stream_info *stream, enum trp_status reason)
{
    (void)self, (void)stream, (void)reason;
    liar.closed++;
}

static const struct trp_behaviour_ops liar_ops = {.name = "liar",
                                                  .attach = liar_attach,
                                                  .protocols = liar_protocols,
                                                  .stream_opened = liar_opened,
                                                  .stream_data = liar_data,
                                                  .stream_closed = liar_closed};

/* What it writes. */
static uint8_t lie_bytes[65536];
static size_t lie_size;

static void lie(struct trp_channel_frame frame)
{
    if (frame.mailbox_timeout_ns == 0) {
        frame.mailbox_timeout_ns = TRP_NEVER;
        frame.reply_timeout_ns = TRP_NEVER;
    }
    assert_true(lie_size + trp_channel_frame_room(&frame) < sizeof lie_bytes);
    lie_size += trp_channel_frame_encode(&frame, lie_bytes + lie_size);
    liar.says = trp_bytes(lie_bytes, lie_size);
}

static void hello(void)
{
    lie_size = 0;
    lie((struct trp_channel_frame){.kind = TRP_CHANNEL_HELLO, .number = 1u << 20});
}

static void pair(uint64_t number, const char *message)
{
    lie((struct trp_channel_frame){.kind = TRP_CHANNEL_PAIR,
                                   .number = number,
                                   .actor_type = trp_bytes_text("agent"),
                                   .message = trp_bytes_text(message)});
}

static void tell_near(uint64_t number, int amount)
{
    static struct agent_add add;
    add.amount = amount;
    lie((struct trp_channel_frame){.kind = TRP_CHANNEL_TELL,
                                   .number = number,
                                   .actor = near.id,
                                   .payload = nodes_pack(&agent_add_type, &add)});
}

/* Host 0 is a node with an agent; it believes that host 1 speaks the protocol. */
static void node_and_liar(bool lists)
{
    static struct trp_behaviour behaviour;
    liar = (struct liar){.lists = lists};
    behaviour = (struct trp_behaviour){.ops = &liar_ops, .self = &liar};
    nodes_open(2, 13);
    nodes.hosts[1].config =
        (struct trp_node_config){.bare = true, .behaviours = &behaviour, .behaviours_count = 1};
    nodes_begin();
    nodes_introduce(1, 0);
    nodes_run(TRP_MS(100));
    near = nodes_spawn(0, &agent_type, 'n', NULL);
    const struct trp_identified identified = {
        .peer = nodes_peer(1), .agent = "", .protocols = protocols, .protocols_count = 1};
    trp_swarm_report_identified(trp_node_swarm(nodes.hosts[0].node), &identified);
    hello();
}

static void liar_open(void)
{
    const struct trp_stream_request open = {.behaviour = liar.index,
                                            .peer = nodes_peer(0),
                                            .protocols = protocols,
                                            .protocols_count = 1};
    trp_stream_id stream;
    assert_status(trp_swarm_open_stream(liar.swarm, &open, &stream), TRP_OK);
    (void)nodes_do(1, (struct trp_command){.kind = TRP_CMD_PEERS}); /* a step */
    nodes_run(TRP_MS(100));
}

static uint64_t ask_liar(void)
{
    static const struct agent_add add = {.amount = 1};
    const struct trp_actor_ref ref = {.id = 7, .peer = nodes_peer(1)};
    return nodes_command(0, nodes_ask(&ref, &agent_add_type, &add));
}

static void assert_serves(void)
{
    static const struct agent_add add = {.amount = 1};
    assert_status(nodes_do(0, nodes_ask(&near, &agent_add_type, &add))->value.status, TRP_OK);
    assert_int_equal(nodes_connections(0), 1);
    nodes.log_size = 0;
}

static void lies_about_requests_cost_the_stream(void **state)
{
    (void)state;
    static const char *const big = "\xff\xff\xff\x01";
    for (uint32_t i = 0; i < 12; i++) {
        node_and_liar(true);
        pair(0, "add");
        tell_near(0, 1); /* good so far */
        switch (i) {
        case 0:
            tell_near(1, 2); /* of a pair that was never said */
            break;
        case 1:
            pair(256, "add"); /* more than there may be */
            break;
        case 2:
            lie_size = 0; /* without a greeting */
            tell_near(0, 2);
            break;
        case 3:
            lie((struct trp_channel_frame){.kind = TRP_CHANNEL_HELLO, .number = 1u << 20});
            break;
        case 4:
            lie((struct trp_channel_frame){.kind = TRP_CHANNEL_REPLY, .request = 1});
            break;
        case 5:
            memcpy(lie_bytes + lie_size, big, 4); /* a frame of 4 MiB */
            liar.says.size = lie_size += 4;
            break;
        case 6:
            lie_bytes[lie_size] = 0;
            liar.says.size = lie_size += 1;
            break;
        case 7:
            lie_bytes[lie_size] = 1;
            lie_bytes[lie_size + 1] = 0xff;
            liar.says.size = lie_size += 2;
            break;
        case 8:
            for (uint32_t k = 0; k < 30; k++) { /* long names */
                static char name[2048];
                memset(name, 'x', sizeof name - 1);
                pair(k, name);
            }
            break;
        case 9:
            lie_size = 0;
            lie((struct trp_channel_frame){.kind = TRP_CHANNEL_HELLO, .number = 10});
            break;
        case 10:
            lie((struct trp_channel_frame){.kind = TRP_CHANNEL_DROPPED, .request = 1});
            break;
        default: /* nothing wrong */
            pair(0, "fail");
            pair(255, "add");
            tell_near(255, 3);
            lie((struct trp_channel_frame){.kind = TRP_CHANNEL_CANCEL, .request = 9});
            break;
        }
        liar_open();
        bool good = i == 11;
        assert_int_equal(liar.closed, good ? 0 : 1);
        assert_int_equal(nodes_traced(0, "stream_misused"), good ? 0 : 1);
        assert_log(good ? "n+1 n+3" : i == 2 || i == 9 ? "" : "n+1");
        assert_serves();
        nodes_close();
    }
}

static void a_frame_comes_byte_by_byte(void **state)
{
    (void)state;
    node_and_liar(true);
    pair(0, "add");
    for (int i = 1; i <= 3; i++) {
        tell_near(0, i);
    }
    liar.says.size = 1;
    liar_open();
    for (size_t at = 1; at < lie_size; at++) {
        size_t used;
        assert_status(
            trp_stream_write(liar.swarm, liar.stream, trp_bytes(lie_bytes + at, 1), &used), TRP_OK);
        (void)nodes_do(1, (struct trp_command){.kind = TRP_CMD_PEERS}); /* a step */
    }
    trp_stream_shutdown(liar.swarm, liar.stream);
    (void)nodes_do(1, (struct trp_command){.kind = TRP_CMD_PEERS});
    nodes_run(TRP_MS(100));
    assert_log("n+1 n+2 n+3");
    assert_int_equal(liar.closed, 1); /* both sides are done */
    assert_int_equal(nodes_traced(0, "stream_misused"), 0);
    nodes_close();
}

static void lies_about_answers_fail_the_asks_once(void **state)
{
    (void)state;
    static const struct trp_channel_frame lies[] = {
        {.kind = TRP_CHANNEL_REPLY, .request = 1},               /* never asked */
        {.kind = TRP_CHANNEL_REPLY, .request = 1ull << 32 | 40}, /* nor that */
        {.kind = TRP_CHANNEL_ERROR, .request = 0, .error = TRP_SEND_MAILBOX_FULL},
        {.kind = TRP_CHANNEL_TELL, .actor = 1},                  /* not on this stream */
        {.kind = TRP_CHANNEL_CANCEL, .request = 1ull << 32 | 1}, /* nor that */
    };
    for (uint32_t i = 0; i < sizeof lies / sizeof lies[0]; i++) {
        node_and_liar(true);
        lie(lies[i]);
        uint64_t asks[3];
        for (uint32_t k = 0; k < 3; k++) {
            asks[k] = ask_liar();
        }
        for (uint32_t k = 0; k < 3; k++) {
            assert_status(nodes_await(asks[k], TRP_S(1))->value.status, TRP_EDECODE);
        }
        assert_int_equal(nodes_traced(0, "stream_misused"), 1);
        nodes_run(TRP_S(11));
        assert_serves();
        nodes_close();
    }
}

/* One that identify took for a peer of ours, and that is none: nothing was lost, for it was asked
 * in the other way, which this one does not speak either. */
static void one_that_refuses_is_asked_by_kameos_protocol(void **state)
{
    (void)state;
    node_and_liar(false);
    uint64_t first = ask_liar();
    uint64_t second = ask_liar();
    assert_status(nodes_await(first, TRP_S(1))->value.status, TRP_ENEGOTIATION);
    assert_status(nodes_await(second, TRP_S(1))->value.status, TRP_ENEGOTIATION);
    assert_int_equal(nodes_traced(0, "channel_refused"), 1);
    assert_status(nodes_await(ask_liar(), TRP_S(1))->value.status, TRP_ENEGOTIATION);
    assert_int_equal(nodes_traced(0, "channel_refused"), 1); /* it is not tried again */
    assert_int_equal(liar.heard, 0);
    assert_serves();
    nodes_close();
}

/* A reset may come after the message was read: it is not sent again, but the next goes by Kameo's
 * protocol. */
static void one_that_hangs_up_is_not_asked_twice(void **state)
{
    (void)state;
    node_and_liar(true);
    liar.hangs_up = true;
    assert_status(nodes_await(ask_liar(), TRP_S(1))->value.status, TRP_ERESET);
    assert_int_equal(liar.opened, 1);
    assert_status(nodes_await(ask_liar(), TRP_S(1))->value.status, TRP_ENEGOTIATION);
    assert_int_equal(liar.opened, 1);
    assert_serves();
    nodes_close();
}

/* Channels without end, and asks whose answers it does not read. */
static void a_flood_keeps_within_bounds(void **state)
{
    (void)state;
    struct trp_node_view view;
    node_and_liar(true);
    pair(0, "ponder");
    for (uint32_t i = 0; i < 1000; i++) {
        lie((struct trp_channel_frame){.kind = TRP_CHANNEL_ASK,
                                       .request = i,
                                       .number = 0,
                                       .actor = near.id,
                                       .payload = nodes_pack(&agent_ponder_type, NULL)});
    }
    for (uint32_t i = 0; i < 20; i++) {
        liar_open();
    }
    assert_int_equal(liar.closed, 12);
    trp_node_inspect(nodes.hosts[0].node, &view);
    assert_int_equal(view.requests, 8 * 100); /* on each as many as one connection may have */
    assert_true(view.memory_bytes < 4u << 20);
    assert_serves();
    nodes_run(TRP_S(12)); /* all are given up */
    assert_serves();
    nodes_close();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_arrive_in_their_order),
        cmocka_unit_test(order_outlives_a_stall),
        cmocka_unit_test(a_reset_ends_each_request_once),
        cmocka_unit_test(kameo_only_is_left_alone),
        cmocka_unit_test(a_channel_ends_when_it_is_quiet),
        cmocka_unit_test(a_full_mailbox_holds_up_no_other_actor),
        cmocka_unit_test(what_is_given_up_makes_way),
        cmocka_unit_test(lies_about_requests_cost_the_stream),
        cmocka_unit_test(a_frame_comes_byte_by_byte),
        cmocka_unit_test(lies_about_answers_fail_the_asks_once),
        cmocka_unit_test(one_that_refuses_is_asked_by_kameos_protocol),
        cmocka_unit_test(one_that_hangs_up_is_not_asked_twice),
        cmocka_unit_test(a_flood_keeps_within_bounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
