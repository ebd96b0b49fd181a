/* SPDX-License-Identifier: MIT */
/* harness/run.h - one execution of a scenario on a network.
 *
 * Starts the hosts, issues the workload, works through the timeline, measures, judges. In the
 * simulated world everything that happens is a function of the plan and the seed; the trace hash is
 * the run's identity.
 * Ownership  A run borrows its plan, texts and record until it is freed. */
#ifndef HARNESS_RUN_H
#define HARNESS_RUN_H

#include "reports/store/run_record.h"
#include "scenarios/harness/network.h"
#include "scenarios/lang/load.h"

#include <troupe/trace.h>

struct trp_run;

/* How far a run is, for a line of progress. */
struct trp_run_progress {
    trp_time now;
    trp_time until;
    uint64_t events;
    uint32_t hosts_up;
    const char *fault; /* the newest one that lasts; NULL */
};

struct trp_run_options {
    const struct trp_plan *plan;
    uint64_t seed;
    struct trp_network_opener network; /* open NULL: the simulated world */
    struct trp_run_record *record;     /* hosts, requests, lookups, faults and samples go here */
    struct trp_trace_sink sink;        /* sees every event besides the record; event may be NULL */
    void (*progress)(void *user, const struct trp_run_progress *progress); /* may be NULL */
    bool (*cancelled)(void *user); /* asked now and then: true ends the run early; may be NULL */
    void *user;
};

/* TRP_ENOMEM, TRP_EINVAL (a group's limits). */
enum trp_status trp_run_open(const struct trp_run_options *options,
                             struct trp_run **ret_run) TRP_NODISCARD;
void trp_run_free(struct trp_run *run);

/* Runs to the end of the plan, then on for as long as requests are without an outcome (two minutes
 * at most). TRP_ECANCELLED. */
enum trp_status trp_run_execute(struct trp_run *run) TRP_NODISCARD;

/* What an expectation came to; SQL expectations are judged by the caller, on the database. */
struct trp_run_judgement {
    enum trp_run_verdict verdict;
    bool has_value;
    uint64_t value;    /* in the metric's unit */
    trp_time failed;   /* TRP_NEVER: no single moment */
    uint64_t sequence; /* of the event that broke it; 0: no single one */
    uint32_t host;     /* where; TRP_RUN_NO_HOST: nowhere in particular */
    char detail[256];
};
/* Judges expectation `index` of the plan; TRP_EUNSUPPORTED for SQL. In a run that was stopped by an
 * invariant, what could still have come true is undecided. */
enum trp_status trp_run_judge(const struct trp_run *run, uint32_t index,
                              struct trp_run_judgement *ret_judgement) TRP_NODISCARD;

/* Writes the scenario with everything decided as this run decided it (scenarios/lang/decide.h); to
 * be freed with free(). `load` is what the plan is from. NULL with the problem. */
char *trp_run_print_decisions(struct trp_run *run, const struct trp_load *load,
                              char ret_problem[256]);

struct trp_run_summary {
    uint64_t events;
    uint64_t happenings;
    trp_time sim_ns;
    uint32_t hosts;
    bool stopped;        /* by an invariant, at sim_ns */
    char trace_hash[33]; /* "" on a network that is not deterministic */
};
void trp_run_summarize(const struct trp_run *run, struct trp_run_summary *ret_summary);

#endif
