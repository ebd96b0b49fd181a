/* SPDX-License-Identifier: MIT */
#include "behaviour/registry_state.h"

struct registry_name *trp_registry_name_find(const struct trp_registry *r, struct trp_bytes text)
{
    struct registry_name *name;
    HASH_FIND(hh, r->names_by_text, text.data, text.size, name);
    return name;
}

void trp_registry_name_free(struct trp_registry *r, struct registry_name *name)
{
    trp_list_link_remove(&name->due);
    trp_memory_free(r->memory, name->type);
    trp_slab_remove(&r->names, name->id);
}

static void name_unlist(struct trp_registry *r, struct registry_name *name)
{
    struct trp_memory *uthash_memory = r->memory;
    HASH_DELETE(hh, r->names_by_text, name);
}

/* Its announcement is over, for now. */
static void name_settle(struct trp_registry *r, struct registry_name *name)
{
    trp_trace_name_registered(r->trace,
                              &(struct trp_event_name_registered){.name = registry_name_text(name),
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
static void name_announce_one(struct trp_registry *r, struct registry_name *name,
                              enum registry_query_kind kind, struct trp_bytes key,
                              struct trp_bytes value)
{
    trp_handle id;
    struct registry_query *query = trp_registry_query_insert(r, kind, name->id, &id);
    enum trp_status status = TRP_EFULL;
    if (query != NULL) {
        status = kind == REGISTRY_QUERY_PROVIDE
                     ? trp_kad_provide(r->kad, key, id, &query->kad_id)
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
static void name_announce(struct trp_registry *r, struct registry_name *name)
{
    uint8_t key[TRP_REGISTRATION_KEY_MAX];
    uint8_t value[TRP_REGISTRATION_VALUE_MAX];
    size_t key_size;
    size_t value_size;
    name->status = trp_registration_key_encode(
        registry_name_text(name), trp_swarm_peer_id(r->swarm), key, sizeof key, &key_size);
    if (name->status == TRP_OK) {
        name->status = trp_registration_encode(&name->actor, trp_bytes(name->type, name->type_size),
                                               value, sizeof value, &value_size);
    }
    if (name->status == TRP_OK) {
        name->stored = 0;
        name_announce_one(r, name, REGISTRY_QUERY_PROVIDE, registry_name_text(name),
                          TRP_BYTES_NONE);
        name_announce_one(r, name, REGISTRY_QUERY_PUT, trp_bytes(key, key_size),
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
    return trp_registry_name_find(r, text) == NULL ? TRP_OK : TRP_EEXISTS;
}

static enum trp_status name_make(struct trp_registry *r, struct trp_bytes text,
                                 const struct trp_registration *registration,
                                 struct registry_name **ret_name)
{
    struct trp_memory *uthash_memory = r->memory;
    trp_handle id;
    void *object;
    enum trp_status status = trp_slab_insert(&r->names, &id, &object);
    if (status != TRP_OK) {
        return status;
    }
    struct registry_name *name = object;
    *name = (struct registry_name){.id = id,
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
        trp_registry_name_free(r, name);
        return TRP_ENOMEM;
    }
    *ret_name = name;
    return TRP_OK;
}

enum trp_status trp_registry_register(struct trp_registry *r, struct trp_bytes text,
                                      const struct trp_registration *registration, uint64_t token,
                                      uint64_t *ret_query)
{
    struct registry_name *name;
    enum trp_status status = name_check(r, text, registration);
    if (status == TRP_OK) {
        status = name_make(r, text, registration, &name);
    }
    if (status != TRP_OK) {
        return status;
    }
    name->token = token;
    *ret_query = name->id | REGISTRY_NAME_BIT;
    name_announce(r, name);
    return TRP_OK;
}

static void name_withdraw(struct trp_registry *r, struct registry_name *name)
{
    uint8_t key[TRP_REGISTRATION_KEY_MAX];
    size_t key_size;
    trp_kad_unprovide(r->kad, registry_name_text(name));
    if (trp_registration_key_encode(registry_name_text(name), trp_swarm_peer_id(r->swarm), key,
                                    sizeof key, &key_size) == TRP_OK) {
        trp_kad_remove_record(r->kad, trp_bytes(key, key_size));
    }
    trp_trace_name_withdrawn(r->trace,
                             &(struct trp_event_name_withdrawn){.name = registry_name_text(name),
                                                                .actor = name->actor.id});
    trp_registry_queries_cancel(r, name->id, true);
    name_unlist(r, name);
    name->is_withdrawn = true;
    name->status = TRP_ECANCELLED;
    if (name->is_told) {
        trp_registry_name_free(r, name);
        return;
    }
    trp_list_link_remove(&name->due);
    trp_list_push_back(&r->due_names, &name->due);
    trp_kad_wake_owner(r->kad);
}

enum trp_status trp_registry_unregister(struct trp_registry *r, struct trp_bytes text)
{
    struct registry_name *name = trp_registry_name_find(r, text);
    if (name == NULL) {
        return TRP_ENOTFOUND;
    }
    name_withdraw(r, name);
    return TRP_OK;
}

enum trp_status trp_registry_lookup_local(const struct trp_registry *r, struct trp_bytes text,
                                          struct trp_registration *ret_registration)
{
    const struct registry_name *name = trp_registry_name_find(r, text);
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
    const struct registry_name *name;
    while ((name = trp_slab_next(&r->names, at, &id)) != NULL) {
        if (!name->is_withdrawn) {
            *ret_name = registry_name_text(name);
            *ret_actor = name->actor;
            return true;
        }
    }
    return false;
}

void trp_registry_name_on_announced(struct trp_registry *r, const struct registry_query *query,
                                    const struct trp_kad_event *event)
{
    struct registry_name *name = trp_slab_find(&r->names, query->owner);
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

void trp_registry_names_announce_waiting(struct trp_registry *r)
{
    struct registry_name *name;
    struct registry_name *next;
    HASH_ITER(hh, r->names_by_text, name, next)
    {
        if (name->stored == 0 && name->queries == 0) {
            name_announce(r, name);
        }
    }
}

void trp_registry_name_cancel(struct trp_registry *r, trp_handle id)
{
    struct registry_name *name = trp_slab_find(&r->names, id);
    if (name != NULL && !name->is_withdrawn) {
        name->is_told = true;
        name_withdraw(r, name);
    }
}

bool trp_registry_next_name_event(struct trp_registry *r, struct trp_registry_event *ret)
{
    struct trp_list_link *link = trp_list_pop_front(&r->due_names);
    if (link == NULL) {
        return false;
    }
    struct registry_name *name = TRP_CONTAINER(link, struct registry_name, due);
    /* Alone is no failure: the name is announced as soon as there is somebody to tell. */
    bool good = name->status == TRP_OK || name->status == TRP_ENOPEERS;
    name->is_told = true;
    r->lent_name = name->is_withdrawn ? name->id : 0;
    *ret = (struct trp_registry_event){.kind = good ? TRP_REGISTRY_REGISTERED
                                                    : TRP_REGISTRY_REGISTRATION_FAILED,
                                       .status = name->status,
                                       .query = name->id | REGISTRY_NAME_BIT,
                                       .token = name->token,
                                       .name = registry_name_text(name),
                                       .stored = name->stored};
    return true;
}
