/* SPDX-License-Identifier: MIT */
#include "base/assert.h"
#include "wire/actor_id.h"
#include "wire/cbor_reader.h"
#include "wire/envelope.h"
#include "wire/envelope_names.h"

#define NS_PER_S UINT64_C(1000000000)

struct decoder {
    struct trp_cbor_reader reader;
    struct trp_arena *arena;
};

/* ---- values ---- */

/* The variant of an enum: a text, or the key of a map of exactly one, whose value follows. */
struct variant {
    struct trp_bytes name;
    bool has_value;
};

static enum trp_status read_variant(struct decoder *decoder, struct variant *ret_variant)
{
    struct trp_cbor_item item;
    enum trp_status status = trp_cbor_next(&decoder->reader, &item);
    if (status != TRP_OK) {
        return status;
    }
    if (item.kind == TRP_CBOR_TEXT && !item.indefinite) {
        *ret_variant = (struct variant){.name = item.bytes};
        return TRP_OK;
    }
    if (item.kind != TRP_CBOR_MAP || item.indefinite || item.number != 1) {
        return TRP_EMALFORMED;
    }
    ret_variant->has_value = true;
    return trp_cbor_text(&decoder->reader, &ret_variant->name);
}

/* What a unit variant may have for a value: nothing, or a null. */
static enum trp_status read_no_value(struct decoder *decoder, const struct variant *variant)
{
    struct trp_cbor_item item;
    return variant->has_value ? trp_cbor_expect(&decoder->reader, TRP_CBOR_NULL, &item) : TRP_OK;
}

/* `()`: an empty array. */
static enum trp_status read_unit(struct decoder *decoder)
{
    struct trp_cbor_item item;
    enum trp_status status = trp_cbor_expect(&decoder->reader, TRP_CBOR_ARRAY, &item);
    return status == TRP_OK && item.number != 0 ? TRP_EMALFORMED : status;
}

static enum trp_status read_number(struct decoder *decoder, uint64_t max, uint64_t *ret_number)
{
    struct trp_cbor_item item;
    enum trp_status status = trp_cbor_expect(&decoder->reader, TRP_CBOR_UNSIGNED, &item);
    if (status == TRP_OK && item.number > max) {
        return TRP_EMALFORMED;
    }
    if (status == TRP_OK) {
        *ret_number = item.number;
    }
    return status;
}

static enum trp_status read_actor(struct decoder *decoder, struct trp_actor_ref *ret_ref)
{
    struct trp_cbor_item item;
    enum trp_status status = trp_cbor_expect(&decoder->reader, TRP_CBOR_BYTES, &item);
    return status == TRP_OK ? trp_actor_id_decode(item.bytes, ret_ref) : status;
}

/* Reads one byte of a payload. Nearly all are one or two bytes of CBOR, read here without the way
 * through libcbor: a large payload is most of a message. */
static enum trp_status read_payload_byte(struct decoder *decoder, uint8_t *ret_byte)
{
    struct trp_cbor_reader *reader = &decoder->reader;
    const uint8_t *at = reader->in.data + reader->at;
    size_t left = reader->in.size - reader->at;
    uint64_t number = 0;
    if (left > 0 && at[0] < 0x18) {
        *ret_byte = at[0];
        reader->at += 1;
        return TRP_OK;
    }
    if (left > 1 && at[0] == 0x18) {
        *ret_byte = at[1];
        reader->at += 2;
        return TRP_OK;
    }
    enum trp_status status = read_number(decoder, UINT8_MAX, &number);
    if (status == TRP_OK) {
        *ret_byte = (uint8_t)number;
    }
    return status;
}

/* Bytes as an array of integers. */
static enum trp_status read_payload(struct decoder *decoder, struct trp_bytes *ret_payload)
{
    struct trp_cbor_reader *reader = &decoder->reader;
    struct trp_cbor_item item;
    enum trp_status status = trp_cbor_next(reader, &item);
    if (status != TRP_OK) {
        return status;
    }
    size_t left = reader->in.size - reader->at;
    if (item.kind != TRP_CBOR_ARRAY || item.number > left) {
        return TRP_EMALFORMED;
    }
    size_t room = item.indefinite ? left : (size_t)item.number;
    uint8_t *bytes = trp_arena_alloc(decoder->arena, room);
    if (bytes == NULL) {
        return TRP_ETOOBIG;
    }
    size_t size = 0;
    while (item.indefinite ? trp_cbor_peek(reader) != TRP_CBOR_BREAK : size < room) {
        status = read_payload_byte(decoder, &bytes[size]);
        if (status != TRP_OK) {
            return status;
        }
        size++;
        TRP_ASSERT(size <= room);
    }
    if (item.indefinite) {
        status = trp_cbor_next(reader, &item); /* the break */
        decoder->arena->used -= room - size;
    }
    *ret_payload = trp_bytes(bytes, size);
    return status;
}

