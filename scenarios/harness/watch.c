/* SPDX-License-Identifier: MIT */
#include "scenarios/harness/state.h"

#include "base/map.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

/* Beyond the sum of a node's own time-outs: what the path adds. */
#define GRACE_NS TRP_S(30)
#define PATHS_NS TRP_S(1) /* what paths add to a death notice */

/* Ids of the events that tell of what is watched. */
enum {
#define EVENT(id, name, level, about) EVENT_##name = (id),
#define FIELD(type, name, about)
#define END(name)
#include "trace/events.def"
#undef EVENT
#undef FIELD
#undef END
};

struct identity {
    struct trp_peer_id peer;
    uint32_t host;
    trp_time ended; /* when its last life ended; TRP_NEVER: it lives, or was looked for since */
    UT_hash_handle hh;
};

/* ---- what broke ---- */

/* Writes a host as a scenario calls it: west[3]. */
static const char *host_text(const struct trp_run *run, uint32_t host, char *out, size_t room)
{
    const struct trp_plan_group *group = trp_plan_group_of(run->plan, host);
    (void)snprintf(out, room, "%s[%u]", group->name, host - group->first);
    return out;
}

void trp_watch_break(struct trp_run *run, enum trp_always which, uint32_t host, uint64_t cause,
                     const char *format, ...)
{
    struct invariant *invariant = &run->watch.invariants[which];
    if (!invariant->wanted || invariant->broken) {
        return;
    }
    char name[64];
    int size = 0;
    if (host < run->plan->hosts_count) {
        size = snprintf(invariant->detail, sizeof invariant->detail,
                        "%s: ", host_text(run, host, name, sizeof name));
    }
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(invariant->detail + size, sizeof invariant->detail - (size_t)size, format,
                    arguments);
    va_end(arguments);
    invariant->broken = true;
    invariant->at = trp_harness_now(run);
    invariant->host = host;
    invariant->cause = cause;
    run->stopped = true;
}

void trp_watch_conclude(struct trp_run *run)
{
    const struct trp_vocabulary *vocabulary = trp_harness_vocabulary();
    for (uint32_t i = 0; i < TRP_ALWAYS_COUNT; i++) {
        struct invariant *invariant = &run->watch.invariants[i];
        if (!invariant->broken || invariant->sequence != 0) {
            continue;
        }
        struct trp_trace trace = run->trace;
        trace.now = invariant->at;
        trace.node = invariant->host;
        trace.cause = invariant->cause;
        invariant->sequence = trp_trace_invariant_broken(
            &trace,
            &(struct trp_event_invariant_broken){.name = trp_bytes_text(vocabulary->always[i].name),
                                                 .detail = trp_bytes_text(invariant->detail)});
    }
}

static bool is_wanted(const struct trp_run *run, enum trp_always which)
{
    return run->watch.invariants[which].wanted;
}

/* ---- routing tables ---- */

static bool tables_are_wanted(const struct trp_run *run)
{
    return is_wanted(run, TRP_ALWAYS_NO_SELF) || is_wanted(run, TRP_ALWAYS_BUCKETS) ||
           is_wanted(run, TRP_ALWAYS_BUCKET_SIZE) || is_wanted(run, TRP_ALWAYS_NO_DOUBLE);
}

struct walk {
    const struct trp_node *node;
    uint32_t at;
    uint32_t bucket; /* the only one wanted, or TRP_ALL_BUCKETS */
};

static bool walk_next(void *user, struct trp_peer_id *ret_peer, uint32_t *ret_bucket)
{
    struct walk *walk = user;
    return trp_node_next_kad_peer(walk->node, &walk->at, ret_peer, ret_bucket) &&
           (walk->bucket == TRP_ALL_BUCKETS || walk->bucket == *ret_bucket);
}

/* A change of a bucket that was not looked at yet. */
static void note_change(struct host *host, uint32_t bucket)
{
    bool other = host->changed_bucket != TRP_NO_BUCKET && host->changed_bucket != bucket;
    host->changed_bucket = other ? TRP_ALL_BUCKETS : bucket;
}

