/* SPDX-License-Identifier: MIT */
/* What the libuv driver does with datagrams beyond the conformance suite: IPv6, what the system
 * refuses, and interfaces that come and go. */
#include "conformance/toy.h"
#include "lib/test.h"
#include "uv/datagram.h"

#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define PATIENCE_NS TRP_S(20)

struct rig {
    uv_loop_t loop;
    uv_timer_t tick;
    struct trp_uv_driver *driver;
    struct trp_recorder recorder;
    uint32_t dropped;
    struct toy toy;
};

static void on_event(void *self, const struct trp_trace_event *event)
{
    struct rig *rig = self;
    rig->dropped += strcmp(event->kind->name, "datagram_dropped") == 0;
}

static void on_tick(uv_timer_t *tick)
{
    (void)tick;
}

static int set_up(void **state)
{
    struct rig *rig = test_malloc(sizeof *rig);
    *rig = (struct rig){.dropped = 0};
    toy_init(&rig->toy);
    trp_recorder_init(&rig->recorder, (struct trp_trace_sink){.event = on_event, .self = rig});
    assert_int_equal(uv_loop_init(&rig->loop), 0);
    assert_int_equal(uv_timer_init(&rig->loop, &rig->tick), 0);
    assert_int_equal(uv_timer_start(&rig->tick, on_tick, 5, 5), 0);
    const struct trp_uv_config config = {
        .loop = &rig->loop, .process = toy_process(&rig->toy), .recorder = &rig->recorder};
    assert_status(trp_uv_open(&config, &rig->driver), TRP_OK);
    *state = rig;
    return 0;
}

static int tear_down(void **state)
{
    struct rig *rig = *state;
    trp_uv_close(rig->driver, NULL, NULL);
    uv_close((uv_handle_t *)&rig->tick, NULL);
    assert_int_equal(uv_run(&rig->loop, UV_RUN_DEFAULT), 0);
    assert_int_equal(uv_loop_close(&rig->loop), 0);
    test_free(rig);
    return 0;
}

/* Runs until a count has been reached. */
static void rig_run(struct rig *rig, const uint32_t *count, uint32_t wanted)
{
    const struct trp_command command = {.kind = TRP_CMD_PEERS};
    struct trp_input in = {.kind = TRP_IN_COMMAND, .command = &command};
    trp_time until = trp_time_after(trp_uv_now(), PATIENCE_NS);
    assert_status(trp_uv_input(rig->driver, &in), TRP_OK);
    while (*count < wanted) {
        assert_true(trp_uv_now() < until);
        (void)uv_run(&rig->loop, UV_RUN_ONCE);
    }
}

static bool has_ip6(void)
{
    struct trp_interface interfaces[TRP_INPUT_INTERFACES_MAX];
    uint32_t count = trp_uv_interfaces(interfaces);
    for (uint32_t i = 0; i < count; i++) {
        if (interfaces[i].loopback && interfaces[i].ip_bytes == 16) {
            return true;
        }
    }
    return false;
}

static void carries_ip6(void **state)
{
    struct rig *rig = *state;
    const struct trp_udp_address loopback = {.ip = {[15] = 1}, .ip_bytes = 16};
    const struct trp_udp_address group = {.ip = {0xff, 0x01, [14] = 0x77, 0x77}, .ip_bytes = 16};
    uint32_t lo = if_nametoindex("lo");
    if (!has_ip6()) {
        print_message("skipped: no IPv6 on the loopback interface\n");
        skip();
    }
    struct toy_udp *udp = toy_bind(&rig->toy, &(struct trp_udp_address){.ip_bytes = 16}, false);
    toy_join(&rig->toy, udp, &group, lo, true);
    rig_run(rig, &udp->joins, 1);
    assert_status(udp->joined[0], TRP_OK);
    struct trp_datagram hello = {.remote = loopback, .bytes = trp_bytes_text("hello")};
    hello.remote.port = udp->address.port;
    toy_send_to(&rig->toy, udp, &hello);
    rig_run(rig, &udp->received, 1);
    assert_int_equal(udp->last.datagram.interface, lo);
    assert_memory_equal(udp->last.datagram.local.ip, loopback.ip, 16);
    assert_memory_equal(udp->last.datagram.remote.ip, loopback.ip, 16);
}

static void traces_what_the_system_refuses(void **state)
{
    struct rig *rig = *state;
    struct toy_udp *udp = toy_bind(&rig->toy, &(struct trp_udp_address){.ip_bytes = 4}, false);
    /* The other family; a broadcast that nobody allowed. */
    const struct trp_datagram other = {.remote = {.ip_bytes = 16, .port = 9}};
    const struct trp_datagram broadcast = {
        .remote = {.ip = {255, 255, 255, 255}, .ip_bytes = 4, .port = 9}};
    toy_send_to(&rig->toy, udp, &other);
    toy_send_to(&rig->toy, udp, &broadcast);
    rig_run(rig, &rig->dropped, 2);
    assert_int_equal(udp->closed_count, 0);
}

/* Brings the loopback interface of this process's network up or down. */
static void set_loopback(bool up)
{
    struct ifreq request = {.ifr_name = "lo"};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    request.ifr_flags = (short)(up ? IFF_UP | IFF_RUNNING : 0);
    assert_int_equal(ioctl(fd, SIOCSIFFLAGS, &request), 0);
    (void)close(fd);
}

/* Last: it leaves the machine's network for an empty one. */
static void tells_of_interfaces_that_come_and_go(void **state)
{
    struct rig *rig = *state;
    if (unshare(CLONE_NEWNET) != 0) {
        print_message("skipped: network namespaces need root\n");
        skip();
    }
    struct trp_multiaddr wildcard;
    assert_status(trp_multiaddr_parse("/ip4/0.0.0.0/tcp/0", &wildcard, NULL), TRP_OK);
    const struct toy_socket *listener = toy_listen(&rig->toy, &wildcard);
    toy_watch(&rig->toy);
    rig_run(rig, &rig->toy.interfaces_told, 1);
    assert_int_equal(rig->toy.interfaces_count, 0);
    set_loopback(true);
    rig_run(rig, &rig->toy.interfaces_told, 2);
    assert_true(rig->toy.interfaces_count >= 1);
    assert_true(rig->toy.interfaces[0].loopback);
    assert_int_equal(rig->toy.interfaces[0].prefix_bits, 8);
    /* And the listener is told to be reachable there. */
    struct trp_endpoint endpoint;
    assert_status(trp_multiaddr_tcp(&listener->local, &endpoint), TRP_OK);
    assert_int_equal(endpoint.ip[0], 127);
    set_loopback(false);
    rig_run(rig, &rig->toy.interfaces_told, 3);
    assert_int_equal(rig->toy.interfaces_count, 0);
}

int main(void)
{
#define RIG(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        RIG(carries_ip6),
        RIG(traces_what_the_system_refuses),
        RIG(tells_of_interfaces_that_come_and_go),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
