/* SPDX-License-Identifier: MIT */
/* Is a peer that has links with us still there?
 *
 * It is kept connected, its silence is probed by the muxer, and it is dialed again when its last
 * connection goes. Only when that fails, too, are the links dead: never because a connection
 * idled or one of two was closed. After a reconnection, and now and then, the other side is asked
 * about the links: it may have been restarted, or have given us up.
 *
 *     watched ── last connection lost ──► redialing ── connected ──► watched, all links asked about
 *                                             └── dial failed, or link_redial_ns ──► lost
 *
 * A link that died here with its peer is remembered for a while: if the peer had not noticed
 * anything, it still has its half, and hears of the death when it asks. */
#include "remote/state.h"

#define VERIFYING_MAX 8u /* questions about links under way to one peer */
#define SEVERED_SPANS 3u /* of link_verify_ns, for which a severed link is remembered */

struct linked_peer {
    struct trp_peer_id id;
    bool was_connected;
    bool redialing;
    trp_time redial_until;
    trp_time verify_at;
    uint32_t verify_left; /* links to be asked about now */
    uint32_t verifying;   /* under way */
    struct trp_heap_entry timer;
    UT_hash_handle hh;
};

static struct linked_peer *liveness_find(const struct trp_remote *remote,
                                         const struct trp_peer_id *peer)
{
    struct linked_peer *linked;
    HASH_FIND(hh, remote->linked, peer, sizeof *peer, linked);
    return linked;
}

/* ---- severed links ---- */

static void severed_add(struct trp_remote *remote, const struct trp_sched_link *link)
{
    if (remote->severed == NULL) {
        remote->severed =
            trp_memory_alloc(remote->config.memory, SEVERED_MAX * sizeof *remote->severed);
    }
    if (remote->severed == NULL) {
        return; /* then the other side may take up the link again */
    }
    remote->severed[remote->severed_next % SEVERED_MAX] = (struct severed){
        .actor = link->actor,
        .other = link->other,
        .until = trp_time_after(trp_swarm_now(remote->swarm),
                                SEVERED_SPANS * remote->config.limits->link_verify_ns)};
    remote->severed_next++;
}

static struct severed *severed_find(struct trp_remote *remote, uint64_t actor,
                                    const struct trp_actor_ref *other)
{
    for (uint32_t i = 0; remote->severed != NULL && i < SEVERED_MAX; i++) {
        struct severed *severed = &remote->severed[i];
        if (severed->actor == actor && trp_actor_ref_equal(&severed->other, other)) {
            return severed;
        }
    }
    return NULL;
}

void trp_remote_forget_severed(struct trp_remote *remote, uint64_t actor,
                               const struct trp_actor_ref *other)
{
    struct severed *severed = severed_find(remote, actor, other);
    if (severed != NULL) {
        severed->actor = 0;
    }
}

bool trp_remote_was_severed(struct trp_remote *remote, uint64_t actor,
                            const struct trp_actor_ref *other)
{
    struct severed *severed = severed_find(remote, actor, other);
    bool was = severed != NULL && trp_swarm_now(remote->swarm) < severed->until;
    trp_remote_forget_severed(remote, actor, other);
    return was;
}

/* ---- watching ---- */

/* Moves its timer to what comes next. Moving an entry that is in the heap needs no memory. */
static void liveness_arm(struct trp_remote *remote, struct linked_peer *linked)
{
    trp_time at = linked->redialing ? linked->redial_until : linked->verify_at;
    TRP_IGNORE(trp_heap_insert(&remote->liveness, &linked->timer, at, remote->liveness_ties++));
}

static void liveness_unwatch(struct trp_remote *remote, struct linked_peer *linked)
{
    struct trp_memory *uthash_memory = remote->config.memory;
    trp_swarm_keep_alive(remote->swarm, &linked->id, -1);
    trp_heap_remove(&remote->liveness, &linked->timer);
    HASH_DELETE(hh, remote->linked, linked);
    trp_memory_free(uthash_memory, linked);
}

static void liveness_lost(struct trp_remote *remote, struct linked_peer *linked,
                          enum trp_status status)
{
    struct trp_peer_id peer = linked->id;
    trp_trace_peer_lost(remote->config.trace,
                        &(struct trp_event_peer_lost){.peer = &peer, .status = status});
    liveness_unwatch(remote, linked);
    uint32_t links = trp_scheduler_links_with(remote->config.scheduler, &peer);
    struct trp_sched_link link;
    while (links-- > 0 && trp_scheduler_next_link(remote->config.scheduler, &peer, &link)) {
        severed_add(remote, &link);
    }
    trp_scheduler_peer_lost(remote->config.scheduler, &peer);
}

static void liveness_redial(struct trp_remote *remote, struct linked_peer *linked)
{
    const struct trp_dial_request request = {.peer = linked->id};
    enum trp_status status = trp_swarm_dial(remote->swarm, &request);
    if (status != TRP_OK && status != TRP_EEXISTS && status != TRP_ENOADDRESS) {
        liveness_lost(remote, linked, status);
        return;
    }
    linked->redialing = true;
    linked->redial_until =
        trp_time_after(trp_swarm_now(remote->swarm), remote->config.limits->link_redial_ns);
    liveness_arm(remote, linked);
}

