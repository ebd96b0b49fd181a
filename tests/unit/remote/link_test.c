/* SPDX-License-Identifier: MIT */
#include "lib/nodes.h"

static struct trp_actor_ref a;
static struct trp_actor_ref b;

static enum trp_status act_link(struct trp_context *ctx, struct agent *agent, uint64_t argument)
{
    (void)agent;
    return trp_link(ctx, (const struct trp_actor_ref *)(uintptr_t)argument);
}

static enum trp_status act_unlink(struct trp_context *ctx, struct agent *agent, uint64_t argument)
{
    (void)agent;
    return trp_unlink(ctx, (const struct trp_actor_ref *)(uintptr_t)argument);
}

static void nodes_kill(uint32_t host, const char *name)
{
    assert_status(nodes_named(host, TRP_CMD_KILL, name), TRP_OK);
}

#define REF(ref) ((uint64_t)(uintptr_t) & (ref))

/* Agents a (host 0) and b (host 1), linked by a. Hosts beyond those are only known. */
static void link_pair(void)
{
    nodes_introduce(1, 0);
    nodes_run(TRP_S(1));
    a = nodes_spawn(0, &agent_type, 'a', "a");
    b = nodes_spawn(1, &agent_type, 'b', "b");
    assert_status(nodes_lookup(0, "b", false)->value.status, TRP_OK); /* 0 knows the type now */
    assert_status(nodes_act(0, &a, act_link, REF(b)), TRP_OK);
    nodes_run(TRP_MS(100));
    assert_log("");
}

static void linked_pair(uint32_t hosts)
{
    nodes_open(hosts, 7);
    nodes_begin();
    link_pair();
}

/* ---- deaths ---- */

static void a_link_reaches_the_other_node(void **state)
{
    (void)state;
    linked_pair(2);
    nodes_kill(0, "a"); /* who made the link */
    nodes_run(TRP_MS(50));
    assert_log("stop:a:2 death:b:2");
    nodes_close();
    linked_pair(2);
    nodes_kill(1, "b"); /* who was asked for it */
    nodes_run(TRP_S(30));
    assert_log("stop:b:2 death:a:2");
    nodes_close();
}

static void an_unlinked_death_is_not_told(void **state)
{
    (void)state;
    linked_pair(2);
    assert_status(nodes_act(0, &a, act_unlink, REF(b)), TRP_OK);
    nodes_run(TRP_MS(50));
    nodes_kill(1, "b");
    nodes_run(TRP_S(30));
    assert_log("stop:b:2");
    nodes_kill(0, "a");
    nodes_run(TRP_S(30));
    assert_log("stop:a:2");
    nodes_close();
}

static enum trp_status act_link_both(struct trp_context *ctx, struct agent *agent,
                                     uint64_t argument)
{
    (void)agent;
    const struct trp_actor_ref *two = (const struct trp_actor_ref *)(uintptr_t)argument;
    enum trp_status status = trp_link(ctx, &two[0]);
    return status == TRP_OK ? trp_link(ctx, &two[1]) : status;
}

/* b dies of c, which was killed: a is told that b died of a link. */
static void the_chain_of_causes_travels(void **state)
{
    (void)state;
    linked_pair(2);
    struct trp_actor_ref two[2] = {a, nodes_spawn(1, &agent_type, 'c', "c")};
    struct trp_actor_ref frail = nodes_spawn(1, &frail_type, 'f', "f");
    assert_status(nodes_lookup(1, "a", false)->value.status, TRP_OK);
    assert_status(nodes_act(1, &frail, act_link_both, (uint64_t)(uintptr_t)two), TRP_OK);
    nodes_run(TRP_MS(50));
    nodes_kill(1, "c");
    nodes_run(TRP_MS(50));
    assert_log("stop:c:2 stop:f:4 death:a:4");
    nodes_close();
}

static enum trp_status act_panic(struct trp_context *ctx, struct agent *agent, uint64_t argument)
{
    const struct trp_actor_ref self = trp_self(ctx);
    (void)agent;
    (void)argument;
    return trp_tell(ctx, &self, &agent_fail_type, NULL);
}

