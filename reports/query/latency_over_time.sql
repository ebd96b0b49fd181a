-- Latency of answered requests of one kind, by the time they started.
-- :kind ask or tell; :slot_ns width of an interval
SELECT started_ns / :slot_ns AS slot, count(*) AS n,
       percentile(latency_ns, 50) AS p50_ns,
       percentile(latency_ns, 90) AS p90_ns,
       percentile(latency_ns, 99) AS p99_ns,
       max(latency_ns) AS max_ns
  FROM request WHERE kind = :kind AND status = 'OK'
 GROUP BY slot ORDER BY slot;
