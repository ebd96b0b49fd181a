/* SPDX-License-Identifier: MIT */
#include <troupe/sim.h>

#include "conformance/ground.h"
#include "lib/test.h"

#define PATIENCE_NS TRP_MIN(10)

struct ground {
    struct trp_world *world;
    struct trp_process processes[2];
};

static enum trp_status process_start(void *user, uint32_t host, uint32_t incarnation, trp_time now,
                                     const uint8_t seed[32], const uint8_t identity[32],
                                     struct trp_bytes saved, struct trp_process *ret_process)
{
    (void)incarnation, (void)now, (void)seed, (void)identity, (void)saved;
    struct ground *ground = user;
    *ret_process = ground->processes[host];
    return TRP_OK;
}

static void path(void *user, uint32_t from, uint32_t to, struct trp_path *ret_path)
{
    (void)user, (void)from, (void)to;
    ret_path->latency =
        (struct trp_dist){.kind = TRP_DIST_LOGNORMAL, .a = TRP_MS(2), .b = TRP_MS(20)};
    ret_path->loss_ppm = 1000;
}

struct ground *ground_open(struct trp_process first, struct trp_process second)
{
    struct ground *ground = test_malloc(sizeof *ground);
    uint32_t host;
    ground->processes[0] = first;
    ground->processes[1] = second;
    const struct trp_world_config config = {.seed = 7,
                                            .factory = {.start = process_start, .user = ground}};
    assert_status(trp_world_open(&config, &ground->world), TRP_OK);
    trp_world_set_topology(ground->world, (struct trp_topology){.path = path});
    assert_status(trp_world_add_host(ground->world, 0, &host), TRP_OK);
    assert_status(trp_world_add_host(ground->world, 0, &host), TRP_OK);
    assert_status(trp_world_run_until(ground->world, 1), TRP_OK);
    return ground;
}

void ground_close(struct ground *ground)
{
    trp_world_close(ground->world);
    test_free(ground);
}

void ground_kick(struct ground *ground, uint32_t process)
{
    const struct trp_command command = {.kind = TRP_CMD_PEERS};
    assert_status(trp_world_command(ground->world, process, &command, 0), TRP_OK);
}

bool ground_run(struct ground *ground, bool (*done)(void *user), void *user)
{
    trp_time until = trp_time_after(trp_world_now(ground->world), PATIENCE_NS);
    while (!done(user)) {
        if (trp_world_next(ground->world) > until) {
            return false;
        }
        assert_status(trp_world_step(ground->world), TRP_OK);
    }
    return true;
}

void ground_rest(struct ground *ground)
{
    trp_time until = trp_time_after(trp_world_now(ground->world), TRP_S(5));
    assert_status(trp_world_run_until(ground->world, until), TRP_OK);
}

trp_time ground_now(const struct ground *ground)
{
    return trp_world_now(ground->world);
}

static struct trp_multiaddr address_of(const char *text)
{
    struct trp_multiaddr address;
    assert_status(trp_multiaddr_parse(text, &address, NULL), TRP_OK);
    return address;
}

struct trp_multiaddr ground_address(void)
{
    return address_of("/ip4/10.0.0.1/tcp/0");
}

struct trp_multiaddr ground_wildcard(void)
{
    return address_of("/ip4/0.0.0.0/tcp/0");
}

struct trp_multiaddr ground_closed_address(void)
{
    return address_of("/ip4/10.0.0.1/tcp/9");
}

struct trp_multiaddr ground_name(void)
{
    return address_of("/dns4/host0/tcp/4001");
}

struct trp_multiaddr ground_bad_name(void)
{
    return address_of("/dns4/host77/tcp/4001");
}

struct trp_udp_address ground_udp(uint32_t process)
{
    return (struct trp_udp_address){.ip = {10, 0, 0, (uint8_t)(process + 1)}, .ip_bytes = 4};
}

struct trp_udp_address ground_group(uint32_t *ret_interface)
{
    *ret_interface = 1;
    return (struct trp_udp_address){.ip = {224, 0, 0, 251}, .ip_bytes = 4};
}
