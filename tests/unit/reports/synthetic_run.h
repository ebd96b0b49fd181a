/* SPDX-License-Identifier: MIT */
/* A made-up run with the shape of a real one: sixty hosts, a partition that heals, crashes and
 * churn, some asks without an answer. Every number is a keyed draw, so that it is always the same.
 */
#ifndef SYNTHETIC_RUN_H
#define SYNTHETIC_RUN_H

#include "base/prng.h"
#include "reports/store/run_record.h"
#include "trace/trace.h"

#include <math.h>
#include <stdio.h>

#define SYNTHETIC_HOSTS     60u
#define SYNTHETIC_SEED      7u
#define SYNTHETIC_REPRODUCE "troupe run scenarios/library/fault/partition-heal.yaml --seed 7"

static const char synthetic_source[] =
    "name: partition-heal\n"
    "about: A 60-node DHT splits in two, heals, and every registered actor is found again.\n"
    "run: { until: 10min, seed: 1 }\n"
    "network:\n"
    "  transport: tcp\n"
    "  links:\n"
    "    default:        { latency: \"lognormal(p50=40ms, p99=180ms)\", loss: 0.1% }\n"
    "    \"west <-> east\": { latency: 120ms }\n"
    "hosts:\n"
    "  boot: { count: 3, zone: west }\n"
    "  west: { count: 28, zone: west, bootstrap: boot, start: \"uniform(0s, 30s)\" }\n"
    "  east: { count: 29, zone: east, bootstrap: boot, start: \"uniform(0s, 30s)\" }\n"
    "workload:\n"
    "  - { name: finds, from: 1min, every: \"exp(mean=500ms)\", lookup: \"counter-{random}\" }\n"
    "  - { name: asks,  from: 1min, every: \"exp(mean=1s)\", ask: \"counter-{random}\" }\n"
    "timeline:\n"
    "  - { at: 3min, partition: [ \"boot + west\", \"east\" ], mode: blackhole }\n"
    "  - { at: 5min, heal: all }\n"
    "  - { at: 6min, crash: \"random(5, of=west)\", restart: 30s, state: lost }\n"
    "expect:\n"
    "  - always: one_outcome_per_ask\n"
    "  - eventually: { metric: dht.recall_at_k, at_least: 0.99, for: 30s, after: heal }\n"
    "  - { metric: asks.latency.p99, at_most: 1s }\n"
    "  - sql: \"SELECT count(*) = 0 FROM ask WHERE outcomes <> 1 AND 1 < 2\"\n";

/* A number from 0 to 1. */
static inline double synthetic_draw(uint64_t stream, uint64_t counter)
{
    return (double)(trp_draw(SYNTHETIC_SEED, 1, stream, counter) >> 11) / 9007199254740992.0;
}

static inline bool synthetic_parted(trp_time at)
{
    return at >= TRP_MIN(3) && at < TRP_MIN(5);
}

static inline trp_time synthetic_latency(uint64_t stream, uint64_t counter)
{
    double u = synthetic_draw(stream, counter) + synthetic_draw(stream + 1, counter) +
               synthetic_draw(stream + 2, counter) - 1.5;
    return (trp_time)(45e6 * exp(1.3 * u));
}

