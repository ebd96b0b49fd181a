/* SPDX-License-Identifier: MIT */
#include "scenarios/workload/ping.h"

#define NAME_BYTES_MAX 256u

TRP_MESSAGE_DEFINE(ping_next, "next", PING_NAME);
TRP_MESSAGE_DEFINE_NEWTYPE(ping_found, "found", PING_FOUND);
TRP_MESSAGE_DEFINE_EMPTY(ping_ping, "ping");
TRP_MESSAGE_DEFINE_NEWTYPE(ping_count, "count", PING_COUNT);
TRP_MESSAGE_DEFINE(ping_chain, "chain", PING_HOPS);
TRP_MESSAGE_DEFINE_NEWTYPE(ping_hops, "hops", PING_HOPS);
TRP_MESSAGE_DEFINE(ping_token, "token", PING_LEFT);
TRP_MESSAGE_DEFINE_NEWTYPE(ping_error, "error", PING_ERROR);

struct ring {
    struct trp_actor_ref next; /* id 0: none */
    uint64_t passed;
};

/* A tell wants no answer: that is fine. */
static enum trp_status answered(enum trp_status status)
{
    return status == TRP_ESTATE ? TRP_OK : status;
}

static enum trp_status refuse(struct trp_context *ctx, const char *text)
{
    const struct ping_error error = {.text = trp_bytes_text(text)};
    return answered(trp_reply_error(ctx, &ping_error_type, &error));
}

/* ---- finding the successor ---- */

static enum trp_status on_found(struct trp_context *ctx, void *state,
                                const struct trp_lookup_result *result)
{
    struct ring *ring = state;
    const struct ping_found reply = {.found = result->status == TRP_OK && result->ref.id != 0};
    if (reply.found) {
        ring->next = result->ref;
    }
    return answered(trp_reply_to(ctx, result->user, &ping_found_type, &reply));
}

static enum trp_status on_next(struct trp_context *ctx, void *state, const void *message)
{
    (void)state;
    const struct ping_next *next = message;
    char name[NAME_BYTES_MAX];
    if (next->name.size == 0 || next->name.size >= sizeof name) {
        return refuse(ctx, "no such name");
    }
    memcpy(name, next->name.data, next->name.size);
    name[next->name.size] = '\0';
    return trp_lookup(ctx, name, false, on_found, trp_reply_later(ctx));
}

/* ---- through the ring ---- */

static enum trp_status on_ping(struct trp_context *ctx, void *state, const void *message)
{
    (void)message;
    const struct ping_count reply = {.passed = ((const struct ring *)state)->passed};
    return answered(trp_reply(ctx, &ping_count_type, &reply));
}

static enum trp_status on_chain_reply(struct trp_context *ctx, void *state,
                                      const struct trp_reply *reply)
{
    (void)state;
    if (reply->status != TRP_OK) {
        const struct ping_error error = {.text = trp_bytes_text("the chain broke")};
        return answered(trp_reply_error_to(ctx, reply->user, &ping_error_type, &error));
    }
    const struct ping_hops *behind = reply->message;
    const struct ping_hops hops = {.hops = behind->hops + 1};
    return answered(trp_reply_to(ctx, reply->user, &ping_hops_type, &hops));
}

static enum trp_status on_chain(struct trp_context *ctx, void *state, const void *message)
{
    const struct ring *ring = state;
    const struct ping_chain *chain = message;
    if (chain->hops == 0) {
        return answered(trp_reply(ctx, &ping_hops_type, &(struct ping_hops){.hops = 0}));
    }
    if (ring->next.id == 0) {
        return refuse(ctx, "no successor");
    }
    const struct trp_ask_options options = {
        .reply = &ping_hops_type, .on_reply = on_chain_reply, .user = trp_reply_later(ctx)};
    const struct ping_chain less = {.hops = chain->hops - 1};
    enum trp_status status = trp_ask(ctx, &ring->next, &ping_chain_type, &less, &options);
    return options.user == 0 ? TRP_OK : status; /* a failure answers the ask */
}

static enum trp_status on_token(struct trp_context *ctx, void *state, const void *message)
{
    struct ring *ring = state;
    const struct ping_token *token = message;
    ring->passed++;
    if (token->left == 0 || ring->next.id == 0) {
        return TRP_OK;
    }
    const struct ping_token less = {.left = token->left - 1};
    /* A token that cannot be passed on is lost, as on any ring. */
    TRP_IGNORE(trp_tell(ctx, &ring->next, &ping_token_type, &less));
    return TRP_OK;
}

static const struct trp_actor_handler handlers[] = {
    {.message = &ping_next_type, .reply = &ping_found_type, .handle = on_next},
    {.message = &ping_ping_type, .reply = &ping_count_type, .handle = on_ping},
    {.message = &ping_chain_type, .reply = &ping_hops_type, .handle = on_chain},
    {.message = &ping_token_type, .reply = &trp_unit_type, .handle = on_token},
};

const struct trp_actor_type ping_actor_type = {.id = "ping",
                                               .state_bytes = sizeof(struct ring),
                                               .handlers = handlers,
                                               .handlers_count =
                                                   sizeof handlers / sizeof handlers[0]};
