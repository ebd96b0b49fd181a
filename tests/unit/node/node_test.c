/* SPDX-License-Identifier: MIT */
/* Commands of a node that are no business of its actors. */
#include "lib/nodes.h"

static const struct nodes_result *ping(uint32_t host, const struct trp_peer_id *peer)
{
    return nodes_do(host, (struct trp_command){.kind = TRP_CMD_PING, .ref = {.peer = *peer}});
}

static void a_ping_has_one_outcome(void **state)
{
    (void)state;
    nodes_open(3, 5);
    nodes.hosts[2].config.bare = true;
    nodes_begin();
    nodes_introduce(0, 1);
    nodes_run(TRP_S(1));
    struct trp_peer_id peer = nodes_peer(1);
    const struct nodes_result *result = ping(0, &peer);
    assert_status(result->value.status, TRP_OK);
    assert_in_range(result->value.round_trip_ns, 2 * nodes.latency_ns, 4 * nodes.latency_ns);
    assert_status(ping(0, &(struct trp_peer_id){0})->value.status, TRP_EINVAL);
    assert_status(ping(2, &peer)->value.status, TRP_EUNSUPPORTED);
    trp_world_crash(nodes.world, 1, 0);
    assert_true(ping(0, &peer)->value.status != TRP_OK);
    peer.bytes[peer.size - 1] ^= 1;
    assert_status(ping(0, &peer)->value.status, TRP_ENOADDRESS);
    nodes_close();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_ping_has_one_outcome),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
