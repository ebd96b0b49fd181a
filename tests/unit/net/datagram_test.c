/* SPDX-License-Identifier: MIT */
#include "lib/net_pair.h"

#define PORT 7000u

/* A behaviour that writes down what it is told of its sockets. */
struct udp_probe {
    struct trp_swarm *swarm;
    uint32_t index;
    trp_socket socket;
    uint32_t bound;
    uint16_t port;
    uint32_t unbound;
    enum trp_status reason;
    uint32_t joined;
    enum trp_status join_status;
    uint32_t datagrams;
    struct trp_udp_address from;
    uint32_t interface;
    uint8_t bytes[64];
    size_t size;
    uint32_t watched;
    uint32_t interfaces;
    bool closes_on_datagram;
};

static void on_attach(void *self, struct trp_swarm *swarm, uint32_t index)
{
    struct udp_probe *probe = self;
    probe->swarm = swarm;
    probe->index = index;
}

static void on_bound(void *self, trp_socket socket, const struct trp_udp_address *address)
{
    struct udp_probe *probe = self;
    assert_int_equal(socket, probe->socket);
    probe->bound++;
    probe->port = address->port;
}

static void on_unbound(void *self, trp_socket socket, enum trp_status reason)
{
    struct udp_probe *probe = self;
    assert_int_equal(socket, probe->socket);
    probe->unbound++;
    probe->reason = reason;
}

static void on_joined(void *self, trp_socket socket, const struct trp_udp_address *group,
                      uint32_t interface, enum trp_status status)
{
    struct udp_probe *probe = self;
    assert_int_equal(socket, probe->socket);
    assert_int_equal(group->ip[0], 224);
    assert_int_equal(interface, 1);
    probe->joined++;
    probe->join_status = status;
}

static void on_datagram(void *self, const struct trp_datagram *datagram)
{
    struct udp_probe *probe = self;
    assert_int_equal(datagram->socket, probe->socket);
    assert_true(datagram->bytes.size <= sizeof probe->bytes);
    probe->datagrams++;
    probe->from = datagram->remote;
    probe->interface = datagram->interface;
    probe->size = datagram->bytes.size;
    memcpy(probe->bytes, datagram->bytes.data, datagram->bytes.size);
    if (probe->closes_on_datagram) {
        trp_swarm_unbind(probe->swarm, probe->socket);
    }
}

static void on_interfaces(void *self, const struct trp_interface *interfaces, uint32_t count)
{
    struct udp_probe *probe = self;
    assert_true(count > 0 && interfaces[0].index == 1);
    probe->watched++;
    probe->interfaces = count;
}

static const struct trp_behaviour_ops probe_ops = {.name = "udp probe",
                                                   .attach = on_attach,
                                                   .bound = on_bound,
                                                   .unbound = on_unbound,
                                                   .joined = on_joined,
                                                   .datagram = on_datagram,
                                                   .interfaces = on_interfaces};
static const struct trp_behaviour_ops deaf_ops = {.name = "deaf"};

/* Two hosts; each has a behaviour without hooks before the probe. */
struct scene {
    struct net_world *world;
    struct net_host *hosts[2];
    struct udp_probe probes[2];
};

static void scene_open(struct scene *scene)
{
    *scene = (struct scene){.world = net_world_open(1)};
    for (uint32_t i = 0; i < 2; i++) {
        scene->hosts[i] = net_host_init(scene->world, i);
        net_host_add(scene->hosts[i], (struct trp_behaviour){.ops = &deaf_ops});
        net_host_add(scene->hosts[i],
                     (struct trp_behaviour){.ops = &probe_ops, .self = &scene->probes[i]});
    }
}

static void scene_start(struct scene *scene)
{
    for (uint32_t i = 0; i < 2; i++) {
        assert_status(net_host_start(scene->hosts[i]), TRP_OK);
    }
}

static enum trp_status scene_bind(struct scene *scene, uint32_t host, uint16_t port)
{
    struct udp_probe *probe = &scene->probes[host];
    const struct trp_bind_request request = {
        .behaviour = probe->index, .address = {.ip_bytes = 4, .port = port}, .shared = true};
    return trp_swarm_bind(probe->swarm, &request, &probe->socket);
}

static void scene_run(struct scene *scene)
{
    net_poke(scene->hosts[0]);
    net_poke(scene->hosts[1]);
    net_run(scene->world, TRP_MS(100));
}

