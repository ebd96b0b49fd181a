/* SPDX-License-Identifier: MIT */
#include "behaviour/identify.h"

#include "base/assert.h"
#include "base/buffer.h"
#include "base/slab.h"
#include "trace/limit.h"
#include "wire/identify.h"
#include "wire/peer_record.h"
#include "wire/public_key.h"
#include "wire/uvarint.h"

#define MESSAGES_MAX           10u /* of one identify, as go sends it */
#define PUSH_PEERS_MAX         1024u
#define STREAMS_MAX            4096u
#define STREAMS_PER_CONNECTION 8u

static const char *const identify_protocols[] = {TRP_PROTOCOL_IDENTIFY};
static const char *const push_protocols[] = {TRP_PROTOCOL_IDENTIFY_PUSH};

/* A stream of either protocol. A reader collects what the peer says; a writer says it and ends. */
struct exchange {
    trp_handle id;
    trp_stream_id stream;
    trp_connection_id connection;
    bool reads;
    bool pushed;
    struct trp_buffer bytes;
};

struct trp_identify {
    struct trp_identify_config config;
    struct trp_swarm *swarm;
    uint32_t index;
    struct trp_slab exchanges;
    struct trp_limit_mark streams_mark;
    uint64_t record_sequence; /* of our newest signed record */
    struct trp_buffer said; /* our message but for the observed address; empty: not composed yet */
};

static void identify_refuse(struct trp_identify *identify, const struct trp_peer_id *peer,
                            enum trp_status status)
{
    trp_trace_identify_failed(identify->config.trace,
                              &(struct trp_event_identify_failed){.peer = peer, .status = status});
}

/* ---- what we say ---- */

struct own_message {
    uint8_t key[TRP_PUBLIC_KEY_ENCODED_MAX];
    uint8_t record[TRP_PEER_RECORD_BYTES_MAX];
    struct trp_peer_record addresses;
    const char *protocols[TRP_IDENTIFY_PROTOCOLS_MAX];
    struct trp_identify_message message;
};

/* Fills in all but what the peer's address looks like to us. */
static void own_compose(struct trp_identify *identify, struct own_message *own)
{
    struct trp_identify_message *message = &own->message;
    struct trp_peer_record *record = &own->addresses;
    size_t size;
    if (trp_public_key_encode(&identify->config.identity->public_key, own->key, sizeof own->key,
                              &size) == TRP_OK) {
        message->public_key = trp_bytes(own->key, size);
    }
    message->protocol_version = trp_bytes_text(TRP_IDENTIFY_VERSION);
    message->agent_version = trp_bytes_text(identify->config.agent);
    record->peer = *trp_swarm_peer_id(identify->swarm);
    record->sequence = identify->record_sequence;
    record->addresses_count = trp_swarm_listen_addresses(identify->swarm, record->addresses,
                                                         TRP_PEER_RECORD_ADDRESSES_MAX);
    message->addresses_count = record->addresses_count;
    for (uint32_t i = 0; i < message->addresses_count; i++) {
        message->addresses[i] = trp_bytes(record->addresses[i].bytes, record->addresses[i].size);
    }
    message->protocols_count =
        trp_swarm_protocols(identify->swarm, own->protocols, TRP_IDENTIFY_PROTOCOLS_MAX);
    for (uint32_t i = 0; i < message->protocols_count; i++) {
        message->protocols[i] = trp_bytes_text(own->protocols[i]);
    }
    if (trp_peer_record_seal(identify->config.identity, record, own->record, sizeof own->record,
                             &size) == TRP_OK) {
        message->signed_peer_record = trp_bytes(own->record, size);
    }
}

/* Gives our message without the observed address. It is composed and its record sealed once, and
 * again when something about us has changed. */
static enum trp_status identify_compose(struct trp_identify *identify, struct trp_bytes *ret_said)
{
    struct trp_memory *memory = identify->config.memory;
    uint8_t encoded[TRP_IDENTIFY_BYTES_MAX - TRP_IDENTIFY_OBSERVED_BYTES_MAX];
    size_t size;
    enum trp_status status = TRP_OK;
    if (identify->said.size == 0) {
        struct own_message *own = trp_memory_alloc(memory, sizeof *own);
        if (own == NULL) {
            return TRP_ENOMEM;
        }
        own_compose(identify, own);
        status = trp_identify_message_encode(&own->message, encoded, sizeof encoded, &size);
        if (status == TRP_OK) {
            status = trp_buffer_append(&identify->said, trp_bytes(encoded, size));
        }
        trp_memory_free(memory, own);
    }
    *ret_said = trp_buffer_view(&identify->said);
    return status;
}