static void table_break(struct trp_run *run, uint32_t host, const struct trp_table_fault *fault)
{
    uint64_t cause = run->hosts[host].event;
    char peer[TRP_PEER_ID_TEXT_MAX];
    trp_peer_id_print(&fault->peer, peer);
    switch (fault->rule) {
    case TRP_TABLE_HOLDS:
        break;
    case TRP_TABLE_SELF:
        trp_watch_break(run, TRP_ALWAYS_NO_SELF, host, cause, "it is in its own table, bucket %u",
                        fault->bucket);
        break;
    case TRP_TABLE_BUCKET:
        trp_watch_break(run, TRP_ALWAYS_BUCKETS, host, cause, "%s is in bucket %u, not %u", peer,
                        fault->bucket, fault->expected);
        break;
    case TRP_TABLE_OVERFULL:
        trp_watch_break(run, TRP_ALWAYS_BUCKET_SIZE, host, cause, "bucket %u has %u entries",
                        fault->bucket, fault->expected);
        break;
    case TRP_TABLE_DOUBLE:
        trp_watch_break(run, TRP_ALWAYS_NO_DOUBLE, host, cause, "%s is there twice", peer);
        break;
    }
}

static void look_at_table(struct trp_run *run, uint32_t host)
{
    const struct trp_node *node = run->hosts[host].node;
    struct walk walk = {.node = node, .bucket = run->hosts[host].changed_bucket};
    struct trp_table_fault faults[TRP_TABLE_RULES];
    uint32_t count = 0;
    if (walk.bucket != TRP_ALL_BUCKETS) {
        walk.at = walk.bucket * TRP_NODE_KAD_BUCKET_AT;
    }
    run->hosts[host].changed_bucket = TRP_NO_BUCKET;
    if (trp_table_check(run->watch.keys, trp_node_peer_id(node), walk_next, &walk, faults,
                        &count) != TRP_OK) {
        run->failed = TRP_ENOMEM;
    }
    for (uint32_t i = 0; i < count; i++) {
        table_break(run, host, &faults[i]);
    }
}

/* ---- requests ---- */

/* The longest that an operation of a host may take: what the node itself allows each part of it. */
static trp_time operation_bound(const struct trp_limits *limits,
                                const struct trp_plan_workload *entry)
{
    trp_time search = 2 * limits->kad_query_timeout_ns; /* the providers, then their records */
    trp_time request = entry->operation == TRP_PLAN_LOOKUP
                           ? 0
                           : limits->dial_timeout_ns + limits->negotiation_timeout_ns +
                                 limits->request_timeout_ns + entry->timeout_ns;
    return search + request + GRACE_NS;
}

/* Operations of a host stand in the order of their beginning: the first that is open is the oldest,
 * of its kind at least. */
static void look_at_requests(struct trp_run *run, uint32_t index)
{
    struct host *host = &run->hosts[index];
    trp_time now = trp_harness_now(run);
    while (host->oldest != 0 && run->operations[host->oldest - 1].outcomes > 0) {
        host->oldest = run->operations[host->oldest - 1].next_of_host;
    }
    if (host->oldest == 0) {
        return;
    }
    const struct operation *operation = &run->operations[host->oldest - 1];
    const struct trp_plan_workload *entry = &run->plan->workload[operation->workload];
    trp_time bound = operation_bound(host->limits, entry);
    trp_time awake = now - operation->started - (host->paused_ns - operation->paused_ns);
    if (operation->life == host->lives && awake > bound) {
        trp_watch_break(run, TRP_ALWAYS_ENDS, index, operation->cause,
                        "operation %" PRIu64 " of '%s' has no outcome after %" PRIu64 " s",
                        host->oldest, entry->name, awake / TRP_S(1));
    }
}

/* ---- one node ---- */

