/* SPDX-License-Identifier: MIT */
#include "proto/kad/query.h"

#include "base/assert.h"

#define CANDIDATES_AT_FIRST 32u
#define PATH_CANDIDATES_MAX (TRP_KAD_CANDIDATES_MAX / TRP_KAD_PATHS)
#define PATIENCE_MIN_NS     TRP_MS(500)

enum candidate_state {
    CANDIDATE_NEW,
    CANDIDATE_ASKED,
    CANDIDATE_SLOW,   /* asked, silent beyond patience */
    CANDIDATE_SILENT, /* and beyond grace */
    CANDIDATE_ANSWERED,
    CANDIDATE_DEAD
};

struct trp_kad_candidate {
    struct trp_kad_contact contact;
    struct trp_kad_key distance;
    trp_time asked_at;
    enum candidate_state state;
    uint16_t hops;
    uint8_t path;     /* which it belongs to */
    uint8_t vouchers; /* bit p: a peer of path p named it */
    uint8_t named;    /* how many candidates it has named */
};

static bool has_path(uint8_t paths, uint32_t path)
{
    return ((uint32_t)paths >> path & 1u) != 0;
}

/* ---- patience ---- */

void trp_kad_patience_measure(struct trp_kad_patience *patience, trp_time took_ns)
{
    if (patience->smoothed_ns == 0) {
        patience->smoothed_ns = took_ns == 0 ? 1 : took_ns;
        patience->deviation_ns = took_ns / 2;
        return;
    }
    trp_time smoothed = patience->smoothed_ns;
    trp_time error = took_ns > smoothed ? took_ns - smoothed : smoothed - took_ns;
    patience->deviation_ns = patience->deviation_ns - patience->deviation_ns / 4 + error / 4;
    patience->smoothed_ns = smoothed - smoothed / 8 + took_ns / 8;
}

trp_time trp_kad_patience_of(const struct trp_kad_patience *patience, trp_time limit_ns)
{
    if (patience->smoothed_ns == 0) {
        return limit_ns;
    }
    trp_time span = patience->smoothed_ns + 4 * patience->deviation_ns;
    span = span < PATIENCE_MIN_NS ? PATIENCE_MIN_NS : span;
    return trp_time_min(span, limit_ns);
}

/* ---- candidates ---- */

void trp_kad_query_init(struct trp_kad_query *query, const struct trp_kad_query_config *config)
{
    *query = (struct trp_kad_query){.config = *config};
    if (query->config.goal == 0 || query->config.goal > TRP_KAD_K) {
        query->config.goal = TRP_KAD_K;
    }
    query->config.grace_ns =
        config->grace_ns > config->patience_ns ? config->grace_ns : config->patience_ns;
}

void trp_kad_query_deinit(struct trp_kad_query *query)
{
    trp_memory_free(query->config.memory, query->candidates);
    trp_memory_free(query->config.memory, query->order);
    *query = (struct trp_kad_query){.config = query->config};
}

static struct trp_kad_candidate *query_at(const struct trp_kad_query *query, uint32_t rank)
{
    return &query->candidates[query->order[rank]];
}

