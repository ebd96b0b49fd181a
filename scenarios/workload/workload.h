/* SPDX-License-Identifier: MIT */
/* workload/workload.h - the actors that scenarios run, and that `troupe node` can spawn: the same
 * program text in the simulator and on a real network. */
#ifndef WORKLOAD_WORKLOAD_H
#define WORKLOAD_WORKLOAD_H

#include "scenarios/workload/chat.h"
#include "scenarios/workload/counter.h"
#include "scenarios/workload/kv.h"
#include "scenarios/workload/ping.h"
#include "scenarios/workload/watcher.h"

extern const struct trp_actor_type *const trp_workload_types[];
extern const uint32_t trp_workload_types_count;

#endif
