/* SPDX-License-Identifier: MIT */
/* behaviour/identify.h - who we are, what we speak, where we listen; and the same of every peer.
 *
 * Spec       libp2p/specs identify/README.md (identify and identify push), RFC 0002 and 0003
 *            (signed peer records, with the domain and type that go and js use).
 * Policy     Asks on every new connection. Pushes to connected peers that accept it when our
 *            addresses or protocols change. A peer's addresses count only if it says them itself;
 *            its public key must be the one it proved on the connection.
 * Limits     Our message stays below 4096 bytes (rust-libp2p reads no more); at most 10 messages of
 *            8 KiB are read from a peer. */
#ifndef BEHAVIOUR_IDENTIFY_H
#define BEHAVIOUR_IDENTIFY_H

#include "base/memory.h"
#include "crypto/keys.h"
#include "crypto/signature_memo.h"
#include "trace/trace.h"

#include <troupe/swarm.h>

#define TRP_PROTOCOL_IDENTIFY      "/ipfs/id/1.0.0"
#define TRP_PROTOCOL_IDENTIFY_PUSH "/ipfs/id/push/1.0.0"
#define TRP_IDENTIFY_VERSION       "/troupe/1.0.0" /* our protocolVersion */

struct trp_identify;

struct trp_identify_config {
    struct trp_memory *memory; /* borrowed, as all pointers here */
    struct trp_trace *trace;
    const struct trp_keypair *identity;
    struct trp_signature_memo *memo; /* of peers' signatures; NULL: none */
    const char *agent;
    uint64_t unix_offset_ns; /* added to the swarm's time: wall clock, the sequence of our record */
};

enum trp_status trp_identify_open(const struct trp_identify_config *config,
                                  struct trp_identify **ret_identify) TRP_NODISCARD;
void trp_identify_close(struct trp_identify *identify);
struct trp_behaviour trp_identify_behaviour(struct trp_identify *identify);

#endif
