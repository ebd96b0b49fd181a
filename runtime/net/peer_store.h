/* SPDX-License-Identifier: MIT */
/* net/peer_store.h - what is known about where peers can be reached.
 *
 * Per peer, addresses with the sources that named them, in one packed block. A better source takes
 * the place of a worse one when the peer's table is full; addresses named by the user are never
 * dropped. When there are too many peers, the one that was of use longest ago goes, unless it is
 * kept or the user named it.
 * Limits     peers_known, addresses_per_peer.
 * Ownership  Copies addresses in and out. */
#ifndef NET_PEER_STORE_H
#define NET_PEER_STORE_H

#include "base/index.h"
#include "base/list.h"
#include "base/slab.h"

#include <troupe/multiaddr.h>
#include <troupe/swarm.h>

struct trp_peer_store {
    struct trp_memory *memory;
    uint32_t addresses_max;
    struct trp_slab slab;
    struct trp_index peers; /* by PeerId */
    struct trp_list by_use; /* longest ago first; without those that stay */
};

void trp_peer_store_init(struct trp_peer_store *store, struct trp_memory *memory,
                         uint32_t peers_max, uint32_t addresses_max);
void trp_peer_store_deinit(struct trp_peer_store *store);
/* Remembers an address, which must have no /p2p part. TRP_EFULL: no peer can make way, or the
 * peer's addresses are all better; TRP_ENOMEM. */
enum trp_status trp_peer_store_insert(struct trp_peer_store *store, const struct trp_peer_id *peer,
                                      const struct trp_multiaddr *address,
                                      enum trp_address_source source) TRP_NODISCARD;
/* Puts an address that could not be reached behind the peer's others. */
void trp_peer_store_demote(struct trp_peer_store *store, const struct trp_peer_id *peer,
                           const struct trp_multiaddr *address);
/* Takes back what a source said. An address of no source is dropped, and a peer without one. */
void trp_peer_store_forget(struct trp_peer_store *store, const struct trp_peer_id *peer,
                           const struct trp_multiaddr *address, enum trp_address_source source);
/* Notes that the peer is of use now. */
void trp_peer_store_touch(struct trp_peer_store *store, const struct trp_peer_id *peer);
/* Keeps a peer that is known however many others come, or lets it make way again. */
void trp_peer_store_keep(struct trp_peer_store *store, const struct trp_peer_id *peer, bool keep);
/* Copies at most `max` addresses, best first; returns how many. */
uint32_t trp_peer_store_addresses(const struct trp_peer_store *store,
                                  const struct trp_peer_id *peer,
                                  struct trp_multiaddr *ret_addresses, uint32_t max);

#endif
