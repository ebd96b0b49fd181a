/* SPDX-License-Identifier: MIT */
#include "scenarios/harness/vocabulary.h"

#include "scenarios/workload/workload.h"

#define METRIC_ENTRY(id, name_, unit_, text)                                                       \
    {.name = (name_), .about = (text), .unit = TRP_UNIT_##unit_},
#define ALWAYS_ENTRY(id, name_, text) {.name = (name_), .about = (text)},

static const struct trp_vocabulary_metric world_metrics[] = {TRP_WORLD_METRICS(METRIC_ENTRY)};
static const struct trp_vocabulary_metric workload_metrics[] = {TRP_WORKLOAD_METRICS(METRIC_ENTRY)};
static const struct trp_vocabulary_always always[] = {TRP_ALWAYS(ALWAYS_ENTRY)};

static const struct trp_vocabulary_actor actors[] = {
    {.name = "counter", .about = "counts up", .type = &counter_actor_type},
    {.name = "kv", .about = "keeps values under keys", .type = &kv_actor_type},
    {.name = "room", .about = "a chat room", .type = &chat_room_actor_type},
    {.name = "member", .about = "a member of a chat room", .type = &chat_member_actor_type},
    {.name = "ping", .about = "one of a ring", .type = &ping_actor_type},
    {.name = "watcher", .about = "counts the deaths of actors", .type = &watcher_actor_type},
};

static const struct trp_vocabulary vocabulary = {
    .actors = actors,
    .actors_count = sizeof actors / sizeof actors[0],
    .metrics = world_metrics,
    .metrics_count = TRP_WORLD_METRICS_COUNT,
    .workload_metrics = workload_metrics,
    .workload_metrics_count = TRP_WORKLOAD_METRICS_COUNT,
    .always = always,
    .always_count = TRP_ALWAYS_COUNT,
};

const struct trp_vocabulary *trp_harness_vocabulary(void)
{
    return &vocabulary;
}
