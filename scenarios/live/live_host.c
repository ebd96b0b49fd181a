/* SPDX-License-Identifier: MIT */
/* The hosts of a network on real sockets, and their lives. */
#include "scenarios/live/live_state.h"

#include <stdlib.h>

/* ---- time ---- */

trp_time trp_live_now(const void *self)
{
    const struct live *live = self;
    return trp_uv_now() - live->epoch;
}

struct trp_trace *trp_live_trace(struct live *live, uint32_t host, uint64_t cause)
{
    live->trace.now = trp_live_now(live);
    live->trace.node = host;
    live->trace.cause = cause;
    return &live->trace;
}

/* ---- lives ---- */

static void life_on_result(void *user, const struct trp_result *result)
{
    const struct life *life = user;
    const struct live *live = life->host->live;
    live->config.factory.result(live->config.factory.user, life->host->index, result);
}

static void life_on_save(void *user, struct trp_bytes bytes)
{
    struct live_host *host = ((struct life *)user)->host;
    uint8_t *saved = realloc(host->saved, bytes.size + 1);
    if (saved == NULL) {
        host->broken = TRP_ENOMEM;
        return;
    }
    if (bytes.size > 0) {
        memcpy(saved, bytes.data, bytes.size);
    }
    host->saved = saved;
    host->saved_bytes = bytes.size;
}

static void life_on_broken(void *user, enum trp_status status)
{
    struct life *life = user;
    if (life->host->life == life) {
        life->host->broken = status;
    }
}

void trp_live_poke(struct life *life)
{
    struct trp_input in = {.kind = TRP_IN_TIME};
    if (life->driver != NULL) {
        TRP_IGNORE(trp_uv_input(life->driver, &in)); /* a broken one says so by itself */
    }
}

static void life_on_driver_closed(void *user)
{
    struct life *life = user;
    struct live_host *host = life->host;
    uint64_t sent;
    uint64_t received;
    trp_gate_traffic(life->gate, &sent, &received);
    host->bytes_sent += sent;
    host->bytes_received += received;
    trp_list_link_remove(&life->link);
    trp_gate_close(life->gate);
    free(life);
}

/* Closes the driver; the life is freed when libuv is done with it. */
void trp_live_life_close(struct life *life)
{
    struct trp_uv_driver *driver = life->driver;
    life->driver = NULL;
    if (driver != NULL) {
        life->host->live->steps += trp_uv_steps(driver);
        trp_uv_close(driver, life_on_driver_closed, life);
    }
}

static uint32_t live_host_of(void *user, const struct trp_multiaddr *address)
{
    const struct life *life = user;
    const struct live *live = life->host->live;
    struct trp_endpoint endpoint;
    if (trp_multiaddr_tcp(address, &endpoint) != TRP_OK || endpoint.host != TRP_MA_IP4 ||
        memcmp(endpoint.ip, live->ip, 3) != 0 || endpoint.ip[3] == 0 ||
        endpoint.ip[3] > live->hosts_count) {
        return TRP_NETEM_OUTSIDE;
    }
    return endpoint.ip[3] - 1u;
}

static enum trp_status life_open(struct live_host *host, struct life **ret_life)
{
    struct live *live = host->live;
    struct life *life = calloc(1, sizeof *life);
    if (life == NULL) {
        return TRP_ENOMEM;
    }
    life->host = host;
    const struct trp_gate_config gate = {.inner = host->process,
                                         .netem = live->netem,
                                         .host = host->index,
                                         .epoch = live->epoch,
                                         .host_of = live_host_of,
                                         .result = life_on_result,
                                         .save = life_on_save,
                                         .user = life};
    enum trp_status status = trp_gate_open(&gate, &life->gate);
    if (status != TRP_OK) {
        free(life);
        return status;
    }
    trp_list_push_back(&live->lives, &life->link);
    host->life = life;
    const struct trp_uv_config driver = {.loop = &live->loop,
                                         .process = trp_gate_process(life->gate),
                                         .recorder = &live->drivers,
                                         .trace_node = host->index,
                                         .dial_from = &host->from,
                                         .broken = life_on_broken,
                                         .user = life};
    status = trp_uv_open(&driver, &life->driver);
    if (status != TRP_OK) {
        host->life = NULL;
        trp_list_link_remove(&life->link);
        trp_gate_close(life->gate);
        free(life);
        return status;
    }
    *ret_life = life;
    return TRP_OK;
}

/* ---- hosts ---- */

void trp_live_host_end(struct live_host *host)
{
    const struct trp_host_factory *factory = &host->live->config.factory;
    struct trp_process process = host->process;
    host->process = (struct trp_process){.ops = NULL};
    host->life = NULL;
    host->paused = false;
    host->broken = TRP_OK;
    factory->end(factory->user, host->index, process);
}

void trp_live_host_failed(struct live_host *host, enum trp_status status, uint64_t cause)
{
    (void)trp_trace_host_failed(trp_live_trace(host->live, host->index, cause),
                                &(struct trp_event_host_failed){.status = status});
}

uint64_t trp_live_host_start(struct live_host *host, uint64_t cause)
{
    struct live *live = host->live;
    const struct trp_host_factory *factory = &live->config.factory;
    uint8_t seed[32];
    struct life *life;
    uint64_t event =
        trp_trace_host_started(trp_live_trace(live, host->index, cause),
                               &(struct trp_event_host_started){.incarnation = host->incarnation,
                                                                .saved_bytes = host->saved_bytes});
    host->started = true;
    trp_netem_set_dead(live->netem, host->index, false);
    enum trp_status status =
        uv_random(NULL, NULL, seed, sizeof seed, 0, NULL) == 0 ? TRP_OK : TRP_EIO;
    if (status == TRP_OK) {
        status = factory->start(factory->user, host->index, host->incarnation, trp_live_now(live),
                                seed, host->identity, trp_bytes(host->saved, host->saved_bytes),
                                &host->process);
    }
    if (status == TRP_OK) {
        status = life_open(host, &life);
        if (status != TRP_OK) {
            trp_live_host_end(host);
        }
    }
    if (status != TRP_OK) {
        trp_live_host_failed(host, status, event);
    }
    return event;
}

void trp_live_tidy(struct live *live)
{
    for (uint32_t i = 0; i < live->hosts_count; i++) {
        struct live_host *host = &live->hosts[i];
        if (host->life != NULL && host->broken != TRP_OK) {
            struct life *life = host->life;
            trp_live_host_failed(host, host->broken, 0);
            trp_gate_stop(life->gate);
            trp_live_host_end(host);
            trp_live_life_close(life);
        }
    }
    struct trp_list_link *next;
    for (struct trp_list_link *at = trp_list_front(&live->lives); at != NULL; at = next) {
        struct life *life = TRP_CONTAINER(at, struct life, link);
        next = trp_list_next(&live->lives, at);
        if (life->driver != NULL && life->host->life != life && trp_gate_sockets(life->gate) == 0 &&
            !trp_uv_is_sending(life->driver)) {
            trp_live_life_close(life);
        }
    }
}
