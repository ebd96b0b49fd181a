/* SPDX-License-Identifier: MIT */
/* behaviour/mdns_state.h - the parts of the mDNS behaviour, for its files.
 *
 *   mdns         life, sockets, the hooks of the swarm
 *   mdns_scopes  interfaces, groups, and what is told where
 *   mdns_news    what was heard: addresses, dials, events */
#ifndef BEHAVIOUR_MDNS_STATE_H
#define BEHAVIOUR_MDNS_STATE_H

#include "behaviour/mdns.h"
#include "proto/mdns/mdns.h"

#include <troupe/driver.h>
#include <troupe/swarm.h>

/* How long a socket or group that could not be had is left alone. */
#define MDNS_RETRY_NS   TRP_MIN(1)
#define MDNS_FAMILIES   2u /* IPv4, IPv6: also the index into tables */
#define MDNS_DIALED_MAX 32u

enum mdns_membership_state {
    MDNS_MEMBERSHIP_ASKED,
    MDNS_MEMBERSHIP_MEMBER,
    MDNS_MEMBERSHIP_REFUSED
};

/* An interface whose group a socket is in, or wants to be in. */
struct mdns_membership {
    uint32_t interface;
    bool ip6;
    bool wanted; /* when last looked at */
    enum mdns_membership_state state;
};

struct mdns_socket {
    trp_socket id; /* 0: none */
    bool bound;
    enum trp_status status; /* of the last failure; TRP_OK: none */
};

/* A peer that was dialed is not dialed again before that, however often it is heard of. */
struct mdns_dialed {
    struct trp_peer_id peer;
    trp_time until;
};

struct trp_mdns {
    struct trp_memory own; /* of one that is not part of a node, itself included */
    struct trp_memory *memory;
    struct trp_trace *trace;
    struct trp_trace no_trace;
    struct trp_mdns_config config;
    char service[TRP_DNS_NAME_BYTES_MAX];
    char interfaces_wanted[TRP_MDNS_INTERFACES_MAX][TRP_INTERFACE_NAME_MAX];
    struct trp_swarm *swarm;
    uint32_t index;
    struct trp_mdns_machine *machine;
    struct mdns_socket sockets[MDNS_FAMILIES];
    struct mdns_membership memberships[TRP_MDNS_SCOPES_MAX];
    uint32_t memberships_count;
    struct trp_interface interfaces[TRP_INPUT_INTERFACES_MAX];
    uint32_t interfaces_count;
    bool watches; /* the interfaces */
    bool left;
    bool retries; /* what was refused is asked for again now */
    trp_time retry_at;
    trp_time dials_since;
    uint32_t dials;
    struct mdns_dialed dialed[MDNS_DIALED_MAX]; /* the latest */
    uint32_t dialed_next;
};

static inline trp_time mdns_now(const struct trp_mdns *mdns)
{
    return trp_swarm_now(mdns->swarm);
}

static inline void mdns_retry_later(struct trp_mdns *mdns)
{
    mdns->retry_at = trp_time_min(mdns->retry_at, trp_time_after(mdns_now(mdns), MDNS_RETRY_NS));
}

/* ---- mdns_scopes.c ---- */

/* Where mDNS is spoken, of each family. */
extern const struct trp_udp_address trp_mdns_groups[MDNS_FAMILIES];

/* Brings groups and scopes in line with sockets, interfaces and listen addresses. */
void trp_mdns_look(struct trp_mdns *mdns);
/* How a join ended. */
void trp_mdns_on_joined(struct trp_mdns *mdns, uint32_t interface, bool ip6,
                        enum trp_status status);
/* `interface` 0: on none. */
void trp_mdns_trace_unavailable(const struct trp_mdns *mdns, bool ip6, uint32_t interface,
                                enum trp_status status);

/* ---- mdns_news.c ---- */

/* Passes on what the machine has: news, and packets. */
void trp_mdns_drain(struct trp_mdns *mdns);
void trp_mdns_on_dial_failed(struct trp_mdns *mdns, const struct trp_dial_report *report);

#endif
