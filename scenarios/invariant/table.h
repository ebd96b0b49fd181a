/* SPDX-License-Identifier: MIT */
/* scenarios/invariant/table.h - what every routing table must be, whatever the network does.
 *
 * The entries of one table are told one by one, as the node keeps them; the first that breaks a
 * rule is the answer. The bucket an entry belongs to is computed anew, from the ids alone.
 * Spec       Kademlia over SHA-256 of the PeerId (libp2p/specs kad-dht); k = 20.
 * Cost       One SHA-256 per peer not seen before: their keys are kept. */
#ifndef INVARIANT_TABLE_H
#define INVARIANT_TABLE_H

#include <troupe/peer_id.h>

struct trp_table_keys;

/* The keys of the peers seen so far, for all tables of a run. TRP_ENOMEM. */
enum trp_status trp_table_keys_open(struct trp_table_keys **ret_keys) TRP_NODISCARD;
void trp_table_keys_close(struct trp_table_keys *keys);

enum trp_table_rule {
    TRP_TABLE_HOLDS,
    TRP_TABLE_SELF,     /* a node is in its own table */
    TRP_TABLE_BUCKET,   /* an entry is in a bucket its id does not demand */
    TRP_TABLE_OVERFULL, /* a bucket has more than k entries */
    TRP_TABLE_DOUBLE    /* a peer is there twice */
};

/* Gives the next entry of a table; false at the end. */
typedef bool (*trp_table_next)(void *user, struct trp_peer_id *ret_peer, uint32_t *ret_bucket);

struct trp_table_fault {
    enum trp_table_rule rule; /* TRP_TABLE_HOLDS: none */
    struct trp_peer_id peer;  /* the entry that breaks it */
    uint32_t bucket;          /* where it is */
    uint32_t expected;        /* TRP_TABLE_BUCKET: where it belongs; OVERFULL: how many there are */
};
/* Checks the table of `self`: gives the first fault of each rule, in the order of the rules, into
 * ret_faults, and how many. TRP_ENOMEM. */
#define TRP_TABLE_RULES 4u
enum trp_status trp_table_check(struct trp_table_keys *keys, const struct trp_peer_id *self,
                                trp_table_next next, void *user,
                                struct trp_table_fault ret_faults[TRP_TABLE_RULES],
                                uint32_t *ret_count) TRP_NODISCARD;

#endif
