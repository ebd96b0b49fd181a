/* SPDX-License-Identifier: MIT */
#include "scenarios/adversary/adversary.h"

#include "base/endian.h"
#include "base/prng.h"
#include "wire/kad_message.h"
#include "wire/registration.h"
#include "wire/uvarint.h"

#include <troupe/swarm.h>

#include <stdio.h>
#include <stdlib.h>

#define IMPOSTOR_STREAMS  4096u /* that its own node may have per connection */
#define REQUEST_BYTES_MAX 4096u /* of what it is asked */
#define TALKS_MAX         256u  /* that it listens to at once */
#define INVENTED_PEERS    20u
#define OVERSIZE_LENGTH   0x7fffffffu
#define OVERSIZE_SENT_MAX (1u << 20)
#define STREAMS_AT_ONCE   16u

enum stream { DRAW_PEER = 1, DRAW_ADDRESS, DRAW_WHICH };

/* A request that comes in pieces. */
struct talk {
    trp_stream_id stream; /* 0: free */
    uint32_t size;
    uint8_t bytes[REQUEST_BYTES_MAX];
};

struct trp_impostor {
    struct trp_adversary_config config;
    struct trp_multiaddr *victims;
    char (*names)[TRP_REGISTRATION_NAME_MAX + 1];
    struct trp_swarm *swarm;
    struct trp_behaviour behaviour;
    uint32_t index;
    trp_time next_at;
    uint64_t attacks;
    uint64_t invented;
    struct talk talks[TALKS_MAX];
    uint8_t frame[TRP_VARINT_BYTES_MAX + TRP_KAD_MESSAGE_BYTES_MAX];
};

static const char *const kad_protocols[] = {TRP_PROTOCOL_REGISTRY};
static const char *const messaging_protocols[] = {TRP_PROTOCOL_MESSAGING};
static const char *const push_protocols[] = {"/ipfs/id/push/1.0.0"};
static const char *const ping_protocols[] = {"/ipfs/ping/1.0.0"};

static uint64_t draw(const struct trp_impostor *impostor, enum stream stream, uint64_t counter)
{
    return trp_draw(impostor->config.seed, (uint64_t)impostor->config.conduct, stream, counter);
}

/* ---- inventions ---- */

/* The id of an Ed25519 key that nobody has. */
static struct trp_peer_id invent_peer(struct trp_impostor *impostor)
{
    static const uint8_t head[] = {0x00, 0x24, 0x08, 0x01, 0x12, 0x20};
    struct trp_peer_id peer = {.size = sizeof head + 32};
    memcpy(peer.bytes, head, sizeof head);
    for (uint64_t i = 0; i < 4; i++) {
        trp_store_le64(peer.bytes + sizeof head + 8 * i,
                       draw(impostor, DRAW_PEER, impostor->invented * 4 + i));
    }
    impostor->invented++;
    return peer;
}

/* An address where nobody is, or where somebody else is. */
static struct trp_multiaddr invent_address(const struct trp_impostor *impostor)
{
    uint64_t which = draw(impostor, DRAW_ADDRESS, impostor->invented);
    if (impostor->config.victims_count > 0 && which % 2 == 0) {
        return impostor->victims[(which >> 1) % impostor->config.victims_count];
    }
    const uint8_t nowhere[4] = {10, 255, (uint8_t)(which >> 8), (uint8_t)(which >> 16)};
    return trp_multiaddr_from_ip(nowhere, sizeof nowhere, 4001);
}

struct inventions {
    struct trp_kad_peer peers[INVENTED_PEERS];
    struct trp_multiaddr addresses[INVENTED_PEERS];
};

static void invent(struct trp_impostor *impostor, struct inventions *inventions)
{
    for (uint32_t i = 0; i < INVENTED_PEERS; i++) {
        inventions->addresses[i] = invent_address(impostor);
        inventions->peers[i] = (struct trp_kad_peer){.id = invent_peer(impostor),
                                                     .connection = TRP_KAD_CONNECTED,
                                                     .addresses_count = 1,
                                                     .addresses = &inventions->addresses[i]};
    }
}

