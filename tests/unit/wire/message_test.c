/* SPDX-License-Identifier: MIT */
#include "base/prng.h"
#include "lib/test.h"
#include "wire/actor_id.h"
#include "wire/msgpack_reader.h"

#include <troupe/message.h>

#include <msgpack.h>

#define INC(FIELD, TAG) FIELD(TAG, U32, amount)
TRP_MESSAGE_DECLARE(inc, INC);
TRP_MESSAGE_DEFINE(inc, "inc", INC);

#define COUNT(FIELD, TAG) FIELD(TAG, I64, value)
TRP_MESSAGE_DECLARE(count, COUNT);
TRP_MESSAGE_DEFINE_NEWTYPE(count, "count", COUNT);

TRP_MESSAGE_DECLARE_EMPTY(reset);
TRP_MESSAGE_DEFINE_EMPTY(reset, "reset");

/* The fields of kameo-vectors' Bag that have a type here, with its values, and the other types. */
#define BAG(FIELD, TAG)                                                                            \
    FIELD(TAG, BYTES, b)                                                                           \
    FIELD(TAG, TEXT, s)                                                                            \
    FIELD(TAG, F64, f)                                                                             \
    FIELD(TAG, I64, i)                                                                             \
    FIELD(TAG, REF, id)                                                                            \
    FIELD(TAG, BOOL, flag)                                                                         \
    FIELD(TAG, F32, g)                                                                             \
    FIELD(TAG, I32, j)                                                                             \
    FIELD(TAG, U64, k)
TRP_MESSAGE_DECLARE(bag, BAG);
TRP_MESSAGE_DEFINE(bag, "bag", BAG);

#define HOLDER(FIELD, TAG) FIELD(TAG, REF, who)
TRP_MESSAGE_DECLARE(holder, HOLDER);
TRP_MESSAGE_DEFINE_NEWTYPE(holder, "holder", HOLDER);

#define SMALL(FIELD, TAG) FIELD(TAG, U32, u) FIELD(TAG, I32, i) FIELD(TAG, F32, f)
TRP_MESSAGE_DECLARE(small, SMALL);
TRP_MESSAGE_DEFINE(small, "small", SMALL);

#define BLOB(FIELD, TAG) FIELD(TAG, BYTES, bytes)
TRP_MESSAGE_DECLARE(blob, BLOB);
TRP_MESSAGE_DEFINE_NEWTYPE(blob, "blob", BLOB);

#define REF_HEX                                                                                    \
    "0100000000000000002408011220000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"

static struct trp_actor_ref actor(void)
{
    uint8_t bytes[64];
    struct trp_actor_ref ref;
    size_t size = test_unhex(REF_HEX, bytes, sizeof bytes);
    assert_status(trp_actor_id_decode(trp_bytes(bytes, size), &ref), TRP_OK);
    return ref;
}

/* Encodes to exactly `hex`, in no smaller room. */
static void check_encoding(const struct trp_message_type *type, const void *message,
                           const char *hex)
{
    uint8_t want[512];
    uint8_t out[512];
    size_t size = 0;
    size_t want_size = test_unhex(hex, want, sizeof want);
    assert_status(trp_message_encode(type, message, out, sizeof out, &size), TRP_OK);
    assert_int_equal(size, want_size);
    assert_memory_equal(out, want, size);
    for (size_t room = 0; room < want_size; room++) {
        out[room] = 0xee;
        assert_status(trp_message_encode(type, message, out, room, &size), TRP_ETOOBIG);
        assert_int_equal(out[room], 0xee);
    }
}

static enum trp_status decode(const struct trp_message_type *type, const char *hex,
                              void *ret_message)
{
    static uint8_t bytes[512]; /* what is decoded borrows from it */
    size_t size = test_unhex(hex, bytes, sizeof bytes);
    return trp_message_decode(type, trp_bytes(bytes, size), ret_message);
}

