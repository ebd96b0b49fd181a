/* SPDX-License-Identifier: MIT */
#include "behaviour/mdns.h"

#include "lib/net_pair.h"
#include "proto/mdns/message.h"

#define MARK 7u /* draws of labels and pauses */

/* What a host's user sees. */
struct user {
    struct net_host *host;
    struct trp_mdns *mdns;
    bool wants; /* peers are to be dialed */
    uint32_t discovered;
    uint32_t renewed;
    uint32_t expired;
    struct trp_mdns_event last;
};

struct scene {
    struct net_world *world;
    uint32_t count;
    struct user users[NET_HOSTS_MAX];
};

static bool on_dials(void *self, const struct trp_peer_id *peer, bool fresh)
{
    const struct user *user = self;
    (void)peer;
    return user->wants && fresh;
}

static void on_event(void *self, const struct trp_mdns_event *event)
{
    struct user *user = self;
    user->discovered += event->kind == TRP_MDNS_DISCOVERED;
    user->renewed += event->kind == TRP_MDNS_RENEWED;
    user->expired += event->kind == TRP_MDNS_EXPIRED;
    user->last = *event;
}

static struct trp_mdns_config config_of(struct user *user)
{
    return (struct trp_mdns_config){
        .seed = MARK, .dials = on_dials, .event = on_event, .user = user};
}

static void scene_init(struct scene *scene, uint32_t count)
{
    *scene = (struct scene){.world = net_world_open(1), .count = count};
    scene->world->plaintext = true;
    for (uint32_t i = 0; i < count; i++) {
        scene->users[i].host = net_host_init(scene->world, i);
        scene->users[i].wants = true;
    }
}

/* Starts a host with mDNS; it listens on port 1000. */
static void user_start(struct user *user, bool listens)
{
    struct net_host *host = user->host;
    const struct trp_mdns_config config = config_of(user);
    assert_status(trp_mdns_open_within(&host->memory, &host->trace, &config, &user->mdns), TRP_OK);
    net_host_add(host, trp_mdns_behaviour(user->mdns));
    assert_status(net_host_start(host), TRP_OK);
    if (listens) {
        net_listen(host, 0);
    }
    net_poke(host);
}

static void scene_start(struct scene *scene)
{
    for (uint32_t i = 0; i < scene->count; i++) {
        user_start(&scene->users[i], true);
    }
}

static void scene_close(struct scene *scene)
{
    for (uint32_t i = 0; i < scene->count; i++) {
        net_host_stop(scene->users[i].host);
        trp_mdns_close(scene->users[i].mdns);
        assert_int_equal(scene->users[i].host->memory.used_bytes, 0);
    }
    net_world_close(scene->world);
}

static uint32_t connections(const struct scene *scene, uint32_t from, uint32_t to)
{
    return trp_swarm_connections_to(scene->users[from].host->swarm, &scene->users[to].host->peer);
}

static uint32_t known(const struct scene *scene, uint32_t of, uint32_t peer)
{
    struct trp_multiaddr addresses[8];
    return trp_swarm_known_addresses(scene->users[of].host->swarm, &scene->users[peer].host->peer,
                                     addresses, 8);
}

static void finds_others_and_dials_them(void **state)
{
    (void)state;
    struct scene scene;
    scene_init(&scene, 3);
    scene_start(&scene);
    net_run(scene.world, TRP_S(2));
    for (uint32_t i = 0; i < 3; i++) {
        assert_int_equal(scene.users[i].discovered, 2);
        assert_int_equal(net_traced(scene.users[i].host, "mdns_discovered"), 2);
        for (uint32_t k = 0; k < 3; k++) {
            assert_true(i == k || connections(&scene, i, k) > 0);
            assert_true(i == k || known(&scene, i, k) > 0);
        }
    }
    scene_close(&scene);
}

