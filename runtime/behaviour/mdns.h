/* SPDX-License-Identifier: MIT */
/* behaviour/mdns.h - multicast DNS as part of a node; what users see is in troupe/mdns.h. */
#ifndef BEHAVIOUR_MDNS_H
#define BEHAVIOUR_MDNS_H

#include "base/memory.h"
#include "trace/trace.h"

#include <troupe/mdns.h>

/* As trp_mdns_open, within a node's memory and trace; both are borrowed. */
enum trp_status trp_mdns_open_within(struct trp_memory *memory, struct trp_trace *trace,
                                     const struct trp_mdns_config *config,
                                     struct trp_mdns **ret_mdns) TRP_NODISCARD;

#endif
