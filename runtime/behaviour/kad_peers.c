/* SPDX-License-Identifier: MIT */
#include "base/assert.h"
#include "behaviour/kad_state.h"
#include "net/swarm.h"

/* ---- life of a peer's entry ---- */

struct kad_peer *trp_kad_peer_find(const struct trp_kad *kad, const struct trp_peer_id *id)
{
    uint32_t hash = trp_index_hash(id, sizeof *id);
    uint32_t at = hash;
    struct kad_peer *peer;
    while ((peer = trp_index_next(&kad->peers, hash, &at)) != NULL) {
        if (trp_peer_id_equal(&peer->contact.peer, id)) {
            break;
        }
    }
    return peer;
}

struct kad_peer *trp_kad_peer_make(struct trp_kad *kad, const struct trp_peer_id *id)
{
    struct kad_peer *peer = trp_kad_peer_find(kad, id);
    if (peer != NULL) {
        return peer;
    }
    peer = trp_memory_alloc(kad->config.memory, sizeof *peer);
    if (peer == NULL) {
        return NULL;
    }
    peer->contact = trp_kad_contact_of(id);
    if (trp_index_insert(&kad->peers, trp_index_hash(id, sizeof *id), peer) != TRP_OK) {
        trp_memory_free(kad->config.memory, peer);
        return NULL;
    }
    return peer;
}

static void peer_free(struct trp_kad *kad, struct kad_peer *peer)
{
    const struct trp_peer_id *id = &peer->contact.peer;
    trp_heap_remove(&kad->timers, &peer->probe.entry);
    trp_index_remove(&kad->peers, trp_index_hash(id, sizeof *id), peer);
    trp_memory_free(kad->config.memory, peer);
}

void trp_kad_peer_release(struct trp_kad *kad, struct kad_peer *peer)
{
    if (peer->connections == 0 && peer->inbound == 0 && peer->rpcs == 0 &&
        !trp_list_link_is_linked(&peer->lost_link)) {
        peer_free(kad, peer);
    }
}

void trp_kad_peers_close(struct trp_kad *kad)
{
    uint32_t at = 0;
    struct kad_peer *peer;
    while ((peer = trp_index_pop(&kad->peers, &at)) != NULL) {
        trp_heap_remove(&kad->timers, &peer->probe.entry);
        trp_memory_free(kad->config.memory, peer);
    }
    trp_index_deinit(&kad->peers);
}

bool trp_kad_peer_is_routable(const struct trp_kad *kad, const struct trp_peer_id *id)
{
    struct trp_multiaddr address;
    return trp_swarm_known_addresses(kad->swarm, id, &address, 1) > 0;
}

/* ---- the lost: peers that failed, tried again now and then ---- */

static void lost_remove(struct trp_kad *kad, struct kad_peer *peer)
{
    if (trp_list_link_is_linked(&peer->lost_link)) {
        trp_list_link_remove(&peer->lost_link);
        kad->lost_count--;
    }
}

static void lost_insert(struct trp_kad *kad, struct kad_peer *peer)
{
    lost_remove(kad, peer);
    if (peer->tries >= KAD_LOST_TRIES_MAX && kad->table.count >= TRP_KAD_K) {
        return;
    }
    if (kad->lost_count == KAD_LOST_MAX) {
        struct kad_peer *oldest =
            TRP_CONTAINER(trp_list_front(&kad->lost), struct kad_peer, lost_link);
        lost_remove(kad, oldest);
        trp_kad_peer_release(kad, oldest);
    }
    trp_list_push_back(&kad->lost, &peer->lost_link);
    kad->lost_count++;
}

/* ---- the table ---- */

/* Who is in the table is told to others, so its addresses must stay. */
static void table_added(struct trp_kad *kad, const struct trp_kad_contact *contact,
                        const char *reason)
{
    trp_swarm_keep_addresses(kad->swarm, &contact->peer, true);
    trp_trace_kad_peer_added(kad->config.trace,
                             &(struct trp_event_kad_peer_added){
                                 .peer = &contact->peer,
                                 .bucket = trp_kad_bucket_index(&kad->self, &contact->key),
                                 .reason = trp_bytes_text(reason)});
    trp_kad_refresh_on_peer(&kad->refresh, kad->table.count, kad_now(kad));
    trp_kad_news_push(kad, TRP_KAD_ROUTING_UPDATED, &contact->peer);
}