static void matches_rmp_serde(void **state)
{
    (void)state;
    check_encoding(&inc_type, &(struct inc){.amount = 10}, "81a6616d6f756e740a");
    check_encoding(&count_type, &(struct count){.value = 10}, "0a");
    check_encoding(&count_type, &(struct count){.value = -1}, "ff");
    check_encoding(&count_type, &(struct count){.value = 300}, "cd012c");
    check_encoding(&trp_unit_type, NULL, "c0");
    check_encoding(&reset_type, NULL, "90");
    check_encoding(&holder_type, &(struct holder){.who = actor()}, "81a26964c42e" REF_HEX);
    check_encoding(&holder_type, &(struct holder){.who = {.id = 0}}, "c0");
    check_encoding(
        &bag_type,
        &(struct bag){.b = trp_bytes("\x01\xc8", 2),
                      .s = trp_bytes_text("hi"),
                      .f = 1.5,
                      .i = -200,
                      .id = actor(),
                      .flag = true,
                      .g = 0.5f,
                      .j = INT32_MIN,
                      .k = UINT64_MAX},
        "89a162c40201c8a173a26869a166cb3ff8000000000000a169d1ff38a2696481a26964c42e" REF_HEX
        "a4666c6167c3a167ca3f000000a16ad280000000a16bcfffffffffffffffff");
}

/* The Bag of Kameo's own vectors: everything that its messages are made of. */
#define PAIR(FIELD, TAG) FIELD(TAG, U8, number) FIELD(TAG, BOOL, flag)
TRP_MESSAGE_DECLARE(pair, PAIR);
TRP_MESSAGE_DEFINE_TUPLE(pair, NULL, PAIR);
#define KAMEO_BAG(FIELD, TAG)                                                                      \
    FIELD(TAG, OPTION(U32), a)                                                                     \
    FIELD(TAG, OCTETS, b)                                                                          \
    FIELD(TAG, TEXT, s)                                                                            \
    FIELD(TAG, F64, f)                                                                             \
    FIELD(TAG, I64, i)                                                                             \
    FIELD(TAG, DURATION, d)                                                                        \
    FIELD(TAG, UNIT, u)                                                                            \
    FIELD(TAG, STRUCT(pair), t)                                                                    \
    FIELD(TAG, ACTOR_ID, id)
TRP_MESSAGE_DECLARE(kameo_bag, KAMEO_BAG);
TRP_MESSAGE_DEFINE(kameo_bag, "bag", KAMEO_BAG);

#define C_VARIANT(FIELD, TAG) FIELD(TAG, U8, x) FIELD(TAG, U8, y)
TRP_MESSAGE_DECLARE(c_variant, C_VARIANT);
TRP_MESSAGE_DEFINE_TUPLE(c_variant, NULL, C_VARIANT);
#define D_VARIANT(FIELD, TAG) FIELD(TAG, U8, x)
TRP_MESSAGE_DECLARE(d_variant, D_VARIANT);
TRP_MESSAGE_DEFINE(d_variant, NULL, D_VARIANT);
#define KAMEO_ENUM(VARIANT, TAG)                                                                   \
    VARIANT(TAG, NO_VALUE, A)                                                                      \
    VARIANT(TAG, U8, B)                                                                            \
    VARIANT(TAG, STRUCT(c_variant), C)                                                             \
    VARIANT(TAG, STRUCT(d_variant), D)
TRP_MESSAGE_DECLARE_ENUM(kameo_enum, KAMEO_ENUM);
TRP_MESSAGE_DEFINE_ENUM(kameo_enum, "enum", KAMEO_ENUM);

#define TUPLE_STRUCT(FIELD, TAG) FIELD(TAG, U8, number) FIELD(TAG, TEXT, text)
TRP_MESSAGE_DECLARE(tuple_struct, TUPLE_STRUCT);
TRP_MESSAGE_DEFINE_TUPLE(tuple_struct, "tuple", TUPLE_STRUCT);

