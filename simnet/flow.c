/* SPDX-License-Identifier: MIT */
/* A flow is a list of chunks in order: taken by nobody yet, then on the way, then not sent yet. One
 * happening is planned for the first that is on the way; the others wait for it, as bytes behind a
 * gap do. What is lost is sent again by one timer per flow. */
#include "base/assert.h"
#include "base/prng.h"
#include "simnet/draws.h"
#include "simnet/world.h"

/* Drops the chunks from `first` up to, but not, `until`; NULL: to the end of the list. */
static void flow_drop(struct trp_world *world, struct trp_sim_end *end, struct trp_sim_chunk *first,
                      struct trp_sim_chunk *until)
{
    struct trp_sim_chunk *before = NULL;
    for (struct trp_sim_chunk *chunk = end->head; chunk != first; chunk = chunk->next) {
        before = chunk;
    }
    while (first != until) {
        struct trp_sim_chunk *next = first->next;
        trp_sim_chunk_free(world, first);
        first = next;
    }
    if (before == NULL) {
        end->head = until;
    } else {
        before->next = until;
    }
    if (until == NULL) {
        end->tail = before;
    }
}

void trp_sim_flow_free(struct trp_world *world, struct trp_sim_end *end)
{
    flow_drop(world, end, end->head, NULL);
    end->arriving = end->unsent = NULL;
}

void trp_sim_flow_silence(struct trp_world *world, struct trp_sim_end *end)
{
    if (end->unsent != NULL) {
        flow_drop(world, end, end->unsent, NULL);
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

/* The first chunk on the way that was lost. */
static struct trp_sim_chunk *flow_lost(const struct trp_sim_end *end)
{
    struct trp_sim_chunk *chunk = end->arriving;
    while (chunk != end->unsent) {
        if (chunk->arrive_at == TRP_NEVER && (chunk->flags & TRP_SIM_HELD) == 0) {
            return chunk;
        }
        chunk = chunk->next;
    }
    return NULL;
}

void trp_sim_flow_abandon(struct trp_world *world, struct trp_sim_end *end)
{
    struct trp_sim_end *other = trp_sim_end_other(end);
    struct trp_sim_chunk *lost = flow_lost(end);
    struct trp_sim_chunk *reset = lost;
    while (reset != NULL && ((reset->flags & TRP_SIM_RST) == 0 || reset == lost)) {
        reset = reset->next;
    }
    if (lost != NULL) {
        end->arriving = end->arriving == lost ? reset : end->arriving;
        flow_drop(world, end, lost, reset);
    }
    flow_arm(world, end);
    if (end->arriving == NULL && other->state == TRP_SIM_END_BACKLOG && !other->accepted_due) {
        trp_sim_end_forget(world, other); /* the handshake will not be finished */
    }
}

void trp_sim_flow_recover(struct trp_world *world, struct trp_sim_end *end, trp_time since)
{
    if (end->state == TRP_SIM_END_GONE) {
        trp_sim_flow_abandon(world, end);
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

void trp_sim_flow_hold(struct trp_sim_end *end)
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
        trp_sim_flow_hold(end);
        return;
    }
    trp_time left = trp_sim_path_occupy(world, path, chunk->size);
    if (path->cut == TRP_CUT_REFUSE) {
        trp_sim_flow_refuse(world, end);
        return;
    }
    bool lost = path->cut == TRP_CUT_BLACKHOLE;
    if (!lost && path->shape.loss_ppm != 0) {
        uint64_t draw =
            trp_draw(world->config.seed, trp_sim_end_key(end), TRP_SIM_DRAW_LOSS, draw_index);
        lost = trp_sim_path_loses(path, chunk->size, draw);
    }
    if (lost) {
        trp_sim_flow_recover(world, end, world->now);
        return;
    }
    struct trp_sim_end *back = trp_sim_end_other(end);
    chunk->ack = back->ack_due;
    back->ack_due = 0;
    /* It may be earlier than that of the chunk before; then it waits for that one. */
    chunk->arrive_at = trp_time_after(left, trp_sim_path_latency(world, path, left));
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
    if (tail->sent_at != TRP_NEVER &&
        (!leaving || end->unacked + bytes.size > TRP_SIM_WINDOW_BYTES)) {
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
            struct trp_sim_chunk *chunk = trp_sim_chunk_make(world, size);
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
    struct trp_sim_chunk *chunk = trp_sim_chunk_make(world, 0);
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
        trp_sim_flow_ack(world, end, TRP_SIM_FIN);
    }
    return done;
}

static void arrive_syn(struct trp_world *world, struct trp_sim_end *end)
{
    enum trp_status status = trp_sim_end_accept(trp_sim_end_other(end));
    if (status == TRP_EREFUSED) {
        trp_sim_flow_answer_reset(world, end, TRP_EREFUSED);
        return;
    }
    if (status != TRP_OK) {
        end->arriving->arrive_at = TRP_NEVER;
        trp_sim_flow_recover(world, end, end->arriving->sent_at);
        return;
    }
    end->arriving = end->arriving->next;
    flow_drop(world, end, end->head, end->head->next);
    trp_sim_flow_ack(world, end, TRP_SIM_SYN);
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
            trp_sim_flow_answer_reset(world, end, TRP_ERESET);
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
        uint32_t ack = chunk->ack;
        chunk->arrive_at = TRP_NEVER;
        chunk->ack = 0;
        trp_sim_flow_ack_lost(world, other, ack);
        trp_sim_flow_recover(world, end, chunk->sent_at);
        return;
    }
    trp_sim_flow_acked(world, other, chunk->ack);
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
            flow_drop(world, end, end->head, end->head->next);
        }
    } else if (other->state == TRP_SIM_END_CLOSED) {
        arrive_closed(world, end);
    } else if ((chunk->flags & TRP_SIM_RST) != 0) {
        end->arriving = NULL; /* a reset is the last */
    } else {
        trp_sim_flow_answer_reset(world, end, TRP_ERESET);
    }
    flow_arm(world, end);
    trp_sim_end_deliver(world, other);
}

