/* SPDX-License-Identifier: MIT */
#include "proto/mdns/mdns.h"

#include "base/prng.h"
#include "lib/test.h"
#include "lib/vectors.h"

#define INTERFACE 2u
#define PARTIES   3u
#define LATENCY   TRP_MS(1)

/* Machines on one LAN 10.77.0.0/24, machine i at 10.77.0.(i + 1), and what they said. */
struct party {
    struct trp_mdns_machine *machine;
    struct trp_peer_id peer;
    uint32_t questions;
    uint32_t answers;
    uint32_t unicasts;
    uint32_t discovered;
    uint32_t renewed;
    uint32_t expired;
    struct trp_mdns_news last;
    uint8_t packet[TRP_MDNS_PACKET_BYTES_MAX]; /* the last */
    size_t packet_size;
    struct trp_udp_address packet_to;
    bool hears;
};

struct scene {
    struct trp_memory memory;
    trp_time now;
    uint64_t lost_ppm;
    uint64_t packets;
    uint32_t count;
    struct party parties[PARTIES];
};

static struct trp_peer_id peer_of(uint8_t number)
{
    struct trp_peer_id peer;
    uint8_t bytes[38] = {0, 36, 8, 1, 18, 32, [37] = number};
    assert_status(trp_peer_id_decode(trp_bytes(bytes, sizeof bytes), &peer), TRP_OK);
    return peer;
}

static struct trp_interface ip_of(uint32_t party)
{
    return (struct trp_interface){.index = INTERFACE,
                                  .ip = {10, 77, 0, (uint8_t)(party + 1)},
                                  .ip_bytes = 4,
                                  .prefix_bits = 24};
}

static struct trp_udp_address from_of(uint32_t party)
{
    return (struct trp_udp_address){
        .ip = {10, 77, 0, (uint8_t)(party + 1)}, .ip_bytes = 4, .port = TRP_MDNS_PORT};
}

static void set_scope(struct scene *scene, uint32_t party, uint16_t port)
{
    const struct trp_interface ip = ip_of(party);
    const struct trp_multiaddr told = trp_multiaddr_from_ip(ip.ip, 4, port);
    const struct trp_mdns_scope scope = {.interface = INTERFACE,
                                         .ips = &ip,
                                         .ips_count = 1,
                                         .told = &told,
                                         .told_count = port == 0 ? 0 : 1};
    assert_status(trp_mdns_set_scope(scene->parties[party].machine, &scope, scene->now), TRP_OK);
    scene->parties[party].hears = true;
}

static void scene_open(struct scene *scene, uint32_t count)
{
    *scene =
        (struct scene){.memory = trp_memory_init(1u << 24), .now = TRP_S(1000), .count = count};
    for (uint32_t i = 0; i < count; i++) {
        struct party *party = &scene->parties[i];
        party->peer = peer_of((uint8_t)(i + 1));
        const struct trp_mdns_machine_config config = {.memory = &scene->memory,
                                                       .self = party->peer,
                                                       .seed = i,
                                                       .service = "_p2p._udp.local",
                                                       .interval_ns = TRP_MIN(5),
                                                       .ttl_ns = TRP_MIN(6),
                                                       .addresses_max = 64,
                                                       .addresses_per_peer = 8};
        assert_status(trp_mdns_machine_open(&config, &party->machine), TRP_OK);
    }
}

static void scene_close(struct scene *scene)
{
    for (uint32_t i = 0; i < scene->count; i++) {
        trp_mdns_machine_close(scene->parties[i].machine);
    }
    assert_int_equal(scene->memory.used_bytes, 0);
}

static void party_take_news(struct party *party)
{
    struct trp_mdns_news news;
    while (trp_mdns_next_news(party->machine, &news)) {
        party->last = news;
        party->discovered += news.kind == TRP_MDNS_DISCOVERED;
        party->renewed += news.kind == TRP_MDNS_RENEWED;
        party->expired += news.kind == TRP_MDNS_EXPIRED;
    }
}

