/* SPDX-License-Identifier: MIT */
#include "scenarios/harness/state.h"

#include "base/prng.h"
#include "scenarios/workload/workload.h"

#include <stdio.h>
#include <stdlib.h>

/* ---- what a host's node does first ---- */

static enum trp_status fleet_command(struct trp_node *node, trp_time now, uint64_t cause,
                                     const struct trp_command *command)
{
    const struct trp_input input = {
        .kind = TRP_IN_COMMAND, .now = now, .cause = cause, .command = command};
    return trp_node_step(node, &input);
}

static struct trp_multiaddr fleet_address(const struct trp_run *run, uint32_t host)
{
    return run->net.ops->address(run->net.self, host);
}

static int host_compare(const void *a, const void *b)
{
    uint32_t first = *(const uint32_t *)a;
    uint32_t second = *(const uint32_t *)b;
    return (first > second) - (first < second);
}

/* Moves the TRP_HARNESS_BOOTSTRAP_MAX of `peers` with the smallest draws to the front, in their
 * order; gives how many. */
static uint32_t bootstrap_draw(const struct trp_run *run, uint32_t host, uint32_t *peers,
                               uint32_t count)
{
    uint32_t taken = 0;
    for (; taken < TRP_HARNESS_BOOTSTRAP_MAX && taken < count; taken++) {
        uint32_t best = taken;
        for (uint32_t i = taken; i < count; i++) {
            if (trp_harness_draw(run, host, STREAM_BOOTSTRAP, peers[i]) <
                trp_harness_draw(run, host, STREAM_BOOTSTRAP, peers[best])) {
                best = i;
            }
        }
        uint32_t peer = peers[best];
        peers[best] = peers[taken];
        peers[taken] = peer;
    }
    if (taken > 0) {
        qsort(peers, taken, sizeof *peers, host_compare);
    }
    return taken;
}

enum trp_status trp_harness_bootstrap_of(struct trp_run *run, uint32_t host, uint32_t *ret_peers,
                                         uint32_t *ret_count)
{
    const struct trp_plan_group *group = trp_plan_group_of(run->plan, host);
    const struct trp_selector *selector = group->bootstrap;
    uint32_t count = 0;
    enum trp_status status = TRP_OK;
    if (group->bootstraps != NULL) {
        selector = group->bootstraps[host - group->first];
    }
    if (selector != NULL) {
        struct trp_selector_world world = trp_harness_selector_world(run, host, 0);
        world.is_up = NULL; /* peers may start later */
        status = trp_selector_eval(run->plan, selector, &world, run->scratch, &count);
    }
    count = bootstrap_draw(run, host, run->scratch, count);
    *ret_count = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (run->scratch[i] != host) {
            ret_peers[(*ret_count)++] = run->scratch[i];
        }
    }
    return status;
}

static enum trp_status fleet_bootstrap(struct trp_run *run, struct trp_node *node, uint32_t host,
                                       trp_time now)
{
    uint32_t peers[TRP_HARNESS_BOOTSTRAP_MAX];
    uint32_t count;
    enum trp_status status = trp_harness_bootstrap_of(run, host, peers, &count);
    for (uint32_t i = 0; i < count && status == TRP_OK; i++) {
        const struct trp_command command = {.kind = TRP_CMD_BOOTSTRAP,
                                            .address = fleet_address(run, peers[i])};
        status = fleet_command(node, now, run->trace.cause, &command);
    }
    return status;
}

static enum trp_status fleet_spawn(struct trp_run *run, struct trp_node *node, uint32_t host,
                                   trp_time now, const struct trp_plan_actor *actor, uint32_t index)
{
    char name[256];
    struct trp_command command = {.kind = TRP_CMD_SPAWN,
                                  .actor_type = trp_bytes_text(actor->type->id),
                                  .payload = actor->args};
    enum trp_status status = TRP_OK;
    if (actor->name != NULL) {
        status = trp_plan_actor_name(run->plan, actor, host, index, name, sizeof name);
        command.name = trp_bytes_text(name);
    }
    return status == TRP_OK ? fleet_command(node, now, run->trace.cause, &command) : status;
}

bool trp_harness_crew_has(const struct trp_run *run, uint32_t actor, uint32_t host)
{
    const struct crew *crew = &run->crews[actor];
    return crew->count > 0 &&
           bsearch(&host, crew->hosts, crew->count, sizeof host, host_compare) != NULL;
}

