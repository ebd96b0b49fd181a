/* SPDX-License-Identifier: MIT */
/* examples/custom_swarm.c - a protocol of your own beside ours, on one swarm.
 *
 * A behaviour that answers every stream of /example/shout/1.0.0 with what it read, in capitals. Two
 * nodes of one process talk to each other over loopback TCP: the second dials the first and shouts.
 */
#include <troupe/swarm.h>
#include <troupe/uv.h>

#include <ctype.h>
#include <stdio.h>

#define PROTOCOL  "/example/shout/1.0.0"
#define TEXT_MAX  64u
#define TURN_NS   TRP_MS(20)
#define TURNS_MAX 250u

struct shout {
    struct trp_swarm *swarm;
    uint32_t index;
    bool done;
    char heard[TEXT_MAX];
    size_t heard_size;
};

static const char *const protocols[] = {PROTOCOL};

static void shout_attach(void *self, struct trp_swarm *swarm, uint32_t index)
{
    struct shout *shout = self;
    shout->swarm = swarm;
    shout->index = index;
}

static uint32_t shout_protocols(const void *self, const char **ret_protocols, uint32_t max)
{
    (void)self;
    if (max > 0) {
        ret_protocols[0] = PROTOCOL;
    }
    return 1;
}

static void say(struct shout *shout, trp_stream_id stream, struct trp_bytes text)
{
    size_t used;
    if (trp_stream_write(shout->swarm, stream, text, &used) != TRP_OK || used != text.size) {
        trp_stream_reset(shout->swarm, stream);
        return;
    }
    trp_stream_shutdown(shout->swarm, stream);
}

/* Who dialed speaks first. */
static void shout_connected(void *self, const struct trp_connection_info *connection)
{
    struct shout *shout = self;
    const struct trp_stream_request request = {.behaviour = shout->index,
                                               .peer = connection->peer,
                                               .protocols = protocols,
                                               .protocols_count = 1};
    trp_stream_id stream;
    if (connection->outbound && trp_swarm_open_stream(shout->swarm, &request, &stream) != TRP_OK) {
        (void)fprintf(stderr, "custom_swarm: no stream\n");
    }
}

static void shout_stream_opened(void *self, const struct trp_stream_info *stream)
{
    if (!stream->inbound) {
        say(self, stream->id, trp_bytes_text("can you hear me"));
    }
}

static void shout_stream_data(void *self, const struct trp_stream_info *stream, struct trp_bytes in)
{
    struct shout *shout = self;
    for (size_t i = 0; i < in.size && shout->heard_size + 1 < TEXT_MAX; i++) {
        shout->heard[shout->heard_size++] =
            (char)(stream->inbound ? toupper(in.data[i]) : in.data[i]);
    }
    trp_stream_consumed(shout->swarm, stream->id, in.size);
}

static void shout_stream_eof(void *self, const struct trp_stream_info *stream)
{
    struct shout *shout = self;
    if (stream->inbound) {
        say(shout, stream->id, trp_bytes(shout->heard, shout->heard_size));
    } else {
        (void)printf("%.*s\n", (int)shout->heard_size, shout->heard);
        shout->done = true;
    }
}

static const struct trp_behaviour_ops shout_ops = {.name = "shout",
                                                   .attach = shout_attach,
                                                   .protocols = shout_protocols,
                                                   .connected = shout_connected,
                                                   .stream_opened = shout_stream_opened,
                                                   .stream_data = shout_stream_data,
                                                   .stream_eof = shout_stream_eof};

static enum trp_status open_node(struct shout *shout, struct trp_runtime **ret_runtime)
{
    const struct trp_behaviour behaviour = {.ops = &shout_ops, .self = shout};
    const struct trp_runtime_config config = {
        .node = {.behaviours = &behaviour, .behaviours_count = 1}};
    return trp_bootstrap("/ip4/127.0.0.1/tcp/0", &config, ret_runtime);
}

int main(void)
{
    struct shout shouts[2] = {{0}};
    struct trp_runtime *runtimes[2] = {NULL, NULL};
    struct trp_command dial = {.kind = TRP_CMD_DIAL};
    enum trp_status status = open_node(&shouts[0], &runtimes[0]);
    if (status == TRP_OK) {
        status = open_node(&shouts[1], &runtimes[1]);
    }
    for (uint32_t i = 0; i < TURNS_MAX && status == TRP_OK && !shouts[1].done; i++) {
        trp_runtime_run(runtimes[0], TURN_NS);
        trp_runtime_run(runtimes[1], TURN_NS);
        if (dial.address.size == 0 &&
            trp_swarm_listen_addresses(shouts[0].swarm, &dial.address, 1) == 1) {
            status = trp_runtime_command(runtimes[1], &dial);
        }
    }
    trp_runtime_close(runtimes[1]);
    trp_runtime_close(runtimes[0]);
    return shouts[1].done ? 0 : 1;
}
