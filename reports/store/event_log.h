/* SPDX-License-Identifier: MIT */
/* reports/store/event_log.h - trace events as compact records in memory.
 *
 * An event is a run of unsigned LEB128 numbers (signed ones zigzag, texts and bytes as length and
 * content), with time, sequence and cause as differences within one chunk:
 *     kind index | time - previous | sequence - previous | node | 0 or 1 + sequence - cause |
 * values Ownership  The log copies; what a cursor gives borrows until the next append or deinit.
 * Limits     `bytes_max` over all chunks; the oldest chunk makes room for the newest.
 * Failure    An event that finds no memory is counted in `dropped`. */
#ifndef REPORTS_STORE_EVENT_LOG_H
#define REPORTS_STORE_EVENT_LOG_H

#include <troupe/trace.h>

#define EVENT_LOG_VALUE_BYTES_MAX 1024u

struct event_chunk {
    struct event_chunk *next;
    uint32_t size; /* bytes used */
    uint32_t count;
    uint64_t time; /* before its first event */
    uint64_t sequence;
    uint8_t data[];
};

struct event_log {
    struct event_chunk *oldest;
    struct event_chunk *newest;
    uint64_t bytes_max;
    uint64_t bytes; /* of all chunks */
    uint64_t kept;
    uint64_t dropped;
    uint64_t time; /* of the newest event */
    uint64_t sequence;
    uint32_t chunk_bytes;
};

/* A smaller limit is raised to 64 KiB. */
void event_log_init(struct event_log *log, uint64_t bytes_max);
void event_log_deinit(struct event_log *log);
/* Copies an event; its kind must be of the catalogue. */
void event_log_append(struct event_log *log, const struct trp_trace_event *event);

struct event_cursor {
    const struct event_chunk *chunk;
    uint32_t at;
    uint64_t time;
    uint64_t sequence;
};
/* Starts at the oldest event kept. */
struct event_cursor event_log_begin(const struct event_log *log);
/* Gives the next event; false past the newest. */
bool event_log_next(struct event_cursor *cursor, struct trp_trace_event *ret_event);

#endif
