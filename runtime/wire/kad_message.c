/* SPDX-License-Identifier: MIT */
/* Protobuf by hand, both ways:
 *
 *     Message  type 1, key 2, record 3, closerPeers 8*, providerPeers 9*, clusterLevelRaw 10
 *     Peer     id 1, addrs 2*, connection 3
 *     Record   key 1, value 2, timeReceived 5, publisher 666, ttl 777 */
#include "wire/kad_message.h"

#include "base/assert.h"
#include "wire/multiaddr.h"
#include "wire/writer.h"

#define WIRE_VARINT 0u
#define WIRE_FIXED8 1u
#define WIRE_BYTES  2u
#define WIRE_FIXED4 5u

#define MESSAGE_TYPE    1u
#define MESSAGE_KEY     2u
#define MESSAGE_RECORD  3u
#define MESSAGE_CLOSER  8u
#define MESSAGE_PROVIDE 9u
#define MESSAGE_CLUSTER 10u
#define PEER_ID         1u
#define PEER_ADDRESS    2u
#define PEER_CONNECTION 3u
#define RECORD_KEY      1u
#define RECORD_VALUE    2u
#define RECORD_OWNER    666u
#define RECORD_TTL      777u

#define FIELD_MAX 0x1fffffffu

/* As rust-libp2p writes it; nobody reads it any more. */
#define CLUSTER_REQUEST  10u
#define CLUSTER_RESPONSE 9u

/* ---- reading ---- */

/* One field: a number or a run of bytes. */
struct field {
    uint32_t number;
    uint32_t wire;
    uint64_t value;
    struct trp_bytes bytes;
};

/* Reads a varint at *at; nearly all take one byte. */
static bool read_varint(struct trp_bytes in, size_t *at, uint64_t *ret_value)
{
    if (*at < in.size && in.data[*at] < 0x80) {
        *ret_value = in.data[(*at)++];
        return true;
    }
    size_t used;
    if (trp_varint_decode(trp_bytes_skip(in, *at), ret_value, &used) != TRP_OK) {
        return false;
    }
    *at += used;
    return true;
}

/* Takes a field of any size. Groups are not part of these messages. */
static enum trp_status read_large_field(struct trp_bytes in, size_t *at, struct field *ret_field)
{
    uint64_t tag;
    if (!read_varint(in, at, &tag) || tag >> 3 == 0 || tag >> 3 > FIELD_MAX) {
        return TRP_EMALFORMED;
    }
    ret_field->number = (uint32_t)(tag >> 3);
    ret_field->wire = (uint32_t)(tag & 7u);
    uint64_t size = 0;
    switch (ret_field->wire) {
    case WIRE_VARINT:
        return read_varint(in, at, &ret_field->value) ? TRP_OK : TRP_EMALFORMED;
    case WIRE_FIXED8:
        size = 8;
        break;
    case WIRE_FIXED4:
        size = 4;
        break;
    case WIRE_BYTES:
        if (!read_varint(in, at, &size)) {
            return TRP_EMALFORMED;
        }
        break;
    default:
        return TRP_EMALFORMED;
    }
    if (size > in.size - *at) {
        return TRP_EMALFORMED;
    }
    ret_field->bytes = trp_bytes(in.data + *at, (size_t)size);
    *at += (size_t)size;
    return TRP_OK;
}

/* Takes the field at *at; nearly all have a tag of one byte and a number or size of one more. */
static inline enum trp_status read_field(struct trp_bytes in, size_t *at, struct field *ret_field)
{
    const uint8_t *head = in.data + *at;
    size_t left = in.size - *at;
    if (left < 2 || head[0] < 8 || head[0] >= 0x80 || head[1] >= 0x80) {
        return read_large_field(in, at, ret_field);
    }
    ret_field->number = (uint32_t)head[0] >> 3;
    ret_field->wire = head[0] & 7u;
    if (ret_field->wire == WIRE_BYTES && head[1] <= left - 2) {
        ret_field->bytes = trp_bytes(head + 2, head[1]);
        *at += 2u + head[1];
        return TRP_OK;
    }
    if (ret_field->wire == WIRE_VARINT) {
        ret_field->value = head[1];
        *at += 2;
        return TRP_OK;
    }
    return read_large_field(in, at, ret_field);
}

