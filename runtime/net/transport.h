/* SPDX-License-Identifier: MIT */
/* net/transport.h - sockets as the driver sees them: numbered, opened, filled, closed; and the
 * queue of what the driver is to do.
 *
 * What a socket has to say is kept in the socket itself (flags and bytes), and the queue is a list
 * of sockets. So no output can be lost for want of memory, and none is queued twice.
 * Order      Per socket: open, pause or resume, bytes, shutdown, close. Among sockets: who had
 *            something to say first.
 * Ownership  Sockets are embedded in what they belong to, which must live until next_done gives
 *            them back.
 * Limits     bytes handed out and not yet sent: socket_send_bytes per socket. */
#ifndef NET_TRANSPORT_H
#define NET_TRANSPORT_H

#include "base/buffer.h"
#include "base/index.h"
#include "base/list.h"

#include <troupe/driver.h>

#define TRP_REFUSALS_MAX 16u

enum trp_socket_kind { TRP_SOCKET_LISTENER, TRP_SOCKET_CONNECTION, TRP_SOCKET_RESOLVE };

struct trp_transport_socket {
    trp_socket id;
    enum trp_socket_kind kind;
    bool open_due;
    bool pause_due;
    bool resume_due;
    bool shutdown_due;
    bool close_due;
    bool abort;
    bool paused;
    bool indexed;                        /* found by its id */
    bool done;                           /* given, or to be given, by next_done */
    uint64_t cause;                      /* of the outputs */
    uint64_t unsent_bytes;               /* handed to the driver and not yet sent */
    struct trp_buffer tx;                /* to be handed to it */
    const struct trp_multiaddr *address; /* of the open; borrowed while open_due */
    struct trp_list_link link;           /* in ready or done */
};

struct trp_transport {
    struct trp_memory *memory;
    uint64_t send_bytes_max;  /* socket_send_bytes */
    struct trp_index sockets; /* by id */
    struct trp_list ready;
    struct trp_list done;
    trp_socket next_id;
    struct trp_transport_socket *lent; /* whose bytes the last output borrowed */
    struct trp_buffer spare;
    trp_socket refused[TRP_REFUSALS_MAX];
    uint32_t refused_count;
};

void trp_transport_init(struct trp_transport *transport, struct trp_memory *memory,
                        uint64_t send_bytes_max);
/* Every socket must be done or forgotten before. */
void trp_transport_deinit(struct trp_transport *transport);

/* Takes a socket in; id 0 gives it the next number of ours. TRP_EEXISTS, TRP_ENOMEM. */
enum trp_status trp_transport_add(struct trp_transport *transport,
                                  struct trp_transport_socket *socket, enum trp_socket_kind kind,
                                  trp_socket id) TRP_NODISCARD;
/* Takes the next number of ours, for a socket that is kept elsewhere. */
trp_socket trp_transport_take_id(struct trp_transport *transport);
/* NULL when there is none, or it was closed. */
struct trp_transport_socket *trp_transport_find(const struct trp_transport *transport,
                                                trp_socket id);
/* Asks the driver to listen, dial or resolve. Borrows `address` until it is given out. */
void trp_transport_open(struct trp_transport *transport, struct trp_transport_socket *socket,
                        const struct trp_multiaddr *address, uint64_t cause);
/* Readies `tx` for appending: its limit becomes the socket's credit. Returns the room. */
size_t trp_transport_begin_fill(struct trp_transport *transport,
                                struct trp_transport_socket *socket);
/* Queues what was appended to `tx`. */
void trp_transport_end_fill(struct trp_transport *transport, struct trp_transport_socket *socket,
                            uint64_t cause);
/* The driver sent bytes: credit returns. */
void trp_transport_sent(struct trp_transport_socket *socket, uint64_t bytes);
/* Stops or restarts the delivery of bytes. */
void trp_transport_pause(struct trp_transport *transport, struct trp_transport_socket *socket,
                         bool pause, uint64_t cause);
void trp_transport_shutdown(struct trp_transport *transport, struct trp_transport_socket *socket,
                            uint64_t cause);
/* Closes: at once and with a reset, or after the bytes before it. No input of it is found again.
 * Nothing is said of a socket whose opening the driver never heard of. */
void trp_transport_close(struct trp_transport *transport, struct trp_transport_socket *socket,
                         bool abort, uint64_t cause);
/* Drops a socket about which the driver needs no word (it closed it itself, or it resolves). */
void trp_transport_forget(struct trp_transport *transport, struct trp_transport_socket *socket);
/* Resets an accepted socket of which there is no object. TRP_EFULL when outputs are not drained. */
enum trp_status trp_transport_refuse(struct trp_transport *transport, trp_socket id) TRP_NODISCARD;

/* Ends the loan of the bytes of the last output. */
void trp_transport_release(struct trp_transport *transport);
bool trp_transport_next_output(struct trp_transport *transport, struct trp_output *ret_out);
/* Gives back a socket that is no longer needed; NULL when there is none. */
struct trp_transport_socket *trp_transport_next_done(struct trp_transport *transport);

#endif
