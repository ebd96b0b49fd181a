/* SPDX-License-Identifier: MIT */
#include "proto/mdns/message.h"

#include "lib/test.h"

#include <stdio.h>

#define PEER "12D3KooWA4byD87DAUUnsbc78QMxRPoPia7oZh6oLuZAatB97nwE"

struct scene {
    struct trp_mdns_names names;
    struct trp_peer_id peer;
    struct trp_multiaddr addresses[16];
    struct trp_interface ips[3];
    struct trp_mdns_instance instance;
    uint8_t out[TRP_MDNS_PACKET_BYTES_MAX];
    size_t size;
};

static struct trp_multiaddr address_of(const char *text)
{
    struct trp_multiaddr address;
    assert_status(trp_multiaddr_parse(text, &address, NULL), TRP_OK);
    return address;
}

static void scene_open(struct scene *scene)
{
    *scene = (struct scene){.size = 0};
    assert_status(trp_mdns_names_init("_p2p._udp.local", &scene->names), TRP_OK);
    assert_status(trp_peer_id_parse(PEER, &scene->peer), TRP_OK);
    scene->addresses[0] = address_of("/ip4/10.77.0.3/tcp/4001");
    scene->addresses[1] = address_of("/ip6/fd77::3/tcp/4001");
    scene->ips[0] = (struct trp_interface){.ip = {10, 77, 0, 3}, .ip_bytes = 4};
    scene->ips[1] = (struct trp_interface){.ip = {0xfd, 0x77, [15] = 3}, .ip_bytes = 16};
    scene->ips[2] = (struct trp_interface){.ip = {10, 78, 0, 3}, .ip_bytes = 4};
    scene->instance = (struct trp_mdns_instance){.names = &scene->names,
                                                 .peer = &scene->peer,
                                                 .addresses = scene->addresses,
                                                 .addresses_count = 2,
                                                 .ips = scene->ips,
                                                 .ips_count = 3};
    memset(scene->instance.label, 'x', sizeof scene->instance.label);
}

static enum trp_status scene_write(struct scene *scene, const struct trp_mdns_reply *reply)
{
    return trp_mdns_write_response(&scene->instance, reply, scene->out, sizeof scene->out,
                                   &scene->size);
}

/* Counts the records of a type in a section, and gives the last of them. */
static uint32_t scene_count(const struct scene *scene, enum trp_dns_section section, uint16_t type,
                            struct trp_dns_record *ret_record)
{
    struct trp_dns_reader reader;
    struct trp_dns_record record;
    uint32_t count = 0;
    assert_status(trp_dns_open(trp_bytes(scene->out, scene->size), &reader), TRP_OK);
    enum trp_status status;
    while ((status = trp_dns_next(&reader, &record)) == TRP_OK) {
        if (record.section == section && record.type == type) {
            *ret_record = record;
            count++;
        }
    }
    assert_status(status, TRP_ENOTFOUND);
    return count;
}

static void asks_as_others_do(void **state)
{
    (void)state;
    struct scene scene;
    scene_open(&scene);
    static const char expected[] =
        "000000000001000000000000045f703270045f756470056c6f63616c00000c0001";
    uint8_t bytes[64];
    size_t size = test_unhex(expected, bytes, sizeof bytes);
    assert_status(trp_mdns_write_query(&scene.names, scene.out, sizeof scene.out, &scene.size),
                  TRP_OK);
    assert_int_equal(scene.size, size);
    assert_memory_equal(scene.out, bytes, size);
}