static bool is_field(const struct field *field, uint32_t number, uint32_t wire)
{
    return field->number == number && field->wire == wire;
}

static enum trp_status read_record(struct trp_bytes in, struct trp_kad_record *record)
{
    struct field field;
    for (size_t at = 0; at < in.size;) {
        enum trp_status status = read_field(in, &at, &field);
        if (status != TRP_OK) {
            return status;
        }
        if (is_field(&field, RECORD_KEY, WIRE_BYTES)) {
            record->key = field.bytes;
        } else if (is_field(&field, RECORD_VALUE, WIRE_BYTES)) {
            record->value = field.bytes;
        } else if (is_field(&field, RECORD_OWNER, WIRE_BYTES) && field.bytes.size > 0) {
            if (trp_peer_id_decode(field.bytes, &record->publisher) != TRP_OK) {
                return TRP_EMALFORMED;
            }
        } else if (is_field(&field, RECORD_TTL, WIRE_VARINT)) {
            record->ttl_s = field.value > UINT32_MAX ? UINT32_MAX : (uint32_t)field.value;
        }
    }
    return TRP_OK;
}

enum trp_status trp_kad_message_decode(struct trp_bytes in, struct trp_kad_message *ret_message)
{
    if (in.size > TRP_KAD_MESSAGE_BYTES_MAX) {
        return TRP_ETOOBIG;
    }
    struct trp_kad_message message = {.encoded = in};
    uint64_t type = TRP_KAD_PUT_VALUE; /* proto3: a zero is not written */
    struct field field;
    for (size_t at = 0; at < in.size;) {
        enum trp_status status = read_field(in, &at, &field);
        if (status != TRP_OK) {
            return status;
        }
        if (field.wire == WIRE_VARINT) {
            type = field.number == MESSAGE_TYPE ? field.value : type;
        } else if (field.wire != WIRE_BYTES) {
            continue;
        } else if (field.number == MESSAGE_KEY) {
            message.key = field.bytes;
        } else if (field.number == MESSAGE_RECORD) {
            message.has_record = true;
            status = read_record(field.bytes, &message.record);
        }
        if (status != TRP_OK) {
            return status;
        }
    }
    if (type > TRP_KAD_PING) {
        return TRP_EUNSUPPORTED;
    }
    message.type = (enum trp_kad_message_type)type;
    *ret_message = message;
    return TRP_OK;
}

/* Reads an address without its /p2p; false when it does not parse or is another peer's. */
static bool read_address(struct trp_bytes in, const struct trp_peer_id *id,
                         struct trp_multiaddr *ret_address)
{
    struct trp_multiaddr_last last;
    if (trp_multiaddr_check(in, &last) != TRP_OK) {
        return false;
    }
    if (last.code == TRP_MA_P2P) {
        if (last.start == 0 || !trp_bytes_equal(last.value, trp_peer_id_bytes(id))) {
            return false;
        }
        in.size = last.start;
    }
    trp_multiaddr_copy(in, ret_address);
    return true;
}

/* Finds the id of a peer, which comes first but need not. */
static bool read_peer_id(struct trp_bytes in, struct trp_peer_id *ret_id)
{
    struct field field;
    for (size_t at = 0; at < in.size && read_field(in, &at, &field) == TRP_OK;) {
        if (is_field(&field, PEER_ID, WIRE_BYTES)) {
            return trp_peer_id_decode(field.bytes, ret_id) == TRP_OK;
        }
    }
    return false;
}