static void a_panic_travels_with_its_text(void **state)
{
    (void)state;
    linked_pair(2);
    assert_status(nodes_act(1, &b, act_panic, 0), TRP_OK);
    nodes_run(TRP_MS(50));
    assert_log("stop:b:3 death:a:3:EDENIED");
    nodes_close();
}

static void linking_with_a_dead_actor_tells_at_once(void **state)
{
    (void)state;
    linked_pair(2);
    struct trp_actor_ref gone = b;
    nodes_kill(1, "b");
    nodes_run(TRP_MS(50));
    assert_log("stop:b:2 death:a:2");
    assert_status(nodes_act(0, &a, act_link, REF(gone)), TRP_OK);
    nodes_run(TRP_MS(50));
    assert_log("death:a:2");
    nodes_close();
}

/* ---- the peer, as long as it lives ---- */

static void idleness_kills_nobody(void **state)
{
    (void)state;
    linked_pair(2);
    nodes_run(TRP_MIN(30)); /* six times the idle timeout */
    assert_int_equal(nodes_connections(0), 1);
    assert_int_equal(nodes_traced(0, "connection_closed"), 0);
    nodes_kill(1, "b");
    nodes_run(TRP_MS(50));
    assert_log("stop:b:2 death:a:2");
    nodes_close();
}

static void a_closed_duplicate_kills_nobody(void **state)
{
    (void)state;
    linked_pair(2);
    struct trp_swarm *swarm = trp_node_swarm(nodes.hosts[1].node);
    const struct trp_dial_request again = {.peer = nodes_peer(0), .even_if_connected = true};
    assert_status(trp_swarm_dial(swarm, &again), TRP_OK);
    (void)nodes_lookup(1, "nobody", false); /* a step, and time */
    nodes_run(TRP_MS(100));
    assert_int_equal(nodes_connections(0), 2);
    uint32_t at = 0;
    struct trp_connection_info first;
    assert_true(trp_swarm_next_connection(swarm, &at, &first));
    trp_swarm_close_connection(swarm, first.id, TRP_OK);
    (void)nodes_lookup(1, "nobody", false);
    nodes_run(TRP_S(20));
    assert_int_equal(nodes_connections(0), 1);
    assert_log("");
    nodes_kill(1, "b");
    nodes_run(TRP_MS(50));
    assert_log("stop:b:2 death:a:2");
    nodes_close();
}

static void a_reset_is_survived_by_redialing(void **state)
{
    (void)state;
    linked_pair(2);
    for (uint32_t i = 0; i < 5; i++) {
        trp_world_reset(nodes.world, i % 2, &(struct trp_reset){.share_ppm = 1000000}, 0);
        nodes_run(TRP_S(6)); /* both dialed; one connection too many lives for 5 s */
        assert_int_equal(nodes_connections(0), 1);
    }
    assert_log("");
    assert_true(nodes_traced(0, "connection_closed") >= 5);
    nodes_kill(1, "b");
    nodes_run(TRP_MS(50));
    assert_log("stop:b:2 death:a:2");
    nodes_close();
}

static void a_short_silence_kills_nobody(void **state)
{
    (void)state;
    linked_pair(2);
    trp_world_pause(nodes.world, 1, 0);
    nodes_run(TRP_S(1));
    trp_world_resume(nodes.world, 1, 0);
    nodes_run(TRP_S(20));
    assert_log("");
    nodes_close();
}

/* ---- the peer, when it is gone ---- */

static void a_blackhole_is_told_within_three_seconds(void **state)
{
    (void)state;
    const uint32_t zero = 0;
    const uint32_t one = 1;
    for (uint32_t direction = 0; direction < 3; direction++) {
        linked_pair(2);
        if (direction != 1) {
            trp_world_cut(nodes.world, 1, &zero, 1, &one, 1, TRP_CUT_BLACKHOLE, 0);
        }
        if (direction != 0) {
            trp_world_cut(nodes.world, 1, &one, 1, &zero, 1, TRP_CUT_BLACKHOLE, 0);
        }
        nodes_run(TRP_S(3));
        assert_non_null(strstr(nodes.log, "death:a:5"));
        assert_non_null(strstr(nodes.log, "death:b:5"));
        trp_world_heal(nodes.world, 1, 0);
        nodes_run(TRP_MIN(3));
        assert_int_equal(nodes_traced(0, "link_died"), 1);
        assert_int_equal(nodes_traced(1, "link_died"), 1);
        nodes_close();
    }
}

