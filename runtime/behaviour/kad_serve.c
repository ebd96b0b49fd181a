/* SPDX-License-Identifier: MIT */
#include "behaviour/kad_state.h"

/* Most peers of a list in an answer: k, and ourselves or the very peer that is looked for. */
#define LIST_MAX (TRP_KAD_K + 1u)

/* ---- the peers of an answer ---- */

/* Peers with their addresses, as the codec wants them. */
struct peer_list {
    uint32_t count;
    uint32_t addresses_count;
    struct trp_kad_peer peers[LIST_MAX];
    struct trp_multiaddr addresses[LIST_MAX * TRP_KAD_PEER_ADDRESSES_MAX]; /* one after the other */
};

/* Leaves out link-local addresses: the asker may be on another link. */
static uint32_t drop_zoned(struct trp_multiaddr *addresses, uint32_t count)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (!trp_multiaddr_has_zone(&addresses[i])) {
            addresses[kept++] = addresses[i];
        }
    }
    return kept;
}

static void list_add(struct trp_kad *kad, struct peer_list *list, const struct trp_peer_id *id,
                     bool connected, bool with_addresses_only)
{
    if (list->count == LIST_MAX) {
        return;
    }
    struct trp_multiaddr *addresses = list->addresses + list->addresses_count;
    uint32_t count = drop_zoned(addresses, trp_swarm_known_addresses(kad->swarm, id, addresses,
                                                                     TRP_KAD_PEER_ADDRESSES_MAX));
    if (count == 0 && with_addresses_only) {
        return;
    }
    list->addresses_count += count;
    list->peers[list->count++] =
        (struct trp_kad_peer){.id = *id,
                              .connection = connected ? TRP_KAD_CONNECTED : TRP_KAD_NOT_CONNECTED,
                              .addresses_count = count,
                              .addresses = addresses};
}

static void list_add_self(struct trp_kad *kad, struct peer_list *list)
{
    struct trp_multiaddr *addresses = list->addresses + list->addresses_count;
    uint32_t count = trp_swarm_listen_addresses(kad->swarm, addresses, TRP_KAD_PEER_ADDRESSES_MAX);
    list->addresses_count += count;
    list->peers[list->count++] = (struct trp_kad_peer){.id = *trp_swarm_peer_id(kad->swarm),
                                                       .connection = TRP_KAD_CONNECTED,
                                                       .addresses_count = count,
                                                       .addresses = addresses};
}

/* The peer that is looked for itself: ourselves, or one we are connected to though it may be in no
 * table. */
static void list_add_target(struct trp_kad *kad, struct peer_list *list, struct trp_bytes key,
                            const struct kad_peer *asker)
{
    struct trp_peer_id id;
    if (trp_peer_id_decode(key, &id) != TRP_OK || trp_peer_id_equal(&id, &asker->contact.peer)) {
        return;
    }
    if (trp_peer_id_equal(&id, trp_swarm_peer_id(kad->swarm))) {
        list_add_self(kad, list);
        return;
    }
    const struct kad_peer *target = trp_kad_peer_find(kad, &id);
    if (target != NULL && target->connections > 0 &&
        trp_kad_table_find(&kad->table, &target->contact.key) == NULL) {
        list_add(kad, list, &id, true, true);
    }
}

static void list_add_closer(struct trp_kad *kad, struct peer_list *list, struct trp_bytes key,
                            const struct kad_peer *asker)
{
    struct trp_kad_key target = trp_kad_key_of(key);
    const struct trp_kad_entry *closest[TRP_KAD_K];
    uint32_t count =
        trp_kad_table_closest(&kad->table, &target, &asker->contact.key, TRP_KAD_K, closest);
    for (uint32_t i = 0; i < count; i++) {
        list_add(kad, list, &closest[i]->contact.peer, closest[i]->connected, true);
    }
}

static void list_add_providers(struct trp_kad *kad, struct peer_list *list, struct trp_bytes key,
                               const struct kad_peer *asker)
{
    if (trp_kad_announcement_find(kad, KAD_QUERY_PROVIDE, key) != NULL) {
        list_add_self(kad, list);
    }
    struct trp_peer_id providers[TRP_KAD_K];
    uint32_t count =
        trp_kad_provider_store_find(&kad->providers, key, kad_now(kad), providers, TRP_KAD_K);
    for (uint32_t i = 0; i < count; i++) {
        if (!trp_peer_id_equal(&providers[i], &asker->contact.peer)) {
            list_add(kad, list, &providers[i],
                     trp_swarm_connections_to(kad->swarm, &providers[i]) > 0, false);
        }
    }
}