/* Chooses the hosts of each actors: entry, once for the whole run. */
static enum trp_status fleet_muster(struct trp_run *run)
{
    enum trp_status status = TRP_OK;
    for (uint32_t i = 0; i < run->plan->actors_count && status == TRP_OK; i++) {
        const struct trp_plan_actor *actor = &run->plan->actors[i];
        struct crew *crew = &run->crews[i];
        struct trp_selector_world world = trp_harness_selector_world(run, actor->entity, 0);
        world.is_up = NULL; /* none is yet */
        status = trp_selector_eval(run->plan, actor->on, &world, run->scratch, &crew->count);
        if (status == TRP_OK) {
            crew->hosts = trp_memory_alloc(&run->memory, crew->count * sizeof *crew->hosts + 1);
            status = crew->hosts == NULL ? TRP_ENOMEM : TRP_OK;
        }
        uint32_t honest = 0;
        for (uint32_t k = 0; k < crew->count && status == TRP_OK; k++) {
            if (trp_plan_is_honest(run->plan, run->scratch[k])) {
                crew->hosts[honest++] = run->scratch[k];
            }
        }
        crew->count = honest;
    }
    return status;
}

enum trp_status trp_harness_join(struct trp_run *run, struct trp_node *node, uint32_t host,
                                 trp_time now)
{
    const struct trp_command listen = {.kind = TRP_CMD_LISTEN, .address = fleet_address(run, host)};
    enum trp_status status = fleet_command(node, now, run->trace.cause, &listen);
    return status == TRP_OK ? fleet_bootstrap(run, node, host, now) : status;
}

static enum trp_status fleet_begin_life(struct trp_run *run, struct trp_node *node, uint32_t host,
                                        trp_time now)
{
    enum trp_status status = TRP_OK;
    for (uint32_t i = 0; i < run->plan->actors_count && status == TRP_OK; i++) {
        const struct trp_plan_actor *actor = &run->plan->actors[i];
        if (!trp_harness_crew_has(run, i, host)) {
            continue;
        }
        for (uint32_t k = 0; k < actor->count && status == TRP_OK; k++) {
            status = fleet_spawn(run, node, host, now, actor, k);
        }
    }
    return status == TRP_OK ? trp_harness_join(run, node, host, now) : status;
}

/* ---- the factory ---- */

static void fleet_record_host(struct trp_run *run, uint32_t host, trp_time now)
{
    const struct trp_plan_group *group = trp_plan_group_of(run->plan, host);
    char name[128];
    char peer[TRP_PEER_ID_TEXT_MAX];
    char address[TRP_MULTIADDR_TEXT_MAX];
    const struct trp_multiaddr listen = fleet_address(run, host);
    (void)snprintf(name, sizeof name, "%s[%u]", group->name, host - group->first);
    const struct host *its = &run->hosts[host];
    peer[0] = '\0';
    if (its->intruder == NULL) {
        trp_peer_id_print(trp_node_peer_id(its->node != NULL ? its->node : its->foe), peer);
    }
    trp_multiaddr_print(&listen, address);
    trp_run_host(run->options.record, &(struct trp_run_host){.index = host,
                                                             .name = name,
                                                             .group = group->name,
                                                             .zone = group->zone,
                                                             .peer = peer,
                                                             .address = address,
                                                             .started = now});
}

/* Begins the life of an honest host. */
static enum trp_status fleet_begin(struct trp_run *run, uint32_t index,
                                   const struct trp_node_config *config,
                                   struct trp_process *ret_process)
{
    struct host *host = &run->hosts[index];
    enum trp_status status = trp_node_open(config, &host->node);
    if (status == TRP_OK) {
        status = fleet_begin_life(run, host->node, index, config->now);
    }
    if (status != TRP_OK) {
        trp_node_close(host->node, config->now);
        host->node = NULL;
        return status;
    }
    *ret_process = trp_watch_process(run, index);
    return TRP_OK;
}

static enum trp_status fleet_start(void *user, uint32_t index, uint32_t incarnation, trp_time now,
                                   const uint8_t seed[32], const uint8_t identity[32],
                                   struct trp_bytes saved, struct trp_process *ret_process)
{
    (void)incarnation;
    struct trp_run *run = user;
    struct trp_node_config config = {.now = now,
                                     .unix_ns = run->net.ops->unix_ns(run->net.self) + now,
                                     .limits = trp_plan_group_of(run->plan, index)->limits,
                                     .security = run->plan->security == TRP_PLAN_PLAINTEXT
                                                     ? TRP_SECURITY_PLAINTEXT
                                                     : TRP_SECURITY_NOISE,
                                     .mdns = trp_plan_group_of(run->plan, index)->mdns,
                                     .actor_types = trp_workload_types,
                                     .actor_types_count = trp_workload_types_count,
                                     .saved = saved,
                                     .recorder = &run->recorder,
                                     .trace_node = index,
                                     .crypto_memo = run->crypto_memo,
                                     .blocks = run->blocks};
    memcpy(config.seed, seed, sizeof config.seed);
    memcpy(config.identity, identity, sizeof config.identity);
    bool honest = trp_plan_is_honest(run->plan, index);
    enum trp_status status = honest ? fleet_begin(run, index, &config, ret_process)
                                    : trp_harness_foe_begin(run, index, &config, ret_process);
    if (status == TRP_OK) {
        run->hosts[index].lives++;
        if (run->options.record != NULL) {
            fleet_record_host(run, index, now);
        }
    }
    return status;
}