static void scene_bind_both(struct scene *scene)
{
    for (uint32_t i = 0; i < 2; i++) {
        assert_status(scene_bind(scene, i, PORT), TRP_OK);
    }
    scene_run(scene);
}

static struct trp_datagram datagram_to(const struct udp_probe *probe, uint32_t host,
                                       struct trp_bytes bytes)
{
    return (struct trp_datagram){
        .socket = probe->socket,
        .remote = {.ip = {10, 0, 0, (uint8_t)(host + 1)}, .ip_bytes = 4, .port = PORT},
        .bytes = bytes};
}

static void tells_the_owner_alone(void **state)
{
    (void)state;
    struct scene scene;
    scene_open(&scene);
    scene_start(&scene);
    scene_bind_both(&scene);
    assert_int_equal(scene.probes[0].bound, 1);
    assert_int_equal(scene.probes[0].port, PORT);
    const struct trp_datagram hello = datagram_to(&scene.probes[0], 1, trp_bytes_text("hello"));
    assert_status(trp_swarm_send(scene.probes[0].swarm, &hello), TRP_OK);
    scene_run(&scene);
    assert_int_equal(scene.probes[1].datagrams, 1);
    assert_memory_equal(scene.probes[1].bytes, "hello", 5);
    assert_int_equal(scene.probes[1].from.ip[3], 1);
    assert_int_equal(scene.probes[1].interface, 1);
    net_world_close(scene.world);
}

static void tells_a_failed_bind(void **state)
{
    (void)state;
    struct scene scene;
    scene_open(&scene);
    scene_start(&scene);
    scene.world->bind_status = TRP_EADDRINUSE;
    assert_status(scene_bind(&scene, 0, PORT), TRP_OK);
    scene_run(&scene);
    assert_int_equal(scene.probes[0].bound, 0);
    assert_int_equal(scene.probes[0].unbound, 1);
    assert_status(scene.probes[0].reason, TRP_EADDRINUSE);
    const struct trp_datagram late = datagram_to(&scene.probes[0], 1, TRP_BYTES_NONE);
    assert_status(trp_swarm_send(scene.probes[0].swarm, &late), TRP_ENOTFOUND);
    net_world_close(scene.world);
}

static void joins_and_leaves_in_order(void **state)
{
    (void)state;
    struct scene scene;
    const struct trp_udp_address group = {.ip = {224, 0, 0, 251}, .ip_bytes = 4, .port = PORT};
    scene_open(&scene);
    scene_start(&scene);
    scene_bind_both(&scene);
    struct trp_swarm *swarm = scene.probes[0].swarm;
    struct trp_datagram shout = datagram_to(&scene.probes[0], 0, trp_bytes_text("a"));
    shout.remote = group;
    assert_status(trp_swarm_send(swarm, &shout), TRP_OK); /* nobody is a member yet */
    assert_status(trp_swarm_join(swarm, scene.probes[0].socket, &group, 1), TRP_OK);
    assert_status(trp_swarm_send(swarm, &shout), TRP_OK);
    assert_status(trp_swarm_leave(swarm, scene.probes[0].socket, &group, 1), TRP_OK);
    assert_status(trp_swarm_send(swarm, &shout), TRP_OK); /* nor any more */
    scene_run(&scene);
    assert_int_equal(scene.probes[0].joined, 1);
    assert_status(scene.probes[0].join_status, TRP_OK);
    assert_int_equal(scene.probes[0].datagrams, 1);
    scene.world->join_status = TRP_EUNSUPPORTED;
    assert_status(trp_swarm_join(swarm, scene.probes[0].socket, &group, 1), TRP_OK);
    scene_run(&scene);
    assert_status(scene.probes[0].join_status, TRP_EUNSUPPORTED);
    assert_status(trp_swarm_join(swarm, 4711, &group, 1), TRP_ENOTFOUND);
    net_world_close(scene.world);
}

static void says_nothing_after_an_unbind(void **state)
{
    (void)state;
    struct scene scene;
    scene_open(&scene);
    scene_start(&scene);
    scene_bind_both(&scene);
    scene.probes[1].closes_on_datagram = true;
    const struct trp_datagram hello = datagram_to(&scene.probes[0], 1, trp_bytes_text("hello"));
    for (uint32_t i = 0; i < 3; i++) {
        assert_status(trp_swarm_send(scene.probes[0].swarm, &hello), TRP_OK);
    }
    scene_run(&scene);
    assert_int_equal(scene.probes[1].datagrams, 1);
    assert_int_equal(scene.probes[1].unbound, 0);
    trp_swarm_unbind(scene.probes[1].swarm, scene.probes[1].socket); /* again: nothing */
    net_world_close(scene.world);
}

