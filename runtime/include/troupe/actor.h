/* SPDX-License-Identifier: MIT */
/* troupe/actor.h - actors: a type with hooks and handlers, and what a handler may do.
 *
 * An actor is a state of fixed size that only its own handlers touch, one message at a time, each
 * run to completion. A handler returns TRP_OK or a failure; a failure is what Kameo calls a panic
 * (C cannot contain a wild pointer: a crash in a handler ends the process).
 * Threading  A handler runs on its node's thread; nothing here may be called from elsewhere.
 * Ownership  `ctx`, `state` and `message` are borrowed for the call. Messages are copied when sent,
 *            with all that they point to.
 * Limits     trp_limits: actors, mailbox_messages, message_bytes, message_memory_bytes, requests,
 *            timers.
 * Outcome    Every ask has exactly one outcome: on_reply is called once, or the asking actor is
 *            gone. */
#ifndef TROUPE_ACTOR_H
#define TROUPE_ACTOR_H

#include <troupe/actor_ref.h>
#include <troupe/base.h>
#include <troupe/message.h>

TRP_EXTERN_C_BEGIN

struct trp_context; /* the running handler's view of its actor and node */

enum trp_stop_reason {
    TRP_STOP_NORMAL,
    TRP_STOP_SUPERVISOR_RESTART,
    TRP_STOP_KILLED,
    TRP_STOP_PANICKED,
    TRP_STOP_LINK_DIED,
    TRP_STOP_PEER_DISCONNECTED
};

/* X(name, Kameo's variant of PanicReason): where an actor failed. */
#define TRP_PANIC_MAP(X)                                                                           \
    X(HANDLER_PANIC, "HandlerPanic")                                                               \
    X(ON_MESSAGE, "OnMessage")                                                                     \
    X(ON_START, "OnStart")                                                                         \
    X(ON_PANIC, "OnPanic")                                                                         \
    X(ON_LINK_DIED, "OnLinkDied")                                                                  \
    X(ON_STOP, "OnStop")                                                                           \
    X(ON_UNDELIVERED, "OnUndelivered")                                                             \
    X(NEXT, "Next")

enum trp_panic {
#define TRP_PANIC_ENUM(name, text) TRP_PANIC_##name,
    TRP_PANIC_MAP(TRP_PANIC_ENUM)
#undef TRP_PANIC_ENUM
};

#define TRP_STOP_LINKS_MAX 4u

/* Why an actor ended, as Kameo's ActorStopReason tells it. LINK_DIED wraps the reason of another
 * actor's end, which may be LINK_DIED again: `links` are the actors from the outermost inwards,
 * `root` is what it all began with. */
struct trp_stop_cause {
    enum trp_stop_reason root; /* never TRP_STOP_LINK_DIED */
    enum trp_panic panic;      /* TRP_STOP_PANICKED */
    struct trp_bytes text;     /* TRP_STOP_PANICKED: what the failure was, for people */
    uint32_t links_count;      /* those that are kept; inner ones beyond the most are left out */
    struct trp_actor_ref links[TRP_STOP_LINKS_MAX];
};

static inline enum trp_stop_reason trp_stop_cause_reason(const struct trp_stop_cause *cause)
{
    return cause->links_count > 0 ? TRP_STOP_LINK_DIED : cause->root;
}

/* A linked actor died, or the peer it lived on is gone. */
struct trp_link_death {
    struct trp_actor_ref actor;
    enum trp_stop_reason reason;        /* of that actor's end */
    const struct trp_stop_cause *cause; /* the same in full; borrowed for the call */
};

/* Handles one message. For an ask, call trp_reply or trp_reply_error before returning, or
 * trp_reply_later; returning a failure from an ask answers with it as the handler's error, or, when
 * it is that of trp_reply (TRP_ETOOBIG, TRP_EENCODE), with TRP_EENCODE. A failure from a tell goes
 * to on_panic. */
typedef enum trp_status (*trp_handler)(struct trp_context *ctx, void *state, const void *message);

struct trp_actor_handler {
    const struct trp_message_type *message;
    const struct trp_message_type *reply; /* type of a successful reply; NULL: tells only */
    trp_handler handle;
};

struct trp_actor_type {
    const char *id; /* the actor's REMOTE_ID on the wire */
    uint32_t state_bytes;
    uint32_t handlers_count;
    const struct trp_actor_handler *handlers;
    const struct trp_message_type *args; /* of on_start; NULL: none */