static void matches_the_vectors_of_kameo(void **state)
{
    (void)state;
    static const char bag_hex[] =
        "89a161c0a1629201ccc8a173a26869a166cb3ff8000000000000a169d1ff38a16482a47365637301a56e616e6f"
        "73ce1dcd6500a175c0a1749201c3a26964c42e" REF_HEX;
    struct kameo_bag got;
    uint8_t bytes[128];
    uint8_t memory[32];
    struct trp_actor_ref ref = actor();
    check_encoding(&kameo_bag_type,
                   &(struct kameo_bag){.b = trp_bytes("\x01\xc8", 2),
                                       .s = trp_bytes_text("hi"),
                                       .f = 1.5,
                                       .i = -200,
                                       .d = trp_duration_of(TRP_MS(1500)),
                                       .t = {1, true},
                                       .id = ref},
                   bag_hex);
    size_t size = test_unhex(bag_hex, bytes, sizeof bytes);
    assert_status(
        trp_message_decode_in(&kameo_bag_type, trp_bytes(bytes, size), memory, sizeof memory, &got),
        TRP_OK);
    assert_true(!got.a.has && got.i == -200 && got.t.number == 1 && got.t.flag);
    assert_true(trp_bytes_equal(got.b, trp_bytes("\x01\xc8", 2)));
    assert_true(trp_duration_ns(got.d) == TRP_MS(1500) && trp_actor_ref_equal(&got.id, &ref));
    check_encoding(&kameo_enum_type, &(struct kameo_enum){.kind = kameo_enum_A}, "a141");
    check_encoding(&kameo_enum_type, &(struct kameo_enum){.kind = kameo_enum_B, .B = 1},
                   "81a14201");
    check_encoding(&kameo_enum_type, &(struct kameo_enum){.kind = kameo_enum_C, .C = {1, 2}},
                   "81a143920102");
    check_encoding(&kameo_enum_type, &(struct kameo_enum){.kind = kameo_enum_D, .D = {1}},
                   "81a14481a17801");
    check_encoding(&tuple_struct_type, &(struct tuple_struct){1, trp_bytes_text("a")}, "9201a161");
    check_encoding(&reset_type, NULL, "90");
    check_encoding(&holder_type, &(struct holder){.who = ref}, "81a26964c42e" REF_HEX);
}

static void integers_take_the_shortest_form(void **state)
{
    (void)state;
    static const struct {
        int64_t value;
        const char *hex;
    } cases[] = {
        {0, "00"},
        {127, "7f"},
        {128, "cc80"},
        {255, "ccff"},
        {256, "cd0100"},
        {65535, "cdffff"},
        {65536, "ce00010000"},
        {UINT32_MAX, "ceffffffff"},
        {INT64_C(1) << 32, "cf0000000100000000"},
        {INT64_MAX, "cf7fffffffffffffff"},
        {-32, "e0"},
        {-33, "d0df"},
        {-128, "d080"},
        {-129, "d1ff7f"},
        {-32768, "d18000"},
        {-32769, "d2ffff7fff"},
        {INT32_MIN, "d280000000"},
        {INT64_C(-2147483649), "d3ffffffff7fffffff"},
        {INT64_MIN, "d38000000000000000"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct count got;
        check_encoding(&count_type, &(struct count){.value = cases[i].value}, cases[i].hex);
        assert_status(decode(&count_type, cases[i].hex, &got), TRP_OK);
        assert_true(got.value == cases[i].value);
    }
}

static void reads_what_rmp_serde_reads(void **state)
{
    (void)state;
    static const char *const same[] = {
        "81a6616d6f756e740a",
        "910a",                                         /* a struct as an array */
        "81a6616d6f756e74cd000a",                       /* a longer integer */
        "81a6616d6f756e74d00a",                         /* a signed one */
        "81a6616d6f756e740aff",                         /* trailing bytes */
        "82a165c3a6616d6f756e740a",                     /* an unknown key */
        "82a16582c3c0a1619201c4020304a6616d6f756e740a", /* with a value of its own keys */
        "81000a",                                       /* a field by its number */
        "8201c3a6616d6f756e740a",                       /* a number that no field has */
        "81c406616d6f756e740a",                         /* a name as bytes */
        "81d906616d6f756e740a",                         /* longer forms of text and map */
        "de0001a6616d6f756e740a",
        "df00000001da0006616d6f756e740a",
        "dc00010a",
    };
    for (size_t i = 0; i < sizeof same / sizeof same[0]; i++) {
        struct inc got = {.amount = 0};
        assert_status(decode(&inc_type, same[i], &got), TRP_OK);
        assert_int_equal(got.amount, 10);
    }
    static const char *const refused[] = {
        "920aff", "829101c3a6616d6f756e740a", "82a6616d6f756e740aa6616d6f756e740a", "80", "90",
        "c0",
    };
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        struct inc got;
        assert_status(decode(&inc_type, refused[i], &got), TRP_EDECODE);
    }
    assert_status(decode(&reset_type, "90", NULL), TRP_OK);
    assert_status(decode(&reset_type, "c0", NULL), TRP_OK);
    assert_status(decode(&reset_type, "80", NULL), TRP_OK);
    assert_status(decode(&trp_unit_type, "c0", NULL), TRP_OK);
    assert_status(decode(&trp_unit_type, "90", NULL), TRP_EDECODE);
}

