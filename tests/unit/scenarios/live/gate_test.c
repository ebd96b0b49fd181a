/* SPDX-License-Identifier: MIT */
/* A gate between a toy and a driver that is this test: what passes, when, and what faults do. */
#include "scenarios/live/gate.h"

#include "lib/test.h"

#include <stdio.h>

#define EPOCH  TRP_S(1000)
#define HERE   0u
#define THERE  1u
#define DIALED 2u
#define LISTEN 4u

/* ---- the toy ---- */

struct toy {
    char told[1024];               /* what it was told: "connected 2, bytes 2:hi" */
    struct trp_output outputs[16]; /* what it says after its next input */
    uint32_t outputs_count;
    uint32_t outputs_at;
    trp_time deadline;
};

static struct toy toy;

static void note(const char *format, ...) TRP_PRINTF(1, 2);
static void note(const char *format, ...)
{
    size_t size = strlen(toy.told);
    va_list list;
    va_start(list, format);
    int more = vsnprintf(toy.told + size, sizeof toy.told - size, format, list);
    va_end(list);
    assert_true(more > 0 && size + (size_t)more < sizeof toy.told);
}

static enum trp_status toy_step(void *self, const struct trp_input *in)
{
    (void)self;
    unsigned id = (unsigned)in->socket;
    switch (in->kind) {
    case TRP_IN_TIME:
        toy.deadline = TRP_NEVER;
        note("time, ");
        break;
    case TRP_IN_ACCEPTED:
        note("accepted %u, ", id);
        break;
    case TRP_IN_CONNECTED:
        note("connected %u, ", id);
        break;
    case TRP_IN_BYTES:
        note("bytes %u:%.*s, ", id, (int)in->bytes.size, (const char *)in->bytes.data);
        break;
    case TRP_IN_EOF:
        note("eof %u, ", id);
        break;
    case TRP_IN_CLOSED:
        note("closed %u %s, ", id, trp_status_name(in->status));
        break;
    case TRP_IN_COMMAND:
        note("command, ");
        break;
    case TRP_IN_LISTENING:
    case TRP_IN_SENT:
    case TRP_IN_RESOLVED:
    case TRP_IN_BOUND:
    case TRP_IN_DATAGRAM:
    case TRP_IN_JOINED:
    case TRP_IN_INTERFACES:
        note("other, ");
        break;
    }
    return TRP_OK;
}

static bool toy_next_output(void *self, struct trp_output *ret_out)
{
    (void)self;
    if (toy.outputs_at == toy.outputs_count) {
        toy.outputs_at = toy.outputs_count = 0;
        return false;
    }
    *ret_out = toy.outputs[toy.outputs_at++];
    return true;
}

static trp_time toy_deadline(const void *self)
{
    (void)self;
    return toy.deadline;
}

static const struct trp_process_ops toy_ops = {
    .step = toy_step, .next_output = toy_next_output, .deadline = toy_deadline};

static void toy_says(struct trp_output output)
{
    toy.outputs[toy.outputs_count++] = output;
}

static void toy_sends(trp_socket id, const char *text)
{
    toy_says(
        (struct trp_output){.kind = TRP_OUT_BYTES, .socket = id, .bytes = trp_bytes_text(text)});
}

/* ---- the paths ---- */

static struct trp_path shape;

static void path_of(void *user, uint32_t from, uint32_t to, struct trp_path *ret_path)
{
    (void)user;
    (void)from;
    (void)to;
    *ret_path = shape;
}

static struct trp_multiaddr address(uint8_t last)
{
    const uint8_t ip[4] = {127, 1, 1, last};
    return trp_multiaddr_from_ip(ip, sizeof ip, 4001);
}

static uint32_t host_of(void *user, const struct trp_multiaddr *at)
{
    struct trp_endpoint endpoint;
    (void)user;
    assert_status(trp_multiaddr_tcp(at, &endpoint), TRP_OK);
    return endpoint.ip[3] == 9 ? TRP_NETEM_OUTSIDE : endpoint.ip[3];
}

/* ---- the driver ---- */

static struct trp_netem *netem;
static struct trp_gate *gate;
static trp_time now; /* of the run */
static char performed[1024];

static void on_result(void *user, const struct trp_result *result)
{
    (void)user;
    (void)result;
    note("result, ");
}

