/* SPDX-License-Identifier: MIT */
/* behaviour/kad_state.h - the inside of behaviour/kad: its objects, and what its files offer each
 * other.
 *
 *   kad.c          life, hooks, timers, inspection
 *   kad_peers.c    who is a peer of the DHT: the table, probes, the lost, rounds of renewal
 *   kad_rpc.c      our requests, each on a stream of its own
 *   kad_query.c    iterative queries, from start to last event
 *   kad_publish.c  what we announce: keys provided, own records, and their withdrawal
 *   kad_serve.c    requests of others */
#ifndef BEHAVIOUR_KAD_STATE_H
#define BEHAVIOUR_KAD_STATE_H

#include "base/buffer.h"
#include "base/heap.h"
#include "base/index.h"
#include "base/list.h"
#include "base/map.h"
#include "base/slab.h"
#include "behaviour/kad.h"
#include "proto/kad/kbucket.h"
#include "proto/kad/provider_store.h"
#include "proto/kad/query.h"
#include "proto/kad/record_store.h"
#include "proto/kad/refresh.h"
#include "trace/limit.h"
#include "wire/kad_message.h"

#define KAD_FRAME_BYTES_MAX      (TRP_KAD_MESSAGE_BYTES_MAX + 3u) /* with its length prefix */
#define KAD_KEY_BYTES_MAX        1024u
#define KAD_RPCS_MAX             1024u
#define KAD_INBOUND_MAX          4096u
#define KAD_INBOUND_PER_PEER_MAX 32u
#define KAD_VALUES_MAX           4u   /* different values of one record */
#define KAD_VALUE_QUORUM         3u   /* peers that say the same end the search for a record */
#define KAD_FOUND_MAX            512u /* providers found by one query */
#define KAD_HOLDERS_MAX          (2u * TRP_KAD_RESULT_MAX)
#define KAD_SEEDS_MAX            (2u * TRP_KAD_K) /* over k, for those that are dead */
#define KAD_NEWS_MAX             64u              /* about the routing table, not told yet */

/* Silence of a peer, in rounds of renewal: then it is asked whether it lives, and then another one
 * may take its place. */
#define KAD_FRESH_ROUNDS 1u
#define KAD_STALE_ROUNDS 3u

#define KAD_PROBE_NS         TRP_S(3) /* for identify to speak first */
#define KAD_FAILURES_MAX     2u       /* unanswered requests in a row over a live connection */
#define KAD_CHECKS_PER_DEATH 2u
#define KAD_MANY_DEATHS      16u /* one in so many since the last round: then it asks everybody */
#define KAD_BAN_TRIES        2u  /* failures without success, and then ... */
#define KAD_BAN_NS           TRP_MIN(1)  /* ... a peer we cannot dial is out for so long */
#define KAD_FAULTY_NS        TRP_MIN(10) /* the same after an answer that is none */

/* Peers that failed are remembered and tried again. */
#define KAD_LOST_MAX        128u
#define KAD_LOST_TRIES_MAX  8u
#define KAD_LOST_PER_ROUND  2u
#define KAD_LOST_WHEN_ALONE 8u

enum kad_timer_kind {
    KAD_TIMER_RPC,
    KAD_TIMER_INBOUND,
    KAD_TIMER_QUERY,
    KAD_TIMER_PROBE,
    KAD_TIMER_ANNOUNCE
};

struct kad_timer {
    struct trp_heap_entry entry;
    enum kad_timer_kind kind;
};

enum kad_role { KAD_ROLE_UNKNOWN, KAD_ROLE_SERVER, KAD_ROLE_NONE };

/* A peer while it is connected, asked or answered, or remembered as lost. */
struct kad_peer {
    struct trp_kad_contact contact;
    enum kad_role role;
    bool withdraws; /* it understands withdrawals: a node of our kind */
    bool dialed;    /* by us, with success, on a connection of now */
    bool probing;
    uint32_t connections;
    uint32_t inbound;
    uint32_t rpcs;
    uint32_t tries; /* to find it again */
    trp_time banned_until;
    trp_time faulty_until;
    struct trp_list_link lost_link;
    struct kad_timer probe;
};

enum kad_purpose { KAD_FOR_QUERY, KAD_FOR_STORE, KAD_FOR_PROBE, KAD_FOR_WITHDRAWAL };

