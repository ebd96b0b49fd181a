-- How the requests of one kind ended, by the time they started.
-- :kind ask or tell; :slot_ns width of an interval
SELECT started_ns / :slot_ns AS slot,
       sum(status IS 'OK') AS ok,
       sum(outcomes > 0 AND status <> 'OK') AS failed,
       sum(outcomes = 0) AS unanswered
  FROM request WHERE kind = :kind
 GROUP BY slot ORDER BY slot;