static void look_at_bounds(struct trp_run *run, uint32_t index)
{
    struct host *host = &run->hosts[index];
    const struct trp_limits *limits = host->limits;
    struct trp_node_view view;
    trp_node_inspect(host->node, &view);
    host->memory_peak =
        view.memory_bytes > host->memory_peak ? view.memory_bytes : host->memory_peak;
    if (view.memory_bytes > limits->memory_bytes) {
        trp_watch_break(run, TRP_ALWAYS_MEMORY_BOUND, index, host->event,
                        "it uses %" PRIu64 " bytes of %" PRIu64, view.memory_bytes,
                        limits->memory_bytes);
    }
    if (view.connections > limits->connections) {
        trp_watch_break(run, TRP_ALWAYS_CONNECTION_BOUND, index, host->event,
                        "it has %u connections of %u", view.connections, limits->connections);
    }
}

static void look_at_host(struct trp_run *run, uint32_t index)
{
    look_at_bounds(run, index);
    if (run->hosts[index].changed_bucket != TRP_NO_BUCKET && tables_are_wanted(run)) {
        look_at_table(run, index);
    }
    if (is_wanted(run, TRP_ALWAYS_ENDS)) {
        look_at_requests(run, index);
    }
}

static enum trp_status process_step(void *self, const struct trp_input *in)
{
    struct host *host = self;
    host->event = in->cause;
    enum trp_status status = trp_node_step(host->node, in);
    if (status == TRP_OK) {
        look_at_host(host->run, host->index);
    }
    return status;
}

static bool process_next_output(void *self, struct trp_output *ret_out)
{
    struct host *host = self;
    return trp_node_next_output(host->node, ret_out);
}

static trp_time process_deadline(const void *self)
{
    const struct host *host = self;
    return trp_node_deadline(host->node);
}

static const struct trp_process_ops process_ops = {
    .step = process_step, .next_output = process_next_output, .deadline = process_deadline};

/* ---- lives ---- */

static struct identity *identity_find(const struct watch *watch, const struct trp_peer_id *peer)
{
    struct identity *identity = NULL;
    HASH_FIND(hh, watch->identities, peer, sizeof *peer, identity);
    return identity;
}

/* Notes who a host is in this life. */
static void identity_note(struct trp_run *run, uint32_t host)
{
    struct trp_memory *uthash_memory = &run->memory;
    const struct trp_peer_id *peer = trp_node_peer_id(run->hosts[host].node);
    struct identity *identity = identity_find(&run->watch, peer);
    if (identity == NULL) {
        identity = trp_memory_alloc(&run->memory, sizeof *identity);
        if (identity == NULL) {
            run->failed = TRP_ENOMEM;
            return;
        }
        *identity = (struct identity){.peer = *peer, .host = host};
        HASH_ADD(hh, run->watch.identities, peer, sizeof identity->peer, identity);
        if (identity->hh.tbl == NULL) {
            trp_memory_free(&run->memory, identity);
            run->failed = TRP_ENOMEM;
            return;
        }
    }
    identity->ended = TRP_NEVER;
}

struct trp_process trp_watch_process(struct trp_run *run, uint32_t host)
{
    identity_note(run, host);
    return (struct trp_process){.ops = &process_ops, .self = &run->hosts[host]};
}

void trp_watch_host_ends(struct trp_run *run, uint32_t host)
{
    struct identity *identity = identity_find(&run->watch, trp_node_peer_id(run->hosts[host].node));
    if (identity != NULL) {
        identity->ended = trp_harness_now(run);
    }
    trp_links_host_ended(run->watch.links, host, trp_harness_now(run));
}

/* ---- links ---- */

/* The actor an event speaks of: of the event's own host when there is no peer. */
static struct trp_links_actor event_actor(const struct trp_run *run,
                                          const struct trp_trace_event *event, uint64_t id,
                                          struct trp_bytes peer)
{
    struct trp_links_actor actor = {.host = event->node, .id = id};
    struct trp_peer_id who = {.size = (uint8_t)peer.size};
    if (peer.size == 0 || peer.size > sizeof who.bytes) {
        return actor;
    }
    memcpy(who.bytes, peer.data, peer.size);
    const struct identity *identity = identity_find(&run->watch, &who);
    actor.host = identity == NULL ? UINT32_MAX : identity->host;
    return actor;
}

