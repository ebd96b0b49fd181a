/* SPDX-License-Identifier: MIT */
/* net/state.h - the parts of a swarm and how they hang together; each file of net/ works on some.
 *
 *   behaviours  are told of things (net/behaviours)
 *   transport   sockets and outputs (net/transport)
 *   datagrams   UDP sockets of behaviours (net/datagram)
 *   listeners   (net/listen)
 *   dials       each trying the addresses of one peer (net/dial)
 *   connections being made, open, lingering (net/connection)
 *   streams     (net/stream)
 *   pool        the peers of all these: which connections, dials and streams are theirs (net/pool)
 *   store       where peers can be reached (net/peer_store)
 *
 * Work       A public call changes state and puts what it touched on a list: connections and dials
 *            to be looked at, streams that have something to tell their behaviour. The loop in
 *            net/swarm.c empties the lists; only it calls the behaviours' hooks.
 * Lifetimes  Within the loop, objects are taken apart but not freed while they may be on the stack:
 *            connections go when their socket is done, at the start of the next turn. */
#ifndef NET_STATE_H
#define NET_STATE_H

#include "base/heap.h"
#include "base/index.h"
#include "base/list.h"
#include "base/map.h"
#include "base/slab.h"
#include "net/datagram.h"
#include "net/limits.h"
#include "net/origin.h"
#include "net/peer_store.h"
#include "net/swarm.h"
#include "net/transport.h"
#include "net/upgrade.h"
#include "proto/multistream.h"
#include "proto/noise.h"
#include "proto/yamux.h"

#define TRP_STREAM_PROTOCOLS_MAX 4u
#define TRP_LISTENERS_MAX        16u
#define TRP_SPOKEN_MAX           24u /* protocols remembered per peer */
/* For how long duplicate connections of simultaneous dials live on, so that both sides know both
 * before they agree which one stays. */
#define TRP_DUPLICATE_GRACE_NS TRP_S(5)
/* How long a closed connection may take to hand over what was written. */
#define TRP_LINGER_NS TRP_S(5)
/* What one step may do before it lets time pass: ends a quarrel of behaviours that answer each
 * other's failures at once. */
#define TRP_TURNS_MAX     100000u
#define TRP_TURNS_REST_NS TRP_MS(1)

enum trp_timer_kind { TRP_TIMER_CONNECTION, TRP_TIMER_RESOLVE };

/* A deadline in the swarm's heap, and whose it is. */
struct trp_timer {
    struct trp_heap_entry entry;
    enum trp_timer_kind kind;
};

/* A peer as long as something of it is here. */
struct trp_pool_peer {
    struct trp_peer_id id;
    struct trp_list connections; /* open ones, in the order of their making */
    uint32_t connections_count;
    int32_t keep_alive;
    struct trp_dial *dial;   /* under way; NULL: none */
    struct trp_list waiting; /* streams that wait for a connection */
    uint32_t waiting_count;
    uint32_t asking_count; /* connections on which it is asked whether it lives */
    uint32_t references;   /* of streams, and of what is at work with it */
    uint32_t spoken_count;
    uint32_t spoken[TRP_SPOKEN_MAX]; /* hashes of the protocols that the peer is known to speak */
};

enum trp_connection_state {
    TRP_CONNECTION_DIALING,   /* the driver is asked to connect */
    TRP_CONNECTION_UPGRADING, /* bytes flow; security and muxer are being agreed */
    TRP_CONNECTION_OPEN,      /* behaviours know it */
    TRP_CONNECTION_LINGERING, /* behaviours were told that it is closed; the rest is being sent */
    TRP_CONNECTION_CLOSED     /* nothing left but its socket's last output */
};

struct trp_connection {
    trp_connection_id id;
    enum trp_connection_state state;
    bool outbound;
    bool retiring;     /* the peer takes no more streams */
    bool eof_seen;     /* the peer sends no more */
    bool close_due;    /* asked for by a call; done in the loop */
    bool shutdown_out; /* our half is closed */
    bool deaf;         /* what the peer still sends means nothing to us */
    enum trp_status close_reason;
    uint32_t order; /* of opening; index into swarm->opened */
    uint64_t tie;
    uint64_t cause;       /* the newest event about it */
    uint64_t touch_cause; /* what put it on the dirty list */
    struct trp_transport_socket socket;
    struct trp_pool_peer *peer; /* while OPEN */
    struct trp_peer_id peer_id; /* from OPEN on */
    uint8_t *remote;            /* its address: size, bytes; a fraction of a struct trp_multiaddr */

    struct trp_dial *dial;          /* outbound, until OPEN */
    uint32_t candidate;             /* index into the dial's */
    struct trp_list_link dial_link; /* inbound: in swarm->accepted_pending, until OPEN */
    struct trp_origin *origin;      /* inbound, until OPEN; NULL: no memory for it */

    struct trp_upgrade *upgrade; /* until it is read */
    struct trp_noise *noise;     /* after the upgrade; NULL in plaintext */
    struct trp_yamux *yamux;
    struct trp_buffer plain;   /* decrypted, not yet taken by the muxer */
    struct trp_buffer backlog; /* received, not yet taken; the socket is paused */

    struct trp_list streams;
    uint32_t streams_count;
    uint32_t streams_active;      /* without the background ones */
    uint32_t streams_negotiating; /* inbound */
    uint32_t streams_refused;     /* by the muxer, as far as traced */

