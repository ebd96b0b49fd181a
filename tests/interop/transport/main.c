/* SPDX-License-Identifier: MIT */
/* What libp2p's transport interoperability suite asks of a program: one of two meets the other at a
 * Redis server, dials it and pings it once. Everything is said by the environment:
 *
 *   transport tcp, security noise, muxer yamux     others are refused
 *   is_dialer true or false
 *   ip        to listen on; 0.0.0.0: every interface, the first address but loopback is told
 *   redis_addr host:port; test_timeout_seconds
 *
 * The listener pushes its multiaddr to the list listenerAddr and waits to be ended; the dialer pops
 * it and prints the milliseconds of both as JSON. Exit code 0: it was reached. */
#include "interop/transport/redis.h"

#include <stdio.h>
#include <stdlib.h>
#include <troupe/swarm.h>
#include <troupe/uv.h>

#define PING          "/ipfs/ping/1.0.0"
#define PING_BYTES    32u
#define LIST          "listenerAddr"
#define ADDRESSES_MAX 16u

struct dialer {
    struct trp_swarm *swarm;
    struct trp_runtime *runtime;
    uint32_t index;
    uint32_t echoed_bytes;
    bool done;
    bool failed;
    trp_time dialed_at;
    trp_time asked_at;
    trp_time answered_at;
};

static const uint8_t ping[PING_BYTES] = {'t', 'r', 'o', 'u', 'p', 'e'};

/* ---- a behaviour that pings whom it is connected to ---- */

static void dialer_attach(void *self, struct trp_swarm *swarm, uint32_t index)
{
    struct dialer *dialer = self;
    dialer->swarm = swarm;
    dialer->index = index;
}

static void dialer_end(struct dialer *dialer, bool good)
{
    dialer->done = dialer->done || good;
    dialer->failed = dialer->failed || !good;
    trp_runtime_stop(dialer->runtime);
}

static void dialer_connected(void *self, const struct trp_connection_info *connection)
{
    static const char *const protocols[] = {PING};
    struct dialer *dialer = self;
    const struct trp_stream_request request = {.behaviour = dialer->index,
                                               .connection = connection->id,
                                               .protocols = protocols,
                                               .protocols_count = 1};
    trp_stream_id stream;
    if (connection->outbound && trp_swarm_open_stream(dialer->swarm, &request, &stream) != TRP_OK) {
        dialer_end(dialer, false);
    }
}

static void dialer_stream_opened(void *self, const struct trp_stream_info *stream)
{
    struct dialer *dialer = self;
    size_t used = 0;
    dialer->asked_at = trp_swarm_now(dialer->swarm);
    if (trp_stream_write(dialer->swarm, stream->id, trp_bytes(ping, PING_BYTES), &used) != TRP_OK ||
        used != PING_BYTES) {
        dialer_end(dialer, false);
    }
}

static void dialer_stream_data(void *self, const struct trp_stream_info *stream,
                               struct trp_bytes in)
{
    struct dialer *dialer = self;
    trp_stream_consumed(dialer->swarm, stream->id, in.size);
    bool good = in.size <= PING_BYTES - dialer->echoed_bytes &&
                memcmp(ping + dialer->echoed_bytes, in.data, in.size) == 0;
    dialer->echoed_bytes += good ? (uint32_t)in.size : 0;
    if (!good || dialer->echoed_bytes == PING_BYTES) {
        dialer->answered_at = trp_swarm_now(dialer->swarm);
        dialer_end(dialer, good);
    }
}

static void dialer_stream_closed(void *self, const struct trp_stream_info *stream,
                                 enum trp_status reason)
{
    struct dialer *dialer = self;
    (void)stream;
    if (!dialer->done) {
        (void)fprintf(stderr, "ping: %s\n", trp_status_text(reason));
        dialer_end(dialer, false);
    }
}

static void dialer_dial_failed(void *self, const struct trp_dial_report *report)
{
    (void)fprintf(stderr, "dial: %s\n", trp_status_text(report->status));
    dialer_end(self, false);
}

static const struct trp_behaviour_ops dialer_ops = {.name = "dialer",
                                                    .attach = dialer_attach,
                                                    .connected = dialer_connected,
                                                    .dial_failed = dialer_dial_failed,
                                                    .stream_opened = dialer_stream_opened,
                                                    .stream_data = dialer_stream_data,
                                                    .stream_closed = dialer_stream_closed};

