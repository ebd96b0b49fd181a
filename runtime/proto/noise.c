/* SPDX-License-Identifier: MIT */
#include "proto/noise.h"

#include "base/assert.h"
#include "base/endian.h"
#include "crypto/crypto.h"
#include "crypto/x25519.h"
#include "proto/noise_handshake.h"
#include "wire/noise_payload.h"
#include "wire/public_key.h"

#define LENGTH_BYTES    2u
#define FRAME_OVERHEAD  (LENGTH_BYTES + TRP_NOISE_TAG_BYTES)
#define FRAME_BYTES_MAX (LENGTH_BYTES + TRP_NOISE_MESSAGE_BYTES_MAX)
#define PLAIN_BYTES_MIN 1024u /* a smaller rest of room is left to the next call */
#define SIGNED_PREFIX   "noise-libp2p-static-key:"
#define SIGNED_BYTES    (sizeof SIGNED_PREFIX - 1 + 32)
/* Our payload: an Ed25519 key, its signature, the muxers. */
#define PAYLOAD_BYTES_MAX 1024u

_Static_assert(TRP_NOISE_PLAIN_ROOM_MIN == TRP_NOISE_MESSAGE_BYTES_MAX - TRP_NOISE_TAG_BYTES,
               "the largest frame's plaintext");
_Static_assert(TRP_NOISE_MUXERS_MAX <= TRP_NOISE_PAYLOAD_MUXERS_MAX, "ours must fit the payload");

/* What is needed until the connection is open, and no longer. */
struct handshake {
    struct trp_noise_handshake noise;
    struct trp_noise_config config;
};

/* The peer's public key, without the room for larger ones. */
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

static enum trp_status noise_put_message(struct trp_noise *n, struct trp_bytes payload)
{
    struct trp_noise_handshake *hs = &n->handshake->noise;
    size_t size = trp_noise_handshake_overhead(hs) + payload.size;
    uint8_t *at;
    enum trp_status status = trp_buffer_reserve(&n->tx, LENGTH_BYTES + size, &at);
    if (status != TRP_OK) {
        return status;
    }
    trp_store_be16(at, (uint16_t)size);
    status = trp_noise_handshake_write(hs, payload, at + LENGTH_BYTES);
    if (status == TRP_OK) {
        trp_buffer_commit(&n->tx, LENGTH_BYTES + size);
    }
    return status;
}

/* What a host key signs, so that its holder owns the Noise key (libp2p noise, "Static Key
 * Authentication"). */
static void signed_bytes(const uint8_t static_public[32], uint8_t out[SIGNED_BYTES])
{
    memcpy(out, SIGNED_PREFIX, sizeof SIGNED_PREFIX - 1);
    memcpy(out + sizeof SIGNED_PREFIX - 1, static_public, 32);
}

void trp_noise_identity_init(const struct trp_keypair *host, const uint8_t static_secret[32],
                             struct trp_noise_identity *ret_identity)
{
    TRP_ASSERT(host->public_key.type == TRP_KEY_ED25519 &&
               host->public_key.size == sizeof ret_identity->host_key);
    uint8_t message[SIGNED_BYTES];
    memcpy(ret_identity->static_secret, static_secret, sizeof ret_identity->static_secret);
    trp_x25519_public(static_secret, ret_identity->static_public);
    memcpy(ret_identity->host_key, host->public_key.bytes, sizeof ret_identity->host_key);
    signed_bytes(ret_identity->static_public, message);
    trp_keypair_sign(host, trp_bytes(message, sizeof message), ret_identity->signature);
}

/* Message 2 or 3: says who we are and which muxers we have. */
static enum trp_status noise_put_identity(struct trp_noise *n)
{
    const struct trp_noise_config *config = &n->handshake->config;
    const struct trp_noise_identity *identity = config->identity;
    struct trp_public_key host = {.type = TRP_KEY_ED25519, .size = sizeof identity->host_key};
    uint8_t key[TRP_PUBLIC_KEY_ENCODED_MAX];
    uint8_t payload_bytes[PAYLOAD_BYTES_MAX];
    size_t size;
    memcpy(host.bytes, identity->host_key, sizeof identity->host_key);
    enum trp_status status = trp_public_key_encode(&host, key, sizeof key, &size);
    if (status != TRP_OK) {
        return status;
    }
    struct trp_noise_payload payload = {
        .identity_key = trp_bytes(key, size),
        .identity_sig = trp_bytes(identity->signature, sizeof identity->signature),
        .muxers_count = config->muxers_count,
    };
    for (uint32_t i = 0; i < config->muxers_count; i++) {
        payload.muxers[i] = trp_bytes_text(config->muxers[i]);
    }
    status = trp_noise_payload_encode(&payload, payload_bytes, sizeof payload_bytes, &size);
    return status == TRP_OK ? noise_put_message(n, trp_bytes(payload_bytes, size)) : status;
}

