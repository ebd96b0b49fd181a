/* SPDX-License-Identifier: MIT */
/* live/gate_state.h - the parts of a gate, for its own files: gate, gate_flow, gate_fault. */
#ifndef LIVE_GATE_STATE_H
#define LIVE_GATE_STATE_H

#include "scenarios/live/gate.h"

#include "base/heap.h"
#include "base/list.h"
#include "base/map.h"

enum trp_gate_phase {
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
    enum trp_gate_phase phase;
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

/* gate.c */
/* Keeps the first failure, which breaks the process. */
void trp_gate_fail(struct trp_gate *gate, enum trp_status status);
/* Gives the process an input, or keeps it while the host is paused; performs what it wants. */
void trp_gate_tell(struct trp_gate *gate, const struct trp_input *in);
/* Forgets what was kept for the end of a pause. */
void trp_gate_held_drop(struct trp_gate *gate);
/* The network ends a connection: at the driver, and for the process. */
void trp_gate_socket_fail(struct trp_gate *gate, struct gate_socket *socket,
                          enum trp_status status);
/* The process closes a socket: behind what it has sent, unless it aborts. */
void trp_gate_socket_close(struct trp_gate *gate, struct gate_socket *socket,
                           const struct trp_output *out);

/* gate_flow.c */
/* Adds an output for the driver; NULL when out of memory. */
struct ready *trp_gate_ready_push(struct trp_gate *gate, enum trp_output_kind kind,
                                  trp_socket socket);
void trp_gate_ready_address(struct trp_gate *gate, enum trp_output_kind kind, trp_socket socket,
                            const struct trp_multiaddr *address, uint64_t cause);
void trp_gate_ready_close(struct trp_gate *gate, trp_socket socket, bool abort);
void trp_gate_ready_free(struct trp_gate *gate, struct ready *ready);
struct gate_socket *trp_gate_socket_find(const struct trp_gate *gate, trp_socket id);
/* NULL when out of memory. */
struct gate_socket *trp_gate_socket_make(struct trp_gate *gate, trp_socket id,
                                         enum trp_gate_phase phase);
void trp_gate_socket_free(struct trp_gate *gate, struct gate_socket *socket);
/* Has the gate look at a socket again at `at`. */
void trp_gate_socket_schedule(struct trp_gate *gate, struct gate_socket *socket, trp_time at);
/* Says whether a cut stops what the other host sends. */
bool trp_gate_blocked_back(const struct trp_gate *gate, const struct gate_socket *socket);
/* Forgets what is on its way. */
void trp_gate_parcels_drop(struct trp_gate *gate, struct gate_socket *socket);
/* Puts BYTES, SHUTDOWN or CLOSE on its way. */
void trp_gate_flow_push(struct trp_gate *gate, struct gate_socket *socket,
                        const struct trp_output *out);
/* Lets through what has arrived; may end the socket. */
void trp_gate_flow_run(struct trp_gate *gate, struct gate_socket *socket);
/* A connect, step by step: it leaves, it arrives, the driver has made it, the answer arrives. The
 * second and the last may end the socket. */
void trp_gate_dial(struct trp_gate *gate, const struct trp_output *out);
void trp_gate_dial_due(struct trp_gate *gate, struct gate_socket *socket);
void trp_gate_on_connected(struct trp_gate *gate, struct gate_socket *socket,
                           const struct trp_input *in);
void trp_gate_connected_due(struct trp_gate *gate, struct gate_socket *socket);

#endif
