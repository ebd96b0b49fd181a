/* SPDX-License-Identifier: MIT */
#include "actor/link.h"

#include "actor/scheduler_state.h"
#include "base/assert.h"
#include "base/map.h"

#define TEXT_BYTES_MAX 1024u /* of what a peer says of a death */

/* The links of ours with the actors of one peer. */
struct trp_link_peer {
    struct trp_peer_id id;
    struct trp_list links; /* in the order they were made */
    uint32_t count;
    UT_hash_handle hh;
};

/* ---- peers ---- */

static struct trp_link_peer *peer_find(const struct trp_scheduler *scheduler,
                                       const struct trp_peer_id *id)
{
    struct trp_link_peer *peer = NULL;
    HASH_FIND(hh, scheduler->peers, id, sizeof *id, peer);
    return peer;
}

static struct trp_link_peer *peer_need(struct trp_scheduler *scheduler,
                                       const struct trp_peer_id *id)
{
    struct trp_memory *uthash_memory = scheduler->memory;
    struct trp_link_peer *peer = peer_find(scheduler, id);
    if (peer != NULL) {
        return peer;
    }
    peer = trp_memory_alloc(scheduler->memory, sizeof *peer);
    if (peer == NULL) {
        return NULL;
    }
    peer->id = *id;
    trp_list_init(&peer->links);
    HASH_ADD(hh, scheduler->peers, id, sizeof peer->id, peer);
    if (peer->hh.tbl == NULL) {
        trp_memory_free(scheduler->memory, peer);
        return NULL;
    }
    return peer;
}

static void peer_release(struct trp_scheduler *scheduler, struct trp_link_peer *peer)
{
    struct trp_memory *uthash_memory = scheduler->memory;
    if (peer->count == 0) {
        HASH_DELETE(hh, scheduler->peers, peer);
        trp_memory_free(scheduler->memory, peer);
    }
}

static void link_leave_peer(struct trp_scheduler *scheduler, struct trp_link *link)
{
    struct trp_link_peer *peer = link->peer;
    if (peer != NULL) {
        trp_list_link_remove(&link->of_peer);
        link->peer = NULL;
        peer->count--;
        peer_release(scheduler, peer);
    }
}

/* ---- one half ---- */

static struct trp_link *link_make(struct trp_scheduler *scheduler, struct trp_actor *owner,
                                  const struct trp_actor_ref *other)
{
    uint8_t class = trp_pool_class_of(sizeof(struct trp_link));
    struct trp_link *link = trp_pool_take(&scheduler->pool, class, sizeof *link);
    if (link != NULL) {
        *link = (struct trp_link){
            .mail = {.kind = TRP_MAIL_LINK_DIED, .class = class}, .owner = owner, .other = *other};
        trp_list_push_back(&owner->links, &link->of_owner);
        owner->links_count++;
    }
    return link;
}

static void link_leave_owner(struct trp_link *link)
{
    if (link->owner != NULL) {
        trp_list_link_remove(&link->of_owner);
        link->owner->links_count--;
        link->owner = NULL;
    }
}

void trp_link_free(struct trp_scheduler *scheduler, struct trp_link *link)
{
    link_leave_owner(link);
    link_leave_peer(scheduler, link);
    trp_mail_free(scheduler, link->cause);
    trp_mail_free(scheduler, link->type);
    trp_pool_put(&scheduler->pool, link->mail.class, link);
}

/* ---- why ---- */

/* Keeps what a plain reason does not tell. Without memory the reason has to do, and LINK_DIED
 * becomes KILLED, for whose death it was is lost. */
static void link_set_cause(struct trp_scheduler *scheduler, struct trp_link *link,
                           const struct trp_stop_cause *cause)
{
    uint8_t bytes[sizeof *cause + TEXT_BYTES_MAX];
    size_t text = cause->text.size < TEXT_BYTES_MAX ? cause->text.size : TEXT_BYTES_MAX;
    link->reason = trp_stop_cause_reason(cause);
    link->cause = NULL;
    if (cause->links_count == 0 && text == 0) {
        return;
    }
    memcpy(bytes, cause, sizeof *cause);
    if (text > 0) {
        memcpy(bytes + sizeof *cause, cause->text.data, text);
    }
    struct trp_mail *mail;
    if (trp_mail_bytes(scheduler, trp_bytes(bytes, sizeof *cause + text), &mail) == TRP_OK) {
        struct trp_stop_cause *kept = (struct trp_stop_cause *)(void *)(mail + 1);
        kept->text = trp_bytes((uint8_t *)(kept + 1), text);
        link->cause = mail;
    } else if (link->reason == TRP_STOP_LINK_DIED) {
        link->reason = TRP_STOP_KILLED;
    }
}

