/* SPDX-License-Identifier: MIT */
/* troupe/peer_id.h - the name of a node: the multihash of its public key.
 *
 * Spec       libp2p/specs peer-ids/peer-ids.md
 * Ownership  A plain value; copy it freely.
 * Limits     At most 44 bytes: identity multihash of a key of at most 42 bytes. */
#ifndef TROUPE_PEER_ID_H
#define TROUPE_PEER_ID_H

#include <troupe/base.h>

TRP_EXTERN_C_BEGIN

#define TRP_PEER_ID_BYTES_MAX 44u
#define TRP_PEER_ID_TEXT_MAX  64u /* base58btc text with its NUL */

struct trp_peer_id {
    uint8_t size; /* 0 means "none"; unused bytes are zero */
    uint8_t bytes[47];
};

/* Parses the binary form: an identity (<= 42 bytes) or sha2-256 multihash with nothing after it.
 * TRP_EMALFORMED otherwise. */
TRP_API enum trp_status trp_peer_id_decode(struct trp_bytes in,
                                           struct trp_peer_id *ret_id) TRP_NODISCARD;
/* Parses base58btc ("12D3KooW…", "Qm…") or a CIDv1 with multicodec libp2p-key ("bafz…").
 * TRP_EMALFORMED, or as trp_peer_id_decode. */
TRP_API enum trp_status trp_peer_id_parse(const char *text,
                                          struct trp_peer_id *ret_id) TRP_NODISCARD;
/* Writes the base58btc text with its NUL; an empty id gives "". */
TRP_API void trp_peer_id_print(const struct trp_peer_id *id, char ret_text[TRP_PEER_ID_TEXT_MAX]);

static inline struct trp_bytes trp_peer_id_bytes(const struct trp_peer_id *id)
{
    return trp_bytes(id->bytes, id->size);
}

static inline bool trp_peer_id_equal(const struct trp_peer_id *a, const struct trp_peer_id *b)
{
    return a->size == b->size && memcmp(a->bytes, b->bytes, a->size) == 0;
}

/* Orders by bytes, shorter first among equals; <0, 0, >0. */
TRP_API int trp_peer_id_compare(const struct trp_peer_id *a, const struct trp_peer_id *b);

TRP_EXTERN_C_END

#endif
