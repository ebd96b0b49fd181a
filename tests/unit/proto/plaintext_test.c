/* SPDX-License-Identifier: MIT */
#include "proto/plaintext.h"

#include "lib/pipe.h"
#include "lib/test.h"
#include "wire/plaintext_exchange.h"
#include "wire/public_key.h"

static const struct trp_peer_id anybody;

struct side {
    struct trp_memory memory;
    struct trp_keypair identity;
    struct trp_peer_id id;
    struct trp_plaintext plaintext;
    struct trp_buffer sent;
};

static void identity_make(struct trp_keypair *identity, uint8_t who)
{
    uint8_t seed[32] = {who, 0x22};
    trp_keypair_from_seed(seed, identity);
}

static void setup(struct side *s, uint8_t who, const struct trp_peer_id *expected)
{
    *s = (struct side){.memory = trp_memory_init(1 << 20)};
    s->sent = trp_buffer_init(&s->memory, 4096);
    identity_make(&s->identity, who);
    trp_peer_id_from_key(&s->identity.public_key, &s->id);
    assert_status(trp_plaintext_init(&s->plaintext, &s->memory, &s->identity, expected), TRP_OK);
}

static void teardown(struct side *s)
{
    trp_plaintext_deinit(&s->plaintext);
    trp_buffer_free(&s->sent);
    assert_int_equal(s->memory.used_bytes, 0);
}

/* The exchange of somebody, with its prefix; returns its size. */
static size_t exchange_of(uint8_t who, uint8_t out[256])
{
    struct trp_keypair identity;
    size_t size = 0;
    identity_make(&identity, who);
    assert_status(trp_plaintext_exchange_encode(&identity.public_key, out + 1, 255, &size), TRP_OK);
    assert_in_range(size, 1, 127);
    out[0] = (uint8_t)size;
    return size + 1;
}

/* id = 1: 38 bytes, pubkey = 2: 36 bytes of PublicKey{Type = 1, Data = 32 bytes}. */
static void sends_its_exchange_at_once(void **state)
{
    (void)state;
    struct side s;
    setup(&s, 1, &anybody);
    assert_status(trp_plaintext_send(&s.plaintext, &s.sent), TRP_OK);
    const uint8_t *at = trp_buffer_view(&s.sent).data;
    assert_int_equal(s.sent.size, 1 + 2 + 38 + 2 + 36);
    assert_memory_equal(at, "\x4e\x0a\x26", 3);
    assert_memory_equal(at + 3, s.id.bytes, 38);
    assert_memory_equal(at + 41, "\x12\x24\x08\x01\x12\x20", 6);
    assert_memory_equal(at + 47, s.identity.public_key.bytes, 32);
    assert_status(trp_plaintext_send(&s.plaintext, &s.sent), TRP_OK);
    assert_int_equal(s.sent.size, 79);
    teardown(&s);
}

static void leaves_what_follows_to_the_muxer(void **state)
{
    (void)state;
    for (size_t piece = 1; piece < 100; piece += 7) {
        uint8_t wire[256];
        struct side s;
        size_t size = exchange_of(2, wire);
        memcpy(wire + size, "muxer", 5);
        setup(&s, 1, &anybody);
        for (size_t at = 0; at < size;) {
            size_t used = 0;
            size_t some = size + 5 - at < piece ? size + 5 - at : piece;
            assert_false(trp_plaintext_is_open(&s.plaintext));
            assert_status(trp_plaintext_recv(&s.plaintext, trp_bytes(wire + at, some), &used),
                          TRP_OK);
            at += used;
            assert_in_range(at, 1, size);
        }
        size_t used = 1;
        assert_true(trp_plaintext_is_open(&s.plaintext));
        assert_status(trp_plaintext_recv(&s.plaintext, trp_bytes("muxer", 5), &used), TRP_OK);
        assert_int_equal(used, 0);
        teardown(&s);
    }
}

static void the_expected_peer_and_no_other(void **state)
{
    (void)state;
    for (uint8_t who = 2; who < 4; who++) {
        uint8_t wire[256];
        struct side s;
        struct side other;
        size_t used;
        setup(&other, 2, &anybody);
        setup(&s, 1, &other.id);
        size_t size = exchange_of(who, wire);
        enum trp_status expected = who == 2 ? TRP_OK : TRP_EAUTH;
        assert_status(trp_plaintext_recv(&s.plaintext, trp_bytes(wire, size), &used), expected);
        assert_true(trp_plaintext_is_open(&s.plaintext) == (who == 2));
        assert_status(trp_plaintext_recv(&s.plaintext, TRP_BYTES_NONE, &used), expected);
        teardown(&s);
        teardown(&other);
    }
}

