/* SPDX-License-Identifier: MIT */
/* harness/state.h - what the files of harness/ share: a run's hosts, operations and agenda. */
#ifndef HARNESS_STATE_H
#define HARNESS_STATE_H

#include "base/heap.h"
#include "scenarios/adversary/adversary.h"
#include "scenarios/harness/network.h"
#include "scenarios/harness/run.h"
#include "scenarios/harness/vocabulary.h"
#include "scenarios/harness/watch.h"
#include "scenarios/invariant/oracle.h"
#include "trace/trace.h"

#include <troupe/blocks.h>
#include <troupe/node.h>
#include <troupe/sim.h>

/* Bootstrap peers that a host takes of those its group may dial. */
#define TRP_HARNESS_BOOTSTRAP_MAX 3u

/* Streams of the harness's draws; the entity is that of the plan's entry. */
enum harness_stream {
    STREAM_START = 1,     /* moment of a host's start */
    STREAM_EVERY = 2,     /* from one operation to the next */
    STREAM_TARGET = 4,    /* on which name it is */
    STREAM_SHAPE = 5,     /* sides of a partition */
    STREAM_BOOTSTRAP = 6, /* which bootstrap peers a host takes */
    STREAM_PROBE = 7,     /* the oracle's walks */
    STREAM_FOE = 8        /* what an adversary does */
};

/* What the harness itself does next, in order of (time, order). */
enum agenda_kind { AGENDA_ACT, AGENDA_END_ACT, AGENDA_RESTART, AGENDA_OPERATE, AGENDA_SAMPLE };
struct agenda {
    struct trp_heap_entry entry;
    enum agenda_kind kind;
    uint32_t index; /* of the timeline or workload entry; of the host for RESTART */
    enum trp_state_kept state;
    uint64_t cause;
};

#define TRP_NO_BUCKET   UINT32_MAX
#define TRP_ALL_BUCKETS (UINT32_MAX - 1u)

struct host {
    struct trp_run *run;
    uint32_t index;
    struct trp_node *node; /* of an honest host; NULL: it is down */
    struct trp_node *foe;  /* of an adversary that has one */
    struct trp_impostor *impostor;
    struct trp_intruder *intruder;
    const struct trp_limits *limits;
    uint32_t lives;
    bool leaving;
    uint32_t changed_bucket; /* of its table, since that was looked at; or one of the two below */
    uint64_t event;          /* its newest, or what caused its newest input */
    uint64_t memory_peak;
    uint64_t oldest; /* operation that may be open, and the newest; 0: none, else index + 1 */
    uint64_t newest;
    trp_time paused_at; /* TRP_NEVER: it is not */
    trp_time paused_ns; /* in all, pauses that ended */
    uint64_t kad_rpcs;  /* of earlier lives */
    uint64_t kad_timeouts;
};

/* One lookup, ask or tell of the workload. */
struct operation {
    uint32_t workload;
    uint32_t host;
    uint32_t life;  /* of the host when it began: a later life knows nothing of it */
    uint64_t count; /* of its workload entry: the key of its draws */
    uint32_t outcomes;
    trp_time started;
    trp_time finished;
    enum trp_status status;
    bool orphaned; /* its host went down before the outcome */
    bool found;
    uint32_t hops;
    uint32_t rpcs;
    uint32_t timeouts;
    uint64_t row;          /* in the record */
    uint64_t cause;        /* its event */
    uint64_t next_of_host; /* 0: none, else index + 1 */
    trp_time paused_ns;    /* of its host when it began */
};

/* The state of a timeline entry. */
struct act {
    bool taken;
    bool lasting;
    uint64_t sequence; /* of its trace event */
    uint32_t *hosts;   /* those it hit; of a partition, side after side */
    uint32_t hosts_count;
    uint32_t *ends; /* of each side of a partition, in `hosts` */
    uint32_t sides;
    struct trp_plan_pair *pairs; /* whose connections were reset */
    uint32_t pairs_count;
    uint32_t pairs_capacity;
    char *name; /* of the actor that was stopped or killed */
};

/* The hosts that an actors: entry was evaluated to. */
struct crew {
    uint32_t *hosts;
    uint32_t count;
};

/* The state of a workload entry. */
struct flow {
    uint64_t count; /* operations that were due, begun or not */
};

struct sample {
    trp_time at;
    uint64_t values[TRP_WORLD_METRICS_COUNT];
};

