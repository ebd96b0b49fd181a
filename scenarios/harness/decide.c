/* SPDX-License-Identifier: MIT */
/* What a run decided, gathered for scenarios/lang/decide.h. */
#include "scenarios/harness/state.h"

#include "scenarios/lang/decide.h"

#include <stdio.h>
#include <stdlib.h>

#define NAME_BYTES_MAX 256u

/* Everything that was decided, and the room it is kept in. */
struct gathered {
    trp_time *starts;
    struct trp_decided_hosts *bootstraps;
    uint32_t (*peers)[TRP_HARNESS_BOOTSTRAP_MAX];
    struct trp_decided_hosts *crews;
    struct trp_decided_action *actions;
    struct trp_decided_operation *operations;
    uint64_t operations_count;
    char *names; /* of the targets, one after the other */
};

static void gathered_free(struct gathered *all)
{
    free(all->starts);
    free(all->bootstraps);
    free(all->peers);
    free(all->crews);
    free(all->actions);
    free(all->operations);
    free(all->names);
}

static bool gathered_open(const struct trp_run *run, struct gathered *all)
{
    const struct trp_plan *plan = run->plan;
    all->operations_count = run->operations_count;
    uint64_t kept = all->operations_count > TRP_DECIDED_OPERATIONS_MAX ? 0 : all->operations_count;
    all->starts = calloc(plan->hosts_count + 1u, sizeof *all->starts);
    all->bootstraps = calloc(plan->hosts_count + 1u, sizeof *all->bootstraps);
    all->peers = calloc(plan->hosts_count + 1u, sizeof *all->peers);
    all->crews = calloc(plan->actors_count + 1u, sizeof *all->crews);
    all->actions = calloc(plan->timeline_count + 1u, sizeof *all->actions);
    all->operations = calloc(kept + 1, sizeof *all->operations);
    all->names = malloc(kept * NAME_BYTES_MAX + 1);
    return all->starts != NULL && all->bootstraps != NULL && all->peers != NULL &&
           all->crews != NULL && all->actions != NULL && all->operations != NULL &&
           all->names != NULL;
}

static enum trp_status gather_hosts(struct trp_run *run, struct gathered *all)
{
    enum trp_status status = TRP_OK;
    for (uint32_t i = 0; i < run->plan->hosts_count && status == TRP_OK; i++) {
        const struct trp_selector *from = trp_plan_group_of(run->plan, i)->bootstrap;
        all->starts[i] = trp_harness_start_of(run, i);
        if (from != NULL &&
            (from->hosts == NULL || from->hosts_count > TRP_HARNESS_BOOTSTRAP_MAX)) {
            struct trp_decided_hosts *peers = &all->bootstraps[i];
            peers->hosts = all->peers[i];
            status = trp_harness_bootstrap_of(run, i, all->peers[i], &peers->count);
        }
    }
    return status;
}

static enum trp_status gather_operations(struct trp_run *run, struct gathered *all)
{
    enum trp_status status = TRP_OK;
    if (all->operations_count > TRP_DECIDED_OPERATIONS_MAX) {
        return TRP_OK;
    }
    for (uint64_t i = 0; i < all->operations_count && status == TRP_OK; i++) {
        const struct operation *operation = &run->operations[i];
        char *name = all->names + i * NAME_BYTES_MAX;
        status = trp_harness_target(run, operation->workload, operation->count, operation->host,
                                    name, NAME_BYTES_MAX);
        all->operations[i] = (struct trp_decided_operation){
            .workload = operation->workload,
            .occasion = {.at = operation->started, .host = operation->host, .target = name}};
    }
    return status;
}

static void gather_choices(const struct trp_run *run, struct gathered *all)
{
    for (uint32_t i = 0; i < run->plan->actors_count; i++) {
        const struct crew *crew = &run->crews[i];
        all->crews[i] = (struct trp_decided_hosts){.hosts = crew->hosts, .count = crew->count};
    }
    for (uint32_t i = 0; i < run->plan->timeline_count; i++) {
        const struct act *act = &run->acts[i];
        all->actions[i] =
            (struct trp_decided_action){.taken = act->taken,
                                        .hit = {.hosts = act->hosts, .count = act->hosts_count},
                                        .ends = act->ends,
                                        .sides = act->sides,
                                        .pairs = act->pairs,
                                        .pairs_count = act->pairs_count,
                                        .name = act->name};
    }
}

char *trp_run_print_decisions(struct trp_run *run, const struct trp_load *load,
                              char ret_problem[256])
{
    struct gathered all = {0};
    char *text = NULL;
    enum trp_status status = gathered_open(run, &all) ? gather_hosts(run, &all) : TRP_ENOMEM;
    if (status == TRP_OK) {
        status = gather_operations(run, &all);
    }
    if (status == TRP_OK) {
        gather_choices(run, &all);
        const struct trp_decisions decisions = {.seed = run->options.seed,
                                                .starts = all.starts,
                                                .bootstraps = all.bootstraps,
                                                .crews = all.crews,
                                                .actions = all.actions,
                                                .operations = all.operations,
                                                .operations_count = all.operations_count};
        text = trp_load_print_decided(load, &decisions, ret_problem);
    } else {
        (void)snprintf(ret_problem, 256, "%s", trp_status_text(status));
    }
    gathered_free(&all);
    return text;
}
