/* SPDX-License-Identifier: MIT */
/* lib/fake_swarm.h - swarms without sockets, security or muxers: many nodes in one virtual time,
 * each with one behaviour, joined by streams with a fixed latency.
 *
 * For tests of behaviours alone. It keeps the promises of troupe/behaviour.h: nothing calls back
 * before a call returns, each stream has its outcome once. Include it in one file of a program
 * only: it defines the functions of troupe/swarm.h that behaviours use. */
#ifndef LIB_FAKE_SWARM_H
#define LIB_FAKE_SWARM_H

#include "base/assert.h"
#include "base/heap.h"
#include "base/list.h"
#include "base/memory.h"
#include "net/swarm.h"
#include "trace/trace.h"

#include <stdlib.h>
#include <troupe/swarm.h>

#define FAKE_LATENCY_NS      TRP_MS(20)
#define FAKE_DIAL_TIMEOUT_NS TRP_S(10)
#define FAKE_IDLE_NS         TRP_S(60)

struct fake_world;

/* One node. */
struct trp_swarm {
    struct fake_world *world;
    uint32_t index;
    struct trp_peer_id id;
    struct trp_limits limits;
    struct trp_memory memory;
    struct trp_trace trace;
    struct trp_recorder recorder;
    struct trp_behaviour behaviour;
    struct trp_heap_entry wake;
    bool is_dead;
    bool is_unreachable; /* nobody can dial it */
    bool is_silent;      /* no identify */
    bool refuses;        /* identify, and says so */
    bool *knows;         /* whose address */
    uint32_t *connections;
    uint32_t dials;
    uint64_t consumed;   /* bytes that credit was returned for; it holds nobody back */
    uint32_t write_room; /* bytes a write takes before EAGAIN; 0: no bound */
    uint32_t chunk;      /* bytes given to stream_data at once; 0: all */
};

struct fake_connection {
    uint32_t ends[2]; /* 0 dialed */
    bool is_open;
    uint32_t streams;
    trp_time used_at;
};

struct fake_stream {
    uint32_t generation;
    bool is_live;
    uint32_t connection; /* + 1; 0: none yet */
    uint32_t ends[2];    /* 0 opened it */
    bool opened[2];
    bool ended[2]; /* the end has its outcome, or will have at once */
    bool fin_sent[2];
    bool fin_got[2];
    bool blocked[2]; /* writes wait for FAKE_WRITABLE */
    bool told[2];    /* the end had its outcome */
    uint64_t tokens[2];
    const char *protocol;
    uint32_t next_free;
};

enum fake_kind {
    FAKE_CONNECTED,
    FAKE_IDENTIFIED,
    FAKE_DISCONNECTED,
    FAKE_IDLE,
    FAKE_DIAL_FAILED,
    FAKE_OPENED,
    FAKE_DATA,
    FAKE_WRITABLE,
    FAKE_FIN,
    FAKE_CLOSED,
    FAKE_CALL
};

struct fake_event {
    struct trp_heap_entry entry;
    enum fake_kind kind;
    enum trp_status status;
    uint32_t connection;
    uint32_t side;
    uint32_t node;
    trp_stream_id stream; /* of either side */
    void (*call)(struct fake_world *world, uint64_t argument);
    uint64_t argument;
    size_t size;
    uint8_t bytes[];
};

struct fake_world {
    struct trp_memory memory;
    trp_time now;
    uint64_t sequence;
    struct trp_heap events;
    struct trp_heap wakes;
    uint32_t count;
    struct trp_swarm *nodes;
    struct fake_connection *connections;
    uint32_t connections_count;
    uint32_t connections_room;
    struct fake_stream *streams;
    uint32_t streams_count;
    uint32_t streams_room;
    uint32_t streams_free;
    bool (*is_cut)(const struct fake_world *world, uint32_t a, uint32_t b);
    const char *agent;
    uint64_t streams_opened;
};

