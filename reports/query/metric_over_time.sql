-- One metric over time: the median over samples and hosts of an interval, with the 10th and 90th
-- percentile (nearest rank).
-- :metric id; :slot_ns width of an interval
WITH ranked AS (
    SELECT time_ns / :slot_ns AS slot, value,
           row_number() OVER (PARTITION BY time_ns / :slot_ns ORDER BY value) AS rank,
           count(*) OVER (PARTITION BY time_ns / :slot_ns) AS n
      FROM metric_sample WHERE metric = :metric
)
SELECT slot, n,
       max(CASE WHEN rank = (n * 10 + 99) / 100 THEN value END) AS p10,
       max(CASE WHEN rank = (n * 50 + 99) / 100 THEN value END) AS p50,
       max(CASE WHEN rank = (n * 90 + 99) / 100 THEN value END) AS p90,
       max(value) AS most
  FROM ranked GROUP BY slot ORDER BY slot;
