/* SPDX-License-Identifier: MIT */
/* What a run came to, measured against what its scenario expects. */
#include "scenarios/harness/state.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* ---- metrics of a workload entry ---- */

static int time_compare(const void *a, const void *b)
{
    trp_time first = *(const trp_time *)a;
    trp_time second = *(const trp_time *)b;
    return (first > second) - (first < second); /* equal times are alike in every way */
}

/* The value at a rank of the sorted times: nearest-rank percentile, in hundredths. */
static trp_time percentile(const trp_time *sorted, uint64_t count, uint64_t hundredths)
{
    uint64_t rank = (count * hundredths + 99) / 100;
    return sorted[rank == 0 ? 0 : rank - 1];
}

struct tally {
    uint64_t begun;
    uint64_t succeeded;
    uint64_t hops;
    uint64_t rpcs;
    uint64_t timeouts;
    trp_time *times; /* of those that succeeded */
};

static bool tally_count(const struct trp_run *run, uint32_t workload, trp_time from, trp_time until,
                        struct tally *tally)
{
    tally->times = malloc((run->operations_count + 1) * sizeof *tally->times);
    if (tally->times == NULL) {
        return false;
    }
    for (uint64_t i = 0; i < run->operations_count; i++) {
        const struct operation *operation = &run->operations[i];
        if (operation->workload != workload || operation->started < from ||
            operation->started >= until || operation->orphaned) {
            continue;
        }
        tally->begun++;
        tally->rpcs += operation->rpcs;
        tally->hops += operation->hops;
        tally->timeouts += operation->timeouts;
        if (operation->outcomes > 0 && operation->status == TRP_OK) {
            tally->times[tally->succeeded++] = operation->finished - operation->started;
        }
    }
    if (tally->succeeded > 0) {
        qsort(tally->times, tally->succeeded, sizeof *tally->times, time_compare);
    }
    return tally->begun > 0;
}

static bool tally_value(const struct tally *tally, enum trp_workload_metric metric,
                        uint64_t *ret_value)
{
    static const uint64_t hundredths[TRP_WORKLOAD_METRICS_COUNT] = {[TRP_METRIC_P50] = 50,
                                                                    [TRP_METRIC_P95] = 95,
                                                                    [TRP_METRIC_P99] = 99,
                                                                    [TRP_METRIC_MAX] = 100};
    switch (metric) {
    case TRP_METRIC_SUCCESS:
        *ret_value = tally->succeeded * TRP_PPM / tally->begun;
        return true;
    case TRP_METRIC_COUNT:
        *ret_value = tally->begun * TRP_PPM;
        return true;
    case TRP_METRIC_P50:
    case TRP_METRIC_P95:
    case TRP_METRIC_P99:
    case TRP_METRIC_MAX:
        if (tally->succeeded == 0) {
            return false;
        }
        *ret_value = percentile(tally->times, tally->succeeded, hundredths[metric]);
        return true;
    case TRP_METRIC_W_HOPS:
        *ret_value = tally->hops * TRP_PPM / tally->begun;
        return true;
    case TRP_METRIC_W_RPCS:
        *ret_value = tally->rpcs * TRP_PPM / tally->begun;
        return true;
    case TRP_METRIC_W_TIMEOUTS:
        *ret_value = tally->timeouts * TRP_PPM / tally->begun;
        return true;
    case TRP_WORKLOAD_METRICS_COUNT:
        break;
    }
    return false;
}

bool trp_harness_measure_workload(const struct trp_run *run, uint32_t workload,
                                  enum trp_workload_metric metric, trp_time from, trp_time until,
                                  uint64_t *ret_value)
{
    struct tally tally = {0};
    bool known =
        tally_count(run, workload, from, until, &tally) && tally_value(&tally, metric, ret_value);
    free(tally.times);
    return known;
}

/* ---- expectations ---- */

static uint32_t find_metric(const struct trp_vocabulary_metric *metrics, uint32_t count,
                            const char *name)
{
    uint32_t index = 0;
    while (index < count && strcmp(metrics[index].name, name) != 0) {
        index++;
    }
    return index;
}

static bool within_bounds(const struct trp_plan_expect *expect, uint64_t value)
{
    return (!expect->has_at_least || value >= expect->at_least) &&
           (!expect->has_at_most || value <= expect->at_most);
}

static void judge_always(const struct trp_run *run, const struct trp_plan_expect *expect,
                         struct trp_run_judgement *judgement)
{
    const struct trp_vocabulary *vocabulary = trp_harness_vocabulary();
    for (uint32_t i = 0; i < TRP_ALWAYS_COUNT; i++) {
        const struct invariant *invariant = &run->watch.invariants[i];
        if (strcmp(vocabulary->always[i].name, expect->name) != 0) {
            continue;
        }
        judgement->verdict = TRP_RUN_HELD;
        if (invariant->broken) {
            judgement->verdict = TRP_RUN_BROKEN;
            judgement->failed = invariant->at;
            judgement->sequence = invariant->sequence;
            judgement->host = invariant->host;
            (void)snprintf(judgement->detail, sizeof judgement->detail, "%s", invariant->detail);
        } else if (i == TRP_ALWAYS_ONE_OUTCOME && run->operations_open > 0) {
            judgement->verdict = TRP_RUN_BROKEN;
            (void)snprintf(judgement->detail, sizeof judgement->detail,
                           "%" PRIu64 " operations never had an outcome", run->operations_open);
        }
    }
}

