/* SPDX-License-Identifier: MIT */
/* What only the libuv driver can meet; the rest is in the conformance suite. */
#include "conformance/toy.h"
#include "lib/test.h"
#include "uv/driver.h"

#include <sys/resource.h>
#include <unistd.h>

struct rig {
    uv_loop_t loop;
    uv_timer_t tick;
    struct trp_uv_driver *driver;
    struct trp_recorder recorder;
    uint32_t broken;
    uint32_t saves;
    struct toy toy;
    struct toy_socket *listener;
};

static void on_broken(void *user, enum trp_status status)
{
    struct rig *rig = user;
    assert_status(status, TRP_EHANDLER);
    rig->broken++;
}

static void on_save(void *user, struct trp_bytes bytes)
{
    struct rig *rig = user;
    assert_true(trp_bytes_equal(bytes, trp_bytes_text("kept")));
    rig->saves++;
}

static void on_tick(uv_timer_t *tick)
{
    (void)tick;
}

static void rig_kick(struct rig *rig)
{
    const struct trp_command command = {.kind = TRP_CMD_PEERS};
    struct trp_input in = {.kind = TRP_IN_COMMAND, .command = &command};
    assert_status(trp_uv_input(rig->driver, &in), TRP_OK);
}

static void rig_run(struct rig *rig, trp_time span_ns)
{
    trp_time until = trp_time_after(trp_uv_now(), span_ns);
    while (trp_uv_now() < until) {
        (void)uv_run(&rig->loop, UV_RUN_ONCE);
    }
}

static void rig_open(struct rig *rig, struct trp_process process)
{
    trp_recorder_init(&rig->recorder, (struct trp_trace_sink){NULL, NULL});
    assert_int_equal(uv_loop_init(&rig->loop), 0);
    assert_int_equal(uv_timer_init(&rig->loop, &rig->tick), 0);
    assert_int_equal(uv_timer_start(&rig->tick, on_tick, 5, 5), 0);
    const struct trp_uv_config config = {.loop = &rig->loop,
                                         .process = process,
                                         .recorder = &rig->recorder,
                                         .save = on_save,
                                         .broken = on_broken,
                                         .user = rig};
    assert_status(trp_uv_open(&config, &rig->driver), TRP_OK);
}

static int set_up(void **state)
{
    struct rig *rig = test_calloc(1, sizeof *rig);
    struct trp_multiaddr address;
    toy_init(&rig->toy);
    rig_open(rig, toy_process(&rig->toy));
    assert_status(trp_multiaddr_parse("/ip4/127.0.0.1/tcp/0", &address, NULL), TRP_OK);
    rig->listener = toy_listen(&rig->toy, &address);
    rig_kick(rig);
    assert_true(rig->listener->local.size > 0);
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

/* Connects from outside the driver; gives the descriptor. */
static int connect_from_outside(const struct rig *rig)
{
    struct trp_endpoint endpoint;
    struct sockaddr_in name = {.sin_family = AF_INET};
    assert_status(trp_multiaddr_tcp(&rig->listener->local, &endpoint), TRP_OK);
    name.sin_port = htons(endpoint.port);
    memcpy(&name.sin_addr, endpoint.ip, 4);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_true(fd >= 0);
    assert_int_equal(connect(fd, (const struct sockaddr *)&name, sizeof name), 0);
    return fd;
}

static void survives_running_out_of_descriptors(void **state)
{
    struct rig *rig = *state;
    struct rlimit was;
    int fds[4];
    for (uint32_t i = 0; i < 4; i++) {
        fds[i] = connect_from_outside(rig);
    }
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &was), 0);
    const struct rlimit tight = {.rlim_cur = (rlim_t)fds[3] + 1, .rlim_max = was.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &tight), 0);
    struct toy_socket *dialed = toy_dial(&rig->toy, &rig->listener->local);
    rig_kick(rig);
    rig_run(rig, TRP_MS(50));
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &was), 0);
    assert_status(dialed->closed_status, TRP_EFULL);
    assert_null(toy_accepted(&rig->toy, 0)); /* libuv closed them, and told nobody */
    int fd = connect_from_outside(rig);
    rig_run(rig, TRP_MS(50));
    assert_non_null(toy_accepted(&rig->toy, 0));
    (void)close(fd);
    for (uint32_t i = 0; i < 4; i++) {
        (void)close(fds[i]);
    }
    rig_run(rig, TRP_MS(50));
}

static void refuses_addresses_it_cannot_use(void **state)
{
    struct rig *rig = *state;
    struct trp_multiaddr address;
    assert_status(trp_multiaddr_parse("/dns4/localhost/tcp/80", &address, NULL), TRP_OK);
    struct toy_socket *dialed = toy_dial(&rig->toy, &address);
    struct toy_socket *listener = toy_listen(&rig->toy, &address);
    toy_resolve(&rig->toy, &rig->listener->local); /* no name */
    rig_kick(rig);
    assert_status(dialed->closed_status, TRP_EUNSUPPORTED);
    assert_status(listener->closed_status, TRP_EUNSUPPORTED);
    assert_status(rig->toy.resolved, TRP_EUNSUPPORTED);
}

static void hands_out_state_to_keep(void **state)
{
    struct rig *rig = *state;
    rig->toy.outputs[0] =
        (struct trp_output){.kind = TRP_OUT_SAVE, .bytes = trp_bytes_text("kept")};
    rig->toy.outputs_count = 1;
    rig->toy.outputs_given = 0;
    rig_kick(rig);
    assert_int_equal(rig->saves, 1);
}

static enum trp_status broken_step(void *self, const struct trp_input *in)
{
    (void)self;
    return in->kind == TRP_IN_COMMAND ? TRP_EHANDLER : TRP_OK;
}

static bool broken_next_output(void *self, struct trp_output *ret_out)
{
    (void)self, (void)ret_out;
    return false;
}

static trp_time broken_deadline(const void *self)
{
    (void)self;
    return 0; /* for ever overdue */
}

static void stops_feeding_a_broken_process(void **state)
{
    (void)state;
    static const struct trp_process_ops ops = {broken_step, broken_next_output, broken_deadline};
    struct rig *rig = test_calloc(1, sizeof *rig);
    rig_open(rig, (struct trp_process){.ops = &ops, .self = rig});
    struct trp_input in = {.kind = TRP_IN_COMMAND};
    rig_run(rig, TRP_MS(10)); /* an overdue deadline does not starve the loop */
    assert_status(trp_uv_input(rig->driver, &in), TRP_ESTATE);
    assert_status(trp_uv_input(rig->driver, &in), TRP_ESTATE);
    assert_int_equal(rig->broken, 1);
    void *closing = rig;
    assert_int_equal(tear_down(&closing), 0);
}

int main(void)
{
#define RIG(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        RIG(survives_running_out_of_descriptors),
        RIG(refuses_addresses_it_cannot_use),
        RIG(hands_out_state_to_keep),
        cmocka_unit_test(stops_feeding_a_broken_process),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
