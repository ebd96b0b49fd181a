/* SPDX-License-Identifier: MIT */
/* The registry and the messaging behaviour as a program uses them that composes its own swarm: bare
 * nodes with nothing else in them, beside whole ones. */
#include "lib/nodes.h"
#include "proto/kad/kbucket.h"

#define EVENTS_MAX 256u

struct heard {
    struct trp_registry_event events[EVENTS_MAX];
    struct trp_registration found; /* of the newest FOUND; the type is not kept */
    char found_type[32];
    uint32_t count;
};

static struct trp_registry *registries[NODES_MAX];
static struct heard heard[NODES_MAX];
static struct trp_behaviour behaviours[NODES_MAX];

static void on_event(void *user, struct trp_registry *registry,
                     const struct trp_registry_event *event)
{
    struct heard *of = user;
    (void)registry;
    assert_true(of->count < EVENTS_MAX);
    of->events[of->count++] = *event;
    if (event->kind == TRP_REGISTRY_FOUND) {
        of->found = *event->found;
        (void)snprintf(of->found_type, sizeof of->found_type, "%.*s", (int)event->found->type.size,
                       (const char *)event->found->type.data);
        assert_true(trp_peer_id_equal(&event->peer, &event->found->actor.peer));
    }
}

/* How many events of a kind a host has heard, of a query (0: any). */
static uint32_t count(uint32_t host, enum trp_registry_event_kind kind, uint64_t query)
{
    uint32_t found = 0;
    for (uint32_t i = 0; i < heard[host].count; i++) {
        const struct trp_registry_event *event = &heard[host].events[i];
        found += event->kind == kind && (query == 0 || event->query == query);
    }
    return found;
}

static const struct trp_registry_event *newest(uint32_t host, enum trp_registry_event_kind kind)
{
    for (uint32_t i = heard[host].count; i-- > 0;) {
        if (heard[host].events[i].kind == kind) {
            return &heard[host].events[i];
        }
    }
    fail_msg("host %u has not heard an event of kind %d", host, (int)kind);
    return NULL;
}

/* Bare hosts, but for the last one, which is a whole node. `limits` are of the first. */
static void open_hosts_within(uint32_t bare, const struct trp_limits *limits)
{
    memset(heard, 0, sizeof heard);
    nodes_open(bare + 1, 17);
    for (uint32_t i = 0; i < bare; i++) {
        const struct trp_registry_config config = {
            .seed = i, .on_event = on_event, .user = &heard[i]};
        assert_status(trp_registry_open(&config, &registries[i]), TRP_OK);
        behaviours[i] = trp_registry_behaviour(registries[i]);
        nodes.hosts[i].config = (struct trp_node_config){
            .bare = true, .behaviours = &behaviours[i], .behaviours_count = 1};
    }
    nodes.hosts[0].config.limits = *limits;
    nodes_begin();
}

static void open_hosts(uint32_t bare)
{
    open_hosts_within(bare, &(struct trp_limits){0});
}

static void introduce_all(void)
{
    for (uint32_t i = 1; i + 1 < nodes.count; i++) {
        nodes_introduce(i, i - 1);
    }
    nodes_run(TRP_S(10)); /* bare nodes ask nobody who they are: peers prove themselves after 3 s */
    nodes_introduce(nodes.count - 1, nodes.count - 2);
    nodes_run(TRP_S(10));
}

static void close_hosts(void)
{
    nodes_close();
    for (uint32_t i = 0; i < nodes.count - 1; i++) {
        trp_registry_close(registries[i]);
    }
}

static void step(uint32_t host)
{
    (void)nodes_do(host, (struct trp_command){.kind = TRP_CMD_PEERS});
}

static uint64_t look_up(uint32_t host, const char *name)
{
    uint64_t query;
    assert_status(trp_registry_lookup(registries[host], trp_bytes_text(name), 5, &query), TRP_OK);
    step(host);
    nodes_run(TRP_S(5));
    return query;
}

static const struct trp_registration rusty = {.actor = {.id = 9},
                                              .type = {(const uint8_t *)"r::R", 4}};

