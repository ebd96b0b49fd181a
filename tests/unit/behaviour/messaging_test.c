/* SPDX-License-Identifier: MIT */
/* The messaging behaviour as a program uses it that composes its own swarm: two bare nodes. All
 * tests run by Kameo's protocol and by our own. */
#include "lib/nodes.h"

#define EVENTS_MAX 256u

enum conduct { CONDUCT_ANSWER, CONDUCT_DROP, CONDUCT_WAIT };

struct heard {
    uint32_t count;
    struct trp_messaging_event events[EVENTS_MAX];
    struct trp_request_envelope request;   /* the newest; slices are kept below */
    struct trp_response_envelope response; /* the newest */
    char texts[4][64];
    uint8_t payload[256];
};

static bool own; /* asks and tells go by the protocol of our own */
static struct trp_messaging *sides[2];
static struct heard heard[2];
static struct trp_behaviour behaviours[2][2];
static enum conduct conduct;
static struct trp_response_envelope answer; /* of CONDUCT_ANSWER; kind is filled in */
static uint64_t asked;                      /* the newest request, to be answered later */

static struct trp_bytes keep(struct trp_bytes in, void *room, size_t size)
{
    assert_true(in.size <= size);
    if (in.size > 0) {
        memcpy(room, in.data, in.size);
    }
    return trp_bytes(room, in.size);
}

static void keep_request(struct heard *of, const struct trp_request_envelope *request)
{
    of->request = *request;
    of->request.actor_type = keep(request->actor_type, of->texts[0], 64);
    of->request.other_type = keep(request->other_type, of->texts[1], 64);
    of->request.message = keep(request->message, of->texts[2], 64);
    of->request.payload = keep(request->payload, of->payload, sizeof of->payload);
    of->request.cause.text = keep(request->cause.text, of->texts[3], 64);
}

static void on_event(void *user, struct trp_messaging *messaging,
                     const struct trp_messaging_event *event)
{
    struct heard *of = user;
    assert_true(of->count < EVENTS_MAX);
    of->events[of->count++] = *event;
    if (event->kind == TRP_MESSAGING_RESULT) {
        of->response = *event->response;
        of->response.payload = keep(event->response->payload, of->payload, sizeof of->payload);
        of->response.text = keep(event->response->text, of->texts[0], 64);
        of->response.actor_type = keep(event->response->actor_type, of->texts[1], 64);
        of->response.message = keep(event->response->message, of->texts[2], 64);
    }
    if (event->kind != TRP_MESSAGING_REQUEST) {
        return;
    }
    keep_request(of, event->request);
    asked = event->id;
    if (conduct == CONDUCT_ANSWER) {
        answer.kind = event->request->kind;
        TRP_IGNORE(trp_messaging_answer(messaging, event->id, &answer)); /* seen by the asker */
    } else if (conduct == CONDUCT_DROP) {
        trp_messaging_drop(messaging, event->id);
    }
}

static void open_sides(const struct trp_limits *limits)
{
    memset(heard, 0, sizeof heard);
    conduct = CONDUCT_ANSWER;
    answer = (struct trp_response_envelope){0};
    nodes_open(2, 23);
    for (uint32_t i = 0; i < 2; i++) {
        const struct trp_messaging_config config = {.on_event = on_event, .user = &heard[i]};
        assert_status(trp_messaging_open(&config, &sides[i]), TRP_OK);
        behaviours[i][0] = trp_messaging_behaviour(sides[i]);
        behaviours[i][1] = trp_messaging_own_behaviour(sides[i]);
        nodes.hosts[i].config = (struct trp_node_config){
            .bare = true, .behaviours = behaviours[i], .behaviours_count = own ? 2 : 1};
        if (limits != NULL) {
            nodes.hosts[i].config.limits = *limits;
        }
    }
    nodes_begin();
    nodes_introduce(0, 1);
    nodes_run(TRP_MS(100));
    if (own) { /* as identify would */
        static const char *const protocols[] = {"/troupe/messages/1"};
        const struct trp_identified identified = {
            .peer = nodes_peer(1), .agent = "", .protocols = protocols, .protocols_count = 1};
        trp_swarm_report_identified(trp_node_swarm(nodes.hosts[0].node), &identified);
    }
}

static void close_sides(void)
{
    nodes_close();
    trp_messaging_close(sides[0]);
    trp_messaging_close(sides[1]);
}

static struct trp_request_envelope request_of(enum trp_envelope_kind kind)
{
    return (struct trp_request_envelope){.kind = kind,
                                         .actor = {.id = 7, .peer = nodes_peer(1)},
                                         .other = {.id = 8, .peer = nodes_peer(0)},
                                         .actor_type = trp_bytes_text("remote::Actor"),
                                         .other_type = trp_bytes_text("remote::Other"),
                                         .message = trp_bytes_text("inc"),
                                         .payload = trp_bytes_text("\x81\xa1x\x01"),
                                         .mailbox_timeout_ns = TRP_MS(1500),
                                         .reply_timeout_ns = TRP_NEVER,
                                         .cause = {.root = TRP_STOP_PANICKED,
                                                   .panic = TRP_PANIC_ON_START,
                                                   .text = trp_bytes_text("boom")}};
}