/* ---- ids and addresses ---- */

static inline struct trp_peer_id fake_id(uint32_t index)
{
    struct trp_peer_id id = {.size = 38, .bytes = {0x00, 0x24, 0x08, 0x01, 0x12, 0x20}};
    memcpy(id.bytes + 6, &index, sizeof index);
    id.bytes[37] = 7;
    return id;
}

static inline uint32_t fake_index(const struct trp_peer_id *id)
{
    uint32_t index;
    memcpy(&index, id->bytes + 6, sizeof index);
    return index;
}

static inline struct trp_multiaddr fake_address(uint32_t index)
{
    uint8_t ip[4] = {10, (uint8_t)(index >> 16), (uint8_t)(index >> 8), (uint8_t)index};
    return trp_multiaddr_from_ip(ip, 4, 4001);
}

/* ---- the world ---- */

static inline void fake_world_open(struct fake_world *world, uint32_t count)
{
    *world = (struct fake_world){.memory = trp_memory_init(UINT64_MAX), .now = TRP_S(1)};
    world->events = trp_heap_init(&world->memory);
    world->wakes = trp_heap_init(&world->memory);
    world->count = count;
    world->nodes = calloc(count, sizeof *world->nodes);
    TRP_ASSERT(world->nodes != NULL);
    for (uint32_t i = 0; i < count; i++) {
        struct trp_swarm *node = &world->nodes[i];
        node->world = world;
        node->index = i;
        node->id = fake_id(i);
        node->memory = trp_memory_init(1u << 28);
        TRP_ASSERT(trp_limits_complete(&node->limits, NULL) == TRP_OK);
        trp_recorder_init(&node->recorder, (struct trp_trace_sink){NULL, NULL});
        node->trace = (struct trp_trace){.recorder = &node->recorder, .node = i};
        node->knows = calloc(count, sizeof *node->knows);
        node->connections = calloc(count, sizeof *node->connections);
        TRP_ASSERT(node->knows != NULL && node->connections != NULL);
    }
}

static inline void fake_world_close(struct fake_world *world)
{
    while (world->events.count > 0) {
        struct trp_heap_entry *entry = trp_heap_front(&world->events);
        trp_heap_remove(&world->events, entry);
        trp_memory_free(&world->memory, TRP_CONTAINER(entry, struct fake_event, entry));
    }
    for (uint32_t i = 0; i < world->count; i++) {
        TRP_ASSERT(world->nodes[i].memory.used_bytes == 0);
        free(world->nodes[i].knows);
        free(world->nodes[i].connections);
    }
    trp_heap_free(&world->events);
    trp_heap_free(&world->wakes);
    free(world->nodes);
    free(world->connections);
    free(world->streams);
    TRP_ASSERT(world->memory.used_bytes == 0);
}

static inline struct fake_event *fake_push(struct fake_world *world, trp_time after,
                                           enum fake_kind kind, size_t size)
{
    struct fake_event *event = trp_memory_alloc(&world->memory, sizeof *event + size);
    TRP_ASSERT(event != NULL);
    event->kind = kind;
    event->size = size;
    TRP_ASSERT(trp_heap_insert(&world->events, &event->entry, world->now + after,
                               world->sequence++) == TRP_OK);
    return event;
}

static inline void fake_call_at(struct fake_world *world, trp_time at,
                                void (*call)(struct fake_world *world, uint64_t argument),
                                uint64_t argument)
{
    struct fake_event *event =
        fake_push(world, at > world->now ? at - world->now : 0, FAKE_CALL, 0);
    event->call = call;
    event->argument = argument;
}

