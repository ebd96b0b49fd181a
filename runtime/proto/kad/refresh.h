/* SPDX-License-Identifier: MIT */
/* proto/kad/refresh.h - when the routing table is renewed, and how.
 *
 * A round looks up ourselves, which renews the k closest peers; in a full round by asking all of
 * them, else by asking the closest, those not heard of lately and those not known. Then, in each
 * bucket up to the one where those begin, the peers heard of least recently are asked whether they
 * live. A bucket before that one can be full: where it is not, it gets a look-up of a target in it,
 * for as many peers as it lacks. Buckets that a look-up of the user has touched since the last
 * round are left out. The first peer of an empty table starts a round soon, and so do further ones
 * while there are fewer than k. With so few there are rounds without new peers, too, soon and then
 * ever less often: who joined at the same moment, by a peer that knew nobody, was told of nobody.
 *
 * Purity     No clock: `now` is passed in. Times and targets are keyed draws.
 * Spec       Maymounkov and Mazières 2002, 2.3; libp2p/specs kad-dht/README.md "Bootstrap process".
 */
#ifndef PROTO_KAD_REFRESH_H
#define PROTO_KAD_REFRESH_H

#include "proto/kad/kbucket.h"

#define TRP_KAD_JOIN_NS   TRP_MS(500) /* from the first peer to the first round */
#define TRP_KAD_REJOIN_NS TRP_S(5)    /* between rounds while fewer than k peers are known: ... */
#define TRP_KAD_REJOINS   16u         /* ... without new ones it doubles, at most so often */
#define TRP_KAD_ALONE_NS  TRP_S(30)   /* ... and while there is none */
#define TRP_KAD_CHECKS    2u          /* peers of a bucket asked in an ordinary round */

/* Buckets that can lie before those of the k closest: more would take 2^64 peers. */
#define TRP_KAD_REFRESH_BUCKETS 64u

struct trp_kad_refresh {
    uint64_t seed;
    trp_time interval_ns;
    trp_time next_at; /* TRP_NEVER until the first peer */
    trp_time began_at;
    uint64_t rounds;
    uint32_t rejoins; /* rounds in a row after which there were few peers */
    bool is_running;
    bool has_news; /* a peer came while it runs */
    bool is_full;  /* every bucket, touched or not */
    bool has_looked_up_self;
    uint32_t next_bucket;
    trp_time touched_at[TRP_KAD_REFRESH_BUCKETS];
};

/* What to do next: check the stalest peers of a bucket, and look up the key with this preimage, as
 * a request carries it. */
struct trp_kad_target {
    uint32_t bucket; /* TRP_KAD_KEY_BITS: none */
    uint8_t size;    /* 0: no look-up */
    uint8_t preimage[TRP_PEER_ID_BYTES_MAX];
    uint32_t goal;
    bool is_light; /* who was heard of lately need not be asked */
};

struct trp_kad_refresh trp_kad_refresh_init(uint64_t seed, trp_time interval_ns);
/* Says that the table has a new peer, `count` with it. */
void trp_kad_refresh_on_peer(struct trp_kad_refresh *refresh, uint32_t count, trp_time now);
/* Says that a look-up of somebody else's key is done. */
void trp_kad_refresh_touch(struct trp_kad_refresh *refresh, uint32_t bucket, trp_time now);
trp_time trp_kad_refresh_deadline(const struct trp_kad_refresh *refresh);
/* Begins a round; one that runs becomes a full one. */
void trp_kad_refresh_begin(struct trp_kad_refresh *refresh, bool full, trp_time now);
/* Gives the next thing to do in the round that runs; at its end false, and the next round is set.
 */
bool trp_kad_refresh_next(struct trp_kad_refresh *refresh, const struct trp_kad_table *table,
                          const struct trp_peer_id *self, trp_time now,
                          struct trp_kad_target *ret_target);

#endif
