/* SPDX-License-Identifier: MIT */
/* What a scenario does to the world. Each fault is traced first; its event is the cause of what
 * follows from it. */
#include "base/prng.h"
#include "simnet/draws.h"
#include "simnet/world.h"

uint64_t trp_world_cut(struct trp_world *world, uint32_t id, const uint32_t *from,
                       uint32_t from_count, const uint32_t *to, uint32_t to_count, enum trp_cut cut,
                       uint64_t cause)
{
    uint32_t host = from_count > 0 ? from[0] : 0;
    uint64_t event = trp_trace_cut_begun(
        trp_sim_trace(world, host, cause),
        &(struct trp_event_cut_begun){
            .cut = id, .silent = cut == TRP_CUT_BLACKHOLE, .from = from_count, .to = to_count});
    if (cut != TRP_CUT_NONE) {
        struct trp_sim_cut added = {.id = id, .cut = cut};
        enum trp_status status = trp_sim_cuts_add(world, &added, from, from_count, to, to_count);
        if (status != TRP_OK) {
            trp_sim_fail(world, status);
        }
    }
    return event;
}

uint64_t trp_world_heal(struct trp_world *world, uint32_t id, uint64_t cause)
{
    uint32_t healed = trp_sim_cuts_heal(world, id);
    return trp_trace_cut_healed(trp_sim_trace(world, 0, cause),
                                &(struct trp_event_cut_healed){.cut = id, .count = healed});
}

uint64_t trp_world_crash(struct trp_world *world, uint32_t host, uint64_t cause)
{
    if (!trp_world_is_up(world, host)) {
        return 0;
    }
    struct trp_sim_host *crashed = world->hosts[host];
    uint64_t event = trp_trace_host_crashed(
        trp_sim_trace(world, host, cause),
        &(struct trp_event_host_crashed){.incarnation = crashed->incarnation,
                                         .sockets = crashed->ends_by_id.count});
    trp_sim_host_end(world, crashed, TRP_SIM_HOST_DEAD);
    return event;
}

uint64_t trp_world_stop(struct trp_world *world, uint32_t host, uint64_t cause)
{
    if (!trp_world_is_up(world, host)) {
        return 0;
    }
    struct trp_sim_host *stopped = world->hosts[host];
    uint64_t event = trp_trace_host_stopped(
        trp_sim_trace(world, host, cause),
        &(struct trp_event_host_stopped){.incarnation = stopped->incarnation,
                                         .sockets = stopped->ends_by_id.count});
    trp_sim_host_end(world, stopped, TRP_SIM_HOST_STOPPED);
    return event;
}

uint64_t trp_world_restart(struct trp_world *world, uint32_t host, enum trp_state_kept state,
                           uint64_t cause)
{
    if (host >= world->hosts_count || trp_world_is_up(world, host)) {
        return 0;
    }
    struct trp_sim_host *started = world->hosts[host];
    if (started->started) {
        started->incarnation++;
    }
    if (state == TRP_STATE_LOST) {
        started->losses++;
        started->saved_bytes = 0;
    }
    return trp_sim_host_start(world, started, cause);
}

uint64_t trp_world_pause(struct trp_world *world, uint32_t host, uint64_t cause)
{
    if (!trp_world_is_up(world, host) || world->hosts[host]->paused) {
        return 0;
    }
    struct trp_sim_host *paused = world->hosts[host];
    paused->paused = true;
    paused->paused_at = world->now;
    trp_heap_remove(&world->timers, &paused->timer);
    return trp_trace_host_paused(
        trp_sim_trace(world, host, cause),
        &(struct trp_event_host_paused){.incarnation = paused->incarnation});
}

uint64_t trp_world_resume(struct trp_world *world, uint32_t host, uint64_t cause)
{
    if (!trp_world_is_up(world, host) || !world->hosts[host]->paused) {
        return 0;
    }
    struct trp_sim_host *resumed = world->hosts[host];
    resumed->paused = false;
    uint64_t event = trp_trace_host_resumed(
        trp_sim_trace(world, host, cause),
        &(struct trp_event_host_resumed){.paused = world->now - resumed->paused_at});
    for (uint32_t i = 0; i < resumed->deferred_count; i++) {
        const struct trp_happening *happening = &resumed->deferred[i];
        trp_sim_plan(world, trp_happening_kind(happening), host, world->now, happening->subject,
                     happening->detail);
    }
    resumed->deferred_count = 0;
    trp_sim_host_arm(world, resumed, world->now);
    return event;
}

uint64_t trp_world_reset(struct trp_world *world, uint32_t host, const struct trp_reset *reset,
                         uint64_t cause)
{
    if (!trp_world_is_up(world, host)) {
        return 0;
    }
    struct trp_sim_host *hit = world->hosts[host];
    uint64_t event = trp_trace_connections_reset(
        trp_sim_trace(world, host, cause),
        &(struct trp_event_connections_reset){.sockets = hit->ends_by_id.count,
                                              .share_ppm = reset->share_ppm});
    struct trp_list_link *link = trp_list_front(&hit->ends);
    for (; link != NULL; link = trp_list_next(&hit->ends, link)) {
        struct trp_sim_end *end = TRP_CONTAINER(link, struct trp_sim_end, attached);
        if (end->state != TRP_SIM_END_OPEN) {
            continue;
        }
        struct trp_sim_end *other = trp_sim_end_other(end);
        uint64_t draw = trp_draw(world->config.seed, trp_sim_end_duplex(end)->key,
                                 TRP_SIM_DRAW_RESET, world->now);
        bool chosen = trp_draw_share(draw, reset->share_ppm);
        if (reset->chooses != NULL) {
            chosen = reset->chooses(reset->user, host, other->host->index, chosen);
        }
        if (!chosen) {
            continue;
        }
        trp_sim_end_fail(world, end, TRP_ERESET, event);
        trp_sim_end_poke(world, end);
        trp_sim_end_fail(world, other, TRP_ERESET, event);
        trp_sim_end_poke(world, other);
    }
    return event;
}
