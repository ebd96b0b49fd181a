/* SPDX-License-Identifier: MIT */
/* scenarios/invariant/links.h - the links between actors as an outsider keeps books of them.
 *
 * Told of links made and taken away, of actors and hosts that end, and of death notices, it says
 * when a death is told of no link, and which deaths have not been told for how long.
 * Order      Tell what happens in the order it happens. */
#ifndef INVARIANT_LINKS_H
#define INVARIANT_LINKS_H

#include <troupe/base.h>

struct trp_links;

/* An actor: its host and its id there. Ids of one host are never used twice in one life; a new life
 * of a host begins with trp_links_host_ended. */
struct trp_links_actor {
    uint32_t host;
    uint64_t id;
};

/* TRP_ENOMEM. */
enum trp_status trp_links_open(struct trp_links **ret_links) TRP_NODISCARD;
void trp_links_close(struct trp_links *links);

/* `owner` is to be told of the death of `other`. Making it again changes nothing. TRP_ENOMEM. */
enum trp_status trp_links_made(struct trp_links *links, struct trp_links_actor owner,
                               struct trp_links_actor other) TRP_NODISCARD;
/* It is not to be told any more. */
void trp_links_removed(struct trp_links *links, struct trp_links_actor owner,
                       struct trp_links_actor other);
void trp_links_actor_ended(struct trp_links *links, struct trp_links_actor actor, trp_time now);
void trp_links_host_ended(struct trp_links *links, uint32_t host, trp_time now);
/* `owner` is told that `other` died. False: there is no such link, or it was told before. */
bool trp_links_told(struct trp_links *links, struct trp_links_actor owner,
                    struct trp_links_actor other);

/* A death not yet told. */
struct trp_links_due {
    struct trp_links_actor owner;
    struct trp_links_actor other;
    trp_time since;
};
/* Walks the deaths that are not told: start with *at = NULL; false at the end. */
bool trp_links_next_due(const struct trp_links *links, const void **at,
                        struct trp_links_due *ret_due);

#endif