/* Sends again what has left and was lost. */
static void flow_repeat(struct trp_world *world, struct trp_sim_end *end)
{
    for (struct trp_sim_chunk *chunk = end->arriving; chunk != end->unsent; chunk = chunk->next) {
        bool missing =
            chunk->arrive_at == TRP_NEVER || trp_sim_path_lost(end->path, chunk->sent_at);
        if (missing && (chunk->flags & TRP_SIM_HELD) == 0) {
            chunk_route(world, end, chunk);
        }
    }
    flow_arm(world, end);
}

void trp_sim_flow_on_retry(struct trp_world *world, struct trp_sim_end *end)
{
    const struct trp_sim_chunk *first = end->arriving;
    bool chunk_lost =
        first != NULL && first->arrive_at == TRP_NEVER && (first->flags & TRP_SIM_HELD) == 0;
    bool ack_lost = end->ack_lost > 0 || end->ack_lost_flags != 0;
    end->retry_pending = false;
    if (end->state == TRP_SIM_END_GONE) {
        if (chunk_lost) {
            trp_sim_flow_abandon(world, end);
        }
        return;
    }
    if (!chunk_lost && !ack_lost) {
        return;
    }
    uint8_t most =
        end->state == TRP_SIM_END_DIALING ? TRP_SIM_SYN_RETRIES_MAX : TRP_SIM_RETRIES_MAX;
    if (end->retries >= most) {
        trp_sim_flow_time_out(world, end);
        return;
    }
    end->retries++;
    trp_sim_path_refresh(world, end->path);
    if (chunk_lost) {
        flow_repeat(world, end);
    }
    if (ack_lost && end->path->cut == TRP_CUT_NONE && !end->path->shape.stall) {
        /* The repeated segment is acknowledged again. */
        trp_sim_flow_ack_again(world, end, trp_sim_path_latency(world, end->path, world->now));
    } else if (ack_lost) {
        trp_sim_flow_recover(world, end, world->now);
    }
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
    if (!other->retry_pending) {
        trp_sim_flow_ack_again(world, other, 0);
    }
}
