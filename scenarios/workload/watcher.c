/* SPDX-License-Identifier: MIT */
#include "scenarios/workload/watcher.h"

#define NAME_BYTES_MAX 256u

TRP_MESSAGE_DEFINE(watcher_watch, "watch", WATCHER_WATCH);
TRP_MESSAGE_DEFINE_EMPTY(watcher_ask_deaths, "deaths");
TRP_MESSAGE_DEFINE_NEWTYPE(watcher_found, "found", WATCHER_FOUND);
TRP_MESSAGE_DEFINE_NEWTYPE(watcher_deaths, "count", WATCHER_DEATHS);

struct watcher {
    uint64_t deaths;
};

/* Links with the actor found and answers whoever asked for it; `user` is the ask's token. */
static enum trp_status on_lookup(struct trp_context *ctx, void *state,
                                 const struct trp_lookup_result *result)
{
    (void)state;
    bool found = result->status == TRP_OK && result->ref.id != 0;
    const struct watcher_found reply = {.found = found && trp_link(ctx, &result->ref) == TRP_OK};
    return result->user == 0 ? TRP_OK
                             : trp_reply_to(ctx, result->user, &watcher_found_type, &reply);
}

static enum trp_status on_watch(struct trp_context *ctx, void *state, const void *message)
{
    (void)state;
    const struct watcher_watch *watch = message;
    char name[NAME_BYTES_MAX];
    if (watch->name.size == 0 || watch->name.size >= sizeof name) {
        return TRP_EINVAL;
    }
    memcpy(name, watch->name.data, watch->name.size);
    name[watch->name.size] = '\0';
    return trp_lookup(ctx, name, false, on_lookup, trp_reply_later(ctx));
}

static enum trp_status on_deaths(struct trp_context *ctx, void *state, const void *message)
{
    (void)message;
    const struct watcher *watcher = state;
    const struct watcher_deaths reply = {.deaths = watcher->deaths};
    enum trp_status status = trp_reply(ctx, &watcher_deaths_type, &reply);
    return status == TRP_ESTATE ? TRP_OK : status;
}

static bool on_link_died(struct trp_context *ctx, void *state, const struct trp_link_death *death)
{
    (void)ctx;
    (void)death;
    struct watcher *watcher = state;
    watcher->deaths++;
    return true;
}

static const struct trp_actor_handler handlers[] = {
    {.message = &watcher_watch_type, .reply = &watcher_found_type, .handle = on_watch},
    {.message = &watcher_ask_deaths_type, .reply = &watcher_deaths_type, .handle = on_deaths},
};

const struct trp_actor_type watcher_actor_type = {.id = "watcher",
                                                  .state_bytes = sizeof(struct watcher),
                                                  .handlers = handlers,
                                                  .handlers_count =
                                                      sizeof handlers / sizeof handlers[0],
                                                  .on_link_died = on_link_died};
