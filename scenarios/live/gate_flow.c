/* SPDX-License-Identifier: MIT */
/* The sockets of a gate: what waits on the way to the other host, and connects. */
#include "scenarios/live/gate_state.h"

#define REFUSED_AFTER_NS TRP_MS(1) /* the nearest router answers */

/* ---- outputs for the driver ---- */

struct ready *trp_gate_ready_push(struct trp_gate *gate, enum trp_output_kind kind,
                                  trp_socket socket)
{
    struct ready *ready = trp_memory_alloc(&gate->memory, sizeof *ready);
    if (ready == NULL) {
        trp_gate_fail(gate, TRP_ENOMEM);
        return NULL;
    }
    ready->out = (struct trp_output){.kind = kind, .socket = socket};
    trp_list_push_back(&gate->ready, &ready->link);
    return ready;
}

void trp_gate_ready_address(struct trp_gate *gate, enum trp_output_kind kind, trp_socket socket,
                            const struct trp_multiaddr *address, uint64_t cause)
{
    struct ready *ready = trp_gate_ready_push(gate, kind, socket);
    if (ready != NULL) {
        ready->address = *address;
        ready->out.address = &ready->address;
        ready->out.cause = cause;
    }
}

void trp_gate_ready_close(struct trp_gate *gate, trp_socket socket, bool abort)
{
    struct ready *ready = trp_gate_ready_push(gate, TRP_OUT_CLOSE, socket);
    if (ready != NULL) {
        ready->out.abort = abort;
    }
}

void trp_gate_ready_free(struct trp_gate *gate, struct ready *ready)
{
    if (ready != NULL) {
        trp_memory_free(&gate->memory, ready->parcel);
        trp_memory_free(&gate->memory, ready);
    }
}

/* ---- sockets ---- */

struct gate_socket *trp_gate_socket_find(const struct trp_gate *gate, trp_socket id)
{
    struct gate_socket *socket = NULL;
    HASH_FIND(hh, gate->sockets, &id, sizeof id, socket);
    return socket;
}

struct gate_socket *trp_gate_socket_make(struct trp_gate *gate, trp_socket id,
                                         enum trp_gate_phase phase)
{
    struct trp_memory *uthash_memory = &gate->memory;
    struct gate_socket *socket = trp_memory_alloc(&gate->memory, sizeof *socket);
    if (socket == NULL) {
        trp_gate_fail(gate, TRP_ENOMEM);
        return NULL;
    }
    *socket = (struct gate_socket){.id = id, .phase = phase, .peer = TRP_NETEM_OUTSIDE};
    trp_list_init(&socket->parcels);
    HASH_ADD(hh, gate->sockets, id, sizeof socket->id, socket);
    if (socket->hh.tbl == NULL) {
        trp_memory_free(&gate->memory, socket);
        trp_gate_fail(gate, TRP_ENOMEM);
        return NULL;
    }
    return socket;
}

void trp_gate_parcels_drop(struct trp_gate *gate, struct gate_socket *socket)
{
    struct trp_list_link *link;
    while ((link = trp_list_pop_front(&socket->parcels)) != NULL) {
        trp_memory_free(&gate->memory, TRP_CONTAINER(link, struct parcel, link));
    }
}

void trp_gate_socket_free(struct trp_gate *gate, struct gate_socket *socket)
{
    struct trp_memory *uthash_memory = &gate->memory;
    trp_heap_remove(&gate->timers, &socket->due);
    trp_gate_parcels_drop(gate, socket);
    HASH_DELETE(hh, gate->sockets, socket);
    trp_memory_free(&gate->memory, socket);
}

void trp_gate_socket_schedule(struct trp_gate *gate, struct gate_socket *socket, trp_time at)
{
    enum trp_status status = trp_heap_insert(&gate->timers, &socket->due, at, gate->ties++);
    if (status != TRP_OK) {
        trp_gate_fail(gate, status);
    }
}

static enum trp_cut blocked_there(const struct trp_gate *gate, const struct gate_socket *socket)
{
    return trp_netem_blocks(gate->config.netem, gate->config.host, socket->peer);
}

bool trp_gate_blocked_back(const struct trp_gate *gate, const struct gate_socket *socket)
{
    return trp_netem_blocks(gate->config.netem, socket->peer, gate->config.host) != TRP_CUT_NONE;
}

/* Says whether the path holds what is sent; trp_gate_wake looks again. */
static bool stalls(const struct trp_gate *gate, struct gate_socket *socket)
{
    socket->waits = trp_netem_stalls(gate->config.netem, gate->config.host, socket->peer);
    return socket->waits;
}

/* ---- the flow to the other host ---- */

static void parcel_release(struct trp_gate *gate, struct gate_socket *socket, struct parcel *parcel)
{
    struct ready *ready = socket->gone ? NULL : trp_gate_ready_push(gate, parcel->kind, socket->id);
    if (ready == NULL) {
        trp_memory_free(&gate->memory, parcel);
        return;
    }
    gate->sent += parcel->size;
    ready->parcel = parcel;
    ready->out.abort = parcel->abort;
    ready->out.cause = parcel->cause;
    ready->out.bytes = trp_bytes(parcel->data, parcel->size);
}

/* The oldest parcel is stopped on its way: it is tried again, or the connection ends. */
static void flow_stopped(struct trp_gate *gate, struct gate_socket *socket, enum trp_cut cut)
{
    if (cut == TRP_CUT_REFUSE || socket->retries > TRP_GATE_RETRIES_MAX) {
        trp_gate_socket_fail(gate, socket, cut == TRP_CUT_REFUSE ? TRP_ERESET : TRP_ETIMEDOUT);
        return;
    }
    trp_gate_socket_schedule(gate, socket,
                             trp_time_after(gate->now, TRP_GATE_RTO_NS << socket->retries++));
}

