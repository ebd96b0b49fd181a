/* SPDX-License-Identifier: MIT */
#include "proto/noise.h"

#include "base/endian.h"
#include "crypto/x25519.h"
#include "lib/pipe.h"
#include "lib/test.h"
#include "proto/noise_handshake.h"
#include "wire/noise_payload.h"
#include "wire/public_key.h"

#define PLAIN_MAX (1u << 20)

static const char *const yamux[] = {"/yamux/1.0.0"};
static const char *const mplex_yamux[] = {"/mplex/6.7.0", "/yamux/1.0.0"};
static const char *const yamux_mplex[] = {"/yamux/1.0.0", "/mplex/6.7.0"};
static const char *const strange[] = {"/strange/1.0.0"};

struct side {
    struct trp_memory memory;
    struct trp_keypair identity;
    struct trp_noise_identity noise_identity;
    struct trp_peer_id id;
    struct trp_noise *noise;
    struct trp_buffer plain;
    struct trp_buffer sent;
};

struct options {
    const char *const *muxers[2];
    uint32_t muxers_count[2];
    bool expect_another; /* the initiator looks for somebody else */
    bool expect_it;
};

static void identity_make(struct trp_keypair *identity, uint8_t who)
{
    uint8_t seed[32] = {who, 0x11};
    trp_keypair_from_seed(seed, identity);
}

static enum trp_status side_open(struct side *s, const struct trp_noise_config *config, uint8_t who)
{
    *s = (struct side){.memory = trp_memory_init(64 << 20)};
    s->plain = trp_buffer_init(&s->memory, PLAIN_MAX);
    s->sent = trp_buffer_init(&s->memory, PLAIN_MAX);
    identity_make(&s->identity, who);
    trp_peer_id_from_key(&s->identity.public_key, &s->id);
    struct trp_noise_config whole = *config;
    uint8_t static_secret[32];
    memset(static_secret, 0x40 + who, sizeof static_secret);
    trp_noise_identity_init(&s->identity, static_secret, &s->noise_identity);
    whole.identity = &s->noise_identity;
    whole.initiator = who == 0;
    memset(whole.ephemeral_secret, 0x50 + who, 32);
    return trp_noise_open(&s->memory, &whole, &s->noise);
}

static void setup(struct side s[2], const struct options *options)
{
    struct trp_keypair other;
    struct trp_noise_config config[2] = {{0}};
    for (uint8_t i = 0; i < 2; i++) {
        config[i].muxers = options->muxers[i];
        config[i].muxers_count = options->muxers_count[i];
    }
    identity_make(&other, options->expect_it ? 1 : 7);
    if (options->expect_it || options->expect_another) {
        trp_peer_id_from_key(&other.public_key, &config[0].expected);
    }
    for (uint8_t i = 0; i < 2; i++) {
        assert_status(side_open(&s[i], &config[i], i), TRP_OK);
    }
}

static void teardown(struct side s[2])
{
    for (size_t i = 0; i < 2; i++) {
        trp_noise_close(s[i].noise);
        trp_buffer_free(&s[i].plain);
        trp_buffer_free(&s[i].sent);
        assert_int_equal(s[i].memory.used_bytes, 0);
    }
}

/* Moves what `from` has to send to the other, all at once. */
static enum trp_status pass(struct side s[2], size_t from)
{
    assert_status(trp_noise_send(s[from].noise, &s[from].sent), TRP_OK);
    struct trp_bytes in = trp_buffer_view(&s[from].sent);
    size_t used = 0;
    enum trp_status status = trp_noise_recv(s[1 - from].noise, in, &s[1 - from].plain, &used);
    assert_true(status != TRP_OK || used == in.size);
    trp_buffer_free(&s[from].sent);
    return status;
}

static void shake_hands(struct side s[2])
{
    for (size_t i = 0; i < 3; i++) {
        assert_false(trp_noise_is_open(s[1 - i % 2].noise));
        assert_status(pass(s, i % 2), TRP_OK);
    }
}

static void encrypt(struct side *s, const void *bytes, size_t size)
{
    size_t used = 0;
    assert_status(trp_noise_encrypt(s->noise, trp_bytes(bytes, size), &s->sent, &used), TRP_OK);
    assert_int_equal(used, size);
}

