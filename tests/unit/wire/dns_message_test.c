/* SPDX-License-Identifier: MIT */
#include "wire/dns_message.h"

#include "lib/test.h"
#include "lib/vectors.h"

#define SERVICE "_p2p._udp.local"

static struct trp_dns_name name_of(const char *text)
{
    struct trp_dns_name name;
    assert_status(trp_dns_name_parse(text, &name), TRP_OK);
    return name;
}

static void assert_name(const struct trp_dns_name *name, const char *text)
{
    const struct trp_dns_name expected = name_of(text);
    assert_true(trp_dns_name_equal(name, &expected));
}

/* ---- names ---- */

static void names_are_parsed(void **state)
{
    (void)state;
    struct trp_dns_name name = name_of(SERVICE);
    assert_int_equal(name.size, 17);
    assert_memory_equal(name.bytes, "\4_p2p\4_udp\5local", 17);
    assert_name(&name, "_P2P._udp.LOCAL.");
    assert_int_equal(name_of("").size, 1);
    char label[80];
    memset(label, 'a', sizeof label);
    label[63] = '\0';
    assert_status(trp_dns_name_parse(label, &name), TRP_OK);
    label[63] = 'a';
    label[64] = '\0';
    assert_status(trp_dns_name_parse(label, &name), TRP_EMALFORMED);
    assert_status(trp_dns_name_parse("a..b", &name), TRP_EMALFORMED);
    assert_status(trp_dns_name_parse(".", &name), TRP_EMALFORMED);
}

/* 255 bytes in all: RFC 1035 2.3.4. */
static void names_have_a_greatest_length(void **state)
{
    (void)state;
    char text[300] = "";
    struct trp_dns_name name;
    for (uint32_t i = 0; i < 127; i++) {
        memcpy(text + 2 * i, "a.", 3);
    }
    assert_status(trp_dns_name_parse(text, &name), TRP_OK);
    assert_int_equal(name.size, 255);
    memcpy(text + 254, "a.", 3);
    assert_status(trp_dns_name_parse(text, &name), TRP_EMALFORMED);
}

static void children_are_one_label_longer(void **state)
{
    (void)state;
    const struct trp_dns_name service = name_of(SERVICE);
    struct trp_dns_name child;
    assert_status(trp_dns_name_child(&service, trp_bytes_text("x.y"), &child), TRP_OK);
    assert_memory_equal(child.bytes, "\3x.y\4_p2p", 9); /* a dot within a label is none */
    assert_true(trp_dns_name_is_child(&child, &service));
    assert_false(trp_dns_name_is_child(&service, &service));
    assert_status(trp_dns_name_child(&child, trp_bytes_text("z"), &child), TRP_OK);
    assert_false(trp_dns_name_is_child(&child, &service));
    const struct trp_dns_name root = name_of("");
    assert_false(trp_dns_name_is_child(&root, &service));
    assert_status(trp_dns_name_child(&service, TRP_BYTES_NONE, &child), TRP_EMALFORMED);
}

/* Reads the one question of a message. */
static enum trp_status read_name(const uint8_t *bytes, size_t size, struct trp_dns_name *ret_name)
{
    uint8_t message[600] = {[5] = 1};
    struct trp_dns_reader reader;
    struct trp_dns_record record;
    memcpy(message + TRP_DNS_HEADER_BYTES, bytes, size);
    assert_status(trp_dns_open(trp_bytes(message, TRP_DNS_HEADER_BYTES + size), &reader), TRP_OK);
    enum trp_status status = trp_dns_next(&reader, &record);
    *ret_name = record.name;
    return status;
}