/* Gives the rank at which a distance is or belongs. */
static uint32_t query_rank(const struct trp_kad_query *query, const struct trp_kad_key *distance)
{
    uint32_t low = 0;
    uint32_t high = query->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (trp_kad_key_compare(&query_at(query, middle)->distance, distance) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static struct trp_kad_candidate *query_find(const struct trp_kad_query *query,
                                            const struct trp_kad_key *key)
{
    struct trp_kad_key distance = trp_kad_distance(key, &query->config.target);
    uint32_t rank = query_rank(query, &distance);
    if (rank < query->count && trp_kad_key_equal(&query_at(query, rank)->contact.key, key)) {
        return query_at(query, rank);
    }
    return NULL;
}

static bool query_grow(struct trp_kad_query *query)
{
    uint32_t capacity = query->capacity == 0 ? CANDIDATES_AT_FIRST : query->capacity * 2;
    struct trp_memory *memory = query->config.memory;
    struct trp_kad_candidate *candidates =
        trp_memory_resize(memory, query->candidates, capacity * sizeof *candidates);
    if (candidates == NULL) {
        return false;
    }
    query->candidates = candidates;
    uint16_t *order = trp_memory_resize(memory, query->order, capacity * sizeof *order);
    if (order == NULL) {
        return false;
    }
    query->order = order;
    query->capacity = capacity;
    return true;
}

/* Gives the slot of the path's farthest candidate that was never asked and is farther than
 * `distance`, by taking it out of the order; UINT16_MAX when there is none. */
static uint16_t query_displace(struct trp_kad_query *query, const struct trp_kad_key *distance,
                               uint8_t path)
{
    for (uint32_t rank = query->count; rank-- > 0;) {
        const struct trp_kad_candidate *candidate = query_at(query, rank);
        if (trp_kad_key_compare(&candidate->distance, distance) <= 0) {
            return UINT16_MAX;
        }
        if (candidate->state == CANDIDATE_NEW && candidate->path == path) {
            uint16_t slot = query->order[rank];
            memmove(&query->order[rank], &query->order[rank + 1],
                    (query->count - rank - 1) * sizeof query->order[0]);
            query->count--;
            query->path_count[path]--;
            return slot;
        }
    }
    return UINT16_MAX;
}

static enum trp_status query_insert(struct trp_kad_query *query,
                                    const struct trp_kad_contact *contact, uint8_t path,
                                    uint16_t hops)
{
    struct trp_kad_key distance = trp_kad_distance(&contact->key, &query->config.target);
    uint32_t rank = query_rank(query, &distance);
    if (rank < query->count && trp_kad_key_equal(&query_at(query, rank)->distance, &distance)) {
        return TRP_EEXISTS;
    }
    uint16_t slot = (uint16_t)query->count;
    if (query->path_count[path] == PATH_CANDIDATES_MAX) {
        slot = query_displace(query, &distance, path); /* behind `rank`, which stays right */
        if (slot == UINT16_MAX) {
            return TRP_EFULL;
        }
    } else if (query->count == query->capacity && !query_grow(query)) {
        return TRP_ENOMEM;
    }
    TRP_ASSERT(slot < query->capacity && query->candidates != NULL);
    memmove(&query->order[rank + 1], &query->order[rank],
            (query->count - rank) * sizeof query->order[0]);
    query->order[rank] = slot;
    query->count++;
    query->path_count[path]++;
    query->candidates[slot] = (struct trp_kad_candidate){.contact = *contact,
                                                         .distance = distance,
                                                         .hops = hops,
                                                         .path = path,
                                                         .vouchers = (uint8_t)(1u << path)};
    return TRP_OK;
}

enum trp_status trp_kad_query_seed(struct trp_kad_query *query,
                                   const struct trp_kad_contact *contact)
{
    if (trp_kad_key_equal(&contact->key, &query->config.self)) {
        return TRP_EINVAL;
    }
    uint8_t path = (uint8_t)(query->seeds_count % TRP_KAD_PATHS);
    enum trp_status status = query_insert(query, contact, path, 0);
    query->seeds_count += status == TRP_OK;
    return status;
}

enum trp_status trp_kad_query_seed_known(struct trp_kad_query *query,
                                         const struct trp_kad_contact *contact)
{
    enum trp_status status = trp_kad_query_seed(query, contact);
    if (status == TRP_OK) {
        query_find(query, &contact->key)->state = CANDIDATE_ANSWERED;
        query->answers++;
    }
    return status;
}

/* ---- what matters: the closest that may still answer ---- */

/* alpha for a goal of k, and in proportion. */
static uint32_t query_path_goal(const struct trp_kad_query *query)
{
    return (query->config.goal * TRP_KAD_ALPHA + TRP_KAD_K - 1) / TRP_KAD_K;
}

/* Counts candidates, closest first, against the goals. */
struct tally {
    uint32_t goal;
    uint32_t path_goal;
    uint32_t all;
    uint32_t of_path[TRP_KAD_PATHS];
};

#define DUE_TO_ALL 0x80u

static struct tally tally_first(const struct trp_kad_query *query)
{
    return (struct tally){.goal = query->config.goal, .path_goal = query_path_goal(query)};
}

/* Says to which goals the next candidate belongs: bit p for path p, DUE_TO_ALL; 0: to none. */
static uint8_t tally_add(struct tally *tally, const struct trp_kad_candidate *candidate)
{
    uint8_t due = tally->all++ < tally->goal ? DUE_TO_ALL : 0;
    for (uint32_t p = 0; p < TRP_KAD_PATHS; p++) {
        if (has_path(candidate->vouchers, p) && tally->of_path[p]++ < tally->path_goal) {
            due = (uint8_t)(due | 1u << p);
        }
    }
    return due;
}

static bool tally_is_full(const struct tally *tally)
{
    bool full = tally->all >= tally->goal;
    for (uint32_t p = 0; p < TRP_KAD_PATHS; p++) {
        full = full && tally->of_path[p] >= tally->path_goal;
    }
    return full;
}

static bool is_slow(const struct trp_kad_candidate *candidate)
{
    return candidate->state == CANDIDATE_SLOW || candidate->state == CANDIDATE_SILENT;
}

/* Says whether the look-up waits for a slow peer. */
static bool query_has_grace(const struct trp_kad_query *query)
{
    return query->slow > query->silent && query->answers < TRP_KAD_ALPHA;
}

/* Walks the candidates that the look-up waits for: the `goal` closest of all and the closest of
 * each path that are neither dead nor given up. */
static struct trp_kad_candidate *query_next_due(const struct trp_kad_query *query,
                                                struct tally *tally, uint32_t *rank,
                                                uint8_t *ret_due)
{
    while (*rank < query->count && !tally_is_full(tally)) {
        struct trp_kad_candidate *candidate = query_at(query, (*rank)++);
        if (candidate->state == CANDIDATE_DEAD || is_slow(candidate)) {
            continue;
        }
        *ret_due = tally_add(tally, candidate);
        if (*ret_due != 0) {
            return candidate;
        }
    }
    return NULL;
}

bool trp_kad_query_is_done(const struct trp_kad_query *query)
{
    if (query_has_grace(query)) {
        return false;
    }
    struct tally tally = tally_first(query);
    uint32_t rank = 0;
    uint8_t due;
    const struct trp_kad_candidate *candidate;
    while ((candidate = query_next_due(query, &tally, &rank, &due)) != NULL) {
        if (candidate->state != CANDIDATE_ANSWERED) {
            return false;
        }
    }
    return true;
}

/* Says whether a candidate is due to a path that had less than its share of the requests. */
static bool query_owes(const struct trp_kad_query *query, uint8_t due)
{
    for (uint32_t p = 0; p < TRP_KAD_PATHS; p++) {
        if (has_path(due, p) && query->path_rpcs[p] * TRP_KAD_ALPHA < query->rpcs) {
            return true;
        }
    }
    return false;
}

static void query_mark_asked(struct trp_kad_query *query, struct trp_kad_candidate *candidate,
                             trp_time now)
{
    candidate->state = CANDIDATE_ASKED;
    candidate->asked_at = now;
    query->asked[query->asked_count++] = (uint16_t)(candidate - query->candidates);
    query->rpcs++;
    for (uint32_t p = 0; p < TRP_KAD_PATHS; p++) {
        query->path_rpcs[p] += has_path(candidate->vouchers, p);
    }
}

bool trp_kad_query_next(struct trp_kad_query *query, trp_time now,
                        struct trp_kad_contact *ret_contact)
{
    if (query->asked_count == TRP_KAD_ALPHA) {
        return false;
    }
    struct tally tally = tally_first(query);
    uint32_t rank = 0;
    uint8_t due;
    struct trp_kad_candidate *chosen = NULL;
    struct trp_kad_candidate *candidate;
    while ((candidate = query_next_due(query, &tally, &rank, &due)) != NULL) {
        if (candidate->state != CANDIDATE_NEW) {
            continue;
        }
        chosen = chosen == NULL ? candidate : chosen;
        if (query_owes(query, due)) {
            chosen = candidate;
            break;
        }
    }
    if (chosen == NULL) {
        return false;
    }
    query_mark_asked(query, chosen, now);
    *ret_contact = chosen->contact;
    return true;
}

enum trp_status trp_kad_query_ask(struct trp_kad_query *query,
                                  const struct trp_kad_contact *contact, trp_time now)
{
    if (query->asked_count == TRP_KAD_ALPHA) {
        return TRP_EFULL;
    }
    enum trp_status status = trp_kad_query_seed(query, contact);
    if (status == TRP_OK) {
        query_mark_asked(query, query_find(query, &contact->key), now);
    }
    return status;
}

/* ---- answers ---- */

static void query_forget_asked(struct trp_kad_query *query, uint32_t index)
{
    query->asked[index] = query->asked[--query->asked_count];
}

/* Takes a candidate that was asked out of the books; false when it was not. */
static bool query_settle(struct trp_kad_query *query, const struct trp_kad_candidate *candidate)
{
    if (candidate != NULL && is_slow(candidate)) {
        query->slow--;
        query->silent -= candidate->state == CANDIDATE_SILENT;
        return true;
    }
    for (uint32_t i = 0; i < query->asked_count; i++) {
        if (&query->candidates[query->asked[i]] == candidate) {
            query_forget_asked(query, i);
            return true;
        }
    }
    return false;
}

bool trp_kad_query_answered(struct trp_kad_query *query, const struct trp_kad_key *from)
{
    struct trp_kad_candidate *candidate = query_find(query, from);
    if (!query_settle(query, candidate)) {
        return false;
    }
    candidate->state = CANDIDATE_ANSWERED;
    query->answers++;
    return true;
}

void trp_kad_query_failed(struct trp_kad_query *query, const struct trp_kad_key *peer)
{
    struct trp_kad_candidate *candidate = query_find(query, peer);
    if (query_settle(query, candidate)) {
        candidate->state = CANDIDATE_DEAD;
        query->dead++;
    }
}

/* Says whether as many peers as the goals want, all closer than `distance`, have answered: then a
 * candidate at `distance` can neither be in the result nor lead to it. */
static bool query_is_too_far(const struct trp_kad_query *query, const struct trp_kad_key *distance,
                             uint8_t path)
{
    if (query->answers < query->config.goal) {
        return false;
    }
    struct tally tally = tally_first(query);
    for (uint32_t rank = 0; rank < query->count; rank++) {
        const struct trp_kad_candidate *candidate = query_at(query, rank);
        if (trp_kad_key_compare(&candidate->distance, distance) > 0) {
            return false;
        }
        if (candidate->state == CANDIDATE_ANSWERED) {
            (void)tally_add(&tally, candidate);
        }
        if (tally.all >= tally.goal && tally.of_path[path] >= tally.path_goal) {
            return true;
        }
    }
    return false;
}

enum trp_status trp_kad_query_offer(struct trp_kad_query *query, const struct trp_kad_key *from,
                                    const struct trp_kad_contact *contact)
{
    struct trp_kad_candidate *sponsor = query_find(query, from);
    if (sponsor == NULL || sponsor->state != CANDIDATE_ANSWERED || sponsor->named >= TRP_KAD_K) {
        return TRP_EDENIED;
    }
    if (trp_kad_key_equal(&contact->key, &query->config.self) ||
        trp_kad_key_equal(&contact->key, from)) {
        return TRP_EINVAL;
    }
    uint8_t path = sponsor->path;
    uint16_t hops = (uint16_t)(sponsor->hops + 1);
    sponsor->named++;
    struct trp_kad_candidate *known = query_find(query, &contact->key);
    if (known != NULL) {
        known->vouchers = (uint8_t)(known->vouchers | 1u << path);
        return TRP_EEXISTS;
    }
    struct trp_kad_key distance = trp_kad_distance(&contact->key, &query->config.target);
    if (query_is_too_far(query, &distance, path)) {
        return TRP_EFULL;
    }
    return query_insert(query, contact, path, hops);
}

static trp_time query_grace_end(const struct trp_kad_query *query,
                                const struct trp_kad_candidate *candidate)
{
    return trp_time_after(candidate->asked_at, query->config.grace_ns);
}

trp_time trp_kad_query_deadline(const struct trp_kad_query *query)
{
    trp_time deadline = TRP_NEVER;
    for (uint32_t i = 0; i < query->asked_count; i++) {
        trp_time asked_at = query->candidates[query->asked[i]].asked_at;
        deadline = trp_time_min(deadline, trp_time_after(asked_at, query->config.patience_ns));
    }
    for (uint32_t i = 0; query_has_grace(query) && i < query->count; i++) {
        const struct trp_kad_candidate *candidate = query_at(query, i);
        if (candidate->state == CANDIDATE_SLOW) {
            deadline = trp_time_min(deadline, query_grace_end(query, candidate));
        }
    }
    return deadline;
}

void trp_kad_query_expire(struct trp_kad_query *query, trp_time now)
{
    for (uint32_t i = query->asked_count; i-- > 0;) {
        struct trp_kad_candidate *candidate = &query->candidates[query->asked[i]];
        if (trp_time_after(candidate->asked_at, query->config.patience_ns) <= now) {
            candidate->state = CANDIDATE_SLOW;
            query->slow++;
            query_forget_asked(query, i);
        }
    }
    for (uint32_t i = 0; query->slow > query->silent && i < query->count; i++) {
        struct trp_kad_candidate *candidate = query_at(query, i);
        if (candidate->state == CANDIDATE_SLOW && query_grace_end(query, candidate) <= now) {
            candidate->state = CANDIDATE_SILENT;
            query->silent++;
        }
    }
}

/* ---- the result ---- */

uint32_t trp_kad_query_result(const struct trp_kad_query *query,
                              struct trp_kad_contact *ret_contacts)
{
    struct tally tally = tally_first(query);
    uint32_t count = 0;
    for (uint32_t rank = 0; rank < query->count && !tally_is_full(&tally); rank++) {
        const struct trp_kad_candidate *candidate = query_at(query, rank);
        if (candidate->state == CANDIDATE_ANSWERED && tally_add(&tally, candidate) != 0) {
            TRP_ASSERT(count < TRP_KAD_RESULT_MAX);
            ret_contacts[count++] = candidate->contact;
        }
    }
    return count;
}

uint32_t trp_kad_query_hops(const struct trp_kad_query *query)
{
    for (uint32_t rank = 0; rank < query->count; rank++) {
        const struct trp_kad_candidate *candidate = query_at(query, rank);
        if (candidate->state == CANDIDATE_ANSWERED) {
            return candidate->hops;
        }
    }
    return 0;
}
