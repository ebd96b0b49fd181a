/* SPDX-License-Identifier: MIT */
/* proto/multistream.h - agreeing on the protocol of a connection or stream.
 *
 * Spec       multiformats/multistream-select; libp2p/specs connections/README.md
 * Purity     No I/O, clock, randomness, callback.
 * Driving    recv while it uses bytes, send after every call, outcome after every recv. Bytes that
 *            recv leaves unused belong to the agreed protocol.
 * Limits     Tokens of at most 1024 bytes; at most 64 refused proposals from a peer.
 * Failure    Final and sticky, apart from TRP_EAGAIN. */
#ifndef PROTO_MULTISTREAM_H
#define PROTO_MULTISTREAM_H

#include "base/buffer.h"

#define TRP_MULTISTREAM_TOKEN_MAX 1024u

struct trp_multistream_config {
    bool initiator; /* proposes; else answers proposals */
    bool lazy;      /* initiator of one protocol: agreed as soon as proposed (0-RTT) */
    const char *const *protocols; /* proposed in this order, or accepted; borrowed for its life */
    uint32_t protocols_count;
};

struct trp_multistream {
    struct trp_multistream_config config;
    struct trp_buffer rx; /* an incomplete token */
    struct trp_buffer tx;
    enum trp_status outcome;
    uint32_t agreed;   /* index into protocols */
    uint32_t proposal; /* initiator: the one on the wire */
    uint32_t refused;
    bool header_seen;
    bool echo_awaited; /* lazy: agreed, but the peer's answer is still to be read */
};

void trp_multistream_init(struct trp_multistream *ms, struct trp_memory *memory,
                          const struct trp_multistream_config *config);
void trp_multistream_deinit(struct trp_multistream *ms);
/* Reads up to the end of the negotiation. TRP_EMALFORMED, TRP_ETOOBIG, TRP_ENEGOTIATION,
 * TRP_ENOMEM. */
enum trp_status trp_multistream_recv(struct trp_multistream *ms, struct trp_bytes in,
                                     size_t *ret_used) TRP_NODISCARD;
/* Appends what is to be sent. TRP_EFULL keeps it for later. */
enum trp_status trp_multistream_send(struct trp_multistream *ms,
                                     struct trp_buffer *out) TRP_NODISCARD;
/* TRP_OK: agreed, *ret_protocol is the index (may already be so while echo_awaited);
 * TRP_EAGAIN: under way; else the failure. */
enum trp_status trp_multistream_outcome(const struct trp_multistream *ms,
                                        uint32_t *ret_protocol) TRP_NODISCARD;
/* True once nothing more of the negotiation is to be read. */
bool trp_multistream_is_read(const struct trp_multistream *ms);

#endif
