/* SPDX-License-Identifier: MIT */
#include "base/prng.h"
#include "lib/test.h"

#include <troupe/multiaddr.h>

#define PEER     "QmcgpsyWgH8Y8ajJz1Cu72KnS5uo2Aa2LpzU7kinSupNKC"
#define PEER_HEX "a503221220d52ebb89d85b02a284948203a62ff28389c57c9f42beec4ec20db76a68911c0b"

/* Of go-multiaddr's and rust-multiaddr's tests, which agree. */
static const struct {
    const char *text;
    const char *hex;
} pairs[] = {
    {"/ip4/1.2.3.4", "0401020304"},
    {"/ip4/0.0.0.0", "0400000000"},
    {"/ip4/127.0.0.1/udp/1234", "047f000001910204d2"},
    {"/ip4/127.0.0.1/tcp/4321", "047f0000010610e1"},
    {"/ip4/127.0.0.1/tcp/8020", "047f000001061f54"},
    {"/ip4/127.0.0.1/udp/1234/ws", "047f000001910204d2dd03"},
    {"/ip4/127.0.0.1/tcp/443/tls/ws", "047f0000010601bbc003dd03"},
    {"/ip4/127.0.0.1/tcp/443/tls/sni/example.com/ws",
     "047f0000010601bbc003c1030b6578616d706c652e636f6ddd03"},
    {"/ip4/127.0.0.1/tcp/443/wss", "047f0000010601bbde03"},
    {"/ip4/127.0.0.1/udp/9090/quic", "047f00000191022382cc03"},
    {"/ip4/127.0.0.1/udp/9090/quic-v1", "047f00000191022382cd03"},
    {"/ip6/2601:9:4f81:9700:803e:ca65:66e8:c21", "29260100094f819700803eca6566e80c21"},
    {"/ip6/2601:9:4f81:9700:803e:ca65:66e8:c21/udp/1234/quic",
     "29260100094f819700803eca6566e80c21910204d2cc03"},
    {"/ip6/::", "2900000000000000000000000000000000"},
    {"/ip6/::1/tcp/1", "2900000000000000000000000000000001060001"},
    {"/ip6/2001:db8::1:0:0:1", "2920010db8000000000001000000000001"},
    {"/ip6/2001:db8:0:1:1:1:1:1", "2920010db8000000010001000100010001"},
    {"/ip6/1::", "2900010000000000000000000000000000"},
    {"/ip6/::ffff:127.0.0.1", "2900000000000000000000ffff7f000001"},
    {"/dns/example.com", "350b6578616d706c652e636f6d"},
    {"/dns4/example.com/tcp/80", "360b6578616d706c652e636f6d060050"},
    {"/dns6/example.com", "370b6578616d706c652e636f6d"},
    {"/dnsaddr/bootstrap.libp2p.io", "3813626f6f7473747261702e6c69627032702e696f"},
    {"/p2p/" PEER, PEER_HEX},
    {"/ip4/127.0.0.1/tcp/4001/p2p/" PEER "/p2p-circuit", "047f000001060fa1" PEER_HEX "a202"},
    {"/memory/4", "89060000000000000004"},
    {"/memory/18446744073709551615", "8906ffffffffffffffff"},
    {"/ip4/1.2.3.4/tcp/443/tls/http-path/a%2Fb", "04010203040601bbc003e10303612f62"},
};

static struct trp_multiaddr unhex_addr(const char *hex)
{
    uint8_t bytes[TRP_MULTIADDR_BYTES_MAX];
    struct trp_multiaddr addr;
    size_t size = test_unhex(hex, bytes, sizeof bytes);
    assert_status(trp_multiaddr_decode(trp_bytes(bytes, size), &addr), TRP_OK);
    return addr;
}

static void text_and_bytes_agree(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        struct trp_multiaddr decoded = unhex_addr(pairs[i].hex);
        struct trp_multiaddr parsed;
        char text[TRP_MULTIADDR_TEXT_MAX];
        trp_multiaddr_print(&decoded, text);
        assert_string_equal(text, pairs[i].text);
        assert_status(trp_multiaddr_parse(pairs[i].text, &parsed, NULL), TRP_OK);
        assert_true(trp_multiaddr_equal(&parsed, &decoded));
        assert_memory_equal(&parsed, &decoded, sizeof parsed); /* unused bytes are zero */
    }
}

