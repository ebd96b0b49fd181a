/* SPDX-License-Identifier: MIT */
/* proto/kad/provider_store.h - who provides what, as told by the providers themselves.
 *
 * Purity     No clock: `now` is passed in, and never goes back.
 * Ownership  Keys are copied.
 * Limits     Keys, providers per key, and keys per provider, so that no peer can fill the store. In
 *            a full key, a provider that has missed its renewal (silent for half its time to live)
 *            gives way to a newcomer; otherwise the newcomer is refused. */
#ifndef PROTO_KAD_PROVIDER_STORE_H
#define PROTO_KAD_PROVIDER_STORE_H

#include "base/list.h"
#include "base/memory.h"
#include "proto/kad/key.h"

struct trp_kad_provider_limits {
    uint32_t keys;
    uint32_t providers_per_key;
    uint32_t keys_per_provider;
    trp_time ttl_ns;
};

struct trp_kad_provider_key;
struct trp_kad_provider_share;

struct trp_kad_provider_store {
    struct trp_memory *memory; /* borrowed */
    struct trp_kad_provider_limits limits;
    struct trp_kad_provider_key *keys;     /* by sha256 */
    struct trp_kad_provider_share *shares; /* by provider */
    struct trp_list entries;               /* renewed longest ago first */
    uint32_t keys_count;
    uint32_t count; /* of (key, provider) pairs */
};

/* A pair of the store; `key` is borrowed until the next call that is not const. */
struct trp_kad_provider_pair {
    struct trp_bytes key;
    struct trp_peer_id provider;
};

/* The store must not move after this. */
void trp_kad_provider_store_init(struct trp_kad_provider_store *store, struct trp_memory *memory,
                                 const struct trp_kad_provider_limits *limits);
void trp_kad_provider_store_deinit(struct trp_kad_provider_store *store);

/* Notes that `provider` has `key` for the next ttl_ns. TRP_OK: it is new. TRP_EEXISTS: renewed.
 * TRP_EFULL: a limit refuses it. TRP_ENOMEM. */
enum trp_status trp_kad_provider_store_add(struct trp_kad_provider_store *store,
                                           struct trp_bytes key, const struct trp_peer_id *provider,
                                           trp_time now) TRP_NODISCARD;
/* Forgets a pair; false when it was not there. */
bool trp_kad_provider_store_remove(struct trp_kad_provider_store *store, struct trp_bytes key,
                                   const struct trp_peer_id *provider);
/* Copies at most `max` providers of a key that have not expired, longest known first. */
uint32_t trp_kad_provider_store_find(const struct trp_kad_provider_store *store,
                                     struct trp_bytes key, trp_time now,
                                     struct trp_peer_id *ret_providers, uint32_t max);
bool trp_kad_provider_store_holds(const struct trp_kad_provider_store *store, struct trp_bytes key,
                                  const struct trp_peer_id *provider);
/* When the next pair expires; TRP_NEVER. */
trp_time trp_kad_provider_store_deadline(const struct trp_kad_provider_store *store);
/* Gives an expired pair, which trp_kad_provider_store_drop_expired then drops. */
bool trp_kad_provider_store_next_expired(const struct trp_kad_provider_store *store, trp_time now,
                                         struct trp_kad_provider_pair *ret_pair);
void trp_kad_provider_store_drop_expired(struct trp_kad_provider_store *store, trp_time now);

#endif
