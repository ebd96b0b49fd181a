/* SPDX-License-Identifier: MIT */
#include "scenarios/live/gate_state.h"

#include <stdlib.h>

void trp_gate_fail(struct trp_gate *gate, enum trp_status status)
{
    gate->failed = gate->failed == TRP_OK ? status : gate->failed;
}

/* ---- what the process is told ---- */

static void gate_perform(struct trp_gate *gate, const struct trp_output *out);

/* Keeps an input for the end of a pause. */
static void held_push(struct trp_gate *gate, const struct trp_input *in)
{
    struct held *held = trp_memory_alloc(&gate->memory, sizeof *held + in->bytes.size);
    if (held == NULL) {
        trp_gate_fail(gate, TRP_ENOMEM);
        return;
    }
    held->in = *in;
    for (uint32_t i = 0; i < in->addresses_count && i < TRP_INPUT_ADDRESSES_MAX; i++) {
        held->addresses[i] = in->addresses[i];
    }
    held->in.addresses = held->addresses;
    if (in->bytes.size > 0) {
        memcpy(held->bytes, in->bytes.data, in->bytes.size);
        held->in.bytes = trp_bytes(held->bytes, in->bytes.size);
    }
    trp_list_push_back(&gate->held, &held->link);
}

void trp_gate_held_drop(struct trp_gate *gate)
{
    struct trp_list_link *link;
    while ((link = trp_list_pop_front(&gate->held)) != NULL) {
        trp_memory_free(&gate->memory, TRP_CONTAINER(link, struct held, link));
    }
}

void trp_gate_tell(struct trp_gate *gate, const struct trp_input *in)
{
    struct trp_input told = *in;
    struct trp_output out;
    if (gate->detached || gate->failed != TRP_OK) {
        return;
    }
    if (gate->paused) {
        held_push(gate, in);
        return;
    }
    told.now = gate->now;
    trp_gate_fail(gate, gate->config.inner.ops->step(gate->config.inner.self, &told));
    while (gate->config.inner.ops->next_output(gate->config.inner.self, &out)) {
        gate_perform(gate, &out);
    }
}

static void tell_closed(struct trp_gate *gate, trp_socket id, enum trp_status status,
                        uint64_t cause)
{
    const struct trp_input in = {
        .kind = TRP_IN_CLOSED, .socket = id, .status = status, .cause = cause};
    trp_gate_tell(gate, &in);
}

void trp_gate_socket_fail(struct trp_gate *gate, struct gate_socket *socket, enum trp_status status)
{
    trp_socket id = socket->id;
    uint64_t cause = socket->cause;
    bool told = !socket->deaf;
    if (!socket->gone && socket->phase != PHASE_DIAL_DUE) {
        trp_gate_ready_close(gate, id, true);
    }
    trp_gate_socket_free(gate, socket);
    if (told) {
        tell_closed(gate, id, status, cause);
    }
}

/* ---- what the process wants ---- */

void trp_gate_socket_close(struct trp_gate *gate, struct gate_socket *socket,
                           const struct trp_output *out)
{
    if (socket->phase == PHASE_OPEN && !socket->gone) {
        socket->deaf = true;
        if (out->abort) {
            trp_gate_parcels_drop(gate, socket);
        }
        trp_gate_flow_push(gate, socket, out);
        return;
    }
    if (!socket->gone && socket->phase != PHASE_DIAL_DUE) {
        trp_gate_ready_close(gate, socket->id, socket->phase != PHASE_LISTENER);
    }
    trp_gate_socket_free(gate, socket);
}

static void socket_perform(struct trp_gate *gate, const struct trp_output *out)
{
    struct gate_socket *socket = trp_gate_socket_find(gate, out->socket);
    if (socket == NULL || socket->deaf) {
        return;
    }
    if (out->kind == TRP_OUT_CLOSE) {
        trp_gate_socket_close(gate, socket, out);
    } else if (out->kind == TRP_OUT_BYTES || out->kind == TRP_OUT_SHUTDOWN) {
        trp_gate_flow_push(gate, socket, out);
    } else {
        socket->stopped = out->kind == TRP_OUT_PAUSE;
        if (!gate->paused) {
            (void)trp_gate_ready_push(gate, out->kind, socket->id);
        }
    }
}

/* Has the process told that there are no datagrams. */
static void bind_refuse(struct trp_gate *gate, trp_socket id)
{
    struct gate_socket *socket = trp_gate_socket_make(gate, id, PHASE_DIAL_DUE);
    if (socket != NULL) {
        socket->closed_held = true;
        socket->closed_status = TRP_EUNSUPPORTED;
        trp_gate_socket_schedule(gate, socket, gate->now);
    }
}

