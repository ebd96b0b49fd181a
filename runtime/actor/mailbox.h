/* SPDX-License-Identifier: MIT */
/* actor/mailbox.h - what waits for an actor: two lanes of mails, each first in, first out.
 *
 * The user lane holds messages and is bounded, for our own actors and for peers each by itself (see
 * actor/share.h). The control lane holds replies, deaths of links and
 * due timers; it is served first and never blocked by a full user lane. It is bounded by what it
 * carries: trp_limits.requests, links_per_actor, timers.
 * Ownership  A lane borrows its mails; who put them there knows what they are part of. */
#ifndef ACTOR_MAILBOX_H
#define ACTOR_MAILBOX_H

#include "base/memory.h"

struct trp_handler_info;

enum trp_mail_kind {
    TRP_MAIL_MESSAGE,  /* for a handler: the struct follows the mail */
    TRP_MAIL_TIMER,    /* the same, part of a struct trp_timer */
    TRP_MAIL_REPLY,    /* part of a struct trp_request: its outcome is there */
    TRP_MAIL_FOUND,    /* one result of a lookup: a struct trp_found follows the mail */
    TRP_MAIL_LINK_DIED /* part of a struct trp_link */
};

struct trp_mail {
    struct trp_mail *next;
    const struct trp_handler_info *handler; /* MESSAGE, TIMER */
    uint64_t request;                       /* MESSAGE: the ask to answer; 0: a tell */
    uint64_t cause;                         /* trace sequence number of what led to it */
    uint32_t bytes;                         /* of what follows the mail */
    uint8_t kind;                           /* enum trp_mail_kind */
    uint8_t class;                          /* of the block in the pool */
    uint16_t share;                         /* of a peer in the mailbox, see actor/share.h; 0 */
};

struct trp_lane {
    struct trp_mail *head;
    struct trp_mail *tail;
};

struct trp_mailbox {
    struct trp_lane control;
    struct trp_lane user;
    uint32_t user_count; /* in the user lane, but for those of peers */
    uint32_t user_limit;
};

static inline void trp_lane_push(struct trp_lane *lane, struct trp_mail *mail)
{
    mail->next = NULL;
    if (lane->head == NULL) {
        lane->head = mail;
    } else {
        lane->tail->next = mail;
    }
    lane->tail = mail;
}

/* NULL when empty. */
static inline struct trp_mail *trp_lane_pop(struct trp_lane *lane)
{
    struct trp_mail *mail = lane->head;
    if (mail != NULL) {
        lane->head = mail->next;
    }
    return mail;
}

/* Moves all of `more` behind the mails of `lane`. */
static inline void trp_lane_append(struct trp_lane *lane, const struct trp_lane *more)
{
    if (more->head == NULL) {
        return;
    }
    if (lane->head == NULL) {
        *lane = *more;
        return;
    }
    lane->tail->next = more->head;
    lane->tail = more->tail;
}

static inline bool trp_mailbox_has_room(const struct trp_mailbox *mailbox)
{
    return mailbox->user_count < mailbox->user_limit;
}

static inline void trp_mailbox_push(struct trp_mailbox *mailbox, struct trp_mail *mail)
{
    trp_lane_push(&mailbox->user, mail);
    mailbox->user_count++;
}

#endif