/* Looks at the node's deadline after something happened to it. */
static inline void fake_touch(struct trp_swarm *node)
{
    struct fake_world *world = node->world;
    trp_heap_remove(&world->wakes, &node->wake);
    if (node->is_dead || node->behaviour.ops == NULL || node->behaviour.ops->deadline == NULL) {
        return;
    }
    trp_time at = node->behaviour.ops->deadline(node->behaviour.self);
    if (at != TRP_NEVER) {
        at = at < world->now ? world->now : at;
        TRP_ASSERT(trp_heap_insert(&world->wakes, &node->wake, at, node->index) == TRP_OK);
    }
}

static inline void fake_attach(struct trp_swarm *node, struct trp_behaviour behaviour)
{
    node->behaviour = behaviour;
    if (behaviour.ops->attach != NULL) {
        behaviour.ops->attach(behaviour.self, node, 0);
    }
    fake_touch(node);
}

static inline bool fake_can_talk(const struct fake_world *world, uint32_t a, uint32_t b)
{
    return !world->nodes[a].is_dead && !world->nodes[b].is_dead &&
           (world->is_cut == NULL || !world->is_cut(world, a, b));
}

/* ---- streams ---- */

static inline trp_stream_id fake_stream_id(const struct fake_world *world, uint32_t index,
                                           uint32_t side)
{
    return (uint64_t)world->streams[index].generation << 32 | (index * 2 + side + 1);
}

static inline struct fake_stream *fake_stream_find(const struct fake_world *world, trp_stream_id id)
{
    uint32_t index = ((uint32_t)id - 1) / 2;
    if (id == 0 || index >= world->streams_count) {
        return NULL;
    }
    struct fake_stream *stream = &world->streams[index];
    return stream->is_live && stream->generation == id >> 32 ? stream : NULL;
}

static inline uint32_t fake_side(trp_stream_id id)
{
    return ((uint32_t)id - 1) % 2;
}

static inline trp_stream_id fake_other_side(trp_stream_id id)
{
    return fake_side(id) == 0 ? id + 1 : id - 1;
}

static inline uint32_t fake_stream_make(struct fake_world *world)
{
    uint32_t index;
    if (world->streams_free != 0) {
        index = world->streams_free - 1;
        world->streams_free = world->streams[index].next_free;
    } else {
        if (world->streams_count == world->streams_room) {
            world->streams_room = world->streams_room == 0 ? 64 : world->streams_room * 2;
            world->streams = realloc(world->streams, world->streams_room * sizeof *world->streams);
            TRP_ASSERT(world->streams != NULL);
        }
        index = world->streams_count++;
        world->streams[index].generation = 0;
    }
    uint32_t generation = world->streams[index].generation + 1;
    world->streams[index] = (struct fake_stream){.generation = generation, .is_live = true};
    world->streams_opened++;
    return index;
}

static inline struct trp_stream_info fake_stream_info(const struct fake_world *world,
                                                      trp_stream_id id)
{
    const struct fake_stream *stream = fake_stream_find(world, id);
    uint32_t side = fake_side(id);
    return (struct trp_stream_info){.id = id,
                                    .connection = stream->connection,
                                    .peer = &world->nodes[stream->ends[1 - side]].id,
                                    .protocol = stream->protocol,
                                    .inbound = side == 1,
                                    .token = stream->tokens[side]};
}

/* Gives an end its outcome; the stream goes when both have theirs. */
static inline void fake_stream_end(struct fake_world *world, trp_stream_id id,
                                   enum trp_status status)
{
    struct fake_stream *stream = fake_stream_find(world, id);
    uint32_t side = fake_side(id);
    struct trp_swarm *node = &world->nodes[stream->ends[side]];
    struct trp_stream_info info = fake_stream_info(world, id);
    bool told = side == 0 || stream->opened[1];
    if (told && !node->is_dead && node->behaviour.ops->stream_closed != NULL) {
        node->behaviour.ops->stream_closed(node->behaviour.self, &info, status);
    }
}

static inline void fake_stream_close(struct fake_world *world, trp_stream_id id, trp_time after,
                                     enum trp_status status)
{
    struct fake_event *event = fake_push(world, after, FAKE_CLOSED, 0);
    event->stream = id;
    event->status = status;
}

