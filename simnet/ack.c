/* SPDX-License-Identifier: MIT */
/* What comes back to a sender: acknowledgements, resets and, when nothing does, the end of
 * patience. */
#include "base/assert.h"
#include "base/prng.h"
#include "simnet/draws.h"
#include "simnet/world.h"

/* The detail of an acknowledgement or reset: what it says below, its time of flight above. */
#define DETAIL_FLIGHT_SHIFT 32u
#define DETAIL_FLIGHT_US    0x7fffffffu
#define ACK_COUNT           0x0fffffffu
#define ACK_SYN             (1u << 28)
#define ACK_FIN             (1u << 29)
_Static_assert(TRP_SIM_WINDOW_BYTES + TRP_SIM_CHUNK_BYTES <= ACK_COUNT, "a window fits");
#define RESET_STATUS 0xffffu
#define RESET_LOCAL  (1u << 16) /* said by the nearest router: crosses no path */

static uint64_t detail_flight(trp_time flight_ns)
{
    uint64_t us = flight_ns / 1000u;
    return (us < DETAIL_FLIGHT_US ? us : DETAIL_FLIGHT_US) << DETAIL_FLIGHT_SHIFT;
}

/* When what carries `detail` and arrives now was sent. */
static trp_time detail_sent_at(const struct trp_world *world, uint64_t detail)
{
    trp_time flight = (detail >> DETAIL_FLIGHT_SHIFT & DETAIL_FLIGHT_US) * 1000u;
    return world->now > flight ? world->now - flight : 0;
}

static void ack_lose(struct trp_world *world, struct trp_sim_end *end, uint64_t detail)
{
    end->ack_lost += (uint32_t)detail & ACK_COUNT;
    end->ack_lost_flags |= (uint8_t)((detail & ACK_SYN) != 0 ? TRP_SIM_SYN : 0);
    end->ack_lost_flags |= (uint8_t)((detail & ACK_FIN) != 0 ? TRP_SIM_FIN : 0);
    if (!trp_sim_end_other(end)->path->shape.stall) {
        trp_sim_flow_recover(world, end, world->now);
    }
}

/* The other host acknowledges to `end` after `wait_ns`. An acknowledgement that is lost is repaired
 * by the next one: two draws must lose it. */
static void ack_send(struct trp_world *world, struct trp_sim_end *end, uint64_t detail,
                     trp_time wait_ns)
{
    struct trp_sim_end *other = trp_sim_end_other(end);
    struct trp_sim_path *path = other->path;
    if (end->state == TRP_SIM_END_GONE) {
        return;
    }
    trp_sim_path_refresh(world, path);
    uint64_t draw_index = end->acks++;
    if (path->shape.stall) {
        ack_lose(world, end, detail);
        trp_sim_flow_hold(other);
        return;
    }
    bool lost = path->cut != TRP_CUT_NONE;
    for (uint64_t i = 0; !lost && path->shape.loss_ppm != 0 && i < 2; i++) {
        uint64_t draw = trp_draw(world->config.seed, trp_sim_end_key(end), TRP_SIM_DRAW_ACK_LOSS,
                                 draw_index * 2 + i);
        if (!trp_sim_path_loses(path, 0, draw)) {
            break;
        }
        lost = i == 1;
    }
    if (lost) {
        ack_lose(world, end, detail);
        return;
    }
    trp_time latency = trp_sim_path_latency(world, path, world->now);
    trp_time at = trp_time_after(world->now + wait_ns, latency);
    trp_sim_end_plan(world, end, TRP_SIM_ACK, end->host->index, at,
                     detail | detail_flight(latency));
}

static uint64_t ack_flags(uint8_t chunk_flags)
{
    return ((chunk_flags & TRP_SIM_SYN) != 0 ? ACK_SYN : 0) |
           ((chunk_flags & TRP_SIM_FIN) != 0 ? ACK_FIN : 0);
}

void trp_sim_flow_ack(struct trp_world *world, struct trp_sim_end *end, uint8_t chunk_flags)
{
    uint32_t count = end->ack_due;
    end->ack_due = 0;
    ack_send(world, end, count | ack_flags(chunk_flags), 0);
}

void trp_sim_flow_ack_taken(struct trp_world *world, struct trp_sim_end *end)
{
    if (end->ack_due >= TRP_SIM_ACK_AT_BYTES) {
        trp_sim_flow_ack(world, end, 0);
    } else if (end->ack_due > 0 && !end->ack_delayed && end->state != TRP_SIM_END_GONE) {
        end->ack_delayed = true;
        trp_sim_end_plan(world, end, TRP_SIM_ACK_DUE, trp_sim_end_other(end)->host->index,
                         world->now + TRP_SIM_ACK_DELAY_NS, 0);
    }
}

void trp_sim_flow_on_ack_due(struct trp_world *world, struct trp_sim_end *end)
{
    end->ack_delayed = false;
    if (end->ack_due > 0) {
        trp_sim_flow_ack(world, end, 0);
    }
}

void trp_sim_flow_ack_lost(struct trp_world *world, struct trp_sim_end *end, uint32_t count)
{
    if (count > 0 && end->state != TRP_SIM_END_GONE) {
        ack_lose(world, end, count);
    }
}