static inline void synthetic_hosts(struct trp_run_record *record, struct trp_trace *trace)
{
    for (uint32_t i = 0; i < SYNTHETIC_HOSTS; i++) {
        const char *group = i < 3 ? "boot" : i < 31 ? "west" : "east";
        uint32_t first = i < 3 ? 0 : i < 31 ? 3 : 31;
        char name[32];
        char peer[64];
        char address[32];
        (void)snprintf(name, sizeof name, "%s-%u", group, i - first);
        (void)snprintf(peer, sizeof peer, "12D3KooWSynthetic%027u", i);
        (void)snprintf(address, sizeof address, "/ip4/10.0.0.%u/tcp/4001", i + 1);
        trp_time started = i < 3 ? 0 : (trp_time)(synthetic_draw(10, i) * 30e9);
        trp_run_host(record, &(struct trp_run_host){.index = i,
                                                    .name = name,
                                                    .group = group,
                                                    .zone = i < 31 ? "west" : "east",
                                                    .peer = peer,
                                                    .address = address,
                                                    .started = started});
        uint64_t sent = (uint64_t)(4e6 * (1 + 2 * synthetic_draw(11, i)) * (i < 3 ? 4 : 1));
        bool crashed = i >= 5 && i < 10;
        trp_run_host_totals(
            record, i,
            &(struct trp_run_host_totals){.bytes_sent = sent,
                                          .bytes_received = sent * 9 / 10 + 12345 * i,
                                          .connections = 40 + i % 17,
                                          .lives = crashed ? 2 : 1,
                                          .up = true});
        struct trp_peer_id id = {.size = 34, .bytes = {0x12, 0x20, (uint8_t)i}};
        trace->node = i;
        trace->now = started;
        trace->cause = 0;
        trp_trace_node_opened(trace, &(struct trp_event_node_opened){.peer = &id});
    }
}

static inline void synthetic_faults(struct trp_run_record *record)
{
    uint32_t all[SYNTHETIC_HOSTS];
    for (uint32_t i = 0; i < SYNTHETIC_HOSTS; i++) {
        all[i] = i;
    }
    trp_run_fault_start(record,
                        &(struct trp_run_fault){.id = 1,
                                                .kind = "partition",
                                                .text = "partition boot + west | east, blackhole",
                                                .hosts = all,
                                                .hosts_count = SYNTHETIC_HOSTS,
                                                .started = TRP_MIN(3)});
    trp_run_fault_end(record, 1, TRP_MIN(5));
    for (uint32_t i = 0; i < 5; i++) {
        char text[64];
        (void)snprintf(text, sizeof text, "crash west-%u, restart after 30s, state lost", 2 + i);
        trp_run_fault_start(record, &(struct trp_run_fault){.id = 2 + i,
                                                            .kind = "crash",
                                                            .text = text,
                                                            .hosts = &all[5 + i],
                                                            .hosts_count = 1,
                                                            .started = TRP_MIN(6)});
        trp_run_fault_end(record, 2 + i, TRP_MIN(6) + TRP_S(30));
    }
    trp_run_fault_start(record, &(struct trp_run_fault){.id = 7,
                                                        .kind = "reset",
                                                        .text = "reset half of east-4",
                                                        .hosts = &all[35],
                                                        .hosts_count = 1,
                                                        .started = TRP_MIN(7)});
    trp_run_fault_end(record, 7, TRP_MIN(7));
    trp_run_fault_start(record, &(struct trp_run_fault){.id = 8,
                                                        .kind = "slow",
                                                        .text = "slow east-9, factor 10",
                                                        .hosts = &all[40],
                                                        .hosts_count = 1,
                                                        .started = TRP_MIN(9)});
}

static inline void synthetic_asks(struct trp_run_record *record, struct trp_trace *trace)
{
    trp_time at = TRP_MIN(1);
    for (uint64_t i = 0; at < TRP_MIN(10); i++) {
        uint32_t from = (uint32_t)(synthetic_draw(20, i) * SYNTHETIC_HOSTS);
        uint32_t to = (uint32_t)(synthetic_draw(21, i) * SYNTHETIC_HOSTS);
        bool across = (from < 31) != (to < 31);
        trp_time latency = synthetic_latency(22, i) + (across ? TRP_MS(160) : 0);
        enum trp_status status = TRP_OK;
        if (across && synthetic_parted(at)) {
            latency = TRP_S(2);
            status = TRP_EREPLYTIMEOUT;
        } else if (to >= 5 && to < 10 && at >= TRP_MIN(6) && at < TRP_MIN(6) + TRP_S(30)) {
            status = TRP_EUNREACHABLE;
        }
        char actor[32];
        (void)snprintf(actor, sizeof actor, "counter-%u", to);
        struct trp_run_request request = {.kind = i % 7 == 6 ? TRP_RUN_TELL : TRP_RUN_ASK,
                                          .host = from,
                                          .workload = i % 7 == 6 ? "hints" : "asks",
                                          .actor = actor,
                                          .message = "inc",
                                          .started = at};
        uint64_t id = trp_run_request_start(record, &request);
        if (status != TRP_OK) {
            trace->node = from;
            trace->now = at + latency;
            trace->cause = 1 + from;
            struct trp_peer_id peer = {.size = 34, .bytes = {0x12, 0x20, (uint8_t)to}};
            trp_trace_request_failed(
                trace, &(struct trp_event_request_failed){.peer = &peer, .status = status});
        }
        if (at + latency < TRP_MIN(10)) {
            trp_run_request_outcome(record, id, at + latency, status);
        }
        if (i == 161) { /* the defect this run is about */
            trp_run_request_outcome(record, id, at + latency + TRP_MS(3), TRP_OK);
        }
        at += (trp_time)(-log(1 - synthetic_draw(26, i)) * 0.4e9);
    }
}

