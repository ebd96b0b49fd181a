/* SPDX-License-Identifier: MIT */
#include "scenarios/live/gate.h"

#include "base/heap.h"
#include "base/list.h"
#include "base/map.h"

#include <stdlib.h>

#define REFUSED_AFTER_NS TRP_MS(1) /* the nearest router answers */

enum phase {
    PHASE_LISTENER,
    PHASE_DIAL_DUE,      /* the connect is on its way */
    PHASE_DIALING,       /* the driver dials */
    PHASE_CONNECTED_DUE, /* the answer is on its way */
    PHASE_OPEN
};

/* What a process sends at once. */
struct parcel {
    struct trp_list_link link;
    enum trp_output_kind kind; /* BYTES, SHUTDOWN, CLOSE */
    bool abort;
    uint64_t cause;
    trp_time arrives_at;
    uint32_t size;
    uint8_t data[];
};

/* An output for the driver. */
struct ready {
    struct trp_list_link link;
    struct trp_output out;
    struct trp_multiaddr address;
    struct parcel *parcel; /* has the bytes */
};

/* An input of a host that is paused. */
struct held {
    struct trp_list_link link;
    struct trp_input in;
    struct trp_multiaddr addresses[TRP_INPUT_ADDRESSES_MAX];
    uint8_t bytes[];
};

struct gate_socket {
    UT_hash_handle hh; /* in gate->sockets, by id */
    trp_socket id;
    struct trp_heap_entry due;
    enum phase phase;
    uint32_t peer;
    uint32_t retries;
    bool deaf;        /* the process has closed it, or is gone: it is told nothing */
    bool gone;        /* the driver has closed it */
    bool stopped;     /* the process wants no bytes */
    bool waits;       /* for a stall to end */
    bool eof_held;    /* the way back is cut */
    bool closed_held; /* likewise, with: */
    enum trp_status closed_status;
    uint64_t cause;
    trp_time arrives_at; /* of the newest parcel: bytes stay in order */
    struct trp_list parcels;
    struct trp_multiaddr address; /* dialed */
    struct trp_multiaddr ends[2]; /* of CONNECTED */
};

struct trp_gate {
    struct trp_gate_config config;
    struct trp_memory memory;
    trp_time now;
    struct gate_socket *sockets;
    struct trp_heap timers;
    uint64_t ties;
    struct trp_list ready;
    struct ready *lent; /* the one of the newest output */
    struct trp_list held;
    bool begun;
    bool paused;
    bool detached; /* the process is gone */
    bool powered;  /* and its machine answers for it */
    enum trp_status failed;
    uint64_t sent;
    uint64_t received;
};

static void gate_fail(struct trp_gate *gate, enum trp_status status)
{
    gate->failed = gate->failed == TRP_OK ? status : gate->failed;
}

/* ---- outputs for the driver ---- */

static struct ready *ready_push(struct trp_gate *gate, enum trp_output_kind kind, trp_socket socket)
{
    struct ready *ready = trp_memory_alloc(&gate->memory, sizeof *ready);
    if (ready == NULL) {
        gate_fail(gate, TRP_ENOMEM);
        return NULL;
    }
    ready->out = (struct trp_output){.kind = kind, .socket = socket};
    trp_list_push_back(&gate->ready, &ready->link);
    return ready;
}

static void ready_address(struct trp_gate *gate, enum trp_output_kind kind, trp_socket socket,
                          const struct trp_multiaddr *address, uint64_t cause)
{
    struct ready *ready = ready_push(gate, kind, socket);
    if (ready != NULL) {
        ready->address = *address;
        ready->out.address = &ready->address;
        ready->out.cause = cause;
    }
}

static void ready_close(struct trp_gate *gate, trp_socket socket, bool abort)
{
    struct ready *ready = ready_push(gate, TRP_OUT_CLOSE, socket);
    if (ready != NULL) {
        ready->out.abort = abort;
    }
}

static void ready_free(struct trp_gate *gate, struct ready *ready)
{
    if (ready != NULL) {
        trp_memory_free(&gate->memory, ready->parcel);
        trp_memory_free(&gate->memory, ready);
    }
}

/* ---- sockets ---- */

static struct gate_socket *socket_find(const struct trp_gate *gate, trp_socket id)
{
    struct gate_socket *socket = NULL;
    HASH_FIND(hh, gate->sockets, &id, sizeof id, socket);
    return socket;
}

