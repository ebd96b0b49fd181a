/* SPDX-License-Identifier: MIT */
#include "lib/net_probe.h"

#include "net/state.h"
#include "net/upgrade.h"
#include "proto/yamux.h"

/* ---- carrying bytes ---- */

static void carries_three_hundred_streams(void **state)
{
    (void)state;
    struct pair pair = pair_init(1);
    pair.a->limits.streams_per_connection = 400;
    pair.b->limits.streams_per_connection = 400;
    pair.b->limits.streams_pending_in = 400;
    pair_start(&pair);
    pair_connect(&pair);
    uint32_t refused = 0;
    for (uint32_t i = 0; i < 300; i++) {
        enum trp_status status = probe_open(pair.pa, &pair.b->peer, ECHO, 100 + 37 * i);
        if (status == TRP_EFULL && refused++ == 0) { /* the peer has not acknowledged the others */
            assert_int_equal(i, 256);
            net_poke(pair.a);
            net_run(pair.world, TRP_MS(20));
            status = probe_open(pair.pa, &pair.b->peer, ECHO, 100 + 37 * i);
        }
        assert_status(status, TRP_OK);
    }
    net_poke(pair.a);
    net_run(pair.world, TRP_S(5));
    assert_int_equal(probe_closed_count(pair.pa, TRP_OK), 300);
    assert_int_equal(probe_closed_count(pair.pb, TRP_OK), 300);
    assert_int_equal(pair.pa->connected, 1);
    pair_close(&pair);
}

static void carries_one_after_another(void **state)
{
    (void)state;
    struct pair pair = pair_open(14);
    pair_connect(&pair);
    pair.world->latency_ns = TRP_US(10);
    for (uint32_t i = 0; i < 300; i++) {
        assert_status(probe_open(pair.pa, &pair.b->peer, ECHO, 10), TRP_OK);
        net_poke(pair.a);
        net_run(pair.world, TRP_MS(1));
        assert_status(probe_last(pair.pa)->reason, TRP_OK);
        assert_true(probe_last(pair.pa)->closed);
    }
    assert_int_equal(pair.pa->connected, 1);
    pair_close(&pair);
}

static void carries_much_under_back_pressure(void **state)
{
    (void)state;
    for (uint32_t plaintext = 0; plaintext < 2; plaintext++) {
        struct pair pair = pair_init(2);
        pair.world->plaintext = plaintext == 1;
        pair.world->chunk_bytes_max = 60000;
        pair_start(&pair);
        size_t size = 3u << 20;
        assert_status(probe_open(pair.pa, &pair.b->peer, ECHO, size), TRP_OK);
        assert_status(probe_open(pair.pb, &pair.a->peer, ECHO, size), TRP_OK);
        net_poke(pair.a);
        net_poke(pair.b);
        uint64_t most = 0;
        for (uint32_t i = 0; i < 100; i++) {
            net_run(pair.world, TRP_MS(50));
            uint64_t used = pair.a->memory.used_bytes;
            most = used > most ? used : most;
        }
        assert_status(pair.pa->streams[0].reason, TRP_OK);
        assert_status(pair.pb->streams[0].reason, TRP_OK);
        assert_int_equal(pair.pa->streams[0].received, size);
        assert_int_equal(pair.pb->streams[0].received, size);
        assert_true(most < 2u << 20);
        pair_close(&pair);
    }
}

static void half_closes_in_either_order(void **state)
{
    (void)state;
    struct pair pair = pair_open(3);
    pair.pb->mode = PROBE_MUTE;
    struct probe_stream *s = pair_echo(&pair, 500); /* the opener first */
    struct probe_stream *t = probe_last(pair.pb);
    assert_true(t->eof && !t->closed && !s->eof);
    t->shutdown = true;
    trp_stream_shutdown(pair.b->swarm, t->id);
    net_poke(pair.b);
    net_run(pair.world, TRP_S(1));
    assert_true(s->eof);
    assert_status(s->reason, TRP_OK);
    assert_status(t->reason, TRP_OK);

    assert_status(probe_open(pair.pa, &pair.b->peer, ECHO, 0), TRP_OK); /* the other first */
    s = probe_last(pair.pa);
    s->keep_open = true;
    net_poke(pair.a);
    net_run(pair.world, TRP_S(1));
    t = probe_last(pair.pb);
    assert_true(t->opened);
    t->shutdown = true;
    trp_stream_shutdown(pair.b->swarm, t->id);
    size_t used;
    assert_status(trp_stream_write(pair.b->swarm, t->id, trp_bytes("x", 1), &used), TRP_ESTATE);
    net_poke(pair.b);
    net_run(pair.world, TRP_S(1));
    assert_true(s->eof && !s->closed);
    s->to_send = 700; /* one direction still carries */
    s->keep_open = false;
    probe_send(pair.pa, s);
    net_poke(pair.a);
    net_run(pair.world, TRP_S(1));
    assert_int_equal(t->received, 700);
    assert_status(s->reason, TRP_OK);
    assert_status(t->reason, TRP_OK);
    pair_close(&pair);
}

