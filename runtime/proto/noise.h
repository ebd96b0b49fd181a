/* SPDX-License-Identifier: MIT */
/* proto/noise.h - the secure channel: Noise_XX_25519_ChaChaPoly_SHA256 with libp2p's identity
 * payload and the stream_muxers extension.
 *
 * Spec       Noise Protocol Framework rev. 34; libp2p/specs noise/README.md, connections/inlined-
 *            muxer-negotiation.md. Vectors: cacophony.
 * Purity     No I/O, clock, randomness: the static and ephemeral secrets are given.
 * Driving    recv while it uses bytes; send after every call. When is_open turns true, what the
 *            handshake learned is in peer and muxer; bytes that follow are transport frames.
 * Wire       u16 big-endian length, then a message of at most 65535 bytes.
 * Failure    Final and sticky. */
#ifndef PROTO_NOISE_H
#define PROTO_NOISE_H

#include "base/buffer.h"
#include "crypto/keys.h"
#include "crypto/signature_memo.h"
#include "crypto/x25519_memo.h"

#include <troupe/peer_id.h>

#define TRP_NOISE_PROTOCOL        "/noise"
#define TRP_NOISE_PLAIN_BYTES_MAX 64511u /* plaintext of one frame that we send, as rust-libp2p */
#define TRP_NOISE_PLAIN_ROOM_MIN  65519u /* plaintext of the largest frame that a peer may send */
#define TRP_NOISE_MUXERS_MAX      4u

/* Who we are in every handshake of a process. Wipe it in the end. */
struct trp_noise_identity {
    uint8_t static_secret[32]; /* X25519, fresh per process */
    uint8_t static_public[32];
    uint8_t host_key[32];  /* Ed25519 */
    uint8_t signature[64]; /* of the static key, by the host key */
};

/* Prepares an identity; the pair is an Ed25519 one, and copied from. */
void trp_noise_identity_init(const struct trp_keypair *host, const uint8_t static_secret[32],
                             struct trp_noise_identity *ret_identity);

struct trp_noise_config {
    bool initiator;
    const struct trp_noise_identity *identity; /* borrowed until is_open */
    struct trp_signature_memo *memo;           /* of peers' signatures; borrowed, NULL: none */
    struct trp_x25519_memo *agreements;        /* borrowed; NULL: none */
    uint8_t ephemeral_secret[32];              /* X25519, fresh per connection */
    struct trp_peer_id expected;               /* size 0: anybody */
    const char *const *muxers; /* offered in the extension, by preference; borrowed */
    uint32_t muxers_count;     /* 0: no extension */
};

struct trp_noise; /* opaque */

enum trp_status trp_noise_open(struct trp_memory *memory, const struct trp_noise_config *config,
                               struct trp_noise **ret_noise) TRP_NODISCARD;
void trp_noise_close(struct trp_noise *noise);

/* Reads bytes of the wire: handshake messages first; then whole frames, whose plaintext is appended
 * to `plain`. An incomplete frame is kept inside. Stops before a frame whose plaintext does not fit
 * `plain`: drain it, then offer the rest again. The limit of `plain` is at least
 * TRP_NOISE_PLAIN_ROOM_MIN, so that every frame fits an empty one.
 * TRP_EMALFORMED, TRP_EAUTH (decryption, signature, wrong peer), TRP_ENEGOTIATION (muxers offered
 * by both with none in common), TRP_ENOMEM. */
enum trp_status trp_noise_recv(struct trp_noise *noise, struct trp_bytes in,
                               struct trp_buffer *plain, size_t *ret_used) TRP_NODISCARD;
/* Appends pending handshake bytes to `out`. TRP_EFULL keeps them. */
enum trp_status trp_noise_send(struct trp_noise *noise, struct trp_buffer *out) TRP_NODISCARD;
/* Encrypts as much of `plain` as fits into frames at the end of `out`, behind what send still has.
 * TRP_EFULL when the room is not worth a frame (19 bytes of an empty `out` always are); TRP_ESTATE
 * before is_open. */
enum trp_status trp_noise_encrypt(struct trp_noise *noise, struct trp_bytes plain,
                                  struct trp_buffer *out, size_t *ret_used) TRP_NODISCARD;
bool trp_noise_is_open(const struct trp_noise *noise);
/* Who the peer proved to be; NULL before is_open. Borrowed. */
const struct trp_peer_id *trp_noise_peer(const struct trp_noise *noise);
/* Copies its public key (for identify). TRP_ESTATE before is_open. */
enum trp_status trp_noise_public_key(const struct trp_noise *noise,
                                     struct trp_public_key *ret_key) TRP_NODISCARD;
/* The muxer agreed in the handshake; NULL: negotiate by multistream-select. */
const char *trp_noise_muxer(const struct trp_noise *noise);

#endif
