/* SPDX-License-Identifier: MIT */
/* actor/link.h - links: what an actor keeps of each actor whose death it will be told.
 *
 * A link between two actors of ours is two halves, each in the list of its owner. A link with a
 * remote actor is one half, which is also in the list of that actor's peer. A half whose other side
 * died is in the control lane of its owner until on_link_died has run; so a death is told once.
 * Limits     trp_limits.links_per_actor. */
#ifndef ACTOR_LINK_H
#define ACTOR_LINK_H

#include "actor/actor.h"

struct trp_link_peer;

enum trp_link_phase {
    TRP_LINK_LIVE,
    TRP_LINK_DYING,    /* in the control lane of its owner */
    TRP_LINK_CANCELLED /* there too, but unlinked: not told */
};

struct trp_link {
    struct trp_mail mail;
    struct trp_list_link of_owner;
    struct trp_actor *owner;
    struct trp_actor_ref other;
    struct trp_link *twin;      /* the other half, while both live; NULL: remote */
    struct trp_link_peer *peer; /* remote, while it lives */
    struct trp_list_link of_peer;
    uint8_t phase;          /* enum trp_link_phase */
    bool local;             /* `other` is an actor of ours */
    uint32_t reason;        /* enum trp_stop_reason, when dying */
    struct trp_mail *cause; /* when dying: a struct trp_stop_cause and its text; NULL: `reason` */
    struct trp_mail *type;  /* remote: id of the type of `other`; NULL: not known */
    uint64_t dead;          /* our actor that died, when `other` is to be told */
    struct trp_event event;
};

/* Links two actors of ours; idempotent. TRP_EINVAL (with itself), TRP_EFULL, TRP_ENOMEM. */
enum trp_status trp_link_pair(struct trp_scheduler *scheduler, struct trp_actor *a,
                              struct trp_actor *b) TRP_NODISCARD;
/* Links an actor with any other; *ret_new says whether there was no link before. With a dead actor
 * of ours, its death is told. `type` is the id of the type of a remote one. */
enum trp_status trp_link_make(struct trp_scheduler *scheduler, struct trp_actor *actor,
                              const struct trp_actor_ref *other, struct trp_bytes type,
                              bool *ret_new) TRP_NODISCARD;
/* Takes a link away, a death not yet told with it. TRP_ENOTFOUND. */
enum trp_status trp_link_remove(struct trp_scheduler *scheduler, struct trp_actor *actor,
                                const struct trp_actor_ref *other) TRP_NODISCARD;
/* Tells all linked actors that `actor` died; its list of links is empty then. */
void trp_link_tell_all(struct trp_scheduler *scheduler, struct trp_actor *actor,
                       const struct trp_stop_cause *cause);
/* Id of the type of a remote `other`; of no size when it is not known. */
static inline struct trp_bytes trp_link_type(const struct trp_link *link)
{
    return link->type == NULL ? TRP_BYTES_NONE : trp_bytes(link->type + 1, link->type->bytes);
}
/* Why the other side of a dying half died; slices are borrowed from the half. */
struct trp_stop_cause trp_link_cause(const struct trp_link *link);
/* Why an actor dies that does not survive the death of a link. */
struct trp_stop_cause trp_link_cause_of_owner(const struct trp_link *link);
/* Frees a half that is in no queue. */
void trp_link_free(struct trp_scheduler *scheduler, struct trp_link *link);
/* Frees the table of peers; the links go with the pool. */
void trp_link_peers_deinit(struct trp_scheduler *scheduler);

#endif
