/* SPDX-License-Identifier: MIT */
#include "base/assert.h"
#include "behaviour/kad_state.h"

static const char *const kind_names[] = {
    [KAD_QUERY_PEERS] = "peers",   [KAD_QUERY_PROVIDERS] = "providers",
    [KAD_QUERY_RECORD] = "record", [KAD_QUERY_PROVIDE] = "provide",
    [KAD_QUERY_PUT] = "put",       [KAD_QUERY_REFRESH] = "refresh"};

static struct trp_bytes query_key(const struct kad_query *query)
{
    return trp_bytes(query->key, query->key_size);
}

/* ---- life ---- */

/* Drops what only a running query needs. */
static void query_rest(struct trp_kad *kad, struct kad_query *query)
{
    trp_kad_query_deinit(&query->core);
    trp_heap_remove(&kad->timers, &query->timer.entry);
}

void trp_kad_query_free(struct trp_kad *kad, struct kad_query *query)
{
    if (query->state == KAD_QUERY_ASKING || query->state == KAD_QUERY_STORING) {
        kad->queries_active--;
        kad->is_due = kad->is_due || !trp_list_is_empty(&kad->waiting);
    }
    query_rest(kad, query);
    trp_list_link_remove(&query->waiting_link);
    trp_list_link_remove(&query->event_link);
    for (uint32_t i = 0; i < query->values_count; i++) {
        trp_memory_free(kad->config.memory, query->values[i].bytes);
    }
    trp_memory_free(kad->config.memory, query->found);
    trp_memory_free(kad->config.memory, query->key);
    trp_slab_remove(&kad->queries, query->id);
}

static void query_push_event(struct trp_kad *kad, struct kad_query *query)
{
    if (!query->is_silent && !trp_list_link_is_linked(&query->event_link)) {
        trp_list_push_back(&kad->events, &query->event_link);
    }
}

static void query_count(struct kad_query *query)
{
    query->hops = trp_kad_query_hops(&query->core);
    query->rpcs = query->core.rpcs;
    query->timeouts = query->core.dead + query->core.slow;
}

/* Ends a query with its last event. */
static void query_end(struct trp_kad *kad, struct kad_query *query, enum trp_status status)
{
    if (query->state == KAD_QUERY_ASKING) {
        query_count(query);
    }
    if (query->state == KAD_QUERY_ASKING || query->state == KAD_QUERY_STORING) {
        kad->queries_active--;
        kad->is_due = kad->is_due || !trp_list_is_empty(&kad->waiting);
    }
    trp_list_link_remove(&query->waiting_link);
    query->state = KAD_QUERY_DONE;
    query->status = status;
    query_rest(kad, query);
    struct trp_trace *trace = kad->config.trace;
    uint64_t cause = trace->cause;
    trace->cause = cause != 0 ? cause : query->cause;
    trp_trace_kad_query_finished(
        trace, &(struct trp_event_kad_query_finished){.query = query->id,
                                                      .status = status,
                                                      .found = query->kind == KAD_QUERY_RECORD
                                                                   ? query->values_count
                                                                   : query->found_count,
                                                      .stored = query->stored,
                                                      .hops = query->hops,
                                                      .rpcs = query->rpcs,
                                                      .timeouts = query->timeouts,
                                                      .took = kad_now(kad) - query->began_at});
    trace->cause = cause;
    if (query->announcement != 0) {
        trp_kad_announcement_on_done(kad, query->announcement, query->stored);
    }
    if (query->kind == KAD_QUERY_REFRESH) {
        trp_kad_round_on_query(kad, query);
    }
    if (query->is_silent || query->is_cancelled) {
        if (kad->lent != query->id) {
            trp_kad_query_free(kad, query);
        }
    } else {
        query_push_event(kad, query);
    }
}

/* ---- what is found ---- */

void trp_kad_query_add_found(struct trp_kad *kad, struct kad_query *query,
                             const struct trp_peer_id *peer)
{
    for (uint32_t i = 0; i < query->found_count; i++) {
        if (trp_peer_id_equal(&query->found[i], peer)) {
            return;
        }
    }
    if (query->found_count == query->found_capacity) {
        uint32_t capacity = query->found_capacity == 0 ? 8 : query->found_capacity * 2;
        struct trp_peer_id *found =
            capacity > KAD_FOUND_MAX
                ? NULL
                : trp_memory_resize(kad->config.memory, query->found, capacity * sizeof *found);
        if (found == NULL) {
            return;
        }
        query->found = found;
        query->found_capacity = capacity;
    }
    query->found[query->found_count++] = *peer;
    query_push_event(kad, query);
}

