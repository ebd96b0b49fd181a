/* SPDX-License-Identifier: MIT */
/* Usage: troupe-peer [--listen ADDR] [--limit NAME=VALUE]… [--kad PROTOCOL] [--trace]
 *
 * Listens, says so, and does what standard input says until it ends. */
#include "interop/troupe/peer.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <uv.h>

#define LISTEN_DEFAULT "/ip4/127.0.0.1/tcp/0"
#define ADDRESSES_MAX  16u
#define LINE_TEXT_MAX  4096u
#define READ_BYTES     65536u

struct options {
    const char *listen;
    const char *kad;
    bool trace;
    struct trp_limits limits;
};

/* Standard input, collected into lines. */
struct input {
    struct peer *peer;
    uv_pipe_t pipe;
    char *line;
    size_t size;
    size_t room;
    char chunk[READ_BYTES];
};

/* ---- saying ---- */

void say(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    (void)vprintf(format, arguments);
    va_end(arguments);
    (void)fflush(stdout);
}

void say_failed(const char *id, enum trp_status status)
{
    say("failed id=%s why=%s\n", id, trp_status_name(status));
}

void say_hex(struct trp_bytes bytes)
{
    for (size_t i = 0; i < bytes.size; i++) {
        (void)printf("%02x", bytes.data[i]);
    }
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool hex_decode(char *text, struct trp_bytes *ret_bytes)
{
    size_t size = strlen(text) / 2;
    uint8_t *out = (uint8_t *)text;
    for (size_t i = 0; i < size; i++) {
        int high = hex_digit(text[2 * i]);
        int low = hex_digit(text[2 * i + 1]);
        if (high < 0 || low < 0) {
            return false;
        }
        out[i] = (uint8_t)(high * 16 + low);
    }
    *ret_bytes = trp_bytes(out, size);
    return true;
}

static void print_event(void *self, const struct trp_trace_event *event)
{
    (void)self;
    char line[LINE_TEXT_MAX];
    (void)trp_trace_print(event, line, sizeof line);
    (void)fprintf(stderr, "%s\n", line);
}

/* ---- what the node itself does ---- */

/* Lets the node step: what is asked of a swarm from outside its hooks is done then. */
static void poke(struct peer *peer)
{
    const struct trp_command command = {.kind = TRP_CMD_PEERS};
    TRP_IGNORE(trp_runtime_command(peer->runtime, &command)); /* its answer is of no interest */
}

static void order_status(const struct peer *peer, const char *id)
{
    struct trp_node_view view;
    trp_node_inspect(trp_runtime_node(peer->runtime), &view);
    say("done id=%s memory=%llu connections=%u streams=%u\n", id,
        (unsigned long long)view.memory_bytes, view.connections, view.streams);
}

static void order_hangup(const struct peer *peer, const struct order *order)
{
    struct trp_peer_id id;
    if (order->count < 3 || trp_peer_id_parse(order->words[2], &id) != TRP_OK) {
        say_failed(order->words[0], TRP_EINVAL);
        return;
    }
    trp_swarm_close_peer(peer->swarm, &id, TRP_OK);
    say("done id=%s\n", order->words[0]);
}

static void order_address(struct peer *peer, const struct order *order, enum trp_command_kind kind)
{
    struct trp_command command = {.kind = kind};
    enum trp_status status = TRP_EINVAL;
    if (order->count > 2 &&
        trp_multiaddr_parse(order->words[2], &command.address, NULL) == TRP_OK) {
        status = trp_runtime_command(peer->runtime, &command);
    }
    if (status == TRP_OK) {
        say("done id=%s\n", order->words[0]);
    } else {
        say_failed(order->words[0], status);
    }
}

static void order_do(struct peer *peer, const struct order *order)
{
    const char *verb = order->words[1];
    poke(peer); /* the swarm's clock first */
    if (strcmp(verb, "quit") == 0) {
        peer->quit = true;
    } else if (strcmp(verb, "status") == 0) {
        order_status(peer, order->words[0]);
    } else if (strcmp(verb, "hangup") == 0) {
        order_hangup(peer, order);
    } else if (strcmp(verb, "dial") == 0) {
        order_address(peer, order, TRP_CMD_DIAL);
    } else if (strcmp(verb, "listen") == 0) {
        order_address(peer, order, TRP_CMD_LISTEN);
    } else if (!talker_order(peer->talker, order) && !dht_order(peer->dht, order)) {
        say_failed(order->words[0], TRP_EUNSUPPORTED);
    }
    poke(peer);
}

/* ---- commands ---- */

static void input_line(struct input *input, char *line)
{
    struct order order = {0};
    char *rest = NULL;
    for (char *word = strtok_r(line, " ", &rest); word != NULL && order.count < WORDS_MAX;
         word = strtok_r(NULL, " ", &rest)) {
        order.words[order.count++] = word;
    }
    if (order.count > 1) {
        order_do(input->peer, &order);
    }
}

static void input_take(struct input *input, const char *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (input->size == input->room) {
            input->room = input->room == 0 ? LINE_TEXT_MAX : 2 * input->room;
            char *line = realloc(input->line, input->room);
            if (line == NULL) {
                abort();
            }
            input->line = line;
        }
        input->line[input->size++] = bytes[i];
        if (bytes[i] == '\n') {
            input->line[input->size - 1] = '\0';
            input->size = 0;
            input_line(input, input->line);
        }
    }
}

