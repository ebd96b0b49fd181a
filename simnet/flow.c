/* SPDX-License-Identifier: MIT */
/* A flow is a list of chunks in order: taken by nobody yet, then on the way, then not sent yet. One
 * happening is planned for the first that is on the way; the others wait for it, as bytes behind a
 * gap do. What is lost is sent again by one timer per flow. */
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
#define ACK_DELAYED         (1u << 30)
#define RESET_STATUS        0xffffu
#define RESET_LOCAL         (1u << 16) /* said by the nearest router: crosses no path */

static const uint32_t pool_bytes[TRP_SIM_CHUNK_POOLS] = {192, 2048, TRP_SIM_CHUNK_RATED_BYTES,
                                                         TRP_SIM_CHUNK_BYTES};
static const uint32_t pool_keeps[TRP_SIM_CHUNK_POOLS] = {4096, 1024, 128, 32};

static struct trp_sim_chunk *chunk_make(struct trp_world *world, uint32_t size)
{
    uint8_t index = 0;
    while (pool_bytes[index] < size) {
        index++;
    }
    struct trp_sim_chunk_pool *pool = &world->pools[index];
    struct trp_sim_chunk *chunk = pool->spare;
    if (chunk != NULL) {
        pool->spare = chunk->next;
        pool->spare_count--;
    } else {
        chunk = trp_memory_alloc(&world->memory, sizeof *chunk + pool_bytes[index]);
    }
    if (chunk != NULL) {
        *chunk = (struct trp_sim_chunk){.sent_at = TRP_NEVER,
                                        .arrive_at = TRP_NEVER,
                                        .capacity = pool_bytes[index],
                                        .pool = index};
    }
    return chunk;
}

void trp_sim_chunk_free(struct trp_world *world, struct trp_sim_chunk *chunk)
{
    if (chunk == NULL) {
        return;
    }
    struct trp_sim_chunk_pool *pool = &world->pools[chunk->pool];
    if (pool->spare_count == pool_keeps[chunk->pool]) {
        trp_memory_free(&world->memory, chunk);
        return;
    }
    chunk->next = pool->spare;
    pool->spare = chunk;
    pool->spare_count++;
}

void trp_sim_pools_free(struct trp_world *world)
{
    for (uint32_t i = 0; i < TRP_SIM_CHUNK_POOLS; i++) {
        while (world->pools[i].spare != NULL) {
            struct trp_sim_chunk *chunk = world->pools[i].spare;
            world->pools[i].spare = chunk->next;
            trp_memory_free(&world->memory, chunk);
        }
    }
}

/* Frees a chain of chunks up to its end. */
static void chain_free(struct trp_world *world, struct trp_sim_chunk *chunk)
{
    while (chunk != NULL) {
        struct trp_sim_chunk *next = chunk->next;
        trp_sim_chunk_free(world, chunk);
        chunk = next;
    }
}

void trp_sim_flow_free(struct trp_world *world, struct trp_sim_end *end)
{
    chain_free(world, end->head);
    end->head = end->tail = end->arriving = end->unsent = NULL;
}

/* Ends the list before `chunk`, which is in it; frees the rest. */
static void flow_cut_off(struct trp_world *world, struct trp_sim_end *end,
                         struct trp_sim_chunk *chunk)
{
    if (end->head == chunk) {
        end->head = end->tail = NULL;
    } else {
        struct trp_sim_chunk *before = end->head;
        while (before->next != chunk) {
            before = before->next;
        }
        before->next = NULL;
        end->tail = before;
    }
    chain_free(world, chunk);
}

void trp_sim_flow_silence(struct trp_world *world, struct trp_sim_end *end)
{
    if (end->unsent != NULL) {
        flow_cut_off(world, end, end->unsent);
        end->unsent = NULL;
    }
}

