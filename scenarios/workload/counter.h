/* SPDX-License-Identifier: MIT */
/* workload/counter.h - an actor that counts up: the smallest one worth asking.
 *
 *   inc { amount: i64 } -> i64    adds, answers the new count
 *   get {} -> i64                 answers the count
 *   fail {} -> i64                answers with the error "asked to fail" */
#ifndef WORKLOAD_COUNTER_H
#define WORKLOAD_COUNTER_H

#include <troupe/actor.h>

#define COUNTER_INC(FIELD, TAG)   FIELD(TAG, I64, amount)
#define COUNTER_COUNT(FIELD, TAG) FIELD(TAG, I64, count)
#define COUNTER_ERROR(FIELD, TAG) FIELD(TAG, TEXT, text)

TRP_MESSAGE_DECLARE(counter_inc, COUNTER_INC);
TRP_MESSAGE_DECLARE_EMPTY(counter_get);
TRP_MESSAGE_DECLARE_EMPTY(counter_fail);
TRP_MESSAGE_DECLARE(counter_count, COUNTER_COUNT);
TRP_MESSAGE_DECLARE(counter_error, COUNTER_ERROR);

extern const struct trp_actor_type counter_actor_type;

#endif
