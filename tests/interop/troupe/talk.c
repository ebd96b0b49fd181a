/* SPDX-License-Identifier: MIT */
/* The stream protocols of the interoperability tests, spoken by a user's behaviour. */
#include "interop/troupe/peer.h"

#include "base/assert.h"
#include "base/buffer.h"
#include "base/endian.h"
#include "base/slab.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>

#define TALKS_MAX     8192u
#define CHUNK_BYTES   16384u
#define DIGEST_BYTES  32u
#define PING_BYTES    32u
#define RESET_BYTES   10u /* echoed before a stream is reset */
#define OUT_BYTES_MAX (1u << 20)
#define SPOKEN_BYTES  1024u /* more than the negotiation of a stream takes of its window */
#define OFFERS_MAX    16u
#define ENOUGH        "enough"

enum talk_kind { TALK_ECHO, TALK_BULK, TALK_HOLD, TALK_EARLY, TALK_PING, TALK_KINDS };

static const char *const kind_protocols[TALK_KINDS] = {PROTOCOL_ECHO, PROTOCOL_BULK, PROTOCOL_HOLD,
                                                       PROTOCOL_EARLY, PROTOCOL_PING};

/* A command that ends when its last stream does. */
struct job {
    trp_handle id;
    char name[JOB_ID_BYTES];
    uint32_t left;
    uint32_t good;
    uint64_t sent_bytes;
    uint64_t got_bytes;
    trp_time began_at;
    trp_time round_trip_ns;
    enum trp_status status; /* of the last stream that failed */
};

/* One stream. What it has to say is `out`, then `pattern_left` bytes of the pattern, then their
 * digest, then the end. */
struct talk {
    trp_handle id;
    trp_stream_id stream;
    enum talk_kind kind;
    char protocol[TRP_PROTOCOL_BYTES_MAX];
    const char *proposed; /* that text */
    bool inbound;
    bool opened;
    bool ends;       /* nothing follows */
    bool digest_due; /* of the pattern */
    bool shut;       /* the end is said */
    bool eof_seen;
    bool bad;       /* what came is not what was to come */
    bool reset_due; /* ... once all that was sent is echoed */
    trp_handle job;
    uint32_t salt;
    uint32_t pings_left;
    uint64_t pattern_at;
    uint64_t pattern_left;
    uint64_t want_bytes; /* of the other side's pattern */
    uint64_t got_bytes;
    uint64_t held_bytes;
    trp_time asked_at;
    struct trp_buffer out;
    struct trp_buffer head; /* what came before the pattern: a count, a digest */
    crypto_hash_sha256_state sent_hash;
    crypto_hash_sha256_state got_hash;
};

struct talker {
    struct trp_memory memory;
    struct trp_swarm *swarm;
    uint32_t index;
    struct trp_slab talks;
    struct trp_slab jobs;
    uint32_t salts;
    bool released; /* what is held is let go */
    uint32_t offers_count;
    char offers[OFFERS_MAX][TRP_PROTOCOL_BYTES_MAX];
};

/* ---- the pattern: 32-bit words, little-endian, a function of place and salt ---- */

static void pattern_fill(uint8_t *out, uint64_t at, size_t size, uint32_t salt)
{
    for (size_t i = 0; i < size; i++) {
        uint32_t word = ((uint32_t)((at + i) / 4) + salt * 1000003u + 1u) * 0x9e3779b1u;
        out[i] = (uint8_t)(word >> (8 * ((at + i) % 4)));
    }
}

static bool pattern_is(struct trp_bytes in, uint64_t at, uint32_t salt)
{
    uint8_t expected[CHUNK_BYTES];
    while (in.size > 0) {
        size_t size = in.size < CHUNK_BYTES ? in.size : CHUNK_BYTES;
        pattern_fill(expected, at, size, salt);
        if (memcmp(expected, in.data, size) != 0) {
            return false;
        }
        at += size;
        in = trp_bytes_skip(in, size);
    }
    return true;
}

/* ---- jobs ---- */

