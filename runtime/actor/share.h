/* SPDX-License-Identifier: MIT */
/* actor/share.h - what one sender has in the mailbox of one actor: no peer keeps the others out.
 *
 * Each peer has as many places of a mailbox as are left of twice trp_limits.mailbox_messages (or
 * what the actor was spawned with): alone all of one mailbox, two peers two thirds of one each; who
 * comes later always finds some. Our own actors have a mailbox's worth for themselves. What waits
 * for room does so in the line of its sender, and the lines have their turns.
 *
 * Messages of peers are charged to them from decoding to handling, waiting included: one peer may
 * have received_bytes_per_peer, and what is left of received_bytes.
 *
 * Our own have no share but while some of them wait. A peer's lives as long as a message of it is
 * in the mailbox or waits; the one used last is kept, so that a stream of messages makes none.
 * Limits     TRP_SHARES_MAX. */
#ifndef ACTOR_SHARE_H
#define ACTOR_SHARE_H

#include "actor/mailbox.h"
#include "base/index.h"
#include "base/list.h"
#include "base/slab.h"
#include "trace/limit.h"

#include <troupe/peer_id.h>

struct trp_scheduler;
struct trp_actor;
struct trp_request;

#define TRP_SHARES_MAX 65535u /* a mail names its share in 16 bits */

/* A peer with messages in our mailboxes. */
struct trp_sender {
    struct trp_peer_id id;
    uint32_t hash;
    uint32_t shares_count;
    uint64_t bytes; /* of all its messages */
};

struct trp_share {
    trp_handle id;
    struct trp_sender *sender; /* NULL: our own actors */
    uint64_t actor;
    uint32_t placed;           /* in the user lane */
    uint32_t mails;            /* placed, and waiting */
    struct trp_list line;      /* requests that wait for room, oldest first */
    struct trp_list_link turn; /* of the actor's `waiting`, while there is a line */
};

struct trp_shares {
    struct trp_slab slab;
    struct trp_index shares;  /* by sender and actor */
    struct trp_index senders; /* by PeerId */
    struct trp_share *recent; /* kept though it may be empty; NULL: none */
    uint64_t bytes;           /* of all senders */
    struct trp_limit_mark mark;
};

struct trp_shares trp_shares_init(struct trp_memory *memory);
void trp_shares_deinit(struct trp_shares *shares);

/* Finds or makes the share of a peer. TRP_EMAILBOXFULL (its messages elsewhere are too many bytes),
 * TRP_EFULL, TRP_ENOMEM. */
enum trp_status trp_share_admit(struct trp_scheduler *scheduler, const struct trp_actor *actor,
                                const struct trp_peer_id *from,
                                struct trp_share **ret_share) TRP_NODISCARD;
/* Lets go of what trp_share_admit gave, when nothing came of it. */
void trp_share_release(struct trp_scheduler *scheduler, struct trp_share *share);
/* Charges a message to its sender. */
void trp_share_charge(struct trp_scheduler *scheduler, struct trp_share *share,
                      struct trp_mail *mail);
/* Ends that, if it was: the message is handled, or dropped. */
void trp_share_discharge(struct trp_scheduler *scheduler, struct trp_mail *mail);

/* Says whether a message of a peer may be put into the mailbox. */
bool trp_share_has_room(const struct trp_scheduler *scheduler, const struct trp_actor *actor,
                        const struct trp_mail *mail);
/* Says whether there is no place for one that a peer sends now. */
bool trp_share_is_full(const struct trp_scheduler *scheduler, const struct trp_actor *actor,
                       const struct trp_peer_id *from);
/* Puts it there. */
void trp_share_push(struct trp_scheduler *scheduler, struct trp_actor *actor,
                    struct trp_mail *mail);
/* It was taken out. */
void trp_share_popped(struct trp_scheduler *scheduler, struct trp_actor *actor,
                      struct trp_mail *mail);

/* Has a request wait with its message in the line of its sender. TRP_EFULL, TRP_ENOMEM. */
enum trp_status trp_share_wait(struct trp_scheduler *scheduler, struct trp_actor *actor,
                               struct trp_request *request) TRP_NODISCARD;
/* Takes it out of its line. */
void trp_share_leave(struct trp_scheduler *scheduler, struct trp_request *request);
/* Gives a request that waits and may have a place now; NULL. *tries counts down from
 * TRP_SHARE_TRIES, so that many that may not cost no more. */
#define TRP_SHARE_TRIES 8u
struct trp_request *trp_share_next(struct trp_scheduler *scheduler, struct trp_actor *actor,
                                   uint32_t *tries);
/* Gives a request that waits; NULL. */
struct trp_request *trp_share_first(const struct trp_actor *actor);

#endif
