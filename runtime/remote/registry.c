/* SPDX-License-Identifier: MIT */
#include "remote/state.h"
#include "wire/registration.h"

/* ---- queries ---- */

struct query *trp_remote_query_insert(struct trp_remote *remote, enum query_kind kind,
                                      trp_handle owner, trp_handle *ret_id)
{
    void *object;
    if (trp_slab_insert(&remote->queries, ret_id, &object) != TRP_OK) {
        return NULL;
    }
    struct query *query = object;
    *query = (struct query){.kind = kind, .owner = owner};
    return query;
}

/* ---- names ---- */

struct name *trp_remote_name_find(const struct trp_remote *remote, struct trp_bytes text)
{
    struct name *name;
    HASH_FIND(hh, remote->names_by_text, text.data, text.size, name);
    return name;
}

static void name_complete(struct trp_remote *remote, struct name *name)
{
    struct origin origin = name->origin;
    name->origin.kind = ORIGIN_NOBODY;
    /* Alone is no failure: the name is announced as soon as there is somebody to tell. */
    enum trp_status status = name->status == TRP_ENOPEERS ? TRP_OK : name->status;
    struct trp_actor_ref ref = {.id = name->actor, .peer = *remote->config.self};
    const struct trp_actor_type *type =
        trp_scheduler_type_of(remote->config.scheduler, name->actor);
    ref.type = type == NULL ? 0 : trp_actor_type_hash(trp_bytes_text(type->id));
    trp_trace_name_registered(remote->config.trace, &(struct trp_event_name_registered){
                                                        .name = trp_bytes(name->text, name->size),
                                                        .actor = name->actor,
                                                        .stored = name->stored,
                                                        .status = name->status});
    trp_remote_complete(remote, &origin, status, TRP_BYTES_NONE, &ref);
}

/* Starts one of the two queries that announce a name; counts it. */
static void name_announce_one(struct trp_remote *remote, struct name *name, enum query_kind kind,
                              struct trp_bytes key, struct trp_bytes value)
{
    trp_handle id;
    struct query *query = trp_remote_query_insert(remote, kind, name->id, &id);
    enum trp_status status = TRP_EFULL;
    if (query != NULL) {
        status = kind == QUERY_PROVIDE
                     ? trp_kad_provide(remote->config.kad, key, id, &query->kad_id)
                     : trp_kad_put_record(remote->config.kad, key, value, id, &query->kad_id);
    }
    if (status == TRP_OK) {
        name->queries++;
        return;
    }
    if (query != NULL) {
        trp_slab_remove(&remote->queries, id);
    }
    name->status = status;
}

/* Tells the DHT who holds the name (a provider) and what is behind it (a record). */
static void name_announce(struct trp_remote *remote, struct name *name)
{
    const struct trp_actor_type *type =
        trp_scheduler_type_of(remote->config.scheduler, name->actor);
    uint8_t key[TRP_REGISTRATION_KEY_MAX];
    uint8_t value[TRP_REGISTRATION_VALUE_MAX];
    size_t key_size;
    size_t value_size;
    struct trp_bytes text = trp_bytes(name->text, name->size);
    struct trp_actor_ref ref = {.id = name->actor, .peer = *remote->config.self};
    name->status = type == NULL ? TRP_EDEAD : TRP_OK;
    if (name->status == TRP_OK) {
        name->status =
            trp_registration_key_encode(text, remote->config.self, key, sizeof key, &key_size);
    }
    if (name->status == TRP_OK) {
        name->status = trp_registration_encode(&ref, trp_bytes_text(type->id), value, sizeof value,
                                               &value_size);
    }
    if (name->status == TRP_OK) {
        name->stored = 0;
        name_announce_one(remote, name, QUERY_PROVIDE, text, TRP_BYTES_NONE);
        name_announce_one(remote, name, QUERY_PUT, trp_bytes(key, key_size),
                          trp_bytes(value, value_size));
    }
    if (name->queries == 0) {
        name_complete(remote, name);
    }
}

void trp_remote_register(struct trp_remote *remote, uint64_t actor, struct trp_bytes text,
                         const struct origin *origin)
{
    struct trp_memory *uthash_memory = remote->config.memory;
    struct trp_actor_ref ref = {.id = actor};
    enum trp_status status = trp_registration_check_name(text);
    if (status == TRP_OK && trp_scheduler_type_of(remote->config.scheduler, actor) == NULL) {
        status = TRP_EDEAD;
    }
    const struct name *taken = status == TRP_OK ? trp_remote_name_find(remote, text) : NULL;
    if (taken != NULL) {
        status = taken->actor == actor ? TRP_OK : TRP_EEXISTS;
    }
    if (status != TRP_OK || taken != NULL) {
        trp_remote_complete(remote, origin, status, TRP_BYTES_NONE, &ref);
        return;
    }
    trp_handle id;
    void *object;
    status = trp_slab_insert(&remote->names, &id, &object);
    if (status != TRP_OK) {
        trp_remote_complete(remote, origin, status, TRP_BYTES_NONE, &ref);
        return;
    }
    struct name *name = object;
    *name = (struct name){.id = id, .actor = actor, .size = (uint32_t)text.size, .origin = *origin};
    memcpy(name->text, text.data, text.size);
    HASH_ADD_KEYPTR(hh, remote->names_by_text, name->text, name->size, name);
    if (name->hh.tbl == NULL) {
        trp_slab_remove(&remote->names, id);
        trp_remote_complete(remote, origin, TRP_ENOMEM, TRP_BYTES_NONE, &ref);
        return;
    }
    name_announce(remote, name);
}