static struct job *job_make(struct talker *talker, const char *name, uint32_t streams)
{
    trp_handle id;
    void *object;
    if (trp_slab_insert(&talker->jobs, &id, &object) != TRP_OK) {
        return NULL;
    }
    struct job *job = object;
    job->id = id;
    job->left = streams;
    job->began_at = trp_swarm_now(talker->swarm);
    (void)snprintf(job->name, sizeof job->name, "%s", name);
    return job;
}

static void job_count(struct talker *talker, trp_handle id, bool good, enum trp_status status)
{
    struct job *job = trp_slab_find(&talker->jobs, id);
    if (job == NULL) {
        return;
    }
    job->good += good;
    if (!good) {
        job->status = status == TRP_OK ? TRP_EMALFORMED : status;
    }
    if (--job->left > 0) {
        return;
    }
    if (job->status == TRP_OK) {
        say("done id=%s good=%u sent=%llu got=%llu us=%llu rtt_us=%llu\n", job->name, job->good,
            (unsigned long long)job->sent_bytes, (unsigned long long)job->got_bytes,
            (unsigned long long)(trp_swarm_now(talker->swarm) - job->began_at) / 1000,
            (unsigned long long)job->round_trip_ns / 1000);
    } else {
        say("failed id=%s why=%s good=%u\n", job->name, trp_status_name(job->status), job->good);
    }
    trp_slab_remove(&talker->jobs, id);
}

/* ---- writing ---- */

static void talk_append(struct talk *talk, struct trp_bytes bytes)
{
    if (trp_buffer_append(&talk->out, bytes) != TRP_OK) {
        talk->bad = true;
    }
}

/* Moves the next part of what is to be said into `out`; false when all of it was. */
static bool talk_refill(struct talk *talk)
{
    uint8_t chunk[CHUNK_BYTES];
    if (talk->pattern_left > 0) {
        size_t size = talk->pattern_left < CHUNK_BYTES ? (size_t)talk->pattern_left : CHUNK_BYTES;
        pattern_fill(chunk, talk->pattern_at, size, talk->salt);
        (void)crypto_hash_sha256_update(&talk->sent_hash, chunk, size);
        talk->pattern_at += size;
        talk->pattern_left -= size;
        talk_append(talk, trp_bytes(chunk, size));
        return true;
    }
    if (talk->digest_due) {
        talk->digest_due = false;
        (void)crypto_hash_sha256_final(&talk->sent_hash, chunk);
        talk_append(talk, trp_bytes(chunk, DIGEST_BYTES));
        return true;
    }
    return false;
}

static void talk_write(struct talker *talker, struct talk *talk)
{
    while (talk->opened && !talk->shut && (talk->out.size > 0 || talk_refill(talk))) {
        size_t used = 0;
        enum trp_status status =
            trp_stream_write(talker->swarm, talk->stream, trp_buffer_view(&talk->out), &used);
        if (status != TRP_OK) {
            return;
        }
        trp_buffer_consume(&talk->out, used);
        struct job *job = trp_slab_find(&talker->jobs, talk->job);
        if (job != NULL) {
            job->sent_bytes += used;
        }
        if (talk->inbound && talk->kind == TALK_ECHO) {
            trp_stream_consumed(talker->swarm, talk->stream, used);
        }
    }
    if (talk->opened && talk->ends && !talk->shut && talk->out.size == 0) {
        talk->shut = true;
        trp_stream_shutdown(talker->swarm, talk->stream);
    }
}

/* ---- reading ---- */

/* Takes bytes that go before the pattern; gives the rest. */
static struct trp_bytes talk_take_head(struct talk *talk, struct trp_bytes in, size_t size)
{
    size_t missing = size > talk->head.size ? size - talk->head.size : 0;
    size_t take = in.size < missing ? in.size : missing;
    if (trp_buffer_append(&talk->head, trp_bytes(in.data, take)) != TRP_OK) {
        talk->bad = true;
    }
    return trp_bytes_skip(in, take);
}

