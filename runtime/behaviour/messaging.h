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

/* Sends a TELL of which nothing will be heard. TRP_EUNSUPPORTED: that is not to be had of this
 * peer, and trp_messaging_send does it. Else as there. */
enum trp_status trp_messaging_tell(struct trp_messaging *messaging,
                                   const struct trp_request_envelope *request) TRP_NODISCARD;
/* Has the next call of next_event give the last event, a request, once more, with another id; false
 * when that cannot be, as by Kameo's protocol. */
bool trp_messaging_again(struct trp_messaging *messaging);
/* Counts the last event, a request without an id, among those of its peer that are unanswered,
 * until it is answered. Gives its id. TRP_EFULL, TRP_ENOMEM. */
enum trp_status trp_messaging_keep(struct trp_messaging *messaging, uint64_t *ret_id) TRP_NODISCARD;

#endif
