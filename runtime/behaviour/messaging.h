/* SPDX-License-Identifier: MIT */
/* behaviour/messaging.h - the inside face of troupe/messaging.h: for a node, which has memory and a
 * trace of its own and asks for events when it is its turn. */
#ifndef BEHAVIOUR_MESSAGING_H
#define BEHAVIOUR_MESSAGING_H

#include "base/memory.h"
#include "trace/trace.h"

#include <troupe/messaging.h>

struct trp_messaging_parts {
    struct trp_memory *memory; /* borrowed, as all pointers here; NULL: of its own */
    struct trp_trace *trace;   /* NULL: the swarm's */
};

/* As trp_messaging_open; without on_event, events wait for trp_messaging_next_event. */
enum trp_status trp_messaging_open_with(const struct trp_messaging_config *config,
                                        const struct trp_messaging_parts *parts,
                                        struct trp_messaging **ret_messaging) TRP_NODISCARD;
/* Gives the next event; what it points to is borrowed until the next call. */
bool trp_messaging_next_event(struct trp_messaging *messaging,
                              struct trp_messaging_event *ret_event);

#endif