static void bulk_data(struct talk *talk, struct trp_bytes in)
{
    in = talk_take_head(talk, in, talk->inbound ? 8 : DIGEST_BYTES);
    uint64_t missing = talk->want_bytes - talk->got_bytes;
    size_t take = talk->inbound || in.size < missing ? in.size : (size_t)missing;
    (void)crypto_hash_sha256_update(&talk->got_hash, in.data, take);
    talk->got_bytes += take;
    in = trp_bytes_skip(in, take);
    in = talk_take_head(talk, in, in.size > 0 ? 2 * (size_t)DIGEST_BYTES : 0);
    talk->bad = talk->bad || in.size > 0;
}

static void echo_data(struct talk *talk, struct trp_bytes in)
{
    if (talk->inbound) {
        talk_append(talk, in);
    } else if (!pattern_is(in, talk->got_bytes, talk->salt)) {
        talk->bad = true;
    }
    talk->got_bytes += in.size;
}

static void hold_data(struct talker *talker, struct talk *talk, struct trp_bytes in)
{
    talk->got_bytes += in.size;
    if (talker->released) {
        trp_stream_consumed(talker->swarm, talk->stream, in.size);
        return;
    }
    uint64_t full = trp_swarm_limits(talker->swarm)->yamux_window_bytes - SPOKEN_BYTES;
    bool was_full = talk->held_bytes >= full;
    talk->held_bytes += in.size;
    if (talk->held_bytes >= full && !was_full) {
        say("held bytes=%llu\n", (unsigned long long)talk->held_bytes);
    }
}

static void ping_ask(struct talker *talker, struct talk *talk)
{
    talk->pings_left--;
    talk->asked_at = trp_swarm_now(talker->swarm);
    talk->pattern_at = 0;
    talk->pattern_left = PING_BYTES;
    talk->got_bytes = 0;
    talk->salt++;
    talk->ends = false;
}

static void ping_data(struct talker *talker, struct talk *talk, struct trp_bytes in)
{
    talk->bad = talk->bad || talk->got_bytes + in.size > PING_BYTES ||
                !pattern_is(in, talk->got_bytes, talk->salt);
    talk->got_bytes += in.size;
    if (talk->got_bytes != PING_BYTES) {
        return;
    }
    struct job *job = trp_slab_find(&talker->jobs, talk->job);
    if (job != NULL) {
        job->round_trip_ns = trp_swarm_now(talker->swarm) - talk->asked_at;
    }
    if (talk->pings_left > 0 && !talk->bad) {
        ping_ask(talker, talk);
    } else {
        talk->ends = true;
    }
}

static void talker_stream_data(void *self, const struct trp_stream_info *stream,
                               struct trp_bytes in)
{
    struct talker *talker = self;
    struct talk *talk = trp_slab_find(&talker->talks, stream->token);
    TRP_ASSERT(talk != NULL);
    struct job *job = trp_slab_find(&talker->jobs, talk->job);
    if (job != NULL) {
        job->got_bytes += in.size;
    }
    switch (talk->kind) {
    case TALK_ECHO:
        echo_data(talk, in);
        break;
    case TALK_BULK:
        bulk_data(talk, in);
        break;
    case TALK_HOLD:
        hold_data(talker, talk, in);
        break;
    case TALK_PING:
        ping_data(talker, talk, in);
        break;
    case TALK_EARLY:
    case TALK_KINDS:
        talk->got_bytes += in.size;
        break;
    }
    bool credit_later = talk->inbound && (talk->kind == TALK_ECHO || talk->kind == TALK_HOLD);
    if (!credit_later) {
        trp_stream_consumed(talker->swarm, stream->id, in.size);
    }
    bool reset_now = talk->reset_due && talk->got_bytes == talk->want_bytes;
    if (talk->bad || reset_now) {
        trp_stream_reset(talker->swarm, stream->id);
    } else {
        talk_write(talker, talk);
    }
}