/* Writes what is left; half-closes at the end. */
static void exchange_write(struct trp_identify *identify, struct exchange *exchange)
{
    while (exchange->bytes.size > 0) {
        size_t used;
        enum trp_status status = trp_stream_write(identify->swarm, exchange->stream,
                                                  trp_buffer_view(&exchange->bytes), &used);
        if (status == TRP_EAGAIN || (status == TRP_OK && used == 0)) {
            return;
        }
        if (status != TRP_OK) {
            trp_stream_reset(identify->swarm, exchange->stream);
            return;
        }
        trp_buffer_consume(&exchange->bytes, used);
    }
    trp_stream_shutdown(identify->swarm, exchange->stream);
}

static enum trp_status exchange_fill(struct trp_identify *identify, struct exchange *exchange)
{
    uint8_t prefix[TRP_UVARINT_BYTES_MAX];
    uint8_t observed[TRP_IDENTIFY_OBSERVED_BYTES_MAX];
    size_t observed_size = 0;
    struct trp_bytes said;
    struct trp_connection_info info;
    enum trp_status status = identify_compose(identify, &said);
    if (status != TRP_OK) {
        return status;
    }
    TRP_ASSERT(said.size > 0 && said.data != NULL);
    if (trp_swarm_find_connection(identify->swarm, exchange->connection, &info)) {
        /* A zone is ours, not the peer's. */
        const struct trp_multiaddr remote = trp_multiaddr_without_zone(&info.remote);
        observed_size = trp_identify_observed_encode(&remote, observed);
    }
    size_t prefix_size = trp_varint_encode(said.size + observed_size, prefix);
    uint8_t *at;
    status = trp_buffer_reserve(&exchange->bytes, prefix_size + said.size + observed_size, &at);
    if (status != TRP_OK) {
        return status;
    }
    memcpy(at, prefix, prefix_size);
    memcpy(at + prefix_size, said.data, said.size);
    memcpy(at + prefix_size + said.size, observed, observed_size);
    trp_buffer_commit(&exchange->bytes, prefix_size + said.size + observed_size);
    return TRP_OK;
}

static void exchange_say(struct trp_identify *identify, struct exchange *exchange)
{
    if (exchange_fill(identify, exchange) == TRP_OK) {
        exchange_write(identify, exchange);
    } else {
        trp_stream_reset(identify->swarm, exchange->stream);
    }
}

/* ---- what a peer says ---- */

/* Reads every whole message of the stream into one. */
static enum trp_status identify_parse(struct trp_bytes in, struct trp_arena *arena,
                                      struct trp_identify_message *message)
{
    for (uint32_t i = 0; in.size > 0; i++) {
        uint64_t size;
        size_t used;
        if (i == MESSAGES_MAX || trp_uvarint_decode(in, &size, &used) != TRP_OK ||
            size > TRP_IDENTIFY_READ_MAX || size > in.size - used) {
            return TRP_EMALFORMED;
        }
        enum trp_status status =
            trp_identify_message_decode(trp_bytes(in.data + used, (size_t)size), arena, message);
        if (status != TRP_OK) {
            return status;
        }
        in = trp_bytes_skip(in, used + (size_t)size);
    }
    return TRP_OK;
}

/* The key must be the one that the PeerId of the connection is made of; a push may leave it out. */
static enum trp_status identify_check_key(struct trp_bytes key, const struct trp_peer_id *peer,
                                          bool pushed)
{
    struct trp_public_key decoded;
    struct trp_peer_id id;
    if (key.size == 0) {
        return pushed ? TRP_OK : TRP_EMALFORMED;
    }
    enum trp_status status = trp_public_key_decode(key, &decoded);
    if (status != TRP_OK) {
        return status;
    }
    trp_peer_id_from_key(&decoded, &id);
    return trp_peer_id_equal(&id, peer) ? TRP_OK : TRP_EAUTH;
}

/* Room for what one message becomes; too large for the stack. */
struct reading {
    struct trp_identify_message message;
    bool certified; /* the addresses are those of its signed record */
    uint32_t addresses_count;
    struct trp_multiaddr addresses[TRP_PEER_RECORD_ADDRESSES_MAX];
    const char *protocols[TRP_IDENTIFY_PROTOCOLS_MAX];
    char agent[128];
    struct trp_arena arena;
    uint8_t block[];
};

/* Opens the signed record of a message. TRP_EAUTH: it is forged. Anything else that is wrong with
 * it makes it no record, as for go and rust: the peer may have a newer kind. */
