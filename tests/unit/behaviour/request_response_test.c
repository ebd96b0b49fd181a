/* SPDX-License-Identifier: MIT */
#include "lib/fake_swarm.h"
#include "lib/test.h"

#include "behaviour/request_response.h"

#define PROTOCOL "/test/1"
#define SEEN_MAX 4096u

/* What a side was told. */
struct seen {
    uint32_t requests;
    uint32_t responses;
    uint32_t failures;
    uint32_t sent;
    uint32_t dropped;
    uint32_t outcomes[SEEN_MAX]; /* by token */
    enum trp_status last_failure;
    enum trp_status last_dropped;
    size_t last_bytes;
    uint8_t last_first;
    uint64_t last_id;
};

enum conduct { CONDUCT_ECHO, CONDUCT_DROP, CONDUCT_WAIT };

struct pair {
    struct fake_world world;
    struct trp_request_response *rr[2];
    struct seen seen[2];
    enum conduct conduct; /* of side 1 */
    size_t answer_bytes;  /* of CONDUCT_ECHO; 0: the request */
};

static struct pair pair;
static uint8_t bytes[1u << 21];

static void drain(uint32_t side)
{
    struct seen *seen = &pair.seen[side];
    struct trp_request_response_event event;
    while (trp_request_response_next_event(pair.rr[side], &event)) {
        switch (event.kind) {
        case TRP_RR_REQUEST:
            seen->requests++;
            seen->last_bytes = event.bytes.size;
            seen->last_first = event.bytes.data[0];
            seen->last_id = event.id;
            if (pair.conduct == CONDUCT_DROP) {
                trp_request_response_drop(pair.rr[side], event.id);
            } else if (pair.conduct == CONDUCT_ECHO) {
                struct trp_bytes answer =
                    pair.answer_bytes == 0 ? event.bytes : trp_bytes(bytes, pair.answer_bytes);
                TRP_IGNORE(trp_request_response_answer(pair.rr[side], event.id, answer));
            }
            break;
        case TRP_RR_RESPONSE:
            seen->responses++;
            seen->last_bytes = event.bytes.size;
            seen->last_first = event.bytes.data[0];
            assert_int_equal(++seen->outcomes[event.token % SEEN_MAX], 1);
            break;
        case TRP_RR_FAILURE:
            seen->failures++;
            seen->last_failure = event.status;
            assert_int_equal(++seen->outcomes[event.token % SEEN_MAX], 1);
            break;
        case TRP_RR_SENT:
            seen->sent++;
            break;
        case TRP_RR_DROPPED:
            seen->dropped++;
            seen->last_dropped = event.status;
            break;
        }
    }
    fake_touch(&pair.world.nodes[side]);
}

static void run(trp_time span_ns)
{
    trp_time until = pair.world.now + span_ns;
    while (pair.world.now < until) {
        drain(0);
        drain(1);
        fake_run(&pair.world, trp_time_min(until, pair.world.now + TRP_MS(1)));
    }
    drain(0);
    drain(1);
}

static void open_pair(void)
{
    pair.conduct = CONDUCT_ECHO;
    pair.answer_bytes = 0;
    memset(pair.seen, 0, sizeof pair.seen);
    fake_world_open(&pair.world, 2);
    for (uint32_t i = 0; i < 2; i++) {
        struct trp_swarm *node = &pair.world.nodes[i];
        const struct trp_request_response_config config = {
            .memory = &node->memory, .trace = &node->trace, .protocol = PROTOCOL};
        assert_status(trp_request_response_open(&config, &pair.rr[i]), TRP_OK);
    }
    pair.world.nodes[0].knows[1] = true;
}

static void attach_pair(void)
{
    for (uint32_t i = 0; i < 2; i++) {
        fake_attach(&pair.world.nodes[i], trp_request_response_behaviour(pair.rr[i]));
    }
    for (size_t i = 0; i < sizeof bytes; i++) {
        bytes[i] = (uint8_t)(i * 7 + 1);
    }
}

static void close_pair(void)
{
    trp_request_response_close(pair.rr[0]);
    trp_request_response_close(pair.rr[1]);
    fake_world_close(&pair.world);
}

static enum trp_status send_bytes(size_t size, trp_time timeout_ns, uint64_t token)
{
    uint64_t id;
    struct trp_peer_id peer = fake_id(1);
    return trp_request_response_send(pair.rr[0], &peer, trp_bytes(bytes, size), timeout_ns, token,
                                     &id);
}

/* ---- the exchange ---- */

