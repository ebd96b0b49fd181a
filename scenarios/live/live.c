/* SPDX-License-Identifier: MIT */
#include "scenarios/live/live.h"

#include "base/prng.h"
#include "scenarios/live/live_state.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#define LOOK_EVERY_NS  TRP_MS(50) /* advance comes back so that the run can look around */
#define NETWORKS_TRIED 64u
#define DRAW_RESET     1u

/* ---- addresses ---- */

static struct trp_multiaddr live_address(const void *self, uint32_t host)
{
    const struct live *live = self;
    const uint8_t ip[4] = {live->ip[0], live->ip[1], live->ip[2], (uint8_t)(host + 1)};
    return trp_multiaddr_from_ip(ip, sizeof ip, TRP_NETWORK_PORT);
}

/* ---- time ---- */

static uint64_t live_unix_ns(const void *self)
{
    return ((const struct live *)self)->unix_ns;
}

/* Gives what a driver traces to the run, in the run's time. */
static void live_on_driver_event(void *self, const struct trp_trace_event *event)
{
    struct live *live = self;
    struct trp_recorder *recorder = live->config.recorder;
    struct trp_trace_event told = *event;
    told.time = event->time > live->epoch ? event->time - live->epoch : 0;
    told.sequence = ++recorder->sequence;
    if (recorder->sink.event != NULL) {
        recorder->sink.event(recorder->sink.self, &told);
    }
}

/* ---- the network's operations ---- */

static enum trp_status live_add_host(void *self, trp_time start)
{
    struct live *live = self;
    if (live->hosts_count == live->config.hosts_max || live->hosts_count == TRP_LIVE_HOSTS_MAX) {
        return TRP_EFULL;
    }
    struct live_host *host = &live->hosts[live->hosts_count];
    *host = (struct live_host){.live = live, .index = live->hosts_count, .start = start};
    const uint8_t ip[4] = {live->ip[0], live->ip[1], live->ip[2], (uint8_t)(host->index + 1)};
    host->from = trp_multiaddr_from_ip(ip, sizeof ip, 0);
    live->hosts_count++;
    return uv_random(NULL, NULL, host->identity, sizeof host->identity, 0, NULL) == 0 ? TRP_OK
                                                                                      : TRP_EIO;
}

static trp_time live_start_due(struct live *live)
{
    trp_time next = TRP_NEVER;
    for (uint32_t i = 0; i < live->hosts_count; i++) {
        struct live_host *host = &live->hosts[i];
        if (!host->started && host->start <= trp_live_now(live)) {
            (void)trp_live_host_start(host, 0);
        }
        if (!host->started) {
            next = trp_time_min(next, host->start);
        }
    }
    return next;
}

static void live_on_alarm(uv_timer_t *timer)
{
    (void)timer; /* it only ends the turn of the loop */
}

static enum trp_status live_advance(void *self, trp_time until, bool *ret_reached)
{
    struct live *live = self;
    trp_time now = trp_live_now(live);
    if (now < until) {
        trp_time at = trp_time_min(live_start_due(live), trp_time_min(until, now + LOOK_EVERY_NS));
        now = trp_live_now(live);
        uv_update_time(&live->loop);
        (void)uv_timer_start(&live->alarm, live_on_alarm,
                             at > now ? (at - now + TRP_MS(1) - 1) / TRP_MS(1) : 0, 0);
        (void)uv_run(&live->loop, UV_RUN_ONCE);
        (void)uv_timer_stop(&live->alarm);
    } else {
        (void)live_start_due(live);
        (void)uv_run(&live->loop, UV_RUN_NOWAIT);
    }
    trp_live_tidy(live);
    *ret_reached = trp_live_now(live) >= until;
    return TRP_OK;
}

static enum trp_status live_command(void *self, uint32_t index, const struct trp_command *command,
                                    uint64_t cause)
{
    const struct live *live = self;
    const struct live_host *host = &live->hosts[index];
    if (!live_host_is_up(host)) {
        return TRP_ESTATE;
    }
    if (host->paused) {
        return TRP_EAGAIN;
    }
    struct trp_input in = {.kind = TRP_IN_COMMAND, .command = command, .cause = cause};
    return trp_uv_input(host->life->driver, &in);
}

/* Something changed that gates may wait for. */
static void live_wake(struct live *live)
{
    struct trp_list_link *next;
    for (struct trp_list_link *at = trp_list_front(&live->lives); at != NULL; at = next) {
        struct life *life = TRP_CONTAINER(at, struct life, link);
        next = trp_list_next(&live->lives, at);
        trp_gate_wake(life->gate);
        trp_live_poke(life);
    }
}

static void live_retopology(void *self)
{
    struct live *live = self;
    trp_netem_retopology(live->netem);
    live_wake(live);
}