static inline bool fake_speaks(const struct trp_swarm *node, const char *protocol)
{
    const char *protocols[8];
    uint32_t count = node->behaviour.ops->protocols == NULL
                         ? 0
                         : node->behaviour.ops->protocols(node->behaviour.self, protocols, 8);
    for (uint32_t i = 0; i < count; i++) {
        if (strcmp(protocols[i], protocol) == 0) {
            return true;
        }
    }
    return false;
}

/* ---- connections ---- */

static inline uint32_t fake_connection_between(const struct fake_world *world, uint32_t a,
                                               uint32_t b)
{
    return world->nodes[a].connections[b]; /* + 1; 0: none */
}

static inline uint32_t fake_connect(struct fake_world *world, uint32_t a, uint32_t b)
{
    if (world->connections_count == world->connections_room) {
        world->connections_room = world->connections_room == 0 ? 64 : world->connections_room * 2;
        world->connections =
            realloc(world->connections, world->connections_room * sizeof *world->connections);
        TRP_ASSERT(world->connections != NULL);
    }
    uint32_t id = ++world->connections_count;
    world->connections[id - 1] =
        (struct fake_connection){.ends = {a, b}, .is_open = true, .used_at = world->now};
    world->nodes[a].connections[b] = id;
    world->nodes[b].connections[a] = id;
    world->nodes[a].dials++;
    world->nodes[a].knows[b] = true;
    for (uint32_t side = 0; side < 2; side++) {
        struct fake_event *event = fake_push(world, 3 * FAKE_LATENCY_NS, FAKE_CONNECTED, 0);
        event->connection = id;
        event->side = side;
        event = fake_push(world, 5 * FAKE_LATENCY_NS, FAKE_IDENTIFIED, 0);
        event->connection = id;
        event->side = side;
    }
    fake_push(world, FAKE_IDLE_NS, FAKE_IDLE, 0)->connection = id;
    return id;
}

static inline void fake_disconnect(struct fake_world *world, uint32_t id, enum trp_status reason)
{
    struct fake_connection *connection = &world->connections[id - 1];
    if (!connection->is_open) {
        return;
    }
    connection->is_open = false;
    uint32_t a = connection->ends[0];
    uint32_t b = connection->ends[1];
    world->nodes[a].connections[b] = 0;
    world->nodes[b].connections[a] = 0;
    for (uint32_t i = 0; i < world->streams_count; i++) {
        struct fake_stream *stream = &world->streams[i];
        if (stream->is_live && stream->connection == id) {
            for (uint32_t side = 0; side < 2; side++) {
                if (!stream->ended[side]) {
                    stream->ended[side] = true;
                    fake_stream_close(world, fake_stream_id(world, i, side), 0, reason);
                }
            }
        }
    }
    for (uint32_t side = 0; side < 2; side++) {
        struct fake_event *event = fake_push(world, 0, FAKE_DISCONNECTED, 0);
        event->connection = id;
        event->side = side;
        event->status = reason;
    }
}

/* A host goes silent; the others notice after half a minute. */
static inline void fake_kill_noticed(struct fake_world *world, uint64_t index)
{
    for (uint32_t i = 0; i < world->count; i++) {
        uint32_t id = world->nodes[index].connections[i];
        if (id != 0) {
            fake_disconnect(world, id, TRP_ETIMEDOUT);
        }
    }
}

static inline void fake_kill(struct fake_world *world, uint32_t index)
{
    world->nodes[index].is_dead = true;
    fake_touch(&world->nodes[index]);
    fake_call_at(world, world->now + TRP_S(30), fake_kill_noticed, index);
}

/* ---- the loop ---- */

