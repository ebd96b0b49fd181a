/* SPDX-License-Identifier: MIT */
/* troupe/datagram.h - datagrams and the interfaces of this machine, as drivers and behaviours speak
 * of them.
 *
 * Ownership  Plain values; the bytes of a datagram are borrowed for the call or the step.
 * Delivery   None is promised: a datagram may be lost, doubled, or overtaken by a later one. */
#ifndef TROUPE_DATAGRAM_H
#define TROUPE_DATAGRAM_H

#include <troupe/base.h>

TRP_EXTERN_C_BEGIN

typedef uint64_t trp_socket; /* never reused; 0 is none */

/* The largest payload of a UDP datagram over IPv4. */
#define TRP_DATAGRAM_BYTES_MAX 65507u

/* An IP address and a UDP port. */
struct trp_udp_address {
    uint8_t ip[16];   /* the first ip_bytes of it; the others are zero */
    uint8_t ip_bytes; /* 4 or 16; 0: none */
    uint16_t port;
};

struct trp_datagram {
    trp_socket socket;
    /* The interface it came by, or is to leave by; 0: as routed. A link-local or multicast address
     * means nothing without it. */
    uint32_t interface;
    /* Of one that came: where it was sent to, the group of a multicast. Of one that leaves: the
     * address it leaves from; ip_bytes 0: the system's choice. */
    struct trp_udp_address local;
    struct trp_udp_address remote;
    struct trp_bytes bytes; /* at most TRP_DATAGRAM_BYTES_MAX; may be none */
};

#define TRP_INTERFACE_NAME_MAX 16u /* with its NUL */

/* One address of an interface that is up; an interface has one of these for each address. */
struct trp_interface {
    uint32_t index; /* what the system numbers it; never 0 */
    char name[TRP_INTERFACE_NAME_MAX];
    bool loopback;
    uint8_t ip_bytes; /* 4 or 16 */
    uint8_t prefix_bits;
    uint8_t ip[16];
};

static inline bool trp_udp_address_equal(const struct trp_udp_address *a,
                                         const struct trp_udp_address *b)
{
    return a->ip_bytes == b->ip_bytes && a->port == b->port && memcmp(a->ip, b->ip, 16) == 0;
}

TRP_EXTERN_C_END

#endif
