-- Created after all rows are in: an index kept up to date while loading makes that ten times slower.
CREATE INDEX event_of_kind ON event_row (kind, seq);
CREATE INDEX event_of_cause ON event_row (cause) WHERE cause IS NOT NULL;
CREATE INDEX sample_of_metric ON metric_sample (metric, time_ns);
CREATE INDEX host_of_fault ON fault_host (fault, host);
