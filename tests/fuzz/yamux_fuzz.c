/* SPDX-License-Identifier: MIT */
/* Drives one yamux by a script: bytes of the wire in pieces, calls on its streams, sends into
 * little room, failing allocations. Events must make sense, and bounds must hold. */
#include "proto/yamux.h"

#include "base/assert.h"
#include "proto/yamux_frame.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define STREAMS_MAX 6u
#define WINDOW      262144u

struct run {
    struct trp_memory memory;
    struct trp_yamux *yamux;
    trp_time now;
    uint32_t live[STREAMS_MAX * 2]; /* as told by events and calls; 0: none */
    uint32_t window[STREAMS_MAX * 2];
};

static uint32_t *live_find(struct run *run, uint32_t id)
{
    for (uint32_t i = 0; i < STREAMS_MAX * 2; i++) {
        if (run->live[i] == id) {
            return &run->live[i];
        }
    }
    return NULL;
}

static void live_add(struct run *run, uint32_t id)
{
    TRP_ASSERT(live_find(run, id) == NULL);
    uint32_t *slot = live_find(run, 0);
    TRP_ASSERT(slot != NULL);
    *slot = id;
    run->window[slot - run->live] = WINDOW;
}

static void drain(struct run *run)
{
    struct trp_yamux_event event;
    while (trp_yamux_next_event(run->yamux, &event)) {
        uint32_t *slot = event.kind == TRP_YAMUX_OPENED ? NULL : live_find(run, event.stream);
        TRP_ASSERT(event.kind == TRP_YAMUX_OPENED || event.kind == TRP_YAMUX_GOAWAY ||
                   slot != NULL);
        switch (event.kind) {
        case TRP_YAMUX_OPENED:
            live_add(run, event.stream);
            break;
        case TRP_YAMUX_DATA:
            TRP_ASSERT(event.data.size <= run->window[slot - run->live]);
            run->window[slot - run->live] -= (uint32_t)event.data.size;
            break;
        case TRP_YAMUX_RESET:
        case TRP_YAMUX_FINISHED:
            *slot = 0;
            break;
        case TRP_YAMUX_WRITABLE:
        case TRP_YAMUX_EOF:
        case TRP_YAMUX_GOAWAY:
            break;
        }
    }
}

static void send(struct run *run, size_t room)
{
    struct trp_buffer out = trp_buffer_init(&run->memory, room);
    enum trp_status status = trp_yamux_send(run->yamux, run->now, &out);
    TRP_ASSERT(status != TRP_EFULL || (out.size == 0 && room < 13));
    trp_buffer_free(&out);
}

/* The whole window back: as much as the window lacks is what was handed over. */
static void consume(struct run *run, uint32_t id)
{
    uint32_t *slot = live_find(run, id);
    if (slot != NULL) {
        uint32_t *window = &run->window[slot - run->live];
        if (trp_yamux_consumed(run->yamux, id, WINDOW - *window) == TRP_OK) {
            *window = WINDOW;
        }
    }
}

static void call(struct run *run, uint8_t verb, uint8_t argument)
{
    static const uint8_t zeros[4096];
    uint32_t id = run->live[argument % (STREAMS_MAX * 2)];
    size_t used;
    enum trp_status status = TRP_OK;
    switch (verb % 8) {
    case 0:
        if (trp_yamux_open_stream(run->yamux, &id) == TRP_OK) {
            live_add(run, id);
        }
        break;
    case 1:
        status = trp_yamux_write(run->yamux, id, trp_bytes(zeros, 16u * argument), &used);
        break;
    case 2:
        consume(run, id);
        break;
    case 3:
        status = trp_yamux_shutdown(run->yamux, id);
        break;
    case 4:
        if (trp_yamux_reset(run->yamux, id) == TRP_OK) {
            *live_find(run, id) = 0;
        }
        break;
    case 5:
        send(run, argument < 128 ? argument : (size_t)argument << 8);
        break;
    case 6:
        run->now += TRP_S(argument);
        status = trp_yamux_expire(run->yamux, run->now);
        break;
    default:
        if (argument == 255) {
            trp_yamux_go_away(run->yamux, 0);
        }
        run->memory.fail_at = argument % 8;
        break;
    }
    TRP_ASSERT(status != TRP_EINVAL);
    drain(run);
}

/* Receives a run of bytes of the wire, making room in the queues as needed. */
static void receive(struct run *run, struct trp_bytes in)
{
    enum trp_status status = TRP_OK;
    for (uint32_t turn = 0; status == TRP_OK && in.size > 0 && turn < 64; turn++) {
        size_t used = 0;
        status = trp_yamux_recv(run->yamux, run->now, in, &used);
        drain(run);
        TRP_ASSERT(status != TRP_OK || used <= in.size);
        in = trp_bytes_skip(in, status == TRP_OK ? used : 0);
        if (status == TRP_OK && in.size > 0) {
            send(run, 1 << 16);
        }
    }
}

/* Receives a frame that is well formed; of a small stream id, so that streams meet often. */
static void receive_frame(struct run *run, uint8_t op, uint8_t argument)
{
    uint8_t bytes[TRP_YAMUX_HEADER_BYTES + 256] = {0};
    struct trp_yamux_frame frame = {
        .type = op & 3u, .flags = argument & 15u, .stream = argument >> 4, .length = op & 60u};
    trp_yamux_frame_encode(&frame, bytes);
    receive(run, trp_bytes(bytes, TRP_YAMUX_HEADER_BYTES +
                                      (frame.type == TRP_YAMUX_FRAME_DATA ? frame.length : 0)));
}

/* Script: an op byte; 0..63 receives that many of the bytes that follow; 64..191 receives a frame,
 * 192..255 is a call, both made of one more byte. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct run run = {.memory = trp_memory_init(16 << 20)};
    struct trp_yamux_config config = {.initiator = size % 2 == 0,
                                      .streams_max = STREAMS_MAX,
                                      .window_bytes = WINDOW,
                                      .stream_send_bytes = 2048,
                                      .keepalive_ns = TRP_S(30)};
    if (trp_yamux_open(&run.memory, &config, 0, &run.yamux) != TRP_OK) {
        return 0;
    }
    size_t at = 0;
    while (at + 1 < size) {
        uint8_t op = data[at++];
        size_t piece = op < size - at ? op : size - at;
        if (op >= 192) {
            call(&run, op, data[at++]);
        } else if (op >= 64) {
            receive_frame(&run, op, data[at++]);
        } else {
            receive(&run, trp_bytes(data + at, piece));
            at += piece;
        }
        TRP_ASSERT(trp_yamux_streams_count(run.yamux) <= STREAMS_MAX);
    }
    drain(&run);
    trp_yamux_close(run.yamux);
    TRP_ASSERT(run.memory.used_bytes == 0);
    return 0;
}