static enum trp_status identify_open_record(struct trp_signature_memo *memo,
                                            const struct trp_identify_message *message,
                                            const struct trp_peer_id *peer,
                                            struct trp_peer_record *ret_record)
{
    if (message->signed_peer_record.size == 0) {
        return TRP_ENOTFOUND;
    }
    enum trp_status status = trp_peer_record_open(memo, message->signed_peer_record, ret_record);
    return status == TRP_OK && !trp_peer_id_equal(&ret_record->peer, peer) ? TRP_EAUTH : status;
}

/* The addresses a peer has: those of its signed record, else those it lists. */
static enum trp_status identify_addresses(struct trp_signature_memo *memo,
                                          const struct trp_peer_id *peer, struct reading *reading)
{
    const struct trp_identify_message *message = &reading->message;
    struct trp_peer_record record;
    enum trp_status status = identify_open_record(memo, message, peer, &record);
    if (status == TRP_EAUTH) {
        return status;
    }
    reading->certified = status == TRP_OK;
    uint32_t count = reading->certified ? record.addresses_count : message->addresses_count;
    for (uint32_t i = 0; i < count && reading->addresses_count < TRP_PEER_RECORD_ADDRESSES_MAX;
         i++) {
        struct trp_multiaddr address;
        if (reading->certified) {
            address = record.addresses[i];
        } else if (trp_multiaddr_decode(message->addresses[i], &address) != TRP_OK) {
            continue;
        }
        reading->addresses[reading->addresses_count++] = trp_multiaddr_without_peer(&address);
    }
    return TRP_OK;
}

static uint32_t reading_protocols(struct reading *reading)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < reading->message.protocols_count; i++) {
        struct trp_bytes protocol = reading->message.protocols[i];
        bool named = protocol.size > 0 && protocol.size < TRP_PROTOCOL_BYTES_MAX;
        char *text = named ? trp_arena_alloc(&reading->arena, protocol.size + 1) : NULL;
        if (text != NULL) {
            memcpy(text, protocol.data, protocol.size);
            text[protocol.size] = '\0';
            reading->protocols[count++] = text;
        }
    }
    return count;
}

static void identify_report(struct trp_identify *identify, const struct trp_stream_info *stream,
                            struct reading *reading)
{
    struct trp_bytes agent = reading->message.agent_version;
    size_t agent_size = agent.size < sizeof reading->agent ? agent.size : sizeof reading->agent - 1;
    if (agent_size > 0) {
        memcpy(reading->agent, agent.data, agent_size);
    }
    struct trp_identified identified = {.peer = *stream->peer,
                                        .connection = stream->connection,
                                        .agent = reading->agent,
                                        .protocols = reading->protocols,
                                        .protocols_count = reading_protocols(reading),
                                        .addresses = reading->addresses,
                                        .addresses_count = reading->addresses_count};
    if (trp_multiaddr_decode(reading->message.observed_address, &identified.observed) != TRP_OK) {
        identified.observed = (struct trp_multiaddr){0};
    }
    for (uint32_t i = 0; i < reading->addresses_count; i++) {
        trp_swarm_add_address(identify->swarm, stream->peer, &reading->addresses[i],
                              TRP_ADDRESS_IDENTIFY);
    }
    trp_trace_identified(identify->config.trace,
                         &(struct trp_event_identified){.peer = stream->peer,
                                                        .agent = trp_bytes_text(reading->agent),
                                                        .protocols = identified.protocols_count,
                                                        .addresses = reading->addresses_count,
                                                        .pushed = stream->inbound,
                                                        .certified = reading->certified});
    /* Spec "identify/push": fields that are missing have not changed. Nobody speaks no protocol. */
    if (!stream->inbound || identified.protocols_count > 0) {
        trp_swarm_report_identified(identify->swarm, &identified);
    }
}

static void identify_learn(struct trp_identify *identify, const struct trp_stream_info *stream,
                           const struct exchange *exchange)
{
    struct trp_memory *memory = identify->config.memory;
    size_t block_bytes = TRP_IDENTIFY_ARENA_BYTES_OF(exchange->bytes.size);
    block_bytes = block_bytes < TRP_IDENTIFY_ARENA_BYTES ? block_bytes : TRP_IDENTIFY_ARENA_BYTES;
    struct reading *reading = trp_memory_alloc(memory, sizeof *reading + block_bytes);
    enum trp_status status = TRP_ENOMEM;
    if (reading != NULL) {
        reading->arena = trp_arena_init(reading->block, block_bytes);
        status =
            identify_parse(trp_buffer_view(&exchange->bytes), &reading->arena, &reading->message);
    }
    if (status == TRP_OK) {
        status = identify_check_key(reading->message.public_key, stream->peer, exchange->pushed);
    }
    if (status == TRP_OK) {
        status = identify_addresses(identify->config.memo, stream->peer, reading);
    }
    if (status == TRP_OK) {
        identify_report(identify, stream, reading);
    } else {
        identify_refuse(identify, stream->peer, status);
    }
    trp_memory_free(memory, reading);
}