static inline void fake_on_connected(struct fake_world *world, const struct fake_event *event)
{
    const struct fake_connection *connection = &world->connections[event->connection - 1];
    struct trp_swarm *node = &world->nodes[connection->ends[event->side]];
    uint32_t other = connection->ends[1 - event->side];
    struct trp_connection_info info = {.id = event->connection,
                                       .peer = world->nodes[other].id,
                                       .remote = fake_address(other),
                                       .outbound = event->side == 0};
    if (event->kind == FAKE_CONNECTED && connection->is_open) {
        info.peer_connections = 1;
        if (node->behaviour.ops->connected != NULL) {
            node->behaviour.ops->connected(node->behaviour.self, &info);
        }
    } else if (event->kind == FAKE_DISCONNECTED && node->behaviour.ops->disconnected != NULL) {
        node->behaviour.ops->disconnected(node->behaviour.self, &info, event->status);
    } else if (event->kind == FAKE_IDENTIFIED && connection->is_open &&
               !world->nodes[other].is_silent && node->behaviour.ops->identified != NULL) {
        const char *protocols[8];
        const struct trp_swarm *peer = &world->nodes[other];
        struct trp_multiaddr address = fake_address(other);
        struct trp_identified identified = {.peer = peer->id,
                                            .connection = event->connection,
                                            .agent = "troupe/test",
                                            .protocols = protocols,
                                            .addresses = &address,
                                            .addresses_count = 1};
        if (peer->behaviour.ops->protocols != NULL) {
            identified.protocols_count =
                peer->behaviour.ops->protocols(peer->behaviour.self, protocols, 8);
        }
        if (peer->refuses) {
            identified = (struct trp_identified){
                .peer = peer->id, .connection = event->connection, .refused = true};
        }
        node->knows[other] = !identified.refused;
        node->behaviour.ops->identified(node->behaviour.self, &identified);
    }
    fake_touch(node);
}

static inline void fake_on_data(struct fake_world *world, const struct fake_event *event,
                                struct trp_swarm *node)
{
    size_t chunk = node->chunk == 0 ? event->size : node->chunk;
    for (size_t at = 0; at < event->size; at += chunk) {
        const struct fake_stream *stream = fake_stream_find(world, event->stream);
        if (stream == NULL || stream->ended[fake_side(event->stream)]) {
            return;
        }
        struct trp_stream_info info = fake_stream_info(world, event->stream);
        size_t size = event->size - at < chunk ? event->size - at : chunk;
        node->behaviour.ops->stream_data(node->behaviour.self, &info,
                                         trp_bytes(event->bytes + at, size));
    }
}

static inline void fake_check_both_fins(struct fake_world *world, trp_stream_id id)
{
    struct fake_stream *stream = fake_stream_find(world, id);
    uint32_t side = fake_side(id);
    if (stream != NULL && stream->fin_sent[side] && stream->fin_got[side] && !stream->ended[side]) {
        stream->ended[side] = true;
        fake_stream_close(world, id, 0, TRP_OK);
    }
}

static inline void fake_on_stream(struct fake_world *world, const struct fake_event *event)
{
    struct fake_stream *stream = fake_stream_find(world, event->stream);
    uint32_t side = fake_side(event->stream);
    if (stream == NULL) {
        return;
    }
    struct trp_swarm *node = &world->nodes[stream->ends[side]];
    const struct trp_behaviour_ops *ops = node->behaviour.ops;
    void *self = node->behaviour.self;
    if (event->kind == FAKE_CLOSED) {
        if (!stream->told[side]) {
            fake_stream_end(world, event->stream, event->status);
            stream = fake_stream_find(world, event->stream);
        }
        stream->ended[side] = true;
        stream->told[side] = true;
        if (stream->told[1 - side] || event->argument != 0) {
            if (stream->connection != 0) {
                world->connections[stream->connection - 1].streams--;
                world->connections[stream->connection - 1].used_at = world->now;
            }
            stream->is_live = false;
            stream->next_free = world->streams_free;
            world->streams_free = ((uint32_t)event->stream - 1) / 2 + 1;
        }
        fake_touch(node);
        return;
    }
    if (stream->ended[side] || node->is_dead ||
        !fake_can_talk(world, stream->ends[0], stream->ends[1])) {
        return;
    }
    struct trp_stream_info info = fake_stream_info(world, event->stream);
    if (event->kind == FAKE_OPENED) {
        stream->opened[side] = true;
        ops->stream_opened(self, &info);
    } else if (event->kind == FAKE_DATA) {
        fake_on_data(world, event, node);
    } else if (event->kind == FAKE_WRITABLE) {
        stream->blocked[side] = false;
        ops->stream_writable(self, &info);
    } else if (event->kind == FAKE_FIN) {
        stream->fin_got[side] = true;
        if (ops->stream_eof != NULL) {
            ops->stream_eof(self, &info);
        }
        fake_check_both_fins(world, event->stream);
    }
    fake_touch(node);
}

