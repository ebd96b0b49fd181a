/* SPDX-License-Identifier: MIT */
#include "base/assert.h"
#include "remote/state.h"
#include "wire/registration.h"

/* ---- life of a search ---- */

static void lookup_free(struct trp_remote *remote, struct lookup *lookup)
{
    trp_buffer_free(&lookup->bytes);
    trp_slab_remove(&remote->lookups, lookup->id);
}

/* Ends the queries that still run for a search whose result is out. */
static void lookup_cancel_queries(struct trp_remote *remote, const struct lookup *lookup)
{
    uint32_t at = 0;
    trp_handle id;
    struct query *query;
    while ((query = trp_slab_next(&remote->queries, &at, &id)) != NULL) {
        if (query->owner == lookup->id &&
            (query->kind == QUERY_PROVIDERS || query->kind == QUERY_RECORD)) {
            trp_kad_cancel(remote->config.kad, query->kad_id);
            trp_slab_remove(&remote->queries, id);
        }
    }
}

/* Hands one result to whoever asked. */
static void lookup_emit(struct trp_remote *remote, const struct lookup *lookup,
                        enum trp_status status, const struct trp_actor_ref *ref, bool last)
{
    if (lookup->origin.kind == ORIGIN_ACTOR) {
        trp_scheduler_found(remote->config.scheduler, lookup->origin.id, status, ref, last);
        return;
    }
    struct trp_result result = {.kind = lookup->origin.command,
                                .status = status,
                                .last = last,
                                .request = lookup->origin.id,
                                .hops = lookup->hops,
                                .rpcs = lookup->rpcs,
                                .timeouts = lookup->timeouts};
    if (ref != NULL) {
        result.ref = *ref;
        result.actor_type = trp_bytes_text(trp_remote_type_text(remote, ref->type));
    }
    trp_remote_push_result(remote, &result);
}

static void lookup_trace(struct trp_remote *remote, const struct lookup *lookup,
                         enum trp_status status)
{
    trp_trace_lookup_done(remote->config.trace, &(struct trp_event_lookup_done){
                                                    .name = trp_bytes(lookup->name, lookup->size),
                                                    .found = lookup->found,
                                                    .hops = lookup->hops,
                                                    .rpcs = lookup->rpcs,
                                                    .timeouts = lookup->timeouts,
                                                    .status = status});
}

/* The actor that a waiting message is for was found, or `ref` is NULL and it was not. */
static void lookup_forward(struct trp_remote *remote, struct lookup *lookup, enum trp_status status,
                           const struct trp_actor_ref *ref)
{
    if (ref == NULL) {
        trp_remote_complete(remote, &lookup->origin, status, TRP_BYTES_NONE, NULL);
        return;
    }
    struct trp_command command = lookup->message;
    command.ref = *ref;
    trp_remote_command(remote, &command);
}

/* Ends the search with its last result. */
static void lookup_finish(struct trp_remote *remote, struct lookup *lookup, enum trp_status status,
                          const struct trp_actor_ref *ref)
{
    lookup_cancel_queries(remote, lookup);
    lookup_trace(remote, lookup, status);
    if (lookup->message_follows) {
        lookup_forward(remote, lookup, status, ref);
    } else {
        lookup_emit(remote, lookup, status, ref, true);
    }
    lookup_free(remote, lookup);
}

/* Ends it when no query runs any more. */
static void lookup_check_done(struct trp_remote *remote, struct lookup *lookup)
{
    if (lookup->queries > 0) {
        return;
    }
    enum trp_status none = lookup->status == TRP_OK ? TRP_ENOTFOUND : lookup->status;
    lookup_finish(remote, lookup, lookup->found > 0 ? TRP_OK : none, NULL);
}

/* An actor of that name: false when the search is over with it. */
static bool lookup_found(struct trp_remote *remote, struct lookup *lookup,
                         const struct trp_actor_ref *ref)
{
    lookup->found++;
    if (!lookup->all) {
        lookup_finish(remote, lookup, TRP_OK, ref);
        return false;
    }
    lookup_emit(remote, lookup, TRP_OK, ref, false);
    return true;
}

/* ---- queries of a search ---- */

/* Asks for what is behind the name at one provider, once. */
static void lookup_follow(struct trp_remote *remote, struct lookup *lookup,
                          const struct trp_peer_id *peer)
{
    for (uint32_t i = 0; i < lookup->peers_count; i++) {
        if (trp_peer_id_equal(&lookup->peers[i], peer)) {
            return;
        }
    }
    if (lookup->peers_count == REMOTE_LOOKUP_PEERS_MAX ||
        trp_peer_id_equal(peer, remote->config.self)) {
        return;
    }
    lookup->peers[lookup->peers_count++] = *peer;
    uint8_t key[TRP_REGISTRATION_KEY_MAX];
    size_t key_size;
    trp_handle id;
    struct query *query = trp_remote_query_insert(remote, QUERY_RECORD, lookup->id, &id);
    enum trp_status status =
        query == NULL ? TRP_EFULL
                      : trp_registration_key_encode(trp_bytes(lookup->name, lookup->size), peer,
                                                    key, sizeof key, &key_size);
    if (status == TRP_OK) {
        status = trp_kad_get_record(remote->config.kad, trp_bytes(key, key_size), peer, id,
                                    &query->kad_id);
    }
    if (status == TRP_OK) {
        lookup->queries++;
    } else if (query != NULL) {
        trp_slab_remove(&remote->queries, id);
    }
}

