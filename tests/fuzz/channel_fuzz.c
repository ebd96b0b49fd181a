/* SPDX-License-Identifier: MIT */
/* Channels against a peer that opens streams, writes what it likes in pieces, hangs up, resets,
 * answers or does not, in any order, while memory runs out now and then. The first byte says how
 * small the limits are, the second in what pieces bytes come; then one thing to do after the other.
 * Every request of ours must have one outcome, be it that it is refused unread, and what the peer
 * sent must be given back. */
#include "behaviour/channel.h"
#include "lib/fake_swarm.h"
#include "lib/fuzz_input.h"
#include "wire/channel_frame.h"

#define PROTOCOL    "/troupe/messages/1"
#define REQUESTS    64u
#define STREAMS_MAX 32u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The peer: its streams, those on which it is asked, and what it was asked last. */
struct peer {
    struct trp_swarm *swarm;
    trp_stream_id streams[STREAMS_MAX];
    uint32_t count;
    bool refuses;
    uint64_t asked; /* number of a request */
};

static void peer_attach(void *self, struct trp_swarm *swarm, uint32_t index)
{
    (void)index;
    ((struct peer *)self)->swarm = swarm;
}

static uint32_t peer_protocols(const void *self, const char **ret_protocols, uint32_t max)
{
    const struct peer *peer = self;
    ret_protocols[0] = max > 0 ? PROTOCOL : NULL;
    return peer->refuses ? 0 : 1;
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
    struct peer *peer = self;
    struct trp_channel_frame frame;
    size_t used;
    (void)stream;
    while (trp_channel_frame_decode(in, UINT32_MAX, &frame, &used) == TRP_OK) {
        peer->asked = frame.request != 0 ? frame.request : peer->asked;
        in = trp_bytes_skip(in, used);
    }
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
    struct trp_accounts accounts;
    struct trp_channels *channels;
    struct peer peer;
    uint32_t sent;
    uint8_t outcomes[REQUESTS];
    uint64_t mine[REQUESTS];
    uint64_t theirs[REQUESTS]; /* requests to be answered */
    uint32_t theirs_count;
    uint32_t again;
};

static void on_request(struct fuzz *fuzz, const struct trp_messaging_event *event)
{
    uint64_t id = event->id;
    TRP_ASSERT(event->request->payload.size <= fuzz->world.nodes[0].limits.request_bytes);
    if (++fuzz->again % 5 == 0 && trp_channels_again(fuzz->channels)) {
        return;
    }
    if (id == 0 && fuzz->again % 3 == 0) {
        TRP_IGNORE(trp_channels_keep(fuzz->channels, &id)); /* then it stays 0 */
    }
    fuzz->theirs[fuzz->theirs_count++ % REQUESTS] = id;
}

