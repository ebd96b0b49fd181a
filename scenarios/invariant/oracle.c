/* SPDX-License-Identifier: MIT */
#include "scenarios/invariant/oracle.h"

#include "base/assert.h"
#include "base/endian.h"

#include <sodium.h>
#include <stdlib.h>

#define KEY_BYTES  32u
#define BUCKETS    256u
#define NONE       UINT32_MAX
#define WALK_RPCS  200u /* bound of one walk */
#define CANDIDATES 256u /* closest candidates that a walk remembers */

struct entry {
    uint32_t rank; /* of the live node; NONE: dead */
    uint16_t bucket;
};

/* A live node. After index() the nodes stand in the order of their keys; that place is the rank. */
struct node {
    uint8_t key[KEY_BYTES];
    uint64_t top; /* its first bits */
    struct trp_peer_id peer;
    uint32_t number;
    struct entry *entries;
    uint32_t entries_count;
    uint32_t entries_capacity;
};

struct trp_oracle {
    trp_oracle_reaches reaches;
    void *user;
    struct node *nodes;
    uint32_t count;
    uint32_t capacity;
    uint32_t *rank_of_number;
    uint32_t numbers;        /* size of rank_of_number */
    uint32_t *rank_of_peer;  /* a hash table with open addressing; NONE: a free place */
    uint32_t peers_capacity; /* of it, a power of two */
};

/* ---- keys ---- */

static void key_of(struct trp_bytes in, uint8_t ret_key[KEY_BYTES])
{
    (void)crypto_hash_sha256(ret_key, in.data, in.size); /* it cannot fail */
}

static uint32_t key_bit(const uint8_t *key, uint32_t index)
{
    return (uint32_t)(key[index / 8] >> (7 - index % 8)) & 1u;
}

/* Which of a and b is closer to the target, whose first bits are `top`: <0 a, >0 b. */
static int node_closer(const uint8_t *target, uint64_t top, const struct node *first_node,
                       const struct node *second_node)
{
    if (first_node->top != second_node->top) { /* nearly always */
        return (first_node->top ^ top) < (second_node->top ^ top) ? -1 : 1;
    }
    const uint8_t *a = first_node->key;
    const uint8_t *b = second_node->key;
    for (uint32_t i = 8; i < KEY_BYTES; i += 8) {
        uint64_t place = trp_load_be64(target + i);
        uint64_t first = trp_load_be64(a + i) ^ place;
        uint64_t second = trp_load_be64(b + i) ^ place;
        if (first != second) {
            return first < second ? -1 : 1;
        }
    }
    return 0;
}

static int node_compare(const void *a, const void *b)
{
    const struct node *first = a;
    const struct node *second = b;
    int order = memcmp(first->key, second->key, KEY_BYTES);
    return order != 0 ? order : (first->number > second->number) - (first->number < second->number);
}

/* ---- snapshot ---- */

enum trp_status trp_oracle_open(struct trp_oracle **ret_oracle)
{
    struct trp_oracle *oracle = calloc(1, sizeof *oracle);
    if (oracle == NULL) {
        return TRP_ENOMEM;
    }
    *ret_oracle = oracle;
    return TRP_OK;
}

void trp_oracle_close(struct trp_oracle *oracle)
{
    if (oracle == NULL) {
        return;
    }
    for (uint32_t i = 0; i < oracle->capacity; i++) {
        free(oracle->nodes[i].entries);
    }
    free(oracle->nodes);
    free(oracle->rank_of_number);
    free(oracle->rank_of_peer);
    free(oracle);
}

void trp_oracle_begin(struct trp_oracle *oracle, trp_oracle_reaches reaches, void *user)
{
    oracle->reaches = reaches;
    oracle->user = user;
    oracle->count = 0;
}

static enum trp_status oracle_grow(struct trp_oracle *oracle)
{
    uint32_t capacity = oracle->capacity == 0 ? 64 : oracle->capacity * 2;
    struct node *nodes = realloc(oracle->nodes, capacity * sizeof *nodes);
    if (nodes == NULL) {
        return TRP_ENOMEM;
    }
    memset(nodes + oracle->capacity, 0, (capacity - oracle->capacity) * sizeof *nodes);
    oracle->nodes = nodes;
    oracle->capacity = capacity;
    return TRP_OK;
}