static void dials_nobody_unless_asked_to(void **state)
{
    (void)state;
    struct scene scene;
    scene_init(&scene, 2);
    scene.users[0].wants = scene.users[1].wants = false;
    scene_start(&scene);
    net_run(scene.world, TRP_S(2));
    assert_int_equal(scene.users[0].discovered, 1);
    assert_int_equal(connections(&scene, 0, 1), 0);
    assert_int_equal(known(&scene, 0, 1), 1);
    scene_close(&scene);
}

/* Nothing is heard for more than the time to live, and the connection does not mind. */
static void forgets_addresses_and_closes_nothing(void **state)
{
    (void)state;
    struct scene scene;
    scene_init(&scene, 2);
    scene.users[1].wants = false;
    scene_start(&scene);
    net_run(scene.world, TRP_S(2));
    trp_swarm_keep_alive(scene.users[0].host->swarm, &scene.users[1].host->peer, 1);
    trp_swarm_keep_alive(scene.users[1].host->swarm, &scene.users[0].host->peer, 1);
    scene.world->no_datagrams = true;
    net_run(scene.world, TRP_MIN(7));
    assert_int_equal(scene.users[0].expired, 1);
    assert_int_equal(scene.users[1].expired, 1);
    assert_int_equal(net_traced(scene.users[0].host, "mdns_expired"), 1);
    assert_int_equal(connections(&scene, 0, 1), 1);
    assert_int_equal(net_traced(scene.users[0].host, "connection_closed"), 0);
    assert_int_equal(known(&scene, 0, 1), 1); /* a dial has reached it */
    assert_int_equal(known(&scene, 1, 0), 0); /* nobody else had told it */
    scene.world->no_datagrams = false;
    net_run(scene.world, TRP_MIN(6));
    assert_int_equal(scene.users[1].discovered, 2);
    assert_int_equal(connections(&scene, 0, 1), 1);
    scene_close(&scene);
}

static void a_goodbye_is_believed(void **state)
{
    (void)state;
    struct scene scene;
    scene_init(&scene, 2);
    scene.users[0].wants = scene.users[1].wants = false;
    scene_start(&scene);
    net_run(scene.world, TRP_S(20));
    trp_mdns_leave(scene.users[1].mdns);
    trp_mdns_leave(scene.users[1].mdns); /* once is enough */
    net_poke(scene.users[1].host);
    net_run(scene.world, TRP_S(2));
    assert_int_equal(scene.users[0].expired, 1);
    assert_int_equal(known(&scene, 0, 1), 0);
    uint64_t said = scene.users[1].host->outputs[TRP_OUT_DATAGRAM];
    net_run(scene.world, TRP_MIN(20));
    assert_int_equal(scene.users[1].host->outputs[TRP_OUT_DATAGRAM], said);
    scene_close(&scene);
}

static void who_listens_nowhere_finds_and_is_not_found(void **state)
{
    (void)state;
    struct scene scene;
    scene_init(&scene, 2);
    user_start(&scene.users[0], false);
    user_start(&scene.users[1], true);
    net_run(scene.world, TRP_S(2));
    assert_int_equal(scene.users[0].discovered, 1);
    assert_int_equal(scene.users[1].discovered, 0);
    assert_int_equal(connections(&scene, 0, 1), 1);
    scene_close(&scene);
}

/* Says that the interfaces of a host have changed. */
static void change_interfaces(struct scene *scene, uint32_t host, uint32_t count)
{
    scene->world->interfaces = count;
    for (uint32_t i = 0; i < scene->world->ends_count; i++) {
        const struct net_end *end = &scene->world->ends[i];
        if (end->host == host && end->id == 0) {
            net_push(scene->world, 0, i, TRP_IN_INTERFACES);
            return;
        }
    }
    fail_msg("nobody watches the interfaces");
}