/* Option<Duration>: null, or {"secs": u64, "nanos": u32}. */
static enum trp_status read_timeout(struct decoder *decoder, trp_time *ret_timeout_ns)
{
    struct trp_cbor_item item;
    if (trp_cbor_peek(&decoder->reader) == TRP_CBOR_NULL) {
        *ret_timeout_ns = TRP_NEVER;
        return trp_cbor_next(&decoder->reader, &item);
    }
    uint64_t seconds = 0;
    uint64_t nanoseconds = 0;
    bool has_seconds = false;
    bool has_nanoseconds = false;
    struct trp_cbor_struct walk;
    struct trp_bytes key;
    enum trp_status status = trp_cbor_struct_enter(&decoder->reader, &walk);
    while (status == TRP_OK) {
        status = trp_cbor_struct_next(&decoder->reader, &walk, &key);
        if (status != TRP_OK || key.size == 0) {
            break;
        }
        if (trp_bytes_equal(key, trp_bytes_text("secs"))) {
            status = read_number(decoder, UINT64_MAX, &seconds);
            has_seconds = true;
        } else if (trp_bytes_equal(key, trp_bytes_text("nanos"))) {
            status = read_number(decoder, UINT32_MAX, &nanoseconds);
            has_nanoseconds = true;
        } else {
            status = trp_cbor_skip(&decoder->reader, TRP_ENVELOPE_DEPTH_MAX);
        }
    }
    if (status != TRP_OK || !has_seconds || !has_nanoseconds) {
        return status == TRP_OK ? TRP_EMALFORMED : status;
    }
    *ret_timeout_ns = seconds >= TRP_NEVER / NS_PER_S - 4
                          ? TRP_NEVER
                          : seconds * NS_PER_S + nanoseconds; /* nanoseconds < 4.3 s */
    return TRP_OK;
}

/* ---- why an actor stopped ---- */

/* {"err": text, "reason": variant}; Kameo <= 0.19 wrote the text alone. */
static enum trp_status read_panic(struct decoder *decoder, struct trp_stop_cause *cause)
{
    if (trp_cbor_peek(&decoder->reader) == TRP_CBOR_TEXT) {
        return trp_cbor_text(&decoder->reader, &cause->text);
    }
    bool has_text = false;
    struct trp_cbor_struct walk;
    struct trp_bytes key;
    enum trp_status status = trp_cbor_struct_enter(&decoder->reader, &walk);
    while (status == TRP_OK) {
        status = trp_cbor_struct_next(&decoder->reader, &walk, &key);
        if (status != TRP_OK || key.size == 0) {
            break;
        }
        if (trp_bytes_equal(key, trp_bytes_text("err"))) {
            status = trp_cbor_text(&decoder->reader, &cause->text);
            has_text = true;
        } else if (trp_bytes_equal(key, trp_bytes_text("reason"))) {
            struct variant variant = {.has_value = false};
            status = read_variant(decoder, &variant);
            /* A kind that a later Kameo invents is no reason to lose the notice of a death. */
            cause->panic = trp_panic_by_name(variant.name);
            status = status == TRP_OK ? read_no_value(decoder, &variant) : status;
        } else {
            status = trp_cbor_skip(&decoder->reader, TRP_ENVELOPE_DEPTH_MAX);
        }
    }
    return status == TRP_OK && !has_text ? TRP_EMALFORMED : status;
}

static enum trp_status read_cause(struct decoder *decoder, uint32_t level,
                                  struct trp_stop_cause *cause);

