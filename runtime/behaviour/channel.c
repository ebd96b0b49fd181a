/* SPDX-License-Identifier: MIT */
/* Channels as streams: opened, written, closed. */
#include "behaviour/channel_state.h"

#include "base/assert.h"

#define QUIET_NS     TRP_S(10) /* without use a channel is closed after one to two of these */
#define INBOUND_MAX  8u        /* channels that one peer may have with us at once */
#define CHANNELS_MAX 65536u

static const char *const channel_protocols[] = {TRP_PROTOCOL_CHANNEL};

/* ---- peers ---- */

static struct trp_channel_peer *peer_find(struct trp_channels *c, const struct trp_peer_id *id)
{
    if (c->newest != NULL && trp_peer_id_equal(&c->newest->id, id)) {
        return c->newest;
    }
    uint32_t hash = trp_index_hash(id, sizeof *id);
    uint32_t at = hash;
    struct trp_channel_peer *peer;
    while ((peer = trp_index_next(&c->peers, hash, &at)) != NULL) {
        if (trp_peer_id_equal(&peer->id, id)) {
            c->newest = peer;
            break;
        }
    }
    return peer;
}

static struct trp_channel_peer *peer_obtain(struct trp_channels *c, const struct trp_peer_id *id)
{
    struct trp_channel_peer *peer = peer_find(c, id);
    if (peer != NULL) {
        return peer;
    }
    peer = trp_memory_alloc(c->memory, sizeof *peer);
    if (peer == NULL) {
        return NULL;
    }
    peer->id = *id;
    peer->hash = trp_index_hash(id, sizeof *id);
    trp_list_init(&peer->channels);
    peer->account = trp_account_open(c->config.accounts, id);
    enum trp_status status = peer->account == NULL ? TRP_ENOMEM : TRP_OK;
    if (status == TRP_OK) {
        status = trp_index_insert(&c->peers, peer->hash, peer);
    }
    if (status != TRP_OK) {
        if (peer->account != NULL) {
            trp_account_close(c->config.accounts, peer->account);
        }
        trp_memory_free(c->memory, peer);
        return NULL;
    }
    return peer;
}

static void peer_release(struct trp_channels *c, struct trp_channel_peer *peer)
{
    if (!trp_list_is_empty(&peer->channels)) {
        return;
    }
    trp_index_remove(&c->peers, peer->hash, peer);
    trp_account_close(c->config.accounts, peer->account);
    c->newest = c->newest == peer ? NULL : c->newest;
    trp_memory_free(c->memory, peer);
}

/* ---- what is held of a peer ---- */

enum trp_status trp_channel_charge(struct trp_channels *c, struct trp_channel *channel,
                                   size_t bytes)
{
    enum trp_status status = trp_account_charge(c->config.accounts, channel->peer->account, bytes);
    channel->charged += status == TRP_OK ? bytes : 0;
    return status;
}

void trp_channel_uncharge(struct trp_channels *c, struct trp_channel *channel, size_t bytes)
{
    channel->charged -= bytes;
    trp_account_uncharge(c->config.accounts, channel->peer->account, bytes);
}

static void channel_grant(struct trp_channels *c, struct trp_channel *channel)
{
    size_t owed = channel->owed;
    channel->owed = 0;
    if (owed > 0 && channel->stream != 0) {
        trp_stream_consumed(c->swarm, channel->stream, owed);
    }
}

static bool is_greedy(const struct trp_channels *c, const struct trp_channel *channel)
{
    return trp_account_is_greedy(c->config.accounts, channel->peer->account);
}

void trp_channel_settle(struct trp_channels *c, struct trp_channel *channel)
{
    if (channel->consumed > 0) {
        size_t consumed = channel->consumed;
        channel->consumed = 0;
        trp_channel_uncharge(c, channel, consumed);
    }
    /* Without the rest of a frame that it has begun, it would hold on to what it has for ever. */
    if (!is_greedy(c, channel) || channel->rx.size > 0) {
        channel_grant(c, channel);
    }
}

