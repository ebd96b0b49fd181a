/* SPDX-License-Identifier: MIT */
/* troupe/mdns.h - finding peers on the local network by multicast DNS, without any server.
 *
 * A behaviour (see troupe/behaviour.h), which may be used alone: it announces the addresses that
 * the swarm listens on, on the interface each of them belongs to, remembers what others announce,
 * and calls back. A node has one of its own, see `mdns` of trp_node_config. It is silent on
 * interfaces at which the swarm does not listen, so that a node on loopback alone takes no part. A
 * swarm that listens nowhere asks, and announces nothing.
 * Spec       libp2p/specs discovery/mdns.md; RFC 6762. It finds rust-libp2p, go-libp2p and
 *            js-libp2p, and is found by them.
 * Trust      Whoever is on the local network can announce anything. Only addresses on the link
 *            that they were announced on are taken, and a connection proves who a peer is.
 * Threading  The node's thread.
 * Limits     addresses_max and addresses_per_peer of trp_mdns_config; at most
 *            TRP_MDNS_DIALS_PER_MINUTE dials of its own. */
#ifndef TROUPE_MDNS_H
#define TROUPE_MDNS_H

#include <troupe/behaviour.h>

TRP_EXTERN_C_BEGIN

#define TRP_MDNS_SERVICE          "_p2p._udp.local"
#define TRP_MDNS_INTERFACES_MAX   8u
#define TRP_MDNS_DIALS_PER_MINUTE 16u

struct trp_mdns;

enum trp_mdns_event_kind {
    TRP_MDNS_DISCOVERED, /* an address that was not known */
    TRP_MDNS_RENEWED,    /* one that was told again */
    TRP_MDNS_EXPIRED     /* one that was not told again in time, or was taken back. It says nothing
                          * about connections: they stay as they are */
};

struct trp_mdns_event {
    enum trp_mdns_event_kind kind;
    struct trp_peer_id peer;
    struct trp_multiaddr address; /* without /p2p; a link-local one with its zone */
    uint32_t interface;           /* it was heard of by */
};

/* All zero: the defaults. */
struct trp_mdns_config {
    const char *service;  /* NULL: TRP_MDNS_SERVICE; borrowed while it is opened */
    trp_time interval_ns; /* between questions; 0: 5 min */
    trp_time ttl_ns;      /* how long others may believe what we tell; 0: 6 min */
    bool no_ip4;
    bool no_ip6;
    bool loopback; /* on loopback interfaces too */
    /* Names of the only interfaces to use; borrowed while it is opened. None: all. */
    const char *const *interfaces;
    uint32_t interfaces_count; /* at most TRP_MDNS_INTERFACES_MAX */
    uint32_t addresses_max;    /* remembered; 0: 1024 */
    uint64_t seed;             /* of labels and pauses; 0: of the PeerId and the time */
    /* Says whether to dial a peer that is not connected; `fresh`: it was not known before. NULL:
     * nobody is dialed, but the swarm knows the addresses. */
    bool (*dials)(void *user, const struct trp_peer_id *peer, bool fresh);
    /* May be NULL. Called from a hook: as in one, swarm functions may be called. */
    void (*event)(void *user, const struct trp_mdns_event *event);
    void *user;
};

/* Makes the behaviour; `config` may be NULL. TRP_EINVAL (service, interfaces), TRP_ENOMEM. Close it
 * with trp_mdns_close after the swarm is closed. */
TRP_API enum trp_status trp_mdns_open(const struct trp_mdns_config *config,
                                      struct trp_mdns **ret_mdns) TRP_NODISCARD;
/* Gives what a swarm lists; it borrows `mdns`. */
TRP_API struct trp_behaviour trp_mdns_behaviour(struct trp_mdns *mdns);
/* Takes back what was told, and falls silent. */
TRP_API void trp_mdns_leave(struct trp_mdns *mdns);
/* NULL is fine. */
TRP_API void trp_mdns_close(struct trp_mdns *mdns);

TRP_EXTERN_C_END

#endif