static void links_event(struct trp_run *run, const struct trp_trace_event *event)
{
    struct trp_links *links = run->watch.links;
    const union trp_trace_value *values = event->values;
    const struct trp_links_actor owner = {.host = event->node, .id = values[0].number};
    if (event->kind->id == EVENT_actor_stopped) {
        trp_links_actor_ended(links, owner, event->time);
        return;
    }
    struct trp_bytes peer = values[2].bytes;
    const struct trp_links_actor other = event_actor(run, event, values[1].number, peer);
    bool local = peer.size == 0; /* both are to be told */
    if (event->kind->id == EVENT_link_made) {
        enum trp_status status = trp_links_made(links, owner, other);
        if (status == TRP_OK && local) {
            status = trp_links_made(links, other, owner);
        }
        run->failed = status != TRP_OK ? status : run->failed;
    } else if (event->kind->id == EVENT_link_removed) {
        trp_links_removed(links, owner, other);
        if (local) {
            trp_links_removed(links, other, owner);
        }
    } else if (!trp_links_told(links, owner, other)) {
        trp_watch_break(run, TRP_ALWAYS_TOLD_ONCE, event->node, event->sequence,
                        "actor %" PRIu64 " is told of the death of %" PRIu64
                        ", with which it has no link",
                        owner.id, other.id);
    }
}

/* How long a host may take to learn of a death: until it notices that the peer is silent and that
 * dialing it again is in vain, or until it has asked about the link. */
static trp_time notice_bound(const struct trp_limits *limits)
{
    return limits->link_probe_ns + limits->link_answer_ns + limits->link_redial_ns +
           limits->link_verify_ns + limits->request_timeout_ns + PATHS_NS;
}

static void look_at_links(struct trp_run *run)
{
    struct trp_links_due due;
    trp_time now = trp_harness_now(run);
    const void *at = NULL;
    while (run->watch.calm_since != TRP_NEVER && trp_links_next_due(run->watch.links, &at, &due)) {
        const struct host *host = &run->hosts[due.owner.host];
        trp_time since = due.since > run->watch.calm_since ? due.since : run->watch.calm_since;
        if (host->node != NULL && !host->leaving &&
            now > trp_time_after(since, notice_bound(host->limits))) {
            char name[64] = "another network";
            trp_watch_break(run, TRP_ALWAYS_TOLD_IN_TIME, due.owner.host, host->event,
                            "actor %" PRIu64 " is not told that actor %" PRIu64
                            " of %s died %" PRIu64 " s ago",
                            due.owner.id, due.other.id,
                            due.other.host < run->plan->hosts_count
                                ? host_text(run, due.other.host, name, sizeof name)
                                : name,
                            (now - due.since) / TRP_S(1));
        }
    }
}

/* ---- provider records ---- */

/* Says that some live host still keeps a record of a peer that is gone, under one of the names it
 * had. */
static void look_for_name(struct trp_run *run, const struct identity *gone, const char *name)
{
    struct trp_bytes key = trp_bytes_text(name);
    for (uint32_t i = 0; i < run->plan->hosts_count; i++) {
        if (run->hosts[i].node != NULL &&
            trp_node_holds_provider(run->hosts[i].node, key, &gone->peer)) {
            char peer[TRP_PEER_ID_TEXT_MAX];
            trp_peer_id_print(&gone->peer, peer);
            trp_watch_break(run, TRP_ALWAYS_RECORDS_EXPIRE, i, run->hosts[i].event,
                            "it keeps '%s' of %s, which is gone for %" PRIu64 " s", name, peer,
                            (trp_harness_now(run) - gone->ended) / TRP_S(1));
        }
    }
}