static void each_learns_who_the_other_is(void **state)
{
    (void)state;
    struct side s[2];
    setup(s, &(struct options){.expect_it = true});
    assert_null(trp_noise_peer(s[0].noise));
    struct trp_public_key key;
    assert_status(trp_noise_public_key(s[0].noise, &key), TRP_ESTATE);
    shake_hands(s);
    for (size_t i = 0; i < 2; i++) {
        assert_true(trp_noise_is_open(s[i].noise));
        assert_true(trp_peer_id_equal(trp_noise_peer(s[i].noise), &s[1 - i].id));
        assert_status(trp_noise_public_key(s[i].noise, &key), TRP_OK);
        assert_memory_equal(&key, &s[1 - i].identity.public_key, sizeof key);
        assert_null(trp_noise_muxer(s[i].noise));
    }
    teardown(s);
}

static void a_stranger_is_refused(void **state)
{
    (void)state;
    struct side s[2];
    setup(s, &(struct options){.expect_another = true});
    assert_status(pass(s, 0), TRP_OK);
    assert_status(pass(s, 1), TRP_EAUTH);
    size_t used;
    assert_false(trp_noise_is_open(s[0].noise));
    assert_status(trp_noise_send(s[0].noise, &s[0].sent), TRP_EAUTH); /* sticky, message 3 unsaid */
    assert_status(trp_noise_recv(s[0].noise, TRP_BYTES_NONE, &s[0].plain, &used), TRP_EAUTH);
    assert_status(trp_noise_encrypt(s[0].noise, trp_bytes("x", 1), &s[0].sent, &used), TRP_EAUTH);
    assert_int_equal(s[0].sent.size, 0);
    teardown(s);
}

