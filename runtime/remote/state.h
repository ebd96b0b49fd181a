/* SPDX-License-Identifier: MIT */
/* remote/state.h - what the files of remote/ share: the records, and who waits for an outcome. */
#ifndef REMOTE_STATE_H
#define REMOTE_STATE_H

#include "base/buffer.h"
#include "base/heap.h"
#include "base/list.h"
#include "base/map.h"
#include "base/slab.h"
#include "remote/remote.h"

/* Who waits for an outcome. */
enum origin_kind { ORIGIN_NOBODY, ORIGIN_ACTOR, ORIGIN_COMMAND, ORIGIN_PEER };

struct origin {
    enum origin_kind kind;
    enum trp_command_kind command; /* ORIGIN_COMMAND */
    bool tell;                     /* ORIGIN_PEER: which answer to encode */
    uint64_t id; /* the scheduler's request, the user's request, or the messaging's id */
};

/* A message on its way into a mailbox of ours. */
struct delivery {
    struct origin origin;
    struct trp_actor_ref ref; /* whom it reaches, as the result tells */
};

/* A request of ours on the wire. */
struct call {
    enum trp_envelope_kind kind;
    struct origin origin;       /* ASK, TELL; LINK: whom a peer's wish for the link is owed to */
    uint64_t local_actor;       /* LINK, UNLINK, SIGNAL_LINK_DIED: ours */
    struct trp_actor_ref other; /* whom it is for */
    trp_handle connect;         /* LINK, UNLINK: the pair it is for; 0: none */
    bool verifies;              /* LINK: of one that is there already */
    bool impatient;             /* ASK, TELL: it waits for less than the network does */
};

/* Two actors that somebody of this node wants linked, or unlinked. */
struct connect {
    struct origin origin;
    bool link;
    uint32_t calls; /* under way */
    enum trp_status status;
    struct trp_actor_ref a;
    struct trp_actor_ref b;
};

/* A link that died here because its peer was lost: the peer may not know. */
#define SEVERED_MAX 256u
struct severed {
    uint64_t actor; /* ours; 0: none */
    struct trp_actor_ref other;
    trp_time until;
};

/* A name being registered. */
struct announcement {
    struct origin origin;
    struct trp_actor_ref ref;
};

/* A search for the actors of a name. */
struct search {
    trp_handle id;
    uint64_t query;
    struct origin origin;
    bool all;
    bool message_follows;       /* it is for a message that waits in `message` */
    struct trp_command message; /* slices point into `bytes` */
    struct trp_buffer bytes;
};

/* A result on its way to the user. */
struct result {
    struct trp_list_link link;
    struct trp_result value; /* slices point behind the struct */
};

struct trp_remote {
    struct trp_remote_config config;
    struct trp_swarm *swarm;
    struct trp_slab calls;
    struct trp_slab connects;
    struct trp_slab deliveries;
    struct trp_slab announcements;
    struct trp_slab searches;
    struct linked_peer *linked;
    struct trp_heap liveness; /* of linked peers */
    uint64_t liveness_ties;
    struct severed *severed; /* SEVERED_MAX, a ring; NULL until there is one */
    uint32_t severed_next;
    struct trp_list results;
    struct result *lent;              /* the result last given out */
    struct trp_request_envelope tell; /* the newest: the next differs in little */
    bool crowded;                     /* the newest tell waits for its actor to have its turn */
};

/* remote.c */
/* Gives whoever waits its outcome. `ref` may be NULL. */
void trp_remote_complete(struct trp_remote *remote, const struct origin *origin,
                         enum trp_status status, struct trp_bytes payload,
                         const struct trp_actor_ref *ref);
/* Queues a result for the user; slices are copied. */
void trp_remote_push_result(struct trp_remote *remote, const struct trp_result *result);
/* Refs to ourselves have no peer, or our own. */
bool trp_remote_is_local(const struct trp_remote *remote, const struct trp_actor_ref *ref);
/* Our own actor as the others know it. */
struct trp_actor_ref trp_remote_own_ref(const struct trp_remote *remote, uint64_t actor);
/* The id of the type of a live actor of ours; of no size when it is dead. */
struct trp_bytes trp_remote_own_type(const struct trp_remote *remote, uint64_t actor);