/* Plans the arrival of the first chunk on the way. */
static void flow_arm(struct trp_world *world, struct trp_sim_end *end)
{
    const struct trp_sim_chunk *chunk = end->arriving;
    if (end->arrive_pending || chunk == NULL || chunk->arrive_at == TRP_NEVER) {
        return;
    }
    trp_time at = chunk->arrive_at > world->now ? chunk->arrive_at : world->now;
    end->arrive_pending = true;
    trp_sim_end_plan(world, end, TRP_SIM_ARRIVE, trp_sim_end_other(end)->host->index, at, 0);
}

/* The sender is gone and will not repeat what was lost: what is on the way cannot be put in order.
 * Only a reset is heard nevertheless. */
static void flow_abandon(struct trp_world *world, struct trp_sim_end *end)
{
    struct trp_sim_chunk *first = end->arriving;
    if (first == NULL) {
        return;
    }
    struct trp_sim_chunk *reset = first;
    while (reset != NULL && (reset->flags & TRP_SIM_RST) == 0) {
        reset = reset->next;
    }
    bool heard = reset != NULL && reset->arrive_at != TRP_NEVER;
    struct trp_sim_chunk kept = heard ? *reset : (struct trp_sim_chunk){.size = 0};
    flow_cut_off(world, end, first);
    end->arriving = NULL;
    struct trp_sim_end *other = trp_sim_end_other(end);
    if (!heard) {
        if (other->state == TRP_SIM_END_BACKLOG && !other->accepted_due) {
            trp_sim_end_forget(world, other);
        }
        return;
    }
    struct trp_sim_chunk *again = chunk_make(world, 0);
    if (again == NULL) {
        trp_sim_fail(world, TRP_ENOMEM);
        return;
    }
    again->flags = kept.flags;
    again->sent_at = kept.sent_at;
    again->arrive_at = kept.arrive_at;
    again->cause = kept.cause;
    if (end->tail == NULL) {
        end->head = again;
    } else {
        end->tail->next = again;
    }
    end->tail = end->arriving = again;
    flow_arm(world, end);
}

/* Something sent at `since` was lost: plans to send it again. */
static void flow_recover(struct trp_world *world, struct trp_sim_end *end, trp_time since)
{
    if (end->state == TRP_SIM_END_GONE) {
        flow_abandon(world, end);
        return;
    }
    if (end->retry_pending) {
        return;
    }
    trp_time first = end->state == TRP_SIM_END_DIALING ? TRP_SIM_SYN_RTO_NS : TRP_SIM_RTO_NS;
    trp_time at = trp_time_after(since, first << end->retries);
    end->retry_pending = true;
    trp_sim_end_plan(world, end, TRP_SIM_RETRY, end->host->index, at > world->now ? at : world->now,
                     0);
}

static void flow_hold(struct trp_sim_end *end)
{
    if (!trp_list_link_is_linked(&end->held)) {
        trp_list_push_back(&end->path->held, &end->held);
    }
}

/* Hands a chunk to the path, which decides when it arrives, or that it does not. */
static void chunk_route(struct trp_world *world, struct trp_sim_end *end,
                        struct trp_sim_chunk *chunk)
{
    struct trp_sim_path *path = end->path;
    uint64_t draw_index = end->departures++;
    chunk->sent_at = world->now;
    chunk->arrive_at = TRP_NEVER;
    chunk->flags &= (uint8_t)~TRP_SIM_HELD;
    if (path->shape.stall) {
        chunk->flags |= TRP_SIM_HELD;
        flow_hold(end);
        return;
    }
    trp_time left = trp_sim_path_occupy(world, path, chunk->size);
    if (path->cut == TRP_CUT_REFUSE) {
        enum trp_status status = end->state == TRP_SIM_END_DIALING ? TRP_EUNREACHABLE : TRP_ERESET;
        uint64_t detail = ((uint64_t)-status & RESET_STATUS) | RESET_LOCAL;
        trp_sim_end_plan(world, end, TRP_SIM_RESET, end->host->index,
                         world->now + TRP_SIM_REFUSE_NS, detail);
        return;
    }
    bool lost = path->cut == TRP_CUT_BLACKHOLE;
    if (!lost && path->shape.loss_ppm != 0) {
        uint64_t draw =
            trp_draw(world->config.seed, trp_sim_end_key(end), TRP_SIM_DRAW_LOSS, draw_index);
        lost = trp_sim_path_loses(path, chunk->size, draw);
    }
    if (lost) {
        flow_recover(world, end, world->now);
        return;
    }
    trp_time at = trp_time_after(left, trp_sim_path_latency(world, path, left));
    chunk->arrive_at = at > end->arrived_last ? at : end->arrived_last;
    end->arrived_last = chunk->arrive_at;
}

