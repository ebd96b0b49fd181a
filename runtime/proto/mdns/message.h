/* SPDX-License-Identifier: MIT */
/* proto/mdns/message.h - what libp2p nodes say to each other in multicast DNS.
 *
 * A query asks for PTR records of the service, "_p2p._udp.local". A response answers with the
 * sender's instance, a random label in front of the service; its TXT record holds
 * "dnsaddr=<multiaddr>/p2p/<peer>", a string for each address. SRV, A and AAAA records say nothing
 * to libp2p, but go-libp2p takes no response without an address record, and browsers show them.
 *
 *   <service>                    PTR  <label>.<service>
 *   <label>.<service>            SRV  0 0 <port> <label>.p2p.local
 *                                TXT  "dnsaddr=…" "dnsaddr=…"
 *   <label>.p2p.local            A, AAAA
 *   _services._dns-sd._udp.local PTR  <service>
 *
 * The instance of rust-libp2p is a bare label, without the service behind it.
 * What is asked for stands in the answers, what goes with it in the additionals: rust-libp2p reads
 * TXT records only there. One TXT record holds all strings: go-libp2p keeps the last one of a name.
 * Spec       libp2p/specs discovery/mdns.md; RFC 6762 6, 18; RFC 6763
 * Purity     Stateless. */
#ifndef PROTO_MDNS_MESSAGE_H
#define PROTO_MDNS_MESSAGE_H

#include "wire/dns_message.h"

#include <troupe/datagram.h>
#include <troupe/multiaddr.h>

#define TRP_MDNS_PORT 5353u
/* What a packet may be: less than what fits into a frame of Ethernet behind IPv6 and UDP. */
#define TRP_MDNS_PACKET_BYTES_MAX 1440u
/* Of these, for the strings of addresses. */
#define TRP_MDNS_TEXTS_BYTES_MAX 1000u
#define TRP_MDNS_LABEL_BYTES     36u
/* RFC 6762 6.7: a resolver that does not speak multicast DNS keeps answers for so long. */
#define TRP_MDNS_LEGACY_TTL_S 10u
/* RFC 6762 10: of records that hold the address of a host. */
#define TRP_MDNS_HOST_TTL_S 120u

#define TRP_MDNS_DNSADDR "dnsaddr="

struct trp_mdns_names {
    struct trp_dns_name service;
    struct trp_dns_name services; /* of which the service is one */
    struct trp_dns_name hosts;    /* behind the label of a host */
};

/* TRP_EMALFORMED: the service is no name. */
enum trp_status trp_mdns_names_init(const char *service,
                                    struct trp_mdns_names *ret_names) TRP_NODISCARD;

/* Kinds of records that are asked for; a set of bits. */
enum trp_mdns_want {
    TRP_MDNS_WANT_INSTANCE = 1, /* PTR of the service */
    TRP_MDNS_WANT_SERVICE = 2,  /* PTR of the services */
    TRP_MDNS_WANT_TEXT = 4,
    TRP_MDNS_WANT_PORT = 8,  /* SRV */
    TRP_MDNS_WANT_HOST = 16, /* A, AAAA */
    TRP_MDNS_WANT_ALL = 31
};

/* What one packet tells: a name, and addresses under it. */
struct trp_mdns_instance {
    const struct trp_mdns_names *names;
    const struct trp_peer_id *peer;
    char label[TRP_MDNS_LABEL_BYTES];
    const struct trp_multiaddr *addresses;
    uint32_t addresses_count;
    const struct trp_interface *ips; /* of the interface it leaves by */
    uint32_t ips_count;
};

struct trp_mdns_reply {
    uint32_t wants;
    uint32_t ttl_s;                        /* 0: a goodbye */
    const struct trp_dns_record *question; /* to be repeated, for a resolver that does not speak
                                            * multicast DNS; NULL: for those that do */
    uint16_t id;                           /* of the question */
};

enum trp_status trp_mdns_write_query(const struct trp_mdns_names *names, uint8_t *out, size_t room,
                                     size_t *ret_size) TRP_NODISCARD;
/* TRP_ETOOBIG; TRP_ENOTFOUND: nothing is wanted. */
enum trp_status trp_mdns_write_response(const struct trp_mdns_instance *instance,
                                        const struct trp_mdns_reply *reply, uint8_t *out,
                                        size_t room, size_t *ret_size) TRP_NODISCARD;
/* Says how many of the addresses, one at least, go into one packet. */
uint32_t trp_mdns_fitting(const struct trp_peer_id *peer, const struct trp_multiaddr *addresses,
                          uint32_t count);
/* The records that a question is about, as a set of enum trp_mdns_want. */
uint32_t trp_mdns_wants(const struct trp_mdns_instance *instance,
                        const struct trp_dns_record *question);
/* Says whether a record of a query tells that the asker knows our instance well enough. */
bool trp_mdns_is_known(const struct trp_mdns_instance *instance,
                       const struct trp_dns_reader *reader, const struct trp_dns_record *record,
                       uint32_t ttl_s);
/* Reads a string of a TXT record: an address with a peer. TRP_EMALFORMED: it is none. */
enum trp_status trp_mdns_read_text(struct trp_bytes text, struct trp_peer_id *ret_peer,
                                   struct trp_multiaddr *ret_address) TRP_NODISCARD;

#endif
