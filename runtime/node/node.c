/* SPDX-License-Identifier: MIT */
#include "base/assert.h"
#include "node/peers.h"
#include "node/saved.h"
#include "node/state.h"
#include "proto/kad/kbucket.h"

/* How long a goodbye may take to reach the others. */
#define LEAVE_NS TRP_MS(450)

/* ---- stepping ---- */

static void node_push(struct trp_node *node, const struct trp_result *result)
{
    trp_trace_command_done(&node->trace,
                           &(struct trp_event_command_done){.request = result->request,
                                                            .kind = (uint64_t)result->kind,
                                                            .status = result->status});
    if (node->results_count == NODE_RESULTS_MAX) {
        trp_trace_limit_reached(
            &node->trace, &(struct trp_event_limit_reached){.limit = trp_bytes_text("results"),
                                                            .value = NODE_RESULTS_MAX});
        return;
    }
    uint32_t at = (node->results_head + node->results_count++) % NODE_RESULTS_MAX;
    node->results[at] = *result;
    node->results[at].last = true;
}

static void node_push_result(struct trp_node *node, const struct trp_command *command,
                             enum trp_status status, struct trp_bytes payload)
{
    node_push(node, &(struct trp_result){.kind = command->kind,
                                         .status = status,
                                         .request = command->request,
                                         .payload = payload});
}

/* ---- leaving ---- */

/* Says goodbye; the connections stay until it has been heard, or LEAVE_NS. */
static void node_leave(struct trp_node *node, const struct trp_command *command)
{
    if (node->leaving) {
        node_push_result(node, command, TRP_EEXISTS, TRP_BYTES_NONE);
        return;
    }
    if (node->remote != NULL) {
        trp_remote_leave(node->remote);
    }
    if (node->mdns != NULL) {
        trp_mdns_leave(node->mdns);
    }
    node->leaving = true;
    node->leave_until = trp_time_after(node->now, LEAVE_NS);
    node->leave_request = command->request;
}

static bool node_check_left(struct trp_node *node)
{
    if (!node->leaving) {
        return false;
    }
    bool heard = node->remote == NULL || (trp_remote_goodbyes_pending(node->remote) == 0 &&
                                          trp_kad_withdrawals_pending(node->kad) == 0);
    if (!heard && node->now < node->leave_until) {
        return false;
    }
    node->leaving = false;
    uint32_t at = 0;
    struct trp_connection_info connection;
    while (trp_swarm_next_connection(node->swarm, &at, &connection)) {
        trp_swarm_close_connection(node->swarm, connection.id, TRP_OK);
    }
    node_push(node, &(struct trp_result){.kind = TRP_CMD_LEAVE, .request = node->leave_request});
    return true;
}

/* ---- pings ---- */

static void node_ping(struct trp_node *node, const struct trp_command *command)
{
    enum trp_status status = TRP_EUNSUPPORTED;
    if (node->ping != NULL) {
        status = command->ref.peer.size == 0
                     ? TRP_EINVAL
                     : trp_ping_send(node->ping, &command->ref.peer, command->request);
    }
    if (status != TRP_OK) {
        node_push_result(node, command, status, TRP_BYTES_NONE);
    }
}

static bool node_run_pings(struct trp_node *node)
{
    bool any = false;
    struct trp_ping_event event;
    while (node->ping != NULL && node->results_count < NODE_RESULTS_MAX &&
           trp_ping_next_event(node->ping, &event)) {
        any = true;
        node_push(node, &(struct trp_result){.kind = TRP_CMD_PING,
                                             .status = event.status,
                                             .request = event.token,
                                             .round_trip_ns = event.round_trip_ns});
    }
    return any;
}

/* ---- commands ---- */

