/* SPDX-License-Identifier: MIT */
#include "behaviour/kad_state.h"
#include "wire/uvarint.h"

/* ---- frames ---- */

enum trp_status trp_kad_frame_encode(const struct trp_kad_message *message, uint8_t *out,
                                     size_t *ret_size)
{
    /* The message goes behind the widest prefix, then moves up to the one it needs. */
    size_t size;
    enum trp_status status =
        trp_kad_message_encode(message, out + 3, TRP_KAD_MESSAGE_BYTES_MAX, &size);
    if (status != TRP_OK) {
        return status;
    }
    uint8_t prefix[TRP_VARINT_BYTES_MAX];
    size_t prefix_size = trp_varint_encode(size, prefix);
    memmove(out + prefix_size, out + 3, size);
    memcpy(out, prefix, prefix_size);
    *ret_size = prefix_size + size;
    return TRP_OK;
}

enum trp_status trp_kad_frame_decode(struct trp_bytes in, struct trp_kad_message *ret_message,
                                     size_t *ret_used)
{
    uint64_t size;
    size_t used;
    enum trp_status status = trp_uvarint_decode(in, &size, &used);
    if (status != TRP_OK) {
        return status;
    }
    if (size > TRP_KAD_MESSAGE_BYTES_MAX) {
        return TRP_ETOOBIG;
    }
    struct trp_bytes rest = trp_bytes_skip(in, used);
    if (rest.size < size) {
        return TRP_EAGAIN;
    }
    status = trp_kad_message_decode(trp_bytes(rest.data, (size_t)size), ret_message);
    *ret_used = used + (size_t)size;
    return status;
}

/* ---- life ---- */

void trp_kad_rpc_free(struct trp_kad *kad, struct kad_rpc *rpc)
{
    struct kad_peer *peer = rpc->peer;
    trp_heap_remove(&kad->timers, &rpc->timer.entry);
    trp_buffer_free(&rpc->out);
    trp_buffer_free(&rpc->in);
    trp_slab_remove(&kad->rpcs, rpc->id);
    peer->rpcs--;
    trp_kad_peer_release(kad, peer);
}

static bool rpc_has_answer(const struct kad_rpc *rpc)
{
    return rpc->type != TRP_KAD_ADD_PROVIDER;
}

/* Withdrawals of providers go over a protocol of their own. */
static bool rpc_is_withdrawal(const struct kad_rpc *rpc)
{
    return rpc->purpose == KAD_FOR_WITHDRAWAL && rpc->type == TRP_KAD_ADD_PROVIDER;
}

uint32_t trp_kad_withdrawals_pending(const struct trp_kad *kad)
{
    uint32_t count = 0;
    uint32_t at = 0;
    trp_handle id;
    const struct kad_rpc *rpc;
    while ((rpc = trp_slab_next(&kad->rpcs, &at, &id)) != NULL) {
        count += rpc->purpose == KAD_FOR_WITHDRAWAL && !rpc->is_reported;
    }
    return count;
}

/* Gives the outcome, once, to whoever wanted it. `answer` is NULL when there is none. */
static void rpc_report(struct trp_kad *kad, struct kad_rpc *rpc, enum trp_status status,
                       const struct trp_kad_message *answer)
{
    if (rpc->is_reported) {
        return;
    }
    rpc->is_reported = true;
    struct trp_trace *trace = kad->config.trace;
    uint64_t cause = trace->cause;
    trace->cause = cause != 0 ? cause : rpc->cause;
    if (answer != NULL) {
        trp_kad_patience_measure(&kad->patience, kad_now(kad) - rpc->started_at);
        trp_kad_peer_on_answer(kad, rpc->peer);
    } else if (status != TRP_OK) {
        kad->timeouts_total++;
        trp_trace_kad_request_failed(
            trace, &(struct trp_event_kad_request_failed){
                       .peer = &rpc->peer->contact.peer, .kind = rpc->type, .status = status});
        if (!rpc_is_withdrawal(rpc) || status != TRP_ENEGOTIATION) {
            trp_kad_peer_on_failure(kad, rpc->peer, status, rpc->is_opened);
        }
    }
    switch (rpc->purpose) {
    case KAD_FOR_QUERY:
        if (answer != NULL) {
            trp_kad_query_on_answer(kad, rpc->query, rpc->peer, answer);
        } else {
            trp_kad_query_on_failure(kad, rpc->query, rpc->peer, status);
        }
        break;
    case KAD_FOR_STORE:
        trp_kad_query_on_stored(kad, rpc->query, rpc->peer, status == TRP_OK);
        break;
    case KAD_FOR_PROBE:
        rpc->peer->probing = false;
        break;
    case KAD_FOR_WITHDRAWAL:
        break;
    }
    trace->cause = cause;
}

