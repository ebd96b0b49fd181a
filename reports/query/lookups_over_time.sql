-- Lookups by the time they started: how many found, latency of those, and what they cost.
-- :slot_ns width of an interval
WITH ranked AS (
    SELECT started_ns / :slot_ns AS slot, latency_ns,
           row_number() OVER (PARTITION BY started_ns / :slot_ns ORDER BY latency_ns) AS rank,
           count(*) OVER (PARTITION BY started_ns / :slot_ns) AS n
      FROM lookup WHERE found = 1
), latencies AS (
    SELECT slot,
           max(CASE WHEN rank = (n * 50 + 99) / 100 THEN latency_ns END) AS p50_ns,
           max(CASE WHEN rank = (n * 90 + 99) / 100 THEN latency_ns END) AS p90_ns,
           max(CASE WHEN rank = (n * 99 + 99) / 100 THEN latency_ns END) AS p99_ns
      FROM ranked GROUP BY slot
)
SELECT lookup.started_ns / :slot_ns AS slot, count(*) AS lookups,
       ifnull(sum(found), 0) AS found,
       p50_ns, p90_ns, p99_ns, avg(rpcs) AS rpcs, avg(timeouts) AS timeouts
  FROM lookup LEFT JOIN latencies ON latencies.slot = lookup.started_ns / :slot_ns
 GROUP BY 1 ORDER BY 1;
