/* SPDX-License-Identifier: MIT */
#include "wire/channel_frame.h"

#include "base/endian.h"
#include "wire/actor_id.h"
#include "wire/uvarint.h"

#define KIND_MASK       0x0fu
#define FLAG_IMMEDIATE  0x10u
#define FLAG_MAILBOX    0x20u
#define FLAG_REPLY      0x40u
#define SEQUENCE_BYTES  8u
#define SIZE_BYTES_ROOM 5u /* of the size before a frame, while the frame is being written */

/* ---- what each kind has ---- */

static bool has_request(enum trp_channel_frame_kind kind)
{
    return kind >= TRP_CHANNEL_TELL_ACK;
}

static bool is_message(enum trp_channel_frame_kind kind)
{
    return kind == TRP_CHANNEL_TELL || kind == TRP_CHANNEL_TELL_ACK || kind == TRP_CHANNEL_ASK;
}

static bool has_payload(enum trp_channel_frame_kind kind)
{
    return is_message(kind) || kind == TRP_CHANNEL_REPLY || kind == TRP_CHANNEL_ERROR;
}

static uint32_t flags_of(const struct trp_channel_frame *frame)
{
    if (!is_message(frame->kind)) {
        return 0;
    }
    bool replies = frame->kind == TRP_CHANNEL_ASK && frame->reply_timeout_ns != TRP_NEVER;
    return (frame->immediate ? FLAG_IMMEDIATE : 0u) |
           (frame->mailbox_timeout_ns != TRP_NEVER ? FLAG_MAILBOX : 0u) |
           (replies ? FLAG_REPLY : 0u);
}

static bool flags_fit(enum trp_channel_frame_kind kind, uint32_t flags)
{
    uint32_t allowed = is_message(kind) ? FLAG_IMMEDIATE | FLAG_MAILBOX : 0u;
    allowed |= kind == TRP_CHANNEL_ASK ? FLAG_REPLY : 0u;
    return (flags & ~allowed) == 0;
}

/* ---- writing ---- */

static uint8_t *put_bytes(uint8_t *at, struct trp_bytes bytes)
{
    if (bytes.size > 0) {
        memcpy(at, bytes.data, bytes.size);
    }
    return at + bytes.size;
}

static uint8_t *put_text(uint8_t *at, struct trp_bytes text)
{
    at += trp_varint_encode(text.size, at);
    return put_bytes(at, text);
}

static uint8_t *put_message(uint8_t *at, const struct trp_channel_frame *frame, uint32_t flags)
{
    at += trp_varint_encode(frame->number, at);
    trp_store_le64(at, trp_actor_sequence(frame->actor));
    at += SEQUENCE_BYTES;
    if ((flags & FLAG_MAILBOX) != 0) {
        at += trp_varint_encode(frame->mailbox_timeout_ns, at);
    }
    if ((flags & FLAG_REPLY) != 0) {
        at += trp_varint_encode(frame->reply_timeout_ns, at);
    }
    return at;
}

/* Writes what follows the size, but for the payload. */
static uint8_t *put_header(uint8_t *at, const struct trp_channel_frame *frame)
{
    uint32_t flags = flags_of(frame);
    *at++ = (uint8_t)((uint32_t)frame->kind | flags);
    if (has_request(frame->kind)) {
        at += trp_varint_encode(frame->request, at);
    }
    switch (frame->kind) {
    case TRP_CHANNEL_HELLO:
        return at + trp_varint_encode(frame->number, at);
    case TRP_CHANNEL_PAIR:
        at += trp_varint_encode(frame->number, at);
        at = put_text(at, frame->actor_type);
        return put_bytes(at, frame->message);
    case TRP_CHANNEL_TELL:
    case TRP_CHANNEL_TELL_ACK:
    case TRP_CHANNEL_ASK:
        return put_message(at, frame, flags);
    case TRP_CHANNEL_ERROR:
        *at++ = (uint8_t)frame->error;
        at = put_text(at, frame->actor_type);
        return put_text(at, frame->message);
    case TRP_CHANNEL_REPLY:
    case TRP_CHANNEL_DROPPED:
    case TRP_CHANNEL_CANCEL:
        break;
    }
    return at;
}

size_t trp_channel_frame_encode(const struct trp_channel_frame *frame, uint8_t *out)
{
    /* The header goes behind the room for its size, then back to where the size ends. */
    uint8_t *header = out + SIZE_BYTES_ROOM;
    size_t header_bytes = (size_t)(put_header(header, frame) - header);
    struct trp_bytes payload = has_payload(frame->kind) ? frame->payload : TRP_BYTES_NONE;
    uint8_t *at = out + trp_varint_encode(header_bytes + payload.size, out);
    memmove(at, header, header_bytes);
    return (size_t)(put_bytes(at + header_bytes, payload) - out);
}

/* ---- reading ---- */

