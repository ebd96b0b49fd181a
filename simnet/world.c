/* SPDX-License-Identifier: MIT */
#include "simnet/world.h"

#include <stdlib.h>

#define HOSTS_MAX_DEFAULT 65536u
#define HOSTS_MAX         ((1u << TRP_HAPPENING_HOST_BITS) - 2u)
#define DUPLEXES_MAX      (1u << 24)
#define RESOLUTIONS_MAX   (1u << 20)

void trp_sim_fail(struct trp_world *world, enum trp_status status)
{
    if (world->failed == TRP_OK) {
        world->failed = status;
    }
}

void trp_sim_plan(struct trp_world *world, enum trp_sim_kind kind, uint32_t host, trp_time at,
                  uint64_t subject, uint64_t detail)
{
    if (at == TRP_NEVER) {
        return;
    }
    const struct trp_happening happening = {.at = at,
                                            .order = trp_happening_order(kind, host, 0),
                                            .subject = subject,
                                            .detail = detail};
    enum trp_status status = trp_happenings_push(&world->happenings, &happening);
    if (status != TRP_OK) {
        trp_sim_fail(world, status);
    }
}

struct trp_trace *trp_sim_trace(struct trp_world *world, uint32_t host, uint64_t cause)
{
    world->trace.node = host;
    world->trace.now = world->now;
    world->trace.cause = cause;
    return &world->trace;
}

enum trp_status trp_world_open(const struct trp_world_config *config, struct trp_world **ret_world)
{
    uint32_t hosts_max = config->hosts_max == 0 ? HOSTS_MAX_DEFAULT : config->hosts_max;
    if (config->factory.start == NULL || hosts_max > HOSTS_MAX) {
        return TRP_EINVAL;
    }
    struct trp_world *world = calloc(1, sizeof *world);
    if (world == NULL) {
        return TRP_ENOMEM;
    }
    world->memory = trp_memory_init(UINT64_MAX);
    world->memory.blocks = config->blocks;
    world->config = *config;
    world->config.hosts_max = hosts_max;
    world->trace.recorder = config->recorder;
    world->happenings.memory = &world->memory;
    world->timers = trp_heap_init(&world->memory);
    world->duplexes = trp_slab_init(&world->memory, sizeof(struct trp_sim_duplex), DUPLEXES_MAX);
    world->resolutions =
        trp_slab_init(&world->memory, sizeof(struct trp_sim_resolution), RESOLUTIONS_MAX);
    world->datagrams =
        trp_slab_init(&world->memory, sizeof(struct trp_sim_datagram), TRP_SIM_DATAGRAMS_MAX);
    world->paths = trp_index_init(&world->memory);
    trp_list_init(&world->stalled);
    trp_list_init(&world->members);
    *ret_world = world;
    return TRP_OK;
}

void trp_world_close(struct trp_world *world)
{
    if (world == NULL) {
        return;
    }
    for (uint32_t i = 0; i < world->hosts_count; i++) {
        trp_sim_host_free(world, world->hosts[i]);
    }
    uint32_t at = 0;
    trp_handle handle;
    for (struct trp_sim_duplex *duplex = trp_slab_next(&world->duplexes, &at, &handle);
         duplex != NULL; duplex = trp_slab_next(&world->duplexes, &at, &handle)) {
        trp_sim_duplex_free(world, duplex);
    }
    trp_memory_free(&world->memory, world->hosts);
    trp_sim_paths_free(world);
    trp_sim_pools_free(world);
    trp_slab_free(&world->duplexes);
    trp_slab_free(&world->resolutions);
    trp_sim_datagrams_free(world);
    trp_heap_free(&world->timers);
    trp_happenings_free(&world->happenings);
    free(world);
}

void trp_world_set_topology(struct trp_world *world, struct trp_topology topology)
{
    world->topology = topology;
    world->topology_generation++;
    /* The paths that were stalled: those that still are go back to the list on their refresh. */
    struct trp_list was;
    trp_list_init(&was);
    while (!trp_list_is_empty(&world->stalled)) {
        trp_list_push_back(&was, trp_list_pop_front(&world->stalled));
    }
    while (!trp_list_is_empty(&was)) {
        struct trp_sim_path *path =
            TRP_CONTAINER(trp_list_pop_front(&was), struct trp_sim_path, stalled);
        trp_sim_path_refresh(world, path);
        while (!path->shape.stall && !trp_list_is_empty(&path->held)) {
            trp_sim_flow_release(
                world, TRP_CONTAINER(trp_list_pop_front(&path->held), struct trp_sim_end, held));
        }
    }
}

