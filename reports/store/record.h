/* SPDX-License-Identifier: MIT */
/* reports/store/record.h - the inside of struct trp_run_record, for the loader. */
#ifndef REPORTS_STORE_RECORD_H
#define REPORTS_STORE_RECORD_H

#include "reports/store/event_log.h"
#include "reports/store/run_record.h"
#include "reports/store/texts.h"

/* Texts are ids of `texts`. */
struct run_row {
    uint32_t scenario, about, file, source, settings, version, net, transport, security, reproduce;
    uint32_t failure, decisions, trace_hash;
    uint64_t seed;
    struct trp_run_end end; /* its texts are not used */
};

struct host_row {
    uint32_t index, name, group, zone, peer, address;
    trp_time started;
    bool has_totals;
    struct trp_run_host_totals totals;
};

struct request_row {
    trp_time started;
    trp_time finished; /* TRP_NEVER: no outcome */
    uint64_t cause;
    uint32_t host, workload, actor, message;
    uint32_t outcomes;
    int16_t status;
    uint8_t kind;
};

struct lookup_row {
    struct trp_run_lookup_end end; /* finished: TRP_NEVER while it runs */
    trp_time started;
    uint64_t cause;
    uint32_t host, workload, name;
};

struct fault_row {
    uint32_t id, kind, text;
    uint32_t hosts_first; /* in `fault_hosts` */
    uint32_t hosts_count;
    trp_time started;
    trp_time ended; /* TRP_NEVER: not */
    uint64_t sequence;
};

struct metric_row {
    uint32_t name, unit, about;
};

struct sample_row {
    trp_time time;
    double value;
    uint32_t metric; /* from 1 */
    uint32_t host;
};

struct expectation_row {
    struct trp_run_expectation said; /* its texts are not used */
    uint32_t text, kind, unit, detail;
};

/* A growing array of rows of one size. */
struct rows {
    void *data;
    size_t count;
    size_t room;
};

struct trp_run_record {
    uint64_t rows_max;
    bool skip_events;
    bool ended;
    struct trp_run_dropped dropped; /* but for events, which their log counts */
    uint64_t skipped;               /* events that were not asked for */
    struct texts texts;
    struct event_log events;
    struct run_row run;
    struct rows hosts;       /* of struct host_row and so on */
    struct rows host_places; /* by index of host: 1 + its place in `hosts`; uint32_t */
    struct rows requests;
    struct rows lookups;
    struct rows faults;
    struct rows fault_hosts; /* uint32_t */
    struct rows metrics;
    struct rows samples;
    struct rows expectations;
};

#endif
