/* SPDX-License-Identifier: MIT */
/* What a node is made of, from its configuration; and how it is taken apart. */
#include "base/assert.h"
#include "base/endian.h"
#include "crypto/crypto.h"
#include "node/saved.h"
#include "node/state.h"
#include "proto/kad/query.h"
#include "wire/public_key.h"

#define OWN_BEHAVIOURS 8u /* at most */
#define AGENT          "troupe/" TRP_VERSION

static bool all_zero(const uint8_t *bytes, size_t size)
{
    uint8_t any = 0;
    for (size_t i = 0; i < size; i++) {
        any |= bytes[i];
    }
    return any == 0;
}

static void node_make_identity(struct trp_node *node, const struct trp_node_config *config)
{
    uint8_t seed[32];
    if (all_zero(config->identity, sizeof config->identity)) {
        struct trp_drbg drbg;
        trp_drbg_init(&drbg, config->seed, "identity");
        trp_drbg_fill(&drbg, seed, sizeof seed);
        trp_crypto_wipe(&drbg, sizeof drbg);
    } else {
        memcpy(seed, config->identity, sizeof seed);
    }
    trp_keypair_from_seed(seed, &node->identity);
    trp_crypto_wipe(seed, sizeof seed);
    trp_peer_id_from_key(&node->identity.public_key, &node->peer);
    trp_drbg_init(&node->drbg, config->seed, "swarm");
}

/* Derives the seed of a module's keyed draws. */
static uint64_t node_draw_seed(const struct trp_node_config *config, const char *purpose)
{
    struct trp_drbg drbg;
    uint8_t bytes[8];
    trp_drbg_init(&drbg, config->seed, purpose);
    trp_drbg_fill(&drbg, bytes, sizeof bytes);
    trp_crypto_wipe(&drbg, sizeof drbg);
    return trp_load_le64(bytes);
}

static enum trp_status node_open_actors(struct trp_node *node, const struct trp_node_config *config)
{
    const struct trp_scheduler_config scheduler = {.memory = &node->memory,
                                                   .trace = &node->trace,
                                                   .limits = &node->limits,
                                                   .self = &node->peer,
                                                   .types = config->actor_types,
                                                   .types_count = config->actor_types_count,
                                                   .seed = node_draw_seed(config, "actors"),
                                                   .now = config->now};
    return trp_scheduler_open(&scheduler, &node->scheduler);
}

static enum trp_status node_open_kameo(struct trp_node *node, const struct trp_node_config *config)
{
    const struct trp_messaging_config messaging = {.protocol = TRP_PROTOCOL_MESSAGING};
    const struct trp_messaging_parts messaging_parts = {.memory = &node->memory,
                                                        .trace = &node->trace};
    const struct trp_registry_config registry = {.protocol = config->kad_protocol,
                                                 .client = config->kad_client,
                                                 .seed = node_draw_seed(config, "kad")};
    const struct trp_registry_parts registry_parts = {.memory = &node->memory,
                                                      .trace = &node->trace};
    enum trp_status status =
        trp_messaging_open_with(&messaging, &messaging_parts, &node->messaging);
    if (status == TRP_OK) {
        status = trp_registry_open_with(&registry, &registry_parts, &node->registry);
    }
    if (status == TRP_OK) {
        node->kad = trp_registry_kad(node->registry);
    }
    return status;
}

static enum trp_status node_open_protocols(struct trp_node *node,
                                           const struct trp_node_config *config)
{
    const struct trp_ping_config ping = {
        .memory = &node->memory, .trace = &node->trace, .seed = node_draw_seed(config, "ping")};
    const struct trp_identify_config identify = {.memory = &node->memory,
                                                 .trace = &node->trace,
                                                 .identity = &node->identity,
                                                 .memo = node->memo,
                                                 .agent =
                                                     config->agent != NULL ? config->agent : AGENT,
                                                 .unix_offset_ns = config->unix_ns - config->now};
    enum trp_status status = node_open_kameo(node, config);
    if (status == TRP_OK) {
        status = trp_ping_open(&ping, &node->ping);
    }
    if (status == TRP_OK) {
        status = trp_identify_open(&identify, &node->identify);
    }
    return status;
}

