/* SPDX-License-Identifier: MIT */
#include "behaviour/registry.h"

#include "base/list.h"
#include "base/map.h"
#include "base/slab.h"
#include "net/swarm.h"
#include "wire/registration.h"

#include <troupe/limits.h>

#define LOOKUP_PEERS_MAX 64u         /* providers of one name that a lookup follows up */
#define LOOKUP_AT_ONCE   8u          /* of them asked at once, besides the first of each answer */
#define LOOKUP_FIRST     2u          /* so many of each answer are asked without waiting */
#define NAME_BIT         0x80000000u /* tells the query of a registration from that of a lookup */

/* A name that this node has registered. */
struct name {
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
struct provider {
    struct trp_peer_id peer;
    uint32_t rank; /* in the answer that told of it */
    bool is_asked;
};

/* A search for the actors of a name. */
struct lookup {
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
    struct provider providers[LOOKUP_PEERS_MAX];
    struct trp_list_link due;
    uint32_t size;
    char name[TRP_REGISTRATION_NAME_MAX + 1];
};

/* A DHT query of ours. */
enum query_kind { QUERY_PROVIDE, QUERY_PUT, QUERY_PROVIDERS, QUERY_RECORD };
struct query {
    enum query_kind kind;
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
    struct name *names_by_text;
    struct trp_list due_names; /* with an event to tell */
    struct trp_list due_lookups;
    struct trp_registration found; /* of the event last given out */
    trp_handle lent_name;          /* whose text it borrows, to be freed after it; 0: none */
    trp_handle lent_lookup;
};

static struct trp_bytes name_text(const struct name *name)
{
    return trp_bytes(name->text, name->size);
}

static struct trp_bytes lookup_text(const struct lookup *lookup)
{
    return trp_bytes(lookup->name, lookup->size);
}

/* ---- queries ---- */

static struct query *query_insert(struct trp_registry *r, enum query_kind kind, trp_handle owner,
                                  trp_handle *ret_id)
{
    void *object;
    if (trp_slab_insert(&r->queries, ret_id, &object) != TRP_OK) {
        return NULL;
    }
    struct query *query = object;
    *query = (struct query){.kind = kind, .owner = owner};
    return query;
}

static bool query_is_of_name(const struct query *query)
{
    return query->kind == QUERY_PROVIDE || query->kind == QUERY_PUT;
}

static void queries_cancel(struct trp_registry *r, trp_handle owner, bool of_name)
{
    uint32_t at = 0;
    trp_handle id;
    struct query *query;
    while ((query = trp_slab_next(&r->queries, &at, &id)) != NULL) {
        if (query->owner == owner && query_is_of_name(query) == of_name) {
            trp_kad_cancel(r->kad, query->kad_id);
            trp_slab_remove(&r->queries, id);
        }
    }
}

/* ---- names ---- */

static struct name *name_find(const struct trp_registry *r, struct trp_bytes text)
{
    struct name *name;
    HASH_FIND(hh, r->names_by_text, text.data, text.size, name);
    return name;
}

static void name_free(struct trp_registry *r, struct name *name)
{
    trp_list_link_remove(&name->due);
    trp_memory_free(r->memory, name->type);
    trp_slab_remove(&r->names, name->id);
}

static void name_unlist(struct trp_registry *r, struct name *name)
{
    struct trp_memory *uthash_memory = r->memory;
    HASH_DELETE(hh, r->names_by_text, name);
}

/* Its announcement is over, for now. */
static void name_settle(struct trp_registry *r, struct name *name)
{
    trp_trace_name_registered(r->trace,
                              &(struct trp_event_name_registered){.name = name_text(name),
                                                                  .actor = name->actor.id,
                                                                  .stored = name->stored,
                                                                  .status = name->status});
    if (!name->is_told) {
        trp_list_link_remove(&name->due);
        trp_list_push_back(&r->due_names, &name->due);
        trp_kad_wake_owner(r->kad);
    }
}

/* Starts one of the two queries that announce a name; counts it. */
static void name_announce_one(struct trp_registry *r, struct name *name, enum query_kind kind,
                              struct trp_bytes key, struct trp_bytes value)
{
    trp_handle id;
    struct query *query = query_insert(r, kind, name->id, &id);
    enum trp_status status = TRP_EFULL;
    if (query != NULL) {
        status = kind == QUERY_PROVIDE ? trp_kad_provide(r->kad, key, id, &query->kad_id)
                                       : trp_kad_put_record(r->kad, key, value, id, &query->kad_id);
    }
    if (status == TRP_OK) {
        name->queries++;
        return;
    }
    if (query != NULL) {
        trp_slab_remove(&r->queries, id);
    }
    name->status = status;
}

/* Tells the DHT who holds the name (a provider) and what is behind it (a record). */
static void name_announce(struct trp_registry *r, struct name *name)
{
    uint8_t key[TRP_REGISTRATION_KEY_MAX];
    uint8_t value[TRP_REGISTRATION_VALUE_MAX];
    size_t key_size;
    size_t value_size;
    name->status = trp_registration_key_encode(name_text(name), trp_swarm_peer_id(r->swarm), key,
                                               sizeof key, &key_size);
    if (name->status == TRP_OK) {
        name->status = trp_registration_encode(&name->actor, trp_bytes(name->type, name->type_size),
                                               value, sizeof value, &value_size);
    }
    if (name->status == TRP_OK) {
        name->stored = 0;
        name_announce_one(r, name, QUERY_PROVIDE, name_text(name), TRP_BYTES_NONE);
        name_announce_one(r, name, QUERY_PUT, trp_bytes(key, key_size),
                          trp_bytes(value, value_size));
    }
    if (name->queries == 0) {
        name_settle(r, name);
    }
}

static enum trp_status name_check(const struct trp_registry *r, struct trp_bytes text,
                                  const struct trp_registration *registration)
{
    if (trp_registration_check_name(text) != TRP_OK || registration->actor.id == 0 ||
        registration->type.size > TRP_REGISTRATION_TYPE_MAX) {
        return TRP_EINVAL;
    }
    return name_find(r, text) == NULL ? TRP_OK : TRP_EEXISTS;
}

static enum trp_status name_make(struct trp_registry *r, struct trp_bytes text,
                                 const struct trp_registration *registration,
                                 struct name **ret_name)
{
    struct trp_memory *uthash_memory = r->memory;
    trp_handle id;
    void *object;
    enum trp_status status = trp_slab_insert(&r->names, &id, &object);
    if (status != TRP_OK) {
        return status;
    }
    struct name *name = object;
    *name = (struct name){.id = id,
                          .actor = registration->actor,
                          .size = (uint32_t)text.size,
                          .type_size = (uint32_t)registration->type.size,
                          .type = trp_memory_alloc(r->memory, registration->type.size)};
    name->actor.peer = *trp_swarm_peer_id(r->swarm);
    memcpy(name->text, text.data, text.size);
    if (name->type != NULL) {
        if (name->type_size > 0) {
            memcpy(name->type, registration->type.data, name->type_size);
        }
        HASH_ADD_KEYPTR(hh, r->names_by_text, name->text, name->size, name);
    }
    if (name->hh.tbl == NULL) {
        name_free(r, name);
        return TRP_ENOMEM;
    }
    *ret_name = name;
    return TRP_OK;
}

enum trp_status trp_registry_register(struct trp_registry *r, struct trp_bytes text,
                                      const struct trp_registration *registration, uint64_t token,
                                      uint64_t *ret_query)
{
    struct name *name;
    enum trp_status status = name_check(r, text, registration);
    if (status == TRP_OK) {
        status = name_make(r, text, registration, &name);
    }
    if (status != TRP_OK) {
        return status;
    }
    name->token = token;
    *ret_query = name->id | NAME_BIT;
    name_announce(r, name);
    return TRP_OK;
}

static void name_withdraw(struct trp_registry *r, struct name *name)
{
    uint8_t key[TRP_REGISTRATION_KEY_MAX];
    size_t key_size;
    trp_kad_unprovide(r->kad, name_text(name));
    if (trp_registration_key_encode(name_text(name), trp_swarm_peer_id(r->swarm), key, sizeof key,
                                    &key_size) == TRP_OK) {
        trp_kad_remove_record(r->kad, trp_bytes(key, key_size));
    }
    trp_trace_name_withdrawn(r->trace, &(struct trp_event_name_withdrawn){.name = name_text(name),
                                                                          .actor = name->actor.id});
    queries_cancel(r, name->id, true);
    name_unlist(r, name);
    name->is_withdrawn = true;
    name->status = TRP_ECANCELLED;
    if (name->is_told) {
        name_free(r, name);
        return;
    }
    trp_list_link_remove(&name->due);
    trp_list_push_back(&r->due_names, &name->due);
    trp_kad_wake_owner(r->kad);
}

enum trp_status trp_registry_unregister(struct trp_registry *r, struct trp_bytes text)
{
    struct name *name = name_find(r, text);
    if (name == NULL) {
        return TRP_ENOTFOUND;
    }
    name_withdraw(r, name);
    return TRP_OK;
}

enum trp_status trp_registry_lookup_local(const struct trp_registry *r, struct trp_bytes text,
                                          struct trp_registration *ret_registration)
{
    const struct name *name = name_find(r, text);
    if (name == NULL) {
        return TRP_ENOTFOUND;
    }
    *ret_registration = (struct trp_registration){.actor = name->actor,
                                                  .type = trp_bytes(name->type, name->type_size)};
    ret_registration->actor.type = trp_actor_type_hash(ret_registration->type);
    return TRP_OK;
}

bool trp_registry_next_name(const struct trp_registry *r, uint32_t *at, struct trp_bytes *ret_name,
                            struct trp_actor_ref *ret_actor)
{
    trp_handle id;
    const struct name *name;
    while ((name = trp_slab_next(&r->names, at, &id)) != NULL) {
        if (!name->is_withdrawn) {
            *ret_name = name_text(name);
            *ret_actor = name->actor;
            return true;
        }
    }
    return false;
}

static void name_on_announced(struct trp_registry *r, const struct query *query,
                              const struct trp_kad_event *event)
{
    struct name *name = trp_slab_find(&r->names, query->owner);
    if (name == NULL || name->is_withdrawn) {
        return;
    }
    name->stored += event->stored;
    if (event->status != TRP_OK && name->status == TRP_OK) {
        name->status = event->status;
    }
    if (--name->queries == 0) {
        name_settle(r, name);
    }
}

/* There are peers now: announces the names that nobody could be told of before. */
static void names_announce_waiting(struct trp_registry *r)
{
    struct name *name;
    struct name *next;
    HASH_ITER(hh, r->names_by_text, name, next)
    {
        if (name->stored == 0 && name->queries == 0) {
            name_announce(r, name);
        }
    }
}

/* ---- lookups ---- */

static void lookup_free(struct trp_registry *r, struct lookup *lookup)
{
    queries_cancel(r, lookup->id, false);
    trp_list_link_remove(&lookup->due);
    trp_slab_remove(&r->lookups, lookup->id);
}

static void lookup_trace(struct trp_registry *r, const struct lookup *lookup,
                         enum trp_status status)
{
    trp_trace_lookup_done(r->trace, &(struct trp_event_lookup_done){.name = lookup_text(lookup),
                                                                    .found = lookup->found,
                                                                    .hops = lookup->hops,
                                                                    .rpcs = lookup->rpcs,
                                                                    .timeouts = lookup->timeouts,
                                                                    .status = status});
}

static void lookup_push(struct trp_registry *r, struct lookup *lookup)
{
    if (!trp_list_link_is_linked(&lookup->due)) {
        trp_list_push_back(&r->due_lookups, &lookup->due);
    }
    trp_kad_wake_owner(r->kad);
}

/* Ends it when no query runs any more. */
static void lookup_check_done(struct trp_registry *r, struct lookup *lookup)
{
    if (lookup->queries > 0 || lookup->is_done) {
        return;
    }
    lookup->is_done = true;
    if (lookup->found > 0) {
        lookup->status = TRP_OK;
    } else if (lookup->unreachable) {
        lookup->status = TRP_EUNREACHABLE;
    } else if (lookup->status == TRP_OK) {
        lookup->status = TRP_ENOTFOUND;
    }
    lookup_trace(r, lookup, lookup->status);
    lookup_push(r, lookup);
}

/* Keeps a provider to be asked, once. When there are too many, the one that its teller named last
 * is dropped: whoever makes up providers competes with himself. */
static void lookup_learn(struct trp_registry *r, struct lookup *lookup,
                         const struct trp_peer_id *peer, uint32_t rank)
{
    struct provider *last = NULL;
    for (uint32_t i = 0; i < lookup->providers_count; i++) {
        struct provider *known = &lookup->providers[i];
        if (trp_peer_id_equal(&known->peer, peer)) {
            return;
        }
        if (!known->is_asked && (last == NULL || known->rank >= last->rank)) {
            last = known;
        }
    }
    if (trp_peer_id_equal(peer, trp_swarm_peer_id(r->swarm))) {
        return;
    }
    if (lookup->providers_count < LOOKUP_PEERS_MAX) {
        last = &lookup->providers[lookup->providers_count++];
    } else if (last == NULL || last->rank <= rank) {
        return;
    }
    *last = (struct provider){.peer = *peer, .rank = rank};
}

/* Asks one provider what it has under the name. */
static void lookup_ask(struct trp_registry *r, struct lookup *lookup, struct provider *provider)
{
    uint8_t key[TRP_REGISTRATION_KEY_MAX];
    size_t key_size;
    trp_handle id;
    struct query *query = query_insert(r, QUERY_RECORD, lookup->id, &id);
    enum trp_status status = query == NULL
                                 ? TRP_EFULL
                                 : trp_registration_key_encode(lookup_text(lookup), &provider->peer,
                                                               key, sizeof key, &key_size);
    provider->is_asked = true;
    if (status == TRP_OK) {
        status = trp_kad_get_record(r->kad, trp_bytes(key, key_size), &provider->peer, id,
                                    &query->kad_id);
    }
    if (status == TRP_OK) {
        lookup->queries++;
        lookup->asking++;
    } else if (query != NULL) {
        trp_slab_remove(&r->queries, id);
    }
}

/* Asks those who may be asked now: the first of each answer at once, so that no single teller keeps
 * the others' providers waiting; the rest a few at a time. */
static void lookup_follow(struct trp_registry *r, struct lookup *lookup)
{
    for (;;) {
        struct provider *next = NULL;
        for (uint32_t i = 0; i < lookup->providers_count; i++) {
            struct provider *provider = &lookup->providers[i];
            if (!provider->is_asked && (next == NULL || provider->rank < next->rank)) {
                next = provider;
            }
        }
        if (next == NULL || (next->rank >= LOOKUP_FIRST && lookup->asking >= LOOKUP_AT_ONCE)) {
            return;
        }
        lookup_ask(r, lookup, next);
    }
}

static void lookup_on_providers(struct trp_registry *r, const struct query *query,
                                const struct trp_kad_event *event)
{
    struct lookup *lookup = trp_slab_find(&r->lookups, query->owner);
    if (lookup == NULL) {
        return;
    }
    for (uint32_t i = 0; i < event->peers_count; i++) {
        lookup_learn(r, lookup, &event->peers[i], i);
    }
    lookup_follow(r, lookup);
    lookup->hops = event->hops;
    if (event->last) {
        lookup->rpcs += event->rpcs;
        lookup->timeouts += event->timeouts;
        lookup->status = event->status;
        lookup->queries--;
        lookup_check_done(r, lookup);
    }
}

/* Reads what a provider has under the name: about itself, or it counts for nothing. */
static bool record_read(const struct trp_kad_event *event, struct trp_registration *ret_found)
{
    struct trp_bytes name;
    struct trp_peer_id owner;
    return event->value.size > 0 &&
           trp_registration_key_decode(event->key, &name, &owner) == TRP_OK &&
           trp_registration_decode(event->value, &ret_found->actor, &ret_found->type) == TRP_OK &&
           trp_peer_id_equal(&owner, &ret_found->actor.peer);
}

static struct trp_registry_event
lookup_event(const struct lookup *lookup, enum trp_registry_event_kind kind, enum trp_status status)
{
    return (struct trp_registry_event){.kind = kind,
                                       .status = status,
                                       .query = lookup->id,
                                       .token = lookup->token,
                                       .name = lookup_text(lookup),
                                       .hops = lookup->hops,
                                       .rpcs = lookup->rpcs,
                                       .timeouts = lookup->timeouts};
}

/* True: the event is FOUND. */
static bool lookup_on_record(struct trp_registry *r, const struct query *query,
                             const struct trp_kad_event *event, struct trp_registry_event *ret)
{
    struct lookup *lookup = trp_slab_find(&r->lookups, query->owner);
    if (lookup == NULL) {
        return false;
    }
    if (event->last) {
        lookup->rpcs += event->rpcs;
        lookup->timeouts += event->timeouts;
        lookup->unreachable = lookup->unreachable || event->status == TRP_EUNREACHABLE;
        lookup->queries--;
        lookup->asking--;
        lookup_follow(r, lookup);
    }
    bool found = record_read(event, &r->found);
    lookup->found += found;
    if (found) {
        *ret = lookup_event(lookup, TRP_REGISTRY_FOUND, TRP_OK);
        ret->found = &r->found;
        ret->peer = r->found.actor.peer;
    }
    lookup_check_done(r, lookup);
    return found;
}

enum trp_status trp_registry_lookup(struct trp_registry *r, struct trp_bytes name, uint64_t token,
                                    uint64_t *ret_query)
{
    trp_handle id;
    trp_handle query_id;
    void *object;
    struct query *query = NULL;
    enum trp_status status = trp_registration_check_name(name);
    if (status == TRP_OK) {
        status = trp_slab_insert(&r->lookups, &id, &object);
    }
    if (status != TRP_OK) {
        return status;
    }
    struct lookup *lookup = object;
    *lookup = (struct lookup){.id = id, .token = token, .size = (uint32_t)name.size};
    memcpy(lookup->name, name.data, name.size);
    query = query_insert(r, QUERY_PROVIDERS, id, &query_id);
    status =
        query == NULL ? TRP_EFULL : trp_kad_get_providers(r->kad, name, query_id, &query->kad_id);
    if (status != TRP_OK) {
        if (query != NULL) {
            trp_slab_remove(&r->queries, query_id);
        }
        lookup_free(r, lookup);
        return status;
    }
    lookup->queries = 1;
    if (name_find(r, name) != NULL) {
        lookup->found_local = true;
        lookup->found = 1;
        lookup_push(r, lookup);
    }
    *ret_query = id;
    return TRP_OK;
}

void trp_registry_cancel(struct trp_registry *r, uint64_t query)
{
    if ((query & NAME_BIT) != 0) {
        struct name *name = trp_slab_find(&r->names, query & ~(uint64_t)NAME_BIT);
        if (name != NULL && !name->is_withdrawn) {
            name->is_told = true;
            name_withdraw(r, name);
        }
        return;
    }
    struct lookup *lookup = trp_slab_find(&r->lookups, query);
    if (lookup != NULL) {
        if (!lookup->is_done) {
            lookup_trace(r, lookup, lookup->found > 0 ? TRP_OK : TRP_ECANCELLED);
        }
        lookup_free(r, lookup);
    }
}

/* ---- events ---- */

static bool event_of_names(struct trp_registry *r, struct trp_registry_event *ret)
{
    struct trp_list_link *link = trp_list_pop_front(&r->due_names);
    if (link == NULL) {
        return false;
    }
    struct name *name = TRP_CONTAINER(link, struct name, due);
    /* Alone is no failure: the name is announced as soon as there is somebody to tell. */
    bool good = name->status == TRP_OK || name->status == TRP_ENOPEERS;
    name->is_told = true;
    r->lent_name = name->is_withdrawn ? name->id : 0;
    *ret = (struct trp_registry_event){.kind = good ? TRP_REGISTRY_REGISTERED
                                                    : TRP_REGISTRY_REGISTRATION_FAILED,
                                       .status = name->status,
                                       .query = name->id | NAME_BIT,
                                       .token = name->token,
                                       .name = name_text(name),
                                       .stored = name->stored};
    return true;
}

static bool event_of_lookups(struct trp_registry *r, struct trp_registry_event *ret)
{
    struct trp_list_link *link = trp_list_pop_front(&r->due_lookups);
    if (link == NULL) {
        return false;
    }
    struct lookup *lookup = TRP_CONTAINER(link, struct lookup, due);
    if (lookup->found_local) {
        lookup->found_local = false;
        if (lookup->is_done) {
            lookup_push(r, lookup);
        }
        if (trp_registry_lookup_local(r, lookup_text(lookup), &r->found) == TRP_OK) {
            *ret = lookup_event(lookup, TRP_REGISTRY_FOUND, TRP_OK);
            ret->found = &r->found;
            ret->peer = r->found.actor.peer;
            return true;
        }
        lookup->found--; /* withdrawn since */
        return event_of_lookups(r, ret);
    }
    *ret = lookup_event(lookup, TRP_REGISTRY_LOOKED_UP, lookup->status);
    r->lent_lookup = lookup->id;
    return true;
}

static bool event_of_routing(const struct trp_kad_event *event, struct trp_registry_event *ret)
{
    *ret = (struct trp_registry_event){.status = event->status, .peer = event->peer};
    switch (event->kind) {
    case TRP_KAD_ROUTING_UPDATED:
        ret->kind = TRP_REGISTRY_ROUTING_UPDATED;
        return true;
    case TRP_KAD_UNROUTABLE:
        ret->kind = TRP_REGISTRY_UNROUTABLE_PEER;
        return true;
    case TRP_KAD_ROUTABLE:
        ret->kind = TRP_REGISTRY_ROUTABLE_PEER;
        return true;
    case TRP_KAD_PENDING_ROUTABLE:
        ret->kind = TRP_REGISTRY_PENDING_ROUTABLE_PEER;
        return true;
    case TRP_KAD_BOOTSTRAPPED:
        ret->kind = TRP_REGISTRY_BOOTSTRAPPED;
        return true;
    case TRP_KAD_FOUND_PEERS:
    case TRP_KAD_FOUND_PROVIDERS:
    case TRP_KAD_FOUND_RECORD:
    case TRP_KAD_PROVIDED:
    case TRP_KAD_PUT:
        break;
    }
    return false;
}

/* Takes one event of the DHT; true when there is something to tell. */
static bool event_of_kad(struct trp_registry *r, const struct trp_kad_event *event,
                         struct trp_registry_event *ret)
{
    if (event_of_routing(event, ret)) {
        if (event->kind == TRP_KAD_BOOTSTRAPPED) {
            names_announce_waiting(r);
        }
        return true;
    }
    struct query *found = trp_slab_find(&r->queries, event->token);
    if (found == NULL) {
        return false;
    }
    struct query query = *found;
    if (event->last) {
        trp_slab_remove(&r->queries, event->token);
    }
    switch (query.kind) {
    case QUERY_PROVIDE:
    case QUERY_PUT:
        name_on_announced(r, &query, event);
        break;
    case QUERY_PROVIDERS:
        lookup_on_providers(r, &query, event);
        break;
    case QUERY_RECORD:
        return lookup_on_record(r, &query, event, ret);
    }
    return false;
}

static void release_lent(struct trp_registry *r)
{
    struct name *name = trp_slab_find(&r->names, r->lent_name);
    struct lookup *lookup = trp_slab_find(&r->lookups, r->lent_lookup);
    r->lent_name = 0;
    r->lent_lookup = 0;
    if (name != NULL) {
        name_free(r, name);
    }
    if (lookup != NULL) {
        lookup_free(r, lookup);
    }
}

bool trp_registry_next_event(struct trp_registry *r, struct trp_registry_event *ret_event)
{
    release_lent(r);
    for (;;) {
        if (event_of_names(r, ret_event) || event_of_lookups(r, ret_event)) {
            return true;
        }
        struct trp_kad_event event;
        if (!trp_kad_next_event(r->kad, &event)) {
            return false;
        }
        if (event_of_kad(r, &event, ret_event)) {
            return true;
        }
    }
}

/* ---- what we store for others ---- */

static enum trp_status policy_record(void *user, struct trp_bytes key, struct trp_bytes value,
                                     const struct trp_peer_id *from)
{
    (void)user;
    struct trp_bytes name;
    struct trp_peer_id owner;
    struct trp_actor_ref ref;
    struct trp_bytes type;
    enum trp_status status = trp_registration_key_decode(key, &name, &owner);
    if (status == TRP_OK) {
        status = trp_registration_decode(value, &ref, &type);
    }
    if (status == TRP_OK &&
        (!trp_peer_id_equal(&owner, from) || !trp_peer_id_equal(&ref.peer, from))) {
        status = TRP_EAUTH;
    }
    return status;
}

static enum trp_status policy_provider(void *user, struct trp_bytes key,
                                       const struct trp_peer_id *from)
{
    (void)user;
    (void)from;
    return trp_registration_check_name(key);
}

/* ---- life ---- */

/* The DHT is in a swarm now. */
static void registry_attached(void *user, struct trp_swarm *swarm)
{
    struct trp_registry *r = user;
    const struct trp_limits *limits = trp_swarm_limits(swarm);
    r->swarm = swarm;
    if (r->trace == NULL) {
        r->trace = trp_swarm_trace(swarm);
    }
    r->names = trp_slab_init(r->memory, sizeof(struct name), limits->names);
    r->lookups = trp_slab_init(r->memory, sizeof(struct lookup), limits->commands);
    r->queries = trp_slab_init(r->memory, sizeof(struct query),
                               2 * limits->names + limits->commands * (LOOKUP_PEERS_MAX + 1));
}

static void registry_ready(void *user)
{
    struct trp_registry *r = user;
    struct trp_registry_event event;
    while (trp_registry_next_event(r, &event)) {
        r->config.on_event(r->config.user, r, &event);
    }
}

static enum trp_status registry_open_kad(struct trp_registry *r)
{
    const char *protocol = r->config.protocol != NULL ? r->config.protocol : TRP_PROTOCOL_REGISTRY;
    struct trp_kad_config kad = {.memory = r->memory,
                                 .trace = r->trace,
                                 .protocol = protocol,
                                 .client = r->config.client,
                                 .seed = r->config.seed,
                                 .routing_events = r->config.on_event != NULL,
                                 .attached = registry_attached,
                                 .ready = r->config.on_event != NULL ? registry_ready : NULL,
                                 .user = r};
    if (strcmp(protocol, TRP_PROTOCOL_REGISTRY) == 0) { /* else it is anybody's DHT */
        kad.policy = (struct trp_kad_policy){.admit_record = policy_record,
                                             .admit_provider = policy_provider};
    }
    return trp_kad_open(&kad, &r->kad);
}

enum trp_status trp_registry_open_with(const struct trp_registry_config *config,
                                       const struct trp_registry_parts *parts,
                                       struct trp_registry **ret_registry)
{
    struct trp_memory outside =
        trp_memory_init(config->memory_bytes != 0 ? config->memory_bytes : UINT64_MAX);
    struct trp_registry *r =
        trp_memory_alloc(parts->memory == NULL ? &outside : parts->memory, sizeof *r);
    if (r == NULL) {
        return TRP_ENOMEM;
    }
    r->config = *config;
    r->own_memory = outside;
    r->memory = parts->memory == NULL ? &r->own_memory : parts->memory;
    r->trace = parts->trace;
    trp_list_init(&r->due_names);
    trp_list_init(&r->due_lookups);
    enum trp_status status = registry_open_kad(r);
    if (status != TRP_OK) {
        trp_registry_close(r);
        return status;
    }
    *ret_registry = r;
    return TRP_OK;
}

enum trp_status trp_registry_open(const struct trp_registry_config *config,
                                  struct trp_registry **ret_registry)
{
    return trp_registry_open_with(config, &(struct trp_registry_parts){NULL, NULL}, ret_registry);
}

void trp_registry_close(struct trp_registry *r)
{
    if (r == NULL) {
        return;
    }
    struct trp_memory *uthash_memory = r->memory;
    HASH_CLEAR(hh, r->names_by_text);
    uint32_t at = 0;
    trp_handle id;
    struct name *name;
    while ((name = trp_slab_next(&r->names, &at, &id)) != NULL) {
        trp_memory_free(r->memory, name->type);
    }
    if (r->swarm != NULL) {
        trp_slab_free(&r->names);
        trp_slab_free(&r->lookups);
        trp_slab_free(&r->queries);
    }
    trp_kad_close(r->kad);
    bool is_inside = r->memory != &r->own_memory;
    struct trp_memory outside = r->own_memory;
    trp_memory_free(is_inside ? r->memory : &outside, r);
}

struct trp_behaviour trp_registry_behaviour(struct trp_registry *r)
{
    return trp_kad_behaviour(r->kad);
}

struct trp_kad *trp_registry_kad(const struct trp_registry *r)
{
    return r->kad;
}

void trp_registry_add_peer(struct trp_registry *r, const struct trp_peer_id *peer)
{
    trp_kad_add_peer(r->kad, peer);
}