static enum trp_status take_number(struct trp_bytes *in, uint64_t *ret_number)
{
    size_t used;
    if (in->size > 0 && in->data[0] < 0x80) { /* nearly always */
        *ret_number = in->data[0];
        *in = trp_bytes(in->data + 1, in->size - 1);
        return TRP_OK;
    }
    if (trp_varint_decode(*in, ret_number, &used) != TRP_OK) {
        return TRP_EMALFORMED;
    }
    *in = trp_bytes_skip(*in, used);
    return TRP_OK;
}

static enum trp_status take_text(struct trp_bytes *in, struct trp_bytes *ret_text)
{
    uint64_t size;
    enum trp_status status = take_number(in, &size);
    if (status != TRP_OK || size > in->size) {
        return TRP_EMALFORMED;
    }
    *ret_text = trp_bytes(in->data, (size_t)size);
    *in = trp_bytes_skip(*in, (size_t)size);
    return TRP_OK;
}

static enum trp_status take_message(struct trp_bytes *in, uint32_t flags,
                                    struct trp_channel_frame *frame)
{
    enum trp_status status = take_number(in, &frame->number);
    if (status != TRP_OK || in->size < SEQUENCE_BYTES) {
        return TRP_EMALFORMED;
    }
    frame->actor = trp_actor_id_of_sequence(trp_load_le64(in->data));
    *in = trp_bytes_skip(*in, SEQUENCE_BYTES);
    frame->immediate = (flags & FLAG_IMMEDIATE) != 0;
    if ((flags & FLAG_MAILBOX) != 0) {
        status = take_number(in, &frame->mailbox_timeout_ns);
    }
    if (status == TRP_OK && (flags & FLAG_REPLY) != 0) {
        status = take_number(in, &frame->reply_timeout_ns);
    }
    return status;
}

static enum trp_status take_error(struct trp_bytes *in, struct trp_channel_frame *frame)
{
    if (in->size == 0 || in->data[0] == TRP_SEND_OK ||
        in->data[0] > TRP_SEND_UNSUPPORTED_PROTOCOLS) {
        return TRP_EMALFORMED;
    }
    frame->error = (enum trp_send_error)in->data[0];
    *in = trp_bytes_skip(*in, 1);
    enum trp_status status = take_text(in, &frame->actor_type);
    return status == TRP_OK ? take_text(in, &frame->message) : status;
}

static enum trp_status take_pair(struct trp_bytes *in, struct trp_channel_frame *frame)
{
    enum trp_status status = take_number(in, &frame->number);
    if (status == TRP_OK) {
        status = take_text(in, &frame->actor_type);
    }
    frame->message = *in;
    *in = TRP_BYTES_NONE;
    return status;
}

/* Reads all of a frame but its payload, which is what is left of `in`. */
static enum trp_status take_header(struct trp_bytes *in, struct trp_channel_frame *frame)
{
    uint32_t flags = in->data[0] & ~KIND_MASK;
    uint32_t kind = in->data[0] & KIND_MASK;
    if (kind > TRP_CHANNEL_CANCEL || !flags_fit((enum trp_channel_frame_kind)kind, flags)) {
        return TRP_EMALFORMED;
    }
    *frame = (struct trp_channel_frame){.kind = (enum trp_channel_frame_kind)kind,
                                        .mailbox_timeout_ns = TRP_NEVER,
                                        .reply_timeout_ns = TRP_NEVER};
    *in = trp_bytes_skip(*in, 1);
    enum trp_status status = has_request(frame->kind) ? take_number(in, &frame->request) : TRP_OK;
    if (status != TRP_OK) {
        return status;
    }
    switch (frame->kind) {
    case TRP_CHANNEL_HELLO:
        return take_number(in, &frame->number);
    case TRP_CHANNEL_PAIR:
        return take_pair(in, frame);
    case TRP_CHANNEL_TELL:
    case TRP_CHANNEL_TELL_ACK:
    case TRP_CHANNEL_ASK:
        return take_message(in, flags, frame);
    case TRP_CHANNEL_ERROR:
        return take_error(in, frame);
    case TRP_CHANNEL_REPLY:
    case TRP_CHANNEL_DROPPED:
    case TRP_CHANNEL_CANCEL:
        break;
    }
    return TRP_OK;
}

enum trp_status trp_channel_frame_decode(struct trp_bytes in, uint64_t limit,
                                         struct trp_channel_frame *ret_frame, size_t *ret_used)
{
    uint64_t size;
    size_t used;
    enum trp_status status = trp_uvarint_decode(in, &size, &used);
    if (status != TRP_OK) {
        return status;
    }
    if (size > limit) {
        return TRP_ETOOBIG;
    }
    if (size == 0) {
        return TRP_EMALFORMED;
    }
    if (size > in.size - used) {
        return TRP_EAGAIN;
    }
    struct trp_bytes rest = trp_bytes(in.data + used, (size_t)size);
    __builtin_prefetch(rest.data + rest.size); /* most often another one begins there */
    status = take_header(&rest, ret_frame);
    if (status != TRP_OK) {
        return status;
    }
    if (has_payload(ret_frame->kind)) {
        ret_frame->payload = rest;
    } else if (rest.size > 0) {
        return TRP_EMALFORMED;
    }
    *ret_used = used + (size_t)size;
    return TRP_OK;
}