static void fields_come_back(void **state)
{
    (void)state;
    struct bag got;
    /* Not in the order of declaration. */
    assert_status(
        decode(&bag_type,
               "89a16bcfffffffffffffffffa162c40201c8a166cb3ff8000000000000a173a26869a169d1ff38"
               "a2696481a26964c42e" REF_HEX "a4666c6167c3a167ca3f000000a16ad280000000",
               &got),
        TRP_OK);
    struct trp_actor_ref ref = actor();
    assert_true(trp_bytes_equal(got.b, trp_bytes("\x01\xc8", 2)));
    assert_true(trp_bytes_equal(got.s, trp_bytes_text("hi")));
    assert_true(got.f >= 1.5 && got.f <= 1.5 && got.g >= 0.5f && got.g <= 0.5f);
    assert_true(got.i == -200 && got.j == INT32_MIN && got.k == UINT64_MAX && got.flag);
    assert_true(trp_actor_ref_equal(&got.id, &ref));
}

static void refs_are_read_in_each_form(void **state)
{
    (void)state;
    static const struct {
        const char *hex;
        enum trp_status status;
    } cases[] = {
        {"81a26964c42e" REF_HEX, TRP_OK},
        {"c42e" REF_HEX, TRP_OK},   /* an ActorId alone */
        {"91c42e" REF_HEX, TRP_OK}, /* the struct as an array */
        {"82a17801a26964c42e" REF_HEX, TRP_OK},
        {"82a26964c42e" REF_HEX "a17801", TRP_OK},
        {"80", TRP_EDECODE},
        {"90", TRP_EDECODE},
        {"81a17801", TRP_EDECODE},
        {"81a26964c40401020304", TRP_EDECODE}, /* a short id */
        {"81a2696401", TRP_EDECODE},
        {"05", TRP_EDECODE},
        {"dfffffffff", TRP_EDECODE},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct holder got;
        struct trp_actor_ref want = actor();
        assert_status(decode(&holder_type, cases[i].hex, &got), cases[i].status);
        if (cases[i].status == TRP_OK) {
            assert_true(trp_actor_ref_equal(&got.who, &want));
        }
    }
    struct holder got = {.who = actor()};
    assert_status(decode(&holder_type, "c0", &got), TRP_OK);
    assert_true(got.who.id == 0 && got.who.peer.size == 0);
}

static void numbers_must_fit_their_field(void **state)
{
    (void)state;
    static const struct {
        const char *hex; /* of u, i, f */
        enum trp_status status;
    } cases[] = {
        {"930000ca00000000", TRP_OK},
        {"93ceffffffffd280000000cb3ff0000000000000", TRP_OK},
        {"93cf0000000100000000"
         "00"
         "ca00000000",
         TRP_EDECODE},
        {"93ff00ca00000000", TRP_EDECODE},
        {"9300ce80000000ca00000000", TRP_EDECODE},
        {"9300d3ffffffff7fffffffca00000000", TRP_EDECODE},
        {"93ca0000000000ca00000000", TRP_EDECODE}, /* no floating number for an integer */
        {"93c300ca00000000", TRP_EDECODE},
        {"93000005", TRP_OK}, /* but an integer for a floating one */
        {"930000d0fb", TRP_OK},
        {"930000c0", TRP_EDECODE},
        {"9300c0ca00000000", TRP_EDECODE},
        {"92"
         "0000",
         TRP_EDECODE}, /* one is missing */
        {"82a175"
         "00"
         "a169"
         "00",
         TRP_EDECODE},
        {"83a175"
         "00"
         "a175"
         "00"
         "a169"
         "00",
         TRP_EDECODE},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct small got;
        assert_status(decode(&small_type, cases[i].hex, &got), cases[i].status);
    }
}

