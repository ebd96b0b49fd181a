/* SPDX-License-Identifier: MIT */
/* Names of our actors, and searches for those of others: who waits for what of the registry. */
#include "remote/state.h"
#include "wire/registration.h"

/* ---- our names ---- */

/* A name that the very same actor has is no new registration. */
static enum trp_status register_begin(struct trp_remote *remote, struct trp_bytes name,
                                      const struct trp_actor_ref *ref, const struct origin *origin)
{
    struct trp_registration registration = {.actor = *ref,
                                            .type = trp_remote_own_type(remote, ref->id)};
    struct trp_registration taken;
    if (registration.type.size == 0) {
        return TRP_EDEAD;
    }
    if (trp_registry_lookup_local(remote->config.registry, name, &taken) == TRP_OK) {
        return taken.actor.id == ref->id ? TRP_EAGAIN : TRP_EEXISTS;
    }
    trp_handle id;
    void *object;
    enum trp_status status = trp_slab_insert(&remote->announcements, &id, &object);
    if (status != TRP_OK) {
        return status;
    }
    *(struct announcement *)object = (struct announcement){.origin = *origin, .ref = *ref};
    uint64_t query;
    status = trp_registry_register(remote->config.registry, name, &registration, id, &query);
    if (status != TRP_OK) {
        trp_slab_remove(&remote->announcements, id);
    }
    return status;
}

void trp_remote_register(struct trp_remote *remote, uint64_t actor, struct trp_bytes name,
                         const struct origin *origin)
{
    struct trp_actor_ref ref = trp_remote_own_ref(remote, actor);
    enum trp_status status = register_begin(remote, name, &ref, origin);
    if (status != TRP_OK) {
        if (status != TRP_EAGAIN) {
            trp_trace_name_refused(
                remote->config.trace,
                &(struct trp_event_name_refused){.name = name, .actor = actor, .status = status});
        }
        trp_remote_complete(remote, origin, status == TRP_EAGAIN ? TRP_OK : status, TRP_BYTES_NONE,
                            &ref);
    }
}

static void on_registered(struct trp_remote *remote, const struct trp_registry_event *event)
{
    const struct announcement *found = trp_slab_find(&remote->announcements, event->token);
    if (found == NULL) {
        return;
    }
    struct announcement announcement = *found;
    trp_slab_remove(&remote->announcements, event->token);
    /* Alone is no failure: the name is announced as soon as there is somebody to tell. */
    enum trp_status status = event->kind == TRP_REGISTRY_REGISTERED ? TRP_OK : event->status;
    trp_remote_complete(remote, &announcement.origin, status, TRP_BYTES_NONE, &announcement.ref);
}

void trp_remote_actor_stopped(struct trp_remote *remote, uint64_t actor)
{
    uint32_t at = 0;
    struct trp_bytes name;
    struct trp_actor_ref owner;
    while (trp_registry_next_name(remote->config.registry, &at, &name, &owner)) {
        if (owner.id == actor) {
            TRP_IGNORE(trp_registry_unregister(remote->config.registry, name)); /* it is there */
        }
    }
}

void trp_remote_leave(struct trp_remote *remote)
{
    uint32_t at = 0;
    struct trp_bytes name;
    struct trp_actor_ref owner;
    while (trp_registry_next_name(remote->config.registry, &at, &name, &owner)) {
        TRP_IGNORE(trp_registry_unregister(remote->config.registry, name)); /* it is there */
    }
    trp_remote_say_goodbye(remote);
}

enum trp_status trp_remote_find_name(const struct trp_remote *remote, struct trp_bytes name,
                                     struct trp_actor_ref *ret_ref)
{
    struct trp_registration found;
    enum trp_status status = trp_registry_lookup_local(remote->config.registry, name, &found);
    if (status == TRP_OK) {
        *ret_ref = found.actor;
    }
    return status;
}

/* ---- searches ---- */

/* Hands one result to whoever asked. */
static void search_emit(struct trp_remote *remote, const struct origin *origin,
                        enum trp_status status, const struct trp_registry_event *event, bool last)
{
    struct trp_actor_ref ref = {0};
    struct trp_bytes type = TRP_BYTES_NONE;
    if (event != NULL && event->found != NULL) {
        type = event->found->type;
        ref = event->found->actor;
        ref.type = trp_scheduler_learn_type(remote->config.scheduler, type);
    }
    if (origin->kind == ORIGIN_ACTOR) {
        trp_scheduler_found(remote->config.scheduler, origin->id, status, ref.id == 0 ? NULL : &ref,
                            last);
        return;
    }
    struct trp_result result = {.kind = origin->command,
                                .status = status,
                                .last = last,
                                .request = origin->id,
                                .ref = ref,
                                .actor_type = type};
    if (event != NULL) {
        result.hops = event->hops;
        result.rpcs = event->rpcs;
        result.timeouts = event->timeouts;
    }
    trp_remote_push_result(remote, &result);
}

static void search_free(struct trp_remote *remote, struct search *search)
{
    trp_buffer_free(&search->bytes);
    trp_slab_remove(&remote->searches, search->id);
}

