/* SPDX-License-Identifier: MIT */
/* Addresses in binary: a sequence of uvarint code and value, the value behind a uvarint length
 * where its size is not fixed. */
#include "wire/multiaddr.h"

#include "base/assert.h"
#include "base/endian.h"
#include "wire/writer.h"

#define HOST_NAME_MAX_BYTES 253u /* RFC 1035 */

/* code, kind of value, name, bytes and longest text of a fixed value */
#define PROTOCOL(code, value, name, bytes, text)                                                   \
    {                                                                                              \
        (code), TRP_MA_VALUE_##value, (bytes), (uint8_t)(sizeof(name) + 1 + (text)), (name)        \
    }

/* The most common first; alias names after their canonical ones. */
static const struct trp_multiaddr_protocol protocols[] = {
    PROTOCOL(TRP_MA_IP4, IP4, "ip4", 4, 15),
    PROTOCOL(TRP_MA_TCP, PORT, "tcp", 2, 5),
    PROTOCOL(TRP_MA_IP6, IP6, "ip6", 16, 39),
    PROTOCOL(TRP_MA_P2P, PEER, "p2p", 0, 0),
    PROTOCOL(TRP_MA_UDP, PORT, "udp", 2, 5),
    PROTOCOL(TRP_MA_QUIC_V1, NONE, "quic-v1", 0, 0),
    PROTOCOL(TRP_MA_WS, NONE, "ws", 0, 0),
    PROTOCOL(TRP_MA_TLS, NONE, "tls", 0, 0),
    PROTOCOL(TRP_MA_DNS, HOST, "dns", 0, 0),
    PROTOCOL(TRP_MA_DNS4, HOST, "dns4", 0, 0),
    PROTOCOL(TRP_MA_DNS6, HOST, "dns6", 0, 0),
    PROTOCOL(TRP_MA_DNSADDR, HOST, "dnsaddr", 0, 0),
    PROTOCOL(TRP_MA_CIRCUIT, NONE, "p2p-circuit", 0, 0),
    PROTOCOL(TRP_MA_SNI, HOST, "sni", 0, 0),
    PROTOCOL(TRP_MA_QUIC, NONE, "quic", 0, 0),
    PROTOCOL(TRP_MA_WSS, NONE, "wss", 0, 0),
    PROTOCOL(TRP_MA_HTTP_PATH, PATH, "http-path", 0, 0),
    PROTOCOL(TRP_MA_MEMORY, NUMBER, "memory", 8, 20),
    PROTOCOL(TRP_MA_IP6ZONE, HOST, "ip6zone", 0, 0),
    PROTOCOL(TRP_MA_P2P, PEER, "ipfs", 0, 0),
};

#define PROTOCOLS_COUNT (sizeof protocols / sizeof protocols[0])

const struct trp_multiaddr_protocol *trp_multiaddr_protocol_by_code(uint64_t code)
{
    for (size_t i = 0; i < PROTOCOLS_COUNT; i++) {
        if (protocols[i].code == code) {
            return &protocols[i];
        }
    }
    return NULL;
}

const struct trp_multiaddr_protocol *trp_multiaddr_protocol_by_name(struct trp_bytes name)
{
    for (size_t i = 0; i < PROTOCOLS_COUNT; i++) {
        if (trp_bytes_equal(trp_bytes_text(protocols[i].name), name)) {
            return &protocols[i];
        }
    }
    return NULL;
}

/* A host name goes into texts and to resolvers as it is: printable, and no separator. */
static bool host_is_valid(struct trp_bytes name)
{
    for (size_t i = 0; i < name.size; i++) {
        if (name.data[i] <= ' ' || name.data[i] == '/' || name.data[i] == 0x7f) {
            return false;
        }
    }
    return name.size > 0 && name.size <= HOST_NAME_MAX_BYTES;
}

bool trp_multiaddr_value_is_valid(enum trp_multiaddr_value value, struct trp_bytes bytes)
{
    struct trp_peer_id id;
    switch (value) {
    case TRP_MA_VALUE_HOST:
        return host_is_valid(bytes);
    case TRP_MA_VALUE_PATH:
        return bytes.size > 0;
    case TRP_MA_VALUE_PEER:
        return trp_peer_id_decode(bytes, &id) == TRP_OK;
    case TRP_MA_VALUE_NONE:
    case TRP_MA_VALUE_IP4:
    case TRP_MA_VALUE_IP6:
    case TRP_MA_VALUE_PORT:
    case TRP_MA_VALUE_NUMBER:
        break;
    }
    return true;
}

/* Bounds the text of a value with a length prefix from above. */
static size_t value_text_max(enum trp_multiaddr_value value, size_t size)
{
    if (value == TRP_MA_VALUE_PATH) { /* each byte may be %xx */
        return 3 * size;
    }
    return value == TRP_MA_VALUE_PEER ? (size * 11 + 7) / 8 : size; /* 58^11 > 256^8 */
}