struct trp_stop_cause trp_link_cause(const struct trp_link *link)
{
    if (link->cause != NULL) {
        return *(const struct trp_stop_cause *)(const void *)(link->cause + 1);
    }
    return (struct trp_stop_cause){.root = (enum trp_stop_reason)link->reason};
}

struct trp_stop_cause trp_link_cause_of_owner(const struct trp_link *link)
{
    struct trp_stop_cause cause = trp_link_cause(link);
    if (cause.links_count == 0 && cause.root == TRP_STOP_PEER_DISCONNECTED) {
        return cause;
    }
    uint32_t kept =
        cause.links_count < TRP_STOP_LINKS_MAX ? cause.links_count : TRP_STOP_LINKS_MAX - 1;
    memmove(cause.links + 1, cause.links, kept * sizeof cause.links[0]);
    cause.links[0] = link->other;
    cause.links_count = kept + 1;
    return cause;
}

/* The other side died: its owner will be told, in its control lane. */
static void link_die(struct trp_scheduler *scheduler, struct trp_link *link,
                     const struct trp_stop_cause *cause)
{
    link_leave_peer(scheduler, link);
    link->twin = NULL;
    link->phase = TRP_LINK_DYING;
    link_set_cause(scheduler, link, cause);
    link->mail.cause = scheduler->trace->cause;
    trp_scheduler_push_control(scheduler, link->owner, &link->mail);
}

/* ---- finding ---- */

static struct trp_link *link_find(struct trp_scheduler *scheduler, const struct trp_actor *owner,
                                  const struct trp_actor_ref *other)
{
    bool local = trp_scheduler_is_local(scheduler, other);
    for (struct trp_list_link *at = trp_list_front(&owner->links); at != NULL;
         at = trp_list_next(&owner->links, at)) {
        struct trp_link *link = TRP_CONTAINER(at, struct trp_link, of_owner);
        if (link->other.id == other->id && link->local == local &&
            (local || trp_peer_id_equal(&link->other.peer, &other->peer))) {
            return link;
        }
    }
    return NULL;
}

static void link_trace_made(struct trp_scheduler *scheduler, const struct trp_link *link)
{
    trp_trace_link_made(scheduler->trace, &(struct trp_event_link_made){
                                              .actor = link->owner->id,
                                              .other = link->other.id,
                                              .peer = link->local ? NULL : &link->other.peer});
}

/* ---- making ---- */

static bool links_have_room(const struct trp_scheduler *scheduler, const struct trp_actor *actor)
{
    return actor->links_count < scheduler->limits->links_per_actor;
}

static enum trp_status links_full(struct trp_scheduler *scheduler)
{
    trp_scheduler_trace_limit(scheduler, "links_per_actor", scheduler->limits->links_per_actor);
    return TRP_EFULL;
}

enum trp_status trp_link_pair(struct trp_scheduler *scheduler, struct trp_actor *a,
                              struct trp_actor *b)
{
    if (a == b) {
        return TRP_EINVAL;
    }
    const struct trp_actor_ref a_ref = trp_actor_ref_of(scheduler, a);
    const struct trp_actor_ref b_ref = trp_actor_ref_of(scheduler, b);
    /* The shorter list decides; a new actor has none. */
    bool b_is_shorter = b->links_count < a->links_count;
    if (link_find(scheduler, b_is_shorter ? b : a, b_is_shorter ? &a_ref : &b_ref) != NULL) {
        return TRP_OK;
    }
    if (!links_have_room(scheduler, a) || !links_have_room(scheduler, b)) {
        return links_full(scheduler);
    }
    struct trp_link *of_a = link_make(scheduler, a, &b_ref);
    if (of_a == NULL) {
        return TRP_ENOMEM;
    }
    struct trp_link *of_b = link_make(scheduler, b, &a_ref);
    if (of_b == NULL) {
        trp_link_free(scheduler, of_a);
        return TRP_ENOMEM;
    }
    of_a->local = true;
    of_a->twin = of_b;
    of_b->local = true;
    of_b->twin = of_a;
    link_trace_made(scheduler, of_a);
    return TRP_OK;
}