/* ---- streams ---- */

static struct exchange *identify_insert(struct trp_identify *identify, bool reads, bool pushed,
                                        trp_connection_id connection)
{
    trp_handle id;
    void *object;
    if (trp_slab_insert(&identify->exchanges, &id, &object) != TRP_OK) {
        return NULL;
    }
    struct exchange *exchange = object;
    *exchange =
        (struct exchange){.id = id,
                          .connection = connection,
                          .reads = reads,
                          .pushed = pushed,
                          .bytes = trp_buffer_init(identify->config.memory,
                                                   (size_t)MESSAGES_MAX * (TRP_IDENTIFY_READ_MAX +
                                                                           TRP_UVARINT_BYTES_MAX))};
    return exchange;
}

static void identify_remove(struct trp_identify *identify, struct exchange *exchange)
{
    trp_buffer_free(&exchange->bytes);
    trp_slab_remove(&identify->exchanges, exchange->id);
}

/* Opens a stream of ours to ask, or to push. */
static void identify_open_stream(struct trp_identify *identify, const struct trp_peer_id *peer,
                                 trp_connection_id connection, bool push)
{
    struct exchange *exchange = identify_insert(identify, !push, push, connection);
    if (exchange == NULL) {
        return;
    }
    const struct trp_stream_request request = {.behaviour = identify->index,
                                               .peer = *peer,
                                               .connection = connection,
                                               .background = true,
                                               .protocols =
                                                   push ? push_protocols : identify_protocols,
                                               .protocols_count = 1,
                                               .token = exchange->id};
    if (trp_swarm_open_stream(identify->swarm, &request, &exchange->stream) != TRP_OK) {
        identify_remove(identify, exchange);
    }
}

static void identify_attach(void *self, struct trp_swarm *swarm, uint32_t index)
{
    struct trp_identify *identify = self;
    identify->swarm = swarm;
    identify->index = index;
    identify->exchanges =
        trp_slab_init(identify->config.memory, sizeof(struct exchange), STREAMS_MAX);
    identify->record_sequence = trp_swarm_now(swarm) + identify->config.unix_offset_ns;
}

static uint32_t identify_list_protocols(const void *self, const char **ret_protocols, uint32_t max)
{
    (void)self;
    if (max >= 2) {
        ret_protocols[0] = TRP_PROTOCOL_IDENTIFY;
        ret_protocols[1] = TRP_PROTOCOL_IDENTIFY_PUSH;
    }
    return max >= 2 ? 2 : 0;
}

static void identify_connected(void *self, const struct trp_connection_info *connection)
{
    struct trp_identify *identify = self;
    identify_open_stream(identify, &connection->peer, connection->id, false);
}

static void identify_self_changed(void *self)
{
    struct trp_identify *identify = self;
    uint64_t now = trp_swarm_now(identify->swarm) + identify->config.unix_offset_ns;
    identify->record_sequence =
        now > identify->record_sequence ? now : identify->record_sequence + 1;
    trp_buffer_free(&identify->said);
    uint32_t at = 0;
    struct trp_connection_info connection;
    for (uint32_t i = 0;
         i < PUSH_PEERS_MAX && trp_swarm_next_connection(identify->swarm, &at, &connection); i++) {
        identify_open_stream(identify, &connection.peer, connection.id, true);
    }
}

static uint32_t identify_streams_on(const struct trp_identify *identify,
                                    trp_connection_id connection)
{
    uint32_t count = 0;
    uint32_t at = 0;
    trp_handle id;
    const struct exchange *exchange;
    while ((exchange = trp_slab_next(&identify->exchanges, &at, &id)) != NULL) {
        count += exchange->connection == connection;
    }
    return count;
}

