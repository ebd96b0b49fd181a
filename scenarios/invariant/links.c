/* SPDX-License-Identifier: MIT */
#include "scenarios/invariant/links.h"

#include "base/map.h"

#include <stdlib.h>

struct pair {
    struct trp_links_actor owner;
    struct trp_links_actor other;
};

struct link {
    struct pair pair;
    trp_time dead_since; /* of the other; TRP_NEVER: it lives */
    UT_hash_handle hh;
};

struct trp_links {
    struct trp_memory memory;
    struct link *all;
};

enum trp_status trp_links_open(struct trp_links **ret_links)
{
    struct trp_links *links = calloc(1, sizeof *links);
    if (links == NULL) {
        return TRP_ENOMEM;
    }
    links->memory = trp_memory_init(UINT64_MAX);
    *ret_links = links;
    return TRP_OK;
}

static void link_drop(struct trp_links *links, struct link *link)
{
    struct trp_memory *uthash_memory = &links->memory;
    HASH_DELETE(hh, links->all, link);
    trp_memory_free(&links->memory, link);
}

void trp_links_close(struct trp_links *links)
{
    if (links == NULL) {
        return;
    }
    while (links->all != NULL) {
        link_drop(links, links->all);
    }
    free(links);
}

/* Padding is part of the key: every byte of it is set. */
static struct pair pair_of(struct trp_links_actor owner, struct trp_links_actor other)
{
    struct pair pair;
    memset(&pair, 0, sizeof pair);
    pair.owner.host = owner.host;
    pair.owner.id = owner.id;
    pair.other.host = other.host;
    pair.other.id = other.id;
    return pair;
}

static struct link *link_find(const struct trp_links *links, struct trp_links_actor owner,
                              struct trp_links_actor other)
{
    const struct pair pair = pair_of(owner, other);
    struct link *link = NULL;
    HASH_FIND(hh, links->all, &pair, sizeof pair, link);
    return link;
}

enum trp_status trp_links_made(struct trp_links *links, struct trp_links_actor owner,
                               struct trp_links_actor other)
{
    struct trp_memory *uthash_memory = &links->memory;
    if (link_find(links, owner, other) != NULL) {
        return TRP_OK;
    }
    struct link *link = trp_memory_alloc(&links->memory, sizeof *link);
    if (link == NULL) {
        return TRP_ENOMEM;
    }
    link->pair = pair_of(owner, other);
    link->dead_since = TRP_NEVER;
    HASH_ADD(hh, links->all, pair, sizeof link->pair, link);
    if (link->hh.tbl == NULL) {
        trp_memory_free(&links->memory, link);
        return TRP_ENOMEM;
    }
    return TRP_OK;
}

void trp_links_removed(struct trp_links *links, struct trp_links_actor owner,
                       struct trp_links_actor other)
{
    struct link *link = link_find(links, owner, other);
    if (link != NULL) {
        link_drop(links, link);
    }
}

static bool is_of(const struct trp_links_actor *actor, uint32_t host, const uint64_t *id)
{
    return actor->host == host && (id == NULL || actor->id == *id);
}

/* Those of the host (one actor of it, when `id` is said) have ended. */
static void links_end(struct trp_links *links, uint32_t host, const uint64_t *id, trp_time now)
{
    struct link *next;
    for (struct link *link = links->all; link != NULL; link = next) {
        next = link->hh.next;
        if (is_of(&link->pair.owner, host, id)) {
            link_drop(links, link);
        } else if (is_of(&link->pair.other, host, id) && link->dead_since == TRP_NEVER) {
            link->dead_since = now;
        }
    }
}

void trp_links_actor_ended(struct trp_links *links, struct trp_links_actor actor, trp_time now)
{
    links_end(links, actor.host, &actor.id, now);
}

void trp_links_host_ended(struct trp_links *links, uint32_t host, trp_time now)
{
    links_end(links, host, NULL, now);
}

bool trp_links_told(struct trp_links *links, struct trp_links_actor owner,
                    struct trp_links_actor other)
{
    struct link *link = link_find(links, owner, other);
    if (link == NULL) {
        return false;
    }
    link_drop(links, link);
    return true;
}

bool trp_links_next_due(const struct trp_links *links, const void **at,
                        struct trp_links_due *ret_due)
{
    const struct link *link = *at;
    link = link == NULL ? links->all : link->hh.next;
    while (link != NULL && link->dead_since == TRP_NEVER) {
        link = link->hh.next;
    }
    *at = link;
    if (link == NULL) {
        return false;
    }
    *ret_due = (struct trp_links_due){
        .owner = link->pair.owner, .other = link->pair.other, .since = link->dead_since};
    return true;
}
