/* SPDX-License-Identifier: MIT */
#include "lib/vectors.h"
#include "wire/actor_id.h"
#include "wire/envelope.h"

#define FILE_NAME "kameo_messaging.txt"
#define ROOM      4096u

#define TEXT(s) ((struct trp_bytes){(const uint8_t *)(s), sizeof(s) - 1})

/* msgpack of Inc{amount: 10} */
static const uint8_t inc[] = {0x81, 0xa6, 'a', 'm', 'o', 'u', 'n', 't', 10};
static const uint8_t edges[] = {0, 0x17, 0x18, 0xff};

/* Actors of peer 00..1f. */
static struct trp_actor_ref actor(uint64_t sequence)
{
    struct trp_actor_ref ref = {.id = trp_actor_id_of_sequence(sequence), .peer = {.size = 38}};
    static const uint8_t head[] = {0x00, 0x24, 0x08, 0x01, 0x12, 0x20};
    memcpy(ref.peer.bytes, head, sizeof head);
    for (uint8_t i = 0; i < 32; i++) {
        ref.peer.bytes[sizeof head + i] = i;
    }
    return ref;
}

static struct trp_request_envelope request(enum trp_envelope_kind kind)
{
    struct trp_request_envelope made = {.kind = kind,
                                        .actor = actor(1),
                                        .actor_type = TEXT("A"),
                                        .mailbox_timeout_ns = TRP_NEVER,
                                        .reply_timeout_ns = TRP_NEVER};
    if (kind == TRP_ENVELOPE_ASK || kind == TRP_ENVELOPE_TELL) {
        made.message = TEXT("M");
        made.payload = trp_bytes(inc, sizeof inc);
    } else {
        made.other = actor(2);
    }
    if (kind == TRP_ENVELOPE_LINK) {
        made.other_type = TEXT("B");
    }
    return made;
}

static struct trp_request_envelope signal_of(struct trp_stop_cause cause)
{
    struct trp_request_envelope made = request(TRP_ENVELOPE_SIGNAL_LINK_DIED);
    made.cause = cause;
    return made;
}

static void assert_bytes(struct trp_bytes got, struct trp_bytes want)
{
    assert_int_equal(got.size, want.size);
    if (got.size > 0) {
        assert_memory_equal(got.data, want.data, want.size);
    }
}

static void assert_requests(const struct trp_request_envelope *got,
                            const struct trp_request_envelope *want)
{
    assert_int_equal(got->kind, want->kind);
    assert_true(got->immediate == want->immediate);
    assert_true(trp_actor_ref_equal(&got->actor, &want->actor));
    assert_true(trp_actor_ref_equal(&got->other, &want->other));
    assert_bytes(got->actor_type, want->actor_type);
    assert_bytes(got->other_type, want->other_type);
    assert_bytes(got->message, want->message);
    assert_bytes(got->payload, want->payload);
    assert_true(got->mailbox_timeout_ns == want->mailbox_timeout_ns);
    assert_true(got->reply_timeout_ns == want->reply_timeout_ns);
    assert_int_equal(got->cause.root, want->cause.root);
    assert_int_equal(got->cause.panic, want->cause.panic);
    assert_bytes(got->cause.text, want->cause.text);
    assert_int_equal(got->cause.links_count, want->cause.links_count);
    for (uint32_t i = 0; i < want->cause.links_count; i++) {
        assert_true(trp_actor_ref_equal(&got->cause.links[i], &want->cause.links[i]));
    }
}

/* Both ways, in no room too small, and never more than what every cut of it holds. */
static void check_request(const char *vector, const struct trp_request_envelope *want)
{
    uint8_t bytes[TEST_VECTOR_LINE_MAX / 2];
    uint8_t out[ROOM];
    uint8_t block[ROOM];
    size_t size = 0;
    struct trp_bytes in = test_vector_bytes(FILE_NAME, vector, bytes);
    assert_status(trp_request_envelope_encode(want, out, sizeof out, &size), TRP_OK);
    assert_bytes(trp_bytes(out, size), in);
    for (size_t room = 0; room < in.size; room++) {
        out[room] = 0xee;
        assert_status(trp_request_envelope_encode(want, out, room, &size), TRP_ETOOBIG);
        assert_int_equal(out[room], 0xee);
    }
    struct trp_request_envelope got;
    struct trp_arena arena = trp_arena_init(block, in.size + 16);
    assert_status(trp_request_envelope_decode(in, &arena, &got), TRP_OK);
    assert_requests(&got, want);
    for (size_t cut = 0; cut < in.size; cut++) {
        arena = trp_arena_init(block, sizeof block);
        assert_status(trp_request_envelope_decode(trp_bytes(bytes, cut), &arena, &got),
                      TRP_EMALFORMED);
    }
    bytes[in.size] = 0xff; /* what trails is not looked at */
    assert_status(trp_request_envelope_decode(trp_bytes(bytes, in.size + 1), &arena, &got), TRP_OK);
}