static inline void synthetic_lookups(struct trp_run_record *record)
{
    trp_time at = TRP_MIN(1);
    for (uint64_t i = 0; at < TRP_MIN(10); i++) {
        char name[32];
        uint32_t to = (uint32_t)(synthetic_draw(31, i) * SYNTHETIC_HOSTS);
        (void)snprintf(name, sizeof name, "counter-%u", to);
        uint64_t id = trp_run_lookup_start(
            record, &(struct trp_run_lookup){.host = (uint32_t)(synthetic_draw(30, i) * 60),
                                             .workload = "finds",
                                             .name = name,
                                             .started = at});
        bool hard = synthetic_parted(at) && synthetic_draw(32, i) < 0.45;
        bool found = !hard || synthetic_draw(33, i) < 0.3;
        uint32_t timeouts = hard ? 3 + (uint32_t)(synthetic_draw(34, i) * 9) : i % 31 == 0;
        double u = synthetic_draw(35, i);
        trp_time latency = 3 * synthetic_latency(36, i) + timeouts * TRP_MS(350);
        if (at + latency < TRP_MIN(10)) {
            trp_run_lookup_finish(
                record, id,
                &(struct trp_run_lookup_end){.finished = at + latency,
                                             .status = found ? TRP_OK : TRP_ENOTFOUND,
                                             .found = found,
                                             .hops = u < 0.42   ? 0
                                                     : u < 0.9  ? 1
                                                     : u < 0.98 ? 2
                                                                : 3,
                                             .rpcs = 18 + (uint32_t)(u * 8) + timeouts,
                                             .timeouts = timeouts});
        }
        at += (trp_time)(-log(1 - synthetic_draw(39, i)) * 0.5e9);
    }
}

static inline void synthetic_metrics(struct trp_run_record *record)
{
    uint32_t recall = trp_run_metric(record, "dht.recall_at_k", "ratio",
                                     "share of the true k closest in lookup results");
    uint32_t complete = trp_run_metric(record, "dht.table_completeness", "ratio",
                                       "entries held of those that could be held");
    uint32_t components =
        trp_run_metric(record, "overlay.components", "count", "parts the overlay is in");
    uint32_t mailbox = trp_run_metric(record, "actors.mailbox_depth", "count",
                                      "messages waiting, over all actors of a host");
    uint32_t traffic = trp_run_metric(record, "host.traffic", "bytes/s", "sent by a host");
    uint32_t rtt = trp_run_metric(record, "ping.round_trip", "s", "of the latest ping");
    for (uint64_t i = 0; i <= 120; i++) {
        trp_time at = TRP_S(5) * i;
        double s = (double)i * 5;
        bool parted = synthetic_parted(at);
        double after = s >= 300 ? exp(-(s - 300) / 18) : 1;
        double low = parted ? 0.45 + 0.1 * exp(-(s - 180) / 20) : 1 - (s >= 300 ? 0.5 * after : 0);
        double up = 1 - exp(-s / 14);
        trp_run_sample(record, recall, at, TRP_RUN_NO_HOST, fmin(1, low) * up);
        trp_run_sample(record, components, at, TRP_RUN_NO_HOST,
                       s < 40              ? 4 - floor(s / 13)
                       : parted && s > 215 ? 2
                                           : 1);
        for (uint32_t host = 0; host < SYNTHETIC_HOSTS; host++) {
            double noise = synthetic_draw(40 + i, host);
            trp_run_sample(record, complete, at, host,
                           fmin(1, (0.9 + 0.1 * noise) * up * (parted ? 0.75 : 1)));
            trp_run_sample(record, mailbox, at, host,
                           floor(noise * noise * (parted ? 30 : 6) * (host == 40 ? 5 : 1)));
            trp_run_sample(record, traffic, at, host,
                           (9000 + 14000 * noise) * (parted                ? 0.6
                                                     : s >= 300 && s < 340 ? 2.4
                                                                           : 1));
            if (!parted || noise < 0.5) {
                trp_run_sample(record, rtt, at, host, 0.08 * exp(1.2 * (noise - 0.5)));
            }
        }
    }
}