static void texts_are_utf8_both_ways(void **state)
{
    (void)state;
    struct bag bag = {.s = trp_bytes_text("\xff")};
    uint8_t out[256];
    size_t size;
    assert_status(trp_message_encode(&bag_type, &bag, out, sizeof out, &size), TRP_EENCODE);
    bag.s = trp_bytes_text("x");
    assert_status(trp_message_encode(&bag_type, &bag, out, sizeof out, &size), TRP_OK);
    assert_status(trp_message_decode(&bag_type, trp_bytes(out, size), &bag), TRP_OK);
    assert_true(bag.b.size == 0 && bag.s.size == 1);
    for (size_t i = 0; i < size; i++) {
        if (out[i] == 'x' && out[i - 1] == 0xa1) {
            out[i] = 0xff;
        }
    }
    assert_status(trp_message_decode(&bag_type, trp_bytes(out, size), &bag), TRP_EDECODE);
}

static void bytes_are_read_from_bin_and_small_arrays(void **state)
{
    (void)state;
    struct blob got;
    assert_status(decode(&blob_type, "c40201c8", &got), TRP_OK);
    assert_true(trp_bytes_equal(got.bytes, trp_bytes("\x01\xc8", 2)));
    assert_status(decode(&blob_type, "93017f00", &got), TRP_OK);
    assert_true(trp_bytes_equal(got.bytes, trp_bytes("\x01\x7f\x00", 3)));
    assert_status(decode(&blob_type, "90", &got), TRP_OK);
    assert_int_equal(got.bytes.size, 0);
    assert_status(decode(&blob_type, "9201ccc8", &got), TRP_ETOOBIG); /* cannot be borrowed */
    assert_status(decode(&blob_type, "9301", &got), TRP_EDECODE);
    assert_status(decode(&blob_type, "ddffffffff01", &got), TRP_EDECODE);
    assert_status(decode(&blob_type, "80", &got), TRP_EDECODE);
}

static void every_truncation_is_refused(void **state)
{
    (void)state;
    struct bag bag = {.b = trp_bytes("\x01\xc8", 2), .s = trp_bytes_text("hi"), .id = actor()};
    uint8_t out[256];
    size_t size;
    assert_status(trp_message_encode(&bag_type, &bag, out, sizeof out, &size), TRP_OK);
    for (size_t cut = 0; cut < size; cut++) {
        assert_status(trp_message_decode(&bag_type, trp_bytes(out, cut), &bag), TRP_EDECODE);
    }
}

/* msgpack-c's own unpacker as the judge of what is a value, and how long it is. */
static void skips_what_msgpack_c_unpacks(void **state)
{
    (void)state;
    unsigned good = 0;
    for (uint64_t round = 0; round < 20000; round++) {
        uint8_t bytes[64];
        uint32_t size = 1 + trp_draw_below(trp_draw(9, round, 0, 0), sizeof bytes);
        for (uint32_t i = 0; i < size; i++) {
            uint64_t draw = trp_draw(9, round, 1, i);
            bytes[i] = (uint8_t)((draw >> 40) % 3 == 0 ? draw : (draw & 3u) | (draw >> 20 & 0xd0u));
            if (bytes[i] == 0xdd || bytes[i] == 0xdf) { /* msgpack-c allocates what they say */
                bytes[i] = 0x91;
            }
        }
        struct trp_msgpack_reader reader = {.in = trp_bytes(bytes, size)};
        enum trp_status status = trp_msgpack_skip(&reader, 1);
        msgpack_unpacked unpacked;
        size_t offset = 0;
        msgpack_unpacked_init(&unpacked);
        msgpack_unpack_return judged =
            msgpack_unpack_next(&unpacked, (const char *)bytes, size, &offset);
        bool is_value = judged == MSGPACK_UNPACK_SUCCESS || judged == MSGPACK_UNPACK_EXTRA_BYTES;
        msgpack_unpacked_destroy(&unpacked);
        if (is_value != (status == TRP_OK) || (is_value && offset != reader.at)) {
            fail_msg("round %u: %s, msgpack-c %d", (unsigned)round, trp_status_name(status),
                     (int)judged);
        }
        good += is_value;
    }
    assert_true(good > 2000 && good < 18000);
}