static inline void fake_on_event(struct fake_world *world, const struct fake_event *event)
{
    switch (event->kind) {
    case FAKE_CONNECTED:
    case FAKE_IDENTIFIED:
    case FAKE_DISCONNECTED:
        fake_on_connected(world, event);
        break;
    case FAKE_IDLE: {
        const struct fake_connection *connection = &world->connections[event->connection - 1];
        if (!connection->is_open) {
            break;
        }
        trp_time idle_at = connection->used_at + FAKE_IDLE_NS;
        if (connection->streams == 0 && idle_at <= world->now) {
            fake_disconnect(world, event->connection, TRP_EIDLE);
        } else {
            fake_push(world, idle_at > world->now ? idle_at - world->now : FAKE_IDLE_NS, FAKE_IDLE,
                      0)
                ->connection = event->connection;
        }
        break;
    }
    case FAKE_DIAL_FAILED: {
        struct trp_swarm *node = &world->nodes[event->node];
        struct trp_dial_report report = {.peer = fake_id(event->side), .status = event->status};
        if (!node->is_dead && node->behaviour.ops->dial_failed != NULL) {
            node->behaviour.ops->dial_failed(node->behaviour.self, &report);
            fake_touch(node);
        }
        break;
    }
    case FAKE_CALL:
        event->call(world, event->argument);
        break;
    case FAKE_OPENED:
    case FAKE_DATA:
    case FAKE_WRITABLE:
    case FAKE_FIN:
    case FAKE_CLOSED:
        fake_on_stream(world, event);
        break;
    }
}

/* Runs until `until`, events before deadlines of the same moment. */
static inline void fake_run(struct fake_world *world, trp_time until)
{
    for (;;) {
        trp_time event_at = trp_heap_deadline(&world->events);
        trp_time wake_at = trp_heap_deadline(&world->wakes);
        if (trp_time_min(event_at, wake_at) > until) {
            world->now = until;
            return;
        }
        if (event_at <= wake_at) {
            struct trp_heap_entry *entry = trp_heap_front(&world->events);
            struct fake_event *event = TRP_CONTAINER(entry, struct fake_event, entry);
            world->now = entry->at;
            trp_heap_remove(&world->events, entry);
            fake_on_event(world, event);
            trp_memory_free(&world->memory, event);
        } else {
            struct trp_heap_entry *entry = trp_heap_front(&world->wakes);
            struct trp_swarm *node = TRP_CONTAINER(entry, struct trp_swarm, wake);
            world->now = entry->at;
            node->trace.now = world->now;
            node->behaviour.ops->expire(node->behaviour.self, world->now);
            fake_touch(node);
        }
    }
}

/* ---- what behaviours call ---- */

trp_time trp_swarm_now(const struct trp_swarm *swarm)
{
    return swarm->world->now;
}

const struct trp_peer_id *trp_swarm_peer_id(const struct trp_swarm *swarm)
{
    return &swarm->id;
}