static void names_are_registered_found_and_withdrawn(void **state)
{
    (void)state;
    uint64_t query;
    open_hosts(2);
    introduce_all();
    assert_status(trp_registry_register(registries[0], trp_bytes_text("n"), &rusty, 3, &query),
                  TRP_OK);
    step(0);
    nodes_run(TRP_S(1));
    const struct trp_registry_event *event = newest(0, TRP_REGISTRY_REGISTERED);
    assert_int_equal(event->token, 3);
    assert_int_equal(event->query, query);
    assert_status(event->status, TRP_OK);
    assert_int_equal(event->stored, 4); /* two peers keep the provider and the record */
    query = look_up(1, "n");
    assert_int_equal(count(1, TRP_REGISTRY_FOUND, query), 1);
    assert_int_equal(count(1, TRP_REGISTRY_LOOKED_UP, query), 1);
    struct trp_peer_id owner = nodes_peer(0);
    assert_int_equal(heard[1].found.actor.id, 9);
    assert_true(trp_peer_id_equal(&heard[1].found.actor.peer, &owner));
    assert_string_equal(heard[1].found_type, "r::R");
    assert_status(nodes_lookup(2, "n", false)->value.status, TRP_OK); /* the whole node, too */
    struct trp_registration local;
    assert_status(trp_registry_lookup_local(registries[0], trp_bytes_text("n"), &local), TRP_OK);
    assert_int_equal(local.actor.id, 9);
    assert_status(trp_registry_lookup_local(registries[1], trp_bytes_text("n"), &local),
                  TRP_ENOTFOUND);
    query = look_up(0, "n"); /* its own */
    assert_int_equal(count(0, TRP_REGISTRY_FOUND, query), 1);
    assert_status(trp_registry_unregister(registries[0], trp_bytes_text("n")), TRP_OK);
    assert_status(trp_registry_unregister(registries[0], trp_bytes_text("n")), TRP_ENOTFOUND);
    step(0);
    nodes_run(TRP_S(1));
    query = look_up(1, "n");
    assert_int_equal(count(1, TRP_REGISTRY_FOUND, query), 0);
    assert_status(newest(1, TRP_REGISTRY_LOOKED_UP)->status, TRP_ENOTFOUND);
    close_hosts();
}

static void failures_are_told_apart(void **state)
{
    (void)state;
    uint64_t query;
    open_hosts(2);
    query = look_up(0, "n");
    assert_status(newest(0, TRP_REGISTRY_LOOKED_UP)->status, TRP_ENOPEERS);
    assert_status(trp_registry_register(registries[0], trp_bytes_text("n"), &rusty, 0, &query),
                  TRP_OK);
    step(0);
    assert_status(newest(0, TRP_REGISTRY_REGISTERED)->status, TRP_ENOPEERS);
    assert_status(trp_registry_register(registries[0], trp_bytes_text("n"), &rusty, 0, &query),
                  TRP_EEXISTS);
    assert_status(
        trp_registry_register(registries[0], trp_bytes_text("a:meta:b"), &rusty, 0, &query),
        TRP_EINVAL);
    assert_status(trp_registry_lookup(registries[0], TRP_BYTES_NONE, 0, &query), TRP_EINVAL);
    introduce_all();
    query = look_up(1, "n"); /* announced when there was somebody */
    assert_int_equal(count(1, TRP_REGISTRY_FOUND, query), 1);
    trp_world_crash(nodes.world, 0, 0);
    query = look_up(1, "n");
    nodes_run(TRP_S(10));
    assert_int_equal(count(1, TRP_REGISTRY_FOUND, query), 0);
    assert_int_equal(count(1, TRP_REGISTRY_LOOKED_UP, query), 1);
    assert_status(newest(1, TRP_REGISTRY_LOOKED_UP)->status, TRP_EUNREACHABLE);
    close_hosts();
}