static struct gate_socket *socket_make(struct trp_gate *gate, trp_socket id, enum phase phase)
{
    struct trp_memory *uthash_memory = &gate->memory;
    struct gate_socket *socket = trp_memory_alloc(&gate->memory, sizeof *socket);
    if (socket == NULL) {
        gate_fail(gate, TRP_ENOMEM);
        return NULL;
    }
    *socket = (struct gate_socket){.id = id, .phase = phase, .peer = TRP_NETEM_OUTSIDE};
    trp_list_init(&socket->parcels);
    HASH_ADD(hh, gate->sockets, id, sizeof socket->id, socket);
    if (socket->hh.tbl == NULL) {
        trp_memory_free(&gate->memory, socket);
        gate_fail(gate, TRP_ENOMEM);
        return NULL;
    }
    return socket;
}

static void parcels_drop(struct trp_gate *gate, struct gate_socket *socket)
{
    struct trp_list_link *link;
    while ((link = trp_list_pop_front(&socket->parcels)) != NULL) {
        trp_memory_free(&gate->memory, TRP_CONTAINER(link, struct parcel, link));
    }
}

static void socket_free(struct trp_gate *gate, struct gate_socket *socket)
{
    struct trp_memory *uthash_memory = &gate->memory;
    trp_heap_remove(&gate->timers, &socket->due);
    parcels_drop(gate, socket);
    HASH_DELETE(hh, gate->sockets, socket);
    trp_memory_free(&gate->memory, socket);
}

static void socket_schedule(struct trp_gate *gate, struct gate_socket *socket, trp_time at)
{
    enum trp_status status = trp_heap_insert(&gate->timers, &socket->due, at, gate->ties++);
    if (status != TRP_OK) {
        gate_fail(gate, status);
    }
}

static enum trp_cut blocked_there(const struct trp_gate *gate, const struct gate_socket *socket)
{
    return trp_netem_blocks(gate->config.netem, gate->config.host, socket->peer);
}

static bool blocked_back(const struct trp_gate *gate, const struct gate_socket *socket)
{
    return trp_netem_blocks(gate->config.netem, socket->peer, gate->config.host) != TRP_CUT_NONE;
}

/* Says whether the path holds what is sent; trp_gate_wake looks again. */
static bool stalls(const struct trp_gate *gate, struct gate_socket *socket)
{
    socket->waits = trp_netem_stalls(gate->config.netem, gate->config.host, socket->peer);
    return socket->waits;
}

/* ---- what the process is told ---- */

static void gate_perform(struct trp_gate *gate, const struct trp_output *out);

/* Keeps an input for the end of a pause. */
static void held_push(struct trp_gate *gate, const struct trp_input *in)
{
    struct held *held = trp_memory_alloc(&gate->memory, sizeof *held + in->bytes.size);
    if (held == NULL) {
        gate_fail(gate, TRP_ENOMEM);
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

static void gate_tell(struct trp_gate *gate, const struct trp_input *in)
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
    gate_fail(gate, gate->config.inner.ops->step(gate->config.inner.self, &told));
    while (gate->config.inner.ops->next_output(gate->config.inner.self, &out)) {
        gate_perform(gate, &out);
    }
}

static void tell_closed(struct trp_gate *gate, trp_socket id, enum trp_status status,
                        uint64_t cause)
{
    const struct trp_input in = {
        .kind = TRP_IN_CLOSED, .socket = id, .status = status, .cause = cause};
    gate_tell(gate, &in);
}

/* The network ends a connection: at the driver, and for the process. */
static void socket_fail(struct trp_gate *gate, struct gate_socket *socket, enum trp_status status)
{
    trp_socket id = socket->id;
    uint64_t cause = socket->cause;
    bool told = !socket->deaf;
    if (!socket->gone && socket->phase != PHASE_DIAL_DUE) {
        ready_close(gate, id, true);
    }
    socket_free(gate, socket);
    if (told) {
        tell_closed(gate, id, status, cause);
    }
}

/* ---- the flow to the other host ---- */

static void parcel_release(struct trp_gate *gate, struct gate_socket *socket, struct parcel *parcel)
{
    struct ready *ready = socket->gone ? NULL : ready_push(gate, parcel->kind, socket->id);
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
        socket_fail(gate, socket, cut == TRP_CUT_REFUSE ? TRP_ERESET : TRP_ETIMEDOUT);
        return;
    }
    socket_schedule(gate, socket, trp_time_after(gate->now, TRP_GATE_RTO_NS << socket->retries++));
}

/* Lets through what has arrived. */
static void flow_run(struct trp_gate *gate, struct gate_socket *socket)
{
    struct trp_list_link *link;
    while ((link = trp_list_front(&socket->parcels)) != NULL) {
        struct parcel *parcel = TRP_CONTAINER(link, struct parcel, link);
        if (parcel->arrives_at > gate->now) {
            socket_schedule(gate, socket, parcel->arrives_at);
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
            socket_free(gate, socket);
            return;
        }
    }
}

