/* SPDX-License-Identifier: MIT */
/* scenarios/adversary/adversary.h - peers that misbehave, for what honest nodes must survive.
 *
 * An intruder has sockets and no protocol stack: it floods, dawdles, keeps silent, breaks off or
 * sends what no handshake allows. An impostor has the stack of an honest node, so that it gets past
 * the handshake, and a behaviour that lies, sends oversized messages or opens streams without end.
 * Both are bounded themselves, and every choice is a keyed draw.
 * Ownership  Configurations are copied.
 * Limits     INTRUDER_SOCKETS_MAX connections of an intruder: the oldest gives way. */
#ifndef ADVERSARY_ADVERSARY_H
#define ADVERSARY_ADVERSARY_H

#include "scenarios/lang/plan.h"

#include <troupe/node.h>

#define TRP_ADVERSARY_VICTIMS_MAX 1024u
#define TRP_ADVERSARY_NAMES_MAX   64u

struct trp_adversary_config {
    enum trp_plan_conduct conduct;
    uint64_t seed;
    trp_time now;
    trp_time every_ns;           /* from one attack to the next; 0: what is usual for the conduct */
    struct trp_multiaddr listen; /* where it listens */
    const struct trp_multiaddr *victims;
    uint32_t victims_count;   /* at most TRP_ADVERSARY_VICTIMS_MAX; the others are let off */
    const char *const *names; /* of actors to lie about; at most TRP_ADVERSARY_NAMES_MAX count */
    uint32_t names_count;
};

/* Says whether a conduct is one of an intruder. */
bool trp_conduct_is_intruder(enum trp_plan_conduct conduct);

struct trp_intruder;
/* TRP_ENOMEM. */
enum trp_status trp_intruder_open(const struct trp_adversary_config *config,
                                  struct trp_intruder **ret_intruder) TRP_NODISCARD;
void trp_intruder_close(struct trp_intruder *intruder);
/* Borrows it as something a driver can drive. */
struct trp_process trp_intruder_process(struct trp_intruder *intruder);

struct trp_impostor;
/* TRP_ENOMEM. */
enum trp_status trp_impostor_open(const struct trp_adversary_config *config,
                                  struct trp_impostor **ret_impostor) TRP_NODISCARD;
/* Close the node that has its behaviour first. */
void trp_impostor_close(struct trp_impostor *impostor);
/* Puts the behaviour into the configuration of the node, and what else the conduct needs of it. */
void trp_impostor_enter(struct trp_impostor *impostor, struct trp_node_config *config);

#endif
