/* SPDX-License-Identifier: MIT */
#include "lib/yamux_wire.h"

/* ---- opening ---- */

static void opens_with_an_empty_window_update(void **state)
{
    (void)state;
    struct side s;
    setup(&s, true);
    assert_int_equal(open_stream(&s), 1);
    assert_int_equal(open_stream(&s), 3);
    frame(WINDOW, SYN, 1, 0);
    frame(WINDOW, SYN, 3, 0);
    assert_sent(&s);
    teardown(&s);
}

static void syn_rides_on_data_and_fin_does_not(void **state)
{
    (void)state;
    struct side s;
    setup(&s, false);
    uint32_t id = open_stream(&s);
    assert_int_equal(id, 2);
    assert_int_equal(write_bytes(&s, id, 5, 'x'), 5);
    assert_status(trp_yamux_shutdown(s.yamux, id), TRP_OK);
    assert_status(trp_yamux_shutdown(s.yamux, id), TRP_ESTATE);
    frame(DATA, SYN, 2, 5);
    body(5, 'x');
    frame(WINDOW, FIN, 2, 0); /* js-yamux drops the body of a frame with FIN */
    assert_sent(&s);
    teardown(&s);
}

static void accepts_syn_on_either_type(void **state)
{
    (void)state;
    struct side s;
    setup(&s, false);
    frame(WINDOW, SYN, 1, 0);
    frame(DATA, SYN, 3, 4);
    body(4, 'y');
    assert_status(feed(&s), TRP_OK);
    assert_event(&s, TRP_YAMUX_OPENED, 1);
    assert_event(&s, TRP_YAMUX_OPENED, 3);
    assert_data(&s, 3, 4);
    assert_silent(&s);
    frame(WINDOW, ACK, 1, 0);
    frame(WINDOW, ACK, 3, 0);
    assert_sent(&s);
    teardown(&s);
}

static void ack_rides_on_data(void **state)
{
    (void)state;
    struct side s;
    setup(&s, false);
    frame(WINDOW, SYN, 1, 0);
    assert_status(feed(&s), TRP_OK);
    assert_int_equal(write_bytes(&s, 1, 3, 'z'), 3);
    frame(DATA, ACK, 1, 3);
    body(3, 'z');
    assert_sent(&s);
    teardown(&s);
}

static void window_of_syn_adds_to_the_initial_one(void **state)
{
    (void)state;
    struct side s;
    struct trp_yamux_config config = usual;
    config.stream_send_bytes = 512 * KIB;
    config.initiator = false;
    setup_with(&s, config);
    frame(WINDOW, SYN, 1, 1000);
    assert_status(feed(&s), TRP_OK);
    size_t size = write_bytes(&s, 1, 300 * KIB, 'w');
    assert_int_equal(size, 300 * KIB);
    assert_status(trp_yamux_send(s.yamux, 0, &s.sent), TRP_OK);
    assert_int_equal(s.sent.size, WINDOW_0 + 1000 + 12 * 17);
    assert_false(trp_yamux_has_output(s.yamux));
    teardown(&s);
}

static void a_larger_window_is_announced_at_once(void **state)
{
    (void)state;
    struct side s;
    struct trp_yamux_config config = usual;
    config.window_bytes = 1024 * KIB;
    setup_with(&s, config);
    uint32_t id = open_stream(&s);
    assert_int_equal(write_bytes(&s, id, 2, 'q'), 2);
    frame(WINDOW, SYN, 1, 768 * KIB);
    frame(DATA, 0, 1, 2);
    body(2, 'q');
    assert_sent(&s);
    frame(DATA, ACK, 1, 400 * KIB);
    body(400 * KIB, 'r');
    assert_status(feed(&s), TRP_OK);
    teardown(&s);
}

static void refuses_ids_that_are_not_the_peers_to_choose(void **state)
{
    (void)state;
    static const uint32_t ids[] = {0, 2, 1}; /* the session's, ours, and one in use */
    for (size_t i = 0; i < 3; i++) {
        struct side s;
        setup(&s, false);
        frame(WINDOW, SYN, 1, 0);
        frame(i == 1 ? DATA : WINDOW, SYN, ids[i], 0);
        assert_status(feed(&s), TRP_EVIOLATION);
        frame(GOAWAY, 0, 0, 1);
        assert_sent(&s);
        assert_status(feed(&s), TRP_EVIOLATION); /* sticky */
        teardown(&s);
    }
}