static void answers_with_what_each_peer_reads(void **state)
{
    (void)state;
    struct scene scene;
    struct trp_dns_record record;
    struct trp_bytes text;
    scene_open(&scene);
    const struct trp_mdns_reply reply = {.wants = TRP_MDNS_WANT_INSTANCE, .ttl_s = 360};
    assert_status(scene_write(&scene, &reply), TRP_OK);
    assert_memory_equal(scene.out, "\0\0\204\0\0\0\0\1\0\0\0\4", 12);
    assert_int_equal(scene_count(&scene, TRP_DNS_ANSWER, TRP_DNS_PTR, &record), 1);
    assert_false(record.top); /* others have records of that name */
    assert_int_equal(record.ttl_s, 360);
    assert_int_equal(scene_count(&scene, TRP_DNS_ADDITIONAL, TRP_DNS_TXT, &record), 1);
    assert_true(record.top && record.ttl_s == 360);
    size_t at = 0;
    assert_true(trp_dns_next_text(&record, &at, &text));
    assert_true(trp_bytes_equal(text, trp_bytes_text("dnsaddr=/ip4/10.77.0.3/tcp/4001/p2p/" PEER)));
    assert_true(trp_dns_next_text(&record, &at, &text));
    assert_true(trp_bytes_equal(text, trp_bytes_text("dnsaddr=/ip6/fd77::3/tcp/4001/p2p/" PEER)));
    assert_false(trp_dns_next_text(&record, &at, &text));
    assert_int_equal(scene_count(&scene, TRP_DNS_ADDITIONAL, TRP_DNS_SRV, &record), 1);
    assert_memory_equal(record.data.data, "\0\0\0\0\17\241", 6); /* port 4001 */
    /* One address of each family. */
    assert_int_equal(scene_count(&scene, TRP_DNS_ADDITIONAL, TRP_DNS_A, &record), 1);
    assert_memory_equal(record.data.data, "\12\115\0\3", 4);
    assert_int_equal(record.ttl_s, TRP_MDNS_HOST_TTL_S);
    assert_int_equal(scene_count(&scene, TRP_DNS_ADDITIONAL, TRP_DNS_AAAA, &record), 1);
}

static void answers_stand_where_they_were_asked_for(void **state)
{
    (void)state;
    struct scene scene;
    struct trp_dns_record record;
    scene_open(&scene);
    struct trp_mdns_reply reply = {.wants = TRP_MDNS_WANT_TEXT, .ttl_s = 360};
    assert_status(scene_write(&scene, &reply), TRP_OK);
    assert_int_equal(scene_count(&scene, TRP_DNS_ANSWER, TRP_DNS_TXT, &record), 1);
    assert_int_equal(scene_count(&scene, TRP_DNS_ADDITIONAL, TRP_DNS_A, &record), 0);
    reply.wants = TRP_MDNS_WANT_PORT;
    assert_status(scene_write(&scene, &reply), TRP_OK);
    assert_int_equal(scene_count(&scene, TRP_DNS_ANSWER, TRP_DNS_SRV, &record), 1);
    assert_int_equal(scene_count(&scene, TRP_DNS_ADDITIONAL, TRP_DNS_A, &record), 1);
    reply.wants = TRP_MDNS_WANT_SERVICE;
    assert_status(scene_write(&scene, &reply), TRP_OK);
    assert_int_equal(scene_count(&scene, TRP_DNS_ANSWER, TRP_DNS_PTR, &record), 1);
    reply.wants = TRP_MDNS_WANT_HOST;
    assert_status(scene_write(&scene, &reply), TRP_OK);
    assert_int_equal(scene_count(&scene, TRP_DNS_ANSWER, TRP_DNS_AAAA, &record), 1);
    reply.wants = 0;
    assert_status(scene_write(&scene, &reply), TRP_ENOTFOUND);
}