static void a_request_is_answered(void **state)
{
    (void)state;
    static const size_t sizes[] = {1, 2, 1000, 65536, 300000, 1u << 20};
    static const uint32_t rooms[] = {0, 1, 4096};
    for (uint32_t k = 0; k < 3; k++) {
        open_pair();
        attach_pair();
        pair.world.nodes[0].write_room = pair.world.nodes[1].write_room = rooms[k];
        pair.world.nodes[0].chunk = pair.world.nodes[1].chunk = 7 * k;
        for (uint32_t i = 0; i < (rooms[k] == 1 ? 3 : 6); i++) {
            assert_status(send_bytes(sizes[i], 0, i), TRP_OK);
            assert_int_equal(trp_request_response_pending(pair.rr[0]), 1);
            run(TRP_S(5));
            assert_int_equal(pair.seen[0].responses, i + 1);
            assert_int_equal(pair.seen[1].sent, i + 1);
            assert_int_equal(pair.seen[0].last_bytes, sizes[i]);
            assert_int_equal(pair.seen[0].last_first, 1);
            assert_int_equal(trp_request_response_pending(pair.rr[0]), 0);
        }
        assert_int_equal(pair.seen[0].failures + pair.seen[1].dropped, 0);
        close_pair();
    }
}

static void what_is_too_large_never_leaves(void **state)
{
    (void)state;
    open_pair();
    attach_pair();
    assert_status(send_bytes((1u << 20) + 1, 0, 1), TRP_ETOOBIG);
    assert_int_equal(trp_request_response_pending(pair.rr[0]), 0);
    pair.conduct = CONDUCT_WAIT;
    assert_status(send_bytes(1, 0, 2), TRP_OK);
    run(TRP_MS(200));
    static uint8_t huge[10u * 1024 * 1024 + 1];
    assert_status(
        trp_request_response_answer(pair.rr[1], pair.seen[1].last_id, trp_bytes(huge, sizeof huge)),
        TRP_ETOOBIG);
    assert_status(trp_request_response_answer(pair.rr[1], pair.seen[1].last_id,
                                              trp_bytes(huge, sizeof huge - 1)),
                  TRP_OK);
    assert_status(trp_request_response_answer(pair.rr[1], pair.seen[1].last_id, trp_bytes(huge, 1)),
                  TRP_ENOTFOUND);
    run(TRP_S(1));
    assert_int_equal(pair.seen[0].last_bytes, sizeof huge - 1);
    close_pair();
}

/* A peer with larger limits sends more than we take. */
static void what_is_too_large_is_reset(void **state)
{
    (void)state;
    open_pair();
    pair.world.nodes[0].limits.request_bytes = 2u << 20;
    pair.world.nodes[1].limits.response_bytes = 2000;
    pair.world.nodes[0].limits.response_bytes = 1024;
    attach_pair();
    pair.world.nodes[1].chunk = 1000;
    assert_status(send_bytes((1u << 20) + 1, 0, 1), TRP_OK);
    run(TRP_S(1));
    assert_int_equal(pair.seen[1].requests, 0);
    assert_status(pair.seen[0].last_failure, TRP_ERESET);
    pair.answer_bytes = 1025;
    assert_status(send_bytes(1, 0, 2), TRP_OK);
    run(TRP_S(1));
    assert_status(pair.seen[0].last_failure, TRP_ETOOBIG);
    assert_int_equal(pair.seen[0].failures, 2);
    close_pair();
}

static void each_failure_is_told_once(void **state)
{
    (void)state;
    open_pair();
    attach_pair();
    pair.conduct = CONDUCT_DROP;
    assert_status(send_bytes(10, 0, 1), TRP_OK);
    run(TRP_S(1));
    assert_status(pair.seen[0].last_failure, TRP_ERESET);
    assert_int_equal(pair.seen[1].dropped, 1);
    pair.conduct = CONDUCT_WAIT; /* our limit, then the peer's */
    assert_status(send_bytes(10, TRP_MS(500), 2), TRP_OK);
    run(TRP_MS(400));
    assert_int_equal(pair.seen[0].failures, 1);
    run(TRP_MS(200));
    assert_status(pair.seen[0].last_failure, TRP_ETIMEDOUT);
    assert_int_equal(pair.seen[1].dropped, 2);
    assert_status(pair.seen[1].last_dropped, TRP_ERESET);
    assert_status(
        trp_request_response_answer(pair.rr[1], pair.seen[1].last_id, trp_bytes(bytes, 1)),
        TRP_ENOTFOUND);
    pair.world.nodes[1].is_unreachable = true;
    fake_disconnect(&pair.world, fake_connection_between(&pair.world, 0, 1), TRP_ECLOSED);
    run(TRP_MS(10));
    assert_status(send_bytes(10, TRP_S(30), 3), TRP_OK);
    run(TRP_S(11));
    assert_status(pair.seen[0].last_failure, TRP_ETIMEDOUT); /* the dial's */
    pair.world.nodes[0].knows[1] = false;
    assert_status(send_bytes(10, 0, 4), TRP_OK);
    run(TRP_S(1));
    assert_status(pair.seen[0].last_failure, TRP_ENOADDRESS);
    assert_int_equal(pair.seen[0].failures, 4);
    close_pair();
}

