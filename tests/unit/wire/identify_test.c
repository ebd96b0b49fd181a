/* SPDX-License-Identifier: MIT */
#include "lib/test.h"
#include "wire/identify.h"

#include <stdio.h>

static uint8_t block[TRP_IDENTIFY_ARENA_BYTES];

static enum trp_status decode(struct trp_bytes in, struct trp_identify_message *message)
{
    struct trp_arena arena = trp_arena_init(block, sizeof block);
    return trp_identify_message_decode(in, &arena, message);
}

/* What protoc --encode makes of these fields, by the specification's numbers. */
static const char hex[] = "0a03010203"                   /* publicKey */
                          "120804010203040600ff"         /* listenAddrs */
                          "1208047f000001060001"         /* listenAddrs */
                          "1a0c2f697066732f69642f312e30" /* protocols "/ipfs/id/1.0" */
                          "1a022f61"                     /* protocols "/a" */
                          "2208040506070806000a"         /* observedAddr */
                          "2a062f742f312e30"             /* protocolVersion "/t/1.0" */
                          "32026167"                     /* agentVersion "ag" */
                          "420409080706";                /* signedPeerRecord */

static struct trp_identify_message fixture(void)
{
    static const uint8_t first[] = {4, 1, 2, 3, 4, 6, 0, 0xff};
    static const uint8_t second[] = {4, 0x7f, 0, 0, 1, 6, 0, 1};
    static const uint8_t observed[] = {4, 5, 6, 7, 8, 6, 0, 10};
    return (struct trp_identify_message){
        .public_key = trp_bytes("\1\2\3", 3),
        .protocol_version = trp_bytes_text("/t/1.0"),
        .agent_version = trp_bytes_text("ag"),
        .observed_address = trp_bytes(observed, sizeof observed),
        .signed_peer_record = trp_bytes("\x9\x8\x7\x6", 4),
        .addresses_count = 2,
        .addresses = {trp_bytes(first, sizeof first), trp_bytes(second, sizeof second)},
        .protocols_count = 2,
        .protocols = {trp_bytes_text("/ipfs/id/1.0"), trp_bytes_text("/a")}};
}

static void fields_have_their_numbers_both_ways(void **state)
{
    (void)state;
    uint8_t want[256];
    uint8_t out[256];
    size_t size = 0;
    size_t want_size = test_unhex(hex, want, sizeof want);
    struct trp_identify_message message = fixture();
    assert_status(trp_identify_message_encode(&message, out, sizeof out, &size), TRP_OK);
    assert_int_equal(size, want_size);
    assert_memory_equal(out, want, size);
    struct trp_identify_message got = {.addresses_count = 0};
    assert_status(decode(trp_bytes(want, want_size), &got), TRP_OK);
    assert_true(trp_bytes_equal(got.public_key, message.public_key));
    assert_true(trp_bytes_equal(got.protocol_version, message.protocol_version));
    assert_true(trp_bytes_equal(got.agent_version, message.agent_version));
    assert_true(trp_bytes_equal(got.observed_address, message.observed_address));
    assert_true(trp_bytes_equal(got.signed_peer_record, message.signed_peer_record));
    assert_int_equal(got.addresses_count, 2);
    assert_int_equal(got.protocols_count, 2);
    for (uint32_t i = 0; i < 2; i++) {
        assert_true(trp_bytes_equal(got.addresses[i], message.addresses[i]));
        assert_true(trp_bytes_equal(got.protocols[i], message.protocols[i]));
    }
}

static void several_messages_merge(void **state)
{
    (void)state;
    uint8_t first[256];
    uint8_t second[256];
    struct trp_identify_message got = {.addresses_count = 0};
    struct trp_arena arena = trp_arena_init(block, sizeof block);
    size_t first_size = test_unhex(hex, first, sizeof first);
    size_t second_size = test_unhex("1a022f62"   /* one more protocol */
                                    "32036e6577" /* another agent */
                                    "1202d103"   /* an address that is not understood */
                                    "3a0178"     /* unknown */
                                    "0a00",      /* an empty key is none */
                                    second, sizeof second);
    assert_status(trp_identify_message_decode(trp_bytes(first, first_size), &arena, &got), TRP_OK);
    assert_status(trp_identify_message_decode(trp_bytes(second, second_size), &arena, &got),
                  TRP_OK);
    assert_int_equal(got.protocols_count, 3);
    assert_true(trp_bytes_equal(got.protocols[2], trp_bytes_text("/b")));
    assert_true(trp_bytes_equal(got.agent_version, trp_bytes_text("new")));
    assert_true(trp_bytes_equal(got.protocol_version, trp_bytes_text("/t/1.0")));
    assert_int_equal(got.addresses_count, 2);
    assert_int_equal(got.public_key.size, 3);
}

