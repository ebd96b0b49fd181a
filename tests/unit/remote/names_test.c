/* SPDX-License-Identifier: MIT */
#include "lib/nodes.h"

/* `hosts` nodes; each but the first knows only the one before it. */
static void chain_open(uint32_t hosts)
{
    nodes_open(hosts, 11);
    nodes_begin();
    for (uint32_t i = 1; i < hosts; i++) {
        nodes_introduce(i, i - 1);
    }
    nodes_run(TRP_S(5));
}

static enum trp_status find(uint32_t host, const char *name)
{
    return nodes_lookup(host, name, false)->value.status;
}

/* How many others keep the name of a provider. */
static uint32_t holders(const char *name, uint32_t provider)
{
    struct trp_peer_id peer = nodes_peer(provider);
    uint32_t count = 0;
    for (uint32_t i = 0; i < nodes.count; i++) {
        count += i != provider && nodes.hosts[i].node != NULL &&
                 trp_node_holds_provider(nodes.hosts[i].node, trp_bytes_text(name), &peer);
    }
    return count;
}

/* ---- finding ---- */

static void a_name_is_found_from_everywhere(void **state)
{
    (void)state;
    chain_open(5);
    struct trp_actor_ref ref = nodes_spawn(0, &agent_type, 'a', "counter");
    for (uint32_t i = 0; i < 5; i++) {
        const struct nodes_result *found = nodes_lookup(i, "counter", false);
        assert_status(found->value.status, TRP_OK);
        assert_true(trp_actor_ref_equal(&found->value.ref, &ref));
        assert_string_equal(found->type, "agent");
    }
    nodes_close();
}

/* Host 4 was told of host 3 only: it learns from the DHT where host 0 is, and dials it. */
static void addresses_from_the_dht_are_dialed(void **state)
{
    (void)state;
    chain_open(5);
    nodes_spawn(0, &agent_type, 'a', "counter");
    struct trp_command ask =
        nodes_ask(&(struct trp_actor_ref){0}, &agent_add_type, &(struct agent_add){.amount = 3});
    ask.name = trp_bytes_text("counter");
    const struct nodes_result *reply = nodes_do(4, ask);
    assert_status(reply->value.status, TRP_OK);
    assert_int_equal(reply->payload[0], 3);
    assert_log("a+3");
    nodes_close();
}

static void all_actors_of_a_name_come_as_a_stream(void **state)
{
    (void)state;
    chain_open(4);
    for (uint32_t i = 0; i < 3; i++) {
        nodes_spawn(i, i == 1 ? &frail_type : &agent_type, (char)('a' + (int)i), "many");
    }
    const struct nodes_result *last = nodes_lookup(3, "many", true);
    assert_status(last->value.status, TRP_OK);
    assert_int_equal(last->value.ref.id, 0);
    assert_int_equal(nodes_found(last->value.request), 3);
    last = nodes_lookup(0, "many", true); /* its own is among them */
    assert_int_equal(nodes_found(last->value.request), 3);
    nodes_close();
}

static uint32_t found_count;
static uint32_t lasts;
static enum trp_status last_status;

static enum trp_status on_found(struct trp_context *ctx, void *agent,
                                const struct trp_lookup_result *result)
{
    (void)ctx;
    (void)agent;
    found_count += result->status == TRP_OK && result->ref.id != 0;
    lasts += result->last;
    last_status = result->last ? result->status : last_status;
    return TRP_OK;
}

static enum trp_status act_look_up(struct trp_context *ctx, struct agent *agent, uint64_t scope)
{
    (void)agent;
    found_count = lasts = 0;
    return trp_lookup(ctx, "many", (enum trp_lookup_scope)scope, on_found, 0);
}

