/* SPDX-License-Identifier: MIT */
#include <troupe/pump.h>

#include "base/endian.h"
#include "base/prng.h"
#include "simnet/draws.h"
#include "simnet/world.h"

void trp_world_host_ip(uint32_t host, uint8_t ret_ip[4])
{
    trp_store_be32(ret_ip, 10u << 24 | (host + 1));
}

enum trp_status trp_sim_host_by_ip(const struct trp_world *world, const uint8_t ip[4],
                                   uint32_t *ret_host)
{
    uint32_t number = trp_load_be32(ip);
    if (number >> 24 != 10 || (number & 0xffffffu) == 0 ||
        (number & 0xffffffu) > world->hosts_count) {
        return TRP_ENOTFOUND;
    }
    *ret_host = (number & 0xffffffu) - 1;
    return TRP_OK;
}

static void host_resolve(struct trp_world *world, struct trp_sim_host *host,
                         const struct trp_output *out)
{
    trp_handle handle;
    void *object;
    enum trp_status status = trp_slab_insert(&world->resolutions, &handle, &object);
    if (status != TRP_OK) {
        trp_sim_fail(world, status);
        return;
    }
    *(struct trp_sim_resolution *)object =
        (struct trp_sim_resolution){.incarnation = host->incarnation,
                                    .id = out->socket,
                                    .cause = out->cause,
                                    .address = *out->address};
    uint64_t draw = trp_draw(world->config.seed, host->index, TRP_SIM_DRAW_RESOLVE, out->socket);
    const struct trp_dist span = {.kind = TRP_DIST_UNIFORM, .a = 1, .b = TRP_SIM_RESOLVE_NS};
    trp_sim_plan(world, TRP_SIM_RESOLVED, host->index, world->now + trp_dist_sample(&span, draw),
                 handle, 0);
}

/* Reads the N of "hostN". */
static enum trp_status name_host(const struct trp_world *world, const char *name,
                                 uint32_t *ret_host)
{
    uint32_t number = 0;
    if (strncmp(name, "host", 4) != 0 || name[4] == '\0') {
        return TRP_ERESOLVE;
    }
    for (const char *at = name + 4; *at != '\0'; at++) {
        if (*at < '0' || *at > '9' || number >= world->hosts_count) {
            return TRP_ERESOLVE;
        }
        number = number * 10 + (uint32_t)(*at - '0');
    }
    *ret_host = number;
    return number < world->hosts_count ? TRP_OK : TRP_ERESOLVE;
}

static enum trp_status address_resolve(const struct trp_world *world,
                                       const struct trp_multiaddr *address,
                                       struct trp_multiaddr *ret_address)
{
    struct trp_endpoint endpoint;
    struct trp_peer_id peer;
    uint32_t host;
    uint8_t ip[4];
    enum trp_status status = trp_multiaddr_tcp(address, &endpoint);
    if (status != TRP_OK) {
        return status;
    }
    if (endpoint.host != TRP_MA_DNS && endpoint.host != TRP_MA_DNS4) {
        return TRP_ERESOLVE;
    }
    status = name_host(world, endpoint.name, &host);
    if (status != TRP_OK) {
        return status;
    }
    trp_world_host_ip(host, ip);
    struct trp_multiaddr found = trp_multiaddr_from_ip(ip, sizeof ip, endpoint.port);
    if (trp_multiaddr_peer(address, &peer) == TRP_OK) {
        return trp_multiaddr_with_peer(&found, &peer, ret_address);
    }
    *ret_address = found;
    return TRP_OK;
}