static void input_on_alloc(uv_handle_t *handle, size_t size, uv_buf_t *ret_buffer)
{
    (void)size;
    struct input *input = handle->data;
    *ret_buffer = uv_buf_init(input->chunk, sizeof input->chunk);
}

static void input_on_read(uv_stream_t *stream, ssize_t size, const uv_buf_t *buffer)
{
    struct input *input = stream->data;
    if (size < 0) {
        input->peer->quit = true;
    } else {
        input_take(input, buffer->base, (size_t)size);
    }
}

/* ---- the program ---- */

static bool limit_set(struct trp_limits *limits, const char *text)
{
    const char *equals = strchr(text, '=');
    uint64_t value = equals == NULL ? 0 : strtoull(equals + 1, NULL, 10);
    size_t size = equals == NULL ? 0 : (size_t)(equals - text);
#define LIMIT_SET(type, name, default_, minimum, reason)                                           \
    if (size == strlen(#name) && memcmp(text, #name, size) == 0) {                                 \
        limits->name = (type)value;                                                                \
        return true;                                                                               \
    }
    TRP_LIMITS_MAP(LIMIT_SET)
#undef LIMIT_SET
    return false;
}

static bool options_read(int argc, char **argv, struct options *options)
{
    for (int i = 1; i < argc; i++) {
        bool more = i + 1 < argc;
        if (strcmp(argv[i], "--trace") == 0) {
            options->trace = true;
        } else if (strcmp(argv[i], "--listen") == 0 && more) {
            options->listen = argv[++i];
        } else if (strcmp(argv[i], "--kad") == 0 && more) {
            options->kad = argv[++i];
        } else if (strcmp(argv[i], "--limit") != 0 || !more ||
                   !limit_set(&options->limits, argv[++i])) {
            (void)fprintf(stderr, "troupe-peer: what is '%s'?\n", argv[i]);
            return false;
        }
    }
    return true;
}

static uint32_t say_listening(const struct peer *peer, uint32_t said)
{
    struct trp_multiaddr addresses[ADDRESSES_MAX];
    uint32_t count = trp_swarm_listen_addresses(peer->swarm, addresses, ADDRESSES_MAX);
    for (; said < count; said++) {
        char text[TRP_MULTIADDR_TEXT_MAX];
        struct trp_multiaddr whole = addresses[said];
        TRP_IGNORE(trp_multiaddr_with_peer(&addresses[said], trp_swarm_peer_id(peer->swarm),
                                           &whole)); /* then it is said without */
        trp_multiaddr_print(&whole, text);
        say("listening address=%s\n", text);
    }
    return said;
}

static enum trp_status peer_open(struct peer *peer, const struct options *options, uv_loop_t *loop,
                                 struct trp_recorder *recorder)
{
    struct trp_behaviour behaviours[1 + DHT_BEHAVIOURS];
    peer->talker = talker_open();
    peer->dht = dht_open(options->kad);
    if (peer->talker == NULL || peer->dht == NULL) {
        return TRP_ENOMEM;
    }
    behaviours[0] = talker_behaviour(peer->talker);
    dht_behaviours(peer->dht, behaviours + 1);
    const struct trp_runtime_config config = {
        .node = {.limits = options->limits,
                 .mdns = TRP_MDNS_OFF, /* tests stand beside each other */
                 .behaviours = behaviours,
                 .behaviours_count = 1 + DHT_BEHAVIOURS,
                 .recorder = options->trace ? recorder : NULL},
        .loop = loop};
    enum trp_status status = trp_bootstrap(options->listen, &config, &peer->runtime);
    if (status == TRP_OK) {
        peer->swarm = trp_node_swarm(trp_runtime_node(peer->runtime));
    }
    return status;
}

static void peer_run(struct peer *peer, uv_loop_t *loop)
{
    static struct input input;
    uint32_t said = 0;
    input.peer = peer;
    input.pipe.data = &input;
    if (uv_pipe_init(loop, &input.pipe, 0) != 0 || uv_pipe_open(&input.pipe, 0) != 0 ||
        uv_read_start((uv_stream_t *)&input.pipe, input_on_alloc, input_on_read) != 0) {
        (void)fprintf(stderr, "troupe-peer: standard input is no pipe\n");
        return;
    }
    input.pipe.data = &input;
    while (!peer->quit) {
        said = say_listening(peer, said);
        while (dht_poll(peer->dht)) {
            poke(peer);
        }
        (void)uv_run(loop, UV_RUN_ONCE);
    }
    uv_close((uv_handle_t *)&input.pipe, NULL);
    free(input.line);
}

int main(int argc, char **argv)
{
    struct options options = {.listen = LISTEN_DEFAULT, .kad = PROTOCOL_KAD};
    struct peer peer = {0};
    struct trp_recorder recorder;
    uv_loop_t loop;
    trp_recorder_init(&recorder, (struct trp_trace_sink){.event = print_event});
    if (!options_read(argc, argv, &options) || uv_loop_init(&loop) != 0) {
        return 2;
    }
    enum trp_status status = peer_open(&peer, &options, &loop, &recorder);
    if (status == TRP_OK) {
        peer_run(&peer, &loop);
        trp_runtime_close(peer.runtime);
        talker_close(peer.talker);
        dht_close(peer.dht);
        (void)uv_run(&loop, UV_RUN_DEFAULT);
        (void)uv_loop_close(&loop);
        return 0;
    }
    (void)fprintf(stderr, "troupe-peer: %s\n", trp_status_text(status));
    return 1;
}
