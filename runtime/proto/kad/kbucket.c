/* SPDX-License-Identifier: MIT */
#include "proto/kad/kbucket.h"

#include "base/assert.h"

#define BUCKET_GROWTH 4u /* most buckets are empty or nearly so, a few are full */

struct trp_kad_bucket {
    uint32_t count;
    uint32_t capacity;
    struct trp_kad_entry *entries; /* in no order */
    struct trp_kad_contact pending;
    struct trp_kad_key check; /* whose place it waits for */
    trp_time pending_since;
    bool has_pending;
};

struct trp_kad_table trp_kad_table_init(struct trp_memory *memory, const struct trp_kad_key *self,
                                        trp_time stale_ns)
{
    return (struct trp_kad_table){.memory = memory, .self = *self, .stale_ns = stale_ns};
}

void trp_kad_table_free(struct trp_kad_table *table)
{
    for (uint32_t i = 0; i < TRP_KAD_KEY_BITS; i++) {
        if (table->buckets[i] != NULL) {
            trp_memory_free(table->memory, table->buckets[i]->entries);
            trp_memory_free(table->memory, table->buckets[i]);
            table->buckets[i] = NULL;
        }
    }
    memset(table->used, 0, sizeof table->used);
    table->count = 0;
}

/* Gives the first used bucket at or after `index`; 256 when there is none. */
static uint32_t table_used_from(const struct trp_kad_table *table, uint32_t index)
{
    while (index < TRP_KAD_KEY_BITS) {
        uint64_t rest = table->used[index / 64] >> index % 64;
        if (rest != 0) {
            return index + (uint32_t)__builtin_ctzll(rest);
        }
        index = (index / 64 + 1) * 64;
    }
    return TRP_KAD_KEY_BITS;
}

static struct trp_kad_bucket *table_bucket(const struct trp_kad_table *table,
                                           const struct trp_kad_key *key)
{
    uint32_t index = trp_kad_bucket_index(&table->self, key);
    return index == TRP_KAD_KEY_BITS ? NULL : table->buckets[index];
}

static struct trp_kad_entry *bucket_find(const struct trp_kad_bucket *bucket,
                                         const struct trp_kad_key *key)
{
    for (uint32_t i = 0; bucket != NULL && i < bucket->count; i++) {
        if (trp_kad_key_equal(&bucket->entries[i].contact.key, key)) {
            return &bucket->entries[i];
        }
    }
    return NULL;
}

struct trp_kad_entry *trp_kad_table_find(const struct trp_kad_table *table,
                                         const struct trp_kad_key *key)
{
    return bucket_find(table_bucket(table, key), key);
}

static enum trp_status bucket_append(struct trp_kad_table *table, uint32_t index,
                                     const struct trp_kad_contact *contact, bool connected,
                                     trp_time now)
{
    struct trp_kad_bucket *bucket = table->buckets[index];
    if (bucket->count == bucket->capacity) {
        uint32_t capacity = bucket->capacity + BUCKET_GROWTH;
        struct trp_kad_entry *entries =
            trp_memory_resize(table->memory, bucket->entries, capacity * sizeof *entries);
        if (entries == NULL) {
            return TRP_ENOMEM;
        }
        bucket->entries = entries;
        bucket->capacity = capacity;
    }
    bucket->entries[bucket->count++] =
        (struct trp_kad_entry){.contact = *contact, .seen_at = now, .connected = connected};
    table->used[index / 64] |= 1ull << index % 64;
    table->count++;
    return TRP_OK;
}

/* Finds the disconnected entry heard of least recently; NULL when all are connected. */
static struct trp_kad_entry *bucket_oldest(const struct trp_kad_bucket *bucket)
{
    struct trp_kad_entry *oldest = NULL;
    for (uint32_t i = 0; i < bucket->count; i++) {
        struct trp_kad_entry *entry = &bucket->entries[i];
        if (!entry->connected && (oldest == NULL || entry->seen_at < oldest->seen_at)) {
            oldest = entry;
        }
    }
    return oldest;
}