/* Writes a message with its length; a message that does not fit is not sent. */
static void send(struct trp_impostor *impostor, trp_stream_id stream,
                 const struct trp_kad_message *message)
{
    size_t size;
    uint8_t *body = impostor->frame + TRP_VARINT_BYTES_MAX;
    if (trp_kad_message_encode(message, body, TRP_KAD_MESSAGE_BYTES_MAX, &size) != TRP_OK) {
        return;
    }
    uint8_t length[TRP_VARINT_BYTES_MAX];
    size_t length_size = trp_varint_encode(size, length);
    memcpy(body - length_size, length, length_size);
    size_t used;
    TRP_IGNORE(trp_stream_write(impostor->swarm, stream,
                                trp_bytes(body - length_size, length_size + size), &used));
}

/* ---- lies about what it is asked ---- */

/* An answer in which nothing is true. */
static void lie_in_answer(struct trp_impostor *impostor, trp_stream_id stream,
                          const struct trp_kad_message *request)
{
    struct inventions closer;
    struct inventions providers;
    uint8_t value[TRP_REGISTRATION_VALUE_MAX];
    size_t value_size = 0;
    invent(impostor, &closer);
    invent(impostor, &providers);
    struct trp_kad_message answer = {.type = request->type,
                                     .response = true,
                                     .closer = closer.peers,
                                     .closer_count = INVENTED_PEERS};
    switch (request->type) {
    case TRP_KAD_GET_PROVIDERS:
        answer.providers = providers.peers;
        answer.providers_count = INVENTED_PEERS;
        break;
    case TRP_KAD_GET_VALUE: {
        /* The record of whoever is asked for, with somebody else behind it. */
        const struct trp_actor_ref ref = {.peer = invent_peer(impostor), .id = 1};
        if (trp_registration_encode(&ref, trp_bytes_text("counter"), value, sizeof value,
                                    &value_size) == TRP_OK) {
            answer.has_record = true;
            answer.record = (struct trp_kad_record){.key = request->key,
                                                    .value = trp_bytes(value, value_size),
                                                    .publisher = ref.peer,
                                                    .ttl_s = UINT32_MAX};
        }
        break;
    }
    case TRP_KAD_PUT_VALUE: /* it keeps nothing, whatever it says */
        answer.key = request->key;
        answer.has_record = request->has_record;
        answer.record = request->record;
        break;
    case TRP_KAD_ADD_PROVIDER:
        return;
    case TRP_KAD_FIND_NODE:
    case TRP_KAD_PING:
        break;
    }
    send(impostor, stream, &answer);
}

static struct talk *talk_of(struct trp_impostor *impostor, trp_stream_id stream)
{
    for (uint32_t i = 0; i < TALKS_MAX; i++) {
        if (impostor->talks[i].stream == stream) {
            return &impostor->talks[i];
        }
    }
    return NULL;
}

/* Answers the whole requests that have come. */
static void talk_run(struct trp_impostor *impostor, struct talk *talk)
{
    for (;;) {
        uint64_t length;
        size_t used;
        struct trp_kad_message request;
        struct trp_bytes in = trp_bytes(talk->bytes, talk->size);
        if (trp_uvarint_decode(in, &length, &used) != TRP_OK || length > talk->size - used) {
            return;
        }
        if (trp_kad_message_decode(trp_bytes(talk->bytes + used, length), &request) == TRP_OK) {
            lie_in_answer(impostor, talk->stream, &request);
        }
        size_t whole = used + (size_t)length;
        memmove(talk->bytes, talk->bytes + whole, talk->size - whole);
        talk->size -= (uint32_t)whole;
    }
}

/* ---- lies unasked ---- */

/* Tells a peer that somebody else provides a name, that it itself does, or has somebody's record
 * written anew, in turn. */
static void lie_unasked(struct trp_impostor *impostor, const struct trp_stream_info *stream)
{
    struct inventions inventions;
    uint8_t key[TRP_REGISTRATION_KEY_MAX];
    size_t key_size;
    uint64_t turn = impostor->attacks;
    const char *name = impostor->config.names_count == 0
                           ? "nobody"
                           : impostor->names[turn / 3 % impostor->config.names_count];
    invent(impostor, &inventions);
    struct trp_kad_message message = {.type = TRP_KAD_ADD_PROVIDER,
                                      .key = trp_bytes_text(name),
                                      .providers = inventions.peers,
                                      .providers_count = 1};
    if (turn % 3 == 1) {
        inventions.peers[0].id = *trp_swarm_peer_id(impostor->swarm);
    } else if (turn % 3 == 2) {
        if (trp_registration_key_encode(trp_bytes_text(name), stream->peer, key, sizeof key,
                                        &key_size) != TRP_OK) {
            return;
        }
        message = (struct trp_kad_message){.type = TRP_KAD_PUT_VALUE,
                                           .key = trp_bytes(key, key_size),
                                           .has_record = true,
                                           .record = {.key = trp_bytes(key, key_size),
                                                      .value = trp_bytes_text("mine"),
                                                      .publisher = *stream->peer}};
    }
    send(impostor, stream->id, &message);
    trp_stream_shutdown(impostor->swarm, stream->id);
}

