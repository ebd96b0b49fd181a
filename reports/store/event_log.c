/* SPDX-License-Identifier: MIT */
#include "reports/store/event_log.h"

#include "base/assert.h"

#include <stdlib.h>

#define NUMBER_BYTES_MAX 10u
#define EVENT_BYTES_MAX                                                                            \
    (5u * NUMBER_BYTES_MAX + TRP_TRACE_FIELDS_MAX * (NUMBER_BYTES_MAX + EVENT_LOG_VALUE_BYTES_MAX))
#define CHUNK_BYTES   (1u << 20)
#define LOG_BYTES_MIN (1u << 16)
/* The share of the log that goes when its oldest chunk makes room. */
#define CHUNKS_WANTED 4u
_Static_assert(LOG_BYTES_MIN / CHUNKS_WANTED > EVENT_BYTES_MAX, "a chunk must hold any event");

static uint8_t *put_number(uint8_t *at, uint64_t number)
{
    while (number >= 0x80) {
        *at++ = (uint8_t)(number | 0x80u);
        number >>= 7;
    }
    *at++ = (uint8_t)number;
    return at;
}

static uint64_t take_number(const uint8_t **at)
{
    uint64_t number = 0;
    uint32_t shift = 0;
    while (**at & 0x80u) {
        number |= (uint64_t)(*(*at)++ & 0x7fu) << shift;
        shift += 7;
    }
    return number | (uint64_t) * (*at)++ << shift;
}

static uint64_t zigzag(uint64_t number)
{
    return number << 1 ^ (0 - (number >> 63));
}

static uint64_t unzigzag(uint64_t number)
{
    return number >> 1 ^ (0 - (number & 1));
}

static uint32_t kind_index(const struct trp_trace_kind *kind)
{
    const struct trp_trace_kind *first = trp_trace_kind_at(0);
    TRP_ASSERT(kind >= first);
    uint32_t index = (uint32_t)(kind - first);
    TRP_ASSERT(trp_trace_kind_at(index) == kind);
    return index;
}

static bool is_bytes(enum trp_trace_field_type type)
{
    return type == TRP_TRACE_TEXT || type == TRP_TRACE_HEX || type == TRP_TRACE_PEER;
}

static bool is_signed(enum trp_trace_field_type type)
{
    return type == TRP_TRACE_I64 || type == TRP_TRACE_STATUS;
}

static uint8_t *put_values(uint8_t *at, const struct trp_trace_event *event)
{
    for (uint32_t i = 0; i < event->kind->fields_count; i++) {
        const union trp_trace_value *value = &event->values[i];
        if (is_bytes(event->kind->fields[i].type)) {
            size_t size = value->bytes.size;
            size = size < EVENT_LOG_VALUE_BYTES_MAX ? size : EVENT_LOG_VALUE_BYTES_MAX;
            at = put_number(at, size);
            if (size > 0) {
                memcpy(at, value->bytes.data, size);
            }
            at += size;
        } else if (is_signed(event->kind->fields[i].type)) {
            at = put_number(at, zigzag(value->number));
        } else {
            at = put_number(at, value->number);
        }
    }
    return at;
}

void event_log_init(struct event_log *log, uint64_t bytes_max)
{
    bytes_max = bytes_max < LOG_BYTES_MIN ? LOG_BYTES_MIN : bytes_max;
    uint64_t chunk = bytes_max / CHUNKS_WANTED;
    *log = (struct event_log){.bytes_max = bytes_max,
                              .chunk_bytes = chunk < CHUNK_BYTES ? (uint32_t)chunk : CHUNK_BYTES};
}

static void drop_oldest(struct event_log *log)
{
    struct event_chunk *chunk = log->oldest;
    log->oldest = chunk->next;
    if (log->oldest == NULL) {
        log->newest = NULL;
    }
    log->bytes -= log->chunk_bytes;
    log->kept -= chunk->count;
    log->dropped += chunk->count;
    free(chunk);
}

void event_log_deinit(struct event_log *log)
{
    while (log->oldest != NULL) {
        drop_oldest(log);
    }
}

/* Adds an empty chunk; NULL without memory. */
static struct event_chunk *add_chunk(struct event_log *log)
{
    while (log->oldest != NULL && log->bytes + log->chunk_bytes > log->bytes_max) {
        drop_oldest(log);
    }
    struct event_chunk *chunk = malloc(sizeof *chunk + log->chunk_bytes);
    if (chunk == NULL) {
        return NULL;
    }
    *chunk = (struct event_chunk){.time = log->time, .sequence = log->sequence};
    if (log->newest == NULL) {
        log->oldest = chunk;
    } else {
        log->newest->next = chunk;
    }
    log->newest = chunk;
    log->bytes += log->chunk_bytes;
    return chunk;
}

void event_log_append(struct event_log *log, const struct trp_trace_event *event)
{
    struct event_chunk *chunk = log->newest;
    if (chunk == NULL || log->chunk_bytes - chunk->size < EVENT_BYTES_MAX) {
        chunk = add_chunk(log);
    }
    if (chunk == NULL) {
        log->dropped++;
        return;
    }
    uint8_t *start = chunk->data + chunk->size;
    uint8_t *at = put_number(start, kind_index(event->kind));
    at = put_number(at, zigzag(event->time - log->time));
    at = put_number(at, zigzag(event->sequence - log->sequence));
    at = put_number(at, event->node);
    at = put_number(at, event->cause == 0 ? 0 : 1 + zigzag(event->sequence - event->cause));
    at = put_values(at, event);
    chunk->size += (uint32_t)(at - start);
    chunk->count++;
    log->time = event->time;
    log->sequence = event->sequence;
    log->kept++;
}

struct event_cursor event_log_begin(const struct event_log *log)
{
    struct event_cursor cursor = {.chunk = log->oldest};
    if (cursor.chunk != NULL) {
        cursor.time = cursor.chunk->time;
        cursor.sequence = cursor.chunk->sequence;
    }
    return cursor;
}

static void take_values(const uint8_t **at, struct trp_trace_event *event)
{
    for (uint32_t i = 0; i < event->kind->fields_count; i++) {
        uint64_t number = take_number(at);
        if (is_bytes(event->kind->fields[i].type)) {
            event->values[i].bytes = trp_bytes(*at, (size_t)number);
            *at += number;
        } else {
            bool signed_ = is_signed(event->kind->fields[i].type);
            event->values[i].number = signed_ ? unzigzag(number) : number;
        }
    }
}

bool event_log_next(struct event_cursor *cursor, struct trp_trace_event *ret_event)
{
    while (cursor->chunk != NULL && cursor->at >= cursor->chunk->size) {
        cursor->chunk = cursor->chunk->next;
        cursor->at = 0;
    }
    if (cursor->chunk == NULL) {
        return false;
    }
    if (cursor->at == 0) {
        cursor->time = cursor->chunk->time;
        cursor->sequence = cursor->chunk->sequence;
    }
    const uint8_t *at = cursor->chunk->data + cursor->at;
    *ret_event = (struct trp_trace_event){.kind = trp_trace_kind_at((uint32_t)take_number(&at))};
    cursor->time += unzigzag(take_number(&at));
    cursor->sequence += unzigzag(take_number(&at));
    ret_event->time = cursor->time;
    ret_event->sequence = cursor->sequence;
    ret_event->node = (uint32_t)take_number(&at);
    uint64_t cause = take_number(&at);
    ret_event->cause = cause == 0 ? 0 : cursor->sequence - unzigzag(cause - 1);
    take_values(&at, ret_event);
    cursor->at = (uint32_t)(at - cursor->chunk->data);
    return true;
}
