/* SPDX-License-Identifier: MIT */
/* wire/public_key.h - a public key as protobuf PublicKey{Type, Data}, and the PeerId it makes.
 *
 * Spec       libp2p/specs peer-ids/peer-ids.md. Both fields are required; Type 0 is written.
 * Failure    TRP_EMALFORMED, TRP_ETOOBIG. */
#ifndef WIRE_PUBLIC_KEY_H
#define WIRE_PUBLIC_KEY_H

#include "crypto/keys.h"

#include <troupe/peer_id.h>

#define TRP_PUBLIC_KEY_ENCODED_MAX (TRP_KEY_BYTES_MAX + 8u)

enum trp_status trp_public_key_encode(const struct trp_public_key *key, uint8_t *out, size_t room,
                                      size_t *ret_size) TRP_NODISCARD;
enum trp_status trp_public_key_decode(struct trp_bytes in,
                                      struct trp_public_key *ret_key) TRP_NODISCARD;
/* Names the holder of a key: the identity multihash of its encoding up to 42 bytes, else sha2-256.
 */
void trp_peer_id_from_key(const struct trp_public_key *key, struct trp_peer_id *ret_id);

#endif
