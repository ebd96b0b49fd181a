/* SPDX-License-Identifier: MIT */
/* harness/session.h - a run with its results: executed, judged, stored, ready to be rendered.
 *
 * Ownership  A session owns the run, its record and its database until it is closed.
 * Failure    The status, and one line for people in `error`. */
#ifndef HARNESS_SESSION_H
#define HARNESS_SESSION_H

#include "reports/store/run_db.h"
#include "scenarios/harness/run.h"
#include "scenarios/lang/load.h"

struct trp_session;

struct trp_session_options {
    const struct trp_load *load; /* without problems; borrowed */
    const char *path;            /* of the scenario file, as given */
    const char *source;          /* its text; NULL: not stored */
    const char *settings;        /* each --set, one per line; NULL: none */
    const char *reproduce;       /* the command that runs this again */
    const char *version;
    const char *database; /* path of run.db; NULL: kept in memory */
    uint64_t seed;
    struct trp_network_opener network; /* open NULL: the simulated world */
    trp_time (*wall_clock)(void);      /* monotonic; for wall_ns */
    trp_time wall_ns_max;              /* 0: unlimited; past it the run is TRP_RUN_TIMED_OUT */
    struct trp_trace_sink sink;        /* sees every event; event may be NULL */
    void (*progress)(void *user, const struct trp_run_progress *progress); /* may be NULL */
    void *user;                                                            /* of progress */
};

/* Runs the scenario to its end. TRP_ENOMEM, TRP_EINVAL, TRP_EIO (the database). A run that breaks
 * its expectations is TRP_OK, with that outcome in its database. */
enum trp_status trp_session_open(const struct trp_session_options *options,
                                 struct trp_session **ret_session,
                                 struct trp_run_error *ret_error) TRP_NODISCARD;
void trp_session_close(struct trp_session *session);
/* What was found: outcome, verdicts, and everything recorded. Saved; borrowed until close. */
struct trp_run_db *trp_session_db(const struct trp_session *session);

#endif