/* Lets a newcomer wait for the place of the oldest entry, where that may be dead. */
static enum trp_status bucket_pend(const struct trp_kad_table *table, struct trp_kad_bucket *bucket,
                                   const struct trp_kad_contact *contact, bool connected,
                                   trp_time now, struct trp_kad_contact *ret_check)
{
    const struct trp_kad_entry *oldest = bucket_oldest(bucket);
    bool taken =
        bucket->has_pending && now < trp_time_after(bucket->pending_since, TRP_KAD_PENDING_NS);
    if (!connected || oldest == NULL || taken ||
        now < trp_time_after(oldest->seen_at, table->stale_ns)) {
        return TRP_EFULL;
    }
    bucket->has_pending = true;
    bucket->pending = *contact;
    bucket->pending_since = now;
    bucket->check = oldest->contact.key;
    *ret_check = oldest->contact;
    return TRP_EAGAIN;
}

/* Lets a newcomer that is one of our k closest replace the farthest of a full bucket. */
static bool bucket_replace(struct trp_kad_table *table, uint32_t index,
                           const struct trp_kad_contact *contact, bool connected, trp_time now,
                           struct trp_kad_contact *ret_gone)
{
    struct trp_kad_bucket *bucket = table->buckets[index];
    struct trp_kad_key mine = trp_kad_distance(&contact->key, &table->self);
    struct trp_kad_entry *farthest = NULL;
    struct trp_kad_key farthest_distance = mine;
    uint32_t closer = 0;
    for (uint32_t i = 0; i < bucket->count; i++) {
        struct trp_kad_entry *entry = &bucket->entries[i];
        struct trp_kad_key its = trp_kad_distance(&entry->contact.key, &table->self);
        closer += trp_kad_key_compare(&its, &mine) < 0;
        if (trp_kad_key_compare(&its, &farthest_distance) > 0) {
            farthest = entry;
            farthest_distance = its;
        }
    }
    for (uint32_t i = table_used_from(table, index + 1); i < TRP_KAD_KEY_BITS && closer < TRP_KAD_K;
         i = table_used_from(table, i + 1)) {
        closer += table->buckets[i]->count;
    }
    if (farthest == NULL || closer >= TRP_KAD_K) {
        return false;
    }
    *ret_gone = farthest->contact;
    *farthest = (struct trp_kad_entry){.contact = *contact, .seen_at = now, .connected = connected};
    return true;
}

enum trp_status trp_kad_table_insert(struct trp_kad_table *table,
                                     const struct trp_kad_contact *contact, bool connected,
                                     trp_time now, struct trp_kad_contact *ret_check)
{
    uint32_t index = trp_kad_bucket_index(&table->self, &contact->key);
    if (index == TRP_KAD_KEY_BITS) {
        return TRP_EINVAL;
    }
    struct trp_kad_bucket *bucket = table->buckets[index];
    if (bucket == NULL) {
        bucket = trp_memory_alloc(table->memory, sizeof *bucket);
        if (bucket == NULL) {
            return TRP_ENOMEM;
        }
        table->buckets[index] = bucket;
    }
    struct trp_kad_entry *entry = bucket_find(bucket, &contact->key);
    if (entry != NULL) {
        entry->connected = connected;
        trp_kad_table_seen(table, &contact->key, now);
        return TRP_EEXISTS;
    }
    *ret_check = (struct trp_kad_contact){0};
    if (bucket->count == TRP_KAD_K) {
        if (bucket_replace(table, index, contact, connected, now, ret_check)) {
            return TRP_OK;
        }
        return bucket_pend(table, bucket, contact, connected, now, ret_check);
    }
    return bucket_append(table, index, contact, connected, now);
}

void trp_kad_table_seen(struct trp_kad_table *table, const struct trp_kad_key *key, trp_time now)
{
    struct trp_kad_bucket *bucket = table_bucket(table, key);
    struct trp_kad_entry *entry = bucket_find(bucket, key);
    if (entry == NULL) {
        return;
    }
    entry->seen_at = now;
    entry->failures = 0;
    if (bucket->has_pending && trp_kad_key_equal(&bucket->check, key)) {
        bucket->has_pending = false;
    }
}

