/* SPDX-License-Identifier: MIT */
/* wire/envelope.h - requests and responses of /kameo/messaging/1.0.0: CBOR as cbor4ii's serde
 * writes it.
 *
 * The dialect: enums are a text (unit variant) or a map of one; structs are maps with text keys;
 * bytes of a payload are an array of integers, those of an ActorId a byte string; `()` is an empty
 * array; None is null. Read leniently: any order of keys, unknown keys, integers of any width,
 * trailing bytes; the old spelling sibbling_ (Kameo <= 0.19) as well.
 * Spec       reference: Kameo 0.20 to 0.22.
 * Ownership  Decoded texts borrow from the input; payloads from the arena, which has to have room
 *            for as many bytes as the input has.
 * Limits     TRP_ENVELOPE_DEPTH_MAX levels of nesting.
 * Failure    TRP_EMALFORMED: not CBOR, or not this message. TRP_ETOOBIG: the arena or the output is
 *            too small, or it is nested too deeply. */
#ifndef WIRE_ENVELOPE_H
#define WIRE_ENVELOPE_H

#include "wire/arena.h"

#include <troupe/actor.h>

#define TRP_ENVELOPE_DEPTH_MAX 64u
#define TRP_STOP_LINKS_MAX     4u

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

/* Kameo's ActorStopReason. LINK_DIED wraps the reason of another actor's end, which may be
 * LINK_DIED again: `links` are the actors from the outermost inwards, `root` is what it all began
 * with. */
struct trp_stop_cause {
    enum trp_stop_reason root; /* never TRP_STOP_LINK_DIED */
    enum trp_panic panic;      /* TRP_STOP_PANICKED */
    struct trp_bytes text; /* TRP_STOP_PANICKED: with its prefix ("message handler panicked: ") */
    uint32_t links_count;  /* those that are kept; inner ones beyond the most are left out */
    struct trp_actor_ref links[TRP_STOP_LINKS_MAX];
};

static inline enum trp_stop_reason trp_stop_cause_reason(const struct trp_stop_cause *cause)
{
    return cause->links_count > 0 ? TRP_STOP_LINK_DIED : cause->root;
}

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
    bool both_spellings;        /* encode LINK, UNLINK: write sibbling_ besides sibling_ */
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
enum trp_status trp_send_error_status(enum trp_send_error error);
/* How to answer a peer with a status of ours. Those that Kameo has no word for become MAILBOX_FULL
 * (try later), ACTOR_STOPPED or SERIALIZE_REPLY; for the latter trp_status_text is a good text. */
enum trp_send_error trp_send_error_of(enum trp_status status);

enum trp_status trp_request_envelope_encode(const struct trp_request_envelope *request,
                                            uint8_t *out, size_t room,
                                            size_t *ret_size) TRP_NODISCARD;
enum trp_status trp_request_envelope_decode(struct trp_bytes in, struct trp_arena *arena,
                                            struct trp_request_envelope *ret_request) TRP_NODISCARD;
/* TRP_EINVAL for an error with a payload that is not of an ask: Kameo cannot say it. */
enum trp_status trp_response_envelope_encode(const struct trp_response_envelope *response,
                                             uint8_t *out, size_t room,
                                             size_t *ret_size) TRP_NODISCARD;
enum trp_status
trp_response_envelope_decode(struct trp_bytes in, struct trp_arena *arena,
                             struct trp_response_envelope *ret_response) TRP_NODISCARD;

#endif