static void fleet_end(void *user, uint32_t index, struct trp_process process)
{
    (void)process;
    struct trp_run *run = user;
    struct host *host = &run->hosts[index];
    struct trp_node_view view;
    if (host->node == NULL) {
        trp_harness_foe_end(run, index);
        return;
    }
    trp_node_inspect(host->node, &view);
    host->kad_rpcs += view.kad_rpcs;
    host->kad_timeouts += view.kad_timeouts;
    trp_watch_host_ends(run, index);
    trp_node_close(host->node, trp_harness_now(run));
    host->node = NULL;
    trp_harness_orphan(run, index);
}

static void fleet_result(void *user, uint32_t index, const struct trp_result *result)
{
    trp_harness_result(user, index, result);
}

struct trp_host_factory trp_harness_factory(struct trp_run *run)
{
    return (struct trp_host_factory){
        .start = fleet_start, .end = fleet_end, .result = fleet_result, .user = run};
}

trp_time trp_harness_start_of(const struct trp_run *run, uint32_t host)
{
    const struct trp_plan_group *group = trp_plan_group_of(run->plan, host);
    if (group->starts != NULL) {
        return group->starts[host - group->first];
    }
    return group->start.kind == TRP_DIST_CONST
               ? group->start.a
               : trp_dist_sample(&group->start, trp_harness_draw(run, host, STREAM_START, 0));
}

/* The number of a zone: that of the first group in it. */
static uint32_t fleet_lan(const struct trp_plan *plan, const char *zone)
{
    uint32_t lan = 0;
    while (lan + 1 < plan->groups_count && strcmp(plan->groups[lan].zone, zone) != 0) {
        lan++;
    }
    return lan;
}

/* Puts a host where the multicast of its zone is heard. */
static enum trp_status fleet_plug(struct trp_run *run, uint32_t host)
{
    const struct trp_plan_group *group = trp_plan_group_of(run->plan, host);
    if (run->net.ops->set_lan != NULL) {
        run->net.ops->set_lan(run->net.self, host, fleet_lan(run->plan, group->zone));
        return TRP_OK;
    }
    return group->mdns == TRP_MDNS_ON ? TRP_EUNSUPPORTED : TRP_OK;
}

enum trp_status trp_harness_add_hosts(struct trp_run *run)
{
    enum trp_status status = fleet_muster(run);
    for (uint32_t i = 0; i < run->plan->hosts_count && status == TRP_OK; i++) {
        status = run->net.ops->add_host(run->net.self, trp_harness_start_of(run, i));
        if (status == TRP_OK) {
            status = fleet_plug(run, i);
        }
    }
    return status;
}

void trp_harness_host_totals(struct trp_run *run)
{
    for (uint32_t i = 0; run->options.record != NULL && i < run->plan->hosts_count; i++) {
        struct trp_host_stats stats;
        struct trp_node_view view = {.connections = 0};
        run->net.ops->host_stats(run->net.self, i, &stats);
        if (run->hosts[i].node != NULL) {
            trp_node_inspect(run->hosts[i].node, &view);
        }
        trp_run_host_totals(run->options.record, i,
                            &(struct trp_run_host_totals){.bytes_sent = stats.bytes_sent,
                                                          .bytes_received = stats.bytes_received,
                                                          .connections = view.connections,
                                                          .lives = run->hosts[i].lives,
                                                          .up = trp_harness_is_up(run, i)});
    }
}

/* ---- what selectors ask ---- */

static bool fleet_is_up(void *user, uint32_t host)
{
    const struct trp_run *run = user;
    return trp_harness_is_up(run, host) && !run->hosts[host].leaving;
}

static void fleet_sort_by_distance(void *user, const char *name, uint32_t *hosts, uint32_t count)
{
    struct trp_run *run = user;
    if (trp_harness_snapshot(run, false) != TRP_OK) {
        return;
    }
    uint32_t found = trp_oracle_closest(run->oracle, trp_bytes_text(name), run->scratch2,
                                        run->plan->hosts_count);
    uint32_t placed = 0;
    for (uint32_t i = 0; i < found; i++) { /* bring them to the front, closest first */
        for (uint32_t k = placed; k < count; k++) {
            if (hosts[k] == run->scratch2[i]) {
                hosts[k] = hosts[placed];
                hosts[placed++] = run->scratch2[i];
                break;
            }
        }
    }
}

static bool fleet_holds(void *user, uint32_t host, const char *name)
{
    const struct trp_run *run = user;
    return run->hosts[host].node != NULL &&
           trp_node_holds_provider(run->hosts[host].node, trp_bytes_text(name), NULL);
}

struct trp_selector_world trp_harness_selector_world(struct trp_run *run, uint64_t entity,
                                                     uint64_t counter)
{
    return (struct trp_selector_world){.seed = run->options.seed,
                                       .entity = entity,
                                       .counter = counter,
                                       .is_up = fleet_is_up,
                                       .sort_by_distance = fleet_sort_by_distance,
                                       .holds = fleet_holds,
                                       .user = run};
}
