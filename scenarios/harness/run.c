/* SPDX-License-Identifier: MIT */
#include "scenarios/harness/run.h"

#include "base/list.h"
#include "base/prng.h"
#include "scenarios/harness/state.h"

#include <stdlib.h>

/* After the end of the plan, how long to wait for outcomes. */
#define SETTLE_NS TRP_MIN(2)
/* Happenings between two looks at progress and cancellation. */
#define LOOK_EVERY 4096u

uint64_t trp_harness_draw(const struct trp_run *run, uint64_t entity, enum harness_stream stream,
                          uint64_t counter)
{
    return trp_draw(run->options.seed, entity, (uint64_t)stream, counter);
}

enum trp_status trp_harness_schedule(struct trp_run *run, trp_time at, enum agenda_kind kind,
                                     uint32_t index, enum trp_state_kept state, uint64_t cause)
{
    struct agenda *item = trp_memory_alloc(&run->memory, sizeof *item);
    if (item == NULL) {
        return TRP_ENOMEM;
    }
    *item = (struct agenda){.kind = kind, .index = index, .state = state, .cause = cause};
    enum trp_status status = trp_heap_insert(&run->agenda, &item->entry, at, run->agenda_order++);
    if (status != TRP_OK) {
        trp_memory_free(&run->memory, item);
    }
    return status;
}

/* Passes every event to the record and to the caller's sink. */
static void run_on_event(void *self, const struct trp_trace_event *event)
{
    struct trp_run *run = self;
    trp_watch_event(run, event);
    if (run->options.record != NULL) {
        struct trp_trace_sink sink = trp_run_record_sink(run->options.record);
        sink.event(sink.self, event);
    }
    if (run->options.sink.event != NULL) {
        run->options.sink.event(run->options.sink.self, event);
    }
}

/* The limits of each group with every default said, and the hosts with theirs. */
static enum trp_status run_complete_limits(struct trp_run *run)
{
    enum trp_status status = TRP_OK;
    for (uint32_t i = 0; i < run->plan->groups_count && status == TRP_OK; i++) {
        const struct trp_plan_group *group = &run->plan->groups[i];
        run->limits[i] = group->limits;
        status = trp_limits_complete(&run->limits[i], NULL);
        for (uint32_t k = 0; k < group->count; k++) {
            run->hosts[group->first + k] = (struct host){.run = run,
                                                         .changed_bucket = TRP_NO_BUCKET,
                                                         .index = group->first + k,
                                                         .limits = &run->limits[i],
                                                         .paused_at = TRP_NEVER};
        }
    }
    return status;
}

static enum trp_status run_allocate(struct trp_run *run)
{
    const struct trp_plan *plan = run->plan;
    struct trp_memory *memory = &run->memory;
    run->hosts = trp_memory_alloc(memory, plan->hosts_count * sizeof *run->hosts);
    run->scratch = trp_memory_alloc(memory, plan->hosts_count * sizeof *run->scratch);
    run->scratch2 = trp_memory_alloc(memory, plan->hosts_count * sizeof *run->scratch2);
    run->acts = trp_memory_alloc(memory, plan->timeline_count * sizeof *run->acts);
    run->crews = trp_memory_alloc(memory, plan->actors_count * sizeof *run->crews);
    run->flows = trp_memory_alloc(memory, plan->workload_count * sizeof *run->flows);
    run->limits = trp_memory_alloc(memory, plan->groups_count * sizeof *run->limits);
    if (run->hosts == NULL || run->scratch == NULL || run->scratch2 == NULL || run->acts == NULL ||
        run->crews == NULL || run->flows == NULL || run->limits == NULL) {
        return TRP_ENOMEM;
    }
    enum trp_status status = run_complete_limits(run);
    if (status == TRP_OK) {
        status = trp_watch_open(run);
    }
    return status == TRP_OK ? trp_oracle_open(&run->oracle) : status;
}