static enum trp_status hosts_reserve(struct trp_world *world)
{
    if (world->hosts_count < world->hosts_capacity) {
        return TRP_OK;
    }
    uint32_t capacity = world->hosts_capacity == 0 ? 64 : world->hosts_capacity * 2;
    struct trp_sim_host **hosts =
        trp_memory_resize(&world->memory, world->hosts, (size_t)capacity * sizeof *hosts);
    if (hosts == NULL) {
        return TRP_ENOMEM;
    }
    world->hosts = hosts;
    world->hosts_capacity = capacity;
    return TRP_OK;
}

enum trp_status trp_world_add_host(struct trp_world *world, trp_time start, uint32_t *ret_host)
{
    if (world->hosts_count == world->config.hosts_max) {
        return TRP_EFULL;
    }
    if (hosts_reserve(world) != TRP_OK) {
        return TRP_ENOMEM;
    }
    struct trp_sim_host *host = trp_memory_alloc(&world->memory, sizeof *host);
    if (host == NULL) {
        return TRP_ENOMEM;
    }
    host->world = world;
    host->index = world->hosts_count;
    host->deadline = TRP_NEVER;
    trp_list_init(&host->listeners);
    trp_list_init(&host->ends);
    host->ends_by_id = trp_index_init(&world->memory);
    trp_list_init(&host->datagram_sockets);
    world->hosts[world->hosts_count++] = host;
    trp_sim_plan(world, TRP_SIM_START, host->index, start > world->now ? start : world->now, 0, 0);
    *ret_host = host->index;
    return world->failed;
}

void trp_world_set_lan(struct trp_world *world, uint32_t host, uint32_t lan)
{
    if (host < world->hosts_count) {
        world->hosts[host]->lan = lan;
    }
}

bool trp_world_is_up(const struct trp_world *world, uint32_t host)
{
    return host < world->hosts_count && world->hosts[host]->state == TRP_SIM_HOST_UP;
}

struct trp_process trp_world_process(const struct trp_world *world, uint32_t host)
{
    return host < world->hosts_count ? world->hosts[host]->process
                                     : (struct trp_process){.ops = NULL};
}

enum trp_status trp_world_command(struct trp_world *world, uint32_t host,
                                  const struct trp_command *command, uint64_t cause)
{
    if (!trp_world_is_up(world, host)) {
        return TRP_ESTATE;
    }
    if (world->hosts[host]->paused) {
        return TRP_EAGAIN;
    }
    struct trp_input in = {.kind = TRP_IN_COMMAND, .cause = cause, .command = command};
    return trp_sim_host_input(world, world->hosts[host], &in);
}

trp_time trp_world_now(const struct trp_world *world)
{
    return world->now;
}

trp_time trp_world_next(const struct trp_world *world)
{
    const struct trp_happening *front = trp_happenings_front(&world->happenings);
    trp_time timer = trp_heap_deadline(&world->timers);
    return front != NULL && front->at < timer ? front->at : timer;
}

