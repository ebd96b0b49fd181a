/* SPDX-License-Identifier: MIT */
/* troupe/behaviour.h - one composable part of a node's conduct on the network (rust-libp2p's
 * NetworkBehaviour).
 *
 * A behaviour lists the protocols it accepts, is told of connections and streams, may refuse
 * connections, contributes addresses to dials, and asks the swarm for dials and streams.
 * Threading  The node's thread. Re-entrancy: none. A swarm function called from a hook changes the
 *            swarm's state and returns; what follows from it arrives later, through hooks.
 * Ownership  Pointers given to a hook are borrowed for the call.
 * Outcome    For each stream asked for: stream_opened or stream_closed; for each opened stream,
 *            inbound ones too, stream_closed exactly once, and then its id is dead. For each
 *            socket asked for: bound or unbound; after an unbound its id is dead. */
#ifndef TROUPE_BEHAVIOUR_H
#define TROUPE_BEHAVIOUR_H

#include <troupe/base.h>
#include <troupe/datagram.h>
#include <troupe/multiaddr.h>
#include <troupe/peer_id.h>

TRP_EXTERN_C_BEGIN

struct trp_swarm;

typedef uint64_t trp_connection_id; /* slot and generation; 0 is none */
typedef uint64_t trp_stream_id;     /* slot and generation, of the whole swarm; 0 is none */

#define TRP_PROTOCOL_BYTES_MAX 140u /* longest protocol id accepted, with its NUL */

struct trp_connection_info {
    trp_connection_id id;
    struct trp_peer_id peer;
    struct trp_multiaddr remote; /* without /p2p */
    bool outbound;               /* we dialed */
    uint32_t peer_connections; /* to this peer: on connected with this one, on disconnected left */
};

struct trp_stream_info {
    trp_stream_id id;
    trp_connection_id connection; /* 0 while it waits for a dial */
    const struct trp_peer_id *peer;
    const char *protocol; /* negotiated; NULL until opened */
    bool inbound;
    uint64_t token; /* of the opener, or as set by trp_stream_set_token; 0 on inbound streams */
};

/* One address of a failed dial. */
struct trp_dial_attempt {
    struct trp_multiaddr address;
    enum trp_status status;
    const char *stage; /* "resolve", "connect", "security", "muxer", "identity", "limit" */
    trp_time took_ns;
};

struct trp_dial_report {
    struct trp_peer_id peer; /* size 0: dialed by address only */
    enum trp_status status;  /* of the last attempt; TRP_ENOADDRESS when there was none */
    uint32_t attempts_count;
    const struct trp_dial_attempt *attempts;
};

/* What identify learned of a peer. */
struct trp_identified {
    struct trp_peer_id peer;
    trp_connection_id connection;
    bool refused; /* it does not speak identify, as Kameo: nothing below is known */
    const char *agent;
    const char *const *protocols;
    uint32_t protocols_count;
    const struct trp_multiaddr *addresses; /* its listen addresses, without /p2p */
    uint32_t addresses_count;
    struct trp_multiaddr observed; /* how it sees us; size 0: not said */
};

/* Every hook may be NULL. */
struct trp_behaviour_ops {
    const char *name;
    /* Joins a swarm: `index` names the behaviour in its calls. Called once, before anything else.
     */
    void (*attach)(void *self, struct trp_swarm *swarm, uint32_t index);
    /* Lists the protocols accepted on inbound streams now; gives at most `max`, returns how many.
     * The texts live as long as the behaviour. */
    uint32_t (*protocols)(const void *self, const char **ret_protocols, uint32_t max);
    /* Refuses a connection whose peer is known now with anything but TRP_OK. */
    enum trp_status (*admit)(void *self, const struct trp_connection_info *connection);
    void (*connected)(void *self, const struct trp_connection_info *connection);
    void (*disconnected)(void *self, const struct trp_connection_info *connection,
                         enum trp_status reason);
    void (*dial_failed)(void *self, const struct trp_dial_report *report);
    /* Contributes addresses for a dial of `peer`. */
    uint32_t (*addresses)(void *self, const struct trp_peer_id *peer,
                          struct trp_multiaddr *ret_addresses, uint32_t max);
    void (*identified)(void *self, const struct trp_identified *peer);
    /* Our own listen addresses or protocols changed. */
    void (*self_changed)(void *self);

    /* The protocol is agreed; write and read may begin. */
    void (*stream_opened)(void *self, const struct trp_stream_info *stream);
    /* Bytes came; all of them are taken. Return the credit with trp_stream_consumed. */
    void (*stream_data)(void *self, const struct trp_stream_info *stream, struct trp_bytes in);
    /* There is room again after trp_stream_write said TRP_EAGAIN or took a part. */
    void (*stream_writable)(void *self, const struct trp_stream_info *stream);
    /* The peer half-closed. */
    void (*stream_eof)(void *self, const struct trp_stream_info *stream);
    /* The end: TRP_OK when both sides finished, else why (TRP_ERESET, TRP_ECLOSED,
     * TRP_ENEGOTIATION, TRP_ETIMEDOUT, TRP_ENOADDRESS, TRP_EFULL, …). */
    void (*stream_closed)(void *self, const struct trp_stream_info *stream, enum trp_status reason);

    /* A socket of trp_swarm_bind is open, at this address and port. */
    void (*bound)(void *self, trp_socket socket, const struct trp_udp_address *address);
    /* It could not be opened, or broke. */
    void (*unbound)(void *self, trp_socket socket, enum trp_status reason);
    /* How a trp_swarm_join ended. */
    void (*joined)(void *self, trp_socket socket, const struct trp_udp_address *group,
                   uint32_t interface, enum trp_status status);
    void (*datagram)(void *self, const struct trp_datagram *datagram);
    /* The interfaces of this machine as they are now, each with its addresses. */
    void (*interfaces)(void *self, const struct trp_interface *interfaces, uint32_t count);

    trp_time (*deadline)(const void *self);
    void (*expire)(void *self, trp_time now);
};

struct trp_behaviour {
    const struct trp_behaviour_ops *ops;
    void *self;
};

TRP_EXTERN_C_END

#endif
