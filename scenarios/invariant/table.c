/* SPDX-License-Identifier: MIT */
#include "scenarios/invariant/table.h"

#include "base/index.h"

#include <sodium.h>
#include <stdlib.h>

#define KEY_BYTES 32u
#define BUCKETS   256u
#define K         20u

struct known {
    struct trp_peer_id peer;
    uint8_t key[KEY_BYTES];
    uint64_t check; /* the newest that met it: twice in one check is a double */
};

struct trp_table_keys {
    struct trp_memory memory;
    struct trp_index known; /* by PeerId */
    uint64_t checks;
};

enum trp_status trp_table_keys_open(struct trp_table_keys **ret_keys)
{
    struct trp_table_keys *keys = calloc(1, sizeof *keys);
    if (keys == NULL) {
        return TRP_ENOMEM;
    }
    keys->memory = trp_memory_init(UINT64_MAX);
    keys->known = trp_index_init(&keys->memory);
    *ret_keys = keys;
    return TRP_OK;
}

void trp_table_keys_close(struct trp_table_keys *keys)
{
    if (keys == NULL) {
        return;
    }
    uint32_t at = 0;
    struct known *known;
    while ((known = trp_index_pop(&keys->known, &at)) != NULL) {
        trp_memory_free(&keys->memory, known);
    }
    trp_index_deinit(&keys->known);
    free(keys);
}

/* Gives what is known of a peer; NULL when out of memory. */
static struct known *known_need(struct trp_table_keys *keys, const struct trp_peer_id *peer)
{
    uint32_t hash = trp_index_hash(peer, sizeof *peer);
    uint32_t at = hash;
    struct known *known;
    while ((known = trp_index_next(&keys->known, hash, &at)) != NULL) {
        if (trp_peer_id_equal(&known->peer, peer)) {
            return known;
        }
    }
    known = trp_memory_alloc(&keys->memory, sizeof *known);
    if (known == NULL) {
        return NULL;
    }
    *known = (struct known){.peer = *peer};
    (void)crypto_hash_sha256(known->key, peer->bytes, peer->size); /* it cannot fail */
    if (trp_index_insert(&keys->known, hash, known) != TRP_OK) {
        trp_memory_free(&keys->memory, known);
        return NULL;
    }
    return known;
}

/* Leading bits in common; 256 when the keys are equal. */
static uint32_t common_bits(const uint8_t *a, const uint8_t *b)
{
    for (uint32_t i = 0; i < KEY_BYTES; i++) {
        uint32_t differ = (uint32_t)(a[i] ^ b[i]);
        if (differ != 0) {
            return i * 8 + (uint32_t)__builtin_clz(differ) - 24;
        }
    }
    return BUCKETS;
}

static void fault_note(struct trp_table_fault faults[TRP_TABLE_RULES],
                       const struct trp_table_fault *fault)
{
    struct trp_table_fault *place = &faults[fault->rule - 1];
    if (place->rule == TRP_TABLE_HOLDS) {
        *place = *fault;
    }
}

enum trp_status trp_table_check(struct trp_table_keys *keys, const struct trp_peer_id *self,
                                trp_table_next next, void *user,
                                struct trp_table_fault ret_faults[TRP_TABLE_RULES],
                                uint32_t *ret_count)
{
    struct trp_table_fault found[TRP_TABLE_RULES] = {0};
    uint32_t counts[BUCKETS + 1] = {0};
    struct trp_table_fault entry = {0};
    const struct known *own = known_need(keys, self);
    if (own == NULL) {
        return TRP_ENOMEM;
    }
    keys->checks++;
    while (next(user, &entry.peer, &entry.bucket)) {
        struct known *known = known_need(keys, &entry.peer);
        if (known == NULL) {
            return TRP_ENOMEM;
        }
        entry.expected = common_bits(own->key, known->key);
        if (entry.expected == BUCKETS) {
            entry.rule = TRP_TABLE_SELF;
            fault_note(found, &entry);
        } else if (entry.bucket != entry.expected) {
            entry.rule = TRP_TABLE_BUCKET;
            fault_note(found, &entry);
        }
        if (known->check == keys->checks) {
            entry.rule = TRP_TABLE_DOUBLE;
            fault_note(found, &entry);
        }
        known->check = keys->checks;
        uint32_t in_bucket = ++counts[entry.bucket < BUCKETS ? entry.bucket : BUCKETS];
        if (in_bucket > K) {
            entry.rule = TRP_TABLE_OVERFULL;
            entry.expected = in_bucket;
            fault_note(found, &entry);
        }
    }
    uint32_t count = 0;
    for (uint32_t i = 0; i < TRP_TABLE_RULES; i++) {
        if (found[i].rule != TRP_TABLE_HOLDS) {
            ret_faults[count++] = found[i];
        }
    }
    *ret_count = count;
    return TRP_OK;
}
