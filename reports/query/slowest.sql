-- The requests and lookups that took longest to succeed.
-- :most
SELECT what, id, workload, host.name AS host, target, ended.started_ns, latency_ns
  FROM (SELECT kind AS what, id, workload, host, actor AS target, started_ns, latency_ns
          FROM request WHERE status = 'OK'
        UNION ALL
        SELECT 'lookup', id, workload, host, name, started_ns, latency_ns
          FROM lookup WHERE found = 1) AS ended
  LEFT JOIN host ON host.host = ended.host
 ORDER BY latency_ns DESC, what, id LIMIT :most;
