/* SPDX-License-Identifier: MIT */
/* lib/yamux_wire.h - one yamux and a hand that writes its peer's frames and checks its own. */
#ifndef LIB_YAMUX_WIRE_H
#define LIB_YAMUX_WIRE_H

#include "lib/test.h"
#include "proto/yamux.h"
#include "proto/yamux_frame.h"

enum { DATA, WINDOW, PING, GOAWAY };
enum { SYN = 1, ACK = 2, FIN = 4, RST = 8 };

#define KIB      1024u
#define WINDOW_0 (256 * KIB)

struct side {
    struct trp_memory memory;
    struct trp_yamux *yamux;
    struct trp_buffer sent;
};

static const struct trp_yamux_config usual = {
    .initiator = true,
    .streams_max = 8,
    .window_bytes = WINDOW_0,
    .stream_send_bytes = 64 * KIB,
    .keepalive_ns = TRP_S(30),
};

static inline void setup_with(struct side *s, struct trp_yamux_config config)
{
    *s = (struct side){.memory = trp_memory_init(64 << 20)};
    s->sent = trp_buffer_init(&s->memory, 4 << 20);
    assert_status(trp_yamux_open(&s->memory, &config, 0, &s->yamux), TRP_OK);
}

static inline void setup(struct side *s, bool initiator)
{
    struct trp_yamux_config config = usual;
    config.initiator = initiator;
    setup_with(s, config);
}

static inline void teardown(struct side *s)
{
    trp_yamux_close(s->yamux);
    trp_buffer_free(&s->sent);
    assert_int_equal(s->memory.used_bytes, 0);
}

/* ---- golden frames ---- */

struct wire {
    uint8_t bytes[512 * KIB];
    size_t size;
};

static struct wire wire; /* of the test that runs */

static inline struct wire *frame(uint8_t type, uint16_t flags, uint32_t id, uint32_t length)
{
    uint8_t *at = wire.bytes + wire.size;
    at[0] = 0;
    at[1] = type;
    trp_store_be16(at + 2, flags);
    trp_store_be32(at + 4, id);
    trp_store_be32(at + 8, length);
    wire.size += 12;
    return &wire;
}

static inline struct wire *body(size_t size, uint8_t fill)
{
    memset(wire.bytes + wire.size, fill, size);
    wire.size += size;
    return &wire;
}

/* Feeds what was put together, all of which must be used. */
static inline enum trp_status feed(struct side *s)
{
    size_t used = 0;
    enum trp_status status = trp_yamux_recv(s->yamux, 0, trp_bytes(wire.bytes, wire.size), &used);
    assert_true(status != TRP_OK || used == wire.size);
    wire.size = 0;
    return status;
}

/* Asserts that exactly what was put together is sent. */
static inline void assert_sent(struct side *s)
{
    assert_status(trp_yamux_send(s->yamux, 0, &s->sent), TRP_OK);
    assert_false(trp_yamux_has_output(s->yamux));
    assert_int_equal(s->sent.size, wire.size);
    if (wire.size > 0) {
        assert_memory_equal(trp_buffer_view(&s->sent).data, wire.bytes, wire.size);
    }
    trp_buffer_free(&s->sent);
    wire.size = 0;
}

static inline struct trp_yamux_event next(struct side *s)
{
    struct trp_yamux_event event = {.kind = TRP_YAMUX_GOAWAY, .stream = UINT32_MAX};
    assert_true(trp_yamux_next_event(s->yamux, &event));
    return event;
}

static inline void assert_event(struct side *s, enum trp_yamux_kind kind, uint32_t stream)
{
    struct trp_yamux_event event = next(s);
    assert_int_equal(event.kind, kind);
    assert_int_equal(event.stream, stream);
}

static inline void assert_data(struct side *s, uint32_t stream, size_t size)
{
    struct trp_yamux_event event = next(s);
    assert_int_equal(event.kind, TRP_YAMUX_DATA);
    assert_int_equal(event.stream, stream);
    assert_int_equal(event.data.size, size);
}

static inline void assert_silent(struct side *s)
{
    struct trp_yamux_event event;
    assert_false(trp_yamux_next_event(s->yamux, &event));
}

static inline uint32_t open_stream(struct side *s)
{
    uint32_t id = 0;
    assert_status(trp_yamux_open_stream(s->yamux, &id), TRP_OK);
    return id;
}

static inline size_t write_bytes(struct side *s, uint32_t id, size_t size, uint8_t fill)
{
    static uint8_t bytes[512 * KIB];
    size_t used = 0;
    memset(bytes, fill, size);
    enum trp_status status = trp_yamux_write(s->yamux, id, trp_bytes(bytes, size), &used);
    assert_true(status == TRP_OK || status == TRP_EAGAIN);
    return used;
}

#endif