static void refuses_streams_over_the_limit_and_lives_on(void **state)
{
    (void)state;
    struct side s;
    struct trp_yamux_config config = usual;
    config.streams_max = 2;
    config.initiator = false;
    setup_with(&s, config);
    open_stream(&s);
    frame(DATA, SYN, 1, 0);
    frame(DATA, SYN | FIN, 3, 6);
    body(6, 'n');
    frame(DATA, 0, 1, 1);
    body(1, 'y');
    assert_status(feed(&s), TRP_OK);
    assert_event(&s, TRP_YAMUX_OPENED, 1);
    assert_data(&s, 1, 1);
    assert_silent(&s);
    assert_int_equal(trp_yamux_refused_count(s.yamux), 1);
    assert_int_equal(trp_yamux_streams_count(s.yamux), 2);
    uint32_t id;
    assert_status(trp_yamux_open_stream(s.yamux, &id), TRP_EFULL);
    frame(WINDOW, RST, 3, 0);
    frame(WINDOW, SYN, 2, 0);
    frame(WINDOW, ACK, 1, 0);
    assert_sent(&s);
    teardown(&s);
}

static void opens_no_more_than_256_unacknowledged(void **state)
{
    (void)state;
    struct side s;
    struct trp_yamux_config config = usual;
    config.streams_max = 400;
    setup_with(&s, config);
    uint32_t id = 0;
    for (int i = 0; i < 256; i++) {
        id = open_stream(&s);
    }
    assert_status(trp_yamux_open_stream(s.yamux, &id), TRP_EFULL);
    assert_status(trp_yamux_send(s.yamux, 0, &s.sent), TRP_OK);
    frame(WINDOW, ACK, 101, 0);
    frame(WINDOW, RST, 103, 0);
    assert_status(feed(&s), TRP_OK);
    open_stream(&s);
    open_stream(&s);
    assert_status(trp_yamux_open_stream(s.yamux, &id), TRP_EFULL);
    teardown(&s);
}

/* ---- frames that are to be borne ---- */

static void skips_frames_of_unknown_streams(void **state)
{
    (void)state;
    struct side s;
    setup(&s, false);
    frame(DATA, 0, 7, 100);
    body(100, 'u');
    frame(DATA, FIN, 7, 0);
    frame(WINDOW, 0, 9, 5);
    frame(DATA, RST, 11, 3);
    body(3, 'u');
    frame(WINDOW, RST, 11, 3);
    frame(DATA, 0xfff0, 0, 0);
    assert_status(feed(&s), TRP_OK);
    assert_silent(&s);
    assert_sent(&s);
    teardown(&s);
}

static void reset_carries_a_code_and_no_window(void **state)
{
    (void)state;
    struct side s;
    setup(&s, false);
    frame(WINDOW, SYN, 1, 0);
    frame(WINDOW, RST, 1, UINT32_MAX);
    assert_status(feed(&s), TRP_OK);
    assert_event(&s, TRP_YAMUX_OPENED, 1);
    struct trp_yamux_event event = next(&s);
    assert_int_equal(event.kind, TRP_YAMUX_RESET);
    assert_int_equal(event.code, UINT32_MAX);
    assert_int_equal(trp_yamux_streams_count(s.yamux), 0);
    size_t used;
    assert_status(trp_yamux_write(s.yamux, 1, TRP_BYTES_NONE, &used), TRP_ENOTFOUND);
    assert_sent(&s);
    teardown(&s);
}

static void malformed_headers_end_the_connection(void **state)
{
    (void)state;
    static const uint8_t heads[][2] = {{1, 0}, {0, 4}, {0, 255}};
    for (size_t i = 0; i < 3; i++) {
        struct side s;
        setup(&s, false);
        frame(DATA, 0, 1, 0);
        wire.bytes[0] = heads[i][0];
        wire.bytes[1] = heads[i][1];
        assert_status(feed(&s), TRP_EMALFORMED);
        frame(GOAWAY, 0, 0, 1);
        assert_sent(&s);
        assert_true(trp_yamux_deadline(s.yamux) == TRP_NEVER);
        teardown(&s);
    }
}

/* ---- flow control ---- */