static void table_removed(struct trp_kad *kad, const struct trp_kad_contact *contact,
                          const char *reason)
{
    trp_swarm_keep_addresses(kad->swarm, &contact->peer, false);
    trp_trace_kad_peer_removed(kad->config.trace,
                               &(struct trp_event_kad_peer_removed){
                                   .peer = &contact->peer,
                                   .bucket = trp_kad_bucket_index(&kad->self, &contact->key),
                                   .reason = trp_bytes_text(reason)});
}

static bool table_remove(struct trp_kad *kad, const struct trp_kad_contact *contact,
                         const char *reason)
{
    struct trp_kad_contact promoted;
    struct trp_kad_contact removed = *contact;
    if (!trp_kad_table_remove(&kad->table, &removed.key, kad_now(kad), &promoted)) {
        return false;
    }
    table_removed(kad, &removed, reason);
    if (promoted.peer.size > 0) {
        const struct kad_peer *peer = trp_kad_peer_find(kad, &promoted.peer);
        trp_kad_table_set_connected(&kad->table, &promoted.key,
                                    peer != NULL && peer->connections > 0, kad_now(kad));
        table_added(kad, &promoted, "replaces one that failed");
    }
    return true;
}

/* PING is the cheapest question, but rust-libp2p does not answer it. */
static bool answers_ping(const struct trp_kad *kad, const struct kad_peer *peer,
                         const struct trp_peer_id *id)
{
    if (peer != NULL && peer->withdraws) {
        return true;
    }
    struct trp_kad_key key = trp_kad_contact_of(id).key;
    const struct trp_kad_entry *entry = trp_kad_table_find(&kad->table, &key);
    return entry != NULL && entry->answers_ping;
}

/* Asks a peer whether it lives, by what a server of its kind answers; false when that is under way,
 * or not possible. */
static bool peer_probe(struct trp_kad *kad, const struct trp_peer_id *id)
{
    struct kad_peer *peer = trp_kad_peer_find(kad, id);
    struct kad_request request = {
        .purpose = KAD_FOR_PROBE,
        .message = {.type = TRP_KAD_FIND_NODE,
                    .key = trp_peer_id_bytes(trp_swarm_peer_id(kad->swarm))}};
    if (answers_ping(kad, peer, id)) {
        request.message = (struct trp_kad_message){.type = TRP_KAD_PING};
    }
    if ((peer != NULL && peer->probing) || trp_kad_rpc_send(kad, id, &request) != TRP_OK) {
        return false;
    }
    peer = trp_kad_peer_find(kad, id);
    TRP_ASSERT(peer != NULL);
    peer->probing = true;
    return true;
}

/* Lets a peer that serves the DHT into the table. */
static void table_insert(struct trp_kad *kad, const struct kad_peer *peer, const char *reason)
{
    struct trp_kad_contact check;
    struct trp_kad_contact contact = peer->contact;
    bool connected = peer->connections > 0;
    if (peer->faulty_until > kad_now(kad)) {
        return;
    }
    bool routable = trp_kad_peer_is_routable(kad, &contact.peer);
    if (!routable) {
        trp_kad_news_push(kad, TRP_KAD_UNROUTABLE, &contact.peer);
    }
    if (!connected && !routable) {
        return;
    }
    enum trp_status status =
        trp_kad_table_insert(&kad->table, &contact, connected, kad_now(kad), &check);
    if (status == TRP_OK) {
        if (check.peer.size > 0) {
            table_removed(kad, &check, "a closer one came");
        }
        table_added(kad, &contact, reason);
    } else if (status == TRP_EEXISTS) {
        trp_swarm_keep_addresses(kad->swarm, &contact.peer, true);
    } else if (status == TRP_EAGAIN) {
        trp_kad_news_push(kad, TRP_KAD_PENDING_ROUTABLE, &contact.peer);
        (void)peer_probe(kad, &check.peer);
    } else if (status == TRP_EFULL && routable) {
        trp_kad_news_push(kad, TRP_KAD_ROUTABLE, &contact.peer);
    }
}