/* Reads one peer; false when it is malformed, or its id is missing or invalid. */
static bool read_peer(struct trp_bytes in, struct trp_multiaddr *addresses,
                      struct trp_kad_peer *peer)
{
    struct field field;
    peer->connection = TRP_KAD_NOT_CONNECTED;
    peer->addresses_count = 0;
    peer->addresses = addresses;
    if (!read_peer_id(in, &peer->id)) {
        return false;
    }
    for (size_t at = 0; at < in.size;) {
        if (read_field(in, &at, &field) != TRP_OK) {
            return false;
        }
        if (is_field(&field, PEER_ADDRESS, WIRE_BYTES) &&
            peer->addresses_count < TRP_KAD_PEER_ADDRESSES_MAX &&
            read_address(field.bytes, &peer->id, &addresses[peer->addresses_count])) {
            peer->addresses_count++;
        } else if (is_field(&field, PEER_CONNECTION, WIRE_VARINT) &&
                   field.value <= TRP_KAD_CANNOT_CONNECT) {
            peer->connection = (enum trp_kad_connection)field.value;
        }
    }
    return true;
}

bool trp_kad_message_next_peer(const struct trp_kad_message *message, enum trp_kad_peer_list list,
                               size_t *at,
                               struct trp_multiaddr addresses[TRP_KAD_PEER_ADDRESSES_MAX],
                               struct trp_kad_peer *ret_peer)
{
    uint32_t number = list == TRP_KAD_CLOSER ? MESSAGE_CLOSER : MESSAGE_PROVIDE;
    struct field field;
    while (*at < message->encoded.size && read_field(message->encoded, at, &field) == TRP_OK) {
        if (is_field(&field, number, WIRE_BYTES) && read_peer(field.bytes, addresses, ret_peer)) {
            return true;
        }
    }
    return false;
}

/* ---- writing ---- */

static void write_number(struct trp_writer *out, uint32_t number, uint64_t value)
{
    trp_writer_varint(out, (uint64_t)number << 3 | WIRE_VARINT);
    trp_writer_varint(out, value);
}

static void write_head(struct trp_writer *out, uint32_t number, size_t size)
{
    trp_writer_varint(out, (uint64_t)number << 3 | WIRE_BYTES);
    trp_writer_varint(out, size);
}

static void write_bytes(struct trp_writer *out, uint32_t number, struct trp_bytes bytes)
{
    write_head(out, number, bytes.size);
    trp_writer_put(out, bytes);
}

static size_t number_bytes(uint32_t number, uint64_t value)
{
    return trp_varint_size((uint64_t)number << 3) + trp_varint_size(value);
}

static size_t bytes_bytes(uint32_t number, size_t size)
{
    return trp_varint_size((uint64_t)number << 3) + trp_varint_size(size) + size;
}

static size_t record_bytes(const struct trp_kad_record *record)
{
    size_t size = bytes_bytes(RECORD_KEY, record->key.size);
    size += bytes_bytes(RECORD_VALUE, record->value.size);
    size += record->publisher.size == 0 ? 0 : bytes_bytes(RECORD_OWNER, record->publisher.size);
    size += record->ttl_s == 0 ? 0 : number_bytes(RECORD_TTL, record->ttl_s);
    return size;
}

static void write_record(struct trp_writer *out, const struct trp_kad_record *record)
{
    write_head(out, MESSAGE_RECORD, record_bytes(record));
    write_bytes(out, RECORD_KEY, record->key);
    write_bytes(out, RECORD_VALUE, record->value);
    if (record->publisher.size > 0) {
        write_bytes(out, RECORD_OWNER, trp_peer_id_bytes(&record->publisher));
    }
    if (record->ttl_s > 0) {
        write_number(out, RECORD_TTL, record->ttl_s);
    }
}

/* How much of a message is written: its peers, and addresses of each. */
struct measure {
    uint32_t closer;
    uint32_t providers;
    uint32_t addresses;
};

static size_t peer_bytes(const struct trp_kad_peer *peer, uint32_t addresses_max)
{
    size_t size = bytes_bytes(PEER_ID, peer->id.size);
    for (uint32_t i = 0; i < peer->addresses_count && i < addresses_max; i++) {
        size += bytes_bytes(PEER_ADDRESS, peer->addresses[i].size);
    }
    return size + (peer->connection == TRP_KAD_NOT_CONNECTED
                       ? 0
                       : number_bytes(PEER_CONNECTION, peer->connection));
}