enum trp_status trp_oracle_add(struct trp_oracle *oracle, uint32_t number,
                               const struct trp_peer_id *peer)
{
    if (oracle->count == oracle->capacity) {
        enum trp_status status = oracle_grow(oracle);
        if (status != TRP_OK) {
            return status;
        }
    }
    struct node *node = &oracle->nodes[oracle->count++];
    struct entry *entries = node->entries; /* kept from earlier snapshots */
    uint32_t capacity = node->entries_capacity;
    *node = (struct node){
        .peer = *peer, .number = number, .entries = entries, .entries_capacity = capacity};
    key_of(trp_peer_id_bytes(peer), node->key);
    node->top = trp_load_be64(node->key);
    return TRP_OK;
}

/* The place of a peer in the table, or the free one where it would go. PeerIds end in what a key or
 * a hash gave, which is as good as random. */
static uint32_t *oracle_place(const struct trp_oracle *oracle, const struct trp_peer_id *peer)
{
    uint64_t hash = 0;
    memcpy(&hash, peer->bytes + peer->size / 2, sizeof hash);
    uint32_t mask = oracle->peers_capacity - 1;
    for (uint32_t at = (uint32_t)hash & mask;; at = (at + 1) & mask) {
        uint32_t rank = oracle->rank_of_peer[at];
        if (rank == NONE || trp_peer_id_equal(&oracle->nodes[rank].peer, peer)) {
            return &oracle->rank_of_peer[at];
        }
    }
}

static enum trp_status oracle_index_peers(struct trp_oracle *oracle)
{
    if (oracle->peers_capacity <= 2 * oracle->count) {
        uint32_t capacity = oracle->peers_capacity == 0 ? 64 : oracle->peers_capacity;
        while (capacity <= 2 * oracle->count) {
            capacity *= 2;
        }
        uint32_t *ranks = realloc(oracle->rank_of_peer, capacity * sizeof *ranks);
        if (ranks == NULL) {
            return TRP_ENOMEM;
        }
        oracle->rank_of_peer = ranks;
        oracle->peers_capacity = capacity;
    }
    for (uint32_t i = 0; i < oracle->peers_capacity; i++) {
        oracle->rank_of_peer[i] = NONE;
    }
    for (uint32_t i = 0; i < oracle->count; i++) {
        *oracle_place(oracle, &oracle->nodes[i].peer) = i;
    }
    return TRP_OK;
}

enum trp_status trp_oracle_index(struct trp_oracle *oracle)
{
    uint32_t numbers = 0;
    for (uint32_t i = 0; i < oracle->count; i++) {
        numbers = oracle->nodes[i].number >= numbers ? oracle->nodes[i].number + 1 : numbers;
    }
    if (numbers > oracle->numbers) {
        uint32_t *ranks = realloc(oracle->rank_of_number, numbers * sizeof *ranks);
        if (ranks == NULL) {
            return TRP_ENOMEM;
        }
        oracle->rank_of_number = ranks;
        oracle->numbers = numbers;
    }
    for (uint32_t i = 0; i < oracle->numbers; i++) {
        oracle->rank_of_number[i] = NONE;
    }
    qsort(oracle->nodes, oracle->count, sizeof *oracle->nodes, node_compare);
    for (uint32_t i = 0; i < oracle->count; i++) {
        oracle->rank_of_number[oracle->nodes[i].number] = i;
    }
    return oracle_index_peers(oracle);
}

static uint32_t oracle_rank_of_number(const struct trp_oracle *oracle, uint32_t number)
{
    return number < oracle->numbers ? oracle->rank_of_number[number] : NONE;
}

enum trp_status trp_oracle_add_entry(struct trp_oracle *oracle, uint32_t number,
                                     const struct trp_peer_id *peer, uint32_t bucket)
{
    uint32_t rank = oracle_rank_of_number(oracle, number);
    TRP_ASSERT(rank != NONE);
    struct node *node = &oracle->nodes[rank];
    if (node->entries_count == node->entries_capacity) {
        uint32_t capacity = node->entries_capacity == 0 ? 64 : node->entries_capacity * 2;
        struct entry *entries = realloc(node->entries, capacity * sizeof *entries);
        if (entries == NULL) {
            return TRP_ENOMEM;
        }
        node->entries = entries;
        node->entries_capacity = capacity;
    }
    node->entries[node->entries_count++] =
        (struct entry){.rank = *oracle_place(oracle, peer), .bucket = (uint16_t)(bucket % BUCKETS)};
    return TRP_OK;
}

