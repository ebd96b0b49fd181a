/* SPDX-License-Identifier: MIT */
/* remote/state.h - what the files of remote/ share: the records, and who waits for an outcome. */
#ifndef REMOTE_STATE_H
#define REMOTE_STATE_H

#include "base/buffer.h"
#include "base/list.h"
#include "base/map.h"
#include "base/slab.h"
#include "remote/remote.h"

#define REMOTE_NAME_BYTES_MAX   255u
#define REMOTE_LOOKUP_PEERS_MAX 20u /* providers of one name that a lookup follows up */

/* Who waits for an outcome. */
enum origin_kind { ORIGIN_NOBODY, ORIGIN_ACTOR, ORIGIN_COMMAND, ORIGIN_PEER };

struct origin {
    enum origin_kind kind;
    enum trp_command_kind command; /* ORIGIN_COMMAND */
    bool tell;                     /* ORIGIN_PEER: which answer to encode */
    uint64_t id; /* the scheduler's request, the user's request, or the messaging's id */
};

/* An id of an actor type, kept for as long as the node: refs carry only its hash. */
struct type_name {
    uint64_t hash;
    uint32_t size;
    UT_hash_handle hh;
    char text[]; /* NUL-terminated */
};

/* A request of ours on the wire. */
enum call_kind { CALL_ASK, CALL_TELL, CALL_LINK, CALL_UNLINK, CALL_SIGNAL };
struct call {
    enum call_kind kind;
    struct origin origin;       /* ASK, TELL */
    uint64_t local_actor;       /* LINK: ours */
    struct trp_actor_ref other; /* LINK: theirs; a command's ASK: whom it reached */
    uint32_t attempts;          /* SIGNAL */
    struct trp_buffer request;  /* SIGNAL: kept for another attempt */
};

/* A name that this node has registered. */
struct name {
    trp_handle id;
    uint64_t actor;
    uint32_t size;
    uint32_t stored;        /* peers that were told */
    uint32_t queries;       /* announcements under way */
    enum trp_status status; /* of the announcement that went worst */
    struct origin origin;
    UT_hash_handle hh;
    char text[REMOTE_NAME_BYTES_MAX + 1];
};

/* A search for the actors of a name. */
struct lookup {
    trp_handle id;
    struct origin origin;
    bool all;
    bool ended;             /* the result with `last` is out; the record goes with its queries */
    bool message_follows;   /* the search is for a message that waits in `message` */
    enum trp_status status; /* of the provider query */
    uint32_t queries;       /* under way */
    uint32_t found;
    uint32_t hops;
    uint32_t rpcs;
    uint32_t timeouts;
    uint32_t peers_count;
    struct trp_peer_id peers[REMOTE_LOOKUP_PEERS_MAX];
    struct trp_command message; /* slices point into `bytes` */
    struct trp_buffer bytes;
    uint32_t size;
    char name[REMOTE_NAME_BYTES_MAX + 1];
};

/* A DHT query of ours. */
enum query_kind { QUERY_PROVIDE, QUERY_PUT, QUERY_PROVIDERS, QUERY_RECORD };
struct query {
    enum query_kind kind;
    trp_handle owner; /* name or lookup */
    uint64_t kad_id;
};

/* A peer whose actors are linked with ours. */
struct linked_peer {
    struct trp_peer_id id;
    bool redialing;
    UT_hash_handle hh;
};

/* A result on its way to the user. */
struct result {
    struct trp_list_link link;
    struct trp_result value; /* slices point behind the struct */
};

struct trp_remote {
    struct trp_remote_config config;
    struct trp_swarm *swarm;
    struct type_name *types;
    struct trp_slab calls;
    struct trp_slab deliveries; /* of struct origin */
    struct trp_slab lookups;
    struct trp_slab queries;
    struct trp_slab names;
    struct name *names_by_text;
    struct linked_peer *linked;
    struct trp_list results;
    struct result *lent;       /* the result last given out */
    struct trp_buffer scratch; /* one encoded message */
};

/* remote.c */
/* Gives the text of an actor type's id by its hash; NULL when it was never heard of. */
const char *trp_remote_type_text(const struct trp_remote *remote, uint64_t hash);
/* Remembers an id of an actor type; 0 when out of memory. */
uint64_t trp_remote_type_learn(struct trp_remote *remote, struct trp_bytes id);
/* Gives whoever waits its outcome. `ref` may be NULL. */
void trp_remote_complete(struct trp_remote *remote, const struct origin *origin,
                         enum trp_status status, struct trp_bytes payload,
                         const struct trp_actor_ref *ref);
/* Queues a result for the user; slices are copied. */
void trp_remote_push_result(struct trp_remote *remote, const struct trp_result *result);
/* Refs to ourselves have no peer. */
bool trp_remote_is_local(const struct trp_remote *remote, const struct trp_actor_ref *ref);

/* messaging.c */
void trp_remote_send_message(struct trp_remote *remote, bool ask, const struct trp_actor_ref *to,
                             const struct trp_sched_event *message, const struct origin *origin);
void trp_remote_send_link(struct trp_remote *remote, const struct trp_sched_event *event);
void trp_remote_send_unlink(struct trp_remote *remote, const struct trp_sched_event *event);
void trp_remote_send_signal(struct trp_remote *remote, const struct trp_sched_event *event);
void trp_remote_answer_peer(struct trp_remote *remote, const struct origin *origin,
                            enum trp_status status, struct trp_bytes payload);
bool trp_remote_run_messaging(struct trp_remote *remote);
void trp_remote_close_calls(struct trp_remote *remote);

/* liveness.c */
/* Watches peers that have links with us, and only those. */
void trp_remote_update_linked(struct trp_remote *remote, const struct trp_peer_id *peer);
void trp_remote_connected(void *self, const struct trp_connection_info *connection);
void trp_remote_disconnected(void *self, const struct trp_connection_info *connection,
                             enum trp_status reason);
void trp_remote_dial_failed(void *self, const struct trp_dial_report *report);
void trp_remote_close_linked(struct trp_remote *remote);

/* registry.c */
void trp_remote_register(struct trp_remote *remote, uint64_t actor, struct trp_bytes name,
                         const struct origin *origin);
enum trp_status trp_remote_unregister(struct trp_remote *remote, struct trp_bytes name);
void trp_remote_actor_stopped(struct trp_remote *remote, uint64_t actor);
struct name *trp_remote_name_find(const struct trp_remote *remote, struct trp_bytes name);
bool trp_remote_run_kad(struct trp_remote *remote);
/* Forgets a query. */
struct query *trp_remote_query_insert(struct trp_remote *remote, enum query_kind kind,
                                      trp_handle owner, trp_handle *ret_id);

/* lookup.c */
void trp_remote_lookup(struct trp_remote *remote, struct trp_bytes name, bool all,
                       const struct origin *origin, const struct trp_command *message);
void trp_remote_lookup_providers(struct trp_remote *remote, struct query *query,
                                 const struct trp_kad_event *event);
void trp_remote_lookup_record(struct trp_remote *remote, struct query *query,
                              const struct trp_kad_event *event);
void trp_remote_close_lookups(struct trp_remote *remote);

#endif
