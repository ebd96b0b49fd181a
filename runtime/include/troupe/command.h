/* SPDX-License-Identifier: MIT */
/* troupe/command.h - what a user outside the actors asks of a node, and the answers, as data.
 *
 * Every command has exactly one final result (`last`); a lookup of all gives one result per actor
 * before it, and then a last one without a ref (TRP_OK when there was any). Results arrive as
 * TRP_OUT_RESULT.
 * Ownership  Command slices are borrowed during the step, result slices until the next call. */
#ifndef TROUPE_COMMAND_H
#define TROUPE_COMMAND_H

#include <troupe/actor_ref.h>
#include <troupe/base.h>
#include <troupe/multiaddr.h>

TRP_EXTERN_C_BEGIN

enum trp_command_kind {
    TRP_CMD_LISTEN,     /* address */
    TRP_CMD_DIAL,       /* address, with /p2p/<id> when the peer must be that one */
    TRP_CMD_BOOTSTRAP,  /* address: a peer to join the DHT by; remembered and re-dialed */
    TRP_CMD_SPAWN,      /* actor_type, payload (msgpack arguments), name (optional: register) */
    TRP_CMD_STOP,       /* name: of a local actor; after the messages before it */
    TRP_CMD_KILL,       /* name: of a local actor; at once */
    TRP_CMD_REGISTER,   /* ref (local), name */
    TRP_CMD_UNREGISTER, /* name */
    TRP_CMD_LOOKUP,     /* name; all = every actor of that name, else the first that answers;
                         * local = the one of this node */
    TRP_CMD_ASK,        /* ref or name (looked up first); message, payload, timeouts */
    TRP_CMD_TELL,       /* ref or name; message, payload; TRP_OK: it is in the mailbox */
    TRP_CMD_PEERS,      /* payload of the result: msgpack array of connected and known peers */
    TRP_CMD_LEAVE,      /* say goodbye, withdraw names, close every connection */
    TRP_CMD_PING,       /* ref.peer: whom; round_trip_ns of the result */
    TRP_CMD_LINK,       /* ref and other, wherever they live: told of each other's death */
    TRP_CMD_UNLINK      /* ref and other */
};

struct trp_command {
    enum trp_command_kind kind;
    bool all;
    bool local;
    bool immediate;              /* ASK, TELL: do not wait for room in a full mailbox */
    uint64_t request;            /* chosen by the caller; comes back in the results */
    struct trp_actor_ref ref;    /* id 0: use `name` */
    struct trp_actor_ref other;  /* LINK, UNLINK */
    struct trp_bytes name;       /* UTF-8, 1..255 bytes */
    struct trp_bytes actor_type; /* id of the actor type: SPAWN; of a remote `ref` without `type` */
    struct trp_bytes message;    /* id of the message */
    struct trp_bytes payload;    /* msgpack */
    struct trp_multiaddr address;
    trp_time mailbox_timeout_ns; /* how long to wait for room; 0: as long as for the reply */
    trp_time reply_timeout_ns;   /* 0: the node's request timeout; to another node, at most that */
};

struct trp_result {
    enum trp_command_kind kind;
    enum trp_status status;
    bool last;
    uint64_t request;
    struct trp_actor_ref ref;    /* LOOKUP, SPAWN, and the actor that an ASK by name reached */
    struct trp_bytes actor_type; /* LOOKUP */
    struct trp_bytes payload;    /* ASK: the reply, or the handler's error with TRP_EHANDLER */
    uint32_t hops;               /* LOOKUP: length of the referral chain to the first answer */
    uint32_t rpcs;               /* LOOKUP: requests sent */
    uint32_t timeouts;           /* LOOKUP: requests that were not answered */
    trp_time round_trip_ns;      /* PING */
};

TRP_EXTERN_C_END

#endif