static void other_spellings_mean_the_same(void **state)
{
    (void)state;
    static const char *const spellings[][2] = {
        {"/ipfs/" PEER, "/p2p/" PEER},
        {"/p2p/bafzbeigvf25ytwc3akrijfecaotc74udrhcxzh2cx3we5qqnw5vgrei4bm", "/p2p/" PEER},
        {"/ip6/2001:DB8:0:0:0:0:0:1", "/ip6/2001:db8::1"},
        {"/ip6/::1.2.3.4", "/ip6/::102:304"},
        {"/ip6/0:0:0:0:0:ffff:1.2.3.4", "/ip6/::ffff:1.2.3.4"},
        {"/ip6/1:2:3:4:5:6:7::", "/ip6/1:2:3:4:5:6:7:0"},
        {"/ip6/::2:3:4:5:6:7:8", "/ip6/0:2:3:4:5:6:7:8"},
        {"/ip6/1:0:0:2:0:0:0:3", "/ip6/1:0:0:2::3"},
        {"/http-path/%7eok", "/http-path/~ok"},
    };
    for (size_t i = 0; i < sizeof spellings / sizeof spellings[0]; i++) {
        struct trp_multiaddr addr;
        char text[TRP_MULTIADDR_TEXT_MAX];
        assert_status(trp_multiaddr_parse(spellings[i][0], &addr, NULL), TRP_OK);
        trp_multiaddr_print(&addr, text);
        assert_string_equal(text, spellings[i][1]);
    }
}

static void errors_point_at_what_does_not_fit(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t at;
    } bad[] = {
        {"", 0},
        {"/", 1},
        {"ip4/1.2.3.4", 0},
        {"//", 1},
        {"/ip4", 4},
        {"/ip4/", 5},
        {"/ip4/1.2.3", 5},
        {"/ip4/1.2.3.4.5", 5},
        {"/ip4/1.2.3.256", 5},
        {"/ip4/1.2.3.04", 5},
        {"/ip4/1.2.3.4/", 13},
        {"/ip4/1.2.3.4/tpc/80", 13},
        {"/ip4/1.2.3.4/tcp", 16},
        {"/ip4/1.2.3.4/tcp/65536", 17},
        {"/ip4/1.2.3.4/tcp/-1", 17},
        {"/ip4/1.2.3.4/tcp/080", 17},
        {"/ip4/1.2.3.4/tcp/80x", 17},
        {"/ip6/1:2:3", 5},
        {"/ip6/1::2::3", 5},
        {"/ip6/1:2:3:4:5:6:7:8:9", 5},
        {"/ip6/1:2:3:4:5:6:7:8::", 5},
        {"/ip6/12345::", 5},
        {"/ip6/:1", 5},
        {"/ip6/1:", 5},
        {"/ip6/:::", 5},
        {"/ip6/1:2:3:4:5:6:7:1.2.3.4", 5},
        {"/ip6/::1%eth0", 5},
        {"/dns/", 5},
        {"/dns/a b", 5},
        {"/p2p/Qmx", 5},
        {"/memory/18446744073709551616", 8},
        {"/http-path/%2", 11},
        {"/http-path/%zz", 11},
        {"/quic/quic/x", 11},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct trp_multiaddr addr;
        size_t at = SIZE_MAX;
        assert_status(trp_multiaddr_parse(bad[i].text, &addr, &at), TRP_EMALFORMED);
        assert_int_equal(at, bad[i].at);
        assert_status(trp_multiaddr_parse(bad[i].text, &addr, NULL), TRP_EMALFORMED);
    }
}

