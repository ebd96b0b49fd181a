/* SPDX-License-Identifier: MIT */
/* proto/kad/key.h - the Kademlia key space: sha256 of names, XOR distance, bucket index.
 *
 * Spec       libp2p/specs kad-dht/README.md "Distance"; Maymounkov and Mazières 2002, 2.1.
 * Purity     Values only. */
#ifndef PROTO_KAD_KEY_H
#define PROTO_KAD_KEY_H

#include "base/endian.h"

#include <troupe/peer_id.h>

#define TRP_KAD_KEY_BITS 256u

/* A point of the key space; words[0] is the most significant. */
struct trp_kad_key {
    uint64_t words[4];
};

/* A peer and where it stands. */
struct trp_kad_contact {
    struct trp_kad_key key;
    struct trp_peer_id peer;
};

/* Gives the sha256 of what is sent as `key` in a request: a binary PeerId, a record's key. */
struct trp_kad_key trp_kad_key_of(struct trp_bytes preimage);

static inline struct trp_kad_contact trp_kad_contact_of(const struct trp_peer_id *peer)
{
    return (struct trp_kad_contact){.key = trp_kad_key_of(trp_peer_id_bytes(peer)), .peer = *peer};
}

static inline struct trp_kad_key trp_kad_key_load(const uint8_t digest[32])
{
    return (struct trp_kad_key){{trp_load_be64(digest), trp_load_be64(digest + 8),
                                 trp_load_be64(digest + 16), trp_load_be64(digest + 24)}};
}

static inline void trp_kad_key_store(const struct trp_kad_key *key, uint8_t ret_digest[32])
{
    for (size_t i = 0; i < 4; i++) {
        trp_store_be64(ret_digest + 8 * i, key->words[i]);
    }
}

/* Orders as numbers: <0, 0, >0. */
static inline int trp_kad_key_compare(const struct trp_kad_key *a, const struct trp_kad_key *b)
{
    for (unsigned i = 0; i < 4; i++) {
        if (a->words[i] != b->words[i]) {
            return a->words[i] < b->words[i] ? -1 : 1;
        }
    }
    return 0;
}

static inline bool trp_kad_key_equal(const struct trp_kad_key *a, const struct trp_kad_key *b)
{
    return trp_kad_key_compare(a, b) == 0;
}

static inline struct trp_kad_key trp_kad_distance(const struct trp_kad_key *a,
                                                  const struct trp_kad_key *b)
{
    return (struct trp_kad_key){{a->words[0] ^ b->words[0], a->words[1] ^ b->words[1],
                                 a->words[2] ^ b->words[2], a->words[3] ^ b->words[3]}};
}

/* Counts the leading bits in common: 0 is the farthest half of the space, 256 is equality. */
static inline uint32_t trp_kad_bucket_index(const struct trp_kad_key *a,
                                            const struct trp_kad_key *b)
{
    for (uint32_t i = 0; i < 4; i++) {
        uint64_t differs = a->words[i] ^ b->words[i];
        if (differs != 0) {
            return i * 64u + (uint32_t)__builtin_clzll(differs);
        }
    }
    return TRP_KAD_KEY_BITS;
}

#endif