static void requests_match_kameo(void **state)
{
    (void)state;
    struct trp_request_envelope ask = request(TRP_ENVELOPE_ASK);
    ask.actor_type = TEXT("remote::MyActor");
    ask.message = TEXT("4c0ffee");
    check_request("ask", &ask);

    ask = request(TRP_ENVELOPE_ASK);
    ask.payload = trp_bytes(edges, sizeof edges);
    ask.mailbox_timeout_ns = TRP_MS(1500);
    ask.reply_timeout_ns = TRP_S(5);
    ask.immediate = true;
    check_request("ask_timeouts", &ask);

    struct trp_request_envelope other = request(TRP_ENVELOPE_TELL);
    check_request("tell", &other);
    other = request(TRP_ENVELOPE_LINK);
    check_request("link", &other);
    other = request(TRP_ENVELOPE_UNLINK);
    check_request("unlink", &other);
}

static void stop_reasons_match_kameo(void **state)
{
    (void)state;
    struct trp_request_envelope made = signal_of((struct trp_stop_cause){.root = TRP_STOP_NORMAL});
    check_request("signal_link_died_normal", &made);
    made = signal_of((struct trp_stop_cause){.root = TRP_STOP_SUPERVISOR_RESTART});
    check_request("signal_link_died_supervisor_restart", &made);
    made = signal_of((struct trp_stop_cause){.root = TRP_STOP_KILLED});
    check_request("signal_link_died_killed", &made);
    made = signal_of((struct trp_stop_cause){.root = TRP_STOP_PANICKED,
                                             .panic = TRP_PANIC_HANDLER_PANIC,
                                             .text = TEXT("message handler panicked: boom")});
    check_request("signal_link_died_panicked", &made);
    made = signal_of(
        (struct trp_stop_cause){.root = TRP_STOP_KILLED, .links_count = 1, .links = {actor(3)}});
    assert_int_equal(trp_stop_cause_reason(&made.cause), TRP_STOP_LINK_DIED);
    check_request("signal_link_died_link_died", &made);
    made = signal_of((struct trp_stop_cause){.root = TRP_STOP_PEER_DISCONNECTED});
    check_request("signal_link_died_peer_disconnected", &made);
}

static void check_response(const char *vector, const struct trp_response_envelope *want)
{
    uint8_t bytes[TEST_VECTOR_LINE_MAX / 2];
    uint8_t out[ROOM];
    uint8_t block[ROOM];
    size_t size = 0;
    struct trp_bytes in = test_vector_bytes(FILE_NAME, vector, bytes);
    assert_status(trp_response_envelope_encode(want, out, sizeof out, &size), TRP_OK);
    assert_bytes(trp_bytes(out, size), in);
    for (size_t room = 0; room < in.size; room++) {
        assert_status(trp_response_envelope_encode(want, out, room, &size), TRP_ETOOBIG);
    }
    struct trp_response_envelope got;
    struct trp_arena arena = trp_arena_init(block, sizeof block);
    assert_status(trp_response_envelope_decode(in, &arena, &got), TRP_OK);
    assert_int_equal(got.kind, want->kind);
    assert_int_equal(got.error, want->error);
    assert_bytes(got.payload, want->payload);
    assert_bytes(got.actor_type, want->actor_type);
    assert_bytes(got.message, want->message);
    assert_bytes(got.text, want->text);
    for (size_t cut = 0; cut < in.size; cut++) {
        assert_status(trp_response_envelope_decode(trp_bytes(bytes, cut), &arena, &got),
                      TRP_EMALFORMED);
    }
}

