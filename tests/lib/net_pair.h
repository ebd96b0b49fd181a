/* SPDX-License-Identifier: MIT */
/* lib/net_pair.h - a few swarms face to face in memory, for tests of the swarm and of behaviours.
 *
 * A small driver: outputs of one host become inputs of another after a latency, bytes cut into
 * chunks of keyed sizes. Time is virtual. Bytes count as sent when they are delivered, so that a
 * paused or slow receiver holds the sender's credit back. As little is told of it as a driver may:
 * with bytes that come, or once it is TRP_SENT_BYTES_MIN. */
#ifndef LIB_NET_PAIR_H
#define LIB_NET_PAIR_H

#include "lib/test.h"

#include "base/prng.h"
#include "crypto/drbg.h"
#include "crypto/keys.h"
#include "net/swarm.h"
#include "trace/trace.h"
#include "wire/public_key.h"

#include <stdio.h>
#include <stdlib.h>
#include <troupe/pump.h>

#define NET_HOSTS_MAX      4u
#define NET_BEHAVIOURS_MAX 6u
#define NET_KINDS_MAX      256u
#define NET_PORT_FIRST     1000u /* host i listens on /ip4/10.0.0.(i + 1)/tcp/(1000 + n) */

struct net_world;

struct net_host {
    struct net_world *world;
    uint32_t index;
    bool running;
    bool show; /* prints its trace to standard error */
    struct trp_memory memory;
    struct trp_limits limits;
    struct trp_recorder recorder;
    struct trp_trace trace;
    struct trp_drbg drbg;
    struct trp_keypair identity;
    struct trp_peer_id peer;
    struct trp_swarm *swarm;
    trp_time deadline;
    struct trp_behaviour behaviours[NET_BEHAVIOURS_MAX];
    uint32_t behaviours_count;
    uint32_t traced[NET_KINDS_MAX]; /* events by index in the catalogue */
    uint64_t outputs[TRP_OUT_WATCH + 1];
    uint64_t bytes_out;
};

/* One end of a connection, or a listener, or a resolve. */
struct net_end {
    uint32_t host;
    trp_socket id;
    bool listener;
    bool closed; /* by its own host, or told so: no input may follow */
    bool paused;
    bool connected;
    uint16_t port;              /* of a listener */
    uint32_t other;             /* index of the other end + 1; 0: none */
    struct trp_udp_address udp; /* of a UDP socket: what it is bound to */
    bool member;                /* of every group */
    size_t sent_due;            /* credit not told yet */
};

struct net_happening {
    trp_time at;
    uint64_t sequence;
    uint32_t end; /* whose host gets the input */
    enum trp_input_kind kind;
    enum trp_status status;
    uint64_t cause;
    uint32_t accepted; /* ACCEPTED: the new end + 1 */
    uint8_t *bytes;
    size_t size;
    struct trp_udp_address local; /* of a datagram; the group of a join */
    struct trp_udp_address remote;
    uint32_t interface;
    bool done;
};

struct net_world {
    uint64_t seed;
    trp_time now;
    trp_time latency_ns;      /* one way */
    uint32_t chunk_bytes_max; /* 0: never cut */
    bool plaintext;
    bool cut[NET_HOSTS_MAX][NET_HOSTS_MAX]; /* from, to: bytes vanish */
    bool hold_sent[NET_HOSTS_MAX];          /* no credit returns to this host */
    uint32_t interfaces;                    /* of every host; each has 10.0.0.x / 24 on the first */
    enum trp_status join_status;            /* the answer to every TRP_OUT_JOIN */
    enum trp_status bind_status;            /* ... and to every TRP_OUT_BIND over IPv4 */
    bool no_datagrams;                      /* they are all lost */
    struct trp_multiaddr resolved[4];       /* the answer to every TRP_OUT_RESOLVE */
    uint32_t resolved_count;
    enum trp_status resolve_status;
    trp_socket next_accepted;
    uint64_t sequence;
    uint64_t chunks;
    struct net_host hosts[NET_HOSTS_MAX];
    struct net_end *ends;
    uint32_t ends_count;
    struct net_happening *happenings;
    size_t happenings_count;
    size_t happenings_done;
};