static void node_command(struct trp_node *node, const struct trp_command *command)
{
    enum trp_status status;
    struct trp_dial_request dial;
    switch (command->kind) {
    case TRP_CMD_LISTEN:
        node_push_result(node, command, trp_swarm_listen(node->swarm, &command->address),
                         TRP_BYTES_NONE);
        break;
    case TRP_CMD_DIAL:
        dial = (struct trp_dial_request){.addresses = &command->address, .addresses_count = 1};
        if (trp_multiaddr_peer(&command->address, &dial.peer) != TRP_OK) {
            dial.peer = (struct trp_peer_id){0};
        }
        node_push_result(node, command, trp_swarm_dial(node->swarm, &dial), TRP_BYTES_NONE);
        break;
    case TRP_CMD_BOOTSTRAP:
        status = trp_bootstrap_peers_add(node->bootstrap, &command->address, false);
        node_push_result(node, command, status == TRP_EEXISTS ? TRP_OK : status, TRP_BYTES_NONE);
        break;
    case TRP_CMD_PEERS:
        status = trp_peers_encode(node->swarm, node->kad, &node->peers_list);
        node_push_result(node, command, status, trp_buffer_view(&node->peers_list));
        break;
    case TRP_CMD_LEAVE:
        node_leave(node, command);
        break;
    case TRP_CMD_PING:
        node_ping(node, command);
        break;
    case TRP_CMD_SPAWN:
    case TRP_CMD_STOP:
    case TRP_CMD_KILL:
    case TRP_CMD_REGISTER:
    case TRP_CMD_UNREGISTER:
    case TRP_CMD_LOOKUP:
    case TRP_CMD_ASK:
    case TRP_CMD_TELL:
    case TRP_CMD_LINK:
    case TRP_CMD_UNLINK:
        if (node->remote != NULL) {
            trp_remote_command(node->remote, command);
        } else {
            node_push_result(node, command, TRP_EUNSUPPORTED, TRP_BYTES_NONE);
        }
        break;
    }
}

/* Writes down the peers that the DHT knows now, for the next life. */
static void node_save(struct trp_node *node)
{
    node->save_at = trp_time_after(node->now, NODE_SAVE_EVERY_NS);
    trp_buffer_free(&node->saved);
    enum trp_status status = trp_saved_begin(&node->saved);
    uint32_t at = 0;
    uint32_t bucket;
    struct trp_saved_peer peer;
    for (uint32_t count = 0; node->kad != NULL && count < TRP_SAVED_PEERS_MAX && status == TRP_OK &&
                             trp_kad_next_peer(node->kad, &at, &peer.peer, &bucket);) {
        peer.addresses_count = trp_swarm_known_addresses(node->swarm, &peer.peer, peer.addresses,
                                                         TRP_SAVED_ADDRESSES_MAX);
        if (peer.addresses_count > 0) {
            status = trp_saved_put(&node->saved, &peer);
            count++;
        }
    }
    node->save_due = status == TRP_OK;
}

/* Moves what waits between actors, network and user; says whether there was any. */
static bool node_run_between(struct trp_node *node)
{
    bool any = node->remote != NULL && trp_remote_run(node->remote);
    any = node_run_pings(node) || any;
    return node_check_left(node) || any;
}

/* Lets actors and network work on what the other has left, until nothing is left. */
static enum trp_status node_run(struct trp_node *node)
{
    enum trp_status status;
    bool any;
    do {
        if (node->scheduler != NULL) {
            trp_scheduler_run(node->scheduler, node->now);
        }
        status = trp_swarm_run(node->swarm, node->now);
        any = node_run_between(node);
    } while (any && status == TRP_OK);
    return status;
}

enum trp_status trp_node_step(struct trp_node *node, const struct trp_input *in)
{
    if (in->now < node->now) {
        return TRP_EINVAL;
    }
    node->now = in->now;
    node->trace.now = in->now;
    node->trace.cause = in->cause;
    enum trp_status status = TRP_OK;
    if (in->kind == TRP_IN_COMMAND) {
        status = trp_swarm_run(node->swarm, in->now); /* the swarm's clock first */
        node_command(node, in->command);
    } else {
        status = trp_swarm_step(node->swarm, in);
    }
    if (status == TRP_OK) {
        status = node_run(node);
    }
    if (node->now >= node->save_at) {
        node_save(node);
    }
    return status;
}

