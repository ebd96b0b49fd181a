/* SPDX-License-Identifier: MIT */
/* crypto/keys.h - host keys: Ed25519 made and used, all four libp2p types verified.
 *
 * Spec       libp2p/specs peer-ids/peer-ids.md
 * Purity     No randomness: key pairs come from seeds. */
#ifndef CRYPTO_KEYS_H
#define CRYPTO_KEYS_H

#include <troupe/base.h>

enum trp_key_type {
    TRP_KEY_RSA = 0,
    TRP_KEY_ED25519 = 1,
    TRP_KEY_SECP256K1 = 2,
    TRP_KEY_ECDSA = 3
};

#define TRP_KEY_BYTES_MAX 1200u /* an RSA key of 8192 bits as SubjectPublicKeyInfo */

/* A public key as in the protobuf PublicKey{Type, Data}. */
struct trp_public_key {
    enum trp_key_type type;
    uint16_t size;
    uint8_t bytes[TRP_KEY_BYTES_MAX];
};

struct trp_keypair {
    uint8_t secret[64]; /* libsodium's form: seed, then public key */
    struct trp_public_key public_key;
};

/* Makes the Ed25519 pair of a seed. */
void trp_keypair_from_seed(const uint8_t seed[32], struct trp_keypair *ret_keypair);
/* Signs with Ed25519. */
void trp_keypair_sign(const struct trp_keypair *keypair, struct trp_bytes message,
                      uint8_t ret_signature[64]);
/* Checks a signature of any of the four types. TRP_EAUTH when it does not match, TRP_EMALFORMED for
 * a key that does not parse. */
enum trp_status trp_public_key_verify(const struct trp_public_key *key, struct trp_bytes message,
                                      struct trp_bytes signature) TRP_NODISCARD;

#endif