static inline struct net_world *net_world_open(uint64_t seed)
{
    struct net_world *world = calloc(1, sizeof *world);
    assert_non_null(world);
    world->seed = seed;
    world->now = TRP_S(1);
    world->latency_ns = TRP_MS(10);
    world->chunk_bytes_max = 4096;
    world->next_accepted = 1;
    world->interfaces = 1;
    for (uint32_t i = 0; i < NET_HOSTS_MAX; i++) {
        world->hosts[i].world = world;
        world->hosts[i].index = i;
        world->hosts[i].deadline = TRP_NEVER;
    }
    return world;
}

/* ---- the world's queue ---- */

static inline struct net_happening *net_push(struct net_world *world, trp_time delay_ns,
                                             uint32_t end, enum trp_input_kind kind)
{
    size_t count = world->happenings_count++;
    if ((count & (count + 1)) == 0 || count == 0) {
        world->happenings = realloc(world->happenings, 2 * (count + 1) * sizeof *world->happenings);
        assert_non_null(world->happenings);
    }
    world->happenings[count] = (struct net_happening){
        .at = world->now + delay_ns, .sequence = world->sequence++, .end = end, .kind = kind};
    return &world->happenings[count];
}

static inline uint32_t net_end_add(struct net_world *world, uint32_t host, trp_socket id)
{
    world->ends = realloc(world->ends, (world->ends_count + 1) * sizeof *world->ends);
    assert_non_null(world->ends);
    world->ends[world->ends_count] = (struct net_end){.host = host, .id = id};
    return world->ends_count++;
}

static inline uint32_t net_end_find(const struct net_world *world, uint32_t host, trp_socket id)
{
    for (uint32_t i = world->ends_count; i-- > 0;) {
        if (world->ends[i].host == host && world->ends[i].id == id) {
            return i;
        }
    }
    fail_msg("host %u names a socket %llu that it does not have", host, (unsigned long long)id);
    return 0;
}

static inline struct trp_multiaddr net_address(uint32_t host, uint16_t port)
{
    const uint8_t ip[4] = {10, 0, 0, (uint8_t)(host + 1)};
    return trp_multiaddr_from_ip(ip, 4, port);
}

/* ---- outputs ---- */

static inline void net_perform_dial(struct net_world *world, struct net_host *host,
                                    const struct trp_output *out)
{
    uint32_t end = net_end_add(world, host->index, out->socket);
    struct trp_endpoint to;
    assert_status(trp_multiaddr_tcp(out->address, &to), TRP_OK);
    for (uint32_t i = 0; i < world->ends_count; i++) {
        struct net_end *listener = &world->ends[i];
        if (listener->listener && !listener->closed && listener->port == to.port &&
            to.ip[3] == listener->host + 1) {
            if (world->cut[host->index][listener->host]) {
                return; /* silence */
            }
            uint32_t remote_host = listener->host;
            uint32_t other = net_end_add(world, remote_host, world->next_accepted);
            world->next_accepted += 2;
            world->ends[end].other = other + 1;
            world->ends[other].other = end + 1;
            struct net_happening *accepted = net_push(world, world->latency_ns, i, TRP_IN_ACCEPTED);
            accepted->accepted = other + 1;
            accepted->cause = out->cause;
            net_push(world, 2 * world->latency_ns, end, TRP_IN_CONNECTED);
            return;
        }
    }
    net_push(world, 2 * world->latency_ns, end, TRP_IN_CLOSED)->status = TRP_EREFUSED;
}