static void a_broken_connection_ends_what_is_on_it(void **state)
{
    (void)state;
    open_pair();
    attach_pair();
    pair.conduct = CONDUCT_WAIT;
    for (uint32_t i = 0; i < 3; i++) {
        assert_status(send_bytes(10, 0, i), TRP_OK);
    }
    run(TRP_MS(200));
    assert_int_equal(pair.seen[1].requests, 3);
    fake_disconnect(&pair.world, fake_connection_between(&pair.world, 0, 1), TRP_ECLOSED);
    run(TRP_MS(50));
    assert_int_equal(pair.seen[0].failures, 3);
    assert_status(pair.seen[0].last_failure, TRP_ECLOSED);
    assert_int_equal(pair.seen[1].dropped, 3);
    close_pair();
}

static void a_cancelled_request_says_nothing(void **state)
{
    (void)state;
    open_pair();
    attach_pair();
    pair.conduct = CONDUCT_WAIT;
    uint64_t ids[150];
    struct trp_peer_id peer = fake_id(1);
    for (uint32_t i = 0; i < 150; i++) { /* under way, and waiting */
        assert_status(
            trp_request_response_send(pair.rr[0], &peer, trp_bytes(bytes, 5), 0, i, &ids[i]),
            TRP_OK);
    }
    run(TRP_MS(200));
    for (uint32_t i = 0; i < 150; i++) {
        trp_request_response_cancel(pair.rr[0], ids[149 - i]);
        trp_request_response_cancel(pair.rr[0], ids[149 - i]);
    }
    run(TRP_S(1));
    assert_int_equal(pair.seen[0].failures + pair.seen[0].responses, 0);
    assert_int_equal(trp_request_response_pending(pair.rr[0]), 0);
    assert_int_equal(pair.seen[1].requests, 100);
    assert_int_equal(pair.seen[1].dropped, 100);
    assert_status(send_bytes(1, 0, 7), TRP_OK); /* the places are free again */
    pair.conduct = CONDUCT_ECHO;
    run(TRP_S(1));
    assert_int_equal(pair.seen[0].responses, 1);
    close_pair();
}

/* ---- bounds ---- */

static void what_does_not_fit_waits_and_then_is_refused(void **state)
{
    (void)state;
    open_pair();
    pair.world.nodes[0].limits.requests_waiting_per_peer = 50;
    attach_pair();
    pair.conduct = CONDUCT_WAIT;
    for (uint32_t i = 0; i < 150; i++) {
        assert_status(send_bytes(10, i < 100 ? TRP_S(1) : 0, i), TRP_OK);
    }
    assert_status(send_bytes(10, 0, 150), TRP_EFULL);
    run(TRP_MS(200));
    assert_int_equal(pair.seen[1].requests, 100);
    pair.conduct = CONDUCT_ECHO;
    run(TRP_S(2)); /* the first hundred time out, and the rest go */
    assert_int_equal(pair.seen[1].requests, 150);
    assert_int_equal(pair.seen[0].failures, 100);
    assert_int_equal(pair.seen[0].responses, 50);
    close_pair();
}

static void a_flood_of_requests_is_reset(void **state)
{
    (void)state;
    open_pair();
    pair.world.nodes[0].limits.requests_per_connection = 1000;
    attach_pair();
    pair.conduct = CONDUCT_WAIT;
    for (uint32_t i = 0; i < 500; i++) {
        assert_status(send_bytes(10, TRP_S(1), i), TRP_OK);
    }
    run(TRP_MS(500));
    assert_int_equal(pair.seen[1].requests, 100);
    assert_int_equal(pair.seen[0].failures, 400);
    assert_status(pair.seen[0].last_failure, TRP_ERESET);
    close_pair();
}

