/* SPDX-License-Identifier: MIT */
/* harness/watch.h - the invariants of a run, looked at after every happening.
 *
 * A happening ends with one input of one node, so only that node is looked at; its routing table
 * only when an event of the trace says that it changed. What no event tells (a table that changed
 * in silence, a record that should be gone) is looked for at each sample.
 * A broken invariant stops the run: what follows from a state that must not be shows nothing.
 * Cost       About 50 ns per happening, and a walk of the table per change of it. */
#ifndef HARNESS_WATCH_H
#define HARNESS_WATCH_H

#include "scenarios/harness/vocabulary.h"
#include "scenarios/invariant/links.h"
#include "scenarios/invariant/table.h"

#include <troupe/node.h>

struct trp_run;

/* What an `always` came to. */
struct invariant {
    bool wanted; /* the scenario expects it; the others are not looked at */
    bool broken;
    trp_time at;
    uint32_t host; /* plan->hosts_count: of no single host */
    uint64_t cause;
    uint64_t sequence; /* of its event, once that is traced */
    char detail[192];
};

/* A PeerId that a host has or had. */
struct identity;

struct watch {
    struct invariant invariants[TRP_ALWAYS_COUNT];
    struct trp_table_keys *keys;
    struct trp_links *links;
    struct identity *identities; /* uthash by peer */
    trp_time calm_since;         /* the last fault that lasts ended; TRP_NEVER: one does */
};

/* TRP_ENOMEM. */
enum trp_status trp_watch_open(struct trp_run *run) TRP_NODISCARD;
void trp_watch_close(struct trp_run *run);

/* Wraps the process of a host's new life, so that each of its inputs is followed by a look. */
struct trp_process trp_watch_process(struct trp_run *run, uint32_t host);
/* A host's life ends; its node is still there. */
void trp_watch_host_ends(struct trp_run *run, uint32_t host);
/* Sees every event, in the middle of whatever emits it. */
void trp_watch_event(struct trp_run *run, const struct trp_trace_event *event);
/* Looks at all nodes, and at what time alone can break. */
void trp_watch_sample(struct trp_run *run);
/* Traces what broke; the run ends with it. */
void trp_watch_conclude(struct trp_run *run);

/* Notes that an invariant broke; the first time counts. `cause`: the event it follows from. */
void trp_watch_break(struct trp_run *run, enum trp_always which, uint32_t host, uint64_t cause,
                     const char *format, ...) TRP_PRINTF(5, 6);

#endif