static void an_actor_looks_up_in_each_scope(void **state)
{
    (void)state;
    chain_open(3);
    struct trp_actor_ref asker = nodes_spawn(0, &agent_type, 'z', NULL);
    nodes_spawn(1, &agent_type, 'a', "many");
    nodes_spawn(2, &agent_type, 'b', "many");
    static const struct {
        enum trp_lookup_scope scope;
        uint32_t found;
        enum trp_status status;
    } cases[] = {{TRP_LOOKUP_FIRST, 1, TRP_OK},
                 {TRP_LOOKUP_ALL, 2, TRP_OK},
                 {TRP_LOOKUP_LOCAL, 0, TRP_ENOTFOUND}};
    for (uint32_t i = 0; i < 3; i++) {
        assert_status(nodes_act(0, &asker, act_look_up, cases[i].scope), TRP_OK);
        nodes_run(TRP_S(1));
        assert_int_equal(found_count, cases[i].found);
        assert_int_equal(lasts, 1);
        assert_status(last_status, cases[i].status);
    }
    nodes_spawn(0, &agent_type, 'c', "many");
    assert_status(nodes_act(0, &asker, act_look_up, TRP_LOOKUP_LOCAL), TRP_OK);
    nodes_run(TRP_MS(1));
    assert_int_equal(found_count, 1);
    struct trp_command local = {
        .kind = TRP_CMD_LOOKUP, .name = trp_bytes_text("many"), .local = true};
    struct trp_peer_id here = nodes_peer(1);
    assert_true(trp_peer_id_equal(&nodes_do(1, local)->value.ref.peer, &here));
    nodes_close();
}

static void nobody_to_ask_is_not_nobody_of_that_name(void **state)
{
    (void)state;
    nodes_open(2, 5);
    nodes_begin();
    assert_status(find(0, "counter"), TRP_ENOPEERS);
    nodes_introduce(0, 1);
    nodes_run(TRP_S(1));
    assert_status(find(0, "counter"), TRP_ENOTFOUND);
    nodes_close();
}

static void a_name_registered_alone_is_announced_when_there_are_peers(void **state)
{
    (void)state;
    nodes_open(2, 5);
    nodes_begin();
    nodes_spawn(0, &agent_type, 'a', "early");
    nodes_run(TRP_S(40));
    nodes_introduce(1, 0);
    nodes_run(TRP_S(5));
    assert_int_equal(holders("early", 0), 1);
    assert_status(find(1, "early"), TRP_OK);
    nodes_close();
}

/* ---- names ---- */

static void what_is_no_name_is_refused(void **state)
{
    (void)state;
    chain_open(2);
    struct trp_actor_ref ref = nodes_spawn(0, &agent_type, 'a', NULL);
    static char too_long[257];
    memset(too_long, 'x', sizeof too_long - 1);
    static const char *const bad[] = {"",     "a:meta:b", ":meta:", "a:meta",
                                      "\xff", "\xc3(",    too_long};
    for (uint32_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct trp_command command = {
            .kind = TRP_CMD_REGISTER, .ref = ref, .name = trp_bytes_text(bad[i])};
        assert_status(nodes_do(0, command)->value.status, TRP_EINVAL);
        assert_status(find(0, bad[i]), TRP_EINVAL);
    }
    static const char *const good[] = {"a:met", "meta:", "\xc3\xa9", "x"};
    for (uint32_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        struct trp_command command = {
            .kind = TRP_CMD_REGISTER, .ref = ref, .name = trp_bytes_text(good[i])};
        assert_status(nodes_do(0, command)->value.status, TRP_OK);
        assert_status(find(1, good[i]), TRP_OK);
    }
    too_long[255] = '\0';
    struct trp_command command = {
        .kind = TRP_CMD_REGISTER, .ref = ref, .name = trp_bytes_text(too_long)};
    assert_status(nodes_do(0, command)->value.status, TRP_OK);
    assert_status(find(1, too_long), TRP_OK);
    nodes_close();
}

static enum trp_status registered;

static enum trp_status on_registered(struct trp_context *ctx, void *agent,
                                     const struct trp_reply *reply)
{
    (void)ctx;
    (void)agent;
    registered = reply->status;
    return TRP_OK;
}