static void gate_perform(struct trp_gate *gate, const struct trp_output *out)
{
    switch (out->kind) {
    case TRP_OUT_LISTEN:
        if (trp_gate_socket_make(gate, out->socket, PHASE_LISTENER) != NULL) {
            trp_gate_ready_address(gate, TRP_OUT_LISTEN, out->socket, out->address, out->cause);
        }
        break;
    case TRP_OUT_DIAL:
        trp_gate_dial(gate, out);
        break;
    case TRP_OUT_BYTES:
    case TRP_OUT_SHUTDOWN:
    case TRP_OUT_CLOSE:
    case TRP_OUT_PAUSE:
    case TRP_OUT_RESUME:
        socket_perform(gate, out);
        break;
    case TRP_OUT_RESOLVE:
        trp_gate_ready_address(gate, TRP_OUT_RESOLVE, out->socket, out->address, out->cause);
        break;
    case TRP_OUT_SAVE:
        gate->config.save(gate->config.user, out->bytes);
        break;
    case TRP_OUT_RESULT:
        gate->config.result(gate->config.user, out->result);
        break;
    case TRP_OUT_BIND:
        bind_refuse(gate, out->socket);
        break;
    case TRP_OUT_DATAGRAM:
    case TRP_OUT_JOIN:
    case TRP_OUT_LEAVE:
    case TRP_OUT_WATCH:
        break;
    }
}

/* ---- what the driver tells ---- */

static void on_accepted(struct trp_gate *gate, const struct trp_input *in)
{
    struct gate_socket *socket = trp_gate_socket_make(gate, in->socket, PHASE_OPEN);
    if (socket == NULL) {
        return;
    }
    if (in->addresses_count > 1) {
        socket->peer = gate->config.host_of(gate->config.user, &in->addresses[1]);
    }
    if (gate->detached) {
        socket->deaf = true;
        trp_gate_ready_close(gate, in->socket, true);
        trp_gate_socket_free(gate, socket);
        return;
    }
    if (gate->paused) {
        (void)trp_gate_ready_push(gate, TRP_OUT_PAUSE, in->socket);
    }
    trp_gate_tell(gate, in);
}

static void on_bytes(struct trp_gate *gate, struct gate_socket *socket, const struct trp_input *in)
{
    gate->received += in->bytes.size;
    if (!socket->deaf) {
        trp_gate_tell(gate, in);
    } else if (gate->detached && gate->powered) { /* nobody knows of this connection */
        trp_gate_ready_close(gate, socket->id, true);
        trp_gate_socket_free(gate, socket);
    }
}

static void on_closed(struct trp_gate *gate, struct gate_socket *socket, const struct trp_input *in)
{
    socket->gone = true;
    trp_gate_parcels_drop(gate, socket);
    if (!socket->deaf && socket->phase == PHASE_OPEN && trp_gate_blocked_back(gate, socket)) {
        socket->closed_held = true;
        socket->closed_status = in->status;
        return;
    }
    bool told = !socket->deaf;
    trp_gate_socket_free(gate, socket);
    if (told) {
        trp_gate_tell(gate, in);
    }
}

static void on_socket(struct trp_gate *gate, struct gate_socket *socket, const struct trp_input *in)
{
    switch (in->kind) {
    case TRP_IN_CONNECTED:
        trp_gate_on_connected(gate, socket, in);
        break;
    case TRP_IN_BYTES:
        on_bytes(gate, socket, in);
        break;
    case TRP_IN_EOF:
        if (trp_gate_blocked_back(gate, socket)) {
            socket->eof_held = true;
        } else if (!socket->deaf) {
            trp_gate_tell(gate, in);
        }
        break;
    case TRP_IN_CLOSED:
        on_closed(gate, socket, in);
        break;
    case TRP_IN_LISTENING:
    case TRP_IN_SENT:
        if (!socket->deaf) {
            trp_gate_tell(gate, in);
        }
        break;
    case TRP_IN_TIME:
    case TRP_IN_ACCEPTED:
    case TRP_IN_RESOLVED:
    case TRP_IN_COMMAND:
    case TRP_IN_BOUND:
    case TRP_IN_DATAGRAM:
    case TRP_IN_JOINED:
    case TRP_IN_INTERFACES:
        break;
    }
}

/* ---- as a process ---- */

/* Tells what was held back because the way back was cut. */
static void back_due(struct trp_gate *gate, struct gate_socket *socket)
{
    bool eof = socket->eof_held && !socket->deaf;
    bool closed = socket->closed_held;
    trp_socket id = socket->id;
    if (trp_gate_blocked_back(gate, socket)) {
        return;
    }
    socket->eof_held = false;
    if (eof) {
        const struct trp_input in = {.kind = TRP_IN_EOF, .socket = id};
        trp_gate_tell(gate, &in);
        socket = trp_gate_socket_find(gate, id); /* the process may have closed it */
    }
    if (closed && socket != NULL) {
        enum trp_status status = socket->closed_status;
        bool told = !socket->deaf;
        trp_gate_socket_free(gate, socket);
        if (told) {
            tell_closed(gate, id, status, 0);
        }
    }
}