static void pointers_lead_back_and_never_round(void **state)
{
    (void)state;
    struct trp_dns_name name;
    static const struct {
        const char *bytes;
        size_t size;
    } bad[] = {
        {"\300\14\0\1\0\1", 6},      /* to itself */
        {"\1a\300\14\0\1\0\1", 8},   /* to its own beginning */
        {"\300\16\1a\0\0\1\0\1", 9}, /* forward */
        {"\1a\300\377\0\1\0\1", 8},  /* beyond the end */
        {"\300", 1},                 /* half a pointer */
        {"\100\0\0\1\0\1", 6},       /* a kind of label that is no more */
        {"\200\0\0\1\0\1", 6},       /* ... and another */
        {"\5ab\0\1", 5},             /* a label beyond the end */
        {"\1a", 2},                  /* no end */
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_status(read_name((const uint8_t *)bad[i].bytes, bad[i].size, &name), TRP_EMALFORMED);
    }
}

/* Each name points at the one before it and adds a label: the 128th would be too long. */
static void chains_of_pointers_are_followed(void **state)
{
    (void)state;
    uint8_t message[2048] = {0};
    struct trp_dns_reader reader;
    struct trp_dns_record record;
    size_t at = TRP_DNS_HEADER_BYTES;
    size_t before = 0;
    uint32_t count = 130;
    message[5] = (uint8_t)count;
    for (uint32_t i = 0; i < count; i++) {
        size_t start = at;
        message[at++] = 1;
        message[at++] = 'a';
        if (i > 0) {
            message[at++] = (uint8_t)(0xc0 | before >> 8);
            message[at++] = (uint8_t)before;
        } else {
            message[at++] = 0;
        }
        memcpy(message + at, "\0\14\0\1", 4);
        at += 4;
        before = start;
    }
    assert_status(trp_dns_open(trp_bytes(message, at), &reader), TRP_OK);
    for (uint32_t i = 1; i <= 127; i++) {
        assert_status(trp_dns_next(&reader, &record), TRP_OK);
        assert_int_equal(record.name.size, 2 * i + 1);
    }
    assert_status(trp_dns_next(&reader, &record), TRP_EMALFORMED);
}

/* ---- messages of others ---- */

struct counted {
    uint32_t records[TRP_DNS_SECTIONS];
    uint32_t texts;
    uint32_t targets;
};

static enum trp_status read_all(struct trp_bytes message, struct counted *counted)
{
    struct trp_dns_reader reader;
    struct trp_dns_record record;
    struct trp_bytes text;
    *counted = (struct counted){.texts = 0};
    enum trp_status status = trp_dns_open(message, &reader);
    while (status == TRP_OK && (status = trp_dns_next(&reader, &record)) == TRP_OK) {
        struct trp_dns_name target;
        counted->records[record.section]++;
        for (size_t at = 0; record.type == TRP_DNS_TXT && trp_dns_next_text(&record, &at, &text);) {
            assert_true(text.size > 8 && memcmp(text.data, "dnsaddr=", 8) == 0);
            counted->texts++;
        }
        if (record.type == TRP_DNS_PTR && record.section != TRP_DNS_QUESTION) {
            assert_status(trp_dns_target(&reader, &record, &target), TRP_OK);
            counted->targets++;
        }
    }
    return status;
}

static void reads_what_other_nodes_send(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        struct counted counted;
    } messages[] = {
        {"js_query", {{1, 0, 0, 0}, 0, 0}},        {"js_response", {{0, 3, 0, 0}, 2, 1}},
        {"go_query", {{1, 0, 0, 0}, 0, 0}},        {"go_response", {{0, 1, 0, 3}, 2, 1}},
        {"go_announcement", {{0, 5, 0, 0}, 2, 2}}, {"go_probe", {{1, 0, 2, 0}, 2, 0}},
        {"rust_query", {{1, 0, 0, 0}, 0, 0}},      {"rust_response", {{0, 1, 0, 2}, 2, 1}}};
    for (size_t i = 0; i < sizeof messages / sizeof messages[0]; i++) {
        uint8_t bytes[TEST_VECTOR_LINE_MAX / 2];
        struct counted counted;
        struct trp_bytes message = test_vector_bytes("mdns.txt", messages[i].name, bytes);
        assert_status(read_all(message, &counted), TRP_ENOTFOUND);
        assert_memory_equal(&counted, &messages[i].counted, sizeof counted);
        for (size_t size = 0; size < message.size; size++) { /* every truncation */
            assert_status(read_all(trp_bytes(bytes, size), &counted), TRP_EMALFORMED);
        }
    }
}

