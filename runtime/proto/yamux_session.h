/* SPDX-License-Identifier: MIT */
/* proto/yamux_session.h - the inside of a yamux connection, shared by its receiving half, its
 * sending half and its face. Behind proto/yamux.h; of no use to others. */
#ifndef PROTO_YAMUX_SESSION_H
#define PROTO_YAMUX_SESSION_H

#include "proto/yamux.h"
#include "proto/yamux_frame.h"
#include "proto/yamux_stream.h"

#define TRP_YAMUX_EVENTS_MAX  4u /* of recv, waiting for next_event */
#define TRP_YAMUX_REPLIES_MAX 4u /* ping answers and refusals, waiting for send */

/* An answer that belongs to no stream of ours. */
struct trp_yamux_reply {
    bool refusal;   /* RST for a stream that we do not take; else the answer to a ping */
    uint32_t value; /* stream id, or the ping's opaque value */
};

struct trp_yamux {
    struct trp_yamux_config config;
    struct trp_memory *memory;
    enum trp_status failed;
    uint32_t next_id;
    uint32_t ack_awaited_count;
    uint32_t refused_count;

    trp_time heard_at; /* the last bytes of the peer */
    trp_time ping_at;  /* when the awaited ping fell due */
    trp_time answer_ns;
    uint32_t ping_value;
    bool ping_due;
    bool ping_awaited;

    bool goaway_due;
    bool goaway_said; /* we take no more streams */
    bool goaway_seen; /* the peer takes no more */
    uint32_t goaway_code;

    uint8_t header[TRP_YAMUX_HEADER_BYTES]; /* an incomplete one */
    uint32_t header_size;
    uint32_t body_left;   /* bytes of the data frame being read */
    uint32_t body_stream; /* 0: skip them */
    bool body_fin;        /* the frame carried FIN */

    uint32_t events_head, events_count;
    uint32_t replies_head, replies_count;
    struct trp_list control; /* streams, by what they have to send */
    struct trp_list data;
    struct trp_list happened; /* streams with writable_due or finished_due */
    struct trp_yamux_table streams;
    struct trp_yamux_reply replies[TRP_YAMUX_REPLIES_MAX];
    struct trp_yamux_event events[TRP_YAMUX_EVENTS_MAX];
};

/* Ends the connection; send then says so to the peer. Returns the status. */
enum trp_status trp_yamux_fail(struct trp_yamux *y, enum trp_status status);

/* Puts the stream into the lists that its state calls for; due after each change of it. */
void trp_yamux_stream_schedule(struct trp_yamux *y, struct trp_yamux_stream *s);
/* Notes that the peer knows of the stream. */
void trp_yamux_stream_set_acked(struct trp_yamux *y, struct trp_yamux_stream *s);
/* Notes when both directions are closed: nothing is left but to say so. */
void trp_yamux_stream_finish(struct trp_yamux_stream *s);
/* Frees it. */
void trp_yamux_stream_remove(struct trp_yamux *y, struct trp_yamux_stream *s);
/* Finds a stream as callers know it: not one that we have dropped. */
struct trp_yamux_stream *trp_yamux_stream_find(const struct trp_yamux *y, uint32_t id);
/* NULL at a limit or out of memory. */
struct trp_yamux_stream *trp_yamux_stream_make(struct trp_yamux *y, uint32_t id);

#endif