void trp_kad_query_add_value(struct trp_kad *kad, struct kad_query *query, struct trp_bytes value)
{
    for (uint32_t i = 0; i < query->values_count; i++) {
        struct kad_value *known = &query->values[i];
        if (trp_bytes_equal(trp_bytes(known->bytes, known->size), value)) {
            known->says++;
            query->is_final = query->is_final || known->says >= KAD_VALUE_QUORUM;
            return;
        }
    }
    if (query->values_count == KAD_VALUES_MAX || value.size == 0) {
        return;
    }
    uint8_t *bytes = trp_memory_alloc(kad->config.memory, value.size);
    if (bytes == NULL) {
        return;
    }
    memcpy(bytes, value.data, value.size);
    query->values[query->values_count++] =
        (struct kad_value){.bytes = bytes, .size = (uint32_t)value.size, .says = 1};
    query_push_event(kad, query);
}

/* Takes what we know ourselves. */
static void query_ask_ourselves(struct trp_kad *kad, struct kad_query *query)
{
    const struct trp_peer_id *self = trp_swarm_peer_id(kad->swarm);
    if (query->kind == KAD_QUERY_PROVIDERS) {
        struct trp_peer_id providers[TRP_KAD_K];
        uint32_t count = trp_kad_provider_store_find(&kad->providers, query_key(query),
                                                     kad_now(kad), providers, TRP_KAD_K);
        if (trp_kad_announcement_find(kad, KAD_QUERY_PROVIDE, query_key(query)) != NULL) {
            trp_kad_query_add_found(kad, query, self);
        }
        for (uint32_t i = 0; i < count; i++) {
            trp_kad_query_add_found(kad, query, &providers[i]);
        }
    } else if (query->kind == KAD_QUERY_RECORD) {
        const struct kad_announcement *own =
            trp_kad_announcement_find(kad, KAD_QUERY_PUT, query_key(query));
        struct trp_kad_found_record record;
        if (own != NULL) {
            trp_kad_query_add_value(kad, query,
                                    trp_bytes(own->bytes + own->key_size, own->value_size));
            query->is_final = true;
        } else if (trp_kad_record_store_find(&kad->records, query_key(query), kad_now(kad),
                                             &record) == TRP_OK) {
            trp_kad_query_add_value(kad, query, record.value);
        }
    }
}

/* ---- asking ---- */

static enum trp_kad_message_type query_request_type(const struct kad_query *query)
{
    switch (query->kind) {
    case KAD_QUERY_PROVIDERS:
        return TRP_KAD_GET_PROVIDERS;
    case KAD_QUERY_RECORD:
        return TRP_KAD_GET_VALUE;
    case KAD_QUERY_PEERS:
    case KAD_QUERY_PROVIDE:
    case KAD_QUERY_PUT:
    case KAD_QUERY_REFRESH:
        break;
    }
    return TRP_KAD_FIND_NODE;
}

static void query_ask(struct trp_kad *kad, struct kad_query *query,
                      const struct trp_kad_contact *contact)
{
    struct kad_request request = {
        .purpose = KAD_FOR_QUERY,
        .query = query->id,
        .message = {.type = query_request_type(query), .key = query_key(query)}};
    if (trp_kad_rpc_send(kad, &contact->peer, &request) != TRP_OK) {
        trp_kad_query_failed(&query->core, &contact->key);
    }
}

/* Sends what is found out to be responsible what it is to keep. */
static void query_store(struct trp_kad *kad, struct kad_query *query)
{
    struct trp_kad_contact result[TRP_KAD_RESULT_MAX];
    uint32_t count = trp_kad_query_result(&query->core, result);
    query_count(query);
    trp_kad_query_deinit(&query->core);
    trp_heap_remove(&kad->timers, &query->timer.entry);
    query->state = KAD_QUERY_STORING;
    struct kad_request request;
    struct trp_kad_peer self;
    struct trp_multiaddr addresses[TRP_KAD_PEER_ADDRESSES_MAX];
    if (!trp_kad_announcement_request(kad, query->announcement, &request, &self, addresses)) {
        query_end(kad, query, TRP_ECANCELLED);
        return;
    }
    request.purpose = KAD_FOR_STORE;
    request.query = query->id;
    for (uint32_t i = 0; i < count; i++) {
        if (trp_kad_rpc_send(kad, &result[i].peer, &request) == TRP_OK) {
            query->rpcs++;
            query->stores_pending++;
        }
    }
    if (query->stores_pending == 0) {
        query_end(kad, query, TRP_EFULL);
    }
}