/* Why a dead actor died is not known any more. */
static enum trp_status link_with_dead(struct trp_scheduler *scheduler, struct trp_actor *actor,
                                      const struct trp_actor_ref *other)
{
    if (link_find(scheduler, actor, other) != NULL) {
        return TRP_OK; /* its death is on the way */
    }
    if (!links_have_room(scheduler, actor)) {
        return links_full(scheduler);
    }
    struct trp_link *link = link_make(scheduler, actor, other);
    if (link == NULL) {
        return TRP_ENOMEM;
    }
    link->local = true;
    link_trace_made(scheduler, link);
    link_die(scheduler, link,
             &(struct trp_stop_cause){.root = TRP_STOP_KILLED,
                                      .text = trp_bytes_text("it was dead before")});
    return TRP_OK;
}

static enum trp_status link_with_remote(struct trp_scheduler *scheduler, struct trp_actor *actor,
                                        const struct trp_actor_ref *other, struct trp_bytes type,
                                        bool *ret_new)
{
    if (link_find(scheduler, actor, other) != NULL) {
        *ret_new = false;
        return TRP_OK;
    }
    if (!links_have_room(scheduler, actor)) {
        return links_full(scheduler);
    }
    struct trp_link *link = link_make(scheduler, actor, other);
    if (link == NULL) {
        return TRP_ENOMEM;
    }
    struct trp_link_peer *peer = peer_need(scheduler, &other->peer);
    enum trp_status status = peer == NULL ? TRP_ENOMEM : TRP_OK;
    if (status == TRP_OK && peer->count >= scheduler->limits->links_per_peer) {
        trp_scheduler_trace_limit(scheduler, "links_per_peer", scheduler->limits->links_per_peer);
        status = TRP_EFULL;
    }
    if (status == TRP_OK && type.size > 0) {
        status = trp_mail_bytes(scheduler, type, &link->type);
    }
    if (status != TRP_OK) {
        trp_link_free(scheduler, link);
        if (peer != NULL) {
            peer_release(scheduler, peer);
        }
        return status;
    }
    link->peer = peer;
    trp_list_push_back(&peer->links, &link->of_peer);
    peer->count++;
    link_trace_made(scheduler, link);
    *ret_new = true;
    return TRP_OK;
}

enum trp_status trp_link_make(struct trp_scheduler *scheduler, struct trp_actor *actor,
                              const struct trp_actor_ref *other, struct trp_bytes type,
                              bool *ret_new)
{
    *ret_new = false;
    if (!trp_scheduler_is_local(scheduler, other)) {
        return link_with_remote(scheduler, actor, other, type, ret_new);
    }
    struct trp_actor *found = trp_scheduler_find(scheduler, other->id);
    return found == NULL ? link_with_dead(scheduler, actor, other)
                         : trp_link_pair(scheduler, actor, found);
}

/* ---- unmaking ---- */

enum trp_status trp_link_remove(struct trp_scheduler *scheduler, struct trp_actor *actor,
                                const struct trp_actor_ref *other)
{
    struct trp_link *link = link_find(scheduler, actor, other);
    if (link == NULL) {
        return TRP_ENOTFOUND;
    }
    trp_trace_link_removed(scheduler->trace, &(struct trp_event_link_removed){
                                                 .actor = actor->id,
                                                 .other = link->other.id,
                                                 .peer = link->local ? NULL : &link->other.peer});
    if (link->phase == TRP_LINK_DYING) {
        link_leave_owner(link);
        link->phase = TRP_LINK_CANCELLED; /* freed when it comes to the front */
        return TRP_OK;
    }
    if (link->twin != NULL) {
        trp_link_free(scheduler, link->twin);
    }
    trp_link_free(scheduler, link);
    return TRP_OK;
}

