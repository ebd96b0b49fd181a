/* SPDX-License-Identifier: MIT */
/* node/peers.h - the answer to TRP_CMD_PEERS.
 *
 * A msgpack array of maps: {peer: text, address: text, connected: bool, outbound: bool,
 * bucket: int or nil (in the routing table, that many leading bits in common)}. */
#ifndef NODE_PEERS_H
#define NODE_PEERS_H

#include "base/buffer.h"
#include "behaviour/kad.h"

/* Replaces the content of `out`. TRP_EFULL, TRP_ENOMEM. */
enum trp_status trp_peers_encode(const struct trp_swarm *swarm, const struct trp_kad *kad,
                                 struct trp_buffer *out) TRP_NODISCARD;

#endif