/* ---- what peers store here ---- */

static void provider_refuse(struct trp_kad *kad, struct trp_bytes key,
                            const struct trp_peer_id *peer, enum trp_status status)
{
    trp_trace_kad_provider_refused(
        kad->config.trace,
        &(struct trp_event_kad_provider_refused){.key = key, .peer = peer, .status = status});
}

/* Takes the sender's word for itself, nobody else's. */
static void serve_add_provider(struct trp_kad *kad, const struct kad_peer *sender,
                               const struct trp_kad_message *request)
{
    const struct trp_peer_id *id = &sender->contact.peer;
    const struct trp_kad_policy *policy = &kad->config.policy;
    struct trp_multiaddr addresses[TRP_KAD_PEER_ADDRESSES_MAX];
    struct trp_kad_peer provider;
    size_t at = 0;
    bool found = false;
    while (!found &&
           trp_kad_message_next_peer(request, TRP_KAD_PROVIDERS, &at, addresses, &provider)) {
        found = trp_peer_id_equal(&provider.id, id);
    }
    enum trp_status status = found ? TRP_OK : TRP_EAUTH;
    if (request->key.size == 0 || request->key.size > KAD_KEY_BYTES_MAX) {
        status = TRP_EINVAL;
    }
    if (status == TRP_OK && policy->admit_provider != NULL) {
        status = policy->admit_provider(policy->user, request->key, id);
    }
    if (status == TRP_OK) {
        status = trp_kad_provider_store_add(&kad->providers, request->key, id, kad_now(kad));
        status = status == TRP_EEXISTS ? TRP_EAGAIN : status;
    }
    if (status != TRP_OK && status != TRP_EAGAIN) {
        provider_refuse(kad, request->key, id, status);
        return;
    }
    for (uint32_t i = 0; i < provider.addresses_count; i++) {
        trp_swarm_add_address(kad->swarm, id, &provider.addresses[i], TRP_ADDRESS_DHT);
    }
    if (status == TRP_OK) {
        trp_trace_kad_provider_stored(kad->config.trace, &(struct trp_event_kad_provider_stored){
                                                             .key = request->key, .provider = id});
    }
}

static void provider_trace_removed(struct trp_kad *kad, struct trp_bytes key,
                                   const struct trp_peer_id *provider, const char *reason)
{
    trp_trace_kad_provider_removed(
        kad->config.trace, &(struct trp_event_kad_provider_removed){
                               .key = key, .provider = provider, .reason = trp_bytes_text(reason)});
}

static void serve_withdrawal(struct trp_kad *kad, const struct kad_peer *sender,
                             const struct trp_kad_message *request)
{
    if (trp_kad_provider_store_remove(&kad->providers, request->key, &sender->contact.peer)) {
        provider_trace_removed(kad, request->key, &sender->contact.peer, "withdrawn");
    }
}

static enum trp_status record_admit(struct trp_kad *kad, const struct trp_kad_message *request,
                                    const struct trp_peer_id *sender)
{
    const struct trp_kad_record *record = &request->record;
    const struct trp_kad_policy *policy = &kad->config.policy;
    if (record->key.size == 0 || record->key.size > KAD_KEY_BYTES_MAX) {
        return TRP_EINVAL;
    }
    if (record->publisher.size > 0 && !trp_peer_id_equal(&record->publisher, sender)) {
        return TRP_EAUTH; /* nobody vouches for copies by others */
    }
    if (policy->admit_record == NULL) {
        return TRP_OK;
    }
    return policy->admit_record(policy->user, record->key, record->value, sender);
}

static void serve_put_value(struct trp_kad *kad, const struct kad_peer *sender,
                            const struct trp_kad_message *request)
{
    const struct trp_peer_id *id = &sender->contact.peer;
    const struct trp_kad_record *record = &request->record;
    enum trp_status status = record_admit(kad, request, id);
    if (status == TRP_OK) {
        status = trp_kad_record_store_put(&kad->records, record->key, record->value, id,
                                          kad_now(kad), TRP_S(record->ttl_s));
    }
    if (status == TRP_OK) {
        trp_trace_kad_record_stored(
            kad->config.trace, &(struct trp_event_kad_record_stored){
                                   .key = record->key, .bytes = record->value.size, .owner = id});
    } else if (status != TRP_EEXISTS) {
        trp_trace_kad_record_refused(kad->config.trace,
                                     &(struct trp_event_kad_record_refused){
                                         .key = record->key, .peer = id, .status = status});
    }
}