/* Ends a request that failed. */
static void rpc_fail(struct trp_kad *kad, struct kad_rpc *rpc, enum trp_status status)
{
    if (rpc->stream != 0) {
        trp_stream_reset(kad->swarm, rpc->stream);
        rpc->stream = 0;
    }
    rpc_report(kad, rpc, status, NULL);
    trp_kad_rpc_free(kad, rpc);
}

static enum trp_status rpc_fill(struct kad_rpc *rpc, const struct trp_kad_message *message)
{
    uint8_t frame[KAD_FRAME_BYTES_MAX];
    size_t size;
    enum trp_status status = trp_kad_frame_encode(message, frame, &size);
    return status == TRP_OK ? trp_buffer_append(&rpc->out, trp_bytes(frame, size)) : status;
}

enum trp_status trp_kad_rpc_send(struct trp_kad *kad, const struct trp_peer_id *peer_id,
                                 const struct kad_request *request)
{
    trp_handle id;
    void *object;
    enum trp_status status = trp_slab_insert(&kad->rpcs, &id, &object);
    if (status != TRP_OK) {
        return status;
    }
    struct kad_peer *peer = trp_kad_peer_make(kad, peer_id);
    if (peer == NULL) {
        trp_slab_remove(&kad->rpcs, id);
        return TRP_ENOMEM;
    }
    peer->rpcs++;
    struct kad_rpc *rpc = object;
    *rpc = (struct kad_rpc){.id = id,
                            .purpose = request->purpose,
                            .type = request->message.type,
                            .peer = peer,
                            .query = request->query,
                            .started_at = kad_now(kad),
                            .cause = kad->config.trace->cause,
                            .out = trp_buffer_init(kad->config.memory, KAD_FRAME_BYTES_MAX),
                            .in = trp_buffer_init(kad->config.memory, KAD_FRAME_BYTES_MAX)};
    status = rpc_fill(rpc, &request->message);
    if (status == TRP_OK &&
        !trp_kad_set_timer(kad, &rpc->timer, KAD_TIMER_RPC,
                           trp_time_after(rpc->started_at, kad_limits(kad)->kad_rpc_timeout_ns))) {
        status = TRP_ENOMEM;
    }
    if (status == TRP_OK) {
        struct trp_stream_request open = {
            .behaviour = kad->index,
            .peer = *peer_id,
            .dial = true,
            .protocols = rpc_is_withdrawal(rpc) ? kad->withdrawal_protocols : kad->protocols,
            .protocols_count = 1,
            .token = id};
        status = trp_swarm_open_stream(kad->swarm, &open, &rpc->stream);
    }
    if (status != TRP_OK) {
        trp_kad_rpc_free(kad, rpc);
        return status;
    }
    kad->rpcs_total++;
    return TRP_OK;
}

static struct kad_rpc *rpc_of(const struct trp_kad *kad, const struct trp_stream_info *stream)
{
    struct kad_rpc *rpc = trp_slab_find(&kad->rpcs, stream->token);
    return rpc != NULL && rpc->stream == stream->id ? rpc : NULL;
}

/* ---- the stream ---- */