/* A peer of ours or of another protocol's is greedy no more: its channels go on. */
static void channels_relieved(void *user, const struct trp_peer_id *id)
{
    struct trp_channels *c = user;
    const struct trp_channel_peer *peer = c->swarm == NULL ? NULL : peer_find(c, id);
    if (peer == NULL) {
        return;
    }
    struct trp_list_link *link = trp_list_front(&peer->channels);
    for (; link != NULL; link = trp_list_next(&peer->channels, link)) {
        struct trp_channel *channel = TRP_CONTAINER(link, struct trp_channel, peer_link);
        if (!channel->blocked && !trp_list_link_is_linked(&channel->ready_link)) {
            channel_grant(c, channel);
        }
    }
}

/* ---- making and freeing ---- */

static struct trp_channel *channel_make(struct trp_channels *c, const struct trp_peer_id *id,
                                        bool inbound)
{
    const struct trp_limits *limits = trp_channels_limits(c);
    struct trp_channel_peer *peer = peer_obtain(c, id);
    trp_handle handle;
    void *object;
    if (peer == NULL) {
        return NULL;
    }
    if ((inbound && peer->inbound_count >= INBOUND_MAX) ||
        trp_slab_insert(&c->slots, &handle, &object) != TRP_OK) {
        peer_release(c, peer);
        return NULL;
    }
    struct trp_channel *channel = object;
    channel->id = handle;
    channel->inbound = inbound;
    channel->peer = peer;
    channel->frame_bytes = UINT32_MAX;
    channel->pairs = trp_channel_pairs_init(c->memory);
    /* A whole frame, and what comes behind it before the peer waits for credit. */
    size_t frame = inbound ? limits->request_bytes : limits->response_bytes;
    channel->rx = trp_buffer_init(c->memory, frame + 2 * (size_t)limits->yamux_window_bytes);
    channel->tx = trp_buffer_init(c->memory, inbound ? SIZE_MAX / 2 : limits->channel_send_bytes);
    trp_list_init(&channel->calls);
    trp_list_push_back(&peer->channels, &channel->peer_link);
    peer->inbound_count += inbound ? 1 : 0;
    return channel;
}

/* The rest of it goes when nothing that it lent is looked at any more. */
static void channel_deinit(struct trp_channels *c, struct trp_channel *channel)
{
    trp_buffer_free(&channel->rx);
    trp_buffer_free(&channel->tx);
    trp_channel_pairs_deinit(&channel->pairs);
    trp_slab_remove(&c->slots, channel->id);
}

void trp_channel_free(struct trp_channels *c, struct trp_channel *channel)
{
    if (channel->gone) {
        channel_deinit(c, channel);
        return;
    }
    struct trp_channel_peer *peer = channel->peer;
    channel->consumed = 0;
    trp_channel_uncharge(c, channel, (size_t)channel->charged);
    trp_list_link_remove(&channel->peer_link);
    trp_list_link_remove(&channel->dirty_link);
    trp_list_link_remove(&channel->ready_link);
    peer->inbound_count -= channel->inbound ? 1 : 0;
    peer->out = peer->out == channel ? NULL : peer->out;
    peer_release(c, peer);
    channel->peer = NULL;
    channel->gone = true;
    if (c->lent != channel) {
        channel_deinit(c, channel);
    }
}

static void channel_end_calls(struct trp_channels *c, struct trp_channel *channel,
                              enum trp_status status)
{
    struct trp_list_link *link;
    while ((link = trp_list_front(&channel->calls)) != NULL) {
        struct trp_channel_call *call = TRP_CONTAINER(link, struct trp_channel_call, link);
        trp_channel_call_end(
            c, call, call->inbound ? TRP_MESSAGING_INBOUND_FAILURE : TRP_MESSAGING_OUTBOUND_FAILURE,
            status);
    }
}

void trp_channel_fail(struct trp_channels *c, struct trp_channel *channel, enum trp_status status)
{
    trp_stream_id stream = channel->stream;
    channel->stream = 0;
    if (stream != 0) {
        trp_stream_reset(c->swarm, stream);
    }
    channel_end_calls(c, channel, status);
    trp_channel_free(c, channel);
}

