/* SPDX-License-Identifier: MIT */
#include "base/prng.h"
#include "behaviour/kad_state.h"

#define RETRY_NS TRP_S(30) /* after nobody could be told */

/* The first renewal, and each later one after twice the span before it: a network is often young
 * when its names are, and those who come to be closest to a key have not heard of it yet. */
#define RENEW_FIRST_NS      TRP_MIN(1)
#define RENEW_DOUBLINGS_MAX 16u

/* Streams of keyed draws. */
enum { DRAW_REPUBLISH = 16 };

static struct kad_announcement **announcement_table(struct trp_kad *kad, enum kad_query_kind kind)
{
    return kind == KAD_QUERY_PROVIDE ? &kad->provided : &kad->published;
}

static struct trp_bytes announcement_key(const struct kad_announcement *announcement)
{
    return trp_bytes(announcement->bytes, announcement->key_size);
}

static struct trp_bytes announcement_value(const struct kad_announcement *announcement)
{
    return trp_bytes(announcement->bytes + announcement->key_size, announcement->value_size);
}

struct kad_announcement *trp_kad_announcement_find(const struct trp_kad *kad,
                                                   enum kad_query_kind kind, struct trp_bytes key)
{
    struct kad_announcement *table = kind == KAD_QUERY_PROVIDE ? kad->provided : kad->published;
    if (table == NULL) {
        return NULL;
    }
    struct trp_kad_key target = trp_kad_key_of(key);
    struct kad_announcement *announcement;
    HASH_FIND(hh, table, &target, sizeof target, announcement);
    return announcement;
}

/* ---- life ---- */

static void announcement_free(struct trp_kad *kad, struct kad_announcement *announcement)
{
    trp_heap_remove(&kad->timers, &announcement->timer.entry);
    trp_memory_free(kad->config.memory, announcement->holders);
    trp_memory_free(kad->config.memory, announcement->bytes);
    trp_slab_remove(&kad->announcements, announcement->id);
}

static void announcement_remove(struct trp_kad *kad, struct kad_announcement *announcement)
{
    struct trp_memory *uthash_memory = kad->config.memory;
    struct kad_announcement **table = announcement_table(kad, announcement->kind);
    HASH_DELETE(hh, *table, announcement);
    announcement_free(kad, announcement);
}

void trp_kad_announcements_close(struct trp_kad *kad)
{
    while (kad->provided != NULL) {
        announcement_remove(kad, kad->provided);
    }
    while (kad->published != NULL) {
        announcement_remove(kad, kad->published);
    }
}

/* Replaces what is announced. */
static enum trp_status announcement_fill(struct trp_kad *kad, struct kad_announcement *announcement,
                                         struct trp_bytes key, struct trp_bytes value)
{
    uint8_t *bytes = trp_memory_alloc(kad->config.memory, key.size + value.size);
    if (bytes == NULL) {
        return TRP_ENOMEM;
    }
    memcpy(bytes, key.data, key.size);
    if (value.size > 0) {
        memcpy(bytes + key.size, value.data, value.size);
    }
    trp_memory_free(kad->config.memory, announcement->bytes);
    announcement->bytes = bytes;
    announcement->key_size = (uint32_t)key.size;
    announcement->value_size = (uint32_t)value.size;
    return TRP_OK;
}

static enum trp_status announcement_make(struct trp_kad *kad, enum kad_query_kind kind,
                                         struct trp_bytes key, struct trp_bytes value,
                                         struct kad_announcement **ret_announcement)
{
    struct trp_memory *uthash_memory = kad->config.memory;
    trp_handle id;
    void *object;
    enum trp_status status = trp_slab_insert(&kad->announcements, &id, &object);
    if (status != TRP_OK) {
        return status;
    }
    struct kad_announcement *announcement = object;
    *announcement =
        (struct kad_announcement){.id = id, .kind = kind, .target = trp_kad_key_of(key)};
    status = announcement_fill(kad, announcement, key, value);
    if (status != TRP_OK) {
        announcement_free(kad, announcement);
        return status;
    }
    struct kad_announcement **table = announcement_table(kad, kind);
    HASH_ADD(hh, *table, target, sizeof announcement->target, announcement);
    if (announcement->hh.tbl == NULL) {
        announcement_free(kad, announcement);
        return TRP_ENOMEM;
    }
    *ret_announcement = announcement;
    return TRP_OK;
}