/* Ours of that name; NULL when there is none. */
static const char *own_muxer(const struct trp_noise_config *config, struct trp_bytes name)
{
    for (uint32_t i = 0; i < config->muxers_count; i++) {
        if (trp_bytes_equal(trp_bytes_text(config->muxers[i]), name)) {
            return config->muxers[i];
        }
    }
    return NULL;
}

static bool payload_has_muxer(const struct trp_noise_payload *payload, const char *name)
{
    for (uint32_t i = 0; i < payload->muxers_count; i++) {
        if (trp_bytes_equal(payload->muxers[i], trp_bytes_text(name))) {
            return true;
        }
    }
    return false;
}

/* libp2p inlined muxer negotiation: the first of the initiator's list that both have. Without a
 * list of either side it is left to multistream-select. */
static enum trp_status noise_choose_muxer(struct trp_noise *n,
                                          const struct trp_noise_payload *payload)
{
    const struct trp_noise_config *config = &n->handshake->config;
    if (config->muxers_count == 0 || payload->muxers_count == 0) {
        return TRP_OK;
    }
    if (config->initiator) {
        for (uint32_t i = 0; n->muxer == NULL && i < config->muxers_count; i++) {
            n->muxer = payload_has_muxer(payload, config->muxers[i]) ? config->muxers[i] : NULL;
        }
    } else {
        for (uint32_t i = 0; n->muxer == NULL && i < payload->muxers_count; i++) {
            n->muxer = own_muxer(config, payload->muxers[i]);
        }
    }
    return n->muxer == NULL ? TRP_ENEGOTIATION : TRP_OK;
}

static enum trp_status noise_keep_key(struct trp_noise *n, const struct trp_public_key *key)
{
    n->key = trp_memory_alloc(n->memory, sizeof *n->key + key->size);
    if (n->key == NULL) {
        return TRP_ENOMEM;
    }
    n->key->type = key->type;
    n->key->size = key->size;
    memcpy(n->key->bytes, key->bytes, key->size);
    return TRP_OK;
}

/* Message 2 or 3 of the peer: who it is, proved with its host key, and its muxers. */
static enum trp_status noise_take_identity(struct trp_noise *n, struct trp_bytes in)
{
    uint8_t block[TRP_NOISE_PAYLOAD_ARENA_BYTES];
    struct trp_arena arena = trp_arena_init(block, sizeof block);
    struct trp_noise_payload payload;
    struct trp_public_key key;
    uint8_t message[SIGNED_BYTES];
    enum trp_status status = trp_noise_payload_decode(in, &arena, &payload);
    if (status == TRP_OK) {
        status = trp_public_key_decode(payload.identity_key, &key);
    }
    if (status != TRP_OK) {
        return status;
    }
    signed_bytes(n->handshake->noise.remote_static, message);
    status = trp_signature_memo_verify(n->handshake->config.memo, &key,
                                       trp_bytes(message, sizeof message), payload.identity_sig);
    if (status != TRP_OK) {
        return status;
    }
    const struct trp_peer_id *expected = &n->handshake->config.expected;
    trp_peer_id_from_key(&key, &n->peer);
    if (expected->size > 0 && !trp_peer_id_equal(expected, &n->peer)) {
        return TRP_EAUTH;
    }
    status = noise_choose_muxer(n, &payload);
    return status == TRP_OK ? noise_keep_key(n, &key) : status;
}

/* Takes one handshake message, decrypting in place, and writes the one that follows. */
static enum trp_status noise_take_message(struct trp_noise *n, uint8_t *message, size_t size)
{
    struct trp_noise_handshake *hs = &n->handshake->noise;
    bool first = hs->step == 0;
    struct trp_bytes payload;
    enum trp_status status = trp_noise_handshake_read(hs, message, size, &payload);
    if (status == TRP_OK && !first) { /* what message 1 carries is not protected, and ignored */
        status = noise_take_identity(n, payload);
    }
    if (status == TRP_OK && trp_noise_handshake_is_writing(hs)) {
        status = noise_put_identity(n);
    }
    if (status == TRP_OK && trp_noise_handshake_is_done(hs)) {
        trp_noise_handshake_split(hs, &n->sender, &n->receiver);
        handshake_free(n->memory, n->handshake);
        n->handshake = NULL;
    }
    return status;
}