static inline void net_perform_bytes(struct net_world *world, struct net_host *host, uint32_t end,
                                     const struct trp_output *out)
{
    host->bytes_out += out->bytes.size;
    uint32_t other = world->ends[end].other;
    assert_true(other != 0 && out->bytes.size > 0);
    size_t at = 0;
    while (at < out->bytes.size) {
        size_t size = out->bytes.size - at;
        if (world->chunk_bytes_max > 0) {
            uint32_t most = 1 + trp_draw_below(trp_draw(world->seed, 0, 1, world->chunks++),
                                               world->chunk_bytes_max);
            size = size < most ? size : most;
        }
        if (!world->cut[host->index][world->ends[other - 1].host]) {
            struct net_happening *h = net_push(world, world->latency_ns, other - 1, TRP_IN_BYTES);
            h->cause = out->cause;
            h->bytes = malloc(size);
            assert_non_null(h->bytes);
            memcpy(h->bytes, out->bytes.data + at, size);
            h->size = size;
        }
        at += size;
    }
}

static inline void net_perform_close(struct net_world *world, struct net_host *host, uint32_t end,
                                     const struct trp_output *out)
{
    struct net_end *closed = &world->ends[end];
    closed->closed = true;
    uint32_t other = closed->other;
    if (other == 0 || closed->listener || world->cut[host->index][world->ends[other - 1].host]) {
        return;
    }
    struct net_happening *h =
        net_push(world, world->latency_ns, other - 1, out->abort ? TRP_IN_CLOSED : TRP_IN_EOF);
    h->status = TRP_ERESET;
    h->cause = out->cause;
    for (size_t i = 0; out->abort && i < world->happenings_count; i++) {
        struct net_happening *lost = &world->happenings[i];
        if (lost->end == other - 1 && lost->kind == TRP_IN_BYTES && !lost->done) {
            lost->done = true;
            free(lost->bytes);
            lost->bytes = NULL;
        }
    }
}

/* Every datagram goes to all that are bound to its port and have the address, or are in a group. */
static inline void net_perform_datagram(struct net_world *world, struct net_host *host,
                                        uint32_t end, const struct trp_datagram *datagram)
{
    const struct trp_udp_address *to = &datagram->remote;
    for (uint32_t i = 0; i < world->ends_count; i++) {
        const struct net_end *at = &world->ends[i];
        bool group = to->ip[0] >= 224;
        bool reached = at->udp.port == to->port && !at->closed &&
                       at->udp.ip_bytes == to->ip_bytes &&
                       (group ? at->member : to->ip[3] == at->host + 1);
        if (!reached || world->cut[host->index][at->host] || world->no_datagrams) {
            continue;
        }
        struct net_happening *h = net_push(world, world->latency_ns, i, TRP_IN_DATAGRAM);
        h->size = datagram->bytes.size;
        h->bytes = malloc(h->size + 1);
        assert_non_null(h->bytes);
        memcpy(h->bytes, datagram->bytes.data, h->size);
        h->local = *to;
        h->remote = (struct trp_udp_address){.ip = {10, 0, 0, (uint8_t)(host->index + 1)},
                                             .ip_bytes = 4,
                                             .port = world->ends[end].udp.port};
        h->interface = datagram->interface == 0 ? 1 : datagram->interface;
    }
}

static inline void net_perform_udp(struct net_world *world, struct net_host *host,
                                   const struct trp_output *out)
{
    struct net_happening *h;
    uint32_t end;
    if (out->kind == TRP_OUT_BIND || out->kind == TRP_OUT_WATCH) {
        end = net_end_add(world, host->index, out->socket);
        bool binds = out->kind == TRP_OUT_BIND;
        bool ip6 = binds && out->udp->ip_bytes != 4;
        enum trp_status status = ip6 ? TRP_EUNSUPPORTED : world->bind_status;
        bool fails = binds && status != TRP_OK;
        world->ends[end].udp = binds ? *out->udp : (struct trp_udp_address){.port = 0};
        enum trp_input_kind answer = binds ? TRP_IN_BOUND : TRP_IN_INTERFACES;
        h = net_push(world, 0, end, fails ? TRP_IN_CLOSED : answer);
        h->status = fails ? status : TRP_OK;
        return;
    }
    end = net_end_find(world, host->index, out->socket);
    if (out->kind == TRP_OUT_DATAGRAM) {
        net_perform_datagram(world, host, end, out->datagram);
    } else if (out->kind == TRP_OUT_LEAVE) {
        world->ends[end].member = false;
    } else {
        world->ends[end].member = world->join_status == TRP_OK;
        h = net_push(world, 0, end, TRP_IN_JOINED);
        h->status = world->join_status;
        h->local = *out->udp;
        h->interface = out->interface;
    }
}