static void works_where_interfaces_come_and_go(void **state)
{
    (void)state;
    struct scene scene;
    scene_init(&scene, 2);
    scene.world->interfaces = 0;
    scene_start(&scene);
    net_run(scene.world, TRP_S(2));
    assert_int_equal(scene.users[0].host->outputs[TRP_OUT_JOIN], 0);
    change_interfaces(&scene, 0, 1);
    change_interfaces(&scene, 1, 1);
    net_run(scene.world, TRP_S(2));
    assert_int_equal(scene.users[0].discovered, 1);
    change_interfaces(&scene, 0, 0);
    net_run(scene.world, TRP_S(1));
    assert_int_equal(scene.users[0].host->outputs[TRP_OUT_LEAVE], 1);
    uint64_t said = scene.users[0].host->outputs[TRP_OUT_DATAGRAM];
    net_run(scene.world, TRP_MIN(4));
    assert_int_equal(scene.users[0].host->outputs[TRP_OUT_DATAGRAM], said);
    change_interfaces(&scene, 0, 1);
    net_run(scene.world, TRP_S(2));
    assert_int_equal(scene.users[0].host->outputs[TRP_OUT_JOIN], 2);
    assert_true(scene.users[0].host->outputs[TRP_OUT_DATAGRAM] > said);
    scene_close(&scene);
}

/* The swarm listens on 10.0.0.x alone: the second interface, 10.0.1.x, hears nothing of it. */
static void is_silent_where_it_does_not_listen(void **state)
{
    (void)state;
    struct scene scene;
    scene_init(&scene, 1);
    scene.world->interfaces = 2;
    scene_start(&scene);
    net_run(scene.world, TRP_S(2));
    assert_int_equal(scene.users[0].host->outputs[TRP_OUT_JOIN], 1);
    scene_close(&scene);
}

static void uses_the_chosen_interfaces_alone(void **state)
{
    (void)state;
    for (uint32_t run = 0; run < 2; run++) {
        struct scene scene;
        const char *const names[] = {run == 0 ? "net0" : "net1"};
        scene_init(&scene, 1);
        struct user *user = &scene.users[0];
        struct trp_mdns_config config = config_of(user);
        config.interfaces = names;
        config.interfaces_count = 1;
        assert_status(
            trp_mdns_open_within(&user->host->memory, &user->host->trace, &config, &user->mdns),
            TRP_OK);
        net_host_add(user->host, trp_mdns_behaviour(user->mdns));
        assert_status(net_host_start(user->host), TRP_OK);
        net_listen(user->host, 0);
        net_run(scene.world, TRP_S(2));
        assert_int_equal(user->host->outputs[TRP_OUT_JOIN], run == 0 ? 1 : 0);
        scene_close(&scene);
    }
}

static void tries_again_what_was_refused(void **state)
{
    (void)state;
    struct scene scene;
    scene_init(&scene, 2);
    scene.world->bind_status = TRP_EADDRINUSE;
    scene_start(&scene);
    net_run(scene.world, TRP_S(10));
    struct net_host *host = scene.users[0].host;
    assert_int_equal(net_traced(host, "mdns_unavailable"), 2); /* over IPv4, over IPv6 */
    scene.world->bind_status = TRP_OK;
    scene.world->join_status = TRP_EDENIED;
    net_run(scene.world, TRP_MIN(1));
    assert_int_equal(host->outputs[TRP_OUT_JOIN], 1);
    assert_int_equal(net_traced(host, "mdns_unavailable"), 3); /* the group; IPv6 as before */
    scene.world->join_status = TRP_OK;
    net_run(scene.world, TRP_MIN(1) + TRP_S(5));
    assert_int_equal(scene.users[0].discovered, 1);
    assert_int_equal(scene.users[1].discovered, 1);
    scene_close(&scene);
}

/* ---- a stranger on the network ---- */

/* A behaviour that says what a test wants. */
struct stranger {
    struct trp_swarm *swarm;
    uint32_t index;
    trp_socket socket;
};

static void stranger_attach(void *self, struct trp_swarm *swarm, uint32_t index)
{
    struct stranger *stranger = self;
    const struct trp_bind_request request = {
        .behaviour = index, .address = {.ip_bytes = 4, .port = TRP_MDNS_PORT}, .shared = true};
    stranger->swarm = swarm;
    assert_status(trp_swarm_bind(swarm, &request, &stranger->socket), TRP_OK);
}

