/* SPDX-License-Identifier: MIT */
/* troupe/messaging.h - Kameo's messaging protocol as a behaviour, for programs that compose a swarm
 * of their own: messages, links and death notices as requests with one answer each.
 *
 * A node with actors has one inside and needs none of this. A node that is `bare` (troupe/node.h)
 * lists it among its behaviours; the program then answers every request itself.
 * Spec       Kameo 0.18 to 0.22: /kameo/messaging/1.0.0. Our own: /troupe/messages/1.
 * Threading  The node's thread. `on_event` is called within a step, where every function here may
 *            be called again.
 * Ownership  What is sent is copied; what an event points to is borrowed for the call.
 * Limits     request_bytes, response_bytes, requests_per_connection, requests_waiting_per_peer,
 *            channel_send_bytes, request_timeout_ns of the node; memory_bytes of its own.
 * Outcome    Every request sent has exactly one RESULT or OUTBOUND_FAILURE; every request received
 *            and answered exactly one RESPONSE_SENT or INBOUND_FAILURE. */
#ifndef TROUPE_MESSAGING_H
#define TROUPE_MESSAGING_H

#include <troupe/actor.h>
#include <troupe/behaviour.h>

TRP_EXTERN_C_BEGIN

#define TRP_PROTOCOL_MESSAGING "/kameo/messaging/1.0.0"

enum trp_envelope_kind {
    TRP_ENVELOPE_ASK,
    TRP_ENVELOPE_TELL,
    TRP_ENVELOPE_LINK,
    TRP_ENVELOPE_UNLINK,
    TRP_ENVELOPE_SIGNAL_LINK_DIED,
    TRP_ENVELOPE_OUTBOUND_FAILURE /* responses only */
};

/* Kameo's SwarmRequest. Refs without a peer are the receiver's own actors. */
struct trp_request_envelope {
    enum trp_envelope_kind kind;
    bool immediate;             /* ASK, TELL: do not wait for room in the mailbox */
    bool both_spellings;        /* encode LINK, UNLINK: write sibbling_ (Kameo <= 0.19) besides */
    bool panic_as_text;         /* encode SIGNAL_LINK_DIED: a panic as Kameo <= 0.19 reads it */
    struct trp_actor_ref actor; /* whom it is for; SIGNAL_LINK_DIED: the actor to notify */
    struct trp_actor_ref other; /* LINK, UNLINK: the sibling; SIGNAL_LINK_DIED: the dead actor */
    struct trp_bytes actor_type;
    struct trp_bytes other_type; /* LINK */
    struct trp_bytes message;    /* ASK, TELL: id of the message */
    struct trp_bytes payload;    /* ASK, TELL: msgpack */
    trp_time mailbox_timeout_ns; /* ASK, TELL: TRP_NEVER: none */
    trp_time reply_timeout_ns;   /* ASK: TRP_NEVER: none */
    struct trp_stop_cause cause; /* SIGNAL_LINK_DIED */
};

/* X(name, Kameo's variant of RemoteSendError, content, status). Contents: UNIT; TYPE and MESSAGE:
 * a struct with the ids; PAYLOAD: msgpack of the handler's error; TEXT. */
#define TRP_SEND_ERROR_MAP(X)                                                                      \
    X(ACTOR_NOT_RUNNING, "ActorNotRunning", UNIT, EDEAD)                                           \
    X(ACTOR_STOPPED, "ActorStopped", UNIT, ESTOPPED)                                               \
    X(UNKNOWN_ACTOR, "UnknownActor", TYPE, EUNKNOWNACTOR)                                          \
    X(UNKNOWN_MESSAGE, "UnknownMessage", MESSAGE, EUNKNOWNMESSAGE)                                 \
    X(BAD_ACTOR_TYPE, "BadActorType", UNIT, EBADTYPE)                                              \
    X(MAILBOX_FULL, "MailboxFull", UNIT, EMAILBOXFULL)                                             \
    X(REPLY_TIMEOUT, "ReplyTimeout", UNIT, EREPLYTIMEOUT)                                          \
    X(HANDLER_ERROR, "HandlerError", PAYLOAD, EHANDLER)                                            \
    X(SERIALIZE_MESSAGE, "SerializeMessage", TEXT, EENCODE)                                        \
    X(DESERIALIZE_MESSAGE, "DeserializeMessage", TEXT, EDECODE)                                    \
    X(SERIALIZE_REPLY, "SerializeReply", TEXT, EENCODE)                                            \
    X(SERIALIZE_HANDLER_ERROR, "SerializeHandlerError", TEXT, EENCODE)                             \
    X(DESERIALIZE_HANDLER_ERROR, "DeserializeHandlerError", TEXT, EDECODE)                         \
    X(SWARM_NOT_BOOTSTRAPPED, "SwarmNotBootstrapped", UNIT, ESTATE)                                \
    X(DIAL_FAILURE, "DialFailure", UNIT, EUNREACHABLE)                                             \
    X(NETWORK_TIMEOUT, "NetworkTimeout", UNIT, ETIMEDOUT)                                          \
    X(CONNECTION_CLOSED, "ConnectionClosed", UNIT, ECLOSED)                                        \
    X(UNSUPPORTED_PROTOCOLS, "UnsupportedProtocols", UNIT, ENEGOTIATION)

enum trp_send_error {
    TRP_SEND_OK, /* no error */
#define TRP_SEND_ERROR_ENUM(name, text, content, status) TRP_SEND_##name,
    TRP_SEND_ERROR_MAP(TRP_SEND_ERROR_ENUM)
#undef TRP_SEND_ERROR_ENUM
};