void trp_sim_flow_acked(struct trp_world *world, struct trp_sim_end *end, uint32_t count)
{
    if (count == 0 || end->state == TRP_SIM_END_GONE) {
        return;
    }
    TRP_ASSERT(count <= end->unacked);
    end->unacked -= count;
    if (trp_sim_end_takes(end)) {
        end->credit += count;
    }
    trp_sim_flow_transmit(world, end);
}

void trp_sim_flow_ack_again(struct trp_world *world, struct trp_sim_end *end, trp_time wait_ns)
{
    uint64_t detail = end->ack_lost | ack_flags(end->ack_lost_flags);
    if (detail != 0) {
        end->ack_lost = 0;
        end->ack_lost_flags = 0;
        ack_send(world, end, detail, wait_ns);
    }
}

void trp_sim_flow_refuse(struct trp_world *world, struct trp_sim_end *end)
{
    enum trp_status status = end->state == TRP_SIM_END_DIALING ? TRP_EUNREACHABLE : TRP_ERESET;
    trp_sim_end_plan(world, end, TRP_SIM_RESET, end->host->index, world->now + TRP_SIM_REFUSE_NS,
                     ((uint64_t)-status & RESET_STATUS) | RESET_LOCAL);
}

void trp_sim_flow_answer_reset(struct trp_world *world, struct trp_sim_end *end,
                               enum trp_status status)
{
    struct trp_sim_path *path = trp_sim_end_other(end)->path;
    end->arriving->arrive_at = TRP_NEVER;
    if (end->state == TRP_SIM_END_GONE) {
        trp_sim_flow_abandon(world, end);
        return;
    }
    trp_sim_path_refresh(world, path);
    trp_time latency = trp_sim_path_latency(world, path, world->now);
    trp_sim_end_plan(world, end, TRP_SIM_RESET, end->host->index,
                     trp_time_after(world->now, latency),
                     ((uint64_t)-status & RESET_STATUS) | detail_flight(latency));
}

void trp_sim_flow_on_ack(struct trp_world *world, struct trp_sim_end *end, uint64_t detail)
{
    struct trp_sim_end *other = trp_sim_end_other(end);
    if (end->state == TRP_SIM_END_GONE) {
        return;
    }
    trp_sim_path_refresh(world, other->path);
    if (trp_sim_path_lost(other->path, detail_sent_at(world, detail))) {
        ack_lose(world, end, detail);
        return;
    }
    end->retries = 0;
    if (trp_sim_end_takes(end)) {
        if ((detail & ACK_SYN) != 0) {
            trp_sim_end_connected(world, end);
        }
        if ((detail & ACK_FIN) != 0) {
            end->fin_acked = true;
            trp_sim_end_finish(end);
        }
    }
    trp_sim_flow_acked(world, end, (uint32_t)detail & ACK_COUNT);
    trp_sim_flow_transmit(world, end);
    trp_sim_end_deliver(world, end);
}

void trp_sim_flow_on_reset(struct trp_world *world, struct trp_sim_end *end, uint64_t detail)
{
    enum trp_status status = (enum trp_status)(-(int32_t)(detail & RESET_STATUS));
    struct trp_sim_end *other = trp_sim_end_other(end);
    uint64_t cause = end->cause;
    if (end->state == TRP_SIM_END_GONE) {
        return;
    }
    if ((detail & RESET_LOCAL) == 0) {
        trp_sim_path_refresh(world, other->path);
        if (trp_sim_path_lost(other->path, detail_sent_at(world, detail))) {
            trp_sim_flow_recover(world, end, world->now);
            return;
        }
    }
    if (!trp_sim_end_takes(end)) {
        trp_sim_end_forget(world, end);
        return;
    }
    if (end->state == TRP_SIM_END_DIALING) {
        world->stats.connections_refused++;
        cause = trp_trace_dial_refused(trp_sim_trace(world, end->host->index, cause),
                                       &(struct trp_event_dial_refused){.to = other->host->index,
                                                                        .port = other->port,
                                                                        .status = status});
    } else {
        cause = trp_trace_connection_reset(
            trp_sim_trace(world, end->host->index, 0),
            &(struct trp_event_connection_reset){.peer_host = other->host->index});
    }
    trp_sim_end_fail(world, end, status, cause);
    trp_sim_end_deliver(world, end);
}

void trp_sim_flow_time_out(struct trp_world *world, struct trp_sim_end *end)
{
    struct trp_sim_end *other = trp_sim_end_other(end);
    if (!trp_sim_end_takes(end)) {
        trp_sim_end_forget(world, end);
        return;
    }
    uint64_t cause = trp_trace_connection_timed_out(
        trp_sim_trace(world, end->host->index, end->cause),
        &(struct trp_event_connection_timed_out){.peer_host = other->host->index,
                                                 .port = other->port,
                                                 .dialing = end->state == TRP_SIM_END_DIALING,
                                                 .unacked = end->unacked});
    trp_sim_end_fail(world, end, TRP_ETIMEDOUT, cause);
    trp_sim_end_deliver(world, end);
}
