/* SPDX-License-Identifier: MIT */
#include "proto/multistream.h"

#include "lib/pipe.h"
#include "lib/test.h"

#define HEADER "\x13/multistream/1.0.0\n"
#define NA     "\x03na\n"
#define NOISE  "\x07/noise\n"
#define TLS    "\x0b/tls/1.0.0\n"

static const char *const noise[] = {"/noise"};
static const char *const tls_noise[] = {"/tls/1.0.0", "/noise"};

struct fixture {
    struct trp_memory memory;
    struct trp_multistream ms;
    struct trp_buffer sent;
};

static void setup(struct fixture *f, bool initiator, bool lazy, const char *const *protocols,
                  uint32_t count)
{
    *f = (struct fixture){.memory = trp_memory_init(1 << 20)};
    f->sent = trp_buffer_init(&f->memory, 1 << 16);
    trp_multistream_init(&f->ms, &f->memory,
                         &(struct trp_multistream_config){.initiator = initiator,
                                                          .lazy = lazy,
                                                          .protocols = protocols,
                                                          .protocols_count = count});
}

static void teardown(struct fixture *f)
{
    trp_multistream_deinit(&f->ms);
    trp_buffer_free(&f->sent);
    assert_int_equal(f->memory.used_bytes, 0);
}

static enum trp_status feed(struct fixture *f, const char *text, size_t *ret_used)
{
    return trp_multistream_recv(&f->ms, trp_bytes_text(text), ret_used);
}

/* Asserts what was sent since the last call. */
static void assert_sent(struct fixture *f, const char *text)
{
    assert_status(trp_multistream_send(&f->ms, &f->sent), TRP_OK);
    assert_int_equal(f->sent.size, strlen(text));
    if (f->sent.size > 0) {
        assert_memory_equal(trp_buffer_view(&f->sent).data, text, strlen(text));
    }
    trp_buffer_free(&f->sent);
}

static void assert_agreed(const struct fixture *f, uint32_t index)
{
    uint32_t protocol = UINT32_MAX;
    assert_status(trp_multistream_outcome(&f->ms, &protocol), TRP_OK);
    assert_int_equal(protocol, index);
}

static void assert_outcome(const struct fixture *f, enum trp_status status)
{
    uint32_t protocol;
    assert_status(trp_multistream_outcome(&f->ms, &protocol), status);
}

static void initiator_sends_header_and_proposal_at_once(void **state)
{
    (void)state;
    struct fixture f;
    size_t used = 0;
    setup(&f, true, false, noise, 1);
    assert_sent(&f, HEADER NOISE);
    assert_outcome(&f, TRP_EAGAIN);
    assert_status(feed(&f, HEADER NOISE "rest", &used), TRP_OK);
    assert_int_equal(used, strlen(HEADER NOISE));
    assert_agreed(&f, 0);
    assert_true(trp_multistream_is_read(&f.ms));
    assert_sent(&f, "");
    teardown(&f);
}

static void initiator_proposes_the_next_after_na(void **state)
{
    (void)state;
    struct fixture f;
    size_t used = 0;
    setup(&f, true, false, tls_noise, 2);
    assert_sent(&f, HEADER TLS);
    assert_status(feed(&f, HEADER NA, &used), TRP_OK);
    assert_outcome(&f, TRP_EAGAIN);
    assert_sent(&f, NOISE);
    assert_status(feed(&f, NOISE, &used), TRP_OK);
    assert_agreed(&f, 1);
    teardown(&f);
}

static void initiator_fails_when_all_is_refused(void **state)
{
    (void)state;
    struct fixture f;
    size_t used = 0;
    setup(&f, true, false, tls_noise, 2);
    assert_status(feed(&f, HEADER NA NA, &used), TRP_ENEGOTIATION);
    assert_outcome(&f, TRP_ENEGOTIATION);
    assert_status(feed(&f, NOISE, &used), TRP_ENEGOTIATION); /* sticky */
    teardown(&f);
}