struct trp_run {
    struct trp_run_options options;
    const struct trp_plan *plan;
    struct trp_recorder recorder;
    struct trp_trace trace; /* the harness's own access */
    struct trp_memory memory;
    struct trp_network net;
    struct trp_crypto_memo *crypto_memo; /* NULL on a real network */
    struct trp_blocks *blocks;           /* the same */
    uint64_t advances;
    bool stopped; /* an invariant broke */
    struct trp_oracle *oracle;
    struct trp_heap agenda;
    uint64_t agenda_order;
    struct host *hosts;
    uint32_t *scratch; /* plan->hosts_count numbers */
    uint32_t *scratch2;
    struct act *acts;
    struct crew *crews; /* of each actors: entry */
    struct flow *flows;
    struct operation *operations;
    uint64_t operations_count;
    uint64_t operations_capacity;
    uint64_t operations_open;
    struct sample *samples;
    uint32_t samples_count;
    uint32_t samples_capacity;
    uint32_t metric_ids[TRP_WORLD_METRICS_COUNT];
    uint64_t bytes_sent; /* at the last sample, and the DHT's counters then */
    uint64_t rpcs;
    uint64_t timeouts;
    struct watch watch;
    enum trp_status failed;    /* of what has nobody to tell it to */
    struct trp_limits *limits; /* of each group, complete */
    const char *lasting_fault;
};

static inline bool trp_harness_is_up(const struct trp_run *run, uint32_t host)
{
    const struct host *its = &run->hosts[host];
    return its->node != NULL || its->foe != NULL || its->intruder != NULL;
}

static inline trp_time trp_harness_now(const struct trp_run *run)
{
    return run->net.ops->now(run->net.self);
}

/* run.c */
enum trp_status trp_harness_schedule(struct trp_run *run, trp_time at, enum agenda_kind kind,
                                     uint32_t index, enum trp_state_kept state, uint64_t cause);
uint64_t trp_harness_draw(const struct trp_run *run, uint64_t entity, enum harness_stream stream,
                          uint64_t counter);

/* heap.c: the heap that simulated hosts share, closed after them; none under a sanitizer. */
enum trp_status trp_harness_open_heap(struct trp_run *run) TRP_NODISCARD;

/* fleet.c */
enum trp_status trp_harness_add_hosts(struct trp_run *run);
/* Says whether an actors: entry runs on a host. */
bool trp_harness_crew_has(const struct trp_run *run, uint32_t actor, uint32_t host);
/* The moment a host starts; TRP_NEVER: when it is told to. */
trp_time trp_harness_start_of(const struct trp_run *run, uint32_t host);
/* Writes the hosts that a host dials to join; `ret_peers` has room for TRP_HARNESS_BOOTSTRAP_MAX.
 */
enum trp_status trp_harness_bootstrap_of(struct trp_run *run, uint32_t host, uint32_t *ret_peers,
                                         uint32_t *ret_count) TRP_NODISCARD;
struct trp_host_factory trp_harness_factory(struct trp_run *run);
/* Fills in what selectors ask of the world. */
struct trp_selector_world trp_harness_selector_world(struct trp_run *run, uint64_t entity,
                                                     uint64_t counter);
void trp_harness_host_totals(struct trp_run *run);

/* Has a new node listen and dial its bootstrap peers. */
enum trp_status trp_harness_join(struct trp_run *run, struct trp_node *node, uint32_t host,
                                 trp_time now) TRP_NODISCARD;

/* foes.c */
/* Begins the life of an adversary; `config` is that of an honest node in its place. */
enum trp_status trp_harness_foe_begin(struct trp_run *run, uint32_t index,
                                      struct trp_node_config *config,
                                      struct trp_process *ret_process) TRP_NODISCARD;
void trp_harness_foe_end(struct trp_run *run, uint32_t index);

/* workload.c */
enum trp_status trp_harness_begin_workload(struct trp_run *run);
enum trp_status trp_harness_operate(struct trp_run *run, uint32_t index);
void trp_harness_result(struct trp_run *run, uint32_t host, const struct trp_result *result);
/* Writes the name that an operation of a workload entry is about. */
enum trp_status trp_harness_target(const struct trp_run *run, uint32_t workload, uint64_t count,
                                   uint32_t host, char *out, size_t room) TRP_NODISCARD;
/* The operations of a host that went down have nobody waiting for them. */
void trp_harness_orphan(struct trp_run *run, uint32_t host);

/* timeline.c */
enum trp_status trp_harness_begin_timeline(struct trp_run *run);
enum trp_status trp_harness_act(struct trp_run *run, uint32_t index);
enum trp_status trp_harness_end_act(struct trp_run *run, uint32_t index);
enum trp_status trp_harness_restart(struct trp_run *run, uint32_t host, enum trp_state_kept state,
                                    uint64_t cause);
struct trp_topology trp_harness_topology(struct trp_run *run);

/* measure.c */
enum trp_status trp_harness_begin_measures(struct trp_run *run);
enum trp_status trp_harness_sample(struct trp_run *run);
/* Takes a snapshot for the oracle of every live node, with tables when `tables`. */
enum trp_status trp_harness_snapshot(struct trp_run *run, bool tables);
/* A workload entry's metric over the operations begun in [from, until]; false: there are none. */
bool trp_harness_measure_workload(const struct trp_run *run, uint32_t workload,
                                  enum trp_workload_metric metric, trp_time from, trp_time until,
                                  uint64_t *ret_value);

#endif