static enum trp_status run_open_network(struct trp_run *run)
{
    struct trp_network_opener opener = run->options.network;
    enum trp_status status = TRP_OK;
    if (opener.open == NULL) {
        opener.open = trp_network_open_sim;
        status = trp_harness_open_heap(run);
    }
    const struct trp_network_config config = {.seed = run->options.seed,
                                              .factory = trp_harness_factory(run),
                                              .topology = trp_harness_topology(run),
                                              .recorder = &run->recorder,
                                              .blocks = run->blocks,
                                              .hosts_max = run->plan->hosts_count};
    if (status == TRP_OK) {
        status = opener.open(opener.user, &config, &run->net);
    }
    if (status == TRP_OK && run->net.ops->deterministic) { /* never on a real network */
        status = trp_crypto_memo_open(run->plan->hosts_count, &run->crypto_memo);
    }
    if (status == TRP_OK) {
        status = trp_harness_add_hosts(run);
    }
    if (status == TRP_OK) {
        status = trp_harness_begin_timeline(run);
    }
    if (status == TRP_OK) {
        status = trp_harness_begin_workload(run);
    }
    return status == TRP_OK ? trp_harness_begin_measures(run) : status;
}

enum trp_status trp_run_open(const struct trp_run_options *options, struct trp_run **ret_run)
{
    struct trp_run *run = calloc(1, sizeof *run);
    if (run == NULL) {
        return TRP_ENOMEM;
    }
    run->options = *options;
    run->plan = options->plan;
    run->memory = trp_memory_init(UINT64_MAX);
    run->agenda = trp_heap_init(&run->memory);
    trp_recorder_init(&run->recorder, (struct trp_trace_sink){.event = run_on_event, .self = run});
    run->trace = (struct trp_trace){.recorder = &run->recorder, .node = run->plan->hosts_count};
    enum trp_status status = run_allocate(run);
    if (status == TRP_OK) {
        status = run_open_network(run);
    }
    if (status != TRP_OK) {
        trp_run_free(run);
        return status;
    }
    *ret_run = run;
    return TRP_OK;
}

void trp_run_free(struct trp_run *run)
{
    if (run == NULL) {
        return;
    }
    run->recorder.sink.event = NULL;
    if (run->net.ops != NULL) {
        run->net.ops->close(run->net.self);
    }
    trp_crypto_memo_close(run->crypto_memo);
    trp_blocks_close(run->blocks);
    trp_watch_close(run);
    trp_oracle_close(run->oracle);
    struct trp_heap_entry *entry;
    while ((entry = trp_heap_front(&run->agenda)) != NULL) {
        trp_heap_remove(&run->agenda, entry);
        trp_memory_free(&run->memory, TRP_CONTAINER(entry, struct agenda, entry));
    }
    trp_heap_free(&run->agenda);
    for (uint32_t i = 0; run->acts != NULL && i < run->plan->timeline_count; i++) {
        trp_memory_free(&run->memory, run->acts[i].hosts);
        trp_memory_free(&run->memory, run->acts[i].ends);
        trp_memory_free(&run->memory, run->acts[i].pairs);
        trp_memory_free(&run->memory, run->acts[i].name);
    }
    for (uint32_t i = 0; run->crews != NULL && i < run->plan->actors_count; i++) {
        trp_memory_free(&run->memory, run->crews[i].hosts);
    }
    trp_memory_free(&run->memory, run->hosts);
    trp_memory_free(&run->memory, run->limits);
    trp_memory_free(&run->memory, run->scratch);
    trp_memory_free(&run->memory, run->scratch2);
    trp_memory_free(&run->memory, run->acts);
    trp_memory_free(&run->memory, run->crews);
    trp_memory_free(&run->memory, run->flows);
    trp_memory_free(&run->memory, run->operations);
    trp_memory_free(&run->memory, run->samples);
    free(run);
}