const struct trp_limits *trp_swarm_limits(const struct trp_swarm *swarm)
{
    return &swarm->limits;
}

struct trp_trace *trp_swarm_trace(const struct trp_swarm *swarm)
{
    return &swarm->world->nodes[swarm->index].trace;
}

uint32_t trp_swarm_listen_addresses(const struct trp_swarm *swarm,
                                    struct trp_multiaddr *ret_addresses, uint32_t max)
{
    if (max > 0) {
        ret_addresses[0] = fake_address(swarm->index);
    }
    return max > 0 ? 1 : 0;
}

void trp_swarm_add_address(struct trp_swarm *swarm, const struct trp_peer_id *peer,
                           const struct trp_multiaddr *address, enum trp_address_source source)
{
    (void)address;
    (void)source;
    if (fake_index(peer) < swarm->world->count) {
        swarm->knows[fake_index(peer)] = true;
    }
}

uint32_t trp_swarm_known_addresses(const struct trp_swarm *swarm, const struct trp_peer_id *peer,
                                   struct trp_multiaddr *ret_addresses, uint32_t max)
{
    uint32_t index = fake_index(peer);
    if (index >= swarm->world->count || !swarm->knows[index] || max == 0) {
        return 0;
    }
    ret_addresses[0] = fake_address(index);
    return 1;
}

/* Everybody knows at once what whoever is connected speaks. */
bool trp_swarm_speaks(const struct trp_swarm *swarm, const struct trp_peer_id *peer,
                      const char *protocol)
{
    uint32_t index = fake_index(peer);
    return index < swarm->world->count && swarm->connections[index] != 0 &&
           fake_speaks(&swarm->world->nodes[index], protocol);
}

/* There is room for everybody. */
void trp_swarm_keep_addresses(struct trp_swarm *swarm, const struct trp_peer_id *peer, bool keep)
{
    (void)swarm;
    (void)peer;
    (void)keep;
}

void trp_swarm_forget_protocol(struct trp_swarm *swarm, const struct trp_peer_id *peer,
                               const char *protocol)
{
    (void)swarm;
    (void)peer;
    (void)protocol;
}

uint32_t trp_swarm_connections_to(const struct trp_swarm *swarm, const struct trp_peer_id *peer)
{
    uint32_t index = fake_index(peer);
    return index < swarm->world->count && swarm->connections[index] != 0;
}

enum trp_status trp_swarm_open_stream(struct trp_swarm *swarm,
                                      const struct trp_stream_request *request,
                                      trp_stream_id *ret_stream)
{
    struct fake_world *world = swarm->world;
    uint32_t a = swarm->index;
    uint32_t b = fake_index(&request->peer);
    uint32_t index = fake_stream_make(world);
    struct fake_stream *stream = &world->streams[index];
    trp_stream_id id = fake_stream_id(world, index, 0);
    stream->tokens[0] = request->token;
    stream->ends[0] = a;
    stream->ends[1] = b < world->count ? b : a;
    stream->protocol = request->protocols[0];
    *ret_stream = id;
    uint32_t connection = b < world->count ? fake_connection_between(world, a, b) : 0;
    trp_time delay = FAKE_LATENCY_NS;
    if (connection == 0) {
        bool known = b < world->count && swarm->knows[b] && b != a;
        if (!known || world->nodes[b].is_unreachable || !fake_can_talk(world, a, b)) {
            enum trp_status status = known ? TRP_ETIMEDOUT : TRP_ENOADDRESS;
            trp_time took = known ? FAKE_DIAL_TIMEOUT_NS : 0;
            struct fake_event *event = fake_push(world, took, FAKE_DIAL_FAILED, 0);
            event->node = a;
            event->side = b;
            event->status = status;
            event = fake_push(world, took, FAKE_CLOSED, 0);
            event->stream = id;
            event->status = status;
            event->argument = 1;
            return TRP_OK;
        }
        connection = fake_connect(world, a, b);
        delay += 3 * FAKE_LATENCY_NS;
    }
    stream->connection = connection;
    world->connections[connection - 1].streams++;
    world->connections[connection - 1].used_at = world->now;
    if (!world->nodes[b].is_dead && !fake_speaks(&world->nodes[b], stream->protocol)) {
        struct fake_event *event = fake_push(world, delay + FAKE_LATENCY_NS, FAKE_CLOSED, 0);
        event->stream = id;
        event->status = TRP_ENEGOTIATION;
        event->argument = 1;
        return TRP_OK;
    }
    fake_push(world, delay, FAKE_OPENED, 0)->stream = id + 1;
    fake_push(world, delay + FAKE_LATENCY_NS, FAKE_OPENED, 0)->stream = id;
    return TRP_OK;
}

