/* SPDX-License-Identifier: MIT */
/* remote/remote.h - where actors meet peers: messages, links and names across nodes.
 *
 * Takes the scheduler's events to the network and the network's to the scheduler, and serves the
 * commands of the user that concern actors. It is also a behaviour of the swarm: it learns of lost
 * peers, and refuses those that may not connect.
 * Spec       Kameo 0.18 to 0.22: /kameo/messaging/1.0.0 and /kameo/registry/1.0.0.
 * Limits     requests, names, commands, link_*; links keep the connection to their peer open.
 * Outcome    Every command has exactly one result with `last`. */
#ifndef REMOTE_REMOTE_H
#define REMOTE_REMOTE_H

#include "actor/scheduler.h"
#include "base/memory.h"
#include "behaviour/messaging.h"
#include "behaviour/registry.h"
#include "trace/trace.h"

#include <troupe/access.h>
#include <troupe/command.h>
#include <troupe/swarm.h>

struct trp_remote;

struct trp_remote_config {
    struct trp_memory *memory; /* borrowed, as all pointers here */
    struct trp_trace *trace;
    const struct trp_limits *limits;
    const struct trp_peer_id *self;
    struct trp_scheduler *scheduler;
    struct trp_messaging *messaging;
    struct trp_registry *registry;
    const struct trp_access_rule *access;
    uint32_t access_count;
    bool accept_unlinked_deaths;
};

enum trp_status trp_remote_open(const struct trp_remote_config *config,
                                struct trp_remote **ret_remote) TRP_NODISCARD;
void trp_remote_close(struct trp_remote *remote);
struct trp_behaviour trp_remote_behaviour(struct trp_remote *remote);

/* Moves everything that waits between scheduler, messaging and DHT; says whether there was any. */
bool trp_remote_run(struct trp_remote *remote);

/* Takes the commands that concern actors; the result comes from next_result, also when this call
 * finds the command wrong. */
void trp_remote_command(struct trp_remote *remote, const struct trp_command *command);
/* Gives the next result; its slices are borrowed until the next call. */
bool trp_remote_next_result(struct trp_remote *remote, struct trp_result *ret_result);
/* Withdraws every name, and tells every linked actor elsewhere that ours are gone. */
void trp_remote_leave(struct trp_remote *remote);
/* Counts death notices that were not answered yet. */
uint32_t trp_remote_goodbyes_pending(const struct trp_remote *remote);
/* Gives the local actor registered under a name; TRP_ENOTFOUND. */
enum trp_status trp_remote_find_name(const struct trp_remote *remote, struct trp_bytes name,
                                     struct trp_actor_ref *ret_ref) TRP_NODISCARD;

#endif
