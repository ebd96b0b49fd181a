/* SPDX-License-Identifier: MIT */
/* proto/mdns/cache.h - the addresses of peers that were heard of, each until its time is over.
 *
 * An address is forgotten when it was not heard of again in time; that says nothing about a
 * connection to it. Shortly before, it is asked for again, twice (RFC 6762 5.2).
 * Limits     addresses_max in all, addresses_per_peer of one peer. A new one finds no place when it
 *            is full: who is known is not driven out by who shouts.
 * Failure    TRP_EFULL, TRP_ENOMEM: an address is not remembered. */
#ifndef PROTO_MDNS_CACHE_H
#define PROTO_MDNS_CACHE_H

#include "base/heap.h"
#include "base/list.h"
#include "base/map.h"
#include "base/slab.h"

#include <troupe/mdns.h>

struct trp_mdns_news {
    enum trp_mdns_event_kind kind;
    struct trp_peer_id peer;
    struct trp_multiaddr address; /* without /p2p, without a zone */
    uint32_t interface;           /* it was heard of by */
    bool link_local;              /* the address means nothing on another interface */
};

struct trp_mdns_cache {
    struct trp_memory *memory;
    uint64_t seed;
    uint32_t addresses_per_peer;
    uint64_t ties;
    struct trp_slab slab;
    struct trp_mdns_entry *entries;
    struct trp_heap heap;   /* by what is to be done next */
    struct trp_list events; /* of entries with something to tell */
};

void trp_mdns_cache_init(struct trp_mdns_cache *cache, struct trp_memory *memory, uint64_t seed,
                         uint32_t addresses_max, uint32_t addresses_per_peer);
void trp_mdns_cache_deinit(struct trp_mdns_cache *cache);
/* Takes what was heard; a ttl of 0 is a goodbye. `heard->kind` means nothing. */
enum trp_status trp_mdns_cache_hear(struct trp_mdns_cache *cache, const struct trp_mdns_news *heard,
                                    uint32_t ttl_s, trp_time now) TRP_NODISCARD;
bool trp_mdns_cache_next_news(struct trp_mdns_cache *cache, struct trp_mdns_news *ret_news);
trp_time trp_mdns_cache_deadline(const struct trp_mdns_cache *cache);
/* Does the next thing that is due; false when there is none. Gives the interface by which an
 * address is to be asked for again, or 0. */
bool trp_mdns_cache_expire(struct trp_mdns_cache *cache, trp_time now, uint32_t *ret_interface);

#endif
