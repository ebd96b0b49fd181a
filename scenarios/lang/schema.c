/* SPDX-License-Identifier: MIT */
#include "scenarios/lang/schema.h"

#include "scenarios/lang/draft.h"

/* ---- limits: as in troupe/limits.h; the unit is the value's, not the key's ---- */

#define LIMIT_TYPE_trp_time LANG_TIME
#define LIMIT_TYPE_uint32_t LANG_LIMIT
#define LIMIT_TYPE_uint64_t LANG_LIMIT_WIDE
#define LIMIT_CUT_trp_time  3u /* "_ns" */
#define LIMIT_CUT_uint32_t  0u
#define LIMIT_CUT_uint64_t  0u

static const struct lang_key limits_keys[] = {
#define LIMIT_KEY(type_, name_, default_, minimum, reason)                                         \
    {.name = #name_,                                                                               \
     .name_size = (uint32_t)(sizeof #name_ - 1 - LIMIT_CUT_##type_),                               \
     .type = LIMIT_TYPE_##type_,                                                                   \
     .offset = offsetof(struct draft_limits, limits.name_),                                        \
     .unless = "the node's own default",                                                           \
     .about = reason},
    TRP_LIMITS_MAP(LIMIT_KEY)
#undef LIMIT_KEY
};

static const struct lang_section limits_section = {.name = "limits",
                                                   .keys = limits_keys,
                                                   .keys_count = LANG_COUNT_OF(limits_keys),
                                                   .size = sizeof(struct draft_limits)};

/* ---- run ---- */

static const struct lang_key run_keys[] = {
    {.name = "until",
     .type = LANG_TIME,
     .required = true,
     .offset = offsetof(struct draft_run, until),
     .about = "When the run ends, in virtual time from its start.",
     .example = "until: 10min"},
    {.name = "seed",
     .type = LANG_SEED,
     .offset = offsetof(struct draft_run, seed),
     .usual = "1",
     .about = "What every random decision follows from; `troupe run --seed` overrides it.",
     .example = "seed: 7"}};

static const struct lang_section run_section = {.name = "run",
                                                .keys = run_keys,
                                                .keys_count = LANG_COUNT_OF(run_keys),
                                                .size = sizeof(struct draft_run)};

/* ---- hosts ---- */

static const struct lang_choice conducts[] = {
    {"honest", TRP_PLAN_HONEST, false, "as a node should"},
    {"flood", TRP_PLAN_FLOOD, false, "opens connections without end and says nothing"},
    {"slow", TRP_PLAN_SLOW, false, "begins as any peer would, one byte at a time"},
    {"silent", TRP_PLAN_SILENT, false, "takes connections and never answers"},
    {"truncate", TRP_PLAN_TRUNCATE, false, "begins as any peer would and breaks off"},
    {"malformed", TRP_PLAN_MALFORMED, false, "sends what no handshake allows"},
    {"oversize", TRP_PLAN_OVERSIZE, false, "announces messages beyond any limit"},
    {"lie", TRP_PLAN_LIE, false, "answers the DHT with inventions, and stores some"},
    {"streams", TRP_PLAN_STREAMS, false, "opens streams without end"},
    {NULL, 0, false, NULL}};

static const struct lang_choice mdns_uses[] = {
    {"off", TRP_MDNS_OFF, false, "they find others as they are told"},
    {"on", TRP_MDNS_ON, false, "they find each other by multicast DNS, without bootstrap"},
    {NULL, 0, false, NULL}};

static const struct lang_key group_keys[] = {
    {.name = "count",
     .type = LANG_COUNT,
     .offset = offsetof(struct draft_group, group.count),
     .usual = "1",
     .about = "How many hosts.",
     .example = "count: 28"},
    {.name = "zone",
     .type = LANG_WORD,
     .offset = offsetof(struct draft_group, group.zone),
     .unless = "the name of the group",
     .about = "Where they are; `network.links` speaks of zones.",
     .example = "zone: west"},
    {.name = "bootstrap",
     .type = LANG_HOSTS_LATER,
     .offset = offsetof(struct draft_group, bootstrap),
     .unless = "they dial nobody",
     .about = "The hosts these dial to join the network, and dial again when they lost them: each "
              "host three of them, drawn, or, with a list, those of its own entry.",
     .example = "bootstrap: boot"},
    {.name = "start",
     .type = LANG_START,
     .offset = offsetof(struct draft_group, start),
     .usual = "0s",
     .about = "When each host starts; `never`: only by `join:`.",
     .example = "start: \"uniform(0s, 30s)\""},
    {.name = "state",
     .type = LANG_CHOICE,
     .offset = offsetof(struct draft_group, group.state),
     .usual = "kept",
     .choices = lang_states,
     .about = "What a crash leaves for the next start, unless the crash says otherwise.",
     .example = "state: lost"},
    {.name = "limits",
     .type = LANG_SECTION,
     .offset = offsetof(struct draft_group, limits),
     .unless = "those of the file",
     .section = &limits_section,
     .about = "Bounds and intervals of the nodes of this group; see `limits`.",
     .example = "limits: { bootstrap_redial: 10s }"},
    {.name = "mdns",
     .type = LANG_CHOICE,
     .offset = offsetof(struct draft_group, group.mdns),
     .usual = "off",
     .choices = mdns_uses,
     .about = "Whether they find others on their local network; each zone is one.",
     .example = "mdns: on"},
    {.name = "behave",
     .type = LANG_CHOICE,
     .offset = offsetof(struct draft_group, group.conduct),
     .usual = "honest",
     .choices = conducts,
     .about = "How these hosts behave; see `troupe explain adversaries`.",
     .example = "behave: flood"},
    {.name = "against",
     .type = LANG_HOSTS_LATER,
     .offset = offsetof(struct draft_group, against),
     .unless = "every honest host",
     .about = "Whom these adversaries attack.",
     .example = "against: boot"},
    {.name = "every",
     .type = LANG_TIME,
     .offset = offsetof(struct draft_group, group.every_ns),
     .unless = "10ms; slow: 1s; oversize, lie, streams: 100ms",
     .about =
         "The time from one attack of each of these hosts to the next; slow: to the next byte.",
     .example = "every: 5ms"}};

static const struct lang_section group_section = {.name = "hosts",
                                                  .keys = group_keys,
                                                  .keys_count = LANG_COUNT_OF(group_keys),
                                                  .size = sizeof(struct draft_group),
                                                  .planned = " clock nat "};

/* ---- actors ---- */

static const struct lang_key actor_keys[] = {
    {.name = "type",
     .type = LANG_TEXT,
     .required = true,
     .offset = offsetof(struct draft_actor, type),
     .about = "Which program; `troupe explain actors.type` lists them with their messages.",
     .example = "type: counter"},
    {.name = "on",
     .type = LANG_HOSTS,
     .offset = offsetof(struct draft_actor, actor.on),
     .usual = "all",
     .about = "The hosts that run it, after every start.",
     .example = "on: \"west + east\""},
    {.name = "register",
     .type = LANG_REGISTER,
     .offset = offsetof(struct draft_actor, actor.name),
     .unless = "it has no name",
     .about = "The name it is found by: {host.index} is the number of the host in the whole "
              "scenario, {host.group} and {host.zone} where it is, {index} which of `count`.",
     .example = "register: \"counter-{host.index}\""},
    {.name = "count",
     .type = LANG_COUNT,
     .offset = offsetof(struct draft_actor, actor.count),
     .usual = "1",
     .about = "How many on each host.",
     .example = "count: 3"},
    {.name = "args",
     .type = LANG_ARGUMENTS,
     .offset = offsetof(struct draft_actor, args),
     .unless = "none",
     .about = "What the actor starts with: a message that its type declares.",
     .example = "args: { start: 10 }"}};

static const struct lang_section actor_section = {.name = "actors",
                                                  .keys = actor_keys,
                                                  .keys_count = LANG_COUNT_OF(actor_keys),
                                                  .size = sizeof(struct draft_actor)};

/* ---- workload ---- */

#define TARGET_KEY(name_, value_, about_)                                                          \
    {                                                                                              \
        .name = (name_), .type = LANG_TARGET, .action = true, .value = (value_),                   \
        .offset = offsetof(struct draft_workload, workload.target), .about = (about_),             \
        .example = name_ ": \"counter-{random}\""                                                  \
    }

static const struct lang_key workload_keys[] = {
    {.name = "name",
     .type = LANG_WORD,
     .required = true,
     .offset = offsetof(struct draft_workload, workload.name),
     .about = "What its metrics begin with: `finds.success_ratio`.",
     .example = "name: finds"},
    {.name = "from",
     .type = LANG_TIME,
     .offset = offsetof(struct draft_workload, workload.from),
     .usual = "0s",
     .about = "When it begins.",
     .example = "from: 1min"},
    {.name = "until",
     .type = LANG_TIME,
     .offset = offsetof(struct draft_workload, workload.until),
     .unless = "the end of the run",
     .about = "When it begins nothing more.",
     .example = "until: 9min"},
    {.name = "every",
     .type = LANG_SPREAD,
     .required = true,
     .offset = offsetof(struct draft_workload, workload.every),
     .about = "The time from one operation to the next, over all hosts together.",
     .example = "every: \"exp(mean=500ms)\""},
    {.name = "on",
     .type = LANG_HOSTS,
     .offset = offsetof(struct draft_workload, workload.on),
     .usual = "any",
     .about = "Each operation is issued on one host drawn from these.",
     .example = "on: west"},
    TARGET_KEY("lookup", TRP_PLAN_LOOKUP,
               "Find an actor by its name. {random} takes one of the names that are registered "
               "like this, {host.index} that of the host it is issued on."),
    TARGET_KEY("ask", TRP_PLAN_ASK, "Send a message to an actor and wait for its reply."),
    TARGET_KEY("tell", TRP_PLAN_TELL, "Send a message to an actor and expect nothing."),
    {.name = "all",
     .type = LANG_FLAG,
     .offset = offsetof(struct draft_workload, workload.all),
     .with = " lookup ",
     .usual = "false",
     .about = "Find every actor of the name instead of the first.",
     .example = "all: true"},
    {.name = "message",
     .type = LANG_TEXT,
     .offset = offsetof(struct draft_workload, message),
     .with = " ask tell ",
     .unless = "required with them",
     .about = "Which message of the actor's type.",
     .example = "message: inc"},
    {.name = "args",
     .type = LANG_ARGUMENTS,
     .offset = offsetof(struct draft_workload, args),
     .with = " ask tell ",
     .unless = "none",
     .about = "The message itself: its fields, each of the type that the message declares.",
     .example = "args: { changes: [ { put: { key: a, value: b } }, { delete: { key: c } } ] }"},
    {.name = "timeout",
     .type = LANG_TIME,
     .offset = offsetof(struct draft_workload, workload.timeout_ns),
     .with = " ask ",
     .unless = "limits.request_timeout",
     .about = "How long to wait for the reply.",
     .example = "timeout: 5s"},
    {.name = "operations",
     .type = LANG_OCCASIONS,
     .offset = offsetof(struct draft_workload, occasions),
     .unless = "drawn by `every`, `on` and {random}",
     .about = "The very operations instead of drawn ones, in the order of time: what `troupe "
              "resolve RUN.db` writes.",
     .example = "operations: [ \"61.2s west[3] counter-17\" ]"}};

static const struct lang_section workload_section = {
    .name = "workload",
    .keys = workload_keys,
    .keys_count = LANG_COUNT_OF(workload_keys),
    .size = sizeof(struct draft_workload),
    .kind_offset = offsetof(struct draft_workload, workload.operation)};

/* ---- expect ---- */

#define BOUND_KEYS(struct_, with_)                                                                 \
    {.name = "at_least",                                                                           \
     .type = LANG_BOUND,                                                                           \
     .offset = offsetof(struct_, at_least),                                                        \
     .with = (with_),                                                                              \
     .unless = "no lower bound",                                                                   \
     .about = "The least that is good, in the unit of the metric.",                                \
     .example = "at_least: 99.9%"},                                                                \
    {                                                                                              \
        .name = "at_most", .type = LANG_BOUND, .offset = offsetof(struct_, at_most),               \
        .with = (with_), .unless = "no upper bound",                                               \
        .about = "The most that is good, in the unit of the metric.", .example = "at_most: 1s"     \
    }

static const struct lang_key eventually_keys[] = {
    {.name = "metric",
     .type = LANG_TEXT,
     .required = true,
     .offset = offsetof(struct draft_eventually, metric),
     .about = "A metric of the world; `troupe explain expect.metric` lists them.",
     .example = "metric: dht.recall_at_k"},
    BOUND_KEYS(struct draft_eventually, NULL),
    {.name = "for",
     .type = LANG_TIME,
     .offset = offsetof(struct draft_eventually, for_ns),
     .usual = "0s",
     .about = "How long it must stay good once it is.",
     .example = "for: 30s"},
    {.name = "after",
     .type = LANG_TEXT,
     .offset = offsetof(struct draft_eventually, after),
     .unless = "from the start",
     .about = "A time; the name of a timeline entry: its end; or `heal`: the last end of a "
              "partition or link change.",
     .example = "after: heal"},
    {.name = "within",
     .type = LANG_TIME,
     .offset = offsetof(struct draft_eventually, within),
     .unless = "up to the end of the run",
     .about = "How long after that it must have become good.",
     .example = "within: 2min"}};

static const struct lang_section eventually_section = {.name = "eventually",
                                                       .keys = eventually_keys,
                                                       .keys_count = LANG_COUNT_OF(eventually_keys),
                                                       .size = sizeof(struct draft_eventually)};

static const struct lang_key expect_keys[] = {
    {.name = "always",
     .type = LANG_TEXT,
     .action = true,
     .value = TRP_PLAN_ALWAYS,
     .offset = offsetof(struct draft_expect, always),
     .about = "An invariant that holds throughout the run; `troupe explain expect.always` "
              "lists them.",
     .example = "always: one_outcome_per_ask"},
    {.name = "eventually",
     .type = LANG_SECTION,
     .action = true,
     .value = TRP_PLAN_EVENTUALLY,
     .offset = offsetof(struct draft_expect, eventually),
     .section = &eventually_section,
     .about = "A metric of the world becomes good in time, and stays good.",
     .example = "eventually: { metric: dht.recall_at_k, at_least: 0.99, for: 30s, after: heal, "
                "within: 2min }"},
    {.name = "metric",
     .type = LANG_TEXT,
     .action = true,
     .value = TRP_PLAN_METRIC,
     .offset = offsetof(struct draft_expect, metric),
     .about = "A metric is within bounds: of a workload entry over the operations begun in a span, "
              "of the world at every sample in it.",
     .example = "{ metric: finds.success_ratio, from: 5min30s, at_least: 0.999 }"},
    {.name = "sql",
     .type = LANG_TEXT,
     .action = true,
     .value = TRP_PLAN_SQL,
     .offset = offsetof(struct draft_expect, sql),
     .about = "A query over the recorded run whose answer is 1.",
     .example = "sql: \"SELECT count(*) = 0 FROM ask WHERE outcomes <> 1\""},
    BOUND_KEYS(struct draft_expect, " metric "),
    {.name = "from",
     .type = LANG_TIME,
     .offset = offsetof(struct draft_expect, expect.from),
     .with = " metric ",
     .usual = "0s",
     .about = "From when on.",
     .example = "from: 5min30s"},
    {.name = "until",
     .type = LANG_TIME,
     .offset = offsetof(struct draft_expect, expect.until),
     .with = " metric ",
     .unless = "the end of the run",
     .about = "Up to when.",
     .example = "until: 9min"}};

static const struct lang_section expect_section = {.name = "expect",
                                                   .keys = expect_keys,
                                                   .keys_count = LANG_COUNT_OF(expect_keys),
                                                   .size = sizeof(struct draft_expect),
                                                   .kind_offset =
                                                       offsetof(struct draft_expect, expect.kind)};

/* ---- the whole ---- */

static const struct lang_key root_keys[] = {
    {.name = "name",
     .type = LANG_WORD,
     .required = true,
     .offset = offsetof(struct draft, name),
     .about = "What the scenario is called in reports.",
     .example = "name: partition-heal"},
    {.name = "about",
     .type = LANG_TEXT,
     .required = true,
     .offset = offsetof(struct draft, about),
     .about = "What it rehearses, in a sentence.",
     .example = "about: A DHT splits in two and heals."},
    {.name = "tags",
     .type = LANG_WORDS,
     .offset = offsetof(struct draft, tags),
     .unless = "none",
     .about = "Words to choose scenarios by.",
     .example = "tags: [ dht, slow ]"},
    {.name = "extends",
     .type = LANG_FILES,
     .unless = "nothing",
     .about = "A file, or a list of files, that this one is laid over. Sections are merged key by "
              "key; a list replaces the list below it. Paths count from this file.",
     .example = "extends: base.yaml"},
    {.name = "run",
     .type = LANG_SECTION,
     .required = true,
     .offset = offsetof(struct draft, run),
     .section = &run_section,
     .done = lang_rules_run,
     .about = "How long, and by which seed.",
     .example = "run: { until: 10min, seed: 1 }"},
    {.name = "limits",
     .type = LANG_SECTION,
     .offset = offsetof(struct draft, limits),
     .unless = "the nodes' own defaults",
     .section = &limits_section,
     .about = "Bounds and intervals of every node; a group of hosts may say its own.",
     .example = "limits: { kad_refresh: 1min, requests_per_connection: 50 }"},
    {.name = "hosts",
     .type = LANG_TABLE,
     .required = true,
     .offset = offsetof(struct draft, hosts),
     .section = &group_section,
     .done = lang_rules_hosts,
     .about = "Groups of hosts by name. Hosts are numbered from 0 through the groups in order.",
     .example = "hosts:\n  boot: { count: 3, zone: west }\n"
                "  west: { count: 28, bootstrap: boot, start: \"uniform(0s, 30s)\" }"},
    {.name = "network",
     .type = LANG_SECTION,
     .offset = offsetof(struct draft, network),
     .section = &lang_network_section,
     .done = lang_rules_network,
     .unless = "TCP and Noise over paths without delay",
     .about = "What lies between the hosts.",
     .example = "network:\n  links:\n    default: { latency: 40ms, loss: 0.1% }"},
    {.name = "actors",
     .type = LANG_LIST_OF,
     .offset = offsetof(struct draft, actors),
     .section = &actor_section,
     .done = lang_rules_actors,
     .unless = "none",
     .about = "What runs on the hosts.",
     .example = "actors:\n"
                "  - { type: counter, on: west, register: \"counter-{host.index}\" }"},
    {.name = "workload",
     .type = LANG_LIST_OF,
     .offset = offsetof(struct draft, workload),
     .section = &workload_section,
     .done = lang_rules_workload,
     .unless = "none",
     .about = "What is asked of the actors while the scenario runs.",
     .example = "workload:\n  - { name: finds, from: 1min, every: 500ms, "
                "lookup: \"counter-{random}\" }"},
    {.name = "timeline",
     .type = LANG_LIST_OF,
     .offset = offsetof(struct draft, timeline),
     .section = &lang_timeline_section,
     .done = lang_rules_timeline,
     .unless = "nothing goes wrong",
     .about = "What goes wrong, and when: one action per entry.",
     .example = "timeline:\n  - { at: 3min, partition: [ west, east ] }\n"
                "  - { at: 5min, heal: all }"},
    {.name = "expect",
     .type = LANG_LIST_OF,
     .offset = offsetof(struct draft, expect),
     .section = &expect_section,
     .done = lang_rules_expect,
     .unless = "nothing",
     .about = "What must hold; a run that breaks one has failed.",
     .example = "expect:\n  - always: one_outcome_per_ask"}};

static const struct lang_section root_section = {.name = "scenario",
                                                 .keys = root_keys,
                                                 .keys_count = LANG_COUNT_OF(root_keys),
                                                 .size = sizeof(struct draft),
                                                 .planned = " churn matrix "};

const struct lang_section *lang_schema(void)
{
    return &root_section;
}