static void flow_push(struct trp_gate *gate, struct gate_socket *socket,
                      const struct trp_output *out)
{
    struct parcel *parcel = trp_memory_alloc(&gate->memory, sizeof *parcel + out->bytes.size);
    if (parcel == NULL) {
        gate_fail(gate, TRP_ENOMEM);
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
        flow_run(gate, socket);
    }
}

/* ---- connecting ---- */

static void dial_begin(struct trp_gate *gate, const struct trp_output *out)
{
    struct gate_socket *socket = socket_make(gate, out->socket, PHASE_DIAL_DUE);
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
    socket_schedule(gate, socket, at);
}

/* Says whether a connect, or its answer, is stopped by a cut; it is tried again, or the connection
 * fails. */
static bool connect_is_stopped(struct trp_gate *gate, struct gate_socket *socket, enum trp_cut cut)
{
    if (cut == TRP_CUT_NONE) {
        return false;
    }
    if (cut == TRP_CUT_REFUSE || socket->retries >= TRP_GATE_SYN_RETRIES_MAX) {
        socket_fail(gate, socket, cut == TRP_CUT_REFUSE ? TRP_EUNREACHABLE : TRP_ETIMEDOUT);
    } else {
        socket_schedule(gate, socket,
                        trp_time_after(gate->now, TRP_GATE_SYN_RTO_NS << socket->retries++));
    }
    return true;
}

static void dial_due(struct trp_gate *gate, struct gate_socket *socket)
{
    if (!stalls(gate, socket) && !connect_is_stopped(gate, socket, blocked_there(gate, socket))) {
        socket->phase = PHASE_DIALING;
        ready_address(gate, TRP_OUT_DIAL, socket->id, &socket->address, socket->cause);
    }
}

static void on_connected(struct trp_gate *gate, struct gate_socket *socket,
                         const struct trp_input *in)
{
    trp_time at =
        trp_netem_arrival(gate->config.netem, socket->peer, gate->config.host, 0, gate->now);
    socket->phase = PHASE_CONNECTED_DUE;
    for (uint32_t i = 0; i < 2 && i < in->addresses_count; i++) {
        socket->ends[i] = in->addresses[i];
    }
    (void)ready_push(gate, TRP_OUT_PAUSE, socket->id); /* the other may speak first */
    socket_schedule(gate, socket, at);
}

static void connected_due(struct trp_gate *gate, struct gate_socket *socket)
{
    enum trp_cut cut = trp_netem_blocks(gate->config.netem, socket->peer, gate->config.host);
    if (connect_is_stopped(gate, socket, cut)) {
        return;
    }
    socket->phase = PHASE_OPEN;
    socket->retries = 0;
    if (!gate->paused) {
        (void)ready_push(gate, TRP_OUT_RESUME, socket->id);
    }
    const struct trp_input in = {.kind = TRP_IN_CONNECTED,
                                 .socket = socket->id,
                                 .addresses = socket->ends,
                                 .addresses_count = 2};
    gate_tell(gate, &in);
}

/* ---- what the process wants ---- */

static void socket_close(struct trp_gate *gate, struct gate_socket *socket,
                         const struct trp_output *out)
{
    if (socket->phase == PHASE_OPEN && !socket->gone) {
        socket->deaf = true;
        if (out->abort) {
            parcels_drop(gate, socket);
        }
        flow_push(gate, socket, out);
        return;
    }
    if (!socket->gone && socket->phase != PHASE_DIAL_DUE) {
        ready_close(gate, socket->id, socket->phase != PHASE_LISTENER);
    }
    socket_free(gate, socket);
}

static void socket_perform(struct trp_gate *gate, const struct trp_output *out)
{
    struct gate_socket *socket = socket_find(gate, out->socket);
    if (socket == NULL || socket->deaf) {
        return;
    }
    if (out->kind == TRP_OUT_CLOSE) {
        socket_close(gate, socket, out);
    } else if (out->kind == TRP_OUT_BYTES || out->kind == TRP_OUT_SHUTDOWN) {
        flow_push(gate, socket, out);
    } else {
        socket->stopped = out->kind == TRP_OUT_PAUSE;
        if (!gate->paused) {
            (void)ready_push(gate, out->kind, socket->id);
        }
    }
}

