/* SPDX-License-Identifier: MIT */
/* What faults do to a host's gate. */
#include "scenarios/live/gate_state.h"

void trp_gate_pause(struct trp_gate *gate)
{
    gate->paused = true;
    for (struct gate_socket *socket = gate->sockets; socket != NULL; socket = socket->hh.next) {
        if (socket->phase == PHASE_OPEN && !socket->stopped && !socket->gone) {
            (void)trp_gate_ready_push(gate, TRP_OUT_PAUSE, socket->id);
        }
    }
}

void trp_gate_resume(struct trp_gate *gate)
{
    struct trp_list_link *link;
    gate->paused = false;
    for (struct gate_socket *socket = gate->sockets; socket != NULL; socket = socket->hh.next) {
        if (socket->phase == PHASE_OPEN && !socket->stopped && !socket->gone) {
            (void)trp_gate_ready_push(gate, TRP_OUT_RESUME, socket->id);
        }
    }
    while ((link = trp_list_pop_front(&gate->held)) != NULL) {
        struct held *held = TRP_CONTAINER(link, struct held, link);
        trp_gate_tell(gate, &held->in);
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
    trp_gate_held_drop(gate);
    HASH_ITER(hh, gate->sockets, socket, next)
    {
        if (socket->phase != PHASE_OPEN || socket->gone) {
            socket->deaf = true;
            trp_gate_socket_close(gate, socket, &close);
        } else if (stay) {
            socket->deaf = true;
            trp_gate_parcels_drop(gate, socket);
            trp_heap_remove(&gate->timers, &socket->due);
            (void)trp_gate_ready_push(gate, TRP_OUT_PAUSE, socket->id);
        } else if (!socket->deaf) {
            trp_gate_socket_close(gate, socket, &close);
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
        (void)trp_gate_ready_push(gate, TRP_OUT_RESUME, socket->id);
    }
}

void trp_gate_wake(struct trp_gate *gate)
{
    for (struct gate_socket *socket = gate->sockets; socket != NULL; socket = socket->hh.next) {
        if (socket->waits || socket->eof_held || socket->closed_held) {
            trp_gate_socket_schedule(gate, socket, gate->now);
        }
    }
}

void trp_gate_reset(struct trp_gate *gate, bool (*chooses)(void *user, uint32_t other), void *user)
{
    uint32_t count = 0;
    trp_socket *chosen =
        trp_memory_alloc(&gate->memory, HASH_COUNT(gate->sockets) * sizeof *chosen + 1);
    if (chosen == NULL) {
        trp_gate_fail(gate, TRP_ENOMEM);
        return;
    }
    for (struct gate_socket *socket = gate->sockets; socket != NULL; socket = socket->hh.next) {
        if (socket->phase == PHASE_OPEN && !socket->deaf && !socket->gone &&
            socket->peer != TRP_NETEM_OUTSIDE && chooses(user, socket->peer)) {
            chosen[count++] = socket->id;
        }
    }
    for (uint32_t i = 0; i < count; i++) { /* the process may close others on the way */
        struct gate_socket *socket = trp_gate_socket_find(gate, chosen[i]);
        if (socket != NULL && !socket->deaf) {
            trp_gate_socket_fail(gate, socket, TRP_ERESET);
        }
    }
    trp_memory_free(&gate->memory, chosen);
}
