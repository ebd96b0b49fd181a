/* SPDX-License-Identifier: MIT */
/* proto/kad/query.h - one iterative look-up: whom to ask next, and when it is enough.
 *
 * At most alpha peers are asked at once, the closest first. It ends when the k closest seen have
 * answered or are dead.
 *
 * No single peer's say decides. Each candidate belongs to one of two paths: our own table's peers
 * alternate between them, and a peer named by another inherits the path of who named it first. One
 * that a peer of the other path names too counts for both. A peer may name at most k candidates,
 * a path hold half of all. The look-up does not end before the alpha closest of *each* path have
 * answered or are dead, a path gets its share of the requests until then, and the result holds the
 * alpha closest of each path besides the k closest. Where all are honest, both paths meet in one
 * neighbourhood and this costs next to nothing.
 *
 * A peer that is silent for longer than patience says (the smoothed duration of answers and four
 * deviations) gives up its place but may still answer. A lookup with fewer than alpha answers waits
 * for it a while longer, because in a network of a few peers nobody else may know.
 *
 * No peer is asked twice.
 * Spec       Maymounkov and Mazières 2002, 2.3; Baumgart and Mies 2007 (S/Kademlia), 4.4.
 * Purity     No clock: `now` is passed in.
 * Limits     TRP_KAD_CANDIDATES_MAX candidates, and so as many requests. */
#ifndef PROTO_KAD_QUERY_H
#define PROTO_KAD_QUERY_H

#include "base/memory.h"
#include "proto/kad/kbucket.h"

#define TRP_KAD_ALPHA          3u
#define TRP_KAD_PATHS          2u
#define TRP_KAD_CANDIDATES_MAX 512u
/* Most that a result holds: the k closest, and alpha of the path that has none among them. */
#define TRP_KAD_RESULT_MAX (TRP_KAD_K + TRP_KAD_ALPHA)

/* How long answers take at this node; one estimate for all its queries, as TCP's (RFC 6298). */
struct trp_kad_patience {
    trp_time smoothed_ns; /* 0: nothing measured */
    trp_time deviation_ns;
};

void trp_kad_patience_measure(struct trp_kad_patience *patience, trp_time took_ns);
/* Gives the silence after which a peer is not waited for; `limit_ns` at first and at most. */
trp_time trp_kad_patience_of(const struct trp_kad_patience *patience, trp_time limit_ns);

struct trp_kad_query_config {
    struct trp_memory *memory; /* borrowed */
    struct trp_kad_key target;
    struct trp_kad_key self; /* never a candidate */
    uint32_t goal;           /* how many of the closest must answer: 1 … k; 0 is k */
    trp_time patience_ns;    /* see trp_kad_patience_of */
    trp_time grace_ns; /* from the request on: beyond it a silent peer is waited for no more */
};

struct trp_kad_candidate;

struct trp_kad_query {
    struct trp_kad_query_config config;
    struct trp_kad_candidate *candidates; /* in order of arrival */
    uint16_t *order;                      /* indices of candidates, closest first */
    uint32_t count;
    uint32_t capacity;
    uint32_t seeds_count;
    uint16_t asked[TRP_KAD_ALPHA]; /* candidates asked and waited for */
    uint32_t asked_count;
    uint32_t path_count[TRP_KAD_PATHS]; /* candidates that belong to it */
    uint32_t path_rpcs[TRP_KAD_PATHS];
    uint32_t rpcs;
    uint32_t answers;
    uint32_t slow;   /* silent beyond patience, and not settled since */
    uint32_t silent; /* of them: beyond grace, too */
    uint32_t dead;   /* failed */
};

void trp_kad_query_init(struct trp_kad_query *query, const struct trp_kad_query_config *config);
void trp_kad_query_deinit(struct trp_kad_query *query);

/* Adds a peer of our own table, closest first. TRP_ENOMEM, TRP_EFULL; TRP_EEXISTS; TRP_EINVAL:
 * ourselves. */
enum trp_status trp_kad_query_seed(struct trp_kad_query *query,
                                   const struct trp_kad_contact *contact) TRP_NODISCARD;
/* Adds a peer of our own table that need not be asked: it counts as one that has answered. */
enum trp_status trp_kad_query_seed_known(struct trp_kad_query *query,
                                         const struct trp_kad_contact *contact) TRP_NODISCARD;
/* Takes a peer that likely knows more than its distance says, and is asked at once. As for _seed.
 */
enum trp_status trp_kad_query_ask(struct trp_kad_query *query,
                                  const struct trp_kad_contact *contact,
                                  trp_time now) TRP_NODISCARD;
/* Gives a peer to ask now; the answer is owed to trp_kad_query_answered or _failed. */
bool trp_kad_query_next(struct trp_kad_query *query, trp_time now,
                        struct trp_kad_contact *ret_contact);
/* Notes an answer; offers of its closer peers may follow. False when the peer was not asked or has
 * answered already. */
bool trp_kad_query_answered(struct trp_kad_query *query, const struct trp_kad_key *from);
/* Adds a candidate named by a peer that has answered.
 * TRP_OK      it is new.
 * TRP_EEXISTS it is a candidate already.
 * TRP_EDENIED the peer has named k candidates, or has not answered.
 * TRP_EINVAL  it is ourselves, or the peer itself.
 * TRP_EFULL   it is too far to matter: k closer peers have answered, or the path has no room.
 * TRP_ENOMEM. */
enum trp_status trp_kad_query_offer(struct trp_kad_query *query, const struct trp_kad_key *from,
                                    const struct trp_kad_contact *contact) TRP_NODISCARD;
/* Notes that a peer is dead or refuses to answer. */
void trp_kad_query_failed(struct trp_kad_query *query, const struct trp_kad_key *peer);

/* True when nothing more is to be asked or waited for. */
bool trp_kad_query_is_done(const struct trp_kad_query *query);
/* When patience with a peer ends next, or grace that matters; TRP_NEVER. */
trp_time trp_kad_query_deadline(const struct trp_kad_query *query);
void trp_kad_query_expire(struct trp_kad_query *query, trp_time now);

/* Gives the peers that answered: the k closest, and the alpha closest of each path; closest first.
 * `ret_contacts` has room for TRP_KAD_RESULT_MAX; returns how many. */
uint32_t trp_kad_query_result(const struct trp_kad_query *query,
                              struct trp_kad_contact *ret_contacts);
/* Gives how many peers in a row had to refer us to the closest one that answered; 0: we knew it. */
uint32_t trp_kad_query_hops(const struct trp_kad_query *query);

#endif
