/* SPDX-License-Identifier: MIT */
/* live/gate.h - a gate between a process and the driver of its sockets: what faults do to a host.
 *
 * It is a process itself, driven in the other's place. What the process sends waits at the gate for
 * the time its path takes; what a cut stops is tried again as TCP would, and given up as TCP does;
 * a host that is paused is told nothing until it goes on, and one that crashed leaves its
 * connections open, silent, until its next life, whose machine answers them with a reset. Bytes on
 * the wire are those of the process, nothing else.
 * Purity     No clock, no socket: like any process. Its time counts from `epoch` on.
 * Limits     What waits of a socket is bounded by the credit its process has; of a paused host,
 *            by what its sockets can be told once.
 * Failure    Out of memory breaks the process. Datagrams are not there: a process that binds a
 *            socket is told so. */
#ifndef LIVE_GATE_H
#define LIVE_GATE_H

#include "scenarios/live/netem.h"

#include <troupe/driver.h>

/* How TCP gives up: as in the simulated world (simnet/README.md). */
#define TRP_GATE_RTO_NS          TRP_MS(200)
#define TRP_GATE_RETRIES_MAX     8u
#define TRP_GATE_SYN_RTO_NS      TRP_S(1)
#define TRP_GATE_SYN_RETRIES_MAX 4u

struct trp_gate;

struct trp_gate_config {
    struct trp_process inner;
    struct trp_netem *netem; /* borrowed */
    uint32_t host;
    trp_time epoch; /* of the driver's clock: moment 0 of the process */
    /* The host that has an address; TRP_NETEM_OUTSIDE. */
    uint32_t (*host_of)(void *user, const struct trp_multiaddr *address);
    /* What the process says to nobody on the network: at once. */
    void (*result)(void *user, const struct trp_result *result);
    void (*save)(void *user, struct trp_bytes bytes);
    void *user;
};

/* TRP_ENOMEM. */
enum trp_status trp_gate_open(const struct trp_gate_config *config,
                              struct trp_gate **ret_gate) TRP_NODISCARD;
/* Its process is not touched. */
void trp_gate_close(struct trp_gate *gate);
struct trp_process trp_gate_process(struct trp_gate *gate);

/* Each changes the gate at once; feed it a TRP_IN_TIME after it. */
void trp_gate_pause(struct trp_gate *gate);
void trp_gate_resume(struct trp_gate *gate);
/* Detaches the process: its machine has lost power, or the process ended in good order and its
 * machine sends what was written and closes. The caller ends the process. */
void trp_gate_crash(struct trp_gate *gate);
void trp_gate_stop(struct trp_gate *gate);
/* The machine has power again: whoever still sends on the connections of before is answered. */
void trp_gate_power(struct trp_gate *gate);
/* A path or a cut changed: looks again at what waits. */
void trp_gate_wake(struct trp_gate *gate);
/* Resets the connections that `chooses` names. */
void trp_gate_reset(struct trp_gate *gate, bool (*chooses)(void *user, uint32_t other), void *user);

/* Sockets that are open still. */
uint32_t trp_gate_sockets(const struct trp_gate *gate);
/* Bytes of the process that left, and that came. */
void trp_gate_traffic(const struct trp_gate *gate, uint64_t *ret_sent, uint64_t *ret_received);

#endif