void trp_remote_lookup_providers(struct trp_remote *remote, struct query *query,
                                 const struct trp_kad_event *event)
{
    struct lookup *lookup = trp_slab_find(&remote->lookups, query->owner);
    if (lookup == NULL) {
        return;
    }
    for (uint32_t i = 0; i < event->peers_count; i++) {
        lookup_follow(remote, lookup, &event->peers[i]);
    }
    lookup->hops = event->hops;
    if (event->last) {
        lookup->rpcs += event->rpcs;
        lookup->timeouts += event->timeouts;
        lookup->status = event->status;
        lookup->queries--;
        lookup_check_done(remote, lookup);
    }
}

void trp_remote_lookup_record(struct trp_remote *remote, struct query *query,
                              const struct trp_kad_event *event)
{
    struct lookup *lookup = trp_slab_find(&remote->lookups, query->owner);
    if (lookup == NULL) {
        return;
    }
    if (event->last) {
        lookup->rpcs += event->rpcs;
        lookup->timeouts += event->timeouts;
        lookup->queries--;
    }
    struct trp_actor_ref ref;
    struct trp_bytes type;
    struct trp_bytes name;
    struct trp_peer_id owner;
    if (event->value.size > 0 && trp_registration_key_decode(event->key, &name, &owner) == TRP_OK &&
        trp_registration_decode(event->value, &ref, &type) == TRP_OK &&
        trp_peer_id_equal(&owner, &ref.peer)) {
        ref.type = trp_remote_type_learn(remote, type);
        if (!lookup_found(remote, lookup, &ref)) {
            return;
        }
    }
    if (event->last) {
        lookup_check_done(remote, lookup);
    }
}

/* Copies the message that waits for the search. */
static enum trp_status lookup_keep_message(struct lookup *lookup, const struct trp_command *message)
{
    enum trp_status status = trp_buffer_append(&lookup->bytes, message->message);
    if (status == TRP_OK) {
        status = trp_buffer_append(&lookup->bytes, message->payload);
    }
    if (status != TRP_OK) {
        return status;
    }
    struct trp_bytes all = trp_buffer_view(&lookup->bytes);
    lookup->message_follows = true;
    lookup->message = *message;
    lookup->message.name = TRP_BYTES_NONE;
    lookup->message.message = trp_bytes(all.data, message->message.size);
    lookup->message.payload = trp_bytes_skip(all, message->message.size);
    return TRP_OK;
}

static enum trp_status lookup_begin(struct trp_remote *remote, struct lookup *lookup)
{
    trp_handle id;
    struct query *query = trp_remote_query_insert(remote, QUERY_PROVIDERS, lookup->id, &id);
    if (query == NULL) {
        return TRP_EFULL;
    }
    enum trp_status status = trp_kad_get_providers(
        remote->config.kad, trp_bytes(lookup->name, lookup->size), id, &query->kad_id);
    if (status != TRP_OK) {
        trp_slab_remove(&remote->queries, id);
        return status;
    }
    lookup->queries++;
    return TRP_OK;
}

void trp_remote_lookup(struct trp_remote *remote, struct trp_bytes name, bool all,
                       const struct origin *origin, const struct trp_command *message)
{
    const struct trp_limits *limits = remote->config.limits;
    trp_handle id;
    void *object = NULL;
    enum trp_status status = trp_registration_check_name(name);
    if (status == TRP_OK) {
        status = trp_slab_insert(&remote->lookups, &id, &object);
    }
    if (status != TRP_OK) {
        struct lookup refused = {.origin = *origin};
        if (message != NULL) {
            trp_remote_complete(remote, origin, status, TRP_BYTES_NONE, NULL);
        } else {
            lookup_emit(remote, &refused, status, NULL, true);
        }
        return;
    }
    struct lookup *lookup = object;
    *lookup = (struct lookup){
        .id = id,
        .origin = *origin,
        .all = all,
        .size = (uint32_t)name.size,
        .bytes = trp_buffer_init(remote->config.memory, (size_t)limits->request_bytes * 2)};
    memcpy(lookup->name, name.data, name.size);
    if (message != NULL) {
        status = lookup_keep_message(lookup, message);
    }
    struct trp_actor_ref ref;
    if (status == TRP_OK && trp_remote_find_name(remote, name, &ref) == TRP_OK) {
        const struct trp_actor_type *type = trp_scheduler_type_of(remote->config.scheduler, ref.id);
        ref.type = type == NULL ? 0 : trp_actor_type_hash(trp_bytes_text(type->id));
        if (!lookup_found(remote, lookup, &ref)) {
            return;
        }
    }
    if (status == TRP_OK) {
        status = lookup_begin(remote, lookup);
    }
    if (status != TRP_OK) {
        lookup_finish(remote, lookup, status, NULL);
    }
}

void trp_remote_close_lookups(struct trp_remote *remote)
{
    uint32_t at = 0;
    trp_handle id;
    struct lookup *lookup;
    while ((lookup = trp_slab_next(&remote->lookups, &at, &id)) != NULL) {
        trp_buffer_free(&lookup->bytes);
    }
}
