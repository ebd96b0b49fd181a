/* SPDX-License-Identifier: MIT */
#include <troupe/node.h>

#include "actor/scheduler.h"
#include "base/assert.h"
#include "base/endian.h"
#include "behaviour/identify.h"
#include "behaviour/kad.h"
#include "behaviour/mdns.h"
#include "behaviour/messaging.h"
#include "behaviour/ping.h"
#include "behaviour/registry.h"
#include "crypto/crypto.h"
#include "crypto/drbg.h"
#include "net/swarm.h"
#include "node/bootstrap.h"
#include "node/crypto_memo.h"
#include "node/peers.h"
#include "node/saved.h"
#include "proto/kad/query.h"
#include "remote/remote.h"
#include "wire/public_key.h"

#define OWN_BEHAVIOURS 7u /* at most */
/* Known peers are written down once there are some, and then now and then: they change slowly. */
#define SAVE_FIRST_NS TRP_MIN(1)
#define SAVE_EVERY_NS TRP_MIN(5)
/* How long a goodbye may take to reach the others. */
#define LEAVE_NS TRP_MS(450)
#define AGENT    "troupe/" TRP_VERSION

/* A result of the node's own commands, on its way out. */
#define RESULTS_MAX 64u

struct trp_node {
    struct trp_memory memory; /* counts all that follows; the node itself is outside it */
    struct trp_limits limits;
    struct trp_trace trace;
    struct trp_drbg drbg;
    struct trp_keypair identity;
    struct trp_peer_id peer;
    struct trp_signature_memo own_memo;
    struct trp_signature_memo *memo; /* of peers' signatures: our own, or a simulation's */
    trp_time now;
    struct trp_scheduler *scheduler;
    struct trp_messaging *messaging; /* NULL in a bare node, as all of ours but `bootstrap` */
    struct trp_registry *registry;
    struct trp_kad *kad; /* of the registry */
    struct trp_ping *ping;
    struct trp_identify *identify;
    struct trp_remote *remote;
    struct trp_bootstrap *bootstrap;
    struct trp_mdns *mdns; /* NULL: it is off */
    struct trp_mdns_config mdns_config;
    struct trp_behaviour *behaviours;
    struct trp_swarm *swarm;
    struct trp_result results[RESULTS_MAX];
    uint32_t results_head;
    uint32_t results_count;
    struct trp_result result_out; /* the one lent by the last output */
    struct trp_buffer peers_list; /* payload of the newest TRP_CMD_PEERS */
    struct trp_buffer saved;
    trp_time save_at;
    bool save_due;        /* `saved` is to be given out */
    bool leaving;         /* goodbye is said; connections close when it is heard */
    trp_time leave_until; /* or then */
    uint64_t leave_request;
};

/* ---- opening ---- */

static bool all_zero(const uint8_t *bytes, size_t size)
{
    uint8_t any = 0;
    for (size_t i = 0; i < size; i++) {
        any |= bytes[i];
    }
    return any == 0;
}

static void node_make_identity(struct trp_node *node, const struct trp_node_config *config)
{
    uint8_t seed[32];
    if (all_zero(config->identity, sizeof config->identity)) {
        struct trp_drbg drbg;
        trp_drbg_init(&drbg, config->seed, "identity");
        trp_drbg_fill(&drbg, seed, sizeof seed);
    } else {
        memcpy(seed, config->identity, sizeof seed);
    }
    trp_keypair_from_seed(seed, &node->identity);
    trp_peer_id_from_key(&node->identity.public_key, &node->peer);
    trp_drbg_init(&node->drbg, config->seed, "swarm");
}

/* Derives the seed of a module's keyed draws. */
static uint64_t node_draw_seed(const struct trp_node_config *config, const char *purpose)
{
    struct trp_drbg drbg;
    uint8_t bytes[8];
    trp_drbg_init(&drbg, config->seed, purpose);
    trp_drbg_fill(&drbg, bytes, sizeof bytes);
    return trp_load_le64(bytes);
}

static enum trp_status node_open_actors(struct trp_node *node, const struct trp_node_config *config)
{
    const struct trp_scheduler_config scheduler = {.memory = &node->memory,
                                                   .trace = &node->trace,
                                                   .limits = &node->limits,
                                                   .self = &node->peer,
                                                   .types = config->actor_types,
                                                   .types_count = config->actor_types_count,
                                                   .seed = node_draw_seed(config, "actors"),
                                                   .now = config->now};
    return trp_scheduler_open(&scheduler, &node->scheduler);
}

static enum trp_status node_open_kameo(struct trp_node *node, const struct trp_node_config *config)
{
    const struct trp_messaging_config messaging = {.protocol = TRP_PROTOCOL_MESSAGING};
    const struct trp_messaging_parts messaging_parts = {.memory = &node->memory,
                                                        .trace = &node->trace};
    const struct trp_registry_config registry = {.protocol = config->kad_protocol,
                                                 .client = config->kad_client,
                                                 .seed = node_draw_seed(config, "kad")};
    const struct trp_registry_parts registry_parts = {.memory = &node->memory,
                                                      .trace = &node->trace};
    enum trp_status status =
        trp_messaging_open_with(&messaging, &messaging_parts, &node->messaging);
    if (status == TRP_OK) {
        status = trp_registry_open_with(&registry, &registry_parts, &node->registry);
    }
    if (status == TRP_OK) {
        node->kad = trp_registry_kad(node->registry);
    }
    return status;
}