void trp_channel_misused(struct trp_channels *c, struct trp_channel *channel, const char *how)
{
    trp_trace_stream_misused(c->trace, &(struct trp_event_stream_misused){
                                           .peer = &channel->peer->id,
                                           .protocol = trp_bytes_text(TRP_PROTOCOL_CHANNEL),
                                           .how = trp_bytes_text(how)});
    trp_swarm_forget_protocol(c->swarm, &channel->peer->id, TRP_PROTOCOL_CHANNEL);
    trp_channel_fail(c, channel, TRP_EDECODE);
}

/* ---- writing ---- */

/* It is in use: whether it still is, is looked at after a while. */
static void channel_use(struct trp_channels *c, struct trp_channel *channel)
{
    channel->used = true;
    if (c->look_at == TRP_NEVER) {
        c->look_at = trp_time_after(trp_swarm_now(c->swarm), QUIET_NS);
    }
}

static void channel_touch(struct trp_channels *c, struct trp_channel *channel)
{
    channel_use(c, channel);
    if (!trp_list_link_is_linked(&channel->dirty_link)) {
        channel->cause = c->trace->cause;
        trp_list_push_back(&c->dirty, &channel->dirty_link);
    }
}

enum trp_status trp_channel_put(struct trp_channels *c, struct trp_channel *channel,
                                const struct trp_channel_frame *frame)
{
    uint8_t *at;
    enum trp_status status = trp_buffer_reserve(&channel->tx, trp_channel_frame_room(frame), &at);
    if (status != TRP_OK) {
        if (status == TRP_EFULL) {
            trp_limit_say(&c->limit_mark, c->trace, "channel_send_bytes", channel->tx.limit_bytes);
        }
        return status;
    }
    size_t size = trp_channel_frame_encode(frame, at);
    if (channel->inbound) { /* a peer that asks and does not read the answers pays for it */
        status = trp_channel_charge(c, channel, size);
    }
    if (status == TRP_OK) {
        trp_buffer_commit(&channel->tx, size);
        channel_touch(c, channel);
    }
    return status;
}

/* Until the peer has greeted us, it may still refuse the protocol, and all that was written. */
static void channel_drop_written(struct trp_channels *c, struct trp_channel *channel)
{
    size_t written = channel->written;
    if (!channel->inbound && !channel->greeted) {
        return;
    }
    channel->written = 0;
    if (channel->inbound) {
        trp_channel_uncharge(c, channel, written);
    }
    if (written == channel->tx.size && channel->tx.capacity <= TRP_CHANNEL_KEEP_BYTES) {
        trp_buffer_clear(&channel->tx);
    } else {
        trp_buffer_consume(&channel->tx, written);
    }
}

/* Writes what fits. */
static void channel_write(struct trp_channels *c, struct trp_channel *channel)
{
    enum trp_status status = TRP_OK;
    size_t used = 1;
    if (!channel->opened || channel->stream == 0) {
        return;
    }
    while (status == TRP_OK && used > 0 && channel->written < channel->tx.size) {
        struct trp_bytes rest = trp_bytes_skip(trp_buffer_view(&channel->tx), channel->written);
        used = 0;
        status = trp_stream_write(c->swarm, channel->stream, rest, &used);
        channel->written += status == TRP_OK ? used : 0;
    }
    if (status == TRP_ENOTFOUND) {
        return; /* it has ended: stream_closed says why */
    }
    if (status != TRP_OK && status != TRP_EAGAIN) {
        trp_channel_fail(c, channel, status);
        return;
    }
    channel_drop_written(c, channel);
    trp_channel_check_end(c, channel);
}

static void channels_flush(struct trp_channels *c)
{
    struct trp_list_link *link;
    uint64_t cause = c->trace->cause;
    while ((link = trp_list_pop_front(&c->dirty)) != NULL) {
        struct trp_channel *channel = TRP_CONTAINER(link, struct trp_channel, dirty_link);
        c->trace->cause = channel->cause;
        channel_write(c, channel);
    }
    c->trace->cause = cause;
}

/* ---- opening ---- */