/* The other side has said all: what there is to answer. */
static void bulk_eof(struct talk *talk)
{
    uint8_t digest[DIGEST_BYTES];
    if (talk->inbound) {
        if (talk->head.size != 8) {
            talk->bad = true;
            return;
        }
        (void)crypto_hash_sha256_final(&talk->got_hash, digest);
        talk_append(talk, trp_bytes(digest, DIGEST_BYTES));
        talk->pattern_left = trp_load_be64(trp_buffer_view(&talk->head).data);
        talk->digest_due = true;
        talk->ends = true;
        return;
    }
    const uint8_t *said = trp_buffer_view(&talk->head).data;
    if (talk->head.size != 2 * (size_t)DIGEST_BYTES || talk->got_bytes != talk->want_bytes) {
        talk->bad = true;
        return;
    }
    (void)crypto_hash_sha256_final(&talk->sent_hash, digest);
    talk->bad = memcmp(digest, said, DIGEST_BYTES) != 0;
    (void)crypto_hash_sha256_final(&talk->got_hash, digest);
    talk->bad = talk->bad || memcmp(digest, said + DIGEST_BYTES, DIGEST_BYTES) != 0;
}

/* What was held is counted once it may go. */
static void hold_count(const struct talker *talker, struct talk *talk)
{
    char text[24];
    if (talk->inbound && talk->eof_seen && talker->released) {
        int size = snprintf(text, sizeof text, "%llu", (unsigned long long)talk->got_bytes);
        talk_append(talk, trp_bytes(text, (size_t)size));
        talk->ends = true;
    }
}

static void talker_stream_eof(void *self, const struct trp_stream_info *stream)
{
    struct talker *talker = self;
    struct talk *talk = trp_slab_find(&talker->talks, stream->token);
    TRP_ASSERT(talk != NULL);
    talk->eof_seen = true;
    switch (talk->kind) {
    case TALK_ECHO:
        talk->ends = true;
        talk->bad = talk->bad || (!talk->inbound && talk->got_bytes != talk->want_bytes);
        break;
    case TALK_BULK:
        bulk_eof(talk);
        break;
    case TALK_HOLD:
        hold_count(talker, talk);
        break;
    case TALK_EARLY:
        if (talk->inbound) {
            say("early bytes=%llu\n", (unsigned long long)talk->got_bytes);
        } else {
            talk->bad = talk->got_bytes != strlen(ENOUGH);
            talk->pattern_left = talk->want_bytes;
            talk->ends = true;
        }
        break;
    case TALK_PING:
    case TALK_KINDS:
        talk->ends = true;
        break;
    }
    talk_write(talker, talk);
}

static void talker_stream_writable(void *self, const struct trp_stream_info *stream)
{
    struct talker *talker = self;
    struct talk *talk = trp_slab_find(&talker->talks, stream->token);
    TRP_ASSERT(talk != NULL);
    talk_write(talker, talk);
}

/* ---- beginning and ending ---- */

static struct talk *talk_make(struct talker *talker, enum talk_kind kind)
{
    trp_handle id;
    void *object;
    if (trp_slab_insert(&talker->talks, &id, &object) != TRP_OK) {
        return NULL;
    }
    struct talk *talk = object;
    talk->id = id;
    talk->kind = kind;
    talk->out = trp_buffer_init(&talker->memory, OUT_BYTES_MAX);
    talk->head = trp_buffer_init(&talker->memory, 2 * DIGEST_BYTES);
    (void)crypto_hash_sha256_init(&talk->sent_hash);
    (void)crypto_hash_sha256_init(&talk->got_hash);
    return talk;
}

static void talk_free(struct talker *talker, struct talk *talk)
{
    trp_buffer_free(&talk->out);
    trp_buffer_free(&talk->head);
    trp_slab_remove(&talker->talks, talk->id);
}