/* A request of ours. Its outcome is reported once; then it may linger until its stream ends. */
struct kad_rpc {
    trp_handle id;
    enum kad_purpose purpose;
    enum trp_kad_message_type type;
    struct kad_peer *peer;
    trp_handle query;
    trp_stream_id stream; /* 0 once it ended */
    bool is_opened;
    bool is_written;
    bool is_reported;
    trp_time started_at;
    uint64_t cause;
    struct trp_buffer out;
    struct trp_buffer in;
    struct kad_timer timer;
};

/* A stream on which a peer asks us. */
struct kad_inbound {
    trp_handle id;
    struct kad_peer *peer;
    trp_stream_id stream;
    bool is_withdrawal; /* the protocol is */
    bool eof_seen;
    struct trp_buffer in;
    struct trp_buffer out;
    struct kad_timer timer;
};

enum kad_query_kind {
    KAD_QUERY_PEERS,
    KAD_QUERY_PROVIDERS,
    KAD_QUERY_RECORD,
    KAD_QUERY_PROVIDE,
    KAD_QUERY_PUT,
    KAD_QUERY_REFRESH
};

enum kad_query_state { KAD_QUERY_WAITING, KAD_QUERY_ASKING, KAD_QUERY_STORING, KAD_QUERY_DONE };

struct kad_value {
    uint8_t *bytes;
    uint32_t size;
    uint32_t says; /* peers that gave it, we too */
};

struct kad_query {
    trp_handle id;
    enum kad_query_kind kind;
    enum kad_query_state state;
    bool is_silent; /* our own affair: no event */
    bool is_light;  /* peers heard of lately are not asked */
    bool is_cancelled;
    bool is_final; /* the value need not be confirmed */
    uint64_t token;
    uint8_t *key;
    uint32_t key_size;
    uint32_t goal;
    struct trp_peer_id holder; /* RECORD: the only one to ask; size 0: whoever is close */
    bool is_repeated;          /* the holder was asked once more */
    struct trp_kad_query core;
    trp_time began_at;
    trp_time ends_at;
    uint64_t cause;
    enum trp_status status;
    uint32_t hops;
    uint32_t rpcs;
    uint32_t timeouts;
    uint32_t stored;
    uint32_t stores_pending;
    trp_handle announcement; /* PROVIDE, PUT */
    struct trp_peer_id *found;
    uint32_t found_count;
    uint32_t found_capacity;
    uint32_t reported; /* of found, or of values */
    struct kad_value values[KAD_VALUES_MAX];
    uint32_t values_count;
    struct trp_list_link waiting_link;
    struct trp_list_link event_link;
    struct kad_timer timer;
};

/* A peer that keeps what we announced. */
struct kad_holder {
    struct trp_peer_id peer;
    bool withdraws;
};

/* A key we provide, or a record of our own. */
struct kad_announcement {
    trp_handle id;
    enum kad_query_kind kind; /* KAD_QUERY_PROVIDE, KAD_QUERY_PUT */
    struct trp_kad_key target;
    uint8_t *bytes; /* the key, then the value */
    uint32_t key_size;
    uint32_t value_size;
    struct kad_holder *holders;
    uint32_t holders_count;
    uint32_t next_holder; /* the one replaced next when all places are taken */
    uint32_t renewals;    /* since the key is announced */
    struct kad_timer timer;
    UT_hash_handle hh;
};

/* Something about the routing table that the user wants to hear. */
struct kad_news {
    enum trp_kad_event_kind kind;
    struct trp_peer_id peer;
};