void trp_link_tell_all(struct trp_scheduler *scheduler, struct trp_actor *actor,
                       const struct trp_stop_cause *cause)
{
    struct trp_list_link *at;
    while ((at = trp_list_front(&actor->links)) != NULL) {
        struct trp_link *link = TRP_CONTAINER(at, struct trp_link, of_owner);
        link_leave_owner(link);
        if (link->twin != NULL) {
            link_die(scheduler, link->twin, cause);
            link->twin = NULL;
            trp_link_free(scheduler, link);
            continue;
        }
        link_leave_peer(scheduler, link);
        link->dead = actor->id;
        link_set_cause(scheduler, link, cause);
        trp_event_push(scheduler, &link->event, TRP_EVENT_LINK);
    }
}

/* ---- from outside ---- */

enum trp_status trp_scheduler_link(struct trp_scheduler *scheduler, uint64_t actor,
                                   const struct trp_actor_ref *other, struct trp_bytes type)
{
    struct trp_actor *found = trp_scheduler_find(scheduler, actor);
    if (found == NULL) {
        return TRP_EDEAD;
    }
    bool new;
    return trp_link_make(scheduler, found, other, type, &new);
}

enum trp_status trp_scheduler_unlink(struct trp_scheduler *scheduler, uint64_t actor,
                                     const struct trp_actor_ref *other)
{
    struct trp_actor *found = trp_scheduler_find(scheduler, actor);
    return found == NULL ? TRP_EDEAD : trp_link_remove(scheduler, found, other);
}

enum trp_status trp_scheduler_link_died(struct trp_scheduler *scheduler, uint64_t actor,
                                        const struct trp_actor_ref *dead,
                                        const struct trp_stop_cause *cause)
{
    struct trp_actor *found = trp_scheduler_find(scheduler, actor);
    struct trp_link *link = found == NULL ? NULL : link_find(scheduler, found, dead);
    if (link == NULL || link->phase != TRP_LINK_LIVE || link->local) {
        return TRP_ENOTFOUND;
    }
    link_die(scheduler, link, cause);
    return TRP_OK;
}

void trp_scheduler_peer_lost(struct trp_scheduler *scheduler, const struct trp_peer_id *peer)
{
    static const struct trp_stop_cause lost = {.root = TRP_STOP_PEER_DISCONNECTED};
    struct trp_link_peer *found;
    while ((found = peer_find(scheduler, peer)) != NULL) {
        struct trp_list_link *at = trp_list_front(&found->links);
        TRP_ASSERT(at != NULL); /* a peer without links is not kept */
        link_die(scheduler, TRP_CONTAINER(at, struct trp_link, of_peer), &lost);
    }
}

bool trp_scheduler_next_link(struct trp_scheduler *scheduler, const struct trp_peer_id *peer,
                             struct trp_sched_link *ret_link)
{
    struct trp_link_peer *found = peer_find(scheduler, peer);
    struct trp_list_link *at = found == NULL ? NULL : trp_list_pop_front(&found->links);
    if (at == NULL) {
        return false;
    }
    trp_list_push_back(&found->links, at);
    const struct trp_link *link = TRP_CONTAINER(at, struct trp_link, of_peer);
    *ret_link = (struct trp_sched_link){
        .actor = link->owner->id, .other = link->other, .other_type = trp_link_type(link)};
    return true;
}

uint32_t trp_scheduler_links_with(const struct trp_scheduler *scheduler,
                                  const struct trp_peer_id *peer)
{
    const struct trp_link_peer *found = peer_find(scheduler, peer);
    return found == NULL ? 0 : found->count;
}

void trp_link_peers_deinit(struct trp_scheduler *scheduler)
{
    struct trp_memory *uthash_memory = scheduler->memory;
    struct trp_link_peer *peer = scheduler->peers;
    HASH_CLEAR(hh, scheduler->peers);
    while (peer != NULL) {
        struct trp_link_peer *next = peer->hh.next;
        trp_memory_free(scheduler->memory, peer);
        peer = next;
    }
}