static void identify_stream_opened(void *self, const struct trp_stream_info *stream)
{
    struct trp_identify *identify = self;
    struct exchange *exchange = NULL;
    if (stream->inbound) {
        bool push = strcmp(stream->protocol, TRP_PROTOCOL_IDENTIFY_PUSH) == 0;
        if (identify_streams_on(identify, stream->connection) < STREAMS_PER_CONNECTION) {
            exchange = identify_insert(identify, push, push, stream->connection);
        } else {
            trp_limit_say(&identify->streams_mark, identify->config.trace,
                          "identify streams of a connection", STREAMS_PER_CONNECTION);
        }
        if (exchange == NULL) {
            trp_stream_reset(identify->swarm, stream->id);
            return;
        }
        exchange->stream = stream->id;
        trp_stream_set_token(identify->swarm, stream->id, exchange->id);
        trp_stream_set_background(identify->swarm, stream->id, true);
    } else {
        exchange = trp_slab_find(&identify->exchanges, stream->token);
    }
    if (exchange != NULL && !exchange->reads) {
        exchange_say(identify, exchange);
    } else if (exchange != NULL) {
        trp_stream_shutdown(identify->swarm, stream->id); /* we say nothing on it */
    }
}

static void identify_stream_data(void *self, const struct trp_stream_info *stream,
                                 struct trp_bytes in)
{
    struct trp_identify *identify = self;
    struct exchange *exchange = trp_slab_find(&identify->exchanges, stream->token);
    trp_stream_consumed(identify->swarm, stream->id, in.size);
    if (exchange == NULL || !exchange->reads) {
        return;
    }
    if (trp_buffer_append(&exchange->bytes, in) != TRP_OK) {
        identify_refuse(identify, stream->peer, TRP_ETOOBIG);
        trp_stream_reset(identify->swarm, stream->id);
    }
}

static void identify_stream_writable(void *self, const struct trp_stream_info *stream)
{
    struct trp_identify *identify = self;
    struct exchange *exchange = trp_slab_find(&identify->exchanges, stream->token);
    if (exchange != NULL && !exchange->reads) {
        exchange_write(identify, exchange);
    }
}

static void identify_stream_eof(void *self, const struct trp_stream_info *stream)
{
    struct trp_identify *identify = self;
    struct exchange *exchange = trp_slab_find(&identify->exchanges, stream->token);
    if (exchange != NULL && exchange->reads && exchange->bytes.size > 0) {
        identify_learn(identify, stream, exchange);
        trp_buffer_free(&exchange->bytes);
    }
}

static void identify_stream_closed(void *self, const struct trp_stream_info *stream,
                                   enum trp_status reason)
{
    struct trp_identify *identify = self;
    struct exchange *exchange = trp_slab_find(&identify->exchanges, stream->token);
    if (exchange != NULL) {
        if (exchange->reads && reason == TRP_ENEGOTIATION) { /* which is no failure */
            trp_swarm_report_identified(identify->swarm,
                                        &(struct trp_identified){.peer = *stream->peer,
                                                                 .connection = stream->connection,
                                                                 .refused = true});
        }
        identify_remove(identify, exchange);
    }
}

static const struct trp_behaviour_ops identify_ops = {.name = "identify",
                                                      .attach = identify_attach,
                                                      .protocols = identify_list_protocols,
                                                      .connected = identify_connected,
                                                      .self_changed = identify_self_changed,
                                                      .stream_opened = identify_stream_opened,
                                                      .stream_data = identify_stream_data,
                                                      .stream_writable = identify_stream_writable,
                                                      .stream_eof = identify_stream_eof,
                                                      .stream_closed = identify_stream_closed};

struct trp_behaviour trp_identify_behaviour(struct trp_identify *identify)
{
    return (struct trp_behaviour){.ops = &identify_ops, .self = identify};
}

enum trp_status trp_identify_open(const struct trp_identify_config *config,
                                  struct trp_identify **ret_identify)
{
    struct trp_identify *identify = trp_memory_alloc(config->memory, sizeof *identify);
    if (identify == NULL) {
        return TRP_ENOMEM;
    }
    identify->config = *config;
    identify->said = trp_buffer_init(config->memory, TRP_IDENTIFY_BYTES_MAX);
    *ret_identify = identify;
    return TRP_OK;
}

void trp_identify_close(struct trp_identify *identify)
{
    if (identify == NULL) {
        return;
    }
    uint32_t at = 0;
    trp_handle id;
    struct exchange *exchange;
    while (identify->swarm != NULL &&
           (exchange = trp_slab_next(&identify->exchanges, &at, &id)) != NULL) {
        trp_buffer_free(&exchange->bytes);
    }
    if (identify->swarm != NULL) {
        trp_slab_free(&identify->exchanges);
    }
    trp_buffer_free(&identify->said);
    trp_memory_free(identify->config.memory, identify);
}
