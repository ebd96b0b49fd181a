/* SPDX-License-Identifier: MIT */
#include "scenarios/harness/state.h"

/* A sample looks at every host: beyond a hundred of them, the more there are the rarer it is. */
#define SAMPLE_NS      TRP_S(5)
#define SAMPLE_NS_MAX  TRP_S(30)
#define SAMPLE_HOSTS_S 20u /* so many hosts are looked at in a second */
#define PROBES         16u /* walks per sample */

/* ---- the oracle's snapshot ---- */

static bool measure_reaches(void *user, uint32_t from, uint32_t to)
{
    const struct trp_run *run = user;
    return !run->net.ops->is_cut(run->net.self, from, to) &&
           !run->net.ops->is_cut(run->net.self, to, from);
}

static enum trp_status snapshot_table(struct trp_run *run, uint32_t host)
{
    uint32_t at = 0;
    uint32_t bucket;
    struct trp_peer_id peer;
    enum trp_status status = TRP_OK;
    while (status == TRP_OK && trp_node_next_kad_peer(run->hosts[host].node, &at, &peer, &bucket)) {
        status = trp_oracle_add_entry(run->oracle, host, &peer, bucket);
    }
    return status;
}

enum trp_status trp_harness_snapshot(struct trp_run *run, bool tables)
{
    enum trp_status status = TRP_OK;
    trp_oracle_begin(run->oracle, measure_reaches, run);
    for (uint32_t i = 0; i < run->plan->hosts_count && status == TRP_OK; i++) {
        if (run->hosts[i].node != NULL && !run->hosts[i].leaving) {
            status = trp_oracle_add(run->oracle, i, trp_node_peer_id(run->hosts[i].node));
        }
    }
    if (status == TRP_OK) {
        status = trp_oracle_index(run->oracle);
    }
    for (uint32_t i = 0; tables && i < run->plan->hosts_count && status == TRP_OK; i++) {
        if (run->hosts[i].node != NULL && !run->hosts[i].leaving) {
            status = snapshot_table(run, i);
        }
    }
    return status;
}

/* ---- metrics of the world ---- */

/* Walks lookups of drawn keys from drawn hosts. */
static void measure_walks(struct trp_run *run, struct sample *sample)
{
    uint64_t recall = 0;
    uint64_t hops = 0;
    uint32_t walks = 0;
    for (uint32_t i = 0; i < PROBES; i++) {
        uint64_t draw = trp_harness_draw(run, i, STREAM_PROBE, sample->at);
        uint32_t from = (uint32_t)(draw % run->plan->hosts_count);
        struct trp_oracle_lookup lookup;
        if (trp_oracle_walk(run->oracle, from, trp_bytes(&draw, sizeof draw), &lookup) == TRP_OK) {
            recall += lookup.recall_ppm;
            hops += lookup.hops;
            walks++;
        }
    }
    sample->values[TRP_METRIC_RECALL] = walks == 0 ? TRP_PPM : recall / walks;
    sample->values[TRP_METRIC_HOPS] = walks == 0 ? 0 : hops * TRP_PPM / walks;
}

/* Says whether one of the live nodes closest to a name's key holds it. */
static bool measure_name(struct trp_run *run, const char *name, const struct trp_peer_id *provider)
{
    uint32_t closest[TRP_ORACLE_K];
    struct trp_bytes key = trp_bytes_text(name);
    uint32_t count = trp_oracle_closest(run->oracle, key, closest, TRP_ORACLE_K);
    for (uint32_t i = 0; i < count; i++) {
        if (trp_node_holds_provider(run->hosts[closest[i]].node, key, provider)) {
            return true;
        }
    }
    return false;
}

/* Of the names that live actors are registered under, the share that a holder among the k closest
 * live nodes knows. */
static uint64_t measure_availability(struct trp_run *run)
{
    uint64_t names = 0;
    uint64_t available = 0;
    for (uint32_t a = 0; a < run->plan->actors_count; a++) {
        const struct trp_plan_actor *actor = &run->plan->actors[a];
        for (uint32_t h = 0; actor->name != NULL && h < run->crews[a].count; h++) {
            uint32_t host = run->crews[a].hosts[h];
            char name[256];
            struct trp_actor_ref ref;
            if (run->hosts[host].node == NULL || run->hosts[host].leaving ||
                trp_plan_actor_name(run->plan, actor, host, 0, name, sizeof name) != TRP_OK ||
                trp_node_find_name(run->hosts[host].node, trp_bytes_text(name), &ref) != TRP_OK) {
                continue;
            }
            names++;
            available += measure_name(run, name, trp_node_peer_id(run->hosts[host].node));
        }
    }
    return names == 0 ? TRP_PPM : available * TRP_PPM / names;
}