static void flow_append(struct trp_sim_end *end, struct trp_sim_chunk *chunk)
{
    if (end->tail == NULL) {
        end->head = chunk;
    } else {
        end->tail->next = chunk;
    }
    end->tail = chunk;
    if (end->unsent == NULL) {
        end->unsent = chunk;
    }
}

/* Sends the first chunk that has not left. */
static void flow_depart(struct trp_world *world, struct trp_sim_end *end)
{
    struct trp_sim_chunk *chunk = end->unsent;
    end->unsent = chunk->next;
    end->unacked += chunk->size;
    if (end->arriving == NULL) {
        end->arriving = chunk;
    }
    chunk_route(world, end, chunk);
}

void trp_sim_flow_transmit(struct trp_world *world, struct trp_sim_end *end)
{
    while (end->unsent != NULL) {
        struct trp_sim_chunk *chunk = end->unsent;
        if (end->state == TRP_SIM_END_DIALING && (chunk->flags & TRP_SIM_SYN) == 0) {
            break;
        }
        if (end->unacked > 0 && end->unacked + chunk->size > TRP_SIM_WINDOW_BYTES) {
            break;
        }
        trp_sim_path_refresh(world, end->path);
        trp_time admitted = trp_sim_path_admits_at(world, end->path);
        if (admitted > world->now) {
            if (!end->send_pending) {
                end->send_pending = true;
                trp_sim_end_plan(world, end, TRP_SIM_SEND, end->host->index, admitted, 0);
            }
            break;
        }
        flow_depart(world, end);
    }
    flow_arm(world, end);
}

/* Adds bytes to the newest chunk, as a kernel does with small writes of one moment. */
static bool flow_merge(struct trp_world *world, struct trp_sim_end *end, struct trp_bytes bytes)
{
    struct trp_sim_chunk *tail = end->tail;
    if (tail == NULL || tail->size == 0 || tail->taken > 0 ||
        bytes.size > tail->capacity - tail->size) {
        return false;
    }
    bool leaving = tail->sent_at == world->now && tail->arrive_at != TRP_NEVER &&
                   (tail->flags & TRP_SIM_ARRIVED) == 0 && end->path->shape.rate_bits_per_s == 0;
    if (tail->sent_at != TRP_NEVER && !leaving) {
        return false;
    }
    uint64_t draw =
        trp_draw(world->config.seed, trp_sim_end_key(end), TRP_SIM_DRAW_MERGE, end->written);
    if ((draw & 3u) == 0) {
        return false;
    }
    memcpy(tail->data + tail->size, bytes.data, bytes.size);
    tail->size += (uint32_t)bytes.size;
    if (leaving) {
        end->unacked += (uint32_t)bytes.size;
        (void)trp_sim_path_occupy(world, end->path, (uint32_t)bytes.size);
    }
    return true;
}

void trp_sim_flow_push(struct trp_world *world, struct trp_sim_end *end, struct trp_bytes bytes,
                       uint8_t flags, uint64_t cause)
{
    size_t most =
        end->path->shape.rate_bits_per_s == 0 ? TRP_SIM_CHUNK_BYTES : TRP_SIM_CHUNK_RATED_BYTES;
    do {
        uint32_t size = (uint32_t)(bytes.size < most ? bytes.size : most);
        if (flags != 0 || !flow_merge(world, end, trp_bytes(bytes.data, size))) {
            struct trp_sim_chunk *chunk = chunk_make(world, size);
            if (chunk == NULL) {
                trp_sim_fail(world, TRP_ENOMEM);
                return;
            }
            chunk->size = size;
            chunk->flags = flags;
            chunk->cause = cause;
            if (size > 0) {
                memcpy(chunk->data, bytes.data, size);
            }
            flow_append(end, chunk);
        }
        end->written += size;
        bytes = trp_bytes_skip(bytes, size);
    } while (bytes.size > 0);
    trp_sim_flow_transmit(world, end);
}

