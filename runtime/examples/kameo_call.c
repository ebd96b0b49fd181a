/* SPDX-License-Identifier: MIT */
/* examples/kameo_call.c - a C program that calls an actor in Rust.
 *
 * Joins the network at an address and asks the counter there, by its name; the Rust side is
 * kameo-rust/src/bin/counter.rs.
 *     counter                              listening /ip4/127.0.0.1/tcp/4001/p2p/12D3KooW…
 *     kameo_call /ip4/127.0.0.1/tcp/4001/p2p/12D3KooW… 10                  10 */
#include "counter.h"

#include <troupe/uv.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define LIMIT_S 20u /* how long it tries to find the counter */
#define TURN_NS TRP_MS(100)

struct program {
    struct trp_runtime *runtime;
    int64_t amount;
    bool asked; /* an ask has no outcome yet */
    bool answered;
};

static void on_result(void *user, const struct trp_result *result)
{
    struct program *program = user;
    struct counter_count reply;
    if (result->kind != TRP_CMD_ASK) {
        return;
    }
    program->asked = false;
    if (result->status == TRP_OK &&
        trp_message_decode(&counter_count_type, result->payload, &reply) == TRP_OK) {
        (void)printf("%" PRId64 "\n", reply.count);
        program->answered = true;
        trp_runtime_stop(program->runtime);
    }
}

/* Joins the network of somebody who is there. */
static enum trp_status join(struct program *program, const char *address)
{
    struct trp_command command = {.kind = TRP_CMD_BOOTSTRAP};
    enum trp_status status = trp_multiaddr_parse(address, &command.address, NULL);
    return status == TRP_OK ? trp_runtime_command(program->runtime, &command) : status;
}

/* Looks the name up and asks who holds it: both are one command. */
static enum trp_status ask(struct program *program)
{
    uint8_t payload[32];
    size_t size;
    const struct counter_inc inc = {.amount = program->amount};
    enum trp_status status =
        trp_message_encode(&counter_inc_type, &inc, payload, sizeof payload, &size);
    const struct trp_command command = {.kind = TRP_CMD_ASK,
                                        .name = trp_bytes_text(COUNTER_NAME),
                                        .message = trp_bytes_text(counter_inc_type.id),
                                        .payload = trp_bytes(payload, size)};
    program->asked = true;
    return status == TRP_OK ? trp_runtime_command(program->runtime, &command) : status;
}

int main(int argc, char **argv)
{
    static const struct trp_actor_type *const types[] = {&counter_actor_type};
    struct program program = {.amount = argc > 2 ? strtoll(argv[2], NULL, 10) : 1};
    const struct trp_runtime_config config = {
        .node = {.actor_types = types, .actor_types_count = 1},
        .on_result = on_result,
        .user = &program};
    if (argc < 2) {
        (void)fprintf(stderr, "usage: kameo_call ADDRESS [AMOUNT]\n");
        return 2;
    }
    enum trp_status status = trp_bootstrap("/ip4/127.0.0.1/tcp/0", &config, &program.runtime);
    if (status == TRP_OK) {
        status = join(&program, argv[1]);
    }
    for (trp_time spent = 0; spent < TRP_S(LIMIT_S) && status == TRP_OK && !program.answered;
         spent += TURN_NS) {
        status = program.asked ? TRP_OK : ask(&program);
        trp_runtime_run(program.runtime, TURN_NS);
    }
    if (!program.answered) {
        (void)fprintf(stderr, "kameo_call: %s\n",
                      status == TRP_OK ? "no answer" : trp_status_text(status));
    }
    trp_runtime_close(program.runtime);
    return program.answered ? 0 : 1;
}