    /* Builds the zeroed state. A failure means the actor never ran; on_stop is not called. */
    enum trp_status (*on_start)(struct trp_context *ctx, void *state, const void *args);
    /* A handler failed. true: carry on with the next message. NULL: stop (PANICKED). */
    bool (*on_panic)(struct trp_context *ctx, void *state, enum trp_status failure);
    /* A link died. true: carry on. NULL: carry on after NORMAL, else stop (LINK_DIED or
     * PEER_DISCONNECTED), as in Kameo. */
    bool (*on_link_died)(struct trp_context *ctx, void *state, const struct trp_link_death *death);
    /* Last call on the state. */
    void (*on_stop)(struct trp_context *ctx, void *state, enum trp_stop_reason reason);
};

struct trp_spawn_options {
    uint32_t mailbox_messages; /* of our own, and of one peer; 0: trp_limits.mailbox_messages */
    bool link;                 /* link with the spawning actor before on_start runs */
};

/* How an ask ended. */
struct trp_reply {
    enum trp_status status;   /* TRP_OK, TRP_EHANDLER, or why there is no reply */
    const void *message;      /* TRP_OK: of the reply type; borrowed for the call */
    struct trp_bytes payload; /* TRP_EHANDLER: msgpack of the handler's error */
    uint64_t user;            /* as given to trp_ask */
};

/* Runs on the asking actor's state, as one more message. */
typedef enum trp_status (*trp_on_reply)(struct trp_context *ctx, void *state,
                                        const struct trp_reply *reply);

struct trp_ask_options {
    const struct trp_message_type *reply; /* what to decode a reply as; NULL: payload only */
    trp_on_reply on_reply;
    uint64_t user;
    trp_time mailbox_timeout_ns; /* how long to wait for room in a full mailbox; 0: not at all */
    trp_time reply_timeout_ns; /* from sending to the reply; 0: trp_limits.request_timeout_ns. To a
                                * remote actor, no longer than that */
    bool hold;                 /* handle no other user message until the reply */
};

/* Whom a lookup looks for. */
enum trp_lookup_scope {
    TRP_LOOKUP_FIRST, /* the first that is found to be there */
    TRP_LOOKUP_ALL,   /* every actor of the name */
    TRP_LOOKUP_LOCAL  /* the one of this node */
};

struct trp_lookup_result {
    /* TRP_OK: one actor. TRP_ENOTFOUND: nobody has the name. TRP_EUNREACHABLE: who has it does not
     * answer. TRP_ENOPEERS: there is nobody to ask. TRP_ETIMEDOUT. */
    enum trp_status status;
    bool last;                /* nothing more will come */
    struct trp_actor_ref ref; /* TRP_OK; id 0 in the last result of a lookup of all */
    uint64_t user;
};
typedef enum trp_status (*trp_on_lookup)(struct trp_context *ctx, void *state,
                                         const struct trp_lookup_result *result);

/* Gives a ref to this actor. */
TRP_API struct trp_actor_ref trp_self(const struct trp_context *ctx);
/* Gives the time of the driver's clock; it stands still while a handler runs. */
TRP_API trp_time trp_now(const struct trp_context *ctx);
/* Draws 64 random bits; the n-th draw of an actor is the same in every run of one seed. */
TRP_API uint64_t trp_random(struct trp_context *ctx);

/* Spawns an actor of this node; `args` is of type->args, copied. on_start runs later, before any
 * message. TRP_EFULL, TRP_ENOMEM. `options` may be NULL. */
TRP_API enum trp_status trp_spawn(struct trp_context *ctx, const struct trp_actor_type *type,
                                  const void *args, const struct trp_spawn_options *options,
                                  struct trp_actor_ref *ret_ref) TRP_NODISCARD;
/* Sends and forgets. Local: TRP_EDEAD, TRP_EMAILBOXFULL, TRP_EUNKNOWNMESSAGE at once. Remote: it
 * waits there for room; TRP_EFULL when the peer's queue is full; what happens after is traced, not
 * reported. Messages to one remote actor arrive in their order where its node is one of ours and
 * has been identified, which takes one round trip from the connection on; by Kameo's protocol they
 * may overtake each other. */
TRP_API enum trp_status trp_tell(struct trp_context *ctx, const struct trp_actor_ref *to,
                                 const struct trp_message_type *type,
                                 const void *message) TRP_NODISCARD;
