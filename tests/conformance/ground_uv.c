/* SPDX-License-Identifier: MIT */
#include "conformance/ground.h"
#include "lib/test.h"
#include "uv/driver.h"

#include <net/if.h>

#define PATIENCE_NS TRP_S(20)
#define REST_NS     TRP_MS(150)

struct ground {
    uv_loop_t loop;
    uv_timer_t tick; /* keeps the loop from waiting for ever */
    struct trp_uv_driver *drivers[2];
};

static void on_broken(void *user, enum trp_status status)
{
    (void)user;
    fail_msg("the process is broken: %s", trp_status_name(status));
}

static void on_tick(uv_timer_t *tick)
{
    (void)tick;
}

struct ground *ground_open(struct trp_process first, struct trp_process second)
{
    const struct trp_process processes[2] = {first, second};
    struct ground *ground = test_malloc(sizeof *ground);
    assert_int_equal(uv_loop_init(&ground->loop), 0);
    assert_int_equal(uv_timer_init(&ground->loop, &ground->tick), 0);
    assert_int_equal(uv_timer_start(&ground->tick, on_tick, 5, 5), 0);
    for (uint32_t i = 0; i < 2; i++) {
        const struct trp_uv_config config = {
            .loop = &ground->loop, .process = processes[i], .broken = on_broken};
        assert_status(trp_uv_open(&config, &ground->drivers[i]), TRP_OK);
    }
    return ground;
}

void ground_close(struct ground *ground)
{
    trp_uv_close(ground->drivers[0], NULL, NULL);
    trp_uv_close(ground->drivers[1], NULL, NULL);
    uv_close((uv_handle_t *)&ground->tick, NULL);
    assert_int_equal(uv_run(&ground->loop, UV_RUN_DEFAULT), 0);
    assert_int_equal(uv_loop_close(&ground->loop), 0);
    test_free(ground);
}

void ground_kick(struct ground *ground, uint32_t process)
{
    const struct trp_command command = {.kind = TRP_CMD_PEERS};
    struct trp_input in = {.kind = TRP_IN_COMMAND, .command = &command};
    assert_status(trp_uv_input(ground->drivers[process], &in), TRP_OK);
}

bool ground_run(struct ground *ground, bool (*done)(void *user), void *user)
{
    trp_time until = trp_time_after(trp_uv_now(), PATIENCE_NS);
    while (!done(user)) {
        if (trp_uv_now() > until) {
            return false;
        }
        (void)uv_run(&ground->loop, UV_RUN_ONCE);
    }
    return true;
}

void ground_rest(struct ground *ground)
{
    trp_time until = trp_time_after(trp_uv_now(), REST_NS);
    while (trp_uv_now() < until) {
        (void)uv_run(&ground->loop, UV_RUN_ONCE);
    }
}

trp_time ground_now(const struct ground *ground)
{
    (void)ground;
    return trp_uv_now();
}

static struct trp_multiaddr address_of(const char *text)
{
    struct trp_multiaddr address;
    assert_status(trp_multiaddr_parse(text, &address, NULL), TRP_OK);
    return address;
}

struct trp_multiaddr ground_address(void)
{
    return address_of("/ip4/127.0.0.1/tcp/0");
}

struct trp_multiaddr ground_wildcard(void)
{
    return address_of("/ip4/0.0.0.0/tcp/0");
}

/* A port that was free a moment ago: bound and closed, never listened on. */
struct trp_multiaddr ground_closed_address(void)
{
    uv_loop_t loop;
    uv_tcp_t tcp;
    struct sockaddr_in name;
    int size = sizeof name;
    assert_int_equal(uv_loop_init(&loop), 0);
    assert_int_equal(uv_tcp_init(&loop, &tcp), 0);
    assert_int_equal(uv_ip4_addr("127.0.0.1", 0, &name), 0);
    assert_int_equal(uv_tcp_bind(&tcp, (const struct sockaddr *)&name, 0), 0);
    assert_int_equal(uv_tcp_getsockname(&tcp, (struct sockaddr *)&name, &size), 0);
    uv_close((uv_handle_t *)&tcp, NULL);
    assert_int_equal(uv_run(&loop, UV_RUN_DEFAULT), 0);
    assert_int_equal(uv_loop_close(&loop), 0);
    const uint8_t ip[4] = {127, 0, 0, 1};
    return trp_multiaddr_from_ip(ip, sizeof ip, ntohs(name.sin_port));
}

struct trp_multiaddr ground_name(void)
{
    return address_of("/dns4/localhost/tcp/4001");
}

struct trp_multiaddr ground_bad_name(void)
{
    return address_of("/dns4/no-such-host.invalid/tcp/4001");
}

struct trp_udp_address ground_udp(uint32_t process)
{
    (void)process;
    return (struct trp_udp_address){.ip = {127, 0, 0, 1}, .ip_bytes = 4};
}

/* A group of this machine's own, on the loopback interface. */
struct trp_udp_address ground_group(uint32_t *ret_interface)
{
    *ret_interface = if_nametoindex("lo");
    return (struct trp_udp_address){.ip = {239, 77, 77, 77}, .ip_bytes = 4};
}
