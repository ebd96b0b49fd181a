/* SPDX-License-Identifier: MIT */
#include "proto/kad/record_store.h"

#include "base/list.h"
#include "base/map.h"

struct trp_kad_record_share {
    struct trp_peer_id owner;
    uint32_t records;
    UT_hash_handle hh;
};

struct trp_kad_stored {
    struct trp_kad_key id;
    struct trp_kad_record_share *share;
    struct trp_heap_entry expiry;
    UT_hash_handle hh;
    uint32_t key_size;
    uint32_t value_size;
    uint8_t bytes[]; /* the key, then the value */
};

void trp_kad_record_store_init(struct trp_kad_record_store *store, struct trp_memory *memory,
                               const struct trp_kad_record_limits *limits)
{
    *store = (struct trp_kad_record_store){
        .memory = memory, .limits = *limits, .expiries = trp_heap_init(memory)};
}

static void store_release_share(struct trp_kad_record_store *store,
                                struct trp_kad_record_share *share)
{
    if (share->records == 0) {
        struct trp_memory *uthash_memory = store->memory;
        HASH_DELETE(hh, store->shares, share);
        trp_memory_free(uthash_memory, share);
    }
}

static void store_drop(struct trp_kad_record_store *store, struct trp_kad_stored *record)
{
    struct trp_memory *uthash_memory = store->memory;
    HASH_DELETE(hh, store->records, record);
    trp_heap_remove(&store->expiries, &record->expiry);
    record->share->records--;
    store_release_share(store, record->share);
    store->count--;
    trp_memory_free(uthash_memory, record);
}

void trp_kad_record_store_deinit(struct trp_kad_record_store *store)
{
    while (store->records != NULL) {
        store_drop(store, store->records);
    }
    trp_heap_free(&store->expiries);
}

static struct trp_kad_stored *store_record(const struct trp_kad_record_store *store,
                                           struct trp_bytes key)
{
    struct trp_kad_key id = trp_kad_key_of(key);
    struct trp_kad_stored *record;
    HASH_FIND(hh, store->records, &id, sizeof id, record);
    return record;
}

static struct trp_kad_record_share *store_make_share(struct trp_kad_record_store *store,
                                                     const struct trp_peer_id *owner)
{
    struct trp_kad_record_share *share;
    HASH_FIND(hh, store->shares, owner, sizeof *owner, share);
    if (share != NULL) {
        return share;
    }
    struct trp_memory *uthash_memory = store->memory;
    share = trp_memory_alloc(uthash_memory, sizeof *share);
    if (share == NULL) {
        return NULL;
    }
    share->owner = *owner;
    HASH_ADD(hh, store->shares, owner, sizeof share->owner, share);
    if (share->hh.tbl == NULL) {
        trp_memory_free(uthash_memory, share);
        return NULL;
    }
    return share;
}

static struct trp_kad_stored *store_make(struct trp_kad_record_store *store, struct trp_bytes key,
                                         struct trp_bytes value)
{
    struct trp_kad_stored *record =
        trp_memory_alloc(store->memory, sizeof *record + key.size + value.size);
    if (record == NULL) {
        return NULL;
    }
    record->id = trp_kad_key_of(key);
    record->key_size = (uint32_t)key.size;
    record->value_size = (uint32_t)value.size;
    if (key.size > 0) {
        memcpy(record->bytes, key.data, key.size);
    }
    if (value.size > 0) {
        memcpy(record->bytes + key.size, value.data, value.size);
    }
    return record;
}

/* Says which rule refuses the record; `old` is what lives at its key. */
static enum trp_status store_admit(const struct trp_kad_record_store *store,
                                   const struct trp_kad_stored *old, struct trp_bytes value,
                                   const struct trp_peer_id *owner, trp_time now)
{
    if (value.size > store->limits.value_bytes) {
        return TRP_ETOOBIG;
    }
    bool owned = old != NULL && trp_peer_id_equal(&old->share->owner, owner);
    if (old != NULL && !owned && old->expiry.at > now) {
        return TRP_EDENIED;
    }
    const struct trp_kad_record_share *share;
    HASH_FIND(hh, store->shares, owner, sizeof *owner, share);
    if (!owned && share != NULL && share->records >= store->limits.records_per_owner) {
        return TRP_EFULL;
    }
    return old == NULL && store->count >= store->limits.records ? TRP_EFULL : TRP_OK;
}

