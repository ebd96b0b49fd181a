-- Single requests of one kind with an outcome, at most :most of them: a sample that is spread evenly
-- and prefers failures.
-- :kind ask or tell; :most
WITH ended AS (
    SELECT started_ns, latency_ns, status = 'OK' AS ok,
           row_number() OVER (PARTITION BY status = 'OK' ORDER BY id) AS number,
           count(*) OVER (PARTITION BY status = 'OK') AS n
      FROM request WHERE kind = :kind AND latency_ns IS NOT NULL
)
SELECT started_ns, latency_ns, ok FROM ended
 WHERE number % (1 + n / (:most / 2)) = 0
 ORDER BY started_ns;
