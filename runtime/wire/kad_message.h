/* SPDX-License-Identifier: MIT */
/* wire/kad_message.h - requests and responses of the Kademlia DHT.
 *
 * The hottest codec of a large simulation, so by hand: decoding allocates and copies nothing, and
 * peers are read one by one from the message.
 * Spec       libp2p/specs kad-dht/README.md; fields 10 of Message, 666 and 777 of Record as
 *            rust-libp2p writes them. Fields are written in rust-libp2p's order.
 * Ownership  A decoded message borrows from its input.
 * Limits     TRP_KAD_MESSAGE_BYTES_MAX: rust-libp2p drops larger ones. */
#ifndef WIRE_KAD_MESSAGE_H
#define WIRE_KAD_MESSAGE_H

#include <troupe/multiaddr.h>
#include <troupe/peer_id.h>

#define TRP_KAD_MESSAGE_BYTES_MAX  16384u
#define TRP_KAD_PEER_ADDRESSES_MAX 8u

enum trp_kad_message_type {
    TRP_KAD_PUT_VALUE = 0,
    TRP_KAD_GET_VALUE = 1,
    TRP_KAD_ADD_PROVIDER = 2,
    TRP_KAD_GET_PROVIDERS = 3,
    TRP_KAD_FIND_NODE = 4,
    TRP_KAD_PING = 5
};

enum trp_kad_connection {
    TRP_KAD_NOT_CONNECTED = 0,
    TRP_KAD_CONNECTED = 1,
    TRP_KAD_CAN_CONNECT = 2,
    TRP_KAD_CANNOT_CONNECT = 3
};

struct trp_kad_record {
    struct trp_bytes key;
    struct trp_bytes value;
    struct trp_peer_id publisher; /* size 0: not said */
    uint32_t ttl_s;               /* 0: not said */
};

struct trp_kad_peer {
    struct trp_peer_id id;
    enum trp_kad_connection connection;
    uint32_t addresses_count;
    /* Without a trailing /p2p; only the first addresses_count are set. */
    const struct trp_multiaddr *addresses;
};

struct trp_kad_message {
    enum trp_kad_message_type type;
    bool response; /* encode only: some fields differ by direction */
    bool has_record;
    struct trp_bytes key;
    struct trp_kad_record record;
    /* Encode only; trp_kad_message_next_peer reads those of a decoded message. */
    const struct trp_kad_peer *closer;
    const struct trp_kad_peer *providers;
    uint32_t closer_count;
    uint32_t providers_count;
    struct trp_bytes encoded; /* decode only */
};

/* Writes the message without its length prefix. When it would be over TRP_KAD_MESSAGE_BYTES_MAX or
 * `room`, addresses beyond the first of each peer are left out, then closer peers from the end,
 * then providers from the end. TRP_ETOOBIG when key and record alone do not fit. */
enum trp_status trp_kad_message_encode(const struct trp_kad_message *message, uint8_t *out,
                                       size_t room, size_t *ret_size) TRP_NODISCARD;
/* Reads a message without its length prefix, and all of it but the peers. TRP_EMALFORMED,
 * TRP_ETOOBIG; TRP_EUNSUPPORTED for an unknown type. */
enum trp_status trp_kad_message_decode(struct trp_bytes in,
                                       struct trp_kad_message *ret_message) TRP_NODISCARD;

enum trp_kad_peer_list { TRP_KAD_CLOSER, TRP_KAD_PROVIDERS };

/* Walks the peers of a decoded message: start with *at = 0; false at the end. Peers that are
 * malformed or have no valid id are passed over, as are addresses that do not parse, name another
 * peer in their /p2p, or are beyond the most. `ret_peer->addresses` is `addresses`. */
bool trp_kad_message_next_peer(const struct trp_kad_message *message, enum trp_kad_peer_list list,
                               size_t *at,
                               struct trp_multiaddr addresses[TRP_KAD_PEER_ADDRESSES_MAX],
                               struct trp_kad_peer *ret_peer);

#endif
