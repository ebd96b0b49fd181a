-- Requests by workload: how they ended, and the latency of those that were answered (nearest rank).
WITH ranked AS (
    SELECT kind, workload, latency_ns,
           row_number() OVER workloads AS rank,
           count(*) OVER (PARTITION BY kind, workload) AS n
      FROM request WHERE status = 'OK'
    WINDOW workloads AS (PARTITION BY kind, workload ORDER BY latency_ns)
), latencies AS (
    SELECT kind, workload,
           max(CASE WHEN rank = (n * 50 + 99) / 100 THEN latency_ns END) AS p50_ns,
           max(CASE WHEN rank = (n * 90 + 99) / 100 THEN latency_ns END) AS p90_ns,
           max(CASE WHEN rank = (n * 99 + 99) / 100 THEN latency_ns END) AS p99_ns,
           max(latency_ns) AS max_ns
      FROM ranked GROUP BY kind, workload
)
SELECT request.kind, request.workload, count(*) AS requests,
       sum(status IS 'OK') AS ok,
       sum(outcomes > 0 AND status <> 'OK') AS failed,
       sum(outcomes = 0) AS unanswered,
       sum(outcomes > 1) AS repeated,
       p50_ns, p90_ns, p99_ns, max_ns
  FROM request LEFT JOIN latencies
    ON latencies.kind = request.kind AND latencies.workload IS request.workload
 GROUP BY request.kind, request.workload
 ORDER BY request.kind, request.workload;
