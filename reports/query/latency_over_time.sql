-- Latency of answered requests of one kind, by the time they started.
-- :kind ask or tell; :slot_ns width of an interval
WITH ranked AS (
    SELECT started_ns / :slot_ns AS slot, latency_ns,
           row_number() OVER (PARTITION BY started_ns / :slot_ns ORDER BY latency_ns) AS rank,
           count(*) OVER (PARTITION BY started_ns / :slot_ns) AS n
      FROM request WHERE kind = :kind AND status = 'OK'
)
SELECT slot, n,
       max(CASE WHEN rank = (n * 50 + 99) / 100 THEN latency_ns END) AS p50_ns,
       max(CASE WHEN rank = (n * 90 + 99) / 100 THEN latency_ns END) AS p90_ns,
       max(CASE WHEN rank = (n * 99 + 99) / 100 THEN latency_ns END) AS p99_ns,
       max(latency_ns) AS max_ns
  FROM ranked GROUP BY slot ORDER BY slot;
