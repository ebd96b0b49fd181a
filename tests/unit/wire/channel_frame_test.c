/* SPDX-License-Identifier: MIT */
#include "wire/channel_frame.h"

#include "lib/test.h"

#define LIMIT 1000u

/* One of each kind, and what it is on the wire. */
static const struct {
    struct trp_channel_frame frame;
    const char *bytes;
    size_t size;
} vectors[] = {
    {{.kind = TRP_CHANNEL_HELLO, .number = 300}, "\x03\x00\xac\x02", 4},
    {{.kind = TRP_CHANNEL_PAIR,
      .number = 1,
      .actor_type = {(const uint8_t *)"agent", 5},
      .message = {(const uint8_t *)"add", 3}},
     "\x0b\x01\x01\x05"
     "agentadd",
     12},
    {{.kind = TRP_CHANNEL_TELL,
      .number = 1,
      .actor = 0x0203,
      .mailbox_timeout_ns = TRP_NEVER,
      .payload = {(const uint8_t *)"\xc0", 1}},
     "\x0b\x02\x01\x02\x02\0\0\0\0\0\0\xc0",
     12},
    {{.kind = TRP_CHANNEL_TELL_ACK,
      .immediate = true,
      .request = 5,
      .number = 0,
      .actor = 1,
      .mailbox_timeout_ns = TRP_NEVER},
     "\x0b\x13\x05\x00\0\0\0\0\0\0\0\0",
     12},
    {{.kind = TRP_CHANNEL_ASK,
      .request = 128,
      .number = 2,
      .actor = 1,
      .mailbox_timeout_ns = 7,
      .reply_timeout_ns = 200,
      .payload = {(const uint8_t *)"hi", 2}},
     "\x11\x64\x80\x01\x02\0\0\0\0\0\0\0\0\x07\xc8\x01hi",
     18},
    {{.kind = TRP_CHANNEL_REPLY, .request = 5, .payload = {(const uint8_t *)"ok", 2}},
     "\x04\x05\x05ok",
     5},
    {{.kind = TRP_CHANNEL_ERROR,
      .request = 5,
      .error = TRP_SEND_UNKNOWN_MESSAGE,
      .actor_type = {(const uint8_t *)"a", 1},
      .message = {(const uint8_t *)"bc", 2},
      .payload = {(const uint8_t *)"why", 3}},
     "\x0b\x06\x05\x04\x01"
     "a\x02"
     "bcwhy",
     12},
    {{.kind = TRP_CHANNEL_DROPPED, .request = 9}, "\x02\x07\x09", 3},
    {{.kind = TRP_CHANNEL_CANCEL, .request = 9}, "\x02\x08\x09", 3},
};
#define VECTORS (sizeof vectors / sizeof vectors[0])

static void assert_same(const struct trp_channel_frame *a, const struct trp_channel_frame *b)
{
    assert_int_equal(a->kind, b->kind);
    assert_int_equal(a->immediate, b->immediate);
    assert_int_equal(a->error, b->error);
    assert_int_equal(a->number, b->number);
    assert_int_equal(a->request, b->request);
    assert_int_equal(a->actor, b->actor);
    assert_true(trp_bytes_equal(a->actor_type, b->actor_type));
    assert_true(trp_bytes_equal(a->message, b->message));
    assert_true(trp_bytes_equal(a->payload, b->payload));
    if (a->kind >= TRP_CHANNEL_TELL && a->kind <= TRP_CHANNEL_ASK) {
        assert_int_equal(a->mailbox_timeout_ns, b->mailbox_timeout_ns);
    }
    if (a->kind == TRP_CHANNEL_ASK) {
        assert_int_equal(a->reply_timeout_ns, b->reply_timeout_ns);
    }
}

static void every_kind_is_written_and_read(void **state)
{
    (void)state;
    uint8_t out[256];
    struct trp_channel_frame frame;
    size_t used;
    for (size_t i = 0; i < VECTORS; i++) {
        size_t size = trp_channel_frame_encode(&vectors[i].frame, out);
        assert_true(size <= trp_channel_frame_room(&vectors[i].frame));
        assert_int_equal(size, vectors[i].size);
        assert_memory_equal(out, vectors[i].bytes, size);
        memset(out + size, 0xff, 8); /* what follows is another frame */
        assert_status(trp_channel_frame_decode(trp_bytes(out, size + 8), LIMIT, &frame, &used),
                      TRP_OK);
        assert_int_equal(used, size);
        assert_same(&frame, &vectors[i].frame);
    }
}