static void initiator_refuses_an_answer_it_did_not_ask_for(void **state)
{
    (void)state;
    struct fixture f;
    size_t used = 0;
    setup(&f, true, false, tls_noise, 2);
    assert_status(feed(&f, HEADER NOISE, &used), TRP_EMALFORMED);
    teardown(&f);
}

static void lazy_initiator_is_agreed_before_the_answer(void **state)
{
    (void)state;
    struct fixture f;
    size_t used = 0;
    setup(&f, true, true, noise, 1);
    assert_agreed(&f, 0);
    assert_false(trp_multistream_is_read(&f.ms));
    assert_sent(&f, HEADER NOISE);
    assert_status(feed(&f, HEADER, &used), TRP_OK);
    assert_false(trp_multistream_is_read(&f.ms));
    assert_status(feed(&f, NOISE "data", &used), TRP_OK);
    assert_int_equal(used, strlen(NOISE));
    assert_true(trp_multistream_is_read(&f.ms));
    assert_agreed(&f, 0);
    teardown(&f);
}

static void lazy_initiator_learns_of_a_refusal_late(void **state)
{
    (void)state;
    struct fixture f;
    size_t used = 0;
    setup(&f, true, true, noise, 1);
    assert_status(feed(&f, HEADER NA, &used), TRP_ENEGOTIATION);
    assert_outcome(&f, TRP_ENEGOTIATION);
    assert_true(trp_multistream_is_read(&f.ms));
    teardown(&f);
}

static void responder_leaves_the_optimistic_payload(void **state)
{
    (void)state;
    struct fixture f;
    size_t used = 0;
    setup(&f, false, false, tls_noise, 2);
    assert_sent(&f, "");
    assert_status(feed(&f, HEADER NOISE "noise message 1", &used), TRP_OK);
    assert_int_equal(used, strlen(HEADER NOISE));
    assert_agreed(&f, 1);
    assert_sent(&f, HEADER NOISE);
    assert_status(feed(&f, "noise message 1", &used), TRP_OK);
    assert_int_equal(used, 0);
    teardown(&f);
}

static void responder_answers_a_header_alone(void **state)
{
    (void)state;
    struct fixture f;
    size_t used = 0;
    setup(&f, false, false, noise, 1);
    assert_status(feed(&f, HEADER, &used), TRP_OK);
    assert_sent(&f, HEADER);
    assert_status(feed(&f, TLS, &used), TRP_OK);
    assert_sent(&f, NA);
    assert_status(feed(&f, NOISE, &used), TRP_OK);
    assert_sent(&f, NOISE);
    assert_agreed(&f, 0);
    teardown(&f);
}

static void responder_lists_its_protocols(void **state)
{
    (void)state;
    struct fixture f;
    size_t used = 0;
    setup(&f, false, false, tls_noise, 2);
    assert_status(feed(&f, HEADER "\x03ls\n", &used), TRP_OK);
    assert_sent(&f, HEADER "\x15" TLS NOISE "\n");
    assert_outcome(&f, TRP_EAGAIN);
    teardown(&f);
}

static void responder_refuses_64_proposals_and_no_more(void **state)
{
    (void)state;
    struct fixture f;
    size_t used = 0;
    setup(&f, false, false, noise, 1);
    assert_status(feed(&f, HEADER, &used), TRP_OK);
    for (int i = 0; i < 64; i++) {
        assert_status(feed(&f, i % 2 == 0 ? TLS : "\x03ls\n", &used), TRP_OK);
        assert_status(trp_multistream_send(&f.ms, &f.sent), TRP_OK);
    }
    assert_status(feed(&f, TLS, &used), TRP_ENEGOTIATION);
    teardown(&f);
}

static void responder_reads_no_further_while_answers_wait(void **state)
{
    (void)state;
    struct fixture f;
    char many[16 + 64 * 4 + 1] = "";
    char *protocols[1];
    char name[700];
    size_t used = 0;
    memset(name, 'x', sizeof name);
    name[0] = '/';
    name[sizeof name - 1] = '\0';
    protocols[0] = name;
    setup(&f, false, false, (const char *const *)protocols, 1);
    assert_status(feed(&f, HEADER, &used), TRP_OK);
    for (int i = 0; i < 32; i++) {
        memcpy(many + 4 * i, "\x03ls\n", 5);
    }
    assert_status(feed(&f, many, &used), TRP_OK);
    assert_int_equal(used, 2 * 4); /* two answers of 705 bytes are more than 1 KiB */
    assert_status(trp_multistream_send(&f.ms, &f.sent), TRP_OK);
    assert_status(feed(&f, many, &used), TRP_OK);
    assert_int_equal(used, 2 * 4);
    teardown(&f);
}

