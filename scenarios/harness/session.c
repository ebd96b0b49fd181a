/* SPDX-License-Identifier: MIT */
#include "scenarios/harness/session.h"

#include "reports/render/figure.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

struct trp_session {
    struct trp_session_options options;
    const struct trp_plan *plan;
    struct trp_run_record *record;
    struct trp_run *run;
    struct trp_run_db *db;
    char *decisions; /* NULL: nobody will read them */
    trp_time started;
    trp_time wall_ns;
    struct trp_run_summary summary;
    enum trp_run_outcome outcome;
    char failure[512];          /* one line; empty when it passed */
    enum trp_run_verdict worst; /* of the expectations so far: `failure` speaks of it */
};

/* ---- running ---- */

static bool session_cancelled(void *user)
{
    const struct trp_session *session = user;
    trp_time limit = session->options.wall_ns_max;
    return limit != 0 && session->options.wall_clock() - session->started > limit;
}

static void session_progress(void *user, const struct trp_run_progress *progress)
{
    struct trp_session *session = user;
    if (session->options.progress != NULL) {
        session->options.progress(session->options.user, progress);
    }
}

static uint64_t peak_rss_bytes(void)
{
    struct rusage usage;
    return getrusage(RUSAGE_SELF, &usage) == 0 ? (uint64_t)usage.ru_maxrss * 1024 : 0;
}

static enum trp_status session_execute(struct trp_session *session)
{
    const struct trp_run_options options = {.plan = session->plan,
                                            .seed = session->options.seed,
                                            .network = session->options.network,
                                            .record = session->record,
                                            .sink = session->options.sink,
                                            .progress = session_progress,
                                            .cancelled = session_cancelled,
                                            .user = session};
    session->started = session->options.wall_clock();
    enum trp_status status = trp_run_open(&options, &session->run);
    if (status == TRP_OK) {
        status = trp_run_execute(session->run);
    }
    session->wall_ns = session->options.wall_clock() - session->started;
    if (session->run != NULL) {
        trp_run_summarize(session->run, &session->summary);
    }
    session->outcome = TRP_RUN_PASSED;
    if (status == TRP_ECANCELLED) {
        session->outcome = TRP_RUN_TIMED_OUT;
        (void)snprintf(session->failure, sizeof session->failure,
                       "out of time at %.1f s of virtual time",
                       (double)session->summary.sim_ns / 1e9);
        status = TRP_OK;
    }
    return status;
}

/* ---- judging ---- */

static double display_value(enum trp_unit unit, uint64_t value)
{
    switch (unit) {
    case TRP_UNIT_RATIO:
    case TRP_UNIT_NUMBER:
        return (double)value / 1e6;
    case TRP_UNIT_SPAN:
        return (double)value / 1e9;
    case TRP_UNIT_BYTES:
        return (double)value;
    }
    return 0;
}

/* The unit of what display_value gives, as reports know it. */
static const char *unit_name(enum trp_unit unit)
{
    switch (unit) {
    case TRP_UNIT_RATIO:
        return "ratio";
    case TRP_UNIT_NUMBER:
        return "count";
    case TRP_UNIT_SPAN:
        return "s";
    case TRP_UNIT_BYTES:
        return "bytes";
    }
    return NULL;
}

static const char *kind_name(enum trp_plan_expect_kind kind)
{
    switch (kind) {
    case TRP_PLAN_ALWAYS:
        return "always";
    case TRP_PLAN_EVENTUALLY:
        return "eventually";
    case TRP_PLAN_METRIC:
        return "metric";
    case TRP_PLAN_SQL:
        return "sql";
    }
    return "?";
}

/* A run out of time stays that. Otherwise it failed by the first expectation that is broken, else
 * by the first that is undecided. */
static void session_conclude(struct trp_session *session, const char *text, const char *unit,
                             const struct trp_run_check *check)
{
    bool worse = check->verdict == TRP_RUN_BROKEN ? session->worst != TRP_RUN_BROKEN
                                                  : session->worst == TRP_RUN_HELD;
    if (session->outcome == TRP_RUN_TIMED_OUT || check->verdict == TRP_RUN_HELD || !worse) {
        return;
    }
    session->worst = check->verdict;
    session->outcome = TRP_RUN_FAILED;
    char measured[FIGURE_MAX] = "";
    if (check->has_value && unit != NULL) {
        (void)figure_value(measured, check->value, unit);
    }
    bool detailed = check->detail[0] != '\0';
    (void)snprintf(session->failure, sizeof session->failure, "%s%s%s%s%s", text,
                   detailed ? ": " : "", check->detail,
                   measured[0] == '\0' ? ""
                   : detailed          ? "; it was "
                                       : ": it was ",
                   measured);
}

static void session_judge_one(struct trp_session *session, uint32_t index)
{
    const struct trp_plan_expect *expect = &session->plan->expect[index];
    struct trp_run_judgement judgement = {.failed = TRP_NEVER, .host = TRP_RUN_NO_HOST};
    struct trp_run_check check = {.verdict = TRP_RUN_UNDECIDED};
    if (trp_run_judge(session->run, index, &judgement) == TRP_OK) {
        check.verdict = judgement.verdict;
        check.has_value = judgement.has_value;
        check.value = display_value(expect->metric.unit, judgement.value);
        memcpy(check.detail, judgement.detail, sizeof check.detail);
    } else if (session->summary.stopped) {
        (void)snprintf(check.detail, sizeof check.detail, "the run was stopped before its end");
    } else {
        trp_run_db_check(session->db, expect->sql, 0, &check);
    }
    bool measured = expect->kind == TRP_PLAN_METRIC || expect->kind == TRP_PLAN_EVENTUALLY;
    const char *unit = measured ? unit_name(expect->metric.unit) : NULL;
    trp_run_expect(session->record, &(struct trp_run_expectation){.text = expect->text,
                                                                  .kind = kind_name(expect->kind),
                                                                  .verdict = check.verdict,
                                                                  .has_value = check.has_value,
                                                                  .value = check.value,
                                                                  .unit = unit,
                                                                  .detail = check.detail,
                                                                  .failed = judgement.failed,
                                                                  .sequence = judgement.sequence,
                                                                  .line = expect->place.line});
    session_conclude(session, expect->text, unit, &check);
}

