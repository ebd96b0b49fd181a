/* SPDX-License-Identifier: MIT */
/* actor/message.h - copies of messages: the mail, the struct and what it points to in one block.
 *
 * Ownership  A copy owns nothing but its block; whatever it points to is in that block.
 * Limits     trp_limits: message_memory_bytes for the struct with what it points to, message_bytes
 *            for encoded bytes. */
#ifndef ACTOR_MESSAGE_H
#define ACTOR_MESSAGE_H

#include "actor/mailbox.h"
#include "wire/message.h"

struct trp_scheduler;

/* What the copies of one message type need, worked out once. */
struct trp_shape {
    const struct trp_message_type *type; /* NULL: none */
    uint32_t size;                       /* of the struct */
    uint8_t class;                       /* of a block with a mail and the struct */
    struct trp_message_parts parts;
};

struct trp_shape trp_shape_of(const struct trp_message_type *type);

/* What follows a mail in its block; NULL for a message without fields, as handlers get it. */
static inline void *trp_mail_payload(struct trp_mail *mail)
{
    return mail->bytes == 0 ? NULL : mail + 1;
}

/* Copies a message and all that it points to into a new mail. TRP_EINVAL (no message), TRP_EENCODE,
 * TRP_ETOOBIG, TRP_ENOMEM. */
enum trp_status trp_mail_copy_parts(struct trp_scheduler *scheduler, const struct trp_shape *shape,
                                    const void *message, struct trp_mail **ret_mail) TRP_NODISCARD;
/* Makes a mail followed by `bytes`. TRP_ETOOBIG, TRP_ENOMEM. */
enum trp_status trp_mail_bytes(struct trp_scheduler *scheduler, struct trp_bytes bytes,
                               struct trp_mail **ret_mail) TRP_NODISCARD;
/* Makes a mail with the msgpack of a message; references to our own actors carry our PeerId.
 * TRP_EINVAL, TRP_EENCODE, TRP_ETOOBIG, TRP_ENOMEM. */
enum trp_status trp_mail_encode(struct trp_scheduler *scheduler,
                                const struct trp_message_type *type, const void *message,
                                struct trp_mail **ret_mail) TRP_NODISCARD;
/* Makes a mail with the struct that `payload` decodes to. TRP_EDECODE, TRP_ETOOBIG, TRP_ENOMEM. */
enum trp_status trp_mail_decode(struct trp_scheduler *scheduler, const struct trp_shape *shape,
                                struct trp_bytes payload, struct trp_mail **ret_mail) TRP_NODISCARD;

#endif
