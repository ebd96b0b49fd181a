-- Each metric with the span of its values and the last one (for metrics of hosts: the mean of the
-- last sample of each host).
WITH by_host AS (
    SELECT metric, host, count(*) AS samples, min(value) AS least, max(value) AS most
      FROM metric_sample GROUP BY metric, host
), newest AS (
    SELECT metric, host, value, max(time_ns) FROM metric_sample GROUP BY metric, host
), latest AS (
    SELECT metric, avg(value) AS last FROM newest GROUP BY metric
)
SELECT metric_name.id, name, unit, about, sum(samples) AS samples, count(host) AS hosts,
       min(least) AS least, max(most) AS most, last
  FROM metric_name JOIN by_host ON by_host.metric = metric_name.id
       JOIN latest ON latest.metric = metric_name.id
 GROUP BY metric_name.id ORDER BY metric_name.id;
