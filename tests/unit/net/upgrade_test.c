/* SPDX-License-Identifier: MIT */
#include "net/upgrade.h"

#include "lib/test.h"
#include "proto/multistream.h"
#include "proto/plaintext.h"
#include "proto/yamux.h"
#include "wire/public_key.h"

#define WIRE_MAX 65536u

/* Two upgrades and the bytes between them. */
struct two {
    struct trp_memory memory;
    struct trp_keypair keys[2];
    struct trp_noise_identity identities[2];
    struct trp_peer_id ids[2];
    struct trp_upgrade *upgrades[2];
    struct trp_buffer wire[2];  /* towards i */
    struct trp_buffer plain[2]; /* left for the muxer of i */
};

static struct trp_upgrade_config config_of(const struct two *two, uint32_t i, bool plaintext)
{
    struct trp_upgrade_config config = {.initiator = i == 0,
                                        .plaintext = plaintext,
                                        .identity = &two->keys[i],
                                        .noise = &two->identities[i]};
    memset(config.ephemeral_secret, (int)(20 + i), 32);
    return config;
}

static void two_init(struct two *two)
{
    *two = (struct two){.memory = trp_memory_init(1u << 20)};
    for (uint32_t i = 0; i < 2; i++) {
        const uint8_t seed[32] = {(uint8_t)(i + 1)};
        uint8_t static_secret[32];
        trp_keypair_from_seed(seed, &two->keys[i]);
        memset(static_secret, (int)(10 + i), sizeof static_secret);
        trp_noise_identity_init(&two->keys[i], static_secret, &two->identities[i]);
        trp_peer_id_from_key(&two->keys[i].public_key, &two->ids[i]);
        two->wire[i] = trp_buffer_init(&two->memory, WIRE_MAX);
        two->plain[i] = trp_buffer_init(&two->memory, WIRE_MAX);
    }
}

static void two_open(struct two *two, bool plaintext)
{
    two_init(two);
    for (uint32_t i = 0; i < 2; i++) {
        const struct trp_upgrade_config config = config_of(two, i, plaintext);
        assert_status(trp_upgrade_open(&two->memory, &config, &two->upgrades[i]), TRP_OK);
    }
}

static void two_close(struct two *two)
{
    for (uint32_t i = 0; i < 2; i++) {
        trp_upgrade_close(two->upgrades[i]);
        trp_buffer_free(&two->wire[i]);
        trp_buffer_free(&two->plain[i]);
    }
    assert_int_equal(two->memory.used_bytes, 0);
}

/* Takes what one side has to say, at most `room` bytes of it. */
static void two_send(struct two *two, uint32_t i, size_t room)
{
    struct trp_buffer out = trp_buffer_init(&two->memory, room);
    enum trp_status status = trp_upgrade_send(two->upgrades[i], &out);
    assert_true(status == TRP_OK || status == TRP_EFULL);
    assert_status(trp_buffer_append(&two->wire[1 - i], trp_buffer_view(&out)), TRP_OK);
    trp_buffer_free(&out);
}

/* Gives one side at most `piece` bytes of what waits for it. */
static enum trp_status two_recv(struct two *two, uint32_t i, size_t piece)
{
    struct trp_bytes in = trp_buffer_view(&two->wire[i]);
    in.size = in.size < piece ? in.size : piece;
    size_t used = 0;
    enum trp_status status = trp_upgrade_recv(two->upgrades[i], in, &two->plain[i], &used);
    trp_buffer_consume(&two->wire[i], used);
    return status;
}

static void two_run(struct two *two, size_t piece, size_t room)
{
    for (uint32_t round = 0; round < 4000; round++) {
        for (uint32_t i = 0; i < 2; i++) {
            two_send(two, i, room);
            assert_status(two_recv(two, 1 - i, piece), TRP_OK);
        }
    }
}

static void two_assert_agreed(const struct two *two)
{
    for (uint32_t i = 0; i < 2; i++) {
        assert_true(trp_upgrade_is_open(two->upgrades[i]));
        assert_true(trp_upgrade_is_read(two->upgrades[i]));
        assert_true(trp_peer_id_equal(trp_upgrade_peer(two->upgrades[i]), &two->ids[1 - i]));
        assert_int_equal(two->wire[i].size, 0);
    }
}

static void two_of_us_agree_in_pieces_of_any_size(void **state)
{
    (void)state;
    static const size_t sizes[][2] = {{WIRE_MAX, WIRE_MAX}, {1, WIRE_MAX}, {WIRE_MAX, 24}, {7, 24}};
    for (uint32_t plaintext = 0; plaintext < 2; plaintext++) {
        for (uint32_t k = 0; k < 4; k++) {
            struct two two;
            two_open(&two, plaintext == 1);
            two_run(&two, sizes[k][0], sizes[k][1]);
            two_assert_agreed(&two);
            two_close(&two);
        }
    }
}