static uint64_t send_request(const struct trp_request_envelope *request,
                             const struct trp_messaging_options *options)
{
    uint64_t id;
    assert_status(trp_messaging_send(sides[0], request, options, &id), TRP_OK);
    (void)nodes_do(0, (struct trp_command){.kind = TRP_CMD_PEERS}); /* a step */
    return id;
}

static uint32_t count(uint32_t side, enum trp_messaging_event_kind kind, uint64_t id)
{
    uint32_t found = 0;
    for (uint32_t i = 0; i < heard[side].count; i++) {
        const struct trp_messaging_event *event = &heard[side].events[i];
        found += event->kind == kind && (id == 0 || event->id == id);
    }
    return found;
}

static const struct trp_messaging_event *newest(uint32_t side)
{
    assert_true(heard[side].count > 0);
    return &heard[side].events[heard[side].count - 1];
}

/* ---- tests ---- */

static void every_kind_of_request_arrives_and_is_answered(void **state)
{
    (void)state;
    open_sides(NULL);
    for (int kind = TRP_ENVELOPE_ASK; kind <= TRP_ENVELOPE_SIGNAL_LINK_DIED; kind++) {
        const struct trp_request_envelope sent = request_of((enum trp_envelope_kind)kind);
        uint64_t id = send_request(&sent, &(struct trp_messaging_options){.token = 90});
        nodes_run(TRP_MS(50));
        assert_int_equal(count(0, TRP_MESSAGING_RESULT, id), 1);
        assert_int_equal(newest(0)->request_kind, kind);
        assert_int_equal(newest(0)->token, 90);
        assert_status(newest(0)->status, TRP_OK);
        assert_int_equal(count(1, TRP_MESSAGING_RESPONSE_SENT, asked), 1);
        const struct trp_request_envelope *got = &heard[1].request;
        assert_int_equal(got->kind, kind);
        assert_int_equal(got->actor.id, 7);
        assert_true(trp_bytes_equal(got->actor_type, sent.actor_type));
        bool has_other = kind >= TRP_ENVELOPE_LINK;
        assert_int_equal(got->other.id, has_other ? 8 : 0);
        if (kind <= TRP_ENVELOPE_TELL) {
            assert_true(trp_bytes_equal(got->payload, sent.payload));
            assert_true(trp_bytes_equal(got->message, sent.message));
            assert_int_equal(got->mailbox_timeout_ns, TRP_MS(1500));
            assert_int_equal(got->reply_timeout_ns, TRP_NEVER);
        } else if (kind == TRP_ENVELOPE_SIGNAL_LINK_DIED) {
            assert_int_equal(got->cause.root, TRP_STOP_PANICKED);
            assert_int_equal(got->cause.panic, TRP_PANIC_ON_START);
            assert_true(trp_bytes_equal(got->cause.text, sent.cause.text));
        }
    }
    assert_int_equal(trp_messaging_pending(sides[0]), 0);
    close_sides();
}

/* Each error that can be said comes over as itself, with what it carries. */
static void every_error_comes_over(void **state)
{
    (void)state;
    open_sides(NULL);
    const struct trp_request_envelope ask = request_of(TRP_ENVELOPE_ASK);
    for (int error = TRP_SEND_OK; error <= TRP_SEND_UNSUPPORTED_PROTOCOLS; error++) {
        answer = (struct trp_response_envelope){.error = (enum trp_send_error)error,
                                                .payload = trp_bytes_text("\xa2no"),
                                                .actor_type = trp_bytes_text("remote::Actor"),
                                                .message = trp_bytes_text("inc"),
                                                .text = trp_bytes_text("why")};
        uint64_t id = send_request(&ask, NULL);
        nodes_run(TRP_MS(50));
        assert_int_equal(count(0, TRP_MESSAGING_RESULT, id), 1);
        assert_int_equal(heard[0].response.error, error);
        assert_status(newest(0)->status, trp_send_error_status((enum trp_send_error)error));
    }
    close_sides();
}

