-- Each metric with the span of its values and the last one (for metrics of hosts: the mean of the
-- last sample of each host).
WITH latest AS (
    SELECT metric, host, value, max(time_ns) FROM metric_sample GROUP BY metric, host
)
SELECT metric_name.id, name, unit, about, count(*) AS samples,
       count(DISTINCT metric_sample.host) AS hosts, min(value) AS least, max(value) AS most,
       (SELECT avg(value) FROM latest WHERE latest.metric = metric_name.id) AS last
  FROM metric_name JOIN metric_sample ON metric_sample.metric = metric_name.id
 GROUP BY metric_name.id ORDER BY metric_name.id;