/* The asking is over. */
static void query_conclude(struct trp_kad *kad, struct kad_query *query, bool in_time)
{
    uint32_t bucket = trp_kad_bucket_index(&kad->self, &query->core.config.target);
    if (query->core.answers >= TRP_KAD_ALPHA) {
        trp_kad_refresh_touch(&kad->refresh, bucket, kad_now(kad));
    }
    enum trp_status none = query->core.seeds_count == 0 ? TRP_ENOPEERS : TRP_ETIMEDOUT;
    none = query->holder.size > 0 ? TRP_EUNREACHABLE : none;
    bool answered = query->core.answers > 0;
    switch (query->kind) {
    case KAD_QUERY_PROVIDE:
    case KAD_QUERY_PUT:
        if (answered) {
            query_store(kad, query);
        } else {
            query_end(kad, query, none);
        }
        return;
    case KAD_QUERY_PEERS: {
        struct trp_kad_contact result[TRP_KAD_RESULT_MAX];
        uint32_t count = trp_kad_query_result(&query->core, result);
        for (uint32_t i = 0; i < count; i++) {
            trp_kad_query_add_found(kad, query, &result[i].peer);
        }
        query_end(kad, query, answered && in_time ? TRP_OK : none);
        return;
    }
    case KAD_QUERY_PROVIDERS:
    case KAD_QUERY_RECORD:
        if (query->found_count > 0 || query->values_count > 0) {
            query_end(kad, query, TRP_OK);
        } else {
            query_end(kad, query, answered && in_time ? TRP_ENOTFOUND : none);
        }
        return;
    case KAD_QUERY_REFRESH:
        query_end(kad, query, answered ? TRP_OK : none);
        return;
    }
}

static void query_set_timer(struct trp_kad *kad, struct kad_query *query)
{
    trp_time at = trp_time_min(query->ends_at, trp_kad_query_deadline(&query->core));
    if (trp_heap_is_queued(&query->timer.entry) && query->timer.entry.at == at) {
        return;
    }
    if (!trp_kad_set_timer(kad, &query->timer, KAD_TIMER_QUERY, at)) {
        query_conclude(kad, query, false);
    }
}

/* Asks whom it is time to ask; ends the query when nobody is left. */
static void query_pump(struct trp_kad *kad, struct kad_query *query)
{
    struct trp_trace *trace = kad->config.trace;
    uint64_t cause = trace->cause;
    trace->cause = cause != 0 ? cause : query->cause;
    struct trp_kad_contact contact;
    while (!query->is_final && trp_kad_query_next(&query->core, kad_now(kad), &contact)) {
        query_ask(kad, query, &contact);
    }
    if (query->is_final || trp_kad_query_is_done(&query->core)) {
        query_conclude(kad, query, true);
    } else {
        query_set_timer(kad, query);
    }
    trace->cause = cause;
}

/* Begins with the peers of our table that are closest; they are still there when all are asked:
 * sending changes no table before its outcome. */
static void query_seed(struct trp_kad *kad, struct kad_query *query,
                       const struct trp_kad_entry *const *closest, uint32_t count)
{
    trp_time fresh_since = kad_fresh_since(kad);
    for (uint32_t i = 0; i < count; i++) {
        bool is_known = query->is_light && i >= TRP_KAD_ALPHA && closest[i]->seen_at >= fresh_since;
        (void)!(is_known ? trp_kad_query_seed_known(&query->core, &closest[i]->contact)
                         : trp_kad_query_seed(&query->core, &closest[i]->contact));
    }
}

