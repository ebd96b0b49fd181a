/* SPDX-License-Identifier: MIT */
#include "node/saved.h"

#define VERSION 1u

enum trp_status trp_saved_begin(struct trp_buffer *out)
{
    return trp_buffer_append(out, trp_bytes((const uint8_t[]){VERSION}, 1));
}

static enum trp_status saved_put_slice(struct trp_buffer *out, struct trp_bytes slice)
{
    uint8_t size = (uint8_t)slice.size;
    enum trp_status status = trp_buffer_append(out, trp_bytes(&size, 1));
    return status == TRP_OK ? trp_buffer_append(out, slice) : status;
}

enum trp_status trp_saved_put(struct trp_buffer *out, const struct trp_saved_peer *peer)
{
    enum trp_status status = saved_put_slice(out, trp_peer_id_bytes(&peer->peer));
    uint8_t count = (uint8_t)peer->addresses_count;
    if (status == TRP_OK) {
        status = trp_buffer_append(out, trp_bytes(&count, 1));
    }
    for (uint32_t i = 0; i < peer->addresses_count && status == TRP_OK; i++) {
        const struct trp_multiaddr *address = &peer->addresses[i];
        status = saved_put_slice(out, trp_bytes(address->bytes, address->size));
    }
    return status;
}

/* Takes a slice with its size in front of it. */
static enum trp_status saved_take_slice(struct trp_bytes in, size_t *at, struct trp_bytes *ret)
{
    if (*at >= in.size || in.data[*at] > in.size - *at - 1) {
        return TRP_EMALFORMED;
    }
    *ret = trp_bytes(in.data + *at + 1, in.data[*at]);
    *at += 1 + ret->size;
    return TRP_OK;
}

enum trp_status trp_saved_next(struct trp_bytes in, size_t *at, struct trp_saved_peer *ret_peer)
{
    if (*at == 0) {
        if (in.size == 0) {
            return TRP_ENOTFOUND;
        }
        if (in.data[0] != VERSION) {
            return TRP_EMALFORMED;
        }
        *at = 1;
    }
    if (*at == in.size) {
        return TRP_ENOTFOUND;
    }
    struct trp_saved_peer peer = {0};
    struct trp_bytes slice;
    enum trp_status status = saved_take_slice(in, at, &slice);
    if (status == TRP_OK) {
        status = trp_peer_id_decode(slice, &peer.peer);
    }
    if (status == TRP_OK &&
        (*at >= in.size || in.data[*at] == 0 || in.data[*at] > TRP_SAVED_ADDRESSES_MAX)) {
        status = TRP_EMALFORMED;
    }
    if (status != TRP_OK) {
        return status;
    }
    peer.addresses_count = in.data[(*at)++];
    for (uint32_t i = 0; i < peer.addresses_count; i++) {
        status = saved_take_slice(in, at, &slice);
        if (status == TRP_OK) {
            status = trp_multiaddr_decode(slice, &peer.addresses[i]);
        }
        if (status != TRP_OK) {
            return status;
        }
    }
    *ret_peer = peer;
    return TRP_OK;
}