static enum trp_status node_open_protocols(struct trp_node *node,
                                           const struct trp_node_config *config)
{
    const struct trp_ping_config ping = {
        .memory = &node->memory, .trace = &node->trace, .seed = node_draw_seed(config, "ping")};
    const struct trp_identify_config identify = {.memory = &node->memory,
                                                 .trace = &node->trace,
                                                 .identity = &node->identity,
                                                 .memo = node->memo,
                                                 .agent =
                                                     config->agent != NULL ? config->agent : AGENT,
                                                 .unix_offset_ns = config->unix_ns - config->now};
    enum trp_status status = node_open_kameo(node, config);
    if (status == TRP_OK) {
        status = trp_ping_open(&ping, &node->ping);
    }
    if (status == TRP_OK) {
        status = trp_identify_open(&identify, &node->identify);
    }
    return status;
}

/* A peer that was just found is dialed when the DHT does not know it; later, only while the DHT
 * knows few. The rest of a large network finds each other through the DHT. */
static bool node_dials(void *user, const struct trp_peer_id *peer, bool fresh)
{
    const struct trp_node *node = user;
    const struct trp_mdns_config *config = &node->mdns_config;
    struct trp_kad_view kad;
    if (config->dials != NULL) {
        return config->dials(config->user, peer, fresh);
    }
    if (node->kad == NULL) {
        return fresh;
    }
    trp_kad_inspect(node->kad, &kad);
    return (fresh || kad.peers < TRP_KAD_K) && !trp_kad_knows_peer(node->kad, peer);
}

static void node_on_mdns(void *user, const struct trp_mdns_event *event)
{
    const struct trp_node *node = user;
    if (node->mdns_config.event != NULL) {
        node->mdns_config.event(node->mdns_config.user, event);
    }
}

static enum trp_status node_open_mdns(struct trp_node *node, const struct trp_node_config *config)
{
    node->mdns_config = config->mdns_config;
    if (config->mdns != TRP_MDNS_ON) {
        return TRP_OK;
    }
    struct trp_mdns_config mdns = config->mdns_config;
    mdns.seed = mdns.seed != 0 ? mdns.seed : node_draw_seed(config, "mdns");
    mdns.dials = node_dials;
    mdns.event = node_on_mdns;
    mdns.user = node;
    return trp_mdns_open_within(&node->memory, &node->trace, &mdns, &node->mdns);
}

static enum trp_status node_open_remote(struct trp_node *node, const struct trp_node_config *config)
{
    const struct trp_remote_config remote = {.memory = &node->memory,
                                             .trace = &node->trace,
                                             .limits = &node->limits,
                                             .self = &node->peer,
                                             .scheduler = node->scheduler,
                                             .messaging = node->messaging,
                                             .registry = node->registry,
                                             .access = config->access,
                                             .access_count = config->access_count,
                                             .accept_unlinked_deaths =
                                                 config->accept_unlinked_deaths};
    return trp_remote_open(&remote, &node->remote);
}

/* Actors and what they need; nothing in a bare node. */
static enum trp_status node_open_ours(struct trp_node *node, const struct trp_node_config *config)
{
    if (config->bare) {
        return TRP_OK;
    }
    enum trp_status status = node_open_actors(node, config);
    if (status == TRP_OK) {
        status = node_open_protocols(node, config);
    }
    return status == TRP_OK ? node_open_remote(node, config) : status;
}

/* Lists ours first, then the user's; returns how many. */
static uint32_t node_list_behaviours(struct trp_node *node, const struct trp_node_config *config)
{
    uint32_t count = 0;
    struct trp_behaviour *list = node->behaviours;
    if (!config->bare) {
        list[count++] = trp_identify_behaviour(node->identify);
        list[count++] = trp_ping_behaviour(node->ping);
        list[count++] = trp_registry_behaviour(node->registry);
        list[count++] = trp_messaging_behaviour(node->messaging);
        list[count++] = trp_remote_behaviour(node->remote);
    }
    list[count++] = trp_bootstrap_peers_behaviour(node->bootstrap);
    if (node->mdns != NULL) {
        list[count++] = trp_mdns_behaviour(node->mdns);
    }
    for (uint32_t i = 0; i < config->behaviours_count; i++) {
        list[count++] = config->behaviours[i];
    }
    return count;
}

static enum trp_status node_open_swarm(struct trp_node *node, const struct trp_node_config *config)
{
    node->behaviours = trp_memory_alloc(&node->memory, (OWN_BEHAVIOURS + config->behaviours_count) *
                                                           sizeof *node->behaviours);
    if (node->behaviours == NULL) {
        return TRP_ENOMEM;
    }
    uint32_t count = node_list_behaviours(node, config);
    const struct trp_swarm_config swarm = {
        .memory = &node->memory,
        .trace = &node->trace,
        .drbg = &node->drbg,
        .identity = &node->identity,
        .memo = node->memo,
        .agreements = config->crypto_memo == NULL ? NULL : &config->crypto_memo->agreements,
        .limits = &node->limits,
        .plaintext = config->security == TRP_SECURITY_PLAINTEXT,
        .now = config->now,
        .behaviours = node->behaviours,
        .behaviours_count = count};
    return trp_swarm_open(&swarm, &node->swarm);
}

