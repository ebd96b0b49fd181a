/* SPDX-License-Identifier: MIT */
/* behaviour/registry.h - the inside face of troupe/registry.h: for a node, which has memory and a
 * trace of its own, asks for events when it is its turn, and needs the DHT itself. */
#ifndef BEHAVIOUR_REGISTRY_H
#define BEHAVIOUR_REGISTRY_H

#include "behaviour/kad.h"

#include <troupe/registry.h>

struct trp_registry_parts {
    struct trp_memory *memory; /* borrowed, as all pointers here; NULL: of its own */
    struct trp_trace *trace;   /* NULL: the swarm's */
};

/* As trp_registry_open; without on_event, events wait for trp_registry_next_event, and there are
 * none about the routing table. */
enum trp_status trp_registry_open_with(const struct trp_registry_config *config,
                                       const struct trp_registry_parts *parts,
                                       struct trp_registry **ret_registry) TRP_NODISCARD;
/* Gives the next event; what it points to is borrowed until the next call. */
bool trp_registry_next_event(struct trp_registry *registry, struct trp_registry_event *ret_event);
/* Borrows the DHT that the names are in. */
struct trp_kad *trp_registry_kad(const struct trp_registry *registry);

/* Walks our own names: start with *at = 0; false at the end. Withdrawing the one just given is
 * fine; its slice is borrowed until then. */
bool trp_registry_next_name(const struct trp_registry *registry, uint32_t *at,
                            struct trp_bytes *ret_name, struct trp_actor_ref *ret_actor);

#endif
