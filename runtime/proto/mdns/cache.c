/* SPDX-License-Identifier: MIT */
#include "proto/mdns/cache.h"

#include "base/prng.h"

/* RFC 6762 10: nothing of this use lives longer than 75 minutes unheard. */
#define TTL_S_MAX 4500u
/* RFC 6762 10.1: a goodbye counts after a second, so that a mistaken one can be set right. */
#define GOODBYE_NS TRP_S(1)
/* RFC 6762 5.2: asked for again at 80 and 90 parts of 100, up to 2 parts later by chance. */
#define ASKS_MAX      2u
#define ASK_FIRST     80u
#define ASK_STEP      10u
#define ASK_SPREAD    2u
#define ASK_TTL_S_MIN 20u

/* What an entry is found by; without padding. */
struct entry_key {
    struct trp_peer_id peer;
    struct trp_multiaddr address;
    uint8_t zone[4]; /* the interface of a link-local address */
};

struct trp_mdns_entry {
    struct entry_key key;
    trp_handle handle;
    uint32_t interface;
    bool link_local;
    uint32_t ttl_s;
    uint32_t asks;
    trp_time heard_at;
    enum trp_mdns_event_kind event;
    struct trp_list_link event_link;
    struct trp_heap_entry due;
    UT_hash_handle hh;
};

void trp_mdns_cache_init(struct trp_mdns_cache *cache, struct trp_memory *memory, uint64_t seed,
                         uint32_t addresses_max, uint32_t addresses_per_peer)
{
    *cache = (struct trp_mdns_cache){
        .memory = memory,
        .seed = seed,
        .addresses_per_peer = addresses_per_peer,
        .slab = trp_slab_init(memory, sizeof(struct trp_mdns_entry), addresses_max),
        .heap = trp_heap_init(memory)};
    trp_list_init(&cache->events);
}

static void entry_remove(struct trp_mdns_cache *cache, struct trp_mdns_entry *entry)
{
    struct trp_memory *uthash_memory = cache->memory;
    HASH_DELETE(hh, cache->entries, entry);
    trp_heap_remove(&cache->heap, &entry->due);
    trp_list_link_remove(&entry->event_link);
    trp_slab_remove(&cache->slab, entry->handle);
}

void trp_mdns_cache_deinit(struct trp_mdns_cache *cache)
{
    while (cache->entries != NULL) {
        entry_remove(cache, cache->entries);
    }
    trp_slab_free(&cache->slab);
    trp_heap_free(&cache->heap);
}

static void entry_tell(struct trp_mdns_cache *cache, struct trp_mdns_entry *entry,
                       enum trp_mdns_event_kind kind)
{
    bool told = !trp_list_link_is_linked(&entry->event_link);
    if (told) {
        trp_list_push_back(&cache->events, &entry->event_link);
    }
    /* What was found and not told yet is still new. */
    if (told || kind == TRP_MDNS_EXPIRED || entry->event == TRP_MDNS_EXPIRED) {
        entry->event = kind;
    }
}

/* Plans what is next: to ask again, or to forget. */
static enum trp_status entry_plan(struct trp_mdns_cache *cache, struct trp_mdns_entry *entry)
{
    trp_time ttl_ns = TRP_S(entry->ttl_s);
    trp_time span = ttl_ns;
    if (entry->ttl_s == 0) {
        span = GOODBYE_NS;
    } else if (entry->ttl_s >= ASK_TTL_S_MIN && entry->asks < ASKS_MAX) {
        uint64_t draw = trp_draw(cache->seed, entry->handle, 0, cache->ties);
        trp_time spread = ttl_ns / 100 * ASK_SPREAD;
        span = ttl_ns / 100 * (ASK_FIRST + entry->asks * ASK_STEP) +
               trp_draw_below(draw, (uint32_t)(spread / 1000)) * TRP_US(1);
    }
    return trp_heap_insert(&cache->heap, &entry->due, trp_time_after(entry->heard_at, span),
                           cache->ties++);
}

static bool peer_is_full(const struct trp_mdns_cache *cache, const struct trp_peer_id *peer)
{
    uint32_t count = 0;
    for (const struct trp_mdns_entry *at = cache->entries; at != NULL; at = at->hh.next) {
        count += trp_peer_id_equal(&at->key.peer, peer);
    }
    return count >= cache->addresses_per_peer;
}