static void a_closed_connection_is_told_within_five_milliseconds(void **state)
{
    (void)state;
    nodes_open(2, 7);
    nodes.latency_ns = TRP_US(50);
    nodes_begin();
    link_pair();
    trp_world_stop(nodes.world, 1, 0);
    nodes_run(TRP_MS(5));
    assert_log("death:a:5");
    nodes_run(TRP_MIN(1));
    assert_log("");
    nodes_close();
}

static void a_restart_is_noticed_though_the_peer_is_back(void **state)
{
    (void)state;
    linked_pair(2);
    trp_world_crash(nodes.world, 1, 0);
    nodes_run(TRP_MS(100));
    trp_world_restart(nodes.world, 1, TRP_STATE_KEPT, 0);
    nodes_run(TRP_S(3));
    assert_log("death:a:2"); /* nobody knows why it died */
    assert_int_equal(nodes_traced(0, "peer_lost"), 0);
    nodes_close();
}

/* Host 1 stood still for long enough to be given up; it noticed nothing, and is told. */
static void a_peer_that_was_given_up_hears_of_it(void **state)
{
    (void)state;
    linked_pair(2);
    trp_world_pause(nodes.world, 1, 0);
    nodes_run(TRP_S(4));
    assert_log("death:a:5");
    trp_world_resume(nodes.world, 1, 0);
    nodes_run(TRP_S(20));
    assert_int_equal(nodes_traced(1, "link_died"), 1);
    assert_non_null(strstr(nodes.log, "death:b:"));
    nodes.log_size = 0;
    nodes_kill(1, "b"); /* there is no link any more */
    nodes_run(TRP_S(20));
    assert_log("stop:b:2");
    nodes_close();
}

static void who_leaves_says_goodbye(void **state)
{
    (void)state;
    linked_pair(2);
    uint64_t request = nodes_command(1, (struct trp_command){.kind = TRP_CMD_LEAVE});
    nodes_run(TRP_MS(25));
    assert_log("death:b:5 death:a:5");
    assert_status(nodes_await(request, TRP_S(1))->value.status, TRP_OK);
    nodes_run(TRP_MIN(1));
    assert_log("");
    nodes_close();
}

/* ---- others ---- */

static struct trp_messaging *stranger; /* what host 2 is made of */
static struct trp_messaging_event stranger_heard;
static enum trp_send_error stranger_error;

static void stranger_on_event(void *user, struct trp_messaging *messaging,
                              const struct trp_messaging_event *event)
{
    (void)user;
    stranger_heard = *event;
    if (event->kind == TRP_MESSAGING_REQUEST) {
        const struct trp_response_envelope answer = {.kind = event->request->kind};
        assert_status(trp_messaging_answer(messaging, event->id, &answer), TRP_OK);
    } else if (event->kind == TRP_MESSAGING_RESULT) {
        stranger_error = event->response->error;
    }
}

/* Hosts 0 and 1 are linked, host 2 speaks the protocol and is nobody's friend. */
static void linked_pair_and_stranger(bool believes)
{
    static struct trp_behaviour behaviour;
    const struct trp_messaging_config config = {.on_event = stranger_on_event};
    assert_status(trp_messaging_open(&config, &stranger), TRP_OK);
    behaviour = trp_messaging_behaviour(stranger);
    stranger_heard = (struct trp_messaging_event){0};
    nodes_open(3, 9);
    nodes.hosts[0].config.accept_unlinked_deaths = believes;
    nodes.hosts[2].config =
        (struct trp_node_config){.bare = true, .behaviours = &behaviour, .behaviours_count = 1};
    nodes_begin();
    link_pair();
    nodes_introduce(2, 0);
    nodes_run(TRP_MS(100));
}

static void stranger_close(void)
{
    nodes_close();
    trp_messaging_close(stranger);
}