static void table_set_ping(struct trp_kad *kad, const struct kad_peer *peer, bool answers)
{
    struct trp_kad_entry *entry = trp_kad_table_find(&kad->table, &peer->contact.key);
    if (entry != NULL) {
        entry->answers_ping = answers;
    }
}

/* A peer of the bucket is dead; others heard of as long ago may be too. Each death makes two more
 * prove that they live, so that many deaths are found out fast and few cost little. Not when nobody
 * answers: then it may be ourselves who are cut off. */
static void table_check_more(struct trp_kad *kad, const struct trp_kad_key *dead)
{
    const struct trp_limits *limits = kad_limits(kad);
    trp_time now = kad_now(kad);
    trp_time interval = limits->kad_refresh_ns;
    if (trp_time_after(kad->answered_at, limits->kad_rpc_timeout_ns) < now) {
        return;
    }
    const struct trp_kad_entry *entries[TRP_KAD_K];
    uint32_t count = trp_kad_table_stalest(&kad->table, trp_kad_bucket_index(&kad->self, dead),
                                           now > interval ? now - interval : 0, TRP_KAD_K, entries);
    uint32_t probes = 0;
    for (uint32_t i = 0; i < count && probes < KAD_CHECKS_PER_DEATH; i++) {
        probes += peer_probe(kad, &entries[i]->contact.peer);
    }
}

/* ---- what is heard of peers ---- */

void trp_kad_peer_on_connected(struct trp_kad *kad, const struct trp_connection_info *connection)
{
    struct kad_peer *peer = trp_kad_peer_make(kad, &connection->peer);
    if (peer == NULL) {
        return;
    }
    peer->connections = connection->peer_connections;
    if (connection->outbound) {
        peer->dialed = true;
        peer->banned_until = 0;
    }
    bool known = trp_kad_table_find(&kad->table, &peer->contact.key) != NULL;
    trp_kad_table_set_connected(&kad->table, &peer->contact.key, true, kad_now(kad));
    if (!known && peer->role == KAD_ROLE_UNKNOWN && kad->table.count < TRP_KAD_K &&
        !trp_heap_is_queued(&peer->probe.entry)) {
        (void)!trp_kad_set_timer(kad, &peer->probe, KAD_TIMER_PROBE,
                                 trp_time_after(kad_now(kad), KAD_PROBE_NS));
    }
}

void trp_kad_peer_on_disconnected(struct trp_kad *kad, const struct trp_connection_info *connection)
{
    struct kad_peer *peer = trp_kad_peer_find(kad, &connection->peer);
    if (peer == NULL) {
        return;
    }
    peer->connections = connection->peer_connections;
    if (peer->connections > 0) {
        return;
    }
    peer->dialed = false;
    trp_heap_remove(&kad->timers, &peer->probe.entry);
    trp_kad_table_set_connected(&kad->table, &peer->contact.key, false, kad_now(kad));
    if (!trp_kad_peer_is_routable(kad, &peer->contact.peer)) {
        (void)table_remove(kad, &peer->contact, "no address");
    }
    trp_kad_peer_release(kad, peer);
}

/* It will not say whether it serves the DHT: asks it without waiting for that. */
static void peer_on_refused(struct trp_kad *kad, const struct trp_peer_id *id)
{
    struct kad_peer *peer = trp_kad_peer_find(kad, id);
    if (peer != NULL && trp_heap_is_queued(&peer->probe.entry)) {
        trp_heap_remove(&kad->timers, &peer->probe.entry);
        trp_kad_peer_on_probe_due(kad, peer);
    }
}