void trp_sim_flow_abort(struct trp_world *world, struct trp_sim_end *end, uint64_t cause)
{
    trp_sim_flow_silence(world, end);
    struct trp_sim_chunk *chunk = chunk_make(world, 0);
    if (chunk == NULL) {
        trp_sim_fail(world, TRP_ENOMEM);
        return;
    }
    chunk->flags = TRP_SIM_RST;
    chunk->cause = cause;
    flow_append(end, chunk);
    trp_sim_path_refresh(world, end->path);
    flow_depart(world, end);
    flow_arm(world, end);
}

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
        flow_recover(world, end, world->now);
    }
}

/* The other host acknowledges to `end` after `wait_ns`. An acknowledgement that is lost is repaired
 * by the next one: two draws must lose it. */
static void flow_ack(struct trp_world *world, struct trp_sim_end *end, uint64_t detail,
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
        flow_hold(other);
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
    if (lost && (detail & ACK_DELAYED) == 0) {
        ack_lose(world, end, detail);
        return;
    }
    trp_time latency = trp_sim_path_latency(world, path, world->now);
    trp_time at = trp_time_after(world->now + wait_ns, latency);
    trp_sim_end_plan(world, end, TRP_SIM_ACK, end->host->index, at,
                     detail | detail_flight(latency));
}

/* Acknowledges the bytes taken: at once when they are many, else a little later with what comes. */
static void flow_ack_taken(struct trp_world *world, struct trp_sim_end *end)
{
    if (end->ack_due >= TRP_SIM_ACK_AT_BYTES) {
        uint32_t count = end->ack_due;
        end->ack_due = 0;
        flow_ack(world, end, count, 0);
    } else if (end->ack_due > 0 && !end->ack_delayed && end->state != TRP_SIM_END_GONE) {
        uint32_t count = end->ack_due;
        end->ack_due = 0;
        end->ack_delayed = true;
        flow_ack(world, end, count | ACK_DELAYED, TRP_SIM_ACK_DELAY_NS);
    }
}

struct trp_sim_chunk *trp_sim_flow_take(struct trp_world *world, struct trp_sim_end *end,
                                        uint32_t count)
{
    struct trp_sim_chunk *chunk = end->head;
    TRP_ASSERT(chunk != NULL && (chunk->flags & TRP_SIM_ARRIVED) != 0);
    TRP_ASSERT(count <= chunk->size - chunk->taken);
    chunk->taken += count;
    end->taken += count;
    end->ack_due += count;
    struct trp_sim_chunk *done = NULL;
    if (chunk->taken == chunk->size) {
        done = chunk;
        end->head = chunk->next;
        if (end->head == NULL) {
            end->tail = NULL;
        }
    }
    if ((chunk->flags & TRP_SIM_FIN) != 0) {
        flow_ack(world, end, end->ack_due | ACK_FIN, 0);
        end->ack_due = 0;
    }
    flow_ack_taken(world, end);
    return done;
}

/* Drops the oldest chunk, which carries no bytes, when it has arrived. */
static void flow_drop_head(struct trp_world *world, struct trp_sim_end *end)
{
    struct trp_sim_chunk *chunk = end->head;
    end->head = chunk->next;
    if (end->head == NULL) {
        end->tail = NULL;
    }
    trp_sim_chunk_free(world, chunk);
}