static void an_id_that_is_not_the_keys_is_refused(void **state)
{
    (void)state;
    uint8_t wire[256];
    struct side s;
    size_t used;
    size_t size = exchange_of(2, wire);
    wire[3 + 37] ^= 1; /* the last byte of the id, which holds the key itself */
    setup(&s, 1, &anybody);
    assert_status(trp_plaintext_recv(&s.plaintext, trp_bytes(wire, size), &used), TRP_EAUTH);
    teardown(&s);
}

static void lengths_and_contents_are_checked(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t size;
        enum trp_status status;
    } cases[] = {
        {"\x00", 1, TRP_EMALFORMED},          /* neither id nor key */
        {"\x81\x0a", 2, TRP_ETOOBIG},         /* 1281 */
        {"\x80\x80", 2, TRP_ETOOBIG},         /* three bytes of length */
        {"\x81\x00", 2, TRP_EMALFORMED},      /* not minimal */
        {"\x03\x0a\x05x", 4, TRP_EMALFORMED}, /* cut inside */
        {"\x80\x0a", 2, TRP_OK},              /* 1280: more is to come */
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct side s;
        size_t used;
        setup(&s, 1, &anybody);
        assert_status(
            trp_plaintext_recv(&s.plaintext, trp_bytes(cases[i].bytes, cases[i].size), &used),
            cases[i].status);
        assert_false(trp_plaintext_is_open(&s.plaintext));
        teardown(&s);
    }
}

static void out_of_memory_is_a_status(void **state)
{
    (void)state;
    struct side s;
    uint8_t wire[256];
    size_t used;
    size_t size = exchange_of(2, wire);
    setup(&s, 1, &anybody);
    s.memory.fail_at = 1;
    assert_status(trp_plaintext_recv(&s.plaintext, trp_bytes(wire, size), &used), TRP_ENOMEM);
    assert_status(trp_plaintext_recv(&s.plaintext, trp_bytes(wire, size), &used), TRP_ENOMEM);
    trp_plaintext_deinit(&s.plaintext);
    s.memory.fail_at = 1;
    assert_status(trp_plaintext_init(&s.plaintext, &s.memory, &s.identity, &anybody), TRP_ENOMEM);
    teardown(&s);
}

static void two_machines_meet_over_any_chunking(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 100; seed++) {
        enum test_pipe_kind kind = seed == 0   ? TEST_PIPE_WHOLE
                                   : seed == 1 ? TEST_PIPE_BYTES
                                               : TEST_PIPE_KEYED;
        struct side s[2];
        struct test_pipe pipe[2];
        for (uint8_t i = 0; i < 2; i++) {
            setup(&s[i], i, &anybody);
            pipe[i] = test_pipe_init(&s[i].memory, kind, seed, i);
        }
        for (uint32_t turn = 0; turn < 400; turn++) {
            uint32_t i = turn % 2;
            struct trp_buffer *out = test_pipe_out(&pipe[i]);
            out->limit_bytes = turn < 40 ? out->size + 1 : out->limit_bytes; /* hardly any room */
            enum trp_status status = trp_plaintext_send(&s[i].plaintext, out);
            assert_true(status == TRP_OK || status == TRP_EFULL);
            size_t used = 0;
            assert_status(trp_plaintext_recv(&s[i].plaintext, test_pipe_in(&pipe[1 - i]), &used),
                          TRP_OK);
            test_pipe_consume(&pipe[1 - i], used);
        }
        for (uint32_t i = 0; i < 2; i++) {
            assert_true(trp_plaintext_is_open(&s[i].plaintext));
            assert_true(trp_peer_id_equal(&s[i].plaintext.peer, &s[1 - i].id));
            assert_memory_equal(&s[i].plaintext.key, &s[1 - i].identity.public_key,
                                sizeof s[i].plaintext.key);
            test_pipe_deinit(&pipe[i]);
            teardown(&s[i]);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sends_its_exchange_at_once),
        cmocka_unit_test(leaves_what_follows_to_the_muxer),
        cmocka_unit_test(the_expected_peer_and_no_other),
        cmocka_unit_test(an_id_that_is_not_the_keys_is_refused),
        cmocka_unit_test(lengths_and_contents_are_checked),
        cmocka_unit_test(out_of_memory_is_a_status),
        cmocka_unit_test(two_machines_meet_over_any_chunking),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
