/* SPDX-License-Identifier: MIT */
#include "node/bootstrap.h"

struct bootstrap_peer {
    struct trp_multiaddr address; /* without /p2p */
    struct trp_peer_id peer;      /* size 0 until it is known */
    bool once;
    trp_time dial_at; /* TRP_NEVER: connected, or being dialed */
};

struct trp_bootstrap {
    struct trp_memory *memory;
    struct trp_kad *kad;
    struct trp_swarm *swarm;
    uint32_t count;
    struct bootstrap_peer peers[TRP_BOOTSTRAP_PEERS_MAX];
};

static void bootstrap_attach(void *self, struct trp_swarm *swarm, uint32_t index)
{
    (void)index;
    struct trp_bootstrap *bootstrap = self;
    bootstrap->swarm = swarm;
}

static void bootstrap_remove(struct trp_bootstrap *bootstrap, uint32_t index)
{
    bootstrap->peers[index] = bootstrap->peers[--bootstrap->count];
}

static trp_time bootstrap_later(const struct trp_bootstrap *bootstrap)
{
    return trp_time_after(trp_swarm_now(bootstrap->swarm),
                          trp_swarm_limits(bootstrap->swarm)->bootstrap_redial_ns);
}

/* Says whether the DHT knows the peer: then it is reached through it when need be. */
static bool bootstrap_is_known(const struct trp_bootstrap *bootstrap,
                               const struct trp_peer_id *peer)
{
    return bootstrap->kad != NULL && peer->size > 0 && trp_kad_knows_peer(bootstrap->kad, peer);
}

static void bootstrap_dial(struct trp_bootstrap *bootstrap, struct bootstrap_peer *peer)
{
    peer->dial_at = bootstrap_later(bootstrap);
    if (bootstrap_is_known(bootstrap, &peer->peer)) {
        return;
    }
    const struct trp_dial_request request = {
        .peer = peer->peer, .addresses = &peer->address, .addresses_count = 1};
    enum trp_status status = trp_swarm_dial(bootstrap->swarm, &request);
    if (status == TRP_EINVAL) {
        peer->dial_at = TRP_NEVER; /* it is ourselves */
    }
}

enum trp_status trp_bootstrap_peers_add(struct trp_bootstrap *bootstrap,
                                        const struct trp_multiaddr *address, bool once)
{
    struct bootstrap_peer peer = {.once = once, .address = trp_multiaddr_without_peer(address)};
    if (trp_multiaddr_peer(address, &peer.peer) != TRP_OK) {
        peer.peer = (struct trp_peer_id){0};
    }
    for (uint32_t i = 0; i < bootstrap->count; i++) {
        if (trp_multiaddr_equal(&bootstrap->peers[i].address, &peer.address)) {
            return TRP_EEXISTS;
        }
    }
    if (bootstrap->count == TRP_BOOTSTRAP_PEERS_MAX) {
        return TRP_EFULL;
    }
    if (peer.peer.size > 0) {
        trp_swarm_add_address(bootstrap->swarm, &peer.peer, &peer.address,
                              once ? TRP_ADDRESS_CONNECTED : TRP_ADDRESS_USER);
    }
    struct bootstrap_peer *added = &bootstrap->peers[bootstrap->count++];
    *added = peer;
    bootstrap_dial(bootstrap, added);
    return TRP_OK;
}

static bool bootstrap_matches(const struct bootstrap_peer *peer, const struct trp_peer_id *id,
                              const struct trp_multiaddr *remote)
{
    return peer->peer.size > 0 ? trp_peer_id_equal(&peer->peer, id)
                               : trp_multiaddr_equal(&peer->address, remote);
}

static void bootstrap_connected(void *self, const struct trp_connection_info *connection)
{
    struct trp_bootstrap *bootstrap = self;
    for (uint32_t i = 0; i < bootstrap->count; i++) {
        struct bootstrap_peer *peer = &bootstrap->peers[i];
        if (bootstrap_matches(peer, &connection->peer, &connection->remote)) {
            peer->peer = connection->peer;
            peer->dial_at = TRP_NEVER;
            if (peer->once) {
                bootstrap_remove(bootstrap, i--);
            }
        }
    }
}

static void bootstrap_disconnected(void *self, const struct trp_connection_info *connection,
                                   enum trp_status reason)
{
    (void)reason;
    struct trp_bootstrap *bootstrap = self;
    for (uint32_t i = 0; i < bootstrap->count; i++) {
        struct bootstrap_peer *peer = &bootstrap->peers[i];
        if (connection->peer_connections == 0 &&
            bootstrap_matches(peer, &connection->peer, &connection->remote)) {
            peer->dial_at = bootstrap_later(bootstrap);
        }
    }
}

static void bootstrap_dial_failed(void *self, const struct trp_dial_report *report)
{
    struct trp_bootstrap *bootstrap = self;
    for (uint32_t i = 0; i < bootstrap->count; i++) {
        struct bootstrap_peer *peer = &bootstrap->peers[i];
        bool mine = report->peer.size > 0 && trp_peer_id_equal(&peer->peer, &report->peer);
        for (uint32_t k = 0; k < report->attempts_count && !mine; k++) {
            mine = trp_multiaddr_equal(&peer->address, &report->attempts[k].address);
        }
        if (mine && peer->once) {
            bootstrap_remove(bootstrap, i--);
        } else if (mine) {
            peer->dial_at = bootstrap_later(bootstrap);
        }
    }
}

static trp_time bootstrap_deadline(const void *self)
{
    const struct trp_bootstrap *bootstrap = self;
    trp_time deadline = TRP_NEVER;
    for (uint32_t i = 0; i < bootstrap->count; i++) {
        deadline = trp_time_min(deadline, bootstrap->peers[i].dial_at);
    }
    return deadline;
}

static void bootstrap_expire(void *self, trp_time now)
{
    struct trp_bootstrap *bootstrap = self;
    for (uint32_t i = 0; i < bootstrap->count; i++) {
        if (bootstrap->peers[i].dial_at <= now) {
            bootstrap_dial(bootstrap, &bootstrap->peers[i]);
        }
    }
}

static const struct trp_behaviour_ops bootstrap_ops = {.name = "bootstrap",
                                                       .attach = bootstrap_attach,
                                                       .connected = bootstrap_connected,
                                                       .disconnected = bootstrap_disconnected,
                                                       .dial_failed = bootstrap_dial_failed,
                                                       .deadline = bootstrap_deadline,
                                                       .expire = bootstrap_expire};

struct trp_behaviour trp_bootstrap_peers_behaviour(struct trp_bootstrap *bootstrap)
{
    return (struct trp_behaviour){.ops = &bootstrap_ops, .self = bootstrap};
}

enum trp_status trp_bootstrap_peers_open(struct trp_memory *memory, struct trp_kad *kad,
                                         struct trp_bootstrap **ret_bootstrap)
{
    struct trp_bootstrap *bootstrap = trp_memory_alloc(memory, sizeof *bootstrap);
    if (bootstrap == NULL) {
        return TRP_ENOMEM;
    }
    bootstrap->memory = memory;
    bootstrap->kad = kad;
    *ret_bootstrap = bootstrap;
    return TRP_OK;
}

void trp_bootstrap_peers_close(struct trp_bootstrap *bootstrap)
{
    if (bootstrap != NULL) {
        trp_memory_free(bootstrap->memory, bootstrap);
    }
}