static void every_truncation_is_refused_or_a_shorter_address(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        struct trp_multiaddr whole = unhex_addr(pairs[i].hex);
        size_t boundaries = 0;
        struct trp_multiaddr_part part;
        for (size_t at = 0; trp_multiaddr_next(&whole, &at, &part);) {
            boundaries++;
        }
        size_t accepted = 0;
        for (size_t cut = 1; cut <= whole.size; cut++) {
            struct trp_multiaddr addr;
            enum trp_status status = trp_multiaddr_decode(trp_bytes(whole.bytes, cut), &addr);
            assert_true(status == TRP_OK || status == TRP_EMALFORMED);
            accepted += status == TRP_OK;
        }
        assert_int_equal(accepted, boundaries);
    }
}

static void refuses_bytes_that_no_address_has(void **state)
{
    (void)state;
    static const struct {
        const char *hex;
        enum trp_status status;
    } bad[] = {
        {"", TRP_EMALFORMED},
        {"8400", TRP_EMALFORMED},                   /* padded code */
        {"350b6578616d706c65", TRP_EMALFORMED},     /* shorter than its length */
        {"3500", TRP_EMALFORMED},                   /* no name */
        {"3503612f62", TRP_EMALFORMED},             /* a slash in a name */
        {"3503610062", TRP_EMALFORMED},             /* a NUL in a name */
        {"a50303001200", TRP_EMALFORMED},           /* no peer id */
        {"35ffffffffffffffff7f61", TRP_EMALFORMED}, /* an absurd length */
        {"d103", TRP_EUNSUPPORTED},                 /* webtransport */
        {"047f000001910204d2ffff03", TRP_EUNSUPPORTED},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        uint8_t bytes[64];
        struct trp_multiaddr addr;
        size_t size = test_unhex(bad[i].hex, bytes, sizeof bytes);
        assert_status(trp_multiaddr_decode(trp_bytes(bytes, size), &addr), bad[i].status);
    }
    static const uint8_t large[TRP_MULTIADDR_BYTES_MAX + 1];
    struct trp_multiaddr addr;
    assert_status(trp_multiaddr_decode(trp_bytes(large, sizeof large), &addr), TRP_ETOOBIG);
    uint8_t wordy[190]; /* valid, but its text is longer than TRP_MULTIADDR_TEXT_MAX */
    for (size_t i = 0; i < sizeof wordy; i += 2) {
        wordy[i] = 0xa2;
        wordy[i + 1] = 0x02;
    }
    assert_status(trp_multiaddr_decode(trp_bytes(wordy, sizeof wordy), &addr), TRP_ETOOBIG);
}

static void too_long_texts_are_too_big(void **state)
{
    (void)state;
    char text[1200];
    struct trp_multiaddr addr;
    memcpy(text, "/dns/", 5);
    memset(text + 5, 'a', 300);
    text[305] = '\0';
    assert_status(trp_multiaddr_parse(text, &addr, NULL), TRP_ETOOBIG);
    text[5 + 187] = '\0'; /* 2 bytes of code and length before it, 190 in all */
    assert_status(trp_multiaddr_parse(text, &addr, NULL), TRP_OK);
    memset(text, 0, sizeof text);
    for (size_t i = 0; i < 90; i++) {
        memcpy(text + 12 * i, "/p2p-circuit", 12);
    }
    assert_status(trp_multiaddr_parse(text, &addr, NULL), TRP_ETOOBIG);
}