void trp_kad_stores_expire(struct trp_kad *kad, trp_time now)
{
    struct trp_kad_provider_pair pair;
    while (trp_kad_provider_store_next_expired(&kad->providers, now, &pair)) {
        provider_trace_removed(kad, pair.key, &pair.provider, "expired");
        trp_kad_provider_store_drop_expired(&kad->providers, now);
    }
    struct trp_kad_found_record record;
    while (trp_kad_record_store_next_expired(&kad->records, now, &record)) {
        trp_trace_kad_record_expired(
            kad->config.trace,
            &(struct trp_event_kad_record_expired){.key = record.key, .owner = &record.owner});
        trp_kad_record_store_drop_expired(&kad->records, now);
    }
}

/* ---- answers ---- */

/* Fills the record of an answer to GET_VALUE: our own, or one kept for others. */
static bool find_record(struct trp_kad *kad, struct trp_bytes key,
                        struct trp_kad_record *ret_record)
{
    trp_time now = kad_now(kad);
    const struct kad_announcement *own = trp_kad_announcement_find(kad, KAD_QUERY_PUT, key);
    struct trp_kad_found_record found = {0};
    if (own != NULL) {
        found.value = trp_bytes(own->bytes + own->key_size, own->value_size);
        found.owner = *trp_swarm_peer_id(kad->swarm);
        found.expires_at = trp_time_after(now, kad_limits(kad)->kad_record_ttl_ns);
    } else if (trp_kad_record_store_find(&kad->records, key, now, &found) != TRP_OK) {
        return false;
    }
    uint64_t ttl_s = (found.expires_at - now) / TRP_S(1);
    ttl_s = ttl_s == 0 ? 1 : ttl_s; /* 0 would mean for ever */
    *ret_record =
        (struct trp_kad_record){.key = key,
                                .value = found.value,
                                .publisher = found.owner,
                                .ttl_s = ttl_s > UINT32_MAX ? UINT32_MAX : (uint32_t)ttl_s};
    return true;
}

/* Makes the answer to a request; false when there is none to give. */
static bool serve(struct trp_kad *kad, const struct kad_inbound *inbound,
                  const struct trp_kad_message *request, struct peer_list *closer,
                  struct peer_list *providers, struct trp_kad_message *ret_answer)
{
    const struct kad_peer *asker = inbound->peer;
    struct trp_kad_message answer = {.type = request->type, .response = true};
    switch (request->type) {
    case TRP_KAD_ADD_PROVIDER:
        if (inbound->is_withdrawal) {
            serve_withdrawal(kad, asker, request);
        } else {
            serve_add_provider(kad, asker, request);
        }
        return false;
    case TRP_KAD_PUT_VALUE:
        serve_put_value(kad, asker, request);
        answer.key = request->key;
        answer.has_record = request->has_record;
        answer.record =
            (struct trp_kad_record){.key = request->record.key, .value = request->record.value};
        break;
    case TRP_KAD_FIND_NODE:
        list_add_target(kad, closer, request->key, asker);
        list_add_closer(kad, closer, request->key, asker);
        break;
    case TRP_KAD_GET_VALUE:
        answer.has_record = find_record(kad, request->key, &answer.record);
        list_add_closer(kad, closer, request->key, asker);
        break;
    case TRP_KAD_GET_PROVIDERS:
        list_add_providers(kad, providers, request->key, asker);
        list_add_closer(kad, closer, request->key, asker);
        break;
    case TRP_KAD_PING:
        break;
    }
    answer.closer = closer->peers;
    answer.closer_count = closer->count;
    answer.providers = providers->peers;
    answer.providers_count = providers->count;
    *ret_answer = answer;
    return true;
}

/* ---- the stream ---- */

void trp_kad_inbound_free(struct trp_kad *kad, struct kad_inbound *inbound)
{
    struct kad_peer *peer = inbound->peer;
    trp_heap_remove(&kad->timers, &inbound->timer.entry);
    trp_buffer_free(&inbound->in);
    trp_buffer_free(&inbound->out);
    trp_slab_remove(&kad->inbound, inbound->id);
    peer->inbound--;
    trp_kad_peer_release(kad, peer);
}

static void inbound_refuse(struct trp_kad *kad, struct kad_inbound *inbound, enum trp_status status)
{
    trp_trace_kad_message_refused(
        kad->config.trace,
        &(struct trp_event_kad_message_refused){
            .peer = &inbound->peer->contact.peer, .inbound = 1, .status = status});
    trp_stream_reset(kad->swarm, inbound->stream);
    trp_kad_inbound_free(kad, inbound);
}

