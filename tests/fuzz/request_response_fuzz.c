/* SPDX-License-Identifier: MIT */
/* Request-response against a peer that opens streams, writes what it likes in pieces, hangs up,
 * resets, answers or does not, in any order. The first byte says how small the limits are, the
 * second in what pieces bytes come; then one thing to do after the other.
 * Every request of ours must have one outcome, and what the peer sent must be given back. */
#include "behaviour/request_response.h"
#include "lib/fake_swarm.h"
#include "lib/fuzz_input.h"

#define PROTOCOL    "/fuzz/rr/1.0.0"
#define REQUESTS    64u
#define STREAMS_MAX 64u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The peer: its streams, and those on which it is asked. */
struct peer {
    struct trp_swarm *swarm;
    trp_stream_id streams[STREAMS_MAX];
    uint32_t count;
};

static void peer_attach(void *self, struct trp_swarm *swarm, uint32_t index)
{
    (void)index;
    ((struct peer *)self)->swarm = swarm;
}

static uint32_t peer_protocols(const void *self, const char **ret_protocols, uint32_t max)
{
    (void)self;
    ret_protocols[0] = max > 0 ? PROTOCOL : NULL;
    return 1;
}

static void peer_opened(void *self, const struct trp_stream_info *stream)
{
    struct peer *peer = self;
    if (stream->inbound) {
        peer->streams[peer->count++ % STREAMS_MAX] = stream->id;
    }
}

static void peer_data(void *self, const struct trp_stream_info *stream, struct trp_bytes in)
{
    (void)self;
    (void)stream;
    (void)in;
}

static void peer_writable(void *self, const struct trp_stream_info *stream)
{
    (void)self;
    (void)stream;
}

static const struct trp_behaviour_ops peer_ops = {.name = "peer",
                                                  .attach = peer_attach,
                                                  .protocols = peer_protocols,
                                                  .stream_opened = peer_opened,
                                                  .stream_data = peer_data,
                                                  .stream_writable = peer_writable};

struct fuzz {
    struct fake_world world;
    struct trp_request_response *rr;
    struct peer peer;
    uint32_t sent;
    uint8_t outcomes[REQUESTS];
    uint64_t mine[REQUESTS];
    uint64_t theirs[REQUESTS]; /* requests to be answered */
    uint32_t theirs_count;
};

static void drain(struct fuzz *fuzz)
{
    struct trp_request_response_event event;
    while (trp_request_response_next_event(fuzz->rr, &event)) {
        if (event.kind == TRP_RR_REQUEST) {
            TRP_ASSERT(event.bytes.size > 0 &&
                       event.bytes.size <= fuzz->world.nodes[0].limits.request_bytes);
            fuzz->theirs[fuzz->theirs_count++ % REQUESTS] = event.id;
        } else if (event.kind == TRP_RR_RESPONSE || event.kind == TRP_RR_FAILURE) {
            TRP_ASSERT(event.bytes.size <= fuzz->world.nodes[0].limits.response_bytes);
            TRP_ASSERT(++fuzz->outcomes[event.token] == 1);
        }
    }
    fake_touch(&fuzz->world.nodes[0]);
}

static void run(struct fuzz *fuzz, trp_time span_ns)
{
    trp_time until = fuzz->world.now + span_ns;
    while (fuzz->world.now < until) {
        fake_run(&fuzz->world, trp_time_min(until, fuzz->world.now + TRP_MS(10)));
        drain(fuzz);
    }
}

static void send_one(struct fuzz *fuzz, struct input *in)
{
    static const uint8_t bytes[2048];
    struct trp_peer_id peer = fake_id(1);
    uint64_t id;
    if (fuzz->sent < REQUESTS &&
        trp_request_response_send(fuzz->rr, &peer, trp_bytes(bytes, next(in) * 8u + 1),
                                  TRP_MS(next(in) * 20u), fuzz->sent, &id) == TRP_OK) {
        fuzz->mine[fuzz->sent++] = id;
    }
}

static void peer_open(struct fuzz *fuzz)
{
    static const char *const protocols[] = {PROTOCOL};
    const struct trp_stream_request open = {
        .peer = fake_id(0), .dial = true, .protocols = protocols, .protocols_count = 1};
    trp_stream_id stream;
    if (trp_swarm_open_stream(fuzz->peer.swarm, &open, &stream) == TRP_OK) {
        fuzz->peer.streams[fuzz->peer.count++ % STREAMS_MAX] = stream;
    }
}

