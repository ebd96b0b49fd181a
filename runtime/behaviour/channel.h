/* SPDX-License-Identifier: MIT */
/* behaviour/channel.h - asks and tells to peers that speak our own protocol: one long-lived stream
 * for each peer and direction.
 *
 * A channel is opened with the first message to a peer that is known to speak the protocol, and
 * closed when it has not been used for a while. What is sent in one turn leaves as one write.
 * Messages to one peer arrive in the order of their sending; a tell that nobody waits for costs no
 * answer. A peer that turns out not to take the protocol gives the messages back, unread.
 * Spec       wire/channel_frame.h.
 * Ownership  What is sent is copied; what an event points to is borrowed until the next call of
 *            next_event.
 * Limits     channel_send_bytes, request_bytes, response_bytes, request_timeout_ns. Of a peer's
 *            requests at most requests_per_connection are unanswered at once, and at most
 *            requests_waiting_per_peer tells wait for room; then its stream is read no further.
 *            Bytes held of a peer are charged to its account (behaviour/account.h), and
 *            credit is withheld as there.
 * Outcome    As of troupe/messaging.h. */
#ifndef BEHAVIOUR_CHANNEL_H
#define BEHAVIOUR_CHANNEL_H

#include "base/memory.h"
#include "behaviour/account.h"
#include "trace/trace.h"

#include <troupe/messaging.h>

#define TRP_CHANNEL_ID_BIT (1ull << 31) /* of our ids: no slab has so many slots */

struct trp_channels;

struct trp_channels_config {
    struct trp_memory *memory; /* borrowed, as all pointers here */
    struct trp_trace *trace;   /* NULL: the swarm's */
    struct trp_accounts *accounts;
    void (*ready)(void *user); /* there are events; NULL: they are asked for */
    void *user;
};

enum trp_status trp_channels_open(const struct trp_channels_config *config,
                                  struct trp_channels **ret_channels) TRP_NODISCARD;
void trp_channels_close(struct trp_channels *channels);
/* Without a swarm every peer is one that does not speak the protocol. */
struct trp_behaviour trp_channels_behaviour(struct trp_channels *channels);

/* Says whether an id is one of ours. */
static inline bool trp_channels_owns(uint64_t id)
{
    return (id & TRP_CHANNEL_ID_BIT) != 0;
}

/* Sends an ASK, or a TELL with an outcome. TRP_EUNSUPPORTED: the peer is not known to speak the
 * protocol. TRP_ETOOBIG, TRP_EFULL, TRP_ENOMEM. */
enum trp_status trp_channels_send(struct trp_channels *channels,
                                  const struct trp_request_envelope *request,
                                  const struct trp_messaging_options *options,
                                  uint64_t *ret_id) TRP_NODISCARD;
/* Sends a TELL of which nothing will be heard. The same statuses. */
enum trp_status trp_channels_tell(struct trp_channels *channels,
                                  const struct trp_request_envelope *request) TRP_NODISCARD;
/* Ends a request of ours without an event; false when it is not here. */
bool trp_channels_cancel(struct trp_channels *channels, uint64_t id);
/* Counts our requests without an outcome. */
uint32_t trp_channels_pending(const struct trp_channels *channels);

/* Answers a request of a peer. TRP_ENOTFOUND when the asker is gone; TRP_ETOOBIG, TRP_EINVAL,
 * TRP_ENOMEM: nothing was said. */
enum trp_status trp_channels_answer(struct trp_channels *channels, uint64_t id,
                                    const struct trp_response_envelope *response) TRP_NODISCARD;
/* Says that there will be no answer. */
void trp_channels_drop(struct trp_channels *channels, uint64_t id);

/* Gives the next event. The id of a request that is 0 takes no answer. */
bool trp_channels_next_event(struct trp_channels *channels, struct trp_messaging_event *ret_event);
/* Has the next call of next_event give the last event, a request, once more, with another id; false
 * when it is none of ours. */
bool trp_channels_again(struct trp_channels *channels);
/* Counts the last event, a request without an id, among the unanswered ones; answering it ends
 * that, and says nothing. Gives its id. TRP_EFULL, TRP_ENOMEM. */
enum trp_status trp_channels_keep(struct trp_channels *channels, uint64_t *ret_id) TRP_NODISCARD;

/* A message of ours that a peer refused unread, with all of its protocol. */
struct trp_channel_refused {
    struct trp_request_envelope request; /* borrowed until the next call */
    struct trp_messaging_options options;
    uint64_t id; /* as send gave it; 0: of tell */
};
bool trp_channels_next_refused(struct trp_channels *channels,
                               struct trp_channel_refused *ret_refused);

#endif
