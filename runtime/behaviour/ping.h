/* SPDX-License-Identifier: MIT */
/* behaviour/ping.h - how far is a peer? Echoes for everybody, asks when told to.
 *
 * Spec       libp2p/specs ping/ping.md: 32 bytes, echoed, again and again on one stream. Ours carry
 *            one ping each.
 * Limits     ping_timeout_ns, requests_waiting_per_peer (pings of ours); two inbound streams per
 *            connection.
 * Outcome    Every ping sent has exactly one event. */
#ifndef BEHAVIOUR_PING_H
#define BEHAVIOUR_PING_H

#include "base/memory.h"
#include "trace/trace.h"

#include <troupe/swarm.h>

#define TRP_PROTOCOL_PING "/ipfs/ping/1.0.0"

struct trp_ping;

struct trp_ping_config {
    struct trp_memory *memory; /* borrowed */
    struct trp_trace *trace;   /* borrowed */
    uint64_t seed;             /* of the payloads' keyed draws */
};

struct trp_ping_event {
    enum trp_status status; /* TRP_OK; TRP_ENEGOTIATION: it does not speak ping; TRP_EVIOLATION: it
                               echoed something else; TRP_ETIMEDOUT, a dial's status, … */
    uint64_t token;
    trp_time round_trip_ns; /* TRP_OK: from writing to reading */
};

enum trp_status trp_ping_open(const struct trp_ping_config *config,
                              struct trp_ping **ret_ping) TRP_NODISCARD;
void trp_ping_close(struct trp_ping *ping);
struct trp_behaviour trp_ping_behaviour(struct trp_ping *ping);

/* Pings a peer, dialing it when need be. TRP_EINVAL (ourselves), TRP_EFULL, TRP_ENOMEM: no event
 * will come. */
enum trp_status trp_ping_send(struct trp_ping *ping, const struct trp_peer_id *peer,
                              uint64_t token) TRP_NODISCARD;
bool trp_ping_next_event(struct trp_ping *ping, struct trp_ping_event *ret_event);

#endif
