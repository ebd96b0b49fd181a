/* SPDX-License-Identifier: MIT */
/* Host 0 has actors and rules; hosts 1 and 2 are friend and stranger. */
#include "lib/nodes.h"

static struct trp_actor_ref agent;
static struct trp_actor_ref frail;
static struct trp_access_rule rules[4];
static uint32_t rules_count;

static void begin(void)
{
    nodes_open(3, 21);
    nodes_begin();
    /* Now that their ids are known, host 0 starts again with the rules. */
    for (uint32_t i = 0; i < rules_count; i++) {
        if (rules[i].peer.size == 1) {
            rules[i].peer = nodes_peer(rules[i].peer.bytes[0]);
        }
    }
    trp_world_stop(nodes.world, 0, 0);
    nodes.hosts[0].config.access = rules;
    nodes.hosts[0].config.access_count = rules_count;
    trp_world_restart(nodes.world, 0, TRP_STATE_KEPT, 0);
    nodes_run(TRP_MS(1));
    nodes_introduce(1, 0);
    nodes_introduce(2, 0);
    nodes_run(TRP_S(1));
    agent = nodes_spawn(0, &agent_type, 'a', "agent");
    frail = nodes_spawn(0, &frail_type, 'f', "frail");
}

/* A peer by its host, until begin knows its id. */
static struct trp_peer_id host_peer(uint8_t host)
{
    return (struct trp_peer_id){.size = 1, .bytes = {host}};
}

static void rules_are(uint32_t count, const struct trp_access_rule *wanted)
{
    rules_count = count;
    memcpy(rules, wanted, count * sizeof rules[0]);
    begin();
}

static enum trp_status tell(uint32_t host, const struct trp_actor_ref *to, const char *type)
{
    struct trp_command command = nodes_ask(to, &agent_add_type, &(struct agent_add){.amount = 1});
    command.kind = TRP_CMD_TELL;
    command.ref.type = 0;
    command.actor_type = trp_bytes_text(type);
    return nodes_do(host, command)->value.status;
}

static enum trp_status act_link(struct trp_context *ctx, struct agent *self, uint64_t to)
{
    (void)self;
    struct trp_actor_ref *ref = (struct trp_actor_ref *)(uintptr_t)to;
    enum trp_status status = trp_ref_set_type(ctx, ref, ref->id == agent.id ? "agent" : "frail");
    return status == TRP_OK ? trp_link(ctx, ref) : status;
}

/* Has an agent of a host link with an actor of host 0; says whether that was allowed. */
static bool links(uint32_t host, struct trp_actor_ref to)
{
    struct trp_actor_ref linker = nodes_spawn(host, &agent_type, 'l', NULL);
    nodes.log_size = 0;
    nodes.log[0] = '\0';
    assert_status(nodes_act(host, &linker, act_link, (uint64_t)(uintptr_t)&to), TRP_OK);
    nodes_run(TRP_MS(100));
    return strstr(nodes.log, "death:l") == NULL;
}

static void without_rules_everybody_may_do_everything(void **state)
{
    (void)state;
    rules_count = 0;
    begin();
    assert_status(tell(2, &agent, "agent"), TRP_OK);
    assert_true(links(2, agent));
    assert_int_equal(nodes_traced(0, "access_refused"), 0);
    nodes_close();
}

static void a_type_may_be_for_one_peer(void **state)
{
    (void)state;
    rules_are(1, (struct trp_access_rule[]){
                     {.rights = TRP_ACCESS_MESSAGE, .peer = host_peer(1), .actor_type = "frail"}});
    assert_status(tell(1, &frail, "frail"), TRP_OK);
    assert_status(tell(2, &frail, "frail"), TRP_EUNKNOWNACTOR);
    assert_status(tell(2, &frail, "agent"), TRP_EUNKNOWNACTOR); /* whatever it calls it */
    assert_int_equal(nodes_traced(0, "access_refused"), 2);
    assert_status(tell(1, &agent, "agent"), TRP_OK); /* no rule speaks of agents */
    assert_status(tell(2, &agent, "agent"), TRP_OK);
    assert_true(links(2, frail)); /* nor of links */
    nodes_close();
}

static void a_rule_for_a_type_comes_before_one_for_all(void **state)
{
    (void)state;
    rules_are(2, (struct trp_access_rule[]){
                     {.rights = TRP_ACCESS_MESSAGE | TRP_ACCESS_LINK, .peer = host_peer(1)},
                     {.rights = TRP_ACCESS_MESSAGE, .actor_type = "frail"}});
    assert_status(tell(1, &agent, "agent"), TRP_OK);
    assert_status(tell(2, &agent, "agent"), TRP_EUNKNOWNACTOR);
    assert_status(tell(2, &frail, "frail"), TRP_OK); /* those are for everybody */
    assert_true(links(1, agent));
    assert_false(links(2, agent));
    assert_false(links(2, frail)); /* to be told, not to be linked */
    nodes_close();
}

/* A link of two actors of ours may end either, so that both must be allowed. */
static void two_of_ours_are_linked_by_who_may_link_both(void **state)
{
    (void)state;
    rules_are(1, (struct trp_access_rule[]){
                     {.rights = TRP_ACCESS_LINK, .peer = host_peer(1), .actor_type = "frail"}});
    for (uint32_t host = 2; host > 0; host--) {
        const struct trp_command link = {.kind = TRP_CMD_LINK, .ref = agent, .other = frail};
        assert_status(tell(host, &agent, "agent"), TRP_OK); /* it knows the types now */
        assert_status(tell(host, &frail, "frail"), TRP_OK);
        assert_status(nodes_do(host, link)->value.status, host == 1 ? TRP_OK : TRP_EUNKNOWNACTOR);
        assert_int_equal(nodes_traced(0, "link_made"), host == 1);
    }
    nodes_close();
}

static void a_peer_may_be_kept_out_altogether(void **state)
{
    (void)state;
    rules_are(1, (struct trp_access_rule[]){{.rights = TRP_ACCESS_CONNECT, .peer = host_peer(1)}});
    assert_int_equal(nodes_connections(0), 1);
    assert_status(tell(1, &agent, "agent"), TRP_OK);
    enum trp_status status = tell(2, &agent, "agent");
    assert_true(trp_status_class(status) == TRP_CLASS_IO || status == TRP_ERESET);
    assert_true(nodes_traced(0, "access_refused") >= 2);
    assert_log("a+1");
    /* Nor does the node dial it. */
    struct trp_command dial = {.kind = TRP_CMD_DIAL, .address = nodes_address(2)};
    assert_status(nodes_do(0, dial)->value.status, TRP_OK);
    nodes_run(TRP_S(1));
    assert_int_equal(nodes_connections(0), 1);
    nodes_close();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_rules_everybody_may_do_everything),
        cmocka_unit_test(a_type_may_be_for_one_peer),
        cmocka_unit_test(a_rule_for_a_type_comes_before_one_for_all),
        cmocka_unit_test(two_of_ours_are_linked_by_who_may_link_both),
        cmocka_unit_test(a_peer_may_be_kept_out_altogether),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