static enum trp_status run_agenda_item(struct trp_run *run, const struct agenda *item)
{
    run->trace.now = trp_harness_now(run);
    run->trace.cause = item->cause;
    switch (item->kind) {
    case AGENDA_ACT:
        return trp_harness_act(run, item->index);
    case AGENDA_END_ACT:
        return trp_harness_end_act(run, item->index);
    case AGENDA_RESTART:
        return trp_harness_restart(run, item->index, item->state, item->cause);
    case AGENDA_OPERATE:
        return trp_harness_operate(run, item->index);
    case AGENDA_SAMPLE:
        return trp_harness_sample(run);
    }
    return TRP_EINVAL;
}

static bool run_look(struct trp_run *run, trp_time until)
{
    if (run->options.progress != NULL) {
        struct trp_run_progress progress = {.now = trp_harness_now(run),
                                            .until = until,
                                            .events = run->recorder.sequence,
                                            .fault = run->lasting_fault};
        for (uint32_t i = 0; i < run->plan->hosts_count; i++) {
            progress.hosts_up += trp_harness_is_up(run, i);
        }
        run->options.progress(run->options.user, &progress);
    }
    return run->options.cancelled == NULL || !run->options.cancelled(run->options.user);
}

/* Runs the network up to and including a moment, or until the run has to stop. */
static enum trp_status run_network_until(struct trp_run *run, trp_time at)
{
    bool reached = false;
    while (!reached && !run->stopped) {
        enum trp_status status = run->net.ops->advance(run->net.self, at, &reached);
        status = status == TRP_OK ? run->failed : status;
        if (status != TRP_OK) {
            return status;
        }
        bool due = !run->net.ops->deterministic || ++run->advances % LOOK_EVERY == 0;
        if (due && !run_look(run, run->plan->until_ns)) {
            return TRP_ECANCELLED;
        }
    }
    return TRP_OK;
}

/* Alternates between the agenda and the network until `until`; the agenda's own items come after
 * what the network does at the same moment. */
static enum trp_status run_until(struct trp_run *run, trp_time until)
{
    for (;;) {
        trp_time at = trp_heap_deadline(&run->agenda);
        enum trp_status status = run_network_until(run, trp_time_min(at, until));
        if (status != TRP_OK || at > until || run->stopped) {
            return status;
        }
        struct trp_heap_entry *entry = trp_heap_front(&run->agenda);
        trp_heap_remove(&run->agenda, entry);
        struct agenda *item = TRP_CONTAINER(entry, struct agenda, entry);
        status = run_agenda_item(run, item);
        trp_memory_free(&run->memory, item);
        if (status != TRP_OK) {
            return status;
        }
    }
}

enum trp_status trp_run_execute(struct trp_run *run)
{
    enum trp_status status = run_until(run, run->plan->until_ns);
    trp_time settled = trp_time_after(run->plan->until_ns, SETTLE_NS);
    while (status == TRP_OK && !run->stopped && run->operations_open > 0 &&
           trp_harness_now(run) < settled) {
        status = run_until(run, trp_time_after(trp_harness_now(run), TRP_S(1)));
    }
    trp_watch_conclude(run);
    if (status == TRP_OK) {
        trp_harness_host_totals(run);
        (void)run_look(run, run->plan->until_ns);
    }
    return status;
}

void trp_run_summarize(const struct trp_run *run, struct trp_run_summary *ret_summary)
{
    struct trp_network_stats stats;
    run->net.ops->stats(run->net.self, &stats);
    *ret_summary = (struct trp_run_summary){.events = run->recorder.sequence,
                                            .happenings = stats.happenings,
                                            .sim_ns = trp_harness_now(run),
                                            .hosts = run->plan->hosts_count,
                                            .stopped = run->stopped};
    if (run->net.ops->deterministic) {
        trp_recorder_print_hash(&run->recorder, ret_summary->trace_hash);
    }
}