/* Nobody knows the connection at the other host: answers the sender with a reset. */
static void flow_answer_reset(struct trp_world *world, struct trp_sim_end *end,
                              enum trp_status status)
{
    struct trp_sim_path *path = trp_sim_end_other(end)->path;
    end->arriving->arrive_at = TRP_NEVER;
    if (end->state == TRP_SIM_END_GONE) {
        flow_abandon(world, end);
        return;
    }
    trp_sim_path_refresh(world, path);
    trp_time latency = trp_sim_path_latency(world, path, world->now);
    trp_sim_end_plan(world, end, TRP_SIM_RESET, end->host->index,
                     trp_time_after(world->now, latency),
                     ((uint64_t)-status & RESET_STATUS) | detail_flight(latency));
}

static void arrive_syn(struct trp_world *world, struct trp_sim_end *end)
{
    enum trp_status status = trp_sim_end_accept(world, trp_sim_end_other(end));
    if (status == TRP_EREFUSED) {
        flow_answer_reset(world, end, TRP_EREFUSED);
        return;
    }
    if (status != TRP_OK) {
        end->arriving->arrive_at = TRP_NEVER;
        flow_recover(world, end, end->arriving->sent_at);
        return;
    }
    end->arriving = end->arriving->next;
    flow_drop_head(world, end);
    flow_ack(world, end, ACK_SYN, 0);
}

/* A chunk reached an end that its process has closed. */
static void arrive_closed(struct trp_world *world, struct trp_sim_end *end)
{
    struct trp_sim_end *other = trp_sim_end_other(end);
    struct trp_sim_chunk *chunk = end->arriving;
    if (chunk->size > 0 || (chunk->flags & TRP_SIM_RST) != 0) {
        /* Bytes that nobody will read reset the connection, as on Linux. */
        trp_sim_end_forget(world, other);
        if (chunk->size > 0) {
            flow_answer_reset(world, end, TRP_ERESET);
        } else {
            end->arriving = NULL; /* a reset is the last */
        }
        return;
    }
    chunk->flags |= TRP_SIM_ARRIVED;
    end->arriving = chunk->next;
    trp_sim_chunk_free(world, trp_sim_flow_take(world, end, 0));
}

void trp_sim_flow_on_arrive(struct trp_world *world, struct trp_sim_end *end)
{
    struct trp_sim_end *other = trp_sim_end_other(end);
    struct trp_sim_chunk *chunk = end->arriving;
    end->arrive_pending = false;
    if (chunk == NULL || chunk->arrive_at > world->now) {
        flow_arm(world, end);
        return;
    }
    trp_sim_path_refresh(world, end->path);
    if (trp_sim_path_lost(end->path, chunk->sent_at) || other->host->state == TRP_SIM_HOST_DEAD) {
        chunk->arrive_at = TRP_NEVER;
        flow_recover(world, end, chunk->sent_at);
        return;
    }
    if ((chunk->flags & TRP_SIM_SYN) != 0) {
        arrive_syn(world, end);
    } else if (trp_sim_end_takes(other)) {
        chunk->flags |= TRP_SIM_ARRIVED;
        end->arriving = chunk->next;
        if (other->path->cut == TRP_CUT_NONE) {
            end->retries = 0;
        }
        if ((chunk->flags & TRP_SIM_HELLO) != 0) {
            other->accepted_due = true;
            other->cause = chunk->cause;
            flow_drop_head(world, end);
        }
    } else if (other->state == TRP_SIM_END_CLOSED) {
        arrive_closed(world, end);
    } else if ((chunk->flags & TRP_SIM_RST) != 0) {
        end->arriving = NULL; /* a reset is the last */
    } else {
        flow_answer_reset(world, end, TRP_ERESET);
    }
    flow_arm(world, end);
    trp_sim_end_deliver(world, other);
}

