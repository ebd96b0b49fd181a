/* SPDX-License-Identifier: MIT */
#include "proto/noise_handshake.h"

#include "base/assert.h"
#include "crypto/chachapoly.h"
#include "crypto/crypto.h"
#include "crypto/sha256.h"

#define KEY_BYTES 32u
#define MESSAGES  3u

_Static_assert(TRP_NOISE_TAG_BYTES == TRP_CHACHAPOLY_TAG_BYTES, "the tag is ChaChaPoly's");

/* Rev. 34, 5.1: the nonce 2^64-1 is reserved. */
enum trp_status trp_noise_cipher_seal(struct trp_noise_cipher *cipher, struct trp_bytes ad,
                                      struct trp_bytes plain, uint8_t *out)
{
    if (cipher->nonce == UINT64_MAX) {
        return TRP_ESTATE;
    }
    trp_chachapoly_seal(cipher->key, cipher->nonce++, ad, plain, out);
    return TRP_OK;
}

enum trp_status trp_noise_cipher_open(struct trp_noise_cipher *cipher, struct trp_bytes ad,
                                      struct trp_bytes sealed, uint8_t *out)
{
    if (cipher->nonce == UINT64_MAX) {
        return TRP_ESTATE;
    }
    return trp_chachapoly_open(cipher->key, cipher->nonce++, ad, sealed, out);
}

/* ---- the symmetric state (rev. 34, 5.2) ---- */

static void mix_hash(struct trp_noise_handshake *hs, struct trp_bytes data)
{
    trp_sha256_two(trp_bytes(hs->hash, sizeof hs->hash), data, hs->hash);
}

static void mix_key(struct trp_noise_handshake *hs, const uint8_t shared[KEY_BYTES])
{
    trp_hkdf_sha256(trp_bytes(hs->chain, sizeof hs->chain), trp_bytes(shared, KEY_BYTES), hs->chain,
                    hs->cipher.key);
    hs->cipher.nonce = 0;
    hs->keyed = true;
}

/* Of our static or ephemeral key, and one of the peer's. */
static enum trp_status mix_dh(struct trp_noise_handshake *hs, bool ephemeral,
                              const uint8_t remote[KEY_BYTES])
{
    uint8_t shared[KEY_BYTES];
    enum trp_status status =
        trp_x25519_memo_agree(hs->agreements, ephemeral ? hs->ephemeral_secret : hs->static_secret,
                              ephemeral ? hs->ephemeral_public : hs->static_public, remote, shared);
    if (status == TRP_OK) {
        mix_key(hs, shared);
        trp_crypto_wipe(shared, sizeof shared);
    }
    return status;
}

static size_t tag_bytes(const struct trp_noise_handshake *hs)
{
    return hs->keyed ? TRP_NOISE_TAG_BYTES : 0;
}

/* EncryptAndHash; gives the end of what it wrote. */
static enum trp_status put_sealed(struct trp_noise_handshake *hs, struct trp_bytes plain,
                                  uint8_t **at)
{
    size_t size = plain.size + tag_bytes(hs);
    if (hs->keyed) {
        enum trp_status status =
            trp_noise_cipher_seal(&hs->cipher, trp_bytes(hs->hash, sizeof hs->hash), plain, *at);
        if (status != TRP_OK) {
            return status;
        }
    } else if (size > 0) {
        memcpy(*at, plain.data, size);
    }
    mix_hash(hs, trp_bytes(*at, size));
    *at += size;
    return TRP_OK;
}

/* DecryptAndHash in place: the hash takes in the ciphertext, and serves as additional data as it
 * was before. */
static enum trp_status take_sealed(struct trp_noise_handshake *hs, uint8_t *at, size_t size)
{
    uint8_t before[sizeof hs->hash];
    memcpy(before, hs->hash, sizeof before);
    mix_hash(hs, trp_bytes(at, size));
    if (!hs->keyed) {
        return TRP_OK;
    }
    return trp_noise_cipher_open(&hs->cipher, trp_bytes(before, sizeof before), trp_bytes(at, size),
                                 at);
}

/* ---- the handshake (rev. 34, 5.3 and 7.5) ---- */

void trp_noise_handshake_init(struct trp_noise_handshake *hs, bool initiator,
                              const uint8_t static_secret[32], const uint8_t static_public[32],
                              const uint8_t ephemeral_secret[32], struct trp_bytes prologue)
{
    /* The name has exactly 32 bytes, and is therefore itself the first hash (5.2). */
    static const char name[] = "Noise_XX_25519_ChaChaPoly_SHA256";
    _Static_assert(sizeof name - 1 == sizeof hs->hash, "a name of another length is hashed");
    *hs = (struct trp_noise_handshake){.initiator = initiator};
    memcpy(hs->hash, name, sizeof hs->hash);
    memcpy(hs->chain, name, sizeof hs->chain);
    memcpy(hs->static_secret, static_secret, KEY_BYTES);
    memcpy(hs->static_public, static_public, KEY_BYTES);
    memcpy(hs->ephemeral_secret, ephemeral_secret, KEY_BYTES);
    trp_x25519_public(hs->ephemeral_secret, hs->ephemeral_public);
    mix_hash(hs, prologue);
}