static void what_is_cancelled_says_nothing(void **state)
{
    (void)state;
    uint64_t query;
    uint64_t lookup;
    open_hosts(2);
    introduce_all();
    assert_status(trp_registry_register(registries[0], trp_bytes_text("n"), &rusty, 0, &query),
                  TRP_OK);
    trp_registry_cancel(registries[0], query);
    trp_registry_cancel(registries[0], query);
    assert_status(trp_registry_lookup(registries[1], trp_bytes_text("n"), 0, &lookup), TRP_OK);
    trp_registry_cancel(registries[1], lookup);
    step(0);
    step(1);
    nodes_run(TRP_S(5));
    assert_int_equal(count(0, TRP_REGISTRY_REGISTERED, 0), 0);
    assert_int_equal(count(0, TRP_REGISTRY_REGISTRATION_FAILED, 0), 0);
    assert_int_equal(count(1, TRP_REGISTRY_LOOKED_UP, 0), 0);
    look_up(1, "n");
    assert_status(newest(1, TRP_REGISTRY_LOOKED_UP)->status, TRP_ENOTFOUND);
    /* After its outcome, the name goes all the same. */
    assert_status(trp_registry_register(registries[0], trp_bytes_text("k"), &rusty, 0, &query),
                  TRP_OK);
    step(0);
    nodes_run(TRP_S(1));
    assert_int_equal(count(0, TRP_REGISTRY_REGISTERED, query), 1);
    trp_registry_cancel(registries[0], query);
    step(0);
    nodes_run(TRP_S(1));
    assert_int_equal(count(0, TRP_REGISTRY_REGISTRATION_FAILED, 0), 0);
    look_up(1, "k");
    assert_status(newest(1, TRP_REGISTRY_LOOKED_UP)->status, TRP_ENOTFOUND);
    /* Withdrawn before its outcome, it fails. */
    assert_status(trp_registry_register(registries[0], trp_bytes_text("m"), &rusty, 8, &query),
                  TRP_OK);
    assert_status(trp_registry_unregister(registries[0], trp_bytes_text("m")), TRP_OK);
    step(0);
    assert_status(newest(0, TRP_REGISTRY_REGISTRATION_FAILED)->status, TRP_ECANCELLED);
    assert_int_equal(newest(0, TRP_REGISTRY_REGISTRATION_FAILED)->token, 8);
    close_hosts();
}

static void the_routing_table_is_told_of(void **state)
{
    (void)state;
    open_hosts(2);
    introduce_all();
    struct trp_peer_id other = nodes_peer(1);
    assert_true(count(0, TRP_REGISTRY_ROUTING_UPDATED, 0) >= 1);
    bool seen = false;
    for (uint32_t i = 0; i < heard[0].count; i++) {
        seen = seen || (heard[0].events[i].kind == TRP_REGISTRY_ROUTING_UPDATED &&
                        trp_peer_id_equal(&heard[0].events[i].peer, &other));
    }
    assert_true(seen);
    /* Host 1 dialed host 0, which knows no address of it: unroutable, though in the table. */
    assert_true(count(0, TRP_REGISTRY_UNROUTABLE_PEER, 0) >= 1);
    assert_true(count(1, TRP_REGISTRY_BOOTSTRAPPED, 0) >= 1);
    close_hosts();
}

/* A peer that nobody is: its address is of the whole node, to which nothing gets through. */
static struct trp_peer_id make_up(uint32_t number)
{
    uint8_t bytes[38] = {
        0x00, 0x24, 0x08, 0x01, 0x12, 0x20, (uint8_t)number, (uint8_t)(number >> 8)};
    struct trp_peer_id peer;
    const struct trp_multiaddr nowhere = nodes_address(nodes.count - 1);
    assert_status(trp_peer_id_decode(trp_bytes(bytes, sizeof bytes), &peer), TRP_OK);
    trp_swarm_add_address(trp_node_swarm(nodes.hosts[0].node), &peer, &nowhere, TRP_ADDRESS_USER);
    return peer;
}

/* Adds such peers to host 0 until there are two too many for the bucket of host 1, and as many that
 * are closer as are kept for being close. Gives how many there are. */
static uint32_t fill_bucket_of_1(void)
{
    const struct trp_peer_id self = nodes_peer(0);
    const struct trp_peer_id other = nodes_peer(1);
    const struct trp_kad_key own = trp_kad_contact_of(&self).key;
    const struct trp_kad_key its = trp_kad_contact_of(&other).key;
    uint32_t bucket = trp_kad_bucket_index(&own, &its);
    uint32_t beside = 0;
    uint32_t closer = 0;
    uint32_t added = 0;
    for (uint32_t i = 0; beside < TRP_KAD_K + 2 || closer < TRP_KAD_K; i++) {
        const struct trp_peer_id peer = make_up(i);
        const struct trp_kad_key key = trp_kad_contact_of(&peer).key;
        uint32_t at = trp_kad_bucket_index(&own, &key);
        bool is_beside = at == bucket && beside < TRP_KAD_K + 2 && closer >= TRP_KAD_K;
        bool is_closer = at > bucket && closer < TRP_KAD_K;
        if (is_beside || is_closer) {
            trp_registry_add_peer(registries[0], &peer);
            added++;
        }
        beside += is_beside;
        closer += is_closer;
    }
    return added;
}

