/* SPDX-License-Identifier: MIT */
#include "actor/message.h"

#include "actor/scheduler_state.h"

#define SMALL_BYTES 256u

struct trp_shape trp_shape_of(const struct trp_message_type *type)
{
    if (type == NULL) {
        return (struct trp_shape){0};
    }
    return (struct trp_shape){.type = type,
                              .size = type->size,
                              .class = trp_pool_class_of(sizeof(struct trp_mail) + type->size),
                              .parts = trp_message_parts_of(type)};
}

/* Makes a mail with room for `bytes` behind it, at most `limit`. */
static enum trp_status mail_make(struct trp_scheduler *scheduler, size_t bytes, uint32_t limit,
                                 struct trp_mail **ret_mail)
{
    if (bytes > limit) {
        return TRP_ETOOBIG;
    }
    uint8_t class = trp_pool_class_of(sizeof(struct trp_mail) + bytes);
    struct trp_mail *mail = trp_pool_take(&scheduler->pool, class, sizeof(struct trp_mail) + bytes);
    if (mail == NULL) {
        return TRP_ENOMEM;
    }
    *mail = (struct trp_mail){
        .cause = scheduler->trace->cause, .bytes = (uint32_t)bytes, .class = class};
    *ret_mail = mail;
    return TRP_OK;
}

static struct trp_bytes *slice_at(const void *message, uint32_t offset)
{
    return (struct trp_bytes *)(void *)((uintptr_t)message + offset);
}

/* Gives the bytes that a message points to. */
static enum trp_status parts_bytes(const struct trp_shape *shape, const void *message,
                                   size_t *ret_bytes)
{
    size_t bytes = 0;
    if (shape->parts.scattered) {
        return trp_message_copy_need(shape->type, message, ret_bytes);
    }
    for (uint32_t i = 0; i < shape->parts.slices_count; i++) {
        size_t size = slice_at(message, shape->parts.slices[i])->size;
        bytes = size > SIZE_MAX - bytes ? SIZE_MAX : bytes + size;
    }
    *ret_bytes = bytes;
    return TRP_OK;
}

/* Copies a message, and what it points to behind the copy. */
static void copy_whole(const struct trp_shape *shape, const void *message, uint8_t *copy)
{
    uint8_t *at = copy + shape->size;
    if (shape->parts.scattered) {
        trp_message_copy(shape->type, message, at, copy);
        return;
    }
    memcpy(copy, message, shape->size);
    for (uint32_t i = 0; i < shape->parts.slices_count; i++) {
        struct trp_bytes *slice = slice_at(copy, shape->parts.slices[i]);
        if (slice->size > 0) {
            memcpy(at, slice->data, slice->size);
        }
        slice->data = slice->size == 0 ? NULL : at;
        at += slice->size;
    }
}

enum trp_status trp_mail_copy_parts(struct trp_scheduler *scheduler, const struct trp_shape *shape,
                                    const void *message, struct trp_mail **ret_mail)
{
    const uint32_t limit = scheduler->limits->message_memory_bytes;
    size_t parts;
    if (message == NULL) {
        return TRP_EINVAL;
    }
    enum trp_status status = parts_bytes(shape, message, &parts);
    if (status == TRP_OK && parts > limit) {
        status = TRP_ETOOBIG;
    }
    if (status != TRP_OK) {
        return status;
    }
    struct trp_mail *mail;
    status = mail_make(scheduler, shape->size + parts, limit, &mail);
    if (status != TRP_OK) {
        return status;
    }
    copy_whole(shape, message, (uint8_t *)(mail + 1));
    *ret_mail = mail;
    return TRP_OK;
}

enum trp_status trp_mail_bytes(struct trp_scheduler *scheduler, struct trp_bytes bytes,
                               struct trp_mail **ret_mail)
{
    struct trp_mail *mail;
    enum trp_status status =
        mail_make(scheduler, bytes.size, scheduler->limits->message_bytes, &mail);
    if (status != TRP_OK) {
        return status;
    }
    if (bytes.size > 0) {
        memcpy(mail + 1, bytes.data, bytes.size);
    }
    *ret_mail = mail;
    return TRP_OK;
}

enum trp_status trp_mail_encode(struct trp_scheduler *scheduler,
                                const struct trp_message_type *type, const void *message,
                                struct trp_mail **ret_mail)
{
    const struct trp_peer_id *self = &scheduler->self;
    struct trp_mail *mail;
    uint8_t small[SMALL_BYTES];
    size_t bytes;
    if (type->size > 0 && message == NULL) {
        return TRP_EINVAL;
    }
    /* Most messages are small: one walk over the message, and a copy, are less than two walks. */
    enum trp_status status =
        trp_message_encode_from(type, message, self, small, sizeof small, &bytes);
    if (status == TRP_OK) {
        return trp_mail_bytes(scheduler, trp_bytes(small, bytes), ret_mail);
    }
    if (status == TRP_ETOOBIG) {
        status = trp_message_encoded_bytes_from(type, message, self, &bytes);
    }
    if (status == TRP_OK) {
        status = mail_make(scheduler, bytes, scheduler->limits->message_bytes, &mail);
    }
    if (status != TRP_OK) {
        return status;
    }
    status = trp_message_encode_from(type, message, self, (uint8_t *)(mail + 1), bytes, &bytes);
    if (status != TRP_OK) {
        trp_mail_free(scheduler, mail);
        return TRP_EENCODE;
    }
    *ret_mail = mail;
    return TRP_OK;
}

/* Decodes into a new mail: the struct, `need` bytes for what it points to, the payload that its
 * texts borrow from. */
static enum trp_status mail_decode(struct trp_scheduler *scheduler, const struct trp_shape *shape,
                                   struct trp_bytes payload, size_t need,
                                   struct trp_mail **ret_mail)
{
    const size_t kept = shape->parts.any ? payload.size : 0;
    const uint32_t limit = scheduler->limits->message_memory_bytes;
    struct trp_mail *mail;
    enum trp_status status =
        need > limit ? TRP_ETOOBIG : mail_make(scheduler, shape->size + need + kept, limit, &mail);
    if (status != TRP_OK) {
        return status;
    }
    uint8_t *copy = (uint8_t *)(mail + 1);
    uint8_t *memory = copy + shape->size;
    if (kept > 0) {
        memcpy(memory + need, payload.data, kept);
        payload.data = memory + need;
    }
    status = trp_message_decode_in(shape->type, payload, memory, need, copy);
    if (status != TRP_OK) {
        trp_mail_free(scheduler, mail);
        return status;
    }
    if (shape->size == 0) {
        mail->bytes = 0; /* a message without fields is NULL to its handler */
    }
    *ret_mail = mail;
    return TRP_OK;
}

enum trp_status trp_mail_decode(struct trp_scheduler *scheduler, const struct trp_shape *shape,
                                struct trp_bytes payload, struct trp_mail **ret_mail)
{
    size_t need = 0;
    if (payload.size > scheduler->limits->message_bytes) {
        return TRP_ETOOBIG;
    }
    if (!shape->parts.memory) { /* bytes nearly always come as bytes, which can be borrowed */
        enum trp_status status = mail_decode(scheduler, shape, payload, 0, ret_mail);
        if (status != TRP_ETOOBIG) {
            return status;
        }
    }
    enum trp_status status = trp_message_decode_need(shape->type, payload, &need);
    return status == TRP_OK ? mail_decode(scheduler, shape, payload, need, ret_mail) : status;
}
