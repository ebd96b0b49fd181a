/* SPDX-License-Identifier: MIT */
/* lib/words.h - a vocabulary for tests of the scenario language: what the words mean, no programs.
 */
#ifndef LIB_WORDS_H
#define LIB_WORDS_H

#include "scenarios/lang/load.h"

#include "lib/message_shapes.h"

#define WORDS_PUT(FIELD, TAG) FIELD(TAG, TEXT, key) FIELD(TAG, BYTES, value) FIELD(TAG, U32, times)

#define WORDS_INC(FIELD, TAG)    FIELD(TAG, I64, amount)
#define WORDS_TUNE(FIELD, TAG)   FIELD(TAG, F64, gain) FIELD(TAG, F32, bias) FIELD(TAG, BOOL, loud)
#define WORDS_LIMIT(FIELD, TAG)  FIELD(TAG, I32, low) FIELD(TAG, U64, high)
#define WORDS_NUMBER(FIELD, TAG) FIELD(TAG, I64, value)

TRP_MESSAGE_DECLARE(words_inc, WORDS_INC);
TRP_MESSAGE_DECLARE(words_put, WORDS_PUT);
TRP_MESSAGE_DECLARE(words_tune, WORDS_TUNE);
TRP_MESSAGE_DECLARE(words_limit, WORDS_LIMIT);
TRP_MESSAGE_DECLARE(words_number, WORDS_NUMBER);
TRP_MESSAGE_DECLARE_EMPTY(words_get);

TRP_MESSAGE_DEFINE(words_inc, "inc", WORDS_INC);
TRP_MESSAGE_DEFINE(words_put, "put", WORDS_PUT);
TRP_MESSAGE_DEFINE(words_tune, "tune", WORDS_TUNE);
TRP_MESSAGE_DEFINE(words_limit, "limit", WORDS_LIMIT);
TRP_MESSAGE_DEFINE_NEWTYPE(words_number, "number", WORDS_NUMBER);
TRP_MESSAGE_DEFINE_EMPTY(words_get, "get");

static const struct trp_actor_handler words_counter_handlers[] = {
    {.message = &words_inc_type, .reply = &words_number_type},
    {.message = &words_get_type, .reply = &words_number_type},
    {.message = &words_number_type, .reply = &words_number_type}};
static const struct trp_actor_type words_counter = {
    .id = "counter", .handlers_count = 3, .handlers = words_counter_handlers};

static const struct trp_actor_handler words_kv_handlers[] = {
    {.message = &words_put_type},
    {.message = &words_tune_type},
    {.message = &words_limit_type},
    {.message = &words_get_type, .reply = &words_number_type}};
static const struct trp_actor_type words_kv = {
    .id = "kv", .handlers_count = 4, .handlers = words_kv_handlers, .args = &words_inc_type};

#define WORDS_SHAPE(name, T) {.message = &shape_##name##_type},
static const struct trp_actor_handler words_shapes_handlers[] = {
    SHAPES_NEWTYPES(WORDS_SHAPE){.message = &shape_numbers_type},
    {.message = &shape_tuple_type},
    {.message = &shape_point_type},
    {.message = &shape_shape_type},
    {.message = &shape_color_type},
    {.message = &shape_result_type},
    {.message = &shape_outcome_type},
    {.message = &shape_options_type},
    {.message = &shape_node_type},
    {.message = &shape_expr_type},
    {.message = &shape_draw_type}};
static const struct trp_actor_type words_shapes = {
    .id = "shapes", .handlers_count = SHAPES_COUNT, .handlers = words_shapes_handlers};

static const struct trp_vocabulary_actor words_actors[] = {
    {.name = "counter", .about = "counts", .type = &words_counter},
    {.name = "kv", .about = "keeps values", .type = &words_kv},
    {.name = "shapes", .about = "takes a message of every shape", .type = &words_shapes}};
static const struct trp_vocabulary_metric words_metrics[] = {
    {"dht.recall_at_k", "of the k closest, how many are found", TRP_UNIT_RATIO},
    {"dht.components", "parts of the overlay", TRP_UNIT_NUMBER},
    {"net.bytes_per_s", "bytes sent per second", TRP_UNIT_BYTES}};
static const struct trp_vocabulary_metric words_workload_metrics[] = {
    {"success_ratio", "operations that succeeded", TRP_UNIT_RATIO},
    {"latency.p99", "99th percentile", TRP_UNIT_SPAN},
    {"hops.mean", "referrals per lookup", TRP_UNIT_NUMBER}};
static const struct trp_vocabulary_always words_always[] = {
    {"one_outcome_per_ask", "an ask has exactly one outcome"},
    {"no_self_in_table", "no node is in its own table"}};

static const struct trp_vocabulary words = {.actors = words_actors,
                                            .actors_count = 3,
                                            .metrics = words_metrics,
                                            .metrics_count = 3,
                                            .workload_metrics = words_workload_metrics,
                                            .workload_metrics_count = 3,
                                            .always = words_always,
                                            .always_count = 2};

#endif