static void write_peers(struct trp_writer *out, uint32_t number, const struct trp_kad_peer *peers,
                        uint32_t count, uint32_t addresses_max)
{
    for (uint32_t k = 0; k < count; k++) {
        const struct trp_kad_peer *peer = &peers[k];
        write_head(out, number, peer_bytes(peer, addresses_max));
        write_bytes(out, PEER_ID, trp_peer_id_bytes(&peer->id));
        for (uint32_t i = 0; i < peer->addresses_count && i < addresses_max; i++) {
            write_bytes(out, PEER_ADDRESS,
                        trp_bytes(peer->addresses[i].bytes, peer->addresses[i].size));
        }
        if (peer->connection != TRP_KAD_NOT_CONNECTED) {
            write_number(out, PEER_CONNECTION, peer->connection);
        }
    }
}

static bool says_cluster(const struct trp_kad_message *message)
{
    return message->type != TRP_KAD_PUT_VALUE;
}

static size_t message_bytes(const struct trp_kad_message *message, const struct measure *measure)
{
    size_t size = 0;
    size += message->type == TRP_KAD_PUT_VALUE ? 0 : number_bytes(MESSAGE_TYPE, message->type);
    size += says_cluster(message) ? number_bytes(MESSAGE_CLUSTER, CLUSTER_REQUEST) : 0;
    size += message->key.size == 0 ? 0 : bytes_bytes(MESSAGE_KEY, message->key.size);
    size += message->has_record ? bytes_bytes(MESSAGE_RECORD, record_bytes(&message->record)) : 0;
    for (uint32_t i = 0; i < measure->closer; i++) {
        size += bytes_bytes(MESSAGE_CLOSER, peer_bytes(&message->closer[i], measure->addresses));
    }
    for (uint32_t i = 0; i < measure->providers; i++) {
        size +=
            bytes_bytes(MESSAGE_PROVIDE, peer_bytes(&message->providers[i], measure->addresses));
    }
    return size;
}

/* Finds how much fits. */
static enum trp_status fit(const struct trp_kad_message *message, size_t room,
                           struct measure *ret_measure)
{
    struct measure measure = {.closer = message->closer_count,
                              .providers = message->providers_count,
                              .addresses = TRP_KAD_PEER_ADDRESSES_MAX};
    while (message_bytes(message, &measure) > room) {
        if (measure.addresses > 1) {
            measure.addresses--;
        } else if (measure.closer > 0) {
            measure.closer--;
        } else if (measure.providers > 0) {
            measure.providers--;
        } else {
            return TRP_ETOOBIG;
        }
    }
    *ret_measure = measure;
    return TRP_OK;
}

enum trp_status trp_kad_message_encode(const struct trp_kad_message *message, uint8_t *out,
                                       size_t room, size_t *ret_size)
{
    struct measure measure;
    room = room > TRP_KAD_MESSAGE_BYTES_MAX ? TRP_KAD_MESSAGE_BYTES_MAX : room;
    enum trp_status status = fit(message, room, &measure);
    if (status != TRP_OK) {
        return status;
    }
    struct trp_writer writer = trp_writer_init(out, room);
    if (message->type != TRP_KAD_PUT_VALUE) {
        write_number(&writer, MESSAGE_TYPE, message->type);
    }
    if (says_cluster(message)) {
        write_number(&writer, MESSAGE_CLUSTER,
                     message->response ? CLUSTER_RESPONSE : CLUSTER_REQUEST);
    }
    if (message->key.size > 0) {
        write_bytes(&writer, MESSAGE_KEY, message->key);
    }
    if (message->has_record) {
        write_record(&writer, &message->record);
    }
    write_peers(&writer, MESSAGE_CLOSER, message->closer, measure.closer, measure.addresses);
    write_peers(&writer, MESSAGE_PROVIDE, message->providers, measure.providers, measure.addresses);
    TRP_ASSERT(!writer.overflow);
    return trp_writer_end(&writer, ret_size);
}
