/* SPDX-License-Identifier: MIT */
/* reports/store/run_record.h - what happened in one run, kept in flat memory while it runs.
 *
 * The harness calls these as things happen; nothing is written and no database is read during a
 * run. Afterwards run_db.h loads the record into SQLite.
 * Threading  One thread.
 * Ownership  Every text and array is copied. NULL texts are fine and become NULL in the database.
 * Limits     struct trp_run_limits. When events overflow, the oldest are dropped, so that the
 *            end of a failed run is always there; of requests, lookups and samples the newest
 *            are dropped. What was dropped is counted, stored in table `run` and shown by every
 *            report.
 * Failure    None to handle during a run: what finds no memory counts as dropped. */
#ifndef REPORTS_STORE_RUN_RECORD_H
#define REPORTS_STORE_RUN_RECORD_H

#include <troupe/base.h>
#include <troupe/trace.h>

struct trp_run_record;

/* Zero fields take the default. */
struct trp_run_limits {
    uint64_t events_bytes; /* of encoded trace events, about 20 bytes each; default 1 GiB */
    uint64_t rows;         /* of requests, of lookups and of samples; default 4,000,000 each */
    bool skip_events;      /* they are counted but not kept */
};

/* TRP_ENOMEM. Released with trp_run_record_free. */
enum trp_status trp_run_record_new(const struct trp_run_limits *limits,
                                   struct trp_run_record **ret_record) TRP_NODISCARD;
void trp_run_record_free(struct trp_run_record *record);

/* The sink to give to trp_recorder_init; valid as long as the record. Field values longer than
 * 1,024 bytes are cut. */
struct trp_trace_sink trp_run_record_sink(struct trp_run_record *record);

/* What was not kept. */
struct trp_run_dropped {
    uint64_t events;
    uint64_t requests;
    uint64_t lookups;
    uint64_t samples;
    uint64_t others; /* hosts, faults, expectations, metrics: out of memory only */
};
struct trp_run_dropped trp_run_record_dropped(const struct trp_run_record *record);

/* ---- the run ---- */

struct trp_run_start {
    const char *scenario; /* its name */
    const char *about;
    const char *file;   /* as given on the command line */
    const char *source; /* the text of the scenario file */
    uint64_t seed;
    const char *settings;  /* each --set of the command line, one per line */
    const char *version;   /* of troupe */
    const char *net;       /* "sim" or "real" */
    const char *transport; /* "tcp", "ws", "quic" */
    const char *security;  /* "noise", "tls", "plaintext" */
    const char *reproduce; /* the command line that runs this again */
};
/* States what runs. Call it first. */
void trp_run_begin(struct trp_run_record *record, const struct trp_run_start *start);

enum trp_run_outcome {
    TRP_RUN_UNFINISHED,
    TRP_RUN_PASSED,
    TRP_RUN_FAILED,   /* an expectation failed */
    TRP_RUN_TIMED_OUT /* out of real time */
};
/* "unfinished", "passed", "failed", "timed out". */
const char *trp_run_outcome_name(enum trp_run_outcome outcome);

struct trp_run_end {
    enum trp_run_outcome outcome;
    const char *failure;    /* one line for people; NULL when it passed */
    const char *decisions;  /* the resolved scenario: every fault with exact time and hosts */
    const char *trace_hash; /* trp_recorder_print_hash */
    uint64_t events;        /* emitted, kept or not */
    uint64_t happenings;    /* steps of the simulated world; 0 on a real network */
    trp_time sim_ns;        /* virtual time that passed */
    trp_time wall_ns;
    uint64_t peak_rss_bytes;
};
/* States how it ended; may be called again, the last one counts. */
void trp_run_finish(struct trp_run_record *record, const struct trp_run_end *end);

/* ---- hosts ---- */

#define TRP_RUN_NO_HOST UINT32_MAX

struct trp_run_host {
    uint32_t index; /* as in the trace */
    const char *name;
    const char *group; /* the entry under `hosts:` it comes from */
    const char *zone;
    const char *peer; /* base58btc */
    const char *address;
    trp_time started;
};
/* Adds a host (index below 1,048,576), or replaces what was said of it. */
void trp_run_host(struct trp_run_record *record, const struct trp_run_host *host);

struct trp_run_host_totals {
    uint64_t bytes_sent;
    uint64_t bytes_received;
    uint64_t connections; /* open at the end */
    uint32_t lives;       /* starts and restarts */
    bool up;              /* at the end of the run */
};
/* Adds what a host did in all; ignored for a host that was not added. */
void trp_run_host_totals(struct trp_run_record *record, uint32_t index,
                         const struct trp_run_host_totals *totals);