static void tokens_are_checked(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t size;
        enum trp_status status;
    } cases[] = {
        {"\x00", 1, TRP_EMALFORMED},                        /* empty */
        {"\x13/multistream/1.0.0 ", 20, TRP_EMALFORMED},    /* no newline */
        {"\x93\x00", 2, TRP_EMALFORMED},                    /* length not minimal */
        {"\x81\x08", 2, TRP_ETOOBIG},                       /* 1025 */
        {"\xff\xff", 2, TRP_ETOOBIG},                       /* three bytes of length */
        {"\x13/multistream/2.0.0\n", 20, TRP_ENEGOTIATION}, /* another version */
        {HEADER "\x80\x08", 22, TRP_OK},                    /* 1024, incomplete */
        {HEADER "\x81\x08", 22, TRP_ETOOBIG},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        for (size_t step = 1; step <= cases[i].size; step++) {
            struct fixture f;
            setup(&f, false, false, noise, 1);
            enum trp_status status = TRP_OK;
            for (size_t at = 0; at < cases[i].size && status == TRP_OK;) {
                size_t size = cases[i].size - at < step ? cases[i].size - at : step;
                size_t used = 0;
                status = trp_multistream_recv(&f.ms, trp_bytes(cases[i].bytes + at, size), &used);
                assert_true(status != TRP_OK || used == size);
                at += used;
            }
            assert_status(status, cases[i].status);
            teardown(&f);
        }
    }
}