/* Has the stranger send a request; gives what the answer said. */
static enum trp_send_error stranger_send(const struct trp_request_envelope *request)
{
    uint64_t id;
    stranger_heard.kind = TRP_MESSAGING_REQUEST;
    assert_status(trp_messaging_send(stranger, request, NULL, &id), TRP_OK);
    (void)nodes_do(2, (struct trp_command){.kind = TRP_CMD_PEERS}); /* a step */
    nodes_run(TRP_MS(100));
    assert_int_equal(stranger_heard.kind, TRP_MESSAGING_RESULT);
    return stranger_error;
}

static struct trp_request_envelope death_notice(struct trp_actor_ref dead)
{
    return (struct trp_request_envelope){.kind = TRP_ENVELOPE_SIGNAL_LINK_DIED,
                                         .actor = a,
                                         .actor_type = trp_bytes_text("agent"),
                                         .other = dead,
                                         .cause = {.root = TRP_STOP_KILLED}};
}

static void forged_deaths_are_refused(void **state)
{
    (void)state;
    linked_pair_and_stranger(false);
    struct trp_request_envelope notice = death_notice(b); /* of another peer's actor */
    assert_int_equal(stranger_send(&notice), TRP_SEND_UNKNOWN_ACTOR);
    assert_int_equal(nodes_traced(0, "envelope_refused"), 1);
    notice = death_notice((struct trp_actor_ref){.id = 5, .peer = nodes_peer(2)});
    assert_int_equal(stranger_send(&notice), TRP_SEND_OK); /* of its own, with no link */
    assert_int_equal(nodes_traced(0, "death_ignored"), 1);
    notice.actor.id = 12345; /* to nobody */
    assert_int_equal(stranger_send(&notice), TRP_SEND_OK);
    assert_log("");
    nodes_kill(1, "b"); /* the link stands */
    nodes_run(TRP_MS(50));
    assert_log("stop:b:2 death:a:2");
    stranger_close();
}

static void deaths_without_a_link_are_believed_where_configured(void **state)
{
    (void)state;
    linked_pair_and_stranger(true);
    struct trp_request_envelope notice = death_notice(b);
    assert_int_equal(stranger_send(&notice), TRP_SEND_UNKNOWN_ACTOR);
    notice = death_notice((struct trp_actor_ref){.id = 5, .peer = nodes_peer(2)});
    assert_int_equal(stranger_send(&notice), TRP_SEND_OK);
    assert_log("death:a:2");
    notice = death_notice((struct trp_actor_ref){.id = 5}); /* the sender's own */
    assert_int_equal(stranger_send(&notice), TRP_SEND_OK);
    assert_log("death:a:2");
    stranger_close();
}

static struct trp_request_envelope introduction(struct trp_actor_ref other)
{
    return (struct trp_request_envelope){.kind = TRP_ENVELOPE_LINK,
                                         .actor = a,
                                         .actor_type = trp_bytes_text("agent"),
                                         .other = other,
                                         .other_type = trp_bytes_text("agent")};
}

/* What another node brings our actor together with is not linked, and no death, unless its own
 * peer says that it is there. */
static void who_is_not_there_cannot_be_introduced(void **state)
{
    (void)state;
    linked_pair_and_stranger(false);
    struct trp_peer_id nowhere = nodes_peer(2);
    nowhere.bytes[nowhere.size - 1] ^= 1;
    struct trp_request_envelope link = introduction((struct trp_actor_ref){3, 0, nowhere});
    assert_int_equal(stranger_send(&link), TRP_SEND_DIAL_FAILURE);
    link = introduction((struct trp_actor_ref){12345, 0, nodes_peer(1)}); /* a dead actor */
    assert_int_equal(stranger_send(&link), TRP_SEND_ACTOR_NOT_RUNNING);
    link = introduction((struct trp_actor_ref){12345, 0, nodes_peer(0)}); /* and one of ours */
    assert_int_equal(stranger_send(&link), TRP_SEND_ACTOR_NOT_RUNNING);
    assert_int_equal(nodes_traced(0, "link_made"), 1); /* with b */
    assert_int_equal(nodes_traced(0, "link_unconfirmed"), 2);
    nodes_run(TRP_S(30));
    assert_log("");
    nodes_kill(1, "b"); /* the link stands */
    nodes_run(TRP_MS(50));
    assert_log("stop:b:2 death:a:2");
    stranger_close();
}