static inline void net_perform(void *driver, const struct trp_output *out)
{
    struct net_host *host = driver;
    struct net_world *world = host->world;
    uint32_t end = 0;
    host->outputs[out->kind]++;
    if (out->kind >= TRP_OUT_BIND) {
        net_perform_udp(world, host, out);
        return;
    }
    assert_true(out->socket != 0 || out->kind == TRP_OUT_SAVE || out->kind == TRP_OUT_RESULT);
    bool opens =
        out->kind == TRP_OUT_LISTEN || out->kind == TRP_OUT_DIAL || out->kind == TRP_OUT_RESOLVE;
    if (!opens) {
        end = net_end_find(world, host->index, out->socket);
        assert_false(world->ends[end].closed && out->kind == TRP_OUT_CLOSE && !out->abort);
    }
    struct trp_endpoint bound;
    struct net_happening *h;
    switch (out->kind) {
    case TRP_OUT_LISTEN:
        end = net_end_add(world, host->index, out->socket);
        assert_status(trp_multiaddr_tcp(out->address, &bound), TRP_OK);
        world->ends[end].listener = true;
        world->ends[end].port = bound.port;
        h = net_push(world, 0, end, bound.port == 1 ? TRP_IN_CLOSED : TRP_IN_LISTENING);
        h->status = TRP_EADDRINUSE;
        break;
    case TRP_OUT_DIAL:
        net_perform_dial(world, host, out);
        break;
    case TRP_OUT_BYTES:
        net_perform_bytes(world, host, end, out);
        break;
    case TRP_OUT_SHUTDOWN:
        if (!world->cut[host->index][world->ends[world->ends[end].other - 1].host]) {
            net_push(world, world->latency_ns, world->ends[end].other - 1, TRP_IN_EOF);
        }
        break;
    case TRP_OUT_CLOSE:
        net_perform_close(world, host, end, out);
        break;
    case TRP_OUT_PAUSE:
    case TRP_OUT_RESUME:
        world->ends[end].paused = out->kind == TRP_OUT_PAUSE;
        break;
    case TRP_OUT_RESOLVE:
        end = net_end_add(world, host->index, out->socket);
        net_push(world, world->latency_ns, end, TRP_IN_RESOLVED);
        break;
    case TRP_OUT_SAVE:
    case TRP_OUT_RESULT:
    case TRP_OUT_BIND:
    case TRP_OUT_DATAGRAM:
    case TRP_OUT_JOIN:
    case TRP_OUT_LEAVE:
    case TRP_OUT_WATCH:
        break;
    }
}

/* ---- hosts ---- */

static inline void net_on_event(void *self, const struct trp_trace_event *event)
{
    struct net_host *host = self;
    for (uint32_t i = 0; i < NET_KINDS_MAX && trp_trace_kind_at(i) != NULL; i++) {
        host->traced[i] += trp_trace_kind_at(i) == event->kind;
    }
    if (host->show) {
        char text[1024];
        trp_trace_print(event, text, sizeof text);
        (void)fprintf(stderr, "%s\n", text);
    }
}