static const struct trp_behaviour_ops stranger_ops = {.name = "stranger",
                                                      .attach = stranger_attach};

static void stranger_send(struct stranger *stranger, struct trp_bytes bytes)
{
    const struct trp_datagram datagram = {
        .socket = stranger->socket,
        .interface = 1,
        .remote = {.ip = {224, 0, 0, 251}, .ip_bytes = 4, .port = TRP_MDNS_PORT},
        .bytes = bytes};
    assert_status(trp_swarm_send(stranger->swarm, &datagram), TRP_OK);
}

/* Tells of a peer that is not there. */
static void stranger_invent(struct stranger *stranger, uint8_t number)
{
    struct trp_mdns_names names;
    uint8_t id[38] = {0, 36, 8, 1, 18, 32, [37] = number};
    struct trp_peer_id peer;
    uint8_t bytes[512];
    size_t size;
    const struct trp_multiaddr address = net_address(1, 9); /* nobody listens there */
    assert_status(trp_peer_id_decode(trp_bytes(id, sizeof id), &peer), TRP_OK);
    assert_status(trp_mdns_names_init(TRP_MDNS_SERVICE, &names), TRP_OK);
    struct trp_mdns_instance instance = {
        .names = &names, .peer = &peer, .addresses = &address, .addresses_count = 1};
    memset(instance.label, 'a' + number % 26, sizeof instance.label);
    const struct trp_mdns_reply reply = {.wants = TRP_MDNS_WANT_INSTANCE, .ttl_s = 360};
    assert_status(trp_mdns_write_response(&instance, &reply, bytes, sizeof bytes, &size), TRP_OK);
    stranger_send(stranger, trp_bytes(bytes, size));
}

static void scene_start_with_stranger(struct scene *scene, struct stranger *stranger)
{
    scene_init(scene, 2);
    user_start(&scene->users[0], true);
    struct net_host *host = scene->users[1].host;
    net_host_add(host, (struct trp_behaviour){.ops = &stranger_ops, .self = stranger});
    assert_status(net_host_start(host), TRP_OK);
    net_run(scene->world, TRP_S(1));
}

static void dials_so_many_in_a_minute(void **state)
{
    (void)state;
    struct scene scene;
    struct stranger stranger;
    scene_start_with_stranger(&scene, &stranger);
    for (uint8_t i = 0; i < 100; i++) {
        stranger_invent(&stranger, i);
    }
    net_poke(scene.users[1].host);
    net_run(scene.world, TRP_S(30));
    assert_int_equal(scene.users[0].discovered, 100);
    assert_int_equal(net_traced(scene.users[0].host, "dial_started"), TRP_MDNS_DIALS_PER_MINUTE);
    scene_close(&scene);
}

static void refuses_what_is_no_message(void **state)
{
    (void)state;
    struct scene scene;
    struct stranger stranger;
    scene_start_with_stranger(&scene, &stranger);
    stranger_send(&stranger, trp_bytes_text("no message"));
    stranger_send(&stranger, TRP_BYTES_NONE);
    net_poke(scene.users[1].host);
    net_run(scene.world, TRP_S(1));
    assert_int_equal(net_traced(scene.users[0].host, "mdns_refused"), 2);
    scene_close(&scene);
}

/* ---- alone ---- */

static void may_be_used_alone(void **state)
{
    (void)state;
    struct scene scene;
    scene_init(&scene, 2);
    for (uint32_t i = 0; i < 2; i++) {
        struct user *user = &scene.users[i];
        const struct trp_mdns_config config = {.event = on_event, .user = user};
        assert_status(trp_mdns_open(i == 0 ? &config : NULL, &user->mdns), TRP_OK);
        net_host_add(user->host, trp_mdns_behaviour(user->mdns));
        assert_status(net_host_start(user->host), TRP_OK);
        net_listen(user->host, 0);
    }
    net_run(scene.world, TRP_S(2));
    assert_int_equal(scene.users[0].discovered, 1);
    assert_memory_equal(&scene.users[0].last.peer, &scene.users[1].host->peer,
                        sizeof(struct trp_peer_id));
    assert_int_equal(known(&scene, 1, 0), 1);
    scene_close(&scene);
}