static void socket_due(struct trp_gate *gate, struct gate_socket *socket)
{
    trp_heap_remove(&gate->timers, &socket->due);
    if (socket->eof_held || socket->closed_held) {
        trp_socket id = socket->id;
        back_due(gate, socket);
        socket = trp_gate_socket_find(gate, id);
    }
    if (socket == NULL) {
        return;
    }
    switch (socket->phase) {
    case PHASE_DIAL_DUE:
        trp_gate_dial_due(gate, socket);
        break;
    case PHASE_CONNECTED_DUE:
        trp_gate_connected_due(gate, socket);
        break;
    case PHASE_OPEN:
        trp_gate_flow_run(gate, socket);
        break;
    case PHASE_LISTENER:
    case PHASE_DIALING:
        break;
    }
}

static enum trp_status gate_step(void *self, const struct trp_input *in)
{
    struct trp_gate *gate = self;
    struct trp_heap_entry *entry;
    const struct trp_input time = {.kind = TRP_IN_TIME};
    trp_time now = in->now > gate->config.epoch ? in->now - gate->config.epoch : 0;
    gate->now = now > gate->now ? now : gate->now;
    struct gate_socket *socket = in->socket == 0 ? NULL : trp_gate_socket_find(gate, in->socket);
    if (in->kind == TRP_IN_ACCEPTED) {
        on_accepted(gate, in);
    } else if (in->kind == TRP_IN_COMMAND || in->kind == TRP_IN_RESOLVED) {
        trp_gate_tell(gate, in);
    } else if (socket != NULL) {
        on_socket(gate, socket, in);
    }
    while ((entry = trp_heap_front(&gate->timers)) != NULL && entry->at <= gate->now) {
        socket_due(gate, TRP_CONTAINER(entry, struct gate_socket, due));
    }
    bool overdue = !gate->detached && !gate->paused &&
                   gate->config.inner.ops->deadline(gate->config.inner.self) <= gate->now;
    if (!gate->begun || overdue) {
        gate->begun = true;
        trp_gate_tell(gate, &time);
    }
    return gate->failed;
}

static bool gate_next_output(void *self, struct trp_output *ret_out)
{
    struct trp_gate *gate = self;
    trp_gate_ready_free(gate, gate->lent);
    gate->lent = NULL;
    struct trp_list_link *link = trp_list_pop_front(&gate->ready);
    if (link == NULL) {
        return false;
    }
    gate->lent = TRP_CONTAINER(link, struct ready, link);
    *ret_out = gate->lent->out;
    return true;
}

static trp_time gate_deadline(const void *self)
{
    const struct trp_gate *gate = self;
    trp_time at = trp_heap_deadline(&gate->timers);
    if (!gate->detached && !gate->paused) {
        at = trp_time_min(at, gate->config.inner.ops->deadline(gate->config.inner.self));
    }
    return at == TRP_NEVER ? TRP_NEVER : trp_time_after(at, gate->config.epoch);
}

static const struct trp_process_ops gate_ops = {
    .step = gate_step, .next_output = gate_next_output, .deadline = gate_deadline};

struct trp_process trp_gate_process(struct trp_gate *gate)
{
    return (struct trp_process){.ops = &gate_ops, .self = gate};
}

uint32_t trp_gate_sockets(const struct trp_gate *gate)
{
    return HASH_COUNT(gate->sockets);
}

void trp_gate_traffic(const struct trp_gate *gate, uint64_t *ret_sent, uint64_t *ret_received)
{
    *ret_sent = gate->sent;
    *ret_received = gate->received;
}

/* ---- opening and closing ---- */

enum trp_status trp_gate_open(const struct trp_gate_config *config, struct trp_gate **ret_gate)
{
    struct trp_gate *gate = calloc(1, sizeof *gate);
    if (gate == NULL) {
        return TRP_ENOMEM;
    }
    gate->config = *config;
    gate->memory = trp_memory_init(UINT64_MAX);
    gate->timers = trp_heap_init(&gate->memory);
    trp_list_init(&gate->ready);
    trp_list_init(&gate->held);
    *ret_gate = gate;
    return TRP_OK;
}

void trp_gate_close(struct trp_gate *gate)
{
    if (gate == NULL) {
        return;
    }
    struct trp_list_link *link;
    while (gate->sockets != NULL) {
        trp_gate_socket_free(gate, gate->sockets);
    }
    while ((link = trp_list_pop_front(&gate->ready)) != NULL) {
        trp_gate_ready_free(gate, TRP_CONTAINER(link, struct ready, link));
    }
    trp_gate_ready_free(gate, gate->lent);
    trp_gate_held_drop(gate);
    trp_heap_free(&gate->timers);
    free(gate);
}