static void on_save(void *user, struct trp_bytes bytes)
{
    (void)user;
    (void)bytes;
}

static void perform(const struct trp_output *out)
{
    static const char *const names[] = {
        [TRP_OUT_LISTEN] = "listen", [TRP_OUT_DIAL] = "dial",      [TRP_OUT_BYTES] = "bytes",
        [TRP_OUT_SHUTDOWN] = "shut", [TRP_OUT_CLOSE] = "close",    [TRP_OUT_PAUSE] = "pause",
        [TRP_OUT_RESUME] = "resume", [TRP_OUT_RESOLVE] = "resolve"};
    size_t size = strlen(performed);
    (void)snprintf(performed + size, sizeof performed - size, "%s%s %u%s%.*s, ", names[out->kind],
                   out->abort ? "!" : "", (unsigned)out->socket, out->bytes.size > 0 ? ":" : "",
                   (int)out->bytes.size, out->bytes.size > 0 ? (const char *)out->bytes.data : "");
}

static void feed(struct trp_input in)
{
    const struct trp_process process = trp_gate_process(gate);
    struct trp_output out;
    in.now = EPOCH + now;
    assert_status(process.ops->step(process.self, &in), TRP_OK);
    while (process.ops->next_output(process.self, &out)) {
        perform(&out);
    }
}

static void tick(void)
{
    feed((struct trp_input){.kind = TRP_IN_TIME});
}

/* Runs to a moment as a driver does: from deadline to deadline. */
static void run_to(trp_time until)
{
    const struct trp_process process = trp_gate_process(gate);
    for (;;) {
        trp_time at = process.ops->deadline(process.self);
        if (at == TRP_NEVER || at - EPOCH > until) {
            break;
        }
        now = at - EPOCH > now ? at - EPOCH : now;
        tick();
    }
    now = until;
    tick();
}

/* What was told, or performed, since the last look. */
static const char *look(char *text)
{
    static char seen[1024];
    size_t size = strlen(text);
    memcpy(seen, text, size + 1);
    if (size >= 2) {
        seen[size - 2] = '\0'; /* the last comma */
    }
    text[0] = '\0';
    return seen;
}

#define assert_told(text)      assert_string_equal(look(toy.told), text)
#define assert_performed(text) assert_string_equal(look(performed), text)

static int open_gate(void **state)
{
    (void)state;
    shape = (struct trp_path){0};
    toy = (struct toy){.deadline = TRP_NEVER};
    performed[0] = '\0';
    now = 0;
    assert_status(trp_netem_open(7, (struct trp_topology){.path = path_of}, 3, &netem), TRP_OK);
    const struct trp_gate_config config = {.inner = {.ops = &toy_ops, .self = &toy},
                                           .netem = netem,
                                           .host = HERE,
                                           .epoch = EPOCH,
                                           .host_of = host_of,
                                           .result = on_result,
                                           .save = on_save};
    assert_status(trp_gate_open(&config, &gate), TRP_OK);
    tick();
    assert_told("time");
    return 0;
}

static int close_gate(void **state)
{
    (void)state;
    trp_gate_close(gate);
    trp_netem_close(netem);
    return 0;
}

static void dial(uint8_t last)
{
    static struct trp_multiaddr to;
    to = address(last);
    toy_says((struct trp_output){.kind = TRP_OUT_DIAL, .socket = DIALED, .address = &to});
    feed((struct trp_input){.kind = TRP_IN_COMMAND});
    (void)look(toy.told);
}

static void driver_connects(uint8_t last)
{
    const struct trp_multiaddr ends[2] = {address(HERE), address(last)};
    feed((struct trp_input){
        .kind = TRP_IN_CONNECTED, .socket = DIALED, .addresses = ends, .addresses_count = 2});
}

/* A connection with the other host, over a path without delay. */
static void connect_at_once(void)
{
    dial(THERE);
    assert_performed("dial 2");
    driver_connects(THERE);
    assert_told("connected 2");
    (void)look(performed);
}

static void toy_acts(void)
{
    feed((struct trp_input){.kind = TRP_IN_COMMAND});
    (void)look(toy.told);
}

static void driver_brings(const char *text)
{
    feed((struct trp_input){.kind = TRP_IN_BYTES, .socket = DIALED, .bytes = trp_bytes_text(text)});
}