static enum trp_status entry_add(struct trp_mdns_cache *cache, const struct entry_key *key,
                                 struct trp_mdns_entry **ret_entry)
{
    trp_handle handle;
    void *object;
    if (cache->slab.count == cache->slab.slots_max || peer_is_full(cache, &key->peer)) {
        return TRP_EFULL;
    }
    enum trp_status status = trp_slab_insert(&cache->slab, &handle, &object);
    if (status != TRP_OK) {
        return status;
    }
    struct trp_memory *uthash_memory = cache->memory;
    struct trp_mdns_entry *entry = object;
    *entry = (struct trp_mdns_entry){.key = *key, .handle = handle};
    HASH_ADD(hh, cache->entries, key, sizeof entry->key, entry);
    if (entry->hh.tbl == NULL) {
        trp_slab_remove(&cache->slab, handle);
        return TRP_ENOMEM;
    }
    *ret_entry = entry;
    return TRP_OK;
}

enum trp_status trp_mdns_cache_hear(struct trp_mdns_cache *cache, const struct trp_mdns_news *heard,
                                    uint32_t ttl_s, trp_time now)
{
    struct entry_key key = {.peer = heard->peer, .address = heard->address};
    struct trp_mdns_entry *entry;
    if (heard->link_local) {
        memcpy(key.zone, &heard->interface, sizeof key.zone);
    }
    HASH_FIND(hh, cache->entries, &key, sizeof key, entry);
    bool found = entry != NULL;
    if (!found && ttl_s == 0) {
        return TRP_OK; /* a goodbye of somebody unknown */
    }
    enum trp_status status = found ? TRP_OK : entry_add(cache, &key, &entry);
    if (status != TRP_OK) {
        return status;
    }
    entry->interface = heard->interface;
    entry->link_local = heard->link_local;
    entry->ttl_s = ttl_s < TTL_S_MAX ? ttl_s : TTL_S_MAX;
    entry->heard_at = now;
    entry->asks = 0;
    status = entry_plan(cache, entry);
    if (status != TRP_OK) {
        if (!found) { /* else its end is told in any case */
            entry_remove(cache, entry);
        }
        return status;
    }
    if (ttl_s > 0) {
        entry_tell(cache, entry, found ? TRP_MDNS_RENEWED : TRP_MDNS_DISCOVERED);
    }
    return TRP_OK;
}

bool trp_mdns_cache_next_news(struct trp_mdns_cache *cache, struct trp_mdns_news *ret_news)
{
    struct trp_list_link *link = trp_list_pop_front(&cache->events);
    if (link == NULL) {
        return false;
    }
    struct trp_mdns_entry *entry = TRP_CONTAINER(link, struct trp_mdns_entry, event_link);
    *ret_news = (struct trp_mdns_news){.kind = entry->event,
                                       .peer = entry->key.peer,
                                       .address = entry->key.address,
                                       .interface = entry->interface,
                                       .link_local = entry->link_local};
    if (entry->event == TRP_MDNS_EXPIRED) {
        entry_remove(cache, entry);
    }
    return true;
}

trp_time trp_mdns_cache_deadline(const struct trp_mdns_cache *cache)
{
    return trp_heap_deadline(&cache->heap);
}

bool trp_mdns_cache_expire(struct trp_mdns_cache *cache, trp_time now, uint32_t *ret_interface)
{
    if (trp_heap_deadline(&cache->heap) > now) {
        return false;
    }
    struct trp_mdns_entry *entry =
        TRP_CONTAINER(trp_heap_front(&cache->heap), struct trp_mdns_entry, due);
    trp_time span = entry->ttl_s == 0 ? GOODBYE_NS : TRP_S(entry->ttl_s);
    *ret_interface = 0;
    if (trp_time_after(entry->heard_at, span) > now) {
        entry->asks++;
        *ret_interface = entry->interface;
        TRP_IGNORE(entry_plan(cache, entry)); /* moves what is in the heap: needs no memory */
        return true;
    }
    trp_heap_remove(&cache->heap, &entry->due);
    if (trp_list_link_is_linked(&entry->event_link) && entry->event == TRP_MDNS_DISCOVERED) {
        entry_remove(cache, entry); /* nobody was told that it is there */
    } else {
        entry_tell(cache, entry, TRP_MDNS_EXPIRED);
    }
    return true;
}
