/* SPDX-License-Identifier: MIT */
/* lib/kad_network.h - kad nodes on fake swarms: opening, introducing, asking, looking inside. */
#ifndef LIB_KAD_NETWORK_H
#define LIB_KAD_NETWORK_H

#include "behaviour/kad.h"
#include "lib/fake_swarm.h"
#include "lib/test.h"
#include "proto/kad/query.h"

#define PROTOCOL   "/test/kad/1.0.0"
#define WITHDRAWAL "/test/kad/1.0.0/withdraw"

struct network {
    struct fake_world world;
    struct trp_kad **kads;
};

static inline void node_open(struct network *network, uint32_t index, bool client,
                             struct trp_kad_policy policy)
{
    struct trp_swarm *node = &network->world.nodes[index];
    struct trp_kad_config config = {.memory = &node->memory,
                                    .trace = &node->trace,
                                    .protocol = PROTOCOL,
                                    .client = client,
                                    .seed = index,
                                    .policy = policy};
    assert_status(trp_kad_open(&config, &network->kads[index]), TRP_OK);
    fake_attach(node, trp_kad_behaviour(network->kads[index]));
}

static inline void network_open(struct network *network, uint32_t count)
{
    fake_world_open(&network->world, count);
    network->kads = calloc(count, sizeof *network->kads);
    assert_non_null(network->kads);
}

static inline void network_close(struct network *network)
{
    for (uint32_t i = 0; i < network->world.count; i++) {
        trp_kad_close(network->kads[i]);
    }
    free(network->kads);
    fake_world_close(&network->world);
}

/* Tells a node of another one, as a bootstrap peer. */
static inline void introduce(struct network *network, uint32_t index, uint32_t other)
{
    struct trp_peer_id peer = fake_id(other);
    network->world.nodes[index].knows[other] = true;
    trp_kad_add_peer(network->kads[index], &peer);
    fake_touch(&network->world.nodes[index]);
}

static inline void run_for(struct network *network, trp_time span)
{
    fake_run(&network->world, network->world.now + span);
}

/* Opens `count` servers that all know node 0, and lets them settle. */
static inline void network_of_servers(struct network *network, uint32_t count)
{
    network_open(network, count);
    for (uint32_t i = 0; i < count; i++) {
        node_open(network, i, false, (struct trp_kad_policy){0});
    }
    for (uint32_t i = 1; i < count; i++) {
        introduce(network, i, 0);
        run_for(network, TRP_MS(50));
    }
    run_for(network, TRP_S(60));
}

static inline uint32_t table_count(const struct network *network, uint32_t index)
{
    struct trp_kad_view view;
    trp_kad_inspect(network->kads[index], &view);
    return view.peers;
}

static inline bool table_has(const struct network *network, uint32_t index, uint32_t other)
{
    struct trp_peer_id wanted = fake_id(other);
    struct trp_peer_id peer;
    uint32_t at = 0;
    uint32_t bucket;
    while (trp_kad_next_peer(network->kads[index], &at, &peer, &bucket)) {
        if (trp_peer_id_equal(&peer, &wanted)) {
            return true;
        }
    }
    return false;
}

/* What the events of one query said. */
struct outcome {
    uint32_t lasts;
    uint32_t events;
    enum trp_status status;
    uint32_t peers_count;
    struct trp_peer_id peers[64];
    uint8_t value[256];
    size_t value_size;
    uint32_t values;
    uint32_t stored;
    uint32_t hops;
    uint32_t rpcs;
    uint32_t timeouts;
};

/* Takes the events of a node; those of `query` go to `outcome`. */
static inline void drain(struct network *network, uint32_t index, uint64_t query,
                         struct outcome *outcome)
{
    struct trp_kad_event event;
    while (trp_kad_next_event(network->kads[index], &event)) {
        if (event.kind == TRP_KAD_BOOTSTRAPPED || event.query != query) {
            continue;
        }
        outcome->events++;
        for (uint32_t i = 0; i < event.peers_count && outcome->peers_count < 64; i++) {
            outcome->peers[outcome->peers_count++] = event.peers[i];
        }
        if (event.value.size > 0) {
            assert_true(event.value.size <= sizeof outcome->value);
            memcpy(outcome->value, event.value.data, event.value.size);
            outcome->value_size = event.value.size;
            outcome->values++;
        }
        if (event.last) {
            outcome->lasts++;
            outcome->status = event.status;
            outcome->stored = event.stored;
            outcome->hops = event.hops;
            outcome->rpcs = event.rpcs;
            outcome->timeouts = event.timeouts;
        }
    }
    fake_touch(&network->world.nodes[index]);
}

