/* SPDX-License-Identifier: MIT */
/* proto/mdns/state.h - the parts of the machine, for its files.
 *
 *   mdns    scopes, time, what leaves
 *   recv    what comes: questions, and answers
 *   cache   who was heard of
 *   message the bytes */
#ifndef PROTO_MDNS_STATE_H
#define PROTO_MDNS_STATE_H

#include "proto/mdns/mdns.h"

#define MDNS_PARTS_MAX TRP_MDNS_TOLD_MAX

enum mdns_draw {
    MDNS_DRAW_LABEL = 1, /* entity scope, counter (generation, part, word) */
    MDNS_DRAW_TIME = 2,  /* entity scope, counter its draws */
    MDNS_DRAW_CACHE = 3
};

struct mdns_scope {
    struct trp_list_link link;
    uint32_t interface;
    bool ip6;
    bool settled;  /* no longer probing */
    bool answered; /* somebody has */
    bool asks;     /* a question is to leave */
    bool leaves;   /* a goodbye is to leave */
    uint32_t ips_count;
    struct trp_interface ips[TRP_MDNS_IPS_MAX];
    uint32_t told_count;
    struct trp_multiaddr *told;
    uint32_t parts_count;
    uint8_t parts[MDNS_PARTS_MAX]; /* how many of `told` go into each packet */
    uint32_t generation;           /* of `told` and `ips`: each has labels of its own */
    uint64_t draws;
    uint32_t questions;
    trp_time ask_at;
    trp_time asked_at;      /* TRP_NEVER: never */
    trp_time respond_at;    /* TRP_NEVER: nobody has asked */
    trp_time announce_at;   /* TRP_NEVER: nothing to tell */
    trp_time responded_at;  /* TRP_NEVER: never */
    uint32_t announcements; /* still to be made */
    uint32_t wants;         /* to be answered at respond_at */
    uint32_t sending;       /* being answered: */
    uint32_t sending_part;  /* from this part on, */
    uint32_t sending_ttl_s; /* 0: a goodbye */
};

/* An answer for one asker. */
struct mdns_unicast {
    uint32_t interface;
    bool ip6;
    struct trp_udp_address to;
    uint16_t id;
    bool legacy;
    uint32_t wants;
    struct trp_dns_record question;
};

struct trp_mdns_machine {
    struct trp_mdns_machine_config config;
    struct trp_mdns_names names;
    struct trp_list scopes;
    uint32_t scopes_count;
    struct trp_mdns_cache cache;
    bool left;
    struct mdns_unicast unicasts[TRP_MDNS_UNICASTS_PER_S];
    uint32_t unicasts_count;
    uint32_t unicasts_made;      /* since */
    trp_time unicasts_second_at; /* the second that is counted */
    uint8_t packet[TRP_MDNS_PACKET_BYTES_MAX];
};

struct mdns_scope *trp_mdns_scope_find(const struct trp_mdns_machine *machine, uint32_t interface,
                                       bool ip6);
uint32_t trp_mdns_ttl_s(const struct trp_mdns_machine *machine);
/* What the n-th packet of a scope tells; of the 0th there is always one. */
struct trp_mdns_instance trp_mdns_instance_of(const struct trp_mdns_machine *machine,
                                              const struct mdns_scope *scope, uint32_t part);
/* A moment by chance between two spans from now. */
trp_time trp_mdns_soon(const struct trp_mdns_machine *machine, struct mdns_scope *scope,
                       trp_time now, trp_time least_ns, trp_time most_ns);
/* Answers by multicast, soon. */
void trp_mdns_respond(const struct trp_mdns_machine *machine, struct mdns_scope *scope,
                      uint32_t wants, trp_time now);
/* Somebody has answered; somebody else has asked. */
void trp_mdns_on_answered(const struct trp_mdns_machine *machine, struct mdns_scope *scope,
                          trp_time now);
void trp_mdns_on_asked(const struct trp_mdns_machine *machine, struct mdns_scope *scope,
                       trp_time now);

#endif