static void responses_match_kameo(void **state)
{
    (void)state;
    static const uint8_t ten[] = {10};
    static const uint8_t no[] = {0xa2, 'n', 'o'};
    static const struct {
        const char *vector;
        struct trp_response_envelope response;
    } cases[] = {
        {"response_ask_ok", {.kind = TRP_ENVELOPE_ASK, .payload = {ten, 1}}},
        {"response_tell_ok", {.kind = TRP_ENVELOPE_TELL}},
        {"response_link_ok", {.kind = TRP_ENVELOPE_LINK}},
        {"response_unlink_ok", {.kind = TRP_ENVELOPE_UNLINK}},
        {"response_signal_link_died_ok", {.kind = TRP_ENVELOPE_SIGNAL_LINK_DIED}},
        {"response_tell_err_actor_not_running",
         {.kind = TRP_ENVELOPE_TELL, .error = TRP_SEND_ACTOR_NOT_RUNNING}},
        {"response_ask_err_handler_error",
         {.kind = TRP_ENVELOPE_ASK, .error = TRP_SEND_HANDLER_ERROR, .payload = {no, 3}}},
        {"response_ask_err_unknown_message",
         {.kind = TRP_ENVELOPE_ASK,
          .error = TRP_SEND_UNKNOWN_MESSAGE,
          .actor_type = {(const uint8_t *)"A", 1},
          .message = {(const uint8_t *)"M", 1}}},
        {"response_link_err_unknown_actor",
         {.kind = TRP_ENVELOPE_LINK,
          .error = TRP_SEND_UNKNOWN_ACTOR,
          .actor_type = {(const uint8_t *)"A", 1}}},
        {"response_ask_err_deserialize_message",
         {.kind = TRP_ENVELOPE_ASK,
          .error = TRP_SEND_DESERIALIZE_MESSAGE,
          .text = {(const uint8_t *)"x", 1}}},
        {"response_outbound_failure_dial_failure",
         {.kind = TRP_ENVELOPE_OUTBOUND_FAILURE, .error = TRP_SEND_DIAL_FAILURE}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        check_response(cases[i].vector, &cases[i].response);
    }
}

/* What Kameo's own decoder takes and what it refuses. */
static void responses_are_read_as_leniently_as_by_kameo(void **state)
{
    (void)state;
    static const struct {
        const char *hex;
        enum trp_status status;
    } cases[] = {
        {"a16454656c6ca1624f6bf6", TRP_EMALFORMED},             /* null is no unit */
        {"a16341736ba1624f6b410a", TRP_EMALFORMED},             /* payload as bytes */
        {"bf6454656c6ca1624f6b80ff", TRP_EMALFORMED},           /* indefinite variant */
        {"a16341736ba1624f6b9f0aff", TRP_OK},                   /* indefinite payload */
        {"a16341736ba1624f6b9801180a", TRP_OK},                 /* longer integers */
        {"a16341736ba1624f6b9a00000001190a0a", TRP_EMALFORMED}, /* no byte */
        {"a16341736ba1624f6b9b00000000000000011b000000000000000a", TRP_OK},
        {"a16341736ba1624f6b9bffffffffffffffff", TRP_EMALFORMED},
        {"a16341736ba1624f6b9f0a", TRP_EMALFORMED},
        {"a16454656c6ca163457272a16f4163746f724e6f7452756e6e696e67f6", TRP_OK},
        {"a16454656c6ca16345727262496f", TRP_EMALFORMED}, /* Io is never sent */
        {"a16454656c6ca163457272a16c48616e646c65724572726f7280", TRP_EMALFORMED}, /* of a tell */
        {"a16454656c6ca1624f6b8101", TRP_EMALFORMED},                             /* no unit */
        {"a26454656c6ca1624f6b806341736b80", TRP_EMALFORMED},                     /* two variants */
        {"a06454656c6c", TRP_EMALFORMED},
        {"6454656c6c", TRP_EMALFORMED}, /* a variant without its value */
        {"a16454656c6c624f6b", TRP_EMALFORMED},
        {"a16454656c6ca162486980", TRP_EMALFORMED},
        {"a1644d656d6fa1624f6b80", TRP_EMALFORMED},
        {"a16f4f7574626f756e644661696c757265a1624f6b80", TRP_EMALFORMED},
        {"a1644c696e6ba163457272a16c556e6b6e6f776e4163746f72a0", TRP_EMALFORMED},
        {"a1644c696e6ba163457272a16c556e6b6e6f776e4163746f72a26178016f6163746f725f72656d6f74655f"
         "69646141",
         TRP_OK}, /* an unknown key */
        {"a1644c696e6ba163457272a16c556e6b6e6f776e4163746f72bf6f6163746f725f72656d6f74655f6964"
         "6141ff",
         TRP_OK}, /* an indefinite struct */
        {"", TRP_EMALFORMED},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t bytes[256];
        uint8_t block[256];
        struct trp_response_envelope response;
        struct trp_arena arena = trp_arena_init(block, sizeof block);
        size_t size = test_unhex(cases[i].hex, bytes, sizeof bytes);
        assert_status(trp_response_envelope_decode(trp_bytes(bytes, size), &arena, &response),
                      cases[i].status);
    }
}

/* A writer of CBOR that knows nothing of envelopes. */
struct script {
    uint8_t bytes[1024];
    size_t size;
};

static void put_head(struct script *script, uint8_t major, size_t count)
{
    assert_true(count < 256 && script->size + 2 < sizeof script->bytes);
    if (count < 24) {
        script->bytes[script->size++] = (uint8_t)((size_t)major << 5 | count);
    } else {
        script->bytes[script->size++] = (uint8_t)(major << 5 | 24);
        script->bytes[script->size++] = (uint8_t)count;
    }
}

static void put_text(struct script *script, const char *text)
{
    put_head(script, 3, strlen(text));
    memcpy(script->bytes + script->size, text, strlen(text));
    script->size += strlen(text);
}

static void put_raw(struct script *script, const char *hex)
{
    script->size +=
        test_unhex(hex, script->bytes + script->size, sizeof script->bytes - script->size);
}

static void put_actor(struct script *script, const char *key, uint64_t sequence)
{
    struct trp_actor_ref ref = actor(sequence);
    put_text(script, key);
    put_head(script, 2, 46);
    script->size += trp_actor_id_encode(&ref, script->bytes + script->size);
}

static enum trp_status decode_script(const struct script *script,
                                     struct trp_request_envelope *ret_request)
{
    static uint8_t block[1024];
    struct trp_arena arena = trp_arena_init(block, sizeof block);
    return trp_request_envelope_decode(trp_bytes(script->bytes, script->size), &arena, ret_request);
}

static void requests_are_read_in_any_order_with_unknown_keys(void **state)
{
    (void)state;
    struct script script = {.size = 0};
    put_head(&script, 5, 1);
    put_text(&script, "Tell");
    put_head(&script, 5, 8);
    put_text(&script, "immediate");
    put_raw(&script, "f5");
    put_text(&script, "extra"); /* a bit of everything */
    put_raw(&script, "9fbf6178f7ffc1fb400921fb54442d187f61616162ff3903e75f4100ffff");
    put_text(&script, "reply_timeout"); /* no field of a tell */
    put_raw(&script, "05");
    put_text(&script, "message_remote_id");
    put_text(&script, "M");
    put_actor(&script, "actor_id", 1);
    put_text(&script, "payload");
    put_raw(&script, "80");
    put_text(&script, "actor_remote_id");
    put_text(&script, "A");
    put_text(&script, "mailbox_timeout");
    put_raw(&script, "a3");
    put_text(&script, "nanos");
    put_raw(&script, "1b000000000000000a");
    put_text(&script, "more");
    put_raw(&script, "f4");
    put_text(&script, "secs");
    put_raw(&script, "01");
    struct trp_request_envelope got;
    struct trp_request_envelope want = request(TRP_ENVELOPE_TELL);
    want.payload = TRP_BYTES_NONE;
    want.immediate = true;
    want.mailbox_timeout_ns = TRP_S(1) + 10;
    assert_status(decode_script(&script, &got), TRP_OK);
    assert_requests(&got, &want);
}

/* A link as the given keys say. */
static enum trp_status decode_link(const char *id_key, const char *type_key)
{
    struct script script = {.size = 0};
    struct trp_request_envelope got;
    struct trp_request_envelope want = request(TRP_ENVELOPE_LINK);
    put_head(&script, 5, 1);
    put_text(&script, "Link");
    put_head(&script, 5, 4);
    put_actor(&script, "actor_id", 1);
    put_text(&script, "actor_remote_id");
    put_text(&script, "A");
    put_actor(&script, id_key, 2);
    put_text(&script, type_key);
    put_text(&script, "B");
    enum trp_status status = decode_script(&script, &got);
    if (status == TRP_OK) {
        assert_requests(&got, &want);
    }
    return status;
}

static void both_spellings_are_read_and_written(void **state)
{
    (void)state;
    assert_status(decode_link("sibling_id", "sibling_remote_id"), TRP_OK);
    assert_status(decode_link("sibbling_id", "sibbling_remote_id"), TRP_OK);
    assert_status(decode_link("siblling_id", "sibling_remote_id"), TRP_EMALFORMED);
    assert_status(decode_link("sibling_id", "sibling"), TRP_EMALFORMED);
    static const enum trp_envelope_kind kinds[] = {TRP_ENVELOPE_LINK, TRP_ENVELOPE_UNLINK};
    static const char *const keys[] = {"sibling_id", "sibbling_id", "sibling_remote_id",
                                       "sibbling_remote_id"};
    for (size_t i = 0; i < 2; i++) {
        struct trp_request_envelope want = request(kinds[i]);
        struct trp_request_envelope got;
        uint8_t out[ROOM];
        size_t size;
        want.both_spellings = true;
        assert_status(trp_request_envelope_encode(&want, out, sizeof out, &size), TRP_OK);
        struct trp_arena arena = trp_arena_init(NULL, 0);
        assert_status(trp_request_envelope_decode(trp_bytes(out, size), &arena, &got), TRP_OK);
        assert_requests(&got, &want);
        for (size_t k = 0; k < (kinds[i] == TRP_ENVELOPE_LINK ? 4u : 2u); k++) {
            uint8_t head = (uint8_t)(0x60u | strlen(keys[k])); /* so that sibling is not sibbling */
            bool found = false;
            for (size_t at = 0; at + 1 + strlen(keys[k]) <= size; at++) {
                found = found ||
                        (out[at] == head && memcmp(out + at + 1, keys[k], strlen(keys[k])) == 0);
            }
            assert_true(found);
        }
    }
}

/* Kameo <= 0.19: {"Panicked": text}. */
static void a_panic_is_written_as_text_alone_where_wanted(void **state)
{
    (void)state;
    struct trp_request_envelope want = request(TRP_ENVELOPE_SIGNAL_LINK_DIED);
    struct trp_request_envelope got;
    uint8_t out[ROOM];
    static const uint8_t tail[] = "\xa1\x68Panicked\x64"
                                  "boom";
    size_t size;
    want.cause = (struct trp_stop_cause){
        .root = TRP_STOP_PANICKED, .panic = TRP_PANIC_ON_MESSAGE, .text = trp_bytes_text("boom")};
    want.panic_as_text = true;
    assert_status(trp_request_envelope_encode(&want, out, sizeof out, &size), TRP_OK);
    assert_true(size > sizeof tail - 1);
    assert_memory_equal(out + size - (sizeof tail - 1), tail, sizeof tail - 1);
    struct trp_arena arena = trp_arena_init(NULL, 0);
    assert_status(trp_request_envelope_decode(trp_bytes(out, size), &arena, &got), TRP_OK);
    assert_int_equal(got.cause.root, TRP_STOP_PANICKED);
    assert_true(trp_bytes_equal(got.cause.text, want.cause.text));
}

static void fields_that_are_no_option_must_be_there(void **state)
{
    (void)state;
    static const char *const keys[] = {"actor_id", "actor_remote_id", "message_remote_id",
                                       "payload",  "immediate",       "mailbox_timeout"};
    for (size_t missing = 0; missing <= sizeof keys / sizeof keys[0]; missing++) {
        struct script script = {.size = 0};
        struct trp_request_envelope got;
        put_head(&script, 5, 1);
        put_text(&script, "Tell");
        put_head(&script, 5, missing < sizeof keys / sizeof keys[0] ? 5 : 6);
        for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
            if (i == missing) {
                continue;
            }
            if (i == 0) {
                put_actor(&script, keys[i], 1);
                continue;
            }
            put_text(&script, keys[i]);
            put_raw(&script, i == 4 ? "f4" : i == 5 ? "f6" : i == 3 ? "80" : "6141");
        }
        assert_status(decode_script(&script, &got), missing < 5 ? TRP_EMALFORMED : TRP_OK);
    }
}

