-- Figures of the whole run: one row.
SELECT (SELECT count(*) FROM expectation) AS expectations,
       (SELECT count(*) FROM expectation WHERE outcome = 'held') AS held,
       (SELECT count(*) FROM ask) AS asks,
       (SELECT count(*) FROM ask WHERE status = 'OK') AS asks_ok,
       (SELECT count(*) FROM request WHERE outcomes <> 1) AS odd_outcomes,
       (SELECT count(*) FROM lookup) AS lookups,
       (SELECT count(*) FROM lookup WHERE found = 1) AS lookups_found,
       (SELECT count(*) FROM fault) AS faults,
       (SELECT sum(bytes_sent) FROM host) AS bytes_sent,
       (SELECT latency_ns FROM ask WHERE status = 'OK' ORDER BY latency_ns
         LIMIT 1 OFFSET (SELECT (count(*) * 99 + 99) / 100 - 1 FROM ask WHERE status = 'OK'))
           AS ask_p99_ns,
       (SELECT latency_ns FROM lookup WHERE found = 1 ORDER BY latency_ns
         LIMIT 1 OFFSET (SELECT (count(*) * 99 + 99) / 100 - 1 FROM lookup WHERE found = 1))
           AS lookup_p99_ns,
       (SELECT avg(hops) FROM lookup WHERE found = 1) AS hops;
