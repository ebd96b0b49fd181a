/* SPDX-License-Identifier: MIT */
/* behaviour/channel_state.h - what the files of channels share: channel.c (streams and their ends),
 * channel_calls.c (requests, and what we write), channel_read.c (what a peer writes). */
#ifndef BEHAVIOUR_CHANNEL_STATE_H
#define BEHAVIOUR_CHANNEL_STATE_H

#include "base/buffer.h"
#include "base/heap.h"
#include "base/index.h"
#include "base/list.h"
#include "base/slab.h"
#include "behaviour/channel.h"
#include "behaviour/channel_pairs.h"
#include "net/swarm.h"
#include "trace/limit.h"
#include "wire/channel_frame.h"

#define TRP_PROTOCOL_CHANNEL "/troupe/messages/1"
/* Nobody takes less in a frame: it is the least that the limits may be. */
#define TRP_CHANNEL_FRAME_BYTES_MIN 1024u
/* Blocks of buffers up to this size are kept while a channel is in use. */
#define TRP_CHANNEL_KEEP_BYTES ((size_t)512u * 1024u)

/* A peer as long as there is a channel with it. */
struct trp_channel_peer {
    struct trp_peer_id id;
    uint32_t hash;
    struct trp_account *account;
    struct trp_channel *out; /* the one we send on; NULL: none */
    struct trp_list channels;
    uint32_t inbound_count;
};

/* One stream, from its opening to its end. */
struct trp_channel {
    trp_handle id;
    bool inbound;         /* the peer opened it: it asks, we answer */
    bool opened;          /* it can be written */
    bool greeted;         /* the peer's HELLO is read: it takes the protocol */
    bool blocked;         /* too many of the peer's requests are unanswered: it is not read */
    bool eof;             /* the peer writes no more */
    bool shut;            /* we write no more */
    bool used;            /* since the last look */
    bool gone;            /* freed, but for what the event last given out borrows */
    uint32_t frame_bytes; /* the largest that the peer takes */
    uint32_t calls_count; /* unanswered asks and acknowledged tells */
    uint32_t kept_count;  /* tells that wait for room */
    struct trp_channel_peer *peer;
    trp_stream_id stream; /* 0 once it has ended */
    uint64_t cause;       /* of what is to be written */
    struct trp_channel_pairs pairs;
    struct trp_buffer rx;
    struct trp_buffer tx;
    size_t written;   /* of tx, by the stream; kept while the peer may give it back */
    uint64_t charged; /* to the account: rx, and what answers wait in tx */
    size_t consumed;  /* of the charge: read, to be taken back */
    size_t owed;      /* of credit */
    size_t ahead;     /* while blocked: of rx, looked through for what is cancelled */
    struct trp_list calls;
    struct trp_list_link peer_link;  /* among its peer's */
    struct trp_list_link dirty_link; /* has something to write */
    struct trp_list_link ready_link; /* has something to read, or is refused */
};

/* A request without an outcome, of ours or of a peer, or an outcome that is not told yet. */
struct trp_channel_call {
    trp_handle id;
    struct trp_channel *channel; /* NULL once it has its outcome */
    bool inbound;
    bool kept; /* a tell that waits for room */
    enum trp_envelope_kind kind;
    enum trp_messaging_event_kind event;
    enum trp_status status;
    uint64_t token; /* of ours; of a peer's: its number of the request */
    struct trp_peer_id peer;
    size_t bytes;              /* charged to the account */
    struct trp_list_link link; /* of the channel, then among the outcomes */
    struct trp_heap_entry timeout;
};

struct trp_channels {
    struct trp_channels_config config;
    struct trp_memory *memory;
    struct trp_trace *trace;
    struct trp_swarm *swarm; /* NULL: in none */
    uint32_t index;
    struct trp_slab slots; /* struct trp_channel */
    struct trp_slab calls;
    struct trp_index peers;
    struct trp_channel_peer *newest; /* found last; NULL */
    struct trp_list dirty;
    struct trp_list readable;
    struct trp_list refused;
    struct trp_list outcomes;
    struct trp_heap timeouts;
    uint64_t ties;
    trp_time look_at; /* for channels that are not used; TRP_NEVER */
    uint32_t pending;
    struct trp_channel *lent; /* whose rx or tx the last event borrows */
    size_t lent_bytes;        /* read with it */
    uint64_t lent_id;         /* of the request; 0: a tell that nobody waits for */
    struct trp_request_envelope request;
    struct trp_response_envelope response;
    struct trp_limit_mark limit_mark;
    struct trp_account_watch watch;
};

static inline const struct trp_limits *trp_channels_limits(const struct trp_channels *c)
{
    return trp_swarm_limits(c->swarm);
}

/* channel.c */
/* The channel that goes to a peer, opened when need be; NULL: the peer does not speak the protocol,
 * as far as is known. */
struct trp_channel *trp_channel_reach(struct trp_channels *c, const struct trp_peer_id *peer);
/* Appends a frame; it leaves at the end of the turn. TRP_EFULL, TRP_ENOMEM. */
enum trp_status trp_channel_put(struct trp_channels *c, struct trp_channel *channel,
                                const struct trp_channel_frame *frame) TRP_NODISCARD;
/* Charges bytes of the channel to the account. TRP_EFULL. */
enum trp_status trp_channel_charge(struct trp_channels *c, struct trp_channel *channel,
                                   size_t bytes) TRP_NODISCARD;
void trp_channel_uncharge(struct trp_channels *c, struct trp_channel *channel, size_t bytes);
/* Returns what is owed of charge and credit, when nothing can be read without more bytes. */
void trp_channel_settle(struct trp_channels *c, struct trp_channel *channel);
/* Ends it: each of its requests has `status` for its outcome, the peer sees a reset. */
void trp_channel_fail(struct trp_channels *c, struct trp_channel *channel, enum trp_status status);
/* The same for what a peer did. */
void trp_channel_misused(struct trp_channels *c, struct trp_channel *channel, const char *how);
/* Ends the answering side once the peer asks no more and has all answers. */
void trp_channel_check_end(struct trp_channels *c, struct trp_channel *channel);
void trp_channel_free(struct trp_channels *c, struct trp_channel *channel);

/* channel_calls.c */
static inline uint64_t trp_channel_call_id(const struct trp_channel_call *call)
{
    return call->id | TRP_CHANNEL_ID_BIT;
}
/* Finds one that has no outcome yet; NULL. */
struct trp_channel_call *trp_channel_call_find(const struct trp_channels *c, uint64_t id,
                                               bool inbound);
/* Makes a call without an outcome. TRP_EFULL, TRP_ENOMEM. */
enum trp_status trp_channel_call_make(struct trp_channels *c, struct trp_channel *channel,
                                      enum trp_envelope_kind kind, trp_time span_ns,
                                      struct trp_channel_call **ret_call) TRP_NODISCARD;
void trp_channel_call_trace(struct trp_channels *c, const struct trp_channel_call *call,
                            enum trp_status status);
/* Gives a call an outcome that is told with the next events. */
void trp_channel_call_end(struct trp_channels *c, struct trp_channel_call *call,
                          enum trp_messaging_event_kind event, enum trp_status status);
/* Ends a call without a word. */
void trp_channel_call_free(struct trp_channels *c, struct trp_channel_call *call);
/* Its time is over. */
void trp_channel_call_expire(struct trp_channels *c, struct trp_channel_call *call);

/* channel_read.c */
/* Looks for cancellations in what a blocked channel may not read yet. */
void trp_channel_look_ahead(struct trp_channels *c, struct trp_channel *channel);

#endif
