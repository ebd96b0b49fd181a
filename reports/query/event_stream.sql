-- Every event in order, as two runs are compared.
SELECT seq, time_ns, host, kind, cause, fields FROM event ORDER BY seq;
