/* SPDX-License-Identifier: MIT */
#include "behaviour/kad.h"

#include "base/assert.h"
#include "behaviour/kad_state.h"
#include "net/swarm.h"

#define WITHDRAWAL_SUFFIX "/withdraw"

/* ---- timers ---- */

bool trp_kad_set_timer(struct trp_kad *kad, struct kad_timer *timer, enum kad_timer_kind kind,
                       trp_time at)
{
    timer->kind = kind;
    return trp_heap_insert(&kad->timers, &timer->entry, at, kad->timers_count++) == TRP_OK;
}

static void kad_fire(struct trp_kad *kad, struct kad_timer *timer)
{
    trp_heap_remove(&kad->timers, &timer->entry);
    switch (timer->kind) {
    case KAD_TIMER_RPC:
        trp_kad_rpc_on_timeout(kad, TRP_CONTAINER(timer, struct kad_rpc, timer));
        break;
    case KAD_TIMER_INBOUND:
        trp_kad_inbound_on_timeout(kad, TRP_CONTAINER(timer, struct kad_inbound, timer));
        break;
    case KAD_TIMER_QUERY:
        trp_kad_query_on_timer(kad, TRP_CONTAINER(timer, struct kad_query, timer));
        break;
    case KAD_TIMER_PROBE:
        trp_kad_peer_on_probe_due(kad, TRP_CONTAINER(timer, struct kad_peer, probe));
        break;
    case KAD_TIMER_ANNOUNCE:
        trp_kad_announcement_on_timer(kad, TRP_CONTAINER(timer, struct kad_announcement, timer));
        break;
    }
}

static bool kad_is_ready(const struct trp_kad *kad)
{
    return kad->config.ready != NULL && (kad->owner_waits || trp_kad_has_events(kad));
}

void trp_kad_wake_owner(struct trp_kad *kad)
{
    kad->owner_waits = true;
}

static trp_time kad_deadline(const void *self)
{
    const struct trp_kad *kad = self;
    if (kad->is_due || kad_is_ready(kad)) {
        return kad_now(kad);
    }
    trp_time at = trp_heap_deadline(&kad->timers);
    at = trp_time_min(at, trp_kad_refresh_deadline(&kad->refresh));
    at = trp_time_min(at, trp_kad_provider_store_deadline(&kad->providers));
    return trp_time_min(at, trp_kad_record_store_deadline(&kad->records));
}

static void kad_expire(void *self, trp_time now)
{
    struct trp_kad *kad = self;
    while (trp_heap_deadline(&kad->timers) <= now) {
        kad_fire(kad, TRP_CONTAINER(trp_heap_front(&kad->timers), struct kad_timer, entry));
    }
    trp_kad_stores_expire(kad, now);
    if (trp_kad_refresh_deadline(&kad->refresh) <= now) {
        trp_kad_round_begin(kad, kad->refresh.rounds == 0);
    }
    while (kad->is_due) {
        kad->is_due = false;
        trp_kad_query_start_waiting(kad);
        trp_kad_round_run(kad);
    }
    if (kad_is_ready(kad)) {
        kad->owner_waits = false;
        kad->config.ready(kad->config.user);
    }
}

/* ---- hooks ---- */

static uint32_t share_of(uint32_t limit)
{
    uint32_t share = limit / 4;
    return share < 8 ? (limit < 8 ? limit : 8) : share;
}

static void kad_attach(void *self, struct trp_swarm *swarm, uint32_t index)
{
    struct trp_kad *kad = self;
    kad->swarm = swarm;
    kad->index = index;
    struct trp_memory *memory = kad->config.memory;
    const struct trp_limits *limits = kad_limits(kad);
    kad->self = trp_kad_key_of(trp_peer_id_bytes(trp_swarm_peer_id(swarm)));
    kad->table = trp_kad_table_init(memory, &kad->self, KAD_STALE_ROUNDS * limits->kad_refresh_ns);
    kad->refresh = trp_kad_refresh_init(kad->config.seed, limits->kad_refresh_ns);
    trp_kad_provider_store_init(
        &kad->providers, memory,
        &(struct trp_kad_provider_limits){.keys = limits->kad_provider_keys,
                                          .providers_per_key = limits->kad_providers_per_key,
                                          .keys_per_provider = share_of(limits->kad_provider_keys),
                                          .ttl_ns = limits->kad_provider_ttl_ns});
    trp_kad_record_store_init(
        &kad->records, memory,
        &(struct trp_kad_record_limits){.records = limits->kad_records,
                                        .records_per_owner = share_of(limits->kad_records),
                                        .value_bytes = limits->kad_record_bytes,
                                        .ttl_ns = limits->kad_record_ttl_ns});
    kad->rpcs = trp_slab_init(memory, sizeof(struct kad_rpc), KAD_RPCS_MAX);
    kad->inbound = trp_slab_init(memory, sizeof(struct kad_inbound), KAD_INBOUND_MAX);
    kad->queries = trp_slab_init(memory, sizeof(struct kad_query),
                                 limits->kad_queries + limits->kad_queries_waiting);
    kad->announcements = trp_slab_init(memory, sizeof(struct kad_announcement), 2 * limits->names);
    if (kad->config.trace == NULL) {
        kad->config.trace = trp_swarm_trace(swarm);
    }
    if (kad->config.attached != NULL) {
        kad->config.attached(kad->config.user, swarm);
    }
}

