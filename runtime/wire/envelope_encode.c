/* SPDX-License-Identifier: MIT */
#include "wire/actor_id.h"
#include "wire/envelope.h"
#include "wire/envelope_names.h"
#include "wire/writer.h"

#include <cbor.h>

#define NS_PER_S UINT64_C(1000000000)

/* ---- values ---- */

/* Notes what a cbor_encode_* call wrote; it writes nothing where it does not fit. */
static void wrote(struct trp_writer *out, size_t size)
{
    out->overflow = out->overflow || size == 0;
    out->size += size;
}

/* The rest of the output; none once something did not fit. */
static size_t room(const struct trp_writer *out)
{
    return out->overflow ? 0 : out->room - out->size;
}

static void write_text(struct trp_writer *out, struct trp_bytes text)
{
    wrote(out, cbor_encode_string_start(text.size, out->out + out->size, room(out)));
    trp_writer_put(out, text);
}

static void write_name(struct trp_writer *out, const char *name)
{
    write_text(out, trp_bytes_text(name));
}

static void write_map(struct trp_writer *out, size_t count)
{
    wrote(out, cbor_encode_map_start(count, out->out + out->size, room(out)));
}

static void write_array(struct trp_writer *out, size_t count)
{
    wrote(out, cbor_encode_array_start(count, out->out + out->size, room(out)));
}

static void write_number(struct trp_writer *out, uint64_t number)
{
    wrote(out, cbor_encode_uint(number, out->out + out->size, room(out)));
}

static void write_bool(struct trp_writer *out, bool value)
{
    wrote(out, cbor_encode_bool(value, out->out + out->size, room(out)));
}

/* An enum's variant with a value, which follows. */
static void write_variant(struct trp_writer *out, const char *name)
{
    write_map(out, 1);
    write_name(out, name);
}

static void write_actor(struct trp_writer *out, const struct trp_actor_ref *ref)
{
    uint8_t bytes[TRP_ACTOR_REF_BYTES_MAX];
    size_t size = trp_actor_id_encode(ref, bytes);
    wrote(out, cbor_encode_bytestring_start(size, out->out + out->size, room(out)));
    trp_writer_put(out, trp_bytes(bytes, size));
}

/* Bytes as an array of integers. By hand: a large payload is most of a message. */
static void write_payload(struct trp_writer *out, struct trp_bytes payload)
{
    write_array(out, payload.size);
    size_t size = payload.size;
    for (size_t i = 0; i < payload.size; i++) {
        size += payload.data[i] >= 0x18;
    }
    uint8_t *at = size == 0 ? NULL : trp_writer_reserve(out, size);
    for (size_t i = 0; at != NULL && i < payload.size; i++) {
        if (payload.data[i] >= 0x18) {
            *at++ = 0x18;
        }
        *at++ = payload.data[i];
    }
}

static void write_timeout(struct trp_writer *out, trp_time timeout_ns)
{
    if (timeout_ns == TRP_NEVER) {
        wrote(out, cbor_encode_null(out->out + out->size, room(out)));
        return;
    }
    write_map(out, 2);
    write_name(out, "secs");
    write_number(out, timeout_ns / NS_PER_S);
    write_name(out, "nanos");
    write_number(out, timeout_ns % NS_PER_S);
}

static void write_cause(struct trp_writer *out, const struct trp_stop_cause *cause,
                        bool panic_as_text)
{
    uint32_t links =
        cause->links_count < TRP_STOP_LINKS_MAX ? cause->links_count : TRP_STOP_LINKS_MAX;
    for (uint32_t i = 0; i < links; i++) {
        write_variant(out, trp_stop_reason_name(TRP_STOP_LINK_DIED));
        write_map(out, 2);
        write_name(out, "id");
        write_actor(out, &cause->links[i]);
        write_name(out, "reason");
    }
    if (cause->root != TRP_STOP_PANICKED) {
        write_name(out, trp_stop_reason_name(cause->root));
        return;
    }
    write_variant(out, trp_stop_reason_name(TRP_STOP_PANICKED));
    if (panic_as_text) {
        write_text(out, cause->text);
        return;
    }
    write_map(out, 2);
    write_name(out, "err");
    write_text(out, cause->text);
    write_name(out, "reason");
    write_name(out, trp_panic_name(cause->panic));
}

/* ---- requests ---- */

static void write_message(struct trp_writer *out, const struct trp_request_envelope *request)
{
    bool ask = request->kind == TRP_ENVELOPE_ASK;
    write_map(out, ask ? 7 : 6);
    write_name(out, "actor_id");
    write_actor(out, &request->actor);
    write_name(out, "actor_remote_id");
    write_text(out, request->actor_type);
    write_name(out, "message_remote_id");
    write_text(out, request->message);
    write_name(out, "payload");
    write_payload(out, request->payload);
    write_name(out, "mailbox_timeout");
    write_timeout(out, request->mailbox_timeout_ns);
    if (ask) {
        write_name(out, "reply_timeout");
        write_timeout(out, request->reply_timeout_ns);
    }
    write_name(out, "immediate");
    write_bool(out, request->immediate);
}