static void talker_stream_opened(void *self, const struct trp_stream_info *stream)
{
    struct talker *talker = self;
    struct talk *talk;
    if (stream->inbound) {
        uint32_t kind = TALK_ECHO; /* whatever else was offered */
        for (uint32_t i = 0; i < TALK_KINDS; i++) {
            kind = strcmp(stream->protocol, kind_protocols[i]) == 0 ? i : kind;
        }
        talk = talk_make(talker, (enum talk_kind)kind);
        if (talk == NULL) {
            trp_stream_reset(talker->swarm, stream->id);
            return;
        }
        talk->inbound = true;
        talk->stream = stream->id;
        trp_stream_set_token(talker->swarm, stream->id, talk->id);
        if (kind == TALK_EARLY) {
            talk_append(talk, trp_bytes_text(ENOUGH));
            talk->ends = true;
        }
    } else {
        talk = trp_slab_find(&talker->talks, stream->token);
        TRP_ASSERT(talk != NULL);
    }
    talk->opened = true;
    talk_write(talker, talk);
}

static void talker_stream_closed(void *self, const struct trp_stream_info *stream,
                                 enum trp_status reason)
{
    struct talker *talker = self;
    struct talk *talk = trp_slab_find(&talker->talks, stream->token);
    if (talk == NULL) { /* it was reset as it came */
        return;
    }
    if (talk->inbound && reason != TRP_OK) {
        say("stream-ended protocol=%s why=%s\n", stream->protocol, trp_status_name(reason));
    }
    /* Peers end a stream of pings as they like. */
    bool as_asked =
        (talk->reset_due && reason == TRP_ECANCELLED) || (talk->kind == TALK_PING && talk->ends);
    job_count(talker, talk->job, (reason == TRP_OK || as_asked) && !talk->bad,
              talk->bad ? TRP_EMALFORMED : reason);
    talk_free(talker, talk);
}

/* Asks for `count` streams, prepared by `template`; the job ends with the last of them. */
static void talker_begin(struct talker *talker, const char *name, const struct trp_peer_id *peer,
                         uint32_t count, const struct talk *template)
{
    struct job *job = job_make(talker, name, count);
    if (job == NULL) {
        say_failed(name, TRP_EFULL);
        return;
    }
    trp_handle id = job->id;
    for (uint32_t i = 0; i < count; i++) {
        struct talk *talk = talk_make(talker, template->kind);
        if (talk == NULL) {
            job_count(talker, id, false, TRP_EFULL);
            continue;
        }
        talk->job = id;
        talk->salt = talker->salts++;
        talk->ends = template->ends;
        talk->want_bytes = template->want_bytes;
        talk->pattern_left = template->pattern_left;
        talk->pings_left = template->pings_left;
        talk->reset_due = template->reset_due;
        (void)snprintf(talk->protocol, sizeof talk->protocol, "%s",
                       template->protocol[0] != '\0' ? template->protocol
                                                     : kind_protocols[talk->kind]);
        talk->proposed = talk->protocol;
        talk_append(talk, trp_buffer_view(&template->out));
        if (talk->kind == TALK_PING) {
            ping_ask(talker, talk);
        }
        const struct trp_stream_request request = {.behaviour = talker->index,
                                                   .peer = *peer,
                                                   .protocols = &talk->proposed,
                                                   .protocols_count = 1,
                                                   .token = talk->id};
        enum trp_status status = trp_swarm_open_stream(talker->swarm, &request, &talk->stream);
        if (status != TRP_OK) {
            talk_free(talker, talk);
            job_count(talker, id, false, status);
        }
    }
}

/* ---- commands ---- */

static uint64_t number(const struct order *order, uint32_t at)
{
    return at < order->count ? strtoull(order->words[at], NULL, 10) : 0;
}

static void order_bulk(struct talker *talker, const struct order *order,
                       const struct trp_peer_id *peer)
{
    uint8_t want[8];
    struct talk template = {
        .kind = TALK_BULK,
        .ends = true,
        .pattern_left = number(order, 3),
        .want_bytes = number(order, 4),
        .out = {.memory = &talker->memory, .data = want, .size = sizeof want, .limit_bytes = 8}};
    trp_store_be64(want, template.want_bytes);
    talker_begin(talker, order->words[0], peer, 1, &template);
}