static void party_note(struct party *party, const struct trp_mdns_packet *packet)
{
    assert_int_equal(packet->interface, INTERFACE);
    assert_false(packet->ip6);
    assert_true(packet->bytes.size <= sizeof party->packet);
    party->packet_size = packet->bytes.size;
    party->packet_to = packet->to;
    memcpy(party->packet, packet->bytes.data, packet->bytes.size);
    bool answers = (packet->bytes.data[2] & 0x80) != 0;
    party->questions += !answers;
    party->answers += answers && packet->to.ip_bytes == 0;
    party->unicasts += answers && packet->to.ip_bytes != 0;
}

/* Lets packets out; everybody hears each multicast after the latency, who said it too. */
static void scene_deliver(struct scene *scene)
{
    bool any = true;
    while (any) {
        any = false;
        for (uint32_t i = 0; i < scene->count; i++) {
            struct trp_mdns_packet packet;
            if (!trp_mdns_next_packet(scene->parties[i].machine, &packet)) {
                continue;
            }
            any = true;
            party_note(&scene->parties[i], &packet);
            const struct trp_udp_address from = from_of(i);
            uint8_t copy[TRP_MDNS_PACKET_BYTES_MAX];
            memcpy(copy, packet.bytes.data, packet.bytes.size);
            for (uint32_t k = 0; k < scene->count && packet.to.ip_bytes == 0; k++) {
                uint64_t draw = trp_draw(1, k, 1, scene->packets++);
                if (scene->parties[k].hears && !trp_draw_share(draw, (uint32_t)scene->lost_ppm)) {
                    enum trp_status status =
                        trp_mdns_recv(scene->parties[k].machine, INTERFACE, &from,
                                      trp_bytes(copy, packet.bytes.size), scene->now);
                    assert_true(status == TRP_OK || status == TRP_EFULL);
                    party_take_news(&scene->parties[k]);
                }
            }
        }
    }
}

static void scene_run(struct scene *scene, trp_time span)
{
    trp_time until = scene->now + span;
    for (;;) {
        trp_time next = TRP_NEVER;
        for (uint32_t i = 0; i < scene->count; i++) {
            next = trp_time_min(next, trp_mdns_deadline(scene->parties[i].machine));
        }
        if (next > until) {
            break;
        }
        scene->now = next > scene->now ? next : scene->now;
        for (uint32_t i = 0; i < scene->count; i++) {
            trp_mdns_expire(scene->parties[i].machine, scene->now);
            party_take_news(&scene->parties[i]);
        }
        scene_deliver(scene);
    }
    scene->now = until;
}

static enum trp_status hear_bytes(struct scene *scene, const struct trp_udp_address *from,
                                  struct trp_bytes bytes)
{
    enum trp_status status =
        trp_mdns_recv(scene->parties[0].machine, INTERFACE, from, bytes, scene->now);
    party_take_news(&scene->parties[0]);
    return status;
}

static enum trp_status hear_vector(struct scene *scene, uint32_t from, uint16_t port,
                                   const char *name)
{
    uint8_t bytes[TEST_VECTOR_LINE_MAX / 2];
    struct trp_udp_address address = from_of(from);
    address.port = port;
    return hear_bytes(scene, &address, test_vector_bytes("mdns.txt", name, bytes));
}

static void expect_last(const struct party *party, const char *address, const char *peer)
{
    char text[TRP_MULTIADDR_TEXT_MAX];
    char id[TRP_PEER_ID_TEXT_MAX];
    trp_multiaddr_print(&party->last.address, text);
    trp_peer_id_print(&party->last.peer, id);
    assert_string_equal(text, address);
    assert_string_equal(id, peer);
}

/* ---- with others ---- */