void trp_sim_flow_on_ack(struct trp_world *world, struct trp_sim_end *end, uint64_t detail)
{
    struct trp_sim_end *other = trp_sim_end_other(end);
    if ((detail & ACK_DELAYED) != 0) {
        end->ack_delayed = false;
        flow_ack_taken(world, end);
    }
    if (end->state == TRP_SIM_END_GONE) {
        return;
    }
    trp_sim_path_refresh(world, other->path);
    if (trp_sim_path_lost(other->path, detail_sent_at(world, detail))) {
        ack_lose(world, end, detail);
        return;
    }
    end->retries = 0;
    uint32_t count = (uint32_t)detail & ACK_COUNT;
    TRP_ASSERT(count <= end->unacked);
    end->unacked -= count;
    if (trp_sim_end_takes(end)) {
        end->credit += count;
        if ((detail & ACK_SYN) != 0) {
            trp_sim_end_connected(world, end);
        }
        if ((detail & ACK_FIN) != 0) {
            end->fin_acked = true;
            trp_sim_end_finish(end);
        }
    }
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
            flow_recover(world, end, world->now);
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

static void flow_time_out(struct trp_world *world, struct trp_sim_end *end)
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

void trp_sim_flow_on_retry(struct trp_world *world, struct trp_sim_end *end)
{
    end->retry_pending = false;
    struct trp_sim_chunk *first = end->arriving;
    bool chunk_lost =
        first != NULL && first->arrive_at == TRP_NEVER && (first->flags & TRP_SIM_HELD) == 0;
    bool ack_lost = end->ack_lost > 0 || end->ack_lost_flags != 0;
    if (end->state == TRP_SIM_END_GONE && chunk_lost) {
        flow_abandon(world, end);
    }
    if (end->state == TRP_SIM_END_GONE || (!chunk_lost && !ack_lost)) {
        return;
    }
    uint8_t most =
        end->state == TRP_SIM_END_DIALING ? TRP_SIM_SYN_RETRIES_MAX : TRP_SIM_RETRIES_MAX;
    if (end->retries >= most) {
        flow_time_out(world, end);
        return;
    }
    end->retries++;
    struct trp_sim_path *path = end->path;
    trp_sim_path_refresh(world, path);
    for (struct trp_sim_chunk *chunk = first; chunk_lost && chunk != end->unsent;
         chunk = chunk->next) {
        bool missing = chunk->arrive_at == TRP_NEVER || trp_sim_path_lost(path, chunk->sent_at);
        if (missing && (chunk->flags & TRP_SIM_HELD) == 0) {
            chunk_route(world, end, chunk);
        }
    }
    if (ack_lost && path->cut == TRP_CUT_NONE && !path->shape.stall) {
        /* The repeated segment is acknowledged again. */
        uint64_t detail = end->ack_lost;
        detail |= (end->ack_lost_flags & TRP_SIM_SYN) != 0 ? ACK_SYN : 0;
        detail |= (end->ack_lost_flags & TRP_SIM_FIN) != 0 ? ACK_FIN : 0;
        end->ack_lost = 0;
        end->ack_lost_flags = 0;
        flow_ack(world, end, detail, trp_sim_path_latency(world, path, world->now));
    } else if (ack_lost) {
        flow_recover(world, end, world->now);
    }
    flow_arm(world, end);
}

void trp_sim_flow_release(struct trp_world *world, struct trp_sim_end *end)
{
    for (struct trp_sim_chunk *chunk = end->arriving; chunk != end->unsent; chunk = chunk->next) {
        if ((chunk->flags & TRP_SIM_HELD) != 0) {
            chunk_route(world, end, chunk);
        }
    }
    flow_arm(world, end);
    struct trp_sim_end *other = trp_sim_end_other(end);
    if ((other->ack_lost > 0 || other->ack_lost_flags != 0) && !other->retry_pending) {
        uint64_t detail = other->ack_lost;
        detail |= (other->ack_lost_flags & TRP_SIM_SYN) != 0 ? ACK_SYN : 0;
        detail |= (other->ack_lost_flags & TRP_SIM_FIN) != 0 ? ACK_FIN : 0;
        other->ack_lost = 0;
        other->ack_lost_flags = 0;
        flow_ack(world, other, detail, 0);
    }
}