static trp_time store_expiry(const struct trp_kad_record_store *store, trp_time now,
                             trp_time ttl_ns)
{
    trp_time longest = store->limits.ttl_ns;
    return trp_time_after(now, ttl_ns == 0 ? longest : trp_time_min(ttl_ns, longest));
}

enum trp_status trp_kad_record_store_put(struct trp_kad_record_store *store, struct trp_bytes key,
                                         struct trp_bytes value, const struct trp_peer_id *owner,
                                         trp_time now, trp_time ttl_ns)
{
    struct trp_kad_stored *old = store_record(store, key);
    enum trp_status status = store_admit(store, old, value, owner, now);
    if (status != TRP_OK) {
        return status;
    }
    struct trp_memory *uthash_memory = store->memory;
    struct trp_kad_record_share *share = NULL;
    struct trp_kad_stored *record = store_make(store, key, value);
    if (record == NULL) {
        goto out;
    }
    share = store_make_share(store, owner);
    if (share == NULL) {
        goto out;
    }
    if (trp_heap_insert(&store->expiries, &record->expiry, store_expiry(store, now, ttl_ns),
                        store->puts++) != TRP_OK) {
        goto out;
    }
    HASH_ADD(hh, store->records, id, sizeof record->id, record);
    if (record->hh.tbl == NULL) {
        goto out;
    }
    record->share = share;
    share->records++;
    store->count++;
    if (old == NULL) {
        return TRP_OK;
    }
    store_drop(store, old); /* last, so that a failure leaves it where it was */
    return TRP_EEXISTS;
out:
    if (record != NULL) {
        trp_heap_remove(&store->expiries, &record->expiry);
    }
    if (share != NULL) {
        store_release_share(store, share);
    }
    trp_memory_free(uthash_memory, record);
    return TRP_ENOMEM;
}

static struct trp_kad_found_record store_view(const struct trp_kad_stored *record)
{
    return (struct trp_kad_found_record){
        .key = trp_bytes(record->bytes, record->key_size),
        .value = trp_bytes(record->bytes + record->key_size, record->value_size),
        .owner = record->share->owner,
        .expires_at = record->expiry.at};
}

enum trp_status trp_kad_record_store_find(const struct trp_kad_record_store *store,
                                          struct trp_bytes key, trp_time now,
                                          struct trp_kad_found_record *ret_record)
{
    const struct trp_kad_stored *record = store_record(store, key);
    if (record == NULL || record->expiry.at <= now) {
        return TRP_ENOTFOUND;
    }
    *ret_record = store_view(record);
    return TRP_OK;
}

trp_time trp_kad_record_store_deadline(const struct trp_kad_record_store *store)
{
    return trp_heap_deadline(&store->expiries);
}

static struct trp_kad_stored *store_expired(const struct trp_kad_record_store *store, trp_time now)
{
    struct trp_heap_entry *front = trp_heap_front(&store->expiries);
    return front == NULL || front->at > now ? NULL
                                            : TRP_CONTAINER(front, struct trp_kad_stored, expiry);
}

bool trp_kad_record_store_next_expired(const struct trp_kad_record_store *store, trp_time now,
                                       struct trp_kad_found_record *ret_record)
{
    const struct trp_kad_stored *record = store_expired(store, now);
    if (record == NULL) {
        return false;
    }
    *ret_record = store_view(record);
    return true;
}

void trp_kad_record_store_drop_expired(struct trp_kad_record_store *store, trp_time now)
{
    struct trp_kad_stored *record = store_expired(store, now);
    if (record != NULL) {
        store_drop(store, record);
    }
}