/* Nobody answers for the other actor: who brought it in hears of that while it still waits. */
static void an_introduction_that_nobody_answers_ends_in_time(void **state)
{
    (void)state;
    const uint32_t zero = 0;
    const uint32_t one = 1;
    linked_pair_and_stranger(false);
    trp_world_cut(nodes.world, 1, &one, 1, &zero, 1, TRP_CUT_BLACKHOLE, 0);
    const struct trp_request_envelope link =
        introduction((struct trp_actor_ref){12345, 0, nodes_peer(1)});
    uint64_t id;
    stranger_heard.kind = TRP_MESSAGING_REQUEST;
    assert_status(trp_messaging_send(stranger, &link, NULL, &id), TRP_OK);
    (void)nodes_do(2, (struct trp_command){.kind = TRP_CMD_PEERS}); /* a step */
    nodes_run(TRP_S(6));
    assert_int_equal(stranger_heard.kind, TRP_MESSAGING_RESULT);
    assert_int_not_equal(stranger_error, TRP_SEND_OK);
    nodes_run(TRP_S(30));
    assert_log("death:a:5 death:b:5"); /* of the link that there was */
    stranger_close();
}

/* What a link request asks for the stranger hears of, until it unlinks. */
static void a_peer_links_and_unlinks(void **state)
{
    (void)state;
    linked_pair_and_stranger(false);
    struct trp_request_envelope request = {.kind = TRP_ENVELOPE_LINK,
                                           .actor = a,
                                           .actor_type = trp_bytes_text("agent"),
                                           .other = {.id = 3, .peer = nodes_peer(2)},
                                           .other_type = trp_bytes_text("remote::Rusty")};
    assert_int_equal(stranger_send(&request), TRP_SEND_OK);
    assert_int_equal(stranger_send(&request), TRP_SEND_OK); /* once more changes nothing */
    assert_int_equal(nodes_traced(0, "link_made"), 2);      /* with b's */
    request.kind = TRP_ENVELOPE_UNLINK;
    assert_int_equal(stranger_send(&request), TRP_SEND_OK);
    assert_int_equal(stranger_send(&request), TRP_SEND_OK);
    request.kind = TRP_ENVELOPE_LINK;
    request.actor.id = 999;
    assert_int_equal(stranger_send(&request), TRP_SEND_ACTOR_NOT_RUNNING);
    request.actor = a;
    assert_int_equal(stranger_send(&request), TRP_SEND_OK);
    stranger_heard.kind = TRP_MESSAGING_RESULT;
    nodes_kill(0, "a");
    nodes_run(TRP_MS(50));
    assert_log("stop:a:2 death:b:2");
    assert_int_equal(stranger_heard.kind, TRP_MESSAGING_RESPONSE_SENT);
    stranger_close();
}

static struct trp_actor_ref both[2];
static enum trp_status joined;

static enum trp_status on_joined(struct trp_context *ctx, void *agent,
                                 const struct trp_reply *reply)
{
    (void)ctx;
    (void)agent;
    joined = reply->status;
    return TRP_OK;
}

static enum trp_status act_join(struct trp_context *ctx, struct agent *agent, uint64_t link)
{
    (void)agent;
    joined = TRP_EAGAIN;
    for (uint32_t i = 0; i < 2; i++) {
        enum trp_status status = trp_ref_set_type(ctx, &both[i], "agent");
        if (status != TRP_OK) {
            return status;
        }
    }
    return link != 0 ? trp_link_remote(ctx, &both[0], &both[1], on_joined, 0)
                     : trp_unlink_remote(ctx, &both[0], &both[1], on_joined, 0);
}