static void drain(struct fuzz *fuzz)
{
    struct trp_messaging_event event;
    struct trp_channel_refused refused;
    while (trp_channels_next_event(fuzz->channels, &event)) {
        if (event.kind == TRP_MESSAGING_REQUEST) {
            on_request(fuzz, &event);
        } else if (event.kind == TRP_MESSAGING_RESULT ||
                   event.kind == TRP_MESSAGING_OUTBOUND_FAILURE) {
            TRP_ASSERT(++fuzz->outcomes[event.token] == 1);
        }
    }
    while (trp_channels_next_refused(fuzz->channels, &refused)) {
        if (refused.id != 0) {
            TRP_ASSERT(++fuzz->outcomes[refused.options.token] == 1);
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
    static const char *const messages[] = {"add", "ponder", "x"};
    uint8_t how = next(in);
    const struct trp_request_envelope request = {.kind = how % 2 == 0 ? TRP_ENVELOPE_ASK
                                                                      : TRP_ENVELOPE_TELL,
                                                 .actor = {.id = how, .peer = fake_id(1)},
                                                 .actor_type = trp_bytes_text("agent"),
                                                 .message = trp_bytes_text(messages[how % 3]),
                                                 .payload = trp_bytes(bytes, next(in) * 8u),
                                                 .mailbox_timeout_ns = TRP_NEVER,
                                                 .reply_timeout_ns = TRP_NEVER};
    const struct trp_messaging_options options = {.token = fuzz->sent,
                                                  .timeout_ns = TRP_MS(next(in) * 20u)};
    uint64_t id;
    if (how % 4 == 3) {
        TRP_IGNORE(trp_channels_tell(fuzz->channels, &request)); /* nothing comes of it */
    } else if (fuzz->sent < REQUESTS &&
               trp_channels_send(fuzz->channels, &request, &options, &id) == TRP_OK) {
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

/* Raw bytes of the input, or a frame that is nearly good. */
static void peer_write(struct fuzz *fuzz, trp_stream_id stream, struct input *in)
{
    uint8_t out[256 + TRP_CHANNEL_HEADER_BYTES_MAX];
    uint8_t kind = next(in);
    size_t size = next(in) % 64u;
    size_t used;
    if (kind % 16 > TRP_CHANNEL_CANCEL) {
        size = size < in->size ? size : in->size;
        TRP_IGNORE(trp_stream_write(fuzz->peer.swarm, stream, trp_bytes(in->data, size), &used));
        in->data += size;
        in->size -= size;
        return;
    }
    uint8_t number = next(in);
    const struct trp_channel_frame frame = {
        .kind = (enum trp_channel_frame_kind)(kind % 16),
        .error = TRP_SEND_MAILBOX_FULL,
        .number = kind % 16 == TRP_CHANNEL_HELLO ? 1024u + number : number % 4u,
        .request = kind >= 128 ? fuzz->peer.asked : number,
        .actor = 1,
        .mailbox_timeout_ns = TRP_NEVER,
        .reply_timeout_ns = TRP_NEVER,
        .actor_type = trp_bytes_text("agent"),
        .message = trp_bytes_text("add"),
        .payload = trp_bytes(out, size)};
    memset(out, 0, sizeof out);
    uint8_t bytes[sizeof out];
    size = trp_channel_frame_encode(&frame, bytes);
    TRP_IGNORE(trp_stream_write(fuzz->peer.swarm, stream, trp_bytes(bytes, size), &used));
}

static void answer_one(struct fuzz *fuzz, struct input *in)
{
    static const uint8_t bytes[4096];
    const struct trp_response_envelope response = {
        .kind = next(in) % 2 == 0 ? TRP_ENVELOPE_ASK : TRP_ENVELOPE_TELL,
        .error = (enum trp_send_error)(next(in) % (TRP_SEND_UNSUPPORTED_PROTOCOLS + 1)),
        .payload = trp_bytes(bytes, next(in) * 16u)};
    TRP_IGNORE(trp_channels_answer(fuzz->channels, fuzz->theirs[next(in) % REQUESTS], &response));
}

static void step(struct fuzz *fuzz, struct input *in)
{
    uint8_t what = next(in);
    trp_stream_id stream = fuzz->peer.streams[next(in) % STREAMS_MAX];
    switch (what % 13) {
    case 0:
    case 1:
        send_one(fuzz, in);
        break;
    case 2:
        peer_open(fuzz);
        break;
    case 3:
    case 4:
    case 5:
        peer_write(fuzz, stream, in);
        break;
    case 6:
        trp_stream_shutdown(fuzz->peer.swarm, stream);
        break;
    case 7:
        trp_stream_reset(fuzz->peer.swarm, stream);
        break;
    case 8:
        answer_one(fuzz, in);
        break;
    case 9:
        trp_channels_drop(fuzz->channels, fuzz->theirs[next(in) % REQUESTS]);
        break;
    case 10: {
        uint32_t which = next(in) % REQUESTS;
        if (which < fuzz->sent && fuzz->outcomes[which] == 0 &&
            trp_channels_cancel(fuzz->channels, fuzz->mine[which])) {
            fuzz->outcomes[which] = 1;
        }
        break;
    }
    case 11: /* out of memory, soon */
        fuzz->world.nodes[0].memory.fail_at = 1 + next(in) % 16u;
        break;
    default:
        run(fuzz, TRP_MS(next(in) * 4u));
        break;
    }
    drain(fuzz);
}

static void fuzz_open(struct fuzz *fuzz, uint8_t limits, uint8_t pieces)
{
    fake_world_open(&fuzz->world, 2);
    struct trp_swarm *node = &fuzz->world.nodes[0];
    node->limits.requests_per_connection = 1 + limits % 4;
    node->limits.requests_waiting_per_peer = 1 + limits / 4 % 4;
    node->limits.request_bytes = 1024;
    node->limits.response_bytes = 1024;
    node->limits.received_bytes_per_peer = 65536;
    node->limits.received_bytes = 65536 + 1024u * limits;
    node->chunk = pieces % 16;
    node->write_room = pieces / 16 * 16u;
    node->knows[1] = true;
    fuzz->world.nodes[1].knows[0] = true;
    trp_accounts_init(&fuzz->accounts, &node->memory);
    trp_accounts_attach(&fuzz->accounts, &node->limits, &node->trace);
    const struct trp_channels_config config = {
        .memory = &node->memory, .trace = &node->trace, .accounts = &fuzz->accounts};
    TRP_ASSERT(trp_channels_open(&config, &fuzz->channels) == TRP_OK);
    fake_attach(node, trp_channels_behaviour(fuzz->channels));
    fake_attach(&fuzz->world.nodes[1],
                (struct trp_behaviour){.ops = &peer_ops, .self = &fuzz->peer});
    peer_open(fuzz); /* they are connected, and so known to each other */
    run(fuzz, TRP_MS(200));
    fuzz->peer.refuses = limits >= 224;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input in = {.data = data, .size = size < 4096 ? size : 4096};
    static struct fuzz fuzz;
    fuzz = (struct fuzz){.sent = 0};
    uint8_t limits = next(&in);
    fuzz_open(&fuzz, limits, next(&in));
    while (in.size > 0) {
        step(&fuzz, &in);
    }
    run(&fuzz, TRP_S(30));
    for (uint32_t i = 0; i < fuzz.sent; i++) {
        TRP_ASSERT(fuzz.outcomes[i] == 1);
    }
    TRP_ASSERT(trp_channels_pending(fuzz.channels) == 0);
    trp_channels_close(fuzz.channels);
    trp_accounts_deinit(&fuzz.accounts);
    TRP_ASSERT(fuzz.world.nodes[0].memory.used_bytes == 0);
    fake_world_close(&fuzz.world);
    return 0;
}
