/* SPDX-License-Identifier: MIT */
#include "lib/fake_swarm.h"
#include "lib/test.h"

#include "behaviour/ping.h"

#define ROUND_TRIP_NS (2 * FAKE_LATENCY_NS)

static struct fake_world world;
static struct trp_ping *pings[2];

/* A peer that accepts pings and answers as the test says. */
struct mirror {
    struct trp_swarm *swarm;
    uint32_t index;
    bool is_silent;
    bool hangs_up;
    uint32_t flips;       /* of the first byte; more than one ping */
    const uint8_t *sends; /* on a stream of its own, when it is connected */
    size_t sends_size;
    size_t received;
    bool matches;
    bool closed;
    trp_stream_id stream;
    struct trp_peer_id peer;
};

static struct mirror mirror;
static const char *const protocols[] = {TRP_PROTOCOL_PING};

static void mirror_attach(void *self, struct trp_swarm *swarm, uint32_t index)
{
    ((struct mirror *)self)->swarm = swarm;
    ((struct mirror *)self)->index = index;
}

static uint32_t mirror_protocols(const void *self, const char **ret_protocols, uint32_t max)
{
    (void)self;
    ret_protocols[0] = max > 0 ? TRP_PROTOCOL_PING : NULL;
    return 1;
}

static void mirror_opened(void *self, const struct trp_stream_info *stream)
{
    struct mirror *m = self;
    size_t used;
    if (!stream->inbound) {
        assert_status(
            trp_stream_write(m->swarm, stream->id, trp_bytes(m->sends, m->sends_size), &used),
            TRP_OK);
    } else if (m->hangs_up) {
        trp_stream_shutdown(m->swarm, stream->id);
    }
}

static void mirror_data(void *self, const struct trp_stream_info *stream, struct trp_bytes in)
{
    struct mirror *m = self;
    uint8_t out[64];
    size_t used;
    if (!stream->inbound) {
        m->matches = m->matches && m->received + in.size <= m->sends_size &&
                     memcmp(m->sends + m->received, in.data, in.size) == 0;
        m->received += in.size;
    } else if (!m->is_silent) {
        assert_true(in.size <= sizeof out);
        memcpy(out, in.data, in.size);
        out[0] ^= (uint8_t)m->flips;
        TRP_IGNORE(trp_stream_write(m->swarm, stream->id, trp_bytes(out, in.size), &used));
    }
}

static void mirror_closed(void *self, const struct trp_stream_info *stream, enum trp_status reason)
{
    struct mirror *m = self;
    m->closed = m->closed || (!stream->inbound && reason != TRP_OK);
}

static void mirror_ignore(void *self, const struct trp_stream_info *stream)
{
    (void)self;
    (void)stream;
}

static const struct trp_behaviour_ops mirror_ops = {.name = "mirror",
                                                    .attach = mirror_attach,
                                                    .protocols = mirror_protocols,
                                                    .stream_opened = mirror_opened,
                                                    .stream_data = mirror_data,
                                                    .stream_writable = mirror_ignore,
                                                    .stream_closed = mirror_closed};

/* Node 0 pings; node 1 does, too, or is the mirror. */
static void begin(bool with_mirror)
{
    fake_world_open(&world, 2);
    mirror = (struct mirror){.matches = true};
    world.nodes[0].knows[1] = true;
    for (uint32_t i = 0; i < 2; i++) {
        struct trp_swarm *node = &world.nodes[i];
        const struct trp_ping_config config = {
            .memory = &node->memory, .trace = &node->trace, .seed = i};
        assert_status(trp_ping_open(&config, &pings[i]), TRP_OK);
        if (i == 0 || !with_mirror) {
            fake_attach(node, trp_ping_behaviour(pings[i]));
        } else {
            fake_attach(node, (struct trp_behaviour){.ops = &mirror_ops, .self = &mirror});
        }
    }
}

static void end(void)
{
    trp_ping_close(pings[0]);
    trp_ping_close(pings[1]);
    fake_world_close(&world);
}

static struct trp_ping_event ping(void)
{
    struct trp_ping_event event;
    struct trp_peer_id peer = fake_id(1);
    assert_status(trp_ping_send(pings[0], &peer, 5), TRP_OK);
    fake_touch(&world.nodes[0]);
    for (uint32_t i = 0; i < 30000; i++) {
        fake_run(&world, world.now + TRP_MS(1));
        if (trp_ping_next_event(pings[0], &event)) {
            struct trp_ping_event second;
            assert_int_equal(event.token, 5);
            assert_false(trp_ping_next_event(pings[0], &second));
            return event;
        }
    }
    fail_msg("a ping has no outcome");
    return event;
}

static void a_ping_tells_the_round_trip(void **state)
{
    (void)state;
    begin(false);
    for (uint32_t chunk = 0; chunk < 3; chunk++) { /* dialing is not counted */
        world.nodes[0].chunk = chunk;
        world.nodes[1].chunk = 2 * chunk;
        struct trp_ping_event event = ping();
        assert_status(event.status, TRP_OK);
        assert_int_equal(event.round_trip_ns, ROUND_TRIP_NS);
    }
    assert_int_equal(world.nodes[0].dials, 1);
    end();
}