static enum trp_status liveness_watch(struct trp_remote *remote, const struct trp_peer_id *peer)
{
    struct trp_memory *uthash_memory = remote->config.memory;
    struct linked_peer *linked = trp_memory_alloc(uthash_memory, sizeof *linked);
    if (linked == NULL) {
        return TRP_ENOMEM;
    }
    linked->id = *peer;
    linked->verify_at =
        trp_time_after(trp_swarm_now(remote->swarm), remote->config.limits->link_verify_ns);
    enum trp_status status = trp_heap_insert(&remote->liveness, &linked->timer, linked->verify_at,
                                             remote->liveness_ties++);
    if (status == TRP_OK) {
        HASH_ADD(hh, remote->linked, id, sizeof linked->id, linked);
        status = linked->hh.tbl == NULL ? TRP_ENOMEM : TRP_OK;
    }
    if (status != TRP_OK) {
        trp_heap_remove(&remote->liveness, &linked->timer);
        trp_memory_free(uthash_memory, linked);
        return status;
    }
    trp_swarm_keep_alive(remote->swarm, peer, 1);
    linked->was_connected = trp_swarm_connections_to(remote->swarm, peer) > 0;
    if (!linked->was_connected) {
        liveness_redial(remote, linked);
    }
    return TRP_OK;
}

void trp_remote_update_linked(struct trp_remote *remote, const struct trp_peer_id *peer)
{
    struct linked_peer *linked = liveness_find(remote, peer);
    bool has_links = trp_scheduler_links_with(remote->config.scheduler, peer) > 0;
    if (has_links && linked == NULL) {
        if (liveness_watch(remote, peer) != TRP_OK) {
            trp_scheduler_peer_lost(remote->config.scheduler, peer); /* a link we cannot keep */
        }
    } else if (!has_links && linked != NULL) {
        liveness_unwatch(remote, linked);
    }
}

/* ---- asking about links ---- */

static void liveness_verify(struct trp_remote *remote, struct linked_peer *linked)
{
    struct trp_sched_link link;
    while (linked->verify_left > 0 && linked->verifying < VERIFYING_MAX &&
           trp_scheduler_next_link(remote->config.scheduler, &linked->id, &link)) {
        linked->verify_left--;
        linked->verifying += trp_remote_verify_link(remote, &link);
    }
}

void trp_remote_verified(struct trp_remote *remote, const struct trp_peer_id *peer)
{
    struct linked_peer *linked = liveness_find(remote, peer);
    if (linked != NULL) {
        linked->verifying -= linked->verifying > 0;
        liveness_verify(remote, linked);
    }
}

/* ---- what the swarm tells ---- */

void trp_remote_connected(void *self, const struct trp_connection_info *connection)
{
    struct trp_remote *remote = self;
    struct linked_peer *linked = liveness_find(remote, &connection->peer);
    if (linked == NULL || !linked->redialing) {
        return;
    }
    linked->redialing = false;
    if (linked->was_connected) { /* else the first link is being asked for right now */
        linked->verify_left = trp_scheduler_links_with(remote->config.scheduler, &linked->id);
    }
    linked->was_connected = true;
    liveness_arm(remote, linked);
    liveness_verify(remote, linked);
}

void trp_remote_disconnected(void *self, const struct trp_connection_info *connection,
                             enum trp_status reason)
{
    (void)reason;
    struct trp_remote *remote = self;
    struct linked_peer *linked = liveness_find(remote, &connection->peer);
    if (linked != NULL && connection->peer_connections == 0) {
        liveness_redial(remote, linked);
    }
}

void trp_remote_dial_failed(void *self, const struct trp_dial_report *report)
{
    struct trp_remote *remote = self;
    struct linked_peer *linked = liveness_find(remote, &report->peer);
    /* A peer that we cannot dial may dial us; it has as long as a dial of ours. */
    if (linked != NULL && linked->redialing && report->status != TRP_ENOADDRESS &&
        trp_swarm_connections_to(remote->swarm, &report->peer) == 0) {
        liveness_lost(remote, linked, report->status);
    }
}

trp_time trp_remote_liveness_deadline(const void *self)
{
    const struct trp_remote *remote = self;
    return trp_heap_deadline(&remote->liveness);
}

void trp_remote_liveness_expire(void *self, trp_time now)
{
    struct trp_remote *remote = self;
    while (trp_heap_deadline(&remote->liveness) <= now) {
        struct linked_peer *linked =
            TRP_CONTAINER(trp_heap_front(&remote->liveness), struct linked_peer, timer);
        if (linked->redialing) {
            liveness_lost(remote, linked, TRP_ETIMEDOUT);
            continue;
        }
        linked->verify_at = trp_time_after(now, remote->config.limits->link_verify_ns);
        linked->verify_left += linked->verify_left == 0;
        liveness_arm(remote, linked);
        liveness_verify(remote, linked);
    }
}

/* ---- the end ---- */

void trp_remote_say_goodbye(struct trp_remote *remote)
{
    static const struct trp_stop_cause goodbye = {.root = TRP_STOP_PEER_DISCONNECTED};
    while (remote->linked != NULL) {
        struct trp_peer_id peer = remote->linked->id;
        uint32_t links = trp_scheduler_links_with(remote->config.scheduler, &peer);
        struct trp_sched_link link;
        while (links-- > 0 && trp_scheduler_next_link(remote->config.scheduler, &peer, &link)) {
            trp_remote_send_signal(remote, &link, &goodbye);
        }
        trp_scheduler_peer_lost(remote->config.scheduler, &peer);
        trp_remote_update_linked(remote, &peer);
    }
}

void trp_remote_close_linked(struct trp_remote *remote)
{
    struct trp_memory *uthash_memory = remote->config.memory;
    struct linked_peer *linked;
    struct linked_peer *next;
    trp_heap_free(&remote->liveness);
    HASH_ITER(hh, remote->linked, linked, next)
    {
        HASH_DELETE(hh, remote->linked, linked);
        trp_memory_free(uthash_memory, linked);
    }
    trp_memory_free(uthash_memory, remote->severed);
}
