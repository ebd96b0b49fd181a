/* SPDX-License-Identifier: MIT */
/* simnet/socket.h - simulated TCP: listeners, and pairs of ends with the bytes between them.
 *
 * What a process sees is what a TCP socket shows: a connect that takes a round trip, is refused or
 * times out; ordered bytes cut at arbitrary places; credit that returns when the other process has
 * taken them; half-close, reset, and a peer that is gone without a word. Lost data is retransmitted
 * after 200 ms, doubling; a connection whose data stays unanswered times out.
 * Not modelled: congestion control, fast retransmission, keep-alive probes, TIME_WAIT.
 * Ownership  The world owns every duplex; an end is inside its duplex. A function that may free the
 *            duplex says so. */
#ifndef SIMNET_SOCKET_H
#define SIMNET_SOCKET_H

#include <troupe/driver.h>

#include "base/index.h"
#include "base/list.h"
#include "base/slab.h"
#include "simnet/happening.h"
#include "simnet/path.h"

struct trp_sim_host;

/* What may be on the way and not yet taken by the other process, as a receive window. */
#define TRP_SIM_WINDOW_BYTES 262144u
/* A larger write becomes several chunks; smaller where a rate makes others wait for the line. */
#define TRP_SIM_CHUNK_BYTES       65536u
#define TRP_SIM_CHUNK_RATED_BYTES 16384u
/* Acknowledged at once after two full segments, else with data that goes back, or after a delay
 * (RFC 9293 3.8.6.3). */
#define TRP_SIM_ACK_AT_BYTES (2 * TRP_SIM_SEGMENT_BYTES)
#define TRP_SIM_ACK_DELAY_NS TRP_MS(40)
/* Retransmission: first timeout, doublings before the connection is given up. Linux gives up after
 * 15 doublings capped at 2 min, that is 15 min; 8 make 102 s, so that a scenario sees it. */
#define TRP_SIM_RTO_NS      TRP_MS(200)
#define TRP_SIM_RETRIES_MAX 8u
/* The same for a connect; Linux gives up after 6 doublings, that is 127 s; 4 make 31 s. */
#define TRP_SIM_SYN_RTO_NS      TRP_S(1)
#define TRP_SIM_SYN_RETRIES_MAX 4u
/* How long the nearest router takes to refuse what a TRP_CUT_REFUSE cut hit. */
#define TRP_SIM_REFUSE_NS TRP_MS(1)
/* Connections that a listener's process has not been told of. */
#define TRP_SIM_BACKLOG_MAX 128u

enum trp_sim_chunk_flag {
    TRP_SIM_SYN = 1,   /* asks for the connection */
    TRP_SIM_HELLO = 2, /* the last part of the handshake: the acceptor learns of the connection */
    TRP_SIM_FIN = 4,   /* no more bytes follow */
    TRP_SIM_RST = 8,   /* the sender aborted */
    TRP_SIM_ARRIVED = 16,
    TRP_SIM_HELD = 32 /* by a stall of the path */
};

/* Bytes that travel together, from the sender's write to the receiver's process. */
struct trp_sim_chunk {
    struct trp_sim_chunk *next;
    trp_time sent_at;   /* TRP_NEVER: not yet */
    trp_time arrive_at; /* TRP_NEVER: lost or held */
    uint64_t cause;
    uint32_t size;
    uint32_t taken; /* by the receiver's process */
    uint32_t capacity;
    uint32_t ack; /* bytes of the other direction that it acknowledges */
    uint8_t flags;
    uint8_t pool; /* where it goes when it is done with */
    uint8_t data[];
};

/* Sizes of chunk blocks; a number of each is kept for reuse. */
#define TRP_SIM_CHUNK_POOLS 4u

struct trp_sim_chunk_pool {
    struct trp_sim_chunk *spare;
    uint32_t spare_count;
};

enum trp_sim_end_state {
    TRP_SIM_END_NONE,    /* the acceptor's, before the connect reaches it */
    TRP_SIM_END_DIALING, /* the dialer's, until the answer */
    TRP_SIM_END_BACKLOG, /* the acceptor's, until its process is told */
    TRP_SIM_END_OPEN,
    TRP_SIM_END_CLOSED, /* closed by its process; the host still sends what was written */
    TRP_SIM_END_GONE    /* the host knows nothing of it */
};

