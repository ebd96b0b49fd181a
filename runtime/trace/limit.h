/* SPDX-License-Identifier: MIT */
/* trace/limit.h - saying that a bound was reached, but at most once a second. */
#ifndef TRACE_LIMIT_H
#define TRACE_LIMIT_H

#include "trace/trace.h"

#define TRP_LIMIT_AGAIN_AFTER_NS TRP_S(1)

/* When it was last said; zeroed: never. */
struct trp_limit_mark {
    bool said;
    trp_time said_at;
};

/* Traces limit_reached, unless it was said within the last second. */
static inline void trp_limit_say(struct trp_limit_mark *mark, struct trp_trace *trace,
                                 const char *name, uint64_t value)
{
    if (mark->said && trace->now < trp_time_after(mark->said_at, TRP_LIMIT_AGAIN_AFTER_NS)) {
        return;
    }
    *mark = (struct trp_limit_mark){.said = true, .said_at = trace->now};
    trp_trace_limit_reached(
        trace, &(struct trp_event_limit_reached){.limit = trp_bytes_text(name), .value = value});
}

#endif
