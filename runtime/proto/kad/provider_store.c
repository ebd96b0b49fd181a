/* SPDX-License-Identifier: MIT */
#include "proto/kad/provider_store.h"

#include "base/map.h"

struct trp_kad_provider_share {
    struct trp_peer_id provider;
    uint32_t keys;
    UT_hash_handle hh;
};

struct entry {
    struct trp_list_link of_store;
    struct trp_list_link of_key;
    struct trp_kad_provider_key *key;
    struct trp_kad_provider_share *share;
    trp_time renewed_at;
};

struct trp_kad_provider_key {
    struct trp_kad_key id;
    struct trp_list entries; /* longest known first */
    uint32_t count;
    UT_hash_handle hh;
    uint32_t size;
    uint8_t bytes[];
};

void trp_kad_provider_store_init(struct trp_kad_provider_store *store, struct trp_memory *memory,
                                 const struct trp_kad_provider_limits *limits)
{
    *store = (struct trp_kad_provider_store){.memory = memory, .limits = *limits};
    trp_list_init(&store->entries);
}

static void store_release_key(struct trp_kad_provider_store *store,
                              struct trp_kad_provider_key *key)
{
    if (key->count == 0) {
        struct trp_memory *uthash_memory = store->memory;
        HASH_DELETE(hh, store->keys, key);
        store->keys_count--;
        trp_memory_free(uthash_memory, key);
    }
}

static void store_release_share(struct trp_kad_provider_store *store,
                                struct trp_kad_provider_share *share)
{
    if (share->keys == 0) {
        struct trp_memory *uthash_memory = store->memory;
        HASH_DELETE(hh, store->shares, share);
        trp_memory_free(uthash_memory, share);
    }
}

static void store_drop(struct trp_kad_provider_store *store, struct entry *entry)
{
    trp_list_link_remove(&entry->of_store);
    trp_list_link_remove(&entry->of_key);
    entry->key->count--;
    entry->share->keys--;
    store->count--;
    store_release_key(store, entry->key);
    store_release_share(store, entry->share);
    trp_memory_free(store->memory, entry);
}

void trp_kad_provider_store_deinit(struct trp_kad_provider_store *store)
{
    struct trp_list_link *link;
    while ((link = trp_list_front(&store->entries)) != NULL) {
        store_drop(store, TRP_CONTAINER(link, struct entry, of_store));
    }
}

/* ---- finding ---- */

static struct trp_kad_provider_key *store_key(const struct trp_kad_provider_store *store,
                                              struct trp_bytes bytes)
{
    struct trp_kad_key id = trp_kad_key_of(bytes);
    struct trp_kad_provider_key *key;
    HASH_FIND(hh, store->keys, &id, sizeof id, key);
    return key;
}

static struct trp_kad_provider_share *store_share(const struct trp_kad_provider_store *store,
                                                  const struct trp_peer_id *provider)
{
    struct trp_kad_provider_share *share;
    HASH_FIND(hh, store->shares, provider, sizeof *provider, share);
    return share;
}

static struct entry *key_entry(const struct trp_kad_provider_key *key,
                               const struct trp_peer_id *provider)
{
    struct trp_list_link *link = key == NULL ? NULL : trp_list_front(&key->entries);
    while (link != NULL) {
        struct entry *entry = TRP_CONTAINER(link, struct entry, of_key);
        if (trp_peer_id_equal(&entry->share->provider, provider)) {
            return entry;
        }
        link = trp_list_next(&key->entries, link);
    }
    return NULL;
}

static trp_time entry_expires_at(const struct trp_kad_provider_store *store,
                                 const struct entry *entry)
{
    return trp_time_after(entry->renewed_at, store->limits.ttl_ns);
}

uint32_t trp_kad_provider_store_find(const struct trp_kad_provider_store *store,
                                     struct trp_bytes bytes, trp_time now,
                                     struct trp_peer_id *ret_providers, uint32_t max)
{
    const struct trp_kad_provider_key *key = store_key(store, bytes);
    struct trp_list_link *link = key == NULL ? NULL : trp_list_front(&key->entries);
    uint32_t count = 0;
    while (link != NULL && count < max) {
        const struct entry *entry = TRP_CONTAINER(link, struct entry, of_key);
        if (entry_expires_at(store, entry) > now) {
            ret_providers[count++] = entry->share->provider;
        }
        link = trp_list_next(&key->entries, link);
    }
    return count;
}

bool trp_kad_provider_store_holds(const struct trp_kad_provider_store *store, struct trp_bytes key,
                                  const struct trp_peer_id *provider)
{
    return key_entry(store_key(store, key), provider) != NULL;
}

/* ---- adding ---- */

static struct trp_kad_provider_share *store_make_share(struct trp_kad_provider_store *store,
                                                       const struct trp_peer_id *provider)
{
    struct trp_kad_provider_share *share = store_share(store, provider);
    if (share != NULL) {
        return share;
    }
    struct trp_memory *uthash_memory = store->memory;
    share = trp_memory_alloc(uthash_memory, sizeof *share);
    if (share == NULL) {
        return NULL;
    }
    share->provider = *provider;
    HASH_ADD(hh, store->shares, provider, sizeof share->provider, share);
    if (share->hh.tbl == NULL) {
        trp_memory_free(uthash_memory, share);
        return NULL;
    }
    return share;
}