/* header, proposal and the first handshake message in one write; the muxer is named within the
 * handshake: no byte of its negotiation is seen. */
static void the_initiator_waits_for_nothing_but_the_handshake(void **state)
{
    (void)state;
    struct two two;
    two_open(&two, false);
    two_send(&two, 0, WIRE_MAX);
    assert_int_equal(two.wire[1].size, 20 + 8 + 2 + 32);
    assert_memory_equal(trp_buffer_view(&two.wire[1]).data, "\x13/multistream/1.0.0\n\x07/noise\n",
                        28);
    assert_status(two_recv(&two, 1, WIRE_MAX), TRP_OK);
    two_send(&two, 1, WIRE_MAX);
    assert_false(trp_upgrade_is_open(two.upgrades[0]));
    assert_status(two_recv(&two, 0, WIRE_MAX), TRP_OK);
    assert_true(trp_upgrade_is_open(two.upgrades[0]));
    two_send(&two, 0, WIRE_MAX);
    assert_status(two_recv(&two, 1, WIRE_MAX), TRP_OK);
    assert_true(trp_upgrade_is_open(two.upgrades[1]));
    two_assert_agreed(&two);
    two_close(&two);
}

/* In plaintext the muxer is proposed, and what the muxer says rides behind the proposal. */
static void bytes_behind_the_negotiation_are_the_muxers(void **state)
{
    (void)state;
    struct two two;
    two_open(&two, true);
    for (uint32_t i = 0; i < 2; i++) {
        two_send(&two, 0, WIRE_MAX);
        assert_status(two_recv(&two, 1, WIRE_MAX), TRP_OK);
        two_send(&two, 1, WIRE_MAX);
        if (i == 0) {
            assert_status(two_recv(&two, 0, WIRE_MAX), TRP_OK);
            two_send(&two, 0, WIRE_MAX);
            assert_status(trp_buffer_append(&two.wire[1], trp_bytes("frames", 6)), TRP_OK);
            assert_status(two_recv(&two, 1, WIRE_MAX), TRP_OK);
        }
    }
    assert_int_equal(two.wire[1].size, 6);
    assert_true(trp_upgrade_is_read(two.upgrades[1]));
    two_close(&two);
}

static void only_the_expected_peer_will_do(void **state)
{
    (void)state;
    for (uint32_t plaintext = 0; plaintext < 2; plaintext++) {
        struct two two;
        two_init(&two);
        for (uint32_t i = 0; i < 2; i++) {
            struct trp_upgrade_config config = config_of(&two, i, plaintext == 1);
            config.expected = i == 0 ? two.ids[0] : config.expected;
            assert_status(trp_upgrade_open(&two.memory, &config, &two.upgrades[i]), TRP_OK);
        }
        two_send(&two, 0, WIRE_MAX);
        assert_status(two_recv(&two, 1, WIRE_MAX), TRP_OK);
        two_send(&two, 1, WIRE_MAX);
        assert_status(two_recv(&two, 0, WIRE_MAX), TRP_EAUTH);
        assert_status(two_recv(&two, 0, WIRE_MAX), TRP_EAUTH); /* sticky */
        assert_false(trp_upgrade_is_open(two.upgrades[0]));
        two_close(&two);
    }
}

/* ---- as rust-libp2p: no list of muxers in the handshake, so that multistream-select decides ----
 */

struct rust {
    struct trp_multistream security;
    struct trp_multistream muxer;
    struct trp_noise *noise;
    bool muxing;
    struct trp_buffer plain;
    struct trp_buffer clear;
};

static void rust_open(struct rust *rust, struct two *two, uint32_t i)
{
    static const char *const noise_protocols[] = {TRP_NOISE_PROTOCOL};
    const struct trp_multistream_config ms = {
        .initiator = i == 0, .protocols = noise_protocols, .protocols_count = 1};
    struct trp_noise_config noise = {.initiator = i == 0, .identity = &two->identities[i]};
    memset(noise.ephemeral_secret, 31, 32);
    *rust = (struct rust){.plain = trp_buffer_init(&two->memory, WIRE_MAX),
                          .clear = trp_buffer_init(&two->memory, WIRE_MAX)};
    trp_multistream_init(&rust->security, &two->memory, &ms);
    assert_status(trp_noise_open(&two->memory, &noise, &rust->noise), TRP_OK);
}

