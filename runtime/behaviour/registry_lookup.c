/* SPDX-License-Identifier: MIT */
#include "behaviour/registry_state.h"

#define LOOKUP_AT_ONCE 8u /* of them asked at once, besides the first of each answer */
#define LOOKUP_FIRST   2u /* so many of each answer are asked without waiting */

void trp_registry_lookup_free(struct trp_registry *r, struct registry_lookup *lookup)
{
    trp_registry_queries_cancel(r, lookup->id, false);
    trp_list_link_remove(&lookup->due);
    trp_slab_remove(&r->lookups, lookup->id);
}

static void lookup_trace(struct trp_registry *r, const struct registry_lookup *lookup,
                         enum trp_status status)
{
    trp_trace_lookup_done(r->trace,
                          &(struct trp_event_lookup_done){.name = registry_lookup_text(lookup),
                                                          .found = lookup->found,
                                                          .hops = lookup->hops,
                                                          .rpcs = lookup->rpcs,
                                                          .timeouts = lookup->timeouts,
                                                          .status = status});
}

static void lookup_push(struct trp_registry *r, struct registry_lookup *lookup)
{
    if (!trp_list_link_is_linked(&lookup->due)) {
        trp_list_push_back(&r->due_lookups, &lookup->due);
    }
    trp_kad_wake_owner(r->kad);
}

/* Ends it when no query runs any more. */
static void lookup_check_done(struct trp_registry *r, struct registry_lookup *lookup)
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
static void lookup_learn(struct trp_registry *r, struct registry_lookup *lookup,
                         const struct trp_peer_id *peer, uint32_t rank)
{
    struct registry_provider *last = NULL;
    for (uint32_t i = 0; i < lookup->providers_count; i++) {
        struct registry_provider *known = &lookup->providers[i];
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
    if (lookup->providers_count < REGISTRY_LOOKUP_PEERS_MAX) {
        last = &lookup->providers[lookup->providers_count++];
    } else if (last == NULL || last->rank <= rank) {
        return;
    }
    *last = (struct registry_provider){.peer = *peer, .rank = rank};
}

/* Asks one provider what it has under the name. */
static void lookup_ask(struct trp_registry *r, struct registry_lookup *lookup,
                       struct registry_provider *provider)
{
    uint8_t key[TRP_REGISTRATION_KEY_MAX];
    size_t key_size;
    trp_handle id;
    struct registry_query *query =
        trp_registry_query_insert(r, REGISTRY_QUERY_RECORD, lookup->id, &id);
    enum trp_status status =
        query == NULL ? TRP_EFULL
                      : trp_registration_key_encode(registry_lookup_text(lookup), &provider->peer,
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
static void lookup_follow(struct trp_registry *r, struct registry_lookup *lookup)
{
    for (;;) {
        struct registry_provider *next = NULL;
        for (uint32_t i = 0; i < lookup->providers_count; i++) {
            struct registry_provider *provider = &lookup->providers[i];
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

void trp_registry_lookup_on_providers(struct trp_registry *r, const struct registry_query *query,
                                      const struct trp_kad_event *event)
{
    struct registry_lookup *lookup = trp_slab_find(&r->lookups, query->owner);
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

static struct trp_registry_event lookup_event(const struct registry_lookup *lookup,
                                              enum trp_registry_event_kind kind,
                                              enum trp_status status)
{
    return (struct trp_registry_event){.kind = kind,
                                       .status = status,
                                       .query = lookup->id,
                                       .token = lookup->token,
                                       .name = registry_lookup_text(lookup),
                                       .hops = lookup->hops,
                                       .rpcs = lookup->rpcs,
                                       .timeouts = lookup->timeouts};
}

bool trp_registry_lookup_on_record(struct trp_registry *r, const struct registry_query *query,
                                   const struct trp_kad_event *event,
                                   struct trp_registry_event *ret)
{
    struct registry_lookup *lookup = trp_slab_find(&r->lookups, query->owner);
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
    struct registry_query *query = NULL;
    enum trp_status status = trp_registration_check_name(name);
    if (status == TRP_OK) {
        status = trp_slab_insert(&r->lookups, &id, &object);
    }
    if (status != TRP_OK) {
        return status;
    }
    struct registry_lookup *lookup = object;
    *lookup = (struct registry_lookup){.id = id, .token = token, .size = (uint32_t)name.size};
    memcpy(lookup->name, name.data, name.size);
    query = trp_registry_query_insert(r, REGISTRY_QUERY_PROVIDERS, id, &query_id);
    status =
        query == NULL ? TRP_EFULL : trp_kad_get_providers(r->kad, name, query_id, &query->kad_id);
    if (status != TRP_OK) {
        if (query != NULL) {
            trp_slab_remove(&r->queries, query_id);
        }
        trp_registry_lookup_free(r, lookup);
        return status;
    }
    lookup->queries = 1;
    if (trp_registry_name_find(r, name) != NULL) {
        lookup->found_local = true;
        lookup->found = 1;
        lookup_push(r, lookup);
    }
    *ret_query = id;
    return TRP_OK;
}

void trp_registry_lookup_cancel(struct trp_registry *r, trp_handle id)
{
    struct registry_lookup *lookup = trp_slab_find(&r->lookups, id);
    if (lookup != NULL) {
        if (!lookup->is_done) {
            lookup_trace(r, lookup, lookup->found > 0 ? TRP_OK : TRP_ECANCELLED);
        }
        trp_registry_lookup_free(r, lookup);
    }
}

bool trp_registry_next_lookup_event(struct trp_registry *r, struct trp_registry_event *ret)
{
    struct trp_list_link *link = trp_list_pop_front(&r->due_lookups);
    if (link == NULL) {
        return false;
    }
    struct registry_lookup *lookup = TRP_CONTAINER(link, struct registry_lookup, due);
    if (lookup->found_local) {
        lookup->found_local = false;
        if (lookup->is_done) {
            lookup_push(r, lookup);
        }
        if (trp_registry_lookup_local(r, registry_lookup_text(lookup), &r->found) == TRP_OK) {
            *ret = lookup_event(lookup, TRP_REGISTRY_FOUND, TRP_OK);
            ret->found = &r->found;
            ret->peer = r->found.actor.peer;
            return true;
        }
        lookup->found--; /* withdrawn since */
        return trp_registry_next_lookup_event(r, ret);
    }
    *ret = lookup_event(lookup, TRP_REGISTRY_LOOKED_UP, lookup->status);
    r->lent_lookup = lookup->id;
    return true;
}