static void a_hoarder_gets_no_more_than_the_window(void **state)
{
    (void)state;
    struct pair pair = pair_open(4);
    pair.pb->mode = PROBE_HOARD;
    struct probe_stream *s = pair_echo(&pair, 4u << 20);
    assert_true(s->opened && !s->closed);
    assert_in_range(probe_last(pair.pb)->received, pair.b->limits.yamux_window_bytes - 100,
                    pair.b->limits.yamux_window_bytes); /* the negotiation took of it */
    assert_true(s->sent <= pair.b->limits.yamux_window_bytes + pair.a->limits.stream_send_bytes);
    assert_int_equal(pair_echo(&pair, 100)->received, 0); /* another stream of it still moves */
    assert_int_equal(probe_last(pair.pb)->received, 100);
    pair_close(&pair);
}

static void a_socket_holds_no_more_than_its_credit(void **state)
{
    (void)state;
    struct pair pair = pair_init(5);
    pair.a->limits.socket_send_bytes = 65536;
    pair_start(&pair);
    pair_connect(&pair);
    pair.world->hold_sent[0] = true;
    uint64_t before = pair.a->bytes_out;
    for (uint32_t i = 0; i < 5; i++) {
        pair_echo(&pair, 60000);
    }
    assert_true(pair.a->bytes_out - before <= 65536);
    assert_true(pair.a->bytes_out - before > 60000);
    pair.world->hold_sent[0] = false;
    uint32_t end = 0;
    while (pair.world->ends[end].host != 0 || pair.world->ends[end].listener) {
        end++;
    }
    const struct trp_input in = {.kind = TRP_IN_SENT,
                                 .now = pair.world->now,
                                 .socket = pair.world->ends[end].id,
                                 .sent_bytes = pair.a->bytes_out - before};
    net_step(pair.a, &in);
    net_run(pair.world, TRP_S(2));
    assert_int_equal(probe_closed_count(pair.pa, TRP_OK), 5);
    pair_close(&pair);
}

/* A driver keeps credit of less than TRP_SENT_BYTES_MIN until bytes come. Here none do: the sender
 * fills the least of sockets, half-closes, and says goodbye. */
static void nothing_waits_for_the_last_credit(void **state)
{
    (void)state;
    for (uint32_t plaintext = 0; plaintext < 2; plaintext++) {
        struct pair pair = pair_init(15);
        pair.world->plaintext = plaintext == 1;
        pair.a->limits.socket_send_bytes = 65536;
        pair_start(&pair);
        pair_connect(&pair);
        pair.pb->mode = PROBE_SINK;
        for (size_t size = 100; size <= 1600000; size *= 2) {
            pair_echo(&pair, size);
            const struct probe_stream *t = probe_last(pair.pb);
            assert_int_equal(t->received, size);
            assert_true(t->eof);
        }
        assert_status(probe_open(pair.pa, &pair.b->peer, ECHO, 100), TRP_OK);
        struct probe_stream *s = probe_last(pair.pa);
        s->keep_open = true; /* a half-close would be answered */
        net_poke(pair.a);
        net_run(pair.world, TRP_S(1));
        s->to_send = 50000;
        probe_send(pair.pa, s);
        net_poke(pair.a);
        net_run(pair.world, TRP_S(1));
        size_t kept = 0;
        for (uint32_t i = 0; i < pair.world->ends_count; i++) {
            kept += pair.world->ends[i].host == 0 ? pair.world->ends[i].sent_due : 0;
        }
        assert_in_range(kept, 1, TRP_SENT_BYTES_MIN - 1);
        trp_swarm_close_peer(pair.a->swarm, &pair.b->peer, TRP_OK);
        net_poke(pair.a);
        net_run(pair.world, TRP_MS(200));
        assert_int_equal(probe_last(pair.pb)->received, 50000);
        assert_int_equal(pair.pb->disconnected, 1);
        net_poke(pair.a); /* frees what has closed */
        net_poke(pair.b);
        assert_int_equal(pair.a->swarm->connections.count, 0); /* none lingers */
        assert_int_equal(pair.b->swarm->connections.count, 0);
        pair_close(&pair);
    }
}

