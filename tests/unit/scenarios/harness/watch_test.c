/* SPDX-License-Identifier: MIT */
/* Each invariant stops a run in which it is made to break, at the happening that breaks it. What
 * breaks it is a meddler between the harness and the simulated world, or a lie about a node. */
#include "scenarios/harness/state.h"

#include "lib/test.h"

#include <stdio.h>

#define FAR_KAD_BUCKET 200u

static const char scenario[] =
    "name: watched\n"
    "about: Three hosts, one of which crashes.\n"
    "run: { until: 6min, seed: 1 }\n"
    "limits: { kad_provider_ttl: 2min, kad_republish: 1min, link_answer: 20s }\n"
    "network: { links: { default: { latency: 20ms } } }\n"
    "hosts:\n"
    "  seed: { count: 1 }\n"
    "  rest: { count: 2, bootstrap: seed }\n"
    "actors:\n"
    "  - { type: watcher, on: seed, register: watcher }\n"
    "  - { type: counter, on: rest, register: \"counter-{host.index}\" }\n"
    "workload:\n"
    "  - { name: asks, from: 5s, every: 1s, on: seed, ask: \"counter-{random}\", message: get }\n"
    "  - { name: watch, from: 10s, until: 12s, every: 1s, on: all, ask: watcher, message: watch,"
    " args: { name: counter-2 } }\n"
    "timeline:\n"
    "  - { at: 30s, crash: \"rest[1]\" }\n"
    "expect:\n"
    "  - { metric: asks.count, from: 5min, at_least: 1 }\n"
    "  - always: %s\n";

/* What goes wrong. */
enum fault {
    FAULT_NONE,
    FAULT_DOUBLE_RESULT, /* each result comes twice */
    FAULT_NO_RESULT,     /* none comes */
    FAULT_FORGED_DEATH,  /* a death notice without a link */
    FAULT_SELF,          /* tables, as the harness reads them */
    FAULT_BUCKET,
    FAULT_OVERFULL,
    FAULT_DOUBLE,
    FAULT_MEMORY, /* bounds, as the harness knows them */
    FAULT_CONNECTIONS,
    FAULT_NOTICE_BOUND,
    FAULT_TTL,
    FAULT_PROCESS /* a process breaks */
};

static enum fault fault;
static struct trp_run *run;
static struct trp_host_factory factory; /* of the harness */
static struct trp_process processes[3];

/* ---- the meddler ---- */

static void meddle_result(void *user, uint32_t host, const struct trp_result *result)
{
    if (fault == FAULT_FORGED_DEATH && trp_harness_now(run) > TRP_S(8)) {
        struct trp_trace trace = {
            .recorder = &run->recorder, .node = host, .now = trp_harness_now(run)};
        trp_trace_link_died(&trace, &(struct trp_event_link_died){.actor = 1, .other = 2});
        fault = FAULT_NONE;
    }
    if (fault == FAULT_NO_RESULT && result->request != 0) {
        return;
    }
    factory.result(user, host, result);
    if (fault == FAULT_DOUBLE_RESULT && trp_harness_now(run) > TRP_S(8)) {
        factory.result(user, host, result);
    }
}

static enum trp_status meddle_step(void *self, const struct trp_input *in)
{
    const struct trp_process *process = self;
    bool breaks = fault == FAULT_PROCESS && in->now > TRP_S(8) && process == &processes[1];
    return breaks ? TRP_EINVAL : process->ops->step(process->self, in);
}

static bool meddle_next_output(void *self, struct trp_output *ret_out)
{
    const struct trp_process *process = self;
    return process->ops->next_output(process->self, ret_out);
}

static trp_time meddle_deadline(const void *self)
{
    const struct trp_process *process = self;
    return process->ops->deadline(process->self);
}

static const struct trp_process_ops meddle_ops = {
    .step = meddle_step, .next_output = meddle_next_output, .deadline = meddle_deadline};

static enum trp_status meddle_start(void *user, uint32_t host, uint32_t incarnation, trp_time now,
                                    const uint8_t seed[32], const uint8_t identity[32],
                                    struct trp_bytes saved, struct trp_process *ret_process)
{
    enum trp_status status =
        factory.start(user, host, incarnation, now, seed, identity, saved, &processes[host]);
    *ret_process = (struct trp_process){.ops = &meddle_ops, .self = &processes[host]};
    return status;
}

static enum trp_status meddle_open(void *user, const struct trp_network_config *config,
                                   struct trp_network *ret_network)
{
    struct trp_network_config meddled = *config;
    factory = config->factory;
    meddled.factory.start = meddle_start;
    meddled.factory.result = meddle_result;
    return trp_network_open_sim(user, &meddled, ret_network);
}