/* Half a frame is no frame yet; the same bytes as a whole frame are none. */
static void truncations_are_refused(void **state)
{
    (void)state;
    struct trp_channel_frame frame;
    size_t used;
    for (size_t i = 0; i < VECTORS; i++) {
        for (size_t size = 0; size < vectors[i].size; size++) {
            struct trp_bytes in = trp_bytes(vectors[i].bytes, size);
            assert_status(trp_channel_frame_decode(in, LIMIT, &frame, &used), TRP_EAGAIN);
        }
    }
    uint8_t cut[32];
    static const size_t headers[VECTORS] = {4, 9, 11, 12, 16, 3, 9, 3, 3}; /* without the rest */
    for (size_t i = 0; i < VECTORS; i++) {
        for (size_t size = 1; size < headers[i]; size++) {
            memcpy(cut, vectors[i].bytes, size);
            cut[0] = (uint8_t)(size - 1);
            assert_status(trp_channel_frame_decode(trp_bytes(cut, size), LIMIT, &frame, &used),
                          TRP_EMALFORMED);
        }
    }
}

static void what_is_not_a_frame_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t size;
        enum trp_status status;
    } wrong[] = {
        {"\x00", 1, TRP_EMALFORMED},                              /* of no kind */
        {"\x01\x09", 2, TRP_EMALFORMED},                          /* of no such kind */
        {"\x03\x10\xac\x02", 4, TRP_EMALFORMED},                  /* a HELLO with a flag */
        {"\x02\x47\x09", 3, TRP_EMALFORMED},                      /* as well */
        {"\x0a\x82\x01\0\0\0\0\0\0\0\0", 11, TRP_EMALFORMED},     /* an unknown flag */
        {"\x0b\x42\x01\0\0\0\0\0\0\0\0\x01", 12, TRP_EMALFORMED}, /* a TELL waits for no reply */
        {"\x04\x00\xac\x02\x00", 5, TRP_EMALFORMED},              /* something behind a HELLO */
        {"\x03\x07\x09\x01", 4, TRP_EMALFORMED},                  /* behind a DROPPED */
        {"\x05\x06\x05\x00\x00\x00", 6, TRP_EMALFORMED},          /* an error that is none */
        {"\x05\x06\x05\x63\x00\x00", 6, TRP_EMALFORMED},          /* one that nobody knows */
        {"\x04\x01\x01\x05\x61", 5, TRP_EMALFORMED},              /* a text beyond the end */
        {"\xe9\x07\x00", 3, TRP_ETOOBIG},                         /* 1001 bytes */
        {"\x80\x00", 2, TRP_EMALFORMED},                          /* a size that is not minimal */
        {"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 10, TRP_EMALFORMED},
    };
    struct trp_channel_frame frame;
    size_t used;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct trp_bytes in = trp_bytes(wrong[i].bytes, wrong[i].size);
        assert_status(trp_channel_frame_decode(in, LIMIT, &frame, &used), wrong[i].status);
    }
}

/* The widest numbers have room. */
static void the_longest_header_fits(void **state)
{
    (void)state;
    uint8_t out[TRP_CHANNEL_HEADER_BYTES_MAX];
    const struct trp_channel_frame longest = {.kind = TRP_CHANNEL_ASK,
                                              .immediate = true,
                                              .number = UINT64_MAX,
                                              .request = UINT64_MAX,
                                              .actor = UINT64_MAX,
                                              .mailbox_timeout_ns = TRP_NEVER - 1,
                                              .reply_timeout_ns = TRP_NEVER - 1};
    struct trp_channel_frame frame;
    size_t used;
    size_t size = trp_channel_frame_encode(&longest, out);
    assert_status(trp_channel_frame_decode(trp_bytes(out, size), LIMIT, &frame, &used), TRP_OK);
    assert_same(&frame, &longest);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_is_written_and_read),
        cmocka_unit_test(truncations_are_refused),
        cmocka_unit_test(what_is_not_a_frame_is_refused),
        cmocka_unit_test(the_longest_header_fits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
