/* SPDX-License-Identifier: MIT */
#include "trace/trace.h"

#include "base/rolling_hash.h"

/* One expansion of events.def each: the index of a kind, how many fields it has, its entry. */
enum kind_index {
#define EVENT(id, name, level, about) KIND_##name,
#define FIELD(type, name, about)
#define END(name)
#include "trace/events.def"
#undef EVENT
#undef FIELD
#undef END
    KINDS_COUNT
};

#define EVENT(id, name, level, about) enum { FIELDS_OF_##name = 0
#define FIELD(type, name, about)      +1
#define END(name)                                                                                  \
    }                                                                                              \
    ;                                                                                              \
    _Static_assert(FIELDS_OF_##name <= TRP_TRACE_FIELDS_MAX, "too many fields");
#include "trace/events.def"
#undef EVENT
#undef FIELD
#undef END

static const struct trp_trace_kind kinds[KINDS_COUNT] = {
#define EVENT(id_, name_, level_, about_)                                                          \
    {                                                                                              \
        .id = (id_), .name = #name_, .level = TRP_TRACE_##level_, .about = (about_),               \
        .fields_count = FIELDS_OF_##name_, .fields = {
#define FIELD(type_, name_, about_) {.name = #name_, .type = TRP_TRACE_##type_, .about = (about_)},
#define END(name_)                                                                                 \
    }                                                                                              \
    }                                                                                              \
    ,
#include "trace/events.def"
#undef EVENT
#undef FIELD
#undef END
};

const struct trp_trace_kind *trp_trace_kind_at(uint32_t index)
{
    return index < KINDS_COUNT ? &kinds[index] : NULL;
}

const struct trp_trace_kind *trp_trace_kind_find(const char *name)
{
    for (uint32_t i = 0; i < KINDS_COUNT; i++) {
        if (strcmp(kinds[i].name, name) == 0) {
            return &kinds[i];
        }
    }
    return NULL;
}

void trp_recorder_init(struct trp_recorder *recorder, struct trp_trace_sink sink)
{
    *recorder = (struct trp_recorder){.sink = sink};
    trp_hash_init(recorder->hash);
}

void trp_recorder_print_hash(const struct trp_recorder *recorder, char ret_text[33])
{
    static const char digits[] = "0123456789abcdef";
    for (uint32_t i = 0; i < 32; i++) {
        uint64_t word = recorder->hash[i / 16];
        ret_text[i] = digits[word >> (60u - 4u * (i % 16)) & 15u];
    }
    ret_text[32] = '\0';
}

static bool field_is_bytes(enum trp_trace_field_type type)
{
    return type == TRP_TRACE_TEXT || type == TRP_TRACE_HEX || type == TRP_TRACE_PEER;
}

static uint64_t record(struct trp_trace *trace, enum kind_index index,
                       const union trp_trace_value *values)
{
    struct trp_recorder *recorder = trace->recorder;
    const struct trp_trace_kind *kind = &kinds[index];
    struct trp_trace_event event = {.kind = kind,
                                    .sequence = ++recorder->sequence,
                                    .cause = trace->cause,
                                    .time = trace->now,
                                    .node = trace->node};
    trp_hash_u64(recorder->hash, event.time);
    trp_hash_u64(recorder->hash, (uint64_t)kind->id << 32 | event.node);
    trp_hash_u64(recorder->hash, event.cause);
    for (uint32_t i = 0; i < kind->fields_count; i++) {
        event.values[i] = values[i];
        if (field_is_bytes(kind->fields[i].type)) {
            trp_hash_bytes(recorder->hash, values[i].bytes);
        } else {
            trp_hash_u64(recorder->hash, values[i].number);
        }
    }
    if (recorder->sink.event != NULL) {
        recorder->sink.event(recorder->sink.self, &event);
    }
    return event.sequence;
}

/* The catalogue need not use every type of field. */
#define UNUSED __attribute__((unused))

UNUSED static inline union trp_trace_value value_U64(uint64_t value)
{
    return (union trp_trace_value){.number = value};
}

UNUSED static inline union trp_trace_value value_I64(int64_t value)
{
    return (union trp_trace_value){.number = (uint64_t)value};
}

UNUSED static inline union trp_trace_value value_SPAN(trp_time value)
{
    return (union trp_trace_value){.number = value};
}

UNUSED static inline union trp_trace_value value_STATUS(enum trp_status value)
{
    return (union trp_trace_value){.number = (uint64_t)(int64_t)value};
}

UNUSED static inline union trp_trace_value value_TEXT(struct trp_bytes value)
{
    return (union trp_trace_value){.bytes = value};
}

UNUSED static inline union trp_trace_value value_HEX(struct trp_bytes value)
{
    return (union trp_trace_value){.bytes = value};
}

UNUSED static inline union trp_trace_value value_PEER(const struct trp_peer_id *value)
{
    struct trp_bytes bytes = value == NULL ? TRP_BYTES_NONE : trp_peer_id_bytes(value);
    return (union trp_trace_value){.bytes = bytes};
}

#define EVENT(id, name_, level, about)                                                             \
    uint64_t trp_trace_##name_(struct trp_trace *trace, const struct trp_event_##name_ *event)     \
    {                                                                                              \
        if (trace->recorder == NULL) {                                                             \
            return 0;                                                                              \
        }                                                                                          \
        enum kind_index index = KIND_##name_;                                                      \
        const union trp_trace_value values[] = {
#define FIELD(type, name, about) value_##type(event->name),
#define END(name)                                                                                  \
    }                                                                                              \
    ;                                                                                              \
    return record(trace, index, values);                                                           \
    }
#include "trace/events.def"
#undef EVENT
#undef FIELD
#undef END
