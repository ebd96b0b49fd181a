/* SPDX-License-Identifier: MIT */
#include "proto/plaintext.h"

#include "wire/plaintext_exchange.h"
#include "wire/uvarint.h"

#define PREFIX_BYTES_MAX 2u /* uvarint of at most 16383 */
#define BYTES_MAX        (PREFIX_BYTES_MAX + TRP_PLAINTEXT_EXCHANGE_BYTES_MAX)

enum trp_status trp_plaintext_init(struct trp_plaintext *plaintext, struct trp_memory *memory,
                                   const struct trp_keypair *identity,
                                   const struct trp_peer_id *expected)
{
    *plaintext = (struct trp_plaintext){
        .rx = trp_buffer_init(memory, BYTES_MAX),
        .tx = trp_buffer_init(memory, BYTES_MAX),
        .expected = *expected,
        .outcome = TRP_EAGAIN,
    };
    uint8_t message[TRP_PLAINTEXT_EXCHANGE_BYTES_MAX];
    uint8_t prefix[TRP_VARINT_BYTES_MAX];
    size_t size;
    enum trp_status status =
        trp_plaintext_exchange_encode(&identity->public_key, message, sizeof message, &size);
    if (status == TRP_OK) {
        size_t prefix_size = trp_varint_encode(size, prefix);
        status = trp_buffer_append(&plaintext->tx, trp_bytes(prefix, prefix_size));
    }
    return status == TRP_OK ? trp_buffer_append(&plaintext->tx, trp_bytes(message, size)) : status;
}

void trp_plaintext_deinit(struct trp_plaintext *plaintext)
{
    trp_buffer_free(&plaintext->rx);
    trp_buffer_free(&plaintext->tx);
}

/* Gives the size of the whole exchange that `in` begins, prefix included. */
static enum trp_status exchange_size(struct trp_bytes in, size_t *ret_prefix, size_t *ret_size)
{
    uint64_t length;
    size_t prefix;
    enum trp_status status = trp_uvarint_decode(in, &length, &prefix);
    if (status == TRP_EAGAIN && in.size >= PREFIX_BYTES_MAX) {
        return TRP_ETOOBIG;
    }
    if (status != TRP_OK) {
        return status;
    }
    if (length > TRP_PLAINTEXT_EXCHANGE_BYTES_MAX) {
        return TRP_ETOOBIG;
    }
    *ret_prefix = prefix;
    *ret_size = prefix + (size_t)length;
    return TRP_OK;
}

static enum trp_status plaintext_on_exchange(struct trp_plaintext *p, struct trp_bytes message)
{
    enum trp_status status = trp_plaintext_exchange_decode(message, &p->peer, &p->key);
    if (status == TRP_OK && p->expected.size > 0 && !trp_peer_id_equal(&p->expected, &p->peer)) {
        status = TRP_EAUTH;
    }
    return status;
}

/* Takes bytes up to the next thing to be known: the prefix byte by byte, then the rest at once. */
static enum trp_status plaintext_gather(struct trp_plaintext *p, struct trp_bytes in,
                                        size_t *ret_used)
{
    size_t prefix = 0;
    size_t whole = 0;
    enum trp_status status = exchange_size(trp_buffer_view(&p->rx), &prefix, &whole);
    size_t missing = status == TRP_OK ? whole - p->rx.size : 1;
    size_t size = in.size < missing ? in.size : missing;
    status = trp_buffer_append(&p->rx, trp_bytes(in.data, size));
    if (status != TRP_OK) {
        return status;
    }
    *ret_used = size;
    status = exchange_size(trp_buffer_view(&p->rx), &prefix, &whole);
    if (status == TRP_OK && p->rx.size < whole) {
        status = TRP_EAGAIN;
    }
    if (status == TRP_OK) {
        status = plaintext_on_exchange(p, trp_bytes_skip(trp_buffer_view(&p->rx), prefix));
    }
    return status;
}

enum trp_status trp_plaintext_recv(struct trp_plaintext *plaintext, struct trp_bytes in,
                                   size_t *ret_used)
{
    if (plaintext->outcome != TRP_OK && plaintext->outcome != TRP_EAGAIN) {
        return plaintext->outcome;
    }
    size_t used = 0;
    while (plaintext->outcome == TRP_EAGAIN && used < in.size) {
        size_t size = 0;
        plaintext->outcome = plaintext_gather(plaintext, trp_bytes_skip(in, used), &size);
        used += size;
    }
    if (plaintext->outcome == TRP_EAGAIN) {
        *ret_used = used;
        return TRP_OK;
    }
    trp_buffer_free(&plaintext->rx);
    if (plaintext->outcome == TRP_OK) {
        *ret_used = used;
    }
    return plaintext->outcome;
}

enum trp_status trp_plaintext_send(struct trp_plaintext *plaintext, struct trp_buffer *out)
{
    struct trp_bytes pending = trp_buffer_view(&plaintext->tx);
    size_t room = trp_buffer_room(out);
    size_t size = pending.size < room ? pending.size : room;
    enum trp_status status = trp_buffer_append(out, trp_bytes(pending.data, size));
    if (status != TRP_OK) {
        return status;
    }
    trp_buffer_consume(&plaintext->tx, size);
    if (plaintext->tx.size > 0) {
        return TRP_EFULL;
    }
    trp_buffer_free(&plaintext->tx);
    return TRP_OK;
}

bool trp_plaintext_is_open(const struct trp_plaintext *plaintext)
{
    return plaintext->outcome == TRP_OK;
}