static void tells_class_and_flush_apart(void **state)
{
    (void)state;
    uint8_t bytes[TEST_VECTOR_LINE_MAX / 2];
    struct trp_dns_reader reader;
    struct trp_dns_record record;
    struct trp_bytes message = test_vector_bytes("mdns.txt", "rust_response", bytes);
    assert_status(trp_dns_open(message, &reader), TRP_OK);
    assert_int_equal(reader.header.flags, TRP_DNS_RESPONSE | TRP_DNS_AUTHORITATIVE);
    assert_status(trp_dns_next(&reader, &record), TRP_OK);
    assert_name(&record.name, SERVICE);
    assert_int_equal(record.class_, TRP_DNS_CLASS_IN);
    assert_false(record.top);
    assert_int_equal(record.ttl_s, 360);
    assert_status(trp_dns_next(&reader, &record), TRP_OK);
    assert_int_equal(record.class_, TRP_DNS_CLASS_IN);
    assert_true(record.top);
}

static void a_target_must_be_all_of_the_data(void **state)
{
    (void)state;
    static const uint8_t message[] = "\0\0\204\0\0\0\0\1\0\0\0\0"
                                     "\1a\0\0\14\0\1\0\0\0\1\0\4\1b\0\0";
    struct trp_dns_reader reader;
    struct trp_dns_record record;
    struct trp_dns_name target;
    assert_status(trp_dns_open(trp_bytes(message, sizeof message - 1), &reader), TRP_OK);
    assert_status(trp_dns_next(&reader, &record), TRP_OK);
    assert_status(trp_dns_target(&reader, &record, &target), TRP_EMALFORMED);
}

static void reads_no_more_records_than_its_bound(void **state)
{
    (void)state;
    static uint8_t message[TRP_DNS_HEADER_BYTES + 5 * (TRP_DNS_RECORDS_MAX + 1)];
    struct trp_dns_reader reader;
    struct trp_dns_record record;
    message[4] = (TRP_DNS_RECORDS_MAX + 1) >> 8;
    message[5] = (TRP_DNS_RECORDS_MAX + 1) & 0xff;
    assert_status(trp_dns_open(trp_bytes(message, sizeof message), &reader), TRP_OK);
    for (uint32_t i = 0; i < TRP_DNS_RECORDS_MAX; i++) {
        assert_status(trp_dns_next(&reader, &record), TRP_OK);
    }
    assert_status(trp_dns_next(&reader, &record), TRP_EMALFORMED);
}

/* ---- writing ---- */

/* A response with a record of each kind of data. */
static enum trp_status write_sample(uint8_t *out, size_t room, size_t *ret_size)
{
    const struct trp_dns_name service = name_of(SERVICE);
    struct trp_dns_name instance;
    assert_status(trp_dns_name_child(&service, trp_bytes_text("instance"), &instance), TRP_OK);
    const struct trp_dns_owner pointer = {.name = &service, .type = TRP_DNS_PTR, .ttl_s = 360};
    const struct trp_dns_owner text = {
        .name = &instance, .type = TRP_DNS_TXT, .top = true, .ttl_s = 360};
    struct trp_dns_writer writer = trp_dns_writer_init(out, room, 7, TRP_DNS_RESPONSE);
    trp_dns_put_question(&writer, &service, TRP_DNS_PTR, true);
    trp_dns_begin_record(&writer, TRP_DNS_ANSWER, &pointer);
    trp_dns_put_name(&writer, &instance);
    trp_dns_end_record(&writer);
    trp_dns_begin_record(&writer, TRP_DNS_ADDITIONAL, &text);
    trp_dns_put_text(&writer, trp_bytes_text("one"));
    trp_dns_put_text(&writer, TRP_BYTES_NONE);
    trp_dns_put_text(&writer, trp_bytes_text("three"));
    trp_dns_end_record(&writer);
    return trp_dns_writer_end(&writer, ret_size);
}

