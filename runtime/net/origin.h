/* SPDX-License-Identifier: MIT */
/* net/origin.h - where inbound connections come from, by IP address.
 *
 * So that a flood from some hosts does not keep others out: see net/pending.h. Of an IPv6 address
 * the first 64 bits count, for a host has all that begin with them.
 * Limits     One entry per pending connection at most; TRP_PROVEN_MAX remembered addresses. */
#ifndef NET_ORIGIN_H
#define NET_ORIGIN_H

#include "base/map.h"

#include <troupe/multiaddr.h>

struct trp_origin {
    uint8_t ip[8]; /* IPv4: the first four bytes */
    uint32_t pending;
    bool is_proven; /* as of the newest of them */
    UT_hash_handle hh;
};

/* Addresses where peers have proven their PeerIds, the last ones. */
#define TRP_PROVEN_MAX 128u

struct trp_proven {
    uint8_t (*ips)[8]; /* a ring; NULL until there is one */
    uint32_t count;    /* ever remembered */
};

/* Remembers an address; without memory it does not. */
void trp_proven_insert(struct trp_proven *proven, struct trp_memory *memory,
                       const struct trp_multiaddr *remote);
bool trp_proven_find(const struct trp_proven *proven, const struct trp_multiaddr *remote);

/* Counts a connection from `remote`. An address without an IP is an origin of its own. TRP_ENOMEM.
 */
enum trp_status trp_origin_enter(struct trp_origin **table, struct trp_memory *memory,
                                 const struct trp_multiaddr *remote,
                                 struct trp_origin **ret_origin) TRP_NODISCARD;
/* Counts it no longer; frees the origin with its last one. NULL is fine. */
void trp_origin_leave(struct trp_origin **table, struct trp_memory *memory,
                      struct trp_origin *origin);
/* Gives how many are pending from where `remote` is. */
uint32_t trp_origin_pending(struct trp_origin *table, const struct trp_multiaddr *remote);
/* Frees all of them. */
void trp_origin_free_all(struct trp_origin **table, struct trp_memory *memory);

#endif
