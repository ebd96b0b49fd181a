-- Requests by workload: how they ended, and the latency of those that were answered.
SELECT kind, workload, count(*) AS requests,
       sum(status IS 'OK') AS ok,
       sum(outcomes > 0 AND status <> 'OK') AS failed,
       sum(outcomes = 0) AS unanswered,
       sum(outcomes > 1) AS repeated,
       percentile(latency_ns, 50) FILTER (WHERE status = 'OK') AS p50_ns,
       percentile(latency_ns, 90) FILTER (WHERE status = 'OK') AS p90_ns,
       percentile(latency_ns, 99) FILTER (WHERE status = 'OK') AS p99_ns,
       max(latency_ns) FILTER (WHERE status = 'OK') AS max_ns
  FROM request GROUP BY kind, workload ORDER BY kind, workload;