static void window_overrun_is_a_violation(void **state)
{
    (void)state;
    struct side s;
    setup(&s, false);
    frame(DATA, SYN, 1, WINDOW_0);
    body(WINDOW_0, 'o');
    assert_status(feed(&s), TRP_OK);
    frame(DATA, 0, 1, 1);
    assert_status(feed(&s), TRP_EVIOLATION);
    frame(GOAWAY, 0, 0, 1);
    assert_sent(&s);
    teardown(&s);
}

static void window_overflow_is_a_violation(void **state)
{
    (void)state;
    struct side s;
    setup(&s, false);
    frame(WINDOW, SYN, 1, UINT32_MAX - WINDOW_0);
    assert_status(feed(&s), TRP_OK);
    frame(WINDOW, 0, 1, 1);
    assert_status(feed(&s), TRP_EVIOLATION);
    teardown(&s);
}

static void window_is_given_back_when_half_is_consumed(void **state)
{
    (void)state;
    struct side s;
    setup(&s, false);
    frame(DATA, SYN, 1, 200 * KIB);
    body(200 * KIB, 'h');
    assert_status(feed(&s), TRP_OK);
    frame(WINDOW, ACK, 1, 0);
    assert_sent(&s);
    assert_status(trp_yamux_consumed(s.yamux, 1, 128 * KIB - 1), TRP_OK);
    assert_sent(&s);
    assert_status(trp_yamux_consumed(s.yamux, 1, 1), TRP_OK);
    frame(WINDOW, 0, 1, 128 * KIB);
    assert_sent(&s);
    assert_status(trp_yamux_consumed(s.yamux, 1, 72 * KIB + 1), TRP_EINVAL);
    assert_status(trp_yamux_consumed(s.yamux, 1, 72 * KIB), TRP_OK);
    assert_status(trp_yamux_consumed(s.yamux, 3, 1), TRP_ENOTFOUND);
    teardown(&s);
}

static void writes_wait_for_the_peers_window(void **state)
{
    (void)state;
    struct side s;
    setup(&s, true);
    uint32_t id = open_stream(&s);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(write_bytes(&s, id, 64 * KIB, 'a'), 64 * KIB);
        assert_status(trp_yamux_send(s.yamux, 0, &s.sent), TRP_OK);
    }
    assert_int_equal(s.sent.size, WINDOW_0 + 16 * 12);
    trp_buffer_free(&s.sent);
    assert_int_equal(write_bytes(&s, id, 70 * KIB, 'b'), 64 * KIB);
    assert_int_equal(write_bytes(&s, id, 1, 'b'), 0);
    assert_int_equal(write_bytes(&s, id, 0, 'b'), 0); /* takes no wish back */
    assert_false(trp_yamux_has_output(s.yamux));
    assert_silent(&s);
    frame(WINDOW, ACK, id, 10);
    assert_status(feed(&s), TRP_OK);
    frame(DATA, 0, id, 10);
    body(10, 'b');
    assert_sent(&s);
    assert_silent(&s); /* room for ten bytes is not worth an event */
    frame(WINDOW, 0, id, 32 * KIB);
    assert_status(feed(&s), TRP_OK);
    assert_status(trp_yamux_send(s.yamux, 0, &s.sent), TRP_OK);
    assert_event(&s, TRP_YAMUX_WRITABLE, id);
    assert_silent(&s);
    teardown(&s);
}

static void streams_take_turns_of_16_kib(void **state)
{
    (void)state;
    struct side s;
    setup(&s, true);
    for (uint32_t i = 0; i < 3; i++) {
        uint32_t id = open_stream(&s);
        assert_int_equal(write_bytes(&s, id, (i + 1) * 16 * KIB, (uint8_t)id), (i + 1) * 16 * KIB);
    }
    static const uint32_t turns[] = {1, 3, 5, 3, 5, 5};
    for (size_t i = 0; i < 6; i++) {
        frame(DATA, i < 3 ? SYN : 0, turns[i], 16 * KIB);
        body(16 * KIB, (uint8_t)turns[i]);
    }
    assert_sent(&s);
    teardown(&s);
}

/* ---- the session ---- */

static void answers_pings_while_data_waits(void **state)
{
    (void)state;
    struct side s;
    setup(&s, true);
    uint32_t id = open_stream(&s);
    write_bytes(&s, id, 64 * KIB, 'd');
    frame(PING, SYN, 0, 0xdeadbeef);
    assert_status(feed(&s), TRP_OK);
    s.sent.limit_bytes = 12;
    assert_status(trp_yamux_send(s.yamux, 0, &s.sent), TRP_OK);
    frame(PING, ACK, 0, 0xdeadbeef);
    assert_memory_equal(trp_buffer_view(&s.sent).data, wire.bytes, 12);
    wire.size = 0;
    teardown(&s);
}