/* Takes the first part off: its value, and in *used its whole size. */
static enum trp_status part_decode(struct trp_bytes in,
                                   const struct trp_multiaddr_protocol **ret_protocol,
                                   struct trp_bytes *ret_value, size_t *ret_used)
{
    uint64_t code = in.size > 0 ? in.data[0] : 0;
    size_t head = 1;
    if ((in.size == 0 || code >= 0x80) && trp_uvarint_decode(in, &code, &head) != TRP_OK) {
        return TRP_EMALFORMED;
    }
    const struct trp_multiaddr_protocol *protocol = trp_multiaddr_protocol_by_code(code);
    if (protocol == NULL) {
        return TRP_EUNSUPPORTED;
    }
    uint64_t size = protocol->value_bytes;
    if (trp_multiaddr_value_has_length(protocol->value)) {
        size_t used;
        if (trp_uvarint_decode(trp_bytes_skip(in, head), &size, &used) != TRP_OK) {
            return TRP_EMALFORMED;
        }
        head += used;
    }
    if (size > in.size - head) {
        return TRP_EMALFORMED;
    }
    *ret_protocol = protocol;
    *ret_value = trp_bytes(in.data + head, (size_t)size);
    *ret_used = head + (size_t)size;
    return TRP_OK;
}

enum trp_status trp_multiaddr_check(struct trp_bytes in, struct trp_multiaddr_last *ret_last)
{
    if (in.size > TRP_MULTIADDR_BYTES_MAX) {
        return TRP_ETOOBIG;
    }
    if (in.size == 0) {
        return TRP_EMALFORMED;
    }
    struct trp_multiaddr_last last = {.code = 0};
    size_t text = 0;
    for (size_t at = 0; at < in.size;) {
        const struct trp_multiaddr_protocol *protocol;
        size_t used;
        enum trp_status status = part_decode(trp_bytes_skip(in, at), &protocol, &last.value, &used);
        if (status != TRP_OK) {
            return status;
        }
        text += protocol->text_bytes;
        if (trp_multiaddr_value_has_length(protocol->value)) {
            if (!trp_multiaddr_value_is_valid(protocol->value, last.value)) {
                return TRP_EMALFORMED;
            }
            text += value_text_max(protocol->value, last.value.size);
        }
        last.code = protocol->code;
        last.start = at;
        at += used;
    }
    if (text >= TRP_MULTIADDR_TEXT_MAX) {
        return TRP_ETOOBIG;
    }
    *ret_last = last;
    return TRP_OK;
}

void trp_multiaddr_copy(struct trp_bytes in, struct trp_multiaddr *ret_addr)
{
    TRP_ASSERT(in.size <= sizeof ret_addr->bytes);
    static const struct trp_multiaddr none;
    *ret_addr = none;
    ret_addr->size = (uint8_t)in.size;
    memcpy(ret_addr->bytes, in.data, in.size);
}

enum trp_status trp_multiaddr_decode(struct trp_bytes in, struct trp_multiaddr *ret_addr)
{
    struct trp_multiaddr_last last;
    enum trp_status status = trp_multiaddr_check(in, &last);
    if (status == TRP_OK) {
        trp_multiaddr_copy(in, ret_addr);
    }
    return status;
}

bool trp_multiaddr_next(const struct trp_multiaddr *addr, size_t *at,
                        struct trp_multiaddr_part *ret_part)
{
    const struct trp_multiaddr_protocol *protocol;
    size_t used;
    if (*at >= addr->size || part_decode(trp_bytes(addr->bytes + *at, addr->size - *at), &protocol,
                                         &ret_part->value, &used) != TRP_OK) {
        return false;
    }
    ret_part->code = protocol->code;
    *at += used;
    return true;
}

/* Finds the trailing /p2p part: where it starts, and its value. False when there is none. */
static bool find_peer(const struct trp_multiaddr *addr, size_t *ret_at, struct trp_bytes *ret_value)
{
    struct trp_multiaddr_part part = {.code = 0};
    size_t start = 0; /* of the last part */
    size_t end = 0;
    for (size_t at = 0; trp_multiaddr_next(addr, &at, &part); end = at) {
        start = end;
    }
    *ret_at = start;
    *ret_value = part.value;
    return part.code == TRP_MA_P2P;
}

enum trp_status trp_multiaddr_peer(const struct trp_multiaddr *addr, struct trp_peer_id *ret_id)
{
    size_t at;
    struct trp_bytes value;
    return find_peer(addr, &at, &value) ? trp_peer_id_decode(value, ret_id) : TRP_ENOTFOUND;
}

struct trp_multiaddr trp_multiaddr_without_peer(const struct trp_multiaddr *addr)
{
    struct trp_multiaddr bare = *addr;
    size_t at;
    struct trp_bytes value;
    if (find_peer(addr, &at, &value)) {
        memset(bare.bytes + at, 0, sizeof bare.bytes - at);
        bare.size = (uint8_t)at;
    }
    return bare;
}

