-- Lookups by workload: how they ended, latency of those that found, and their cost.
SELECT workload, count(*) AS lookups,
       ifnull(sum(found), 0) AS found,
       ifnull(sum(found = 0), 0) AS missed,
       sum(finished_ns IS NULL) AS unfinished,
       percentile(latency_ns, 50) FILTER (WHERE found = 1) AS p50_ns,
       percentile(latency_ns, 90) FILTER (WHERE found = 1) AS p90_ns,
       percentile(latency_ns, 99) FILTER (WHERE found = 1) AS p99_ns,
       max(latency_ns) FILTER (WHERE found = 1) AS max_ns,
       avg(hops) AS hops, avg(rpcs) AS rpcs, avg(timeouts) AS timeouts
  FROM lookup GROUP BY workload ORDER BY workload;
