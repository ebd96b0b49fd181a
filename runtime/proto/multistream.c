/* SPDX-License-Identifier: MIT */
#include "proto/multistream.h"

#include "base/assert.h"

/* A token on the wire: uvarint length of what follows, the text, '\n'. */
#define TOKEN_HEADER  "/multistream/1.0.0"
#define TOKEN_REFUSED "na"
#define TOKEN_LIST    "ls"

#define PREFIX_BYTES_MAX 2u     /* 1024 fits two bytes of a uvarint */
#define REFUSALS_MAX     64u    /* proposals that a peer may try */
#define LIST_BYTES_MAX   16383u /* the longest answer to "ls": what rust-libp2p reads */
#define TX_BYTES_MAX     20480u /* a pause's worth and one answer of any kind */
#define TX_PAUSE_BYTES   1024u  /* nothing is read while more than this waits to be sent */

_Static_assert(TX_PAUSE_BYTES + PREFIX_BYTES_MAX + LIST_BYTES_MAX <= TX_BYTES_MAX,
               "every answer must fit");

static size_t prefix_encode(size_t length, uint8_t out[PREFIX_BYTES_MAX])
{
    TRP_ASSERT(length <= LIST_BYTES_MAX);
    if (length < 0x80) {
        out[0] = (uint8_t)length;
        return 1;
    }
    out[0] = (uint8_t)(0x80u | (length & 0x7f));
    out[1] = (uint8_t)(length >> 7);
    return 2;
}

/* Appends one token. */
static enum trp_status token_put(struct trp_buffer *out, struct trp_bytes text)
{
    uint8_t prefix[PREFIX_BYTES_MAX];
    size_t prefix_size = prefix_encode(text.size + 1, prefix);
    size_t size = prefix_size + text.size + 1;
    uint8_t *at;
    enum trp_status status = trp_buffer_reserve(out, size, &at);
    if (status != TRP_OK) {
        return status;
    }
    memcpy(at, prefix, prefix_size);
    if (text.size > 0) {
        memcpy(at + prefix_size, text.data, text.size);
    }
    at[size - 1] = '\n';
    trp_buffer_commit(out, size);
    return TRP_OK;
}

static enum trp_status token_put_text(struct trp_buffer *out, const char *text)
{
    return token_put(out, trp_bytes_text(text));
}

/* Splits the first token off: its text without '\n', and its size on the wire. TRP_EAGAIN when
 * `in` ends before it does. */
static enum trp_status token_split(struct trp_bytes in, struct trp_bytes *ret_text,
                                   size_t *ret_size)
{
    if (in.size == 0) {
        return TRP_EAGAIN;
    }
    size_t prefix_size = 1;
    size_t length = in.data[0];
    if (length >= 0x80) {
        if (in.size == 1) {
            return TRP_EAGAIN;
        }
        if (in.data[1] >= 0x80) {
            return TRP_ETOOBIG;
        }
        if (in.data[1] == 0) { /* a uvarint must be minimal */
            return TRP_EMALFORMED;
        }
        prefix_size = 2;
        length = (length & 0x7f) | (size_t)in.data[1] << 7;
    }
    if (length == 0) {
        return TRP_EMALFORMED;
    }
    if (length > TRP_MULTISTREAM_TOKEN_MAX) {
        return TRP_ETOOBIG;
    }
    if (in.size < prefix_size + length) {
        return TRP_EAGAIN;
    }
    if (in.data[prefix_size + length - 1] != '\n') {
        return TRP_EMALFORMED;
    }
    *ret_text = trp_bytes(in.data + prefix_size, length - 1);
    *ret_size = prefix_size + length;
    return TRP_OK;
}

static bool token_is(struct trp_bytes token, const char *text)
{
    return trp_bytes_equal(token, trp_bytes_text(text));
}

void trp_multistream_init(struct trp_multistream *ms, struct trp_memory *memory,
                          const struct trp_multistream_config *config)
{
    TRP_ASSERT(!config->lazy || (config->initiator && config->protocols_count == 1));
    *ms = (struct trp_multistream){.outcome = TRP_EAGAIN};
    ms->config = *config;
    ms->rx = trp_buffer_init(memory, PREFIX_BYTES_MAX + TRP_MULTISTREAM_TOKEN_MAX);
    ms->tx = trp_buffer_init(memory, TX_BYTES_MAX);
    if (!config->initiator) {
        return;
    }
    if (config->protocols_count == 0) {
        ms->outcome = TRP_ENEGOTIATION;
        return;
    }
    /* Header and proposal go in one packet. */
    enum trp_status status = token_put_text(&ms->tx, TOKEN_HEADER);
    if (status == TRP_OK) {
        status = token_put_text(&ms->tx, config->protocols[0]);
    }
    if (status != TRP_OK) {
        ms->outcome = status;
    } else if (config->lazy) {
        ms->outcome = TRP_OK;
        ms->echo_awaited = true;
    }
}

void trp_multistream_deinit(struct trp_multistream *ms)
{
    trp_buffer_free(&ms->rx);
    trp_buffer_free(&ms->tx);
}

