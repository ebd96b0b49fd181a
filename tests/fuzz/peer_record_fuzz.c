/* SPDX-License-Identifier: MIT */
/* Signed envelopes and the peer records in them. */
#include "base/assert.h"
#include "wire/peer_record.h"
#include "wire/signed_envelope.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t block[TRP_SIGNED_ENVELOPE_ARENA_BYTES];
    static uint8_t out[TRP_PEER_RECORD_BYTES_MAX];
    struct trp_arena arena = trp_arena_init(block, sizeof block);
    struct trp_signed_envelope envelope;
    struct trp_peer_record record;
    struct trp_keypair keypair;
    size_t out_size = 0;
    if (trp_peer_record_open(NULL, trp_bytes(data, size), &record) == TRP_OK) {
        TRP_ASSERT(record.addresses_count <= TRP_PEER_RECORD_ADDRESSES_MAX);
    }
    if (trp_signed_envelope_decode(trp_bytes(data, size), &arena, &envelope) == TRP_OK) {
        TRP_IGNORE(
            trp_signed_envelope_verify(NULL, &envelope, trp_bytes_text("libp2p-peer-record")));
    }
    /* The input as a record that its owner signed. */
    trp_keypair_from_seed((const uint8_t[32]){1}, &keypair);
    if (trp_signed_envelope_seal(
            &keypair,
            &(struct trp_signed_content){.domain = trp_bytes_text("libp2p-peer-record"),
                                         .payload_type = trp_bytes("\x03\x01", 2),
                                         .payload = trp_bytes(data, size)},
            out, sizeof out, &out_size) == TRP_OK) {
        TRP_IGNORE(trp_peer_record_open(NULL, trp_bytes(out, out_size), &record));
    }
    return 0;
}
