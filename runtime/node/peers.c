/* SPDX-License-Identifier: MIT */
#include "node/peers.h"

#include <msgpack.h>

struct row {
    struct trp_peer_id peer;
    struct trp_multiaddr address;
    bool connected;
    bool outbound;
    bool in_table;
    uint32_t bucket;
};

static int peers_write(void *out, const char *data, size_t size)
{
    return trp_buffer_append(out, trp_bytes(data, size)) == TRP_OK ? 0 : -1;
}

static int pack_text(msgpack_packer *packer, const char *text)
{
    size_t size = strlen(text);
    int failed = msgpack_pack_str(packer, size);
    return failed != 0 ? failed : msgpack_pack_str_body(packer, text, size);
}

static int pack_bool(msgpack_packer *packer, bool value)
{
    return value ? msgpack_pack_true(packer) : msgpack_pack_false(packer);
}

static int pack_row(msgpack_packer *packer, const struct row *row)
{
    char peer[TRP_PEER_ID_TEXT_MAX];
    char address[TRP_MULTIADDR_TEXT_MAX];
    trp_peer_id_print(&row->peer, peer);
    trp_multiaddr_print(&row->address, address);
    int failed = msgpack_pack_map(packer, 5);
    failed |= pack_text(packer, "peer") | pack_text(packer, peer);
    failed |= pack_text(packer, "address") | pack_text(packer, address);
    failed |= pack_text(packer, "connected") | pack_bool(packer, row->connected);
    failed |= pack_text(packer, "outbound") | pack_bool(packer, row->outbound);
    failed |= pack_text(packer, "bucket");
    return failed |
           (row->in_table ? msgpack_pack_uint32(packer, row->bucket) : msgpack_pack_nil(packer));
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
    msgpack_packer packer;
    msgpack_packer_init(&packer, out, peers_write);
    int failed = msgpack_pack_array(&packer, count);
    at[0] = 0;
    at[1] = 0;
    while (failed == 0 && next_row(swarm, kad, at, &row)) {
        failed = pack_row(&packer, &row);
    }
    return failed == 0 ? TRP_OK : TRP_EFULL;
}
