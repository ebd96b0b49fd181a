/* SPDX-License-Identifier: MIT */
/* node/saved.h - what a node keeps between two lives: peers it could reach, and where.
 *
 * Wire       u8 version (1), then per peer: u8 id size, id, u8 addresses, and per address u8 size,
 *            bytes.
 * Limits     TRP_SAVED_PEERS_MAX peers with TRP_SAVED_ADDRESSES_MAX addresses each.
 * Failure    Bytes that do not decode are TRP_EMALFORMED: the node starts without them. */
#ifndef NODE_SAVED_H
#define NODE_SAVED_H

#include "base/buffer.h"

#include <troupe/multiaddr.h>
#include <troupe/peer_id.h>

#define TRP_SAVED_PEERS_MAX     16u
#define TRP_SAVED_ADDRESSES_MAX 2u
#define TRP_SAVED_BYTES_MAX     16384u

struct trp_saved_peer {
    struct trp_peer_id peer;
    uint32_t addresses_count;
    struct trp_multiaddr addresses[TRP_SAVED_ADDRESSES_MAX];
};

/* Appends the version; then one call per peer. */
enum trp_status trp_saved_begin(struct trp_buffer *out) TRP_NODISCARD;
enum trp_status trp_saved_put(struct trp_buffer *out,
                              const struct trp_saved_peer *peer) TRP_NODISCARD;
/* Reads the next peer; start with *at = 0. TRP_ENOTFOUND at the end, TRP_EMALFORMED. */
enum trp_status trp_saved_next(struct trp_bytes in, size_t *at,
                               struct trp_saved_peer *ret_peer) TRP_NODISCARD;

#endif