static void measure_nodes(struct trp_run *run, struct sample *sample, trp_time span)
{
    uint64_t rpcs = 0;
    uint64_t timeouts = 0;
    uint64_t connections = 0;
    uint64_t memory = 0;
    uint64_t peak = 0;
    uint64_t up = 0;
    for (uint32_t i = 0; i < run->plan->hosts_count; i++) {
        const struct host *host = &run->hosts[i];
        peak = host->memory_peak > peak ? host->memory_peak : peak;
        rpcs += host->kad_rpcs;
        timeouts += host->kad_timeouts;
        if (host->node == NULL) {
            continue;
        }
        struct trp_node_view view;
        trp_node_inspect(host->node, &view);
        up++;
        rpcs += view.kad_rpcs;
        timeouts += view.kad_timeouts;
        connections += view.connections;
        memory += view.memory_bytes;
    }
    struct trp_network_stats stats;
    run->net.ops->stats(run->net.self, &stats);
    uint64_t seconds_ppm = span / 1000; /* millionths of a second */
    seconds_ppm = seconds_ppm == 0 ? 1 : seconds_ppm;
    sample->values[TRP_METRIC_UP] = up * TRP_PPM;
    sample->values[TRP_METRIC_CONNECTIONS] = up == 0 ? 0 : connections * TRP_PPM / up;
    sample->values[TRP_METRIC_MEMORY] = up == 0 ? 0 : memory / up;
    sample->values[TRP_METRIC_MEMORY_PEAK] = peak;
    sample->values[TRP_METRIC_RPCS] = (rpcs - run->rpcs) * TRP_PPM / seconds_ppm * TRP_PPM;
    sample->values[TRP_METRIC_TIMEOUTS] =
        (timeouts - run->timeouts) * TRP_PPM / seconds_ppm * TRP_PPM;
    sample->values[TRP_METRIC_TRAFFIC] =
        (stats.bytes_sent - run->bytes_sent) * TRP_PPM / seconds_ppm;
    run->rpcs = rpcs;
    run->timeouts = timeouts;
    run->bytes_sent = stats.bytes_sent;
}

static double measure_display(enum trp_unit unit, uint64_t value)
{
    switch (unit) {
    case TRP_UNIT_RATIO:
    case TRP_UNIT_NUMBER:
        return (double)value / TRP_PPM;
    case TRP_UNIT_SPAN:
        return (double)value / 1e9;
    case TRP_UNIT_BYTES:
        return (double)value;
    }
    return 0;
}

static void measure_record(struct trp_run *run, const struct sample *sample)
{
    const struct trp_vocabulary *vocabulary = trp_harness_vocabulary();
    for (uint32_t i = 0; run->options.record != NULL && i < TRP_WORLD_METRICS_COUNT; i++) {
        trp_run_sample(run->options.record, run->metric_ids[i], sample->at, TRP_RUN_NO_HOST,
                       measure_display(vocabulary->metrics[i].unit, sample->values[i]));
    }
    trp_trace_measured(
        &run->trace,
        &(struct trp_event_measured){.recall_ppm = sample->values[TRP_METRIC_RECALL],
                                     .neighbourhood_ppm = sample->values[TRP_METRIC_NEAR],
                                     .stale_ppm = sample->values[TRP_METRIC_STALE],
                                     .components = sample->values[TRP_METRIC_COMPONENTS] / TRP_PPM,
                                     .hosts = sample->values[TRP_METRIC_UP] / TRP_PPM});
}

static trp_time measure_every(const struct trp_run *run)
{
    trp_time every = TRP_S(run->plan->hosts_count / SAMPLE_HOSTS_S);
    return every < SAMPLE_NS ? SAMPLE_NS : trp_time_min(every, SAMPLE_NS_MAX);
}

enum trp_status trp_harness_sample(struct trp_run *run)
{
    if (run->samples_count == run->samples_capacity) {
        uint32_t capacity = run->samples_capacity == 0 ? 64 : run->samples_capacity * 2;
        struct sample *samples =
            trp_memory_resize(&run->memory, run->samples, capacity * sizeof *samples);
        if (samples == NULL) {
            return TRP_ENOMEM;
        }
        run->samples = samples;
        run->samples_capacity = capacity;
    }
    enum trp_status status = trp_harness_snapshot(run, true);
    if (status != TRP_OK) {
        return status;
    }
    struct sample *sample = &run->samples[run->samples_count++];
    *sample = (struct sample){.at = trp_harness_now(run)};
    struct trp_oracle_tables tables;
    trp_oracle_tables(run->oracle, &tables);
    trp_watch_sample(run);
    sample->values[TRP_METRIC_TABLES] = tables.completeness_ppm;
    sample->values[TRP_METRIC_NEAR] = tables.neighbourhood_ppm;
    sample->values[TRP_METRIC_NEAR_MIN] = tables.neighbourhood_min_ppm;
    sample->values[TRP_METRIC_STALE] = tables.stale_ppm;
    sample->values[TRP_METRIC_COMPONENTS] = (uint64_t)tables.components * TRP_PPM;
    sample->values[TRP_METRIC_AVAILABLE] = measure_availability(run);
    measure_walks(run, sample);
    measure_nodes(run, sample, measure_every(run));
    measure_record(run, sample);
    trp_time next = trp_time_after(sample->at, measure_every(run));
    return next > run->plan->until_ns
               ? TRP_OK
               : trp_harness_schedule(run, next, AGENDA_SAMPLE, 0, TRP_STATE_KEPT, 0);
}

enum trp_status trp_harness_begin_measures(struct trp_run *run)
{
    static const char *const units[] = {[TRP_UNIT_RATIO] = "ratio",
                                        [TRP_UNIT_NUMBER] = "count",
                                        [TRP_UNIT_SPAN] = "s",
                                        [TRP_UNIT_BYTES] = "bytes"};
    const struct trp_vocabulary *vocabulary = trp_harness_vocabulary();
    for (uint32_t i = 0; run->options.record != NULL && i < TRP_WORLD_METRICS_COUNT; i++) {
        const struct trp_vocabulary_metric *metric = &vocabulary->metrics[i];
        run->metric_ids[i] =
            trp_run_metric(run->options.record, metric->name, units[metric->unit], metric->about);
    }
    return trp_harness_schedule(run, measure_every(run), AGENDA_SAMPLE, 0, TRP_STATE_KEPT, 0);
}