static void query_start(struct trp_kad *kad, struct kad_query *query)
{
    trp_time now = kad_now(kad);
    const struct trp_limits *limits = kad_limits(kad);
    bool is_direct = query->holder.size > 0;
    query->state = KAD_QUERY_ASKING;
    query->began_at = now;
    query->ends_at =
        trp_time_after(now, is_direct ? limits->lookup_check_ns : limits->kad_query_timeout_ns);
    kad->queries_active++;
    struct trp_kad_query_config config = {
        .memory = kad->config.memory,
        .target = trp_kad_key_of(query_key(query)),
        .self = kad->self,
        .goal = query->goal,
        .patience_ns = trp_kad_patience_of(&kad->patience, limits->kad_rpc_timeout_ns),
        .grace_ns = limits->lookup_check_ns};
    trp_kad_query_init(&query->core, &config);
    const struct trp_kad_entry *closest[KAD_SEEDS_MAX];
    uint32_t count = is_direct ? 1
                               : trp_kad_table_closest(&kad->table, &config.target, NULL,
                                                       KAD_SEEDS_MAX, closest);
    struct trp_trace *trace = kad->config.trace;
    uint64_t cause = trace->cause;
    trace->cause = query->cause;
    query->cause = trp_trace_kad_query_started(
        trace,
        &(struct trp_event_kad_query_started){.query = query->id,
                                              .kind = trp_bytes_text(kind_names[query->kind]),
                                              .key = query_key(query),
                                              .seeds = count});
    trace->cause = query->cause;
    if (is_direct) {
        struct trp_kad_contact holder = trp_kad_contact_of(&query->holder);
        if (trp_kad_query_ask(&query->core, &holder, now) == TRP_OK) {
            query_ask(kad, query, &holder);
        }
    } else {
        query_ask_ourselves(kad, query);
        query_seed(kad, query, closest, count);
    }
    query_pump(kad, query);
    trace->cause = cause;
}

/* It starts in the next turn of the swarm: who calls from outside of one does so at any time, and
 * the clock here may have stood still for minutes. */
enum trp_status trp_kad_query_begin(struct trp_kad *kad, const struct kad_query_start *start,
                                    trp_handle *ret_id)
{
    if (start->key.size == 0 || start->key.size > KAD_KEY_BYTES_MAX) {
        return TRP_EINVAL;
    }
    trp_handle id;
    void *object;
    enum trp_status status = trp_slab_insert(&kad->queries, &id, &object);
    if (status != TRP_OK) {
        return status;
    }
    struct kad_query *query = object;
    *query = (struct kad_query){.id = id,
                                .kind = start->kind,
                                .is_silent = start->is_silent,
                                .is_light = start->is_light,
                                .token = start->token,
                                .key = trp_memory_alloc(kad->config.memory, start->key.size),
                                .key_size = (uint32_t)start->key.size,
                                .goal = start->goal,
                                .core = {.config = {.memory = kad->config.memory}},
                                .began_at = kad_now(kad),
                                .cause = kad->config.trace->cause,
                                .announcement = start->announcement};
    if (query->key == NULL) {
        trp_slab_remove(&kad->queries, id);
        return TRP_ENOMEM;
    }
    memcpy(query->key, start->key.data, start->key.size);
    if (start->holder != NULL) {
        query->holder = *start->holder;
    }
    *ret_id = id;
    trp_list_push_back(&kad->waiting, &query->waiting_link);
    kad->is_due = true;
    return TRP_OK;
}

void trp_kad_query_start_waiting(struct trp_kad *kad)
{
    while (kad->queries_active < kad_limits(kad)->kad_queries) {
        struct trp_list_link *link = trp_list_pop_front(&kad->waiting);
        if (link == NULL) {
            return;
        }
        query_start(kad, TRP_CONTAINER(link, struct kad_query, waiting_link));
    }
}

/* ---- what comes of it ---- */

static struct kad_query *query_asking(const struct trp_kad *kad, trp_handle id)
{
    struct kad_query *query = trp_slab_find(&kad->queries, id);
    return query != NULL && query->state == KAD_QUERY_ASKING ? query : NULL;
}

static void learn_addresses(struct trp_kad *kad, const struct trp_kad_peer *peer)
{
    for (uint32_t i = 0; i < peer->addresses_count; i++) {
        trp_swarm_add_address(kad->swarm, &peer->id, &peer->addresses[i], TRP_ADDRESS_DHT);
    }
}