/* An unlink whose actor id is `size` bytes of a good one. */
static enum trp_status decode_short_id(size_t size)
{
    struct trp_actor_ref ref = actor(1);
    uint8_t id[TRP_ACTOR_REF_BYTES_MAX];
    struct script script = {.size = 0};
    struct trp_request_envelope got;
    (void)trp_actor_id_encode(&ref, id);
    put_head(&script, 5, 1);
    put_text(&script, "Unlink");
    put_head(&script, 5, 3);
    put_text(&script, "actor_remote_id");
    put_text(&script, "A");
    put_actor(&script, "sibling_id", 2);
    put_text(&script, "actor_id");
    put_head(&script, 2, size);
    memcpy(script.bytes + script.size, id, size);
    script.size += size;
    return decode_script(&script, &got);
}

static void short_actor_ids_are_refused(void **state)
{
    (void)state;
    for (size_t size = 0; size <= 46; size++) {
        assert_status(decode_short_id(size), size == 8 || size == 46 ? TRP_OK : TRP_EMALFORMED);
    }
}

/* A death notice whose reason is LinkDied `levels` deep. */
static enum trp_status decode_chain(uint32_t levels, struct trp_request_envelope *ret_request)
{
    static uint8_t bytes[65536];
    static uint8_t block[64];
    struct trp_request_envelope outer = signal_of((struct trp_stop_cause){.root = TRP_STOP_NORMAL});
    size_t size;
    assert_status(trp_request_envelope_encode(&outer, bytes, sizeof bytes, &size), TRP_OK);
    size -= 7; /* "Normal" */
    for (uint32_t i = 0; i < levels; i++) {
        struct script script = {.size = 0};
        put_head(&script, 5, 1);
        put_text(&script, "LinkDied");
        put_head(&script, 5, 2);
        put_actor(&script, "id", i);
        put_text(&script, "reason");
        memcpy(bytes + size, script.bytes, script.size);
        size += script.size;
    }
    memcpy(bytes + size, "\x66Killed", 7);
    size += 7;
    struct trp_arena arena = trp_arena_init(block, sizeof block);
    return trp_request_envelope_decode(trp_bytes(bytes, size), &arena, ret_request);
}