/* {"id": bytes, "reason": the reason of that actor's end} */
static enum trp_status read_link_died(struct decoder *decoder, uint32_t level,
                                      struct trp_stop_cause *cause)
{
    struct trp_actor_ref actor = {.id = 0};
    bool has_actor = false;
    bool has_reason = false;
    struct trp_cbor_struct walk;
    struct trp_bytes key;
    enum trp_status status = trp_cbor_struct_enter(&decoder->reader, &walk);
    while (status == TRP_OK) {
        status = trp_cbor_struct_next(&decoder->reader, &walk, &key);
        if (status != TRP_OK || key.size == 0) {
            break;
        }
        if (trp_bytes_equal(key, trp_bytes_text("id"))) {
            status = read_actor(decoder, &actor);
            has_actor = true;
        } else if (trp_bytes_equal(key, trp_bytes_text("reason"))) {
            status = read_cause(decoder, level + 1, cause);
            has_reason = true;
        } else {
            status = trp_cbor_skip(&decoder->reader, TRP_ENVELOPE_DEPTH_MAX);
        }
    }
    if (status != TRP_OK || !has_actor || !has_reason) {
        return status == TRP_OK ? TRP_EMALFORMED : status;
    }
    if (level < TRP_STOP_LINKS_MAX) {
        cause->links[level] = actor;
        cause->links_count = cause->links_count > level ? cause->links_count : level + 1;
    }
    return TRP_OK;
}

static enum trp_status read_cause(struct decoder *decoder, uint32_t level,
                                  struct trp_stop_cause *cause)
{
    struct variant variant = {.has_value = false};
    enum trp_stop_reason reason;
    if (level >= TRP_ENVELOPE_DEPTH_MAX / 2) { /* a level is two maps */
        return TRP_ETOOBIG;
    }
    enum trp_status status = read_variant(decoder, &variant);
    if (status != TRP_OK) {
        return status;
    }
    if (!trp_stop_reason_by_name(variant.name, &reason)) {
        return TRP_EMALFORMED;
    }
    if (reason != TRP_STOP_LINK_DIED) {
        cause->root = reason;
    }
    if (reason != TRP_STOP_LINK_DIED && reason != TRP_STOP_PANICKED) {
        return read_no_value(decoder, &variant);
    }
    if (!variant.has_value) {
        return TRP_EMALFORMED;
    }
    return reason == TRP_STOP_PANICKED ? read_panic(decoder, cause)
                                       : read_link_died(decoder, level, cause);
}

/* ---- requests ---- */

enum field {
    FIELD_ACTOR = 1u << 0,
    FIELD_ACTOR_TYPE = 1u << 1,
    FIELD_MESSAGE = 1u << 2,
    FIELD_PAYLOAD = 1u << 3,
    FIELD_MAILBOX_TIMEOUT = 1u << 4,
    FIELD_REPLY_TIMEOUT = 1u << 5,
    FIELD_IMMEDIATE = 1u << 6,
    FIELD_OTHER = 1u << 7,
    FIELD_OTHER_TYPE = 1u << 8,
    FIELD_CAUSE = 1u << 9
};

#define KIND(kind)    (1u << TRP_ENVELOPE_##kind)
#define KIND_MESSAGES (KIND(ASK) | KIND(TELL))
#define KIND_LINKS    (KIND(LINK) | KIND(UNLINK))

static const struct {
    const char *key;
    uint32_t kinds; /* variants that have it */
    enum field field;
} fields[] = {
    {"actor_id", KIND_MESSAGES | KIND_LINKS, FIELD_ACTOR},
    {"actor_remote_id", KIND_MESSAGES | KIND_LINKS, FIELD_ACTOR_TYPE},
    {"message_remote_id", KIND_MESSAGES, FIELD_MESSAGE},
    {"payload", KIND_MESSAGES, FIELD_PAYLOAD},
    {"mailbox_timeout", KIND_MESSAGES, FIELD_MAILBOX_TIMEOUT},
    {"reply_timeout", KIND(ASK), FIELD_REPLY_TIMEOUT},
    {"immediate", KIND_MESSAGES, FIELD_IMMEDIATE},
    {"sibling_id", KIND_LINKS, FIELD_OTHER},
    {"sibbling_id", KIND_LINKS, FIELD_OTHER},
    {"sibling_remote_id", KIND(LINK), FIELD_OTHER_TYPE},
    {"sibbling_remote_id", KIND(LINK), FIELD_OTHER_TYPE},
    {"dead_actor_id", KIND(SIGNAL_LINK_DIED), FIELD_OTHER},
    {"notified_actor_id", KIND(SIGNAL_LINK_DIED), FIELD_ACTOR},
    {"notified_actor_remote_id", KIND(SIGNAL_LINK_DIED), FIELD_ACTOR_TYPE},
    {"stop_reason", KIND(SIGNAL_LINK_DIED), FIELD_CAUSE},
};

