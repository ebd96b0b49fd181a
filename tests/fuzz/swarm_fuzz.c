/* SPDX-License-Identifier: MIT */
/* Drives a swarm by a program: each byte is something that the world, a peer, a behaviour or the
 * allocator does. Whatever happens, every stream is opened at most once and closed once, every
 * connection that was told of is told to be gone at most once, and all memory comes back. */
#include "net/swarm.h"

#include "base/assert.h"
#include "net/upgrade.h"
#include "wire/public_key.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define SOCKETS_MAX 16u
#define STREAMS_MAX 256u
#define ECHO        "/echo/1"
#define STEPS_MAX   400u

static const char *const protocols[] = {ECHO, "/other/1"};

struct seen_stream {
    trp_stream_id id;
    bool opened;
    bool closed;
};

struct world {
    const uint8_t *data;
    size_t size;
    struct trp_memory memory;
    struct trp_limits limits;
    struct trp_recorder recorder;
    struct trp_trace trace;
    struct trp_drbg drbg;
    struct trp_keypair identity;
    struct trp_peer_id peer; /* the one that is known by address */
    uint8_t hello[512];      /* what an initiator says first */
    size_t hello_size;
    struct trp_swarm *swarm;
    trp_time now;
    trp_socket sockets[SOCKETS_MAX]; /* 0: none */
    uint32_t sockets_next;
    trp_socket accepted_next;
    uint32_t connected;
    uint32_t disconnected;
    uint32_t streams_count;
    struct seen_stream streams[STREAMS_MAX];
};

static uint8_t next(struct world *world)
{
    if (world->size == 0) {
        return 0;
    }
    world->size--;
    return *world->data++;
}

/* ---- the behaviour ---- */

static struct seen_stream *seen(struct world *world, trp_stream_id id)
{
    for (uint32_t i = world->streams_count; i-- > 0;) {
        if (world->streams[i].id == id) {
            return &world->streams[i];
        }
    }
    return NULL;
}

static struct seen_stream *see(struct world *world, trp_stream_id id)
{
    if (world->streams_count == STREAMS_MAX) {
        trp_stream_reset(world->swarm, id);
        return NULL;
    }
    world->streams[world->streams_count] = (struct seen_stream){.id = id};
    return &world->streams[world->streams_count++];
}

/* Sometimes a hook does something of its own. */
static void react(struct world *world, const struct trp_stream_info *stream)
{
    size_t used;
    switch (next(world) % 12) {
    case 0:
        trp_stream_reset(world->swarm, stream->id);
        break;
    case 1:
        trp_stream_shutdown(world->swarm, stream->id);
        break;
    case 2:
        trp_swarm_close_connection(world->swarm, stream->connection, TRP_OK);
        break;
    case 3:
        if (trp_stream_write(world->swarm, stream->id, trp_bytes(world->hello, 100), &used) ==
            TRP_OK) {
            TRP_ASSERT(used <= 100);
        }
        break;
    case 4:
        trp_stream_set_background(world->swarm, stream->id, true);
        break;
    case 5:
        trp_swarm_close_peer(world->swarm, stream->peer, TRP_EVIOLATION);
        break;
    default:
        break;
    }
}

static void on_attach(void *self, struct trp_swarm *swarm, uint32_t index)
{
    TRP_ASSERT(index == 0);
    ((struct world *)self)->swarm = swarm;
}

static uint32_t on_protocols(const void *self, const char **ret_protocols, uint32_t max)
{
    (void)self;
    TRP_ASSERT(max >= 2);
    ret_protocols[0] = protocols[0];
    ret_protocols[1] = protocols[1];
    return 2;
}

static enum trp_status on_admit(void *self, const struct trp_connection_info *connection)
{
    TRP_ASSERT(connection->peer.size > 0);
    return next(self) % 16 == 1 ? TRP_EDENIED : TRP_OK;
}

static void on_connected(void *self, const struct trp_connection_info *connection)
{
    struct world *world = self;
    TRP_ASSERT(connection->peer_connections > 0);
    world->connected++;
}

static void on_disconnected(void *self, const struct trp_connection_info *connection,
                            enum trp_status reason)
{
    struct world *world = self;
    (void)reason;
    TRP_ASSERT(connection->id != 0);
    TRP_ASSERT(++world->disconnected <= world->connected);
}

