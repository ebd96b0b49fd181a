/* SPDX-License-Identifier: MIT */
#include "net/peer_store.h"

/* An address in a peer's block: */
#define AT_SOURCES   0u /* u8 a bit per enum trp_address_source */
#define AT_SIZE      1u /* u8 bytes of the address */
#define HEADER_BYTES 2u

#define ADDRESSES_MOST 256u /* of a peer, whatever the limit says: 16 bits count a block */

/* A short block needs no memory of its own: most peers have one address. */
#define BLOCK_SHORT_BYTES 24u

/* A peer's block is its addresses, best first. */
struct trp_known_peer {
    struct trp_peer_id id;
    union {
        uint8_t shorter[BLOCK_SHORT_BYTES];
        uint8_t *longer; /* once it is longer, it stays there */
    } block;
    uint16_t block_bytes;
    uint16_t block_capacity;
    uint32_t addresses_count;
    trp_handle handle;
    bool kept;                     /* however many come */
    struct trp_list_link use_link; /* in no list when it is kept, or the user named it */
};

static uint8_t *known_block(struct trp_known_peer *known)
{
    return known->block_capacity > BLOCK_SHORT_BYTES ? known->block.longer : known->block.shorter;
}

static const uint8_t *known_entry(const struct trp_known_peer *known, uint32_t at)
{
    return (known->block_capacity > BLOCK_SHORT_BYTES ? known->block.longer
                                                      : known->block.shorter) +
           at;
}

/* How much a source is worth for dialing; 0 is best. */
static uint32_t source_rank(enum trp_address_source source)
{
    switch (source) {
    case TRP_ADDRESS_CONNECTED:
        return 0;
    case TRP_ADDRESS_USER:
        return 1;
    case TRP_ADDRESS_IDENTIFY:
        return 2;
    case TRP_ADDRESS_MDNS:
        return 3;
    case TRP_ADDRESS_DHT:
        break;
    }
    return 4;
}

#define RANK_NONE 5u /* no source is left: it could not be reached */

static uint8_t source_bit(enum trp_address_source source)
{
    return (uint8_t)(1u << source);
}

static uint32_t sources_rank(uint8_t sources)
{
    uint32_t best = RANK_NONE;
    for (uint32_t source = TRP_ADDRESS_USER; source <= TRP_ADDRESS_MDNS; source++) {
        if ((sources & 1u << source) != 0) {
            uint32_t rank = source_rank((enum trp_address_source)source);
            best = rank < best ? rank : best;
        }
    }
    return best;
}

void trp_peer_store_init(struct trp_peer_store *store, struct trp_memory *memory,
                         uint32_t peers_max, uint32_t addresses_max)
{
    *store = (struct trp_peer_store){
        .memory = memory,
        .addresses_max = addresses_max < ADDRESSES_MOST ? addresses_max : ADDRESSES_MOST,
        .peers = trp_index_init(memory),
        .slab = trp_slab_init(memory, sizeof(struct trp_known_peer), peers_max)};
    trp_list_init(&store->by_use);
}

static struct trp_known_peer *store_find(const struct trp_peer_store *store,
                                         const struct trp_peer_id *peer)
{
    uint32_t hash = trp_index_hash(peer, sizeof *peer);
    uint32_t at = hash;
    struct trp_known_peer *known;
    while ((known = trp_index_next(&store->peers, hash, &at)) != NULL) {
        if (trp_peer_id_equal(&known->id, peer)) {
            break;
        }
    }
    return known;
}

static void store_remove(struct trp_peer_store *store, struct trp_known_peer *known)
{
    trp_index_remove(&store->peers, trp_index_hash(&known->id, sizeof known->id), known);
    trp_list_link_remove(&known->use_link);
    if (known->block_capacity > BLOCK_SHORT_BYTES) {
        trp_memory_free(store->memory, known->block.longer);
    }
    trp_slab_remove(&store->slab, known->handle);
}

void trp_peer_store_deinit(struct trp_peer_store *store)
{
    uint32_t at = 0;
    trp_handle handle;
    struct trp_known_peer *known;
    while ((known = trp_slab_next(&store->slab, &at, &handle)) != NULL) {
        store_remove(store, known);
    }
    trp_slab_free(&store->slab);
    trp_index_deinit(&store->peers);
}