static void reads_no_further_while_answers_wait(void **state)
{
    (void)state;
    struct side s;
    setup(&s, true);
    for (uint32_t i = 0; i < 20; i++) {
        frame(PING, SYN, 0, i);
    }
    size_t at = 0;
    for (uint32_t round = 0; round < 5; round++) { /* four at a time */
        size_t used = 0;
        assert_status(trp_yamux_recv(s.yamux, 0, trp_bytes(wire.bytes + at, wire.size - at), &used),
                      TRP_OK);
        assert_int_equal(used, 4 * 12);
        at += used;
        assert_status(trp_yamux_send(s.yamux, 0, &s.sent), TRP_OK);
    }
    assert_int_equal(at, wire.size);
    wire.size = 0;
    teardown(&s);
}

static void reads_no_further_while_events_wait(void **state)
{
    (void)state;
    struct side s;
    setup(&s, false);
    frame(WINDOW, SYN, 1, 0);
    for (uint32_t i = 0; i < 40; i++) {
        frame(DATA, i == 39 ? FIN : 0, 1, 1);
        body(1, (uint8_t)i);
    }
    size_t at = 0;
    uint8_t expected = 0;
    bool eof = false;
    while (at < wire.size) {
        size_t used = 0;
        assert_status(trp_yamux_recv(s.yamux, 0, trp_bytes(wire.bytes + at, wire.size - at), &used),
                      TRP_OK);
        assert_true(used > 0);
        at += used;
        struct trp_yamux_event event;
        while (trp_yamux_next_event(s.yamux, &event)) {
            if (event.kind == TRP_YAMUX_DATA) {
                assert_int_equal(event.data.data[0], expected++);
            }
            eof = eof || event.kind == TRP_YAMUX_EOF;
        }
    }
    assert_int_equal(expected, 40);
    assert_true(eof);
    wire.size = 0;
    teardown(&s);
}

static void goes_away_in_both_directions(void **state)
{
    (void)state;
    struct side s;
    setup(&s, false);
    frame(GOAWAY, 0, 0, 2);
    frame(GOAWAY, 0, 0, 1);
    assert_status(feed(&s), TRP_OK);
    struct trp_yamux_event event = next(&s);
    assert_int_equal(event.kind, TRP_YAMUX_GOAWAY);
    assert_int_equal(event.code, 2);
    assert_silent(&s); /* said once */
    uint32_t id;
    assert_status(trp_yamux_open_stream(s.yamux, &id), TRP_ECLOSED);
    trp_yamux_go_away(s.yamux, 0);
    trp_yamux_go_away(s.yamux, 1);
    frame(GOAWAY, 0, 0, 0);
    assert_sent(&s);
    frame(WINDOW, SYN, 1, 0);
    assert_status(feed(&s), TRP_OK);
    assert_silent(&s);
    frame(WINDOW, RST, 1, 0);
    assert_sent(&s);
    teardown(&s);
}

static void silence_is_pinged_then_fatal(void **state)
{
    (void)state;
    struct side s;
    size_t used;
    setup(&s, true);
    assert_true(trp_yamux_deadline(s.yamux) == TRP_S(30));
    frame(PING, ACK, 0, 9);
    assert_status(trp_yamux_recv(s.yamux, TRP_S(10), trp_bytes(wire.bytes, wire.size), &used),
                  TRP_OK);
    wire.size = 0;
    assert_status(trp_yamux_expire(s.yamux, TRP_S(30)), TRP_OK);
    assert_true(trp_yamux_deadline(s.yamux) == TRP_S(40));
    assert_sent(&s);
    assert_status(trp_yamux_expire(s.yamux, TRP_S(40)), TRP_OK);
    frame(PING, SYN, 0, 1);
    assert_sent(&s);
    assert_true(trp_yamux_deadline(s.yamux) == TRP_S(70));
    assert_status(trp_yamux_expire(s.yamux, TRP_S(70) - 1), TRP_OK);
    assert_status(trp_yamux_expire(s.yamux, TRP_S(70)), TRP_ETIMEDOUT);
    frame(GOAWAY, 0, 0, 2);
    assert_sent(&s);
    uint32_t id;
    assert_status(trp_yamux_open_stream(s.yamux, &id), TRP_ETIMEDOUT);
    teardown(&s);
}