static void name_withdraw(struct trp_remote *remote, struct name *name)
{
    struct trp_memory *uthash_memory = remote->config.memory;
    struct trp_bytes text = trp_bytes(name->text, name->size);
    uint8_t key[TRP_REGISTRATION_KEY_MAX];
    size_t key_size;
    trp_kad_unprovide(remote->config.kad, text);
    if (trp_registration_key_encode(text, remote->config.self, key, sizeof key, &key_size) ==
        TRP_OK) {
        trp_kad_remove_record(remote->config.kad, trp_bytes(key, key_size));
    }
    trp_trace_name_withdrawn(remote->config.trace, &(struct trp_event_name_withdrawn){
                                                       .name = text, .actor = name->actor});
    struct origin origin = name->origin;
    struct trp_actor_ref ref = {.id = name->actor};
    HASH_DELETE(hh, remote->names_by_text, name);
    trp_slab_remove(&remote->names, name->id);
    trp_remote_complete(remote, &origin, TRP_ECANCELLED, TRP_BYTES_NONE, &ref);
}

enum trp_status trp_remote_unregister(struct trp_remote *remote, struct trp_bytes text)
{
    struct name *name = trp_remote_name_find(remote, text);
    if (name == NULL) {
        return TRP_ENOTFOUND;
    }
    name_withdraw(remote, name);
    return TRP_OK;
}

void trp_remote_actor_stopped(struct trp_remote *remote, uint64_t actor)
{
    struct name *name;
    struct name *next;
    HASH_ITER(hh, remote->names_by_text, name, next)
    {
        if (name->actor == actor) {
            name_withdraw(remote, name);
        }
    }
}

void trp_remote_leave(struct trp_remote *remote)
{
    struct name *name;
    struct name *next;
    HASH_ITER(hh, remote->names_by_text, name, next)
    {
        name_withdraw(remote, name);
    }
}

enum trp_status trp_remote_find_name(const struct trp_remote *remote, struct trp_bytes text,
                                     struct trp_actor_ref *ret_ref)
{
    const struct name *name = trp_remote_name_find(remote, text);
    if (name == NULL) {
        return TRP_ENOTFOUND;
    }
    *ret_ref = (struct trp_actor_ref){.id = name->actor, .peer = *remote->config.self};
    return TRP_OK;
}

/* ---- the DHT's events ---- */

static void registry_on_announced(struct trp_remote *remote, const struct query *query,
                                  const struct trp_kad_event *event)
{
    struct name *name = trp_slab_find(&remote->names, query->owner);
    if (name == NULL) {
        return; /* withdrawn meanwhile */
    }
    name->stored += event->stored;
    if (event->status != TRP_OK && name->status == TRP_OK) {
        name->status = event->status;
    }
    if (--name->queries == 0) {
        name_complete(remote, name);
    }
}

/* There are peers now: announces the names that nobody could be told of before. */
static void registry_on_bootstrapped(struct trp_remote *remote)
{
    struct name *name;
    struct name *next;
    HASH_ITER(hh, remote->names_by_text, name, next)
    {
        if (name->stored == 0 && name->queries == 0) {
            name_announce(remote, name);
        }
    }
}

bool trp_remote_run_kad(struct trp_remote *remote)
{
    bool any = false;
    struct trp_kad_event event;
    while (trp_kad_next_event(remote->config.kad, &event)) {
        any = true;
        if (event.kind == TRP_KAD_BOOTSTRAPPED) {
            registry_on_bootstrapped(remote);
            continue;
        }
        struct query *found = trp_slab_find(&remote->queries, event.token);
        if (found == NULL) {
            continue;
        }
        struct query query = *found;
        if (event.last) {
            trp_slab_remove(&remote->queries, event.token);
        }
        switch (query.kind) {
        case QUERY_PROVIDE:
        case QUERY_PUT:
            registry_on_announced(remote, &query, &event);
            break;
        case QUERY_PROVIDERS:
            trp_remote_lookup_providers(remote, &query, &event);
            break;
        case QUERY_RECORD:
            trp_remote_lookup_record(remote, &query, &event);
            break;
        }
    }
    return any;
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
    return key.size >= 1 && key.size <= REMOTE_NAME_BYTES_MAX ? TRP_OK : TRP_EINVAL;
}

struct trp_kad_policy trp_remote_kad_policy(void)
{
    return (struct trp_kad_policy){.admit_record = policy_record,
                                   .admit_provider = policy_provider};
}
