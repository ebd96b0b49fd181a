/* SPDX-License-Identifier: MIT */
/* troupe/registry.h - Kameo's registry of names on the DHT as a behaviour, for programs that
 * compose a swarm of their own.
 *
 * A node with actors has one inside and needs none of this. A node that is `bare` (troupe/node.h)
 * lists it among its behaviours.
 * A name is a provider key; what is behind it is a record that each provider keeps. A lookup asks
 * every provider for its record itself, so it finds only what is registered and reachable now.
 * Spec       Kameo 0.18 to 0.22: /kameo/registry/1.0.0; libp2p's Kademlia.
 * Threading  The node's thread. `on_event` is called within a step, where every function here may
 *            be called again.
 * Ownership  What is given is copied; what an event points to is borrowed for the call.
 * Limits     names, commands (lookups at once), lookup_check_ns, kad_* of the node; memory_bytes of
 *            its own.
 * Outcome    Every registration has exactly one REGISTERED or REGISTRATION_FAILED, every lookup any
 *            number of FOUND and then exactly one LOOKED_UP; those that are cancelled have none. */
#ifndef TROUPE_REGISTRY_H
#define TROUPE_REGISTRY_H

#include <troupe/actor_ref.h>
#include <troupe/behaviour.h>

TRP_EXTERN_C_BEGIN

#define TRP_PROTOCOL_REGISTRY "/kameo/registry/1.0.0"

/* Kameo's ActorRegistration: what is behind a name at one peer. */
struct trp_registration {
    struct trp_actor_ref actor; /* has its peer */
    struct trp_bytes type;      /* id of the actor's type */
};

struct trp_registry;

enum trp_registry_event_kind {
    TRP_REGISTRY_REGISTERED, /* peers keep it: `stored`; TRP_ENOPEERS: when there are any */
    TRP_REGISTRY_REGISTRATION_FAILED, /* `status`; the name stays ours and is announced again */
    TRP_REGISTRY_FOUND,               /* lookup: one actor that is there now */
    TRP_REGISTRY_LOOKED_UP,           /* lookup: the end. Kameo's LookupCompleted, LookupTimeout */
    TRP_REGISTRY_ROUTING_UPDATED,     /* `peer` is in the routing table now */
    TRP_REGISTRY_UNROUTABLE_PEER,     /* `peer` serves the DHT, but has no known address */
    TRP_REGISTRY_ROUTABLE_PEER,       /* `peer` has an address; the table has no place for it */
    TRP_REGISTRY_PENDING_ROUTABLE_PEER, /* the same, until an older one has proved that it lives */
    TRP_REGISTRY_BOOTSTRAPPED           /* the routing table was renewed */
};

struct trp_registry_event {
    enum trp_registry_event_kind kind;
    /* LOOKED_UP: TRP_OK when any was found; TRP_ENOTFOUND: nobody has the name; TRP_EUNREACHABLE:
     * who has it does not answer; TRP_ENOPEERS: nobody to ask; TRP_ETIMEDOUT. */
    enum trp_status status;
    uint64_t query;
    uint64_t token;                       /* as given at the start */
    struct trp_bytes name;                /* of a registration or lookup */
    const struct trp_registration *found; /* FOUND */
    struct trp_peer_id peer;              /* FOUND, and those about the routing table */
    uint32_t stored;                      /* REGISTERED: peers that were told */
    uint32_t hops;                        /* of a lookup, as in struct trp_result */
    uint32_t rpcs;
    uint32_t timeouts;
};

struct trp_registry_config {
    const char *protocol;  /* NULL: TRP_PROTOCOL_REGISTRY; borrowed for ever */
    bool client;           /* ask the DHT, do not serve it */
    uint64_t seed;         /* of keyed draws */
    uint64_t memory_bytes; /* bound of all it allocates; 0: trp_limits.memory_bytes by default */
    void (*on_event)(void *user, struct trp_registry *registry,
                     const struct trp_registry_event *event);
    void *user;
};

/* Makes the behaviour; close it after its node. TRP_EINVAL (the protocol's id), TRP_ENOMEM. */
TRP_API enum trp_status trp_registry_open(const struct trp_registry_config *config,
                                          struct trp_registry **ret_registry) TRP_NODISCARD;
/* NULL is fine. */
TRP_API void trp_registry_close(struct trp_registry *registry);
/* Gives what a swarm lists; it borrows `registry`. */
TRP_API struct trp_behaviour trp_registry_behaviour(struct trp_registry *registry);

/* Announces an actor of this node under a name, now and again and again until
 * trp_registry_unregister; gives the query for trp_registry_cancel. TRP_EINVAL: not a name.
 * TRP_EEXISTS: this node has registered it already. TRP_EFULL, TRP_ENOMEM. */
TRP_API enum trp_status trp_registry_register(struct trp_registry *registry, struct trp_bytes name,
                                              const struct trp_registration *registration,
                                              uint64_t token, uint64_t *ret_query) TRP_NODISCARD;
/* Withdraws a name from those that keep it. A registration without an outcome fails with
 * TRP_ECANCELLED. TRP_ENOTFOUND. */
TRP_API enum trp_status trp_registry_unregister(struct trp_registry *registry,
                                                struct trp_bytes name) TRP_NODISCARD;
/* Finds the actors of a name, here and elsewhere. TRP_EINVAL: not a name. TRP_EFULL, TRP_ENOMEM. */
TRP_API enum trp_status trp_registry_lookup(struct trp_registry *registry, struct trp_bytes name,
                                            uint64_t token, uint64_t *ret_query) TRP_NODISCARD;
/* Gives what this node has under a name; TRP_ENOTFOUND. ret_registration->type is borrowed until
 * the name goes. */
TRP_API enum trp_status
trp_registry_lookup_local(const struct trp_registry *registry, struct trp_bytes name,
                          struct trp_registration *ret_registration) TRP_NODISCARD;
/* Ends a lookup, or the announcing of a registration (the name goes with it), without an event. */
TRP_API void trp_registry_cancel(struct trp_registry *registry, uint64_t query);
/* Joins the DHT by a peer that is known to serve it. */
TRP_API void trp_registry_add_peer(struct trp_registry *registry, const struct trp_peer_id *peer);

TRP_EXTERN_C_END

#endif