/* An Option may be missing, anything else may not. */
static const uint32_t required[] = {
    [TRP_ENVELOPE_ASK] =
        FIELD_ACTOR | FIELD_ACTOR_TYPE | FIELD_MESSAGE | FIELD_PAYLOAD | FIELD_IMMEDIATE,
    [TRP_ENVELOPE_TELL] =
        FIELD_ACTOR | FIELD_ACTOR_TYPE | FIELD_MESSAGE | FIELD_PAYLOAD | FIELD_IMMEDIATE,
    [TRP_ENVELOPE_LINK] = FIELD_ACTOR | FIELD_ACTOR_TYPE | FIELD_OTHER | FIELD_OTHER_TYPE,
    [TRP_ENVELOPE_UNLINK] = FIELD_ACTOR | FIELD_ACTOR_TYPE | FIELD_OTHER,
    [TRP_ENVELOPE_SIGNAL_LINK_DIED] = FIELD_ACTOR | FIELD_ACTOR_TYPE | FIELD_OTHER | FIELD_CAUSE,
};

static enum trp_status read_field(struct decoder *decoder, enum field field,
                                  struct trp_request_envelope *request)
{
    struct trp_cbor_item item;
    enum trp_status status;
    switch (field) {
    case FIELD_ACTOR:
        return read_actor(decoder, &request->actor);
    case FIELD_ACTOR_TYPE:
        return trp_cbor_text(&decoder->reader, &request->actor_type);
    case FIELD_MESSAGE:
        return trp_cbor_text(&decoder->reader, &request->message);
    case FIELD_PAYLOAD:
        return read_payload(decoder, &request->payload);
    case FIELD_MAILBOX_TIMEOUT:
        return read_timeout(decoder, &request->mailbox_timeout_ns);
    case FIELD_REPLY_TIMEOUT:
        return read_timeout(decoder, &request->reply_timeout_ns);
    case FIELD_IMMEDIATE:
        status = trp_cbor_expect(&decoder->reader, TRP_CBOR_BOOL, &item);
        request->immediate = status == TRP_OK && item.number != 0;
        return status;
    case FIELD_OTHER:
        return read_actor(decoder, &request->other);
    case FIELD_OTHER_TYPE:
        return trp_cbor_text(&decoder->reader, &request->other_type);
    case FIELD_CAUSE:
        request->cause = (struct trp_stop_cause){.links_count = 0};
        return read_cause(decoder, 0, &request->cause);
    }
    return TRP_EMALFORMED;
}

/* Reads the value of a key, or passes over it where the variant has no such field. */
static enum trp_status read_key(struct decoder *decoder, struct trp_bytes key,
                                struct trp_request_envelope *request, uint32_t *seen)
{
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        if ((fields[i].kinds & 1u << request->kind) != 0 &&
            trp_bytes_equal(trp_bytes_text(fields[i].key), key)) {
            *seen |= fields[i].field;
            return read_field(decoder, fields[i].field, request);
        }
    }
    return trp_cbor_skip(&decoder->reader, TRP_ENVELOPE_DEPTH_MAX);
}

enum trp_status trp_request_envelope_decode(struct trp_bytes in, struct trp_arena *arena,
                                            struct trp_request_envelope *ret_request)
{
    struct decoder decoder = {.reader = {.in = in}, .arena = arena};
    struct trp_request_envelope request = {.mailbox_timeout_ns = TRP_NEVER,
                                           .reply_timeout_ns = TRP_NEVER};
    struct variant variant = {.has_value = false};
    struct trp_cbor_struct walk;
    struct trp_bytes key;
    uint32_t seen = 0;
    enum trp_status status = read_variant(&decoder, &variant);
    if (status == TRP_OK &&
        (!variant.has_value || !trp_envelope_kind_by_name(variant.name, &request.kind) ||
         request.kind == TRP_ENVELOPE_OUTBOUND_FAILURE)) {
        status = TRP_EMALFORMED;
    }
    if (status == TRP_OK) {
        status = trp_cbor_struct_enter(&decoder.reader, &walk);
    }
    while (status == TRP_OK) {
        status = trp_cbor_struct_next(&decoder.reader, &walk, &key);
        if (status != TRP_OK || key.size == 0) {
            break;
        }
        status = read_key(&decoder, key, &request, &seen);
    }
    if (status != TRP_OK) {
        return status;
    }
    if ((seen & required[request.kind]) != required[request.kind]) {
        return TRP_EMALFORMED;
    }
    *ret_request = request;
    return TRP_OK;
}

