/* SPDX-License-Identifier: MIT */
#include "scenarios/harness/state.h"

/* ---- which, when ---- */

static trp_time flow_gap(const struct trp_run *run, uint32_t index)
{
    const struct trp_plan_workload *entry = &run->plan->workload[index];
    uint64_t draw = trp_harness_draw(run, entry->entity, STREAM_EVERY, run->flows[index].count);
    trp_time gap = trp_dist_sample(&entry->every, draw);
    return gap > 0 ? gap : 1;
}

/* Plans the next operation of an entry, after the one at `last`. */
static enum trp_status flow_plan(struct trp_run *run, uint32_t index, trp_time last)
{
    const struct trp_plan_workload *entry = &run->plan->workload[index];
    uint64_t count = run->flows[index].count;
    trp_time next = TRP_NEVER;
    if (entry->occasions == NULL) {
        next = trp_time_after(last, flow_gap(run, index));
    } else if (count < entry->occasions_count) {
        next = entry->occasions[count].at;
    }
    return next == TRP_NEVER
               ? TRP_OK
               : trp_harness_schedule(run, next, AGENDA_OPERATE, index, TRP_STATE_KEPT, 0);
}

enum trp_status trp_harness_begin_workload(struct trp_run *run)
{
    enum trp_status status = TRP_OK;
    for (uint32_t i = 0; i < run->plan->workload_count && status == TRP_OK; i++) {
        status = flow_plan(run, i, run->plan->workload[i].from);
    }
    return status;
}

enum trp_status trp_harness_target(const struct trp_run *run, uint32_t workload, uint64_t count,
                                   uint32_t host, char *out, size_t room)
{
    static const struct crew nobody = {.hosts = NULL};
    const struct trp_plan_workload *entry = &run->plan->workload[workload];
    if (entry->occasions != NULL) {
        size_t size = strlen(entry->occasions[count].target) + 1;
        if (size > room) {
            return TRP_ETOOBIG;
        }
        memcpy(out, entry->occasions[count].target, size);
        return TRP_OK;
    }
    uint32_t actor = entry->target.actor;
    const struct crew *crew = actor == TRP_PLAN_NONE ? &nobody : &run->crews[actor];
    return trp_plan_target_name(run->plan, &entry->target, host, crew->hosts, crew->count,
                                trp_harness_draw(run, entry->entity, STREAM_TARGET, count), out,
                                room);
}

static bool flow_may_do(void *user, uint32_t host)
{
    const struct trp_run *run = user;
    return run->hosts[host].node != NULL && !run->hosts[host].leaving;
}

/* Gives the host that an operation is issued on; TRP_ENOTFOUND: nobody is up to do it. */
static enum trp_status flow_host(struct trp_run *run, uint32_t index, uint64_t count,
                                 uint32_t *ret_host)
{
    const struct trp_plan_workload *entry = &run->plan->workload[index];
    if (entry->occasions != NULL) {
        *ret_host = entry->occasions[count].host;
        return run->hosts[*ret_host].node == NULL ? TRP_ENOTFOUND : TRP_OK;
    }
    struct trp_selector_world world = trp_harness_selector_world(run, entry->entity, count);
    world.is_up = flow_may_do;
    return trp_selector_pick(run->plan, entry->on, &world, ret_host);
}

/* ---- operations ---- */

static enum trp_status operation_insert(struct trp_run *run, uint32_t workload, uint64_t count,
                                        uint32_t host, uint64_t *ret_index)
{
    if (run->operations_count == run->operations_capacity) {
        uint64_t capacity = run->operations_capacity == 0 ? 1024 : run->operations_capacity * 2;
        struct operation *operations =
            trp_memory_resize(&run->memory, run->operations, capacity * sizeof *operations);
        if (operations == NULL) {
            return TRP_ENOMEM;
        }
        run->operations = operations;
        run->operations_capacity = capacity;
    }
    *ret_index = run->operations_count++;
    struct host *its = &run->hosts[host];
    run->operations[*ret_index] = (struct operation){.workload = workload,
                                                     .host = host,
                                                     .life = its->lives,
                                                     .count = count,
                                                     .started = trp_harness_now(run),
                                                     .paused_ns = its->paused_ns};
    if (its->newest != 0) {
        run->operations[its->newest - 1].next_of_host = *ret_index + 1;
    }
    its->newest = *ret_index + 1;
    its->oldest = its->oldest == 0 ? its->newest : its->oldest;
    run->operations_open++;
    return TRP_OK;
}

static void operation_record(struct trp_run *run, struct operation *operation, const char *target,
                             uint64_t cause)
{
    const struct trp_plan_workload *entry = &run->plan->workload[operation->workload];
    struct trp_run_record *record = run->options.record;
    if (record == NULL) {
        return;
    }
    if (entry->operation == TRP_PLAN_LOOKUP) {
        operation->row =
            trp_run_lookup_start(record, &(struct trp_run_lookup){.host = operation->host,
                                                                  .workload = entry->name,
                                                                  .name = target,
                                                                  .started = operation->started,
                                                                  .cause = cause});
        return;
    }
    operation->row = trp_run_request_start(
        record, &(struct trp_run_request){.kind = entry->operation == TRP_PLAN_ASK ? TRP_RUN_ASK
                                                                                   : TRP_RUN_TELL,
                                          .host = operation->host,
                                          .workload = entry->name,
                                          .actor = target,
                                          .message = entry->handler->message->id,
                                          .started = operation->started,
                                          .cause = cause});
}