enum trp_status trp_noise_open(struct trp_memory *memory, const struct trp_noise_config *config,
                               struct trp_noise **ret_noise)
{
    if (config->muxers_count > TRP_NOISE_MUXERS_MAX) {
        return TRP_EINVAL;
    }
    struct trp_noise *n = trp_memory_alloc(memory, sizeof *n);
    if (n == NULL) {
        return TRP_ENOMEM;
    }
    n->memory = memory;
    n->rx = trp_buffer_init(memory, FRAME_BYTES_MAX);
    n->tx = trp_buffer_init(memory, FRAME_BYTES_MAX);
    enum trp_status status = TRP_ENOMEM;
    n->handshake = trp_memory_alloc(memory, sizeof *n->handshake);
    if (n->handshake != NULL) {
        n->handshake->config = *config;
        trp_noise_handshake_init(&n->handshake->noise, config->initiator,
                                 config->identity->static_secret, config->identity->static_public,
                                 config->ephemeral_secret, TRP_BYTES_NONE);
        n->handshake->noise.agreements = config->agreements;
        status = config->initiator ? noise_put_message(n, TRP_BYTES_NONE) : TRP_OK;
    }
    if (status != TRP_OK) {
        trp_noise_close(n);
        return status;
    }
    *ret_noise = n;
    return TRP_OK;
}

void trp_noise_close(struct trp_noise *noise)
{
    if (noise == NULL) {
        return;
    }
    struct trp_memory *memory = noise->memory;
    handshake_free(memory, noise->handshake);
    trp_buffer_free(&noise->rx);
    trp_buffer_free(&noise->tx);
    trp_memory_free(memory, noise->key);
    trp_crypto_wipe(noise, sizeof *noise);
    trp_memory_free(memory, noise);
}

/* ---- receiving ---- */

/* The size on the wire of the frame that `in` begins with; 0 when that is still unknown. */
static size_t frame_size(struct trp_bytes in)
{
    return in.size < LENGTH_BYTES ? 0 : LENGTH_BYTES + trp_load_be16(in.data);
}

/* True when the frame's plaintext can be taken now. Handshake messages have none, and a frame
 * without a tag is taken to be refused. */
static bool noise_fits(const struct trp_noise *n, size_t size, const struct trp_buffer *plain)
{
    return n->handshake != NULL || size < FRAME_OVERHEAD ||
           size - FRAME_OVERHEAD <= trp_buffer_room(plain);
}

/* Decrypts one whole frame to the end of `plain`. */
static enum trp_status noise_take_frame(struct trp_noise *n, struct trp_bytes frame,
                                        struct trp_buffer *plain)
{
    if (frame.size < FRAME_OVERHEAD) {
        return TRP_EMALFORMED;
    }
    struct trp_bytes sealed = trp_bytes_skip(frame, LENGTH_BYTES);
    size_t size = frame.size - FRAME_OVERHEAD;
    uint8_t nothing;
    uint8_t *at = &nothing;
    enum trp_status status = size == 0 ? TRP_OK : trp_buffer_reserve(plain, size, &at);
    if (status == TRP_OK) {
        status = trp_noise_cipher_open(&n->receiver, TRP_BYTES_NONE, sealed, at);
    }
    if (status == TRP_OK && size > 0) {
        trp_buffer_commit(plain, size);
    }
    return status;
}

/* Adds bytes to the frame in rx, and takes it when it is whole; returns how many it used. Of a
 * frame that does not fit `plain` the last bytes stay with the caller, who so knows to come back.
 */
static enum trp_status noise_gather(struct trp_noise *n, struct trp_bytes in,
                                    struct trp_buffer *plain, size_t *ret_used)
{
    size_t whole = frame_size(trp_buffer_view(&n->rx));
    size_t missing = (whole == 0 ? LENGTH_BYTES : whole) - n->rx.size;
    size_t size = in.size < missing ? in.size : missing;
    *ret_used = 0;
    if (size == missing && whole > 0 && !noise_fits(n, whole, plain)) {
        return TRP_OK;
    }
    enum trp_status status = trp_buffer_append(&n->rx, trp_bytes(in.data, size));
    if (status != TRP_OK) {
        return status;
    }
    *ret_used = size;
    struct trp_bytes frame = trp_buffer_view(&n->rx);
    if (frame.size < LENGTH_BYTES || frame.size < frame_size(frame)) {
        return TRP_OK;
    }
    if (n->handshake == NULL) {
        status = noise_take_frame(n, frame, plain);
    } else {
        uint8_t *message = n->rx.data + n->rx.head + LENGTH_BYTES;
        status = noise_take_message(n, message, frame.size - LENGTH_BYTES);
    }
    trp_buffer_consume(&n->rx, frame.size);
    return status;
}