/* Sends and calls on_reply exactly once, without message or payload: TRP_OK when the message is in
 * the mailbox. A returned failure, those of trp_ask, means it will not be called. Of the options,
 * `reply` is not used. */
TRP_API enum trp_status trp_tell_ack(struct trp_context *ctx, const struct trp_actor_ref *to,
                                     const struct trp_message_type *type, const void *message,
                                     const struct trp_ask_options *options) TRP_NODISCARD;
/* Sends and calls on_reply exactly once; a returned failure means it will not be called. To an
 * actor here: TRP_EDEAD, TRP_EMAILBOXFULL, TRP_EUNKNOWNMESSAGE (or one without a reply). To one
 * elsewhere: TRP_EINVAL (its type is not known: trp_ref_set_type), TRP_EUNREACHABLE (there is no
 * network). To either: TRP_ETOOBIG, TRP_EENCODE, TRP_EFULL, TRP_ENOMEM; TRP_ESTATE in on_stop, and
 * for asking oneself with `hold`. */
TRP_API enum trp_status trp_ask(struct trp_context *ctx, const struct trp_actor_ref *to,
                                const struct trp_message_type *type, const void *message,
                                const struct trp_ask_options *options) TRP_NODISCARD;
/* Asks and keeps the outcome, when it comes, until trp_collect; gives a handle for that. Of the
 * options, `on_reply`, `user` and `hold` are not used. Fails as trp_ask. */
TRP_API enum trp_status trp_enqueue(struct trp_context *ctx, const struct trp_actor_ref *to,
                                    const struct trp_message_type *type, const void *message,
                                    const struct trp_ask_options *options,
                                    uint64_t *ret_pending) TRP_NODISCARD;
/* Has on_reply called once with the outcome of trp_enqueue, as one more message: soon when it is
 * there, else when it comes. NULL: nobody wants it. TRP_ENOTFOUND: it was collected. */
TRP_API enum trp_status trp_collect(struct trp_context *ctx, uint64_t pending,
                                    trp_on_reply on_reply, uint64_t user) TRP_NODISCARD;

/* Answers the ask being handled; TRP_ESTATE when it is a tell or was answered already, TRP_EINVAL
 * when `type` is not the handler's reply type. */
TRP_API enum trp_status trp_reply(struct trp_context *ctx, const struct trp_message_type *type,
                                  const void *message) TRP_NODISCARD;
/* Answers with an error, of a type of the handler's choice. TRP_ESTATE as of trp_reply,
 * TRP_ETOOBIG, TRP_EENCODE, TRP_ENOMEM. */
TRP_API enum trp_status trp_reply_error(struct trp_context *ctx,
                                        const struct trp_message_type *type,
                                        const void *message) TRP_NODISCARD;
/* Keeps the ask open beyond the handler; gives a token for trp_reply_to. 0 when it is a tell. */
TRP_API uint64_t trp_reply_later(struct trp_context *ctx);
/* TRP_OK also when nobody waits any more: it was answered, it timed out, the asker is gone.
 * TRP_ESTATE for 0. */
TRP_API enum trp_status trp_reply_to(struct trp_context *ctx, uint64_t token,
                                     const struct trp_message_type *type,
                                     const void *message) TRP_NODISCARD;
/* The same with an error, as trp_reply_error. */
TRP_API enum trp_status trp_reply_error_to(struct trp_context *ctx, uint64_t token,
                                           const struct trp_message_type *type,
                                           const void *message) TRP_NODISCARD;

/* Sends `message` to `to` after `delay_ns`; gives an id for trp_timer_cancel. The bound of the
 * mailbox does not hold for it. A timer to an actor of this node ends with that actor. TRP_EFULL
 * (timers), TRP_EDEAD, TRP_EUNKNOWNMESSAGE, TRP_EINVAL (as of trp_ask), TRP_ETOOBIG, TRP_EENCODE,
 * TRP_ENOMEM. */
TRP_API enum trp_status trp_tell_after(struct trp_context *ctx, trp_time delay_ns,
                                       const struct trp_actor_ref *to,
                                       const struct trp_message_type *type, const void *message,
                                       uint64_t *ret_timer) TRP_NODISCARD;
/* Cancels a timer; one that is due already, or unknown, is fine. */
TRP_API void trp_timer_cancel(struct trp_context *ctx, uint64_t timer);