static void rpc_write(struct trp_kad *kad, struct kad_rpc *rpc)
{
    struct trp_bytes rest = trp_buffer_view(&rpc->out);
    while (rest.size > 0) {
        size_t used;
        enum trp_status status = trp_stream_write(kad->swarm, rpc->stream, rest, &used);
        if (status == TRP_EAGAIN || (status == TRP_OK && used == 0)) {
            return;
        }
        if (status != TRP_OK) {
            rpc_fail(kad, rpc, status);
            return;
        }
        trp_buffer_consume(&rpc->out, used);
        rest = trp_buffer_view(&rpc->out);
    }
    rpc->is_written = true;
    trp_stream_shutdown(kad->swarm, rpc->stream);
    if (!rpc_has_answer(rpc)) {
        rpc_report(kad, rpc, TRP_OK, NULL);
    }
}

void trp_kad_rpc_on_opened(struct trp_kad *kad, const struct trp_stream_info *stream)
{
    struct kad_rpc *rpc = rpc_of(kad, stream);
    if (rpc != NULL) {
        rpc->is_opened = true;
        rpc_write(kad, rpc);
    }
}

void trp_kad_rpc_on_writable(struct trp_kad *kad, const struct trp_stream_info *stream)
{
    struct kad_rpc *rpc = rpc_of(kad, stream);
    if (rpc != NULL && rpc->is_opened && !rpc->is_written) {
        rpc_write(kad, rpc);
    }
}

static void rpc_refuse(struct trp_kad *kad, struct kad_rpc *rpc, enum trp_status status)
{
    trp_trace_kad_message_refused(
        kad->config.trace, &(struct trp_event_kad_message_refused){
                               .peer = &rpc->peer->contact.peer, .inbound = 0, .status = status});
    rpc_fail(kad, rpc, status);
}

void trp_kad_rpc_on_data(struct trp_kad *kad, const struct trp_stream_info *stream,
                         struct trp_bytes in)
{
    trp_stream_consumed(kad->swarm, stream->id, in.size);
    struct kad_rpc *rpc = rpc_of(kad, stream);
    if (rpc == NULL || rpc->is_reported) {
        return; /* what follows an answer means nothing */
    }
    bool whole = rpc->in.size == 0;
    enum trp_status status = whole ? TRP_OK : trp_buffer_append(&rpc->in, in);
    struct trp_kad_message message;
    size_t used;
    if (status == TRP_OK) {
        status = trp_kad_frame_decode(whole ? in : trp_buffer_view(&rpc->in), &message, &used);
    }
    if (status == TRP_EAGAIN && whole) {
        status = trp_buffer_append(&rpc->in, in);
        status = status == TRP_OK ? TRP_EAGAIN : status;
    }
    if (status == TRP_EAGAIN) {
        return;
    }
    if (status == TRP_OK && message.type != rpc->type) {
        status = TRP_EVIOLATION;
    }
    if (status != TRP_OK) {
        rpc_refuse(kad, rpc, status == TRP_EFULL ? TRP_ETOOBIG : status);
        return;
    }
    rpc_report(kad, rpc, TRP_OK, &message);
    trp_buffer_free(&rpc->in);
}

void trp_kad_rpc_on_eof(struct trp_kad *kad, const struct trp_stream_info *stream)
{
    struct kad_rpc *rpc = rpc_of(kad, stream);
    if (rpc != NULL && !rpc->is_reported && rpc_has_answer(rpc)) {
        rpc_fail(kad, rpc, TRP_ERESET);
    }
}

void trp_kad_rpc_on_closed(struct trp_kad *kad, const struct trp_stream_info *stream,
                           enum trp_status reason)
{
    struct kad_rpc *rpc = rpc_of(kad, stream);
    if (rpc != NULL) {
        rpc->stream = 0;
        rpc_fail(kad, rpc, reason == TRP_OK ? TRP_ERESET : reason);
    }
}

void trp_kad_rpc_on_timeout(struct trp_kad *kad, struct kad_rpc *rpc)
{
    rpc_fail(kad, rpc, TRP_ETIMEDOUT);
}
