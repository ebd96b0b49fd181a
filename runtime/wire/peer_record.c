/* SPDX-License-Identifier: MIT */
#include "wire/peer_record.h"

#include "messages.pb-c.h"
#include "wire/protobuf.h"
#include "wire/public_key.h"
#include "wire/signed_envelope.h"

#define RECORD_BYTES_MAX 4096u
#define RECORD_ARENA_MAX 16384u

/* What a record is signed as: the pair that is in use, and that of RFC 0003. */
static const struct {
    struct trp_bytes domain;
    struct trp_bytes payload_type;
} spellings[] = {
    {{(const uint8_t *)"libp2p-peer-record", 18}, {(const uint8_t *)"\x03\x01", 2}},
    {{(const uint8_t *)"libp2p-routing-state", 20},
     {(const uint8_t *)"/libp2p/routing-state-record", 28}},
};

enum trp_status trp_peer_record_seal(const struct trp_keypair *keypair,
                                     const struct trp_peer_record *record, uint8_t *out,
                                     size_t room, size_t *ret_size)
{
    Trp__PeerRecordAddress addresses[TRP_PEER_RECORD_ADDRESSES_MAX];
    Trp__PeerRecordAddress *pointers[TRP_PEER_RECORD_ADDRESSES_MAX];
    uint8_t payload[RECORD_BYTES_MAX];
    size_t size;
    if (record->addresses_count > TRP_PEER_RECORD_ADDRESSES_MAX) {
        return TRP_ETOOBIG;
    }
    for (uint32_t i = 0; i < record->addresses_count; i++) {
        trp__peer_record_address__init(&addresses[i]);
        addresses[i].has_multiaddr = true;
        addresses[i].multiaddr =
            trp_protobuf_data(trp_bytes(record->addresses[i].bytes, record->addresses[i].size));
        pointers[i] = &addresses[i];
    }
    Trp__PeerRecord message = TRP__PEER_RECORD__INIT;
    message.has_peer_id = true;
    message.peer_id = trp_protobuf_data(trp_peer_id_bytes(&record->peer));
    message.has_seq = true;
    message.seq = record->sequence;
    message.n_addresses = record->addresses_count;
    message.addresses = pointers;
    enum trp_status status = trp_protobuf_pack(&message.base, payload, sizeof payload, &size);
    if (status != TRP_OK) {
        return status;
    }
    return trp_signed_envelope_seal(
        keypair,
        &(struct trp_signed_content){.domain = spellings[0].domain,
                                     .payload_type = spellings[0].payload_type,
                                     .payload = trp_bytes(payload, size)},
        out, room, ret_size);
}

/* The signature is good, and the record speaks of who signed it. */
static enum trp_status check_signer(struct trp_signature_memo *memo,
                                    const struct trp_signed_envelope *envelope,
                                    const struct trp_peer_id *peer)
{
    struct trp_peer_id signer;
    size_t i = 0;
    while (i < sizeof spellings / sizeof spellings[0] &&
           !trp_bytes_equal(spellings[i].payload_type, envelope->payload_type)) {
        i++;
    }
    if (i == sizeof spellings / sizeof spellings[0]) {
        return TRP_EUNSUPPORTED;
    }
    trp_peer_id_from_key(&envelope->key, &signer);
    if (!trp_peer_id_equal(&signer, peer)) {
        return TRP_EAUTH;
    }
    return trp_signed_envelope_verify(memo, envelope, spellings[i].domain);
}

enum trp_status trp_peer_record_open(struct trp_signature_memo *memo, struct trp_bytes in,
                                     struct trp_peer_record *ret_record)
{
    uint8_t block[RECORD_ARENA_MAX];
    struct trp_arena arena = trp_arena_init(block, sizeof block);
    struct trp_signed_envelope envelope;
    ProtobufCMessage *unpacked = NULL;
    enum trp_status status = trp_signed_envelope_decode(in, &arena, &envelope);
    if (status == TRP_OK) {
        status =
            trp_protobuf_unpack(&trp__peer_record__descriptor, envelope.payload, &arena, &unpacked);
    }
    if (status != TRP_OK) {
        return status;
    }
    const Trp__PeerRecord *message = (const Trp__PeerRecord *)unpacked;
    struct trp_peer_id peer;
    if (trp_peer_id_decode(trp_protobuf_view(message->peer_id), &peer) != TRP_OK) {
        return TRP_EMALFORMED;
    }
    status = check_signer(memo, &envelope, &peer);
    if (status != TRP_OK) {
        return status;
    }
    ret_record->peer = peer;
    ret_record->sequence = message->seq;
    ret_record->addresses_count = 0;
    for (size_t i = 0;
         i < message->n_addresses && ret_record->addresses_count < TRP_PEER_RECORD_ADDRESSES_MAX;
         i++) {
        struct trp_multiaddr *address = &ret_record->addresses[ret_record->addresses_count];
        if (trp_multiaddr_decode(trp_protobuf_view(message->addresses[i]->multiaddr), address) ==
            TRP_OK) {
            ret_record->addresses_count++;
        }
    }
    return TRP_OK;
}