static void look_for_identity(struct trp_run *run, const struct identity *gone)
{
    char name[256];
    for (uint32_t a = 0; a < run->plan->actors_count; a++) {
        const struct trp_plan_actor *actor = &run->plan->actors[a];
        if (actor->name == NULL || !trp_harness_crew_has(run, a, gone->host)) {
            continue;
        }
        for (uint32_t k = 0; k < actor->count; k++) {
            if (trp_plan_actor_name(run->plan, actor, gone->host, k, name, sizeof name) == TRP_OK) {
                look_for_name(run, gone, name);
            }
        }
    }
}

static void look_at_records(struct trp_run *run)
{
    trp_time ttl = 0;
    for (uint32_t i = 0; i < run->plan->groups_count; i++) {
        trp_time its = run->limits[i].kad_provider_ttl_ns;
        ttl = its > ttl ? its : ttl;
    }
    trp_time now = trp_harness_now(run);
    for (struct identity *at = run->watch.identities; at != NULL; at = at->hh.next) {
        if (at->ended != TRP_NEVER && now > trp_time_after(at->ended, ttl + GRACE_NS)) {
            look_for_identity(run, at);
            at->ended = TRP_NEVER; /* once is enough: nobody announces it again */
        }
    }
}

/* ---- from outside ---- */

void trp_watch_event(struct trp_run *run, const struct trp_trace_event *event)
{
    if (event->node >= run->plan->hosts_count) {
        return;
    }
    struct host *host = &run->hosts[event->node];
    host->event = event->sequence;
    switch (event->kind->id) {
    case EVENT_kad_peer_added:
    case EVENT_kad_peer_removed:
        note_change(host, (uint32_t)event->values[1].number);
        break;
    case EVENT_actor_stopped:
    case EVENT_link_made:
    case EVENT_link_removed:
    case EVENT_link_died:
        if (is_wanted(run, TRP_ALWAYS_TOLD_ONCE) || is_wanted(run, TRP_ALWAYS_TOLD_IN_TIME)) {
            links_event(run, event);
        }
        break;
    case EVENT_host_failed:
    case EVENT_process_broken:
        trp_watch_break(run, TRP_ALWAYS_NODES_GO_ON, event->node, event->sequence,
                        "its process broke: %s",
                        trp_status_text((enum trp_status)(int64_t)event->values[0].number));
        break;
    default:
        break;
    }
}

void trp_watch_sample(struct trp_run *run)
{
    for (uint32_t i = 0; i < run->plan->hosts_count; i++) {
        if (run->hosts[i].node != NULL) {
            run->hosts[i].changed_bucket = TRP_ALL_BUCKETS;
            look_at_host(run, i);
        }
    }
    if (is_wanted(run, TRP_ALWAYS_TOLD_IN_TIME)) {
        look_at_links(run);
    }
    if (is_wanted(run, TRP_ALWAYS_RECORDS_EXPIRE)) {
        look_at_records(run);
    }
}

enum trp_status trp_watch_open(struct trp_run *run)
{
    const struct trp_vocabulary *vocabulary = trp_harness_vocabulary();
    for (uint32_t i = 0; i < run->plan->expect_count; i++) {
        const struct trp_plan_expect *expect = &run->plan->expect[i];
        for (uint32_t k = 0; expect->kind == TRP_PLAN_ALWAYS && k < TRP_ALWAYS_COUNT; k++) {
            if (strcmp(vocabulary->always[k].name, expect->name) == 0) {
                run->watch.invariants[k].wanted = true;
            }
        }
    }
    enum trp_status status = trp_links_open(&run->watch.links);
    return status == TRP_OK ? trp_table_keys_open(&run->watch.keys) : status;
}

void trp_watch_close(struct trp_run *run)
{
    struct trp_memory *uthash_memory = &run->memory;
    struct identity *identity = run->watch.identities;
    HASH_CLEAR(hh, run->watch.identities);
    while (identity != NULL) {
        struct identity *next = identity->hh.next;
        trp_memory_free(&run->memory, identity);
        identity = next;
    }
    trp_links_close(run->watch.links);
    trp_table_keys_close(run->watch.keys);
}