static struct trp_kad_provider_key *store_make_key(struct trp_kad_provider_store *store,
                                                   struct trp_bytes bytes)
{
    struct trp_memory *uthash_memory = store->memory;
    struct trp_kad_provider_key *key = trp_memory_alloc(uthash_memory, sizeof *key + bytes.size);
    if (key == NULL) {
        return NULL;
    }
    key->id = trp_kad_key_of(bytes);
    key->size = (uint32_t)bytes.size;
    if (bytes.size > 0) {
        memcpy(key->bytes, bytes.data, bytes.size);
    }
    trp_list_init(&key->entries);
    HASH_ADD(hh, store->keys, id, sizeof key->id, key);
    if (key->hh.tbl == NULL) {
        trp_memory_free(uthash_memory, key);
        return NULL;
    }
    store->keys_count++;
    return key;
}

/* Says whether a limit refuses one more provider of `key` (NULL: a new key). In a full key the one
 * that has missed its renewal goes. */
static bool store_is_full(struct trp_kad_provider_store *store, struct trp_kad_provider_key *key,
                          const struct trp_kad_provider_share *share, trp_time now)
{
    if (share != NULL && share->keys >= store->limits.keys_per_provider) {
        return true;
    }
    if (key == NULL) {
        return store->keys_count >= store->limits.keys;
    }
    if (key->count < store->limits.providers_per_key) {
        return false;
    }
    struct entry *oldest = NULL;
    struct trp_list_link *link = trp_list_front(&key->entries);
    while (link != NULL) {
        struct entry *entry = TRP_CONTAINER(link, struct entry, of_key);
        if (oldest == NULL || entry->renewed_at < oldest->renewed_at) {
            oldest = entry;
        }
        link = trp_list_next(&key->entries, link);
    }
    if (oldest == NULL || now < trp_time_after(oldest->renewed_at, store->limits.ttl_ns / 2)) {
        return true;
    }
    key->count++; /* holds the key while its last entry may go */
    store_drop(store, oldest);
    key->count--;
    return false;
}

enum trp_status trp_kad_provider_store_add(struct trp_kad_provider_store *store,
                                           struct trp_bytes bytes,
                                           const struct trp_peer_id *provider, trp_time now)
{
    struct trp_kad_provider_key *key = store_key(store, bytes);
    struct entry *entry = key_entry(key, provider);
    if (entry != NULL) {
        entry->renewed_at = now;
        trp_list_link_remove(&entry->of_store);
        trp_list_push_back(&store->entries, &entry->of_store);
        return TRP_EEXISTS;
    }
    if (store_is_full(store, key, store_share(store, provider), now)) {
        return TRP_EFULL;
    }
    struct trp_kad_provider_share *share = NULL;
    entry = trp_memory_alloc(store->memory, sizeof *entry);
    if (entry == NULL) {
        goto out;
    }
    share = store_make_share(store, provider);
    if (share == NULL) {
        goto out;
    }
    key = key != NULL ? key : store_make_key(store, bytes);
    if (key == NULL) {
        goto out;
    }
    entry->key = key;
    entry->share = share;
    entry->renewed_at = now;
    key->count++;
    share->keys++;
    store->count++;
    trp_list_push_back(&store->entries, &entry->of_store);
    trp_list_push_back(&key->entries, &entry->of_key);
    return TRP_OK;
out:
    if (share != NULL) {
        store_release_share(store, share);
    }
    if (key != NULL) {
        store_release_key(store, key);
    }
    trp_memory_free(store->memory, entry);
    return TRP_ENOMEM;
}

/* ---- leaving ---- */

bool trp_kad_provider_store_remove(struct trp_kad_provider_store *store, struct trp_bytes key,
                                   const struct trp_peer_id *provider)
{
    struct entry *entry = key_entry(store_key(store, key), provider);
    if (entry == NULL) {
        return false;
    }
    store_drop(store, entry);
    return true;
}

trp_time trp_kad_provider_store_deadline(const struct trp_kad_provider_store *store)
{
    struct trp_list_link *link = trp_list_front(&store->entries);
    return link == NULL ? TRP_NEVER
                        : entry_expires_at(store, TRP_CONTAINER(link, struct entry, of_store));
}

bool trp_kad_provider_store_next_expired(const struct trp_kad_provider_store *store, trp_time now,
                                         struct trp_kad_provider_pair *ret_pair)
{
    struct trp_list_link *link = trp_list_front(&store->entries);
    if (link == NULL || trp_kad_provider_store_deadline(store) > now) {
        return false;
    }
    const struct entry *entry = TRP_CONTAINER(link, struct entry, of_store);
    ret_pair->key = trp_bytes(entry->key->bytes, entry->key->size);
    ret_pair->provider = entry->share->provider;
    return true;
}

void trp_kad_provider_store_drop_expired(struct trp_kad_provider_store *store, trp_time now)
{
    struct trp_list_link *link = trp_list_front(&store->entries);
    if (link != NULL && trp_kad_provider_store_deadline(store) <= now) {
        store_drop(store, TRP_CONTAINER(link, struct entry, of_store));
    }
}