/* Takes the closer peers of an answer that can be reached. */
static void query_take_closer(struct trp_kad *kad, struct kad_query *query,
                              const struct trp_kad_key *from, const struct trp_kad_message *message)
{
    struct trp_multiaddr addresses[TRP_KAD_PEER_ADDRESSES_MAX];
    struct trp_kad_peer closer;
    size_t at = 0;
    for (uint32_t i = 0; i < TRP_KAD_K + 1 && trp_kad_message_next_peer(message, TRP_KAD_CLOSER,
                                                                        &at, addresses, &closer);
         i++) {
        if (closer.addresses_count == 0 && !trp_kad_peer_is_routable(kad, &closer.id)) {
            continue;
        }
        struct trp_kad_contact contact = trp_kad_contact_of(&closer.id);
        if (trp_kad_query_offer(&query->core, from, &contact) == TRP_OK) {
            learn_addresses(kad, &closer);
        }
    }
}

static void query_take_providers(struct trp_kad *kad, struct kad_query *query,
                                 const struct trp_kad_message *message)
{
    struct trp_multiaddr addresses[TRP_KAD_PEER_ADDRESSES_MAX];
    struct trp_kad_peer provider;
    size_t at = 0;
    for (uint32_t i = 0; i < TRP_KAD_K && trp_kad_message_next_peer(message, TRP_KAD_PROVIDERS, &at,
                                                                    addresses, &provider);
         i++) {
        if (!trp_peer_id_equal(&provider.id, trp_swarm_peer_id(kad->swarm))) {
            learn_addresses(kad, &provider);
            trp_kad_query_add_found(kad, query, &provider.id);
        }
    }
}

void trp_kad_query_on_answer(struct trp_kad *kad, trp_handle id, const struct kad_peer *peer,
                             const struct trp_kad_message *message)
{
    struct kad_query *query = query_asking(kad, id);
    if (query == NULL || !trp_kad_query_answered(&query->core, &peer->contact.key)) {
        return;
    }
    bool is_direct = query->holder.size > 0;
    if (!is_direct) {
        query_take_closer(kad, query, &peer->contact.key, message);
    }
    if (query->kind == KAD_QUERY_PROVIDERS) {
        query_take_providers(kad, query, message);
    } else if (query->kind == KAD_QUERY_RECORD && message->has_record &&
               trp_bytes_equal(message->record.key, query_key(query))) {
        trp_kad_query_add_value(kad, query, message->record.value);
        query->is_final = query->is_final || is_direct;
    }
    query_pump(kad, query);
}

/* A connection that broke may have been dead for long; the holder deserves a new one. */
static bool query_repeats(struct kad_query *query, enum trp_status status)
{
    bool repeats = query->holder.size > 0 && !query->is_repeated &&
                   (status == TRP_ECLOSED || status == TRP_ERESET);
    query->is_repeated = query->is_repeated || repeats;
    return repeats;
}

void trp_kad_query_on_failure(struct trp_kad *kad, trp_handle id, const struct kad_peer *peer,
                              enum trp_status status)
{
    struct kad_query *query = query_asking(kad, id);
    if (query != NULL) {
        if (query_repeats(query, status)) {
            query_ask(kad, query, &peer->contact);
        } else {
            trp_kad_query_failed(&query->core, &peer->contact.key);
        }
        query_pump(kad, query);
    }
}

void trp_kad_query_on_stored(struct trp_kad *kad, trp_handle id, const struct kad_peer *peer,
                             bool stored)
{
    struct kad_query *query = trp_slab_find(&kad->queries, id);
    if (query == NULL || query->state != KAD_QUERY_STORING) {
        return;
    }
    if (stored) {
        query->stored++;
        trp_kad_announcement_on_stored(kad, query->announcement, peer);
    } else {
        query->timeouts++;
    }
    if (--query->stores_pending == 0) {
        query_end(kad, query, query->stored > 0 ? TRP_OK : TRP_ETIMEDOUT);
    }
}

void trp_kad_query_on_timer(struct trp_kad *kad, struct kad_query *query)
{
    trp_time now = kad_now(kad);
    if (now >= query->ends_at) {
        query_conclude(kad, query, false);
        return;
    }
    trp_kad_query_expire(&query->core, now);
    query_pump(kad, query);
}

/* ---- events ---- */

static void events_release_lent(struct trp_kad *kad)
{
    struct kad_query *query = trp_slab_find(&kad->queries, kad->lent);
    kad->lent = 0;
    if (query != NULL && query->state == KAD_QUERY_DONE &&
        !trp_list_link_is_linked(&query->event_link)) {
        trp_kad_query_free(kad, query);
    }
}

