/* SPDX-License-Identifier: MIT */
/* scenarios/invariant/oracle.h - the global view that knows what a DHT should answer.
 *
 * A snapshot lists the nodes that ever lived, which of them live, who can reach whom, and every
 * routing table; the measures below compare it with the ideal. Nothing is sent: looking disturbs
 * nothing. Shares are in millionths, so that no floating point reaches a run.
 * Spec       Kademlia over SHA-256 of the PeerId (libp2p/specs kad-dht); k = 20, alpha = 3.
 * Cost       O(n log n) for a snapshot of n live nodes, O(k + log n) per set of closest nodes.
 * Ownership  The oracle copies what it is told; begin() forgets the last snapshot. */
#ifndef INVARIANT_ORACLE_H
#define INVARIANT_ORACLE_H

#include <troupe/peer_id.h>

#define TRP_ORACLE_K 20u
#define TRP_PPM      1000000u

struct trp_oracle;

enum trp_status trp_oracle_open(struct trp_oracle **ret_oracle) TRP_NODISCARD;
void trp_oracle_close(struct trp_oracle *oracle);

/* Says whether a node can reach another now (no cut, both up); by the nodes' numbers. */
typedef bool (*trp_oracle_reaches)(void *user, uint32_t from, uint32_t to);

/* Starts a snapshot. */
void trp_oracle_begin(struct trp_oracle *oracle, trp_oracle_reaches reaches, void *user);
/* Adds a live node under a number that `reaches` understands. TRP_ENOMEM. */
enum trp_status trp_oracle_add(struct trp_oracle *oracle, uint32_t number,
                               const struct trp_peer_id *peer) TRP_NODISCARD;
/* Ends the adding of nodes; then tables may be told. */
enum trp_status trp_oracle_index(struct trp_oracle *oracle) TRP_NODISCARD;
/* Adds one entry of a node's routing table, in the bucket the node keeps it in. */
enum trp_status trp_oracle_add_entry(struct trp_oracle *oracle, uint32_t number,
                                     const struct trp_peer_id *entry,
                                     uint32_t bucket) TRP_NODISCARD;

struct trp_oracle_tables {
    uint32_t nodes;
    uint64_t entries;
    uint32_t completeness_ppm;      /* live entries of the possible ones, buckets capped at k */
    uint32_t neighbourhood_ppm;     /* of each node's k closest, how many it knows; mean */
    uint32_t neighbourhood_min_ppm; /* and the worst node's */
    uint32_t stale_ppm;             /* entries that are dead or out of reach */
    uint32_t components;            /* weakly connected, over live entries in reach */
};
void trp_oracle_tables(const struct trp_oracle *oracle, struct trp_oracle_tables *ret_tables);

struct trp_oracle_lookup {
    uint32_t recall_ppm; /* of the k closest live nodes, how many the lookup ends with */
    uint32_t hops;       /* referrals from the source to the closest node */
    uint32_t rpcs;
    bool closest_found;
};
/* Walks an iterative lookup of SHA-256(key) from a node over the tables as they are. TRP_ENOTFOUND:
 * no such live node. */
enum trp_status trp_oracle_walk(const struct trp_oracle *oracle, uint32_t from,
                                struct trp_bytes key,
                                struct trp_oracle_lookup *ret_lookup) TRP_NODISCARD;

/* Gives the numbers of the live nodes closest to SHA-256(key), closest first; returns how many. */
uint32_t trp_oracle_closest(const struct trp_oracle *oracle, struct trp_bytes key,
                            uint32_t *ret_numbers, uint32_t max);

#endif
