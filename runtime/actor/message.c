/* SPDX-License-Identifier: MIT */
#include "actor/message.h"

#include "actor/scheduler_state.h"

/* The most that msgpack needs for what surrounds a value's own bytes. */
#define HEADER_BYTES 5u  /* of a map, a text, a bin */
#define NUMBER_BYTES 9u  /* tag and 64 bits */
#define REF_BYTES    96u /* an ActorId in its wrapping */

static bool field_is_slice(const struct trp_message_field *field)
{
    return field->type == TRP_FIELD_TEXT || field->type == TRP_FIELD_BYTES;
}

static const struct trp_bytes *field_slice(const struct trp_message_field *field,
                                           const void *message)
{
    return (const struct trp_bytes *)(const void *)((const uint8_t *)message + field->offset);
}

struct trp_shape trp_shape_of(const struct trp_message_type *type)
{
    if (type == NULL) {
        return (struct trp_shape){0};
    }
    struct trp_shape shape = {.type = type,
                              .size = type->size,
                              .class = trp_pool_class_of(sizeof(struct trp_mail) + type->size)};
    for (uint32_t i = 0; i < type->fields_count; i++) {
        shape.slices = shape.slices || field_is_slice(&type->fields[i]);
    }
    return shape;
}

/* Gives the bytes of the slices of a message. */
static size_t slices_bytes(const struct trp_message_type *type, const void *message)
{
    size_t bytes = 0;
    for (uint32_t i = 0; i < type->fields_count; i++) {
        if (field_is_slice(&type->fields[i])) {
            size_t size = field_slice(&type->fields[i], message)->size;
            bytes = size > SIZE_MAX - bytes ? SIZE_MAX : bytes + size;
        }
    }
    return bytes;
}

/* Copies what the slices of `copy` point to behind it, and points them there. */
static void copy_slices(const struct trp_message_type *type, void *copy)
{
    uint8_t *at = (uint8_t *)copy + type->size;
    for (uint32_t i = 0; i < type->fields_count; i++) {
        const struct trp_message_field *field = &type->fields[i];
        if (!field_is_slice(field)) {
            continue;
        }
        struct trp_bytes *slice = (struct trp_bytes *)(void *)((uint8_t *)copy + field->offset);
        if (slice->size > 0) {
            memcpy(at, slice->data, slice->size);
        }
        slice->data = slice->size == 0 ? NULL : at;
        at += slice->size;
    }
}

/* Makes a mail with room for `bytes` behind it. */
static enum trp_status mail_make(struct trp_scheduler *scheduler, size_t bytes,
                                 struct trp_mail **ret_mail)
{
    if (bytes > scheduler->limits->message_bytes) {
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

enum trp_status trp_mail_copy_slices(struct trp_scheduler *scheduler, const struct trp_shape *shape,
                                     const void *message, struct trp_mail **ret_mail)
{
    if (message == NULL) {
        return TRP_EINVAL;
    }
    size_t slices = slices_bytes(shape->type, message);
    if (slices > scheduler->limits->message_bytes) {
        return TRP_ETOOBIG;
    }
    struct trp_mail *mail;
    enum trp_status status = mail_make(scheduler, shape->size + slices, &mail);
    if (status != TRP_OK) {
        return status;
    }
    memcpy(mail + 1, message, shape->size);
    copy_slices(shape->type, mail + 1);
    *ret_mail = mail;
    return TRP_OK;
}

enum trp_status trp_mail_bytes(struct trp_scheduler *scheduler, struct trp_bytes bytes,
                               struct trp_mail **ret_mail)
{
    struct trp_mail *mail;
    enum trp_status status = mail_make(scheduler, bytes.size, &mail);
    if (status != TRP_OK) {
        return status;
    }
    if (bytes.size > 0) {
        memcpy(mail + 1, bytes.data, bytes.size);
    }
    *ret_mail = mail;
    return TRP_OK;
}

static size_t encoded_bytes_max(const struct trp_message_type *type, const void *message)
{
    size_t bytes = HEADER_BYTES + slices_bytes(type, message);
    for (uint32_t i = 0; i < type->fields_count; i++) {
        const struct trp_message_field *field = &type->fields[i];
        size_t value = field->type == TRP_FIELD_REF ? REF_BYTES
                       : field_is_slice(field)      ? HEADER_BYTES
                                                    : NUMBER_BYTES;
        bytes += HEADER_BYTES + strlen(field->name) + value;
    }
    return bytes;
}

/* Gives references to our own actors the PeerId that they have elsewhere. */
static void name_own_refs(const struct trp_scheduler *scheduler,
                          const struct trp_message_type *type, void *copy)
{
    for (uint32_t i = 0; i < type->fields_count; i++) {
        const struct trp_message_field *field = &type->fields[i];
        if (field->type != TRP_FIELD_REF) {
            continue;
        }
        struct trp_actor_ref *ref =
            (struct trp_actor_ref *)(void *)((uint8_t *)copy + field->offset);
        if (ref->peer.size == 0 && ref->id != 0) {
            ref->peer = scheduler->self;
        }
    }
}

enum trp_status trp_mail_encode(struct trp_scheduler *scheduler,
                                const struct trp_message_type *type, const void *message,
                                struct trp_mail **ret_mail)
{
    if (type->size > 0 && message == NULL) {
        return TRP_EINVAL;
    }
    size_t slices = slices_bytes(type, message);
    if (slices > scheduler->limits->message_bytes) {
        return TRP_ETOOBIG;
    }
    struct trp_mail *named = NULL;
    if (type->size > 0) {
        enum trp_status status = mail_make(scheduler, type->size, &named);
        if (status != TRP_OK) {
            return status;
        }
        memcpy(named + 1, message, type->size);
        name_own_refs(scheduler, type, named + 1);
    }
    const void *source = named == NULL ? NULL : trp_mail_payload(named);
    size_t room = encoded_bytes_max(type, message);
    struct trp_mail *mail;
    enum trp_status status = mail_make(scheduler, room, &mail);
    if (status == TRP_OK) {
        size_t size;
        status = trp_message_encode(type, source, (uint8_t *)(mail + 1), room, &size);
        if (status == TRP_OK) {
            mail->bytes = (uint32_t)size;
            *ret_mail = mail;
        } else {
            trp_mail_free(scheduler, mail);
            status = TRP_EENCODE;
        }
    }
    trp_mail_free(scheduler, named);
    return status;
}

enum trp_status trp_mail_decode(struct trp_scheduler *scheduler, const struct trp_shape *shape,
                                struct trp_bytes payload, struct trp_mail **ret_mail)
{
    if (payload.size > scheduler->limits->message_bytes) {
        return TRP_ETOOBIG;
    }
    struct trp_mail *mail;
    size_t kept = shape->slices ? payload.size : 0; /* what the slices will point into */
    enum trp_status status = mail_make(scheduler, shape->size + kept, &mail);
    if (status != TRP_OK) {
        return status;
    }
    uint8_t *copy = (uint8_t *)(mail + 1);
    struct trp_bytes in = payload;
    if (kept > 0) {
        memcpy(copy + shape->size, payload.data, kept);
        in.data = copy + shape->size;
    }
    memset(copy, 0, shape->size);
    status = trp_message_decode(shape->type, in, copy);
    if (status != TRP_OK) {
        trp_mail_free(scheduler, mail);
        return TRP_EDECODE;
    }
    if (shape->size == 0) {
        mail->bytes = 0; /* a message without fields is NULL to its handler */
    }
    *ret_mail = mail;
    return TRP_OK;
}