/* RFC 6762 6.7: the question and its id repeated, a short life, no flush. */
static void answers_plain_resolvers_in_their_way(void **state)
{
    (void)state;
    struct scene scene;
    struct trp_dns_record record;
    scene_open(&scene);
    const struct trp_dns_record question = {
        .name = scene.names.service, .type = TRP_DNS_PTR, .class_ = TRP_DNS_CLASS_IN};
    const struct trp_mdns_reply reply = {
        .wants = TRP_MDNS_WANT_INSTANCE, .ttl_s = 360, .question = &question, .id = 4711};
    assert_status(scene_write(&scene, &reply), TRP_OK);
    assert_memory_equal(scene.out, "\22\147\204\0\0\1", 6);
    assert_int_equal(scene_count(&scene, TRP_DNS_QUESTION, TRP_DNS_PTR, &record), 1);
    assert_int_equal(scene_count(&scene, TRP_DNS_ADDITIONAL, TRP_DNS_TXT, &record), 1);
    assert_false(record.top);
    assert_int_equal(record.ttl_s, TRP_MDNS_LEGACY_TTL_S);
}

static uint32_t wants_of(const struct scene *scene, const char *name, uint16_t type)
{
    struct trp_dns_record question = {.type = type, .class_ = TRP_DNS_CLASS_IN};
    assert_status(trp_dns_name_parse(name, &question.name), TRP_OK);
    return trp_mdns_wants(&scene->instance, &question);
}

static void knows_what_it_is_asked(void **state)
{
    (void)state;
    struct scene scene;
    scene_open(&scene);
#define LABEL "XXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXX"
    assert_int_equal(wants_of(&scene, "_P2P._udp.local", TRP_DNS_PTR), TRP_MDNS_WANT_INSTANCE);
    assert_int_equal(wants_of(&scene, "_p2p._udp.local", TRP_DNS_ANY), TRP_MDNS_WANT_INSTANCE);
    assert_int_equal(wants_of(&scene, "_p2p._udp.local", TRP_DNS_TXT), 0);
    assert_int_equal(wants_of(&scene, "_services._dns-sd._udp.local", TRP_DNS_PTR),
                     TRP_MDNS_WANT_SERVICE);
    assert_int_equal(wants_of(&scene, LABEL "._p2p._udp.local", TRP_DNS_TXT), TRP_MDNS_WANT_TEXT);
    assert_int_equal(wants_of(&scene, LABEL "._p2p._udp.local", TRP_DNS_SRV), TRP_MDNS_WANT_PORT);
    assert_int_equal(wants_of(&scene, LABEL "._p2p._udp.local", TRP_DNS_ANY),
                     TRP_MDNS_WANT_TEXT | TRP_MDNS_WANT_PORT);
    assert_int_equal(wants_of(&scene, LABEL ".p2p.local", TRP_DNS_AAAA), TRP_MDNS_WANT_HOST);
    assert_int_equal(wants_of(&scene, LABEL ".p2p.local", TRP_DNS_PTR), 0);
    assert_int_equal(wants_of(&scene, "other._p2p._udp.local", TRP_DNS_TXT), 0);
    assert_int_equal(wants_of(&scene, "_http._tcp.local", TRP_DNS_PTR), 0);
}

static void leaves_out_what_fits_no_string(void **state)
{
    (void)state;
    struct scene scene;
    struct trp_dns_record record;
    struct trp_bytes text;
    char name[160];
    char address[200];
    scene_open(&scene);
    memset(name, 'n', sizeof name);
    name[119] = '\0';
    (void)snprintf(address, sizeof address, "/dns4/%s/tcp/4001/ws", name);
    scene.addresses[0] = address_of(address); /* 215 bytes with peer and key */
    name[119] = 'n';
    name[149] = '\0';
    (void)snprintf(address, sizeof address, "/dns4/%s/tcp/4001/wss", name);
    assert_status(trp_multiaddr_parse(address, &scene.addresses[1], NULL), TRP_OK);
    const struct trp_mdns_reply reply = {.wants = TRP_MDNS_WANT_TEXT, .ttl_s = 1};
    assert_status(scene_write(&scene, &reply), TRP_OK);
    assert_int_equal(scene_count(&scene, TRP_DNS_ANSWER, TRP_DNS_TXT, &record), 1);
    size_t at = 0;
    assert_true(trp_dns_next_text(&record, &at, &text));
    assert_int_equal(text.size, 8 + 6 + 119 + 9 + 3 + 5 + strlen(PEER));
    assert_false(trp_dns_next_text(&record, &at, &text)); /* it has no room for the peer at all */
    scene.instance.addresses_count = 0;
    assert_status(scene_write(&scene, &reply), TRP_OK);
    assert_int_equal(scene_count(&scene, TRP_DNS_ANSWER, TRP_DNS_TXT, &record), 1);
    assert_int_equal(record.data.size, 1); /* RFC 6763 6.1: an empty string */
}

