/* SPDX-License-Identifier: MIT */
/* net/origin.h - where inbound connections that are not upgraded yet come from, by IP address.
 *
 * So that a flood from some hosts does not keep others out: see trp_connection_accept.
 * Limits     One entry per pending connection at most. */
#ifndef NET_ORIGIN_H
#define NET_ORIGIN_H

#include "base/map.h"

#include <troupe/multiaddr.h>

struct trp_origin {
    uint8_t ip[16]; /* IPv4: the first four bytes */
    uint32_t pending;
    UT_hash_handle hh;
};

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