static void failures_are_told_once(void **state)
{
    (void)state;
    open_sides(&(struct trp_limits){.response_bytes = 2000});
    const struct trp_request_envelope ask = request_of(TRP_ENVELOPE_ASK);
    conduct = CONDUCT_DROP;
    uint64_t id = send_request(&ask, NULL);
    nodes_run(TRP_MS(50));
    assert_int_equal(count(0, TRP_MESSAGING_OUTBOUND_FAILURE, id), 1);
    assert_status(newest(0)->status, TRP_ERESET);
    assert_int_equal(count(1, TRP_MESSAGING_INBOUND_FAILURE, asked), 1);
    conduct = CONDUCT_WAIT;
    id = send_request(&ask, &(struct trp_messaging_options){.timeout_ns = TRP_MS(200)});
    nodes_run(TRP_MS(300));
    assert_int_equal(count(0, TRP_MESSAGING_OUTBOUND_FAILURE, id), 1);
    assert_status(newest(0)->status, TRP_ETIMEDOUT);
    assert_int_equal(count(1, TRP_MESSAGING_INBOUND_FAILURE, asked), 1);
    assert_status(trp_messaging_answer(sides[1], asked, &answer), TRP_ENOTFOUND);
    conduct = CONDUCT_ANSWER; /* with what is too large: the asker hears of that */
    static uint8_t large[3000];
    answer.payload = trp_bytes(large, sizeof large);
    id = send_request(&ask, NULL);
    nodes_run(TRP_MS(50));
    assert_int_equal(heard[0].response.error, TRP_SEND_SERIALIZE_REPLY);
    answer = (struct trp_response_envelope){.error = TRP_SEND_HANDLER_ERROR};
    const struct trp_request_envelope tell = request_of(TRP_ENVELOPE_TELL);
    id = send_request(&tell, NULL); /* an error that a tell cannot have */
    nodes_run(TRP_MS(50));
    assert_int_equal(count(0, TRP_MESSAGING_OUTBOUND_FAILURE, id), 1);
    assert_int_equal(trp_messaging_pending(sides[0]), 0);
    close_sides();
}

static void what_cannot_be_sent_is_refused(void **state)
{
    (void)state;
    open_sides(NULL);
    uint64_t id;
    struct trp_request_envelope ask = request_of(TRP_ENVELOPE_ASK);
    ask.actor.peer = nodes_peer(0);
    assert_status(trp_messaging_send(sides[0], &ask, NULL, &id), TRP_EINVAL);
    ask.actor.peer.size = 0;
    assert_status(trp_messaging_send(sides[0], &ask, NULL, &id), TRP_EINVAL);
    ask.actor.peer = nodes_peer(1);
    static uint8_t large[1u << 20];
    ask.payload = trp_bytes(large, sizeof large);
    assert_status(trp_messaging_send(sides[0], &ask, NULL, &id), TRP_ETOOBIG);
    assert_int_equal(trp_messaging_pending(sides[0]), 0);
    nodes_run(TRP_S(1));
    assert_int_equal(heard[0].count, 0);
    close_sides();
}

static void what_was_lost_is_sent_again_where_wanted(void **state)
{
    (void)state;
    open_sides(NULL);
    conduct = CONDUCT_DROP;
    const struct trp_request_envelope link = request_of(TRP_ENVELOPE_LINK);
    uint64_t id = send_request(&link, &(struct trp_messaging_options){.retries = 3});
    nodes_run(TRP_MS(200));
    assert_int_equal(count(1, TRP_MESSAGING_REQUEST, 0), 4);
    assert_int_equal(count(0, TRP_MESSAGING_OUTBOUND_FAILURE, id), 1);
    conduct = CONDUCT_WAIT; /* a connection that breaks in between */
    id = send_request(&link, &(struct trp_messaging_options){.retries = 1});
    nodes_run(TRP_MS(50));
    conduct = CONDUCT_ANSWER;
    trp_world_reset(nodes.world, 0, &(struct trp_reset){.share_ppm = 1000000}, 0);
    nodes_run(TRP_S(1));
    assert_int_equal(count(0, TRP_MESSAGING_RESULT, id), 1);
    assert_int_equal(count(0, TRP_MESSAGING_OUTBOUND_FAILURE, id), 0);
    close_sides();
}

static void what_is_cancelled_says_nothing(void **state)
{
    (void)state;
    open_sides(NULL);
    conduct = CONDUCT_WAIT;
    const struct trp_request_envelope ask = request_of(TRP_ENVELOPE_ASK);
    uint64_t id = send_request(&ask, NULL);
    nodes_run(TRP_MS(50));
    trp_messaging_cancel(sides[0], id);
    trp_messaging_cancel(sides[0], id);
    (void)nodes_do(0, (struct trp_command){.kind = TRP_CMD_PEERS});
    nodes_run(TRP_S(1));
    assert_int_equal(heard[0].count, 0);
    assert_int_equal(count(1, TRP_MESSAGING_INBOUND_FAILURE, asked), 1);
    assert_int_equal(trp_messaging_pending(sides[0]), 0);
    id = send_request(&ask, NULL); /* unanswered at the end: nothing leaks */
    close_sides();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_of_request_arrives_and_is_answered),
        cmocka_unit_test(every_error_comes_over),
        cmocka_unit_test(failures_are_told_once),
        cmocka_unit_test(what_cannot_be_sent_is_refused),
        cmocka_unit_test(what_was_lost_is_sent_again_where_wanted),
        cmocka_unit_test(what_is_cancelled_says_nothing),
    };
    int failed = cmocka_run_group_tests_name("Kameo's protocol", tests, NULL, NULL);
    own = true;
    return failed + cmocka_run_group_tests_name("own protocol", tests, NULL, NULL);
}