static void operation_end(struct trp_run *run, struct operation *operation, enum trp_status status)
{
    trp_time now = trp_harness_now(run);
    const struct trp_plan_workload *entry = &run->plan->workload[operation->workload];
    if (operation->outcomes++ == 0) {
        operation->finished = now;
        operation->status = status;
        run->operations_open--;
    } else if (entry->operation == TRP_PLAN_ASK) {
        trp_watch_break(run, TRP_ALWAYS_ONE_OUTCOME, operation->host, operation->cause,
                        "an ask of '%s' had %u outcomes", entry->name, operation->outcomes);
    }
    if (run->options.record == NULL) {
        return;
    }
    if (entry->operation == TRP_PLAN_LOOKUP) {
        trp_run_lookup_finish(run->options.record, operation->row,
                              &(struct trp_run_lookup_end){.finished = now,
                                                           .status = status,
                                                           .found = operation->found,
                                                           .hops = operation->hops,
                                                           .rpcs = operation->rpcs,
                                                           .timeouts = operation->timeouts});
    } else {
        trp_run_request_outcome(run->options.record, operation->row, now, status);
    }
}

/* Sends an operation to its host as a command; the request's number is its index + 1. */
static enum trp_status operation_issue(struct trp_run *run, uint32_t index, uint64_t count,
                                       uint32_t host, const char *target)
{
    const struct trp_plan_workload *entry = &run->plan->workload[index];
    uint64_t number;
    enum trp_status status = operation_insert(run, index, count, host, &number);
    if (status != TRP_OK) {
        return status;
    }
    struct trp_command command = {.kind = TRP_CMD_LOOKUP,
                                  .all = entry->all,
                                  .request = number + 1,
                                  .name = trp_bytes_text(target),
                                  .reply_timeout_ns = entry->timeout_ns};
    if (entry->operation != TRP_PLAN_LOOKUP) {
        command.kind = entry->operation == TRP_PLAN_ASK ? TRP_CMD_ASK : TRP_CMD_TELL;
        command.message = trp_bytes_text(entry->handler->message->id);
        command.payload = entry->args;
    }
    uint64_t cause = trp_trace_operation_begun(
        &run->trace, &(struct trp_event_operation_begun){.number = number + 1,
                                                         .workload = trp_bytes_text(entry->name),
                                                         .target = command.name,
                                                         .host = host});
    run->operations[number].cause = cause;
    operation_record(run, &run->operations[number], target, cause);
    if (run->net.ops->command(run->net.self, host, &command, cause) != TRP_OK) {
        operation_end(run, &run->operations[number], TRP_ESTATE);
    }
    return TRP_OK;
}

enum trp_status trp_harness_operate(struct trp_run *run, uint32_t index)
{
    const struct trp_plan_workload *entry = &run->plan->workload[index];
    trp_time now = trp_harness_now(run);
    uint64_t count = run->flows[index].count++;
    bool drawn = entry->occasions == NULL;
    if (drawn && (now >= entry->until || now >= run->plan->until_ns)) {
        return TRP_OK;
    }
    char target[256];
    uint32_t host;
    enum trp_status status = flow_plan(run, index, now);
    if (status == TRP_OK) {
        status = flow_host(run, index, count, &host);
        if (status == TRP_ENOTFOUND) {
            return TRP_OK;
        }
    }
    if (status == TRP_OK) {
        status = trp_harness_target(run, index, count, host, target, sizeof target);
    }
    return status == TRP_OK ? operation_issue(run, index, count, host, target) : status;
}

void trp_harness_result(struct trp_run *run, uint32_t host, const struct trp_result *result)
{
    if (result->request == 0 || result->request > run->operations_count) {
        return; /* of the harness's own commands at a host's start */
    }
    struct operation *operation = &run->operations[result->request - 1];
    if (operation->host != host || operation->life != run->hosts[host].lives) {
        return;
    }
    run->trace.now = trp_harness_now(run);
    if (result->kind == TRP_CMD_LOOKUP) {
        operation->found = operation->found || (result->status == TRP_OK && result->ref.id != 0);
        operation->hops = result->hops;
        operation->rpcs = result->rpcs;
        operation->timeouts = result->timeouts;
    }
    if (result->last) {
        operation_end(run, operation, result->status);
    }
}

void trp_harness_orphan(struct trp_run *run, uint32_t host)
{
    for (uint64_t i = run->operations_count; i-- > 0;) {
        struct operation *operation = &run->operations[i];
        if (trp_harness_now(run) - operation->started > TRP_MIN(5)) {
            break; /* none lasts that long */
        }
        if (operation->host == host && operation->outcomes == 0) {
            operation->orphaned = true;
            operation_end(run, operation, TRP_ECANCELLED);
        }
    }
}