static void peer_goes_on_and_comes_off(void **state)
{
    (void)state;
    struct trp_multiaddr bare;
    struct trp_multiaddr with;
    struct trp_peer_id id;
    struct trp_peer_id found;
    assert_status(trp_peer_id_parse(PEER, &id), TRP_OK);
    assert_status(trp_multiaddr_parse("/ip4/1.2.3.4/tcp/5", &bare, NULL), TRP_OK);
    assert_status(trp_multiaddr_peer(&bare, &found), TRP_ENOTFOUND);
    assert_status(trp_multiaddr_with_peer(&bare, &id, &with), TRP_OK);
    char text[TRP_MULTIADDR_TEXT_MAX];
    trp_multiaddr_print(&with, text);
    assert_string_equal(text, "/ip4/1.2.3.4/tcp/5/p2p/" PEER);
    assert_status(trp_multiaddr_peer(&with, &found), TRP_OK);
    assert_true(trp_peer_id_equal(&found, &id));
    struct trp_multiaddr again = trp_multiaddr_without_peer(&with);
    assert_memory_equal(&again, &bare, sizeof bare);
    again = trp_multiaddr_without_peer(&bare);
    assert_memory_equal(&again, &bare, sizeof bare);

    /* A relay's id in the middle is not the peer's. */
    assert_status(trp_multiaddr_parse("/ip4/1.2.3.4/tcp/5/p2p/" PEER "/p2p-circuit", &with, NULL),
                  TRP_OK);
    assert_status(trp_multiaddr_peer(&with, &found), TRP_ENOTFOUND);
    again = trp_multiaddr_without_peer(&with);
    assert_true(trp_multiaddr_equal(&again, &with));

    struct trp_multiaddr none = {.size = 0};
    assert_status(trp_multiaddr_peer(&none, &found), TRP_ENOTFOUND);

    char long_text[300] = "/dns/";
    memset(long_text + 5, 'a', 160);
    assert_status(trp_multiaddr_parse(long_text, &bare, NULL), TRP_OK);
    assert_status(trp_multiaddr_with_peer(&bare, &id, &with), TRP_EFULL);
}

static void endpoints_are_taken_apart(void **state)
{
    (void)state;
    struct trp_multiaddr addr;
    struct trp_endpoint endpoint;
    assert_status(trp_multiaddr_parse("/ip4/1.2.3.4/tcp/500/p2p/" PEER, &addr, NULL), TRP_OK);
    assert_status(trp_multiaddr_tcp(&addr, &endpoint), TRP_OK);
    assert_int_equal(endpoint.host, TRP_MA_IP4);
    assert_int_equal(endpoint.port, 500);
    assert_memory_equal(endpoint.ip, "\1\2\3\4", 4);
    assert_status(trp_multiaddr_parse("/dns6/example.com/tcp/1", &addr, NULL), TRP_OK);
    assert_status(trp_multiaddr_tcp(&addr, &endpoint), TRP_OK);
    assert_int_equal(endpoint.host, TRP_MA_DNS6);
    assert_string_equal(endpoint.name, "example.com");
    static const char *const other[] = {
        "/ip4/1.2.3.4",
        "/ip4/1.2.3.4/udp/500",
        "/ip4/1.2.3.4/tcp/500/ws",
        ("/ip4/1.2.3.4/tcp/500/p2p/" PEER "/p2p-circuit"),
        "/dnsaddr/example.com/tcp/1",
        "/p2p/" PEER,
    };
    for (size_t i = 0; i < sizeof other / sizeof other[0]; i++) {
        assert_status(trp_multiaddr_parse(other[i], &addr, NULL), TRP_OK);
        assert_status(trp_multiaddr_tcp(&addr, &endpoint), TRP_EUNSUPPORTED);
    }
}