/* Writes what fits of `rest`, keeps what does not. */
static enum trp_status inbound_write(struct trp_kad *kad, struct kad_inbound *inbound,
                                     struct trp_bytes rest)
{
    while (rest.size > 0) {
        size_t used;
        enum trp_status status = trp_stream_write(kad->swarm, inbound->stream, rest, &used);
        if (status == TRP_EAGAIN || (status == TRP_OK && used == 0)) {
            return trp_buffer_append(&inbound->out, rest);
        }
        if (status != TRP_OK) {
            return status;
        }
        rest = trp_bytes_skip(rest, used);
    }
    return TRP_OK;
}

static enum trp_status inbound_answer(struct trp_kad *kad, struct kad_inbound *inbound,
                                      const struct trp_kad_message *request)
{
    struct peer_list closer;
    struct peer_list providers;
    closer.count = 0;
    closer.addresses_count = 0;
    providers.count = 0;
    providers.addresses_count = 0;
    struct trp_kad_message answer;
    trp_kad_peer_on_request(kad, inbound->peer);
    if (inbound->is_withdrawal && request->type != TRP_KAD_ADD_PROVIDER) {
        return TRP_EVIOLATION;
    }
    if (request->type == TRP_KAD_PUT_VALUE && !request->has_record) {
        return TRP_EMALFORMED; /* as every zero in a stream of them is: a message of no bytes */
    }
    if (!serve(kad, inbound, request, &closer, &providers, &answer)) {
        return TRP_OK;
    }
    uint8_t frame[KAD_FRAME_BYTES_MAX];
    size_t size;
    enum trp_status status = trp_kad_frame_encode(&answer, frame, &size);
    return status == TRP_OK ? inbound_write(kad, inbound, trp_bytes(frame, size)) : status;
}

/* Answers the requests at the start of `in` until one is incomplete or its answer does not fit;
 * `ret_used` is what they took. */
static enum trp_status inbound_serve(struct trp_kad *kad, struct kad_inbound *inbound,
                                     struct trp_bytes in, size_t *ret_used)
{
    *ret_used = 0;
    while (inbound->out.size == 0) {
        struct trp_kad_message request;
        size_t used;
        enum trp_status status =
            trp_kad_frame_decode(trp_bytes_skip(in, *ret_used), &request, &used);
        if (status == TRP_EAGAIN) {
            return TRP_OK;
        }
        if (status == TRP_OK) {
            status = inbound_answer(kad, inbound, &request);
        }
        if (status != TRP_OK) {
            return status;
        }
        *ret_used += used;
        trp_time deadline = trp_time_after(kad_now(kad), kad_limits(kad)->kad_rpc_timeout_ns);
        if (!trp_kad_set_timer(kad, &inbound->timer, KAD_TIMER_INBOUND, deadline)) {
            return TRP_ENOMEM;
        }
    }
    return TRP_OK;
}

/* Goes on with what is buffered; ends the stream when all is said. */
static void inbound_run(struct trp_kad *kad, struct kad_inbound *inbound)
{
    size_t used;
    enum trp_status status = inbound_serve(kad, inbound, trp_buffer_view(&inbound->in), &used);
    if (status == TRP_OK) {
        trp_buffer_consume(&inbound->in, used);
        trp_stream_consumed(kad->swarm, inbound->stream, used);
        if (inbound->eof_seen && inbound->out.size == 0 && inbound->in.size > 0) {
            status = TRP_EMALFORMED; /* ended within a request */
        }
    }
    if (status != TRP_OK) {
        inbound_refuse(kad, inbound, status);
    } else if (inbound->eof_seen && inbound->out.size == 0) {
        trp_stream_shutdown(kad->swarm, inbound->stream);
    }
}