/* Has the process told that there are no datagrams. */
static void bind_refuse(struct trp_gate *gate, trp_socket id)
{
    struct gate_socket *socket = socket_make(gate, id, PHASE_DIAL_DUE);
    if (socket != NULL) {
        socket->closed_held = true;
        socket->closed_status = TRP_EUNSUPPORTED;
        socket_schedule(gate, socket, gate->now);
    }
}

static void gate_perform(struct trp_gate *gate, const struct trp_output *out)
{
    switch (out->kind) {
    case TRP_OUT_LISTEN:
        if (socket_make(gate, out->socket, PHASE_LISTENER) != NULL) {
            ready_address(gate, TRP_OUT_LISTEN, out->socket, out->address, out->cause);
        }
        break;
    case TRP_OUT_DIAL:
        dial_begin(gate, out);
        break;
    case TRP_OUT_BYTES:
    case TRP_OUT_SHUTDOWN:
    case TRP_OUT_CLOSE:
    case TRP_OUT_PAUSE:
    case TRP_OUT_RESUME:
        socket_perform(gate, out);
        break;
    case TRP_OUT_RESOLVE:
        ready_address(gate, TRP_OUT_RESOLVE, out->socket, out->address, out->cause);
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
    struct gate_socket *socket = socket_make(gate, in->socket, PHASE_OPEN);
    if (socket == NULL) {
        return;
    }
    if (in->addresses_count > 1) {
        socket->peer = gate->config.host_of(gate->config.user, &in->addresses[1]);
    }
    if (gate->detached) {
        socket->deaf = true;
        ready_close(gate, in->socket, true);
        socket_free(gate, socket);
        return;
    }
    if (gate->paused) {
        (void)ready_push(gate, TRP_OUT_PAUSE, in->socket);
    }
    gate_tell(gate, in);
}

static void on_bytes(struct trp_gate *gate, struct gate_socket *socket, const struct trp_input *in)
{
    gate->received += in->bytes.size;
    if (!socket->deaf) {
        gate_tell(gate, in);
    } else if (gate->detached && gate->powered) { /* nobody knows of this connection */
        ready_close(gate, socket->id, true);
        socket_free(gate, socket);
    }
}

static void on_closed(struct trp_gate *gate, struct gate_socket *socket, const struct trp_input *in)
{
    socket->gone = true;
    parcels_drop(gate, socket);
    if (!socket->deaf && socket->phase == PHASE_OPEN && blocked_back(gate, socket)) {
        socket->closed_held = true;
        socket->closed_status = in->status;
        return;
    }
    bool told = !socket->deaf;
    socket_free(gate, socket);
    if (told) {
        gate_tell(gate, in);
    }
}

static void on_socket(struct trp_gate *gate, struct gate_socket *socket, const struct trp_input *in)
{
    switch (in->kind) {
    case TRP_IN_CONNECTED:
        on_connected(gate, socket, in);
        break;
    case TRP_IN_BYTES:
        on_bytes(gate, socket, in);
        break;
    case TRP_IN_EOF:
        if (blocked_back(gate, socket)) {
            socket->eof_held = true;
        } else if (!socket->deaf) {
            gate_tell(gate, in);
        }
        break;
    case TRP_IN_CLOSED:
        on_closed(gate, socket, in);
        break;
    case TRP_IN_LISTENING:
    case TRP_IN_SENT:
        if (!socket->deaf) {
            gate_tell(gate, in);
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
    if (blocked_back(gate, socket)) {
        return;
    }
    socket->eof_held = false;
    if (eof) {
        const struct trp_input in = {.kind = TRP_IN_EOF, .socket = id};
        gate_tell(gate, &in);
        socket = socket_find(gate, id); /* the process may have closed it */
    }
    if (closed && socket != NULL) {
        enum trp_status status = socket->closed_status;
        bool told = !socket->deaf;
        socket_free(gate, socket);
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
        socket = socket_find(gate, id);
    }
    if (socket == NULL) {
        return;
    }
    switch (socket->phase) {
    case PHASE_DIAL_DUE:
        dial_due(gate, socket);
        break;
    case PHASE_CONNECTED_DUE:
        connected_due(gate, socket);
        break;
    case PHASE_OPEN:
        flow_run(gate, socket);
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
    struct gate_socket *socket = in->socket == 0 ? NULL : socket_find(gate, in->socket);
    if (in->kind == TRP_IN_ACCEPTED) {
        on_accepted(gate, in);
    } else if (in->kind == TRP_IN_COMMAND || in->kind == TRP_IN_RESOLVED) {
        gate_tell(gate, in);
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
        gate_tell(gate, &time);
    }
    return gate->failed;
}

static bool gate_next_output(void *self, struct trp_output *ret_out)
{
    struct trp_gate *gate = self;
    ready_free(gate, gate->lent);
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

/* ---- faults ---- */

static void held_drop(struct trp_gate *gate)
{
    struct trp_list_link *link;
    while ((link = trp_list_pop_front(&gate->held)) != NULL) {
        trp_memory_free(&gate->memory, TRP_CONTAINER(link, struct held, link));
    }
}

void trp_gate_pause(struct trp_gate *gate)
{
    gate->paused = true;
    for (struct gate_socket *socket = gate->sockets; socket != NULL; socket = socket->hh.next) {
        if (socket->phase == PHASE_OPEN && !socket->stopped && !socket->gone) {
            (void)ready_push(gate, TRP_OUT_PAUSE, socket->id);
        }
    }
}

void trp_gate_resume(struct trp_gate *gate)
{
    struct trp_list_link *link;
    gate->paused = false;
    for (struct gate_socket *socket = gate->sockets; socket != NULL; socket = socket->hh.next) {
        if (socket->phase == PHASE_OPEN && !socket->stopped && !socket->gone) {
            (void)ready_push(gate, TRP_OUT_RESUME, socket->id);
        }
    }
    while ((link = trp_list_pop_front(&gate->held)) != NULL) {
        struct held *held = TRP_CONTAINER(link, struct held, link);
        gate_tell(gate, &held->in);
        trp_memory_free(&gate->memory, held);
    }
}

/* Takes the process away; `stay`: what is open stays open, and silent. */
static void gate_detach(struct trp_gate *gate, bool stay)
{
    static const struct trp_output close = {.kind = TRP_OUT_CLOSE};
    struct gate_socket *socket;
    struct gate_socket *next;
    gate->detached = true;
    gate->paused = false;
    held_drop(gate);
    HASH_ITER(hh, gate->sockets, socket, next)
    {
        if (socket->phase != PHASE_OPEN || socket->gone) {
            socket->deaf = true;
            socket_close(gate, socket, &close);
        } else if (stay) {
            socket->deaf = true;
            parcels_drop(gate, socket);
            trp_heap_remove(&gate->timers, &socket->due);
            (void)ready_push(gate, TRP_OUT_PAUSE, socket->id);
        } else if (!socket->deaf) {
            socket_close(gate, socket, &close);
        }
    }
}

void trp_gate_crash(struct trp_gate *gate)
{
    gate_detach(gate, true);
}

void trp_gate_stop(struct trp_gate *gate)
{
    gate_detach(gate, false);
    gate->powered = true;
}

void trp_gate_power(struct trp_gate *gate)
{
    gate->powered = true;
    for (struct gate_socket *socket = gate->sockets; socket != NULL; socket = socket->hh.next) {
        (void)ready_push(gate, TRP_OUT_RESUME, socket->id);
    }
}

void trp_gate_wake(struct trp_gate *gate)
{
    for (struct gate_socket *socket = gate->sockets; socket != NULL; socket = socket->hh.next) {
        if (socket->waits || socket->eof_held || socket->closed_held) {
            socket_schedule(gate, socket, gate->now);
        }
    }
}

void trp_gate_reset(struct trp_gate *gate, bool (*chooses)(void *user, uint32_t other), void *user)
{
    uint32_t count = 0;
    trp_socket *chosen =
        trp_memory_alloc(&gate->memory, HASH_COUNT(gate->sockets) * sizeof *chosen + 1);
    if (chosen == NULL) {
        gate_fail(gate, TRP_ENOMEM);
        return;
    }
    for (struct gate_socket *socket = gate->sockets; socket != NULL; socket = socket->hh.next) {
        if (socket->phase == PHASE_OPEN && !socket->deaf && !socket->gone &&
            socket->peer != TRP_NETEM_OUTSIDE && chooses(user, socket->peer)) {
            chosen[count++] = socket->id;
        }
    }
    for (uint32_t i = 0; i < count; i++) { /* the process may close others on the way */
        struct gate_socket *socket = socket_find(gate, chosen[i]);
        if (socket != NULL && !socket->deaf) {
            socket_fail(gate, socket, TRP_ERESET);
        }
    }
    trp_memory_free(&gate->memory, chosen);
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
        socket_free(gate, gate->sockets);
    }
    while ((link = trp_list_pop_front(&gate->ready)) != NULL) {
        ready_free(gate, TRP_CONTAINER(link, struct ready, link));
    }
    ready_free(gate, gate->lent);
    held_drop(gate);
    trp_heap_free(&gate->timers);
    free(gate);
}