static enum trp_status channel_greet(struct trp_channels *c, struct trp_channel *channel)
{
    const struct trp_limits *limits = trp_channels_limits(c);
    return trp_channel_put(c, channel,
                           &(struct trp_channel_frame){.kind = TRP_CHANNEL_HELLO,
                                                       .number = channel->inbound
                                                                     ? limits->request_bytes
                                                                     : limits->response_bytes});
}

static struct trp_channel *channel_open(struct trp_channels *c, const struct trp_peer_id *peer)
{
    struct trp_channel *channel = channel_make(c, peer, false);
    if (channel == NULL) {
        return NULL;
    }
    const struct trp_stream_request open = {.behaviour = c->index,
                                            .peer = *peer,
                                            .dial = true,
                                            .protocols = channel_protocols,
                                            .protocols_count = 1,
                                            .token = channel->id};
    enum trp_status status = channel_greet(c, channel);
    if (status == TRP_OK) {
        status = trp_swarm_open_stream(c->swarm, &open, &channel->stream);
    }
    if (status != TRP_OK) {
        channel->stream = 0;
        trp_channel_free(c, channel);
        return NULL;
    }
    channel->peer->out = channel;
    return channel;
}

struct trp_channel *trp_channel_reach(struct trp_channels *c, const struct trp_peer_id *id)
{
    if (c->swarm == NULL || id->size == 0) {
        return NULL;
    }
    const struct trp_channel_peer *peer = peer_find(c, id);
    if (peer != NULL && peer->out != NULL) {
        return peer->out;
    }
    return trp_swarm_speaks(c->swarm, id, TRP_PROTOCOL_CHANNEL) ? channel_open(c, id) : NULL;
}

/* ---- closing ---- */

void trp_channel_check_end(struct trp_channels *c, struct trp_channel *channel)
{
    bool unread = channel->rx.size > 0 || trp_list_link_is_linked(&channel->ready_link);
    bool written = channel->written == channel->tx.size || channel->tx.size == 0;
    if (channel->inbound && channel->eof && !channel->shut && !unread && written &&
        trp_list_is_empty(&channel->calls) && channel->stream != 0) {
        channel->shut = true;
        trp_stream_shutdown(c->swarm, channel->stream);
    }
}

/* Closes what has not been used for a while; gives back the blocks of what stays. */
static void channel_look(struct trp_channels *c, struct trp_channel *channel)
{
    bool quiet = !channel->used && trp_list_is_empty(&channel->calls) && channel->opened &&
                 channel->tx.size == channel->written;
    if (!quiet) {
        channel_use(c, channel);
        channel->used = false;
        return;
    }
    if (channel->rx.size == 0 && c->lent != channel) {
        trp_buffer_free(&channel->rx);
    }
    if (channel->tx.size == 0) {
        trp_buffer_free(&channel->tx);
    }
    if (channel->inbound || channel->shut) {
        return;
    }
    if (!channel->greeted) {
        trp_channel_fail(c, channel, TRP_ETIMEDOUT);
        return;
    }
    channel->shut = true;
    channel->peer->out = NULL;
    trp_stream_shutdown(c->swarm, channel->stream);
}

static void channels_look(struct trp_channels *c)
{
    uint32_t at = 0;
    trp_handle id;
    struct trp_channel *channel;
    c->look_at = TRP_NEVER;
    while ((channel = trp_slab_next(&c->slots, &at, &id)) != NULL) {
        if (!channel->gone && channel->stream != 0) {
            channel_look(c, channel);
        }
    }
}

/* ---- hooks ---- */

static void channels_attach(void *self, struct trp_swarm *swarm, uint32_t index)
{
    struct trp_channels *c = self;
    c->swarm = swarm;
    c->index = index;
    const struct trp_limits *limits = trp_channels_limits(c);
    uint64_t most = (uint64_t)limits->connections * (1 + INBOUND_MAX);
    c->slots = trp_slab_init(c->memory, sizeof(struct trp_channel),
                             most < CHANNELS_MAX ? (uint32_t)most : CHANNELS_MAX);
    c->calls = trp_slab_init(c->memory, sizeof(struct trp_channel_call), 2 * limits->requests);
    if (c->trace == NULL) {
        c->trace = trp_swarm_trace(swarm);
    }
}