#define JS   "12D3KooWCQHu4z1xFUh9kHoxD3cz1txJpURps93CXCRNUtBfMJyi"
#define GO   "12D3KooW9rsL4kGcLZHBHL99QqvN76nNhdgeBULBRsB3gz6QFNh8"
#define RUST "12D3KooWA4byD87DAUUnsbc78QMxRPoPia7oZh6oLuZAatB97nwE"

/* Each tells its loopback address first; only the other one leads to it. */
static void hears_rust_go_and_js(void **state)
{
    (void)state;
    struct scene scene;
    scene_open(&scene, 1);
    const struct trp_interface ip = {
        .index = INTERFACE, .ip = {10, 77, 0, 9}, .ip_bytes = 4, .prefix_bits = 24};
    const struct trp_mdns_scope scope = {.interface = INTERFACE, .ips = &ip, .ips_count = 1};
    assert_status(trp_mdns_set_scope(scene.parties[0].machine, &scope, scene.now), TRP_OK);
    assert_status(hear_vector(&scene, 0, 5353, "js_response"), TRP_OK);
    assert_int_equal(scene.parties[0].discovered, 1);
    expect_last(&scene.parties[0], "/ip4/10.77.0.1/tcp/32939", JS);
    assert_status(hear_vector(&scene, 1, 5353, "go_response"), TRP_OK);
    assert_int_equal(scene.parties[0].discovered, 2);
    expect_last(&scene.parties[0], "/ip4/10.77.0.2/tcp/42315", GO);
    assert_status(hear_vector(&scene, 1, 5353, "go_announcement"), TRP_OK);
    assert_int_equal(scene.parties[0].discovered, 2);
    assert_int_equal(scene.parties[0].renewed, 1);
    assert_status(hear_vector(&scene, 2, 48523, "rust_response"), TRP_OK);
    assert_int_equal(scene.parties[0].discovered, 3);
    expect_last(&scene.parties[0], "/ip4/10.77.0.3/tcp/45945", RUST);
    /* A probe is a question, what it holds no answer. */
    assert_status(hear_vector(&scene, 1, 5353, "go_probe"), TRP_OK);
    assert_int_equal(scene.parties[0].discovered, 3);
    scene_close(&scene);
}

static void answers_rust_go_and_js(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        uint16_t port;
        uint32_t unicasts;
    } queries[] = {{"js_query", 5353, 0}, {"go_query", 5353, 0}, {"rust_query", 48523, 1}};
    for (uint32_t i = 0; i < 3; i++) {
        struct scene scene;
        struct party *party = &scene.parties[0];
        scene_open(&scene, 1);
        set_scope(&scene, 0, 4001);
        scene_run(&scene, TRP_S(20));
        uint32_t answers = party->answers;
        assert_status(hear_vector(&scene, 1, queries[i].port, queries[i].name), TRP_OK);
        scene_deliver(&scene);
        assert_int_equal(party->unicasts, queries[i].unicasts);
        assert_int_equal(party->answers, answers);
        scene_run(&scene, TRP_MS(19));
        assert_int_equal(party->answers, answers); /* not at once */
        scene_run(&scene, TRP_MS(101));
        assert_int_equal(party->answers, answers + 1);
        scene_close(&scene);
    }
}

/* ---- among ourselves ---- */

static void finds_each_other(void **state)
{
    (void)state;
    struct scene scene;
    scene_open(&scene, 3);
    for (uint32_t i = 0; i < 3; i++) {
        set_scope(&scene, i, (uint16_t)(4001 + i));
    }
    scene_run(&scene, TRP_S(1));
    for (uint32_t i = 0; i < 3; i++) {
        assert_int_equal(scene.parties[i].discovered, 2); /* not itself */
        assert_int_equal(scene.parties[i].expired, 0);
    }
    scene_close(&scene);
}

