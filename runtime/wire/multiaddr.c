/* SPDX-License-Identifier: MIT */
/* Addresses in binary: a sequence of uvarint code and value, the value behind a uvarint length
 * where its size is not fixed. */
#include "wire/multiaddr.h"

#include "base/assert.h"
#include "base/endian.h"
#include "wire/writer.h"

#define HOST_NAME_MAX_BYTES 253u /* RFC 1035 */

/* The most common first; alias names after their canonical ones. */
static const struct trp_multiaddr_protocol protocols[] = {
    {TRP_MA_IP4, TRP_MA_VALUE_IP4, "ip4"},
    {TRP_MA_TCP, TRP_MA_VALUE_PORT, "tcp"},
    {TRP_MA_IP6, TRP_MA_VALUE_IP6, "ip6"},
    {TRP_MA_P2P, TRP_MA_VALUE_PEER, "p2p"},
    {TRP_MA_UDP, TRP_MA_VALUE_PORT, "udp"},
    {TRP_MA_QUIC_V1, TRP_MA_VALUE_NONE, "quic-v1"},
    {TRP_MA_WS, TRP_MA_VALUE_NONE, "ws"},
    {TRP_MA_TLS, TRP_MA_VALUE_NONE, "tls"},
    {TRP_MA_DNS, TRP_MA_VALUE_HOST, "dns"},
    {TRP_MA_DNS4, TRP_MA_VALUE_HOST, "dns4"},
    {TRP_MA_DNS6, TRP_MA_VALUE_HOST, "dns6"},
    {TRP_MA_DNSADDR, TRP_MA_VALUE_HOST, "dnsaddr"},
    {TRP_MA_CIRCUIT, TRP_MA_VALUE_NONE, "p2p-circuit"},
    {TRP_MA_SNI, TRP_MA_VALUE_HOST, "sni"},
    {TRP_MA_QUIC, TRP_MA_VALUE_NONE, "quic"},
    {TRP_MA_WSS, TRP_MA_VALUE_NONE, "wss"},
    {TRP_MA_HTTP_PATH, TRP_MA_VALUE_PATH, "http-path"},
    {TRP_MA_MEMORY, TRP_MA_VALUE_NUMBER, "memory"},
    {TRP_MA_P2P, TRP_MA_VALUE_PEER, "ipfs"},
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

size_t trp_multiaddr_value_bytes(enum trp_multiaddr_value value)
{
    switch (value) {
    case TRP_MA_VALUE_IP4:
        return 4;
    case TRP_MA_VALUE_IP6:
        return 16;
    case TRP_MA_VALUE_PORT:
        return 2;
    case TRP_MA_VALUE_NUMBER:
        return 8;
    case TRP_MA_VALUE_NONE:
    case TRP_MA_VALUE_HOST:
    case TRP_MA_VALUE_PATH:
    case TRP_MA_VALUE_PEER:
        return 0;
    }
    return 0;
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
        return bytes.size == trp_multiaddr_value_bytes(value);
    }
    return false;
}

/* Bounds the text of a part from above. */
static size_t part_text_max(const struct trp_multiaddr_protocol *protocol, size_t value_size)
{
    size_t name = 1 + strlen(protocol->name);
    switch (protocol->value) {
    case TRP_MA_VALUE_NONE:
        return name;
    case TRP_MA_VALUE_IP4:
        return name + 1 + 15;
    case TRP_MA_VALUE_IP6:
        return name + 1 + 39;
    case TRP_MA_VALUE_PORT:
        return name + 1 + 5;
    case TRP_MA_VALUE_NUMBER:
        return name + 1 + 20;
    case TRP_MA_VALUE_HOST:
        return name + 1 + value_size;
    case TRP_MA_VALUE_PATH: /* each byte may be %xx */
        return name + 1 + 3 * value_size;
    case TRP_MA_VALUE_PEER: /* 58^11 > 256^8 */
        return name + 1 + (value_size * 11 + 7) / 8;
    }
    return name;
}

/* Takes the first part off: its value, and in *used its whole size. */
static enum trp_status part_decode(struct trp_bytes in,
                                   const struct trp_multiaddr_protocol **ret_protocol,
                                   struct trp_bytes *ret_value, size_t *ret_used)
{
    uint64_t code;
    size_t head;
    if (trp_uvarint_decode(in, &code, &head) != TRP_OK) {
        return TRP_EMALFORMED;
    }
    const struct trp_multiaddr_protocol *protocol = trp_multiaddr_protocol_by_code(code);
    if (protocol == NULL) {
        return TRP_EUNSUPPORTED;
    }
    uint64_t size = trp_multiaddr_value_bytes(protocol->value);
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

enum trp_status trp_multiaddr_decode(struct trp_bytes in, struct trp_multiaddr *ret_addr)
{
    if (in.size > TRP_MULTIADDR_BYTES_MAX) {
        return TRP_ETOOBIG;
    }
    if (in.size == 0) {
        return TRP_EMALFORMED;
    }
    size_t text = 0;
    for (size_t at = 0; at < in.size;) {
        const struct trp_multiaddr_protocol *protocol;
        struct trp_bytes value;
        size_t used;
        enum trp_status status = part_decode(trp_bytes_skip(in, at), &protocol, &value, &used);
        if (status != TRP_OK) {
            return status;
        }
        if (!trp_multiaddr_value_is_valid(protocol->value, value)) {
            return TRP_EMALFORMED;
        }
        text += part_text_max(protocol, value.size);
        at += used;
    }
    if (text >= TRP_MULTIADDR_TEXT_MAX) {
        return TRP_ETOOBIG;
    }
    ret_addr->size = (uint8_t)in.size;
    memcpy(ret_addr->bytes, in.data, in.size);
    memset(ret_addr->bytes + in.size, 0, sizeof ret_addr->bytes - in.size);
    return TRP_OK;
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

enum trp_status trp_multiaddr_tcp(const struct trp_multiaddr *addr,
                                  struct trp_endpoint *ret_endpoint)
{
    struct trp_endpoint endpoint = {.port = 0};
    struct trp_multiaddr_part host;
    struct trp_multiaddr_part tcp;
    struct trp_multiaddr_part peer;
    size_t at = 0;
    if (!trp_multiaddr_next(addr, &at, &host) || !trp_multiaddr_next(addr, &at, &tcp) ||
        tcp.code != TRP_MA_TCP) {
        return TRP_EUNSUPPORTED;
    }
    bool is_ip = host.code == TRP_MA_IP4 || host.code == TRP_MA_IP6;
    bool is_name = host.code == TRP_MA_DNS || host.code == TRP_MA_DNS4 || host.code == TRP_MA_DNS6;
    bool ends =
        !trp_multiaddr_next(addr, &at, &peer) || (peer.code == TRP_MA_P2P && at == addr->size);
    if (!ends || (!is_ip && !is_name)) {
        return TRP_EUNSUPPORTED;
    }
    endpoint.host = (enum trp_multiaddr_code)host.code;
    endpoint.port = trp_load_be16(tcp.value.data);
    memcpy(is_ip ? (char *)endpoint.ip : endpoint.name, host.value.data, host.value.size);
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