enum trp_status trp_stream_write(struct trp_swarm *swarm, trp_stream_id id, struct trp_bytes in,
                                 size_t *ret_used)
{
    struct fake_world *world = swarm->world;
    struct fake_stream *stream = fake_stream_find(world, id);
    if (stream == NULL || stream->ended[fake_side(id)]) {
        return TRP_ENOTFOUND;
    }
    if (stream->fin_sent[fake_side(id)] || !stream->opened[fake_side(id)]) {
        return TRP_ESTATE;
    }
    if (stream->blocked[fake_side(id)]) {
        return TRP_EAGAIN;
    }
    size_t size = in.size;
    if (swarm->write_room != 0 && size >= swarm->write_room) {
        size = swarm->write_room;
        stream->blocked[fake_side(id)] = true;
        fake_push(world, TRP_MS(1), FAKE_WRITABLE, 0)->stream = id;
    }
    struct fake_event *event = fake_push(world, FAKE_LATENCY_NS, FAKE_DATA, size);
    event->stream = fake_other_side(id);
    memcpy(event->bytes, in.data, size);
    *ret_used = size;
    return TRP_OK;
}

void trp_stream_shutdown(struct trp_swarm *swarm, trp_stream_id id)
{
    struct fake_stream *stream = fake_stream_find(swarm->world, id);
    if (stream == NULL || stream->ended[fake_side(id)] || stream->fin_sent[fake_side(id)]) {
        return;
    }
    stream->fin_sent[fake_side(id)] = true;
    fake_push(swarm->world, FAKE_LATENCY_NS, FAKE_FIN, 0)->stream = fake_other_side(id);
    fake_check_both_fins(swarm->world, id);
}

void trp_stream_reset(struct trp_swarm *swarm, trp_stream_id id)
{
    struct fake_world *world = swarm->world;
    struct fake_stream *stream = fake_stream_find(world, id);
    if (stream == NULL || stream->ended[fake_side(id)]) {
        return;
    }
    stream->ended[fake_side(id)] = true;
    fake_stream_close(world, id, 0, TRP_ECANCELLED);
    uint32_t other = 1 - fake_side(id);
    if (!stream->ended[other] && stream->connection != 0) {
        stream->ended[other] = true;
        fake_stream_close(world, fake_other_side(id), FAKE_LATENCY_NS, TRP_ERESET);
    }
}

void trp_stream_consumed(struct trp_swarm *swarm, trp_stream_id id, size_t bytes)
{
    swarm->consumed += fake_stream_find(swarm->world, id) == NULL ? 0 : bytes;
}

/* A background stream keeps its connection like any other here. */
void trp_stream_set_background(struct trp_swarm *swarm, trp_stream_id id, bool background)
{
    (void)swarm;
    (void)id;
    (void)background;
}

void trp_stream_set_token(struct trp_swarm *swarm, trp_stream_id id, uint64_t token)
{
    struct fake_stream *stream = fake_stream_find(swarm->world, id);
    if (stream != NULL) {
        stream->tokens[fake_side(id)] = token;
    }
}

#endif
