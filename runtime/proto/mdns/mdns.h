/* SPDX-License-Identifier: MIT */
/* proto/mdns/mdns.h - finding libp2p peers on the local network: when to ask, when and what to
 * answer, and who was heard of.
 *
 * It works on scopes: one family of IP on one interface. In each it asks at once, again after half
 * a second, then after twice the time each, until somebody answers, and from then on every interval
 * (which starts anew when somebody else asks, for all hear the answers). It answers everybody's
 * questions, its own too, by multicast: soon, by chance not at once, and at most once a second; to
 * resolvers that do not speak multicast DNS also to themselves. Nobody may depend on a packet that
 * can be lost: what is new is said several times, and everything again in a quarter of its time to
 * live.
 *
 * Driving    Tell it the scopes; feed packets to recv and time to expire; after each, take
 *            events and packets until there are none.
 * Purity     No clock: `now` is passed in. What is left to chance are keyed draws.
 * Spec       libp2p/specs discovery/mdns.md; RFC 6762 5 to 8, 10, 11.
 * Ownership  Copies what it is told. A packet given borrows until the next call.
 * Limits     TRP_MDNS_SCOPES_MAX; addresses_max and addresses_per_peer remembered; a packet may
 *            name TRP_MDNS_PEERS_PER_PACKET peers; TRP_MDNS_UNICASTS_PER_S answers to single
 *            askers. */
#ifndef PROTO_MDNS_MDNS_H
#define PROTO_MDNS_MDNS_H

#include "proto/mdns/cache.h"
#include "proto/mdns/message.h"

#define TRP_MDNS_SCOPES_MAX       32u
#define TRP_MDNS_IPS_MAX          8u  /* of one interface */
#define TRP_MDNS_TOLD_MAX         32u /* addresses of ours in one scope */
#define TRP_MDNS_PEERS_PER_PACKET 4u
#define TRP_MDNS_UNICASTS_PER_S   8u
#define TRP_MDNS_PROBE_NS         TRP_MS(500)
#define TRP_MDNS_PROBES_MIN       3u       /* questions before an answer ends the probing */
#define TRP_MDNS_RESPONSE_GAP_NS  TRP_S(1) /* RFC 6762 6 */
/* RFC 6762 8.3: what is new is said more than once, after 1, 2 and 4 seconds. */
#define TRP_MDNS_ANNOUNCEMENTS 4u
/* Questions for what is about to be forgotten are this far from the last question. */
#define TRP_MDNS_ASK_GAP_NS TRP_S(5)

struct trp_mdns_machine;

struct trp_mdns_machine_config {
    struct trp_memory *memory; /* borrowed */
    struct trp_peer_id self;
    uint64_t seed; /* of keyed draws */
    const char *service;
    trp_time interval_ns;
    trp_time ttl_ns;
    uint32_t addresses_max;
    uint32_t addresses_per_peer;
};

/* What a scope is like now. */
struct trp_mdns_scope {
    uint32_t interface;
    bool ip6;
    const struct trp_interface *ips; /* addresses of the interface, of both families */
    uint32_t ips_count;
    const struct trp_multiaddr *told; /* addresses of ours to be told there, without /p2p */
    uint32_t told_count;              /* 0: it only listens */
};

struct trp_mdns_packet {
    uint32_t interface;
    bool ip6;
    struct trp_udp_address to; /* ip_bytes 0: the group */
    struct trp_bytes bytes;
};

/* TRP_EMALFORMED: the service is no name; TRP_ENOMEM. */
enum trp_status trp_mdns_machine_open(const struct trp_mdns_machine_config *config,
                                      struct trp_mdns_machine **ret_machine) TRP_NODISCARD;
void trp_mdns_machine_close(struct trp_mdns_machine *machine);
/* Adds a scope, or changes one; what is the same as before changes nothing. TRP_EFULL, TRP_ENOMEM.
 */
enum trp_status trp_mdns_set_scope(struct trp_mdns_machine *machine,
                                   const struct trp_mdns_scope *scope, trp_time now) TRP_NODISCARD;
/* Fine when there is none. */
void trp_mdns_remove_scope(struct trp_mdns_machine *machine, uint32_t interface, bool ip6);
bool trp_mdns_has_scope(const struct trp_mdns_machine *machine, uint32_t interface, bool ip6);
/* Takes a packet that came by a scope's interface; the family is that of `from`. TRP_EMALFORMED: it
 * is no message; TRP_EDENIED: it does not come from the local network; TRP_EFULL, TRP_ENOMEM: not
 * everything is remembered; TRP_ENOTFOUND: there is no such scope. */
enum trp_status trp_mdns_recv(struct trp_mdns_machine *machine, uint32_t interface,
                              const struct trp_udp_address *from, struct trp_bytes bytes,
                              trp_time now) TRP_NODISCARD;
/* Says goodbye in every scope: what we told is to be forgotten. It is silent and deaf from then on.
 */
void trp_mdns_machine_leave(struct trp_mdns_machine *machine);
bool trp_mdns_next_packet(struct trp_mdns_machine *machine, struct trp_mdns_packet *ret_packet);
bool trp_mdns_next_news(struct trp_mdns_machine *machine, struct trp_mdns_news *ret_news);
trp_time trp_mdns_deadline(const struct trp_mdns_machine *machine);
void trp_mdns_expire(struct trp_mdns_machine *machine, trp_time now);

#endif