static enum trp_status act_register(struct trp_context *ctx, struct agent *agent, uint64_t name)
{
    (void)agent;
    struct trp_actor_ref self = trp_self(ctx);
    registered = TRP_EAGAIN;
    return trp_register_ack(ctx, &self, (const char *)(uintptr_t)name, on_registered, 0);
}

static enum trp_status act_register_and_withdraw(struct trp_context *ctx, struct agent *agent,
                                                 uint64_t name)
{
    enum trp_status status = act_register(ctx, agent, name);
    return status == TRP_OK ? trp_unregister(ctx, (const char *)(uintptr_t)name) : status;
}

#define TEXT(text) ((uint64_t)(uintptr_t)(text))

/* The second actor does not get the name, and the end of the first leaves it for the third. */
static void a_name_has_one_actor_per_node(void **state)
{
    (void)state;
    chain_open(2);
    struct trp_actor_ref first = nodes_spawn(0, &agent_type, 'a', NULL);
    struct trp_actor_ref second = nodes_spawn(0, &agent_type, 'b', NULL);
    assert_status(nodes_act(0, &first, act_register, TEXT("name")), TRP_OK);
    nodes_run(TRP_S(1));
    assert_status(registered, TRP_OK);
    assert_status(nodes_act(0, &first, act_register, TEXT("name")), TRP_OK); /* its own again */
    nodes_run(TRP_S(1));
    assert_status(registered, TRP_OK);
    assert_status(nodes_act(0, &second, act_register, TEXT("name")), TRP_OK);
    nodes_run(TRP_S(1));
    assert_status(registered, TRP_EEXISTS);
    assert_true(trp_actor_ref_equal(&nodes_lookup(1, "name", false)->value.ref, &first));
    assert_status(nodes_act(0, &second, act_register, TEXT("other")), TRP_OK);
    nodes_run(TRP_S(1));
    assert_status(nodes_named(0, TRP_CMD_STOP, "other"), TRP_OK);
    nodes_run(TRP_S(1));
    assert_log("stop:b:0");
    assert_status(find(1, "name"), TRP_OK); /* the stop of b took what was b's */
    assert_status(find(1, "other"), TRP_ENOTFOUND);
    assert_status(nodes_named(0, TRP_CMD_STOP, "name"), TRP_OK);
    nodes_run(TRP_MS(1));
    struct trp_actor_ref third = nodes_spawn(0, &agent_type, 'c', "name");
    nodes_run(TRP_S(1));
    assert_true(trp_actor_ref_equal(&nodes_lookup(1, "name", false)->value.ref, &third));
    nodes_close();
}

static void a_registration_that_is_withdrawn_has_an_outcome(void **state)
{
    (void)state;
    chain_open(2);
    struct trp_actor_ref ref = nodes_spawn(0, &agent_type, 'a', NULL);
    assert_status(nodes_act(0, &ref, act_register_and_withdraw, TEXT("name")), TRP_OK);
    nodes_run(TRP_S(1));
    assert_status(registered, TRP_ECANCELLED);
    assert_status(find(1, "name"), TRP_ENOTFOUND);
    nodes_close();
}

/* ---- withdrawn and dead names ---- */

static void a_withdrawn_name_is_gone_within_a_second(void **state)
{
    (void)state;
    chain_open(5);
    nodes_spawn(0, &agent_type, 'a', "withdrawn");
    nodes_spawn(0, &agent_type, 'b', "stopped");
    nodes_spawn(1, &agent_type, 'c', "left");
    nodes_run(TRP_S(1));
    assert_true(holders("withdrawn", 0) >= 3 && holders("stopped", 0) >= 3 &&
                holders("left", 1) >= 3);
    assert_status(nodes_named(0, TRP_CMD_UNREGISTER, "withdrawn"), TRP_OK);
    assert_status(nodes_named(0, TRP_CMD_STOP, "stopped"), TRP_OK);
    struct trp_peer_id leaver = nodes_peer(1);
    (void)nodes_command(1, (struct trp_command){.kind = TRP_CMD_LEAVE});
    nodes_run(TRP_S(1));
    assert_int_equal(holders("withdrawn", 0), 0);
    assert_int_equal(holders("stopped", 0), 0);
    for (uint32_t i = 2; i < 5; i++) {
        assert_false(trp_node_holds_provider(nodes.hosts[i].node, trp_bytes_text("left"), &leaver));
        assert_status(find(i, "withdrawn"), TRP_ENOTFOUND);
        assert_status(find(i, "stopped"), TRP_ENOTFOUND);
    }
    assert_status(nodes_named(0, TRP_CMD_UNREGISTER, "withdrawn"), TRP_ENOTFOUND);
    nodes_close();
}