void trp_kad_peer_on_identified(struct trp_kad *kad, const struct trp_identified *identified)
{
    if (identified->refused) {
        peer_on_refused(kad, &identified->peer);
        return;
    }
    struct kad_peer *peer = trp_kad_peer_make(kad, &identified->peer);
    if (peer == NULL) {
        return;
    }
    bool serves = false;
    peer->withdraws = false;
    for (uint32_t i = 0; i < identified->protocols_count; i++) {
        serves = serves || strcmp(identified->protocols[i], kad->config.protocol) == 0;
        peer->withdraws = peer->withdraws || strcmp(identified->protocols[i], kad->withdrawal) == 0;
    }
    peer->role = serves ? KAD_ROLE_SERVER : KAD_ROLE_NONE;
    trp_heap_remove(&kad->timers, &peer->probe.entry);
    if (!serves) {
        (void)table_remove(kad, &peer->contact, "does not serve");
    } else if (peer->dialed || peer->tries < KAD_BAN_TRIES || peer->banned_until <= kad_now(kad)) {
        table_insert(kad, peer, "identified");
    }
    table_set_ping(kad, peer, peer->withdraws);
    trp_kad_peer_release(kad, peer);
}

/* The user vouches for it. */
void trp_kad_peer_add(struct trp_kad *kad, const struct trp_peer_id *id)
{
    struct kad_peer *peer =
        trp_peer_id_equal(id, trp_swarm_peer_id(kad->swarm)) ? NULL : trp_kad_peer_make(kad, id);
    if (peer != NULL) {
        peer->banned_until = 0;
        table_insert(kad, peer, "added");
        trp_kad_peer_release(kad, peer);
    }
}

/* A peer without identify proves itself by an answer. */
void trp_kad_peer_on_probe_due(struct trp_kad *kad, struct kad_peer *peer)
{
    if (peer->role == KAD_ROLE_UNKNOWN && peer->connections > 0) {
        (void)peer_probe(kad, &peer->contact.peer);
    }
}

void trp_kad_peer_on_request(struct trp_kad *kad, struct kad_peer *peer)
{
    if (peer->role != KAD_ROLE_UNKNOWN || trp_heap_is_queued(&peer->probe.entry) || peer->probing ||
        trp_kad_table_find(&kad->table, &peer->contact.key) != NULL) {
        return;
    }
    uint32_t bucket = trp_kad_bucket_index(&kad->self, &peer->contact.key);
    if (trp_kad_table_bucket_count(&kad->table, bucket) < TRP_KAD_K) {
        (void)!trp_kad_set_timer(kad, &peer->probe, KAD_TIMER_PROBE,
                                 trp_time_after(kad_now(kad), KAD_PROBE_NS));
    }
}

void trp_kad_peer_on_answer(struct trp_kad *kad, struct kad_peer *peer)
{
    kad->answered_at = kad_now(kad);
    peer->role = KAD_ROLE_SERVER;
    peer->tries = 0;
    peer->banned_until = 0;
    lost_remove(kad, peer);
    table_insert(kad, peer, "answered");
}

/* Says whether a failure is ours and tells nothing about the peer. */
static bool is_our_own(enum trp_status status)
{
    enum trp_status_class class_ = trp_status_class(status);
    return class_ == TRP_CLASS_FLOW || class_ == TRP_CLASS_LOCAL || class_ == TRP_CLASS_USAGE;
}

static const char reason_faulty[] = "faulty answer";

static const char *failure_reason(struct trp_kad *kad, const struct kad_peer *peer,
                                  enum trp_status status, bool is_opened)
{
    if (status == TRP_ENEGOTIATION) {
        return "does not serve";
    }
    if (status == TRP_EMALFORMED || status == TRP_EVIOLATION || status == TRP_ETOOBIG) {
        return reason_faulty;
    }
    if (!is_opened && peer->connections == 0) {
        return "unreachable";
    }
    return trp_kad_table_failed(&kad->table, &peer->contact.key) >= KAD_FAILURES_MAX ? "silent"
                                                                                     : NULL;
}

void trp_kad_peer_on_failure(struct trp_kad *kad, struct kad_peer *peer, enum trp_status status,
                             bool is_opened)
{
    if (is_our_own(status)) {
        return;
    }
    table_set_ping(kad, peer, false); /* it may be another program by now */
    bool listed = trp_list_link_is_linked(&peer->lost_link) ||
                  trp_kad_table_find(&kad->table, &peer->contact.key) != NULL;
    const char *reason = failure_reason(kad, peer, status, is_opened);
    if (reason == NULL) {
        return;
    }
    if (status == TRP_ENEGOTIATION) {
        peer->role = KAD_ROLE_NONE;
        listed = false;
        lost_remove(kad, peer);
    }
    if (reason == reason_faulty) {
        peer->faulty_until = trp_time_after(kad_now(kad), KAD_FAULTY_NS);
    }
    peer->banned_until = trp_time_after(kad_now(kad), KAD_BAN_NS);
    if (listed) {
        peer->tries++;
        lost_insert(kad, peer);
    }
    struct trp_kad_key key = peer->contact.key;
    if (table_remove(kad, &peer->contact, reason)) {
        kad->deaths++;
        table_check_more(kad, &key);
    }
}

