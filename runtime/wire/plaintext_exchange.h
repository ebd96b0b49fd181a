/* SPDX-License-Identifier: MIT */
/* wire/plaintext_exchange.h - who somebody claims to be, without proof.
 *
 * Spec       libp2p/specs plaintext/README.md: Exchange{id = 1, pubkey = 2}. */
#ifndef WIRE_PLAINTEXT_EXCHANGE_H
#define WIRE_PLAINTEXT_EXCHANGE_H

#include "crypto/keys.h"

#include <troupe/peer_id.h>

#define TRP_PLAINTEXT_EXCHANGE_BYTES_MAX 1280u

/* Writes the message without its length prefix; the id is that of the key. TRP_ETOOBIG. */
enum trp_status trp_plaintext_exchange_encode(const struct trp_public_key *key, uint8_t *out,
                                              size_t room, size_t *ret_size) TRP_NODISCARD;
/* Reads a message without its length prefix. TRP_EAUTH when id and key do not belong together;
 * TRP_EMALFORMED, TRP_ETOOBIG. */
enum trp_status trp_plaintext_exchange_decode(struct trp_bytes in, struct trp_peer_id *ret_id,
                                              struct trp_public_key *ret_key) TRP_NODISCARD;

#endif