static void on_dial_failed(void *self, const struct trp_dial_report *report)
{
    (void)self;
    TRP_ASSERT(report->attempts_count == 0 || report->attempts[0].status != TRP_OK);
}

static void on_stream_opened(void *self, const struct trp_stream_info *stream)
{
    struct world *world = self;
    struct seen_stream *s = seen(world, stream->id);
    TRP_ASSERT((s == NULL) == stream->inbound);
    s = s == NULL ? see(world, stream->id) : s;
    if (s != NULL) {
        TRP_ASSERT(!s->opened && !s->closed);
        s->opened = true;
    }
    react(world, stream);
}

static void on_stream_data(void *self, const struct trp_stream_info *stream, struct trp_bytes in)
{
    struct world *world = self;
    const struct seen_stream *s = seen(world, stream->id);
    TRP_ASSERT(in.size > 0 && s != NULL && s->opened && !s->closed);
    trp_stream_consumed(world->swarm, stream->id, in.size);
    react(world, stream);
}

static void on_stream_event(void *self, const struct trp_stream_info *stream)
{
    const struct seen_stream *s = seen(self, stream->id);
    TRP_ASSERT(s != NULL && s->opened && !s->closed);
    react(self, stream);
}

static void on_stream_closed(void *self, const struct trp_stream_info *stream,
                             enum trp_status reason)
{
    struct seen_stream *s = seen(self, stream->id);
    (void)reason;
    if (s != NULL) {
        TRP_ASSERT(!s->closed && (s->opened || !stream->inbound));
        s->closed = true;
    }
}

static const struct trp_behaviour_ops ops = {.name = "fuzz",
                                             .attach = on_attach,
                                             .protocols = on_protocols,
                                             .admit = on_admit,
                                             .connected = on_connected,
                                             .disconnected = on_disconnected,
                                             .dial_failed = on_dial_failed,
                                             .stream_opened = on_stream_opened,
                                             .stream_data = on_stream_data,
                                             .stream_writable = on_stream_event,
                                             .stream_eof = on_stream_event,
                                             .stream_closed = on_stream_closed};

/* ---- the world ---- */

static void socket_add(struct world *world, trp_socket id)
{
    world->sockets[world->sockets_next++ % SOCKETS_MAX] = id;
}

static void socket_remove(struct world *world, trp_socket id)
{
    for (uint32_t i = 0; i < SOCKETS_MAX; i++) {
        if (world->sockets[i] == id) {
            world->sockets[i] = 0;
        }
    }
}

static void step(struct world *world, struct trp_input in)
{
    in.now = world->now;
    TRP_ASSERT(trp_swarm_step(world->swarm, &in) == TRP_OK);
    struct trp_output out;
    while (trp_swarm_next_output(world->swarm, &out)) {
        TRP_ASSERT(out.socket != 0);
        if (out.kind == TRP_OUT_DIAL || out.kind == TRP_OUT_RESOLVE || out.kind == TRP_OUT_LISTEN) {
            TRP_ASSERT(out.socket % 2 == 0 && out.address->size > 0);
            socket_add(world, out.socket);
        } else if (out.kind == TRP_OUT_BYTES) {
            TRP_ASSERT(out.bytes.size > 0 && out.bytes.data != NULL);
        } else if (out.kind == TRP_OUT_CLOSE) {
            socket_remove(world, out.socket);
        }
    }
    TRP_ASSERT(trp_swarm_deadline(world->swarm) > world->now);
}

static void feed(struct world *world, trp_socket socket, const void *bytes, size_t size)
{
    if (size > 0) {
        step(world, (struct trp_input){
                        .kind = TRP_IN_BYTES, .socket = socket, .bytes = trp_bytes(bytes, size)});
    }
}

