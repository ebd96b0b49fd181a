/* SPDX-License-Identifier: MIT */
/* reports/embedded.h - the SQL and CSS files of this directory, as texts within the program.
 *
 * X(name) for each: reports/query/slowest.sql is embedded_query_slowest_sql. The list in
 * reports/CMakeLists.txt says which files; a missing one does not link. */
#ifndef REPORTS_EMBEDDED_H
#define REPORTS_EMBEDDED_H

#define EMBEDDED_MAP(X)                                                                            \
    X(store_schema_sql)                                                                            \
    X(store_indexes_sql)                                                                           \
    X(query_causes_sql)                                                                            \
    X(query_event_stream_sql)                                                                      \
    X(query_events_sql)                                                                            \
    X(query_expectations_sql)                                                                      \
    X(query_failures_sql)                                                                          \
    X(query_faults_sql)                                                                            \
    X(query_hops_sql)                                                                              \
    X(query_hosts_sql)                                                                             \
    X(query_latency_over_time_sql)                                                                 \
    X(query_latency_points_sql)                                                                    \
    X(query_lookups_over_time_sql)                                                                 \
    X(query_lookups_sql)                                                                           \
    X(query_metric_over_time_sql)                                                                  \
    X(query_metrics_sql)                                                                           \
    X(query_outcomes_over_time_sql)                                                                \
    X(query_requests_sql)                                                                          \
    X(query_slowest_sql)                                                                           \
    X(query_totals_sql)                                                                            \
    X(render_style_css)

#define EMBEDDED_DECLARE(name) extern const unsigned char embedded_##name[];
EMBEDDED_MAP(EMBEDDED_DECLARE)
#undef EMBEDDED_DECLARE

#define EMBEDDED(name) ((const char *)embedded_##name)

#endif