/* How many events of a name this host has traced. */
static inline uint32_t net_traced(const struct net_host *host, const char *name)
{
    for (uint32_t i = 0; i < NET_KINDS_MAX && trp_trace_kind_at(i) != NULL; i++) {
        if (strcmp(trp_trace_kind_at(i)->name, name) == 0) {
            return host->traced[i];
        }
    }
    fail_msg("no event is called %s", name);
    return 0;
}

/* Sets limits to their defaults and makes an identity; change them, add behaviours, then start. */
static inline struct net_host *net_host_init(struct net_world *world, uint32_t index)
{
    struct net_host *host = &world->hosts[index];
    uint8_t seed[32] = {0};
    seed[0] = (uint8_t)(index + 1);
    seed[1] = (uint8_t)world->seed;
    *host = (struct net_host){.world = world, .index = index, .deadline = TRP_NEVER};
    trp_keypair_from_seed(seed, &host->identity);
    trp_peer_id_from_key(&host->identity.public_key, &host->peer);
    trp_drbg_init(&host->drbg, seed, "swarm");
    host->memory = trp_memory_init(64u * 1024 * 1024);
    assert_status(trp_limits_complete(&host->limits, NULL), TRP_OK);
    trp_recorder_init(&host->recorder,
                      (struct trp_trace_sink){.event = net_on_event, .self = host});
    host->trace = (struct trp_trace){.recorder = &host->recorder, .node = index, .now = world->now};
    return host;
}

static inline void net_host_add(struct net_host *host, struct trp_behaviour behaviour)
{
    assert_true(host->behaviours_count < NET_BEHAVIOURS_MAX);
    host->behaviours[host->behaviours_count++] = behaviour;
}

static inline enum trp_status net_host_start(struct net_host *host)
{
    const struct trp_swarm_config config = {.memory = &host->memory,
                                            .trace = &host->trace,
                                            .drbg = &host->drbg,
                                            .identity = &host->identity,
                                            .limits = &host->limits,
                                            .plaintext = host->world->plaintext,
                                            .now = host->world->now,
                                            .behaviours = host->behaviours,
                                            .behaviours_count = host->behaviours_count};
    enum trp_status status = trp_swarm_open(&config, &host->swarm);
    host->running = status == TRP_OK;
    return status;
}

static inline enum trp_status net_process_step(void *self, const struct trp_input *in)
{
    return trp_swarm_step(((struct net_host *)self)->swarm, in);
}

static inline bool net_process_next_output(void *self, struct trp_output *ret_out)
{
    return trp_swarm_next_output(((struct net_host *)self)->swarm, ret_out);
}

static inline trp_time net_process_deadline(const void *self)
{
    return trp_swarm_deadline(((const struct net_host *)self)->swarm);
}

static inline void net_step(struct net_host *host, const struct trp_input *in)
{
    static const struct trp_process_ops ops = {.step = net_process_step,
                                               .next_output = net_process_next_output,
                                               .deadline = net_process_deadline};
    struct trp_process process = {.ops = &ops, .self = host};
    assert_status(trp_pump(process, in, net_perform, host, &host->deadline), TRP_OK);
}

/* Lets a host work on what calls from outside have set in motion. */
static inline void net_poke(struct net_host *host)
{
    net_step(host, &(struct trp_input){.kind = TRP_IN_TIME, .now = host->world->now});
}

/* Ends a host as a crash does: nobody is told. Every byte it allocated must be given back. */
static inline void net_host_stop(struct net_host *host)
{
    if (host->running) {
        trp_swarm_close(host->swarm);
        host->running = false;
        host->deadline = TRP_NEVER;
    }
}

/* Starts listening on port 1000 + n and runs the world until it is so. */
static inline void net_listen(struct net_host *host, uint16_t n)
{
    struct trp_multiaddr address = net_address(host->index, (uint16_t)(NET_PORT_FIRST + n));
    assert_status(trp_swarm_listen(host->swarm, &address), TRP_OK);
    net_poke(host);
}

/* ---- running ---- */