static void step(struct fuzz *fuzz, struct input *in)
{
    static const uint8_t bytes[4096];
    uint8_t what = next(in);
    trp_stream_id stream = fuzz->peer.streams[next(in) % STREAMS_MAX];
    size_t used;
    switch (what % 10) {
    case 0:
        send_one(fuzz, in);
        break;
    case 1:
        peer_open(fuzz);
        break;
    case 2:
    case 3:
        TRP_IGNORE(trp_stream_write(fuzz->peer.swarm, stream, trp_bytes(bytes, next(in) * 16u + 1),
                                    &used));
        break;
    case 4:
        trp_stream_shutdown(fuzz->peer.swarm, stream);
        break;
    case 5:
        trp_stream_reset(fuzz->peer.swarm, stream);
        break;
    case 6:
        TRP_IGNORE(trp_request_response_answer(fuzz->rr, fuzz->theirs[next(in) % REQUESTS],
                                               trp_bytes(bytes, next(in) * 16u)));
        break;
    case 7:
        trp_request_response_drop(fuzz->rr, fuzz->theirs[next(in) % REQUESTS]);
        break;
    case 8: {
        uint32_t which = next(in) % REQUESTS;
        if (which < fuzz->sent && fuzz->outcomes[which] == 0) {
            trp_request_response_cancel(fuzz->rr, fuzz->mine[which]);
            drain(fuzz);
            fuzz->outcomes[which] = 1; /* cancelled: nothing is told, or it was just now */
        }
        break;
    }
    default:
        if (what % 3 == 0 && fuzz->world.nodes[0].connections[1] != 0) {
            fake_disconnect(&fuzz->world, fuzz->world.nodes[0].connections[1], TRP_ECLOSED);
        }
        fuzz->world.nodes[0].memory.fail_at = what >= 200 ? next(in) : 0;
        run(fuzz, TRP_MS(next(in) * 4u));
        break;
    }
    fake_touch(&fuzz->world.nodes[0]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input in = {data, size};
    struct fuzz *fuzz = calloc(1, sizeof *fuzz);
    TRP_ASSERT(fuzz != NULL);
    fake_world_open(&fuzz->world, 2);
    struct trp_swarm *node = &fuzz->world.nodes[0];
    uint8_t limits = next(&in);
    node->limits.requests_per_connection = 1 + limits % 4;
    node->limits.requests_waiting_per_peer = 1 + limits / 4 % 4;
    node->limits.request_bytes = 1024;
    node->limits.response_bytes = 2048;
    node->limits.received_bytes_per_peer = limits >= 128 ? 1500 : 100000;
    node->limits.received_bytes = limits >= 192 ? 1200 : 100000;
    node->limits.request_timeout_ns = TRP_S(2);
    uint8_t pieces = next(&in);
    node->chunk = pieces % 16 * 7;
    node->write_room = pieces / 16 * 50;
    node->knows[1] = true;
    fuzz->world.nodes[1].knows[0] = true;
    const struct trp_request_response_config config = {
        .memory = &node->memory, .trace = &node->trace, .protocol = PROTOCOL};
    TRP_ASSERT(trp_request_response_open(&config, &fuzz->rr) == TRP_OK);
    fake_attach(node, trp_request_response_behaviour(fuzz->rr));
    fake_attach(&fuzz->world.nodes[1], (struct trp_behaviour){&peer_ops, &fuzz->peer});
    for (uint32_t i = 0; i < 200 && in.size > 0; i++) {
        step(fuzz, &in);
    }
    node->memory.fail_at = 0;
    run(fuzz, TRP_S(30));
    for (uint32_t i = 0; i < fuzz->sent; i++) {
        TRP_ASSERT(fuzz->outcomes[i] == 1);
    }
    TRP_ASSERT(trp_request_response_pending(fuzz->rr) == 0);
    trp_request_response_close(fuzz->rr);
    fake_world_close(&fuzz->world); /* checks that all memory was given back */
    free(fuzz);
    return 0;
}
