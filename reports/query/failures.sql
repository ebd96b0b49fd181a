-- Why requests and lookups failed.
SELECT what, failed.status, count, text
  FROM (SELECT kind AS what, status, count(*) AS count FROM request
         WHERE status <> 'OK' GROUP BY kind, status
        UNION ALL
        SELECT 'lookup', status, count(*) FROM lookup
         WHERE status <> 'OK' GROUP BY status) AS failed
  LEFT JOIN status ON status.name = failed.status
 ORDER BY what, count DESC, failed.status;