/* ---- the two roles ---- */

static const char *setting(const char *name, const char *otherwise)
{
    const char *value = getenv(name);
    return value == NULL || value[0] == '\0' ? otherwise : value;
}

static int run_dialer(struct dialer *dialer, const char *server, unsigned seconds)
{
    char text[512];
    struct trp_command dial = {.kind = TRP_CMD_DIAL};
    if (!redis_pop(server, LIST, seconds, text, sizeof text) ||
        trp_multiaddr_parse(text, &dial.address, NULL) != TRP_OK) {
        return 1;
    }
    if (trp_runtime_command(dialer->runtime, &dial) != TRP_OK) {
        return 1;
    }
    dialer->dialed_at = trp_swarm_now(dialer->swarm);
    trp_runtime_run(dialer->runtime, TRP_S(seconds));
    if (!dialer->done || dialer->failed) {
        (void)fprintf(stderr, "%s was not reached\n", text);
        return 1;
    }
    (void)printf("{\"handshakePlusOneRTTMillis\": %.3f, \"pingRTTMilllis\": %.3f}\n",
                 (double)(dialer->answered_at - dialer->dialed_at) / 1e6,
                 (double)(dialer->answered_at - dialer->asked_at) / 1e6);
    return 0;
}

static bool is_loopback(const struct trp_multiaddr *address)
{
    struct trp_endpoint endpoint;
    return trp_multiaddr_tcp(address, &endpoint) == TRP_OK && endpoint.host == TRP_MA_IP4 &&
           endpoint.ip[0] == 127;
}

static int run_listener(struct dialer *dialer, const char *server, unsigned seconds)
{
    char text[TRP_MULTIADDR_TEXT_MAX];
    struct trp_multiaddr addresses[ADDRESSES_MAX];
    struct trp_multiaddr whole;
    uint32_t count = trp_swarm_listen_addresses(dialer->swarm, addresses, ADDRESSES_MAX);
    uint32_t told = 0;
    while (told + 1 < count && is_loopback(&addresses[told])) {
        told++;
    }
    if (count == 0 || trp_multiaddr_with_peer(&addresses[told], trp_swarm_peer_id(dialer->swarm),
                                              &whole) != TRP_OK) {
        return 1;
    }
    trp_multiaddr_print(&whole, text);
    if (redis_push(server, LIST, text)) {
        trp_runtime_run(dialer->runtime, TRP_S(seconds)); /* the suite ends it before */
    }
    return 1;
}

static bool supported(const char *name, const char *only)
{
    if (strcmp(setting(name, only), only) != 0) {
        (void)fprintf(stderr, "%s=%s is not supported, %s is\n", name, getenv(name), only);
        return false;
    }
    return true;
}

int main(void)
{
    bool dials = strcmp(setting("is_dialer", "false"), "true") == 0;
    unsigned seconds = (unsigned)strtoul(setting("test_timeout_seconds", "180"), NULL, 10);
    const char *server = setting("redis_addr", "redis:6379");
    struct dialer dialer = {0};
    const struct trp_behaviour behaviour = {.ops = &dialer_ops, .self = &dialer};
    const struct trp_runtime_config config = {
        .node = {.behaviours = &behaviour, .behaviours_count = 1, .mdns = TRP_MDNS_OFF}};
    char listen[64];
    (void)snprintf(listen, sizeof listen, "/ip4/%s/tcp/0", setting("ip", "0.0.0.0"));
    if (!supported("transport", "tcp") || !supported("security", "noise") ||
        !supported("muxer", "yamux")) {
        return 1;
    }
    enum trp_status status = dials ? trp_runtime_open(&config, &dialer.runtime)
                                   : trp_bootstrap(listen, &config, &dialer.runtime);
    if (status != TRP_OK) {
        (void)fprintf(stderr, "%s: %s\n", listen, trp_status_text(status));
        return 1;
    }
    int code =
        dials ? run_dialer(&dialer, server, seconds) : run_listener(&dialer, server, seconds);
    trp_runtime_close(dialer.runtime);
    return code;
}
