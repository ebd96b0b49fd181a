-- Figures of the whole run: one row.
SELECT (SELECT count(*) FROM expectation) AS expectations,
       (SELECT count(*) FROM expectation WHERE outcome = 'held') AS held,
       asks, asks_ok, odd_outcomes, lookups, lookups_found,
       (SELECT count(*) FROM fault) AS faults,
       (SELECT sum(bytes_sent) FROM host) AS bytes_sent,
       ask_p99_ns, lookup_p99_ns, hops
  FROM (SELECT count(*) FILTER (WHERE kind = 'ask') AS asks,
               count(*) FILTER (WHERE kind = 'ask' AND status = 'OK') AS asks_ok,
               count(*) FILTER (WHERE outcomes <> 1) AS odd_outcomes,
               percentile(latency_ns, 99) FILTER (WHERE kind = 'ask' AND status = 'OK')
                   AS ask_p99_ns
          FROM request),
       (SELECT count(*) AS lookups,
               count(*) FILTER (WHERE found = 1) AS lookups_found,
               percentile(latency_ns, 99) FILTER (WHERE found = 1) AS lookup_p99_ns,
               avg(hops) FILTER (WHERE found = 1) AS hops
          FROM lookup);
