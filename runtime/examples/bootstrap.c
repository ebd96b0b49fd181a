/* SPDX-License-Identifier: MIT */
/* examples/bootstrap.c - a node in one line, an actor under a name, and a question to it.
 *
 * Without arguments it greets itself. Give it the address another one prints, and it asks the
 * greeter there:
 *     bootstrap                                  listening /ip4/…/p2p/12D3KooW…
 *     bootstrap /ip4/127.0.0.1/tcp/4001          Hello, world */
#include "greeter.h"

#include <troupe/swarm.h>
#include <troupe/uv.h>

#include <stdio.h>

#define NAME    "greeter"
#define LIMIT_S 20u /* how long it tries to find somebody */

struct program {
    struct trp_runtime *runtime;
    bool answered;
};

static void on_result(void *user, const struct trp_result *result)
{
    struct program *program = user;
    char text[256];
    if (result->kind != TRP_CMD_ASK || result->status != TRP_OK) {
        return;
    }
    (void)trp_msgpack_print(result->payload, text, sizeof text);
    (void)printf("%s\n", text);
    program->answered = true;
    trp_runtime_stop(program->runtime);
}

static enum trp_status ask_greeter(struct program *program)
{
    uint8_t payload[64];
    size_t size;
    const struct greeter_greet greet = {.name = trp_bytes_text("world")};
    enum trp_status status =
        trp_message_encode(&greeter_greet_type, &greet, payload, sizeof payload, &size);
    const struct trp_command ask = {.kind = TRP_CMD_ASK,
                                    .name = trp_bytes_text(NAME),
                                    .message = trp_bytes_text(greeter_greet_type.id),
                                    .payload = trp_bytes(payload, size)};
    return status == TRP_OK ? trp_runtime_command(program->runtime, &ask) : status;
}

/* Serves a greeter of our own, or joins the network of another. */
static enum trp_status begin(struct program *program, const char *peer)
{
    struct trp_command command = {.kind = TRP_CMD_SPAWN,
                                  .actor_type = trp_bytes_text(greeter_actor_type.id),
                                  .name = trp_bytes_text(NAME)};
    if (peer != NULL) {
        command = (struct trp_command){.kind = TRP_CMD_BOOTSTRAP};
        enum trp_status status = trp_multiaddr_parse(peer, &command.address, NULL);
        if (status != TRP_OK) {
            return status;
        }
    }
    return trp_runtime_command(program->runtime, &command);
}

int main(int argc, char **argv)
{
    static const struct trp_actor_type *const types[] = {&greeter_actor_type};
    struct program program = {0};
    const struct trp_runtime_config config = {
        .node = {.actor_types = types, .actor_types_count = 1},
        .on_result = on_result,
        .user = &program};
    enum trp_status status = trp_bootstrap("/ip4/127.0.0.1/tcp/0", &config, &program.runtime);
    if (status == TRP_OK) {
        status = begin(&program, argc > 1 ? argv[1] : NULL);
    }
    for (uint32_t i = 0; i < LIMIT_S * 10 && status == TRP_OK && !program.answered; i++) {
        trp_runtime_run(program.runtime, TRP_MS(100));
        status = ask_greeter(&program);
    }
    if (status != TRP_OK) {
        (void)fprintf(stderr, "bootstrap: %s\n", trp_status_text(status));
    }
    trp_runtime_close(program.runtime);
    return program.answered ? 0 : 1;
}