static void chains_of_deaths_are_bounded(void **state)
{
    (void)state;
    struct trp_request_envelope got;
    for (uint32_t levels = 0; levels < 40; levels++) {
        enum trp_status status = decode_chain(levels, &got);
        assert_status(status, levels < TRP_ENVELOPE_DEPTH_MAX / 2 ? TRP_OK : TRP_ETOOBIG);
        if (status == TRP_OK) {
            uint32_t kept = levels < TRP_STOP_LINKS_MAX ? levels : TRP_STOP_LINKS_MAX;
            assert_int_equal(got.cause.root, TRP_STOP_KILLED);
            assert_int_equal(got.cause.links_count, kept);
            for (uint32_t i = 0; i < kept; i++) {
                assert_true(got.cause.links[i].id == trp_actor_id_of_sequence(i));
            }
        }
    }
    assert_status(decode_chain(900, &got), TRP_ETOOBIG);
}

static enum trp_status decode_reason(const struct script *reason,
                                     struct trp_request_envelope *ret_request)
{
    struct script script = {.size = 0};
    put_head(&script, 5, 1);
    put_text(&script, "SignalLinkDied");
    put_head(&script, 5, 4);
    put_actor(&script, "dead_actor_id", 2);
    put_actor(&script, "notified_actor_id", 1);
    put_text(&script, "notified_actor_remote_id");
    put_text(&script, "A");
    put_text(&script, "stop_reason");
    memcpy(script.bytes + script.size, reason->bytes, reason->size);
    script.size += reason->size;
    return decode_script(&script, ret_request);
}