static void what_is_no_echo_fails(void **state)
{
    (void)state;
    begin(true);
    mirror.flips = 1;
    assert_status(ping().status, TRP_EVIOLATION);
    mirror.flips = 0;
    assert_status(ping().status, TRP_OK);
    mirror.is_silent = true;
    trp_time asked_at = world.now;
    assert_status(ping().status, TRP_ETIMEDOUT);
    assert_in_range(world.now - asked_at, world.nodes[0].limits.ping_timeout_ns,
                    world.nodes[0].limits.ping_timeout_ns + TRP_MS(2));
    mirror.hangs_up = true;
    assert_status(ping().status, TRP_ERESET);
    end();
}

static const struct trp_behaviour_ops deaf_ops = {.name = "deaf"};

static void a_peer_without_ping_is_told_apart(void **state)
{
    (void)state;
    begin(true);
    mirror.swarm->behaviour = (struct trp_behaviour){.ops = &deaf_ops, .self = &mirror};
    assert_status(ping().status, TRP_ENEGOTIATION);
    fake_disconnect(&world, fake_connection_between(&world, 0, 1), TRP_ECLOSED);
    world.nodes[0].knows[1] = false;
    assert_status(ping().status, TRP_ENOADDRESS);
    end();
}

static void mirror_send(const uint8_t *bytes, size_t size)
{
    mirror.sends = bytes;
    mirror.sends_size = size;
    mirror.received = 0;
    mirror.closed = false;
    const struct trp_stream_request request = {.behaviour = mirror.index,
                                               .peer = fake_id(0),
                                               .dial = true,
                                               .protocols = protocols,
                                               .protocols_count = 1};
    world.nodes[1].knows[0] = true;
    assert_status(trp_swarm_open_stream(mirror.swarm, &request, &mirror.stream), TRP_OK);
    fake_run(&world, world.now + TRP_S(1));
}

static void echoes_whole_pings_and_nothing_less(void **state)
{
    (void)state;
    static uint8_t bytes[3 * 32 + 5];
    for (size_t i = 0; i < sizeof bytes; i++) {
        bytes[i] = (uint8_t)(i * 11);
    }
    for (uint32_t chunk = 0; chunk < 40; chunk += 13) {
        begin(true);
        world.nodes[0].chunk = chunk;
        mirror_send(bytes, sizeof bytes);
        assert_int_equal(mirror.received, 3 * 32);
        assert_true(mirror.matches);
        assert_false(mirror.closed);
        end();
    }
}

static uint32_t traced_count;

/* Counts the events that the test is about. */
static void count_event(void *self, const struct trp_trace_event *event)
{
    traced_count += strcmp(event->kind->name, self) == 0;
}

static void count_traced(uint32_t node, char *name)
{
    traced_count = 0;
    world.nodes[node].recorder.sink = (struct trp_trace_sink){.event = count_event, .self = name};
}

/* A peer that pings on without reading would have us remember its pings for it. */
static void a_peer_that_does_not_read_is_cut_off(void **state)
{
    (void)state;
    static uint8_t bytes[64 * 32];
    static char name[] = "stream_misused";
    begin(true);
    count_traced(0, name);
    world.nodes[0].write_room = 32; /* one echo, then nothing for a while */
    mirror_send(bytes, sizeof bytes);
    assert_true(mirror.closed);
    assert_true(mirror.received < sizeof bytes);
    assert_int_equal(traced_count, 1);
    end();
}

static void a_connection_has_two_streams_of_pings(void **state)
{
    (void)state;
    static uint8_t bytes[32];
    static char name[] = "limit_reached";
    begin(true);
    count_traced(0, name);
    mirror_send(bytes, sizeof bytes);
    mirror_send(bytes, sizeof bytes);
    assert_int_equal(traced_count, 0);
    assert_int_equal(mirror.received, 32);
    mirror_send(bytes, sizeof bytes);
    assert_true(mirror.closed);
    assert_int_equal(mirror.received, 0);
    assert_int_equal(traced_count, 1);
    end();
}

static void pings_are_bounded_and_end_with_the_node(void **state)
{
    (void)state;
    begin(true);
    mirror.is_silent = true;
    struct trp_peer_id peer = fake_id(1);
    uint32_t sent = 0;
    while (trp_ping_send(pings[0], &peer, sent) == TRP_OK) {
        sent++;
    }
    assert_int_equal(sent, world.nodes[0].limits.requests_waiting_per_peer);
    world.nodes[0].memory.fail_at = 1;
    assert_status(trp_ping_send(pings[0], &peer, 0), TRP_EFULL);
    end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_ping_tells_the_round_trip),
        cmocka_unit_test(what_is_no_echo_fails),
        cmocka_unit_test(a_peer_without_ping_is_told_apart),
        cmocka_unit_test(echoes_whole_pings_and_nothing_less),
        cmocka_unit_test(a_peer_that_does_not_read_is_cut_off),
        cmocka_unit_test(a_connection_has_two_streams_of_pings),
        cmocka_unit_test(pings_are_bounded_and_end_with_the_node),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