static uint32_t channels_protocols(const void *self, const char **ret_protocols, uint32_t max)
{
    (void)self;
    if (max > 0) {
        ret_protocols[0] = TRP_PROTOCOL_CHANNEL;
    }
    return 1;
}

static struct trp_channel *channel_find(const struct trp_channels *c,
                                        const struct trp_stream_info *stream)
{
    struct trp_channel *channel = trp_slab_find(&c->slots, stream->token);
    return channel == NULL || channel->stream != stream->id ? NULL : channel;
}

static void channel_accept(struct trp_channels *c, const struct trp_stream_info *stream)
{
    struct trp_channel *channel = channel_make(c, stream->peer, true);
    if (channel == NULL) {
        trp_limit_say(&c->limit_mark, c->trace, "channels", INBOUND_MAX);
        trp_stream_reset(c->swarm, stream->id);
        return;
    }
    channel->stream = stream->id;
    channel->opened = true;
    trp_stream_set_token(c->swarm, stream->id, channel->id);
    enum trp_status status = channel_greet(c, channel);
    if (status != TRP_OK) {
        trp_channel_fail(c, channel, status);
    }
}

static void channels_stream_opened(void *self, const struct trp_stream_info *stream)
{
    struct trp_channels *c = self;
    if (stream->inbound) {
        channel_accept(c, stream);
        return;
    }
    struct trp_channel *channel = channel_find(c, stream);
    if (channel != NULL) {
        channel->opened = true;
        channel_touch(c, channel);
    }
}

static void channels_stream_data(void *self, const struct trp_stream_info *stream,
                                 struct trp_bytes in)
{
    struct trp_channels *c = self;
    struct trp_channel *channel = channel_find(c, stream);
    if (channel == NULL) {
        trp_stream_consumed(c->swarm, stream->id, in.size);
        return;
    }
    channel_use(c, channel);
    enum trp_status status = trp_channel_charge(c, channel, in.size);
    if (status == TRP_OK) {
        status = trp_buffer_append(&channel->rx, in);
    }
    if (status != TRP_OK) {
        trp_channel_fail(c, channel, status);
        return;
    }
    channel->owed += in.size;
    if (channel->blocked) {
        trp_channel_look_ahead(c, channel);
    } else if (!trp_list_link_is_linked(&channel->ready_link)) {
        trp_list_push_back(&c->readable, &channel->ready_link);
    }
}

static void channels_stream_writable(void *self, const struct trp_stream_info *stream)
{
    struct trp_channels *c = self;
    struct trp_channel *channel = channel_find(c, stream);
    if (channel != NULL) {
        channel_write(c, channel);
    }
}

static void channels_stream_eof(void *self, const struct trp_stream_info *stream)
{
    struct trp_channels *c = self;
    struct trp_channel *channel = channel_find(c, stream);
    if (channel == NULL) {
        return;
    }
    channel->eof = true;
    if (channel->inbound) {
        trp_channel_check_end(c, channel);
    } else if (!channel->shut) {
        trp_channel_misused(c, channel, "answers ended before the questions");
    }
}

/* The peer does not take the protocol: what was to be said to it is said in another way. */
static void channel_refuse(struct trp_channels *c, struct trp_channel *channel)
{
    channel->peer->out = channel->peer->out == channel ? NULL : channel->peer->out;
    trp_list_link_remove(&channel->dirty_link);
    trp_list_link_remove(&channel->ready_link);
    trp_channel_pairs_deinit(&channel->pairs);
    channel->written = 0;
    trp_list_push_back(&c->refused, &channel->ready_link);
    trp_trace_channel_refused(c->trace, &(struct trp_event_channel_refused){
                                            .peer = &channel->peer->id, .bytes = channel->tx.size});
}