/* ---- resets and losses ---- */

static void resets_are_told_to_both_sides(void **state)
{
    (void)state;
    struct pair pair = pair_open(6);
    pair.pb->reset_on_data = true;
    struct probe_stream *s = pair_echo(&pair, 100);
    assert_status(s->reason, TRP_ERESET);
    assert_status(probe_last(pair.pb)->reason, TRP_ECANCELLED);
    pair.pb->reset_on_data = false;
    assert_status(probe_open(pair.pa, &pair.b->peer, ECHO, 100), TRP_OK);
    s = probe_last(pair.pa);
    s->keep_open = true;
    net_poke(pair.a);
    net_run(pair.world, TRP_S(1));
    trp_stream_reset(pair.a->swarm, s->id);
    assert_false(s->closed); /* not before the call returns */
    size_t used;
    assert_status(trp_stream_write(pair.a->swarm, s->id, trp_bytes("x", 1), &used), TRP_ENOTFOUND);
    net_poke(pair.a);
    assert_status(s->reason, TRP_ECANCELLED);
    net_run(pair.world, TRP_S(1));
    assert_status(probe_last(pair.pb)->reason, TRP_ERESET);
    assert_int_equal(pair.pa->connected, 1);
    assert_int_equal(pair.pa->disconnected, 0);
    pair_close(&pair);
}

static void a_stream_dropped_before_it_opens_is_told_once(void **state)
{
    (void)state;
    struct pair pair = pair_open(7);
    assert_status(probe_open(pair.pa, &pair.b->peer, ECHO, 100), TRP_OK); /* waits for a dial */
    trp_stream_reset(pair.a->swarm, probe_last(pair.pa)->id);
    net_poke(pair.a);
    assert_status(probe_last(pair.pa)->reason, TRP_ECANCELLED);
    net_run(pair.world, TRP_S(1));
    assert_status(probe_open(pair.pa, &pair.b->peer, ECHO, 100), TRP_OK); /* negotiates */
    trp_stream_reset(pair.a->swarm, probe_last(pair.pa)->id);
    net_poke(pair.a);
    assert_status(probe_last(pair.pa)->reason, TRP_ECANCELLED);
    assert_int_equal(pair.pa->connected, 1);
    net_run(pair.world, TRP_S(1));
    assert_int_equal(pair.pb->streams_count, 0);
    pair_close(&pair);
}

static void streams_of_a_failed_dial_hear_why(void **state)
{
    (void)state;
    struct pair pair = pair_open(8);
    net_host_stop(pair.b);
    for (uint32_t i = 0; i < pair.world->ends_count; i++) {
        pair.world->ends[i].closed = pair.world->ends[i].host == 1;
    }
    struct probe_stream *s = pair_echo(&pair, 100);
    assert_false(s->opened);
    assert_status(s->reason, TRP_EREFUSED);
    assert_int_equal(pair.pa->dials_failed, 1);
    /* Asked again from within the hook: a new dial each time, and an end. */
    pair.pa->reopen_on_close = 3;
    s = pair_echo(&pair, 100);
    net_run(pair.world, TRP_S(1));
    assert_int_equal(probe_closed_count(pair.pa, TRP_EREFUSED), 5);
    assert_int_equal(pair.pa->dials_failed, 5);
    pair_close(&pair);
}

