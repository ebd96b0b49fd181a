/* SPDX-License-Identifier: MIT */
#include "proto/kad/refresh.h"

#include "base/prng.h"
#include "proto/kad/query.h"

/* Streams of keyed draws. */
enum { DRAW_INTERVAL, DRAW_ENTRY, DRAW_PREIMAGE };

#define PREIMAGE_TRIES 4096u /* finds a key of an empty bucket as deep as 10 nearly always */
#define PREIMAGE_BYTES 8u

struct trp_kad_refresh trp_kad_refresh_init(uint64_t seed, trp_time interval_ns)
{
    return (struct trp_kad_refresh){.seed = seed, .interval_ns = interval_ns, .next_at = TRP_NEVER};
}

/* Brings the next round forward, for a peer that is new. */
static void refresh_hurry(struct trp_kad_refresh *refresh, trp_time now)
{
    trp_time soon = trp_time_after(now, TRP_KAD_JOIN_NS);
    if (refresh->rounds > 0) {
        trp_time again = trp_time_after(refresh->began_at, TRP_KAD_REJOIN_NS);
        soon = again > soon ? again : soon;
    }
    refresh->next_at = trp_time_min(refresh->next_at, soon);
}

void trp_kad_refresh_on_peer(struct trp_kad_refresh *refresh, uint32_t count, trp_time now)
{
    refresh->has_news = refresh->has_news || refresh->is_running;
    if (!refresh->is_running && count < TRP_KAD_K) {
        refresh_hurry(refresh, now);
    }
}

void trp_kad_refresh_touch(struct trp_kad_refresh *refresh, uint32_t bucket, trp_time now)
{
    if (bucket < TRP_KAD_REFRESH_BUCKETS) {
        refresh->touched_at[bucket] = now;
    }
}

trp_time trp_kad_refresh_deadline(const struct trp_kad_refresh *refresh)
{
    return refresh->is_running ? TRP_NEVER : refresh->next_at;
}

void trp_kad_refresh_begin(struct trp_kad_refresh *refresh, bool full, trp_time now)
{
    refresh->is_full = full || (refresh->is_running && refresh->is_full);
    if (!refresh->is_running) {
        refresh->is_running = true;
        refresh->has_news = false;
        refresh->began_at = now;
        refresh->has_looked_up_self = false;
        refresh->next_bucket = 0;
    }
}

/* Gives the time to the next round: the interval, or less while there are few peers. */
static trp_time refresh_interval(struct trp_kad_refresh *refresh, uint32_t peers)
{
    if (peers == 0 || peers >= TRP_KAD_K) {
        refresh->rejoins = 0;
        return refresh->interval_ns;
    }
    trp_time span = TRP_KAD_REJOIN_NS << refresh->rejoins;
    refresh->rejoins += refresh->rejoins < TRP_KAD_REJOINS;
    return trp_time_min(span, refresh->interval_ns);
}

/* Sets the next round an interval from now, a tenth more or less, so that nodes that started
 * together drift apart; soon when nobody is left. */
static void refresh_end(struct trp_kad_refresh *refresh, const struct trp_kad_table *table,
                        trp_time now)
{
    uint64_t draw = trp_draw(refresh->seed, 0, DRAW_INTERVAL, refresh->rounds++);
    trp_time interval = refresh_interval(refresh, table->count);
    trp_time span = interval / 10 * 9 + interval / 5 / 1000 * trp_draw_below(draw, 1001);
    span = table->count == 0 ? trp_time_min(span, TRP_KAD_ALONE_NS) : span;
    refresh->is_running = false;
    refresh->next_at = trp_time_after(now, span);
    if (refresh->has_news && table->count < TRP_KAD_K) {
        refresh_hurry(refresh, now);
    }
}

/* Draws a peer of the bucket as the target: it lies where peers are. Only an empty bucket needs a
 * preimage that is tried out. */
static void refresh_draw_target(const struct trp_kad_refresh *refresh,
                                const struct trp_kad_table *table, uint32_t bucket,
                                struct trp_kad_target *ret_target)
{
    uint32_t count = trp_kad_table_bucket_count(table, bucket);
    if (count > 0) {
        uint64_t draw = trp_draw(refresh->seed, bucket, DRAW_ENTRY, refresh->rounds);
        const struct trp_kad_entry *entry =
            trp_kad_table_at(table, bucket, trp_draw_below(draw, count));
        ret_target->size = entry->contact.peer.size;
        memcpy(ret_target->preimage, entry->contact.peer.bytes, entry->contact.peer.size);
        return;
    }
    for (uint64_t i = 0; i < PREIMAGE_TRIES; i++) {
        uint64_t draw =
            trp_draw(refresh->seed, bucket, DRAW_PREIMAGE, refresh->rounds * PREIMAGE_TRIES + i);
        trp_store_be64(ret_target->preimage, draw);
        struct trp_kad_key key = trp_kad_key_of(trp_bytes(ret_target->preimage, PREIMAGE_BYTES));
        if (trp_kad_bucket_index(&table->self, &key) == bucket) {
            ret_target->size = PREIMAGE_BYTES;
            return;
        }
    }
}

bool trp_kad_refresh_next(struct trp_kad_refresh *refresh, const struct trp_kad_table *table,
                          const struct trp_peer_id *self, trp_time now,
                          struct trp_kad_target *ret_target)
{
    if (!refresh->is_running) {
        return false;
    }
    if (!refresh->has_looked_up_self) {
        refresh->has_looked_up_self = true;
        *ret_target =
            (struct trp_kad_target){.bucket = TRP_KAD_KEY_BITS,
                                    .size = self->size,
                                    .goal = TRP_KAD_K,
                                    .is_light = !refresh->is_full && table->count >= TRP_KAD_K};
        memcpy(ret_target->preimage, self->bytes, self->size);
        return true;
    }
    uint32_t near = trp_kad_table_near_bucket(table);
    while (refresh->next_bucket <= near && refresh->next_bucket < TRP_KAD_REFRESH_BUCKETS) {
        uint32_t bucket = refresh->next_bucket++;
        trp_time due_at = trp_time_after(refresh->touched_at[bucket], refresh->interval_ns / 2);
        bool touched = refresh->touched_at[bucket] != 0 && due_at > now;
        if (touched && !refresh->is_full) {
            continue;
        }
        uint32_t missing = TRP_KAD_K - trp_kad_table_bucket_count(table, bucket);
        *ret_target = (struct trp_kad_target){.bucket = bucket};
        if (missing > 0 && (bucket < near || refresh->is_full)) {
            ret_target->goal = missing < TRP_KAD_ALPHA ? TRP_KAD_ALPHA : missing;
            refresh_draw_target(refresh, table, bucket, ret_target);
        }
        refresh->touched_at[bucket] = now;
        return true;
    }
    refresh_end(refresh, table, now);
    return false;
}