static void channels_stream_closed(void *self, const struct trp_stream_info *stream,
                                   enum trp_status reason)
{
    struct trp_channels *c = self;
    struct trp_channel *channel = channel_find(c, stream);
    if (channel == NULL) {
        return;
    }
    channel->stream = 0;
    if (reason == TRP_ENEGOTIATION && !channel->inbound && !channel->greeted) {
        channel_refuse(c, channel);
        return;
    }
    if (reason == TRP_ERESET && !channel->inbound) {
        trp_swarm_forget_protocol(c->swarm, stream->peer, TRP_PROTOCOL_CHANNEL);
    }
    trp_channel_fail(c, channel, reason == TRP_OK ? TRP_ERESET : reason);
}

static bool channels_are_ready(const struct trp_channels *c)
{
    return c->config.ready != NULL &&
           !(trp_list_is_empty(&c->readable) && trp_list_is_empty(&c->outcomes) &&
             trp_list_is_empty(&c->refused));
}

static trp_time channels_deadline(const void *self)
{
    const struct trp_channels *c = self;
    if (!trp_list_is_empty(&c->dirty) || channels_are_ready(c)) {
        return trp_swarm_now(c->swarm);
    }
    return trp_time_min(trp_heap_deadline(&c->timeouts), c->look_at);
}

static void channels_expire(void *self, trp_time now)
{
    struct trp_channels *c = self;
    while (trp_heap_deadline(&c->timeouts) <= now) {
        struct trp_heap_entry *entry = trp_heap_front(&c->timeouts);
        trp_channel_call_expire(c, TRP_CONTAINER(entry, struct trp_channel_call, timeout));
    }
    if (c->look_at <= now) {
        channels_look(c);
    }
    if (channels_are_ready(c)) {
        c->config.ready(c->config.user);
    }
    channels_flush(c);
}

static const struct trp_behaviour_ops channels_ops = {.name = "channels",
                                                      .attach = channels_attach,
                                                      .protocols = channels_protocols,
                                                      .stream_opened = channels_stream_opened,
                                                      .stream_data = channels_stream_data,
                                                      .stream_writable = channels_stream_writable,
                                                      .stream_eof = channels_stream_eof,
                                                      .stream_closed = channels_stream_closed,
                                                      .deadline = channels_deadline,
                                                      .expire = channels_expire};

struct trp_behaviour trp_channels_behaviour(struct trp_channels *channels)
{
    return (struct trp_behaviour){.ops = &channels_ops, .self = channels};
}

/* ---- life ---- */

enum trp_status trp_channels_open(const struct trp_channels_config *config,
                                  struct trp_channels **ret_channels)
{
    struct trp_channels *c = trp_memory_alloc(config->memory, sizeof *c);
    if (c == NULL) {
        return TRP_ENOMEM;
    }
    c->config = *config;
    c->memory = config->memory;
    c->trace = config->trace;
    c->peers = trp_index_init(config->memory);
    c->timeouts = trp_heap_init(config->memory);
    c->look_at = TRP_NEVER;
    trp_list_init(&c->dirty);
    trp_list_init(&c->readable);
    trp_list_init(&c->refused);
    trp_list_init(&c->outcomes);
    c->watch = (struct trp_account_watch){.relieved = channels_relieved, .user = c};
    trp_accounts_watch(config->accounts, &c->watch);
    *ret_channels = c;
    return TRP_OK;
}

void trp_channels_close(struct trp_channels *c)
{
    if (c == NULL) {
        return;
    }
    uint32_t at = 0;
    trp_handle id;
    struct trp_channel *channel;
    c->lent = NULL;
    while (c->swarm != NULL && (channel = trp_slab_next(&c->slots, &at, &id)) != NULL) {
        channel->stream = 0; /* the swarm is gone */
    }
    at = 0;
    while (c->swarm != NULL && (channel = trp_slab_next(&c->slots, &at, &id)) != NULL) {
        trp_channel_free(c, channel);
    }
    trp_list_link_remove(&c->watch.link);
    trp_heap_free(&c->timeouts);
    if (c->swarm != NULL) {
        trp_slab_free(&c->calls);
        trp_slab_free(&c->slots);
    }
    trp_index_deinit(&c->peers);
    trp_memory_free(c->memory, c);
}