static void keeps_to_its_limits(void **state)
{
    (void)state;
    struct scene scene;
    static uint8_t large[TRP_DATAGRAM_BYTES_MAX + 1];
    scene_open(&scene);
    scene.hosts[0]->limits.datagram_sockets = 2;
    scene.hosts[0]->limits.datagram_send_bytes = TRP_DATAGRAM_BYTES_MAX;
    scene_start(&scene);
    scene_bind_both(&scene);
    assert_status(scene_bind(&scene, 0, PORT + 1), TRP_OK);
    assert_status(scene_bind(&scene, 0, PORT + 2), TRP_EFULL);
    assert_int_equal(net_traced(scene.hosts[0], "limit_reached"), 1);
    struct trp_swarm *swarm = scene.probes[0].swarm;
    struct trp_datagram big =
        datagram_to(&scene.probes[0], 3, trp_bytes(large, TRP_DATAGRAM_BYTES_MAX + 1));
    assert_status(trp_swarm_send(swarm, &big), TRP_ETOOBIG);
    big.bytes.size = TRP_DATAGRAM_BYTES_MAX;
    assert_status(trp_swarm_send(swarm, &big), TRP_OK);
    assert_status(trp_swarm_send(swarm, &big), TRP_EFULL);
    net_poke(scene.hosts[0]); /* the driver has it */
    assert_status(trp_swarm_send(swarm, &big), TRP_OK);
    const struct trp_bind_request wrong = {.behaviour = 2, .address = {.ip_bytes = 4}};
    trp_socket socket;
    assert_status(trp_swarm_bind(swarm, &wrong, &socket), TRP_EINVAL);
    net_world_close(scene.world);
}

static void tells_every_behaviour_of_interfaces(void **state)
{
    (void)state;
    struct scene scene;
    scene_open(&scene);
    scene.world->interfaces = 3;
    scene_start(&scene);
    assert_status(trp_swarm_watch_interfaces(scene.probes[0].swarm), TRP_OK);
    scene_run(&scene);
    assert_int_equal(scene.probes[0].watched, 1);
    assert_int_equal(scene.probes[0].interfaces, 3);
    assert_int_equal(scene.probes[1].watched, 0);
    net_world_close(scene.world);
}

/* Every allocation fails in turn: nothing crashes, nothing leaks, a call says so. */
static void survives_without_memory(void **state)
{
    (void)state;
    const struct trp_udp_address group = {.ip = {224, 0, 0, 251}, .ip_bytes = 4};
    uint64_t fail_at = 0;
    bool came = true;
    for (fail_at = 1; came; fail_at++) {
        struct scene scene;
        scene_open(&scene);
        scene_start(&scene);
        scene.hosts[0]->memory.fail_at = fail_at;
        struct trp_swarm *swarm = scene.probes[0].swarm;
        uint32_t refused = scene_bind(&scene, 0, PORT) == TRP_ENOMEM;
        trp_socket socket = scene.probes[0].socket;
        if (refused == 0) {
            const struct trp_datagram hello = datagram_to(&scene.probes[0], 1, TRP_BYTES_NONE);
            refused += trp_swarm_join(swarm, socket, &group, 1) == TRP_ENOMEM;
            refused += trp_swarm_send(swarm, &hello) == TRP_ENOMEM;
            refused += trp_swarm_watch_interfaces(swarm) == TRP_ENOMEM;
        }
        came = scene.hosts[0]->memory.fail_at == 0;
        assert_int_equal(refused, came ? 1 : 0);
        scene_run(&scene);
        trp_swarm_unbind(swarm, socket);
        net_world_close(scene.world);
    }
    assert_true(fail_at > 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tells_the_owner_alone),
        cmocka_unit_test(tells_a_failed_bind),
        cmocka_unit_test(joins_and_leaves_in_order),
        cmocka_unit_test(says_nothing_after_an_unbind),
        cmocka_unit_test(keeps_to_its_limits),
        cmocka_unit_test(tells_every_behaviour_of_interfaces),
        cmocka_unit_test(survives_without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