/* Gives one of the inputs of UDP. */
static inline void net_deliver_udp(struct net_world *world, const struct net_happening *h)
{
    struct net_end *end = &world->ends[h->end];
    struct trp_interface interfaces[TRP_INPUT_INTERFACES_MAX];
    const struct trp_datagram datagram = {.socket = end->id,
                                          .interface = h->interface,
                                          .local = h->local,
                                          .remote = h->remote,
                                          .bytes = trp_bytes(h->bytes, h->size)};
    for (uint32_t i = 0; i < world->interfaces; i++) {
        interfaces[i] = (struct trp_interface){.index = i + 1,
                                               .name = {'n', 'e', 't', (char)('0' + i)},
                                               .ip_bytes = 4,
                                               .prefix_bits = 24,
                                               .ip = {10, 0, (uint8_t)i, (uint8_t)(end->host + 1)}};
    }
    const struct trp_input in = {.kind = h->kind,
                                 .status = h->status,
                                 .now = world->now,
                                 .socket = end->id,
                                 .udp = h->kind == TRP_IN_BOUND ? &end->udp : &h->local,
                                 .datagram = &datagram,
                                 .interface = h->interface,
                                 .interfaces = interfaces,
                                 .interfaces_count = world->interfaces};
    if (world->hosts[end->host].running) {
        net_step(&world->hosts[end->host], &in);
    }
}

/* Bytes of an end were delivered. */
static inline void net_credit(struct net_world *world, struct net_end *sender, size_t size)
{
    struct net_host *host = &world->hosts[sender->host];
    if (sender->closed || !host->running || world->hold_sent[sender->host]) {
        return;
    }
    sender->sent_due += size;
    if (sender->sent_due >= TRP_SENT_BYTES_MIN) {
        struct trp_input in = {.kind = TRP_IN_SENT,
                               .now = world->now,
                               .socket = sender->id,
                               .sent_bytes = sender->sent_due};
        sender->sent_due = 0;
        net_step(host, &in);
    }
}

static inline void net_deliver(struct net_world *world, struct net_happening h)
{
    if (h.kind >= TRP_IN_BOUND) {
        net_deliver_udp(world, &h);
        return;
    }
    struct net_end *end = &world->ends[h.end];
    struct net_host *host = &world->hosts[end->host];
    struct trp_input in = {.kind = h.kind,
                           .status = h.status,
                           .now = world->now,
                           .cause = 0,
                           .socket = end->id,
                           .bytes = trp_bytes(h.bytes, h.size)};
    struct trp_multiaddr addresses[TRP_INPUT_ADDRESSES_MAX];
    in.addresses = addresses;
    if (h.kind == TRP_IN_LISTENING) {
        addresses[0] = net_address(end->host, end->port);
        in.addresses_count = 1;
    } else if (h.kind == TRP_IN_CONNECTED || h.kind == TRP_IN_ACCEPTED) {
        uint32_t remote = h.kind == TRP_IN_ACCEPTED ? h.accepted : end->other;
        addresses[0] = net_address(end->host, 9);
        addresses[1] = net_address(world->ends[world->ends[remote - 1].other - 1].host,
                                   (uint16_t)(20000 + h.sequence % 9999));
        in.addresses_count = 2;
        if (h.kind == TRP_IN_ACCEPTED) {
            in.listener = end->id;
            in.socket = world->ends[h.accepted - 1].id;
            world->ends[h.accepted - 1].connected = true;
        }
        world->ends[h.end].connected = true;
    } else if (h.kind == TRP_IN_RESOLVED) {
        memcpy(addresses, world->resolved, sizeof world->resolved);
        in.addresses_count = world->resolved_count;
        in.status = world->resolve_status;
    }
    if (h.kind == TRP_IN_CLOSED) {
        end->closed = true;
    } else if (h.kind == TRP_IN_BYTES) {
        in.sent_bytes = end->sent_due;
        end->sent_due = 0;
    }
    uint32_t from = end->other;
    if (host->running) {
        net_step(host, &in);
    }
    if (h.kind == TRP_IN_BYTES && from != 0) {
        net_credit(world, &world->ends[from - 1], h.size);
    }
}

