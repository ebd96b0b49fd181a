-- Lookups by workload: how they ended, latency of those that found (nearest rank), and their cost.
WITH ranked AS (
    SELECT workload, latency_ns,
           row_number() OVER (PARTITION BY workload ORDER BY latency_ns) AS rank,
           count(*) OVER (PARTITION BY workload) AS n
      FROM lookup WHERE found = 1
), latencies AS (
    SELECT workload,
           max(CASE WHEN rank = (n * 50 + 99) / 100 THEN latency_ns END) AS p50_ns,
           max(CASE WHEN rank = (n * 90 + 99) / 100 THEN latency_ns END) AS p90_ns,
           max(CASE WHEN rank = (n * 99 + 99) / 100 THEN latency_ns END) AS p99_ns,
           max(latency_ns) AS max_ns
      FROM ranked GROUP BY workload
)
SELECT lookup.workload, count(*) AS lookups,
       ifnull(sum(found), 0) AS found,
       ifnull(sum(found = 0), 0) AS missed,
       sum(finished_ns IS NULL) AS unfinished,
       p50_ns, p90_ns, p99_ns, max_ns,
       avg(hops) AS hops, avg(rpcs) AS rpcs, avg(timeouts) AS timeouts, avg(recall) AS recall
  FROM lookup LEFT JOIN latencies ON latencies.workload IS lookup.workload
 GROUP BY lookup.workload
 ORDER BY lookup.workload;