/* Runs a happening of an end; its duplex may be gone by now. */
static void run_end(struct trp_world *world, struct trp_sim_host *host,
                    const struct trp_happening *happening)
{
    struct trp_sim_duplex *duplex = trp_slab_find(&world->duplexes, happening->subject);
    if (duplex == NULL) {
        return;
    }
    struct trp_sim_end *end = &duplex->ends[happening->detail >> TRP_SIM_DETAIL_INDEX_SHIFT];
    enum trp_sim_kind kind = trp_happening_kind(happening);
    if (kind == TRP_SIM_ARRIVE) {
        trp_sim_flow_on_arrive(world, end);
    } else if (kind == TRP_SIM_ACK) {
        trp_sim_flow_on_ack(world, end, happening->detail);
    } else if (kind == TRP_SIM_ACK_DUE) {
        trp_sim_flow_on_ack_due(world, end);
    } else if (kind == TRP_SIM_RESET) {
        trp_sim_flow_on_reset(world, end, happening->detail);
    } else if (kind == TRP_SIM_RETRY) {
        trp_sim_flow_on_retry(world, end);
    } else if (kind == TRP_SIM_SEND) {
        end->send_pending = false;
        trp_sim_flow_transmit(world, end);
    } else if (host->paused) {
        trp_sim_host_defer(world, host, happening);
    } else {
        end->deliver_pending = false;
        trp_sim_end_deliver(world, end);
    }
    duplex = trp_slab_find(&world->duplexes, happening->subject);
    if (duplex != NULL) {
        trp_sim_duplex_settle(world, duplex);
    }
}

static void run_happening(struct trp_world *world, const struct trp_happening *happening)
{
    struct trp_sim_host *host = world->hosts[trp_happening_host(happening)];
    switch (trp_happening_kind(happening)) {
    case TRP_SIM_START:
        if (!host->started) {
            (void)trp_sim_host_start(world, host, 0);
        }
        break;
    case TRP_SIM_ANSWER:
    case TRP_SIM_RESOLVED:
        if (host->paused) {
            trp_sim_host_defer(world, host, happening);
        } else if (host->state == TRP_SIM_HOST_UP) {
            if (trp_happening_kind(happening) == TRP_SIM_ANSWER) {
                trp_sim_socket_answer(world, host, happening);
            } else {
                trp_sim_host_resolved(world, host, happening);
            }
        }
        break;
    case TRP_SIM_DATAGRAM:
        trp_sim_datagram_arrive(world, host, happening);
        break;
    case TRP_SIM_ARRIVE:
    case TRP_SIM_ACK:
    case TRP_SIM_ACK_DUE:
    case TRP_SIM_RESET:
    case TRP_SIM_RETRY:
    case TRP_SIM_SEND:
    case TRP_SIM_DELIVER:
        run_end(world, host, happening);
        break;
    case TRP_SIM_TIMER:
        break; /* never planned: the heap of timers holds them */
    }
}

enum trp_status trp_world_step(struct trp_world *world)
{
    const struct trp_happening *front = trp_happenings_front(&world->happenings);
    struct trp_heap_entry *timer = trp_heap_front(&world->timers);
    if (world->failed != TRP_OK) {
        return world->failed;
    }
    if (front == NULL && timer == NULL) {
        return TRP_ENOTFOUND;
    }
    world->stats.happenings++;
    if (timer != NULL && (front == NULL || timer->at < front->at ||
                          (timer->at == front->at && timer->tie < front->order))) {
        struct trp_sim_host *host = TRP_CONTAINER(timer, struct trp_sim_host, timer);
        world->now = timer->at;
        trp_sim_host_on_timer(world, host);
    } else {
        struct trp_happening happening = trp_happenings_pop(&world->happenings);
        world->now = happening.at;
        run_happening(world, &happening);
    }
    return world->failed;
}

enum trp_status trp_world_run_until(struct trp_world *world, trp_time until)
{
    while (trp_world_next(world) <= until && trp_world_next(world) != TRP_NEVER) {
        enum trp_status status = trp_world_step(world);
        if (status != TRP_OK) {
            return status;
        }
    }
    if (until != TRP_NEVER && until > world->now) {
        world->now = until;
    }
    return world->failed;
}

void trp_world_stats(const struct trp_world *world, struct trp_world_stats *ret_stats)
{
    *ret_stats = world->stats;
}

void trp_world_host_stats(const struct trp_world *world, uint32_t host,
                          struct trp_host_stats *ret_stats)
{
    *ret_stats = (struct trp_host_stats){.incarnation = 0};
    if (host < world->hosts_count) {
        const struct trp_sim_host *of = world->hosts[host];
        *ret_stats = (struct trp_host_stats){.bytes_sent = of->bytes_sent,
                                             .bytes_received = of->bytes_received,
                                             .sockets = of->ends_by_id.count + of->listeners_count,
                                             .incarnation = of->incarnation};
    }
}
