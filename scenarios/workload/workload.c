/* SPDX-License-Identifier: MIT */
#include "scenarios/workload/workload.h"

const struct trp_actor_type *const trp_workload_types[] = {
    &counter_actor_type,     &kv_actor_type,   &chat_room_actor_type,
    &chat_member_actor_type, &ping_actor_type, &watcher_actor_type,
};
const uint32_t trp_workload_types_count = sizeof trp_workload_types / sizeof trp_workload_types[0];