    trp_time started_at;
    trp_time deadline;    /* of the dial and upgrade, or of lingering */
    trp_time idle_since;  /* TRP_NEVER: in use */
    trp_time used_since;  /* when it last came into use */
    trp_time answer_by;   /* TRP_NEVER: the peer is not being asked whether it lives */
    trp_time grace_until; /* TRP_NEVER: no duplicate, or the preferred one */
    struct trp_timer timer;
    struct trp_list_link dirty_link;
    struct trp_list_link pool_link;
    struct trp_list_link idle_link;
};

/* Protocols accepted by some behaviour, as they were at some time. */
struct trp_protocol_table {
    uint32_t references;
    uint32_t count;
    const char **names;
    uint32_t *behaviours;
};

struct trp_stream {
    trp_stream_id id;
    trp_connection_id connection_id;   /* stays when the connection is gone */
    uint32_t muxer_stream;             /* what the muxer calls it */
    struct trp_connection *connection; /* NULL: waits for one, or has ended */
    struct trp_pool_peer *peer;
    uint32_t behaviour;
    uint32_t protocols_count;
    const char *protocols[TRP_STREAM_PROTOCOLS_MAX];
    const char *protocol; /* agreed; NULL until then */
    uint64_t token;
    uint64_t cause;
    bool inbound;
    bool background;
    bool told;       /* the behaviour knows it as open */
    bool opened_due; /* ... or is to be told */
    bool ended;      /* detached; stream_closed is due */
    bool lazy;       /* agreed before the peer's answer is read */
    enum trp_status reason;
    struct trp_multistream *negotiation;
    struct trp_protocol_table *accepted; /* what an inbound negotiation chooses from */
    trp_time negotiation_deadline;
    struct trp_list_link owner_link;       /* of the connection, or of the waiting ones of a peer */
    struct trp_list_link notify_link;      /* has something to tell */
    struct trp_list_link negotiating_link; /* all have the same span: oldest first */
};

struct trp_dial_candidate {
    struct trp_multiaddr address; /* as it was given, without /p2p */
    uint32_t origin;              /* the candidate whose name resolved to it; else itself */
    bool refused;                 /* names another peer */
};

/* A name being resolved for a dial. */
struct trp_resolve {
    struct trp_transport_socket socket;
    struct trp_dial *dial;
    uint32_t candidate;
    trp_time started_at;
    struct trp_timer timer;
    struct trp_list_link link;
};

struct trp_dial {
    trp_handle id;
    struct trp_pool_peer *peer; /* NULL: whoever answers */
    bool gathered;              /* known addresses were added */
    bool connected;             /* to that peer, by whatever connection, since it began */
    uint32_t candidates_count;
    uint32_t candidates_next;
    uint32_t attempts_count; /* failed */
    uint32_t active;         /* under way */
    struct trp_dial_candidate *candidates;
    struct trp_dial_attempt *attempts;
    struct trp_list connections;
    struct trp_list resolves;
    trp_time started_at;
    uint64_t cause;
    struct trp_list_link dirty_link;
    struct trp_list_link slot_link; /* waits for a place among connections_pending_out */
};

struct trp_listener {
    struct trp_transport_socket socket;
    struct trp_multiaddr requested;
    uint32_t addresses_count;
    struct trp_multiaddr *addresses;
};

/* A copy of what identify learned, until the behaviours are told. */
struct trp_identified_copy {
    struct trp_identified identified;
    uint64_t cause;
    struct trp_list_link link;
};

struct trp_swarm {
    struct trp_swarm_config config;
    struct trp_memory *memory;
    const struct trp_limits *limits;
    struct trp_trace *trace;
    struct trp_peer_id self;
    struct trp_noise_identity noise;
    trp_time now;
    struct trp_behaviour *behaviours;
    uint32_t behaviours_count;

    struct trp_transport transport;
    struct trp_datagrams datagrams;
    struct trp_peer_store store;
    struct trp_limit_marks limit_marks;
    struct trp_listener *listeners[TRP_LISTENERS_MAX];
    struct trp_index peers; /* of the pool, by PeerId */
    struct trp_slab connections;
    struct trp_slab streams;
    struct trp_slab dials;
    struct trp_protocol_table *accepted;

    trp_connection_id *opened; /* in the order of opening; 0: closed since */
    uint32_t opened_count;
    uint32_t opened_capacity;
    uint32_t open_count;
    struct trp_list accepted_pending; /* inbound connections, the oldest first */
    struct trp_origin *origins;       /* of those, uthash by ip */
    struct trp_proven proven;
    uint64_t lots;        /* drawn among them */
    struct trp_list idle; /* connections, longest idle first */
    uint32_t idle_count;
    uint32_t pending_in;
    uint32_t pending_out;
    uint64_t ties; /* numbers heap entries */

    struct trp_heap timers;
    struct trp_list dirty_connections;
    struct trp_list dirty_dials;
    struct trp_list dials_waiting; /* for a place */
    struct trp_list notify_streams;
    struct trp_list negotiating_streams;
    struct trp_list identified; /* copies */
    uint32_t identified_count;
    bool self_changed;
    trp_time resume_at;        /* work was left over; TRP_NEVER: none */
    struct trp_buffer spare;   /* lent to the connections' plain */
    struct trp_buffer staging; /* of the muxer's frames before encryption */
    struct trp_buffer words;   /* of negotiations, on their way into the muxer */
};

#endif