static uint32_t kad_protocols(const void *self, const char **ret_protocols, uint32_t max)
{
    const struct trp_kad *kad = self;
    if (kad->config.client) {
        return 0;
    }
    if (max > 0) {
        ret_protocols[0] = kad->config.protocol;
    }
    if (max > 1) {
        ret_protocols[1] = kad->withdrawal;
    }
    return 2;
}

static void kad_connected(void *self, const struct trp_connection_info *connection)
{
    trp_kad_peer_on_connected(self, connection);
}

static void kad_disconnected(void *self, const struct trp_connection_info *connection,
                             enum trp_status reason)
{
    (void)reason;
    trp_kad_peer_on_disconnected(self, connection);
}

static void kad_dial_failed(void *self, const struct trp_dial_report *report)
{
    struct trp_kad *kad = self;
    if (report->peer.size == 0) {
        return;
    }
    struct kad_peer *peer = trp_kad_peer_make(kad, &report->peer);
    if (peer != NULL) {
        trp_kad_peer_on_failure(kad, peer, report->status, false);
        trp_kad_peer_release(kad, peer);
    }
}

static void kad_identified(void *self, const struct trp_identified *identified)
{
    trp_kad_peer_on_identified(self, identified);
}

static void kad_stream_opened(void *self, const struct trp_stream_info *stream)
{
    if (stream->inbound) {
        trp_kad_inbound_on_opened(self, stream);
    } else {
        trp_kad_rpc_on_opened(self, stream);
    }
}

static void kad_stream_data(void *self, const struct trp_stream_info *stream, struct trp_bytes in)
{
    if (stream->inbound) {
        trp_kad_inbound_on_data(self, stream, in);
    } else {
        trp_kad_rpc_on_data(self, stream, in);
    }
}

static void kad_stream_writable(void *self, const struct trp_stream_info *stream)
{
    if (stream->inbound) {
        trp_kad_inbound_on_writable(self, stream);
    } else {
        trp_kad_rpc_on_writable(self, stream);
    }
}

static void kad_stream_eof(void *self, const struct trp_stream_info *stream)
{
    if (stream->inbound) {
        trp_kad_inbound_on_eof(self, stream);
    } else {
        trp_kad_rpc_on_eof(self, stream);
    }
}

static void kad_stream_closed(void *self, const struct trp_stream_info *stream,
                              enum trp_status reason)
{
    if (stream->inbound) {
        trp_kad_inbound_on_closed(self, stream);
    } else {
        trp_kad_rpc_on_closed(self, stream, reason);
    }
}

static const struct trp_behaviour_ops kad_ops = {.name = "kad",
                                                 .attach = kad_attach,
                                                 .protocols = kad_protocols,
                                                 .connected = kad_connected,
                                                 .disconnected = kad_disconnected,
                                                 .dial_failed = kad_dial_failed,
                                                 .identified = kad_identified,
                                                 .stream_opened = kad_stream_opened,
                                                 .stream_data = kad_stream_data,
                                                 .stream_writable = kad_stream_writable,
                                                 .stream_eof = kad_stream_eof,
                                                 .stream_closed = kad_stream_closed,
                                                 .deadline = kad_deadline,
                                                 .expire = kad_expire};

struct trp_behaviour trp_kad_behaviour(struct trp_kad *kad)
{
    return (struct trp_behaviour){.ops = &kad_ops, .self = kad};
}

/* ---- life ---- */

enum trp_status trp_kad_open(const struct trp_kad_config *config, struct trp_kad **ret_kad)
{
    size_t size = strlen(config->protocol);
    if (size == 0 || size + sizeof WITHDRAWAL_SUFFIX > TRP_PROTOCOL_BYTES_MAX) {
        return TRP_EINVAL;
    }
    struct trp_kad *kad = trp_memory_alloc(config->memory, sizeof *kad);
    if (kad == NULL) {
        return TRP_ENOMEM;
    }
    kad->config = *config;
    memcpy(kad->withdrawal, config->protocol, size);
    memcpy(kad->withdrawal + size, WITHDRAWAL_SUFFIX, sizeof WITHDRAWAL_SUFFIX);
    kad->protocols[0] = kad->config.protocol;
    kad->withdrawal_protocols[0] = kad->withdrawal;
    kad->timers = trp_heap_init(config->memory);
    kad->peers = trp_index_init(config->memory);
    trp_list_init(&kad->lost);
    trp_list_init(&kad->waiting);
    trp_list_init(&kad->events);
    *ret_kad = kad;
    return TRP_OK;
}