/* ---- announcing ---- */

static bool announcement_schedule(struct trp_kad *kad, struct kad_announcement *announcement,
                                  bool stored)
{
    trp_time span = RETRY_NS;
    if (stored) {
        /* Up to a tenth sooner, so that names registered together drift apart. */
        trp_time young = RENEW_FIRST_NS << announcement->renewals;
        trp_time whole = trp_time_min(young, kad_limits(kad)->kad_republish_ns);
        uint64_t draw =
            trp_draw(kad->config.seed, announcement->target.words[0], DRAW_REPUBLISH, kad_now(kad));
        span = whole - whole / 10 / 1000 * trp_draw_below(draw, 1001);
    }
    return trp_kad_set_timer(kad, &announcement->timer, KAD_TIMER_ANNOUNCE,
                             trp_time_after(kad_now(kad), span));
}

static enum trp_status announcement_query(struct trp_kad *kad,
                                          struct kad_announcement *announcement, bool is_silent,
                                          uint64_t token, uint64_t *ret_query)
{
    struct kad_query_start start = {.kind = announcement->kind,
                                    .key = announcement_key(announcement),
                                    .token = token,
                                    .announcement = announcement->id,
                                    .is_silent = is_silent};
    return trp_kad_query_begin(kad, &start, ret_query);
}

static enum trp_status announce(struct trp_kad *kad, enum kad_query_kind kind, struct trp_bytes key,
                                struct trp_bytes value, uint64_t token, uint64_t *ret_query)
{
    if (key.size == 0 || key.size > KAD_KEY_BYTES_MAX) {
        return TRP_EINVAL;
    }
    struct kad_announcement *announcement = trp_kad_announcement_find(kad, kind, key);
    bool is_new = announcement == NULL;
    enum trp_status status = is_new ? announcement_make(kad, kind, key, value, &announcement)
                                    : announcement_fill(kad, announcement, key, value);
    if (status != TRP_OK) {
        return status;
    }
    status = announcement_schedule(kad, announcement, true) ? TRP_OK : TRP_ENOMEM;
    if (status == TRP_OK) {
        status = announcement_query(kad, announcement, false, token, ret_query);
    }
    if (status != TRP_OK && is_new) {
        announcement_remove(kad, announcement);
    }
    return status;
}

enum trp_status trp_kad_provide(struct trp_kad *kad, struct trp_bytes key, uint64_t token,
                                uint64_t *ret_query)
{
    return announce(kad, KAD_QUERY_PROVIDE, key, TRP_BYTES_NONE, token, ret_query);
}

enum trp_status trp_kad_put_record(struct trp_kad *kad, struct trp_bytes key,
                                   struct trp_bytes value, uint64_t token, uint64_t *ret_query)
{
    /* 256 bytes are ample for the rest of a message: publisher, ttl, tags and lengths. */
    if (value.size > kad_limits(kad)->kad_record_bytes ||
        2 * key.size + value.size + 256 > TRP_KAD_MESSAGE_BYTES_MAX) {
        return TRP_ETOOBIG;
    }
    return announce(kad, KAD_QUERY_PUT, key, value, token, ret_query);
}

void trp_kad_announcement_on_timer(struct trp_kad *kad, struct kad_announcement *announcement)
{
    uint64_t query;
    if (announcement->renewals < RENEW_DOUBLINGS_MAX) {
        announcement->renewals++;
    }
    if (announcement_schedule(kad, announcement, true)) {
        (void)!announcement_query(kad, announcement, true, 0, &query);
    }
}

void trp_kad_announcement_on_done(struct trp_kad *kad, trp_handle id, uint32_t stored)
{
    struct kad_announcement *announcement = trp_slab_find(&kad->announcements, id);
    if (announcement != NULL) {
        (void)!announcement_schedule(kad, announcement, stored > 0);
    }
}

