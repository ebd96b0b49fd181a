/* SPDX-License-Identifier: MIT */
#include "net/pending.h"

#include "base/prng.h"
#include "net/connection.h"

/* Streams of keyed draws. */
enum { DRAW_LOT };

/* How soon a pending connection gives way, among those whose addresses have as many. */
enum class { CLASS_KNOWN, CLASS_BEGUN, CLASS_SILENT };

/* The pending ones that give way first. */
struct victims {
    uint32_t pending; /* of the address of each of them */
    enum class class;
    uint32_t count;
    uint32_t known; /* of all that are pending */
};

static struct trp_connection *pending_at(struct trp_list_link *link)
{
    return TRP_CONTAINER(link, struct trp_connection, dial_link);
}

static struct trp_list_link *pending_next(const struct trp_swarm *swarm, struct trp_list_link *at)
{
    return at == NULL ? trp_list_front(&swarm->accepted_pending)
                      : trp_list_next(&swarm->accepted_pending, at);
}

static enum class class_of(const struct trp_swarm *swarm, const struct victims *victims,
                           const struct trp_connection *c) {
    bool shielded = victims->known <= swarm->limits->connections_pending_in / 2;
    if (c->origin->is_proven && shielded){return CLASS_KNOWN;}
return trp_upgrade_has_begun(c->upgrade) ? CLASS_BEGUN : CLASS_SILENT;
}

static struct victims victims_find(const struct trp_swarm *swarm)
{
    struct victims victims = {0};
    for (struct trp_list_link *at = NULL; (at = pending_next(swarm, at)) != NULL;) {
        victims.known += pending_at(at)->origin->is_proven;
    }
    for (struct trp_list_link *at = NULL; (at = pending_next(swarm, at)) != NULL;) {
        const struct trp_connection *c = pending_at(at);
        uint32_t pending = c->origin->pending;
        enum class class = class_of(swarm, &victims, c);
        if (pending > victims.pending || (pending == victims.pending && class > victims.class)) {
            victims.pending = pending;
            victims.class = class;
            victims.count = 0;
        }
        victims.count += pending == victims.pending && class == victims.class;
    }
    return victims;
}

static struct trp_connection *victims_draw(struct trp_swarm *swarm, const struct victims *victims)
{
    uint64_t draw = trp_draw(swarm->config.seed, 0, DRAW_LOT, swarm->lots++);
    uint64_t lot = trp_draw_below(draw, victims->count);
    for (struct trp_list_link *at = NULL; (at = pending_next(swarm, at)) != NULL;) {
        struct trp_connection *c = pending_at(at);
        bool fits =
            c->origin->pending == victims->pending && class_of(swarm, victims, c) == victims->class;
        if (fits && lot-- == 0) {
            return c;
        }
    }
    return NULL;
}

bool trp_pending_make_room(struct trp_swarm *swarm, const struct trp_multiaddr *remote)
{
    if (swarm->pending_in < swarm->limits->connections_pending_in) {
        return true;
    }
    const struct victims victims = victims_find(swarm);
    bool fair = victims.pending > trp_origin_pending(swarm->origins, remote);
    struct trp_connection *victim =
        fair && victims.count > 0 ? victims_draw(swarm, &victims) : NULL;
    if (victim == NULL) {
        return false;
    }
    trp_connection_fail(swarm, victim, TRP_EFULL);
    return true;
}

enum trp_status trp_pending_enter(struct trp_swarm *swarm, struct trp_connection *c,
                                  const struct trp_multiaddr *remote)
{
    enum trp_status status = trp_origin_enter(&swarm->origins, swarm->memory, remote, &c->origin);
    if (status == TRP_OK) {
        c->origin->is_proven = trp_proven_find(&swarm->proven, remote);
    }
    swarm->pending_in++;
    trp_list_push_back(&swarm->accepted_pending, &c->dial_link);
    return status;
}

void trp_pending_leave(struct trp_swarm *swarm, struct trp_connection *c)
{
    trp_list_link_remove(&c->dial_link);
    swarm->pending_in--;
    trp_origin_leave(&swarm->origins, swarm->memory, c->origin);
    c->origin = NULL;
}

void trp_pending_prove(struct trp_swarm *swarm, const struct trp_multiaddr *remote)
{
    trp_proven_insert(&swarm->proven, swarm->memory, remote);
}