uint32_t trp_kad_table_failed(struct trp_kad_table *table, const struct trp_kad_key *key)
{
    struct trp_kad_entry *entry = trp_kad_table_find(table, key);
    if (entry == NULL) {
        return 0;
    }
    if (entry->failures < UINT8_MAX) {
        entry->failures++;
    }
    return entry->failures;
}

void trp_kad_table_set_connected(struct trp_kad_table *table, const struct trp_kad_key *key,
                                 bool connected, trp_time now)
{
    struct trp_kad_entry *entry = trp_kad_table_find(table, key);
    if (entry != NULL) {
        entry->connected = connected;
        if (connected) {
            trp_kad_table_seen(table, key, now);
        }
    }
}

bool trp_kad_table_remove(struct trp_kad_table *table, const struct trp_kad_key *key, trp_time now,
                          struct trp_kad_contact *ret_promoted)
{
    *ret_promoted = (struct trp_kad_contact){0};
    struct trp_kad_bucket *bucket = table_bucket(table, key);
    struct trp_kad_entry *entry = bucket_find(bucket, key);
    if (entry == NULL) {
        return false;
    }
    *entry = bucket->entries[--bucket->count];
    table->count--;
    uint32_t index = trp_kad_bucket_index(&table->self, key);
    if (bucket->count == 0) {
        table->used[index / 64] &= ~(1ull << index % 64);
    }
    if (bucket->has_pending) {
        bucket->has_pending = false;
        bool fresh = now < trp_time_after(bucket->pending_since, TRP_KAD_PENDING_NS);
        /* There is room for one more: the entry just removed left its slot. */
        if (fresh && bucket_append(table, index, &bucket->pending, true, now) == TRP_OK) {
            *ret_promoted = bucket->pending;
        }
    }
    return true;
}

/* ---- reading ---- */

/* The entries found so far, closest first, with the top of each distance at hand. */
struct closest {
    const struct trp_kad_key *target;
    const struct trp_kad_key *skip;
    const struct trp_kad_entry **entries;
    uint64_t tops[TRP_KAD_CLOSEST_MAX];
    uint32_t max;
    uint32_t group; /* where the sorting of the current group begins */
    uint32_t count;
};

static bool closest_precedes(const struct closest *closest, const struct trp_kad_entry *entry,
                             uint64_t top, uint32_t at)
{
    if (top != closest->tops[at]) {
        return top < closest->tops[at];
    }
    struct trp_kad_key mine = trp_kad_distance(&entry->contact.key, closest->target);
    struct trp_kad_key its = trp_kad_distance(&closest->entries[at]->contact.key, closest->target);
    return trp_kad_key_compare(&mine, &its) < 0;
}

static void closest_add_bucket(struct closest *closest, const struct trp_kad_bucket *bucket)
{
    for (uint32_t i = 0; i < bucket->count; i++) {
        const struct trp_kad_entry *entry = &bucket->entries[i];
        if (closest->skip != NULL && trp_kad_key_equal(closest->skip, &entry->contact.key)) {
            continue;
        }
        uint64_t top = entry->contact.key.words[0] ^ closest->target->words[0];
        uint32_t at = closest->count;
        while (at > closest->group && closest_precedes(closest, entry, top, at - 1)) {
            at--;
        }
        if (at == closest->max) {
            continue;
        }
        uint32_t end = closest->count < closest->max ? closest->count++ : closest->max - 1;
        for (uint32_t k = end; k > at; k--) {
            closest->entries[k] = closest->entries[k - 1];
            closest->tops[k] = closest->tops[k - 1];
        }
        closest->entries[at] = entry;
        closest->tops[at] = top;
    }
}

static bool table_is_used(const struct trp_kad_table *table, uint32_t index)
{
    return (table->used[index / 64] >> index % 64 & 1u) != 0;
}

