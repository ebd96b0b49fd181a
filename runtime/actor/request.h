/* SPDX-License-Identifier: MIT */
/* actor/request.h - asks: from one of our actors or from outside, to one of our actors or out.
 *
 *     waiting ──► sent ──► done        waiting: no room in the mailbox yet
 *        └──────────────────┘          done: has its outcome, on its way to the asker
 *
 * Every request reaches done exactly once, unless its asking actor ends before. A request sent is
 * in the mailbox of its target, or held open there by trp_reply_later, or outside.
 * Ownership  Ids (struct trp_scheduler.requests) where it may be gone, pointers where the lists of
 *            the actors keep it true.
 * Limits     trp_limits.requests, waiting and done ones included. */
#ifndef ACTOR_REQUEST_H
#define ACTOR_REQUEST_H

#include "actor/actor.h"
#include "actor/timer.h"

enum trp_request_kind {
    TRP_REQUEST_LOCAL,   /* our actor asks our actor */
    TRP_REQUEST_TELL,    /* our actor tells our actor and hears of it */
    TRP_REQUEST_OUT,     /* our actor asks one elsewhere, or the network */
    TRP_REQUEST_IN,      /* asked from outside */
    TRP_REQUEST_IN_TELL, /* told from outside, waiting for room */
    TRP_REQUEST_LOOKUP
};

enum trp_request_phase { TRP_REQUEST_WAITING, TRP_REQUEST_SENT, TRP_REQUEST_DONE };

struct trp_request {
    struct trp_mail mail;         /* in the control lane of the asker, when done; has the cause */
    struct trp_deadline deadline; /* of the wait for room, then for the reply */
    uint64_t id;
    uint8_t kind;  /* enum trp_request_kind */
    uint8_t phase; /* enum trp_request_phase */
    bool hold;
    bool decoded;   /* `reply` is a struct, not msgpack */
    bool kept;      /* the asker will collect the outcome */
    uint16_t share; /* in whose line it waits; 0: it does not */
    int32_t status;
    struct trp_actor *asker; /* of all but IN and IN_TELL */
    struct trp_request *asker_next;
    struct trp_request **asker_at;
    uint64_t target;                        /* id; 0: elsewhere */
    struct trp_list_link waiting;           /* in the line of its share, while waiting */
    struct trp_request *open_next;          /* of the target, while it means to answer later */
    struct trp_request **open_at;           /* NULL: not open */
    struct trp_mail *message;               /* while waiting */
    struct trp_mail *reply;                 /* when done; NULL: none. LOOKUP: a struct trp_found */
    const struct trp_handler_info *handler; /* of the target, when ours */
    const struct trp_message_type *reply_type; /* as the asker wants it; NULL: msgpack */
    union {
        trp_on_reply on_reply;
        trp_on_lookup on_lookup;
    };
    union {
        uint64_t user;  /* of the asker */
        uint64_t token; /* IN */
    };
    trp_time mailbox_at; /* when waiting ends */
    trp_time reply_at;
    uint32_t found_count;   /* LOOKUP: results on their way */
    struct trp_event event; /* IN, when done */
};

/* One result of a lookup, behind its mail. */
struct trp_found {
    uint64_t request;
    enum trp_status status;
    struct trp_actor_ref ref;
};

/* Finds one that has no outcome yet; NULL. */
struct trp_request *trp_request_find(const struct trp_scheduler *scheduler, uint64_t id);
/* Ends it: the outcome goes to the asker, or out. Takes `reply`. */
void trp_request_end(struct trp_scheduler *scheduler, struct trp_request *request,
                     enum trp_status status, struct trp_mail *reply, bool decoded);
/* Ends it with TRP_EHANDLER and the name of `failure` as msgpack text. */
void trp_request_fail(struct trp_scheduler *scheduler, struct trp_request *request,
                      enum trp_status failure);
/* Answers with a message of `shape`; nothing has happened when it fails.
 * TRP_EENCODE, TRP_EDECODE, TRP_ETOOBIG, TRP_EINVAL, TRP_ENOMEM. */
enum trp_status trp_request_answer(struct trp_scheduler *scheduler, struct trp_request *request,
                                   const struct trp_shape *shape,
                                   const void *message) TRP_NODISCARD;
/* Its deadline came. */
void trp_request_expire(struct trp_scheduler *scheduler, struct trp_request *request);
/* Lets waiting requests into a mailbox with room. */
void trp_request_admit(struct trp_scheduler *scheduler, struct trp_actor *target);
/* Keeps it among those its target will answer. */
void trp_request_open(struct trp_actor *target, struct trp_request *request);
/* Frees it and what it holds, wherever it is but in a queue of mails or events. */
void trp_request_free(struct trp_scheduler *scheduler, struct trp_request *request);

struct trp_request_options {
    enum trp_request_kind kind;
    struct trp_actor *asker;                /* NULL: from outside */
    struct trp_actor *target;               /* NULL: elsewhere */
    const struct trp_handler_info *handler; /* of the target, when ours */
    trp_time mailbox_timeout_ns;
    trp_time reply_timeout_ns; /* TRP_NEVER: no deadline; 0: trp_limits.request_timeout_ns */
};
/* Makes a request and sets its deadline. TRP_EFULL, TRP_ENOMEM. */
enum trp_status trp_request_make(struct trp_scheduler *scheduler,
                                 const struct trp_request_options *options,
                                 struct trp_request **ret_request) TRP_NODISCARD;
/* Puts the message of a request into the mailbox of its target, or has it wait. Takes `mail` on
 * TRP_OK. TRP_ENOMEM. */
enum trp_status trp_request_send(struct trp_scheduler *scheduler, struct trp_request *request,
                                 struct trp_actor *target, struct trp_mail *mail) TRP_NODISCARD;

#endif
