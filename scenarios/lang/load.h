/* SPDX-License-Identifier: MIT */
/* lang/load.h - from a scenario file to a plan, with every problem of the file in one pass.
 *
 * Ownership  A load owns its plan, its problems and the texts both point to.
 * Limits     1 MiB per file, 8 files by extends:, 64 levels, 65,536 nodes with aliases expanded,
 *            100 problems. */
#ifndef LANG_LOAD_H
#define LANG_LOAD_H

#include "lang/plan.h"

/* What the words of a scenario may mean; borrowed for the life of the plan. */
struct trp_vocabulary_actor {
    const char *name; /* as a scenario says it */
    const char *about;
    const struct trp_actor_type *type;
};
struct trp_vocabulary_metric {
    const char *name; /* "dht.recall_at_k"; of a workload entry: "latency.p99" */
    const char *about;
    enum trp_unit unit;
};
struct trp_vocabulary_always {
    const char *name;
    const char *about;
};
struct trp_vocabulary {
    const struct trp_vocabulary_actor *actors;
    uint32_t actors_count;
    const struct trp_vocabulary_metric *metrics; /* of the world */
    uint32_t metrics_count;
    const struct trp_vocabulary_metric *workload_metrics; /* of each workload entry */
    uint32_t workload_metrics_count;
    const struct trp_vocabulary_always *always;
    uint32_t always_count;
};

struct trp_load_options {
    const char *path;            /* of the file; also what problems call it */
    const char *text;            /* its content; NULL: read the file */
    size_t text_bytes;           /* with text */
    const char *const *settings; /* "path=value" of --set, applied in order */
    uint32_t settings_count;
    const struct trp_vocabulary *vocabulary;
};

struct trp_load;

/* Reads, merges and checks. Gives a load in any case but TRP_ENOMEM; TRP_EINVAL when the scenario
 * has problems (then it has no plan). Free it with trp_load_free. */
enum trp_status trp_load_open(const struct trp_load_options *options,
                              struct trp_load **ret_load) TRP_NODISCARD;
void trp_load_free(struct trp_load *load);

/* Borrows the plan; NULL when there are problems. */
const struct trp_plan *trp_load_plan(const struct trp_load *load);
/* Gives how many problems there are. */
uint32_t trp_load_problems(const struct trp_load *load);
/* Writes every problem for people, each with file:line:column, the source line, a caret and what to
 * do: as text with a NUL that the caller frees with free(); NULL: out of memory. */
char *trp_load_print_problems(const struct trp_load *load);
/* Writes the effective scenario: everything merged and every default said, each line with where its
 * value comes from; a valid scenario again. To be freed with free(); NULL: out of memory. */
char *trp_load_print_resolved(const struct trp_load *load);

#endif
