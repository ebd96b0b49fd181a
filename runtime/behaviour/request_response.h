/* SPDX-License-Identifier: MIT */
/* behaviour/request_response.h - one stream per request: request bytes, half-close, response bytes.
 *
 * Spec       rust-libp2p's request-response: no length prefix; each side reads to the end of the
 *            stream.
 * Ownership  Request and response bytes are copied on the way in; an event's bytes are borrowed
 *            until the next call.
 * Limits     request_bytes, response_bytes, requests_per_connection, requests_waiting_per_peer,
 *            request_timeout_ns; received_bytes and received_bytes_per_peer bound what is held of
 *            peers: over a quarter of its own a peer gets credit for one stream at a time, over
 *            all of it its streams are reset.
 * Outcome    Every request sent has exactly one RESPONSE or FAILURE; every request received that
 *            was given out exactly one SENT or DROPPED. */
#ifndef BEHAVIOUR_REQUEST_RESPONSE_H
#define BEHAVIOUR_REQUEST_RESPONSE_H

#include "base/memory.h"
#include "behaviour/account.h"
#include "trace/trace.h"

#include <troupe/swarm.h>

struct trp_request_response;

enum trp_request_response_kind {
    TRP_RR_REQUEST,  /* a peer asks: answer `id` with trp_request_response_answer, or drop it */
    TRP_RR_RESPONSE, /* the answer to our `id` */
    TRP_RR_FAILURE,  /* no answer to our `id`: TRP_ENOADDRESS, TRP_ECLOSED, TRP_ETIMEDOUT,
                        TRP_ENEGOTIATION, TRP_ERESET, TRP_ETOOBIG, TRP_EFULL, dial errors */
    TRP_RR_SENT,     /* our answer to `id` is written and half-closed */
    TRP_RR_DROPPED   /* our answer to `id` went nowhere: the stream ended first */
};

struct trp_request_response_event {
    enum trp_request_response_kind kind;
    enum trp_status status; /* FAILURE, DROPPED */
    uint64_t id;
    uint64_t token; /* RESPONSE, FAILURE: as given to send */
    struct trp_peer_id peer;
    struct trp_bytes bytes; /* REQUEST, RESPONSE */
};

struct trp_request_response_config {
    struct trp_memory *memory;     /* borrowed, as all pointers here */
    struct trp_trace *trace;       /* NULL: the swarm's */
    struct trp_accounts *accounts; /* shared with other protocols; NULL: its own */
    const char *protocol;
    /* For an owner without a turn of its own; each may be NULL. */
    void (*attached)(void *user, struct trp_swarm *swarm); /* to that swarm */
    void (*ready)(void *user); /* there are events; called within the swarm's turn */
    void *user;
};

enum trp_status
trp_request_response_open(const struct trp_request_response_config *config,
                          struct trp_request_response **ret_behaviour) TRP_NODISCARD;
void trp_request_response_close(struct trp_request_response *rr);
struct trp_behaviour trp_request_response_behaviour(struct trp_request_response *rr);

/* Sends a request, dialing the peer when need be. `timeout_ns` 0: request_timeout_ns. TRP_EFULL,
 * TRP_ETOOBIG, TRP_ENOMEM: nothing was sent and no event will come. */
enum trp_status trp_request_response_send(struct trp_request_response *rr,
                                          const struct trp_peer_id *peer, struct trp_bytes request,
                                          trp_time timeout_ns, uint64_t token,
                                          uint64_t *ret_id) TRP_NODISCARD;
/* Ends a request of ours without an event. */
void trp_request_response_cancel(struct trp_request_response *rr, uint64_t id);
/* Answers a request of a peer. TRP_ENOTFOUND when it is gone. */
enum trp_status trp_request_response_answer(struct trp_request_response *rr, uint64_t id,
                                            struct trp_bytes response) TRP_NODISCARD;
/* Refuses to answer: the stream is reset. */
void trp_request_response_drop(struct trp_request_response *rr, uint64_t id);
bool trp_request_response_next_event(struct trp_request_response *rr,
                                     struct trp_request_response_event *ret_event);
/* Requests of ours without an outcome. */
uint32_t trp_request_response_pending(const struct trp_request_response *rr);

#endif
