/* SPDX-License-Identifier: MIT */
#include <troupe/swarm.h>
#include <troupe/uv.h>

#include "lib/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <uv.h>

struct answers {
    uint64_t request;
    uint32_t finals;
    enum trp_status status;
    size_t payload_bytes;
};

static void on_result(void *user, const struct trp_result *result)
{
    struct answers *answers = user;
    answers->request = result->request;
    answers->finals += result->last;
    answers->status = result->status;
    answers->payload_bytes = result->payload.size;
}

static uint32_t connections_of(struct trp_runtime *runtime)
{
    struct trp_node_view view;
    trp_node_inspect(trp_runtime_node(runtime), &view);
    return view.connections;
}

/* Runs two runtimes on one loop until each has `count` connections; says whether it came to it. */
static bool run_until_connections(struct trp_runtime *first, struct trp_runtime *second,
                                  uint32_t count)
{
    for (uint32_t i = 0; i < 1000; i++) {
        if (connections_of(first) == count && connections_of(second) == count) {
            return true;
        }
        trp_runtime_run(first, TRP_MS(5));
    }
    return false;
}

static struct trp_multiaddr listen_address(struct trp_runtime *runtime)
{
    struct trp_multiaddr addresses[TRP_INPUT_ADDRESSES_MAX];
    struct trp_multiaddr address;
    struct trp_swarm *swarm = trp_node_swarm(trp_runtime_node(runtime));
    assert_true(trp_swarm_listen_addresses(swarm, addresses, TRP_INPUT_ADDRESSES_MAX) > 0);
    assert_status(trp_multiaddr_with_peer(&addresses[0], trp_swarm_peer_id(swarm), &address),
                  TRP_OK);
    return address;
}

static void joins_another_runtime(void **state)
{
    (void)state;
    uv_loop_t loop;
    struct answers answers = {.finals = 0};
    struct trp_runtime *first;
    struct trp_runtime *second;
    assert_int_equal(uv_loop_init(&loop), 0);
    const struct trp_runtime_config config = {
        .loop = &loop, .on_result = on_result, .user = &answers};
    assert_status(trp_bootstrap("/ip4/127.0.0.1/tcp/0", &config, &first), TRP_OK);
    assert_status(trp_bootstrap("/ip4/127.0.0.1/tcp/0", &config, &second), TRP_OK);
    const struct trp_command dial = {
        .kind = TRP_CMD_DIAL, .request = 7, .address = listen_address(first)};
    assert_status(trp_runtime_command(second, &dial), TRP_OK);
    assert_int_equal(answers.finals, 1);
    assert_status(answers.status, TRP_OK);
    assert_int_equal(answers.request, 7);
    assert_true(run_until_connections(first, second, 1));
    trp_runtime_close(second);
    for (uint32_t i = 0; i < 1000 && connections_of(first) > 0; i++) {
        trp_runtime_run(first, TRP_MS(5));
    }
    assert_int_equal(connections_of(first), 0);
    trp_runtime_close(first);
    assert_int_equal(uv_run(&loop, UV_RUN_DEFAULT), 0);
    assert_int_equal(uv_loop_close(&loop), 0);
}

static void says_why_it_cannot_listen(void **state)
{
    (void)state;
    struct trp_runtime *runtime;
    struct trp_runtime *other;
    char text[TRP_MULTIADDR_TEXT_MAX];
    assert_status(trp_bootstrap("nonsense", NULL, &runtime), TRP_EINVAL);
    assert_status(trp_bootstrap("/ip4/127.0.0.1/tcp/0", NULL, &runtime), TRP_OK);
    struct trp_multiaddr taken = listen_address(runtime);
    taken = trp_multiaddr_without_peer(&taken);
    trp_multiaddr_print(&taken, text);
    assert_status(trp_bootstrap(text, NULL, &other), TRP_EADDRINUSE);
    trp_runtime_close(runtime);
}

static void keeps_its_identity(void **state)
{
    (void)state;
    char directory[] = "/tmp/troupe-runtime-XXXXXX";
    char path[64];
    struct trp_runtime *runtime;
    assert_non_null(mkdtemp(directory));
    (void)snprintf(path, sizeof path, "%s/state", directory);
    const struct trp_runtime_config config = {.state_path = path};
    assert_status(trp_runtime_open(&config, &runtime), TRP_OK);
    struct trp_peer_id peer = *trp_node_peer_id(trp_runtime_node(runtime));
    trp_runtime_close(runtime);
    assert_status(trp_runtime_open(&config, &runtime), TRP_OK);
    assert_true(trp_peer_id_equal(&peer, trp_node_peer_id(trp_runtime_node(runtime))));
    trp_runtime_close(runtime);
    /* A damaged file is neither used nor replaced. */
    assert_int_equal(truncate(path, 40), 0);
    assert_status(trp_runtime_open(&config, &runtime), TRP_EMALFORMED);
    assert_status(trp_runtime_open(&config, &runtime), TRP_EMALFORMED);
    assert_int_equal(unlink(path), 0);
    assert_status(trp_runtime_open(&config, &runtime), TRP_OK);
    assert_false(trp_peer_id_equal(&peer, trp_node_peer_id(trp_runtime_node(runtime))));
    trp_runtime_close(runtime);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rmdir(directory), 0);
}

static void stop_later(void *user)
{
    trp_runtime_stop(user);
}

static void stops_from_another_thread(void **state)
{
    (void)state;
    struct trp_runtime *runtime;
    uv_thread_t thread;
    assert_status(trp_runtime_open(NULL, &runtime), TRP_OK);
    assert_int_equal(uv_thread_create(&thread, stop_later, runtime), 0);
    trp_runtime_run(runtime, TRP_NEVER);
    assert_int_equal(uv_thread_join(&thread), 0);
    uint64_t begun = uv_hrtime();
    trp_runtime_run(runtime, TRP_MS(20)); /* the stop was used up */
    assert_true(uv_hrtime() - begun >= TRP_MS(19));
    trp_runtime_close(runtime);
    trp_runtime_close(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(joins_another_runtime),
        cmocka_unit_test(says_why_it_cannot_listen),
        cmocka_unit_test(keeps_its_identity),
        cmocka_unit_test(stops_from_another_thread),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
