/* SPDX-License-Identifier: MIT */
/* Bytes in any pieces, little room, little memory. */
#include "lib/yamux_wire.h"

static void a_small_rest_of_room_is_left(void **state)
{
    (void)state;
    struct side s;
    setup(&s, true);
    write_bytes(&s, open_stream(&s), 5000, 'r');
    s.sent.limit_bytes = 1500;
    uint8_t before[500] = {0};
    assert_status(trp_buffer_append(&s.sent, trp_bytes(before, 500)), TRP_OK);
    assert_status(trp_yamux_send(s.yamux, 0, &s.sent), TRP_EFULL); /* 988 bytes of 5000 */
    assert_int_equal(s.sent.size, 500);
    s.sent.limit_bytes = 1536;
    assert_status(trp_yamux_send(s.yamux, 0, &s.sent), TRP_OK);
    assert_int_equal(s.sent.size, 1536);
    teardown(&s);
}

/* A session with a bit of everything. */
static void put_session(void)
{
    frame(WINDOW, SYN, 1, 100);
    frame(DATA, 0, 1, 9);
    body(9, 'a');
    frame(PING, SYN, 0, 77);
    frame(DATA, SYN | FIN, 3, 30);
    body(30, 'b');
    frame(DATA, 0, 99, 20);
    body(20, 'c');
    frame(WINDOW, FIN, 1, 50);
    frame(WINDOW, RST, 3, 4);
    frame(GOAWAY, 0, 0, 0);
}

/* Receives `size` bytes of `in`, writing down every event. */
static void run_session(struct side *s, const uint8_t *in, size_t size, struct trp_buffer *log)
{
    for (size_t at = 0; at < size;) {
        size_t used = 0;
        assert_status(trp_yamux_recv(s->yamux, 0, trp_bytes(in + at, size - at), &used), TRP_OK);
        at += used;
        struct trp_yamux_event event;
        while (trp_yamux_next_event(s->yamux, &event)) {
            uint8_t line[3] = {(uint8_t)event.kind, (uint8_t)event.stream, (uint8_t)event.code};
            for (size_t i = 0; i < event.data.size; i++) {
                line[2] = event.data.data[i];
                assert_status(trp_buffer_append(log, trp_bytes(line, 3)), TRP_OK);
            }
            if (event.kind != TRP_YAMUX_DATA) {
                assert_status(trp_buffer_append(log, trp_bytes(line, 3)), TRP_OK);
            }
        }
    }
}

static void events_do_not_depend_on_the_pieces(void **state)
{
    (void)state;
    struct side whole;
    setup(&whole, false);
    struct trp_buffer log = trp_buffer_init(&whole.memory, 1 << 16);
    put_session();
    run_session(&whole, wire.bytes, wire.size, &log);
    assert_int_equal(log.size, 3 * (2 + 9 + 30 + 4));
    for (size_t cut = 0; cut <= wire.size; cut++) {
        struct side s;
        setup(&s, false);
        struct trp_buffer pieces = trp_buffer_init(&s.memory, 1 << 16);
        run_session(&s, wire.bytes, cut, &pieces);
        if (cut == wire.size) { /* one byte at a time */
            trp_yamux_close(s.yamux);
            trp_buffer_free(&pieces);
            assert_status(trp_yamux_open(&s.memory,
                                         &(struct trp_yamux_config){.streams_max = 8,
                                                                    .window_bytes = WINDOW_0,
                                                                    .stream_send_bytes = 1,
                                                                    .keepalive_ns = 1},
                                         0, &s.yamux),
                          TRP_OK);
            for (size_t i = 0; i < wire.size; i++) {
                run_session(&s, wire.bytes + i, 1, &pieces);
            }
        } else {
            run_session(&s, wire.bytes + cut, wire.size - cut, &pieces);
        }
        assert_true(trp_bytes_equal(trp_buffer_view(&pieces), trp_buffer_view(&log)));
        trp_buffer_free(&pieces);
        teardown(&s);
    }
    wire.size = 0;
    trp_buffer_free(&log);
    teardown(&whole);
}

static void sends_with_the_least_room(void **state)
{
    (void)state;
    struct side s;
    setup(&s, false);
    frame(DATA, SYN, 1, 1);
    body(1, 'x');
    frame(PING, SYN, 0, 5);
    assert_status(feed(&s), TRP_OK);
    write_bytes(&s, 1, 3, 'y');
    s.sent.limit_bytes = 11;
    assert_status(trp_yamux_send(s.yamux, 0, &s.sent), TRP_EFULL);
    assert_int_equal(s.sent.size, 0);
    frame(PING, ACK, 0, 5);
    for (uint32_t i = 0; i < 3; i++) {
        frame(DATA, i == 0 ? ACK : 0, 1, 1);
        body(1, 'y');
    }
    size_t at = 0;
    while (trp_yamux_has_output(s.yamux)) {
        s.sent.limit_bytes = 13;
        assert_status(trp_yamux_send(s.yamux, 0, &s.sent), TRP_OK);
        assert_memory_equal(trp_buffer_view(&s.sent).data, wire.bytes + at, s.sent.size);
        at += s.sent.size;
        trp_buffer_consume(&s.sent, s.sent.size);
    }
    assert_int_equal(at, wire.size);
    wire.size = 0;
    teardown(&s);
}

static void out_of_memory_refuses_or_fails(void **state)
{
    (void)state;
    for (uint64_t n = 1; n <= 8; n++) {
        struct side s;
        setup(&s, true);
        s.memory.fail_at = n;
        uint32_t id = 0;
        size_t used = 0;
        enum trp_status status = trp_yamux_open_stream(s.yamux, &id);
        assert_true(status == TRP_OK || status == TRP_ENOMEM);
        if (status == TRP_OK) {
            status = trp_yamux_write(s.yamux, id, trp_bytes("hello", 5), &used);
            assert_true(status == TRP_OK || status == TRP_ENOMEM);
        }
        frame(WINDOW, SYN, 2, 0);
        assert_status(feed(&s), TRP_OK); /* at worst refused */
        assert_true(trp_yamux_streams_count(s.yamux) + trp_yamux_refused_count(s.yamux) >= 1);
        status = trp_yamux_send(s.yamux, 0, &s.sent);
        assert_true(status == TRP_OK || status == TRP_ENOMEM);
        if (status == TRP_ENOMEM) {
            assert_status(trp_yamux_open_stream(s.yamux, &id), TRP_ENOMEM); /* sticky */
        }
        teardown(&s);
    }
}

static void an_idle_connection_is_small(void **state)
{
    (void)state;
    struct side s;
    setup(&s, true);
    assert_in_range(s.memory.used_bytes, 1, 1535);
    assert_status(trp_yamux_reset(s.yamux, open_stream(&s)), TRP_OK);
    assert_in_range(s.memory.used_bytes, 1, 1535);
    teardown(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_small_rest_of_room_is_left),
        cmocka_unit_test(events_do_not_depend_on_the_pieces),
        cmocka_unit_test(sends_with_the_least_room),
        cmocka_unit_test(out_of_memory_refuses_or_fails),
        cmocka_unit_test(an_idle_connection_is_small),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