static void asks_ever_more_seldom_until_somebody_answers(void **state)
{
    (void)state;
    struct scene scene;
    scene_open(&scene, 2);
    struct party *party = &scene.parties[0];
    set_scope(&scene, 0, 0);
    trp_time began = scene.now;
    uint32_t asked = 0;
    trp_time spans[12];
    trp_time last = began;
    while (asked < 12) {
        scene.now = trp_mdns_deadline(party->machine);
        trp_mdns_expire(party->machine, scene.now);
        scene_deliver(&scene);
        if (party->questions > asked) {
            spans[asked++] = scene.now - last;
            last = scene.now;
        }
    }
    assert_in_range(spans[0], TRP_MS(20), TRP_MS(120));
    for (uint32_t i = 1; i < 11; i++) { /* 0.5 s … 256 s */
        assert_int_equal(spans[i], TRP_MS(500) << (i - 1));
    }
    assert_in_range(spans[11], TRP_MIN(5), TRP_MIN(5) + TRP_MS(100));
    set_scope(&scene, 1, 4001);
    scene_run(&scene, TRP_S(10));
    assert_int_equal(party->discovered, 1);
    scene_close(&scene);
}

/* With an answer, three questions are enough; from then on one in five minutes is asked by one, for
 * all. */
static void asks_little_when_answered(void **state)
{
    (void)state;
    struct scene scene;
    scene_open(&scene, 3);
    for (uint32_t i = 0; i < 3; i++) {
        set_scope(&scene, i, 4001);
    }
    scene_run(&scene, TRP_S(10));
    uint32_t questions = 0;
    for (uint32_t i = 0; i < 3; i++) {
        assert_int_equal(scene.parties[i].questions, TRP_MDNS_PROBES_MIN);
        questions += scene.parties[i].questions;
    }
    scene_run(&scene, TRP_MIN(60));
    uint32_t later = 0;
    for (uint32_t i = 0; i < 3; i++) {
        later += scene.parties[i].questions;
        assert_int_equal(scene.parties[i].expired, 0);
    }
    assert_in_range(later - questions, 11, 13);
    scene_close(&scene);
}

/* RFC 6762 6: at most one answer in a second, however many ask. */
static void answers_at_most_once_a_second(void **state)
{
    (void)state;
    struct scene scene;
    scene_open(&scene, 1);
    set_scope(&scene, 0, 4001);
    scene_run(&scene, TRP_S(20));
    uint32_t answers = scene.parties[0].answers;
    for (uint32_t i = 0; i < 1000; i++) {
        assert_status(hear_vector(&scene, 1 + i % 2, 5353, "js_query"), TRP_OK);
        scene_run(&scene, TRP_MS(10));
    }
    assert_in_range(scene.parties[0].answers - answers, 9, 11);
    scene_close(&scene);
}

static void answers_single_askers_within_bounds(void **state)
{
    (void)state;
    struct scene scene;
    scene_open(&scene, 1);
    set_scope(&scene, 0, 4001);
    scene_run(&scene, TRP_S(20));
    for (uint32_t i = 0; i < 1000; i++) {
        assert_status(hear_vector(&scene, 1, 48523, "rust_query"), TRP_OK);
        scene_run(&scene, TRP_MS(10));
    }
    assert_in_range(scene.parties[0].unicasts, 9 * TRP_MDNS_UNICASTS_PER_S,
                    11 * TRP_MDNS_UNICASTS_PER_S);
    scene_close(&scene);
}

/* A fifth of all packets is lost: everybody is found, and nobody forgotten, for an hour. */
static void stands_losses(void **state)
{
    (void)state;
    struct scene scene;
    scene_open(&scene, 3);
    scene.lost_ppm = 200000;
    for (uint32_t i = 0; i < 3; i++) {
        set_scope(&scene, i, 4001);
    }
    scene_run(&scene, TRP_S(20));
    for (uint32_t i = 0; i < 3; i++) {
        assert_int_equal(scene.parties[i].discovered, 2);
    }
    scene_run(&scene, TRP_MIN(60));
    for (uint32_t i = 0; i < 3; i++) {
        assert_int_equal(scene.parties[i].expired, 0);
    }
    scene_close(&scene);
}