bool trp_node_next_output(struct trp_node *node, struct trp_output *ret_out)
{
    if (trp_swarm_next_output(node->swarm, ret_out)) {
        return true;
    }
    if (node->results_count > 0) {
        node->result_out = node->results[node->results_head];
        node->results_head = (node->results_head + 1) % NODE_RESULTS_MAX;
        node->results_count--;
        *ret_out = (struct trp_output){.kind = TRP_OUT_RESULT, .result = &node->result_out};
        return true;
    }
    if (node->remote != NULL && trp_remote_next_result(node->remote, &node->result_out)) {
        *ret_out = (struct trp_output){.kind = TRP_OUT_RESULT, .result = &node->result_out};
        return true;
    }
    if (node->save_due) {
        node->save_due = false;
        *ret_out =
            (struct trp_output){.kind = TRP_OUT_SAVE, .bytes = trp_buffer_view(&node->saved)};
        return true;
    }
    return false;
}

trp_time trp_node_deadline(const struct trp_node *node)
{
    trp_time deadline = trp_swarm_deadline(node->swarm);
    if (node->scheduler != NULL) {
        deadline = trp_time_min(deadline, trp_scheduler_deadline(node->scheduler));
    }
    if (node->leaving) {
        deadline = trp_time_min(deadline, node->leave_until);
    }
    return trp_time_min(deadline, node->save_at);
}

/* ---- as a process ---- */

static enum trp_status process_step(void *self, const struct trp_input *in)
{
    return trp_node_step(self, in);
}

static bool process_next_output(void *self, struct trp_output *ret_out)
{
    return trp_node_next_output(self, ret_out);
}

static trp_time process_deadline(const void *self)
{
    return trp_node_deadline(self);
}

static const struct trp_process_ops node_process_ops = {
    .step = process_step, .next_output = process_next_output, .deadline = process_deadline};

struct trp_process trp_node_process(struct trp_node *node)
{
    return (struct trp_process){.ops = &node_process_ops, .self = node};
}

/* ---- for observers ---- */

const struct trp_peer_id *trp_node_peer_id(const struct trp_node *node)
{
    return &node->peer;
}

struct trp_swarm *trp_node_swarm(struct trp_node *node)
{
    return node->swarm;
}

void trp_node_inspect(const struct trp_node *node, struct trp_node_view *ret_view)
{
    struct trp_kad_view kad = {0};
    *ret_view = (struct trp_node_view){.memory_bytes = node->memory.used_bytes,
                                       .connections = trp_swarm_connections_count(node->swarm),
                                       .streams = trp_swarm_streams_count(node->swarm)};
    if (node->remote == NULL) {
        return;
    }
    trp_kad_inspect(node->kad, &kad);
    ret_view->actors = trp_scheduler_actors_count(node->scheduler);
    ret_view->requests = trp_scheduler_requests_count(node->scheduler);
    ret_view->kad_peers = kad.peers;
    ret_view->kad_records = kad.records;
    ret_view->kad_providers = kad.providers;
    ret_view->kad_rpcs = kad.rpcs;
    ret_view->kad_timeouts = kad.timeouts;
}

_Static_assert(TRP_NODE_KAD_BUCKET_AT == TRP_KAD_BUCKET_AT, "they say the same");

bool trp_node_next_kad_peer(const struct trp_node *node, uint32_t *at, struct trp_peer_id *ret_peer,
                            uint32_t *ret_bucket)
{
    return node->kad != NULL && trp_kad_next_peer(node->kad, at, ret_peer, ret_bucket);
}

bool trp_node_holds_provider(const struct trp_node *node, struct trp_bytes key,
                             const struct trp_peer_id *provider)
{
    return node->kad != NULL && trp_kad_holds_provider(node->kad, key, provider);
}

enum trp_status trp_node_find_name(const struct trp_node *node, struct trp_bytes name,
                                   struct trp_actor_ref *ret_ref)
{
    return node->remote == NULL ? TRP_ENOTFOUND : trp_remote_find_name(node->remote, name, ret_ref);
}