void trp_sim_host_resolved(struct trp_world *world, struct trp_sim_host *host,
                           const struct trp_happening *happening)
{
    struct trp_sim_resolution *found = trp_slab_find(&world->resolutions, happening->subject);
    if (found == NULL) {
        return;
    }
    struct trp_sim_resolution asked = *found;
    trp_slab_remove(&world->resolutions, happening->subject);
    if (asked.incarnation != host->incarnation) {
        return;
    }
    struct trp_multiaddr address;
    struct trp_input in = {.kind = TRP_IN_RESOLVED, .cause = asked.cause, .socket = asked.id};
    in.status = address_resolve(world, &asked.address, &address);
    if (in.status == TRP_OK) {
        in.addresses = &address;
        in.addresses_count = 1;
    }
    (void)trp_sim_host_input(world, host, &in);
}

static void host_save(struct trp_world *world, struct trp_sim_host *host, struct trp_bytes bytes)
{
    if (bytes.size > 0) {
        uint8_t *saved = trp_memory_resize(&world->memory, host->saved, bytes.size);
        if (saved == NULL) {
            trp_sim_fail(world, TRP_ENOMEM);
            return;
        }
        memcpy(saved, bytes.data, bytes.size);
        host->saved = saved;
    }
    host->saved_bytes = bytes.size;
}

static void host_perform(void *driver, const struct trp_output *out)
{
    struct trp_sim_host *host = driver;
    struct trp_world *world = host->world;
    switch (out->kind) {
    case TRP_OUT_LISTEN:
        trp_sim_listen(world, host, out);
        break;
    case TRP_OUT_DIAL:
        trp_sim_dial(world, host, out);
        break;
    case TRP_OUT_BYTES:
    case TRP_OUT_SHUTDOWN:
    case TRP_OUT_PAUSE:
    case TRP_OUT_RESUME:
        trp_sim_socket_perform(world, host, out);
        break;
    case TRP_OUT_CLOSE:
        if (!trp_sim_datagram_perform(world, host, out)) {
            trp_sim_socket_perform(world, host, out);
        }
        break;
    case TRP_OUT_BIND:
    case TRP_OUT_DATAGRAM:
    case TRP_OUT_JOIN:
    case TRP_OUT_LEAVE:
    case TRP_OUT_WATCH:
        (void)trp_sim_datagram_perform(world, host, out);
        break;
    case TRP_OUT_RESOLVE:
        host_resolve(world, host, out);
        break;
    case TRP_OUT_SAVE:
        host_save(world, host, out->bytes);
        break;
    case TRP_OUT_RESULT:
        if (world->config.factory.result != NULL) {
            world->config.factory.result(world->config.factory.user, host->index, out->result);
        }
        break;
    }
}

void trp_sim_host_arm(struct trp_world *world, struct trp_sim_host *host, trp_time earliest)
{
    if (host->deadline == TRP_NEVER) {
        trp_heap_remove(&world->timers, &host->timer);
        return;
    }
    trp_time at = host->deadline > earliest ? host->deadline : earliest;
    if (trp_heap_is_queued(&host->timer) && host->timer.at == at) {
        return;
    }
    enum trp_status status = trp_heap_insert(&world->timers, &host->timer, at,
                                             trp_happening_order(TRP_SIM_TIMER, host->index, 0));
    if (status != TRP_OK) {
        trp_sim_fail(world, status);
    }
}

enum trp_status trp_sim_host_input(struct trp_world *world, struct trp_sim_host *host,
                                   struct trp_input *in)
{
    in->now = world->now;
    enum trp_status status = trp_pump(host->process, in, host_perform, host, &host->deadline);
    if (status != TRP_OK) {
        (void)trp_trace_host_failed(trp_sim_trace(world, host->index, in->cause),
                                    &(struct trp_event_host_failed){.status = status});
        trp_sim_host_end(world, host, TRP_SIM_HOST_STOPPED);
        return status;
    }
    bool idle = in->kind == TRP_IN_TIME;
    trp_sim_host_arm(world, host, idle ? world->now + TRP_SIM_TIMER_MIN_NS : world->now);
    return TRP_OK;
}

void trp_sim_host_on_timer(struct trp_world *world, struct trp_sim_host *host)
{
    struct trp_input in = {.kind = TRP_IN_TIME};
    (void)trp_sim_host_input(world, host, &in);
}

