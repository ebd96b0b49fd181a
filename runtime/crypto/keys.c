/* SPDX-License-Identifier: MIT */
#include "crypto/keys.h"

#include "base/assert.h"
#include "crypto/sha256.h"

#include <gnutls/abstract.h>
#include <secp256k1.h>
#include <sodium.h>

/* As go-libp2p: smaller RSA keys are forgeable, larger ones a way to burn our processor. */
#define RSA_BITS_MIN 2048u
#define RSA_BITS_MAX 8192u

void trp_keypair_from_seed(const uint8_t seed[32], struct trp_keypair *ret_keypair)
{
    *ret_keypair = (struct trp_keypair){.public_key = {.type = TRP_KEY_ED25519, .size = 32}};
    int result =
        crypto_sign_ed25519_seed_keypair(ret_keypair->public_key.bytes, ret_keypair->secret, seed);
    TRP_ASSERT(result == 0);
}

void trp_keypair_sign(const struct trp_keypair *keypair, struct trp_bytes message,
                      uint8_t ret_signature[64])
{
    int result = crypto_sign_ed25519_detached(ret_signature, NULL, message.data, message.size,
                                              keypair->secret);
    TRP_ASSERT(result == 0);
}

static enum trp_status ed25519_verify(const struct trp_public_key *key, struct trp_bytes message,
                                      struct trp_bytes signature)
{
    if (key->size != crypto_sign_ed25519_PUBLICKEYBYTES) {
        return TRP_EMALFORMED;
    }
    if (signature.size != crypto_sign_ed25519_BYTES) {
        return TRP_EAUTH;
    }
    int result =
        crypto_sign_ed25519_verify_detached(signature.data, message.data, message.size, key->bytes);
    return result == 0 ? TRP_OK : TRP_EAUTH;
}

/* libp2p: ECDSA over SHA-256 of the message, DER signature. Both (r, s) and (r, -s) are valid
 * ECDSA; libsecp256k1 takes only the lower s, so the signature is brought there first. */
static enum trp_status secp256k1_verify(const struct trp_public_key *key, struct trp_bytes message,
                                        struct trp_bytes signature)
{
    const secp256k1_context *context = secp256k1_context_static;
    secp256k1_pubkey pubkey;
    secp256k1_ecdsa_signature parsed;
    if (!secp256k1_ec_pubkey_parse(context, &pubkey, key->bytes, key->size)) {
        return TRP_EMALFORMED;
    }
    /* The library aborts on NULL. */
    if (signature.size == 0 ||
        !secp256k1_ecdsa_signature_parse_der(context, &parsed, signature.data, signature.size)) {
        return TRP_EAUTH;
    }
    (void)secp256k1_ecdsa_signature_normalize(context, &parsed, &parsed);
    uint8_t digest[TRP_SHA256_BYTES];
    trp_sha256(message, digest);
    return secp256k1_ecdsa_verify(context, &parsed, digest, &pubkey) ? TRP_OK : TRP_EAUTH;
}

/* GnuTLS takes pointers to bytes that it does not change as pointers to mutable ones. */
static gnutls_datum_t datum(struct trp_bytes bytes)
{
    return (gnutls_datum_t){.data = (unsigned char *)(uintptr_t)bytes.data,
                            .size = (unsigned)bytes.size};
}

static bool key_is_of_type(gnutls_pubkey_t pubkey, enum trp_key_type type)
{
    unsigned bits = 0;
    int algorithm = gnutls_pubkey_get_pk_algorithm(pubkey, &bits);
    if (type == TRP_KEY_ECDSA) {
        return algorithm == GNUTLS_PK_ECDSA;
    }
    return algorithm == GNUTLS_PK_RSA && bits >= RSA_BITS_MIN && bits <= RSA_BITS_MAX;
}

/* RSA (PKCS #1 v1.5) and ECDSA, both over SHA-256, with the key as SubjectPublicKeyInfo in DER. */
static enum trp_status gnutls_verify(const struct trp_public_key *key, struct trp_bytes message,
                                     struct trp_bytes signature)
{
    gnutls_sign_algorithm_t scheme =
        key->type == TRP_KEY_RSA ? GNUTLS_SIGN_RSA_SHA256 : GNUTLS_SIGN_ECDSA_SHA256;
    gnutls_datum_t der = datum(trp_bytes(key->bytes, key->size));
    gnutls_datum_t data = datum(message);
    gnutls_datum_t proof = datum(signature);
    gnutls_pubkey_t pubkey;
    if (message.size > UINT32_MAX || signature.size > UINT32_MAX) {
        return TRP_EAUTH;
    }
    if (gnutls_pubkey_init(&pubkey) < 0) {
        return TRP_ENOMEM;
    }
    enum trp_status status = TRP_EMALFORMED;
    if (gnutls_pubkey_import(pubkey, &der, GNUTLS_X509_FMT_DER) >= 0 &&
        key_is_of_type(pubkey, key->type)) {
        int result = gnutls_pubkey_verify_data2(pubkey, scheme, 0, &data, &proof);
        status = result < 0 ? TRP_EAUTH : TRP_OK;
    }
    gnutls_pubkey_deinit(pubkey);
    return status;
}

enum trp_status trp_public_key_verify(const struct trp_public_key *key, struct trp_bytes message,
                                      struct trp_bytes signature)
{
    TRP_ASSERT(key->size <= sizeof key->bytes);
    switch (key->type) {
    case TRP_KEY_ED25519:
        return ed25519_verify(key, message, signature);
    case TRP_KEY_SECP256K1:
        return secp256k1_verify(key, message, signature);
    case TRP_KEY_RSA:
    case TRP_KEY_ECDSA:
        return gnutls_verify(key, message, signature);
    default:
        return TRP_EMALFORMED;
    }
}