static enum trp_status ms_on_answer(struct trp_multistream *ms, struct trp_bytes token)
{
    if (token_is(token, ms->config.protocols[ms->proposal])) {
        ms->agreed = ms->proposal;
        ms->outcome = TRP_OK;
        ms->echo_awaited = false;
        return TRP_OK;
    }
    if (!token_is(token, TOKEN_REFUSED)) {
        return TRP_EMALFORMED;
    }
    ms->refused++;
    if (ms->proposal + 1 >= ms->config.protocols_count) {
        return TRP_ENEGOTIATION;
    }
    ms->proposal++;
    return token_put_text(&ms->tx, ms->config.protocols[ms->proposal]);
}

/* Answers "ls": one token whose text is the tokens of all our protocols. */
static enum trp_status ms_list(struct trp_multistream *ms)
{
    struct trp_buffer list = trp_buffer_init(ms->tx.memory, LIST_BYTES_MAX - 1);
    enum trp_status status = TRP_OK;
    for (uint32_t i = 0; status == TRP_OK && i < ms->config.protocols_count; i++) {
        status = token_put_text(&list, ms->config.protocols[i]);
    }
    if (status == TRP_OK || status == TRP_EFULL) {
        status = token_put(&ms->tx, trp_buffer_view(&list));
    }
    trp_buffer_free(&list);
    return status;
}

static enum trp_status ms_on_proposal(struct trp_multistream *ms, struct trp_bytes token)
{
    for (uint32_t i = 0; i < ms->config.protocols_count; i++) {
        if (token_is(token, ms->config.protocols[i])) {
            enum trp_status status = token_put(&ms->tx, token);
            if (status == TRP_OK) {
                ms->agreed = i;
                ms->outcome = TRP_OK;
            }
            return status;
        }
    }
    if (++ms->refused > REFUSALS_MAX) {
        return TRP_ENEGOTIATION;
    }
    return token_is(token, TOKEN_LIST) ? ms_list(ms) : token_put_text(&ms->tx, TOKEN_REFUSED);
}

static enum trp_status ms_on_token(struct trp_multistream *ms, struct trp_bytes token)
{
    if (!ms->header_seen) {
        if (!token_is(token, TOKEN_HEADER)) {
            return TRP_ENEGOTIATION;
        }
        ms->header_seen = true;
        /* At once: some initiators propose only after they have seen our header. */
        return ms->config.initiator ? TRP_OK : token_put_text(&ms->tx, TOKEN_HEADER);
    }
    return ms->config.initiator ? ms_on_answer(ms, token) : ms_on_proposal(ms, token);
}

/* Takes the next token out of `in`, or, when it comes in pieces, by way of rx. */
static enum trp_status ms_take_token(struct trp_multistream *ms, struct trp_bytes in,
                                     struct trp_bytes *ret_token, size_t *ret_used)
{
    size_t size;
    enum trp_status status = TRP_EAGAIN;
    if (ms->rx.size == 0) {
        status = token_split(in, ret_token, &size);
        *ret_used = status == TRP_OK ? size : 0;
    }
    for (size_t i = 0; status == TRP_EAGAIN && i < in.size; i++) {
        status = trp_buffer_append(&ms->rx, trp_bytes(in.data + i, 1));
        if (status == TRP_OK) {
            status = token_split(trp_buffer_view(&ms->rx), ret_token, &size);
        }
        *ret_used = i + 1;
    }
    return status;
}

bool trp_multistream_is_read(const struct trp_multistream *ms)
{
    return ms->outcome != TRP_EAGAIN && !ms->echo_awaited;
}

enum trp_status trp_multistream_recv(struct trp_multistream *ms, struct trp_bytes in,
                                     size_t *ret_used)
{
    if (ms->outcome != TRP_OK && ms->outcome != TRP_EAGAIN) {
        return ms->outcome;
    }
    size_t used = 0;
    while (!trp_multistream_is_read(ms) && ms->tx.size <= TX_PAUSE_BYTES && used < in.size) {
        struct trp_bytes token;
        size_t size = 0;
        enum trp_status status = ms_take_token(ms, trp_bytes_skip(in, used), &token, &size);
        used += size;
        if (status == TRP_EAGAIN) {
            break;
        }
        if (status == TRP_OK) {
            status = ms_on_token(ms, token);
            trp_buffer_free(&ms->rx);
        }
        if (status != TRP_OK) {
            ms->outcome = status;
            ms->echo_awaited = false;
            return status;
        }
    }
    *ret_used = used;
    return TRP_OK;
}

enum trp_status trp_multistream_send(struct trp_multistream *ms, struct trp_buffer *out)
{
    struct trp_bytes pending = trp_buffer_view(&ms->tx);
    size_t room = trp_buffer_room(out);
    size_t size = pending.size < room ? pending.size : room;
    enum trp_status status = trp_buffer_append(out, trp_bytes(pending.data, size));
    if (status != TRP_OK) {
        return status;
    }
    trp_buffer_consume(&ms->tx, size);
    if (ms->tx.size > 0) {
        return TRP_EFULL;
    }
    trp_buffer_free(&ms->tx);
    return TRP_OK;
}

enum trp_status trp_multistream_outcome(const struct trp_multistream *ms, uint32_t *ret_protocol)
{
    if (ms->outcome == TRP_OK) {
        *ret_protocol = ms->agreed;
    }
    return ms->outcome;
}