static bool oracle_reaches(const struct trp_oracle *oracle, uint32_t from_rank, uint32_t to_rank)
{
    return oracle->reaches == NULL || oracle->reaches(oracle->user, oracle->nodes[from_rank].number,
                                                      oracle->nodes[to_rank].number);
}

/* ---- closest nodes ---- */

/* The first rank in [low, high) whose key has bit `depth` set. */
static uint32_t oracle_split(const struct trp_oracle *oracle, uint32_t low, uint32_t high,
                             uint32_t depth)
{
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (key_bit(oracle->nodes[middle].key, depth) == 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

/* A range of the sorted keys is a subtree of the key space: all its keys share `depth` bits.
 * Collects ranks in order of distance to the target, the nearer half of each subtree first. */
struct closest {
    const struct trp_oracle *oracle;
    const uint8_t *target;
    uint32_t *ranks;
    uint32_t count;
    uint32_t max;
};

static void closest_collect(struct closest *closest, uint32_t low, uint32_t high, uint32_t depth)
{
    while (high - low > 1 && depth < BUCKETS && closest->count < closest->max) {
        uint32_t split = oracle_split(closest->oracle, low, high, depth);
        uint32_t bit = key_bit(closest->target, depth);
        depth++;
        if (bit == 0) {
            closest_collect(closest, low, split, depth);
            low = split;
        } else {
            closest_collect(closest, split, high, depth);
            high = split;
        }
    }
    for (uint32_t i = low; i < high && closest->count < closest->max; i++) {
        closest->ranks[closest->count++] = i;
    }
}

static uint32_t oracle_closest(const struct trp_oracle *oracle, const uint8_t *target,
                               uint32_t *ret_ranks, uint32_t max)
{
    struct closest closest = {.oracle = oracle, .target = target, .ranks = ret_ranks, .max = max};
    closest_collect(&closest, 0, oracle->count, 0);
    return closest.count;
}

uint32_t trp_oracle_closest(const struct trp_oracle *oracle, struct trp_bytes key,
                            uint32_t *ret_numbers, uint32_t max)
{
    uint8_t target[KEY_BYTES];
    key_of(key, target);
    uint32_t count = oracle_closest(oracle, target, ret_numbers, max);
    for (uint32_t i = 0; i < count; i++) {
        ret_numbers[i] = oracle->nodes[ret_numbers[i]].number;
    }
    return count;
}

/* ---- tables ---- */

static uint32_t share_ppm(uint64_t part, uint64_t whole)
{
    return whole == 0 ? TRP_PPM : (uint32_t)(part * TRP_PPM / whole);
}

/* Counts the live nodes that belong into each bucket of a node, capped at k; returns the sum. */
static uint64_t table_possible(const struct trp_oracle *oracle, const struct node *node)
{
    uint64_t possible = 0;
    uint32_t low = 0;
    uint32_t high = oracle->count;
    for (uint32_t depth = 0; depth < BUCKETS && high - low > 1; depth++) {
        uint32_t split = oracle_split(oracle, low, high, depth);
        uint32_t outside = key_bit(node->key, depth) == 0 ? high - split : split - low;
        possible += outside < TRP_ORACLE_K ? outside : TRP_ORACLE_K;
        if (key_bit(node->key, depth) == 0) {
            high = split;
        } else {
            low = split;
        }
    }
    return possible;
}

struct table_counts {
    uint64_t live;
    uint64_t stale;
};

static struct table_counts table_count(const struct trp_oracle *oracle, uint32_t rank)
{
    const struct node *node = &oracle->nodes[rank];
    uint16_t live[BUCKETS] = {0};
    struct table_counts counts = {0};
    for (uint32_t i = 0; i < node->entries_count; i++) {
        const struct entry *entry = &node->entries[i];
        if (entry->rank != NONE) {
            live[entry->bucket]++;
        }
        counts.stale += entry->rank == NONE || !oracle_reaches(oracle, rank, entry->rank);
    }
    for (uint32_t i = 0; i < BUCKETS; i++) {
        counts.live += live[i] < TRP_ORACLE_K ? live[i] : TRP_ORACLE_K;
    }
    return counts;
}

static bool table_has(const struct node *node, uint32_t rank)
{
    for (uint32_t i = 0; i < node->entries_count; i++) {
        if (node->entries[i].rank == rank) {
            return true;
        }
    }
    return false;
}

/* Of the k live nodes closest to this one, the share that its table holds. */
static uint32_t table_neighbourhood(const struct trp_oracle *oracle, uint32_t rank)
{
    uint32_t ranks[TRP_ORACLE_K + 1];
    uint32_t count = oracle_closest(oracle, oracle->nodes[rank].key, ranks, TRP_ORACLE_K + 1);
    uint32_t known = 0;
    uint32_t others = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (ranks[i] != rank) {
            others++;
            known += table_has(&oracle->nodes[rank], ranks[i]);
        }
    }
    return share_ppm(known, others);
}

static uint32_t set_find(uint32_t *parents, uint32_t of)
{
    while (parents[of] != of) {
        parents[of] = parents[parents[of]];
        of = parents[of];
    }
    return of;
}

static uint32_t oracle_components(const struct trp_oracle *oracle)
{
    uint32_t *parents = malloc((size_t)oracle->count * sizeof *parents + 1);
    if (parents == NULL) {
        return 0;
    }
    uint32_t components = oracle->count;
    for (uint32_t i = 0; i < oracle->count; i++) {
        parents[i] = i;
    }
    for (uint32_t i = 0; i < oracle->count; i++) {
        const struct node *node = &oracle->nodes[i];
        for (uint32_t e = 0; e < node->entries_count; e++) {
            uint32_t other = node->entries[e].rank;
            if (other == NONE || !oracle_reaches(oracle, i, other)) {
                continue;
            }
            uint32_t a = set_find(parents, i);
            uint32_t b = set_find(parents, other);
            if (a != b) {
                parents[a] = b;
                components--;
            }
        }
    }
    free(parents);
    return components;
}

void trp_oracle_tables(const struct trp_oracle *oracle, struct trp_oracle_tables *ret_tables)
{
    struct trp_oracle_tables tables = {.nodes = oracle->count,
                                       .neighbourhood_min_ppm = TRP_PPM,
                                       .components = oracle_components(oracle)};
    uint64_t live = 0;
    uint64_t possible = 0;
    uint64_t stale = 0;
    uint64_t neighbourhood = 0;
    for (uint32_t i = 0; i < oracle->count; i++) {
        const struct node *node = &oracle->nodes[i];
        struct table_counts counts = table_count(oracle, i);
        uint32_t near = table_neighbourhood(oracle, i);
        live += counts.live;
        stale += counts.stale;
        possible += table_possible(oracle, node);
        neighbourhood += near;
        tables.neighbourhood_min_ppm =
            near < tables.neighbourhood_min_ppm ? near : tables.neighbourhood_min_ppm;
        tables.entries += node->entries_count;
    }
    tables.completeness_ppm = share_ppm(live, possible);
    tables.stale_ppm = tables.entries == 0 ? 0 : share_ppm(stale, tables.entries);
    tables.neighbourhood_ppm =
        oracle->count == 0 ? TRP_PPM : (uint32_t)(neighbourhood / oracle->count);
    *ret_tables = tables;
}

/* ---- walking a lookup ---- */

struct candidate {
    uint32_t rank;
    uint32_t hops;
    bool asked;
};

struct walk {
    const struct trp_oracle *oracle;
    const uint8_t *target;
    uint64_t top;                            /* of the target */
    struct candidate candidates[CANDIDATES]; /* by distance, closest first */
    uint32_t count;
};

static void walk_add(struct walk *walk, uint32_t rank, uint32_t hops)
{
    const struct node *nodes = walk->oracle->nodes;
    uint32_t at = walk->count;
    while (at > 0) {
        const struct candidate *before = &walk->candidates[at - 1];
        int order = node_closer(walk->target, walk->top, &nodes[before->rank], &nodes[rank]);
        if (order == 0) {
            return; /* known */
        }
        if (order < 0) {
            break;
        }
        at--;
    }
    if (at == CANDIDATES) {
        return;
    }
    uint32_t last = walk->count < CANDIDATES ? walk->count++ : CANDIDATES - 1;
    memmove(&walk->candidates[at + 1], &walk->candidates[at],
            (last - at) * sizeof walk->candidates[0]);
    walk->candidates[at] = (struct candidate){.rank = rank, .hops = hops};
}

/* Adds the k entries of a table that are closest to the target, dead ones not being told apart. */
static void walk_ask(struct walk *walk, uint32_t from, uint32_t rank, uint32_t hops)
{
    const struct trp_oracle *oracle = walk->oracle;
    const struct node *node = &oracle->nodes[rank];
    uint32_t best[TRP_ORACLE_K];
    uint32_t count = 0;
    for (uint32_t i = 0; i < node->entries_count; i++) {
        uint32_t entry = node->entries[i].rank;
        if (entry == NONE) {
            continue;
        }
        uint32_t at = count;
        while (at > 0 && node_closer(walk->target, walk->top, &oracle->nodes[entry],
                                     &oracle->nodes[best[at - 1]]) < 0) {
            at--;
        }
        if (at == TRP_ORACLE_K) {
            continue;
        }
        count += count < TRP_ORACLE_K;
        memmove(&best[at + 1], &best[at], (count - 1 - at) * sizeof best[0]);
        best[at] = entry;
    }
    for (uint32_t i = 0; i < count; i++) {
        if (best[i] != from) {
            walk_add(walk, best[i], hops);
        }
    }
}

/* The closest candidate among the first k in reach that has not been asked; NULL when there is
 * none: then the lookup is over. */
static struct candidate *walk_next(struct walk *walk, uint32_t from)
{
    uint32_t within = 0;
    for (uint32_t i = 0; i < walk->count && within < TRP_ORACLE_K; i++) {
        if (!oracle_reaches(walk->oracle, from, walk->candidates[i].rank)) {
            continue;
        }
        within++;
        if (!walk->candidates[i].asked) {
            return &walk->candidates[i];
        }
    }
    return NULL;
}

static uint32_t walk_recall(const struct walk *walk, uint32_t from, bool *ret_closest,
                            uint32_t *ret_hops)
{
    uint32_t ideal[TRP_ORACLE_K + 1];
    uint32_t count = oracle_closest(walk->oracle, walk->target, ideal, TRP_ORACLE_K + 1);
    uint32_t wanted = 0;
    uint32_t found = 0;
    *ret_closest = false;
    *ret_hops = 0;
    for (uint32_t i = 0; i < count && wanted < TRP_ORACLE_K; i++) {
        if (ideal[i] == from) {
            continue;
        }
        wanted++;
        for (uint32_t c = 0; c < walk->count; c++) {
            if (walk->candidates[c].rank == ideal[i] && walk->candidates[c].asked) {
                found++;
                if (wanted == 1) {
                    *ret_closest = true;
                    *ret_hops = walk->candidates[c].hops;
                }
                break;
            }
        }
    }
    return share_ppm(found, wanted);
}

enum trp_status trp_oracle_walk(const struct trp_oracle *oracle, uint32_t from,
                                struct trp_bytes key, struct trp_oracle_lookup *ret_lookup)
{
    uint32_t source = oracle_rank_of_number(oracle, from);
    if (source == NONE) {
        return TRP_ENOTFOUND;
    }
    uint8_t target[KEY_BYTES];
    key_of(key, target);
    struct walk walk = {.oracle = oracle, .target = target, .top = trp_load_be64(target)};
    struct trp_oracle_lookup lookup = {0};
    walk_ask(&walk, source, source, 0);
    struct candidate *next;
    while (lookup.rpcs < WALK_RPCS && (next = walk_next(&walk, source)) != NULL) {
        next->asked = true;
        lookup.rpcs++;
        walk_ask(&walk, source, next->rank, next->hops + 1);
    }
    lookup.recall_ppm = walk_recall(&walk, source, &lookup.closest_found, &lookup.hops);
    *ret_lookup = lookup;
    return TRP_OK;
}