bool trp_kad_announcement_request(const struct trp_kad *kad, trp_handle id,
                                  struct kad_request *request, struct trp_kad_peer *self,
                                  struct trp_multiaddr *addresses)
{
    const struct kad_announcement *announcement = trp_slab_find(&kad->announcements, id);
    if (announcement == NULL) {
        return false;
    }
    struct trp_bytes key = announcement_key(announcement);
    *request = (struct kad_request){0};
    struct trp_kad_message *message = &request->message;
    message->key = key;
    if (announcement->kind == KAD_QUERY_PUT) {
        uint64_t ttl_s = kad_limits(kad)->kad_record_ttl_ns / TRP_S(1);
        message->type = TRP_KAD_PUT_VALUE;
        message->has_record = true;
        message->record =
            (struct trp_kad_record){.key = key,
                                    .value = announcement_value(announcement),
                                    .publisher = *trp_swarm_peer_id(kad->swarm),
                                    .ttl_s = ttl_s > UINT32_MAX ? UINT32_MAX : (uint32_t)ttl_s};
        return true;
    }
    *self = (struct trp_kad_peer){.id = *trp_swarm_peer_id(kad->swarm),
                                  .connection = TRP_KAD_CONNECTED,
                                  .addresses = addresses,
                                  .addresses_count = trp_swarm_listen_addresses(
                                      kad->swarm, addresses, TRP_KAD_PEER_ADDRESSES_MAX)};
    message->type = TRP_KAD_ADD_PROVIDER;
    message->providers = self;
    message->providers_count = 1;
    return true;
}

/* ---- holders and withdrawal ---- */

void trp_kad_announcement_on_stored(struct trp_kad *kad, trp_handle id, const struct kad_peer *peer)
{
    struct kad_announcement *announcement = trp_slab_find(&kad->announcements, id);
    if (announcement == NULL) {
        return;
    }
    if (announcement->holders == NULL) {
        announcement->holders = trp_memory_alloc(
            kad->config.memory, (size_t)KAD_HOLDERS_MAX * sizeof *announcement->holders);
    }
    if (announcement->holders == NULL) {
        return; /* a withdrawal will not reach them; their copies expire */
    }
    struct kad_holder holder = {.peer = peer->contact.peer, .withdraws = peer->withdraws};
    for (uint32_t i = 0; i < announcement->holders_count; i++) {
        if (trp_peer_id_equal(&announcement->holders[i].peer, &holder.peer)) {
            announcement->holders[i] = holder;
            return;
        }
    }
    if (announcement->holders_count < KAD_HOLDERS_MAX) {
        announcement->holders[announcement->holders_count++] = holder;
    } else {
        announcement->holders[announcement->next_holder] = holder;
        announcement->next_holder = (announcement->next_holder + 1) % KAD_HOLDERS_MAX;
    }
}

/* Tells the holders: a record by one that expires in a second, which any implementation
 * understands; a provider over the protocol of withdrawals, where a holder has that. */
static void announcement_withdraw(struct trp_kad *kad, struct kad_announcement *announcement)
{
    struct kad_request request;
    struct trp_kad_peer self;
    struct trp_multiaddr addresses[TRP_KAD_PEER_ADDRESSES_MAX];
    if (trp_kad_announcement_request(kad, announcement->id, &request, &self, addresses)) {
        request.purpose = KAD_FOR_WITHDRAWAL;
        request.message.record.ttl_s = 1;
        self.addresses_count = 0;
        for (uint32_t i = 0; i < announcement->holders_count; i++) {
            const struct kad_holder *holder = &announcement->holders[i];
            if (announcement->kind == KAD_QUERY_PUT || holder->withdraws) {
                (void)!trp_kad_rpc_send(kad, &holder->peer, &request);
            }
        }
    }
    announcement_remove(kad, announcement);
}

void trp_kad_unprovide(struct trp_kad *kad, struct trp_bytes key)
{
    struct kad_announcement *announcement = trp_kad_announcement_find(kad, KAD_QUERY_PROVIDE, key);
    if (announcement != NULL) {
        announcement_withdraw(kad, announcement);
    }
}

void trp_kad_remove_record(struct trp_kad *kad, struct trp_bytes key)
{
    struct kad_announcement *announcement = trp_kad_announcement_find(kad, KAD_QUERY_PUT, key);
    if (announcement != NULL) {
        announcement_withdraw(kad, announcement);
    }
}