/* A peer that was just found is dialed when the DHT does not know it; later, only while the DHT
 * knows few. The rest of a large network finds each other through the DHT. */
static bool node_dials(void *user, const struct trp_peer_id *peer, bool fresh)
{
    const struct trp_node *node = user;
    const struct trp_mdns_config *config = &node->mdns_config;
    struct trp_kad_view kad;
    if (config->dials != NULL) {
        return config->dials(config->user, peer, fresh);
    }
    if (node->kad == NULL) {
        return fresh;
    }
    trp_kad_inspect(node->kad, &kad);
    return (fresh || kad.peers < TRP_KAD_K) && !trp_kad_knows_peer(node->kad, peer);
}

static void node_on_mdns(void *user, const struct trp_mdns_event *event)
{
    const struct trp_node *node = user;
    if (node->mdns_config.event != NULL) {
        node->mdns_config.event(node->mdns_config.user, event);
    }
}

static enum trp_status node_open_mdns(struct trp_node *node, const struct trp_node_config *config)
{
    node->mdns_config = config->mdns_config;
    if (config->mdns != TRP_MDNS_ON) {
        return TRP_OK;
    }
    struct trp_mdns_config mdns = config->mdns_config;
    mdns.seed = mdns.seed != 0 ? mdns.seed : node_draw_seed(config, "mdns");
    mdns.dials = node_dials;
    mdns.event = node_on_mdns;
    mdns.user = node;
    return trp_mdns_open_within(&node->memory, &node->trace, &mdns, &node->mdns);
}

static enum trp_status node_open_remote(struct trp_node *node, const struct trp_node_config *config)
{
    const struct trp_remote_config remote = {.memory = &node->memory,
                                             .trace = &node->trace,
                                             .limits = &node->limits,
                                             .self = &node->peer,
                                             .scheduler = node->scheduler,
                                             .messaging = node->messaging,
                                             .registry = node->registry,
                                             .access = config->access,
                                             .access_count = config->access_count,
                                             .accept_unlinked_deaths =
                                                 config->accept_unlinked_deaths};
    return trp_remote_open(&remote, &node->remote);
}

/* Actors and what they need; nothing in a bare node. */
static enum trp_status node_open_ours(struct trp_node *node, const struct trp_node_config *config)
{
    if (config->bare) {
        return TRP_OK;
    }
    enum trp_status status = node_open_actors(node, config);
    if (status == TRP_OK) {
        status = node_open_protocols(node, config);
    }
    return status == TRP_OK ? node_open_remote(node, config) : status;
}

/* Lists ours first, then the user's; returns how many. */
static uint32_t node_list_behaviours(struct trp_node *node, const struct trp_node_config *config)
{
    uint32_t count = 0;
    struct trp_behaviour *list = node->behaviours;
    if (!config->bare) {
        list[count++] = trp_identify_behaviour(node->identify);
        list[count++] = trp_ping_behaviour(node->ping);
        list[count++] = trp_registry_behaviour(node->registry);
        list[count++] = trp_messaging_behaviour(node->messaging);
        if (!config->kameo_only) {
            list[count++] = trp_messaging_own_behaviour(node->messaging);
        }
        list[count++] = trp_remote_behaviour(node->remote);
    }
    list[count++] = trp_bootstrap_peers_behaviour(node->bootstrap);
    if (node->mdns != NULL) {
        list[count++] = trp_mdns_behaviour(node->mdns);
    }
    for (uint32_t i = 0; i < config->behaviours_count; i++) {
        list[count++] = config->behaviours[i];
    }
    return count;
}

static enum trp_status node_open_swarm(struct trp_node *node, const struct trp_node_config *config)
{
    node->behaviours = trp_memory_alloc(&node->memory, (OWN_BEHAVIOURS + config->behaviours_count) *
                                                           sizeof *node->behaviours);
    if (node->behaviours == NULL) {
        return TRP_ENOMEM;
    }
    uint32_t count = node_list_behaviours(node, config);
    const struct trp_swarm_config swarm = {
        .memory = &node->memory,
        .trace = &node->trace,
        .drbg = &node->drbg,
        .identity = &node->identity,
        .memo = node->memo,
        .agreements = config->crypto_memo == NULL ? NULL : &config->crypto_memo->agreements,
        .limits = &node->limits,
        .seed = node_draw_seed(config, "pending"),
        .plaintext = config->security == TRP_SECURITY_PLAINTEXT,
        .now = config->now,
        .behaviours = node->behaviours,
        .behaviours_count = count};
    return trp_swarm_open(&swarm, &node->swarm);
}