static enum trp_kad_event_kind event_kind(const struct kad_query *query)
{
    switch (query->kind) {
    case KAD_QUERY_PROVIDERS:
        return TRP_KAD_FOUND_PROVIDERS;
    case KAD_QUERY_RECORD:
        return TRP_KAD_FOUND_RECORD;
    case KAD_QUERY_PROVIDE:
        return TRP_KAD_PROVIDED;
    case KAD_QUERY_PUT:
        return TRP_KAD_PUT;
    case KAD_QUERY_PEERS:
    case KAD_QUERY_REFRESH:
        break;
    }
    return TRP_KAD_FOUND_PEERS;
}

/* Makes the next event of a query; false when there is nothing to tell after all. */
static bool event_make(struct trp_kad *kad, struct kad_query *query,
                       struct trp_kad_event *ret_event)
{
    struct trp_kad_event event = {.kind = event_kind(query),
                                  .query = query->id,
                                  .token = query->token,
                                  .key = query_key(query),
                                  .stored = query->stored};
    if (query->state == KAD_QUERY_ASKING) {
        query_count(query);
    }
    event.hops = query->hops;
    event.rpcs = query->rpcs;
    event.timeouts = query->timeouts;
    bool more = false;
    bool news = query->state == KAD_QUERY_DONE;
    if (query->kind == KAD_QUERY_RECORD) {
        if (query->reported < query->values_count) {
            const struct kad_value *value = &query->values[query->reported++];
            event.value = trp_bytes(value->bytes, value->size);
            news = true;
        }
        more = query->reported < query->values_count;
    } else if (query->reported < query->found_count) {
        event.peers = query->found + query->reported;
        event.peers_count = query->found_count - query->reported;
        query->reported = query->found_count;
        news = true;
    }
    event.last = query->state == KAD_QUERY_DONE && !more;
    event.status = event.last ? query->status : TRP_OK;
    if (more) {
        trp_list_push_back(&kad->events, &query->event_link);
    }
    *ret_event = event;
    return news;
}

void trp_kad_news_push(struct trp_kad *kad, enum trp_kad_event_kind kind,
                       const struct trp_peer_id *peer)
{
    if (!kad->config.routing_events) {
        return;
    }
    if (kad->news_count == KAD_NEWS_MAX) {
        kad->news_head = (kad->news_head + 1) % KAD_NEWS_MAX;
        kad->news_count--;
    }
    kad->news[(kad->news_head + kad->news_count++) % KAD_NEWS_MAX] =
        (struct kad_news){.kind = kind, .peer = *peer};
}

bool trp_kad_has_events(const struct trp_kad *kad)
{
    return !trp_list_is_empty(&kad->events) || kad->round_is_pending || kad->news_count > 0;
}

static void event_make_round(struct trp_kad *kad, struct trp_kad_event *ret_event)
{
    kad->round_is_pending = false;
    *ret_event = (struct trp_kad_event){.kind = TRP_KAD_BOOTSTRAPPED,
                                        .status = kad->round_event_status,
                                        .last = true,
                                        .token = kad->round_event_token,
                                        .rpcs = kad->round_look_ups};
}

bool trp_kad_next_event(struct trp_kad *kad, struct trp_kad_event *ret_event)
{
    events_release_lent(kad);
    struct trp_list_link *link;
    while ((link = trp_list_pop_front(&kad->events)) != NULL) {
        struct kad_query *query = TRP_CONTAINER(link, struct kad_query, event_link);
        if (event_make(kad, query, ret_event)) {
            kad->lent = query->id;
            return true;
        }
    }
    if (kad->round_is_pending) {
        event_make_round(kad, ret_event);
        return true;
    }
    if (kad->news_count > 0) {
        const struct kad_news *news = &kad->news[kad->news_head];
        *ret_event = (struct trp_kad_event){.kind = news->kind, .last = true, .peer = news->peer};
        kad->news_head = (kad->news_head + 1) % KAD_NEWS_MAX;
        kad->news_count--;
        return true;
    }
    return false;
}

void trp_kad_cancel(struct trp_kad *kad, uint64_t id)
{
    struct kad_query *query = trp_slab_find(&kad->queries, id);
    if (query == NULL || query->is_silent) {
        return;
    }
    query->is_cancelled = true;
    trp_list_link_remove(&query->event_link);
    if (query->state != KAD_QUERY_DONE) {
        query_end(kad, query, TRP_ECANCELLED); /* frees it, unless it is lent */
    } else if (kad->lent != id) {
        trp_kad_query_free(kad, query);
    }
}