static void zones_stand_in_front(void **state)
{
    (void)state;
    struct trp_multiaddr bare;
    struct trp_multiaddr zoned;
    struct trp_endpoint endpoint;
    char text[TRP_MULTIADDR_TEXT_MAX];
    assert_status(trp_multiaddr_parse("/ip6/fe80::1/tcp/4001", &bare, NULL), TRP_OK);
    assert_status(trp_multiaddr_with_zone(&bare, "eth0", &zoned), TRP_OK);
    trp_multiaddr_print(&zoned, text);
    assert_string_equal(text, "/ip6zone/eth0/ip6/fe80::1/tcp/4001");
    assert_true(trp_multiaddr_has_zone(&zoned));
    assert_false(trp_multiaddr_has_zone(&bare));
    struct trp_multiaddr again = trp_multiaddr_without_zone(&zoned);
    assert_true(trp_multiaddr_equal(&again, &bare));
    again = trp_multiaddr_without_zone(&bare);
    assert_true(trp_multiaddr_equal(&again, &bare));
    assert_status(trp_multiaddr_tcp(&zoned, &endpoint), TRP_OK);
    assert_int_equal(endpoint.host, TRP_MA_IP6);
    assert_int_equal(endpoint.port, 4001);
    assert_string_equal(endpoint.name, "eth0");
    assert_status(trp_multiaddr_tcp(&bare, &endpoint), TRP_OK);
    assert_string_equal(endpoint.name, "");
    assert_status(trp_multiaddr_with_zone(&bare, "", &zoned), TRP_EINVAL);
    assert_status(trp_multiaddr_with_zone(&bare, "a/b", &zoned), TRP_EINVAL);
    char zone[200];
    memset(zone, 'z', sizeof zone);
    zone[180] = '\0';
    assert_status(trp_multiaddr_with_zone(&bare, zone, &zoned), TRP_EFULL);
    static const char *const other[] = {"/ip6zone/eth0/ip4/1.2.3.4/tcp/1",
                                        "/ip6zone/eth0/dns6/example.com/tcp/1", "/ip6zone/eth0"};
    for (size_t i = 0; i < sizeof other / sizeof other[0]; i++) {
        assert_status(trp_multiaddr_parse(other[i], &zoned, NULL), TRP_OK);
        assert_status(trp_multiaddr_tcp(&zoned, &endpoint), TRP_EUNSUPPORTED);
    }
}

static void made_from_an_ip(void **state)
{
    (void)state;
    char text[TRP_MULTIADDR_TEXT_MAX];
    struct trp_multiaddr addr = trp_multiaddr_from_ip((const uint8_t[4]){10, 0, 0, 1}, 4, 4001);
    trp_multiaddr_print(&addr, text);
    assert_string_equal(text, "/ip4/10.0.0.1/tcp/4001");
    addr = trp_multiaddr_from_ip((const uint8_t[16]){0xfe, 0x80, [15] = 1}, 16, 1);
    trp_multiaddr_print(&addr, text);
    assert_string_equal(text, "/ip6/fe80::1/tcp/1");
}

/* Whatever decodes prints, and parses back to the same bytes. */
static void keyed_addresses_survive_text(void **state)
{
    (void)state;
    unsigned decoded = 0;
    for (uint64_t round = 0; round < 20000; round++) {
        uint8_t bytes[64];
        size_t size = 0;
        for (uint32_t part = 0; part < 3; part++) {
            static const char *const heads[] = {"04",   "06",   "29",   "910200",
                                                "cd03", "8906", "3505", "e10304"};
            static const size_t values[] = {4, 2, 16, 1, 0, 8, 5, 4};
            uint32_t kind = trp_draw_below(trp_draw(7, round, part, 0), 8);
            size += test_unhex(heads[kind], bytes + size, 4);
            for (size_t i = 0; i < values[kind]; i++) {
                uint64_t draw = trp_draw(7, round, part, 1 + i);
                bytes[size++] = (uint8_t)(draw >> 32 & 1 ? draw : 0);
            }
        }
        struct trp_multiaddr addr;
        struct trp_multiaddr again;
        if (trp_multiaddr_decode(trp_bytes(bytes, size), &addr) == TRP_OK) {
            char text[TRP_MULTIADDR_TEXT_MAX];
            trp_multiaddr_print(&addr, text);
            assert_status(trp_multiaddr_parse(text, &again, NULL), TRP_OK);
            assert_true(trp_multiaddr_equal(&addr, &again));
            decoded++;
        }
    }
    assert_true(decoded > 5000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_and_bytes_agree),
        cmocka_unit_test(other_spellings_mean_the_same),
        cmocka_unit_test(errors_point_at_what_does_not_fit),
        cmocka_unit_test(every_truncation_is_refused_or_a_shorter_address),
        cmocka_unit_test(refuses_bytes_that_no_address_has),
        cmocka_unit_test(too_long_texts_are_too_big),
        cmocka_unit_test(peer_goes_on_and_comes_off),
        cmocka_unit_test(endpoints_are_taken_apart),
        cmocka_unit_test(zones_stand_in_front),
        cmocka_unit_test(made_from_an_ip),
        cmocka_unit_test(keyed_addresses_survive_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
