/* SPDX-License-Identifier: MIT */
#include "behaviour/registry.h"

#include "behaviour/registry_state.h"

/* ---- queries ---- */

struct registry_query *trp_registry_query_insert(struct trp_registry *r,
                                                 enum registry_query_kind kind, trp_handle owner,
                                                 trp_handle *ret_id)
{
    void *object;
    if (trp_slab_insert(&r->queries, ret_id, &object) != TRP_OK) {
        return NULL;
    }
    struct registry_query *query = object;
    *query = (struct registry_query){.kind = kind, .owner = owner};
    return query;
}

static bool query_is_of_name(const struct registry_query *query)
{
    return query->kind == REGISTRY_QUERY_PROVIDE || query->kind == REGISTRY_QUERY_PUT;
}

void trp_registry_queries_cancel(struct trp_registry *r, trp_handle owner, bool of_name)
{
    uint32_t at = 0;
    trp_handle id;
    struct registry_query *query;
    while ((query = trp_slab_next(&r->queries, &at, &id)) != NULL) {
        if (query->owner == owner && query_is_of_name(query) == of_name) {
            trp_kad_cancel(r->kad, query->kad_id);
            trp_slab_remove(&r->queries, id);
        }
    }
}

void trp_registry_cancel(struct trp_registry *r, uint64_t query)
{
    if ((query & REGISTRY_NAME_BIT) != 0) {
        trp_registry_name_cancel(r, query & ~(uint64_t)REGISTRY_NAME_BIT);
    } else {
        trp_registry_lookup_cancel(r, query);
    }
}

/* ---- events ---- */

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
            trp_registry_names_announce_waiting(r);
        }
        return true;
    }
    struct registry_query *found = trp_slab_find(&r->queries, event->token);
    if (found == NULL) {
        return false;
    }
    struct registry_query query = *found;
    if (event->last) {
        trp_slab_remove(&r->queries, event->token);
    }
    switch (query.kind) {
    case REGISTRY_QUERY_PROVIDE:
    case REGISTRY_QUERY_PUT:
        trp_registry_name_on_announced(r, &query, event);
        break;
    case REGISTRY_QUERY_PROVIDERS:
        trp_registry_lookup_on_providers(r, &query, event);
        break;
    case REGISTRY_QUERY_RECORD:
        return trp_registry_lookup_on_record(r, &query, event, ret);
    }
    return false;
}

static void release_lent(struct trp_registry *r)
{
    struct registry_name *name = trp_slab_find(&r->names, r->lent_name);
    struct registry_lookup *lookup = trp_slab_find(&r->lookups, r->lent_lookup);
    r->lent_name = 0;
    r->lent_lookup = 0;
    if (name != NULL) {
        trp_registry_name_free(r, name);
    }
    if (lookup != NULL) {
        trp_registry_lookup_free(r, lookup);
    }
}

bool trp_registry_next_event(struct trp_registry *r, struct trp_registry_event *ret_event)
{
    release_lent(r);
    for (;;) {
        if (trp_registry_next_name_event(r, ret_event) ||
            trp_registry_next_lookup_event(r, ret_event)) {
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
    r->names = trp_slab_init(r->memory, sizeof(struct registry_name), limits->names);
    r->lookups = trp_slab_init(r->memory, sizeof(struct registry_lookup), limits->commands);
    r->queries =
        trp_slab_init(r->memory, sizeof(struct registry_query),
                      2 * limits->names + limits->commands * (REGISTRY_LOOKUP_PEERS_MAX + 1));
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
    struct registry_name *name;
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