/* One end of a duplex with the flow it sends. */
struct trp_sim_end {
    struct trp_list_link attached; /* in host->ends */
    trp_socket id;
    trp_socket listener; /* the acceptor's */
    struct trp_sim_host *host;
    struct trp_sim_path *path; /* to the other end */
    struct trp_list_link held; /* in path->held */
    uint64_t credit;           /* bytes acknowledged, not yet told as SENT */
    uint64_t cause;            /* of the connected, accepted or closed that is due */
    enum trp_sim_end_state state;
    enum trp_status closed_status;
    uint16_t port;
    uint8_t index; /* 0: the dialer's */
    uint8_t retries;
    bool connected_due : 1; /* the process is to be told */
    bool accepted_due : 1;
    bool closed_due : 1;
    bool eof_given : 1;
    bool read_paused : 1;
    bool deliver_pending : 1; /* a happening is planned; each of these at most once */
    bool arrive_pending : 1;
    bool send_pending : 1;
    bool retry_pending : 1;
    bool ack_delayed : 1; /* the other host waits with its acknowledgement */
    bool fin_queued : 1;
    bool fin_acked : 1;
    /* The flow from here to the other end. */
    struct trp_sim_chunk *head;     /* the oldest that the other process has not taken */
    struct trp_sim_chunk *tail;     /* the newest */
    struct trp_sim_chunk *arriving; /* the oldest that has left and not arrived */
    struct trp_sim_chunk *unsent;   /* the oldest that has not left */
    uint64_t written;               /* bytes */
    uint64_t taken;                 /* bytes */
    uint64_t departures;            /* segments drawn for loss */
    uint64_t acks;                  /* acknowledgements drawn for loss */
    uint32_t unacked;               /* bytes that have left */
    uint32_t ack_due;               /* bytes taken, not yet acknowledged */
    uint32_t ack_lost;              /* bytes taken whose acknowledgement was lost or is held */
    uint8_t ack_lost_flags;         /* SYN, FIN likewise */
};

/* A connection as the network has it: two ends. It lives until neither has an open socket. */
struct trp_sim_duplex {
    trp_handle handle;
    uint64_t key; /* the entity of its draws */
    struct trp_sim_end ends[2];
};

/* A socket that listens, or one that waits to be told why it cannot listen or dial. */
struct trp_sim_listener {
    struct trp_list_link link; /* in host->listeners */
    trp_socket id;
    uint64_t cause;
    enum trp_status status; /* TRP_OK: it listens */
    uint32_t backlog_count;
    uint16_t port;
    bool loopback; /* only for the host itself */
};

static inline struct trp_sim_duplex *trp_sim_end_duplex(struct trp_sim_end *end)
{
    return TRP_CONTAINER(end - end->index, struct trp_sim_duplex, ends);
}

static inline struct trp_sim_end *trp_sim_end_other(struct trp_sim_end *end)
{
    return end->index == 0 ? end + 1 : end - 1;
}

/* What entity an end is for draws. */
static inline uint64_t trp_sim_end_key(struct trp_sim_end *end)
{
    return trp_sim_end_duplex(end)->key ^ end->index;
}

/* Says whether a process has, or will have, a socket for it. */
static inline bool trp_sim_end_is_attached(const struct trp_sim_end *end)
{
    return end->state == TRP_SIM_END_DIALING || end->state == TRP_SIM_END_BACKLOG ||
           end->state == TRP_SIM_END_OPEN;
}

/* The process is open to what arrives. */
static inline bool trp_sim_end_takes(const struct trp_sim_end *end)
{
    return trp_sim_end_is_attached(end) && !end->closed_due;
}

/* Happenings of ends: `subject` is the duplex, the top bit of `detail` the index of the end. */
#define TRP_SIM_DETAIL_INDEX_SHIFT 63u

/* Plans a happening of an end at a host. */
void trp_sim_end_plan(struct trp_world *world, struct trp_sim_end *end, enum trp_sim_kind kind,
                      uint32_t host, trp_time at, uint64_t detail);

/* ---- socket.c: sockets as a process has them ---- */

/* Perform the outputs of a process. */
void trp_sim_listen(struct trp_world *world, struct trp_sim_host *host,
                    const struct trp_output *out);
void trp_sim_dial(struct trp_world *world, struct trp_sim_host *host, const struct trp_output *out);
/* BYTES, SHUTDOWN, CLOSE, PAUSE, RESUME. */
void trp_sim_socket_perform(struct trp_world *world, struct trp_sim_host *host,
                            const struct trp_output *out);
/* Ends every socket of a host: as its machine loses power, or as its process exits. */
void trp_sim_sockets_end(struct trp_world *world, struct trp_sim_host *host, bool power_lost);
/* The answer to a listen, or to a dial that could not be made. */
void trp_sim_socket_answer(struct trp_world *world, struct trp_sim_host *host,
                           const struct trp_happening *happening);
/* A connect reached `end`'s host: makes the end. TRP_EREFUSED; TRP_EFULL, TRP_ENOMEM: not heard. */
enum trp_status trp_sim_end_accept(struct trp_sim_end *end) TRP_NODISCARD;
/* The answer to a connect arrived. */
void trp_sim_end_connected(struct trp_world *world, struct trp_sim_end *end);
/* The network ended an end: its process is to be told, its host forgets it. */
void trp_sim_end_fail(struct trp_world *world, struct trp_sim_end *end, enum trp_status status,
                      uint64_t cause);
