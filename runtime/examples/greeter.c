/* SPDX-License-Identifier: MIT */
#include "greeter.h"

TRP_MESSAGE_DEFINE(greeter_greet, "greet", GREETER_GREET);
TRP_MESSAGE_DEFINE_NEWTYPE(greeter_greeting, "greeting", GREETER_GREETING);

struct greeter {
    uint32_t greeted;
};

static enum trp_status on_greet(struct trp_context *ctx, void *state, const void *message)
{
    static const char hello[] = "Hello, ";
    const struct greeter_greet *greet = message;
    struct greeter *greeter = state;
    char text[128];
    size_t size = greet->name.size < 100 ? greet->name.size : 100;
    memcpy(text, hello, sizeof hello - 1);
    if (size > 0) {
        memcpy(text + sizeof hello - 1, greet->name.data, size);
    }
    greeter->greeted++;
    const struct greeter_greeting reply = {.text = trp_bytes(text, sizeof hello - 1 + size)};
    return trp_reply(ctx, &greeter_greeting_type, &reply);
}

static const struct trp_actor_handler handlers[] = {
    {.message = &greeter_greet_type, .reply = &greeter_greeting_type, .handle = on_greet}};

const struct trp_actor_type greeter_actor_type = {.id = "greeter",
                                                  .state_bytes = sizeof(struct greeter),
                                                  .handlers = handlers,
                                                  .handlers_count = 1};