static inline void synthetic_verdicts(struct trp_run_record *record)
{
    trp_run_expect(record,
                   &(struct trp_run_expectation){.text = "always: one_outcome_per_ask",
                                                 .kind = "always",
                                                 .verdict = TRP_RUN_BROKEN,
                                                 .detail = "ask 162 had 2 outcomes: OK, then OK",
                                                 .failed = TRP_MIN(2) + TRP_MS(4321),
                                                 .sequence = 62,
                                                 .line = 21});
    trp_run_expect(record,
                   &(struct trp_run_expectation){
                       .text = "eventually: { metric: dht.recall_at_k, at_least: 0.99, for: 30s, "
                               "after: heal }",
                       .kind = "eventually",
                       .verdict = TRP_RUN_HELD,
                       .has_value = true,
                       .value = 74.5,
                       .unit = "s",
                       .detail = "held from 6min14s",
                       .failed = TRP_NEVER,
                       .line = 22});
    trp_run_expect(record, &(struct trp_run_expectation){.text = "asks.latency.p99 at most 1s",
                                                         .kind = "metric",
                                                         .verdict = TRP_RUN_BROKEN,
                                                         .has_value = true,
                                                         .value = 2.0,
                                                         .unit = "s",
                                                         .detail = "2 s is more than 1 s",
                                                         .failed = TRP_NEVER,
                                                         .line = 23});
}

/* Fills a new record; everything but `sql` expectations is in. */
static inline void synthetic_fill(struct trp_run_record *record)
{
    struct trp_recorder recorder;
    trp_recorder_init(&recorder, trp_run_record_sink(record));
    struct trp_trace trace = {.recorder = &recorder};
    trp_run_begin(record,
                  &(struct trp_run_start){
                      .scenario = "partition-heal",
                      .about = "A 60-node DHT splits in two, heals, and every registered actor is "
                               "found again.",
                      .file = "scenarios/library/fault/partition-heal.yaml",
                      .source = synthetic_source,
                      .seed = SYNTHETIC_SEED,
                      .version = "0.1.0",
                      .net = "sim",
                      .transport = "tcp",
                      .security = "noise",
                      .reproduce = SYNTHETIC_REPRODUCE});
    synthetic_hosts(record, &trace);
    synthetic_faults(record);
    synthetic_asks(record, &trace);
    synthetic_lookups(record);
    synthetic_metrics(record);
    synthetic_verdicts(record);
    char hash[33];
    trp_recorder_print_hash(&recorder, hash);
    trp_run_finish(record,
                   &(struct trp_run_end){.outcome = TRP_RUN_FAILED,
                                         .failure = "2 of 4 expectations are broken",
                                         .decisions = "timeline:\n  - { at: 3min, partition: … }\n",
                                         .trace_hash = hash,
                                         .events = recorder.sequence,
                                         .happenings = 1234567,
                                         .sim_ns = TRP_MIN(10),
                                         .wall_ns = TRP_MS(2310),
                                         .peak_rss_bytes = 148u << 20});
}

#endif