/* A frame that makes sense more often than random bytes would. */
static void feed_frame(struct world *world, trp_socket socket)
{
    static const char words[] = "\x13/multistream/1.0.0\n\x08/echo/1\nhello";
    uint8_t frame[12 + sizeof words - 1] = {0};
    uint8_t shape = next(world);
    frame[1] = shape & 3u;
    frame[3] = next(world) & 15u;
    frame[7] = (uint8_t)((next(world) & 7u) * 2 + 1);
    bool carries = (shape & 4u) != 0 && frame[1] == 0;
    frame[11] = carries ? sizeof words - 1 : next(world);
    memcpy(frame + 12, words, sizeof words - 1);
    feed(world, socket, frame, carries ? sizeof frame : 12);
}

static void world_input(struct world *world, uint8_t op, trp_socket socket)
{
    static const enum trp_status statuses[] = {TRP_OK, TRP_ERESET, TRP_EREFUSED, TRP_ETIMEDOUT};
    const struct trp_multiaddr addresses[2] = {
        trp_multiaddr_from_ip((const uint8_t[]){10, 0, 0, 1}, 4, 1),
        trp_multiaddr_from_ip((const uint8_t[]){10, 0, 0, 2}, 4, 2)};
    struct trp_input in = {.socket = socket, .addresses = addresses, .addresses_count = 2};
    uint8_t bytes[64];
    switch (op) {
    case 0:
        in.kind = TRP_IN_ACCEPTED;
        in.socket = world->accepted_next;
        world->accepted_next += 2;
        socket_add(world, in.socket);
        break;
    case 1:
        in.kind = TRP_IN_CONNECTED;
        break;
    case 2:
        in.kind = TRP_IN_EOF;
        break;
    case 3:
        in.kind = TRP_IN_CLOSED;
        in.status = statuses[next(world) % 4];
        socket_remove(world, socket);
        break;
    case 4:
        in.kind = TRP_IN_SENT;
        in.sent_bytes = (uint64_t)next(world) * 16;
        break;
    case 5:
        in.kind = TRP_IN_RESOLVED;
        in.status = statuses[next(world) % 4];
        break;
    case 6:
        in.kind = TRP_IN_LISTENING;
        break;
    case 7:
        world->now += TRP_MS(1) << (next(world) % 17);
        in.kind = TRP_IN_TIME;
        break;
    default:
        in.kind = TRP_IN_BYTES;
        in.bytes.size = 1 + next(world) % sizeof bytes;
        in.bytes.data = bytes;
        for (size_t i = 0; i < in.bytes.size; i++) {
            bytes[i] = next(world);
        }
        break;
    }
    step(world, in);
}

static void behaviour_call(struct world *world, uint8_t op)
{
    struct trp_multiaddr address;
    struct trp_peer_id peer = world->peer;
    peer.bytes[20] ^= next(world) & 1u;
    const char *const dns = "/dns4/a.example/tcp/4001";
    const char *const ip = "/ip4/10.0.0.9/tcp/4001";
    TRP_ASSERT(trp_multiaddr_parse(next(world) % 4 == 1 ? dns : ip, &address, NULL) == TRP_OK);
    const struct trp_dial_request dial = {
        .peer = peer, .addresses = &address, .addresses_count = 1, .even_if_connected = op == 1};
    const struct trp_stream_request open = {.peer = peer,
                                            .dial = op != 3,
                                            .background = op == 4,
                                            .protocols = protocols,
                                            .protocols_count = 1 + next(world) % 2};
    const struct trp_identified identified = {
        .peer = peer, .agent = "fuzz", .protocols = protocols, .protocols_count = 2};
    trp_stream_id stream;
    enum trp_status status = TRP_OK;
    switch (op) {
    case 0:
    case 1:
        status = trp_swarm_dial(world->swarm, &dial);
        break;
    case 2:
    case 3:
    case 4:
        status = trp_swarm_open_stream(world->swarm, &open, &stream);
        if (status == TRP_OK) {
            see(world, stream);
        }
        break;
    case 5:
        trp_swarm_add_address(world->swarm, &peer, &address, (enum trp_address_source)(open.dial));
        break;
    case 6:
        trp_swarm_keep_alive(world->swarm, &peer, next(world) % 2 == 0 ? 1 : -1);
        break;
    case 7:
        status = trp_swarm_listen(world->swarm, &address);
        break;
    case 8:
        trp_swarm_report_identified(world->swarm, &identified);
        break;
    default:
        trp_swarm_close_peer(world->swarm, &peer, TRP_ECANCELLED);
        break;
    }
    TRP_ASSERT(status != TRP_EMALFORMED);
    step(world, (struct trp_input){.kind = TRP_IN_TIME});
}

