/* SPDX-License-Identifier: MIT */
/* harness/vocabulary.h - what the words of a scenario may mean here: actors, metrics, invariants.
 */
#ifndef HARNESS_VOCABULARY_H
#define HARNESS_VOCABULARY_H

#include "scenarios/lang/load.h"

/* X(id, name, unit, text): metrics of the world, sampled while a scenario runs. */
#define TRP_WORLD_METRICS(X)                                                                       \
    X(RECALL, "dht.recall_at_k", RATIO, "of the k closest live nodes, how many a lookup finds")    \
    X(TABLES, "dht.table_completeness", RATIO, "live entries of the possible ones, k per bucket")  \
    X(NEAR, "dht.neighbourhood_completeness", RATIO,                                               \
      "of each node's k closest, how many it knows")                                               \
    X(NEAR_MIN, "dht.neighbourhood_min", RATIO, "the same, of the worst node")                     \
    X(STALE, "dht.stale_ratio", RATIO, "table entries that are dead or out of reach")              \
    X(COMPONENTS, "dht.components", NUMBER, "parts of the overlay with no link between them")      \
    X(AVAILABLE, "dht.record_availability", RATIO, "names with a holder among the k closest")      \
    X(HOPS, "dht.hops", NUMBER, "mean referrals of a lookup over the tables")                      \
    X(RPCS, "dht.rpcs_per_s", NUMBER, "DHT requests per second, all hosts")                        \
    X(TIMEOUTS, "dht.timeouts_per_s", NUMBER, "DHT requests without an answer per second")         \
    X(CONNECTIONS, "net.connections", NUMBER, "mean connections per host")                         \
    X(TRAFFIC, "net.bytes_per_s", BYTES, "bytes sent per second, all hosts")                       \
    X(MEMORY, "node.memory", BYTES, "mean memory of a node")                                       \
    X(MEMORY_PEAK, "node.memory_peak", BYTES, "the most that any node has used so far")            \
    X(UP, "hosts.up", NUMBER, "hosts that run")

/* X(id, name, unit, text): metrics of a workload entry, over what it began in a span. */
#define TRP_WORKLOAD_METRICS(X)                                                                    \
    X(SUCCESS, "success_ratio", RATIO, "operations that succeeded")                                \
    X(COUNT, "count", NUMBER, "operations begun")                                                  \
    X(P50, "latency.p50", SPAN, "median time of those that succeeded")                             \
    X(P95, "latency.p95", SPAN, "95th percentile")                                                 \
    X(P99, "latency.p99", SPAN, "99th percentile")                                                 \
    X(MAX, "latency.max", SPAN, "the slowest")                                                     \
    X(W_HOPS, "hops.mean", NUMBER, "referrals per lookup")                                         \
    X(W_RPCS, "rpcs.mean", NUMBER, "requests per lookup")                                          \
    X(W_TIMEOUTS, "timeouts.mean", NUMBER, "requests without an answer per lookup")

/* X(id, name, text): invariants. */
#define TRP_ALWAYS(X)                                                                              \
    X(ONE_OUTCOME, "one_outcome_per_ask", "an ask has exactly one outcome")                        \
    X(ENDS, "requests_end_in_time", "every operation ends within the node's own time-outs")        \
    X(NO_SELF, "no_self_in_table", "no node is in its own routing table")                          \
    X(BUCKETS, "entries_in_their_bucket", "every entry is in the bucket its id demands")           \
    X(BUCKET_SIZE, "buckets_within_k", "no bucket has more than k entries")                        \
    X(NO_DOUBLE, "no_double_in_table", "no routing table has a peer twice")                        \
    X(RECORDS_EXPIRE, "provider_records_expire", "the records of the gone end with their time")    \
    X(TOLD_ONCE, "death_told_once", "a death is told once for each link, and of no other actor")   \
    X(TOLD_IN_TIME, "death_told_in_time", "with nothing in the way, a linked death gets told")     \
    X(MEMORY_BOUND, "memory_within_limits", "no node uses more than its limit")                    \
    X(CONNECTION_BOUND, "connections_within_limits", "no node has more than its limit")            \
    X(NODES_GO_ON, "no_node_breaks", "no node's process ends by itself")

enum trp_world_metric {
#define TRP_METRIC_ENUM(id, name, unit, text) TRP_METRIC_##id,
    TRP_WORLD_METRICS(TRP_METRIC_ENUM) TRP_WORLD_METRICS_COUNT
};
enum trp_workload_metric {
    TRP_WORKLOAD_METRICS(TRP_METRIC_ENUM) TRP_WORKLOAD_METRICS_COUNT
#undef TRP_METRIC_ENUM
};
enum trp_always {
#define TRP_ALWAYS_ENUM(id, name, text) TRP_ALWAYS_##id,
    TRP_ALWAYS(TRP_ALWAYS_ENUM) TRP_ALWAYS_COUNT
#undef TRP_ALWAYS_ENUM
};

/* Borrows the vocabulary; static storage. */
const struct trp_vocabulary *trp_harness_vocabulary(void);

#endif
