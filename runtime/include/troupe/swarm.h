/* SPDX-License-Identifier: MIT */
/* troupe/swarm.h - connections to peers and streams on them; what behaviours call.
 *
 * Spec       libp2p/specs connections/README.md
 * Threading  The node's thread; safe from any behaviour hook (nothing calls back before it
 *            returns).
 * Limits     connections*, dial_*, streams_*, idle_timeout_ns of trp_limits. */
#ifndef TROUPE_SWARM_H
#define TROUPE_SWARM_H

#include <troupe/behaviour.h>
#include <troupe/limits.h>

TRP_EXTERN_C_BEGIN

/* Gives the time of the step under way. */
TRP_API trp_time trp_swarm_now(const struct trp_swarm *swarm);
/* Borrows our own PeerId for the swarm's life. */
TRP_API const struct trp_peer_id *trp_swarm_peer_id(const struct trp_swarm *swarm);
/* Borrows the limits, complete, for the swarm's life. */
TRP_API const struct trp_limits *trp_swarm_limits(const struct trp_swarm *swarm);
/* Copies our listen addresses (wildcards expanded) but link-local ones, at most `max`; returns how
 * many. */
TRP_API uint32_t trp_swarm_listen_addresses(const struct trp_swarm *swarm,
                                            struct trp_multiaddr *ret_addresses, uint32_t max);
/* The same for link-local addresses, which have a zone: they mean nothing beyond their interface.
 */
TRP_API uint32_t trp_swarm_link_addresses(const struct trp_swarm *swarm,
                                          struct trp_multiaddr *ret_addresses, uint32_t max);
/* Lists every protocol that some behaviour accepts now, in the order of the behaviours. */
TRP_API uint32_t trp_swarm_protocols(const struct trp_swarm *swarm, const char **ret_protocols,
                                     uint32_t max);

/* Starts listening on a TCP address; the outcome is traced and shows in listen_addresses.
 * TRP_EINVAL (no such address), TRP_EFULL, TRP_ENOMEM. */
TRP_API enum trp_status trp_swarm_listen(struct trp_swarm *swarm,
                                         const struct trp_multiaddr *address) TRP_NODISCARD;

struct trp_dial_request {
    struct trp_peer_id peer;               /* size 0: whoever answers at the addresses */
    const struct trp_multiaddr *addresses; /* tried besides the known ones; copied */
    uint32_t addresses_count;
    bool even_if_connected; /* default: TRP_EEXISTS when a connection is open or being made */
};
/* Dials; ends in `connected` or `dial_failed` of every behaviour. TRP_EEXISTS, TRP_EFULL,
 * TRP_ENOADDRESS, TRP_EINVAL (it is ourselves). */
TRP_API enum trp_status trp_swarm_dial(struct trp_swarm *swarm,
                                       const struct trp_dial_request *request) TRP_NODISCARD;
/* Counts the open connections to a peer. */
TRP_API uint32_t trp_swarm_connections_to(const struct trp_swarm *swarm,
                                          const struct trp_peer_id *peer);
/* Walks the connections in order of their making: start with *at = 0; false at the end. */
TRP_API bool trp_swarm_next_connection(const struct trp_swarm *swarm, uint32_t *at,
                                       struct trp_connection_info *ret_info);
/* Gives what is known of one connection; false when it is none, or not open. */
TRP_API bool trp_swarm_find_connection(const struct trp_swarm *swarm, trp_connection_id connection,
                                       struct trp_connection_info *ret_info);
/* Closes one connection, or all to a peer, after what is written; `reason` is traced. */
TRP_API void trp_swarm_close_connection(struct trp_swarm *swarm, trp_connection_id connection,
                                        enum trp_status reason);
TRP_API void trp_swarm_close_peer(struct trp_swarm *swarm, const struct trp_peer_id *peer,
                                  enum trp_status reason);
/* Counts references that keep a peer's connections open though idle, and have them probed every
 * link_probe_ns of silence, so that a lost one is closed soon: +1 or -1. */
TRP_API void trp_swarm_keep_alive(struct trp_swarm *swarm, const struct trp_peer_id *peer,
                                  int32_t change);

enum trp_address_source {
    TRP_ADDRESS_USER,      /* bootstrap, configuration: never dropped */
    TRP_ADDRESS_CONNECTED, /* a dial reached it */
    TRP_ADDRESS_IDENTIFY,  /* the peer itself said so, authenticated */
    TRP_ADDRESS_DHT,       /* another peer said so */
    TRP_ADDRESS_MDNS
};
/* Remembers an address of a peer (a trailing /p2p part is dropped). Better sources replace worse
 * ones when the peer's table is full. */
TRP_API void trp_swarm_add_address(struct trp_swarm *swarm, const struct trp_peer_id *peer,
                                   const struct trp_multiaddr *address,
                                   enum trp_address_source source);
/* Takes back what one source said of an address; what no other source says is forgotten. No
 * connection ends by this. */
