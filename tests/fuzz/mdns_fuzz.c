/* SPDX-License-Identifier: MIT */
/* The mDNS machine on a network of strangers: packets from anywhere, addresses that come and go,
 * time. What it says must be messages within bounds, and it must always let time pass.
 *
 * Input      operations: u8 kind (below), then its arguments. */
#include "base/assert.h"
#include "proto/mdns/mdns.h"

enum operation {
    OPERATION_HEAR,  /* u8 source, u16 port, u8 size / 4, packet */
    OPERATION_WAIT,  /* u8 exponent of nanoseconds, at most 2^41 */
    OPERATION_SCOPE, /* u8 interface and family, u8 addresses told */
    OPERATION_REMOVE,
    OPERATION_LEAVE,
    OPERATION_DRAIN,
    OPERATIONS
};

#define ADDRESSES_MAX 16u
#define TURNS_MAX     10000u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct fuzz {
    struct trp_memory memory;
    struct trp_mdns_machine *machine;
    struct trp_bytes in;
    trp_time now;
    uint32_t known;
};

static uint32_t take(struct fuzz *fuzz, size_t bytes)
{
    uint32_t value = 0;
    for (; bytes > 0; bytes--) {
        value = value << 8 | (fuzz->in.size > 0 ? fuzz->in.data[0] : 0u);
        fuzz->in = trp_bytes_skip(fuzz->in, 1);
    }
    return value;
}

static struct trp_interface ip_of(uint32_t last, bool ip6)
{
    struct trp_interface ip = {.index = 1, .ip_bytes = ip6 ? 16 : 4, .prefix_bits = ip6 ? 64 : 23};
    memcpy(ip.ip, ip6 ? "\376\200" : "\12\115", 2);
    ip.ip[ip6 ? 15 : 3] = (uint8_t)last;
    return ip;
}

static void check_packet(const struct trp_mdns_packet *packet)
{
    struct trp_dns_reader reader;
    struct trp_dns_record record;
    TRP_ASSERT(packet->bytes.size <= TRP_MDNS_PACKET_BYTES_MAX);
    TRP_ASSERT(trp_dns_open(packet->bytes, &reader) == TRP_OK);
    enum trp_status status;
    while ((status = trp_dns_next(&reader, &record)) == TRP_OK) {
    }
    TRP_ASSERT(status == TRP_ENOTFOUND);
}

static void drain(struct fuzz *fuzz)
{
    struct trp_mdns_news news;
    struct trp_mdns_packet packet;
    uint32_t turns = 0;
    while (trp_mdns_next_news(fuzz->machine, &news)) {
        fuzz->known += news.kind == TRP_MDNS_DISCOVERED;
        TRP_ASSERT(fuzz->known > 0 && fuzz->known <= ADDRESSES_MAX);
        fuzz->known -= news.kind == TRP_MDNS_EXPIRED;
    }
    while (trp_mdns_next_packet(fuzz->machine, &packet)) {
        check_packet(&packet);
        TRP_ASSERT(++turns < TURNS_MAX);
    }
}

static void hear(struct fuzz *fuzz)
{
    uint32_t source = take(fuzz, 1);
    const struct trp_interface ip = ip_of(source & 0x7f, (source & 0x80) != 0);
    struct trp_udp_address from = {.ip_bytes = ip.ip_bytes, .port = (uint16_t)take(fuzz, 2)};
    memcpy(from.ip, ip.ip, sizeof from.ip);
    size_t size = 4 * take(fuzz, 1);
    size = size < fuzz->in.size ? size : fuzz->in.size;
    enum trp_status status =
        trp_mdns_recv(fuzz->machine, 1, &from, trp_bytes(fuzz->in.data, size), fuzz->now);
    TRP_ASSERT(status != TRP_EINVAL);
    fuzz->in = trp_bytes_skip(fuzz->in, size);
}

static void wait(struct fuzz *fuzz)
{
    trp_time until = fuzz->now + (1ull << take(fuzz, 1) % 42u);
    uint32_t turns = 0;
    for (trp_time at; (at = trp_mdns_deadline(fuzz->machine)) <= until;) {
        fuzz->now = at > fuzz->now ? at : fuzz->now;
        trp_mdns_expire(fuzz->machine, fuzz->now);
        drain(fuzz);
        TRP_ASSERT(trp_mdns_deadline(fuzz->machine) > fuzz->now || ++turns < TURNS_MAX);
    }
    fuzz->now = until;
}

static void set_scope(struct fuzz *fuzz)
{
    struct trp_multiaddr told[TRP_MDNS_TOLD_MAX + 4];
    uint32_t which = take(fuzz, 1);
    bool ip6 = (which & 1) != 0;
    const struct trp_interface ips[2] = {ip_of(1, false), ip_of(1, true)};
    struct trp_mdns_scope scope = {.interface = 1 + (which >> 1) % 3,
                                   .ip6 = ip6,
                                   .ips = ips,
                                   .ips_count = 2,
                                   .told = told,
                                   .told_count = take(fuzz, 1) % (TRP_MDNS_TOLD_MAX + 4)};
    for (uint32_t i = 0; i < scope.told_count; i++) {
        told[i] = trp_multiaddr_from_ip(ips[i % 2].ip, ips[i % 2].ip_bytes, (uint16_t)(i + which));
    }
    enum trp_status status = trp_mdns_set_scope(fuzz->machine, &scope, fuzz->now);
    TRP_ASSERT(status == TRP_OK);
}

static void operate(struct fuzz *fuzz)
{
    uint32_t which;
    switch ((enum operation)(take(fuzz, 1) % OPERATIONS)) {
    case OPERATION_HEAR:
        hear(fuzz);
        break;
    case OPERATION_WAIT:
        wait(fuzz);
        break;
    case OPERATION_SCOPE:
        set_scope(fuzz);
        break;
    case OPERATION_REMOVE:
        which = take(fuzz, 1);
        trp_mdns_remove_scope(fuzz->machine, 1 + (which >> 1) % 3, (which & 1) != 0);
        break;
    case OPERATION_LEAVE:
        trp_mdns_machine_leave(fuzz->machine);
        break;
    case OPERATION_DRAIN:
    case OPERATIONS:
        break;
    }
    drain(fuzz);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz fuzz = {
        .memory = trp_memory_init(1u << 24), .in = trp_bytes(data, size), .now = TRP_S(1)};
    const struct trp_mdns_machine_config config = {
        .memory = &fuzz.memory,
        .self = {.size = 38, .bytes = {0, 36, 8, 1, 18, 32}},
        .seed = 1,
        .service = "_p2p._udp.local",
        .interval_ns = TRP_MIN(5),
        .ttl_ns = TRP_MIN(6),
        .addresses_max = ADDRESSES_MAX,
        .addresses_per_peer = 8};
    TRP_ASSERT(trp_mdns_machine_open(&config, &fuzz.machine) == TRP_OK);
    while (fuzz.in.size > 0) {
        operate(&fuzz);
    }
    trp_mdns_machine_close(fuzz.machine);
    TRP_ASSERT(fuzz.memory.used_bytes == 0);
    return 0;
}