enum trp_status trp_multiaddr_with_peer(const struct trp_multiaddr *addr,
                                        const struct trp_peer_id *id,
                                        struct trp_multiaddr *ret_addr)
{
    uint8_t bytes[TRP_MULTIADDR_BYTES_MAX];
    struct trp_writer writer = trp_writer_init(bytes, sizeof bytes);
    trp_writer_put(&writer, trp_bytes(addr->bytes, addr->size));
    trp_writer_varint(&writer, TRP_MA_P2P);
    trp_writer_varint(&writer, id->size);
    trp_writer_put(&writer, trp_peer_id_bytes(id));
    size_t size;
    enum trp_status status = trp_writer_end(&writer, &size);
    if (status == TRP_OK) {
        status = trp_multiaddr_decode(trp_bytes(bytes, size), ret_addr);
    }
    return status == TRP_ETOOBIG ? TRP_EFULL : status;
}

enum trp_status trp_multiaddr_with_zone(const struct trp_multiaddr *addr, const char *zone,
                                        struct trp_multiaddr *ret_addr)
{
    uint8_t bytes[TRP_MULTIADDR_BYTES_MAX];
    struct trp_writer writer = trp_writer_init(bytes, sizeof bytes);
    trp_writer_varint(&writer, TRP_MA_IP6ZONE);
    trp_writer_varint(&writer, strlen(zone));
    trp_writer_put(&writer, trp_bytes_text(zone));
    trp_writer_put(&writer, trp_bytes(addr->bytes, addr->size));
    size_t size;
    enum trp_status status = trp_writer_end(&writer, &size);
    if (status == TRP_OK) {
        status = trp_multiaddr_decode(trp_bytes(bytes, size), ret_addr);
    }
    if (status == TRP_EMALFORMED) {
        return TRP_EINVAL;
    }
    return status == TRP_ETOOBIG ? TRP_EFULL : status;
}

struct trp_multiaddr trp_multiaddr_without_zone(const struct trp_multiaddr *addr)
{
    struct trp_multiaddr bare = *addr;
    struct trp_multiaddr_part part;
    size_t at = 0;
    if (trp_multiaddr_has_zone(addr) && trp_multiaddr_next(addr, &at, &part)) {
        memset(&bare, 0, sizeof bare);
        bare.size = (uint8_t)(addr->size - at);
        memcpy(bare.bytes, addr->bytes + at, bare.size);
    }
    return bare;
}

static bool is_ip(uint32_t code)
{
    return code == TRP_MA_IP4 || code == TRP_MA_IP6;
}

static bool is_host_name(uint32_t code)
{
    return code == TRP_MA_DNS || code == TRP_MA_DNS4 || code == TRP_MA_DNS6;
}

/* Says whether nothing but a peer follows. */
static bool ends_at(const struct trp_multiaddr *addr, size_t at)
{
    struct trp_multiaddr_part peer;
    return !trp_multiaddr_next(addr, &at, &peer) || (peer.code == TRP_MA_P2P && at == addr->size);
}

enum trp_status trp_multiaddr_tcp(const struct trp_multiaddr *addr,
                                  struct trp_endpoint *ret_endpoint)
{
    struct trp_endpoint endpoint = {.port = 0};
    struct trp_multiaddr_part zone = {.value = TRP_BYTES_NONE};
    struct trp_multiaddr_part host;
    struct trp_multiaddr_part tcp;
    size_t at = 0;
    bool zoned = trp_multiaddr_has_zone(addr) && trp_multiaddr_next(addr, &at, &zone);
    if (!trp_multiaddr_next(addr, &at, &host) || !trp_multiaddr_next(addr, &at, &tcp) ||
        tcp.code != TRP_MA_TCP || !ends_at(addr, at)) {
        return TRP_EUNSUPPORTED;
    }
    if (zoned ? host.code != TRP_MA_IP6 : !is_ip(host.code) && !is_host_name(host.code)) {
        return TRP_EUNSUPPORTED;
    }
    endpoint.host = (enum trp_multiaddr_code)host.code;
    endpoint.port = trp_load_be16(tcp.value.data);
    memcpy(is_ip(host.code) ? (char *)endpoint.ip : endpoint.name, host.value.data,
           host.value.size);
    if (zoned) {
        memcpy(endpoint.name, zone.value.data, zone.value.size);
    }
    *ret_endpoint = endpoint;
    return TRP_OK;
}

struct trp_multiaddr trp_multiaddr_from_ip(const uint8_t *ip, size_t ip_size, uint16_t port)
{
    TRP_ASSERT(ip_size == 4 || ip_size == 16);
    struct trp_multiaddr addr = {.size = (uint8_t)(1 + ip_size + 3)};
    addr.bytes[0] = ip_size == 4 ? TRP_MA_IP4 : TRP_MA_IP6;
    memcpy(addr.bytes + 1, ip, ip_size);
    addr.bytes[1 + ip_size] = TRP_MA_TCP;
    trp_store_be16(addr.bytes + 2 + ip_size, port);
    return addr;
}