static uint64_t live_cut(void *self, const struct trp_network_cut *cut, uint64_t cause)
{
    struct live *live = self;
    uint32_t host = cut->from_count > 0 ? cut->from[0] : 0;
    uint64_t event =
        trp_trace_cut_begun(trp_live_trace(live, host, cause),
                            &(struct trp_event_cut_begun){.cut = cut->id,
                                                          .silent = cut->mode == TRP_CUT_BLACKHOLE,
                                                          .from = cut->from_count,
                                                          .to = cut->to_count});
    enum trp_status status = trp_netem_cut(live->netem, cut->id, cut->mode, cut->from,
                                           cut->from_count, cut->to, cut->to_count);
    if (status != TRP_OK && live->hosts_count > 0) {
        live->hosts[host].broken = status; /* the run has a host less, and says so */
    }
    return event;
}

static uint64_t live_heal(void *self, uint32_t id, uint64_t cause)
{
    struct live *live = self;
    uint32_t healed = trp_netem_heal(live->netem, id);
    uint64_t event = trp_trace_cut_healed(
        trp_live_trace(live, 0, cause), &(struct trp_event_cut_healed){.cut = id, .count = healed});
    live_wake(live);
    return event;
}

static bool live_is_cut(const void *self, uint32_t from, uint32_t to)
{
    return trp_netem_is_cut(((const struct live *)self)->netem, from, to);
}

static uint64_t live_crash(void *self, uint32_t index, uint64_t cause)
{
    struct live *live = self;
    struct live_host *host = &live->hosts[index];
    if (!live_host_is_up(host)) {
        return 0;
    }
    struct life *life = host->life;
    uint64_t event = trp_trace_host_crashed(
        trp_live_trace(live, index, cause),
        &(struct trp_event_host_crashed){.incarnation = host->incarnation,
                                         .sockets = trp_gate_sockets(life->gate)});
    trp_netem_set_dead(live->netem, index, true);
    trp_gate_crash(life->gate);
    trp_live_host_end(host);
    trp_live_poke(life);
    return event;
}

static uint64_t live_stop(void *self, uint32_t index, uint64_t cause)
{
    struct live *live = self;
    struct live_host *host = &live->hosts[index];
    if (!live_host_is_up(host)) {
        return 0;
    }
    struct life *life = host->life;
    uint64_t event = trp_trace_host_stopped(
        trp_live_trace(live, index, cause),
        &(struct trp_event_host_stopped){.incarnation = host->incarnation,
                                         .sockets = trp_gate_sockets(life->gate)});
    trp_gate_stop(life->gate);
    trp_live_host_end(host);
    trp_live_poke(life);
    return event;
}

static uint64_t live_restart(void *self, uint32_t index, enum trp_state_kept state, uint64_t cause)
{
    struct live *live = self;
    struct live_host *host = &live->hosts[index];
    if (live_host_is_up(host)) {
        return 0;
    }
    host->incarnation += host->started;
    if (state == TRP_STATE_LOST) {
        host->saved_bytes = 0;
        if (uv_random(NULL, NULL, host->identity, sizeof host->identity, 0, NULL) != 0) {
            trp_live_host_failed(host, TRP_EIO, cause);
            return 0;
        }
    }
    uint64_t event = trp_live_host_start(host, cause);
    struct trp_list_link *next;
    for (struct trp_list_link *at = trp_list_front(&live->lives); at != NULL; at = next) {
        struct life *life = TRP_CONTAINER(at, struct life, link);
        next = trp_list_next(&live->lives, at);
        if (life->host == host && life != host->life) {
            trp_gate_power(life->gate);
            trp_live_poke(life);
        }
    }
    live_wake(live);
    return event;
}

static uint64_t live_pause(void *self, uint32_t index, uint64_t cause)
{
    struct live *live = self;
    struct live_host *host = &live->hosts[index];
    if (!live_host_is_up(host) || host->paused) {
        return 0;
    }
    host->paused = true;
    host->paused_at = trp_live_now(live);
    trp_gate_pause(host->life->gate);
    trp_live_poke(host->life);
    return trp_trace_host_paused(trp_live_trace(live, index, cause),
                                 &(struct trp_event_host_paused){.incarnation = host->incarnation});
}

static uint64_t live_resume(void *self, uint32_t index, uint64_t cause)
{
    struct live *live = self;
    struct live_host *host = &live->hosts[index];
    if (!live_host_is_up(host) || !host->paused) {
        return 0;
    }
    host->paused = false;
    uint64_t event = trp_trace_host_resumed(
        trp_live_trace(live, index, cause),
        &(struct trp_event_host_resumed){.paused = trp_live_now(live) - host->paused_at});
    trp_gate_resume(host->life->gate);
    trp_live_poke(host->life);
    return event;
}

