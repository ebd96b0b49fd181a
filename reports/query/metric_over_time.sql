-- One metric over time: the median over samples and hosts of an interval, with the 10th and 90th
-- percentile.
-- :metric id; :slot_ns width of an interval
SELECT time_ns / :slot_ns AS slot, count(*) AS n,
       percentile(value, 10) AS p10, percentile(value, 50) AS p50, percentile(value, 90) AS p90,
       max(value) AS most
  FROM metric_sample WHERE metric = :metric
 GROUP BY slot ORDER BY slot;