/* Looks for a sample in [from, until] from which on the metric stays within bounds for for_ns. */
static void judge_eventually(const struct trp_run *run, const struct trp_plan_expect *expect,
                             struct trp_run_judgement *judgement)
{
    const struct trp_vocabulary *vocabulary = trp_harness_vocabulary();
    uint32_t metric =
        find_metric(vocabulary->metrics, TRP_WORLD_METRICS_COUNT, expect->metric.name);
    trp_time since = TRP_NEVER; /* within bounds since */
    judgement->verdict = TRP_RUN_UNDECIDED;
    for (uint32_t i = 0; i < run->samples_count && metric < TRP_WORLD_METRICS_COUNT; i++) {
        const struct sample *sample = &run->samples[i];
        if (sample->at < expect->from) {
            continue;
        }
        uint64_t value = sample->values[metric];
        judgement->has_value = true;
        judgement->value = value;
        judgement->verdict = TRP_RUN_BROKEN;
        if (!within_bounds(expect, value)) {
            since = TRP_NEVER;
            continue;
        }
        since = since == TRP_NEVER ? sample->at : since;
        if (since > expect->until) {
            break;
        }
        if (sample->at - since >= expect->for_ns) {
            judgement->verdict = TRP_RUN_HELD;
            (void)snprintf(judgement->detail, sizeof judgement->detail,
                           "reached after %" PRIu64 ".%01" PRIu64 " s",
                           (since - expect->from) / TRP_S(1),
                           (since - expect->from) % TRP_S(1) / TRP_MS(100));
            return;
        }
    }
    judgement->failed = expect->until;
    (void)snprintf(judgement->detail, sizeof judgement->detail, "%s",
                   judgement->verdict == TRP_RUN_UNDECIDED ? "there is no sample in this span"
                                                           : "not reached in time");
}

/* Every sample of the world's metric, or the operations of a workload entry, in [from, until]. */
static void judge_metric(const struct trp_run *run, const struct trp_plan_expect *expect,
                         struct trp_run_judgement *judgement)
{
    const struct trp_vocabulary *vocabulary = trp_harness_vocabulary();
    judgement->verdict = TRP_RUN_UNDECIDED;
    if (expect->metric.workload != TRP_PLAN_NONE) {
        uint32_t metric = find_metric(vocabulary->workload_metrics, TRP_WORKLOAD_METRICS_COUNT,
                                      expect->metric.name);
        if (metric < TRP_WORKLOAD_METRICS_COUNT &&
            trp_harness_measure_workload(run, expect->metric.workload,
                                         (enum trp_workload_metric)metric, expect->from,
                                         expect->until, &judgement->value)) {
            judgement->has_value = true;
            judgement->verdict =
                within_bounds(expect, judgement->value) ? TRP_RUN_HELD : TRP_RUN_BROKEN;
        } else {
            (void)snprintf(judgement->detail, sizeof judgement->detail,
                           "no operation to measure in this span");
        }
        return;
    }
    uint32_t metric =
        find_metric(vocabulary->metrics, TRP_WORLD_METRICS_COUNT, expect->metric.name);
    for (uint32_t i = 0; i < run->samples_count && metric < TRP_WORLD_METRICS_COUNT; i++) {
        const struct sample *sample = &run->samples[i];
        if (sample->at < expect->from || sample->at > expect->until) {
            continue;
        }
        judgement->has_value = true;
        judgement->value = sample->values[metric];
        judgement->verdict = TRP_RUN_HELD;
        if (!within_bounds(expect, judgement->value)) {
            judgement->verdict = TRP_RUN_BROKEN;
            judgement->failed = sample->at;
            return;
        }
    }
}

/* A run that an invariant has stopped says nothing of what was to come later. */
static void judge_cut_short(const struct trp_run *run, const struct trp_plan_expect *expect,
                            struct trp_run_judgement *judgement)
{
    trp_time now = trp_harness_now(run);
    if (!run->stopped || judgement->verdict == TRP_RUN_BROKEN || expect->until <= now) {
        return;
    }
    judgement->verdict = TRP_RUN_UNDECIDED;
    (void)snprintf(judgement->detail, sizeof judgement->detail,
                   "the run was stopped at %" PRIu64 ".%03" PRIu64 " s, when an invariant broke",
                   now / TRP_S(1), now % TRP_S(1) / TRP_MS(1));
}

enum trp_status trp_run_judge(const struct trp_run *run, uint32_t index,
                              struct trp_run_judgement *ret_judgement)
{
    const struct trp_plan_expect *expect = &run->plan->expect[index];
    struct trp_run_judgement judgement = {
        .verdict = TRP_RUN_UNDECIDED, .failed = TRP_NEVER, .host = TRP_RUN_NO_HOST};
    switch (expect->kind) {
    case TRP_PLAN_ALWAYS:
        judge_always(run, expect, &judgement);
        break;
    case TRP_PLAN_EVENTUALLY:
        judge_eventually(run, expect, &judgement);
        break;
    case TRP_PLAN_METRIC:
        judge_metric(run, expect, &judgement);
        break;
    case TRP_PLAN_SQL:
        return TRP_EUNSUPPORTED;
    }
    if (expect->kind != TRP_PLAN_ALWAYS) {
        judge_cut_short(run, expect, &judgement);
    }
    *ret_judgement = judgement;
    return TRP_OK;
}
