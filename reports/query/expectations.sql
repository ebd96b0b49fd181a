-- What was expected, in the order of the file.
SELECT id, kind, text, outcome, value, unit, detail, failed_ns, event, line,
       (SELECT host FROM event WHERE seq = expectation.event) AS host
  FROM expectation ORDER BY id;
