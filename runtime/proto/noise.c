/* SPDX-License-Identifier: MIT */
#include "proto/noise.h"

#include "base/assert.h"
#include "base/endian.h"
#include "crypto/crypto.h"
#include "proto/noise_handshake.h"
#include "wire/noise_payload.h"
#include "wire/public_key.h"

#define LENGTH_BYTES     2u
#define FRAME_BYTES_MAX  (LENGTH_BYTES + TRP_NOISE_MESSAGE_BYTES_MAX)
#define FRAME_OVERHEAD   (LENGTH_BYTES + TRP_NOISE_TAG_BYTES)
#define PLAIN_BYTES_MIN  1024u /* a smaller rest of room is left to the next call */
#define SIGNED_PREFIX    "noise-libp2p-static-key:"
#define SIGNED_BYTES     (sizeof SIGNED_PREFIX - 1 + 32)
#define SIGNATURE_BYTES  64u

/* What is needed until the connection is open, and no longer. */
struct handshake {
    struct trp_noise_handshake noise;
    struct trp_noise_config config;
};

/* The peer's public key, without the space for larger ones. */
struct remote_key {
    enum trp_key_type type;
    uint16_t size;
    uint8_t bytes[];
};

struct trp_noise {
    struct trp_memory *memory;
    enum trp_status failed;
    struct handshake *handshake; /* NULL: open */
    struct trp_noise_cipher sender;
    struct trp_noise_cipher receiver;
    struct trp_peer_id peer;
    struct remote_key *key;
    const char *muxer;
    struct trp_buffer rx; /* an incomplete frame */
    struct trp_buffer tx; /* handshake messages */
};

/* ---- the handshake ---- */

static void handshake_free(struct trp_memory *memory, struct handshake *handshake)
{
    if (handshake != NULL) {
        trp_noise_handshake_deinit(&handshake->noise);
        trp_crypto_wipe(&handshake->config, sizeof handshake->config);
        trp_memory_free(memory, handshake);
    }
}

/* What a peer signs with its host key (libp2p noise, "Static Key Authentication"). */
static void signed_bytes(const uint8_t static_public[32], uint8_t out[SIGNED_BYTES])
{
    memcpy(out, SIGNED_PREFIX, sizeof SIGNED_PREFIX - 1);
    memcpy(out + sizeof SIGNED_PREFIX - 1, static_public, 32);
}

static enum trp_status noise_put_message(struct trp_noise *n, struct trp_bytes payload)
{
    size_t size = trp_noise_handshake_overhead(&n->handshake->noise) + payload.size;
    uint8_t *at;
    enum trp_status status = trp_buffer_reserve(&n->tx, LENGTH_BYTES + size, &at);
    if (status != TRP_OK) {
        return status;
    }
    trp_store_be16(at, (uint16_t)size);
    status = trp_noise_handshake_write(&n->handshake->noise, payload, at + LENGTH_BYTES);
    if (status == TRP_OK) {
        trp_buffer_commit(&n->tx, LENGTH_BYTES + size);
    }
    return status;
}
