/* SPDX-License-Identifier: MIT */
/* behaviour/kad.h - a peer of a Kademlia DHT: server and client.
 *
 * Spec       libp2p/specs kad-dht/README.md; Maymounkov and Mazières 2002. Parameters: k = 20,
 *            alpha = 3 (TRP_KAD_K, TRP_KAD_ALPHA in proto/kad/query.h).
 * Limits     kad_* of trp_limits.
 * Outcome    Every query started has exactly one event with `last`. */
#ifndef BEHAVIOUR_KAD_H
#define BEHAVIOUR_KAD_H

#include "base/memory.h"
#include "trace/trace.h"

#include <troupe/swarm.h>

struct trp_kad;

/* May refuse what a peer wants stored. `from` is the authenticated sender. */
struct trp_kad_policy {
    enum trp_status (*admit_record)(void *user, struct trp_bytes key, struct trp_bytes value,
                                    const struct trp_peer_id *from);
    enum trp_status (*admit_provider)(void *user, struct trp_bytes key,
                                      const struct trp_peer_id *from);
    void *user;
};

struct trp_kad_config {
    struct trp_memory *memory; /* borrowed */
    struct trp_trace *trace;   /* borrowed; NULL: the swarm's */
    const char *protocol;      /* borrowed */
    bool client;               /* ask, do not serve, be in no table */
    uint64_t seed;             /* of keyed draws: refresh targets */
    struct trp_kad_policy policy;
    bool routing_events; /* tell of the routing table, too */
    /* For an owner without a turn of its own; each may be NULL. */
    void (*attached)(void *user, struct trp_swarm *swarm); /* to that swarm */
    void (*ready)(void *user); /* there are events; called within the swarm's turn */
    void *user;
};

enum trp_status trp_kad_open(const struct trp_kad_config *config,
                             struct trp_kad **ret_kad) TRP_NODISCARD;
void trp_kad_close(struct trp_kad *kad);
struct trp_behaviour trp_kad_behaviour(struct trp_kad *kad);

enum trp_kad_event_kind {
    TRP_KAD_FOUND_PEERS,     /* FIND_NODE done: `peers` are the closest that answered */
    TRP_KAD_FOUND_PROVIDERS, /* new providers in `peers`; last: the query is done */
    TRP_KAD_FOUND_RECORD,    /* a record in `value`; last: the query is done (value may be empty) */
    TRP_KAD_PROVIDED,        /* ADD_PROVIDER was sent to `stored` peers */
    TRP_KAD_PUT,             /* PUT_VALUE was acknowledged by `stored` peers */
    TRP_KAD_BOOTSTRAPPED,    /* a bootstrap round is done */
    /* About `peer`, which serves the DHT. */
    TRP_KAD_ROUTING_UPDATED, /* it is in the routing table now */
    TRP_KAD_UNROUTABLE,      /* it has no known address */
    TRP_KAD_ROUTABLE,        /* it has one, but the table has no place for it */
    TRP_KAD_PENDING_ROUTABLE /* the same, until an older peer has proved that it lives */
};

struct trp_kad_event {
    enum trp_kad_event_kind kind;
    enum trp_status
        status; /* of a last event: TRP_OK, TRP_ENOTFOUND, TRP_ENOPEERS, TRP_ETIMEDOUT, and
                   TRP_EUNREACHABLE when the one holder that was to be asked did not answer */
    bool last;
    uint64_t query;
    uint64_t token; /* as given at the start */
    struct trp_bytes key;
    struct trp_bytes value;
    const struct trp_peer_id *peers; /* borrowed until the next call */
    uint32_t peers_count;
    struct trp_peer_id peer; /* those about the routing table */
    uint32_t stored;
    uint32_t hops;
    uint32_t rpcs;
    uint32_t timeouts;
};

/* Each starts an iterative query. TRP_EFULL, TRP_ENOMEM. The key is copied. */
enum trp_status trp_kad_find_peers(struct trp_kad *kad, struct trp_bytes key, uint64_t token,
                                   uint64_t *ret_query) TRP_NODISCARD;
enum trp_status trp_kad_get_providers(struct trp_kad *kad, struct trp_bytes key, uint64_t token,
                                      uint64_t *ret_query) TRP_NODISCARD;
/* `holder`, if not NULL, is the only one to ask, for lookup_check_ns: what it does not have now is
 * not found. */
enum trp_status trp_kad_get_record(struct trp_kad *kad, struct trp_bytes key,
                                   const struct trp_peer_id *holder, uint64_t token,
                                   uint64_t *ret_query) TRP_NODISCARD;
/* Announces us as provider of `key`, now and again until trp_kad_unprovide: after a minute,
 * twice as long each time, and in the end every kad_republish_ns. */
enum trp_status trp_kad_provide(struct trp_kad *kad, struct trp_bytes key, uint64_t token,
                                uint64_t *ret_query) TRP_NODISCARD;
void trp_kad_unprovide(struct trp_kad *kad, struct trp_bytes key);
/* Stores our own record at the `replication` closest peers, now and again in the same rhythm. */
enum trp_status trp_kad_put_record(struct trp_kad *kad, struct trp_bytes key,
                                   struct trp_bytes value, uint64_t token,
                                   uint64_t *ret_query) TRP_NODISCARD;
void trp_kad_remove_record(struct trp_kad *kad, struct trp_bytes key);
/* Looks up ourselves and refreshes every bucket farther than the closest peer. */
enum trp_status trp_kad_bootstrap(struct trp_kad *kad, uint64_t token) TRP_NODISCARD;
/* Ends a query; no further event of it. */
void trp_kad_cancel(struct trp_kad *kad, uint64_t query);
/* Adds a peer that is known to serve this DHT (bootstrap peers, saved peers). */
void trp_kad_add_peer(struct trp_kad *kad, const struct trp_peer_id *peer);

bool trp_kad_next_event(struct trp_kad *kad, struct trp_kad_event *ret_event);
/* Has config.ready called soon, events or none. */
void trp_kad_wake_owner(struct trp_kad *kad);

/* Counts withdrawals that are not sent yet. */
uint32_t trp_kad_withdrawals_pending(const struct trp_kad *kad);

/* For observers. */
struct trp_kad_view {
    uint32_t peers;
    uint32_t records;
    uint32_t providers;
    uint32_t queries;
    uint64_t rpcs;
    uint64_t timeouts;
};
void trp_kad_inspect(const struct trp_kad *kad, struct trp_kad_view *ret_view);
bool trp_kad_next_peer(const struct trp_kad *kad, uint32_t *at, struct trp_peer_id *ret_peer,
                       uint32_t *ret_bucket);
/* Says whether a peer is in the routing table. */
bool trp_kad_knows_peer(const struct trp_kad *kad, const struct trp_peer_id *peer);
/* `provider` NULL: of anybody. */
bool trp_kad_holds_provider(const struct trp_kad *kad, struct trp_bytes key,
                            const struct trp_peer_id *provider);

#endif
