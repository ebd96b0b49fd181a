/* SPDX-License-Identifier: MIT */
/* workload/watcher.h - an actor that finds another by name, links with it, and counts its deaths.
 *
 *   watch { name: text } -> bool    looks the name up and links with what it finds
 *   deaths {} -> u64                links that died since the start */
#ifndef WORKLOAD_WATCHER_H
#define WORKLOAD_WATCHER_H

#include <troupe/actor.h>

#define WATCHER_WATCH(FIELD, TAG)  FIELD(TAG, TEXT, name)
#define WATCHER_FOUND(FIELD, TAG)  FIELD(TAG, BOOL, found)
#define WATCHER_DEATHS(FIELD, TAG) FIELD(TAG, U64, deaths)

TRP_MESSAGE_DECLARE(watcher_watch, WATCHER_WATCH);
TRP_MESSAGE_DECLARE_EMPTY(watcher_ask_deaths);
TRP_MESSAGE_DECLARE(watcher_found, WATCHER_FOUND);
TRP_MESSAGE_DECLARE(watcher_deaths, WATCHER_DEATHS);

extern const struct trp_actor_type watcher_actor_type;

#endif
