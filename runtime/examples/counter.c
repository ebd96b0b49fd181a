/* SPDX-License-Identifier: MIT */
#include "counter.h"

TRP_MESSAGE_DEFINE(counter_inc, "inc", COUNTER_INC);
TRP_MESSAGE_DEFINE_NEWTYPE(counter_count, "count", COUNTER_COUNT);

struct counter {
    int64_t count;
};

static enum trp_status on_inc(struct trp_context *ctx, void *state, const void *message)
{
    struct counter *counter = state;
    const struct counter_inc *inc = message;
    int64_t sum;
    if (__builtin_add_overflow(counter->count, inc->amount, &sum)) {
        return TRP_EINVAL; /* the asker gets it as the handler's error */
    }
    counter->count = sum;
    const struct counter_count reply = {.count = counter->count};
    return trp_reply(ctx, &counter_count_type, &reply);
}

static const struct trp_actor_handler handlers[] = {
    {.message = &counter_inc_type, .reply = &counter_count_type, .handle = on_inc}};

const struct trp_actor_type counter_actor_type = {.id = "counter",
                                                  .state_bytes = sizeof(struct counter),
                                                  .handlers = handlers,
                                                  .handlers_count = 1};