static void forgets_who_falls_silent_and_only_them(void **state)
{
    (void)state;
    struct scene scene;
    scene_open(&scene, 3);
    for (uint32_t i = 0; i < 3; i++) {
        set_scope(&scene, i, 4001);
    }
    scene_run(&scene, TRP_S(10));
    scene.count = 2; /* the third is unplugged */
    scene_run(&scene, TRP_MIN(6));
    assert_int_equal(scene.parties[0].expired, 1);
    assert_int_equal(scene.parties[1].expired, 1);
    assert_memory_equal(&scene.parties[0].last.peer, &scene.parties[2].peer,
                        sizeof(struct trp_peer_id));
    scene_run(&scene, TRP_MIN(20));
    assert_int_equal(scene.parties[0].expired, 1);
    scene.count = 3;
    scene_close(&scene);
}

static void a_goodbye_is_heard_by_all(void **state)
{
    (void)state;
    struct scene scene;
    scene_open(&scene, 3);
    for (uint32_t i = 0; i < 3; i++) {
        set_scope(&scene, i, 4001);
    }
    scene_run(&scene, TRP_S(10));
    trp_mdns_machine_leave(scene.parties[2].machine);
    scene.parties[2].hears = false;
    scene_deliver(&scene);
    uint32_t said = scene.parties[2].answers + scene.parties[2].questions;
    scene_run(&scene, TRP_S(2));
    assert_int_equal(scene.parties[0].expired, 1);
    assert_int_equal(scene.parties[1].expired, 1);
    scene_run(&scene, TRP_MIN(10));
    assert_int_equal(scene.parties[2].answers + scene.parties[2].questions, said);
    scene_close(&scene);
}

static void new_addresses_are_told_at_once_under_a_new_name(void **state)
{
    (void)state;
    struct scene scene;
    scene_open(&scene, 2);
    set_scope(&scene, 0, 4001);
    set_scope(&scene, 1, 4002);
    scene_run(&scene, TRP_S(10));
    uint8_t label[1 + TRP_MDNS_LABEL_BYTES];
    size_t label_at = 12 + 17 + 10; /* header, service, tail */
    memcpy(label, scene.parties[1].packet + label_at, sizeof label);
    assert_int_equal(label[0], TRP_MDNS_LABEL_BYTES);
    uint32_t discovered = scene.parties[0].discovered;
    set_scope(&scene, 1, 4002); /* nothing new */
    scene_run(&scene, TRP_S(5));
    assert_int_equal(scene.parties[0].discovered, discovered);
    set_scope(&scene, 1, 5000);
    scene_run(&scene, TRP_MS(200));
    assert_int_equal(scene.parties[0].discovered, discovered + 1);
    assert_memory_not_equal(label, scene.parties[1].packet + label_at, sizeof label);
    scene_close(&scene);
}

static void says_nothing_of_itself_without_addresses(void **state)
{
    (void)state;
    struct scene scene;
    scene_open(&scene, 2);
    set_scope(&scene, 0, 0);
    set_scope(&scene, 1, 4001);
    scene_run(&scene, TRP_S(30));
    assert_int_equal(scene.parties[0].discovered, 1);
    assert_int_equal(scene.parties[0].answers, 0);
    assert_int_equal(scene.parties[1].discovered, 0);
    scene_close(&scene);
}

/* ---- what is refused ---- */