static void cut(enum trp_cut mode, bool both)
{
    const uint32_t here = HERE;
    const uint32_t there = THERE;
    assert_status(trp_netem_cut(netem, 1, mode, &here, 1, &there, 1), TRP_OK);
    if (both) {
        assert_status(trp_netem_cut(netem, 1, mode, &there, 1, &here, 1), TRP_OK);
    }
}

/* ---- paths ---- */

static void what_has_no_path_passes_at_once(void **state)
{
    (void)state;
    connect_at_once();
    toy_sends(DIALED, "hello");
    toy_says((struct trp_output){.kind = TRP_OUT_SHUTDOWN, .socket = DIALED});
    toy_acts();
    assert_performed("bytes 2:hello, shut 2");
    driver_brings("hi");
    feed((struct trp_input){.kind = TRP_IN_EOF, .socket = DIALED});
    assert_told("bytes 2:hi, eof 2");
    toy_says((struct trp_output){.kind = TRP_OUT_CLOSE, .socket = DIALED});
    toy_acts();
    assert_performed("close 2");
    assert_int_equal(trp_gate_sockets(gate), 0);
}

static void a_connect_takes_a_round_trip(void **state)
{
    (void)state;
    shape.latency = (struct trp_dist){.kind = TRP_DIST_CONST, .a = TRP_MS(30)};
    dial(THERE);
    run_to(TRP_MS(29));
    assert_performed("");
    run_to(TRP_MS(30));
    assert_performed("dial 2");
    driver_connects(THERE);
    assert_performed("pause 2"); /* what the other says first would be early */
    run_to(TRP_MS(59));
    assert_told("");
    run_to(TRP_MS(60));
    assert_told("connected 2");
    assert_performed("resume 2");
}

static void bytes_take_their_time_and_stay_in_order(void **state)
{
    (void)state;
    connect_at_once();
    shape.latency = (struct trp_dist){.kind = TRP_DIST_CONST, .a = TRP_MS(30)};
    trp_netem_retopology(netem);
    toy_sends(DIALED, "a");
    toy_acts();
    run_to(TRP_MS(10));
    shape.latency.a = TRP_MS(1); /* a better path overtakes nothing */
    trp_netem_retopology(netem);
    toy_sends(DIALED, "b");
    toy_says((struct trp_output){.kind = TRP_OUT_CLOSE, .socket = DIALED});
    toy_acts();
    run_to(TRP_MS(29));
    assert_performed("");
    run_to(TRP_MS(30));
    assert_performed("bytes 2:a, bytes 2:b, close 2");
}

static void a_narrow_path_takes_as_long_as_its_bits(void **state)
{
    (void)state;
    connect_at_once();
    shape.rate_bits_per_s = 8000; /* a byte a millisecond */
    trp_netem_retopology(netem);
    toy_sends(DIALED, "0123456789");
    toy_acts();
    run_to(TRP_MS(49));
    assert_performed("");
    run_to(TRP_MS(50)); /* with forty bytes of headers */
    assert_performed("bytes 2:0123456789");
}

static void outsiders_have_no_path(void **state)
{
    (void)state;
    shape.latency = (struct trp_dist){.kind = TRP_DIST_CONST, .a = TRP_S(30)};
    dial(9);
    tick();
    assert_performed("dial 2");
    driver_connects(9);
    tick();
    assert_told("connected 2");
}

static void a_stall_holds_and_lets_go(void **state)
{
    (void)state;
    connect_at_once();
    shape.stall = true;
    trp_netem_retopology(netem);
    toy_sends(DIALED, "a");
    toy_acts();
    toy_sends(DIALED, "b");
    toy_acts();
    run_to(TRP_MIN(10));
    assert_performed("");
    shape.stall = false;
    trp_netem_retopology(netem);
    trp_gate_wake(gate);
    tick();
    assert_performed("bytes 2:a, bytes 2:b");
}

/* ---- cuts ---- */

static void a_blackhole_swallows_until_tcp_tries_again(void **state)
{
    (void)state;
    connect_at_once();
    cut(TRP_CUT_BLACKHOLE, true);
    toy_sends(DIALED, "a");
    toy_acts();
    run_to(TRP_S(1));
    assert_performed("");
    assert_int_equal(trp_netem_heal(netem, 1), 2);
    trp_gate_wake(gate);
    run_to(TRP_MS(1399)); /* tried after 200, 600, and 1400 ms */
    assert_performed("");
    run_to(TRP_MS(1400));
    assert_performed("bytes 2:a");
}