static enum trp_status store_add(struct trp_peer_store *store, const struct trp_peer_id *peer,
                                 struct trp_known_peer **ret_known)
{
    trp_handle handle;
    void *object;
    enum trp_status status = trp_slab_insert(&store->slab, &handle, &object);
    struct trp_list_link *oldest = trp_list_front(&store->by_use);
    if (status == TRP_EFULL && oldest != NULL) {
        store_remove(store, TRP_CONTAINER(oldest, struct trp_known_peer, use_link));
        status = trp_slab_insert(&store->slab, &handle, &object);
    }
    if (status != TRP_OK) {
        return status;
    }
    struct trp_known_peer *known = object;
    *known =
        (struct trp_known_peer){.id = *peer, .block_capacity = BLOCK_SHORT_BYTES, .handle = handle};
    status = trp_index_insert(&store->peers, trp_index_hash(&known->id, sizeof known->id), known);
    if (status != TRP_OK) {
        trp_slab_remove(&store->slab, handle);
        return status;
    }
    trp_list_push_back(&store->by_use, &known->use_link);
    *ret_known = known;
    return TRP_OK;
}

/* ---- a peer's block ---- */

static uint32_t entry_bytes(const uint8_t *entry)
{
    return HEADER_BYTES + entry[AT_SIZE];
}

/* Finds the entry of an address; the end of the block when there is none. */
static uint32_t block_find(const struct trp_known_peer *known, const struct trp_multiaddr *address)
{
    uint32_t at = 0;
    while (at < known->block_bytes) {
        const uint8_t *entry = known_entry(known, at);
        if (entry[AT_SIZE] == address->size &&
            memcmp(entry + HEADER_BYTES, address->bytes, address->size) == 0) {
            break;
        }
        at += entry_bytes(entry);
    }
    return at;
}

static void block_cut(struct trp_known_peer *known, uint32_t at)
{
    uint8_t *entry = known_block(known) + at;
    uint32_t size = entry_bytes(entry);
    memmove(entry, entry + size, known->block_bytes - at - size);
    known->block_bytes = (uint16_t)(known->block_bytes - size);
    known->addresses_count--;
}

/* Puts an entry in the order of ranks, before or behind its equals. The block must have the room.
 */
static void block_put(struct trp_known_peer *known, const struct trp_multiaddr *address,
                      uint8_t sources, bool behind)
{
    uint32_t rank = sources_rank(sources) + (behind ? 1 : 0);
    uint32_t at = 0;
    uint8_t *block = known_block(known);
    while (at < known->block_bytes && sources_rank(block[at + AT_SOURCES]) < rank) {
        at += entry_bytes(block + at);
    }
    uint32_t size = HEADER_BYTES + address->size;
    memmove(block + at + size, block + at, known->block_bytes - at);
    block[at + AT_SOURCES] = sources;
    block[at + AT_SIZE] = address->size;
    memcpy(block + at + HEADER_BYTES, address->bytes, address->size);
    known->block_bytes = (uint16_t)(known->block_bytes + size);
    known->addresses_count++;
}

/* Drops the last address that the user did not name, when `rank` is better than its own. */
static bool block_make_way(struct trp_known_peer *known, uint32_t rank)
{
    uint32_t victim = known->block_bytes;
    for (uint32_t at = 0; at < known->block_bytes; at += entry_bytes(known_entry(known, at))) {
        uint8_t sources = known_entry(known, at)[AT_SOURCES];
        bool named = (sources & source_bit(TRP_ADDRESS_USER)) != 0;
        if (!named && sources_rank(sources) >= rank) {
            victim = at;
        }
    }
    if (victim == known->block_bytes) {
        return false;
    }
    block_cut(known, victim);
    return true;
}

/* Makes room for a block of so many bytes; false without memory. */
static bool block_reserve(struct trp_peer_store *store, struct trp_known_peer *known, size_t bytes)
{
    if (bytes <= known->block_capacity) {
        return true;
    }
    bool longer = known->block_capacity > BLOCK_SHORT_BYTES;
    uint8_t *block = trp_memory_resize(store->memory, longer ? known->block.longer : NULL, bytes);
    if (block == NULL) {
        return false;
    }
    if (!longer) {
        memcpy(block, known->block.shorter, known->block_bytes);
    }
    known->block.longer = block;
    known->block_capacity = (uint16_t)bytes;
    return true;
}

static enum trp_status known_insert(struct trp_peer_store *store, struct trp_known_peer *known,
                                    const struct trp_multiaddr *address,
                                    enum trp_address_source source)
{
    uint8_t sources = source_bit(source);
    uint32_t at = block_find(known, address);
    if (at < known->block_bytes) {
        sources |= known_entry(known, at)[AT_SOURCES];
        block_cut(known, at);
        block_put(known, address, sources, false); /* into the same memory */
        return TRP_OK;
    }
    if (known->addresses_count >= store->addresses_max &&
        !block_make_way(known, sources_rank(sources))) {
        return TRP_EFULL;
    }
    if (!block_reserve(store, known, known->block_bytes + HEADER_BYTES + address->size)) {
        return TRP_ENOMEM;
    }
    block_put(known, address, sources, false);
    return TRP_OK;
}