static void check_json(const char *hex, const char *want)
{
    static uint8_t bytes[512];
    char text[1024];
    size_t size = test_unhex(hex, bytes, sizeof bytes);
    size_t length = trp_msgpack_print(trp_bytes(bytes, size), text, sizeof text);
    assert_string_equal(text, want);
    assert_int_equal(length, strlen(want));
    for (size_t room = 0; room <= length; room++) {
        char cut[1024];
        memset(cut, '#', sizeof cut);
        assert_int_equal(trp_msgpack_print(trp_bytes(bytes, size), cut, room), length);
        assert_memory_equal(cut, want, room == 0 ? 0 : room - 1);
        assert_int_equal(cut[room], '#');
        assert_true(room == 0 || cut[room - 1] == '\0');
    }
}

static void values_print_as_json(void **state)
{
    (void)state;
    check_json("81a6616d6f756e740a", "{\"amount\":10}");
    check_json("0a", "10");
    check_json("ff", "-1");
    check_json("d38000000000000000", "-9223372036854775808");
    check_json("cfffffffffffffffff", "18446744073709551615");
    check_json("c0", "null");
    check_json("90", "[]");
    check_json("80", "{}");
    check_json("9201a161", "[1,\"a\"]");
    check_json("9390809180", "[[],{},[{}]]");
    check_json("82a161c3a162920102", "{\"a\":true,\"b\":[1,2]}");
    check_json("82a16181a1629101a163c2", "{\"a\":{\"b\":[1]},\"c\":false}");
    check_json("cb3ff8000000000000", "1.5");
    check_json("ca3dcccccd", "0.1");
    check_json("cb7ff0000000000000", "null");
    check_json("c40201c8", "\"01c8\"");
    check_json("d40510", "\"10\"");
    check_json("a722005c0a1f097f", "\"\\\"\\u0000\\\\\\n\\u001f\\t\\u007f\"");
    check_json("a3e29883", "\"☃\"");
    check_json("a2ff61", "\"\\ufffda\"");
    check_json("830102c00391010a", "{\"1\":2,\"null\":3,\"…\":10}"); /* keys become texts */
    check_json("0aff", "10");
    check_json("81a161", "\"malformed: 81a161\"");
    check_json("", "\"malformed: \"");
    check_json("c1", "\"malformed: c1\"");
    check_json("dfffffffff", "\"malformed: dfffffffff\"");
}

static void deep_values_end_in_an_ellipsis(void **state)
{
    (void)state;
    static uint8_t bytes[100000];
    char text[512];
    memset(bytes, 0x91, sizeof bytes - 1);
    bytes[sizeof bytes - 1] = 0;
    size_t length = trp_msgpack_print(trp_bytes(bytes, sizeof bytes), text, sizeof text);
    assert_int_equal(length, 128 + 5 + 128); /* "…" is three bytes between quotes */
    assert_memory_equal(text + 126, "[[\"…\"]]", 9);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(matches_rmp_serde),
        cmocka_unit_test(matches_the_vectors_of_kameo),
        cmocka_unit_test(integers_take_the_shortest_form),
        cmocka_unit_test(reads_what_rmp_serde_reads),
        cmocka_unit_test(fields_come_back),
        cmocka_unit_test(refs_are_read_in_each_form),
        cmocka_unit_test(numbers_must_fit_their_field),
        cmocka_unit_test(texts_are_utf8_both_ways),
        cmocka_unit_test(bytes_are_read_from_bin_and_small_arrays),
        cmocka_unit_test(every_truncation_is_refused),
        cmocka_unit_test(skips_what_msgpack_c_unpacks),
        cmocka_unit_test(values_print_as_json),
        cmocka_unit_test(deep_values_end_in_an_ellipsis),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