/* ---- messages without end ---- */

/* Says that a message of 2 GiB follows, and begins with it. */
static void send_oversized(struct trp_impostor *impostor, trp_stream_id stream)
{
    uint8_t length[TRP_VARINT_BYTES_MAX];
    size_t used;
    TRP_IGNORE(trp_stream_write(impostor->swarm, stream,
                                trp_bytes(length, trp_varint_encode(OVERSIZE_LENGTH, length)),
                                &used));
}

static void send_more(struct trp_impostor *impostor, trp_stream_id stream)
{
    static const uint8_t filler[4096];
    size_t used = 0;
    for (uint32_t sent = 0; sent < OVERSIZE_SENT_MAX; sent += (uint32_t)used) {
        if (trp_stream_write(impostor->swarm, stream, trp_bytes(filler, sizeof filler), &used) !=
                TRP_OK ||
            used == 0) {
            return;
        }
    }
}

/* ---- attacks ---- */

static void open_stream(struct trp_impostor *impostor, const struct trp_connection_info *to,
                        const char *const *protocols)
{
    const struct trp_stream_request request = {.behaviour = impostor->index,
                                               .peer = to->peer,
                                               .connection = to->id,
                                               .protocols = protocols,
                                               .protocols_count = 1};
    trp_stream_id stream;
    TRP_IGNORE(trp_swarm_open_stream(impostor->swarm, &request, &stream)); /* as many as go */
}

static void attack_connection(struct trp_impostor *impostor, const struct trp_connection_info *to)
{
    static const char *const *const all[] = {kad_protocols, messaging_protocols, push_protocols,
                                             ping_protocols};
    if (impostor->config.conduct == TRP_PLAN_LIE) {
        open_stream(impostor, to, kad_protocols);
    } else if (impostor->config.conduct == TRP_PLAN_OVERSIZE) {
        open_stream(impostor, to, all[impostor->attacks % 3]);
    } else {
        for (uint32_t i = 0; i < STREAMS_AT_ONCE; i++) {
            open_stream(impostor, to, all[i % 4]);
        }
    }
}

static void dial_victim(struct trp_impostor *impostor)
{
    if (impostor->config.victims_count == 0) {
        return;
    }
    const struct trp_dial_request request = {
        .addresses = &impostor->victims[impostor->attacks % impostor->config.victims_count],
        .addresses_count = 1};
    TRP_IGNORE(trp_swarm_dial(impostor->swarm, &request)); /* it may be dialed already */
}

static void attack(struct trp_impostor *impostor)
{
    struct trp_connection_info connection;
    uint32_t at = 0;
    uint32_t count = 0;
    while (trp_swarm_next_connection(impostor->swarm, &at, &connection)) {
        count++;
    }
    impostor->attacks++;
    if (count < impostor->config.victims_count) {
        dial_victim(impostor);
    }
    if (count == 0) {
        return;
    }
    uint32_t chosen = trp_draw_below(draw(impostor, DRAW_WHICH, impostor->attacks), count);
    at = 0;
    for (uint32_t i = 0; trp_swarm_next_connection(impostor->swarm, &at, &connection); i++) {
        if (i == chosen) {
            attack_connection(impostor, &connection);
            return;
        }
    }
}

/* ---- as a behaviour ---- */

static void on_attach(void *self, struct trp_swarm *swarm, uint32_t index)
{
    struct trp_impostor *impostor = self;
    impostor->swarm = swarm;
    impostor->index = index;
}

static uint32_t on_protocols(const void *self, const char **ret_protocols, uint32_t max)
{
    const struct trp_impostor *impostor = self;
    if (impostor->config.conduct != TRP_PLAN_LIE || max == 0) {
        return 0;
    }
    ret_protocols[0] = kad_protocols[0];
    return 1;
}

static void on_stream_opened(void *self, const struct trp_stream_info *stream)
{
    struct trp_impostor *impostor = self;
    if (stream->inbound) {
        struct talk *talk = talk_of(impostor, 0);
        if (talk != NULL) {
            talk->stream = stream->id;
            talk->size = 0;
        }
    } else if (impostor->config.conduct == TRP_PLAN_LIE) {
        lie_unasked(impostor, stream);
    } else if (impostor->config.conduct == TRP_PLAN_OVERSIZE) {
        send_oversized(impostor, stream->id);
        send_more(impostor, stream->id);
    }
}