static void panics_of_older_and_later_kameos_are_read(void **state)
{
    (void)state;
    struct trp_request_envelope got;
    struct script old = {.size = 0}; /* <= 0.19: the text alone */
    put_head(&old, 5, 1);
    put_text(&old, "Panicked");
    put_text(&old, "boom");
    assert_status(decode_reason(&old, &got), TRP_OK);
    assert_int_equal(got.cause.root, TRP_STOP_PANICKED);
    assert_bytes(got.cause.text, TEXT("boom"));

    struct script later = {.size = 0};
    put_head(&later, 5, 1);
    put_text(&later, "Panicked");
    put_head(&later, 5, 2);
    put_text(&later, "reason");
    put_text(&later, "OnTheMoon");
    put_text(&later, "err");
    put_text(&later, "boom");
    assert_status(decode_reason(&later, &got), TRP_OK);
    assert_int_equal(got.cause.panic, TRP_PANIC_HANDLER_PANIC);

    struct script bare = {.size = 0};
    put_text(&bare, "Panicked");
    assert_status(decode_reason(&bare, &got), TRP_EMALFORMED);
    struct script unknown = {.size = 0};
    put_text(&unknown, "Bored");
    assert_status(decode_reason(&unknown, &got), TRP_EMALFORMED);
    struct script mapped = {.size = 0};
    put_head(&mapped, 5, 1);
    put_text(&mapped, "Killed");
    put_raw(&mapped, "f6");
    assert_status(decode_reason(&mapped, &got), TRP_OK);
    assert_int_equal(got.cause.root, TRP_STOP_KILLED);
}

