/* SPDX-License-Identifier: MIT */
/* troupe/multiaddr.h - self-describing network addresses.
 *
 * Spec       multiformats/multiaddr; libp2p/specs addressing/README.md
 * Ownership  A plain value; copy it freely.
 * Limits     At most 191 bytes in binary form. */
#ifndef TROUPE_MULTIADDR_H
#define TROUPE_MULTIADDR_H

#include <troupe/base.h>
#include <troupe/peer_id.h>

TRP_EXTERN_C_BEGIN

#define TRP_MULTIADDR_BYTES_MAX 191u
#define TRP_MULTIADDR_TEXT_MAX  512u

struct trp_multiaddr {
    uint8_t size; /* 0 means "none"; unused bytes are zero */
    uint8_t bytes[TRP_MULTIADDR_BYTES_MAX];
};

/* Multicodec codes of the protocols an address is made of. */
enum trp_multiaddr_code {
    TRP_MA_IP4 = 4,
    TRP_MA_TCP = 6,
    TRP_MA_IP6 = 41,
    TRP_MA_IP6ZONE = 42,
    TRP_MA_DNS = 53,
    TRP_MA_DNS4 = 54,
    TRP_MA_DNS6 = 55,
    TRP_MA_DNSADDR = 56,
    TRP_MA_UDP = 273,
    TRP_MA_CIRCUIT = 290,
    TRP_MA_P2P = 421,
    TRP_MA_TLS = 448,
    TRP_MA_SNI = 449,
    TRP_MA_QUIC = 460,
    TRP_MA_QUIC_V1 = 461,
    TRP_MA_WS = 477,
    TRP_MA_WSS = 478,
    TRP_MA_HTTP_PATH = 481,
    TRP_MA_MEMORY = 777
};

/* One protocol of an address; `value` borrows from the address. */
struct trp_multiaddr_part {
    uint32_t code;
    struct trp_bytes value; /* without its length prefix; ports are 2 bytes big-endian */
};

/* What a TCP-based address says, taken apart. */
struct trp_endpoint {
    enum trp_multiaddr_code host; /* TRP_MA_IP4, TRP_MA_IP6, TRP_MA_DNS, TRP_MA_DNS4, TRP_MA_DNS6 */
    uint8_t ip[16];               /* first 4 bytes for IP4 */
    char name[254]; /* NUL-terminated: of the DNS kinds; of IP6 its zone, when it has one */
    uint16_t port;
};

/* Reads a multiaddr's bytes; TRP_EMALFORMED, TRP_ETOOBIG. */
TRP_API enum trp_status trp_multiaddr_decode(struct trp_bytes in,
                                             struct trp_multiaddr *ret_addr) TRP_NODISCARD;
/* Parses "/ip4/127.0.0.1/tcp/4001/p2p/12D3…"; "/ipfs/" is read as "/p2p/". On TRP_EMALFORMED,
 * `ret_at` (may be NULL) is the offset of the first character that does not fit. */
TRP_API enum trp_status trp_multiaddr_parse(const char *text, struct trp_multiaddr *ret_addr,
                                            size_t *ret_at) TRP_NODISCARD;
/* Writes the text with its NUL. */
TRP_API void trp_multiaddr_print(const struct trp_multiaddr *addr,
                                 char ret_text[TRP_MULTIADDR_TEXT_MAX]);
/* Walks the parts: start with *at = 0; false at the end. */
TRP_API bool trp_multiaddr_next(const struct trp_multiaddr *addr, size_t *at,
                                struct trp_multiaddr_part *ret_part);
/* Gives the PeerId of a trailing /p2p part; TRP_ENOTFOUND where there is none. */
TRP_API enum trp_status trp_multiaddr_peer(const struct trp_multiaddr *addr,
                                           struct trp_peer_id *ret_id) TRP_NODISCARD;
/* Copies `addr` without a trailing /p2p part, so that addresses compare equal on bytes. */
TRP_API struct trp_multiaddr trp_multiaddr_without_peer(const struct trp_multiaddr *addr);
/* Appends /p2p/<id>; TRP_EFULL when it does not fit. */
TRP_API enum trp_status trp_multiaddr_with_peer(const struct trp_multiaddr *addr,
                                                const struct trp_peer_id *id,
                                                struct trp_multiaddr *ret_addr) TRP_NODISCARD;
/* Puts /ip6zone/<zone> in front of an address; TRP_EFULL when it does not fit, TRP_EINVAL when the
 * zone is no name. A zone is an interface of one machine, and means nothing to another. */
TRP_API enum trp_status trp_multiaddr_with_zone(const struct trp_multiaddr *addr, const char *zone,
                                                struct trp_multiaddr *ret_addr) TRP_NODISCARD;
/* Copies `addr` without a leading zone. */
TRP_API struct trp_multiaddr trp_multiaddr_without_zone(const struct trp_multiaddr *addr);
static inline bool trp_multiaddr_has_zone(const struct trp_multiaddr *addr)
{
    return addr->size > 0 && addr->bytes[0] == TRP_MA_IP6ZONE;
}
/* Takes apart host/tcp/port with an optional leading zone and trailing /p2p; TRP_EUNSUPPORTED for
 * anything else. */
TRP_API enum trp_status trp_multiaddr_tcp(const struct trp_multiaddr *addr,
                                          struct trp_endpoint *ret_endpoint) TRP_NODISCARD;
/* Makes /ip4/…/tcp/… or /ip6/…/tcp/…; `ip_size` is 4 or 16. */
TRP_API struct trp_multiaddr trp_multiaddr_from_ip(const uint8_t *ip, size_t ip_size,
                                                   uint16_t port);

static inline bool trp_multiaddr_equal(const struct trp_multiaddr *a, const struct trp_multiaddr *b)
{
    return a->size == b->size && memcmp(a->bytes, b->bytes, a->size) == 0;
}

TRP_EXTERN_C_END

#endif