static void truncations_are_refused_and_change_nothing(void **state)
{
    (void)state;
    uint8_t bytes[256];
    size_t size = test_unhex(hex, bytes, sizeof bytes);
    unsigned accepted = 0;
    for (size_t cut = 0; cut < size; cut++) {
        struct trp_identify_message got = {.addresses_count = 7};
        enum trp_status status = decode(trp_bytes(bytes, cut), &got);
        accepted += status == TRP_OK;
        if (status != TRP_OK) {
            assert_status(status, TRP_EMALFORMED);
            assert_true(got.addresses_count == 7 && got.agent_version.size == 0);
        }
    }
    assert_int_equal(accepted, 9); /* at the end of each field, and of none */
}

static void hostile_messages_take_no_more_than_the_arena(void **state)
{
    (void)state;
    static uint8_t bytes[TRP_IDENTIFY_READ_MAX];
    for (size_t i = 0; i < sizeof bytes; i += 2) { /* empty protocols, 4096 of them */
        bytes[i] = 0x1a;
        bytes[i + 1] = 0;
    }
    struct trp_identify_message got = {.addresses_count = 0};
    assert_status(decode(trp_bytes(bytes, sizeof bytes), &got), TRP_ETOOBIG);
    for (size_t i = 0; i < sizeof bytes; i += 2) { /* unknown numbers */
        bytes[i] = 0x78;
        bytes[i + 1] = 1;
    }
    enum trp_status status = decode(trp_bytes(bytes, sizeof bytes), &got);
    assert_true(status == TRP_OK || status == TRP_ETOOBIG);
}

static void lists_are_cut_at_their_bounds(void **state)
{
    (void)state;
    static uint8_t bytes[TRP_IDENTIFY_READ_MAX];
    size_t size = 0;
    for (uint32_t i = 0; i < TRP_IDENTIFY_PROTOCOLS_MAX + 1; i++) {
        size += test_unhex("1a022f61", bytes + size, 4);
    }
    for (uint32_t i = 0; i < TRP_IDENTIFY_ADDRESSES_MAX + 1; i++) {
        size += test_unhex("12050401020304", bytes + size, 7);
    }
    struct trp_identify_message got = {.addresses_count = 0};
    assert_status(decode(trp_bytes(bytes, size), &got), TRP_OK);
    assert_int_equal(got.protocols_count, TRP_IDENTIFY_PROTOCOLS_MAX);
    assert_int_equal(got.addresses_count, TRP_IDENTIFY_ADDRESSES_MAX);
    assert_status(decode(trp_bytes(bytes, size), &got), TRP_OK); /* full already */
    uint8_t out[64];
    got.protocols_count++;
    assert_status(trp_identify_message_encode(&got, out, sizeof out, &size), TRP_ETOOBIG);
}

static void surplus_is_left_out_of_what_we_write(void **state)
{
    (void)state;
    static uint8_t record[1000];
    static uint8_t address[180];
    static uint8_t out[8192];
    size_t size;
    memset(address, 'a', sizeof address);
    memcpy(address, "\x35\xb1\x01", 3); /* /dns/ of 177 bytes */
    struct trp_identify_message message = fixture();
    message.signed_peer_record = trp_bytes(record, sizeof record);
    for (message.addresses_count = 0; message.addresses_count < TRP_IDENTIFY_ADDRESSES_MAX;
         message.addresses_count++) {
        message.addresses[message.addresses_count] = trp_bytes(address, sizeof address);
    }
    for (uint32_t count = 0; count <= TRP_IDENTIFY_ADDRESSES_MAX; count++) {
        message.addresses_count = count;
        struct trp_identify_message got = {.addresses_count = 0};
        assert_status(trp_identify_message_encode(&message, out, sizeof out, &size), TRP_OK);
        assert_true(size < 4096);
        assert_status(decode(trp_bytes(out, size), &got), TRP_OK);
        bool whole = count * 183 + 1003 + 58 < 4096;
        assert_true(whole == (got.signed_peer_record.size > 0));
        assert_true(got.addresses_count == count || got.addresses_count == 22);
        assert_true(got.addresses_count == 22 || count <= 22);
    }
    assert_status(trp_identify_message_encode(&message, out, 100, &size), TRP_OK);
    assert_true(size <= 100);
    assert_status(trp_identify_message_encode(&message, out, 20, &size), TRP_ETOOBIG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_have_their_numbers_both_ways),
        cmocka_unit_test(several_messages_merge),
        cmocka_unit_test(truncations_are_refused_and_change_nothing),
        cmocka_unit_test(hostile_messages_take_no_more_than_the_arena),
        cmocka_unit_test(lists_are_cut_at_their_bounds),
        cmocka_unit_test(surplus_is_left_out_of_what_we_write),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