/* Kameo's SwarmResponse. */
struct trp_response_envelope {
    enum trp_envelope_kind kind;
    enum trp_send_error error;   /* OUTBOUND_FAILURE: never TRP_SEND_OK */
    struct trp_bytes payload;    /* ASK: msgpack of the reply, or of the handler's error */
    struct trp_bytes actor_type; /* UNKNOWN_ACTOR, UNKNOWN_MESSAGE */
    struct trp_bytes message;    /* UNKNOWN_MESSAGE */
    struct trp_bytes text;       /* SERIALIZE_… and DESERIALIZE_… */
};

/* What a peer's answer means here. */
TRP_API enum trp_status trp_send_error_status(enum trp_send_error error);
/* How to answer a peer with a status of ours. Those that Kameo has no word for become MAILBOX_FULL
 * (try later), UNKNOWN_ACTOR (refused by policy), ACTOR_STOPPED (cancelled) or SERIALIZE_REPLY; for
 * the latter trp_status_text is a good text. */
TRP_API enum trp_send_error trp_send_error_of(enum trp_status status);

struct trp_messaging;

enum trp_messaging_event_kind {
    TRP_MESSAGING_REQUEST, /* a peer asks: answer `id`, or drop it; 0: it wants no answer */
    TRP_MESSAGING_RESULT,  /* the answer to our `id`; Kameo's AskResult, TellResult, … */
    TRP_MESSAGING_OUTBOUND_FAILURE, /* no answer to our `id`, or none that can be read: `status` */
    TRP_MESSAGING_INBOUND_FAILURE,  /* our answer to `id` went nowhere: `status` */
    TRP_MESSAGING_RESPONSE_SENT     /* our answer to `id` is written */
};

struct trp_messaging_event {
    enum trp_messaging_event_kind kind;
    /* RESULT: trp_send_error_status of the answer. OUTBOUND_FAILURE: a dial's status, TRP_ECLOSED,
     * TRP_ETIMEDOUT, TRP_ENEGOTIATION, TRP_ERESET, TRP_ETOOBIG, TRP_EDECODE. */
    enum trp_status status;
    enum trp_envelope_kind request_kind; /* RESULT, OUTBOUND_FAILURE: of our request */
    uint64_t id;
    uint64_t token; /* RESULT, OUTBOUND_FAILURE: as given to send */
    struct trp_peer_id peer;
    const struct trp_request_envelope *request;   /* REQUEST */
    const struct trp_response_envelope *response; /* RESULT */
};

struct trp_messaging_config {
    const char *protocol;  /* Kameo's; NULL: TRP_PROTOCOL_MESSAGING; borrowed for ever */
    uint64_t memory_bytes; /* bound of all it allocates; 0: trp_limits.memory_bytes by default */
    void (*on_event)(void *user, struct trp_messaging *messaging,
                     const struct trp_messaging_event *event);
    void *user;
};

/* Makes the behaviour; close it after its node. TRP_ENOMEM. */
TRP_API enum trp_status trp_messaging_open(const struct trp_messaging_config *config,
                                           struct trp_messaging **ret_messaging) TRP_NODISCARD;
/* NULL is fine. */
TRP_API void trp_messaging_close(struct trp_messaging *messaging);
/* Gives what a swarm lists; it borrows `messaging`. */
TRP_API struct trp_behaviour trp_messaging_behaviour(struct trp_messaging *messaging);
/* A second behaviour, for who lists it as well: asks and tells to peers that list it go by a
 * protocol of our own, in the order of their sending. Whether a peer does is known once identify
 * has told; until then, and to all others, messages go by Kameo's. */
TRP_API struct trp_behaviour trp_messaging_own_behaviour(struct trp_messaging *messaging);

struct trp_messaging_options {
    trp_time timeout_ns; /* from sending to the answer; 0: request_timeout_ns */
    /* How often to send it again when it was lost on the way (timeout, closed, reset). Only for
     * what may arrive twice: links, unlinks, death notices. */
    uint32_t retries;
    uint64_t token; /* comes back in the outcome */
};

/* Sends a request to the peer of request->actor, dialing it when need be; gives its id. `options`
 * may be NULL. TRP_EINVAL (no peer, or ourselves), TRP_ETOOBIG, TRP_EFULL, TRP_ENOMEM: nothing was
 * sent and no event will come. */
TRP_API enum trp_status trp_messaging_send(struct trp_messaging *messaging,
                                           const struct trp_request_envelope *request,
                                           const struct trp_messaging_options *options,
                                           uint64_t *ret_id) TRP_NODISCARD;
/* Ends a request of ours without an event. */
TRP_API void trp_messaging_cancel(struct trp_messaging *messaging, uint64_t id);
/* Answers a request of a peer; response->kind is that of the request. An answer larger than
 * response_bytes is replaced by SERIALIZE_REPLY, which says so. TRP_ENOTFOUND when the asker is
 * gone; TRP_EINVAL, TRP_ENOMEM: the stream is reset. */
TRP_API enum trp_status
trp_messaging_answer(struct trp_messaging *messaging, uint64_t id,
                     const struct trp_response_envelope *response) TRP_NODISCARD;
/* Refuses to answer: the stream is reset. */
TRP_API void trp_messaging_drop(struct trp_messaging *messaging, uint64_t id);
/* Counts our requests without an outcome. */
TRP_API uint32_t trp_messaging_pending(const struct trp_messaging *messaging);

TRP_EXTERN_C_END

#endif