/* ---- lies about a routing table ---- */

bool __real_trp_node_next_kad_peer(const struct trp_node *node, uint32_t *at,
                                   struct trp_peer_id *ret_peer, uint32_t *ret_bucket);
bool __wrap_trp_node_next_kad_peer(const struct trp_node *node, uint32_t *at,
                                   struct trp_peer_id *ret_peer, uint32_t *ret_bucket);

static uint32_t invented;

/* Adds invented entries behind the real ones. */
bool __wrap_trp_node_next_kad_peer(const struct trp_node *node, uint32_t *at,
                                   struct trp_peer_id *ret_peer, uint32_t *ret_bucket)
{
    static struct trp_peer_id last;
    static uint32_t last_bucket;
    bool lies = fault >= FAULT_SELF && fault <= FAULT_DOUBLE && trp_harness_now(run) > TRP_S(8);
    if (*at == 0) {
        invented = 0;
    }
    if (*at != UINT32_MAX && __real_trp_node_next_kad_peer(node, at, ret_peer, ret_bucket)) {
        last = *ret_peer;
        last_bucket = *ret_bucket;
        return true;
    }
    *at = UINT32_MAX;
    if (!lies || invented == (fault == FAULT_OVERFULL ? 40 : 1)) {
        return false;
    }
    *ret_bucket = last_bucket;
    *ret_peer = last;
    if (fault == FAULT_SELF) {
        *ret_peer = *trp_node_peer_id(node);
    } else if (fault == FAULT_BUCKET) {
        *ret_peer = (struct trp_peer_id){.size = 1};
        *ret_bucket = FAR_KAD_BUCKET;
    } else if (fault == FAULT_OVERFULL) {
        *ret_peer = (struct trp_peer_id){.size = 2, .bytes = {0, (uint8_t)invented}};
        *ret_bucket = 0;
    }
    invented++;
    return true;
}

/* ---- runs ---- */

/* What the harness believes of the nodes is not what they were told. */
static void tell_lies(struct trp_limits *limits)
{
    if (fault == FAULT_MEMORY) {
        limits->memory_bytes = 1;
    } else if (fault == FAULT_CONNECTIONS) {
        limits->connections = 0;
    } else if (fault == FAULT_NOTICE_BOUND) {
        limits->link_probe_ns = limits->link_answer_ns = limits->link_redial_ns = 0;
        limits->link_verify_ns = limits->request_timeout_ns = 0;
    } else if (fault == FAULT_TTL) {
        limits->kad_provider_ttl_ns = 0;
    }
}

/* Runs the scenario with one invariant expected; gives what that came to. */
static struct trp_run_judgement watch(const char *invariant, enum fault what)
{
    char text[2048];
    (void)snprintf(text, sizeof text, scenario, invariant);
    const struct trp_load_options options = {.path = "watched.yaml",
                                             .text = text,
                                             .text_bytes = strlen(text),
                                             .vocabulary = trp_harness_vocabulary()};
    struct trp_load *load = trp_load_open(&options);
    assert_int_equal(trp_load_problems(load), 0);
    const struct trp_run_options run_options = {
        .plan = trp_load_plan(load), .seed = 1, .network = {.open = meddle_open}};
    struct trp_run_judgement judgement = {0};
    struct trp_run_judgement later = {0};
    fault = what;
    assert_status(trp_run_open(&run_options, &run), TRP_OK);
    for (uint32_t i = 0; i < run->plan->groups_count; i++) {
        tell_lies(&run->limits[i]);
    }
    assert_status(trp_run_execute(run), TRP_OK);
    assert_status(trp_run_judge(run, 1, &judgement), TRP_OK);
    assert_status(trp_run_judge(run, 0, &later), TRP_OK);
    if (what == FAULT_NONE) {
        assert_false(run->stopped);
        assert_int_equal(later.verdict, TRP_RUN_HELD);
        assert_int_equal(judgement.verdict, TRP_RUN_HELD);
    } else {
        assert_true(run->stopped);
        assert_int_equal(later.verdict, TRP_RUN_UNDECIDED);
        assert_int_equal(judgement.verdict, TRP_RUN_BROKEN);
        assert_int_equal(judgement.failed, trp_harness_now(run));
        assert_int_equal(judgement.sequence, run->recorder.sequence); /* nothing comes after it */
        assert_true(judgement.host < run->plan->hosts_count);
        assert_memory_equal(judgement.detail, judgement.host == 0 ? "seed[0]: " : "rest[", 5);
    }
    trp_run_free(run);
    trp_load_free(load);
    return judgement;
}

