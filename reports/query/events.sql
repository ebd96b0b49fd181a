-- How many events there were of each kind.
SELECT name, level, about, n, first_ns, last_ns
  FROM (SELECT kind, count(*) AS n, min(time_ns) AS first_ns, max(time_ns) AS last_ns
          FROM event_row GROUP BY kind)
  JOIN event_kind ON event_kind.id = kind
 ORDER BY CASE level WHEN 'ERROR' THEN 0 WHEN 'WARN' THEN 1 WHEN 'INFO' THEN 2 ELSE 3 END,
       n DESC, name;