enum trp_status trp_noise_recv(struct trp_noise *noise, struct trp_bytes in,
                               struct trp_buffer *plain, size_t *ret_used)
{
    TRP_ASSERT(plain->limit_bytes >= TRP_NOISE_PLAIN_ROOM_MIN);
    if (noise->failed != TRP_OK) {
        return noise->failed;
    }
    size_t used = 0;
    while (used < in.size) {
        struct trp_bytes rest = trp_bytes_skip(in, used);
        size_t whole = noise->rx.size > 0 || noise->handshake != NULL ? 0 : frame_size(rest);
        size_t size = 0;
        enum trp_status status = TRP_OK;
        if (whole == 0 || rest.size < whole) {
            status = noise_gather(noise, rest, plain, &size);
        } else if (noise_fits(noise, whole, plain)) {
            status = noise_take_frame(noise, trp_bytes(rest.data, whole), plain);
            size = whole;
        }
        if (status != TRP_OK) {
            noise->failed = status;
            return status;
        }
        if (size == 0) {
            break;
        }
        used += size;
    }
    *ret_used = used;
    return TRP_OK;
}

/* ---- sending ---- */

enum trp_status trp_noise_send(struct trp_noise *noise, struct trp_buffer *out)
{
    if (noise->failed != TRP_OK) {
        return noise->failed;
    }
    struct trp_bytes pending = trp_buffer_view(&noise->tx);
    size_t room = trp_buffer_room(out);
    size_t size = pending.size < room ? pending.size : room;
    enum trp_status status = trp_buffer_append(out, trp_bytes(pending.data, size));
    if (status != TRP_OK) {
        noise->failed = status;
        return status;
    }
    trp_buffer_consume(&noise->tx, size);
    if (noise->tx.size > 0) {
        return TRP_EFULL;
    }
    trp_buffer_free(&noise->tx);
    return TRP_OK;
}

/* Encrypts one frame of `size` bytes to the end of `out`. */
static enum trp_status noise_put_frame(struct trp_noise *n, struct trp_bytes plain,
                                       struct trp_buffer *out)
{
    uint8_t *at;
    enum trp_status status = trp_buffer_reserve(out, plain.size + FRAME_OVERHEAD, &at);
    if (status != TRP_OK) {
        return status;
    }
    trp_store_be16(at, (uint16_t)(plain.size + TRP_NOISE_TAG_BYTES));
    status = trp_noise_cipher_seal(&n->sender, TRP_BYTES_NONE, plain, at + LENGTH_BYTES);
    if (status == TRP_OK) {
        trp_buffer_commit(out, plain.size + FRAME_OVERHEAD);
    }
    return status;
}

enum trp_status trp_noise_encrypt(struct trp_noise *noise, struct trp_bytes plain,
                                  struct trp_buffer *out, size_t *ret_used)
{
    if (noise->failed == TRP_OK && noise->handshake != NULL) {
        return TRP_ESTATE;
    }
    enum trp_status status = trp_noise_send(noise, out);
    if (status != TRP_OK) {
        return status;
    }
    size_t used = 0;
    while (used < plain.size) {
        size_t want = plain.size - used;
        want = want < TRP_NOISE_PLAIN_BYTES_MAX ? want : TRP_NOISE_PLAIN_BYTES_MAX;
        size_t room = trp_buffer_room(out);
        room = room > FRAME_OVERHEAD ? room - FRAME_OVERHEAD : 0;
        if (room == 0 || (room < want && room < PLAIN_BYTES_MIN && out->size > 0)) {
            break;
        }
        size_t size = want < room ? want : room;
        status = noise_put_frame(noise, trp_bytes(plain.data + used, size), out);
        if (status != TRP_OK) {
            noise->failed = status;
            return status;
        }
        used += size;
    }
    if (used == 0 && plain.size > 0) {
        return TRP_EFULL;
    }
    *ret_used = used;
    return TRP_OK;
}

/* ---- what was learned ---- */

bool trp_noise_is_open(const struct trp_noise *noise)
{
    return noise->handshake == NULL;
}

const struct trp_peer_id *trp_noise_peer(const struct trp_noise *noise)
{
    return trp_noise_is_open(noise) ? &noise->peer : NULL;
}

enum trp_status trp_noise_public_key(const struct trp_noise *noise, struct trp_public_key *ret_key)
{
    if (!trp_noise_is_open(noise)) {
        return TRP_ESTATE;
    }
    *ret_key = (struct trp_public_key){.type = noise->key->type, .size = noise->key->size};
    memcpy(ret_key->bytes, noise->key->bytes, noise->key->size);
    return TRP_OK;
}

const char *trp_noise_muxer(const struct trp_noise *noise)
{
    return trp_noise_is_open(noise) ? noise->muxer : NULL;
}