struct choice {
    const struct trp_reset *reset;
    const struct live *live;
    uint32_t host;
    uint64_t counter;
};

static bool choice_chooses(void *user, uint32_t other)
{
    struct choice *choice = user;
    uint64_t pair = (uint64_t)choice->host << 32 | other;
    uint64_t draw = trp_draw(choice->live->config.seed, pair, DRAW_RESET, choice->counter++);
    bool drawn = trp_draw_share(draw, choice->reset->share_ppm);
    return choice->reset->chooses == NULL
               ? drawn
               : choice->reset->chooses(choice->reset->user, choice->host, other, drawn);
}

static uint64_t live_reset(void *self, uint32_t index, const struct trp_reset *reset,
                           uint64_t cause)
{
    struct live *live = self;
    struct live_host *host = &live->hosts[index];
    if (!live_host_is_up(host)) {
        return 0;
    }
    struct choice choice = {
        .reset = reset, .live = live, .host = index, .counter = trp_live_now(live)};
    uint64_t event = trp_trace_connections_reset(
        trp_live_trace(live, index, cause),
        &(struct trp_event_connections_reset){.sockets = trp_gate_sockets(host->life->gate),
                                              .share_ppm = reset->share_ppm});
    trp_gate_reset(host->life->gate, choice_chooses, &choice);
    trp_live_poke(host->life);
    return event;
}

/* All lives of a host: its machine may still send for an earlier one. */
static void live_host_stats(const void *self, uint32_t index, struct trp_host_stats *ret_stats)
{
    const struct live *live = self;
    const struct live_host *host = &live->hosts[index];
    *ret_stats = (struct trp_host_stats){.bytes_sent = host->bytes_sent,
                                         .bytes_received = host->bytes_received,
                                         .incarnation = host->incarnation};
    for (struct trp_list_link *at = trp_list_front(&live->lives); at != NULL;
         at = trp_list_next(&live->lives, at)) {
        const struct life *life = TRP_CONTAINER(at, struct life, link);
        uint64_t sent;
        uint64_t received;
        if (life->host == host) {
            trp_gate_traffic(life->gate, &sent, &received);
            ret_stats->bytes_sent += sent;
            ret_stats->bytes_received += received;
            ret_stats->sockets += trp_gate_sockets(life->gate);
        }
    }
}

static void live_stats(const void *self, struct trp_network_stats *ret_stats)
{
    const struct live *live = self;
    *ret_stats = (struct trp_network_stats){.happenings = live->steps};
    for (uint32_t i = 0; i < live->hosts_count; i++) {
        struct trp_host_stats host;
        live_host_stats(live, i, &host);
        ret_stats->bytes_sent += host.bytes_sent;
    }
    for (struct trp_list_link *at = trp_list_front(&live->lives); at != NULL;
         at = trp_list_next(&live->lives, at)) {
        const struct life *life = TRP_CONTAINER(at, struct life, link);
        ret_stats->happenings += life->driver == NULL ? 0 : trp_uv_steps(life->driver);
    }
}

/* ---- opening and closing ---- */

static void live_on_handle_closed(uv_handle_t *handle)
{
    struct live *live = handle->data;
    live->handles--;
}

static void live_close(void *self)
{
    struct live *live = self;
    for (uint32_t i = 0; i < live->hosts_count; i++) {
        if (live_host_is_up(&live->hosts[i])) {
            struct life *life = live->hosts[i].life;
            trp_gate_crash(life->gate);
            trp_live_host_end(&live->hosts[i]);
        }
    }
    struct trp_list_link *next;
    for (struct trp_list_link *at = trp_list_front(&live->lives); at != NULL; at = next) {
        next = trp_list_next(&live->lives, at);
        trp_live_life_close(TRP_CONTAINER(at, struct life, link));
    }
    if (live->handles > 1) { /* it is opened second */
        uv_close((uv_handle_t *)&live->guard, live_on_handle_closed);
    }
    uv_close((uv_handle_t *)&live->alarm, live_on_handle_closed);
    while (!trp_list_is_empty(&live->lives) || live->handles > 0) {
        (void)uv_run(&live->loop, UV_RUN_ONCE);
    }
    (void)uv_loop_close(&live->loop);
    for (uint32_t i = 0; i < live->hosts_count; i++) {
        free(live->hosts[i].saved);
    }
    trp_netem_close(live->netem);
    free(live->hosts);
    free(live);
}

