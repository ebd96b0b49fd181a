/* SPDX-License-Identifier: MIT */
/* Kademlia messages: what decodes, with its peers, is written again and reads the same. */
#include "base/assert.h"
#include "wire/kad_message.h"

#define PEERS_MAX 64u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint32_t read_peers(const struct trp_kad_message *message, enum trp_kad_peer_list list,
                           struct trp_multiaddr (*addresses)[TRP_KAD_PEER_ADDRESSES_MAX],
                           struct trp_kad_peer *peers)
{
    uint32_t count = 0;
    for (size_t at = 0;
         count < PEERS_MAX &&
         trp_kad_message_next_peer(message, list, &at, addresses[count], &peers[count]);) {
        count++;
    }
    return count;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct trp_multiaddr addresses[4][PEERS_MAX][TRP_KAD_PEER_ADDRESSES_MAX];
    static struct trp_kad_peer peers[4][PEERS_MAX];
    static uint8_t out[TRP_KAD_MESSAGE_BYTES_MAX];
    struct trp_kad_message message;
    struct trp_kad_message copy;
    size_t out_size = 0;
    if (trp_kad_message_decode(trp_bytes(data, size), &message) != TRP_OK) {
        return 0;
    }
    message.closer = peers[0];
    message.closer_count = read_peers(&message, TRP_KAD_CLOSER, addresses[0], peers[0]);
    message.providers = peers[1];
    message.providers_count = read_peers(&message, TRP_KAD_PROVIDERS, addresses[1], peers[1]);
    if (trp_kad_message_encode(&message, out, sizeof out, &out_size) != TRP_OK) {
        return 0; /* padded numbers may hide a record that is too large when written properly */
    }
    TRP_ASSERT(trp_kad_message_decode(trp_bytes(out, out_size), &copy) == TRP_OK);
    TRP_ASSERT(copy.type == message.type && copy.has_record == message.has_record);
    TRP_ASSERT(trp_bytes_equal(copy.key, message.key));
    TRP_ASSERT(trp_bytes_equal(copy.record.value, message.record.value));
    TRP_ASSERT(copy.record.ttl_s == message.record.ttl_s);
    uint32_t closer = read_peers(&copy, TRP_KAD_CLOSER, addresses[2], peers[2]);
    uint32_t providers = read_peers(&copy, TRP_KAD_PROVIDERS, addresses[3], peers[3]);
    TRP_ASSERT(closer <= message.closer_count && providers <= message.providers_count);
    for (uint32_t i = 0; i < closer; i++) {
        TRP_ASSERT(trp_peer_id_equal(&peers[2][i].id, &peers[0][i].id));
        TRP_ASSERT(peers[2][i].addresses_count <= peers[0][i].addresses_count);
        TRP_ASSERT(peers[2][i].connection == peers[0][i].connection);
    }
    return 0;
}