static void any_byte_answers_a_ping(void **state)
{
    (void)state;
    struct side s;
    size_t used;
    setup(&s, true);
    assert_status(trp_yamux_expire(s.yamux, TRP_S(30)), TRP_OK);
    frame(PING, ACK, 0, 1);
    assert_status(trp_yamux_recv(s.yamux, TRP_S(31), trp_bytes(wire.bytes, 1), &used), TRP_OK);
    wire.size = 0;
    assert_true(trp_yamux_deadline(s.yamux) == TRP_S(61));
    assert_sent(&s); /* and the ping is no longer wanted */
    teardown(&s);
}

static void no_keepalive_means_no_deadline(void **state)
{
    (void)state;
    struct side s;
    struct trp_yamux_config config = usual;
    config.keepalive_ns = TRP_NEVER;
    setup_with(&s, config);
    assert_true(trp_yamux_deadline(s.yamux) == TRP_NEVER);
    assert_status(trp_yamux_expire(s.yamux, TRP_S(1000000)), TRP_OK);
    assert_sent(&s);
    teardown(&s);
}

static void settings_are_checked(void **state)
{
    (void)state;
    struct trp_memory memory = trp_memory_init(1 << 20);
    struct trp_yamux *yamux = NULL;
    struct trp_yamux_config config = usual;
    config.window_bytes = WINDOW_0 - 1;
    assert_status(trp_yamux_open(&memory, &config, 0, &yamux), TRP_EINVAL);
    config = usual;
    config.streams_max = 0;
    assert_status(trp_yamux_open(&memory, &config, 0, &yamux), TRP_EINVAL);
    trp_yamux_close(NULL);
}

/* ---- the end of streams ---- */

static void both_half_closes_finish_a_stream(void **state)
{
    (void)state;
    struct side s;
    setup(&s, false);
    frame(DATA, SYN | FIN, 1, 2);
    body(2, 'f');
    assert_status(feed(&s), TRP_OK);
    assert_event(&s, TRP_YAMUX_OPENED, 1);
    assert_data(&s, 1, 2);
    assert_event(&s, TRP_YAMUX_EOF, 1);
    assert_silent(&s);
    assert_int_equal(trp_yamux_streams_count(s.yamux), 1);
    assert_int_equal(write_bytes(&s, 1, 3, 'g'), 3);
    assert_status(trp_yamux_shutdown(s.yamux, 1), TRP_OK);
    size_t used;
    assert_status(trp_yamux_write(s.yamux, 1, trp_bytes("x", 1), &used), TRP_ESTATE);
    assert_silent(&s);
    frame(DATA, ACK, 1, 3);
    body(3, 'g');
    frame(WINDOW, FIN, 1, 0);
    assert_sent(&s);
    assert_event(&s, TRP_YAMUX_FINISHED, 1);
    assert_silent(&s);
    assert_int_equal(trp_yamux_streams_count(s.yamux), 0);
    frame(DATA, 0, 1, 2); /* late, skipped */
    body(2, 'l');
    assert_status(feed(&s), TRP_OK);
    assert_silent(&s);
    teardown(&s);
}

static void end_of_stream_waits_for_the_last_byte(void **state)
{
    (void)state;
    struct side s;
    setup(&s, false);
    frame(DATA, SYN | FIN, 1, 3);
    body(2, 'e');
    assert_status(feed(&s), TRP_OK);
    assert_event(&s, TRP_YAMUX_OPENED, 1);
    assert_data(&s, 1, 2);
    assert_silent(&s);
    body(1, 'e');
    assert_status(feed(&s), TRP_OK);
    assert_data(&s, 1, 1);
    assert_event(&s, TRP_YAMUX_EOF, 1);
    teardown(&s);
}

static void data_after_the_end_is_skipped(void **state)
{
    (void)state;
    struct side s;
    setup(&s, false);
    frame(WINDOW, SYN | FIN, 1, 0);
    frame(DATA, FIN, 1, 3);
    body(3, 'e');
    frame(WINDOW, FIN, 1, 3);
    assert_status(feed(&s), TRP_OK);
    assert_event(&s, TRP_YAMUX_OPENED, 1);
    assert_event(&s, TRP_YAMUX_EOF, 1);
    assert_silent(&s);
    teardown(&s);
}