/* ---- responses ---- */

/* {"actor_remote_id": text, "message_remote_id": text}; the latter only where `needs_message`. */
static enum trp_status read_ids(struct decoder *decoder, bool needs_message,
                                struct trp_response_envelope *response)
{
    bool has_type = false;
    bool has_message = false;
    struct trp_cbor_struct walk;
    struct trp_bytes key;
    enum trp_status status = trp_cbor_struct_enter(&decoder->reader, &walk);
    while (status == TRP_OK) {
        status = trp_cbor_struct_next(&decoder->reader, &walk, &key);
        if (status != TRP_OK || key.size == 0) {
            break;
        }
        if (trp_bytes_equal(key, trp_bytes_text("actor_remote_id"))) {
            status = trp_cbor_text(&decoder->reader, &response->actor_type);
            has_type = true;
        } else if (needs_message && trp_bytes_equal(key, trp_bytes_text("message_remote_id"))) {
            status = trp_cbor_text(&decoder->reader, &response->message);
            has_message = true;
        } else {
            status = trp_cbor_skip(&decoder->reader, TRP_ENVELOPE_DEPTH_MAX);
        }
    }
    return status == TRP_OK && (!has_type || has_message != needs_message) ? TRP_EMALFORMED
                                                                           : status;
}

/* RemoteSendError. */
static enum trp_status read_error(struct decoder *decoder, struct trp_response_envelope *response)
{
    struct variant variant = {.has_value = false};
    enum trp_status status = read_variant(decoder, &variant);
    if (status != TRP_OK) {
        return status;
    }
    response->error = trp_send_error_by_name(variant.name);
    if (response->error == TRP_SEND_OK) {
        return TRP_EMALFORMED;
    }
    enum trp_send_content content = trp_send_error_content(response->error);
    if (content == TRP_SEND_CONTENT_UNIT) {
        return read_no_value(decoder, &variant);
    }
    if (!variant.has_value) {
        return TRP_EMALFORMED;
    }
    switch (content) {
    case TRP_SEND_CONTENT_TYPE:
        return read_ids(decoder, false, response);
    case TRP_SEND_CONTENT_MESSAGE:
        return read_ids(decoder, true, response);
    case TRP_SEND_CONTENT_PAYLOAD: /* only asks have errors of a handler */
        return response->kind == TRP_ENVELOPE_ASK ? read_payload(decoder, &response->payload)
                                                  : TRP_EMALFORMED;
    case TRP_SEND_CONTENT_TEXT:
        return trp_cbor_text(&decoder->reader, &response->text);
    case TRP_SEND_CONTENT_UNIT:
        break;
    }
    return TRP_EMALFORMED;
}

/* Result<payload or (), RemoteSendError>. */
static enum trp_status read_result(struct decoder *decoder, struct trp_response_envelope *response)
{
    struct variant variant = {.has_value = false};
    enum trp_status status = read_variant(decoder, &variant);
    if (status != TRP_OK) {
        return status;
    }
    if (!variant.has_value) {
        return TRP_EMALFORMED;
    }
    if (trp_bytes_equal(variant.name, trp_bytes_text("Err"))) {
        return read_error(decoder, response);
    }
    if (!trp_bytes_equal(variant.name, trp_bytes_text("Ok"))) {
        return TRP_EMALFORMED;
    }
    return response->kind == TRP_ENVELOPE_ASK ? read_payload(decoder, &response->payload)
                                              : read_unit(decoder);
}

enum trp_status trp_response_envelope_decode(struct trp_bytes in, struct trp_arena *arena,
                                             struct trp_response_envelope *ret_response)
{
    struct decoder decoder = {.reader = {.in = in}, .arena = arena};
    struct trp_response_envelope response = {.error = TRP_SEND_OK};
    struct variant variant = {.has_value = false};
    enum trp_status status = read_variant(&decoder, &variant);
    if (status == TRP_OK &&
        (!variant.has_value || !trp_envelope_kind_by_name(variant.name, &response.kind))) {
        status = TRP_EMALFORMED;
    }
    if (status == TRP_OK) {
        status = response.kind == TRP_ENVELOPE_OUTBOUND_FAILURE ? read_error(&decoder, &response)
                                                                : read_result(&decoder, &response);
    }
    if (status == TRP_OK) {
        *ret_response = response;
    }
    return status;
}