static void every_invariant_holds_where_nothing_is_wrong(void **state)
{
    (void)state;
    const struct trp_vocabulary *vocabulary = trp_harness_vocabulary();
    for (uint32_t i = 0; i < vocabulary->always_count; i++) {
        (void)watch(vocabulary->always[i].name, FAULT_NONE);
    }
}

static void what_is_not_expected_stops_nothing(void **state)
{
    (void)state;
    const struct trp_vocabulary *vocabulary = trp_harness_vocabulary();
    assert_int_equal(vocabulary->always_count, TRP_ALWAYS_COUNT);
    char text[2048];
    (void)snprintf(text, sizeof text, scenario, "no_self_in_table");
    const struct trp_load_options options = {
        .path = "w", .text = text, .text_bytes = strlen(text), .vocabulary = vocabulary};
    struct trp_load *load = trp_load_open(&options);
    const struct trp_run_options run_options = {
        .plan = trp_load_plan(load), .seed = 1, .network = {.open = meddle_open}};
    fault = FAULT_DOUBLE_RESULT;
    assert_status(trp_run_open(&run_options, &run), TRP_OK);
    assert_status(trp_run_execute(run), TRP_OK);
    assert_false(run->stopped);
    trp_run_free(run);
    trp_load_free(load);
}

static void requests(void **state)
{
    (void)state;
    struct trp_run_judgement judgement = watch("one_outcome_per_ask", FAULT_DOUBLE_RESULT);
    assert_in_range(judgement.failed, TRP_S(8), TRP_S(10));
    assert_non_null(strstr(judgement.detail, "an ask of 'asks' had 2 outcomes"));
    judgement = watch("requests_end_in_time", FAULT_NO_RESULT);
    assert_in_range(judgement.failed, TRP_MIN(2), TRP_MIN(4));
    assert_non_null(strstr(judgement.detail, "operation 1 of 'asks' has no outcome"));
}

static void tables(void **state)
{
    (void)state;
    struct trp_run_judgement judgement = watch("no_self_in_table", FAULT_SELF);
    assert_in_range(judgement.failed, TRP_S(8), TRP_S(10));
    assert_non_null(strstr(judgement.detail, "its own table"));
    judgement = watch("entries_in_their_bucket", FAULT_BUCKET);
    assert_non_null(strstr(judgement.detail, "is in bucket 200, not"));
    judgement = watch("buckets_within_k", FAULT_OVERFULL);
    assert_non_null(strstr(judgement.detail, "bucket 0 has 21 entries"));
    judgement = watch("no_double_in_table", FAULT_DOUBLE);
    assert_non_null(strstr(judgement.detail, "is there twice"));
}

static void links(void **state)
{
    (void)state;
    struct trp_run_judgement judgement = watch("death_told_once", FAULT_FORGED_DEATH);
    assert_in_range(judgement.failed, TRP_S(8), TRP_S(10));
    assert_non_null(strstr(judgement.detail, "with which it has no link"));
    judgement = watch("death_told_in_time", FAULT_NOTICE_BOUND);
    assert_in_range(judgement.failed, TRP_S(31), TRP_S(37));
    assert_non_null(strstr(judgement.detail, "of rest[1] died"));
}

static void bounds(void **state)
{
    (void)state;
    struct trp_run_judgement judgement = watch("memory_within_limits", FAULT_MEMORY);
    assert_int_equal(judgement.failed, 0); /* at the very first happening */
    judgement = watch("connections_within_limits", FAULT_CONNECTIONS);
    assert_in_range(judgement.failed, TRP_MS(1), TRP_S(1));
    assert_non_null(strstr(judgement.detail, "it has 1 connections of 0"));
    judgement = watch("provider_records_expire", FAULT_TTL);
    assert_in_range(judgement.failed, TRP_S(60), TRP_S(66));
    assert_non_null(strstr(judgement.detail, "it keeps 'counter-2' of 12D3"));
    judgement = watch("no_node_breaks", FAULT_PROCESS);
    assert_in_range(judgement.failed, TRP_S(8), TRP_S(9));
    assert_non_null(strstr(judgement.detail, "rest[0]: its process broke"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_invariant_holds_where_nothing_is_wrong),
        cmocka_unit_test(what_is_not_expected_stops_nothing),
        cmocka_unit_test(requests),
        cmocka_unit_test(tables),
        cmocka_unit_test(links),
        cmocka_unit_test(bounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