void trp_gate_flow_run(struct trp_gate *gate, struct gate_socket *socket)
{
    struct trp_list_link *link;
    while ((link = trp_list_front(&socket->parcels)) != NULL) {
        struct parcel *parcel = TRP_CONTAINER(link, struct parcel, link);
        if (parcel->arrives_at > gate->now) {
            trp_gate_socket_schedule(gate, socket, parcel->arrives_at);
            return;
        }
        if (stalls(gate, socket)) {
            return;
        }
        enum trp_cut cut = blocked_there(gate, socket);
        if (cut != TRP_CUT_NONE) {
            flow_stopped(gate, socket, cut);
            return;
        }
        socket->retries = 0;
        trp_list_link_remove(link);
        bool last = parcel->kind == TRP_OUT_CLOSE;
        parcel_release(gate, socket, parcel);
        if (last) {
            trp_gate_socket_free(gate, socket);
            return;
        }
    }
}

void trp_gate_flow_push(struct trp_gate *gate, struct gate_socket *socket,
                        const struct trp_output *out)
{
    struct parcel *parcel = trp_memory_alloc(&gate->memory, sizeof *parcel + out->bytes.size);
    if (parcel == NULL) {
        trp_gate_fail(gate, TRP_ENOMEM);
        return;
    }
    bool first = trp_list_is_empty(&socket->parcels);
    trp_time at = trp_netem_arrival(gate->config.netem, gate->config.host, socket->peer,
                                    out->bytes.size, gate->now);
    socket->arrives_at = at > socket->arrives_at ? at : socket->arrives_at;
    socket->cause = out->cause;
    *parcel = (struct parcel){.kind = out->kind,
                              .abort = out->abort,
                              .cause = out->cause,
                              .arrives_at = socket->arrives_at,
                              .size = (uint32_t)out->bytes.size};
    if (out->bytes.size > 0) {
        memcpy(parcel->data, out->bytes.data, out->bytes.size);
    }
    trp_list_push_back(&socket->parcels, &parcel->link);
    if (first) {
        trp_gate_flow_run(gate, socket);
    }
}

/* ---- connecting ---- */

void trp_gate_dial(struct trp_gate *gate, const struct trp_output *out)
{
    struct gate_socket *socket = trp_gate_socket_make(gate, out->socket, PHASE_DIAL_DUE);
    if (socket == NULL) {
        return;
    }
    socket->address = *out->address;
    socket->cause = out->cause;
    socket->peer = gate->config.host_of(gate->config.user, out->address);
    bool refused = blocked_there(gate, socket) == TRP_CUT_REFUSE;
    trp_time at = refused ? trp_time_after(gate->now, REFUSED_AFTER_NS)
                          : trp_netem_arrival(gate->config.netem, gate->config.host, socket->peer,
                                              0, gate->now);
    trp_gate_socket_schedule(gate, socket, at);
}

/* Says whether a connect, or its answer, is stopped by a cut; it is tried again, or the connection
 * fails. */
static bool connect_is_stopped(struct trp_gate *gate, struct gate_socket *socket, enum trp_cut cut)
{
    if (cut == TRP_CUT_NONE) {
        return false;
    }
    if (cut == TRP_CUT_REFUSE || socket->retries >= TRP_GATE_SYN_RETRIES_MAX) {
        trp_gate_socket_fail(gate, socket,
                             cut == TRP_CUT_REFUSE ? TRP_EUNREACHABLE : TRP_ETIMEDOUT);
    } else {
        trp_gate_socket_schedule(
            gate, socket, trp_time_after(gate->now, TRP_GATE_SYN_RTO_NS << socket->retries++));
    }
    return true;
}

void trp_gate_dial_due(struct trp_gate *gate, struct gate_socket *socket)
{
    if (!stalls(gate, socket) && !connect_is_stopped(gate, socket, blocked_there(gate, socket))) {
        socket->phase = PHASE_DIALING;
        trp_gate_ready_address(gate, TRP_OUT_DIAL, socket->id, &socket->address, socket->cause);
    }
}

void trp_gate_on_connected(struct trp_gate *gate, struct gate_socket *socket,
                           const struct trp_input *in)
{
    trp_time at =
        trp_netem_arrival(gate->config.netem, socket->peer, gate->config.host, 0, gate->now);
    socket->phase = PHASE_CONNECTED_DUE;
    for (uint32_t i = 0; i < 2 && i < in->addresses_count; i++) {
        socket->ends[i] = in->addresses[i];
    }
    (void)trp_gate_ready_push(gate, TRP_OUT_PAUSE, socket->id); /* the other may speak first */
    trp_gate_socket_schedule(gate, socket, at);
}

void trp_gate_connected_due(struct trp_gate *gate, struct gate_socket *socket)
{
    enum trp_cut cut = trp_netem_blocks(gate->config.netem, socket->peer, gate->config.host);
    if (connect_is_stopped(gate, socket, cut)) {
        return;
    }
    socket->phase = PHASE_OPEN;
    socket->retries = 0;
    if (!gate->paused) {
        (void)trp_gate_ready_push(gate, TRP_OUT_RESUME, socket->id);
    }
    const struct trp_input in = {.kind = TRP_IN_CONNECTED,
                                 .socket = socket->id,
                                 .addresses = socket->ends,
                                 .addresses_count = 2};
    trp_gate_tell(gate, &in);
}