static void turn(struct world *world)
{
    uint8_t op = next(world);
    trp_socket socket = world->sockets[op >> 4];
    op &= 15u;
    if (op < 7) {
        world_input(world, next(world) % 9, socket);
    } else if (op < 9) {
        feed(world, socket, world->hello, world->hello_size);
    } else if (op < 13) {
        feed_frame(world, socket);
    } else if (op < 15) {
        behaviour_call(world, next(world) % 10);
    } else {
        world->memory.fail_at = next(world);
    }
}

/* The words of an initiator up to the muxer; all of them can be said without an answer. */
static void world_make_hello(struct world *world)
{
    static const char muxer[] = "\x13/multistream/1.0.0\n\x0d/yamux/1.0.0\n";
    struct trp_memory memory = trp_memory_init(1u << 20);
    struct trp_keypair identity;
    struct trp_upgrade *upgrade;
    struct trp_buffer out = trp_buffer_init(&memory, sizeof world->hello);
    const uint8_t seed[32] = {2};
    trp_keypair_from_seed(seed, &identity);
    trp_peer_id_from_key(&identity.public_key, &world->peer);
    const struct trp_upgrade_config config = {
        .initiator = true, .plaintext = true, .identity = &identity};
    TRP_ASSERT(trp_upgrade_open(&memory, &config, &upgrade) == TRP_OK);
    TRP_ASSERT(trp_upgrade_send(upgrade, &out) == TRP_OK);
    TRP_ASSERT(trp_buffer_append(&out, trp_bytes(muxer, sizeof muxer - 1)) == TRP_OK);
    world->hello_size = out.size;
    memcpy(world->hello, trp_buffer_view(&out).data, out.size);
    trp_upgrade_close(upgrade);
    trp_buffer_free(&out);
    TRP_ASSERT(memory.used_bytes == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct world world;
    const uint8_t seed[32] = {1};
    world = (struct world){.data = data,
                           .size = size,
                           .memory = trp_memory_init(8u << 20),
                           .limits = {.connections = 4,
                                      .connections_pending_in = 4,
                                      .connections_pending_out = 2,
                                      .streams_per_connection = 16,
                                      .streams_pending_in = 4,
                                      .stream_send_bytes = 1024,
                                      .socket_send_bytes = 65536},
                           .now = TRP_S(1),
                           .accepted_next = 1};
    TRP_ASSERT(trp_limits_complete(&world.limits, NULL) == TRP_OK);
    trp_recorder_init(&world.recorder, (struct trp_trace_sink){0});
    world.trace = (struct trp_trace){.recorder = &world.recorder};
    trp_drbg_init(&world.drbg, seed, "swarm");
    trp_keypair_from_seed(seed, &world.identity);
    world_make_hello(&world);
    const struct trp_behaviour behaviour = {.ops = &ops, .self = &world};
    const struct trp_swarm_config config = {.memory = &world.memory,
                                            .trace = &world.trace,
                                            .drbg = &world.drbg,
                                            .identity = &world.identity,
                                            .limits = &world.limits,
                                            .plaintext = true,
                                            .now = world.now,
                                            .behaviours = &behaviour,
                                            .behaviours_count = 1};
    TRP_ASSERT(trp_swarm_open(&config, &world.swarm) == TRP_OK);
    for (uint32_t i = 0; i < STEPS_MAX && world.size > 0; i++) {
        turn(&world);
    }
    /* Silence ends everything that was begun. */
    world.memory.fail_at = 0;
    for (uint32_t i = 0; i < 8; i++) {
        world.now += TRP_MIN(2);
        step(&world, (struct trp_input){.kind = TRP_IN_TIME});
    }
    TRP_ASSERT(trp_swarm_streams_count(world.swarm) == 0);
    for (uint32_t i = 0; i < world.streams_count; i++) {
        TRP_ASSERT(world.streams[i].closed);
    }
    trp_swarm_close(world.swarm);
    TRP_ASSERT(world.memory.used_bytes == 0);
    return 0;
}