static void asks_for_the_impossible_are_answered_at_once(void **state)
{
    (void)state;
    struct pair pair = pair_init(9);
    pair.a->limits.streams_per_connection = 8;
    pair_start(&pair);
    const char *protocol = ECHO;
    struct trp_stream_request request = {
        .peer = pair.b->peer, .protocols = &protocol, .protocols_count = 1};
    trp_stream_id id;
    assert_status(trp_swarm_open_stream(pair.a->swarm, &request, &id), TRP_ECLOSED);
    request.connection = 77;
    assert_status(trp_swarm_open_stream(pair.a->swarm, &request, &id), TRP_ECLOSED);
    request.connection = 0;
    request.dial = true;
    request.behaviour = 1;
    assert_status(trp_swarm_open_stream(pair.a->swarm, &request, &id), TRP_EINVAL);
    request.behaviour = 0;
    request.peer = pair.a->peer;
    assert_status(trp_swarm_open_stream(pair.a->swarm, &request, &id), TRP_EINVAL);
    request.peer = pair.b->peer;
    request.protocols_count = 5;
    assert_status(trp_swarm_open_stream(pair.a->swarm, &request, &id), TRP_EINVAL);
    for (uint32_t i = 0; i < 8; i++) {
        assert_status(probe_open(pair.pa, &pair.b->peer, ECHO, 100), TRP_OK);
    }
    assert_status(probe_open(pair.pa, &pair.b->peer, ECHO, 100), TRP_EFULL);
    net_poke(pair.a);
    net_run(pair.world, TRP_S(1));
    assert_int_equal(probe_closed_count(pair.pa, TRP_OK), 8);
    for (uint32_t i = 0; i < 8; i++) {
        assert_status(probe_open(pair.pa, &pair.b->peer, ECHO, 100), TRP_OK);
        probe_last(pair.pa)->keep_open = true;
    }
    assert_status(probe_open(pair.pa, &pair.b->peer, ECHO, 100), TRP_EFULL);
    assert_true(net_traced(pair.a, "limit_reached") >= 1);
    pair_close(&pair);
}

/* ---- negotiation ---- */

static void no_protocol_in_common_fails_the_stream_alone(void **state)
{
    (void)state;
    struct pair pair = pair_open(10);
    assert_status(probe_open(pair.pa, &pair.b->peer, "/other/1", 100), TRP_OK);
    net_poke(pair.a);
    net_run(pair.world, TRP_S(1));
    assert_status(probe_last(pair.pa)->reason, TRP_ENEGOTIATION);
    assert_int_equal(pair.pb->streams_count, 0);
    assert_int_equal(net_traced(pair.b, "stream_refused"), 1);
    assert_int_equal(pair.pa->disconnected, 0);
    assert_status(pair_echo(&pair, 100)->reason, TRP_OK);
    assert_int_equal(trp_swarm_streams_count(pair.b->swarm), 0);
    pair_close(&pair);
}

static void agrees_on_the_first_protocol_that_both_have(void **state)
{
    (void)state;
    struct pair pair = pair_open(11);
    pair.pb->accepts[pair.pb->accepts_count++] = "/b/1";
    const char *protocols[] = {"/x/1", "/b/1", ECHO};
    const struct trp_stream_request request = {.peer = pair.b->peer,
                                               .dial = true,
                                               .protocols = protocols,
                                               .protocols_count = 3,
                                               .token = 1};
    trp_stream_id id;
    assert_status(trp_swarm_open_stream(pair.a->swarm, &request, &id), TRP_OK);
    struct probe_stream *s = probe_add(pair.pa, id);
    s->token = 1;
    s->to_send = 10;
    net_poke(pair.a);
    net_run(pair.world, TRP_S(1));
    assert_status(s->reason, TRP_OK);
    assert_string_equal(s->protocol, "/b/1");
    assert_string_equal(probe_last(pair.pb)->protocol, "/b/1");
    pair_close(&pair);
}