/* More than a peer may have in our memory at once: what is over it is reset, the rest goes on. */
static void what_a_peer_sends_is_bounded(void **state)
{
    (void)state;
    open_pair();
    pair.world.nodes[1].limits.received_bytes_per_peer = 4u << 20;
    attach_pair();
    pair.conduct = CONDUCT_WAIT;
    pair.world.nodes[1].chunk = 65536;
    for (uint32_t i = 0; i < 90; i++) {
        assert_status(send_bytes(1u << 20, TRP_S(8), i), TRP_OK);
    }
    uint64_t used = pair.world.nodes[1].memory.used_bytes;
    uint64_t peak = 0;
    for (uint32_t i = 0; i < 100; i++) {
        run(TRP_MS(10));
        uint64_t now = pair.world.nodes[1].memory.used_bytes - used;
        peak = now > peak ? now : peak;
    }
    assert_true(peak < (9u << 20)); /* buffers grow by doubling */
    assert_int_equal(pair.seen[1].requests, 4);
    assert_int_equal(pair.seen[0].failures, 86);
    run(TRP_S(10));
    assert_int_equal(pair.seen[0].failures, 90);
    assert_status(send_bytes(1, 0, 99), TRP_OK); /* one stays */
    run(TRP_MS(200));
    pair.conduct = CONDUCT_ECHO; /* and the others' bytes were given back */
    for (uint32_t i = 100; i < 110; i++) {
        assert_status(send_bytes(1u << 19, 0, i), TRP_OK);
        run(TRP_MS(500));
    }
    assert_int_equal(pair.seen[0].responses, 10);
    close_pair();
}

/* Three streams at once, each with a megabyte: one of them gets all its credit, the others what a
 * peer may have without being slowed down. */
static void a_greedy_peer_is_slowed_down(void **state)
{
    (void)state;
    open_pair();
    pair.world.nodes[1].limits.received_bytes_per_peer = 4u << 20;
    attach_pair();
    pair.conduct = CONDUCT_WAIT;
    pair.world.nodes[0].write_room = 65536;
    for (uint32_t i = 0; i < 3; i++) {
        assert_status(send_bytes(1000000, TRP_S(8), i), TRP_OK);
    }
    uint64_t consumed = 0;
    while (pair.seen[1].requests == 0) {
        consumed = pair.world.nodes[1].consumed;
        run(TRP_MS(1));
    }
    assert_in_range(consumed, 1400000, 1900000);
    run(TRP_S(1)); /* then it is the turn of the others */
    assert_int_equal(pair.seen[1].requests, 3);
    assert_int_equal(pair.world.nodes[1].consumed, 3000000);
    close_pair();
}

static void what_all_peers_send_is_bounded(void **state)
{
    (void)state;
    open_pair();
    pair.world.nodes[1].limits.received_bytes = 1u << 20;
    attach_pair();
    pair.conduct = CONDUCT_WAIT;
    for (uint32_t i = 0; i < 10; i++) {
        assert_status(send_bytes(200000, TRP_S(1), i), TRP_OK);
    }
    run(TRP_MS(500));
    assert_int_equal(pair.seen[1].requests, 5);
    assert_int_equal(pair.seen[0].failures, 5);
    close_pair();
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    uint64_t n = 0;
    bool failed = true;
    while (failed) {
        open_pair();
        attach_pair();
        assert_status(send_bytes(3000, 0, 0), TRP_OK);
        run(TRP_S(1));
        uint32_t outcomes = pair.seen[0].responses;
        assert_int_equal(outcomes, 1);
        n++;
        pair.world.nodes[0].memory.fail_at = n;
        pair.world.nodes[1].memory.fail_at = n;
        enum trp_status status = send_bytes(5000, 0, 1);
        run(TRP_S(20));
        assert_true(status == TRP_OK || status == TRP_ENOMEM || status == TRP_EFULL);
        if (status == TRP_OK) {
            assert_int_equal(pair.seen[0].responses + pair.seen[0].failures, 2);
        }
        failed = pair.world.nodes[0].memory.fail_at == 0 || pair.world.nodes[1].memory.fail_at == 0;
        close_pair();
    }
    assert_true(n > 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_is_answered),
        cmocka_unit_test(what_is_too_large_never_leaves),
        cmocka_unit_test(what_is_too_large_is_reset),
        cmocka_unit_test(each_failure_is_told_once),
        cmocka_unit_test(a_broken_connection_ends_what_is_on_it),
        cmocka_unit_test(a_cancelled_request_says_nothing),
        cmocka_unit_test(what_does_not_fit_waits_and_then_is_refused),
        cmocka_unit_test(a_flood_of_requests_is_reset),
        cmocka_unit_test(what_a_peer_sends_is_bounded),
        cmocka_unit_test(a_greedy_peer_is_slowed_down),
        cmocka_unit_test(what_all_peers_send_is_bounded),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