uint32_t trp_kad_table_closest(const struct trp_kad_table *table, const struct trp_kad_key *target,
                               const struct trp_kad_key *skip, uint32_t max,
                               const struct trp_kad_entry **ret_entries)
{
    TRP_ASSERT(max > 0 && max <= TRP_KAD_CLOSEST_MAX);
    struct closest closest = {.target = target, .skip = skip, .entries = ret_entries, .max = max};
    /* With c the bucket of the target: peers in c share more than c bits with it, those in deeper
     * buckets exactly c, those in bucket j < c exactly j. So the groups need no sorting among
     * each other. */
    uint32_t c = trp_kad_bucket_index(&table->self, target);
    if (c < TRP_KAD_KEY_BITS) {
        if (table_is_used(table, c)) {
            closest_add_bucket(&closest, table->buckets[c]);
        }
        closest.group = closest.count;
        uint32_t i = table_used_from(table, c + 1);
        while (closest.group < max && i < TRP_KAD_KEY_BITS) {
            closest_add_bucket(&closest, table->buckets[i]);
            i = table_used_from(table, i + 1);
        }
    }
    for (uint32_t i = c; i-- > 0 && closest.count < max;) {
        if (table_is_used(table, i)) {
            closest.group = closest.count;
            closest_add_bucket(&closest, table->buckets[i]);
        }
    }
    return closest.count;
}

const struct trp_kad_entry *trp_kad_table_next(const struct trp_kad_table *table, uint32_t *at,
                                               uint32_t *ret_bucket)
{
    /* *at is bucket * TRP_KAD_BUCKET_AT + position. */
    uint32_t index = *at / TRP_KAD_BUCKET_AT;
    uint32_t position = *at % TRP_KAD_BUCKET_AT;
    while (index < TRP_KAD_KEY_BITS) {
        const struct trp_kad_bucket *bucket = table->buckets[index];
        if (bucket != NULL && position < bucket->count) {
            *at = index * TRP_KAD_BUCKET_AT + position + 1;
            *ret_bucket = index;
            return &bucket->entries[position];
        }
        index = table_used_from(table, index + 1);
        position = 0;
    }
    *at = TRP_KAD_KEY_BITS * TRP_KAD_BUCKET_AT;
    return NULL;
}

uint32_t trp_kad_table_bucket_count(const struct trp_kad_table *table, uint32_t bucket)
{
    return bucket < TRP_KAD_KEY_BITS && table->buckets[bucket] != NULL
               ? table->buckets[bucket]->count
               : 0;
}

const struct trp_kad_entry *trp_kad_table_at(const struct trp_kad_table *table, uint32_t bucket,
                                             uint32_t position)
{
    return position < trp_kad_table_bucket_count(table, bucket)
               ? &table->buckets[bucket]->entries[position]
               : NULL;
}

uint32_t trp_kad_table_stalest(const struct trp_kad_table *table, uint32_t bucket, trp_time before,
                               uint32_t max, const struct trp_kad_entry **ret_entries)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < trp_kad_table_bucket_count(table, bucket); i++) {
        const struct trp_kad_entry *entry = &table->buckets[bucket]->entries[i];
        if (entry->connected || entry->seen_at >= before) {
            continue;
        }
        uint32_t at = count;
        while (at > 0 && ret_entries[at - 1]->seen_at > entry->seen_at) {
            at--;
        }
        if (at == max) {
            continue;
        }
        count += count < max;
        for (uint32_t k = count - 1; k > at; k--) {
            ret_entries[k] = ret_entries[k - 1];
        }
        ret_entries[at] = entry;
    }
    return count;
}

uint32_t trp_kad_table_near_bucket(const struct trp_kad_table *table)
{
    uint32_t farther = table->count;
    uint32_t near = 0;
    for (uint32_t i = table_used_from(table, 0); i < TRP_KAD_KEY_BITS;
         i = table_used_from(table, i + 1)) {
        if (farther < TRP_KAD_K) {
            break;
        }
        near = i;
        farther -= table->buckets[i]->count;
    }
    return near;
}