/* The message that waited goes to who was found, or nowhere. */
static void search_forward(struct trp_remote *remote, const struct search *search,
                           enum trp_status status, const struct trp_registry_event *event)
{
    if (event->found == NULL) {
        trp_remote_complete(remote, &search->origin, status, TRP_BYTES_NONE, NULL);
        return;
    }
    struct trp_command command = search->message;
    command.ref = event->found->actor;
    command.ref.type = trp_scheduler_learn_type(remote->config.scheduler, event->found->type);
    trp_remote_command(remote, &command);
}

static void on_lookup(struct trp_remote *remote, const struct trp_registry_event *event)
{
    struct search *search = trp_slab_find(&remote->searches, event->token);
    if (search == NULL) {
        return;
    }
    bool found = event->kind == TRP_REGISTRY_FOUND;
    bool last = !found || !search->all;
    if (search->message_follows) {
        search_forward(remote, search, event->status, event);
    } else {
        search_emit(remote, &search->origin, event->status, event, last);
    }
    if (last) {
        uint64_t query = search->query;
        search_free(remote, search);
        if (found) {
            trp_registry_cancel(remote->config.registry, query);
        }
    }
}

/* Copies the message that waits for the search. */
static enum trp_status search_keep_message(struct search *search, const struct trp_command *message)
{
    enum trp_status status = trp_buffer_append(&search->bytes, message->message);
    if (status == TRP_OK) {
        status = trp_buffer_append(&search->bytes, message->payload);
    }
    if (status != TRP_OK) {
        return status;
    }
    struct trp_bytes all = trp_buffer_view(&search->bytes);
    search->message_follows = true;
    search->message = *message;
    search->message.name = TRP_BYTES_NONE;
    search->message.actor_type = TRP_BYTES_NONE;
    search->message.message = trp_bytes(all.data, message->message.size);
    search->message.payload = trp_bytes_skip(all, message->message.size);
    return TRP_OK;
}

static enum trp_status search_begin(struct trp_remote *remote, struct trp_bytes name, bool all,
                                    const struct origin *origin, const struct trp_command *message)
{
    trp_handle id;
    void *object;
    enum trp_status status = trp_slab_insert(&remote->searches, &id, &object);
    if (status != TRP_OK) {
        return status;
    }
    struct search *search = object;
    *search =
        (struct search){.id = id,
                        .origin = *origin,
                        .all = all,
                        .bytes = trp_buffer_init(remote->config.memory,
                                                 (size_t)remote->config.limits->request_bytes * 2)};
    if (message != NULL) {
        status = search_keep_message(search, message);
    }
    if (status == TRP_OK) {
        status = trp_registry_lookup(remote->config.registry, name, id, &search->query);
    }
    if (status != TRP_OK) {
        search_free(remote, search);
    }
    return status;
}

static void lookup_local(struct trp_remote *remote, struct trp_bytes name,
                         const struct origin *origin)
{
    struct trp_registration found;
    enum trp_status status = trp_registry_lookup_local(remote->config.registry, name, &found);
    const struct trp_registry_event event = {.status = status, .found = &found};
    search_emit(remote, origin, status, status == TRP_OK ? &event : NULL, true);
}

void trp_remote_lookup(struct trp_remote *remote, struct trp_bytes name,
                       enum trp_lookup_scope scope, const struct origin *origin,
                       const struct trp_command *message)
{
    enum trp_status status = trp_registration_check_name(name);
    if (status == TRP_OK && scope == TRP_LOOKUP_LOCAL) {
        lookup_local(remote, name, origin);
        return;
    }
    if (status == TRP_OK) {
        status = search_begin(remote, name, scope == TRP_LOOKUP_ALL, origin, message);
    }
    if (status != TRP_OK && message != NULL) {
        trp_remote_complete(remote, origin, status, TRP_BYTES_NONE, NULL);
    } else if (status != TRP_OK) {
        search_emit(remote, origin, status, NULL, true);
    }
}

void trp_remote_close_searches(struct trp_remote *remote)
{
    uint32_t at = 0;
    trp_handle id;
    struct search *search;
    while ((search = trp_slab_next(&remote->searches, &at, &id)) != NULL) {
        trp_buffer_free(&search->bytes);
    }
}

/* ---- the registry's events ---- */

bool trp_remote_run_registry(struct trp_remote *remote)
{
    bool any = false;
    struct trp_registry_event event;
    while (trp_registry_next_event(remote->config.registry, &event)) {
        any = true;
        switch (event.kind) {
        case TRP_REGISTRY_REGISTERED:
        case TRP_REGISTRY_REGISTRATION_FAILED:
            on_registered(remote, &event);
            break;
        case TRP_REGISTRY_FOUND:
        case TRP_REGISTRY_LOOKED_UP:
            on_lookup(remote, &event);
            break;
        case TRP_REGISTRY_ROUTING_UPDATED:
        case TRP_REGISTRY_UNROUTABLE_PEER:
        case TRP_REGISTRY_ROUTABLE_PEER:
        case TRP_REGISTRY_PENDING_ROUTABLE_PEER:
        case TRP_REGISTRY_BOOTSTRAPPED:
            break;
        }
    }
    return any;
}