static void a_blackhole_that_lasts_ends_the_connection(void **state)
{
    (void)state;
    connect_at_once();
    cut(TRP_CUT_BLACKHOLE, true);
    toy_sends(DIALED, "a");
    toy_acts();
    run_to(TRP_S(102));
    assert_told("");
    run_to(TRP_S(103));
    assert_told("closed 2 ETIMEDOUT");
    assert_performed("close! 2");
    assert_int_equal(trp_gate_sockets(gate), 0);
}

static void a_dial_into_a_blackhole_times_out(void **state)
{
    (void)state;
    cut(TRP_CUT_BLACKHOLE, true);
    dial(THERE);
    run_to(TRP_MS(14999));
    assert_told("");
    assert_performed("");
    run_to(TRP_S(31));
    assert_told("closed 2 ETIMEDOUT");
    assert_performed(""); /* the driver never heard of it */
}

static void a_dial_is_answered_once_the_blackhole_is_gone(void **state)
{
    (void)state;
    cut(TRP_CUT_BLACKHOLE, true);
    dial(THERE);
    run_to(TRP_MS(2500));
    (void)trp_netem_heal(netem, 1);
    run_to(TRP_S(3)); /* tried after 1 and 3 s */
    assert_performed("dial 2");
}

static void a_cut_that_refuses_is_an_error_at_once(void **state)
{
    (void)state;
    connect_at_once();
    cut(TRP_CUT_REFUSE, false);
    toy_sends(DIALED, "a");
    toy_acts();
    run_to(TRP_MS(1));
    assert_performed("close! 2");
    dial(THERE);
    run_to(TRP_MS(5));
    assert_told("closed 2 EUNREACHABLE");
}

static void the_end_of_a_connection_does_not_cross_a_cut(void **state)
{
    (void)state;
    connect_at_once();
    cut(TRP_CUT_BLACKHOLE, true);
    feed((struct trp_input){.kind = TRP_IN_EOF, .socket = DIALED});
    feed((struct trp_input){.kind = TRP_IN_CLOSED, .socket = DIALED, .status = TRP_ERESET});
    run_to(TRP_MIN(10));
    assert_told("");
    (void)trp_netem_heal(netem, 1);
    trp_gate_wake(gate);
    tick();
    assert_told("eof 2, closed 2 ERESET");
    assert_int_equal(trp_gate_sockets(gate), 0);
}

static void a_cut_of_one_way_leaves_the_other(void **state)
{
    (void)state;
    connect_at_once();
    cut(TRP_CUT_BLACKHOLE, false);
    driver_brings("still here");
    assert_told("bytes 2:still here");
    feed((struct trp_input){.kind = TRP_IN_EOF, .socket = DIALED});
    assert_told("eof 2");
}

/* ---- hosts ---- */

static void a_paused_host_is_told_everything_later(void **state)
{
    (void)state;
    connect_at_once();
    toy.deadline = TRP_S(5);
    trp_gate_pause(gate);
    tick();
    assert_performed("pause 2");
    driver_brings("one");
    driver_brings("two");
    const struct trp_multiaddr ends[2] = {address(HERE), address(THERE)};
    feed((struct trp_input){
        .kind = TRP_IN_ACCEPTED, .socket = 3, .addresses = ends, .addresses_count = 2});
    feed((struct trp_input){.kind = TRP_IN_CLOSED, .socket = DIALED, .status = TRP_ERESET});
    run_to(TRP_S(20));
    assert_told("");
    trp_gate_resume(gate);
    tick();
    assert_told("bytes 2:one, bytes 2:two, accepted 3, closed 2 ERESET, time");
    assert_performed("pause 3, resume 3");
}