static const struct trp_network_ops live_ops = {.close = live_close,
                                                .add_host = live_add_host,
                                                .address = live_address,
                                                .now = trp_live_now,
                                                .unix_ns = live_unix_ns,
                                                .advance = live_advance,
                                                .command = live_command,
                                                .retopology = live_retopology,
                                                .cut = live_cut,
                                                .heal = live_heal,
                                                .is_cut = live_is_cut,
                                                .crash = live_crash,
                                                .stop = live_stop,
                                                .restart = live_restart,
                                                .pause = live_pause,
                                                .resume = live_resume,
                                                .reset = live_reset,
                                                .stats = live_stats,
                                                .host_stats = live_host_stats};

/* Each host may have a connection with every other, twice when they dial each other. */
static void raise_descriptors(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &limit);
    }
}

static void live_on_guard(uv_stream_t *guard, int status)
{
    (void)guard; /* nobody has any business there */
    (void)status;
}

/* Takes a network 127.x.y.0/24 that no other run has: its last address is held. */
static enum trp_status live_take_network(struct live *live)
{
    for (uint32_t i = 0; i < NETWORKS_TRIED; i++) {
        uint8_t drawn[2];
        struct sockaddr_in name;
        char text[32];
        if (uv_random(NULL, NULL, drawn, sizeof drawn, 0, NULL) != 0) {
            return TRP_EIO;
        }
        live->ip[0] = 127;
        live->ip[1] = (uint8_t)(drawn[0] % 254 + 1); /* 127.0.0.0/16 is other programs' */
        live->ip[2] = drawn[1];
        (void)snprintf(text, sizeof text, "127.%u.%u.254", live->ip[1], live->ip[2]);
        if (uv_ip4_addr(text, TRP_NETWORK_PORT, &name) != 0) {
            return TRP_EIO;
        }
        if (uv_tcp_init(&live->loop, &live->guard) != 0) {
            return TRP_EIO;
        }
        live->guard.data = live;
        live->handles++;
        if (uv_tcp_bind(&live->guard, (const struct sockaddr *)&name, 0) == 0 &&
            uv_listen((uv_stream_t *)&live->guard, 1, live_on_guard) == 0) {
            return TRP_OK;
        }
        uv_close((uv_handle_t *)&live->guard, live_on_handle_closed);
        while (live->handles > 1) {
            (void)uv_run(&live->loop, UV_RUN_ONCE);
        }
    }
    return TRP_EIO;
}

bool trp_live_can_run(const struct trp_plan *plan, struct trp_place *ret_place,
                      char ret_problem[256])
{
    for (uint32_t i = 0; i < plan->groups_count; i++) {
        const struct trp_plan_group *group = &plan->groups[i];
        if (group->mdns == TRP_MDNS_ON) {
            *ret_place = group->place;
            (void)snprintf(ret_problem, 256,
                           "on real sockets there is no multicast between hosts; run it in the "
                           "simulator, or with --set hosts.%s.mdns=off",
                           group->name);
            return false;
        }
        if (group->first + group->count > TRP_LIVE_HOSTS_MAX) {
            *ret_place = group->place;
            (void)snprintf(ret_problem, 256,
                           "on real sockets there can be %u hosts, here are %u; run it in the "
                           "simulator, or with fewer: --set hosts.%s.count=…",
                           TRP_LIVE_HOSTS_MAX, plan->hosts_count, group->name);
            return false;
        }
    }
    return true;
}

enum trp_status trp_network_open_live(void *user, const struct trp_network_config *config,
                                      struct trp_network *ret_network)
{
    (void)user;
    uv_timeval64_t wall;
    struct live *live = calloc(1, sizeof *live);
    if (live == NULL) {
        return TRP_ENOMEM;
    }
    live->config = *config;
    live->trace = (struct trp_trace){.recorder = config->recorder};
    trp_list_init(&live->lives);
    trp_recorder_init(&live->drivers,
                      (struct trp_trace_sink){.event = live_on_driver_event, .self = live});
    live->hosts = calloc(config->hosts_max + 1u, sizeof *live->hosts);
    if (live->hosts == NULL || uv_loop_init(&live->loop) != 0) {
        free(live->hosts);
        free(live);
        return TRP_ENOMEM;
    }
    raise_descriptors();
    (void)uv_timer_init(&live->loop, &live->alarm); /* cannot fail */
    live->alarm.data = live;
    live->handles = 1;
    enum trp_status status =
        trp_netem_open(config->seed, config->topology, config->hosts_max, &live->netem);
    if (status == TRP_OK) {
        status = live_take_network(live);
    }
    if (status == TRP_OK && uv_gettimeofday(&wall) != 0) {
        status = TRP_EIO;
    }
    if (status != TRP_OK) {
        live_close(live);
        return status;
    }
    live->epoch = trp_uv_now();
    live->unix_ns = (uint64_t)wall.tv_sec * TRP_S(1) + (uint64_t)wall.tv_usec * 1000u;
    *ret_network = (struct trp_network){.ops = &live_ops, .self = live};
    return TRP_OK;
}
