/* SPDX-License-Identifier: MIT */
/* A counter as a Rust program knows it: #[remote_actor(id = "counter")], #[remote_message("inc")]
 * on struct Inc { amount: i64 }, answered with an i64. */
#ifndef EXAMPLES_COUNTER_H
#define EXAMPLES_COUNTER_H

#include <troupe/actor.h>

#define COUNTER_INC(FIELD, TAG) FIELD(TAG, I64, amount)
TRP_MESSAGE_DECLARE(counter_inc, COUNTER_INC);

#define COUNTER_COUNT(FIELD, TAG) FIELD(TAG, I64, count)
TRP_MESSAGE_DECLARE(counter_count, COUNTER_COUNT);

#define COUNTER_NAME "counter" /* under which it is registered, here and in Rust */

extern const struct trp_actor_type counter_actor_type;

#endif