struct trp_kad {
    struct trp_kad_config config;
    struct trp_swarm *swarm;
    uint32_t index;
    char withdrawal[TRP_PROTOCOL_BYTES_MAX];
    const char *protocols[1];
    const char *withdrawal_protocols[1];
    struct trp_kad_key self;
    struct trp_kad_table table;
    struct trp_kad_provider_store providers;
    struct trp_kad_record_store records;
    struct trp_kad_refresh refresh;
    struct trp_kad_patience patience;
    struct trp_index peers;
    struct trp_list lost; /* longest ago first */
    uint32_t lost_count;
    trp_time lost_due; /* they are tried no more often than bootstrap peers are dialed again */
    struct trp_slab rpcs;
    struct trp_slab inbound;
    struct trp_limit_mark inbound_mark; /* that a peer opens too many */
    struct trp_slab queries;
    struct trp_slab announcements;
    struct kad_announcement *provided;
    struct kad_announcement *published;
    struct trp_list waiting; /* queries */
    struct trp_list events;  /* queries with something to tell */
    struct kad_news news[KAD_NEWS_MAX];
    uint32_t news_head;
    uint32_t news_count;
    struct trp_heap timers;
    uint64_t timers_count; /* breaks ties */
    uint32_t queries_active;
    trp_time answered_at; /* when anybody last answered us */
    bool owner_waits;     /* for its turn */
    bool is_due;          /* something waits for the next expire: a queue moves, a round goes on */
    trp_handle lent;      /* the query whose bytes the last event borrowed */
    /* the round of renewal */
    trp_handle round_query;
    bool round_is_pending; /* its event */
    bool round_has_token;
    bool round_had_peers;
    uint32_t round_look_ups;
    uint32_t round_checks; /* peers of a bucket asked whether they live */
    uint32_t deaths;       /* peers that were found dead since it began */
    uint64_t round_token;
    uint64_t round_event_token;
    enum trp_status round_event_status;
    uint64_t rpcs_total;
    uint64_t timeouts_total;
};

static inline const struct trp_limits *kad_limits(const struct trp_kad *kad)
{
    return trp_swarm_limits(kad->swarm);
}

static inline trp_time kad_now(const struct trp_kad *kad)
{
    return trp_swarm_now(kad->swarm);
}

/* A peer heard of since then need not be asked whether it lives. */
static inline trp_time kad_fresh_since(const struct trp_kad *kad)
{
    trp_time span = KAD_FRESH_ROUNDS * kad_limits(kad)->kad_refresh_ns;
    return kad_now(kad) > span ? kad_now(kad) - span : 0;
}

/* kad.c */
bool trp_kad_set_timer(struct trp_kad *kad, struct kad_timer *timer, enum kad_timer_kind kind,
                       trp_time at) TRP_NODISCARD;

/* kad_peers.c: a peer is found or made; it stays while something refers to it. */
struct kad_peer *trp_kad_peer_find(const struct trp_kad *kad, const struct trp_peer_id *id);
struct kad_peer *trp_kad_peer_make(struct trp_kad *kad, const struct trp_peer_id *id);
void trp_kad_peer_release(struct trp_kad *kad, struct kad_peer *peer);
void trp_kad_peers_close(struct trp_kad *kad);
void trp_kad_peer_on_connected(struct trp_kad *kad, const struct trp_connection_info *connection);
void trp_kad_peer_on_disconnected(struct trp_kad *kad,
                                  const struct trp_connection_info *connection);
void trp_kad_peer_on_identified(struct trp_kad *kad, const struct trp_identified *identified);
void trp_kad_peer_add(struct trp_kad *kad, const struct trp_peer_id *id);
void trp_kad_peer_on_probe_due(struct trp_kad *kad, struct kad_peer *peer);
void trp_kad_peer_on_request(struct trp_kad *kad, struct kad_peer *peer);
/* It answered a request of ours. */
void trp_kad_peer_on_answer(struct trp_kad *kad, struct kad_peer *peer);
/* It did not, for `status`; `is_opened`: there was a stream. */
void trp_kad_peer_on_failure(struct trp_kad *kad, struct kad_peer *peer, enum trp_status status,
                             bool is_opened);
bool trp_kad_peer_is_routable(const struct trp_kad *kad, const struct trp_peer_id *id);
void trp_kad_round_run(struct trp_kad *kad);
void trp_kad_round_begin(struct trp_kad *kad, bool full);
void trp_kad_round_on_query(struct trp_kad *kad, const struct kad_query *query);

/* kad_rpc.c */
struct kad_request {
    enum kad_purpose purpose;
    trp_handle query;
    struct trp_kad_message message;
};
enum trp_status trp_kad_rpc_send(struct trp_kad *kad, const struct trp_peer_id *peer,
                                 const struct kad_request *request) TRP_NODISCARD;
void trp_kad_rpc_free(struct trp_kad *kad, struct kad_rpc *rpc);
void trp_kad_rpc_on_opened(struct trp_kad *kad, const struct trp_stream_info *stream);
void trp_kad_rpc_on_data(struct trp_kad *kad, const struct trp_stream_info *stream,
                         struct trp_bytes in);