/* Dials the peers of an earlier life. Bytes that do not decode are as good as none. */
static void node_restore(struct trp_node *node, struct trp_bytes saved)
{
    size_t at = 0;
    struct trp_saved_peer peer;
    enum trp_status status;
    while ((status = trp_saved_next(saved, &at, &peer)) == TRP_OK) {
        struct trp_multiaddr address;
        for (uint32_t i = 0; i < peer.addresses_count; i++) {
            if (trp_multiaddr_with_peer(&peer.addresses[i], &peer.peer, &address) == TRP_OK) {
                TRP_IGNORE(
                    trp_bootstrap_peers_add(node->bootstrap, &address, true)); /* best effort */
            }
        }
    }
    if (status != TRP_ENOTFOUND) {
        trp_trace_saved_refused(
            &node->trace, &(struct trp_event_saved_refused){.status = status, .bytes = saved.size});
    }
}

enum trp_status trp_node_open(const struct trp_node_config *config, struct trp_node **ret_node)
{
    struct trp_limits limits = config->limits;
    trp_crypto_init();
    enum trp_status status = trp_limits_complete(&limits, NULL);
    if (status != TRP_OK) {
        return status;
    }
    struct trp_memory outside = trp_memory_init(limits.memory_bytes);
    outside.blocks = config->blocks;
    struct trp_node *node = trp_memory_alloc(&outside, sizeof *node);
    if (node == NULL) {
        return TRP_ENOMEM;
    }
    node->memory = outside;
    node->own_memo = trp_signature_memo_init(&node->memory, TRP_SIGNATURE_MEMO_MAX);
    node->memo = config->crypto_memo == NULL ? &node->own_memo : &config->crypto_memo->signatures;
    node->limits = limits;
    node->now = config->now;
    node->trace = (struct trp_trace){
        .recorder = config->recorder, .node = config->trace_node, .now = config->now};
    node->saved = trp_buffer_init(&node->memory, TRP_SAVED_BYTES_MAX);
    node->peers_list = trp_buffer_init(&node->memory, limits.response_bytes);
    node->save_at = trp_time_after(config->now, SAVE_FIRST_NS);
    node_make_identity(node, config);
    status = node_open_ours(node, config);
    if (status == TRP_OK) {
        status = trp_bootstrap_peers_open(&node->memory, node->kad, &node->bootstrap);
    }
    if (status == TRP_OK) {
        status = node_open_mdns(node, config);
    }
    if (status == TRP_OK) {
        status = node_open_swarm(node, config);
    }
    if (status != TRP_OK) {
        trp_node_close(node);
        return status;
    }
    node->trace.cause =
        trp_trace_node_opened(&node->trace, &(struct trp_event_node_opened){.peer = &node->peer});
    node_restore(node, config->saved);
    *ret_node = node;
    return TRP_OK;
}

void trp_node_close(struct trp_node *node)
{
    if (node == NULL) {
        return;
    }
    trp_trace_node_closed(&node->trace, &(struct trp_event_node_closed){.peer = &node->peer});
    trp_swarm_close(node->swarm);
    trp_mdns_close(node->mdns);
    trp_remote_close(node->remote);
    trp_bootstrap_peers_close(node->bootstrap);
    trp_identify_close(node->identify);
    trp_ping_close(node->ping);
    trp_registry_close(node->registry);
    trp_messaging_close(node->messaging);
    trp_scheduler_close(node->scheduler);
    trp_signature_memo_deinit(&node->own_memo);
    trp_memory_free(&node->memory, node->behaviours);
    trp_buffer_free(&node->saved);
    trp_buffer_free(&node->peers_list);
    struct trp_memory outside = node->memory;
    trp_memory_free(&outside, node);
    TRP_ASSERT(outside.used_bytes == 0);
}

/* ---- stepping ---- */

static void node_push(struct trp_node *node, const struct trp_result *result)
{
    trp_trace_command_done(&node->trace,
                           &(struct trp_event_command_done){.request = result->request,
                                                            .kind = (uint64_t)result->kind,
                                                            .status = result->status});
    if (node->results_count == RESULTS_MAX) {
        trp_trace_limit_reached(
            &node->trace, &(struct trp_event_limit_reached){.limit = trp_bytes_text("results"),
                                                            .value = RESULTS_MAX});
        return;
    }
    uint32_t at = (node->results_head + node->results_count++) % RESULTS_MAX;
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
    while (node->ping != NULL && node->results_count < RESULTS_MAX &&
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
    node->save_at = trp_time_after(node->now, SAVE_EVERY_NS);
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
        node->results_head = (node->results_head + 1) % RESULTS_MAX;
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
