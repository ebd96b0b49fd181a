/* SPDX-License-Identifier: MIT */
#include "actor/scheduler.h"

#include "actor/scheduler_state.h"

#define RUN_MAILS 4096u /* of one call of trp_scheduler_run, so that the network has its turn */

/* An actor's id carries the life of its node, drawn from the seed: a reference from before a
 * restart finds nobody. 12 bits of it, then 28 of the slot's own generation. */
#define INCARNATION_BITS 12u
#define GENERATION_BITS  28u
#define STREAM_LIFE      0u

static void types_deinit(struct trp_scheduler *scheduler)
{
    struct trp_type_info *info = scheduler->types;
    while (info != NULL) {
        struct trp_type_info *next = info->next;
        trp_memory_free(scheduler->memory, info);
        info = next;
    }
}

/* Types are told apart by their ids. */
static enum trp_status types_init(struct trp_scheduler *scheduler,
                                  const struct trp_scheduler_config *config)
{
    for (uint32_t i = 0; i < config->types_count; i++) {
        const struct trp_actor_type *type = config->types[i];
        if (type->id != NULL &&
            trp_scheduler_find_type(scheduler, trp_bytes_text(type->id)) != NULL) {
            return TRP_EINVAL;
        }
        const struct trp_type_info *info;
        enum trp_status status = trp_type_info_find(scheduler, type, &info);
        if (status != TRP_OK) {
            return status;
        }
    }
    return TRP_OK;
}

enum trp_status trp_scheduler_open(const struct trp_scheduler_config *config,
                                   struct trp_scheduler **ret_scheduler)
{
    struct trp_memory *memory = config->memory;
    const struct trp_limits *limits = config->limits;
    struct trp_scheduler *scheduler = trp_memory_alloc(memory, sizeof *scheduler);
    if (scheduler == NULL) {
        return TRP_ENOMEM;
    }
    uint64_t life = trp_draw(config->seed, 0, STREAM_LIFE, 0) >> (64u - INCARNATION_BITS);
    *scheduler = (struct trp_scheduler){
        .context = {.scheduler = scheduler},
        .now = config->now,
        .trace = config->trace == NULL ? &scheduler->trace_off : config->trace,
        .shares = trp_shares_init(memory),
        .actors = trp_table_init(memory, limits->actors, life << GENERATION_BITS,
                                 1ull << GENERATION_BITS),
        .requests = trp_table_init(memory, limits->requests, 0,
                                   1ull << (INCARNATION_BITS + GENERATION_BITS)),
        .timers =
            trp_table_init(memory, limits->timers, 0, 1ull << (INCARNATION_BITS + GENERATION_BITS)),
        .deadlines = trp_heap_init(memory),
        .networked = config->self != NULL,
        .type_names = {.memory = memory, .others_max = limits->types},
        .seed = config->seed,
        .limits = limits,
        .memory = memory};
    if (config->self != NULL) {
        scheduler->self = *config->self;
    }
    trp_pool_init(&scheduler->pool, memory);
    enum trp_status status = types_init(scheduler, config);
    if (status != TRP_OK) {
        trp_scheduler_close(scheduler);
        return status;
    }
    *ret_scheduler = scheduler;
    return TRP_OK;
}

void trp_scheduler_close(struct trp_scheduler *scheduler)
{
    if (scheduler == NULL) {
        return;
    }
    trp_link_peers_deinit(scheduler);
    trp_shares_deinit(&scheduler->shares);
    trp_heap_free(&scheduler->deadlines);
    trp_table_deinit(&scheduler->actors);
    trp_table_deinit(&scheduler->requests);
    trp_table_deinit(&scheduler->timers);
    trp_pool_deinit(&scheduler->pool);
    types_deinit(scheduler);
    trp_type_names_deinit(&scheduler->type_names);
    trp_memory_free(scheduler->memory, scheduler);
}

void trp_scheduler_run(struct trp_scheduler *scheduler, trp_time now)
{
    uint64_t cause = scheduler->trace->cause;
    scheduler->now = now;
    scheduler->trace->now = now;
    trp_deadline_expire_all(scheduler);
    uint32_t handled = 0;
    while (scheduler->run_head != NULL && handled < RUN_MAILS) {
        struct trp_actor *actor = scheduler->run_head;
        scheduler->run_head = actor->run_next;
        handled += trp_actor_turn(scheduler, actor);
    }
    scheduler->trace->cause = cause;
}

trp_time trp_scheduler_deadline(const struct trp_scheduler *scheduler)
{
    return scheduler->run_head != NULL ? scheduler->now : trp_heap_deadline(&scheduler->deadlines);
}

void trp_scheduler_trace_dead(struct trp_scheduler *scheduler, const struct trp_actor_ref *to,
                              const struct trp_message_type *type)
{
    trp_trace_dead_letter(scheduler->trace,
                          &(struct trp_event_dead_letter){.actor = to->id,
                                                          .message = trp_bytes_text(type->id),
                                                          .status = TRP_EDEAD});
}

void trp_scheduler_trace_limit(struct trp_scheduler *scheduler, const char *limit, uint32_t value)
{
    trp_trace_limit_reached(scheduler->trace, &(struct trp_event_limit_reached){
                                                  .limit = trp_bytes_text(limit), .value = value});
}

/* ---- from outside ---- */

enum trp_status trp_scheduler_spawn(struct trp_scheduler *scheduler,
                                    const struct trp_actor_type *type, const void *args,
                                    const struct trp_spawn_options *options,
                                    struct trp_actor_ref *ret_ref)
{
    return trp_actor_spawn(scheduler, type, args, options, NULL, ret_ref);
}

const struct trp_actor_type *trp_scheduler_find_type(const struct trp_scheduler *scheduler,
                                                     struct trp_bytes id)
{
    for (const struct trp_type_info *info = scheduler->types; info != NULL; info = info->next) {
        if (trp_bytes_equal(trp_bytes_text(info->type->id), id)) {
            return info->type;
        }
    }
    return NULL;
}

uint64_t trp_scheduler_learn_type(struct trp_scheduler *scheduler, struct trp_bytes id)
{
    return trp_type_names_learn(&scheduler->type_names, id, false);
}

struct trp_bytes trp_scheduler_type_text(const struct trp_scheduler *scheduler, uint64_t hash)
{
    return trp_type_names_find(&scheduler->type_names, hash);
}

const struct trp_actor_type *trp_scheduler_type_of(const struct trp_scheduler *scheduler,
                                                   uint64_t actor)
{
    const struct trp_actor *found = trp_scheduler_find(scheduler, actor);
    return found == NULL ? NULL : found->info->type;
}

enum trp_status trp_scheduler_stop(struct trp_scheduler *scheduler, uint64_t actor)
{
    struct trp_actor *found = trp_scheduler_find(scheduler, actor);
    if (found == NULL) {
        return TRP_EDEAD;
    }
    trp_actor_stop(scheduler, found);
    return TRP_OK;
}

enum trp_status trp_scheduler_kill(struct trp_scheduler *scheduler, uint64_t actor)
{
    struct trp_actor *found = trp_scheduler_find(scheduler, actor);
    if (found == NULL) {
        return TRP_EDEAD;
    }
    trp_actor_kill(scheduler, found);
    return TRP_OK;
}

uint32_t trp_scheduler_actors_count(const struct trp_scheduler *scheduler)
{
    return scheduler->actors.count;
}

uint32_t trp_scheduler_requests_count(const struct trp_scheduler *scheduler)
{
    return scheduler->requests_open;
}
