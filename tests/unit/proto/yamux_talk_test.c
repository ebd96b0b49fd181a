/* SPDX-License-Identifier: MIT */
/* Two machines face to face. */
#include "lib/pipe.h"
#include "lib/yamux_wire.h"

#define PEER_STREAMS 6u

/* A talker opens streams and writes a pattern on each; the other echoes; the talker checks. */
struct talk {
    struct side side[2];
    struct test_pipe pipe[2];
    size_t length;
    uint32_t ids[PEER_STREAMS];
    size_t written[PEER_STREAMS];
    size_t checked[PEER_STREAMS];
    size_t echo_held[PEER_STREAMS]; /* of the echoer: bytes received, not yet written back */
    size_t echo_written[PEER_STREAMS];
    bool echo_eof[PEER_STREAMS];
    uint32_t finished[2];
};

static uint8_t pattern(uint32_t stream, size_t at)
{
    return (uint8_t)(at * 31u + (at >> 8) * 7u + stream);
}

static uint32_t slot_of(const struct talk *t, uint32_t id)
{
    for (uint32_t i = 0; i < PEER_STREAMS; i++) {
        if (t->ids[i] == id) {
            return i;
        }
    }
    fail();
    return 0;
}

static void talk_events(struct talk *t, uint32_t who)
{
    struct trp_yamux *y = t->side[who].yamux;
    struct trp_yamux_event event;
    while (trp_yamux_next_event(y, &event)) {
        uint32_t slot = slot_of(t, event.stream);
        size_t at = who == 0 ? t->checked[slot] : t->echo_written[slot] + t->echo_held[slot];
        assert_int_not_equal(event.kind, TRP_YAMUX_RESET);
        for (size_t i = 0; i < event.data.size; i++) {
            assert_int_equal(event.data.data[i], pattern(event.stream, at + i));
        }
        if (event.kind == TRP_YAMUX_DATA && who == 0) {
            t->checked[slot] += event.data.size;
            assert_status(trp_yamux_consumed(y, event.stream, (uint32_t)event.data.size), TRP_OK);
        } else if (event.kind == TRP_YAMUX_DATA) {
            t->echo_held[slot] += event.data.size;
        } else if (event.kind == TRP_YAMUX_EOF && who == 1) {
            t->echo_eof[slot] = true;
        } else if (event.kind == TRP_YAMUX_FINISHED) {
            t->finished[who]++;
        }
    }
}

/* Writes the pattern from *at on, at most `size` bytes. */
static size_t talk_write(struct talk *t, uint32_t who, uint32_t slot, size_t at, size_t size)
{
    uint8_t bytes[4096];
    size = size < sizeof bytes ? size : sizeof bytes;
    for (size_t i = 0; i < size; i++) {
        bytes[i] = pattern(t->ids[slot], at + i);
    }
    size_t used = 0;
    enum trp_status status =
        trp_yamux_write(t->side[who].yamux, t->ids[slot], trp_bytes(bytes, size), &used);
    assert_true(status == TRP_OK || status == TRP_EAGAIN);
    return used;
}

static void talk_writes(struct talk *t)
{
    for (uint32_t i = 0; i < PEER_STREAMS; i++) {
        if (t->written[i] < t->length) {
            t->written[i] += talk_write(t, 0, i, t->written[i], t->length - t->written[i]);
            if (t->written[i] == t->length) {
                assert_status(trp_yamux_shutdown(t->side[0].yamux, t->ids[i]), TRP_OK);
            }
        }
        if (t->echo_held[i] > 0) {
            size_t size = talk_write(t, 1, i, t->echo_written[i], t->echo_held[i]);
            t->echo_written[i] += size;
            t->echo_held[i] -= size;
            assert_status(trp_yamux_consumed(t->side[1].yamux, t->ids[i], (uint32_t)size), TRP_OK);
        }
        if (t->echo_eof[i] && t->echo_held[i] == 0) {
            t->echo_eof[i] = false;
            assert_status(trp_yamux_shutdown(t->side[1].yamux, t->ids[i]), TRP_OK);
        }
    }
}

static void talk_step(struct talk *t)
{
    talk_writes(t);
    for (uint32_t who = 0; who < 2; who++) {
        enum trp_status status =
            trp_yamux_send(t->side[who].yamux, 0, test_pipe_out(&t->pipe[who]));
        assert_true(status == TRP_OK || status == TRP_EFULL);
        talk_events(t, who);
        size_t used = 0;
        struct test_pipe *in = &t->pipe[1 - who];
        assert_status(trp_yamux_recv(t->side[who].yamux, 0, test_pipe_in(in), &used), TRP_OK);
        talk_events(t, who);
        test_pipe_consume(in, used);
    }
}

static void talk_run(enum test_pipe_kind kind, uint64_t seed, size_t length)
{
    struct talk t = {.length = length};
    struct trp_yamux_config config = usual;
    config.stream_send_bytes = 16 * KIB;
    for (uint32_t who = 0; who < 2; who++) {
        config.initiator = who == seed % 2;
        setup_with(&t.side[who], config);
        t.pipe[who] = test_pipe_init(&t.side[who].memory, kind, seed, who);
    }
    for (uint32_t i = 0; i < PEER_STREAMS; i++) {
        t.ids[i] = open_stream(&t.side[0]);
    }
    uint32_t steps = 0;
    while ((t.finished[0] < PEER_STREAMS || t.finished[1] < PEER_STREAMS) && steps < 1000000) {
        talk_step(&t);
        steps++;
    }
    for (uint32_t who = 0; who < 2; who++) {
        assert_int_equal(t.finished[who], PEER_STREAMS);
        assert_int_equal(trp_yamux_streams_count(t.side[who].yamux), 0);
        test_pipe_deinit(&t.pipe[who]);
        teardown(&t.side[who]);
    }
    for (uint32_t i = 0; i < PEER_STREAMS; i++) {
        assert_int_equal(t.checked[i], length);
    }
}

static void two_machines_echo_over_any_chunking(void **state)
{
    (void)state;
    talk_run(TEST_PIPE_WHOLE, 0, 700 * KIB); /* more than two windows */
    talk_run(TEST_PIPE_BYTES, 1, 300);
    for (uint64_t seed = 2; seed < 20; seed++) {
        talk_run(TEST_PIPE_KEYED, seed, (size_t)(seed % 4) * 90 * KIB + seed);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_machines_echo_over_any_chunking),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