/* ---- requests and lookups ---- */

enum trp_run_request_kind { TRP_RUN_ASK, TRP_RUN_TELL };

struct trp_run_request {
    enum trp_run_request_kind kind;
    uint32_t host;        /* who asks; TRP_RUN_NO_HOST: from outside */
    const char *workload; /* its name in the scenario */
    const char *actor;    /* the registered name asked */
    const char *message;
    trp_time started;
    uint64_t cause; /* sequence of a trace event; 0 unknown */
};
/* Adds a request; gives its id (from 1), or 0 when it was dropped. */
uint64_t trp_run_request_start(struct trp_run_record *record,
                               const struct trp_run_request *request);
/* Counts an outcome of it; the first gives its time and status. Id 0 is ignored. A request without
 * one stays NULL in finished_ns and status. */
void trp_run_request_outcome(struct trp_run_record *record, uint64_t id, trp_time now,
                             enum trp_status status);

struct trp_run_lookup {
    uint32_t host;
    const char *workload;
    const char *name; /* looked up */
    trp_time started;
    uint64_t cause;
};
/* Adds a lookup; gives its id (from 1), or 0 when it was dropped. */
uint64_t trp_run_lookup_start(struct trp_run_record *record, const struct trp_run_lookup *lookup);

struct trp_run_lookup_end {
    trp_time finished;
    enum trp_status status;
    bool found;
    uint32_t hops;     /* referrals from the initiator to the node that told of the result */
    uint32_t rpcs;     /* requests sent */
    uint32_t timeouts; /* of them, unanswered */
};
/* Gives its end; only the first counts. Id 0 is ignored. */
void trp_run_lookup_finish(struct trp_run_record *record, uint64_t id,
                           const struct trp_run_lookup_end *end);

/* ---- faults ---- */

struct trp_run_fault {
    uint32_t id;           /* its entry of the timeline, by time, from 1: the same in every run */
    const char *kind;      /* the action: "partition", "crash", … */
    const char *text;      /* the line of the timeline, for people */
    const uint32_t *hosts; /* those it hits */
    uint32_t hosts_count;
    trp_time started;
    uint64_t sequence; /* of its trace event; 0 none */
};
/* Adds a fault; an entry of the timeline that acts several times has one row for each. */
void trp_run_fault_start(struct trp_run_record *record, const struct trp_run_fault *fault);
/* Ends the newest fault of this id that lasts. One that is never ended lasts to the end of the run.
 * One that is over at once (a reset, a crash without restart) ends when it starts. */
void trp_run_fault_end(struct trp_run_record *record, uint32_t id, trp_time ended);

/* ---- metrics ---- */

/* Declares a metric; gives its id (from 1), the same for the same name; 0 when out of memory.
 * Units: "ratio", "s", "ms", "bytes", "bytes/s", "count", or any other short text or NULL. */
uint32_t trp_run_metric(struct trp_run_record *record, const char *name, const char *unit,
                        const char *about);
/* Adds a value; `host` is TRP_RUN_NO_HOST for one of the whole network. Metric 0 and values that
 * are not finite are ignored. */
void trp_run_sample(struct trp_run_record *record, uint32_t metric, trp_time time, uint32_t host,
                    double value);

/* ---- expectations ---- */

enum trp_run_verdict {
    TRP_RUN_HELD,
    TRP_RUN_BROKEN,
    TRP_RUN_UNDECIDED /* could not be evaluated; counts as a failure */
};
/* "held", "broken", "undecided". */
const char *trp_run_verdict_name(enum trp_run_verdict verdict);

struct trp_run_expectation {
    const char *text; /* as in the file */
    const char *kind; /* "always", "eventually", "metric", "sql" */
    enum trp_run_verdict verdict;
    bool has_value;
    double value;
    const char *unit;   /* of the value, as of a metric; NULL none */
    const char *detail; /* why it is broken, one line for people */
    trp_time failed;    /* when it broke; TRP_NEVER: no single moment */
    uint64_t sequence;  /* of the trace event that broke it; 0 none */
    uint32_t line;      /* in the scenario file; 0 unknown */
};
/* Adds one, in the order of the file. May still be called between trp_run_db_load and
 * trp_run_db_save, as `sql` expectations need. */
void trp_run_expect(struct trp_run_record *record, const struct trp_run_expectation *expectation);

#endif
