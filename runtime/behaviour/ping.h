/* SPDX-License-Identifier: MIT */
/* behaviour/ping.h - is a peer alive? Echoes for everybody, asks where somebody depends on it.
 *
 * Spec       libp2p/specs ping/ping.md: 32 bytes, echoed, again and again on one stream.
 * Policy     Only watched peers are pinged. A ping unanswered for ping_timeout_ns closes its
 *            connection with TRP_ETIMEDOUT; a stream that ends, or is refused, is not a failed ping
 *            (go limits their life to 30 s; Kameo does not speak the protocol).
 * Limits     ping_interval_ns, ping_timeout_ns; two inbound streams per connection. */
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

enum trp_status trp_ping_open(const struct trp_ping_config *config,
                              struct trp_ping **ret_ping) TRP_NODISCARD;
void trp_ping_close(struct trp_ping *ping);
struct trp_behaviour trp_ping_behaviour(struct trp_ping *ping);

/* Counts who depends on a peer: +1 or -1. While the count is positive its connections are pinged.
 * TRP_ENOMEM: it is not watched. */
enum trp_status trp_ping_watch(struct trp_ping *ping, const struct trp_peer_id *peer,
                               int32_t change) TRP_NODISCARD;

#endif