static void a_dropped_stream_is_silent_and_told(void **state)
{
    (void)state;
    struct side s;
    setup(&s, false);
    frame(WINDOW, SYN, 1, 0);
    frame(DATA, SYN, 3, 10);
    body(4, '3');
    assert_status(feed(&s), TRP_OK);
    assert_int_equal(write_bytes(&s, 3, 100, 'x'), 100);
    assert_status(trp_yamux_reset(s.yamux, 3), TRP_OK);
    assert_status(trp_yamux_reset(s.yamux, 3), TRP_ENOTFOUND);
    assert_status(trp_yamux_shutdown(s.yamux, 3), TRP_ENOTFOUND);
    assert_event(&s, TRP_YAMUX_OPENED, 1);
    assert_silent(&s);
    body(6, '3');
    frame(DATA, FIN, 3, 2);
    body(2, '3');
    frame(DATA, 0, 1, 1);
    body(1, '1');
    assert_status(feed(&s), TRP_OK);
    assert_data(&s, 1, 1);
    assert_silent(&s);
    frame(WINDOW, ACK, 1, 0);
    frame(WINDOW, RST, 3, 0);
    assert_sent(&s);
    assert_int_equal(trp_yamux_streams_count(s.yamux), 1);
    teardown(&s);
}

/* What was written before a refusal leaves before it, and is read though both come at once. */
static void a_refusal_comes_after_what_was_written(void **state)
{
    (void)state;
    struct side s;
    setup(&s, false);
    frame(WINDOW, SYN, 1, 0);
    assert_status(feed(&s), TRP_OK);
    assert_event(&s, TRP_YAMUX_OPENED, 1);
    assert_int_equal(write_bytes(&s, 1, 3, 'n'), 3);
    assert_status(trp_yamux_refuse(s.yamux, 1), TRP_OK);
    assert_status(trp_yamux_refuse(s.yamux, 1), TRP_ENOTFOUND);
    frame(DATA, ACK, 1, 3);
    body(3, 'n');
    frame(WINDOW, RST, 1, 0);
    assert_sent(&s);
    assert_int_equal(trp_yamux_streams_count(s.yamux), 0);
    teardown(&s);
    setup(&s, true);
    uint32_t id = open_stream(&s);
    assert_status(trp_yamux_set_user(s.yamux, id, 77), TRP_OK);
    frame(DATA, ACK, id, 3);
    body(3, 'n');
    frame(WINDOW, RST, id, 0);
    assert_status(feed(&s), TRP_OK);
    struct trp_yamux_event event = next(&s);
    assert_int_equal(event.kind, TRP_YAMUX_DATA);
    assert_int_equal(event.user, 77);
    event = next(&s);
    assert_int_equal(event.kind, TRP_YAMUX_RESET);
    assert_int_equal(event.user, 77);
    teardown(&s);
}

static void a_stream_dropped_before_it_was_said_is_never_said(void **state)
{
    (void)state;
    struct side s;
    setup(&s, true);
    assert_status(trp_yamux_reset(s.yamux, open_stream(&s)), TRP_OK);
    assert_sent(&s);
    assert_int_equal(trp_yamux_streams_count(s.yamux), 0);
    teardown(&s);
}

static void a_dropped_stream_that_the_peer_drops_too_is_gone(void **state)
{
    (void)state;
    struct side s;
    setup(&s, false);
    frame(WINDOW, SYN, 1, 0);
    assert_status(feed(&s), TRP_OK);
    assert_event(&s, TRP_YAMUX_OPENED, 1);
    assert_status(trp_yamux_reset(s.yamux, 1), TRP_OK);
    frame(WINDOW, RST, 1, 0);
    assert_status(feed(&s), TRP_OK);
    assert_silent(&s);
    assert_int_equal(trp_yamux_streams_count(s.yamux), 0);
    assert_sent(&s);
    teardown(&s);
}

static void the_end_is_said_once(void **state)
{
    (void)state;
    struct side s;
    setup(&s, false);
    frame(DATA, SYN, 1, 200 * KIB);
    body(200 * KIB, 'o');
    assert_status(feed(&s), TRP_OK);
    assert_status(trp_yamux_shutdown(s.yamux, 1), TRP_OK);
    frame(WINDOW, ACK | FIN, 1, 0);
    assert_sent(&s);
    assert_status(trp_yamux_consumed(s.yamux, 1, 128 * KIB), TRP_OK);
    frame(WINDOW, 0, 1, 128 * KIB); /* half-closed, we read on */
    assert_sent(&s);
    teardown(&s);
}

