/* SPDX-License-Identifier: MIT */
#include "node/peers.h"

#include "wire/msgpack_writer.h"

#include <troupe/message.h>

#define PEER_ROW(FIELD, TAG)                                                                       \
    FIELD(TAG, TEXT, peer)                                                                         \
    FIELD(TAG, TEXT, address)                                                                      \
    FIELD(TAG, BOOL, connected)                                                                    \
    FIELD(TAG, BOOL, outbound)                                                                     \
    FIELD(TAG, OPTION(U32), bucket)
TRP_MESSAGE_DECLARE(trp_peer_row, PEER_ROW);
TRP_MESSAGE_DEFINE(trp_peer_row, NULL, PEER_ROW);

#define ROW_BYTES_MAX (TRP_PEER_ID_TEXT_MAX + TRP_MULTIADDR_TEXT_MAX + 64u)

struct row {
    struct trp_peer_id peer;
    struct trp_multiaddr address;
    bool connected;
    bool outbound;
    bool in_table;
    uint32_t bucket;
};

static enum trp_status row_encode(const struct row *row, struct trp_buffer *out)
{
    char peer[TRP_PEER_ID_TEXT_MAX];
    char address[TRP_MULTIADDR_TEXT_MAX];
    uint8_t bytes[ROW_BYTES_MAX];
    size_t size;
    trp_peer_id_print(&row->peer, peer);
    trp_multiaddr_print(&row->address, address);
    const struct trp_peer_row message = {.peer = trp_bytes_text(peer),
                                         .address = trp_bytes_text(address),
                                         .connected = row->connected,
                                         .outbound = row->outbound,
                                         .bucket = {row->in_table, row->bucket}};
    enum trp_status status =
        trp_message_encode(&trp_peer_row_type, &message, bytes, sizeof bytes, &size);
    return status == TRP_OK ? trp_buffer_append(out, trp_bytes(bytes, size)) : status;
}

static bool find_bucket(const struct trp_kad *kad, const struct trp_peer_id *peer,
                        uint32_t *ret_bucket)
{
    uint32_t at = 0;
    struct trp_peer_id known;
    while (kad != NULL && trp_kad_next_peer(kad, &at, &known, ret_bucket)) {
        if (trp_peer_id_equal(&known, peer)) {
            return true;
        }
    }
    return false;
}

/* Gives the rows one by one: first every connection, then the table's peers without one. */
static bool next_row(const struct trp_swarm *swarm, const struct trp_kad *kad, uint32_t at[2],
                     struct row *ret_row)
{
    struct trp_connection_info connection;
    *ret_row = (struct row){0};
    if (trp_swarm_next_connection(swarm, &at[0], &connection)) {
        ret_row->peer = connection.peer;
        ret_row->address = connection.remote;
        ret_row->connected = true;
        ret_row->outbound = connection.outbound;
        ret_row->in_table = find_bucket(kad, &connection.peer, &ret_row->bucket);
        return true;
    }
    while (kad != NULL && trp_kad_next_peer(kad, &at[1], &ret_row->peer, &ret_row->bucket)) {
        if (trp_swarm_connections_to(swarm, &ret_row->peer) == 0) {
            ret_row->in_table = true;
            (void)trp_swarm_known_addresses(swarm, &ret_row->peer, &ret_row->address, 1);
            return true;
        }
    }
    return false;
}

enum trp_status trp_peers_encode(const struct trp_swarm *swarm, const struct trp_kad *kad,
                                 struct trp_buffer *out)
{
    struct row row;
    uint32_t count = 0;
    uint32_t at[2] = {0, 0};
    while (next_row(swarm, kad, at, &row)) {
        count++;
    }
    trp_buffer_free(out);
    uint8_t bytes[TRP_MSGPACK_ITEM_MAX];
    struct trp_msgpack_writer head = {.out = bytes, .room = sizeof bytes};
    trp_msgpack_put_array(&head, count);
    enum trp_status status = trp_buffer_append(out, trp_bytes(bytes, head.size));
    at[0] = 0;
    at[1] = 0;
    while (status == TRP_OK && next_row(swarm, kad, at, &row)) {
        status = row_encode(&row, out);
    }
    return status == TRP_OK ? TRP_OK : TRP_EFULL;
}
