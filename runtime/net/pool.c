/* SPDX-License-Identifier: MIT */
#include "net/pool.h"

#include "net/connection.h"

#define OPENED_FIRST 16u

struct trp_pool_peer *trp_pool_find(const struct trp_swarm *swarm, const struct trp_peer_id *id)
{
    uint32_t hash = trp_index_hash(id, sizeof *id);
    uint32_t at = hash;
    struct trp_pool_peer *peer;
    while ((peer = trp_index_next(&swarm->peers, hash, &at)) != NULL) {
        if (trp_peer_id_equal(&peer->id, id)) {
            break;
        }
    }
    return peer;
}

struct trp_pool_peer *trp_pool_obtain(struct trp_swarm *swarm, const struct trp_peer_id *id)
{
    struct trp_pool_peer *peer = trp_pool_find(swarm, id);
    if (peer != NULL) {
        return peer;
    }
    peer = trp_memory_alloc(swarm->memory, sizeof *peer);
    if (peer == NULL) {
        return NULL;
    }
    peer->id = *id;
    trp_list_init(&peer->connections);
    trp_list_init(&peer->waiting);
    if (trp_index_insert(&swarm->peers, trp_index_hash(id, sizeof *id), peer) != TRP_OK) {
        trp_memory_free(swarm->memory, peer);
        return NULL;
    }
    return peer;
}

void trp_pool_release(struct trp_swarm *swarm, struct trp_pool_peer *peer)
{
    if (peer->connections_count > 0 || peer->dial != NULL || peer->references > 0 ||
        peer->keep_alive > 0) {
        return;
    }
    trp_index_remove(&swarm->peers, trp_index_hash(&peer->id, sizeof peer->id), peer);
    trp_memory_free(swarm->memory, peer);
}

/* ---- connections ---- */

struct trp_connection *trp_pool_preferred(const struct trp_swarm *swarm,
                                          const struct trp_pool_peer *peer)
{
    bool ours = trp_peer_id_compare(&swarm->self, &peer->id) < 0;
    struct trp_connection *best = NULL;
    for (struct trp_list_link *link = trp_list_front(&peer->connections); link != NULL;
         link = trp_list_next(&peer->connections, link)) {
        struct trp_connection *c = TRP_CONTAINER(link, struct trp_connection, pool_link);
        if (!c->retiring && !c->close_due && c->answer_by == TRP_NEVER &&
            (best == NULL || c->outbound == ours || best->outbound != ours)) {
            best = c;
        }
    }
    return best;
}

/* Starts or ends the grace time of each, now that there is one more or less. */
static void pool_rank(struct trp_swarm *swarm, const struct trp_pool_peer *peer)
{
    const struct trp_connection *best = trp_pool_preferred(swarm, peer);
    for (struct trp_list_link *link = trp_list_front(&peer->connections); link != NULL;
         link = trp_list_next(&peer->connections, link)) {
        struct trp_connection *c = TRP_CONTAINER(link, struct trp_connection, pool_link);
        if (best == NULL || c == best) {
            c->grace_until = TRP_NEVER;
        } else if (c->grace_until == TRP_NEVER) {
            c->grace_until = trp_time_after(swarm->now, TRP_DUPLICATE_GRACE_NS);
            trp_connection_touch(swarm, c);
        }
    }
}

/* Closes the gaps that closed connections left. */
static void opened_compact(struct trp_swarm *swarm)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < swarm->opened_count; i++) {
        struct trp_connection *c = trp_slab_find(&swarm->connections, swarm->opened[i]);
        if (c != NULL && c->state == TRP_CONNECTION_OPEN) {
            c->order = kept;
            swarm->opened[kept++] = c->id;
        }
    }
    swarm->opened_count = kept;
}

enum trp_status trp_pool_reserve(struct trp_swarm *swarm)
{
    if (swarm->opened_count < swarm->opened_capacity) {
        return TRP_OK;
    }
    if (swarm->open_count < swarm->opened_count / 2) {
        opened_compact(swarm);
        return TRP_OK;
    }
    uint32_t capacity = swarm->opened_capacity == 0 ? OPENED_FIRST : 2 * swarm->opened_capacity;
    void *opened =
        trp_memory_resize(swarm->memory, swarm->opened, capacity * sizeof *swarm->opened);
    if (opened == NULL) {
        return TRP_ENOMEM;
    }
    swarm->opened = opened;
    swarm->opened_capacity = capacity;
    return TRP_OK;
}

void trp_pool_add(struct trp_swarm *swarm, struct trp_pool_peer *peer, struct trp_connection *c)
{
    c->peer = peer;
    c->peer_id = peer->id;
    c->order = swarm->opened_count;
    swarm->opened[swarm->opened_count++] = c->id;
    swarm->open_count++;
    trp_list_push_back(&peer->connections, &c->pool_link);
    peer->connections_count++;
    if (peer->dial != NULL) {
        peer->dial->connected = true;
    }
    pool_rank(swarm, peer);
}

void trp_pool_remove(struct trp_swarm *swarm, struct trp_connection *c)
{
    swarm->opened[c->order] = 0;
    swarm->open_count--;
    trp_list_link_remove(&c->pool_link);
    c->peer->connections_count--;
    if (c->peer->connections_count == 0) { /* it may come back as another program */
        c->peer->spoken_count = 0;
    }
    pool_rank(swarm, c->peer);
}

/* ---- protocols ---- */

/* FNV-1a. Two protocols of one hash would cost a refused proposal, no more. */
static uint32_t protocol_hash(const char *protocol)
{
    uint32_t hash = 0x811c9dc5u;
    for (; *protocol != '\0'; protocol++) {
        hash = (hash ^ (uint8_t)*protocol) * 0x01000193u;
    }
    return hash;
}

static uint32_t spoken_find(const struct trp_pool_peer *peer, uint32_t hash)
{
    uint32_t at = 0;
    while (at < peer->spoken_count && peer->spoken[at] != hash) {
        at++;
    }
    return at;
}

bool trp_pool_speaks(const struct trp_pool_peer *peer, const char *protocol)
{
    return spoken_find(peer, protocol_hash(protocol)) < peer->spoken_count;
}

void trp_pool_learn(struct trp_pool_peer *peer, const char *protocol)
{
    uint32_t hash = protocol_hash(protocol);
    if (peer->spoken_count < TRP_SPOKEN_MAX && spoken_find(peer, hash) == peer->spoken_count) {
        peer->spoken[peer->spoken_count++] = hash;
    }
}

void trp_pool_unlearn(struct trp_pool_peer *peer, const char *protocol)
{
    uint32_t at = spoken_find(peer, protocol_hash(protocol));
    if (at < peer->spoken_count) {
        peer->spoken[at] = peer->spoken[--peer->spoken_count];
    }
}

void trp_pool_note_address(struct trp_swarm *swarm, const struct trp_peer_id *id,
                           const struct trp_multiaddr *address, enum trp_address_source source)
{
    enum trp_status status = trp_peer_store_insert(&swarm->store, id, address, source);
    if (status == TRP_EFULL && swarm->store.slab.count >= swarm->limits->peers_known) {
        trp_net_limit_reached(&swarm->limit_marks, swarm->trace, swarm->limits,
                              TRP_NET_PEERS_KNOWN);
    }
}
