/* SPDX-License-Identifier: MIT */
/* trace/trace.h - emitting events: trp_trace_<name>(trace, &(struct trp_event_<name>){…}).
 *
 * Each emitter is generated from events.def and returns the event's sequence number, which callers
 * keep where something will follow later, and put into `cause` around that. With no recorder, all
 * emitters do nothing and return 0. */
#ifndef TRACE_TRACE_H
#define TRACE_TRACE_H

#include <troupe/peer_id.h>
#include <troupe/trace.h>

/* A node's access to the recorder. */
struct trp_trace {
    struct trp_recorder *recorder; /* NULL: off */
    uint32_t node;
    trp_time now;   /* set once per step */
    uint64_t cause; /* of the events emitted next */
};

#define TRP_TRACE_CTYPE_U64    uint64_t
#define TRP_TRACE_CTYPE_I64    int64_t
#define TRP_TRACE_CTYPE_SPAN   trp_time
#define TRP_TRACE_CTYPE_STATUS enum trp_status
#define TRP_TRACE_CTYPE_TEXT   struct trp_bytes
#define TRP_TRACE_CTYPE_HEX    struct trp_bytes
#define TRP_TRACE_CTYPE_PEER   const struct trp_peer_id * /* NULL: none */

/* struct trp_event_<name>, and uint64_t trp_trace_<name>(trace, event). */
#define EVENT(id, name, level, about) struct trp_event_##name {
#define FIELD(type, name, about)      TRP_TRACE_CTYPE_##type name;
#define END(name)                                                                                  \
    }                                                                                              \
    ;                                                                                              \
    uint64_t trp_trace_##name(struct trp_trace *trace, const struct trp_event_##name *event);
#include "trace/events.def"
#undef EVENT
#undef FIELD
#undef END

#endif