/* The host forgets an end that no process has. */
void trp_sim_end_forget(struct trp_world *world, struct trp_sim_end *end);
/* Ends a socket whose halves have both ended in good order. */
void trp_sim_end_finish(struct trp_sim_end *end);
/* Plans to tell the process what is due. */
void trp_sim_end_poke(struct trp_world *world, struct trp_sim_end *end);
/* Tells the process the next thing that is due, if any. May free the duplex. */
void trp_sim_end_deliver(struct trp_world *world, struct trp_sim_end *end);
/* Frees a duplex in which no process has a socket any more. */
void trp_sim_duplex_settle(struct trp_world *world, struct trp_sim_duplex *duplex);
void trp_sim_duplex_free(struct trp_world *world, struct trp_sim_duplex *duplex);

/* ---- flow.c: the bytes from an end to the other ---- */

/* Appends bytes, or a chunk that only carries `flags`, and sends what may be sent. */
void trp_sim_flow_push(struct trp_world *world, struct trp_sim_end *end, struct trp_bytes bytes,
                       uint8_t flags, uint64_t cause);
/* Drops what has not left, and ends with a reset. The end is TRP_SIM_END_GONE already. */
void trp_sim_flow_abort(struct trp_world *world, struct trp_sim_end *end, uint64_t cause);
/* Drops what has not left. */
void trp_sim_flow_silence(struct trp_world *world, struct trp_sim_end *end);
/* Sends what window and queue admit. */
void trp_sim_flow_transmit(struct trp_world *world, struct trp_sim_end *end);
/* The other process takes `count` bytes of the oldest chunk, which has arrived, or its FIN. Gives
 * the chunk when that was all of it, for trp_sim_chunk_free; else NULL. */
struct trp_sim_chunk *trp_sim_flow_take(struct trp_world *world, struct trp_sim_end *end,
                                        uint32_t count);
/* Frees every chunk. */
void trp_sim_flow_free(struct trp_world *world, struct trp_sim_end *end);
/* A stall of the path ended: sends what it held for this end. */
void trp_sim_flow_release(struct trp_world *world, struct trp_sim_end *end);
/* Something sent at `since` was lost: plans to send it again. */
void trp_sim_flow_recover(struct trp_world *world, struct trp_sim_end *end, trp_time since);
/* The end's path is stalled: its chunks and acknowledgements wait. */
void trp_sim_flow_hold(struct trp_sim_end *end);
/* The sender is gone and will not repeat what was lost: what is on the way cannot be put in order.
 * Only a reset is heard nevertheless. */
void trp_sim_flow_abandon(struct trp_world *world, struct trp_sim_end *end);
/* Happenings. Each may free the duplex. */
void trp_sim_flow_on_arrive(struct trp_world *world, struct trp_sim_end *end);
void trp_sim_flow_on_retry(struct trp_world *world, struct trp_sim_end *end);

/* ---- ack.c: what comes back to the sender ---- */

/* The other host acknowledges the bytes taken, and a SYN or FIN, at once. */
void trp_sim_flow_ack(struct trp_world *world, struct trp_sim_end *end, uint8_t chunk_flags);
/* It acknowledges the bytes taken: at once when they are many, else a little later, unless data
 * goes back before. */
void trp_sim_flow_ack_taken(struct trp_world *world, struct trp_sim_end *end);
/* A chunk of the other end brings the acknowledgement of `count` bytes, or has lost it. */
void trp_sim_flow_acked(struct trp_world *world, struct trp_sim_end *end, uint32_t count);
void trp_sim_flow_ack_lost(struct trp_world *world, struct trp_sim_end *end, uint32_t count);
/* It repeats, after a wait, the acknowledgements that were lost. */
void trp_sim_flow_ack_again(struct trp_world *world, struct trp_sim_end *end, trp_time wait_ns);
/* It knows nothing of the connection, and answers what arrived with a reset. */
void trp_sim_flow_answer_reset(struct trp_world *world, struct trp_sim_end *end,
                               enum trp_status status);
/* The nearest router answers for a cut that refuses. */
void trp_sim_flow_refuse(struct trp_world *world, struct trp_sim_end *end);
/* Nothing comes back: the sender gives up. May free the duplex, as may the happenings. */
void trp_sim_flow_time_out(struct trp_world *world, struct trp_sim_end *end);
void trp_sim_flow_on_ack(struct trp_world *world, struct trp_sim_end *end, uint64_t detail);
void trp_sim_flow_on_ack_due(struct trp_world *world, struct trp_sim_end *end);
void trp_sim_flow_on_reset(struct trp_world *world, struct trp_sim_end *end, uint64_t detail);

/* ---- chunk.c ---- */

/* Gives an empty chunk with room for `size` bytes, at most TRP_SIM_CHUNK_BYTES; NULL when out of
 * memory. */
struct trp_sim_chunk *trp_sim_chunk_make(struct trp_world *world, uint32_t size);
/* NULL is fine. */
void trp_sim_chunk_free(struct trp_world *world, struct trp_sim_chunk *chunk);
/* Frees the chunks kept for reuse. */
void trp_sim_pools_free(struct trp_world *world);

#endif
