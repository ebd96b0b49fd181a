/* SPDX-License-Identifier: MIT */
/* examples/kameo_counter.c - an actor in C that a Rust program calls through Kameo.
 *
 * Runs a counter under the name "counter" until it is interrupted, and says where it listens; the
 * Rust side is kameo-rust/src/bin/call_counter.rs.
 *     kameo_counter                        listening /ip4/127.0.0.1/tcp/4001/p2p/12D3KooW…
 *     call_counter /ip4/127.0.0.1/tcp/4001/p2p/12D3KooW… 10                10 */
#include "counter.h"

#include <troupe/swarm.h>
#include <troupe/uv.h>

#include <signal.h>
#include <stdio.h>

static struct trp_runtime *runtime;

static void on_signal(int number)
{
    (void)number;
    trp_runtime_stop(runtime);
}

static void on_result(void *user, const struct trp_result *result)
{
    (void)user;
    if (result->status != TRP_OK) {
        (void)fprintf(stderr, "kameo_counter: %s\n", trp_status_text(result->status));
        trp_runtime_stop(runtime);
    }
}

static void print_address(void)
{
    const struct trp_node *node = trp_runtime_node(runtime);
    struct trp_multiaddr address;
    char text[TRP_MULTIADDR_TEXT_MAX];
    if (trp_swarm_listen_addresses(trp_node_swarm(trp_runtime_node(runtime)), &address, 1) == 1 &&
        trp_multiaddr_with_peer(&address, trp_node_peer_id(node), &address) == TRP_OK) {
        trp_multiaddr_print(&address, text);
        (void)printf("listening %s\n", text);
        (void)fflush(stdout);
    }
}

int main(int argc, char **argv)
{
    static const struct trp_actor_type *const types[] = {&counter_actor_type};
    const struct trp_runtime_config config = {
        .node = {.actor_types = types, .actor_types_count = 1}, .on_result = on_result};
    const struct trp_command spawn = {.kind = TRP_CMD_SPAWN,
                                      .actor_type = trp_bytes_text(counter_actor_type.id),
                                      .name = trp_bytes_text(COUNTER_NAME)};
    enum trp_status status =
        trp_bootstrap(argc > 1 ? argv[1] : "/ip4/127.0.0.1/tcp/0", &config, &runtime);
    if (status == TRP_OK) {
        (void)signal(SIGINT, on_signal);
        (void)signal(SIGTERM, on_signal);
        print_address();
        status = trp_runtime_command(runtime, &spawn);
    }
    if (status == TRP_OK) {
        trp_runtime_run(runtime, TRP_NEVER);
    } else {
        (void)fprintf(stderr, "kameo_counter: %s\n", trp_status_text(status));
    }
    trp_runtime_close(runtime);
    return status == TRP_OK ? 0 : 1;
}
