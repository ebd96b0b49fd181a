-- Lookups by the time they started: how many found, latency of those, and what they cost.
-- :slot_ns width of an interval
SELECT started_ns / :slot_ns AS slot, count(*) AS lookups,
       ifnull(sum(found), 0) AS found,
       percentile(latency_ns, 50) FILTER (WHERE found = 1) AS p50_ns,
       percentile(latency_ns, 90) FILTER (WHERE found = 1) AS p90_ns,
       percentile(latency_ns, 99) FILTER (WHERE found = 1) AS p99_ns,
       avg(rpcs) AS rpcs, avg(timeouts) AS timeouts
  FROM lookup GROUP BY slot ORDER BY slot;