static void a_protocol_that_went_away_is_unlearned(void **state)
{
    (void)state;
    struct pair pair = pair_open(12);
    assert_status(pair_echo(&pair, 100)->reason, TRP_OK);
    pair.pb->accepts_count = 0;
    assert_status(probe_open(pair.pa, &pair.b->peer, ECHO, 5000), TRP_OK);
    net_poke(pair.a);
    assert_true(probe_last(pair.pa)->opened); /* as it was spoken before */
    net_run(pair.world, TRP_S(1));
    /* What followed the proposal made no sense to the peer's negotiation, so that it may reset. */
    assert_true(probe_last(pair.pa)->reason == TRP_ENEGOTIATION ||
                probe_last(pair.pa)->reason == TRP_ERESET);
    assert_status(probe_open(pair.pa, &pair.b->peer, ECHO, 5000), TRP_OK);
    net_poke(pair.a);
    assert_false(probe_last(pair.pa)->opened);
    net_run(pair.world, TRP_S(1));
    assert_status(probe_last(pair.pa)->reason, TRP_ENEGOTIATION);
    assert_false(probe_last(pair.pa)->opened);
    assert_int_equal(pair.pa->disconnected, 0);
    pair_close(&pair);
}

static void a_negotiation_has_a_time(void **state)
{
    (void)state;
    struct pair pair = pair_init(13);
    pair.a->limits.keepalive_ns = TRP_MIN(10);
    pair_start(&pair);
    pair_connect(&pair);
    pair.world->cut[1][0] = true;
    net_poke(pair.a); /* sets its clock */
    assert_status(probe_open(pair.pa, &pair.b->peer, ECHO, 100), TRP_OK);
    net_poke(pair.a);
    net_run(pair.world, TRP_MS(9990));
    assert_false(probe_last(pair.pa)->closed);
    net_run(pair.world, TRP_MS(20));
    assert_status(probe_last(pair.pa)->reason, TRP_ETIMEDOUT);
    assert_int_equal(pair.pa->disconnected, 0);
    pair_close(&pair);
}

/* ---- a peer by hand ---- */

/* Speaks plaintext to host b, as an initiator: what a swarm never would. */
struct raw_peer {
    struct pair pair;
    uint32_t end;
    struct trp_memory memory;
    struct trp_keypair identity;
    struct trp_upgrade *upgrade;
    struct trp_buffer out;
};

static void raw_recv(struct raw_peer *raw, struct trp_bytes bytes)
{
    const struct trp_input in = {.kind = TRP_IN_BYTES,
                                 .now = raw->pair.world->now,
                                 .socket = raw->pair.world->ends[raw->end].id,
                                 .bytes = bytes};
    net_step(raw->pair.b, &in);
}

/* Takes what b sent; gives the number of its bytes that are the muxer's. */
static size_t raw_take(struct raw_peer *raw, uint8_t *out, size_t room)
{
    struct net_world *world = raw->pair.world;
    struct trp_buffer plain = trp_buffer_init(&raw->memory, 65536);
    size_t size = 0;
    for (size_t i = 0; i < world->happenings_count; i++) {
        struct net_happening *h = &world->happenings[i];
        if (h->done || h->kind != TRP_IN_BYTES || world->ends[h->end].other != raw->end + 1) {
            continue;
        }
        size_t used = 0;
        if (!trp_upgrade_is_read(raw->upgrade)) {
            assert_status(
                trp_upgrade_recv(raw->upgrade, trp_bytes(h->bytes, h->size), &plain, &used),
                TRP_OK);
        }
        size_t rest = h->size - used;
        assert_true(rest <= room - size);
        memcpy(out + size, h->bytes + used, rest);
        size += rest;
        h->done = true;
        free(h->bytes);
    }
    trp_buffer_free(&plain);
    return size;
}