static void every_kind_of_panic_comes_back(void **state)
{
    (void)state;
    for (enum trp_panic panic = TRP_PANIC_HANDLER_PANIC; panic <= TRP_PANIC_NEXT; panic++) {
        struct trp_request_envelope want = signal_of((struct trp_stop_cause){
            .root = TRP_STOP_PANICKED, .panic = panic, .links_count = 1, .links = {actor(9)}});
        struct trp_request_envelope got;
        uint8_t out[ROOM];
        size_t size;
        struct trp_arena arena = trp_arena_init(NULL, 0);
        assert_status(trp_request_envelope_encode(&want, out, sizeof out, &size), TRP_OK);
        assert_status(trp_request_envelope_decode(trp_bytes(out, size), &arena, &got), TRP_OK);
        assert_requests(&got, &want);
    }
}

static void unknown_values_are_passed_over_only_so_deep(void **state)
{
    (void)state;
    for (uint32_t depth = 60; depth < 70; depth++) {
        struct script script = {.size = 0};
        struct trp_request_envelope got;
        put_head(&script, 5, 1);
        put_text(&script, "Unlink");
        put_head(&script, 5, 4);
        put_text(&script, "extra");
        for (uint32_t i = 1; i < depth; i++) {
            put_raw(&script, i % 2 == 0 ? "81" : "9f");
        }
        put_raw(&script, "00");
        for (uint32_t i = depth - 1; i >= 1; i--) {
            if (i % 2 != 0) {
                put_raw(&script, "ff");
            }
        }
        put_actor(&script, "actor_id", 1);
        put_text(&script, "actor_remote_id");
        put_text(&script, "A");
        put_actor(&script, "sibling_id", 2);
        assert_status(decode_script(&script, &got),
                      depth <= TRP_ENVELOPE_DEPTH_MAX ? TRP_OK : TRP_ETOOBIG);
    }
}

static void timeouts_saturate(void **state)
{
    (void)state;
    static const struct {
        const char *hex; /* secs and nanos */
        trp_time want;
    } cases[] = {
        {"a2647365637300656e616e6f7300", 0},
        {"a264736563731bffffffffffffffff656e616e6f7300", TRP_NEVER},
        {"a2647365637301656e616e6f731affffffff", TRP_S(1) + UINT32_MAX},
        {"a264736563731b000000044b82fa09656e616e6f731affffffff", TRP_NEVER},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct script script = {.size = 0};
        struct trp_request_envelope got;
        put_head(&script, 5, 1);
        put_text(&script, "Tell");
        put_head(&script, 5, 6);
        put_actor(&script, "actor_id", 1);
        put_text(&script, "actor_remote_id");
        put_text(&script, "A");
        put_text(&script, "message_remote_id");
        put_text(&script, "M");
        put_text(&script, "payload");
        put_raw(&script, "80");
        put_text(&script, "immediate");
        put_raw(&script, "f4");
        put_text(&script, "mailbox_timeout");
        put_raw(&script, cases[i].hex);
        assert_status(decode_script(&script, &got), TRP_OK);
        assert_true(got.mailbox_timeout_ns == cases[i].want);
    }
}

