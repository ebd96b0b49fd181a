/* SPDX-License-Identifier: MIT */
/* Gives noise what a peer might: raw bytes before the handshake, any payload inside one that is
 * sound, and changed or cut frames after it. The first byte chooses which, the second how large the
 * pieces are. */
#include "crypto/x25519.h"
#include "proto/noise.h"

#include "base/assert.h"
#include "base/endian.h"
#include "proto/noise_handshake.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const muxers[] = {"/yamux/1.0.0", "/mplex/6.7.0"};

struct side {
    struct trp_memory memory;
    struct trp_noise_identity identity;
    struct trp_noise *noise;
    struct trp_buffer plain;
    struct trp_buffer sent;
};

static void side_open(struct side *s, uint8_t who)
{
    uint8_t seed[32] = {who};
    *s = (struct side){.memory = trp_memory_init(8 << 20)};
    s->plain = trp_buffer_init(&s->memory, 1 << 20);
    s->sent = trp_buffer_init(&s->memory, 1 << 20);
    struct trp_keypair host;
    trp_keypair_from_seed(seed, &host);
    trp_noise_identity_init(&host, (const uint8_t[32]){who, 1}, &s->identity);
    struct trp_noise_config config = {.initiator = who == 0,
                                      .identity = &s->identity,
                                      .ephemeral_secret = {who, 2},
                                      .muxers = muxers,
                                      .muxers_count = 2};
    TRP_ASSERT(trp_noise_open(&s->memory, &config, &s->noise) == TRP_OK);
}

static void side_close(struct side *s)
{
    trp_noise_close(s->noise);
    trp_buffer_free(&s->plain);
    trp_buffer_free(&s->sent);
    TRP_ASSERT(s->memory.used_bytes == 0);
}

/* Receives in pieces, up to the end or the first failure, which must then be sticky. */
static enum trp_status receive(struct side *s, struct trp_bytes in, size_t piece)
{
    enum trp_status status = TRP_OK;
    while (in.size > 0 && status == TRP_OK) {
        size_t used = 0;
        size_t some = in.size < piece ? in.size : piece;
        status = trp_noise_recv(s->noise, trp_bytes(in.data, some), &s->plain, &used);
        TRP_ASSERT(status != TRP_OK || (used > 0 && used <= some));
        in = trp_bytes_skip(in, used);
    }
    if (status != TRP_OK) {
        size_t used;
        TRP_ASSERT(trp_noise_recv(s->noise, in, &s->plain, &used) == status);
        TRP_ASSERT(trp_noise_send(s->noise, &s->sent) == status);
    }
    return status;
}

static void raw_bytes(struct trp_bytes in, size_t piece)
{
    for (uint8_t who = 0; who < 2; who++) {
        struct side s;
        side_open(&s, who);
        (void)!receive(&s, in, piece);
        TRP_ASSERT(s.plain.size == 0);
        side_close(&s);
    }
}

static void any_payload(struct trp_bytes payload, size_t piece)
{
    static const uint8_t secret[32] = {9};
    uint8_t wire[2 + 96 + 4096];
    struct trp_noise_handshake hs;
    struct trp_bytes read;
    struct side s;
    if (payload.size > 4096) {
        return;
    }
    side_open(&s, 0);
    TRP_ASSERT(trp_noise_send(s.noise, &s.sent) == TRP_OK);
    memcpy(wire, trp_buffer_view(&s.sent).data + 2, 32);
    uint8_t secret_public[32];
    trp_x25519_public(secret, secret_public);
    trp_noise_handshake_init(&hs, false, secret, secret_public, secret, TRP_BYTES_NONE);
    TRP_ASSERT(trp_noise_handshake_read(&hs, wire, 32, &read) == TRP_OK);
    size_t size = trp_noise_handshake_overhead(&hs) + payload.size;
    trp_store_be16(wire, (uint16_t)size);
    TRP_ASSERT(trp_noise_handshake_write(&hs, payload, wire + 2) == TRP_OK);
    enum trp_status status = receive(&s, trp_bytes(wire, 2 + size), piece);
    TRP_ASSERT(trp_noise_is_open(s.noise) == (status == TRP_OK));
    TRP_ASSERT(status != TRP_OK || trp_noise_peer(s.noise)->size > 0);
    side_close(&s);
}

/* Encrypts the input, then changes one byte of the frames: what arrives is a beginning of it. */
static void changed_frames(struct trp_bytes in, size_t piece)
{
    struct side s[2];
    size_t used = 0;
    if (in.size < 4) {
        return;
    }
    for (uint8_t i = 0; i < 2; i++) {
        side_open(&s[i], i);
    }
    for (size_t i = 0; i < 3; i++) {
        struct side *from = &s[i % 2];
        TRP_ASSERT(trp_noise_send(from->noise, &from->sent) == TRP_OK);
        TRP_ASSERT(receive(&s[1 - i % 2], trp_buffer_view(&from->sent), piece) == TRP_OK);
        trp_buffer_free(&from->sent);
    }
    struct trp_bytes first = trp_bytes(in.data, in.size / 2);
    struct trp_bytes second = trp_bytes_skip(in, in.size / 2);
    TRP_ASSERT(trp_noise_encrypt(s[0].noise, first, &s[0].sent, &used) == TRP_OK);
    TRP_ASSERT(trp_noise_encrypt(s[0].noise, second, &s[0].sent, &used) == TRP_OK);
    size_t at = trp_load_be16(in.data) % s[0].sent.size;
    uint8_t change = in.data[2];
    s[0].sent.data[s[0].sent.head + at] ^= change;
    enum trp_status status = receive(&s[1], trp_buffer_view(&s[0].sent), piece);
    struct trp_bytes got = trp_buffer_view(&s[1].plain);
    TRP_ASSERT(change != 0 || (status == TRP_OK && got.size == in.size));
    TRP_ASSERT(change == 0 || got.size < in.size);
    TRP_ASSERT(got.size == 0 || memcmp(got.data, in.data, got.size) == 0);
    for (uint8_t i = 0; i < 2; i++) {
        side_close(&s[i]);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2) {
        return 0;
    }
    struct trp_bytes in = trp_bytes(data + 2, size - 2);
    size_t piece = data[1] == 0 ? SIZE_MAX : data[1];
    switch (data[0] % 3) {
    case 0:
        raw_bytes(in, piece);
        break;
    case 1:
        any_payload(in, piece);
        break;
    default:
        changed_frames(in, piece);
        break;
    }
    return 0;
}