/* Lets go what streams hold, now and from now on. */
static void order_release(struct talker *talker, const char *id)
{
    uint32_t at = 0;
    trp_handle handle;
    struct talk *talk;
    talker->released = true;
    while ((talk = trp_slab_next(&talker->talks, &at, &handle)) != NULL) {
        if (talk->held_bytes > 0) {
            trp_stream_consumed(talker->swarm, talk->stream, (size_t)talk->held_bytes);
            talk->held_bytes = 0;
            hold_count(talker, talk);
            talk_write(talker, talk);
        }
    }
    say("done id=%s\n", id);
}

/* Says how far a command has come: the bytes that its streams took. */
static void order_progress(const struct talker *talker, const struct order *order)
{
    uint32_t at = 0;
    trp_handle handle;
    const struct job *job;
    while ((job = trp_slab_next(&talker->jobs, &at, &handle)) != NULL) {
        if (order->count > 2 && strcmp(job->name, order->words[2]) == 0) {
            say("done id=%s sent=%llu\n", order->words[0], (unsigned long long)job->sent_bytes);
            return;
        }
    }
    say_failed(order->words[0], TRP_ENOTFOUND);
}

static void order_offer(struct talker *talker, const struct order *order)
{
    if (order->count < 3 || talker->offers_count == OFFERS_MAX) {
        say_failed(order->words[0], TRP_EINVAL);
        return;
    }
    (void)snprintf(talker->offers[talker->offers_count++], TRP_PROTOCOL_BYTES_MAX, "%s",
                   order->words[2]);
    trp_swarm_report_self_changed(talker->swarm);
    say("done id=%s\n", order->words[0]);
}

static bool order_without_peer(struct talker *talker, const struct order *order)
{
    const char *verb = order->words[1];
    if (strcmp(verb, "offer") == 0) {
        order_offer(talker, order);
    } else if (strcmp(verb, "release") == 0) {
        order_release(talker, order->words[0]);
    } else if (strcmp(verb, "progress") == 0) {
        order_progress(talker, order);
    } else {
        return false;
    }
    return true;
}

bool talker_order(struct talker *talker, const struct order *order)
{
    static const char *const verbs[TALK_KINDS] = {"echo", "bulk", "hold", "early", "ping"};
    const char *verb = order->words[1];
    bool reset = strcmp(verb, "reset") == 0;
    bool other = strcmp(verb, "open") == 0; /* any protocol, and not a byte on it */
    uint32_t kind = 0;
    while (!reset && !other && kind < TALK_KINDS && strcmp(verb, verbs[kind]) != 0) {
        kind++;
    }
    struct trp_peer_id peer;
    if (kind == TALK_KINDS) {
        return order_without_peer(talker, order);
    }
    if (order->count < 3 || trp_peer_id_parse(order->words[2], &peer) != TRP_OK) {
        say_failed(order->words[0], TRP_EINVAL);
        return true;
    }
    struct talk template = {.kind = (enum talk_kind)kind, .ends = !reset, .reset_due = reset};
    uint32_t streams = 1;
    switch (template.kind) {
    case TALK_ECHO:
        streams = reset || other ? 1 : (uint32_t)number(order, 3);
        template.want_bytes = reset ? RESET_BYTES : number(order, 4);
        template.pattern_left = template.want_bytes;
        if (other && order->count > 3) {
            (void)snprintf(template.protocol, sizeof template.protocol, "%s", order->words[3]);
        }
        break;
    case TALK_HOLD:
        template.pattern_left = number(order, 3);
        break;
    case TALK_EARLY:
        template.ends = false;
        template.want_bytes = number(order, 3);
        break;
    case TALK_PING:
        template.pings_left = order->count > 3 ? (uint32_t)number(order, 3) : 1;
        break;
    case TALK_BULK:
    case TALK_KINDS:
        order_bulk(talker, order, &peer);
        return true;
    }
    talker_begin(talker, order->words[0], &peer, streams, &template);
    return true;
}

/* ---- the behaviour ---- */

static void talker_attach(void *self, struct trp_swarm *swarm, uint32_t index)
{
    struct talker *talker = self;
    talker->swarm = swarm;
    talker->index = index;
}