void trp_kad_close(struct trp_kad *kad)
{
    if (kad == NULL) {
        return;
    }
    if (kad->swarm != NULL) {
        uint32_t at = 0;
        trp_handle id;
        void *object;
        while ((object = trp_slab_next(&kad->queries, &at, &id)) != NULL) {
            trp_kad_query_free(kad, object);
        }
        for (at = 0; (object = trp_slab_next(&kad->rpcs, &at, &id)) != NULL;) {
            trp_kad_rpc_free(kad, object);
        }
        for (at = 0; (object = trp_slab_next(&kad->inbound, &at, &id)) != NULL;) {
            trp_kad_inbound_free(kad, object);
        }
        trp_kad_announcements_close(kad);
        trp_kad_peers_close(kad);
        trp_slab_free(&kad->queries);
        trp_slab_free(&kad->rpcs);
        trp_slab_free(&kad->inbound);
        trp_slab_free(&kad->announcements);
        trp_kad_table_free(&kad->table);
        trp_kad_provider_store_deinit(&kad->providers);
        trp_kad_record_store_deinit(&kad->records);
    }
    trp_heap_free(&kad->timers);
    trp_memory_free(kad->config.memory, kad);
}

/* ---- queries of the user ---- */

enum trp_status trp_kad_find_peers(struct trp_kad *kad, struct trp_bytes key, uint64_t token,
                                   uint64_t *ret_query)
{
    struct kad_query_start start = {.kind = KAD_QUERY_PEERS, .key = key, .token = token};
    return trp_kad_query_begin(kad, &start, ret_query);
}

enum trp_status trp_kad_get_providers(struct trp_kad *kad, struct trp_bytes key, uint64_t token,
                                      uint64_t *ret_query)
{
    struct kad_query_start start = {.kind = KAD_QUERY_PROVIDERS, .key = key, .token = token};
    return trp_kad_query_begin(kad, &start, ret_query);
}

enum trp_status trp_kad_get_record(struct trp_kad *kad, struct trp_bytes key,
                                   const struct trp_peer_id *holder, uint64_t token,
                                   uint64_t *ret_query)
{
    struct kad_query_start start = {
        .kind = KAD_QUERY_RECORD, .key = key, .holder = holder, .token = token};
    return trp_kad_query_begin(kad, &start, ret_query);
}

enum trp_status trp_kad_bootstrap(struct trp_kad *kad, uint64_t token)
{
    if (kad->round_has_token) {
        return TRP_EEXISTS;
    }
    kad->round_has_token = true;
    kad->round_token = token;
    trp_kad_round_begin(kad, true);
    return TRP_OK;
}

void trp_kad_add_peer(struct trp_kad *kad, const struct trp_peer_id *peer)
{
    trp_kad_peer_add(kad, peer);
}

/* ---- inspection ---- */

void trp_kad_inspect(const struct trp_kad *kad, struct trp_kad_view *ret_view)
{
    *ret_view = (struct trp_kad_view){.peers = kad->table.count,
                                      .records = kad->records.count,
                                      .providers = kad->providers.count,
                                      .queries = kad->queries.count,
                                      .rpcs = kad->rpcs_total,
                                      .timeouts = kad->timeouts_total};
}

bool trp_kad_next_peer(const struct trp_kad *kad, uint32_t *at, struct trp_peer_id *ret_peer,
                       uint32_t *ret_bucket)
{
    const struct trp_kad_entry *entry = trp_kad_table_next(&kad->table, at, ret_bucket);
    if (entry == NULL) {
        return false;
    }
    *ret_peer = entry->contact.peer;
    return true;
}

bool trp_kad_knows_peer(const struct trp_kad *kad, const struct trp_peer_id *peer)
{
    const struct trp_kad_contact contact = trp_kad_contact_of(peer);
    return trp_kad_table_find(&kad->table, &contact.key) != NULL;
}

bool trp_kad_holds_provider(const struct trp_kad *kad, struct trp_bytes key,
                            const struct trp_peer_id *provider)
{
    bool ours = trp_kad_announcement_find(kad, KAD_QUERY_PROVIDE, key) != NULL;
    if (provider == NULL) {
        struct trp_peer_id any;
        return ours || trp_kad_provider_store_find(&kad->providers, key, trp_swarm_now(kad->swarm),
                                                   &any, 1) > 0;
    }
    if (trp_peer_id_equal(provider, trp_swarm_peer_id(kad->swarm))) {
        return ours;
    }
    return trp_kad_provider_store_holds(&kad->providers, key, provider);
}