/* ---- rounds of renewal ---- */

void trp_kad_round_begin(struct trp_kad *kad, bool full)
{
    bool running = kad->refresh.is_running;
    trp_kad_refresh_begin(&kad->refresh, full, kad_now(kad));
    if (running) {
        return;
    }
    kad->round_look_ups = 0;
    bool many = kad->deaths * KAD_MANY_DEATHS > kad->table.count;
    kad->round_checks = many ? TRP_KAD_K : TRP_KAD_CHECKS;
    kad->deaths = 0;
    kad->round_had_peers = kad->table.count > 0;
    uint32_t tries = kad->table.count > 0 ? KAD_LOST_PER_ROUND : KAD_LOST_WHEN_ALONE;
    if (kad_now(kad) < kad->lost_due) {
        tries = 0;
    } else {
        kad->lost_due =
            trp_time_after(kad_now(kad), trp_swarm_limits(kad->swarm)->bootstrap_redial_ns);
    }
    struct trp_list_link *link = trp_list_front(&kad->lost);
    while (link != NULL && tries-- > 0) {
        struct kad_peer *peer = TRP_CONTAINER(link, struct kad_peer, lost_link);
        link = trp_list_next(&kad->lost, link);
        if (peer->rpcs == 0) {
            (void)peer_probe(kad, &peer->contact.peer);
        }
    }
    kad->is_due = true;
}

static void round_end(struct trp_kad *kad)
{
    enum trp_status status = kad->round_had_peers ? TRP_OK : TRP_ENOPEERS;
    trp_trace_kad_bootstrapped(kad->config.trace, &(struct trp_event_kad_bootstrapped){
                                                      .peers = kad->table.count,
                                                      .look_ups = kad->round_look_ups,
                                                      .took = kad_now(kad) - kad->refresh.began_at,
                                                      .status = status});
    kad->round_is_pending = true;
    kad->round_event_status = status;
    kad->round_event_token = kad->round_has_token ? kad->round_token : 0;
    kad->round_has_token = false;
}

static void round_check(struct trp_kad *kad, uint32_t bucket)
{
    const struct trp_kad_entry *entries[TRP_KAD_K];
    uint32_t count = trp_kad_table_stalest(&kad->table, bucket, kad_fresh_since(kad),
                                           kad->round_checks, entries);
    for (uint32_t i = 0; i < count; i++) {
        (void)peer_probe(kad, &entries[i]->contact.peer);
    }
}

/* Goes on with the round that runs until a look-up is under way. */
void trp_kad_round_run(struct trp_kad *kad)
{
    if (!kad->refresh.is_running || kad->round_query != 0) {
        return;
    }
    struct trp_kad_target target;
    do {
        if (!trp_kad_refresh_next(&kad->refresh, &kad->table, trp_swarm_peer_id(kad->swarm),
                                  kad_now(kad), &target)) {
            round_end(kad);
            return;
        }
        round_check(kad, target.bucket);
    } while (target.size == 0);
    struct kad_query_start start = {.kind = KAD_QUERY_REFRESH,
                                    .key = trp_bytes(target.preimage, target.size),
                                    .goal = target.goal,
                                    .is_silent = true,
                                    .is_light = target.is_light};
    if (trp_kad_query_begin(kad, &start, &kad->round_query) != TRP_OK) {
        kad->is_due = true; /* this one is left out; the round goes on */
        return;
    }
    kad->round_look_ups++;
}

void trp_kad_round_on_query(struct trp_kad *kad, const struct kad_query *query)
{
    if (kad->round_query == query->id) {
        kad->round_query = 0;
        kad->is_due = true;
    }
}
