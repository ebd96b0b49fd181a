/* SPDX-License-Identifier: MIT */
/* troupe/driver.h - everything a node asks of the world, and everything the world tells it.
 *
 * A node is a pure function of its inputs. A driver (libuv, the simulator, a test) feeds inputs and
 * performs outputs; because both are data, a run can be recorded and replayed.
 *
 * Driving    For each input: step once, then next_output until it returns false, then arm one timer
 *            at deadline(). trp_pump() in troupe/pump.h does this; drivers call nothing else.
 * Threading  One thread per node.
 * Ownership  Slices and pointers in an input are borrowed during the step; those in an output until
 *            the next call on the same node.
 * Sockets    Ids are 64-bit, never reused. The node numbers the sockets it opens (listen, dial,
 *            bind) with even numbers, the driver the accepted ones with odd numbers. 0 is none. */
#ifndef TROUPE_DRIVER_H
#define TROUPE_DRIVER_H

#include <troupe/base.h>
#include <troupe/command.h>
#include <troupe/datagram.h>
#include <troupe/multiaddr.h>

TRP_EXTERN_C_BEGIN

/* Most addresses, and addresses of interfaces, in one input. */
#define TRP_INPUT_ADDRESSES_MAX  16u
#define TRP_INPUT_INTERFACES_MAX 64u

/* A node need not hear at once of less than this that was sent: its sockets hold several times as
 * much at least (socket_send_bytes), and nothing waits for the last of it. */
#define TRP_SENT_BYTES_MIN 16384u

enum trp_input_kind {
    TRP_IN_TIME,      /* only `now` */
    TRP_IN_LISTENING, /* socket; addresses: what it is bound to, wildcards expanded */
    TRP_IN_ACCEPTED,  /* listener, socket (odd); addresses[0] local, addresses[1] remote */
    TRP_IN_CONNECTED, /* socket; addresses[0] local, addresses[1] remote */
    TRP_IN_BYTES, /* socket; bytes, at least one; the node takes them all. sent_bytes as for SENT,
                   * 0 for none: what comes back often brings both */
    TRP_IN_EOF,   /* socket: the peer will send no more */
    TRP_IN_SENT, /* socket; sent_bytes of earlier TRP_OUT_BYTES have left: credit returns. Less than
                  * TRP_SENT_BYTES_MIN may wait for more, or for BYTES */
    TRP_IN_CLOSED,   /* socket; status: why, TRP_OK when both directions ended in good order. Also a
                      * failed listen or dial. The last input of it */
    TRP_IN_RESOLVED, /* socket: id of the TRP_OUT_RESOLVE; status; addresses */
    TRP_IN_COMMAND,  /* command: what the user wants */
    TRP_IN_BOUND,    /* socket; udp: what it is bound to, the port chosen; a wildcard stays one */
    TRP_IN_DATAGRAM, /* socket, datagram */
    TRP_IN_JOINED,   /* socket; udp: the group, interface; status: whether it is a member now */
    TRP_IN_INTERFACES /* interfaces: all there are, in the order of their indexes */
};

struct trp_input {
    enum trp_input_kind kind;
    enum trp_status status;
    trp_time now;   /* never less than in an earlier input of this node */
    uint64_t cause; /* trace sequence number of the event this input follows from; 0 unknown */
    trp_socket socket;
    trp_socket listener;
    struct trp_bytes bytes;
    uint64_t sent_bytes;
    const struct trp_multiaddr *addresses;
    uint32_t addresses_count;
    const struct trp_command *command;
    const struct trp_udp_address *udp;
    const struct trp_datagram *datagram;
    uint32_t interface;
    uint32_t interfaces_count; /* at most TRP_INPUT_INTERFACES_MAX; others are left out */
    const struct trp_interface *interfaces;
};

enum trp_output_kind {
    TRP_OUT_LISTEN,   /* socket, address: answered by LISTENING or CLOSED */
    TRP_OUT_DIAL,     /* socket, address (ip, tcp): answered by CONNECTED or CLOSED */
    TRP_OUT_BYTES,    /* socket, bytes: the driver takes them all; answered by SENT in sum */
    TRP_OUT_SHUTDOWN, /* socket: half-close after the bytes before it */
    TRP_OUT_CLOSE,    /* socket: no input for it may follow; abort = reset instead of finish */
    TRP_OUT_PAUSE,    /* socket: deliver no BYTES until RESUME */
    TRP_OUT_RESUME,   /* socket */
    TRP_OUT_RESOLVE,  /* socket: an id to answer with; address: a /dns* address */
    TRP_OUT_SAVE,     /* bytes: replaces the node's saved state (see trp_node_config.saved) */
    TRP_OUT_RESULT,   /* result: of a command */
    TRP_OUT_BIND,     /* socket; udp: to be bound to, port 0 any; shared: others on this machine may
                       * have the same port. Answered by BOUND or CLOSED; ends with CLOSE */
    TRP_OUT_DATAGRAM, /* datagram, of a bound socket: sent at once, or later when the system has no
                       * room; dropped and traced when too much waits already, or on an error */
    TRP_OUT_JOIN,     /* socket; udp: a group (its port means nothing), interface: its datagrams are
                       * received too, ours as well. Answered by JOINED */
    TRP_OUT_LEAVE,    /* as JOIN; not answered */
    TRP_OUT_WATCH     /* answered by INTERFACES, then and whenever they have changed since */
};

struct trp_output {
    enum trp_output_kind kind;
    bool abort;
    uint64_t cause; /* trace sequence number of the event that led to it; carry it to the peer */
    trp_socket socket;
    const struct trp_multiaddr *address;
    struct trp_bytes bytes;
    const struct trp_result *result;
    const struct trp_udp_address *udp;
    const struct trp_datagram *datagram;
    uint32_t interface;
    bool shared;
};

/* What a driver drives: a node, or a small program of a test. `self` is passed back. */
struct trp_process_ops {
    /* Takes one input. Anything but TRP_OK means the process is broken and must be ended. */
    enum trp_status (*step)(void *self, const struct trp_input *in);
    /* Gives the next output; false when there is none left. */
    bool (*next_output)(void *self, struct trp_output *ret_out);
    /* The moment at which it wants a TRP_IN_TIME; TRP_NEVER for none. */
    trp_time (*deadline)(const void *self);
};

struct trp_process {
    const struct trp_process_ops *ops;
    void *self;
};

TRP_EXTERN_C_END

#endif
