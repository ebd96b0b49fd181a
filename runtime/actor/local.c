/* SPDX-License-Identifier: MIT */
#include <troupe/local.h>

#include "actor/scheduler.h"
#include "base/map.h"

/* An actor's name. */
struct name {
    uint64_t actor;
    struct trp_actor_ref ref;
    uint32_t size;
    UT_hash_handle hh;
    char text[];
};

struct trp_local {
    struct trp_memory memory; /* of all but this struct */
    struct trp_limits limits;
    struct trp_trace trace;
    struct trp_scheduler *scheduler;
    struct name *names; /* by text */
};

enum trp_status trp_local_open(const struct trp_local_config *config, struct trp_local **ret_local)
{
    static const struct trp_local_config none = {0};
    config = config == NULL ? &none : config;
    struct trp_limits limits = config->limits;
    enum trp_status status = trp_limits_complete(&limits, NULL);
    if (status != TRP_OK) {
        return status;
    }
    struct trp_memory memory = trp_memory_init(limits.memory_bytes);
    struct trp_local *local = trp_memory_alloc(&memory, sizeof *local);
    if (local == NULL) {
        return TRP_ENOMEM;
    }
    local->memory = memory;
    local->limits = limits;
    local->trace = (struct trp_trace){.recorder = config->recorder, .now = config->now};
    const struct trp_scheduler_config scheduler = {.memory = &local->memory,
                                                   .trace = &local->trace,
                                                   .limits = &local->limits,
                                                   .seed = config->seed,
                                                   .now = config->now};
    status = trp_scheduler_open(&scheduler, &local->scheduler);
    if (status != TRP_OK) {
        trp_local_close(local);
        return status;
    }
    *ret_local = local;
    return TRP_OK;
}

/* ---- names ---- */

static void name_remove(struct trp_local *local, struct name *name)
{
    struct trp_memory *uthash_memory = &local->memory;
    HASH_DELETE(hh, local->names, name);
    trp_memory_free(&local->memory, name);
}

static struct name *name_find(const struct trp_local *local, struct trp_bytes text)
{
    struct name *name = NULL;
    HASH_FIND(hh, local->names, text.data, text.size, name);
    return name;
}

/* Who has a name keeps it until it stops or unregisters. */
static enum trp_status name_insert(struct trp_local *local, const struct trp_sched_event *event)
{
    struct trp_memory *uthash_memory = &local->memory;
    struct name *name = name_find(local, event->name);
    if (name != NULL) {
        return name->actor == event->actor ? TRP_OK : TRP_EEXISTS;
    }
    if (HASH_COUNT(local->names) >= local->limits.names) {
        return TRP_EFULL;
    }
    name = trp_memory_alloc(&local->memory, sizeof *name + event->name.size);
    if (name == NULL) {
        return TRP_ENOMEM;
    }
    name->actor = event->actor;
    name->ref = event->other;
    name->size = (uint32_t)event->name.size;
    memcpy(name->text, event->name.data, event->name.size);
    HASH_ADD_KEYPTR(hh, local->names, name->text, name->size, name);
    if (name->hh.tbl == NULL) {
        trp_memory_free(&local->memory, name);
        return TRP_ENOMEM;
    }
    return TRP_OK;
}

static void name_register(struct trp_local *local, const struct trp_sched_event *event)
{
    enum trp_status status = name_insert(local, event);
    if (event->request != 0) {
        trp_scheduler_complete(local->scheduler, event->request, status, TRP_BYTES_NONE);
    }
    if (status != TRP_OK) {
        trp_trace_local_name_refused(
            &local->trace, &(struct trp_event_local_name_refused){
                               .name = event->name, .actor = event->actor, .status = status});
    }
}

static void names_remove_of(struct trp_local *local, uint64_t actor)
{
    struct name *next;
    for (struct name *name = local->names; name != NULL; name = next) {
        next = name->hh.next;
        if (name->actor == actor) {
            name_remove(local, name);
        }
    }
}

static void name_look_up(struct trp_local *local, const struct trp_sched_event *event)
{
    const struct name *name = name_find(local, event->name);
    struct trp_scheduler *scheduler = local->scheduler;
    if (name == NULL) {
        trp_scheduler_found(scheduler, event->request, TRP_ENOTFOUND, NULL, true);
        return;
    }
    bool all = event->scope == TRP_LOOKUP_ALL;
    trp_scheduler_found(scheduler, event->request, TRP_OK, &name->ref, !all);
    if (all) {
        trp_scheduler_found(scheduler, event->request, TRP_OK, NULL, true);
    }
}

/* Two actors of the program are to be linked, or unlinked. */
static void local_connect(struct trp_local *local, const struct trp_sched_event *event)
{
    enum trp_status status =
        event->kind == TRP_SCHED_CONNECT
            ? trp_scheduler_link(local->scheduler, event->other.id, &event->second, TRP_BYTES_NONE)
            : trp_scheduler_unlink(local->scheduler, event->other.id, &event->second);
    trp_scheduler_complete(local->scheduler, event->request, status, TRP_BYTES_NONE);
}

/* ---- running ---- */

static void local_serve(struct trp_local *local, const struct trp_sched_event *event)
{
    switch (event->kind) {
    case TRP_SCHED_REGISTER:
        name_register(local, event);
        break;
    case TRP_SCHED_UNREGISTER: {
        struct name *name = name_find(local, event->name);
        if (name != NULL) {
            name_remove(local, name);
        }
        break;
    }
    case TRP_SCHED_LOOKUP:
        name_look_up(local, event);
        break;
    case TRP_SCHED_STOPPED:
        names_remove_of(local, event->actor);
        break;
    case TRP_SCHED_CONNECT:
    case TRP_SCHED_DISCONNECT:
        local_connect(local, event);
        break;
    case TRP_SCHED_ANSWER: /* nothing was delivered, and there is no network */
    case TRP_SCHED_ASK:
    case TRP_SCHED_TELL:
    case TRP_SCHED_LINK:
    case TRP_SCHED_UNLINK:
    case TRP_SCHED_DIED:
        break;
    }
}

void trp_local_run(struct trp_local *local, trp_time now)
{
    struct trp_sched_event event;
    trp_scheduler_run(local->scheduler, now);
    while (trp_scheduler_next_event(local->scheduler, &event)) {
        local_serve(local, &event);
    }
}

trp_time trp_local_deadline(const struct trp_local *local)
{
    return trp_scheduler_deadline(local->scheduler);
}

enum trp_status trp_local_spawn(struct trp_local *local, const struct trp_actor_type *type,
                                const void *args, const struct trp_spawn_options *options,
                                struct trp_actor_ref *ret_ref)
{
    return trp_scheduler_spawn(local->scheduler, type, args, options, ret_ref);
}

uint32_t trp_local_actors_count(const struct trp_local *local)
{
    return trp_scheduler_actors_count(local->scheduler);
}

void trp_local_close(struct trp_local *local)
{
    if (local == NULL) {
        return;
    }
    struct trp_memory *uthash_memory = &local->memory;
    struct name *name = local->names;
    HASH_CLEAR(hh, local->names);
    while (name != NULL) {
        struct name *next = name->hh.next;
        trp_memory_free(&local->memory, name);
        name = next;
    }
    trp_scheduler_close(local->scheduler);
    struct trp_memory memory = local->memory;
    trp_memory_free(&memory, local);
}
