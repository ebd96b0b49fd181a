/* SPDX-License-Identifier: MIT */
/* A peer that has links with us is watched: kept connected, pinged, and redialed when its last
 * connection goes. Only when the redial fails too are the links dead, never because a connection
 * idled or one of two was closed. */
#include "remote/state.h"

static struct linked_peer *liveness_find(const struct trp_remote *remote,
                                         const struct trp_peer_id *peer)
{
    struct linked_peer *linked;
    HASH_FIND(hh, remote->linked, peer, sizeof *peer, linked);
    return linked;
}

static void liveness_unwatch(struct trp_remote *remote, struct linked_peer *linked)
{
    struct trp_memory *uthash_memory = remote->config.memory;
    TRP_IGNORE(trp_ping_watch(remote->config.ping, &linked->id, -1)); /* only +1 can fail */
    trp_swarm_keep_alive(remote->swarm, &linked->id, -1);
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
    trp_scheduler_peer_lost(remote->config.scheduler, &peer);
}

static void liveness_redial(struct trp_remote *remote, struct linked_peer *linked)
{
    const struct trp_dial_request request = {.peer = linked->id};
    enum trp_status status = trp_swarm_dial(remote->swarm, &request);
    if (status == TRP_OK || status == TRP_EEXISTS) {
        linked->redialing = true;
    } else {
        liveness_lost(remote, linked, status);
    }
}

static enum trp_status liveness_watch(struct trp_remote *remote, const struct trp_peer_id *peer)
{
    struct trp_memory *uthash_memory = remote->config.memory;
    struct linked_peer *linked = trp_memory_alloc(uthash_memory, sizeof *linked);
    if (linked == NULL) {
        return TRP_ENOMEM;
    }
    linked->id = *peer;
    HASH_ADD(hh, remote->linked, id, sizeof linked->id, linked);
    if (linked->hh.tbl == NULL) {
        trp_memory_free(uthash_memory, linked);
        return TRP_ENOMEM;
    }
    trp_swarm_keep_alive(remote->swarm, peer, 1);
    enum trp_status status = trp_ping_watch(remote->config.ping, peer, 1);
    if (status != TRP_OK) {
        trp_swarm_keep_alive(remote->swarm, peer, -1);
        HASH_DELETE(hh, remote->linked, linked);
        trp_memory_free(uthash_memory, linked);
        return status;
    }
    if (trp_swarm_connections_to(remote->swarm, peer) == 0) {
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

void trp_remote_connected(void *self, const struct trp_connection_info *connection)
{
    struct trp_remote *remote = self;
    struct linked_peer *linked = liveness_find(remote, &connection->peer);
    if (linked != NULL) {
        linked->redialing = false;
    }
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
    if (linked != NULL && linked->redialing &&
        trp_swarm_connections_to(remote->swarm, &report->peer) == 0) {
        liveness_lost(remote, linked, report->status);
    }
}

void trp_remote_close_linked(struct trp_remote *remote)
{
    struct trp_memory *uthash_memory = remote->config.memory;
    struct linked_peer *linked;
    struct linked_peer *next;
    HASH_ITER(hh, remote->linked, linked, next)
    {
        HASH_DELETE(hh, remote->linked, linked);
        trp_memory_free(uthash_memory, linked);
    }
}
