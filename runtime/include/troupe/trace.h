/* SPDX-License-Identifier: MIT */
/* troupe/trace.h - the stream of typed events: logs, metrics, reports and checks are views of it.
 *
 * Events are declared once in runtime/trace/events.def. Each carries the time, the node, its own
 * sequence number and that of its cause. The rolling hash over all events is the identity of a run;
 * it does not depend on what a sink shows.
 * Threading  A recorder belongs to one thread; the nodes of a simulation share one.
 * Ownership  An event and its slices are borrowed for the call of the sink. */
#ifndef TROUPE_TRACE_H
#define TROUPE_TRACE_H

#include <troupe/base.h>

TRP_EXTERN_C_BEGIN

enum trp_trace_level { TRP_TRACE_ERROR, TRP_TRACE_WARN, TRP_TRACE_INFO, TRP_TRACE_DEBUG };

enum trp_trace_field_type {
    TRP_TRACE_U64,    /* a count, a size, an id */
    TRP_TRACE_I64,    /* signed */
    TRP_TRACE_SPAN,   /* nanoseconds */
    TRP_TRACE_STATUS, /* enum trp_status */
    TRP_TRACE_TEXT,   /* UTF-8 */
    TRP_TRACE_HEX,    /* bytes, shown in hexadecimal */
    TRP_TRACE_PEER    /* binary PeerId */
};

#define TRP_TRACE_FIELDS_MAX 8u

struct trp_trace_field {
    const char *name;
    enum trp_trace_field_type type;
    const char *about;
};

/* One line of the catalogue. */
struct trp_trace_kind {
    uint16_t id; /* fixed for ever */
    const char *name;
    enum trp_trace_level level;
    const char *about;
    uint32_t fields_count;
    struct trp_trace_field fields[TRP_TRACE_FIELDS_MAX];
};

union trp_trace_value {
    uint64_t number;        /* U64, SPAN; I64 and STATUS as two's complement */
    struct trp_bytes bytes; /* TEXT, HEX, PEER */
};

struct trp_trace_event {
    const struct trp_trace_kind *kind;
    uint64_t sequence; /* from 1, without gaps */
    uint64_t cause;    /* sequence of the event it follows from; 0 unknown */
    trp_time time;
    uint32_t node; /* index of the host in a simulation; 0 on a real node */
    union trp_trace_value values[TRP_TRACE_FIELDS_MAX];
};

/* Gives the catalogue entry at `index` in the order of events.def; NULL past the end. */
TRP_API const struct trp_trace_kind *trp_trace_kind_at(uint32_t index);
/* The same by name; NULL. */
TRP_API const struct trp_trace_kind *trp_trace_kind_find(const char *name);

struct trp_trace_sink {
    void (*event)(void *self, const struct trp_trace_event *event);
    void *self;
};

/* Numbers the events, hashes them and passes them to a sink. */
struct trp_recorder {
    struct trp_trace_sink sink; /* event may be NULL */
    uint64_t sequence;          /* of the newest event */
    uint64_t hash[2];
};

/* Makes a recorder without events; `sink` is copied, its `event` may be NULL. */
TRP_API void trp_recorder_init(struct trp_recorder *recorder, struct trp_trace_sink sink);
/* Gives the identity of the run so far: 32 lower-case hexadecimal digits and a NUL. */
TRP_API void trp_recorder_print_hash(const struct trp_recorder *recorder, char ret_text[33]);

/* Writes an event as one line of text without its newline, cut at `room`, NUL-terminated:
 *   12.345678s n7 #812<-790 INFO connection_opened connection=3 peer=12D3KooW… */
TRP_API size_t trp_trace_print(const struct trp_trace_event *event, char *out, size_t room);

TRP_EXTERN_C_END

#endif