void trp_kad_rpc_on_writable(struct trp_kad *kad, const struct trp_stream_info *stream);
void trp_kad_rpc_on_eof(struct trp_kad *kad, const struct trp_stream_info *stream);
void trp_kad_rpc_on_closed(struct trp_kad *kad, const struct trp_stream_info *stream,
                           enum trp_status reason);
void trp_kad_rpc_on_timeout(struct trp_kad *kad, struct kad_rpc *rpc);
/* Writes a message with its length prefix to `out`, which has KAD_FRAME_BYTES_MAX bytes. */
enum trp_status trp_kad_frame_encode(const struct trp_kad_message *message, uint8_t *out,
                                     size_t *ret_size) TRP_NODISCARD;
/* Finds the first message of `in`: TRP_EAGAIN when it is not all there. */
enum trp_status trp_kad_frame_decode(struct trp_bytes in, struct trp_kad_message *ret_message,
                                     size_t *ret_used) TRP_NODISCARD;

/* kad_query.c */
/* Queues news about the routing table, if they are wanted; the oldest go when there are too many.
 */
void trp_kad_news_push(struct trp_kad *kad, enum trp_kad_event_kind kind,
                       const struct trp_peer_id *peer);
bool trp_kad_has_events(const struct trp_kad *kad);
struct kad_query_start {
    enum kad_query_kind kind;
    struct trp_bytes key;
    const struct trp_peer_id *holder;
    uint64_t token;
    trp_handle announcement;
    uint32_t goal;
    bool is_silent;
    bool is_light;
};
enum trp_status trp_kad_query_begin(struct trp_kad *kad, const struct kad_query_start *start,
                                    trp_handle *ret_id) TRP_NODISCARD;
void trp_kad_query_free(struct trp_kad *kad, struct kad_query *query);
void trp_kad_query_start_waiting(struct trp_kad *kad);
void trp_kad_query_on_answer(struct trp_kad *kad, trp_handle id, const struct kad_peer *peer,
                             const struct trp_kad_message *message);
void trp_kad_query_on_failure(struct trp_kad *kad, trp_handle id, const struct kad_peer *peer,
                              enum trp_status status);
void trp_kad_query_on_stored(struct trp_kad *kad, trp_handle id, const struct kad_peer *peer,
                             bool stored);
void trp_kad_query_on_timer(struct trp_kad *kad, struct kad_query *query);
void trp_kad_query_add_found(struct trp_kad *kad, struct kad_query *query,
                             const struct trp_peer_id *peer);
void trp_kad_query_add_value(struct trp_kad *kad, struct kad_query *query, struct trp_bytes value);

/* kad_publish.c */
struct kad_announcement *trp_kad_announcement_find(const struct trp_kad *kad,
                                                   enum kad_query_kind kind, struct trp_bytes key);
void trp_kad_announcement_on_timer(struct trp_kad *kad, struct kad_announcement *announcement);
void trp_kad_announcement_on_stored(struct trp_kad *kad, trp_handle id,
                                    const struct kad_peer *peer);
void trp_kad_announcement_on_done(struct trp_kad *kad, trp_handle id, uint32_t stored);
/* Gives the request that stores the announcement at a peer; false when it is withdrawn. */
bool trp_kad_announcement_request(const struct trp_kad *kad, trp_handle id,
                                  struct kad_request *request, struct trp_kad_peer *self,
                                  struct trp_multiaddr *addresses);
void trp_kad_announcements_close(struct trp_kad *kad);

/* kad_serve.c */
void trp_kad_inbound_on_opened(struct trp_kad *kad, const struct trp_stream_info *stream);
void trp_kad_inbound_on_data(struct trp_kad *kad, const struct trp_stream_info *stream,
                             struct trp_bytes in);
void trp_kad_inbound_on_writable(struct trp_kad *kad, const struct trp_stream_info *stream);
void trp_kad_inbound_on_eof(struct trp_kad *kad, const struct trp_stream_info *stream);
void trp_kad_inbound_on_closed(struct trp_kad *kad, const struct trp_stream_info *stream);
void trp_kad_inbound_on_timeout(struct trp_kad *kad, struct kad_inbound *inbound);
void trp_kad_inbound_free(struct trp_kad *kad, struct kad_inbound *inbound);
void trp_kad_stores_expire(struct trp_kad *kad, trp_time now);

#endif
