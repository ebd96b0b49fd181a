/* SPDX-License-Identifier: MIT */
#include "scenarios/workload/counter.h"

TRP_MESSAGE_DEFINE(counter_inc, "inc", COUNTER_INC);
TRP_MESSAGE_DEFINE_EMPTY(counter_get, "get");
TRP_MESSAGE_DEFINE_EMPTY(counter_fail, "fail");
TRP_MESSAGE_DEFINE_NEWTYPE(counter_count, "count", COUNTER_COUNT);
TRP_MESSAGE_DEFINE_NEWTYPE(counter_error, "error", COUNTER_ERROR);

struct counter {
    int64_t count;
};

/* Answers an ask; a tell wants nothing. */
static enum trp_status counter_answer(struct trp_context *ctx, const struct counter *counter)
{
    const struct counter_count reply = {.count = counter->count};
    enum trp_status status = trp_reply(ctx, &counter_count_type, &reply);
    return status == TRP_ESTATE ? TRP_OK : status;
}

static enum trp_status on_inc(struct trp_context *ctx, void *state, const void *message)
{
    struct counter *counter = state;
    const struct counter_inc *inc = message;
    counter->count = (int64_t)((uint64_t)counter->count + (uint64_t)inc->amount);
    return counter_answer(ctx, counter);
}

static enum trp_status on_get(struct trp_context *ctx, void *state, const void *message)
{
    (void)message;
    return counter_answer(ctx, state);
}

static enum trp_status on_fail(struct trp_context *ctx, void *state, const void *message)
{
    (void)state;
    (void)message;
    const struct counter_error error = {.text = trp_bytes_text("asked to fail")};
    enum trp_status status = trp_reply_error(ctx, &counter_error_type, &error);
    return status == TRP_ESTATE ? TRP_OK : status;
}

static const struct trp_actor_handler handlers[] = {
    {.message = &counter_inc_type, .reply = &counter_count_type, .handle = on_inc},
    {.message = &counter_get_type, .reply = &counter_count_type, .handle = on_get},
    {.message = &counter_fail_type, .reply = &counter_count_type, .handle = on_fail},
};

const struct trp_actor_type counter_actor_type = {.id = "counter",
                                                  .state_bytes = sizeof(struct counter),
                                                  .handlers = handlers,
                                                  .handlers_count =
                                                      sizeof handlers / sizeof handlers[0]};