/* ---- the store ---- */

enum trp_status trp_peer_store_insert(struct trp_peer_store *store, const struct trp_peer_id *peer,
                                      const struct trp_multiaddr *address,
                                      enum trp_address_source source)
{
    struct trp_known_peer *known = store_find(store, peer);
    enum trp_status status = TRP_OK;
    if (known == NULL) {
        status = store_add(store, peer, &known);
    }
    if (status != TRP_OK) {
        return status;
    }
    status = known_insert(store, known, address, source);
    if (status != TRP_OK && known->addresses_count == 0) {
        store_remove(store, known);
    } else if (status == TRP_OK && source == TRP_ADDRESS_USER) {
        trp_list_link_remove(&known->use_link);
    }
    return status;
}

void trp_peer_store_demote(struct trp_peer_store *store, const struct trp_peer_id *peer,
                           const struct trp_multiaddr *address)
{
    struct trp_known_peer *known = store_find(store, peer);
    uint32_t at = known == NULL ? 0 : block_find(known, address);
    if (known == NULL || at == known->block_bytes) {
        return;
    }
    /* It is kept, for after a partition nothing else may be left. Only what the user said stays
     * said of it, and it goes behind its equals. */
    uint8_t sources = known_entry(known, at)[AT_SOURCES] & source_bit(TRP_ADDRESS_USER);
    block_cut(known, at);
    block_put(known, address, sources, true);
}

void trp_peer_store_forget(struct trp_peer_store *store, const struct trp_peer_id *peer,
                           const struct trp_multiaddr *address, enum trp_address_source source)
{
    struct trp_known_peer *known = store_find(store, peer);
    uint32_t at = known == NULL ? 0 : block_find(known, address);
    if (known == NULL || at == known->block_bytes) {
        return;
    }
    uint8_t sources = known_entry(known, at)[AT_SOURCES] & (uint8_t)~source_bit(source);
    block_cut(known, at);
    if (sources != 0) {
        block_put(known, address, sources, false);
    } else if (known->addresses_count == 0) {
        store_remove(store, known);
    }
}

void trp_peer_store_touch(struct trp_peer_store *store, const struct trp_peer_id *peer)
{
    struct trp_known_peer *known = store_find(store, peer);
    if (known != NULL && trp_list_link_is_linked(&known->use_link)) {
        trp_list_link_remove(&known->use_link);
        trp_list_push_back(&store->by_use, &known->use_link);
    }
}

static bool user_named(const struct trp_known_peer *known)
{
    for (uint32_t at = 0; at < known->block_bytes; at += entry_bytes(known_entry(known, at))) {
        if ((known_entry(known, at)[AT_SOURCES] & source_bit(TRP_ADDRESS_USER)) != 0) {
            return true;
        }
    }
    return false;
}

void trp_peer_store_keep(struct trp_peer_store *store, const struct trp_peer_id *peer, bool keep)
{
    struct trp_known_peer *known = store_find(store, peer);
    if (known == NULL || known->kept == keep) {
        return;
    }
    known->kept = keep;
    if (keep) {
        trp_list_link_remove(&known->use_link);
    } else if (!user_named(known)) {
        trp_list_push_back(&store->by_use, &known->use_link);
    }
}

static uint32_t known_addresses(const struct trp_known_peer *known,
                                struct trp_multiaddr *ret_addresses, uint32_t max)
{
    uint32_t count = 0;
    for (uint32_t at = 0; at < known->block_bytes && count < max;
         at += entry_bytes(known_entry(known, at))) {
        const uint8_t *entry = known_entry(known, at);
        struct trp_multiaddr *address = &ret_addresses[count++];
        *address = (struct trp_multiaddr){.size = entry[AT_SIZE]};
        memcpy(address->bytes, entry + HEADER_BYTES, address->size);
    }
    return count;
}

uint32_t trp_peer_store_addresses(const struct trp_peer_store *store,
                                  const struct trp_peer_id *peer,
                                  struct trp_multiaddr *ret_addresses, uint32_t max)
{
    const struct trp_known_peer *known = store_find(store, peer);
    return known == NULL ? 0 : known_addresses(known, ret_addresses, max);
}