static void raw_open(struct raw_peer *raw, uint64_t seed)
{
    raw->pair = pair_init(seed);
    raw->pair.world->plaintext = true;
    raw->pair.world->chunk_bytes_max = 0;
    raw->pair.b->limits.socket_send_bytes = 65536;
    pair_start(&raw->pair);
    uint32_t far = net_end_add(raw->pair.world, 3, 2);
    raw->end = net_end_add(raw->pair.world, 1, 99999);
    raw->pair.world->ends[raw->end].other = far + 1;
    raw->pair.world->ends[far].other = raw->end + 1;
    raw->pair.world->ends[far].connected = false; /* what b sends stays in the queue */
    raw->memory = trp_memory_init(1u << 20);
    uint8_t key[32] = {99};
    trp_keypair_from_seed(key, &raw->identity);
    const struct trp_upgrade_config config = {
        .initiator = true, .plaintext = true, .identity = &raw->identity};
    assert_status(trp_upgrade_open(&raw->memory, &config, &raw->upgrade), TRP_OK);
    raw->out = trp_buffer_init(&raw->memory, 65536);
    const struct trp_multiaddr addresses[2] = {net_address(1, NET_PORT_FIRST), net_address(3, 7)};
    const struct trp_input in = {.kind = TRP_IN_ACCEPTED,
                                 .now = raw->pair.world->now,
                                 .socket = 99999,
                                 .addresses = addresses,
                                 .addresses_count = 2};
    net_step(raw->pair.b, &in);
    uint8_t bytes[4096];
    for (uint32_t i = 0; i < 3; i++) {
        assert_status(trp_upgrade_send(raw->upgrade, &raw->out), TRP_OK);
        if (raw->out.size > 0) {
            raw_recv(raw, trp_buffer_view(&raw->out));
            trp_buffer_consume(&raw->out, raw->out.size);
        }
        (void)raw_take(raw, bytes, sizeof bytes);
    }
    assert_true(trp_upgrade_is_read(raw->upgrade));
    assert_int_equal(raw->pair.pb->connected, 1);
}

static void raw_close(struct raw_peer *raw)
{
    trp_upgrade_close(raw->upgrade);
    trp_buffer_free(&raw->out);
    assert_int_equal(raw->memory.used_bytes, 0);
    pair_close(&raw->pair);
}

static void frame(uint8_t out[12], uint8_t type, uint16_t flags, uint32_t stream, uint32_t length)
{
    const uint8_t bytes[12] = {0,
                               type,
                               (uint8_t)(flags >> 8),
                               (uint8_t)flags,
                               (uint8_t)(stream >> 24),
                               (uint8_t)(stream >> 16),
                               (uint8_t)(stream >> 8),
                               (uint8_t)stream,
                               (uint8_t)(length >> 24),
                               (uint8_t)(length >> 16),
                               (uint8_t)(length >> 8),
                               (uint8_t)length};
    memcpy(out, bytes, sizeof bytes);
}

static void streams_that_never_negotiate_are_limited(void **state)
{
    (void)state;
    struct raw_peer raw = {0};
    raw_open(&raw, 20);
    raw.pair.b->limits.streams_pending_in = 64;
    for (uint32_t i = 0; i < 100; i++) {
        uint8_t syn[12];
        frame(syn, 1, 1, 1 + 2 * i, 0);
        raw_recv(&raw, trp_bytes(syn, 12));
    }
    assert_int_equal(trp_swarm_streams_count(raw.pair.b->swarm),
                     raw.pair.b->limits.streams_pending_in);
    assert_int_equal(net_traced(raw.pair.b, "stream_refused"),
                     100 - raw.pair.b->limits.streams_pending_in);
    assert_int_equal(raw.pair.pb->streams_count, 0);
    net_run(raw.pair.world, TRP_S(11)); /* and their time ends */
    assert_int_equal(trp_swarm_streams_count(raw.pair.b->swarm), 0);
    raw_close(&raw);
}

static void streams_over_the_limit_are_refused_and_traced_once(void **state)
{
    (void)state;
    struct raw_peer raw = {0};
    raw_open(&raw, 23);
    for (uint32_t i = 0; i < 300; i++) {
        uint8_t syn[12];
        frame(syn, 1, 1, 1 + 2 * i, 0);
        raw_recv(&raw, trp_bytes(syn, 12));
    }
    assert_int_equal(trp_swarm_streams_count(raw.pair.b->swarm),
                     raw.pair.b->limits.streams_per_connection);
    assert_int_equal(net_traced(raw.pair.b, "limit_reached"), 1);
    net_run(raw.pair.world, TRP_S(2));
    uint8_t syn[12];
    frame(syn, 1, 1, 1001, 0);
    raw_recv(&raw, trp_bytes(syn, 12));
    assert_int_equal(net_traced(raw.pair.b, "limit_reached"), 2);
    frame(syn, 2, 2, 0, 1); /* an answer to a ping, and no refusal */
    net_run(raw.pair.world, TRP_S(2));
    raw_recv(&raw, trp_bytes(syn, 12));
    assert_int_equal(net_traced(raw.pair.b, "limit_reached"), 2);
    raw_close(&raw);
}

