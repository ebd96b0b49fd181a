/* SPDX-License-Identifier: MIT */
/* proto/noise_handshake.h - the three messages of Noise_XX_25519_ChaChaPoly_SHA256, and the two
 * ciphers that they lead to. What the messages carry is proto/noise.c's affair.
 *
 *   1  initiator → responder  e
 *   2  responder → initiator  e, ee, s, es
 *   3  initiator → responder  s, se
 *
 * Spec       Noise Protocol Framework rev. 34, 5 and 7.5. Vector: cacophony.
 * Purity     No randomness: the ephemeral secret is given, and must be fresh for each handshake.
 * Failure    A handshake whose read or write failed must be given up. */
#ifndef PROTO_NOISE_HANDSHAKE_H
#define PROTO_NOISE_HANDSHAKE_H

#include "crypto/x25519_memo.h"

#define TRP_NOISE_MESSAGE_BYTES_MAX 65535u
#define TRP_NOISE_TAG_BYTES         16u

struct trp_noise_cipher {
    uint8_t key[32];
    uint64_t nonce; /* of the next message */
};

/* Writes plain.size + 16 bytes to `out`, which may be plain.data. TRP_ESTATE when no nonce is
 * left. */
enum trp_status trp_noise_cipher_seal(struct trp_noise_cipher *cipher, struct trp_bytes ad,
                                      struct trp_bytes plain, uint8_t *out) TRP_NODISCARD;
/* Writes sealed.size - 16 bytes to `out`, which may be sealed.data. TRP_EAUTH, TRP_ESTATE. */
enum trp_status trp_noise_cipher_open(struct trp_noise_cipher *cipher, struct trp_bytes ad,
                                      struct trp_bytes sealed, uint8_t *out) TRP_NODISCARD;

struct trp_noise_handshake {
    bool initiator;
    bool keyed;        /* the cipher has a key: what follows is encrypted */
    uint32_t step;     /* messages written or read */
    uint8_t chain[32]; /* Noise's ck */
    uint8_t hash[32];  /* Noise's h */
    struct trp_noise_cipher cipher;
    uint8_t static_secret[32];
    uint8_t static_public[32];
    uint8_t ephemeral_secret[32];
    uint8_t ephemeral_public[32];
    uint8_t remote_static[32]; /* known after message 2 or 3 */
    uint8_t remote_ephemeral[32];
    struct trp_x25519_memo *agreements; /* borrowed; NULL: none. To be set after init. */
};

/* The static public key is that of the secret, made once for many handshakes. libp2p's prologue is
 * empty; test vectors have another. */
void trp_noise_handshake_init(struct trp_noise_handshake *hs, bool initiator,
                              const uint8_t static_secret[32], const uint8_t static_public[32],
                              const uint8_t ephemeral_secret[32], struct trp_bytes prologue);
/* Wipes the secrets. */
void trp_noise_handshake_deinit(struct trp_noise_handshake *hs);
bool trp_noise_handshake_is_done(const struct trp_noise_handshake *hs);
/* True when the next message is ours. */
bool trp_noise_handshake_is_writing(const struct trp_noise_handshake *hs);
/* By how many bytes the next message exceeds its payload. */
size_t trp_noise_handshake_overhead(const struct trp_noise_handshake *hs);
/* Writes the next message: overhead + payload.size bytes. TRP_EAUTH for a bad key of the peer. */
enum trp_status trp_noise_handshake_write(struct trp_noise_handshake *hs, struct trp_bytes payload,
                                          uint8_t *out) TRP_NODISCARD;
/* Reads the next message, decrypting in place; the payload borrows from it. TRP_EMALFORMED when too
 * short, TRP_EAUTH. */
enum trp_status trp_noise_handshake_read(struct trp_noise_handshake *hs, uint8_t *message,
                                         size_t size, struct trp_bytes *ret_payload) TRP_NODISCARD;
/* Gives the ciphers of the transport; only when done. */
void trp_noise_handshake_split(const struct trp_noise_handshake *hs,
                               struct trp_noise_cipher *ret_send,
                               struct trp_noise_cipher *ret_recv);

#endif