/* A response that tells one address of a peer. */
static size_t write_response(const struct trp_peer_id *peer, const char *address, uint8_t *out,
                             size_t room)
{
    struct trp_mdns_names names;
    struct trp_multiaddr told;
    size_t size;
    assert_status(trp_mdns_names_init("_p2p._udp.local", &names), TRP_OK);
    assert_status(trp_multiaddr_parse(address, &told, NULL), TRP_OK);
    struct trp_mdns_instance instance = {
        .names = &names, .peer = peer, .addresses = &told, .addresses_count = 1};
    memset(instance.label, 'q', sizeof instance.label);
    const struct trp_mdns_reply reply = {.wants = TRP_MDNS_WANT_INSTANCE, .ttl_s = 360};
    assert_status(trp_mdns_write_response(&instance, &reply, out, room, &size), TRP_OK);
    return size;
}

static void takes_only_addresses_of_the_link(void **state)
{
    (void)state;
    static const struct {
        const char *told;
        uint8_t from;         /* 10.77.0.from */
        const char *expected; /* NULL: nothing */
    } cases[] = {
        {"/ip4/10.77.0.8/tcp/1", 8, "/ip4/10.77.0.8/tcp/1"},
        {"/ip4/10.77.0.7/tcp/1", 8, "/ip4/10.77.0.8/tcp/1"}, /* both; the last is the one seen */
        {"/ip4/1.2.3.4/tcp/1", 8, "/ip4/10.77.0.8/tcp/1"},   /* seen elsewhere than it says */
        {"/ip4/127.0.0.1/tcp/1", 8, "/ip4/10.77.0.8/tcp/1"},
        {"/ip4/127.0.0.1/tcp/1", 1, "/ip4/10.77.0.1/tcp/1"}, /* of this machine */
        {"/ip4/0.0.0.0/tcp/1", 8, "/ip4/10.77.0.8/tcp/1"},
        {"/ip4/10.77.0.8/udp/1/quic-v1", 8, "/ip4/10.77.0.8/udp/1/quic-v1"},
        {"/ip6/2001:db8::1/tcp/1", 8, NULL},
        {"/dns4/example.com/tcp/1", 8, NULL},
        {"/ip4/10.77.0.8/tcp/1/p2p-circuit", 8, NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct scene scene;
        uint8_t bytes[512];
        const struct trp_peer_id peer = peer_of(77);
        char text[TRP_MULTIADDR_TEXT_MAX];
        scene_open(&scene, 1);
        set_scope(&scene, 0, 4001);
        const struct trp_udp_address from = from_of(cases[i].from - 1u);
        size_t size = write_response(&peer, cases[i].told, bytes, sizeof bytes);
        assert_status(hear_bytes(&scene, &from, trp_bytes(bytes, size)), TRP_OK);
        if (cases[i].expected == NULL) {
            assert_int_equal(scene.parties[0].discovered, 0);
        } else {
            assert_true(scene.parties[0].discovered > 0);
            trp_multiaddr_print(&scene.parties[0].last.address, text);
            assert_string_equal(text, cases[i].expected);
        }
        scene_close(&scene);
    }
}

static void hears_nobody_from_beyond_the_link(void **state)
{
    (void)state;
    struct scene scene;
    scene_open(&scene, 1);
    set_scope(&scene, 0, 4001);
    struct trp_udp_address from = from_of(1);
    from.ip[1] = 78;
    uint8_t bytes[TEST_VECTOR_LINE_MAX / 2];
    struct trp_bytes response = test_vector_bytes("mdns.txt", "go_response", bytes);
    assert_status(hear_bytes(&scene, &from, response), TRP_EDENIED);
    from = from_of(1);
    assert_status(trp_mdns_recv(scene.parties[0].machine, 9, &from, response, scene.now),
                  TRP_ENOTFOUND);
    from.ip_bytes = 16;
    assert_status(hear_bytes(&scene, &from, response), TRP_ENOTFOUND); /* no such family here */
    scene_close(&scene);
}

/* Every truncation and every flipped byte of what others send: nothing breaks. */
static void survives_damage(void **state)
{
    (void)state;
    static const char *const names[] = {"go_response", "go_announcement", "go_probe",
                                        "rust_response", "js_response"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct scene scene;
        uint8_t bytes[TEST_VECTOR_LINE_MAX / 2];
        scene_open(&scene, 1);
        set_scope(&scene, 0, 4001);
        struct trp_bytes whole = test_vector_bytes("mdns.txt", names[i], bytes);
        const struct trp_udp_address from = from_of(1);
        for (size_t size = 0; size < whole.size; size++) {
            assert_status(hear_bytes(&scene, &from, trp_bytes(bytes, size)), TRP_EMALFORMED);
        }
        assert_int_equal(scene.parties[0].discovered, 0);
        for (size_t at = 0; at < whole.size; at++) {
            bytes[at] ^= 0xff;
            enum trp_status status = hear_bytes(&scene, &from, whole);
            assert_true(status == TRP_OK || status == TRP_EMALFORMED || status == TRP_EFULL);
            bytes[at] ^= 0xff;
            scene_deliver(&scene);
        }
        scene_close(&scene);
    }
}

static void asks_again_before_a_time_is_over(void **state)
{
    (void)state;
    struct scene scene;
    scene_open(&scene, 1);
    set_scope(&scene, 0, 4001);
    scene_run(&scene, TRP_S(1));
    /* js-libp2p is believed for two minutes. */
    assert_status(hear_vector(&scene, 1, 5353, "js_response"), TRP_OK);
    scene_run(&scene, TRP_S(95));
    uint32_t questions = scene.parties[0].questions;
    scene_run(&scene, TRP_S(4)); /* at 96 to 98.4 s; once for two addresses */
    assert_int_equal(scene.parties[0].questions, questions + 1);
    assert_int_equal(scene.parties[0].expired, 0);
    scene_run(&scene, TRP_S(30));
    assert_int_equal(scene.parties[0].expired, 2);
    scene_close(&scene);
}

static void leaves_out_who_knows_already(void **state)
{
    (void)state;
    struct scene scene;
    struct party *party = &scene.parties[0];
    scene_open(&scene, 1);
    set_scope(&scene, 0, 4001);
    scene_run(&scene, TRP_S(20));
    /* A question with our own answer as known: the PTR of what was said last. */
    uint8_t bytes[TRP_MDNS_PACKET_BYTES_MAX] = {[5] = 1, [7] = 1};
    size_t service = 17;
    size_t answer =
        service + 10 + 1 + TRP_MDNS_LABEL_BYTES + 2; /* the instance ends in a pointer */
    memcpy(bytes + 12, party->packet + 12, service);
    memcpy(bytes + 12 + service, "\0\14\0\1", 4);
    memcpy(bytes + 12 + service + 4, "\300\14", 2); /* the service again */
    memcpy(bytes + 12 + service + 6, party->packet + 12 + service, answer - service);
    size_t size = 12 + service + 6 + answer - service;
    uint32_t answers = party->answers;
    const struct trp_udp_address from = from_of(1);
    assert_status(hear_bytes(&scene, &from, trp_bytes(bytes, size)), TRP_OK);
    scene_run(&scene, TRP_S(2));
    assert_int_equal(party->answers, answers);
    bytes[12 + service + 6 + 4 + 2] = 0; /* its time is almost over */
    bytes[12 + service + 6 + 4 + 3] = 100;
    assert_status(hear_bytes(&scene, &from, trp_bytes(bytes, size)), TRP_OK);
    scene_run(&scene, TRP_S(2));
    assert_int_equal(party->answers, answers + 1);
    scene_close(&scene);
}

static void many_addresses_go_into_several_packets(void **state)
{
    (void)state;
    struct scene scene;
    struct trp_multiaddr told[TRP_MDNS_TOLD_MAX];
    scene_open(&scene, 2);
    const struct trp_interface ip = ip_of(0);
    for (uint32_t i = 0; i < TRP_MDNS_TOLD_MAX; i++) {
        told[i] = trp_multiaddr_from_ip(ip.ip, 4, (uint16_t)(10000 + i));
    }
    const struct trp_mdns_scope scope = {.interface = INTERFACE,
                                         .ips = &ip,
                                         .ips_count = 1,
                                         .told = told,
                                         .told_count = TRP_MDNS_TOLD_MAX};
    assert_status(trp_mdns_set_scope(scene.parties[0].machine, &scope, scene.now), TRP_OK);
    set_scope(&scene, 1, 0);
    scene_run(&scene, TRP_MS(121));
    assert_in_range(scene.parties[0].answers, 3, 4);
    assert_int_equal(scene.parties[1].discovered, 8); /* its share of the memory */
    scene_close(&scene);
}

static void keeps_to_its_limits(void **state)
{
    (void)state;
    struct scene scene;
    scene_open(&scene, 1);
    for (uint32_t i = 0; i <= TRP_MDNS_SCOPES_MAX; i++) {
        const struct trp_interface ip = ip_of(0);
        const struct trp_mdns_scope scope = {.interface = i + 1, .ips = &ip, .ips_count = 1};
        assert_status(trp_mdns_set_scope(scene.parties[0].machine, &scope, scene.now),
                      i < TRP_MDNS_SCOPES_MAX ? TRP_OK : TRP_EFULL);
    }
    trp_mdns_remove_scope(scene.parties[0].machine, 1, false);
    assert_false(trp_mdns_has_scope(scene.parties[0].machine, 1, false));
    assert_true(trp_mdns_has_scope(scene.parties[0].machine, 2, false));
    scene_close(&scene);
}

static void refuses_a_service_that_is_no_name(void **state)
{
    (void)state;
    struct trp_memory memory = trp_memory_init(1u << 20);
    struct trp_mdns_machine *machine;
    char service[256];
    memset(service, 'a', sizeof service);
    for (uint32_t i = 31; i < 255; i += 32) {
        service[i] = '.';
    }
    service[200] = '\0';
    struct trp_mdns_machine_config config = {
        .memory = &memory, .self = peer_of(1), .service = service, .ttl_ns = 1, .interval_ns = 1};
    /* It leaves no room for a label of the greatest length. */
    assert_status(trp_mdns_machine_open(&config, &machine), TRP_EMALFORMED);
    config.service = "_p2p..local";
    assert_status(trp_mdns_machine_open(&config, &machine), TRP_EMALFORMED);
    config.service = "_p2p-1234._udp.local";
    assert_status(trp_mdns_machine_open(&config, &machine), TRP_OK);
    trp_mdns_machine_close(machine);
    assert_int_equal(memory.used_bytes, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hears_rust_go_and_js),
        cmocka_unit_test(answers_rust_go_and_js),
        cmocka_unit_test(finds_each_other),
        cmocka_unit_test(asks_ever_more_seldom_until_somebody_answers),
        cmocka_unit_test(asks_little_when_answered),
        cmocka_unit_test(answers_at_most_once_a_second),
        cmocka_unit_test(answers_single_askers_within_bounds),
        cmocka_unit_test(stands_losses),
        cmocka_unit_test(forgets_who_falls_silent_and_only_them),
        cmocka_unit_test(a_goodbye_is_heard_by_all),
        cmocka_unit_test(new_addresses_are_told_at_once_under_a_new_name),
        cmocka_unit_test(says_nothing_of_itself_without_addresses),
        cmocka_unit_test(takes_only_addresses_of_the_link),
        cmocka_unit_test(hears_nobody_from_beyond_the_link),
        cmocka_unit_test(survives_damage),
        cmocka_unit_test(asks_again_before_a_time_is_over),
        cmocka_unit_test(leaves_out_who_knows_already),
        cmocka_unit_test(many_addresses_go_into_several_packets),
        cmocka_unit_test(keeps_to_its_limits),
        cmocka_unit_test(refuses_a_service_that_is_no_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