/* messaging.c */
struct message {
    bool ask;
    const struct trp_peer_id *from; /* of a delivery: NULL: the user */
    struct trp_bytes actor_type;    /* of a delivery: as the sender believes; empty: any */
    struct trp_bytes id;
    struct trp_bytes payload;
    trp_time mailbox_timeout_ns; /* 0: do not wait for room */
    trp_time reply_timeout_ns;   /* TRP_NEVER: as long as the network waits */
};
/* Sends a request; its outcome comes to the call. TRP_EFULL, TRP_ETOOBIG, TRP_ENOMEM. */
enum trp_status trp_remote_call(struct trp_remote *remote, const struct call *call,
                                const struct trp_request_envelope *request,
                                const struct trp_messaging_options *options) TRP_NODISCARD;
/* Sends a tell that nobody waits for, as far as that is to be had of its peer; else false. */
bool trp_remote_tell(struct trp_remote *remote, const struct trp_sched_event *event);
void trp_remote_send_message(struct trp_remote *remote, const struct trp_actor_ref *to,
                             const struct message *message, const struct origin *origin);
void trp_remote_deliver(struct trp_remote *remote, const struct trp_actor_ref *to,
                        const struct message *message, const struct origin *origin);
void trp_remote_answer_peer(struct trp_remote *remote, const struct origin *origin,
                            enum trp_status status, struct trp_bytes payload);
/* Answers a request of a peer with a status alone; its `kind`, `actor_type`, `message` are used. */
void trp_remote_answer_status(struct trp_remote *remote, uint64_t id,
                              const struct trp_request_envelope *request, enum trp_status status);
bool trp_remote_run_messaging(struct trp_remote *remote);

/* link.c */
void trp_remote_send_link(struct trp_remote *remote, const struct trp_sched_event *event);
void trp_remote_send_unlink(struct trp_remote *remote, const struct trp_sched_event *event);
/* Tells the other side of a link that ours is dead. */
void trp_remote_send_signal(struct trp_remote *remote, const struct trp_sched_link *link,
                            const struct trp_stop_cause *cause);
/* Asks the other side whether a link still is one. */
bool trp_remote_verify_link(struct trp_remote *remote, const struct trp_sched_link *link);
/* Links two actors, or unlinks them, wherever they live. */
void trp_remote_connect(struct trp_remote *remote, bool link, const struct trp_actor_ref *a,
                        const struct trp_actor_ref *b, const struct origin *origin);
/* A call about a link has its outcome. */
void trp_remote_link_called(struct trp_remote *remote, const struct call *call,
                            enum trp_status status);
/* Serves a request about a link, or a death notice: answers it, now or later. */
void trp_remote_serve_link(struct trp_remote *remote, const struct trp_messaging_event *event);

/* liveness.c */
/* Says whether a link died here with its peer, a short while ago; forgets it. */
bool trp_remote_was_severed(struct trp_remote *remote, uint64_t actor,
                            const struct trp_actor_ref *other);
void trp_remote_forget_severed(struct trp_remote *remote, uint64_t actor,
                               const struct trp_actor_ref *other);
/* Watches peers that have links with us, and only those. */
void trp_remote_update_linked(struct trp_remote *remote, const struct trp_peer_id *peer);
/* A link was asked about and is one still, or not any more. */
void trp_remote_verified(struct trp_remote *remote, const struct trp_peer_id *peer);
void trp_remote_connected(void *self, const struct trp_connection_info *connection);
void trp_remote_disconnected(void *self, const struct trp_connection_info *connection,
                             enum trp_status reason);
void trp_remote_dial_failed(void *self, const struct trp_dial_report *report);
trp_time trp_remote_liveness_deadline(const void *self);
void trp_remote_liveness_expire(void *self, trp_time now);
/* Tells every linked actor elsewhere that ours are gone with their node. */
void trp_remote_say_goodbye(struct trp_remote *remote);
void trp_remote_close_linked(struct trp_remote *remote);

/* names.c */
void trp_remote_register(struct trp_remote *remote, uint64_t actor, struct trp_bytes name,
                         const struct origin *origin);
void trp_remote_actor_stopped(struct trp_remote *remote, uint64_t actor);
void trp_remote_lookup(struct trp_remote *remote, struct trp_bytes name,
                       enum trp_lookup_scope scope, const struct origin *origin,
                       const struct trp_command *message);
bool trp_remote_run_registry(struct trp_remote *remote);
void trp_remote_close_searches(struct trp_remote *remote);

/* access.c */
/* Says whether a peer may do something to actors of a type; traces a refusal. */
enum trp_status trp_remote_access(struct trp_remote *remote, const struct trp_peer_id *peer,
                                  enum trp_access_right right, struct trp_bytes actor_type);
enum trp_status trp_remote_admit(void *self, const struct trp_connection_info *connection);

#endif