static void writes_what_it_reads(void **state)
{
    (void)state;
    uint8_t bytes[256];
    size_t size;
    struct trp_dns_reader reader;
    struct trp_dns_record record;
    struct trp_dns_name target;
    struct trp_bytes text;
    assert_status(write_sample(bytes, sizeof bytes, &size), TRP_OK);
    assert_status(trp_dns_open(trp_bytes(bytes, size), &reader), TRP_OK);
    assert_int_equal(reader.header.id, 7);
    assert_status(trp_dns_next(&reader, &record), TRP_OK);
    assert_int_equal(record.section, TRP_DNS_QUESTION);
    assert_true(record.top);
    assert_status(trp_dns_next(&reader, &record), TRP_OK);
    assert_int_equal(record.section, TRP_DNS_ANSWER);
    assert_name(&record.name, SERVICE);
    assert_status(trp_dns_target(&reader, &record, &target), TRP_OK);
    assert_name(&target, "instance." SERVICE);
    assert_status(trp_dns_next(&reader, &record), TRP_OK);
    assert_int_equal(record.section, TRP_DNS_ADDITIONAL);
    assert_true(record.top && record.class_ == TRP_DNS_CLASS_IN);
    assert_name(&record.name, "instance." SERVICE);
    size_t at = 0;
    assert_true(trp_dns_next_text(&record, &at, &text) && text.size == 3);
    assert_true(trp_dns_next_text(&record, &at, &text) && text.size == 0);
    assert_true(trp_dns_next_text(&record, &at, &text) && text.size == 5);
    assert_false(trp_dns_next_text(&record, &at, &text));
    assert_status(trp_dns_next(&reader, &record), TRP_ENOTFOUND);
}

/* header, question with the whole name, answer: pointer, 10 bytes, label and pointer; additional:
 * pointer, 10 bytes, strings. */
static void says_a_name_once(void **state)
{
    (void)state;
    uint8_t bytes[256];
    size_t size;
    assert_status(write_sample(bytes, sizeof bytes, &size), TRP_OK);
    assert_int_equal(size, 12 + (17 + 4) + (2 + 10 + 9 + 2) + (2 + 10 + 4 + 1 + 6));
}

static void says_when_there_is_no_room(void **state)
{
    (void)state;
    uint8_t bytes[256];
    size_t size;
    size_t whole;
    assert_status(write_sample(bytes, sizeof bytes, &whole), TRP_OK);
    for (size_t room = TRP_DNS_HEADER_BYTES; room < whole; room++) {
        memset(bytes, 0xaa, sizeof bytes);
        assert_status(write_sample(bytes, room, &size), TRP_ETOOBIG);
        assert_int_equal(bytes[room], 0xaa);
    }
    assert_status(write_sample(bytes, whole, &size), TRP_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_parsed),
        cmocka_unit_test(names_have_a_greatest_length),
        cmocka_unit_test(children_are_one_label_longer),
        cmocka_unit_test(pointers_lead_back_and_never_round),
        cmocka_unit_test(chains_of_pointers_are_followed),
        cmocka_unit_test(reads_what_other_nodes_send),
        cmocka_unit_test(tells_class_and_flush_apart),
        cmocka_unit_test(a_target_must_be_all_of_the_data),
        cmocka_unit_test(reads_no_more_records_than_its_bound),
        cmocka_unit_test(writes_what_it_reads),
        cmocka_unit_test(says_a_name_once),
        cmocka_unit_test(says_when_there_is_no_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