static void a_third_node_links_two_others(void **state)
{
    (void)state;
    linked_pair(3);
    nodes_introduce(2, 0);
    nodes_run(TRP_S(1));
    struct trp_actor_ref third = nodes_spawn(2, &agent_type, 't', NULL);
    both[0] = nodes_spawn(0, &agent_type, 'c', "c");
    both[1] = nodes_spawn(1, &agent_type, 'd', "d");
    assert_status(nodes_lookup(2, "d", false)->value.status, TRP_OK); /* an address for it */
    assert_status(nodes_act(2, &third, act_join, 1), TRP_OK);
    nodes_run(TRP_MS(200));
    assert_status(joined, TRP_OK);
    assert_status(nodes_act(2, &third, act_join, 0), TRP_OK);
    nodes_run(TRP_MS(200));
    assert_status(joined, TRP_OK);
    assert_status(nodes_act(2, &third, act_join, 1), TRP_OK);
    nodes_run(TRP_MS(200));
    nodes_kill(1, "d");
    nodes_run(TRP_MS(100));
    assert_log("stop:d:2 death:c:2");
    /* With one of them dead, neither is linked. */
    assert_status(nodes_act(2, &third, act_join, 1), TRP_OK);
    nodes_run(TRP_MS(300));
    assert_status(joined, TRP_EDEAD);
    nodes.log_size = 0;
    nodes_run(TRP_S(20));
    nodes.log_size = 0;
    nodes_kill(0, "c");
    nodes_run(TRP_S(20));
    assert_log("stop:c:2");
    nodes_close();
}

static void commands_link_from_outside(void **state)
{
    (void)state;
    linked_pair(2);
    struct trp_command command = {.kind = TRP_CMD_LINK,
                                  .ref = nodes_spawn(0, &agent_type, 'c', "c"),
                                  .other = nodes_spawn(1, &agent_type, 'd', "d")};
    assert_status(nodes_do(0, command)->value.status, TRP_OK);
    command.kind = TRP_CMD_UNLINK;
    assert_status(nodes_do(0, command)->value.status, TRP_OK);
    command.kind = TRP_CMD_LINK;
    assert_status(nodes_do(0, command)->value.status, TRP_OK);
    nodes_kill(0, "c");
    nodes_run(TRP_MS(50));
    assert_log("stop:c:2 death:d:2");
    assert_status(nodes_do(0, command)->value.status, TRP_EDEAD);
    command.other = command.ref;
    assert_status(nodes_do(0, command)->value.status, TRP_EINVAL);
    command.ref = a; /* no half of a link is left */
    command.other = nodes_spawn(1, &agent_type, 'e', "e");
    nodes_kill(1, "e");
    assert_status(nodes_do(0, command)->value.status, TRP_EDEAD);
    command.other.peer.bytes[command.other.peer.size - 1] ^= 1; /* nobody's */
    assert_int_not_equal(nodes_do(0, command)->value.status, TRP_OK);
    nodes_run(TRP_S(20));
    assert_log("stop:e:2");
    nodes_close();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_link_reaches_the_other_node),
        cmocka_unit_test(an_unlinked_death_is_not_told),
        cmocka_unit_test(the_chain_of_causes_travels),
        cmocka_unit_test(a_panic_travels_with_its_text),
        cmocka_unit_test(linking_with_a_dead_actor_tells_at_once),
        cmocka_unit_test(idleness_kills_nobody),
        cmocka_unit_test(a_closed_duplicate_kills_nobody),
        cmocka_unit_test(a_reset_is_survived_by_redialing),
        cmocka_unit_test(a_short_silence_kills_nobody),
        cmocka_unit_test(a_blackhole_is_told_within_three_seconds),
        cmocka_unit_test(a_closed_connection_is_told_within_five_milliseconds),
        cmocka_unit_test(a_restart_is_noticed_though_the_peer_is_back),
        cmocka_unit_test(a_peer_that_was_given_up_hears_of_it),
        cmocka_unit_test(who_leaves_says_goodbye),
        cmocka_unit_test(forged_deaths_are_refused),
        cmocka_unit_test(deaths_without_a_link_are_believed_where_configured),
        cmocka_unit_test(who_is_not_there_cannot_be_introduced),
        cmocka_unit_test(an_introduction_that_nobody_answers_ends_in_time),
        cmocka_unit_test(a_peer_links_and_unlinks),
        cmocka_unit_test(a_third_node_links_two_others),
        cmocka_unit_test(commands_link_from_outside),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