void trp_sim_host_defer(struct trp_world *world, struct trp_sim_host *host,
                        const struct trp_happening *happening)
{
    if (host->deferred_count == host->deferred_capacity) {
        uint32_t capacity = host->deferred_capacity == 0 ? 16 : host->deferred_capacity * 2;
        struct trp_happening *deferred =
            trp_memory_resize(&world->memory, host->deferred, (size_t)capacity * sizeof *deferred);
        if (deferred == NULL) {
            trp_sim_fail(world, TRP_ENOMEM);
            return;
        }
        host->deferred = deferred;
        host->deferred_capacity = capacity;
    }
    host->deferred[host->deferred_count++] = *happening;
}

/* Draws 32 bytes for a host. */
static void host_draw_bytes(const struct trp_world *world, const struct trp_sim_host *host,
                            enum trp_sim_draw stream, uint64_t counter, uint8_t ret_bytes[32])
{
    for (uint64_t word = 0; word < 4; word++) {
        uint64_t draw = trp_draw(world->config.seed, host->index, stream, counter * 4 + word);
        trp_store_le64(ret_bytes + 8 * word, draw);
    }
}

uint64_t trp_sim_host_start(struct trp_world *world, struct trp_sim_host *host, uint64_t cause)
{
    const struct trp_host_factory *factory = &world->config.factory;
    uint8_t seed[32];
    uint8_t identity[32];
    host_draw_bytes(world, host, TRP_SIM_DRAW_HOST_SEED, host->incarnation, seed);
    host_draw_bytes(world, host, TRP_SIM_DRAW_IDENTITY, host->losses, identity);
    uint64_t event =
        trp_trace_host_started(trp_sim_trace(world, host->index, cause),
                               &(struct trp_event_host_started){.incarnation = host->incarnation,
                                                                .saved_bytes = host->saved_bytes});
    host->started = true;
    host->paused = false;
    host->accepted_next = 1;
    host->port_next = 0;
    host->udp_port_next = 0;
    enum trp_status status =
        factory->start(factory->user, host->index, host->incarnation, world->now, seed, identity,
                       trp_bytes(host->saved, host->saved_bytes), &host->process);
    if (status != TRP_OK) {
        (void)trp_trace_host_failed(trp_sim_trace(world, host->index, event),
                                    &(struct trp_event_host_failed){.status = status});
        host->process = (struct trp_process){.ops = NULL};
        host->state = TRP_SIM_HOST_STOPPED;
        return event;
    }
    host->state = TRP_SIM_HOST_UP;
    struct trp_input in = {.kind = TRP_IN_TIME, .cause = event};
    (void)trp_sim_host_input(world, host, &in);
    return event;
}

void trp_sim_host_end(struct trp_world *world, struct trp_sim_host *host,
                      enum trp_sim_host_state state)
{
    struct trp_process process = host->process;
    trp_heap_remove(&world->timers, &host->timer);
    host->process = (struct trp_process){.ops = NULL};
    host->state = state;
    host->paused = false;
    for (uint32_t i = 0; i < host->deferred_count; i++) {
        if (trp_happening_kind(&host->deferred[i]) == TRP_SIM_DATAGRAM) {
            trp_sim_datagram_forget(world, host->deferred[i].subject);
        }
    }
    host->deferred_count = 0;
    trp_sim_datagrams_end(world, host);
    trp_sim_sockets_end(world, host, state == TRP_SIM_HOST_DEAD);
    if (process.ops != NULL && world->config.factory.end != NULL) {
        world->config.factory.end(world->config.factory.user, host->index, process);
    }
}

void trp_sim_host_free(struct trp_world *world, struct trp_sim_host *host)
{
    trp_sim_host_end(world, host, TRP_SIM_HOST_DEAD);
    trp_index_deinit(&host->ends_by_id);
    trp_memory_free(&world->memory, host->deferred);
    trp_memory_free(&world->memory, host->saved);
    trp_memory_free(&world->memory, host);
}
