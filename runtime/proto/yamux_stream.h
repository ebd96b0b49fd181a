/* SPDX-License-Identifier: MIT */
/* proto/yamux_stream.h - one yamux stream, and the table of a connection's streams by id.
 *
 * The table is sorted by id, so that a lookup costs a binary search whatever ids a peer chooses.
 * Ownership  The table owns its streams. */
#ifndef PROTO_YAMUX_STREAM_H
#define PROTO_YAMUX_STREAM_H

#include "base/buffer.h"
#include "base/list.h"

struct trp_yamux_stream {
    uint64_t user; /* the caller's number for it */
    uint32_t id;
    uint32_t tx_window; /* bytes that the peer still takes */
    uint32_t rx_window; /* bytes that the peer may still send */
    uint32_t rx_owed;   /* consumed and not yet given back to the peer's window */
    bool syn_due;       /* our first frame is to carry SYN */
    bool ack_due;       /* ... ACK */
    bool ack_awaited;   /* ours, and nothing of it came from the peer yet */
    bool fin_due;       /* shut down; FIN follows the last byte of tx */
    bool fin_sent;
    bool fin_seen;     /* after the last byte was handed over */
    bool rst_due;      /* dropped by us; remains until RST is sent, invisible to callers */
    bool write_short;  /* a write was cut short: WRITABLE is owed when there is room */
    bool writable_due; /* events of the stream that wait for next_event */
    bool finished_due;
    struct trp_list_link control_link; /* has a frame without data to send */
    struct trp_list_link data_link;    /* has data to send, and window for it */
    struct trp_list_link event_link;   /* writable_due or finished_due */
    struct trp_buffer tx;
};

struct trp_yamux_table {
    struct trp_memory *memory;
    struct trp_yamux_entry *entries; /* ascending ids */
    uint32_t count;
    uint32_t capacity;
};

struct trp_yamux_entry {
    uint32_t id;
    struct trp_yamux_stream *stream;
};

static inline struct trp_yamux_table trp_yamux_table_init(struct trp_memory *memory)
{
    return (struct trp_yamux_table){.memory = memory};
}

/* Frees every stream, then the table. */
void trp_yamux_table_deinit(struct trp_yamux_table *table);
/* NULL when there is none. */
struct trp_yamux_stream *trp_yamux_table_find(const struct trp_yamux_table *table, uint32_t id);
/* Makes a stream of an id that is not there: zeroed but for its id and send buffer. NULL when out
 * of memory. */
struct trp_yamux_stream *trp_yamux_table_insert(struct trp_yamux_table *table, uint32_t id,
                                                uint32_t send_bytes_max);
/* Unlinks and frees a stream of the table. */
void trp_yamux_table_remove(struct trp_yamux_table *table, struct trp_yamux_stream *stream);

#endif