static void a_crash_leaves_connections_open_and_silent(void **state)
{
    (void)state;
    const struct trp_multiaddr own = address(HERE);
    toy_says((struct trp_output){.kind = TRP_OUT_LISTEN, .socket = LISTEN, .address = &own});
    toy_acts();
    assert_performed("listen 4");
    connect_at_once();
    shape.latency = (struct trp_dist){.kind = TRP_DIST_CONST, .a = TRP_MS(30)};
    trp_netem_retopology(netem);
    toy_sends(DIALED, "never arrives");
    toy_acts();
    trp_gate_crash(gate);
    run_to(TRP_S(10));
    assert_performed("close 4, pause 2");
    driver_brings("are you there");
    tick();
    assert_told("");
    assert_performed("");
    trp_gate_power(gate); /* now the machine answers: it knows of no such connection */
    tick();
    assert_performed("resume 2");
    driver_brings("are you there");
    assert_performed("close! 2");
    assert_told("");
    assert_int_equal(trp_gate_sockets(gate), 0);
}

static void a_process_that_stops_sends_what_it_wrote(void **state)
{
    (void)state;
    connect_at_once();
    shape.latency = (struct trp_dist){.kind = TRP_DIST_CONST, .a = TRP_MS(30)};
    trp_netem_retopology(netem);
    toy_sends(DIALED, "goodbye");
    toy_acts();
    trp_gate_stop(gate);
    tick();
    assert_performed("");
    assert_int_equal(trp_gate_sockets(gate), 1);
    run_to(TRP_MS(30));
    assert_performed("bytes 2:goodbye, close 2");
    assert_int_equal(trp_gate_sockets(gate), 0);
}

static bool choose(void *user, uint32_t other)
{
    uint32_t *asked = user;
    (*asked)++;
    return other == THERE;
}

static void a_reset_hits_the_connections_it_chooses(void **state)
{
    (void)state;
    uint32_t asked = 0;
    connect_at_once();
    const struct trp_multiaddr other[2] = {address(HERE), address(2)};
    const struct trp_multiaddr outside[2] = {address(HERE), address(9)};
    feed((struct trp_input){
        .kind = TRP_IN_ACCEPTED, .socket = 3, .addresses = other, .addresses_count = 2});
    feed((struct trp_input){
        .kind = TRP_IN_ACCEPTED, .socket = 5, .addresses = outside, .addresses_count = 2});
    (void)look(toy.told);
    trp_gate_reset(gate, choose, &asked);
    tick();
    assert_int_equal(asked, 2);
    assert_told("closed 2 ERESET");
    assert_performed("close! 2");
}

static void a_process_that_binds_a_datagram_socket_is_told_that_there_are_none(void **state)
{
    (void)state;
    toy_says((struct trp_output){.kind = TRP_OUT_BIND, .socket = 6});
    feed((struct trp_input){.kind = TRP_IN_COMMAND});
    assert_told("command, closed 6 EUNSUPPORTED");
}

static void counts_what_passes(void **state)
{
    (void)state;
    uint64_t sent;
    uint64_t received;
    connect_at_once();
    toy_sends(DIALED, "four");
    toy_acts();
    driver_brings("seventeen letters");
    trp_gate_traffic(gate, &sent, &received);
    assert_int_equal(sent, 4);
    assert_int_equal(received, 17);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, open_gate, close_gate)
    const struct CMUnitTest tests[] = {
        CASE(what_has_no_path_passes_at_once),
        CASE(a_connect_takes_a_round_trip),
        CASE(bytes_take_their_time_and_stay_in_order),
        CASE(a_narrow_path_takes_as_long_as_its_bits),
        CASE(outsiders_have_no_path),
        CASE(a_stall_holds_and_lets_go),
        CASE(a_blackhole_swallows_until_tcp_tries_again),
        CASE(a_blackhole_that_lasts_ends_the_connection),
        CASE(a_dial_into_a_blackhole_times_out),
        CASE(a_dial_is_answered_once_the_blackhole_is_gone),
        CASE(a_cut_that_refuses_is_an_error_at_once),
        CASE(the_end_of_a_connection_does_not_cross_a_cut),
        CASE(a_cut_of_one_way_leaves_the_other),
        CASE(a_paused_host_is_told_everything_later),
        CASE(a_crash_leaves_connections_open_and_silent),
        CASE(a_process_that_stops_sends_what_it_wrote),
        CASE(a_reset_hits_the_connections_it_chooses),
        CASE(a_process_that_binds_a_datagram_socket_is_told_that_there_are_none),
        CASE(counts_what_passes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