static void the_arena_bounds_the_payload(void **state)
{
    (void)state;
    uint8_t bytes[TEST_VECTOR_LINE_MAX / 2];
    uint8_t block[64];
    struct trp_request_envelope got;
    struct trp_bytes in = test_vector_bytes(FILE_NAME, "ask", bytes);
    struct trp_arena arena = trp_arena_init(block, sizeof inc - 1);
    assert_status(trp_request_envelope_decode(in, &arena, &got), TRP_ETOOBIG);
}

static void statuses_and_errors_translate(void **state)
{
    (void)state;
    for (enum trp_send_error error = TRP_SEND_OK; error <= TRP_SEND_UNSUPPORTED_PROTOCOLS;
         error++) {
        enum trp_status status = trp_send_error_status(error);
        assert_status(trp_send_error_status(trp_send_error_of(status)), status);
    }
    assert_int_equal(trp_send_error_of(TRP_OK), TRP_SEND_OK);
    assert_int_equal(trp_send_error_of(TRP_EENCODE), TRP_SEND_SERIALIZE_REPLY);
    assert_int_equal(trp_send_error_of(TRP_EDECODE), TRP_SEND_DESERIALIZE_MESSAGE);
    assert_int_equal(trp_send_error_of(TRP_ENOMEM), TRP_SEND_MAILBOX_FULL);
    assert_int_equal(trp_send_error_of(TRP_ECANCELLED), TRP_SEND_ACTOR_STOPPED);
    assert_int_equal(trp_send_error_of(TRP_EAUTH), TRP_SEND_SERIALIZE_REPLY);
    /* No status is left without an error that can be sent. */
#define EACH(name, value, class_, text)                                                            \
    assert_true((TRP_##name == TRP_OK) == (trp_send_error_of(TRP_##name) == TRP_SEND_OK));
    TRP_STATUS_MAP(EACH)
#undef EACH
    uint8_t out[64];
    size_t size;
    struct trp_response_envelope response = {.kind = TRP_ENVELOPE_TELL,
                                             .error = TRP_SEND_HANDLER_ERROR};
    assert_status(trp_response_envelope_encode(&response, out, sizeof out, &size), TRP_EINVAL);
    response = (struct trp_response_envelope){.kind = TRP_ENVELOPE_OUTBOUND_FAILURE};
    assert_status(trp_response_envelope_encode(&response, out, sizeof out, &size), TRP_EINVAL);
    struct trp_request_envelope bad = {.kind = TRP_ENVELOPE_OUTBOUND_FAILURE};
    assert_status(trp_request_envelope_encode(&bad, out, sizeof out, &size), TRP_EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests_match_kameo),
        cmocka_unit_test(stop_reasons_match_kameo),
        cmocka_unit_test(responses_match_kameo),
        cmocka_unit_test(responses_are_read_as_leniently_as_by_kameo),
        cmocka_unit_test(requests_are_read_in_any_order_with_unknown_keys),
        cmocka_unit_test(both_spellings_are_read_and_written),
        cmocka_unit_test(a_panic_is_written_as_text_alone_where_wanted),
        cmocka_unit_test(fields_that_are_no_option_must_be_there),
        cmocka_unit_test(short_actor_ids_are_refused),
        cmocka_unit_test(chains_of_deaths_are_bounded),
        cmocka_unit_test(panics_of_older_and_later_kameos_are_read),
        cmocka_unit_test(every_kind_of_panic_comes_back),
        cmocka_unit_test(unknown_values_are_passed_over_only_so_deep),
        cmocka_unit_test(timeouts_saturate),
        cmocka_unit_test(the_arena_bounds_the_payload),
        cmocka_unit_test(statuses_and_errors_translate),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
