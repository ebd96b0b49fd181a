/* SPDX-License-Identifier: MIT */
/* behaviour/registry_state.h - what the files of the registry share.
 *
 *   registry.c         the DHT below, the events above; life
 *   registry_name.c    names that this node has registered
 *   registry_lookup.c  searches for the actors of a name */
#ifndef BEHAVIOUR_REGISTRY_STATE_H
#define BEHAVIOUR_REGISTRY_STATE_H

#include "base/list.h"
#include "base/map.h"
#include "base/slab.h"
#include "behaviour/registry.h"
#include "net/swarm.h"
#include "wire/registration.h"

#include <troupe/limits.h>

#define REGISTRY_LOOKUP_PEERS_MAX 64u         /* providers of one name that a lookup follows up */
#define REGISTRY_NAME_BIT         0x80000000u /* tells the query of a name from that of a lookup */

/* A name that this node has registered. */
struct registry_name {
    trp_handle id;
    uint64_t token;
    struct trp_actor_ref actor;
    uint32_t size;
    uint32_t type_size;
    uint32_t stored;        /* peers that were told */
    uint32_t queries;       /* announcements under way */
    enum trp_status status; /* of the announcement that went worst */
    bool is_told;           /* its event is out, or will never be */
    bool is_withdrawn;      /* it is here for its event only */
    struct trp_list_link due;
    UT_hash_handle hh;
    uint8_t *type;
    char text[TRP_REGISTRATION_NAME_MAX + 1];
};

/* Somebody who is said to have a name. */
struct registry_provider {
    struct trp_peer_id peer;
    uint32_t rank; /* in the answer that told of it */
    bool is_asked;
};

/* A search for the actors of a name. */
struct registry_lookup {
    trp_handle id;
    uint64_t token;
    bool is_done;     /* LOOKED_UP is due */
    bool found_local; /* FOUND of our own is due */
    bool unreachable; /* some provider did not answer */
    enum trp_status status;
    uint32_t queries; /* under way */
    uint32_t found;
    uint32_t hops;
    uint32_t rpcs;
    uint32_t timeouts;
    uint32_t asking; /* of the queries: those that ask a provider */
    uint32_t providers_count;
    struct registry_provider providers[REGISTRY_LOOKUP_PEERS_MAX];
    struct trp_list_link due;
    uint32_t size;
    char name[TRP_REGISTRATION_NAME_MAX + 1];
};

/* A DHT query of ours. */
enum registry_query_kind {
    REGISTRY_QUERY_PROVIDE,
    REGISTRY_QUERY_PUT,
    REGISTRY_QUERY_PROVIDERS,
    REGISTRY_QUERY_RECORD
};
struct registry_query {
    enum registry_query_kind kind;
    trp_handle owner; /* name or lookup */
    uint64_t kad_id;
};

struct trp_registry {
    struct trp_registry_config config;
    struct trp_memory own_memory;
    struct trp_memory *memory;
    struct trp_trace *trace;
    struct trp_kad *kad;
    struct trp_swarm *swarm;
    struct trp_slab names;
    struct trp_slab lookups;
    struct trp_slab queries;
    struct registry_name *names_by_text;
    struct trp_list due_names; /* with an event to tell */
    struct trp_list due_lookups;
    struct trp_registration found; /* of the event last given out */
    trp_handle lent_name;          /* whose text it borrows, to be freed after it; 0: none */
    trp_handle lent_lookup;
};

static inline struct trp_bytes registry_name_text(const struct registry_name *name)
{
    return trp_bytes(name->text, name->size);
}

static inline struct trp_bytes registry_lookup_text(const struct registry_lookup *lookup)
{
    return trp_bytes(lookup->name, lookup->size);
}

/* registry.c */
/* Makes a query of the DHT, for a name or a lookup; NULL when there is no room. */
struct registry_query *trp_registry_query_insert(struct trp_registry *r,
                                                 enum registry_query_kind kind, trp_handle owner,
                                                 trp_handle *ret_id);
void trp_registry_queries_cancel(struct trp_registry *r, trp_handle owner, bool of_name);

/* registry_name.c */
struct registry_name *trp_registry_name_find(const struct trp_registry *r, struct trp_bytes text);
void trp_registry_name_free(struct trp_registry *r, struct registry_name *name);
/* Withdraws a name that is being registered, without an event. */
void trp_registry_name_cancel(struct trp_registry *r, trp_handle id);
void trp_registry_name_on_announced(struct trp_registry *r, const struct registry_query *query,
                                    const struct trp_kad_event *event);
/* There are peers now: announces the names that nobody could be told of before. */
void trp_registry_names_announce_waiting(struct trp_registry *r);
bool trp_registry_next_name_event(struct trp_registry *r, struct trp_registry_event *ret);

/* registry_lookup.c */
void trp_registry_lookup_free(struct trp_registry *r, struct registry_lookup *lookup);
void trp_registry_lookup_cancel(struct trp_registry *r, trp_handle id);
void trp_registry_lookup_on_providers(struct trp_registry *r, const struct registry_query *query,
                                      const struct trp_kad_event *event);
/* True: the event is FOUND. */
bool trp_registry_lookup_on_record(struct trp_registry *r, const struct registry_query *query,
                                   const struct trp_kad_event *event,
                                   struct trp_registry_event *ret);
bool trp_registry_next_lookup_event(struct trp_registry *r, struct trp_registry_event *ret);

#endif
