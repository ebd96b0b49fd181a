/* SPDX-License-Identifier: MIT */
/* proto/kad/kbucket.h - the routing table: for each length of common prefix up to k peers.
 *
 * A full bucket keeps its old live peers: a newcomer replaces only the disconnected entry heard of
 * least recently, and only after that one failed a check. Until then the newcomer is pending. But
 * the k closest peers known are always kept (S/Kademlia's siblings): one of them takes the place of
 * the farthest in its bucket.
 * Spec       Maymounkov and Mazières 2002, 2.2 and 4.1.
 * Purity     No clock: `now` is passed in.
 * Ownership  Entries are borrowed until the next call that is not const.
 * Limits     k entries and one pending per bucket; at most 256 buckets, made on demand. */
#ifndef PROTO_KAD_KBUCKET_H
#define PROTO_KAD_KBUCKET_H

#include "base/memory.h"
#include "proto/kad/key.h"

#define TRP_KAD_K           20u
#define TRP_KAD_CLOSEST_MAX 64u       /* most that trp_kad_table_closest gives */
#define TRP_KAD_PENDING_NS  TRP_S(60) /* how long a newcomer waits for the check of the old one */

struct trp_kad_entry {
    struct trp_kad_contact contact;
    trp_time seen_at; /* when it last answered or connected */
    bool connected;
    bool answers_ping; /* as far as is known: others answer requests for something only */
    uint8_t failures;  /* since seen_at */
};

struct trp_kad_bucket;

struct trp_kad_table {
    struct trp_memory *memory; /* borrowed */
    struct trp_kad_key self;
    trp_time stale_ns; /* silence after which an entry may be asked to prove itself */
    uint32_t count;
    uint64_t used[TRP_KAD_KEY_BITS / 64]; /* which buckets have entries */
    struct trp_kad_bucket *buckets[TRP_KAD_KEY_BITS];
};

struct trp_kad_table trp_kad_table_init(struct trp_memory *memory, const struct trp_kad_key *self,
                                        trp_time stale_ns);
void trp_kad_table_free(struct trp_kad_table *table);

/* Adds a peer that is known to serve the DHT, or notes that it was heard of.
 * TRP_OK      added; when *ret_check has a peer, that one had to go.
 * TRP_EEXISTS it was there; seen_at and connected are updated.
 * TRP_EAGAIN  the bucket is full and the peer pends; *ret_check has to be asked whether it lives,
 *             then trp_kad_table_seen or trp_kad_table_remove settles it.
 * TRP_EFULL   the bucket is full of peers that are better known.
 * TRP_EINVAL  it is ourselves. TRP_ENOMEM. */
enum trp_status trp_kad_table_insert(struct trp_kad_table *table,
                                     const struct trp_kad_contact *contact, bool connected,
                                     trp_time now, struct trp_kad_contact *ret_check) TRP_NODISCARD;
/* NULL when it has no entry. */
struct trp_kad_entry *trp_kad_table_find(const struct trp_kad_table *table,
                                         const struct trp_kad_key *key);
/* Notes that the peer answered; a newcomer pending on its place goes. Fine when it has no entry. */
void trp_kad_table_seen(struct trp_kad_table *table, const struct trp_kad_key *key, trp_time now);
/* Notes that the peer did not answer; gives the failures in a row, 0 when it has no entry. */
uint32_t trp_kad_table_failed(struct trp_kad_table *table, const struct trp_kad_key *key);
void trp_kad_table_set_connected(struct trp_kad_table *table, const struct trp_kad_key *key,
                                 bool connected, trp_time now);
/* Removes an entry. A pending newcomer takes the place: then *ret_promoted is its contact, else
 * its peer has size 0. False when there was no entry. */
bool trp_kad_table_remove(struct trp_kad_table *table, const struct trp_kad_key *key, trp_time now,
                          struct trp_kad_contact *ret_promoted);

/* Gives at most `max` entries closest to `target`, closest first, without the one at `skip` (may be
 * NULL); returns how many. */
uint32_t trp_kad_table_closest(const struct trp_kad_table *table, const struct trp_kad_key *target,
                               const struct trp_kad_key *skip, uint32_t max,
                               const struct trp_kad_entry **ret_entries);
/* Walks the entries by bucket: start with *at = 0, or with a bucket times TRP_KAD_BUCKET_AT; NULL
 * at the end. */
#define TRP_KAD_BUCKET_AT 32u
const struct trp_kad_entry *trp_kad_table_next(const struct trp_kad_table *table, uint32_t *at,
                                               uint32_t *ret_bucket);
uint32_t trp_kad_table_bucket_count(const struct trp_kad_table *table, uint32_t bucket);
/* Gives entry `position` of a bucket; NULL past its end. */
const struct trp_kad_entry *trp_kad_table_at(const struct trp_kad_table *table, uint32_t bucket,
                                             uint32_t position);
/* Gives at most `max` entries of a bucket that were heard of least recently, before `before`, the
 * oldest first; returns how many. */
uint32_t trp_kad_table_stalest(const struct trp_kad_table *table, uint32_t bucket, trp_time before,
                               uint32_t max, const struct trp_kad_entry **ret_entries);
/* Gives the first of the buckets that together hold our k closest peers: what a look-up of
 * ourselves renews. Buckets before it are renewed one by one. */
uint32_t trp_kad_table_near_bucket(const struct trp_kad_table *table);

#endif
