/* SPDX-License-Identifier: MIT */
#include "wire/identify.h"

#include "messages.pb-c.h"
#include "wire/protobuf.h"
#include "wire/uvarint.h"

#define OBSERVED_TAG (4u << 3 | 2u) /* field 4, with its length */

/* ---- writing ---- */

/* An optional field: there unless it is empty. */
static ProtobufCBinaryData optional(struct trp_bytes bytes, protobuf_c_boolean *ret_has)
{
    *ret_has = bytes.size > 0;
    return trp_protobuf_data(bytes);
}

enum trp_status trp_identify_message_encode(const struct trp_identify_message *message,
                                            uint8_t *out, size_t room, size_t *ret_size)
{
    ProtobufCBinaryData addresses[TRP_IDENTIFY_ADDRESSES_MAX];
    ProtobufCBinaryData protocols[TRP_IDENTIFY_PROTOCOLS_MAX];
    if (message->addresses_count > TRP_IDENTIFY_ADDRESSES_MAX ||
        message->protocols_count > TRP_IDENTIFY_PROTOCOLS_MAX) {
        return TRP_ETOOBIG;
    }
    for (uint32_t i = 0; i < message->addresses_count; i++) {
        addresses[i] = trp_protobuf_data(message->addresses[i]);
    }
    for (uint32_t i = 0; i < message->protocols_count; i++) {
        protocols[i] = trp_protobuf_data(message->protocols[i]);
    }
    Trp__Identify pack = TRP__IDENTIFY__INIT;
    pack.public_key = optional(message->public_key, &pack.has_public_key);
    pack.n_listen_addrs = message->addresses_count;
    pack.listen_addrs = addresses;
    pack.n_protocols = message->protocols_count;
    pack.protocols = protocols;
    pack.observed_addr = optional(message->observed_address, &pack.has_observed_addr);
    pack.protocol_version = optional(message->protocol_version, &pack.has_protocol_version);
    pack.agent_version = optional(message->agent_version, &pack.has_agent_version);
    pack.signed_peer_record = optional(message->signed_peer_record, &pack.has_signed_peer_record);

    room = room > TRP_IDENTIFY_BYTES_MAX ? TRP_IDENTIFY_BYTES_MAX : room;
    if (protobuf_c_message_get_packed_size(&pack.base) > room) {
        pack.has_signed_peer_record = false;
    }
    while (pack.n_listen_addrs > 0 && protobuf_c_message_get_packed_size(&pack.base) > room) {
        pack.n_listen_addrs--;
    }
    return trp_protobuf_pack(&pack.base, out, room, ret_size);
}

size_t trp_identify_observed_encode(const struct trp_multiaddr *address, uint8_t *out)
{
    if (address->size == 0) {
        return 0;
    }
    out[0] = OBSERVED_TAG;
    size_t size = 1 + trp_varint_encode(address->size, out + 1);
    memcpy(out + size, address->bytes, address->size);
    return size + address->size;
}

/* ---- reading ---- */

/* A field that is there replaces. */
static void merge(struct trp_bytes *field, protobuf_c_boolean has, ProtobufCBinaryData data)
{
    if (has && data.len > 0) {
        *field = trp_protobuf_view(data);
    }
}

enum trp_status trp_identify_message_decode(struct trp_bytes in, struct trp_arena *arena,
                                            struct trp_identify_message *message)
{
    ProtobufCMessage *unpacked;
    enum trp_status status = trp_protobuf_unpack(&trp__identify__descriptor, in, arena, &unpacked);
    if (status != TRP_OK) {
        return status;
    }
    const Trp__Identify *pack = (const Trp__Identify *)unpacked;
    merge(&message->public_key, pack->has_public_key, pack->public_key);
    merge(&message->protocol_version, pack->has_protocol_version, pack->protocol_version);
    merge(&message->agent_version, pack->has_agent_version, pack->agent_version);
    merge(&message->observed_address, pack->has_observed_addr, pack->observed_addr);
    merge(&message->signed_peer_record, pack->has_signed_peer_record, pack->signed_peer_record);
    for (size_t i = 0;
         i < pack->n_listen_addrs && message->addresses_count < TRP_IDENTIFY_ADDRESSES_MAX; i++) {
        struct trp_bytes address = trp_protobuf_view(pack->listen_addrs[i]);
        struct trp_multiaddr parsed;
        if (trp_multiaddr_decode(address, &parsed) == TRP_OK) {
            message->addresses[message->addresses_count++] = address;
        }
    }
    for (size_t i = 0;
         i < pack->n_protocols && message->protocols_count < TRP_IDENTIFY_PROTOCOLS_MAX; i++) {
        message->protocols[message->protocols_count++] = trp_protobuf_view(pack->protocols[i]);
    }
    return TRP_OK;
}