static void a_violation_is_traced_and_ends_the_connection(void **state)
{
    (void)state;
    struct raw_peer raw = {0};
    raw_open(&raw, 21);
    uint8_t even[12];
    frame(even, 1, 1, 2, 0); /* an initiator opens odd streams */
    raw_recv(&raw, trp_bytes(even, 12));
    assert_int_equal(net_traced(raw.pair.b, "peer_violation"), 1);
    assert_int_equal(raw.pair.pb->disconnected, 1);
    assert_status(raw.pair.pb->last_reason, TRP_EVIOLATION);
    uint8_t bytes[64];
    uint8_t goaway[12];
    frame(goaway, 3, 0, 0, 1);
    assert_int_equal(raw_take(&raw, bytes, sizeof bytes), 12);
    assert_memory_equal(bytes, goaway, 12);
    net_run(raw.pair.world, TRP_S(6));
    assert_int_equal(raw.pair.b->outputs[TRP_OUT_CLOSE], 1);
    raw_close(&raw);
}

/* Pings whose answers cannot leave: the socket is paused, and nothing is lost when it may go on. */
static void a_flood_of_pings_pauses_the_socket(void **state)
{
    (void)state;
    struct raw_peer raw = {0};
    raw_open(&raw, 22);
    static uint8_t pings[12 * 1000];
    for (uint32_t i = 0; i < 1000; i++) {
        frame(pings + 12 * (size_t)i, 2, 1, 0, i);
    }
    uint32_t rounds = 0;
    while (!raw.pair.world->ends[raw.end].paused && rounds < 100) {
        raw_recv(&raw, trp_bytes(pings, sizeof pings));
        rounds++;
    }
    assert_true(raw.pair.world->ends[raw.end].paused);
    uint64_t used = raw.pair.b->memory.used_bytes;
    assert_true(used < 1u << 20);
    static uint8_t answers[1u << 21];
    size_t size = raw_take(&raw, answers, sizeof answers);
    while (size < rounds * sizeof pings) {
        const struct trp_input in = {
            .kind = TRP_IN_SENT, .now = raw.pair.world->now, .socket = 99999, .sent_bytes = 60000};
        net_step(raw.pair.b, &in);
        size_t more = raw_take(&raw, answers + size, sizeof answers - size);
        assert_true(more > 0);
        size += more;
    }
    assert_int_equal(size, rounds * sizeof pings);
    assert_false(raw.pair.world->ends[raw.end].paused);
    for (uint32_t i = 0; i < 1000 * rounds; i++) {
        uint8_t pong[12];
        frame(pong, 2, 2, 0, i % 1000);
        assert_memory_equal(answers + 12 * (size_t)i, pong, 12);
    }
    raw_close(&raw);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(carries_three_hundred_streams),
    cmocka_unit_test(carries_one_after_another),
    cmocka_unit_test(carries_much_under_back_pressure),
    cmocka_unit_test(half_closes_in_either_order),
    cmocka_unit_test(a_hoarder_gets_no_more_than_the_window),
    cmocka_unit_test(a_socket_holds_no_more_than_its_credit),
    cmocka_unit_test(nothing_waits_for_the_last_credit),
    cmocka_unit_test(resets_are_told_to_both_sides),
    cmocka_unit_test(a_stream_dropped_before_it_opens_is_told_once),
    cmocka_unit_test(streams_of_a_failed_dial_hear_why),
    cmocka_unit_test(asks_for_the_impossible_are_answered_at_once),
    cmocka_unit_test(no_protocol_in_common_fails_the_stream_alone),
    cmocka_unit_test(agrees_on_the_first_protocol_that_both_have),
    cmocka_unit_test(a_protocol_that_went_away_is_unlearned),
    cmocka_unit_test(a_negotiation_has_a_time),
    cmocka_unit_test(streams_that_never_negotiate_are_limited),
    cmocka_unit_test(streams_over_the_limit_are_refused_and_traced_once),
    cmocka_unit_test(a_violation_is_traced_and_ends_the_connection),
    cmocka_unit_test(a_flood_of_pings_pauses_the_socket),
};

int main(void)
{
    return cmocka_run_group_tests(tests, NULL, NULL);
}