static void networks_with_a_name_of_their_own_stay_apart(void **state)
{
    (void)state;
    struct scene scene;
    scene_init(&scene, 2);
    for (uint32_t i = 0; i < 2; i++) {
        struct user *user = &scene.users[i];
        const struct trp_mdns_config config = {
            .service = i == 0 ? "_p2p-77._udp.local" : NULL, .event = on_event, .user = user};
        assert_status(trp_mdns_open(&config, &user->mdns), TRP_OK);
        net_host_add(user->host, trp_mdns_behaviour(user->mdns));
        assert_status(net_host_start(user->host), TRP_OK);
        net_listen(user->host, 0);
    }
    net_run(scene.world, TRP_S(5));
    assert_int_equal(scene.users[0].discovered + scene.users[1].discovered, 0);
    scene_close(&scene);
}

static void refuses_a_wrong_configuration(void **state)
{
    (void)state;
    struct trp_mdns *mdns;
    const char *const names[] = {"an interface of a name too long"};
    struct trp_mdns_config config = {.service = "_p2p..local"};
    assert_status(trp_mdns_open(&config, &mdns), TRP_EINVAL);
    config = (struct trp_mdns_config){.interfaces = names, .interfaces_count = 1};
    assert_status(trp_mdns_open(&config, &mdns), TRP_EINVAL);
    config.interfaces_count = TRP_MDNS_INTERFACES_MAX + 1;
    assert_status(trp_mdns_open(&config, &mdns), TRP_EINVAL);
    trp_mdns_close(NULL);
}

/* Every allocation fails in turn. Either the swarm says so, or mDNS does, or it tries again. */
static void survives_without_memory(void **state)
{
    (void)state;
    bool came = true;
    uint64_t fail_at = 1;
    for (; came; fail_at++) {
        struct scene scene;
        scene_init(&scene, 2);
        scene.users[0].wants = scene.users[1].wants = false;
        user_start(&scene.users[1], true);
        struct user *user = &scene.users[0];
        const struct trp_mdns_config config = config_of(user);
        user->host->memory.fail_at = fail_at;
        enum trp_status status =
            trp_mdns_open_within(&user->host->memory, &user->host->trace, &config, &user->mdns);
        if (status == TRP_OK) {
            net_host_add(user->host, trp_mdns_behaviour(user->mdns));
            status = net_host_start(user->host);
        }
        if (status == TRP_OK) {
            net_poke(user->host);
            net_run(scene.world, TRP_MIN(3));
            assert_int_equal(user->discovered, 1);
        }
        came = user->host->memory.fail_at == 0;
        scene_close(&scene);
    }
    assert_true(fail_at > 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_others_and_dials_them),
        cmocka_unit_test(dials_nobody_unless_asked_to),
        cmocka_unit_test(forgets_addresses_and_closes_nothing),
        cmocka_unit_test(a_goodbye_is_believed),
        cmocka_unit_test(who_listens_nowhere_finds_and_is_not_found),
        cmocka_unit_test(works_where_interfaces_come_and_go),
        cmocka_unit_test(is_silent_where_it_does_not_listen),
        cmocka_unit_test(uses_the_chosen_interfaces_alone),
        cmocka_unit_test(tries_again_what_was_refused),
        cmocka_unit_test(dials_so_many_in_a_minute),
        cmocka_unit_test(refuses_what_is_no_message),
        cmocka_unit_test(may_be_used_alone),
        cmocka_unit_test(networks_with_a_name_of_their_own_stay_apart),
        cmocka_unit_test(refuses_a_wrong_configuration),
        cmocka_unit_test(survives_without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
