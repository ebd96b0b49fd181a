-- The database of one run. Times are integer nanoseconds of the run's clock, from 0; `host` is an
-- index of table host; NULL means unknown or none. Numbers over 2^63-1 are stored as decimal text.

CREATE TABLE run (
    -- One row: what ran and how it ended.
    scenario          TEXT,    -- its name
    about             TEXT,
    file              TEXT,    -- path of the scenario file as given
    source            TEXT,    -- text of the scenario file
    decisions         TEXT,    -- the resolved scenario: every fault with exact time and hosts
    seed              NOT NULL, -- a number; decimal text over 2^63-1
    settings          TEXT,    -- each --set, one per line
    version           TEXT,    -- of troupe
    net               TEXT,    -- sim, real
    transport         TEXT,    -- tcp, ws, quic
    security          TEXT,    -- noise, tls, plaintext
    reproduce         TEXT,    -- the command line that runs this again
    outcome           TEXT NOT NULL, -- passed, failed, timed out, unfinished
    failure           TEXT,    -- one line; NULL when it passed
    trace_hash        TEXT,    -- identity of the run: hash over all events
    events            INTEGER NOT NULL, -- emitted, kept or not
    happenings        INTEGER NOT NULL, -- steps of the simulated world
    sim_ns            INTEGER NOT NULL, -- time that passed in the run
    wall_ns           INTEGER NOT NULL, -- time that passed for us
    peak_rss_bytes    INTEGER NOT NULL,
    events_dropped    INTEGER NOT NULL, -- beyond the limit of the record; the oldest
    events_skipped    INTEGER NOT NULL, -- not asked for
    requests_dropped  INTEGER NOT NULL, -- beyond the limit of the record; the newest
    lookups_dropped   INTEGER NOT NULL,
    samples_dropped   INTEGER NOT NULL,
    others_dropped    INTEGER NOT NULL  -- hosts, faults, expectations: out of memory
);

CREATE TABLE host (
    -- Every simulated machine; on a real network the nodes that took part.
    host              INTEGER PRIMARY KEY, -- index, as in events
    name              TEXT,
    "group"           TEXT,    -- the entry under `hosts:` it comes from
    zone              TEXT,
    peer              TEXT,    -- PeerId
    address           TEXT,
    started_ns        INTEGER,
    bytes_sent        INTEGER,
    bytes_received    INTEGER,
    connections       INTEGER, -- open at the end
    lives             INTEGER, -- starts and restarts
    up                INTEGER  -- 1: at the end of the run
);

CREATE TABLE request (
    -- Every ask and tell of the workload. The views `ask` and `tell` have one kind each.
    id                INTEGER PRIMARY KEY,
    kind              TEXT NOT NULL,    -- ask, tell
    workload          TEXT,             -- its name in the scenario
    host              INTEGER,          -- who asks; NULL: from outside
    actor             TEXT,             -- registered name asked
    message           TEXT,
    started_ns        INTEGER NOT NULL,
    finished_ns       INTEGER,          -- of the first outcome; NULL: none
    status            TEXT,             -- of the first outcome; see table status
    outcomes          INTEGER NOT NULL, -- how many; anything but 1 is a defect
    cause             INTEGER,          -- seq of the event it follows from
    latency_ns        INTEGER AS (finished_ns - started_ns)
);
CREATE VIEW ask AS SELECT * FROM request WHERE kind = 'ask';
CREATE VIEW tell AS SELECT * FROM request WHERE kind = 'tell';

CREATE TABLE lookup (
    -- Every lookup of a name by the workload.
    id                INTEGER PRIMARY KEY,
    workload          TEXT,
    host              INTEGER,          -- who looks
    name              TEXT,             -- looked up
    started_ns        INTEGER NOT NULL,
    finished_ns       INTEGER,          -- NULL: it never ended
    status            TEXT,
    found             INTEGER,          -- 1: with a result
    hops              INTEGER,          -- referrals to the node that told of the result
    rpcs              INTEGER,          -- requests sent
    timeouts          INTEGER,          -- of them, unanswered
    cause             INTEGER,
    latency_ns        INTEGER AS (finished_ns - started_ns)
);

CREATE TABLE fault (
    -- Every fault as it was injected. An entry of the timeline that acts several times has several rows.
    id                INTEGER NOT NULL, -- its entry of the timeline, by time, from 1
    kind              TEXT,             -- partition, crash, …
    text              TEXT,             -- the line of the timeline
    started_ns        INTEGER NOT NULL,
    ended_ns          INTEGER,          -- NULL: it lasted to the end
    event             INTEGER           -- seq of its trace event
);
CREATE TABLE fault_host (
    -- The hosts each fault hit.
    fault             INTEGER NOT NULL, -- id of the fault
    host              INTEGER NOT NULL
);

CREATE TABLE metric_name (
    -- What was measured over time. The view `metric` has the samples with their names.
    id                INTEGER PRIMARY KEY,
    name              TEXT NOT NULL,
    unit              TEXT,             -- ratio, s, ms, bytes, bytes/s, count, …
    about             TEXT
);
CREATE TABLE metric_sample (
    metric            INTEGER NOT NULL, -- id in metric_name
    time_ns           INTEGER NOT NULL,
    host              INTEGER,          -- NULL: of the whole network
    value             REAL NOT NULL
);
CREATE VIEW metric AS
    SELECT name, time_ns, host, value, unit
      FROM metric_sample JOIN metric_name ON metric_name.id = metric_sample.metric;

CREATE TABLE expectation (
    -- What the scenario expects, in the order of the file.
    id                INTEGER PRIMARY KEY,
    kind              TEXT,             -- always, eventually, metric, sql
    text              TEXT,             -- as in the file
    outcome           TEXT NOT NULL,    -- held, broken, undecided (counts as a failure)
    value             REAL,             -- what was measured
    unit              TEXT,             -- of the value
    detail            TEXT,             -- why it is broken
    failed_ns         INTEGER,          -- when
    event             INTEGER,          -- seq of the event that broke it
    line              INTEGER           -- in the scenario file
);

CREATE TABLE status (
    -- What a status means.
    name              TEXT PRIMARY KEY, -- OK, ETIMEDOUT, …
    code              INTEGER NOT NULL,
    class             TEXT NOT NULL,    -- ok, flow, usage, peer, local, io, actor
    text              TEXT NOT NULL
);

CREATE TABLE event_kind (
    -- The catalogue of events, and of their fields.
    id                INTEGER PRIMARY KEY,
    name              TEXT NOT NULL UNIQUE,
    level             TEXT NOT NULL,    -- ERROR, WARN, INFO, DEBUG
    about             TEXT NOT NULL
);
CREATE TABLE event_field (
    kind              INTEGER NOT NULL, -- id in event_kind
    position          INTEGER NOT NULL, -- 1: column v1
    name              TEXT NOT NULL,
    type              TEXT NOT NULL,    -- u64, i64, span (ns), status, text, hex, peer
    about             TEXT NOT NULL,
    PRIMARY KEY (kind, position)
) WITHOUT ROWID;

CREATE TABLE event_row (
    -- Every trace event. The view `event` adds the names and a readable text; one view per kind,
    -- event_<name>, names the columns v1 … v8.
    seq               INTEGER PRIMARY KEY, -- from 1
    time_ns           INTEGER NOT NULL,
    host              INTEGER NOT NULL,
    kind              INTEGER NOT NULL, -- id in event_kind
    cause             INTEGER,          -- seq of the event it follows from
    v1, v2, v3, v4, v5, v6, v7, v8
);
