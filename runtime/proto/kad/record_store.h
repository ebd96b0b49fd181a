/* SPDX-License-Identifier: MIT */
/* proto/kad/record_store.h - records kept for others.
 *
 * A record belongs to the peer that stored it; only the owner may replace it while it lives.
 * Purity     No clock: `now` is passed in.
 * Ownership  Keys and values are copied; a record found is borrowed until the next call that is not
 *            const.
 * Limits     Records, bytes of a value, and records per owner, so that no peer can fill the store.
 */
#ifndef PROTO_KAD_RECORD_STORE_H
#define PROTO_KAD_RECORD_STORE_H

#include "base/heap.h"
#include "base/memory.h"
#include "proto/kad/key.h"

struct trp_kad_record_limits {
    uint32_t records;
    uint32_t records_per_owner;
    uint32_t value_bytes;
    trp_time ttl_ns; /* longest; of records that say none */
};

struct trp_kad_stored;
struct trp_kad_record_share;

struct trp_kad_record_store {
    struct trp_memory *memory; /* borrowed */
    struct trp_kad_record_limits limits;
    struct trp_kad_stored *records;      /* by sha256 of the key */
    struct trp_kad_record_share *shares; /* by owner */
    struct trp_heap expiries;
    uint64_t puts; /* breaks ties of expiry */
    uint32_t count;
};

/* What the store has of a key. */
struct trp_kad_found_record {
    struct trp_bytes key;
    struct trp_bytes value;
    struct trp_peer_id owner;
    trp_time expires_at;
};

void trp_kad_record_store_init(struct trp_kad_record_store *store, struct trp_memory *memory,
                               const struct trp_kad_record_limits *limits);
void trp_kad_record_store_deinit(struct trp_kad_record_store *store);

/* Keeps a record for `ttl_ns`, at most the limit; 0: the limit. TRP_OK: it is new. TRP_EEXISTS: it
 * replaces the owner's own. TRP_EDENIED: another owner's lives there. TRP_ETOOBIG: the value.
 * TRP_EFULL, TRP_ENOMEM: what was there is untouched. */
enum trp_status trp_kad_record_store_put(struct trp_kad_record_store *store, struct trp_bytes key,
                                         struct trp_bytes value, const struct trp_peer_id *owner,
                                         trp_time now, trp_time ttl_ns) TRP_NODISCARD;
/* TRP_ENOTFOUND when there is none, or it has expired. */
enum trp_status trp_kad_record_store_find(const struct trp_kad_record_store *store,
                                          struct trp_bytes key, trp_time now,
                                          struct trp_kad_found_record *ret_record) TRP_NODISCARD;
/* When the next record expires; TRP_NEVER. */
trp_time trp_kad_record_store_deadline(const struct trp_kad_record_store *store);
/* Gives an expired record, which trp_kad_record_store_drop_expired then drops. */
bool trp_kad_record_store_next_expired(const struct trp_kad_record_store *store, trp_time now,
                                       struct trp_kad_found_record *ret_record);
void trp_kad_record_store_drop_expired(struct trp_kad_record_store *store, trp_time now);

#endif