static void a_full_routing_table_is_told_of(void **state)
{
    (void)state;
    const uint32_t zero = 0;
    const uint32_t last = 2;
    open_hosts_within(2, &(struct trp_limits){.kad_refresh_ns = TRP_S(1)});
    trp_world_cut(nodes.world, 1, &zero, 1, &last, 1, TRP_CUT_BLACKHOLE, 0);
    uint32_t added = fill_bucket_of_1();
    step(0);
    assert_int_equal(count(0, TRP_REGISTRY_ROUTING_UPDATED, 0), added - 2);
    assert_int_equal(count(0, TRP_REGISTRY_ROUTABLE_PEER, 0), 2);
    assert_int_equal(count(0, TRP_REGISTRY_PENDING_ROUTABLE_PEER, 0), 0);
    nodes_introduce(1, 0);
    nodes_run(TRP_S(4)); /* who was not heard of for three rounds has to prove that it lives */
    struct trp_peer_id other = nodes_peer(1);
    trp_registry_add_peer(registries[0], &other);
    step(0);
    const struct trp_registry_event *event = newest(0, TRP_REGISTRY_PENDING_ROUTABLE_PEER);
    assert_true(trp_peer_id_equal(&event->peer, &other));
    close_hosts();
}

/* Peers that are there and do not answer: what was begun ends, with a reason. */
static void silence_ends_what_was_begun(void **state)
{
    (void)state;
    const uint32_t zero = 0;
    static const uint32_t others[] = {1, 2};
    uint64_t query;
    open_hosts_within(2, &(struct trp_limits){.kad_query_timeout_ns = TRP_S(2)});
    introduce_all();
    trp_world_cut(nodes.world, 1, &zero, 1, others, 2, TRP_CUT_BLACKHOLE, 0);
    trp_world_cut(nodes.world, 1, others, 2, &zero, 1, TRP_CUT_BLACKHOLE, 0);
    assert_status(trp_registry_register(registries[0], trp_bytes_text("n"), &rusty, 4, &query),
                  TRP_OK);
    step(0);
    uint64_t lookup = look_up(0, "x");
    assert_int_equal(count(0, TRP_REGISTRY_LOOKED_UP, lookup), 1);
    assert_status(newest(0, TRP_REGISTRY_LOOKED_UP)->status, TRP_ETIMEDOUT);
    assert_int_equal(count(0, TRP_REGISTRY_REGISTRATION_FAILED, query), 1);
    assert_status(newest(0, TRP_REGISTRY_REGISTRATION_FAILED)->status, TRP_ETIMEDOUT);
    assert_int_equal(newest(0, TRP_REGISTRY_REGISTRATION_FAILED)->token, 4);
    close_hosts();
}

/* More names than the table of the limits has room for, and more look-ups. */
static void limits_hold(void **state)
{
    (void)state;
    open_hosts_within(1, &(struct trp_limits){.names = 2, .commands = 3});
    introduce_all();
    uint64_t query;
    static const char *const names[] = {"a", "b", "c", "d"};
    for (uint32_t i = 0; i < 4; i++) {
        assert_status(
            trp_registry_register(registries[0], trp_bytes_text(names[i]), &rusty, 0, &query),
            i < 2 ? TRP_OK : TRP_EFULL);
    }
    for (uint32_t i = 0; i < 4; i++) {
        assert_status(trp_registry_lookup(registries[0], trp_bytes_text("x"), 0, &query),
                      i < 3 ? TRP_OK : TRP_EFULL);
    }
    step(0);
    nodes_run(TRP_S(5));
    assert_status(trp_registry_lookup(registries[0], trp_bytes_text("x"), 0, &query), TRP_OK);
    step(0);
    nodes_run(TRP_S(5));
    assert_int_equal(count(0, TRP_REGISTRY_LOOKED_UP, 0), 4);
    close_hosts();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_registered_found_and_withdrawn),
        cmocka_unit_test(failures_are_told_apart),
        cmocka_unit_test(what_is_cancelled_says_nothing),
        cmocka_unit_test(the_routing_table_is_told_of),
        cmocka_unit_test(a_full_routing_table_is_told_of),
        cmocka_unit_test(silence_ends_what_was_begun),
        cmocka_unit_test(limits_hold),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