static void accepts_the_longest_token(void **state)
{
    (void)state;
    struct fixture f;
    char name[1024];
    uint8_t wire[1026] = {0x80, 0x08};
    const char *protocols[] = {name};
    size_t used = 0;
    memset(name, 'n', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    memcpy(wire + 2, name, 1023);
    wire[1025] = '\n';
    setup(&f, false, false, protocols, 1);
    assert_status(feed(&f, HEADER, &used), TRP_OK);
    for (size_t i = 0; i < sizeof wire; i++) {
        assert_status(trp_multistream_recv(&f.ms, trp_bytes(wire + i, 1), &used), TRP_OK);
        assert_int_equal(used, 1);
    }
    assert_agreed(&f, 0);
    teardown(&f);
}

static void every_truncation_waits_for_more(void **state)
{
    (void)state;
    const char *wire = HEADER TLS NOISE;
    for (size_t cut = 0; cut < strlen(wire); cut++) {
        struct fixture f;
        size_t used = 0;
        setup(&f, false, false, noise, 1);
        assert_status(trp_multistream_recv(&f.ms, trp_bytes(wire, cut), &used), TRP_OK);
        assert_int_equal(used, cut);
        assert_outcome(&f, TRP_EAGAIN);
        assert_status(trp_multistream_recv(&f.ms, trp_bytes(wire + cut, strlen(wire) - cut), &used),
                      TRP_OK);
        assert_agreed(&f, 0);
        assert_sent(&f, HEADER NA NOISE);
        teardown(&f);
    }
}

static void sends_into_one_byte_of_room(void **state)
{
    (void)state;
    struct fixture f;
    setup(&f, true, false, noise, 1);
    for (size_t i = 1; i <= strlen(HEADER NOISE); i++) {
        f.sent.limit_bytes = i;
        assert_status(trp_multistream_send(&f.ms, &f.sent),
                      i < strlen(HEADER NOISE) ? TRP_EFULL : TRP_OK);
        assert_int_equal(f.sent.size, i);
    }
    assert_memory_equal(trp_buffer_view(&f.sent).data, HEADER NOISE, strlen(HEADER NOISE));
    teardown(&f);
}

static void out_of_memory_is_a_status(void **state)
{
    (void)state;
    for (uint64_t n = 1; n <= 4; n++) {
        struct fixture f;
        size_t used = 0;
        setup(&f, false, false, noise, 1);
        f.memory.fail_at = n;
        enum trp_status status = TRP_OK;
        for (const char *at = HEADER NOISE; *at != '\0' && status == TRP_OK; at++) {
            status = trp_multistream_recv(&f.ms, trp_bytes(at, 1), &used);
        }
        assert_status(status, n <= 3 ? TRP_ENOMEM : TRP_OK);
        teardown(&f);
    }
}

/* The wire between an initiator of `a` and a responder of `b`; returns who agreed on what. */
static void face_to_face(enum test_pipe_kind kind, uint64_t seed, bool lazy, const char *const *a,
                         uint32_t a_count, enum trp_status expected, uint32_t expected_a)
{
    struct fixture f[2];
    setup(&f[0], true, lazy, a, a_count);
    setup(&f[1], false, false, noise, 1);
    struct test_pipe pipe[2];
    for (uint32_t i = 0; i < 2; i++) {
        pipe[i] = test_pipe_init(&f[i].memory, kind, seed, i);
    }
    enum trp_status status = TRP_OK;
    for (int round = 0; round < 1000 && status == TRP_OK; round++) {
        for (uint32_t i = 0; i < 2 && status == TRP_OK; i++) {
            enum trp_status sent = trp_multistream_send(&f[i].ms, test_pipe_out(&pipe[i]));
            assert_true(sent == TRP_OK || sent == TRP_EFULL);
            size_t used = 0;
            struct test_pipe *in = &pipe[1 - i];
            status = trp_multistream_recv(&f[i].ms, test_pipe_in(in), &used);
            test_pipe_consume(in, status == TRP_OK ? used : 0);
        }
    }
    assert_status(status, expected);
    if (status == TRP_OK) {
        assert_agreed(&f[0], expected_a);
        assert_agreed(&f[1], 0);
        assert_int_equal(pipe[0].bytes.size + pipe[1].bytes.size, 0);
    }
    for (uint32_t i = 0; i < 2; i++) {
        test_pipe_deinit(&pipe[i]);
        teardown(&f[i]);
    }
}

static void two_machines_agree_over_any_chunking(void **state)
{
    (void)state;
    static const char *const strange[] = {"/tls/1.0.0", "/x", "/y"};
    for (uint64_t seed = 0; seed < 200; seed++) {
        enum test_pipe_kind kind = seed == 0   ? TEST_PIPE_WHOLE
                                   : seed == 1 ? TEST_PIPE_BYTES
                                               : TEST_PIPE_KEYED;
        face_to_face(kind, seed, false, tls_noise, 2, TRP_OK, 1);
        face_to_face(kind, seed, true, noise, 1, TRP_OK, 0);
        face_to_face(kind, seed, false, strange, 3, TRP_ENEGOTIATION, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(initiator_sends_header_and_proposal_at_once),
        cmocka_unit_test(initiator_proposes_the_next_after_na),
        cmocka_unit_test(initiator_fails_when_all_is_refused),
        cmocka_unit_test(initiator_refuses_an_answer_it_did_not_ask_for),
        cmocka_unit_test(lazy_initiator_is_agreed_before_the_answer),
        cmocka_unit_test(lazy_initiator_learns_of_a_refusal_late),
        cmocka_unit_test(responder_leaves_the_optimistic_payload),
        cmocka_unit_test(responder_answers_a_header_alone),
        cmocka_unit_test(responder_lists_its_protocols),
        cmocka_unit_test(responder_refuses_64_proposals_and_no_more),
        cmocka_unit_test(responder_reads_no_further_while_answers_wait),
        cmocka_unit_test(tokens_are_checked),
        cmocka_unit_test(accepts_the_longest_token),
        cmocka_unit_test(every_truncation_waits_for_more),
        cmocka_unit_test(sends_into_one_byte_of_room),
        cmocka_unit_test(out_of_memory_is_a_status),
        cmocka_unit_test(two_machines_agree_over_any_chunking),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