static uint32_t talker_protocols(const void *self, const char **ret_protocols, uint32_t max)
{
    const struct talker *talker = self;
    uint32_t count = 0;
    for (uint32_t i = 0; i < TALK_PING && count < max; i++) { /* the node itself answers pings */
        ret_protocols[count++] = kind_protocols[i];
    }
    for (uint32_t i = 0; i < talker->offers_count && count < max; i++) {
        ret_protocols[count++] = talker->offers[i];
    }
    return count;
}

static void say_connection(const char *what, const struct trp_connection_info *connection,
                           const char *why)
{
    char peer[TRP_PEER_ID_TEXT_MAX];
    trp_peer_id_print(&connection->peer, peer);
    say("%s peer=%s direction=%s connections=%u why=%s\n", what, peer,
        connection->outbound ? "out" : "in", connection->peer_connections, why);
}

static void talker_connected(void *self, const struct trp_connection_info *connection)
{
    (void)self;
    say_connection("connected", connection, "OK");
}

static void talker_disconnected(void *self, const struct trp_connection_info *connection,
                                enum trp_status reason)
{
    (void)self;
    say_connection("disconnected", connection, trp_status_name(reason));
}

static void talker_dial_failed(void *self, const struct trp_dial_report *report)
{
    (void)self;
    char peer[TRP_PEER_ID_TEXT_MAX];
    trp_peer_id_print(&report->peer, peer);
    say("dial-failed peer=%s why=%s stage=%s\n", peer, trp_status_name(report->status),
        report->attempts_count > 0 ? report->attempts[report->attempts_count - 1].stage : "");
}

static void talker_identified(void *self, const struct trp_identified *peer)
{
    (void)self;
    char text[TRP_MULTIADDR_TEXT_MAX];
    trp_peer_id_print(&peer->peer, text);
    (void)printf("identified peer=%s agent=", text);
    for (const char *at = peer->agent; *at != '\0'; at++) {
        (void)putchar(*at == ' ' ? '_' : *at);
    }
    (void)printf(" protocols=");
    for (uint32_t i = 0; i < peer->protocols_count; i++) {
        (void)printf("%s%s", i > 0 ? "," : "", peer->protocols[i]);
    }
    (void)printf(" addresses=");
    for (uint32_t i = 0; i < peer->addresses_count; i++) {
        trp_multiaddr_print(&peer->addresses[i], text);
        (void)printf("%s%s", i > 0 ? "," : "", text);
    }
    trp_multiaddr_print(&peer->observed, text);
    say(" observed=%s\n", text);
}

static const struct trp_behaviour_ops talker_ops = {.name = "talker",
                                                    .attach = talker_attach,
                                                    .protocols = talker_protocols,
                                                    .connected = talker_connected,
                                                    .disconnected = talker_disconnected,
                                                    .dial_failed = talker_dial_failed,
                                                    .identified = talker_identified,
                                                    .stream_opened = talker_stream_opened,
                                                    .stream_data = talker_stream_data,
                                                    .stream_writable = talker_stream_writable,
                                                    .stream_eof = talker_stream_eof,
                                                    .stream_closed = talker_stream_closed};

struct trp_behaviour talker_behaviour(struct talker *talker)
{
    return (struct trp_behaviour){.ops = &talker_ops, .self = talker};
}

struct talker *talker_open(void)
{
    struct talker *talker = calloc(1, sizeof *talker);
    if (talker != NULL) {
        talker->memory = trp_memory_init(UINT64_MAX);
        talker->talks = trp_slab_init(&talker->memory, sizeof(struct talk), TALKS_MAX);
        talker->jobs = trp_slab_init(&talker->memory, sizeof(struct job), TALKS_MAX);
    }
    return talker;
}

void talker_close(struct talker *talker)
{
    uint32_t at = 0;
    trp_handle id;
    struct talk *talk;
    while ((talk = trp_slab_next(&talker->talks, &at, &id)) != NULL) {
        talk_free(talker, talk);
    }
    trp_slab_free(&talker->talks);
    trp_slab_free(&talker->jobs);
    free(talker);
}