static void on_stream_data(void *self, const struct trp_stream_info *stream, struct trp_bytes in)
{
    struct trp_impostor *impostor = self;
    struct talk *talk = stream->inbound ? talk_of(impostor, stream->id) : NULL;
    trp_stream_consumed(impostor->swarm, stream->id, in.size);
    if (talk == NULL) {
        return;
    }
    if (in.size > sizeof talk->bytes - talk->size) {
        trp_stream_reset(impostor->swarm, stream->id);
        return;
    }
    memcpy(talk->bytes + talk->size, in.data, in.size);
    talk->size += (uint32_t)in.size;
    talk_run(impostor, talk);
}

static void on_stream_writable(void *self, const struct trp_stream_info *stream)
{
    struct trp_impostor *impostor = self;
    if (impostor->config.conduct == TRP_PLAN_OVERSIZE) {
        send_more(impostor, stream->id);
    }
}

static void on_stream_eof(void *self, const struct trp_stream_info *stream)
{
    struct trp_impostor *impostor = self;
    if (stream->inbound) {
        trp_stream_shutdown(impostor->swarm, stream->id);
    }
}

static void on_stream_closed(void *self, const struct trp_stream_info *stream,
                             enum trp_status reason)
{
    struct trp_impostor *impostor = self;
    struct talk *talk = stream->inbound ? talk_of(impostor, stream->id) : NULL;
    (void)reason;
    if (talk != NULL) {
        talk->stream = 0;
    }
}

static trp_time on_deadline(const void *self)
{
    const struct trp_impostor *impostor = self;
    return impostor->next_at;
}

static void on_expire(void *self, trp_time now)
{
    struct trp_impostor *impostor = self;
    if (impostor->next_at <= now) {
        impostor->next_at = trp_time_after(now, impostor->config.every_ns);
        attack(impostor);
    }
}

static const struct trp_behaviour_ops impostor_ops = {.name = "impostor",
                                                      .attach = on_attach,
                                                      .protocols = on_protocols,
                                                      .stream_opened = on_stream_opened,
                                                      .stream_data = on_stream_data,
                                                      .stream_writable = on_stream_writable,
                                                      .stream_eof = on_stream_eof,
                                                      .stream_closed = on_stream_closed,
                                                      .deadline = on_deadline,
                                                      .expire = on_expire};

enum trp_status trp_impostor_open(const struct trp_adversary_config *config,
                                  struct trp_impostor **ret_impostor)
{
    struct trp_impostor *impostor = calloc(1, sizeof *impostor);
    if (impostor == NULL) {
        return TRP_ENOMEM;
    }
    impostor->config = *config;
    impostor->config.every_ns = config->every_ns == 0 ? TRP_MS(100) : config->every_ns;
    impostor->next_at = trp_time_after(config->now, impostor->config.every_ns);
    impostor->victims = malloc(config->victims_count * sizeof *impostor->victims + 1);
    impostor->names = malloc(config->names_count * sizeof *impostor->names + 1);
    if (impostor->victims == NULL || impostor->names == NULL) {
        trp_impostor_close(impostor);
        return TRP_ENOMEM;
    }
    if (config->victims_count > 0) {
        memcpy(impostor->victims, config->victims,
               config->victims_count * sizeof *impostor->victims);
    }
    for (uint32_t i = 0; i < config->names_count; i++) {
        (void)snprintf(impostor->names[i], sizeof impostor->names[i], "%s", config->names[i]);
    }
    impostor->behaviour = (struct trp_behaviour){.ops = &impostor_ops, .self = impostor};
    *ret_impostor = impostor;
    return TRP_OK;
}

void trp_impostor_close(struct trp_impostor *impostor)
{
    if (impostor != NULL) {
        free(impostor->victims);
        free(impostor->names);
        free(impostor);
    }
}

void trp_impostor_enter(struct trp_impostor *impostor, struct trp_node_config *config)
{
    config->behaviours = &impostor->behaviour;
    config->behaviours_count = 1;
    config->kad_client = impostor->config.conduct == TRP_PLAN_LIE; /* it answers in its own way */
    if (config->limits.streams_per_connection == 0) {
        config->limits.streams_per_connection = IMPOSTOR_STREAMS;
    }
}