/* Runs until the query has its last event, at most two minutes. */
static inline struct outcome await(struct network *network, uint32_t index, uint64_t query)
{
    struct outcome outcome = {0};
    fake_touch(&network->world.nodes[index]);
    for (uint32_t i = 0; i < 1200 && outcome.lasts == 0; i++) {
        drain(network, index, query, &outcome);
        run_for(network, TRP_MS(100));
    }
    drain(network, index, query, &outcome);
    assert_int_equal(outcome.lasts, 1);
    return outcome;
}

static inline bool has_peer(const struct outcome *outcome, uint32_t index)
{
    struct trp_peer_id wanted = fake_id(index);
    for (uint32_t i = 0; i < outcome->peers_count; i++) {
        if (trp_peer_id_equal(&outcome->peers[i], &wanted)) {
            return true;
        }
    }
    return false;
}

static inline struct outcome find_peers(struct network *network, uint32_t index, const char *key)
{
    uint64_t query;
    assert_status(trp_kad_find_peers(network->kads[index], trp_bytes_text(key), 1, &query), TRP_OK);
    return await(network, index, query);
}

static inline struct outcome get_providers(struct network *network, uint32_t index, const char *key)
{
    uint64_t query;
    assert_status(trp_kad_get_providers(network->kads[index], trp_bytes_text(key), 1, &query),
                  TRP_OK);
    return await(network, index, query);
}

static inline struct outcome get_record(struct network *network, uint32_t index, const char *key,
                                        const struct trp_peer_id *holder)
{
    uint64_t query;
    assert_status(trp_kad_get_record(network->kads[index], trp_bytes_text(key), holder, 1, &query),
                  TRP_OK);
    return await(network, index, query);
}

static inline struct outcome provide(struct network *network, uint32_t index, const char *key)
{
    uint64_t query;
    assert_status(trp_kad_provide(network->kads[index], trp_bytes_text(key), 1, &query), TRP_OK);
    return await(network, index, query);
}

static inline struct outcome put_record(struct network *network, uint32_t index, const char *key,
                                        const char *value)
{
    uint64_t query;
    assert_status(trp_kad_put_record(network->kads[index], trp_bytes_text(key),
                                     trp_bytes_text(value), 1, &query),
                  TRP_OK);
    return await(network, index, query);
}

static inline uint32_t holders_of(const struct network *network, const char *key, uint32_t provider)
{
    struct trp_peer_id peer = fake_id(provider);
    uint32_t holders = 0;
    for (uint32_t i = 0; i < network->world.count; i++) {
        holders += i != provider && network->kads[i] != NULL &&
                   trp_kad_holds_provider(network->kads[i], trp_bytes_text(key), &peer);
    }
    return holders;
}

/* How many of the k live peers closest to the key are in the outcome, in hundredths. */
static inline uint32_t recall(const struct network *network, uint32_t asker, const char *key,
                              const struct outcome *outcome)
{
    struct trp_memory memory = trp_memory_init(1u << 24);
    struct trp_kad_key target = trp_kad_key_of(trp_bytes_text(key));
    struct trp_kad_query_config config = {.memory = &memory, .target = target};
    struct trp_kad_query all;
    trp_kad_query_init(&all, &config);
    for (uint32_t i = 0; i < network->world.count; i++) {
        struct trp_peer_id peer = fake_id(i);
        struct trp_kad_contact contact = trp_kad_contact_of(&peer);
        if (i != asker && !network->world.nodes[i].is_dead) {
            assert_status(trp_kad_query_seed(&all, &contact), TRP_OK);
        }
    }
    uint32_t hits = 0;
    uint32_t closest = 0;
    struct trp_kad_contact contact;
    while (closest < TRP_KAD_K && trp_kad_query_next(&all, 0, &contact)) {
        trp_kad_query_answered(&all, &contact.key);
        hits += has_peer(outcome, fake_index(&contact.peer));
        closest++;
    }
    trp_kad_query_deinit(&all);
    return closest == 0 ? 100 : hits * 100 / closest;
}

#endif