static inline bool net_is_held(const struct net_world *world, const struct net_happening *h)
{
    const struct net_end *end = &world->ends[h->end];
    bool ordered = h->kind == TRP_IN_BYTES || h->kind == TRP_IN_EOF;
    return ordered && (end->paused || !end->connected) && !end->closed;
}

/* The next happening that may be delivered; happenings_count when there is none. */
static inline size_t net_next(struct net_world *world)
{
    size_t best = world->happenings_count;
    while (world->happenings_done < world->happenings_count &&
           world->happenings[world->happenings_done].done) {
        world->happenings_done++;
    }
    for (size_t i = world->happenings_done; i < world->happenings_count; i++) {
        const struct net_happening *h = &world->happenings[i];
        if (!h->done && !net_is_held(world, h) &&
            (best == world->happenings_count || h->at < world->happenings[best].at)) {
            best = i;
            if (h->at <= world->now) {
                break;
            }
        }
    }
    return best;
}

/* Does the next thing that happens before `until`; false when there is none. */
static inline bool net_turn(struct net_world *world, trp_time until)
{
    size_t next = net_next(world);
    trp_time at = next < world->happenings_count ? world->happenings[next].at : TRP_NEVER;
    struct net_host *due = NULL;
    for (uint32_t i = 0; i < NET_HOSTS_MAX; i++) {
        struct net_host *host = &world->hosts[i];
        if (host->running && host->deadline < at &&
            (due == NULL || host->deadline < due->deadline)) {
            due = host;
        }
    }
    at = due != NULL ? due->deadline : at;
    if (at > until) {
        return false;
    }
    world->now = at > world->now ? at : world->now;
    if (due != NULL) {
        net_poke(due);
        return true;
    }
    struct net_happening h = world->happenings[next];
    world->happenings[next].done = true;
    bool gone = world->ends[h.end].closed || !world->hosts[world->ends[h.end].host].running;
    if (!gone) {
        net_deliver(world, h);
    } else if (h.kind == TRP_IN_BYTES && world->ends[h.end].other != 0 &&
               !world->ends[world->ends[h.end].other - 1].closed) {
        net_push(world, world->latency_ns, world->ends[h.end].other - 1, TRP_IN_CLOSED)->status =
            TRP_ERESET;
    }
    free(h.bytes);
    return true;
}

/* Runs the world for a span. */
static inline void net_run(struct net_world *world, trp_time span_ns)
{
    trp_time until = world->now + span_ns;
    while (net_turn(world, until)) {
    }
    world->now = until;
}

/* Breaks every transport connection of a host, as a reset on both sides. */
static inline void net_reset_all(struct net_world *world, uint32_t host)
{
    for (uint32_t i = 0; i < world->ends_count; i++) {
        struct net_end *end = &world->ends[i];
        if (end->host == host && !end->closed && !end->listener && end->other != 0) {
            net_push(world, 0, i, TRP_IN_CLOSED)->status = TRP_ERESET;
            if (!world->ends[end->other - 1].closed) {
                net_push(world, 0, end->other - 1, TRP_IN_CLOSED)->status = TRP_ERESET;
            }
        }
    }
}

/* Ends every host; each must have given its memory back. */
static inline void net_world_close(struct net_world *world)
{
    for (uint32_t i = 0; i < NET_HOSTS_MAX; i++) {
        bool was_running = world->hosts[i].running;
        net_host_stop(&world->hosts[i]);
        if (was_running) {
            assert_int_equal(world->hosts[i].memory.used_bytes, 0);
        }
    }
    for (size_t i = 0; i < world->happenings_count; i++) {
        if (!world->happenings[i].done) {
            free(world->happenings[i].bytes);
        }
    }
    free(world->happenings);
    free(world->ends);
    free(world);
}

#endif