/* Dials the peers of an earlier life. Bytes that do not decode are as good as none. */
static void node_restore(struct trp_node *node, struct trp_bytes saved)
{
    size_t at = 0;
    struct trp_saved_peer peer;
    enum trp_status status;
    while ((status = trp_saved_next(saved, &at, &peer)) == TRP_OK) {
        struct trp_multiaddr address;
        for (uint32_t i = 0; i < peer.addresses_count; i++) {
            if (trp_multiaddr_with_peer(&peer.addresses[i], &peer.peer, &address) == TRP_OK) {
                TRP_IGNORE(
                    trp_bootstrap_peers_add(node->bootstrap, &address, true)); /* best effort */
            }
        }
    }
    if (status != TRP_ENOTFOUND) {
        trp_trace_saved_refused(
            &node->trace, &(struct trp_event_saved_refused){.status = status, .bytes = saved.size});
    }
}

enum trp_status trp_node_open(const struct trp_node_config *config, struct trp_node **ret_node)
{
    struct trp_limits limits = config->limits;
    trp_crypto_init();
    enum trp_status status = trp_limits_complete(&limits, NULL);
    if (status != TRP_OK) {
        return status;
    }
    struct trp_memory outside = trp_memory_init(limits.memory_bytes);
    outside.blocks = config->blocks;
    struct trp_node *node = trp_memory_alloc(&outside, sizeof *node);
    if (node == NULL) {
        return TRP_ENOMEM;
    }
    node->memory = outside;
    node->own_memo = trp_signature_memo_init(&node->memory, TRP_SIGNATURE_MEMO_MAX);
    node->memo = config->crypto_memo == NULL ? &node->own_memo : &config->crypto_memo->signatures;
    node->limits = limits;
    node->now = config->now;
    node->trace = (struct trp_trace){
        .recorder = config->recorder, .node = config->trace_node, .now = config->now};
    node->saved = trp_buffer_init(&node->memory, TRP_SAVED_BYTES_MAX);
    node->peers_list = trp_buffer_init(&node->memory, limits.response_bytes);
    node->save_at = trp_time_after(config->now, NODE_SAVE_FIRST_NS);
    node_make_identity(node, config);
    status = node_open_ours(node, config);
    if (status == TRP_OK) {
        status = trp_bootstrap_peers_open(&node->memory, node->kad, &node->bootstrap);
    }
    if (status == TRP_OK) {
        status = node_open_mdns(node, config);
    }
    if (status == TRP_OK) {
        status = node_open_swarm(node, config);
    }
    if (status != TRP_OK) {
        trp_node_close(node, config->now);
        return status;
    }
    node->trace.cause =
        trp_trace_node_opened(&node->trace, &(struct trp_event_node_opened){.peer = &node->peer});
    node_restore(node, config->saved);
    *ret_node = node;
    return TRP_OK;
}

void trp_node_close(struct trp_node *node, trp_time now)
{
    if (node == NULL) {
        return;
    }
    node->trace.now = now > node->now ? now : node->now;
    trp_trace_node_closed(&node->trace, &(struct trp_event_node_closed){.peer = &node->peer});
    trp_swarm_close(node->swarm);
    trp_mdns_close(node->mdns);
    trp_remote_close(node->remote);
    trp_bootstrap_peers_close(node->bootstrap);
    trp_identify_close(node->identify);
    trp_ping_close(node->ping);
    trp_registry_close(node->registry);
    trp_messaging_close(node->messaging);
    trp_scheduler_close(node->scheduler);
    trp_signature_memo_deinit(&node->own_memo);
    trp_memory_free(&node->memory, node->behaviours);
    trp_buffer_free(&node->saved);
    trp_buffer_free(&node->peers_list);
    trp_crypto_wipe(&node->identity, sizeof node->identity);
    trp_crypto_wipe(&node->drbg, sizeof node->drbg);
    struct trp_memory outside = node->memory;
    trp_memory_free(&outside, node);
    TRP_ASSERT(outside.used_bytes == 0);
}