static void no_window_is_given_to_a_peer_that_has_ended(void **state)
{
    (void)state;
    struct side s;
    setup(&s, false);
    frame(DATA, SYN | FIN, 1, 200 * KIB);
    body(200 * KIB, 'e');
    assert_status(feed(&s), TRP_OK);
    assert_status(trp_yamux_consumed(s.yamux, 1, 200 * KIB), TRP_OK);
    frame(WINDOW, ACK, 1, 0);
    assert_sent(&s);
    teardown(&s);
}

/* Brings stream 1 to where FINISHED waits to be told. */
static void finish(struct side *s)
{
    setup(s, false);
    frame(WINDOW, SYN | FIN, 1, 0);
    assert_status(feed(s), TRP_OK);
    assert_event(s, TRP_YAMUX_OPENED, 1);
    assert_event(s, TRP_YAMUX_EOF, 1);
    assert_status(trp_yamux_shutdown(s->yamux, 1), TRP_OK);
    frame(WINDOW, ACK | FIN, 1, 0);
    assert_sent(s);
}

static void a_late_reset_does_not_undo_the_end(void **state)
{
    (void)state;
    struct side s;
    finish(&s);
    frame(WINDOW, RST, 1, 0);
    assert_status(feed(&s), TRP_OK);
    assert_event(&s, TRP_YAMUX_FINISHED, 1);
    assert_silent(&s);
    teardown(&s);

    finish(&s);
    assert_status(trp_yamux_reset(s.yamux, 1), TRP_OK);
    assert_silent(&s);
    assert_sent(&s);
    assert_int_equal(trp_yamux_streams_count(s.yamux), 0);
    teardown(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(opens_with_an_empty_window_update),
        cmocka_unit_test(syn_rides_on_data_and_fin_does_not),
        cmocka_unit_test(accepts_syn_on_either_type),
        cmocka_unit_test(ack_rides_on_data),
        cmocka_unit_test(window_of_syn_adds_to_the_initial_one),
        cmocka_unit_test(a_larger_window_is_announced_at_once),
        cmocka_unit_test(refuses_ids_that_are_not_the_peers_to_choose),
        cmocka_unit_test(refuses_streams_over_the_limit_and_lives_on),
        cmocka_unit_test(opens_no_more_than_256_unacknowledged),
        cmocka_unit_test(skips_frames_of_unknown_streams),
        cmocka_unit_test(reset_carries_a_code_and_no_window),
        cmocka_unit_test(malformed_headers_end_the_connection),
        cmocka_unit_test(window_overrun_is_a_violation),
        cmocka_unit_test(window_overflow_is_a_violation),
        cmocka_unit_test(window_is_given_back_when_half_is_consumed),
        cmocka_unit_test(writes_wait_for_the_peers_window),
        cmocka_unit_test(streams_take_turns_of_16_kib),
        cmocka_unit_test(answers_pings_while_data_waits),
        cmocka_unit_test(reads_no_further_while_answers_wait),
        cmocka_unit_test(reads_no_further_while_events_wait),
        cmocka_unit_test(goes_away_in_both_directions),
        cmocka_unit_test(silence_is_pinged_then_fatal),
        cmocka_unit_test(any_byte_answers_a_ping),
        cmocka_unit_test(no_keepalive_means_no_deadline),
        cmocka_unit_test(settings_are_checked),
        cmocka_unit_test(both_half_closes_finish_a_stream),
        cmocka_unit_test(end_of_stream_waits_for_the_last_byte),
        cmocka_unit_test(data_after_the_end_is_skipped),
        cmocka_unit_test(a_dropped_stream_is_silent_and_told),
        cmocka_unit_test(a_refusal_comes_after_what_was_written),
        cmocka_unit_test(a_stream_dropped_before_it_was_said_is_never_said),
        cmocka_unit_test(a_dropped_stream_that_the_peer_drops_too_is_gone),
        cmocka_unit_test(the_end_is_said_once),
        cmocka_unit_test(no_window_is_given_to_a_peer_that_has_ended),
        cmocka_unit_test(a_late_reset_does_not_undo_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