/* connections/inlined-muxer-negotiation.md */
static void the_initiators_first_common_muxer_is_agreed(void **state)
{
    (void)state;
    static const struct {
        const char *const *muxers[2];
        uint32_t count[2];
        const char *agreed;
    } cases[] = {
        {{yamux, yamux}, {1, 1}, "/yamux/1.0.0"},
        {{mplex_yamux, yamux_mplex}, {2, 2}, "/mplex/6.7.0"},
        {{yamux_mplex, mplex_yamux}, {2, 2}, "/yamux/1.0.0"},
        {{mplex_yamux, yamux}, {2, 1}, "/yamux/1.0.0"},
        {{yamux, mplex_yamux}, {1, 2}, "/yamux/1.0.0"},
        {{yamux, NULL}, {1, 0}, NULL},
        {{NULL, yamux}, {0, 1}, NULL},
        {{NULL, NULL}, {0, 0}, NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct side s[2];
        setup(s, &(struct options){
                     .muxers = {cases[i].muxers[0], cases[i].muxers[1]},
                     .muxers_count = {cases[i].count[0], cases[i].count[1]},
                 });
        shake_hands(s);
        for (size_t k = 0; k < 2; k++) {
            const char *muxer = trp_noise_muxer(s[k].noise);
            assert_true((muxer == NULL) == (cases[i].agreed == NULL));
            if (muxer != NULL) {
                assert_string_equal(muxer, cases[i].agreed);
            }
        }
        teardown(s);
    }
}

static void no_muxer_in_common_is_a_failure(void **state)
{
    (void)state;
    struct side s[2];
    setup(s, &(struct options){.muxers = {yamux, strange}, .muxers_count = {1, 1}});
    assert_status(pass(s, 0), TRP_OK);
    assert_status(pass(s, 1), TRP_ENEGOTIATION);
    teardown(s);
}

static void too_many_muxers_are_our_mistake(void **state)
{
    (void)state;
    struct side s;
    static const char *const many[5] = {"/a", "/b", "/c", "/d", "/e"};
    struct trp_noise_config config = {.muxers = many, .muxers_count = 5};
    assert_status(side_open(&s, &config, 0), TRP_EINVAL);
    assert_int_equal(s.memory.used_bytes, 0);
}

/* ---- a responder written by hand ---- */

struct forger {
    struct trp_noise_handshake hs;
    struct trp_noise_cipher send;
    struct trp_noise_cipher recv;
};

/* Reads the initiator's message 1, then answers with any payload. */
static enum trp_status forger_answer(struct forger *f, struct side *s, struct trp_bytes payload)
{
    static uint8_t wire[2 + 65535];
    static const uint8_t secret[32] = {9};
    struct trp_bytes read;
    assert_status(trp_noise_send(s->noise, &s->sent), TRP_OK);
    assert_int_equal(s->sent.size, 2 + 32);
    memcpy(wire, trp_buffer_view(&s->sent).data + 2, 32);
    trp_buffer_free(&s->sent);
    uint8_t secret_public[32];
    trp_x25519_public(secret, secret_public);
    trp_noise_handshake_init(&f->hs, false, secret, secret_public, secret, TRP_BYTES_NONE);
    assert_status(trp_noise_handshake_read(&f->hs, wire, 32, &read), TRP_OK);
    size_t size = trp_noise_handshake_overhead(&f->hs) + payload.size;
    trp_store_be16(wire, (uint16_t)size);
    assert_status(trp_noise_handshake_write(&f->hs, payload, wire + 2), TRP_OK);
    size_t used = 0;
    return trp_noise_recv(s->noise, trp_bytes(wire, 2 + size), &s->plain, &used);
}

/* A payload for the forger's static key: `claimed` says who, `signer` signs prefix and key. */
static size_t forge_payload(uint8_t signer, uint8_t claimed, const char *prefix, uint8_t *out,
                            size_t room)
{
    static const uint8_t secret[32] = {9};
    uint8_t message[64];
    uint8_t signature[64];
    uint8_t key[64];
    size_t size;
    struct trp_keypair pair;
    memcpy(message, prefix, strlen(prefix));
    trp_x25519_public(secret, message + strlen(prefix));
    identity_make(&pair, signer);
    trp_keypair_sign(&pair, trp_bytes(message, strlen(prefix) + 32), signature);
    identity_make(&pair, claimed);
    assert_status(trp_public_key_encode(&pair.public_key, key, sizeof key, &size), TRP_OK);
    struct trp_noise_payload payload = {.identity_key = trp_bytes(key, size),
                                        .identity_sig = trp_bytes(signature, 64)};
    assert_status(trp_noise_payload_encode(&payload, out, room, &size), TRP_OK);
    return size;
}

static void side_close(struct side *s)
{
    trp_noise_close(s->noise);
    trp_buffer_free(&s->sent);
    trp_buffer_free(&s->plain);
    assert_int_equal(s->memory.used_bytes, 0);
}

static enum trp_status offer_payload(struct trp_bytes payload)
{
    struct side s;
    struct forger forger;
    assert_status(side_open(&s, &(struct trp_noise_config){0}, 0), TRP_OK);
    enum trp_status status = forger_answer(&forger, &s, payload);
    assert_true(trp_noise_is_open(s.noise) == (status == TRP_OK));
    side_close(&s);
    return status;
}

#define PREFIX "noise-libp2p-static-key:"

static void the_signature_binds_the_static_key(void **state)
{
    (void)state;
    uint8_t payload[512];
    size_t size = forge_payload(3, 3, PREFIX, payload, sizeof payload);
    assert_status(offer_payload(trp_bytes(payload, size)), TRP_OK);
    for (size_t cut = 0; cut < size; cut++) {
        enum trp_status status = offer_payload(trp_bytes(payload, cut));
        assert_true(status == TRP_EMALFORMED || status == TRP_EAUTH);
    }
    size = forge_payload(3, 4, PREFIX, payload, sizeof payload);
    assert_status(offer_payload(trp_bytes(payload, size)), TRP_EAUTH);
    size = forge_payload(3, 3, "noise-libp2p-static-kez:", payload, sizeof payload);
    assert_status(offer_payload(trp_bytes(payload, size)), TRP_EAUTH);
}

static void unknown_fields_of_the_payload_are_skipped(void **state)
{
    (void)state;
    static const uint8_t unknown[] = {0x1a, 3, 'o', 'l', 'd', 0xf8, 0x06, 1}; /* 3 and 111 */
    uint8_t payload[512];
    size_t size = forge_payload(3, 3, PREFIX, payload, sizeof payload);
    memcpy(payload + size, unknown, sizeof unknown);
    assert_status(offer_payload(trp_bytes(payload, size + sizeof unknown)), TRP_OK);
}

static void a_payload_beyond_reason_is_refused(void **state)
{
    (void)state;
    static uint8_t payload[65535 - 96];
    assert_status(offer_payload(trp_bytes(payload, sizeof payload)), TRP_EMALFORMED);
    size_t at = forge_payload(3, 3, PREFIX, payload, sizeof payload);
    size_t rest = sizeof payload - at - 4;
    rest -= rest % 2;
    memcpy(payload + at, (uint8_t[]){0x22, 0x80, 0, 0}, 4); /* extensions: names without end */
    payload[at + 1] = (uint8_t)(0x80 | (rest & 0x7f));
    payload[at + 2] = (uint8_t)(0x80 | (rest >> 7 & 0x7f));
    payload[at + 3] = (uint8_t)(rest >> 14);
    for (size_t i = 0; i < rest; i += 2) {
        memcpy(payload + at + 4 + i, (uint8_t[]){0x12, 0}, 2);
    }
    assert_status(offer_payload(trp_bytes(payload, at + 4 + rest)), TRP_ETOOBIG);
}

static void message_1_may_carry_anything(void **state)
{
    (void)state;
    struct side s;
    static const uint8_t secret[32] = {5};
    uint8_t wire[512];
    struct trp_noise_handshake hs;
    struct trp_bytes payload;
    size_t used = 0;
    assert_status(side_open(&s, &(struct trp_noise_config){0}, 1), TRP_OK);
    uint8_t secret_public[32];
    trp_x25519_public(secret, secret_public);
    trp_noise_handshake_init(&hs, true, secret, secret_public, secret, TRP_BYTES_NONE);
    assert_status(trp_noise_handshake_write(&hs, trp_bytes_text("early"), wire + 2), TRP_OK);
    trp_store_be16(wire, 37);
    assert_status(trp_noise_recv(s.noise, trp_bytes(wire, 39), &s.plain, &used), TRP_OK);
    assert_int_equal(used, 39);
    assert_int_equal(s.plain.size, 0);
    assert_status(trp_noise_send(s.noise, &s.sent), TRP_OK);
    size_t size = s.sent.size - 2;
    memcpy(wire, trp_buffer_view(&s.sent).data + 2, size);
    assert_status(trp_noise_handshake_read(&hs, wire, size, &payload), TRP_OK);
    side_close(&s);
}

/* An initiator that is open with the forger. */
static void forger_open(struct forger *f, struct side *s)
{
    uint8_t payload[512];
    struct trp_bytes read;
    size_t size = forge_payload(3, 3, PREFIX, payload, sizeof payload);
    assert_status(side_open(s, &(struct trp_noise_config){0}, 0), TRP_OK);
    assert_status(forger_answer(f, s, trp_bytes(payload, size)), TRP_OK);
    assert_status(trp_noise_send(s->noise, &s->sent), TRP_OK);
    size = s->sent.size - 2;
    memcpy(payload, trp_buffer_view(&s->sent).data + 2, size);
    trp_buffer_free(&s->sent);
    assert_status(trp_noise_handshake_read(&f->hs, payload, size, &read), TRP_OK);
    trp_noise_handshake_split(&f->hs, &f->send, &f->recv);
}

/* A frame of `size` equal bytes; returns its size on the wire. */
static size_t forge_frame(struct forger *f, size_t size, uint8_t fill, uint8_t *out)
{
    memset(out + 2, fill, size);
    trp_store_be16(out, (uint16_t)(size + 16));
    assert_status(
        trp_noise_cipher_seal(&f->send, TRP_BYTES_NONE, trp_bytes(out + 2, size), out + 2), TRP_OK);
    return size + 18;
}

static void empty_frames_are_legal(void **state)
{
    (void)state;
    struct side s;
    struct forger f;
    uint8_t wire[64];
    size_t used = 0;
    forger_open(&f, &s);
    size_t size = forge_frame(&f, 0, 0, wire);
    size += forge_frame(&f, 3, 'x', wire + size);
    assert_status(trp_noise_recv(s.noise, trp_bytes(wire, size), &s.plain, &used), TRP_OK);
    assert_int_equal(used, size);
    assert_memory_equal(trp_buffer_view(&s.plain).data, "xxx", 3);
    assert_status(trp_noise_encrypt(s.noise, TRP_BYTES_NONE, &s.sent, &used), TRP_OK);
    assert_int_equal(s.sent.size, 0); /* we send none */
    side_close(&s);
}

static void a_full_plain_buffer_delays_frames(void **state)
{
    (void)state;
    for (size_t piece = 1000; piece <= 80000; piece += 79000) {
        static uint8_t wire[70000];
        struct side s;
        struct forger f;
        forger_open(&f, &s);
        s.plain.limit_bytes = TRP_NOISE_PLAIN_ROOM_MIN;
        size_t first = forge_frame(&f, 20, 'a', wire);
        size_t size = first + forge_frame(&f, TRP_NOISE_PLAIN_ROOM_MIN, 'b', wire + first);
        size_t at = 0;
        size_t got = 0;
        for (uint32_t turn = 0; at < size; turn++) {
            assert_in_range(turn, 0, 200);
            size_t used = 0;
            size_t some = size - at < piece ? size - at : piece;
            assert_status(trp_noise_recv(s.noise, trp_bytes(wire + at, some), &s.plain, &used),
                          TRP_OK);
            at += used;
            if (used == 0) { /* the frame waits for the twenty bytes to be taken */
                assert_int_equal(s.plain.size, 20);
                got += 20;
                trp_buffer_consume(&s.plain, 20);
            }
        }
        assert_int_equal(got, 20);
        assert_int_equal(s.plain.size, TRP_NOISE_PLAIN_ROOM_MIN);
        side_close(&s);
    }
}

static void changed_or_short_frames_end_the_connection(void **state)
{
    (void)state;
    for (size_t at = 2; at < 30; at++) {
        struct side s;
        struct forger f;
        uint8_t wire[64];
        size_t used;
        forger_open(&f, &s);
        size_t size = forge_frame(&f, 12, 'c', wire);
        wire[at] ^= 1;
        assert_status(trp_noise_recv(s.noise, trp_bytes(wire, size), &s.plain, &used), TRP_EAUTH);
        assert_int_equal(s.plain.size, 0);
        wire[at] ^= 1;
        assert_status(trp_noise_recv(s.noise, trp_bytes(wire, size), &s.plain, &used), TRP_EAUTH);
        side_close(&s);
    }
    for (uint8_t length = 0; length < 16; length++) {
        struct side s;
        struct forger f;
        uint8_t wire[18] = {0, length};
        size_t used;
        forger_open(&f, &s);
        assert_status(trp_noise_recv(s.noise, trp_bytes(wire, 2u + length), &s.plain, &used),
                      TRP_EMALFORMED);
        side_close(&s);
    }
}

/* ---- the transport ---- */

static void frames_are_of_the_agreed_shape(void **state)
{
    (void)state;
    static uint8_t bytes[TRP_NOISE_PLAIN_BYTES_MAX + 1];
    struct side s[2];
    setup(s, &(struct options){0});
    shake_hands(s);
    encrypt(&s[0], bytes, sizeof bytes);
    const uint8_t *at = trp_buffer_view(&s[0].sent).data;
    assert_int_equal(trp_load_be16(at), TRP_NOISE_PLAIN_BYTES_MAX + 16);
    assert_int_equal(trp_load_be16(at + 2 + TRP_NOISE_PLAIN_BYTES_MAX + 16), 17);
    assert_int_equal(s[0].sent.size, sizeof bytes + 2 * 18);
    teardown(s);
}

static void bytes_after_message_3_are_frames(void **state)
{
    (void)state;
    struct side s[2];
    setup(s, &(struct options){0});
    assert_status(pass(s, 0), TRP_OK);
    assert_status(pass(s, 1), TRP_OK);
    assert_true(trp_noise_is_open(s[0].noise));
    assert_false(trp_noise_is_open(s[1].noise));
    encrypt(&s[0], "at once", 7); /* behind message 3, which was still unsent */
    assert_status(pass(s, 0), TRP_OK);
    assert_true(trp_noise_is_open(s[1].noise));
    assert_int_equal(s[1].plain.size, 7);
    assert_memory_equal(trp_buffer_view(&s[1].plain).data, "at once", 7);
    teardown(s);
}

static void nothing_is_encrypted_before_it_is_open(void **state)
{
    (void)state;
    struct side s[2];
    size_t used;
    setup(s, &(struct options){0});
    assert_status(trp_noise_encrypt(s[1].noise, trp_bytes("x", 1), &s[1].sent, &used), TRP_ESTATE);
    teardown(s);
}

static void encrypts_into_the_least_room(void **state)
{
    (void)state;
    static const char text[] = "bytes";
    struct side s[2];
    size_t used = 0;
    setup(s, &(struct options){0});
    shake_hands(s);
    for (size_t i = 0; i < 5; i++) {
        s[0].sent.limit_bytes = 18;
        assert_status(trp_noise_encrypt(s[0].noise, trp_bytes(text + i, 5 - i), &s[0].sent, &used),
                      TRP_EFULL);
        s[0].sent.limit_bytes = 19;
        assert_status(trp_noise_encrypt(s[0].noise, trp_bytes(text + i, 5 - i), &s[0].sent, &used),
                      TRP_OK);
        assert_int_equal(used, 1);
        assert_status(pass(s, 0), TRP_OK);
    }
    assert_memory_equal(trp_buffer_view(&s[1].plain).data, "bytes", 5);
    /* Behind other bytes, a small rest of room is left alone. */
    s[0].sent.limit_bytes = 100;
    encrypt(&s[0], "x", 1);
    uint8_t more[200] = {0};
    assert_status(trp_noise_encrypt(s[0].noise, trp_bytes(more, sizeof more), &s[0].sent, &used),
                  TRP_EFULL);
    teardown(s);
}

static void sends_the_handshake_into_one_byte_of_room(void **state)
{
    (void)state;
    struct side s[2];
    setup(s, &(struct options){.muxers = {yamux, yamux}, .muxers_count = {1, 1}});
    for (uint32_t turn = 0; !trp_noise_is_open(s[1].noise); turn++) {
        assert_in_range(turn, 0, 2000);
        for (size_t i = 0; i < 2; i++) {
            s[i].sent.limit_bytes = 1;
            enum trp_status status = trp_noise_send(s[i].noise, &s[i].sent);
            assert_true(status == TRP_OK || status == TRP_EFULL);
            size_t used = 0;
            assert_status(
                trp_noise_recv(s[1 - i].noise, trp_buffer_view(&s[i].sent), &s[1 - i].plain, &used),
                TRP_OK);
            trp_buffer_consume(&s[i].sent, used);
        }
    }
    assert_string_equal(trp_noise_muxer(s[1].noise), "/yamux/1.0.0");
    teardown(s);
}

static void out_of_memory_is_a_status(void **state)
{
    (void)state;
    uint32_t failures = 0;
    for (uint64_t n = 1; n < 30; n++) {
        for (size_t who = 0; who < 2; who++) {
            struct side s[2];
            setup(s, &(struct options){0});
            s[who].memory.fail_at = n;
            enum trp_status status = TRP_OK;
            for (size_t i = 0; i < 3 && status == TRP_OK; i++) {
                status = trp_noise_send(s[i % 2].noise, &s[i % 2].sent);
                struct trp_bytes in = trp_buffer_view(&s[i % 2].sent);
                size_t used = 0;
                if (status == TRP_OK) {
                    struct side *to = &s[1 - i % 2];
                    status = trp_noise_recv(to->noise, in, &to->plain, &used);
                    trp_buffer_free(&s[i % 2].sent);
                }
            }
            assert_true(status == TRP_OK || status == TRP_ENOMEM);
            failures += status == TRP_ENOMEM;
            teardown(s);
        }
        struct trp_memory memory = trp_memory_init(1 << 20);
        struct trp_keypair identity;
        struct trp_noise_identity noise_identity;
        struct trp_noise *noise = NULL;
        identity_make(&identity, 1);
        trp_noise_identity_init(&identity, (const uint8_t[32]){0x40}, &noise_identity);
        memory.fail_at = n;
        struct trp_noise_config config = {.initiator = true, .identity = &noise_identity};
        enum trp_status status = trp_noise_open(&memory, &config, &noise);
        assert_status(status, n <= 3 ? TRP_ENOMEM : TRP_OK);
        if (status == TRP_OK) {
            trp_noise_close(noise);
        }
        assert_int_equal(memory.used_bytes, 0);
    }
    assert_in_range(failures, 4, 58);
}

static void an_idle_connection_is_small(void **state)
{
    (void)state;
    struct side s[2];
    setup(s, &(struct options){.muxers = {yamux, yamux}, .muxers_count = {1, 1}});
    shake_hands(s);
    for (size_t i = 0; i < 2; i++) {
        encrypt(&s[i], "some bytes", 10);
        assert_status(pass(s, i), TRP_OK);
    }
    for (size_t i = 0; i < 2; i++) {
        trp_buffer_free(&s[i].plain);
        assert_in_range(s[i].memory.used_bytes, 1, 1023);
    }
    teardown(s);
}

/* ---- two machines face to face ---- */

static uint8_t pattern(size_t who, size_t at)
{
    return (uint8_t)(at * 13u + (at >> 8) * 5u + who);
}

struct talk {
    struct side side[2];
    struct test_pipe pipe[2];
    size_t written[2];
    size_t checked[2];
    size_t length;
};

static void talk_write(struct talk *t, size_t who)
{
    static uint8_t bytes[100000];
    struct side *s = &t->side[who];
    size_t left = t->length - t->written[who];
    size_t size = left < sizeof bytes ? left : sizeof bytes;
    if (!trp_noise_is_open(s->noise) || size == 0) {
        return;
    }
    for (size_t i = 0; i < size; i++) {
        bytes[i] = pattern(who, t->written[who] + i);
    }
    size_t used = 0;
    enum trp_status status =
        trp_noise_encrypt(s->noise, trp_bytes(bytes, size), test_pipe_out(&t->pipe[who]), &used);
    assert_true(status == TRP_OK || status == TRP_EFULL);
    t->written[who] += status == TRP_OK ? used : 0;
}

static void talk_step(struct talk *t, size_t who)
{
    struct side *s = &t->side[who];
    struct test_pipe *in = &t->pipe[1 - who];
    enum trp_status status = trp_noise_send(s->noise, test_pipe_out(&t->pipe[who]));
    assert_true(status == TRP_OK || status == TRP_EFULL);
    talk_write(t, who);
    size_t used = 0;
    assert_status(trp_noise_recv(s->noise, test_pipe_in(in), &s->plain, &used), TRP_OK);
    test_pipe_consume(in, used);
    struct trp_bytes plain = trp_buffer_view(&s->plain);
    for (size_t i = 0; i < plain.size; i++) {
        assert_int_equal(plain.data[i], pattern(1 - who, t->checked[who] + i));
    }
    t->checked[who] += plain.size;
    trp_buffer_consume(&s->plain, plain.size);
}

static void talk_run(enum test_pipe_kind kind, uint64_t seed, size_t length)
{
    struct talk t = {.length = length};
    setup(t.side, &(struct options){
                      .muxers = {yamux, mplex_yamux}, .muxers_count = {1, 2}, .expect_it = true});
    for (uint32_t i = 0; i < 2; i++) {
        t.pipe[i] = test_pipe_init(&t.side[i].memory, kind, seed, i);
        t.side[i].plain.limit_bytes = TRP_NOISE_PLAIN_ROOM_MIN;
    }
    for (uint32_t turn = 0; t.checked[0] < length || t.checked[1] < length; turn++) {
        assert_in_range(turn, 0, 1000000);
        talk_step(&t, turn % 2);
    }
    for (size_t i = 0; i < 2; i++) {
        assert_string_equal(trp_noise_muxer(t.side[i].noise), "/yamux/1.0.0");
        test_pipe_deinit(&t.pipe[i]);
    }
    teardown(t.side);
}

static void two_machines_talk_over_any_chunking(void **state)
{
    (void)state;
    talk_run(TEST_PIPE_WHOLE, 0, 1 << 20);
    talk_run(TEST_PIPE_BYTES, 1, 1000);
    for (uint64_t seed = 2; seed < 40; seed++) {
        talk_run(TEST_PIPE_KEYED, seed, 1000 + (size_t)(seed % 3) * 70000);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_learns_who_the_other_is),
        cmocka_unit_test(a_stranger_is_refused),
        cmocka_unit_test(the_initiators_first_common_muxer_is_agreed),
        cmocka_unit_test(no_muxer_in_common_is_a_failure),
        cmocka_unit_test(too_many_muxers_are_our_mistake),
        cmocka_unit_test(the_signature_binds_the_static_key),
        cmocka_unit_test(unknown_fields_of_the_payload_are_skipped),
        cmocka_unit_test(a_payload_beyond_reason_is_refused),
        cmocka_unit_test(message_1_may_carry_anything),
        cmocka_unit_test(empty_frames_are_legal),
        cmocka_unit_test(a_full_plain_buffer_delays_frames),
        cmocka_unit_test(changed_or_short_frames_end_the_connection),
        cmocka_unit_test(frames_are_of_the_agreed_shape),
        cmocka_unit_test(bytes_after_message_3_are_frames),
        cmocka_unit_test(nothing_is_encrypted_before_it_is_open),
        cmocka_unit_test(encrypts_into_the_least_room),
        cmocka_unit_test(sends_the_handshake_into_one_byte_of_room),
        cmocka_unit_test(out_of_memory_is_a_status),
        cmocka_unit_test(an_idle_connection_is_small),
        cmocka_unit_test(two_machines_talk_over_any_chunking),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