static void splits_addresses_into_packets(void **state)
{
    (void)state;
    struct scene scene;
    scene_open(&scene);
    for (uint32_t i = 0; i < 16; i++) {
        char text[64];
        (void)snprintf(text, sizeof text, "/ip4/10.77.0.%u/tcp/4001", 100 + i);
        scene.addresses[i] = address_of(text);
    }
    uint32_t fitting = trp_mdns_fitting(&scene.peer, scene.addresses, 16);
    assert_in_range(fitting, 8, 15);
    assert_int_equal(trp_mdns_fitting(&scene.peer, scene.addresses, 1), 1);
    scene.instance.addresses_count = fitting;
    const struct trp_mdns_reply reply = {.wants = TRP_MDNS_WANT_ALL, .ttl_s = 360};
    assert_status(scene_write(&scene, &reply), TRP_OK);
    for (size_t room = TRP_DNS_HEADER_BYTES; room < scene.size; room++) {
        size_t size;
        assert_status(trp_mdns_write_response(&scene.instance, &reply, scene.out, room, &size),
                      TRP_ETOOBIG);
    }
}

static void reads_addresses_with_a_peer_alone(void **state)
{
    (void)state;
    struct trp_peer_id peer;
    struct trp_multiaddr address;
    char text[TRP_MULTIADDR_TEXT_MAX];
    assert_status(
        trp_mdns_read_text(trp_bytes_text("dnsaddr=/ip4/1.2.3.4/tcp/5/p2p/" PEER), &peer, &address),
        TRP_OK);
    trp_multiaddr_print(&address, text);
    assert_string_equal(text, "/ip4/1.2.3.4/tcp/5");
    assert_status(
        trp_mdns_read_text(trp_bytes_text("dnsaddr=/ip6zone/eth0/ip6/fe80::1/tcp/5/p2p/" PEER),
                           &peer, &address),
        TRP_OK);
    trp_multiaddr_print(&address, text);
    assert_string_equal(text, "/ip6/fe80::1/tcp/5");
    static const char *const bad[] = {"",
                                      "dnsaddr=",
                                      "dnsaddr=/ip4/1.2.3.4/tcp/5",
                                      "dnsaddr=/p2p/" PEER,
                                      "dnsaddr=ip4/1.2.3.4/tcp/5/p2p/" PEER,
                                      "Dnsaddr=/ip4/1.2.3.4/tcp/5/p2p/" PEER,
                                      "dnsaddr=/ip4/1.2.3.4/tcp/5/p2p/12D3KooW"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_status(trp_mdns_read_text(trp_bytes_text(bad[i]), &peer, &address), TRP_EMALFORMED);
    }
    static const char nul[] = "dnsaddr=/ip4/1.2.3.4/tcp/5/p2p/" PEER "\0/x";
    assert_status(trp_mdns_read_text(trp_bytes(nul, sizeof nul - 1), &peer, &address),
                  TRP_EMALFORMED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(asks_as_others_do),
        cmocka_unit_test(answers_with_what_each_peer_reads),
        cmocka_unit_test(answers_stand_where_they_were_asked_for),
        cmocka_unit_test(answers_plain_resolvers_in_their_way),
        cmocka_unit_test(knows_what_it_is_asked),
        cmocka_unit_test(leaves_out_what_fits_no_string),
        cmocka_unit_test(splits_addresses_into_packets),
        cmocka_unit_test(reads_addresses_with_a_peer_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