/* Whoever holds the record of a name, its provider is asked before it is believed. */
static void a_dead_name_is_never_found(void **state)
{
    (void)state;
    chain_open(5);
    nodes_spawn(0, &agent_type, 'a', "name");
    nodes_spawn(4, &agent_type, 'b', "name");
    nodes_run(TRP_S(1));
    trp_world_crash(nodes.world, 0, 0);
    for (uint32_t i = 0; i < 10; i++) {
        const struct nodes_result *last = nodes_lookup(1 + i % 3, "name", true);
        assert_status(last->value.status, TRP_OK);
        assert_int_equal(nodes_found(last->value.request), 1); /* b, who lives */
    }
    trp_world_crash(nodes.world, 4, 0);
    for (uint32_t i = 0; i < 6; i++) {
        assert_status(find(1 + i % 3, "name"), TRP_EUNREACHABLE);
    }
    nodes_close();
}

/* So few know of the name that the dead one itself is asked who has it; that it is silent is known
 * once it has not vouched for the name. */
static void in_a_network_of_a_few_a_dead_name_is_known_as_soon(void **state)
{
    (void)state;
    for (uint32_t hosts = 2; hosts <= 4; hosts++) {
        chain_open(hosts);
        nodes_spawn(0, &agent_type, 'a', "name");
        nodes_run(TRP_S(5));
        trp_world_crash(nodes.world, 0, 0);
        for (uint32_t i = 1; i < hosts; i++) {
            trp_time began = nodes_now();
            enum trp_status status = find(i, "name");
            assert_true(status == TRP_EUNREACHABLE || status == TRP_ETIMEDOUT);
            assert_true(nodes_now() - began < TRP_S(3) + TRP_MS(500));
        }
        nodes_close();
    }
}

/* A provider that has the name no more says so, even where its withdrawal never came. */
static void a_name_of_an_earlier_life_is_not_found(void **state)
{
    (void)state;
    chain_open(4);
    nodes_spawn(0, &agent_type, 'a', "name");
    nodes_run(TRP_S(1));
    trp_world_crash(nodes.world, 0, 0);
    nodes_run(TRP_S(1));
    trp_world_restart(nodes.world, 0, TRP_STATE_KEPT, 0);
    nodes_run(TRP_S(20));
    assert_status(find(3, "name"), TRP_ENOTFOUND);
    nodes_close();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_name_is_found_from_everywhere),
        cmocka_unit_test(addresses_from_the_dht_are_dialed),
        cmocka_unit_test(all_actors_of_a_name_come_as_a_stream),
        cmocka_unit_test(an_actor_looks_up_in_each_scope),
        cmocka_unit_test(nobody_to_ask_is_not_nobody_of_that_name),
        cmocka_unit_test(a_name_registered_alone_is_announced_when_there_are_peers),
        cmocka_unit_test(what_is_no_name_is_refused),
        cmocka_unit_test(a_name_has_one_actor_per_node),
        cmocka_unit_test(a_registration_that_is_withdrawn_has_an_outcome),
        cmocka_unit_test(a_withdrawn_name_is_gone_within_a_second),
        cmocka_unit_test(a_dead_name_is_never_found),
        cmocka_unit_test(in_a_network_of_a_few_a_dead_name_is_known_as_soon),
        cmocka_unit_test(a_name_of_an_earlier_life_is_not_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
