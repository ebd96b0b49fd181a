/* SPDX-License-Identifier: MIT */
/* The simulated world as the network of a run. */
#include "scenarios/harness/network.h"

#include <stdlib.h>

#define SIM_EPOCH_UNIX_S 1767225600ull /* 2026-01-01: virtual time 0 */

struct sim_network {
    struct trp_world *world;
    struct trp_topology topology;
};

static struct trp_world *world_of(const void *self)
{
    return ((const struct sim_network *)self)->world;
}

static void sim_close(void *self)
{
    struct sim_network *network = self;
    trp_world_close(network->world);
    free(network);
}

static enum trp_status sim_add_host(void *self, trp_time start)
{
    uint32_t host;
    return trp_world_add_host(world_of(self), start, &host);
}

static void sim_set_lan(void *self, uint32_t host, uint32_t lan)
{
    trp_world_set_lan(world_of(self), host, lan);
}

static struct trp_multiaddr sim_address(const void *self, uint32_t host)
{
    uint8_t ip[4];
    (void)self;
    trp_world_host_ip(host, ip);
    return trp_multiaddr_from_ip(ip, sizeof ip, TRP_NETWORK_PORT);
}

static trp_time sim_now(const void *self)
{
    return trp_world_now(world_of(self));
}

static uint64_t sim_unix_ns(const void *self)
{
    (void)self;
    return TRP_S(SIM_EPOCH_UNIX_S);
}

static enum trp_status sim_advance(void *self, trp_time until, bool *ret_reached)
{
    struct trp_world *world = world_of(self);
    *ret_reached = trp_world_next(world) > until;
    return *ret_reached ? trp_world_run_until(world, until) : trp_world_step(world);
}

static enum trp_status sim_command(void *self, uint32_t host, const struct trp_command *command,
                                   uint64_t cause)
{
    return trp_world_command(world_of(self), host, command, cause);
}

static void sim_retopology(void *self)
{
    const struct sim_network *network = self;
    trp_world_set_topology(network->world, network->topology);
}

static uint64_t sim_cut(void *self, const struct trp_network_cut *cut, uint64_t cause)
{
    return trp_world_cut(world_of(self), cut->id, cut->from, cut->from_count, cut->to,
                         cut->to_count, cut->mode, cause);
}

static uint64_t sim_heal(void *self, uint32_t id, uint64_t cause)
{
    return trp_world_heal(world_of(self), id, cause);
}

static bool sim_is_cut(const void *self, uint32_t from, uint32_t to)
{
    return trp_world_is_cut(world_of(self), from, to);
}

static uint64_t sim_crash(void *self, uint32_t host, uint64_t cause)
{
    return trp_world_crash(world_of(self), host, cause);
}

static uint64_t sim_stop(void *self, uint32_t host, uint64_t cause)
{
    return trp_world_stop(world_of(self), host, cause);
}

static uint64_t sim_restart(void *self, uint32_t host, enum trp_state_kept state, uint64_t cause)
{
    return trp_world_restart(world_of(self), host, state, cause);
}

static uint64_t sim_pause(void *self, uint32_t host, uint64_t cause)
{
    return trp_world_pause(world_of(self), host, cause);
}

static uint64_t sim_resume(void *self, uint32_t host, uint64_t cause)
{
    return trp_world_resume(world_of(self), host, cause);
}

static uint64_t sim_reset(void *self, uint32_t host, const struct trp_reset *reset, uint64_t cause)
{
    return trp_world_reset(world_of(self), host, reset, cause);
}

static void sim_stats(const void *self, struct trp_network_stats *ret_stats)
{
    struct trp_world_stats stats;
    trp_world_stats(world_of(self), &stats);
    *ret_stats =
        (struct trp_network_stats){.happenings = stats.happenings, .bytes_sent = stats.bytes_sent};
}

static void sim_host_stats(const void *self, uint32_t host, struct trp_host_stats *ret_stats)
{
    trp_world_host_stats(world_of(self), host, ret_stats);
}

static const struct trp_network_ops sim_ops = {.deterministic = true,
                                               .close = sim_close,
                                               .add_host = sim_add_host,
                                               .set_lan = sim_set_lan,
                                               .address = sim_address,
                                               .now = sim_now,
                                               .unix_ns = sim_unix_ns,
                                               .advance = sim_advance,
                                               .command = sim_command,
                                               .retopology = sim_retopology,
                                               .cut = sim_cut,
                                               .heal = sim_heal,
                                               .is_cut = sim_is_cut,
                                               .crash = sim_crash,
                                               .stop = sim_stop,
                                               .restart = sim_restart,
                                               .pause = sim_pause,
                                               .resume = sim_resume,
                                               .reset = sim_reset,
                                               .stats = sim_stats,
                                               .host_stats = sim_host_stats};

enum trp_status trp_network_open_sim(void *user, const struct trp_network_config *config,
                                     struct trp_network *ret_network)
{
    (void)user;
    const struct trp_world_config world = {.seed = config->seed,
                                           .factory = config->factory,
                                           .recorder = config->recorder,
                                           .blocks = config->blocks,
                                           .hosts_max = config->hosts_max};
    struct sim_network *network = calloc(1, sizeof *network);
    if (network == NULL) {
        return TRP_ENOMEM;
    }
    network->topology = config->topology;
    enum trp_status status = trp_world_open(&world, &network->world);
    if (status != TRP_OK) {
        free(network);
        return status;
    }
    trp_world_set_topology(network->world, config->topology);
    *ret_network = (struct trp_network){.ops = &sim_ops, .self = network};
    return TRP_OK;
}