/* Stops an actor of this node after the messages already in its mailbox; new ones are refused.
 * TRP_EDEAD, TRP_EUNSUPPORTED (it is elsewhere). */
TRP_API enum trp_status trp_stop(struct trp_context *ctx,
                                 const struct trp_actor_ref *actor) TRP_NODISCARD;
/* Stops it before its next message; waiting messages are dropped, asks get TRP_ESTOPPED. Fails as
 * trp_stop. */
TRP_API enum trp_status trp_kill(struct trp_context *ctx,
                                 const struct trp_actor_ref *actor) TRP_NODISCARD;

/* Links this actor with another, here or remote, in both directions; idempotent. The death of
 * either is told to the other exactly once. Linking with a dead actor tells at once;
 * TRP_STOP_KILLED stands for a reason that is not known any more. TRP_EINVAL (itself, or a remote
 * actor of unknown type), TRP_EFULL (links), TRP_ENOMEM; TRP_ESTATE in on_stop. */
TRP_API enum trp_status trp_link(struct trp_context *ctx,
                                 const struct trp_actor_ref *other) TRP_NODISCARD;
/* Ends a link of this actor; neither hears of the other's death any more. TRP_ENOTFOUND,
 * TRP_EFULL, TRP_ENOMEM; TRP_ESTATE in on_stop. */
TRP_API enum trp_status trp_unlink(struct trp_context *ctx,
                                   const struct trp_actor_ref *other) TRP_NODISCARD;
/* Links two other actors, or unlinks them, wherever they live; on_reply (may be NULL) is called
 * once with the outcome. A returned failure means it will not be called: TRP_EINVAL (both are one,
 * or of unknown type), TRP_EFULL, TRP_ENOMEM; TRP_ESTATE in on_stop. */
TRP_API enum trp_status trp_link_remote(struct trp_context *ctx, const struct trp_actor_ref *a,
                                        const struct trp_actor_ref *b, trp_on_reply on_reply,
                                        uint64_t user) TRP_NODISCARD;
TRP_API enum trp_status trp_unlink_remote(struct trp_context *ctx, const struct trp_actor_ref *a,
                                          const struct trp_actor_ref *b, trp_on_reply on_reply,
                                          uint64_t user) TRP_NODISCARD;
/* Says of which type a remote actor is: a ref that came in a message does not, and sending to it
 * needs that. TRP_EINVAL (no id), TRP_ENOMEM. */
TRP_API enum trp_status trp_ref_set_type(struct trp_context *ctx, struct trp_actor_ref *ref,
                                         const char *type_id) TRP_NODISCARD;

/* Publishes an actor of this node under a name on the DHT. Names are UTF-8, 1..255 bytes, without
 * ":meta:" and not ending in ":meta", which Kameo's records use. The registration is refreshed
 * until trp_unregister or the actor's end. TRP_EINVAL (the name), TRP_EDEAD, TRP_EUNSUPPORTED (the
 * actor is elsewhere), TRP_EFULL, TRP_ENOMEM; what comes after is traced, not reported. */
TRP_API enum trp_status trp_register(struct trp_context *ctx, const struct trp_actor_ref *actor,
                                     const char *name) TRP_NODISCARD;
/* The same; on_reply is called once: TRP_OK when the name is announced, or will be as soon as there
 * is a peer; TRP_EEXISTS when this node has it for another actor; TRP_EDEAD, TRP_ETIMEDOUT, … */
TRP_API enum trp_status trp_register_ack(struct trp_context *ctx, const struct trp_actor_ref *actor,
                                         const char *name, trp_on_reply on_reply,
                                         uint64_t user) TRP_NODISCARD;
/* Withdraws a name that an actor of this node has. TRP_EINVAL (the name), TRP_EFULL, TRP_ENOMEM. */
TRP_API enum trp_status trp_unregister(struct trp_context *ctx, const char *name) TRP_NODISCARD;
/* Finds actors by name; on_lookup is called for each and once with `last`. A returned failure means
 * it will not be called: TRP_EINVAL (the name), TRP_EFULL (requests), TRP_ENOMEM; TRP_ESTATE in
 * on_stop. */
TRP_API enum trp_status trp_lookup(struct trp_context *ctx, const char *name,
                                   enum trp_lookup_scope scope, trp_on_lookup on_lookup,
                                   uint64_t user) TRP_NODISCARD;

TRP_EXTERN_C_END

#endif
