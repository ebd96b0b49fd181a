-- Single requests of one kind with an outcome, at most :most of them: every n-th of those that were
-- answered, and every n-th of the others, half the room for each.
-- :kind ask or tell; :most
WITH counts AS MATERIALIZED (
    SELECT sum(status = 'OK') AS ok, sum(status <> 'OK') AS failed
      FROM request WHERE kind = :kind
)
SELECT started_ns, latency_ns, status = 'OK' AS ok
  FROM request JOIN counts
 WHERE kind = :kind AND latency_ns IS NOT NULL
   AND id % (1 + iif(status = 'OK', counts.ok, counts.failed) / (:most / 2)) = 0
 ORDER BY started_ns LIMIT :most;
