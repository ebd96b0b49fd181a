-- What was expected, in the order of the file.
SELECT id, kind, text, outcome, value, unit, detail, failed_ns, event, line
  FROM expectation ORDER BY id;
