/* SPDX-License-Identifier: MIT */
/* node/state.h - the parts of a node; for the files of this directory. */
#ifndef NODE_STATE_H
#define NODE_STATE_H

#include "actor/scheduler.h"
#include "base/buffer.h"
#include "behaviour/identify.h"
#include "behaviour/kad.h"
#include "behaviour/mdns.h"
#include "behaviour/messaging.h"
#include "behaviour/ping.h"
#include "behaviour/registry.h"
#include "crypto/drbg.h"
#include "net/swarm.h"
#include "node/bootstrap.h"
#include "node/crypto_memo.h"
#include "remote/remote.h"

#include <troupe/node.h>

/* Known peers are written down once there are some, and then now and then: they change slowly. */
#define NODE_SAVE_FIRST_NS TRP_MIN(1)
#define NODE_SAVE_EVERY_NS TRP_MIN(5)
/* A result of the node's own commands, on its way out. */
#define NODE_RESULTS_MAX 64u

struct trp_node {
    struct trp_memory memory; /* counts all that follows; the node itself is outside it */
    struct trp_limits limits;
    struct trp_trace trace;
    struct trp_drbg drbg;
    struct trp_keypair identity;
    struct trp_peer_id peer;
    struct trp_signature_memo own_memo;
    struct trp_signature_memo *memo; /* of peers' signatures: our own, or a simulation's */
    trp_time now;
    struct trp_scheduler *scheduler;
    struct trp_messaging *messaging; /* NULL in a bare node, as all of ours but `bootstrap` */
    struct trp_registry *registry;
    struct trp_kad *kad; /* of the registry */
    struct trp_ping *ping;
    struct trp_identify *identify;
    struct trp_remote *remote;
    struct trp_bootstrap *bootstrap;
    struct trp_mdns *mdns; /* NULL: it is off */
    struct trp_mdns_config mdns_config;
    struct trp_behaviour *behaviours;
    struct trp_swarm *swarm;
    struct trp_result results[NODE_RESULTS_MAX];
    uint32_t results_head;
    uint32_t results_count;
    struct trp_result result_out; /* the one lent by the last output */
    struct trp_buffer peers_list; /* payload of the newest TRP_CMD_PEERS */
    struct trp_buffer saved;
    trp_time save_at;
    bool save_due;        /* `saved` is to be given out */
    bool leaving;         /* goodbye is said; connections close when it is heard */
    trp_time leave_until; /* or then */
    uint64_t leave_request;
};

#endif