void trp_noise_handshake_deinit(struct trp_noise_handshake *hs)
{
    trp_crypto_wipe(hs, sizeof *hs);
}

bool trp_noise_handshake_is_done(const struct trp_noise_handshake *hs)
{
    return hs->step == MESSAGES;
}

bool trp_noise_handshake_is_writing(const struct trp_noise_handshake *hs)
{
    return !trp_noise_handshake_is_done(hs) && (hs->step % 2 == 0) == hs->initiator;
}

size_t trp_noise_handshake_overhead(const struct trp_noise_handshake *hs)
{
    static const size_t overhead[MESSAGES] = {
        KEY_BYTES,
        KEY_BYTES + KEY_BYTES + 2 * TRP_NOISE_TAG_BYTES,
        KEY_BYTES + 2 * TRP_NOISE_TAG_BYTES,
    };
    TRP_ASSERT(hs->step < MESSAGES);
    return overhead[hs->step];
}

/* ee, then es, or se, as the step calls for. The first letter names the initiator's key. */
static enum trp_status mix_ee(struct trp_noise_handshake *hs)
{
    return mix_dh(hs, true, hs->remote_ephemeral);
}

static enum trp_status mix_es(struct trp_noise_handshake *hs)
{
    return hs->initiator ? mix_dh(hs, true, hs->remote_static)
                         : mix_dh(hs, false, hs->remote_ephemeral);
}

static enum trp_status mix_se(struct trp_noise_handshake *hs)
{
    return hs->initiator ? mix_dh(hs, false, hs->remote_ephemeral)
                         : mix_dh(hs, true, hs->remote_static);
}

enum trp_status trp_noise_handshake_write(struct trp_noise_handshake *hs, struct trp_bytes payload,
                                          uint8_t *out)
{
    TRP_ASSERT(trp_noise_handshake_is_writing(hs));
    uint8_t *at = out;
    enum trp_status status = TRP_OK;
    if (hs->step < 2) { /* e */
        memcpy(at, hs->ephemeral_public, KEY_BYTES);
        mix_hash(hs, trp_bytes(at, KEY_BYTES));
        at += KEY_BYTES;
    }
    if (hs->step == 1) {
        status = mix_ee(hs);
    }
    if (status == TRP_OK && hs->step > 0) { /* s, es or se */
        status = put_sealed(hs, trp_bytes(hs->static_public, KEY_BYTES), &at);
        if (status == TRP_OK) {
            status = hs->step == 1 ? mix_es(hs) : mix_se(hs);
        }
    }
    if (status == TRP_OK) {
        status = put_sealed(hs, payload, &at);
    }
    hs->step++;
    return status;
}

enum trp_status trp_noise_handshake_read(struct trp_noise_handshake *hs, uint8_t *message,
                                         size_t size, struct trp_bytes *ret_payload)
{
    TRP_ASSERT(!trp_noise_handshake_is_done(hs) && !trp_noise_handshake_is_writing(hs));
    if (size < trp_noise_handshake_overhead(hs)) {
        return TRP_EMALFORMED;
    }
    uint8_t *at = message;
    enum trp_status status = TRP_OK;
    if (hs->step < 2) { /* e */
        memcpy(hs->remote_ephemeral, at, KEY_BYTES);
        mix_hash(hs, trp_bytes(at, KEY_BYTES));
        at += KEY_BYTES;
    }
    if (hs->step == 1) {
        status = mix_ee(hs);
    }
    if (status == TRP_OK && hs->step > 0) { /* s, es or se */
        status = take_sealed(hs, at, KEY_BYTES + TRP_NOISE_TAG_BYTES);
        if (status == TRP_OK) {
            memcpy(hs->remote_static, at, KEY_BYTES);
            at += KEY_BYTES + TRP_NOISE_TAG_BYTES;
            status = hs->step == 1 ? mix_es(hs) : mix_se(hs);
        }
    }
    if (status != TRP_OK) {
        return status;
    }
    size_t sealed = size - (size_t)(at - message);
    status = take_sealed(hs, at, sealed);
    if (status == TRP_OK) {
        hs->step++;
        *ret_payload = trp_bytes(at, sealed - tag_bytes(hs));
    }
    return status;
}

void trp_noise_handshake_split(const struct trp_noise_handshake *hs,
                               struct trp_noise_cipher *ret_send, struct trp_noise_cipher *ret_recv)
{
    TRP_ASSERT(trp_noise_handshake_is_done(hs));
    struct trp_noise_cipher *first = hs->initiator ? ret_send : ret_recv;
    struct trp_noise_cipher *second = hs->initiator ? ret_recv : ret_send;
    first->nonce = 0;
    second->nonce = 0;
    trp_hkdf_sha256(trp_bytes(hs->chain, sizeof hs->chain), TRP_BYTES_NONE, first->key,
                    second->key);
}