static void rust_recv(struct rust *rust, struct two *two, uint32_t i)
{
    static const char *const muxer_protocols[] = {TRP_YAMUX_PROTOCOL};
    const struct trp_multistream_config ms = {
        .initiator = i == 0, .protocols = muxer_protocols, .protocols_count = 1};
    struct trp_buffer *wire = &two->wire[i];
    size_t used = 0;
    if (!trp_multistream_is_read(&rust->security)) {
        assert_status(trp_multistream_recv(&rust->security, trp_buffer_view(wire), &used), TRP_OK);
        trp_buffer_consume(wire, used);
    }
    if (trp_multistream_is_read(&rust->security) && wire->size > 0) {
        assert_status(trp_noise_recv(rust->noise, trp_buffer_view(wire), &rust->plain, &used),
                      TRP_OK);
        trp_buffer_consume(wire, used);
    }
    if (trp_noise_is_open(rust->noise) && !rust->muxing) {
        rust->muxing = true;
        assert_null(trp_noise_muxer(rust->noise));
        trp_multistream_init(&rust->muxer, &two->memory, &ms);
    }
    if (rust->plain.size > 0) {
        assert_status(trp_multistream_recv(&rust->muxer, trp_buffer_view(&rust->plain), &used),
                      TRP_OK);
        trp_buffer_consume(&rust->plain, used);
    }
}

static void rust_send(struct rust *rust, struct two *two, uint32_t i)
{
    struct trp_buffer *wire = &two->wire[1 - i];
    assert_status(trp_multistream_send(&rust->security, wire), TRP_OK);
    if (trp_multistream_is_read(&rust->security)) {
        assert_status(trp_noise_send(rust->noise, wire), TRP_OK);
    }
    if (rust->muxing) {
        size_t used;
        assert_status(trp_multistream_send(&rust->muxer, &rust->clear), TRP_OK);
        if (rust->clear.size > 0) {
            assert_status(
                trp_noise_encrypt(rust->noise, trp_buffer_view(&rust->clear), wire, &used), TRP_OK);
            trp_buffer_consume(&rust->clear, used);
        }
    }
}

static void rust_close(struct rust *rust)
{
    trp_multistream_deinit(&rust->security);
    if (rust->muxing) {
        trp_multistream_deinit(&rust->muxer);
    }
    trp_noise_close(rust->noise);
    trp_buffer_free(&rust->plain);
    trp_buffer_free(&rust->clear);
}

static void agrees_with_a_peer_that_does_not_inline(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 2; i++) { /* the part that rust plays */
        struct two two;
        struct rust rust;
        two_init(&two);
        const struct trp_upgrade_config config = config_of(&two, 1 - i, false);
        assert_status(trp_upgrade_open(&two.memory, &config, &two.upgrades[1 - i]), TRP_OK);
        rust_open(&rust, &two, i);
        for (uint32_t round = 0; round < 10; round++) {
            two_send(&two, 1 - i, WIRE_MAX);
            rust_recv(&rust, &two, i);
            rust_send(&rust, &two, i);
            assert_status(two_recv(&two, 1 - i, WIRE_MAX), TRP_OK);
        }
        uint32_t protocol;
        assert_status(trp_multistream_outcome(&rust.muxer, &protocol), TRP_OK);
        assert_true(trp_multistream_is_read(&rust.muxer));
        assert_true(trp_upgrade_is_read(two.upgrades[1 - i]));
        assert_true(trp_peer_id_equal(trp_noise_peer(rust.noise), &two.ids[1 - i]));
        rust_close(&rust);
        two_close(&two);
    }
}

static void every_truncation_waits_for_more(void **state)
{
    (void)state;
    for (size_t cut = 0; cut < 200; cut++) {
        struct two two;
        two_open(&two, cut % 2 == 1);
        two_send(&two, 0, WIRE_MAX);
        assert_status(two_recv(&two, 1, WIRE_MAX), TRP_OK);
        two_send(&two, 1, WIRE_MAX);
        if (cut / 2 < two.wire[0].size) {
            assert_status(two_recv(&two, 0, cut / 2), TRP_OK);
            assert_false(trp_upgrade_is_open(two.upgrades[0]));
        }
        two_close(&two);
    }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(two_of_us_agree_in_pieces_of_any_size),
    cmocka_unit_test(the_initiator_waits_for_nothing_but_the_handshake),
    cmocka_unit_test(bytes_behind_the_negotiation_are_the_muxers),
    cmocka_unit_test(only_the_expected_peer_will_do),
    cmocka_unit_test(agrees_with_a_peer_that_does_not_inline),
    cmocka_unit_test(every_truncation_waits_for_more),
};

int main(void)
{
    return cmocka_run_group_tests(tests, NULL, NULL);
}