/* ---- storing ---- */

static void session_describe(struct trp_session *session)
{
    const struct trp_session_options *options = &session->options;
    const struct trp_plan *plan = session->plan;
    trp_run_begin(session->record,
                  &(struct trp_run_start){
                      .scenario = plan->name,
                      .about = plan->about,
                      .file = options->path,
                      .source = options->source,
                      .seed = options->seed,
                      .settings = options->settings,
                      .version = options->version,
                      .net = options->network.open == NULL ? "sim" : options->network.name,
                      .transport = "tcp",
                      .security = plan->security == TRP_PLAN_PLAINTEXT ? "plaintext" : "noise",
                      .reproduce = options->reproduce});
}

static void session_finish(struct trp_session *session)
{
    trp_run_finish(session->record,
                   &(struct trp_run_end){
                       .outcome = session->outcome,
                       .failure = session->failure[0] == '\0' ? NULL : session->failure,
                       .decisions = session->decisions,
                       /* No two runs on real sockets are alike: theirs identifies nothing. */
                       .trace_hash = session->options.network.open == NULL
                                         ? session->summary.trace_hash
                                         : NULL,
                       .events = session->summary.events,
                       .happenings = session->summary.happenings,
                       .sim_ns = session->summary.sim_ns,
                       .wall_ns = session->wall_ns,
                       .peak_rss_bytes = peak_rss_bytes()});
}

/* Keeps what the run decided, where a file is kept. */
static enum trp_status session_decide(struct trp_session *session, struct trp_run_error *error)
{
    char problem[256];
    if (session->options.database == NULL) {
        return TRP_OK;
    }
    session->decisions = trp_run_print_decisions(session->run, session->options.load, problem);
    if (session->decisions == NULL) {
        (void)snprintf(error->text, sizeof error->text, "the decisions are no scenario: %s",
                       problem);
        return TRP_EINVAL;
    }
    return TRP_OK;
}

/* Says whether anybody will read the events: the file's owner, or an expectation in SQL; and when
 * the run cannot be had again, whoever asks why it failed. */
static bool session_wants_events(const struct trp_session *session)
{
    bool wants = session->options.database != NULL || session->options.network.open != NULL;
    for (uint32_t i = 0; i < session->plan->expect_count; i++) {
        wants = wants || session->plan->expect[i].kind == TRP_PLAN_SQL;
    }
    return wants;
}

/* Runs with a new record. */
static enum trp_status session_record(struct trp_session *session, bool skip_events)
{
    const struct trp_run_limits limits = {.skip_events = skip_events};
    trp_run_free(session->run);
    trp_run_record_free(session->record);
    session->run = NULL;
    session->record = NULL;
    enum trp_status status = trp_run_record_new(&limits, &session->record);
    if (status == TRP_OK) {
        session_describe(session);
        status = session_execute(session);
    }
    return status;
}

/* Runs; once more when an invariant broke and the events that led to it were not kept. */
static enum trp_status session_run_to_end(struct trp_session *session)
{
    bool skip = !session_wants_events(session);
    enum trp_status status = session_record(session, skip);
    bool again = skip && session->summary.stopped;
    return status == TRP_OK && again ? session_record(session, false) : status;
}

static enum trp_status session_run(struct trp_session *session, struct trp_run_error *error)
{
    enum trp_status status = session_run_to_end(session);
    if (status == TRP_OK) {
        status = session_decide(session, error);
    }
    if (status == TRP_OK) {
        session_finish(session);
        status = trp_run_db_load(session->record, session->options.database, &session->db, error);
    }
    if (status == TRP_OK) {
        for (uint32_t i = 0; i < session->plan->expect_count; i++) {
            session_judge_one(session, i);
        }
        session_finish(session);
        status = trp_run_db_save(session->db, session->record, error);
    }
    return status;
}

enum trp_status trp_session_open(const struct trp_session_options *options,
                                 struct trp_session **ret_session, struct trp_run_error *ret_error)
{
    struct trp_session *session = calloc(1, sizeof *session);
    if (session == NULL) {
        return TRP_ENOMEM;
    }
    session->options = *options;
    session->plan = trp_load_plan(options->load);
    ret_error->text[0] = '\0';
    enum trp_status status = session_run(session, ret_error);
    if (status != TRP_OK) {
        if (ret_error->text[0] == '\0') {
            (void)snprintf(ret_error->text, sizeof ret_error->text, "the run failed: %s",
                           trp_status_text(status));
        }
        trp_session_close(session);
        return status;
    }
    *ret_session = session;
    return TRP_OK;
}

void trp_session_close(struct trp_session *session)
{
    if (session == NULL) {
        return;
    }
    trp_run_db_close(session->db);
    trp_run_free(session->run);
    trp_run_record_free(session->record);
    free(session->decisions);
    free(session);
}

struct trp_run_db *trp_session_db(const struct trp_session *session)
{
    return session->db;
}