static void write_link(struct trp_writer *out, const struct trp_request_envelope *request)
{
    bool link = request->kind == TRP_ENVELOPE_LINK;
    size_t of_sibling = link ? 2 : 1;
    write_map(out, 2 + of_sibling * (request->both_spellings ? 2 : 1));
    write_name(out, "actor_id");
    write_actor(out, &request->actor);
    write_name(out, "actor_remote_id");
    write_text(out, request->actor_type);
    write_name(out, "sibling_id");
    write_actor(out, &request->other);
    if (link) {
        write_name(out, "sibling_remote_id");
        write_text(out, request->other_type);
    }
    if (request->both_spellings) {
        write_name(out, "sibbling_id");
        write_actor(out, &request->other);
    }
    if (request->both_spellings && link) {
        write_name(out, "sibbling_remote_id");
        write_text(out, request->other_type);
    }
}

static void write_signal(struct trp_writer *out, const struct trp_request_envelope *request)
{
    write_map(out, 4);
    write_name(out, "dead_actor_id");
    write_actor(out, &request->other);
    write_name(out, "notified_actor_id");
    write_actor(out, &request->actor);
    write_name(out, "notified_actor_remote_id");
    write_text(out, request->actor_type);
    write_name(out, "stop_reason");
    write_cause(out, &request->cause, request->panic_as_text);
}

enum trp_status trp_request_envelope_encode(const struct trp_request_envelope *request,
                                            uint8_t *out, size_t room_bytes, size_t *ret_size)
{
    struct trp_writer writer = trp_writer_init(out, room_bytes);
    write_variant(&writer, trp_envelope_kind_name(request->kind));
    switch (request->kind) {
    case TRP_ENVELOPE_ASK:
    case TRP_ENVELOPE_TELL:
        write_message(&writer, request);
        break;
    case TRP_ENVELOPE_LINK:
    case TRP_ENVELOPE_UNLINK:
        write_link(&writer, request);
        break;
    case TRP_ENVELOPE_SIGNAL_LINK_DIED:
        write_signal(&writer, request);
        break;
    case TRP_ENVELOPE_OUTBOUND_FAILURE:
        return TRP_EINVAL;
    }
    return trp_writer_end(&writer, ret_size);
}

/* ---- responses ---- */

static void write_error(struct trp_writer *out, const struct trp_response_envelope *response)
{
    const char *name = trp_send_error_name(response->error);
    enum trp_send_content content = trp_send_error_content(response->error);
    if (content == TRP_SEND_CONTENT_UNIT) {
        write_name(out, name);
        return;
    }
    write_variant(out, name);
    switch (content) {
    case TRP_SEND_CONTENT_TYPE:
    case TRP_SEND_CONTENT_MESSAGE:
        write_map(out, content == TRP_SEND_CONTENT_MESSAGE ? 2 : 1);
        write_name(out, "actor_remote_id");
        write_text(out, response->actor_type);
        if (content == TRP_SEND_CONTENT_MESSAGE) {
            write_name(out, "message_remote_id");
            write_text(out, response->message);
        }
        break;
    case TRP_SEND_CONTENT_PAYLOAD:
        write_payload(out, response->payload);
        break;
    case TRP_SEND_CONTENT_TEXT:
        write_text(out, response->text);
        break;
    case TRP_SEND_CONTENT_UNIT:
        break;
    }
}

/* Kameo cannot say an error of a handler but in answer to an ask, nor a failure without an error.
 */
static bool can_be_said(const struct trp_response_envelope *response)
{
    if (response->kind == TRP_ENVELOPE_OUTBOUND_FAILURE && response->error == TRP_SEND_OK) {
        return false;
    }
    return response->kind == TRP_ENVELOPE_ASK || response->error != TRP_SEND_HANDLER_ERROR;
}

enum trp_status trp_response_envelope_encode(const struct trp_response_envelope *response,
                                             uint8_t *out, size_t room_bytes, size_t *ret_size)
{
    if (!can_be_said(response)) {
        return TRP_EINVAL;
    }
    struct trp_writer writer = trp_writer_init(out, room_bytes);
    write_variant(&writer, trp_envelope_kind_name(response->kind));
    if (response->kind == TRP_ENVELOPE_OUTBOUND_FAILURE) {
        write_error(&writer, response);
    } else if (response->error != TRP_SEND_OK) {
        write_variant(&writer, "Err");
        write_error(&writer, response);
    } else {
        write_variant(&writer, "Ok");
        if (response->kind == TRP_ENVELOPE_ASK) {
            write_payload(&writer, response->payload);
        } else {
            write_array(&writer, 0); /* () */
        }
    }
    return trp_writer_end(&writer, ret_size);
}
