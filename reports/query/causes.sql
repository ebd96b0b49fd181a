-- The chain of causes that leads to one event, the first cause first.
-- :seq of the event; :most links
WITH RECURSIVE chain(seq, depth) AS (
    SELECT :seq, 0
    UNION ALL
    SELECT cause, depth + 1 FROM chain JOIN event_row USING (seq)
     WHERE cause IS NOT NULL AND cause < seq AND depth < :most
)
SELECT depth, event.seq, time_ns, event.host, host.name, kind, level, cause, fields
  FROM chain JOIN event USING (seq) LEFT JOIN host ON host.host = event.host
 ORDER BY depth DESC;