TRP_API void trp_swarm_forget_address(struct trp_swarm *swarm, const struct trp_peer_id *peer,
                                      const struct trp_multiaddr *address,
                                      enum trp_address_source source);
/* Copies the known addresses of a peer, best first. */
TRP_API uint32_t trp_swarm_known_addresses(const struct trp_swarm *swarm,
                                           const struct trp_peer_id *peer,
                                           struct trp_multiaddr *ret_addresses, uint32_t max);
/* Tells every behaviour what identify learned. */
TRP_API void trp_swarm_report_identified(struct trp_swarm *swarm,
                                         const struct trp_identified *identified);
/* Tells every behaviour, later, that our listen addresses or protocols changed. */
TRP_API void trp_swarm_report_self_changed(struct trp_swarm *swarm);

struct trp_stream_request {
    uint32_t behaviour;           /* index given to attach */
    struct trp_peer_id peer;      /* of the stream, */
    trp_connection_id connection; /* or this very connection; 0: the preferred one */
    bool dial;                    /* dial the peer when it is not connected */
    bool background;              /* does not keep the connection from idling (ping, identify) */
    const char *const *protocols; /* by preference, at most 4; texts live as long as the stream */
    uint32_t protocols_count;
    uint64_t token;
};
/* Asks for a stream. TRP_ECLOSED: not connected and `dial` is false. TRP_EFULL. */
TRP_API enum trp_status trp_swarm_open_stream(struct trp_swarm *swarm,
                                              const struct trp_stream_request *request,
                                              trp_stream_id *ret_stream) TRP_NODISCARD;
/* Copies as much as fits; *ret_used may be less than in.size (wait for stream_writable).
 * TRP_EAGAIN when nothing fits, TRP_ENOMEM (nobody will say when there is memory), TRP_ESTATE after
 * shutdown or before stream_opened, TRP_ENOTFOUND for a dead id. */
TRP_API enum trp_status trp_stream_write(struct trp_swarm *swarm, trp_stream_id stream,
                                         struct trp_bytes in, size_t *ret_used) TRP_NODISCARD;
/* Half-closes after what is written. */
TRP_API void trp_stream_shutdown(struct trp_swarm *swarm, trp_stream_id stream);
/* Ends both directions at once; the behaviour gets stream_closed(TRP_ECANCELLED). */
TRP_API void trp_stream_reset(struct trp_swarm *swarm, trp_stream_id stream);
/* Says that `bytes` of stream_data are dealt with: reopens the peer's window. */
TRP_API void trp_stream_consumed(struct trp_swarm *swarm, trp_stream_id stream, size_t bytes);
/* Changes the token that the behaviour is told with each event of a stream. */
TRP_API void trp_stream_set_token(struct trp_swarm *swarm, trp_stream_id stream, uint64_t token);
/* Makes an inbound stream hold its connection open, or not (see `background`). */
TRP_API void trp_stream_set_background(struct trp_swarm *swarm, trp_stream_id stream,
                                       bool background);

struct trp_bind_request {
    uint32_t behaviour;             /* index given to attach: its hooks are called */
    struct trp_udp_address address; /* a wildcard and port 0 are fine */
    bool shared;                    /* other programs may use the same port */
};
/* Opens a UDP socket; ends in `bound` or `unbound`. TRP_EINVAL, TRP_EFULL, TRP_ENOMEM. */
TRP_API enum trp_status trp_swarm_bind(struct trp_swarm *swarm,
                                       const struct trp_bind_request *request,
                                       trp_socket *ret_socket) TRP_NODISCARD;
/* Closes a socket; nothing more is told of it. */
TRP_API void trp_swarm_unbind(struct trp_swarm *swarm, trp_socket socket);
/* Wants the datagrams of a group that come by an interface; ends in `joined`. TRP_ENOTFOUND,
 * TRP_ENOMEM. */
TRP_API enum trp_status trp_swarm_join(struct trp_swarm *swarm, trp_socket socket,
                                       const struct trp_udp_address *group,
                                       uint32_t interface) TRP_NODISCARD;
/* Wants them no more. TRP_ENOTFOUND, TRP_ENOMEM. */
TRP_API enum trp_status trp_swarm_leave(struct trp_swarm *swarm, trp_socket socket,
                                        const struct trp_udp_address *group,
                                        uint32_t interface) TRP_NODISCARD;
/* Sends a copy of a datagram; whether it arrives, nobody tells. TRP_ENOTFOUND, TRP_ETOOBIG,
 * TRP_EFULL (datagram_send_bytes wait to leave), TRP_ENOMEM. */
TRP_API enum trp_status trp_swarm_send(struct trp_swarm *swarm,
                                       const struct trp_datagram *datagram) TRP_NODISCARD;
/* Has the hook `interfaces` called, of every behaviour: soon, and whenever they change. TRP_ENOMEM.
 */
TRP_API enum trp_status trp_swarm_watch_interfaces(struct trp_swarm *swarm) TRP_NODISCARD;

TRP_EXTERN_C_END

#endif