void trp_kad_inbound_on_opened(struct trp_kad *kad, const struct trp_stream_info *stream)
{
    trp_handle id;
    void *object = NULL;
    struct kad_peer *peer = trp_kad_peer_make(kad, stream->peer);
    if (peer == NULL || peer->inbound >= KAD_INBOUND_PER_PEER_MAX ||
        trp_slab_insert(&kad->inbound, &id, &object) != TRP_OK) {
        trp_limit_say(&kad->inbound_mark, kad->config.trace, "kad inbound streams of a peer",
                      KAD_INBOUND_PER_PEER_MAX);
        trp_stream_reset(kad->swarm, stream->id);
        if (peer != NULL) {
            trp_kad_peer_release(kad, peer);
        }
        return;
    }
    struct kad_inbound *inbound = object;
    peer->inbound++;
    *inbound = (struct kad_inbound){
        .id = id,
        .peer = peer,
        .stream = stream->id,
        .is_withdrawal = strcmp(stream->protocol, kad->withdrawal) == 0,
        .in = trp_buffer_init(kad->config.memory,
                              kad_limits(kad)->yamux_window_bytes + KAD_FRAME_BYTES_MAX),
        .out = trp_buffer_init(kad->config.memory, KAD_FRAME_BYTES_MAX)};
    trp_stream_set_token(kad->swarm, stream->id, id);
    trp_time deadline = trp_time_after(kad_now(kad), kad_limits(kad)->kad_rpc_timeout_ns);
    if (!trp_kad_set_timer(kad, &inbound->timer, KAD_TIMER_INBOUND, deadline)) {
        trp_stream_reset(kad->swarm, stream->id);
        trp_kad_inbound_free(kad, inbound);
    }
}

static struct kad_inbound *inbound_of(const struct trp_kad *kad,
                                      const struct trp_stream_info *stream)
{
    struct kad_inbound *inbound = trp_slab_find(&kad->inbound, stream->token);
    return inbound != NULL && inbound->stream == stream->id ? inbound : NULL;
}

void trp_kad_inbound_on_data(struct trp_kad *kad, const struct trp_stream_info *stream,
                             struct trp_bytes in)
{
    struct kad_inbound *inbound = inbound_of(kad, stream);
    if (inbound == NULL) {
        trp_stream_consumed(kad->swarm, stream->id, in.size);
        return;
    }
    enum trp_status status = TRP_OK;
    size_t used = 0;
    if (inbound->in.size == 0) { /* the usual case: a whole request at once */
        status = inbound_serve(kad, inbound, in, &used);
        trp_stream_consumed(kad->swarm, stream->id, used);
    }
    if (status == TRP_OK) {
        status = trp_buffer_append(&inbound->in, trp_bytes_skip(in, used));
    }
    if (status != TRP_OK) {
        inbound_refuse(kad, inbound, status);
    } else if (used == 0) {
        inbound_run(kad, inbound);
    }
}

void trp_kad_inbound_on_writable(struct trp_kad *kad, const struct trp_stream_info *stream)
{
    struct kad_inbound *inbound = inbound_of(kad, stream);
    if (inbound == NULL) {
        return;
    }
    while (inbound->out.size > 0) {
        size_t used;
        enum trp_status status =
            trp_stream_write(kad->swarm, inbound->stream, trp_buffer_view(&inbound->out), &used);
        if (status == TRP_EAGAIN || (status == TRP_OK && used == 0)) {
            return;
        }
        if (status != TRP_OK) {
            inbound_refuse(kad, inbound, status);
            return;
        }
        trp_buffer_consume(&inbound->out, used);
    }
    inbound_run(kad, inbound);
}

void trp_kad_inbound_on_eof(struct trp_kad *kad, const struct trp_stream_info *stream)
{
    struct kad_inbound *inbound = inbound_of(kad, stream);
    if (inbound != NULL) {
        inbound->eof_seen = true;
        inbound_run(kad, inbound);
    }
}

void trp_kad_inbound_on_closed(struct trp_kad *kad, const struct trp_stream_info *stream)
{
    struct kad_inbound *inbound = inbound_of(kad, stream);
    if (inbound != NULL) {
        trp_kad_inbound_free(kad, inbound);
    }
}

static void inbound_trace_misuse(struct trp_kad *kad, const struct kad_inbound *inbound,
                                 const char *how)
{
    trp_trace_stream_misused(
        kad->config.trace,
        &(struct trp_event_stream_misused){.peer = &inbound->peer->contact.peer,
                                           .protocol = trp_bytes_text(kad->config.protocol),
                                           .how = trp_bytes_text(how)});
}

void trp_kad_inbound_on_timeout(struct trp_kad *kad, struct kad_inbound *inbound)
{
    if (inbound->out.size > 0) {
        inbound_trace_misuse(kad, inbound, "does not read the answers");
    } else if (inbound->in.size > 0) {
        inbound_trace_misuse(kad, inbound, "does not end its request");
    } else { /* as anybody may who keeps a stream for the next request */
        trp_trace_kad_stream_idle(kad->config.trace, &(struct trp_event_kad_stream_idle){
                                                         .peer = &inbound->peer->contact.peer});
    }
    trp_stream_reset(kad->swarm, inbound->stream);
    trp_kad_inbound_free(kad, inbound);
}
